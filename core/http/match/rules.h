/*
 * rules.h - the rules of one path: which of them is the best that holds?  Of the room `match`.
 *
 * Few are a list.  Many are found by the values that they ask for: for each name of a header, cookie or argument, and
 * for the method, a table from the value to the rules that want it.
 */
#ifndef WEIR_HTTP_MATCH_RULES_H
#define WEIR_HTTP_MATCH_RULES_H

#include "http/match/match.h"

typedef struct weir_rules weir_rules_t;

weir_rules_t *weir_rules_create(weir_arena_t *arena);
void weir_rules_add(weir_rules_t *rules, weir_rule_t *rule);
void weir_rules_seal(weir_rules_t *rules);
/* The best one that holds; NULL: none does, or match->limit says that a pattern ran into its limit. */
const weir_rule_t *weir_rules_find(const weir_rules_t *rules, const weir_match_input_t *input, weir_match_t *match);

#endif
