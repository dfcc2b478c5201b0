/*
 * codec.h - what a request asks of the wire it came on; h1 connections, later h2 streams and subrequests, each supply
 * one.
 *
 * Back-pressure: the send functions always take all they are given.  WEIR_AGAIN says that bytes are waiting and the
 * producer should
 * pause until weir_request_writable is called; WEIR_ERROR that the client is gone (its hold is not cancelled in
 * addition). Bytes given to one call may be held back until flush: a producer ends each of its turns with flush.
 */
#ifndef WEIR_HTTP_CODEC_H
#define WEIR_HTTP_CODEC_H

#include "base/str.h"
#include "http/message/cause.h"

typedef struct weir_request weir_request_t;
typedef struct weir_filter weir_filter_t;

typedef struct {
    /* $server_protocol is the client's; this is for logs */
    const char *protocol;

    /* 1xx but 101; fields: weir_fields_t or NULL */
    weir_io_t (*send_interim)(weir_request_t *req, uint16_t status, const void *fields);
    /* From req->res: status, fields, length.  The codec adds framing, Date, Server, Connection. */
    weir_io_t (*send_head)(weir_request_t *req);
    /* borrowed for the call; HEAD and 204, 304 answers drop it */
    weir_io_t (*send_body)(weir_request_t *req, weir_str_t bytes);
    /* From *offset up to `end` of a file, past what is held, with no copy of ours; *offset says how far.  AGAIN: the
     * rest when on_writable is called · EOF: this wire wants the bytes (send_body) · ERROR: the client is gone, or the
     * file is shorter now.  NULL: as if EOF.  May send less at once and say OK: so that others get their turn. */
    weir_io_t (*send_file)(weir_request_t *req, int fd, uint64_t *offset, uint64_t end);
    /* n bytes that a pipe holds, past what is held: OK: all of them went · AGAIN: *moved did, the rest when on_writable
     * is called · EOF: this wire wants the bytes; nothing moved · ERROR.  NULL: as if EOF. */
    weir_io_t (*send_pipe)(weir_request_t *req, int pipe, size_t n, size_t *moved);
    /* trailers of req->res, last chunk; checks the length promised */
    weir_io_t (*send_end)(weir_request_t *req);
    weir_io_t (*flush)(weir_request_t *req);
    bool      (*send_pending)(const weir_request_t *req);          /* are bytes waiting? */
    /* Where many answers go over one connection.  room: bytes of a body that could leave now: its producer gives no
     * more than a first small piece beyond.  credit: so many bytes of answers may wait for the client, of all its
     * requests together, by what it has taken so far.  NULL: any. */
    uint64_t  (*room)(const weir_request_t *req);
    uint64_t  (*credit)(const weir_request_t *req);

    /* The next slice of the request's body, borrowed until the next call into the codec or the loop.
     * OK · AGAIN (weir_request_body_ready is called when there is more) · EOF (complete; trailers are in req->trailers)
     * · ERROR (req->cause says why: incomplete, malformed, too large, timeout). */
    weir_io_t (*read_body)(weir_request_t *req, weir_str_t *bytes);

    /* 101 was sent: from here on bytes both ways, unframed, through read_body/send_body; end of our writing by
     * send_end. */
    void (*tunnel)(weir_request_t *req);

    /* Why one of the calls above said ERROR, as far as the wire knows.  NULL: the client has closed. */
    weir_cause_t (*lost_cause)(const weir_request_t *req);

    /* The answer is complete (or was never begun): logs were written; the codec takes the request's memory back.
     * Drains or closes as the unread body requires. */
    void (*finish)(weir_request_t *req);
    /* The answer cannot be completed: the connection (or stream) ends so that the client can tell. */
    void (*abort)(weir_request_t *req);
} weir_codec_t;

#endif
