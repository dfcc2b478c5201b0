/*
 * expression.c - fuzz target: what stands behind `require`, read and judged.
 *
 * An input's first line is the condition; the lines behind it are the values of $a, $b, $c and $d, of which a missing
 * one has none.  Oracles: what is refused is refused with words; two ways to make the texts agree; a condition and its
 * negation never hold both; what is judged twice is judged alike.
 */
#include "conf/wire.h"
#include "conf/expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VALUES 4

typedef struct { weir_str_t value[VALUES]; } values_t;

static bool
get_letter(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    (void) arena;
    *value = ((const values_t *) subject)->value[ref->row->data];
    return value->at != NULL;
}

#define LETTER(letter, number) { .name = letter, .subject = WEIR_OF_REQUEST, .get = get_letter, .data = number }
static const weir_variable_t letters[] = {
    LETTER("a", 0), LETTER("b", 1), LETTER("c", 2), LETTER("d", 3), WEIR_VARIABLES_END
};

/* NULL: it was refused. */
static const weir_expression_t *
read_condition(weir_arena_t *arena, weir_bundle_t *bundle, weir_str_t condition)
{
    weir_conf_words_t        *words = weir_new(arena, weir_conf_words_t);
    weir_error_t             *error = weir_new(arena, weir_error_t);
    weir_conf_t              *cf = weir_new(arena, weir_conf_t);
    const weir_expression_t  *made;
    weir_lex_t                lex;

    weir_lex_init(&lex, arena, weir_str_printf(arena, "require %.*s;", WEIR_STR_ARG(condition)), "fuzz");
    if (weir_lex_next(&lex, words, error) != WEIR_LEX_SIMPLE || words->n < 2) {
        return NULL;
    }
    *error = (weir_error_t) { .text = "" };
    *cf = (weir_conf_t) { .arena = arena, .bundle = bundle, .vars = weir_vars_create(arena), .words = words,
                          .error = error, .subjects = WEIR_SUBJECTS_ALL };
    weir_vars_add_rows(cf->vars, letters);
    made = weir_conf_predicate(cf, words, 1, words->n);
    weir_assert((made == NULL) == weir_error_is_set(error));
    return made != NULL && weir_vars_settle(cf->vars, error) ? made : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_arena_t             arena;
    values_t                 values = { .value = { WEIR_STR_NONE } };
    const weir_scope_t       scope = { .of = { [WEIR_OF_REQUEST] = &values } };
    weir_str_t               rest = weir_str((const char *) data, size), condition;
    const weir_expression_t *made, *negated;
    weir_bundle_t           *bundle = weir_bundle_create_replay();       /* has the warnings */

    weir_arena_init(&arena, 65536);
    (void) weir_str_cut(rest, '\n', &condition, &rest);
    for (size_t i = 0; i < VALUES && rest.len != 0; i++) {
        (void) weir_str_cut(rest, '\n', &values.value[i], &rest);
    }
    made = read_condition(&arena, bundle, condition);
    if (made != NULL) {
        bool holds = weir_expression_holds(made, NULL, &scope, &arena);

        weir_assert(weir_expression_holds(made, weir_template_eval, &scope, &arena) == holds);
        weir_assert(weir_expression_holds(made, NULL, &scope, &arena) == holds);
        negated = read_condition(&arena, bundle,
                                 weir_str_printf(&arena, "not ( %.*s )", WEIR_STR_ARG(condition)));
        weir_assert(negated == NULL || !holds || !weir_expression_holds(negated, NULL, &scope, &arena));
    }
    weir_arena_fini(&arena);
    weir_bundle_destroy(bundle);
    return 0;
}
