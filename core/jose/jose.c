/*
 * jose.c - the table of algorithms (RFC 7518, 8037, 9864), and what headers of both kinds have in common.
 */
#include "jose/jose.h"

#include "jose/base64url.h"

#define JOSE_DEPTH  16           /* of headers and claims */
#define JOSE_VALUES 2000

static const weir_jose_alg_row_t jose_algs[WEIR_JOSE_ALGS] = {
#define JOSE_ROW(alg, name, role, kty, digest, curve, bytes) \
    [WEIR_JOSE_##alg] = { WEIR_STR_INIT(name), WEIR_JOSE_##role, WEIR_JOSE_##kty, digest, curve, bytes }
    JOSE_ROW(HS256, "HS256", SIGNS, OCT, "SHA256", NULL, 32),
    JOSE_ROW(HS384, "HS384", SIGNS, OCT, "SHA384", NULL, 48),
    JOSE_ROW(HS512, "HS512", SIGNS, OCT, "SHA512", NULL, 64),
    JOSE_ROW(RS256, "RS256", SIGNS, RSA, "SHA256", NULL, 32),
    JOSE_ROW(RS384, "RS384", SIGNS, RSA, "SHA384", NULL, 48),
    JOSE_ROW(RS512, "RS512", SIGNS, RSA, "SHA512", NULL, 64),
    JOSE_ROW(PS256, "PS256", SIGNS, RSA, "SHA256", NULL, 32),
    JOSE_ROW(PS384, "PS384", SIGNS, RSA, "SHA384", NULL, 48),
    JOSE_ROW(PS512, "PS512", SIGNS, RSA, "SHA512", NULL, 64),
    JOSE_ROW(ES256, "ES256", SIGNS, EC, "SHA256", "P-256", 32),
    JOSE_ROW(ES384, "ES384", SIGNS, EC, "SHA384", "P-384", 48),
    JOSE_ROW(ES512, "ES512", SIGNS, EC, "SHA512", "P-521", 64),
    JOSE_ROW(EDDSA, "EdDSA", SIGNS, OKP, NULL, NULL, 0),
    JOSE_ROW(ED25519, "Ed25519", SIGNS, OKP, NULL, "Ed25519", 0),
    JOSE_ROW(ED448, "Ed448", SIGNS, OKP, NULL, "Ed448", 0),
    JOSE_ROW(RSA_OAEP, "RSA-OAEP", GIVES_KEY, RSA, "SHA1", NULL, 0),
    JOSE_ROW(RSA_OAEP_256, "RSA-OAEP-256", GIVES_KEY, RSA, "SHA256", NULL, 0),
    JOSE_ROW(RSA_OAEP_384, "RSA-OAEP-384", GIVES_KEY, RSA, "SHA384", NULL, 0),
    JOSE_ROW(RSA_OAEP_512, "RSA-OAEP-512", GIVES_KEY, RSA, "SHA512", NULL, 0),
    JOSE_ROW(A128KW, "A128KW", GIVES_KEY, OCT, NULL, NULL, 16),
    JOSE_ROW(A192KW, "A192KW", GIVES_KEY, OCT, NULL, NULL, 24),
    JOSE_ROW(A256KW, "A256KW", GIVES_KEY, OCT, NULL, NULL, 32),
    JOSE_ROW(A128GCMKW, "A128GCMKW", GIVES_KEY, OCT, NULL, NULL, 16),
    JOSE_ROW(A192GCMKW, "A192GCMKW", GIVES_KEY, OCT, NULL, NULL, 24),
    JOSE_ROW(A256GCMKW, "A256GCMKW", GIVES_KEY, OCT, NULL, NULL, 32),
    JOSE_ROW(DIR, "dir", GIVES_KEY, OCT, NULL, NULL, 0),
    JOSE_ROW(ECDH_ES, "ECDH-ES", GIVES_KEY, EC, NULL, NULL, 0),
    JOSE_ROW(ECDH_ES_A128KW, "ECDH-ES+A128KW", GIVES_KEY, EC, NULL, NULL, 16),
    JOSE_ROW(ECDH_ES_A192KW, "ECDH-ES+A192KW", GIVES_KEY, EC, NULL, NULL, 24),
    JOSE_ROW(ECDH_ES_A256KW, "ECDH-ES+A256KW", GIVES_KEY, EC, NULL, NULL, 32),
    JOSE_ROW(A128GCM, "A128GCM", ENCRYPTS, OCT, NULL, NULL, 16),
    JOSE_ROW(A192GCM, "A192GCM", ENCRYPTS, OCT, NULL, NULL, 24),
    JOSE_ROW(A256GCM, "A256GCM", ENCRYPTS, OCT, NULL, NULL, 32),
    JOSE_ROW(A128CBC_HS256, "A128CBC-HS256", ENCRYPTS, OCT, "SHA256", NULL, 32),
    JOSE_ROW(A192CBC_HS384, "A192CBC-HS384", ENCRYPTS, OCT, "SHA384", NULL, 48),
    JOSE_ROW(A256CBC_HS512, "A256CBC-HS512", ENCRYPTS, OCT, "SHA512", NULL, 64),
#undef JOSE_ROW
};

const weir_jose_alg_row_t *
weir_jose_alg(weir_jose_alg_t alg)
{
    weir_assert((unsigned) alg < WEIR_JOSE_ALGS);
    return &jose_algs[alg];
}

bool
weir_jose_find_alg(weir_str_t name, weir_jose_alg_t *alg)
{
    for (unsigned i = 0; i < WEIR_JOSE_ALGS; i++) {
        if (weir_str_eq(jose_algs[i].name, name)) {
            *alg = (weir_jose_alg_t) i;
            return true;
        }
    }
    return false;
}

bool
weir_jose_split(weir_str_t token, weir_str_t *parts, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (!weir_str_cut(token, '.', &parts[i], &token)) {
            return false;
        }
    }
    parts[n - 1] = token;
    return weir_str_find(token, '.') == NULL;
}

weir_jose_result_t
weir_jose_parse_object(weir_arena_t *arena, weir_str_t text, const weir_json_t **value)
{
    static const weir_json_limits_t limits = { .depth = JOSE_DEPTH, .values = JOSE_VALUES };

    switch (weir_json_parse(arena, text, limits, value)) {
    case WEIR_JSON_GOOD:      return (*value)->kind == WEIR_JSON_OBJECT ? WEIR_JOSE_GOOD : WEIR_JOSE_MALFORMED;
    case WEIR_JSON_DUPLICATE: return WEIR_JOSE_DUPLICATE;
    case WEIR_JSON_TOO_LARGE: return WEIR_JOSE_TOO_LARGE;
    default:                  return WEIR_JOSE_MALFORMED;
    }
}

weir_jose_result_t
weir_jose_read_object(weir_arena_t *arena, weir_str_t part, weir_str_t *text, const weir_json_t **value)
{
    return weir_base64url_decode_to(arena, part, text) ? weir_jose_parse_object(arena, *text, value)
           : WEIR_JOSE_MALFORMED;
}

weir_jose_result_t
weir_jose_read_header(const weir_json_t *header, weir_jose_role_t role, weir_jose_alg_t *alg, weir_str_t *kid)
{
    const weir_json_t *member = weir_json_get(header, WEIR_STR("kid"));
    weir_str_t         name;

    *kid = WEIR_STR_NONE;
    if (!weir_json_get_string(header, WEIR_STR("alg"), &name)) {
        return WEIR_JOSE_MALFORMED;
    }
    if (member != NULL) {
        if (member->kind != WEIR_JSON_STRING) {
            return WEIR_JOSE_MALFORMED;
        }
        *kid = member->text;
    }
    if (weir_str_eq_fold(name, WEIR_STR("none"))) {
        return WEIR_JOSE_UNSIGNED;
    }
    if (weir_json_get(header, WEIR_STR("crit")) != NULL) {
        return WEIR_JOSE_CRIT;                   /* there is no extension that is understood: RFC 7515 §4.1.11 */
    }
    return weir_jose_find_alg(name, alg) && jose_algs[*alg].role == role ? WEIR_JOSE_GOOD : WEIR_JOSE_ALGORITHM;
}
