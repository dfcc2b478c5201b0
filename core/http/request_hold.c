/*
 * request_hold.c - see hold.h.  Runs in workers.
 */
#include "http/request.h"

weir_request_state_t
weir_request_state(const weir_request_t *req)
{
    if (req->is_ended) {
        weir_assert(req->holder == NULL);
        return WEIR_REQUEST_ENDED;
    }
    if (req->finalised) {
        return WEIR_REQUEST_SENDS;
    }
    return req->holder != NULL ? WEIR_REQUEST_HELD : WEIR_REQUEST_RUNS;
}

void
weir_request_hold(weir_request_t *req, weir_holder_t *holder, const weir_holder_ops_t *ops)
{
    weir_assert(req->holder == NULL && holder->req == NULL && !req->is_ended);
    weir_assert(ops->on_cancel != NULL && !req->is_cancelling);
    holder->ops = ops;
    holder->req = req;
    holder->wants_body = ops->on_body != NULL;
    req->holder = holder;
}

void
weir_request_let_go(weir_holder_t *holder)
{
    weir_assert(holder->req != NULL && holder->req->holder == holder);
    holder->req->holder = NULL;
    holder->req = NULL;
    holder->wants_body = false;
}

bool
weir_request_wants_body(const weir_request_t *req)
{
    return req->holder != NULL && req->holder->wants_body;
}

void
weir_request_body_ready(weir_request_t *req)
{
    if (weir_request_wants_body(req)) {
        weir_assert(req->holder->req == req && req->holder->ops->on_body != NULL);
        req->holder->ops->on_body(req->holder);
    }
}

void
weir_request_tell_writable(weir_request_t *req)
{
    weir_holder_t *holder = req->holder;

    if (holder != NULL && holder->ops->on_writable != NULL) {
        weir_assert(holder->req == req);
        holder->ops->on_writable(holder);
    }
}

void
weir_request_cancel(weir_request_t *req)
{
    weir_holder_t *holder = req->holder;

    if (holder == NULL) {
        return;
    }
    weir_assert(!req->is_ended && !req->is_cancelling);
    weir_request_let_go(holder);
    req->is_cancelling = true;
    holder->ops->on_cancel(holder);
    req->is_cancelling = false;
    weir_assert(req->holder == NULL && !req->is_ended);          /* it never calls back */
}
