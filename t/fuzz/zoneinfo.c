/*
 * zoneinfo.c - a file that a configuration takes for a time zone: whatever it says, periods follow one another.
 */
#include "base/arena.h"
#include "base/zoneinfo.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t   moments[] = { 172800, 951782400, 1774746000, 1792890000, INT64_C(4102444800),
                                         INT64_C(1) << 40 };
    weir_arena_t           arena;
    weir_error_t           error = { .text = "" };
    const weir_zoneinfo_t *zone;

    weir_arena_init(&arena, 4096);
    zone = weir_zoneinfo_parse(&arena, weir_str((const char *) data, size), &error);
    if ((zone == NULL) != (error.text[0] != '\0')) {
        abort();
    }
    for (size_t i = 0; zone != NULL && i < 3 * weir_countof(moments); i++) {
        weir_period_unit_t unit = (weir_period_unit_t) (i % 3);
        weir_period_t      p, next;

        weir_zoneinfo_period(zone, unit, moments[i / 3], &p);
        weir_zoneinfo_period(zone, unit, p.end_s, &next);
        if (p.begin_s > moments[i / 3] || p.end_s <= moments[i / 3] || next.begin_s != p.end_s
            || next.number <= p.number)
        {
            abort();
        }
    }
    weir_arena_fini(&arena);
    return 0;
}
