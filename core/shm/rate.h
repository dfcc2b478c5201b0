/*
 * rate.h - how often a key may come: a leaky bucket for each, in a table that all workers share (shm/keyed.h).
 *
 * What is kept of a key is one instant: when its bucket would be empty, in nanoseconds of the monotonic clock (the
 * "theoretical arrival time" of the generic cell rate algorithm).  A key whose instant has passed is as good as one
 * that never came, so nothing has to be cleaned up.  Of buckets that take longer than WEIR_RATE_SAVED_S to become empty
 * the store keeps that instant, as Unix time, so that a restart forgives no client (shm/saved.h).  The decisions are
 * those of a bucket that leaks `rate` requests a second and overflows at `burst`.
 *
 * The rate of a key may change at any time, such as with the plan of a consumer.  In tables for that (`adapts`) a key's
 * number is {that instant in 64 ns, the period by which it was counted, in 1/16 of a power of two}: what was counted by
 * another period is as many requests of this one, within 1/16 in the client's favour.  All that look into one table
 * say the same of `adapts`.
 */
#ifndef WEIR_SHM_RATE_H
#define WEIR_SHM_RATE_H

#include "shm/keyed.h"
#include "shm/saved.h"
#include "shm/zone.h"

typedef struct {
    uint64_t   period_ns;        /* between two requests at the full rate; not 0 */
    uint64_t   burst;            /* how many may come before their time */
    weir_str_t zone;             /* its name, to look for a new key in the store; empty: new keys are new */
    bool       adapts;           /* keys' rates change; the zone is of weir_rate_adapting_kind */
} weir_rate_t;

typedef struct {
    bool     admitted;
    uint64_t ahead_ns;          /* how much before its time the request came: excess in requests is this by period_ns */
    uint64_t wait_ns;            /* when it is refused: until one would be admitted */
    uint64_t left;               /* how many more would be admitted now */
    uint64_t reset_ns;           /* until the key is as good as new */
} weir_rate_verdict_t;

/* Where rates change a period is a multiple of 64 ns: the nearest one to that. */
static inline uint64_t
weir_rate_adapting_period(uint64_t period_ns)
{
    return weir_max((period_ns + 32) / 64, 1) * 64;
}

/* Looks, and counts nothing. */
void weir_rate_peek(const weir_keyed_t *table, const weir_keyed_key_t *key, const weir_rate_t *rate, uint64_t now_ns,
                    weir_rate_verdict_t *verdict);
/* Counts one if it is admitted. */
void weir_rate_take(weir_keyed_t *table, const weir_keyed_key_t *key, const weir_rate_t *rate, uint64_t now_ns,
                    weir_rate_verdict_t *verdict);
/* What was taken is given back: another limit refused the request. */
void weir_rate_give_back(weir_keyed_t *table, const weir_keyed_key_t *key, const weir_rate_t *rate, uint64_t now_ns);

#define WEIR_RATE_KIND    "limit-req"        /* the zones' kind, as the store knows it */
#define WEIR_RATE_SAVED_S 10
extern const weir_saved_kind_t weir_rate_saved;

/* Zones whose keys' rates change. */
#define WEIR_RATE_ADAPTING_KIND "plan-rate"
extern const weir_zone_kind_t weir_rate_adapting_kind;

/* For weir_keyed_count: data is a uint64_t, now in ns. */
uint64_t weir_rate_worth(const void *data, uint64_t value);

#endif
