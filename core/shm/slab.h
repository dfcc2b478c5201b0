/*
 * slab.h - blocks of any size in a zone: what variable-size things in shared memory are made of.
 *
 * Small blocks (up to half a page) come in classes, so many of one size to a page, a bit for each; larger ones are runs
 * of 1, 2, 4 … 256 pages that are split and joined again as buddies.  A block of 4 KiB and more lies at a page's
 * begin, all are aligned to 16.
 *
 * A block always has an owner: the word in the same zone that says where it is.  To allocate is to fill such a word and
 * to free is to empty it, and the slab does either whole: a process killed at any instruction leaves the block with its
 * owner or with the slab, never with neither and never with both (guard.h).  A caller that moves a block from word to
 * word does so under a guard of its own.
 *
 * The first word of a new block is 0: an owner for the next block, so that chains are whole from the start.
 *
 * Geometry comes from the sizes that the caller knows.  What the memory itself says is checked on use: whatever it
 * holds, nothing outside of the slab is touched, and the result is BROKEN.  Runs in workers and in the master;
 * allocates nothing beside.
 */
#ifndef WEIR_SHM_SLAB_H
#define WEIR_SHM_SLAB_H

#include "shm/guard.h"

#define WEIR_SLAB_PAGE  4096
#define WEIR_SLAB_MAX   (256 * WEIR_SLAB_PAGE)           /* the largest block */
#define WEIR_SLAB_ALIGN 16

typedef enum {
    WEIR_SLAB_DONE,
    WEIR_SLAB_FULL,                          /* no such block is free, or none is that large */
    WEIR_SLAB_BUSY,                          /* see guard.h */
    WEIR_SLAB_BROKEN,                        /* the memory is damaged; nothing was changed */
} weir_slab_result_t;

struct slab_head;
struct slab_page;

/* A process's view of it. */
typedef struct {
    weir_region_t     zone;
    struct slab_head *head;                  /* in shared memory, as all below */
    struct slab_page *pages;                 /* a descriptor for each page */
    uint64_t          first, n_pages;        /* where pages begin, how many there are */
} weir_slab_t;

typedef struct { uint64_t pages, pages_free, used, blocks; } weir_slab_count_t;      /* used: bytes of blocks */

/* The view of a slab that lies in the zone's bytes from … to, from aligned to 64.  false: these are too few. */
bool weir_slab_view(weir_slab_t *slab, weir_region_t zone, uint64_t from, uint64_t to) WEIR_MUST_USE;
/* All of it is free.  No other process uses it. */
void weir_slab_format(const weir_slab_t *slab);
/* So, while others may use it, if `may` (called with the guard held) says that it may be.  BUSY: it says no, or the
 * guard is. */
weir_slab_result_t weir_slab_reset(const weir_slab_t *slab, bool (*may)(void *data), void *data) WEIR_MUST_USE;

/* *at, which is 0 (else BROKEN), becomes the place of a block of at least `size` bytes.  BUSY also: it was 0 only
 * because a process was killed while it freed the block, and is that block again. */
weir_slab_result_t weir_slab_alloc(const weir_slab_t *slab, uint64_t size, uint64_t *at) WEIR_MUST_USE;
/* *at becomes 0; when it is, nothing happens. */
weir_slab_result_t weir_slab_free(const weir_slab_t *slab, uint64_t *at) WEIR_MUST_USE;
/* *at becomes what the block's first word was: the next one of a chain is the owner's. */
weir_slab_result_t weir_slab_free_first(const weir_slab_t *slab, uint64_t *at) WEIR_MUST_USE;
/* The whole chain, one by one.  A kill leaves the rest of it with *at. */
weir_slab_result_t weir_slab_free_chain(const weir_slab_t *slab, uint64_t *at) WEIR_MUST_USE;

/* What a dead process was at is undone: owners are what they were before.  A process that looks at an owner that a dead
 * one may have had in hand comes here first; all that take and give do so by themselves. */
weir_slab_result_t weir_slab_settle(const weir_slab_t *slab) WEIR_MUST_USE;

/* Bytes of the block at that place; 0: none is there.  Of a block whose owner is asked it says the truth without a
 * guard. */
uint64_t weir_slab_size(const weir_slab_t *slab, uint64_t at);
/* How large a block is that is asked for with `size`; 0: there is none that large. */
uint64_t weir_slab_fit(uint64_t size);
static inline void *
weir_slab_block(const weir_slab_t *slab, uint64_t at)
{
    return slab->zone.base + at;
}

void weir_slab_count(const weir_slab_t *slab, weir_slab_count_t *count);
/* Are lists, descriptors and sums at one?  For tests, and for a caller that was told BROKEN; held, or used by no other
 * process. */
bool weir_slab_check(const weir_slab_t *slab) WEIR_MUST_USE;

#endif
