/*
 * parse_response.c - a response head from an upstream, which is trusted no more than a client (RFC 9112 §4, §6).
 *
 * Runs in workers; allocates nothing but the row of fields.
 */
#include "http/h1/parse_common.h"

/* "HTTP/1.1 200 OK"; the reason may be empty, and the SP before an empty one missing. */
static weir_h1_reason_t
response_parse_line(weir_response_head_t *res, weir_str_t line)
{
    const char *digits;
    unsigned    i, status = 0;

    if (line.len < 12 || line.at[8] != ' ' || weir_h1_parse_version(line.at, &res->minor) != WEIR_H1_OK) {
        return WEIR_H1_BAD_STATUS_LINE;
    }
    digits = line.at + 9;
    for (i = 0; i < 3; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return WEIR_H1_BAD_STATUS;
        }
        status = status * 10 + (unsigned) (digits[i] - '0');
    }
    if (status < 100 || status > 599 || (line.len > 12 && line.at[12] != ' ')) {
        return WEIR_H1_BAD_STATUS;
    }
    res->status = (uint16_t) status;
    res->reason = weir_str_skip(line, 13);
    return weir_syntax_is_field_value(res->reason) ? WEIR_H1_OK : WEIR_H1_BAD_STATUS_LINE;
}

weir_h1_reason_t
weir_h1_parse_response(weir_response_head_t *res, weir_str_t head, uint32_t max_fields, weir_arena_t *arena)
{
    h1_fields_t      rules = { .max_fields = max_fields };
    const char      *lf, *end = head.at + head.len;
    h1_connection_t  connection;
    weir_h1_reason_t reason;

    *res = (weir_response_head_t) { .content_length = WEIR_LENGTH_NONE };
    lf = head.len != 0 ? memchr(head.at, '\n', head.len) : NULL;
    if (!weir_h1_is_whole(head) || lf == head.at || lf[-1] != '\r') {
        return WEIR_H1_BAD_STATUS_LINE;
    }
    reason = response_parse_line(res, weir_str(head.at, (size_t) (lf - 1 - head.at)));
    if (reason != WEIR_H1_OK) {
        return reason;
    }
    reason = weir_h1_parse_fields(&res->fields, &rules, lf + 1, end, arena);
    if (reason == WEIR_H1_OK && res->status >= 200) {
        /* RFC 9112 §6.3: an interim answer ends with its head, whatever it says */
        reason = weir_h1_parse_framing(&res->fields, res->minor, &res->content_length, &res->chunked);
    }
    if (reason == WEIR_H1_UNKNOWN_TRANSFER_CODING) {
        return WEIR_H1_BAD_TRANSFER_CODING;     /* we asked for none */
    }
    if (reason != WEIR_H1_OK || (reason = weir_h1_parse_connection(&res->fields, &connection)) != WEIR_H1_OK) {
        return reason;
    }
    res->keep_alive = weir_h1_keeps_alive(&connection, res->minor);
    res->upgrade = res->status == 101 && connection.upgrade
                   && weir_fields_first(&res->fields, WEIR_HEADER_UPGRADE) != NULL;
    return WEIR_H1_OK;
}
