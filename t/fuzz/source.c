/*
 * source.c - fuzz target: lists of servers, as lines or JSON, and packed as in shared memory.
 *
 * Oracle: a list that is read has no more peers than may be, each with an address and numbers within their bounds; it
 * is the same when it was packed and unpacked; bytes that are unpacked are bounded, and pack to a list that is the same.
 */
#include "base/mem.h"
#include "upstream/source.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_list(const weir_source_list_t *list)
{
    weir_source_list_t again;
    size_t             n = weir_source_pack(list->at, list->n, NULL);
    char              *bytes = malloc(n + 1);

    weir_assert(list->n <= WEIR_SOURCE_PEERS);
    for (size_t i = 0; i < list->n; i++) {
        weir_assert(list->at[i].weight <= WEIR_SOURCE_WEIGHT_MAX && list->at[i].addr.len != 0);
    }
    weir_assert(weir_source_pack(list->at, list->n, bytes) == n);
    weir_assert(weir_source_unpack(weir_str(bytes, n), &again));
    weir_assert(weir_source_eq(list->at, list->n, again.at, again.n));
    weir_source_free(&again);
    if (n != 0) {
        bool is_good = weir_source_unpack(weir_str(bytes, n - 1), &again);

        weir_assert(!is_good);
    }
    free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char              *copy = malloc(size + 1);              /* so that a byte too many is seen */
    weir_arena_t       arena;
    weir_source_list_t list;
    weir_error_t       error = { .text = "" };

    if (size != 0) {
        memcpy(copy, data, size);
    }
    weir_arena_init(&arena, 4096);
    if (weir_source_read(&arena, weir_str(copy, size), size % 2 == 0, &list, &error)) {
        check_list(&list);
    } else {
        weir_assert(weir_error_is_set(&error));
    }
    weir_arena_fini(&arena);
    if (weir_source_unpack(weir_str(copy, size), &list)) {
        check_list(&list);
        weir_source_free(&list);
    }
    free(copy);
    return 0;
}
