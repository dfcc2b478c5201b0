/*
 * basic.h - Basic authentication (RFC 7617): what a client says it is, and whether a password is the one that was hashed.
 */
#ifndef WEIR_HTTP_BASIC_H
#define WEIR_HTTP_BASIC_H

#include "base/str.h"

struct weir_request;

/* What Authorization says, in the arena; false: there is none, another scheme, not base64, no colon or no name.  The password is a secret: see
 * weir_basic_forget. */
bool weir_basic_credentials(const struct weir_request *req, weir_arena_t *arena, weir_str_t *user, weir_str_t *password) WEIR_MUST_USE;
/* Overwrites a password that is not needed any more. */
void weir_basic_forget(weir_str_t password);

/* hash: of crypt(3) (whatever the system's knows: $2y$, $6$, $5$, $1$, DES), "$apr1$…", "{SHA}…", "{SSHA}…", "{PLAIN}…".  Takes the time the hash
 * asks for, and as long for a wrong password as for the right one. */
bool weir_basic_password_is(weir_str_t password, weir_str_t hash, weir_arena_t *arena) WEIR_MUST_USE;

#endif
