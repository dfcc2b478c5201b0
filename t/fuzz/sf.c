/*
 * sf.c - a dictionary of a structured field: what is read is written in one form, which reads as the same and is written
 * the same.
 */
#include "http/message/sf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SF_MAX 256

static void
sf_write(weir_buf_t *out, const weir_sf_member_t *first)
{
    for (const weir_sf_member_t *one = first; one != NULL; one = one->next) {
        if (one != first) {
            weir_buf_add_lit(out, ", ");
        }
        weir_buf_add_str(out, one->key);
        weir_buf_add_char(out, '=');
        weir_sf_add_member(out, one);
        if (weir_sf_find_member(first, one->key) != one) {
            abort();                             /* a key is there once */
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char             rooms[2][1 << 17];
    const weir_sf_member_t *first;
    weir_arena_t            arena;
    weir_buf_t              once, again;

    if (size > 8192) {
        return 0;
    }
    weir_arena_init(&arena, 4096);
    if (weir_sf_parse_dictionary(&arena, weir_str((const char *) data, size), SF_MAX, &first)) {
        weir_buf_init(&once, rooms[0], sizeof(rooms[0]));
        weir_buf_init(&again, rooms[1], sizeof(rooms[1]));
        sf_write(&once, first);
        if (once.full || !weir_sf_parse_dictionary(&arena, weir_buf_str(&once), SF_MAX, &first)) {
            abort();
        }
        sf_write(&again, first);
        if (!weir_str_eq(weir_buf_str(&once), weir_buf_str(&again))) {
            abort();
        }
    }
    weir_arena_fini(&arena);
    return 0;
}
