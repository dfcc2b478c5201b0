/*
 * link.c - see link.h.
 */
#include "http/exchange/link.h"

#include "http/serve/runtime.h"
#include "os/sock.h"

#include <errno.h>
#include <string.h>

#define LINK_TERSE 4096          /* an answer before that was no longer lets expect another such */

static weir_io_t
link_error(weir_link_t *link, weir_cause_t cause, int error)
{
    return weir_exchange_error(link->exchange, cause, strerror(error));
}

/* -- from nothing to connected -- */

static void
link_connected(weir_link_t *link)
{
    weir_assert(!link->connected);
    link->connected = true;
    link->sent_before = link->up->conn.sent;
    link->received_before = link->up->conn.received;
    link->up->requests++;
    if (link->exchange->conf->socket_keepalive.on && !link->up->reused) {
        weir_sock_set_keepalive(link->up->conn.watch.fd);
    }
}

/* The socket is connected: the rest of the way.  ERROR: the exchange's cause and detail are set. */
static weir_io_t
link_secure(weir_link_t *link)
{
    const char *why;
    weir_io_t io = weir_upconn_secure(link->up, &why);

    weir_assert(!link->connected);
    if (io == WEIR_OK) {
        link_connected(link);
    }
    return io == WEIR_ERROR ? weir_exchange_secure_failed(link->exchange, &link->up->conn, why) : io;
}

static void
link_connect_ready(weir_link_t *link)
{
    weir_exchange_t *x = link->exchange;
    weir_watch_t *watch = &link->up->conn.watch;
    int error;

    weir_assert(x->state == WEIR_EXCHANGE_CONNECT);
    if (!watch->writable && !watch->failed && !watch->peer_closed) {
        return;
    }
    error = weir_sock_error(watch->fd);
    if (error != 0 && !weir_tls_is_on(&link->up->conn)) {
        weir_exchange_fail(x, weir_exchange_connect_cause(error), strerror(error));
        return;
    }
    switch (link_secure(link)) {
    case WEIR_OK:
        weir_exchange_connected(x);
        return;
    case WEIR_AGAIN:
        return;
    default:
        weir_exchange_fail(x, x->cause, x->detail);
    }
}

static void
link_ready(weir_watch_t *watch)
{
    weir_link_t *link = weir_container_of(watch, weir_upconn_t, conn.watch)->owner;

    if (link == NULL) {
        return;
    }
    if (link->connected) {
        weir_exchange_ready(link->exchange);
    } else {
        link_connect_ready(link);
    }
}

static void
link_use(weir_link_t *link, weir_upconn_t *up)
{
    weir_assert(up->owner == NULL);
    link->up = up;
    up->owner = link;
    up->conn.watch.on_ready = link_ready;
}

/* A kept connection when there is one; for a question that cannot be repeated only one that is surely alive. */
static weir_upconn_t *
link_take_idle(const weir_exchange_t *x)
{
    weir_upconn_t *up;

    if (x->needs_fresh) {
        return NULL;
    }
    while ((up = weir_upconn_take_idle(x->peer, &x->secure, NULL)) != NULL) {
        if (x->may_repeat || weir_upconn_is_fresh(up)) {
            return up;
        }
        weir_upconn_close(up);
    }
    return NULL;
}

weir_io_t
weir_link_begin(weir_link_t *link, weir_exchange_t *x)
{
    weir_upconn_t *up;
    weir_io_t io;
    bool done;

    weir_assert(link->up == NULL && link->out.size == 0 && !link->is_queued);
    link->exchange = x;
    up = link_take_idle(x);
    if (up != NULL) {
        link_use(link, up);
        link_connected(link);
        return WEIR_OK;
    }
    up = weir_upconn_open(x->peer, &x->secure, link_ready, &done);
    if (up == NULL) {
        return errno == EUSERS ? weir_exchange_error(x, WEIR_CAUSE_UPSTREAM_FULL_CONNECTIONS, NULL)
                               : link_error(link, WEIR_CAUSE_UPSTREAM_CONNECT_FAILED, errno);
    }
    link_use(link, up);
    io = done ? link_secure(link) : WEIR_AGAIN;
    if (io == WEIR_ERROR) {
        weir_link_end(link, false);
    }
    return io;
}

void
weir_link_end(weir_link_t *link, bool keep)
{
    weir_upconn_t *up = link->up;

    weir_assert(up != NULL && up->owner == link);
    weir_assert(!keep || (link->connected && !weir_link_pending(link)));     /* the next exchange would send the rest */
    if (link->is_queued) {
        weir_send_cancel(link->exchange->http, &up->conn);
        link->is_queued = false;
    }
    weir_chain_clear(&link->out, &link->exchange->http->blocks);
    link->up = NULL;
    link->connected = false;
    up->owner = NULL;
    up->is_terse = up->conn.received - link->received_before <= LINK_TERSE;
    if (keep) {
        weir_upconn_keep(up);
    } else {
        weir_upconn_close(up);
    }
}

/* -- bytes -- */

weir_io_t
weir_link_send(weir_link_t *link, const struct iovec *iov, size_t n)
{
    size_t sent = 0;

    weir_assert(link->connected && !link->is_queued);
    if (link->out.size == 0) {
        weir_io_t io = weir_conn_send(&link->up->conn, iov, n, &sent);
        if (io == WEIR_OK) {
            return io;
        }
        if (io == WEIR_ERROR) {
            return link_error(link, WEIR_CAUSE_UPSTREAM_SEND_FAILED, link->up->conn.error);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (sent >= iov[i].iov_len) {
            sent -= iov[i].iov_len;
            continue;
        }
        if (!weir_chain_append(&link->out, &link->exchange->http->blocks,
                               weir_str((const char *) iov[i].iov_base + sent, iov[i].iov_len - sent)))
        {
            link->up->conn.error = ENOMEM;
            return link_error(link, WEIR_CAUSE_UPSTREAM_SEND_FAILED, ENOMEM);
        }
        sent = 0;
    }
    return WEIR_AGAIN;
}

static void
link_on_sent(weir_conn_t *conn, weir_io_t io)
{
    weir_link_t *link = weir_container_of(conn, weir_upconn_t, conn)->owner;

    weir_assert(link != NULL && link->is_queued);
    link->is_queued = false;
    if (io == WEIR_ERROR) {
        io = link_error(link, WEIR_CAUSE_UPSTREAM_SEND_FAILED, conn->error);
    } else if (link->up->is_terse) {
        weir_conn_expect(conn);
    }
    weir_exchange_sent(link->exchange, io);
}

weir_io_t
weir_link_send_later(weir_link_t *link, size_t len)
{
    weir_http_t *http = link->exchange->http;

    weir_assert(!link->is_queued);
    link->is_queued = weir_send_later(http, &link->up->conn, &link->out, len, link_on_sent);
    return link->is_queued ? WEIR_AGAIN : weir_link_send(link, &(struct iovec) { http->tx, len }, 1);
}

weir_io_t
weir_link_push(weir_link_t *link)
{
    struct iovec iov[16];

    if (link->is_queued) {
        return WEIR_AGAIN;
    }
    while (link->out.size != 0) {
        size_t sent = 0, n = weir_chain_peek(&link->out, iov, weir_countof(iov));
        weir_io_t io = weir_conn_send(&link->up->conn, iov, n, &sent);

        weir_chain_consume(&link->out, &link->exchange->http->blocks, sent);
        if (io == WEIR_ERROR) {
            return link_error(link, WEIR_CAUSE_UPSTREAM_SEND_FAILED, link->up->conn.error);
        }
        if (io != WEIR_OK) {
            return io;
        }
    }
    return WEIR_OK;
}

void
weir_link_shutdown(weir_link_t *link)
{
    weir_assert(link->connected && !weir_link_pending(link));     /* what waits goes first */
    weir_conn_shutdown(&link->up->conn);
}

bool
weir_link_stop_sending(weir_link_t *link)
{
    weir_conn_t *conn = &link->up->conn;

    weir_assert(link->connected && !link->is_queued);
    if (conn->error != EPIPE && conn->error != ECONNRESET) {
        return false;
    }
    weir_chain_clear(&link->out, &link->exchange->http->blocks);
    conn->watch.readable = true;
    conn->watch.peer_closed = true;
    return true;
}

weir_io_t
weir_link_recv(weir_link_t *link, size_t cap, size_t *len)
{
    weir_exchange_t *x = link->exchange;
    weir_io_t io = weir_conn_recv(&link->up->conn, x->http->rx, cap, len);

    if (io == WEIR_OK && link->is_queued && weir_link_sent(link) == 0) {
        /* an answer to nothing: not ours, and the connection is spoilt */
        return link_error(link, WEIR_CAUSE_UPSTREAM_CLOSED, EPROTO);
    }
    if (io == WEIR_OK) {
        x->got_bytes = true;
        x->received += *len;
    }
    return io == WEIR_ERROR ? link_error(link, WEIR_CAUSE_UPSTREAM_RESET, link->up->conn.error) : io;
}
