/*
 * peer.c - what the attempts of requests say about a peer: when it is marked as failed, and when it is tried again.
 *
 * Runs in workers.  A peer that failed max_fails times, none of them more than fail_timeout after the one before, is
 * skipped for fail_timeout; then one request tries it, and if that succeeds the peer is as good as before.
 */
#include "log/log.h"
#include "os/clock.h"
#include "shm/stats.h"
#include "upstream/order.h"
#include "upstream/running.h"

static bool
peer_marks(const weir_peer_t *peer, weir_failures_t failures)
{
    const weir_peer_conf_t *conf = peer->conf;

    return conf->max_fails != 0 && failures.fails >= conf->max_fails && peer->group->conf.n_peers > 1;
}

bool
weir_peer_is_marked(const weir_peer_t *peer)
{
    return peer_marks(peer, weir_state_failures(peer));
}

/* is_marked: what it is now; counted where it was not so before. */
static void
peer_count(weir_peer_t *peer, bool is_marked)
{
    is_marked = is_marked && !peer->is_gone && peer->set != NULL;        /* else it is not of the group */
    if (is_marked == peer->is_marked) {
        return;
    }
    peer->is_marked = is_marked;
    weir_assert(peer->is_marked || peer->group->n_marked > 0);
    peer->group->n_marked += peer->is_marked ? 1 : (size_t) -1;
    weir_assert(peer->group->n_marked <= peer->group->conf.n_peers);
    if (!peer->is_shared && peer->conf->stats >= WEIR_STATS_KINDS) {
        weir_stats_mine(peer->conf->stats)->WEIR_GAUGE_UNAVAILABLE += peer->is_marked ? 1 : -1;
    }
}

/* Its set counts it anew. */
static void
peer_told(weir_peer_t *peer)
{
    peer->group->changed++;
    weir_order_told(peer);
}

void
weir_peer_tell(weir_peer_t *peer)
{
    bool is_marked, is_barred = weir_peer_barred(peer) != 0;

    do {                             /* another worker may mark it in between, and say so before this one does */
        is_marked = weir_peer_is_marked(peer);
        __atomic_store_n(&peer->state->is_marked, is_marked, __ATOMIC_SEQ_CST);
    } while (weir_peer_is_marked(peer) != is_marked);
    if (is_marked || is_barred || peer->is_marked) {
        peer_told(peer);
    }
    peer_count(peer, is_marked || is_barred);
    weir_slow_start_told(peer);
}

void
weir_peer_forget(weir_peer_t *peer)
{
    peer_count(peer, false);
    weir_slow_start_forget(peer);
}

/* Here at once, and in the other workers at their next look. */
static void
peer_changed(weir_peer_t *peer, weir_instant_t now)
{
    weir_peer_tell(peer);
    if (!peer->is_marked) {
        weir_slow_start_begin(peer, now);
    }
    weir_state_changed(peer);
}

/* Another worker's clock may be a little ahead of what this turn of the loop calls now. */
static bool
peer_timeout_passed(const weir_peer_t *peer, weir_failures_t failures, weir_instant_t now)
{
    return now.ms > failures.checked.ms && now.ms - failures.checked.ms > peer->conf->fail_timeout.ms;
}

static bool
peer_rests(const weir_peer_t *peer, weir_failures_t failures, weir_instant_t now)
{
    return peer_marks(peer, failures) && !peer_timeout_passed(peer, failures, now);
}

bool
weir_peer_rests(const weir_peer_t *peer, weir_instant_t now)
{
    return weir_peer_barred(peer) != 0 || peer_rests(peer, weir_state_failures(peer), now);
}

bool
weir_peer_bar(weir_peer_t *peer, weir_barred_t why, bool is_barred)
{
    uint64_t *word = &peer->state->barred, was;

    was = is_barred ? __atomic_fetch_or(word, (uint64_t) why, __ATOMIC_ACQ_REL)
                    : __atomic_fetch_and(word, ~(uint64_t) why, __ATOMIC_ACQ_REL);
    if (((was & (uint64_t) why) != 0) == is_barred) {
        return false;
    }
    peer_changed(peer, weir_clock_now());
    return true;
}

/* A check or outlier detection may be wrong about so many; what has not passed its first check, and what an operator
 * said, holds. */
bool
weir_peer_is_needed(const weir_peer_t *peer)
{
    const uint64_t passes = WEIR_BARRED_CHECK | WEIR_BARRED_EJECTED;

    return peer->set != NULL && peer->set->is_panic && (weir_peer_barred(peer) & ~passes) == 0;
}

weir_instant_t
weir_peer_rests_until(const weir_peer_t *peer)
{
    if (weir_peer_barred(peer) != 0) {
        return (weir_instant_t) { INT64_MAX };
    }
    return (weir_instant_t) { weir_state_failures(peer).checked.ms + peer->conf->fail_timeout.ms };
}

bool
weir_peer_try(weir_peer_t *peer, weir_instant_t now)
{
    weir_failures_t failures = weir_state_failures(peer), next = { failures.fails, now };

    return peer_marks(peer, failures) && !peer_rests(peer, failures, now)
           && weir_state_swap_failures(peer, failures, next);      /* so that the others wait for what comes of it */
}

bool
weir_peer_allowed(const weir_peer_t *peer, const weir_pick_t *pick, weir_instant_t now)
{
    const weir_peer_conf_t *conf = peer->conf;

    if (conf->down || peer->is_gone || weir_pick_has_tried(pick, peer)) {
        return false;
    }
    if (weir_unlikely(pick->avoids != 0) && (conf->backup || (pick->avoids >> peer->zone & 1) != 0)) {
        return false;
    }
    if (conf->max_conns != 0 && weir_state_in_use(peer) >= conf->max_conns) {
        return false;
    }
    return !weir_peer_rests(peer, now) || weir_peer_is_needed(peer);
}

bool
weir_peer_allowed_bound(const weir_peer_t *peer, const weir_pick_t *pick, weir_instant_t now)
{
    const weir_peer_conf_t *conf = peer->conf;

    if (conf->down || peer->is_gone || peer->set == NULL || weir_pick_has_tried(pick, peer)
        || (conf->max_conns != 0 && weir_state_in_use(peer) >= conf->max_conns))
    {
        return false;
    }
    return ((weir_peer_barred(peer) & ~WEIR_BARRED_BUT_BOUND) == 0
            && !peer_rests(peer, weir_state_failures(peer), now))
           || weir_peer_is_needed(peer);
}

/* What the failures are after one more. */
static weir_failures_t
peer_add_failure(const weir_peer_t *peer, weir_failures_t failures, weir_instant_t now)
{
    uint32_t max = peer->conf->max_fails;

    if (failures.fails < max && peer_timeout_passed(peer, failures, now)) {
        failures.fails = 0;
    }
    failures.fails = failures.fails < max ? failures.fails + 1 : max;
    failures.checked = now;
    return failures;
}

void
weir_peer_failed(weir_peer_t *peer, weir_instant_t now)
{
    const weir_peer_conf_t *conf = peer->conf;
    weir_failures_t         was, next;

    if (conf->max_fails == 0 || peer->group->conf.n_peers == 1) {
        return;
    }
    do {
        was = weir_state_failures(peer);
        next = peer_add_failure(peer, was, now);
    } while (!weir_state_swap_failures(peer, was, next));
    weir_assert(next.fails != 0 && next.fails <= conf->max_fails);
    if (next.fails != conf->max_fails) {
        return;
    }
    if (!peer_marks(peer, was)) {
        peer_changed(peer, now);
    } else {
        peer_told(peer);                     /* the try failed: it rests once more */
    }
    weir_log(WEIR_LOG_WARN, NULL, 0, "upstream server temporarily disabled: \"%.*s\" (%.*s) of upstream \"%.*s\"",
             WEIR_STR_ARG(conf->server), WEIR_STR_ARG(conf->text), WEIR_STR_ARG(peer->group->conf.name));
}

void
weir_peer_recovered(weir_peer_t *peer, weir_instant_t now)
{
    weir_failures_t was = weir_state_failures(peer);

    while (was.fails != 0 && !weir_state_swap_failures(peer, was, (weir_failures_t) { 0, was.checked })) {
        was = weir_state_failures(peer);
    }
    if (peer_marks(peer, was)) {
        peer_changed(peer, now);
    }
}
