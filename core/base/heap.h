/*
 * heap.h - the seam over the C library's heap: a test replaces these at link time (--wrap) to make each allocation
 * fail.
 */
#ifndef WEIR_BASE_HEAP_H
#define WEIR_BASE_HEAP_H

#include "base/base.h"

void *weir_heap_alloc(size_t size) WEIR_MUST_USE;            /* NULL: no memory; never for size 0 otherwise */
void *weir_heap_resize(void *p, size_t size) WEIR_MUST_USE;  /* NULL leaves p as it was */
void  weir_heap_free(void *p);
/* Whole pages of zeros; at_once: they are there already.  NULL: no memory. */
void *weir_heap_map(size_t size, bool at_once) WEIR_MUST_USE;
void  weir_heap_unmap(void *p, size_t size);
void  weir_heap_trim(void);                                  /* whole pages that are free go back to the kernel */

#endif
