/*
 * running.h - a running group from the inside; for core/upstream only.
 */
#ifndef WEIR_UPSTREAM_RUNNING_H
#define WEIR_UPSTREAM_RUNNING_H

#include "upstream/balancer.h"
#include "upstream/policy.h"
#include "upstream/state.h"

typedef struct weir_upslot weir_upslot_t;
typedef struct weir_member weir_member_t;     /* members.c */
typedef struct weir_plan weir_plan_t;         /* settle.c */

/* Numbers of peers that have gone, the first one the longest ago. */
typedef struct { uint32_t *resting; size_t first, n, cap; } weir_numbers_t;

/* Sets one behind another that are one of Envoy's priority levels (shares.c). */
typedef struct {
    weir_host_set_t *sets;
    size_t           n;
    uint64_t         peers, healthy;
    uint32_t         health, load;   /* percent; parts of WEIR_SHARE_WHOLE */
    bool             is_panic;
} weir_level_t;

/* Policies that are told of a step of a request: bit i is that of the group's policy i. */
typedef struct { uint16_t admit, leave, picked, connected, report; } weir_hooks_t;

struct weir_group {
    weir_group_conf_t conf;          /* a copy, in the arena below; n_peers: of those in the sets */
    weir_groups_t    *groups;        /* NULL: it has been destroyed before this group */
    weir_loop_t      *loop;
    weir_list_t       link;          /* in its bucket of groups */
    weir_peer_t     **peers;         /* conf.n_peers of them, by rank */
    weir_host_set_t  *sets;          /* by rank */
    weir_arena_t     *sets_arena;    /* of these two, and of what balancers keep; on the heap */
    weir_list_t       members;       /* where peers come from and go to: members.c, with all below */
    size_t            n_members;
    weir_member_t   **buckets;       /* of members by address */
    size_t            n_buckets;
    uint32_t          n_numbers;     /* weir_peer_number is below it */
    weir_numbers_t    numbers;
    bool              has_changed, has_lost;     /* what the sets are of; … a peer, at least */
    weir_list_t       unsettled;     /* of groups, while the sets are not of what is known */
    uint64_t          unsettled_from;    /* the first change that they lack */
    uint64_t          lacks_from;        /* … and that the plan lacks, too; 0: it has all */
    weir_plan_t      *plan;          /* of the sets that are being made; NULL: none are */
    weir_task_t       settle_task;
    weir_timer_t      settle_timer;
    weir_instant_t    settle_from;   /* not earlier */
    weir_str_t       *zones;         /* localities of peers, by weir_peer_t.zone - 1; NULL: there are none */
    size_t            n_zones;
    size_t            n_sets, n_sharing;     /* those that are not backups come first */
    weir_level_t     *levels;        /* n_levels of them when shares.c last looked: */
    size_t            n_levels, n_panic;     /* of n_panic sets all peers are used */
    weir_instant_t    shared_at;
    uint64_t          changed, shared_as;    /* counts what this worker has been told of peers; and as of then */
    size_t            n_marked;      /* peers that are marked as failed, as of: */
    uint64_t          seen;          /* state->changes */
    uint32_t         *cells;         /* numbers of places of peers, by cell: group.c; NULL: not looked for yet */
    size_t            n_cells;       /* a power of two */
    weir_instant_t    now;           /* of the last pick */
    size_t            hint;          /* a peer that a request might pick, when that was last asked */
    weir_group_state_t *state;       /* what all workers know about the group */
    weir_place_t      place;         /* where that is, if is_shared; its gauge: requests on all its peers, as theirs */
    weir_places_t     places;        /* of zone, from which it and its peers have theirs; NULL: all of it is our own */
    weir_zone_t      *zone;
    bool              is_shared, has_told_too_small;
    weir_list_t       parts;         /* taken for policies, of the group; state.c */
    struct weir_queue *queue;        /* queue.c; NULL: no request waits for a peer */
    weir_uppolicy_of_t *policies;      /* conf.n_policies of them */
    weir_hooks_t      hooks;         /* which of them are told of what: policies.c */
    weir_list_t       rising;        /* peers by weir_peer_t.rising */
    struct weir_hedges *hedges;      /* hedges.c; NULL: not needed yet */
    weir_list_t       idle;          /* connections of all peers by group_link, newest first */
    uint32_t          n_idle;
    weir_state_part_t *cap;          /* of its connections in all workers; NULL: there is none */
    uint32_t          max_connections;       /* … of which there are at most so many */
    uint32_t          refs;          /* generations, picks, connections that are not idle */
    weir_arena_t      arena;
};

/* members.c: a group that was just made gets its peers; it has none any more. */
void weir_members_begin(weir_group_t *group, const weir_peer_conf_t *peers, size_t n);
void weir_members_end(weir_group_t *group);
/* These are all from now on; the sets of them are made as weir_settle_soon says. */
void weir_members_renew(weir_group_t *group, const weir_peer_conf_t *peers, size_t n);
/* Something has changed of that address at run time (changes.h). */
void weir_members_changed(weir_group_t *group, weir_str_t text);
/* Its peers, as their sources have them, n_members at most: those of the sets that are made of what is known now. */
size_t weir_members_peers(const weir_group_t *group, weir_peer_t **peers);
/* Which row a peer's conf is counted in, and whether it is one that the configuration has down. */
void weir_members_hold_row(const weir_peer_conf_t *conf);
void weir_members_let_row_go(const weir_peer_conf_t *conf);

/* adjust.c: the peer is as `to` says from now on, in the sets that there are; takes `to`.  false: sets must be made for
 * that, and `to` is still the caller's. */
bool weir_adjust_peer(weir_peer_t *peer, const weir_peer_conf_t *to) WEIR_MUST_USE;

/* settle.c: something has changed; at the end of the turn, or when its time has come, the sets are made, in slices over
 * several turns where that takes long. */
void weir_settle_soon(weir_group_t *group);
/* The same when peers have only gone: no request picks them already, so that none needs to wait for the sets. */
void weir_settle_without(weir_group_t *group);
/* The sets are not of the peers that there are. */
bool weir_settle_is_due(const weir_group_t *group);
/* As much of that as is done in one slice, now. */
void weir_settle_most(weir_group_t *group);
/* A peer that comes with the sets that are being made, for a request that finds none in those that there are: one for
 * its key, of the first rank that has any.  NULL: there is none. */
weir_peer_t *weir_settle_pick(weir_group_t *group, const weir_pick_t *pick, weir_instant_t now);
/* All of it, now. */
void weir_settle_all(weir_group_t *group);
/* The group ends: no peer is in a set or a plan any more. */
void weir_settle_end(weir_group_t *group);
void weir_settle_free_sets(weir_arena_t *arena);
/* What the sets that are being made have of it, or if it does not change with them, what it has. */
static inline const weir_peer_conf_t *
weir_peer_planned_conf(const weir_peer_t *peer)
{
    return peer->plan_conf != NULL ? peer->plan_conf : peer->conf;
}
static inline weir_peer_t *
weir_peer_ref(weir_peer_t *peer)
{
    weir_assert(peer->refs > 0 && peer->refs < UINT32_MAX);
    peer->refs++;
    return peer;
}
void weir_members_end_peer(weir_peer_t *peer);
static inline void
weir_peer_unref(weir_peer_t *peer)           /* the last one ends it */
{
    weir_assert(peer->refs > 0);
    if (--peer->refs == 0) {
        weir_members_end_peer(peer);
    }
}
/* The one of that address, of several the first; NULL: none. */
weir_peer_t *weir_members_find(const weir_group_t *group, weir_str_t text);
static inline bool
weir_pick_has_tried(const weir_pick_t *pick, const weir_peer_t *peer)
{
    size_t number = weir_peer_number(peer);

    return number / 64 < pick->n_tried && (pick->tried[number / 64] >> (number % 64) & 1) != 0;
}

/* sets.c: host sets of group->peers, which are in the order of their ranks; the balancer's state of each.
 * drafts: what it has prepared for each; NULL: nothing. */
void         weir_sets_create(weir_group_t *group, const weir_draft_t *drafts);
/* The peer has another weight from now on. */
void         weir_sets_reweigh(const weir_peer_t *peer, uint32_t weight);
/* shares.c: what part of the requests each set is due now (set->share; together WEIR_SHARE_WHOLE, or 0 when no peer may
 * be asked). */
void         weir_shares_update(weir_group_t *group, weir_instant_t now);
/* NULL: no peer of the group may be asked. */
weir_peer_t *weir_sets_pick(weir_group_t *group, const weir_pick_t *pick, weir_instant_t now);

/* queue.c: a request has left a peer of a group that has a queue. */
void weir_queue_place_is_free(weir_group_t *group);

/* policies.c: those of a group that was just made, and when it goes; and what they are told of a request. */
void           weir_policies_begin(weir_group_t *group);
void           weir_policies_end(weir_group_t *group);
/* A peer that comes to a group that has begun, and has its shared state; it goes. */
void           weir_policies_peer_begin(weir_peer_t *peer);
void           weir_policies_peer_end(weir_peer_t *peer);
void           weir_policies_peer_told(weir_peer_t *peer);     /* its configuration is another now */
void           weir_policies_carry_over(weir_peer_t *to, const weir_peer_t *from);
weir_refusal_t weir_policies_admit(weir_pick_t *pick, weir_instant_t now);
void           weir_policies_leave(weir_pick_t *pick, weir_instant_t now);
void           weir_policies_picked(weir_pick_t *pick, weir_instant_t now);
void           weir_policies_connected(weir_pick_t *pick);
void           weir_policies_report(weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now);

/* peer.c: it has failed max_fails times.  The only peer of a group is never marked: there would be no other to ask. */
bool weir_peer_is_marked(const weir_peer_t *peer);
/* It is marked as failed and it is not yet time to try it, or it is barred. */
bool weir_peer_rests(const weir_peer_t *peer, weir_instant_t now);
/* May a request that is bound to the peer have it?  Also when it is drained, whatever its rank and zone. */
bool weir_peer_allowed_bound(const weir_peer_t *peer, const weir_pick_t *pick, weir_instant_t now);
/* It rests, and its set is in panic: it may be picked all the same. */
bool weir_peer_is_needed(const weir_peer_t *peer);
/* After which it is tried, if nothing else changes. */
weir_instant_t weir_peer_rests_until(const weir_peer_t *peer);
/* An attempt failed; failures count together while each follows the one before within fail_timeout. */
void weir_peer_failed(weir_peer_t *peer, weir_instant_t now);
/* The attempt that tried a marked peer succeeded. */
void weir_peer_recovered(weir_peer_t *peer, weir_instant_t now);
/* The one try of a marked peer whose time has come.  false: another worker has it, or has changed the peer's state. */
bool weir_peer_try(weir_peer_t *peer, weir_instant_t now) WEIR_MUST_USE;
/* Its group and statistics count whether it is marked as failed. */
void weir_peer_tell(weir_peer_t *peer);
/* Its group goes: it is counted no more. */
void weir_peer_forget(weir_peer_t *peer);
/* slow_start.c: the peer is picked again from now on; it has come to a group that serves, which several workers say. */
void weir_slow_start_begin(weir_peer_t *peer, weir_instant_t now);
void weir_slow_start_added(weir_peer_t *peer, weir_instant_t now);
/* A worker may have begun it, or the group; the peer goes. */
void weir_slow_start_told(weir_peer_t *peer);
void weir_slow_start_forget(weir_peer_t *peer);
/* Before a peer is picked: what each has of its weight now. */
void weir_slow_start_turn(weir_group_t *group, weir_instant_t now);
/* group.c: the group's sets lack something, or do not any more. */
void weir_group_unsettled(weir_group_t *group);
void weir_group_settled(weir_group_t *group);
/* The number of a locality in the group (weir_peer_t.zone). */
uint8_t weir_group_zone(weir_group_t *group, weir_str_t locality);
/* How far away it is (weir_peer_conf_t.distance). */
uint8_t weir_group_distance(const weir_group_t *group, weir_str_t locality);
/* What other workers have found out of its peers since the last look is counted here, too. */
void weir_group_look(weir_group_t *group);

/* upconn_secure.c: where the session of connections that are secured so is kept at this peer: one user more.  NULL:
 * nowhere. */
weir_upslot_t *weir_upconn_slot_take(weir_peer_t *peer, const weir_upsecure_t *secure);
void           weir_upconn_slot_give_back(weir_upconn_t *up);
void           weir_upconn_slot_move(weir_upconn_t *up);       /* up->peer has changed */
void           weir_upconn_slots_free(weir_peer_t *peer);      /* no connection uses any */

/* resolver.c: the stubs of this worker; group.c has the list. */
struct weir_resolver_link;
struct weir_resolver_link **weir_groups_resolvers(weir_groups_t *groups);
weir_list_t *weir_groups_follows(weir_groups_t *groups);     /* follow.c: what it follows */
weir_loop_t *weir_groups_loop(weir_groups_t *groups);
void weir_resolvers_free(struct weir_resolver_link *list);

/* upconn.c */
void weir_upconn_close_idle(weir_group_t *group);
void weir_upconn_close_idle_of(weir_peer_t *peer);
/* Links an idle connection as the oldest of its new peer and group: for moving those of one group to another. */
void weir_upconn_adopt(weir_upconn_t *up, weir_peer_t *peer);

#endif
