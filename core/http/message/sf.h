/*
 * sf.h - structured fields (RFC 9651, which is RFC 8941 with dates): dictionaries are read, and what was read is
 * written in its one form.
 *
 * Stricter than the RFC where two readers may differ: a key that comes twice is an error, base64 must have its padding,
 * and strings for display are not known.  How many values a text may have is the caller's to say; lengths are those of
 * the text.
 *
 * Pure; runs in workers.  Texts without escapes point into what was parsed, others are copied to the arena.
 */
#ifndef WEIR_HTTP_SF_H
#define WEIR_HTTP_SF_H

#include "base/buf.h"

typedef enum {
    WEIR_SF_INTEGER, WEIR_SF_DECIMAL, WEIR_SF_STRING, WEIR_SF_TOKEN, WEIR_SF_BYTES, WEIR_SF_BOOLEAN, WEIR_SF_DATE
} weir_sf_kind_t;

typedef struct {
    weir_sf_kind_t kind;
    weir_str_t     text;         /* of a string, a token, bytes: without escapes, decoded */
    int64_t        number;       /* of an integer, a date; of a decimal its thousandths; of a boolean 0 or 1 */
} weir_sf_value_t;

typedef struct weir_sf_param weir_sf_param_t;
struct weir_sf_param {
    weir_str_t             key;
    weir_sf_value_t        value;
    const weir_sf_param_t *next;         /* NULL: it is the last */
};

typedef struct weir_sf_item weir_sf_item_t;
struct weir_sf_item {
    weir_sf_value_t        value;
    const weir_sf_param_t *params;       /* NULL: none */
    const weir_sf_item_t  *next;
};

/* An entry of a dictionary. */
typedef struct weir_sf_member weir_sf_member_t;
struct weir_sf_member {
    weir_str_t              key;
    bool                    is_list;     /* items; else value */
    weir_sf_value_t         value;
    const weir_sf_item_t   *items;
    const weir_sf_param_t  *params;      /* of the item, or of the list */
    const weir_sf_member_t *next;
};

/* text: the values of all fields of the name, with commas between.  *first NULL: it is empty.  false: it is none, has
 * more than max values of any kind, or there is no memory. */
bool weir_sf_parse_dictionary(weir_arena_t *arena, weir_str_t text, uint32_t max,
                              const weir_sf_member_t **first) WEIR_MUST_USE;

/* NULL: there is none. */
const weir_sf_member_t *weir_sf_find_member(const weir_sf_member_t *first, weir_str_t key);
const weir_sf_param_t  *weir_sf_find_param(const weir_sf_param_t *first, weir_str_t key);

/* As RFC 9651 §4.1 writes them. */
void weir_sf_add_value(weir_buf_t *out, const weir_sf_value_t *value);
void weir_sf_add_params(weir_buf_t *out, const weir_sf_param_t *first);
void weir_sf_add_item(weir_buf_t *out, const weir_sf_item_t *item);
/* Without its key. */
void weir_sf_add_member(weir_buf_t *out, const weir_sf_member_t *member);

#endif
