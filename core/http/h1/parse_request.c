/*
 * parse_request.c - a request head: request line, target, Host, and what the fields ask of the connection (RFC 9112
 * §3, §6).
 *
 * Runs in workers; allocates nothing but the row of fields.  Percent-encoding in the path is weir_uri_normalise()'s to
 * judge.
 */
#include "http/h1/parse_common.h"
#include "http/message/uri.h"

/* --- request line --- */

/* The text between two SPs: exactly one stands on either side. */
static weir_h1_reason_t
request_parse_version(weir_request_head_t *req, weir_str_t version)
{
    if (weir_str_find(version, ' ') != NULL) {
        return WEIR_H1_BAD_REQUEST_LINE;
    }
    return version.len == 8 ? weir_h1_parse_version(version.at, &req->minor) : WEIR_H1_BAD_VERSION;
}

static weir_h1_reason_t
request_parse_line(weir_request_head_t *req)
{
    weir_str_t  version, line = req->line;
    const char *end = line.at + line.len, *stop = weir_byte_span(line.at, end, WEIR_BYTE_TOKEN);

    if (stop == end || *stop == '\t') {
        return WEIR_H1_BAD_REQUEST_LINE;
    }
    if (*stop != ' ') {
        return WEIR_H1_BAD_METHOD;
    }
    req->method_name = weir_str(line.at, (size_t) (stop - line.at));
    if (!weir_str_cut(weir_str_skip(line, req->method_name.len + 1), ' ', &req->target, &version)) {
        return WEIR_H1_BAD_REQUEST_LINE;      /* HTTP/0.9, or no target */
    }
    if (req->method_name.len == 0 || req->target.len == 0) {
        return WEIR_H1_BAD_REQUEST_LINE;
    }
    req->method = weir_method_parse(req->method_name);
    return request_parse_version(req, version);
}

/* --- target --- */

/* What is left of the target from the path on. */
static weir_h1_reason_t
request_parse_path(weir_request_head_t *req, const char *at, const char *end)
{
    return weir_uri_split(weir_str(at, (size_t) (end - at)), &req->path, &req->query, &req->has_query) ? WEIR_H1_OK
           : WEIR_H1_BAD_TARGET;
}

static weir_h1_reason_t
request_parse_absolute(weir_request_head_t *req)
{
    const char      *at, *end = req->target.at + req->target.len, *path;
    weir_h1_reason_t reason;
    size_t           scheme;

    if (weir_str_starts_fold(req->target, WEIR_STR("http://"))) {
        scheme = 4;
    } else if (weir_str_starts_fold(req->target, WEIR_STR("https://"))) {
        scheme = 5;
    } else {
        return WEIR_H1_BAD_TARGET;
    }
    req->scheme = weir_str(req->target.at, scheme);
    at = path = req->target.at + scheme + 3;
    while (path < end && *path != '/' && *path != '?') {
        path++;
    }
    if (!weir_uri_authority(weir_str(at, (size_t) (path - at)), &req->host, &req->port)) {
        return WEIR_H1_BAD_TARGET;
    }
    reason = request_parse_path(req, path, end);
    if (req->path.len == 0) {
        req->path = WEIR_STR("/");
    }
    return reason;
}

static weir_h1_reason_t
request_parse_target(weir_request_head_t *req)
{
    weir_str_t target = req->target;

    req->path = req->query = weir_str(target.at + target.len, 0);
    if (req->method == WEIR_METHOD_CONNECT) {
        req->form = WEIR_TARGET_AUTHORITY;
        return weir_uri_authority(target, &req->host, &req->port) && req->port != 0 ? WEIR_H1_OK : WEIR_H1_BAD_TARGET;
    }
    if (target.at[0] == '/') {
        req->form = WEIR_TARGET_ORIGIN;
        return request_parse_path(req, target.at, target.at + target.len);
    }
    if (weir_str_eq(target, WEIR_STR("*"))) {
        req->form = WEIR_TARGET_ASTERISK;
        return req->method == WEIR_METHOD_OPTIONS ? WEIR_H1_OK : WEIR_H1_BAD_TARGET;
    }
    req->form = WEIR_TARGET_ABSOLUTE;
    return request_parse_absolute(req);
}

/* --- Host --- */

/* RFC 9112 §3.2.2: an absolute target's authority is in the place of whatever Host said, for all readers of that field,
 * too. */
static void
request_host_of_target(weir_request_head_t *req, weir_field_t *field)
{
    weir_str_t rest = weir_str_skip(req->target, req->scheme.len + 3);
    size_t     n = 0;

    weir_assert(req->form == WEIR_TARGET_ABSOLUTE && req->scheme.len != 0);
    while (n < rest.len && rest.at[n] != '/' && rest.at[n] != '?') {
        n++;
    }
    field->value = weir_uri_authority_plain(weir_str(rest.at, n));
}

static weir_h1_reason_t
request_parse_host(weir_request_head_t *req)
{
    weir_field_t       *field = weir_fields_first(&req->fields, WEIR_HEADER_HOST);
    weir_str_t          host;
    uint16_t            port;

    if (field == NULL) {
        return req->minor == 0 ? WEIR_H1_OK : WEIR_H1_NO_HOST;
    }
    if (weir_fields_next(&req->fields, field) != NULL) {
        return WEIR_H1_TWO_HOSTS;
    }
    if (!weir_uri_authority(field->value, &host, &port)) {
        return WEIR_H1_BAD_HOST;
    }
    field->value = weir_uri_authority_plain(field->value);
    if (req->form == WEIR_TARGET_ABSOLUTE) {
        request_host_of_target(req, field);
        return WEIR_H1_OK;
    }
    if (req->form == WEIR_TARGET_ORIGIN || req->form == WEIR_TARGET_ASTERISK) {
        req->host = host;
        req->port = port;
        return WEIR_H1_OK;
    }
    if (!weir_str_eq_fold(host, req->host) || port != req->port) {
        return WEIR_H1_HOST_MISMATCH;
    }
    return WEIR_H1_OK;
}

/* --- what the fields ask for --- */

static void
request_parse_expect(weir_request_head_t *req)
{
    const weir_field_t *field = weir_fields_first(&req->fields, WEIR_HEADER_EXPECT);

    for (; field != NULL && req->minor != 0; field = weir_fields_next(&req->fields, field)) {
        if (weir_str_eq_fold(field->value, WEIR_STR("100-continue"))) {
            req->expect_continue = true;
        } else {
            req->expect_unknown = true;
        }
    }
    req->expect_continue = req->expect_continue && !req->expect_unknown;
}

static weir_h1_reason_t
request_parse_wishes(weir_request_head_t *req)
{
    h1_connection_t     connection;
    weir_h1_reason_t    reason = weir_h1_parse_connection(&req->fields, &connection);
    const weir_field_t *te;

    req->keep_alive = weir_h1_keeps_alive(&connection, req->minor);
    req->upgrade = connection.upgrade && req->minor != 0
                   && weir_fields_first(&req->fields, WEIR_HEADER_UPGRADE) != NULL;
    for (te = weir_fields_first(&req->fields, WEIR_HEADER_TE); te != NULL; te = weir_fields_next(&req->fields, te)) {
        req->te_trailers = req->te_trailers || weir_syntax_list_has(te->value, WEIR_STR("trailers"));
    }
    request_parse_expect(req);
    return reason;
}

weir_h1_reason_t
weir_h1_parse_request(weir_request_head_t *req, const weir_h1_options_t *options, weir_str_t head, weir_arena_t *arena)
{
    h1_fields_t      rules = { .names = { .drop_odd = options->ignore_invalid, .underscores = options->underscores,
                                          .drop_aliases = true },
                               .max_fields = options->max_fields };
    const char      *lf, *end = head.at + head.len;
    weir_h1_reason_t reason;

    *req = (weir_request_head_t) { .content_length = WEIR_LENGTH_NONE };
    lf = head.len != 0 ? memchr(head.at, '\n', head.len) : NULL;
    if (!weir_h1_is_whole(head) || lf == head.at || lf[-1] != '\r') {
        return WEIR_H1_BAD_REQUEST_LINE;
    }
    req->line = weir_str(head.at, (size_t) (lf - 1 - head.at));
    if ((reason = request_parse_line(req)) != WEIR_H1_OK || (reason = request_parse_target(req)) != WEIR_H1_OK) {
        return reason;
    }
    reason = weir_h1_parse_fields(&req->fields, &rules, lf + 1, end, arena);
    req->dropped = rules.dropped;
    if (reason != WEIR_H1_OK || (reason = request_parse_host(req)) != WEIR_H1_OK) {
        return reason;
    }
    if (weir_field_rules_find_repeated(&req->fields) != NULL) {
        return WEIR_H1_REPEATED_FIELD;
    }
    reason = weir_h1_parse_framing(&req->fields, req->minor, &req->content_length, &req->chunked);
    return reason == WEIR_H1_OK ? request_parse_wishes(req) : reason;
}
