/*
 * jose.h - signed and encrypted JSON (RFC 7515 to 7519): the algorithms that are known, and what may be wrong.
 *
 * core/jose knows tokens, keys and OpenSSL, and nothing of http: tokens of clients today, OpenID Connect, introspection
 * and signed requests later.  jwk.h keys · jws.h signatures · jwe.h encryption · jwt.h claims.
 *
 * Pure but for OpenSSL's memory; what is decoded lies in the caller's arena.  What OpenSSL says of a failure is taken
 * from its queue before a function returns.
 */
#ifndef WEIR_JOSE_JOSE_H
#define WEIR_JOSE_JOSE_H

#include "base/json.h"

typedef enum {
    WEIR_JOSE_GOOD,
    WEIR_JOSE_MALFORMED,         /* no compact serialisation, no base64url, no JSON, a member of another type */
    WEIR_JOSE_DUPLICATE,         /* an object has a member twice */
    WEIR_JOSE_TOO_LARGE,
    WEIR_JOSE_TYPE,              /* signed where encrypted is asked for, or the other way round */
    WEIR_JOSE_UNSIGNED,          /* alg is "none" */
    WEIR_JOSE_ALGORITHM,         /* it is not known, or not allowed */
    WEIR_JOSE_CRIT,              /* the header says that something must be understood, which is not */
    WEIR_JOSE_ZIP,               /* the plaintext is compressed */
    WEIR_JOSE_KEY_UNKNOWN,
    WEIR_JOSE_KEY_MISMATCH,      /* the key is of another type, algorithm or use */
    WEIR_JOSE_KEY_WEAK,
    WEIR_JOSE_KEY_BROKEN,        /* the key itself is wrong */
    WEIR_JOSE_SIGNATURE,
    WEIR_JOSE_DECRYPT,
    WEIR_JOSE_MEMORY,
} weir_jose_result_t;

typedef enum { WEIR_JOSE_OCT, WEIR_JOSE_RSA, WEIR_JOSE_EC, WEIR_JOSE_OKP, WEIR_JOSE_OTHER } weir_jose_kty_t;

typedef enum {
    WEIR_JOSE_HS256, WEIR_JOSE_HS384, WEIR_JOSE_HS512, WEIR_JOSE_RS256, WEIR_JOSE_RS384, WEIR_JOSE_RS512,
    WEIR_JOSE_PS256, WEIR_JOSE_PS384, WEIR_JOSE_PS512, WEIR_JOSE_ES256, WEIR_JOSE_ES384, WEIR_JOSE_ES512,
    WEIR_JOSE_EDDSA, WEIR_JOSE_ED25519, WEIR_JOSE_ED448,
    WEIR_JOSE_RSA_OAEP, WEIR_JOSE_RSA_OAEP_256, WEIR_JOSE_RSA_OAEP_384, WEIR_JOSE_RSA_OAEP_512,
    WEIR_JOSE_A128KW, WEIR_JOSE_A192KW, WEIR_JOSE_A256KW, WEIR_JOSE_A128GCMKW, WEIR_JOSE_A192GCMKW,
    WEIR_JOSE_A256GCMKW, WEIR_JOSE_DIR, WEIR_JOSE_ECDH_ES, WEIR_JOSE_ECDH_ES_A128KW, WEIR_JOSE_ECDH_ES_A192KW,
    WEIR_JOSE_ECDH_ES_A256KW,
    WEIR_JOSE_A128GCM, WEIR_JOSE_A192GCM, WEIR_JOSE_A256GCM, WEIR_JOSE_A128CBC_HS256, WEIR_JOSE_A192CBC_HS384,
    WEIR_JOSE_A256CBC_HS512,
    WEIR_JOSE_ALGS
} weir_jose_alg_t;

/* Algorithms as bits. */
#define WEIR_JOSE_BIT(alg)    ((uint64_t) 1 << (alg))
#define WEIR_JOSE_ALL_ALGS    (WEIR_JOSE_BIT(WEIR_JOSE_ALGS) - 1)

typedef enum { WEIR_JOSE_SIGNS, WEIR_JOSE_GIVES_KEY, WEIR_JOSE_ENCRYPTS } weir_jose_role_t;

typedef struct {
    weir_str_t       name;
    weir_jose_role_t role;
    weir_jose_kty_t  kty;        /* of the key; ECDH is of EC and OKP */
    const char      *digest;     /* OpenSSL's name; NULL: none */
    const char      *curve;      /* "P-256"; NULL: any */
    size_t           bytes;      /* of a digest; of a wrapping key; of a content key */
} weir_jose_alg_row_t;

const weir_jose_alg_row_t *weir_jose_alg(weir_jose_alg_t alg);
/* false: it is not known.  Names are compared with case. */
bool weir_jose_find_alg(weir_str_t name, weir_jose_alg_t *alg) WEIR_MUST_USE;

#define WEIR_JOSE_TOKEN_MAX ((size_t) 64 << 10)     /* bytes of a token; a caller may ask for less */
#define WEIR_JOSE_PARTS     5

/* The parts between dots; false: there are not n of them. */
bool weir_jose_split(weir_str_t token, weir_str_t *parts, size_t n) WEIR_MUST_USE;
/* A part that is an object: *value, and its text. */
weir_jose_result_t weir_jose_read_object(weir_arena_t *arena, weir_str_t part, weir_str_t *text,
                                         const weir_json_t **value) WEIR_MUST_USE;
/* The same of a text that was decoded. */
weir_jose_result_t weir_jose_parse_object(weir_arena_t *arena, weir_str_t text,
                                          const weir_json_t **value) WEIR_MUST_USE;

/* What every header must say: alg, kid, no crit.  GOOD · UNSIGNED · ALGORITHM · CRIT · MALFORMED. */
weir_jose_result_t weir_jose_read_header(const weir_json_t *header, weir_jose_role_t role, weir_jose_alg_t *alg,
                                         weir_str_t *kid) WEIR_MUST_USE;

#endif
