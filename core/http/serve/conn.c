/*
 * conn.c - a client's connection: what every protocol needs of it: its beginning, timer, idle list, the end.
 *
 * Runs in workers.
 */
#include "http/serve/conn.h"

#include "base/mem.h"
#include "http/record/stats.h"
#include "os/clock.h"
#include "os/sock.h"

#include <errno.h>

/* -- begin -- */

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

bool
weir_http_conn_open(weir_http_conn_t *c, weir_http_t *http, weir_serve_socket_t *socket, int fd,
                    const weir_addr_t *peer, weir_str_t text)
{
    weir_assert(c->protocol != NULL && c->http == NULL && !c->closed);     /* zeroed but for its protocol */
    if (!weir_conn_accept(&c->conn, http->loop, fd, conn_on_ready)) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "a connection could not be watched");
        return false;
    }
    c->http = http;
    c->socket = weir_accept_ref(socket);
    c->client.addr = weir_addr_to_endpoint(peer);
    c->client.text = text;
    c->client.number = ++http->serve->next_number;
    c->client.opened = weir_clock_now();
    c->client.fd = fd;
    c->client.conn = &c->conn;
    weir_list_append(&http->conns, &c->link);
    weir_http_stats_connection(true);
    if (!weir_http_conn_core(c)->tcp_nodelay.on && !weir_addr_is_unix(peer)) {
        weir_sock_set_nodelay(fd, false);            /* the listener gave it */
    }
    return true;
}

/* -- meanwhile -- */

void
weir_http_conn_timer(weir_http_conn_t *c, weir_msec_t delay)
{
    weir_assert(!c->closed);     /* its memory goes at the end of the turn */
    weir_timer_set(c->http->loop, &c->timer, delay, conn_on_timer);
}

void
weir_http_conn_idle(weir_http_conn_t *c)
{
    weir_assert(!c->closed);
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
        weir_assert(owner->protocol->let_go != NULL && !owner->closed);
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
    conn_tale_t tale = { .context = { .fields = conn_log_fields, .connection = c->client.number },
                         .c = c,
                         .cause = cause };

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

    weir_assert(c->closed && !weir_list_linked(&c->link) && !weir_list_linked(&c->idle_link));
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
    if (c->beside != NULL) {
        c->beside->gone(c->beside);
    }
    weir_conn_close(&c->conn);
    weir_timer_drop(&c->timer);
    weir_list_remove(&c->link);
    weir_http_conn_busy(c);
    weir_task_cancel(&c->task);
    weir_task_post(c->http->loop, &c->task, conn_free);
}
