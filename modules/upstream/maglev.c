/*
 * maglev.c - `maglev KEY [table=SIZE] [bounded=FACTOR]` in an upstream block: requests with the same key go to the same
 * server; one that comes or goes moves little more than its own part of the keys, and the parts are as even as the
 * weights say, which those of `hash … consistent` are not.
 *
 * The table is that of Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI 2016): each
 * peer has an order of its own in which it would like the slots of the table, and they take turns at taking the next
 * one that is free, until none is.  A peer of half the weight has half the turns.  Peers stand in the order of their
 * addresses, and hashes have fixed seeds: all workers and gateways with the same peers have the same table.
 *
 * A key whose peer may not be picked goes on to the next slots.  A request without a key has a turn.
 *
 * Runs in workers.  The state of a host set: its turns, and behind them the table.
 */
#include "upstream/bounded.h"
#include "upstream/module.h"

#include "base/mem.h"

#include <stdlib.h>

#define MAGLEV_SIZE          65537
#define MAGLEV_SIZE_MIN      101
#define MAGLEV_SIZE_MAX      5000011
#define MAGLEV_TRIES         20          /* of slots whose peers may not be picked; then it is somebody's turn */
#define MAGLEV_TRIES_BOUNDED 512
#define MAGLEV_FREE          UINT32_MAX

/* Any numbers, but the same in all programs that shall agree. */
#define MAGLEV_SEED_KEY    UINT64_C(0x6d61676c65760001)
#define MAGLEV_SEED_OFFSET UINT64_C(0x6d61676c65760002)
#define MAGLEV_SEED_SKIP   UINT64_C(0x6d61676c65760003)

typedef struct {
    uint32_t percent;                    /* bounded=; first: see weir_bounded_read */
    uint32_t size;
    const weir_template_t *key;          /* NULL: it was not said */
} maglev_said_t;

typedef struct { maglev_said_t said; } maglev_conf_t;

typedef struct {
    uint32_t *slots;                     /* indices of peers */
    uint32_t  size;
    uint64_t  standing;                  /* weir_bounded_weight */
} maglev_state_t;

/* A peer while the table is made. */
typedef struct {
    weir_str_t address;
    uint32_t   index, weight;
    uint32_t   next, skip;               /* the slot that it would like next, and the way to the one after it */
    uint64_t   turns, time;              /* those it has had; when the next one is */
} maglev_peer_t;

typedef struct {
    const weir_pick_t *pick;
    weir_instant_t     now;
} maglev_asked_t;

static maglev_state_t *
maglev_state(const weir_host_set_t *set)
{
    weir_assert(set->state != NULL);
    return (maglev_state_t *) ((weir_turns_t *) set->state + set->n);
}

/* -- the table -- */

static int
maglev_compare(const void *a_, const void *b_)
{
    const maglev_peer_t *a = a_, *b = b_;
    int                  order = weir_str_cmp(a->address, b->address);

    return order != 0 ? order : a->index < b->index ? -1 : 1;
}

/* A heap by the time of the next turn; of those at the same time the one that stands first. */
static bool
maglev_is_before(const maglev_peer_t *peers, uint32_t a, uint32_t b)
{
    return peers[a].time != peers[b].time ? peers[a].time < peers[b].time : a < b;
}

static void
maglev_sink(const maglev_peer_t *peers, uint32_t *heap, size_t n, size_t at)
{
    while (2 * at + 1 < n) {
        size_t   child = 2 * at + 1;
        uint32_t moved = heap[at];

        child += child + 1 < n && maglev_is_before(peers, heap[child + 1], heap[child]);
        if (!maglev_is_before(peers, heap[child], moved)) {
            return;
        }
        heap[at] = heap[child];
        heap[child] = moved;
        at = child;
    }
}

/* The turns of the heaviest peer are at 1, 2, 3 …, those of one with a third of its weight at 3, 6, 9 … */
static void
maglev_next_turn(maglev_peer_t *peer, uint32_t heaviest)
{
    peer->turns++;
    peer->time = (peer->turns * heaviest + peer->weight - 1) / peer->weight;
}

static void
maglev_fill(maglev_state_t *state, maglev_peer_t *peers, uint32_t *heap, size_t n)
{
    uint32_t heaviest = 0;

    for (size_t i = 0; i < n; i++) {
        heaviest = peers[i].weight > heaviest ? peers[i].weight : heaviest;
    }
    for (size_t i = 0; i < n; i++) {
        maglev_next_turn(&peers[i], heaviest);
        heap[i] = (uint32_t) i;
    }
    for (size_t i = n; i-- > 0;) {
        maglev_sink(peers, heap, n, i);
    }
    for (uint32_t taken = 0; taken < state->size; taken++) {
        maglev_peer_t *peer = &peers[heap[0]];

        while (state->slots[peer->next] != MAGLEV_FREE) {
            peer->next = (uint32_t) (((uint64_t) peer->next + peer->skip) % state->size);
        }
        state->slots[peer->next] = peer->index;
        maglev_next_turn(peer, heaviest);
        maglev_sink(peers, heap, n, 0);
    }
}

static void
maglev_make_table(maglev_state_t *state, const weir_host_set_t *set)
{
    maglev_peer_t *peers = weir_mem_need(set->n * sizeof(*peers));
    uint32_t      *heap = weir_mem_need(set->n * sizeof(*heap));

    for (size_t i = 0; i < set->n; i++) {
        const weir_peer_conf_t *conf = set->peers[i]->conf;

        peers[i] = (maglev_peer_t) {
            .address = conf->text, .index = (uint32_t) i, .weight = conf->weight,
            .next = (uint32_t) (weir_str_hash(conf->text, MAGLEV_SEED_OFFSET) % state->size),
            .skip = (uint32_t) (weir_str_hash(conf->text, MAGLEV_SEED_SKIP) % (state->size - 1) + 1),
        };
    }
    for (uint32_t i = 0; i < state->size; i++) {
        state->slots[i] = MAGLEV_FREE;
    }
    qsort(peers, set->n, sizeof(*peers), maglev_compare);
    maglev_fill(state, peers, heap, set->n);
    weir_mem_free(heap);
    weir_mem_free(peers);
}

static void *
maglev_create(const weir_host_set_t *set, weir_arena_t *arena)
{
    weir_turns_t   *turns = weir_alloc(arena, set->n * sizeof(*turns) + sizeof(maglev_state_t));
    maglev_state_t *state = (maglev_state_t *) (turns + set->n);

    weir_round_robin_init(set, turns);
    *state = (maglev_state_t) { .size = weir_group_conf(set->group)->balancing[1],
                                .standing = weir_bounded_weight(set) };
    weir_assert(state->size >= MAGLEV_SIZE_MIN && set->n != 0);
    state->slots = weir_new_n(arena, uint32_t, state->size);
    maglev_make_table(state, set);
    return turns;
}

/* -- picking -- */

static bool
maglev_may(const weir_peer_t *peer, const void *data)
{
    const maglev_asked_t *asked = data;

    return weir_peer_allowed(peer, asked->pick, asked->now);
}

static weir_peer_t *
maglev_pick(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now)
{
    const maglev_state_t *state = maglev_state(set);
    const uint32_t        percent = weir_group_conf(set->group)->balancing[0];
    const weir_bounded_t  bounded = weir_bounded_begin(set, percent, state->standing, now);
    const unsigned        most = percent != 0 ? MAGLEV_TRIES_BOUNDED : MAGLEV_TRIES;

    if (pick->key.len != 0 && set->n > 1) {
        uint64_t at = weir_str_hash(pick->key, MAGLEV_SEED_KEY) % state->size;

        for (unsigned tries = 0; tries <= most; tries++, at = (at + 1) % state->size) {
            weir_peer_t *peer = set->peers[state->slots[at]];

            if (weir_peer_allowed(peer, pick, now) && weir_bounded_has_room(&bounded, peer)) {
                return peer;
            }
        }
        if (percent != 0) {
            return weir_bounded_least(set, pick, now);
        }
    }
    return weir_round_robin_take(set, maglev_may, &(maglev_asked_t) { pick, now });
}

static const weir_balancer_t maglev_balancer = {
    .name = "maglev",
    .is_steady = true,
    .create = maglev_create,
    .pick = maglev_pick,
    .report = weir_round_robin_report,
    .carry_over = weir_round_robin_carry_over,
    .settle = weir_round_robin_settle,
};

/* -- the module -- */

static const weir_balancer_t *
maglev_choose(const void *conf_, const weir_template_t **key)
{
    const maglev_conf_t *conf = conf_;

    *key = conf->said.key;
    return conf->said.key != NULL ? &maglev_balancer : NULL;
}

static void
maglev_balancing(const void *conf_, uint32_t numbers[WEIR_BALANCING])
{
    const maglev_conf_t *conf = conf_;

    numbers[0] = conf->said.percent;
    numbers[1] = conf->said.size;
}

static bool
maglev_is_prime(uint32_t number)
{
    for (uint32_t factor = 2; (uint64_t) factor * factor <= number; factor++) {
        if (number % factor == 0) {
            return false;
        }
    }
    return number > 1;
}

static bool
maglev_read_table(weir_conf_t *cf, size_t word, weir_str_t value, void *said_)
{
    maglev_said_t *said = said_;

    return (weir_conf_read_u32(value, &said->size) && said->size >= MAGLEV_SIZE_MIN && said->size <= MAGLEV_SIZE_MAX
            && maglev_is_prime(said->size))
           || weir_conf_invalid(cf, word, "table= and a prime number from 101 to 5000011, such as 65537 or 655373");
}

static bool
maglev_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    static const weir_conf_option_t options[] = {
        { .name = "table", .read = maglev_read_table },
        { .name = "bounded", .read = weir_bounded_read },
    };
    maglev_said_t *said = field;

    *said = (maglev_said_t) { .size = MAGLEV_SIZE };
    if (!weir_conf_read_options(cf, words, 2, options, weir_countof(options), "table=SIZE or bounded=FACTOR", said)) {
        return false;
    }
    said->key = weir_conf_template(cf, 1, words->at[1].text);
    return said->key != NULL;
}

static const weir_conf_type_t maglev_type = {
    .name = "key [table=size] [bounded=factor]", .size = sizeof(maglev_said_t), .min_args = 1, .max_args = 3,
    .parse = maglev_parse,
};

static const weir_directive_t maglev_directives[] = {
    WEIR_DIRECTIVE_OF(maglev_conf_t, said, "maglev", &maglev_type, .where = WEIR_IN_UPSTREAM,
                      .help = "Sends requests with the same key to the same server, by a table in which servers have "
                              "even parts and few keys move when servers change."),
    WEIR_DIRECTIVES_END
};

const weir_upstream_module_t weir_upstream_maglev = {
    .name = "upstream_maglev",
    .area = "Upstreams",
    .conf_size = sizeof(maglev_conf_t),
    .directives = maglev_directives,
    .choose = maglev_choose,
    .balancing = maglev_balancing,
};
