/*
 * credentials.h - what a client says it is in the Authorization field, by Basic authentication (RFC 7617).
 */
#ifndef WEIR_HTTP_CREDENTIALS_H
#define WEIR_HTTP_CREDENTIALS_H

#include "http/message/fields.h"

/* What Authorization says, in the arena; false: there is none, another scheme, not base64, no colon or no name.  The
 * password is a secret: see weir_credentials_forget. */
bool weir_credentials_basic(const weir_fields_t *fields, weir_arena_t *arena, weir_str_t *user,
                            weir_str_t *password) WEIR_MUST_USE;
/* Overwrites a password that is not needed any more. */
void weir_credentials_forget(weir_str_t password);
/* Base64 (RFC 4648 §4), with or without its padding, into out, which has room for 3/4 of it.  false: it is none. */
bool weir_credentials_decode(weir_str_t coded, unsigned char *out, size_t *len) WEIR_MUST_USE;

#endif
