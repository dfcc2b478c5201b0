/*
 * balancer.h - what chooses among peers.  For upstream modules (modules/upstream) and core/upstream.
 *
 * A running group has its peers in host sets, by priority and distance, best first; sets.c says which of them a request
 * is given to, and the balancer which of its peers.  A balancer has a state for each set, in a process; it outlives a
 * change of the configuration peer by peer (carry_over).
 *
 * Runs in workers.
 */
#ifndef WEIR_UPSTREAM_BALANCER_H
#define WEIR_UPSTREAM_BALANCER_H

#include "upstream/group.h"
#include "upstream/state.h"

#define WEIR_SHARE_WHOLE 1000000

struct weir_host_set {
    weir_group_t *group;
    weir_peer_t **peers;
    size_t        n;
    uint64_t      weight;            /* of all its peers, of those that may not be picked as well */
    size_t        standing, healthy; /* peers that are not down, and those of them that may be asked; and … */
    uint32_t      share;             /* … its part of the requests, of WEIR_SHARE_WHOLE: when shares.c last looked */
    int32_t       credit;            /* what it is owed of them */
    uint64_t      counts;            /* for what, within its level; shares.c */
    void         *state;             /* the balancer's */
    const void   *prepared;          /* what it has prepared for the set (weir_draft_t.made); NULL: it does not */
    uint64_t     *ends;              /* of a large set: by peer, the sum of the weights up to its own (weir_sets_at) */
    struct weir_order *order;        /* of a large set (order.h); NULL */
    bool          is_panic;          /* so few of its peers are healthy that all of them are used */
};

/* A set that is to come: what its balancer goes by, which stays as it is until the set is there. */
#define WEIR_DRAFT_STEPS 2048        /* at once: some 100 µs */

typedef struct {
    const weir_group_conf_t       *group;
    const weir_peer_conf_t *const *peers;    /* n of them, in the order of the set */
    size_t                         n;
    uint64_t                       weight;
    weir_arena_t                  *arena;    /* of the group's sets that come */
    void                          *made;     /* the balancer's; NULL: it has not begun */
} weir_draft_t;

struct weir_balancer {
    const char  *name;
    bool         is_steady;          /* servers have all of their weights always: it is none for slow_start */
    /* What takes so long to make that a worker cannot stand still for it: at most so many steps of it (a point, a slot;
     * each some 50 ns), in a turn or several, while the group goes on with the sets that it has.  true: draft->made is
     * ready.  NULL: there is nothing of that kind. */
    bool         (*prepare)(weir_draft_t *draft, size_t steps);
    /* It will not be ready, or has not begun: what it has beside the arena goes. */
    void         (*abandon)(weir_draft_t *draft);
    /* The state of a set that no peer has been picked from; in the arena of the group's sets, which are made anew when
     * its peers change.  NULL: it needs none. */
    void        *(*create)(const weir_host_set_t *set, weir_arena_t *arena);
    /* One of the set that weir_peer_allowed.  NULL: there is none. */
    weir_peer_t *(*pick)(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now);
    /* How an attempt on a peer of it ended.  NULL: it does not matter. */
    void         (*report)(weir_peer_t *peer, bool failed);
    /* `to` is in the place of `from`, which had the same address in the group of this name before, and the same
     * balancer; or it is the same peer, in the set that it was in until now (from->group == to->group): then what turns
     * it has had is carried, too, as a group may change all the time.  NULL: nothing to carry. */
    void         (*carry_over)(weir_peer_t *to, const weir_peer_t *from);
    /* After that, for each set: all that stay have what they had, all others what `create` gave them.  NULL: nothing
     * is left to be done. */
    void         (*settle)(const weir_host_set_t *set);
    /* The peer, in its set, is about to have another weight (to->weight).  NULL: the sets are made anew for that, and
     * when what the configuration says of it is down, or not any more. */
    void         (*adjust)(weir_peer_t *peer, const weir_peer_conf_t *to);
    /* What the state holds beside the arena.  NULL: nothing. */
    void         (*destroy)(const weir_host_set_t *set);
};

/* May this peer be picked now?  Not when it is down, barred, rests after failures, was tried, or has max_conns. */
bool weir_peer_allowed(const weir_peer_t *peer, const weir_pick_t *pick, weir_instant_t now);
/* Where it is in its set. */
static inline size_t weir_peer_index(const weir_peer_t *peer) { return peer->index; }

extern const weir_balancer_t weir_balancer_round_robin;

/* The peer that a number below the set's weight falls to, each having as many numbers as its weight. */
weir_peer_t *weir_sets_at(const weir_host_set_t *set, uint64_t number);

/* -- smooth weighted turns, for any balancer: a state that begins with an array of these, by weir_peer_index -- */
#define WEIR_TURNS_WHOLE 256         /* part of a peer that has all of its weight */

typedef struct {
    int64_t  current, effective;     /* credit; the weight in use, which sinks with failures */
    uint32_t part;                   /* of its weight that the peer has now, in parts of WEIR_TURNS_WHOLE */
} weir_turns_t;

void        *weir_round_robin_create(const weir_host_set_t *set, weir_arena_t *arena);
/* The same in memory of the caller's: set->n of them.  What else a balancer keeps may lie behind them. */
void         weir_round_robin_init(const weir_host_set_t *set, weir_turns_t *turns);
/* The next among those that `may` lets: NULL: none.  Of a large set those that rest, are barred, down or at max_conns
 * may be left out without a question; `may` is to refuse them in any case (weir_peer_allowed). */
weir_peer_t *weir_round_robin_take(const weir_host_set_t *set, bool (*may)(const weir_peer_t *peer, const void *data),
                                   const void *data);
/* What a peer has to do, for its weight: the less the better. */
typedef uint64_t (*weir_load_t)(const weir_peer_t *peer);
/* The same among those of the least load.  One that `load` tells of a large set may be a little out of date (order.h):
 * it is read again when the peer is about to be picked, and when a request of this worker leaves it. */
weir_peer_t *weir_round_robin_take_least(const weir_host_set_t *set, weir_load_t load,
                                         bool (*may)(const weir_peer_t *peer, const void *data), const void *data);
/* The same among n peers of the set, by their indexes: their turns are nginx's whatever the set's size. */
weir_peer_t *weir_round_robin_take_of(const weir_host_set_t *set, const uint32_t *peers, size_t n,
                                      bool (*may)(const weir_peer_t *peer, const void *data), const void *data);
/* From now on the peer has that part of its weight (1 to WEIR_TURNS_WHOLE): for slow_start, which warms it up. */
void         weir_round_robin_set_part(weir_peer_t *peer, uint32_t part);
static inline uint32_t
weir_peer_part(const weir_peer_t *peer)
{
    return peer->part != 0 ? peer->part : WEIR_TURNS_WHOLE;
}
void         weir_round_robin_report(weir_peer_t *peer, bool failed);
void         weir_round_robin_carry_over(weir_peer_t *to, const weir_peer_t *from);
void         weir_round_robin_settle(const weir_host_set_t *set);
void         weir_round_robin_adjust(weir_peer_t *peer, const weir_peer_conf_t *to);

#endif
