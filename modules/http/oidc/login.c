/*
 * login.c - off to the provider: the address of its login with what it is asked for (OpenID Connect Core 1.0 §3.1.2.1,
 * RFC 7636), and a cookie that ties the answer to this browser.
 *
 * Each login has a cookie of its own, so that several tabs may be at it: its name has the beginning of `state`, and its
 * sealed text the state, the nonce, PKCE's verifier and the path to come back to.  Runs in workers.
 */
#include "oidc.h"

#include "http/answer/accept.h"
#include "jose/base64url.h"
#include "os/clock.h"
#include "os/sys.h"

#include <openssl/evp.h>

#define LOGIN_SECRET  32                         /* bytes of state, nonce, verifier */
#define LOGIN_TEXT    43                         /* as characters */
#define LOGIN_TAG     12                         /* of state, in the cookie's name */
#define LOGIN_URI_MAX 2000
#define LOGIN_LOOKED  64                         /* cookies of logins that are looked at */

/* -- requests that are sent to log in -- */

static bool
login_has(const weir_request_t *req, const char *name, const char *value)
{
    const weir_field_t *field = weir_fields_find(&req->head.fields, weir_str_from_z(name));

    return field != NULL && weir_str_eq_fold(field->value, weir_str_from_z(value));
}

bool
oidc_login_is_navigation(const weir_request_t *req)
{
    const weir_field_t *mode = weir_fields_find(&req->head.fields, WEIR_STR("sec-fetch-mode"));
    const weir_field_t *accept = weir_fields_first(&req->head.fields, WEIR_HEADER_ACCEPT);

    if ((req->head.method != WEIR_METHOD_GET && req->head.method != WEIR_METHOD_HEAD) || req->head.upgrade
        || req->is_sub || login_has(req, "x-requested-with", "XMLHttpRequest"))
    {
        return false;
    }
    if (mode != NULL && !weir_str_eq(mode->value, WEIR_STR("navigate"))) {
        return false;
    }
    return accept == NULL || weir_accept_quality(accept->value, WEIR_STR("text/html")) != 0;
}

/* -- addresses -- */

void
oidc_login_add_arg(weir_buf_t *out, const char *name, weir_str_t value)
{
    weir_buf_printf(out, "&%s=", name);
    weir_buf_add_percent(out, value);
}

/* Of the site, as the browser knows it: what redirect_uri says, or else as the request came. */
static weir_str_t
login_origin(const oidc_state_t *state)
{
    weir_request_t        *req = state->req;
    const oidc_provider_t *provider = state->provider;

    if (provider->redirect_uri.len != provider->callback.len) {
        return weir_str(provider->redirect_uri.at, provider->redirect_uri.len - provider->callback.len);
    }
    if (req->head.port != 0) {
        return weir_str_printf(&req->arena, "%s://%.*s:%u", req->client->is_tls ? "https" : "http",
                               WEIR_STR_ARG(req->host), req->head.port);
    }
    return weir_str_printf(&req->arena, "%s://%.*s", req->client->is_tls ? "https" : "http", WEIR_STR_ARG(req->host));
}

weir_str_t
oidc_login_absolute(const oidc_state_t *state, weir_str_t uri)
{
    return uri.len != 0 && uri.at[0] == '/' ? weir_str_concat(&state->req->arena, login_origin(state), uri) : uri;
}

/* Where to come back to: a path of this site and nothing that a browser takes for another one ("//host", "/\host"). */
static weir_str_t
login_uri(const weir_request_t *req, weir_arena_t *arena)
{
    weir_str_t path = req->head.path, uri;

    if (path.len == 0 || path.at[0] != '/') {
        return WEIR_STR("/");
    }
    while (path.len > 1 && (path.at[1] == '/' || path.at[1] == '\\')) {
        path = weir_str_skip(path, 1);
    }
    if (path.at[0] != '/') {                                 /* it was a backslash */
        return WEIR_STR("/");
    }
    uri = req->head.has_query ? weir_str_printf(arena, "%.*s?%.*s", WEIR_STR_ARG(path), WEIR_STR_ARG(req->head.query))
          : path;
    if (uri.len > LOGIN_URI_MAX) {
        uri = path.len <= LOGIN_URI_MAX ? path : WEIR_STR("/");
    }
    return weir_uri_encode_reference(uri, arena);
}

/* -- cookies -- */

weir_str_t
oidc_login_cookie(const oidc_state_t *state, weir_str_t login_state)
{
    weir_str_t tag = weir_str(login_state.at, weir_min(login_state.len, (size_t) LOGIN_TAG));

    return weir_str_concat(&state->req->arena, state->provider->login_cookie[state->is_secure], tag);
}

static uint64_t
login_begun(const oidc_state_t *state, weir_str_t value)
{
    const oidc_provider_t *provider = state->provider;
    char                  *room = weir_alloc_bytes(&state->req->arena, value.len + 1);
    oidc_login_t           login;
    weir_str_t             plain;

    switch (weir_seal_open(provider->login_seal, value, weir_str((const char *) provider->bound, OIDC_DIGEST), room,
                           &plain))
    {
    case WEIR_SEAL_OPENED: case WEIR_SEAL_OPENED_OLD:
        return oidc_login_read(plain, &login) ? login.created_ms : 0;
    default:
        return 0;
    }
}

/* Of logins that were never finished no more stay than there may be with a new one: those that are no logins of ours
 * go first, then the oldest. */
static void
login_make_room(oidc_state_t *state)
{
    struct { weir_str_t name; uint64_t begun; } seen[LOGIN_LOOKED];
    const weir_fields_t *fields = state->req->sent_fields != NULL ? state->req->sent_fields : &state->req->head.fields;
    weir_cookies_t       cookies = { .fields = fields };
    weir_str_t           name, value;
    size_t               n = 0;

    while (n < LOGIN_LOOKED && weir_cookies_next(&cookies, &name, &value)) {
        if (weir_str_starts(name, state->provider->login_cookie[state->is_secure]) && weir_syntax_is_token(name)) {
            seen[n].name = name;
            seen[n++].begun = login_begun(state, value);
        }
    }
    while (n >= OIDC_LOGINS) {
        size_t oldest = 0;

        for (size_t i = 1; i < n; i++) {
            oldest = seen[i].begun < seen[oldest].begun ? i : oldest;
        }
        oidc_cookies_set_login(state, weir_str_dup(&state->req->arena, seen[oldest].name), WEIR_STR_NONE);
        seen[oldest] = seen[--n];
    }
}

/* -- the way -- */

/* LOGIN_TEXT characters that cannot be guessed. */
static bool
login_secret(weir_arena_t *arena, weir_str_t *text)
{
    char  bytes[LOGIN_SECRET];
    char *room = weir_alloc_bytes(arena, LOGIN_TEXT);

    if (weir_sys_random(bytes, sizeof(bytes)) != 0) {
        return false;
    }
    weir_base64url_encode(weir_str(bytes, sizeof(bytes)), room);
    *text = weir_str(room, LOGIN_TEXT);
    return true;
}

static weir_str_t
login_challenge(weir_arena_t *arena, weir_str_t verifier)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned      len = 0;
    char         *room = weir_alloc_bytes(arena, LOGIN_TEXT);

    if (EVP_Digest(verifier.at, verifier.len, digest, &len, EVP_sha256(), NULL) != 1) {
        return WEIR_STR_NONE;
    }
    weir_base64url_encode(weir_str((char *) digest, len), room);
    return weir_str(room, LOGIN_TEXT);
}

static weir_str_t
login_address(oidc_state_t *state, const oidc_metadata_t *metadata, const oidc_login_t *login, weir_str_t challenge)
{
    const oidc_provider_t *provider = state->provider;
    weir_str_t             back = oidc_login_absolute(state, provider->redirect_uri);
    size_t                 room = 512 + metadata->authorization.len + provider->extra_args.len
                                  + 3 * (provider->client_id.len + back.len + provider->scope.len);
    weir_buf_t             out;

    weir_buf_init(&out, weir_alloc_bytes(&state->req->arena, room), room);
    weir_buf_add_str(&out, metadata->authorization);
    weir_buf_add_char(&out, weir_str_find(metadata->authorization, '?') != NULL ? '&' : '?');
    weir_buf_add_lit(&out, "response_type=code");
    oidc_login_add_arg(&out, "client_id", provider->client_id);
    oidc_login_add_arg(&out, "redirect_uri", back);
    oidc_login_add_arg(&out, "scope", provider->scope);
    oidc_login_add_arg(&out, "state", login->state);
    oidc_login_add_arg(&out, "nonce", login->nonce);
    if (provider->has_pkce) {
        oidc_login_add_arg(&out, "code_challenge", challenge);
        weir_buf_add_lit(&out, "&code_challenge_method=S256");
    }
    if (provider->extra_args.len != 0) {
        weir_buf_add_char(&out, '&');
        weir_buf_add_str(&out, provider->extra_args);
    }
    weir_assert(!out.full);
    return weir_buf_str(&out);
}

static weir_step_t
login_send(oidc_state_t *state, const oidc_metadata_t *metadata)
{
    weir_request_t        *req = state->req;
    const oidc_provider_t *provider = state->provider;
    oidc_login_t           login = { .created_ms = weir_clock_wall_ms(), .uri = login_uri(req, &req->arena) };
    weir_str_t             challenge, plain, sealed;
    char                  *room;

    if (!login_secret(&req->arena, &login.state) || !login_secret(&req->arena, &login.nonce)
        || !login_secret(&state->secrets, &login.verifier))
    {
        return weir_request_fail(req, WEIR_CAUSE_INTERNAL_MEMORY, "no randomness");
    }
    challenge = login_challenge(&req->arena, login.verifier);
    plain = oidc_login_write(&login, &state->secrets);
    room = plain.at != NULL ? weir_alloc_bytes(&req->arena, weir_seal_room(plain.len)) : NULL;
    if (challenge.at == NULL || room == NULL
        || !weir_seal_close(provider->login_seal, plain, weir_str((const char *) provider->bound, OIDC_DIGEST), room))
    {
        return weir_request_fail(req, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
    }
    sealed = weir_str(room, weir_seal_room(plain.len));
    login_make_room(state);
    if (state->pieces != 0) {                                /* of a session that is none */
        oidc_cookies_clear_session(state);
    }
    oidc_cookies_set_login(state, oidc_login_cookie(state, login.state), sealed);
    oidc_cookies_no_store(state);
    return weir_request_redirect_client(req, 302, login_address(state, metadata, &login, challenge));
}

static weir_step_t
login_go_on(oidc_work_t *work)
{
    weir_step_t            step;
    const oidc_metadata_t *metadata = oidc_work_endpoints(work, &step);

    return metadata == NULL ? step : login_send(work->state, metadata);
}

weir_step_t
oidc_login_begin(weir_request_t *req, oidc_state_t *state)
{
    return login_go_on(oidc_work_make(req, state, login_go_on));
}
