/*
 * mem.c - the allocation seam over the C library's heap.  Runs in every process.
 */
#include "base/mem.h"

#include "base/heap.h"

#include <string.h>

static void *mem_reserve;

void *
weir_mem_try(size_t size)
{
    return weir_heap_alloc(size);
}

bool
weir_mem_use_reserve(void)
{
    bool had = mem_reserve != NULL;

    weir_heap_free(mem_reserve);
    mem_reserve = NULL;
    return had;
}

bool
weir_mem_keep_reserve(size_t size)
{
    if (mem_reserve == NULL) {
        mem_reserve = weir_heap_alloc(size);
    }
    return mem_reserve != NULL;
}

void *
weir_mem_try_resize(void *p, size_t size)
{
    return weir_heap_resize(p, size);
}

void
weir_mem_free(void *p)
{
    weir_heap_free(p);
}

void *
weir_mem_need(size_t size)
{
    void *p = weir_heap_alloc(size);

    if (weir_unlikely(p == NULL) && weir_mem_use_reserve()) {
        p = weir_heap_alloc(size);
    }
    if (weir_unlikely(p == NULL)) {
        weir_panic(__FILE__, __LINE__, "no memory");
    }
    return memset(p, 0, size);
}

void
weir_mem_wipe(void *p, size_t size)
{
    if (size != 0) {
        explicit_bzero(p, size);
    }
}
