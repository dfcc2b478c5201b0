/*
 * peer_h1.c - HTTP/1.x toward a peer: a question emitted with framing of Weir's own, the answer parsed as strictly as a
 * client's request (RFC 9112).  Peers are as untrusted as clients.
 */
#include "http/exchange/link.h"

#include "base/mem.h"
#include "http/h1/chunked.h"
#include "http/h1/emit.h"
#include "http/h1/parse.h"
#include "http/serve/runtime.h"

#include <string.h>

#define PEER_MAX_FIELDS 1000
#define PEER_MAX_HEAD   ((size_t) 64 * 1024 * 1024)      /* of a question: a client's may have 16 MiB (core_module.c) */

/* What one exchange needs. */
typedef struct {
    weir_link_t    link;
    char          *in;            /* received, not taken; heap */
    size_t         in_at, in_len, in_cap;
    char          *view;          /* the same, still in the worker's receive buffer: for the time of a call */
    size_t         view_len;
    weir_h1_scan_t scan;
    weir_chunked_t chunked;
    uint64_t       left;
    enum { WEIR_PEER_NONE, WEIR_PEER_LENGTH, WEIR_PEER_CHUNKED, WEIR_PEER_CLOSE, WEIR_PEER_RAW } mode;
    bool           chunked_out, ended, surplus;
} weir_peer_h1_t;

static inline weir_peer_h1_t *
peer_of(const weir_exchange_t *x)
{
    return weir_exchange_wire(x);
}

/* -- the way there -- */

static weir_io_t
peer_begin(weir_exchange_t *x)
{
    weir_peer_h1_t *h = peer_of(x);

    memset(h, 0, sizeof(*h));
    return weir_link_begin(&h->link, x);
}

static void
peer_end(weir_exchange_t *x, bool keep)
{
    weir_peer_h1_t *h = peer_of(x);

    weir_link_end(&h->link, keep);
    weir_mem_free(h->in);
    h->in = NULL;
}

static bool
peer_readable(const weir_exchange_t *x)
{
    return peer_of(x)->link.up->conn.watch.readable;
}

static bool
peer_writable(const weir_exchange_t *x)
{
    return peer_of(x)->link.up->conn.watch.writable;
}

static bool
peer_reused(const weir_exchange_t *x)
{
    return peer_of(x)->link.up->reused;
}

/* -- sending -- */

static weir_io_t
peer_push(weir_exchange_t *x)
{
    weir_peer_h1_t *h = peer_of(x);
    weir_io_t io = weir_link_push(&h->link);

    if (io == WEIR_OK && h->ended && h->mode == WEIR_PEER_RAW) {
        weir_link_shutdown(&h->link);
    }
    return io;
}

static bool
peer_ended(const weir_exchange_t *x)
{
    return peer_of(x)->ended;
}

static bool
peer_pending(const weir_exchange_t *x)
{
    return weir_link_pending(&peer_of(x)->link);
}

static bool
peer_stop_sending(weir_exchange_t *x)
{
    return weir_link_stop_sending(&peer_of(x)->link);
}

static uint64_t
peer_sent(const weir_exchange_t *x)
{
    return weir_link_sent(&peer_of(x)->link);
}

static void
peer_emit_framing(weir_exchange_t *x, weir_buf_t *b)
{
    bool keep = weir_group_conf(x->peer->group)->keepalive != 0;

    peer_of(x)->chunked_out = false;
    if (x->length != WEIR_LENGTH_NONE) {
        weir_buf_add_lit(b, "Content-Length: ");
        weir_buf_add_u64(b, x->length);
        weir_buf_add_lit(b, "\r\n");
    } else if (x->has_body) {
        weir_buf_add_lit(b, "Transfer-Encoding: chunked\r\n");
        peer_of(x)->chunked_out = true;
    }
    if (x->upgrade.len != 0) {
        weir_emit_field(b, WEIR_STR("Upgrade"), x->upgrade);
        weir_buf_add_lit(b, "Connection: upgrade\r\n");
        return;
    }
    if (x->takes_trailers && x->conf->http_version != 10) {
        weir_buf_add_lit(b, "TE: trailers\r\nConnection: TE\r\n");
    }
    if (!keep || x->says_close) {
        weir_buf_add_lit(b, "Connection: close\r\n");
    } else if (x->conf->http_version == 10) {
        weir_buf_add_lit(b, "Connection: keep-alive\r\n");
    }
}

static void
peer_put_field(void *data, const weir_field_t *field)
{
    weir_emit_field_as(data, field->name, field->value, (field->flags & WEIR_FIELD_CLEAN) != 0);
}

/* false: a field is not to be sent; b->full: there is not room enough. */
static bool
peer_make_head(weir_exchange_t *x, weir_buf_t *b)
{
    weir_emit_request_line(b, x->method_name, x->target, x->conf->http_version == 10);
    if (!x->asker->each_field(x, peer_put_field, b)) {
        return false;
    }
    peer_emit_framing(x, b);
    weir_buf_add_lit(b, "\r\n");
    return true;
}

/* One that does not fit in the worker's scratch: in memory for the time of the call. */
static weir_io_t
peer_send_large_head(weir_exchange_t *x)
{
    for (size_t size = 4 * (size_t) WEIR_TX_BYTES; size <= PEER_MAX_HEAD; size *= 4) {
        char *room = weir_mem_try(size);
        weir_io_t io = WEIR_ERROR;
        weir_buf_t b;

        if (room == NULL) {
            return weir_exchange_error(x, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
        }
        weir_buf_init(&b, room, size);
        if (peer_make_head(x, &b) && !b.full) {
            struct iovec iov = { b.at, weir_buf_len(&b) };

            peer_of(x)->ended = !x->has_body;
            io = weir_link_send(&peer_of(x)->link, &iov, 1);
        }
        weir_mem_free(room);
        if (!b.full) {
            return io;
        }
    }
    return weir_exchange_error(x, WEIR_CAUSE_INTERNAL_EMIT, NULL);
}

static weir_io_t
peer_send_head(weir_exchange_t *x)
{
    weir_buf_t b;

    weir_buf_init(&b, weir_http_scratch(x->http), WEIR_TX_BYTES);
    if (!peer_make_head(x, &b)) {
        return WEIR_ERROR;
    }
    if (b.full) {
        return peer_send_large_head(x);
    }
    if (!x->has_body) {
        peer_of(x)->ended = true;
    } else if (x->has_whole && x->whole.len <= (size_t) (b.end - b.pos)) {
        weir_buf_add_str(&b, x->whole);                        /* a small body goes along in one send */
        peer_of(x)->ended = true;
    }
    if (peer_of(x)->ended && x->may_repeat) {             /* others go while the kept connection is known to be alive */
        return weir_link_send_later(&peer_of(x)->link, weir_buf_len(&b));
    }
    struct iovec iov = { b.at, weir_buf_len(&b) };
    return weir_link_send(&peer_of(x)->link, &iov, 1);
}

static weir_io_t
peer_send_body(weir_exchange_t *x, weir_str_t bytes)
{
    char size[18];
    struct iovec iov[3];
    size_t n = 0;

    weir_assert(!peer_of(x)->ended);
    if (bytes.len == 0) {
        return WEIR_OK;
    }
    if (peer_of(x)->chunked_out) {
        iov[n++] = (struct iovec) { size, weir_chunked_head(size, bytes.len) };
    }
    iov[n++] = (struct iovec) { (void *) (uintptr_t) bytes.at, bytes.len };
    if (peer_of(x)->chunked_out) {
        iov[n++] = (struct iovec) { (void *) (uintptr_t) "\r\n", 2 };
    }
    return weir_link_send(&peer_of(x)->link, iov, n);
}

static weir_io_t
peer_send_end(weir_exchange_t *x)
{
    struct iovec last = { (void *) (uintptr_t) "0\r\n\r\n", 5 };

    weir_assert(!peer_of(x)->ended);
    peer_of(x)->ended = true;
    if (peer_of(x)->mode == WEIR_PEER_RAW) {
        return peer_push(x);
    }
    return peer_of(x)->chunked_out ? weir_link_send(&peer_of(x)->link, &last, 1) : WEIR_OK;
}

/* -- receiving -- */

static bool
peer_put_aside(weir_peer_h1_t *h, const char *bytes, size_t len)
{
    size_t left = h->in_len - h->in_at;

    if (len == 0) {
        return true;
    }
    weir_assert(h->in_at <= h->in_len && h->in_len <= h->in_cap);
    if (h->in_at != 0 && left != 0) {
        memmove(h->in, h->in + h->in_at, left);
    }
    h->in_at = 0;
    h->in_len = left;
    if (h->in_cap - left < len) {
        char *grown = weir_mem_try_resize(h->in, left + len);
        if (grown == NULL) {
            return false;
        }
        h->in = grown;
        h->in_cap = left + len;
    }
    memcpy(h->in + left, bytes, len);
    h->in_len += len;
    return true;
}

static bool
peer_save(weir_exchange_t *x)
{
    weir_peer_h1_t *h = peer_of(x);

    if (h->view_len == 0) {
        return true;
    }
    if (!peer_put_aside(h, h->view, h->view_len)) {
        return false;
    }
    h->view = NULL;
    h->view_len = 0;
    return true;
}

static weir_io_t
peer_recv(weir_exchange_t *x, size_t cap, char **data, size_t *len)
{
    *data = x->http->rx;
    return weir_link_recv(&peer_of(x)->link, cap, len);
}

/* How the body ends (RFC 9112 §6.3). */
static void
peer_choose_mode(weir_exchange_t *x)
{
    const weir_response_head_t *head = &x->head;
    weir_peer_h1_t *h = peer_of(x);

    memset(&h->chunked, 0, sizeof(h->chunked));
    x->may_have_trailers = false;
    if (weir_exchange_has_no_body(x, head->status)) {
        h->mode = WEIR_PEER_NONE;
    } else if (head->chunked) {
        h->mode = WEIR_PEER_CHUNKED;
        x->may_have_trailers = true;
    } else if (head->content_length != WEIR_LENGTH_NONE) {
        h->mode = WEIR_PEER_LENGTH;
        h->left = head->content_length;
    } else {
        h->mode = WEIR_PEER_CLOSE;
    }
}

/* A whole head: copied to where it stays, parsed. */
static weir_io_t
peer_parse_head(weir_exchange_t *x, const char *data, size_t len)
{
    char *copy = weir_try_alloc(x->arena, len);
    weir_h1_reason_t reason;
    weir_str_t text;

    if (copy == NULL) {
        return weir_exchange_error(x, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
    }
    memcpy(copy, data, len);
    memset(&x->head, 0, sizeof(x->head));
    text = weir_str(copy, len);
    reason = x->conf->line_ends == WEIR_LINE_ENDS_LF ? weir_h1_line_ends(&text, x->arena) : WEIR_H1_OK;
    if (reason == WEIR_H1_OK) {
        reason = weir_h1_parse_response(&x->head, text, PEER_MAX_FIELDS, x->arena);
    }
    if (reason != WEIR_H1_OK) {
        return weir_exchange_error(x, WEIR_CAUSE_UPSTREAM_MALFORMED, weir_h1_reason_text(reason));
    }
    memset(&peer_of(x)->scan, 0, sizeof(peer_of(x)->scan));
    peer_choose_mode(x);
    return WEIR_OK;
}

/* OK with *head: its length; AGAIN: more is needed. */
static weir_io_t
peer_scan(weir_exchange_t *x, const char *data, size_t len, size_t *head)
{
    size_t max = x->conf->buffer_size.n;
    weir_h1_limits_t limits = { .max_line = max, .max_field = max, .max_head = max, .max_fields = PEER_MAX_FIELDS,
                                .takes_lf = x->conf->line_ends == WEIR_LINE_ENDS_LF };

    switch (weir_h1_scan(&peer_of(x)->scan, &limits, data, len, head)) {
    case WEIR_H1_DONE: return WEIR_OK;
    case WEIR_H1_MORE: return WEIR_AGAIN;
    case WEIR_H1_BAD: return weir_exchange_error(x, WEIR_CAUSE_UPSTREAM_MALFORMED, "a line does not end in CRLF");
    default: return weir_exchange_error(x, WEIR_CAUSE_UPSTREAM_HEADER_TOO_LARGE, NULL);
    }
}

static weir_io_t
peer_head_in_memory(weir_exchange_t *x)
{
    weir_peer_h1_t *h = peer_of(x);
    size_t head;
    weir_io_t io = peer_scan(x, h->in + h->in_at, h->in_len - h->in_at, &head);

    if (io == WEIR_OK) {
        weir_assert(head <= h->in_len - h->in_at);
        io = peer_parse_head(x, h->in + h->in_at, head);
        h->in_at += head;
    }
    return io;
}

/* With a head comes the beginning of a body: of one that the asker does not want yet, no more than the head may be
 * long. */
static size_t
peer_head_room(const weir_exchange_t *x)
{
    size_t wanted = x->asker->wanted != NULL ? x->asker->wanted(x, WEIR_RX_BYTES) : WEIR_RX_BYTES;

    return weir_max(wanted, weir_min(x->conf->buffer_size.n, WEIR_RX_BYTES));
}

static weir_io_t
peer_read_head(weir_exchange_t *x)
{
    weir_peer_h1_t *h = peer_of(x);
    size_t len, head;
    char *data;

    if (h->view_len != 0) {                              /* behind an interim answer */
        if (!peer_save(x)) {
            return weir_exchange_error(x, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
        }
        weir_io_t io = peer_head_in_memory(x);
        if (io != WEIR_AGAIN) {
            return io;
        }
    } else if (h->in_len != h->in_at && h->scan.at == 0) {
        weir_io_t io = peer_head_in_memory(x);
        if (io != WEIR_AGAIN) {
            return io;
        }
    }
    for ( ;; ) {
        weir_io_t io = peer_recv(x, peer_head_room(x), &data, &len);
        if (io != WEIR_OK) {
            return io;
        }
        if (h->in_len == h->in_at) {
            io = peer_scan(x, data, len, &head);
            if (io == WEIR_OK) {
                h->view = data + head;
                h->view_len = len - head;
                return peer_parse_head(x, data, head);
            }
            if (io != WEIR_AGAIN) {
                return io;
            }
            if (!peer_put_aside(h, data, len)) {
                return weir_exchange_error(x, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
            }
            continue;
        }
        if (!peer_put_aside(h, data, len)) {
            return weir_exchange_error(x, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
        }
        io = peer_head_in_memory(x);
        if (io != WEIR_AGAIN) {
            return io;
        }
    }
}

/* Bytes at hand: put aside, in view, or received now. */
static weir_io_t
peer_fetch(weir_exchange_t *x, size_t cap, char **data, size_t *len)
{
    weir_peer_h1_t *h = peer_of(x);

    if (h->in_len != h->in_at) {
        *data = h->in + h->in_at;
        *len = weir_min(cap, h->in_len - h->in_at);
        h->in_at += *len;
        return WEIR_OK;
    }
    if (h->view_len != 0) {
        *data = h->view;
        *len = weir_min(cap, h->view_len);
        h->view += *len;
        h->view_len -= *len;
        return WEIR_OK;
    }
    return peer_recv(x, cap, data, len);
}

static weir_io_t
peer_body_done(weir_exchange_t *x)
{
    weir_peer_h1_t *h = peer_of(x);

    h->surplus = h->surplus || h->view_len != 0 || h->in_len != h->in_at;
    return WEIR_EOF;
}

static weir_io_t
peer_take_trailers(weir_exchange_t *x)
{
    weir_str_t lines = weir_chunked_trailers(&peer_of(x)->chunked);

    if (lines.len != 0
        && weir_h1_parse_trailers(x->trailers, lines, PEER_MAX_FIELDS, x->arena) != WEIR_H1_OK)
    {
        return weir_exchange_error(x, WEIR_CAUSE_UPSTREAM_BODY_MALFORMED, "trailers");
    }
    return WEIR_OK;
}

static weir_io_t
peer_decode(weir_exchange_t *x, char *data, size_t len, weir_str_t *bytes)
{
    weir_peer_h1_t *h = peer_of(x);
    size_t consumed, produced;

    switch (weir_chunked_decode(&h->chunked, data, len, &consumed, &produced, x->arena)) {
    case WEIR_CHUNKED_BAD:
        return weir_exchange_error(x, WEIR_CAUSE_UPSTREAM_BODY_MALFORMED, NULL);
    case WEIR_CHUNKED_NO_MEMORY:
        return weir_exchange_error(x, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
    case WEIR_CHUNKED_DONE:
        h->mode = WEIR_PEER_NONE;
        h->surplus = consumed < len;
        if (peer_take_trailers(x) == WEIR_ERROR) {
            return WEIR_ERROR;
        }
        break;
    case WEIR_CHUNKED_MORE:
        break;
    }
    weir_assert(consumed <= len && produced <= consumed);     /* decoded in its place */
    *bytes = weir_str(data, produced);
    return produced != 0 ? WEIR_OK : WEIR_AGAIN;
}

static weir_io_t
peer_read_body(weir_exchange_t *x, size_t cap, weir_str_t *bytes)
{
    weir_peer_h1_t *h = peer_of(x);
    size_t len;
    char *data;

    for ( ;; ) {
        if (h->mode == WEIR_PEER_NONE || (h->mode == WEIR_PEER_LENGTH && h->left == 0)) {
            return peer_body_done(x);
        }
        weir_io_t io = peer_fetch(x, cap, &data, &len);
        if (io == WEIR_EOF) {
            if (h->mode == WEIR_PEER_CLOSE || h->mode == WEIR_PEER_RAW) {
                h->surplus = true;                       /* this connection has served */
                return WEIR_EOF;
            }
            return weir_exchange_error(x, WEIR_CAUSE_UPSTREAM_BODY_INCOMPLETE, NULL);
        }
        if (io != WEIR_OK) {
            if (io == WEIR_ERROR && x->cause == WEIR_CAUSE_UPSTREAM_RESET && h->mode != WEIR_PEER_RAW) {
                x->cause = WEIR_CAUSE_UPSTREAM_BODY_INCOMPLETE;
            }
            return io;
        }
        if (h->mode == WEIR_PEER_CHUNKED) {
            io = peer_decode(x, data, len, bytes);
            if (io != WEIR_AGAIN) {
                return io;
            }
            continue;
        }
        if (h->mode == WEIR_PEER_LENGTH) {
            if (len > h->left) {
                h->surplus = true;                     /* more than was promised: dropped, and the connection with it */
                len = (size_t) h->left;
            }
            weir_assert(len <= h->left);
            h->left -= len;
        }
        *bytes = weir_str(data, len);
        return WEIR_OK;
    }
}

/* What has a length, or ends with the connection, once all that was received is passed on. */
static uint64_t
peer_spliceable(const weir_exchange_t *x)
{
    const weir_peer_h1_t *h = peer_of(x);
    const weir_conn_t *conn = &h->link.up->conn;

    if (h->mode != WEIR_PEER_LENGTH || h->view_len != 0 || h->in_len != h->in_at || !weir_conn_can_splice(conn)
        || weir_loop_holds(conn->loop, &conn->watch))
    {
        return 0;
    }
    return h->left;
}

static weir_io_t
peer_splice(weir_exchange_t *x, int pipe, size_t n, size_t *moved)
{
    weir_peer_h1_t *h = peer_of(x);
    weir_io_t io = weir_conn_splice_in(&h->link.up->conn, pipe, weir_min(n, h->left), moved);

    if (io == WEIR_EOF || io == WEIR_ERROR) {
        return weir_exchange_error(x, WEIR_CAUSE_UPSTREAM_BODY_INCOMPLETE, NULL);
    }
    weir_assert(h->mode == WEIR_PEER_LENGTH && *moved <= h->left);
    h->left -= *moved;
    x->received += *moved;
    return io;
}

static bool
peer_reusable(const weir_exchange_t *x)
{
    const weir_peer_h1_t *h = peer_of(x);

    /* (a client that said close sends nothing more there, whatever the peer says of it: RFC 9112 §9.6) */
    return x->head.keep_alive && !x->says_close && !h->surplus && h->ended && h->link.out.size == 0
           && x->upgrade.len == 0;
}

static void
peer_tunnel(weir_exchange_t *x)
{
    weir_peer_h1_t *h = peer_of(x);

    weir_assert(x->head.status == 101 && x->upgrade.len != 0);     /* no tunnel opens that was not asked for */
    h->mode = WEIR_PEER_RAW;
    h->chunked_out = false;
    h->ended = false;
}

const weir_peer_codec_t weir_peer_h1 = {
    .name = "http/1",
    .state_size = sizeof(weir_peer_h1_t),
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
    .spliceable = peer_spliceable,
    .splice = peer_splice,
    .save = peer_save,
    .tunnel = peer_tunnel,
    .readable = peer_readable,
    .writable = peer_writable,
    .reused = peer_reused,
    .reusable = peer_reusable,
};
