/*
 * slow_start.c - `slow_start=TIME` of a server: a peer that is picked again after it was not for a while, or that comes
 * to a group that serves, has its weight little by little.
 *
 * When that began is a word of the peer's shared record, so that all workers are at the same point, over a reload and
 * the death of workers.  Each worker has a list of the peers of a group that are at it, and gives their part of their
 * weights to the turns of the balancer when it picks.  Peers that are there from the group's begin have all of theirs.
 *
 * Runs in workers.
 */
#include "upstream/running.h"

/* In parts of WEIR_TURNS_WHOLE; 0: it has never been at it, or is so no longer. */
static uint32_t
slow_start_part(const weir_peer_t *peer, weir_instant_t now)
{
    uint64_t since = __atomic_load_n(&peer->state->risen, __ATOMIC_ACQUIRE), whole = peer->conf->slow_start.ms, gone;

    if (since == 0 || whole == 0) {
        return 0;
    }
    gone = now.ms > since ? now.ms - since : 0;              /* another worker's clock may be a little ahead */
    return gone >= whole ? 0 : (uint32_t) weir_max(gone * WEIR_TURNS_WHOLE / whole, UINT64_C(1));
}

static void
slow_start_set(weir_peer_t *peer, uint32_t part)
{
    if (part != peer->part) {
        peer->part = part;
        weir_round_robin_set_part(peer, part != 0 ? part : WEIR_TURNS_WHOLE);
    }
}

void
weir_slow_start_told(weir_peer_t *peer)
{
    if (peer->conf->slow_start.ms != 0 && !peer->is_gone && !weir_list_linked(&peer->rising)
        && __atomic_load_n(&peer->state->risen, __ATOMIC_ACQUIRE) != peer->risen)
    {
        weir_list_push(&peer->group->rising, &peer->rising);
    }
}

void
weir_slow_start_turn(weir_group_t *group, weir_instant_t now)
{
    weir_list_t *next;

    for (weir_list_t *at = group->rising.next; at != &group->rising; at = next) {
        weir_peer_t *peer = weir_list_entry(at, weir_peer_t, rising);
        uint32_t     part = slow_start_part(peer, now);

        next = at->next;
        if (peer->set == NULL) {             /* it gets a set at the end of this turn */
            continue;
        }
        slow_start_set(peer, part);
        if (part == 0) {
            peer->risen = __atomic_load_n(&peer->state->risen, __ATOMIC_ACQUIRE);
            weir_list_remove(at);
        }
    }
}

void
weir_slow_start_begin(weir_peer_t *peer, weir_instant_t now)
{
    if (peer->conf->slow_start.ms == 0 || peer->group->conf.n_peers == 1) {
        return;
    }
    __atomic_store_n(&peer->state->risen, now.ms, __ATOMIC_RELEASE);
    weir_slow_start_told(peer);
}

void
weir_slow_start_added(weir_peer_t *peer, weir_instant_t now)
{
    uint64_t since = __atomic_load_n(&peer->state->risen, __ATOMIC_ACQUIRE);

    if (since == 0 || now.ms - weir_min(since, now.ms) >= peer->conf->slow_start.ms) {
        weir_slow_start_begin(peer, now);
    }
}

void
weir_slow_start_forget(weir_peer_t *peer)
{
    if (weir_list_linked(&peer->rising)) {
        weir_list_remove(&peer->rising);
    }
}
