/*
 * captures.h - what patterns leave behind: $1 … $9, and a variable for each named group.
 *
 * A directive that has a pattern announces it while the configuration is read, so that templates may use its groups'
 * names; when the pattern has matched, weir_request_set_captures fills them in.
 */
#ifndef WEIR_HTTP_CAPTURES_H
#define WEIR_HTTP_CAPTURES_H

#include "http/conf.h"

/* Patterns with named groups that were announced, outermost struct of the blocks module. */
typedef struct { weir_str_t pattern; bool fold_case; weir_regex_t *regex; } weir_http_pattern_t;
typedef struct { weir_http_pattern_t *at; size_t n; } weir_http_patterns_t;

/* When `http {` is read: $1 and defined names can be used from here on. */
void weir_http_captures_open(weir_conf_t *cf);
/* Compiles the pattern (word `i` of the directive or a part of it) and defines its names; false: cf->error. */
bool weir_http_captures_announce(weir_conf_t *cf, size_t word, weir_str_t pattern, bool fold_case) WEIR_MUST_USE;
/* When http is built: which group of which pattern fills which slot. */
bool weir_http_captures_build(weir_conf_t *cf, const weir_http_patterns_t *patterns, weir_http_conf_t *http)
    WEIR_MUST_USE;

#endif
