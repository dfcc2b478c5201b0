/*
 * record.h - what all workers know of a peer's health checks: a part of its shared state (upstream/state.h), of words
 * that change by themselves.  For watch.c.
 */
#ifndef WEIR_HTTP_HEALTH_RECORD_H
#define WEIR_HTTP_HEALTH_RECORD_H

#include "health.h"

#include "shm/slots.h"
#include "upstream/state.h"

/* A peer's record: the words of a part (upstream/state.h). */
typedef struct {
    uint64_t place;                          /* places.h's own */
    uint64_t checks, fails, unhealthy;       /* since the peer is known */
    uint64_t last_passed;
    uint64_t down_since;                     /* Unix time in ms; 0: it is not unhealthy */
    uint64_t downtime;                       /* ms, what goes on now not included */
    uint64_t serial;                         /* of the configuration that peers had to prove themselves for */
    struct { uint64_t claim, state; } of[HEALTH_CHECKS];
} record_t;

_Static_assert(sizeof(record_t) == WEIR_PLACES_RECORD, "the words of a part");

/* claim */
typedef struct { uint64_t due; uint32_t slot, pid; bool is_under_way; } record_claim_t;

#define RECORD_DUE_MAX ((UINT64_C(1) << 43) - 1)
#define RECORD_PID     0xfffu                 /* the lower bits: a slot that was given on has another owner, mostly */

static inline uint64_t
record_pack_claim(record_claim_t claim)
{
    weir_assert(claim.due <= RECORD_DUE_MAX && claim.slot < WEIR_SLOTS);
    return (uint64_t) claim.is_under_way << 63 | claim.due << 20 | claim.slot << 12 | (claim.pid & RECORD_PID);
}

static inline record_claim_t
record_unpack_claim(uint64_t word)
{
    return (record_claim_t) { .due = word >> 20 & RECORD_DUE_MAX, .slot = word >> 12 & 0xff, .pid = word & RECORD_PID,
                             .is_under_way = word >> 63 != 0 };
}

static inline record_claim_t
record_claim_mine(uint64_t due, bool is_under_way)
{
    return (record_claim_t) {
        .due = weir_min(due, RECORD_DUE_MAX), .is_under_way = is_under_way,
        .slot = weir_slot_mine.number != WEIR_SLOT_NONE ? weir_slot_mine.number : 0,
        .pid = (uint32_t) weir_slot_mine.pid,
    };
}

static inline bool
record_is_mine(record_claim_t claim)
{
    record_claim_t mine = record_claim_mine(0, false);

    return claim.slot == mine.slot && claim.pid == (mine.pid & RECORD_PID);
}

static inline bool
record_is_alive(record_claim_t claim)
{
    pid_t pid = weir_slots_owner(claim.slot);

    return pid != 0 && ((uint32_t) pid & RECORD_PID) == claim.pid;
}

/* state of a check */
typedef struct {
    uint32_t id;                             /* 24 bits */
    bool     is_proven;                      /* it has passed once */
    bool     has_failed;                     /* so often that the peer is barred */
    bool     passes;                         /* the last probe did */
    uint32_t run;                            /* so many have ended like the last one */
    uint32_t last;                           /* seconds of the monotonic clock, 24 bits of them; 0: there was none */
} record_state_t;

#define RECORD_ID   0xffffffu
#define RECORD_RUN  0x1fffu
#define RECORD_LAST 0xffffffu

_Static_assert(HEALTH_RUN_MAX < RECORD_RUN, "runs have room");

static inline uint64_t
record_pack_state(record_state_t state)
{
    weir_assert(state.run <= RECORD_RUN && state.id <= RECORD_ID && state.last <= RECORD_LAST);
    return (uint64_t) state.id << 40 | (uint64_t) state.is_proven << 39 | (uint64_t) state.has_failed << 38
           | (uint64_t) state.passes << 37 | (uint64_t) state.run << 24 | state.last;
}

static inline record_state_t
record_unpack_state(uint64_t word)
{
    return (record_state_t) { .id = (uint32_t) (word >> 40), .is_proven = word >> 39 & 1, .has_failed = word >> 38 & 1,
                             .passes = word >> 37 & 1, .run = word >> 24 & RECORD_RUN, .last = word & RECORD_LAST };
}

static inline uint32_t
record_seconds(weir_instant_t now)
{
    uint32_t seconds = now.ms / 1000 & RECORD_LAST;

    return seconds != 0 ? seconds : 1;
}

static inline uint64_t
record_load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline bool
record_swap(uint64_t *word, uint64_t was, uint64_t next)
{
    return __atomic_compare_exchange_n(word, &was, next, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline void
record_add(uint64_t *word, uint64_t n)
{
    (void) __atomic_fetch_add(word, n, __ATOMIC_RELAXED);
}

#endif
