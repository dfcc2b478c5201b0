/*
 * vars.h - variables: rows that modules declare, and names that a configuration defines (captures, later set and map).
 *
 * A reference is resolved to its row when the configuration is read; evaluating it is one indirect call.
 *
 * A variable tells of something: its subject.  Code that has texts worked out says which subjects there will be when
 * that happens, so that a text which names a variable of another one is refused when the configuration is read, and
 * hands over a scope with one object for each of them.
 */
#ifndef WEIR_EXPR_VARS_H
#define WEIR_EXPR_VARS_H

#include "base/error.h"
#include "os/addr.h"

typedef struct weir_var_ref weir_var_ref_t;

/* What a variable tells of; in its area, what type of object its getter takes. */
typedef enum {
    WEIR_OF_UNSAID,          /* no row says this */
    WEIR_OF_NONE,            /* this machine and process: the getter takes NULL */
    WEIR_OF_CONNECTION,
    WEIR_OF_REQUEST,
    WEIR_OF_SESSION,
    WEIR_OF_MAX
} weir_subject_t;
/* Some of them, as bits.  Those of no subject are always among them. */
typedef uint32_t weir_subjects_t;
#define WEIR_SUBJECT(subject) (1u << (subject))
#define WEIR_SUBJECTS_ALL     (~0u)

/* The objects of the moment; NULL: there is none. */
typedef struct { void *of[WEIR_OF_MAX]; } weir_scope_t;

/* What a value is, for texts that become a part of a URI. */
typedef enum {
    WEIR_VALUE_PLAIN,
    WEIR_VALUE_PATH,         /* a decoded path */
    WEIR_VALUE_FILE,         /* the name of a file, which has a decoded path in it */
    WEIR_VALUE_TARGET,       /* path and query as they came */
} weir_value_kind_t;

typedef struct {
    const char    *name;         /* "request_uri"; with is_prefix: "arg_" */
    bool           is_prefix;    /* $arg_NAME: the getter looks at ref->suffix */
    weir_subject_t subject;
    bool           is_early;     /* of a request, but known as soon as its connection is: where that one arrived */
    /* subject: the scope's object of the row's subject.  false: the variable has no value (logs print "-").  *value
     * borrows from the subject or from the arena. */
    bool         (*get)(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value);
    /* NULL, or of a variable whose value is the text of an address: that one.  NULL from it: the value is no address of
     * IPv4 or IPv6. */
    const weir_endpoint_t *(*address)(void *subject);
    /* NULL, or what makes ref->bound: what the getter needs to know of the suffix and can be told at load. */
    const void  *(*bind)(weir_arena_t *arena, weir_str_t suffix);
    uintptr_t      data;         /* for getters that serve several rows */
    bool           is_text;      /* the value is the weir_str_t `data` bytes into the subject; none: it is empty */
    weir_value_kind_t kind;
    const char    *help;
} weir_variable_t;
#define WEIR_VARIABLES_END { .name = NULL }

struct weir_var_ref {
    const weir_variable_t *row;
    weir_str_t             suffix;   /* as written after the prefix, in lower case */
    uint32_t               slot;     /* of a defined variable */
    uint32_t               group;    /* of $1..$9 */
    const void            *bound;    /* see bind */
};

/* false: it has no value.  The scope has an object of the row's subject. */
static inline bool
weir_vars_get(const weir_var_ref_t *ref, const weir_scope_t *scope, weir_arena_t *arena, weir_str_t *value)
{
    void *subject = scope->of[ref->row->subject];

    weir_assert(subject != NULL || ref->row->subject == WEIR_OF_NONE);
    return ref->row->get(subject, arena, ref, value);
}

/* The names one generation knows. */
typedef struct weir_vars weir_vars_t;
/* The numbers of slots by name, which outlive generations: a name has the same slot in all of them.  Its memory is its
 * own, and goes with the arena's. */
typedef struct weir_vars_numbers weir_vars_numbers_t;

weir_vars_numbers_t *weir_vars_numbers_create(weir_arena_t *arena);
/* With numbers of its own. */
weir_vars_t *weir_vars_create(weir_arena_t *arena);
weir_vars_t *weir_vars_create_with(weir_arena_t *arena, weir_vars_numbers_t *numbers);

/* What a part of a configuration says of variables and asks of them, so that another generation of the same numbers
 * can have the part as it is. */
typedef struct weir_vars_note weir_vars_note_t;
typedef struct { weir_vars_note_t *first, *last; } weir_vars_notes_t;
/* From here on what is defined and named is a part's: memory, and where it is noted (NULL: nowhere). */
void weir_vars_keep_in(weir_vars_t *vars, weir_arena_t *arena, weir_vars_notes_t *notes);
/* A part of another generation is had again: what it defines is defined, and weir_vars_settle looks at what it names.
 * The notes live as long as vars. */
void weir_vars_take(weir_vars_t *vars, const weir_vars_notes_t *notes);
/* Has settling found that a part's names mean something else in this generation?  Then the part cannot be had again. */
bool weir_vars_is_stale(const weir_vars_t *vars);
/* Rows live for ever (static).  Exact names win over prefixes, longer prefixes over shorter. */
void weir_vars_add_rows(weir_vars_t *vars, const weir_variable_t *rows);
/* How defined variables (slots) and captures ($1) are read: static rows whose get looks at ref->slot / ref->group. */
void weir_vars_set_readers(weir_vars_t *vars, const weir_variable_t *slot_row, const weir_variable_t *capture_row);
/* Gives the slot of a configuration's own variable; the same for the same name. false: the name is a built-in one.  One
 * that only a prefix makes ($http_x) may be defined: whatever names it means that one, but what was compiled at once
 * and before. */
bool weir_vars_define(weir_vars_t *vars, weir_str_t name, uint32_t *slot) WEIR_MUST_USE;
/* What makes the values of that slot.  Each call adds a maker, of which one is enough: first what it must have, then
 * the variables that it reads. */
void weir_vars_add_maker(weir_vars_t *vars, uint32_t slot, weir_subject_t subject);
/* ref lives as long as vars */
void weir_vars_maker_reads(weir_vars_t *vars, uint32_t slot, const weir_var_ref_t *ref);
/* What a prefix makes of the name, whether it is defined or not. */
bool weir_vars_find_prefix(weir_vars_t *vars, weir_str_t name, weir_var_ref_t *ref) WEIR_MUST_USE;
/* Each built-in variable or capture that a reference comes down to: itself, or what its makers read, in turn; and each
 * variable that the configuration defines with a maker that reads none. */
void weir_vars_each_source(const weir_vars_t *vars, const weir_var_ref_t *ref,
                           void (*each)(void *data, const weir_var_ref_t *source), void *data);
uint32_t weir_vars_slots(const weir_vars_t *vars);                     /* every slot's number is below */
/* false: unknown; *nearest gives the closest known name or none. */
bool weir_vars_find(weir_vars_t *vars, weir_str_t name, weir_var_ref_t *ref, weir_str_t *nearest) WEIR_MUST_USE;
/* Names are compared without case, as nginx does; "1" … "9" are the captures once there is a reader for them. */

/* Where a text stands, and what there will be when it is worked out. */
typedef struct {
    const char     *file;
    uint32_t        line;
    weir_subjects_t subjects;
    const char     *pointer;       /* where in a file that is JSON; NULL: it is a line */
    const char     *fragment;      /* of the configuration, by its name; NULL: of none */
} weir_vars_place_t;

/* A reference to a name that may be defined further down: *ref is filled in now or by weir_vars_settle. `ref` and the
 * place's texts live as long as vars.  false with *error: it tells of something that there will not be. */
bool weir_vars_find_later(weir_vars_t *vars, weir_str_t name, weir_var_ref_t *ref, const weir_vars_place_t *place,
                          weir_error_t *error)
    WEIR_MUST_USE;
/* false with *error (with the position): one of them was never defined, or is made of something that there will not be;
 * another call looks at those behind it. */
bool weir_vars_settle(weir_vars_t *vars, weir_error_t *error) WEIR_MUST_USE;

#endif
