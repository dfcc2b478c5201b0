/*
 * emit.h - the one place where HTTP/1.1 heads are written, for both directions.  A control other than a tab, in
 * whatever comes, marks the buffer full, so that the head is never sent.  Each byte is looked at once: what a parser
 * took (WEIR_FIELD_CLEAN) is not looked at again.
 */
#ifndef WEIR_HTTP_H1_EMIT_H
#define WEIR_HTTP_H1_EMIT_H

#include "base/buf.h"

/* "HTTP/1.1 200 OK\r\n"; an empty reason: the standard one. */
void weir_emit_status(weir_buf_t *b, uint16_t status, weir_str_t reason);
/* "GET /x HTTP/1.1\r\n" */
void weir_emit_request_line(weir_buf_t *b, weir_str_t method, weir_str_t target, bool http_1_0);
/* "Name: value\r\n" */
void weir_emit_field(weir_buf_t *b, weir_str_t name, weir_str_t value);
/* The same for what is known to have no control: a field with WEIR_FIELD_CLEAN, a text of Weir's own. */
void weir_emit_clean_field(weir_buf_t *b, weir_str_t name, weir_str_t value);

static inline void
weir_emit_field_as(weir_buf_t *b, weir_str_t name, weir_str_t value, bool is_clean)
{
    if (is_clean) {
        weir_emit_clean_field(b, name, value);
    } else {
        weir_emit_field(b, name, value);
    }
}

#endif
