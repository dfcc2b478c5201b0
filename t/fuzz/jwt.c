/*
 * jwt.c - a token from a client: the first byte says what set of keys, the rest is the token.  One that is verified or
 * decrypted is, part for part, the only text that says so.
 */
#include "jose/base64url.h"
#include "jose/jwe.h"
#include "jose/jws.h"
#include "jose/jwt.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const jwt_texts[] = {
    "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}",
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSf"
    "b4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690"
    "r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo"
    "5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}]}",
    "{\"keys\":[{\"kty\":\"oct\",\"k\":\"GawgguFyGrWKav7AX4VKUg\"},{\"kty\":\"EC\",\"crv\":\"P-256\","
    "\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\",\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\","
    "\"d\":\"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw\"}]}",
};

/* Is the text of a part the one that its bytes have? */
static void
jwt_check_part(weir_arena_t *arena, weir_str_t part, weir_str_t bytes)
{
    size_t len = weir_base64url_encoded(bytes.len);
    char  *room = weir_alloc_bytes(arena, len + 1);

    weir_base64url_encode(bytes, room);
    if (!weir_str_eq(part, weir_str(room, len))) {
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static weir_jwks_t *sets[weir_countof(jwt_texts)];
    weir_arena_t        arena;
    const weir_jwk_t   *used;
    weir_str_t          token, parts[3], plain;
    weir_jwks_t        *keys;
    weir_jws_t          jws;
    weir_jwe_t          jwe;
    weir_jwt_t          jwt;

    for (size_t i = 0; i < weir_countof(sets) && sets[i] == NULL; i++) {
        weir_error_t error = { .text = "" };

        sets[i] = weir_jwks_parse(weir_str_from_z(jwt_texts[i]), &error);
        if (sets[i] == NULL) {
            abort();
        }
    }
    if (size == 0) {
        return 0;
    }
    keys = sets[data[0] % weir_countof(sets)];
    token = weir_str((const char *) data + 1, size - 1);
    weir_arena_init(&arena, 4096);
    if (weir_jws_read(&arena, token, &jws) == WEIR_JOSE_GOOD) {
        if (!weir_jose_split(token, parts, 3)) {
            abort();
        }
        jwt_check_part(&arena, parts[0], jws.header_text);
        jwt_check_part(&arena, parts[1], jws.payload);
        jwt_check_part(&arena, parts[2], jws.signature);
        (void) !weir_jws_verify(&jws, keys, WEIR_JOSE_ALL_ALGS, &used);
        (void) !weir_jwt_read(&arena, jws.payload, &jwt);
    }
    if (weir_jwe_read(&arena, token, &jwe) == WEIR_JOSE_GOOD
        && weir_jwe_decrypt(&arena, &jwe, keys, WEIR_JOSE_ALL_ALGS, &plain, &used) == WEIR_JOSE_GOOD)
    {
        (void) !weir_jwt_read(&arena, plain, &jwt);
    }
    weir_arena_fini(&arena);
    return 0;
}
