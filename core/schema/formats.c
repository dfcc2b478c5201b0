/*
 * formats.c - what `format` says of a string (JSON Schema 2020-12 Validation §7.3), for those names that are checked.
 *
 * date-time, date, time (RFC 3339), email (RFC 5321, ASCII), hostname (RFC 1123), ipv4, ipv6, uri, uri-reference (the
 * characters of RFC 3986, and its parts), uuid (RFC 4122), json-pointer (RFC 6901).  Other names say nothing.
 */
#include "schema/node.h"

#include "base/date.h"

#include <arpa/inet.h>

static bool
format_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
format_is_alnum(char c)
{
    char low = weir_char_lower(c);

    return format_is_digit(c) || (low >= 'a' && low <= 'z');
}

static bool
format_date(weir_str_t text)
{
    weir_date_day_t day;

    return weir_date_cut_day(&text, &day) && text.len == 0;
}

static bool
format_time(weir_str_t text)
{
    weir_date_time_t time;

    return weir_date_cut_time(&text, &time) && text.len == 0;
}

static bool
format_date_time(weir_str_t text)
{
    weir_date_day_t day;

    return weir_date_cut_day(&text, &day) && text.len != 0 && weir_char_lower(text.at[0]) == 't'
        && format_time(weir_str_skip(text, 1));
}

static bool
format_hostname(weir_str_t text)
{
    size_t label = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || text.at[i] == '.') {
            if (label == 0 || label > 63 || text.at[i - 1] == '-') {
                return false;
            }
            label = 0;
        } else if (!format_is_alnum(text.at[i]) && (text.at[i] != '-' || label == 0)) {
            return false;
        } else {
            label++;
        }
    }
    return text.len <= 253;
}

static bool
format_address(weir_str_t text, int family)
{
    char    room[INET6_ADDRSTRLEN + 1];
    uint8_t address[16];

    if (text.len == 0 || text.len >= sizeof(room)) {
        return false;
    }
    memcpy(room, text.at, text.len);
    room[text.len] = '\0';
    return strlen(room) == text.len && inet_pton(family, room, address) == 1;
}

static bool
format_ipv4(weir_str_t text)
{
    return format_address(text, AF_INET);
}

static bool
format_ipv6(weir_str_t text)
{
    return format_address(text, AF_INET6);
}

/* A dotted or a quoted local part. */
static bool
format_local_part(weir_str_t text)
{
    bool was_dot = true;

    if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"') {
        for (size_t i = 1; i + 1 < text.len; i++) {
            i += text.at[i] == '\\';
            if (i + 1 >= text.len || text.at[i] < ' ' || text.at[i] == 0x7f
                || (text.at[i] == '"' && text.at[i - 1] != '\\'))
            {
                return false;
            }
        }
        return true;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool is_dot = text.at[i] == '.';

        if ((is_dot && was_dot) || (!is_dot && !format_is_alnum(text.at[i])
                                    && weir_str_find(WEIR_STR("!#$%&'*+-/=?^_`{|}~"), text.at[i]) == NULL))
        {
            return false;
        }
        was_dot = is_dot;
    }
    return !was_dot;
}

static bool
format_email(weir_str_t text)
{
    size_t at = text.len;

    while (at != 0 && text.at[at - 1] != '@') {
        at--;
    }
    if (at == 0 || !format_local_part(weir_str(text.at, at - 1))) {
        return false;
    }
    text = weir_str_skip(text, at);
    if (text.len > 2 && text.at[0] == '[' && text.at[text.len - 1] == ']') {
        text = weir_str(text.at + 1, text.len - 2);
        return weir_str_starts_fold(text, WEIR_STR("IPv6:")) ? format_ipv6(weir_str_skip(text, 5)) : format_ipv4(text);
    }
    return format_hostname(text);
}

static bool
format_uuid(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        char low = weir_char_lower(text.at[i]);
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash ? low != '-' : !format_is_digit(low) && (low < 'a' || low > 'f')) {
            return false;
        }
    }
    return text.len == 36;
}

static bool
format_pointer(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '~' && (i + 1 == text.len || (text.at[i + 1] != '0' && text.at[i + 1] != '1'))) {
            return false;
        }
    }
    return text.len == 0 || text.at[0] == '/';
}

/* RFC 3986's characters, whole escapes, one "#", and a host in brackets that is an address. */
static bool
format_uri_characters(weir_str_t text)
{
    size_t hashes = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        hashes += c == '#';
        if (c == '%') {
            uint64_t byte;

            if (i + 2 >= text.len || !weir_str_hex_to_u64(weir_str(text.at + i + 1, 2), &byte)) {
                return false;
            }
            i += 2;
        } else if (!format_is_alnum(c) && (c == '\0' || weir_str_find(WEIR_STR("-._~:/?#[]@!$&'()*+,;="), c) == NULL)) {
            return false;
        }
    }
    return hashes <= 1;
}

static bool
format_authority(weir_str_t text)
{
    weir_str_t host, port, ignored;

    if (weir_str_cut(text, '@', &ignored, &host)) {
        if (weir_str_find(ignored, '[') != NULL || weir_str_find(ignored, ']') != NULL
            || weir_str_find(host, '@') != NULL)
        {
            return false;
        }
        text = host;
    }
    if (text.len != 0 && text.at[0] == '[') {
        return weir_str_cut(weir_str_skip(text, 1), ']', &host, &port) && format_ipv6(host)
            && (port.len == 0 || port.at[0] == ':');
    }
    (void) weir_str_cut(text, ':', &host, &port);
    for (size_t i = 0; i < port.len; i++) {
        if (!format_is_digit(port.at[i])) {
            return false;
        }
    }
    return weir_str_find(host, '[') == NULL && weir_str_find(host, ']') == NULL;
}

static bool
format_uri_parts(weir_str_t text, bool needs_scheme)
{
    size_t     scheme = 0;
    weir_str_t authority, rest;

    while (scheme < text.len && (format_is_alnum(text.at[scheme])
                                 || (scheme != 0 && weir_str_find(WEIR_STR("+-."), text.at[scheme]) != NULL)))
    {
        scheme++;
    }
    if (scheme != 0 && scheme < text.len && text.at[scheme] == ':' && !format_is_digit(text.at[0])) {
        text = weir_str_skip(text, scheme + 1);
    } else if (needs_scheme || (scheme < text.len && text.at[scheme] == ':')) {
        return false;
    }
    if (!weir_str_starts(text, WEIR_STR("//"))) {
        return weir_str_find(text, '[') == NULL && weir_str_find(text, ']') == NULL;
    }
    (void) weir_str_cut(weir_str_skip(text, 2), '#', &authority, &rest);
    (void) weir_str_cut(authority, '?', &authority, &rest);
    (void) weir_str_cut(authority, '/', &authority, &rest);
    return format_authority(authority);
}

static bool
format_uri(weir_str_t text)
{
    return format_uri_characters(text) && format_uri_parts(text, true);
}

static bool
format_uri_reference(weir_str_t text)
{
    return format_uri_characters(text) && format_uri_parts(text, false);
}

weir_schema_format_t
weir_schema_format_of(weir_str_t name)
{
    static const struct { weir_str_t name; weir_schema_format_t format; } formats[] = {
        { WEIR_STR_INIT("date-time"), format_date_time }, { WEIR_STR_INIT("date"), format_date },
        { WEIR_STR_INIT("time"), format_time },           { WEIR_STR_INIT("email"), format_email },
        { WEIR_STR_INIT("hostname"), format_hostname },   { WEIR_STR_INIT("ipv4"), format_ipv4 },
        { WEIR_STR_INIT("ipv6"), format_ipv6 },           { WEIR_STR_INIT("uri"), format_uri },
        { WEIR_STR_INIT("uuid"), format_uuid },           { WEIR_STR_INIT("json-pointer"), format_pointer },
        { WEIR_STR_INIT("uri-reference"), format_uri_reference },
    };

    for (size_t i = 0; i < weir_countof(formats); i++) {
        if (weir_str_eq(name, formats[i].name)) {
            return formats[i].format;
        }
    }
    return NULL;
}
