/*
 * array.h - a growing array in an arena.  Old copies stay in the arena until it goes: for load time and small counts.
 */
#ifndef WEIR_BASE_ARRAY_H
#define WEIR_BASE_ARRAY_H

#include "base/arena.h"

typedef struct {
    weir_arena_t *arena;
    void         *at;
    size_t        n, cap;
    size_t        item;      /* bytes of one */
} weir_array_t;

void  weir_array_init(weir_array_t *array, weir_arena_t *arena, size_t item, size_t cap);
/* A zeroed new last item; may move the others. */
void *weir_array_push(weir_array_t *array) __attribute__((returns_nonnull));

#define weir_array_at(array, type, i) (&((type *) (array)->at)[i])

#endif
