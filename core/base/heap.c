/*
 * heap.c - see heap.h.  A file of its own, so that calls to it cross objects and can be replaced.
 */
#include "base/heap.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void *
weir_heap_alloc(size_t size)
{
    return malloc(size != 0 ? size : 1);
}

void *
weir_heap_resize(void *p, size_t size)
{
    return realloc(p, size != 0 ? size : 1);
}

void
weir_heap_free(void *p)
{
    free(p);
}

void
weir_heap_trim(void)
{
#ifdef __GLIBC__
    (void) malloc_trim(0);
#endif
}
