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

#define MAGLEV_SIZE          65537
#define MAGLEV_SIZE_MIN      101
#define MAGLEV_SIZE_MAX      5000011
#define MAGLEV_TRIES         20          /* of slots whose peers may not be picked; then peers take turns */
#define MAGLEV_TRIES_BOUNDED 512
#define MAGLEV_FREE          UINT32_MAX
#define MAGLEV_CHUNK         1024

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

/* A table that is being made (weir_draft_t); in the arena of the sets that come. */
typedef struct {
    maglev_state_t table;
    weir_arena_t   scratch;              /* of what follows */
    maglev_peer_t *peers, *sorted;       /* as the set has them; by address */
    uint32_t      *heap;
    uint32_t       heaviest;
    unsigned       phase;                /* of maglev_phases */
    size_t         at;                   /* peers or slots that are done in it */
} maglev_making_t;

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

/* Which of two comes first in a heap. */
typedef bool (*maglev_is_before_t)(const maglev_peer_t *peers, uint32_t a, uint32_t b);

static bool
maglev_is_listed_before(const maglev_peer_t *peers, uint32_t a, uint32_t b)
{
    int order = weir_str_cmp(peers[a].address, peers[b].address);

    return order != 0 ? order < 0 : a < b;
}

/* By the time of the next turn; of those at the same time the one that stands first. */
static bool
maglev_is_due_before(const maglev_peer_t *peers, uint32_t a, uint32_t b)
{
    return peers[a].time != peers[b].time ? peers[a].time < peers[b].time : a < b;
}

static void
maglev_sink(const maglev_peer_t *peers, uint32_t *heap, size_t n, size_t at, maglev_is_before_t is_before)
{
    while (2 * at + 1 < n) {
        size_t   child = 2 * at + 1;
        uint32_t moved = heap[at];

        child += child + 1 < n && is_before(peers, heap[child + 1], heap[child]);
        if (!is_before(peers, heap[child], moved)) {
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

/* Each phase does at most so many steps.  true: it is over. */

static bool
maglev_read_peers(maglev_making_t *making, const weir_draft_t *draft, size_t steps)
{
    const uint32_t size = making->table.size;

    for (; making->at < draft->n && steps != 0; making->at++, steps--) {
        const weir_peer_conf_t *conf = draft->peers[making->at];

        weir_assert(conf->weight != 0);
        making->peers[making->at] = (maglev_peer_t) {
            .address = conf->text, .index = (uint32_t) making->at, .weight = conf->weight,
            .next = (uint32_t) (weir_str_hash(conf->text, MAGLEV_SEED_OFFSET) % size),
            .skip = (uint32_t) (weir_str_hash(conf->text, MAGLEV_SEED_SKIP) % (size - 1) + 1),
        };
        making->heap[making->at] = (uint32_t) making->at;
        making->heaviest = conf->weight > making->heaviest ? conf->weight : making->heaviest;
    }
    return making->at == draft->n;
}

static bool
maglev_heap_peers(maglev_making_t *making, const weir_draft_t *draft, size_t steps)
{
    for (; making->at < draft->n && steps != 0; making->at++, steps--) {
        maglev_sink(making->peers, making->heap, draft->n, draft->n - 1 - making->at, maglev_is_listed_before);
    }
    return making->at == draft->n;
}

/* In the order of their addresses each has its first turn. */
static bool
maglev_sort_peers(maglev_making_t *making, const weir_draft_t *draft, size_t steps)
{
    for (; making->at < draft->n && steps != 0; making->at++, steps--) {
        maglev_peer_t *peer = &making->sorted[making->at];
        size_t         left = draft->n - making->at - 1;

        *peer = making->peers[making->heap[0]];
        maglev_next_turn(peer, making->heaviest);
        making->heap[0] = making->heap[left];
        maglev_sink(making->peers, making->heap, left, 0, maglev_is_listed_before);
    }
    return making->at == draft->n;
}

static bool
maglev_number_peers(maglev_making_t *making, const weir_draft_t *draft, size_t steps)
{
    for (; making->at < draft->n && steps != 0; making->at++, steps--) {
        making->heap[making->at] = (uint32_t) making->at;
    }
    return making->at == draft->n;
}

static bool
maglev_heap_turns(maglev_making_t *making, const weir_draft_t *draft, size_t steps)
{
    for (; making->at < draft->n && steps != 0; making->at++, steps--) {
        maglev_sink(making->sorted, making->heap, draft->n, draft->n - 1 - making->at, maglev_is_due_before);
    }
    return making->at == draft->n;
}

static bool
maglev_free_slots(maglev_making_t *making, const weir_draft_t *draft WEIR_UNUSED, size_t steps)
{
    for (; making->at < making->table.size && steps != 0; making->at++, steps--) {
        making->table.slots[making->at] = MAGLEV_FREE;
    }
    return making->at == making->table.size;
}

/* A step is a slot that is looked at: of the last ones that are free it takes many to find one. */
static bool
maglev_take_slots(maglev_making_t *making, const weir_draft_t *draft, size_t steps)
{
    maglev_state_t *table = &making->table;

    for (; making->at < table->size && steps != 0; steps--) {
        maglev_peer_t *peer = &making->sorted[making->heap[0]];

        if (table->slots[peer->next] != MAGLEV_FREE) {
            peer->next = (uint32_t) (((uint64_t) peer->next + peer->skip) % table->size);
            continue;
        }
        table->slots[peer->next] = peer->index;
        maglev_next_turn(peer, making->heaviest);
        maglev_sink(making->sorted, making->heap, draft->n, 0, maglev_is_due_before);
        making->at++;
    }
    return making->at == table->size;
}

static bool (*const maglev_phases[])(maglev_making_t *making, const weir_draft_t *draft, size_t steps) = {
    maglev_read_peers, maglev_heap_peers, maglev_sort_peers, maglev_number_peers, maglev_heap_turns, maglev_free_slots,
    maglev_take_slots,
};

static maglev_making_t *
maglev_begin_table(const weir_draft_t *draft)
{
    maglev_making_t *making = weir_new(draft->arena, maglev_making_t);

    making->table.size = draft->group->balancing[1];
    weir_assert(making->table.size >= MAGLEV_SIZE_MIN && draft->n != 0);
    making->table.slots = weir_alloc(draft->arena, making->table.size * sizeof(uint32_t));
    weir_arena_init(&making->scratch, MAGLEV_CHUNK);
    making->peers = weir_alloc(&making->scratch, draft->n * sizeof(maglev_peer_t));
    making->sorted = weir_alloc(&making->scratch, draft->n * sizeof(maglev_peer_t));
    making->heap = weir_alloc(&making->scratch, draft->n * sizeof(uint32_t));
    return making;
}

static void
maglev_abandon(weir_draft_t *draft)
{
    maglev_making_t *making = draft->made;

    if (making != NULL) {
        weir_arena_fini(&making->scratch);
    }
}

static bool
maglev_prepare(weir_draft_t *draft, size_t steps)
{
    maglev_making_t *making = draft->made;

    if (making == NULL) {
        draft->made = making = maglev_begin_table(draft);
    }
    weir_assert(making->phase < weir_countof(maglev_phases));
    if (maglev_phases[making->phase](making, draft, steps)) {
        making->at = 0;
        making->phase++;
    }
    if (making->phase < weir_countof(maglev_phases)) {
        return false;
    }
    weir_arena_fini(&making->scratch);
    return true;
}

static void *
maglev_create(const weir_host_set_t *set, weir_arena_t *arena)
{
    weir_turns_t   *turns = weir_alloc(arena, set->n * sizeof(*turns) + sizeof(maglev_state_t));
    maglev_state_t *state = (maglev_state_t *) (turns + set->n);

    weir_assert(set->prepared != NULL);
    weir_round_robin_init(set, turns);
    *state = ((const maglev_making_t *) set->prepared)->table;
    state->standing = weir_bounded_weight(set);
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
    .prepare = maglev_prepare,
    .abandon = maglev_abandon,
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
