/*
 * expression.c - see expression.h.  Judged in workers: bounded by the tree and by the texts; nothing is allocated
 * beyond the texts.
 */
#include "expr/expression.h"

#include <string.h>

/* -- decimal numbers, compared digit by digit: exact, however long they are -- */

typedef struct { bool is_negative; weir_str_t whole, part; } expression_number_t;   /* without zeros that say nothing */

static bool
expression_digits(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    return text.len != 0;
}

static bool
expression_read_number(weir_str_t text, expression_number_t *number)
{
    bool has_point;

    number->is_negative = text.len != 0 && text.at[0] == '-';
    has_point = weir_str_cut(weir_str_skip(text, number->is_negative), '.', &number->whole, &number->part);
    if (!expression_digits(number->whole) || (has_point && !expression_digits(number->part))) {
        return false;
    }
    if (!has_point) {
        number->part = WEIR_STR("");
    }
    while (number->whole.len != 0 && number->whole.at[0] == '0') {
        number->whole = weir_str_skip(number->whole, 1);
    }
    while (number->part.len != 0 && number->part.at[number->part.len - 1] == '0') {
        number->part.len--;
    }
    if (number->whole.len == 0 && number->part.len == 0) {
        number->is_negative = false;
    }
    return true;
}

bool
weir_expression_is_number(weir_str_t text)
{
    expression_number_t number;

    return expression_read_number(text, &number);
}

static int
expression_compare_digits(weir_str_t a, weir_str_t b)
{
    int order = memcmp(a.at, b.at, weir_min(a.len, b.len));

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Below, at or above 0: a is less than, the same as, or more than b. */
static int
expression_compare(const expression_number_t *a, const expression_number_t *b)
{
    int order;

    if (a->is_negative != b->is_negative) {
        return a->is_negative ? -1 : 1;
    }
    order = a->whole.len != b->whole.len ? (a->whole.len > b->whole.len) - (a->whole.len < b->whole.len)
            : expression_compare_digits(a->whole, b->whole);
    order = order != 0 ? order : expression_compare_digits(a->part, b->part);
    return a->is_negative ? -order : order;
}

/* -- single conditions -- */

static weir_truth_t
expression_truth(bool holds)
{
    return holds ? WEIR_TRUTH_YES : WEIR_TRUTH_NO;
}

static weir_truth_t
expression_is_less(weir_str_t left, weir_str_t right, bool or_equal)
{
    expression_number_t a, b;

    if (!expression_read_number(left, &a) || !expression_read_number(right, &b)) {
        return WEIR_TRUTH_UNKNOWN;
    }
    return expression_truth(expression_compare(&a, &b) < or_equal);
}

static weir_truth_t
expression_matches(const weir_regex_t *regex, weir_str_t text)
{
    switch (weir_regex_exec(regex, text, NULL)) {
    case WEIR_REGEX_MATCH:    return WEIR_TRUTH_YES;
    case WEIR_REGEX_NO_MATCH: return WEIR_TRUTH_NO;
    default:                  return WEIR_TRUTH_UNKNOWN;
    }
}

static weir_truth_t
expression_is_in_network(const weir_expression_t *p, weir_str_t text)
{
    weir_addr_t addr;

    if (!weir_addr_from_ip(&addr, text, 0)) {
        return WEIR_TRUTH_UNKNOWN;
    }
    for (size_t i = 0; i < p->n; i++) {
        if (weir_cidr_has(&p->networks[i], &addr)) {
            return WEIR_TRUTH_YES;
        }
    }
    return WEIR_TRUTH_NO;
}

static bool
expression_has(weir_str_t list, weir_str_t element)
{
    while (list.len != 0) {
        size_t len = 0;

        while (len < list.len && !weir_expression_is_separator(list.at[len])) {
            len++;
        }
        if (len != 0 && weir_str_eq(weir_str(list.at, len), element)) {
            return true;
        }
        list = weir_str_skip(list, weir_min(len + 1, list.len));
    }
    return false;
}

/* -- the tree -- */

typedef struct { weir_expression_text_t text; const weir_scope_t *scope; weir_arena_t *arena; } expression_judge_t;

static weir_truth_t expression_judge(const weir_expression_t *p, const expression_judge_t *judge);

/* AND: no is decided by the first no; OR: yes by the first yes; what is unknown is so when nothing else decides. */
static weir_truth_t
expression_judge_all(const weir_expression_t *p, const expression_judge_t *judge, weir_truth_t decides)
{
    weir_truth_t all = decides == WEIR_TRUTH_YES ? WEIR_TRUTH_NO : WEIR_TRUTH_YES;

    for (const weir_expression_t *inner = p->first; inner != NULL; inner = inner->next) {
        weir_truth_t one = expression_judge(inner, judge);

        if (one == decides) {
            return one;
        }
        if (one == WEIR_TRUTH_UNKNOWN) {
            all = one;
        }
    }
    return all;
}

static weir_truth_t
expression_is_one_of(const weir_expression_t *p, const expression_judge_t *judge, weir_str_t text)
{
    if (p->known != NULL) {
        return expression_truth(weir_table_find(p->known, text) != NULL);
    }
    for (size_t i = 0; i < p->n; i++) {
        if (weir_str_eq(judge->text(p->texts[i], judge->scope, judge->arena), text)) {
            return WEIR_TRUTH_YES;
        }
    }
    return WEIR_TRUTH_NO;
}

static weir_truth_t
expression_judge_one(const weir_expression_t *p, const expression_judge_t *judge)
{
    weir_str_t left = judge->text(p->left, judge->scope, judge->arena);
    weir_str_t right = p->right != NULL ? judge->text(p->right, judge->scope, judge->arena) : WEIR_STR_NONE;

    switch (p->op) {
    case WEIR_EXPRESSION_SET:        return expression_truth(left.len != 0 && !weir_str_eq(left, WEIR_STR("0")));
    case WEIR_EXPRESSION_EQUAL:      return expression_truth(weir_str_eq(left, right));
    case WEIR_EXPRESSION_LESS:       return expression_is_less(left, right, false);
    case WEIR_EXPRESSION_LESS_EQUAL: return expression_is_less(left, right, true);
    case WEIR_EXPRESSION_MATCH:      return expression_matches(p->regex, left);
    case WEIR_EXPRESSION_ONE_OF:     return expression_is_one_of(p, judge, left);
    case WEIR_EXPRESSION_IN_NETWORK: return expression_is_in_network(p, left);
    default:
        weir_assert(p->op == WEIR_EXPRESSION_HAS);
        return expression_truth(expression_has(left, right));
    }
}

static weir_truth_t
expression_judge(const weir_expression_t *p, const expression_judge_t *judge)
{
    weir_truth_t inner;

    switch (p->op) {
    case WEIR_EXPRESSION_AND: return expression_judge_all(p, judge, WEIR_TRUTH_NO);
    case WEIR_EXPRESSION_OR:  return expression_judge_all(p, judge, WEIR_TRUTH_YES);
    case WEIR_EXPRESSION_NOT:
        inner = expression_judge(p->first, judge);
        return inner == WEIR_TRUTH_UNKNOWN ? inner : expression_truth(inner == WEIR_TRUTH_NO);
    default:
        return expression_judge_one(p, judge);
    }
}

weir_truth_t
weir_expression_judge(const weir_expression_t *expression, weir_expression_text_t text, const weir_scope_t *scope,
                      weir_arena_t *arena)
{
    return expression_judge(expression, &(expression_judge_t) { text, scope, arena });
}
