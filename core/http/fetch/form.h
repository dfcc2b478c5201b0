/*
 * form.h - forms (application/x-www-form-urlencoded) that Weir itself sends, and what a client of OAuth 2.0 says there
 * of itself (RFC 6749 §2.3.1).
 */
#ifndef WEIR_HTTP_FETCH_FORM_H
#define WEIR_HTTP_FETCH_FORM_H

#include "base/buf.h"

#define WEIR_FETCH_FORM_TYPE WEIR_STR("application/x-www-form-urlencoded")

/* Bytes that a member takes at most. */
static inline size_t
weir_fetch_form_room(weir_str_t name, weir_str_t value)
{
    return 3 * (name.len + value.len) + 2;
}
/* "name=value", behind a '&' when it is not the first. */
void weir_fetch_form_add(weir_buf_t *form, weir_str_t name, weir_str_t value);

/* A value of Authorization: Basic, of an id and a secret that are form-encoded first (RFC 6749 §2.3.1).  In the arena,
 * which is the caller's to wipe. */
weir_str_t weir_fetch_form_basic(weir_arena_t *arena, weir_str_t id, weir_str_t secret);

#endif
