/*
 * Names of variables: rows, prefixes, defined ones, captures, and names that are defined later.
 */
#include "expr/vars.h"
#include "tap.h"

static bool
no_value(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    (void) subject;
    (void) arena;
    (void) ref;
    (void) value;
    return false;
}

static const weir_variable_t rows[] = {
    { .name = "uri", .subject = WEIR_OF_NONE, .get = no_value },
    { .name = "request_uri", .subject = WEIR_OF_NONE, .get = no_value },
    { .name = "arg_first", .subject = WEIR_OF_NONE, .get = no_value },
    { .name = "arg_", .is_prefix = true, .subject = WEIR_OF_NONE, .get = no_value },
    { .name = "arg_in_", .is_prefix = true, .subject = WEIR_OF_NONE, .get = no_value },
    WEIR_VARIABLES_END
};
static const weir_variable_t slot_row = { .name = "slot", .subject = WEIR_OF_NONE, .get = no_value };
static const weir_variable_t capture_row = { .name = "capture", .subject = WEIR_OF_NONE, .get = no_value };

static weir_arena_t   arena;
static weir_vars_t   *vars;
static weir_var_ref_t ref;
static weir_str_t     near;

static const weir_variable_t *
find(const char *name)
{
    return weir_vars_find(vars, weir_str_from_z(name), &ref, &near) ? ref.row : NULL;
}

static void
test_find(void)
{
    ok(find("uri") == &rows[0], "an exact name");
    ok(find("URI") == &rows[0], "in any case");
    ok(find("arg_first") == &rows[2], "an exact name wins over a prefix");
    ok(find("arg_x") == &rows[3], "a prefix");
    is_str(ref.suffix, "x", "what follows it");
    ok(find("arg_In_Y") == &rows[4], "the longest prefix");
    is_str(ref.suffix, "y", "in lower case");
    ok(find("arg_") == &rows[3] && ref.suffix.len == 0, "a prefix alone is a name");
    ok(find("request_url") == NULL, "an unknown name");
    is_str(near, "request_uri", "has a nearest one");
    ok(find("zzzzzz") == NULL && near.at == NULL, "or none");
    ok(find("1") == NULL, "no captures without a reader");
}

static void
test_define(void)
{
    uint32_t slot = 99, i;
    char     name[32];
    bool     all = true;

    ok(weir_vars_define(vars, WEIR_STR("Mine"), &slot), "a name is defined");
    is_int(slot, 0, "in the first slot");
    ok(find("mine") == NULL, "there is no reader for it yet");
    weir_vars_set_readers(vars, &slot_row, &capture_row);
    ok(find("mine") == &slot_row && ref.slot == 0, "now there is");
    ok(weir_vars_define(vars, WEIR_STR("mine"), &slot) && slot == 0, "again: the same slot");
    ok(!weir_vars_define(vars, WEIR_STR("uri"), &slot), "a built-in one cannot be defined");
    ok(weir_vars_find(vars, WEIR_STR("arg_z"), &ref, &near) && ref.row->is_prefix, "a prefix makes a name");
    ok(weir_vars_define(vars, WEIR_STR("arg_z"), &slot), "that may be defined");
    ok(weir_vars_find(vars, WEIR_STR("arg_z"), &ref, &near) && !ref.row->is_prefix, "and is that from then on");
    ok(weir_vars_find_prefix(vars, WEIR_STR("arg_z"), &ref) && ref.row->is_prefix, "what it was is known, too");
    ok(find("9") == &capture_row && ref.group == 9, "a capture");
    ok(find("0") == NULL && find("10") == NULL, "there are nine");
    for (i = 0; i < 5000; i++) {
        (void) snprintf(name, sizeof(name), "v%u", i);
        all = all && weir_vars_define(vars, weir_str_from_z(name), &slot) && slot == i + 2;
    }
    for (i = 0; i < 5000; i++) {
        (void) snprintf(name, sizeof(name), "v%u", i);
        all = all && find(name) == &slot_row && ref.slot == i + 2;
    }
    ok(all, "thousands of them");
    is_int(weir_vars_slots(vars), 5002, "are counted");
}

static void
test_later(void)
{
    static const weir_vars_place_t place = { .file = "f", .line = 1, .subjects = WEIR_SUBJECTS_ALL };
    static const weir_vars_place_t far = { .file = "f.conf", .line = 7, .subjects = WEIR_SUBJECTS_ALL };
    weir_var_ref_t now, later, never;
    weir_error_t   error = { .text = "" };
    uint32_t       slot;

    ok(weir_vars_find_later(vars, WEIR_STR("uri"), &now, &place, &error), "one that is known");
    ok(weir_vars_find_later(vars, WEIR_STR("Afterwards"), &later, &place, &error), "one that is not");
    ok(now.row == &rows[0], "a known name is found at once");
    ok(weir_vars_define(vars, WEIR_STR("afterwards"), &slot), "another is defined later");
    ok(weir_vars_settle(vars, &error) && later.row == &slot_row && later.slot == slot, "and settled");
    ok(weir_vars_find_later(vars, WEIR_STR("never"), &never, &far, &error), "another");
    ok(!weir_vars_settle(vars, &error), "one that never is");
    is_str(weir_str_from_z(error.text), "unknown \"never\" variable in f.conf:7", "is an error with its place");
    is_int(error.line, 7, "line");
    is_str(weir_str_from_z(error.file), "f.conf", "file");
}

int
main(void)
{
    weir_arena_init(&arena, 4096);
    vars = weir_vars_create(&arena);
    weir_vars_add_rows(vars, rows);
    test_find();
    test_define();
    test_later();
    weir_arena_fini(&arena);
    return done();
}
