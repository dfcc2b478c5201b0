/* Pieces lie apart, are given again when they are free, and a region goes with its last one. */
#include "base/pieces.h"
#include "tap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MANY 3000

typedef struct { unsigned char *at; size_t size; unsigned char mark; } held_t;

static held_t held[MANY];

static void
take(held_t *h, size_t size, unsigned mark)
{
    h->size = size;
    h->at = weir_piece_take(&h->size);
    h->mark = (unsigned char) mark;
    if (h->at == NULL || h->size < size || (uintptr_t) h->at % 16 != 0) {
        abort();
    }
    memset(h->at, h->mark, h->size);
}

static bool
is_whole(const held_t *h)
{
    for (size_t i = 0; i < h->size; i++) {
        if (h->at[i] != h->mark) {
            return false;
        }
    }
    return true;
}

static void
test_apart(void)
{
    bool whole = true;
    size_t full;

    srandom(1);
    for (unsigned i = 0; i < MANY; i++) {
        take(&held[i], 1 + (size_t) random() % WEIR_PIECE_MAX, i);
    }
    full = weir_pieces_mapped();
    for (unsigned i = 0; i < MANY; i += 2) {
        whole = whole && is_whole(&held[i]);
        weir_piece_give(held[i].at);
    }
    ok(whole, "no piece lies in another one");
    for (unsigned i = 0; i < MANY; i += 2) {
        take(&held[i], held[i].size, i + 7);
    }
    ok(weir_pieces_mapped() <= full, "what is free is given again before more is mapped");
    for (unsigned i = 0; i < MANY; i++) {
        whole = whole && is_whole(&held[i]);
        weir_piece_give(held[i].at);
    }
    ok(whole, "nor then");
    is_int(weir_pieces_mapped(), 0, "regions go with their last pieces");
}

static void
test_sizes(void)
{
    size_t sizes[] = { 1, 2032, 2033, WEIR_PIECE_MAX }, all = 0;

    for (size_t i = 0; i < weir_countof(sizes); i++) {
        take(&held[i], sizes[i], 1);
        all += held[i].size;
    }
    is_int(all, 2032 + 2032 + 4080 + WEIR_PIECE_MAX, "the next size of 2 to 32 KiB, less 16 bytes");
    for (size_t i = 0; i < weir_countof(sizes); i++) {
        weir_piece_give(held[i].at);
    }
}

int
main(void)
{
    test_apart();
    test_sizes();
    return done();
}
