/*
 * addr.c - socket addresses: parsing, printing, comparing, looking up.
 *
 * Runs in every process; weir_addr_lookup blocks and is for load time only.  RFC 4291 §2.2 and RFC 5952 for IPv6 text.
 */
#define _GNU_SOURCE 1

#include "os/addr.h"

#include "base/array.h"

#include <arpa/inet.h>
#include <netdb.h>

#define ADDR_UNIX_PATH_AT offsetof(struct sockaddr_un, sun_path)

bool
weir_addr_from_ip(weir_addr_t *addr, weir_str_t ip, uint16_t port)
{
    char text[INET6_ADDRSTRLEN];
    bool bracketed = ip.len >= 2 && ip.at[0] == '[' && ip.at[ip.len - 1] == ']';

    if (bracketed) {
        ip = weir_str(ip.at + 1, ip.len - 2);
    }
    if (ip.len == 0 || ip.len >= sizeof(text) || weir_str_find(ip, '\0') != NULL) {
        return false;
    }
    memcpy(text, ip.at, ip.len);
    text[ip.len] = '\0';

    memset(addr, 0, sizeof(*addr));
    if (!bracketed && inet_pton(AF_INET, text, &addr->v4.sin_addr) == 1) {
        addr->v4.sin_family = AF_INET;
        addr->len = sizeof(addr->v4);
    } else if (inet_pton(AF_INET6, text, &addr->v6.sin6_addr) == 1) {
        addr->v6.sin6_family = AF_INET6;
        addr->len = sizeof(addr->v6);
    } else {
        return false;
    }
    weir_addr_set_port(addr, port);
    return true;
}

bool
weir_addr_from_unix(weir_addr_t *addr, weir_str_t path)
{
    if (path.len == 0 || path.len >= sizeof(addr->un.sun_path) || weir_str_find(path, '\0') != NULL) {
        return false;
    }
    memset(addr, 0, sizeof(*addr));
    addr->un.sun_family = AF_UNIX;
    memcpy(addr->un.sun_path, path.at, path.len);
    addr->len = (socklen_t) (ADDR_UNIX_PATH_AT + path.len + 1);
    return true;
}

/* As far as the kernel said, and without the NUL that it may or may not have counted. */
static weir_str_t
addr_unix_path(const weir_addr_t *addr)
{
    size_t room = addr->len > ADDR_UNIX_PATH_AT ? addr->len - ADDR_UNIX_PATH_AT : 0;

    weir_assert(addr->any.sa_family == AF_UNIX);
    room = (size_t) weir_min(room, sizeof(addr->un.sun_path));
    return weir_str(addr->un.sun_path, strnlen(addr->un.sun_path, room));
}

bool
weir_addr_eq(const weir_addr_t *a, const weir_addr_t *b)
{
    if (a->any.sa_family != b->any.sa_family) {
        return false;
    }
    switch (a->any.sa_family) {
    case AF_INET:
        return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    case AF_INET6:
        return a->v6.sin6_port == b->v6.sin6_port && a->v6.sin6_scope_id == b->v6.sin6_scope_id
            && memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
    case AF_UNIX:
        return weir_str_eq(addr_unix_path(a), addr_unix_path(b));
    default:
        return false;
    }
}

int
weir_addr_compare_ip(const void *a_, const void *b_)
{
    const weir_addr_t *a = a_, *b = b_;

    if (a->any.sa_family != b->any.sa_family) {
        return a->any.sa_family < b->any.sa_family ? -1 : 1;
    }
    return a->any.sa_family == AF_INET ? memcmp(&a->v4.sin_addr, &b->v4.sin_addr, sizeof(a->v4.sin_addr))
                                       : memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr));
}

uint16_t
weir_addr_port(const weir_addr_t *addr)
{
    switch (addr->any.sa_family) {
    case AF_INET:
        return ntohs(addr->v4.sin_port);
    case AF_INET6:
        return ntohs(addr->v6.sin6_port);
    default:
        return 0;
    }
}

void
weir_addr_set_port(weir_addr_t *addr, uint16_t port)
{
    if (addr->any.sa_family == AF_INET) {
        addr->v4.sin_port = htons(port);
    } else if (addr->any.sa_family == AF_INET6) {
        addr->v6.sin6_port = htons(port);
    }
}

bool
weir_addr_is_unix(const weir_addr_t *addr)
{
    return addr->any.sa_family == AF_UNIX;
}

bool
weir_addr_is_wildcard(const weir_addr_t *addr)
{
    if (addr->any.sa_family == AF_INET) {
        return addr->v4.sin_addr.s_addr == htonl(INADDR_ANY);
    }
    return addr->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&addr->v6.sin6_addr);
}

/* --- ends of connections --- */

weir_endpoint_t
weir_addr_to_endpoint(const weir_addr_t *addr)
{
    weir_endpoint_t end = { .family = addr->any.sa_family };

    if (end.family == AF_INET) {
        end.v4 = addr->v4.sin_addr;
        end.port = addr->v4.sin_port;
    } else if (end.family == AF_INET6) {
        end.v6 = addr->v6.sin6_addr;
        end.scope = addr->v6.sin6_scope_id;
        end.port = addr->v6.sin6_port;
    }
    return end;
}

weir_addr_t
weir_addr_from_endpoint(const weir_endpoint_t *end)
{
    weir_addr_t addr = { .len = offsetof(struct sockaddr_un, sun_path) };

    addr.any.sa_family = end->family;
    if (end->family == AF_INET) {
        addr.v4.sin_addr = end->v4;
        addr.v4.sin_port = end->port;
        addr.len = sizeof(addr.v4);
    } else if (end->family == AF_INET6) {
        addr.v6.sin6_addr = end->v6;
        addr.v6.sin6_scope_id = end->scope;
        addr.v6.sin6_port = end->port;
        addr.len = sizeof(addr.v6);
    }
    return addr;
}

/* --- text --- */

/* Four numbers: inet_ntop prints with a format, which is most of its time. */
static size_t
addr_text_v4(const uint8_t *bytes, char *out)
{
    char *at = out;

    for (size_t i = 0; i < 4; i++) {
        uint8_t n = bytes[i];

        if (n >= 100) {
            *at++ = (char) ('0' + n / 100);
        }
        if (n >= 10) {
            *at++ = (char) ('0' + n / 10 % 10);
        }
        *at++ = (char) ('0' + n % 10);
        *at++ = i < 3 ? '.' : '\0';
    }
    return (size_t) (at - 1 - out);
}

size_t
weir_addr_text_ip(const weir_addr_t *addr, char *out)
{
    if (addr->any.sa_family == AF_INET) {
        return addr_text_v4((const uint8_t *) &addr->v4.sin_addr, out);
    }
    if (addr->any.sa_family != AF_INET6) {
        memcpy(out, "unix:", sizeof("unix:"));
        return sizeof("unix:") - 1;
    }
    if (inet_ntop(AF_INET6, &addr->v6.sin6_addr, out, WEIR_ADDR_TEXT) == NULL) {
        out[0] = '\0';
    }
    return strlen(out);
}

size_t
weir_addr_text(const weir_addr_t *addr, char *out)
{
    char      *end = out;
    weir_str_t path;

    if (addr->any.sa_family != AF_INET && addr->any.sa_family != AF_INET6) {
        end += weir_addr_text_ip(addr, out);
        if (weir_addr_is_unix(addr)) {
            path = addr_unix_path(addr);
            memcpy(end, path.at, path.len);
            end += path.len;
        }
        *end = '\0';
        return (size_t) (end - out);
    }
    if (addr->any.sa_family == AF_INET6) {
        *end++ = '[';
        end += weir_addr_text_ip(addr, end);
        *end++ = ']';
    } else {
        end += weir_addr_text_ip(addr, end);
    }
    *end++ = ':';
    end = weir_str_from_u64(end, weir_addr_port(addr));
    weir_assert((size_t) (end - out) < WEIR_ADDR_TEXT);
    *end = '\0';
    return (size_t) (end - out);
}

/* --- host and port --- */

static bool
addr_is_digits(weir_str_t s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9') {
            return false;
        }
    }
    return s.len != 0;
}

static bool
addr_is_name(weir_str_t host)
{
    size_t i;
    char   c;

    for (i = 0; i < host.len; i++) {
        c = host.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.'
              || c == '_')) {
            return false;
        }
    }
    return host.len != 0 && host.len <= 255;
}

static bool
addr_parse_port(weir_hostport_t *hp, weir_str_t text, const char **hint)
{
    uint64_t port;

    if (!weir_str_to_u64(text, &port) || port == 0 || port > 65535) {
        *hint = "invalid port: a number from 1 to 65535 is expected";
        return false;
    }
    hp->port = (uint16_t) port;
    hp->has_port = true;
    return true;
}

static bool
addr_parse_v6(weir_hostport_t *hp, weir_str_t text, const char **hint)
{
    weir_addr_t addr;
    weir_str_t  rest;

    weir_assert(text.len != 0 && text.at[0] == '[');
    if (!weir_str_cut(weir_str_skip(text, 1), ']', &hp->host, &rest)) {
        *hint = "the closing bracket of the IPv6 address is missing";
        return false;
    }
    if (weir_str_find(hp->host, ':') == NULL || !weir_addr_from_ip(&addr, hp->host, 0)) {
        *hint = "invalid IPv6 address";
        return false;
    }
    hp->is_v6_literal = true;
    if (rest.len == 0) {
        return true;
    }
    if (rest.at[0] != ':') {
        *hint = "only \":port\" may follow the IPv6 address";
        return false;
    }
    return addr_parse_port(hp, weir_str_skip(rest, 1), hint);
}

static bool
addr_parse_host(weir_hostport_t *hp, weir_str_t text, const char **hint)
{
    weir_str_t host, port;
    bool       has_port = weir_str_cut(text, ':', &host, &port);

    if (weir_str_find(port, ':') != NULL) {
        *hint = "too many colons: an IPv6 address is written in brackets, as [::1]";
        return false;
    }
    if (!has_port && addr_is_digits(host)) {
        hp->is_wildcard = true;
        return addr_parse_port(hp, host, hint);
    }
    if (host.len == 0) {
        *hint = "no host";
        return false;
    }
    hp->is_wildcard = weir_str_eq(host, WEIR_STR("*"));
    if (!hp->is_wildcard && !addr_is_name(host)) {
        *hint = "invalid host: letters, digits, \"-\", \".\" and \"_\" are expected";
        return false;
    }
    if (!hp->is_wildcard) {
        hp->host = host;
    }
    return !has_port || addr_parse_port(hp, port, hint);
}

bool
weir_addr_parse_hostport(weir_hostport_t *hp, weir_str_t text, const char **hint)
{
    weir_addr_t addr;

    *hp = (weir_hostport_t) { .host = WEIR_STR("") };
    if (weir_str_starts_fold(text, WEIR_STR("unix:"))) {
        hp->is_unix = true;
        hp->host = weir_str_skip(text, sizeof("unix:") - 1);
        if (!weir_addr_from_unix(&addr, hp->host)) {
            *hint = hp->host.len == 0 ? "no path in the unix domain socket"
                                      : "the path in the unix domain socket is longer than 107 bytes";
            return false;
        }
        return true;
    }
    if (text.len != 0 && text.at[0] == '[') {
        return addr_parse_v6(hp, text, hint);
    }
    return addr_parse_host(hp, text, hint);
}

/* --- look-up --- */

/* "127.1", "0x7f.0.0.1", "2130706433": addresses that getaddrinfo would accept and a person would not see. */
static bool
addr_looks_numeric(weir_str_t host)
{
    weir_str_t last = host, head;

    if (weir_str_ends(host, WEIR_STR("."))) {
        last.len--;
    }
    while (weir_str_cut(last, '.', &head, &last)) {
    }
    return weir_str_starts_fold(head, WEIR_STR("0x")) || addr_is_digits(head) || head.len == 0;
}

static void
addr_push(weir_array_t *found, const struct addrinfo *info, uint16_t port)
{
    weir_addr_t addr;
    size_t      i;

    if ((info->ai_family != AF_INET && info->ai_family != AF_INET6) || info->ai_addrlen > sizeof(addr.v6)) {
        return;
    }
    memset(&addr, 0, sizeof(addr));
    memcpy(&addr.any, info->ai_addr, info->ai_addrlen);
    addr.len = info->ai_addrlen;
    weir_addr_set_port(&addr, port);
    for (i = 0; i < found->n; i++) {
        if (weir_addr_eq(weir_array_at(found, weir_addr_t, i), &addr)) {
            return;
        }
    }
    *(weir_addr_t *) weir_array_push(found) = addr;
}

weir_addrs_t
weir_addr_lookup(weir_arena_t *arena, weir_str_t host, uint16_t port, const char **why)
{
    struct addrinfo  hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct addrinfo *list, *info;
    weir_array_t     found;
    weir_addr_t      addr;
    int              rc;

    weir_array_init(&found, arena, sizeof(weir_addr_t), 0);
    if (weir_addr_from_ip(&addr, host, port)) {
        *(weir_addr_t *) weir_array_push(&found) = addr;
        return (weir_addrs_t) { found.at, found.n };
    }
    if (!addr_is_name(host) || addr_looks_numeric(host)) {
        *why = "neither a host name nor an address";
        return (weir_addrs_t) { NULL, 0 };
    }
    rc = getaddrinfo(weir_str_to_z(arena, host), NULL, &hints, &list);
    if (rc != 0) {
        *why = rc == EAI_NONAME || rc == EAI_NODATA ? "host not found" : gai_strerror(rc);
        return (weir_addrs_t) { NULL, 0 };
    }
    for (info = list; info != NULL; info = info->ai_next) {
        addr_push(&found, info, port);
    }
    freeaddrinfo(list);
    if (found.n == 0) {
        *why = "host not found";
    }
    return (weir_addrs_t) { found.at, found.n };
}
