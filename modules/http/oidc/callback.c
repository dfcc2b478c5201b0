/*
 * callback.c - back from the provider, at the path of `redirect_uri` (OpenID Connect Core 1.0 §3.1.2.5): when it is the
 * answer to a login of this very browser, the code is changed for tokens, and a session begins.
 *
 * Threat: an attacker can make a browser come here, with a code of the attacker's own (login CSRF), with one that was
 * used, with arguments that come twice.  So nothing is done without the cookie that the login left in this browser,
 * whose state is that of the address; and the session is always a new one.  Runs in workers.
 */
#include "oidc.h"

#include "http/record/story.h"
#include "os/clock.h"

#include <openssl/crypto.h>

#define CALLBACK_STATE 128                       /* characters that one is looked for with */

/* What the address says; at NULL: nothing of that name. */
typedef struct { weir_str_t code, state, error, issuer; bool is_bad; } callback_args_t;

/* -- arguments -- */

static int
callback_hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* A value of a form (application/x-www-form-urlencoded).  false: it is none, or has a control. */
static bool
callback_decode(weir_arena_t *arena, weir_str_t text, weir_str_t *value)
{
    char  *room = weir_alloc_bytes(arena, text.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < text.len ? callback_hex(text.at[i + 1]) : -1;
            int low = i + 2 < text.len ? callback_hex(text.at[i + 2]) : -1;

            if (high < 0 || low < 0) {
                return false;
            }
            c = (char) (high << 4 | low);
            i += 2;
        }
        if ((unsigned char) c < ' ' || c == 0x7f) {
            return false;
        }
        room[n++] = c;
    }
    *value = weir_str(room, n);
    return true;
}

/* Names are compared with case, and each may stand once. */
static void
callback_take(weir_arena_t *arena, weir_str_t name, weir_str_t value, callback_args_t *args)
{
    static const weir_str_t names[] = { WEIR_STR_INIT("code"), WEIR_STR_INIT("state"), WEIR_STR_INIT("error"),
                                        WEIR_STR_INIT("iss") };
    weir_str_t *const       at[] = { &args->code, &args->state, &args->error, &args->issuer };

    for (size_t i = 0; i < weir_countof(names); i++) {
        if (weir_str_eq(name, names[i])) {
            args->is_bad = args->is_bad || at[i]->at != NULL || !callback_decode(arena, value, at[i]);
        }
    }
}

static void
callback_read(weir_arena_t *arena, weir_str_t query, callback_args_t *args)
{
    weir_str_t pair, name, value;

    while (query.len != 0) {
        (void) weir_str_cut(query, '&', &pair, &query);
        (void) weir_str_cut(pair, '=', &name, &value);
        if (!callback_decode(arena, name, &name)) {
            args->is_bad = true;
            return;
        }
        callback_take(arena, name, value, args);
    }
}

/* -- the login -- */

static weir_step_t
callback_fail(oidc_work_t *work, weir_cause_t cause, const char *detail)
{
    weir_http_story_judged(work->req, "auth_oidc", work->state->provider->name, WEIR_STR("REJECTED"));
    oidc_cookies_no_store(work->state);
    return weir_request_fail(work->req, cause, detail);
}

/* The login that this browser has begun with that state. */
static const char *
callback_find_login(oidc_work_t *work, const callback_args_t *args)
{
    oidc_state_t          *state = work->state;
    const oidc_provider_t *provider = state->provider;
    const weir_fields_t   *fields = state->req->sent_fields != NULL ? state->req->sent_fields
                                    : &state->req->head.fields;
    weir_str_t             name = oidc_login_cookie(state, args->state), one, value, plain;
    weir_cookies_t         cookies = { .fields = fields };
    uint64_t               now_ms = weir_clock_wall_ms();
    weir_seal_result_t     opened;

    do {
        if (!weir_cookies_next(&cookies, &one, &value)) {
            return "this browser has begun no such login";
        }
    } while (!weir_str_eq(one, name));
    oidc_cookies_set_login(state, name, WEIR_STR_NONE);                    /* once, and however it ends */
    opened = weir_seal_open(provider->login_seal, value, weir_str((const char *) provider->bound, OIDC_DIGEST),
                            weir_alloc_bytes(&state->secrets, value.len + 1), &plain);
    if ((opened != WEIR_SEAL_OPENED && opened != WEIR_SEAL_OPENED_OLD) || !oidc_login_read(plain, &work->login)) {
        return "the cookie of the login cannot be read";
    }
    if (work->login.state.len != args->state.len
        || CRYPTO_memcmp(work->login.state.at, args->state.at, args->state.len) != 0)
    {
        return "the login of this browser has another state";
    }
    if (work->login.created_ms > now_ms + OIDC_LEEWAY_S * 1000
        || now_ms - weir_min(now_ms, work->login.created_ms) > provider->login_timeout.ms)
    {
        return "the login was begun longer ago than login_timeout";
    }
    return NULL;
}

/* -- the code -- */

static void
callback_on_granted(void *data, const oidc_granted_t *granted)
{
    oidc_work_t   *work = data;
    oidc_state_t  *state = work->state;
    oidc_session_t session;
    weir_str_t     sealed;

    work->grant = NULL;
    weir_request_let_go(&work->hold);
    if (granted->cause != WEIR_CAUSE_NONE) {
        (void) callback_fail(work, granted->cause, granted->detail);
        return;
    }
    sealed = oidc_session_seal(state->provider, NULL, granted, &state->secrets, &session);
    if (sealed.at == NULL || !oidc_cookies_set_session(state, sealed)) {
        (void) callback_fail(work, WEIR_CAUSE_AUTH_OIDC_TOO_LARGE, NULL);
        return;
    }
    weir_http_story_judged(work->req, "auth_oidc", state->provider->name, WEIR_STR("LOGGED_IN"));
    oidc_cookies_no_store(state);
    (void) weir_request_redirect_client(work->req, 302, oidc_login_absolute(state, work->login.uri));
}

static weir_step_t
callback_ask(oidc_work_t *work, const callback_args_t *args)
{
    const oidc_provider_t *provider = work->state->provider;
    oidc_grant_spec_t      spec = { .code = args->code, .verifier = work->login.verifier, .nonce = work->login.nonce,
                                    .redirect_uri = oidc_login_absolute(work->state, provider->redirect_uri) };

    work->grant = oidc_grant(work->req->http, work->state->provider, &spec, callback_on_granted, work);
    if (work->grant == NULL) {
        return callback_fail(work, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
    }
    oidc_work_hold(work);
    return WEIR_PARK;
}

static weir_step_t
callback_go_on(oidc_work_t *work)
{
    weir_request_t        *req = work->req;
    callback_args_t        args = { .is_bad = req->head.method != WEIR_METHOD_GET };
    const oidc_metadata_t *metadata;
    weir_step_t            step;
    const char            *why;

    metadata = oidc_work_endpoints(work, &step);
    if (metadata == NULL) {
        return step;
    }
    callback_read(&work->state->secrets, req->query, &args);
    if (args.is_bad || args.state.len > CALLBACK_STATE || (args.code.len == 0) == (args.error.len == 0)) {
        return callback_fail(work, WEIR_CAUSE_AUTH_OIDC_CALLBACK, NULL);
    }
    why = args.state.len == 0 ? "there is no state in the address" : callback_find_login(work, &args);
    if (why != NULL) {
        return callback_fail(work, WEIR_CAUSE_AUTH_OIDC_STATE, why);
    }
    if (args.issuer.at != NULL ? !weir_str_eq(args.issuer, work->state->provider->issuer) : metadata->says_issuer) {
        return callback_fail(work, WEIR_CAUSE_AUTH_OIDC_ISSUER, NULL);       /* RFC 9207 */
    }
    if (args.error.len != 0) {
        weir_request_log(req, WEIR_LOG_INFO, WEIR_CAUSE_AUTH_OIDC_DENIED, "the provider \"%.*s\" says \"%.*s\"",
                         WEIR_STR_ARG(work->state->provider->name), (int) weir_min(args.error.len, 64), args.error.at);
        return callback_fail(work, WEIR_CAUSE_AUTH_OIDC_DENIED, NULL);
    }
    return callback_ask(work, &args);
}

weir_step_t
oidc_callback(weir_request_t *req, oidc_state_t *state)
{
    return callback_go_on(oidc_work_make(req, state, callback_go_on));
}
