/*
 * told.c - what a client is told of the limits of its plan, if plan_limit_headers says so.
 */
#include "plan_limit.h"

#include "os/clock.h"

static weir_str_t
plan_told_name(weir_request_t *req, const plan_state_t *state, const char *limit)
{
    return weir_str_printf(&req->arena, "%.*s-%s", WEIR_STR_ARG(state->zone->zone.name), limit);
}

static uint64_t
plan_seconds(uint64_t ns)
{
    return (ns + PLAN_NS_A_S - 1) / PLAN_NS_A_S;
}

static void
plan_tell_rate(weir_request_t *req, const plan_state_t *state, bool refused)
{
    uint64_t window_s = plan_seconds((state->rate.burst + 1) * state->rate.period_ns);

    weir_limit_tell(req, plan_told_name(req, state, "rate"), &(weir_limit_told_t) {
        .quota = window_s * PLAN_NS_A_S / state->rate.period_ns,
        .window_s = window_s,
        .left = state->verdict.left,
        .reset_s = plan_seconds(state->verdict.reset_ns),
        .retry_s = plan_seconds(state->verdict.wait_ns),
        .refused = refused && state->result == PLAN_RATE,
    });
}

static void
plan_tell_quota(weir_request_t *req, const plan_state_t *state, size_t i, bool refused)
{
    const plan_quota_t  *quota = &state->quotas[i];
    const weir_period_t *period = state->zone->calendar[i].period;
    int64_t              now_s = (int64_t) (weir_clock_wall_ms() / 1000);
    uint64_t             rest_s = quota->period.end_s > now_s ? (uint64_t) (quota->period.end_s - now_s) : 0;

    weir_limit_tell(req, plan_told_name(req, state, plan_periods[i].name), &(weir_limit_told_t) {
        .quota = quota->allowed,
        .window_s = (uint64_t) (period->end_s - period->begin_s),
        .left = quota->allowed > quota->count.used ? quota->allowed - quota->count.used : 0,
        .reset_s = rest_s,
        .retry_s = rest_s,
        .refused = refused && state->refused == quota,
    });
}

weir_step_t
plan_head(weir_request_t *req, const void *conf)
{
    const plan_state_t *state = weir_request_kept(req, weir_http_plan_limit_index);

    (void) conf;
    for (; state != NULL; state = state->before) {
        bool refused = state->status == WEIR_LIMIT_REJECTED && req->cause == plan_cause(state->result);

        if (!state->is_told) {
            continue;
        }
        if (state->has_rate) {
            plan_tell_rate(req, state, refused);
        }
        for (size_t i = 0; i < PLAN_PERIODS; i++) {
            if (state->quotas[i].is_on) {
                plan_tell_quota(req, state, i, refused);
            }
        }
    }
    return WEIR_NEXT;
}
