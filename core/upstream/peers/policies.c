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

/* A policy that wants to be told of nothing costs a request nothing. */
static void
policies_hook(weir_hooks_t *hooks, const weir_uppolicy_t *policy, uint16_t bit)
{
    hooks->admit |= policy->admit != NULL ? bit : 0;
    hooks->leave |= policy->leave != NULL ? bit : 0;
    hooks->picked |= policy->picked != NULL ? bit : 0;
    hooks->connected |= policy->connected != NULL ? bit : 0;
    hooks->report |= policy->report != NULL ? bit : 0;
}

void
weir_policies_begin(weir_group_t *group)
{
    size_t place = 0;

    _Static_assert(WEIR_POLICIES_MAX <= 16, "a bit each in weir_hooks_t");
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
        policies_hook(&group->hooks, conf->policy, (uint16_t) (1u << i));
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

/* -- of a request: `hooks` has a bit for each policy that is told of it -- */

/* The last one that was admitted is the first to leave. */
static inline void
policies_leave(weir_pick_t *pick, unsigned hooks, weir_instant_t now)
{
    while (hooks != 0) {
        unsigned            last = 31 ^ (unsigned) __builtin_clz(hooks);
        weir_uppolicy_of_t *of = &pick->group->policies[last];

        hooks &= ~(1u << last);
        of->policy->leave(of, pick, now);
    }
}

weir_refusal_t
weir_policies_admit(weir_pick_t *pick, weir_instant_t now)
{
    for (unsigned hooks = pick->group->hooks.admit; hooks != 0; hooks &= hooks - 1) {
        unsigned            i = (unsigned) __builtin_ctz(hooks);
        weir_uppolicy_of_t *of = &pick->group->policies[i];
        weir_refusal_t      refusal = of->policy->admit(of, pick, now);

        if (weir_unlikely(refusal != WEIR_REFUSED_NOT)) {
            policies_leave(pick, pick->group->hooks.leave & ((1u << i) - 1), now);       /* those that admitted it */
            return refusal;
        }
    }
    return WEIR_REFUSED_NOT;
}

void
weir_policies_leave(weir_pick_t *pick, weir_instant_t now)
{
    weir_assert(pick->peer == NULL && pick->is_admitted);
    policies_leave(pick, pick->group->hooks.leave, now);
}

void
weir_policies_picked(weir_pick_t *pick, weir_instant_t now)
{
    weir_assert(pick->peer != NULL);
    for (unsigned hooks = pick->group->hooks.picked; hooks != 0; hooks &= hooks - 1) {
        weir_uppolicy_of_t *of = &pick->group->policies[__builtin_ctz(hooks)];

        of->policy->picked(of, pick, now);
    }
}

void
weir_policies_connected(weir_pick_t *pick)
{
    weir_assert(pick->peer != NULL);
    for (unsigned hooks = pick->group->hooks.connected; hooks != 0; hooks &= hooks - 1) {
        weir_uppolicy_of_t *of = &pick->group->policies[__builtin_ctz(hooks)];

        of->policy->connected(of, pick);
    }
}

void
weir_policies_report(weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now)
{
    weir_assert(pick->peer != NULL);
    for (unsigned hooks = pick->group->hooks.report; hooks != 0; hooks &= hooks - 1) {
        weir_uppolicy_of_t *of = &pick->group->policies[__builtin_ctz(hooks)];

        of->policy->report(of, pick, outcome, now);
    }
}
