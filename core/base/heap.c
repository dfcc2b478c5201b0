/*
 * heap.c - see heap.h.  A file of its own, so that calls to it cross objects and can be replaced.
 */
#define _GNU_SOURCE 1

#include "base/heap.h"

#include <stdlib.h>
#include <sys/mman.h>
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

void *
weir_heap_map(size_t size, bool at_once)
{
    int   flags = MAP_PRIVATE | MAP_ANONYMOUS | (at_once ? MAP_POPULATE : 0);
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);

    return p != MAP_FAILED ? p : NULL;
}

void
weir_heap_unmap(void *p, size_t size)
{
    (void) munmap(p, size);
}

void
weir_heap_trim(void)
{
#ifdef __GLIBC__
    (void) malloc_trim(0);
#endif
}
