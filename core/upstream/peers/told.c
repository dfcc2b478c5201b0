/*
 * told.c - see told.h.
 */
#include "upstream/told.h"

#include "shm/stats.h"
#include "upstream/running.h"

/* The rows from `first` on that have one name. */
static weir_told_name_t
told_name(const weir_uppolicy_t *policy, size_t first)
{
    weir_told_name_t name = { .policy = policy, .rows = &policy->tells[first], .first = first };

    weir_assert(policy->tell != NULL && policy->n_tells <= WEIR_TOLD_MAX);
    while (first + name.n < policy->n_tells && name.rows[name.n].of_peer == name.rows[0].of_peer
           && strcmp(name.rows[name.n].name, name.rows[0].name) == 0)
    {
        weir_assert(name.rows[name.n].kind == name.rows[0].kind);
        name.n++;
    }
    weir_assert(name.n == 1 || (name.rows[0].label != NULL && name.rows[0].kind != WEIR_TOLD_STATE));
    return name;
}

/* -- of a generation -- */

static size_t
told_policies(const weir_generation_t *generation, const weir_uppolicy_t **policies)
{
    weir_group_conf_t *const *groups;
    size_t                    n_groups = weir_upstream_list(generation, &groups), n = 0, at;

    for (size_t i = 0; i < n_groups; i++) {
        for (uint32_t k = 0; k < groups[i]->n_policies; k++) {
            for (at = 0; at < n && policies[at] != groups[i]->policies[k].policy; at++) { }
            if (at == n && n < WEIR_TOLD_POLICIES) {
                policies[n++] = groups[i]->policies[k].policy;
            }
        }
    }
    return n;
}

size_t
weir_told_names(const weir_generation_t *generation, weir_arena_t *arena, weir_told_name_t **names)
{
    const weir_uppolicy_t *policies[WEIR_TOLD_POLICIES];
    size_t                 n_policies = told_policies(generation, policies), max = 0, n = 0;

    for (size_t i = 0; i < n_policies; i++) {
        max += policies[i]->n_tells;
    }
    *names = weir_new_n(arena, weir_told_name_t, max + 1);
    for (size_t i = 0; i < n_policies; i++) {
        for (size_t first = 0; first < policies[i]->n_tells; first += (*names)[n - 1].n) {
            (*names)[n++] = told_name(policies[i], first);
        }
    }
    weir_assert(n <= max);
    return n;
}

weir_group_t *
weir_told_group(weir_generation_t *generation, weir_str_t name)
{
    const weir_group_conf_t *conf = weir_upstream_known(generation, name, 80);

    if (conf == NULL) {
        conf = weir_upstream_known(generation, name, 443);   /* of an address in a URL */
    }
    return conf != NULL && conf->n_policies != 0 ? weir_upstream_running(generation, conf->id) : NULL;
}

weir_peer_t *
weir_told_peer(const weir_group_t *group, uint32_t stats, size_t *hint)
{
    weir_peer_t *const *peers;
    size_t              n = weir_group_peers(group, &peers);

    if (stats < WEIR_STATS_KINDS) {
        return NULL;                         /* "_other": of several */
    }
    for (size_t i = 0; i < n; i++) {
        size_t at = (*hint + i) % n;

        if (peers[at]->conf->stats == stats) {
            *hint = at;
            return peers[at];
        }
    }
    return NULL;
}

bool
weir_told_numbers(const weir_told_name_t *name, const weir_group_t *group, const weir_peer_t *peer, uint64_t *numbers)
{
    const weir_uppolicy_of_t *of = weir_policy_find(group, name->policy);
    uint64_t                  all[WEIR_TOLD_MAX] = { 0 };

    if (of == NULL || name->rows[0].of_peer != (peer != NULL)) {
        return false;
    }
    of->policy->tell(of, peer, all);
    memcpy(numbers, &all[name->first], name->n * sizeof(*numbers));
    return true;
}

/* -- JSON -- */

static void
told_add(weir_buf_t *out, const weir_told_t *row, uint64_t number)
{
    size_t n = 0;

    switch (row->kind) {
    case WEIR_TOLD_SECONDS:
        weir_buf_printf(out, "%llu.%03llu", (unsigned long long) (number / 1000), (unsigned long long) (number % 1000));
        return;
    case WEIR_TOLD_STATE:
        while (n < number && row->states[n + 1] != NULL) {
            n++;
        }
        weir_buf_printf(out, "\"%s\"", row->states[n]);
        return;
    default:
        weir_buf_add_u64(out, number);
    }
}

static void
told_add_name(weir_buf_t *out, const weir_told_name_t *name, const uint64_t *numbers)
{
    weir_buf_printf(out, "\"%s\":", name->rows[0].name);
    if (name->rows[0].label == NULL || name->rows[0].kind == WEIR_TOLD_STATE) {
        told_add(out, name->rows, numbers[0]);
        return;
    }
    for (size_t i = 0; i < name->n; i++) {
        weir_buf_printf(out, "%s\"%s\":", i == 0 ? "{" : ",", name->rows[i].value);
        told_add(out, &name->rows[i], numbers[i]);
    }
    weir_buf_add_char(out, '}');
}

void
weir_told_json(const weir_group_t *group, const weir_peer_t *peer, weir_buf_t *out)
{
    for (uint32_t k = 0; k < group->conf.n_policies; k++) {
        const weir_uppolicy_of_t *of = &group->policies[k];
        uint64_t                  numbers[WEIR_TOLD_MAX] = { 0 };
        bool                      some = false;

        if (of->policy->n_tells != 0) {
            of->policy->tell(of, peer, numbers);
        }
        for (size_t first = 0; first < of->policy->n_tells;) {
            weir_told_name_t name = told_name(of->policy, first);

            if (name.rows[0].of_peer == (peer != NULL)) {
                if (some) {
                    weir_buf_add_char(out, ',');
                } else {
                    weir_buf_printf(out, ",\"%s\":{", of->policy->name);
                }
                told_add_name(out, &name, &numbers[first]);
                some = true;
            }
            first += name.n;
        }
        if (some) {
            weir_buf_add_char(out, '}');
        }
    }
}
