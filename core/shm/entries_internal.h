/*
 * entries_internal.h - what the parts of the table share: its layout, and what is done under a shard's guard.
 *
 *     head · shards · buckets · rows, one a slot · slab
 *
 * A bucket is the first entry of a chain; the shard of a bucket is its number's low bits.  An entry is a block of the
 * slab, whose first word owns the chain of the other blocks.  It is owned by one of:
 *
 *     row's fill --commit--> bucket's chain --goes--> shard's dead --no pin is left--> shard's hand --freed
 *
 * Each arrow is one change under the shard's guard.
 */
#ifndef WEIR_SHM_ENTRIES_INTERNAL_H
#define WEIR_SHM_ENTRIES_INTERNAL_H

#include "shm/entries.h"
#include "shm/slots.h"

typedef struct entries_head {
    _Alignas(64) uint64_t magic;
    uint64_t size, seed;
    uint64_t broken;                         /* 0: it is well */
    uint64_t tried_ms;                       /* when it was last tried to begin anew */
    uint64_t unused[3];
    uint64_t rows[WEIR_SLOTS / 64];          /* a bit for each row that was ever used */
    uint64_t more[4];
} entries_head_t;

typedef struct entries_shard {
    weir_guard_t guard;
    uint64_t newest, oldest;
    uint64_t dead;                           /* first of those that went while they were pinned, or were just now */
    uint64_t hand;                           /* what is being freed */
    uint64_t n, used;                        /* entries in chains; bytes of their blocks */
    uint64_t serial;                         /* the last one given */
    uint64_t sweep;                          /* bucket of the shard that is swept next */
} entries_shard_t;

typedef struct entries_row {
    _Alignas(64) uint64_t pid;               /* whose */
    uint64_t high;                           /* pins from here on are not in use */
    uint64_t guess;                          /* a pin that is free */
    uint64_t count[WEIR_ENTRIES_COUNTS];
    uint64_t fills[WEIR_ENTRIES_FILLS];
    uint64_t unused[246];
    uint64_t pins[WEIR_ENTRIES_PINS];
} entries_row_t;

typedef struct {
    uint64_t more;                           /* owns the next block; first, as the slab wants it */
    uint64_t chain;                          /* the next one of the bucket, or of the dead */
    uint64_t name;                           /* hash of the key; not 0 */
    uint64_t newer, older;
    uint64_t placed_ms, used_ms;             /* when it came to its place in the order; when it was last read, nearly */
    uint64_t expires_ms;
    uint64_t serial;
    uint64_t size;                           /* of the value */
    uint64_t lengths;                        /* of the key; of the first piece, << 32 */
    uint64_t room;                           /* bytes of all of its blocks */
    char     bytes[];                        /* the key, the first piece */
} entries_entry_t;

typedef struct {
    uint64_t more;
    uint64_t len;
    char     bytes[];
} entries_piece_t;

_Static_assert(sizeof(entries_row_t) == 8192, "pins are not in the pages of counters");
_Static_assert(sizeof(entries_head_t) == 128, "the shards begin at a cache line");

/* Where it is broken, for the log. */
typedef enum { ENTRIES_WELL, ENTRIES_GUARD, ENTRIES_SLAB, ENTRIES_CHAIN, ENTRIES_ENTRY, ENTRIES_ORDER, ENTRIES_DEAD,
               ENTRIES_BREAKS } entries_break_t;

#define ENTRIES_SHARDS 64

/* -- entries.c -- */
/* Geometry is a matter of size alone.  false: it is too small. */
bool entries_view(weir_entries_t *entries, void *memory, uint64_t size);
bool entries_is_one(const weir_entries_t *entries, uint64_t size);
void entries_clear_shard(entries_shard_t *shard);
static inline void
entries_count(const weir_entries_t *entries, weir_entries_counter_t what)
{
    entries_row_t *row = &entries->rows[weir_slot()];

    __atomic_store_n(&row->count[what], row->count[what] + 1, __ATOMIC_RELAXED);
}
uint64_t entries_name(const weir_entries_t *entries, weir_str_t key);
static inline uint64_t
entries_bucket(const weir_entries_t *entries, uint64_t name)
{
    return name >> 8 & (entries->n_buckets - 1);
}
static inline entries_shard_t *
entries_shard(const weir_entries_t *entries, uint64_t bucket)
{
    return &entries->shards[bucket & (entries->n_shards - 1)];
}
/* No chain has more entries than that: one that seems to is a circle. */
static inline uint64_t
entries_most(const weir_entries_t *entries, const entries_shard_t *shard)
{
    return weir_min(shard->n, entries->slab.n_pages * (WEIR_SLAB_PAGE / sizeof(entries_entry_t)));
}
/* An entry's memory, if a block is there that may hold one; NULL: none.  Of one that is pinned or whose guard is
 * held. */
entries_entry_t *entries_at(const weir_entries_t *entries, uint64_t at);
static inline uint64_t entries_key_len(const entries_entry_t *entry) { return entry->lengths & UINT32_MAX; }
static inline uint64_t entries_first_len(const entries_entry_t *entry) { return entry->lengths >> 32; }
/* The word that leads to the entry of that name and key, under the guard; *found NULL: none.  false: it is broken. */
bool entries_find(const weir_entries_t *entries, uint64_t bucket, uint64_t name, weir_str_t key, uint64_t **link,
                  entries_entry_t **found);
bool entries_is_pinned(const weir_entries_t *entries, uint64_t at);

/* -- entries_settle.c -- */
/* May an entry be at that place?  All that can be told without looking there. */
bool entries_may_be(const weir_entries_t *entries, uint64_t at);
/* Is the table well?  One that is not begins anew here as soon as it can. */
bool entries_ready(const weir_entries_t *entries, uint64_t now_ms);
void entries_break(const weir_entries_t *entries, entries_break_t why);
/* The shard's guard.  false: it is busy or broken. */
bool entries_take(const weir_entries_t *entries, entries_shard_t *shard) WEIR_MUST_USE;
/* Blocks of a fill or of a hand go back to the slab. */
void entries_free(const weir_entries_t *entries, uint64_t *owner);
/* This process's row, with nothing of an owner before in it.  NULL: there is something of one, and it cannot be
 * settled now. */
entries_row_t *entries_row(const weir_entries_t *entries);

/* -- entries_write.c -- */
static inline void
entries_set(const weir_entries_t *entries, entries_shard_t *shard, uint64_t *word, uint64_t value)
{
    weir_guard_set(&shard->guard, entries->slab.zone, word, value);
}

#endif
