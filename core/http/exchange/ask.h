/*
 * ask.h - a question of Weir's own to a service: what it asks without a client's request (OCSP today; health, keys,
 * tokens, authorization …).
 *
 * The caller says which group of peers is asked, what, and how long it may take.  Peers are asked in turn, as far as
 * that is safe, until one answers: over the wires, kept connections, TLS and statistics that proxied requests have.
 * What comes is told as it comes; it may be held, and then the peer is.
 *
 * Runs in workers; one allocation with an arena.  Nothing is called back from within weir_ask and the functions here:
 * only by the loop.
 */
#ifndef WEIR_HTTP_EXCHANGE_ASK_H
#define WEIR_HTTP_EXCHANGE_ASK_H

#include "http/exchange/exchange.h"

typedef struct weir_ask weir_ask_t;

typedef struct { weir_str_t name, value; } weir_ask_field_t;

/* Each but on_end may be NULL.  Within them the functions below may be called; after weir_ask_cancel or weir_ask_refuse
 * it returns at once. */
typedef struct {
    /* A piece of a body that has no `body`: OK, good until the next call · AGAIN: weir_ask_go_on follows · EOF · ERROR:
     * the ask ends, with the cause internal.io. */
    weir_io_t (*next_body)(weir_ask_t *ask, weir_str_t *bytes);
    /* of 200 and above; lives until the end */
    void      (*on_head)(weir_ask_t *ask, const weir_response_head_t *head);
    void      (*on_body)(weir_ask_t *ask, weir_str_t bytes);                     /* good for the time of the call */
    /* Once, unless it was cancelled: the ask is gone with it.  NONE: the whole answer came.  detail: NULL, or good for
     * the time of the call. */
    void      (*on_end)(weir_ask_t *ask, weir_cause_t cause, const char *detail);
} weir_ask_handler_t;

/* Texts, fields, TLS context live until the end; `to` is counted. */
typedef struct {
    weir_http_t              *http;
    weir_group_t             *to;
    const weir_peer_codec_t  *codec;
    weir_exchange_conf_t      conf;              /* see weir_ask_conf */
    weir_upsecure_t           secure;            /* protocols are the codec's affair */
    weir_str_t                method, target;
    weir_str_t                host;              /* empty: the group's */
    const weir_ask_field_t   *fields;            /* no fields of framing, no Host */
    size_t                    n_fields;
    weir_str_t                body;              /* all of it; or else handler->next_body makes it: */
    uint64_t                  length;            /* … so long, or WEIR_LENGTH_NONE */
    bool                      says_close;        /* the peer is told that its connection will not be kept */
    bool                      may_repeat;        /* asking twice does no harm, whatever the method */
    uint32_t                  tries;             /* at most so many peers; 0: all */
    weir_msec_t               limit;             /* for all of it; 0: none */
    uint64_t                  max_body;         /* of the answer; more ends it with the cause upstream.body.too_large */
    const weir_ask_handler_t *handler;
    void                     *data;
} weir_question_t;

/* HTTP/1.1, ten seconds for each of connecting, sending and reading, heads of 16 KiB. */
weir_exchange_conf_t weir_ask_conf(void);

/* NULL: no memory. */
weir_ask_t *weir_ask(const weir_question_t *question) WEIR_MUST_USE;
/* Nothing more is called.  NULL is fine. */
void weir_ask_cancel(weir_ask_t *ask);
/* Within on_head or on_body: this peer's answer is of no use.  Another peer is asked; with no peer left the ask ends
 * with the cause upstream.answer and this detail (constant text). */
void weir_ask_refuse(weir_ask_t *ask, const char *detail);
/* Within on_head or on_body: no more is read of the answer until weir_ask_go_on. */
void weir_ask_hold(weir_ask_t *ask);
void weir_ask_go_on(weir_ask_t *ask);

void                *weir_ask_data(const weir_ask_t *ask);
const weir_fields_t *weir_ask_trailers(const weir_ask_t *ask);     /* from on_end on */

#endif
