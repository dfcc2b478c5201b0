/*
 * hash.c - `hash KEY [consistent [bounded=FACTOR]]` in an upstream block: requests with the same key go to the same
 * server as long as the servers stay the same; with `consistent` (ketama), a server that comes or goes moves only its
 * own part of the keys; with `bounded` (upstream/bounded.h) a key goes on along the ring while its server is too busy.
 *
 * Which key belongs to which server is what nginx (and Cache::Memcached, Cache::Memcached::Fast) make of it, so that an
 * operator may exchange one for the other.  A request without a key, and one whose servers have failed 20 times, has
 * turns like others.
 *
 * Runs in workers.  The state of a host set: its turns, and behind them the points of the ring.
 * A ring of many servers has millions of points and takes long to make: that is done in steps (balancer.h, prepare).
 */
#include "upstream/bounded.h"
#include "upstream/module.h"

#include "base/buf.h"
#include "base/table.h"

#include <string.h>
#include <zlib.h>

#define HASH_TRIES      20
#define HASH_BOUNDED    512              /* tries, with a bound */
#define HASH_POINTS     160              /* of a server, for each of its weight */
#define HASH_CHUNK      4096
#define HASH_POINTS_MAX 4194304          /* of a set: larger weights are scaled down */

typedef struct {
    uint32_t               percent;      /* bounded=; first: see weir_bounded_read */
    bool                   is_consistent;
    const weir_template_t *key;          /* NULL: it was not said */
} hash_said_t;

typedef struct { hash_said_t said; } hash_conf_t;

/* peer: an index in the set, of any with its server's name */
typedef struct { uint32_t hash; uint32_t peer; } hash_point_t;

/* The peers of a server: the addresses of its name. */
typedef struct { uint32_t first, n, taken; } hash_span_t;

typedef struct {
    hash_point_t *points;                /* by hash, no two the same */
    size_t        n;
    hash_span_t **spans;                 /* by peer: where those of its server are in by_server */
    uint32_t     *by_server;             /* indices of peers */
    uint64_t      standing;              /* weir_bounded_weight */
} hash_state_t;

/* A ring that is being made (weir_draft_t); in the arena of the sets that come. */
typedef struct {
    hash_state_t  ring;
    weir_arena_t  scratch;               /* of what follows */
    weir_table_t  servers;               /* the span of each */
    hash_point_t *room;                  /* for as many points */
    unsigned      phase;                 /* of hash_phases */
    size_t        at;                    /* steps of it that are done */
    uint32_t      first;                 /* of the next server, in by_server */
    size_t        peer;                  /* whose points are made: */
    uint64_t      left;                  /* how many more, … */
    uint32_t      base, hash;            /* … what goes into each, and the last one */
    unsigned      shift;                 /* to the byte that points are sorted by */
    bool          in_room;               /* the points are there now */
    size_t        next[257];             /* where the next one with each byte goes */
    size_t        kept;
} hash_making_t;

typedef struct {
    const weir_pick_t *pick;
    weir_instant_t     now;
    const weir_bounded_t *bounded;       /* NULL: there is no bound */
} hash_asked_t;

static hash_state_t *
hash_state(const weir_host_set_t *set)
{
    weir_assert(set->state != NULL);
    return (hash_state_t *) ((weir_turns_t *) set->state + set->n);
}

static bool
hash_may(const weir_peer_t *peer, const void *data)
{
    const hash_asked_t *asked = data;

    return weir_peer_allowed(peer, asked->pick, asked->now)
           && (asked->bounded == NULL || weir_bounded_has_room(asked->bounded, peer));
}

static weir_peer_t *
hash_take_turn(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now)
{
    return weir_round_robin_take(set, hash_may, &(hash_asked_t) { pick, now, NULL });
}

static uint32_t
hash_crc(uint32_t crc, weir_str_t bytes)
{
    return (uint32_t) crc32(crc, (const Bytef *) bytes.at, (uInt) bytes.len);
}

/* -- the plain one: a number below the sum of the weights -- */

static void *
hash_create(const weir_host_set_t *set, weir_arena_t *arena)
{
    void *state = weir_alloc(arena, set->n * sizeof(weir_turns_t) + sizeof(hash_state_t));

    weir_round_robin_init(set, state);
    *(hash_state_t *) ((weir_turns_t *) state + set->n) = (hash_state_t) { .n = 0 };
    return state;
}

static weir_peer_t *
hash_pick(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now)
{
    uint64_t sum = 0;

    weir_assert(set->weight != 0);
    for (unsigned tries = 0; tries <= HASH_TRIES && pick->key.len != 0 && set->n > 1; tries++) {
        char         text[24];
        weir_buf_t   again;
        weir_peer_t *peer;

        weir_buf_init(&again, text, sizeof(text));
        if (tries != 0) {
            weir_buf_printf(&again, "%u", tries);
        }
        sum += hash_crc(hash_crc(0, weir_buf_str(&again)), pick->key) >> 16 & 0x7fff;
        peer = weir_sets_at(set, sum % set->weight);
        if (weir_peer_allowed(peer, pick, now)) {
            return peer;
        }
    }
    return hash_take_turn(set, pick, now);
}

static const weir_balancer_t hash_balancer = {
    .name = "hash",
    .is_steady = true,
    .create = hash_create,
    .pick = hash_pick,
    .report = weir_round_robin_report,
    .carry_over = weir_round_robin_carry_over,
    .settle = weir_round_robin_settle,
};

/* -- the consistent one: points on a ring -- */

/* "host:port" apart; a name without a port, or the path of a socket, has none. */
static void
hash_split(weir_str_t server, weir_str_t *host, weir_str_t *port)
{
    size_t digits = 0;

    *host = server;
    *port = WEIR_STR("");
    if (weir_str_starts(server, WEIR_STR("unix:"))) {
        *host = weir_str_skip(server, 5);
        return;
    }
    while (digits < server.len && server.at[server.len - digits - 1] >= '0'
           && server.at[server.len - digits - 1] <= '9')
    {
        digits++;
    }
    if (digits < server.len && server.at[server.len - digits - 1] == ':') {
        *host = weir_str(server.at, server.len - digits - 1);
        *port = weir_str(server.at + server.len - digits, digits);
    }
}

/* The sum of the weights is scaled down to what HASH_POINTS_MAX has room for. */
static uint64_t
hash_points_of(const weir_draft_t *draft, size_t i)
{
    const uint64_t most = HASH_POINTS_MAX / HASH_POINTS, weight = draft->peers[i]->weight;

    return HASH_POINTS * (draft->weight > most ? weir_max(weight * most / draft->weight, 1) : weight);
}

/* The steps of a phase are as many as there are peers or points: `from` is the first one of this call, `to` the one
 * after the last. */

/* Peers of one server are counted. */
static void
hash_make_spans(hash_making_t *making, const weir_draft_t *draft, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        weir_str_t   server = draft->peers[i]->server;
        hash_span_t *span = weir_table_find(&making->servers, server);

        if (span == NULL) {
            span = weir_new(draft->arena, hash_span_t);
            weir_table_add(&making->servers, server, span);
        }
        span->n++;
        making->ring.spans[i] = span;
    }
}

/* The peers of each server, together. */
static void
hash_fill_spans(hash_making_t *making, const weir_draft_t *draft, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        hash_span_t *span = making->ring.spans[i];

        if (span->taken == 0) {
            span->first = making->first;
            making->first += span->n;
        }
        making->ring.by_server[span->first + span->taken++] = (uint32_t) i;
    }
    weir_assert(making->first <= draft->n);
}

static void
hash_begin_peer(hash_making_t *making, const weir_draft_t *draft)
{
    weir_str_t host, port;

    weir_assert(making->peer < draft->n);
    hash_split(draft->peers[making->peer]->server, &host, &port);
    making->base = hash_crc(hash_crc(hash_crc(0, host), weir_str("", 1)), port);
    making->left = hash_points_of(draft, making->peer);
    making->hash = 0;
}

/* Each point's hash goes into that of the peer's next one. */
static void
hash_make_points(hash_making_t *making, const weir_draft_t *draft, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        uint32_t hash = making->hash;

        if (making->left == 0) {
            making->peer = i == 0 ? 0 : making->peer + 1;
            hash_begin_peer(making, draft);
            hash = 0;
        }
        const char before[4] = { (char) hash, (char) (hash >> 8), (char) (hash >> 16), (char) (hash >> 24) };

        making->hash = hash_crc(making->base, weir_str(before, sizeof(before)));
        making->ring.points[i] = (hash_point_t) { making->hash, (uint32_t) making->peer };
        making->left--;
    }
}

/* By hash; those with the same one stay in the order in which they came: a byte at a time, from the lowest.  First how
 * many have each, … */
static void
hash_count_bytes(hash_making_t *making, const weir_draft_t *draft WEIR_UNUSED, size_t from, size_t to)
{
    const hash_point_t *points = making->in_room ? making->room : making->ring.points;

    if (from == 0) {
        memset(making->next, 0, sizeof(making->next));
    }
    for (size_t i = from; i < to; i++) {
        making->next[(points[i].hash >> making->shift & 0xff) + 1]++;
    }
    if (to == making->ring.n) {
        for (size_t byte = 0; byte < 256; byte++) {
            making->next[byte + 1] += making->next[byte];
        }
    }
}

/* … then each to its place, in the other half of the memory. */
static void
hash_place_points(hash_making_t *making, const weir_draft_t *draft WEIR_UNUSED, size_t from, size_t to)
{
    const hash_point_t *points = making->in_room ? making->room : making->ring.points;
    hash_point_t       *sorted = making->in_room ? making->ring.points : making->room;

    for (size_t i = from; i < to; i++) {
        sorted[making->next[points[i].hash >> making->shift & 0xff]++] = points[i];
    }
    if (to == making->ring.n) {
        making->in_room = !making->in_room;
        making->shift += 8;
    }
}

/* The first one of each hash stays. */
static void
hash_drop_same(hash_making_t *making, const weir_draft_t *draft WEIR_UNUSED, size_t from, size_t to)
{
    hash_point_t *points = making->ring.points;

    weir_assert(!making->in_room && making->shift == 32);
    for (size_t i = from; i < to; i++) {
        if (i == 0 || points[i].hash != points[making->kept - 1].hash) {
            points[making->kept++] = points[i];
        }
    }
}

static const struct {
    void (*run)(hash_making_t *making, const weir_draft_t *draft, size_t from, size_t to);
    bool is_of_points;
} hash_phases[] = {
    { hash_make_spans, false }, { hash_fill_spans, false }, { hash_make_points, true },
    { hash_count_bytes, true }, { hash_place_points, true }, { hash_count_bytes, true }, { hash_place_points, true },
    { hash_count_bytes, true }, { hash_place_points, true }, { hash_count_bytes, true }, { hash_place_points, true },
    { hash_drop_same, true },
};

static hash_making_t *
hash_begin_ring(const weir_draft_t *draft)
{
    hash_making_t *making = weir_new(draft->arena, hash_making_t);

    weir_arena_init(&making->scratch, HASH_CHUNK);
    weir_table_init(&making->servers, &making->scratch);
    making->ring.spans = weir_new_n(draft->arena, hash_span_t *, draft->n);
    making->ring.by_server = weir_new_n(draft->arena, uint32_t, draft->n);
    for (size_t i = 0; i < draft->n; i++) {
        making->ring.n += hash_points_of(draft, i);
    }
    weir_assert(making->ring.n != 0 && making->ring.n <= HASH_POINTS_MAX + draft->n * HASH_POINTS);
    making->ring.points = weir_alloc(draft->arena, making->ring.n * sizeof(hash_point_t));
    making->room = weir_alloc(&making->scratch, making->ring.n * sizeof(hash_point_t));
    return making;
}

static void
hash_abandon_ring(weir_draft_t *draft)
{
    hash_making_t *making = draft->made;

    if (making != NULL) {
        weir_arena_fini(&making->scratch);
    }
}

static bool
hash_prepare_ring(weir_draft_t *draft, size_t steps)
{
    hash_making_t *making = draft->made;
    size_t         all, to;

    if (making == NULL) {
        draft->made = making = hash_begin_ring(draft);
    }
    weir_assert(making->phase < weir_countof(hash_phases));
    all = hash_phases[making->phase].is_of_points ? making->ring.n : draft->n;
    to = weir_min(making->at + steps, all);
    hash_phases[making->phase].run(making, draft, making->at, to);
    making->at = to;
    if (to == all) {
        making->at = 0;
        making->phase++;
    }
    if (making->phase < weir_countof(hash_phases)) {
        return false;
    }
    weir_assert(making->kept != 0 && making->first == draft->n);
    making->ring.n = making->kept;
    weir_arena_fini(&making->scratch);
    return true;
}

static void *
hash_create_ring(const weir_host_set_t *set, weir_arena_t *arena)
{
    void         *turns = hash_create(set, arena);
    hash_state_t *state = (hash_state_t *) ((weir_turns_t *) turns + set->n);

    weir_assert(set->prepared != NULL && set->weight != 0);
    *state = ((const hash_making_t *) set->prepared)->ring;
    state->standing = weir_bounded_weight(set);
    return turns;
}

/* The first point that is not below; the number of points: there is none. */
static size_t
hash_find(const hash_state_t *state, uint32_t hash)
{
    size_t from = 0, to = state->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (state->points[middle].hash < hash) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    weir_assert(from == to && to <= state->n);
    return from;
}

/* A peer of the server that a point belongs to; NULL: none of them may be picked. */
static weir_peer_t *
hash_take_server(const weir_host_set_t *set, uint32_t index, const hash_asked_t *asked)
{
    const hash_state_t *state = hash_state(set);
    const hash_span_t  *span = state->spans[index];

    if (span->n == 1) {
        return hash_may(set->peers[index], asked) ? set->peers[index] : NULL;
    }
    return weir_round_robin_take_of(set, &state->by_server[span->first], span->n, hash_may, asked);
}

static weir_peer_t *
hash_pick_ring(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now)
{
    const hash_state_t  *state = hash_state(set);
    const uint32_t       percent = weir_group_conf(set->group)->balancing[0];
    const weir_bounded_t bounded = weir_bounded_begin(set, percent, state->standing, now);
    const unsigned       most = percent != 0 ? HASH_BOUNDED : HASH_TRIES;
    hash_asked_t         asked = { pick, now, &bounded };
    weir_peer_t         *peer = NULL;

    weir_assert(state->n != 0);
    if (pick->key.len != 0 && set->n > 1) {
        size_t at = hash_find(state, hash_crc(0, pick->key));

        for (unsigned tries = 0; tries <= most && peer == NULL; tries++, at++) {
            peer = hash_take_server(set, state->points[at % state->n].peer, &asked);
        }
        if (peer == NULL && percent != 0) {
            peer = weir_bounded_least(set, pick, now);
        }
    }
    return peer != NULL ? peer : hash_take_turn(set, pick, now);
}

static const weir_balancer_t hash_ring_balancer = {
    .name = "hash consistent",
    .is_steady = true,
    .prepare = hash_prepare_ring,
    .abandon = hash_abandon_ring,
    .create = hash_create_ring,
    .pick = hash_pick_ring,
    .report = weir_round_robin_report,
    .carry_over = weir_round_robin_carry_over,
    .settle = weir_round_robin_settle,
};

/* -- the module -- */

static const weir_balancer_t *
hash_choose(const void *conf_, const weir_template_t **key)
{
    const hash_conf_t *conf = conf_;

    *key = conf->said.key;
    return conf->said.key == NULL ? NULL : conf->said.is_consistent ? &hash_ring_balancer : &hash_balancer;
}

static void
hash_balancing(const void *conf_, uint32_t numbers[WEIR_BALANCING])
{
    const hash_conf_t *conf = conf_;

    numbers[0] = conf->said.percent;
}

static bool
hash_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    static const weir_conf_option_t options[] = { { .name = "bounded", .read = weir_bounded_read } };
    hash_said_t *said = field;

    *said = (hash_said_t) { .is_consistent = words->n > 2 };
    if (said->is_consistent && !weir_str_eq(words->at[2].text, WEIR_STR("consistent"))) {
        return weir_conf_invalid(cf, 2, "consistent");
    }
    if (!weir_conf_read_options(cf, words, 3, options, weir_countof(options), "bounded=FACTOR", said)) {
        return false;
    }
    said->key = weir_conf_template(cf, 1, words->at[1].text);
    return said->key != NULL;
}

static const weir_conf_type_t hash_type = {
    .name = "key [consistent [bounded=factor]]", .size = sizeof(hash_said_t), .min_args = 1, .max_args = 3,
    .parse = hash_parse,
};

static const weir_directive_t hash_directives[] = {
    WEIR_DIRECTIVE_OF(hash_conf_t, said, "hash", &hash_type, .where = WEIR_IN_UPSTREAM,
                      .help = "Sends requests with the same key to the same server; with consistent, few keys move "
                              "when servers change."),
    WEIR_DIRECTIVES_END
};

const weir_upstream_module_t weir_upstream_hash = {
    .name = "upstream_hash",
    .area = "Upstreams",
    .conf_size = sizeof(hash_conf_t),
    .directives = hash_directives,
    .choose = hash_choose,
    .balancing = hash_balancing,
};
