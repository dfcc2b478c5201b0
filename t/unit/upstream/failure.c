/* A peer that fails max_fails times within fail_timeout is left alone for fail_timeout, then tried once. */
#include "groups.h"
#include "upstream/balancer.h"

static weir_turns_t *
turns_of(const weir_peer_t *peer)
{
    return (weir_turns_t *) peer->set->state + weir_peer_index(peer);
}

static weir_group_t *
failure_group(groups_spec_t *spec, const char *name, uint32_t max_fails)
{
    groups_spec(spec, name, 2);
    spec->peers[0].max_fails = spec->peers[1].max_fails = max_fails;
    return groups_attach(spec);
}

static void
test_marked_and_tried_again(void)
{
    groups_spec_t  spec;
    weir_group_t  *group = failure_group(&spec, "marked", 1);
    weir_arena_t   arena;
    weir_pick_t    trial, other;
    weir_instant_t later = { 20000 };
    const char    *letters;

    weir_arena_init(&arena, 256);
    ok(groups_request(group, true, 1000) == 'a', "the first peer fails");
    is_letters(groups_requests(group, 4, 11000), "bbbb", "it is left alone for fail_timeout");

    weir_pick_begin(&trial, group, &arena);
    weir_pick_begin(&other, group, &arena);
    while (weir_pick_next(&trial, later) && groups_letter(trial.peer) != 'a') {
        weir_pick_end(&trial);                        /* its weight comes back turn by turn */
        weir_pick_begin(&trial, group, &arena);
    }
    ok(trial.on_trial, "then it is tried");
    ok(weir_pick_next(&other, later) && groups_letter(other.peer) == 'b', "by one request only");
    groups_report(&other, false, later);
    groups_report(&trial, false, later);
    weir_pick_end(&trial);
    weir_pick_end(&other);
    weir_arena_fini(&arena);
    groups_requests(group, 4, 20000);
    letters = groups_requests(group, 2, 20000);
    ok(letters[0] != letters[1], "when that went well it has its turns again");
    weir_group_unref(group);
}

static void
test_failed_trial(void)
{
    groups_spec_t spec;
    weir_group_t *group = failure_group(&spec, "trial", 1);
    int           tries = 0;

    groups_request(group, true, 1000);
    for (uint64_t now = 12000; now < 21000; now += 1000) {
        char letter = groups_request(group, true, now);

        tries += letter == 'a';
    }
    is_int(tries, 1, "a trial that fails leaves the peer alone for another fail_timeout");
    weir_group_unref(group);
}

static void
test_no_live_peer(void)
{
    groups_spec_t spec;
    weir_group_t *group = failure_group(&spec, "none", 1);

    ok(groups_request(group, true, 1000) == 'a' && groups_request(group, true, 1000) == 'b', "both fail");
    ok(groups_request(group, false, 1001) == '-', "nobody is left");
    ok(groups_request(group, false, 11000) == '-', "nor is anybody forgiven before fail_timeout has passed");
    ok(groups_request(group, false, 11001) != '-', "after that there is");
    weir_group_unref(group);
}

static void
test_max_fails(void)
{
    groups_spec_t spec;
    weir_group_t *group = failure_group(&spec, "three", 3);
    weir_peer_t *const *peers;

    (void) weir_group_peers(group, &peers);
    turns_of(peers[1])->current = -1000000;               /* all turns are the first one's */
    ok(groups_request(group, true, 1000) == 'a' && groups_request(group, true, 2000) == 'a', "two failures of three");
    ok(groups_request(group, false, 3000) == 'a', "do not mark");
    ok(groups_request(group, true, 14000) == 'a', "a third one long after");
    ok(groups_request(group, true, 15000) == 'a' && groups_request(group, true, 16000) == 'a', "begins the count anew");
    ok(groups_request(group, false, 17000) == 'b', "three within fail_timeout mark");
    weir_group_unref(group);
}

static void
test_never_marked(void)
{
    groups_spec_t spec;
    weir_group_t *group = failure_group(&spec, "zero", 0);

    for (int i = 0; i < 10; i++) {
        groups_request(group, true, 1000);
    }
    is_letters(groups_requests(group, 4, 1000), "abab", "max_fails=0 never marks");
    weir_group_unref(group);
}

static void
test_single(void)
{
    groups_spec_t spec;
    weir_group_t *group;

    groups_spec(&spec, "single", 1);
    group = groups_attach(&spec);
    groups_request(group, true, 1000);
    groups_request(group, true, 1000);
    is_letters(groups_requests(group, 3, 1000), "aaa", "a group's only peer is never marked");
    weir_group_unref(group);
}

static void
test_backup(void)
{
    groups_spec_t spec;
    weir_group_t *group;

    groups_spec(&spec, "backup", 3);
    spec.peers[2].backup = true;
    group = groups_attach(&spec);
    ok(groups_request(group, true, 1000) == 'a' && groups_request(group, true, 1000) == 'b', "both primaries fail");
    is_letters(groups_requests(group, 3, 2000), "ccc", "the backup takes over");
    is_letters(groups_requests(group, 2, 12000) + 1, "b", "until they may be tried again");
    weir_group_unref(group);
}

static void
test_weight_sinks_and_returns(void)
{
    groups_spec_t spec;
    weir_group_t *group;
    weir_peer_t *const *peers;

    groups_spec(&spec, "weight", 2);
    spec.peers[0].weight = 4;
    spec.peers[0].max_fails = 2;
    group = groups_attach(&spec);
    (void) weir_group_peers(group, &peers);
    groups_request(group, true, 1000);
    is_int(turns_of(peers[0])->effective, 2, "a failure takes its part of the weight");
    groups_requests(group, 1, 1000);
    is_int(turns_of(peers[0])->effective, 3, "a turn gives one back");
    groups_requests(group, 5, 1000);
    is_int(turns_of(peers[0])->effective, 4, "and no more than there was");
    weir_group_unref(group);
}

static void
test_reload(void)
{
    groups_spec_t same, changed;
    weir_group_t *group = failure_group(&same, "reload", 1), *again, *other;
    weir_peer_t *const *peers;

    groups_request(group, true, 1000);
    again = groups_attach(&same);
    ok(again == group, "an unchanged group is the same running one");
    weir_group_unref(group);
    is_letters(groups_requests(again, 2, 2000), "bb", "which knows what failed");

    groups_spec(&changed, "reload", 3);
    changed.conf.digest = 2;
    changed.peers[1].weight = 2;
    other = groups_attach(&changed);
    ok(other != again, "a changed one is new");
    (void) weir_group_peers(other, &peers);
    ok(weir_state_failures(peers[0]).fails == 1 && weir_state_failures(peers[0]).checked.ms == 1000
       && weir_state_failures(peers[2]).fails == 0, "but remembers what failed");
    is_int(turns_of(peers[1])->effective, 2, "with the new weights");
    ok(groups_request(other, false, 2000) != 'a', "and leaves it alone");
    weir_group_unref(again);
    weir_group_unref(other);

    group = groups_attach(&same);
    ok(groups_request(group, false, 2000) == 'a', "a group that was gone knows nothing");
    weir_group_unref(group);
}

int
main(void)
{
    groups_init();
    test_marked_and_tried_again();
    test_failed_trial();
    test_no_live_peer();
    test_max_fails();
    test_never_marked();
    test_single();
    test_backup();
    test_weight_sinks_and_returns();
    test_reload();
    groups_fini();
    return done();
}
