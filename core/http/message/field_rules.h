/*
 * field_rules.h - what holds of header fields in every wire format: which are dropped for their names, which may come
 * once only, which may follow a body (RFC 9110 §5, §6.5.1).
 */
#ifndef WEIR_HTTP_FIELD_RULES_H
#define WEIR_HTTP_FIELD_RULES_H

#include "http/message/fields.h"

/* What becomes of names that are tokens but not letters, digits and '-'. */
typedef struct {
    bool drop_odd;
    bool underscores;     /* '_' is not odd */
    bool drop_aliases;    /* Content_Length and the like go, whatever the above says */
} weir_field_rules_t;

/* A name of token characters: is the field dropped for it? */
bool weir_field_rules_drop(const weir_field_rules_t *rules, weir_str_t name);
/* Of a request: the first of the fields that may come once only and came more than once; NULL: none did.
 * Readers differ in which of them they take: a guard would let in one client, and the peer would believe another. */
const weir_field_t *weir_field_rules_find_repeated(const weir_fields_t *fields);
/* The value of a Content-Length: decimal digits without a leading zero, in what a file offset holds.  false: it is
 * none. */
bool weir_field_rules_read_length(weir_str_t value, uint64_t *length) WEIR_MUST_USE;
/* May this field stand in trailers?  No: framing, routing, authentication, content description, Set-Cookie. */
bool weir_field_rules_may_trail(const weir_field_t *field);

#endif
