/*
 * round_robin.c - smooth weighted turns: of 5:1:1 the first has five of seven, spread out.
 *
 * Each turn every peer that may be picked gains its weight; the richest is picked and pays what all of them gained.
 * The weight in use sinks with failures and comes back by one per turn.  That is nginx's order.  It looks at each peer,
 * so a large set has its own order instead (order.c), with the same shares.
 *
 * Runs in workers.
 */
#include "upstream/order.h"
#include "upstream/running.h"

static weir_turns_t *
turns_of(const weir_peer_t *peer)
{
    return &((weir_turns_t *) peer->set->state)[weir_peer_index(peer)];
}

void
weir_round_robin_init(const weir_host_set_t *set, weir_turns_t *turns)
{
    for (size_t i = 0; i < set->n; i++) {
        turns[i] = (weir_turns_t) { .effective = set->peers[i]->conf->weight, .part = WEIR_TURNS_WHOLE };
    }
}

void *
weir_round_robin_create(const weir_host_set_t *set, weir_arena_t *arena)
{
    weir_turns_t *turns = weir_new_n(arena, weir_turns_t, set->n);

    weir_round_robin_init(set, turns);
    return turns;
}

/* Whose turn it is now: the richest so far pays what all have gained. */
typedef struct { weir_turns_t *best; size_t index; int64_t gained; } turns_round_t;

static void
turns_gain(const weir_host_set_t *set, turns_round_t *round, size_t i)
{
    weir_turns_t *turn = &((weir_turns_t *) set->state)[i];
    int64_t       gain = turn->effective * turn->part;

    turn->current += gain;
    round->gained += gain;
    if (turn->effective < set->peers[i]->conf->weight) {
        turn->effective++;
    }
    if (round->best == NULL || turn->current > round->best->current) {
        round->best = turn;
        round->index = i;
    }
}

static weir_peer_t *
turns_pay(const weir_host_set_t *set, const turns_round_t *round)
{
    if (round->best == NULL) {
        return NULL;
    }
    round->best->current -= round->gained;
    return set->peers[round->index];
}

weir_peer_t *
weir_round_robin_take(const weir_host_set_t *set, bool (*may)(const weir_peer_t *peer, const void *data),
                      const void *data)
{
    turns_round_t round = { .best = NULL };

    if (set->n == 1) {
        return may(set->peers[0], data) ? set->peers[0] : NULL;       /* (its credit would be as before) */
    }
    if (set->order != NULL) {
        return weir_order_take(set, NULL, may, data, set->group->now);
    }
    for (size_t i = 0; i < set->n; i++) {
        if (may(set->peers[i], data)) {
            turns_gain(set, &round, i);
        }
    }
    return turns_pay(set, &round);
}

weir_peer_t *
weir_round_robin_take_least(const weir_host_set_t *set, weir_load_t load,
                            bool (*may)(const weir_peer_t *peer, const void *data), const void *data)
{
    turns_round_t round = { .best = NULL };
    uint64_t      loads[WEIR_ORDER_FROM], least = UINT64_MAX;
    bool          allowed[WEIR_ORDER_FROM];

    if (set->order != NULL) {
        return weir_order_take(set, load, may, data, set->group->now);
    }
    weir_assert(set->n < WEIR_ORDER_FROM);
    for (size_t i = 0; i < set->n; i++) {
        allowed[i] = may(set->peers[i], data);
        loads[i] = allowed[i] ? load(set->peers[i]) : UINT64_MAX;
        least = weir_min(least, loads[i]);
    }
    for (size_t i = 0; i < set->n; i++) {
        if (allowed[i] && loads[i] == least) {
            turns_gain(set, &round, i);
        }
    }
    return turns_pay(set, &round);
}

weir_peer_t *
weir_round_robin_take_of(const weir_host_set_t *set, const uint32_t *peers, size_t n,
                         bool (*may)(const weir_peer_t *peer, const void *data), const void *data)
{
    turns_round_t round = { .best = NULL };

    for (size_t i = 0; i < n; i++) {
        weir_assert(peers[i] < set->n);
        if (may(set->peers[peers[i]], data)) {
            turns_gain(set, &round, peers[i]);
        }
    }
    return turns_pay(set, &round);
}

void
weir_round_robin_set_part(weir_peer_t *peer, uint32_t part)
{
    weir_assert(part != 0 && part <= WEIR_TURNS_WHOLE);
    turns_of(peer)->part = part;
    weir_order_reweigh(peer);
}

void
weir_round_robin_report(weir_peer_t *peer, bool failed)
{
    weir_turns_t *turns = turns_of(peer);
    const weir_peer_conf_t *conf = peer->conf;

    if (failed && conf->max_fails != 0) {
        weir_order_report_failure(peer);
        turns->effective -= conf->weight / conf->max_fails;
        turns->effective = turns->effective < 0 ? 0 : turns->effective;
    }
}

/* The weight it has left, of the new one in the proportion it had of the old one.  In the group that it was in it goes
 * on where it stood, too. */
void
weir_round_robin_carry_over(weir_peer_t *to, const weir_peer_t *from)
{
    weir_assert(to->conf->weight != 0 && from->conf->weight != 0);
    if (to->group == from->group) {
        weir_order_carry(to, from);
        turns_of(to)->current = turns_of(from)->current;
        turns_of(to)->part = turns_of(from)->part;
    }
    turns_of(to)->effective = (int64_t) ((uint64_t) turns_of(from)->effective * to->conf->weight / from->conf->weight);
}

/* The same where it stands. */
void
weir_round_robin_adjust(weir_peer_t *peer, const weir_peer_conf_t *to)
{
    weir_assert(to->weight != 0 && peer->conf->weight != 0);
    weir_order_report_failure(peer);         /* what its weight has regained until now */
    turns_of(peer)->effective = (int64_t) ((uint64_t) turns_of(peer)->effective * to->weight / peer->conf->weight);
    weir_order_reweigh(peer);
}

/* Credits add up to nothing: what those that went took with them is made good by all, so that one that comes is not far
 * behind the others nor ahead of them. */
void
weir_round_robin_settle(const weir_host_set_t *set)
{
    weir_turns_t *turns = set->state;
    int64_t       sum = 0;

    for (size_t i = 0; i < set->n; i++) {
        sum += turns[i].current;
    }
    for (size_t i = 0; i < set->n; i++) {
        turns[i].current -= sum / (int64_t) set->n;
    }
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
    .settle = weir_round_robin_settle,
    .adjust = weir_round_robin_adjust,
};
