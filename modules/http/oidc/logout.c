/*
 * logout.c - the end of a session, at the path of `logout_uri`: its cookies go, this instance takes it for ended from
 * then on, should another client have a copy, and the browser is sent to the provider's own logout, if it has one
 * (OpenID Connect RP-Initiated Logout 1.0).  Runs in workers.
 */
#include "oidc.h"

#include "http/record/story.h"
#include "os/clock.h"
#include "shm/entries.h"

#define LOGOUT_KEY (1 + OIDC_DIGEST + 16)

static weir_str_t
logout_key(const oidc_provider_t *provider, const oidc_session_t *session, char room[LOGOUT_KEY])
{
    room[0] = 'o';
    memcpy(room + 1, provider->bound, OIDC_DIGEST);
    memcpy(room + 1 + OIDC_DIGEST, session->id, sizeof(session->id));
    return weir_str(room, LOGOUT_KEY);
}

bool
oidc_logout_has(const oidc_provider_t *provider, const oidc_session_t *session)
{
    char                  room[LOGOUT_KEY];
    weir_entry_t          entry;
    weir_entries_result_t found = weir_entries_get(&provider->tables->logouts, logout_key(provider, session, room),
                                                   weir_clock_now(), &entry);

    if (found == WEIR_ENTRIES_DONE) {
        weir_entry_release(&entry);
    }
    return found != WEIR_ENTRIES_NONE;       /* when it cannot be known, the browser logs in once more */
}

/* As long as the session could have lived. */
static void
logout_remember(const oidc_provider_t *provider, const oidc_session_t *session)
{
    char           room[LOGOUT_KEY];
    weir_instant_t now = weir_clock_now();

    if (weir_entries_put(&provider->tables->logouts, logout_key(provider, session, room), WEIR_STR_NONE, now,
                         (weir_instant_t) { now.ms + provider->session_lifetime.ms }, WEIR_ENTRIES_ANY, NULL)
        != WEIR_ENTRIES_DONE)
    {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "a logout of oidc_provider \"%.*s\" could not be remembered: a copy of the "
                 "session's cookies stays good until it ends", WEIR_STR_ARG(provider->name));
    }
}

static weir_str_t
logout_address(oidc_state_t *state, weir_str_t end_session)
{
    const oidc_provider_t *provider = state->provider;
    weir_str_t             back = oidc_login_absolute(state, provider->post_logout_uri);
    weir_str_t             hint = provider->has_hint && state->verdict == OIDC_SESSION ? state->session.id_token
                                  : WEIR_STR_NONE;
    size_t                 room = 128 + end_session.len + 3 * (provider->client_id.len + back.len + hint.len);
    weir_buf_t             out;

    weir_buf_init(&out, weir_alloc_bytes(&state->req->arena, room), room);
    weir_buf_add_str(&out, end_session);
    weir_buf_printf(&out, "%cclient_id=", weir_str_find(end_session, '?') != NULL ? '&' : '?');
    weir_buf_add_percent(&out, provider->client_id);
    if (hint.len != 0) {
        oidc_login_add_arg(&out, "id_token_hint", hint);
    }
    if (back.len != 0) {
        oidc_login_add_arg(&out, "post_logout_redirect_uri", back);
    }
    weir_assert(!out.full);
    return weir_buf_str(&out);
}

static weir_step_t
logout_go_on(oidc_work_t *work)
{
    oidc_state_t          *state = work->state;
    weir_request_t        *req = work->req;
    const oidc_provider_t *provider = state->provider;
    const oidc_metadata_t *metadata = oidc_provider_endpoints(provider);

    /* No user stays logged in because the provider is down: without it the logout ends here. */
    if (metadata == NULL && !work->has_waited
        && weir_document_wait(&provider->endpoints, req->http, &work->waiter, work->waiter.on_wake))
    {
        work->has_waited = true;
        oidc_work_hold(work);
        return WEIR_PARK;
    }
    if (state->verdict == OIDC_SESSION) {
        logout_remember(provider, &state->session);
    }
    oidc_cookies_clear_session(state);
    oidc_cookies_no_store(state);
    weir_http_story_judged(req, "auth_oidc", provider->name, WEIR_STR("LOGGED_OUT"));
    if (metadata != NULL && metadata->end_session.len != 0) {
        return weir_request_redirect_client(req, 302, logout_address(state, metadata->end_session));
    }
    if (provider->post_logout_uri.len != 0) {
        return weir_request_redirect_client(req, 302, oidc_login_absolute(state, provider->post_logout_uri));
    }
    return weir_request_reply(req, 200, WEIR_STR("text/plain"), WEIR_STR("You are logged out.\n"));
}

weir_step_t
oidc_logout(weir_request_t *req, oidc_state_t *state)
{
    return logout_go_on(oidc_work_make(req, state, logout_go_on));
}
