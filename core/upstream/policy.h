/*
 * policy.h - what judges the peers of a group, or lets its requests in, beside max_fails: outlier detection, a circuit
 * breaker, a budget of retries, an average of response times.  For upstream modules and core/upstream.
 *
 *     request:  admit → (picked → report) for each attempt, `retry` before each one but the first → leave
 *
 * A module says at load time which policy an upstream block has, and with which settings (judge, in module.h).  A
 * running group has a copy of the settings, and memory of the worker's own for each policy.  What all workers are to
 * know lies in shared memory: reasons why a peer is not picked in its record (weir_peer_bar), all else in a part of the
 * policy's own (state.h, weir_state_part).
 *
 * Every attempt that a policy was told of as picked is reported exactly once, and every request that was admitted
 * leaves exactly once, also when its client or the worker's configuration goes.  When the worker is killed nothing is
 * reported: what must be given back then is to be a gauge of a part.
 *
 * Runs in workers, on the loop's thread.
 */
#ifndef WEIR_UPSTREAM_POLICY_H
#define WEIR_UPSTREAM_POLICY_H

#include "upstream/group.h"
#include "upstream/state.h"

/* A policy of a running group. */
struct weir_uppolicy_of {
    const weir_uppolicy_t *policy;
    const void          *settings;       /* the group's copy; aligned to 8 */
    weir_group_t        *group;
    void                *state;          /* policy->group_size bytes, zero at first */
    size_t               place;          /* of what it keeps of a peer: weir_policy_peer */
    unsigned             index;          /* among the group's policies */
};

/* A number that a policy tells statistics, of a group or of each of its peers; told.h prints them all in one style:
 *
 *     JSON        in the group's or the peer's object "POLICY":{"NAME":number}, or {"NAME":{"VALUE":number,…}}
 *     Prometheus  weir_upstream_POLICY_NAME or weir_peer_…, with LABEL="VALUE"; a count has _total behind it
 *
 * Rows of one name stand together, and are of one kind; they have the same label, and a value each. */
typedef enum {
    WEIR_TOLD_COUNT,                         /* since the beginning */
    WEIR_TOLD_GAUGE,                         /* now */
    WEIR_TOLD_SECONDS,                       /* now; milliseconds, which are told as seconds, and so is NAME to end */
    WEIR_TOLD_STATE,                         /* an index into `states`: a word in JSON, 1 or 0 for each in Prometheus */
} weir_told_kind_t;

typedef struct {
    const char        *name, *help;          /* help: a sentence, for Prometheus */
    weir_told_kind_t   kind;
    bool               of_peer;              /* else of the group; those of the group stand first */
    const char        *label, *value;        /* NULL: the number stands by itself */
    const char *const *states;               /* NULL at the end */
} weir_told_t;

#define WEIR_TOLD_MAX 32                     /* rows of one policy */

struct weir_uppolicy {
    const char *name;                        /* as the directive's: a word of Prometheus' */
    size_t      group_size, peer_size;   /* bytes that the worker keeps of a group, and of each peer */
    uint64_t    bars;                    /* the reasons for which it bars peers; no other policy may */
    /* All of these may be NULL. */
    void (*begin)(weir_uppolicy_of_t *of);                 /* its peers have not begun yet */
    void (*end)(weir_uppolicy_of_t *of);
    /* Of each peer, behind the group's begin and before its end; peers may come and go in a group that serves. */
    void (*peer_begin)(weir_uppolicy_of_t *of, weir_peer_t *peer);
    void (*peer_end)(weir_uppolicy_of_t *of, weir_peer_t *peer);
    /* peer->conf says something else now; never its address. */
    void (*peer_told)(weir_uppolicy_of_t *of, weir_peer_t *peer);
    /* `to` is in the place of `from`, which had the same address in the group of this name before, and this policy. */
    void (*carry_over)(weir_uppolicy_of_t *of, weir_peer_t *to, const weir_uppolicy_of_t *before,
                       const weir_peer_t *from);
    /* Before the first peer of a request is picked; the request may be bound to one (weir_pick_bind).  Other than
     * WEIR_REFUSED_NOT: the request gets no peer, and pick->refused_for may be set. */
    weir_refusal_t (*admit)(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now);
    void (*leave)(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now);
    /* The request failed, or is to be sent to a second peer at once: may it be sent once more?  Asked once for each
     * time, and only when it is sent if all say so. */
    bool (*retry)(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now);
    /* It is not sent once more after all, though this policy has said that it may: another one has not, or there is no
     * peer any more.  What it has goes on. */
    void (*retry_not)(weir_uppolicy_of_t *of, weir_pick_t *pick);
    void (*picked)(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now);
    /* … and it has a connection that is ready; perhaps again, when that had been closed. */
    void (*connected)(weir_uppolicy_of_t *of, weir_pick_t *pick);
    /* What has come of the answer is good, and the rest waits for its client; perhaps again.  For what must not wait
     * with it.  report follows. */
    void (*gave)(weir_uppolicy_of_t *of, weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now);
    void (*report)(weir_uppolicy_of_t *of, weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now);
    /* The group has not taken the request, and its fallback has it. */
    void (*fell_back)(weir_uppolicy_of_t *of, weir_pick_t *pick);
    /* For statistics: numbers[i] is what tells[i] says, as all workers know it.  peer NULL: those of the group, else
     * those of that peer; the others are not looked at. */
    const weir_told_t *tells;
    size_t             n_tells;
    void (*tell)(const weir_uppolicy_of_t *of, const weir_peer_t *peer, uint64_t *numbers);
};

static inline void *
weir_policy_peer(const weir_uppolicy_of_t *of, const weir_peer_t *peer)
{
    return (char *) peer->policies + of->place;
}

/* What the policy has noted about this request: its own byte, 0 at first. */
static inline uint8_t *
weir_policy_note(const weir_uppolicy_of_t *of, weir_pick_t *pick)
{
    return &pick->notes[of->index];
}

/* … and a word, 0 at first. */
static inline uint32_t *
weir_policy_word(const weir_uppolicy_of_t *of, weir_pick_t *pick)
{
    return &pick->words[of->index];
}

/* The policy of that kind that the group has; NULL: none. */
weir_uppolicy_of_t *weir_policy_find(const weir_group_t *group, const weir_uppolicy_t *policy);

#endif
