/*
 * exchange.c - see exchange.h: the states of an exchange, and what moves between them.
 */
#include "http/exchange/exchange.h"

#include "event/slice.h"
#include "tls/verify.h"

#include <errno.h>
#include <string.h>

#define EXCHANGE_ROUNDS 16       /* pieces of a body a turn, however quick they are */

static void exchange_connect_timeout(weir_exchange_t *x);
static void exchange_answer_ready(weir_exchange_t *x);
static void exchange_head_timeout(weir_exchange_t *x);
static void exchange_tunnel_ready(weir_exchange_t *x);
static void exchange_read_timeout(weir_exchange_t *x);

static const struct {
    void (*on_ready)(weir_exchange_t *x);        /* the codec may read or write */
    void (*on_timeout)(weir_exchange_t *x);
    unsigned next;                            /* a bit for each state that may follow, beside IDLE, which follows all */
} exchange_states[] = {
    [WEIR_EXCHANGE_IDLE]    = { NULL, NULL, 1u << WEIR_EXCHANGE_CONNECT | 1u << WEIR_EXCHANGE_HEAD },
    [WEIR_EXCHANGE_CONNECT] = { NULL, exchange_connect_timeout, 1u << WEIR_EXCHANGE_HEAD },
    [WEIR_EXCHANGE_HEAD]    = { exchange_answer_ready, exchange_head_timeout,
                                1u << WEIR_EXCHANGE_BODY | 1u << WEIR_EXCHANGE_TUNNEL },
    [WEIR_EXCHANGE_BODY]    = { exchange_answer_ready, exchange_read_timeout, 0 },
    [WEIR_EXCHANGE_TUNNEL]  = { exchange_tunnel_ready, exchange_read_timeout, 0 },
};

/* On to another state: the only place, but for the end. */
static inline void
exchange_move(weir_exchange_t *x, weir_exchange_state_t to)
{
    weir_assert(x->is_held && (exchange_states[x->state].next >> to & 1) != 0);
    x->state = to;
}

void
weir_exchange_ready(weir_exchange_t *x)
{
    if (exchange_states[x->state].on_ready != NULL) {
        exchange_states[x->state].on_ready(x);
    }
}

static void
exchange_on_timer(weir_timer_t *timer)
{
    weir_exchange_t *x = weir_container_of(timer, weir_exchange_t, timer);

    weir_assert(exchange_states[x->state].on_timeout != NULL);
    weir_assert(x->is_held);
    exchange_states[x->state].on_timeout(x);
}

void
weir_exchange_wait(weir_exchange_t *x, weir_msec_t limit)
{
    weir_timer_set(x->http->loop, &x->timer, limit, exchange_on_timer);
}

void
weir_exchange_wait_not(weir_exchange_t *x)
{
    weir_timer_clear(&x->timer);
}

static void
exchange_fail(weir_exchange_t *x, weir_cause_t cause, const char *detail, weir_exchange_failure_t failure)
{
    weir_assert(cause != WEIR_CAUSE_NONE);
    x->cause = cause;
    x->detail = detail;
    x->failure = failure;
    x->asker->on_failed(x);
}

void
weir_exchange_fail(weir_exchange_t *x, weir_cause_t cause, const char *detail)
{
    exchange_fail(x, cause, detail, WEIR_EXCHANGE_BROKEN);
}

/* -- the way there -- */

void
weir_exchange_reset(weir_exchange_t *x)
{
    weir_assert(!x->is_held && x->state == WEIR_EXCHANGE_IDLE);
    x->received = 0;
    x->got_bytes = x->is_asked = x->may_have_trailers = false;
    weir_fields_reset(x->trailers);
    x->cause = WEIR_CAUSE_NONE;
    x->detail = NULL;
}

void
weir_exchange_begin(weir_exchange_t *x)
{
    weir_io_t io;

    weir_assert(!x->is_held && x->state == WEIR_EXCHANGE_IDLE && x->peer != NULL && !x->is_asked);
    weir_assert(x->has_body || !x->has_whole);
    io = x->codec->begin(x);
    x->is_held = io != WEIR_ERROR;
    switch (io) {
    case WEIR_OK:
        weir_exchange_connected(x);
        return;
    case WEIR_AGAIN:
        exchange_move(x, WEIR_EXCHANGE_CONNECT);
        weir_exchange_wait(x, x->conf->connect_timeout);
        return;
    default:
        weir_exchange_fail(x, x->cause, x->detail);
    }
}

static void
exchange_connect_timeout(weir_exchange_t *x)
{
    exchange_fail(x, WEIR_CAUSE_UPSTREAM_CONNECT_TIMEOUT, NULL, WEIR_EXCHANGE_TIMED_OUT);
}

void
weir_exchange_connected(weir_exchange_t *x)
{
    x->asker->on_connected(x);
    exchange_move(x, WEIR_EXCHANGE_HEAD);
    weir_exchange_sent(x, x->codec->send_head(x));
}

void
weir_exchange_end(weir_exchange_t *x, bool keep)
{
    weir_timer_drop(&x->timer);
    weir_task_cancel(&x->task);
    x->state = WEIR_EXCHANGE_IDLE;
    if (x->is_held) {
        x->is_held = false;
        x->codec->end(x, keep && x->is_asked && x->codec->reusable(x));
    }
}

uint64_t
weir_exchange_sent_bytes(const weir_exchange_t *x)
{
    return x->is_held ? x->codec->sent(x) : 0;
}

bool
weir_exchange_is_race(const weir_exchange_t *x)
{
    return x->is_held && x->codec->reused(x) && !x->got_bytes
           && (x->cause == WEIR_CAUSE_UPSTREAM_CLOSED || x->cause == WEIR_CAUSE_UPSTREAM_RESET
               || x->cause == WEIR_CAUSE_UPSTREAM_SEND_FAILED
               || x->cause == WEIR_CAUSE_UPSTREAM_H2_REFUSED);
}

/* -- the question -- */

void
weir_exchange_sent(weir_exchange_t *x, weir_io_t io)
{
    if (x->state == WEIR_EXCHANGE_TUNNEL) {            /* the answer was faster than the telling */
        x->is_asked = true;
        return;
    }
    if (io == WEIR_ERROR) {
        weir_exchange_fail(x, x->cause, x->detail);
        return;
    }
    weir_exchange_send(x);
}

static void
exchange_go_on(weir_task_t *task)
{
    weir_exchange_t *x = weir_container_of(task, weir_exchange_t, task);

    if (!x->is_asked) {
        weir_exchange_send(x);
    }
}

static void
exchange_asked(weir_exchange_t *x)
{
    weir_assert(!x->is_asked);
    x->is_asked = true;
    x->asker->on_asked(x);
}

/* All of it is with the peer, whose turn it is; unless its answer has begun: then the asker knows whether it takes any
 * more of that now. */
static void
exchange_wait_for_answer(weir_exchange_t *x)
{
    if (x->state == WEIR_EXCHANGE_BODY) {
        x->asker->on_readable(x);
    } else {
        weir_exchange_wait(x, x->conf->read_timeout);
    }
}

/* The peer does not take our bytes.  It may have answered early and closed: it is read before the exchange fails.  When
 * it is this side that has failed, nothing more will come. */
static void
exchange_send_failed(weir_exchange_t *x)
{
    weir_assert(x->cause != WEIR_CAUSE_NONE);
    if (!x->codec->stop_sending(x)) {
        weir_exchange_fail(x, x->cause, x->detail);
        return;
    }
    exchange_asked(x);
    weir_exchange_ready(x);
}

void
weir_exchange_send(weir_exchange_t *x)
{
    weir_slice_t slice = { 0 };
    weir_str_t bytes;
    weir_io_t io;

    weir_assert(x->is_held);
    for (int round = 0; round < EXCHANGE_ROUNDS && (round < 2 || !weir_slice_is_over(&slice)); round++) {
        io = x->codec->push(x);
        if (io == WEIR_AGAIN) {
            weir_exchange_wait(x, x->conf->send_timeout);
            return;
        }
        if (io == WEIR_ERROR) {
            exchange_send_failed(x);
            return;
        }
        if (x->codec->ended(x)) {
            exchange_asked(x);
            exchange_wait_for_answer(x);
            return;
        }
        io = x->asker->next_body(x, &bytes);
        if (io == WEIR_ERROR) {
            return;
        }
        if (io == WEIR_AGAIN) {
            weir_exchange_wait_not(x);                 /* the asker's turn */
            return;
        }
        io = io == WEIR_EOF ? x->codec->send_end(x) : x->codec->send_body(x, bytes);
        if (io == WEIR_ERROR) {
            exchange_send_failed(x);
            return;
        }
    }
    weir_exchange_wait(x, x->conf->send_timeout);
    weir_task_post_later(x->http->loop, &x->task, exchange_go_on);
}

/* -- the answer's head -- */

static void
exchange_head_timeout(weir_exchange_t *x)
{
    bool is_sending = !x->is_asked && x->codec->pending(x);

    exchange_fail(x, is_sending ? WEIR_CAUSE_UPSTREAM_SEND_TIMEOUT : WEIR_CAUSE_UPSTREAM_READ_TIMEOUT, NULL,
                  WEIR_EXCHANGE_TIMED_OUT);
}

static void
exchange_read_timeout(weir_exchange_t *x)
{
    exchange_fail(x, WEIR_CAUSE_UPSTREAM_READ_TIMEOUT, NULL, WEIR_EXCHANGE_TIMED_OUT);
}

/* No head came: was it the way there, or what came? */
static weir_exchange_failure_t
exchange_head_failure(weir_cause_t cause)
{
    switch (cause) {
    case WEIR_CAUSE_UPSTREAM_RESET: case WEIR_CAUSE_UPSTREAM_CLOSED: case WEIR_CAUSE_UPSTREAM_H2_RESET:
    case WEIR_CAUSE_UPSTREAM_H2_REFUSED: return WEIR_EXCHANGE_BROKEN;
    case WEIR_CAUSE_UPSTREAM_SEND_TIMEOUT: return WEIR_EXCHANGE_TIMED_OUT;
    default: return WEIR_EXCHANGE_MALFORMED;
    }
}

static void
exchange_read_head(weir_exchange_t *x)
{
    for ( ;; ) {
        switch (x->codec->read_head(x)) {
        case WEIR_AGAIN:
            if (x->is_asked) {
                weir_exchange_wait(x, x->conf->read_timeout);
            }
            return;
        case WEIR_EOF:
            weir_exchange_fail(x, WEIR_CAUSE_UPSTREAM_CLOSED, x->got_bytes ? "inside the head" : NULL);
            return;
        case WEIR_ERROR:
            exchange_fail(x, x->cause, x->detail, exchange_head_failure(x->cause));
            return;
        case WEIR_OK:
            if (x->head.status >= 200) {
                exchange_move(x, WEIR_EXCHANGE_BODY);
                x->asker->on_head(x);
                return;
            }
            if (!x->asker->on_interim(x)) {
                return;
            }
        }
    }
}

/* What waits goes out first.  false: that ended the exchange. */
static bool
exchange_write(weir_exchange_t *x)
{
    if (!x->is_asked && x->codec->writable(x)) {
        weir_exchange_send(x);
    }
    return x->is_held;
}

static void
exchange_answer_ready(weir_exchange_t *x)
{
    if (!exchange_write(x) || !x->codec->readable(x)) {
        return;
    }
    if (x->state == WEIR_EXCHANGE_HEAD) {
        exchange_read_head(x);
    } else if (x->state == WEIR_EXCHANGE_BODY) {
        x->asker->on_readable(x);
    }
}

/* -- its body -- */

weir_io_t
weir_exchange_read(weir_exchange_t *x, size_t cap, weir_str_t *bytes)
{
    weir_io_t io;

    weir_assert(x->is_held && x->state == WEIR_EXCHANGE_BODY);
    io = x->codec->read_body(x, cap, bytes);
    if (io == WEIR_OK || io == WEIR_AGAIN) {
        weir_exchange_wait(x, x->conf->read_timeout);
    } else {
        weir_exchange_wait_not(x);
    }
    return io;
}

/* -- tunnels -- */

void
weir_exchange_tunnel(weir_exchange_t *x)
{
    exchange_move(x, WEIR_EXCHANGE_TUNNEL);
}

static void
exchange_tunnel_ready(weir_exchange_t *x)
{
    x->asker->on_readable(x);
}

/* -- for codecs -- */

weir_cause_t
weir_exchange_connect_cause(int error)
{
    return error == ECONNREFUSED ? WEIR_CAUSE_UPSTREAM_CONNECT_REFUSED : WEIR_CAUSE_UPSTREAM_CONNECT_FAILED;
}

weir_io_t
weir_exchange_secure_failed(weir_exchange_t *x, const weir_conn_t *conn, const char *why)
{
    bool verified = !weir_tls_is_on(conn) || weir_tls_verify_result(conn) == WEIR_TLS_VERIFIED;

    if (why == NULL || why[0] == '\0') {
        why = strerror(conn->error);
    }
    return weir_exchange_error(x, verified ? WEIR_CAUSE_UPSTREAM_TLS_HANDSHAKE : WEIR_CAUSE_UPSTREAM_TLS_VERIFY,
                               weir_str_to_z(x->arena, weir_str_from_z(why)));
}

bool
weir_exchange_has_no_body(const weir_exchange_t *x, uint16_t status)
{
    return x->method == WEIR_METHOD_HEAD || status < 200 || status == 204 || status == 304;
}
