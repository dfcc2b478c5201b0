/*
 * server.h - a client's HTTP/2 connection and its requests; inside core/http/h2 only.
 *
 *   server.c   the connection: session, idle time, leaving
 *   head.c     fields of a stream → the neutral request; what is malformed (RFC 9113 §8)
 *   answer.c   the codec: request → frames, body in, body out
 */
#ifndef WEIR_HTTP_H2_SERVER_H
#define WEIR_HTTP_H2_SERVER_H

#include "http/serve/conn.h"
#include "http/h2/session.h"

typedef struct {
    weir_http_conn_t   base;                  /* its timer: idle time */
    weir_h2_session_t *session;
    bool               leaving;               /* GOAWAY was asked for */
} weir_h2_conn_t;

/* One request and its stream; in the request's arena.  stream->owner, req->wire. */
typedef struct weir_h2_exchange {
    weir_request_t   *req;
    weir_h2_stream_t *stream;                 /* NULL: over */
    weir_h2_conn_t   *conn;
    weir_timer_t      timer;                  /* client_body_timeout */
    weir_task_t       task;                   /* the request's memory goes back */

    /* the head as it comes */
    weir_str_t        method, scheme, authority, path, protocol;
    uint32_t          seen;                   /* bits of weir_h2_pseudo_t */
    char             *cookie;                 /* crumbs, joined (RFC 9113 §8.2.3) */
    size_t            cookie_len, cookie_cap;
    const char       *malformed;              /* why, or NULL */
    bool              has_regular, has_length, no_memory, head_done;
    bool              is_websocket;           /* CONNECT with :protocol websocket (RFC 8441) */

    /* the body */
    bool              body_failed, is_tunnel, continue_sent;
    bool              is_blamed;              /* its length is not what it said: reset with `code` behind the answer */
    weir_h2_error_t   code;                   /* what abort resets with */

    /* the answer */
    uint64_t          promised;               /* bytes still owed; WEIR_LENGTH_NONE: not promised */
    bool              we_ended;
} weir_h2_exchange_t;

extern const weir_codec_t weir_h2_codec;

/* head.c */
bool weir_h2_exchange_field(weir_h2_exchange_t *x, const weir_hpack_field_t *field);
/* The head is complete: makes the neutral request of it.  NULL: well-formed. */
const char *weir_h2_exchange_head(weir_h2_exchange_t *x);
bool weir_h2_exchange_trailer(weir_h2_exchange_t *x, const weir_hpack_field_t *field);

/* answer.c */
/* The request cannot be served as HTTP: reset with code, logged with its cause. */
void weir_h2_exchange_refuse(weir_h2_exchange_t *x, weir_h2_error_t code, weir_cause_t cause, const char *detail);
/* Malformed, and answered all the same (RFC 9113 §8.1.1): RST_STREAM follows the answer. */
void weir_h2_exchange_blame(weir_h2_exchange_t *x);
/* All that came with its head is there. */
void weir_h2_exchange_run(weir_h2_exchange_t *x);
void weir_h2_exchange_data(weir_h2_exchange_t *x);
/* The stream is gone before its time. */
void weir_h2_exchange_gone(weir_h2_exchange_t *x, weir_cause_t cause);

extern const weir_http_protocol_t weir_h2_protocol;

#endif
