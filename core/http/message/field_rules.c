/*
 * field_rules.c - see field_rules.h.
 *
 * Pure; runs in workers; allocates nothing.
 */
#include "http/message/field_rules.h"

#include "http/message/syntax.h"

/* -- names -- */

/* Would a reader that takes every odd character for '-' find a name that frames the message? */
static bool
rules_is_framing_alias(weir_str_t name)
{
    char   plain[sizeof("transfer-encoding") - 1];
    size_t i;

    if (name.len > sizeof(plain)) {
        return false;
    }
    for (i = 0; i < name.len; i++) {
        plain[i] = weir_byte_is(name.at[i], WEIR_BYTE_PLAIN) ? name.at[i] : '-';
    }
    switch (weir_header_id(weir_str(plain, name.len))) {
    case WEIR_HEADER_CONTENT_LENGTH:
    case WEIR_HEADER_TRANSFER_ENCODING:
        return true;
    default:
        return false;
    }
}

bool
weir_field_rules_drop(const weir_field_rules_t *rules, weir_str_t name)
{
    size_t i;

    if (rules->drop_aliases && rules_is_framing_alias(name)) {
        return true;
    }
    for (i = 0; rules->drop_odd && i < name.len; i++) {
        if (!weir_byte_is(name.at[i], WEIR_BYTE_PLAIN) && !(name.at[i] == '_' && rules->underscores)) {
            return true;
        }
    }
    return false;
}

/* -- how often -- */

/* Fields of requests of which there is one by definition, and on which something is decided: which client sends it (RFC
 * 9110 §11.6.2) or which one a proxy speaks for, what is sent and whether (§13.1, §14.2, §14.4), what scripts may see.
 * If-Match and If-None-Match are lists, but clients do not send them in parts, and not all servers read them so.  Host
 * and the fields of framing have rules of their own. */
static const bool rules_single[WEIR_HEADER_MAX] = {
    [WEIR_HEADER_AUTHORIZATION] = true,
    [WEIR_HEADER_PROXY_AUTHORIZATION] = true,
    [WEIR_HEADER_CONTENT_RANGE] = true,
    [WEIR_HEADER_IF_MATCH] = true,
    [WEIR_HEADER_IF_MODIFIED_SINCE] = true,
    [WEIR_HEADER_IF_NONE_MATCH] = true,
    [WEIR_HEADER_IF_RANGE] = true,
    [WEIR_HEADER_IF_UNMODIFIED_SINCE] = true,
    [WEIR_HEADER_ORIGIN] = true,
    [WEIR_HEADER_RANGE] = true,
    [WEIR_HEADER_SEC_WEBSOCKET_KEY] = true,
    [WEIR_HEADER_X_REAL_IP] = true,
};

const weir_field_t *
weir_field_rules_find_repeated(const weir_fields_t *fields)
{
    for (uint32_t i = 0; fields->has_many && i < fields->n; i++) {
        if ((fields->at[i].flags & WEIR_FIELD_MANY) != 0 && rules_single[fields->at[i].id]) {
            return &fields->at[i];
        }
    }
    return NULL;
}

/* -- framing -- */

bool
weir_field_rules_read_length(weir_str_t value, uint64_t *length)
{
    return weir_str_to_u64(value, length) && *length <= INT64_MAX && (value.at[0] != '0' || value.len == 1);
}

/* -- trailers -- */

/* Names without an index that must come before the body, or that frameworks take for part of the request line. */
static const weir_str_t rules_no_trailers[] = {
    WEIR_STR_INIT("access-control-"),    WEIR_STR_INIT("alt-svc"),       WEIR_STR_INIT("authentication-"),
    WEIR_STR_INIT("clear-site-data"),    WEIR_STR_INIT("content-"),      WEIR_STR_INIT("cross-origin-"),
    WEIR_STR_INIT("grpc-encoding"),      WEIR_STR_INIT("if-"),           WEIR_STR_INIT("proxy-"),
    WEIR_STR_INIT("sec-"),               WEIR_STR_INIT("set-cookie2"),   WEIR_STR_INIT("x-accel-"),
    WEIR_STR_INIT("x-content-type-"),    WEIR_STR_INIT("x-forwarded"),   WEIR_STR_INIT("x-frame-options"),
    WEIR_STR_INIT("x-http-method"),      WEIR_STR_INIT("x-method-"),     WEIR_STR_INIT("x-original-"),
    WEIR_STR_INIT("x-real-"),            WEIR_STR_INIT("x-rewrite-"),
};

/* Of the names with an index only ETag is meant to follow a body.  Names with other characters than letters, digits
 * and '-' may be another reader's spelling of one that is refused. */
bool
weir_field_rules_may_trail(const weir_field_t *field)
{
    const char *end = field->name.at + field->name.len;
    size_t      i;

    if (field->id != WEIR_HEADER_OTHER) {
        return field->id == WEIR_HEADER_ETAG;
    }
    if (field->name.len == 0 || weir_byte_span(field->name.at, end, WEIR_BYTE_PLAIN) != end) {
        return false;
    }
    for (i = 0; i < weir_countof(rules_no_trailers); i++) {
        if (weir_str_starts_fold(field->name, rules_no_trailers[i])) {
            return false;
        }
    }
    return true;
}
