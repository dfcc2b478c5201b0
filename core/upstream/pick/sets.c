/*
 * sets.c - the host sets of a running group, and which of them a request is given to.
 *
 * Runs in workers, on the loop's thread.
 *
 * As long as no peer is marked as failed or barred, the first set serves, or with zone_aware the sets of the first
 * priority have their shares.  When some are, all sets have shares (shares.c), and turns by them.
 */
#include "upstream/order.h"
#include "upstream/running.h"

static bool
sets_is_backup(const weir_host_set_t *set)
{
    return set->peers[0]->conf->backup;
}

static uint64_t *
sets_sum(const weir_host_set_t *set, weir_arena_t *arena)
{
    uint64_t *ends = weir_new_n(arena, uint64_t, set->n), sum = 0;

    for (size_t i = 0; i < set->n; i++) {
        sum += set->peers[i]->conf->weight;
        ends[i] = sum;
    }
    weir_assert(sum == set->weight);
    return ends;
}

void
weir_sets_create(weir_group_t *group, const weir_draft_t *drafts)
{
    const weir_balancer_t *balancer = group->conf.balancer;
    const size_t           n = group->conf.n_peers;
    weir_host_set_t       *set = NULL;

    group->n_sets = group->n_sharing = group->n_levels = group->n_panic = 0;
    group->sets = weir_new_n(group->sets_arena, weir_host_set_t, n);
    group->cells = NULL;
    for (size_t i = 0; i < n; i++) {
        weir_peer_t *peer = group->peers[i];

        if (set == NULL || weir_peer_rank(peer->conf) != weir_peer_rank(set->peers[0]->conf)) {
            weir_assert(set == NULL || weir_peer_rank(peer->conf) > weir_peer_rank(set->peers[0]->conf));
            set = &group->sets[group->n_sets++];
            *set = (weir_host_set_t) { .group = group, .peers = &group->peers[i] };
            group->n_sharing += !peer->conf->backup;
        }
        peer->set = set;
        peer->index = (uint32_t) set->n++;
        set->weight += peer->conf->weight;
        /* those that share come before the backups */
        weir_assert(set->n <= n && group->n_sharing <= group->n_sets);
    }
    group->levels = weir_new_n(group->sets_arena, weir_level_t, n);
    group->shared_as = UINT64_MAX;
    for (size_t i = 0; i < group->n_sets; i++) {
        set = &group->sets[i];
        if (set->n >= WEIR_ORDER_FROM) {
            set->ends = sets_sum(set, group->sets_arena);
            set->order = weir_order_create(set, group->sets_arena);
        }
        if (drafts != NULL) {
            weir_assert(drafts[i].n == set->n && drafts[i].weight == set->weight && drafts[i].made != NULL);
            set->prepared = drafts[i].made;
        }
        set->state = balancer->create != NULL ? balancer->create(set, group->sets_arena) : NULL;
    }
}

void
weir_sets_reweigh(const weir_peer_t *peer, uint32_t weight)
{
    weir_host_set_t *set = &peer->group->sets[peer->set - peer->group->sets];

    for (size_t i = weir_peer_index(peer); i < set->n && set->ends != NULL; i++) {
        set->ends[i] = set->ends[i] - peer->conf->weight + weight;
    }
    set->weight = set->weight - peer->conf->weight + weight;
    weir_assert(set->ends == NULL || set->ends[set->n - 1] == set->weight);
}

/* The first whose end is above it. */
static size_t
sets_find(const weir_host_set_t *set, uint64_t number)
{
    size_t from = 0, to = set->n - 1;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (set->ends[middle] <= number) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

weir_peer_t *
weir_sets_at(const weir_host_set_t *set, uint64_t number)
{
    size_t i = 0;

    weir_assert(number < set->weight);
    if (set->ends != NULL) {
        return set->peers[sets_find(set, number)];
    }
    while (number >= set->peers[i]->conf->weight) {
        number -= set->peers[i]->conf->weight;
        i++;
        weir_assert(i < set->n);
    }
    return set->peers[i];
}

/* The one whose turn it is, of those with a share; NULL: no set has one. */
static weir_host_set_t *
sets_take_turn(weir_group_t *group)
{
    weir_host_set_t *best = NULL;

    for (size_t i = 0; i < group->n_sharing; i++) {
        weir_host_set_t *set = &group->sets[i];

        if (set->share == 0) {
            set->credit = 0;
            continue;
        }
        set->credit += (int32_t) set->share;
        if (best == NULL || set->credit > best->credit) {
            best = set;
        }
    }
    if (best != NULL) {
        weir_assert(best->share <= WEIR_SHARE_WHOLE);
        best->credit -= WEIR_SHARE_WHOLE;
    }
    return best;
}

/* It depends on more than their order which set is asked, or whether all peers of one are used. */
static bool
sets_are_shared(const weir_group_t *group)
{
    if (weir_unlikely(group->n_marked != 0)) {
        return group->n_sharing > 1 || group->conf.panic != 0;
    }
    return group->n_panic != 0 || (group->conf.n_zones != 0 && group->n_sharing > 1);
}

weir_peer_t *
weir_sets_pick(weir_group_t *group, const weir_pick_t *pick, weir_instant_t now)
{
    const weir_balancer_t *balancer = group->conf.balancer;
    const weir_host_set_t *turn = NULL;
    weir_peer_t           *peer = NULL;

    group->now = now;
    if (sets_are_shared(group)) {
        if (now.ms != group->shared_at.ms || group->changed != group->shared_as) {
            weir_shares_update(group, now);
        }
        turn = sets_take_turn(group);
        peer = turn != NULL ? balancer->pick(turn, pick, now) : NULL;
    }
    for (size_t i = 0; i < group->n_sets && peer == NULL; i++) {
        if (&group->sets[i] != turn) {
            peer = balancer->pick(&group->sets[i], pick, now);
        }
    }
    weir_assert(peer == NULL || (peer->group == group
                                 && (!sets_is_backup(peer->set) || peer->set >= group->sets + group->n_sharing)));
    return peer;
}
