/*
 * least_conn.c - `least_conn` in an upstream block: the peer with the fewest requests under way for its weight is
 * picked; those that are equal have turns.
 *
 * Runs in workers; the requests of all of them count.
 */
#include "upstream/module.h"

typedef struct { weir_flag_t on; } least_conf_t;

typedef struct { const weir_pick_t *pick; weir_instant_t now; } least_asked_t;

static uint64_t
least_load(const weir_peer_t *peer)
{
    uint64_t load;

    weir_assert(peer->conf->weight != 0);
    load = ((uint64_t) weir_state_in_use(peer) << 32) / peer->conf->weight;
    return peer->part == 0 ? load : load / peer->part * WEIR_TURNS_WHOLE;
}

static bool
least_may(const weir_peer_t *peer, const void *data)
{
    const least_asked_t *asked = data;

    return weir_peer_allowed(peer, asked->pick, asked->now);
}

static weir_peer_t *
least_pick(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now)
{
    return weir_round_robin_take_least(set, least_load, least_may, &(least_asked_t) { pick, now });
}

static const weir_balancer_t least_balancer = {
    .name = "least_conn",
    .create = weir_round_robin_create,
    .pick = least_pick,
    .report = weir_round_robin_report,
    .carry_over = weir_round_robin_carry_over,
    .settle = weir_round_robin_settle,
    .adjust = weir_round_robin_adjust,
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
