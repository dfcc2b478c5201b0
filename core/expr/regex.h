/*
 * regex.h - PCRE2 patterns, compiled with JIT once a process and shared by generations by reference (same text, same
 * flags).
 *
 * Matching is bounded: a match limit, a depth limit and a JIT stack of fixed size; a pattern that runs into one gives
 * WEIR_REGEX_LIMIT, which callers treat as a denial, never as "no match".  Compiling is thread-safe.
 */
#ifndef WEIR_EXPR_REGEX_H
#define WEIR_EXPR_REGEX_H

#include "base/error.h"

typedef struct weir_regex weir_regex_t;

typedef enum { WEIR_REGEX_MATCH, WEIR_REGEX_NO_MATCH, WEIR_REGEX_LIMIT } weir_regex_result_t;

#define WEIR_REGEX_MAX_CAPTURES 20

typedef struct {
    weir_str_t subject;                                /* borrowed */
    size_t     n;                                      /* groups set, the whole match being 0; 0: no match kept */
    uint32_t   from[WEIR_REGEX_MAX_CAPTURES], to[WEIR_REGEX_MAX_CAPTURES];   /* UINT32_MAX: group took no part */
} weir_captures_t;

/* A reference that unref gives back; NULL with *error (PCRE2's words and the offset). */
weir_regex_t *weir_regex_compile(weir_str_t pattern, bool fold_case, weir_error_t *error);
void          weir_regex_unref(weir_regex_t *regex);
/* The same, given back when the arena goes. */
weir_regex_t *weir_regex_compile_in(weir_arena_t *arena, weir_str_t pattern, bool fold_case, weir_error_t *error);
/* A pattern as ECMA-262 writes it, as far as PCRE2 has that: of UTF-8, "$" is the very end, \u0061 is a letter. */
weir_regex_t *weir_regex_compile_ecma_in(weir_arena_t *arena, weir_str_t pattern, weir_error_t *error);
/* One that matches a whole text or not at all. */
weir_regex_t *weir_regex_compile_whole_in(weir_arena_t *arena, weir_str_t pattern, weir_error_t *error);
/* Whether what this thread compiles from now on is compiled to machine code (pcre_jit); on unless said. */
void          weir_regex_use_jit(bool on);
weir_str_t    weir_regex_pattern(const weir_regex_t *regex);
size_t        weir_regex_captures(const weir_regex_t *regex);   /* groups in the pattern, without the whole */

/* Named groups: i-th name and its group number; false past the last. */
bool weir_regex_name(const weir_regex_t *regex, size_t i, weir_str_t *name, uint32_t *group);

/* captures may be NULL.  It is written on a match only.  On the loop's thread only: its memory is the process's. */
weir_regex_result_t weir_regex_exec(const weir_regex_t *regex, weir_str_t subject, weir_captures_t *captures);

static inline weir_str_t
weir_captures_get(const weir_captures_t *captures, size_t group)
{
    if (group >= captures->n || captures->from[group] == UINT32_MAX) {
        return WEIR_STR_NONE;
    }
    return weir_str(captures->subject.at + captures->from[group], captures->to[group] - captures->from[group]);
}

#endif
