/*
 * patterns.h - regular expressions for whole paths, found by what they begin with.  Of the room `match`.
 *
 * A pattern is tried only on paths that begin with its literal beginning, "/files/" of "/files/\d+": patterns that have
 * different ones cost a path nothing.  Those whose beginning a path has are tried in the order of their addition.
 */
#ifndef WEIR_HTTP_MATCH_PATTERNS_H
#define WEIR_HTTP_MATCH_PATTERNS_H

#include "http/match/rules.h"

/* What each text begins with that the pattern matches as a whole; empty when it is not known. */
weir_str_t weir_pattern_beginning(weir_arena_t *arena, weir_str_t pattern);

typedef struct weir_patterns weir_patterns_t;
weir_patterns_t *weir_patterns_create(weir_arena_t *arena);
/* The rules of this pattern, created when there are none.  NULL with *error: it is not valid. */
weir_rules_t *weir_patterns_add(weir_patterns_t *patterns, weir_str_t text, bool *is_new, weir_error_t *error);
/* Sets the captures of what is found. */
const weir_rule_t *weir_patterns_find(const weir_patterns_t *patterns, const weir_match_input_t *input,
                                      weir_match_t *match);

#endif
