/*
 * head.c - from a stream's fields to the neutral request (RFC 9113 §8.2, §8.3; RFC 8441).
 *
 * Runs in workers; all of it in the request's arena.  What HTTP/1 could not say, or what a reader of HTTP/1 could take
 * for something else, is malformed here and never gets further: the emitters toward peers see one kind of request only.
 */
#include "http/h2/fields.h"
#include "http/h2/server.h"

#include "http/message/field_rules.h"
#include "os/sys.h"

#include <string.h>

#define HEAD_BIT(pseudo) (1u << (pseudo))

static bool
head_bad(weir_h2_exchange_t *x, const char *why)
{
    if (x->malformed == NULL) {
        x->malformed = why;
    }
    return true;                              /* the rest is decoded all the same, and ignored */
}

/* A copy that lives as long as the request.  false: no memory. */
static bool
head_copy(weir_h2_exchange_t *x, weir_str_t from, weir_str_t *to)
{
    char *at;

    if (from.len == 0) {
        *to = WEIR_STR("");
        return true;
    }
    at = weir_try_alloc(&x->req->arena, from.len);
    if (at == NULL) {
        x->no_memory = true;
        return false;
    }
    memcpy(at, from.at, from.len);
    *to = weir_str(at, from.len);
    return true;
}

/* -- pseudo-header fields (§8.3.1) -- */

static bool
head_pseudo(weir_h2_exchange_t *x, const weir_hpack_field_t *field)
{
    weir_str_t *slots[] = {
        [WEIR_H2_AUTHORITY] = &x->authority, [WEIR_H2_METHOD] = &x->method, [WEIR_H2_PATH] = &x->path,
        [WEIR_H2_SCHEME] = &x->scheme, [WEIR_H2_PROTOCOL] = &x->protocol,
    };

    if (x->has_regular) {
        return head_bad(x, "a pseudo-header behind a regular one");
    }
    if (field->pseudo >= weir_countof(slots) || slots[field->pseudo] == NULL) {
        return head_bad(x, "an unknown pseudo-header, or one of answers");
    }
    if (x->seen & HEAD_BIT(field->pseudo)) {
        return head_bad(x, "a pseudo-header twice");
    }
    x->seen |= HEAD_BIT(field->pseudo);
    return head_copy(x, field->value, slots[field->pseudo]);
}

/* -- regular fields (§8.2) -- */

/* Crumbs become one Cookie; room grows by doubling, so that many small ones cost what their bytes cost. */
static bool
head_cookie(weir_h2_exchange_t *x, weir_str_t crumb)
{
    size_t need = x->cookie_len + crumb.len + 2;

    if (need > x->cookie_cap) {
        size_t cap = weir_max(2 * x->cookie_cap, weir_max(need, (size_t) 256));
        char *grown = weir_try_alloc(&x->req->arena, cap);

        if (grown == NULL) {
            x->no_memory = true;
            return false;
        }
        if (x->cookie_len != 0) {
            memcpy(grown, x->cookie, x->cookie_len);
        }
        x->cookie = grown;
        x->cookie_cap = cap;
    }
    if (x->cookie_len != 0) {
        memcpy(x->cookie + x->cookie_len, "; ", 2);
        x->cookie_len += 2;
    }
    memcpy(x->cookie + x->cookie_len, crumb.at, crumb.len);
    x->cookie_len += crumb.len;
    weir_assert(x->cookie_len <= x->cookie_cap);
    return true;
}

static bool
head_add(weir_h2_exchange_t *x, weir_header_id_t id, weir_str_t name, weir_str_t value, uint16_t flags)
{
    weir_field_t *added = weir_fields_add(&x->req->head.fields, &x->req->arena, id, name, value, 0);

    if (added == NULL) {
        x->no_memory = true;
        return false;
    }
    added->flags |= flags;
    return true;
}

static bool
head_length(weir_h2_exchange_t *x, weir_str_t value)
{
    if (x->has_length || !weir_field_rules_read_length(value, &x->req->head.content_length)) {
        return head_bad(x, "Content-Length twice, or no number");
    }
    x->has_length = true;
    return true;
}

static void
head_expect(weir_request_head_t *head, weir_str_t value)
{
    if (weir_str_eq_fold(value, WEIR_STR("100-continue"))) {
        head->expect_continue = true;
    } else {
        head->expect_unknown = true;
    }
}

static bool
head_regular(weir_h2_exchange_t *x, const weir_hpack_field_t *field)
{
    const weir_http_core_conf_t *core = weir_request_core(x->req);
    weir_field_rules_t rules = {
        .drop_odd = core->ignore_invalid_headers.on,
        .underscores = core->underscores_in_headers.on,
        .drop_aliases = true,
    };
    weir_request_head_t *head = &x->req->head;
    weir_str_t name = field->name, value;
    uint16_t flags = WEIR_FIELD_CLEAN;

    x->has_regular = true;
    if (!field->is_clean) {
        return head_bad(x, "a field's name or value has bytes that may not stand there");
    }
    if (weir_h2_is_connection_specific(field)) {
        return head_bad(x, "a field that belongs to HTTP/1 connections");
    }
    if (field->id == WEIR_HEADER_OTHER && weir_field_rules_drop(&rules, name)) {
        head->dropped++;
        return true;
    }
    if (field->id == WEIR_HEADER_COOKIE) {
        return head_cookie(x, field->value);
    }
    if (field->id == WEIR_HEADER_TE) {
        head->te_trailers = true;
        flags |= WEIR_FIELD_HOP;
    } else if (field->id == WEIR_HEADER_TRAILER) {
        flags |= WEIR_FIELD_HOP;
    } else if (field->id == WEIR_HEADER_CONTENT_LENGTH && !head_length(x, field->value)) {
        return false;
    } else if (field->id == WEIR_HEADER_EXPECT) {
        head_expect(head, field->value);
    }
    name = weir_header_name(field->id);
    if ((field->id == WEIR_HEADER_OTHER && !head_copy(x, field->name, &name)) || !head_copy(x, field->value, &value)) {
        return false;
    }
    return head_add(x, field->id, name, value, flags);
}

bool
weir_h2_exchange_field(weir_h2_exchange_t *x, const weir_hpack_field_t *field)
{
    weir_assert(!x->head_done && !x->req->is_ended);
    if (x->malformed != NULL) {
        return true;
    }
    return field->pseudo != WEIR_H2_NOT_PSEUDO ? head_pseudo(x, field) : head_regular(x, field);
}

/* -- the whole -- */

static weir_str_t
head_line(weir_h2_exchange_t *x, weir_str_t target)
{
    static const char version[] = " HTTP/2.0";
    size_t len = x->method.len + 1 + target.len + sizeof(version) - 1;
    char *at = weir_try_alloc(&x->req->arena, len), *p = at;

    if (at == NULL) {
        return WEIR_STR_NONE;
    }
    memcpy(p, x->method.at, x->method.len);
    p += x->method.len;
    *p++ = ' ';
    memcpy(p, target.at, target.len);
    memcpy(p + target.len, version, sizeof(version) - 1);
    weir_assert(p + target.len + sizeof(version) - 1 == at + len);
    return weir_str(at, len);
}

static const char *
head_host(weir_h2_exchange_t *x)
{
    weir_request_head_t *head = &x->req->head;
    weir_field_t *field = weir_fields_first(&head->fields, WEIR_HEADER_HOST);
    weir_str_t host;
    uint16_t port;

    if (field != NULL) {
        field->value = weir_uri_authority_plain(field->value);
        if (weir_fields_next(&head->fields, field) != NULL) {
            return "Host twice";
        }
        if (!weir_uri_authority(field->value, &head->host, &head->port)) {
            return "a Host that is none";
        }
    }
    if (!(x->seen & HEAD_BIT(WEIR_H2_AUTHORITY))) {
        return field != NULL ? NULL : "neither :authority nor Host";
    }
    if (!weir_uri_authority(x->authority, &host, &port)) {
        return "an :authority that is none";
    }
    if (field != NULL && (!weir_str_eq_fold(host, head->host) || port != head->port)) {
        return ":authority and Host differ";
    }
    head->host = host;
    head->port = port;
    if (field == NULL && !head_add(x, WEIR_HEADER_HOST, WEIR_STR("host"), weir_uri_authority_plain(x->authority), 0)) {
        return "no memory";
    }
    return NULL;
}

static const char *
head_path(weir_h2_exchange_t *x)
{
    weir_request_head_t *head = &x->req->head;

    head->target = x->path;
    if (weir_str_eq(x->path, WEIR_STR("*")) && head->method == WEIR_METHOD_OPTIONS) {
        head->form = WEIR_TARGET_ASTERISK;
        head->path = head->query = weir_str(x->path.at, 0);
        return NULL;
    }
    if (x->path.len == 0 || x->path.at[0] != '/') {
        return "a :path that does not begin with a slash";
    }
    head->form = WEIR_TARGET_ORIGIN;
    return weir_uri_split(x->path, &head->path, &head->query, &head->has_query)
             ? NULL
             : "a :path with bytes that may not stand there";
}

static const char *
head_scheme(const weir_h2_exchange_t *x)
{
    return weir_str_eq(x->scheme, WEIR_STR("http")) || weir_str_eq(x->scheme, WEIR_STR("https"))
               ? NULL : "a :scheme other than http and https";
}

/* RFC 8441 §4: a WebSocket; toward peers it is HTTP/1's handshake, with a key of ours. */
static const char *
head_websocket(weir_h2_exchange_t *x)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    weir_request_t *req = x->req;
    uint8_t random[22];
    char *key = weir_try_alloc(&req->arena, 24);

    if (key == NULL || weir_sys_random(random, sizeof(random)) != 0) {
        x->no_memory = true;
        return "no memory, or no random numbers";
    }
    for (size_t i = 0; i < 22; i++) {
        key[i] = digits[i == 21 ? (random[i] & 0x30) : (random[i] & 0x3f)];
    }
    memcpy(key + 22, "==", 2);
    x->is_websocket = true;
    req->head.method = WEIR_METHOD_GET;
    req->head.method_name = WEIR_STR("GET");
    req->head.upgrade = true;
    req->body_complete = true;                  /* what comes is the tunnel's */
    return head_add(x, WEIR_HEADER_UPGRADE, WEIR_STR("upgrade"), WEIR_STR("websocket"), WEIR_FIELD_HOP)
           && head_add(x, WEIR_HEADER_SEC_WEBSOCKET_KEY, WEIR_STR("sec-websocket-key"), weir_str(key, 24), 0)
               ? NULL : "no memory";
}

static const char *
head_connect(weir_h2_exchange_t *x)
{
    uint32_t target = HEAD_BIT(WEIR_H2_PATH) | HEAD_BIT(WEIR_H2_SCHEME);

    if (x->seen & HEAD_BIT(WEIR_H2_PROTOCOL)) {
        if ((x->seen & target) != target) {
            return "an extended CONNECT without :scheme or :path";
        }
        return NULL;
    }
    if ((x->seen & target) != 0 || !(x->seen & HEAD_BIT(WEIR_H2_AUTHORITY))) {
        return "a CONNECT with :scheme or :path, or without :authority";
    }
    return NULL;
}

static const char *
head_shape(weir_h2_exchange_t *x)
{
    uint32_t all = HEAD_BIT(WEIR_H2_METHOD) | HEAD_BIT(WEIR_H2_PATH) | HEAD_BIT(WEIR_H2_SCHEME);

    if (!weir_syntax_is_token(x->method)) {
        return "no :method, or one that is no token";
    }
    x->req->head.method_name = x->method;
    x->req->head.method = weir_method_parse(x->method);
    if (x->req->head.method == WEIR_METHOD_CONNECT) {
        return head_connect(x);
    }
    if (x->seen & HEAD_BIT(WEIR_H2_PROTOCOL)) {
        return ":protocol with another method than CONNECT";
    }
    return (x->seen & all) == all ? NULL : "a pseudo-header is missing";
}

const char *
weir_h2_exchange_head(weir_h2_exchange_t *x)
{
    weir_request_head_t *head = &x->req->head;
    bool has_path;
    const char *why;

    head->keep_alive = true;
    if (x->malformed != NULL || (x->malformed = head_shape(x)) != NULL) {
        return x->malformed;
    }
    has_path = (x->seen & HEAD_BIT(WEIR_H2_PATH)) != 0;
    head->line = head_line(x, has_path ? x->path : x->authority);
    if ((why = head_host(x)) != NULL) {
        return why;
    }
    if (!has_path) {
        head->form = WEIR_TARGET_AUTHORITY;
        head->target = x->authority;
    } else if ((why = head_path(x)) != NULL || (why = head_scheme(x)) != NULL) {
        return why;
    }
    if (x->seen & HEAD_BIT(WEIR_H2_PROTOCOL)) {
        if (!weir_str_eq_fold(x->protocol, WEIR_STR("websocket"))) {
            return "an extended CONNECT for a protocol that is not served";
        }
        if ((why = head_websocket(x)) != NULL) {
            return why;
        }
    }
    head->expect_continue = head->expect_continue && !head->expect_unknown;
    if (x->cookie_len != 0
        && !head_add(x, WEIR_HEADER_COOKIE, WEIR_STR("cookie"), weir_str(x->cookie, x->cookie_len), 0))
    {
        return "no memory";
    }
    return NULL;
}

/* -- trailers (§8.1) -- */

bool
weir_h2_exchange_trailer(weir_h2_exchange_t *x, const weir_hpack_field_t *field)
{
    weir_str_t name, value;

    weir_assert(x->head_done);
    if (field->pseudo != WEIR_H2_NOT_PSEUDO || !field->is_clean || weir_h2_is_connection_specific(field))
    {
        return head_bad(x, "trailers with what may not stand there");
    }
    if (!head_copy(x, field->name, &name) || !head_copy(x, field->value, &value)) {
        return false;
    }
    if (weir_fields_add(&x->req->trailers, &x->req->arena, field->id, name, value, 0) == NULL) {
        x->no_memory = true;                  /* half of them are not what the client sent */
        return false;
    }
    return true;
}
