/*
 * keywords.c - the keywords of both drafts: what may stand behind each, and where it goes.
 *
 * One table for the compiler and for the question whether a value is a schema (a reference to the metaschema).
 */
#include "schema/node.h"

#define KEYWORDS_2020 (1u << WEIR_SCHEMA_2020_12)
#define KEYWORDS_07   (1u << WEIR_SCHEMA_DRAFT_07)
#define KEYWORDS_30   (1u << WEIR_SCHEMA_OPENAPI_30)
#define KEYWORDS_BOTH (KEYWORDS_2020 | KEYWORDS_07)
#define KEYWORDS_ALL  (KEYWORDS_BOTH | KEYWORDS_30)

#define AT(field) offsetof(weir_schema_node_t, field)

const weir_schema_keyword_t weir_schema_keywords[] = {
    { "$ref", WEIR_SCHEMA_OF_STRING, KEYWORDS_ALL, false, 0 },
    { "$dynamicRef", WEIR_SCHEMA_OF_STRING, KEYWORDS_2020, false, 0 },
    { "$id", WEIR_SCHEMA_OF_STRING, KEYWORDS_BOTH, false, 0 },
    { "$schema", WEIR_SCHEMA_OF_STRING, KEYWORDS_BOTH, false, 0 },
    { "$anchor", WEIR_SCHEMA_OF_STRING, KEYWORDS_2020, false, 0 },
    { "$dynamicAnchor", WEIR_SCHEMA_OF_STRING, KEYWORDS_2020, false, 0 },
    { "$vocabulary", WEIR_SCHEMA_OF_OBJECT, KEYWORDS_2020, false, 0 },
    { "$comment", WEIR_SCHEMA_OF_STRING, KEYWORDS_BOTH, false, 0 },
    { "title", WEIR_SCHEMA_OF_STRING, KEYWORDS_ALL, false, 0 },
    { "description", WEIR_SCHEMA_OF_STRING, KEYWORDS_ALL, false, 0 },
    { "$defs", WEIR_SCHEMA_OF_MAP, KEYWORDS_2020, false, 0 },
    { "definitions", WEIR_SCHEMA_OF_MAP, KEYWORDS_BOTH, false, 0 },

    { "allOf", WEIR_SCHEMA_OF_SCHEMAS, KEYWORDS_ALL, false, AT(all_of) },
    { "anyOf", WEIR_SCHEMA_OF_SCHEMAS, KEYWORDS_ALL, false, AT(any_of) },
    { "oneOf", WEIR_SCHEMA_OF_SCHEMAS, KEYWORDS_ALL, false, AT(one_of) },
    { "not", WEIR_SCHEMA_OF_SCHEMA, KEYWORDS_ALL, false, AT(not) },
    { "if", WEIR_SCHEMA_OF_SCHEMA, KEYWORDS_BOTH, false, AT(when) },
    { "then", WEIR_SCHEMA_OF_SCHEMA, KEYWORDS_BOTH, false, AT(then) },
    { "else", WEIR_SCHEMA_OF_SCHEMA, KEYWORDS_BOTH, false, AT(otherwise) },
    { "prefixItems", WEIR_SCHEMA_OF_SCHEMAS, KEYWORDS_2020, false, AT(first_items) },
    { "items", WEIR_SCHEMA_OF_SCHEMA, KEYWORDS_2020 | KEYWORDS_30, false, AT(items) },
    { "items", WEIR_SCHEMA_OF_ITEMS, KEYWORDS_07, false, 0 },
    { "additionalItems", WEIR_SCHEMA_OF_SCHEMA, KEYWORDS_07, false, 0 },
    { "contains", WEIR_SCHEMA_OF_SCHEMA, KEYWORDS_BOTH, false, AT(contains) },
    { "unevaluatedItems", WEIR_SCHEMA_OF_SCHEMA, KEYWORDS_2020, false, AT(unevaluated_items) },
    { "properties", WEIR_SCHEMA_OF_MAP, KEYWORDS_ALL, false, AT(members) },
    { "patternProperties", WEIR_SCHEMA_OF_MAP, KEYWORDS_BOTH, false, 0 },
    { "additionalProperties", WEIR_SCHEMA_OF_SCHEMA, KEYWORDS_ALL, false, AT(other_members) },
    { "propertyNames", WEIR_SCHEMA_OF_SCHEMA, KEYWORDS_BOTH, false, AT(names) },
    { "unevaluatedProperties", WEIR_SCHEMA_OF_SCHEMA, KEYWORDS_2020, false, AT(unevaluated_members) },
    { "dependentSchemas", WEIR_SCHEMA_OF_MAP, KEYWORDS_2020, false, AT(dependent) },
    { "dependencies", WEIR_SCHEMA_OF_DEPENDENCIES, KEYWORDS_07, false, 0 },

    { "type", WEIR_SCHEMA_OF_TYPES, KEYWORDS_ALL, true, 0 },
    { "enum", WEIR_SCHEMA_OF_ARRAY, KEYWORDS_ALL, true, AT(one_of_values) },
    { "const", WEIR_SCHEMA_OF_ANYTHING, KEYWORDS_BOTH, true, AT(the_value) },
    { "multipleOf", WEIR_SCHEMA_OF_POSITIVE, KEYWORDS_ALL, true, AT(multiple_of) },
    { "maximum", WEIR_SCHEMA_OF_NUMBER, KEYWORDS_ALL, true, AT(maximum) },
    { "exclusiveMaximum", WEIR_SCHEMA_OF_NUMBER, KEYWORDS_BOTH, true, AT(below) },
    { "exclusiveMaximum", WEIR_SCHEMA_OF_BOOLEAN, KEYWORDS_30, true, 0 },
    { "exclusiveMinimum", WEIR_SCHEMA_OF_BOOLEAN, KEYWORDS_30, true, 0 },
    { "nullable", WEIR_SCHEMA_OF_BOOLEAN, KEYWORDS_30, true, 0 },
    { "minimum", WEIR_SCHEMA_OF_NUMBER, KEYWORDS_ALL, true, AT(minimum) },
    { "exclusiveMinimum", WEIR_SCHEMA_OF_NUMBER, KEYWORDS_BOTH, true, AT(above) },
    { "maxLength", WEIR_SCHEMA_OF_COUNT, KEYWORDS_ALL, true, AT(max_length) },
    { "minLength", WEIR_SCHEMA_OF_COUNT, KEYWORDS_ALL, true, AT(min_length) },
    { "pattern", WEIR_SCHEMA_OF_STRING, KEYWORDS_ALL, true, 0 },
    { "maxItems", WEIR_SCHEMA_OF_COUNT, KEYWORDS_ALL, true, AT(max_items) },
    { "minItems", WEIR_SCHEMA_OF_COUNT, KEYWORDS_ALL, true, AT(min_items) },
    { "uniqueItems", WEIR_SCHEMA_OF_BOOLEAN, KEYWORDS_ALL, true, AT(has_unique_items) },
    { "maxContains", WEIR_SCHEMA_OF_COUNT, KEYWORDS_2020, true, AT(max_contains) },
    { "minContains", WEIR_SCHEMA_OF_COUNT, KEYWORDS_2020, true, AT(min_contains) },
    { "maxProperties", WEIR_SCHEMA_OF_COUNT, KEYWORDS_ALL, true, AT(max_members) },
    { "minProperties", WEIR_SCHEMA_OF_COUNT, KEYWORDS_ALL, true, AT(min_members) },
    { "required", WEIR_SCHEMA_OF_NAMES, KEYWORDS_ALL, true, AT(required) },
    { "dependentRequired", WEIR_SCHEMA_OF_NEEDS, KEYWORDS_2020, true, 0 },
    { "format", WEIR_SCHEMA_OF_STRING, KEYWORDS_ALL, false, 0 },
    { .name = NULL },
};

/* -- shapes -- */

static bool
shape_is_boolean(const weir_json_t *value)
{
    return value->kind == WEIR_JSON_TRUE || value->kind == WEIR_JSON_FALSE;
}

static bool
shape_is_schema(const weir_json_t *value)
{
    return value->kind == WEIR_JSON_OBJECT || shape_is_boolean(value);
}

/* An array or object, and all that is in it. */
static bool
shape_all(const weir_json_t *value, weir_json_kind_t kind, bool (*holds)(const weir_json_t *value))
{
    for (const weir_json_t *inner = value->first; inner != NULL; inner = inner->next) {
        if (!holds(inner)) {
            return false;
        }
    }
    return value->kind == kind;
}

static bool
shape_is_string(const weir_json_t *value)
{
    return value->kind == WEIR_JSON_STRING;
}

static bool
shape_is_names(const weir_json_t *value)
{
    return shape_all(value, WEIR_JSON_ARRAY, shape_is_string) && weir_schema_are_unique(value);
}

static bool
shape_is_dependency(const weir_json_t *value)
{
    return shape_is_schema(value) || shape_is_names(value);
}

static bool
shape_is_type(const weir_json_t *value)
{
    return value->kind == WEIR_JSON_STRING && weir_schema_type_of_name(value->text) != 0;
}

static bool
shape_is_count(const weir_json_t *value)
{
    return weir_schema_is_integer(value) && weir_schema_number(value) >= 0 && weir_schema_number(value) < 0x1p63L;
}

static bool
shape_is_positive(const weir_json_t *value)
{
    return value->kind == WEIR_JSON_NUMBER && weir_schema_number(value) > 0;
}

bool
weir_schema_shape_holds(weir_schema_shape_t shape, const weir_json_t *value)
{
    switch (shape) {
    case WEIR_SCHEMA_OF_SCHEMA:
        return shape_is_schema(value);
    case WEIR_SCHEMA_OF_SCHEMAS:
        return shape_all(value, WEIR_JSON_ARRAY, shape_is_schema) && value->n != 0;
    case WEIR_SCHEMA_OF_MAP:
        return shape_all(value, WEIR_JSON_OBJECT, shape_is_schema);
    case WEIR_SCHEMA_OF_ITEMS:
        return shape_is_schema(value) || shape_all(value, WEIR_JSON_ARRAY, shape_is_schema);
    case WEIR_SCHEMA_OF_DEPENDENCIES:
        return shape_all(value, WEIR_JSON_OBJECT, shape_is_dependency);
    case WEIR_SCHEMA_OF_COUNT:
        return shape_is_count(value);
    case WEIR_SCHEMA_OF_NUMBER:
        return value->kind == WEIR_JSON_NUMBER;
    case WEIR_SCHEMA_OF_POSITIVE:
        return shape_is_positive(value);
    case WEIR_SCHEMA_OF_BOOLEAN:
        return shape_is_boolean(value);
    case WEIR_SCHEMA_OF_STRING:
        return shape_is_string(value);
    case WEIR_SCHEMA_OF_NAMES:
        return shape_is_names(value);
    case WEIR_SCHEMA_OF_NEEDS:
        return shape_all(value, WEIR_JSON_OBJECT, shape_is_names);
    case WEIR_SCHEMA_OF_TYPES:
        return shape_is_type(value) || (shape_all(value, WEIR_JSON_ARRAY, shape_is_type) && value->n != 0);
    case WEIR_SCHEMA_OF_ARRAY:
        return value->kind == WEIR_JSON_ARRAY;
    case WEIR_SCHEMA_OF_OBJECT:
        return value->kind == WEIR_JSON_OBJECT;
    case WEIR_SCHEMA_OF_ANYTHING:
        return true;
    }
    return false;
}

const char *
weir_schema_shape_text(weir_schema_shape_t shape)
{
    static const char *const texts[] = {
        [WEIR_SCHEMA_OF_SCHEMA] = "a schema",
        [WEIR_SCHEMA_OF_SCHEMAS] = "an array of one or more schemas",
        [WEIR_SCHEMA_OF_MAP] = "an object of schemas",
        [WEIR_SCHEMA_OF_ITEMS] = "a schema or an array of schemas",
        [WEIR_SCHEMA_OF_DEPENDENCIES] = "an object of schemas or arrays of names",
        [WEIR_SCHEMA_OF_COUNT] = "a whole number that is not negative",
        [WEIR_SCHEMA_OF_NUMBER] = "a number",
        [WEIR_SCHEMA_OF_POSITIVE] = "a number above 0",
        [WEIR_SCHEMA_OF_BOOLEAN] = "true or false",
        [WEIR_SCHEMA_OF_STRING] = "a string",
        [WEIR_SCHEMA_OF_NAMES] = "an array of different strings",
        [WEIR_SCHEMA_OF_NEEDS] = "an object of arrays of different strings",
        [WEIR_SCHEMA_OF_TYPES] = "the name of a type, or an array of some",
        [WEIR_SCHEMA_OF_ARRAY] = "an array",
        [WEIR_SCHEMA_OF_OBJECT] = "an object",
        [WEIR_SCHEMA_OF_ANYTHING] = "a value",
    };

    weir_assert((size_t) shape < weir_countof(texts));
    return texts[shape];
}

unsigned
weir_schema_type_of_name(weir_str_t name)
{
    static const struct { weir_str_t name; unsigned type; } types[] = {
        { WEIR_STR_INIT("null"), WEIR_SCHEMA_NULL },       { WEIR_STR_INIT("boolean"), WEIR_SCHEMA_BOOLEAN },
        { WEIR_STR_INIT("integer"), WEIR_SCHEMA_INTEGER }, { WEIR_STR_INIT("number"), WEIR_SCHEMA_NUMBER },
        { WEIR_STR_INIT("string"), WEIR_SCHEMA_STRING },   { WEIR_STR_INIT("array"), WEIR_SCHEMA_ARRAY },
        { WEIR_STR_INIT("object"), WEIR_SCHEMA_OBJECT },
    };

    for (size_t i = 0; i < weir_countof(types); i++) {
        if (weir_str_eq(name, types[i].name)) {
            return types[i].type;
        }
    }
    return 0;
}

/* -- is this a schema? -- */

bool
weir_schema_draft_of(weir_str_t uri, weir_schema_draft_t *draft)
{
    weir_str_t rest;

    (void) weir_str_cut(uri, '#', &uri, &rest);
    if (weir_str_eq(uri, WEIR_STR("https://json-schema.org/draft/2020-12/schema"))) {
        *draft = WEIR_SCHEMA_2020_12;
    } else if (weir_str_eq(uri, WEIR_STR("http://json-schema.org/draft-07/schema"))) {
        *draft = WEIR_SCHEMA_DRAFT_07;
    } else {
        return false;
    }
    return true;
}

/* The schemas in an object or array: those of a dependency that are names are none. */
static bool
schema_all_inside(const weir_json_t *value, weir_schema_draft_t draft, uint32_t depth)
{
    for (const weir_json_t *inner = value->first; inner != NULL; inner = inner->next) {
        if (inner->kind != WEIR_JSON_ARRAY && !weir_schema_is_schema(inner, draft, depth)) {
            return false;
        }
    }
    return true;
}

static bool
schema_keyword_is_good(const weir_schema_keyword_t *keyword, const weir_json_t *value, weir_schema_draft_t draft,
                       uint32_t depth)
{
    if (!weir_schema_shape_holds(keyword->shape, value)) {
        return false;
    }
    switch (keyword->shape) {
    case WEIR_SCHEMA_OF_SCHEMA:
        return weir_schema_is_schema(value, draft, depth);
    case WEIR_SCHEMA_OF_ITEMS:
        return value->kind == WEIR_JSON_ARRAY ? schema_all_inside(value, draft, depth)
                                              : weir_schema_is_schema(value, draft, depth);
    case WEIR_SCHEMA_OF_SCHEMAS: case WEIR_SCHEMA_OF_MAP: case WEIR_SCHEMA_OF_DEPENDENCIES:
        return schema_all_inside(value, draft, depth);
    default:
        return true;
    }
}

bool
weir_schema_is_schema(const weir_json_t *value, weir_schema_draft_t draft, uint32_t depth)
{
    if (shape_is_boolean(value)) {
        return true;
    }
    if (value->kind != WEIR_JSON_OBJECT || depth == 0) {
        return false;
    }
    for (const weir_schema_keyword_t *keyword = weir_schema_keywords; keyword->name != NULL; keyword++) {
        const weir_json_t *inner = weir_json_get(value, weir_str_from_z(keyword->name));

        if (inner != NULL && weir_schema_keyword_is_of(keyword, draft)
            && !schema_keyword_is_good(keyword, inner, draft, depth - 1))
        {
            return false;
        }
    }
    return true;
}
