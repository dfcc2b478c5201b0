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

/* -- a time that is waited for -- */

static void
hold_on_time(weir_timer_t *timer)
{
    weir_wait_t    *wait = weir_container_of(timer, weir_wait_t, timer);
    weir_request_t *req = wait->hold.req;

    weir_request_let_go(&wait->hold);
    if (wait->on_time != NULL) {
        wait->on_time(wait, req);
    } else {
        weir_request_resume(req);
    }
}

static void
hold_on_cancel(weir_holder_t *hold)
{
    weir_timer_drop(&weir_container_of(hold, weir_wait_t, hold)->timer);
}

weir_step_t
weir_request_wait(weir_request_t *req, weir_wait_t *wait, weir_msec_t time,
                  void (*on_time)(weir_wait_t *wait, weir_request_t *req))
{
    static const weir_holder_ops_t ops = { .on_cancel = hold_on_cancel };

    weir_assert(weir_request_state(req) == WEIR_REQUEST_RUNS);
    wait->on_time = on_time;
    weir_request_hold(req, &wait->hold, &ops);
    weir_timer_set(weir_request_loop(req), &wait->timer, time, hold_on_time);
    return WEIR_PARK;
}

/* -- what holders are told -- */

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
