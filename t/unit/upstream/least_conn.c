/* least_conn: the peer with the fewest requests under way for its weight is picked; equals have turns; backups come
 * after all primaries. */
#include "groups.h"

#include "upstream/module.h"

static const weir_balancer_t *
least(void)
{
    for (size_t m = 0; m < weir_modules_count; m++) {
        if (weir_upstream_modules[m] != NULL && strcmp(weir_upstream_modules[m]->name, "upstream_least_conn") == 0) {
            const weir_flag_t      on = { true };
            const weir_template_t *key = NULL;

            return weir_upstream_modules[m]->choose(&on, &key);
        }
    }
    return NULL;
}

/* Picks one and keeps it under way: its letter; '-': nobody. */
static char
pick_one(weir_group_t *group, weir_pick_t *pick, weir_arena_t *arena)
{
    weir_pick_begin(pick, group, arena);
    if (!weir_pick_next(pick, (weir_instant_t) { 1 })) {
        weir_pick_end(pick);
        return '-';
    }
    return (char) ('a' + weir_peer_number(pick->peer));
}

static void
test_counts(weir_arena_t *arena)
{
    groups_spec_t spec;
    weir_group_t *group;
    weir_pick_t   picks[8];
    char          got[9] = "";

    groups_spec(&spec, "least", 3);
    spec.peers[0].weight = 2;
    spec.conf.balancer = least();
    group = groups_attach(&spec);
    for (int i = 0; i < 8; i++) {
        got[i] = pick_one(group, &picks[i], arena);
    }
    is_str(weir_str_from_z(got), "abcacaba", "those under way are spread by weight: four of eight");
    groups_report(&picks[2], false, (weir_instant_t) { 1 });
    weir_pick_end(&picks[2]);
    ok(pick_one(group, &picks[2], arena) == 'c', "the one that has ended one gets the next");
    for (int i = 0; i < 8; i++) {
        groups_report(&picks[i], false, (weir_instant_t) { 1 });
        weir_pick_end(&picks[i]);
    }
    is_letters(groups_requests(group, 8, 1), "bacabaca", "one at a time: turns by weight");
    weir_group_unref(group);
}

static void
test_sets(weir_arena_t *arena)
{
    groups_spec_t spec;
    weir_group_t *group;
    weir_pick_t   picks[3];

    groups_spec(&spec, "sets", 3);
    spec.peers[0].max_conns = 1;
    spec.peers[2].backup = true;
    spec.peers[1].down = true;
    spec.conf.balancer = least();
    group = groups_attach(&spec);
    ok(pick_one(group, &picks[0], arena) == 'a', "a primary first");
    ok(pick_one(group, &picks[1], arena) == 'c', "the backup when no primary may be picked");
    ok(pick_one(group, &picks[2], arena) == 'c', "again, whatever it has under way");
    for (int i = 0; i < 3; i++) {
        weir_pick_end(&picks[i]);
    }
    weir_group_unref(group);
}

int
main(void)
{
    weir_arena_t arena;

    groups_init();
    weir_arena_init(&arena, 4096);
    ok(least() != NULL, "configure found the module");
    test_counts(&arena);
    test_sets(&arena);
    weir_arena_fini(&arena);
    groups_fini();
    return done();
}
