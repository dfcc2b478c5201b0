/*
 * accept.c - see accept.h.
 *
 * Runs in workers.  One allocation per connection, large enough for whichever protocol it turns out to speak.
 */
#include "http/accept.h"

#include "base/mem.h"
#include "http/h1/conn.h"
#include "http/h2/server.h"
#include "http/record/stats.h"
#include "http/tls/tls.h"
#include "os/sys.h"
#include "serve/hello.h"

#include <string.h>

/* -- while the protocol is not known -- */

typedef struct {
    weir_http_conn_t base;
    weir_hello_t     hello;                  /* what comes before a protocol */
    bool             waits;                  /* for a check of the handshake's outcome */
    uint8_t          n;                      /* bytes of what may become a preface */
    char             bytes[WEIR_HTTP_PREFACE_MAX];
} accept_t;

/* What is spoken, in the order in which it is tried; the last one has no preface. */
static const weir_http_protocol_t *const accept_protocols[] = { &weir_h2_protocol, &weir_h1_protocol };
#define ACCEPT_DEFAULT accept_protocols[weir_countof(accept_protocols) - 1]

static void
accept_start(weir_http_conn_t *c, const weir_http_protocol_t *protocol, weir_str_t before)
{
    weir_assert(!c->closed && protocol->start != NULL);
    memset((char *) c + sizeof(*c), 0, sizeof(accept_t) - sizeof(*c));     /* the protocol's part begins zeroed */
    c->protocol = protocol;
    protocol->start(c, before);
}

/* The protocol of a plain connection that begins with these bytes; NULL: it may be one or another. */
static const weir_http_protocol_t *
accept_guess(const weir_http_conn_t *c, weir_str_t bytes)
{
    bool is_open = false;

    for (size_t i = 0; i < weir_countof(accept_protocols) - 1; i++) {
        const weir_http_protocol_t *protocol = accept_protocols[i];
        size_t                      n = weir_min(bytes.len, protocol->preface.len);

        if (!protocol->is_on(c) || (n != 0 && memcmp(bytes.at, protocol->preface.at, n) != 0)) {
            continue;
        }
        if (n == protocol->preface.len) {
            return protocol;
        }
        is_open = true;
    }
    return is_open ? NULL : ACCEPT_DEFAULT;
}

/* A plain port where more than one protocol is on: the first bytes tell (RFC 9113 §3.3, §3.4). */
static void
accept_sniff(accept_t *h)
{
    weir_http_conn_t *c = &h->base;
    const weir_http_protocol_t *protocol;
    char *rx = c->http->h2_rx;
    size_t got;
    weir_io_t io;

    weir_assert(h->n < sizeof(h->bytes));
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
    protocol = accept_guess(c, weir_str(rx, got));
    if (protocol != NULL) {
        accept_start(c, protocol, weir_str(rx, got));
        return;
    }
    weir_assert(got < sizeof(h->bytes));
    weir_http_conn_busy(c);
    memcpy(h->bytes, rx, got);
    h->n = (uint8_t) got;
}

/* Plain HTTP on a port for TLS gets an answer that says so (weir_http_tls_check). */
static void
accept_handshake_failed(accept_t *h)
{
    weir_http_conn_t *c = &h->base;
    size_t n;

    if (weir_tls_was_plain(&c->conn)) {
        n = weir_tls_take_plain(&c->conn, c->http->rx, WEIR_RX_BYTES);
        c->client.is_tls = false;
        weir_http_conn_timer(c, weir_http_conn_core(c)->client_header_timeout);
        accept_start(c, ACCEPT_DEFAULT, weir_str(c->http->rx, n));
        return;
    }
    weir_http_stats_handshake(false, false);
    weir_http_conn_tell(c, WEIR_CAUSE_CLIENT_TLS_HANDSHAKE, weir_tls_why(&c->conn));
    weir_http_conn_close(c);
}

/* The handshake's last word: the connection goes on as what ALPN said. */
static void
accept_secured(weir_http_conn_t *c)
{
    weir_str_t name = weir_tls_protocol(&c->conn);
    size_t     i;

    weir_assert(!c->closed);
    weir_http_conn_timer(c, weir_http_conn_core(c)->client_header_timeout);
    for (i = 0; i < weir_countof(accept_protocols) - 1 && !weir_str_eq(name, accept_protocols[i]->alpn); i++) {
    }
    accept_start(c, accept_protocols[i], WEIR_STR_NONE);
}

static void
accept_handshake_done(accept_t *h)
{
    weir_http_conn_t *c = &h->base;

    weir_assert(!h->waits);
    weir_http_stats_handshake(true, weir_tls_was_resumed(&c->conn));
    switch (weir_http_tls_done(c, accept_secured)) {
    case WEIR_NEXT:
        accept_secured(c);
        return;
    case WEIR_PARK:
        h->waits = true;
        return;
    default:
        weir_http_conn_close(c);
    }
}

/* -- before that: a PROXY header, TLS -- */

static bool
accept_keep_proxied(void *owner, const weir_proxied_t *proxied)
{
    weir_http_conn_t *c = owner;
    weir_proxied_t *own = weir_mem_try(sizeof(*own) + proxied->tlvs.len);

    weir_assert(c->client.proxied == NULL);     /* there is one header */
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
accept_secure(void *owner)
{
    weir_http_conn_t *c = owner;

    c->client.is_tls = true;
    return weir_http_tls_begin(c);
}

static const weir_hello_area_t accept_hello = {
    .proxied = accept_keep_proxied, .secure = accept_secure, .acceptor = &weir_http_tls_acceptor,
};

/* Nothing comes before the protocol any more. */
static void
accept_over(accept_t *h)
{
    weir_http_conn_t *c = &h->base;

    if (weir_tls_is_on(&c->conn)) {
        accept_handshake_done(h);
    } else if (accept_guess(c, WEIR_STR_NONE) != NULL) {
        accept_start(c, ACCEPT_DEFAULT, WEIR_STR_NONE);
    } else if (c->conn.watch.readable) {             /* what follows may be here already */
        accept_sniff(h);
    }
}

static void
accept_go_on(accept_t *h, weir_hello_result_t result)
{
    weir_http_conn_t *c = &h->base;

    switch (result) {
    case WEIR_HELLO_DONE:
        accept_over(h);
        return;
    case WEIR_HELLO_WAIT:
        return;
    case WEIR_HELLO_NO_TLS:
        accept_handshake_failed(h);
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
accept_on_ready(weir_http_conn_t *c)
{
    accept_t *h = weir_container_of(c, accept_t, base);

    if (h->hello.stage != WEIR_HELLO_OVER) {
        accept_go_on(h, weir_hello_step(&h->hello, c->socket->listen, c->http->h2_rx));
    } else if (h->waits) {
        if (c->conn.watch.failed) {
            weir_http_conn_close(c);
        }
    } else {
        accept_sniff(h);
    }
}

static void
accept_on_timeout(weir_http_conn_t *c)
{
    accept_t *h = weir_container_of(c, accept_t, base);

    if (h->hello.stage == WEIR_HELLO_TLS || h->waits) {
        weir_http_conn_tell(c, WEIR_CAUSE_CLIENT_TLS_TIMEOUT, NULL);
    }
    weir_http_conn_close(c);
}

/* A handshake under way is let finish: its first request is told to be the last. */
static void
accept_quit(weir_http_conn_t *c, bool now)
{
    accept_t *h = weir_container_of(c, accept_t, base);

    if (now || (h->hello.stage == WEIR_HELLO_OVER && !h->waits && h->n == 0) || weir_list_linked(&c->idle_link)) {
        weir_http_conn_close(c);
    }
}

static const weir_http_protocol_t accept_protocol = {
    .name = "hello",
    .size = sizeof(accept_t),
    .on_ready = accept_on_ready,
    .on_timeout = accept_on_timeout,
    .quit = accept_quit,
};

/* -- begin -- */

static size_t
accept_block_size(void)
{
    size_t size = accept_protocol.size;

    for (size_t i = 0; i < weir_countof(accept_protocols); i++) {
        size = weir_max(size, accept_protocols[i]->size);
    }
    return size;
}

bool
weir_http_accept(weir_http_t *http, weir_serve_socket_t *socket, int fd, const weir_addr_t *peer)
{
    char text[WEIR_ADDR_TEXT];
    size_t len = weir_addr_text_ip(peer, text), size = accept_block_size();
    weir_http_conn_t *c = weir_mem_try(size + len);
    accept_t *h;

    if (c == NULL) {
        weir_sys_close(fd);
        return false;
    }
    memset(c, 0, size);
    memcpy((char *) c + size, text, len);
    c->protocol = &accept_protocol;
    if (!weir_http_conn_open(c, http, socket, fd, peer, weir_str((char *) c + size, len))) {
        weir_mem_free(c);
        return false;
    }
    weir_http_conn_timer(c, weir_http_conn_core(c)->client_header_timeout);
    h = weir_container_of(c, accept_t, base);
    accept_go_on(h, weir_hello_begin(&h->hello, &accept_hello, c, &c->conn, socket->listen));
    return true;
}
