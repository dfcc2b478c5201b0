/*
 * json.h - reading JSON (RFC 8259) from untrusted sources: a tree in an arena, or a word on what is wrong.
 *
 * Strict: the grammar and nothing beside it, UTF-8 that is well-formed, and names that an object has once only
 * (RFC 7493), since two readers may take different ones of two.  Lone surrogates are refused.  How deep a text may nest
 * and how many values it may have is the caller's to say; lengths are those of the text.
 *
 * Pure; every process.  Texts without escapes point into what was parsed, others are copied to the arena.
 */
#ifndef WEIR_BASE_JSON_H
#define WEIR_BASE_JSON_H

#include "base/str.h"

typedef enum {
    WEIR_JSON_NULL, WEIR_JSON_FALSE, WEIR_JSON_TRUE, WEIR_JSON_NUMBER, WEIR_JSON_STRING, WEIR_JSON_ARRAY,
    WEIR_JSON_OBJECT
} weir_json_kind_t;

typedef struct weir_json weir_json_t;
struct weir_json {
    weir_json_kind_t   kind;
    uint32_t           n;        /* elements, members */
    weir_str_t         name;     /* of a member; without its escapes */
    weir_str_t         text;     /* of a string: without its escapes, any byte may be in it · else: as it was written */
    const weir_json_t *first;    /* of an array or object, in the order of the text */
    const weir_json_t *next;     /* its neighbour; NULL: it is the last */
};

typedef struct {
    uint32_t depth;              /* of arrays and objects, 1 … WEIR_JSON_DEPTH_MAX */
    uint32_t values;             /* of any kind, in all */
} weir_json_limits_t;

#define WEIR_JSON_DEPTH_MAX 144

typedef enum {
    WEIR_JSON_GOOD,
    WEIR_JSON_MALFORMED,
    WEIR_JSON_DUPLICATE,         /* an object has two members of one name */
    WEIR_JSON_TOO_LARGE,         /* more than the limits allow */
} weir_json_result_t;

/* *value is set when it is GOOD only. */
weir_json_result_t weir_json_parse(weir_arena_t *arena, weir_str_t text, weir_json_limits_t limits,
                                   const weir_json_t **value) WEIR_MUST_USE;

/* The member of an object; NULL: there is none, or it is no object. */
const weir_json_t *weir_json_get(const weir_json_t *object, weir_str_t name);
/* The text of a member that is a string; false: there is none. */
bool weir_json_get_string(const weir_json_t *object, weir_str_t name, weir_str_t *text) WEIR_MUST_USE;
/* A number in whole units, what is behind its point dropped (towards minus infinity).  false: it is no number, or
 * beyond 2^53 either way. */
bool weir_json_to_whole(const weir_json_t *value, int64_t *whole) WEIR_MUST_USE;

/* The JSON Pointer (RFC 6901) of a member or element: that of what it is in, and its name, escaped.  In the arena. */
weir_str_t weir_json_pointer(weir_arena_t *arena, weir_str_t outer, weir_str_t name);

#endif
