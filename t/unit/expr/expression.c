/*
 * Conditions: the row of tests says of random trees what the tree itself says with its three truths, in both ways of
 * making texts, and of the texts that are not needed none
 * is asked for.
 */
#include "expr/expression.h"
#include "tap.h"

#include <string.h>

#define VARIABLES 5
#define ROUNDS    20000

/* The values of $a … $e: nothing, or one of these; and how often each was asked for. */
static const char *const words[] = { NULL, "", "0", "x", "yy", "10.1.2.3", "11.0.0.1", "5", "x,yy" };
typedef struct { unsigned value[VARIABLES], asked[VARIABLES]; } world_t;

static world_t         world;
static weir_endpoint_t told;

static bool
get_letter(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    world_t    *its = subject;
    const char *word = words[its->value[ref->row->data]];

    (void) arena;
    its->asked[ref->row->data]++;
    if (word == NULL) {
        return false;
    }
    *value = weir_str_from_z(word);
    return true;
}

/* $e is told in bytes, too. */
static const weir_endpoint_t *
tell_address(void *subject)
{
    world_t    *its = subject;
    const char *word = words[its->value[VARIABLES - 1]];
    weir_addr_t addr;

    its->asked[VARIABLES - 1]++;
    if (word == NULL || !weir_addr_from_ip(&addr, weir_str_from_z(word), 0)) {
        return NULL;
    }
    told = weir_addr_to_endpoint(&addr);
    return &told;
}

#define LETTER(letter, number) { .name = letter, .subject = WEIR_OF_REQUEST, .get = get_letter, .data = number }
static const weir_variable_t rows[] = {
    LETTER("a", 0), LETTER("b", 1), LETTER("c", 2), LETTER("d", 3),
    { .name = "e", .subject = WEIR_OF_REQUEST, .get = get_letter, .data = 4, .address = tell_address },
    WEIR_VARIABLES_END
};

static weir_arena_t arena;
static weir_vars_t *vars;
static uint64_t     dice = 88172645463325252;

static unsigned
roll(unsigned sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (unsigned) (dice >> 33) % sides;
}

static const weir_template_t *
text_of(const char *text)
{
    weir_error_t           error = { .text = "" };
    const weir_template_t *made = weir_template_compile(&arena, vars, weir_str_from_z(text), &error);

    weir_assert(made != NULL);
    return made;
}

static const weir_template_t *
any_text(bool has_variable)
{
    static const char *const texts[] = { "$a", "$b", "$c", "$d", "$e", "$a$b", "x", "", "0", "yy", "7", "5" };

    return text_of(texts[roll(has_variable ? 6 : weir_countof(texts))]);
}

static weir_condition_t *
any_test(void)
{
    weir_condition_t *p = weir_new(&arena, weir_condition_t);
    weir_cidr_t      *networks = weir_new_n(&arena, weir_cidr_t, 2);
    const weir_template_t **texts = weir_new_n(&arena, const weir_template_t *, 12);

    p->left = any_text(true);
    switch (roll(7)) {
    case 0: p->op = WEIR_EXPRESSION_SET; return p;
    case 1: p->op = WEIR_EXPRESSION_EQUAL; break;
    case 2: p->op = WEIR_EXPRESSION_LESS; break;
    case 3: p->op = WEIR_EXPRESSION_LESS_EQUAL; break;
    case 4: p->op = WEIR_EXPRESSION_HAS; break;
    case 5:
        p->op = WEIR_EXPRESSION_IN_NETWORK;
        p->networks = networks;
        p->n = 1 + roll(2);
        weir_assert(weir_cidr_parse(&networks[0], WEIR_STR("10.0.0.0/8")) == WEIR_CIDR_OK
                    && weir_cidr_parse(&networks[1], WEIR_STR("2001:db8::/32")) == WEIR_CIDR_OK);
        return p;
    default:
        p->op = WEIR_EXPRESSION_ONE_OF;
        p->texts = texts;
        p->n = 1 + roll(12);
        for (size_t i = 0; i < p->n; i++) {
            texts[i] = roll(8) == 0 ? any_text(false) : text_of(words[1 + roll(weir_countof(words) - 1)]);
        }
        return p;
    }
    p->right = any_text(false);
    return p;
}

static weir_condition_t *
any_condition(unsigned depth)
{
    weir_condition_t        *p;
    const weir_condition_t **end;
    unsigned                 kind = depth == 0 ? 0 : roll(5);

    if (kind <= 1) {
        return any_test();
    }
    p = weir_new(&arena, weir_condition_t);
    p->op = kind == 2 ? WEIR_EXPRESSION_NOT : kind == 3 ? WEIR_EXPRESSION_AND : WEIR_EXPRESSION_OR;
    end = &p->first;
    for (unsigned n = kind == 2 ? 1 : 2 + roll(3); n > 0; n--) {
        weir_condition_t *inner = any_condition(depth - 1);

        *end = inner;
        end = &inner->next;
    }
    return p;
}

/* -- what the tree says: 0 no, 1 unknown, 2 yes; `and` is the least, `or` the most, `not` the contrary -- */

static weir_str_t
plain(const weir_template_t *template)
{
    const weir_scope_t scope = { .of = { [WEIR_OF_REQUEST] = &world } };

    return weir_template_eval(template, &scope, &arena);
}

static int
says_number(const weir_condition_t *p)
{
    char       *end;
    weir_str_t  left = plain(p->left), right = plain(p->right);
    double      a, b;

    if (!weir_expression_is_number(left) || !weir_expression_is_number(right)) {
        return 1;
    }
    a = strtod(weir_str_to_z(&arena, left), &end);
    b = strtod(weir_str_to_z(&arena, right), &end);
    return a < b || (a <= b && p->op == WEIR_EXPRESSION_LESS_EQUAL) ? 2 : 0;
}

static int
says_network(const weir_condition_t *p)
{
    weir_addr_t addr;

    if (!weir_addr_from_ip(&addr, plain(p->left), 0)) {
        return 1;
    }
    for (size_t i = 0; i < p->n; i++) {
        if (weir_cidr_has(&p->networks[i], &addr)) {
            return 2;
        }
    }
    return 0;
}

static int
says_has(weir_str_t list, weir_str_t element)
{
    weir_str_t one;

    while (list.len != 0) {
        (void) weir_str_cut(list, ',', &one, &list);
        if (one.len != 0 && weir_str_eq(one, element)) {
            return 2;
        }
    }
    return 0;
}

static int
says_one_of(const weir_condition_t *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (weir_str_eq(plain(p->texts[i]), plain(p->left))) {
            return 2;
        }
    }
    return 0;
}

static int
says(const weir_condition_t *p)
{
    weir_str_t left = p->left != NULL ? plain(p->left) : WEIR_STR_NONE;
    int        all = p->op == WEIR_EXPRESSION_AND ? 2 : 0;

    switch (p->op) {
    case WEIR_EXPRESSION_NOT:        return 2 - says(p->first);
    case WEIR_EXPRESSION_SET:        return left.len == 0 || weir_str_eq(left, WEIR_STR("0")) ? 0 : 2;
    case WEIR_EXPRESSION_EQUAL:      return weir_str_eq(left, plain(p->right)) ? 2 : 0;
    case WEIR_EXPRESSION_HAS:        return says_has(left, plain(p->right));
    case WEIR_EXPRESSION_ONE_OF:     return says_one_of(p);
    case WEIR_EXPRESSION_IN_NETWORK: return says_network(p);
    case WEIR_EXPRESSION_LESS:
    case WEIR_EXPRESSION_LESS_EQUAL: return says_number(p);
    default:                         break;
    }
    for (const weir_condition_t *inner = p->first; inner != NULL; inner = inner->next) {
        int one = says(inner);

        all = (p->op == WEIR_EXPRESSION_AND) == (one < all) ? one : all;
    }
    return all;
}

static void
agrees(void)
{
    const weir_scope_t scope = { .of = { [WEIR_OF_REQUEST] = &world } };
    unsigned           wrong = 0, wrong_as_said = 0, yes = 0, unknown = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        const weir_condition_t  *p;
        const weir_expression_t *made;
        int                      said;

        weir_arena_init(&arena, 65536);
        vars = weir_vars_create(&arena);
        weir_vars_add_rows(vars, rows);
        p = any_condition(4);
        made = weir_expression_make(&arena, p);
        for (unsigned k = 0; k < VARIABLES; k++) {
            world.value[k] = roll(weir_countof(words));
        }
        said = says(p);
        yes += said == 2;
        unknown += said == 1;
        wrong += weir_expression_holds(made, NULL, &scope, &arena) != (said == 2);
        wrong_as_said += weir_expression_holds(made, weir_template_eval, &scope, &arena) != (said == 2);
        weir_arena_fini(&arena);
    }
    is_int(wrong, 0, "the row says what the tree says");
    is_int(wrong_as_said, 0, "and with texts made in another way");
    ok(yes > ROUNDS / 10 && yes < ROUNDS * 9 / 10 && unknown > ROUNDS / 50, "of conditions of all three truths");
}

static weir_condition_t *
equals(const char *left, const char *right)
{
    weir_condition_t *p = weir_new(&arena, weir_condition_t);

    *p = (weir_condition_t) { .op = WEIR_EXPRESSION_EQUAL, .left = text_of(left), .right = text_of(right) };
    return p;
}

/* not ($a = x or $b = x) and $c = x */
static void
asks_for_what_decides(void)
{
    const weir_scope_t       scope = { .of = { [WEIR_OF_REQUEST] = &world } };
    weir_condition_t        *all, *not, *any, *a, *b;
    const weir_expression_t *made;

    weir_arena_init(&arena, 65536);
    vars = weir_vars_create(&arena);
    weir_vars_add_rows(vars, rows);
    all = weir_new(&arena, weir_condition_t);
    not = weir_new(&arena, weir_condition_t);
    any = weir_new(&arena, weir_condition_t);
    a = equals("$a", "x");
    b = equals("$b", "x");
    all->op = WEIR_EXPRESSION_AND;
    not->op = WEIR_EXPRESSION_NOT;
    any->op = WEIR_EXPRESSION_OR;
    all->first = not;
    not->first = any;
    not->next = equals("$c", "x");
    any->first = a;
    a->next = b;
    made = weir_expression_make(&arena, all);

    world = (world_t) { .value = { 3, 4, 3 } };
    ok(!weir_expression_holds(made, NULL, &scope, &arena), "the first decides");
    ok(world.asked[0] == 1 && world.asked[1] == 0 && world.asked[2] == 0, "and is asked for alone");
    world = (world_t) { .value = { 4, 4, 3 } };
    ok(weir_expression_holds(made, NULL, &scope, &arena), "all are needed");
    ok(world.asked[0] == 1 && world.asked[1] == 1 && world.asked[2] == 1, "and are asked for once");
    weir_arena_fini(&arena);
}

int
main(void)
{
    agrees();
    asks_for_what_decides();
    return done();
}
