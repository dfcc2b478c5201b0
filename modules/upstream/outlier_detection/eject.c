/*
 * eject.c - a peer is ejected, by at most one of all workers, and comes back.
 */
#include "outlier.h"

#include "log/log.h"
#include "os/sys.h"

const char *const outlier_reasons[WEIR_OUTLIER_REASONS] = {
    [WEIR_OUTLIER_5XX] = "consecutive_5xx", [WEIR_OUTLIER_GATEWAY] = "consecutive_gateway",
    [WEIR_OUTLIER_LOCAL] = "consecutive_local_origin", [WEIR_OUTLIER_SUCCESS_RATE] = "success_rate",
    [WEIR_OUTLIER_LOCAL_SUCCESS_RATE] = "local_origin_success_rate", [WEIR_OUTLIER_PERCENTAGE] = "failure_percentage",
    [WEIR_OUTLIER_LOCAL_PERCENTAGE] = "local_origin_failure_percentage", [WEIR_OUTLIER_LATENCY] = "latency",
};

void
outlier_wake(outlier_group_t *group, weir_instant_t at, weir_instant_t now)
{
    if (group->fires.ms == 0 || at.ms < group->fires.ms) {
        group->fires = at;
        weir_timer_set(weir_group_loop(group->of->group), &group->timer,
                       (weir_msec_t) { at.ms > now.ms ? at.ms - now.ms : 1 }, outlier_on_timer);
    }
}

static weir_msec_t
outlier_jitter(uint64_t most)
{
    uint64_t drawn;

    if (most == 0 || weir_sys_random(&drawn, sizeof(drawn)) != 0) {
        return (weir_msec_t) { 0 };
    }
    return (weir_msec_t) { drawn % (most + 1) };
}

/* Those that the configuration does not call down. */
static size_t
outlier_count_peers(const weir_group_t *group)
{
    weir_peer_t *const *peers;
    size_t              n = weir_group_peers(group, &peers), count = 0;

    for (size_t i = 0; i < n; i++) {
        count += !peers[i]->conf->down;
    }
    return count;
}

/* The only peer of a group is never ejected: there would be no other to ask.  Nor is one by a group that another
 * configuration has replaced: that one may have nothing that would let the peer come back. */
void
outlier_eject(weir_uppolicy_of_t *of, weir_peer_t *peer, weir_outlier_reason_t reason, const char *why,
              weir_instant_t now)
{
    const outlier_conf_t *conf = outlier_conf(of);
    outlier_group_t      *group = outlier_group(of);
    weir_outlier_peer_t  *words = outlier_words(of, peer);
    size_t                n = outlier_count_peers(of->group);
    weir_msec_t           lasts;

    if (n < 2 || outlier_is_ejected(peer) || weir_group_is_replaced(of->group)) {
        return;
    }
    if (!weir_outlier_reserve(group->words, n, conf->most, conf->always_one != 0)) {
        (void) __atomic_fetch_add(&group->words->overflows, 1, __ATOMIC_RELAXED);
        return;
    }
    lasts = weir_outlier_begin(words, (weir_msec_t) { conf->base }, (weir_msec_t) { conf->max },
                               outlier_jitter(conf->jitter), now);
    if (!weir_peer_bar(peer, WEIR_BARRED_EJECTED, true)) {
        weir_outlier_release(group->words);          /* another worker has */
        return;
    }
    weir_outlier_due(group->words, weir_outlier_until(words));
    outlier_wake(group, weir_outlier_until(words), now);
    (void) __atomic_fetch_add(&words->ejections[reason], 1, __ATOMIC_RELAXED);
    (void) __atomic_fetch_add(&group->words->ejections[reason], 1, __ATOMIC_RELAXED);
    weir_log(WEIR_LOG_WARN, NULL, 0, "upstream server ejected for %llu.%03llus by %s: %s: \"%.*s\" (%.*s) of upstream "
             "\"%.*s\"", (unsigned long long) (lasts.ms / 1000), (unsigned long long) (lasts.ms % 1000),
             outlier_reasons[reason], why, WEIR_STR_ARG(peer->conf->server), WEIR_STR_ARG(peer->conf->text),
             WEIR_STR_ARG(weir_group_conf(of->group)->name));
}

static void
outlier_return(weir_uppolicy_of_t *of, weir_peer_t *peer)
{
    weir_outlier_group_t *group = outlier_group(of)->words;
    weir_outlier_peer_t  *words = outlier_words(of, peer);

    /* What was counted before says nothing about it any more. */
    (void) weir_outlier_count_rows(words, 0, ~0u, outlier_conf(of)->rows);
    (void) weir_outlier_take(&words->answers);
    (void) weir_outlier_take(&words->local);
    if (!weir_peer_bar(peer, WEIR_BARRED_EJECTED, false)) {
        return;
    }
    weir_outlier_release(group);
    (void) __atomic_fetch_add(&group->returns, 1, __ATOMIC_RELAXED);
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "upstream server no longer ejected: \"%.*s\" (%.*s) of upstream \"%.*s\"",
             WEIR_STR_ARG(peer->conf->server), WEIR_STR_ARG(peer->conf->text),
             WEIR_STR_ARG(weir_group_conf(of->group)->name));
}

/* One worker at a time: the one that takes `due`.  Those that are not over yet give it a new one, and so does each that
 * is ejected from now on. */
void
outlier_return_all(weir_uppolicy_of_t *of, weir_instant_t now)
{
    outlier_group_t    *group = outlier_group(of);
    uint64_t            due = __atomic_load_n(&group->words->due, __ATOMIC_ACQUIRE);
    weir_peer_t *const *peers;
    size_t              n = weir_group_peers(of->group, &peers);

    if (due == 0 || due > now.ms
        || !__atomic_compare_exchange_n(&group->words->due, &due, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        weir_instant_t until;

        if (!outlier_is_ejected(peers[i])) {
            continue;
        }
        until = weir_outlier_until(outlier_words(of, peers[i]));
        if (until.ms <= now.ms) {
            outlier_return(of, peers[i]);
        } else {
            weir_outlier_due(group->words, until);
            outlier_wake(group, until, now);
        }
    }
}
