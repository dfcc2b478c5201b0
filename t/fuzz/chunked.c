/*
 * chunked.c - fuzz target: a chunked body, whole and in pieces that the input chooses.
 *
 * Oracles: verdict, data, end and trailers do not depend on cuts; encoding the data anew and decoding it gives the
 * data.
 */
#include "http/h1/chunked.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    weir_chunked_t        chunked;
    weir_chunked_result_t result;
    char                 *data;
    size_t                produced, consumed;
} outcome_t;

/* Pieces of 1 to `step` bytes; the next one's size comes from the bytes of this one. */
static void
decode(outcome_t *out, const char *bytes, size_t len, size_t step, weir_arena_t *arena)
{
    size_t at, n, take = 1, consumed, produced;
    char  *piece;

    *out = (outcome_t) { .result = WEIR_CHUNKED_MORE, .data = weir_alloc(arena, len + 1) };
    for (at = 0; at < len && out->result == WEIR_CHUNKED_MORE; at += n) {
        n = step < len ? (take < len - at ? take : len - at) : len;
        piece = malloc(n);
        weir_assert(piece != NULL);
        memcpy(piece, bytes + at, n);
        take = 1 + (unsigned char) piece[n / 2] % step;
        out->result = weir_chunked_decode(&out->chunked, piece, n, &consumed, &produced, arena);
        weir_assert(consumed <= n && produced <= consumed);
        weir_assert(out->result != WEIR_CHUNKED_MORE || consumed == n);
        memcpy(out->data + out->produced, piece, produced);
        out->produced += produced;
        out->consumed += consumed;
        free(piece);
    }
    weir_assert(out->produced == out->chunked.total);
    weir_assert(out->result == WEIR_CHUNKED_BAD || out->consumed == out->chunked.total + out->chunked.framing);
}

static void
check_same(const outcome_t *a, const outcome_t *b)
{
    weir_assert(a->result == b->result && a->produced == b->produced && a->consumed == b->consumed);
    weir_assert(memcmp(a->data, b->data, a->produced) == 0);
    weir_assert(weir_str_eq(weir_chunked_trailers(&a->chunked), weir_chunked_trailers(&b->chunked)));
    weir_assert(a->chunked.left == b->chunked.left && a->chunked.framing == b->chunked.framing);
}

static void
check_encoding(const outcome_t *whole, weir_arena_t *arena)
{
    char     *text = weir_alloc(arena, whole->produced + 64);
    size_t    len = 0;
    outcome_t again;

    if (whole->produced != 0) {
        len = weir_chunked_head(text, whole->produced);
        memcpy(text + len, whole->data, whole->produced);
        len += whole->produced;
        memcpy(text + len, "\r\n", 2);
        len += 2;
    }
    memcpy(text + len, "0\r\n\r\n", 5);
    decode(&again, text, len + 5, 7, arena);
    weir_assert(again.result == WEIR_CHUNKED_DONE && again.produced == whole->produced && again.consumed == len + 5);
    weir_assert(memcmp(again.data, whole->data, whole->produced) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_arena_t arena;
    outcome_t    whole, pieces;

    weir_arena_init(&arena, 4096);
    decode(&whole, (const char *) data, size, size + 1, &arena);
    decode(&pieces, (const char *) data, size, 1, &arena);
    check_same(&whole, &pieces);
    decode(&pieces, (const char *) data, size, 23, &arena);
    check_same(&whole, &pieces);
    check_encoding(&whole, &arena);
    weir_arena_fini(&arena);
    return 0;
}
