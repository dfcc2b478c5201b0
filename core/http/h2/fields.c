/*
 * fields.c - what may stand in an HTTP/2 field (RFC 9113 §8.2).  Pure.
 */
#include "http/h2/fields.h"

#include "http/message/syntax.h"

bool
weir_h2_name_ok(weir_str_t name)
{
    const char *end = name.at + name.len;

    if (name.len == 0 || weir_byte_span(name.at, end, WEIR_BYTE_TOKEN) != end) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] >= 'A' && name.at[i] <= 'Z') {
            return false;
        }
    }
    return true;
}

bool
weir_h2_value_ok(weir_str_t value)
{
    const char *end = value.at + value.len;

    if (value.len == 0) {
        return true;
    }
    return weir_byte_span_value(value.at, end) == end && value.at[0] != ' ' && value.at[0] != '\t' && end[-1] != ' '
           && end[-1] != '\t';
}

/* Fields of one connection (§8.2.2). */
bool
weir_h2_is_connection_specific(const weir_hpack_field_t *field)
{
    switch ((weir_header_id_t) field->id) {
    case WEIR_HEADER_CONNECTION: case WEIR_HEADER_KEEP_ALIVE: case WEIR_HEADER_PROXY_CONNECTION:
    case WEIR_HEADER_TRANSFER_ENCODING: case WEIR_HEADER_UPGRADE: case WEIR_HEADER_HTTP2_SETTINGS:
        return true;
    case WEIR_HEADER_TE:
        return !weir_str_eq_fold(field->value, WEIR_STR("trailers"));
    default:
        return false;
    }
}
