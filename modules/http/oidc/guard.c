/*
 * guard.c - a client that has a session is let in; one without is sent to log in, or told so.
 *
 * A session that needs new tokens gets them before the access phase, so that all guards and limits see one state.  A
 * subrequest is never sent anywhere and sets nothing: it has the session of the request that it is made for.  Runs in
 * workers.
 */
#include "oidc.h"

#include "http/guard/dry_run.h"
#include "http/record/story.h"
#include "os/clock.h"
#include "os/sys.h"

#define GUARD_RENEW_PART 8                       /* of session_timeout: so often a session's time of use is noted */

/* While new tokens are waited for. */
typedef struct {
    weir_holder_t       hold;
    oidc_state_t       *state;
    weir_request_t     *req;
    oidc_refresh_wait_t wait;
} guard_wait_t;

/* -- the session -- */

static void
guard_forget(void *data)
{
    oidc_state_t *state = data;

    weir_arena_wipe(&state->secrets);
    weir_arena_fini(&state->secrets);
}

static const char *
guard_over(const oidc_provider_t *provider, const oidc_session_t *session)
{
    uint64_t now_s = weir_clock_wall_ms() / 1000;

    if (session->created_s > now_s + OIDC_LEEWAY_S || session->seen_s > now_s + OIDC_LEEWAY_S) {
        return "the session is of the future";
    }
    if (now_s - weir_min(now_s, session->created_s) >= provider->session_lifetime.ms / 1000) {
        return "the session is older than session_lifetime";
    }
    if (now_s - weir_min(now_s, session->seen_s) >= provider->session_timeout.ms / 1000) {
        return "the session was not used for session_timeout";
    }
    return oidc_logout_has(provider, session) ? "the session was logged out" : NULL;
}

bool
oidc_state_open(oidc_state_t *state, weir_str_t sealed)
{
    const oidc_provider_t *provider = state->provider;
    weir_str_t             plain, bound = weir_str((const char *) provider->bound, OIDC_DIGEST);
    char                  *room = weir_try_alloc(&state->secrets, sealed.len + 1);
    weir_seal_result_t     opened = room != NULL
                                    ? weir_seal_open(provider->session_seal, sealed, bound, room, &plain)
                                    : WEIR_SEAL_MEMORY;

    state->verdict = OIDC_ENDED;
    state->claims = NULL;
    switch (opened) {
    case WEIR_SEAL_OPENED: case WEIR_SEAL_OPENED_OLD:
        break;
    case WEIR_SEAL_FOREIGN:
        state->why = "the cookie is no session, or of a key that is not there any more";
        return false;
    case WEIR_SEAL_BROKEN:
        state->why = "the cookie was changed, or is of another provider";
        return false;
    default:
        state->why = "no memory";
        return false;
    }
    if (!oidc_session_read(plain, &state->secrets, &state->session)) {
        state->why = "the cookie has another format";
        return false;
    }
    state->is_old_key = opened == WEIR_SEAL_OPENED_OLD;
    state->why = guard_over(provider, &state->session);
    state->verdict = state->why == NULL ? OIDC_SESSION : OIDC_ENDED;
    return state->why == NULL;
}

static oidc_state_t *
guard_make(weir_request_t *req, oidc_provider_t *provider)
{
    oidc_state_t        *state = weir_new(&req->arena, oidc_state_t);
    const weir_fields_t *fields = req->sent_fields != NULL ? req->sent_fields : &req->head.fields;
    weir_str_t           sealed = WEIR_STR_NONE;

    state->provider = provider;
    state->req = req;
    state->is_secure = weir_fetch_is_url(provider->redirect_uri)
                       ? weir_str_starts_fold(provider->redirect_uri, WEIR_STR("https://")) : req->client->is_tls;
    weir_arena_init(&state->secrets, 4096);
    weir_arena_on_cleanup(&req->arena, guard_forget, state);
    switch (weir_cookies_gather(fields, provider->cookie[state->is_secure], provider->cookie_max_size.n,
                                &state->secrets, &sealed, &state->pieces))
    {
    case WEIR_COOKIES_WHOLE:
        (void) !oidc_state_open(state, sealed);
        break;
    case WEIR_COOKIES_BROKEN:
        state->verdict = OIDC_ENDED;
        state->why = "pieces of the session are missing, or there twice";
        break;
    default:
        state->verdict = OIDC_NO_SESSION;
        state->why = "there is no session";
        break;
    }
    return state;
}

oidc_state_t *
oidc_state_of(weir_request_t *req)
{
    const oidc_conf_t *conf = weir_request_conf(req, http_oidc, oidc_conf_t);
    oidc_state_t      *state = weir_request_kept(req, weir_http_oidc_index);
    oidc_state_t      *above = req->main != req && req->main != NULL
                               ? weir_request_kept(req->main, weir_http_oidc_index) : NULL;

    state = state != NULL ? state : above;
    if (state != NULL && (conf->provider == NULL || state->provider == conf->provider)) {
        return state;                            /* an internal redirect keeps what was found */
    }
    if (conf->provider == NULL) {
        return NULL;
    }
    state = guard_make(req, conf->provider);
    weir_request_keep(req, weir_http_oidc_index, state);
    return state;
}

weir_str_t
oidc_session_seal(const oidc_provider_t *provider, const oidc_session_t *before, const oidc_granted_t *granted,
                  weir_arena_t *arena, oidc_session_t *session)
{
    uint64_t   now_s = weir_clock_wall_ms() / 1000, life_s = granted->lifetime_s;
    uint64_t   ahead_s = weir_min(provider->refresh_before.ms / 1000, life_s / 4);
    weir_str_t plain;
    char      *room;

    *session = (oidc_session_t) { .created_s = now_s };
    if (before != NULL) {
        *session = *before;
    } else if (weir_sys_random(session->id, sizeof(session->id)) != 0) {
        return WEIR_STR_NONE;
    }
    session->seen_s = now_s;
    session->access_token = granted->access_token;
    session->id_token = granted->id_token.len != 0 ? granted->id_token : session->id_token;
    session->refresh_token = granted->refresh_token.len != 0 ? granted->refresh_token : session->refresh_token;
    session->access_until_s = life_s != 0 ? now_s + life_s : 0;
    session->refresh_at_s = life_s != 0 ? now_s + life_s - ahead_s : 0;
    plain = oidc_session_write(session, arena);
    if (plain.at == NULL) {
        return WEIR_STR_NONE;
    }
    room = weir_alloc_bytes(arena, weir_seal_room(plain.len));
    return weir_seal_close(provider->session_seal, plain, weir_str((const char *) provider->bound, OIDC_DIGEST), room)
           ? weir_str(room, weir_seal_room(plain.len)) : WEIR_STR_NONE;
}

/* Its time of use is noted, and its key is the newest: now and then. */
static void
guard_renew(oidc_state_t *state)
{
    const oidc_provider_t *provider = state->provider;
    uint64_t               now_s = weir_clock_wall_ms() / 1000;
    uint64_t               step_s = provider->session_timeout.ms / 1000 / GUARD_RENEW_PART;
    weir_str_t             plain, bound = weir_str((const char *) provider->bound, OIDC_DIGEST);
    char                  *room;

    if (state->is_renewed || (!state->is_old_key && now_s - weir_min(now_s, state->session.seen_s) < step_s + 1)) {
        return;
    }
    state->is_renewed = true;
    state->session.seen_s = now_s;
    plain = oidc_session_write(&state->session, &state->secrets);
    room = plain.at != NULL ? weir_alloc_bytes(&state->secrets, weir_seal_room(plain.len)) : NULL;
    if (room != NULL && weir_seal_close(provider->session_seal, plain, bound, room)) {
        (void) oidc_cookies_set_session(state, weir_str(room, weir_seal_room(plain.len)));
    }
}

/* -- what waits for a provider -- */

static void
guard_work_cancel(weir_holder_t *hold)
{
    oidc_work_t *work = weir_container_of(hold, oidc_work_t, hold);

    weir_document_forget(&work->waiter);
    oidc_grant_cancel(work->grant);
    work->grant = NULL;
}

static const weir_holder_ops_t guard_work_hold = { .on_cancel = guard_work_cancel };

static void
guard_work_wake(weir_document_waiter_t *waiter)
{
    oidc_work_t *work = weir_container_of(waiter, oidc_work_t, waiter);

    weir_request_let_go(&work->hold);
    (void) work->go_on(work);                    /* it answers, or waits again */
}

oidc_work_t *
oidc_work_make(weir_request_t *req, oidc_state_t *state, weir_step_t (*go_on)(oidc_work_t *work))
{
    oidc_work_t *work = weir_new(&req->arena, oidc_work_t);

    work->req = req;
    work->state = state;
    work->go_on = go_on;
    work->waiter.on_wake = guard_work_wake;
    return work;
}

void
oidc_work_hold(oidc_work_t *work)
{
    weir_request_hold(work->req, &work->hold, &guard_work_hold);
}

const oidc_metadata_t *
oidc_work_endpoints(oidc_work_t *work, weir_step_t *step)
{
    const oidc_provider_t *provider = work->state->provider;
    const oidc_metadata_t *metadata = oidc_provider_endpoints(provider);

    if (metadata != NULL) {
        return metadata;
    }
    if (!work->has_waited && weir_document_value(&provider->endpoints) == NULL
        && weir_document_wait(&provider->endpoints, work->req->http, &work->waiter, guard_work_wake))
    {
        work->has_waited = true;
        oidc_work_hold(work);
        *step = WEIR_PARK;
        return NULL;
    }
    oidc_cookies_no_store(work->state);
    *step = weir_request_fail(work->req, WEIR_CAUSE_AUTH_OIDC_PROVIDER, "its endpoints");
    return NULL;
}

/* -- new tokens -- */

static void
guard_on_cancel(weir_holder_t *hold)
{
    oidc_refresh_forget(&weir_container_of(hold, guard_wait_t, hold)->wait);
}

static const weir_holder_ops_t guard_hold = { .on_cancel = guard_on_cancel };

static weir_step_t
guard_refreshed(weir_request_t *req, oidc_state_t *state, oidc_refreshed_t result, weir_str_t sealed)
{
    switch (result) {
    case OIDC_REFRESH_DONE:
        if (oidc_state_open(state, sealed) && !oidc_cookies_set_session(state, sealed)) {
            return weir_request_fail(req, WEIR_CAUSE_AUTH_OIDC_TOO_LARGE, NULL);
        }
        return WEIR_NEXT;
    case OIDC_REFRESH_REFUSED:
        state->verdict = OIDC_ENDED;
        state->why = "the provider gives no new tokens for the session";
        return WEIR_NEXT;
    default:
        if (weir_clock_wall_ms() / 1000 < state->session.access_until_s) {
            return WEIR_NEXT;                    /* it was asked for in time: the next request asks again */
        }
        return weir_request_fail(req, WEIR_CAUSE_AUTH_OIDC_REFRESH, NULL);
    }
}

static void
guard_on_end(oidc_refresh_wait_t *wait, oidc_refreshed_t result, weir_str_t sealed)
{
    guard_wait_t   *mine = weir_container_of(wait, guard_wait_t, wait);
    weir_request_t *req = mine->req;

    weir_request_let_go(&mine->hold);
    if (guard_refreshed(req, mine->state, result, sealed) == WEIR_NEXT) {
        weir_request_resume(req);
    }
}

static bool
guard_needs_refresh(const oidc_state_t *state)
{
    return state->verdict == OIDC_SESSION && !state->has_waited && state->session.refresh_token.len != 0
           && state->session.refresh_at_s != 0 && weir_clock_wall_ms() / 1000 >= state->session.refresh_at_s;
}

/* -- the phases -- */

static bool
guard_is_at(const weir_request_t *req, weir_str_t path)
{
    return path.len != 0 && !req->is_sub && weir_str_eq(req->uri.path, path);
}

/* What is in the address of a callback is shown by no log. */
weir_step_t
oidc_rewrite(weir_request_t *req, const void *conf_)
{
    const oidc_conf_t *conf = conf_;

    if (guard_is_at(req, conf->provider->callback)) {
        weir_request_hide_arg(req, WEIR_STR("code"));
        weir_request_hide_arg(req, WEIR_STR("state"));
    }
    return WEIR_NEXT;
}

weir_step_t
oidc_preaccess(weir_request_t *req, const void *conf_)
{
    const oidc_conf_t *conf = conf_;
    oidc_state_t      *state = oidc_state_of(req);
    guard_wait_t      *wait;
    oidc_refreshed_t   result;
    weir_str_t         sealed = WEIR_STR_NONE;

    if (req->is_sub || weir_dry_run_is_on(req, conf->dry_run) || guard_is_at(req, conf->provider->callback)
        || guard_is_at(req, conf->provider->logout_uri) || !guard_needs_refresh(state))
    {
        return WEIR_NEXT;
    }
    state->has_waited = true;
    wait = weir_new(&req->arena, guard_wait_t);
    wait->state = state;
    wait->req = req;
    result = oidc_refresh(state, req->http, &wait->wait, guard_on_end, &sealed);
    if (result == OIDC_REFRESH_WAITS) {
        weir_request_hold(req, &wait->hold, &guard_hold);
        return WEIR_PARK;
    }
    return guard_refreshed(req, state, result, sealed);
}

static weir_step_t
guard_refuse(weir_request_t *req, oidc_state_t *state)
{
    weir_http_story_judged(req, "auth_oidc", state->provider->name, WEIR_STR("REJECTED"));
    if (oidc_login_is_navigation(req)) {
        return oidc_login_begin(req, state);
    }
    if (!req->is_sub) {
        if (state->verdict == OIDC_ENDED && state->pieces != 0) {
            oidc_cookies_clear_session(state);
        }
        oidc_cookies_no_store(state);
    }
    req->challenge = weir_str_printf(&req->arena, "Cookie realm=\"%.*s\"", WEIR_STR_ARG(state->provider->name));
    return weir_request_deny(req, WEIR_CAUSE_AUTH_OIDC_SESSION, state->why);
}

static weir_step_t
guard_rehearse(weir_request_t *req, oidc_state_t *state)
{
    bool is_good = state->verdict == OIDC_SESSION;

    weir_http_story_judged(req, "auth_oidc", state->provider->name, weir_dry_run_verdict(!is_good, true));
    if (is_good) {
        return weir_dry_run_grant(req);
    }
    weir_dry_run_log(req, WEIR_CAUSE_AUTH_OIDC_SESSION);
    return weir_dry_run_deny(req);
}

weir_step_t
oidc_access(weir_request_t *req, const void *conf_)
{
    const oidc_conf_t *conf = conf_;
    oidc_state_t      *state = oidc_state_of(req);

    weir_assert(state != NULL && state->provider == conf->provider);
    switch (weir_dry_run_begin(req, conf->dry_run)) {
    case WEIR_POLICY_NOT_ASKED:
        return WEIR_NEXT;
    case WEIR_POLICY_REHEARSED:
        return guard_rehearse(req, state);
    case WEIR_POLICY_HOLDS:
        break;
    }
    if (guard_is_at(req, conf->provider->callback)) {
        return oidc_callback(req, state);
    }
    if (guard_is_at(req, conf->provider->logout_uri)) {
        return oidc_logout(req, state);
    }
    if (state->verdict != OIDC_SESSION) {
        return guard_refuse(req, state);
    }
    if (!req->is_sub) {
        guard_renew(state);
    }
    weir_http_story_judged(req, "auth_oidc", state->provider->name, WEIR_STR("PASSED"));
    return weir_request_grant(req);
}
