/* Large sets: shares are exact, who may not be picked is not met again and again, the least busy is found. */
#include "many.h"

#define MANY 100

static weir_arena_t many_arena, many_scratch;
static size_t       many_got[MANY];

static void
many_count(weir_group_t *group, size_t n, uint64_t now)
{
    memset(many_got, 0, sizeof(many_got));
    for (size_t i = 0; i < n; i++) {
        size_t number = many_request(group, &many_scratch, false, now);

        if (number < MANY) {
            many_got[number]++;
        }
    }
}

static void
test_equal(void)
{
    weir_group_t *group = weir_group_attach(groups_all, many_conf(&many_arena, MANY, &weir_balancer_round_robin));
    bool          in_order = true;

    for (size_t i = 0; i < 3 * MANY; i++) {
        in_order = many_request(group, &many_scratch, false, 1) == i % MANY && in_order;
    }
    ok(in_order, "peers of equal weight have turns one after another");
    weir_group_unref(group);
}

static void
test_weights(void)
{
    for (unsigned seed = 0; seed < 50; seed++) {
        weir_group_conf_t *conf = many_conf(&many_arena, MANY, &weir_balancer_round_robin);
        weir_group_t      *group;
        size_t             all = 0, gap = 0, last = 0;
        bool               exact = true;

        srand(seed);
        for (size_t i = 0; i < MANY; i++) {
            conf->peers[i].weight = 1 + (uint32_t) rand() % (i % 10 == 0 ? 200 : 7);
            all += conf->peers[i].weight;
        }
        all -= conf->peers[7].weight;
        conf->peers[7].weight = (uint32_t) all;          /* half of all picks */
        all *= 2;
        group = weir_group_attach(groups_all, conf);
        for (unsigned round = 0; round < 3; round++) {
            memset(many_got, 0, sizeof(many_got));
            for (size_t i = 0; i < all; i++) {
                size_t number = many_request(group, &many_scratch, false, 1);

                if (number < MANY) {
                    many_got[number]++;
                }
                if (number == 7) {
                    gap = weir_max(gap, i + round * all - last);
                    last = i + round * all;
                }
            }
            for (size_t i = 0; i < MANY; i++) {
                exact = exact && many_got[i] == conf->peers[i].weight;
            }
        }
        ok(exact, "in each round of as many picks as weights, each peer is picked as often as its weight says");
        ok(gap <= 8, "turns of a peer that has half of them are spread out");
        weir_group_unref(group);
    }
}

static void
test_failed(void)
{
    weir_group_t *group = weir_group_attach(groups_all, many_conf(&many_arena, MANY, &weir_balancer_round_robin));
    bool          none = true, equal = true;

    for (size_t i = 0; i < 40; i++) {
        (void) many_request(group, &many_scratch, true, 1);
    }
    many_count(group, 60 * 5, 2);
    for (size_t i = 0; i < MANY; i++) {
        none = none && (i >= 40 || many_got[i] == 0);
        equal = equal && (i < 40 || many_got[i] == 5);
    }
    ok(none, "who has failed is not picked");
    ok(equal, "the others have all in equal parts");
    many_count(group, MANY, 20000);
    none = true;
    for (size_t i = 0; i < 40; i++) {
        none = none && many_got[i] != 0;
    }
    ok(none, "after fail_timeout each of them is tried");
    many_count(group, MANY * 5, 20001);
    equal = true;
    for (size_t i = 0; i < MANY; i++) {
        equal = equal && many_got[i] >= 4 && many_got[i] <= 6;
    }
    ok(equal, "and has its part again");
    weir_group_unref(group);
}

static void
test_failed_trial(void)
{
    weir_group_t *group = weir_group_attach(groups_all, many_conf(&many_arena, MANY, &weir_balancer_round_robin));
    size_t        failed = many_request(group, &many_scratch, true, 1), tries = 0;

    for (size_t i = 0; i < 4 * MANY; i++) {
        tries += many_request(group, &many_scratch, false, 2) == failed;
    }
    is_int(tries, 0, "it rests");
    for (size_t i = 0; i < 4 * MANY; i++) {
        weir_pick_t pick;

        weir_pick_begin(&pick, group, &many_scratch);
        ok(weir_pick_next(&pick, (weir_instant_t) { 10002 }), "somebody is picked");
        if (many_number(pick.peer) == failed) {
            tries++;
            groups_report(&pick, true, (weir_instant_t) { 10002 });
        }
        weir_pick_end(&pick);
    }
    is_int(tries, 1, "it is tried once when its time has come, and rests again when that fails");
    weir_group_unref(group);
}

static void
test_tried(void)
{
    weir_group_t *group = weir_group_attach(groups_all, many_conf(&many_arena, MANY, &weir_balancer_round_robin));
    weir_pick_t   pick;
    size_t        n = 0;

    weir_pick_begin(&pick, group, &many_arena);
    while (weir_pick_next(&pick, (weir_instant_t) { 1 })) {
        n++;
    }
    weir_pick_end(&pick);
    is_int(n, MANY, "one request may try each peer once");
    many_count(group, MANY, 2);
    n = 0;
    for (size_t i = 0; i < MANY; i++) {
        n += many_got[i] == 1;
    }
    is_int(n, MANY, "which changes nothing for others");
    weir_group_unref(group);
}

static void
test_full(void)
{
    weir_group_conf_t *conf = many_conf(&many_arena, MANY, &weir_balancer_round_robin);
    weir_group_t      *group;
    weir_pick_t        picks[MANY + 1];
    bool               all = true;

    for (size_t i = 0; i < MANY; i++) {
        conf->peers[i].max_conns = 1;
    }
    group = weir_group_attach(groups_all, conf);
    for (size_t i = 0; i < MANY; i++) {
        weir_pick_begin(&picks[i], group, &many_arena);
        all = weir_pick_next(&picks[i], (weir_instant_t) { 1 }) && all;
    }
    ok(all, "each has room for one");
    weir_pick_begin(&picks[MANY], group, &many_arena);
    ok(!weir_pick_next(&picks[MANY], (weir_instant_t) { 1 }), "and for no more");
    weir_pick_end(&picks[42]);
    ok(weir_pick_has_next(&picks[MANY], (weir_instant_t) { 1 }), "until one has ended");
    ok(weir_pick_next(&picks[MANY], (weir_instant_t) { 1 }) && many_number(picks[MANY].peer) == 42, "there");
    for (size_t i = 0; i <= MANY; i++) {
        weir_pick_end(&picks[i]);
    }
    many_count(group, 2 * MANY, 1);
    for (size_t i = 0; i < MANY; i++) {
        all = all && many_got[i] >= 1 && many_got[i] <= 3;
    }
    ok(all, "then all are picked again");
    weir_group_unref(group);
}

static void
test_part(void)
{
    weir_group_t *group = weir_group_attach(groups_all, many_conf(&many_arena, MANY, &weir_balancer_round_robin));
    weir_peer_t *const *first;

    (void) weir_group_peers(group, &first);
    weir_round_robin_set_part(first[3], WEIR_TURNS_WHOLE / 4);
    many_count(group, 4 * (MANY - 1) + 1, 1);
    is_int(many_got[3], 1, "a peer that has a fourth of its weight is picked once …");
    is_int(many_got[4], 4, "where others are picked four times");
    weir_round_robin_set_part(first[3], WEIR_TURNS_WHOLE);
    many_count(group, 4 * MANY, 1);
    ok(many_got[3] == 4, "with all of it, it is as the others at once");
    weir_group_unref(group);
}

/* Requests come and go: in one worker the peer that is picked is one of the least busy, always. */
static void
test_least(void)
{
    enum { FLIGHTS = 250, STEPS = 20000 };
    static weir_pick_t picks[FLIGHTS];
    weir_group_conf_t *conf = many_conf(&many_arena, MANY, many_balancer("upstream_least_conn"));
    weir_group_t      *group;
    weir_peer_t *const *first;
    size_t             wrong = 0;

    srand(5);
    for (size_t i = 0; i < MANY; i++) {
        conf->peers[i].weight = 1 + (uint32_t) i % 3;
    }
    group = weir_group_attach(groups_all, conf);
    (void) weir_group_peers(group, &first);
    for (size_t step = 0; step < STEPS; step++) {
        weir_pick_t *pick = &picks[rand() % FLIGHTS];
        uint64_t     least = UINT64_MAX;

        if (pick->group != NULL) {
            weir_pick_end(pick);
            continue;
        }
        for (size_t i = 0; i < MANY; i++) {
            least = weir_min(least, (uint64_t) weir_state_in_use(first[i]) * 6 / first[i]->conf->weight);
        }
        weir_pick_begin(pick, group, &many_arena);
        wrong += !weir_pick_next(pick, (weir_instant_t) { 1 })
                 || (uint64_t) (weir_state_in_use(pick->peer) - 1) * 6 / pick->peer->conf->weight != least;
    }
    is_int(wrong, 0, "least_conn: of 20,000 steps each picks one of the least busy");
    for (size_t i = 0; i < FLIGHTS; i++) {
        weir_pick_end(&picks[i]);
    }
    weir_group_unref(group);
}

/* -- how many peers are asked -- */

static size_t many_asked;

static bool
many_may(const weir_peer_t *peer, const void *data)
{
    const weir_instant_t *now = data;

    many_asked++;
    return !peer->conf->down && !weir_peer_rests(peer, *now);
}

static void
test_asked(void)
{
    enum { N = 2000 };
    weir_group_conf_t *conf = many_conf(&many_arena, N, &weir_balancer_round_robin);
    weir_group_t      *group;
    weir_instant_t     now = { 2 };

    for (size_t i = 0; i < N; i += 2) {
        conf->peers[i].down = true;
    }
    group = weir_group_attach(groups_all, conf);
    for (size_t i = 0; i < N / 2 - 1; i++) {
        (void) many_request(group, &many_scratch, true, 1);      /* all but one */
    }
    group->now = now;
    (void) weir_round_robin_take(group->sets, many_may, &now);
    many_asked = 0;
    for (unsigned i = 0; i < 1000; i++) {
        (void) weir_round_robin_take(group->sets, many_may, &now);
    }
    is_int(many_asked, 1000, "of 2,000 peers, one of which may be picked, a pick asks one");
    weir_group_unref(group);
}

int
main(void)
{
    groups_init();
    weir_arena_init(&many_arena, 1 << 16);
    weir_arena_init(&many_scratch, 4096);
    test_equal();
    test_weights();
    test_failed();
    test_failed_trial();
    test_tried();
    test_full();
    test_part();
    test_least();
    test_asked();
    weir_arena_fini(&many_scratch);
    weir_arena_fini(&many_arena);
    groups_fini();
    return done();
}
