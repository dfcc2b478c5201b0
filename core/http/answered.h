/*
 * answered.h - texts about an answer that a peer gave to a question of Weir's own, for which there is no request: the
 * variables $upstream_… tell of it, and what a configuration makes of them (map).
 *
 * Load time, and workers.
 */
#ifndef WEIR_HTTP_ANSWERED_H
#define WEIR_HTTP_ANSWERED_H

#include "http/request.h"

typedef struct {
    const weir_attempt_t       *attempt;     /* has_header is set */
    const weir_response_head_t *head;
    const weir_fields_t        *trailers;
} weir_answered_t;

/* At build: can the text be worked out of an answer alone?  NULL: yes; else the name of a variable that cannot. */
const char *weir_answered_lacks(const weir_vars_t *vars, const weir_template_t *template);

/* The first of n texts that is empty or "0" then; n: none is.  n + 1: no memory.  The generation has a server. */
size_t      weir_answered_judge(weir_http_t *http, weir_generation_t *generation, const weir_answered_t *answered,
                                const weir_template_t *const *texts, size_t n);

#endif
