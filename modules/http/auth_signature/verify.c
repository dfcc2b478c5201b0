/*
 * verify.c - one request's signatures (RFC 9421 §3.2) against keys, clock and policy: which are looked at, whether one
 * of them is good and covers what it must, and if not, why.
 *
 * What costs nothing comes first: syntax, what is covered, times.  Then the text that is signed is made and verified
 * with the one key that is named; a nonce is spent last, so that only a client that has a key can spend one.  Runs in
 * workers.
 */
#include "signature.h"

#include "http/filter/read_ahead.h"
#include "os/clock.h"

/* What a signature says of itself (§2.3). */
typedef struct {
    const weir_sf_member_t *input;
    weir_str_t              signature;
    bool                    has_created, has_expires;
    int64_t                 created, expires;
    weir_str_t              nonce, alg, key_id, tag;     /* at NULL: it does not say */
} verify_claim_t;

/* What one comes to. */
typedef struct { weir_cause_t cause; const char *detail; } verify_verdict_t;

static verify_verdict_t
verify_says(weir_cause_t cause, const char *detail)
{
    return (verify_verdict_t) { cause, detail };
}

/* -- parameters -- */

static bool
verify_read_time(const weir_sf_value_t *value, bool *has, int64_t *time)
{
    *has = true;
    *time = value->number;
    return value->kind == WEIR_SF_INTEGER;
}

/* false: one is of another type, or not known. */
static bool
verify_read_params(verify_claim_t *claim)
{
    const struct { weir_str_t name; weir_str_t *text; } texts[] = {
        { WEIR_STR("nonce"), &claim->nonce }, { WEIR_STR("alg"), &claim->alg }, { WEIR_STR("keyid"), &claim->key_id },
        { WEIR_STR("tag"), &claim->tag },
    };

    for (const weir_sf_param_t *param = claim->input->params; param != NULL; param = param->next) {
        size_t i = 0;

        if (weir_str_eq(param->key, WEIR_STR("created"))) {
            if (!verify_read_time(&param->value, &claim->has_created, &claim->created)) {
                return false;
            }
            continue;
        }
        if (weir_str_eq(param->key, WEIR_STR("expires"))) {
            if (!verify_read_time(&param->value, &claim->has_expires, &claim->expires)) {
                return false;
            }
            continue;
        }
        while (i < weir_countof(texts) && !weir_str_eq(texts[i].name, param->key)) {
            i++;
        }
        if (i == weir_countof(texts) || param->value.kind != WEIR_SF_STRING) {
            return false;
        }
        *texts[i].text = param->value.text;
    }
    return true;
}

/* -- policy -- */

/* A request without a body needs no digest of it.  (Over HTTP/2 no field says that there is one.) */
static bool
verify_has_body(const weir_request_t *req)
{
    return !req->body_complete || req->body_received != 0 || weir_read_ahead_size(req) != 0;
}

static verify_verdict_t
verify_covers(const signature_state_t *state, const verify_claim_t *claim)
{
    for (size_t i = 0; i < state->conf->require.n; i++) {
        weir_str_t name = state->conf->require.at[i];

        if (!signature_covers(claim->input, name)
            && (!weir_str_eq(name, WEIR_STR("content-digest")) || verify_has_body(state->req)))
        {
            return verify_says(WEIR_CAUSE_AUTH_SIGNATURE_UNCOVERED, name.at);
        }
    }
    return verify_says(WEIR_CAUSE_NONE, NULL);
}

static verify_verdict_t
verify_times(const signature_conf_t *conf, const verify_claim_t *claim, int64_t now)
{
    int64_t skew = (int64_t) (conf->skew.ms / 1000), age = (int64_t) ((conf->max_age.ms + 999) / 1000);

    if (age != 0 && !claim->has_created) {
        return verify_says(WEIR_CAUSE_AUTH_SIGNATURE_EXPIRED, "it has no \"created\"");
    }
    if (claim->has_created && claim->created > now + skew) {
        return verify_says(WEIR_CAUSE_AUTH_SIGNATURE_NOT_YET, NULL);
    }
    if (age != 0 && claim->created + age + skew < now) {
        return verify_says(WEIR_CAUSE_AUTH_SIGNATURE_EXPIRED, "signature_max_age");
    }
    if (claim->has_expires && (claim->expires + skew <= now || (claim->has_created && claim->expires < claim->created)))
    {
        return verify_says(WEIR_CAUSE_AUTH_SIGNATURE_EXPIRED, NULL);
    }
    return verify_says(WEIR_CAUSE_NONE, NULL);
}

/* -- keys -- */

/* The registry of RFC 9421 §6.2.2. */
static const struct { weir_str_t name; weir_jose_alg_t alg; } verify_algs[] = {
    { WEIR_STR_INIT("hmac-sha256"), WEIR_JOSE_HS256 }, { WEIR_STR_INIT("ecdsa-p256-sha256"), WEIR_JOSE_ES256 },
    { WEIR_STR_INIT("ecdsa-p384-sha384"), WEIR_JOSE_ES384 }, { WEIR_STR_INIT("ed25519"), WEIR_JOSE_ED25519 },
    { WEIR_STR_INIT("rsa-pss-sha512"), WEIR_JOSE_PS512 }, { WEIR_STR_INIT("rsa-v1_5-sha256"), WEIR_JOSE_RS256 },
};

static bool
verify_find_key(const signature_conf_t *conf, weir_str_t id, weir_jwks_t **keys, size_t *at)
{
    for (size_t i = 0; i < conf->ask.n; i++) {
        *keys = conf->ask.sets[i].keys;
        for (*at = 0; *at < weir_jwks_count(*keys); (*at)++) {
            weir_str_t kid = weir_jwk_kid(weir_jwks_at(*keys, *at));

            if (kid.at != NULL && weir_str_eq(kid, id)) {
                return true;
            }
        }
    }
    return false;
}

/* The algorithm is the key's; what the signature says of it may only agree, or choose where the key leaves a choice. */
static bool
verify_find_alg(const weir_jwk_t *key, weir_str_t said, weir_jose_alg_t *alg)
{
    size_t n = 0;

    for (size_t i = 0; i < weir_countof(verify_algs); i++) {
        if ((said.at == NULL || weir_str_eq(verify_algs[i].name, said))
            && weir_jwk_fits(key, verify_algs[i].alg, WEIR_JOSE_ALGS) == WEIR_JOSE_GOOD)
        {
            *alg = verify_algs[i].alg;
            n++;
        }
    }
    return n == 1;
}

static verify_verdict_t
verify_with_key(signature_state_t *state, const verify_claim_t *claim, const weir_jwk_t **used)
{
    weir_jwks_t    *keys;
    weir_jose_alg_t alg = WEIR_JOSE_ALGS;
    const char     *detail = NULL;
    weir_str_t      base;
    weir_cause_t    cause;
    size_t          at = 0;

    if (!verify_find_key(state->conf, claim->key_id, &keys, &at)) {
        return verify_says(WEIR_CAUSE_AUTH_SIGNATURE_KEY, NULL);
    }
    *used = weir_jwks_at(keys, at);
    if (!verify_find_alg(*used, claim->alg, &alg)) {
        return verify_says(WEIR_CAUSE_AUTH_SIGNATURE_ALGORITHM, NULL);
    }
    cause = signature_base(state->req, claim->input, &base, &detail);
    if (cause != WEIR_CAUSE_NONE) {
        return verify_says(cause, detail);
    }
    switch (weir_jws_check(keys, at, alg, base, claim->signature)) {
    case WEIR_JOSE_GOOD:   return verify_says(WEIR_CAUSE_NONE, NULL);
    case WEIR_JOSE_MEMORY: return verify_says(WEIR_CAUSE_INTERNAL_MEMORY, NULL);
    default:               return verify_says(WEIR_CAUSE_AUTH_SIGNATURE_BAD, NULL);
    }
}

/* -- nonces -- */

/* Once a request: an internal redirect to a place with the same zone asks again. */
static verify_verdict_t
verify_spend(signature_state_t *state, const signature_state_t *before, const verify_claim_t *claim,
             const weir_jwk_t *key, int64_t now)
{
    const signature_conf_t *conf = state->conf;
    int64_t                 last = claim->created + (int64_t) ((conf->max_age.ms + 999) / 1000 + conf->skew.ms / 1000);

    if (!signature_has_nonces(conf)) {
        return verify_says(WEIR_CAUSE_NONE, NULL);
    }
    state->spent = conf->nonces;
    state->spent_key = weir_str_concat(&state->req->arena, weir_str((const char *) weir_jwk_print(key), WEIR_JWK_PRINT),
                                       claim->nonce);
    if (before != NULL && before->spent != NULL && before->spent->table == conf->nonces->table
        && weir_str_eq(before->spent_key, state->spent_key))
    {
        return verify_says(WEIR_CAUSE_NONE, NULL);
    }
    weir_assert(last >= now);                        /* verify_times */
    switch (signature_spend(conf->nonces, state->spent_key, (uint64_t) (last - now + 1) * 1000)) {
    case SIGNATURE_NONCE_NEW:  return verify_says(WEIR_CAUSE_NONE, NULL);
    case SIGNATURE_NONCE_USED: return verify_says(WEIR_CAUSE_AUTH_SIGNATURE_REPLAYED, NULL);
    default:                   return verify_says(WEIR_CAUSE_AUTH_SIGNATURE_FULL, NULL);
    }
}

/* -- one signature -- */

static verify_verdict_t
verify_claim(signature_state_t *state, const signature_state_t *before, const verify_claim_t *claim)
{
    int64_t           now = (int64_t) (weir_clock_wall_ms() / 1000);
    const weir_jwk_t *key = NULL;
    verify_verdict_t  verdict = verify_covers(state, claim);

    if (verdict.cause == WEIR_CAUSE_NONE) {
        verdict = verify_times(state->conf, claim, now);
    }
    if (verdict.cause == WEIR_CAUSE_NONE && signature_has_nonces(state->conf)
        && (claim->nonce.len == 0 || claim->nonce.len > SIGNATURE_NONCE_MAX))
    {
        verdict = verify_says(WEIR_CAUSE_AUTH_SIGNATURE_NONCE, NULL);
    }
    if (verdict.cause == WEIR_CAUSE_NONE) {
        verdict = verify_with_key(state, claim, &key);
    }
    return verdict.cause == WEIR_CAUSE_NONE ? verify_spend(state, before, claim, key, now) : verdict;
}

static void
verify_take(signature_state_t *state, const verify_claim_t *claim)
{
    const weir_fields_t *fields = state->req->sent_fields != NULL ? state->req->sent_fields : &state->req->head.fields;

    state->cause = WEIR_CAUSE_NONE;
    state->detail = NULL;
    state->key_id = claim->key_id;
    state->label = claim->input->key;
    state->wants_digest = weir_fields_find(fields, WEIR_STR("content-digest")) != NULL;
}

/* -- all of them -- */

/* false: the field is not there, or is none; state->cause. */
static bool
verify_parse(signature_state_t *state, weir_str_t name, const weir_sf_member_t **first)
{
    const weir_fields_t *fields = state->req->sent_fields != NULL ? state->req->sent_fields : &state->req->head.fields;
    weir_str_t           text;

    state->cause = WEIR_CAUSE_AUTH_SIGNATURE_MISSING;
    if (weir_fields_find(fields, name) == NULL) {
        return false;
    }
    text = weir_fields_join(fields, name, &state->req->arena);
    state->cause = WEIR_CAUSE_AUTH_SIGNATURE_MALFORMED;
    return text.len <= SIGNATURE_TEXT_MAX
           && weir_sf_parse_dictionary(&state->req->arena, text, SIGNATURE_VALUES, first);
}

/* Is it one of those that are looked at?  false with *is_wrong: it is none at all. */
static bool
verify_read(const signature_state_t *state, const weir_sf_member_t *input, const weir_sf_member_t *signatures,
            verify_claim_t *claim, bool *is_wrong)
{
    const signature_ask_t  *ask = &state->conf->ask;
    const weir_sf_member_t *signature = weir_sf_find_member(signatures, input->key);

    *claim = (verify_claim_t) { .input = input };
    if (ask->label.at != NULL && !weir_str_eq(ask->label, input->key)) {
        return false;
    }
    *is_wrong = !input->is_list || signature == NULL || signature->is_list || signature->params != NULL
                || signature->value.kind != WEIR_SF_BYTES || !verify_read_params(claim) || claim->key_id.at == NULL;
    if (*is_wrong) {
        return false;
    }
    claim->signature = signature->value.text;
    return ask->tag.at == NULL || (claim->tag.at != NULL && weir_str_eq(ask->tag, claim->tag));
}

/* The first that is good.  Of several that are not, the one whose key is known says why. */
void
signature_verify(signature_state_t *state, const signature_state_t *before)
{
    const weir_sf_member_t *inputs, *signatures;
    verify_verdict_t        verdict = { WEIR_CAUSE_AUTH_SIGNATURE_MISSING, NULL };
    size_t                  tries = 0;

    if (!verify_parse(state, WEIR_STR("signature-input"), &inputs)
        || !verify_parse(state, WEIR_STR("signature"), &signatures))
    {
        return;
    }
    for (const weir_sf_member_t *input = inputs; input != NULL; input = input->next) {
        verify_claim_t   claim;
        verify_verdict_t one;
        bool             is_wrong = false;

        if (!verify_read(state, input, signatures, &claim, &is_wrong) && !is_wrong) {
            continue;
        }
        if (!is_wrong && ++tries > SIGNATURE_TRIES) {
            verdict = verify_says(WEIR_CAUSE_AUTH_SIGNATURE_MALFORMED, "more than four signatures");
            break;
        }
        one = is_wrong ? verify_says(WEIR_CAUSE_AUTH_SIGNATURE_MALFORMED, NULL) : verify_claim(state, before, &claim);
        if (one.cause == WEIR_CAUSE_NONE) {
            verify_take(state, &claim);
            return;
        }
        if (verdict.cause == WEIR_CAUSE_AUTH_SIGNATURE_MISSING || verdict.cause == WEIR_CAUSE_AUTH_SIGNATURE_KEY) {
            verdict = one;
        }
    }
    state->cause = verdict.cause;
    state->detail = verdict.detail;
}
