/*
 * json.c - a JSON text: what is taken is what the store's library takes, too, with as many members; and its parts lie
 * where they may.
 */
#include "base/json.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
json_count(const weir_json_t *value)
{
    size_t n = 1;

    for (const weir_json_t *child = value->first; child != NULL; child = child->next) {
        n += json_count(child);
    }
    return n;
}

static size_t
json_count_theirs(const json_t *value)
{
    const char *name;
    json_t     *child;
    size_t      n = 1, i;

    json_object_foreach((json_t *) (uintptr_t) value, name, child) {
        n += json_count_theirs(child);
    }
    json_array_foreach(value, i, child) {
        n += json_count_theirs(child);
    }
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const weir_json_limits_t limits = { .depth = 32, .values = 10000 };
    weir_arena_t             arena;
    const weir_json_t       *value;
    weir_json_result_t       result;
    json_error_t             error;
    json_t                  *theirs;
    int64_t                  whole;

    weir_arena_init(&arena, 4096);
    result = weir_json_parse(&arena, weir_str((const char *) data, size), limits, &value);
    theirs = json_loadb((const char *) data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (result == WEIR_JSON_GOOD) {
        /* It cannot hold large numbers, and no NUL in a name. */
        if (theirs == NULL && json_error_code(&error) != json_error_numeric_overflow
            && json_error_code(&error) != json_error_null_byte_in_key)
        {
            abort();
        }
        if (theirs != NULL && json_count(value) != json_count_theirs(theirs)) {
            abort();
        }
        (void) !weir_json_to_whole(value, &whole);
        (void) weir_json_get(value, WEIR_STR("a"));
    } else if (theirs != NULL && result != WEIR_JSON_TOO_LARGE && memchr(data, 0, size) == NULL) { /* theirs ends at one */
        abort();
    }
    json_decref(theirs);
    weir_arena_fini(&arena);
    return 0;
}
