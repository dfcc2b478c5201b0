/*
 * vars.h - variables: rows that modules declare, and names that a configuration defines (captures, later set and map).
 *
 * A reference is resolved to its row when the configuration is read; evaluating it is one indirect call.
 */
#ifndef WEIR_EXPR_VARS_H
#define WEIR_EXPR_VARS_H

#include "base/error.h"

typedef struct weir_var_ref weir_var_ref_t;

typedef struct {
    const char *name;        /* "request_uri"; with is_prefix: "arg_" */
    bool        is_prefix;   /* $arg_NAME: the getter looks at ref->suffix */
    /* subject: what is being evaluated (a weir_request_t). false: the variable has no value (logs print "-").
     * *value borrows from the subject or from the arena. */
    bool      (*get)(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value);
    uintptr_t   data;        /* for getters that serve several rows */
    const char *help;
} weir_variable_t;
#define WEIR_VARIABLES_END { .name = NULL }

struct weir_var_ref {
    const weir_variable_t *row;
    weir_str_t             suffix;   /* as written after the prefix, in lower case */
    uint32_t               slot;     /* of a defined variable */
    uint32_t               group;    /* of $1..$9 */
};

/* The names one generation knows. */
typedef struct weir_vars weir_vars_t;

weir_vars_t *weir_vars_create(weir_arena_t *arena);
/* Rows live for ever (static).  Exact names win over prefixes, longer prefixes over shorter. */
void weir_vars_add_rows(weir_vars_t *vars, const weir_variable_t *rows);
/* How defined variables (slots) and captures ($1) are read: static rows whose get looks at ref->slot / ref->group. */
void weir_vars_set_readers(weir_vars_t *vars, const weir_variable_t *slot_row, const weir_variable_t *capture_row);
/* Gives the slot of a configuration's own variable; the same for the same name. false: the name is a built-in one.  One
 * that only a prefix makes ($http_x) may be defined: whatever names it means that one, but what was compiled at once
 * and before. */
bool weir_vars_define(weir_vars_t *vars, weir_str_t name, uint32_t *slot) WEIR_MUST_USE;
/* What a prefix makes of the name, whether it is defined or not. */
bool weir_vars_find_prefix(weir_vars_t *vars, weir_str_t name, weir_var_ref_t *ref) WEIR_MUST_USE;
uint32_t weir_vars_slots(const weir_vars_t *vars);                     /* how many are defined */
/* false: unknown; *nearest gives the closest known name or none. */
bool weir_vars_find(weir_vars_t *vars, weir_str_t name, weir_var_ref_t *ref, weir_str_t *nearest) WEIR_MUST_USE;
/* Names are compared without case, as nginx does; "1" … "9" are the captures once there is a reader for them. */

/* A reference to a name that may be defined further down: *ref is filled in now or by weir_vars_settle. `ref` and
 * `file` live as long as vars. */
void weir_vars_find_later(weir_vars_t *vars, weir_str_t name, weir_var_ref_t *ref, const char *file, uint32_t line);
/* false with *error (with the position): one of them was never defined; another call looks at those behind it. */
bool weir_vars_settle(weir_vars_t *vars, weir_error_t *error) WEIR_MUST_USE;

#endif
