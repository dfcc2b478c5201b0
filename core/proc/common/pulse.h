/*
 * pulse.h - a worker's signs of life, in memory that it shares with the master alone: which turn of its loop it is in,
 * and whether it has taken a connection.
 *
 * Made by the master before it forks the worker.  The master believes nothing of it but that: what a worker may gain by
 * lying is to be started again sooner, or to be killed.
 */
#ifndef WEIR_PROC_COMMON_PULSE_H
#define WEIR_PROC_COMMON_PULSE_H

#include "base/base.h"

typedef struct {
    uint64_t beat;              /* odd: it is starting, or in a turn; even: it waits (weir_loop_beat_in) */
    uint64_t taken;             /* connections (weir_serve_count_taken) */
} weir_pulse_t;

/* Zeroed but for the beat, which is 1.  NULL: errno. */
weir_pulse_t *weir_pulse_open(void);
void weir_pulse_close(weir_pulse_t *pulse);                          /* of this process; NULL is fine */

#endif
