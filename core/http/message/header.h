/*
 * header.h - header fields: names known at build time have an index, all have slices of memory the message owns.
 */
#ifndef WEIR_HTTP_HEADER_H
#define WEIR_HTTP_HEADER_H

#include "base/str.h"

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

typedef struct {
    weir_str_t name;         /* as received */
    weir_str_t value;        /* without outer SP and HTAB */
    uint16_t   id;           /* weir_header_id_t */
    uint16_t   flags;        /* WEIR_FIELD_* */
} weir_field_t;

enum {
    WEIR_FIELD_DROP = 1,     /* not to be sent on */
    WEIR_FIELD_HOP  = 2,     /* hop by hop: named by Connection, or by nature (RFC 9110 §7.6.1) */
    WEIR_FIELD_MANY = 4,     /* of a known name's first field: there are others.  Set when they are added, by nobody else */
};

typedef struct {
    weir_field_t *at;
    uint32_t      n, cap;
    bool          has_many;                /* a known name came more than once */
    uint8_t       first[WEIR_HEADER_MAX];  /* index + 1 of the first field of an id; 0: none; WEIR_FIELDS_FAR: at that index or behind it */
} weir_fields_t;

#define WEIR_FIELDS_FAR 255

/* Of a request: the first of the fields that may come once only (header.c) and came more than once; NULL: none did.
 * Readers differ in which of them they take, so that who was let in is not who is believed to have been. */
const weir_field_t *weir_fields_find_repeated(const weir_fields_t *fields);
/* By hash of length and bytes; any case. */
weir_header_id_t weir_header_id(weir_str_t name);
weir_str_t       weir_header_name(weir_header_id_t id);               /* lower case */
/* Canonical spelling for fields Weir makes itself ("Content-Type", "ETag"). */
weir_str_t       weir_header_canonical(weir_header_id_t id);

void weir_fields_reset(weir_fields_t *fields);                         /* n = 0; keeps room */
/* What the functions below do when the near place does not say it. */
bool          weir_fields_grow(weir_fields_t *fields, weir_arena_t *arena);
weir_field_t *weir_fields_find_far(const weir_fields_t *fields, weir_header_id_t id);
weir_field_t *weir_fields_find_next(const weir_fields_t *fields, const weir_field_t *after);

/* The first of a known name; NULL: there is none. */
static inline weir_field_t *
weir_fields_first(const weir_fields_t *fields, weir_header_id_t id)
{
    uint8_t first = fields->first[id];

    if (first == 0) {
        return NULL;
    }
    return weir_likely(first != WEIR_FIELDS_FAR) ? &fields->at[first - 1] : weir_fields_find_far(fields, id);
}

/* id: of that name, WEIR_HEADER_OTHER only when it has none. Grows by doubling in the arena (32 at first); NULL when
 * there is no memory or n would pass `limit` (0: none). */
static inline weir_field_t *
weir_fields_add(weir_fields_t *fields, weir_arena_t *arena, weir_header_id_t id, weir_str_t name, weir_str_t value, uint32_t limit)
{
    weir_field_t *field;

    if ((limit != 0 && fields->n >= limit) || (weir_unlikely(fields->n == fields->cap) && !weir_fields_grow(fields, arena))) {
        return NULL;
    }
    field = &fields->at[fields->n++];
    *field = (weir_field_t) { .name = name, .value = value, .id = (uint16_t) id };
    if (id != WEIR_HEADER_OTHER) {
        if (weir_likely(fields->first[id] == 0)) {
            fields->first[id] = (uint8_t) (fields->n < WEIR_FIELDS_FAR ? fields->n : WEIR_FIELDS_FAR);
        } else {
            weir_fields_first(fields, id)->flags |= WEIR_FIELD_MANY;
            fields->has_many = true;
        }
    }
    return field;
}

/* The next of the same name; NULL: there is none. */
static inline weir_field_t *
weir_fields_next(const weir_fields_t *fields, const weir_field_t *after)
{
    if (after->id != WEIR_HEADER_OTHER && (weir_fields_first(fields, (weir_header_id_t) after->id)->flags & WEIR_FIELD_MANY) == 0) {
        return NULL;
    }
    return weir_fields_find_next(fields, after);
}
weir_field_t *weir_fields_find(const weir_fields_t *fields, weir_str_t name);             /* any case */
/* All values of a name joined with ", " (";" + SP for cookie) as one text (the value itself when it is the only
 * one); not found: at == NULL. */
weir_str_t    weir_fields_join(const weir_fields_t *fields, weir_str_t name, weir_arena_t *arena);

/* RFC 9110 §5.6.2 tchar, non-empty. */
bool weir_is_token(weir_str_t s);
/* RFC 9110 §5.5: no CTL but HTAB; bytes >= 0x80 allowed. */
bool weir_is_field_value(weir_str_t s);
/* Takes the next element of a comma-separated list (quoted strings respected), trimmed; skips empty ones; false at
 * the end. */
bool weir_list_next(weir_str_t *list, weir_str_t *element);
/* A list has this token (any case, parameters behind ';' ignored)? */
bool weir_list_has(weir_str_t list, weir_str_t token);

#endif
