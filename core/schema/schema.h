/*
 * schema.h - JSON Schema: is this JSON value what the document says it is?  Draft 2020-12, draft-07, and what OpenAPI
 * 3.0 says in its place.
 *
 * A document is compiled at load into nodes; a fault of it (a keyword of the wrong type, a reference that leads
 * nowhere, a pattern that cannot be compiled) is an error with its place.  Checking a value is bounded: by the depth of
 * what is inside one another and by the number of nodes that are asked; a value that runs into a bound is not accepted.
 *
 * `format` is checked where the options say so, else it says nothing (draft 2020-12, Validation §7).  contentEncoding
 * and contentMediaType say nothing.  Patterns are ECMA-262's as far as PCRE2 has them.
 */
#ifndef WEIR_SCHEMA_H
#define WEIR_SCHEMA_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

typedef struct weir_schema weir_schema_t;

/* OpenAPI 3.1 is draft 2020-12; OpenAPI 3.0 has a dialect of its own. */
typedef enum { WEIR_SCHEMA_2020_12, WEIR_SCHEMA_DRAFT_07, WEIR_SCHEMA_OPENAPI_30 } weir_schema_draft_t;

typedef struct {
    weir_schema_draft_t draft;              /* of documents without $schema */
    weir_str_t          entry;              /* a JSON Pointer to the schema in the document; empty: it is one itself */
    bool                checks_format;
    /* The document of that URI (no fragment), which a $ref leads to: borrowed, and lives as long as the arena; NULL:
     * there is none.  May be NULL. */
    const weir_json_t *(*find)(void *data, weir_str_t uri);
    void               *data;
} weir_schema_options_t;

/* uri: of the document, for its references; may be empty.  The document is borrowed: it lives as long as the arena,
 * and does not change.  NULL with *error. */
weir_schema_t *weir_schema_compile(weir_arena_t *arena, const weir_json_t *document, weir_str_t uri,
                                   const weir_schema_options_t *options, weir_error_t *error) WEIR_MUST_USE;

/* Where a value was not accepted; texts lie in the arena of the call. */
typedef struct {
    weir_str_t at;                          /* a JSON Pointer (RFC 6901) into the value */
    weir_str_t rule;                        /* a URI with a JSON Pointer to the keyword */
    bool       is_limit;                    /* a bound was met: whether the value is good is not known */
} weir_schema_fault_t;

/* The loop's thread only: patterns are matched.  *fault is set when false. */
bool weir_schema_accepts(const weir_schema_t *schema, const weir_json_t *value, weir_arena_t *arena,
                         weir_schema_fault_t *fault) WEIR_MUST_USE;

#endif
