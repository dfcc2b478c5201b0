/*
 * breaker.h - a circuit breaker in shared memory: closed while things go well; open, so that nothing passes, once too
 * large a part of them failed; half-open after a while, when a few pass as probes; closed again when all of those were
 * good.
 *
 *     CLOSED ──too many failed──> OPEN ──its time is over──> HALF-OPEN ──all probes good──> CLOSED
 *                                  ^─────────one probe failed─────┘ └─> HALF-OPEN anew: its lease is over
 *
 * The state is one cell that changes by compare-and-swap: so each move is made by one process, which is told of it and
 * counts and logs it.  What failed while it is closed is counted in slots of a sixth of the window, one cell each.
 *
 * Probes under way are a gauge of each process (the code that uses the breaker has it: the gate), so that a process
 * that is killed gives its places back.  In one half-open phase never more than `probes` are under way or have passed.
 * A phase in which they do not end in time begins anew, with the other one of two gauges; what the old probes say
 * counts for nothing then.
 *
 * 112 bytes that begin as zero.  Allocates nothing, waits for nothing.
 */
#ifndef WEIR_SHM_BREAKER_H
#define WEIR_SHM_BREAKER_H

#include "base/base.h"
#include "shm/cell.h"

#define WEIR_BREAKER_SLOTS 6
#define WEIR_BREAKER_PROBES_MAX 65535
#define WEIR_BREAKER_WINDOW_MIN 60           /* ms */

typedef enum { WEIR_BREAKER_CLOSED, WEIR_BREAKER_OPEN, WEIR_BREAKER_HALF_OPEN } weir_breaker_state_t;

typedef struct {
    weir_cell_t state;                       /* breaker.c; its value: since when, in ms */
    weir_cell_t slots[WEIR_BREAKER_SLOTS];
} weir_breaker_t;

typedef struct {
    uint32_t    errors, slow;                /* percent of all, from which on it opens; 0: whatever they are */
    uint32_t    minimum;                     /* … of at least so many in the window */
    uint32_t    probes;                      /* 1 … WEIR_BREAKER_PROBES_MAX */
    weir_msec_t window, open, lease;         /* not 0 */
} weir_breaker_settings_t;

typedef struct { uint32_t total, errors, slow; } weir_breaker_counts_t;

typedef struct {
    weir_breaker_state_t state;
    uint32_t             moves;              /* so many in all; as it is now by the last of them */
    uint32_t             passed;             /* probes that were good in this phase */
    bool                 turn;               /* which of the two gauges probes of this phase have */
    weir_instant_t       since;
} weir_breaker_look_t;

/* One process's use of it. */
typedef struct {
    weir_breaker_t                *breaker;
    const weir_breaker_settings_t *settings;
    void                          *data;
    /* One more probe of this process unless all processes have `max` on that gauge; and one less. */
    bool (*enter)(void *data, bool turn, uint32_t max);
    void (*leave)(void *data, bool turn);
    /* This process has made this move.  counts: why it opens, if it was closed; else NULL. */
    void (*moved)(void *data, weir_breaker_state_t to, const weir_breaker_counts_t *counts);
} weir_breaker_use_t;

/* What one that passes has with it; 0: nothing any more. */
typedef uint32_t weir_breaker_ticket_t;

#define WEIR_BREAKER_PROBE 0x40000000u       /* set in it: it is a probe's, which has something to give back */

/* May it pass?  false: *wait says after what time a probe may, 0: it is not known. */
bool weir_breaker_admit(const weir_breaker_use_t *use, weir_breaker_ticket_t *ticket, weir_msec_t *wait,
                        weir_instant_t now) WEIR_MUST_USE;
/* Something that it did has ended; a probe's first end is its verdict, others may have several. */
void weir_breaker_report(const weir_breaker_use_t *use, weir_breaker_ticket_t *ticket, bool failed, bool was_slow,
                         weir_instant_t now);
/* It is over: a probe without a verdict gives its place back.  Once for each that was admitted. */
void weir_breaker_leave(const weir_breaker_use_t *use, weir_breaker_ticket_t *ticket);
/* It is a probe that has no verdict yet. */
bool weir_breaker_is_probe(weir_breaker_ticket_t ticket);
/* May it do more of the same?  Only while the breaker is closed, as it was when it was admitted. */
bool weir_breaker_may_repeat(const weir_breaker_use_t *use, weir_breaker_ticket_t ticket);

/* -- reading -- */
weir_breaker_look_t   weir_breaker_look(const weir_breaker_t *breaker);
weir_breaker_counts_t weir_breaker_counts(const weir_breaker_t *breaker, weir_msec_t window, weir_instant_t now);

#endif
