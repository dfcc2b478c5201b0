/*
 * ask.c - see ask.h: exchanges that belong to no client's request.
 */
#include "http/exchange/ask.h"

#include "base/mem.h"
#include "http/exchange/outcome.h"
#include "http/record/stats.h"
#include "os/clock.h"

#include <string.h>

#define ASK_CHUNK    4096
#define ASK_ROUNDS   16          /* pieces of an answer a turn, then others get theirs */
#define ASK_INTERIMS 8           /* answers below 200 that are let pass */

struct weir_ask {
    weir_question_t q;
    weir_arena_t    arena;
    weir_pick_t     pick;
    weir_attempt_t  attempt;     /* the one under way */
    weir_instant_t  began;       /* … since when */
    weir_fields_t   trailers;
    weir_timer_t    deadline;
    weir_task_t     task;        /* begins it, goes on after a hold or a long turn, and frees it */
    uint64_t        answered;    /* bytes of the body */
    uint32_t        tries, interims;
    bool            has_attempt, raced, body_given, has_head, has_body_left, is_held, is_telling, is_over;
    weir_exchange_t x;           /* last: the codec's state lies behind it */
};

static void ask_next_peer(weir_ask_t *ask);

static inline weir_ask_t *
ask_of(weir_exchange_t *x)
{
    return weir_container_of(x, weir_ask_t, x);
}

/* -- the end -- */

static void
ask_free(weir_ask_t *ask)
{
    weir_assert(ask->is_over && !ask->x.is_held);
    weir_task_cancel(&ask->task);
    weir_arena_fini(&ask->arena);
    weir_group_unref(ask->q.to);
    weir_mem_free(ask);
}

static void
ask_free_later(weir_task_t *task)
{
    ask_free(weir_container_of(task, weir_ask_t, task));
}

static void
ask_end_attempt(weir_ask_t *ask, bool failed)
{
    weir_instant_t now = weir_clock_now();
    weir_outcome_t outcome;

    if (!ask->has_attempt) {
        return;
    }
    ask->has_attempt = false;
    ask->attempt.response_time.ms = now.ms - ask->began.ms;
    ask->attempt.bytes_sent = weir_exchange_sent_bytes(&ask->x);
    ask->attempt.bytes_received = ask->x.received;
    weir_http_stats_attempt(&ask->attempt);
    outcome = weir_outcome_of(&ask->attempt, failed);
    weir_pick_report(&ask->pick, &outcome, now);
}

/* Everything but the memory goes. */
static void
ask_let_go(weir_ask_t *ask, bool keep)
{
    weir_assert(!ask->is_over);
    ask->is_over = true;
    weir_timer_drop(&ask->deadline);
    weir_exchange_end(&ask->x, keep);
    weir_pick_end(&ask->pick);
}

static void
ask_end(weir_ask_t *ask, weir_cause_t cause, const char *detail)
{
    weir_assert(!ask->is_telling);
    ask_end_attempt(ask, cause != WEIR_CAUSE_NONE);
    ask_let_go(ask, cause == WEIR_CAUSE_NONE);
    weir_task_post(ask->q.http->loop, &ask->task, ask_free_later);
    ask->is_telling = true;
    ask->q.handler->on_end(ask, cause, detail);
}

void
weir_ask_cancel(weir_ask_t *ask)
{
    if (ask == NULL || ask->is_over) {
        return;
    }
    ask_end_attempt(ask, false);
    ask_let_go(ask, false);
    if (ask->is_telling) {
        weir_task_post(ask->q.http->loop, &ask->task, ask_free_later);
    } else {
        ask_free(ask);
    }
}

/* -- failures -- */

/* The question can be asked again, and it would do no harm. */
static bool
ask_may_repeat(const weir_ask_t *ask)
{
    bool is_safe = ask->q.may_repeat || weir_method_is_idempotent(ask->x.method)
                   || weir_exchange_sent_bytes(&ask->x) == 0;

    return is_safe && !ask->has_head && !ask->body_given;
}

static void
ask_begin_again(weir_ask_t *ask, bool next)
{
    weir_assert(!ask->is_over && !ask->body_given);
    weir_exchange_end(&ask->x, false);
    weir_task_cancel(&ask->task);                    /* reading on was of the answer that is given up */
    ask->is_held = false;
    if (next) {
        ask_next_peer(ask);
        return;
    }
    ask->raced = ask->x.needs_fresh = true;
    ask->interims = 0;
    ask->has_body_left = ask->x.has_body;            /* all of it goes again */
    weir_exchange_reset(&ask->x);
    weir_exchange_begin(&ask->x);
}

static void
ask_failed(weir_ask_t *ask, weir_cause_t cause, const char *detail)
{
    bool again = ask_may_repeat(ask);

    weir_assert(!ask->is_over && cause != WEIR_CAUSE_NONE);
    ask->x.cause = ask->attempt.cause = cause;
    ask->x.detail = detail;
    if (again && !ask->raced && weir_exchange_is_race(&ask->x)) {
        ask_begin_again(ask, false);
        return;
    }
    if (again && (ask->q.tries == 0 || ask->tries < ask->q.tries) && weir_pick_has_next(&ask->pick, weir_clock_now())
        && weir_pick_may_retry(&ask->pick, weir_clock_now()))
    {
        ask_end_attempt(ask, true);
        ask_begin_again(ask, true);
        return;
    }
    ask_end(ask, cause, detail);
}

static void
ask_on_deadline(weir_timer_t *timer)
{
    ask_end(weir_container_of(timer, weir_ask_t, deadline), WEIR_CAUSE_UPSTREAM_DEADLINE, NULL);
}

void
weir_ask_refuse(weir_ask_t *ask, const char *detail)
{
    weir_assert(ask->is_telling && ask->has_head && !ask->is_over);
    ask->x.detail = detail;
    ask->x.cause = WEIR_CAUSE_UPSTREAM_ANSWER;
}

/* -- the answer -- */

/* A call of the asker's is over.  false: it wants no more of this. */
static bool
ask_told(weir_ask_t *ask)
{
    ask->is_telling = false;
    if (ask->is_over) {
        return false;
    }
    if (ask->x.cause == WEIR_CAUSE_UPSTREAM_ANSWER) {
        ask->has_head = false;                       /* nothing of it was used */
        ask_failed(ask, ask->x.cause, ask->x.detail);
        return false;
    }
    return true;
}

static bool
ask_take(weir_ask_t *ask, weir_str_t bytes)
{
    weir_assert(ask->answered <= ask->q.max_body);
    if (bytes.len > ask->q.max_body - ask->answered) {
        ask_end(ask, WEIR_CAUSE_UPSTREAM_BODY_TOO_LARGE, NULL);
        return false;
    }
    ask->answered += bytes.len;
    ask->attempt.response_length += bytes.len;
    if (ask->q.handler->on_body == NULL) {
        return true;
    }
    ask->is_telling = true;
    ask->q.handler->on_body(ask, bytes);
    return ask_told(ask);
}

static void ask_pump(weir_ask_t *ask);

static void
ask_pump_task(weir_task_t *task)
{
    ask_pump(weir_container_of(task, weir_ask_t, task));
}

static void
ask_pump(weir_ask_t *ask)
{
    weir_str_t bytes;

    weir_assert(!ask->is_over && !ask->is_telling);
    for (int round = 0; !ask->is_held; round++) {
        if (round == ASK_ROUNDS) {
            weir_task_post_later(ask->q.http->loop, &ask->task, ask_pump_task);
            break;
        }
        switch (weir_exchange_read(&ask->x, WEIR_RX_BYTES, &bytes)) {
        case WEIR_OK:
            if (!ask_take(ask, bytes)) {
                return;
            }
            continue;
        case WEIR_EOF:
            ask_end(ask, WEIR_CAUSE_NONE, NULL);
            return;
        case WEIR_ERROR:
            ask_failed(ask, ask->x.cause, ask->x.detail);
            return;
        case WEIR_AGAIN:
            break;
        }
        break;
    }
    if (ask->is_held) {
        weir_exchange_wait_not(&ask->x);             /* it is not the peer that is late */
    }
    if (!ask->x.codec->save(&ask->x)) {
        ask_end(ask, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
    }
}

void
weir_ask_hold(weir_ask_t *ask)
{
    weir_assert(ask->is_telling);
    ask->is_held = true;
}

static void
ask_go_on_task(weir_task_t *task)
{
    weir_ask_t *ask = weir_container_of(task, weir_ask_t, task);

    if (ask->has_body_left && !ask->x.is_asked && ask->x.state >= WEIR_EXCHANGE_HEAD) {
        weir_exchange_send(&ask->x);
    }
    if (!ask->is_over && ask->x.state == WEIR_EXCHANGE_BODY) {
        ask_pump(ask);
    }
}

void
weir_ask_go_on(weir_ask_t *ask)
{
    if (!ask->is_over && ask->tries != 0) {          /* (not begun yet: its first task asks for all there is) */
        ask->is_held = false;
        weir_task_post(ask->q.http->loop, &ask->task, ask_go_on_task);
    }
}

/* -- what the exchange tells -- */

static void
ask_on_connected(weir_exchange_t *x)
{
    weir_ask_t *ask = ask_of(x);

    ask->attempt.connected = true;
    weir_pick_connected(&ask->pick);
    ask->attempt.connect_time.ms = weir_clock_now().ms - ask->began.ms;
}

static bool
ask_each_field(weir_exchange_t *x, weir_exchange_put_t *put, void *data)
{
    const weir_ask_t *ask = ask_of(x);
    weir_str_t host = ask->q.host.len != 0 ? ask->q.host : weir_group_conf(ask->q.to)->host_header;

    put(data, &(weir_field_t) { .id = WEIR_HEADER_HOST, .name = WEIR_STR("Host"), .value = host });
    for (size_t i = 0; i < ask->q.n_fields; i++) {
        put(data, &(weir_field_t) { .id = (uint16_t) weir_header_id(ask->q.fields[i].name),
                                    .name = ask->q.fields[i].name, .value = ask->q.fields[i].value });
    }
    return true;
}

static weir_io_t
ask_next_body(weir_exchange_t *x, weir_str_t *bytes)
{
    weir_ask_t *ask = ask_of(x);
    weir_io_t io;

    weir_assert(!ask->is_telling && !ask->is_over);
    if (!ask->has_body_left) {
        return WEIR_EOF;
    }
    if (x->has_whole) {                              /* too long to go along with the head */
        ask->has_body_left = false;
        *bytes = x->whole;
        return WEIR_OK;
    }
    ask->is_telling = true;
    io = ask->q.handler->next_body(ask, bytes);
    ask->is_telling = false;
    ask->body_given |= io == WEIR_OK;
    ask->has_body_left = io == WEIR_OK || io == WEIR_AGAIN;
    if (ask->is_over) {
        return WEIR_ERROR;
    }
    if (io == WEIR_ERROR) {
        ask_end(ask, WEIR_CAUSE_INTERNAL_IO, NULL);
    }
    return io;
}

static void
ask_on_asked(weir_exchange_t *x)
{
    ask_of(x)->has_body_left = false;
}

static bool
ask_on_interim(weir_exchange_t *x)
{
    weir_ask_t *ask = ask_of(x);

    if (x->head.status == 101 || ++ask->interims > ASK_INTERIMS) {
        ask_failed(ask, WEIR_CAUSE_UPSTREAM_INTERIM, NULL);
        return false;
    }
    return true;
}

static void
ask_on_head(weir_exchange_t *x)
{
    weir_ask_t *ask = ask_of(x);

    weir_assert(!ask->has_head);
    ask->attempt.status = x->head.status;
    ask->attempt.has_header = true;
    ask->attempt.header_time.ms = weir_clock_now().ms - ask->began.ms;
    ask->has_head = true;
    if (ask->q.handler->on_head != NULL) {
        ask->is_telling = true;
        ask->q.handler->on_head(ask, &x->head);
        if (!ask_told(ask)) {
            return;
        }
    }
    ask_pump(ask);
}

static void
ask_on_readable(weir_exchange_t *x)
{
    ask_pump(ask_of(x));
}

static void
ask_on_failed(weir_exchange_t *x)
{
    ask_failed(ask_of(x), x->cause, x->detail);
}

static const weir_asker_t ask_asker = {
    .on_connected = ask_on_connected,
    .each_field = ask_each_field,
    .next_body = ask_next_body,
    .on_asked = ask_on_asked,
    .on_interim = ask_on_interim,
    .on_head = ask_on_head,
    .on_readable = ask_on_readable,
    .on_failed = ask_on_failed,
};

/* -- begin -- */

static void
ask_begin_attempt(weir_ask_t *ask)
{
    weir_assert(!ask->has_attempt && ask->pick.peer != NULL);
    const weir_peer_conf_t *peer = ask->pick.peer->conf;

    ask->attempt = (weir_attempt_t) { .peer = peer->text, .peer_stats = peer->stats,
                                      .group_stats = weir_group_conf(ask->q.to)->stats };
    ask->began = weir_clock_now();
    ask->has_attempt = true;
    ask->answered = 0;
    ask->interims = 0;
    ask->has_body_left = ask->x.has_body;
    weir_exchange_reset(&ask->x);
    ask->x.peer = ask->pick.peer;
    ask->x.needs_fresh = false;
}

static void
ask_next_peer(weir_ask_t *ask)
{
    weir_assert(!ask->has_attempt && !ask->is_over);
    ask->tries++;
    if (!weir_pick_next(&ask->pick, weir_clock_now())) {
        ask_end(ask, ask->tries > 1 ? ask->x.cause : weir_outcome_refused(&ask->pick), ask->x.detail);
        return;
    }
    ask_begin_attempt(ask);
    weir_exchange_begin(&ask->x);
}

static void
ask_begin(weir_task_t *task)
{
    ask_next_peer(weir_container_of(task, weir_ask_t, task));
}

static void
ask_fill(weir_ask_t *ask)
{
    const weir_question_t *q = &ask->q;
    weir_exchange_t *x = &ask->x;

    x->asker = &ask_asker;
    x->codec = q->codec;
    x->conf = &q->conf;
    x->http = q->http;
    x->arena = &ask->arena;
    x->trailers = &ask->trailers;
    x->secure = q->secure;
    x->secure.protocols = q->secure.context != NULL ? q->codec->protocols : WEIR_STR_NONE;
    x->method = weir_method_parse(q->method);
    x->method_name = q->method;
    x->target = q->target;
    x->has_whole = q->body.len != 0;
    x->whole = q->body;
    x->has_body = x->has_whole || q->handler->next_body != NULL;
    x->length = x->has_whole ? q->body.len : x->has_body ? q->length : WEIR_LENGTH_NONE;
    x->may_repeat = weir_method_is_idempotent(x->method) && (x->has_whole || !x->has_body);
    x->takes_trailers = true;
    x->says_close = q->says_close;
}

weir_exchange_conf_t
weir_ask_conf(void)
{
    weir_msec_t limit = { 10000 };

    return (weir_exchange_conf_t) { .http_version = 11, .line_ends = WEIR_LINE_ENDS_CRLF, .connect_timeout = limit,
                                    .send_timeout = limit,
                                    .read_timeout = limit, .buffer_size = { 16384 } };
}

weir_ask_t *
weir_ask(const weir_question_t *question)
{
    weir_ask_t *ask = weir_mem_try(sizeof(*ask) + question->codec->state_size);

    weir_assert(question->handler->on_end != NULL && question->target.len != 0);
    weir_assert(weir_syntax_is_token(question->method));
    if (ask == NULL) {
        return NULL;
    }
    memset(ask, 0, sizeof(*ask) + question->codec->state_size);
    ask->q = *question;
    weir_group_ref(ask->q.to);
    weir_arena_init(&ask->arena, ASK_CHUNK);
    ask_fill(ask);
    weir_pick_begin(&ask->pick, ask->q.to, &ask->arena);
    if (ask->q.limit.ms != 0) {
        weir_timer_set(ask->q.http->loop, &ask->deadline, ask->q.limit, ask_on_deadline);
    }
    weir_task_post(ask->q.http->loop, &ask->task, ask_begin);
    return ask;
}

void *
weir_ask_data(const weir_ask_t *ask)
{
    return ask->q.data;
}

const weir_fields_t *
weir_ask_trailers(const weir_ask_t *ask)
{
    return &ask->trailers;
}
