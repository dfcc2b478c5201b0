/*
 * answer.h - what an authorization service says: a CheckResponse of envoy.service.auth.v3, read and judged.
 *
 * The service is as untrusted as any peer: what it may not say makes the whole answer one that cannot be used, and the
 * request is refused.
 *
 * Pure; runs in workers; lists in the caller's arena, texts in the message.
 */
#ifndef WEIR_EXT_AUTHZ_ANSWER_H
#define WEIR_EXT_AUTHZ_ANSWER_H

#include "http/message/header.h"

typedef enum {
    EXT_OVERWRITE,                               /* in the place of all of that name */
    EXT_APPEND,
    EXT_IF_ABSENT,
    EXT_IF_PRESENT,                              /* overwrite, if there is one */
} ext_how_t;

typedef struct {
    weir_header_id_t id;
    weir_str_t       name, value;                /* a token; without controls */
    ext_how_t        how;
} ext_field_t;

typedef struct { ext_field_t *at; size_t n; } ext_fields_t;

typedef struct { weir_str_t name, value; bool is_removed; } ext_arg_t;       /* as sent: not encoded */
typedef struct { ext_arg_t *at; size_t n; } ext_args_t;

typedef struct {
    bool         is_allowed;
    uint16_t     status;                         /* of a refusal: 200 to 599 */
    ext_fields_t fields;                         /* of an allowed request, or of the refusal's answer */
    ext_fields_t shown;                          /* for the answer to an allowed request */
    weir_strs_t  removed;                        /* names of fields that the request loses */
    ext_args_t   args;                           /* of the query */
    weir_str_t   body;                           /* of a refusal */
} ext_answer_t;

/* false: it cannot be used, *why says what is wrong (constant text). */
bool ext_answer_read(weir_arena_t *arena, weir_str_t message, ext_answer_t *answer, const char **why) WEIR_MUST_USE;

#endif
