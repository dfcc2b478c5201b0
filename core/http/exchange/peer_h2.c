/*
 * peer_h2.c - HTTP/2 toward a peer: an exchange is a stream of a connection that others use too (RFC 9113 §8).
 *
 * Runs in workers; memory: the request's arena, the session's chains.  Peers are as untrusted as clients: what may not
 * stand in an answer is the peer's fault, and costs this stream only.
 */
#include "http/exchange/shared_link.h"

#include "http/message/field_rules.h"
#include "http/h2/fields.h"
#include "http/serve/runtime.h"

#include <string.h>

#define PEER_MAX_FIELDS 1000
#define PEER_TRAILERS   (16 * 1024)          /* bytes of trailers, names and values */

typedef struct {
    weir_joint_t       joint;                /* first: stream->owner points here */
    /* what comes */
    weir_response_head_t head;               /* being read, or complete (head_ready) */
    size_t             head_bytes, trailer_bytes;
    const char        *malformed;
    weir_cause_t       refused_as;           /* of a head that is too large, or finds no memory */
    uint64_t           promised;             /* Content-Length; WEIR_LENGTH_NONE: none, or it does not count */
    bool               has_status, has_length, has_regular, head_ready, is_final, ends_with_head, has_no_body;
    /* how it ended before its time */
    weir_cause_t       lost;                 /* NONE: it has not */
    const char        *lost_detail;
    bool               retryable;
    /* what goes */
    uint64_t           head_sent;            /* bytes, about */
    bool               ended, blocked;
} peer_t;

static inline peer_t *
peer_of(const weir_exchange_t *x)
{
    return weir_exchange_wire(x);
}

static peer_t *
peer_of_stream(const weir_h2_stream_t *stream)
{
    return stream->owner;
}

static void
peer_tell(peer_t *own)
{
    weir_exchange_ready(own->joint.exchange);
}

/* The connection has failed, or the session has given the stream up, for a cause of its own. */
static bool
peer_lose_connection(peer_t *own, const weir_h2_session_t *session)
{
    const char *detail = NULL;
    weir_cause_t cause = weir_h2_session_cause(session, &detail);

    if (cause != WEIR_CAUSE_NONE) {
        own->lost = cause == WEIR_CAUSE_UPSTREAM_SEND_TIMEOUT ? cause : WEIR_CAUSE_UPSTREAM_H2_PROTOCOL;
        own->lost_detail = detail;
    } else if (weir_h2_session_is_over(session)) {
        own->lost = own->is_final ? WEIR_CAUSE_UPSTREAM_BODY_INCOMPLETE : WEIR_CAUSE_UPSTREAM_CLOSED;
    }
    return own->lost != WEIR_CAUSE_NONE;
}

static weir_io_t
peer_lost(weir_exchange_t *x)
{
    peer_t *own = peer_of(x);

    if (own->lost == WEIR_CAUSE_NONE && own->joint.stream != NULL
        && weir_h2_session_is_over(own->joint.stream->session))
    {
        /* found out by a call of ours, before the session told us */
        peer_lose_connection(own, own->joint.stream->session);
    }
    return weir_exchange_error(x, own->lost != WEIR_CAUSE_NONE ? own->lost : WEIR_CAUSE_UPSTREAM_H2_RESET,
                               own->lost_detail);
}

/* -- the answer's head -- */

static void
peer_new_head(peer_t *own)
{
    memset(&own->head, 0, sizeof(own->head));
    own->head.content_length = WEIR_LENGTH_NONE;
    own->head.minor = 1;
    own->head.keep_alive = true;
    own->head_bytes = 0;
    own->has_status = own->has_length = own->has_regular = false;
}

static bool
peer_bad(peer_t *own, const char *why)
{
    if (own->malformed == NULL) {
        own->malformed = why;
    }
    return true;                             /* decoded all the same, and ignored */
}

static bool
peer_no_room(peer_t *own, weir_cause_t cause)
{
    weir_assert(cause != WEIR_CAUSE_NONE);
    own->refused_as = cause;
    return false;
}

static bool
peer_on_head_begin(weir_h2_stream_t *stream)
{
    peer_t *own = peer_of_stream(stream);

    if (own == NULL || (own->head_ready && !own->is_final)) {
        return false;
    }
    if (!own->is_final) {                    /* (else trailers; the head may not have been read yet) */
        peer_new_head(own);
    }
    return true;
}

static bool
peer_status(peer_t *own, weir_str_t value)
{
    if (own->has_status || own->has_regular) {
        return peer_bad(own, ":status twice, or behind a field");
    }
    if (value.len != 3 || value.at[0] < '1' || value.at[0] > '5' || value.at[1] < '0' || value.at[1] > '9'
        || value.at[2] < '0'
        || value.at[2] > '9')
    {
        return peer_bad(own, "a :status that is none");
    }
    own->has_status = true;
    own->head.status = (uint16_t) ((value.at[0] - '0') * 100 + (value.at[1] - '0') * 10 + value.at[2] - '0');
    return true;
}

static bool
peer_length(peer_t *own, weir_str_t value)
{
    if (own->has_length || !weir_field_rules_read_length(value, &own->head.content_length)) {
        return peer_bad(own, "Content-Length twice, or no number");
    }
    own->has_length = true;
    return true;
}

static bool
peer_keep(peer_t *own, weir_fields_t *fields, const weir_hpack_field_t *field)
{
    weir_arena_t *arena = own->joint.exchange->arena;
    weir_str_t name = weir_header_name(field->id);
    bool copies_name = field->id == WEIR_HEADER_OTHER;
    size_t len = field->value.len + (copies_name ? field->name.len : 0);
    char *at = len != 0 ? weir_try_alloc(arena, len) : NULL;

    if (len != 0 && at == NULL) {
        return peer_no_room(own, WEIR_CAUSE_INTERNAL_MEMORY);
    }
    if (copies_name) {
        memcpy(at, field->name.at, field->name.len);
        name = weir_str(at, field->name.len);
        at += name.len;
    }
    if (field->value.len != 0) {
        memcpy(at, field->value.at, field->value.len);
    }
    return weir_fields_add(fields, arena, field->id, name, weir_str(field->value.len != 0 ? at : "", field->value.len),
                           0) != NULL
           || peer_no_room(own, WEIR_CAUSE_INTERNAL_MEMORY);
}

static bool
peer_on_field(weir_h2_stream_t *stream, const weir_hpack_field_t *field)
{
    peer_t *own = peer_of_stream(stream);
    size_t limit, *bytes;

    if (own == NULL || own->malformed != NULL) {
        return own != NULL;
    }
    limit = own->is_final ? PEER_TRAILERS : own->joint.exchange->conf->buffer_size.n;
    bytes = own->is_final ? &own->trailer_bytes : &own->head_bytes;
    *bytes += field->name.len + field->value.len;
    if (*bytes > limit) {
        return peer_no_room(own, WEIR_CAUSE_UPSTREAM_HEADER_TOO_LARGE);
    }
    if (field->pseudo != WEIR_H2_NOT_PSEUDO) {
        return field->pseudo == WEIR_H2_STATUS && !own->is_final ? peer_status(own, field->value)
                                                               : peer_bad(own,
                                                                          "a pseudo-header that may not stand there");
    }
    own->has_regular = true;
    if (!field->is_clean) {
        return peer_bad(own, "a field's name or value has bytes that may not stand there");
    }
    if (weir_h2_is_connection_specific(field) || field->id == WEIR_HEADER_TE) {
        return peer_bad(own, "a field that belongs to HTTP/1 connections");
    }
    if (own->is_final) {
        return field->id == WEIR_HEADER_CONTENT_LENGTH ? peer_bad(own, "Content-Length in trailers")
                                                       : peer_keep(own, own->joint.exchange->trailers, field);
    }
    if (field->id == WEIR_HEADER_CONTENT_LENGTH && !peer_length(own, field->value)) {
        return false;
    }
    return peer_keep(own, &own->head.fields, field);
}

/* The stream cannot go on for what the peer sent. */
static void
peer_fault(peer_t *own, weir_cause_t cause, const char *detail)
{
    weir_assert(cause != WEIR_CAUSE_NONE && own->joint.stream != NULL);
    own->lost = cause;
    own->lost_detail = detail;
    weir_h2_stream_reset(own->joint.stream, WEIR_H2_PROTOCOL_ERROR);
    peer_tell(own);
}

static void
peer_on_final(peer_t *own, bool end)
{
    weir_assert(!own->is_final && own->head.status >= 200);
    own->is_final = true;
    own->ends_with_head = end;
    own->has_no_body = weir_exchange_has_no_body(own->joint.exchange, own->head.status);
    own->promised = own->has_no_body ? WEIR_LENGTH_NONE : own->head.content_length;
    if (end && own->head.content_length == WEIR_LENGTH_NONE && !own->has_no_body) {
        own->head.content_length = 0;          /* known now, and good to tell */
    }
    if (own->head.content_length == WEIR_LENGTH_NONE) {
        own->head.chunked = true;              /* as HTTP/1 would say: framed, of unknown length */
    }
}

static void
peer_on_head(weir_h2_stream_t *stream, bool too_large, bool end)
{
    peer_t *own = peer_of_stream(stream);

    if (own == NULL) {
        return;
    }
    if (too_large || own->refused_as != WEIR_CAUSE_NONE) {
        peer_fault(own, own->refused_as != WEIR_CAUSE_NONE ? own->refused_as : WEIR_CAUSE_UPSTREAM_HEADER_TOO_LARGE,
                   NULL);
        return;
    }
    if (own->is_final) {                       /* trailers */
        if (own->malformed != NULL || !end) {
            peer_fault(own, WEIR_CAUSE_UPSTREAM_BODY_MALFORMED,
                       own->malformed != NULL ? own->malformed : "a second answer");
            return;
        }
        weir_h2_stream_run_later(stream);
        return;
    }
    if (own->malformed == NULL && (!own->has_status || own->head.status == 101 || (own->head.status < 200 && end))) {
        own->malformed = !own->has_status ? "no :status" : "an interim answer that may not be";
    }
    if (own->malformed != NULL) {
        peer_fault(own, WEIR_CAUSE_UPSTREAM_MALFORMED, own->malformed);
        return;
    }
    own->head_ready = true;
    if (own->head.status < 200) {
        peer_tell(own);
        return;
    }
    peer_on_final(own, end);
    weir_h2_stream_run_later(stream);
}

static weir_io_t
peer_read_head(weir_exchange_t *x)
{
    peer_t *own = peer_of(x);

    if (own->head_ready) {
        own->head_ready = false;
        x->head = own->head;
        x->got_bytes = true;
        x->received += own->head_bytes;
        x->may_have_trailers = own->is_final && !own->ends_with_head && !own->has_no_body;
        return WEIR_OK;
    }
    return own->lost != WEIR_CAUSE_NONE || own->joint.stream->closed ? peer_lost(x) : WEIR_AGAIN;
}

/* -- the answer's body -- */

static void
peer_on_data(weir_h2_stream_t *stream)
{
    peer_t *own = peer_of_stream(stream);

    if (own == NULL) {
        return;
    }
    if (!own->is_final) {
        peer_fault(own, WEIR_CAUSE_UPSTREAM_MALFORMED, "DATA before the answer's head");
        return;
    }
    if (own->promised != WEIR_LENGTH_NONE && stream->received > own->promised) {
        peer_fault(own, WEIR_CAUSE_UPSTREAM_BODY_MALFORMED, "more than Content-Length says");
        return;
    }
    peer_tell(own);
}

/* All that came with the head, or with the end, is there. */
static void
peer_on_run(weir_h2_stream_t *stream)
{
    peer_t *own = peer_of_stream(stream);

    if (own == NULL) {
        return;
    }
    if (own->promised != WEIR_LENGTH_NONE && stream->received > own->promised) {
        peer_fault(own, WEIR_CAUSE_UPSTREAM_BODY_MALFORMED, "more than Content-Length says");
        return;
    }
    peer_tell(own);
}

static weir_io_t
peer_body_end(weir_exchange_t *x)
{
    const peer_t *own = peer_of(x);

    weir_assert(own->is_final);
    if (own->promised != WEIR_LENGTH_NONE && own->joint.stream->received != own->promised) {
        return weir_exchange_error(x, WEIR_CAUSE_UPSTREAM_BODY_INCOMPLETE, "less than Content-Length says");
    }
    return WEIR_EOF;
}

static weir_io_t
peer_read_body(weir_exchange_t *x, size_t cap, weir_str_t *bytes)
{
    peer_t *own = peer_of(x);

    if (own->lost != WEIR_CAUSE_NONE) {
        return peer_lost(x);
    }
    for ( ;; ) {
        switch (weir_h2_stream_read(own->joint.stream, cap, bytes)) {
        case WEIR_OK:
            x->received += bytes->len;
            if (!own->has_no_body) {
                return WEIR_OK;
            }
            break;                           /* to HEAD there is none, whatever the peer thinks */
        case WEIR_AGAIN:
            return WEIR_AGAIN;
        case WEIR_EOF:
            return peer_body_end(x);
        default:
            return peer_lost(x);
        }
    }
}

/* -- how it ends -- */

static void
peer_on_closed(weir_h2_stream_t *stream, uint32_t code, bool by_peer, bool retryable)
{
    peer_t *own = peer_of_stream(stream);

    if (own == NULL || weir_h2_stream_is_whole(stream)) {
        return;                              /* the answer is here, whatever became of the connection */
    }
    own->retryable = retryable;
    if (retryable) {
        own->lost = WEIR_CAUSE_UPSTREAM_H2_REFUSED;
    } else if (!peer_lose_connection(own, stream->session)) {
        own->lost = by_peer ? WEIR_CAUSE_UPSTREAM_H2_RESET : WEIR_CAUSE_UPSTREAM_H2_PROTOCOL;
        own->lost_detail = weir_h2_error_name(code);
    }
    peer_tell(own);
}

static void
peer_on_writable(weir_h2_stream_t *stream)
{
    peer_t *own = peer_of_stream(stream);

    if (own != NULL) {
        own->blocked = false;
        peer_tell(own);
    }
}

static const weir_h2_role_t peer_role = {
    .on_head_begin = peer_on_head_begin,
    .on_field = peer_on_field,
    .on_head = peer_on_head,
    .on_run = peer_on_run,
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
peer_say(void *data, const weir_field_t *field)
{
    peer_said_t *said = data;

    if (field->id == WEIR_HEADER_HOST) {
        said->authority = field->value;
        return;
    }
    said->room += weir_hpack_encode_bound(field->name.len, field->value.len);
    said->no_memory |= weir_fields_add(&said->fields, said->arena, (weir_header_id_t) field->id, field->name,
                                       field->value, 0) == NULL;
}

static void
peer_encode_length(weir_exchange_t *x, weir_h2_stream_t *stream)
{
    char digits[24];

    if (x->length != WEIR_LENGTH_NONE) {
        size_t len = (size_t) (weir_str_from_u64(digits, x->length) - digits);
        weir_h2_head_field(stream, WEIR_HEADER_CONTENT_LENGTH, WEIR_STR("content-length"), weir_str(digits, len));
    }
}

static weir_io_t
peer_encode(weir_exchange_t *x, const peer_said_t *said)
{
    weir_h2_stream_t *stream = peer_of(x)->joint.stream;
    weir_str_t target = x->target;
    size_t room = said->room + weir_hpack_encode_bound(0, x->method_name.len) + weir_hpack_encode_bound(0, target.len)
                  + weir_hpack_encode_bound(0, said->authority.len) + 256;

    weir_assert(stream != NULL);
    if (!weir_h2_head_begin(stream, room)) {
        return weir_exchange_error(x, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
    }
    weir_h2_head_pseudo(stream, WEIR_H2_METHOD, x->method_name);
    weir_h2_head_pseudo(stream, WEIR_H2_SCHEME, x->secure.context != NULL ? WEIR_STR("https") : WEIR_STR("http"));
    weir_h2_head_pseudo(stream, WEIR_H2_AUTHORITY, said->authority);
    weir_h2_head_pseudo(stream, WEIR_H2_PATH, target);
    for (uint32_t i = 0; i < said->fields.n; i++) {
        const weir_field_t *f = &said->fields.at[i];
        weir_h2_head_field(stream, f->id, f->name, f->value);
    }
    if (x->takes_trailers) {
        weir_h2_head_field(stream, WEIR_HEADER_TE, WEIR_STR("te"), WEIR_STR("trailers"));
    }
    peer_encode_length(x, stream);
    peer_of(x)->head_sent = room;
    if (weir_h2_head_end(stream, !x->has_body) == WEIR_ERROR) {
        return weir_exchange_error(x, WEIR_CAUSE_INTERNAL_EMIT, NULL);
    }
    return WEIR_OK;
}

static weir_io_t
peer_queue(weir_exchange_t *x, weir_str_t bytes, bool end)
{
    peer_t *own = peer_of(x);
    weir_io_t io = weir_h2_stream_send(own->joint.stream, bytes, end);

    weir_assert(own->joint.stream != NULL);
    if (io == WEIR_AGAIN) {
        own->blocked = true;
    }
    return io == WEIR_ERROR ? peer_lost(x) : io;
}

static weir_io_t
peer_send_head(weir_exchange_t *x)
{
    peer_t *own = peer_of(x);
    peer_said_t said = { .arena = x->arena };
    weir_io_t io;

    if (!x->asker->each_field(x, peer_say, &said)) {
        return WEIR_ERROR;
    }
    if (said.no_memory) {
        return weir_exchange_error(x, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
    }
    io = peer_encode(x, &said);
    if (io != WEIR_OK) {
        return io;
    }
    own->ended = !x->has_body;
    if (x->has_whole) {
        own->ended = true;
        return peer_queue(x, x->whole, true);
    }
    return WEIR_OK;
}

static weir_io_t
peer_send_body(weir_exchange_t *x, weir_str_t bytes)
{
    return peer_queue(x, bytes, false);
}

static weir_io_t
peer_send_end(weir_exchange_t *x)
{
    weir_assert(!peer_of(x)->ended);
    peer_of(x)->ended = true;
    return peer_queue(x, WEIR_STR_NONE, true);
}

static weir_io_t
peer_push(weir_exchange_t *x)
{
    peer_t *own = peer_of(x);

    weir_assert(own->joint.stream != NULL);
    if (own->joint.stream->closed) {
        if (!own->joint.stream->peer_ended) {
            return peer_lost(x);
        }
        own->ended = true;                     /* it has answered, and wants no more */
        return WEIR_OK;
    }
    return own->blocked ? WEIR_AGAIN : WEIR_OK;
}

static bool
peer_ended(const weir_exchange_t *x)
{
    return peer_of(x)->ended;
}

static bool
peer_pending(const weir_exchange_t *x)
{
    return weir_h2_stream_pending(peer_of(x)->joint.stream) != 0;
}

/* A stream that was reset has nothing more to say. */
static bool
peer_stop_sending(weir_exchange_t *x)
{
    return peer_of(x)->joint.stream->peer_ended;
}

static uint64_t
peer_sent(const weir_exchange_t *x)
{
    const peer_t *own = peer_of(x);

    return own->retryable || own->joint.stream == NULL ? 0 : own->head_sent + own->joint.stream->sent;
}

/* -- the way there -- */

static weir_io_t
peer_begin(weir_exchange_t *x)
{
    peer_t *own = peer_of(x);

    memset(own, 0, sizeof(*own));
    peer_new_head(own);
    own->promised = WEIR_LENGTH_NONE;
    return weir_shared_link_join(&own->joint, x, &peer_role);
}

static void
peer_end(weir_exchange_t *x, bool keep)
{
    (void) keep;
    weir_shared_link_leave(&peer_of(x)->joint);
}

static bool
peer_save(weir_exchange_t *x)
{
    (void) x;
    return true;                             /* the session keeps what was not taken */
}

/* Never: no 101 comes over HTTP/2, and none was asked for. */
static void
peer_tunnel(weir_exchange_t *x)
{
    (void) x;
    weir_assert(false);
}

static bool
peer_readable(const weir_exchange_t *x)
{
    (void) x;
    return true;
}

static bool
peer_writable(const weir_exchange_t *x)
{
    return !peer_of(x)->blocked;
}

/* A refused stream may be tried again as one that met a closing connection may. */
static bool
peer_reused(const weir_exchange_t *x)
{
    return peer_of(x)->joint.reused || peer_of(x)->retryable;
}

static bool
peer_reusable(const weir_exchange_t *x)
{
    (void) x;
    return true;
}

const weir_peer_codec_t weir_peer_h2 = {
    .name = "h2",
    .state_size = sizeof(peer_t),
    .protocols = { "\x02h2", 3 },
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
