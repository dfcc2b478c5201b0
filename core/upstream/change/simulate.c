/*
 * simulate.c - see simulate.h.  Runs in tools: their process has no shared memory, so all is its own.
 */
#include "upstream/simulate.h"

#include "log/log.h"
#include "upstream/locality.h"
#include "upstream/running.h"

#define SIMULATE_KEY     4                   /* bytes: a client's address for ip_hash, any key for the others */
#define SIMULATE_SCRATCH 4096

bool
weir_simulate_names(weir_str_t failed, const weir_peer_conf_t *peer)
{
    return weir_str_eq(failed, peer->text) || weir_str_eq(failed, peer->server)
           || (weir_locality_is_valid(failed) && peer->locality.len != 0
               && weir_locality_distance(failed, peer->locality) == 0);
}

const char *
weir_simulate_balancer(const weir_group_conf_t *conf)
{
    return conf->balancer->name;
}

/* Peers that the question names have failed; all others are as good as can be, whatever they have to prove at first. */
static void
simulate_fail(weir_group_t *group, const weir_str_t *failed, size_t n_failed)
{
    for (size_t i = 0; i < group->conf.n_peers; i++) {
        weir_peer_t *peer = group->peers[i];
        bool         has_failed = false;

        for (size_t f = 0; f < n_failed; f++) {
            has_failed = has_failed || weir_simulate_names(failed[f], peer->conf);
        }
        for (uint64_t left = weir_peer_barred(peer) & ~(uint64_t) WEIR_BARRED_CHECK; left != 0; left &= left - 1) {
            (void) weir_peer_bar(peer, (weir_barred_t) (left & -left), false);
        }
        (void) weir_peer_bar(peer, WEIR_BARRED_CHECK, has_failed);
    }
}

/* In the order of the sets. */
static size_t
simulate_place(const weir_peer_t *peer)
{
    return (size_t) (peer->set->peers - peer->group->peers) + weir_peer_index(peer);
}

/* One request after another, each with another key. */
static void
simulate_ask(weir_group_t *group, weir_simulated_t *simulated)
{
    weir_instant_t now = { 1 };
    weir_arena_t   scratch;

    weir_arena_init(&scratch, SIMULATE_SCRATCH);
    for (uint32_t i = 0; i < WEIR_SIMULATE_PICKS; i++) {
        uint32_t    mixed = i * UINT32_C(2654435761);
        const char  key[SIMULATE_KEY] = { (char) (mixed >> 24), (char) (mixed >> 16), (char) (mixed >> 8),
                                          (char) mixed };
        weir_pick_t pick;

        weir_pick_begin(&pick, group, &scratch);
        pick.key = weir_str(key, sizeof(key));
        if (weir_pick_next(&pick, now)) {
            simulated->peers[simulate_place(pick.peer)].picks++;
        } else {
            simulated->none++;
        }
        weir_pick_end(&pick);
        weir_arena_reset(&scratch);
    }
    weir_arena_fini(&scratch);
}

static void
simulate_tell(weir_group_t *group, weir_simulated_t *simulated)
{
    size_t first = 0;

    for (size_t i = 0; i < group->n_sets; i++) {
        const weir_host_set_t *set = &group->sets[i];
        weir_simulated_set_t  *told = &simulated->sets[simulated->n_sets++];

        *told = (weir_simulated_set_t) {
            .priority = set->peers[0]->conf->priority, .distance = set->peers[0]->conf->distance,
            .is_backup = set->peers[0]->conf->backup, .is_panic = set->is_panic, .first = first, .n = set->n,
        };
        for (size_t p = 0; p < set->n; p++) {
            told->standing += !set->peers[p]->conf->down;
            told->healthy += !set->peers[p]->conf->down && !weir_peer_rests(set->peers[p], group->now);
        }
        first += set->n;
    }
    weir_assert(first == simulated->n_peers);
}

/* The configuration has its peers in the order of the sets, too. */
static void
simulate_begin(weir_group_t *group, const weir_group_conf_t *conf, weir_simulated_t *simulated)
{
    for (size_t i = 0; i < group->conf.n_peers; i++) {
        simulated->peers[i] = (weir_simulated_peer_t) {
            .conf = &conf->peers[i], .is_failed = weir_peer_barred(group->peers[i]) != 0,
        };
        weir_assert(simulate_place(group->peers[i]) == i
                    && weir_str_eq(group->peers[i]->conf->text, conf->peers[i].text));
    }
}

weir_simulated_t
weir_simulate(const weir_group_conf_t *conf, const weir_str_t *failed, size_t n_failed, weir_arena_t *arena)
{
    weir_log_level_t  level = weir_log_main.level;
    weir_loop_t      *loop = weir_loop_create(1);
    weir_groups_t    *groups = weir_groups_create(loop);
    weir_group_conf_t alone = *conf;
    weir_simulated_t  simulated = { .n_peers = conf->n_peers };
    weir_group_t     *group;

    weir_log_main.level = WEIR_LOG_EMERG;            /* what it would log is not so */
    alone.states = 0;                                /* nothing is shared, and nothing counted, and … */
    alone.n_policies = 0;                            /* … what judges by how requests end sees none end */
    alone.stats = 0;
    alone.peers = weir_new_n(arena, weir_peer_conf_t, conf->n_peers);
    for (size_t i = 0; i < conf->n_peers; i++) {
        alone.peers[i] = conf->peers[i];
        alone.peers[i].stats = 0;
    }
    group = weir_group_attach(groups, &alone);
    simulated.sets = weir_new_n(arena, weir_simulated_set_t, group->n_sets);
    simulated.peers = weir_new_n(arena, weir_simulated_peer_t, conf->n_peers);
    simulate_fail(group, failed, n_failed);
    simulate_begin(group, conf, &simulated);
    simulate_ask(group, &simulated);
    simulate_tell(group, &simulated);
    weir_group_unref(group);
    weir_groups_destroy(groups);
    weir_loop_destroy(loop);
    weir_log_main.level = level;
    return simulated;
}
