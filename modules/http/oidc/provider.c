/*
 * provider.c - where a provider is: its endpoints, as it publishes them (OpenID Connect Discovery 1.0 §4), and its
 * keys, whose address stands there.
 *
 * Weir asks only addresses whose host was bound when the configuration was read: that of the published document, or
 * the one that `token_endpoint` or `jwks_uri` says.  So a document cannot send it anywhere else.  Runs in workers.
 */
#include "oidc.h"

#include "base/mem.h"

#define PROVIDER_DEPTH  16
#define PROVIDER_VALUES 4096

/* -- the document -- */

static void
provider_destroy(void *value)
{
    oidc_metadata_t *metadata = value;

    weir_arena_fini(&metadata->arena);
    weir_mem_free(metadata);
}

/* An address that may stand in a Location, or be asked. */
static bool
provider_is_address(weir_str_t text)
{
    if (!weir_fetch_is_url(text) || text.len >= OIDC_URL_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '#' || text.at[i] == '"' || text.at[i] == '\\') {
            return false;
        }
    }
    return true;
}

static bool
provider_take(const weir_json_t *json, const char *name, bool is_needed, weir_arena_t *arena, weir_str_t *out,
              weir_error_t *error)
{
    const weir_json_t *member = weir_json_get(json, weir_str_from_z(name));

    if (member == NULL && !is_needed) {
        return true;
    }
    if (member == NULL || member->kind != WEIR_JSON_STRING || !provider_is_address(member->text)) {
        return weir_error_set(error, "its \"%s\" is %s", name, member == NULL ? "missing" : "no address");
    }
    *out = weir_str_dup(arena, member->text);
    return true;
}

static void *
provider_parse(weir_str_t text, weir_error_t *error)
{
    static const weir_json_limits_t limits = { PROVIDER_DEPTH, PROVIDER_VALUES };
    oidc_metadata_t   *metadata = weir_mem_try(sizeof(*metadata));
    const weir_json_t *json, *says;
    weir_arena_t       scratch;
    bool               is_good;

    if (metadata == NULL) {
        (void) weir_error_set(error, "no memory");
        return NULL;
    }
    *metadata = (oidc_metadata_t) { .says_issuer = false };
    weir_arena_init(&metadata->arena, 1024);
    weir_arena_init(&scratch, 8192);
    is_good = (weir_json_parse(&scratch, text, limits, &json) == WEIR_JSON_GOOD && json->kind == WEIR_JSON_OBJECT)
              || weir_error_set(error, "it is no JSON object");
    is_good = is_good && provider_take(json, "issuer", true, &metadata->arena, &metadata->issuer, error)
              && provider_take(json, "authorization_endpoint", true, &metadata->arena, &metadata->authorization, error)
              && provider_take(json, "token_endpoint", true, &metadata->arena, &metadata->token, error)
              && provider_take(json, "jwks_uri", true, &metadata->arena, &metadata->jwks, error)
              && provider_take(json, "end_session_endpoint", false, &metadata->arena, &metadata->end_session, error);
    if (is_good) {
        says = weir_json_get(json, WEIR_STR("authorization_response_iss_parameter_supported"));
        metadata->says_issuer = says != NULL && says->kind == WEIR_JSON_TRUE;
    }
    weir_arena_fini(&scratch);
    if (!is_good) {
        provider_destroy(metadata);
        return NULL;
    }
    return metadata;
}

const weir_document_kind_t oidc_endpoints_kind = {
    .what = "endpoints", .accept = WEIR_STR_INIT("application/json"), .parse = provider_parse,
    .destroy = provider_destroy,
};

static void *
provider_parse_keys(weir_str_t text, weir_error_t *error)
{
    return weir_jwks_parse(text, error);
}

static void
provider_destroy_keys(void *keys)
{
    weir_jwks_destroy(keys);
}

const weir_document_kind_t oidc_keys_kind = {
    .what = "keys", .accept = WEIR_STR_INIT("application/jwk-set+json, application/json"),
    .parse = provider_parse_keys, .destroy = provider_destroy_keys,
};

/* -- addresses in it -- */

/* What stands behind the authority of an address, and that. */
static weir_str_t
provider_cut(weir_str_t url, weir_str_t *target)
{
    weir_str_t authority = weir_str_skip(url, sizeof("https://") - 1
                                              - !weir_str_starts_fold(url, WEIR_STR("https://")));
    size_t     n = 0;

    while (n < authority.len && authority.at[n] != '/' && authority.at[n] != '?') {
        n++;
    }
    *target = weir_str_skip(authority, n);
    return weir_str(authority.at, n);
}

/* Without the port that goes without saying. */
static weir_str_t
provider_plain(weir_str_t authority, bool is_tls)
{
    weir_str_t port = is_tls ? WEIR_STR(":443") : WEIR_STR(":80");

    if (weir_str_ends(authority, port)) {
        authority.len -= port.len;
    }
    return authority;
}

/* An address at the same place as one that is bound: another target there, in room.  false: it is at another place. */
static bool
provider_at(const weir_fetch_url_t *bound, weir_str_t url, char room[OIDC_URL_MAX], weir_fetch_url_t *at)
{
    bool       is_tls = weir_str_starts_fold(url, WEIR_STR("https://"));
    weir_str_t target, authority = provider_cut(url, &target);
    size_t     n = 0;

    if (is_tls != bound->is_tls || url.len >= OIDC_URL_MAX - 1
        || !weir_str_eq_fold(provider_plain(authority, is_tls), provider_plain(bound->authority, is_tls)))
    {
        return false;
    }
    *at = *bound;
    if (target.len == 0 || target.at[0] != '/') {
        room[n++] = '/';
    }
    memcpy(room + n, target.at != NULL ? target.at : "", target.len);
    at->text = bound->text;
    at->target = weir_str(room, n + target.len);
    return true;
}

const oidc_metadata_t *
oidc_provider_endpoints(const oidc_provider_t *provider)
{
    const oidc_metadata_t *metadata = weir_document_value(&provider->endpoints);

    return metadata != NULL && weir_str_eq(metadata->issuer, provider->issuer) ? metadata : NULL;
}

bool
oidc_provider_token_url(const oidc_provider_t *provider, weir_arena_t *arena, weir_fetch_url_t *url)
{
    const oidc_metadata_t *metadata = oidc_provider_endpoints(provider);

    if (provider->has_token_url) {
        *url = provider->token_url;
        return true;
    }
    return metadata != NULL
           && provider_at(&provider->endpoints.at, metadata->token, weir_alloc_bytes(arena, OIDC_URL_MAX), url);
}

/* The endpoints are known: the keys may be fetched. */
void
oidc_provider_on_endpoints(weir_document_t *document, void *value)
{
    oidc_provider_t       *provider = document->owner;
    const oidc_metadata_t *metadata = value;
    weir_fetch_url_t       at;
    char                   room[OIDC_URL_MAX];

    if (!weir_str_eq(metadata->issuer, provider->issuer)) {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "the provider \"%.*s\" says that it is \"%.*s\", not \"%.*s\": it is not "
                 "used", WEIR_STR_ARG(provider->name), WEIR_STR_ARG(metadata->issuer), WEIR_STR_ARG(provider->issuer));
        return;
    }
    if (!provider->has_token_url && !provider_at(&provider->endpoints.at, metadata->token, room, &at)) {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "the token endpoint of \"%.*s\" is at another place, \"%.*s\": "
                 "\"token_endpoint\" must say it", WEIR_STR_ARG(provider->name), WEIR_STR_ARG(metadata->token));
    }
    if (!provider->has_jwks_url) {
        if (!provider_at(&provider->endpoints.at, metadata->jwks, room, &at)) {
            weir_log(WEIR_LOG_ERROR, NULL, 0, "the keys of \"%.*s\" are at another place, \"%.*s\": \"jwks_uri\" must "
                     "say it", WEIR_STR_ARG(provider->name), WEIR_STR_ARG(metadata->jwks));
            return;
        }
        if (!weir_document_is_busy(&provider->keys)) {       /* else it is still the one before */
            memcpy(provider->keys_room, at.target.at, at.target.len);
            provider->keys.at = at;
            provider->keys.at.target.at = provider->keys_room;
        }
    }
    weir_document_adopt(provider->process->documents, provider->generation, &provider->keys);
}
