/*
 * expression.h - conditions over variables in the words of a directive (expr/expression.h).  Load time.
 *
 * condition := all { "or" all }            all := one { "and" one }            one := "not" one | "(" condition ")" |
 * test
 *     test := text [ ("=" | "==" | "!=" | "<" | "<=" | ">" | ">=") text
 *                  | ("~" | "~*" | "!~" | "!~*") pattern
 *                  | ["not"] "in" (text | "(" text { "," text } ")")
 *                  | "has" text ]
 *
 * A text is a word with or without variables; in quotes it is a text whatever it is.  Words are parted at parentheses
 * and commas, but for patterns, which are one word.  Of what `in` looks in, either all are addresses and networks, or
 * none is.
 */
#ifndef WEIR_CONF_EXPRESSION_H
#define WEIR_CONF_EXPRESSION_H

#include "conf/module.h"
#include "expr/expression.h"

/* The words from `first` up to `end` of the directive being read.  NULL: cf->error is set. */
const weir_expression_t *weir_conf_predicate(weir_conf_t *cf, const weir_conf_words_t *words, size_t first, size_t end);

#endif
