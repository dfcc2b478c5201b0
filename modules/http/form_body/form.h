/*
 * form.h - two readers of forms: application/x-www-form-urlencoded (WHATWG URL §5.1) and multipart/form-data (RFC 7578,
 * RFC 2046 §5.1), of bodies that come in pieces.
 *
 * They keep nothing of what they read; they say whether it is well-formed, in one way for all readers, and within
 * limits.  What two readers may read differently is refused.
 *
 * Pure; run in workers; allocate nothing: room for a part's head is the caller's.
 */
#ifndef WEIR_FORM_BODY_FORM_H
#define WEIR_FORM_BODY_FORM_H

#include "http/message/media_type.h"

typedef enum {
    FORM_GOOD,
    FORM_MALFORMED,
    FORM_LIMIT,
    FORM_FILENAME,                               /* the name of a file is one that may not be */
    FORM_FILE_TYPE,                              /* … its type */
} form_fault_t;

typedef struct {
    uint32_t            max_fields, max_files;   /* fields: files among them */
    uint64_t            max_name, max_value, max_file, max_head;     /* bytes; head: of a part */
    weir_media_ranges_t types;                   /* of files; n 0: all */
} form_limits_t;

/* What is wrong, and in which words (constant text). */
typedef struct { form_fault_t fault; const char *why; } form_verdict_t;

/* The bytes so far of one character of UTF-8. */
typedef struct { uint8_t left, low, high; } form_utf8_t;

/* -- urlencoded.c -- */

typedef struct {
    const form_limits_t *limits;
    form_verdict_t       verdict;
    form_utf8_t          utf8;
    uint32_t             fields;
    uint64_t             len;                    /* of the name or the value so far, decoded */
    uint8_t              digits, byte;           /* of an encoded byte that are still to come, and what it is so far */
    bool                 is_begun, is_value;
} form_urlencoded_t;

void form_urlencoded_begin(form_urlencoded_t *form, const form_limits_t *limits);
/* Each false: form->verdict says why. */
bool form_urlencoded_feed(form_urlencoded_t *form, weir_str_t bytes) WEIR_MUST_USE;
bool form_urlencoded_end(form_urlencoded_t *form) WEIR_MUST_USE;

/* -- multipart.c -- */

#define FORM_BOUNDARY_MAX 70

typedef enum {
    FORM_AT_START,                               /* the first boundary */
    FORM_AT_MARK,                                /* behind a boundary: a line's end, or "--" */
    FORM_AT_HEAD,                                /* of a part */
    FORM_AT_BODY,
    FORM_AT_END,                                 /* behind the last boundary */
} form_place_t;

typedef struct {
    const form_limits_t *limits;
    form_verdict_t       verdict;
    form_place_t         place;
    char                 mark[FORM_BOUNDARY_MAX + 2];    /* "--" and the boundary */
    size_t               n_mark;
    char                *head;                   /* max_head bytes */
    size_t               n_head;
    size_t               matched;                /* of the mark, since the line began; NONE: it is another line */
    size_t               n_tail;                 /* bytes behind a boundary */
    char                 tail[4];
    char                 last;                   /* the byte before */
    bool                 line_has_cr;            /* the line began behind CR LF */
    bool                 is_file;
    uint64_t             len;                    /* of the part's body so far, with what may be a boundary */
    uint32_t             fields, files;
} form_multipart_t;

/* The boundary of a Content-Type's parameters.  false: there is none, or it is none. */
bool form_multipart_boundary(weir_str_t parameters, weir_str_t *boundary) WEIR_MUST_USE;
/* head: room of limits->max_head bytes. */
void form_multipart_begin(form_multipart_t *form, const form_limits_t *limits, weir_str_t boundary, char *head);
bool form_multipart_feed(form_multipart_t *form, weir_str_t bytes) WEIR_MUST_USE;
bool form_multipart_end(form_multipart_t *form) WEIR_MUST_USE;

/* -- for both -- */

static inline bool
form_wrong(form_verdict_t *verdict, form_fault_t fault, const char *why)
{
    *verdict = (form_verdict_t) { fault, why };
    return false;
}

#endif
