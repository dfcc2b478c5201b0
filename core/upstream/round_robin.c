/*
 * round_robin.c - smooth weighted round robin: of 5:1:1 the first has five of seven turns, spread out.
 *
 * Each turn every peer that may be picked gains its weight; the richest is picked and pays what all of them gained.
 * The weight in use sinks with failures and comes back by one a turn.
 */
#include "upstream/running.h"

static weir_peer_t *
round_robin_among(weir_peer_t *peers, size_t n, const weir_pick_t *pick, weir_instant_t now)
{
    weir_peer_t *best = NULL;
    int64_t      gained = 0;

    for (size_t i = 0; i < n; i++) {
        weir_peer_t *peer = &peers[i];

        if (!weir_peer_allowed(peer, pick, now)) {
            continue;
        }
        peer->current_weight += peer->effective_weight;
        gained += peer->effective_weight;
        if (peer->effective_weight < peer->conf->weight) {
            peer->effective_weight++;
        }
        if (best == NULL || peer->current_weight > best->current_weight) {
            best = peer;
        }
    }
    if (best != NULL) {
        best->current_weight -= gained;
    }
    return best;
}

static weir_peer_t *
round_robin_pick(weir_group_t *group, const weir_pick_t *pick, weir_instant_t now)
{
    size_t       n = group->conf.n_primaries;
    weir_peer_t *peer = round_robin_among(group->peers, n, pick, now);

    return peer != NULL ? peer : round_robin_among(group->peers + n, group->conf.n_peers - n, pick, now);
}

const weir_balancer_t weir_balancer_round_robin = { .name = "round_robin", .pick = round_robin_pick };
