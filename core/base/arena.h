/*
 * arena.h - bump allocation with one lifetime (a generation, a connection, a request).
 *
 * Memory is given back all at once; reset keeps the first chunk so that a reused arena allocates nothing.
 */
#ifndef WEIR_BASE_ARENA_H
#define WEIR_BASE_ARENA_H

#include "base/base.h"

typedef struct weir_arena_chunk weir_arena_chunk_t;
typedef struct weir_arena_cleanup weir_arena_cleanup_t;

typedef struct {
    char                 *at, *end;    /* free room of the newest chunk */
    weir_arena_chunk_t   *chunks;      /* newest first; the first made stays over a reset */
    weir_arena_chunk_t   *large;       /* of one request each, for more than chunk_size / 4 */
    weir_arena_cleanup_t *cleanups;    /* run in reverse order at reset and fini */
    size_t                chunk_size;  /* bytes of an ordinary chunk */
    size_t                total;       /* bytes held now, for limits and tests */
    bool                  maps;        /* its chunks are mapped */
    bool                  is_small;    /* … those that are not large are pieces (pieces.h) */
    bool                  is_zero;     /* what was not given out yet is */
} weir_arena_t;

/* Embedded in its owner.  No memory is taken until the first allocation. */
void weir_arena_init(weir_arena_t *arena, size_t chunk_size);
/* Its chunks are mapped one by one, so that they go back to the kernel when they are freed, whatever else there is: for
 * what is large and lives long. */
void weir_arena_init_mapped(weir_arena_t *arena, size_t chunk_size);
/* The same for one of many that are small. */
void weir_arena_init_small(weir_arena_t *arena, size_t chunk_size);
void weir_arena_reset(weir_arena_t *arena);
void weir_arena_fini(weir_arena_t *arena);
/* A small part of what fini does, some microseconds long.  true: all is done. */
bool weir_arena_fini_step(weir_arena_t *arena) WEIR_MUST_USE;
/* Overwrites all that was taken from the arena, which must not be in use any more: before it is given back, where
 * secrets lay in it. */
void weir_arena_wipe(weir_arena_t *arena);

/* Aligned to 16.  Never NULL: for sizes that the program chooses (panics when there is no memory). */
void *weir_alloc(weir_arena_t *arena, size_t size) WEIR_MUST_USE __attribute__((returns_nonnull, malloc));
void *weir_alloc_zero(weir_arena_t *arena, size_t size) WEIR_MUST_USE __attribute__((returns_nonnull));

/* For sizes that a peer chose: NULL when there is no memory, to become 413, 431 or 503. */
void *weir_try_alloc(weir_arena_t *arena, size_t size) WEIR_MUST_USE;

/* Unaligned bytes: for copies of text. Never NULL. */
char *weir_alloc_bytes(weir_arena_t *arena, size_t size) WEIR_MUST_USE __attribute__((returns_nonnull));

/* Each piece of memory that it holds, in no order. */
void weir_arena_each(const weir_arena_t *arena, void (*each)(void *data, const void *from, size_t size), void *data);

/* run(data) is called once, before the memory goes. */
void weir_arena_on_cleanup(weir_arena_t *arena, void (*run)(void *data), void *data);

#define weir_new(arena, type)      ((type *) weir_alloc_zero((arena), sizeof(type)))
#define weir_new_n(arena, type, n) ((type *) weir_alloc_zero((arena), sizeof(type) * (n)))

#endif
