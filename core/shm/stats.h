/*
 * stats.h - what happened, counted: rows of counters in shared memory, a copy of each row for every slot, added up by who reads.
 *
 * A row belongs to something that has a name: a server, a location, an upstream group, a peer, a limit.  Rows are named by the master
 * as it reads a configuration, found again by workers, and stay until the instance ends.  Their number is fixed at the start: when
 * they are used up, what comes then is counted in the row "_other" of its kind.  A worker writes to its own copy with plain stores; when it
 * is dead the master adds the copy to the base.  Nothing is locked.
 *
 * Latencies are kept in 8 buckets an octave: any quantile is right within 6.3 %.
 */
#ifndef WEIR_SHM_STATS_H
#define WEIR_SHM_STATS_H

#include "base/buf.h"
#include "base/error.h"
#include "shm/slots.h"
#include "shm/zone.h"

typedef enum {
    WEIR_STATS_PROCESS, WEIR_STATS_SERVER, WEIR_STATS_LOCATION, WEIR_STATS_UPSTREAM, WEIR_STATS_PEER, WEIR_STATS_LIMIT, WEIR_STATS_KINDS
} weir_stats_kind_t;

#define WEIR_STATS_NAME      116             /* bytes of a name; longer ones are cut */
#define WEIR_STATS_SEPARATOR '\x1f'          /* between a group's name and its peer's */
#define WEIR_STATS_STATUSES  500             /* 100 … 599 */
#define WEIR_STATS_CAUSES    128
#define WEIR_STATS_BUCKETS   256

/* What the numbers in `count` are, by kind. */
enum { WEIR_COUNT_ACCEPTED, WEIR_COUNT_CLOSED, WEIR_COUNT_HANDSHAKES, WEIR_COUNT_HANDSHAKES_FAILED, WEIR_COUNT_RESUMED };    /* process */
enum { WEIR_COUNT_PASSED, WEIR_COUNT_DELAYED, WEIR_COUNT_REJECTED, WEIR_COUNT_DELAYED_DRY_RUN, WEIR_COUNT_REJECTED_DRY_RUN }; /* limit */
enum { WEIR_COUNT_FAILS, WEIR_COUNT_CONNECTED };                                                                             /* peer */

typedef struct {
    uint64_t requests, received, sent, latency_us;       /* latency_us: the sum */
    int64_t  active, idle, busy;                         /* gauges: process: connections, idle ones; requests under way */
    uint64_t count[10];
    uint64_t causes[WEIR_STATS_CAUSES];
    uint64_t latency[WEIR_STATS_BUCKETS];
    uint64_t statuses[WEIR_STATS_STATUSES];
    uint64_t unused[123];
} weir_stats_row_t;

/* Makes the zone with room for so many rows, once in the life of this instance; again is nothing.  false with *error. */
bool weir_stats_start(uint32_t rows, weir_error_t *error) WEIR_MUST_USE;
void weir_stats_end(void);
/* Has it begun?  Without, rows are 0 and nothing is counted. */
bool weir_stats_is_on(void);
uint32_t weir_stats_room(void);
extern const weir_zone_kind_t weir_stats_zone;

/* The row of that name: made by who may make zones, found by others; the kind's "_other" when there is none.  Any thread. */
uint32_t weir_stats_row(weir_stats_kind_t kind, weir_str_t name);
/* This process's copy, to count in. */
static inline weir_stats_row_t *weir_stats_mine(uint32_t row);

/* -- reading -- */
uint32_t weir_stats_rows(void);                          /* named so far */
weir_str_t weir_stats_name(uint32_t row, weir_stats_kind_t *kind);
void weir_stats_sum(uint32_t row, weir_stats_row_t *sum);
/* In µs; 0: nothing was counted. */
uint64_t weir_stats_quantile(const weir_stats_row_t *sum, double q);

/* What this process counts in, as it found it with its slot. */
typedef struct {
    uint32_t          slot;
    uint64_t         *touched;               /* a bit a row */
    weir_stats_row_t *rows;
} weir_stats_own_t;
extern weir_stats_own_t weir_stats_own;
weir_stats_row_t *weir_stats_first(uint32_t row);        /* of rows that were not counted in yet */

static inline weir_stats_row_t *
weir_stats_mine(uint32_t row)
{
    if (weir_likely(weir_stats_own.slot == weir_slot_mine.number && (weir_stats_own.touched[row / 64] >> row % 64 & 1) != 0)) {
        return &weir_stats_own.rows[row];
    }
    return weir_stats_first(row);
}

/* Which bucket a latency goes to, and the first latency above one. */
static inline uint32_t
weir_stats_bucket(uint64_t us)
{
    unsigned octave;

    if (us < 8) {
        return (uint32_t) us;
    }
    octave = 63u - (unsigned) __builtin_clzll(us);
    octave = octave > 33 ? 33 : octave;
    return (octave - 2) * 8 + (us >> octave > 1 ? 7 : (uint32_t) (us >> (octave - 3)) & 7);
}
uint64_t weir_stats_bucket_end(uint32_t bucket);

static inline void
weir_stats_latency(weir_stats_row_t *row, uint64_t us)
{
    row->latency_us += us;
    row->latency[weir_stats_bucket(us)]++;
}

#endif
