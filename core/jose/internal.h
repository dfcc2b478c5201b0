/*
 * internal.h - what the files of core/jose share, OpenSSL's types among it; inside core/jose only.
 */
#ifndef WEIR_JOSE_INTERNAL_H
#define WEIR_JOSE_INTERNAL_H

#include "jose/jwk.h"

#include <openssl/evp.h>

struct weir_jwk {
    weir_str_t         kid;              /* at NULL: it has none */
    weir_jose_kty_t    kty;
    const char        *curve;            /* of EC and OKP, as in the table; NULL */
    bool               has_alg;
    weir_jose_alg_t    alg;              /* that it is for, when it says so */
    bool               verifies, decrypts;
    weir_jose_result_t fault;
    const char        *why;
    EVP_PKEY          *pkey;             /* all but oct */
    unsigned char     *secret;           /* of oct; OPENSSL_malloc */
    size_t             secret_len;
    uint8_t            print[WEIR_JWK_PRINT];
    /* For the algorithm that it was used with last: a signature costs no set-up again. */
    struct {
        bool            is_ready;
        weir_jose_alg_t alg;
        EVP_MD         *md;
        EVP_PKEY_CTX   *verify;
        EVP_MAC_CTX    *mac;
    } prepared;
};

struct weir_jwks {
    weir_arena_t arena;
    weir_jwk_t  *at;
    size_t       n;
    EVP_MD_CTX  *digest;                 /* for verifying */
    bool         has_kids;
};

/* jwk_material.c: pkey or secret of a key whose kind is known.  Sets fault and why when it is none. */
void weir_jwk_read_material(weir_jwk_t *key, const weir_json_t *json, weir_arena_t *scratch);
void weir_jwk_wipe(weir_jwk_t *key);
/* Of an ephemeral key (RFC 7518 §4.6.1.1) on the curve of `key`; NULL: it is none. */
EVP_PKEY *weir_jwk_read_epk(const weir_jwk_t *key, const weir_json_t *json, weir_arena_t *scratch);

/* Tries the keys that a token may mean, until one is GOOD.  The result is that of the key that came nearest. */
typedef weir_jose_result_t weir_jwks_try_t(weir_jwks_t *keys, weir_jwk_t *key, void *data);
weir_jose_result_t weir_jwks_find(weir_jwks_t *keys, weir_str_t kid, weir_jose_alg_t alg, weir_jose_alg_t enc,
                                  weir_jwks_try_t *attempt, void *data, const weir_jwk_t **used);

#endif
