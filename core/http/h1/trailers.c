/*
 * trailers.c - the fields behind a chunked body, and which of them may be believed (RFC 9110 §6.5.1, RFC 9112 §7.1.2).
 *
 * Runs in workers; allocates nothing but the row of fields.
 */
#include "http/h1/parse_common.h"

/* Names without an index that must come before the body, or that frameworks take for part of the request line. */
static const weir_str_t trailers_refused[] = {
    WEIR_STR_INIT("access-control-"),    WEIR_STR_INIT("alt-svc"),       WEIR_STR_INIT("authentication-"),
    WEIR_STR_INIT("clear-site-data"),    WEIR_STR_INIT("content-"),      WEIR_STR_INIT("cross-origin-"),
    WEIR_STR_INIT("grpc-encoding"),      WEIR_STR_INIT("if-"),           WEIR_STR_INIT("proxy-"),
    WEIR_STR_INIT("sec-"),               WEIR_STR_INIT("set-cookie2"),   WEIR_STR_INIT("x-accel-"),
    WEIR_STR_INIT("x-content-type-"),    WEIR_STR_INIT("x-forwarded"),   WEIR_STR_INIT("x-frame-options"),
    WEIR_STR_INIT("x-http-method"),      WEIR_STR_INIT("x-method-"),     WEIR_STR_INIT("x-original-"),
    WEIR_STR_INIT("x-real-"),            WEIR_STR_INIT("x-rewrite-"),
};

/* Of the names with an index only ETag is meant to follow a body.  Names with other characters than letters, digits
 * and '-' may be somebody's spelling of one that is refused. */
bool
weir_h1_trailer_allowed(const weir_field_t *field)
{
    const char *end = field->name.at + field->name.len;
    size_t      i;

    if (field->id != WEIR_HEADER_OTHER) {
        return field->id == WEIR_HEADER_ETAG;
    }
    if (field->name.len == 0 || weir_byte_span(field->name.at, end, WEIR_BYTE_PLAIN) != end) {
        return false;
    }
    for (i = 0; i < weir_countof(trailers_refused); i++) {
        if (weir_str_starts_fold(field->name, trailers_refused[i])) {
            return false;
        }
    }
    return true;
}

weir_h1_reason_t
weir_h1_parse_trailers(weir_fields_t *fields, weir_str_t lines, uint32_t max_fields, weir_arena_t *arena)
{
    h1_fields_t rules = { .drop_odd = false, .drop_aliases = true, .max_fields = max_fields };

    if (lines.len == 0 || weir_str_eq(lines, WEIR_STR("\r\n"))) {
        return WEIR_H1_OK;
    }
    if (!weir_h1_is_whole(lines)) {
        return WEIR_H1_BAD_FIELD_VALUE;
    }
    return weir_h1_parse_fields(fields, &rules, lines.at, lines.at + lines.len, arena);
}
