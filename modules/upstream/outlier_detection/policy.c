/*
 * policy.c - what the policy is told of: each attempt is counted; and what it tells statistics.
 */
#include "outlier.h"

#include "os/clock.h"

#include <stdio.h>

static void
outlier_work(weir_uppolicy_of_t *of, weir_instant_t now)
{
    outlier_return_all(of, now);
    outlier_judge(of, now);
}

/* The end of the interval that is on. */
static void
outlier_wait(outlier_group_t *group, weir_instant_t now)
{
    group->judges = (weir_instant_t) { __atomic_load_n(&group->words->judged, __ATOMIC_ACQUIRE)
                                       + outlier_conf(group->of)->interval };
    group->has_counted = false;
    outlier_wake(group, group->judges, now);
}

void
outlier_on_timer(weir_timer_t *timer)
{
    outlier_group_t *group = weir_container_of(timer, outlier_group_t, timer);
    weir_instant_t   now = weir_clock_now();
    uint64_t         due;

    group->fires = (weir_instant_t) { 0 };
    outlier_work(group->of, now);
    if (group->judges.ms > now.ms) {
        outlier_wake(group, group->judges, now);
    } else if (group->has_counted) {
        outlier_wait(group, now);
    } else {
        group->judges = (weir_instant_t) { 0 };          /* an idle worker is not woken */
    }
    due = __atomic_load_n(&group->words->due, __ATOMIC_ACQUIRE);
    if (due != 0) {
        outlier_wake(group, (weir_instant_t) { due }, now);
    }
}

static void
outlier_begin(weir_uppolicy_of_t *of)
{
    outlier_group_t *group = outlier_group(of);

    group->of = of;
    group->words = weir_state_part(of->group, NULL, "outliers")->place.record;
}

static void
outlier_end(weir_uppolicy_of_t *of)
{
    weir_timer_drop(&outlier_group(of)->timer);
}

/* It may have been ejected by a worker that is dead. */
static void
outlier_peer_begin(weir_uppolicy_of_t *of, weir_peer_t *peer)
{
    outlier_peer_t *own = weir_policy_peer(of, peer);
    weir_instant_t  now = weir_clock_now(), until;

    own->part = weir_state_part(of->group, peer, "outlier");
    own->words = own->part->place.record;
    if (outlier_is_ejected(peer)) {
        until = weir_outlier_until(own->words);
        weir_outlier_due(outlier_group(of)->words, until);
        outlier_wake(outlier_group(of), until, now);
    }
}

static void
outlier_peer_end(weir_uppolicy_of_t *of, weir_peer_t *peer)
{
    weir_state_part_drop(((outlier_peer_t *) weir_policy_peer(of, peer))->part);
}

static weir_refusal_t
outlier_admit(weir_uppolicy_of_t *of, weir_pick_t *pick WEIR_UNUSED, weir_instant_t now)
{
    if (weir_unlikely(outlier_is_due(outlier_group(of)->words, now))) {
        outlier_return_all(of, now);
    }
    return WEIR_REFUSED_NOT;
}

/* An answer's status says how it was, unless what came was none after all. */
static bool
outlier_is_answer(const weir_outcome_t *outcome)
{
    return outcome->kind == WEIR_OUTCOME_ANSWER || (outcome->kind == WEIR_OUTCOME_INVALID && outcome->status >= 400);
}

#define OUTLIER_BIT(reason) (1u << (reason))

/* The rows that the attempt makes longer, and those that it ends. */
static unsigned
outlier_rows(const weir_outcome_t *outcome, bool is_split, unsigned *ended)
{
    const unsigned answers = OUTLIER_BIT(WEIR_OUTLIER_5XX) | OUTLIER_BIT(WEIR_OUTLIER_GATEWAY);

    *ended = 0;
    if (outcome->kind == WEIR_OUTCOME_INVALID && !outlier_is_answer(outcome)) {
        return answers;                      /* as if it had answered with 502 */
    }
    if (!outlier_is_answer(outcome)) {
        return is_split ? OUTLIER_BIT(WEIR_OUTLIER_LOCAL) : answers;
    }
    *ended = OUTLIER_BIT(WEIR_OUTLIER_LOCAL);
    if (outcome->status < 500) {
        *ended |= answers;
        return 0;
    }
    if (outcome->status >= 502 && outcome->status <= 504) {
        return answers;
    }
    *ended |= OUTLIER_BIT(WEIR_OUTLIER_GATEWAY);
    return OUTLIER_BIT(WEIR_OUTLIER_5XX);
}

__attribute__((noinline, cold)) static void
outlier_reached(weir_uppolicy_of_t *of, weir_peer_t *peer, unsigned reached, const weir_outcome_t *outcome,
                weir_instant_t now)
{
    weir_outlier_reason_t reason = (reached & OUTLIER_BIT(WEIR_OUTLIER_GATEWAY)) != 0 ? WEIR_OUTLIER_GATEWAY
                                   : (reached & OUTLIER_BIT(WEIR_OUTLIER_5XX)) != 0 ? WEIR_OUTLIER_5XX
                                   : WEIR_OUTLIER_LOCAL;
    char                  why[OUTLIER_WHY], last[32] = "none";

    if (outcome->status != 0) {
        (void) snprintf(last, sizeof(last), "%u", (unsigned) outcome->status);
    }
    (void) snprintf(why, sizeof(why), "%u failures in a row, the last answer was %s", outlier_conf(of)->rows[reason],
                    last);
    outlier_eject(of, peer, reason, why, now);
}

/* What is judged at the end of the interval. */
static void
outlier_count(const outlier_conf_t *conf, weir_outlier_peer_t *words, unsigned more, const weir_outcome_t *outcome)
{
    bool is_local_failure = (more & OUTLIER_BIT(WEIR_OUTLIER_LOCAL)) != 0;

    if (conf->rate != 0 || conf->percentage != 0) {
        if (!is_local_failure) {
            weir_outlier_count(&words->answers, more != 0);
        }
        if (conf->is_split != 0) {
            weir_outlier_count(&words->local, is_local_failure);
        }
    }
    if (conf->latency != 0 && outcome->status != 0) {
        if (outcome->header_time.ms != 0) {
            (void) __atomic_fetch_add(&words->time, outcome->header_time.ms, __ATOMIC_RELAXED);
        }
        (void) __atomic_fetch_add(&words->timed, 1, __ATOMIC_RELAXED);
    }
}

static void
outlier_report(weir_uppolicy_of_t *of, weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now)
{
    const outlier_conf_t *conf = outlier_conf(of);
    outlier_group_t      *group = outlier_group(of);
    weir_outlier_peer_t  *words = outlier_words(of, pick->peer);
    unsigned              more, ended, reached;

    if (outcome->kind == WEIR_OUTCOME_ABANDONED) {
        return;
    }
    if (group->judges.ms == 0) {
        outlier_work(of, now);
        outlier_wait(group, now);
    }
    group->has_counted = true;
    more = outlier_rows(outcome, conf->is_split != 0, &ended);
    outlier_count(conf, words, more, outcome);
    reached = weir_outlier_count_rows(words, more, ended, conf->rows);
    if (reached != 0) {
        outlier_reached(of, pick->peer, reached, outcome, now);
    }
}

/* -- statistics -- */

#define OUTLIER_EJECTIONS(is_of_peer, word) \
    { .name = "ejections", .help = "Times that a server was ejected.", .of_peer = (is_of_peer), .label = "reason", \
      .value = (word) }
#define OUTLIER_ALL(is_of_peer) \
    OUTLIER_EJECTIONS(is_of_peer, "consecutive_5xx"), OUTLIER_EJECTIONS(is_of_peer, "consecutive_gateway"), \
    OUTLIER_EJECTIONS(is_of_peer, "consecutive_local_origin"), OUTLIER_EJECTIONS(is_of_peer, "success_rate"), \
    OUTLIER_EJECTIONS(is_of_peer, "local_origin_success_rate"), OUTLIER_EJECTIONS(is_of_peer, "failure_percentage"), \
    OUTLIER_EJECTIONS(is_of_peer, "local_origin_failure_percentage"), OUTLIER_EJECTIONS(is_of_peer, "latency")

enum { OUTLIER_TOLD_EJECTIONS, OUTLIER_TOLD_EJECTED = WEIR_OUTLIER_REASONS, OUTLIER_TOLD_OVERFLOWS,
       OUTLIER_TOLD_RETURNS, OUTLIER_TOLD_PEER, OUTLIER_TOLD_TIMES = OUTLIER_TOLD_PEER + WEIR_OUTLIER_REASONS,
       OUTLIER_TOLD_LEFT, OUTLIER_TOLD_ALL };

static const weir_told_t outlier_tells[] = {
    OUTLIER_ALL(false),
    { .name = "ejected", .help = "Servers that are ejected.", .kind = WEIR_TOLD_GAUGE },
    { .name = "overflows", .help = "Servers that were not ejected because of max_ejection." },
    { .name = "returns", .help = "Servers that have come back." },
    OUTLIER_ALL(true),
    { .name = "times", .help = "What the time of the next ejection goes by.", .kind = WEIR_TOLD_GAUGE,
      .of_peer = true },
    { .name = "left_seconds", .help = "How long it is ejected yet.", .kind = WEIR_TOLD_SECONDS, .of_peer = true },
};

_Static_assert(weir_countof(outlier_tells) == OUTLIER_TOLD_ALL && OUTLIER_TOLD_ALL <= WEIR_TOLD_MAX, "in their order");

static void
outlier_tell_peer(const weir_uppolicy_of_t *of, const weir_peer_t *peer, uint64_t *numbers)
{
    const weir_outlier_peer_t *words = outlier_words(of, peer);
    uint64_t                   until = weir_outlier_until(words).ms, now = weir_clock_now().ms;

    for (unsigned i = 0; i < WEIR_OUTLIER_REASONS; i++) {
        numbers[OUTLIER_TOLD_PEER + i] = __atomic_load_n(&words->ejections[i], __ATOMIC_RELAXED);
    }
    numbers[OUTLIER_TOLD_TIMES] = weir_outlier_times(words);
    numbers[OUTLIER_TOLD_LEFT] = outlier_is_ejected(peer) && until > now ? until - now : 0;
}

static void
outlier_tell(const weir_uppolicy_of_t *of, const weir_peer_t *peer, uint64_t *numbers)
{
    const weir_outlier_group_t *words = outlier_group(of)->words;
    weir_peer_t *const         *peers;
    size_t                      n = weir_group_peers(of->group, &peers);

    if (peer != NULL) {
        outlier_tell_peer(of, peer, numbers);
        return;
    }
    for (unsigned i = 0; i < WEIR_OUTLIER_REASONS; i++) {
        numbers[OUTLIER_TOLD_EJECTIONS + i] = __atomic_load_n(&words->ejections[i], __ATOMIC_RELAXED);
    }
    for (size_t i = 0; i < n; i++) {
        numbers[OUTLIER_TOLD_EJECTED] += outlier_is_ejected(peers[i]);
    }
    numbers[OUTLIER_TOLD_OVERFLOWS] = __atomic_load_n(&words->overflows, __ATOMIC_RELAXED);
    numbers[OUTLIER_TOLD_RETURNS] = __atomic_load_n(&words->returns, __ATOMIC_RELAXED);
}

const weir_uppolicy_t outlier_policy = {
    .name = "outlier_detection",
    .group_size = sizeof(outlier_group_t), .peer_size = sizeof(outlier_peer_t), .bars = WEIR_BARRED_EJECTED,
    .begin = outlier_begin, .end = outlier_end, .peer_begin = outlier_peer_begin, .peer_end = outlier_peer_end,
    .admit = outlier_admit, .report = outlier_report,
    .tells = outlier_tells, .n_tells = weir_countof(outlier_tells), .tell = outlier_tell,
};
