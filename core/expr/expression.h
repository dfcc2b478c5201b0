/*
 * expression.h - a condition over variables: what `require` asks of a request.
 *
 * Read at load (conf/expression.c) into a tree, which is judged as often as asked.  There are three truths: what cannot
 * be told (a text that is no number where numbers are compared, one that is no address where networks are, a pattern
 * that ran into its match limit) is unknown, `not` of it as well, and a decision by it takes unknown for no.
 */
#ifndef WEIR_EXPR_EXPRESSION_H
#define WEIR_EXPR_EXPRESSION_H

#include "base/table.h"
#include "expr/cidr.h"
#include "expr/regex.h"
#include "expr/template.h"

#define WEIR_EXPRESSION_DEPTH 64          /* parentheses and `not` inside one another */

typedef enum { WEIR_TRUTH_NO, WEIR_TRUTH_YES, WEIR_TRUTH_UNKNOWN } weir_truth_t;

typedef enum {
    WEIR_EXPRESSION_AND, WEIR_EXPRESSION_OR, WEIR_EXPRESSION_NOT,
    WEIR_EXPRESSION_SET,              /* left is neither empty nor "0" */
    WEIR_EXPRESSION_EQUAL,            /* left and right, byte for byte */
    WEIR_EXPRESSION_LESS,             /* left < right, as decimal numbers */
    WEIR_EXPRESSION_LESS_EQUAL,
    WEIR_EXPRESSION_MATCH,            /* left has the pattern in it */
    WEIR_EXPRESSION_ONE_OF,           /* left is one of the texts */
    WEIR_EXPRESSION_IN_NETWORK,       /* left is an address in one of the networks */
    WEIR_EXPRESSION_HAS,              /* left, a list with separators between its elements, has right among them */
} weir_expression_op_t;

typedef struct weir_expression weir_expression_t;
struct weir_expression {
    weir_expression_op_t           op;
    const weir_template_t        *left, *right;
    const weir_expression_t       *first, *next;     /* of AND, OR, NOT: what is inside, linked by next */
    const weir_regex_t           *regex;
    const weir_template_t *const *texts;            /* of ONE_OF: n of them */
    const weir_table_t           *known;            /* … or, when none has a variable: all of them */
    const weir_cidr_t            *networks;         /* of IN_NETWORK: n of them */
    size_t                        n;
};

/* How a text is made; weir_template_eval is one. */
typedef weir_str_t (*weir_expression_text_t)(const weir_template_t *template, const weir_scope_t *scope,
                                             weir_arena_t *arena);

/* What it says of the objects of the scope.  Texts are made in the arena, those only that the answer depends on, from
 * left to right. */
weir_truth_t weir_expression_judge(const weir_expression_t *expression, weir_expression_text_t text,
                                   const weir_scope_t *scope,
                                   weir_arena_t *arena) WEIR_MUST_USE;

/* Of the elements of HAS: an element with one of these in it is in no list. */
static inline bool
weir_expression_is_separator(char c)
{
    return c == ',' || c == ' ' || c == '\t';
}

/* "-12.50": an optional minus, digits, and digits behind a point if there is one. */
bool weir_expression_is_number(weir_str_t text);

#endif
