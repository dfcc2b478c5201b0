/*
 * retry.c - which peer next, and whether there may be a next one: only while nothing was answered, the body can be sent
 * again, and asking twice is safe (RFC 9110 §9.2.2).
 */
#include "http/proxy/proxy.h"

#include "http/proxy/emit.h"
#include "http/serve/runtime.h"
#include "os/clock.h"

#include <string.h>

static weir_attempt_t *
retry_new_attempt(weir_proxy_t *p)
{
    weir_request_t *req = p->req;

    if (req->n_attempts == req->cap_attempts) {
        uint32_t cap = req->cap_attempts ? 2 * req->cap_attempts : 2;
        weir_attempt_t *grown = weir_new_n(&req->arena, weir_attempt_t, cap);
        if (req->n_attempts != 0) {
            memcpy(grown, req->attempts, sizeof(*grown) * req->n_attempts);
        }
        req->attempts = grown;
        req->cap_attempts = cap;
    }
    weir_attempt_t *attempt = &req->attempts[req->n_attempts++];
    memset(attempt, 0, sizeof(*attempt));
    attempt->after_redirect = p->tries == 1 && req->n_attempts > 1;
    return attempt;
}

/* A text of the group's, which may go before the request: unless the generation holds it as it is. */
static weir_str_t
retry_keep(weir_proxy_t *p, weir_str_t text)
{
    return p->own_group != NULL || p->pass->group->follow != NULL ? weir_str_dup(&p->req->arena, text) : text;
}

static void
retry_begin_attempt(weir_proxy_t *p)
{
    p->attempt = retry_new_attempt(p);
    p->attempt->peer = retry_keep(p, p->pick.peer->conf->text);
    p->attempt->peer_stats = p->pick.peer->conf->stats;
    p->attempt->group_stats = weir_group_conf(p->pick.group)->stats;
    p->attempt_began = weir_clock_now();
    p->peer_done = false;
    p->interims = 0;
    weir_exchange_reset(&p->x);
    p->x.peer = p->pick.peer;
    p->x.needs_fresh = p->raced;                       /* once raced, a fresh one */
    if (p->body != NULL) {
        weir_store_rewind(p->body);
    }
    weir_store_rewind(&p->taken);
    if (p->streaming && !p->req->body_complete) {
        p->hold.wants_body = true;
    }
}

static void
retry_connect(weir_proxy_t *p)
{
    retry_begin_attempt(p);
    if (!weir_proxy_make_question(p)) {
        weir_proxy_fail_emit(p);
    } else if (weir_proxy_secure(p) == WEIR_ERROR) {
        weir_proxy_fail(p, p->x.cause, p->x.detail, WEIR_NEXT_ERROR);
    } else {
        weir_exchange_begin(&p->x);
    }
}

void
weir_proxy_next_peer(weir_proxy_t *p)
{
    weir_request_t *req = p->req;

    p->state = WEIR_PROXY_ASK;
    if (!p->picked) {
        if (p->pass->group == NULL && !weir_proxy_find_target(p)) {
            return;
        }
        if (!weir_proxy_make_target(p)) {
            weir_proxy_release(p);
            (void) weir_request_fail(
                req, WEIR_CAUSE_CLIENT_TARGET,
                "the path toward the peer would have dot segments, or not be the one that was matched");
            return;
        }
        if (!weir_proxy_make_host(p)) {
            weir_proxy_release(p);
            (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_HOST, "rewrite_host");
            return;
        }
        p->picked = true;
        weir_pick_begin(&p->pick, p->pass->group->running, &req->arena);
        if (p->pass->group->key != NULL) {
            p->pick.key = weir_request_eval(req, p->pass->group->key);
        }
    }
    p->tries++;
    if (!weir_pick_next(&p->pick, weir_clock_now())) {
        bool first = req->n_attempts == 0;
        weir_cause_t cause = p->x.cause;
        const char *detail = p->x.detail;
        if (first) {
            weir_attempt_t *none = retry_new_attempt(p);
            none->peer = retry_keep(p, weir_group_conf(p->pick.group)->name);
            none->status = 502;
            none->cause = WEIR_CAUSE_UPSTREAM_NONE;
        }
        weir_proxy_release(p);
        (void) weir_request_fail(req, first || cause == WEIR_CAUSE_NONE ? WEIR_CAUSE_UPSTREAM_NONE : cause, detail);
        return;
    }
    retry_connect(p);
}

/* -- failures -- */

void
weir_proxy_end_attempt(weir_proxy_t *p, bool failed)
{
    if (p->attempt == NULL) {
        return;
    }
    p->attempt->response_time.ms = weir_clock_now().ms - p->attempt_began.ms;
    p->attempt->bytes_sent = weir_exchange_sent_bytes(&p->x);
    p->attempt->bytes_received = p->x.received;
    if (p->pick.peer != NULL) {
        weir_pick_report(&p->pick, failed, weir_clock_now());
    }
    p->attempt = NULL;
}

/* Could the same request be sent again at all? */
static bool
retry_is_possible(const weir_proxy_t *p)
{
    return !p->req->res.head_given && !p->body_taken;
}

/* Asking twice is safe: nothing of the request has left, or the method says so. */
static bool
retry_is_repeatable(const weir_proxy_t *p)
{
    return weir_exchange_sent_bytes(&p->x) == 0 || weir_method_is_idempotent(p->req->head.method);
}

static bool
retry_is_allowed(const weir_proxy_t *p, unsigned kind)
{
    const weir_proxy_conf_t *conf = p->conf;
    unsigned mask = conf->next_upstream;
    bool repeatable = retry_is_repeatable(p) || (mask & WEIR_NEXT_NON_IDEMPOTENT);

    if ((mask & WEIR_NEXT_OFF) || (mask & kind) == 0 || !repeatable || !retry_is_possible(p)) {
        return false;
    }
    if (conf->next_upstream_tries != 0 && p->tries >= conf->next_upstream_tries) {
        return false;
    }
    if (conf->next_upstream_timeout.ms != 0
        && weir_clock_now().ms - p->began.ms >= conf->next_upstream_timeout.ms)
    {
        return false;
    }
    return weir_pick_has_next(&p->pick, weir_clock_now());
}

/* A kept connection that the peer closed as we wrote: once more, on a fresh one. */
static bool
retry_is_race(const weir_proxy_t *p)
{
    return !p->raced && weir_exchange_is_race(&p->x) && retry_is_possible(p) && retry_is_repeatable(p);
}

static uint16_t
retry_cause_status(weir_cause_t cause)
{
    uint16_t status = weir_cause_row(cause)->status;

    return status ? status : 502;
}

/* Nobody else is asked: the client hears of it, where the wire allows in a whole answer. */
static void
retry_give_up(weir_proxy_t *p, weir_cause_t cause, const char *detail)
{
    weir_request_t *req = p->req;
    bool cut = req->res.head_sent;

    if (cut && p->conf->end_cut != NULL && p->conf->end_cut(req, cause)) {
        req->cause = cause;
        req->detail = detail;
        weir_cause_log(cause, &req->log, detail);
        weir_proxy_release(p);
        (void) weir_response_end(req);
        weir_request_finish(req);
        return;
    }
    weir_proxy_release(p);
    (void) weir_request_fail(req, cause, detail);
}

void
weir_proxy_fail(weir_proxy_t *p, weir_cause_t cause, const char *detail, unsigned kind)
{
    weir_request_t *req = p->req;

    if (weir_request_is_split(req)) {                  /* nobody's failure but the request's: it was not sent */
        weir_proxy_end_attempt(p, false);
        weir_exchange_end(&p->x, false);
        retry_give_up(p, WEIR_CAUSE_CLIENT_TARGET, "encoded_slash");
        return;
    }
    p->x.cause = cause;
    p->x.detail = detail;
    if (p->attempt != NULL) {
        p->attempt->cause = cause;
        if (p->attempt->status == 0) {
            p->attempt->status = retry_cause_status(cause);
        }
    }
    if (retry_is_race(p)) {
        p->raced = true;
        req->n_attempts--;
        p->attempt = NULL;
        weir_exchange_end(&p->x, false);
        retry_connect(p);
        return;
    }
    bool again = retry_is_allowed(p, kind);
    if (again) {
        weir_cause_log(cause, &req->log, detail);
    }
    weir_proxy_end_attempt(p, true);
    weir_exchange_end(&p->x, false);
    if (again) {
        weir_proxy_next_peer(p);
        return;
    }
    retry_give_up(p, cause, detail);
}

/* proxy_next_upstream http_…: statuses that are treated like a failure while there is another peer. */
static unsigned
retry_status_kind(uint16_t status)
{
    switch (status) {
    case 500: return WEIR_NEXT_HTTP_500;
    case 502: return WEIR_NEXT_HTTP_502;
    case 503: return WEIR_NEXT_HTTP_503;
    case 504: return WEIR_NEXT_HTTP_504;
    case 403: return WEIR_NEXT_HTTP_403;
    case 404: return WEIR_NEXT_HTTP_404;
    case 429: return WEIR_NEXT_HTTP_429;
    default: return 0;
    }
}

bool
weir_proxy_retry_status(weir_proxy_t *p)
{
    unsigned kind = retry_status_kind(p->x.head.status);

    if (kind == 0 || !retry_is_allowed(p, kind)) {
        return false;
    }
    /* 403 and 404 are an answer, not an unwell peer. */
    weir_proxy_end_attempt(p, kind != WEIR_NEXT_HTTP_403 && kind != WEIR_NEXT_HTTP_404);
    weir_exchange_end(&p->x, false);
    weir_proxy_next_peer(p);
    return true;
}

/* -- the end -- */

void
weir_proxy_release(weir_proxy_t *p)
{
    if (p->released) {
        return;
    }
    p->released = true;
    p->state = WEIR_PROXY_DONE;
    weir_timer_drop(&p->deadline);
    weir_timer_drop(&p->rate_timer);
    weir_task_cancel(&p->task);
    weir_task_cancel(&p->collect_task);
    weir_exchange_end(&p->x, false);
    weir_resolver_cancel(&p->lookup);
    if (p->has_pipe) {
        weir_http_give_pipe(p->x.http, p->pipe, p->pipe_held == 0);
        p->has_pipe = false;
    }
    if (p->picked) {
        weir_pick_end(&p->pick);
    }
    if (p->own_group != NULL) {
        weir_group_unref(p->own_group);
        p->own_group = NULL;
    }
    weir_proxy_unstore(p);
    weir_store_fini(&p->store);
    weir_store_fini(&p->taken);
    p->req->ignore_client_close = false;
    if (p->hold.req != NULL) {
        weir_request_let_go(&p->hold);
    }
}
