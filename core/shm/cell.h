/*
 * cell.h - sixteen bytes in shared memory that change as one: a name and a value, by one compare-and-swap (cmpxchg16b;
 * ldaxp and stlxp).
 *
 * Inline, allocates nothing.  A process killed at any instruction leaves the old or the new sixteen bytes.
 */
#ifndef WEIR_SHM_CELL_H
#define WEIR_SHM_CELL_H

#include "base/base.h"

typedef struct {
    _Alignas(16) uint64_t name;
    uint64_t value;
} weir_cell_t;

/* The two halves may be of two moments: a process that acts on them does so by weir_cell_swap, which finds out. */
static inline weir_cell_t
weir_cell_load(const weir_cell_t *cell)
{
    weir_cell_t seen;

    seen.name = __atomic_load_n(&cell->name, __ATOMIC_ACQUIRE);
    seen.value = __atomic_load_n(&cell->value, __ATOMIC_ACQUIRE);
    return seen;
}

/* false: the cell is not as `was`.  What came before it in the program has happened for each process that sees the
 * change, and what follows has not happened before. */
static inline bool
weir_cell_swap(weir_cell_t *cell, weir_cell_t was, weir_cell_t next)
{
#if defined(__x86_64__)
    bool done;

    __asm__ volatile("lock cmpxchg16b %1"
                     : "=@ccz"(done), "+m"(*cell), "+a"(was.name), "+d"(was.value)
                     : "b"(next.name), "c"(next.value)
                     : "memory");
    return done;
#elif defined(__aarch64__)
    uint64_t name, value;
    uint32_t failed;

    do {
        __asm__ volatile("ldaxp %0, %1, %2" : "=&r"(name), "=&r"(value) : "Q"(*cell) : "memory");
        if (name != was.name || value != was.value) {
            __asm__ volatile("clrex" ::: "memory");
            return false;
        }
        __asm__ volatile("stlxp %w0, %2, %3, %1" : "=&r"(failed), "=Q"(*cell) : "r"(next.name),
                         "r"(next.value) : "memory");
    } while (failed);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return true;
#else
#error "Weir needs a compare-and-swap of 16 bytes: x86-64 or aarch64"
#endif
}

#endif
