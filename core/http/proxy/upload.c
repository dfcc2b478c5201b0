/*
 * upload.c - the request's body toward the peer: buffered and replayable, or streamed with back-pressure.
 */
#include "http/proxy/proxy.h"

#include "http/filter/read_ahead.h"
#include "http/serve/runtime.h"
#include "os/clock.h"

void
weir_proxy_body_failed(weir_proxy_t *p, weir_cause_t cause)
{
    weir_request_t *req = p->req;

    weir_proxy_end_attempt(p, false);
    weir_proxy_release(p);
    if (cause == WEIR_CAUSE_CLIENT_CLOSED) {
        weir_request_client_gone(req, cause);
        return;
    }
    (void) weir_request_fail(req, cause, NULL);
}

static void
upload_go_on(weir_task_t *task)
{
    weir_proxy_body_ready(weir_container_of(task, weir_proxy_t, collect_task));
}

/* Reads the body into the store.  false: not complete yet, or the request was ended. */
bool
weir_proxy_collect_body(weir_proxy_t *p)
{
    weir_task_cancel(&p->collect_task);
    switch (weir_read_ahead_some(p->req, p->body)) {
    case WEIR_OK:
        return true;
    case WEIR_AGAIN:
        return false;
    case WEIR_EOF:
        weir_task_post_later(p->x->http->loop, &p->collect_task, upload_go_on);
        return false;
    case WEIR_ERROR:
        break;
    }
    weir_proxy_body_failed(p, p->req->cause);
    return false;
}

/* A piece of a streamed body is about to leave.  It is remembered while all of it is little: what was never worked on
 * may be sent again. */
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

/* The time until then is the client's, not the peer's; once the head is there no time is judged any more. */
void
weir_proxy_client_came(weir_proxy_t *p)
{
    if (p->waits_for_client.ms != 0 && p->attempt != NULL && !p->attempt->has_header) {
        p->attempt->client_time.ms += weir_clock_now().ms - p->waits_for_client.ms;
    }
    p->waits_for_client.ms = 0;
}

/* One piece of body: OK with bytes · AGAIN · EOF · ERROR (answered). */
weir_io_t
weir_proxy_next_body(weir_proxy_t *p, weir_str_t *bytes)
{
    weir_request_t *req = p->req;
    weir_io_t io;

    if (!p->x->has_body) {
        return WEIR_EOF;
    }
    if (p->streaming) {
        if (weir_store_left(&p->taken) != 0) {
            return weir_store_read(&p->taken, p->x->http->rx, WEIR_RX_BYTES, bytes);
        }
        weir_proxy_client_came(p);
        io = weir_request_read(req, bytes);
        if (io == WEIR_OK) {
            upload_take(p, *bytes);
        } else if (io == WEIR_AGAIN) {
            p->waits_for_client = weir_clock_now();
        }
        if (io == WEIR_ERROR) {
            weir_proxy_body_failed(p, req->cause);
        }
        return io;
    }
    io = weir_store_read(p->body, p->x->http->rx, WEIR_RX_BYTES, bytes);
    if (io == WEIR_ERROR) {
        weir_proxy_body_failed(p, WEIR_CAUSE_INTERNAL_IO);
    }
    return io;
}
