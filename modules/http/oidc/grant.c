/*
 * grant.c - the token endpoint is asked (RFC 6749 §4.1.3, §6; OpenID Connect Core 1.0 §3.1.3, §12), and what it answers
 * is looked at: the id token is verified before the asker is told.
 *
 *     endpoints (waited for) ──> POST ──> answer read ──> keys (waited for, newer ones once) ──> done
 *
 * A grant has its own memory, which is wiped, and a reference to its generation: the asker may be gone.  It is never
 * sent twice: a code, and many a refresh token, are good for one time.  Runs in workers.
 */
#include "oidc.h"

#include "base/mem.h"
#include "http/fetch/form.h"

#define GRANT_ANSWER_MAX ((size_t) 64 << 10)
#define GRANT_LIMIT_MS   10000
#define GRANT_DEPTH      16
#define GRANT_VALUES     1024
#define GRANT_LIFE_MAX_S (UINT64_C(366) * 86400)

struct oidc_grant {
    weir_arena_t           arena;
    weir_http_t           *http;
    oidc_provider_t       *provider;
    weir_generation_t     *generation;           /* a reference */
    oidc_grant_spec_t      spec;
    weir_document_waiter_t waiter;
    weir_task_t            task;
    weir_fetch_url_t       url;
    weir_fetch_t          *fetch;
    bool                   has_waited, has_newer_keys;
    oidc_granted_t         granted;
    void                 (*done)(void *data, const oidc_granted_t *granted);
    void                  *data;
};

static void grant_ask(oidc_grant_t *grant);
static void grant_verify(oidc_grant_t *grant);

/* -- its end -- */

static void
grant_free(oidc_grant_t *grant)
{
    weir_generation_t *generation = grant->generation;

    weir_document_forget(&grant->waiter);
    weir_task_cancel(&grant->task);
    weir_arena_wipe(&grant->arena);
    weir_arena_fini(&grant->arena);
    weir_mem_free(grant);
    weir_generation_unref(generation);
}

void
oidc_grant_cancel(oidc_grant_t *grant)
{
    if (grant != NULL) {
        weir_fetch_cancel(grant->fetch);
        grant_free(grant);
    }
}

/* Called by the loop only. */
static void
grant_end(oidc_grant_t *grant, weir_cause_t cause, const char *detail)
{
    grant->granted.cause = cause;
    grant->granted.detail = detail;
    grant->done(grant->data, &grant->granted);
    grant_free(grant);
}

/* -- the answer -- */

/* A token: visible characters, for it goes into fields. */
static bool
grant_take_token(oidc_grant_t *grant, const weir_json_t *json, const char *name, weir_str_t *token)
{
    const weir_json_t *member = weir_json_get(json, weir_str_from_z(name));

    if (member == NULL || member->kind == WEIR_JSON_NULL) {
        return true;
    }
    if (member->kind != WEIR_JSON_STRING || member->text.len > OIDC_SESSION_MAX) {
        return false;
    }
    for (size_t i = 0; i < member->text.len; i++) {
        if (member->text.at[i] <= ' ' || member->text.at[i] > '~') {
            return false;
        }
    }
    *token = weir_str_dup(&grant->arena, member->text);
    return true;
}

/* A number, or a number in quotes, which some say; 0: nothing was said.  What makes no sense is over at once. */
static uint64_t
grant_lifetime(const weir_json_t *json)
{
    const weir_json_t *member = weir_json_get(json, WEIR_STR("expires_in"));
    uint64_t           seconds;
    int64_t            whole;

    if (member == NULL) {
        return 0;
    }
    if (member->kind == WEIR_JSON_STRING) {
        return weir_str_to_u64(member->text, &seconds) && seconds != 0 ? weir_min(seconds, GRANT_LIFE_MAX_S) : 1;
    }
    return weir_json_to_whole(member, &whole) && whole > 0 ? weir_min((uint64_t) whole, GRANT_LIFE_MAX_S) : 1;
}

static const char *
grant_read(oidc_grant_t *grant, const weir_json_t *json)
{
    oidc_granted_t *granted = &grant->granted;
    weir_str_t      type;

    if (!grant_take_token(grant, json, "id_token", &granted->id_token)
        || !grant_take_token(grant, json, "access_token", &granted->access_token)
        || !grant_take_token(grant, json, "refresh_token", &granted->refresh_token))
    {
        return "a token in its answer is malformed";
    }
    if (!weir_json_get_string(json, WEIR_STR("token_type"), &type) || !weir_str_eq_fold(type, WEIR_STR("Bearer"))) {
        return "its access token is no bearer token";
    }
    if (granted->access_token.len == 0) {
        return "its answer has no access_token";
    }
    if (granted->id_token.len == 0 && grant->spec.refresh_token.len == 0) {
        return "its answer has no id_token";
    }
    granted->lifetime_s = grant_lifetime(json);
    return NULL;
}

/* RFC 6749 §5.2. */
static void
grant_refused(oidc_grant_t *grant, uint16_t status, const weir_json_t *json)
{
    weir_str_t error = WEIR_STR_NONE;

    if (json != NULL && !weir_json_get_string(json, WEIR_STR("error"), &error)) {
        error = WEIR_STR_NONE;
    }
    weir_log(WEIR_LOG_WARN, NULL, 0, "the token endpoint of \"%.*s\" answered with status %u, error \"%.*s\"",
             WEIR_STR_ARG(grant->provider->name), status, (int) weir_min(error.len, 64),
             error.at != NULL ? error.at : "");
    if (weir_str_eq(error, WEIR_STR("invalid_grant"))) {
        grant_end(grant, WEIR_CAUSE_AUTH_OIDC_CODE, NULL);
    } else if (weir_str_eq(error, WEIR_STR("invalid_client")) || weir_str_eq(error, WEIR_STR("unauthorized_client"))) {
        grant_end(grant, WEIR_CAUSE_AUTH_OIDC_CLIENT, NULL);
    } else {
        grant_end(grant, WEIR_CAUSE_AUTH_OIDC_TOKEN, "it answered with an error");
    }
}

static void
grant_fetched(void *data, const weir_fetched_t *fetched)
{
    static const weir_json_limits_t limits = { GRANT_DEPTH, GRANT_VALUES };
    oidc_grant_t      *grant = data;
    const weir_json_t *json = NULL;
    const char        *why;

    grant->fetch = NULL;
    if (fetched->body.at == NULL) {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "the token endpoint of \"%.*s\" could not be asked: %s",
                 WEIR_STR_ARG(grant->provider->name), fetched->why);
        grant_end(grant, WEIR_CAUSE_AUTH_OIDC_TOKEN, "it could not be asked");
        return;
    }
    if (weir_json_parse(&grant->arena, fetched->body, limits, &json) != WEIR_JSON_GOOD
        || json->kind != WEIR_JSON_OBJECT)
    {
        json = NULL;
    }
    if (fetched->status != 200) {
        grant_refused(grant, fetched->status, json);
        return;
    }
    why = json == NULL ? "its answer is no JSON object" : grant_read(grant, json);
    if (why != NULL) {
        grant_end(grant, WEIR_CAUSE_AUTH_OIDC_TOKEN, why);
        return;
    }
    grant->has_waited = false;
    grant_verify(grant);
}

/* -- the id token -- */

static void
grant_on_keys(weir_document_waiter_t *waiter)
{
    grant_verify(weir_container_of(waiter, oidc_grant_t, waiter));
}

static void
grant_verify(oidc_grant_t *grant)
{
    const oidc_expected_t expected = { .nonce = grant->spec.nonce, .subject = grant->spec.subject,
                                       .access_token = grant->granted.access_token };
    weir_document_t      *document = &grant->provider->keys;
    weir_jwks_t          *keys;
    oidc_fault_t          fault;

    if (grant->granted.id_token.len == 0) {
        grant_end(grant, WEIR_CAUSE_NONE, NULL);
        return;
    }
    keys = weir_document_value(document);
    if (keys == NULL) {
        if (!grant->has_waited && weir_document_wait(document, grant->http, &grant->waiter, grant_on_keys)) {
            grant->has_waited = true;
            return;
        }
        grant_end(grant, WEIR_CAUSE_AUTH_OIDC_PROVIDER, "its keys");
        return;
    }
    fault = oidc_id_token_check(grant->provider, keys, &grant->arena, grant->granted.id_token, &expected);
    if (fault.has_new_key && !grant->has_newer_keys) {
        grant->has_newer_keys = true;
        if (weir_document_wait(document, grant->http, &grant->waiter, grant_on_keys)) {
            return;
        }
    }
    grant_end(grant, fault.cause, fault.detail);
}

/* -- the question -- */

static void
grant_add(weir_buf_t *form, const char *name, weir_str_t value)
{
    weir_fetch_form_add(form, weir_str_from_z(name), value);
}

static weir_str_t
grant_form(oidc_grant_t *grant)
{
    const oidc_grant_spec_t *spec = &grant->spec;
    const oidc_provider_t   *provider = grant->provider;
    size_t                   room = 256 + 3 * (spec->code.len + spec->verifier.len + spec->redirect_uri.len
                                               + spec->refresh_token.len + provider->client_id.len
                                               + provider->client_secret.len);
    weir_buf_t               form;

    weir_buf_init(&form, weir_alloc_bytes(&grant->arena, room), room);
    if (spec->refresh_token.len != 0) {
        grant_add(&form, "grant_type", WEIR_STR("refresh_token"));
        grant_add(&form, "refresh_token", spec->refresh_token);
    } else {
        grant_add(&form, "grant_type", WEIR_STR("authorization_code"));
        grant_add(&form, "code", spec->code);
        grant_add(&form, "redirect_uri", spec->redirect_uri);
        if (provider->has_pkce) {
            grant_add(&form, "code_verifier", spec->verifier);
        }
    }
    if (provider->client_auth != OIDC_AUTH_BASIC) {
        grant_add(&form, "client_id", provider->client_id);
    }
    if (provider->client_auth == OIDC_AUTH_POST) {
        grant_add(&form, "client_secret", provider->client_secret);
    }
    weir_assert(!form.full);
    return weir_buf_str(&form);
}

static void
grant_on_endpoints(weir_document_waiter_t *waiter)
{
    grant_ask(weir_container_of(waiter, oidc_grant_t, waiter));
}

static void
grant_ask(oidc_grant_t *grant)
{
    const oidc_provider_t *provider = grant->provider;
    weir_fetch_spec_t      spec = { .accept = WEIR_STR("application/json"), .type = WEIR_FETCH_FORM_TYPE,
                                    .any_status = true, .max_body = GRANT_ANSWER_MAX, .limit = { GRANT_LIMIT_MS } };

    if (oidc_provider_endpoints(provider) == NULL && !grant->has_waited
        && weir_document_wait(&provider->endpoints, grant->http, &grant->waiter, grant_on_endpoints))
    {
        grant->has_waited = true;
        return;
    }
    if (oidc_provider_endpoints(provider) == NULL || !oidc_provider_token_url(provider, &grant->arena, &grant->url)) {
        grant_end(grant, WEIR_CAUSE_AUTH_OIDC_PROVIDER, "its token endpoint");
        return;
    }
    spec.body = grant_form(grant);
    if (provider->client_auth == OIDC_AUTH_BASIC) {
        spec.authorization = weir_fetch_form_basic(&grant->arena, provider->client_id, provider->client_secret);
    }
    grant->fetch = weir_fetch(grant->http, grant->generation, &grant->url, &spec, grant_fetched, grant);
    if (grant->fetch == NULL) {
        grant_end(grant, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
    }
}

static void
grant_on_task(weir_task_t *task)
{
    grant_ask(weir_container_of(task, oidc_grant_t, task));
}

oidc_grant_t *
oidc_grant(weir_http_t *http, oidc_provider_t *provider, const oidc_grant_spec_t *spec,
           void (*done)(void *data, const oidc_granted_t *granted), void *data)
{
    oidc_grant_t *grant = weir_mem_try(sizeof(*grant));

    if (grant == NULL) {
        return NULL;
    }
    *grant = (oidc_grant_t) { .http = http, .provider = provider, .done = done, .data = data,
                              .generation = weir_generation_ref(provider->generation) };
    weir_arena_init(&grant->arena, 4096);
    grant->spec = (oidc_grant_spec_t) {
        .code = weir_str_dup(&grant->arena, spec->code),
        .verifier = weir_str_dup(&grant->arena, spec->verifier),
        .redirect_uri = weir_str_dup(&grant->arena, spec->redirect_uri),
        .nonce = weir_str_dup(&grant->arena, spec->nonce),
        .refresh_token = weir_str_dup(&grant->arena, spec->refresh_token),
        .subject = weir_str_dup(&grant->arena, spec->subject),
    };
    weir_task_post(provider->process->loop, &grant->task, grant_on_task);      /* nothing is called back from here */
    return grant;
}
