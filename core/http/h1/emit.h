/*
 * emit.h - the one place where HTTP/1.1 heads are written, for both directions.  A value with a control
 * other than a tab marks the buffer full, so that the head is never sent.
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
/* Copies; refuses controls other than tabs. */
void weir_emit_text(weir_buf_t *b, weir_str_t text);

#endif
