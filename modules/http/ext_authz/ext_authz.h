/*
 * ext_authz.h - what the files of ext_authz share.
 *
 *     module.c  directives      guard.c   the phases      check.c  the question      answer.c  what the service says
 */
#ifndef WEIR_EXT_AUTHZ_H
#define WEIR_EXT_AUTHZ_H

#include "http/module.h"

#include "answer.h"

#include "http/exchange/ask.h"
#include "http/fetch/fetch.h"

extern const size_t weir_http_ext_authz_index;

/* Names of fields; one that ends with '*' is all that begin so. */
typedef struct { weir_strs_t names; bool is_set; } ext_names_t;

typedef struct { weir_str_t name; const weir_template_t *value; } ext_context_t;
typedef struct { ext_context_t *at; size_t n; } ext_contexts_t;

/* The service to ask: of one line, and of all places that inherit it. */
typedef struct {
    weir_fetch_url_t         to;
    const weir_conf_words_t *words;
    weir_str_t               trusted;            /* the authorities it was bound with */
} ext_service_t;

typedef struct { uint64_t size; bool is_partial; } ext_body_t;

typedef struct {
    ext_service_t  *service;                     /* NULL: off */
    ext_body_t      body;                        /* size 0: it is not sent */
    ext_contexts_t  contexts;
    ext_names_t     told, taken, shown;          /* of the request; from the answer for the peer, and for the client */
    weir_msec_t     timeout;
    uint32_t        error_status, dry_run;
    weir_flag_t     fail_open, certificate;
    weir_str_t      trusted_certificate;         /* a path; empty: the system's authorities */
} ext_conf_t;

bool ext_names_has(const ext_names_t *names, weir_str_t name);

/* -- check.c -- */
/* The message of one call, in gRPC's frame.  OK · EOF: the body is larger than may be sent · ERROR: no memory, or its
 * file could not be read. */
weir_io_t ext_check_make(weir_request_t *req, const ext_conf_t *conf, weir_str_t *message) WEIR_MUST_USE;

/* -- guard.c -- */
weir_step_t ext_access(weir_request_t *req, const void *conf);
weir_step_t ext_precontent(weir_request_t *req, const void *conf);
weir_step_t ext_head(weir_request_t *req, const void *conf);

#endif
