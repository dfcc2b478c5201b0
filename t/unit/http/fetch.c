/*
 * fetch.c - how long a document holds, as Cache-Control says.
 */
#include "http/fetch/fetch.h"

#include "../tap.h"

static void
is_age(const char *first, const char *second, uint64_t want)
{
    const char   *values[] = { first, second };
    weir_fields_t fields = { .n = 0 };
    weir_arena_t  arena;

    weir_arena_init(&arena, 1024);
    (void) weir_fields_add(&fields, &arena, WEIR_HEADER_OTHER, WEIR_STR("X"), WEIR_STR("max-age=1"), 0);
    for (size_t i = 0; i < 2 && values[i] != NULL; i++) {
        (void) weir_fields_add(&fields, &arena, WEIR_HEADER_CACHE_CONTROL, WEIR_STR("Cache-Control"),
                               weir_str_from_z(values[i]), 0);
    }
    ok(weir_fetch_max_age(&fields) == want, first != NULL ? first : "nothing");
    weir_arena_fini(&arena);
}

int
main(void)
{
    is_age(NULL, NULL, UINT64_MAX);
    is_age("max-age=60", NULL, 60);
    is_age("public, Max-Age=\"61\" , must-revalidate", NULL, 61);
    is_age("max-age=60, max-age=50", NULL, 50);
    is_age("public", "max-age=70", 70);
    is_age("no-store", "max-age=70", 0);
    is_age("max-age=70, no-cache", NULL, 0);
    is_age("max-age=", NULL, UINT64_MAX);
    is_age("max-age=-1", NULL, UINT64_MAX);
    is_age("max-age=1.5", NULL, UINT64_MAX);
    is_age("max-age", NULL, UINT64_MAX);
    is_age("s-maxage=5", NULL, UINT64_MAX);
    is_age("x-max-age=5", NULL, UINT64_MAX);
    is_age(",,=,\"", NULL, UINT64_MAX);
    is_age("max-age=99999999999999999999", NULL, UINT32_MAX);
    return done();
}
