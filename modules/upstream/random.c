/*
 * random.c - `random [two [least_conn|least_time[=header|last_byte]]]` in an upstream block: a peer is drawn, each as
 * often as its weight says; with `two` two are drawn, and the one with fewer requests under way for its weight is
 * picked, or the one that is less loaded by its time to answer, too (upstream/latency.h).
 *
 * Drawing from two is nearly as even as looking at all, and needs nothing that workers or gateways tell one another:
 * those who draw do not all run to the same peer.
 *
 * Runs in workers.  The state of a host set: where each peer's numbers end, so that a draw is a search in them.
 */
#include "upstream/latency.h"
#include "upstream/module.h"

#include "os/sys.h"

#define RANDOM_TRIES 20                  /* of draws that meet peers that may not be picked */

typedef enum { RANDOM_NO, RANDOM_ONE, RANDOM_TWO_LEAST_CONN, RANDOM_TWO_LEAST_TIME } random_kind_t;

typedef struct {
    random_kind_t           kind;
    weir_latency_settings_t latency;     /* of least_time */
} random_said_t;

typedef struct { random_said_t said; } random_conf_t;

typedef struct {
    const weir_pick_t *pick;
    weir_instant_t     now;
    const weir_peer_t *other;            /* the first of two, which is not drawn again; NULL: there is none */
} random_asked_t;

static void *
random_create(const weir_host_set_t *set, weir_arena_t *arena)
{
    uint64_t *ends = weir_new_n(arena, uint64_t, set->n), end = 0;

    for (size_t i = 0; i < set->n; i++) {
        ends[i] = end += set->peers[i]->conf->weight;
    }
    weir_assert(end == set->weight);
    return ends;
}

static void
random_adjust(weir_peer_t *peer, const weir_peer_conf_t *to)
{
    uint64_t *ends = peer->set->state;

    for (size_t i = weir_peer_index(peer); i < peer->set->n; i++) {
        ends[i] = ends[i] - peer->conf->weight + to->weight;
    }
}

/* -- numbers: no secret, and cheap (Vigna's splitmix64) -- */

static uint64_t
random_below(uint64_t bound)
{
    static uint64_t state;               /* of this process */
    uint64_t        mixed;

    weir_assert(bound != 0);
    if (state == 0) {
        state = weir_random_seed(&state) | 1;
    }
    mixed = state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    mixed ^= mixed >> 31;
    return (uint64_t) ((unsigned __int128) mixed * bound >> 64);
}

/* -- one peer -- */

/* The first peer whose numbers end above it. */
static weir_peer_t *
random_at(const weir_host_set_t *set, uint64_t number)
{
    const uint64_t *ends = set->state;
    size_t          from = 0, to = set->n - 1;

    weir_assert(number < ends[to]);
    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (ends[middle] <= number) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return set->peers[from];
}

static bool
random_may(const weir_peer_t *peer, const random_asked_t *asked)
{
    return peer != asked->other && weir_peer_allowed(peer, asked->pick, asked->now);
}

/* Among those only that may be picked: when most may not. */
static weir_peer_t *
random_search(const weir_host_set_t *set, const random_asked_t *asked)
{
    uint64_t     sum = 0;
    weir_peer_t *drawn = NULL;

    for (size_t i = 0; i < set->n; i++) {
        uint64_t weight = set->peers[i]->conf->weight;

        if (random_may(set->peers[i], asked)) {
            sum += weight;
            drawn = random_below(sum) < weight ? set->peers[i] : drawn;
        }
    }
    return drawn;
}

static weir_peer_t *
random_draw(const weir_host_set_t *set, const random_asked_t *asked)
{
    const uint64_t *ends = set->state;
    const uint64_t  taken = asked->other != NULL ? asked->other->conf->weight : 0;

    weir_assert(set->weight >= taken);
    for (unsigned tries = 0; tries < RANDOM_TRIES && set->weight > taken; tries++) {
        uint64_t     number = random_below(set->weight - taken);
        weir_peer_t *peer;

        if (taken != 0 && number >= ends[weir_peer_index(asked->other)] - taken) {
            number += taken;             /* the other's numbers are left out */
        }
        peer = random_at(set, number);
        if (random_may(peer, asked)) {
            return peer;
        }
    }
    return random_search(set, asked);
}

static weir_peer_t *
random_pick(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now)
{
    return random_draw(set, &(random_asked_t) { pick, now, NULL });
}

/* -- the better one of two -- */

static weir_peer_t *
random_take_two(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now, weir_load_t load)
{
    random_asked_t asked = { pick, now, NULL };
    weir_peer_t   *one = random_draw(set, &asked), *two;

    if (one == NULL || set->n == 1) {
        return one;
    }
    asked.other = one;
    two = random_draw(set, &asked);
    if (two == NULL) {
        return one;
    }
    return load(two) < load(one) ? two : one;
}

static uint64_t
random_load(const weir_peer_t *peer)
{
    return ((uint64_t) weir_state_in_use(peer) << 32) / peer->conf->weight;
}

static weir_peer_t *
random_pick_two(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now)
{
    return random_take_two(set, pick, now, random_load);
}

static weir_peer_t *
random_pick_faster(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now)
{
    return random_take_two(set, pick, now, weir_latency_load);
}

static const weir_balancer_t random_balancers[] = {
    [RANDOM_ONE] = { .name = "random", .is_steady = true, .create = random_create, .adjust = random_adjust,
                     .pick = random_pick },
    [RANDOM_TWO_LEAST_CONN] = { .name = "random two least_conn", .is_steady = true, .create = random_create,
                                .adjust = random_adjust, .pick = random_pick_two },
    [RANDOM_TWO_LEAST_TIME] = { .name = "random two least_time", .is_steady = true, .create = random_create,
                                .adjust = random_adjust, .pick = random_pick_faster },
};

/* -- the module -- */

static const weir_balancer_t *
random_choose(const void *conf_, const weir_template_t **key WEIR_UNUSED)
{
    const random_conf_t *conf = conf_;

    return conf->said.kind == RANDOM_NO ? NULL : &random_balancers[conf->said.kind];
}

static const weir_uppolicy_t *
random_judge(const void *conf_, weir_str_t *settings)
{
    const random_conf_t *conf = conf_;

    *settings = weir_str((const char *) &conf->said.latency, sizeof(conf->said.latency));
    return conf->said.kind == RANDOM_TWO_LEAST_TIME ? &weir_latency_policy : NULL;
}

/* "least_conn", "least_time", "least_time=header" or "least_time=last_byte". */
static bool
random_read_method(random_said_t *said, weir_str_t method)
{
    weir_str_t name, kind;

    if (weir_str_eq(method, WEIR_STR("least_conn"))) {
        said->kind = RANDOM_TWO_LEAST_CONN;
        return true;
    }
    said->kind = RANDOM_TWO_LEAST_TIME;
    return weir_str_cut(method, '=', &name, &kind)
           ? weir_str_eq(name, WEIR_STR("least_time")) && weir_latency_read(kind, &said->latency.kind)
           : weir_str_eq(name, WEIR_STR("least_time"));
}

static bool
random_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    random_said_t *said = field;

    *said = (random_said_t) { words->n == 1 ? RANDOM_ONE : RANDOM_TWO_LEAST_CONN, { WEIR_LATENCY_HEADER, 0 } };
    if (words->n > 1 && !weir_str_eq(words->at[1].text, WEIR_STR("two"))) {
        return weir_conf_invalid(cf, 1, "two");
    }
    return words->n < 3 || random_read_method(said, words->at[2].text)
           || weir_conf_invalid(cf, 2, "least_conn, least_time, least_time=header or least_time=last_byte");
}

static const weir_conf_type_t random_type = {
    .name = "[two [least_conn | least_time[=header | =last_byte]]]", .size = sizeof(random_said_t), .max_args = 2,
    .parse = random_parse,
};

static const weir_directive_t random_directives[] = {
    WEIR_DIRECTIVE_OF(random_conf_t, said, "random", &random_type, .where = WEIR_IN_UPSTREAM,
                      .help = "Draws a server for each request by weight; with two, draws two and picks the less busy "
                              "one."),
    WEIR_DIRECTIVES_END
};

const weir_upstream_module_t weir_upstream_random = {
    .name = "upstream_random",
    .area = "Upstreams",
    .conf_size = sizeof(random_conf_t),
    .directives = random_directives,
    .choose = random_choose,
    .judge = random_judge,
};
