/*
 * conf.c - `oidc_provider NAME { … }` and `auth_oidc NAME | off`: what the lines say.  Load time.
 */
#include "oidc.h"

#include "http/message/syntax.h"

#include <openssl/evp.h>

static const weir_str_t conf_well_known = WEIR_STR_INIT("/.well-known/openid-configuration");

/* While the block is read. */
typedef struct {
    oidc_provider_t          *provider;
    uint32_t                  seen;                          /* lines, as bits */
    const weir_conf_words_t  *config_words, *token_words, *jwks_words;
    weir_fetch_url_t          jwks;
    bool                      has_config, is_settled;
} conf_block_t;

typedef struct {
    const char *name;
    size_t      min, max;                                    /* words behind it */
    const char *args;
    bool      (*read)(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block);
} conf_line_t;

static const weir_conf_words_t *
conf_keep_words(weir_conf_t *cf, const weir_conf_words_t *words)
{
    weir_conf_words_t *kept = weir_new(cf->arena, weir_conf_words_t);

    *kept = *words;
    return kept;
}

/* -- kinds of values -- */

/* A text without controls: it goes into an address or a form. */
static bool
conf_read_text(weir_conf_t *cf, const weir_conf_words_t *words, weir_str_t *text)
{
    *text = words->at[1].text;
    for (size_t i = 0; i < text->len; i++) {
        if ((unsigned char) text->at[i] < ' ' || text->at[i] == 0x7f) {
            return weir_conf_invalid(cf, 1, "a text without control characters");
        }
    }
    return text->len != 0 || weir_conf_invalid(cf, 1, "a text that is not empty");
}

static bool
conf_read_flag(weir_conf_t *cf, const weir_conf_words_t *words, bool *flag)
{
    *flag = weir_str_eq(words->at[1].text, WEIR_STR("on"));
    return *flag || weir_str_eq(words->at[1].text, WEIR_STR("off")) || weir_conf_invalid(cf, 1, "\"on\" or \"off\"");
}

static bool
conf_read_time(weir_conf_t *cf, const weir_conf_words_t *words, uint64_t min_ms, weir_msec_t *time)
{
    if (!weir_conf_read_msec(words->at[1].text, time) || time->ms < min_ms || time->ms > UINT64_C(366) * 86400 * 1000) {
        return weir_conf_invalid(cf, 1, min_ms != 0 ? "a time from one second to a year" : "a time up to a year");
    }
    return true;
}

/* A path that requests are compared with: as it is when it was decoded. */
static bool
conf_is_path(weir_str_t text)
{
    if (text.len < 2 || text.at[0] != '/' || text.at[1] == '/') {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] <= ' ' || text.at[i] > '~' || memchr("?#%$\\\"<>", text.at[i], 9) != NULL) {
            return false;
        }
    }
    return true;
}

/* Its path, of an address. */
static bool
conf_path_of(weir_str_t url, weir_str_t *path)
{
    weir_str_t  rest = weir_str_skip(url, sizeof("https://") - 1 - !weir_str_starts_fold(url, WEIR_STR("https://")));
    const char *slash = weir_str_find(rest, '/');

    if (slash == NULL || slash == rest.at) {
        return false;
    }
    *path = weir_str_skip(rest, (size_t) (slash - rest.at));
    return conf_is_path(*path);
}

/* -- lines -- */

static bool
conf_issuer(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    oidc_provider_t *provider = block->provider;
    weir_str_t       url = words->at[1].text;
    weir_fetch_url_t at;

    if (!weir_fetch_is_url(url) || weir_str_find(url, '?') != NULL) {
        return weir_conf_invalid(cf, 1, "the provider's https:// address, as its tokens have it");
    }
    if (!weir_fetch_read_url(cf, 1, url, &at)) {
        return false;
    }
    provider->issuer = weir_str_dup(cf->arena, url);
    if (block->has_config) {
        return true;
    }
    while (url.len != 0 && url.at[url.len - 1] == '/') {
        url.len--;
    }
    block->config_words = conf_keep_words(cf, words);
    return weir_fetch_read_url(cf, 1, weir_str_concat(cf->arena, url, conf_well_known), &provider->endpoints.at);
}

static bool
conf_config_url(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    if (!weir_fetch_is_url(words->at[1].text)) {
        return weir_conf_invalid(cf, 1, "an http:// or https:// address");
    }
    block->has_config = true;
    block->config_words = conf_keep_words(cf, words);
    return weir_fetch_read_url(cf, 1, words->at[1].text, &block->provider->endpoints.at);
}

static bool
conf_token_endpoint(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    if (!weir_fetch_is_url(words->at[1].text)) {
        return weir_conf_invalid(cf, 1, "an http:// or https:// address");
    }
    block->provider->has_token_url = true;
    block->token_words = conf_keep_words(cf, words);
    return weir_fetch_read_url(cf, 1, words->at[1].text, &block->provider->token_url);
}

static bool
conf_jwks_uri(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    if (!weir_fetch_is_url(words->at[1].text)) {
        return weir_conf_invalid(cf, 1, "an http:// or https:// address");
    }
    block->provider->has_jwks_url = true;
    block->jwks_words = conf_keep_words(cf, words);
    return weir_fetch_read_url(cf, 1, words->at[1].text, &block->provider->keys.at);
}

static bool
conf_client_id(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    return conf_read_text(cf, words, &block->provider->client_id);
}

static bool
conf_client_secret(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    return conf_read_text(cf, words, &block->provider->client_secret);
}

static bool
conf_client_auth(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    block->provider->client_auth = weir_str_eq(words->at[1].text, WEIR_STR("client_secret_post")) ? OIDC_AUTH_POST
                                   : OIDC_AUTH_BASIC;
    return block->provider->client_auth == OIDC_AUTH_POST
           || weir_str_eq(words->at[1].text, WEIR_STR("client_secret_basic"))
           || weir_conf_invalid(cf, 1, "\"client_secret_basic\" or \"client_secret_post\"");
}

static bool
conf_redirect_uri(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    oidc_provider_t *provider = block->provider;

    provider->redirect_uri = provider->callback = words->at[1].text;
    return conf_is_path(provider->redirect_uri)
           || (weir_fetch_is_url(provider->redirect_uri) && conf_path_of(provider->redirect_uri, &provider->callback))
           || weir_conf_invalid(cf, 1, "a path of this site such as /oidc_callback, or an https:// address with one");
}

static bool
conf_logout_uri(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    block->provider->logout_uri = words->at[1].text;
    return conf_is_path(words->at[1].text) || weir_conf_invalid(cf, 1, "a path of this site such as /logout");
}

static bool
conf_post_logout_uri(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    weir_str_t path, text = words->at[1].text;

    block->provider->post_logout_uri = text;
    return conf_is_path(text) || weir_str_eq(text, WEIR_STR("/"))
           || (weir_fetch_is_url(text) && (conf_path_of(text, &path) || weir_str_ends(text, WEIR_STR("/"))))
           || weir_conf_invalid(cf, 1, "a path of this site, or an https:// address with one");
}

static bool
conf_hint(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    return conf_read_flag(cf, words, &block->provider->has_hint);
}

static bool
conf_pkce(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    return conf_read_flag(cf, words, &block->provider->has_pkce);
}

static bool
conf_scope(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    weir_str_t scope = WEIR_STR_NONE;
    bool       has_openid = false;

    for (size_t i = 1; i < words->n; i++) {
        weir_str_t one, rest = words->at[i].text;

        while (rest.len != 0) {                              /* "openid email" in quotes is two, too */
            (void) weir_str_cut(rest, ' ', &one, &rest);
            for (size_t k = 0; k < one.len; k++) {
                if (one.at[k] <= ' ' || one.at[k] > '~' || one.at[k] == '"' || one.at[k] == '\\') {
                    return weir_conf_invalid(cf, i, "scopes (RFC 6749 §3.3)");
                }
            }
            if (one.len != 0) {
                has_openid = has_openid || weir_str_eq(one, WEIR_STR("openid"));
                scope = scope.len == 0 ? one : weir_str_printf(cf->arena, "%.*s %.*s", WEIR_STR_ARG(scope),
                                                               WEIR_STR_ARG(one));
            }
        }
    }
    block->provider->scope = scope;
    return has_openid || weir_conf_error(cf, 0, "\"scope\" in \"oidc_provider\" needs \"openid\"");
}

/* What Weir itself says is not said twice. */
static bool
conf_extra_args(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    static const char *const ours[] = { "response_type", "response_mode", "client_id", "redirect_uri", "scope", "state",
                                        "nonce", "code_challenge", "code_challenge_method" };
    weir_str_t text = words->at[1].text, value;

    if (text.len == 0 || !weir_uri_query_ok(text)) {
        return weir_conf_invalid(cf, 1, "arguments of a query such as \"prompt=login&display=page\"");
    }
    for (size_t i = 0; i < weir_countof(ours); i++) {
        if (weir_uri_arg(text, weir_str_from_z(ours[i]), &value)) {
            return weir_conf_error(cf, 1, "\"extra_auth_args\" may not have \"%s\": Weir says that itself", ours[i]);
        }
    }
    block->provider->extra_args = text;
    return true;
}

static bool
conf_is_cookie_name(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) {
            return false;
        }
    }
    return text.len != 0 && text.len <= 64;
}

static bool
conf_cookie_name(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    block->provider->cookie_name = words->at[1].text;
    return (conf_is_cookie_name(words->at[1].text) && !weir_str_starts_fold(words->at[1].text, WEIR_STR("__")))
           || weir_conf_invalid(cf, 1, "at most 64 letters, digits, \"-\" and \"_\", without \"__\" before them");
}

static bool
conf_cookie_max_size(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    weir_bytes_t *size = &block->provider->cookie_max_size;

    return (weir_conf_read_bytes(words->at[1].text, size) && size->n >= 1024
            && size->n <= WEIR_COOKIES_PIECE * WEIR_COOKIES_PIECES)
           || weir_conf_invalid(cf, 1, "a size from 1k to 33k");
}

static bool
conf_session_timeout(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    return conf_read_time(cf, words, 1000, &block->provider->session_timeout);
}

static bool
conf_session_lifetime(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    return conf_read_time(cf, words, 1000, &block->provider->session_lifetime);
}

static bool
conf_login_timeout(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    return conf_read_time(cf, words, 1000, &block->provider->login_timeout);
}

static bool
conf_refresh_before(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    return conf_read_time(cf, words, 0, &block->provider->refresh_before);
}

static bool
conf_key_file(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    weir_error_t error = { .text = "" };
    weir_str_t   path, bytes;

    if (words->at[1].text.len == 0 || weir_conf_has_variables(cf, 1, words->at[1].text)) {
        return weir_conf_invalid(cf, 1, "the name of a file, without variables");
    }
    path = weir_conf_near_path(cf, words->at[1].text);
    if (!weir_conf_file(cf, 1, path, &bytes)) {
        return false;
    }
    return weir_seal_read_secrets(cf->arena, bytes, &block->provider->secrets, &error)
           || weir_conf_error(cf, 1, "\"%.*s\" is no file of session keys: %s", WEIR_STR_ARG(path), error.text);
}

static bool
conf_trusted(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    if (words->at[1].text.len == 0 || weir_conf_has_variables(cf, 1, words->at[1].text)) {
        return weir_conf_invalid(cf, 1, "the name of a file, without variables");
    }
    block->provider->trusted_certificate = weir_conf_near_path(cf, words->at[1].text);
    return true;
}

/* Of an id token: signatures by a key that the provider publishes. */
static bool
conf_algorithms(weir_conf_t *cf, const weir_conf_words_t *words, conf_block_t *block)
{
    weir_jose_alg_t alg;

    block->provider->algorithms = 0;
    for (size_t i = 1; i < words->n; i++) {
        if (!weir_jose_find_alg(words->at[i].text, &alg) || weir_jose_alg(alg)->role != WEIR_JOSE_SIGNS
            || weir_jose_alg(alg)->kty == WEIR_JOSE_OCT)
        {
            return weir_conf_invalid(cf, i, "RS256, PS256, ES256, their 384 and 512, or EdDSA");
        }
        block->provider->algorithms |= WEIR_JOSE_BIT(alg);
    }
    return true;
}

static const conf_line_t conf_lines[] = {
    { "issuer", 1, 1, "URL", conf_issuer },
    { "client_id", 1, 1, "text", conf_client_id },
    { "client_secret", 1, 1, "text", conf_client_secret },
    { "client_auth", 1, 1, "client_secret_basic | client_secret_post", conf_client_auth },
    { "config_url", 1, 1, "URL", conf_config_url },
    { "token_endpoint", 1, 1, "URL", conf_token_endpoint },
    { "jwks_uri", 1, 1, "URL", conf_jwks_uri },
    { "redirect_uri", 1, 1, "path | URL", conf_redirect_uri },
    { "logout_uri", 1, 1, "path", conf_logout_uri },
    { "post_logout_uri", 1, 1, "path | URL", conf_post_logout_uri },
    { "logout_token_hint", 1, 1, "on | off", conf_hint },
    { "pkce", 1, 1, "on | off", conf_pkce },
    { "scope", 1, 64, "scope ...", conf_scope },
    { "extra_auth_args", 1, 1, "arguments", conf_extra_args },
    { "cookie_name", 1, 1, "name", conf_cookie_name },
    { "cookie_max_size", 1, 1, "size", conf_cookie_max_size },
    { "session_key_file", 1, 1, "file", conf_key_file },
    { "session_timeout", 1, 1, "time", conf_session_timeout },
    { "session_lifetime", 1, 1, "time", conf_session_lifetime },
    { "login_timeout", 1, 1, "time", conf_login_timeout },
    { "refresh_before", 1, 1, "time", conf_refresh_before },
    { "id_token_algorithms", 1, 32, "algorithm ...", conf_algorithms },
    { "ssl_trusted_certificate", 1, 1, "file", conf_trusted },
};

bool
oidc_line(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    const char *names[weir_countof(conf_lines) + 1] = { NULL }, *near;
    weir_str_t  name = words->at[0].text;

    for (size_t i = 0; i < weir_countof(conf_lines); i++) {
        const conf_line_t *line = &conf_lines[i];
        conf_block_t      *mine = block->owner;

        names[i] = line->name;
        if (!weir_str_eq(name, weir_str_from_z(line->name))) {
            continue;
        }
        if (words->n - 1 < line->min || words->n - 1 > line->max) {
            return weir_conf_error(cf, 0, "\"%s\" in \"oidc_provider\" takes: %s", line->name, line->args);
        }
        if ((mine->seen & 1u << i) != 0) {
            return weir_conf_error(cf, 0, "\"%s\" is said twice in this \"oidc_provider\"", line->name);
        }
        mine->seen |= 1u << i;
        return line->read(cf, words, mine);
    }
    near = weir_conf_nearest(name, names, weir_countof(conf_lines));
    return weir_conf_error(cf, 0, "unknown line \"%.*s\" in \"oidc_provider\"%s%s%s", WEIR_STR_ARG(name),
                           near != NULL ? ", did you mean \"" : "", near != NULL ? near : "",
                           near != NULL ? "\"?" : "");
}

/* -- the block -- */

static void
conf_forget(void *data)
{
    oidc_provider_t *provider = data;

    weir_seal_destroy(provider->session_seal);
    weir_seal_destroy(provider->login_seal);
}

bool
oidc_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    oidc_conf_t     *conf = weir_conf_own(cf, cf->block, weir_http_oidc_index);
    conf_block_t    *mine = weir_new(cf->arena, conf_block_t);
    oidc_provider_t *provider = weir_new(cf->live, oidc_provider_t);

    if (!conf_is_cookie_name(words->at[1].text) || weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return weir_conf_invalid(cf, 1, "a name of letters, digits, \"-\" and \"_\", other than \"off\"");
    }
    for (size_t i = 0; i < conf->providers.n; i++) {
        if (weir_str_eq(conf->providers.at[i]->name, words->at[1].text)) {
            return weir_conf_error(cf, 1, "there is an \"oidc_provider\" \"%.*s\" already",
                                   WEIR_STR_ARG(words->at[1].text));
        }
    }
    *provider = (oidc_provider_t) {
        .name = words->at[1].text, .words = conf_keep_words(cf, words), .scope = WEIR_STR("openid"),
        .redirect_uri = WEIR_STR("/oidc_callback"), .callback = WEIR_STR("/oidc_callback"), .has_pkce = true,
        .session_timeout = { 8 * 3600 * 1000 }, .session_lifetime = { UINT64_C(7) * 86400 * 1000 },
        .login_timeout = { 600 * 1000 }, .refresh_before = { 30 * 1000 }, .cookie_max_size = { 16 << 10 },
        .algorithms = WEIR_JOSE_BIT(WEIR_JOSE_RS256) | WEIR_JOSE_BIT(WEIR_JOSE_RS384) | WEIR_JOSE_BIT(WEIR_JOSE_RS512)
                      | WEIR_JOSE_BIT(WEIR_JOSE_PS256) | WEIR_JOSE_BIT(WEIR_JOSE_PS384)
                      | WEIR_JOSE_BIT(WEIR_JOSE_PS512) | WEIR_JOSE_BIT(WEIR_JOSE_ES256)
                      | WEIR_JOSE_BIT(WEIR_JOSE_ES384) | WEIR_JOSE_BIT(WEIR_JOSE_ES512)
                      | WEIR_JOSE_BIT(WEIR_JOSE_EDDSA) | WEIR_JOSE_BIT(WEIR_JOSE_ED25519),
    };
    weir_arena_on_cleanup(cf->live, conf_forget, provider);
    mine->provider = provider;
    block->owner = mine;
    provider->endpoints.owner = provider->keys.owner = mine;             /* until it is settled */
    *(oidc_provider_t **) weir_conf_list_push(cf, &conf->providers, sizeof(provider)) = provider;
    return true;
}

static bool
conf_digest(oidc_provider_t *provider)
{
    const weir_str_t texts[] = { provider->issuer, provider->client_id, provider->cookie_name };
    EVP_MD_CTX      *ctx = EVP_MD_CTX_new();
    bool             is_good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; i < weir_countof(texts) && is_good; i++) {
        uint64_t len = texts[i].len;

        is_good = EVP_DigestUpdate(ctx, &len, sizeof(len)) == 1
                  && EVP_DigestUpdate(ctx, texts[i].at, texts[i].len) == 1;
    }
    is_good = is_good && EVP_DigestFinal_ex(ctx, provider->bound, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return is_good;
}

static bool
conf_need(weir_conf_t *cf, const oidc_provider_t *provider, weir_str_t value, const char *name)
{
    return value.len != 0
           || weir_conf_error_at(cf, provider->words, "\"oidc_provider\" \"%.*s\" has no \"%s\"",
                                 WEIR_STR_ARG(provider->name), name);
}

static void
conf_name_cookies(weir_conf_t *cf, oidc_provider_t *provider)
{
    if (provider->cookie_name.len == 0) {
        provider->cookie_name = weir_str_printf(cf->arena, "weir_oidc_%.*s", WEIR_STR_ARG(provider->name));
    }
    for (size_t i = 0; i < 2; i++) {
        provider->cookie[i] = weir_str_printf(cf->arena, "%s%.*s", i != 0 ? "__Host-" : "",
                                              WEIR_STR_ARG(provider->cookie_name));
        provider->login_cookie[i] = weir_str_printf(cf->arena, "%.*s-login.", WEIR_STR_ARG(provider->cookie[i]));
    }
}

bool
oidc_settle(weir_conf_t *cf, oidc_provider_t *provider)
{
    if (provider->cookie[0].len != 0) {
        return true;                                         /* an inner block has the same list */
    }
    if (!conf_need(cf, provider, provider->issuer, "issuer")
        || !conf_need(cf, provider, provider->client_id, "client_id"))
    {
        return false;
    }
    if (provider->client_secret.len == 0) {
        if (!provider->has_pkce) {
            return weir_conf_error_at(cf, provider->words, "\"oidc_provider\" \"%.*s\" has \"pkce off\" and no "
                                      "\"client_secret\": any client could use its codes",
                                      WEIR_STR_ARG(provider->name));
        }
        provider->client_auth = OIDC_AUTH_NONE;
    }
    if (weir_str_eq(provider->logout_uri, provider->callback)) {
        return weir_conf_error_at(cf, provider->words, "\"logout_uri\" and \"redirect_uri\" of \"oidc_provider\" "
                                  "\"%.*s\" are the same", WEIR_STR_ARG(provider->name));
    }
    conf_name_cookies(cf, provider);
    return conf_digest(provider) || weir_conf_error_at(cf, provider->words, "no memory");
}

bool
oidc_bind(weir_conf_t *cf, weir_generation_t *generation, oidc_provider_t *provider)
{
    const conf_block_t *mine = provider->endpoints.owner;
    weir_str_t          url = provider->endpoints.at.text;

    provider->endpoints.kind = &oidc_endpoints_kind;
    provider->keys.kind = &oidc_keys_kind;
    provider->endpoints.name = weir_str_printf(cf->arena, "%.*s %.*s", WEIR_STR_ARG(provider->name),
                                               WEIR_STR_ARG(url));
    provider->keys.name = weir_str_printf(cf->arena, "%.*s keys %.*s", WEIR_STR_ARG(provider->name),
                                          WEIR_STR_ARG(url));
    provider->endpoints.stale = provider->keys.stale = (weir_msec_t) { 86400 * 1000 };
    provider->endpoints.refresh = provider->keys.refresh = (weir_msec_t) { 1000 };
    provider->endpoints.on_value = oidc_provider_on_endpoints;
    if (!weir_fetch_bind(cf, generation, mine->config_words, provider->trusted_certificate, &provider->endpoints.at)
        || (provider->has_token_url
            && !weir_fetch_bind(cf, generation, mine->token_words, provider->trusted_certificate, &provider->token_url))
        || (provider->has_jwks_url
            && !weir_fetch_bind(cf, generation, mine->jwks_words, provider->trusted_certificate, &provider->keys.at)))
    {
        return false;
    }
    provider->endpoints.owner = provider->keys.owner = provider;
    return true;
}

/* -- auth_oidc -- */

static bool
conf_parse_ask(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    oidc_ask_t *ask = field;

    *ask = (oidc_ask_t) { .name = WEIR_STR_NONE };
    if (weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return true;
    }
    if (!conf_is_cookie_name(words->at[1].text)) {
        return weir_conf_invalid(cf, 1, "the name of an \"oidc_provider\", or \"off\"");
    }
    ask->name = words->at[1].text;
    ask->words = conf_keep_words(cf, words);
    return true;
}

const weir_conf_type_t oidc_type_ask = {
    .name = "provider | off", .size = sizeof(oidc_ask_t), .min_args = 1, .max_args = 1, .parse = conf_parse_ask,
};
const weir_conf_type_t oidc_type_providers = {
    .name = "", .size = sizeof(oidc_providers_t), .repeats = true, .item = sizeof(oidc_provider_t *),
};
