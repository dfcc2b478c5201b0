/*
 * fields.h - what may stand in an HTTP/2 field, requests' and answers' (RFC 9113 §8.2).
 */
#ifndef WEIR_HTTP_H2_FIELDS_H
#define WEIR_HTTP_H2_FIELDS_H

#include "http/h2/hpack.h"

bool weir_h2_name_ok(weir_str_t name);                   /* a token without upper case */
bool weir_h2_value_ok(weir_str_t value);                 /* no CR, LF, NUL; no white space around it */
/* Fields of one connection (§8.2.2): malformed.  TE is fine when it says trailers. */
bool weir_h2_is_connection_specific(const weir_hpack_field_t *field);

#endif
