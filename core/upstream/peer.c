/*
 * peer.c - what the attempts of requests say about a peer: when it is marked as failed, and when it is tried again.
 *
 * Runs in workers.  A peer that failed max_fails times, none of them more than fail_timeout after the one before, is
 * skipped for fail_timeout; then one request tries it, and if that succeeds the peer is as good as before.
 */
#include "log/log.h"
#include "shm/stats.h"
#include "upstream/running.h"

bool
weir_peer_is_marked(const weir_peer_t *peer)
{
    const weir_peer_conf_t *conf = peer->conf;

    return conf->max_fails != 0 && peer->fails >= conf->max_fails && peer->group->conf.n_peers > 1;
}

void
weir_peer_tell(weir_peer_t *peer)
{
    if (weir_peer_is_marked(peer) == peer->is_marked) {
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
peer_timeout_passed(const weir_peer_t *peer, weir_instant_t now)
{
    return now.ms - peer->checked.ms > peer->conf->fail_timeout.ms;
}

bool
weir_peer_rests(const weir_peer_t *peer, weir_instant_t now)
{
    return weir_peer_is_marked(peer) && !peer_timeout_passed(peer, now);
}

bool
weir_peer_allowed(const weir_peer_t *peer, const weir_pick_t *pick, weir_instant_t now)
{
    const weir_peer_conf_t *conf = peer->conf;
    size_t                  i = (size_t) (peer - peer->group->peers);

    if (conf->down || (pick->tried[i / 64] >> (i % 64) & 1) != 0) {
        return false;
    }
    if (conf->max_conns != 0 && peer->in_use >= conf->max_conns) {
        return false;
    }
    return !weir_peer_rests(peer, now);
}

void
weir_peer_failed(weir_peer_t *peer, weir_instant_t now)
{
    const weir_peer_conf_t *conf = peer->conf;

    if (conf->max_fails == 0 || peer->group->conf.n_peers == 1) {
        return;
    }
    if (peer->fails < conf->max_fails && peer_timeout_passed(peer, now)) {
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
weir_peer_recovered(weir_peer_t *peer)
{
    peer->fails = 0;
    weir_peer_tell(peer);
}
