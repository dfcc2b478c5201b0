/*
 * json_schema.c - a schema and a value, with a NUL between them: neither of them hangs or harms.
 */
#include "schema/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const weir_json_t *
find(void *document, weir_str_t uri)
{
    return uri.len % 2 == 0 ? document : NULL;
}

static void
judge(const weir_json_t *document, const weir_json_t *value, weir_schema_draft_t draft)
{
    weir_arena_t                arena;
    weir_error_t                error = { .text = "" };
    weir_schema_fault_t         fault;
    const weir_schema_options_t options = { .draft = draft, .checks_format = true, .find = find,
                                            .data = (void *) document };
    const weir_schema_t        *schema;

    weir_arena_init(&arena, 4096);
    schema = weir_schema_compile(&arena, document, WEIR_STR("http://h/d/s"), &options, &error);
    weir_assert((schema == NULL) == weir_error_is_set(&error));
    if (schema != NULL && !weir_schema_accepts(schema, value, &arena, &fault)) {
        weir_assert(fault.is_limit || fault.rule.len != 0);
    }
    weir_arena_fini(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const weir_json_limits_t limits = { .depth = WEIR_JSON_DEPTH_MAX, .values = 1000 };
    weir_str_t               text = weir_str((const char *) data, size), first, second;
    const weir_json_t       *document, *value;
    weir_arena_t             arena;

    if (!weir_str_cut(text, '\0', &first, &second)) {
        return 0;
    }
    weir_arena_init(&arena, 4096);
    if (weir_json_parse(&arena, first, limits, &document) == WEIR_JSON_GOOD
        && weir_json_parse(&arena, second, limits, &value) == WEIR_JSON_GOOD)
    {
        judge(document, value, WEIR_SCHEMA_2020_12);
        judge(document, value, WEIR_SCHEMA_DRAFT_07);
    }
    weir_arena_fini(&arena);
    return 0;
}
