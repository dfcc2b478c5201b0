/*
 * jwk.c - a set of keys from an issuer: what is read can be asked, used for a token of each kind, and given back.
 */
#include "jose/jwe.h"
#include "jose/jws.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const jwk_tokens[] = {
    "eyJhbGciOiJIUzI1NiJ9.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.AAAA",
    "eyJhbGciOiJQUzUxMiJ9.e30.AAAA",
    "eyJhbGciOiJFUzI1NiJ9.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "eyJhbGciOiJFZERTQSJ9.e30.AAAA",
    "eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4R0NNIn0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
    "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkExMjhHQ00ifQ.AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
};

static void
jwk_use(weir_jwks_t *keys)
{
    weir_arena_t      arena;
    const weir_jwk_t *used;
    weir_str_t        plain;
    weir_jws_t        jws;
    weir_jwe_t        jwe;

    weir_arena_init(&arena, 4096);
    for (size_t i = 0; i < weir_countof(jwk_tokens); i++) {
        weir_str_t token = weir_str_from_z(jwk_tokens[i]);

        if (weir_jws_read(&arena, token, &jws) == WEIR_JOSE_GOOD
            && weir_jws_verify(&jws, keys, WEIR_JOSE_ALL_ALGS, &used) == WEIR_JOSE_GOOD)
        {
            abort();                             /* nobody has signed these */
        }
        if (weir_jwe_read(&arena, token, &jwe) == WEIR_JOSE_GOOD
            && weir_jwe_decrypt(&arena, &jwe, keys, WEIR_JOSE_ALL_ALGS, &plain, &used) == WEIR_JOSE_GOOD)
        {
            abort();
        }
    }
    weir_arena_fini(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_error_t error = { .text = "" };
    weir_jwks_t *keys = weir_jwks_parse(weir_str((const char *) data, size), &error);

    if (keys == NULL) {
        if (error.text[0] == '\0') {
            abort();
        }
        return 0;
    }
    for (size_t i = 0; i < weir_jwks_count(keys); i++) {
        const weir_jwk_t  *key = weir_jwks_at(keys, i);
        const char        *why;
        weir_jose_result_t fault = weir_jwk_fault(key, &why);

        if ((fault != WEIR_JOSE_GOOD) != (why != NULL)) {
            abort();
        }
        (void) weir_jwk_kid(key);
        (void) !weir_jwks_has_print(keys, weir_jwk_print(key));
    }
    jwk_use(keys);
    weir_jwks_destroy(keys);
    return 0;
}
