/*
 * server.c - a client's HTTP/2 connection: the session's role as a server, idle time, leaving (RFC 9113 §3, §5, §6.8).
 *
 * Runs in workers.  Memory: the connection's block, the session, a request for each stream at work.
 */
#include "http/h2/server.h"

#include "base/mem.h"
#include "http/h2/conf.h"
#include "http/message/field_rules.h"
#include "os/clock.h"

#include <string.h>

static weir_h2_conn_t *
server_of(weir_http_conn_t *base)
{
    return weir_container_of(base, weir_h2_conn_t, base);
}

/* -- leaving -- */

static void
server_leave(weir_h2_conn_t *c, bool at_once)
{
    if (!c->leaving || at_once) {
        c->leaving = true;
        weir_h2_session_goaway(c->session, at_once);
    }
}

/* A connection that must go says so with the request that is under way.  Its requests and its time are exact: this one
 * is the last. */
static void
server_leave_when_due(weir_h2_conn_t *c)
{
    const weir_http_core_conf_t *core = weir_http_conn_core(&c->base);

    if (c->base.client.requests >= core->keepalive_requests
        || weir_clock_now().ms - c->base.client.opened.ms >= core->keepalive_time.ms)
    {
        server_leave(c, true);
    } else if (c->base.http->quitting || c->base.socket->is_removed || core->keepalive_timeout.timeout.ms == 0) {
        server_leave(c, false);
    }
}

static void
server_on_dead(weir_h2_session_t *session)
{
    weir_h2_conn_t *c = weir_h2_session_owner(session);
    const char *detail = NULL;
    weir_cause_t cause = weir_h2_session_cause(session, &detail);

    if (cause != WEIR_CAUSE_NONE) {
        weir_http_conn_tell(&c->base, cause, detail);
    }
    weir_http_conn_close(&c->base);
}

/* -- streams -- */

static weir_h2_exchange_t *
server_new_exchange(weir_h2_conn_t *c, weir_h2_stream_t *stream)
{
    weir_request_t *req = weir_request_take(c->base.http);
    weir_h2_exchange_t *x;

    weir_assert(stream->owner == NULL && !stream->closed);

    if (req == NULL) {
        return NULL;
    }
    x = weir_new(&req->arena, weir_h2_exchange_t);
    x->req = req;
    x->stream = stream;
    x->conn = c;
    x->promised = WEIR_LENGTH_NONE;
    x->code = WEIR_H2_INTERNAL_ERROR;
    stream->owner = x;
    weir_http_conn_count(&c->base);
    req->codec = &weir_h2_codec;
    req->wire = x;
    req->version = 20;
    req->head.minor = 1;
    req->head.content_length = WEIR_LENGTH_NONE;
    weir_request_begin(req, &c->base.client, weir_http_listen_of(c->base.socket), c->base.socket->generation);
    return x;
}

static bool
server_on_head_begin(weir_h2_stream_t *stream)
{
    weir_h2_conn_t *c = weir_h2_session_owner(stream->session);

    if (stream->owner != NULL) {
        return true;                             /* trailers */
    }
    return server_new_exchange(c, stream) != NULL;
}

static bool
server_on_field(weir_h2_stream_t *stream, const weir_hpack_field_t *field)
{
    weir_h2_exchange_t *x = stream->owner;

    if (x == NULL) {
        return false;
    }
    x->req->received += field->name.len + field->value.len;
    return x->head_done ? weir_h2_exchange_trailer(x, field) : weir_h2_exchange_field(x, field);
}

/* RFC 9218 §4, §5: u=0-7 and i, in a Structured Fields dictionary; what is not understood counts as not said. */
static void
server_priority(weir_h2_exchange_t *x)
{
    const weir_field_t *field = weir_fields_find(&x->req->head.fields, WEIR_STR("priority"));
    uint8_t urgency;
    bool incremental;

    if (field == NULL) {
        return;
    }
    weir_h2_priority_read(field->value, &urgency, &incremental);
    weir_h2_stream_priority(x->stream, urgency, incremental);
}

static bool
server_path_too_long(const weir_h2_exchange_t *x)
{
    const weir_http_core_conf_t *core = weir_request_core(x->req);

    return x->path.len > weir_max(core->large_client_header_buffers.size.n, core->client_header_buffer_size.n);
}

/* What came, as a request; it runs when those that came with it are read. */
static void
server_read(weir_h2_exchange_t *x, bool too_large, bool end)
{
    weir_request_t *req = x->req;
    const char *why;

    if (too_large || x->no_memory) {
        (void) weir_request_fail(req, too_large ? WEIR_CAUSE_CLIENT_HEADER_TOO_LARGE : WEIR_CAUSE_INTERNAL_MEMORY,
                                 NULL);
        return;
    }
    why = weir_h2_exchange_head(x);
    if (x->no_memory) {
        (void) weir_request_fail(req, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
        return;
    }
    if (why != NULL) {
        weir_h2_exchange_refuse(x, WEIR_H2_PROTOCOL_ERROR, WEIR_CAUSE_CLIENT_H2_MALFORMED, why);
        return;
    }
    if (weir_field_rules_find_repeated(&req->head.fields) != NULL) {
        (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_MALFORMED, "a field that may come once only came again");
        return;
    }
    if (server_path_too_long(x)) {
        weir_request_refuse(req, WEIR_CAUSE_CLIENT_URI_TOO_LONG, NULL);
        return;
    }
    server_priority(x);
    if (end && req->head.content_length != WEIR_LENGTH_NONE && req->head.content_length != 0) {
        weir_h2_exchange_blame(x);
        (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_BODY_LENGTH, "a Content-Length without a body");
        return;
    }
    weir_h2_stream_run_later(x->stream);
}

static void
server_on_run(weir_h2_stream_t *stream)
{
    if (stream->owner != NULL) {
        weir_h2_exchange_run(stream->owner);
    }
}

static void
server_on_head(weir_h2_stream_t *stream, bool too_large, bool end)
{
    weir_h2_conn_t *c = weir_h2_session_owner(stream->session);
    weir_h2_exchange_t *x = stream->owner;

    if (x == NULL) {
        return;
    }
    if (x->head_done) {
        if (too_large || x->no_memory || x->malformed != NULL) {
            weir_h2_exchange_refuse(x, WEIR_H2_PROTOCOL_ERROR, WEIR_CAUSE_CLIENT_H2_MALFORMED,
                                    x->malformed ? x->malformed : "trailers that are too large");
            return;
        }
        weir_h2_exchange_data(x);
        return;
    }
    weir_assert(x->stream == stream && x->conn == c && !x->req->is_ended);
    x->head_done = true;
    x->req->body_complete = end;
    server_leave_when_due(c);
    server_read(x, too_large, end);
}

static void
server_on_data(weir_h2_stream_t *stream)
{
    if (stream->owner != NULL) {
        weir_h2_exchange_data(stream->owner);
    }
}

static void
server_on_writable(weir_h2_stream_t *stream)
{
    weir_h2_exchange_t *x = stream->owner;

    weir_assert(x == NULL || x->stream == stream);
    if (x != NULL && !x->req->is_ended) {
        weir_request_writable(x->req);
    }
}

static void
server_on_closed(weir_h2_stream_t *stream, uint32_t code, bool by_peer, bool retryable)
{
    weir_h2_conn_t *c = weir_h2_session_owner(stream->session);
    weir_h2_exchange_t *x = stream->owner;
    const char *detail = NULL;
    weir_cause_t cause = weir_h2_session_cause(stream->session, &detail);

    (void) code;
    (void) retryable;
    if (x == NULL) {
        return;
    }
    weir_assert(x->stream == stream && x->conn == c);
    if (cause == WEIR_CAUSE_NONE) {
        cause = by_peer                ? WEIR_CAUSE_CLIENT_CLOSED
              : c->base.http->quitting ? WEIR_CAUSE_INTERNAL_SHUTDOWN
                                       : WEIR_CAUSE_CLIENT_H2_PROTOCOL;
    }
    if (!x->head_done) {
        x->head_done = true;                     /* it never became a request: nothing runs, the log says why */
        x->req->res.status = 400;
    }
    weir_h2_exchange_gone(x, cause);
}

static void
server_on_change(weir_h2_session_t *session)
{
    (void) session;                              /* GOAWAY of a client: it opens nothing more, its streams go on */
}

static void
server_on_idle(weir_h2_session_t *session, bool idle)
{
    weir_h2_conn_t *c = weir_h2_session_owner(session);

    if (idle) {
        weir_http_conn_idle(&c->base);
        weir_http_conn_timer(&c->base, weir_http_conn_core(&c->base)->keepalive_timeout.timeout);
    } else {
        weir_http_conn_busy(&c->base);
        weir_timer_clear(&c->base.timer);
    }
}

static const weir_h2_role_t server_role = {
    .on_head_begin = server_on_head_begin,
    .on_field = server_on_field,
    .on_head = server_on_head,
    .on_run = server_on_run,
    .on_data = server_on_data,
    .on_writable = server_on_writable,
    .on_closed = server_on_closed,
    .on_change = server_on_change,
    .on_idle = server_on_idle,
    .on_dead = server_on_dead,
};

/* -- the connection -- */

static void
server_on_ready(weir_http_conn_t *base)
{
    weir_h2_session_ready(server_of(base)->session);
}

/* Nothing was asked for keepalive_timeout, or not to the end. */
static void
server_on_timeout(weir_http_conn_t *base)
{
    if (!weir_h2_session_end_idle(server_of(base)->session)) {
        server_leave(server_of(base), true);
    }
}

static void
server_quit(weir_http_conn_t *base, bool now)
{
    weir_h2_conn_t *c = server_of(base);

    if (!now) {
        server_leave(c, false);
        return;
    }
    weir_h2_session_fail(c->session, WEIR_H2_NO_ERROR, WEIR_CAUSE_INTERNAL_SHUTDOWN, NULL);
    weir_h2_session_cut(c->session);             /* its place or its memory is wanted now */
}

static void
server_fini(weir_http_conn_t *base)
{
    weir_h2_conn_t *c = server_of(base);

    if (c->session != NULL) {
        weir_h2_session_destroy(c->session);
        c->session = NULL;
    }
}

static void
server_start(weir_http_conn_t *base, weir_str_t before)
{
    weir_h2_conn_t *c = server_of(base);
    weir_http_server_t *server = base->server ? base->server : weir_http_listen_of(base->socket)->default_server;
    const weir_http_core_conf_t *core = server->core;
    const weir_http_v2_conf_t *v2 = server->conf[weir_http_v2_index];
    uint64_t heads = weir_max(core->large_client_header_buffers.n * core->large_client_header_buffers.size.n,
                              core->client_header_buffer_size.n);
    weir_h2_settings_t settings = {
        .is_server = true,
        .max_streams = v2->max_concurrent_streams,
        .stream_window = (uint32_t) v2->body_preread_size.n,
        .connection_window = WEIR_H2_WINDOW_MAX / 2,
        .max_frame = WEIR_H2_FRAME_DEFAULT,
        .header_table = WEIR_HPACK_DEFAULT_TABLE,
        .max_header_list = (uint32_t) heads,
        .max_fields = core->max_headers,
        .max_field = (uint32_t) weir_max(core->large_client_header_buffers.size.n, core->client_header_buffer_size.n),
        .max_block = (uint32_t) heads,
        .header_budget = v2->header_budget.n,
        .connect_protocol = true,
        .chunk = (uint32_t) v2->chunk_size.n,
        .head_timeout = core->client_header_timeout,
        .stall_timeout = core->send_timeout,
    };

    memset((char *) base + sizeof(*base), 0, sizeof(*c) - sizeof(*base));
    c->session = weir_h2_session_create(&base->conn, &settings, &server_role, c, &base->http->blocks, base->http->h2_rx,
                                        WEIR_RX_BYTES);
    if (c->session == NULL) {
        weir_http_conn_close(base);
        return;
    }
    /* for the preface; then the session's idleness sets it */
    weir_http_conn_timer(base, core->client_header_timeout);
    if (before.len != 0) {
        weir_h2_session_feed(c->session, before);
    } else {
        weir_h2_session_ready(c->session);
    }
}

static bool
server_is_on(const weir_http_conn_t *c)
{
    return weir_http_listen_of(c->socket)->is_http2 || weir_http_conn_core(c)->http2.on;
}

_Static_assert(WEIR_H2_PREFACE_LEN <= WEIR_HTTP_PREFACE_MAX, "a connection has room for the preface");

const weir_http_protocol_t weir_h2_protocol = {
    .name = "h2",
    .size = sizeof(weir_h2_conn_t),
    .alpn = WEIR_STR_INIT("h2"),
    .preface = WEIR_STR_INIT(WEIR_H2_PREFACE),
    .is_on = server_is_on,
    .start = server_start,
    .on_ready = server_on_ready,
    .on_timeout = server_on_timeout,
    .quit = server_quit,
    .fini = server_fini,
};
