/*
 * least_time.c - `least_time header|last_byte [inflight]` in an upstream block: the peer that takes the least time to
 * answer, with what it has under way and for its weight, is picked (upstream/latency.h); those that are equal have
 * turns.
 *
 * Runs in workers; the times and requests of all of them count.
 */
#include "upstream/latency.h"
#include "upstream/module.h"

typedef struct {
    weir_latency_settings_t latency;
    bool                    is_set;
} least_time_said_t;

typedef struct { least_time_said_t said; } least_time_conf_t;

typedef struct { const weir_pick_t *pick; weir_instant_t now; } least_time_asked_t;

static bool
least_time_may(const weir_peer_t *peer, const void *data)
{
    const least_time_asked_t *asked = data;

    return weir_peer_allowed(peer, asked->pick, asked->now);
}

static weir_peer_t *
least_time_pick(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now)
{
    return weir_round_robin_take_least(set, weir_latency_load, least_time_may, &(least_time_asked_t) { pick, now });
}

static const weir_balancer_t least_time_balancer = {
    .name = "least_time",
    .create = weir_round_robin_create,
    .pick = least_time_pick,
    .report = weir_round_robin_report,
    .carry_over = weir_round_robin_carry_over,
    .adjust = weir_round_robin_adjust,
};

static const weir_balancer_t *
least_time_choose(const void *conf, const weir_template_t **key WEIR_UNUSED)
{
    return ((const least_time_conf_t *) conf)->said.is_set ? &least_time_balancer : NULL;
}

static const weir_uppolicy_t *
least_time_judge(const void *conf_, weir_str_t *settings)
{
    const least_time_conf_t *conf = conf_;

    *settings = weir_str((const char *) &conf->said.latency, sizeof(conf->said.latency));
    return conf->said.is_set ? &weir_latency_policy : NULL;
}

static bool
least_time_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    least_time_said_t *said = field;

    said->is_set = true;
    if (!weir_latency_read(words->at[1].text, &said->latency.kind)) {
        return weir_conf_invalid(cf, 1, "header or last_byte");
    }
    said->latency.inflight = words->n == 3;
    return words->n == 2 || weir_str_eq(words->at[2].text, WEIR_STR("inflight"))
           || weir_conf_invalid(cf, 2, "inflight");
}

static const weir_conf_type_t least_time_type = {
    .name = "header | last_byte [inflight]", .size = sizeof(least_time_said_t), .min_args = 1, .max_args = 2,
    .parse = least_time_parse,
};

static const weir_directive_t least_time_directives[] = {
    WEIR_DIRECTIVE_OF(least_time_conf_t, said, "least_time", &least_time_type, .where = WEIR_IN_UPSTREAM,
                      .help = "Picks the server with the least average time to the head or the end of its answers, "
                              "with what it has under way and for its weight."),
    WEIR_DIRECTIVES_END
};

const weir_upstream_module_t weir_upstream_least_time = {
    .name = "upstream_least_time",
    .area = "Upstreams",
    .conf_size = sizeof(least_time_conf_t),
    .directives = least_time_directives,
    .choose = least_time_choose,
    .judge = least_time_judge,
};
