/*
 * conn.c - a client's connection from accept to the moment its protocol is known, and what every protocol needs of it:
 * timer, idle list, the end.
 *
 * Runs in workers.  One allocation a connection, large enough for whichever protocol it turns out to speak.
 */
#include "http/serve/conn.h"

#include "base/mem.h"
#include "http/h2/frame.h"
#include "http/record/stats.h"
#include "http/tls/tls.h"
#include "os/clock.h"
#include "os/sock.h"
#include "os/sys.h"
#include "serve/hello.h"

#include <errno.h>
#include <string.h>

/* -- while the protocol is not known -- */

typedef struct {
    weir_http_conn_t base;
    weir_hello_t     hello;                  /* what comes before a protocol */
    bool             waits;                  /* for a check of the handshake's outcome */
    uint8_t          n;                      /* bytes of what may become HTTP/2's preface */
    char             bytes[WEIR_H2_PREFACE_LEN];
} hello_t;

static void
hello_start(weir_http_conn_t *c, bool is_h2, weir_str_t before)
{
    memset((char *) c + sizeof(*c), 0, sizeof(hello_t) - sizeof(*c));     /* the protocol's part begins zeroed */
    if (is_h2) {
        weir_h2_start(c, before);
    } else {
        weir_h1_start(c, before);
    }
}

/* A plain port where HTTP/2 is on: the first bytes tell (RFC 9113 §3.3, §3.4). */
static void
hello_sniff(hello_t *h)
{
    weir_http_conn_t *c = &h->base;
    char *rx = c->http->h2_rx;
    size_t got, n;
    weir_io_t io;

    memcpy(rx, h->bytes, h->n);
    io = weir_conn_recv(&c->conn, rx + h->n, WEIR_RX_BYTES - h->n, &got);
    if (io == WEIR_AGAIN) {
        return;
    }
    if (io != WEIR_OK) {
        weir_http_conn_close(c);
        return;
    }
    got += h->n;
    n = weir_min(got, (size_t) WEIR_H2_PREFACE_LEN);
    if (memcmp(rx, WEIR_H2_PREFACE, n) != 0) {
        hello_start(c, false, weir_str(rx, got));
    } else if (n == WEIR_H2_PREFACE_LEN) {
        hello_start(c, true, weir_str(rx, got));
    } else {
        weir_http_conn_busy(c);
        memcpy(h->bytes, rx, n);
        h->n = (uint8_t) n;
    }
}

/* Plain HTTP on a port for TLS gets an answer that says so (weir_http_tls_check). */
static void
hello_handshake_failed(hello_t *h)
{
    weir_http_conn_t *c = &h->base;
    size_t n;

    if (weir_tls_was_plain(&c->conn)) {
        n = weir_tls_take_plain(&c->conn, c->http->rx, WEIR_RX_BYTES);
        c->client.is_tls = false;
        weir_http_conn_timer(c, weir_http_conn_core(c)->client_header_timeout);
        hello_start(c, false, weir_str(c->http->rx, n));
        return;
    }
    weir_http_stats_handshake(false, false);
    weir_http_conn_tell(c, WEIR_CAUSE_CLIENT_TLS_HANDSHAKE, weir_tls_why(&c->conn));
    weir_http_conn_close(c);
}

static void
hello_handshake_done(hello_t *h)
{
    weir_http_conn_t *c = &h->base;

    weir_http_stats_handshake(true, weir_tls_was_resumed(&c->conn));
    switch (weir_http_tls_done(c)) {
    case WEIR_NEXT:
        weir_http_conn_accepted(c);
        return;
    case WEIR_PARK:
        h->waits = true;
        return;
    default:
        weir_http_conn_close(c);
    }
}

void
weir_http_conn_accepted(weir_http_conn_t *c)
{
    weir_http_conn_timer(c, weir_http_conn_core(c)->client_header_timeout);
    hello_start(c, weir_str_eq(weir_tls_protocol(&c->conn), WEIR_STR("h2")), WEIR_STR_NONE);
}

/* -- before that: a PROXY header, TLS -- */

static bool
hello_keep_proxied(void *owner, const weir_proxied_t *proxied)
{
    weir_http_conn_t *c = owner;
    weir_proxied_t *own = weir_mem_try(sizeof(*own) + proxied->tlvs.len);

    if (own == NULL) {
        return false;
    }
    *own = *proxied;
    own->tlvs.at = (char *) own + sizeof(*own);
    if (proxied->tlvs.len != 0) {
        memcpy((char *) own + sizeof(*own), proxied->tlvs.at, proxied->tlvs.len);
    }
    c->client.proxied = own;
    return true;
}

static weir_tls_context_t *
hello_secure(void *owner)
{
    weir_http_conn_t *c = owner;

    c->client.is_tls = true;
    return weir_http_tls_begin(c);
}

static const weir_hello_area_t hello_area = {
    .proxied = hello_keep_proxied, .secure = hello_secure, .acceptor = &weir_http_tls_acceptor,
};

/* Nothing comes before the protocol any more. */
static void
hello_over(hello_t *h)
{
    weir_http_conn_t *c = &h->base;

    if (weir_tls_is_on(&c->conn)) {
        hello_handshake_done(h);
    } else if (!weir_http_listen_of(c->socket)->is_http2 && !weir_http_conn_core(c)->http2.on) {
        hello_start(c, false, WEIR_STR_NONE);
    } else if (c->conn.watch.readable) {             /* what follows may be here already */
        hello_sniff(h);
    }
}

static void
hello_go_on(hello_t *h, weir_hello_result_t result)
{
    weir_http_conn_t *c = &h->base;

    switch (result) {
    case WEIR_HELLO_DONE:
        hello_over(h);
        return;
    case WEIR_HELLO_WAIT:
        return;
    case WEIR_HELLO_NO_TLS:
        hello_handshake_failed(h);
        return;
    case WEIR_HELLO_NO_PROXY:
        weir_http_conn_tell(c, WEIR_CAUSE_CLIENT_PROXY_PROTOCOL, NULL);
        /* fall through */
    case WEIR_HELLO_GONE:
        weir_http_conn_close(c);
        return;
    }
}

static void
hello_on_ready(weir_http_conn_t *c)
{
    hello_t *h = weir_container_of(c, hello_t, base);

    if (h->hello.stage != WEIR_HELLO_OVER) {
        hello_go_on(h, weir_hello_step(&h->hello, c->socket->listen, c->http->h2_rx));
    } else if (h->waits) {
        if (c->conn.watch.failed) {
            weir_http_conn_close(c);
        }
    } else {
        hello_sniff(h);
    }
}

static void
hello_on_timeout(weir_http_conn_t *c)
{
    hello_t *h = weir_container_of(c, hello_t, base);

    if (h->hello.stage == WEIR_HELLO_TLS || h->waits) {
        weir_http_conn_tell(c, WEIR_CAUSE_CLIENT_TLS_TIMEOUT, NULL);
    }
    weir_http_conn_close(c);
}

/* A handshake under way is let finish: its first request is told to be the last. */
static void
hello_quit(weir_http_conn_t *c, bool now)
{
    hello_t *h = weir_container_of(c, hello_t, base);

    if (now || (h->hello.stage == WEIR_HELLO_OVER && !h->waits && h->n == 0) || weir_list_linked(&c->idle_link)) {
        weir_http_conn_close(c);
    }
}

const weir_http_protocol_t weir_http_hello = {
    .name = "hello",
    .size = sizeof(hello_t),
    .on_ready = hello_on_ready,
    .on_timeout = hello_on_timeout,
    .quit = hello_quit,
};

/* -- begin -- */

static size_t
conn_block_size(void)
{
    return weir_max(weir_http_hello.size, weir_max(weir_h1_protocol.size, weir_h2_protocol.size));
}

static void
conn_on_ready(weir_watch_t *watch)
{
    weir_http_conn_t *c = weir_container_of(watch, weir_http_conn_t, conn.watch);

    c->protocol->on_ready(c);
}

static void
conn_on_timer(weir_timer_t *timer)
{
    weir_http_conn_t *c = weir_container_of(timer, weir_http_conn_t, timer);

    c->protocol->on_timeout(c);
}

static void
conn_set_client(weir_http_conn_t *c, int fd, const weir_addr_t *peer, weir_str_t text)
{
    char *behind = (char *) c + conn_block_size();

    memcpy(behind, text.at, text.len);
    c->client.addr = weir_endpoint(peer);
    c->client.text = weir_str(behind, text.len);
    c->client.number = ++c->http->serve->next_number;
    c->client.opened = weir_clock_now();
    c->client.fd = fd;
    c->client.conn = &c->conn;
}

bool
weir_http_accept(weir_http_t *http, weir_serve_socket_t *socket, int fd, const weir_addr_t *peer)
{
    char text[WEIR_ADDR_TEXT];
    size_t len = weir_addr_text_ip(peer, text);
    weir_http_conn_t *c = weir_mem_try(conn_block_size() + len);
    hello_t *h;

    if (c == NULL) {
        weir_sys_close(fd);
        return false;
    }
    memset(c, 0, conn_block_size());
    if (!weir_conn_accept(&c->conn, http->loop, fd, conn_on_ready)) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "a connection could not be watched");
        weir_mem_free(c);
        return false;
    }
    c->http = http;
    c->socket = weir_accept_ref(socket);
    c->protocol = &weir_http_hello;
    conn_set_client(c, fd, peer, weir_str(text, len));
    weir_list_append(&http->conns, &c->link);
    weir_http_stats_connection(true);
    if (!weir_http_conn_core(c)->tcp_nodelay.on && !weir_addr_is_unix(peer)) {
        weir_sock_set_nodelay(fd, false);            /* the listener gave it */
    }
    weir_http_conn_timer(c, weir_http_conn_core(c)->client_header_timeout);
    h = weir_container_of(c, hello_t, base);
    hello_go_on(h, weir_hello_begin(&h->hello, &hello_area, c, &c->conn, socket->listen));
    return true;
}

/* -- meanwhile -- */

void
weir_http_conn_timer(weir_http_conn_t *c, weir_msec_t delay)
{
    weir_timer_set(c->http->loop, &c->timer, delay, conn_on_timer);
}

void
weir_http_conn_idle(weir_http_conn_t *c)
{
    if (!weir_list_linked(&c->idle_link)) {
        weir_http_stats_idle(1);
        weir_list_append(&c->http->idle, &c->idle_link);
    }
}

void
weir_http_conn_busy(weir_http_conn_t *c)
{
    if (weir_list_linked(&c->idle_link)) {
        weir_http_stats_idle(-1);
    }
    weir_list_remove(&c->idle_link);
}

void
weir_http_conn_count(weir_http_conn_t *c)
{
    weir_http_conn_busy(c);
    c->client.requests++;
}

char *
weir_http_scratch(weir_http_t *http)
{
    weir_http_conn_t *owner = http->tx_owner;

    if (owner != NULL) {
        owner->protocol->let_go(owner);
        http->tx_owner = NULL;
    }
    return http->tx;
}

typedef struct {
    weir_log_context_t      context;
    const weir_http_conn_t *c;
    weir_cause_t            cause;
} conn_tale_t;

static size_t
conn_log_fields(const weir_log_context_t *context, weir_log_field_t *out, size_t max)
{
    const conn_tale_t *tale = weir_container_of(context, conn_tale_t, context);

    if (max < 3) {
        return 0;
    }
    out[0] = (weir_log_field_t) { .name = "client", .value = tale->c->client.text };
    out[1] = (weir_log_field_t) { .name = "server", .value = tale->c->socket->listen->text };
    out[2] = (weir_log_field_t) { .name = "cause", .value = weir_cause_row(tale->cause)->word };
    return 3;
}

void
weir_http_conn_tell(weir_http_conn_t *c, weir_cause_t cause, const char *detail)
{
    conn_tale_t tale = { .context = { .fields = conn_log_fields, .connection = c->client.number }, .c = c, .cause = cause };

    const weir_core_logs_t *logs = &weir_http_conn_core(c)->error_log;

    tale.context.sinks = logs->n != 0 ? logs->at : NULL;
    weir_cause_log(cause, &tale.context, detail != NULL && detail[0] != '\0' ? detail : NULL);
}

/* -- the end -- */

static void
conn_free(weir_task_t *task)
{
    weir_http_conn_t *c = weir_container_of(task, weir_http_conn_t, task);
    weir_http_t *http = c->http;

    if (c->protocol->fini != NULL) {
        c->protocol->fini(c);
    }
    if (c->generation != NULL) {
        weir_generation_unref(c->generation);
    }
    weir_accept_unref(c->socket);
    weir_mem_free((void *) (uintptr_t) c->client.proxied);
    weir_mem_free(c);
    weir_http_stats_connection(false);
    weir_accept_closed(http->serve);
}

void
weir_http_conn_close(weir_http_conn_t *c)
{
    if (c->closed) {
        return;
    }
    c->closed = true;
    if (c->http->tx_owner == c) {
        c->http->tx_owner = NULL;
    }
    if (weir_tls_is_on(&c->conn)) {
        weir_http_tls_gone(c);
    }
    weir_conn_close(&c->conn);
    weir_timer_drop(&c->timer);
    weir_list_remove(&c->link);
    weir_http_conn_busy(c);
    weir_task_cancel(&c->task);
    weir_task_post(c->http->loop, &c->task, conn_free);
}
