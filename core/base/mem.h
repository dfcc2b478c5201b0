/*
 * mem.h - memory: may fail (try) or may not (need).  Under both is heap.h, which a test replaces at link time.
 */
#ifndef WEIR_BASE_MEM_H
#define WEIR_BASE_MEM_H

#include "base/base.h"

void *weir_mem_try(size_t size) WEIR_MUST_USE;      /* NULL when there is no memory; caller owns, weir_mem_free */
void *weir_mem_try_resize(void *p, size_t size) WEIR_MUST_USE; /* NULL leaves p as it was */
void  weir_mem_free(void *p);
/* Whole pages of zeros, from the kernel and back to it at once; at_once: they are there already when they are touched.
 * NULL when there is no memory. */
void *weir_mem_try_map(size_t size, bool at_once) WEIR_MUST_USE;
void  weir_mem_unmap(void *p, size_t size);
/* After much was freed: to the kernel.  Takes its time by the size of the heap. */
void  weir_mem_trim(void);

/* Small allocations that must succeed: never NULL, zeroed; panics when there is no memory. */
void *weir_mem_need(size_t size) WEIR_MUST_USE;

/* A reserve that a process keeps so that what must succeed does, once, when memory runs out.  use: gives it up; false:
 * there was none.  keep: makes it when it is missing (false: still no memory); a worker calls it once a turn. */
bool weir_mem_use_reserve(void);
bool weir_mem_keep_reserve(size_t size);

/* Overwrites a secret in a way the compiler cannot drop. */
void weir_mem_wipe(void *p, size_t size);

#endif
