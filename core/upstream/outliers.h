/*
 * outliers.h - the arithmetic of outlier detection, as Envoy documents it, and the words of shared memory that all
 * workers count in.  For the policy (modules/upstream/outlier_detection.c).
 *
 * Each word changes by itself and atomically; a worker may be killed between any two of them.  Then a peer is ejected
 * or it is not, it comes back at its time, and the number of those that are ejected is put right after an interval.
 *
 * Runs in workers; allocates nothing.
 */
#ifndef WEIR_UPSTREAM_OUTLIERS_H
#define WEIR_UPSTREAM_OUTLIERS_H

#include "base/base.h"
#include "shm/places.h"

/* Why a peer is ejected. */
typedef enum {
    WEIR_OUTLIER_5XX, WEIR_OUTLIER_GATEWAY, WEIR_OUTLIER_LOCAL,          /* so many in a row */
    WEIR_OUTLIER_SUCCESS_RATE, WEIR_OUTLIER_LOCAL_SUCCESS_RATE,
    WEIR_OUTLIER_PERCENTAGE, WEIR_OUTLIER_LOCAL_PERCENTAGE,
    WEIR_OUTLIER_LATENCY,
    WEIR_OUTLIER_REASONS
} weir_outlier_reason_t;

#define WEIR_OUTLIER_ROWS    3               /* kinds of failures that are counted in a row: the first ones */
#define WEIR_OUTLIER_ROW_MAX 1000000

/* -- arithmetic -- */

/* How long a peer is ejected for the `times`th time: base × times, at most max, or base where that is more. */
weir_msec_t weir_outlier_time(weir_msec_t base, weir_msec_t max, uint32_t times);
/* `times` at the next ejection: one more, unless the time would not be longer for it. */
uint32_t    weir_outlier_more_times(weir_msec_t base, weir_msec_t max, uint32_t times);
/* May one of n peers be ejected when so many are already?  hundredths: of a percent, for all of them together. */
bool        weir_outlier_may_eject(uint32_t ejected, size_t n, uint32_t hundredths, bool always_one);
/* The least success rate (of n, in percent) that is none of an outlier: their mean less their standard deviation times
 * the factor, which is in thousandths. */
double      weir_outlier_least_rate(const double *rates, size_t n, uint32_t thousandths);
/* The middle of the values, which are sorted by this; of an even number of them the mean of the two. */
double      weir_outlier_median(double *values, size_t n);

/* -- what all workers know: parts of peers and groups (state.h), zero at first -- */

typedef struct {
    uint64_t name;                           /* the place's own */
    uint64_t rows;                           /* failures in a row, by kind */
    uint64_t answers, local;                 /* of this interval: weir_outlier_tally_t, packed */
    uint64_t timed, time;                    /* … answers with a time, and the sum of their milliseconds */
    uint64_t ejection;                       /* until when, and how often */
    uint64_t ejections[WEIR_OUTLIER_REASONS];
    uint64_t unused;
} weir_outlier_peer_t;

typedef struct {
    uint64_t name;
    uint64_t judged;                         /* when an interval was last judged, or the first one began; 0: never */
    uint64_t ejected;                        /* how many peers are, and a number that changes with that */
    uint64_t settled;                        /* what `ejected` was when it was last judged */
    uint64_t due;                            /* when the first of them comes back; 0: none is ejected */
    uint64_t overflows, returns;             /* what max_ejection has prevented; peers that have come back */
    uint64_t ejections[WEIR_OUTLIER_REASONS];
    uint64_t unused;
} weir_outlier_group_t;

_Static_assert(sizeof(weir_outlier_peer_t) == WEIR_PLACES_RECORD && sizeof(weir_outlier_group_t) == WEIR_PLACES_RECORD,
               "a record each");

typedef struct { uint32_t requests, failures; } weir_outlier_tally_t;

/* An attempt: kinds (bits by reason) of which it is one more failure in a row, and those of which it ends the row.
 * Returns the kinds that have reached their limit by it (0: there is none), of which the row begins anew: one attempt
 * of those of all workers does. */
unsigned weir_outlier_count_rows(weir_outlier_peer_t *peer, unsigned more, unsigned ended, const uint32_t *limits);
static inline void
weir_outlier_count(uint64_t *tally, bool failed)
{
    (void) __atomic_fetch_add(tally, failed ? (uint64_t) 1 << 32 | 1 : 1, __ATOMIC_RELAXED);
}
/* All that was counted, and 0 from now on. */
weir_outlier_tally_t weir_outlier_take(uint64_t *tally);

/* An interval is over: true for one of all workers.  *since: when the last one was over; 0: this is the first. */
bool weir_outlier_judge(weir_outlier_group_t *group, weir_msec_t interval, weir_instant_t now, weir_instant_t *since);

/* One more is to be ejected.  false: there are as many as may be. */
bool weir_outlier_reserve(weir_outlier_group_t *group, size_t n, uint32_t hundredths, bool always_one);
void weir_outlier_release(weir_outlier_group_t *group);
/* At the end of an interval: how many are ejected indeed. */
void weir_outlier_settle(weir_outlier_group_t *group, uint32_t ejected);

/* The peer's ejection begins: for the next time, unless one is on, which another worker begins at this moment or was
 * killed at.  Returns how long it lasts; jitter is added to that. */
weir_msec_t    weir_outlier_begin(weir_outlier_peer_t *peer, weir_msec_t base, weir_msec_t max, weir_msec_t jitter,
                                  weir_instant_t now);
weir_instant_t weir_outlier_until(const weir_outlier_peer_t *peer);
uint32_t       weir_outlier_times(const weir_outlier_peer_t *peer);
/* A peer that is not ejected has been well since then: for each interval of that one time less. */
void           weir_outlier_forgive(weir_outlier_peer_t *peer, weir_msec_t interval, weir_instant_t since,
                                    weir_instant_t now);

/* One of the group's peers comes back then. */
void weir_outlier_due(weir_outlier_group_t *group, weir_instant_t until);

#endif
