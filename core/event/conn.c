/*
 * conn.c - opening and closing a watched byte stream, and its plain transport.
 *
 * Runs in workers, on both sides of a proxied exchange; allocates nothing.
 */
#include "event/conn.h"

#include <errno.h>
#include <sys/uio.h>

static bool
conn_begin(weir_conn_t *conn, weir_loop_t *loop, int fd, void (*on_ready)(weir_watch_t *),
           bool (*watch)(weir_loop_t *, weir_watch_t *, int, void (*)(weir_watch_t *)))
{
    *conn = (weir_conn_t) { .watch = { .fd = -1 }, .transport = &weir_transport_plain, .loop = loop };
    if (!watch(loop, &conn->watch, fd, on_ready)) {
        int error = errno;

        if (fd >= 0) {
            weir_sys_close(fd);
        }
        errno = error;
        return false;
    }
    return true;
}

bool
weir_conn_open(weir_conn_t *conn, weir_loop_t *loop, int fd, void (*on_ready)(weir_watch_t *))
{
    return conn_begin(conn, loop, fd, on_ready, weir_loop_watch);
}

bool
weir_conn_accept(weir_conn_t *conn, weir_loop_t *loop, int fd, void (*on_ready)(weir_watch_t *))
{
    return conn_begin(conn, loop, fd, on_ready, weir_loop_watch_open);
}

void
weir_conn_close(weir_conn_t *conn)
{
    int fd = conn->watch.fd;

    if (!weir_conn_is_open(conn)) {
        return;
    }
    conn->transport->close(conn);
    weir_assert(conn->transport != NULL);
    if (conn->ends) {
        /* close alone throws away what waits for it when something was not read */
        (void) weir_sys_shutdown(fd, SHUT_WR);
    }
    weir_loop_forget(conn->loop, &conn->watch);
    weir_sys_close(fd);
}

weir_io_t
weir_conn_recv(weir_conn_t *conn, char *room, size_t cap, size_t *got)
{
    *got = 0;
    return conn->transport->recv(conn, room, cap, got);
}

weir_io_t
weir_conn_send(weir_conn_t *conn, const struct iovec *iov, size_t n, size_t *sent)
{
    *sent = 0;
    return conn->transport->send(conn, iov, n, sent);
}

weir_io_t
weir_conn_send_file(weir_conn_t *conn, int fd, uint64_t *offset, size_t n)
{
    weir_assert(weir_conn_is_open(conn));
    return conn->transport->send_file != NULL ? conn->transport->send_file(conn, fd, offset, n) : WEIR_EOF;
}

weir_io_t
weir_conn_splice_in(weir_conn_t *conn, int pipe, size_t n, size_t *moved)
{
    weir_assert(conn->transport->splice_in != NULL && n != 0);
    *moved = 0;
    return conn->transport->splice_in(conn, pipe, n, moved);
}

weir_io_t
weir_conn_splice_out(weir_conn_t *conn, int pipe, size_t n, size_t *moved)
{
    weir_assert(conn->transport->splice_out != NULL && n != 0);
    *moved = 0;
    return conn->transport->splice_out(conn, pipe, n, moved);
}

void
weir_conn_shutdown(weir_conn_t *conn)
{
    weir_assert(weir_conn_is_open(conn));
    conn->transport->shutdown(conn);
    conn->ends = false;
}

bool
weir_conn_is_quiet(weir_conn_t *conn)
{
    return weir_conn_is_open(conn) && !conn->watch.peer_closed && !conn->watch.failed
           && conn->transport->is_quiet(conn);
}

/* -- the plain transport -- */

/* After a transfer that failed: was it for want of data or room, of which the flag of its direction is to tell? */
static weir_io_t
conn_failed(weir_conn_t *conn)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return WEIR_AGAIN;
    }
    conn->error = errno;
    return WEIR_ERROR;
}

static weir_io_t
conn_not_received(weir_conn_t *conn)
{
    weir_io_t io = conn_failed(conn);

    if (io == WEIR_AGAIN) {
        conn->watch.readable = false;
    }
    return io;
}

static weir_io_t
conn_not_sent(weir_conn_t *conn)
{
    weir_io_t io = conn_failed(conn);

    if (io == WEIR_AGAIN) {
        weir_loop_no_room(conn->loop, &conn->watch);
    }
    return io;
}

static weir_io_t
conn_plain_recv(weir_conn_t *conn, char *room, size_t cap, size_t *got)
{
    weir_watch_t *watch = &conn->watch;
    size_t        asked;
    ssize_t       n;

    weir_assert(cap > 0);
    if (!watch->readable) {
        return WEIR_AGAIN;
    }
    n = weir_loop_recv(conn->loop, watch, room, cap, &asked);
    if (weir_unlikely(n < 0)) {
        return conn_not_received(conn);
    }
    if (n == 0) {
        watch->peer_closed = true;
        return WEIR_EOF;
    }

    *got = (size_t) n;
    conn->received += *got;
    if (*got < asked && !watch->peer_closed && !watch->failed) {
        watch->readable = false;
    }
    return WEIR_OK;
}

static weir_io_t
conn_plain_send_file(weir_conn_t *conn, int fd, uint64_t *offset, size_t n)
{
    weir_watch_t *watch = &conn->watch;

    if (!watch->writable) {
        return WEIR_AGAIN;
    }
    while (n != 0) {                 /* a short one may be the file's doing: only EAGAIN tells that an edge will come */
        off_t   at = (off_t) *offset;
        ssize_t rc = weir_sys_sendfile(watch->fd, fd, &at, n);

        if (rc < 0) {
            return conn_not_sent(conn);
        }
        if (rc == 0) {
            conn->error = ENODATA;
            return WEIR_ERROR;
        }
        conn->sent += (uint64_t) rc;
        weir_assert((size_t) rc <= n);
        *offset += (uint64_t) rc;
        n -= (size_t) rc;
    }
    return WEIR_OK;
}

/* The pipe is empty: EAGAIN is the socket's. */
static weir_io_t
conn_plain_splice_in(weir_conn_t *conn, int pipe, size_t n, size_t *moved)
{
    weir_watch_t *watch = &conn->watch;
    ssize_t       rc;

    if (!watch->readable) {
        return WEIR_AGAIN;
    }
    weir_assert(!weir_loop_holds(conn->loop, watch));
    rc = weir_sys_splice(watch->fd, pipe, n);
    if (rc < 0) {
        return conn_not_received(conn);
    }
    if (rc == 0) {
        watch->peer_closed = true;
        return WEIR_EOF;
    }
    *moved = (size_t) rc;
    conn->received += *moved;
    return WEIR_OK;
}

static weir_io_t
conn_plain_splice_out(weir_conn_t *conn, int pipe, size_t n, size_t *moved)
{
    weir_watch_t *watch = &conn->watch;

    while (*moved < n) {
        ssize_t rc;

        if (!watch->writable) {
            return WEIR_AGAIN;
        }
        rc = weir_sys_splice(pipe, watch->fd, n - *moved);
        if (rc < 0) {
            return conn_not_sent(conn);
        }
        if (rc == 0) {
            conn->error = EPIPE;                   /* the pipe has less than was said */
            return WEIR_ERROR;
        }
        *moved += (size_t) rc;
        weir_assert(*moved <= n);
        conn->sent += (uint64_t) rc;
    }
    return WEIR_OK;
}

static ssize_t
conn_plain_write(const weir_conn_t *conn, const struct iovec *iov, size_t n)
{
    struct msghdr msg = { .msg_iov = (struct iovec *) (uintptr_t) iov, .msg_iovlen = n };
    int flags = weir_conn_send_flags(conn);

    return n == 1 ? weir_sys_send(conn->watch.fd, iov->iov_base, iov->iov_len, flags)
           : weir_sys_sendmsg(conn->watch.fd, &msg, flags);
}

static weir_io_t
conn_plain_send(weir_conn_t *conn, const struct iovec *iov, size_t n, size_t *sent)
{
    weir_watch_t *watch = &conn->watch;
    size_t        total = 0;
    ssize_t       rc;

    weir_assert(n <= UIO_MAXIOV);
    for (size_t i = 0; i < n; i++) {
        total += iov[i].iov_len;
    }
    if (total == 0) {
        return WEIR_OK;
    }
    if (!watch->writable) {
        return WEIR_AGAIN;
    }
    rc = conn_plain_write(conn, iov, n);
    if (weir_unlikely(rc < 0)) {
        return conn_not_sent(conn);
    }

    *sent = (size_t) rc;
    weir_assert(*sent <= total);
    conn->sent += *sent;
    if (*sent < total) {
        weir_loop_no_room(conn->loop, watch);
        return WEIR_AGAIN;
    }
    return WEIR_OK;
}

static void
conn_plain_shutdown(weir_conn_t *conn)
{
    (void) weir_sys_shutdown(conn->watch.fd, SHUT_WR);  /* fails when the peer has reset it: recv says so */
}

static void
conn_plain_close(weir_conn_t *conn WEIR_UNUSED)
{
}

static bool
conn_plain_is_quiet(weir_conn_t *conn)
{
    char byte;

    if (weir_loop_holds(conn->loop, &conn->watch)
        || weir_sys_recv(conn->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0
        || (errno != EAGAIN && errno != EWOULDBLOCK))
    {
        return false;
    }
    conn->watch.readable = false;
    return true;
}

const weir_transport_t weir_transport_plain = {
    .name = "plain",
    .recv = conn_plain_recv,
    .send = conn_plain_send,
    .send_file = conn_plain_send_file,
    .splice_in = conn_plain_splice_in,
    .splice_out = conn_plain_splice_out,
    .shutdown = conn_plain_shutdown,
    .close = conn_plain_close,
    .is_quiet = conn_plain_is_quiet,
};
