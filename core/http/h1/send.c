/*
 * send.c - writing an answer to an HTTP/1.1 client: head, body framed by Weir alone, trailers (RFC 9112 §6, §7).
 *
 * The head and small bodies are put together in the worker's send buffer and leave in one send; what the socket does
 * not take waits in the connection's chain.  CR, LF and NUL are refused here whatever their source.
 */
#include "http/h1/conn.h"
#include "http/h1/emit.h"
#include "http/message/field_rules.h"
#include "os/clock.h"
#include "os/sys.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define SEND_HEAD_OVERHEAD 4096         /* of a head, beside its fields: more than all that is Weir's own */
#define SEND_HEAD_MAX ((size_t) 32 << 20)
#define SEND_COPY_MAX 4096      /* smaller pieces are copied behind the head, larger ones go by writev */

#define SEND_FILE_MAX ((uint64_t) 0x7ffff000)      /* what one call takes */

static void send_on_timeout(weir_timer_t *timer);

/* -- to the socket -- */

static weir_io_t
send_broken(weir_h1_conn_t *c)
{
    c->broken = true;
    c->held = 0;
    if (c->base.http->tx_owner == &c->base) {
        c->base.http->tx_owner = NULL;
    }
    weir_chain_clear(&c->out, &c->base.http->blocks);
    weir_timer_clear(&c->send_timer);
    return WEIR_ERROR;
}

static weir_io_t
send_wait(weir_h1_conn_t *c, bool progress)
{
    if (progress || c->send_timer.deadline.ms == 0) {
        const weir_http_core_conf_t *core = c->req ? weir_request_core(c->req)
                                            : weir_http_listen_of(c->base.socket)->default_server->core;
        weir_timer_set(c->base.http->loop, &c->send_timer, core->send_timeout, send_on_timeout);
    }
    return WEIR_AGAIN;
}

static void
send_on_timeout(weir_timer_t *timer)
{
    weir_h1_conn_t *c = weir_container_of(timer, weir_h1_conn_t, send_timer);

    weir_assert(c->state != WEIR_H1_STATE_CLOSED && !c->is_queued);
    if (c->req == NULL) {
        weir_h1_close(c);
        return;
    }
    weir_assert(!c->req->is_ended);
    if (weir_request_core(c->req)->reset_timedout_connection.on) {
        weir_sock_reset_on_close(c->base.conn.watch.fd);
    }
    (void) send_broken(c);
    weir_request_client_gone(c->req, WEIR_CAUSE_CLIENT_SEND_TIMEOUT);
}

static weir_io_t
send_chain(weir_h1_conn_t *c)
{
    struct iovec iov[16];
    bool progress = false;

    while (c->out.size != 0) {
        size_t sent = 0, n = weir_chain_peek(&c->out, iov, weir_countof(iov));
        weir_io_t io = weir_conn_send(&c->base.conn, iov, n, &sent);

        weir_chain_consume(&c->out, &c->base.http->blocks, sent);
        progress = progress || sent != 0;
        if (io == WEIR_AGAIN) {
            return send_wait(c, progress);
        }
        if (io != WEIR_OK) {
            return send_broken(c);
        }
    }
    weir_timer_clear(&c->send_timer);
    return WEIR_OK;
}

/* Takes all of iov: sends what goes, queues the rest. */
static weir_io_t
send_iov(weir_h1_conn_t *c, const struct iovec *iov, size_t n)
{
    size_t sent = 0;
    bool is_progress = false;

    if (c->broken) {
        return WEIR_ERROR;
    }
    if (c->out.size == 0) {
        weir_io_t io = weir_conn_send(&c->base.conn, iov, n, &sent);
        is_progress = sent != 0;
        if (io == WEIR_OK) {
            weir_timer_clear(&c->send_timer);
            return WEIR_OK;
        }
        if (io != WEIR_AGAIN) {
            return send_broken(c);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (sent >= iov[i].iov_len) {
            sent -= iov[i].iov_len;
            continue;
        }
        weir_str_t rest = weir_str((const char *) iov[i].iov_base + sent, iov[i].iov_len - sent);
        sent = 0;
        if (!weir_chain_append(&c->out, &c->base.http->blocks, rest)) {
            return send_broken(c);
        }
    }
    return send_wait(c, is_progress);
}

/* -- the shared buffer -- */

static bool
send_own_tx(weir_h1_conn_t *c)
{
    weir_http_t *http = c->base.http;

    if (http->tx_owner == &c->base) {
        return true;
    }
    (void) weir_http_scratch(http);                 /* its present user sends what it holds */
    http->tx_owner = &c->base;
    c->held = 0;
    return true;
}

weir_io_t
weir_h1_push(weir_h1_conn_t *c)
{
    if (c->broken) {
        return WEIR_ERROR;
    }
    if (c->held != 0) {
        struct iovec iov = { c->base.http->tx, c->held };
        weir_assert(c->base.http->tx_owner == &c->base);
        c->held = 0;
        c->base.http->tx_owner = NULL;
        return send_iov(c, &iov, 1);
    }
    if (c->base.http->tx_owner == &c->base) {
        c->base.http->tx_owner = NULL;
    }
    return c->out.size != 0 ? send_chain(c) : WEIR_OK;
}

/* The end of the answer, which was queued, is in the socket, or as much of it as that takes. */
static void
send_on_sent(weir_conn_t *conn, weir_io_t io)
{
    weir_h1_conn_t *c = weir_container_of(conn, weir_h1_conn_t, base.conn);

    weir_assert(c->is_queued);
    c->is_queued = false;
    if (io == WEIR_AGAIN) {
        (void) send_wait(c, true);
        weir_h1_look_again(c);                      /* what came meanwhile was left for now */
        return;
    }
    if (io == WEIR_ERROR) {
        (void) send_broken(c);
    }
    weir_request_writable(c->req);
}

/* May what is held go with the rest of the turn?  Only the end of an answer: its request has nothing left to do but to
 * end. */
static bool
send_may_queue(const weir_h1_conn_t *c)
{
    return c->req->finalised && c->end_queued && c->held != 0 && c->out.size == 0 && c->body != WEIR_H1_BODY_TUNNEL
           && !c->file_waits
           && !c->broken;
}

static bool
send_queue(weir_h1_conn_t *c)
{
    weir_http_t *http = c->base.http;

    http->tx_owner = NULL;
    c->is_queued = weir_send_later(http, &c->base.conn, &c->out, c->held, send_on_sent);
    if (!c->is_queued) {
        http->tx_owner = &c->base;
        return false;
    }
    c->held = 0;
    return true;
}

weir_io_t
weir_h1_flush(weir_request_t *req)
{
    weir_h1_conn_t *c = req->wire;
    weir_io_t io;

    c->base.conn.ends = req->finalised && c->end_queued && !req->keep_alive && c->body != WEIR_H1_BODY_TUNNEL;
    if (c->is_queued || (send_may_queue(c) && send_queue(c))) {
        return WEIR_AGAIN;
    }
    io = weir_h1_push(c);
    return io == WEIR_OK && c->file_waits ? WEIR_AGAIN : io;
}

bool
weir_h1_send_pending(const weir_request_t *req)
{
    const weir_h1_conn_t *c = req->wire;

    return c->out.size != 0 || c->is_queued;
}

/* A piece that may wait for more: into tx when it is small, else out with all that is held. */
static weir_io_t
send_pieces(weir_h1_conn_t *c, const weir_str_t *pieces, size_t n)
{
    struct iovec iov[4];
    size_t total = 0, count = 0;

    if (c->broken) {
        return WEIR_ERROR;
    }
    for (size_t i = 0; i < n; i++) {
        total += pieces[i].len;
    }
    if (c->req != NULL) {
        c->req->res.bytes_sent += total;
    }
    if (total <= SEND_COPY_MAX && c->out.size == 0) {
        (void) send_own_tx(c);
        if (c->held + total <= WEIR_TX_BYTES) {
            for (size_t i = 0; i < n; i++) {
                if (pieces[i].len != 0) {
                    memcpy(c->base.http->tx + c->held, pieces[i].at, pieces[i].len);
                    c->held += (uint32_t) pieces[i].len;
                }
            }
            return WEIR_OK;
        }
    }
    if (c->held != 0) {
        iov[count++] = (struct iovec) { c->base.http->tx, c->held };
    }
    for (size_t i = 0; i < n; i++) {
        if (pieces[i].len != 0) {
            iov[count++] = (struct iovec) { (void *) (uintptr_t) pieces[i].at, pieces[i].len };
        }
    }
    c->held = 0;
    if (c->base.http->tx_owner == &c->base) {
        c->base.http->tx_owner = NULL;
    }
    return send_iov(c, iov, count);
}

/* -- heads -- */

weir_io_t
weir_h1_send_interim(weir_request_t *req, uint16_t status, const void *fields)
{
    weir_h1_conn_t *c = req->wire;
    const weir_fields_t *list = fields;
    char room[8192];
    weir_buf_t b;

    weir_assert(status >= 100 && status < 200 && !req->res.head_sent);
    if (req->head.minor == 0) {
        return WEIR_OK;                             /* RFC 9110 §15.2: 1.0 knows none */
    }
    weir_buf_init(&b, room, sizeof(room));
    weir_emit_status(&b, status, WEIR_STR_NONE);
    for (uint32_t i = 0; list != NULL && i < list->n; i++) {
        if ((list->at[i].flags & (WEIR_FIELD_HOP | WEIR_FIELD_DROP)) == 0) {
            weir_emit_field(&b, list->at[i].name, list->at[i].value);
        }
    }
    weir_buf_add_lit(&b, "\r\n");
    if (b.full) {
        return WEIR_OK;                             /* a hint that does not fit is no loss */
    }
    weir_str_t text = weir_buf_str(&b);
    weir_io_t io = send_pieces(c, &text, 1);
    return io == WEIR_ERROR ? io : weir_h1_push(c);
}

/* May another request follow on this connection, as far as the answer is concerned? */
static bool
send_may_keep(weir_h1_conn_t *c)
{
    const weir_http_core_conf_t *core = weir_request_core(c->req);

    return c->req->keep_alive && !c->base.http->quitting && !c->base.socket->is_removed
           && core->keepalive_timeout.timeout.ms != 0
           && c->base.client.requests < core->keepalive_requests
           && weir_clock_now().ms - c->base.client.opened.ms < core->keepalive_time.ms && weir_h1_may_drain(c);
}

static void
send_choose_framing(weir_h1_conn_t *c)
{
    const weir_request_t *req = c->req;
    const weir_response_t *res = &req->res;
    bool bodiless = res->status == 204 || res->status == 304 || res->status < 200;

    c->promised = res->no_body ? WEIR_LENGTH_NONE : res->length;
    c->chunked_out = !bodiless && !res->no_body && res->length == WEIR_LENGTH_NONE && req->head.minor == 1
                     && weir_request_core(req)->chunked_transfer_encoding.on;
    c->close_delimited = !bodiless && !res->no_body && res->length == WEIR_LENGTH_NONE && !c->chunked_out;
}

static void
send_emit_framing(weir_h1_conn_t *c, weir_buf_t *b)
{
    const weir_request_t *req = c->req;
    const weir_response_t *res = &req->res;

    if (res->upgraded) {
        weir_buf_add_lit(b, "Connection: upgrade\r\n");
        return;
    }
    if (c->chunked_out) {
        weir_buf_add_lit(b, "Transfer-Encoding: chunked\r\n");
    } else if (res->length != WEIR_LENGTH_NONE && res->status != 204 && res->status >= 200) {
        weir_buf_add_lit(b, "Content-Length: ");
        weir_buf_add_u64(b, res->length);
        weir_buf_add_lit(b, "\r\n");
    }
    if (!req->keep_alive) {
        weir_buf_add_lit(b, "Connection: close");
    } else {
        weir_buf_add_lit(b, "Connection: keep-alive");          /* 1.0 needs it, and scripts look for it */
    }
    if (weir_unlikely(weir_fields_first(&res->fields, WEIR_HEADER_UPGRADE) != NULL)) {
        weir_buf_add_lit(b, ", upgrade\r\n");                  /* an offer (RFC 9110 §7.8) */
    } else {
        weir_buf_add_lit(b, "\r\n");
    }
    if (req->keep_alive && weir_request_core(req)->keepalive_timeout.header.ms != 0) {
        weir_buf_add_lit(b, "Keep-Alive: timeout=");
        weir_buf_add_u64(b, weir_request_core(req)->keepalive_timeout.header.ms / 1000);
        weir_buf_add_lit(b, "\r\n");
    }
}

static void
send_compose(weir_h1_conn_t *c, weir_buf_t *b)
{
    const weir_response_t *res = &c->req->res;

    weir_emit_status(b, res->status, res->reason);
    if (!res->upgraded) {
        if (weir_fields_first(&res->fields, WEIR_HEADER_SERVER) == NULL) {
            weir_emit_clean_field(b, WEIR_STR("Server"), weir_request_server_token(c->req));
        }
        if (weir_fields_first(&res->fields, WEIR_HEADER_DATE) == NULL) {
            weir_emit_clean_field(b, WEIR_STR("Date"), weir_clock_http_date());
        }
    }
    for (uint32_t i = 0; i < res->fields.n; i++) {
        const weir_field_t *f = &res->fields.at[i];
        if ((f->flags & (WEIR_FIELD_HOP | WEIR_FIELD_DROP)) == 0) {
            weir_emit_field_as(b, f->name, f->value, (f->flags & WEIR_FIELD_CLEAN) != 0);
        }
    }
    send_emit_framing(c, b);
    weir_buf_add_lit(b, "\r\n");
}

/* What was to be sent must not be: a bare 500 instead, and the end of the connection. */
static void
send_compose_failure(weir_h1_conn_t *c, weir_buf_t *b)
{
    weir_request_t *req = c->req;

    weir_assert(!req->res.head_sent);
    req->cause = WEIR_CAUSE_INTERNAL_EMIT;
    weir_cause_log(WEIR_CAUSE_INTERNAL_EMIT, &req->log, NULL);
    weir_fields_reset(&req->res.fields);
    req->res.status = 500;
    req->res.reason = WEIR_STR_NONE;
    req->res.length = 0;
    req->res.no_body = true;
    req->res.upgraded = false;
    req->keep_alive = false;
    send_choose_framing(c);
    weir_buf_init(b, b->at, WEIR_TX_BYTES);
    send_compose(c, b);
}

/* What does not fit tx, into memory of the request's own.  false: there is none, or it is more than any peer's head may
 * be. */
static bool
send_compose_large(weir_h1_conn_t *c, weir_buf_t *b)
{
    const weir_fields_t *fields = &c->req->res.fields;
    size_t               need = SEND_HEAD_OVERHEAD;
    char                *room;

    for (uint32_t i = 0; i < fields->n; i++) {
        need += fields->at[i].name.len + fields->at[i].value.len + 4;
    }
    room = need <= SEND_HEAD_MAX ? weir_try_alloc(&c->req->arena, need) : NULL;
    if (room == NULL) {
        return false;
    }
    weir_buf_init(b, room, need);
    send_compose(c, b);
    return !b->full;
}

weir_io_t
weir_h1_send_head(weir_request_t *req)
{
    weir_h1_conn_t *c = req->wire;
    weir_buf_t b;

    weir_assert(c->req == req && !req->res.head_sent && !c->end_queued && !c->is_queued);
    if (c->broken) {
        return WEIR_ERROR;
    }
    send_choose_framing(c);
    req->keep_alive = !c->close_delimited && !req->res.upgraded && send_may_keep(c);
    if (c->held != 0 || c->out.size != 0) {
        (void) weir_h1_push(c);                     /* an interim answer still waiting */
        if (c->broken) {
            return WEIR_ERROR;
        }
    }
    (void) send_own_tx(c);
    weir_buf_init(&b, c->base.http->tx, WEIR_TX_BYTES);
    send_compose(c, &b);
    if (b.full && !send_compose_large(c, &b)) {
        weir_buf_init(&b, c->base.http->tx, WEIR_TX_BYTES);
        send_compose_failure(c, &b);
    }
    req->res.bytes_sent += weir_buf_len(&b);
    if (c->out.size != 0 || b.at != c->base.http->tx) {     /* cannot be held: it would overtake, or is no part of tx */
        struct iovec iov = { b.at, weir_buf_len(&b) };
        c->base.http->tx_owner = NULL;
        return send_iov(c, &iov, 1);
    }
    c->held = (uint32_t) weir_buf_len(&b);
    return WEIR_OK;
}

/* -- bodies -- */

weir_io_t
weir_h1_send_body(weir_request_t *req, weir_str_t bytes)
{
    weir_h1_conn_t *c = req->wire;
    weir_str_t pieces[3];
    char size[18];

    weir_assert(!c->end_queued);
    if (c->promised != WEIR_LENGTH_NONE) {
        bytes.len = weir_min(bytes.len, c->promised);   /* never more than was promised */
        c->promised -= bytes.len;
    }
    if (bytes.len == 0) {
        return c->broken ? WEIR_ERROR : c->out.size ? WEIR_AGAIN : WEIR_OK;
    }
    if (!c->chunked_out) {
        return send_pieces(c, &bytes, 1);
    }
    pieces[0] = weir_str(size, weir_chunked_head(size, bytes.len));
    pieces[1] = bytes;
    pieces[2] = WEIR_STR("\r\n");
    return send_pieces(c, pieces, 3);
}

/* What is held (the head) and the file's beginning in as few packets as there can be. */
static void
send_cork(weir_h1_conn_t *c, int on)
{
    (void) weir_sys_setsockopt(c->base.conn.watch.fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

/* The socket took so many bytes of the body from the kernel, which answered io: counted, and the client's time to take
 * more. */
static weir_io_t
send_took(weir_h1_conn_t *c, weir_io_t io, uint64_t n)
{
    weir_assert(c->promised == WEIR_LENGTH_NONE || n <= c->promised);
    c->req->res.bytes_sent += n;
    if (c->promised != WEIR_LENGTH_NONE) {
        c->promised -= n;
    }
    c->file_waits = io == WEIR_AGAIN;
    if (io == WEIR_AGAIN) {
        return send_wait(c, n != 0);
    }
    if (io == WEIR_ERROR) {
        return send_broken(c);
    }
    weir_timer_clear(&c->send_timer);
    return io;
}

weir_io_t
weir_h1_send_file(weir_request_t *req, int fd, uint64_t *offset, uint64_t end)
{
    weir_h1_conn_t *c = req->wire;
    const weir_http_core_conf_t *core = weir_request_core(req);
    bool is_corked = c->held != 0 && core->tcp_nopush.on;
    uint64_t from = *offset;
    size_t n = weir_min(weir_min(end - from, c->promised),
                        core->sendfile_max_chunk.n ? core->sendfile_max_chunk.n : SEND_FILE_MAX);
    weir_io_t io;

    weir_assert(from <= end);
    if (c->broken) {
        return WEIR_ERROR;
    }
    if (c->chunked_out || !core->sendfile.on) {
        return WEIR_EOF;
    }
    if (is_corked) {
        send_cork(c, 1);
    }
    io = weir_h1_push(c);
    if (io == WEIR_OK) {
        io = weir_conn_send_file(&c->base.conn, fd, offset, n);
        io = send_took(c, io, *offset - from);
    }
    if (is_corked) {
        send_cork(c, 0);
    }
    return io;
}

weir_io_t
weir_h1_send_pipe(weir_request_t *req, int pipe, size_t n, size_t *moved)
{
    weir_h1_conn_t *c = req->wire;
    weir_io_t io;

    *moved = 0;
    if (c->broken) {
        return WEIR_ERROR;
    }
    if (c->chunked_out || !weir_conn_can_splice(&c->base.conn)) {
        return WEIR_EOF;
    }
    io = weir_h1_push(c);
    if (io != WEIR_OK) {
        return io;
    }
    if (n == 0) {
        return WEIR_OK;                             /* it was asked whether this wire can */
    }
    weir_assert(c->promised == WEIR_LENGTH_NONE || n <= c->promised);
    io = weir_conn_splice_out(&c->base.conn, pipe, n, moved);
    return send_took(c, io, *moved);
}

static weir_io_t
send_last_chunk(weir_h1_conn_t *c)
{
    const weir_fields_t *trailers = &c->req->res.trailers;
    char room[8192];
    weir_buf_t b;

    weir_assert(c->chunked_out && !c->close_delimited && c->promised == WEIR_LENGTH_NONE);     /* one way to end it */
    weir_buf_init(&b, room, sizeof(room));
    weir_buf_add_lit(&b, "0\r\n");
    for (uint32_t i = 0; c->req->res.has_trailers && i < trailers->n; i++) {
        if (weir_field_rules_may_trail(&trailers->at[i])) {
            weir_emit_field(&b, trailers->at[i].name, trailers->at[i].value);
        }
    }
    weir_buf_add_lit(&b, "\r\n");
    weir_str_t text = b.full ? WEIR_STR("0\r\n\r\n") : weir_buf_str(&b);
    return send_pieces(c, &text, 1);
}

weir_io_t
weir_h1_send_end(weir_request_t *req)
{
    weir_h1_conn_t *c = req->wire;

    weir_assert(!c->end_queued);
    if (c->broken) {
        return WEIR_ERROR;
    }
    if (c->promised != WEIR_LENGTH_NONE && c->promised != 0) {
        req->keep_alive = false;                    /* fewer bytes than promised: the close tells */
        return WEIR_ERROR;
    }
    c->end_queued = true;
    if (c->chunked_out) {
        return send_last_chunk(c);
    }
    if (c->body == WEIR_H1_BODY_TUNNEL) {
        weir_io_t io = weir_h1_push(c);
        if (io == WEIR_OK) {
            weir_conn_shutdown(&c->base.conn);
        }
        return io;
    }
    return WEIR_OK;
}
