/*
 * state.h - what all workers know about a peer and about a group: in shared memory (shm/places.h), by the group's name
 * and the peer's address.  Inside core/upstream and for balancers.
 *
 * A peer keeps its state over a reload, an upgrade and the death of workers, as long as some worker has a peer of that
 * group with that address.  Where there is no room for it, and in groups that a single request makes, the state is the
 * worker's own.
 *
 * Every word changes by itself, atomically.  Runs in workers; the zone is made at load time.
 */
#ifndef WEIR_UPSTREAM_STATE_H
#define WEIR_UPSTREAM_STATE_H

#include "conf/module.h"
#include "shm/places.h"
#include "shm/zone.h"
#include "upstream/group.h"

/* A peer's record. */
struct weir_peer_state {
    uint64_t name;                           /* of the place */
    uint64_t failures;                       /* weir_failures_t, packed */
    uint64_t is_marked;                      /* 1: as failed, by the configuration of the worker that judged it last */
    uint64_t barred;                         /* weir_barred_t's: why it is not picked */
    uint64_t risen;                          /* when its slow start began, of the monotonic clock; 0: never */
    uint64_t latency[2];                     /* averages; latency.c */
    uint64_t unused[WEIR_PLACES_RECORD / 8 - 7];
};

/* Why a peer is not picked whatever its requests say; each has one owner that sets and clears it.  A group that is made
 * without the policy that owns one clears it. */
typedef enum {
    WEIR_BARRED_CHECK = 1,                   /* its health check failed */
    WEIR_BARRED_UNPROVEN = 2,                /* it has to pass a check first */
    WEIR_BARRED_EJECTED = 4,                 /* as an outlier */
    WEIR_BARRED_DRAINED = 8,                 /* it has only those that are bound to it; run time */
    WEIR_BARRED_DOWN = 16,                   /* an operator said so; run time */
    WEIR_BARRED_DRAIN = 32,                  /* as DRAINED, by the configuration */
} weir_barred_t;

#define WEIR_BARRED_RUN_TIME ((uint64_t) WEIR_BARRED_DRAINED | WEIR_BARRED_DOWN)
/* Those that are bound to the peer may have it all the same. */
#define WEIR_BARRED_BUT_BOUND ((uint64_t) WEIR_BARRED_DRAINED | WEIR_BARRED_DRAIN)
#define WEIR_BARRED_REASONS  6

/* As statistics call it: that of bit i. */
extern const char *const weir_barred_words[WEIR_BARRED_REASONS];

#define WEIR_CHANGES_KEPT 8

/* A group's record. */
typedef struct {
    uint64_t name;
    uint64_t changes;                        /* how often a peer became marked or barred, or was so no longer */
    uint64_t latency[2];                     /* of all peers; latency.c */
    uint64_t changed[WEIR_CHANGES_KEPT];     /* which peers the last changes were of, by their number */
    uint64_t unused[WEIR_PLACES_RECORD / 8 - 4 - WEIR_CHANGES_KEPT];
} weir_group_state_t;

_Static_assert(sizeof(struct weir_peer_state) == WEIR_PLACES_RECORD && sizeof(weir_group_state_t) == WEIR_PLACES_RECORD,
               "a record each");

#define WEIR_FAILURES_MAX ((1u << 20) - 1)   /* the greatest max_fails */

/* Failures that count together, and when the last one was or the peer was given its one try; both change as one. */
typedef struct { uint32_t fails; weir_instant_t checked; } weir_failures_t;

weir_failures_t weir_state_failures(const weir_peer_t *peer);
/* false: another worker changed them since they were `was`. */
bool            weir_state_swap_failures(const weir_peer_t *peer, weir_failures_t was, weir_failures_t next);

/* The peer became marked or barred, or is so no longer: it counts among the changes of its group. */
void            weir_state_changed(const weir_peer_t *peer);
/* Which peer the change of that number was of: the cell of its place.  false: that is not known any more, or not
 * yet. */
bool            weir_state_change(const weir_group_state_t *state, uint64_t number, uint32_t *cell);

/* upstream_states: names that there is room for in all workers. */
bool weir_states_take(weir_conf_t *cf, uint64_t names) WEIR_MUST_USE;
extern const weir_zone_kind_t *const weir_states_kinds[];

/* The last generation's is the one that weir_state_look looks at; 0: none. */
void weir_states_use(uint64_t names);

/* What all workers know of a peer, which statistics call GROUP 0x1f ADDRESS.  false: nothing. */
typedef struct { bool is_marked; uint64_t barred; uint32_t in_use, fails; } weir_peer_look_t;
bool weir_state_look(weir_str_t name, weir_peer_look_t *seen);

/* Of a group that was just made, and when it goes: its peers have gone. */
void weir_states_begin(weir_group_t *group);
void weir_states_end(weir_group_t *group);
/* Of a peer that comes to it; of several with one address each has its twin's number, from 0 on. */
void weir_state_begin_peer(weir_peer_t *peer, uint32_t twin);
void weir_state_end_peer(weir_peer_t *peer);

/* -- why a peer is barred -- */
/* One reason more or less, in all workers.  true: that has changed it. */
bool weir_peer_bar(weir_peer_t *peer, weir_barred_t why, bool is_barred);
static inline uint64_t
weir_peer_barred(const weir_peer_t *peer)
{
    return __atomic_load_n(&peer->state->barred, __ATOMIC_ACQUIRE);
}

/* -- parts: more words of shared memory, for policies that need them -- */
/* A record of WEIR_PLACES_RECORD bytes, of which the first word is the place's own, and a gauge; zero at first.  Its
 * life is a peer's state's, by the name of the part. */
typedef struct weir_state_part {
    weir_list_t         link;                /* of the peer's, or of the group's */
    const weir_group_t *group;
    weir_place_t        place;
    bool                is_shared;           /* else it is this worker's own: there was no room */
} weir_state_part_t;

/* Of the peer, or of the group (NULL).  Taken once by each; what was not dropped goes with it. */
weir_state_part_t *weir_state_part(weir_group_t *group, weir_peer_t *peer, const char *name);
void               weir_state_part_drop(weir_state_part_t *part);
/* The gauges of all workers. */
uint32_t           weir_state_part_sum(const weir_state_part_t *part);
/* One more on this worker's gauge unless there are `max` in all workers already; see weir_places_admit. */
bool               weir_state_part_admit(weir_state_part_t *part, uint32_t max) WEIR_MUST_USE;
void               weir_state_part_leave(weir_state_part_t *part);
/* For a policy that has no other use for the word behind the record's first one: it counts. */
void               weir_state_part_count(weir_state_part_t *part);
uint64_t           weir_state_part_counted(const weir_state_part_t *part);

/* So many connections of the group at most, in all workers, which are on the gauge of that part of it; NULL: any. */
void               weir_upconn_cap(weir_group_t *group, weir_state_part_t *part, uint32_t max);

/* -- requests -- */
/* Requests that are on the peer now, in all workers. */
uint32_t weir_state_in_use(const weir_peer_t *peer);
/* … on all peers of the group. */
uint32_t weir_state_group_in_use(const weir_group_t *group);
/* One more in this worker.  false: the peer has max_conns already, or another worker took the last place. */
bool     weir_state_enter(weir_peer_t *peer) WEIR_MUST_USE;
void     weir_state_leave(weir_peer_t *peer);

#endif
