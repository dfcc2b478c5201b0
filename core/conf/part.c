/*
 * part.c - see part.h.
 */
#include "conf/part.h"

#include "base/array.h"
#include "base/mem.h"

#include <stdlib.h>

#define PART_CHUNK ((size_t) 2048 - 64)      /* a piece of the smallest size, with what the arena and the piece add */

weir_part_t *
weir_part_create(void)
{
    weir_part_t *part = weir_mem_need(sizeof(*part));

    weir_arena_init_small(&part->arena, PART_CHUNK);
    part->refs = 1;
    return part;
}

weir_part_t *
weir_part_ref(weir_part_t *part)
{
    uint32_t refs = __atomic_fetch_add(&part->refs, 1, __ATOMIC_RELAXED);

    weir_assert(refs > 0 && refs < UINT32_MAX);
    return part;
}

void
weir_part_unref(weir_part_t *part)
{
    uint32_t refs = __atomic_fetch_sub(&part->refs, 1, __ATOMIC_ACQ_REL);

    weir_assert(refs > 0);
    if (refs == 1) {
        weir_arena_fini(&part->arena);
        weir_mem_free(part);
    }
}

/* -- pointers from part to part -- */

/* part NULL: above them all. */
typedef struct { const char *from, *to; const weir_part_t *part; } part_range_t;

typedef struct {
    const weir_part_t *part, *environment;   /* whose memory is gathered, or looked through; which all may point at */
    weir_array_t       ranges;           /* of part_range_t, by address */
    weir_part_leak_t  *leaks;
    size_t             max, n;
} part_scan_t;

static void
part_gather(void *data, const void *from, size_t size)
{
    part_scan_t *scan = data;

    *(part_range_t *) weir_array_push(&scan->ranges) = (part_range_t) { from, (const char *) from + size, scan->part };
}

static int
part_compare(const void *a, const void *b)
{
    const part_range_t *left = a, *right = b;

    return (left->from > right->from) - (left->from < right->from);
}

static const part_range_t *
part_range_of(const part_scan_t *scan, const char *at)
{
    size_t low = 0, high = scan->ranges.n;

    while (low < high) {
        size_t              middle = (low + high) / 2;
        const part_range_t *range = weir_array_at(&scan->ranges, part_range_t, middle);

        if (at < range->from) {
            high = middle;
        } else if (at >= range->to) {
            low = middle + 1;
        } else {
            return range;
        }
    }
    return NULL;
}

__attribute__((no_sanitize("address"))) static void
part_look(void *data, const void *from, size_t size)
{
    part_scan_t *scan = data;

    for (size_t i = 0; i + sizeof(void *) <= size; i += sizeof(void *)) {
        const void *const *at = (const void *const *) ((const char *) from + i);
        const part_range_t *into = part_range_of(scan, *at);

        if (into == NULL || into->part == scan->part || into->part == scan->environment) {
            continue;
        }
        if (scan->n < scan->max) {
            scan->leaks[scan->n] = (weir_part_leak_t) { .at = at, .to = *at, .from = scan->part, .into = into->part };
        }
        scan->n++;
    }
}

size_t
weir_part_leaks(weir_part_t *const *parts, size_t n, const weir_arena_t *above, weir_part_leak_t *leaks, size_t max)
{
    weir_arena_t scratch;
    part_scan_t  scan = { .leaks = leaks, .max = max, .environment = parts[0] };

    weir_arena_init(&scratch, 65536);
    weir_array_init(&scan.ranges, &scratch, sizeof(part_range_t), 0);
    weir_arena_each(above, part_gather, &scan);
    for (size_t i = 0; i < n; i++) {
        scan.part = parts[i];
        weir_arena_each(&parts[i]->arena, part_gather, &scan);
    }
    qsort(scan.ranges.at, scan.ranges.n, sizeof(part_range_t), part_compare);
    for (size_t i = 0; i < n; i++) {
        scan.part = parts[i];
        weir_arena_each(&parts[i]->arena, part_look, &scan);
    }
    weir_arena_fini(&scratch);
    return scan.n;
}
