/* Turns are shared by weight and spread out, over the peers that may be picked. */
#include "groups.h"

static void
test_equal(void)
{
    groups_spec_t spec;
    weir_group_t *group;

    groups_spec(&spec, "equal", 3);
    group = groups_attach(&spec);
    is_letters(groups_requests(group, 9, 1), "abcabcabc", "equal weights take turns");
    weir_group_unref(group);
}

static void
test_weights(void)
{
    groups_spec_t spec;
    weir_group_t *group;

    groups_spec(&spec, "weights", 3);
    spec.peers[0].weight = 5;
    group = groups_attach(&spec);
    is_letters(groups_requests(group, 14, 1), "aabacaaaabacaa", "5:1:1 is spread out");
    weir_group_unref(group);
}

static void
test_share(void)
{
    groups_spec_t spec;
    weir_group_t *group;
    int           count[3] = { 0, 0, 0 };

    groups_spec(&spec, "share", 3);
    spec.peers[0].weight = 7;
    spec.peers[1].weight = 2;
    group = groups_attach(&spec);
    for (int i = 0; i < 1000; i++) {
        count[groups_request(group, false, 1) - 'a']++;
    }
    ok(count[0] == 700 && count[1] == 200 && count[2] == 100, "7:2:1 of a thousand requests is exact");
    weir_group_unref(group);
}

static void
test_down_and_backup(void)
{
    groups_spec_t spec;
    weir_group_t *group;

    groups_spec(&spec, "down", 4);
    spec.peers[1].down = true;
    spec.peers[3].backup = true;
    group = groups_attach(&spec);
    is_letters(groups_requests(group, 6, 1), "acacac", "who is down and who is backup have no turn");
    weir_group_unref(group);
}

static void
test_one_request_tries_each_once(void)
{
    groups_spec_t  spec;
    weir_group_t  *group;
    weir_arena_t   arena;
    weir_pick_t    pick;
    weir_instant_t now = { 5 };
    char           letters[8] = "";
    size_t         n = 0;

    groups_spec(&spec, "once", 5);
    spec.peers[2].down = true;
    spec.peers[4].backup = true;
    group = groups_attach(&spec);
    weir_arena_init(&arena, 256);
    weir_pick_begin(&pick, group, &arena);
    ok(weir_pick_has_next(&pick, now), "somebody may be picked");
    while (weir_pick_next(&pick, now)) {
        letters[n++] = groups_letter(pick.peer);
        is_int(weir_state_in_use(pick.peer), 1, "the peer is in use");
        groups_report(&pick, true, now);
    }
    is_letters(letters, "abde", "primaries first, the backup when they are used up");
    ok(!weir_pick_has_next(&pick, now), "nobody is left");
    ok(pick.peer == NULL, "no peer is held");
    weir_pick_end(&pick);
    weir_arena_fini(&arena);
    weir_group_unref(group);
}

static void
test_max_conns(void)
{
    groups_spec_t  spec;
    weir_group_t  *group;
    weir_arena_t   arena;
    weir_pick_t    pick[3];
    weir_instant_t now = { 5 };

    groups_spec(&spec, "max_conns", 2);
    spec.peers[0].max_conns = spec.peers[1].max_conns = 1;
    group = groups_attach(&spec);
    weir_arena_init(&arena, 256);
    for (int i = 0; i < 3; i++) {
        weir_pick_begin(&pick[i], group, &arena);
    }
    ok(weir_pick_next(&pick[0], now) && groups_letter(pick[0].peer) == 'a', "one request for each");
    ok(weir_pick_next(&pick[1], now) && groups_letter(pick[1].peer) == 'b', "is fine");
    ok(!weir_pick_next(&pick[2], now), "a third finds nobody");
    weir_pick_end(&pick[0]);
    ok(weir_pick_next(&pick[2], now) && groups_letter(pick[2].peer) == 'a', "until one has ended");
    weir_pick_end(&pick[1]);
    weir_pick_end(&pick[2]);
    is_letters(groups_requests(group, 2, 5), "ba", "and then all is free again");
    weir_arena_fini(&arena);
    weir_group_unref(group);
}

static void
test_many_peers(void)
{
    enum { N = 200 };
    static weir_peer_conf_t peers[N];
    static char             texts[N][WEIR_ADDR_TEXT];
    groups_spec_t           spec;
    weir_group_t           *group;
    weir_arena_t            arena;
    weir_pick_t             pick;
    size_t                  n = 0;

    groups_spec(&spec, "many", 1);
    for (int i = 0; i < N; i++) {
        peers[i] = spec.peers[0];
        weir_addr_set_port(&peers[i].addr, (uint16_t) (i + 1));
        peers[i].text = peers[i].server = weir_str(texts[i], weir_addr_text(&peers[i].addr, texts[i]));
    }
    spec.conf.peers = peers;
    spec.conf.n_peers = N;
    group = groups_attach(&spec);
    weir_arena_init(&arena, 256);
    weir_pick_begin(&pick, group, &arena);
    while (weir_pick_next(&pick, (weir_instant_t) { 1 })) {
        n++;
    }
    is_int(n, N, "200 peers are tried once each, those without a verdict too");
    weir_pick_end(&pick);
    weir_arena_fini(&arena);
    weir_group_unref(group);
}

int
main(void)
{
    groups_init();
    test_equal();
    test_weights();
    test_share();
    test_down_and_backup();
    test_one_request_tries_each_once();
    test_max_conns();
    test_many_peers();
    groups_fini();
    return done();
}
