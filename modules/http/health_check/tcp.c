/*
 * tcp.c - one connection to one peer: whether it can be made and, where a `match` has them, whether what comes back for
 * `send` is what `expect` says.
 *
 * A peer is a stranger: a few KiB of what it sends are read at most, and only as long as the check's limit lasts.  Runs
 * in workers; one allocation a probe.
 */
#include "health.h"

#include "base/mem.h"
#include "event/conn.h"
#include "os/sock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TCP_ROOM 16384                       /* bytes of what the peer sends that are looked at */

struct health_tcp {
    health_spec_t  spec;
    weir_loop_t   *loop;
    weir_upconn_t *up;                       /* NULL: there is none */
    weir_timer_t   timer;
    weir_task_t    task;
    size_t         sent, len;
    int            error;                    /* of a connection that could not be begun */
    bool           is_connected;
    char           room[TCP_ROOM];
};

static void
tcp_free(health_tcp_t *tcp)
{
    weir_timer_drop(&tcp->timer);
    weir_task_cancel(&tcp->task);
    if (tcp->up != NULL) {
        weir_upconn_close(tcp->up);
    }
    weir_group_unref(tcp->spec.alone);
    weir_generation_unref(tcp->spec.generation);
    weir_mem_free(tcp);
}

void
health_tcp_cancel(health_tcp_t *tcp)
{
    if (tcp != NULL) {
        tcp_free(tcp);
    }
}

static void
tcp_end(health_tcp_t *tcp, const char *why)
{
    health_spec_t spec = tcp->spec;
    char          text[HEALTH_WHY];

    if (why != NULL) {
        (void) snprintf(text, sizeof(text), "%s", why);
    }
    tcp_free(tcp);
    spec.done(spec.data, why != NULL ? text : NULL);
}

static void
tcp_failed(health_tcp_t *tcp, const char *what, int error)
{
    char text[HEALTH_WHY];

    (void) snprintf(text, sizeof(text), "%s: %s", what, strerror(error));
    tcp_end(tcp, text);
}

static void
tcp_on_timeout(weir_timer_t *timer)
{
    health_tcp_t *tcp = weir_container_of(timer, health_tcp_t, timer);

    tcp_end(tcp, tcp->is_connected ? "what is expected did not come in time" : "no connection in time");
}

/* -- send and expect -- */

static bool
tcp_expects(const health_match_t *match)
{
    return match != NULL && (match->expect.len != 0 || match->expect_pattern != NULL);
}

/* OK: all of it has left. */
static weir_io_t
tcp_send(health_tcp_t *tcp)
{
    const health_match_t *match = tcp->spec.check->match;

    while (match != NULL && tcp->sent < match->send.len) {
        weir_str_t   rest = weir_str_skip(match->send, tcp->sent);
        struct iovec iov = { (void *) (uintptr_t) rest.at, rest.len };
        size_t       n = 0;
        weir_io_t    io = weir_conn_send(&tcp->up->conn, &iov, 1, &n);

        tcp->sent += n;
        if (io != WEIR_OK) {
            return io;
        }
    }
    return WEIR_OK;
}

/* true: the probe is over. */
static bool
tcp_judge(health_tcp_t *tcp, bool is_all)
{
    char       text[HEALTH_WHY];
    weir_buf_t why;

    weir_buf_init(&why, text, sizeof(text) - 1);
    switch (health_match_bytes(tcp->spec.check->match, weir_str(tcp->room, tcp->len), is_all, &why)) {
    case WEIR_OK:
        tcp_end(tcp, NULL);
        return true;
    case WEIR_AGAIN:
        return false;
    default:
        *why.pos = '\0';
        tcp_end(tcp, text);
        return true;
    }
}

static void
tcp_read(health_tcp_t *tcp)
{
    for (;;) {
        size_t    n = 0;
        weir_io_t io = weir_conn_recv(&tcp->up->conn, tcp->room + tcp->len, sizeof(tcp->room) - tcp->len, &n);

        tcp->len += n;
        switch (io) {
        case WEIR_OK:
            if (tcp_judge(tcp, tcp->len == sizeof(tcp->room))) {
                return;
            }
            break;
        case WEIR_AGAIN:
            return;
        case WEIR_EOF:
            (void) tcp_judge(tcp, true);
            return;
        case WEIR_ERROR:
            tcp_failed(tcp, "receiving failed", tcp->up->conn.error);
            return;
        }
    }
}

static void
tcp_go_on(health_tcp_t *tcp)
{
    switch (tcp_send(tcp)) {
    case WEIR_AGAIN:
        return;
    case WEIR_OK:
        if (tcp_expects(tcp->spec.check->match)) {
            tcp_read(tcp);
        } else {
            tcp_end(tcp, NULL);
        }
        return;
    default:
        tcp_failed(tcp, "sending failed", tcp->up->conn.error);
    }
}

/* -- connecting -- */

static void
tcp_connected(health_tcp_t *tcp)
{
    tcp->is_connected = true;
    tcp_go_on(tcp);
}

static void
tcp_on_ready(weir_watch_t *watch)
{
    health_tcp_t *tcp = weir_container_of(watch, weir_upconn_t, conn.watch)->owner;
    int           error;

    if (tcp == NULL) {
        return;                              /* it was connected at once: the task goes on */
    }
    if (tcp->is_connected) {
        tcp_go_on(tcp);
    } else if (watch->writable || watch->failed) {
        error = weir_sock_error(watch->fd);
        if (error != 0) {
            tcp_failed(tcp, "connecting failed", error);
        } else {
            tcp_connected(tcp);
        }
    }
}

static void
tcp_begun(weir_task_t *task)
{
    health_tcp_t *tcp = weir_container_of(task, health_tcp_t, task);

    if (tcp->up == NULL) {
        tcp_failed(tcp, "connecting failed", tcp->error);
        return;
    }
    tcp->up->owner = tcp;
    tcp_connected(tcp);
}

/* Nothing is called back from here: what is done at once is told by a task. */
health_tcp_t *
health_tcp_begin(const health_spec_t *spec)
{
    health_tcp_t   *tcp = weir_mem_try(sizeof(*tcp));
    weir_addr_t     from;
    weir_upsecure_t plain;
    weir_peer_t *const *peers;
    bool            done = false;

    if (tcp == NULL) {
        return NULL;
    }
    memset(tcp, 0, offsetof(health_tcp_t, room));
    tcp->spec = *spec;
    tcp->loop = spec->http->loop;
    weir_group_ref(spec->alone);
    weir_generation_ref(spec->generation);
    (void) weir_group_peers(spec->alone, &peers);
    plain = health_probe_secure(spec, &peers[0]->conf->addr, &from);      /* (a check of TCP is never is_tls) */
    tcp->up = weir_upconn_open(peers[0], &plain, tcp_on_ready, &done);
    tcp->error = tcp->up == NULL ? errno : 0;
    if (tcp->up == NULL || done) {
        weir_task_post(tcp->loop, &tcp->task, tcp_begun);
    } else {
        tcp->up->owner = tcp;
    }
    weir_timer_set(tcp->loop, &tcp->timer, spec->check->limit, tcp_on_timeout);
    return tcp;
}
