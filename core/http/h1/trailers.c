/*
 * trailers.c - the fields behind a chunked body (RFC 9112 §7.1.2).
 *
 * Runs in workers; allocates nothing but the row of fields.
 */
#include "http/h1/parse_common.h"

weir_h1_reason_t
weir_h1_parse_trailers(weir_fields_t *fields, weir_str_t lines, uint32_t max_fields, weir_arena_t *arena)
{
    h1_fields_t rules = { .names.drop_aliases = true, .max_fields = max_fields };

    if (lines.len == 0 || weir_str_eq(lines, WEIR_STR("\r\n"))) {
        return WEIR_H1_OK;
    }
    if (!weir_h1_is_whole(lines)) {
        return WEIR_H1_BAD_FIELD_VALUE;
    }
    return weir_h1_parse_fields(fields, &rules, lines.at, lines.at + lines.len, arena);
}
