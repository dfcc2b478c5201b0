/*
 * recent.c - see recent.h.  Runs in workers; allocates nothing.
 */
#include "shm/recent.h"

#define RECENT_BITS 16
#define RECENT_MAX  UINT64_C(0xffff)
#define RECENT_HALF UINT64_C(0x7fff7fff7fff7fff)         /* what is left of four counts that were shifted by one */

uint32_t
weir_recent_bucket(weir_msec_t took)
{
    unsigned octave;

    if (took.ms < 4) {
        return (uint32_t) took.ms;
    }
    octave = 63u - (unsigned) __builtin_clzll(took.ms);
    if (octave > WEIR_RECENT_WORDS) {
        return WEIR_RECENT_BUCKETS - 1;
    }
    return (octave - 1) * 4 + ((uint32_t) (took.ms >> (octave - 2)) & 3);
}

weir_msec_t
weir_recent_bucket_end(uint32_t bucket)
{
    weir_assert(bucket < WEIR_RECENT_BUCKETS);
    if (bucket < 4) {
        return (weir_msec_t) { bucket + 1 };
    }
    return (weir_msec_t) { (UINT64_C(5) + (bucket & 3)) << (bucket / 4 - 1) };
}

static void
recent_halve(weir_recent_t *recent)
{
    for (size_t i = 0; i < WEIR_RECENT_WORDS; i++) {
        uint64_t was = __atomic_load_n(&recent->words[i], __ATOMIC_RELAXED);

        while (!__atomic_compare_exchange_n(&recent->words[i], &was, was >> 1 & RECENT_HALF, false, __ATOMIC_RELAXED,
                                            __ATOMIC_RELAXED)) {}
    }
}

/* Once for each slot that has passed, by the first process that sees it; a clock that is behind changes nothing. */
static void
recent_forget(weir_recent_t *recent, weir_instant_t now)
{
    uint64_t slot = now.ms / WEIR_RECENT_SLOT_MS, was = __atomic_load_n(&recent->slot, __ATOMIC_ACQUIRE);

    if (slot <= was
        || !__atomic_compare_exchange_n(&recent->slot, &was, slot, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
        return;
    }
    for (uint64_t n = weir_min(slot - was, (uint64_t) RECENT_BITS); n != 0; n--) {
        recent_halve(recent);
    }
}

void
weir_recent_add(weir_recent_t *recent, weir_msec_t took, weir_instant_t now)
{
    uint32_t  bucket = weir_recent_bucket(took), shift = bucket % 4 * RECENT_BITS;
    uint64_t *word = &recent->words[bucket / 4], was;

    recent_forget(recent, now);
    for ( ;; ) {
        was = __atomic_load_n(word, __ATOMIC_RELAXED);
        if ((was >> shift & RECENT_MAX) == RECENT_MAX) {
            recent_halve(recent);                        /* the others too: they count in proportion */
        } else if (__atomic_compare_exchange_n(word, &was, was + (UINT64_C(1) << shift), false, __ATOMIC_RELAXED,
                                               __ATOMIC_RELAXED))
        {
            return;
        }
    }
}

weir_msec_t
weir_recent_quantile(const weir_recent_t *recent, uint32_t percent)
{
    uint64_t counts[WEIR_RECENT_BUCKETS], sum = 0, below = 0;

    weir_assert(percent != 0 && percent <= 100);
    for (size_t i = 0; i < WEIR_RECENT_BUCKETS; i++) {
        uint64_t word = __atomic_load_n(&recent->words[i / 4], __ATOMIC_RELAXED);

        counts[i] = word >> i % 4 * RECENT_BITS & RECENT_MAX;
        sum += counts[i];
    }
    for (uint32_t i = 0; i < WEIR_RECENT_BUCKETS && sum >= WEIR_RECENT_FEWEST; i++) {
        below += counts[i];
        if (below * 100 >= sum * percent) {
            return weir_recent_bucket_end(i);
        }
    }
    return (weir_msec_t) { 0 };
}
