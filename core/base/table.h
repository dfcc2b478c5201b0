/*
 * table.h - a hash table from texts to pointers in an arena: filled at load time, read for as long as the arena lives.
 *
 * Open addressing over a keyed hash.  Nothing is ever taken out.  Old slots stay in the arena when it grows.
 */
#ifndef WEIR_BASE_TABLE_H
#define WEIR_BASE_TABLE_H

#include "base/arena.h"
#include "base/str.h"

typedef struct {
    weir_str_t key;
    uint64_t   hash;
    void      *value;      /* NULL: the slot is free */
} weir_table_slot_t;

typedef struct {
    weir_arena_t      *arena;
    weir_table_slot_t *slots;
    size_t             n, cap;     /* cap: a power of two, or 0 */
    uint64_t           seed;
} weir_table_t;

/* No memory is taken until the first addition. */
void  weir_table_init(weir_table_t *table, weir_arena_t *arena);
void *weir_table_find(const weir_table_t *table, weir_str_t key);     /* NULL: not there */
/* Adds it, unless the key is there already: then nothing changes.  Returns the value that stands there.  The key is
 * borrowed; value may not be NULL. */
void *weir_table_add(weir_table_t *table, weir_str_t key, void *value);

#endif
