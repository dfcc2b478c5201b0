/*
 * jwe.c - see jwe.h.
 *
 * A key that cannot be unwrapped is replaced by a random one, so that the content's tag is what fails (RFC 7516
 * §11.5).
 * Content keys, shared secrets and what they were made of are wiped.
 */
#include "jose/jwe.h"

#include "jose/base64url.h"
#include "jose/internal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#define JWE_CEK_MAX   64
#define JWE_GCM_IV    12
#define JWE_GCM_TAG   16
#define JWE_CBC_IV    16
#define JWE_UNWRAPPED 1024           /* bytes that a key's algorithm may give: of RSA its modulus */
#define JWE_INFO_MAX  2048           /* of apu and apv */

typedef struct {
    weir_arena_t     *arena;
    const weir_jwe_t *jwe;
    weir_str_t        plaintext;
} jwe_try_t;

weir_jose_result_t
weir_jwe_read(weir_arena_t *arena, weir_str_t token, weir_jwe_t *jwe)
{
    weir_str_t         parts[WEIR_JOSE_PARTS], fewer[3], enc;
    weir_jose_result_t result;

    *jwe = (weir_jwe_t) { .alg = WEIR_JOSE_ALGS, .enc = WEIR_JOSE_ALGS };
    if (token.len > WEIR_JOSE_TOKEN_MAX) {
        return WEIR_JOSE_TOO_LARGE;
    }
    if (!weir_jose_split(token, parts, WEIR_JOSE_PARTS)) {
        return weir_jose_split(token, fewer, 3) ? WEIR_JOSE_TYPE : WEIR_JOSE_MALFORMED;
    }
    result = weir_jose_read_object(arena, parts[0], &jwe->header_text, &jwe->header);
    if (result == WEIR_JOSE_GOOD) {
        result = weir_jose_read_header(jwe->header, WEIR_JOSE_GIVES_KEY, &jwe->alg, &jwe->kid);
    }
    if (result != WEIR_JOSE_GOOD) {
        return result;
    }
    if (!weir_json_get_string(jwe->header, WEIR_STR("enc"), &enc)) {
        return WEIR_JOSE_MALFORMED;
    }
    if (!weir_jose_find_alg(enc, &jwe->enc) || weir_jose_alg(jwe->enc)->role != WEIR_JOSE_ENCRYPTS) {
        return WEIR_JOSE_ALGORITHM;
    }
    if (weir_json_get(jwe->header, WEIR_STR("zip")) != NULL) {
        return WEIR_JOSE_ZIP;
    }
    jwe->aad = parts[0];
    return weir_base64url_decode_to(arena, parts[1], &jwe->key) && weir_base64url_decode_to(arena, parts[2], &jwe->iv)
           && weir_base64url_decode_to(arena, parts[3], &jwe->text)
           && weir_base64url_decode_to(arena, parts[4], &jwe->tag) ? WEIR_JOSE_GOOD : WEIR_JOSE_MALFORMED;
}

/* -- ciphers -- */

static const unsigned char *jwe_bytes(weir_str_t s) { return (const unsigned char *) s.at; }

/* What a cipher is fed with. */
typedef struct {
    const char          *name;           /* OpenSSL's */
    const unsigned char *key;
    weir_str_t           iv, aad, text, tag;         /* tag empty: it has none */
} jwe_cipher_t;

/* To out, which has room for text.len and 16 bytes more.  false: it cannot be (or must not). */
static bool
jwe_run(const jwe_cipher_t *c, unsigned char *out, size_t *len)
{
    EVP_CIPHER     *cipher = EVP_CIPHER_fetch(NULL, c->name, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool            is_aead = c->tag.len != 0, is_good;
    int             n = 0, more = 0;

    if (ctx != NULL) {
        EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    }
    is_good = cipher != NULL && ctx != NULL
              && EVP_DecryptInit_ex2(ctx, cipher, c->key, c->iv.len != 0 ? jwe_bytes(c->iv) : NULL, NULL) == 1
              && (!is_aead
                  || (EVP_DecryptUpdate(ctx, NULL, &n, jwe_bytes(c->aad), (int) c->aad.len) == 1
                      && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int) c->tag.len,
                                             (void *) (uintptr_t) c->tag.at) == 1));
    n = 0;
    is_good = is_good
              && (c->text.len == 0 || EVP_DecryptUpdate(ctx, out, &n, jwe_bytes(c->text), (int) c->text.len) == 1)
              && EVP_DecryptFinal_ex(ctx, out + n, &more) == 1;
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    *len = is_good ? (size_t) (n + more) : 0;
    return is_good;
}

static const char *
jwe_name(const char *const names[3], size_t bytes)
{
    return names[bytes == 16 ? 0 : bytes == 24 ? 1 : 2];
}

static const char *const jwe_gcm[] = { "AES-128-GCM", "AES-192-GCM", "AES-256-GCM" };
static const char *const jwe_cbc[] = { "AES-128-CBC", "AES-192-CBC", "AES-256-CBC" };
static const char *const jwe_wrap[] = { "AES-128-WRAP", "AES-192-WRAP", "AES-256-WRAP" };

/* -- the content's key: each says false when there is none -- */

/* RFC 3394. */
static bool
jwe_unwrap(const unsigned char *with, size_t with_len, weir_str_t wrapped, size_t want, unsigned char *cek)
{
    unsigned char room[JWE_CEK_MAX + 32] = { 0 };
    size_t        len;
    bool          is_good;

    if (wrapped.len != want + 8) {
        return false;
    }
    is_good = jwe_run(&(jwe_cipher_t) { .name = jwe_name(jwe_wrap, with_len), .key = with, .text = wrapped }, room,
                      &len) && len == want;
    memcpy(cek, room, want);
    OPENSSL_cleanse(room, sizeof(room));
    return is_good;
}

static bool
jwe_unwrap_gcm(weir_arena_t *arena, const weir_jwe_t *jwe, const weir_jwk_t *key, size_t want, unsigned char *cek)
{
    unsigned char room[JWE_CEK_MAX + 16] = { 0 };
    weir_str_t    iv_text, tag_text, iv, tag;
    size_t        len;
    bool          is_good;

    if (!weir_json_get_string(jwe->header, WEIR_STR("iv"), &iv_text)
        || !weir_json_get_string(jwe->header, WEIR_STR("tag"), &tag_text)
        || !weir_base64url_decode_to(arena, iv_text, &iv) || !weir_base64url_decode_to(arena, tag_text, &tag)
        || iv.len != JWE_GCM_IV || tag.len != JWE_GCM_TAG || jwe->key.len != want)
    {
        return false;
    }
    is_good = jwe_run(&(jwe_cipher_t) { .name = jwe_name(jwe_gcm, key->secret_len), .key = key->secret, .iv = iv,
                                        .aad = WEIR_STR(""), .text = jwe->key, .tag = tag }, room, &len) && len == want;
    memcpy(cek, room, want);
    OPENSSL_cleanse(room, sizeof(room));
    return is_good;
}

static bool
jwe_decrypt_rsa(const weir_jwe_t *jwe, const weir_jwk_t *key, size_t want, unsigned char *cek)
{
    const char   *digest = weir_jose_alg(jwe->alg)->digest;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    unsigned char room[JWE_UNWRAPPED] = { 0 };
    size_t        len = sizeof(room);
    bool          is_good;

    is_good = ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1
              && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1
              && EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, digest, NULL) == 1
              && EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, digest, NULL) == 1
              && EVP_PKEY_decrypt(ctx, room, &len, jwe_bytes(jwe->key), jwe->key.len) == 1 && len == want;
    memcpy(cek, room, want);
    OPENSSL_cleanse(room, sizeof(room));
    EVP_PKEY_CTX_free(ctx);
    return is_good;
}

static void
jwe_add_info(unsigned char **at, weir_str_t bytes)
{
    const unsigned char len[] = { 0, 0, (unsigned char) (bytes.len >> 8), (unsigned char) bytes.len };

    memcpy(*at, len, sizeof(len));
    memcpy(*at + sizeof(len), bytes.at, bytes.len);
    *at += sizeof(len) + bytes.len;
}

/* A member that may be missing. */
static bool
jwe_party(weir_arena_t *arena, const weir_json_t *header, const char *name, weir_str_t *bytes)
{
    const weir_json_t *member = weir_json_get(header, weir_str_from_z(name));

    *bytes = WEIR_STR("");
    return member == NULL || (member->kind == WEIR_JSON_STRING && weir_base64url_decode_to(arena, member->text, bytes)
                              && bytes->len <= JWE_INFO_MAX / 2 - 64);
}

/* RFC 7518 §4.6.2: the Concat KDF with SHA-256. */
static bool
jwe_concat_kdf(weir_arena_t *arena, const weir_jwe_t *jwe, weir_str_t secret, size_t want, unsigned char *out)
{
    bool                 is_direct = jwe->alg == WEIR_JOSE_ECDH_ES;
    const unsigned char  bits[] = { 0, 0, (unsigned char) (want * 8 >> 8), (unsigned char) (want * 8) };
    unsigned char        info[JWE_INFO_MAX], *at = info;
    weir_str_t           apu, apv;
    EVP_KDF             *kdf;
    EVP_KDF_CTX         *ctx;
    bool                 is_good;

    if (!jwe_party(arena, jwe->header, "apu", &apu) || !jwe_party(arena, jwe->header, "apv", &apv)) {
        return false;
    }
    jwe_add_info(&at, weir_jose_alg(is_direct ? jwe->enc : jwe->alg)->name);
    jwe_add_info(&at, apu);
    jwe_add_info(&at, apv);
    memcpy(at, bits, sizeof(bits));
    at += sizeof(bits);
    kdf = EVP_KDF_fetch(NULL, "SSKDF", NULL);
    ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    is_good = ctx != NULL
              && EVP_KDF_derive(ctx, out, want, (const OSSL_PARAM[]) {
                  OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *) (uintptr_t) "SHA256", 0),
                  OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *) (uintptr_t) secret.at, secret.len),
                  OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, (size_t) (at - info)),
                  OSSL_PARAM_END }) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return is_good;
}

static bool
jwe_agree(weir_arena_t *arena, const weir_jwe_t *jwe, const weir_jwk_t *key, size_t want, unsigned char *cek)
{
    const weir_jose_alg_row_t *row = weir_jose_alg(jwe->alg);
    EVP_PKEY      *theirs = weir_jwk_read_epk(key, weir_json_get(jwe->header, WEIR_STR("epk")), arena);
    EVP_PKEY_CTX  *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    unsigned char  secret[80], wrapping[32];
    size_t         len = sizeof(secret);
    bool           is_good;

    is_good = theirs != NULL && ctx != NULL && EVP_PKEY_derive_init(ctx) == 1
              && EVP_PKEY_derive_set_peer_ex(ctx, theirs, 1) == 1 && EVP_PKEY_derive(ctx, secret, &len) == 1;
    if (is_good && row->bytes == 0) {
        is_good = jwe->key.len == 0 && jwe_concat_kdf(arena, jwe, weir_str((char *) secret, len), want, cek);
    } else if (is_good) {
        is_good = jwe_concat_kdf(arena, jwe, weir_str((char *) secret, len), row->bytes, wrapping)
                  && jwe_unwrap(wrapping, row->bytes, jwe->key, want, cek);
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    OPENSSL_cleanse(wrapping, sizeof(wrapping));
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(theirs);
    return is_good;
}

static bool
jwe_content_key(weir_arena_t *arena, const weir_jwe_t *jwe, const weir_jwk_t *key, size_t want, unsigned char *cek)
{
    switch (jwe->alg) {
    case WEIR_JOSE_DIR:
        memcpy(cek, key->secret, want);              /* as long as that: weir_jwk_fits */
        return jwe->key.len == 0;
    case WEIR_JOSE_A128KW: case WEIR_JOSE_A192KW: case WEIR_JOSE_A256KW:
        return jwe_unwrap(key->secret, key->secret_len, jwe->key, want, cek);
    case WEIR_JOSE_A128GCMKW: case WEIR_JOSE_A192GCMKW: case WEIR_JOSE_A256GCMKW:
        return jwe_unwrap_gcm(arena, jwe, key, want, cek);
    case WEIR_JOSE_RSA_OAEP: case WEIR_JOSE_RSA_OAEP_256: case WEIR_JOSE_RSA_OAEP_384: case WEIR_JOSE_RSA_OAEP_512:
        return jwe_decrypt_rsa(jwe, key, want, cek);
    default:
        return jwe_agree(arena, jwe, key, want, cek);
    }
}

/* -- the content -- */

/* RFC 7518 §5.2: the first half of the key is for the MAC, which is looked at before anything is decrypted. */
static bool
jwe_check_mac(const weir_jwe_t *jwe, const unsigned char *cek)
{
    const weir_jose_alg_row_t *row = weir_jose_alg(jwe->enc);
    size_t                     half = row->bytes / 2;
    uint64_t                   bits = (uint64_t) jwe->aad.len * 8;
    unsigned char              tag[EVP_MAX_MD_SIZE], length[8];
    size_t                     len = 0;
    EVP_MAC                   *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX               *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    OSSL_PARAM                 params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *) (uintptr_t) row->digest, 0), OSSL_PARAM_END,
    };
    bool is_good;

    for (int i = 0; i < 8; i++) {
        length[i] = (unsigned char) (bits >> (56 - 8 * i));
    }
    is_good = ctx != NULL && EVP_MAC_init(ctx, cek, half, params) == 1
              && EVP_MAC_update(ctx, jwe_bytes(jwe->aad), jwe->aad.len) == 1
              && EVP_MAC_update(ctx, jwe_bytes(jwe->iv), jwe->iv.len) == 1
              && EVP_MAC_update(ctx, jwe_bytes(jwe->text), jwe->text.len) == 1
              && EVP_MAC_update(ctx, length, sizeof(length)) == 1 && EVP_MAC_final(ctx, tag, &len, sizeof(tag)) == 1
              && len == 2 * half && CRYPTO_memcmp(tag, jwe->tag.at, half) == 0;
    OPENSSL_cleanse(tag, sizeof(tag));
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    return is_good;
}

static bool
jwe_open(const weir_jwe_t *jwe, const unsigned char *cek, unsigned char *out, size_t *len)
{
    size_t bytes = weir_jose_alg(jwe->enc)->bytes;

    if (jwe->enc <= WEIR_JOSE_A256GCM) {
        return jwe->iv.len == JWE_GCM_IV && jwe->tag.len == JWE_GCM_TAG
               && jwe_run(&(jwe_cipher_t) { .name = jwe_name(jwe_gcm, bytes), .key = cek, .iv = jwe->iv,
                                            .aad = jwe->aad, .text = jwe->text, .tag = jwe->tag }, out, len);
    }
    return jwe->iv.len == JWE_CBC_IV && jwe->tag.len == bytes / 2 && jwe_check_mac(jwe, cek)
           && jwe_run(&(jwe_cipher_t) { .name = jwe_name(jwe_cbc, bytes / 2), .key = cek + bytes / 2, .iv = jwe->iv,
                                        .text = jwe->text }, out, len);
}

static weir_jose_result_t
jwe_try(weir_jwks_t *keys, weir_jwk_t *key, void *data)
{
    jwe_try_t        *attempt = data;
    const weir_jwe_t *jwe = attempt->jwe;
    size_t            want = weir_jose_alg(jwe->enc)->bytes, len = 0;
    unsigned char     cek[JWE_CEK_MAX], other[JWE_CEK_MAX], *out;
    bool              has_key, is_open;

    (void) keys;
    out = weir_try_alloc(attempt->arena, jwe->text.len + 32);
    if (out == NULL || RAND_bytes(other, sizeof(other)) != 1) {
        return WEIR_JOSE_MEMORY;
    }
    memset(cek, 0, sizeof(cek));
    has_key = jwe_content_key(attempt->arena, jwe, key, want, cek);
    for (size_t i = 0; i < sizeof(cek); i++) {       /* without a branch */
        unsigned char mask = (unsigned char) (0u - (unsigned) has_key);

        cek[i] = (unsigned char) ((cek[i] & mask) | (other[i] & (unsigned char) ~mask));
    }
    is_open = jwe_open(jwe, cek, out, &len);
    OPENSSL_cleanse(cek, sizeof(cek));
    OPENSSL_cleanse(other, sizeof(other));
    if (!has_key || !is_open) {
        return WEIR_JOSE_DECRYPT;
    }
    attempt->plaintext = weir_str((char *) out, len);
    return WEIR_JOSE_GOOD;
}

weir_jose_result_t
weir_jwe_decrypt(weir_arena_t *arena, const weir_jwe_t *jwe, weir_jwks_t *keys, uint64_t algs, weir_str_t *plaintext,
                 const weir_jwk_t **used)
{
    jwe_try_t          attempt = { .arena = arena, .jwe = jwe };
    weir_jose_result_t result;

    *used = NULL;
    if ((algs & WEIR_JOSE_BIT(jwe->alg)) == 0 || (algs & WEIR_JOSE_BIT(jwe->enc)) == 0) {
        return WEIR_JOSE_ALGORITHM;
    }
    result = weir_jwks_find(keys, jwe->kid, jwe->alg, jwe->enc, jwe_try, &attempt, used);
    ERR_clear_error();
    if (result == WEIR_JOSE_GOOD) {
        *plaintext = attempt.plaintext;
    }
    return result;
}
