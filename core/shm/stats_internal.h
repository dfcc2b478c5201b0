/*
 * stats_internal.h - segments of rows, as stats.c counts in them and stats_names.c names them.
 *
 *     head · touched (a bit a row, by slot and the base) · held (a bit a row, by slot and by master) · names · index of
 *     names by hash · rows of the base · rows of each slot
 *
 * Names are written, and copies of the dead added to the base, by masters alone, of which there are two after an
 * upgrade: one at a time has the lock.  A master has no slot: what its configurations name is held in a place of its
 * own until it is dead.  It makes `version` odd while it takes a name away, so that a process that looks a name up
 * knows that what it found is what it is: it finds, holds, and looks whether the version is still the same.
 */
#ifndef WEIR_SHM_STATS_INTERNAL_H
#define WEIR_SHM_STATS_INTERNAL_H

#include "shm/stats.h"

#include <pthread.h>

#define STATS_WORDS (WEIR_STATS_SEGMENT / 64)
#define STATS_INDEX (2 * WEIR_STATS_SEGMENT)
#define STATS_BASE  WEIR_SLOTS                /* the copy of those that are gone */
#define STATS_MASTERS 8                       /* that live at one time */

typedef struct {
    uint32_t kind, len, owner, unused;
    uint64_t hash;
    char     name[WEIR_STATS_NAME];
} stats_name_t;

typedef struct {
    uint64_t     magic;
    uint32_t     n, segments;                 /* rows that were named; of the first segment: how many there are */
    uint32_t     slots, version;              /* slots below this were used; odd: a name is being taken away */
    uint64_t     folding;                     /* odd while a copy is added to the base */
    uint64_t     unused[4];
    /* Of the first segment, for all: */
    pthread_mutex_t lock;                     /* robust */
    uint32_t     masters[STATS_MASTERS];      /* pid; 0: free */
    uint64_t     held_by_master[STATS_MASTERS][STATS_WORDS];    /* (of every segment) */
    /* The row that is being added to the base, so that a master that finds the lock of a dead one goes on where that
     * one was. */
    struct { uint32_t step, slot, at, unused; weir_stats_row_t before; } fold;
    uint64_t     touched[WEIR_SLOTS + 1][STATS_WORDS];
    uint64_t     held[WEIR_SLOTS][STATS_WORDS];
    stats_name_t names[WEIR_STATS_SEGMENT];
    uint32_t     index[STATS_INDEX];          /* row of the segment + 1 */
} stats_head_t;

typedef struct {
    stats_head_t     *head;
    weir_stats_row_t *rows;                   /* of the base, then of each slot */
    weir_zone_t      *zone;
} stats_segment_t;

extern stats_segment_t stats_segments[WEIR_STATS_SEGMENTS];
extern uint32_t        stats_n_segments;

/* One more segment, which must be there or be makeable.  false with *error. */
bool stats_add_segment(weir_error_t *error);
/* One master at a time: names, and copies that are added.  false: another one that does not go on has the lock. */
bool stats_lock(void);
void stats_unlock(void);
/* What the last holder of the lock left half done: of names. */
void stats_names_repair(void);
/* Every copy of a row begins anew: it has no holder. */
void stats_clear_row(uint32_t row);

/* stats_names.c: a configuration is about to name rows; the names are about to go. */
void stats_names_start(uint32_t room);
void stats_names_end(void);
/* Held by any process that has a slot; reads all that any of them said before. */
bool stats_is_held(const stats_head_t *head, uint32_t at);

static inline weir_stats_row_t *
stats_copy(const stats_segment_t *segment, uint32_t slot, uint32_t at)
{
    return &segment->rows[(size_t) (slot == STATS_BASE ? 0 : slot + 1) * WEIR_STATS_SEGMENT + at];
}

/* A slot's words are written by its owner alone. */
static inline bool
stats_bit(const uint64_t *words, uint32_t at)
{
    return (__atomic_load_n(&words[at / 64], __ATOMIC_ACQUIRE) >> at % 64 & 1) != 0;
}

static inline void
stats_set_bit(uint64_t *words, uint32_t at, bool on)
{
    uint64_t bit = (uint64_t) 1 << at % 64, word = words[at / 64];

    __atomic_store_n(&words[at / 64], on ? word | bit : word & ~bit, __ATOMIC_RELEASE);
}

/* Readers look at slots below `slots` only. */
static inline void
stats_use_slot(stats_head_t *head, uint32_t slot)
{
    uint32_t seen = __atomic_load_n(&head->slots, __ATOMIC_ACQUIRE);

    while (seen <= slot && !__atomic_compare_exchange_n(&head->slots, &seen, slot + 1, false, __ATOMIC_ACQ_REL,
                                                        __ATOMIC_ACQUIRE))
    {
    }
}

#endif
