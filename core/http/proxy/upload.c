/*
 * upload.c - the request's body toward the peer: buffered and replayable, or streamed with back-pressure.
 */
#include "http/proxy/proxy.h"

#include "http/layer.h"
#include "http/read_ahead.h"
#include "http/runtime.h"

#define UPLOAD_ROUNDS 16       /* pieces a turn, then others get theirs */

static weir_step_t
upload_fail(weir_proxy_t *p, weir_cause_t cause)
{
    weir_request_t *req = p->req;

    weir_proxy_end_attempt(p, false);
    weir_proxy_release(p, false);
    if (cause == WEIR_CAUSE_CLIENT_CLOSED) {
        weir_request_client_gone(req, cause);
        return WEIR_DONE;
    }
    return weir_request_fail(req, cause, NULL);
}

static void
upload_go_on(weir_task_t *task)
{
    weir_proxy_t *p = weir_container_of(task, weir_proxy_t, upload_task);

    if (!p->request_sent) {
        weir_proxy_on_body(p->req);
    }
}

static void
upload_yield(weir_proxy_t *p)
{
    weir_task_post(p->x.http->loop, &p->upload_task, upload_go_on);
}

/* Reads the body into the store.  false: not complete yet, or the request was ended. */
bool
weir_proxy_collect_body(weir_proxy_t *p)
{
    switch (weir_read_ahead_some(p->req, p->body)) {
    case WEIR_OK:
        return true;
    case WEIR_AGAIN:
        return false;
    case WEIR_EOF:
        upload_yield(p);
        return false;
    case WEIR_ERROR:
        break;
    }
    (void) upload_fail(p, p->req->cause);
    return false;
}

/* A piece of a streamed body is about to leave.  It is remembered while all of it is little: what was never worked on may be sent again. */
static void
upload_take(weir_proxy_t *p, weir_str_t bytes)
{
    if (p->body_taken) {
        return;
    }
    if (weir_store_append(&p->taken, bytes) != WEIR_OK) {
        p->body_taken = true;
        weir_store_fini(&p->taken);
        return;
    }
    p->taken.at = weir_store_size(&p->taken);
}

/* One piece of body: OK with bytes · AGAIN · EOF · ERROR (answered). */
static weir_io_t
upload_next(weir_proxy_t *p, weir_str_t *bytes)
{
    weir_request_t *req = p->req;
    weir_io_t io;

    if (!p->x.has_body) {
        return WEIR_EOF;
    }
    if (p->streaming) {
        if (weir_store_left(&p->taken) != 0) {
            return weir_store_read(&p->taken, p->x.http->rx, WEIR_RX_BYTES, bytes);
        }
        io = weir_layer_read_body(req, req->layers, bytes);
        if (io == WEIR_OK) {
            upload_take(p, *bytes);
        }
        if (io == WEIR_ERROR) {
            (void) upload_fail(p, req->cause);
        }
        return io;
    }
    io = weir_store_read(p->body, p->x.http->rx, WEIR_RX_BYTES, bytes);
    if (io == WEIR_ERROR) {
        (void) upload_fail(p, WEIR_CAUSE_INTERNAL_IO);
    }
    return io;
}

/* The peer does not take our bytes.  It may have answered early and closed: look before giving up (US-05).  When it is
 * this side that has failed, nothing more will come. */
static void
upload_broken(weir_proxy_t *p)
{
    if (!p->x.codec->stop_sending(&p->x)) {
        weir_proxy_fail(p, p->x.cause, p->x.detail, WEIR_NEXT_ERROR);
        return;
    }
    p->request_sent = true;
    p->req->on_body = NULL;
    weir_proxy_ready(p);
}

static void
upload_done(weir_proxy_t *p)
{
    p->request_sent = true;
    p->req->on_body = NULL;
    weir_proxy_wait(p, p->conf->peer.read_timeout);
}

/* Sends what there is until the peer or the client pauses. */
void
weir_proxy_send_more(weir_proxy_t *p)
{
    weir_str_t bytes;
    weir_io_t io;

    for (int round = 0; round < UPLOAD_ROUNDS; round++) {
        io = p->x.codec->push(&p->x);
        if (io == WEIR_AGAIN) {
            weir_proxy_wait(p, p->conf->peer.send_timeout);
            return;
        }
        if (io == WEIR_ERROR) {
            upload_broken(p);
            return;
        }
        if (p->x.codec->ended(&p->x)) {
            upload_done(p);
            return;
        }
        io = upload_next(p, &bytes);
        if (io == WEIR_ERROR) {
            return;
        }
        if (io == WEIR_AGAIN) {
            weir_timer_clear(&p->timer);             /* the client's turn: its own timeout runs */
            return;
        }
        io = io == WEIR_EOF ? p->x.codec->send_end(&p->x) : p->x.codec->send_body(&p->x, bytes);
        if (io == WEIR_ERROR) {
            upload_broken(p);
            return;
        }
    }
    weir_proxy_wait(p, p->conf->peer.send_timeout);
    upload_yield(p);
}
