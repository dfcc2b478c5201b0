/*
 * captures.h - what patterns leave behind: $1 … $9, and a variable for each named group.
 *
 * A directive that has a pattern announces it while the configuration is read, so that templates may use its groups'
 * names; when the pattern has matched, weir_http_captures_set fills them in.  And variables that a directive defines
 * with a function of its own.
 */
#ifndef WEIR_HTTP_CAPTURES_H
#define WEIR_HTTP_CAPTURES_H

#include "http/conf.h"

struct weir_request;

/* A variable that the configuration defines (map): made when a request asks for it, and kept for the rest of it unless
 * volatile. */
typedef struct {
    /* *value borrows from the request or from the generation; false: no value.  While it runs the variable itself has
     * none. */
    bool      (*get)(const void *data, struct weir_request *req, weir_str_t *value);
    const void *data;
    weir_subject_t subject;      /* what it must have beside the variables that it reads (weir_template_makes) */
    bool        is_volatile;     /* may be set until http is built */
    bool        is_fallback;     /* only where nothing else makes the variable */
    uint32_t    slot;            /* filled in */
} weir_http_definition_t;
typedef struct { weir_http_definition_t **at; size_t n; } weir_http_definitions_t;

/* Patterns with named groups that were announced. */
typedef struct { weir_str_t pattern; bool fold_case; weir_regex_t *regex; } weir_http_pattern_t;
typedef struct { weir_http_pattern_t *at; size_t n; } weir_http_patterns_t;

/* When `http {` is read: $1 and defined names can be used from here on. */
void weir_http_captures_open(weir_conf_t *cf);
/* Compiles the pattern (word `i` of the directive or a part of it) and defines its names; the pattern is the
 * generation's.  subject: what has been matched with it, when it is, tells of that.  NULL: cf->error. */
const weir_regex_t *weir_http_captures_announce(weir_conf_t *cf, size_t word, weir_str_t pattern, bool fold_case,
                                                weir_subject_t subject) WEIR_MUST_USE;
/* Word `i` is "$name": from here on that is what definition makes; of two with one name the later one.  It lives as
 * long as the generation.
 * false: cf->error. */
bool weir_http_define(weir_conf_t *cf, size_t word, weir_str_t text, weir_http_definition_t *definition) WEIR_MUST_USE;
/* What http or a server says of variables, in and below it. */
typedef struct { weir_http_patterns_t patterns; weir_http_definitions_t definitions; } weir_http_names_t;

/* When http is built: which group of which pattern fills which slot, and what makes the others. */
bool weir_http_captures_build(weir_conf_t *cf, const weir_http_names_t *const *names, size_t n,
                              weir_http_conf_t *http) WEIR_MUST_USE;

#endif
