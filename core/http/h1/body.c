/*
 * body.c - reading a request's body off an HTTP/1.1 connection (RFC 9112 §6, §7), one slice a call.
 *
 * Slices lie in the worker's receive buffer or in the connection's own `in`; chunk framing is taken out in place.
 */
#include "base/mem.h"
#include "http/h1/conn.h"

#include <string.h>

/* -- the bytes that were not taken yet -- */

bool
weir_h1_in_save(weir_h1_conn_t *c, const char *bytes, size_t len)
{
    size_t left = weir_h1_in_left(c);

    if (len == 0) {
        return true;
    }
    if (c->in != NULL && c->in_at != 0) {
        memmove(c->in, c->in + c->in_at, left);
    }
    c->in_at = 0;
    c->in_len = (uint32_t) left;
    if (c->in_cap - left < len) {
        uint64_t first = weir_http_listen_of(c->base.socket)->default_server->core->client_header_buffer_size.n;
        size_t cap = weir_max(left + len, weir_max(first, 2 * (size_t) c->in_cap));
        char *grown;

        if (cap > UINT32_MAX || (grown = weir_mem_try_resize(c->in, cap)) == NULL) {
            return false;
        }
        c->in = grown;
        c->in_cap = (uint32_t) cap;
    }
    memcpy(c->in + left, bytes, len);
    c->in_len += (uint32_t) len;
    return true;
}

void
weir_h1_in_free(weir_h1_conn_t *c)
{
    weir_mem_free(c->in);
    c->in = NULL;
    c->in_at = c->in_len = c->in_cap = 0;
}

/* -- the body -- */

bool
weir_h1_body_begin(weir_h1_conn_t *c)
{
    const weir_request_head_t *head = &c->req->head;

    c->continue_sent = false;
    c->body_failed = false;
    if (head->chunked) {
        c->body = WEIR_H1_BODY_CHUNKED;
        c->chunked = weir_try_alloc(&c->req->arena, sizeof(*c->chunked));
        if (c->chunked == NULL) {
            return false;
        }
        *c->chunked = (weir_chunked_t) { .state = 0 };
    } else if (head->content_length != WEIR_LENGTH_NONE && head->content_length != 0) {
        c->body = WEIR_H1_BODY_LENGTH;
        c->body_left = head->content_length;
    } else {
        c->body = WEIR_H1_BODY_NONE;
        c->req->body_complete = true;
        if (c->base.conn.watch.peer_closed) {
            weir_h1_look_again(c);           /* the edge that told came with the request */
        }
    }
    return true;
}

static weir_io_t
body_fail(weir_h1_conn_t *c, weir_cause_t cause)
{
    c->body_failed = true;
    c->req->keep_alive = false;
    if (c->req->cause == WEIR_CAUSE_NONE) {
        c->req->cause = cause;
    }
    return WEIR_ERROR;
}

static weir_io_t
body_complete(weir_h1_conn_t *c)
{
    c->req->body_complete = true;
    weir_timer_clear(&c->base.timer);
    if (c->base.conn.watch.peer_closed) {
        weir_h1_look_again(c);               /* the edge that told came while the body did */
    }
    return WEIR_EOF;
}

/* The bytes at hand: from `in` if there are some, else one recv of at most `want`.  They may be written to. */
static weir_io_t
body_fetch(weir_h1_conn_t *c, size_t want, char **data, size_t *len, bool *from_in)
{
    size_t left = weir_h1_in_left(c);

    weir_assert(want != 0);
    *from_in = left != 0;
    if (left != 0) {
        *data = c->in + c->in_at;
        *len = weir_min(left, want);
        return WEIR_OK;
    }
    weir_h1_in_free(c);
    *data = c->base.http->rx;
    return weir_conn_recv(&c->base.conn, *data, weir_min(want, WEIR_RX_BYTES), len);
}

static weir_io_t
body_wait(weir_h1_conn_t *c)
{
    weir_request_t *req = c->req;

    weir_assert(!req->body_complete && !c->body_failed);
    if (c->body == WEIR_H1_BODY_TUNNEL) {
        return WEIR_AGAIN;
    }
    if (req->head.expect_continue && !c->continue_sent && req->body_received == 0 && !req->res.head_sent) {
        c->continue_sent = true;
        if (weir_h1_send_interim(req, 100, NULL) == WEIR_ERROR) {
            return body_fail(c, WEIR_CAUSE_CLIENT_CLOSED);
        }
    }
    weir_timer_set(c->base.http->loop, &c->base.timer, weir_request_core(req)->client_body_timeout,
                   c->base.timer.on_fire);
    return WEIR_AGAIN;
}

/* A chunked body is measured as it comes; a chunk that announces too much is refused at its first line. */
static bool
body_is_too_large(const weir_h1_conn_t *c)
{
    uint64_t max = weir_request_core(c->req)->client_max_body_size.n;

    return max != 0 && (c->req->body_received > max
                        || weir_chunked_announced(c->chunked) > max - c->req->body_received);
}

static weir_io_t
body_take(weir_h1_conn_t *c, char *data, size_t len, weir_str_t *bytes)
{
    weir_assert(len != 0);
    c->req->body_received += len;
    weir_timer_clear(&c->base.timer);   /* it came; should the peer take its time now, that is not the client's fault */
    *bytes = weir_str(data, len);
    return WEIR_OK;
}

/* Everything of `data` that is behind the body goes (back) to `in`. */
static weir_io_t
body_decode(weir_h1_conn_t *c, char *data, size_t len, bool from_in, weir_str_t *bytes)
{
    size_t consumed, produced;
    weir_chunked_result_t result = weir_chunked_decode(c->chunked, data, len, &consumed, &produced, &c->req->arena);

    c->req->received += consumed;
    weir_assert(consumed <= len && produced <= consumed);     /* decoded in its place */
    if (from_in) {
        c->in_at += (uint32_t) consumed;
    } else if (consumed < len && !weir_h1_in_save(c, data + consumed, len - consumed)) {
        return body_fail(c, WEIR_CAUSE_INTERNAL_MEMORY);
    }
    if (result == WEIR_CHUNKED_BAD) {
        return body_fail(c, WEIR_CAUSE_CLIENT_BODY_MALFORMED);
    }
    if (result == WEIR_CHUNKED_NO_MEMORY) {
        return body_fail(c, WEIR_CAUSE_INTERNAL_MEMORY);
    }
    if (result == WEIR_CHUNKED_DONE) {
        weir_str_t lines = weir_chunked_trailers(c->chunked);
        if (lines.len != 0
            && weir_h1_parse_trailers(&c->req->trailers, lines, weir_request_core(c->req)->max_headers,
                                      &c->req->arena) != WEIR_H1_OK)
        {
            return body_fail(c, WEIR_CAUSE_CLIENT_BODY_MALFORMED);
        }
        c->req->body_complete = true;
    }
    weir_io_t io = produced != 0 ? body_take(c, data, produced, bytes) : WEIR_AGAIN;
    return body_is_too_large(c) ? body_fail(c, WEIR_CAUSE_CLIENT_BODY_TOO_LARGE) : io;
}

weir_io_t
weir_h1_read_body(weir_request_t *req, weir_str_t *bytes)
{
    weir_h1_conn_t *c = req->wire;
    size_t want = WEIR_RX_BYTES, len;
    bool from_in;
    char *data;

    weir_assert(c->req == req);
    for ( ;; ) {
        if (c->body_failed) {
            return WEIR_ERROR;
        }
        if (req->body_complete) {
            return body_complete(c);
        }
        if (c->body == WEIR_H1_BODY_LENGTH) {
            want = weir_min(want, c->body_left);
        }
        weir_io_t io = body_fetch(c, want, &data, &len, &from_in);
        if (io == WEIR_AGAIN) {
            return body_wait(c);
        }
        if (io != WEIR_OK) {
            if (c->body == WEIR_H1_BODY_TUNNEL && io == WEIR_EOF) {
                return WEIR_EOF;
            }
            c->broken = io == WEIR_ERROR;
            return body_fail(c, WEIR_CAUSE_CLIENT_BODY_INCOMPLETE);
        }
        if (c->body == WEIR_H1_BODY_CHUNKED) {
            io = body_decode(c, data, len, from_in, bytes);
            if (io != WEIR_AGAIN) {
                return io;
            }
            continue;                            /* nothing but framing */
        }
        c->in_at += from_in ? (uint32_t) len : 0;
        req->received += len;
        if (c->body == WEIR_H1_BODY_LENGTH) {
            weir_assert(len <= c->body_left);
            c->body_left -= len;
            req->body_complete = c->body_left == 0;
        }
        return body_take(c, data, len, bytes);
    }
}

/* Little enough that reading it away costs less than another connection would. */
static bool
body_is_small(const weir_h1_conn_t *c)
{
    return c->body == WEIR_H1_BODY_LENGTH ? c->body_left <= WEIR_H1_DRAIN_MAX
                                          : c->body == WEIR_H1_BODY_CHUNKED
                                          && weir_chunked_announced(c->chunked) <= WEIR_H1_DRAIN_MAX;
}

/* A client that waits for a 100 is told to go on, except by an error: whether it then sends the body is not known. */
static bool
body_is_coming(weir_h1_conn_t *c)
{
    if (!c->req->head.expect_continue || c->continue_sent) {
        return true;
    }
    if (c->req->res.status >= 400 || !body_is_small(c)) {
        return false;
    }
    c->continue_sent = true;
    return weir_h1_send_interim(c->req, 100, NULL) != WEIR_ERROR;
}

bool
weir_h1_may_drain(weir_h1_conn_t *c)
{
    weir_str_t bytes;

    weir_assert(!c->req->res.head_sent);
    if (c->req->body_complete) {
        return true;
    }
    if (c->body == WEIR_H1_BODY_TUNNEL || c->body_failed || weir_request_wants_body(c->req) || !body_is_coming(c)) {
        return false;                            /* it is still wanted: a peer that answers early may read on */
    }
    c->continue_sent = true;                     /* it will not be asked for any more */
    for (int i = 0; i < 4 && (weir_h1_in_left(c) != 0 || c->base.conn.watch.readable); i++) {
        if (weir_h1_read_body(c->req, &bytes) == WEIR_ERROR) {
            return false;
        }
        if (c->req->body_complete) {
            weir_timer_clear(&c->base.timer);
            return true;
        }
    }
    return body_is_small(c);
}
