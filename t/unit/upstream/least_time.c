/*
 * least_time: the peer whose average time, with what it has under way and for its weight, is the least is picked; an
 * average of which nothing was heard for a while comes near to the group's; failures do not count, timeouts do.
 */
#include "groups.h"
#include "modules.h"

#include "upstream/latency.h"

static const struct { weir_latency_settings_t latency; bool is_set; } time_said = { { WEIR_LATENCY_HEADER, 0 }, true };

static weir_group_t *
group_of(groups_spec_t *spec, const char *name, const weir_latency_settings_t *settings)
{
    groups_spec(spec, name, 2);
    spec->conf.balancer = modules_balancer("upstream_least_time", &time_said);
    spec->conf.policies[0] = (weir_uppolicy_conf_t) { &weir_latency_policy,
                                                      weir_str((const char *) settings, sizeof(*settings)) };
    spec->conf.n_policies = 1;
    return groups_attach(spec);
}

static char
begin(weir_group_t *group, weir_pick_t *pick, weir_arena_t *arena, uint64_t now)
{
    weir_pick_begin(pick, group, arena);
    return weir_pick_next(pick, (weir_instant_t) { now }) ? groups_letter(pick->peer) : '-';
}

/* One request whose peer answers; those of a and b take that long to the head, and twice as long to the end. */
static char
answer(weir_group_t *group, uint64_t now, uint64_t a, uint64_t b)
{
    weir_arena_t   arena;
    weir_pick_t    pick;
    weir_outcome_t outcome = { .kind = WEIR_OUTCOME_ANSWER, .status = 200 };
    char           letter;

    weir_arena_init(&arena, 512);
    letter = begin(group, &pick, &arena, now);
    outcome.header_time.ms = letter == 'a' ? a : b;
    outcome.total_time.ms = 2 * outcome.header_time.ms;
    weir_pick_report(&pick, &outcome, (weir_instant_t) { now + outcome.total_time.ms });
    weir_pick_end(&pick);
    weir_arena_fini(&arena);
    return letter;
}

static void
learn(weir_group_t *group, uint64_t now)
{
    for (int i = 0; i < 40; i++) {
        (void) answer(group, now + (uint64_t) i, 100, 10);
    }
}

static void
test_fastest(weir_arena_t *arena)
{
    static const weir_latency_settings_t header = { WEIR_LATENCY_HEADER, 0 };
    groups_spec_t spec;
    weir_group_t *group = group_of(&spec, "fastest", &header);
    weir_pick_t   picks[40];
    unsigned      counts[2] = { 0 };
    char          letters[11] = "";

    ok(answer(group, 1000, 100, 10) != answer(group, 1001, 100, 10), "a peer of which nothing is known is asked");
    learn(group, 1002);
    for (int i = 0; i < 10; i++) {
        letters[i] = answer(group, 2000 + (uint64_t) i, 100, 10);
    }
    is_letters(letters, "bbbbbbbbbb", "then the faster one");
    for (int i = 0; i < 33; i++) {
        counts[begin(group, &picks[i], arena, 2100) - 'a']++;
    }
    ok(counts[0] >= 2 && counts[0] <= 4, "one that is ten times as slow has a tenth under way");
    for (int i = 0; i < 33; i++) {
        weir_pick_end(&picks[i]);
    }
    weir_group_unref(group);
}

static void
test_weights(void)
{
    static const weir_latency_settings_t header = { WEIR_LATENCY_HEADER, 0 };
    groups_spec_t spec;
    weir_group_t *group, *heavy;
    char          letters[9] = "";

    group = group_of(&spec, "weights", &header);
    learn(group, 1000);
    spec.peers[0].weight = 20;
    spec.conf.digest = 2;
    heavy = groups_attach(&spec);
    for (int i = 0; i < 4; i++) {
        letters[i] = answer(heavy, 2000, 100, 10);
    }
    ok(strchr(letters, 'a') != NULL, "its weight makes up for its time");
    weir_group_unref(group);
    weir_group_unref(heavy);
}

static void
test_forgets(void)
{
    static const weir_latency_settings_t header = { WEIR_LATENCY_HEADER, 0 };
    groups_spec_t spec;
    weir_group_t *group = group_of(&spec, "forgets", &header);
    bool          again = false, soon = false;

    learn(group, 1000);
    for (uint64_t now = 2000; now < 12000; now += 100) {
        soon = soon || answer(group, now, 5, 10) == 'a';
    }
    ok(!soon, "a peer that was slow is left alone for a while");
    for (uint64_t now = 12000; now < 300000 && !again; now += 100) {
        again = answer(group, now, 5, 10 + now / 100 % 3) == 'a';
    }
    ok(again, "and asked again after some time");
    weir_group_unref(group);
}

/* What a request to b comes to, again and again, until a is preferred; n: it is not. */
static unsigned
outcomes_until_a(weir_group_t *group, const weir_outcome_t *outcome, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        weir_arena_t arena;
        weir_pick_t  pick;
        char         letter;

        weir_arena_init(&arena, 512);
        letter = begin(group, &pick, &arena, 2000 + i);
        weir_pick_report(&pick, outcome, (weir_instant_t) { 2000 + i });
        weir_pick_end(&pick);
        weir_arena_fini(&arena);
        if (letter == 'a') {
            return i;
        }
    }
    return n;
}

static void
test_outcomes(void)
{
    static const weir_latency_settings_t header = { WEIR_LATENCY_HEADER, 0 };
    static const weir_outcome_t left = { .kind = WEIR_OUTCOME_ABANDONED, .total_time = { 9000 } };
    static const weir_outcome_t refused = { .kind = WEIR_OUTCOME_CONNECT, .failed = true, .total_time = { 9000 } };
    static const weir_outcome_t slow = { .kind = WEIR_OUTCOME_TIMEOUT, .failed = true, .total_time = { 9000 } };
    groups_spec_t spec;
    weir_group_t *group = group_of(&spec, "outcomes", &header);

    spec.peers[0].max_fails = spec.peers[1].max_fails = 0;
    spec.conf.digest = 2;
    weir_group_unref(group);
    group = groups_attach(&spec);
    learn(group, 1000);
    is_int(outcomes_until_a(group, &left, 10), 10, "a client that leaves says nothing about times");
    is_int(outcomes_until_a(group, &refused, 10), 10, "nor does a failure");
    ok(outcomes_until_a(group, &slow, 10) < 10, "a timeout does");
    weir_group_unref(group);
}

static void
test_inflight(weir_arena_t *arena)
{
    static const weir_latency_settings_t with = { WEIR_LATENCY_HEADER, 1 }, without = { WEIR_LATENCY_HEADER, 0 };

    for (int i = 0; i < 2; i++) {
        groups_spec_t spec;
        weir_group_t *group = group_of(&spec, i == 0 ? "pending" : "not pending", i == 0 ? &with : &without);
        weir_pick_t   hangs, next;

        learn(group, 1000);
        ok(begin(group, &hangs, arena, 2000) == 'b', "the faster one, which hangs");
        ok(begin(group, &next, arena, 2010) == 'b', "is as fast as before for a moment");
        weir_pick_end(&next);
        ok(begin(group, &next, arena, 7000) == (i == 0 ? 'a' : 'b'),
           i == 0 ? "inflight: after a while the other is picked" : "without inflight it is picked still");
        weir_pick_end(&next);
        weir_pick_end(&hangs);
        weir_group_unref(group);
    }
}

static void
test_last_byte(void)
{
    static const weir_latency_settings_t last = { WEIR_LATENCY_LAST_BYTE, 0 };
    groups_spec_t       spec;
    weir_group_t       *group = group_of(&spec, "last", &last);
    weir_peer_t *const *peers;
    uint64_t            average;

    learn(group, 1000);
    (void) weir_group_peers(group, &peers);
    weir_latency_policy.tell(weir_policy_find(group, &weir_latency_policy), peers[1], &average);
    is_int(average, 20, "last_byte: the time to the end counts; statistics tell the average");
    weir_group_unref(group);
}

int
main(void)
{
    weir_arena_t arena;

    groups_init();
    weir_arena_init(&arena, 4096);
    ok(modules_balancer("upstream_least_time", &time_said) != NULL, "configure found the module");
    test_fastest(&arena);
    test_weights();
    test_forgets();
    test_outcomes();
    test_inflight(&arena);
    test_last_byte();
    weir_arena_fini(&arena);
    groups_fini();
    return done();
}
