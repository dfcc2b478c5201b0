/*
 * vars.c - the names one generation knows: built-in rows, prefixes, defined slots, captures.
 *
 * Built while a configuration is read (master, or a worker's build thread), read-only afterwards.  All memory is the
 * generation's arena.
 */
#include "expr/vars.h"

#include "base/array.h"

#include <stdio.h>

#define VARS_NEAR 3            /* edits that a slip may have */

typedef struct vars_name {
    struct vars_name      *next;      /* of the same bucket */
    weir_str_t             name;      /* lower case */
    const weir_variable_t *row;       /* NULL: defined by the configuration */
    uint32_t               slot;
} vars_name_t;

typedef struct vars_later {
    struct vars_later *next;
    weir_str_t         name;
    weir_var_ref_t    *ref;
    const char        *file;
    uint32_t           line;
} vars_later_t;

struct weir_vars {
    weir_arena_t          *arena;
    vars_name_t          **buckets;   /* exact names */
    size_t                 n_buckets, n_names;
    weir_array_t           prefixes;  /* of const weir_variable_t * */
    const weir_variable_t *slot_row, *capture_row;
    uint32_t               slots;
    vars_later_t          *later, **later_end;
};

weir_vars_t *
weir_vars_create(weir_arena_t *arena)
{
    weir_vars_t *vars = weir_new(arena, weir_vars_t);

    vars->arena = arena;
    vars->n_buckets = 256;
    vars->buckets = weir_new_n(arena, vars_name_t *, vars->n_buckets);
    vars->later_end = &vars->later;
    weir_array_init(&vars->prefixes, arena, sizeof(const weir_variable_t *), 0);
    return vars;
}

static vars_name_t **
vars_bucket(const weir_vars_t *vars, weir_str_t lower)
{
    return &vars->buckets[weir_str_hash(lower, 0) & (vars->n_buckets - 1)];
}

static vars_name_t *
vars_get(const weir_vars_t *vars, weir_str_t lower)
{
    vars_name_t *at;

    for (at = *vars_bucket(vars, lower); at != NULL; at = at->next) {
        if (weir_str_eq(at->name, lower)) {
            return at;
        }
    }
    return NULL;
}

/* Twice the buckets: configurations may define thousands of names. */
static void
vars_grow(weir_vars_t *vars)
{
    vars_name_t **old = vars->buckets, *at, *next, **bucket;
    size_t        n_old = vars->n_buckets, i;

    vars->n_buckets *= 2;
    vars->buckets = weir_new_n(vars->arena, vars_name_t *, vars->n_buckets);
    for (i = 0; i < n_old; i++) {
        for (at = old[i]; at != NULL; at = next) {
            next = at->next;
            bucket = vars_bucket(vars, at->name);
            at->next = *bucket;
            *bucket = at;
        }
    }
}

static vars_name_t *
vars_put(weir_vars_t *vars, weir_str_t lower, const weir_variable_t *row)
{
    vars_name_t  *made = weir_new(vars->arena, vars_name_t);
    vars_name_t **bucket;

    if (++vars->n_names > vars->n_buckets * 2) {
        vars_grow(vars);
    }
    bucket = vars_bucket(vars, lower);
    *made = (vars_name_t) { .next = *bucket, .name = lower, .row = row };
    *bucket = made;
    return made;
}

void
weir_vars_add_rows(weir_vars_t *vars, const weir_variable_t *rows)
{
    weir_str_t name;

    for (; rows->name != NULL; rows++) {
        name = weir_str_from_z(rows->name);
        if (rows->is_prefix) {
            *(const weir_variable_t **) weir_array_push(&vars->prefixes) = rows;
        } else if (vars_get(vars, name) == NULL) {
            vars_put(vars, name, rows);
        }
    }
}

void
weir_vars_set_readers(weir_vars_t *vars, const weir_variable_t *slot_row, const weir_variable_t *capture_row)
{
    vars->slot_row = slot_row;
    vars->capture_row = capture_row;
}

/* The longest prefix, or NULL.  It may be all of the name, as in nginx: $arg_. */
static const weir_variable_t *
vars_prefix(const weir_vars_t *vars, weir_str_t lower)
{
    const weir_variable_t *best = NULL, *row;
    size_t                 i, best_len = 0, len;

    for (i = 0; i < vars->prefixes.n; i++) {
        row = *weir_array_at(&vars->prefixes, const weir_variable_t *, i);
        len = strlen(row->name);
        if (len > best_len && lower.len >= len && memcmp(lower.at, row->name, len) == 0) {
            best = row;
            best_len = len;
        }
    }
    return best;
}

bool
weir_vars_define(weir_vars_t *vars, weir_str_t name, uint32_t *slot)
{
    weir_str_t   lower = weir_str_lower(vars->arena, name);
    vars_name_t *known = vars_get(vars, lower);

    if (known == NULL) {
        known = vars_put(vars, lower, NULL);
        known->slot = vars->slots++;
    }
    *slot = known->slot;
    return known->row == NULL;
}

uint32_t
weir_vars_slots(const weir_vars_t *vars)
{
    return vars->slots;
}

static bool
vars_resolve_prefix(const weir_vars_t *vars, weir_str_t lower, weir_var_ref_t *ref)
{
    const weir_variable_t *row = vars_prefix(vars, lower);

    *ref = (weir_var_ref_t) { .row = row };
    if (row != NULL) {
        ref->suffix = weir_str_skip(lower, strlen(row->name));
    }
    return row != NULL;
}

bool
weir_vars_find_prefix(weir_vars_t *vars, weir_str_t name, weir_var_ref_t *ref)
{
    return vars_resolve_prefix(vars, weir_str_lower(vars->arena, name), ref);
}

static bool
vars_resolve(const weir_vars_t *vars, weir_str_t lower, weir_var_ref_t *ref)
{
    const vars_name_t *known = vars_get(vars, lower);

    if (known != NULL) {
        *ref = (weir_var_ref_t) { .row = known->row != NULL ? known->row : vars->slot_row, .slot = known->slot };
        return ref->row != NULL;
    }
    if (lower.len == 1 && lower.at[0] >= '1' && lower.at[0] <= '9') {
        *ref = (weir_var_ref_t) { .row = vars->capture_row, .group = (uint32_t) (lower.at[0] - '0') };
        return ref->row != NULL;
    }
    return vars_resolve_prefix(vars, lower, ref);
}

static weir_str_t
vars_nearest(const weir_vars_t *vars, weir_str_t lower)
{
    size_t       ceiling = lower.len / 3 < VARS_NEAR ? lower.len / 3 + 1 : VARS_NEAR + 1, distance, i;
    weir_str_t   best = WEIR_STR_NONE;
    vars_name_t *at;

    for (i = 0; i < vars->n_buckets; i++) {
        for (at = vars->buckets[i]; at != NULL; at = at->next) {
            distance = weir_str_distance(lower, at->name, ceiling);
            if (distance < ceiling || (best.at != NULL && distance == ceiling && weir_str_cmp(at->name, best) < 0)) {
                best = at->name;
                ceiling = distance;
            }
        }
    }
    return best;
}

bool
weir_vars_find(weir_vars_t *vars, weir_str_t name, weir_var_ref_t *ref, weir_str_t *nearest)
{
    weir_str_t lower = weir_str_lower(vars->arena, name);

    if (vars_resolve(vars, lower, ref)) {
        return true;
    }
    *nearest = vars_nearest(vars, lower);
    return false;
}

void
weir_vars_find_later(weir_vars_t *vars, weir_str_t name, weir_var_ref_t *ref, const char *file, uint32_t line)
{
    weir_str_t    lower = weir_str_lower(vars->arena, name);
    vars_later_t *later;

    if (vars_resolve(vars, lower, ref) && (vars_get(vars, lower) != NULL || vars_prefix(vars, lower) == NULL)) {
        return;                                      /* nothing further down changes it */
    }
    later = weir_new(vars->arena, vars_later_t);
    *later = (vars_later_t) { .name = lower, .ref = ref, .file = file, .line = line };
    *vars->later_end = later;
    vars->later_end = &later->next;
}

static bool
vars_unknown(const weir_vars_t *vars, const vars_later_t *later, weir_error_t *error)
{
    weir_str_t near = vars_nearest(vars, later->name);

    if (!weir_error_is_set(error)) {
        error->line = later->line;
        error->column = 0;
        (void) snprintf(error->file, sizeof(error->file), "%s", later->file);
    }
    if (near.at != NULL) {
        return weir_error_set(error, "unknown \"%.*s\" variable, did you mean \"%.*s\"? in %s:%u", WEIR_STR_ARG(later->name),
                              WEIR_STR_ARG(near), later->file, later->line);
    }
    return weir_error_set(error, "unknown \"%.*s\" variable in %s:%u", WEIR_STR_ARG(later->name), later->file, later->line);
}

bool
weir_vars_settle(weir_vars_t *vars, weir_error_t *error)
{
    vars_later_t *later;

    while (vars->later != NULL) {
        later = vars->later;
        vars->later = later->next;
        vars->later_end = vars->later != NULL ? vars->later_end : &vars->later;
        if (!vars_resolve(vars, later->name, later->ref)) {
            return vars_unknown(vars, later, error);
        }
    }
    return true;
}
