/*
 * uri.h - references between schemas: URIs are resolved against a base (RFC 3986 §5.2).  Inside core/schema only.
 */
#ifndef WEIR_SCHEMA_URI_H
#define WEIR_SCHEMA_URI_H

#include "base/arena.h"
#include "base/str.h"

/* The parts before and behind the first "#"; *fragment.at is NULL when there is none. */
void weir_schema_uri_split(weir_str_t uri, weir_str_t *document, weir_str_t *fragment);
/* In the arena, without a fragment. */
weir_str_t weir_schema_uri_resolve(weir_arena_t *arena, weir_str_t base, weir_str_t reference);
/* %xx undone; of an escape that is none, as it stands.  In the arena when anything changed. */
weir_str_t weir_schema_uri_decode(weir_arena_t *arena, weir_str_t text);

#endif
