/*
 * jwk.h - keys as JSON, and sets of them (RFC 7517, RFC 7518 §6, RFC 8037).
 *
 * A set is read as a whole.  A key of a type or an algorithm that is not known is there and fits no token (RFC 7517
 * §5); one that is too weak or wrong in itself is there, too, so that a token which names it is told why.  Private
 * parts are kept of keys that may decrypt, and of no others.  A set is immutable but for what is prepared when a key is
 * used first; it is used by one thread at a time.
 */
#ifndef WEIR_JOSE_JWK_H
#define WEIR_JOSE_JWK_H

#include "base/error.h"
#include "jose/jose.h"

#define WEIR_JWKS_TEXT_MAX ((size_t) 1 << 20)
#define WEIR_JWKS_MAX      256           /* keys of a set */
#define WEIR_JWK_TRIES     8             /* keys that are tried for a token that names none */
#define WEIR_JWK_PRINT     32            /* bytes of what tells keys apart */

typedef struct weir_jwk  weir_jwk_t;
typedef struct weir_jwks weir_jwks_t;

/* The text of a set, or of one key.  NULL with *error: it is none, or there is no memory.  Nothing of the text is
 * needed afterwards. */
weir_jwks_t *weir_jwks_parse(weir_str_t text, weir_error_t *error) WEIR_MUST_USE;
void         weir_jwks_destroy(weir_jwks_t *keys);       /* keys are wiped; NULL is fine */

size_t            weir_jwks_count(const weir_jwks_t *keys);
const weir_jwk_t *weir_jwks_at(const weir_jwks_t *keys, size_t i);
/* Is a key with this print in the set? */
bool              weir_jwks_has_print(const weir_jwks_t *keys, const uint8_t print[WEIR_JWK_PRINT]) WEIR_MUST_USE;

weir_str_t     weir_jwk_kid(const weir_jwk_t *key);
const uint8_t *weir_jwk_print(const weir_jwk_t *key);
/* GOOD · KEY_WEAK · KEY_BROKEN · KEY_MISMATCH: it is for nothing that is known.  *why: a few words, constant. */
weir_jose_result_t weir_jwk_fault(const weir_jwk_t *key, const char **why);

/* May this key be used for that?  enc: of a JWE; else WEIR_JOSE_ALGS.  GOOD, or why not. */
weir_jose_result_t weir_jwk_fits(const weir_jwk_t *key, weir_jose_alg_t alg, weir_jose_alg_t enc) WEIR_MUST_USE;

#endif
