/*
 * jwe.h - encrypted texts in the compact serialisation (RFC 7516): reading, and decrypting with a set of keys.
 *
 * Taken: RSA-OAEP (SHA-1, -256, -384, -512), A*KW, A*GCMKW, dir, ECDH-ES (alone and with A*KW), with A*GCM and
 * A*CBC-HS*.  Refused on purpose: RSA1_5, whose padding reveals its errors (RFC 8725 §3.2), passwords (PBES2), and
 * "zip", since a short text may hide a long one.
 */
#ifndef WEIR_JOSE_JWE_H
#define WEIR_JOSE_JWE_H

#include "jose/jwk.h"

typedef struct {
    weir_jose_alg_t    alg, enc;
    weir_str_t         kid;              /* at NULL: none is named */
    weir_str_t         header_text;      /* decoded, in the arena, as are these: */
    const weir_json_t *header;
    weir_str_t         key, iv, text, tag;
    weir_str_t         aad;              /* of the token */
} weir_jwe_t;

/* TYPE: it has the three parts of a signed one. */
weir_jose_result_t weir_jwe_read(weir_arena_t *arena, weir_str_t token, weir_jwe_t *jwe) WEIR_MUST_USE;

/* algs: those that are allowed, of keys and of contents.  The plaintext lies in the arena, which is the caller's to
 * wipe.  Whatever was wrong with key, tag or padding is DECRYPT and takes the same way. */
weir_jose_result_t weir_jwe_decrypt(weir_arena_t *arena, const weir_jwe_t *jwe, weir_jwks_t *keys, uint64_t algs,
                                    weir_str_t *plaintext, const weir_jwk_t **used) WEIR_MUST_USE;

#endif
