/*
 * vars.c - see vars.h.  Runs in workers; memory is the request's arena.
 */
#include "http/vars/vars.h"

#define VARS_NAME_MAX 64          /* of a known field's name */

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

static char
vars_fold(char c)
{
    return c == '-' ? '_' : weir_char_lower(c);
}

static bool
vars_same_name(weir_str_t field, weir_str_t suffix)
{
    if (field.len != suffix.len) {
        return false;
    }
    for (size_t i = 0; i < field.len; i++) {
        if (vars_fold(field.at[i]) != vars_fold(suffix.at[i])) {
            return false;
        }
    }
    return true;
}

/* The id of a well-known name, so that most look-ups need not go through all fields. */
static weir_header_id_t
vars_field_id(weir_str_t suffix)
{
    char name[VARS_NAME_MAX];

    if (suffix.len > sizeof(name)) {
        return WEIR_HEADER_OTHER;
    }
    for (size_t i = 0; i < suffix.len; i++) {
        name[i] = suffix.at[i] == '_' ? '-' : suffix.at[i];
    }
    return weir_header_id(weir_str(name, suffix.len));
}

static const weir_field_t *
vars_field_from(const weir_fields_t *fields, uint32_t i, weir_str_t suffix, bool sent)
{
    for (; i < fields->n; i++) {
        const weir_field_t *field = &fields->at[i];
        if (vars_same_name(field->name, suffix) && !(sent && (field->flags & WEIR_FIELD_DROP))) {
            return field;
        }
    }
    return NULL;
}

static const weir_field_t *
vars_field_after(const weir_fields_t *fields, const weir_field_t *field, weir_str_t suffix, bool sent)
{
    weir_assert(field >= fields->at && field < fields->at + fields->n);
    return vars_field_from(fields, (uint32_t) (field - fields->at) + 1, suffix, sent);
}

static void
vars_join(const weir_fields_t *fields, const weir_field_t *first, weir_str_t suffix, bool sent, weir_arena_t *arena,
          weir_str_t *value)
{
    size_t len = 0;
    char *at, *text;
    const weir_field_t *field;

    for (field = first; field != NULL; field = vars_field_after(fields, field, suffix, sent)) {
        len += field->value.len + 2;
    }
    at = text = weir_alloc_bytes(arena, len);
    for (field = first; field != NULL; field = vars_field_after(fields, field, suffix, sent)) {
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
    *value = weir_str(text, (size_t) (at - text));
}

bool
weir_vars_field(const weir_fields_t *fields, weir_str_t suffix, bool sent, weir_arena_t *arena, weir_str_t *value)
{
    weir_header_id_t id = vars_field_id(suffix);
    const weir_field_t *known = weir_fields_first(fields, id), *first;

    if (id != WEIR_HEADER_OTHER && known == NULL) {
        return false;
    }
    first = vars_field_from(fields, known != NULL ? (uint32_t) (known - fields->at) : 0, suffix, sent);
    if (first == NULL) {
        return false;
    }
    if (vars_field_after(fields, first, suffix, sent) == NULL) {
        *value = first->value;
    } else {
        vars_join(fields, first, suffix, sent, arena, value);
    }
    return true;
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
