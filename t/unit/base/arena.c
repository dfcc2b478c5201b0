/* arena.c - one lifetime: alignment, own chunks for large pieces, cleanups backwards, a reset that keeps one chunk. */
#include "base/arena.h"

#include "tap.h"

/* AddressSanitizer ends the program at a size that no memory has, unless told not to. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static char   order[8];
static size_t n_order;

static void
note(void *data)
{
    order[n_order++] = *(const char *) data;
}

static weir_arena_t *nested;

static void
note_and_add(void *data)
{
    note(data);
    weir_arena_on_cleanup(nested, note, "z");
}

static void
test_pieces(void)
{
    weir_arena_t arena;
    char        *a, *b, *bytes;
    bool         aligned = true, zero = true;
    size_t       i;

    weir_arena_init(&arena, 1024);
    is_int(arena.total, 0, "an arena that was not used holds nothing");
    for (i = 1; i < 60; i++) {
        a = weir_alloc(&arena, i);
        memset(a, 0xff, i);
        aligned = aligned && (uintptr_t) a % 16 == 0;
    }
    ok(aligned, "every piece is aligned to 16");
    b = weir_alloc_zero(&arena, 200);
    for (i = 0; i < 200; i++) {
        zero = zero && b[i] == 0;
    }
    ok(zero, "alloc_zero is zeroed");
    bytes = weir_alloc_bytes(&arena, 3);
    memcpy(bytes, "abc", 3);
    a = weir_alloc(&arena, 0);
    b = weir_try_alloc(&arena, 0);
    ok((uintptr_t) a % 16 == 0 && b != NULL, "no bytes are a piece too");
    ok(memcmp(bytes, "abc", 3) == 0, "later pieces do not touch earlier ones");
    ok(weir_try_alloc(&arena, SIZE_MAX) == NULL, "a size that no memory has is NULL");
    ok(weir_try_alloc(&arena, SIZE_MAX / 2) == NULL, "and so is one that malloc refuses");
    weir_arena_fini(&arena);
    is_int(arena.total, 0, "fini gives everything back");
}

static void
test_large(void)
{
    weir_arena_t arena;
    char        *small, *large, *next;

    weir_arena_init(&arena, 4096);
    small = weir_alloc(&arena, 16);
    large = weir_alloc(&arena, 100000);
    memset(large, 1, 100000);
    next = weir_alloc(&arena, 16);
    ok((size_t) (next - small) < 128, "a large piece does not end the chunk in use");
    ok(arena.total > 104000, "total counts it");
    weir_arena_reset(&arena);
    is_int(arena.total, 4096, "a reset keeps the first chunk only");
    ok(weir_alloc(&arena, 16) == (void *) small, "and starts it anew");
    weir_arena_fini(&arena);

    weir_arena_init(&arena, 4096);
    large = weir_alloc(&arena, 5000);
    memset(large, 1, 5000);
    weir_arena_reset(&arena);
    is_int(arena.total, 0, "a large piece that came first is not the first chunk");
    weir_arena_fini(&arena);
}

static void
test_warm(void)
{
    weir_arena_t arena;
    size_t       held, i, round;
    bool         same = true;

    weir_arena_init(&arena, 4096);
    for (round = 0; round < 3; round++) {
        for (i = 0; i < 100; i++) {
            memset(weir_alloc(&arena, 100), 1, 100);
        }
        held = arena.total;
        weir_arena_reset(&arena);
        same = same && arena.total == 4096 && held >= 3 * 4096;
    }
    ok(same, "round after round holds the same");
    weir_arena_reset(&arena);
    weir_arena_fini(&arena);
    weir_arena_fini(&arena);
    ok(true, "reset and fini may be repeated");
}

static void
test_cleanups(void)
{
    weir_arena_t arena;

    weir_arena_init(&arena, 256);
    weir_arena_on_cleanup(&arena, note, "a");
    weir_arena_on_cleanup(&arena, note, "b");
    weir_arena_on_cleanup(&arena, note, "c");
    weir_arena_reset(&arena);
    is_str(weir_str(order, n_order), "cba", "cleanups run backwards at a reset");
    weir_arena_reset(&arena);
    is_int(n_order, 3, "once");
    n_order = 0;
    nested = &arena;
    weir_arena_on_cleanup(&arena, note, "a");
    weir_arena_on_cleanup(&arena, note_and_add, "b");
    weir_arena_fini(&arena);
    is_str(weir_str(order, n_order), "bza", "one that a cleanup adds runs too");
}

static void
test_mapped(void)
{
    weir_arena_t arena;
    bool         zero = true, gives = true;
    size_t       steps = 0, before;

    weir_arena_init_mapped(&arena, 65536);
    for (size_t i = 0; i < 5000; i++) {
        char *at = weir_alloc_zero(&arena, 1000);

        for (size_t j = 0; j < 1000; j++) {
            zero = zero && at[j] == 0;
        }
        memset(at, 0xff, 1000);
    }
    ok(zero, "pieces of mapped chunks are zeros");
    memset(weir_alloc(&arena, 100001), 0xff, 100001);
    weir_arena_reset(&arena);
    memset(weir_alloc(&arena, 500), 0xff, 500);
    weir_arena_reset(&arena);
    ok(((char *) weir_alloc_zero(&arena, 500))[499] == 0, "zeros again behind a reset");

    n_order = 0;
    for (size_t i = 0; i < 8; i++) {
        weir_arena_on_cleanup(&arena, note, (char *) (uintptr_t) &"abcdefgh"[i]);
    }
    for (size_t i = 0; i < 500; i++) {
        memset(weir_alloc(&arena, 10000), 1, 10000);
    }
    before = arena.total;
    while (!weir_arena_fini_step(&arena)) {
        steps++;
        gives = gives && arena.total < before;
        before = arena.total;
    }
    ok(gives, "each step gives something back");
    is_str(weir_str(order, n_order), "hgfedcba", "and the first ran the cleanups backwards");
    ok(steps > 50 && arena.total == 0, "it takes many small steps until nothing is held");
    weir_arena_fini(&arena);
}

int
main(void)
{
    test_pieces();
    test_large();
    test_warm();
    test_cleanups();
    test_mapped();
    return done();
}
