/*
 * parse_common.c - field lines, framing and Connection of a head (RFC 9112 §5, §6; RFC 9110 §7.6.1); reasons.
 *
 * Runs in workers; allocates nothing but the row of fields.  Heads end in CRLFCRLF (the callers look), so a loop that
 * stops at a control character always stops inside the head.
 */
#include "http/h1/parse_common.h"

#define COMMON_MAX_NAMED 64    /* fields that Connection may name */

const char *
weir_h1_reason_text(weir_h1_reason_t reason)
{
    static const char *const texts[WEIR_H1_REASON_MAX] = {
        [WEIR_H1_OK] = "ok",
        [WEIR_H1_BAD_REQUEST_LINE] = "invalid request line",
        [WEIR_H1_BAD_METHOD] = "invalid method",
        [WEIR_H1_BAD_TARGET] = "invalid request target",
        [WEIR_H1_BAD_VERSION] = "invalid protocol version",
        [WEIR_H1_VERSION_UNSUPPORTED] = "unsupported protocol version",
        [WEIR_H1_BAD_STATUS_LINE] = "invalid status line",
        [WEIR_H1_BAD_STATUS] = "invalid status code",
        [WEIR_H1_BAD_FIELD_NAME] = "invalid header name",
        [WEIR_H1_BAD_FIELD_VALUE] = "invalid header value",
        [WEIR_H1_NO_COLON] = "header line without a colon",
        [WEIR_H1_SPACE_BEFORE_COLON] = "space before the colon of a header",
        [WEIR_H1_OBS_FOLD] = "folded header line",
        [WEIR_H1_BAD_CONTENT_LENGTH] = "invalid \"Content-Length\" header",
        [WEIR_H1_TWO_CONTENT_LENGTHS] = "more than one \"Content-Length\" header",
        [WEIR_H1_LENGTH_AND_CODING] = "\"Content-Length\" and \"Transfer-Encoding\" headers at the same time",
        [WEIR_H1_BAD_TRANSFER_CODING] = "invalid \"Transfer-Encoding\" header",
        [WEIR_H1_UNKNOWN_TRANSFER_CODING] = "unknown \"Transfer-Encoding\"",
        [WEIR_H1_CODING_IN_1_0] = "\"Transfer-Encoding\" header in HTTP/1.0",
        [WEIR_H1_NO_HOST] = "no \"Host\" header in HTTP/1.1",
        [WEIR_H1_TWO_HOSTS] = "more than one \"Host\" header",
        [WEIR_H1_REPEATED_FIELD] = "a field that may come once only came again",
        [WEIR_H1_BAD_HOST] = "invalid \"Host\" header",
        [WEIR_H1_HOST_MISMATCH] = "\"Host\" header differs from the request target",
        [WEIR_H1_TOO_MANY_FIELDS] = "too many headers",
        [WEIR_H1_MIXED_LINE_ENDS] = "lines that end in CRLF and in LF",
        [WEIR_H1_NO_MEMORY] = "no memory",
    };

    return (unsigned) reason < WEIR_H1_REASON_MAX ? texts[reason] : "?";
}

weir_h1_reason_t
weir_h1_parse_version(const char *at, uint8_t *minor)
{
    if (memcmp(at, "HTTP/", 5) != 0 || at[5] < '0' || at[5] > '9' || at[6] != '.' || at[7] < '0' || at[7] > '9') {
        return WEIR_H1_BAD_VERSION;
    }
    if (at[5] > '1') {
        return WEIR_H1_VERSION_UNSUPPORTED;
    }
    *minor = at[7] != '0';
    return at[5] == '1' ? WEIR_H1_OK : WEIR_H1_BAD_VERSION;
}

/* --- field lines --- */

/* Why the name that begins the line does not end, at `stop`, in a colon.  The line has an LF. */
static weir_h1_reason_t
common_why_no_name(const char *line, const char *stop, const char *end)
{
    const char *lf = memchr(stop, '\n', (size_t) (end - stop));
    const char *at = stop;

    weir_assert(line <= stop && stop < end);
    if (stop == line && (*stop == ' ' || *stop == '\t')) {
        return WEIR_H1_OBS_FOLD;
    }
    while (*at == ' ' || *at == '\t') {
        at++;
    }
    if (at > stop && *at == ':') {
        return WEIR_H1_SPACE_BEFORE_COLON;
    }
    if (lf != NULL && memchr(stop, ':', (size_t) (lf - stop)) == NULL) {
        return WEIR_H1_NO_COLON;
    }
    return WEIR_H1_BAD_FIELD_NAME;
}

static weir_str_t
common_trim(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    while (at < end && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return weir_str(at, (size_t) (end - at));
}

/* One line at *line, which is moved behind its CRLF. */
static weir_h1_reason_t
common_parse_field(weir_fields_t *fields, h1_fields_t *rules, const char **line, const char *end, weir_arena_t *arena)
{
    const char *colon = weir_byte_span_plain(*line, end), *cr;
    uint8_t     class, all = 0xff;
    weir_str_t  name, value;
    weir_field_t *field;

    if (weir_unlikely(*colon != ':')) {
        /* before the end, as the head ends in CRLF: a token that is not plain, or no name */
        for (colon = *line; (class = weir_byte(*colon)) & WEIR_BYTE_TOKEN; colon++) {
            all &= class;
        }
    }
    if (*colon != ':' || colon == *line) {
        return common_why_no_name(*line, colon, end);
    }
    cr = weir_byte_span_value(colon + 1, end);
    if (cr + 1 >= end || cr[0] != '\r' || cr[1] != '\n') {
        return WEIR_H1_BAD_FIELD_VALUE;
    }
    name = weir_str(*line, (size_t) (colon - *line));
    *line = cr + 2;
    if (weir_unlikely(!(all & WEIR_BYTE_PLAIN)) && weir_field_rules_drop(&rules->names, name)) {
        rules->dropped++;
        return WEIR_H1_OK;
    }
    value = common_trim(colon + 1, cr);
    field = weir_fields_add(fields, arena, weir_header_id(name), name, value, rules->max_fields);
    if (weir_likely(field != NULL)) {
        field->flags = WEIR_FIELD_CLEAN;
        return WEIR_H1_OK;
    }
    return rules->max_fields != 0 && fields->n >= rules->max_fields ? WEIR_H1_TOO_MANY_FIELDS : WEIR_H1_NO_MEMORY;
}

weir_h1_reason_t
weir_h1_parse_fields(weir_fields_t *fields, h1_fields_t *rules, const char *at, const char *end, weir_arena_t *arena)
{
    weir_h1_reason_t reason;

    weir_assert(at <= end);
    while (end - at > 2) {
        reason = common_parse_field(fields, rules, &at, end, arena);
        if (reason != WEIR_H1_OK) {
            return reason;
        }
    }
    return end - at == 2 && at[0] == '\r' && at[1] == '\n' ? WEIR_H1_OK : WEIR_H1_BAD_FIELD_NAME;
}

/* --- framing --- */

/* `chunked`, alone but for empty members.  A clean list of other codings is unknown; everything else is bad. */
static weir_h1_reason_t
common_parse_coding(weir_str_t value)
{
    weir_str_t member;
    unsigned   chunked = 0, other = 0;
    bool       more;

    do {
        more = weir_str_cut(value, ',', &member, &value);
        member = weir_str_trim(member);
        if (member.len == 0) {
            continue;
        }
        if (!weir_syntax_is_token(member)) {
            return WEIR_H1_BAD_TRANSFER_CODING;
        }
        if (weir_str_eq_fold(member, WEIR_STR("chunked"))) {
            chunked++;
        } else {
            other++;
        }
    } while (more);

    if (chunked == 1 && other == 0) {
        return WEIR_H1_OK;
    }
    return chunked == 0 && other != 0 ? WEIR_H1_UNKNOWN_TRANSFER_CODING : WEIR_H1_BAD_TRANSFER_CODING;
}

weir_h1_reason_t
weir_h1_parse_framing(const weir_fields_t *fields, unsigned minor, uint64_t *content_length, bool *chunked)
{
    const weir_field_t *length = weir_fields_first(fields, WEIR_HEADER_CONTENT_LENGTH);
    const weir_field_t *coding = weir_fields_first(fields, WEIR_HEADER_TRANSFER_ENCODING);
    weir_h1_reason_t    reason;

    *content_length = WEIR_LENGTH_NONE;
    *chunked = false;
    if (length != NULL && weir_fields_next(fields, length) != NULL) {
        return WEIR_H1_TWO_CONTENT_LENGTHS;
    }
    if (coding == NULL) {
        return length == NULL || weir_field_rules_read_length(length->value, content_length) ? WEIR_H1_OK
               : WEIR_H1_BAD_CONTENT_LENGTH;
    }
    if (length != NULL) {
        return WEIR_H1_LENGTH_AND_CODING;
    }
    if (weir_fields_next(fields, coding) != NULL) {
        return WEIR_H1_BAD_TRANSFER_CODING;
    }
    if (minor == 0) {
        return WEIR_H1_CODING_IN_1_0;
    }
    reason = common_parse_coding(coding->value);
    *chunked = reason == WEIR_H1_OK;
    return reason;
}

/* --- Connection --- */

static const weir_header_id_t common_hop_by_hop[] = {
    WEIR_HEADER_CONNECTION, WEIR_HEADER_KEEP_ALIVE,        WEIR_HEADER_PROXY_CONNECTION, WEIR_HEADER_TE,
    WEIR_HEADER_TRAILER,    WEIR_HEADER_TRANSFER_ENCODING, WEIR_HEADER_UPGRADE,          WEIR_HEADER_HTTP2_SETTINGS,
};

/* Framing, routing and identity: a peer cannot have them removed by naming them in Connection (CVE-2022-31813). */
static bool
common_is_protected(const weir_field_t *field)
{
    switch ((weir_header_id_t) field->id) {
    case WEIR_HEADER_OTHER:
        return weir_str_starts_fold(field->name, WEIR_STR("x-forwarded-"));
    case WEIR_HEADER_AUTHORIZATION:
    case WEIR_HEADER_CACHE_CONTROL:
    case WEIR_HEADER_CONTENT_ENCODING:
    case WEIR_HEADER_CONTENT_LENGTH:
    case WEIR_HEADER_CONTENT_RANGE:
    case WEIR_HEADER_CONTENT_TYPE:
    case WEIR_HEADER_COOKIE:
    case WEIR_HEADER_EXPECT:
    case WEIR_HEADER_FORWARDED:
    case WEIR_HEADER_HOST:
    case WEIR_HEADER_LOCATION:
    case WEIR_HEADER_MAX_FORWARDS:
    case WEIR_HEADER_ORIGIN:
    case WEIR_HEADER_SET_COOKIE:
    case WEIR_HEADER_VIA:
    case WEIR_HEADER_WWW_AUTHENTICATE:
    case WEIR_HEADER_X_FORWARDED_FOR:
    case WEIR_HEADER_X_FORWARDED_HOST:
    case WEIR_HEADER_X_FORWARDED_PROTO:
    case WEIR_HEADER_X_REAL_IP:
    case WEIR_HEADER_X_REQUEST_ID:
        return true;
    default:
        return false;
    }
}

static void
common_mark_named(weir_fields_t *fields, weir_str_t name)
{
    weir_field_t *field;

    for (field = weir_fields_find(fields, name); field != NULL; field = weir_fields_next(fields, field)) {
        if (!common_is_protected(field)) {
            field->flags |= WEIR_FIELD_HOP;
        }
    }
}

/* *named: how many options were names of fields. */
static void
common_parse_options(weir_fields_t *fields, weir_str_t value, h1_connection_t *connection, unsigned *named)
{
    weir_str_t option;

    if (weir_str_eq_fold(value, WEIR_STR("keep-alive"))) {        /* what nearly all say */
        connection->keep_alive = true;
        return;
    }
    while (*named <= COMMON_MAX_NAMED && weir_syntax_list_next(&value, &option)) {
        if (weir_str_eq_fold(option, WEIR_STR("close"))) {
            connection->close = true;
        } else if (weir_str_eq_fold(option, WEIR_STR("keep-alive"))) {
            connection->keep_alive = true;
        } else if (weir_str_eq_fold(option, WEIR_STR("upgrade"))) {
            connection->upgrade = true;
        } else {
            common_mark_named(fields, option);
            (*named)++;
        }
    }
}

weir_h1_reason_t
weir_h1_parse_connection(weir_fields_t *fields, h1_connection_t *connection)
{
    weir_field_t *field;
    unsigned      named = 0;
    size_t        i;

    *connection = (h1_connection_t) { .close = false };
    for (i = 0; i < weir_countof(common_hop_by_hop); i++) {
        field = weir_fields_first(fields, common_hop_by_hop[i]);
        for (; field != NULL; field = weir_fields_next(fields, field)) {
            field->flags |= WEIR_FIELD_HOP;
        }
    }
    field = weir_fields_first(fields, WEIR_HEADER_CONNECTION);
    for (; field != NULL; field = weir_fields_next(fields, field)) {
        common_parse_options(fields, field->value, connection, &named);
    }
    return named <= COMMON_MAX_NAMED ? WEIR_H1_OK : WEIR_H1_BAD_FIELD_VALUE;
}
