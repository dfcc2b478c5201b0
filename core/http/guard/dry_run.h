/*
 * dry_run.h - rehearsals: a policy judges and counts as if it were meant, tells the log and the story, and then the
 * request goes on as if the policy were not there: client and peer get the same bytes.
 *
 * `dry_run on` makes rehearsals of all policies of a place.  A policy that has a directive of its own for it
 * (limit_req_dry_run …) goes by that one where it is set.
 *
 * Of what a place's `dry_run` rehearses the counters are those of a run that is meant: where that would have refused
 * the request (or answered it), the policies behind are not asked.  Policies with a directive of their own are asked
 * all the same, as nginx's are.  A rehearsal neither refuses nor lets in: `satisfy any` and `default_deny` that are
 * meant do not see it.  A value that only a rehearsal asked for and that cannot be worked out refuses no request.
 *
 *     switch (weir_dry_run_begin(req, conf->dry_run)) {        first of all, in each phase
 *     HOLDS       as ever: weir_request_deny, _grant, _fail
 *     REHEARSED   weir_dry_run_deny, _grant, _ends in their place, when all was counted
 *     NOT_ASKED   WEIR_NEXT, and nothing is counted
 *
 * In workers; allocates nothing.
 */
#ifndef WEIR_HTTP_DRY_RUN_H
#define WEIR_HTTP_DRY_RUN_H

#include "http/request.h"

/* A directive NAME_dry_run of a policy: a uint32_t, &weir_type_enum with these values, and no default. */
enum { WEIR_DRY_RUN_AS_PLACE, WEIR_DRY_RUN_OFF, WEIR_DRY_RUN_ON };
extern const weir_conf_enum_t weir_dry_run_values[];

typedef enum { WEIR_POLICY_HOLDS, WEIR_POLICY_REHEARSED, WEIR_POLICY_NOT_ASKED } weir_policy_t;

/* own: the policy's directive; of a line with the word dry_run weir_dry_run_of(line), of a policy without either
 * WEIR_DRY_RUN_AS_PLACE. */
static inline weir_policy_t weir_dry_run_begin(weir_request_t *req, uint32_t own);
weir_policy_t weir_dry_run_enter(weir_request_t *req, uint32_t own);       /* … of one that is a rehearsal */

/* Is it a rehearsal?  Begins nothing. */
static inline bool
weir_dry_run_is_on(const weir_request_t *req, uint32_t own)
{
    return own == WEIR_DRY_RUN_AS_PLACE ? weir_request_core(req)->dry_run.on : own == WEIR_DRY_RUN_ON;
}

static inline weir_policy_t
weir_dry_run_begin(weir_request_t *req, uint32_t own)
{
    return weir_likely(!weir_dry_run_is_on(req, own)) ? WEIR_POLICY_HOLDS : weir_dry_run_enter(req, own);
}

static inline uint32_t
weir_dry_run_of(bool is_said)
{
    return is_said ? WEIR_DRY_RUN_ON : WEIR_DRY_RUN_AS_PLACE;
}

/* What the story says of it. */
static inline weir_str_t
weir_dry_run_verdict(bool is_refused, bool is_rehearsed)
{
    return !is_refused ? WEIR_STR("PASSED") : is_rehearsed ? WEIR_STR("REJECTED_DRY_RUN") : WEIR_STR("REJECTED");
}

/* A record in the error log: what the request would have been refused for. */
void weir_dry_run_log(weir_request_t *req, weir_cause_t cause);
/* What a policy says in a rehearsal.  Each returns WEIR_NEXT, which is what the handler returns. */
/* The request would have been refused, or answered. */
weir_step_t weir_dry_run_ends(weir_request_t *req);
/* A guard of the access phase would have refused it, or let it in. */
weir_step_t weir_dry_run_deny(weir_request_t *req);
weir_step_t weir_dry_run_grant(weir_request_t *req);
/* The whole of a guard of credentials: NONE grants; else it is logged, and what could not be judged (a cause of 500 and
 * above) ends the request where another cause denies it. */
weir_step_t weir_dry_run_judge(weir_request_t *req, weir_cause_t cause);

/* What was rehearsed asks for nothing more: what it asked for and could not be worked out is no failure.  A handler of
 * several lines says so behind each; the end of a handler says it, too. */
void weir_dry_run_finish(weir_request_t *req);
static inline void
weir_dry_run_leave(weir_request_t *req)
{
    if (weir_unlikely(req->rehearsal.is_at_work)) {
        weir_dry_run_finish(req);
    }
}

/* -- inside core/http -- */
/* Behind the access phase.  is_let_in: by a guard that is meant; is_default: default_deny stands here.  true: the
 * latter only rehearses, the request goes on. */
bool weir_dry_run_end_access(weir_request_t *req, bool is_let_in, bool is_default);

#endif
