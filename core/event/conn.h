/*
 * conn.h - a byte stream over a watched descriptor: plain now, TLS by another transport row.
 *
 * A transport that holds bytes it has received but not delivered (TLS) leaves watch.readable true: no edge will tell of
 * them.
 *
 * Owned (embedded) by the codec's connection.  A recv shorter than its room means the socket is drained (no second recv
 * to learn EAGAIN) unless the peer has closed.  (TCP urgent data also cuts a recv short: a peer that sends such data
 * waits for its own next byte.  No client of HTTP does so.)
 */
#ifndef WEIR_EVENT_CONN_H
#define WEIR_EVENT_CONN_H

#include "base/str.h"
#include "event/loop.h"

#include <sys/socket.h>

typedef struct weir_conn weir_conn_t;

typedef struct {
    const char *name;
    weir_io_t (*recv)(weir_conn_t *conn, char *room, size_t cap, size_t *got);
    weir_io_t (*send)(weir_conn_t *conn, const struct iovec *iov, size_t n, size_t *sent);
    /* n bytes of a file, from *offset on, which goes on with them; NULL: it cannot. */
    weir_io_t (*send_file)(weir_conn_t *conn, int fd, uint64_t *offset, size_t n);
    /* Between the connection and a pipe, without a copy; NULL: it cannot.  splice_in: into an empty pipe. */
    weir_io_t (*splice_in)(weir_conn_t *conn, int pipe, size_t n, size_t *moved);
    weir_io_t (*splice_out)(weir_conn_t *conn, int pipe, size_t n, size_t *moved);
    void      (*shutdown)(weir_conn_t *conn);  /* end of our writing */
    void      (*close)(weir_conn_t *conn);     /* what the transport holds beside the descriptor */
    /* Between two messages: is the peer still there, and is nothing but the transport's own housekeeping (a TLS ticket)
     * waiting to be read?  Takes no byte of the stream.  One system call at most. */
    bool      (*is_quiet)(weir_conn_t *conn);
} weir_transport_t;

extern const weir_transport_t weir_transport_plain;

struct weir_conn {
    weir_watch_t            watch;
    const weir_transport_t *transport;
    void                   *secure;            /* the TLS transport's own; NULL while plain */
    weir_loop_t            *loop;
    uint64_t                received, sent;    /* bytes over its life */
    int                     error;             /* errno of the last WEIR_ERROR */
    /* what is sent from now on is followed at once by shutdown or close: they leave in one segment */
    bool                    ends;
};

/* Takes fd over (closed even on failure).  false: errno. */
bool weir_conn_open(weir_conn_t *conn, weir_loop_t *loop, int fd, void (*on_ready)(weir_watch_t *)) WEIR_MUST_USE;
/* The same for one that was accepted: it can be written to from the start. */
bool weir_conn_accept(weir_conn_t *conn, weir_loop_t *loop, int fd, void (*on_ready)(weir_watch_t *)) WEIR_MUST_USE;
/* Unwatches and closes.  Safe when closed already, or zeroed and never opened. */
void weir_conn_close(weir_conn_t *conn);
static inline bool weir_conn_is_open(const weir_conn_t *conn) { return conn->loop != NULL && conn->watch.fd >= 0; }

/* OK with *got > 0 · AGAIN · EOF (again at each call) · ERROR (conn->error).  cap > 0.  While !watch.readable the
 * plain transport says AGAIN without a system call. */
weir_io_t weir_conn_recv(weir_conn_t *conn, char *room, size_t cap, size_t *got) WEIR_MUST_USE;
/* OK: all of it was taken · AGAIN: *sent bytes were, come back when writable · ERROR (EPIPE, ECONNRESET, …; *sent: 0).
 * n <= UIO_MAXIOV.  While !watch.writable the plain transport says AGAIN without a system call. */
weir_io_t weir_conn_send(weir_conn_t *conn, const struct iovec *iov, size_t n, size_t *sent) WEIR_MUST_USE;
/* Of send, for transports: the kernel may wait for what ends the stream. */
static inline int weir_conn_send_flags(const weir_conn_t *conn) { return conn->ends ? MSG_MORE : 0; }
/* OK: all n bytes of the file went · AGAIN: *offset says how far, come back when writable · EOF: this transport cannot
 * · ERROR (conn->error; ENODATA: the file ends before). */
weir_io_t weir_conn_send_file(weir_conn_t *conn, int fd, uint64_t *offset, size_t n) WEIR_MUST_USE;
/* At most n bytes into an empty pipe: OK with *moved > 0 · AGAIN · EOF · ERROR.  Out of one that holds n: OK: all of
 * them went · AGAIN: *moved did · ERROR.  Only where the transport has them. */
weir_io_t weir_conn_splice_in(weir_conn_t *conn, int pipe, size_t n, size_t *moved) WEIR_MUST_USE;
weir_io_t weir_conn_splice_out(weir_conn_t *conn, int pipe, size_t n, size_t *moved) WEIR_MUST_USE;
static inline bool weir_conn_can_splice(const weir_conn_t *conn) { return conn->transport->splice_in != NULL; }
/* A short message is waited for, and read as soon as it is there (weir_loop_expect). */
static inline void weir_conn_expect(const weir_conn_t *conn) { weir_loop_expect(conn->loop, &conn->watch); }
/* The end of our writing; reading goes on. */
void weir_conn_shutdown(weir_conn_t *conn);
/* For a connection that is kept idle; see is_quiet.  false: not to be used any more. */
bool weir_conn_is_quiet(weir_conn_t *conn) WEIR_MUST_USE;

#endif
