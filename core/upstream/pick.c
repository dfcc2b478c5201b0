/*
 * pick.c - one request's way through a group, and what its attempts say about the peers.
 *
 * Runs in workers.  A peer that failed max_fails times, none of them more than fail_timeout after the one before, is
 * left alone for fail_timeout; then one request tries it, and if that goes well it is as good as before.
 */
#include "log/log.h"
#include "shm/stats.h"
#include "upstream/running.h"

static size_t
pick_index(const weir_peer_t *peer)
{
    return (size_t) (peer - peer->group->peers);
}

/* The only peer of a group is never marked: there would be nobody else to ask. */
static bool
pick_is_marked(const weir_peer_t *peer)
{
    const weir_peer_conf_t *conf = peer->conf;

    return conf->max_fails != 0 && peer->fails >= conf->max_fails && peer->group->conf.n_peers > 1;
}

void
weir_peer_tell(weir_peer_t *peer)
{
    if (pick_is_marked(peer) == peer->is_marked) {
        return;
    }
    peer->is_marked = !peer->is_marked;
    weir_assert(peer->is_marked || peer->group->n_marked > 0);
    peer->group->n_marked += peer->is_marked ? 1 : (size_t) -1;
    weir_assert(peer->group->n_marked <= peer->group->conf.n_peers);
    if (peer->conf->stats >= WEIR_STATS_KINDS) {
        weir_stats_mine(peer->conf->stats)->WEIR_GAUGE_UNAVAILABLE += peer->is_marked ? 1 : -1;
    }
}

static bool
pick_fail_timeout_passed(const weir_peer_t *peer, weir_instant_t now)
{
    return now.ms - peer->checked.ms > peer->conf->fail_timeout.ms;
}

bool
weir_peer_rests(const weir_peer_t *peer, weir_instant_t now)
{
    return pick_is_marked(peer) && !pick_fail_timeout_passed(peer, now);
}

bool
weir_peer_allowed(const weir_peer_t *peer, const weir_pick_t *pick, weir_instant_t now)
{
    const weir_peer_conf_t *conf = peer->conf;
    size_t                  i = pick_index(peer);

    if (conf->down || (pick->tried[i / 64] >> (i % 64) & 1) != 0) {
        return false;
    }
    if (conf->max_conns != 0 && peer->in_use >= conf->max_conns) {
        return false;
    }
    return !weir_peer_rests(peer, now);
}

void
weir_pick_begin(weir_pick_t *pick, weir_group_t *group, weir_arena_t *arena)
{
    weir_assert(group->refs > 0);
    *pick = (weir_pick_t) { .group = weir_group_ref(group) };
    pick->tried = weir_new_n(arena, uint64_t, (group->conf.n_peers + 63) / 64);
}

static void
pick_let_go(weir_pick_t *pick)
{
    if (pick->peer != NULL) {
        weir_assert(pick->peer->in_use > 0);
        pick->peer->in_use--;
        pick->peer = NULL;
    }
}

bool
weir_pick_next(weir_pick_t *pick, weir_instant_t now)
{
    weir_peer_t *peer;
    size_t       i;

    pick_let_go(pick);
    peer = weir_sets_pick(pick->group, pick, now);
    if (peer == NULL) {
        return false;
    }

    i = pick_index(peer);
    weir_assert((pick->tried[i / 64] >> (i % 64) & 1) == 0);     /* nobody is asked twice */
    pick->tried[i / 64] |= UINT64_C(1) << (i % 64);
    pick->peer = peer;
    peer->in_use++;
    pick->on_trial = pick_is_marked(peer);
    if (pick->on_trial) {
        peer->checked = now;         /* so that the others wait for what comes of it */
    }
    return true;
}

/* Failures count together as long as each follows the one before within fail_timeout. */
static void
pick_failed(weir_peer_t *peer, weir_instant_t now)
{
    const weir_peer_conf_t *conf = peer->conf;

    if (conf->max_fails == 0 || peer->group->conf.n_peers == 1) {
        return;
    }
    if (peer->fails < conf->max_fails && pick_fail_timeout_passed(peer, now)) {
        peer->fails = 0;
    }
    if (peer->fails < conf->max_fails) {
        peer->fails++;
    }
    peer->checked = now;
    weir_assert(peer->fails <= conf->max_fails);
    weir_peer_tell(peer);
    if (peer->fails == conf->max_fails) {
        weir_log(WEIR_LOG_WARN, NULL, 0, "upstream server temporarily disabled: \"%.*s\" (%.*s) of upstream \"%.*s\"",
                 WEIR_STR_ARG(conf->server), WEIR_STR_ARG(conf->text), WEIR_STR_ARG(peer->group->conf.name));
    }
}

void
weir_pick_report(weir_pick_t *pick, bool failed, weir_instant_t now)
{
    if (pick->peer == NULL) {
        return;
    }
    if (pick->group->conf.balancer->report != NULL) {
        pick->group->conf.balancer->report(pick->peer, failed);
    }
    if (failed) {
        pick_failed(pick->peer, now);
    } else if (pick->on_trial) {
        pick->peer->fails = 0;
        weir_peer_tell(pick->peer);
    }
    pick_let_go(pick);
}

bool
weir_pick_has_next(const weir_pick_t *pick, weir_instant_t now)
{
    const weir_group_t *group = pick->group;

    for (size_t i = 0; i < group->conf.n_peers; i++) {
        if (weir_peer_allowed(&group->peers[i], pick, now)) {
            return true;
        }
    }
    return false;
}

void
weir_pick_end(weir_pick_t *pick)
{
    pick_let_go(pick);
    if (pick->group != NULL) {
        weir_group_unref(pick->group);
        pick->group = NULL;
    }
}
