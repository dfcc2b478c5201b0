/*
 * seal.c - see seal.h.  One allocation for the keys; OpenSSL's objects are made once and used again.
 */
#include "jose/seal.h"

#include "base/mem.h"
#include "jose/base64url.h"
#include "os/sys.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

#define SEAL_VERSION 1
#define SEAL_KEY     32
#define SEAL_ID      4
#define SEAL_SALT    16
#define SEAL_NONCE   12
#define SEAL_TAG     16
#define SEAL_HEAD    (1 + SEAL_ID + SEAL_SALT + SEAL_NONCE)

typedef struct { uint8_t id[SEAL_ID], key[SEAL_KEY]; } seal_key_t;

struct weir_seal {
    EVP_CIPHER     *cipher;
    EVP_CIPHER_CTX *ctx;
    size_t          n;
    seal_key_t      keys[WEIR_SEAL_KEYS_MAX];
};

_Static_assert(WEIR_SEAL_EXTRA == SEAL_HEAD + SEAL_TAG, "what sealing adds");

/* -- secrets -- */

bool
weir_seal_read_secrets(weir_arena_t *arena, weir_str_t text, weir_strs_t *secrets, weir_error_t *error)
{
    weir_str_t line;
    size_t     number = 0;

    *secrets = (weir_strs_t) { .at = weir_new_n(arena, weir_str_t, WEIR_SEAL_KEYS_MAX) };
    while (text.len != 0) {
        (void) weir_str_cut(text, '\n', &line, &text);
        number++;
        if (line.len != 0 && line.at[line.len - 1] == '\r') {
            line.len--;
        }
        line = weir_str_trim(line);
        if (line.len == 0 || line.at[0] == '#') {
            continue;
        }
        if (line.len < WEIR_SEAL_SECRET_MIN || line.len > WEIR_SEAL_SECRET_MAX) {
            return weir_error_set(error, "line %zu has %zu characters: a secret has %d to %d", number, line.len,
                                  WEIR_SEAL_SECRET_MIN, WEIR_SEAL_SECRET_MAX);
        }
        if (secrets->n == WEIR_SEAL_KEYS_MAX) {
            return weir_error_set(error, "line %zu is one secret too many: there may be %d", number,
                                  WEIR_SEAL_KEYS_MAX);
        }
        secrets->at[secrets->n++] = line;
    }
    return secrets->n != 0 || weir_error_set(error, "it has no secret");
}

/* -- keys -- */

/* HKDF (RFC 5869): the id and the key of a secret for a purpose. */
static bool
seal_derive(EVP_PKEY_CTX *ctx, weir_str_t secret, weir_str_t purpose, seal_key_t *key)
{
    static const unsigned char salt[] = "weir sealed text 1";
    uint8_t                    out[SEAL_ID + SEAL_KEY];
    size_t                     len = sizeof(out);
    bool                       is_good;

    is_good = EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) == 1
              && EVP_PKEY_CTX_set1_hkdf_salt(ctx, salt, (int) sizeof(salt) - 1) == 1
              && EVP_PKEY_CTX_set1_hkdf_key(ctx, (const unsigned char *) secret.at, (int) secret.len) == 1
              && EVP_PKEY_CTX_add1_hkdf_info(ctx, (const unsigned char *) purpose.at, (int) purpose.len) == 1
              && EVP_PKEY_derive(ctx, out, &len) == 1 && len == sizeof(out);
    if (is_good) {
        memcpy(key->id, out, SEAL_ID);
        memcpy(key->key, out + SEAL_ID, SEAL_KEY);
    }
    weir_mem_wipe(out, sizeof(out));
    return is_good;
}

weir_seal_t *
weir_seal_create(weir_strs_t secrets, weir_str_t purpose)
{
    weir_seal_t  *seal = weir_mem_try(sizeof(*seal));
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "HKDF", NULL);
    bool          is_good = seal != NULL && ctx != NULL;

    weir_assert(secrets.n != 0 && secrets.n <= WEIR_SEAL_KEYS_MAX);
    if (seal != NULL) {
        *seal = (weir_seal_t) { .cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL), .ctx = EVP_CIPHER_CTX_new() };
        is_good = is_good && seal->cipher != NULL && seal->ctx != NULL;
    }
    for (size_t i = 0; i < secrets.n && is_good; i++) {
        is_good = seal_derive(ctx, secrets.at[i], purpose, &seal->keys[seal->n++]);
    }
    EVP_PKEY_CTX_free(ctx);
    if (!is_good) {
        ERR_clear_error();
        weir_seal_destroy(seal);
        return NULL;
    }
    return seal;
}

void
weir_seal_destroy(weir_seal_t *seal)
{
    if (seal != NULL) {
        EVP_CIPHER_CTX_free(seal->ctx);
        EVP_CIPHER_free(seal->cipher);
        weir_mem_wipe(seal, sizeof(*seal));
        weir_mem_free(seal);
    }
}

/* The key of one text. */
static bool
seal_key_of(const seal_key_t *key, const uint8_t *salt, uint8_t out[SEAL_KEY])
{
    unsigned len = SEAL_KEY;

    return HMAC(EVP_sha256(), key->key, SEAL_KEY, salt, SEAL_SALT, out, &len) != NULL && len == SEAL_KEY;
}

/* -- sealing -- */

size_t weir_seal_room(size_t len) { return weir_base64url_encoded(len + WEIR_SEAL_EXTRA); }

/* text: len bytes, encrypted in place; the tag behind it. */
static bool
seal_encrypt(const weir_seal_t *seal, const uint8_t *key, const uint8_t *nonce, weir_str_t bound, uint8_t *text,
             size_t len)
{
    int n;

    return EVP_EncryptInit_ex2(seal->ctx, seal->cipher, key, nonce, NULL) == 1
           && (bound.len == 0
               || EVP_EncryptUpdate(seal->ctx, NULL, &n, (const uint8_t *) bound.at, (int) bound.len) == 1)
           && (len == 0 || EVP_EncryptUpdate(seal->ctx, text, &n, text, (int) len) == 1)
           && EVP_EncryptFinal_ex(seal->ctx, text + len, &n) == 1
           && EVP_CIPHER_CTX_ctrl(seal->ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG, text + len) == 1;
}

bool
weir_seal_close(const weir_seal_t *seal, weir_str_t plain, weir_str_t bound, char *room)
{
    size_t   size = plain.len + WEIR_SEAL_EXTRA;
    uint8_t *bytes = weir_mem_try(size), key[SEAL_KEY];
    bool     is_good;

    if (bytes == NULL) {
        return false;
    }
    bytes[0] = SEAL_VERSION;
    memcpy(bytes + 1, seal->keys[0].id, SEAL_ID);
    memcpy(bytes + SEAL_HEAD, plain.at != NULL ? plain.at : "", plain.len);
    is_good = weir_sys_random(bytes + 1 + SEAL_ID, SEAL_SALT + SEAL_NONCE) == 0
              && seal_key_of(&seal->keys[0], bytes + 1 + SEAL_ID, key)
              && seal_encrypt(seal, key, bytes + 1 + SEAL_ID + SEAL_SALT, bound, bytes + SEAL_HEAD, plain.len);
    if (is_good) {
        weir_base64url_encode(weir_str((char *) bytes, size), room);
    }
    weir_mem_wipe(key, sizeof(key));
    weir_mem_wipe(bytes, size);
    weir_mem_free(bytes);
    ERR_clear_error();
    return is_good;
}

/* -- opening -- */

static bool
seal_decrypt(const weir_seal_t *seal, const uint8_t *key, const uint8_t *nonce, weir_str_t bound, uint8_t *text,
             size_t len)
{
    int n;

    return EVP_DecryptInit_ex2(seal->ctx, seal->cipher, key, nonce, NULL) == 1
           && (bound.len == 0
               || EVP_DecryptUpdate(seal->ctx, NULL, &n, (const uint8_t *) bound.at, (int) bound.len) == 1)
           && EVP_CIPHER_CTX_ctrl(seal->ctx, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG, text + len) == 1
           && (len == 0 || EVP_DecryptUpdate(seal->ctx, text, &n, text, (int) len) == 1)
           && EVP_DecryptFinal_ex(seal->ctx, text + len, &n) == 1;
}

weir_seal_result_t
weir_seal_open(const weir_seal_t *seal, weir_str_t sealed, weir_str_t bound, char *room, weir_str_t *plain)
{
    size_t   size = weir_base64url_decoded(sealed.len);
    uint8_t *bytes = (uint8_t *) room, key[SEAL_KEY];
    bool     has_key = false;

    if (size < WEIR_SEAL_EXTRA || size > INT32_MAX || !weir_base64url_decode(sealed, room)
        || bytes[0] != SEAL_VERSION)
    {
        return WEIR_SEAL_FOREIGN;
    }
    for (size_t i = 0; i < seal->n; i++) {               /* (ids of four bytes: two keys may have the same) */
        size_t len = size - WEIR_SEAL_EXTRA;

        if (memcmp(bytes + 1, seal->keys[i].id, SEAL_ID) != 0) {
            continue;
        }
        if (has_key) {
            break;                                       /* the text was decrypted in place: there is no second try */
        }
        has_key = true;
        if (!seal_key_of(&seal->keys[i], bytes + 1 + SEAL_ID, key)) {
            return WEIR_SEAL_MEMORY;
        }
        if (seal_decrypt(seal, key, bytes + 1 + SEAL_ID + SEAL_SALT, bound, bytes + SEAL_HEAD, len)) {
            weir_mem_wipe(key, sizeof(key));
            *plain = weir_str(room + SEAL_HEAD, len);
            return i == 0 ? WEIR_SEAL_OPENED : WEIR_SEAL_OPENED_OLD;
        }
        weir_mem_wipe(key, sizeof(key));
        weir_mem_wipe(bytes, size);
        ERR_clear_error();
    }
    return has_key ? WEIR_SEAL_BROKEN : WEIR_SEAL_FOREIGN;
}
