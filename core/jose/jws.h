/*
 * jws.h - signed texts in the compact serialisation (RFC 7515): reading, and verifying with a set of keys.
 *
 * Reading decides nothing but whether the text is one.  Nothing of it is to be believed before it is verified, and no
 * key comes from it ("jwk", "jku", "x5u", "x5c" are not looked at).
 */
#ifndef WEIR_JOSE_JWS_H
#define WEIR_JOSE_JWS_H

#include "jose/jwk.h"

typedef struct {
    weir_jose_alg_t    alg;
    weir_str_t         kid;              /* at NULL: none is named */
    weir_str_t         header_text, payload;     /* decoded, in the arena */
    const weir_json_t *header;
    weir_str_t         signed_part;      /* of the token */
    weir_str_t         signature;        /* decoded */
} weir_jws_t;

/* TYPE: it has the five parts of an encrypted one. */
weir_jose_result_t weir_jws_read(weir_arena_t *arena, weir_str_t token, weir_jws_t *jws) WEIR_MUST_USE;

/* algs: those that are allowed.  *used: the key, when it is GOOD. */
weir_jose_result_t weir_jws_verify(const weir_jws_t *jws, weir_jwks_t *keys, uint64_t algs,
                                   const weir_jwk_t **used) WEIR_MUST_USE;

/* A text that is in no token (RFC 9421): is this its signature, by that key of the set?  GOOD · SIGNATURE · MEMORY, or
 * why the key does not fit. */
weir_jose_result_t weir_jws_check(weir_jwks_t *keys, size_t key, weir_jose_alg_t alg, weir_str_t text,
                                  weir_str_t signature) WEIR_MUST_USE;

#endif
