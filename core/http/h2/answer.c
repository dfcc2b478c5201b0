/*
 * answer.c - the codec of an HTTP/2 stream: the answer's head, body and trailers out, the request's body in (RFC 9113
 * §8.1).
 *
 * Runs in workers.  Memory: the request's arena; what waits to be sent is the session's.
 */
#include "http/h2/server.h"

#include "http/message/field_rules.h"
#include "os/clock.h"

#include <string.h>

#define ANSWER_CREDIT     32         /* bytes of answers that are fetched ahead for each that was taken */
#define ANSWER_FIELD_ROOM 64         /* beside the texts: status, Server, Date, Content-Length and their overhead */

static weir_h2_exchange_t *
answer_of(const weir_request_t *req)
{
    return req->wire;
}

static bool
answer_is_over(const weir_h2_exchange_t *x)
{
    return x->stream == NULL || x->stream->closed;
}

/* -- heads -- */

static bool
answer_is_sent_on(const weir_field_t *f)
{
    /* (RFC 9113 §8.6: there is none) */
    return (f->flags & (WEIR_FIELD_HOP | WEIR_FIELD_DROP)) == 0 && f->id != WEIR_HEADER_UPGRADE;
}

static size_t
answer_room(const weir_fields_t *fields)
{
    size_t room = 8 * ANSWER_FIELD_ROOM;

    for (uint32_t i = 0; i < fields->n; i++) {
        if (answer_is_sent_on(&fields->at[i])) {
            room += weir_hpack_encode_bound(fields->at[i].name.len, fields->at[i].value.len);
        }
    }
    return room;
}

static void
answer_fields(weir_h2_exchange_t *x, const weir_fields_t *fields)
{
    for (uint32_t i = 0; i < fields->n; i++) {
        const weir_field_t *f = &fields->at[i];

        if (answer_is_sent_on(f)
            && !(x->is_websocket && f->id == WEIR_HEADER_SEC_WEBSOCKET_ACCEPT))
        {
            weir_h2_head_field(x->stream, f->id, f->name, f->value);
        }
    }
}

static weir_io_t
answer_send_interim(weir_request_t *req, uint16_t status, const void *fields)
{
    weir_h2_exchange_t *x = answer_of(req);

    if (answer_is_over(x)) {
        return WEIR_ERROR;
    }
    if (!weir_h2_head_begin(x->stream, ANSWER_FIELD_ROOM + (fields ? answer_room(fields) : 0))) {
        return WEIR_OK;                          /* a hint that finds no room is no loss */
    }
    weir_h2_head_status(x->stream, status);
    if (fields != NULL) {
        answer_fields(x, fields);
    }
    return weir_h2_head_end(x->stream, false);
}

static void
answer_own_fields(weir_h2_exchange_t *x)
{
    weir_request_t *req = x->req;
    const weir_response_t *res = &req->res;
    char digits[24];

    if (weir_fields_first(&res->fields, WEIR_HEADER_SERVER) == NULL) {
        weir_h2_head_field(x->stream, WEIR_HEADER_SERVER, WEIR_STR("server"), weir_request_server_token(req));
    }
    if (weir_fields_first(&res->fields, WEIR_HEADER_DATE) == NULL) {
        weir_h2_head_field(x->stream, WEIR_HEADER_DATE, WEIR_STR("date"), weir_clock_http_date());
    }
    if (res->length != WEIR_LENGTH_NONE && res->status != 204 && res->status >= 200) {
        size_t len = (size_t) (weir_str_from_u64(digits, res->length) - digits);
        weir_h2_head_field(x->stream, WEIR_HEADER_CONTENT_LENGTH, WEIR_STR("content-length"), weir_str(digits, len));
    }
}

static weir_io_t
answer_send_head(weir_request_t *req)
{
    weir_h2_exchange_t *x = answer_of(req);
    const weir_response_t *res = &req->res;
    bool tunnel = res->status == 101;            /* to a WebSocket's CONNECT: 200, and the stream is the tunnel */
    bool end = !tunnel && (res->no_body || (res->length == 0 && !res->has_trailers));
    weir_io_t io;

    if (answer_is_over(x)) {
        return WEIR_ERROR;
    }
    weir_assert(!x->we_ended && (res->status >= 200 || tunnel) && res->status <= 999);
    x->promised = res->no_body || tunnel ? WEIR_LENGTH_NONE : res->length;
    if (!weir_h2_head_begin(x->stream, answer_room(&res->fields))) {
        return WEIR_ERROR;
    }
    weir_h2_head_status(x->stream, tunnel ? 200 : res->status);
    if (!tunnel) {
        answer_own_fields(x);
    }
    answer_fields(x, &res->fields);
    io = weir_h2_head_end(x->stream, end);
    if (io == WEIR_ERROR) {
        req->cause = WEIR_CAUSE_INTERNAL_EMIT;
        weir_cause_log(WEIR_CAUSE_INTERNAL_EMIT, &req->log, NULL);
        return io;
    }
    x->we_ended = end;
    return WEIR_OK;
}

/* -- bodies -- */

static weir_io_t
answer_send_body(weir_request_t *req, weir_str_t bytes)
{
    weir_h2_exchange_t *x = answer_of(req);
    bool end = false;

    if (answer_is_over(x)) {
        return WEIR_ERROR;
    }
    if (x->promised != WEIR_LENGTH_NONE) {
        bytes.len = weir_min(bytes.len, x->promised);
        x->promised -= bytes.len;
        end = x->promised == 0 && !req->res.has_trailers;       /* the end comes behind them */
    }
    if (bytes.len == 0 || x->we_ended) {
        return WEIR_OK;
    }
    x->we_ended = end;
    req->res.bytes_sent += bytes.len;
    return weir_h2_stream_send(x->stream, bytes, end);
}

static bool
answer_has_trailers(const weir_request_t *req)
{
    for (uint32_t i = 0; req->res.has_trailers && i < req->res.trailers.n; i++) {
        if (weir_field_rules_may_trail(&req->res.trailers.at[i])) {
            return true;
        }
    }
    return false;
}

static weir_io_t
answer_send_trailers(weir_h2_exchange_t *x)
{
    const weir_fields_t *trailers = &x->req->res.trailers;

    if (!weir_h2_head_begin(x->stream, answer_room(trailers))) {
        return WEIR_ERROR;
    }
    for (uint32_t i = 0; i < trailers->n; i++) {
        if (weir_field_rules_may_trail(&trailers->at[i])) {
            weir_h2_head_field(x->stream, trailers->at[i].id, trailers->at[i].name, trailers->at[i].value);
        }
    }
    return weir_h2_head_end(x->stream, true);
}

static weir_io_t
answer_send_end(weir_request_t *req)
{
    weir_h2_exchange_t *x = answer_of(req);

    if (answer_is_over(x)) {
        return x->we_ended ? WEIR_OK : WEIR_ERROR;
    }
    if (x->promised != WEIR_LENGTH_NONE && x->promised != 0) {
        x->code = WEIR_H2_INTERNAL_ERROR;
        /* fewer bytes than promised: the client must see it */
        weir_h2_stream_reset(x->stream, WEIR_H2_INTERNAL_ERROR);
        return WEIR_ERROR;
    }
    if (x->we_ended) {
        return WEIR_OK;
    }
    x->we_ended = true;
    if (answer_has_trailers(req)) {
        return answer_send_trailers(x);
    }
    return weir_h2_stream_send(x->stream, WEIR_STR(""), true);
}

/* The session writes at the end of the turn, for all its streams at once. */
static weir_io_t
answer_flush(weir_request_t *req)
{
    weir_h2_exchange_t *x = answer_of(req);

    if (answer_is_over(x)) {
        return x->we_ended ? WEIR_OK : WEIR_ERROR;
    }
    return weir_h2_stream_pending(x->stream) != 0 ? WEIR_AGAIN : WEIR_OK;
}

static bool
answer_send_pending(const weir_request_t *req)
{
    const weir_h2_exchange_t *x = answer_of(req);

    return !answer_is_over(x) && weir_h2_stream_pending(x->stream) != 0;
}

static uint64_t
answer_window(const weir_request_t *req)
{
    const weir_h2_exchange_t *x = answer_of(req);

    return answer_is_over(x) ? 0 : weir_h2_stream_room(x->stream);
}

/* A client that takes its answers gets them from here, however slow it is; of one that takes none few bytes are
 * fetched. */
static uint64_t
answer_credit(const weir_request_t *req)
{
    const weir_h2_exchange_t *x = answer_of(req);

    return answer_is_over(x) ? 0 : ANSWER_CREDIT * weir_h2_session_sent(x->stream->session);
}

/* The connection may have failed for a reason of its own, which its streams are told of at the end of the turn. */
static weir_cause_t
answer_lost_cause(const weir_request_t *req)
{
    const weir_h2_exchange_t *x = answer_of(req);
    const char *detail = NULL;
    weir_cause_t cause = x->stream != NULL ? weir_h2_session_cause(x->stream->session, &detail) : WEIR_CAUSE_NONE;

    return cause != WEIR_CAUSE_NONE ? cause : WEIR_CAUSE_CLIENT_CLOSED;
}

/* -- the request's body -- */

static weir_io_t
answer_body_fail(weir_h2_exchange_t *x, weir_cause_t cause)
{
    x->body_failed = true;
    weir_timer_clear(&x->timer);
    if (x->req->cause == WEIR_CAUSE_NONE) {
        x->req->cause = cause;
    }
    return WEIR_ERROR;
}

static void
answer_on_timeout(weir_timer_t *timer)
{
    weir_h2_exchange_t *x = weir_container_of(timer, weir_h2_exchange_t, timer);
    weir_request_t *req = x->req;

    if (!req->body_complete && weir_request_wants_body(req)) {
        (void) answer_body_fail(x, WEIR_CAUSE_CLIENT_BODY_TIMEOUT);
        weir_request_body_ready(req);
    }
}

static weir_io_t
answer_body_wait(weir_h2_exchange_t *x)
{
    weir_request_t *req = x->req;

    if (x->is_tunnel) {
        return WEIR_AGAIN;
    }
    if (req->head.expect_continue && !x->continue_sent && req->body_received == 0 && !req->res.head_sent) {
        x->continue_sent = true;
        if (answer_send_interim(req, 100, NULL) == WEIR_ERROR) {
            return answer_body_fail(x, WEIR_CAUSE_CLIENT_CLOSED);
        }
    }
    weir_timer_set(req->http->loop, &x->timer, weir_request_core(req)->client_body_timeout, answer_on_timeout);
    return WEIR_AGAIN;
}

static weir_io_t
answer_body_ended(weir_h2_exchange_t *x)
{
    weir_request_t *req = x->req;

    weir_timer_clear(&x->timer);
    if (x->is_tunnel) {
        return WEIR_EOF;
    }
    req->body_complete = true;
    return WEIR_EOF;
}

static weir_io_t
answer_read_body(weir_request_t *req, weir_str_t *bytes)
{
    weir_h2_exchange_t *x = answer_of(req);
    uint64_t max = weir_request_core(req)->client_max_body_size.n;
    const char *detail = NULL;
    weir_cause_t cause;
    weir_io_t io;

    if (x->body_failed) {
        return WEIR_ERROR;
    }
    if (req->body_complete) {
        return WEIR_EOF;
    }
    if (x->stream == NULL) {
        return answer_body_fail(x, WEIR_CAUSE_CLIENT_BODY_INCOMPLETE);
    }
    io = weir_h2_stream_read(x->stream, WEIR_RX_BYTES, bytes);
    switch (io) {
    case WEIR_AGAIN:
        return answer_body_wait(x);
    case WEIR_EOF:
        return answer_body_ended(x);
    case WEIR_OK:
        break;
    default:
        cause = weir_h2_session_cause(x->stream->session, &detail);      /* of a connection that fails just now */
        return answer_body_fail(x, cause != WEIR_CAUSE_NONE ? cause : WEIR_CAUSE_CLIENT_BODY_INCOMPLETE);
    }
    weir_assert(bytes->len != 0);                /* what is OK brings something */
    weir_timer_clear(&x->timer);
    req->received += bytes->len;
    if (!x->is_tunnel) {
        req->body_received += bytes->len;
        if (max != 0 && req->body_received > max) {
            return answer_body_fail(x, WEIR_CAUSE_CLIENT_BODY_TOO_LARGE);
        }
    }
    return WEIR_OK;
}

void
weir_h2_exchange_blame(weir_h2_exchange_t *x)
{
    x->is_blamed = true;
    x->code = WEIR_H2_PROTOCOL_ERROR;
    weir_h2_session_count_reset(x->stream->session);
}

/* The reader of the body answers 400; an answer that began breaks off. */
static void
answer_wrong_length(weir_h2_exchange_t *x)
{
    weir_request_t *req = x->req;

    if (x->is_blamed) {
        return;
    }
    if (req->res.head_sent || req->finalised) {
        weir_h2_exchange_refuse(x, WEIR_H2_PROTOCOL_ERROR, WEIR_CAUSE_CLIENT_BODY_LENGTH, NULL);
        return;
    }
    weir_h2_exchange_blame(x);
    (void) answer_body_fail(x, WEIR_CAUSE_CLIENT_BODY_LENGTH);
    weir_request_body_ready(req);
}

/* A Content-Length that is not kept is malformed (RFC 9113 §8.1.1): counted as it arrives. */
static bool
answer_length_is_wrong(const weir_h2_exchange_t *x)
{
    uint64_t promised = x->req->head.content_length;

    return promised != WEIR_LENGTH_NONE && !x->is_tunnel
           && (x->stream->received > promised || (x->stream->peer_ended && x->stream->received != promised));
}

void
weir_h2_exchange_run(weir_h2_exchange_t *x)
{
    if (x->stream == NULL || x->req->is_ended) {
        return;
    }
    weir_assert(x->head_done && x->stream->owner == x);
    if (answer_length_is_wrong(x)) {
        answer_wrong_length(x);                  /* the reader of the body is told */
    }
    weir_request_run(x->req);
}

/* Something came, or the end. */
void
weir_h2_exchange_data(weir_h2_exchange_t *x)
{
    weir_request_t *req = x->req;

    if (x->stream == NULL || req->is_ended) {
        return;
    }
    if (answer_length_is_wrong(x)) {
        answer_wrong_length(x);
        return;
    }
    if (!req->body_complete || x->is_tunnel) {
        weir_request_body_ready(req);
    }
}

static void
answer_tunnel(weir_request_t *req)
{
    weir_h2_exchange_t *x = answer_of(req);

    x->is_tunnel = true;
    x->promised = WEIR_LENGTH_NONE;
    x->body_failed = false;
    req->body_complete = false;
    weir_timer_clear(&x->timer);
}

/* -- the ends -- */

static void
answer_give_back(weir_task_t *task)
{
    weir_h2_exchange_t *x = weir_container_of(task, weir_h2_exchange_t, task);

    weir_request_give_back(x->req);              /* x goes with its arena */
}

static void
answer_let_go(weir_h2_exchange_t *x)
{
    weir_h2_stream_t *stream = x->stream;

    weir_assert(!x->req->is_ended && (stream == NULL || stream->owner == x));
    x->req->is_ended = true;
    x->stream = NULL;
    weir_timer_drop(&x->timer);
    if (stream != NULL) {
        stream->owner = NULL;
        weir_h2_stream_release(stream);
    }
    weir_task_post(x->conn->base.http->loop, &x->task, answer_give_back);
}

static void
answer_finish(weir_request_t *req)
{
    weir_h2_exchange_t *x = answer_of(req);

    if (x->stream != NULL && !x->stream->closed && (!req->res.complete || !x->we_ended)) {
        weir_h2_stream_reset(x->stream, x->code);
    } else if (x->stream != NULL && x->is_blamed) {
        weir_h2_stream_blame(x->stream, x->code);
    }
    answer_let_go(x);
}

static void
answer_abort(weir_request_t *req)
{
    weir_h2_exchange_t *x = answer_of(req);

    if (x->stream != NULL) {
        weir_h2_stream_reset(x->stream, x->code);
    }
    answer_let_go(x);
}

void
weir_h2_exchange_refuse(weir_h2_exchange_t *x, weir_h2_error_t code, weir_cause_t cause, const char *detail)
{
    weir_request_t *req = x->req;
    weir_h2_session_t *session = x->stream->session;

    weir_assert(!req->is_ended && cause != WEIR_CAUSE_NONE);
    x->code = code;
    if (!req->res.head_sent && weir_request_state(req) == WEIR_REQUEST_RUNS) {
        req->res.status = 400;                   /* for the log: the client sees the reset */
        weir_request_abort(req, cause, detail);
    } else {
        weir_h2_stream_reset(x->stream, code);
        req->detail = req->detail ? req->detail : detail;
        weir_request_client_gone(req, cause);
    }
    weir_h2_session_count_reset(session);
}

void
weir_h2_exchange_gone(weir_h2_exchange_t *x, weir_cause_t cause)
{
    weir_request_t *req = x->req;

    if (req->is_ended) {
        return;
    }
    weir_timer_clear(&x->timer);
    if (req->finalised && req->holder == NULL) {
        answer_let_go(x);
        return;
    }
    weir_request_client_gone(req, cause);
}

const weir_codec_t weir_h2_codec = {
    .protocol = "HTTP/2.0",
    .send_interim = answer_send_interim,
    .send_head = answer_send_head,
    .send_body = answer_send_body,
    .send_end = answer_send_end,
    .flush = answer_flush,
    .send_pending = answer_send_pending,
    .room = answer_window,
    .credit = answer_credit,
    .lost_cause = answer_lost_cause,
    .read_body = answer_read_body,
    .tunnel = answer_tunnel,
    .finish = answer_finish,
    .abort = answer_abort,
};
