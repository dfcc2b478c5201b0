/* A table finds what was added, keeps the first value of a key, and grows. */
#include "base/table.h"
#include "tap.h"

static void
test_first_one_stays(weir_arena_t *arena)
{
    weir_table_t table;
    int          a, b;

    weir_table_init(&table, arena);
    ok(weir_table_find(&table, WEIR_STR("x")) == NULL, "nothing is in an empty table");
    ok(weir_table_add(&table, WEIR_STR("x"), &a) == &a, "a key is added");
    ok(weir_table_add(&table, WEIR_STR("x"), &b) == &a, "added again, the first value stays");
    ok(weir_table_find(&table, WEIR_STR("x")) == &a, "and is found");
    is_int(table.n, 1, "it is there once");
    ok(weir_table_add(&table, WEIR_STR(""), &b) == &b && weir_table_find(&table, WEIR_STR_NONE) == &b,
       "the empty text is a key as any other");
    ok(weir_table_find(&table, weir_str("x\0", 2)) == NULL, "a key is compared by all its bytes");
}

static void
test_growth(weir_arena_t *arena)
{
    static int   values[5000];
    weir_table_t table;
    int          wrong = 0;

    weir_table_init(&table, arena);
    for (size_t i = 0; i < weir_countof(values); i++) {
        weir_table_add(&table, weir_str_printf(arena, "key%zu", i), &values[i]);
    }
    for (size_t i = 0; i < weir_countof(values); i++) {
        wrong += weir_table_find(&table, weir_str_printf(arena, "key%zu", i)) != &values[i];
        wrong += weir_table_find(&table, weir_str_printf(arena, "Key%zu", i)) != NULL;
    }
    is_int(wrong, 0, "5,000 keys are found and 5,000 others are not");
    ok(table.cap >= table.n * 2, "at most half of the slots are used");
}

int
main(void)
{
    weir_arena_t arena;

    weir_arena_init(&arena, 65536);
    test_first_one_stays(&arena);
    test_growth(&arena);
    weir_arena_fini(&arena);
    return done();
}
