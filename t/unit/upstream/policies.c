/*
 * policies.c - what the policies of a group are told of: each request once when it comes and once when it goes, each
 * attempt once with its end, whatever becomes of it; and that peers which one has barred are not picked.
 */
#include "groups.h"

#include "upstream/policy.h"

static unsigned admitted, left, picked, reported, abandoned, retries;
static bool     refuses, may_retry = true;

static weir_refusal_t
count_admit(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now WEIR_UNUSED)
{
    if (refuses) {
        return WEIR_REFUSED_NO_PEER;
    }
    admitted++;
    *weir_policy_note(of, pick) = 7;
    return WEIR_REFUSED_NOT;
}

static void
count_leave(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now WEIR_UNUSED)
{
    left += *weir_policy_note(of, pick) == 7;
}

static bool
count_retry(weir_uppolicy_of_t *of WEIR_UNUSED, weir_pick_t *pick WEIR_UNUSED, weir_instant_t now WEIR_UNUSED)
{
    retries++;
    return may_retry;
}

static void
count_picked(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now WEIR_UNUSED)
{
    picked++;
    ++*(uint64_t *) weir_policy_peer(of, pick->peer);
}

static void
count_report(weir_uppolicy_of_t *of, weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now WEIR_UNUSED)
{
    reported++;
    abandoned += outcome->kind == WEIR_OUTCOME_ABANDONED;
    if (outcome->failed && *(const uint8_t *) of->settings == 'x') {
        (void) weir_peer_bar(pick->peer, WEIR_BARRED_EJECTED, true);
    }
}

static void
count_carry_over(weir_uppolicy_of_t *of, weir_peer_t *to, const weir_uppolicy_of_t *before, const weir_peer_t *from)
{
    *(uint64_t *) weir_policy_peer(of, to) = *(const uint64_t *) weir_policy_peer(before, from);
}

static const weir_uppolicy_t counting = {
    .name = "counting", .peer_size = sizeof(uint64_t), .bars = WEIR_BARRED_EJECTED,
    .admit = count_admit, .leave = count_leave, .retry = count_retry, .picked = count_picked, .report = count_report,
    .carry_over = count_carry_over,
};

/* The second one refuses what the first one has admitted. */
static weir_refusal_t
second_admit(weir_uppolicy_of_t *of WEIR_UNUSED, weir_pick_t *pick WEIR_UNUSED, weir_instant_t now WEIR_UNUSED)
{
    return WEIR_REFUSED_NO_PEER;
}

static const weir_uppolicy_t second = { .name = "second", .admit = second_admit };

static weir_group_t *
start(groups_spec_t *spec, const char *name, size_t n, const char *settings)
{
    groups_spec(spec, name, n);
    spec->conf.policies[0] = (weir_uppolicy_conf_t) { &counting, weir_str_from_z(settings) };
    spec->conf.n_policies = 1;
    admitted = left = picked = reported = abandoned = retries = 0;
    return groups_attach(spec);
}

static void
test_once(void)
{
    groups_spec_t  spec;
    weir_group_t  *group = start(&spec, "once", 3, "");
    weir_arena_t   arena;
    weir_pick_t    pick;
    weir_instant_t now = { 5 };

    weir_arena_init(&arena, 256);
    weir_pick_begin(&pick, group, &arena);
    ok(weir_pick_next(&pick, now) && admitted == 1 && picked == 1, "a request is admitted, and its peer told of");
    groups_report(&pick, true, now);
    ok(weir_pick_may_retry(&pick, now) && weir_pick_next(&pick, now), "it may be sent once more");
    may_retry = false;
    ok(!weir_pick_may_retry(&pick, now) && retries == 2, "until a policy says no");
    may_retry = true;
    ok(weir_pick_next(&pick, now) && reported == 2 && abandoned == 1, "a peer that is let go of is abandoned");
    ok(!weir_pick_next(&pick, now) && pick.refusal == WEIR_REFUSED_NO_PEER && admitted == 1,
       "no peer is left, and it was admitted once");
    weir_pick_end(&pick);
    ok(picked == 3 && reported == 3 && left == 1, "each attempt is reported once, and the request leaves once");
    weir_arena_fini(&arena);
    weir_group_unref(group);
}

static void
test_refused(void)
{
    groups_spec_t  spec;
    weir_group_t  *group = start(&spec, "refused", 2, "");
    weir_arena_t   arena;
    weir_pick_t    pick;

    weir_arena_init(&arena, 256);
    refuses = true;
    weir_pick_begin(&pick, group, &arena);
    ok(!weir_pick_next(&pick, (weir_instant_t) { 5 }) && pick.refusal == WEIR_REFUSED_NO_PEER && picked == 0,
       "a request that is refused gets no peer");
    refuses = false;
    weir_pick_end(&pick);
    ok(left == 0, "and does not leave");
    weir_group_unref(group);

    groups_spec(&spec, "two", 2);
    spec.conf.policies[0] = (weir_uppolicy_conf_t) { &counting, WEIR_STR("") };
    spec.conf.policies[1] = (weir_uppolicy_conf_t) { &second, WEIR_STR("") };
    spec.conf.n_policies = 2;
    admitted = left = 0;
    group = groups_attach(&spec);
    weir_pick_begin(&pick, group, &arena);
    ok(!weir_pick_next(&pick, (weir_instant_t) { 5 }) && admitted == 1 && left == 1,
       "who admitted it before another one refuses is told that it leaves");
    weir_pick_end(&pick);
    ok(left == 1, "once");
    weir_arena_fini(&arena);
    weir_group_unref(group);
}

static void
test_bars(void)
{
    groups_spec_t spec;
    weir_group_t *group = start(&spec, "bars", 3, "x"), *after;
    weir_peer_t *const *peers;

    is_letters(groups_requests(group, 3, 5), "abc", "all are picked");
    ok(groups_request(group, true, 6) == 'a', "one fails");
    is_letters(groups_requests(group, 4, 60000), "bcbc", "and is barred for longer than fail_timeout");
    (void) weir_group_peers(group, &peers);
    ok(weir_peer_barred(peers[0]) == WEIR_BARRED_EJECTED && peers[0]->is_marked, "its group counts it");
    ok(!weir_peer_bar(peers[0], WEIR_BARRED_EJECTED, true), "to bar it again changes nothing");
    ok(weir_peer_bar(peers[0], WEIR_BARRED_EJECTED, false), "when it is barred no longer");
    ok(strchr(groups_requests(group, 9, 120000), 'a') != NULL, "it is picked again");

    (void) weir_peer_bar(peers[1], WEIR_BARRED_EJECTED, true);
    (void) weir_peer_bar(peers[2], WEIR_BARRED_DRAINED, true);
    spec.conf.digest = 2;
    after = groups_attach(&spec);
    (void) weir_group_peers(after, &peers);
    ok(*(uint64_t *) weir_policy_peer(weir_policy_find(after, &counting), peers[0]) != 0,
       "a group of the same name carries on with what the policy knows of its peers");
    ok(weir_policy_find(after, &second) == NULL, "a policy that it has not is not found");
    weir_group_unref(after);
    weir_group_unref(group);
}

static void
test_part(void)
{
    groups_spec_t      spec;
    weir_group_t      *group = start(&spec, "part", 2, "");
    weir_state_part_t *part = weir_state_part(group, NULL, "probes");

    ok(weir_state_part_admit(part, 2) && weir_state_part_admit(part, 2) && !weir_state_part_admit(part, 2),
       "a part's gauge admits as many as may be");
    weir_state_part_leave(part);
    is_int(weir_state_part_sum(part), 1, "and one less when one leaves");
    weir_state_part_leave(part);
    is_int(((uint64_t *) part->place.record)[1], 0, "its record is zero at first");
    weir_group_unref(group);
}

int
main(void)
{
    groups_init();
    test_once();
    test_refused();
    test_bars();
    test_part();
    groups_fini();
    return done();
}
