/*
 * dry_run.c - see dry_run.h.
 */
#include "http/guard/dry_run.h"

#include "http/record/story.h"

const weir_conf_enum_t weir_dry_run_values[] = {
    { "on", WEIR_DRY_RUN_ON },
    { "off", WEIR_DRY_RUN_OFF },
    { NULL, 0 },
};

weir_policy_t
weir_dry_run_enter(weir_request_t *req, uint32_t own)
{
    weir_assert(weir_dry_run_is_on(req, own));
    if (own == WEIR_DRY_RUN_AS_PLACE && req->rehearsal.is_over) {
        return WEIR_POLICY_NOT_ASKED;
    }
    if (!req->rehearsal.is_at_work) {
        req->rehearsal.is_at_work = true;
        req->rehearsal.failed_before = req->failed_value;
    }
    return WEIR_POLICY_REHEARSED;
}

void
weir_dry_run_log(weir_request_t *req, weir_cause_t cause)
{
    weir_str_t help = weir_str_from_z(weir_cause_row(cause)->help);

    help.len -= weir_str_ends(help, WEIR_STR("."));
    weir_request_log(req, weir_cause_row(cause)->level, cause, "%.*s: dry run", WEIR_STR_ARG(help));
}

weir_step_t
weir_dry_run_ends(weir_request_t *req)
{
    req->rehearsal.is_over = true;
    return WEIR_NEXT;
}

weir_step_t
weir_dry_run_deny(weir_request_t *req)
{
    if (weir_request_core(req)->satisfy == WEIR_SATISFY_ALL) {
        return weir_dry_run_ends(req);
    }
    req->rehearsal.is_denied = true;
    return WEIR_NEXT;
}

weir_step_t
weir_dry_run_grant(weir_request_t *req)
{
    req->rehearsal.is_granted = true;
    return WEIR_NEXT;
}

weir_step_t
weir_dry_run_judge(weir_request_t *req, weir_cause_t cause)
{
    if (cause == WEIR_CAUSE_NONE) {
        return weir_dry_run_grant(req);
    }
    weir_dry_run_log(req, cause);
    return weir_cause_row(cause)->status >= 500 ? weir_dry_run_ends(req) : weir_dry_run_deny(req);
}

void
weir_dry_run_finish(weir_request_t *req)
{
    weir_cause_t failed = req->failed_value;

    weir_assert(req->rehearsal.is_at_work);
    req->rehearsal.is_at_work = false;
    if (failed == req->rehearsal.failed_before) {
        return;
    }
    req->failed_value = req->rehearsal.failed_before;
    req->rehearsal.is_over = true;
    weir_request_log(req, weir_cause_row(failed)->level, failed,
                     "a value that decides about the request cannot be computed: dry run");
}

/* No guard, in earnest or in rehearsal, has let it in. */
static bool
dry_run_default_deny(weir_request_t *req)
{
    if (!weir_request_core(req)->dry_run.on) {
        return false;
    }
    if (!req->rehearsal.is_over && !req->rehearsal.is_granted) {
        req->rehearsal.is_over = true;
        weir_dry_run_log(req, WEIR_CAUSE_ACCESS_DEFAULT);
        weir_http_story_judged(req, "default_deny", WEIR_STR_NONE, weir_dry_run_verdict(true, true));
    }
    return true;
}

bool
weir_dry_run_end_access(weir_request_t *req, bool is_let_in, bool is_default)
{
    if (req->rehearsal.is_denied && !req->rehearsal.is_granted && !is_let_in) {
        req->rehearsal.is_over = true;
    }
    return is_default && dry_run_default_deny(req);
}
