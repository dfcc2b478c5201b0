/*
 * guard.c - a token is asked for: what the authorization server says of it is waited for, and the request goes on or is
 * refused.
 *
 * The waiting comes first in the preaccess phase, so that limits by what the server says know it; the verdict is that
 * of the access phase, in which other guards may have one as well.  A rehearsal (http/guard/dry_run.h) waits and judges
 * as in earnest, then lets all requests pass, and grants none access.  Runs in workers.
 */
#include "oauth2.h"

#include "http/record/story.h"

/* While the answer is waited for. */
typedef struct {
    weir_holder_t   hold;
    oauth2_state_t *state;
    oauth2_waiter_t waiter;
    bool            judges;                          /* it is the access phase */
} guard_wait_t;

/* -- the verdict -- */

static const char *
guard_error(weir_cause_t cause)
{
    return cause == WEIR_CAUSE_AUTH_OAUTH2_MISSING ? NULL
           : cause == WEIR_CAUSE_AUTH_OAUTH2_SCOPE ? "insufficient_scope" : "invalid_token";
}

static weir_step_t
guard_judge(weir_request_t *req, oauth2_state_t *state)
{
    const oauth2_conf_t    *conf = state->conf;
    weir_cause_t            cause = state->cause;
    const weir_cause_row_t *row = weir_cause_row(cause);

    weir_http_story_judged(req, "oauth2", WEIR_STR_NONE,
                           weir_dry_run_verdict(cause != WEIR_CAUSE_NONE, state->is_rehearsal));
    if (state->is_rehearsal) {
        return weir_dry_run_judge(req, cause);
    }
    if (conf->strip.on) {
        weir_bearer_strip(req, &conf->ask);
    }
    if (cause == WEIR_CAUSE_NONE) {
        return weir_request_grant(req);
    }
    if (row->status >= 500) {
        return weir_request_fail(req, cause, state->detail);
    }
    weir_bearer_challenge(req, conf->ask.realm, guard_error(cause),
                          cause == WEIR_CAUSE_AUTH_OAUTH2_SCOPE ? conf->scope_text : WEIR_STR_NONE);
    return weir_request_deny(req, cause, state->detail);
}

/* -- waiting -- */

static void
guard_on_cancel(weir_holder_t *hold)
{
    oauth2_flight_leave(&weir_container_of(hold, guard_wait_t, hold)->waiter);
}

static const weir_holder_ops_t guard_hold = { .on_cancel = guard_on_cancel };

static void
guard_on_answer(oauth2_waiter_t *waiter, weir_str_t text, const char *why)
{
    guard_wait_t   *wait = weir_container_of(waiter, guard_wait_t, waiter);
    oauth2_state_t *state = wait->state;
    weir_request_t *req = state->req;

    weir_request_let_go(&wait->hold);
    oauth2_settle(state, text.at != NULL ? weir_str_dup(&req->arena, text) : text, why);
    if (!wait->judges || guard_judge(req, state) == WEIR_NEXT) {
        weir_request_resume(req);
    }
}

/* As of now: what was said of it in an earlier phase may be some time ago. */
static weir_step_t
guard_begin_phase(weir_request_t *req, bool judges)
{
    const oauth2_conf_t *conf = weir_request_conf(req, http_auth_oauth2, oauth2_conf_t);
    oauth2_state_t      *state;
    guard_wait_t        *wait;

    if (weir_dry_run_begin(req, conf->dry_run) == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    state = oauth2_state_of(req);
    weir_assert(state != NULL);
    if (weir_bearer_is_off(req, &state->conf->ask)) {
        return WEIR_NEXT;
    }
    oauth2_look_again(state);
    if (!state->is_settled) {
        wait = weir_new(&req->arena, guard_wait_t);
        wait->state = state;
        wait->judges = judges;
        wait->waiter.on_answer = guard_on_answer;
        if (oauth2_flight_join(state, &wait->waiter)) {
            weir_request_hold(req, &wait->hold, &guard_hold);
            return WEIR_PARK;
        }
        oauth2_refuse(state, WEIR_CAUSE_AUTH_OAUTH2_BUSY, NULL);
    }
    return judges ? guard_judge(req, state) : WEIR_NEXT;
}

weir_step_t
oauth2_preaccess(weir_request_t *req, const void *conf)
{
    (void) conf;
    return req->is_exempt ? WEIR_NEXT : guard_begin_phase(req, false);
}

weir_step_t
oauth2_access(weir_request_t *req, const void *conf)
{
    (void) conf;
    return guard_begin_phase(req, true);
}

/* -- before anything logs: a token in the query is shown by no log -- */

weir_step_t
oauth2_rewrite(weir_request_t *req, const void *conf)
{
    weir_bearer_hide(req, &((const oauth2_conf_t *) conf)->ask);
    return WEIR_NEXT;
}
