/*
 * expression.h - a condition over variables: what `require` asks of a request.
 *
 * Read at load (conf/expression.c) into a tree, of which a row of tests is made, each with the test to go on with when
 * it holds and when it does not.  There are three truths: what cannot be told (a text that is no number where numbers
 * are compared, one that is no address where networks are, a pattern that ran into its match limit) is unknown, `not`
 * of it as well, and a decision by it takes unknown for no.
 *
 * The tests know of the third truth, the row does not: `not` is moved inside to the tests, so that only `and` and `or`
 * join them, and of those the whole is yes exactly when it is with each unknown taken for no.
 */
#ifndef WEIR_EXPR_EXPRESSION_H
#define WEIR_EXPR_EXPRESSION_H

#include "base/table.h"
#include "expr/cidr.h"
#include "expr/regex.h"
#include "expr/template.h"

#define WEIR_EXPRESSION_DEPTH 64          /* parentheses and `not` inside one another */

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

/* A piece of a condition as it is read. */
typedef struct weir_condition weir_condition_t;
struct weir_condition {
    weir_expression_op_t           op;
    const weir_template_t        *left, *right;
    const weir_condition_t        *first, *next;     /* of AND, OR, NOT: what is inside, linked by next */
    const weir_regex_t           *regex;
    const weir_template_t *const *texts;            /* of ONE_OF: n of them */
    const weir_cidr_t            *networks;         /* of IN_NETWORK: n of them */
    size_t                        n;
};

/* … and as it is judged. */
typedef struct weir_expression weir_expression_t;

/* Load time; borrows from the condition, whose variables need not be known yet (weir_vars_settle). */
const weir_expression_t *weir_expression_make(weir_arena_t *arena, const weir_condition_t *condition) WEIR_MUST_USE;

/* How a text is made in another way than weir_template_eval does. */
typedef weir_str_t (*weir_expression_text_t)(const weir_template_t *template, const weir_scope_t *scope,
                                             weir_arena_t *arena);

/* Does it hold of the objects of the scope?  Texts are made in the arena, those only that the answer depends on, from
 * left to right; a variable alone is looked at where it is.  text: NULL, or how texts are made. */
bool weir_expression_holds(const weir_expression_t *expression, weir_expression_text_t text, const weir_scope_t *scope,
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
