/*
 * What is said of a peer changes in the sets that there are: shares, sums and marks are those of sets that are made
 * anew, the sets stay the same, and with 10,000 peers a change takes little.
 */
#include "many.h"
#include "modules.h"

#include "upstream/order.h"

#include <time.h>

#define FEW       5
#define MANY      100
#define THOUSANDS 10000
#define CHANGES   1000

static const struct { weir_flag_t on; const void *key; } adjust_ip_hash = { { true }, NULL };
static const uint32_t adjust_random[4] = { 1 };
static const struct { uint32_t percent; bool is_consistent; const void *key; } adjust_hash = { 0, true, "" };

static weir_arena_t adjust_of;

static weir_group_conf_t *
adjust_conf(const char *name, size_t n, const weir_balancer_t *balancer)
{
    weir_group_conf_t *conf = many_conf(&adjust_of, n, balancer);

    conf->name = weir_str_from_z(name);
    conf->may_change = true;
    return conf;
}

static bool
adjust_change(uint64_t number, const weir_group_conf_t *conf, size_t i, const char *what, const char *more)
{
    weir_error_t error;
    bool         good = weir_groups_change(groups_all, number,
                                           weir_str_printf(&adjust_of, "{\"do\":\"upstream.%s\",\"group\":\"%.*s\","
                                                           "\"server\":\"%.*s\"%s}", what, WEIR_STR_ARG(conf->name),
                                                           WEIR_STR_ARG(conf->peers[i].text), more), &error);

    if (!good) {
        printf("# %s\n", error.text);
    }
    return good;
}

static unsigned
adjust_count(weir_group_t *group, size_t i, unsigned requests)
{
    weir_arena_t arena;
    unsigned     n = 0;

    weir_arena_init(&arena, 4096);
    for (unsigned at = 0; at < requests; at++) {
        n += many_request(group, &arena, false, 1000) == i;
    }
    weir_arena_fini(&arena);
    return n;
}

/* A weight; the share is exact where turns are, and near where servers are drawn. */
static void
test_weight(const weir_balancer_t *balancer, size_t n, uint64_t *number)
{
    weir_group_conf_t     *conf = adjust_conf("weights", n, balancer);
    weir_group_t          *group = weir_group_attach(groups_all, conf);
    const weir_host_set_t *sets = group->sets;
    unsigned               rounds = 20, picked;

    (void) adjust_count(group, 0, 3);
    ok(adjust_change(++*number, conf, 1, "set", ",\"weight\":11") && weir_groups_settled(groups_all) == *number,
       "a weight changes, and requests go by it at once");
    ok(group->sets == sets && !weir_settle_is_due(group), "in the sets that there are");
    is_int(sets[0].weight, (long) n + 10, "which know their weight");
    ok(weir_sets_at(sets, 11) == group->peers[1] && weir_sets_at(sets, 12) == group->peers[2], "and its numbers");
    if (strstr(balancer->name, "random") != NULL) {
        picked = adjust_count(group, 1, 20000);
        ok(picked > 20000 * 11 / (n + 10) * 8 / 10 && picked < 20000 * 11 / (n + 10) * 12 / 10, "its share is near");
    } else if (strcmp(balancer->name, "ip_hash") != 0) {
        (void) adjust_count(group, 1, (unsigned) n + 10);    /* who waited for a turn of the old weight has had it */
        picked = adjust_count(group, 1, rounds * ((unsigned) n + 10));
        ok(picked >= rounds * 11 - 1 && picked <= rounds * 11 + 1, "its share is exact");
        printf("# %s of %u: %u, want %u\n", balancer->name, (unsigned) n, picked, rounds * 11);
    }
    ok(adjust_change(++*number, conf, 1, "set", ",\"weight\":1"), "and back");
    is_int(sets[0].weight, (long) n, "as it was");
    weir_group_unref(group);
}

/* A failed peer is one no longer when more failures are asked for, and one again; room comes with another max_conns. */
static void
test_marks(const weir_balancer_t *balancer, size_t n, uint64_t *number)
{
    weir_group_conf_t *conf = adjust_conf("marks", n, balancer);
    weir_group_t      *group;
    weir_arena_t       arena;
    size_t             failed;

    group = weir_group_attach(groups_all, conf);
    weir_arena_init(&arena, 4096);
    failed = many_request(group, &arena, true, 1000);
    is_int(group->n_marked, 1, "a peer has failed");
    ok(adjust_change(++*number, conf, failed, "set", ",\"max_fails\":3"), "it may fail three times");
    is_int(group->n_marked, 0, "and is not marked any more");
    ok(adjust_change(++*number, conf, failed, "set", ",\"max_fails\":1"), "once again");
    is_int(group->n_marked, 1, "and is");
    is_int(adjust_count(group, failed, 3 * (unsigned) n), 0, "and asked by nobody");
    conf->peers[failed].down = true;
    weir_group_renew(group, conf->peers, n);
    weir_loop_turn(groups_loop, (weir_msec_t) { 0 });
    weir_group_renew(group, conf->peers, n);
    ok(n < WEIR_ORDER_FROM || weir_order_down(&group->sets[0]) == 1, "its set knows that it is down");
    conf->peers[failed].down = false;
    weir_group_renew(group, conf->peers, n);
    ok(n < WEIR_ORDER_FROM || weir_order_down(&group->sets[0]) == 0, "and that it is not");
    weir_arena_fini(&arena);
    weir_group_unref(group);
}

static void
test_room(size_t n, uint64_t *number)
{
    weir_group_conf_t *conf = adjust_conf(n == FEW ? "small room" : "room", n, &weir_balancer_round_robin);
    weir_group_t      *group;
    weir_arena_t       arena;
    weir_pick_t        picks[2];

    for (size_t i = 0; i < n; i++) {
        conf->peers[i].max_conns = 1;
        conf->peers[i].down = i != 2;
    }
    group = weir_group_attach(groups_all, conf);
    weir_arena_init(&arena, 4096);
    for (size_t i = 0; i < 2; i++) {
        weir_pick_begin(&picks[i], group, &arena);
    }
    ok(weir_pick_next(&picks[0], (weir_instant_t) { 1000 }), "the only one has room for one");
    ok(!weir_pick_next(&picks[1], (weir_instant_t) { 1000 }), "and no more");
    ok(adjust_change(++*number, conf, 2, "set", ",\"max_conns\":2"), "for two");
    ok(weir_pick_next(&picks[1], (weir_instant_t) { 1000 }), "which the next one has");
    for (size_t i = 0; i < 2; i++) {
        weir_pick_end(&picks[i]);
    }
    weir_arena_fini(&arena);
    weir_group_unref(group);
}

/* Who goes is asked by nobody, so that who waits for that need not wait for the sets; and with who comes it waits. */
static void
test_goes(uint64_t *number)
{
    weir_group_conf_t *conf = adjust_conf("goes", MANY, &weir_balancer_round_robin);
    weir_group_t      *group = weir_group_attach(groups_all, conf);

    ok(adjust_change(++*number, conf, 0, "remove", ""), "a peer goes");
    ok(weir_groups_settled(groups_all) == *number && group->conf.n_peers == MANY, "that is done at once");
    is_int(adjust_count(group, 0, 2 * MANY), 0, "nobody asks it");
    ok(weir_settle_is_due(group), "the sets are made later");
    ok(adjust_change(++*number, conf, 0, "add", ",\"weight\":3"), "it comes");
    ok(weir_groups_settled(groups_all) == *number - 1, "who waits for that waits for the sets");
    while (weir_groups_settled(groups_all) != *number) {
        weir_loop_turn(groups_loop, (weir_msec_t) { 1 });
    }
    is_int(group->conf.n_peers, MANY, "which have it");
    is_int(adjust_count(group, 0, 5 * (MANY + 2)), 15, "with its share");
    weir_group_unref(group);
}

/* A ring is made of weights, and not of what else there is. */
static void
test_ring(uint64_t *number)
{
    weir_group_conf_t *conf = adjust_conf("ring", MANY, modules_balancer("upstream_hash", &adjust_hash));
    weir_group_t      *group;

    ok(conf->balancer != NULL && conf->balancer->prepare != NULL, "a balancer that makes rings");
    group = weir_group_attach(groups_all, conf);
    ok(adjust_change(++*number, conf, 1, "set", ",\"max_fails\":7") && !weir_settle_is_due(group),
       "no ring is made for max_fails");
    ok(adjust_change(++*number, conf, 1, "set", ",\"weight\":7") && weir_settle_is_due(group), "one is for a weight");
    while (weir_settle_is_due(group)) {
        weir_loop_turn(groups_loop, (weir_msec_t) { 1 });
    }
    ok(group->peers[1]->conf->weight == 7 && group->peers[1]->conf->max_fails == 7, "both are so");
    weir_group_unref(group);
}

/* What has no turns has no slow start, whoever says it: a list, or a change from when the group had another balancer. */
static void
test_steady(uint64_t *number)
{
    weir_group_conf_t *conf = adjust_conf("steady", FEW, modules_balancer("upstream_random", &adjust_random));
    weir_group_t      *group;
    weir_peer_t       *peer;
    weir_arena_t       arena;

    for (size_t i = 0; i < FEW; i++) {
        conf->peers[i].slow_start.ms = 1000;
    }
    group = weir_group_attach(groups_all, conf);
    ok(adjust_change(++*number, conf, 4, "set", ",\"slow_start\":\"9s\""), "a slow start is said");
    peer = weir_group_find_peer(group, conf->peers[4].text);
    is_int(peer->conf->slow_start.ms, 0, "of a group without turns");
    weir_arena_init(&arena, 4096);
    weir_slow_start_begin(peer, (weir_instant_t) { 1 });
    (void) many_request(group, &arena, false, 2);
    ok(peer->part == 0, "a server that is back has all of its weight");
    weir_arena_fini(&arena);
    weir_group_unref(group);
}

static uint64_t
adjust_cpu_us(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static void
test_cost(uint64_t *number)
{
    weir_group_conf_t *conf = adjust_conf("cost", THOUSANDS, &weir_balancer_round_robin);
    weir_group_t      *group = weir_group_attach(groups_all, conf);
    uint64_t           began;
    unsigned           wrong = 0;
    weir_arena_t       arena;

    weir_arena_init(&arena, 4096);
    (void) many_request(group, &arena, false, 1000);
    began = adjust_cpu_us();
    for (size_t i = 0; i < CHANGES; i++) {
        wrong += !adjust_change(++*number, conf, i, "set", i % 2 == 0 ? ",\"weight\":2" : ",\"max_fails\":5");
        wrong += many_request(group, &arena, false, 1000) == SIZE_MAX;
        wrong += weir_groups_settled(groups_all) != *number;
    }
    began = adjust_cpu_us() - began;
    is_int(wrong, 0, "a thousand changes of ten thousand, each with a request behind it that goes by it");
    printf("# a change of one of %d peers, and a pick: %u us\n", THOUSANDS, (unsigned) (began / CHANGES));
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    ok(true, "(not measured with a sanitizer)");
#else
    ok(began / CHANGES < 500, "take less than half a second together");
#endif
    weir_arena_fini(&arena);
    weir_group_unref(group);
}

int
main(void)
{
    const weir_balancer_t *balancers[] = { &weir_balancer_round_robin, many_balancer("upstream_least_conn"),
                                           modules_balancer("upstream_ip_hash", &adjust_ip_hash),
                                           modules_balancer("upstream_random", &adjust_random) };
    uint64_t               number = 0;

    groups_init();
    weir_arena_init(&adjust_of, 65536);
    for (size_t i = 0; i < weir_countof(balancers); i++) {
        printf("# %s\n", balancers[i]->name);
        test_weight(balancers[i], FEW, &number);
        test_weight(balancers[i], MANY, &number);
    }
    for (size_t i = 0; i < 2; i++) {
        test_marks(balancers[i], FEW, &number);
        test_marks(balancers[i], MANY, &number);
    }
    test_room(FEW, &number);
    test_room(MANY, &number);
    test_goes(&number);
    test_ring(&number);
    test_steady(&number);
    test_cost(&number);
    weir_arena_fini(&adjust_of);
    groups_fini();
    return done();
}
