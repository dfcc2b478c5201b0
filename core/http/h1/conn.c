/*
 * conn.c - the life of a client's HTTP/1.1 connection: heads, requests one after another, the polite end (RFC 9112 §9).
 *
 * Runs in workers.  See conn.h for the states.
 */
#include "http/h1/conn.h"

#include "base/mem.h"
#include "http/answer/return.h"
#include "os/clock.h"
#include "os/sock.h"

#include <errno.h>
#include <string.h>

#define CONN_LINGER_READS 16     /* reads a turn while discarding */
#define CONN_POLITE_MS    1000   /* a connection kept before we began to leave is not closed sooner */

static void conn_read_head(weir_h1_conn_t *c);

typedef struct {
    const char *name;
    void (*on_ready)(weir_h1_conn_t *c);
    void (*on_timeout)(weir_h1_conn_t *c);
    unsigned next;                   /* a bit for each state that may follow, beside CLOSED, which follows all others */
} conn_state_row_t;

static void conn_wait_timeout(weir_h1_conn_t *c);
static void conn_run_ready(weir_h1_conn_t *c);
static void conn_run_timeout(weir_h1_conn_t *c);
static void conn_linger_ready(weir_h1_conn_t *c);
static void conn_drain_ready(weir_h1_conn_t *c);

static const conn_state_row_t conn_states[] = {
    [WEIR_H1_STATE_WAIT]   = { "wait", conn_read_head, conn_wait_timeout, 1u << WEIR_H1_STATE_RUN },
    [WEIR_H1_STATE_RUN]    = { "run", conn_run_ready, conn_run_timeout,
                               1u << WEIR_H1_STATE_WAIT | 1u << WEIR_H1_STATE_DRAIN | 1u << WEIR_H1_STATE_LINGER },
    [WEIR_H1_STATE_DRAIN]  = { "drain", conn_drain_ready, weir_h1_close,
                               1u << WEIR_H1_STATE_WAIT | 1u << WEIR_H1_STATE_LINGER },
    [WEIR_H1_STATE_LINGER] = { "linger", conn_linger_ready, weir_h1_close, 0 },
    [WEIR_H1_STATE_CLOSED] = { "closed", NULL, NULL, 0 },
};

static void
conn_go(weir_h1_conn_t *c, weir_h1_state_t state)
{
    weir_debug(NULL, "h1 *%llu %s -> %s", (unsigned long long) c->base.client.number, conn_states[c->state].name,
               conn_states[state].name);
    weir_assert((conn_states[c->state].next >> state & 1) != 0
                || (state == WEIR_H1_STATE_CLOSED && c->state != WEIR_H1_STATE_CLOSED));
    c->state = (uint8_t) state;
}

static void
conn_on_timeout(weir_http_conn_t *base)
{
    weir_h1_conn_t *c = weir_container_of(base, weir_h1_conn_t, base);

    if (conn_states[c->state].on_timeout != NULL) {
        conn_states[c->state].on_timeout(c);
    }
}

static void
conn_timer(weir_h1_conn_t *c, weir_msec_t delay)
{
    weir_http_conn_timer(&c->base, delay);
}

static void
conn_on_ready(weir_http_conn_t *base)
{
    weir_h1_conn_t *c = weir_container_of(base, weir_h1_conn_t, base);

    if (conn_states[c->state].on_ready != NULL) {
        conn_states[c->state].on_ready(c);
    }
}

static const weir_http_core_conf_t *
conn_core(const weir_h1_conn_t *c)
{
    return weir_http_conn_core(&c->base);
}

/* -- begin and end -- */

/* The protocol's part of the end. */
static void
conn_fini(weir_http_conn_t *base)
{
    weir_h1_conn_t *c = weir_container_of(base, weir_h1_conn_t, base);

    weir_assert(base->http->tx_owner != base && !c->is_queued);
    weir_h1_in_free(c);
    weir_chain_clear(&c->out, &base->http->blocks);
    if (c->req != NULL) {
        weir_assert(c->req->is_ended);
        weir_request_give_back(c->req);
    }
}

void
weir_h1_close(weir_h1_conn_t *c)
{
    if (c->state != WEIR_H1_STATE_CLOSED) {
        conn_go(c, WEIR_H1_STATE_CLOSED);
        if (c->is_queued) {
            weir_send_cancel(c->base.http, &c->base.conn);
        }
        weir_timer_drop(&c->send_timer);
        weir_http_conn_close(&c->base);
    }
}

/* The answer has gone but the client may still be sending: read it away for a while, or a reset would take the answer
 * with it. */
static void
conn_linger(weir_h1_conn_t *c)
{
    const weir_http_core_conf_t *core = c->req ? weir_request_core(c->req) : conn_core(c);
    bool more = !c->req || !c->req->body_complete || weir_h1_in_left(c) != 0 || c->base.conn.watch.readable;

    weir_assert(!c->is_queued && (c->req == NULL || c->req->is_ended));
    if (c->broken || c->base.conn.watch.failed || core->lingering_close == WEIR_LINGER_OFF
        || (core->lingering_close == WEIR_LINGER_ON && !more))
    {
        weir_h1_close(c);
        return;
    }
    conn_go(c, WEIR_H1_STATE_LINGER);
    weir_h1_in_free(c);
    weir_conn_shutdown(&c->base.conn);
    c->linger_until = weir_instant_after(weir_clock_now(), core->lingering_time);
    conn_timer(c, core->lingering_timeout);
    conn_linger_ready(c);
}

static void
conn_linger_ready(weir_h1_conn_t *c)
{
    const weir_http_core_conf_t *core = conn_core(c);
    size_t got;

    for (int i = 0; i < CONN_LINGER_READS; i++) {
        weir_io_t io = weir_conn_recv(&c->base.conn, c->base.http->rx, WEIR_RX_BYTES, &got);
        uint64_t now = weir_clock_now().ms;

        if (io == WEIR_AGAIN && now < c->linger_until.ms) {
            conn_timer(c, (weir_msec_t) { weir_min(core->lingering_timeout.ms, c->linger_until.ms - now) });
            return;
        }
        if (io != WEIR_OK || now >= c->linger_until.ms) {
            weir_h1_close(c);
            return;
        }
    }
    weir_h1_close(c);                           /* it sends faster than we care to throw away */
}

/* -- waiting for a head -- */

/* Idle between requests: owns no buffer. */
static void
conn_idle(weir_h1_conn_t *c)
{
    if (weir_h1_in_left(c) != 0 || c->head_begun) {
        return;
    }
    weir_h1_in_free(c);
    weir_http_conn_idle(&c->base);
}

/* Starts a request that exists only to be answered with an error, or the real one. */
static weir_request_t *
conn_new_request(weir_h1_conn_t *c)
{
    weir_request_t *req = weir_request_take(c->base.http);

    weir_assert(c->state == WEIR_H1_STATE_WAIT && c->req == NULL);
    if (req == NULL) {
        weir_h1_close(c);
        return NULL;
    }
    weir_timer_clear(&c->base.timer);
    weir_http_conn_count(&c->base);
    req->codec = &weir_h1_codec;
    req->wire = c;
    c->req = req;
    c->body_left = 0;                            /* in the place of the scan */
    c->promised = WEIR_LENGTH_NONE;
    c->chunked_out = c->close_delimited = c->end_queued = false;
    req->version = 11;
    req->head.minor = 1;
    weir_request_begin(req, &c->base.client, weir_http_listen_of(c->base.socket), c->base.socket->generation);
    conn_go(c, WEIR_H1_STATE_RUN);
    return req;
}

static weir_cause_t
conn_reason_cause(weir_h1_reason_t reason)
{
    switch (reason) {
    case WEIR_H1_BAD_TARGET: return WEIR_CAUSE_CLIENT_TARGET;
    case WEIR_H1_VERSION_UNSUPPORTED: return WEIR_CAUSE_CLIENT_VERSION;
    case WEIR_H1_BAD_CONTENT_LENGTH: case WEIR_H1_TWO_CONTENT_LENGTHS: case WEIR_H1_LENGTH_AND_CODING:
    case WEIR_H1_BAD_TRANSFER_CODING: case WEIR_H1_CODING_IN_1_0: return WEIR_CAUSE_CLIENT_FRAMING;
    case WEIR_H1_UNKNOWN_TRANSFER_CODING: return WEIR_CAUSE_CLIENT_CODING;
    case WEIR_H1_NO_HOST: case WEIR_H1_TWO_HOSTS:
    case WEIR_H1_BAD_HOST: case WEIR_H1_HOST_MISMATCH: return WEIR_CAUSE_CLIENT_HOST;
    case WEIR_H1_TOO_MANY_FIELDS: return WEIR_CAUSE_CLIENT_HEADER_TOO_LARGE;
    case WEIR_H1_NO_MEMORY: return WEIR_CAUSE_INTERNAL_MEMORY;
    default: return WEIR_CAUSE_CLIENT_MALFORMED;
    }
}

/* The request under way is answered with an error; where its body would begin or end is not known. */
static void
conn_fail(weir_h1_conn_t *c, weir_cause_t cause, const char *detail)
{
    weir_assert(c->req != NULL && !c->req->res.head_sent);
    c->body = WEIR_H1_BODY_NONE;
    c->body_failed = true;
    c->req->keep_alive = false;
    weir_request_refuse(c->req, cause, detail);
}

/* Of a head that is not read to its end: an answer to HEAD has no body, whatever is wrong (RFC 9110 §9.3.2). */
static bool
conn_begins_with_head(const char *data, size_t len)
{
    return weir_str_starts(weir_str(data, len), WEIR_STR("HEAD "));
}

static void
conn_refuse(weir_h1_conn_t *c, bool is_head, weir_cause_t cause, const char *detail)
{
    if (conn_new_request(c) != NULL) {
        c->req->head.method = is_head ? WEIR_METHOD_HEAD : c->req->head.method;
        conn_fail(c, cause, detail);
    }
}

/* A connection on which nothing began is closed; one on which a head did not end is told. */
static void
conn_wait_timeout(weir_h1_conn_t *c)
{
    bool is_head;

    weir_assert(c->req == NULL);
    if (!c->head_begun || weir_h1_in_left(c) == 0) {
        weir_h1_close(c);
        return;
    }
    if (conn_core(c)->reset_timedout_connection.on) {
        weir_http_conn_tell(&c->base, WEIR_CAUSE_CLIENT_HEADER_TIMEOUT, NULL);
        weir_sock_reset_on_close(c->base.conn.watch.fd);
        weir_h1_close(c);
        return;
    }
    is_head = conn_begins_with_head(c->in + c->in_at, weir_h1_in_left(c));
    weir_h1_in_free(c);
    conn_refuse(c, is_head, WEIR_CAUSE_CLIENT_HEADER_TIMEOUT, NULL);
}

/* Where a plain port speaks HTTP/2, too: three words that name no version of HTTP are a bad preface (RFC 9113 §3.4). */
static bool
conn_is_bad_preface(const weir_h1_conn_t *c, weir_h1_reason_t reason)
{
    const weir_request_head_t *head = &c->req->head;

    return reason == WEIR_H1_BAD_VERSION && c->base.client.requests == 1 && !c->base.client.is_tls
           && (weir_http_listen_of(c->base.socket)->is_http2 || conn_core(c)->http2.on)
           && !weir_str_starts(weir_str_skip(head->line, head->method_name.len + head->target.len + 2),
                               WEIR_STR("HTTP/"));
}

/* A client that speaks no HTTP/1 reads no answer of HTTP/1. */
static void
conn_refuse_preface(weir_h1_conn_t *c)
{
    weir_http_conn_tell(&c->base, WEIR_CAUSE_CLIENT_MALFORMED, "neither HTTP/1 nor the preface of HTTP/2");
    (void) weir_http_return_nothing(c->req, 444, WEIR_CAUSE_CLIENT_MALFORMED);
}

/* The head is complete: head bytes at data, of len received. */
static void
conn_run(weir_h1_conn_t *c, const char *data, size_t head, size_t len, bool from_in)
{
    const weir_http_core_conf_t *core = conn_core(c);
    weir_h1_options_t options = {
        .ignore_invalid = core->ignore_invalid_headers.on, .underscores = core->underscores_in_headers.on,
        .max_fields = core->max_headers,
    };
    weir_request_t *req = conn_new_request(c);
    weir_h1_reason_t reason = WEIR_H1_OK;
    weir_str_t text;
    char *copy;

    weir_assert(head != 0 && head <= len);
    if (req == NULL) {
        return;
    }
    copy = weir_try_alloc(&req->arena, head);
    if (copy == NULL || (!from_in && !weir_h1_in_save(c, data + head, len - head))) {
        conn_fail(c, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
        return;
    }
    memcpy(copy, data, head);
    if (from_in) {
        c->in_at += (uint32_t) head;
    }
    req->received = head;
    text = weir_str(copy, head);
    if (core->client_line_ends == WEIR_LINE_ENDS_LF) {
        reason = weir_h1_line_ends(&text, &req->arena);
    }
    if (reason == WEIR_H1_OK) {
        reason = weir_h1_parse_request(&req->head, &options, text, &req->arena);
    }
    if (weir_unlikely(reason != WEIR_H1_OK)) {
        if (conn_is_bad_preface(c, reason)) {
            conn_refuse_preface(c);
            return;
        }
        conn_fail(c, conn_reason_cause(reason), weir_h1_reason_text(reason));
        return;
    }
    req->version = req->head.minor == 0 ? 10 : 11;
    req->keep_alive = req->head.keep_alive;
    if (!weir_h1_body_begin(c)) {
        conn_fail(c, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
        return;
    }
    weir_request_run(req);
}

/* Empty lines before a request: one is forgiven (RFC 9112 §2.2). Returns how many bytes to skip; SIZE_MAX: refuse. */
static size_t
conn_skip_line(weir_h1_conn_t *c, const char *data, size_t len)
{
    if (len < 2 || data[0] != '\r' || data[1] != '\n') {
        return 0;
    }
    if (c->skipped_line) {
        return SIZE_MAX;
    }
    c->skipped_line = true;
    return 2;
}

typedef enum { CONN_MORE, CONN_TAKEN } conn_feed_t;

/* Tries to make a request of what is here.  MORE: `data` belongs to a head that is not complete. */
static conn_feed_t
conn_feed(weir_h1_conn_t *c, const char *data, size_t len, bool from_in, size_t *skipped)
{
    const weir_http_core_conf_t *core = conn_core(c);
    size_t line = weir_max(core->large_client_header_buffers.size.n, core->client_header_buffer_size.n);
    weir_h1_limits_t limits = {
        .max_line = line, .max_field = line,
        .max_head = weir_max(line, core->large_client_header_buffers.n * core->large_client_header_buffers.size.n),
        .max_fields = core->max_headers, .takes_lf = core->client_line_ends == WEIR_LINE_ENDS_LF,
    };
    size_t head = 0;

    *skipped = 0;
    if (c->scan.at == 0) {
        *skipped = conn_skip_line(c, data, len);
        if (*skipped == SIZE_MAX) {
            conn_refuse(c, false, WEIR_CAUSE_CLIENT_MALFORMED, "empty lines before the request");
            return CONN_TAKEN;
        }
        data += *skipped;
        len -= *skipped;
        if (from_in) {
            c->in_at += (uint32_t) *skipped;
        }
        if (len == 0 || (len == 1 && data[0] == '\r')) {
            return CONN_MORE;
        }
    }
    switch (weir_h1_scan(&c->scan, &limits, data, len, &head)) {
    case WEIR_H1_MORE:
        return CONN_MORE;
    case WEIR_H1_DONE:
        conn_run(c, data, head, len, from_in);
        return CONN_TAKEN;
    case WEIR_H1_LINE_TOO_LONG:
        conn_refuse(c, conn_begins_with_head(data, len), WEIR_CAUSE_CLIENT_URI_TOO_LONG, NULL);
        return CONN_TAKEN;
    case WEIR_H1_FIELD_TOO_LONG:
        conn_refuse(c, conn_begins_with_head(data, len), WEIR_CAUSE_CLIENT_HEADER_TOO_LARGE, NULL);
        return CONN_TAKEN;
    case WEIR_H1_BAD:
        break;
    }
    conn_refuse(c, conn_begins_with_head(data, len),
                c->scan.at == 0 ? WEIR_CAUSE_CLIENT_PLAIN_TO_TLS : WEIR_CAUSE_CLIENT_MALFORMED,
                "a line does not end in CRLF, or the first byte is not one of a request");
    return CONN_TAKEN;
}

/* The first byte of a head starts its deadline, which later bytes do not move. */
static void
conn_head_begins(weir_h1_conn_t *c)
{
    if (!c->head_begun) {
        c->head_begun = true;
        weir_http_conn_busy(&c->base);
        conn_timer(c, conn_core(c)->client_header_timeout);
    }
}

static void
conn_read_head(weir_h1_conn_t *c)
{
    size_t got, skipped;

    for ( ;; ) {
        bool from_in = weir_h1_in_left(c) != 0;
        weir_io_t io = weir_conn_recv(&c->base.conn, c->base.http->rx, WEIR_RX_BYTES, &got);

        if (io == WEIR_AGAIN) {
            weir_conn_expect(&c->base.conn);
            return;
        }
        if (io != WEIR_OK) {
            c->broken = true;
            weir_h1_close(c);
            return;
        }
        conn_head_begins(c);
        if (!from_in) {
            if (conn_feed(c, c->base.http->rx, got, false, &skipped) == CONN_TAKEN) {
                return;
            }
            if (!weir_h1_in_save(c, c->base.http->rx + skipped, got - skipped)) {
                weir_h1_close(c);
                return;
            }
            continue;
        }
        if (!weir_h1_in_save(c, c->base.http->rx, got)) {
            weir_h1_close(c);
            return;
        }
        if (conn_feed(c, c->in + c->in_at, weir_h1_in_left(c), true, &skipped) == CONN_TAKEN) {
            return;
        }
    }
}

/* -- a request is running -- */

static void
conn_run_timeout(weir_h1_conn_t *c)
{
    weir_request_t *req = c->req;

    weir_assert(req != NULL);
    if (req->body_complete || !weir_request_wants_body(req)) {
        return;
    }
    c->body_failed = true;
    req->keep_alive = false;
    if (req->cause == WEIR_CAUSE_NONE) {
        req->cause = WEIR_CAUSE_CLIENT_BODY_TIMEOUT;
    }
    if (weir_request_core(req)->reset_timedout_connection.on && req->res.head_sent) {
        weir_sock_reset_on_close(c->base.conn.watch.fd);
    }
    weir_request_body_ready(req);
}

static bool
conn_is_running(const weir_h1_conn_t *c, const weir_request_t *req)
{
    return c->state == WEIR_H1_STATE_RUN && c->req == req && !req->is_ended;
}

static void
conn_run_writable(weir_h1_conn_t *c, weir_request_t *req)
{
    weir_io_t io = weir_h1_push(c);

    if (io == WEIR_ERROR) {
        weir_request_client_gone(req, WEIR_CAUSE_CLIENT_CLOSED);
        return;
    }
    if (io != WEIR_OK) {
        return;
    }
    if (c->end_queued && c->body == WEIR_H1_BODY_TUNNEL) {
        weir_conn_shutdown(&c->base.conn);
    }
    c->file_waits = false;
    weir_request_writable(req);
}

static void
conn_run_ready(weir_h1_conn_t *c)
{
    weir_request_t *req = c->req;

    if (req->is_ended || c->is_queued) {
        return;                                  /* the next turn of this connection is posted already */
    }
    if (c->base.conn.watch.failed) {
        c->broken = true;
        weir_request_client_gone(req, WEIR_CAUSE_CLIENT_CLOSED);
        return;
    }
    if (c->base.conn.watch.writable && (c->out.size != 0 || c->file_waits)) {
        conn_run_writable(c, req);
        if (!conn_is_running(c, req)) {
            return;
        }
    }
    if (!c->base.conn.watch.readable) {
        return;
    }
    if (weir_request_wants_body(req) && (!req->body_complete || c->body == WEIR_H1_BODY_TUNNEL)) {
        weir_request_body_ready(req);
        return;
    }
    if (c->base.conn.watch.peer_closed && c->body != WEIR_H1_BODY_TUNNEL && !req->ignore_client_close) {
        weir_request_client_gone(req, WEIR_CAUSE_CLIENT_CLOSED);
    }
}

static void
conn_look(weir_task_t *task)
{
    weir_h1_conn_t *c = weir_container_of(task, weir_h1_conn_t, base.task);

    if (c->state == WEIR_H1_STATE_RUN) {
        conn_run_ready(c);
    }
}

/* The end of a request posts the same task with another purpose, and wins. */
void
weir_h1_look_again(weir_h1_conn_t *c)
{
    if (c->state == WEIR_H1_STATE_RUN && !c->req->is_ended) {
        weir_task_post(c->base.http->loop, &c->base.task, conn_look);
    }
}

/* -- the codec's ends -- */

/* After an answer: the request's memory goes back, and the next one, when it is here, runs. */
static void
conn_next(weir_task_t *task)
{
    weir_h1_conn_t *c = weir_container_of(task, weir_h1_conn_t, base.task);
    size_t skipped;

    /* the answer has left, all of it */
    weir_assert(c->req->is_ended && c->held == 0 && c->out.size == 0 && !c->is_queued);
    weir_request_give_back(c->req);
    c->req = NULL;
    memset(&c->scan, 0, sizeof(c->scan));
    c->skipped_line = c->head_begun = false;
    conn_go(c, WEIR_H1_STATE_WAIT);
    if (c->base.http->quitting) {
        c->keep_for.ms = weir_min(c->keep_for.ms, CONN_POLITE_MS);
    }
    conn_timer(c, c->keep_for);
    c->base.client.is_pipelined = weir_h1_in_left(c) != 0;
    if (c->base.client.is_pipelined) {
        conn_head_begins(c);
        if (conn_feed(c, c->in + c->in_at, weir_h1_in_left(c), true, &skipped) == CONN_TAKEN) {
            return;
        }
    }
    conn_idle(c);
    conn_read_head(c);
}

static void
conn_ended(weir_task_t *task)
{
    weir_h1_conn_t *c = weir_container_of(task, weir_h1_conn_t, base.task);

    weir_assert(c->req != NULL && c->req->is_ended);
    conn_linger(c);
    if (c->state == WEIR_H1_STATE_LINGER) {
        weir_request_give_back(c->req);
        c->req = NULL;
    }
}

static void
conn_drain_on(weir_task_t *task)
{
    weir_h1_conn_t *c = weir_container_of(task, weir_h1_conn_t, base.task);

    if (c->state == WEIR_H1_STATE_DRAIN) {
        conn_drain_ready(c);
    }
}

/* The answer has gone, and the rest of the request's body, which is small, is read away: then the next request may
 * come.  One that turns out not to be small, or does not come, takes the connection with it. */
static void
conn_drain_ready(weir_h1_conn_t *c)
{
    weir_request_t *req = c->req;
    const weir_http_core_conf_t *core = weir_request_core(req);
    weir_str_t bytes;

    weir_assert(c->state == WEIR_H1_STATE_DRAIN && req->is_ended);
    for (int i = 0; i < CONN_LINGER_READS && !req->body_complete; i++) {
        weir_io_t io = weir_h1_read_body(req, &bytes);
        uint64_t now = weir_clock_now().ms;

        if (io == WEIR_ERROR || now >= c->linger_until.ms || req->body_received > c->drain_end) {
            conn_ended(&c->base.task);
            return;
        }
        if (io == WEIR_AGAIN) {
            conn_timer(c, (weir_msec_t) { weir_min(core->lingering_timeout.ms, c->linger_until.ms - now) });
            return;
        }
    }
    if (!req->body_complete) {
        weir_task_post(c->base.http->loop, &c->base.task, conn_drain_on);     /* others' turn */
        return;
    }
    weir_timer_clear(&c->base.timer);
    c->keep_for = core->keepalive_timeout.timeout;
    conn_next(&c->base.task);
}

static void
conn_drain(weir_task_t *task)
{
    weir_h1_conn_t *c = weir_container_of(task, weir_h1_conn_t, base.task);

    weir_assert(c->req->is_ended && !c->req->body_complete);
    conn_go(c, WEIR_H1_STATE_DRAIN);
    c->linger_until = weir_instant_after(weir_clock_now(), weir_request_core(c->req)->lingering_time);
    c->drain_end = c->req->body_received + WEIR_H1_DRAIN_MAX;
    conn_drain_ready(c);
}

static void
conn_finish(weir_request_t *req)
{
    weir_h1_conn_t *c = req->wire;

    weir_assert(c->req == req && !req->is_ended);
    req->is_ended = true;
    weir_timer_clear(&c->base.timer);
    weir_timer_clear(&c->send_timer);             /* what a client that has gone did not take is sent no more */
    if (c->broken || !req->res.head_sent) {
        weir_h1_close(c);
        return;
    }
    if (req->keep_alive && req->res.complete && !c->body_failed) {
        c->keep_for = weir_request_core(req)->keepalive_timeout.timeout;
        if (!req->body_complete) {
            weir_task_post(c->base.http->loop, &c->base.task, conn_drain);
            return;
        }
        weir_task_post(c->base.http->loop, &c->base.task, conn_next);
        return;
    }
    weir_task_post(c->base.http->loop, &c->base.task, conn_ended);
}

static void
conn_abort(weir_request_t *req)
{
    weir_h1_conn_t *c = req->wire;

    weir_assert(c->req == req && !req->is_ended);
    req->is_ended = true;
    (void) weir_h1_push(c);
    if (c->close_delimited) {
        weir_sock_reset_on_close(c->base.conn.watch.fd);   /* a plain close would look like the end of the body */
    }
    weir_h1_close(c);
}

static void
conn_tunnel(weir_request_t *req)
{
    weir_h1_conn_t *c = req->wire;

    weir_assert(c->req == req && !req->is_ended && !c->end_queued);
    c->body = WEIR_H1_BODY_TUNNEL;
    c->promised = WEIR_LENGTH_NONE;
    c->chunked_out = false;
    c->body_failed = false;
    req->body_complete = false;
    req->keep_alive = false;
    weir_timer_clear(&c->base.timer);
}

/* -- leaving -- */

static void
conn_quit(weir_http_conn_t *base, bool now)
{
    weir_h1_conn_t *c = weir_container_of(base, weir_h1_conn_t, base);

    if (c->state == WEIR_H1_STATE_RUN && !now) {
        return;                                       /* its answer says Connection: close */
    }
    if (c->state == WEIR_H1_STATE_RUN && !c->req->is_ended) {
        c->broken = true;
        weir_request_client_gone(c->req, WEIR_CAUSE_INTERNAL_SHUTDOWN);
        return;
    }
    if (now || (c->state == WEIR_H1_STATE_WAIT && !c->head_begun)) {
        weir_h1_close(c);
    }
}

static void
conn_let_go(weir_http_conn_t *base)
{
    (void) weir_h1_push(weir_container_of(base, weir_h1_conn_t, base));
}

/* The connection is one of HTTP/1 from here on. */
static void
conn_start(weir_http_conn_t *base, weir_str_t before)
{
    weir_h1_conn_t *c = weir_container_of(base, weir_h1_conn_t, base);
    size_t skipped;

    weir_assert(c->state == WEIR_H1_STATE_WAIT && c->req == NULL);
    if (before.len == 0) {
        conn_read_head(c);
        return;
    }
    conn_head_begins(c);
    if (conn_feed(c, before.at, before.len, false, &skipped) == CONN_TAKEN) {
        return;
    }
    if (!weir_h1_in_save(c, before.at + skipped, before.len - skipped)) {
        weir_h1_close(c);
        return;
    }
    conn_read_head(c);
}

const weir_http_protocol_t weir_h1_protocol = {
    .name = "h1",
    .size = sizeof(weir_h1_conn_t),
    .alpn = WEIR_STR_INIT("http/1.1"),
    .start = conn_start,
    .on_ready = conn_on_ready,
    .on_timeout = conn_on_timeout,
    .quit = conn_quit,
    .fini = conn_fini,
    .let_go = conn_let_go,
};

const weir_codec_t weir_h1_codec = {
    .protocol = "HTTP/1.1",
    .send_interim = weir_h1_send_interim,
    .send_head = weir_h1_send_head,
    .send_body = weir_h1_send_body,
    .send_file = weir_h1_send_file,
    .send_pipe = weir_h1_send_pipe,
    .send_end = weir_h1_send_end,
    .flush = weir_h1_flush,
    .send_pending = weir_h1_send_pending,
    .read_body = weir_h1_read_body,
    .tunnel = conn_tunnel,
    .finish = conn_finish,
    .abort = conn_abort,
};
