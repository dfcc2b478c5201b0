/*
 * table.c - linear probing, at most half full, so that a miss ends after a slot or two.
 *
 * Runs wherever a configuration is built; memory is the arena's.
 */
#include "base/table.h"

#define TABLE_FIRST_CAP 16

void
weir_table_init(weir_table_t *table, weir_arena_t *arena)
{
    *table = (weir_table_t) { .arena = arena };
    table->seed = (uint64_t) (uintptr_t) table * UINT64_C(0x9e3779b97f4a7c15);
}

/* The slot that holds the key, or the free one where it belongs. */
static weir_table_slot_t *
table_probe(const weir_table_t *table, weir_str_t key, uint64_t hash)
{
    size_t i = (size_t) hash & (table->cap - 1);

    while (table->slots[i].value != NULL && (table->slots[i].hash != hash || !weir_str_eq(table->slots[i].key, key))) {
        i = (i + 1) & (table->cap - 1);
    }
    return &table->slots[i];
}

void *
weir_table_find(const weir_table_t *table, weir_str_t key)
{
    return table->n != 0 ? table_probe(table, key, weir_str_hash(key, table->seed))->value : NULL;
}

static void
table_grow(weir_table_t *table)
{
    weir_table_slot_t *old = table->slots;
    size_t             n = table->cap;

    weir_assert(n <= SIZE_MAX / 4 / sizeof(*old));
    table->cap = n != 0 ? n * 2 : TABLE_FIRST_CAP;
    weir_assert((table->cap & (table->cap - 1)) == 0 && table->n < table->cap);     /* a free slot ends each search */
    table->slots = weir_new_n(table->arena, weir_table_slot_t, table->cap);
    for (size_t i = 0; i < n; i++) {
        if (old[i].value != NULL) {
            *table_probe(table, old[i].key, old[i].hash) = old[i];
        }
    }
}

void *
weir_table_add(weir_table_t *table, weir_str_t key, void *value)
{
    uint64_t           hash = weir_str_hash(key, table->seed);
    weir_table_slot_t *slot;

    weir_assert(value != NULL);
    if ((table->n + 1) * 2 > table->cap) {
        table_grow(table);
        weir_assert((table->n + 1) * 2 <= table->cap);
    }
    slot = table_probe(table, key, hash);
    if (slot->value == NULL) {
        *slot = (weir_table_slot_t) { .key = key, .hash = hash, .value = value };
        table->n++;
    }
    return slot->value;
}
