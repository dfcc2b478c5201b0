/*
 * id_token.c - the user who has logged in, as the provider says and has signed (OpenID Connect Core 1.0 §3.1.3.7).
 * Pure but for the clock; everything lies in the caller's arena.
 */
#include "oidc.h"

#include "jose/base64url.h"
#include "os/clock.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define ID_TOKEN_SUBJECT 255

static oidc_fault_t
id_token_fault(weir_cause_t cause, const char *detail)
{
    return (oidc_fault_t) { .cause = cause, .detail = detail };
}

/* Texts that may be secrets. */
static bool
id_token_same(weir_str_t a, weir_str_t b)
{
    return a.len == b.len && CRYPTO_memcmp(a.at, b.at, a.len) == 0;
}

/* -- claims -- */

/* aud has the client; with others beside it, azp names the client it was made for. */
static const char *
id_token_check_audience(const oidc_provider_t *provider, const weir_jwt_t *jwt)
{
    weir_str_t         client = provider->client_id, azp;
    const weir_json_t *aud = weir_json_get(jwt->claims, WEIR_STR("aud"));
    bool               is_many = aud != NULL && aud->kind == WEIR_JSON_ARRAY && aud->n > 1;

    if (!weir_jwt_is_for(jwt, (weir_strs_t) { &client, 1 })) {
        return "it is for another audience";
    }
    if (!weir_json_get_string(jwt->claims, WEIR_STR("azp"), &azp)) {
        return is_many || weir_json_get(jwt->claims, WEIR_STR("azp")) != NULL ? "its azp is missing or no text"
               : NULL;
    }
    return weir_str_eq(azp, client) ? NULL : "it was made for another party";
}

static const char *
id_token_check_times(const weir_jwt_t *jwt)
{
    int64_t            now_s = (int64_t) (weir_clock_wall_ms() / 1000), issued;
    const weir_json_t *iat = weir_json_get(jwt->claims, WEIR_STR("iat"));

    if (jwt->expires == WEIR_JWT_NEVER) {
        return "it has no exp";
    }
    if (iat == NULL || !weir_json_to_whole(iat, &issued)) {
        return "it has no iat";
    }
    if (issued > now_s + OIDC_LEEWAY_S) {
        return "it was issued in the future";
    }
    switch (weir_jwt_check_time(jwt->expires, jwt->not_before, now_s, OIDC_LEEWAY_S)) {
    case WEIR_JWT_EXPIRED: return "it has expired";
    case WEIR_JWT_NOT_YET: return "it is not valid yet";
    default:               return NULL;
    }
}

static const char *
id_token_check_subject(const weir_jwt_t *jwt, weir_str_t expected)
{
    weir_str_t sub;

    if (!weir_json_get_string(jwt->claims, WEIR_STR("sub"), &sub) || sub.len == 0 || sub.len > ID_TOKEN_SUBJECT) {
        return "it has no sub";
    }
    return expected.len == 0 || weir_str_eq(sub, expected) ? NULL : "it is of another subject than before";
}

/* Half of the digest of the access token (§3.1.3.6), where it is said. */
static const char *
id_token_check_hash(const weir_jws_t *jws, const weir_jwt_t *jwt, weir_str_t access_token)
{
    const weir_json_t *said = weir_json_get(jwt->claims, WEIR_STR("at_hash"));
    const char        *name = weir_jose_alg(jws->alg)->digest;
    const EVP_MD      *md = EVP_get_digestbyname(name != NULL ? name : "SHA512");        /* (EdDSA) */
    unsigned char      digest[EVP_MAX_MD_SIZE];
    char               text[EVP_MAX_MD_SIZE];
    unsigned           len;

    if (said == NULL) {
        return NULL;
    }
    if (md == NULL || EVP_Digest(access_token.at, access_token.len, digest, &len, md, NULL) != 1) {
        return "its at_hash cannot be looked at";
    }
    weir_base64url_encode(weir_str((char *) digest, len / 2), text);
    return said->kind == WEIR_JSON_STRING && weir_str_eq(said->text, weir_str(text, weir_base64url_encoded(len / 2)))
           ? NULL : "its at_hash is not that of the access token";
}

static oidc_fault_t
id_token_check_claims(const oidc_provider_t *provider, weir_arena_t *arena, const weir_jws_t *jws,
                      const oidc_expected_t *expected)
{
    weir_str_t  issuer = provider->issuer, nonce = WEIR_STR_NONE;
    const char *detail = NULL;
    weir_jwt_t  jwt;

    if (weir_jwt_read(arena, jws->payload, &jwt) != WEIR_JOSE_GOOD) {
        return id_token_fault(WEIR_CAUSE_AUTH_OIDC_ID_TOKEN, "its claims cannot be read");
    }
    if (!weir_jwt_is_of(&jwt, (weir_strs_t) { &issuer, 1 })) {
        detail = "it is of another issuer";
    }
    detail = detail != NULL ? detail : id_token_check_audience(provider, &jwt);
    detail = detail != NULL ? detail : id_token_check_times(&jwt);
    detail = detail != NULL ? detail : id_token_check_subject(&jwt, expected->subject);
    detail = detail != NULL ? detail : id_token_check_hash(jws, &jwt, expected->access_token);
    if (detail != NULL) {
        return id_token_fault(WEIR_CAUSE_AUTH_OIDC_CLAIMS, detail);
    }
    if (expected->nonce.len != 0
        && (!weir_json_get_string(jwt.claims, WEIR_STR("nonce"), &nonce) || !id_token_same(nonce, expected->nonce)))
    {
        return id_token_fault(WEIR_CAUSE_AUTH_OIDC_NONCE, NULL);
    }
    return id_token_fault(WEIR_CAUSE_NONE, NULL);
}

/* -- the token -- */

static const char *
id_token_why(weir_jose_result_t result)
{
    switch (result) {
    case WEIR_JOSE_UNSIGNED:     return "it is not signed: its algorithm is none";
    case WEIR_JOSE_ALGORITHM:    return "its algorithm is not one of id_token_algorithms";
    case WEIR_JOSE_TYPE:         return "it is encrypted";
    case WEIR_JOSE_CRIT:         return "it has a critical extension";
    case WEIR_JOSE_KEY_UNKNOWN:  return "the provider publishes no key with its key id";
    case WEIR_JOSE_KEY_MISMATCH: return "its key is of another type or use";
    case WEIR_JOSE_KEY_WEAK:     return "its key is too weak";
    case WEIR_JOSE_KEY_BROKEN:   return "its key is wrong in itself";
    case WEIR_JOSE_SIGNATURE:    return "its signature is not that of the key";
    default:                     return "it cannot be read";
    }
}

oidc_fault_t
oidc_id_token_check(const oidc_provider_t *provider, weir_jwks_t *keys, weir_arena_t *arena, weir_str_t token,
                    const oidc_expected_t *expected)
{
    weir_jws_t         jws;
    const weir_jwk_t  *used;
    weir_jose_result_t result = weir_jws_read(arena, token, &jws);
    oidc_fault_t       fault;

    if (result == WEIR_JOSE_GOOD) {
        result = weir_jws_verify(&jws, keys, provider->algorithms, &used);
    }
    if (result != WEIR_JOSE_GOOD) {
        fault = id_token_fault(WEIR_CAUSE_AUTH_OIDC_ID_TOKEN, id_token_why(result));
        fault.has_new_key = result == WEIR_JOSE_KEY_UNKNOWN
                            || (result == WEIR_JOSE_SIGNATURE && jws.kid.at == NULL);
        return fault;
    }
    return id_token_check_claims(provider, arena, &jws, expected);
}

const weir_json_t *
oidc_id_token_claims(weir_arena_t *arena, weir_str_t token)
{
    const weir_json_t *claims;
    weir_str_t         parts[3], text;

    return weir_jose_split(token, parts, 3)
           && weir_jose_read_object(arena, parts[1], &text, &claims) == WEIR_JOSE_GOOD ? claims : NULL;
}
