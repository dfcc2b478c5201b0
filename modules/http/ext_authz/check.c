/*
 * check.c - the question: a CheckRequest of envoy.service.auth.v3 about a request, as one message of gRPC.
 *
 * It tells of the request as it is now: the path and the query that a peer would get (in their normal form, so that the
 * service judges what is passed on), the Host that chose the server, the fields that are sent on.  What it may be
 * trusted with is the client's own word, but for the address, the certificate and the context.
 *
 * Runs in workers; all of it in the request's arena: the message is at most as large as the head and the body that may
 * be sent, and some hundreds of bytes a field.
 */
#include "ext_authz.h"

#include "base/protobuf.h"
#include "base/utf8.h"
#include "http/filter/header_edit.h"
#include "http/filter/read_ahead.h"
#include "tls/info.h"

#include <stdlib.h>

#define CHECK_FRAME 5                            /* gRPC: is it compressed, and how long */
#define CHECK_FIXED 4096                         /* what lies beside the texts */
#define CHECK_UNKNOWN UINT64_MAX                 /* -1 */

/* Numbers of fields, as the published messages have them. */
enum { CHECK_ATTRIBUTES = 1 };
enum { ATTR_SOURCE = 1, ATTR_DESTINATION = 2, ATTR_REQUEST = 4, ATTR_CONTEXT = 10, ATTR_TLS = 12 };
enum { PEER_ADDRESS = 1, PEER_PRINCIPAL = 4, PEER_CERTIFICATE = 5 };
enum { ADDRESS_SOCKET = 1, ADDRESS_PIPE = 2 };
enum { SOCKET_ADDRESS = 2, SOCKET_PORT = 3, PIPE_PATH = 1 };
enum { REQUEST_TIME = 1, REQUEST_HTTP = 2, TIME_SECONDS = 1, TIME_NANOS = 2 };
enum { HTTP_ID = 1, HTTP_METHOD, HTTP_HEADERS, HTTP_PATH, HTTP_HOST, HTTP_SCHEME, HTTP_SIZE = 9, HTTP_PROTOCOL = 10,
       HTTP_BODY = 11, HTTP_RAW_BODY = 12 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { TLS_SNI = 1 };

typedef struct { weir_str_t name, value; size_t nth; } check_pair_t;
typedef struct { check_pair_t *at; size_t n; } check_pairs_t;

typedef struct {
    weir_request_t *req;
    check_pairs_t   headers, contexts;           /* each name once */
    weir_str_t      method, path, host, protocol, sni, principal, certificate, body;
} check_t;

/* -- what is told -- */

static int
check_compare(const void *a, const void *b)
{
    const check_pair_t *left = a, *right = b;
    int                 order = weir_str_cmp(left->name, right->name);

    return order != 0 ? order : left->nth < right->nth ? -1 : 1;
}

/* Entries of one name become one, their values with commas between (RFC 9110 §5.3; cookies: RFC 6265 §5.4). */
static bool
check_merge(weir_arena_t *arena, check_pairs_t *pairs)
{
    size_t n = 0;

    for (size_t i = 0, end; i < pairs->n; i = end) {
        weir_str_t   name = pairs->at[i].name, mark = weir_str_eq(name, WEIR_STR("cookie")) ? WEIR_STR("; ")
                                                                                            : WEIR_STR(", ");
        size_t       len = 0;
        weir_buf_t   joined;
        char        *room;

        for (end = i; end < pairs->n && weir_str_eq(pairs->at[end].name, name); end++) {
            len += pairs->at[end].value.len + mark.len;
        }
        if (end - i > 1) {
            room = weir_try_alloc(arena, len);
            if (room == NULL) {
                return false;
            }
            weir_buf_init(&joined, room, len);
            for (size_t k = i; k < end; k++) {
                weir_buf_add_str(&joined, k == i ? WEIR_STR_NONE : mark);
                weir_buf_add_str(&joined, pairs->at[k].value);
            }
            weir_assert(!joined.full);
            pairs->at[i].value = weir_buf_str(&joined);
        }
        pairs->at[n++] = pairs->at[i];
    }
    pairs->n = n;
    return true;
}

static void
check_add(check_pairs_t *pairs, weir_str_t name, weir_str_t value)
{
    pairs->at[pairs->n] = (check_pair_t) { name, value, pairs->n };
    pairs->n++;
}

/* The fields that are sent on, their names in small letters, and what HTTP/2 tells in fields of its own. */
static bool
check_gather_headers(check_t *check, const ext_conf_t *conf)
{
    weir_request_t      *req = check->req;
    const weir_fields_t *fields = &req->head.fields;

    check->headers.at = weir_try_alloc(&req->arena, (fields->n + 4) * sizeof(check_pair_t));
    if (check->headers.at == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < fields->n; i++) {
        const weir_field_t *field = &fields->at[i];

        weir_str_t value;

        if ((field->flags & (WEIR_FIELD_DROP | WEIR_FIELD_HOP)) != 0
            || (conf->told.is_set && !ext_names_has(&conf->told, field->name)))
        {
            continue;
        }
        value = weir_header_edit_told(req, field);
        if (value.len != 0 || field->value.len == 0) {
            check_add(&check->headers, weir_str_lower(&req->arena, field->name), value);
        }
    }
    check_add(&check->headers, WEIR_STR(":authority"), check->host);
    check_add(&check->headers, WEIR_STR(":method"), check->method);
    check_add(&check->headers, WEIR_STR(":path"), check->path);
    check_add(&check->headers, WEIR_STR(":scheme"), req->client->is_tls ? WEIR_STR("https") : WEIR_STR("http"));
    qsort(check->headers.at, check->headers.n, sizeof(check_pair_t), check_compare);
    return check_merge(&req->arena, &check->headers);
}

static void
check_gather_contexts(check_t *check, const ext_conf_t *conf)
{
    check->contexts.at = weir_new_n(&check->req->arena, check_pair_t, conf->contexts.n);
    for (size_t i = 0; i < conf->contexts.n; i++) {
        check_add(&check->contexts, conf->contexts.at[i].name,
                  weir_request_eval(check->req, conf->contexts.at[i].value));
    }
}

/* Of a certificate that was verified: a client with another one has no name. */
static void
check_gather_tls(check_t *check, const ext_conf_t *conf)
{
    const weir_conn_t *conn = check->req->client->conn;
    weir_arena_t      *arena = &check->req->arena;
    weir_str_t         verdict;

    if (conn == NULL || !weir_tls_is_on(conn)) {
        return;
    }
    (void) !weir_tls_info(conn, WEIR_TLS_SERVER_NAME, arena, &check->sni);
    if (!weir_tls_info(conn, WEIR_TLS_CLIENT_VERIFY, arena, &verdict) || !weir_str_eq(verdict, WEIR_STR("SUCCESS"))) {
        return;
    }
    (void) !weir_tls_info(conn, WEIR_TLS_CLIENT_PRINCIPAL, arena, &check->principal);
    if (conf->certificate.on) {
        (void) !weir_tls_info(conn, WEIR_TLS_CLIENT_ESCAPED_CERT, arena, &check->certificate);
    }
}

static weir_str_t
check_path(weir_request_t *req)
{
    if (req->head.form == WEIR_TARGET_ASTERISK && !req->uri_changed) {
        return WEIR_STR("*");
    }
    if (req->query.len == 0 && (!req->head.has_query || req->uri_changed)) {
        return req->uri.wire;
    }
    return weir_str_printf(&req->arena, "%.*s?%.*s", WEIR_STR_ARG(req->uri.wire), WEIR_STR_ARG(req->query));
}

/* As much of the body as may be sent.  OK · EOF: it is larger · ERROR. */
static weir_io_t
check_gather_body(check_t *check, const ext_body_t *body)
{
    weir_request_t *req = check->req;
    weir_io_t       io;

    if (body->size == 0 || req->body == NULL) {
        return WEIR_OK;
    }
    io = weir_read_ahead_text(req, body->size, &req->arena, &check->body);
    return io == WEIR_EOF && body->is_partial
             ? weir_read_ahead_begin(req, (size_t) body->size, &req->arena, &check->body) : io;
}

static weir_io_t
check_gather(check_t *check, const ext_conf_t *conf)
{
    weir_request_t *req = check->req;

    check->method = req->head.method_name;
    check->path = check_path(req);
    check->host = req->head.port != 0 ? weir_str_printf(&req->arena, "%.*s:%u", WEIR_STR_ARG(req->host), req->head.port)
                                      : req->host;
    check->protocol = req->version >= 20 ? WEIR_STR("HTTP/2")
                      : req->version == 10 ? WEIR_STR("HTTP/1.0") : WEIR_STR("HTTP/1.1");
    check_gather_contexts(check, conf);
    check_gather_tls(check, conf);
    return check_gather_headers(check, conf) ? check_gather_body(check, &conf->body) : WEIR_ERROR;
}

/* -- the message, from its end -- */

static size_t
check_room(const check_t *check)
{
    const weir_str_t texts[] = { check->method, check->path, check->host, check->sni, check->principal,
                                 check->certificate, check->body };
    size_t           room = CHECK_FRAME + CHECK_FIXED;

    for (size_t i = 0; i < weir_countof(texts); i++) {
        room += WEIR_PROTOBUF_ROOM(texts[i].len);
    }
    for (size_t i = 0; i < check->headers.n; i++) {
        room += WEIR_PROTOBUF_ROOM(0) + WEIR_PROTOBUF_ROOM(check->headers.at[i].name.len)
              + WEIR_PROTOBUF_ROOM(check->headers.at[i].value.len);
    }
    for (size_t i = 0; i < check->contexts.n; i++) {
        room += WEIR_PROTOBUF_ROOM(0) + WEIR_PROTOBUF_ROOM(check->contexts.at[i].name.len)
              + WEIR_PROTOBUF_ROOM(check->contexts.at[i].value.len);
    }
    return room;
}

static void
check_put(weir_protobuf_writer_t *w, uint32_t number, weir_str_t text)
{
    if (text.len != 0) {
        weir_protobuf_put_text(w, number, text);
    }
}

/* A map is a list of entries (name, value). */
static void
check_put_map(weir_protobuf_writer_t *w, uint32_t number, const check_pairs_t *pairs)
{
    for (size_t i = pairs->n; i-- > 0;) {
        size_t since = weir_protobuf_written(w);

        weir_protobuf_put_text(w, ENTRY_VALUE, pairs->at[i].value);
        weir_protobuf_put_text(w, ENTRY_KEY, pairs->at[i].name);
        weir_protobuf_put_message(w, number, since);
    }
}

static void
check_put_address(weir_protobuf_writer_t *w, const weir_addr_t *addr)
{
    size_t since = weir_protobuf_written(w), inner = since;
    char   text[WEIR_ADDR_TEXT];
    size_t n = weir_addr_text_ip(addr, text);

    if (weir_addr_is_unix(addr)) {
        weir_protobuf_put_text(w, PIPE_PATH, weir_str(text, n));
        weir_protobuf_put_message(w, ADDRESS_PIPE, inner);
    } else {
        weir_protobuf_put_varint(w, SOCKET_PORT, weir_addr_port(addr));
        weir_protobuf_put_text(w, SOCKET_ADDRESS, weir_str(text, n));
        weir_protobuf_put_message(w, ADDRESS_SOCKET, inner);
    }
    weir_protobuf_put_message(w, PEER_ADDRESS, since);
}

static void
check_put_http(weir_protobuf_writer_t *w, const check_t *check)
{
    weir_request_t *req = check->req;
    size_t          since = weir_protobuf_written(w);
    uint64_t        length = req->head.content_length;

    if (check->body.len != 0 && !weir_utf8_is_text(check->body)) {
        weir_protobuf_put_bytes(w, HTTP_RAW_BODY, check->body);
    } else {
        check_put(w, HTTP_BODY, check->body);
    }
    check_put(w, HTTP_PROTOCOL, check->protocol);
    weir_protobuf_put_varint(w, HTTP_SIZE, length != WEIR_LENGTH_NONE ? length
                                           : weir_request_has_body(req) ? CHECK_UNKNOWN : 0);
    check_put(w, HTTP_SCHEME, req->client->is_tls ? WEIR_STR("https") : WEIR_STR("http"));
    check_put(w, HTTP_HOST, check->host);
    check_put(w, HTTP_PATH, check->path);
    check_put_map(w, HTTP_HEADERS, &check->headers);
    check_put(w, HTTP_METHOD, check->method);
    check_put(w, HTTP_ID, weir_request_id(req));
    weir_protobuf_put_message(w, REQUEST_HTTP, since);
}

static void
check_put_request(weir_protobuf_writer_t *w, const check_t *check)
{
    uint64_t ms = check->req->started_wall_ms;
    size_t   since = weir_protobuf_written(w), inner;

    check_put_http(w, check);
    inner = weir_protobuf_written(w);
    weir_protobuf_put_varint(w, TIME_NANOS, ms % 1000 * 1000000);
    weir_protobuf_put_varint(w, TIME_SECONDS, ms / 1000);
    weir_protobuf_put_message(w, REQUEST_TIME, inner);
    weir_protobuf_put_message(w, ATTR_REQUEST, since);
}

static void
check_put_attributes(weir_protobuf_writer_t *w, const check_t *check)
{
    weir_addr_t local = weir_request_local(check->req), client = weir_addr_from_endpoint(&check->req->client->addr);
    size_t      since;

    if (check->sni.len != 0) {
        since = weir_protobuf_written(w);
        check_put(w, TLS_SNI, check->sni);
        weir_protobuf_put_message(w, ATTR_TLS, since);
    }
    check_put_map(w, ATTR_CONTEXT, &check->contexts);
    check_put_request(w, check);
    since = weir_protobuf_written(w);
    check_put_address(w, &local);
    weir_protobuf_put_message(w, ATTR_DESTINATION, since);
    since = weir_protobuf_written(w);
    check_put(w, PEER_CERTIFICATE, check->certificate);
    check_put(w, PEER_PRINCIPAL, check->principal);
    check_put_address(w, &client);
    weir_protobuf_put_message(w, ATTR_SOURCE, since);
    weir_protobuf_put_message(w, CHECK_ATTRIBUTES, 0);
}

weir_io_t
ext_check_make(weir_request_t *req, const ext_conf_t *conf, weir_str_t *message)
{
    check_t                check = { .req = req };
    weir_protobuf_writer_t w;
    weir_io_t              io = check_gather(&check, conf);
    size_t                 size, n;
    char                  *room;

    if (io != WEIR_OK) {
        return io;
    }
    size = check_room(&check);
    room = weir_try_alloc(&req->arena, size);
    if (room == NULL) {
        return WEIR_ERROR;
    }
    weir_protobuf_write_to(&w, room + CHECK_FRAME, size - CHECK_FRAME);
    check_put_attributes(&w, &check);
    n = weir_protobuf_written(&w);
    weir_assert(!w.full && n <= UINT32_MAX);
    room = w.pos - CHECK_FRAME;
    room[0] = 0;
    for (unsigned i = 0; i < 4; i++) {
        room[1 + i] = (char) (n >> (24 - 8 * i));
    }
    *message = weir_str(room, CHECK_FRAME + n);
    return WEIR_OK;
}
