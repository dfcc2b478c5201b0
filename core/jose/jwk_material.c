/*
 * jwk_material.c - the numbers of a key become OpenSSL's (RFC 7518 §6, RFC 8037 §2), or a word on what is wrong with
 * them.
 *
 * What is decoded lies in an arena that the caller wipes; OpenSSL wipes its own.
 */
#include "jose/internal.h"

#include "jose/base64url.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192        /* more would let a set's maker have us work */
#define RSA_E_BITS   33
#define EC_BYTES_MAX 66

static void
material_fault(weir_jwk_t *key, weir_jose_result_t fault, const char *why)
{
    key->fault = fault;
    key->why = why;
}

static bool
material_bytes(const weir_json_t *json, const char *name, weir_arena_t *scratch, weir_str_t *bytes)
{
    weir_str_t text;

    return weir_json_get_string(json, weir_str_from_z(name), &text) && weir_base64url_decode_to(scratch, text, bytes);
}

static EVP_PKEY *
material_make(const char *type, OSSL_PARAM_BLD *build, bool is_private)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM   *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY     *pkey = NULL;

    if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &pkey, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
    {
        pkey = NULL;
    }
    OSSL_PARAM_free(params);                 /* wipes what was put in as a secret number */
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* Do the two halves belong together? */
static bool
material_is_pair(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool          is_pair = ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);
    return is_pair;
}

/* What was encrypted with one half the other decrypts.  (That a factor is prime is not asked: that costs a second of a
 * large key, and a set may have many.) */
static bool
material_opens_own(EVP_PKEY *pkey)
{
    static const unsigned char text[16] = { 1, 2, 3 };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    unsigned char sealed[RSA_BITS_MAX / 8], opened[RSA_BITS_MAX / 8];
    size_t        sealed_len = sizeof(sealed), opened_len = sizeof(opened);
    bool          is_good;

    is_good = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1
              && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1
              && EVP_PKEY_encrypt(ctx, sealed, &sealed_len, text, sizeof(text)) == 1
              && EVP_PKEY_decrypt_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1
              && EVP_PKEY_decrypt(ctx, opened, &opened_len, sealed, sealed_len) == 1 && opened_len == sizeof(text)
              && memcmp(opened, text, sizeof(text)) == 0;
    EVP_PKEY_CTX_free(ctx);
    return is_good;
}

/* -- RSA -- */

/* Primes of a smartcard library (CVE-2017-15361) are powers of 65537 to small moduli, so that n is one, too: of numbers
 * made at random one in 2^27 is. */
static bool
rsa_is_roca(const BIGNUM *n)
{
    static const uint8_t primes[] = {
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
        113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    };

    for (size_t i = 0; i < sizeof(primes); i++) {
        unsigned prime = primes[i], rest = (unsigned) BN_mod_word(n, prime), power = 1;
        bool     is_power = false;

        for (unsigned k = 0; k < prime && !is_power; k++) {
            is_power = power == rest;
            power = power * (65537 % prime) % prime;
        }
        if (!is_power) {
            return false;
        }
    }
    return true;
}

static bool
rsa_check(weir_jwk_t *key, const BIGNUM *n, const BIGNUM *e)
{
    int bits = BN_num_bits(n);

    if (bits < RSA_BITS_MIN) {
        material_fault(key, WEIR_JOSE_KEY_WEAK, "it has less than 2048 bits");
    } else if (bits > RSA_BITS_MAX) {
        material_fault(key, WEIR_JOSE_KEY_BROKEN, "it has more than 8192 bits");
    } else if (!BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > RSA_E_BITS) {
        material_fault(key, WEIR_JOSE_KEY_BROKEN, "its modulus or exponent is wrong");
    } else if (rsa_is_roca(n)) {
        material_fault(key, WEIR_JOSE_KEY_WEAK, "it can be factored (ROCA)");
    }
    return key->fault == WEIR_JOSE_GOOD;
}

/* The numbers of a key, in the order of the parameters below; private ones as far as they are there. */
enum { RSA_N, RSA_E, RSA_D, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_QI, RSA_NUMBERS };

/* Is that exponent the rest of d by what is one less than a factor? */
static bool
rsa_is_rest(const BIGNUM *exponent, const BIGNUM *d, const BIGNUM *factor, BIGNUM *room, BN_CTX *ctx)
{
    BIGNUM *less;
    bool    is_rest;

    BN_CTX_start(ctx);
    less = BN_CTX_get(ctx);
    is_rest = less != NULL && BN_sub(less, factor, BN_value_one()) == 1 && !BN_is_zero(less) && !BN_is_negative(less)
              && BN_nnmod(room, d, less, ctx) == 1 && BN_cmp(room, exponent) == 0;
    BN_CTX_end(ctx);
    return is_rest;
}

/* n is p q, dp and dq are of d, and qi is the inverse of q. */
static bool
rsa_check_factors(BIGNUM *const numbers[RSA_NUMBERS], BIGNUM *room, BN_CTX *ctx)
{
    return BN_mul(room, numbers[RSA_P], numbers[RSA_Q], ctx) == 1 && BN_cmp(room, numbers[RSA_N]) == 0
           && rsa_is_rest(numbers[RSA_DP], numbers[RSA_D], numbers[RSA_P], room, ctx)
           && rsa_is_rest(numbers[RSA_DQ], numbers[RSA_D], numbers[RSA_Q], room, ctx)
           && BN_mod_mul(room, numbers[RSA_QI], numbers[RSA_Q], numbers[RSA_P], ctx) == 1 && BN_is_one(room);
}

/* Private numbers are no longer than the modulus, and factors are those of it. */
static bool
rsa_check_private(BIGNUM *const numbers[RSA_NUMBERS])
{
    BN_CTX *ctx = BN_CTX_secure_new();
    BIGNUM *room = BN_secure_new();
    bool    is_good = ctx != NULL && room != NULL;

    for (size_t i = RSA_D; is_good && i < RSA_NUMBERS; i++) {
        is_good = numbers[i] == NULL || BN_num_bits(numbers[i]) <= BN_num_bits(numbers[RSA_N]);
    }
    is_good = is_good && (numbers[RSA_P] == NULL || rsa_check_factors(numbers, room, ctx));
    BN_clear_free(room);
    BN_CTX_free(ctx);
    return is_good;
}

static EVP_PKEY *
rsa_make(weir_jwk_t *key, BIGNUM *const numbers[RSA_NUMBERS])
{
    static const char *const params[RSA_NUMBERS] = {
        OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
        OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY       *pkey = NULL;
    bool            is_good = build != NULL;

    for (size_t i = 0; is_good && i < RSA_NUMBERS; i++) {
        is_good = numbers[i] == NULL || OSSL_PARAM_BLD_push_BN(build, params[i], numbers[i]) == 1;
    }
    if (is_good) {
        pkey = material_make("RSA", build, key->decrypts);
    }
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

static void
rsa_read(weir_jwk_t *key, const weir_json_t *json, weir_arena_t *scratch)
{
    static const char *const names[RSA_NUMBERS] = { "n", "e", "d", "p", "q", "dp", "dq", "qi" };
    BIGNUM                  *numbers[RSA_NUMBERS] = { NULL };
    size_t                   wanted = key->decrypts ? RSA_NUMBERS : RSA_D, n_private = 0;
    weir_str_t               bytes;
    bool                     is_good = weir_json_get(json, WEIR_STR("oth")) == NULL;

    for (size_t i = 0; is_good && i < wanted; i++) {
        if (i > RSA_D && weir_json_get(json, weir_str_from_z(names[i])) == NULL) {
            continue;
        }
        is_good = material_bytes(json, names[i], scratch, &bytes) && bytes.len != 0 && bytes.len <= 4096;
        if (is_good) {
            numbers[i] = i < RSA_D ? BN_new() : BN_secure_new();
            is_good = numbers[i] != NULL
                      && BN_bin2bn((const unsigned char *) bytes.at, (int) bytes.len, numbers[i]) != NULL;
            n_private += i > RSA_D;
        }
    }
    if (!is_good || (n_private != 0 && n_private != RSA_NUMBERS - RSA_P)) {
        material_fault(key, WEIR_JOSE_KEY_BROKEN, "its numbers are missing or malformed");
    } else if (rsa_check(key, numbers[RSA_N], numbers[RSA_E])) {
        key->pkey = !key->decrypts || rsa_check_private(numbers) ? rsa_make(key, numbers) : NULL;
        if (key->pkey == NULL || (key->decrypts && !material_opens_own(key->pkey))) {
            material_fault(key, WEIR_JOSE_KEY_BROKEN, "its numbers make no key");
        }
    }
    for (size_t i = 0; i < RSA_NUMBERS; i++) {
        BN_clear_free(numbers[i]);
    }
}

/* -- curves -- */

static size_t
ec_bytes(const char *curve)
{
    return strcmp(curve, "P-256") == 0 ? 32 : strcmp(curve, "P-384") == 0 ? 48 : EC_BYTES_MAX;
}

/* A public key, or a pair with d.  NULL: the point is not on the curve … */
static EVP_PKEY *
ec_make(const char *curve, const weir_json_t *json, bool is_private, weir_arena_t *scratch)
{
    size_t          len = ec_bytes(curve);
    unsigned char   point[1 + 2 * EC_BYTES_MAX];
    weir_str_t      x, y, d = WEIR_STR_NONE;
    OSSL_PARAM_BLD *build;
    BIGNUM         *number = NULL;
    EVP_PKEY       *pkey = NULL;

    if (!material_bytes(json, "x", scratch, &x) || !material_bytes(json, "y", scratch, &y) || x.len != len
        || y.len != len || (is_private && (!material_bytes(json, "d", scratch, &d) || d.len != len)))
    {
        return NULL;
    }
    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(point + 1, x.at, len);
    memcpy(point + 1 + len, y.at, len);
    build = OSSL_PARAM_BLD_new();
    if (is_private) {
        number = BN_secure_new();
        number = number != NULL ? BN_bin2bn((const unsigned char *) d.at, (int) d.len, number) : NULL;
    }
    if (build != NULL && (!is_private || number != NULL)
        && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1
        && OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * len) == 1
        && (!is_private || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1))
    {
        pkey = material_make("EC", build, is_private);
    }
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(number);
    return pkey;
}

static EVP_PKEY *
okp_make(const char *curve, const weir_json_t *json, bool is_private, weir_arena_t *scratch)
{
    weir_str_t x, d;

    if (!material_bytes(json, "x", scratch, &x)) {
        return NULL;
    }
    if (!is_private) {
        return EVP_PKEY_new_raw_public_key_ex(NULL, curve, NULL, (const unsigned char *) x.at, x.len);
    }
    return material_bytes(json, "d", scratch, &d)
           ? EVP_PKEY_new_raw_private_key_ex(NULL, curve, NULL, (const unsigned char *) d.at, d.len) : NULL;
}

/* Of a private key of OKP the public half is worked out: it must be the one that is said. */
static bool
okp_is_pair(EVP_PKEY *pkey, const weir_json_t *json, weir_arena_t *scratch)
{
    unsigned char room[64];
    size_t        len = sizeof(room);
    weir_str_t    x;

    return EVP_PKEY_get_raw_public_key(pkey, room, &len) == 1 && material_bytes(json, "x", scratch, &x)
           && weir_str_eq(x, weir_str((const char *) room, len));
}

static void
curve_read(weir_jwk_t *key, const weir_json_t *json, weir_arena_t *scratch)
{
    bool is_ec = key->kty == WEIR_JOSE_EC, is_private = key->decrypts;

    key->pkey = is_ec ? ec_make(key->curve, json, is_private, scratch)
                : okp_make(key->curve, json, is_private, scratch);
    if (key->pkey == NULL
        || (is_private && !(is_ec ? material_is_pair(key->pkey) : okp_is_pair(key->pkey, json, scratch))))
    {
        material_fault(key, WEIR_JOSE_KEY_BROKEN, "its numbers make no key of its curve");
    }
}

/* -- all -- */

static void
oct_read(weir_jwk_t *key, const weir_json_t *json, weir_arena_t *scratch)
{
    weir_str_t bytes;

    if (!material_bytes(json, "k", scratch, &bytes)) {
        material_fault(key, WEIR_JOSE_KEY_BROKEN, "its \"k\" is missing or malformed");
    } else if (bytes.len < (key->decrypts ? 16 : 32)
               || (key->has_alg && weir_jose_alg(key->alg)->role == WEIR_JOSE_SIGNS
                   && bytes.len < weir_jose_alg(key->alg)->bytes))
    {
        material_fault(key, WEIR_JOSE_KEY_WEAK, "it is shorter than its algorithm's hash");
    } else {
        key->secret = OPENSSL_memdup(bytes.at, bytes.len);
        key->secret_len = bytes.len;
        if (key->secret == NULL) {
            material_fault(key, WEIR_JOSE_KEY_BROKEN, "no memory");
        }
    }
}

void
weir_jwk_read_material(weir_jwk_t *key, const weir_json_t *json, weir_arena_t *scratch)
{
    switch (key->kty) {
    case WEIR_JOSE_RSA: rsa_read(key, json, scratch); break;
    case WEIR_JOSE_EC: case WEIR_JOSE_OKP: curve_read(key, json, scratch); break;
    case WEIR_JOSE_OCT: oct_read(key, json, scratch); break;
    default: break;
    }
}

void
weir_jwk_wipe(weir_jwk_t *key)
{
    EVP_PKEY_free(key->pkey);
    OPENSSL_clear_free(key->secret, key->secret_len);
    EVP_PKEY_CTX_free(key->prepared.verify);
    EVP_MAC_CTX_free(key->prepared.mac);
    EVP_MD_free(key->prepared.md);
}

EVP_PKEY *
weir_jwk_read_epk(const weir_jwk_t *key, const weir_json_t *json, weir_arena_t *scratch)
{
    weir_str_t kty, crv;

    if (!weir_json_get_string(json, WEIR_STR("kty"), &kty) || !weir_json_get_string(json, WEIR_STR("crv"), &crv)
        || !weir_str_eq(kty, key->kty == WEIR_JOSE_EC ? WEIR_STR("EC") : WEIR_STR("OKP"))
        || !weir_str_eq(crv, weir_str_from_z(key->curve)))
    {
        return NULL;
    }
    return key->kty == WEIR_JOSE_EC ? ec_make(key->curve, json, false, scratch)
           : okp_make(key->curve, json, false, scratch);
}
