/*
 * guard.c - see guard.h.
 */
#define _GNU_SOURCE 1

#include "shm/guard.h"

#include "os/process.h"
#include "os/sys.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

#define GUARD_SPINS  60
#define GUARD_YIELDS 20
#define GUARD_NAP_NS 50000
#define GUARD_STUCK  1000000u                /* µs */

/* -- the mutex -- */

static void
guard_make_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;

    weir_assert(pthread_mutexattr_init(&attributes) == 0
                && pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0
                && pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0
                && pthread_mutex_init(mutex, &attributes) == 0);
    (void) pthread_mutexattr_destroy(&attributes);
}

void
weir_guard_init(weir_guard_t *guard)
{
    guard->n = guard->orphaned = guard->stuck_us = 0;
    guard->version = (guard->version | 1) + 1;           /* earlier readers find out */
    guard_make_mutex(&guard->mutex);
}

#ifdef __GLIBC__
#define GUARD_OWNER      0x3fffffff
#define GUARD_OWNER_DIED 0x40000000

/* glibc acts on what kind the memory says it is: it must be the kind that was made. */
static bool
guard_is_mutex(const weir_guard_t *guard)
{
    static int kind;

    if (__atomic_load_n(&kind, __ATOMIC_RELAXED) == 0) {
        pthread_mutex_t made;

        guard_make_mutex(&made);
        __atomic_store_n(&kind, made.__data.__kind, __ATOMIC_RELAXED);
    }
    return guard->mutex.__data.__kind == kind;
}

/* The kernel marks a robust mutex when its owner ends: one whose owner is not there and that is not marked never was
 * taken. */
static bool
guard_owner_lives(const weir_guard_t *guard)
{
    int seen = __atomic_load_n(&guard->mutex.__data.__lock, __ATOMIC_ACQUIRE), owner = seen & GUARD_OWNER;
    bool lives = owner != 0 && (weir_process_kill(owner, 0) == 0 || errno != ESRCH);

    if (seen == 0 || (seen & GUARD_OWNER_DIED) != 0) {
        return true;                         /* it became free just now */
    }
    return lives || __atomic_load_n(&guard->mutex.__data.__lock, __ATOMIC_ACQUIRE) != seen;
}
#else
static bool guard_is_mutex(const weir_guard_t *guard WEIR_UNUSED) { return true; }
static bool guard_owner_lives(const weir_guard_t *guard WEIR_UNUSED) { return true; }
#endif

/* Its holders are at work for some hundred instructions: a process that finds it taken looks again soon, unless the
 * holder lost its processor. */
static int
guard_wait(weir_guard_t *guard)
{
    const struct timespec nap = { .tv_nsec = GUARD_NAP_NS };
    uint64_t              began = weir_sys_clock_us(), now = began;
    int                   result = EBUSY;

    if (now < __atomic_load_n(&guard->stuck_us, __ATOMIC_RELAXED)
        && __atomic_load_n(&guard->stuck_us, __ATOMIC_RELAXED) - now <= GUARD_STUCK) {
        return EBUSY;
    }
    for (unsigned i = 0; result == EBUSY && now - began < WEIR_GUARD_PATIENCE_US; i++) {
        if (i >= GUARD_SPINS + GUARD_YIELDS) {
            (void) nanosleep(&nap, NULL);
            now = weir_sys_clock_us();
        } else if (i >= GUARD_SPINS) {
            (void) sched_yield();
        } else {
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
        }
        result = pthread_mutex_trylock(&guard->mutex);
    }
    if (result == EBUSY) {
        __atomic_store_n(&guard->stuck_us, now + GUARD_STUCK, __ATOMIC_RELAXED);
    }
    return result;
}

static weir_guard_result_t
guard_lock(weir_guard_t *guard)
{
    int result;

    if (!guard_is_mutex(guard)) {
        return WEIR_GUARD_DAMAGED;
    }
    result = pthread_mutex_trylock(&guard->mutex);
    if (result == EBUSY) {
        result = guard_wait(guard);
    }
    if (result == EOWNERDEAD) {
        weir_shm_store(&guard->orphaned, 1);
        result = pthread_mutex_consistent(&guard->mutex);
    }
    if (result == EBUSY) {
        return guard_owner_lives(guard) ? WEIR_GUARD_BUSY : WEIR_GUARD_DAMAGED;
    }
    if (__atomic_load_n(&guard->stuck_us, __ATOMIC_RELAXED) != 0) {
        __atomic_store_n(&guard->stuck_us, 0, __ATOMIC_RELAXED);
    }
    return result == 0 ? WEIR_GUARD_HELD : WEIR_GUARD_DAMAGED;
}

weir_guard_result_t
weir_guard_take(weir_guard_t *guard, weir_region_t zone)
{
    weir_guard_result_t result = guard_lock(guard);

    if (result == WEIR_GUARD_HELD && (guard->n != 0 || guard->version % 2 != 0) && !weir_guard_undo(guard, zone)) {
        weir_guard_give_back(guard);
        return WEIR_GUARD_DAMAGED;
    }
    return result;
}

void
weir_guard_give_back(weir_guard_t *guard)
{
    weir_assert(guard->n == 0);
    (void) pthread_mutex_unlock(&guard->mutex);
}

/* -- the record -- */

void
weir_guard_set(weir_guard_t *guard, weir_region_t zone, uint64_t *word, uint64_t value)
{
    uint64_t at = (uint64_t) ((char *) word - zone.base), n = guard->n;

    weir_assert(at % sizeof(*word) == 0 && at < zone.size);
    weir_assert(n < WEIR_GUARD_STEPS);
    if (n == 0) {
        weir_shm_store(&guard->version, guard->version | 1);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
    weir_shm_store(&guard->steps[n].at, at);
    weir_shm_store(&guard->steps[n].was, *word);
    weir_shm_store(&guard->n, n + 1);
    weir_shm_store(word, value);
}

/* Nothing is under way: readers may trust what they see again. */
static void
guard_settle(weir_guard_t *guard)
{
    weir_shm_store(&guard->n, 0);
    weir_shm_store(&guard->version, (guard->version | 1) + 1);
}

void
weir_guard_commit(weir_guard_t *guard)
{
    weir_assert(guard->version % 2 != 0);
    guard_settle(guard);
}

bool
weir_guard_undo(weir_guard_t *guard, weir_region_t zone)
{
    uint64_t n = guard->n;
    bool     good = n <= WEIR_GUARD_STEPS;

    weir_shm_store(&guard->version, guard->version | 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (uint64_t i = good ? n : 0; good && i-- > 0;) {
        good = guard->steps[i].at % sizeof(uint64_t) == 0 && guard->steps[i].at <= zone.size - sizeof(uint64_t);
        if (good) {
            weir_shm_store((uint64_t *) (void *) (zone.base + guard->steps[i].at), guard->steps[i].was);
        }
    }
    guard_settle(guard);
    return good;
}
