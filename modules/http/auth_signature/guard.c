/*
 * guard.c - the access phase judges the signature; where that is good and there is a Content-Digest (RFC 9530), the
 * body is read ahead and held against it before any peer gets it.  And the variables.
 *
 * A request is judged once in a place, and subrequests have what their client's request has: Weir makes them, and no
 * client has signed them.  A rehearsal judges, and reads the body, as if it were meant.  Runs in workers.
 */
#include "signature.h"

#include "http/filter/read_ahead.h"
#include "http/record/story.h"
#include "http/vars/vars.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define GUARD_DIGESTS 32                             /* values of Content-Digest */

/* -- of a request -- */

/* NULL: nothing is asked for here, or was before. */
static signature_state_t *
guard_state(weir_request_t *req)
{
    const signature_conf_t *conf = weir_request_conf(req, http_auth_signature, signature_conf_t);
    weir_request_t         *main = req->main != NULL ? req->main : req;
    signature_state_t      *state = weir_request_kept(main, weir_http_auth_signature_index), *before = state;

    if (state != NULL && (state->conf == conf || !conf->ask.is_on)) {
        return state;                                /* an internal redirect keeps what was found */
    }
    if (!conf->ask.is_on) {
        return NULL;
    }
    state = weir_new(&main->arena, signature_state_t);
    state->conf = conf;
    state->req = main;
    state->is_rehearsal = weir_dry_run_is_on(req, conf->dry_run);
    signature_verify(state, before);
    if (before != NULL && before->spent != NULL && state->spent == NULL) {
        state->spent = before->spent;
        state->spent_key = before->spent_key;
    }
    weir_request_keep(main, weir_http_auth_signature_index, state);
    return state;
}

/* -- the verdict -- */

static void
guard_tell(weir_request_t *req, const signature_state_t *state)
{
    weir_http_story_judged(req, "signature", state->key_id,
                           weir_dry_run_verdict(state->cause != WEIR_CAUSE_NONE, state->is_rehearsal));
}

weir_step_t
signature_access(weir_request_t *req, const void *conf_)
{
    const signature_conf_t *conf = conf_;
    signature_state_t      *state;

    if (weir_dry_run_begin(req, conf->dry_run) == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    state = guard_state(req);
    weir_assert(state != NULL);
    guard_tell(req, state);
    if (state->is_rehearsal) {
        return weir_dry_run_judge(req, state->cause);
    }
    if (state->cause == WEIR_CAUSE_NONE) {
        return weir_request_grant(req);
    }
    if (weir_cause_row(state->cause)->status >= 500) {
        return weir_request_fail(req, state->cause, state->detail);
    }
    req->challenge = weir_str_printf(&req->arena, "Signature realm=\"%.*s\"", WEIR_STR_ARG(conf->ask.realm));
    return weir_request_deny(req, state->cause, state->detail);
}

/* -- the body (RFC 9530) -- */

static const struct { weir_str_t name; const char *digest; size_t size; } guard_digests[] = {
    { WEIR_STR_INIT("sha-256"), "SHA256", 32 }, { WEIR_STR_INIT("sha-512"), "SHA512", 64 },
};

typedef struct { EVP_MD_CTX *ctx; bool is_good; } guard_hash_t;

static void
guard_hash(void *data, weir_str_t bytes)
{
    guard_hash_t *hash = data;

    hash->is_good = hash->is_good && EVP_DigestUpdate(hash->ctx, bytes.at, bytes.len) == 1;
}

/* NONE: the body has that digest. */
static weir_cause_t
guard_check_digest(weir_request_t *req, const char *name, weir_str_t wanted)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD       *md = EVP_MD_fetch(NULL, name, NULL);
    guard_hash_t  hash = { .ctx = EVP_MD_CTX_new() };
    weir_cause_t  cause = WEIR_CAUSE_INTERNAL_MEMORY;
    unsigned      n = 0;

    hash.is_good = md != NULL && hash.ctx != NULL && EVP_DigestInit_ex2(hash.ctx, md, NULL) == 1;
    if (hash.is_good && weir_read_ahead_each(req, guard_hash, &hash) != WEIR_OK) {
        cause = WEIR_CAUSE_INTERNAL_IO;
    } else if (hash.is_good && EVP_DigestFinal_ex(hash.ctx, digest, &n) == 1) {
        cause = wanted.len == n && CRYPTO_memcmp(wanted.at, digest, n) == 0 ? WEIR_CAUSE_NONE
                : WEIR_CAUSE_AUTH_SIGNATURE_DIGEST;
    }
    EVP_MD_CTX_free(hash.ctx);
    EVP_MD_free(md);
    return cause;
}

/* All digests that are known must be right, and one must be known. */
static weir_cause_t
guard_check_body(signature_state_t *state)
{
    weir_request_t         *req = state->req;
    const weir_fields_t    *fields = req->sent_fields != NULL ? req->sent_fields : &req->head.fields;
    weir_str_t              text = weir_fields_join(fields, WEIR_STR("content-digest"), &req->arena);
    const weir_sf_member_t *first, *member;
    weir_cause_t            cause = WEIR_CAUSE_NONE;
    size_t                  n = 0;

    if (text.len > SIGNATURE_TEXT_MAX || !weir_sf_parse_dictionary(&req->arena, text, GUARD_DIGESTS, &first)) {
        return WEIR_CAUSE_AUTH_SIGNATURE_DIGEST;
    }
    for (size_t i = 0; i < weir_countof(guard_digests) && cause == WEIR_CAUSE_NONE; i++) {
        member = weir_sf_find_member(first, guard_digests[i].name);
        if (member != NULL && (member->is_list || member->value.kind != WEIR_SF_BYTES
                               || member->value.text.len != guard_digests[i].size))
        {
            return WEIR_CAUSE_AUTH_SIGNATURE_DIGEST;
        }
        if (member != NULL) {
            cause = guard_check_digest(req, guard_digests[i].digest, member->value.text);
            n++;
        }
    }
    return cause == WEIR_CAUSE_NONE && n == 0 ? WEIR_CAUSE_AUTH_SIGNATURE_DIGEST : cause;
}

/* What was let in for its signature is refused for its body, whichever other guard would let it in. */
static weir_step_t
guard_end_body(signature_state_t *state, weir_cause_t cause)
{
    weir_request_t *req = state->req;

    state->body = cause == WEIR_CAUSE_NONE ? SIGNATURE_BODY_GOOD : SIGNATURE_BODY_BAD;
    if (cause == WEIR_CAUSE_NONE) {
        return WEIR_NEXT;
    }
    state->cause = cause;
    guard_tell(req, state);
    if (state->is_rehearsal) {
        weir_dry_run_log(req, cause);
        return weir_dry_run_ends(req);
    }
    return weir_request_fail(req, cause, NULL);
}

static weir_step_t
guard_decide(signature_state_t *state)
{
    if (weir_read_ahead_size(state->req) > state->conf->max_body.n) {
        return guard_end_body(state, WEIR_CAUSE_AUTH_SIGNATURE_BODY);
    }
    return guard_end_body(state, guard_check_body(state));
}

static void
guard_on_body(weir_request_t *req)
{
    if (guard_decide(weir_request_kept(req, weir_http_auth_signature_index)) == WEIR_NEXT) {
        weir_request_resume(req);
    }
}

weir_step_t
signature_precontent(weir_request_t *req, const void *conf_)
{
    const signature_conf_t *conf = conf_;
    signature_state_t      *state;
    weir_step_t             step;

    if (req->is_sub || req->body_dropped || weir_dry_run_begin(req, conf->dry_run) == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    state = guard_state(req);
    weir_assert(state != NULL);
    if (state->cause != WEIR_CAUSE_NONE || !state->wants_digest || state->body != SIGNATURE_BODY_UNKNOWN) {
        return WEIR_NEXT;                            /* another guard let it in, or it was looked at */
    }
    if (req->body == NULL && req->head.content_length != WEIR_LENGTH_NONE
        && req->head.content_length > conf->max_body.n)
    {
        return guard_end_body(state, WEIR_CAUSE_AUTH_SIGNATURE_BODY);
    }
    step = weir_read_ahead(req, guard_on_body);
    return step == WEIR_NEXT ? guard_decide(state) : step;
}

/* -- variables -- */

static const signature_state_t *
guard_verified(weir_request_t *req)
{
    const signature_state_t *state = guard_state(req);

    return state != NULL && state->cause == WEIR_CAUSE_NONE ? state : NULL;
}

WEIR_GETTER(guard_get_key_id)
{
    const signature_state_t *state = guard_verified(subject);

    *value = state != NULL ? state->key_id : WEIR_STR_NONE;
    return value->len != 0;
}

WEIR_GETTER(guard_get_label)
{
    const signature_state_t *state = guard_verified(subject);

    *value = state != NULL ? state->label : WEIR_STR_NONE;
    return value->len != 0;
}

const weir_variable_t signature_variables[] = {
    { "signature_key_id", .subject = WEIR_OF_REQUEST, .get = guard_get_key_id,
      .help = "Id of the key that has signed the request, when the signature is good here, else empty." },
    { "signature_label", .subject = WEIR_OF_REQUEST, .get = guard_get_label,
      .help = "Label of the request's signature, when that is good here, else empty." },
    WEIR_VARIABLES_END
};
