/*
 * quota.h - how much of a quota each key has used in the current hour, day or month: a table of keys (shm/keyed.h)
 * before the store.
 *
 * A key's number is {period, used, clean}: the number of the period that was counted in, how much, and whether the
 * store has it.  A cell that is clean may be given to another key, for what it held is found in the store again; one
 * that is not stays until the store's process has written it.  The caller, which keeps the calendar (base/zoneinfo.h),
 * numbers the periods; numbers only grow.
 *
 * A clock that steps: a key that was counted in the next period stays there, so that a step back over a boundary gives
 * nothing twice; one that was counted further ahead was so by a clock that was wrong, and what it used counts now.
 */
#ifndef WEIR_SHM_QUOTA_H
#define WEIR_SHM_QUOTA_H

#include "base/buf.h"
#include "shm/keyed.h"
#include "shm/saved.h"
#include "shm/zone.h"

#define WEIR_QUOTA_MAX  (((uint64_t) 1 << 40) - 1)       /* of a key in a period */
#define WEIR_QUOTA_HEAD 64                               /* bytes before the table */

typedef struct weir_quota_zone weir_quota_zone_t;        /* in shared memory */

typedef struct {
    uint32_t number;             /* of the period now; not 0 */
    int64_t  end_s;              /* Unix time at which the next one begins */
} weir_quota_period_t;

/* One key's count, as a call left it. */
typedef struct {
    uint64_t used;
    uint64_t period;             /* that it is of */
} weir_quota_count_t;

typedef enum {
    WEIR_QUOTA_ADMITTED, WEIR_QUOTA_REFUSED,
    WEIR_QUOTA_FULL,             /* every cell of the key holds what the store has not yet */
    WEIR_QUOTA_UNKNOWN,          /* the key is not here, and the store cannot be read */
} weir_quota_result_t;

/* Formats zeroed memory or finds it formatted; NULL: it holds something else, is too small, or there is no
 * randomness. */
weir_quota_zone_t *weir_quota_open(void *memory, uint64_t size);
void               weir_quota_hash(const weir_quota_zone_t *zone, weir_str_t key, weir_keyed_key_t *hashed);
/* Does it hash as that table does? */
bool               weir_quota_is_like(const weir_quota_zone_t *zone, const weir_keyed_t *table);
/* What the period is, for the store's process; workers say it as it changes. */
void               weir_quota_set_period(weir_quota_zone_t *zone, const weir_quota_period_t *period);
/* Uses one, if `limit` allows.  name: the zone's, for the store.  *count: with it. */
weir_quota_result_t weir_quota_take(weir_quota_zone_t *zone, weir_str_t name, const weir_keyed_key_t *key,
                                    const weir_quota_period_t *period,
                                    uint64_t limit, weir_quota_count_t *count);
/* What was taken is given back: another quota refused the request.  Nothing when another period has begun. */
void                weir_quota_give_back(weir_quota_zone_t *zone, weir_str_t name, const weir_keyed_key_t *key,
                                         const weir_quota_count_t *count);

#define WEIR_QUOTA_KIND "quota"              /* the zones' kind, as the store knows it */
extern const weir_zone_kind_t weir_quota_kind;

#endif
