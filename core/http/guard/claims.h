/*
 * claims.h - what an issuer says of a client in JSON (a token's claims, an introspection's answer), as variables have
 * it.
 *
 * Values lie where the tree does, lists in the arena given.
 */
#ifndef WEIR_HTTP_GUARD_CLAIMS_H
#define WEIR_HTTP_GUARD_CLAIMS_H

#include "base/json.h"

/* A list's elements, with commas between; another value is its text.  false: null, or nothing. */
bool weir_claims_text(weir_arena_t *arena, const weir_json_t *value, weir_str_t *text);
/* Names of variables have no case: the name in lower case, else the first that is it but for case.  NULL: there is
 * none. */
const weir_json_t *weir_claims_find(const weir_json_t *object, weir_str_t name);
/* By the names on the way to it, in their case.  NULL: there is none. */
const weir_json_t *weir_claims_follow(const weir_json_t *object, weir_strs_t path);

#endif
