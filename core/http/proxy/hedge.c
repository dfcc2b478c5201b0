/*
 * hedge.c - see hedge.h.  Runs in workers; the second exchange lies in the request's arena.
 */
#include "http/proxy/proxy.h"

#include "http/record/story.h"
#include "os/clock.h"
#include "shm/stats.h"
#include "upstream/hedges.h"

static const weir_forward_hedge_t *
hedge_conf(const weir_proxy_t *p)
{
    return &p->plan->conf->hedge;
}

static void
hedge_count(const weir_proxy_t *p, size_t what)
{
    uint32_t row = weir_group_conf(p->pick.group)->stats;

    if (row != 0) {
        weir_stats_mine(row)->count[what]++;
    }
}

static void
hedge_say(weir_proxy_t *p, const char *verdict)
{
    weir_http_story_judged(p->req, "hedge", weir_str_dup(&p->req->arena, weir_group_conf(p->pick.group)->name),
                           weir_str_from_z(verdict));
}

void
weir_hedge_earn(weir_proxy_t *p)
{
    if (hedge_conf(p)->is_on) {
        weir_hedges_earn(p->pick.group, hedge_conf(p)->hundredths, weir_clock_now());
    }
}

void
weir_hedge_took(weir_proxy_t *p)
{
    if (hedge_conf(p)->percent != 0) {
        weir_instant_t now = weir_clock_now();

        weir_hedges_took(p->pick.group,
                         (weir_msec_t) { now.ms - p->attempt_began.ms - p->attempt->client_time.ms }, now);
    }
}

/* -- which one is at hand -- */

void
weir_hedge_swap(weir_proxy_t *p)
{
    weir_hedge_t    *hedge = &p->plan->hedge;
    weir_proxy_try_t was = { .x = p->x, .attempt = p->attempt, .began = p->attempt_began, .interims = p->interims,
                             .picked = hedge->other.picked };

    weir_assert(hedge->other.x != NULL && p->state != WEIR_PROXY_TUNNEL);
    weir_pick_swap(&p->pick, &was.picked);
    if (p->body != NULL) {
        was.body_at = p->body->at;
        p->body->at = hedge->other.body_at;
    }
    p->x = hedge->other.x;
    p->attempt = hedge->other.attempt;
    p->attempt_began = hedge->other.began;
    p->interims = hedge->other.interims;
    hedge->other = was;
    hedge->is_second = !hedge->is_second;
}

/* The try at hand is the only one: what it has kept apart is the request's. */
static void
hedge_settle(weir_proxy_t *p)
{
    p->plan->hedge.has_other = false;
    if (p->x->trailers != &p->req->upstream_trailers) {
        p->req->upstream_trailers = *p->x->trailers;
        p->x->trailers = &p->req->upstream_trailers;
    }
    if (p->attempt != NULL && p->attempt->connected) {             /* and the other one was not, perhaps */
        weir_pick_connected(&p->pick);
    }
}

void
weir_hedge_drop(weir_proxy_t *p, weir_cause_t cause)
{
    if (!p->plan->hedge.has_other) {
        return;
    }
    weir_hedge_swap(p);
    p->attempt->cause = cause;
    if (cause != WEIR_CAUSE_NONE) {
        p->attempt->status = weir_cause_row(cause)->status;
    }
    weir_proxy_end_attempt(p, cause != WEIR_CAUSE_NONE);
    weir_exchange_end(p->x, false);
    weir_hedge_swap(p);
    hedge_settle(p);
}

void
weir_hedge_win(weir_proxy_t *p)
{
    bool is_second = p->plan->hedge.is_second;

    if (!p->plan->hedge.has_other) {
        return;
    }
    weir_hedge_swap(p);
    weir_hedge_took(p);                      /* at least so long */
    weir_hedge_swap(p);
    weir_hedge_drop(p, WEIR_CAUSE_NONE);
    if (is_second) {
        hedge_count(p, WEIR_COUNT_HEDGES_WON);
    }
    hedge_say(p, is_second ? "won" : "lost");
}

void
weir_hedge_leave(weir_proxy_t *p)
{
    weir_assert(p->plan->hedge.has_other && p->attempt == NULL && !p->x->is_held);
    hedge_say(p, p->plan->hedge.is_second ? "failed" : "the first failed");
    weir_hedge_swap(p);
    hedge_settle(p);
}

/* -- the second try -- */

/* As the first one, and nothing has come. */
static weir_exchange_t *
hedge_make_exchange(weir_proxy_t *p)
{
    weir_exchange_t *x = weir_alloc_zero(&p->req->arena, sizeof(*x) + p->x->codec->state_size);

    x->asker = p->x->asker;
    x->of = p;
    x->codec = p->x->codec;
    x->conf = p->x->conf;
    x->http = p->x->http;
    x->arena = p->x->arena;
    x->trailers = &p->plan->hedge.trailers;
    x->target = p->x->target;
    x->has_body = p->x->has_body;
    return x;
}

/* All that could speak against it, the budgets last. */
static bool
hedge_may(weir_proxy_t *p)
{
    weir_instant_t now = weir_clock_now();
    bool           may;

    if (!weir_pick_has_next(&p->pick, now)) {
        return false;
    }
    if (!weir_hedges_spend(p->pick.group, now)) {
        hedge_count(p, WEIR_COUNT_HEDGES_REFUSED);
        hedge_say(p, "no budget");
        return false;
    }
    p->pick.is_beside = true;
    may = weir_pick_may_retry(&p->pick, now);
    p->pick.is_beside = false;
    if (!may) {
        hedge_count(p, WEIR_COUNT_HEDGES_REFUSED);
        hedge_say(p, p->pick.refused_by);
    }
    return may;
}

static void
hedge_on_timer(weir_timer_t *timer)
{
    weir_hedge_t *hedge = weir_container_of(timer, weir_hedge_t, timer);
    weir_proxy_t *p = weir_container_of(hedge, weir_proxy_plan_t, hedge)->proxy;

    weir_assert(p->state == WEIR_PROXY_ASK && p->attempt != NULL && !hedge->has_other && !hedge->is_over);
    hedge->is_over = true;
    if (!hedge_may(p)) {
        return;
    }
    hedge->other = (weir_proxy_try_t) { .x = hedge_make_exchange(p) };
    weir_hedge_swap(p);
    if (!weir_pick_next(&p->pick, weir_clock_now())) {
        weir_hedge_swap(p);
        weir_pick_retry_not(&p->pick);
        return;
    }
    hedge->has_other = true;
    hedge_count(p, WEIR_COUNT_HEDGES);
    weir_log(WEIR_LOG_INFO, &p->req->log, 0, "no answer yet: a second request goes to \"%.*s\"",
             WEIR_STR_ARG(p->pick.peer->conf->text));
    weir_proxy_try_again(p);
}

void
weir_hedge_watch(weir_proxy_t *p)
{
    const weir_forward_hedge_t *conf = hedge_conf(p);
    weir_hedge_t               *hedge = &p->plan->hedge;
    weir_msec_t                 after = conf->after;

    if (!conf->is_on || hedge->is_over || !p->x->may_repeat || p->x->upgrade.len != 0 || p->own_group != NULL
        || weir_group_id_is(p->req->pass_to) || p->pick.bond.len != 0)
    {
        return;
    }
    if (conf->percent != 0) {
        after = weir_hedges_quantile(p->pick.group, conf->percent);
    }
    if (after.ms != 0) {
        weir_timer_set(p->x->http->loop, &hedge->timer, after, hedge_on_timer);
    }
}
