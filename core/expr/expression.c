/*
 * expression.c - see expression.h.  Made at load; judged in workers: each test of the row at most once, and nothing is
 * allocated beyond the texts.
 */
#include "expr/expression.h"

#include <string.h>

#define EXPRESSION_FEW 8                 /* more texts without variables are looked up in a table */

enum { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN, TRUTH_MAX };
typedef unsigned expression_truth_t;

/* How a test is judged.  Most are of a variable alone against what was known at load, which is quick. */
typedef enum {
    EXPRESSION_FAILS, EXPRESSION_HOLDS,                  /* no test: all is decided */
    EXPRESSION_ANY,                                      /* as `of` says */
    EXPRESSION_SET, EXPRESSION_EQUAL, EXPRESSION_ONE_OF, EXPRESSION_IN_NETWORK,
} expression_how_t;

/* A test, with what was worked out at load. */
typedef struct expression_test {
    expression_how_t        how;
    const weir_var_ref_t   *var;         /* of the quick ones: left */
    /* by its truth, the test to go on with: one behind this one */
    const struct expression_test *next[TRUTH_MAX];
    weir_str_t              text;        /* right, or the only text: when no variable is in it; else .at == NULL */
    const weir_str_t       *texts;       /* of ONE_OF, when no variable is in them; else NULL */
    size_t                  n;           /* … or networks */
    uint64_t                lengths;     /* … of them: a bit for each, the last for all that are longer */
    const weir_table_t     *known;       /* … when there are many */
    const weir_condition_t *of;
} expression_test_t;

/* Behind the last test stand those that say that it fails and that it holds. */
struct weir_expression { size_t n; expression_test_t tests[]; };

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

typedef struct { weir_expression_text_t text; const weir_scope_t *scope; weir_arena_t *arena; } expression_judge_t;

static inline weir_str_t
expression_value(const weir_var_ref_t *var, const expression_judge_t *judge)
{
    const weir_variable_t *row = var->row;
    weir_str_t             value;

    if (row->is_text) {
        return *(const weir_str_t *) (const void *) ((const char *) judge->scope->of[row->subject] + row->data);
    }
    return weir_vars_get(var, judge->scope, judge->arena, &value) ? value : WEIR_STR_NONE;
}

static weir_str_t
expression_text(const weir_template_t *template, const expression_judge_t *judge)
{
    return judge->text(template, judge->scope, judge->arena);
}

static inline expression_truth_t
expression_is_set(weir_str_t text)
{
    return text.len > 1 || (text.len == 1 && text.at[0] != '0');
}

static expression_truth_t
expression_is_less(weir_str_t left, weir_str_t right, bool or_equal)
{
    expression_number_t a, b;

    if (!expression_read_number(left, &a) || !expression_read_number(right, &b)) {
        return TRUTH_UNKNOWN;
    }
    return expression_compare(&a, &b) < or_equal;
}

static expression_truth_t
expression_matches(const weir_regex_t *regex, weir_str_t text)
{
    switch (weir_regex_exec(regex, text, NULL)) {
    case WEIR_REGEX_MATCH:    return TRUTH_YES;
    case WEIR_REGEX_NO_MATCH: return TRUTH_NO;
    default:                  return TRUTH_UNKNOWN;
    }
}

static inline expression_truth_t
expression_is_inside(const expression_test_t *test, const weir_endpoint_t *end)
{
    for (size_t i = 0; i < test->n; i++) {
        if (weir_cidr_holds(&test->of->networks[i], end)) {
            return TRUTH_YES;
        }
    }
    return TRUTH_NO;
}

static expression_truth_t
expression_is_in_network(const expression_test_t *test, weir_str_t text)
{
    weir_endpoint_t end;
    weir_addr_t     addr;

    if (!weir_addr_from_ip(&addr, text, 0)) {
        return TRUTH_UNKNOWN;
    }
    end = weir_addr_to_endpoint(&addr);
    return expression_is_inside(test, &end);
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

static inline uint64_t
expression_length_bit(weir_str_t text)
{
    return UINT64_C(1) << weir_min(text.len, (size_t) 63);
}

/* Of texts without variables. */
static inline expression_truth_t
expression_is_known(const expression_test_t *test, weir_str_t text)
{
    if ((test->lengths & expression_length_bit(text)) == 0) {
        return TRUTH_NO;
    }
    if (test->known != NULL) {
        return weir_table_find(test->known, text) != NULL;
    }
    for (size_t i = 0; i < test->n; i++) {
        if (weir_str_eq_short(test->texts[i], text)) {
            return TRUTH_YES;
        }
    }
    return TRUTH_NO;
}

static expression_truth_t
expression_is_one_of(const expression_test_t *test, const expression_judge_t *judge, weir_str_t text)
{
    if (test->texts != NULL) {
        return expression_is_known(test, text);
    }
    for (size_t i = 0; i < test->n; i++) {
        if (weir_str_eq(expression_text(test->of->texts[i], judge), text)) {
            return TRUTH_YES;
        }
    }
    return TRUTH_NO;
}

/* Whatever it is. */
static __attribute__((noinline)) expression_truth_t
expression_judge(const expression_test_t *test, const expression_judge_t *judge)
{
    const weir_condition_t *p = test->of;
    weir_str_t              left = expression_text(p->left, judge);
    weir_str_t              right = p->right == NULL || test->text.at != NULL ? test->text
                                    : expression_text(p->right, judge);

    switch (p->op) {
    case WEIR_EXPRESSION_SET:        return expression_is_set(left);
    case WEIR_EXPRESSION_EQUAL:      return weir_str_eq(left, right);
    case WEIR_EXPRESSION_LESS:       return expression_is_less(left, right, false);
    case WEIR_EXPRESSION_LESS_EQUAL: return expression_is_less(left, right, true);
    case WEIR_EXPRESSION_MATCH:      return expression_matches(p->regex, left);
    case WEIR_EXPRESSION_ONE_OF:     return expression_is_one_of(test, judge, left);
    case WEIR_EXPRESSION_IN_NETWORK: return expression_is_in_network(test, left);
    default:
        weir_assert(p->op == WEIR_EXPRESSION_HAS);
        return expression_has(left, right);
    }
}

/* Of a variable that need not be read from its text, if it is one. */
static inline expression_truth_t
expression_judge_address(const expression_test_t *test, const expression_judge_t *judge)
{
    const weir_variable_t *row = test->var->row;
    const weir_endpoint_t *end;

    if (row->address == NULL) {
        return expression_is_in_network(test, expression_value(test->var, judge));
    }
    end = row->address(judge->scope->of[row->subject]);
    return end != NULL ? expression_is_inside(test, end) : TRUTH_UNKNOWN;
}

/* -- the row -- */

static bool
expression_holds_as_said(const expression_test_t *test, const expression_judge_t *judge)
{
    while (test->how > EXPRESSION_HOLDS) {
        test = test->next[expression_judge(test, judge)];
    }
    return test->how == EXPRESSION_HOLDS;
}

bool
weir_expression_holds(const weir_expression_t *expression, weir_expression_text_t text, const weir_scope_t *scope,
                      weir_arena_t *arena)
{
    const expression_judge_t judge = { text != NULL ? text : weir_template_eval, scope, arena };
    const expression_test_t *test = expression->tests;

    if (weir_unlikely(text != NULL)) {
        return expression_holds_as_said(test, &judge);
    }
    for (;;) {
        switch (test->how) {
        case EXPRESSION_FAILS:
            return false;
        case EXPRESSION_HOLDS:
            return true;
        case EXPRESSION_SET:
            test = test->next[expression_is_set(expression_value(test->var, &judge))];
            break;
        case EXPRESSION_EQUAL:
            test = test->next[weir_str_eq_short(expression_value(test->var, &judge), test->text)];
            break;
        case EXPRESSION_ONE_OF:
            test = test->next[expression_is_known(test, expression_value(test->var, &judge))];
            break;
        case EXPRESSION_IN_NETWORK:
            test = test->next[expression_judge_address(test, &judge)];
            break;
        case EXPRESSION_ANY:
            test = test->next[expression_judge(test, &judge)];
            break;
        }
    }
}

/* -- made at load -- */

static bool
expression_joins(const weir_condition_t *p)
{
    return p->op == WEIR_EXPRESSION_AND || p->op == WEIR_EXPRESSION_OR || p->op == WEIR_EXPRESSION_NOT;
}

static size_t
expression_count(const weir_condition_t *p)
{
    size_t n = 0;

    if (!expression_joins(p)) {
        return 1;
    }
    for (const weir_condition_t *inner = p->first; inner != NULL; inner = inner->next) {
        n += expression_count(inner);
    }
    return n;
}

static weir_str_t
expression_constant(const weir_template_t *text)
{
    weir_assert(text->is_constant);
    return text->n == 0 ? WEIR_STR("") : text->parts[0].literal;
}

/* The texts of ONE_OF, when no variable is in them. */
static void
expression_know(weir_arena_t *arena, expression_test_t *test)
{
    weir_str_t   *texts = weir_new_n(arena, weir_str_t, test->n);
    weir_table_t *table = test->n > EXPRESSION_FEW ? weir_new(arena, weir_table_t) : NULL;

    if (table != NULL) {
        weir_table_init(table, arena);
    }
    for (size_t i = 0; i < test->n; i++) {
        if (!test->of->texts[i]->is_constant) {
            return;
        }
        texts[i] = expression_constant(test->of->texts[i]);
        test->lengths |= expression_length_bit(texts[i]);
        if (table != NULL) {
            weir_table_add(table, texts[i], texts);
        }
    }
    test->texts = texts;
    test->known = table;
}

static expression_how_t
expression_how(const expression_test_t *test)
{
    switch (test->of->op) {
    case WEIR_EXPRESSION_SET:        return EXPRESSION_SET;
    case WEIR_EXPRESSION_IN_NETWORK: return EXPRESSION_IN_NETWORK;
    case WEIR_EXPRESSION_EQUAL:      return test->text.at != NULL ? EXPRESSION_EQUAL : EXPRESSION_ANY;
    case WEIR_EXPRESSION_ONE_OF:     return test->texts != NULL ? EXPRESSION_ONE_OF : EXPRESSION_ANY;
    default:                         return EXPRESSION_ANY;
    }
}

static void
expression_put_test(weir_arena_t *arena, expression_test_t *test, const weir_condition_t *p)
{
    bool is_alone = p->left->n == 1 && !p->left->is_constant;

    test->of = p;
    test->n = p->n;
    if (p->right != NULL && p->right->is_constant) {
        test->text = expression_constant(p->right);
    }
    if (p->op == WEIR_EXPRESSION_ONE_OF) {
        expression_know(arena, test);
    }
    test->var = is_alone ? &p->left->parts[0].ref : NULL;
    test->how = is_alone ? expression_how(test) : EXPRESSION_ANY;
}

/* Puts the tests of the piece, or of its contrary, behind those that are there, leading to yes and no.  As deep as
 * the condition is nested, which its reader bounds. */
static void
expression_put(weir_arena_t *arena, weir_expression_t *e, const weir_condition_t *p, bool is_negated,
               const expression_test_t *yes, const expression_test_t *no)
{
    expression_test_t *test = &e->tests[e->n];
    bool               is_all = (p->op == WEIR_EXPRESSION_AND) != is_negated;    /* "not (a or b)": not a and not b */

    weir_assert(yes > test && no > test);                            /* on and on: there is no loop */
    if (!expression_joins(p)) {
        expression_put_test(arena, test, p);
        test->next[TRUTH_YES] = is_negated ? no : yes;
        test->next[TRUTH_NO] = is_negated ? yes : no;
        test->next[TRUTH_UNKNOWN] = no;
        e->n++;
        return;
    }
    if (p->op == WEIR_EXPRESSION_NOT) {
        expression_put(arena, e, p->first, !is_negated, yes, no);
        return;
    }
    for (const weir_condition_t *inner = p->first; inner != NULL; inner = inner->next) {
        const expression_test_t *next = &e->tests[e->n + expression_count(inner)];

        if (inner->next == NULL) {
            expression_put(arena, e, inner, is_negated, yes, no);
        } else {
            expression_put(arena, e, inner, is_negated, is_all ? next : yes, is_all ? no : next);
        }
    }
}

const weir_expression_t *
weir_expression_make(weir_arena_t *arena, const weir_condition_t *condition)
{
    size_t             n = expression_count(condition);
    weir_expression_t *made = weir_alloc_zero(arena, sizeof(*made) + (n + 2) * sizeof(made->tests[0]));

    weir_assert(n != 0);
    made->tests[n].how = EXPRESSION_FAILS;
    made->tests[n + 1].how = EXPRESSION_HOLDS;
    expression_put(arena, made, condition, false, &made->tests[n + 1], &made->tests[n]);
    weir_assert(made->n == n);
    return made;
}
