/*
 * round_robin.c - smooth weighted turns: of 5:1:1 the first has five of seven, spread out.
 *
 * Each turn every peer that may be picked gains its weight; the richest is picked and pays what all of them gained.
 * The weight in use sinks with failures and comes back by one per turn.
 */
#include "upstream/balancer.h"

static weir_turns_t *
turns_of(const weir_peer_t *peer)
{
    return &((weir_turns_t *) peer->set->state)[weir_peer_index(peer)];
}

void
weir_round_robin_init(const weir_host_set_t *set, weir_turns_t *turns)
{
    for (size_t i = 0; i < set->n; i++) {
        turns[i] = (weir_turns_t) { .effective = set->peers[i]->conf->weight };
    }
}

void *
weir_round_robin_create(const weir_host_set_t *set, weir_arena_t *arena)
{
    weir_turns_t *turns = weir_new_n(arena, weir_turns_t, set->n);

    weir_round_robin_init(set, turns);
    return turns;
}

weir_peer_t *
weir_round_robin_take(const weir_host_set_t *set, bool (*may)(const weir_peer_t *peer, const void *data),
                      const void *data)
{
    weir_turns_t *turns = set->state, *best = NULL;
    int64_t gained = 0;

    if (set->n == 1) {
        return may(set->peers[0], data) ? set->peers[0] : NULL;       /* (its credit would be as before) */
    }
    for (size_t i = 0; i < set->n; i++) {
        if (!may(set->peers[i], data)) {
            continue;
        }
        turns[i].current += turns[i].effective;
        gained += turns[i].effective;
        if (turns[i].effective < set->peers[i]->conf->weight) {
            turns[i].effective++;
        }
        if (best == NULL || turns[i].current > best->current) {
            best = &turns[i];
        }
    }
    if (best == NULL) {
        return NULL;
    }
    best->current -= gained;
    return set->peers[best - turns];
}

void
weir_round_robin_report(weir_peer_t *peer, bool failed)
{
    weir_turns_t *turns = turns_of(peer);
    const weir_peer_conf_t *conf = peer->conf;

    if (failed && conf->max_fails != 0) {
        turns->effective -= conf->weight / conf->max_fails;
        turns->effective = turns->effective < 0 ? 0 : turns->effective;
    }
}

/* The weight it has left, of the new one in the proportion it had of the old one. */
void
weir_round_robin_carry_over(weir_peer_t *to, const weir_peer_t *from)
{
    weir_assert(to->conf->weight != 0 && from->conf->weight != 0);
    turns_of(to)->effective = (int64_t) ((uint64_t) turns_of(from)->effective * to->conf->weight / from->conf->weight);
}

/* -- the balancer that a group has where nothing else is said -- */

typedef struct { const weir_pick_t *pick; weir_instant_t now; } round_robin_asked_t;

static bool
round_robin_may(const weir_peer_t *peer, const void *data)
{
    const round_robin_asked_t *asked = data;

    return weir_peer_allowed(peer, asked->pick, asked->now);
}

static weir_peer_t *
round_robin_pick(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now)
{
    round_robin_asked_t asked = { pick, now };

    return weir_round_robin_take(set, round_robin_may, &asked);
}

const weir_balancer_t weir_balancer_round_robin = {
    .name = "round_robin",
    .create = weir_round_robin_create,
    .pick = round_robin_pick,
    .report = weir_round_robin_report,
    .carry_over = weir_round_robin_carry_over,
};
