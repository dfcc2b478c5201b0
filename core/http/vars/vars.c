/*
 * vars.c - see vars.h.  Runs in workers; memory is the request's arena.
 */
#include "http/vars/vars.h"

bool
weir_vars_number(weir_arena_t *arena, uint64_t number, weir_str_t *value)
{
    char *text = weir_alloc_bytes(arena, 20);

    *value = weir_str(text, (size_t) (weir_str_from_u64(text, number) - text));
    return true;
}

bool
weir_vars_seconds(weir_arena_t *arena, weir_msec_t duration, weir_str_t *value)
{
    char *text = weir_alloc_bytes(arena, 24);

    *value = weir_str(text, (size_t) (weir_str_from_seconds(text, duration) - text));
    return true;
}

/* -- fields -- */

/* What a suffix names.  name: with dashes, in lower case. */
typedef struct { weir_header_id_t id; weir_str_t name, suffix; } vars_field_t;

const void *
weir_vars_bind_field(weir_arena_t *arena, weir_str_t suffix)
{
    vars_field_t *made = weir_new(arena, vars_field_t);
    char         *name = weir_alloc_bytes(arena, suffix.len);

    for (size_t i = 0; i < suffix.len; i++) {
        name[i] = suffix.at[i] == '_' ? '-' : suffix.at[i];
    }
    made->suffix = suffix;
    made->name = weir_str(name, suffix.len);
    made->id = weir_header_id(made->name);
    return made;
}

static bool
vars_spells(weir_str_t name, weir_str_t suffix)
{
    for (size_t i = 0; i < name.len; i++) {
        if ((name.at[i] == '-' ? '_' : weir_char_lower(name.at[i])) != suffix.at[i]) {
            return false;
        }
    }
    return true;
}

/* (A field of a known name has no underscores, and so has one with the name sought the id sought, or none.) */
static inline bool
vars_is_field(const weir_field_t *field, const vars_field_t *sought)
{
    weir_assert(field->name.len == sought->name.len);
    if (field->id != WEIR_HEADER_OTHER) {
        return field->id == sought->id;
    }
    return (field->name.len >= 2 && weir_header_same(field->name.at, sought->name.at, field->name.len))
        || vars_spells(field->name, sought->suffix);
}

/* The next one that counts, from this place on. */
static inline const weir_field_t *
vars_field_from(const weir_fields_t *fields, const weir_field_t *field, const vars_field_t *sought, bool sent)
{
    for (const weir_field_t *end = fields->n != 0 ? fields->at + fields->n : field; field < end; field++) {
        if (weir_unlikely(field->name.len == sought->name.len) && vars_is_field(field, sought)
            && !(sent && (field->flags & WEIR_FIELD_DROP)))
        {
            return field;
        }
    }
    return NULL;
}

static __attribute__((noinline)) weir_str_t
vars_join(const weir_fields_t *fields, const weir_field_t *first, const vars_field_t *sought, bool sent,
          weir_arena_t *arena)
{
    size_t len = 0;
    char *at, *text;
    const weir_field_t *field;

    for (field = first; field != NULL; field = vars_field_from(fields, field + 1, sought, sent)) {
        len += field->value.len + 2;
    }
    at = text = weir_alloc_bytes(arena, len);
    for (field = first; field != NULL; field = vars_field_from(fields, field + 1, sought, sent)) {
        if (field != first) {
            *at++ = first->id == WEIR_HEADER_COOKIE ? ';' : ',';
            *at++ = ' ';
        }
        if (field->value.len != 0) {
            memcpy(at, field->value.at, field->value.len);
            at += field->value.len;
        }
    }
    weir_assert((size_t) (at - text) <= len);
    return weir_str(text, (size_t) (at - text));
}

bool
weir_vars_field(const weir_fields_t *fields, const weir_var_ref_t *ref, bool sent, weir_arena_t *arena,
                weir_str_t *value)
{
    const vars_field_t *sought = ref->bound;
    const weir_field_t *field = fields->at, *first = NULL;

    weir_assert(sought != NULL);                     /* the row says what binds */
    if (sought->id != WEIR_HEADER_OTHER) {
        field = weir_fields_first(fields, sought->id);
        if (field == NULL) {
            return false;
        }
    }
    while ((field = vars_field_from(fields, field, sought, sent)) != NULL) {
        if (weir_unlikely(first != NULL)) {
            *value = vars_join(fields, first, sought, sent, arena);
            return true;
        }
        first = field++;
        *value = first->value;
    }
    return first != NULL;
}

bool
weir_vars_cookie(weir_str_t text, weir_str_t name, bool first_only, weir_str_t *value)
{
    weir_str_t pair, key, rest;

    do {
        (void) weir_str_cut(text, ';', &pair, &text);
        if (weir_str_cut(weir_str_trim(pair), '=', &key, &rest) && weir_str_eq_fold(weir_str_trim(key), name)) {
            *value = weir_str_trim(rest);
            return true;
        }
    } while (text.len != 0 && !first_only);
    return false;
}
