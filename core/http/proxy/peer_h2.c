/*
 * peer_h2.c - HTTP/2 toward a peer: an exchange is a stream of a connection that others use too (RFC 9113 §8).
 *
 * Runs in workers; memory: the request's arena, the session's chains.  Peers are as untrusted as clients: what may not stand in an
 * answer is the peer's fault, and costs this stream only.
 */
#include "http/proxy/emit.h"
#include "http/proxy/shared_link.h"

#include "http/h1/parse_common.h"
#include "http/h2/fields.h"
#include "http/runtime.h"

#include <string.h>

#define PEER_MAX_FIELDS 1000
#define PEER_TRAILERS   (16 * 1024)          /* bytes of trailers, names and values */

typedef struct {
    weir_joint_t       joint;                /* first: stream->owner points here */
    /* what comes */
    weir_h1_response_t head;                 /* being read, or complete (head_ready) */
    size_t             head_bytes;
    const char        *malformed;
    weir_cause_t       refused_as;           /* of a head that is too large, or finds no memory */
    uint64_t           promised;             /* Content-Length; WEIR_LENGTH_NONE: none, or it does not count */
    bool               has_status, has_length, has_regular, head_ready, is_final;
    /* how it ended before its time */
    weir_cause_t       lost;                 /* NONE: it has not */
    const char        *lost_detail;
    bool               retryable;
    /* what goes */
    uint64_t           head_sent;            /* bytes, about */
    bool               ended, blocked;
} peer_t;

static inline peer_t *
peer_of(const weir_proxy_t *p)
{
    return (peer_t *) (uintptr_t) p->wire;
}

static peer_t *
peer_of_stream(const weir_h2_stream_t *stream)
{
    return stream->owner;
}

static weir_io_t
peer_error(weir_proxy_t *p, weir_cause_t cause, const char *detail)
{
    p->cause = cause;
    p->detail = detail;
    return WEIR_ERROR;
}

/* The connection has failed, or the session has given the stream up, for a cause of its own. */
static bool
peer_lose_connection(peer_t *x, const weir_h2_session_t *session)
{
    const char *detail = NULL;
    weir_cause_t cause = weir_h2_session_cause(session, &detail);

    if (cause != WEIR_CAUSE_NONE) {
        x->lost = cause == WEIR_CAUSE_UPSTREAM_SEND_TIMEOUT ? cause : WEIR_CAUSE_UPSTREAM_H2_PROTOCOL;
        x->lost_detail = detail;
    } else if (weir_h2_session_is_over(session)) {
        x->lost = x->is_final ? WEIR_CAUSE_UPSTREAM_BODY_INCOMPLETE : WEIR_CAUSE_UPSTREAM_CLOSED;
    }
    return x->lost != WEIR_CAUSE_NONE;
}

static weir_io_t
peer_lost(weir_proxy_t *p)
{
    peer_t *x = peer_of(p);

    if (x->lost == WEIR_CAUSE_NONE && x->joint.stream != NULL && weir_h2_session_is_over(x->joint.stream->session)) {
        peer_lose_connection(x, x->joint.stream->session);      /* found out by a call of ours, before the session told us */
    }
    return peer_error(p, x->lost != WEIR_CAUSE_NONE ? x->lost : WEIR_CAUSE_UPSTREAM_H2_RESET, x->lost_detail);
}

/* -- the answer's head -- */

static void
peer_new_head(peer_t *x)
{
    memset(&x->head, 0, sizeof(x->head));
    x->head.content_length = WEIR_LENGTH_NONE;
    x->head.minor = 1;
    x->head.keep_alive = true;
    x->head_bytes = 0;
    x->has_status = x->has_length = x->has_regular = false;
}

static bool
peer_bad(peer_t *x, const char *why)
{
    if (x->malformed == NULL) {
        x->malformed = why;
    }
    return true;                             /* decoded all the same, and ignored */
}

static bool
peer_no_room(peer_t *x, weir_cause_t cause)
{
    x->refused_as = cause;
    return false;
}

static bool
peer_on_head_begin(weir_h2_stream_t *stream)
{
    peer_t *x = peer_of_stream(stream);

    if (x == NULL || x->head_ready) {
        return false;
    }
    peer_new_head(x);
    return true;
}

static bool
peer_status(peer_t *x, weir_str_t value)
{
    if (x->has_status || x->has_regular) {
        return peer_bad(x, ":status twice, or behind a field");
    }
    if (value.len != 3 || value.at[0] < '1' || value.at[0] > '5' || value.at[1] < '0' || value.at[1] > '9' || value.at[2] < '0'
        || value.at[2] > '9')
    {
        return peer_bad(x, "a :status that is none");
    }
    x->has_status = true;
    x->head.status = (uint16_t) ((value.at[0] - '0') * 100 + (value.at[1] - '0') * 10 + value.at[2] - '0');
    return true;
}

static bool
peer_length(peer_t *x, weir_str_t value)
{
    if (x->has_length || weir_h1_parse_length(value, &x->head.content_length) != WEIR_H1_OK) {
        return peer_bad(x, "Content-Length twice, or no number");
    }
    x->has_length = true;
    return true;
}

static bool
peer_keep(peer_t *x, weir_fields_t *fields, const weir_hpack_field_t *field)
{
    weir_arena_t *arena = &x->joint.proxy->req->arena;
    weir_str_t name = weir_header_name(field->id);
    bool copies_name = field->id == WEIR_HEADER_OTHER;
    size_t len = field->value.len + (copies_name ? field->name.len : 0);
    char *at = len != 0 ? weir_try_alloc(arena, len) : NULL;

    if (len != 0 && at == NULL) {
        return peer_no_room(x, WEIR_CAUSE_INTERNAL_MEMORY);
    }
    if (copies_name) {
        memcpy(at, field->name.at, field->name.len);
        name = weir_str(at, field->name.len);
        at += name.len;
    }
    if (field->value.len != 0) {
        memcpy(at, field->value.at, field->value.len);
    }
    return weir_fields_add(fields, arena, field->id, name, weir_str(field->value.len != 0 ? at : "", field->value.len), 0) != NULL
           || peer_no_room(x, WEIR_CAUSE_INTERNAL_MEMORY);
}

static bool
peer_on_field(weir_h2_stream_t *stream, const weir_hpack_field_t *field)
{
    peer_t *x = peer_of_stream(stream);
    size_t limit;

    if (x == NULL || x->malformed != NULL) {
        return x != NULL;
    }
    limit = x->is_final ? PEER_TRAILERS : x->joint.proxy->conf->buffer_size.n;
    x->head_bytes += field->name.len + field->value.len;
    if (x->head_bytes > limit) {
        return peer_no_room(x, WEIR_CAUSE_UPSTREAM_HEADER_TOO_LARGE);
    }
    if (field->pseudo != WEIR_H2_NOT_PSEUDO) {
        return field->pseudo == WEIR_H2_STATUS && !x->is_final ? peer_status(x, field->value)
                                                               : peer_bad(x, "a pseudo-header that may not stand there");
    }
    x->has_regular = true;
    if (!weir_h2_name_ok(field->name) || !weir_h2_value_ok(field->value)) {
        return peer_bad(x, "a field's name or value has bytes that may not stand there");
    }
    if (weir_h2_is_connection_specific(field) || field->id == WEIR_HEADER_TE) {
        return peer_bad(x, "a field that belongs to HTTP/1 connections");
    }
    if (x->is_final) {
        return field->id == WEIR_HEADER_CONTENT_LENGTH ? peer_bad(x, "Content-Length in trailers")
                                                       : peer_keep(x, &x->joint.proxy->req->res.trailers, field);
    }
    if (field->id == WEIR_HEADER_CONTENT_LENGTH && !peer_length(x, field->value)) {
        return false;
    }
    return peer_keep(x, &x->head.fields, field);
}

/* The stream cannot go on for what the peer sent. */
static void
peer_fault(peer_t *x, weir_cause_t cause, const char *detail)
{
    weir_proxy_t *p = x->joint.proxy;

    x->lost = cause;
    x->lost_detail = detail;
    weir_h2_stream_reset(x->joint.stream, WEIR_H2_PROTOCOL_ERROR);
    weir_proxy_ready(p);
}

static bool
peer_has_no_body(const peer_t *x)
{
    uint16_t status = x->head.status;

    return x->joint.proxy->req->head.method == WEIR_METHOD_HEAD || status == 204 || status == 304;
}

static void
peer_on_final(peer_t *x, bool end)
{
    x->is_final = true;
    x->promised = peer_has_no_body(x) ? WEIR_LENGTH_NONE : x->head.content_length;
    if (end && x->head.content_length == WEIR_LENGTH_NONE && !peer_has_no_body(x)) {
        x->head.content_length = 0;          /* known now, and good to tell */
    }
    if (x->head.content_length == WEIR_LENGTH_NONE) {
        x->head.chunked = true;              /* as HTTP/1 would say: framed, of unknown length */
    }
}

static void
peer_on_head(weir_h2_stream_t *stream, bool too_large, bool end)
{
    peer_t *x = peer_of_stream(stream);

    if (x == NULL) {
        return;
    }
    if (too_large || x->refused_as != WEIR_CAUSE_NONE) {
        peer_fault(x, x->refused_as != WEIR_CAUSE_NONE ? x->refused_as : WEIR_CAUSE_UPSTREAM_HEADER_TOO_LARGE, NULL);
        return;
    }
    if (x->is_final) {                       /* trailers */
        if (x->malformed != NULL || !end) {
            peer_fault(x, WEIR_CAUSE_UPSTREAM_BODY_MALFORMED, x->malformed != NULL ? x->malformed : "a second answer");
            return;
        }
        weir_proxy_ready(x->joint.proxy);
        return;
    }
    if (x->malformed == NULL && (!x->has_status || x->head.status == 101 || (x->head.status < 200 && end))) {
        x->malformed = !x->has_status ? "no :status" : "an interim answer that may not be";
    }
    if (x->malformed != NULL) {
        peer_fault(x, WEIR_CAUSE_UPSTREAM_MALFORMED, x->malformed);
        return;
    }
    if (x->head.status >= 200) {
        peer_on_final(x, end);
    }
    x->head_ready = true;
    weir_proxy_ready(x->joint.proxy);
}

static weir_io_t
peer_read_head(weir_proxy_t *p)
{
    peer_t *x = peer_of(p);

    if (x->head_ready) {
        x->head_ready = false;
        p->head = x->head;
        p->got_bytes = true;
        p->attempt->bytes_received += x->head_bytes;
        return WEIR_OK;
    }
    return x->lost != WEIR_CAUSE_NONE || x->joint.stream->closed ? peer_lost(p) : WEIR_AGAIN;
}

/* -- the answer's body -- */

static void
peer_on_data(weir_h2_stream_t *stream)
{
    peer_t *x = peer_of_stream(stream);

    if (x == NULL) {
        return;
    }
    if (!x->is_final) {
        peer_fault(x, WEIR_CAUSE_UPSTREAM_MALFORMED, "DATA before the answer's head");
        return;
    }
    if (x->promised != WEIR_LENGTH_NONE && stream->received > x->promised) {
        peer_fault(x, WEIR_CAUSE_UPSTREAM_BODY_MALFORMED, "more than Content-Length says");
        return;
    }
    weir_proxy_ready(x->joint.proxy);
}

static weir_io_t
peer_body_end(weir_proxy_t *p)
{
    const peer_t *x = peer_of(p);

    if (x->promised != WEIR_LENGTH_NONE && x->joint.stream->received != x->promised) {
        return peer_error(p, WEIR_CAUSE_UPSTREAM_BODY_INCOMPLETE, "less than Content-Length says");
    }
    return WEIR_EOF;
}

static weir_io_t
peer_read_body(weir_proxy_t *p, size_t cap, weir_str_t *bytes)
{
    peer_t *x = peer_of(p);

    if (x->lost != WEIR_CAUSE_NONE) {
        return peer_lost(p);
    }
    for ( ;; ) {
        switch (weir_h2_stream_read(x->joint.stream, cap, bytes)) {
        case WEIR_OK:
            p->attempt->bytes_received += bytes->len;
            if (!peer_has_no_body(x)) {
                return WEIR_OK;
            }
            break;                           /* to HEAD there is none, whatever the peer thinks */
        case WEIR_AGAIN:
            return WEIR_AGAIN;
        case WEIR_EOF:
            return peer_body_end(p);
        default:
            return peer_lost(p);
        }
    }
}

/* -- how it ends -- */

static void
peer_on_closed(weir_h2_stream_t *stream, uint32_t code, bool by_peer, bool retryable)
{
    peer_t *x = peer_of_stream(stream);

    if (x == NULL || weir_h2_stream_is_whole(stream)) {
        return;                              /* the answer is here, whatever became of the connection */
    }
    x->retryable = retryable;
    if (retryable) {
        x->lost = WEIR_CAUSE_UPSTREAM_H2_REFUSED;
    } else if (!peer_lose_connection(x, stream->session)) {
        x->lost = by_peer ? WEIR_CAUSE_UPSTREAM_H2_RESET : WEIR_CAUSE_UPSTREAM_H2_PROTOCOL;
        x->lost_detail = weir_h2_error_name(code);
    }
    weir_proxy_ready(x->joint.proxy);
}

static void
peer_on_writable(weir_h2_stream_t *stream)
{
    peer_t *x = peer_of_stream(stream);

    if (x != NULL) {
        x->blocked = false;
        weir_proxy_ready(x->joint.proxy);
    }
}

static const weir_h2_role_t peer_role = {
    .on_head_begin = peer_on_head_begin,
    .on_field = peer_on_field,
    .on_head = peer_on_head,
    .on_data = peer_on_data,
    .on_writable = peer_on_writable,
    .on_closed = peer_on_closed,
    .on_change = weir_shared_link_on_change,
    .on_idle = weir_shared_link_on_idle,
    .on_dead = weir_shared_link_on_dead,
};

/* -- sending -- */

typedef struct {
    weir_fields_t fields;
    weir_arena_t *arena;
    weir_str_t    authority;
    size_t        room;
    bool          no_memory;
} peer_said_t;

static void
peer_say(void *data, weir_header_id_t id, weir_str_t name, weir_str_t value)
{
    peer_said_t *said = data;

    if (id == WEIR_HEADER_HOST) {
        said->authority = value;
        return;
    }
    said->room += weir_hpack_encode_bound(name.len, value.len);
    said->no_memory |= weir_fields_add(&said->fields, said->arena, id, name, value, 0) == NULL;
}

static void
peer_encode_length(weir_proxy_t *p, weir_h2_stream_t *stream)
{
    const weir_h1_request_t *head = &p->req->head;
    uint64_t length = WEIR_LENGTH_NONE;
    char digits[24];

    if (p->has_body) {
        length = p->streaming ? head->content_length : weir_store_size(p->body);
    } else if (head->method == WEIR_METHOD_POST || head->method == WEIR_METHOD_PUT || head->method == WEIR_METHOD_PATCH) {
        length = 0;
    }
    if (length != WEIR_LENGTH_NONE) {
        size_t len = (size_t) (weir_fmt_u64(digits, length) - digits);
        weir_h2_head_field(stream, WEIR_HEADER_CONTENT_LENGTH, WEIR_STR("content-length"), weir_str(digits, len));
    }
}

static weir_io_t
peer_encode(weir_proxy_t *p, weir_str_t method, const peer_said_t *said)
{
    weir_h2_stream_t *stream = peer_of(p)->joint.stream;
    weir_str_t target = p->target;
    size_t room = said->room + weir_hpack_encode_bound(0, method.len) + weir_hpack_encode_bound(0, target.len)
                  + weir_hpack_encode_bound(0, said->authority.len) + 256;

    if (!weir_h2_head_begin(stream, room)) {
        return peer_error(p, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
    }
    weir_h2_head_pseudo(stream, WEIR_H2_METHOD, method);
    weir_h2_head_pseudo(stream, WEIR_H2_SCHEME, p->secure.context != NULL ? WEIR_STR("https") : WEIR_STR("http"));
    weir_h2_head_pseudo(stream, WEIR_H2_AUTHORITY, said->authority);
    weir_h2_head_pseudo(stream, WEIR_H2_PATH, target);
    for (uint32_t i = 0; i < said->fields.n; i++) {
        const weir_field_t *f = &said->fields.at[i];
        weir_h2_head_field(stream, f->id, f->name, f->value);
    }
    if (p->req->head.te_trailers) {
        weir_h2_head_field(stream, WEIR_HEADER_TE, WEIR_STR("te"), WEIR_STR("trailers"));
    }
    peer_encode_length(p, stream);
    peer_of(p)->head_sent = room;
    if (weir_h2_head_end(stream, !p->has_body) == WEIR_ERROR) {
        return peer_error(p, WEIR_CAUSE_INTERNAL_EMIT, NULL);
    }
    return WEIR_OK;
}

static weir_io_t
peer_queue(weir_proxy_t *p, weir_str_t bytes, bool end)
{
    peer_t *x = peer_of(p);
    weir_io_t io = weir_h2_stream_send(x->joint.stream, bytes, end);

    if (io == WEIR_AGAIN) {
        x->blocked = true;
    }
    return io == WEIR_ERROR ? peer_lost(p) : io;
}

static weir_io_t
peer_send_head(weir_proxy_t *p)
{
    peer_t *x = peer_of(p);
    peer_said_t said = { .arena = &p->req->arena };
    weir_str_t method;
    weir_io_t io;

    if (!weir_proxy_method(p, &method)) {
        return WEIR_ERROR;
    }
    weir_proxy_each_field(p, peer_say, &said);
    if (said.no_memory) {
        return peer_error(p, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
    }
    io = peer_encode(p, method, &said);
    if (io != WEIR_OK) {
        return io;
    }
    x->ended = !p->has_body;
    if (p->has_body && !p->streaming && p->body->file_len == 0) {
        weir_str_t all = weir_str(p->body->mem, p->body->mem_len);
        p->body->at = p->body->mem_len;      /* a small body goes along */
        x->ended = true;
        return peer_queue(p, all, true);
    }
    return WEIR_OK;
}

static weir_io_t
peer_send_body(weir_proxy_t *p, weir_str_t bytes)
{
    return peer_queue(p, bytes, false);
}

static weir_io_t
peer_send_end(weir_proxy_t *p)
{
    peer_of(p)->ended = true;
    return peer_queue(p, WEIR_STR_NONE, true);
}

static weir_io_t
peer_push(weir_proxy_t *p)
{
    peer_t *x = peer_of(p);

    if (x->joint.stream->closed) {
        if (!x->joint.stream->peer_ended) {
            return peer_lost(p);
        }
        x->ended = true;                     /* it has answered, and wants no more */
        return WEIR_OK;
    }
    return x->blocked ? WEIR_AGAIN : WEIR_OK;
}

static bool
peer_ended(const weir_proxy_t *p)
{
    return peer_of(p)->ended;
}

static bool
peer_pending(const weir_proxy_t *p)
{
    return weir_h2_stream_pending(peer_of(p)->joint.stream) != 0;
}

/* A stream that was reset has nothing more to say. */
static bool
peer_stop_sending(weir_proxy_t *p)
{
    return peer_of(p)->joint.stream->peer_ended;
}

static uint64_t
peer_sent(const weir_proxy_t *p)
{
    const peer_t *x = peer_of(p);

    return x->retryable || x->joint.stream == NULL ? 0 : x->head_sent + x->joint.stream->sent;
}

/* -- the way there -- */

static weir_io_t
peer_begin(weir_proxy_t *p)
{
    peer_t *x = peer_of(p);

    memset(x, 0, sizeof(*x));
    peer_new_head(x);
    x->promised = WEIR_LENGTH_NONE;
    return weir_joint_begin(&x->joint, p, &peer_role, p->raced);
}

static void
peer_end(weir_proxy_t *p, bool keep)
{
    (void) keep;
    weir_joint_end(&peer_of(p)->joint);
}

static bool
peer_save(weir_proxy_t *p)
{
    (void) p;
    return true;                             /* the session keeps what was not taken */
}

/* Never: no 101 comes over HTTP/2, and none was asked for. */
static void
peer_tunnel(weir_proxy_t *p)
{
    (void) p;
    weir_assert(false);
}

static bool
peer_readable(const weir_proxy_t *p)
{
    (void) p;
    return true;
}

static bool
peer_writable(const weir_proxy_t *p)
{
    return !peer_of(p)->blocked;
}

/* A refused stream may be tried again as one that met a closing connection may. */
static bool
peer_reused(const weir_proxy_t *p)
{
    return peer_of(p)->joint.reused || peer_of(p)->retryable;
}

static bool
peer_reusable(const weir_proxy_t *p)
{
    (void) p;
    return true;
}

const weir_peer_codec_t weir_peer_h2 = {
    .name = "h2",
    .state_size = sizeof(peer_t),
    .begin = peer_begin,
    .end = peer_end,
    .send_head = peer_send_head,
    .send_body = peer_send_body,
    .send_end = peer_send_end,
    .push = peer_push,
    .ended = peer_ended,
    .pending = peer_pending,
    .stop_sending = peer_stop_sending,
    .sent = peer_sent,
    .read_head = peer_read_head,
    .read_body = peer_read_body,
    .save = peer_save,
    .tunnel = peer_tunnel,
    .readable = peer_readable,
    .writable = peer_writable,
    .reused = peer_reused,
    .reusable = peer_reusable,
};
