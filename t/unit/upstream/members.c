/* Peers of a running group come and go: those that stay keep their connections, turns and failures; those that go end
 * with the last request on them. */
#include "groups.h"
#include "many.h"
#include "upstream/running.h"

#include <time.h>

#define MANY 1000

static weir_group_t *
members_group(groups_spec_t *spec, const char *name, size_t n)
{
    groups_spec(spec, name, n);
    return groups_attach(spec);
}

static void
members_turn(void)
{
    weir_loop_turn(groups_loop, (weir_msec_t) { 0 });
}

static void
test_comes_and_goes(void)
{
    groups_spec_t       spec, more;
    weir_group_t       *group = members_group(&spec, "change", 2);
    weir_peer_t        *stays = weir_group_find_peer(group, spec.peers[1].text);
    weir_peer_t *const *peers;

    is_letters(groups_requests(group, 3, 1000), "aba", "two have turns");
    groups_spec(&more, "change", 4);
    weir_group_renew(group, more.peers + 1, 3);              /* a goes, c and d come */
    is_int(weir_group_peers(group, &peers), 2, "the sets change at the end of the turn");
    is_letters(groups_requests(group, 2, 1000), "bb", "who goes gets nothing from now on");
    members_turn();
    is_int(weir_group_peers(group, &peers), 3, "and then");
    ok(weir_group_find_peer(group, spec.peers[1].text) == stays && peers[0] == stays, "who stays is the same");
    ok(weir_group_find_peer(group, spec.peers[0].text) == NULL, "who went is not found");
    is_letters(groups_requests(group, 6, 1000), "bcdbcd", "those that came have turns");
    weir_group_renew(group, more.peers, 0);
    members_turn();
    is_letters(groups_requests(group, 1, 1000), "-", "nobody is left");
    weir_group_renew(group, more.peers, 1);
    members_turn();
    is_int(weir_group_peers(group, &peers), 1, "one again");
    weir_group_unref(group);
}

static void
test_failures_stay(void)
{
    groups_spec_t spec;
    weir_group_t *group = members_group(&spec, "failures", 3);

    ok(groups_request(group, true, 1000) == 'a', "one fails");
    weir_group_renew(group, spec.peers, 2);
    members_turn();
    is_letters(groups_requests(group, 3, 1001), "bbb", "and rests while others come and go");
    weir_group_renew(group, spec.peers, 1);
    members_turn();
    is_int(group->n_marked, 0, "the only one of a group is not marked");
    is_letters(groups_requests(group, 1, 1002), "a", "and is asked");
    weir_group_renew(group, spec.peers, 2);
    members_turn();
    is_int(group->n_marked, 1, "of two it is");
    weir_group_unref(group);
}

/* A request holds the peer that it is on. */
static void
test_request_holds(void)
{
    groups_spec_t spec;
    weir_group_t *group = members_group(&spec, "held", 2);
    weir_arena_t  arena;
    weir_pick_t   pick;

    weir_arena_init(&arena, 256);
    weir_pick_begin(&pick, group, &arena);
    ok(weir_pick_next(&pick, (weir_instant_t) { 1000 }), "a request is on a peer");
    weir_group_renew(group, spec.peers + 1, 1);
    members_turn();
    is_str(pick.peer->conf->text, "127.0.0.1:1", "which has gone, and is there for it");
    weir_pick_report(&pick, &(weir_outcome_t) { .kind = WEIR_OUTCOME_RESET, .failed = true }, (weir_instant_t) { 1000 });
    is_int(group->n_marked, 0, "its failure counts no more");
    ok(weir_pick_next(&pick, (weir_instant_t) { 1000 }) && weir_peer_number(pick.peer) == 1, "another try has the rest");
    weir_group_renew(group, spec.peers, 2);
    members_turn();
    ok(weir_pick_next(&pick, (weir_instant_t) { 1000 }) && weir_peer_number(pick.peer) == 2,
       "and one that came later, which was not tried");
    weir_pick_end(&pick);
    weir_arena_fini(&arena);
    weir_group_unref(group);
}

/* What changes of a peer keeps the peer, with the part of its weight that it has left. */
static void
test_weights_change(void)
{
    groups_spec_t spec;
    weir_group_t *group = members_group(&spec, "weights", 2);
    weir_peer_t  *first = weir_group_find_peer(group, spec.peers[0].text);

    spec.peers[0].weight = 3;
    weir_group_renew(group, spec.peers, 2);
    members_turn();
    ok(weir_group_find_peer(group, spec.peers[0].text) == first && first->conf->weight == 3, "a weight is another");
    is_letters(groups_requests(group, 8, 1000), "aabaaaba", "and goes by");
    spec.peers[0].down = true;
    weir_group_renew(group, spec.peers, 2);
    members_turn();
    is_letters(groups_requests(group, 2, 1000), "bb", "one goes down");
    weir_group_unref(group);
}

/* Two of one address are two; the one that stays is the first. */
static void
test_twins(void)
{
    groups_spec_t       spec;
    weir_group_t       *group;
    weir_peer_t *const *peers;
    weir_peer_t        *first;

    groups_spec(&spec, "twins", 3);
    spec.peers[2] = spec.peers[0];
    group = groups_attach(&spec);
    first = weir_group_find_peer(group, spec.peers[0].text);
    is_int(weir_group_peers(group, &peers), 3, "three members of two addresses");
    weir_group_renew(group, spec.peers, 2);
    members_turn();
    is_int(weir_group_peers(group, &peers), 2, "the second one goes");
    ok(weir_group_find_peer(group, spec.peers[0].text) == first, "the first one stays");
    weir_group_unref(group);
}

/* Each peer is picked as often as the others though the sets are made anew all the time. */
static void
test_turns_go_on(size_t n)
{
    weir_arena_t       of;
    weir_group_conf_t *conf;
    unsigned           picked[MANY] = { 0 }, least = UINT32_MAX, most = 0;
    weir_group_t      *group;

    weir_arena_init(&of, 65536);
    conf = many_conf(&of, n, &weir_balancer_round_robin);
    group = weir_group_attach(groups_all, conf);
    for (size_t round = 0; round < 10 * n; round++) {
        weir_arena_t arena;
        weir_pick_t  pick;

        weir_arena_init(&arena, 4096);
        weir_pick_begin(&pick, group, &arena);
        if (weir_pick_next(&pick, (weir_instant_t) { 1000 })) {
            picked[ntohl(pick.peer->conf->addr.v4.sin_addr.s_addr) & 0xffff]++;
        }
        weir_pick_end(&pick);
        weir_arena_fini(&arena);
        if (round % 7 == 0) {                /* the last one comes and goes */
            weir_group_renew(group, conf->peers, round % 2 == 0 ? n - 1 : n);
            weir_settle_all(group);
        }
    }
    for (size_t i = 0; i < n - 1; i++) {
        least = picked[i] < least ? picked[i] : least;
        most = picked[i] > most ? picked[i] : most;
    }
    ok(least >= 9 && most <= 12, "each of those that stay has its turns");
    if (least < 9 || most > 12) {
        printf("# %zu peers: %u to %u of 10\n", n, least, most);
    }
    weir_group_unref(group);
    weir_arena_fini(&of);
}

#define THOUSANDS 10000

static uint64_t
members_cpu_us(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

/* The sets of 10,000 peers with one change, and the first pick from them: processor time, so that a busy machine does
 * not count. */
static void
test_cost(void)
{
    weir_arena_t       of;
    weir_group_conf_t *conf;
    weir_group_t      *group;
    uint64_t           least = UINT64_MAX;

    weir_arena_init(&of, 65536);
    conf = many_conf(&of, THOUSANDS, &weir_balancer_round_robin);
    group = weir_group_attach(groups_all, conf);
    for (unsigned round = 0; round < 20; round++) {
        weir_arena_t arena;
        weir_pick_t  pick;
        uint64_t     began;

        conf->peers[round * 7].weight = 2 + round;
        weir_group_renew(group, conf->peers, THOUSANDS);
        began = members_cpu_us();
        weir_settle_all(group);
        weir_arena_init(&arena, 4096);
        weir_pick_begin(&pick, group, &arena);
        weir_assert(weir_pick_next(&pick, (weir_instant_t) { 1000 }));
        weir_pick_end(&pick);
        weir_arena_fini(&arena);
        least = weir_min(least, members_cpu_us() - began);
    }
    printf("# sets of %d peers with one change, and a pick: %u us\n", THOUSANDS, (unsigned) least);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    ok(true, "(not measured with a sanitizer)");
#else
    ok(least < 5000, "less than 5 ms");
#endif
    weir_group_unref(group);
    weir_arena_fini(&of);
}

/* As when a worker ends in the turn of a change. */
static void
test_groups_go_first(void)
{
    weir_groups_t *all = weir_groups_create(groups_loop);
    groups_spec_t  spec;
    weir_group_t  *group;

    groups_spec(&spec, "late", 3);
    group = weir_group_attach(all, &spec.conf);
    weir_group_renew(group, spec.peers, 2);
    weir_groups_destroy(all);
    is_int(weir_group_conf(group)->n_peers, 3, "a group whose peers have changed outlives the list of groups");
    weir_group_unref(group);
}

int
main(void)
{
    groups_init();
    test_cost();
    test_comes_and_goes();
    test_failures_stay();
    test_request_holds();
    test_weights_change();
    test_twins();
    test_turns_go_on(20);
    test_turns_go_on(MANY);
    test_groups_go_first();
    groups_fini();
    return done();
}
