/*
 * retry.c - which peer next, and whether there may be a next one: only while nothing was answered, the body can be sent
 * again, and asking twice is safe (RFC 9110 §9.2.2).  What counts as a failure proxy_next_upstream says, or `retry`,
 * which also asks a peer again, and waits before it does.
 */
#include "http/proxy/proxy.h"

#include "http/exchange/outcome.h"
#include "http/proxy/emit.h"
#include "http/proxy/sticky.h"
#include "http/record/story.h"
#include "http/serve/runtime.h"
#include "os/clock.h"
#include "os/sys.h"

#include <string.h>

/* While it waits for a peer with room. */
typedef struct { weir_upqueued_t queued; weir_proxy_t *proxy; } retry_waiting_t;

static weir_attempt_t *
retry_new_attempt(weir_proxy_t *p)
{
    weir_request_t *req = p->req;

    if (req->n_attempts == req->cap_attempts) {
        uint32_t cap = req->cap_attempts ? 4 * req->cap_attempts : 1;     /* few requests need a second one */
        weir_attempt_t *grown = weir_new_n(&req->arena, weir_attempt_t, cap);
        if (req->n_attempts != 0) {
            memcpy(grown, req->attempts, sizeof(*grown) * req->n_attempts);
        }
        if (p->plan != NULL && p->plan->hedge.has_other) {
            p->plan->hedge.other.attempt = grown + (p->plan->hedge.other.attempt - req->attempts);
        }
        req->attempts = grown;
        req->cap_attempts = cap;
    }
    weir_assert(req->n_attempts < req->cap_attempts);
    weir_attempt_t *attempt = &req->attempts[req->n_attempts++];
    attempt->after_redirect = p->tries == 1 && req->n_attempts > 1 && (p->plan == NULL || !p->plan->hedge.has_other);
    return attempt;
}

/* A text of the group's or of a peer of it, which may go before the request. */
static weir_str_t
retry_keep(weir_proxy_t *p, weir_str_t text)
{
    return weir_str_dup(&p->req->arena, text);
}

static void
retry_begin_attempt(weir_proxy_t *p)
{
    bool after_redirect = p->attempt != NULL && p->attempt->after_redirect;

    weir_assert(p->pick.peer != NULL && !p->released && (p->attempt == NULL || p->raced));
    if (p->attempt == NULL) {
        p->attempt = retry_new_attempt(p);
    } else {                                           /* as if it were the first on that peer */
        *p->attempt = (weir_attempt_t) { .after_redirect = after_redirect };
    }
    p->attempt->peer = retry_keep(p, p->pick.peer->conf->text);
    p->attempt->peer_stats = p->pick.peer->conf->stats;
    p->attempt->group_stats = weir_group_conf(p->pick.group)->stats;
    p->attempt_began = weir_clock_now();
    p->waits_for_client.ms = 0;
    p->peer_done = false;
    p->interims = 0;
    weir_exchange_reset(p->x);
    p->x->peer = p->pick.peer;
    p->x->needs_fresh = p->raced;                       /* once raced, a fresh one */
    if (p->body != NULL) {
        weir_store_rewind(p->body);
    }
    weir_store_rewind(&p->taken);
    if (p->streaming && !p->req->body_complete) {
        p->hold.wants_body = true;
    }
}

/* -- try_timeout -- */

static void
retry_try_timed_out(weir_proxy_t *p, bool is_second)
{
    if (p->plan->hedge.is_second != is_second) {
        weir_hedge_swap(p);
    }
    weir_proxy_fail(p, WEIR_CAUSE_UPSTREAM_TRY_TIMEOUT, NULL, WEIR_NEXT_TIMEOUT);
}

static void
retry_on_try_timeout(weir_timer_t *timer)
{
    retry_try_timed_out(weir_container_of(timer, weir_proxy_plan_t, try_timers[0])->proxy, false);
}

static void
retry_on_second_timeout(weir_timer_t *timer)
{
    retry_try_timed_out(weir_container_of(timer, weir_proxy_plan_t, try_timers[1])->proxy, true);
}

static void
retry_watch(weir_proxy_t *p)
{
    if (p->plan != NULL && p->plan->conf->try_timeout.ms != 0) {
        bool is_second = p->plan->hedge.is_second;

        weir_timer_set(p->x->http->loop, &p->plan->try_timers[is_second], p->plan->conf->try_timeout,
                       is_second ? retry_on_second_timeout : retry_on_try_timeout);
    }
}

static void
retry_connect(weir_proxy_t *p)
{
    retry_begin_attempt(p);
    retry_watch(p);
    if (!weir_proxy_make_question(p)) {
        weir_proxy_fail_emit(p);
    } else if (weir_proxy_secure(p) == WEIR_ERROR) {
        weir_proxy_fail(p, p->x->cause, p->x->detail, WEIR_NEXT_ERROR);
    } else {
        if (weir_unlikely(p->plan != NULL)) {
            weir_hedge_watch(p);
        }
        weir_exchange_begin(p->x);
    }
}

void
weir_proxy_try_again(weir_proxy_t *p)
{
    weir_assert(p->state == WEIR_PROXY_ASK && p->attempt == NULL);
    retry_connect(p);
}

/* `retry`'s, of this place; NULL: proxy_next_upstream says what is done after a failure.  Copies do not wait in pauses:
 * they would keep a worker that is to end, and the room of others. */
static const weir_forward_retry_t *
retry_conf(const weir_proxy_t *p)
{
    return weir_unlikely(p->plan != NULL) && p->plan->conf->retry.n != 0 && !weir_group_id_is(p->req->pass_to)
             ? &p->plan->conf->retry : NULL;
}

/* The next one; with `retry` those that were asked before are asked again when there is no other. */
static bool
retry_pick(weir_proxy_t *p)
{
    if (weir_pick_next(&p->pick, weir_clock_now())) {
        return true;
    }
    if (retry_conf(p) == NULL || p->tries == 1) {
        return false;
    }
    weir_pick_renew(&p->pick);
    return weir_pick_next(&p->pick, weir_clock_now());
}

static uint16_t
retry_cause_status(weir_cause_t cause)
{
    uint16_t status = weir_cause_row(cause)->status;

    return status ? status : 502;
}

/* The group has no peer for the request, or does not let it in: it is answered so, unless peers have failed before. */
static void
retry_no_peer(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    bool first = p->tries == 1;
    weir_cause_t cause = p->x->cause, refused = weir_outcome_refused(&p->pick);
    const char *detail = p->x->detail;

    weir_assert(p->attempt == NULL && p->pick.peer == NULL && p->tries != 0);
    if (first) {
        weir_attempt_t *none = retry_new_attempt(p);
        none->peer = retry_keep(p, weir_group_conf(p->pick.group)->name);
        none->status = retry_cause_status(refused);
        none->cause = refused;
    }
    if (first || cause == WEIR_CAUSE_NONE) {
        cause = refused;
        req->retry_after = weir_outcome_retry_after(&p->pick);
        if (weir_proxy_fall_back(p, cause)) {
            return;
        }
    }
    weir_proxy_release(p);
    (void) weir_request_fail(req, cause, detail);
}

static void
retry_go(weir_proxy_t *p, bool has_peer)
{
    if (has_peer) {
        retry_connect(p);
    } else {
        retry_no_peer(p);
    }
}

static void
retry_on_turn(weir_upqueued_t *queued)
{
    weir_proxy_t *p = weir_container_of(queued, retry_waiting_t, queued)->proxy;

    retry_go(p, p->pick.peer != NULL);
}

/* The first peer: where none has room it may wait, in a queue. */
static void
retry_first(weir_proxy_t *p)
{
    weir_instant_t now = weir_clock_now();

    if (weir_likely(!weir_queue_may_wait(&p->pick))) {
        retry_go(p, weir_pick_next(&p->pick, now));
        return;
    }
    if (p->queued == NULL) {
        retry_waiting_t *waiting = weir_new(&p->req->arena, retry_waiting_t);
        waiting->proxy = p;
        p->queued = &waiting->queued;
    }
    if (weir_queue_pick(&p->pick, p->queued, retry_on_turn, now) == WEIR_QUEUE_NEXT) {
        retry_go(p, p->pick.peer != NULL);
    }
}

/* Its group, or the one that it fell back to, is asked from now on. */
static void
retry_begin_group(weir_proxy_t *p)
{
    const weir_group_conf_t *group = weir_proxy_group(p);
    weir_group_t            *running = p->own_group;

    weir_assert(!p->picked && group != NULL);
    if (weir_likely(running == NULL)) {
        running = weir_upstream_running(p->req->generation, group->id);
    }
    p->picked = true;
    weir_pick_begin(&p->pick, running, &p->req->arena);
    if (weir_unlikely(p->plan != NULL)) {
        weir_hedge_earn(p);
    }
    if (group->key != NULL) {
        p->pick.key = weir_request_eval(p->req, group->key);
    }
    if (group->sticky != NULL) {
        weir_proxy_sticky_ask(p);
    }
}

void
weir_proxy_next_peer(weir_proxy_t *p)
{
    weir_request_t *req = p->req;

    weir_assert(p->attempt == NULL && !p->released && p->hold.req == req);
    p->state = WEIR_PROXY_ASK;
    if (weir_unlikely(!p->picked && p->fallback != NULL)) {
        retry_begin_group(p);
    }
    if (!p->picked) {
        if (!weir_group_id_is(p->pass->group) && p->pass->own == NULL && !weir_proxy_find_target(p)) {
            return;
        }
        if (!weir_proxy_make_target(p)) {
            weir_proxy_release(p);
            (void) weir_request_fail(
                req, WEIR_CAUSE_CLIENT_TARGET,
                "the path toward the peer would have dot segments, or not be the one that was matched");
            return;
        }
        if (weir_unlikely(p->plan != NULL) && !weir_proxy_make_host(p)) {
            weir_proxy_release(p);
            (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_HOST, "rewrite_host");
            return;
        }
        retry_begin_group(p);
    }
    if (weir_unlikely(p->plan != NULL) && p->tries == 0) {
        p->plan->asked = weir_clock_now();
    }
    p->tries++;
    weir_assert(p->picked && p->tries != 0);
    if (p->tries == 1 && !weir_group_id_is(p->req->pass_to)) {
        retry_first(p);
    } else {
        retry_go(p, retry_pick(p));
    }
}

/* -- failures -- */

#define RETRY_GRPC_LATE    504               /* as HTTP, DEADLINE_EXCEEDED; … */
#define RETRY_GRPC_CLIENTS 499               /* … and what the client brought about itself */

/* A call of gRPC: how it ended stands behind its answer, or in an answer that is nothing else.  That it took longer
 * than its client let it is the client's affair. */
static void
retry_read_grpc(const weir_proxy_t *p, weir_outcome_t *outcome)
{
    uint16_t status = 0;

    if (p->conf->end_cut == NULL || outcome->kind != WEIR_OUTCOME_ANSWER || outcome->status != 200) {
        return;
    }
    if (p->x->trailers != NULL) {
        status = weir_outcome_grpc(p->x->trailers);
    }
    if (status == 0) {
        status = weir_outcome_grpc(&p->x->head.fields);
    }
    if (status == RETRY_GRPC_LATE && p->has_client_limit) {
        p->attempt->is_excused = true;
        status = RETRY_GRPC_CLIENTS;
    }
    outcome->status = status != 0 ? status : outcome->status;
}

/* (How a call of gRPC went stands behind its answer.) */
void
weir_proxy_gave(weir_proxy_t *p)
{
    if (p->attempt != NULL && p->attempt->has_header && p->conf->end_cut == NULL) {
        weir_outcome_t outcome = weir_outcome_of(p->attempt, false);

        weir_pick_gave(&p->pick, &outcome, weir_clock_now());
    }
}

void
weir_proxy_end_attempt(weir_proxy_t *p, bool failed)
{
    weir_outcome_t outcome;

    if (p->attempt == NULL) {
        return;
    }
    weir_assert(p->attempt >= p->req->attempts && p->attempt < p->req->attempts + p->req->n_attempts);
    weir_proxy_answers(p);
    weir_proxy_client_came(p);
    p->attempt->response_time.ms = weir_clock_now().ms - p->attempt_began.ms;
    p->attempt->bytes_sent = weir_exchange_sent_bytes(p->x);
    p->attempt->bytes_received = p->x->received;
    outcome = weir_outcome_of(p->attempt, failed);
    retry_read_grpc(p, &outcome);
    weir_pick_report(&p->pick, &outcome, weir_clock_now());
    p->attempt = NULL;
}

/* Could the same request be sent again at all? */
static bool
retry_is_possible(const weir_proxy_t *p)
{
    return !p->req->res.head_given && !p->body_taken;
}

/* Asking twice is safe: nothing of the request has left, or its method says so, the client's and proxy_method's. */
static bool
retry_is_repeatable(const weir_proxy_t *p)
{
    return weir_exchange_sent_bytes(p->x) == 0
        || (weir_method_is_idempotent(p->req->head.method) && weir_method_is_idempotent(p->x->method));
}

/* What `retry` calls the failure; status: of an answer, else 0. */
static bool
retry_is_meant(const weir_proxy_t *p, const weir_forward_retry_t *retry, unsigned kind, uint16_t status)
{
    bool connected = p->attempt != NULL && p->attempt->connected;

    if (status != 0) {
        return status >= 400 && status <= 599 && (retry->statuses[(status - 400) / 8] >> (status % 8) & 1);
    }
    return ((kind & (WEIR_NEXT_ERROR | WEIR_NEXT_TIMEOUT)) && !connected && (retry->on & WEIR_RETRY_CONNECT))
        || ((kind & WEIR_NEXT_ERROR) && connected && (retry->on & WEIR_RETRY_RESET))
        || ((kind & WEIR_NEXT_TIMEOUT) && (retry->on & WEIR_RETRY_TIMEOUT))
        || ((kind & WEIR_NEXT_INVALID_HEADER) && (retry->on & WEIR_RETRY_INVALID));
}

static bool
retry_may(const weir_proxy_t *p, const weir_forward_retry_t *retry, unsigned kind, uint16_t status)
{
    weir_instant_t now = weir_clock_now();

    return retry_is_meant(p, retry, kind, status) && p->tries <= retry->n && retry_is_possible(p)
        && (retry_is_repeatable(p) || (retry->on & WEIR_RETRY_NON_IDEMPOTENT))
        && (weir_pick_has_next(&p->pick, now) || weir_pick_may_renew(&p->pick, now));
}

/* The last question of all: is it let be sent once more?  If not, the client gets what this try gave. */
static bool
retry_is_let(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    weir_str_t      group = weir_group_conf(p->pick.group)->name;

    if (weir_pick_may_retry(&p->pick, weir_clock_now())) {
        return true;
    }
    weir_log(WEIR_LOG_NOTICE, &req->log, 0, "not sent again: %s of upstream \"%.*s\"", p->pick.refused_by,
             WEIR_STR_ARG(group));
    weir_http_story_judged(req, p->pick.refused_by, retry_keep(p, group), WEIR_STR("no retry"));
    return false;
}

/* kind: of the failure, or of an answer of this status. */
static bool
retry_is_allowed(const weir_proxy_t *p, unsigned kind, uint16_t status)
{
    const weir_proxy_conf_t *conf = p->conf;
    const weir_forward_retry_t *retry = retry_conf(p);
    unsigned mask = conf->next_upstream;

    if (retry != NULL) {
        return retry_may(p, retry, kind, status);
    }
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

/* -- backoff -- */

static void
retry_on_pause(weir_timer_t *timer)
{
    weir_proxy_next_peer(weir_container_of(timer, weir_proxy_plan_t, pause)->proxy);
}

/* Twice as long each time; with jitter at least half of that, so that not all requests come back together. */
static weir_msec_t
retry_pause(const weir_proxy_t *p, const weir_forward_retry_t *retry)
{
    uint64_t ms = weir_min(retry->backoff.ms << (p->tries - 1), (uint64_t) WEIR_RETRY_PAUSE_MAX), random;

    if (retry->jitter && ms > 1 && weir_sys_random(&random, sizeof(random)) == 0) {
        ms = ms / 2 + random % (ms - ms / 2 + 1);
    }
    return (weir_msec_t) { ms };
}

/* The request is sent once more, at once or after a pause in which the engine holds it. */
static void
retry_again(weir_proxy_t *p)
{
    const weir_forward_retry_t *retry = retry_conf(p);

    if (retry == NULL || retry->backoff.ms == 0) {
        weir_proxy_next_peer(p);
        return;
    }
    weir_assert(p->attempt == NULL && p->hold.req != NULL && p->tries >= 1 && p->tries <= WEIR_RETRY_MAX);
    p->state = WEIR_PROXY_ASK;
    weir_timer_set(p->x->http->loop, &p->plan->pause, retry_pause(p, retry), retry_on_pause);
}

/* A kept connection that the peer closed as we wrote: once more, on a fresh one. */
static bool
retry_is_race(const weir_proxy_t *p)
{
    return p->attempt != NULL && !p->raced && weir_exchange_is_race(p->x) && retry_is_possible(p)
        && retry_is_repeatable(p);
}

/* No other peer is asked: the client is told, in a whole answer where the wire allows it. */
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

/* Is the peer the one to blame?  Not for a limit that the client chose, nor for one that passed while the client was
 * what was waited for: else a client could make good peers rest (max_fails). */
static bool
retry_is_peers_fault(const weir_proxy_t *p, weir_cause_t cause)
{
    bool is_limit = cause == WEIR_CAUSE_UPSTREAM_TIMEOUT || cause == WEIR_CAUSE_UPSTREAM_TRY_TIMEOUT;
    bool waits_for_client = p->x->is_held && p->attempt != NULL && p->attempt->connected && !p->x->is_asked
                         && !p->x->codec->pending(p->x);

    return cause != WEIR_CAUSE_UPSTREAM_DEADLINE && !(is_limit && waits_for_client);
}

/* Of two tries that are under way one has failed: the other one goes on, unless it is over for both. */
static bool
retry_leaves_it_to_other(weir_proxy_t *p, weir_cause_t cause, const char *detail, unsigned kind)
{
    if (p->plan == NULL || !p->plan->hedge.has_other) {
        return false;
    }
    if (kind == 0) {
        weir_hedge_drop(p, cause == WEIR_CAUSE_UPSTREAM_TIMEOUT ? cause : WEIR_CAUSE_NONE);
        return false;
    }
    weir_cause_log(cause, &p->req->log, detail);
    weir_proxy_end_attempt(p, retry_is_peers_fault(p, cause));
    weir_exchange_end(p->x, false);
    weir_hedge_leave(p);
    return true;
}

void
weir_proxy_fail(weir_proxy_t *p, weir_cause_t cause, const char *detail, unsigned kind)
{
    weir_request_t *req = p->req;

    if (weir_request_is_split(req)) {                  /* the request's own failure: it was not sent to a peer */
        weir_proxy_end_attempt(p, false);
        weir_exchange_end(p->x, false);
        retry_give_up(p, WEIR_CAUSE_CLIENT_TARGET, "encoded_slash");
        return;
    }
    p->x->cause = cause;
    p->x->detail = detail;
    if (p->attempt != NULL) {
        p->attempt->cause = cause;
        p->attempt->is_excused = !retry_is_peers_fault(p, cause);
        if (p->attempt->status == 0) {
            p->attempt->status = retry_cause_status(cause);
        }
    }
    if (retry_is_race(p)) {
        p->raced = true;
        weir_proxy_answers(p);
        weir_exchange_end(p->x, false);
        retry_connect(p);
        return;
    }
    if (retry_leaves_it_to_other(p, cause, detail, kind)) {
        return;
    }
    bool allowed = retry_is_allowed(p, kind, 0), again = allowed && retry_is_let(p);

    if (allowed && !again && detail == NULL) {
        detail = p->x->detail = p->pick.refused_by;
    }
    if (again) {
        weir_cause_log(cause, &req->log, detail);
    }
    weir_proxy_end_attempt(p, retry_is_peers_fault(p, cause));
    weir_exchange_end(p->x, false);
    if (again) {
        retry_again(p);
        return;
    }
    if (cause == WEIR_CAUSE_UPSTREAM_FULL_CONNECTIONS && weir_proxy_fall_back(p, cause)) {
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

#define RETRY_GRPC_MAX         16
#define RETRY_GRPC_UNAVAILABLE 14

/* A call that ended with a status before any message: it stands in the head, which is all of the answer.  0: it has
 * not, or with a good one. */
static uint64_t
retry_grpc_status(const weir_proxy_t *p)
{
    const weir_field_t *field;
    uint64_t status;

    if (p->x->head.status != 200 || p->x->may_have_trailers) {
        return 0;
    }
    field = weir_fields_find(&p->x->head.fields, WEIR_STR("grpc-status"));
    return field != NULL && weir_str_to_u64(field->value, &status) && status <= RETRY_GRPC_MAX ? status : 0;
}

/* Every call of gRPC is a POST: a configuration that names a status says that such a call may be made again. */
static bool
retry_grpc(weir_proxy_t *p)
{
    const weir_forward_retry_t *retry = retry_conf(p);
    weir_instant_t now = weir_clock_now();
    uint64_t status = retry != NULL && retry->grpc != 0 ? retry_grpc_status(p) : 0;

    if (status == 0 || (retry->grpc >> status & 1) == 0 || p->tries > retry->n || !retry_is_possible(p)
        || !(weir_pick_has_next(&p->pick, now) || weir_pick_may_renew(&p->pick, now))
        || !retry_is_let(p))
    {
        return false;
    }
    weir_proxy_end_attempt(p, status == RETRY_GRPC_UNAVAILABLE);
    weir_exchange_end(p->x, true);
    retry_again(p);
    return true;
}

static bool
retry_is_named(const weir_proxy_t *p, unsigned kind, uint16_t status)
{
    const weir_forward_retry_t *retry = retry_conf(p);

    return retry != NULL ? retry_is_meant(p, retry, kind, status) : (p->conf->next_upstream & kind) != 0;
}

/* The first head of two tries: one that is no better than a failure leaves it to the other try; else the other one is
 * cancelled. */
static bool
retry_is_beaten(weir_proxy_t *p, unsigned kind, uint16_t status)
{
    bool is_named = retry_is_named(p, kind, status);

    if (!is_named && status < 500) {
        weir_hedge_win(p);
        return false;
    }
    weir_proxy_end_attempt(p, is_named && (status >= 500 || status == 429));
    weir_exchange_end(p->x, false);
    p->req->upstream_head = NULL;
    p->state = WEIR_PROXY_ASK;
    weir_hedge_leave(p);
    return true;
}

bool
weir_proxy_retry_status(weir_proxy_t *p)
{
    uint16_t status = p->x->head.status;
    unsigned kind = retry_status_kind(status);

    if (weir_unlikely(p->plan != NULL)) {
        weir_hedge_took(p);
        if (p->plan->hedge.has_other && retry_is_beaten(p, kind, status)) {
            return true;
        }
    }
    if (weir_unlikely(retry_grpc(p))) {
        return true;
    }
    if ((kind == 0 && retry_conf(p) == NULL) || !retry_is_allowed(p, kind, status)
        || !retry_is_let(p))
    {
        return false;
    }
    /* 403 and 404 are an answer, not an unwell peer; so is what else `retry` may name below 500, but 429. */
    weir_proxy_end_attempt(p, status >= 500 || status == 429);
    weir_exchange_end(p->x, false);
    retry_again(p);
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
    if (p->plan != NULL) {
        weir_hedge_drop(p, WEIR_CAUSE_NONE);
        weir_proxy_answers(p);
        weir_timer_drop(&p->plan->pause);
    }
    weir_timer_drop(&p->rate_timer);
    weir_task_cancel(&p->task);
    weir_task_cancel(&p->collect_task);
    weir_exchange_end(p->x, false);
    weir_resolver_cancel(&p->lookup);
    if (p->has_pipe) {
        weir_http_give_pipe(p->x->http, p->pipe, p->pipe_held == 0);
        p->has_pipe = false;
    }
    if (weir_unlikely(p->queued != NULL)) {
        weir_queue_leave(p->queued);
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
