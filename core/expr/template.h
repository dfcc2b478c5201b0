/*
 * template.h - text with $name and ${name}, compiled at load to a row of literals and references.
 */
#ifndef WEIR_EXPR_TEMPLATE_H
#define WEIR_EXPR_TEMPLATE_H

#include "expr/vars.h"

typedef struct { weir_str_t literal; weir_var_ref_t ref; } weir_template_part_t;   /* ref.row NULL: a literal */

typedef struct weir_template {
    weir_str_t                  source;     /* as written */
    const weir_template_part_t *parts;
    size_t                      n;
    bool                        is_constant;/* no variable: parts[0].literal is all (or n == 0) */
} weir_template_t;

/* NULL with *error: unknown variable (with the nearest name), "${" not closed, "$" before nothing. */
const weir_template_t *weir_template_compile(weir_arena_t *arena, weir_vars_t *vars, weir_str_t text,
                                             weir_error_t *error);
/* The same, but a name that is unknown yet may be defined until weir_vars_settle.  Refused, too, is a variable of what
 * there will not be at this place. */
const weir_template_t *weir_template_compile_at(weir_arena_t *arena, weir_vars_t *vars, weir_str_t text,
                                                const weir_vars_place_t *place,
                                                weir_error_t *error);
/* The same of n texts, one behind the other; in a literal one a '$' is a '$'. */
typedef struct { weir_str_t text; bool is_literal; } weir_template_piece_t;
const weir_template_t *weir_template_compile_pieces(weir_arena_t *arena, weir_vars_t *vars,
                                                    const weir_template_piece_t *pieces, size_t n,
                                                    const weir_vars_place_t *place, weir_error_t *error);
/* The latest maker of the slot's values reads what the template does; NULL: nothing. */
void weir_template_makes(const weir_template_t *template, weir_vars_t *vars, uint32_t slot);
/* Constant and single-variable templates copy nothing. */
weir_str_t weir_template_eval(const weir_template_t *template, const weir_scope_t *scope, weir_arena_t *arena);
static inline bool weir_template_is_empty(const weir_template_t *t) { return t == NULL || t->n == 0; }

#endif
