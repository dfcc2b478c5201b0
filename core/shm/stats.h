/*
 * stats.h - what happened, counted: rows of counters in shared memory, a copy of each row for every slot, added up by
 * readers.
 *
 * A row belongs to something that has a name: a server, a location, an upstream group, a peer, a limit, a version of an
 * API.  Rows are named
 * by the master as it reads a configuration and found again by workers.  A row is held while a configuration in use
 * names it, be it that of another master, which an upgrade left behind without workers; one that no serving process
 * holds is not shown, keeps its numbers for the case that its name comes back, and is given to another name when there
 * are many such or no other is left.  Beyond statistics_rows, what comes is counted in the row "_other" of its kind.
 *
 * Rows lie in segments, a zone each, that are made as they are needed; memory is taken a page at a time as something is
 * counted.  A worker writes to its own copy with plain stores; when it is dead the master adds the copy to the base.
 * Counting locks nothing.
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
    WEIR_STATS_PROCESS, WEIR_STATS_SERVER, WEIR_STATS_LOCATION, WEIR_STATS_UPSTREAM, WEIR_STATS_PEER, WEIR_STATS_LIMIT,
        WEIR_STATS_API, WEIR_STATS_KINDS
} weir_stats_kind_t;

#define WEIR_STATS_NAME      116             /* bytes of a name; longer ones are cut */
#define WEIR_STATS_SEPARATOR '\x1f'          /* between a group's name and its peer's */
#define WEIR_STATS_STATUSES  500             /* 100 … 599 */
#define WEIR_STATS_CAUSES    251
#define WEIR_STATS_CAUSES_1  128             /* those on the first page of a row */
#define WEIR_STATS_BUCKETS   256

/* What the numbers in `count` are, by kind. */
/* process */
enum { WEIR_COUNT_ACCEPTED, WEIR_COUNT_CLOSED, WEIR_COUNT_HANDSHAKES, WEIR_COUNT_HANDSHAKES_FAILED,
       WEIR_COUNT_RESUMED,
       /* of a worker: its copy alone says them (weir_stats_worker), the sum means nothing */
       WEIR_COUNT_GENERATION, WEIR_COUNT_GENERATIONS };
/* limit */
enum { WEIR_COUNT_PASSED, WEIR_COUNT_DELAYED, WEIR_COUNT_REJECTED, WEIR_COUNT_DELAYED_DRY_RUN,
       WEIR_COUNT_REJECTED_DRY_RUN };
/* upstream and peer */
enum { WEIR_COUNT_FAILS, WEIR_COUNT_CONNECTED,
       /* of an upstream */
       WEIR_COUNT_RETRIES, WEIR_COUNT_RETRIES_REFUSED, WEIR_COUNT_HEDGES, WEIR_COUNT_HEDGES_WON,
       WEIR_COUNT_HEDGES_REFUSED };

/* The first page has what most rows need: 111 statuses that are usual (weir_stats_status) are in it. */
typedef struct {
    uint64_t requests, received, sent, latency_us;       /* latency_us: the sum */
    int64_t  active, idle, busy;                       /* gauges: process: connections, idle ones; requests under way */
    uint64_t count[10];
    uint64_t causes[WEIR_STATS_CAUSES_1];                /* see weir_stats_of_cause */
    uint64_t latency[WEIR_STATS_BUCKETS];
    uint64_t statuses[WEIR_STATS_STATUSES];              /* by weir_stats_status */
    uint64_t more_causes[WEIR_STATS_CAUSES - WEIR_STATS_CAUSES_1];
} weir_stats_row_t;

/* The count of a cause, by its number below WEIR_STATS_CAUSES. */
static inline uint64_t
weir_stats_of_cause(const weir_stats_row_t *row, size_t cause)
{
    return cause < WEIR_STATS_CAUSES_1 ? row->causes[cause] : row->more_causes[cause - WEIR_STATS_CAUSES_1];
}

static inline void
weir_stats_count_cause(weir_stats_row_t *row, size_t cause)
{
    ++*(cause < WEIR_STATS_CAUSES_1 ? &row->causes[cause] : &row->more_causes[cause - WEIR_STATS_CAUSES_1]);
}

/* Gauges of a peer: workers that judge it alone (upstream_states) in which it is marked as failed, and those in which
 * the configuration has it down. */
#define WEIR_GAUGE_UNAVAILABLE active
#define WEIR_GAUGE_DOWN        idle

#define WEIR_STATS_SEGMENT  1024             /* rows of one */
#define WEIR_STATS_SEGMENTS 256

/* A configuration is about to name its rows, of which there may be so many.  false with *error. */
bool weir_stats_start(uint32_t rows, weir_error_t *error) WEIR_MUST_USE;
void weir_stats_end(void);
/* Has it begun?  Without, rows are 0 and nothing is counted. */
bool weir_stats_is_on(void);
uint32_t weir_stats_room(void);                          /* statistics_rows */
extern const weir_zone_kind_t weir_stats_zone;

/* The row of that name, held until the arena goes: made by the process that may make zones, found by others; the kind's
 * "_other" when there is none.  owner: of a peer, its group's row; else 0.  Any thread. */
uint32_t weir_stats_row(weir_arena_t *arena, weir_stats_kind_t kind, weir_str_t name, uint32_t owner);
/* Held once more, by an owner that outlives a configuration; and let go. */
void weir_stats_hold(uint32_t row);
void weir_stats_let_go(uint32_t row);
/* After a fork, with a slot of its own: what this process's configuration names is held by it, too. */
void weir_stats_hold_all(void);
/* This process's copy, to count in. */
static inline weir_stats_row_t *weir_stats_mine(uint32_t row);

/* -- reading -- */
uint32_t weir_stats_rows(void);                          /* rows that have had a name, held or not */
/* The rows that are held, by kind, peers in the order of their groups' rows; at most max. Returns how many. */
uint32_t weir_stats_list(uint32_t *rows, uint32_t max);
weir_str_t weir_stats_name(uint32_t row, weir_stats_kind_t *kind);
uint32_t weir_stats_owner(uint32_t row);
void weir_stats_sum(uint32_t row, weir_stats_row_t *sum);
/* What the worker that has this slot says of itself.  false: none has, or it has said nothing yet. */
typedef struct {
    pid_t    pid;
    uint64_t generation;                     /* the one that serves there */
    uint64_t generations;                    /* how many it has in memory */
} weir_stats_worker_t;
bool weir_stats_worker(uint32_t slot, weir_stats_worker_t *worker);
/* Of this process. */
static inline void weir_stats_tell_generations(uint64_t generation, uint64_t generations);
/* In µs; 0: nothing was counted. */
uint64_t weir_stats_quantile(const weir_stats_row_t *sum, double q);

/* What this process counts in, as it found it with its slot. */
typedef struct {
    uint64_t         *touched;               /* a bit a row of the segment */
    weir_stats_row_t *rows;
} weir_stats_part_t;
typedef struct {
    uint32_t          slot;
    weir_stats_part_t part[WEIR_STATS_SEGMENTS];
} weir_stats_own_t;
extern weir_stats_own_t weir_stats_own;
weir_stats_row_t *weir_stats_first(uint32_t row);        /* of rows that were not counted in yet */

static inline weir_stats_row_t *
weir_stats_mine(uint32_t row)
{
    const weir_stats_part_t *part = &weir_stats_own.part[row / WEIR_STATS_SEGMENT];
    uint32_t                 at = row % WEIR_STATS_SEGMENT;

    if (weir_likely(weir_stats_own.slot == weir_slot_mine.number && (part->touched[at / 64] >> at % 64 & 1) != 0)) {
        return &part->rows[at];
    }
    return weir_stats_first(row);
}

static inline void
weir_stats_tell_generations(uint64_t generation, uint64_t generations)
{
    weir_stats_row_t *row = weir_stats_mine(WEIR_STATS_PROCESS);

    __atomic_store_n(&row->count[WEIR_COUNT_GENERATION], generation, __ATOMIC_RELAXED);
    __atomic_store_n(&row->count[WEIR_COUNT_GENERATIONS], generations, __ATOMIC_RELAXED);
}

/* Where a status (100 … 599) is counted: usual ones first. */
extern const uint16_t weir_stats_places[WEIR_STATS_STATUSES];
static inline uint32_t
weir_stats_status(uint32_t status)
{
    return weir_stats_places[status - 100];
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
