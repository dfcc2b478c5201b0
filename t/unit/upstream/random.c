/* random: each peer is drawn as often as its weight says, also among those that are left; with two the less busy one of
 * two different peers is picked. */
#include "groups.h"
#include "modules.h"

#define DRAWS 160000

/* As random.c keeps it. */
static const weir_balancer_t *
balancer(int kind)
{
    const struct { int kind; uint32_t latency[2]; } said = { kind, { 0, 0 } };

    return modules_balancer("upstream_random", &said);
}

static weir_group_t *
group_of(groups_spec_t *spec, const char *name, int kind)
{
    groups_spec(spec, name, 4);
    spec->peers[0].weight = 4;
    spec->peers[1].weight = 3;
    spec->peers[2].weight = 2;
    spec->conf.balancer = balancer(kind);
    return groups_attach(spec);
}

/* What part of the requests each peer gets is within a hundredth of `want`, in percent. */
static void
are_shares(weir_group_t *group, const unsigned *want, const char *what)
{
    unsigned counts[GROUP_PEERS] = { 0 };
    bool     good = true;

    for (int i = 0; i < DRAWS; i++) {
        char letter = groups_request(group, false, 1);

        if (letter != '-') {
            counts[letter - 'a']++;
        }
    }
    for (size_t i = 0; i < 4; i++) {
        int off = (int) counts[i] - (int) (want[i] * (DRAWS / 100));

        good = good && abs(off) <= DRAWS / 100;
    }
    ok(good, what);
    if (!good) {
        printf("# %u %u %u %u of %d\n", counts[0], counts[1], counts[2], counts[3], DRAWS);
    }
}

static void
test_shares(void)
{
    groups_spec_t spec;
    weir_group_t *group = group_of(&spec, "one", 1);
    weir_group_t *left;

    are_shares(group, (unsigned[]) { 40, 30, 20, 10 }, "as often as the weights say");
    weir_group_unref(group);

    groups_spec(&spec, "left", 4);
    spec.peers[0].weight = 1000000;
    spec.peers[0].down = true;
    spec.peers[1].weight = 3;
    spec.conf.balancer = balancer(1);
    left = groups_attach(&spec);
    are_shares(left, (unsigned[]) { 0, 60, 20, 20 }, "those that are left keep their shares, however heavy the others");
    weir_group_unref(left);
}

static char
begin(weir_group_t *group, weir_pick_t *pick, weir_arena_t *arena)
{
    weir_pick_begin(pick, group, arena);
    return weir_pick_next(pick, (weir_instant_t) { 1 }) ? groups_letter(pick->peer) : '-';
}

/* With two peers both are always drawn, so the pick is the less busy one for its weight, each time. */
static void
test_two(weir_arena_t *arena)
{
    groups_spec_t spec;
    weir_group_t *group;
    weir_pick_t   picks[80], next;
    unsigned      counts[2] = { 0 };

    groups_spec(&spec, "two", 2);
    spec.peers[0].weight = 3;
    spec.conf.balancer = balancer(2);
    group = groups_attach(&spec);
    for (size_t i = 0; i < 80; i++) {
        counts[begin(group, &picks[i], arena) - 'a']++;
    }
    ok(counts[0] >= 59 && counts[0] <= 61, "eighty under way are spread 3:1");
    for (size_t i = 0; i < 80; i++) {
        if (groups_letter(picks[i].peer) == 'b') {
            weir_pick_end(&picks[i]);
        }
    }
    ok(begin(group, &next, arena) == 'b', "the one that is free is picked, however light");
    weir_pick_end(&next);
    for (size_t i = 0; i < 80; i++) {
        if (picks[i].group != NULL) {
            weir_pick_end(&picks[i]);
        }
    }
    weir_group_unref(group);
}

static void
test_all_are_asked(weir_arena_t *arena, int kind)
{
    groups_spec_t spec;
    weir_group_t *group = group_of(&spec, "all", kind);
    weir_pick_t   pick;
    unsigned      seen = 0, n = 0;

    weir_pick_begin(&pick, group, arena);
    while (weir_pick_next(&pick, (weir_instant_t) { 1 })) {
        seen |= 1u << (groups_letter(pick.peer) - 'a');
        n++;
    }
    weir_pick_end(&pick);
    ok(n == 4 && seen == 15, kind == 1 ? "each peer is asked once" : "two: each peer is asked once");
    weir_group_unref(group);
}

int
main(void)
{
    weir_arena_t arena;

    groups_init();
    weir_arena_init(&arena, 4096);
    ok(balancer(1) != NULL && balancer(2) != NULL && balancer(1) != balancer(2), "configure found the module");
    ok(balancer(0) == NULL, "nothing is chosen where nothing was said");
    test_shares();
    test_two(&arena);
    test_all_are_asked(&arena, 1);
    test_all_are_asked(&arena, 2);
    weir_arena_fini(&arena);
    groups_fini();
    return done();
}
