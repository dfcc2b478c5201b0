/*
 * assign.h - a variable gets a value: `set`, `auth_request_set`.  One that the configuration defines, one that a prefix
 * makes ($http_x: until then it is what it was), or one of those of the request that may be set: $args, $query_string,
 * $limit_rate.
 */
#ifndef WEIR_HTTP_ASSIGN_H
#define WEIR_HTTP_ASSIGN_H

#include "http/route/captures.h"

struct weir_request;

typedef struct {
    enum { WEIR_ASSIGN_SLOT, WEIR_ASSIGN_ARGS, WEIR_ASSIGN_RATE } kind;
    const weir_template_t *value;
    uint32_t               slot;
} weir_http_assign_t;

/* Words 1 and 2 are "$name" and the value.  unset: what the variable is where nothing has set it; its data is the name.
 * false: cf->error. */
bool weir_http_assign_read(weir_conf_t *cf, const weir_conf_words_t *words,
                           bool (*unset)(const void *data, struct weir_request *req, weir_str_t *value),
                           weir_http_assign_t *assign) WEIR_MUST_USE;
/* In req, what the value's variables are in `from`: req itself, or a subrequest of it. */
void weir_http_assign(struct weir_request *req, struct weir_request *from, const weir_http_assign_t *assign);

#endif
