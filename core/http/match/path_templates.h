/*
 * path_templates.h - paths with captures, /users/{id}/orders/{n}: a tree of segments.  Of the room `match`.
 *
 * A capture takes one segment, which is not empty.  All else is literal, and as in the decoded normal form of a path.
 */
#ifndef WEIR_HTTP_MATCH_PATH_TEMPLATES_H
#define WEIR_HTTP_MATCH_PATH_TEMPLATES_H

#include "http/match/rules.h"

#define WEIR_PATH_TEMPLATE_MAX_SEGMENTS 63
#define WEIR_PATH_TEMPLATE_MAX_CAPTURES (WEIR_REGEX_MAX_CAPTURES - 1)

/* Does the text have such a form?  names: room for WEIR_PATH_TEMPLATE_MAX_CAPTURES, which get the captures' names in
 * their order; *n may be 0.  A capture "{}" has no name.  false with *error. */
bool weir_path_template_read(weir_str_t text, weir_str_t *names, size_t *n, weir_error_t *error) WEIR_MUST_USE;
/* The same text without the names: two templates of one shape take the same paths. */
weir_str_t weir_path_template_shape(weir_arena_t *arena, weir_str_t text);

typedef struct weir_path_templates weir_path_templates_t;
weir_path_templates_t *weir_path_templates_create(weir_arena_t *arena);
/* The rules of this template, created when there are none. */
weir_rules_t *weir_path_templates_add(weir_path_templates_t *templates, weir_str_t text, bool *is_new);
/* The template with the more literal segments from the left comes first.  Sets the captures of what is found. */
const weir_rule_t *weir_path_templates_find(const weir_path_templates_t *templates, const weir_match_input_t *input,
                                            weir_match_t *match);

#endif
