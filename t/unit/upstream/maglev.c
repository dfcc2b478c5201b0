/*
 * maglev: each peer has its part of the keys; the order of peers does not matter; one that goes moves little more than
 * its own keys, one that fails no others'.  A bound on loads holds at each moment, for maglev and the ring.
 */
#include "groups.h"
#include "modules.h"

#define MAGLEV_PEERS 100
#define MAGLEV_KEYS  50000

/* As maglev.c and hash.c keep what their directives said; a key is all that they look for. */
static const struct { uint32_t percent, size; const void *key; } maglev_said = { 0, 65537, "" };
static const struct { uint32_t percent; bool is_consistent; const void *key; } hash_said = { 0, true, "" };

static weir_peer_conf_t maglev_peers[MAGLEV_PEERS];

static const weir_balancer_t *
maglev(void)
{
    return modules_balancer("upstream_maglev", &maglev_said);
}

/* Peers 10.0.0.1:80 and so on, `from` to below `to`, or the other way round. */
static weir_group_t *
group_of(weir_arena_t *arena, const char *name, int from, int to, const weir_balancer_t *balancer, uint32_t percent)
{
    weir_group_conf_t conf = { .name = weir_str_from_z(name), .host_header = weir_str_from_z(name),
                               .peers = maglev_peers, .n_peers = (size_t) abs(to - from), .balancer = balancer,
                               .balancing = { percent, 65537 }, .overprovisioning = 140, .digest = 1 };

    for (int i = 0, at = from < to ? from : from - 1; i < abs(to - from); i++, at += from < to ? 1 : -1) {
        maglev_peers[i] = (weir_peer_conf_t) { .weight = 1, .max_fails = 1, .fail_timeout = { 10000 } };
        maglev_peers[i].text = weir_str_printf(arena, "10.0.%d.%d:80", at / 256, at % 256);
        maglev_peers[i].server = maglev_peers[i].text;
    }
    return weir_group_attach(groups_all, &conf);
}

static weir_peer_t *
group_first(weir_group_t *group)
{
    weir_peer_t *const *peers;

    (void) weir_group_peers(group, &peers);
    return peers[0];
}

/* The peer of a key; NULL: none. */
static weir_peer_t *
pick_key(weir_group_t *group, weir_pick_t *pick, weir_arena_t *arena, unsigned key)
{
    weir_pick_begin(pick, group, arena);
    pick->key = weir_str_printf(arena, "/objects/%u", key);
    return weir_pick_next(pick, (weir_instant_t) { 1 }) ? pick->peer : NULL;
}

static weir_str_t
where(weir_group_t *group, unsigned key, weir_arena_t *result)
{
    weir_arena_t arena;
    weir_pick_t  pick;
    weir_str_t   text;

    weir_arena_init(&arena, 1024);
    text = weir_str_dup(result, pick_key(group, &pick, &arena, key)->conf->text);
    weir_pick_end(&pick);
    weir_arena_fini(&arena);
    return text;
}

static unsigned
differences(weir_group_t *a, weir_group_t *b, weir_arena_t *arena, weir_str_t only, unsigned *of_only)
{
    unsigned n = 0;

    for (unsigned key = 0; key < MAGLEV_KEYS; key++) {
        weir_str_t before = where(a, key, arena);

        if (!weir_str_eq(before, where(b, key, arena))) {
            n++;
            *of_only += weir_str_eq(before, only);
        }
    }
    return n;
}

static void
test_parts(weir_arena_t *arena)
{
    weir_group_t   *group = group_of(arena, "parts", 0, 20, maglev(), 0);
    const uint32_t *slots;
    unsigned        counts[20] = { 0 }, least = UINT32_MAX, most = 0;

    /* the table lies behind the turns, and its state begins with it */
    slots = *(uint32_t *const *) ((weir_turns_t *) group_first(group)->set->state + 20);
    for (size_t i = 0; i < 65537; i++) {
        counts[slots[i]]++;
    }
    for (size_t i = 0; i < 20; i++) {
        least = counts[i] < least ? counts[i] : least;
        most = counts[i] > most ? counts[i] : most;
    }
    ok(most - least <= 1, "all slots are taken, by each peer as many as by the others");
    weir_group_unref(group);
}

static void
test_weights(weir_arena_t *arena)
{
    static const uint32_t weights[4] = { 7, 2, 1, 1 };
    groups_spec_t         spec;
    weir_group_t         *group;
    const uint32_t       *slots;
    unsigned              counts[4] = { 0 };
    bool                  good = true;

    (void) arena;
    groups_spec(&spec, "weights", 4);
    spec.conf.balancer = maglev();
    spec.conf.balancing[1] = 65537;
    for (size_t i = 0; i < 4; i++) {
        spec.peers[i].weight = weights[i];
    }
    group = groups_attach(&spec);
    slots = *(uint32_t *const *) ((weir_turns_t *) group_first(group)->set->state + 4);
    for (size_t i = 0; i < 65537; i++) {
        counts[slots[i]]++;
    }
    for (size_t i = 0; i < 4; i++) {
        good = good && abs((int) counts[i] - (int) (65537 * weights[i] / 11)) <= 7;
    }
    ok(good, "slots are shared out by weight");
    weir_group_unref(group);
}

static void
test_disruption(weir_arena_t *arena)
{
    weir_group_t *whole = group_of(arena, "whole", 0, 50, maglev(), 0), *turned, *less, *ring, *ring_less;
    unsigned      moved, own = 0, none = 0;

    turned = group_of(arena, "turned", 50, 0, maglev(), 0);
    is_int(differences(whole, turned, arena, WEIR_STR(""), &none), 0, "the order of peers does not matter");
    less = group_of(arena, "less", 0, 49, maglev(), 0);
    moved = differences(whole, less, arena, WEIR_STR("10.0.0.49:80"), &own);
    printf("# of %d keys %u moved, %u of them had been with the peer that went\n", MAGLEV_KEYS, moved, own);
    ok(own > MAGLEV_KEYS / 50 * 9 / 10 && own < MAGLEV_KEYS / 50 * 11 / 10, "one of fifty had a fiftieth of the keys");
    ok(moved < MAGLEV_KEYS / 50 * 3 / 2, "when it goes, less than one and a half fiftieths move");

    ring = group_of(arena, "ring", 0, 50, modules_balancer("upstream_hash", &hash_said), 0);
    ring_less = group_of(arena, "ring less", 0, 49, modules_balancer("upstream_hash", &hash_said), 0);
    own = 0;
    moved = differences(ring, ring_less, arena, WEIR_STR("10.0.0.49:80"), &own);
    is_int(moved, own, "hash consistent: none but its own move");
    weir_group_unref(whole);
    weir_group_unref(turned);
    weir_group_unref(less);
    weir_group_unref(ring);
    weir_group_unref(ring_less);
}

static void
test_failed(weir_arena_t *arena)
{
    weir_group_t *good = group_of(arena, "good", 0, 20, maglev(), 0), *bad = group_of(arena, "bad", 0, 20, maglev(), 0);
    weir_pick_t   pick;
    unsigned      own = 0, moved, key = 0;

    while (!weir_str_eq(pick_key(bad, &pick, arena, key)->conf->text, WEIR_STR("10.0.0.7:80"))) {
        weir_pick_end(&pick);
        key++;
    }
    groups_report(&pick, true, (weir_instant_t) { 1 });
    weir_pick_end(&pick);
    moved = differences(good, bad, arena, WEIR_STR("10.0.0.7:80"), &own);
    ok(own > 0, "the keys of a failed peer go elsewhere");
    is_int(moved, own, "and no others");
    weir_group_unref(good);
    weir_group_unref(bad);
}

/* Requests that do not end, half of them for one key: at each moment no peer has more than its share times the factor,
 * rounded up. */
static void
test_bounded(weir_arena_t *arena, const char *name, const weir_balancer_t *balancer)
{
    enum { PEERS = 10, REQUESTS = 400 };
    weir_group_t *free_ = group_of(arena, "free", 0, PEERS, balancer, 0);
    weir_group_t *bounded = group_of(arena, name, 0, PEERS, balancer, 125);
    weir_pick_t   picks[REQUESTS];
    bool          held = true;
    unsigned      at_home = 0, others = 0;

    for (unsigned n = 1; n <= REQUESTS; n++) {
        unsigned     key = n % 2 == 0 ? 7 : n;
        weir_peer_t *peer = pick_key(bounded, &picks[n - 1], arena, key);

        if (peer == NULL || weir_state_in_use(peer) > (125 * n + 100 * PEERS - 1) / (100 * PEERS)) {
            held = false;
            break;
        }
        others += key != 7;
        at_home += key != 7 && weir_str_eq(peer->conf->text, where(free_, key, arena));
    }
    ok(held, name);
    printf("# %u of %u keys are where they are without a bound\n", at_home, others);
    ok(at_home > others / 2, "most keys are where they are without a bound");
    for (unsigned n = 0; n < REQUESTS; n++) {
        weir_pick_end(&picks[n]);
    }
    ok(weir_str_eq(where(bounded, 7, arena), where(free_, 7, arena)), "with nothing under way each key is at home");
    weir_group_unref(free_);
    weir_group_unref(bounded);
}

int
main(void)
{
    weir_arena_t arena;

    groups_init();
    weir_arena_init(&arena, 65536);
    ok(maglev() != NULL, "configure found the module");
    test_parts(&arena);
    test_weights(&arena);
    test_disruption(&arena);
    test_failed(&arena);
    test_bounded(&arena, "maglev: the bound holds", maglev());
    test_bounded(&arena, "hash consistent: the bound holds", modules_balancer("upstream_hash", &hash_said));
    weir_arena_fini(&arena);
    groups_fini();
    return done();
}
