/*
 * Host sets: peers are in sets by rank, and the sets share the requests as the healthy part of each falls.  The tables
 * are the arithmetic of Envoy's priority levels (overprovisioning 1.4), by number of peers.
 */
#include "groups.h"

#include "upstream/locality.h"
#include "upstream/running.h"

#define SETS_MAX   4
#define SETS_PEERS 100           /* in each: one peer is one percent */

static weir_peer_conf_t sets_peers[SETS_MAX * SETS_PEERS];

/* A group of n sets with so many healthy peers in each. */
static weir_group_t *
sets_group(weir_arena_t *arena, const char *name, const uint32_t *healthy, size_t n, uint32_t overprovisioning)
{
    weir_group_conf_t conf = { .name = weir_str_from_z(name), .host_header = weir_str_from_z(name), .peers = sets_peers,
                               .n_peers = n * SETS_PEERS,
                               .overprovisioning = overprovisioning, .balancer = &weir_balancer_round_robin,
                               .digest = 1 };
    weir_group_t     *group;

    for (size_t i = 0; i < conf.n_peers; i++) {
        sets_peers[i] = (weir_peer_conf_t) { .weight = 1, .max_fails = 1, .fail_timeout = { 10000 },
                                             .priority = (uint16_t) (i / SETS_PEERS) };
        sets_peers[i].text = sets_peers[i].server = weir_str_printf(arena, "127.0.0.1:%u", (unsigned) i + 1);
    }
    group = weir_group_attach(groups_all, &conf);
    for (size_t i = 0; i < conf.n_peers; i++) {
        if (i % SETS_PEERS >= healthy[i / SETS_PEERS]) {
            (void) weir_state_swap_failures(group->peers[i], weir_state_failures(group->peers[i]),
                                      (weir_failures_t) { 1, { 1 } });
            weir_peer_tell(group->peers[i]);
        }
    }
    return group;
}

static const char *
sets_shares(weir_group_t *group, uint64_t now)
{
    static char text[64];
    size_t      len = 0;

    weir_shares_update(group, (weir_instant_t) { now });
    text[0] = '\0';
    for (size_t i = 0; i < group->n_sharing; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len, "%s%u", i != 0 ? " " : "",
                                 (unsigned) group->sets[i].share / (WEIR_SHARE_WHOLE / 100));
    }
    return text;
}

static void
test_shares(weir_arena_t *arena)
{
    static const struct { uint32_t healthy[SETS_MAX]; size_t n; uint32_t factor; const char *shares; } rows[] = {
        { { 100, 100 },     2, 140, "100 0" },
        { { 72, 100 },      2, 140, "100 0" },
        { { 71, 100 },      2, 140, "99 1" },
        { { 50, 100 },      2, 140, "70 30" },
        { { 25, 100 },      2, 140, "35 65" },
        { { 0, 100 },       2, 140, "0 100" },
        { { 72, 72 },       2, 140, "100 0" },
        { { 25, 25 },       2, 140, "50 50" },
        { { 25, 0 },        2, 140, "100 0" },
        { { 0, 0 },         2, 140, "0 0" },
        { { 50, 20, 100 },  3, 140, "70 28 2" },
        { { 10, 10, 10 },   3, 140, "33 33 33" },
        { { 50, 100 },      2, 100, "50 50" },
        { { 50, 100 },      2, 200, "100 0" },
    };

    for (size_t i = 0; i < weir_countof(rows); i++) {
        weir_group_t *group = sets_group(arena, "shares", rows[i].healthy, rows[i].n, rows[i].factor);
        const char   *what = weir_str_to_z(arena,
                                           weir_str_printf(arena, "healthy %u, %u, %u; factor %u%%", rows[i].healthy[0],
                                                           rows[i].healthy[1],
                                                           rows[i].healthy[2], rows[i].factor));

        is_str(weir_str_from_z(sets_shares(group, 2)), rows[i].shares, what);
        weir_group_unref(group);
    }
}

/* Picks have those shares, and those that are due for a trial count as healthy. */
static void
test_picks(weir_arena_t *arena)
{
    const uint32_t healthy[] = { 50, 20, 100 };
    weir_group_t  *group = sets_group(arena, "picks", healthy, 3, 140);
    uint32_t       got[3] = { 0, 0, 0 };

    for (int i = 0; i < 1000; i++) {
        weir_pick_t pick;

        weir_pick_begin(&pick, group, arena);
        if (weir_pick_next(&pick, (weir_instant_t) { 2 })) {
            got[pick.peer->set - group->sets]++;
        }
        weir_pick_end(&pick);
    }
    is_int(got[0], 700, "the first set has 70 percent of the picks");
    is_int(got[1], 280, "the second 28");
    is_int(got[2], 20, "the third 2");
    is_str(weir_str_from_z(sets_shares(group, 20000)), "100 0 0",
           "after fail_timeout all may be tried, and the first set has all again");
    weir_group_unref(group);
}

static void
test_retries(weir_arena_t *arena)
{
    const uint32_t healthy[] = { 1, 1 };
    weir_group_t  *group = sets_group(arena, "retries", healthy, 2, 140);
    weir_pick_t    pick;

    weir_pick_begin(&pick, group, arena);
    ok(weir_pick_next(&pick, (weir_instant_t) { 2 }) && weir_pick_next(&pick, (weir_instant_t) { 2 }),
       "a request finds the healthy peer of each set");
    ok(!weir_pick_next(&pick, (weir_instant_t) { 2 }), "and nobody else");
    weir_pick_end(&pick);
    weir_group_unref(group);
}

static void
test_backups(void)
{
    groups_spec_t spec;
    weir_group_t *group;

    groups_spec(&spec, "backups", 4);
    spec.conf.overprovisioning = 100;
    spec.peers[2].priority = 1;
    spec.peers[3].backup = true;
    group = groups_attach(&spec);
    ok(group->n_sets == 3 && group->n_sharing == 2, "a backup's set has no share");
    is_int(groups_request(group, true, 1), 'a', "one of two fails");
    is_letters(groups_requests(group, 4, 2), "bcbc", "the second set has half, the backup nothing");
    is_int(groups_request(group, true, 2), 'b', "the other fails");
    is_letters(groups_requests(group, 2, 3), "cc", "the second set has all");
    is_int(groups_request(group, true, 3), 'c', "it fails as well");
    is_letters(groups_requests(group, 2, 4), "dd", "now the backup is asked");
    weir_group_unref(group);
}

static void
test_localities(void)
{
    static const struct { const char *own, *peer; uint8_t distance; } rows[] = {
        { "", "", 0 }, { "", "eu/de/a", 0 }, { "eu/de/a", "eu/de/a", 0 }, { "eu/de/a", "eu/de/b", 1 },
        { "eu/de/a", "eu/fr/a", 2 }, { "eu/de/a", "us/de/a", 3 },
        { "eu/de/a", "", 3 }, { "eu/de/a", "eu", 2 }, { "eu/de", "eu/de/b", 0 }, { "eu", "eu/fr", 0 },
        { "eu", "us", 1 }, { "eu/de/a", "eu/de/aa", 1 },
    };
    static const struct { const char *text; bool valid; } texts[] = {
        { "eu", true }, { "eu/de", true }, { "eu/de/a", true }, { "eu/de/a/x", false }, { "", false }, { "/de", false },
        { "eu//a", false }, { "eu/", false },
    };

    for (size_t i = 0; i < weir_countof(rows); i++) {
        is_int(weir_locality_distance(weir_str_from_z(rows[i].own), weir_str_from_z(rows[i].peer)), rows[i].distance,
               rows[i].peer);
    }
    for (size_t i = 0; i < weir_countof(texts); i++) {
        ok(weir_locality_is_valid(weir_str_from_z(texts[i].text)) == texts[i].valid, texts[i].text);
    }
}

int
main(void)
{
    weir_arena_t arena;

    groups_init();
    weir_arena_init(&arena, 4096);
    test_shares(&arena);
    test_picks(&arena);
    test_retries(&arena);
    test_backups();
    test_localities();
    weir_arena_fini(&arena);
    groups_fini();
    return done();
}
