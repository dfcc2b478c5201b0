/*
 * jws.c - see jws.h.  A key keeps what OpenSSL has set up for it, so that a signature costs its verification alone.
 */
#include "jose/jws.h"

#include "jose/base64url.h"
#include "jose/internal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#define JWS_PARTS   3
#define JWS_DER_MAX 160          /* two numbers of 66 bytes, and around them */

weir_jose_result_t
weir_jws_read(weir_arena_t *arena, weir_str_t token, weir_jws_t *jws)
{
    weir_str_t         parts[JWS_PARTS], more[WEIR_JOSE_PARTS];
    weir_jose_result_t result;

    *jws = (weir_jws_t) { .alg = WEIR_JOSE_ALGS };
    if (token.len > WEIR_JOSE_TOKEN_MAX) {
        return WEIR_JOSE_TOO_LARGE;
    }
    if (!weir_jose_split(token, parts, JWS_PARTS)) {
        return weir_jose_split(token, more, WEIR_JOSE_PARTS) ? WEIR_JOSE_TYPE : WEIR_JOSE_MALFORMED;
    }
    result = weir_jose_read_object(arena, parts[0], &jws->header_text, &jws->header);
    if (result == WEIR_JOSE_GOOD) {
        result = weir_jose_read_header(jws->header, WEIR_JOSE_SIGNS, &jws->alg, &jws->kid);
    }
    if (result != WEIR_JOSE_GOOD) {
        return result;
    }
    jws->signed_part = weir_str(token.at, parts[0].len + 1 + parts[1].len);
    return weir_base64url_decode_to(arena, parts[1], &jws->payload)
           && weir_base64url_decode_to(arena, parts[2], &jws->signature) ? WEIR_JOSE_GOOD : WEIR_JOSE_MALFORMED;
}

/* -- setting up -- */

static bool
jws_prepare_mac(weir_jwk_t *key, const weir_jose_alg_row_t *row)
{
    EVP_MAC   *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *) (uintptr_t) row->digest, 0), OSSL_PARAM_END,
    };

    key->prepared.mac = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    return key->prepared.mac != NULL && EVP_MAC_init(key->prepared.mac, key->secret, key->secret_len, params) == 1;
}

static bool
jws_prepare_pkey(weir_jwk_t *key, weir_jose_alg_t alg, const weir_jose_alg_row_t *row)
{
    EVP_PKEY_CTX *ctx;

    key->prepared.md = EVP_MD_fetch(NULL, row->digest, NULL);
    key->prepared.verify = ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    if (key->prepared.md == NULL || ctx == NULL || EVP_PKEY_verify_init(ctx) != 1) {
        return false;
    }
    if (row->kty == WEIR_JOSE_EC) {
        return true;
    }
    if (alg >= WEIR_JOSE_PS256 && alg <= WEIR_JOSE_PS512) {
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1
               && EVP_PKEY_CTX_set_signature_md(ctx, key->prepared.md) == 1
               && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, key->prepared.md) == 1
               && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1
           && EVP_PKEY_CTX_set_signature_md(ctx, key->prepared.md) == 1;
}

static bool
jws_prepare(weir_jwk_t *key, weir_jose_alg_t alg)
{
    const weir_jose_alg_row_t *row = weir_jose_alg(alg);

    if (key->prepared.is_ready && key->prepared.alg == alg) {
        return true;
    }
    EVP_PKEY_CTX_free(key->prepared.verify);
    EVP_MAC_CTX_free(key->prepared.mac);
    EVP_MD_free(key->prepared.md);
    memset(&key->prepared, 0, sizeof(key->prepared));
    key->prepared.alg = alg;
    key->prepared.is_ready = row->kty == WEIR_JOSE_OKP
                             || (row->kty == WEIR_JOSE_OCT ? jws_prepare_mac(key, row)
                                 : jws_prepare_pkey(key, alg, row));
    return key->prepared.is_ready;
}

/* -- verifying -- */

static weir_jose_result_t
jws_try_mac(const weir_jws_t *jws, weir_jwk_t *key)
{
    const weir_jose_alg_row_t *row = weir_jose_alg(jws->alg);
    EVP_MAC_CTX               *mac = key->prepared.mac;
    unsigned char              tag[EVP_MAX_MD_SIZE];
    size_t                     len;
    bool                       is_same;

    if (EVP_MAC_init(mac, NULL, 0, NULL) != 1
        || EVP_MAC_update(mac, (const unsigned char *) jws->signed_part.at, jws->signed_part.len) != 1
        || EVP_MAC_final(mac, tag, &len, sizeof(tag)) != 1)
    {
        return WEIR_JOSE_MEMORY;
    }
    is_same = len == row->bytes && jws->signature.len == len && CRYPTO_memcmp(tag, jws->signature.at, len) == 0;
    OPENSSL_cleanse(tag, sizeof(tag));
    return is_same ? WEIR_JOSE_GOOD : WEIR_JOSE_SIGNATURE;
}

/* RFC 7518 §3.4: both numbers in full length, one behind the other; OpenSSL wants them in DER.  0: they are not. */
static size_t
jws_to_der(weir_str_t signature, size_t half, unsigned char der[JWS_DER_MAX])
{
    const unsigned char *at = (const unsigned char *) signature.at;
    ECDSA_SIG           *numbers;
    BIGNUM              *r, *s;
    int                  len = 0;

    if (signature.len != 2 * half) {
        return 0;
    }
    numbers = ECDSA_SIG_new();
    r = BN_bin2bn(at, (int) half, NULL);
    s = BN_bin2bn(at + half, (int) half, NULL);
    if (numbers != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(numbers, r, s) == 1) {
        r = s = NULL;
        len = i2d_ECDSA_SIG(numbers, NULL) <= JWS_DER_MAX ? i2d_ECDSA_SIG(numbers, &der) : 0;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(numbers);
    return len > 0 ? (size_t) len : 0;
}

static weir_jose_result_t
jws_try_pkey(const weir_jws_t *jws, weir_jwks_t *keys, weir_jwk_t *key)
{
    unsigned char        digest[EVP_MAX_MD_SIZE], der[JWS_DER_MAX];
    const unsigned char *signature = (const unsigned char *) jws->signature.at;
    size_t               len = jws->signature.len;
    unsigned             n;

    if (key->kty == WEIR_JOSE_EC) {
        len = jws_to_der(jws->signature, ((size_t) EVP_PKEY_get_bits(key->pkey) + 7) / 8, der);
        signature = der;
    }
    if (len == 0) {
        return WEIR_JOSE_SIGNATURE;
    }
    if (EVP_DigestInit_ex2(keys->digest, key->prepared.md, NULL) != 1
        || EVP_DigestUpdate(keys->digest, jws->signed_part.at, jws->signed_part.len) != 1
        || EVP_DigestFinal_ex(keys->digest, digest, &n) != 1)
    {
        return WEIR_JOSE_MEMORY;
    }
    return EVP_PKEY_verify(key->prepared.verify, signature, len, digest, n) == 1 ? WEIR_JOSE_GOOD
           : WEIR_JOSE_SIGNATURE;
}

static weir_jose_result_t
jws_try_eddsa(const weir_jws_t *jws, weir_jwk_t *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool        is_good;

    is_good = ctx != NULL && EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, key->pkey, NULL) == 1
              && EVP_DigestVerify(ctx, (const unsigned char *) jws->signature.at, jws->signature.len,
                                  (const unsigned char *) jws->signed_part.at, jws->signed_part.len) == 1;
    EVP_MD_CTX_free(ctx);
    return is_good ? WEIR_JOSE_GOOD : WEIR_JOSE_SIGNATURE;
}

static weir_jose_result_t
jws_try(weir_jwks_t *keys, weir_jwk_t *key, void *data)
{
    const weir_jws_t *jws = data;

    if (!jws_prepare(key, jws->alg)) {
        return WEIR_JOSE_MEMORY;
    }
    return key->kty == WEIR_JOSE_OCT ? jws_try_mac(jws, key) : key->kty == WEIR_JOSE_OKP ? jws_try_eddsa(jws, key)
           : jws_try_pkey(jws, keys, key);
}

weir_jose_result_t
weir_jws_verify(const weir_jws_t *jws, weir_jwks_t *keys, uint64_t algs, const weir_jwk_t **used)
{
    weir_jose_result_t result;

    *used = NULL;
    if ((algs & WEIR_JOSE_BIT(jws->alg)) == 0) {
        return WEIR_JOSE_ALGORITHM;
    }
    result = weir_jwks_find(keys, jws->kid, jws->alg, WEIR_JOSE_ALGS, jws_try, (void *) (uintptr_t) jws, used);
    if (result != WEIR_JOSE_GOOD) {
        ERR_clear_error();
    }
    return result;
}

weir_jose_result_t
weir_jws_check(weir_jwks_t *keys, size_t key, weir_jose_alg_t alg, weir_str_t text, weir_str_t signature)
{
    weir_jws_t         jws = { .alg = alg, .signed_part = text, .signature = signature };
    weir_jose_result_t result;

    weir_assert(key < keys->n);
    result = weir_jwk_fits(&keys->at[key], alg, WEIR_JOSE_ALGS);
    if (result == WEIR_JOSE_GOOD) {
        result = jws_try(keys, &keys->at[key], &jws);
    }
    if (result != WEIR_JOSE_GOOD) {
        ERR_clear_error();
    }
    return result;
}
