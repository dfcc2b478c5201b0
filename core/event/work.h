/*
 * work.h - what takes long and needs no more than processor time (a costly hash), done by a few threads beside the
 * loop.
 *
 * A process has one pool, whose threads are made when the first work comes.  Runs in workers.
 */
#ifndef WEIR_EVENT_WORK_H
#define WEIR_EVENT_WORK_H

#include "event/loop.h"

typedef struct weir_work weir_work_t;
struct weir_work {
    void (*run)(weir_work_t *work);      /* in a thread: touches nothing but the work, allocates and logs nothing */
    /* on the loop, in a turn of its own; also for what weir_work_stop found waiting */
    void (*done)(weir_work_t *work);
    weir_work_t *next;
};

#define WEIR_WORK_WAITING_MAX 64         /* beside what is being done */

/* In a worker, once.  false: errno; nothing can be posted then. */
bool weir_work_open(weir_loop_t *loop) WEIR_MUST_USE;
/* The caller owns it again in done.  false: so much is waiting already, or there can be no thread; it was not taken. */
bool weir_work_post(weir_work_t *work) WEIR_MUST_USE;
/* Before the loop goes.  What waits is done with, not run; what is being run is waited for a moment, then left to the
 * end of the process. */
void weir_work_stop(void);

#endif
