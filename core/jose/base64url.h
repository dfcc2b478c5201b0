/*
 * base64url.h - base64 with the alphabet of URLs and without padding (RFC 4648 §5, RFC 7515 §2).
 *
 * Strict: no padding, no blanks, no other characters, and bits that say nothing are zero, so that each sequence of
 * bytes has one text.  Pure; every process.
 */
#ifndef WEIR_JOSE_BASE64URL_H
#define WEIR_JOSE_BASE64URL_H

#include "base/str.h"

/* Bytes that a text of so many characters says. */
static inline size_t weir_base64url_decoded(size_t len) { return len / 4 * 3 + len % 4 * 3 / 4; }
static inline size_t weir_base64url_encoded(size_t len) { return len / 3 * 4 + (len % 3 * 4 + 2) / 3; }

/* room: weir_base64url_decoded(text.len) bytes. */
bool weir_base64url_decode(weir_str_t text, char *room) WEIR_MUST_USE;
/* To the arena.  false: it is none, or there is no memory. */
bool weir_base64url_decode_to(weir_arena_t *arena, weir_str_t text, weir_str_t *bytes) WEIR_MUST_USE;
/* room: weir_base64url_encoded(bytes.len) bytes. */
void weir_base64url_encode(weir_str_t bytes, char *room);

#endif
