/*
 * base64.h - base64 with padding (RFC 4648 §4), as HTTP's own fields have it.
 *
 * Strict: padding is there, no other characters, and bits that say nothing are zero, so that each sequence of bytes has
 * one text.  Pure; every process.  (The alphabet of URLs: core/jose; passwords of careless clients: credentials.h.)
 */
#ifndef WEIR_BASE_BASE64_H
#define WEIR_BASE_BASE64_H

#include "base/buf.h"

static inline size_t weir_base64_encoded(size_t len) { return (len + 2) / 3 * 4; }
/* At most so many bytes are in a text. */
static inline size_t weir_base64_decoded(size_t len) { return len / 4 * 3; }

void weir_base64_add(weir_buf_t *out, weir_str_t bytes);
/* room: weir_base64_decoded(text.len) bytes.  false: it is none. */
bool weir_base64_decode(weir_str_t text, char *room, size_t *len) WEIR_MUST_USE;

#endif
