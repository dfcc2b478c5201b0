/*
 * private.c - private RSA keys: numbers that do not belong together make none, and reading a good one does not take the
 * time that proving its factors prime would: a set may have many.
 */
#include "jose/base64url.h"
#include "jose/jwk.h"

#include "tap.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <time.h>

#define NUMBERS   8
#define BYTES_MAX 256

typedef struct { unsigned char at[BYTES_MAX]; int len; } number_t;

static const char *const names[NUMBERS] = { "n", "e", "d", "p", "q", "dp", "dq", "qi" };
static weir_arena_t      arena;

static void
take_numbers(const EVP_PKEY *pkey, number_t numbers[NUMBERS])
{
    static const char *const params[NUMBERS] = {
        OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
        OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };

    for (size_t i = 0; i < NUMBERS; i++) {
        BIGNUM *number = NULL;

        weir_assert(EVP_PKEY_get_bn_param(pkey, params[i], &number) == 1);
        numbers[i].len = BN_bn2bin(number, numbers[i].at);
        BN_clear_free(number);
    }
}

/* Of the first n numbers. */
static weir_str_t
key_text(const number_t *numbers, size_t n)
{
    weir_str_t text = WEIR_STR("{\"kty\":\"RSA\"");

    for (size_t i = 0; i < n; i++) {
        size_t len = ((size_t) numbers[i].len * 8 + 5) / 6;
        char  *room = weir_alloc_bytes(&arena, len + 4);

        weir_base64url_encode(weir_str((const char *) numbers[i].at, (size_t) numbers[i].len), room);
        text = weir_str_printf(&arena, "%.*s,\"%s\":\"%.*s\"", WEIR_STR_ARG(text), names[i], (int) len, room);
    }
    return weir_str_printf(&arena, "%.*s}", WEIR_STR_ARG(text));
}

static weir_jose_result_t
fault_of(weir_str_t text)
{
    weir_error_t       error = { .text = "" };
    weir_jwks_t       *keys = weir_jwks_parse(text, &error);
    const char        *why;
    weir_jose_result_t fault;

    weir_assert(keys != NULL);
    fault = weir_jwk_fault(weir_jwks_at(keys, 0), &why);
    weir_jwks_destroy(keys);
    return fault;
}

static double
seconds(void)
{
    struct timespec now;

    weir_assert(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

int
main(void)
{
    EVP_PKEY     *pkey = EVP_RSA_gen(2048);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    number_t      numbers[NUMBERS];
    double        proving, reading;

    weir_arena_init(&arena, 16384);
    take_numbers(pkey, numbers);
    is_int(fault_of(key_text(numbers, NUMBERS)), WEIR_JOSE_GOOD, "a private key");
    is_int(fault_of(key_text(numbers, 3)), WEIR_JOSE_GOOD, "… without its factors");
    is_int(fault_of(key_text(numbers, 2)), WEIR_JOSE_GOOD, "its public half");
    is_int(fault_of(key_text(numbers, 5)), WEIR_JOSE_KEY_BROKEN, "its factors without the rest");
    for (size_t i = 2; i < NUMBERS; i++) {
        number_t other[NUMBERS];

        memcpy(other, numbers, sizeof(other));
        other[i].at[other[i].len / 2] ^= 4;
        is_int(fault_of(key_text(other, NUMBERS)), WEIR_JOSE_KEY_BROKEN, names[i]);
        other[i].len = 1;
        other[i].at[0] = 1;
        is_int(fault_of(key_text(other, NUMBERS)), WEIR_JOSE_KEY_BROKEN, "… of 1");
    }
    proving = seconds();
    for (int i = 0; i < 10; i++) {
        weir_assert(EVP_PKEY_pairwise_check(ctx) == 1);
    }
    proving = seconds() - proving;
    reading = seconds();
    for (int i = 0; i < 10; i++) {
        (void) fault_of(key_text(numbers, NUMBERS));
    }
    reading = seconds() - reading;
    if (!ok(reading < proving / 2, "a key is read without a proof that its factors are prime")) {
        printf("# %f s against %f s\n", reading, proving);
    }
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    weir_arena_fini(&arena);
    return done();
}
