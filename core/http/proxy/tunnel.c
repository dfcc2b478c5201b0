/*
 * tunnel.c - after a 101 that was asked for: bytes both ways, unframed, each way paced by the other side (RFC 9110
 * §7.8, RFC 6455).
 *
 * Ends when both sides have ended, one side fails, or nothing moved for proxy_read_timeout.
 */
#include "http/proxy/proxy.h"

#include "event/slice.h"
#include "http/serve/runtime.h"

#define TUNNEL_ROUNDS 16

static void tunnel_go_on(weir_task_t *task);

static void
tunnel_end(weir_proxy_t *p)
{
    weir_request_t *req = p->req;

    req->keep_alive = false;
    req->res.complete = true;
    weir_proxy_end_attempt(p, false);
    weir_proxy_release(p);
    weir_request_finish(req);
}

/* Client to peer.  true: more may be there. */
static bool
tunnel_upward(weir_proxy_t *p, bool *failed)
{
    weir_str_t bytes;
    weir_io_t io = p->x->codec->push(p->x);

    if (io == WEIR_ERROR) {
        *failed = true;
    }
    if (io != WEIR_OK || p->client_eof) {
        return false;
    }
    io = weir_request_read(p->req, &bytes);
    if (io == WEIR_OK) {
        *failed = p->x->codec->send_body(p->x, bytes) == WEIR_ERROR;
        return !*failed;
    }
    if (io == WEIR_EOF) {
        p->client_eof = true;
        *failed = p->x->codec->send_end(p->x) == WEIR_ERROR;
    }
    if (io == WEIR_ERROR) {
        *failed = true;
    }
    return false;
}

/* Peer to client. */
static bool
tunnel_downward(weir_proxy_t *p, bool *failed)
{
    weir_request_t *req = p->req;
    weir_str_t bytes;

    if (p->peer_done || weir_response_pending(req)) {
        return false;
    }
    weir_io_t io = p->x->codec->read_body(p->x, WEIR_RX_BYTES, &bytes);
    if (io == WEIR_OK) {
        p->attempt->response_length += bytes.len;
        *failed = weir_response_body(req, bytes) == WEIR_ERROR || weir_response_flush(req) == WEIR_ERROR;
        return !*failed;
    }
    if (io == WEIR_EOF) {
        p->peer_done = true;
        *failed = weir_response_end(req) == WEIR_ERROR;
    }
    if (io == WEIR_ERROR) {
        *failed = true;
    }
    return false;
}

void
weir_proxy_tunnel_pump(weir_proxy_t *p)
{
    bool failed = false, up = true, down = true;
    weir_slice_t slice = { 0 };

    if (!p->is_tunnel_open) {
        return;
    }

    for (int round = 0; (up || down) && !failed && round < TUNNEL_ROUNDS && (round < 2 || !weir_slice_is_over(&slice));
         round++)
    {
        up = tunnel_upward(p, &failed);
        if (!failed) {
            down = tunnel_downward(p, &failed);
        }
    }
    if (failed || (p->client_eof && p->peer_done && !p->x->codec->pending(p->x))) {
        tunnel_end(p);
        return;
    }
    if (up || down) {
        weir_task_post_later(p->x->http->loop, &p->task, tunnel_go_on);
    }
    weir_exchange_wait(p->x, p->conf->peer.read_timeout);
}

static void
tunnel_go_on(weir_task_t *task)
{
    weir_proxy_tunnel_pump(weir_container_of(task, weir_proxy_t, task));
}

static void
tunnel_open(weir_proxy_t *p)
{
    p->is_tunnel_open = true;
    p->req->res.no_body = false;
    p->req->codec->tunnel(p->req);
    p->x->codec->tunnel(p->x);
    p->hold.wants_body = true;
    weir_proxy_gave(p);
    weir_proxy_tunnel_pump(p);
}

/* The peer's 101 goes to the client, which learns what the peer switches to; from here on both codecs pass bytes. */
void
weir_proxy_tunnel_begin(weir_proxy_t *p, weir_str_t to)
{
    weir_request_t *req = p->req;

    p->attempt->status = 101;
    p->attempt->has_header = true;
    req->upstream_head = &p->x->head;
    req->res.status = 101;
    req->res.reason = p->x->head.reason;
    req->res.upgraded = true;
    if (weir_fields_add(&req->res.fields, &req->arena, WEIR_HEADER_UPGRADE, WEIR_STR("Upgrade"), to, 0) == NULL
        || !weir_proxy_copy_fields(p) || !p->x->codec->save(p->x))
    {
        weir_proxy_fail(p, WEIR_CAUSE_INTERNAL_MEMORY, NULL, 0);
        return;
    }
    if (weir_response_head(req) == WEIR_ERROR || weir_response_flush(req) == WEIR_ERROR) {
        weir_proxy_lost(p);
    } else if (req->res.head_sent) {
        tunnel_open(p);
    }
}

/* The client has taken what was pending; or a filter held the head, which has left now. */
void
weir_proxy_tunnel_go_on(weir_proxy_t *p)
{
    if (p->is_tunnel_open) {
        weir_proxy_tunnel_pump(p);
    } else if (p->req->res.head_sent) {
        tunnel_open(p);
    }
}
