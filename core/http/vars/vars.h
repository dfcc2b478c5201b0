/*
 * vars.h - what the getters of http's variables share.
 */
#ifndef WEIR_HTTP_VARS_H
#define WEIR_HTTP_VARS_H

#include "http/request.h"

/* The arguments of a getter. */
#define WEIR_GETTER(name)                                                                           \
    static bool name(WEIR_UNUSED void *subject, WEIR_UNUSED weir_arena_t *arena,                    \
                     WEIR_UNUSED const weir_var_ref_t *ref, weir_str_t *value)

/* Each: the value is there. */
bool weir_vars_number(weir_arena_t *arena, uint64_t number, weir_str_t *value);
bool weir_vars_seconds(weir_arena_t *arena, weir_msec_t duration, weir_str_t *value);      /* "1.234" */

/* For rows whose suffix names a field. */
const void *weir_vars_bind_field(weir_arena_t *arena, weir_str_t suffix);
/* The values of the field that the reference's suffix names ("user_agent" is User-Agent, or User_Agent), joined; fields
 * that are not sent on are passed over when `sent` says so.  The row is bound by weir_vars_bind_field.  false:
 * there is none. */
bool weir_vars_field(const weir_fields_t *fields, const weir_var_ref_t *ref, bool sent, weir_arena_t *arena,
                     weir_str_t *value);
/* The value of `name` in "a=1; b=2"; any case, as nginx.  first_only: what follows are attributes (Set-Cookie). */
bool weir_vars_cookie(weir_str_t text, weir_str_t name, bool first_only, weir_str_t *value);

#endif
