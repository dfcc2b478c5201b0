/*
 * keys.c - the sets of keys of a place: its files, locations of this server that are asked, and issuers' URLs.
 */
#include "jwt.h"

#include "base/mem.h"
#include "os/clock.h"

jwt_set_t *
jwt_set_make(weir_jwks_t *keys)
{
    jwt_set_t *set = weir_mem_need(sizeof(*set));

    *set = (jwt_set_t) { keys, 1 };
    return set;
}

jwt_set_t *
jwt_set_ref(jwt_set_t *set)
{
    set->refs++;
    return set;
}

void
jwt_set_unref(jwt_set_t *set)
{
    if (set != NULL && --set->refs == 0) {
        weir_jwks_destroy(set->keys);
        weir_mem_free(set);
    }
}

/* -- issuers -- */

static void *
keys_parse(weir_str_t text, weir_error_t *error)
{
    return weir_jwks_parse(text, error);
}

static void
keys_destroy(void *keys)
{
    weir_jwks_destroy(keys);
}

const weir_document_kind_t jwt_document_kind = {
    .what = "keys", .accept = WEIR_STR_INIT("application/jwk-set+json, application/json"), .parse = keys_parse,
    .destroy = keys_destroy,
};

const weir_zone_kind_t jwt_issuer_kind = {
    .name = "jwt-keys", .layout = 1, .fold = weir_entries_fold, .describe = weir_entries_describe,
};

/* -- sources -- */

size_t jwt_sources(const jwt_conf_t *conf) { return conf->files.n + conf->requests.n; }

jwt_source_t *
jwt_source(const jwt_conf_t *conf, size_t i)
{
    return i < conf->files.n ? &conf->files.at[i] : &conf->requests.at[i - conf->files.n];
}

static bool
keys_is_cached(jwt_state_t *state, const jwt_source_t *source)
{
    return source->cached->set != NULL && weir_clock_now().ms < source->cached->until.ms
           && weir_str_eq(source->cached->uri, weir_request_eval(state->req, source->uri));
}

static void
keys_forget(void *data)
{
    jwt_state_t *state = data;

    for (size_t i = 0; i < jwt_sources(state->conf); i++) {
        jwt_set_unref(state->fetched[i]);
    }
}

static void
keys_take(jwt_state_t *state, size_t i, jwt_set_t *set)
{
    if (state->fetched == NULL) {
        state->fetched = weir_new_n(&state->req->arena, jwt_set_t *, jwt_sources(state->conf));
        weir_arena_on_cleanup(&state->req->arena, keys_forget, state);
    }
    jwt_set_unref(state->fetched[i]);
    state->fetched[i] = set;
}

/* What a location answered: for this request, or not long ago for another. */
static jwt_keys_t
keys_of_uri(jwt_state_t *state, const jwt_source_t *source, size_t i, weir_jwks_t **keys)
{
    if (state->fetched == NULL || state->fetched[i] == NULL) {
        if (!keys_is_cached(state, source)) {
            return (state->asked >> i & 1) != 0 ? JWT_KEYS_NONE : JWT_KEYS_WAIT;
        }
        keys_take(state, i, jwt_set_ref(source->cached->set));
    }
    *keys = state->fetched[i]->keys;
    return JWT_KEYS_HERE;
}

bool
jwt_keys_answered(jwt_state_t *state, size_t i, weir_str_t text, weir_error_t *error)
{
    jwt_source_t *source = jwt_source(state->conf, i);
    weir_jwks_t  *keys = weir_jwks_parse(text, error);
    jwt_set_t    *set;
    weir_str_t    uri;
    char         *copy;

    if (keys == NULL) {
        return false;
    }
    set = jwt_set_make(keys);
    keys_take(state, i, set);
    uri = weir_request_eval(state->req, source->uri);
    copy = state->conf->key_cache.ms != 0 && uri.len < JWT_URI_MAX ? source->cached->room : NULL;
    if (copy != NULL) {
        memcpy(copy, uri.at, uri.len);
        source->cached->uri = weir_str(copy, uri.len);
        jwt_set_unref(source->cached->set);
        source->cached->set = jwt_set_ref(set);
        source->cached->until = weir_instant_after(weir_clock_now(), state->conf->key_cache);
    }
    return true;
}

jwt_keys_t
jwt_keys_now(jwt_state_t *state, size_t i, weir_jwks_t **keys)
{
    const jwt_source_t *source = jwt_source(state->conf, i);

    switch (source->kind) {
    case JWT_FILE:
        *keys = source->file;
        return JWT_KEYS_HERE;
    case JWT_URI:
        return keys_of_uri(state, source, i, keys);
    default:
        *keys = weir_document_value(&source->url->document);
        return *keys != NULL ? JWT_KEYS_HERE : (state->asked >> i & 1) != 0 ? JWT_KEYS_NONE : JWT_KEYS_WAIT;
    }
}
