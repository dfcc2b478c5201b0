/*
 * uri_authority.c - host and port of a Host field or a request target (RFC 3986 §3.2, RFC 9110 §7.2).
 *
 * Stricter than the RFC's reg-name: what DNS or a hosts file can name, or an IPv6 literal.  Pure; runs in workers;
 * allocates nothing.
 */
#include "http/message/syntax.h"
#include "http/message/uri.h"

#include <arpa/inet.h>

#define AUTHORITY_LONGEST_HOST  255
#define AUTHORITY_LONGEST_LABEL 63

/* host, ending in ']', is cut off text. */
static bool
authority_ipv6(weir_str_t *text, weir_str_t *host)
{
    char            literal[INET6_ADDRSTRLEN];
    struct in6_addr address;
    const char     *end = weir_str_find(*text, ']');
    size_t          n;

    if (end == NULL) {
        return false;
    }
    n = (size_t) (end - text->at) - 1;
    if (n >= sizeof(literal)) {
        return false;
    }
    memcpy(literal, text->at + 1, n);
    literal[n] = '\0';
    weir_assert(n + 2 <= text->len);
    *host = weir_str(text->at, n + 2);
    *text = weir_str_skip(*text, n + 2);
    return strlen(literal) == n && inet_pton(AF_INET6, literal, &address) == 1;
}

/* Labels of 1 to 63 bytes with dots between them, and one may follow, which is not part of *host. */
static bool
authority_name(weir_str_t *text, weir_str_t *host)
{
    size_t i, label = 0;

    for (i = 0; i < text->len && text->at[i] != ':'; i++) {
        if (text->at[i] == '.' ? label == 0 : !weir_byte_is(text->at[i], WEIR_BYTE_UNRESERVED)) {
            return false;
        }
        label = text->at[i] == '.' ? 0 : label + 1;
        if (label > AUTHORITY_LONGEST_LABEL) {
            return false;
        }
    }
    *host = weir_str(text->at, i);
    *text = weir_str_skip(*text, i);
    if (i != 0 && label == 0) {
        host->len--;
    }
    return host->len != 0 && host->len <= AUTHORITY_LONGEST_HOST;
}

/* 1 to 65535, as a program writes it: without leading zeros; or nothing (RFC 3986 §3.2.3): 0. */
static bool
authority_port(weir_str_t text, uint16_t *port)
{
    uint64_t value;

    if (text.len == 0) {
        return true;
    }
    if (text.len > 5 || !weir_str_to_u64(text, &value) || text.at[0] == '0' || value > UINT16_MAX) {
        return false;
    }
    *port = (uint16_t) value;
    return true;
}

bool
weir_uri_authority(weir_str_t text, weir_str_t *host, uint16_t *port)
{
    *host = WEIR_STR_NONE;
    *port = 0;
    if (text.len == 0) {
        return false;
    }
    if (!(text.at[0] == '[' ? authority_ipv6(&text, host) : authority_name(&text, host))) {
        return false;
    }
    return text.len == 0 || (text.at[0] == ':' && authority_port(weir_str_skip(text, 1), port));
}
