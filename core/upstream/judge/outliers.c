/*
 * outliers.c - see outliers.h.
 */
#include "upstream/outliers.h"

#include <stdlib.h>

#define OUTLIERS_ROW_BITS 21
#define OUTLIERS_ROW      (((uint64_t) 1 << OUTLIERS_ROW_BITS) - 1)
#define OUTLIERS_TIMES    44                 /* from this bit on; below, milliseconds of the monotonic clock */
#define OUTLIERS_UNTIL    (((uint64_t) 1 << OUTLIERS_TIMES) - 1)
#define OUTLIERS_MOST     (((uint64_t) 1 << (64 - OUTLIERS_TIMES)) - 1)

_Static_assert(WEIR_OUTLIER_ROW_MAX <= OUTLIERS_ROW && WEIR_OUTLIER_ROWS * OUTLIERS_ROW_BITS <= 64, "a word for all");

static inline uint64_t
outliers_load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline bool
outliers_swap(uint64_t *word, uint64_t *was, uint64_t next)
{
    return __atomic_compare_exchange_n(word, was, next, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* -- arithmetic -- */

weir_msec_t
weir_outlier_time(weir_msec_t base, weir_msec_t max, uint32_t times)
{
    weir_msec_t bound = { weir_max(base.ms, max.ms) };

    if (base.ms != 0 && times > bound.ms / base.ms) {
        return bound;
    }
    return (weir_msec_t) { base.ms * times };
}

uint32_t
weir_outlier_more_times(weir_msec_t base, weir_msec_t max, uint32_t times)
{
    /* base × times < max + base */
    bool is_longer = base.ms != 0 && times < (max.ms + base.ms + base.ms - 1) / base.ms;

    return times == 0 || (is_longer && times < OUTLIERS_MOST) ? times + 1 : times;
}

bool
weir_outlier_may_eject(uint32_t ejected, size_t n, uint32_t hundredths, bool always_one)
{
    if (ejected == 0 && always_one) {
        return true;
    }
    return (uint64_t) (ejected + 1) * 10000 <= (uint64_t) n * hundredths;
}

/* Newton's way; without the library of mathematics, which nothing else needs. */
static double
outliers_root(double square)
{
    double root = square > 1 ? square : 1, next = root;

    if (square <= 0) {
        return 0;
    }
    do {
        root = next;
        next = (root + square / root) / 2;
    } while (next < root);
    return root;
}

double
weir_outlier_least_rate(const double *rates, size_t n, uint32_t thousandths)
{
    double mean = 0, variance = 0;

    weir_assert(n != 0);
    for (size_t i = 0; i < n; i++) {
        mean += rates[i];
    }
    mean /= (double) n;
    for (size_t i = 0; i < n; i++) {
        variance += (rates[i] - mean) * (rates[i] - mean);
    }
    return mean - outliers_root(variance / (double) n) * ((double) thousandths / 1000);
}

static int
outliers_compare(const void *a, const void *b)
{
    double left = *(const double *) a, right = *(const double *) b;

    return (left > right) - (left < right);
}

double
weir_outlier_median(double *values, size_t n)
{
    weir_assert(n != 0);
    qsort(values, n, sizeof(*values), outliers_compare);
    return n % 2 != 0 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* -- what was counted -- */

unsigned
weir_outlier_count_rows(weir_outlier_peer_t *peer, unsigned more, unsigned ended, const uint32_t *limits)
{
    uint64_t was = outliers_load(&peer->rows), next;
    unsigned reached;

    if (weir_likely(was == 0 && more == 0)) {
        return 0;                            /* there is no row, and none begins */
    }
    do {
        next = was;
        reached = 0;
        for (unsigned i = 0; i < WEIR_OUTLIER_ROWS; i++) {
            unsigned shift = i * OUTLIERS_ROW_BITS;
            uint64_t n = was >> shift & OUTLIERS_ROW;

            n = (ended >> i & 1) != 0 || limits[i] == 0 ? 0 : n + (more >> i & 1);
            if (n != 0 && n >= limits[i]) {
                reached |= 1u << i;
                n = 0;
            }
            next = (next & ~(OUTLIERS_ROW << shift)) | n << shift;
        }
    } while (next != was && !outliers_swap(&peer->rows, &was, next));
    return reached;
}

weir_outlier_tally_t
weir_outlier_take(uint64_t *tally)
{
    uint64_t word = outliers_load(tally) != 0 ? __atomic_exchange_n(tally, 0, __ATOMIC_ACQ_REL) : 0;

    return (weir_outlier_tally_t) { (uint32_t) word, (uint32_t) (word >> 32) };
}

bool
weir_outlier_judge(weir_outlier_group_t *group, weir_msec_t interval, weir_instant_t now, weir_instant_t *since)
{
    uint64_t was = outliers_load(&group->judged);

    *since = (weir_instant_t) { was };
    if (was != 0 && (now.ms < was || now.ms - was < interval.ms)) {
        return false;
    }
    return outliers_swap(&group->judged, &was, now.ms);
}

/* -- how many are ejected -- */

/* The word: how many, and above them the number that changes with each change. */
static inline uint64_t
outliers_ejected(uint64_t word, uint32_t count)
{
    return ((word >> 32) + 1) << 32 | count;
}

bool
weir_outlier_reserve(weir_outlier_group_t *group, size_t n, uint32_t hundredths, bool always_one)
{
    uint64_t was = outliers_load(&group->ejected);

    do {
        if (!weir_outlier_may_eject((uint32_t) was, n, hundredths, always_one)) {
            return false;
        }
    } while (!outliers_swap(&group->ejected, &was, outliers_ejected(was, (uint32_t) was + 1)));
    return true;
}

void
weir_outlier_release(weir_outlier_group_t *group)
{
    uint64_t was = outliers_load(&group->ejected);

    while ((uint32_t) was != 0 && !outliers_swap(&group->ejected, &was, outliers_ejected(was, (uint32_t) was - 1))) { }
}

/* Only when nothing has changed for a whole interval is no worker between reserving and ejecting. */
void
weir_outlier_settle(weir_outlier_group_t *group, uint32_t ejected)
{
    uint64_t was = outliers_load(&group->ejected);

    if (was == outliers_load(&group->settled) && (uint32_t) was != ejected) {
        (void) outliers_swap(&group->ejected, &was, outliers_ejected(was, ejected));
    }
    __atomic_store_n(&group->settled, was, __ATOMIC_RELEASE);
}

/* -- an ejection -- */

weir_instant_t
weir_outlier_until(const weir_outlier_peer_t *peer)
{
    return (weir_instant_t) { outliers_load(&peer->ejection) & OUTLIERS_UNTIL };
}

uint32_t
weir_outlier_times(const weir_outlier_peer_t *peer)
{
    return (uint32_t) (outliers_load(&peer->ejection) >> OUTLIERS_TIMES);
}

weir_msec_t
weir_outlier_begin(weir_outlier_peer_t *peer, weir_msec_t base, weir_msec_t max, weir_msec_t jitter, weir_instant_t now)
{
    uint64_t    was = outliers_load(&peer->ejection), until;
    uint32_t    times;
    weir_msec_t lasts;

    do {
        times = (uint32_t) (was >> OUTLIERS_TIMES);
        if ((was & OUTLIERS_UNTIL) <= now.ms || times == 0) {
            times = weir_outlier_more_times(base, max, times);
        }
        lasts = (weir_msec_t) { weir_outlier_time(base, max, times).ms + jitter.ms };
        until = now.ms + lasts.ms;
        weir_assert(until <= OUTLIERS_UNTIL);
    } while (!outliers_swap(&peer->ejection, &was, (uint64_t) times << OUTLIERS_TIMES | until));
    return lasts;
}

void
weir_outlier_forgive(weir_outlier_peer_t *peer, weir_msec_t interval, weir_instant_t since, weir_instant_t now)
{
    uint64_t was = outliers_load(&peer->ejection), times, well;

    do {
        times = was >> OUTLIERS_TIMES;
        well = weir_max(was & OUTLIERS_UNTIL, since.ms);
        well = well < now.ms ? (now.ms - well) / interval.ms : 0;
        if (times == 0 || well == 0) {
            return;
        }
        times -= weir_min(times, well);
    } while (!outliers_swap(&peer->ejection, &was, times << OUTLIERS_TIMES | (was & OUTLIERS_UNTIL)));
}

void
weir_outlier_due(weir_outlier_group_t *group, weir_instant_t until)
{
    uint64_t was = outliers_load(&group->due);

    while ((was == 0 || was > until.ms) && !outliers_swap(&group->due, &was, until.ms)) { }
}
