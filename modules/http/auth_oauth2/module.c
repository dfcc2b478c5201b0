/*
 * module.c - OAuth 2.0 tokens that say nothing themselves: an authorization server is asked (RFC 7662).  What the
 * directives say, and the module.
 *
 * Load time, but for the module's life.  The client's secret comes from a file, lies in the generation's arena and is
 * wiped with it.
 */
#include "oauth2.h"

#include "base/mem.h"
#include "http/fetch/form.h"

#define OAUTH2_ZONE_MIN   ((uint64_t) 64 << 10)
#define OAUTH2_SECRET_MAX 4096

/* -- oauth2_introspection -- */

static const weir_conf_words_t *
oauth2_keep_words(weir_conf_t *cf, const weir_conf_words_t *words)
{
    weir_conf_words_t *kept = weir_new(cf->arena, weir_conf_words_t);

    *kept = *words;
    return kept;
}

static bool
oauth2_parse_endpoint(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                      void *field)
{
    oauth2_endpoint_t *endpoint = weir_new(cf->arena, oauth2_endpoint_t);

    if (!weir_fetch_is_url(words->at[1].text)) {
        return weir_conf_invalid(cf, 1, "an http:// or https:// address");
    }
    if (!weir_fetch_read_url(cf, 1, words->at[1].text, &endpoint->at)) {
        return false;
    }
    endpoint->words = oauth2_keep_words(cf, words);
    endpoint->timeout.ms = 5000;
    for (size_t i = 2; i < words->n; i++) {
        weir_str_t name, value;

        (void) weir_str_cut(words->at[i].text, '=', &name, &value);
        if (weir_str_eq(name, WEIR_STR("timeout")) && weir_conf_read_msec(value, &endpoint->timeout)
            && endpoint->timeout.ms != 0 && endpoint->timeout.ms <= 60000)
        {
            continue;
        }
        if (weir_str_eq(name, WEIR_STR("trusted_certificate")) && value.len != 0 && endpoint->at.is_tls) {
            endpoint->trusted = weir_conf_near_path(cf, value);
            continue;
        }
        return weir_conf_invalid(cf, i, endpoint->at.is_tls ? "timeout=time (up to 60s) or trusted_certificate=file"
                                        : "timeout=time (up to 60s)");
    }
    *(oauth2_endpoint_t **) field = endpoint;
    return true;
}

static const weir_conf_type_t oauth2_type_endpoint = {
    .name = "url [timeout=time] [trusted_certificate=file]", .size = sizeof(oauth2_endpoint_t *), .min_args = 1,
    .max_args = 3, .parse = oauth2_parse_endpoint,
};

/* -- oauth2_introspection_client -- */

static void
oauth2_forget_client(void *data)
{
    oauth2_client_t *client = data;

    weir_mem_wipe((char *) (uintptr_t) client->secret.at, client->secret.len);
    weir_mem_wipe((char *) (uintptr_t) client->basic.at, client->basic.len);
}

/* The file's one line. */
static bool
oauth2_read_secret(weir_conf_t *cf, size_t word, weir_str_t name, oauth2_client_t *client)
{
    weir_str_t path = weir_conf_near_path(cf, name), bytes;

    if (!weir_conf_file(cf, word, path, &bytes)) {
        return false;
    }
    while (bytes.len != 0 && (bytes.at[bytes.len - 1] == '\n' || bytes.at[bytes.len - 1] == '\r')) {
        bytes.len--;
    }
    if (bytes.len == 0 || bytes.len > OAUTH2_SECRET_MAX || weir_str_find(bytes, '\n') != NULL) {
        return weir_conf_error(cf, word, "\"%.*s\" must have one line, of at most %d bytes: the client's secret",
                               WEIR_STR_ARG(path), OAUTH2_SECRET_MAX);
    }
    client->secret = weir_str_dup(cf->arena, bytes);
    return true;
}

static bool
oauth2_parse_client(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                    void *field)
{
    oauth2_client_t *client = weir_new(cf->arena, oauth2_client_t);
    bool             is_post = false;
    weir_str_t       name, value;

    client->id = weir_str_dup(cf->arena, words->at[1].text);
    if (client->id.len == 0) {
        return weir_conf_invalid(cf, 1, "the id of a client");
    }
    weir_arena_on_cleanup(cf->arena, oauth2_forget_client, client);
    for (size_t i = 2; i < words->n; i++) {
        (void) weir_str_cut(words->at[i].text, '=', &name, &value);
        if (weir_str_eq(name, WEIR_STR("secret_file")) && value.len != 0 && client->secret.len == 0) {
            if (!oauth2_read_secret(cf, i, value, client)) {
                return false;
            }
        } else if (weir_str_eq(name, WEIR_STR("method"))
                   && (weir_str_eq(value, WEIR_STR("basic")) || weir_str_eq(value, WEIR_STR("post"))))
        {
            is_post = value.at[0] == 'p';
        } else {
            return weir_conf_invalid(cf, i, "secret_file=file, method=basic or method=post");
        }
    }
    if (client->secret.len == 0) {
        return weir_conf_error(cf, 0, "\"oauth2_introspection_client\" must have \"secret_file=file\"");
    }
    if (!is_post) {
        client->basic = weir_fetch_form_basic(cf->arena, client->id, client->secret);
    }
    *(oauth2_client_t **) field = client;
    return true;
}

static const weir_conf_type_t oauth2_type_client = {
    .name = "id secret_file=file [method=basic | post]", .size = sizeof(oauth2_client_t *), .min_args = 2,
    .max_args = 3, .parse = oauth2_parse_client,
};

/* -- oauth2_introspection_cache -- */

static bool
oauth2_parse_zone(weir_conf_t *cf, size_t word, weir_str_t text, oauth2_cache_t *cache)
{
    weir_str_t   size_text;
    weir_bytes_t size;

    if (!weir_str_cut(text, ':', &cache->name, &size_text) || cache->name.len == 0 || cache->name.len > 100
        || !weir_conf_read_bytes(size_text, &size) || size.n < OAUTH2_ZONE_MIN || size.n > (uint64_t) 4 << 30)
    {
        return weir_conf_invalid(cf, word, "zone=name:size, the size from 64k to 4g");
    }
    cache->name = weir_str_dup(cf->arena, cache->name);
    cache->size = size.n;
    return true;
}

static bool
oauth2_parse_cache(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                   void *field)
{
    oauth2_cache_t *cache = weir_new(cf->arena, oauth2_cache_t);
    bool            is_off = words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"));

    *cache = (oauth2_cache_t) { .max = { 60000 }, .negative = { 10000 }, .words = oauth2_keep_words(cf, words) };
    *(oauth2_cache_t **) field = cache;
    for (size_t i = 1; i < words->n && !is_off; i++) {
        weir_msec_t time = { 0 };
        weir_str_t  name, value;
        bool        is_max;

        (void) weir_str_cut(words->at[i].text, '=', &name, &value);
        is_max = weir_str_eq(name, WEIR_STR("max"));
        if (weir_str_eq(name, WEIR_STR("zone")) && cache->name.len == 0) {
            if (!oauth2_parse_zone(cf, i, value, cache)) {
                return false;
            }
        } else if ((is_max || weir_str_eq(name, WEIR_STR("negative"))) && weir_conf_read_msec(value, &time)
                   && time.ms <= 86400000)
        {
            *(is_max ? &cache->max : &cache->negative) = time;
        } else {
            return weir_conf_invalid(cf, i, "zone=name:size, max=time or negative=time (up to 1d)");
        }
    }
    return is_off || cache->name.len != 0
           || weir_conf_error(cf, 0, "\"oauth2_introspection_cache\" must have \"zone=name:size\"");
}

static const weir_conf_type_t oauth2_type_cache = {
    .name = "zone=name:size [max=time] [negative=time] | off", .size = sizeof(oauth2_cache_t *), .min_args = 1,
    .max_args = 3, .parse = oauth2_parse_cache,
};

/* -- oauth2_scope -- */

static bool
oauth2_parse_scope(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                   void *field)
{
    weir_strs_t *scopes = field;

    scopes->n = 0;
    scopes->at = weir_new_n(cf->arena, weir_str_t, words->n);
    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return true;
    }
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t text = words->at[i].text;

        for (size_t k = 0; k < text.len; k++) {      /* RFC 6749 §3.3: scope-token */
            if (text.at[k] <= ' ' || text.at[k] >= 0x7f || text.at[k] == '"' || text.at[k] == '\\') {
                return weir_conf_invalid(cf, i, "names of scopes, or off");
            }
        }
        if (text.len == 0) {
            return weir_conf_invalid(cf, i, "names of scopes, or off");
        }
        scopes->at[scopes->n++] = weir_str_dup(cf->arena, text);
    }
    return true;
}

static const weir_conf_type_t oauth2_type_scope = {
    .name = "scope ... | off", .size = sizeof(weir_strs_t), .min_args = 1, .max_args = 64,
    .parse = oauth2_parse_scope,
};

/* -- oauth2_claim_set -- */

static bool
oauth2_parse_claim_set(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                       void *list)
{
    oauth2_path_t *path = weir_new(cf->arena, oauth2_path_t);

    path->path.n = words->n - 2;
    path->path.at = weir_new_n(cf->arena, weir_str_t, path->path.n);
    for (size_t i = 2; i < words->n; i++) {
        path->path.at[i - 2] = weir_str_dup(cf->arena, words->at[i].text);
    }
    path->definition = (weir_http_definition_t) { .get = oauth2_get_path, .data = path, .subject = WEIR_OF_REQUEST,
                                                  .is_volatile = true };
    if (!weir_http_define(cf, 1, words->at[1].text, &path->definition)) {
        return false;
    }
    *(oauth2_path_t **) weir_conf_list_push(cf, list, sizeof(path)) = path;
    return true;
}

static const weir_conf_type_t oauth2_type_claim_set = {
    .name = "$variable name ...", .size = sizeof(oauth2_paths_t), .min_args = 2, .max_args = 32, .repeats = true,
    .parse = oauth2_parse_claim_set, .item = sizeof(oauth2_path_t *),
};

/* -- checks and build -- */

static bool
oauth2_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    oauth2_conf_t *conf = conf_;

    if (!oauth2_is_on(conf)) {
        return true;
    }
    if (conf->endpoint == NULL || conf->client == NULL) {
        return weir_conf_error_at(cf, &block->words, "\"oauth2\" has no \"%s\" here",
                                  conf->endpoint == NULL ? "oauth2_introspection" : "oauth2_introspection_client");
    }
    for (size_t i = 0; i < conf->scopes.n; i++) {
        conf->scope_text = i == 0 ? conf->scopes.at[0]
                           : weir_str_printf(cf->arena, "%.*s %.*s", WEIR_STR_ARG(conf->scope_text),
                                             WEIR_STR_ARG(conf->scopes.at[i]));
    }
    return oauth2_digest_asker(conf) || weir_conf_error_at(cf, &block->words, "no memory");
}

typedef struct { oauth2_cache_t **at; size_t n; } oauth2_caches_t;

typedef struct {
    weir_conf_t       *cf;
    weir_generation_t *generation;
    oauth2_caches_t    caches;                       /* each zone's first line */
} oauth2_build_t;

/* A zone may be named by several lines. */
static bool
oauth2_build_cache(oauth2_build_t *b, oauth2_cache_t *cache)
{
    if (cache->digests != NULL) {
        return true;                                 /* inherited: it is there */
    }
    for (size_t i = 0; i < b->caches.n; i++) {
        const oauth2_cache_t *other = b->caches.at[i];

        if (weir_str_eq(other->name, cache->name)) {
            cache->digests = other->digests;
            return other->size == cache->size
                   || weir_conf_error_at(b->cf, cache->words, "the zone \"%.*s\" has another size in another line",
                                         WEIR_STR_ARG(cache->name));
        }
    }
    cache->digests = weir_digests_open(b->cf, cache->words, &oauth2_cache_kind, cache->name, cache->size);
    if (cache->digests == NULL) {
        return false;
    }
    *(oauth2_cache_t **) weir_conf_list_push(b->cf, &b->caches, sizeof(cache)) = cache;
    return true;
}

static bool
oauth2_build_block(oauth2_build_t *b, weir_conf_block_t *block)
{
    oauth2_conf_t *conf = block->confs != NULL ? block->confs[weir_http_auth_oauth2_index] : NULL;

    if (conf != NULL && (block->context & (WEIR_IN_ANY | WEIR_IN_PART | WEIR_IN_ROUTE)) != 0 && oauth2_is_on(conf)) {
        oauth2_endpoint_t *endpoint = conf->endpoint;

        if (!endpoint->is_bound
            && !weir_fetch_bind(b->cf, b->generation, endpoint->words, endpoint->trusted, &endpoint->at))
        {
            return false;
        }
        endpoint->is_bound = true;
        if (oauth2_has_cache(conf) && !oauth2_build_cache(b, conf->cache)) {
            return false;
        }
    }
    for (weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        if (!oauth2_build_block(b, inner)) {
            return false;
        }
    }
    return true;
}

static bool
oauth2_build(weir_conf_t *cf, weir_generation_t *generation)
{
    oauth2_build_t b = { .cf = cf, .generation = generation };

    return oauth2_build_block(&b, generation->root);
}

static const struct weir_module_life oauth2_life = {
    .begin = oauth2_flights_begin, .adopt = oauth2_flights_adopt, .end = oauth2_flights_end,
};

static const weir_zone_kind_t *const oauth2_kinds[] = { &oauth2_cache_kind, NULL };

/* -- the module -- */

static const weir_directive_t oauth2_directives[] = {
    WEIR_DIRECTIVE_OF(oauth2_conf_t, ask, "oauth2", &weir_bearer_type, .where = WEIR_IN_ANY | WEIR_IN_LIMIT_EXCEPT,
                      .dflt = "off",
                      .help = "Asks for an OAuth 2.0 token, in Authorization: Bearer or in a variable, and asks an "
                              "authorization server whether it is active (RFC 7662); the text is the realm that "
                              "clients are told."),
    WEIR_DIRECTIVE_OF(oauth2_conf_t, endpoint, "oauth2_introspection", &oauth2_type_endpoint, .where = WEIR_IN_ANY,
                      .help = "Names the address at which an authorization server tells about tokens."),
    WEIR_DIRECTIVE_OF(oauth2_conf_t, client, "oauth2_introspection_client", &oauth2_type_client,
                      .where = WEIR_IN_ANY,
                      .help = "Says as which client Weir asks there, and which file has the client's secret."),
    WEIR_DIRECTIVE_OF(oauth2_conf_t, cache, "oauth2_introspection_cache", &oauth2_type_cache, .where = WEIR_IN_ANY,
                      .args = "zone=name:size [max=time] [negative=time] | off",
                      .help = "Keeps what the server says of tokens in shared memory, for so long at most; without it "
                              "each request asks."),
    WEIR_DIRECTIVE_OF(oauth2_conf_t, scopes, "oauth2_scope", &oauth2_type_scope,
                      .where = WEIR_IN_ANY | WEIR_IN_LIMIT_EXCEPT,
                      .help = "Lists the scopes that a token must have, all of them."),
    WEIR_DIRECTIVE(oauth2_conf_t, issuers, "oauth2_issuer", .where = WEIR_IN_ANY,
                   .help = "Lists the issuers, one of which must be the iss of the answer."),
    WEIR_DIRECTIVE(oauth2_conf_t, audiences, "oauth2_audience", .where = WEIR_IN_ANY,
                   .help = "Lists the audiences, one of which must be in the aud of the answer."),
    WEIR_DIRECTIVE(oauth2_conf_t, leeway, "oauth2_leeway", .where = WEIR_IN_ANY, .dflt = "0s", .max = "1d",
                   .help = "Sets how much clocks may differ where exp and nbf are looked at."),
    WEIR_DIRECTIVE(oauth2_conf_t, max_size, "oauth2_max_size", .where = WEIR_IN_ANY, .dflt = "4k", .max = "64k",
                   .help = "Limits the length of a token."),
    WEIR_DIRECTIVE(oauth2_conf_t, strip, "oauth2_strip", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Removes the token from the request that is sent on."),
    WEIR_DIRECTIVE_OF(oauth2_conf_t, dry_run, "oauth2_dry_run", &weir_type_enum, .values = weir_dry_run_values,
                      .where = WEIR_IN_ANY, .args = "on | off",
                      .help = "Asks about tokens, judges and logs, but refuses nothing."),
    WEIR_DIRECTIVE_OF(oauth2_conf_t, claims, "oauth2_claim_set", &oauth2_type_claim_set, .where = WEIR_IN_HTTP,
                      .help = "Gives a variable the value of a member of the answer, found by the names on the way to "
                              "it."),
    WEIR_DIRECTIVES_END
};

static bool
oauth2_enabled(const void *conf_, weir_phase_t phase)
{
    const oauth2_conf_t *conf = conf_;

    return oauth2_is_on(conf) && (phase != WEIR_PHASE_REWRITE || weir_bearer_may_hide(&conf->ask));
}

const weir_http_module_t weir_http_auth_oauth2 = {
    .name = "http_auth_oauth2",
    .life = &oauth2_life,
    .area = "OAuth2",
    .conf_size = sizeof(oauth2_conf_t),
    .directives = oauth2_directives,
    .variables = oauth2_variables,
    .zone_kinds = oauth2_kinds,
    .check = oauth2_check,
    .build = oauth2_build,
    .on = { [WEIR_PHASE_REWRITE] = oauth2_rewrite, [WEIR_PHASE_PREACCESS] = oauth2_preaccess,
            [WEIR_PHASE_ACCESS] = oauth2_access },
    .pure = 1u << WEIR_PHASE_REWRITE,
    .enabled = oauth2_enabled,
    .after = "http_access http_auth_basic http_api_key",
};
