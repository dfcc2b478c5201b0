/*
 * token.c - one token: where it is, whether it is one, which key signed it, and whether it holds now.
 *
 * A verdict is kept with the request, so that a variable that asks early, the guard and the log know one and the same;
 * an internal redirect to a place with other directives has it judged again.  What was decrypted lies in an arena of
 * its own, which is wiped.  Runs in workers.
 */
#include "jwt.h"

#include "http/guard/dry_run.h"
#include "os/clock.h"

static void
token_forget(void *data)
{
    jwt_state_t *state = data;

    weir_arena_wipe(&state->secrets);
    weir_arena_fini(&state->secrets);
}

/* -- what is wrong -- */

static weir_cause_t
token_cause(weir_jose_result_t result)
{
    static const weir_cause_t causes[] = {
        [WEIR_JOSE_GOOD] = WEIR_CAUSE_NONE,
        [WEIR_JOSE_MALFORMED] = WEIR_CAUSE_AUTH_JWT_MALFORMED,
        [WEIR_JOSE_DUPLICATE] = WEIR_CAUSE_AUTH_JWT_DUPLICATE,
        [WEIR_JOSE_TOO_LARGE] = WEIR_CAUSE_AUTH_JWT_TOO_LARGE,
        [WEIR_JOSE_TYPE] = WEIR_CAUSE_AUTH_JWT_TYPE,
        [WEIR_JOSE_UNSIGNED] = WEIR_CAUSE_AUTH_JWT_NONE,
        [WEIR_JOSE_ALGORITHM] = WEIR_CAUSE_AUTH_JWT_ALGORITHM,
        [WEIR_JOSE_CRIT] = WEIR_CAUSE_AUTH_JWT_CRIT,
        [WEIR_JOSE_ZIP] = WEIR_CAUSE_AUTH_JWT_ZIP,
        [WEIR_JOSE_KEY_UNKNOWN] = WEIR_CAUSE_AUTH_JWT_KEY_UNKNOWN,
        [WEIR_JOSE_KEY_MISMATCH] = WEIR_CAUSE_AUTH_JWT_KEY_MISMATCH,
        [WEIR_JOSE_KEY_WEAK] = WEIR_CAUSE_AUTH_JWT_KEY_WEAK,
        [WEIR_JOSE_KEY_BROKEN] = WEIR_CAUSE_AUTH_JWT_KEY_BROKEN,
        [WEIR_JOSE_SIGNATURE] = WEIR_CAUSE_AUTH_JWT_SIGNATURE,
        [WEIR_JOSE_DECRYPT] = WEIR_CAUSE_AUTH_JWT_DECRYPT,
        [WEIR_JOSE_MEMORY] = WEIR_CAUSE_INTERNAL_MEMORY,
    };

    return causes[result];
}

static void
token_settle(jwt_state_t *state, weir_cause_t cause)
{
    state->is_settled = true;
    state->cause = cause;
}

static weir_cause_t
token_time_cause(const jwt_state_t *state)
{
    int64_t now_s = (int64_t) (weir_clock_wall_ms() / 1000), leeway_s = (int64_t) (state->conf->leeway.ms / 1000);

    switch (weir_jwt_check_time(state->expires, state->not_before, now_s, leeway_s)) {
    case WEIR_JWT_EXPIRED: return WEIR_CAUSE_AUTH_JWT_EXPIRED;
    case WEIR_JWT_NOT_YET: return WEIR_CAUSE_AUTH_JWT_NOT_YET;
    default:               return WEIR_CAUSE_NONE;
    }
}

/* -- with keys -- */

/* A token, and what it is tried with. */
typedef struct {
    weir_jws_t jws;
    weir_jwe_t jwe;
    bool       is_jwe;
} token_try_t;

/* One set.  *print: that of the key that has signed it. */
static weir_jose_result_t
token_try_set(jwt_state_t *state, const token_try_t *attempt, weir_jwks_t *keys, weir_str_t *plain, uint8_t *print)
{
    const weir_jwk_t  *used;
    weir_jose_result_t result;

    result = attempt->is_jwe
             ? weir_jwe_decrypt(state->room, &attempt->jwe, keys, state->conf->algorithms, plain, &used)
             : weir_jws_verify(&attempt->jws, keys, state->conf->algorithms, &used);
    if (result == WEIR_JOSE_GOOD) {
        memcpy(print, weir_jwk_print(used), WEIR_JWK_PRINT);
    }
    return result;
}

/* All sets, until one has the key.  false: not all are here, and those that are do not do. */
static bool
token_try(jwt_state_t *state, const token_try_t *attempt, weir_str_t *plain, uint8_t *print,
          weir_jose_result_t *result)
{
    bool is_missing = false;

    *result = WEIR_JOSE_KEY_UNKNOWN;
    for (size_t i = 0; i < jwt_sources(state->conf); i++) {
        weir_jwks_t       *keys;
        weir_jose_result_t one;
        jwt_keys_t         here = jwt_keys_now(state, i, &keys);

        if (here != JWT_KEYS_HERE) {
            is_missing = is_missing || here == JWT_KEYS_WAIT;
            state->lacks_keys = state->lacks_keys || here == JWT_KEYS_NONE;
            continue;
        }
        one = token_try_set(state, attempt, keys, plain, print);
        if (one == WEIR_JOSE_GOOD) {
            *result = one;
            return true;
        }
        *result = one == WEIR_JOSE_KEY_UNKNOWN ? *result : one;
    }
    return !is_missing;
}

/* Signed: jws and its signature; encrypted: the plaintext.  false: the verdict is there, or keys are waited for. */
static bool
token_open(jwt_state_t *state, weir_str_t token, bool is_jwe, weir_str_t *payload, const weir_json_t **header,
           uint8_t *print)
{
    token_try_t        attempt = { .is_jwe = is_jwe };
    weir_jose_result_t result;

    result = is_jwe ? weir_jwe_read(state->room, token, &attempt.jwe)
             : weir_jws_read(state->room, token, &attempt.jws);
    if (result != WEIR_JOSE_GOOD) {
        token_settle(state, token_cause(result));
        return false;
    }
    *payload = attempt.jws.payload;
    *header = is_jwe ? attempt.jwe.header : attempt.jws.header;
    state->lacks_keys = false;
    if (!token_try(state, &attempt, payload, print, &result)) {
        return false;
    }
    if (result != WEIR_JOSE_GOOD) {
        state->has_new_key = result == WEIR_JOSE_KEY_UNKNOWN
                             || (result == WEIR_JOSE_SIGNATURE && attempt.jws.kid.at == NULL);
        token_settle(state, state->lacks_keys && result == WEIR_JOSE_KEY_UNKNOWN ? WEIR_CAUSE_AUTH_JWT_KEYS
                            : token_cause(result));
        return false;
    }
    return true;
}

/* The claims of what was verified, against the clock and the policy. */
static weir_cause_t
token_check_claims(jwt_state_t *state, weir_str_t payload)
{
    const jwt_conf_t  *conf = state->conf;
    weir_jwt_t         jwt;
    weir_jose_result_t result = weir_jwt_read(state->room, payload, &jwt);
    weir_cause_t       cause;

    if (result != WEIR_JOSE_GOOD) {
        return token_cause(result);
    }
    state->expires = jwt.expires;
    state->not_before = jwt.not_before;
    cause = token_time_cause(state);
    if (cause != WEIR_CAUSE_NONE) {
        return cause;
    }
    if (conf->issuers.n != 0 && !weir_jwt_is_of(&jwt, conf->issuers)) {
        return WEIR_CAUSE_AUTH_JWT_ISSUER;
    }
    if (conf->audiences.n != 0 && !weir_jwt_is_for(&jwt, conf->audiences)) {
        return WEIR_CAUSE_AUTH_JWT_AUDIENCE;
    }
    state->claims = jwt.claims;
    return WEIR_CAUSE_NONE;
}

static void
token_verify(jwt_state_t *state, const weir_digest_t *digest)
{
    const jwt_conf_t  *conf = state->conf;
    weir_str_t         token = state->token, payload;
    const weir_json_t *header, *inner;
    jwt_found_t        found;

    if (conf->type != JWT_SIGNED) {
        if (!token_open(state, token, true, &payload, &header, found.print)) {
            return;
        }
        state->payload = token = payload;
    }
    if (conf->type != JWT_ENCRYPTED) {
        if (!token_open(state, token, false, &payload, &inner, found.print)) {
            return;
        }
        header = conf->type == JWT_NESTED ? header : inner;
    }
    if (conf->type != JWT_NESTED) {
        state->payload = payload;
    }
    state->header = header;
    token_settle(state, token_check_claims(state, payload));
    if (state->cause == WEIR_CAUSE_NONE && digest != NULL) {
        found.expires = state->expires;
        found.not_before = state->not_before;
        jwt_verified_put(conf, digest, &found);
    }
}

/* Is the key that has verified it before among those of now? */
static bool
token_key_stands(jwt_state_t *state, const uint8_t print[WEIR_JWK_PRINT])
{
    for (size_t i = 0; i < jwt_sources(state->conf); i++) {
        weir_jwks_t *keys;

        if (jwt_keys_now(state, i, &keys) == JWT_KEYS_HERE && weir_jwks_has_print(keys, print)) {
            return true;
        }
    }
    return false;
}

void
jwt_judge(jwt_state_t *state)
{
    const jwt_conf_t *conf = state->conf;
    bool              is_kept = conf->verified != NULL && conf->type == JWT_SIGNED
                                && state->req->witness == NULL;      /* (a tool is no process of the zone) */
    weir_digest_t     digest;
    jwt_found_t       found;

    state->has_new_key = false;
    if (state->token.len == 0) {
        token_settle(state, WEIR_CAUSE_AUTH_JWT_MISSING);
        return;
    }
    if (state->token.len > conf->max_size.n) {
        token_settle(state, WEIR_CAUSE_AUTH_JWT_TOO_LARGE);
        return;
    }
    if (is_kept) {
        jwt_verified_digest(conf, state->token, &digest);
        if (jwt_verified_find(conf, &digest, &found) && token_key_stands(state, found.print)) {
            state->expires = found.expires;
            state->not_before = found.not_before;
            token_settle(state, token_time_cause(state));
            return;
        }
    }
    token_verify(state, is_kept ? &digest : NULL);
}

void
jwt_look_again(jwt_state_t *state)
{
    if (!state->is_settled) {
        jwt_judge(state);
    } else if (state->cause == WEIR_CAUSE_NONE) {
        state->cause = token_time_cause(state);
    }
}

/* -- of a request -- */

static jwt_state_t *
token_make(weir_request_t *req, const jwt_conf_t *conf)
{
    jwt_state_t *state = weir_new(&req->arena, jwt_state_t);

    state->conf = conf;
    state->req = req;
    state->token = weir_bearer_token(req, &conf->ask);
    state->is_rehearsal = weir_dry_run_is_on(req, conf->dry_run);
    state->room = &req->arena;
    if (conf->type != JWT_SIGNED) {
        weir_arena_init(&state->secrets, 2048);
        weir_arena_on_cleanup(&req->arena, token_forget, state);
        state->room = &state->secrets;
    }
    return state;
}

jwt_state_t *
jwt_state_of(weir_request_t *req)
{
    const jwt_conf_t *conf = weir_request_conf(req, http_auth_jwt, jwt_conf_t);
    jwt_state_t      *state = weir_request_kept(req, weir_http_auth_jwt_index);

    if (state != NULL && (state->conf == conf || !jwt_is_on(conf))) {
        return state;                        /* an internal redirect keeps what was found */
    }
    if (!jwt_is_on(conf)) {
        return req->main != req && req->main != NULL ? weir_request_kept(req->main, weir_http_auth_jwt_index) : NULL;
    }
    state = token_make(req, conf);
    weir_request_keep(req, weir_http_auth_jwt_index, state);
    jwt_judge(state);
    return state;
}

/* Of a token that was known nothing is read yet: a part is read when a caller asks for it.  It is whole, as it was
 * verified. */
const weir_json_t *
jwt_header(jwt_state_t *state)
{
    weir_str_t parts[3], text;

    if (!state->is_settled || state->cause != WEIR_CAUSE_NONE) {
        return NULL;
    }
    if (state->header == NULL
        && !(weir_jose_split(state->token, parts, 3)
             && weir_jose_read_object(state->room, parts[0], &text, &state->header) == WEIR_JOSE_GOOD))
    {
        return NULL;
    }
    return state->header;
}

const weir_json_t *
jwt_claims(jwt_state_t *state)
{
    weir_str_t parts[3];

    if (!state->is_settled || state->cause != WEIR_CAUSE_NONE) {
        return NULL;
    }
    if (state->claims == NULL
        && !(weir_jose_split(state->token, parts, 3)
             && weir_jose_read_object(state->room, parts[1], &state->payload, &state->claims) == WEIR_JOSE_GOOD))
    {
        return NULL;
    }
    return state->claims;
}
