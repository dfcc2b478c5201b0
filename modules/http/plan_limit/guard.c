/*
 * guard.c - the limits of a client's plan: its rate and burst, how many requests are under way, and how many an
 * hour, a day and a month have; exact over all workers.
 *
 * guard/consumer.h says whose plan it is.  A client counts by its own name, whatever its plan is called, so that a plan
 * that is changed in the store, or another one, holds at once and forgets nothing.  In the order rate, concurrency,
 * hour, day, month each is taken; when one refuses, what was taken is given back, so that a request that is refused
 * costs nothing.  It is the last of the access phase: it does not count what guards refuse.
 *
 * One zone has three kinds of memory: rates (shm/rate.h), requests under way (shm/holds.h; the master gives back what a
 * dead worker held) and quotas (shm/quota.h; the store keeps them, and of long rates what is ahead).  Runs in workers;
 * a limit that a plan does not have costs nothing, one that it has a look and a compare-and-swap.
 */
#include "plan_limit.h"

#include "http/record/story.h"
#include "http/vars/uri_text.h"
#include "os/clock.h"

#define PLAN_NS_A_MS UINT64_C(1000000)

/* -- taking and giving back -- */

static void
plan_let_go(void *data)
{
    plan_state_t *state = data;

    if (state->is_held) {
        state->is_held = false;
        weir_holds_drop(&state->zone->holds, &state->hold);
    }
}

static weir_quota_result_t
plan_take_quota(const plan_state_t *state, size_t i, plan_quota_t *quota, uint64_t allowed)
{
    return weir_quota_take(state->zone->calendar[i].table, state->zone->names[i], &state->key, &quota->period, allowed,
                           &quota->count);
}

/* Of a rate that another limit has refused for: as if nothing had been asked. */
static void
plan_untell_rate(plan_state_t *state)
{
    if (state->has_rate && state->verdict.admitted) {
        state->verdict.left++;
        state->verdict.reset_ns -= weir_min(state->verdict.reset_ns, state->rate.period_ns);
    }
}

/* What was taken before one refused: quotas below `end`, and what comes before them. */
static void
plan_give_back(plan_state_t *state, size_t end, uint64_t now_ns)
{
    while (end-- > 0) {
        plan_quota_t *quota = &state->quotas[end];

        if (quota->is_on) {
            weir_quota_give_back(state->zone->calendar[end].table, state->zone->names[end], &state->key, &quota->count);
            quota->count.used--;
        }
    }
    plan_let_go(state);
    if (state->has_rate && state->verdict.admitted) {
        weir_rate_give_back(state->zone->rates, &state->key, &state->rate, now_ns);
    }
    plan_untell_rate(state);
}

/* Quotas that were not asked, for the client. */
static void
plan_look(plan_state_t *state, size_t from)
{
    for (size_t i = from; i < PLAN_PERIODS; i++) {
        if (state->is_told && state->quotas[i].is_on) {
            (void) !plan_take_quota(state, i, &state->quotas[i], 0);
        }
    }
}

static plan_result_t
plan_take_quotas(plan_state_t *state, uint64_t now_ns)
{
    weir_quota_result_t result;

    for (size_t i = 0; i < PLAN_PERIODS; i++) {
        plan_quota_t *quota = &state->quotas[i];

        result = quota->is_on ? plan_take_quota(state, i, quota, quota->allowed) : WEIR_QUOTA_ADMITTED;
        if (result == WEIR_QUOTA_ADMITTED) {
            continue;
        }
        state->refused = quota;
        plan_give_back(state, i, now_ns);
        plan_look(state, i + 1);
        return result == WEIR_QUOTA_REFUSED ? PLAN_QUOTA : result == WEIR_QUOTA_FULL ? PLAN_NO_ROOM : PLAN_UNKNOWN;
    }
    return PLAN_ADMITTED;
}

/* What would be said, when nothing is taken. */
static plan_result_t
plan_foresee(plan_state_t *state, uint64_t now_ns)
{
    plan_result_t result = PLAN_ADMITTED;

    if (state->has_rate) {
        weir_rate_peek(state->zone->rates, &state->key, &state->rate, now_ns, &state->verdict);
        result = state->verdict.admitted ? PLAN_ADMITTED : PLAN_RATE;
    }
    if (result == PLAN_ADMITTED
        && weir_holds_total_hashed(&state->zone->holds, &state->key) >= state->client->rates.concurrency)
    {
        result = PLAN_CONCURRENCY;
    }
    for (size_t i = 0; result == PLAN_ADMITTED && i < PLAN_PERIODS; i++) {
        plan_quota_t *quota = &state->quotas[i];

        if (quota->is_on && plan_take_quota(state, i, quota, 0) == WEIR_QUOTA_REFUSED
            && quota->count.used >= quota->allowed)
        {
            state->refused = quota;
            result = PLAN_QUOTA;
        }
    }
    if (result != PLAN_ADMITTED) {
        plan_untell_rate(state);
        plan_look(state, 0);
    }
    return result;
}

static plan_result_t
plan_take_all(plan_state_t *state, weir_request_t *req, uint64_t now_ns)
{
    uint64_t            most = state->client->rates.concurrency;
    weir_holds_result_t held = WEIR_HOLDS_TAKEN;

    if (state->has_rate) {
        weir_rate_take(state->zone->rates, &state->key, &state->rate, now_ns, &state->verdict);
        if (!state->verdict.admitted) {
            plan_look(state, 0);
            return PLAN_RATE;
        }
    }
    if (most != UINT64_MAX) {
        held = weir_holds_take_hashed(&state->zone->holds, &state->key, (uint32_t) weir_min(most, WEIR_HOLDS_MAX),
                                      &state->hold);
        if (held != WEIR_HOLDS_TAKEN) {
            plan_give_back(state, 0, now_ns);
            plan_look(state, 0);
            return held == WEIR_HOLDS_FULL ? PLAN_NO_ROOM : PLAN_CONCURRENCY;
        }
        state->is_held = true;
        weir_arena_on_cleanup(&req->arena, plan_let_go, state);
    }
    return plan_take_quotas(state, now_ns);
}

/* While a request that is refused holds what it gives back, another one, of another worker, may be refused for it.  So
 * a client that is refused again and again is looked at first, and takes nothing. */
static plan_result_t
plan_take(plan_state_t *state, weir_request_t *req)
{
    uint64_t      now_ns = weir_clock_now().ms * PLAN_NS_A_MS, *refused;
    plan_result_t result = PLAN_ADMITTED;

    refused = &state->zone->refused[state->key.name % PLAN_REFUSED];
    if (weir_unlikely(*refused == state->key.name)) {
        result = plan_foresee(state, now_ns);
        *refused = result != PLAN_ADMITTED ? *refused : 0;
    }
    if (result == PLAN_ADMITTED) {
        result = plan_take_all(state, req, now_ns);
        *refused = result == PLAN_CONCURRENCY || result == PLAN_QUOTA ? state->key.name : *refused;
    }
    return result;
}

/* -- a request -- */

static plan_state_t *
plan_state(weir_request_t *req, const plan_limit_t *limit, const weir_consumer_t *client, weir_str_t key)
{
    plan_state_t             *state = weir_new(&req->arena, plan_state_t);
    const weir_store_rates_t *rates = &client->rates;

    state->before = weir_request_kept(req, weir_http_plan_limit_index);
    state->zone = limit->zone;
    state->client = client;
    state->has_rate = rates->rate != UINT64_MAX;
    if (state->has_rate) {
        state->rate = (weir_rate_t) {
            .period_ns = weir_rate_adapting_period(rates->per_s * PLAN_NS_A_S / weir_max(rates->rate, 1)),
            .burst = rates->burst, .zone = limit->zone->zone.name, .adapts = true,
        };
    }
    weir_keyed_hash(limit->zone->rates, key, &state->key);
    for (size_t i = 0; i < PLAN_PERIODS; i++) {
        plan_quota_t *quota = &state->quotas[i];

        memcpy(&quota->allowed, (const char *) &client->quotas + plan_periods[i].offset, sizeof(quota->allowed));
        quota->is_on = quota->allowed != UINT64_MAX;
        if (quota->is_on) {
            quota->allowed = weir_min(quota->allowed, WEIR_QUOTA_MAX);
            quota->period = weir_calendar_now(&limit->zone->calendar[i]);
        }
    }
    weir_request_keep(req, weir_http_plan_limit_index, state);
    return state;
}

/* What the client counts by here.  Clients that are no consumers may have another plan elsewhere: they count by
 * plan. */
static weir_str_t
plan_key(weir_request_t *req, const plan_limit_t *limit, const weir_consumer_t *client)
{
    weir_str_t key = client->limit_key;

    if (client->state == WEIR_CONSUMER_ANONYMOUS) {
        key = weir_str_printf(&req->arena, "%.*s\x1f%.*s", WEIR_STR_ARG(key), WEIR_STR_ARG(client->plan));
    }
    if (limit->scope != NULL) {
        weir_str_t scope = weir_uri_text_plain(req, limit->scope);

        key = weir_str_printf(&req->arena, "%.*s\x1f%.*s", WEIR_STR_ARG(key), WEIR_STR_ARG(scope));
    }
    return key;
}

weir_cause_t
plan_cause(plan_result_t result)
{
    static const weir_cause_t causes[] = {
        [PLAN_RATE] = WEIR_CAUSE_LIMIT_PLAN_RATE, [PLAN_CONCURRENCY] = WEIR_CAUSE_LIMIT_PLAN_CONCURRENCY,
        [PLAN_QUOTA] = WEIR_CAUSE_LIMIT_PLAN_QUOTA, [PLAN_NO_ROOM] = WEIR_CAUSE_STORE_UNAVAILABLE,
        [PLAN_UNKNOWN] = WEIR_CAUSE_STORE_UNAVAILABLE,
    };

    weir_assert(result != PLAN_ADMITTED && (size_t) result < weir_countof(causes));
    return causes[result];
}

static const char *
plan_period_name(const plan_state_t *state)
{
    weir_assert(state->refused >= state->quotas && state->refused < state->quotas + PLAN_PERIODS);
    return plan_periods[state->refused - state->quotas].name;
}

static void
plan_log(const plan_conf_t *conf, weir_request_t *req, const plan_state_t *state)
{
    const weir_consumer_t *client = state->client;
    weir_cause_t           cause = plan_cause(state->result);
    weir_str_t             name = client->state == WEIR_CONSUMER_KNOWN ? client->name : WEIR_STR("anonymous");
    weir_str_t             head = weir_str_printf(&req->arena, "limiting %.*s by plan \"%.*s\"%s", WEIR_STR_ARG(name),
                                                  WEIR_STR_ARG(client->plan), state->is_rehearsal ? ", dry run" : "");

    switch (state->result) {
    case PLAN_RATE:
        weir_request_log(req, conf->log_level, cause, "%.*s: %llu requests every %llus", WEIR_STR_ARG(head),
                         (unsigned long long) client->rates.rate, (unsigned long long) client->rates.per_s);
        return;
    case PLAN_CONCURRENCY:
        weir_request_log(req, conf->log_level, cause, "%.*s: %llu requests under way", WEIR_STR_ARG(head),
                         (unsigned long long) client->rates.concurrency);
        return;
    case PLAN_QUOTA:
        weir_request_log(req, conf->log_level, cause, "%.*s: %llu of %llu requests of the %s", WEIR_STR_ARG(head),
                         (unsigned long long) state->refused->count.used, (unsigned long long) state->refused->allowed,
                         plan_period_name(state));
        return;
    default:
        weir_request_log(req, conf->log_level, cause, "%.*s: %s", WEIR_STR_ARG(head),
                         state->result == PLAN_NO_ROOM ? "the zone has no room for another client"
                                                       : "the store cannot be read");
    }
}

/* What the story says beside the verdict: which limit refused. */
static weir_str_t
plan_story_name(const plan_state_t *state)
{
    return state->result == PLAN_RATE ? WEIR_STR("rate") : state->result == PLAN_CONCURRENCY ? WEIR_STR("concurrency")
           : state->result == PLAN_QUOTA ? weir_str_from_z(plan_period_name(state)) : state->zone->zone.name;
}

static weir_step_t
plan_decide(const plan_conf_t *conf, weir_request_t *req, plan_state_t *state)
{
    bool is_refused = state->result != PLAN_ADMITTED;

    state->status = !is_refused ? WEIR_LIMIT_PASSED : state->is_rehearsal ? WEIR_LIMIT_REJECTED_DRY_RUN
                    : WEIR_LIMIT_REJECTED;
    weir_limit_judged(req, "plan_limit", plan_story_name(state), state->zone->stats, state->status);
    if (!is_refused) {
        return WEIR_NEXT;
    }
    plan_log(conf, req, state);
    if (state->is_rehearsal) {
        return weir_dry_run_ends(req);
    }
    return state->result == PLAN_NO_ROOM || state->result == PLAN_UNKNOWN
           ? weir_request_fail(req, plan_cause(state->result), NULL)
           : weir_request_fail_status(req, plan_cause(state->result), (uint16_t) conf->status, NULL);
}

/* A client that is no consumer, or a consumer without a plan; a plan that is named and not in the store allows
 * nothing. */
static weir_step_t
plan_without(const plan_conf_t *conf, weir_request_t *req, const weir_consumer_t *client, bool is_rehearsal)
{
    bool is_gone = client->plan.len != 0;

    if (!conf->require.on && !is_gone) {
        return WEIR_NEXT;
    }
    weir_http_story_judged(req, "plan_limit", client->plan, weir_dry_run_verdict(true, is_rehearsal));
    if (is_gone) {
        weir_request_log(req, WEIR_LOG_ERROR, WEIR_CAUSE_LIMIT_PLAN_MISSING, "the plan \"%.*s\" is not in the store%s",
                         WEIR_STR_ARG(client->plan), is_rehearsal ? ": dry run" : "");
    }
    if (is_rehearsal) {
        weir_dry_run_log(req, WEIR_CAUSE_LIMIT_PLAN_MISSING);
        return weir_dry_run_ends(req);
    }
    return weir_request_fail(req, WEIR_CAUSE_LIMIT_PLAN_MISSING, NULL);
}

weir_step_t
plan_access(weir_request_t *req, const void *conf_)
{
    const plan_conf_t     *conf = conf_, *outside = req->server->fallback->conf[weir_http_plan_limit_index];
    const plan_limit_t    *limit = &conf->limit;
    weir_policy_t          policy = weir_dry_run_begin(req, conf->dry_run);
    bool                   is_rehearsal = policy == WEIR_POLICY_REHEARSED;
    const weir_consumer_t *client;
    plan_state_t          *state;
    weir_str_t             key;

    if (policy == WEIR_POLICY_NOT_ASKED || !weir_request_is_let_in(req, is_rehearsal)
        || !weir_limit_counts(req, limit->what, limit->words.at == outside->limit.words.at, is_rehearsal))
    {
        return WEIR_NEXT;
    }
    client = weir_consumer_of(req);
    if (req->failed_value != WEIR_CAUSE_NONE) {
        return WEIR_NEXT;                    /* it is refused for that */
    }
    if (!client->has_plan) {
        return plan_without(conf, req, client, is_rehearsal);
    }
    key = plan_key(req, limit, client);
    if (client->limit_key.len == 0 || req->failed_value != WEIR_CAUSE_NONE) {
        return WEIR_NEXT;
    }
    state = plan_state(req, limit, client, key);
    state->is_rehearsal = is_rehearsal;
    state->is_told = conf->headers.on && !is_rehearsal;
    state->result = plan_take(state, req);
    weir_limit_counted(req, limit->what, is_rehearsal && state->result != PLAN_ADMITTED);
    return plan_decide(conf, req, state);
}
