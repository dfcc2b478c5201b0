/*
 * Templates: literals, names in both forms, captures, and what is refused.
 */
#include "expr/template.h"
#include "tap.h"

static bool
get_word(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    (void) arena;
    *value = ref->group != 0 ? WEIR_STR("<group>") : ref->suffix.len != 0 ? ref->suffix : weir_str_from_z(subject);
    return value->len != 0;
}

static const weir_variable_t rows[] = {
    { .name = "word", .subject = WEIR_OF_REQUEST, .get = get_word },
        { .name = "arg_", .is_prefix = true, .subject = WEIR_OF_REQUEST, .get = get_word }, WEIR_VARIABLES_END
};

static weir_arena_t arena;
static weir_vars_t *vars;
static weir_error_t error;

static const weir_template_t *
compile(const char *text)
{
    error = (weir_error_t) { .text = "" };
    return weir_template_compile(&arena, vars, weir_str_from_z(text), &error);
}

static weir_str_t
eval(const weir_template_t *template, char *subject)
{
    const weir_scope_t scope = { .of = { [WEIR_OF_REQUEST] = subject } };

    return weir_template_eval(template, &scope, &arena);
}

static void
gives(const char *text, const char *want)
{
    static char            subject[] = "W";
    const weir_template_t *template = compile(text);

    if (ok(template != NULL, text)) {
        is_str(eval(template, subject), want, "its value");
        is_str(template->source, text, "its source");
    }
}

static void
refuses(const char *text, const char *why)
{
    ok(compile(text) == NULL, text);
    is_str(weir_str_from_z(error.text), why, "why not");
}

int
main(void)
{
    const weir_template_t *template;
    weir_str_t             value;
    char                   subject[] = "W", nothing[] = "", long_text[400] = "";
    size_t                 i;

    weir_arena_init(&arena, 4096);
    vars = weir_vars_create(&arena);
    weir_vars_add_rows(vars, rows);
    weir_vars_set_readers(vars, &rows[0], &rows[0]);

    gives("", "");
    gives("plain text", "plain text");
    gives("$word", "W");
    gives("${word}", "W");
    gives("a $word b", "a W b");
    gives("a${word}b", "aWb");
    gives("$word$word", "WW");
    gives("$arg_Some/x", "some/x");
    gives("$1", "<group>");
    gives("$10", "<group>0");
    gives("${1}0", "<group>0");
    gives("{$word}", "{W}");
    refuses("$", "invalid variable name in \"$\"");
    refuses("5$", "invalid variable name in \"5$\"");
    refuses("$ x", "invalid variable name in \"$ x\"");
    refuses("${}", "invalid variable name in \"${}\"");
    refuses("${word", "the closing bracket in \"word\" variable is missing");
    refuses("${wo-rd}", "the closing bracket in \"wo\" variable is missing");
    refuses("$wrod", "unknown \"wrod\" variable, did you mean \"word\"?");
    refuses("$nothing", "unknown \"nothing\" variable");
    refuses("$0", "unknown \"0\" variable");

    ok(compile("x")->is_constant && compile("")->is_constant && !compile("$word")->is_constant, "constants are known");
    ok(weir_template_is_empty(compile("")) && weir_template_is_empty(NULL) && !weir_template_is_empty(compile("x")),
       "empty");
    template = compile("$word");
    value = eval(template, subject);
    ok(value.at == subject, "a single variable is not copied");
    template = compile("const");
    ok(eval(template, NULL).at == template->parts[0].literal.at, "nor is a constant");
    is_str(eval(compile("a${word}b"), nothing), "ab", "no value is nothing");
    for (i = 0; i < 40; i++) {
        (void) strcat(long_text, "-$word");
    }
    is_int(eval(compile(long_text), subject).len, 80, "many parts");
    weir_arena_fini(&arena);
    return done();
}
