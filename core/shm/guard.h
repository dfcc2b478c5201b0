/*
 * guard.h - a lock in shared memory whose owner may be killed at any instruction: a robust mutex with an undo record.
 *
 * The holder of the guard changes words by weir_guard_set, which first writes down what the word was, and then commits
 * all of them at once.  A process that takes the guard after its owner died gets the words back as they were at the
 * last commit:
 *
 *     intent: steps[n] = {where, what it was}, n + 1   ·   apply: the word   ·   commit: n = 0
 *
 * Each of these is one store, the way back is the same however often it begins anew, and so a kill between any two
 * stores leaves either everything or nothing of a change.  Memory that no other process can reach yet is written
 * without the record (weir_shm_store).
 *
 * The version is odd while a change is under way.  A process that reads without the guard reads the version before and
 * after: an even one that stayed the same means that nothing has changed meanwhile.
 *
 * The lock lies in memory that may be damaged: nothing of it is believed but that a process that lives holds it.  No
 * process waits for it for longer than WEIR_GUARD_PATIENCE_US, and once one has waited so long in vain (its owner is
 * stopped) none waits at all for a second, or until it is free.
 *
 * Runs in every process; allocates nothing.
 */
#ifndef WEIR_SHM_GUARD_H
#define WEIR_SHM_GUARD_H

#include "base/base.h"

#include <pthread.h>

/* A test may stop the process here: before each store to shared memory that the next process relies on. */
#ifndef WEIR_SHM_BEFORE_STORE
#define WEIR_SHM_BEFORE_STORE() ((void) 0)
#endif

static inline void
weir_shm_store(uint64_t *word, uint64_t value)
{
    WEIR_SHM_BEFORE_STORE();
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline uint64_t
weir_shm_load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* The memory of a zone: what places are counted from. */
typedef struct { char *base; uint64_t size; } weir_region_t;

#define WEIR_GUARD_STEPS       120           /* words of one change */
#define WEIR_GUARD_PATIENCE_US 20000

typedef struct {                             /* in shared memory */
    _Alignas(64) pthread_mutex_t mutex;
    _Alignas(64) uint64_t version;
    uint64_t stuck_us;                       /* until then no process waits; of the monotonic clock */
    uint64_t orphaned;                       /* an owner died; the code that mends what it left elsewhere clears it */
    uint64_t n;                              /* steps of the change that is under way */
    struct { uint64_t at, was; } steps[WEIR_GUARD_STEPS];
} weir_guard_t;

typedef enum {
    WEIR_GUARD_HELD,
    WEIR_GUARD_BUSY,                         /* a process that lives holds it */
    WEIR_GUARD_DAMAGED,                      /* it is no guard (any more), or its record is none */
} weir_guard_result_t;

/* No other process uses that memory yet. */
void weir_guard_init(weir_guard_t *guard);
/* When its last owner died within a change, that is undone first. */
weir_guard_result_t weir_guard_take(weir_guard_t *guard, weir_region_t zone) WEIR_MUST_USE;
/* Everything was committed or undone. */
void weir_guard_give_back(weir_guard_t *guard);

/* Held.  The word lies in the zone. */
void weir_guard_set(weir_guard_t *guard, weir_region_t zone, uint64_t *word, uint64_t value);
void weir_guard_commit(weir_guard_t *guard);
/* false: the record is damaged; it is empty then, all the same. */
bool weir_guard_undo(weir_guard_t *guard, weir_region_t zone) WEIR_MUST_USE;

#endif
