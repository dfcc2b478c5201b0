/*
 * pick.c - one request's way through a group: which peers it tries, one after another.
 *
 * Runs in workers.  What the attempts say about the peers is in peer.c, what else judges them in policies.c.
 */
#include "os/clock.h"
#include "shm/stats.h"
#include "upstream/order.h"
#include "upstream/running.h"

#define PICK_ROUNDS 64                       /* of being too late for a peer that another worker has taken meanwhile */

void
weir_pick_begin(weir_pick_t *pick, weir_group_t *group, weir_arena_t *arena)
{
    weir_assert(group->refs > 0);
    *pick = (weir_pick_t) { .group = weir_group_ref(group), .arena = arena, .n_tried = (group->n_numbers + 63) / 64 };
    pick->tried = weir_new_n(arena, uint64_t, pick->n_tried);
}

static const weir_outcome_t pick_abandoned = { .kind = WEIR_OUTCOME_ABANDONED };

/* The peer is not this request's any more. */
static void
pick_let_go(weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now)
{
    if (pick->peer == NULL) {
        return;
    }
    if (weir_unlikely(pick->group->hooks.report != 0)) {
        weir_policies_report(pick, outcome, now);
    }
    weir_state_leave(pick->peer);
    if (pick->peer->set != NULL) {
        weir_order_left(pick->peer);
    }
    weir_peer_unref(pick->peer);
    pick->peer = NULL;
    if (weir_unlikely(pick->group->queue != NULL)) {
        weir_queue_place_is_free(pick->group);
    }
}

/* The peer is this request's: with a place of its own there, and the one try if the peer is marked as failed.  false:
 * another worker was faster. */
static bool
pick_take(weir_pick_t *pick, weir_peer_t *peer, weir_instant_t now)
{
    if (!weir_state_enter(peer)) {
        return false;
    }
    pick->on_trial = false;
    if (weir_unlikely(weir_peer_is_marked(peer))) {
        pick->on_trial = weir_peer_try(peer, now);
        if (!pick->on_trial && weir_peer_is_marked(peer) && !weir_peer_is_needed(peer)) {
            weir_state_leave(peer);
            return false;
        }
    }
    pick->peer = weir_peer_ref(peer);
    return true;
}

/* The next one, of those that pick->avoids does not name. */
static void
pick_find(weir_pick_t *pick, weir_instant_t now)
{
    for (unsigned round = 0; pick->peer == NULL; round++) {
        weir_peer_t *peer = round < PICK_ROUNDS ? weir_sets_pick(pick->group, pick, now) : NULL;

        if (peer == NULL) {
            return;
        }
        (void) pick_take(pick, peer, now);
    }
}

/* Of those that come with the sets that are being made. */
static void
pick_find_planned(weir_pick_t *pick, weir_instant_t now)
{
    for (unsigned round = 0; pick->peer == NULL && round < PICK_ROUNDS; round++) {
        weir_peer_t *peer = weir_settle_pick(pick->group, pick, now);

        if (peer == NULL) {
            return;
        }
        (void) pick_take(pick, peer, now);
    }
}

void
weir_pick_bind(weir_pick_t *pick, weir_peer_t *peer)
{
    weir_peer_t *before = pick->bound;

    weir_assert(peer == NULL || peer->group == pick->group);
    pick->bound = peer != NULL ? weir_peer_ref(peer) : NULL;
    if (before != NULL) {
        weir_peer_unref(before);
    }
}

bool
weir_pick_admit(weir_pick_t *pick, weir_instant_t now)
{
    if (pick->is_admitted) {
        return true;
    }
    pick->refusal = pick->group->hooks.admit != 0 ? weir_policies_admit(pick, now) : WEIR_REFUSED_NOT;
    pick->is_admitted = pick->refusal == WEIR_REFUSED_NOT;
    return pick->is_admitted;
}

/* Peers may have come since the request began. */
static void
pick_note_tried(weir_pick_t *pick)
{
    size_t number = weir_peer_number(pick->peer), n = number / 64 + 1;

    weir_assert(!weir_pick_has_tried(pick, pick->peer));         /* no peer is asked twice */
    if (n > pick->n_tried) {
        uint64_t *grown = weir_new_n(pick->arena, uint64_t, n);

        memcpy(grown, pick->tried, pick->n_tried * sizeof(*grown));
        pick->tried = grown;
        pick->n_tried = n;
    }
    pick->tried[number / 64] |= UINT64_C(1) << (number % 64);
}

/* The peer that a policy has bound the request to: once. */
static void
pick_take_bound(weir_pick_t *pick, weir_instant_t now)
{
    weir_peer_t *peer = pick->bound;

    weir_assert(peer->group == pick->group);
    if (weir_peer_allowed_bound(peer, pick, now)) {
        (void) pick_take(pick, peer, now);
    }
}

bool
weir_pick_next(weir_pick_t *pick, weir_instant_t now)
{
    pick_let_go(pick, &pick_abandoned, now);
    if (!weir_pick_admit(pick, now)) {
        return false;
    }
    pick->refusal = WEIR_REFUSED_NO_PEER;
    weir_group_look(pick->group);
    if (weir_unlikely(!weir_list_empty(&pick->group->rising))) {
        weir_slow_start_turn(pick->group, now);
    }
    if (weir_unlikely(pick->bound != NULL)) {
        pick_take_bound(pick, now);
    }
    pick->avoids = pick->failed_zones;
    pick_find(pick, now);
    if (pick->peer == NULL && pick->avoids != 0) {           /* no other zone has room */
        pick->avoids = 0;
        pick_find(pick, now);
    }
    if (pick->peer == NULL && weir_settle_is_due(pick->group)) {     /* some may not be in the sets yet */
        weir_settle_most(pick->group);
        pick_find(pick, now);
        pick_find_planned(pick, now);
    }
    pick->avoids = 0;
    if (pick->peer == NULL) {
        weir_pick_bind(pick, NULL);
        return false;
    }

    pick_note_tried(pick);
    pick->refusal = WEIR_REFUSED_NOT;
    if (weir_unlikely(pick->group->hooks.picked != 0)) {
        weir_policies_picked(pick, now);
    }
    if (weir_unlikely(pick->bound != NULL)) {
        weir_pick_bind(pick, NULL);          /* the next one is the balancer's to choose */
    }
    return true;
}

void
weir_pick_connected(weir_pick_t *pick)
{
    if (weir_unlikely(pick->group->hooks.connected != 0)) {
        weir_policies_connected(pick);
    }
}

void
weir_pick_gave(weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now)
{
    weir_group_t *group = pick->group;

    for (uint32_t i = 0; i < group->conf.n_policies; i++) {
        if (group->policies[i].policy->gave != NULL) {
            group->policies[i].policy->gave(&group->policies[i], pick, outcome, now);
        }
    }
}

void
weir_pick_fell_back(weir_pick_t *pick)
{
    weir_group_t *group = pick->group;

    for (uint32_t i = 0; i < group->conf.n_policies; i++) {
        if (group->policies[i].policy->fell_back != NULL) {
            group->policies[i].policy->fell_back(&group->policies[i], pick);
        }
    }
}

void
weir_pick_report(weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now)
{
    weir_assert(!outcome->failed || outcome->kind != WEIR_OUTCOME_ABANDONED);
    if (pick->peer == NULL) {
        return;
    }
    if (outcome->kind != WEIR_OUTCOME_ABANDONED && !pick->peer->is_gone && pick->peer->set != NULL
        && pick->group->conf.balancer->report != NULL)
    {
        pick->group->conf.balancer->report(pick->peer, outcome->failed);
    }
    if (outcome->failed) {
        pick->failed_zones |= pick->peer->zone != 0 ? UINT64_C(1) << pick->peer->zone : 0;
        weir_peer_failed(pick->peer, now);
    } else if (outcome->kind != WEIR_OUTCOME_ABANDONED && pick->on_trial) {
        weir_peer_recovered(pick->peer, now);
    }
    pick_let_go(pick, outcome, now);
}

static void
pick_count(const weir_group_t *group, size_t what)
{
    if (group->conf.stats != 0) {
        weir_stats_mine(group->conf.stats)->count[what]++;
    }
}

/* Those below n, which have said that it may be. */
static void
pick_retry_not(weir_pick_t *pick, uint32_t n)
{
    while (n-- > 0) {
        weir_uppolicy_of_t *of = &pick->group->policies[n];

        if (of->policy->retry_not != NULL) {
            of->policy->retry_not(of, pick);
        }
    }
}

void
weir_pick_retry_not(weir_pick_t *pick)
{
    pick_retry_not(pick, pick->group->conf.n_policies);
}

bool
weir_pick_may_retry(weir_pick_t *pick, weir_instant_t now)
{
    weir_group_t *group = pick->group;

    for (uint32_t i = 0; i < group->conf.n_policies; i++) {
        weir_uppolicy_of_t *of = &group->policies[i];

        if (of->policy->retry != NULL && !of->policy->retry(of, pick, now)) {
            pick->refused_by = of->policy->name;
            pick_retry_not(pick, i);
            pick_count(group, WEIR_COUNT_RETRIES_REFUSED);
            return false;
        }
    }
    pick_count(group, WEIR_COUNT_RETRIES);
    return true;
}

bool
weir_pick_has_next(const weir_pick_t *pick, weir_instant_t now)
{
    weir_group_t *group = pick->group;
    const size_t  n = group->conf.n_peers;

    for (size_t i = 0, at = group->hint; i < n; i++, at = at + 1 < n ? at + 1 : 0) {
        if (weir_peer_allowed(group->peers[at], pick, now)) {
            group->hint = at;
            return true;
        }
    }
    return weir_settle_pick(group, pick, now) != NULL;
}

void
weir_pick_renew(weir_pick_t *pick)
{
    memset(pick->tried, 0, pick->n_tried * sizeof(*pick->tried));
}

/* One failure more, and it would rest. */
static bool
pick_is_near_mark(const weir_peer_t *peer)
{
    const weir_peer_conf_t *conf = peer->conf;

    return conf->max_fails != 0 && weir_state_failures(peer).fails + 1 >= conf->max_fails
           && peer->group->conf.n_peers > 1;
}

bool
weir_pick_may_renew(const weir_pick_t *pick, weir_instant_t now)
{
    weir_group_t *group = pick->group;
    const size_t  n = group->conf.n_peers;

    for (size_t i = 0, at = group->hint; i < n; i++, at = at + 1 < n ? at + 1 : 0) {
        const weir_peer_t *peer = group->peers[at];

        if (!peer->conf->down && !peer->is_gone && (!weir_peer_rests(peer, now) || weir_peer_is_needed(peer))
            && (peer->conf->max_conns == 0 || weir_state_in_use(peer) - (peer == pick->peer) < peer->conf->max_conns)
            && (peer != pick->peer || !pick_is_near_mark(peer)))
        {
            group->hint = at;
            return true;
        }
    }
    return false;
}

void
weir_pick_swap(weir_pick_t *pick, weir_picked_t *other)
{
    weir_picked_t held = { pick->peer, pick->on_trial, pick->is_retry, pick->picked };

    weir_assert(held.peer == NULL || held.peer != other->peer);
    pick->peer = other->peer;
    pick->on_trial = other->on_trial;
    pick->is_retry = other->is_retry;
    pick->picked = other->at;
    *other = held;
}

void
weir_pick_end(weir_pick_t *pick)
{
    if (pick->group != NULL) {
        weir_instant_t now = weir_clock_now();

        pick_let_go(pick, &pick_abandoned, now);
        weir_pick_bind(pick, NULL);
        if (pick->is_admitted && pick->group->hooks.leave != 0) {
            weir_policies_leave(pick, now);
        }
        weir_group_unref(pick->group);
        pick->group = NULL;
    }
}
