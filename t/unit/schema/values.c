/*
 * values.c - JSON Schema: numbers of any length mean what they say, and telling many values apart takes no time that
 * grows with the square of them.
 */
#include "schema/schema.h"

#include "base/buf.h"
#include "tap.h"

#include <string.h>
#include <unistd.h>

#define MANY       20000
#define ROOM       ((size_t) 1 << 20)
#define SECONDS    100          /* what takes longer is what grows with the square */

typedef struct { weir_arena_t arena; weir_buf_t text; } case_t;

static void
init(case_t *c)
{
    weir_arena_init(&c->arena, 16384);
    weir_buf_init(&c->text, weir_alloc_bytes(&c->arena, ROOM), ROOM);
}

static const weir_json_t *
read_text(case_t *c, weir_str_t text)
{
    const weir_json_limits_t limits = { .depth = WEIR_JSON_DEPTH_MAX, .values = 1000000 };
    const weir_json_t       *json = NULL;

    weir_assert(weir_json_parse(&c->arena, text, limits, &json) == WEIR_JSON_GOOD);
    return json;
}

static void
judge(case_t *c, const char *schema, bool is_good, const char *what)
{
    const weir_schema_options_t options = { .draft = WEIR_SCHEMA_2020_12 };
    weir_error_t                error = { .text = "" };
    weir_schema_fault_t         fault;
    const weir_schema_t        *compiled;

    compiled = weir_schema_compile(&c->arena, read_text(c, weir_str_from_z(schema)), WEIR_STR("s"), &options, &error);
    weir_assert(compiled != NULL && !c->text.full);
    ok(weir_schema_accepts(compiled, read_text(c, weir_buf_str(&c->text)), &c->arena, &fault) == is_good, what);
    weir_arena_fini(&c->arena);
}

/* "HEAD 000…000 TAIL" */
static void
is_long(const char *schema, const char *head, const char *tail, bool is_good)
{
    case_t c;
    char   what[120];

    init(&c);
    weir_buf_add_str(&c.text, weir_str_from_z(head));
    for (int i = 0; i < 600; i++) {
        weir_buf_add_char(&c.text, '0');
    }
    weir_buf_add_str(&c.text, weir_str_from_z(tail));
    snprintf(what, sizeof(what), "%s of %s, 600 zeros, %s", schema, head, tail);
    judge(&c, schema, is_good, what);
}

static void
long_numbers(void)
{
    is_long("{\"maximum\":100}", "1.", "e5", false);
    is_long("{\"maximum\":100}", "1.", "e1", true);
    is_long("{\"maximum\":100}", "0.", "1e610", false);
    is_long("{\"maximum\":100}", "0.", "1e603", true);
    is_long("{\"minimum\":-100}", "-0.", "1E+610", false);
    is_long("{\"minimum\":-100}", "-1", "e-600", true);
    is_long("{\"maximum\":1}", "1", "e-600", true);
    is_long("{\"exclusiveMaximum\":1}", "1", "e-600", false);
    is_long("{\"const\":1}", "1", "e-600", true);
    is_long("{\"const\":0}", "0.", "e999999999999999999", true);
    is_long("{\"type\":\"integer\"}", "1.", "1", true);      /* as others read it: a double has not so many digits */
    is_long("{\"type\":\"integer\"}", "15", "e-601", false);
    is_long("{\"maximum\":100}", "1.", "e99999999999999999999", false);
    is_long("{\"maximum\":100}", "1.", "e-99999999999999999999", true);
}

static void
is_value(const char *schema, const char *text, bool is_good)
{
    case_t c;

    init(&c);
    weir_buf_add_str(&c.text, weir_str_from_z(text));
    judge(&c, schema, is_good, text);
}

static void
multiples(void)
{
    is_value("{\"multipleOf\":1}", "1125899906842624.5", false);
    is_value("{\"multipleOf\":1}", "1125899906842624", true);
    is_value("{\"multipleOf\":0.01}", "100000000000.005", false);
    is_value("{\"multipleOf\":0.01}", "100000000000.05", true);
    is_value("{\"multipleOf\":0.1}", "0.3", true);
    is_value("{\"multipleOf\":2}", "-1", false);
    is_value("{\"multipleOf\":1.5}", "4.5", true);
}

/* Numbers that are one and the same, or 0, to a double. */
static void
many_numbers(const char *form, int base, const char *what)
{
    case_t c;

    init(&c);
    for (int i = 0; i < MANY; i++) {
        weir_buf_add_char(&c.text, i == 0 ? '[' : ',');
        weir_buf_printf(&c.text, form, i / 4000 + 1, base + i % 4000);
    }
    weir_buf_add_char(&c.text, ']');
    judge(&c, "{\"uniqueItems\":true}", true, what);
}

/* {"k0":0,"k1":0 …}, or from its end. */
static void
add_object(case_t *c, int n, bool is_reverse, int last)
{
    for (int i = 0; i < n; i++) {
        int number = is_reverse ? n - 1 - i : i;

        weir_buf_add_char(&c->text, i == 0 ? '{' : ',');
        weir_buf_printf(&c->text, "\"k%d\":%d", number, number == n - 1 ? last : 0);
    }
    weir_buf_add_char(&c->text, '}');
}

static void
two_objects(int n, int last, bool is_good, const char *what)
{
    case_t c;

    init(&c);
    weir_buf_add_char(&c.text, '[');
    add_object(&c, n, false, 1);
    weir_buf_add_char(&c.text, ',');
    add_object(&c, n, true, last);
    weir_buf_add_char(&c.text, ']');
    judge(&c, "{\"uniqueItems\":true}", is_good, what);
}

int
main(void)
{
    long_numbers();
    multiples();
    alarm(SECONDS);
    many_numbers("%de%d", 320, "many numbers that are larger than a double may be");
    many_numbers("%de-%d", 340, "… that are smaller");
    many_numbers("%d.00000000000000%04d", 1000, "… that differ in what a double does not hold");
    two_objects(40000, 1, false, "two large objects in reverse order are the same");
    two_objects(40000, 2, true, "… or not");
    two_objects(5, 1, false, "two small ones are the same");
    two_objects(5, 2, true, "… or not, too");
    two_objects(17, 2, true, "seventeen members");
    return done();
}
