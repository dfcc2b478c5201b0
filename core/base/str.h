/*
 * str.h - counted strings: a slice of bytes that has another owner.  Not NUL-terminated unless a function says so.
 */
#ifndef WEIR_BASE_STR_H
#define WEIR_BASE_STR_H

#include "base/arena.h"
#include "base/base.h"

#include <string.h>

typedef struct { const char *at; size_t len; } weir_str_t;

typedef struct { weir_str_t *at; size_t n; } weir_strs_t;

#define WEIR_STR(literal) ((weir_str_t) { (literal), sizeof(literal) - 1 })
#define WEIR_STR_INIT(literal) { (literal), sizeof(literal) - 1 }   /* for static initialisers */
#define WEIR_STR_NONE     ((weir_str_t) { NULL, 0 })

/* For printf's "%.*s". */
#define WEIR_STR_ARG(s) (int) (s).len, ((s).at ? (s).at : "")

static inline weir_str_t weir_str(const char *at, size_t len) { return (weir_str_t) { at, len }; }
static inline weir_str_t weir_str_from_z(const char *z) { return (weir_str_t) { z, z ? strlen(z) : 0 }; }

static inline bool
weir_str_eq(weir_str_t a, weir_str_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* The same, for texts that are short as a rule: up to 16 bytes are compared here, in overlapping words. */
static inline bool
weir_str_eq_short(weir_str_t a, weir_str_t b)
{
    uint64_t a8, b8, a_end8, b_end8;
    uint32_t a4, b4, a_end4, b_end4;

    if (a.len != b.len) {
        return false;
    }
    if (a.len > 16) {
        return memcmp(a.at, b.at, a.len) == 0;
    }
    if (a.len >= 8) {
        memcpy(&a8, a.at, 8);
        memcpy(&b8, b.at, 8);
        memcpy(&a_end8, a.at + a.len - 8, 8);
        memcpy(&b_end8, b.at + a.len - 8, 8);
        return ((a8 ^ b8) | (a_end8 ^ b_end8)) == 0;
    }
    if (a.len >= 4) {
        memcpy(&a4, a.at, 4);
        memcpy(&b4, b.at, 4);
        memcpy(&a_end4, a.at + a.len - 4, 4);
        memcpy(&b_end4, b.at + a.len - 4, 4);
        return ((a4 ^ b4) | (a_end4 ^ b_end4)) == 0;
    }
    /* of three bytes or fewer these are all */
    return a.len == 0 || (a.at[0] == b.at[0] && a.at[a.len / 2] == b.at[a.len / 2]
                          && a.at[a.len - 1] == b.at[a.len - 1]);
}

/* Copies the text to *at, which goes on behind it: for texts that lie in one block with what they are of. */
static inline weir_str_t
weir_str_put(char **at, weir_str_t text)
{
    weir_str_t put = weir_str(*at, text.len);

    if (text.len != 0) {
        memcpy(*at, text.at, text.len);
        *at += text.len;
    }
    return put;
}

bool weir_str_eq_fold(weir_str_t a, weir_str_t b);              /* ASCII case folded */
bool weir_str_starts(weir_str_t s, weir_str_t prefix);
bool weir_str_starts_fold(weir_str_t s, weir_str_t prefix);
bool weir_str_ends(weir_str_t s, weir_str_t suffix);
int  weir_str_cmp(weir_str_t a, weir_str_t b);                  /* bytes, then length */
/* The place of a name among n that are in that order, of which `at` gives each; or where it would be. */
size_t weir_str_place(weir_str_t name, size_t n, weir_str_t (*at)(const void *data, size_t i), const void *data,
                      bool *found);
const char *weir_str_find(weir_str_t s, char c);                /* NULL when absent */
weir_str_t  weir_str_trim(weir_str_t s);                        /* SP and HTAB off both ends */
weir_str_t  weir_str_skip(weir_str_t s, size_t n);              /* without its first n bytes */
/* Of ASCII; all other bytes as they are. */
static inline char weir_char_lower(char c) { return (char) (c >= 'A' && c <= 'Z' ? c | 0x20 : c); }
/* At the first c, which is in neither; false: there is none, head = s and tail is empty. */
bool weir_str_cut(weir_str_t s, char c, weir_str_t *head, weir_str_t *tail);
uint64_t weir_str_hash(weir_str_t s, uint64_t seed);            /* keyed, for tables that clients fill */

/* Whole of s must be decimal digits and fit; no sign, no space, at least one digit. */
bool weir_str_to_u64(weir_str_t s, uint64_t *value) WEIR_MUST_USE;
bool weir_str_hex_to_u64(weir_str_t s, uint64_t *value) WEIR_MUST_USE;

/* Copies owned by the arena; all are also NUL-terminated after len. */
weir_str_t weir_str_dup(weir_arena_t *arena, weir_str_t s);
weir_str_t weir_str_lower(weir_arena_t *arena, weir_str_t s);
weir_str_t weir_str_concat(weir_arena_t *arena, weir_str_t a, weir_str_t b);
weir_str_t weir_str_printf(weir_arena_t *arena, const char *fmt, ...) WEIR_PRINTF(2, 3);
const char *weir_str_to_z(weir_arena_t *arena, weir_str_t s);

/* Edit distance (a swap of neighbours is one edit), for "did you mean".  Above the ceiling: ceiling + 1. */
size_t weir_str_distance(weir_str_t a, weir_str_t b, size_t ceiling);

/* Bytes of an unsigned number in decimal; `out` has room for 20. Returns its end. */
char *weir_str_from_u64(char *out, uint64_t value);
/* msec as "1.234"; out has room for 24. */
char *weir_str_from_seconds(char *out, weir_msec_t t);

#endif
