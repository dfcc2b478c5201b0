/*
 * return.h - `return code [text]`, `return code URL` and `return URL`: read from a directive, and given to a request.
 */
#ifndef WEIR_HTTP_RETURN_H
#define WEIR_HTTP_RETURN_H

#include "conf/module.h"
#include "http/message/cause.h"

struct weir_request;

typedef struct {
    uint16_t               status;
    const weir_template_t *text;     /* a body; the target of a redirect; NULL: neither */
} weir_http_return_t;

/* Begins with http://, https:// or $scheme: leads elsewhere. */
bool weir_http_is_address(weir_str_t text);
/* From the words of the directive being read; false: cf->error. */
bool weir_http_return_read(weir_conf_t *cf, const weir_conf_words_t *words, weir_http_return_t *answer) WEIR_MUST_USE;
/* What 444 does: the connection ends without an answer.  DONE. */
weir_step_t weir_http_return_nothing(struct weir_request *req, uint16_t status, weir_cause_t cause);
/* Answers; DONE. */
weir_step_t weir_http_return(struct weir_request *req, const weir_http_return_t *answer);

#endif
