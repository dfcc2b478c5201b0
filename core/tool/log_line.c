/*
 * log_line.c - see log_line.h.  Runs in tools.
 *
 * A variable's value ends where the text that follows it in the format begins.  A value in quotation marks cannot hold
 * one that is not escaped, so that nothing a client writes can end it earlier; the text behind a value without them is
 * looked for from the left.
 */
#include "tool/log_line.h"

#include "http/message/syntax.h"
#include "http/message/uri.h"

/* -- formats -- */

static bool
line_is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool
line_add_part(weir_log_format_t *format, bool is_variable, weir_str_t text, const char **why)
{
    if (format->n_parts == WEIR_LOG_PARTS_MAX) {
        *why = "it has too many variables";
        return false;
    }
    if (is_variable && format->n_parts != 0 && format->parts[format->n_parts - 1].is_variable) {
        *why = "two of its variables stand side by side";
        return false;
    }
    format->parts[format->n_parts++] = (weir_log_part_t) { is_variable, text };
    format->n_variables += is_variable;
    return true;
}

/* $name or ${name} at *at; false: a dollar that is none. */
static bool
line_variable(weir_str_t text, size_t *at, weir_str_t *name)
{
    size_t begin = *at + 1, end;
    bool   has_brace = begin < text.len && text.at[begin] == '{';

    begin += has_brace;
    for (end = begin; end < text.len && line_is_name(text.at[end]); end++) {
    }
    if (end == begin || (has_brace && (end == text.len || text.at[end] != '}'))) {
        return false;
    }
    *name = weir_str(text.at + begin, end - begin);
    *at = end + has_brace;
    return true;
}

static bool
line_is_field(weir_str_t name)
{
    return weir_str_starts(name, WEIR_STR("http_")) || weir_str_starts(name, WEIR_STR("cookie_"))
        || weir_str_eq(name, WEIR_STR("content_type"));
}

static void
line_find_given(weir_arena_t *arena, weir_log_format_t *format)
{
    format->given.at = weir_new_n(arena, weir_str_t, format->n_variables + 1);
    for (size_t i = 0; i < format->n_parts; i++) {
        weir_str_t name = format->parts[i].text;

        if (format->parts[i].is_variable && line_is_field(name)) {
            format->given.at[format->given.n++] = name;
        }
        format->has_client = format->has_client || (format->parts[i].is_variable
                                                    && weir_str_eq(name, WEIR_STR("remote_addr")));
    }
}

bool
weir_log_format_make(weir_arena_t *arena, weir_str_t name, weir_str_t text, weir_log_line_escape_t escape,
                     weir_log_format_t *format, const char **why)
{
    size_t     at = 0, begin = 0, here;
    weir_str_t variable;

    memset(format, 0, sizeof(*format));
    format->name = name;
    format->escape = escape;
    while (at < text.len) {
        here = at;
        if (text.at[at] != '$' || !line_variable(text, &at, &variable)) {
            at++;
            continue;
        }
        if ((here != begin && !line_add_part(format, false, weir_str(text.at + begin, here - begin), why))
            || !line_add_part(format, true, weir_str_lower(arena, variable), why))
        {
            return false;
        }
        begin = at;
    }
    if (begin != text.len && !line_add_part(format, false, weir_str_skip(text, begin), why)) {
        return false;
    }
    line_find_given(arena, format);
    if (format->n_variables == 0) {
        *why = "it has no variable";
    }
    return format->n_variables != 0;
}

/* -- values -- */

static int
line_hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                                                                         : -1;
}

/* n digits at text; -1: they are none. */
static int
line_number(weir_str_t text, size_t n)
{
    int value = 0;

    for (size_t i = 0; i < n; i++) {
        int digit = i < text.len ? line_hex(text.at[i]) : -1;

        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    return value;
}

static size_t
line_put_utf8(char *out, int code)
{
    weir_assert(code >= 0 && code <= 0xffff);
    if (code < 0x80) {
        out[0] = (char) code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char) (0xc0 | code >> 6);
        out[1] = (char) (0x80 | (code & 0x3f));
        return 2;
    }
    out[0] = (char) (0xe0 | code >> 12);
    out[1] = (char) (0x80 | (code >> 6 & 0x3f));
    out[2] = (char) (0x80 | (code & 0x3f));
    return 3;
}

/* One escape of JSON behind its backslash; 0: there is no such. */
static size_t
line_json(weir_str_t rest, char *out, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char       *known;
    int               code;

    if (rest.len != 0 && rest.at[0] == 'u') {
        code = line_number(weir_str_skip(rest, 1), 4);
        if (code < 0 || (code >= 0xd800 && code < 0xe000)) {
            return 0;
        }
        *n += line_put_utf8(out + *n, code);
        return 5;
    }
    known = rest.len != 0 && rest.at[0] != '\0' ? strchr(from, rest.at[0]) : NULL;
    if (known == NULL) {
        return 0;
    }
    out[(*n)++] = to[known - from];
    return 1;
}

/* false: that is no escape of this format. */
static bool
line_unescape(const weir_log_format_t *format, weir_arena_t *arena, weir_str_t raw, weir_str_t *value)
{
    char  *out;
    size_t n = 0;

    *value = raw;
    if (format->escape == WEIR_LOG_LINE_PLAIN || memchr(raw.at != NULL ? raw.at : "", '\\', raw.len) == NULL) {
        return true;
    }
    out = weir_alloc_bytes(arena, raw.len + 1);          /* an escape is longer than what it stands for */
    for (size_t i = 0; i < raw.len; i++) {
        weir_str_t rest = weir_str_skip(raw, i + 1);
        size_t     used = 0;
        int        byte;

        if (raw.at[i] != '\\') {
            out[n++] = raw.at[i];
            continue;
        }
        if (format->escape == WEIR_LOG_LINE_JSON) {
            used = line_json(rest, out, &n);
        } else if (rest.len != 0 && rest.at[0] == 'x' && (byte = line_number(weir_str_skip(rest, 1), 2)) >= 0) {
            out[n++] = (char) byte;
            used = 3;
        }
        if (used == 0) {
            return false;
        }
        i += used;
        weir_assert(i < raw.len && n <= i);
    }
    weir_assert(n < raw.len);
    *value = weir_str(out, n);
    return true;
}

/* Where the value that begins at `at` ends; false: the text behind it does not come. */
static bool
line_find_end(const weir_log_format_t *format, size_t part, weir_str_t line, size_t at, size_t *end)
{
    weir_str_t before = part != 0 ? format->parts[part - 1].text : WEIR_STR_NONE, behind;
    bool       is_quoted = weir_str_ends(before, WEIR_STR("\""));
    bool       has_escapes = format->escape != WEIR_LOG_LINE_PLAIN;

    if (part + 1 == format->n_parts) {
        *end = line.len;
        return true;
    }
    weir_assert(format->parts[part].is_variable && !format->parts[part + 1].is_variable);
    behind = format->parts[part + 1].text;
    for (*end = at; *end < line.len; (*end)++) {
        if (weir_str_starts(weir_str_skip(line, *end), behind)
            && (part + 2 != format->n_parts || *end + behind.len == line.len))
        {
            return true;
        }
        if (has_escapes && line.at[*end] == '\\') {
            (*end)++;
        } else if (has_escapes && is_quoted && line.at[*end] == '"') {
            return false;
        }
    }
    return false;
}

/* -- what is told -- */

static bool
line_is_plain(weir_str_t text, bool spaces)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.at[i];

        if ((c < 0x20 && !(spaces && c == '\t')) || c == 0x7f || (c == ' ' && !spaces)) {
            return false;
        }
    }
    return true;
}

bool
weir_log_line_request(weir_str_t text, weir_log_line_t *told)
{
    weir_str_t rest, version = WEIR_STR_NONE;

    if (!weir_str_cut(text, ' ', &told->method, &rest)) {
        return false;
    }
    (void) weir_str_cut(rest, ' ', &told->target, &version);
    told->is_http2 = weir_str_starts(version, WEIR_STR("HTTP/2"));
    return weir_str_starts(version, WEIR_STR("HTTP/"));
}

static bool
line_add_field(weir_arena_t *arena, weir_log_line_t *told, weir_str_t name, weir_str_t value)
{
    char *room;

    if (told->n_fields == WEIR_LOG_FIELDS_MAX || !line_is_plain(value, true) || name.len == 0) {
        return false;
    }
    room = weir_alloc_bytes(arena, name.len + value.len + 2);
    for (size_t i = 0; i < name.len; i++) {
        room[i] = name.at[i] == '_' ? '-' : name.at[i];
    }
    memcpy(room + name.len, ": ", 2);
    memcpy(room + name.len + 2, value.at != NULL ? value.at : "", value.len);
    told->fields[told->n_fields++] = weir_str(room, name.len + value.len + 2);
    return true;
}

/* What several variables tell together. */
typedef struct { weir_str_t uri, path, query, cookies, http_host, server; bool is_bad; } line_parts_t;

static void
line_take_field(weir_arena_t *arena, weir_str_t name, weir_str_t value, weir_log_line_t *told, line_parts_t *parts)
{
    if (weir_str_eq(name, WEIR_STR("http_host"))) {
        parts->http_host = value;
    } else if (weir_str_starts(name, WEIR_STR("cookie_"))) {
        parts->is_bad = parts->is_bad || weir_str_find(value, ';') != NULL;
        parts->cookies = weir_str_printf(arena, "%.*s%s%.*s=%.*s", WEIR_STR_ARG(parts->cookies),
                                         parts->cookies.len != 0 ? "; " : "", WEIR_STR_ARG(weir_str_skip(name, 7)),
                                         WEIR_STR_ARG(value));
    } else if (weir_str_eq(name, WEIR_STR("content_type"))) {
        parts->is_bad = !line_add_field(arena, told, name, value) || parts->is_bad;
    } else {
        parts->is_bad = !line_add_field(arena, told, weir_str_skip(name, 5), value) || parts->is_bad;
    }
}

static void
line_take(weir_arena_t *arena, weir_str_t name, weir_str_t value, weir_log_line_t *told, line_parts_t *parts)
{
    const struct { const char *name; weir_str_t *to; } plain[] = {
        { "request_method", &told->method }, { "request_uri", &parts->uri }, { "uri", &parts->path },
        { "document_uri", &parts->path }, { "args", &parts->query }, { "query_string", &parts->query },
        { "host", &told->host }, { "scheme", &told->scheme }, { "server_port", &told->port },
        { "remote_addr", &told->client }, { "server_name", &parts->server },
    };

    for (size_t i = 0; i < weir_countof(plain); i++) {
        if (weir_str_eq(name, weir_str_from_z(plain[i].name))) {
            *plain[i].to = value;
            return;
        }
    }
    if (line_is_field(name)) {
        line_take_field(arena, name, value, told, parts);
    } else if (weir_str_eq(name, WEIR_STR("request"))) {
        parts->is_bad = !weir_log_line_request(value, told) || parts->is_bad;
    } else if (weir_str_eq(name, WEIR_STR("server_protocol"))) {
        told->is_http2 = weir_str_starts(value, WEIR_STR("HTTP/2"));
    } else if (weir_str_eq(name, WEIR_STR("https"))) {
        told->scheme = weir_str_eq(value, WEIR_STR("on")) ? WEIR_STR("https") : WEIR_STR("http");
    }
}

static bool
line_settle(weir_arena_t *arena, weir_log_line_t *told, line_parts_t *parts)
{
    if (parts->cookies.len != 0) {
        parts->is_bad = !line_add_field(arena, told, WEIR_STR("cookie"), parts->cookies) || parts->is_bad;
    }
    if (parts->uri.len != 0) {
        told->target = parts->uri;
    } else if (told->target.len == 0 && parts->path.len != 0) {
        told->target = weir_uri_encode(parts->path, arena);
        if (parts->query.len != 0) {
            told->target = weir_str_printf(arena, "%.*s?%.*s", WEIR_STR_ARG(told->target), WEIR_STR_ARG(parts->query));
        }
    }
    if (told->method.len == 0) {
        told->method = WEIR_STR("GET");
    }
    told->host = parts->http_host.len != 0 ? parts->http_host : told->host.len != 0 ? told->host : parts->server;
    return !parts->is_bad && told->target.len != 0 && weir_syntax_is_token(told->method)
        && line_is_plain(told->target, false) && line_is_plain(told->host, false);
}

bool
weir_log_format_read(const weir_log_format_t *format, weir_arena_t *arena, weir_str_t line, weir_log_line_t *told)
{
    line_parts_t parts = { .is_bad = false };
    weir_str_t   value;
    size_t       at = 0, end;

    memset(told, 0, sizeof(*told));
    for (size_t i = 0; i < format->n_parts; i++) {
        if (!format->parts[i].is_variable) {
            if (!weir_str_starts(weir_str_skip(line, at), format->parts[i].text)) {
                return false;
            }
            at += format->parts[i].text.len;
            continue;
        }
        if (!line_find_end(format, i, line, at, &end)
            || !line_unescape(format, arena, weir_str(line.at + at, end - at), &value))
        {
            return false;
        }
        if (value.len != 0 && !(format->escape == WEIR_LOG_LINE_DEFAULT && weir_str_eq(value, WEIR_STR("-")))) {
            line_take(arena, format->parts[i].text, value, told, &parts);
        }
        weir_assert(end >= at && end <= line.len);
        at = end;
    }
    return at == line.len && line_settle(arena, told, &parts);
}
