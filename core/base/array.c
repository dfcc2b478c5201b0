/*
 * array.c - growth by doubling; memory is the arena's.
 */
#include "base/array.h"

#include <string.h>

#define ARRAY_FIRST_CAP 8

void
weir_array_init(weir_array_t *array, weir_arena_t *arena, size_t item, size_t cap)
{
    weir_assert(item != 0 && cap <= SIZE_MAX / 2 / item);
    *array = (weir_array_t) { .arena = arena, .item = item, .cap = cap };
    if (cap != 0) {
        array->at = weir_alloc(arena, cap * item);
    }
}

static void
array_grow(weir_array_t *array)
{
    size_t cap = array->cap != 0 ? array->cap * 2 : ARRAY_FIRST_CAP;
    void  *at;

    weir_assert(array->n == array->cap && array->arena != NULL);
    weir_assert(cap <= SIZE_MAX / 2 / array->item);
    at = weir_alloc(array->arena, cap * array->item);
    if (array->n != 0) {
        memcpy(at, array->at, array->n * array->item);
    }
    array->at = at;
    array->cap = cap;
}

void *
weir_array_push(weir_array_t *array)
{
    weir_assert(array->item != 0 && array->n <= array->cap);
    if (array->n == array->cap) {
        array_grow(array);
    }
    return memset((char *) array->at + array->n++ * array->item, 0, array->item);
}
