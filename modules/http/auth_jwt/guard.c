/*
 * guard.c - a token is asked for: its keys are waited for where they are not at hand, and the request goes on or is
 * refused.
 *
 * The waiting comes first in the preaccess phase, so that limits by a claim know it; the verdict is that of the access
 * phase, in which other guards may have one as well.
 *
 * A key that no set has may be a new one, and so may the one of a token that names none: an issuer's set is fetched
 * once more before the request is refused, unless the token says itself that it has expired.  A rehearsal
 * (auth_jwt_dry_run) waits, judges and counts as if it were meant, and then lets all requests pass, and grants none
 * access.  Runs in workers.
 */
#include "jwt.h"

#include "http/guard/dry_run.h"
#include "http/record/story.h"
#include "http/sub.h"
#include "http/vars/uri_text.h"
#include "os/clock.h"

#define GUARD_TEXT_MAX ((size_t) 512 << 10)          /* of a set that a location answers */

/* While keys are waited for. */
typedef struct {
    weir_holder_t hold;
    jwt_state_t  *state;
    size_t        source;
    weir_document_waiter_t  waiter;                            /* an issuer's */
    weir_sub_t   *sub;                               /* a location's */
    weir_task_t   task;
    weir_str_t    body;                              /* of its answer, in the request's arena */
    size_t        cap;
    bool          is_good;
    bool          judges;                            /* it is the access phase */
} guard_wait_t;

static weir_step_t guard_go_on(weir_request_t *req, guard_wait_t *wait);

/* -- the verdict -- */

static void
guard_challenge(weir_request_t *req, const jwt_conf_t *conf, weir_cause_t cause)
{
    weir_bearer_challenge(req, conf->ask.realm, cause == WEIR_CAUSE_AUTH_JWT_MISSING ? NULL
                                                : cause == WEIR_CAUSE_AUTH_JWT_REQUIRE ? "insufficient_scope"
                                                : "invalid_token", WEIR_STR_NONE);
}

/* nginx's sense of a value: not empty, and not "0"; of a path with encoded slashes in either reading. */
static bool
guard_holds(weir_request_t *req, const weir_template_t *value)
{
    weir_str_t text = weir_request_eval(req, value);

    if (text.len == 0 || weir_str_eq(text, WEIR_STR("0"))) {
        return false;
    }
    text = weir_uri_text_plain(req, value);
    return text.len != 0 && !weir_str_eq(text, WEIR_STR("0"));
}

/* The first requirement that does not hold; NULL: all do. */
static const jwt_require_t *
guard_unmet(weir_request_t *req, const jwt_conf_t *conf)
{
    for (size_t i = 0; i < conf->requires.n; i++) {
        for (size_t k = 0; k < conf->requires.at[i].n; k++) {
            if (!guard_holds(req, conf->requires.at[i].values[k])) {
                return &conf->requires.at[i];
            }
        }
    }
    return NULL;
}

static weir_step_t
guard_judge(weir_request_t *req, jwt_state_t *state)
{
    const jwt_conf_t    *conf = state->conf;
    weir_cause_t         cause = state->cause;
    const char          *detail = NULL;
    uint16_t             status = weir_cause_row(cause)->status;
    const jwt_require_t *unmet = cause == WEIR_CAUSE_NONE ? guard_unmet(req, conf) : NULL;

    if (unmet != NULL) {
        cause = WEIR_CAUSE_AUTH_JWT_REQUIRE;
        detail = unmet->text.at;
        status = unmet->status;
    }
    weir_http_story_judged(req, "auth_jwt", WEIR_STR_NONE,
                           weir_dry_run_verdict(cause != WEIR_CAUSE_NONE, state->is_rehearsal));
    if (state->is_rehearsal) {
        return weir_dry_run_judge(req, cause);
    }
    if (cause == WEIR_CAUSE_NONE) {
        return weir_request_grant(req);
    }
    if (status >= 500) {
        return weir_request_fail(req, cause, detail);
    }
    if (status == 401) {
        guard_challenge(req, conf, cause);
    }
    return weir_request_deny_status(req, cause, status, detail);
}

/* -- waiting -- */

static void
guard_on_cancel(weir_holder_t *hold)
{
    guard_wait_t *wait = weir_container_of(hold, guard_wait_t, hold);

    weir_document_forget(&wait->waiter);
    weir_task_cancel(&wait->task);
    if (wait->sub != NULL) {
        weir_sub_cancel(wait->sub);
        wait->sub = NULL;
    }
}

static const weir_holder_ops_t guard_hold = { .on_cancel = guard_on_cancel };

/* What was waited for is there, or will not be. */
static void
guard_on_waited(guard_wait_t *wait)
{
    weir_request_t *req = wait->state->req;

    weir_request_let_go(&wait->hold);
    jwt_judge(wait->state);
    if (guard_go_on(req, wait) == WEIR_NEXT) {
        weir_request_resume(req);
    }
}

static void
guard_on_wake(weir_document_waiter_t *waiter)
{
    guard_on_waited(weir_container_of(waiter, guard_wait_t, waiter));
}

/* -- a location of this server is asked -- */

static void
guard_on_task(weir_task_t *task)
{
    guard_wait_t *wait = weir_container_of(task, guard_wait_t, task);
    weir_error_t  error = { .text = "" };

    if (wait->sub != NULL) {
        weir_sub_cancel(wait->sub);
        wait->sub = NULL;
    }
    if (!wait->is_good) {
        (void) weir_error_set(&error, "it did not answer with 200 and a set of at most 512 KiB");
    }
    if (!wait->is_good || !jwt_keys_answered(wait->state, wait->source, wait->body, &error)) {
        weir_log(WEIR_LOG_ERROR, &wait->state->req->log, 0, "the keys of \"%.*s\" cannot be used: %s",
                 WEIR_STR_ARG(jwt_source(wait->state->conf, wait->source)->text), error.text);
    }
    guard_on_waited(wait);
}

static void
guard_sub_told(guard_wait_t *wait, bool is_good)
{
    wait->is_good = is_good;
    weir_task_post(weir_request_loop(wait->state->req), &wait->task, guard_on_task);
}

static void
guard_on_head(weir_sub_t *sub)
{
    if (weir_sub_request(sub)->res.status != 200) {
        guard_sub_told(weir_sub_owner(sub), false);
    }
}

static weir_io_t
guard_on_body(weir_sub_t *sub, weir_str_t bytes)
{
    guard_wait_t *wait = weir_sub_owner(sub);
    weir_arena_t *arena = &wait->state->req->arena;
    char         *room;

    if (bytes.len > GUARD_TEXT_MAX - wait->body.len) {
        guard_sub_told(wait, false);
        return WEIR_AGAIN;                           /* no more: it is given up in a task */
    }
    if (wait->body.len + bytes.len > wait->cap) {
        wait->cap = weir_min((wait->body.len + bytes.len) * 2 + 4096, GUARD_TEXT_MAX);
        room = weir_try_alloc(arena, wait->cap);
        if (room == NULL) {
            wait->cap = 0;
            guard_sub_told(wait, false);
            return WEIR_AGAIN;
        }
        memcpy(room, wait->body.at != NULL ? wait->body.at : "", wait->body.len);
        wait->body.at = room;
    }
    memcpy((char *) (uintptr_t) wait->body.at + wait->body.len, bytes.at, bytes.len);
    wait->body.len += bytes.len;
    return WEIR_OK;
}

static void
guard_on_end(weir_sub_t *sub, bool is_whole)
{
    guard_wait_t *wait = weir_sub_owner(sub);

    wait->sub = NULL;
    if (!weir_list_linked(&wait->task.link)) {       /* else it was told already */
        guard_sub_told(wait, is_whole && wait->body.at != NULL);
    }
}

static const weir_sub_sink_t guard_sink = { .on_head = guard_on_head, .on_body = guard_on_body,
                                            .on_end = guard_on_end };

static bool
guard_ask_location(weir_request_t *req, guard_wait_t *wait, const jwt_source_t *source)
{
    weir_str_t path, query;

    (void) weir_uri_text_split(req, source->uri, &path, &query);
    wait->body = WEIR_STR_NONE;
    wait->cap = 0;
    wait->sub = weir_sub_start(req, &(weir_sub_spec_t) { .path = path, .query = query, .sink = &guard_sink,
                                                         .owner = wait, .is_exempt = true });
    return wait->sub != NULL;
}

/* -- what there is to wait for -- */

/* Keys of source i; or newer ones.  false: nothing will come. */
static bool
guard_begin(weir_request_t *req, guard_wait_t *wait, size_t i)
{
    const jwt_source_t *source = jwt_source(wait->state->conf, i);

    wait->source = i;
    return source->kind == JWT_URI ? guard_ask_location(req, wait, source)
           : weir_document_wait(&source->url->document, req->http, &wait->waiter, guard_on_wake);
}

/* Says the token itself that it is over?  (Its signature is not verified yet: this only saves the waiting.) */
static bool
guard_is_over(jwt_state_t *state)
{
    weir_jws_t jws;
    weir_jwt_t jwt;

    return state->conf->type == JWT_SIGNED
           && weir_jws_read(state->room, state->token, &jws) == WEIR_JOSE_GOOD
           && weir_jwt_read(state->room, jws.payload, &jwt) == WEIR_JOSE_GOOD
           && weir_jwt_check_time(jwt.expires, WEIR_JWT_ALWAYS, (int64_t) (weir_clock_wall_ms() / 1000),
                                  (int64_t) (state->conf->leeway.ms / 1000)) == WEIR_JWT_EXPIRED;
}

/* A source that is not at hand, or whose set may be an old one: it is waited for.  false: there is none. */
static bool
guard_wait(weir_request_t *req, guard_wait_t *wait)
{
    jwt_state_t *state = wait->state;
    weir_jwks_t *keys;
    bool         is_unknown = state->is_settled && state->has_new_key;

    if (state->is_settled && (!is_unknown || guard_is_over(state))) {
        return false;
    }
    for (size_t i = 0; i < jwt_sources(state->conf); i++) {
        uint64_t  bit = (uint64_t) 1 << i;
        uint64_t *done = is_unknown ? &state->refreshed : &state->asked;
        bool      wants = is_unknown ? jwt_source(state->conf, i)->kind == JWT_URL
                          : jwt_keys_now(state, i, &keys) == JWT_KEYS_WAIT;

        if (wants && (*done & bit) == 0) {
            *done |= bit;
            if (guard_begin(req, wait, i)) {
                return true;
            }
            if (!is_unknown) {
                jwt_judge(state);                    /* without that one */
                return guard_wait(req, wait);
            }
        }
    }
    return false;
}

static weir_step_t
guard_go_on(weir_request_t *req, guard_wait_t *wait)
{
    if (guard_wait(req, wait)) {
        weir_request_hold(req, &wait->hold, &guard_hold);
        return WEIR_PARK;
    }
    weir_assert(wait->state->is_settled);
    return wait->judges ? guard_judge(req, wait->state) : WEIR_NEXT;
}

/* As of now: what was said of it in an earlier phase may be some time ago. */
static weir_step_t
guard_begin_phase(weir_request_t *req, bool judges)
{
    const jwt_conf_t *conf = weir_request_conf(req, http_auth_jwt, jwt_conf_t);
    jwt_state_t      *state;
    guard_wait_t     *wait;

    if (weir_dry_run_begin(req, conf->dry_run) == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    state = jwt_state_of(req);
    weir_assert(state != NULL);
    if (weir_bearer_is_off(req, &state->conf->ask)) {
        return WEIR_NEXT;
    }
    jwt_look_again(state);
    if (state->is_settled && !state->has_new_key) {
        return judges ? guard_judge(req, state) : WEIR_NEXT;
    }
    wait = weir_new(&req->arena, guard_wait_t);
    wait->state = state;
    wait->judges = judges;
    return guard_go_on(req, wait);
}

weir_step_t
jwt_preaccess(weir_request_t *req, const void *conf)
{
    (void) conf;
    return req->is_exempt ? WEIR_NEXT : guard_begin_phase(req, false);
}

weir_step_t
jwt_access(weir_request_t *req, const void *conf)
{
    (void) conf;
    return guard_begin_phase(req, true);
}

/* By keys that are at hand; a client without a token is judged without any. */
bool
jwt_judges_head(weir_request_t *req, const void *conf_)
{
    const jwt_conf_t *conf = conf_;

    if (jwt_state_of(req)->token.len == 0) {
        return true;
    }
    for (size_t i = 0; i < jwt_sources(conf); i++) {
        if (jwt_source(conf, i)->kind != JWT_FILE) {
            return false;
        }
    }
    return true;
}

/* -- before anything logs: a token in the query is shown by no log -- */

weir_step_t
jwt_rewrite(weir_request_t *req, const void *conf_)
{
    weir_bearer_hide(req, &((const jwt_conf_t *) conf_)->ask);
    return WEIR_NEXT;
}
