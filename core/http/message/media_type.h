/*
 * media_type.h - what Content-Type says: one type and its parameters (RFC 9110 §8.3.1), read strictly; and parameters
 * of other fields that are written so (Content-Disposition).
 *
 * Pure; runs in workers; allocates nothing.
 */
#ifndef WEIR_HTTP_MEDIA_TYPE_H
#define WEIR_HTTP_MEDIA_TYPE_H

#include "http/message/fields.h"
#include "http/message/syntax.h"

typedef struct {
    weir_str_t type;                     /* "text/plain", as written */
    weir_str_t parameters;               /* behind it, from the first ';' on */
} weir_media_type_t;

/* false: it is none: no type, more than one, a parameter that is broken or stands twice. */
bool weir_media_type_read(weir_str_t value, weir_media_type_t *media) WEIR_MUST_USE;

/* The Content-Type of a message; at NULL: it has none.  false: it has several.  Readers take the first one, or the
 * last: joined they would be one value where the first ends within quotes and the last begins there. */
bool weir_media_type_field(const weir_fields_t *fields, weir_str_t *value) WEIR_MUST_USE;

/* The next of "; name=value; name="quoted"".  OK · EOF: there is none · ERROR: it is broken.  What stands in quotes is
 * given without them; a backslash in it is an error, for readers differ in what it means in names of files. */
weir_io_t weir_media_type_next(weir_str_t *parameters, weir_str_t *name, weir_str_t *value) WEIR_MUST_USE;

/* What a configuration takes: "image/png", "image/" of all images, "+json" of all that end so. */
typedef enum { WEIR_MEDIA_WHOLE, WEIR_MEDIA_OF_TYPE, WEIR_MEDIA_WITH_SUFFIX } weir_media_kind_t;
typedef struct { weir_str_t text; weir_media_kind_t kind; } weir_media_range_t;
typedef struct { weir_media_range_t *at; size_t n; } weir_media_ranges_t;

/* "image/png", "image" and a star, "+json"; the text is kept.  false: it is none of these. */
bool weir_media_range_read(weir_str_t text, weir_media_range_t *range) WEIR_MUST_USE;
/* Is the type one of them? */
bool weir_media_ranges_have(const weir_media_ranges_t *ranges, weir_str_t type);

#endif
