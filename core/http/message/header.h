/*
 * header.h - the names of header fields that are known at build time: each has an index.
 */
#ifndef WEIR_HTTP_HEADER_H
#define WEIR_HTTP_HEADER_H

#include "base/str.h"

#include <string.h>

/* Known names: WEIR_HEADER_HOST, …; X(token, "lower-case-name"). */
#define WEIR_HEADERS(X)                                                                                              \
    X(ACCEPT, "accept") X(ACCEPT_ENCODING, "accept-encoding") X(ACCEPT_LANGUAGE, "accept-language")                  \
    X(ACCEPT_RANGES, "accept-ranges") X(ACCESS_CONTROL_ALLOW_ORIGIN, "access-control-allow-origin") X(AGE, "age")    \
    X(ALLOW, "allow") X(AUTHORIZATION, "authorization") X(CACHE_CONTROL, "cache-control") X(CONNECTION, "connection")\
    X(CONTENT_DISPOSITION, "content-disposition") X(CONTENT_ENCODING, "content-encoding")                            \
    X(CONTENT_LANGUAGE, "content-language") X(CONTENT_LENGTH, "content-length")                     \
    X(CONTENT_LOCATION, "content-location")                                                                          \
    X(CONTENT_RANGE, "content-range") X(CONTENT_TYPE, "content-type") X(COOKIE, "cookie") X(DATE, "date")            \
    X(ETAG, "etag") X(EXPECT, "expect") X(EXPIRES, "expires") X(FORWARDED, "forwarded") X(FROM, "from")              \
    X(HOST, "host") X(HTTP2_SETTINGS, "http2-settings") X(IF_MATCH, "if-match")                                      \
    X(IF_MODIFIED_SINCE, "if-modified-since") X(IF_NONE_MATCH, "if-none-match") X(IF_RANGE, "if-range")              \
    X(IF_UNMODIFIED_SINCE, "if-unmodified-since") X(KEEP_ALIVE, "keep-alive") X(LAST_MODIFIED, "last-modified")      \
    X(LINK, "link") X(LOCATION, "location") X(MAX_FORWARDS, "max-forwards") X(ORIGIN, "origin") X(PRAGMA, "pragma")  \
    X(PROXY_AUTHENTICATE, "proxy-authenticate") X(PROXY_AUTHORIZATION, "proxy-authorization")                        \
    X(PROXY_CONNECTION, "proxy-connection") X(RANGE, "range") X(REFERER, "referer") X(REFRESH, "refresh")            \
    X(RETRY_AFTER, "retry-after") X(SEC_WEBSOCKET_ACCEPT, "sec-websocket-accept")                                    \
    X(SEC_WEBSOCKET_KEY, "sec-websocket-key") X(SEC_WEBSOCKET_PROTOCOL, "sec-websocket-protocol")                    \
    X(SEC_WEBSOCKET_VERSION, "sec-websocket-version") X(SERVER, "server") X(SET_COOKIE, "set-cookie")                \
    X(STRICT_TRANSPORT_SECURITY, "strict-transport-security") X(TE, "te") X(TRAILER, "trailer")                      \
    X(TRANSFER_ENCODING, "transfer-encoding") X(UPGRADE, "upgrade") X(USER_AGENT, "user-agent") X(VARY, "vary")      \
    X(VIA, "via") X(WARNING, "warning") X(WWW_AUTHENTICATE, "www-authenticate")                                      \
    X(X_ACCEL_BUFFERING, "x-accel-buffering") X(X_ACCEL_CHARSET, "x-accel-charset")                                  \
    X(X_ACCEL_EXPIRES, "x-accel-expires") X(X_ACCEL_LIMIT_RATE, "x-accel-limit-rate")                                \
    X(X_ACCEL_REDIRECT, "x-accel-redirect") X(X_FORWARDED_FOR, "x-forwarded-for")                                    \
    X(X_FORWARDED_HOST, "x-forwarded-host") X(X_FORWARDED_PROTO, "x-forwarded-proto") X(X_PAD, "x-pad")              \
    X(X_REAL_IP, "x-real-ip") X(X_REQUEST_ID, "x-request-id") X(X_XSS_PROTECTION, "x-xss-protection")

typedef enum {
    WEIR_HEADER_OTHER,
#define WEIR_HEADER_ENUM(token, name) WEIR_HEADER_##token,
    WEIR_HEADERS(WEIR_HEADER_ENUM)
#undef WEIR_HEADER_ENUM
    WEIR_HEADER_MAX
} weir_header_id_t;

/* By hash of length and bytes; any case. */
weir_header_id_t weir_header_id(weir_str_t name);
weir_str_t       weir_header_name(weir_header_id_t id);               /* lower case */
/* Canonical spelling for fields Weir makes itself ("Content-Type", "ETag"). */
weir_str_t       weir_header_canonical(weir_header_id_t id);

/* Are these bytes the lower-case text of a name in any case?  Letters are where bit 6 is set; '-' and digits
 * must be equal. */
static inline bool
weir_header_same_u64(const char *any, const char *lower)
{
    uint64_t a, b;

    memcpy(&a, any, sizeof(a));
    memcpy(&b, lower, sizeof(b));
    return (a | (b & UINT64_C(0x4040404040404040)) >> 1) == b;
}

static inline bool
weir_header_same_u16(const char *any, const char *lower)
{
    uint16_t a, b;

    memcpy(&a, any, sizeof(a));
    memcpy(&b, lower, sizeof(b));
    return (a | (b & 0x4040u) >> 1) == b;
}

static inline bool
weir_header_same_u32(const char *any, const char *lower)
{
    uint32_t a, b;

    memcpy(&a, any, sizeof(a));
    memcpy(&b, lower, sizeof(b));
    return (a | (b & 0x40404040u) >> 1) == b;
}

/* n >= 2: eight, four or two bytes at a time, the last of them overlapping. */
static inline bool
weir_header_same(const char *any, const char *lower, size_t n)
{
    if (n < 4) {
        return weir_header_same_u16(any, lower) && weir_header_same_u16(any + n - 2, lower + n - 2);
    }
    if (n < 8) {
        return weir_header_same_u32(any, lower) && weir_header_same_u32(any + n - 4, lower + n - 4);
    }
    for (size_t i = 0; i + 8 < n; i += 8) {
        if (!weir_header_same_u64(any + i, lower + i)) {
            return false;
        }
    }
    return weir_header_same_u64(any + n - 8, lower + n - 8);
}

#endif
