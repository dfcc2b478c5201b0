/*
 * judge.c - the end of an interval: success rates, percentages of failures and latencies of the peers, each compared
 * with what is usual in the group or with a number.
 */
#include "outlier.h"

#include "base/mem.h"

#include <stdio.h>

typedef struct {
    weir_peer_t         *peer;               /* NULL: it is not judged */
    weir_outlier_tally_t answers, local;
    uint64_t             timed, time;
} outlier_seen_t;

/* A list of what was seen, and room for a number of each. */
typedef struct {
    outlier_seen_t *peers;
    double         *values;
    size_t          n;
} outlier_interval_t;

static inline const weir_outlier_tally_t *
outlier_tally(const outlier_seen_t *seen, bool is_local)
{
    return is_local ? &seen->local : &seen->answers;
}

static inline double
outlier_rate(const weir_outlier_tally_t *tally)
{
    return 100.0 * (tally->requests - tally->failures) / tally->requests;
}

static void
outlier_judge_rate(weir_uppolicy_of_t *of, const outlier_interval_t *interval, bool is_local, weir_instant_t now)
{
    const outlier_conf_t *conf = outlier_conf(of);
    size_t                n = 0;
    double                least;
    char                  why[OUTLIER_WHY];

    for (size_t i = 0; i < interval->n; i++) {
        const weir_outlier_tally_t *tally = outlier_tally(&interval->peers[i], is_local);

        if (tally->requests != 0 && tally->requests >= conf->rate_requests) {
            interval->values[n++] = outlier_rate(tally);
        }
    }
    if (conf->rate == 0 || n == 0 || n < conf->rate_hosts) {
        return;
    }
    least = weir_outlier_least_rate(interval->values, n, conf->rate);
    for (size_t i = 0; i < interval->n; i++) {
        const weir_outlier_tally_t *tally = outlier_tally(&interval->peers[i], is_local);

        if (tally->requests != 0 && tally->requests >= conf->rate_requests && outlier_rate(tally) < least) {
            (void) snprintf(why, sizeof(why), "%.2f%% of %u requests succeeded, at least %.2f%% is usual here",
                            outlier_rate(tally), tally->requests, least);
            outlier_eject(of, interval->peers[i].peer,
                          is_local ? WEIR_OUTLIER_LOCAL_SUCCESS_RATE : WEIR_OUTLIER_SUCCESS_RATE, why, now);
        }
    }
}

static void
outlier_judge_percentage(weir_uppolicy_of_t *of, const outlier_interval_t *interval, bool is_local, weir_instant_t now)
{
    const outlier_conf_t *conf = outlier_conf(of);
    size_t                n = 0;
    char                  why[OUTLIER_WHY];

    for (size_t i = 0; i < interval->n; i++) {
        uint32_t requests = outlier_tally(&interval->peers[i], is_local)->requests;

        n += requests != 0 && requests >= conf->percentage_requests;
    }
    for (size_t i = 0; i < interval->n && conf->percentage != 0 && n >= conf->percentage_hosts; i++) {
        const weir_outlier_tally_t *tally = outlier_tally(&interval->peers[i], is_local);

        if (tally->requests != 0 && tally->requests >= conf->percentage_requests
            && (uint64_t) tally->failures * 10000 >= (uint64_t) tally->requests * conf->percentage)
        {
            (void) snprintf(why, sizeof(why), "%u of %u requests failed", tally->failures, tally->requests);
            outlier_eject(of, interval->peers[i].peer,
                          is_local ? WEIR_OUTLIER_LOCAL_PERCENTAGE : WEIR_OUTLIER_PERCENTAGE, why, now);
        }
    }
}

static inline bool
outlier_is_timed(const outlier_seen_t *seen, const outlier_conf_t *conf)
{
    return seen->timed != 0 && seen->timed >= conf->latency_requests;
}

static void
outlier_judge_latency(weir_uppolicy_of_t *of, const outlier_interval_t *interval, weir_instant_t now)
{
    const outlier_conf_t *conf = outlier_conf(of);
    size_t                n = 0;
    double                usual;
    char                  why[OUTLIER_WHY];

    for (size_t i = 0; i < interval->n; i++) {
        const outlier_seen_t *seen = &interval->peers[i];

        if (outlier_is_timed(seen, conf)) {
            interval->values[n++] = (double) seen->time / (double) seen->timed;
        }
    }
    if (conf->latency == 0 || n == 0 || n < conf->latency_hosts) {
        return;
    }
    usual = weir_outlier_median(interval->values, n);
    for (size_t i = 0; i < interval->n; i++) {
        const outlier_seen_t *seen = &interval->peers[i];
        double                mean = seen->timed != 0 ? (double) seen->time / (double) seen->timed : 0;

        if (outlier_is_timed(seen, conf) && mean > usual * conf->latency / 1000
            && mean - usual >= (double) conf->least_slower)
        {
            (void) snprintf(why, sizeof(why), "%.1f ms on average over %llu answers, %.1f ms is usual here", mean,
                            (unsigned long long) seen->timed, usual);
            outlier_eject(of, seen->peer, WEIR_OUTLIER_LATENCY, why, now);
        }
    }
}

static uint64_t
outlier_take(uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED) != 0 ? __atomic_exchange_n(word, 0, __ATOMIC_ACQ_REL) : 0;
}

/* What was counted is taken from the words; peers that are ejected already are not judged. */
static size_t
outlier_collect(weir_uppolicy_of_t *of, outlier_seen_t *list, weir_instant_t since, weir_instant_t now)
{
    weir_peer_t *const *peers;
    size_t              n = weir_group_peers(of->group, &peers), count = 0;
    uint32_t            ejected = 0;

    for (size_t i = 0; i < n; i++) {
        weir_outlier_peer_t *words = outlier_words(of, peers[i]);
        outlier_seen_t       seen = {
            .peer = peers[i], .answers = weir_outlier_take(&words->answers), .local = weir_outlier_take(&words->local),
            .timed = outlier_take(&words->timed), .time = outlier_take(&words->time),
        };

        if (outlier_is_ejected(peers[i])) {
            ejected++;
            continue;
        }
        weir_outlier_forgive(words, (weir_msec_t) { outlier_conf(of)->interval }, since, now);
        if (!peers[i]->conf->down && list != NULL) {
            list[count++] = seen;
        }
    }
    weir_outlier_settle(outlier_group(of)->words, ejected);
    return count;
}

/* One that is long over, because no worker was there to judge it, is dropped. */
void
outlier_judge(weir_uppolicy_of_t *of, weir_instant_t now)
{
    const outlier_conf_t *conf = outlier_conf(of);
    weir_peer_t *const   *peers;
    size_t                n = weir_group_peers(of->group, &peers);
    outlier_interval_t    interval = { .peers = NULL };
    weir_instant_t        since;
    bool                  is_late;

    if (!weir_outlier_judge(outlier_group(of)->words, (weir_msec_t) { conf->interval }, now, &since) || since.ms == 0) {
        return;
    }
    is_late = now.ms - since.ms >= 2 * conf->interval;
    if (!is_late) {
        interval.peers = weir_mem_try(n * (sizeof(*interval.peers) + sizeof(*interval.values)));
    }
    interval.n = outlier_collect(of, interval.peers, since, now);
    if (interval.peers != NULL) {
        interval.values = (double *) (interval.peers + n);
        outlier_judge_rate(of, &interval, false, now);
        outlier_judge_percentage(of, &interval, false, now);
        if (conf->is_split != 0) {
            outlier_judge_rate(of, &interval, true, now);
            outlier_judge_percentage(of, &interval, true, now);
        }
        outlier_judge_latency(of, &interval, now);
        weir_mem_free(interval.peers);
    }
}
