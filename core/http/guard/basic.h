/*
 * basic.h - Basic authentication (RFC 7617): whether a password is the one that was hashed.
 */
#ifndef WEIR_HTTP_BASIC_H
#define WEIR_HTTP_BASIC_H

#include "base/str.h"

#define WEIR_BASIC_PASSWORD_MAX 512       /* bytes; what is longer fits no hash */
#define WEIR_BASIC_HASH_MAX     384       /* … of crypt(3) */

/* hash: of crypt(3) (whatever the system's knows: $2y$, $6$, $5$, $1$, DES), "$apr1$…", "{SHA}…", "{SSHA}…",
 * "{PLAIN}…".  Takes the time the hash asks for, and as long for a wrong password as for the right one. */
bool weir_basic_password_is(weir_str_t password, weir_str_t hash, weir_arena_t *arena) WEIR_MUST_USE;

/* The part of it that may take long, for any thread: of a hash that is costly, in room of weir_basic_room_size() bytes,
 * which is wiped. */
typedef struct weir_basic_room weir_basic_room_t;
bool   weir_basic_is_costly(weir_str_t hash);
size_t weir_basic_room_size(void);
bool   weir_basic_crypt_is(weir_str_t password, weir_str_t hash, weir_basic_room_t *room) WEIR_MUST_USE;

#endif
