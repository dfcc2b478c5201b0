/*
 * mem.c - the allocation seam over the C library's heap.  Runs in every process.
 */
#include "base/mem.h"

#include "base/heap.h"

#include <string.h>

static void *mem_reserve;       /* of all threads: a configuration is built beside the loop */

void *
weir_mem_try(size_t size)
{
    return weir_heap_alloc(size);
}

bool
weir_mem_use_reserve(void)
{
    void *reserve = __atomic_exchange_n(&mem_reserve, NULL, __ATOMIC_ACQ_REL);

    weir_heap_free(reserve);
    return reserve != NULL;
}

bool
weir_mem_keep_reserve(size_t size)
{
    void *none = NULL, *reserve;

    if (weir_likely(__atomic_load_n(&mem_reserve, __ATOMIC_RELAXED) != NULL)) {
        return true;
    }
    reserve = weir_heap_alloc(size);
    if (reserve != NULL
        && !__atomic_compare_exchange_n(&mem_reserve, &none, reserve, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        weir_heap_free(reserve);
    }
    return reserve != NULL;
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
weir_mem_try_map(size_t size, bool at_once)
{
    return weir_heap_map(size, at_once);
}

void
weir_mem_unmap(void *p, size_t size)
{
    weir_heap_unmap(p, size);
}

void
weir_mem_trim(void)
{
    weir_heap_trim();
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
