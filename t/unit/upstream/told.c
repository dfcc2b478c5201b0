/*
 * told.c - what a policy tells of its group and peers: names, labels, states and seconds, as JSON and as numbers.
 */
#include "groups.h"

#include "upstream/told.h"

static const char *const states[] = { "closed", "open", NULL };

static const weir_told_t rows[] = {
    { .name = "state", .help = "State.", .kind = WEIR_TOLD_STATE, .states = states },
    { .name = "opened", .help = "Times.", .label = "reason", .value = "errors" },
    { .name = "opened", .help = "Times.", .label = "reason", .value = "slow" },
    { .name = "age_seconds", .help = "Age.", .kind = WEIR_TOLD_SECONDS },
    { .name = "fails", .help = "Fails.", .of_peer = true },
};

static void
tell(const weir_uppolicy_of_t *of WEIR_UNUSED, const weir_peer_t *peer, uint64_t *numbers)
{
    if (peer != NULL) {
        numbers[4] = 40 + weir_peer_number(peer);
        return;
    }
    numbers[0] = 1;
    numbers[1] = 3;
    numbers[2] = 4;
    numbers[3] = 12034;
}

static const weir_uppolicy_t telling = { .name = "breaker", .tells = rows, .n_tells = weir_countof(rows),
                                         .tell = tell };
static const weir_uppolicy_t silent = { .name = "silent" };

/* As if its peers were counted in rows from `first` on; 0: in none. */
static void
number_rows(const weir_group_t *group, uint32_t first)
{
    weir_peer_t *const *peers;
    size_t              n = weir_group_peers(group, &peers);

    for (size_t i = 0; i < n; i++) {
        ((weir_peer_conf_t *) (uintptr_t) peers[i]->conf)->stats = first != 0 ? first + (uint32_t) i : 0;
    }
}

static weir_str_t
json(const weir_group_t *group, const weir_peer_t *peer)
{
    static char text[512];
    weir_buf_t  out;

    weir_buf_init(&out, text, sizeof(text));
    weir_told_json(group, peer, &out);
    return weir_buf_str(&out);
}

int
main(void)
{
    groups_spec_t       spec;
    weir_group_t       *group;
    weir_peer_t *const *peers;
    uint64_t            numbers[WEIR_TOLD_MAX] = { 0 };
    weir_told_name_t    opened = { &telling, &rows[1], 1, 2 };
    size_t              hint = 0;

    groups_init();
    groups_spec(&spec, "g", 3);
    spec.conf.policies[0] = (weir_uppolicy_conf_t) { &silent, WEIR_STR("") };
    spec.conf.policies[1] = (weir_uppolicy_conf_t) { &telling, WEIR_STR("") };
    spec.conf.n_policies = 2;
    group = groups_attach(&spec);
    (void) weir_group_peers(group, &peers);
    is_str(json(group, NULL),
           ",\"breaker\":{\"state\":\"open\",\"opened\":{\"errors\":3,\"slow\":4},\"age_seconds\":12.034}", "of a group");
    is_str(json(group, peers[2]), ",\"breaker\":{\"fails\":42}", "of a peer");
    ok(weir_told_numbers(&opened, group, NULL, numbers) && numbers[0] == 3 && numbers[1] == 4, "the numbers of a name");
    ok(!weir_told_numbers(&opened, group, peers[0], numbers), "which is not the peers'");
    weir_group_unref(group);

    spec.conf.n_policies = 1;
    spec.conf.digest = 2;
    group = groups_attach(&spec);
    (void) weir_group_peers(group, &peers);
    is_str(json(group, NULL), "", "a policy that tells nothing is not named");
    ok(!weir_told_numbers(&opened, group, NULL, numbers), "nor one that the group has not");
    number_rows(group, 100);
    ok(weir_told_peer(group, 102, &hint) == peers[2] && hint == 2, "a peer by its row");
    ok(weir_told_peer(group, 100, &hint) == peers[0] && weir_told_peer(group, 99, &hint) == NULL,
       "behind the hint, or none");
    number_rows(group, 0);
    weir_group_unref(group);
    groups_fini();
    return done();
}
