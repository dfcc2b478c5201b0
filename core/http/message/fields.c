/*
 * fields.c - see fields.h: a growing row of slices, and for every known name where its first one is.
 *
 * Runs in workers; the row is in the arena given, an old row stays there when it grows.
 */
#include "http/message/fields.h"

#define FIELDS_FIRST_ROOM 32

void
weir_fields_reset(weir_fields_t *fields)
{
    fields->n = 0;
    fields->has_many = false;
    memset(fields->first, 0, sizeof(fields->first));
}

bool
weir_fields_grow(weir_fields_t *fields, weir_arena_t *arena)
{
    uint32_t      cap = fields->cap != 0 ? fields->cap * 2 : FIELDS_FIRST_ROOM;
    weir_field_t *at;

    weir_assert(fields->n <= fields->cap);
    if (cap < fields->cap || (at = weir_try_alloc(arena, cap * sizeof(*at))) == NULL) {
        return false;
    }
    if (fields->n != 0) {
        memcpy(at, fields->at, fields->n * sizeof(*at));
    }
    weir_assert(cap > fields->n);
    fields->at = at;
    fields->cap = cap;
    return true;
}

static bool
fields_same_name(const weir_field_t *field, weir_header_id_t id, weir_str_t name)
{
    return field->id == id && (id != WEIR_HEADER_OTHER || weir_str_eq_fold(field->name, name));
}

/* The first field from index i on with this name. */
static weir_field_t *
fields_find_from(const weir_fields_t *fields, size_t i, weir_header_id_t id, weir_str_t name)
{
    for (; i < fields->n; i++) {
        if (fields_same_name(&fields->at[i], id, name)) {
            return &fields->at[i];
        }
    }
    return NULL;
}

weir_field_t *
weir_fields_find_far(const weir_fields_t *fields, weir_header_id_t id)
{
    return fields_find_from(fields, WEIR_FIELDS_FAR - 1, id, WEIR_STR_NONE);
}

weir_field_t *
weir_fields_find_next(const weir_fields_t *fields, const weir_field_t *after)
{
    weir_assert(after >= fields->at && after < fields->at + fields->n);
    return fields_find_from(fields, (size_t) (after - fields->at) + 1, (weir_header_id_t) after->id, after->name);
}

weir_field_t *
weir_fields_find(const weir_fields_t *fields, weir_str_t name)
{
    weir_header_id_t id = weir_header_id(name);

    return id != WEIR_HEADER_OTHER ? weir_fields_first(fields, id) : fields_find_from(fields, 0, id, name);
}

weir_str_t
weir_fields_join(const weir_fields_t *fields, weir_str_t name, weir_arena_t *arena)
{
    const weir_field_t *first = weir_fields_find(fields, name), *field;
    size_t              len;
    char               *text, *at;

    if (first == NULL) {
        return WEIR_STR_NONE;
    }
    if (weir_fields_next(fields, first) == NULL) {
        return first->value;
    }
    for (len = 0, field = first; field != NULL; field = weir_fields_next(fields, field)) {
        len += field->value.len + 2;
    }
    text = at = weir_alloc_bytes(arena, len);
    for (field = first; field != NULL; field = weir_fields_next(fields, field)) {
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
