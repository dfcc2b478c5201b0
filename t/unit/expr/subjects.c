/*
 * Variables tell of something, and can be used where there will be that: rows, prefixes, slots by what makes them.
 */
#include "expr/template.h"
#include "tap.h"

static bool
get_subject(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    (void) arena;
    (void) ref;
    *value = subject != NULL ? weir_str_from_z(subject) : WEIR_STR("nothing");
    return true;
}

static const weir_variable_t rows[] = {
    { "pid", .subject = WEIR_OF_NONE, .get = get_subject },
    { "remote_addr", .subject = WEIR_OF_CONNECTION, .get = get_subject },
    { "uri", .subject = WEIR_OF_REQUEST, .get = get_subject },
    { "server_name", .subject = WEIR_OF_REQUEST, .is_early = true, .get = get_subject },
    { "arg_", .is_prefix = true, .subject = WEIR_OF_REQUEST, .get = get_subject },
    { "bytes_received", .subject = WEIR_OF_SESSION, .get = get_subject },
    WEIR_VARIABLES_END
};
static const weir_variable_t slot_row = { .name = "slot", .subject = WEIR_OF_REQUEST, .get = get_subject };
static const weir_variable_t capture_row = { .name = "capture", .subject = WEIR_OF_REQUEST, .get = get_subject };

#define CONNECTION WEIR_SUBJECT(WEIR_OF_CONNECTION)
#define HTTP       (CONNECTION | WEIR_SUBJECT(WEIR_OF_REQUEST))
#define STREAM     (CONNECTION | WEIR_SUBJECT(WEIR_OF_SESSION))

static weir_arena_t arena;
static weir_vars_t *vars;
static weir_error_t error;

static const weir_template_t *
compile(const char *text, weir_subjects_t subjects)
{
    weir_vars_place_t place = { .file = "f.conf", .line = 3, .subjects = subjects };

    error = (weir_error_t) { .text = "" };
    return weir_template_compile_at(&arena, vars, weir_str_from_z(text), &place, &error);
}

/* Compiled, and settled. */
static bool
holds(const char *text, weir_subjects_t subjects)
{
    return compile(text, subjects) != NULL && weir_vars_settle(vars, &error);
}

static uint32_t
define(const char *name, weir_subject_t subject, const char *reads)
{
    uint32_t slot;

    ok(weir_vars_define(vars, weir_str_from_z(name), &slot), name);
    weir_vars_add_maker(vars, slot, subject);
    weir_template_makes(reads != NULL ? compile(reads, HTTP) : NULL, vars, slot);
    return slot;
}

/* NAME0 reads the first, NAME1 reads NAME0, … */
static void
define_chain(const char *first, const char *name)
{
    for (int i = 0; i <= 30; i++) {
        weir_str_t from = i == 0 ? weir_str_from_z(first) : weir_str_printf(&arena, "%s%d", name, i - 1);

        (void) define(weir_str_to_z(&arena, weir_str_printf(&arena, "%s%d", name, i)), WEIR_OF_NONE,
                      weir_str_to_z(&arena, weir_str_printf(&arena, "$%.*s$%.*s$%.*s", WEIR_STR_ARG(from), WEIR_STR_ARG(from),
                                                            WEIR_STR_ARG(from))));
    }
}

static void
test_rows(void)
{
    static char connection[] = "C", request[] = "R";
    const weir_scope_t scope = { .of = { [WEIR_OF_CONNECTION] = connection, [WEIR_OF_REQUEST] = request } };

    ok(holds("$pid $remote_addr $uri $arg_x", HTTP), "all of a request's area");
    is_str(weir_template_eval(compile("$pid $remote_addr $uri", HTTP), &scope, &arena), "nothing C R",
           "each getter is given its own object");
    ok(holds("$pid $remote_addr", CONNECTION) && holds("$pid $remote_addr", STREAM),
       "the connection's where there is no more");
    ok(!holds("$uri", CONNECTION), "but not a request's");
    is_str(weir_str_from_z(error.text),
           "the variable \"uri\" tells of the request; only variables of the connection can be used here", "why not");
    ok(holds("$server_name", CONNECTION), "unless it is known so early");
    ok(!holds("$uri", STREAM), "nor a request's in a session");
    is_str(weir_str_from_z(error.text),
           "the variable \"uri\" tells of the request; only variables of the session and the connection can be used "
           "here", "why not");
    ok(!holds("$bytes_received", HTTP), "nor a session's in a request");
    ok(!holds("$arg_x", CONNECTION), "nor what a prefix makes");
    is_str(weir_str_from_z(error.text),
           "the variable \"arg_x\" tells of the request; only variables of the connection can be used here in f.conf:3",
           "with its place");
    is_int(error.line, 3, "line");
    ok(holds("$1", CONNECTION), "a capture is of whatever was matched");
}

static void
test_slots(void)
{
    uint32_t slot;

    (void) define("of_addr", WEIR_OF_NONE, "$remote_addr-$pid");
    (void) define("of_uri", WEIR_OF_NONE, "$remote_addr$uri");
    (void) define("set", WEIR_OF_REQUEST, NULL);
    ok(holds("$of_uri $set", HTTP), "any slot in a request");
    ok(holds("$of_addr", CONNECTION), "one that reads the connection's only");
    ok(!holds("$of_uri", CONNECTION) && !holds("$set", CONNECTION), "but no other");
    (void) define("of_other", WEIR_OF_NONE, "$of_later");
    ok(compile("$of_other", CONNECTION) != NULL, "one that reads a name that is not known yet");
    slot = define("of_later", WEIR_OF_NONE, "$uri");
    ok(!weir_vars_settle(vars, &error), "is refused when that turns out to tell of a request");
    ok(compile("$of_other", CONNECTION) != NULL && !weir_vars_settle(vars, &error), "whenever it is asked");
    weir_vars_add_maker(vars, slot, WEIR_OF_NONE);
    ok(holds("$of_other", CONNECTION), "and not when another maker needs less");
    slot = define("itself", WEIR_OF_NONE, NULL);
    weir_template_makes(compile("$itself", HTTP), vars, slot);
    ok(holds("$itself", CONNECTION), "one that reads itself does not go on for ever");
    define_chain("of_addr", "early");
    ok(holds("$early30", CONNECTION), "the last of a chain, each reading the one before three times, is judged at once");
    define_chain("of_uri", "late");
    ok(!holds("$late30", CONNECTION), "and so is one that begins with a request");
}

int
main(void)
{
    weir_arena_init(&arena, 4096);
    vars = weir_vars_create(&arena);
    weir_vars_add_rows(vars, rows);
    weir_vars_set_readers(vars, &slot_row, &capture_row);
    test_rows();
    test_slots();
    weir_arena_fini(&arena);
    return done();
}
