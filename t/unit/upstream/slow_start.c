/* slow_start: a peer that recovered, or that came to a group that serves, has its weight little by little. */
#include "groups.h"
#include "modules.h"

#include "upstream/running.h"

#define START 100000

static const weir_flag_t slow_on = { true };

/* How many of n requests go to that peer. */
static unsigned
requests_to(weir_group_t *group, char letter, unsigned n, uint64_t now)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++) {
        count += groups_request(group, false, now) == letter;
    }
    return count;
}

/* Peers a and b; a starts slowly, has failed, and has recovered at START. */
static weir_group_t *
group_of(groups_spec_t *spec, const char *name, const weir_balancer_t *balancer)
{
    weir_group_t *group;
    char          letter;

    groups_spec(spec, name, 2);
    spec->conf.balancer = balancer;
    spec->peers[0].slow_start = (weir_msec_t) { 10000 };
    group = groups_attach(spec);
    is_int(requests_to(group, 'a', 20, 1000), 10, "what is there from the start has its share at once");
    while ((letter = groups_request(group, true, 2000)) != 'a') {
    }
    is_int(requests_to(group, 'a', 20, 2000), 0, "it has failed");
    (void) groups_requests(group, 4, START);
    return group;
}

static void
test_rises(const char *name, const weir_balancer_t *balancer)
{
    groups_spec_t spec;
    weir_group_t *group = group_of(&spec, name, balancer);
    unsigned      count;

    count = requests_to(group, 'a', 257, START);
    ok(count <= 1, "recovered: the least share at first");
    count = requests_to(group, 'a', 400, START + 2500);
    ok(count >= 79 && count <= 82, "after a quarter of the time a quarter of its weight: one of five");
    count = requests_to(group, 'a', 300, START + 5000);
    ok(count >= 99 && count <= 102, "after half of it half: one of three");
    count = requests_to(group, 'a', 200, START + 10000);
    ok(count >= 99 && count <= 101, "then all");
    weir_group_unref(group);
}

/* The group is made anew while a is at it. */
static void
test_carried(void)
{
    groups_spec_t spec;
    weir_group_t *group = group_of(&spec, "carried", &weir_balancer_round_robin), *next;
    unsigned      count;

    spec.conf.digest = 2;
    spec.conf.keepalive = 7;
    next = groups_attach(&spec);
    weir_group_unref(group);
    count = requests_to(next, 'a', 300, START + 5000);
    ok(count >= 99 && count <= 102, "a group that is made anew goes on where it was");
    weir_group_unref(next);
}

static void
test_added(void)
{
    groups_spec_t  spec;
    weir_group_t  *group, *next;
    weir_instant_t now;
    unsigned       count;

    groups_spec(&spec, "added", 3);
    for (size_t i = 0; i < 3; i++) {
        spec.peers[i].slow_start = (weir_msec_t) { 3600000 };
    }
    spec.conf.n_peers = 2;
    group = groups_attach(&spec);
    spec.conf.n_peers = 3;
    spec.conf.digest = 2;
    next = groups_attach(&spec);
    now = weir_clock_now();
    ok(requests_to(next, 'c', 100, now.ms) <= 1, "a peer that comes to a group that serves starts slowly");
    count = requests_to(next, 'a', 100, now.ms);
    ok(count >= 49 && count <= 51, "those that were there do not");
    count = requests_to(next, 'c', 300, now.ms + 1800000);
    ok(count >= 59 && count <= 62, "after half of the time it has half of its weight");
    weir_group_unref(group);
    weir_group_unref(next);
}

/* A reason why it was barred is gone. */
static void
test_barred(void)
{
    groups_spec_t       spec;
    weir_group_t       *group;
    weir_peer_t *const *peers;

    groups_spec(&spec, "barred", 2);
    spec.peers[0].slow_start = (weir_msec_t) { 3600000 };
    group = groups_attach(&spec);
    (void) weir_group_peers(group, &peers);
    (void) weir_peer_bar(peers[0], WEIR_BARRED_CHECK, true);
    (void) weir_peer_bar(peers[0], WEIR_BARRED_EJECTED, true);
    (void) weir_peer_bar(peers[0], WEIR_BARRED_CHECK, false);
    is_int(requests_to(group, 'a', 20, weir_clock_now().ms), 0, "barred for one more reason");
    (void) weir_peer_bar(peers[0], WEIR_BARRED_EJECTED, false);
    ok(requests_to(group, 'a', 100, weir_clock_now().ms) <= 1, "then it starts slowly");
    weir_group_unref(group);
}

static void
test_only_one(void)
{
    groups_spec_t spec;
    weir_group_t *group;

    groups_spec(&spec, "only", 1);
    spec.peers[0].slow_start = (weir_msec_t) { 10000 };
    group = groups_attach(&spec);
    (void) groups_request(group, true, 1000);
    is_letters(groups_requests(group, 5, 1000), "aaaaa", "the only one of a group has all");
    weir_group_unref(group);
}

int
main(void)
{
    groups_init();
    test_rises("turns", &weir_balancer_round_robin);
    test_rises("least", modules_balancer("upstream_least_conn", &slow_on));
    test_carried();
    test_added();
    test_barred();
    test_only_one();
    groups_fini();
    return done();
}
