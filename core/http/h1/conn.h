/*
 * conn.h - a client's HTTP/1.1 connection; inside core/http/h1 only.
 *
 *   WAIT ── head complete ──> RUN ── answered, kept ──> WAIT
 *     │                        ├── answered, not kept, bytes may still come ──> LINGER ──> CLOSED
 *     └── timeout, EOF ──> CLOSED <── answered, or cut ──┘
 *
 * Memory: the struct, and `in` only while it holds bytes that were not taken yet.  Freed at the end of the turn it was
 * closed in.
 */
#ifndef WEIR_HTTP_H1_CONN_H
#define WEIR_HTTP_H1_CONN_H

#include "http/h1/chunked.h"
#include "http/h1/parse.h"
#include "http/serve/conn.h"

#define WEIR_H1_DRAIN_MAX 262144          /* bytes of an unread body that a connection is kept for */

typedef enum { WEIR_H1_STATE_WAIT, WEIR_H1_STATE_RUN, WEIR_H1_STATE_DRAIN, WEIR_H1_STATE_LINGER,
               WEIR_H1_STATE_CLOSED } weir_h1_state_t;
typedef enum { WEIR_H1_BODY_NONE, WEIR_H1_BODY_LENGTH, WEIR_H1_BODY_CHUNKED, WEIR_H1_BODY_TUNNEL } weir_h1_body_t;

typedef struct weir_h1_conn {
    weir_http_conn_t    base;                 /* its timer: head, keep-alive, body, linger; its task: next request */
    weir_request_t     *req;                  /* RUN, DRAIN */
    weir_timer_t        send_timer;
    char               *in;                   /* received, not taken */
    uint32_t            in_at, in_len, in_cap;
    uint32_t            held;                 /* bytes of ours in http->tx */
    weir_chain_t        out;                  /* could not be sent yet */
    union {
        weir_h1_scan_t  scan;                 /* WAIT */
        struct {                              /* RUN, DRAIN */
            union {
                uint64_t        body_left;    /* LENGTH */
                weir_chunked_t *chunked;      /* CHUNKED; in the request's arena */
            };
            union {
                uint64_t promised;            /* RUN: answer's bytes still owed; WEIR_LENGTH_NONE: not promised */
                uint64_t drain_end;           /* DRAIN: how much body there may be */
            };
        };
    };
    union {
        weir_instant_t  linger_until;         /* DRAIN, LINGER */
        weir_msec_t     keep_for;             /* keepalive_timeout of the request before */
    };
    uint8_t             state, body;
    bool                head_begun, skipped_line, continue_sent, body_failed, chunked_out, close_delimited, broken,
        end_queued,
                        file_waits,               /* for the socket, with nothing of ours in `out` */
                        is_queued;                /* the answer's last bytes leave at the end of the turn */
} weir_h1_conn_t;

/* body.c */
bool      weir_h1_body_begin(weir_h1_conn_t *c);     /* false: no memory */
weir_io_t weir_h1_read_body(weir_request_t *req, weir_str_t *bytes);
/* The answer is about to be sent and the body was not read: what is here already is thrown away.  true: that was all,
 * or the rest is small, and is read away behind the answer; the connection can be kept. */
bool      weir_h1_may_drain(weir_h1_conn_t *c);
/* behind what `in` holds; false: no memory */
bool      weir_h1_in_save(weir_h1_conn_t *c, const char *bytes, size_t len);
void      weir_h1_in_free(weir_h1_conn_t *c);
static inline size_t weir_h1_in_left(const weir_h1_conn_t *c) { return c->in_len - c->in_at; }

/* send.c */
weir_io_t weir_h1_send_interim(weir_request_t *req, uint16_t status, const void *fields);
weir_io_t weir_h1_send_head(weir_request_t *req);
weir_io_t weir_h1_send_body(weir_request_t *req, weir_str_t bytes);
weir_io_t weir_h1_send_file(weir_request_t *req, int fd, uint64_t *offset, uint64_t end);
weir_io_t weir_h1_send_pipe(weir_request_t *req, int pipe, size_t n, size_t *moved);
weir_io_t weir_h1_send_end(weir_request_t *req);
weir_io_t weir_h1_flush(weir_request_t *req);
bool      weir_h1_send_pending(const weir_request_t *req);
weir_io_t weir_h1_push(weir_h1_conn_t *c);          /* sends what is held and queued, as far as it goes */

/* conn.c */
void weir_h1_close(weir_h1_conn_t *c);
void weir_h1_look_again(weir_h1_conn_t *c);         /* at the end of the turn: what its flags say */
extern const weir_codec_t weir_h1_codec;
extern const weir_http_protocol_t weir_h1_protocol;

#endif
