/*
 * module.c - auth_jwt and its like, as nginx has them, with issuers, audiences and algorithms that may be asked for:
 * what the directives say, and the module.
 *
 * Load time, but for the module's life.
 */
#include "jwt.h"

#include "http/guard/dry_run.h"

#include <openssl/evp.h>

/* What a generation has. */
typedef struct { weir_document_t *urls; } jwt_built_t;

/* -- keys -- */

static const weir_conf_words_t *
jwt_keep_words(weir_conf_t *cf, const weir_conf_words_t *words)
{
    weir_conf_words_t *kept = weir_new(cf->arena, weir_conf_words_t);

    *kept = *words;
    return kept;
}

static void
jwt_forget_keys(void *keys)
{
    weir_jwks_destroy(keys);
}

/* A file's keys are all to be good, but for those that are for nothing known. */
static bool
jwt_check_file(weir_conf_t *cf, weir_str_t path, const weir_jwks_t *keys)
{
    for (size_t i = 0; i < weir_jwks_count(keys); i++) {
        const weir_jwk_t  *key = weir_jwks_at(keys, i);
        weir_str_t         kid = weir_jwk_kid(key);
        const char        *why;
        weir_jose_result_t fault = weir_jwk_fault(key, &why);

        if (fault == WEIR_JOSE_KEY_MISMATCH) {
            weir_conf_warn(cf, 1, "key %zu of \"%.*s\" (kid \"%.*s\") is not used: %s", i + 1, WEIR_STR_ARG(path),
                           WEIR_STR_ARG(kid), why);
        } else if (fault != WEIR_JOSE_GOOD) {
            return weir_conf_error(cf, 1, "key %zu of \"%.*s\" (kid \"%.*s\") cannot be used: %s", i + 1,
                                   WEIR_STR_ARG(path), WEIR_STR_ARG(kid), why);
        }
    }
    return true;
}

static bool
jwt_parse_file(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *list)
{
    jwt_source_t source = { .kind = JWT_FILE, .text = words->at[1].text };
    weir_error_t error = { .text = "" };
    weir_str_t   path, bytes;

    if (source.text.len == 0 || weir_conf_has_variables(cf, 1, source.text)) {
        return weir_conf_invalid(cf, 1, "the name of a file, without variables");
    }
    path = weir_conf_near_path(cf, source.text);
    if (!weir_conf_file(cf, 1, path, &bytes)) {
        return false;
    }
    source.words = jwt_keep_words(cf, words);
    source.file = weir_jwks_parse(bytes, &error);
    if (source.file == NULL) {
        return weir_conf_error(cf, 1, "\"%.*s\" is no JSON Web Key Set: %s", WEIR_STR_ARG(path), error.text);
    }
    weir_arena_on_cleanup(cf->arena, jwt_forget_keys, source.file);
    if (!jwt_check_file(cf, path, source.file)) {
        return false;
    }
    *(jwt_source_t *) weir_conf_list_push(cf, list, sizeof(source)) = source;
    return true;
}

static void
jwt_forget_cached(void *data)
{
    jwt_set_unref(((jwt_cached_t *) data)->set);
}

static bool
jwt_parse_request(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *list)
{
    jwt_source_t source = { .text = words->at[1].text, .words = jwt_keep_words(cf, words) };

    if (weir_fetch_is_url(source.text)) {
        source.kind = JWT_URL;
        source.url = weir_new(cf->live, jwt_url_t);
        if (!weir_fetch_read_url(cf, 1, source.text, &source.url->document.at)) {
            return false;
        }
    } else {
        source.kind = JWT_URI;
        if (source.text.len == 0 || strchr(words->at[1].is_literal ? "/@" : "/@$", source.text.at[0]) == NULL) {
            return weir_conf_invalid(cf, 1, "the URI of a location, or an http:// or https:// address");
        }
        source.uri = weir_conf_template(cf, 1, source.text);
        if (source.uri == NULL) {
            return false;
        }
        source.cached = weir_new(cf->live, jwt_cached_t);
        weir_arena_on_cleanup(cf->live, jwt_forget_cached, source.cached);
    }
    *(jwt_source_t *) weir_conf_list_push(cf, list, sizeof(source)) = source;
    return true;
}

static const weir_conf_type_t jwt_type_file = {
    .name = "file", .size = sizeof(jwt_sources_t), .min_args = 1, .max_args = 1, .repeats = true,
    .parse = jwt_parse_file, .item = sizeof(jwt_source_t),
};
static const weir_conf_type_t jwt_type_request = {
    .name = "uri | url", .size = sizeof(jwt_sources_t), .min_args = 1, .max_args = 1, .repeats = true,
    .parse = jwt_parse_request, .item = sizeof(jwt_source_t),
};

/* A file's path, near the configuration. */
static bool
jwt_parse_path(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    if (words->at[1].text.len == 0 || weir_conf_has_variables(cf, 1, words->at[1].text)) {
        return weir_conf_invalid(cf, 1, "the name of a file, without variables");
    }
    *(weir_str_t *) field = weir_conf_near_path(cf, words->at[1].text);
    return true;
}

static const weir_conf_type_t jwt_type_path = {
    .name = "file", .size = sizeof(weir_str_t), .min_args = 1, .max_args = 1, .parse = jwt_parse_path,
};

/* -- what is required -- */

static bool
jwt_parse_require(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *list)
{
    jwt_require_t require = { .status = 401 };
    weir_str_t    last = words->at[words->n - 1].text;
    size_t        end = words->n;

    if (weir_str_starts(last, WEIR_STR("error="))) {
        if (!weir_str_eq(last, WEIR_STR("error=401")) && !weir_str_eq(last, WEIR_STR("error=403"))) {
            return weir_conf_invalid(cf, end - 1, "error=401 or error=403");
        }
        require.status = last.at[last.len - 1] == '3' ? 403 : 401;
        end--;
    }
    if (end == 1) {
        return weir_conf_error(cf, 0, "\"auth_jwt_require\" needs a value");
    }
    require.values = weir_alloc(cf->arena, end * sizeof(require.values[0]));
    for (size_t i = 1; i < end; i++) {
        if (words->at[i].text.len < 2 || words->at[i].text.at[0] != '$' || words->at[i].is_literal) {
            return weir_conf_invalid(cf, i, "a value that begins with a variable");
        }
        require.values[require.n] = weir_conf_template(cf, i, words->at[i].text);
        if (require.values[require.n++] == NULL) {
            return false;
        }
        require.text = require.text.len == 0 ? words->at[i].text
                       : weir_str_printf(cf->arena, "%.*s %.*s", WEIR_STR_ARG(require.text),
                                         WEIR_STR_ARG(words->at[i].text));
    }
    require.text = weir_str(weir_str_to_z(cf->arena, require.text), require.text.len);
    *(jwt_require_t *) weir_conf_list_push(cf, list, sizeof(require)) = require;
    return true;
}

static const weir_conf_type_t jwt_type_require = {
    .name = "$value ... [error=401 | 403]", .size = sizeof(jwt_requires_t), .min_args = 1, .max_args = 255,
    .repeats = true, .parse = jwt_parse_require, .item = sizeof(jwt_require_t),
};

static bool
jwt_parse_algorithms(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                     void *field)
{
    uint64_t       *algorithms = field;
    weir_jose_alg_t alg;

    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("all"))) {
        *algorithms = WEIR_JOSE_ALL_ALGS;
        return true;
    }
    *algorithms = 0;
    for (size_t i = 1; i < words->n; i++) {
        if (!weir_jose_find_alg(words->at[i].text, &alg)) {
            return weir_conf_invalid(cf, i,
                                     "an algorithm of RFC 7518 or 8037 such as RS256, ES256, RSA-OAEP-256, A256GCM");
        }
        *algorithms |= WEIR_JOSE_BIT(alg);
    }
    return true;
}

static const weir_conf_type_t jwt_type_algorithms = {
    .name = "all | algorithm ...", .size = sizeof(uint64_t), .min_args = 1, .max_args = 64,
    .parse = jwt_parse_algorithms,
};

/* -- variables -- */

static bool
jwt_parse_paths(weir_conf_t *cf, const weir_conf_words_t *words, void *list, bool is_header)
{
    jwt_path_t *path = weir_new(cf->arena, jwt_path_t);

    path->is_header = is_header;
    path->path.n = words->n - 2;
    path->path.at = weir_new_n(cf->arena, weir_str_t, path->path.n);
    for (size_t i = 2; i < words->n; i++) {
        path->path.at[i - 2] = weir_str_dup(cf->arena, words->at[i].text);
    }
    path->definition = (weir_http_definition_t) { .get = jwt_get_path, .data = path, .subject = WEIR_OF_REQUEST,
                                                  .is_volatile = true };
    if (!weir_http_define(cf, 1, words->at[1].text, &path->definition)) {
        return false;
    }
    *(jwt_path_t **) weir_conf_list_push(cf, list, sizeof(path)) = path;
    return true;
}

static bool
jwt_parse_claim_set(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                    void *list)
{
    return jwt_parse_paths(cf, words, list, false);
}

static bool
jwt_parse_header_set(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                     void *list)
{
    return jwt_parse_paths(cf, words, list, true);
}

static const weir_conf_type_t jwt_type_claim_set = {
    .name = "$variable name ...", .size = sizeof(jwt_paths_t), .min_args = 2, .max_args = 32, .repeats = true,
    .parse = jwt_parse_claim_set, .item = sizeof(jwt_path_t *),
};
static const weir_conf_type_t jwt_type_header_set = {
    .name = "$variable name ...", .size = sizeof(jwt_paths_t), .min_args = 2, .max_args = 32, .repeats = true,
    .parse = jwt_parse_header_set, .item = sizeof(jwt_path_t *),
};

/* -- checks and build -- */

static void
jwt_add_text(EVP_MD_CTX *ctx, weir_str_t text)
{
    uint64_t len = text.len;

    (void) EVP_DigestUpdate(ctx, &len, sizeof(len));
    (void) EVP_DigestUpdate(ctx, text.at, text.len);
}

/* What a verification depends on: two places that ask for the same know what the other has verified. */
static bool
jwt_digest_policy(jwt_conf_t *conf)
{
    const weir_strs_t lists[] = { conf->issuers, conf->audiences };
    EVP_MD_CTX       *ctx = EVP_MD_CTX_new();
    bool              is_good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1
                                && EVP_DigestUpdate(ctx, &conf->algorithms, sizeof(conf->algorithms)) == 1
                                && EVP_DigestUpdate(ctx, &conf->type, sizeof(conf->type)) == 1;

    for (size_t i = 0; is_good && i < weir_countof(lists); i++) {
        is_good = EVP_DigestUpdate(ctx, &lists[i].n, sizeof(lists[i].n)) == 1;
        for (size_t k = 0; is_good && k < lists[i].n; k++) {
            jwt_add_text(ctx, lists[i].at[k]);
        }
    }
    is_good = is_good && EVP_DigestFinal_ex(ctx, conf->policy, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return is_good;
}

static bool
jwt_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    jwt_conf_t *conf = conf_;

    if (jwt_is_on(conf) && !jwt_digest_policy(conf)) {
        return weir_conf_error_at(cf, &block->words, "no memory");
    }
    if (jwt_sources(conf) > JWT_SOURCES_MAX) {
        return weir_conf_error_at(cf, &block->words, "more than %d files and requests for keys in one place",
                                  JWT_SOURCES_MAX);
    }
    return true;
}

/* -- what a generation runs on -- */

typedef struct {
    weir_conf_t       *cf;
    weir_generation_t *generation;
    jwt_built_t       *built;
    weir_digests_t    *verified;
} jwt_build_t;

/* An address is fetched once for all places that name it: they must agree on the authorities that it is trusted by. */
static bool
jwt_check_trust(jwt_build_t *b, const jwt_conf_t *conf, const jwt_source_t *source)
{
    for (const weir_document_t *d = b->built->urls; d != NULL; d = d->next) {
        const jwt_url_t *url = d->owner;

        if (d->at.is_tls && weir_str_eq(d->name, source->text)
            && !weir_str_eq(url->trusted, conf->trusted_certificate))
        {
            return weir_conf_error_at(b->cf, source->words, "\"%.*s\" has another "
                                      "\"auth_jwt_key_trusted_certificate\" in another place",
                                      WEIR_STR_ARG(source->text));
        }
    }
    return true;
}

static bool
jwt_build_urls(jwt_build_t *b, jwt_conf_t *conf)
{
    for (size_t i = 0; i < conf->requests.n; i++) {
        jwt_source_t *source = &conf->requests.at[i];
        jwt_url_t    *url = source->url;

        if (source->kind != JWT_URL) {
            continue;
        }
        if (!jwt_check_trust(b, conf, source)) {
            return false;
        }
        if (url->is_bound) {
            continue;                                /* inherited: it is there */
        }
        url->is_bound = true;
        url->trusted = conf->trusted_certificate;
        url->document.kind = &jwt_document_kind;
        url->document.name = url->document.at.text;
        url->document.owner = url;
        url->document.cache = conf->key_cache;
        url->document.stale = conf->key_stale;
        url->document.refresh = conf->key_refresh;
        if (!weir_fetch_bind(b->cf, b->generation, source->words, conf->trusted_certificate, &url->document.at)) {
            return false;
        }
        url->document.next = b->built->urls;
        b->built->urls = &url->document;
    }
    return true;
}

/* Do clients come here?  To an outer block when there is none inside; to no internal location, which may be that of
 * the keys. */
static bool
jwt_is_reached(const weir_conf_block_t *block)
{
    const weir_http_core_conf_t *core = block->confs[weir_http_core_index];

    return (block->context & (WEIR_IN_LOCATION | WEIR_IN_PART)) != 0 ? core == NULL || !core->internal.on
           : block->first == NULL;
}

static bool
jwt_build_block(jwt_build_t *b, weir_conf_block_t *block)
{
    jwt_conf_t *conf = block->confs != NULL ? block->confs[weir_http_auth_jwt_index] : NULL;

    if (conf != NULL && (block->context & (WEIR_IN_ANY | WEIR_IN_PART)) != 0 && jwt_is_on(conf)) {
        if (jwt_sources(conf) == 0 && jwt_is_reached(block)) {
            return weir_conf_error_at(b->cf, &block->words,
                                      "\"auth_jwt\" has no \"auth_jwt_key_file\" or \"auth_jwt_key_request\" here");
        }
        if (conf->cache_size.n != 0) {
            if (b->verified == NULL) {
                b->verified = weir_digests_open(b->cf, &block->words, &jwt_verified_kind, WEIR_STR("tokens"),
                                                conf->cache_size.n);
                if (b->verified == NULL) {
                    return false;
                }
            }
            conf->verified = b->verified;
        }
        if (!jwt_build_urls(b, conf)) {
            return false;
        }
    }
    for (weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        if (!jwt_build_block(b, inner)) {
            return false;
        }
    }
    return true;
}

static bool
jwt_build(weir_conf_t *cf, weir_generation_t *generation)
{
    jwt_build_t b = { .cf = cf, .generation = generation, .built = weir_new(cf->arena, jwt_built_t) };

    generation->built[weir_http_auth_jwt_index] = b.built;
    return jwt_build_block(&b, generation->root)
           && weir_documents_bind(cf, &jwt_issuer_kind, WEIR_STR("issuers"), b.built->urls);
}

static bool
jwt_begin(weir_life_t *life)
{
    life->kept[weir_http_auth_jwt_index] = weir_documents_create(life);
    return true;
}

static void
jwt_adopt(weir_life_t *life, weir_generation_t *generation)
{
    jwt_built_t *built = generation->built[weir_http_auth_jwt_index];

    for (weir_document_t *url = built != NULL ? built->urls : NULL; url != NULL; url = url->next) {
        weir_document_adopt(life->kept[weir_http_auth_jwt_index], generation, url);
    }
}

static void
jwt_retire(weir_life_t *life, weir_generation_t *generation)
{
    jwt_built_t *built = generation->built[weir_http_auth_jwt_index];

    (void) life;
    for (weir_document_t *url = built != NULL ? built->urls : NULL; url != NULL; url = url->next) {
        weir_document_retire(url);
    }
}

static void
jwt_end(weir_life_t *life)
{
    weir_documents_destroy(life->kept[weir_http_auth_jwt_index]);
    life->kept[weir_http_auth_jwt_index] = NULL;
}

static const struct weir_module_life jwt_life = {
    .begin = jwt_begin, .adopt = jwt_adopt, .retire = jwt_retire, .end = jwt_end,
};

static const weir_zone_kind_t *const jwt_kinds[] = { &jwt_issuer_kind, &jwt_verified_kind, NULL };

/* -- the module -- */

static const weir_conf_enum_t jwt_types[] = {
    { "signed", JWT_SIGNED }, { "encrypted", JWT_ENCRYPTED }, { "nested", JWT_NESTED }, { NULL, 0 },
};

static const weir_directive_t jwt_directives[] = {
    WEIR_DIRECTIVE_OF(jwt_conf_t, ask, "auth_jwt", &weir_bearer_type, .where = WEIR_IN_ANY | WEIR_IN_LIMIT_EXCEPT,
                      .dflt = "off",
                      .help = "Asks for a JSON Web Token (RFC 7519), in Authorization: Bearer or in a variable; the "
                              "text is the realm that clients are told."),
    WEIR_DIRECTIVE_OF(jwt_conf_t, files, "auth_jwt_key_file", &jwt_type_file,
                      .where = WEIR_IN_ANY | WEIR_IN_LIMIT_EXCEPT,
                      .help = "Names a file with a JSON Web Key Set (RFC 7517), or one key, that tokens are verified "
                              "or decrypted with."),
    WEIR_DIRECTIVE_OF(jwt_conf_t, requests, "auth_jwt_key_request", &jwt_type_request,
                      .where = WEIR_IN_ANY | WEIR_IN_LIMIT_EXCEPT,
                      .help = "Says where a JSON Web Key Set is to be had: a location that is asked by a subrequest, "
                              "or the address of an issuer."),
    WEIR_DIRECTIVE(jwt_conf_t, key_cache, "auth_jwt_key_cache", .where = WEIR_IN_ANY, .dflt = "0", .max = "30d",
                   .help = "Sets how long a key set of auth_jwt_key_request is used before it is asked for again."),
    WEIR_DIRECTIVE(jwt_conf_t, key_stale, "auth_jwt_key_stale", .where = WEIR_IN_ANY, .dflt = "1d", .max = "365d",
                   .help = "Limits how long an issuer's keys are used past their time while it cannot be reached."),
    WEIR_DIRECTIVE(jwt_conf_t, key_refresh, "auth_jwt_key_refresh", .where = WEIR_IN_ANY, .dflt = "10s", .min = "100ms",
                   .max = "1h",
                   .help = "Sets how often at most an issuer is asked because a token names a key that is not known."),
    WEIR_DIRECTIVE_OF(jwt_conf_t, trusted_certificate, "auth_jwt_key_trusted_certificate", &jwt_type_path,
                      .where = WEIR_IN_ANY,
                      .help = "Names the PEM file of authorities for issuers' certificates; without it those of the "
                              "system are trusted."),
    WEIR_DIRECTIVE_OF(jwt_conf_t, type, "auth_jwt_type", &weir_type_enum, .where = WEIR_IN_ANY | WEIR_IN_LIMIT_EXCEPT,
                      .values = jwt_types, .dflt = "signed", .args = "signed | encrypted | nested",
                      .help = "Says whether tokens are signed, encrypted, or signed and then encrypted."),
    WEIR_DIRECTIVE_OF(jwt_conf_t, algorithms, "auth_jwt_algorithms", &jwt_type_algorithms, .where = WEIR_IN_ANY,
                      .dflt = "all", .help = "Lists the algorithms that tokens may use."),
    WEIR_DIRECTIVE(jwt_conf_t, issuers, "auth_jwt_issuer", .where = WEIR_IN_ANY,
                   .help = "Lists the issuers, one of which must be the token's iss."),
    WEIR_DIRECTIVE(jwt_conf_t, audiences, "auth_jwt_audience", .where = WEIR_IN_ANY,
                   .help = "Lists the audiences, one of which must be in the token's aud."),
    WEIR_DIRECTIVE(jwt_conf_t, leeway, "auth_jwt_leeway", .where = WEIR_IN_ANY, .dflt = "0s", .max = "1d",
                   .help = "Sets how much clocks may differ where exp and nbf are looked at."),
    WEIR_DIRECTIVE_OF(jwt_conf_t, requires, "auth_jwt_require", &jwt_type_require,
                      .where = WEIR_IN_ANY | WEIR_IN_LIMIT_EXCEPT,
                      .help = "Lists texts with variables that must be neither empty nor 0 once the token is "
                              "verified."),
    WEIR_DIRECTIVE(jwt_conf_t, max_size, "auth_jwt_max_size", .where = WEIR_IN_ANY, .dflt = "16k", .max = "64k",
                   .help = "Limits the length of a token."),
    WEIR_DIRECTIVE(jwt_conf_t, cache_size, "auth_jwt_cache_size", .where = WEIR_IN_HTTP, .dflt = "4m", .max = "4g",
                   .help = "Sets the size of the shared memory for tokens that were verified before; 0: none are "
                           "remembered."),
    WEIR_DIRECTIVE_OF(jwt_conf_t, dry_run, "auth_jwt_dry_run", &weir_type_enum, .values = weir_dry_run_values,
                      .where = WEIR_IN_ANY, .args = "on | off",
                   .help = "Judges tokens and logs, but refuses nothing."),
    WEIR_DIRECTIVE_OF(jwt_conf_t, claims, "auth_jwt_claim_set", &jwt_type_claim_set, .where = WEIR_IN_HTTP,
                      .help = "Gives a variable the value of a claim, found by the names on the way to it."),
    WEIR_DIRECTIVE_OF(jwt_conf_t, headers, "auth_jwt_header_set", &jwt_type_header_set, .where = WEIR_IN_HTTP,
                      .help = "Gives a variable the value of a member of the token's header, found by the names on the "
                              "way to it."),
    WEIR_DIRECTIVES_END
};

static bool
jwt_enabled(const void *conf_, weir_phase_t phase)
{
    const jwt_conf_t *conf = conf_;

    return jwt_is_on(conf) && (phase != WEIR_PHASE_REWRITE || weir_bearer_may_hide(&conf->ask));
}

const weir_http_module_t weir_http_auth_jwt = {
    .name = "http_auth_jwt",
    .life = &jwt_life,
    .area = "JWT",
    .conf_size = sizeof(jwt_conf_t),
    .directives = jwt_directives,
    .variables = jwt_variables,
    .zone_kinds = jwt_kinds,
    .check = jwt_check,
    .build = jwt_build,
    .on = { [WEIR_PHASE_REWRITE] = jwt_rewrite, [WEIR_PHASE_PREACCESS] = jwt_preaccess,
            [WEIR_PHASE_ACCESS] = jwt_access },
    .pure = 1u << WEIR_PHASE_REWRITE,
    .judges_head = jwt_judges_head,
    .enabled = jwt_enabled,
    .after = "http_access http_auth_basic http_api_key",
};
