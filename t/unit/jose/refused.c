/*
 * refused.c - what a token or a key is refused for, each with a word of its own; which key is taken; base64url.
 */
#include "jose/base64url.h"
#include "jose/jwe.h"
#include "jose/jws.h"
#include "jose/jwt.h"

#include "../tap.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define SECRET  "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\""      /* 0, 1, … 31 */
#define ANOTHER "\"__ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\""

static weir_arena_t arena;

static weir_str_t
encoded(weir_str_t text)
{
    char *room = weir_alloc_bytes(&arena, weir_base64url_encoded(text.len) + 1);

    weir_base64url_encode(text, room);
    return weir_str(room, weir_base64url_encoded(text.len));
}

/* Signed with SECRET, whatever the header says. */
static weir_str_t
token(const char *header, const char *payload)
{
    unsigned char secret[32], mac[32];
    weir_str_t    head = encoded(weir_str_from_z(header)), body = encoded(weir_str_from_z(payload)),
                  text = weir_str_printf(&arena, "%.*s.%.*s", WEIR_STR_ARG(head), WEIR_STR_ARG(body)), tag;

    for (unsigned char i = 0; i < 32; i++) {
        secret[i] = i;
    }
    HMAC(EVP_sha256(), secret, 32, (const unsigned char *) text.at, text.len, mac, NULL);
    tag = encoded(weir_str((char *) mac, 32));
    return weir_str_printf(&arena, "%.*s.%.*s", WEIR_STR_ARG(text), WEIR_STR_ARG(tag));
}

static weir_jose_result_t
verify(weir_str_t text, const char *key)
{
    weir_error_t       error = { .text = "" };
    weir_jwks_t       *keys = weir_jwks_parse(weir_str_from_z(key), &error);
    const weir_jwk_t  *used;
    weir_jws_t         jws;
    weir_jose_result_t result = weir_jws_read(&arena, text, &jws);

    if (keys == NULL) {
        printf("# %s\n", error.text);
        exit(1);
    }
    if (result == WEIR_JOSE_GOOD) {
        result = weir_jws_verify(&jws, keys, WEIR_JOSE_ALL_ALGS, &used);
    }
    weir_jwks_destroy(keys);
    return result;
}

static void
headers(void)
{
    static const char key[] = "{\"kty\":\"oct\",\"k\":" SECRET "}";
    static const struct { const char *header; weir_jose_result_t result; } rows[] = {
        { "{\"alg\":\"HS256\"}", WEIR_JOSE_GOOD },
        { "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"jku\":\"http://a\",\"x\":[1]}", WEIR_JOSE_GOOD },
        { "{\"alg\":\"none\"}", WEIR_JOSE_UNSIGNED },
        { "{\"alg\":\"nOnE\"}", WEIR_JOSE_UNSIGNED },
        { "{\"alg\":\"hs256\"}", WEIR_JOSE_ALGORITHM },
        { "{\"alg\":\"HS1\"}", WEIR_JOSE_ALGORITHM },
        { "{\"alg\":\"A128KW\"}", WEIR_JOSE_ALGORITHM },
        { "{\"alg\":\"A128GCM\"}", WEIR_JOSE_ALGORITHM },
        { "{\"alg\":1}", WEIR_JOSE_MALFORMED },
        { "{\"alg\":[\"HS256\"]}", WEIR_JOSE_MALFORMED },
        { "{}", WEIR_JOSE_MALFORMED },
        { "[]", WEIR_JOSE_MALFORMED },
        { "{\"alg\":\"HS256\",}", WEIR_JOSE_MALFORMED },
        { "{\"alg\":\"HS256\",\"kid\":1}", WEIR_JOSE_MALFORMED },
        { "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", WEIR_JOSE_DUPLICATE },
        { "{\"alg\":\"HS256\",\"x\":{\"a\":1,\"a\":2}}", WEIR_JOSE_DUPLICATE },
        { "{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}", WEIR_JOSE_CRIT },
        { "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", WEIR_JOSE_CRIT },
        { "{\"alg\":\"HS256\",\"crit\":[]}", WEIR_JOSE_CRIT },
        { "{\"alg\":\"RS256\"}", WEIR_JOSE_KEY_MISMATCH },
        { "{\"alg\":\"HS512\"}", WEIR_JOSE_KEY_WEAK },
        { "{\"alg\":\"EdDSA\"}", WEIR_JOSE_KEY_MISMATCH },
    };
    weir_str_t long_token;
    char      *room = weir_alloc(&arena, WEIR_JOSE_TOKEN_MAX + 1);

    for (size_t i = 0; i < weir_countof(rows); i++) {
        is_int(verify(token(rows[i].header, "{}"), key), rows[i].result, rows[i].header);
    }
    memset(room, 'A', WEIR_JOSE_TOKEN_MAX + 1);
    long_token = weir_str(room, WEIR_JOSE_TOKEN_MAX + 1);
    is_int(verify(long_token, key), WEIR_JOSE_TOO_LARGE, "a token of more than 64 KiB");
}

static void
keys(void)
{
    static const char plain[] = "{\"alg\":\"HS256\"}", named[] = "{\"alg\":\"HS256\",\"kid\":\"a\"}";
    static const struct { const char *header, *keys; weir_jose_result_t result; } rows[] = {
        { plain, "{\"keys\":[]}", WEIR_JOSE_KEY_UNKNOWN },
        { plain, "{\"keys\":[{\"kty\":\"oct\",\"k\":" ANOTHER "},{\"kty\":\"oct\",\"k\":" SECRET "}]}", WEIR_JOSE_GOOD },
        { plain, "{\"keys\":[{\"kty\":\"oct\",\"k\":" ANOTHER "}]}", WEIR_JOSE_SIGNATURE },
        { named, "{\"keys\":[{\"kty\":\"oct\",\"k\":" SECRET "}]}", WEIR_JOSE_GOOD },
        { named, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"b\",\"k\":" SECRET "}]}", WEIR_JOSE_KEY_UNKNOWN },
        { named, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"A\",\"k\":" SECRET "}]}", WEIR_JOSE_KEY_UNKNOWN },
        { named, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"b\",\"k\":" SECRET "},{\"kty\":\"oct\",\"kid\":\"a\",\"k\":" ANOTHER
          "}]}", WEIR_JOSE_SIGNATURE },
        { named, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":" SECRET "},{\"kty\":\"oct\",\"kid\":\"a\",\"k\":" ANOTHER
          "}]}", WEIR_JOSE_KEY_BROKEN },
        { named, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"use\":\"enc\",\"k\":" SECRET "}]}", WEIR_JOSE_KEY_MISMATCH },
        { named, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"alg\":\"HS384\",\"k\":" SECRET "}]}", WEIR_JOSE_KEY_WEAK },
        { named, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"alg\":\"A256KW\",\"k\":" SECRET "}]}", WEIR_JOSE_KEY_MISMATCH },
        { named, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"key_ops\":[\"sign\"],\"k\":" SECRET "}]}",
          WEIR_JOSE_KEY_MISMATCH },
        { named, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"key_ops\":[\"verify\"],\"k\":" SECRET "}]}", WEIR_JOSE_GOOD },
        { named, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AAECAw\"}]}", WEIR_JOSE_KEY_WEAK },
        { named, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AAEC=\"}]}", WEIR_JOSE_KEY_BROKEN },
        { named, "{\"keys\":[{\"kty\":\"XYZ\",\"kid\":\"a\"}]}", WEIR_JOSE_KEY_MISMATCH },
        { named, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\"}]}", WEIR_JOSE_KEY_BROKEN },
        { named, "{\"keys\":[1,\"a\",null]}", WEIR_JOSE_KEY_BROKEN },
    };
    static const char *const no_sets[] = {
        "", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[{\"kty\":\"oct\",\"kty\":\"oct\"}]}", "{\"keys\":[]} ,", "1",
    };
    weir_error_t error;

    for (size_t i = 0; i < weir_countof(rows); i++) {
        is_int(verify(token(rows[i].header, "{}"), rows[i].keys), rows[i].result, rows[i].keys);
    }
    for (size_t i = 0; i < weir_countof(no_sets); i++) {
        error.text[0] = '\0';
        ok(weir_jwks_parse(weir_str_from_z(no_sets[i]), &error) == NULL && error.text[0] != '\0', no_sets[i]);
    }
}

static void
claims(void)
{
    static const char *const bad[] = { "", "1", "[]", "{\"exp\":\"1\"}", "{\"nbf\":null}", "{\"exp\":1e300}" };
    weir_str_t  names[] = { WEIR_STR("a"), WEIR_STR("b") };
    weir_strs_t some = { names, 2 };
    weir_jwt_t  jwt;

    for (size_t i = 0; i < weir_countof(bad); i++) {
        is_int(weir_jwt_read(&arena, weir_str_from_z(bad[i]), &jwt), WEIR_JOSE_MALFORMED, bad[i]);
    }
    is_int(weir_jwt_read(&arena, WEIR_STR("{\"a\":1,\"a\":1}"), &jwt), WEIR_JOSE_DUPLICATE, "a claim that comes twice");
    is_int(weir_jwt_read(&arena, WEIR_STR("{\"iss\":\"b\",\"aud\":[\"x\",1,\"a\"],\"exp\":1.9}"), &jwt), WEIR_JOSE_GOOD, "good");
    ok(jwt.expires == 1 && weir_jwt_is_of(&jwt, some) && weir_jwt_is_for(&jwt, some), "one of them");
    is_int(weir_jwt_read(&arena, WEIR_STR("{\"iss\":[\"a\"],\"aud\":\"A\"}"), &jwt), WEIR_JOSE_GOOD, "good");
    ok(!weir_jwt_is_of(&jwt, some) && !weir_jwt_is_for(&jwt, some), "none of them");
    is_int(weir_jwt_read(&arena, WEIR_STR("{}"), &jwt), WEIR_JOSE_GOOD, "nothing is said");
    ok(!weir_jwt_is_of(&jwt, some) && !weir_jwt_is_for(&jwt, some), "which is none of them");
}

static void
base64(void)
{
    char       room[64], text[64];
    weir_str_t bytes;

    for (size_t n = 0; n <= 32; n++) {
        char some[32];

        for (size_t i = 0; i < n; i++) {
            some[i] = (char) (i * 37 + n * 91);
        }
        weir_base64url_encode(weir_str(some, n), text);
        bytes = weir_str(text, weir_base64url_encoded(n));
        if (weir_base64url_decoded(bytes.len) != n || !weir_base64url_decode(bytes, room) || memcmp(room, some, n) != 0) {
            ok(false, "there and back");
        }
    }
    ok(weir_base64url_decode(WEIR_STR("-_-_"), room) && weir_base64url_decode(WEIR_STR(""), room), "the alphabet");
    ok(!weir_base64url_decode(WEIR_STR("A"), room) && !weir_base64url_decode(WEIR_STR("AAAAA"), room), "one letter too many");
    ok(!weir_base64url_decode(WEIR_STR("AB"), room) && !weir_base64url_decode(WEIR_STR("AAB"), room),
       "bits that say nothing");
    for (int c = 0; c < 256; c++) {
        char four[] = { 'A', (char) c, 'A', 'A' };
        bool is_one = c != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", c) != NULL;

        if (weir_base64url_decode(weir_str(four, 4), room) != is_one) {
            ok(false, "a letter");
        }
    }
}

int
main(void)
{
    weir_jwe_t jwe;

    weir_arena_init(&arena, 4096);
    headers();
    keys();
    claims();
    base64();
    is_int(weir_jwe_read(&arena, WEIR_STR("eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIiwiemlwIjoiREVGIn0..AA.AA.AA"), &jwe),
           WEIR_JOSE_ZIP, "zip");
    weir_arena_fini(&arena);
    return done();
}
