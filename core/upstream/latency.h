/*
 * latency.h - how long peers take to answer, for balancers that go by it: an average of each peer over all workers, and
 * what a peer has to do by it.
 *
 * The average follows recent answers (each counts for an eighth).  One that nothing was added to for a while moves
 * toward that of the group, so that a peer which was slow once is tried again; a peer that nothing is known of has the
 * group's.  Averages lie in the records of peer and group (state.h), one word each: they outlive reload, upgrade and
 * workers.  Attempts that failed are not counted, lest a peer that refuses quickly look like a fast one; those that
 * timed out are, as what they took.
 *
 * Runs in workers.
 */
#ifndef WEIR_UPSTREAM_LATENCY_H
#define WEIR_UPSTREAM_LATENCY_H

#include "upstream/balancer.h"
#include "upstream/policy.h"

typedef enum { WEIR_LATENCY_HEADER, WEIR_LATENCY_LAST_BYTE } weir_latency_kind_t;

/* What the policy goes by; zeroed first, as bytes between fields count. */
typedef struct {
    uint32_t kind;                       /* weir_latency_kind_t */
    uint32_t inflight;                   /* 1: requests under way in this worker count as if they ended now */
} weir_latency_settings_t;

/* It keeps the averages: each balancer that asks for a load has it. */
extern const weir_uppolicy_t weir_latency_policy;

/* Requests on the peer and one more, for its weight, times the average.  A weir_load_t. */
uint64_t weir_latency_load(const weir_peer_t *peer);

/* "header" or "last_byte".  false: neither. */
bool weir_latency_read(weir_str_t text, uint32_t *kind) WEIR_MUST_USE;

#endif
