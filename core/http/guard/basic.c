/*
 * basic.c - Basic authentication: passwords against hashes.
 *
 * Runs in workers.  Copies of a password are wiped before they are left.
 */
#include "http/guard/basic.h"

#include "http/message/credentials.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define BASIC_MAX_PASSWORD WEIR_BASIC_PASSWORD_MAX

/* -- digests -- */

static bool
basic_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
    return a_len == b_len && CRYPTO_memcmp(a, b, a_len) == 0;
}

/* base64 of SHA-1 over the password and a salt, which stands behind the digest. */
static bool
basic_sha1_is(weir_str_t password, weir_str_t coded, bool salted, weir_arena_t *arena)
{
    unsigned char *want = (unsigned char *) weir_alloc_bytes(arena, coded.len + 1), got[20];
    EVP_MD_CTX    *context;
    size_t         len;
    bool           made;

    if (!weir_credentials_decode(coded, want, &len) || len < sizeof(got) || (!salted && len != sizeof(got))) {
        return false;
    }
    context = EVP_MD_CTX_new();
    made = context != NULL && EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1
        && EVP_DigestUpdate(context, password.at, password.len) == 1
        && EVP_DigestUpdate(context, want + sizeof(got), len - sizeof(got)) == 1
        && EVP_DigestFinal_ex(context, got, NULL) == 1;
    EVP_MD_CTX_free(context);
    return made && CRYPTO_memcmp(got, want, sizeof(got)) == 0;
}

/* -- Apache's $apr1$: a thousand rounds of MD5 -- */

typedef struct { const void *at; size_t len; } basic_part_t;

static bool
basic_md5(EVP_MD_CTX *context, const basic_part_t *parts, size_t n, unsigned char out[16])
{
    bool made = EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1;

    for (size_t i = 0; i < n; i++) {
        made = made && (parts[i].len == 0 || EVP_DigestUpdate(context, parts[i].at, parts[i].len) == 1);
    }
    return made && EVP_DigestFinal_ex(context, out, NULL) == 1;
}

/* The first digest: of the password, "$apr1$", the salt, as much of one of password, salt and password as the password
 * is long, and a byte for each bit of that length: NUL for a one, else the password's first. */
static bool
basic_apr1_begin(EVP_MD_CTX *context, weir_str_t password, weir_str_t salt, unsigned char out[16])
{
    const basic_part_t inner[] = { { password.at, password.len },
                                   { salt.at, salt.len },
                                   { password.at, password.len } };
    basic_part_t       parts[3 + BASIC_MAX_PASSWORD / 16 + 1 + 16];
    unsigned char      digest[16];
    size_t             n = 0;

    weir_assert(password.len <= BASIC_MAX_PASSWORD && salt.len <= 8);
    if (!basic_md5(context, inner, weir_countof(inner), digest)) {
        return false;
    }
    parts[n++] = (basic_part_t) { password.at, password.len };
    parts[n++] = (basic_part_t) { "$apr1$", 6 };
    parts[n++] = (basic_part_t) { salt.at, salt.len };
    for (size_t left = password.len; left > 0; left -= weir_min(left, 16)) {
        parts[n++] = (basic_part_t) { digest, weir_min(left, 16) };
    }
    for (size_t bits = password.len; bits > 0; bits >>= 1) {
        parts[n++] = (basic_part_t) { bits & 1 ? "" : password.at, 1 };
    }
    weir_assert(n <= weir_countof(parts));
    return basic_md5(context, parts, n, out);
}

static bool
basic_apr1_rounds(EVP_MD_CTX *context, weir_str_t password, weir_str_t salt, unsigned char digest[16])
{
    bool made = true;

    for (unsigned i = 0; i < 1000 && made; i++) {
        const basic_part_t pw = { password.at, password.len }, last = { digest, 16 };
        basic_part_t       parts[4];
        size_t             n = 0;

        parts[n++] = i & 1 ? pw : last;
        if (i % 3 != 0) {
            parts[n++] = (basic_part_t) { salt.at, salt.len };
        }
        if (i % 7 != 0) {
            parts[n++] = pw;
        }
        parts[n++] = i & 1 ? last : pw;
        made = basic_md5(context, parts, n, digest);
    }
    return made;
}

/* The digest's bytes in crypt's order, six bits a letter, the lowest first: 22 of them. */
static void
basic_apr1_text(const unsigned char digest[16], char out[22])
{
    static const char    digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static const uint8_t order[6][3] = { { 0, 6, 12 }, { 1, 7, 13 }, { 2, 8, 14 },
                                         { 3, 9, 15 }, { 4, 10, 5 }, { 16, 16, 11 } };
    size_t               at = 0;

    for (size_t i = 0; i < weir_countof(order); i++) {
        uint32_t bits = 0;

        for (size_t k = 0; k < 3; k++) {
            bits = bits << 8 | (order[i][k] < 16 ? digest[order[i][k]] : 0u);
        }
        for (size_t k = 0; k < (i < 5 ? 4 : 2); k++, bits >>= 6) {
            out[at++] = digits[bits & 63];
        }
    }
}

static bool
basic_apr1_is(weir_str_t password, weir_str_t hash)
{
    EVP_MD_CTX   *context = EVP_MD_CTX_new();
    unsigned char digest[16];
    char          text[22];
    weir_str_t    salt, rest;
    bool          made;

    (void) weir_str_cut(hash, '$', &salt, &rest);
    salt.len = weir_min(salt.len, 8);
    made = context != NULL && basic_apr1_begin(context, password, salt, digest)
        && basic_apr1_rounds(context, password, salt, digest);
    EVP_MD_CTX_free(context);
    if (!made) {
        return false;
    }
    basic_apr1_text(digest, text);
    return basic_equal(text, sizeof(text), rest.at, rest.len);
}

/* -- whatever the system knows -- */

struct weir_basic_room {
    struct crypt_data data;
    char              password[BASIC_MAX_PASSWORD + 1], hash[WEIR_BASIC_HASH_MAX + 1];
};

size_t
weir_basic_room_size(void)
{
    return sizeof(struct weir_basic_room);
}

bool
weir_basic_crypt_is(weir_str_t password, weir_str_t hash, weir_basic_room_t *room)
{
    const char *made = NULL;
    bool        same;

    if (password.len > BASIC_MAX_PASSWORD || hash.len == 0 || hash.len > WEIR_BASIC_HASH_MAX) {
        return false;
    }
    memset(room, 0, sizeof(*room));
    memcpy(room->password, password.len != 0 ? password.at : "", password.len);
    memcpy(room->hash, hash.at, hash.len);
    if (strlen(room->password) == password.len) {
        made = crypt_r(room->password, room->hash, &room->data);
    }
    same = made != NULL && made[0] != '*' && basic_equal(made, strlen(made), hash.at, hash.len);
    OPENSSL_cleanse(room, sizeof(*room));
    return same;
}

/* All that crypt(3) knows but DES and MD5, which are quick; and $apr1$ is ours. */
bool
weir_basic_is_costly(weir_str_t hash)
{
    return hash.len != 0 && (hash.at[0] == '$' || hash.at[0] == '_') && !weir_str_starts(hash, WEIR_STR("$apr1$"))
           && !weir_str_starts(hash, WEIR_STR("$1$"));
}

bool
weir_basic_password_is(weir_str_t password, weir_str_t hash, weir_arena_t *arena)
{
    if (password.len > BASIC_MAX_PASSWORD) {
        return false;
    }
    if (weir_str_starts(hash, WEIR_STR("{PLAIN}"))) {
        hash = weir_str_skip(hash, 7);
        return basic_equal(password.at, password.len, hash.at, hash.len);
    }
    if (weir_str_starts(hash, WEIR_STR("{SHA}"))) {
        return basic_sha1_is(password, weir_str_skip(hash, 5), false, arena);
    }
    if (weir_str_starts(hash, WEIR_STR("{SSHA}"))) {
        return basic_sha1_is(password, weir_str_skip(hash, 6), true, arena);
    }
    if (weir_str_starts(hash, WEIR_STR("$apr1$"))) {
        return basic_apr1_is(password, weir_str_skip(hash, 6));
    }
    return weir_basic_crypt_is(password, hash, weir_alloc(arena, sizeof(weir_basic_room_t)));
}
