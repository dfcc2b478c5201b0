/*
 * Rings and tables of 10,000 peers are made in slices over many turns, while requests go on with what there was; they
 * are the same as those that are made in one go.  What changes in the middle is taken up behind, a group may end in the
 * middle, and no turn is long.
 */
#include "many.h"
#include "modules.h"

#include <time.h>

#define THOUSANDS 10000
#define KEYS      2000
#define TURNS     20000000                   /* more than there can be */

static const struct { uint32_t percent, size; const void *key; } rings_maglev = { 0, 65537, "" };
static const struct { uint32_t percent; bool is_consistent; const void *key; } rings_hash = { 0, true, "" };

static weir_arena_t rings_of;

static weir_group_conf_t *
rings_conf(const char *name, const weir_balancer_t *balancer)
{
    weir_group_conf_t *conf = many_conf(&rings_of, THOUSANDS, balancer);

    conf->name = weir_str_from_z(name);
    conf->balancing[1] = 65537;
    conf->keepalive_time = (weir_msec_t) { 3600000 };
    return conf;
}

static uint64_t
rings_cpu_us(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

/* Processor time of one turn. */
static uint64_t
rings_turn(void)
{
    uint64_t began = rings_cpu_us();

    weir_loop_turn(groups_loop, (weir_msec_t) { 1 });
    return rings_cpu_us() - began;
}

/* The longest turn, until the group lacks nothing; *n: how many there were. */
static uint64_t
rings_finish(weir_group_t *group, size_t *n)
{
    uint64_t longest = 0;

    for (*n = 0; weir_list_linked(&group->unsettled) && *n < TURNS; (*n)++) {
        uint64_t took = rings_turn();

        longest = weir_max(longest, took);
    }
    weir_assert(!weir_list_linked(&group->unsettled) && group->plan == NULL);
    return longest;
}

/* The address of the peer that a key goes to; empty: none. */
static weir_str_t
rings_where(weir_group_t *group, unsigned key)
{
    static weir_arena_t arena;
    weir_pick_t         pick;
    weir_str_t          text = WEIR_STR("");

    weir_arena_init(&arena, 1024);
    weir_pick_begin(&pick, group, &arena);
    pick.key = weir_str_printf(&arena, "/objects/%u", key);
    if (weir_pick_next(&pick, (weir_instant_t) { 1 })) {
        text = weir_str_dup(&rings_of, pick.peer->conf->text);
        groups_report(&pick, false, (weir_instant_t) { 1 });
    }
    weir_pick_end(&pick);
    weir_arena_fini(&arena);
    return text;
}

static size_t
rings_differences(weir_group_t *a, weir_group_t *b)
{
    size_t n = 0;

    for (unsigned key = 0; key < KEYS; key++) {
        n += !weir_str_eq(rings_where(a, key), rings_where(b, key));
    }
    return n;
}

/* The same peers in a group of its own, made at once. */
static size_t
rings_differences_from_new(weir_group_t *group, const weir_group_conf_t *conf)
{
    weir_group_conf_t other = *conf;
    weir_group_t     *fresh;
    size_t            n;

    other.name = WEIR_STR("fresh");
    fresh = weir_group_attach(groups_all, &other);
    n = rings_differences(group, fresh);
    weir_group_unref(fresh);
    return n;
}

static size_t
rings_planned(const weir_group_t *group)
{
    weir_peer_t *const *peers;
    size_t              n = weir_group_peers(group, &peers), planned = 0;

    for (size_t i = 0; i < n; i++) {
        planned += peers[i]->planned != 0;
    }
    return planned;
}

/* A weight changes; in the middle another one, peers go and come, and one that had come goes again. */
static void
test_slices(const weir_balancer_t *balancer)
{
    weir_group_conf_t *conf = rings_conf("slices", balancer);
    weir_group_t      *group = weir_group_attach(groups_all, conf);
    weir_peer_conf_t  *all = conf->peers;
    size_t             turns, wrong = 0;
    uint64_t           longest = 0, took;

    weir_group_renew(group, all, THOUSANDS - 1);             /* the last one goes */
    weir_group_renew(group, all, THOUSANDS);                 /* and comes: another peer */
    all[5].weight = 3;
    weir_group_renew(group, all, THOUSANDS);
    took = rings_turn();
    ok(group->plan != NULL, "the new ones are not there after the first turn");
    ok(rings_planned(group) == THOUSANDS - 1, "all that stay are planned");
    is_int(weir_members_find(group, all[5].text)->conf->weight, 1, "what is said is not in the sets yet");
    for (unsigned turn = 0; turn < 5; turn++) {
        took = rings_turn();
        longest = weir_max(longest, took);
    }
    ok(group->plan != NULL, "nor after a few more");
    all[5].weight = 2;                                       /* in the middle: said anew, … */
    all[6].weight = 4;
    weir_group_renew(group, all + 2, THOUSANDS - 3);         /* … two of the sets go, and one that is only planned */
    for (unsigned key = 0; key < KEYS; key++) {
        weir_str_t at = rings_where(group, key);

        wrong += at.len == 0 || weir_str_eq(at, all[0].text) || weir_str_eq(at, all[1].text)
                 || weir_str_eq(at, all[THOUSANDS - 1].text);
    }
    is_int(wrong, 0, "requests go on, and not to who has gone");
    while (weir_members_find(group, all[5].text)->conf->weight == 1) {
        took = rings_turn();
        longest = weir_max(longest, took);
    }
    is_int(weir_members_find(group, all[5].text)->conf->weight, 3, "the sets that were planned take their place");
    is_int(group->conf.n_peers, THOUSANDS, "with those that have gone meanwhile");
    wrong = 0;
    for (unsigned key = 0; key < KEYS; key++) {
        weir_str_t at = rings_where(group, key);

        wrong += at.len == 0 || weir_str_eq(at, all[0].text) || weir_str_eq(at, all[1].text)
                 || weir_str_eq(at, all[THOUSANDS - 1].text);
    }
    is_int(wrong, 0, "whom no request goes to");
    took = rings_finish(group, &turns);
    longest = weir_max(longest, took);
    is_int(weir_members_find(group, all[5].text)->conf->weight, 2, "what was said in the middle comes behind");
    is_int(group->conf.n_peers, THOUSANDS - 3, "and who has gone is not in the sets any more");
    conf->peers += 2;
    conf->n_peers -= 3;
    is_int(rings_differences_from_new(group, conf), 0, "each key has the peer that it has in a group that is new");
    weir_group_unref(group);
    printf("# %s: %zu turns to the end, the longest one %u us of processor time\n", balancer->name, turns,
           (unsigned) longest);
}

/* How many steps there are decides on the turns, not on what comes of it. */
static void
test_steps(const weir_balancer_t *balancer, size_t least)
{
    weir_group_conf_t *conf = rings_conf("steps", balancer);
    weir_group_t      *group = weir_group_attach(groups_all, conf);
    size_t             calls = 0;
    weir_draft_t       draft = { .group = &group->conf, .n = THOUSANDS, .weight = THOUSANDS };
    const weir_peer_conf_t **confs = weir_new_n(&rings_of, const weir_peer_conf_t *, THOUSANDS);

    for (size_t i = 0; i < THOUSANDS; i++) {
        confs[i] = &conf->peers[i];
    }
    draft.peers = confs;
    draft.arena = &rings_of;
    while (!balancer->prepare(&draft, WEIR_DRAFT_STEPS)) {
        calls++;
    }
    ok(calls >= least, "it takes as many slices as it has steps");
    draft.made = NULL;
    balancer->abandon(&draft);
    (void) balancer->prepare(&draft, 1);
    balancer->abandon(&draft);               /* the rest is seen by a sanitizer */
    weir_group_unref(group);
}

/* No turn is longer than 5 ms: of a few rounds the best, as a machine's caches are not only this test's. */
static void
test_longest(const weir_balancer_t *balancer)
{
    weir_group_conf_t *conf = rings_conf("longest", balancer);
    weir_group_t      *group = weir_group_attach(groups_all, conf);
    uint64_t           best = UINT64_MAX;

    for (unsigned round = 0; round < 5; round++) {
        size_t   turns;
        uint64_t longest;

        weir_group_renew(group, conf->peers, THOUSANDS - 1 - round % 2);
        longest = rings_finish(group, &turns);
        best = weir_min(best, longest);
    }
    printf("# %s: the longest turn of %d peers with one change: %u us\n", balancer->name, THOUSANDS, (unsigned) best);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    ok(true, "(not measured with a sanitizer)");
#else
    ok(best < 5000, "less than 5 ms");
#endif
    weir_group_unref(group);
}

/* A group ends while its ring is made: with peers that are only planned, that have gone, and that were said anew. */
static void
test_ends(const weir_balancer_t *balancer)
{
    weir_group_conf_t *conf = rings_conf("ends", balancer);
    weir_peer_conf_t  *all = conf->peers;
    weir_group_t      *group;

    conf->n_peers = THOUSANDS - 1;
    group = weir_group_attach(groups_all, conf);
    all[7].weight = 2;
    all[8].weight = 2;
    weir_group_renew(group, all, THOUSANDS);
    (void) rings_turn();
    (void) rings_turn();
    ok(group->plan != NULL, "in the middle of it");
    all[7].weight = 3;
    all[8].weight = 1;
    weir_group_renew(group, all + 1, THOUSANDS - 2);
    (void) rings_turn();
    weir_group_unref(group);
    (void) rings_turn();
    ok(true, "a group ends");
}

/* Nobody of the sets is left, while others come: requests have one of those, by their key, and none waits for a ring. */
static void
test_nobody_left(const weir_balancer_t *balancer)
{
    weir_group_conf_t *conf = rings_conf("nobody", balancer);
    weir_peer_conf_t  *all = conf->peers;
    weir_group_t      *group;
    uint64_t           began, longest = 0;
    unsigned           lost = 0, moved = 0;
    size_t             turns;

    conf->n_peers = THOUSANDS / 2;
    group = weir_group_attach(groups_all, conf);
    weir_group_renew(group, all, THOUSANDS);
    (void) rings_turn();
    ok(group->plan != NULL, "in the middle of it");
    all[THOUSANDS / 2].weight = 5;
    weir_group_renew(group, all + THOUSANDS / 2, THOUSANDS / 2);
    for (unsigned key = 0; key < KEYS; key++) {
        weir_str_t where;

        began = rings_cpu_us();
        where = rings_where(group, key);
        longest = weir_max(longest, rings_cpu_us() - began);
        lost += where.len == 0 || weir_members_find(group, where) == NULL;
        moved += !weir_str_eq(where, rings_where(group, key));
    }
    is_int(lost, 0, "each request has one of those that have come");
    is_int(moved, 0, "the same for its key");
    ok(group->plan != NULL && weir_list_linked(&group->unsettled), "before the sets are there");
    printf("# %s: a request meanwhile: %u us at most\n", balancer->name, (unsigned) longest);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ok(longest < 5000, "none takes long");
#endif
    (void) rings_finish(group, &turns);
    conf->peers = all + THOUSANDS / 2;
    is_int(rings_differences_from_new(group, conf), 0, "the sets are those of a group that is new");
    weir_group_unref(group);
}

/* Such a request fails, and its peer rests, though it is in no set yet; the next one for the key has another. */
static void
test_fails_meanwhile(const weir_balancer_t *balancer)
{
    weir_group_conf_t *conf = rings_conf("fails", balancer);
    weir_group_t      *group;
    weir_arena_t       arena;
    weir_pick_t        pick;
    weir_peer_t       *peer;
    size_t             turns;

    conf->n_peers = 2;
    group = weir_group_attach(groups_all, conf);
    weir_group_renew(group, conf->peers + 2, THOUSANDS - 2);
    weir_arena_init(&arena, 1024);
    weir_pick_begin(&pick, group, &arena);
    pick.key = WEIR_STR("some");
    ok(weir_pick_next(&pick, (weir_instant_t) { 1 }) && group->plan != NULL, "a request has one that comes");
    peer = pick.peer;
    ok(weir_pick_has_next(&pick, (weir_instant_t) { 1 }), "and there are others");
    groups_report(&pick, true, (weir_instant_t) { 1 });
    ok(weir_pick_next(&pick, (weir_instant_t) { 1 }) && pick.peer != peer, "a second try has another one");
    (void) rings_finish(group, &turns);
    groups_report(&pick, true, (weir_instant_t) { 1 });
    weir_pick_end(&pick);
    is_int(group->n_marked, 2, "both rest when the sets are there");
    weir_arena_fini(&arena);
    weir_group_unref(group);
}

/* A reload changes peers and nothing else, while they are made. */
static void
test_reload(const weir_balancer_t *balancer)
{
    weir_group_conf_t *conf = rings_conf("reload", balancer);
    weir_group_t      *group, *again;
    size_t             turns;

    conf->settings = 1;
    group = weir_group_attach(groups_all, conf);
    conf->peers[1].weight = 2;
    weir_group_renew(group, conf->peers, THOUSANDS);
    (void) rings_turn();
    conf->peers[2].weight = 2;
    conf->n_peers--;
    conf->digest = 2;
    again = weir_group_attach(groups_all, conf);
    ok(again == group && group->plan != NULL, "the group is the same, and goes on with its plan");
    (void) rings_finish(group, &turns);
    is_int(rings_differences_from_new(group, conf), 0, "and has what the reload said in the end");
    conf->peers[3].weight = 2;
    conf->digest = 3;
    (void) weir_group_attach(groups_all, conf);
    ok(group->plan != NULL, "a reload alone is taken up in slices, too");
    (void) rings_finish(group, &turns);
    is_int(rings_differences_from_new(group, conf), 0, "with the same peers for each key");
    for (unsigned refs = 0; refs < 3; refs++) {
        weir_group_unref(group);
    }
}

/* Who waits for a change is told of those that the sets have, not of those that came while they were made. */
static void
test_settled(const weir_balancer_t *balancer)
{
    static weir_groups_t *groups;
    weir_group_conf_t    *conf = rings_conf("settled", balancer);
    weir_group_t         *group;
    weir_error_t          error;
    bool                  good;

    groups = groups_all;
    conf->may_change = true;
    group = weir_group_attach(groups, conf);
    good = weir_groups_change(groups, 1, weir_str_printf(&rings_of, "{\"do\":\"upstream.set\",\"group\":\"settled\","
                              "\"server\":\"%.*s\",\"weight\":2}", WEIR_STR_ARG(conf->peers[4].text)), &error);
    ok(good, "a change");
    if (!good) {
        printf("# %s\n", error.text);
    }
    (void) rings_turn();
    ok(group->plan != NULL && weir_groups_settled(groups) == 0, "is not settled while the ring is made");
    good = weir_groups_change(groups, 2, weir_str_printf(&rings_of, "{\"do\":\"upstream.set\",\"group\":\"settled\","
                              "\"server\":\"%.*s\",\"weight\":3}", WEIR_STR_ARG(conf->peers[4].text)), &error);
    while (weir_members_find(group, conf->peers[4].text)->conf->weight == 1) {
        (void) rings_turn();
    }
    is_int(weir_groups_settled(groups), 1, "when its sets are there, it is, and the next one not yet");
    while (weir_groups_settled(groups) == 1) {
        (void) rings_turn();
    }
    is_int(weir_members_find(group, conf->peers[4].text)->conf->weight, 3, "which comes behind");
    weir_group_unref(group);
}

int
main(void)
{
    const weir_balancer_t *balancers[] = { modules_balancer("upstream_hash", &rings_hash),
                                           modules_balancer("upstream_maglev", &rings_maglev) };
    const size_t           least[] = { 10 * THOUSANDS * 160 / WEIR_DRAFT_STEPS, 65537 / WEIR_DRAFT_STEPS };

    groups_init();
    for (size_t i = 0; i < weir_countof(balancers); i++) {
        weir_arena_init(&rings_of, 65536);
        test_slices(balancers[i]);
        test_steps(balancers[i], least[i]);
        test_longest(balancers[i]);
        test_ends(balancers[i]);
        test_nobody_left(balancers[i]);
        test_fails_meanwhile(balancers[i]);
        test_reload(balancers[i]);
        weir_arena_fini(&rings_of);
    }
    weir_arena_init(&rings_of, 65536);
    test_settled(balancers[0]);
    weir_arena_fini(&rings_of);
    groups_fini();
    return done();
}
