/*
 * least_conn.c - `least_conn` in an upstream block: the peer with the fewest requests under way for its weight is
 * picked; those that are equal have turns.
 *
 * Runs in workers; the requests of all of them count.
 */
#include "upstream/module.h"

typedef struct { weir_flag_t on; } least_conf_t;

typedef struct {
    const weir_pick_t *pick;
    weir_instant_t     now;
    const weir_peer_t *least;        /* of those that may be picked */
} least_asked_t;

/* a has fewer than b, each for its weight. */
static bool
least_is_less(const weir_peer_t *a, const weir_peer_t *b)
{
    weir_assert(a->conf->weight != 0 && b->conf->weight != 0);
    return (uint64_t) weir_state_in_use(a) * b->conf->weight < (uint64_t) weir_state_in_use(b) * a->conf->weight;
}

static bool
least_may(const weir_peer_t *peer, const void *data)
{
    const least_asked_t *asked = data;

    weir_assert(asked->least != NULL);
    return weir_peer_allowed(peer, asked->pick, asked->now) && !least_is_less(asked->least, peer);
}

static weir_peer_t *
least_pick(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now)
{
    least_asked_t asked = { pick, now, NULL };

    for (size_t i = 0; i < set->n; i++) {
        const weir_peer_t *peer = set->peers[i];

        if (weir_peer_allowed(peer, pick, now) && (asked.least == NULL || least_is_less(peer, asked.least))) {
            asked.least = peer;
        }
    }
    return asked.least != NULL ? weir_round_robin_take(set, least_may, &asked) : NULL;
}

static const weir_balancer_t least_balancer = {
    .name = "least_conn",
    .create = weir_round_robin_create,
    .pick = least_pick,
    .report = weir_round_robin_report,
    .carry_over = weir_round_robin_carry_over,
};

static const weir_balancer_t *
least_choose(const void *conf, const weir_template_t **key WEIR_UNUSED)
{
    return ((const least_conf_t *) conf)->on.on ? &least_balancer : NULL;
}

static const weir_directive_t least_directives[] = {
    WEIR_DIRECTIVE_OF(least_conf_t, on, "least_conn", &weir_type_said, .where = WEIR_IN_UPSTREAM,
                      .help = "Picks the server with the fewest requests under way for its weight; "
                              "equals have turns."),
    WEIR_DIRECTIVES_END
};

const weir_upstream_module_t weir_upstream_least_conn = {
    .name = "upstream_least_conn",
    .area = "Upstreams",
    .conf_size = sizeof(least_conf_t),
    .directives = least_directives,
    .choose = least_choose,
};
