/*
 * What part of the requests each set is due, by Envoy's documents: its tables of priority levels and of the panic
 * threshold ("priority levels", "panic threshold"), and what "zone aware routing" says in words, worked out by hand.
 */
#include "many.h"

#define SHARES_MAX 4

typedef struct { unsigned peers, healthy, priority, distance; } shares_set_t;

/* A group with those sets, up to the first without peers. */
static weir_group_t *
shares_group(weir_arena_t *arena, const shares_set_t *sets, uint32_t panic, const weir_caller_zone_t *zones, size_t n_zones)
{
    weir_group_conf_t *conf;
    weir_group_t      *group;
    size_t             n = 0, all = 0;

    for (size_t i = 0; i < SHARES_MAX; i++) {
        all += sets[i].peers;
    }
    conf = many_conf(arena, all, &weir_balancer_round_robin);
    conf->panic = panic;
    conf->zones = zones;
    conf->n_zones = n_zones;
    for (size_t i = 0; i < SHARES_MAX; i++) {
        for (size_t p = 0; p < sets[i].peers; p++, n++) {
            conf->peers[n].priority = (uint16_t) sets[i].priority;
            conf->peers[n].distance = (uint8_t) sets[i].distance;
        }
    }
    group = weir_group_attach(groups_all, conf);
    n = 0;
    for (size_t i = 0; i < SHARES_MAX; i++) {
        for (size_t p = 0; p < sets[i].peers; p++, n++) {
            if (p >= sets[i].healthy) {
                weir_peer_bar(group->peers[n], WEIR_BARRED_CHECK, true);
            }
        }
    }
    return group;
}

/* "70 30!": in percent; whose peers are all used has a mark. */
static const char *
shares_text(weir_group_t *group)
{
    static char text[128];
    size_t      len = 0;

    weir_shares_update(group, (weir_instant_t) { 2 });
    text[0] = '\0';
    for (size_t i = 0; i < group->n_sharing; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len, "%s%.4g%s", i != 0 ? " " : "",
                                 (double) group->sets[i].share / (WEIR_SHARE_WHOLE / 100),
                                 group->sets[i].is_panic ? "!" : "");
    }
    return text;
}

/* Picks have the shares, and meet those that are not healthy only where all are used. */
static void
shares_picks(weir_group_t *group, weir_arena_t *arena)
{
    size_t got[SHARES_MAX] = { 0 }, sick = 0;
    bool   same = true;

    for (size_t i = 0; i < 10000; i++) {
        weir_pick_t pick;

        weir_pick_begin(&pick, group, arena);
        if (weir_pick_next(&pick, (weir_instant_t) { 2 })) {
            got[pick.peer->set - group->sets]++;
            sick += weir_peer_barred(pick.peer) != 0 && !pick.peer->set->is_panic;
        }
        weir_pick_end(&pick);
        weir_arena_reset(arena);
    }
    for (size_t i = 0; i < group->n_sharing; i++) {
        const weir_host_set_t *set = &group->sets[i];
        double                 want = (double) set->share / (WEIR_SHARE_WHOLE / 10000);

        same = same && (double) got[i] > want - 3 && (double) got[i] < want + 3;
    }
    ok(same, "10,000 picks have these shares");
    ok(sick == 0, "nobody who is not healthy is picked but in panic");
}

static void
test_levels(weir_arena_t *arena, weir_arena_t *scratch)
{
    static const struct { unsigned healthy[3], panic; const char *shares; } rows[] = {
        /* priority levels, of 100 peers each */
        { { 100, 100, 100 }, 0, "100 0 0" },
        { { 72, 72, 100 },   0, "100 0 0" },
        { { 71, 71, 100 },   0, "99 1 0" },
        { { 50, 50, 100 },   0, "70 30 0" },
        { { 25, 100, 100 },  0, "35 65 0" },
        { { 25, 25, 100 },   0, "35 35 30" },
        { { 25, 25, 20 },    0, "35.71 35.71 28.57" },        /* in whole percents: 36, 36 and 28 */
        /* panic threshold 50%: the last level has nobody here */
        { { 72, 100, 0 },    50, "100 0 0" },
        { { 71, 100, 0 },    50, "99 1 0" },
        { { 50, 60, 0 },     50, "70 30 0" },
        { { 25, 100, 0 },    50, "35 65 0" },
        { { 0, 100, 0 },     50, "0 100 0" },
    };
    static const struct { shares_set_t sets[SHARES_MAX]; unsigned panic; const char *shares; } panics[] = {
        { { { 100, 25, 0, 0 }, { 100, 25, 1, 0 } }, 50, "50! 50!" },
        { { { 100, 5, 0, 0 },  { 100, 65, 1, 0 } }, 50, "7.143! 92.86" },     /* 7 and 93 */
        { { { 100, 72, 0, 0 }, { 100, 72, 1, 0 } }, 50, "100 0" },
        { { { 100, 71, 0, 0 }, { 100, 71, 1, 0 } }, 50, "99 1" },
        { { { 2, 0, 0, 0 },    { 8, 0, 1, 0 } },    50, "20! 80!" },
        { { { 5, 0, 0, 0 },    { 5, 0, 1, 0 } },    50, "50! 50!" },
        { { { 5, 0, 0, 0 },    { 5, 0, 1, 0 } },    0,  "0 0" },
        { { { 100, 25, 0, 0 }, { 100, 25, 1, 0 } }, 0,  "50 50" },
        { { { 10, 4, 0, 0 } },                      50, "100!" },
        { { { 10, 5, 0, 0 } },                      50, "100" },
        { { { 100, 49, 0, 0 } },                    50, "100!" },
        { { { 10, 0, 0, 0 } },                      1,  "100!" },
    };

    for (size_t i = 0; i < weir_countof(rows); i++) {
        shares_set_t  sets[SHARES_MAX] = { { 100, rows[i].healthy[0], 0, 0 }, { 100, rows[i].healthy[1], 1, 0 },
                                           { 100, rows[i].healthy[2], 2, 0 } };
        weir_group_t *group = shares_group(arena, sets, rows[i].panic, NULL, 0);

        is_str(weir_str_from_z(shares_text(group)), rows[i].shares, "a row of Envoy's tables");
        shares_picks(group, scratch);
        weir_group_unref(group);
    }
    for (size_t i = 0; i < weir_countof(panics); i++) {
        weir_group_t *group = shares_group(arena, panics[i].sets, panics[i].panic, NULL, 0);

        is_str(weir_str_from_z(shares_text(group)), panics[i].shares, "panic");
        shares_picks(group, scratch);
        weir_group_unref(group);
    }
}

static void
test_end_of_panic(weir_arena_t *arena, weir_arena_t *scratch)
{
    const shares_set_t sets[SHARES_MAX] = { { 4, 1, 0, 0 } };
    weir_group_t      *group = shares_group(arena, sets, 50, NULL, 0);

    ok(many_request(group, scratch, false, 2) != many_request(group, scratch, false, 2), "in panic");
    is_int(group->n_panic, 1, "of one set all peers are used");
    for (size_t i = 1; i < 4; i++) {
        weir_peer_bar(group->peers[i], WEIR_BARRED_CHECK, false);
    }
    (void) many_request(group, scratch, false, 2);
    ok(group->n_panic == 0 && !group->sets[0].is_panic, "all are healthy: it has ended");
    weir_group_unref(group);
}

static void
test_what_panic_does_not_forgive(weir_arena_t *arena, weir_arena_t *scratch)
{
    const shares_set_t sets[SHARES_MAX] = { { 4, 4, 0, 0 } };
    weir_group_t      *group = shares_group(arena, sets, 50, NULL, 0);
    bool               never = true;

    weir_peer_bar(group->peers[0], WEIR_BARRED_CHECK, true);
    weir_peer_bar(group->peers[1], WEIR_BARRED_DRAINED, true);
    weir_peer_bar(group->peers[2], WEIR_BARRED_UNPROVEN, true);
    for (unsigned i = 0; i < 100; i++) {
        size_t number = many_request(group, scratch, false, 2);

        never = never && (number == 0 || number == 3);
    }
    ok(never && group->n_panic == 1, "who is drained or has not passed a check is not used even then");
    weir_group_unref(group);
}

static void
test_zones(weir_arena_t *arena, weir_arena_t *scratch)
{
    static const weir_caller_zone_t even[] = { { WEIR_STR("a"), 1 }, { WEIR_STR("b"), 1 } };
    static const weir_caller_zone_t uneven[] = { { WEIR_STR("a"), 3 }, { WEIR_STR("b"), 1 } };
    static const weir_caller_zone_t three[] = { { WEIR_STR("a"), 2 }, { WEIR_STR("b"), 1 }, { WEIR_STR("c"), 1 } };
    static const struct {
        const weir_caller_zone_t *zones; size_t n;
        shares_set_t sets[SHARES_MAX]; unsigned panic; const char *shares, *what;
    } rows[] = {
        { even, 2, { { 4, 4, 0, 0 }, { 4, 4, 0, 1 } }, 0, "100 0", "as many of both here: all of it stays" },
        { even, 2, { { 6, 6, 0, 0 }, { 2, 2, 0, 1 } }, 0, "100 0", "more peers than callers here: all of it stays" },
        { even, 2, { { 2, 2, 0, 0 }, { 6, 6, 0, 1 } }, 0, "50 50", "a fourth of the peers, half of the callers" },
        { uneven, 2, { { 4, 4, 0, 0 }, { 4, 4, 0, 1 } }, 0, "66.66 33.34", "half of the peers, 3/4 of the callers" },
        { uneven, 2, { { 4, 2, 0, 0 }, { 4, 4, 0, 1 } }, 0, "44.44 55.56", "half of those fail: a third of the peers" },
        { three, 3, { { 2, 2, 0, 0 }, { 4, 4, 0, 1 }, { 2, 2, 0, 2 } }, 0, "50 50 0",
          "the rest goes where there is room" },
        { three, 3, { { 2, 2, 0, 0 }, { 5, 5, 0, 1 }, { 5, 5, 0, 2 } }, 0, "33.32 33.34 33.34",
          "and in proportion to it" },
        { three, 3, { { 4, 4, 0, 1 }, { 4, 4, 0, 2 } }, 0, "50 50", "nobody here: all of it goes to the others" },
        { even, 2, { { 2, 2, 0, 0 }, { 2, 2, 0, 1 }, { 4, 4, 0, 2 } }, 0, "50 0 50",
          "peers where there are no callers have room" },
        { even, 2, { { 4, 0, 0, 0 }, { 4, 4, 0, 1 }, { 4, 4, 1, 0 } }, 0, "0 70 30",
          "half of a priority fails: the next one has a part" },
        { even, 2, { { 6, 1, 0, 0 }, { 2, 1, 0, 1 } }, 50, "75! 25!", "in panic by the number of peers" },
    };

    for (size_t i = 0; i < weir_countof(rows); i++) {
        weir_group_t *group = shares_group(arena, rows[i].sets, rows[i].panic, rows[i].zones, rows[i].n);

        is_str(weir_str_from_z(shares_text(group)), rows[i].shares, rows[i].what);
        shares_picks(group, scratch);
        weir_group_unref(group);
    }
}

int
main(void)
{
    weir_arena_t arena, scratch;

    groups_init();
    weir_arena_init(&arena, 1 << 16);
    weir_arena_init(&scratch, 4096);
    test_levels(&arena, &scratch);
    test_end_of_panic(&arena, &scratch);
    test_what_panic_does_not_forgive(&arena, &scratch);
    test_zones(&arena, &scratch);
    weir_arena_fini(&scratch);
    weir_arena_fini(&arena);
    groups_fini();
    return done();
}
