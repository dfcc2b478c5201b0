/*
 * fields.h - the header fields of one message: slices of memory that the message owns, in the order in which they came.
 */
#ifndef WEIR_HTTP_FIELDS_H
#define WEIR_HTTP_FIELDS_H

#include "http/message/header.h"

typedef struct {
    weir_str_t name;         /* as received */
    weir_str_t value;        /* without outer SP and HTAB */
    uint16_t   id;           /* weir_header_id_t */
    uint16_t   flags;        /* WEIR_FIELD_* */
} weir_field_t;

enum {
    WEIR_FIELD_DROP = 1,     /* not to be sent on */
    WEIR_FIELD_HOP  = 2,     /* hop by hop: named by Connection, or by nature (RFC 9110 §7.6.1) */
    /* of a known name's first field: there are others.  Set when they are added, and nowhere else */
    WEIR_FIELD_MANY = 4,
    /* no control but tabs is in name and value: the code that sets it has looked at each byte (a parser, as it comes)
     * or reads them from the configuration, which was looked at.  Goes when the value does: weir_field_set_value */
    WEIR_FIELD_CLEAN = 8,
};

typedef struct {
    weir_field_t *at;
    uint32_t      n, cap;
    bool          has_many;                /* a known name came more than once */
    /* index + 1 of the first field of an id; 0: none; WEIR_FIELDS_FAR: at that index or behind it */
    uint8_t       first[WEIR_HEADER_MAX];
} weir_fields_t;

#define WEIR_FIELDS_FAR 255

/* Another value in place of the field's, from wherever. */
static inline void
weir_field_set_value(weir_field_t *field, weir_str_t value)
{
    field->value = value;
    field->flags &= (uint16_t) ~WEIR_FIELD_CLEAN;
}

void weir_fields_reset(weir_fields_t *fields);                         /* n = 0; keeps room */
/* What the functions below do when the near place does not say it. */
bool          weir_fields_grow(weir_fields_t *fields, weir_arena_t *arena);
weir_field_t *weir_fields_find_far(const weir_fields_t *fields, weir_header_id_t id);
weir_field_t *weir_fields_find_next(const weir_fields_t *fields, const weir_field_t *after);

/* The first of a known name; NULL: there is none. */
static inline weir_field_t *
weir_fields_first(const weir_fields_t *fields, weir_header_id_t id)
{
    uint8_t first = fields->first[id];

    if (first == 0) {
        return NULL;
    }
    return weir_likely(first != WEIR_FIELDS_FAR) ? &fields->at[first - 1] : weir_fields_find_far(fields, id);
}

/* id: of that name, WEIR_HEADER_OTHER only when it has none. Grows by doubling in the arena (32 at first); NULL when
 * there is no memory or n would pass `limit` (0: none). */
static inline weir_field_t *
weir_fields_add(weir_fields_t *fields, weir_arena_t *arena, weir_header_id_t id, weir_str_t name, weir_str_t value,
                uint32_t limit)
{
    weir_field_t *field;

    if ((limit != 0 && fields->n >= limit)
        || (weir_unlikely(fields->n == fields->cap) && !weir_fields_grow(fields, arena)))
    {
        return NULL;
    }
    field = &fields->at[fields->n++];
    *field = (weir_field_t) { .name = name, .value = value, .id = (uint16_t) id };
    if (id != WEIR_HEADER_OTHER) {
        if (weir_likely(fields->first[id] == 0)) {
            fields->first[id] = (uint8_t) (fields->n < WEIR_FIELDS_FAR ? fields->n : WEIR_FIELDS_FAR);
        } else {
            weir_fields_first(fields, id)->flags |= WEIR_FIELD_MANY;
            fields->has_many = true;
        }
    }
    return field;
}

/* The next of the same name; NULL: there is none. */
static inline weir_field_t *
weir_fields_next(const weir_fields_t *fields, const weir_field_t *after)
{
    if (after->id != WEIR_HEADER_OTHER
        && (weir_fields_first(fields, (weir_header_id_t) after->id)->flags & WEIR_FIELD_MANY) == 0)
    {
        return NULL;
    }
    return weir_fields_find_next(fields, after);
}
weir_field_t *weir_fields_find(const weir_fields_t *fields, weir_str_t name);             /* any case */
/* All values of a name joined with ", " (";" + SP for cookie) as one text (the value itself when it is the only
 * one); not found: at == NULL. */
weir_str_t    weir_fields_join(const weir_fields_t *fields, weir_str_t name, weir_arena_t *arena);

#endif
