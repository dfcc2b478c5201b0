/*
 * breakers.h - where the circuit breaker of a group lies in shared memory, so that its policy uses it and `weir zones`
 * reads it.
 *
 * Two parts of the group's state: one is the breaker, the other one what is told of it, with the group's name.  Their
 * gauges are the two of shm/breaker.h.
 */
#ifndef WEIR_UPSTREAM_BREAKERS_H
#define WEIR_UPSTREAM_BREAKERS_H

#include "base/buf.h"
#include "shm/breaker.h"
#include "upstream/state.h"

#define WEIR_BREAKERS_TEXT 64                /* of a group's name: longer ones are cut */

/* The record of the second part. */
typedef struct {
    uint64_t name;                           /* of its place */
    uint64_t tag;                            /* that it is one of these */
    uint64_t breaker;                        /* the name of the first part's place */
    uint64_t moves[3];                       /* how often it became that: by weir_breaker_state_t */
    uint64_t refused;
    uint64_t unused;
    char     text[WEIR_BREAKERS_TEXT];       /* ended by a zero byte if it is shorter */
} weir_breakers_told_t;

typedef struct {
    weir_state_part_t    *parts[2];
    weir_breaker_t       *breaker;
    weir_breakers_told_t *told;
} weir_breakers_t;

extern const char *const weir_breakers_states[];         /* by weir_breaker_state_t; ended by NULL */

/* Of a running group that has begun; goes with the group. */
void weir_breakers_begin(weir_breakers_t *breakers, weir_group_t *group);
/* ` breaker:NAME=STATE` for each that lies in memory of places; what has no room is left out. */
void weir_breakers_describe(const void *memory, uint64_t size, weir_buf_t *out);

#endif
