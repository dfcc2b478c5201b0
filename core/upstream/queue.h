/*
 * queue.h - requests that wait until a peer of their group has room (max_conns).
 *
 * Each worker has those of its own in a row, and the first of them has the next place that the worker finds.  How many
 * there are in all workers is the gauge of a part of the group's state, so never more than the queue is long.  A worker
 * that frees a place looks whether others have requests that wait, and wakes them (event/wake.h): the faster one has
 * it. A place that a killed worker had, and a peer that is well again, are found by looking now and then.
 *
 * Runs in workers, on the loop's thread.
 */
#ifndef WEIR_UPSTREAM_QUEUE_H
#define WEIR_UPSTREAM_QUEUE_H

#include "event/wake.h"
#include "upstream/policy.h"

#define WEIR_QUEUE_MAX    65535
#define WEIR_QUEUE_LOOK_MS 50                /* how often it looks without being woken */

/* The settings of the policy. */
typedef struct { uint32_t max; weir_msec_t timeout; } weir_queue_settings_t;

extern const weir_uppolicy_t weir_queue_policy;

/* A request that waits; zeroed before its first use. */
typedef struct weir_upqueued {
    weir_list_t     link;
    weir_timer_t    timer;
    struct weir_queue *queue;                /* NULL: it does not wait */
    weir_pick_t    *pick;
    /* Called when it is not in the queue any more: with a peer, or with pick->refusal. */
    void          (*done)(struct weir_upqueued *queued);
} weir_upqueued_t;

/* Has its group a queue? */
bool weir_queue_may_wait(const weir_pick_t *pick);
/* For a request that has no peer yet and has tried none.  NEXT: it does not wait - it has pick->peer, or pick->refusal
 * says why not. */
typedef enum { WEIR_QUEUE_NEXT, WEIR_QUEUE_WAITS } weir_queue_result_t;
weir_queue_result_t weir_queue_pick(weir_pick_t *pick, weir_upqueued_t *queued, void (*done)(weir_upqueued_t *),
                                    weir_instant_t now);
/* It waits no longer, and done is not called; of one that does not wait: nothing. */
void weir_queue_leave(weir_upqueued_t *queued);

#endif
