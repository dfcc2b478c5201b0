/*
 * policies.c - the policies of running groups (policy.h): their memory, and what they are told of.
 *
 * Runs in workers; all memory is of the group's arena, or of the peer's.
 */
#include "upstream/running.h"

static inline size_t
policies_round(size_t size)
{
    return (size + 7) & ~(size_t) 7;
}

/* A reason that no policy of this configuration owns holds no longer. */
static void
policies_clear_bars(weir_peer_t *peer)
{
    uint64_t owned = WEIR_BARRED_RUN_TIME | WEIR_BARRED_DRAIN, others;

    for (uint32_t i = 0; i < peer->group->conf.n_policies; i++) {
        owned |= peer->group->policies[i].policy->bars;
    }
    for (others = weir_peer_barred(peer) & ~owned; others != 0; others &= others - 1) {
        (void) weir_peer_bar(peer, (weir_barred_t) (others & -others), false);
    }
}

void
weir_policies_peer_begin(weir_peer_t *peer)
{
    weir_group_t *group = peer->group;
    size_t        size = 0;

    policies_clear_bars(peer);
    (void) weir_peer_bar(peer, WEIR_BARRED_DRAIN, peer->conf->drain);
    for (uint32_t i = 0; i < group->conf.n_policies; i++) {
        size += policies_round(group->policies[i].policy->peer_size);
    }
    peer->policies = size != 0 ? weir_new_n(&peer->arena, uint64_t, size / 8) : NULL;
    for (uint32_t i = 0; i < group->conf.n_policies; i++) {
        if (group->policies[i].policy->peer_begin != NULL) {
            group->policies[i].policy->peer_begin(&group->policies[i], peer);
        }
    }
}

void
weir_policies_peer_told(weir_peer_t *peer)
{
    (void) weir_peer_bar(peer, WEIR_BARRED_DRAIN, peer->conf->drain);
    for (uint32_t i = 0; i < peer->group->conf.n_policies; i++) {
        weir_uppolicy_of_t *of = &peer->group->policies[i];

        if (of->policy->peer_told != NULL) {
            of->policy->peer_told(of, peer);
        }
    }
}

void
weir_policies_peer_end(weir_peer_t *peer)
{
    for (uint32_t i = peer->group->conf.n_policies; i-- > 0;) {
        weir_uppolicy_of_t *of = &peer->group->policies[i];

        if (of->policy->peer_end != NULL) {
            of->policy->peer_end(of, peer);
        }
    }
}

void
weir_policies_begin(weir_group_t *group)
{
    size_t place = 0;

    weir_assert(group->policies == NULL && group->conf.n_policies <= WEIR_POLICIES_MAX);
    group->policies = weir_new_n(&group->arena, weir_uppolicy_of_t, group->conf.n_policies + 1);
    for (uint32_t i = 0; i < group->conf.n_policies; i++) {
        const weir_uppolicy_conf_t *conf = &group->conf.policies[i];
        uint64_t                   *settings = weir_new_n(&group->arena, uint64_t, conf->settings.len / 8 + 1);

        memcpy(settings, conf->settings.at, conf->settings.len);
        group->policies[i] = (weir_uppolicy_of_t) {
            .policy = conf->policy, .settings = settings, .group = group, .index = i, .place = place,
            .state = weir_new_n(&group->arena, uint64_t, conf->policy->group_size / 8 + 1),
        };
        place += policies_round(conf->policy->peer_size);
    }
    for (uint32_t i = 0; i < group->conf.n_policies; i++) {
        if (group->policies[i].policy->begin != NULL) {
            group->policies[i].policy->begin(&group->policies[i]);
        }
    }
}

void
weir_policies_end(weir_group_t *group)
{
    for (uint32_t i = group->conf.n_policies; i-- > 0;) {
        if (group->policies[i].policy->end != NULL) {
            group->policies[i].policy->end(&group->policies[i]);
        }
    }
}

weir_uppolicy_of_t *
weir_policy_find(const weir_group_t *group, const weir_uppolicy_t *policy)
{
    for (uint32_t i = 0; i < group->conf.n_policies; i++) {
        if (group->policies[i].policy == policy) {
            return &group->policies[i];
        }
    }
    return NULL;
}

void
weir_policies_carry_over(weir_peer_t *to, const weir_peer_t *from)
{
    for (uint32_t i = 0; i < to->group->conf.n_policies; i++) {
        weir_uppolicy_of_t       *of = &to->group->policies[i];
        const weir_uppolicy_of_t *before = weir_policy_find(from->group, of->policy);

        if (of->policy->carry_over != NULL && before != NULL) {
            of->policy->carry_over(of, to, before, from);
        }
    }
}

/* -- of a request -- */

/* Those below n, which had admitted it. */
static void
policies_leave(weir_pick_t *pick, uint32_t n, weir_instant_t now)
{
    while (n-- > 0) {
        weir_uppolicy_of_t *of = &pick->group->policies[n];

        if (of->policy->leave != NULL) {
            of->policy->leave(of, pick, now);
        }
    }
}

weir_refusal_t
weir_policies_admit(weir_pick_t *pick, weir_instant_t now)
{
    for (uint32_t i = 0; i < pick->group->conf.n_policies; i++) {
        weir_uppolicy_of_t *of = &pick->group->policies[i];
        weir_refusal_t    refusal = of->policy->admit != NULL ? of->policy->admit(of, pick, now) : WEIR_REFUSED_NOT;

        if (refusal != WEIR_REFUSED_NOT) {
            policies_leave(pick, i, now);
            return refusal;
        }
    }
    return WEIR_REFUSED_NOT;
}

void
weir_policies_leave(weir_pick_t *pick, weir_instant_t now)
{
    weir_assert(pick->peer == NULL && pick->is_admitted);
    policies_leave(pick, pick->group->conf.n_policies, now);
}

void
weir_policies_picked(weir_pick_t *pick, weir_instant_t now)
{
    weir_group_t *group = pick->group;

    weir_assert(pick->peer != NULL);
    for (uint32_t i = 0; i < group->conf.n_policies; i++) {
        if (group->policies[i].policy->picked != NULL) {
            group->policies[i].policy->picked(&group->policies[i], pick, now);
        }
    }
}

void
weir_policies_connected(weir_pick_t *pick)
{
    weir_group_t *group = pick->group;

    weir_assert(pick->peer != NULL);
    for (uint32_t i = 0; i < group->conf.n_policies; i++) {
        if (group->policies[i].policy->connected != NULL) {
            group->policies[i].policy->connected(&group->policies[i], pick);
        }
    }
}

void
weir_policies_report(weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now)
{
    weir_group_t *group = pick->group;

    weir_assert(pick->peer != NULL);
    for (uint32_t i = 0; i < group->conf.n_policies; i++) {
        if (group->policies[i].policy->report != NULL) {
            group->policies[i].policy->report(&group->policies[i], pick, outcome, now);
        }
    }
}
