/*
 * check.c - JSON Schema: what is said of a fault, errors of documents, and the bounds.
 */
#include "schema/schema.h"

#include "tap.h"

#include <string.h>

typedef struct { weir_arena_t arena; const weir_schema_t *schema; weir_error_t error; } compiled_t;

static const weir_json_t *
from_text(weir_arena_t *arena, const char *text)
{
    const weir_json_limits_t limits = { .depth = WEIR_JSON_DEPTH_MAX, .values = 100000 };
    const weir_json_t       *json;

    if (weir_json_parse(arena, weir_str_from_z(text), limits, &json) != WEIR_JSON_GOOD) {
        printf("# not JSON: %s\n", text);
        exit(1);
    }
    return json;
}

static void
compile(compiled_t *c, const char *text, bool checks_format)
{
    const weir_schema_options_t options = { .checks_format = checks_format };

    *c = (compiled_t) { .error = { .text = "" } };
    weir_arena_init(&c->arena, 4096);
    c->schema = weir_schema_compile(&c->arena, from_text(&c->arena, text), WEIR_STR("s.json"), &options,
                                    &c->error);
}

static void
fini(compiled_t *c)
{
    weir_arena_fini(&c->arena);
}

/* What is wrong with value: "AT RULE", or "" */
static void
is_fault(const char *schema, const char *value, const char *expected)
{
    compiled_t          c;
    weir_schema_fault_t fault;
    bool                is_good;

    compile(&c, schema, true);
    is_good = c.schema != NULL && weir_schema_accepts(c.schema, from_text(&c.arena, value), &c.arena, &fault);
    is_str(is_good ? WEIR_STR("") : weir_str_printf(&c.arena, "%.*s %.*s%s", WEIR_STR_ARG(fault.at),
                                                    WEIR_STR_ARG(fault.rule), fault.is_limit ? " limit" : ""),
           expected, strlen(value) < 200 ? value : "a long value");
    fini(&c);
}

static void
is_error(const char *schema, const char *part)
{
    compiled_t c;

    compile(&c, schema, false);
    if (!ok(c.schema == NULL && strstr(c.error.text, part) != NULL, part)) {
        printf("# %s\n", c.error.text);
    }
    fini(&c);
}

static void
faults(void)
{
    const char *order = "{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"integer\"},"
                        "\"lines\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/line\"}}},"
                        "\"additionalProperties\":false,"
                        "\"$defs\":{\"line\":{\"properties\":{\"n\":{\"minimum\":1}},\"required\":[\"n\"]}}}";

    is_fault(order, "{\"id\":1,\"lines\":[{\"n\":1}]}", "");
    is_fault(order, "[]", " s.json#/type");
    is_fault(order, "{}", " s.json#/required");
    is_fault(order, "{\"id\":1.5}", "/id s.json#/properties/id/type");
    is_fault(order, "{\"id\":1,\"lines\":[{\"n\":1},{\"n\":0}]}", "/lines/1/n s.json#/$defs/line/properties/n/minimum");
    is_fault(order, "{\"id\":1,\"a/b~c\":0}", "/a~1b~0c s.json#/additionalProperties");
    is_fault("{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}", "4", " s.json#/anyOf");
    is_fault("{\"oneOf\":[true,true]}", "4", " s.json#/oneOf");
    is_fault("{\"not\":{}}", "4", " s.json#/not");
    is_fault("{\"if\":{\"minimum\":3},\"then\":{\"multipleOf\":2},\"else\":false}", "5", " s.json#/then/multipleOf");
    is_fault("{\"if\":{\"minimum\":3},\"then\":{\"multipleOf\":2},\"else\":false}", "1", " s.json#/else");
    is_fault("{\"contains\":{\"const\":1},\"maxContains\":1}", "[1,1]", " s.json#/maxContains");
    is_fault("{\"properties\":{\"a\":{}},\"unevaluatedProperties\":false}", "{\"b\":1}",
             "/b s.json#/unevaluatedProperties");
    is_fault("{\"format\":\"date\"}", "\"2023-02-29\"", " s.json#/format");
    is_fault("{\"propertyNames\":{\"pattern\":\"^a\"}}", "{\"ab\":1,\"b\":1}", "/b s.json#/propertyNames");
    is_fault("false", "1", " s.json#");
}

static void
errors(void)
{
    is_error("{\"properties\":{\"a\":{\"type\":\"text\"}}}", "s.json#/properties/a/type must be the name of a type");
    is_error("{\"minLength\":-1}", "s.json#/minLength must be a whole number");
    is_error("{\"pattern\":\"(\"}", "s.json#/pattern: regular expression");
    is_error("{\"$ref\":\"#/$defs/x\"}", "the reference \"#/$defs/x\" leads to nothing");
    is_error("{\"$ref\":\"other.json\"}", "the reference \"other.json\" leads to nothing");
    is_error("{\"$ref\":\"#/minimum\",\"minimum\":3}", "s.json#/minimum is not a schema");
    is_error("{\"$schema\":\"http://json-schema.org/draft-04/schema#\"}", "only draft 2020-12 and draft-07");
    is_error("{\"$defs\":{\"a\":{\"$id\":\"x\"},\"b\":{\"$id\":\"x\"}}}", "two schemas have the $id \"x\"");
    is_error("3", "is not a schema");
}

/* Many patterns are many steps, whatever each of them costs. */
static void
patterns(void)
{
    static char value[400000];
    size_t      n = 0;

    for (int i = 0; i < 19000; i++) {
        n += (size_t) snprintf(value + n, sizeof(value) - n, "%c\"a%05d\"", i == 0 ? '[' : ',', i);
        if (i == 9000) {
            (void) snprintf(value + n, sizeof(value) - n, "]");
            is_fault("{\"items\":{\"pattern\":\"^a\"}}", value, "");
        }
    }
    (void) snprintf(value + n, sizeof(value) - n, "]");
    is_fault("{\"items\":{\"pattern\":\"^a\"}}", value, "/18691 s.json#/items limit");
}

/* Schemas whose check would not end, or not soon. */
static void
bounds(void)
{
    is_fault("{\"$ref\":\"#\"}", "1", " s.json# limit");
    is_fault("{\"$defs\":{\"a\":{\"anyOf\":[{\"$ref\":\"#/$defs/b\"}]},\"b\":{\"not\":{\"$ref\":\"#/$defs/a\"}}},"
             "\"$ref\":\"#/$defs/a\"}", "1", " s.json#/$defs/b/not limit");
    is_fault("{\"$defs\":{\"x\":{\"anyOf\":[{\"items\":{\"$ref\":\"#/$defs/x\"},\"type\":\"array\"},"
             "{\"items\":{\"$ref\":\"#/$defs/x\"},\"minItems\":1,\"type\":\"array\"}]}},\"$ref\":\"#/$defs/x\"}",
             "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
             "/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0 s.json#/$defs/x limit");
}

static void
openapi(void)
{
    static const char text[] =
        "{\"openapi\":\"3.0.3\",\"components\":{\"schemas\":{\"a\":{\"type\":\"object\",\"properties\":{\"n\":{"
        "\"type\":\"integer\",\"maximum\":5,\"exclusiveMaximum\":true,\"nullable\":true},"
        "\"l\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/a\"}}}}}}}";
    weir_schema_options_t options = { .draft = WEIR_SCHEMA_OPENAPI_30, .entry = WEIR_STR("/components/schemas/a") };
    weir_schema_fault_t   fault;
    weir_arena_t          arena;
    weir_error_t          error = { .text = "" };
    const weir_schema_t  *schema;

    weir_arena_init(&arena, 4096);
    schema = weir_schema_compile(&arena, from_text(&arena, text), WEIR_STR("o.json"), &options, &error);
    ok(schema != NULL, "a schema of an OpenAPI document");
    ok(weir_schema_accepts(schema, from_text(&arena, "{\"n\":4,\"l\":[{\"n\":null}]}"), &arena, &fault), "accepts");
    ok(!weir_schema_accepts(schema, from_text(&arena, "{\"l\":[{\"n\":5}]}"), &arena, &fault), "refuses");
    is_str(fault.at, "/l/0/n", "and says where");
    is_str(fault.rule, "o.json#/components/schemas/a/properties/n/exclusiveMaximum", "… and by which rule");
    options.entry = WEIR_STR("/components/schemas/b");
    ok(weir_schema_compile(&arena, from_text(&arena, text), WEIR_STR("o.json"), &options, &error) == NULL,
       "no schema is there");
    is_str(weir_str_from_z(error.text), "there is nothing at \"/components/schemas/b\"", "which is told");
    weir_arena_fini(&arena);
}

int
main(void)
{
    faults();
    openapi();
    errors();
    bounds();
    patterns();
    return done();
}
