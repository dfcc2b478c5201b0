/*
 * outlier.h - what the files of outlier_detection share.
 *
 *     module.c  the directive        policy.c  what it is told of, and statistics
 *     eject.c   ejecting, and coming back        judge.c  the end of an interval
 *
 * Failures in a row eject at once, by the worker whose attempt was the last of them.  All else is judged at the end of
 * an interval, by the one worker that is first to see it: each that has reported something has a timer for it.  An
 * ejected peer comes back by the first process that finds its time over: the worker that ejected it has a timer, and so
 * has one that begins; a request that comes looks, too.
 *
 * Runs in workers.  The arithmetic, and the words of shared memory, are in upstream/outliers.h.
 */
#ifndef WEIR_OUTLIER_H
#define WEIR_OUTLIER_H

#include "event/loop.h"
#include "upstream/module.h"
#include "upstream/outliers.h"

#define OUTLIER_WHY        160               /* bytes of figures in the log */

/* What the directive says: plain numbers without gaps (module.h, judge); 0: that is not judged. */
typedef struct {
    uint64_t interval, base, max, jitter;    /* milliseconds */
    uint64_t least_slower;                   /* latency_min */
    uint32_t rows[WEIR_OUTLIER_ROWS];        /* limits, by reason */
    uint32_t rate, rate_hosts, rate_requests;            /* rate: the factor, in thousandths */
    uint32_t percentage, percentage_hosts, percentage_requests;      /* hundredths of a percent */
    uint32_t latency, latency_hosts, latency_requests;   /* latency: the factor, in thousandths */
    uint32_t most;                           /* hundredths of a percent of the peers */
    uint32_t is_split, always_one, is_said;
} outlier_conf_t;

_Static_assert(sizeof(outlier_conf_t) == 5 * 8 + 16 * 4, "no gaps");

typedef struct {
    weir_uppolicy_of_t   *of;
    weir_outlier_group_t *words;
    weir_timer_t          timer;
    weir_instant_t        fires;             /* 0: it is not set */
    weir_instant_t        judges;            /* when it looks whether the interval is over; 0: nothing was reported */
    bool                  has_counted;       /* since it was set for that */
} outlier_group_t;

typedef struct {
    weir_state_part_t   *part;
    weir_outlier_peer_t *words;
} outlier_peer_t;

static inline const outlier_conf_t *outlier_conf(const weir_uppolicy_of_t *of) { return of->settings; }
static inline outlier_group_t *outlier_group(const weir_uppolicy_of_t *of) { return of->state; }

static inline weir_outlier_peer_t *
outlier_words(const weir_uppolicy_of_t *of, const weir_peer_t *peer)
{
    return ((outlier_peer_t *) weir_policy_peer(of, peer))->words;
}

static inline bool
outlier_is_ejected(const weir_peer_t *peer)
{
    return (weir_peer_barred(peer) & WEIR_BARRED_EJECTED) != 0;
}

extern const weir_uppolicy_t outlier_policy;
extern const char *const     outlier_reasons[WEIR_OUTLIER_REASONS];

/* why: the figures, for the log. */
void outlier_eject(weir_uppolicy_of_t *of, weir_peer_t *peer, weir_outlier_reason_t reason, const char *why,
                   weir_instant_t now);
/* Peers whose time is over come back. */
void outlier_return_all(weir_uppolicy_of_t *of, weir_instant_t now);
/* The group's timer fires then, or before. */
void outlier_wake(outlier_group_t *group, weir_instant_t at, weir_instant_t now);
/* If the interval is over and no other worker has judged it: judges it. */
void outlier_judge(weir_uppolicy_of_t *of, weir_instant_t now);
/* policy.c: the timer's. */
void outlier_on_timer(weir_timer_t *timer);

static inline bool
outlier_is_due(const weir_outlier_group_t *group, weir_instant_t now)
{
    uint64_t due = __atomic_load_n(&group->due, __ATOMIC_ACQUIRE);

    return due != 0 && due <= now.ms;
}

#endif
