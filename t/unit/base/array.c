/* array.c - a growing array keeps its items and gives zeroed ones. */
#include "base/array.h"

#include "tap.h"

typedef struct { uint64_t number; char text[12]; } item_t;

int
main(void)
{
    weir_arena_t arena;
    weir_array_t array;
    item_t      *item;
    size_t       i;
    bool         zero = true, kept = true;

    weir_arena_init(&arena, 1024);
    weir_array_init(&array, &arena, sizeof(item_t), 0);
    is_int(array.n, 0, "an array begins empty");
    is_int(arena.total, 0, "and takes nothing before the first item");
    for (i = 0; i < 1000; i++) {
        item = weir_array_push(&array);
        zero = zero && item->number == 0 && item->text[11] == 0;
        *item = (item_t) { .number = i, .text = "some text" };
    }
    is_int(array.n, 1000, "it counts");
    ok(zero, "every new item is zeroed");
    for (i = 0; i < 1000; i++) {
        kept = kept && weir_array_at(&array, item_t, i)->number == i;
    }
    ok(kept, "growing keeps the items");

    weir_array_init(&array, &arena, sizeof(item_t), 4);
    item = weir_array_push(&array);
    (void) weir_array_push(&array);
    (void) weir_array_push(&array);
    (void) weir_array_push(&array);
    ok(item == array.at && array.cap == 4, "within its first capacity nothing moves");
    weir_arena_fini(&arena);
    return done();
}
