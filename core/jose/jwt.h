/*
 * jwt.h - what a token claims (RFC 7519 §4.1): read once it is verified, and held against the clock and a policy.
 */
#ifndef WEIR_JOSE_JWT_H
#define WEIR_JOSE_JWT_H

#include "jose/jose.h"

/* Of times: Unix seconds. */
#define WEIR_JWT_NEVER   INT64_MAX
#define WEIR_JWT_ALWAYS  INT64_MIN

typedef struct {
    const weir_json_t *claims;           /* an object */
    int64_t            expires, not_before;          /* NEVER, ALWAYS: nothing is said */
} weir_jwt_t;

typedef enum { WEIR_JWT_VALID, WEIR_JWT_EXPIRED, WEIR_JWT_NOT_YET } weir_jwt_time_t;

/* GOOD · MALFORMED · DUPLICATE · TOO_LARGE.  The text lives as long as the arena. */
weir_jose_result_t weir_jwt_read(weir_arena_t *arena, weir_str_t payload, weir_jwt_t *jwt) WEIR_MUST_USE;
weir_jwt_time_t    weir_jwt_check_time(int64_t expires, int64_t not_before, int64_t now_s, int64_t leeway_s);
/* "iss" is one of them. */
bool weir_jwt_is_of(const weir_jwt_t *jwt, weir_strs_t issuers) WEIR_MUST_USE;
/* "aud", a text or several, has one of them. */
bool weir_jwt_is_for(const weir_jwt_t *jwt, weir_strs_t audiences) WEIR_MUST_USE;

#endif
