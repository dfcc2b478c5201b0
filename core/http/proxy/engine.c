/*
 * engine.c - the proxy engine's states and what moves between them.
 *
 *   COLLECT ──> ASK ──> STREAM ──> DONE
 *               ^ │└──> TUNNEL ──> DONE
 *               └─┘ next peer
 *
 * Runs in workers.  A proxied request's state lies in the request's arena; descriptors and heap are let go by
 * weir_proxy_release, which every way out passes.
 */
#include "http/proxy/emit.h"
#include "http/proxy/split.h"

#include "http/answer/return.h"
#include "http/filter/read_ahead.h"
#include "http/serve/runtime.h"
#include "os/clock.h"

#include <string.h>

static void
engine_go(weir_proxy_t *p, weir_proxy_state_t state)
{
    weir_assert(p->state == WEIR_PROXY_ASK && !p->released && p->attempt != NULL);     /* it was asked */
    weir_debug(&p->req->log, "proxy %d -> %d", p->state, state);
    p->state = state;
}

void
weir_proxy_fail_emit(weir_proxy_t *p)
{
    weir_request_t *req = p->req;

    weir_proxy_release(p);
    (void) weir_request_fail(req, WEIR_CAUSE_INTERNAL_EMIT, "the request for the peer");
}

/* -- what the exchange tells -- */

/* The exchange's try is the one at hand from now on. */
static inline weir_proxy_t *
engine_of(weir_exchange_t *x)
{
    weir_proxy_t *p = x->of;

    if (weir_unlikely(p->x != x)) {
        weir_hedge_swap(p);
    }
    return p;
}

static void
engine_on_connected(weir_exchange_t *x)
{
    weir_proxy_t *p = engine_of(x);

    p->attempt->connected = true;
    weir_pick_connected(&p->pick);
    p->attempt->connect_time.ms = weir_clock_now().ms - p->attempt_began.ms;
}

static bool
engine_each_field(weir_exchange_t *x, weir_exchange_put_t *put, void *data)
{
    weir_proxy_t *p = engine_of(x);

    weir_proxy_each_field(p, put, data);
    return !weir_request_is_split(p->req)
        || weir_exchange_error(x, WEIR_CAUSE_CLIENT_TARGET, "encoded_slash") == WEIR_OK;
}

static weir_io_t
engine_next_body(weir_exchange_t *x, weir_str_t *bytes)
{
    return weir_proxy_next_body(engine_of(x), bytes);
}

static void
engine_on_asked(weir_exchange_t *x)
{
    engine_of(x)->hold.wants_body = false;
}

/* 101 only when it was asked for, 100 is ours to give, the rest goes on; not more than 8. */
static bool
engine_on_interim(weir_exchange_t *x)
{
    weir_proxy_t *p = engine_of(x);
    weir_str_t to;

    weir_assert(!p->released && p->attempt != NULL && x->head.status < 200);
    if (x->head.status == 101) {
        if (weir_proxy_upgrade_switches(p, &to)) {
            engine_go(p, WEIR_PROXY_TUNNEL);
            weir_proxy_answers(p);
            weir_timer_drop(&p->deadline);             /* a tunnel has no end that could be late */
            weir_exchange_tunnel(x);
            weir_proxy_tunnel_begin(p, to);
            return false;
        }
        weir_proxy_fail(p, WEIR_CAUSE_UPSTREAM_INTERIM, "101 that was not asked for", WEIR_NEXT_INVALID_HEADER);
        return false;
    }
    if (++p->interims > 8) {
        weir_proxy_fail(p, WEIR_CAUSE_UPSTREAM_INTERIM, NULL, WEIR_NEXT_INVALID_HEADER);
        return false;
    }
    weir_proxy_hide_fields(p);
    if (x->head.status != 100 && p->req->codec->send_interim(p->req, x->head.status, &x->head.fields) == WEIR_ERROR) {
        weir_proxy_lost(p);
        return false;
    }
    return true;
}

static void
engine_on_head(weir_exchange_t *x)
{
    weir_proxy_t *p = engine_of(x);

    weir_assert(!p->released && p->attempt != NULL && x->head.status >= 200);
    engine_go(p, WEIR_PROXY_STREAM);
    weir_proxy_answers(p);
    weir_proxy_answer(p);
}

static void
engine_on_readable(weir_exchange_t *x)
{
    weir_proxy_t *p = engine_of(x);

    weir_assert(!p->released && (p->state == WEIR_PROXY_TUNNEL || p->state == WEIR_PROXY_STREAM));
    if (p->state == WEIR_PROXY_TUNNEL) {
        weir_proxy_tunnel_pump(p);
    } else {
        weir_proxy_pump(p);
    }
}

static void
engine_tunnel_timeout(weir_proxy_t *p)
{
    weir_request_t *req = p->req;

    req->keep_alive = false;
    weir_proxy_end_attempt(p, false);
    weir_proxy_release(p);
    weir_request_abort(req, WEIR_CAUSE_UPSTREAM_READ_TIMEOUT, "tunnel");
}

static void
engine_on_failed(weir_exchange_t *x)
{
    static const unsigned kinds[] = {
        [WEIR_EXCHANGE_BROKEN] = WEIR_NEXT_ERROR,
        [WEIR_EXCHANGE_TIMED_OUT] = WEIR_NEXT_TIMEOUT,
        [WEIR_EXCHANGE_MALFORMED] = WEIR_NEXT_INVALID_HEADER,
    };
    weir_proxy_t *p = engine_of(x);

    weir_assert(!p->released && x->cause != WEIR_CAUSE_NONE && x->failure < weir_countof(kinds));
    if (p->state == WEIR_PROXY_TUNNEL) {
        engine_tunnel_timeout(p);
    } else if (x->cause == WEIR_CAUSE_INTERNAL_EMIT) {
        weir_proxy_fail_emit(p);
    } else {
        weir_proxy_fail(p, x->cause, x->detail, kinds[x->failure]);
    }
}

static size_t
engine_wanted(const weir_exchange_t *x, size_t most)
{
    const weir_proxy_t *p = x->of;

    return weir_response_piece(p->req, most);
}

const weir_asker_t weir_proxy_asker = {
    .on_connected = engine_on_connected,
    .each_field = engine_each_field,
    .next_body = engine_next_body,
    .on_asked = engine_on_asked,
    .wanted = engine_wanted,
    .on_interim = engine_on_interim,
    .on_head = engine_on_head,
    .on_readable = engine_on_readable,
    .on_failed = engine_on_failed,
};

/* -- how the way is secured -- */

/* How it is secured goes with the request: its name and certificate may be told by variables. */
static weir_io_t
engine_bind(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    weir_str_t text = weir_request_eval(req, p->conf->bind);
    weir_addr_t *from;
    weir_hostport_t hp;
    const char *hint;

    if (text.len == 0 || weir_str_eq(text, WEIR_STR("off"))) {
        return WEIR_OK;
    }
    from = weir_new(&req->arena, weir_addr_t);
    if (!weir_addr_parse_hostport(&hp, text, &hint) || hp.is_unix || !weir_addr_from_ip(from, hp.host, hp.port)) {
        return weir_exchange_error(p->x, WEIR_CAUSE_UPSTREAM_CONNECT_FAILED, "the address to come from is none");
    }
    if (from->any.sa_family == p->pick.peer->conf->addr.any.sa_family) {
        p->x->secure.from = from;
    }
    return WEIR_OK;
}

static weir_io_t
engine_secure(weir_proxy_t *p)
{
    p->x->secure.from = NULL;
    if (p->pass->is_tls
        && !weir_http_tls_toward(&p->conf->tls, p->req, weir_proxy_pass_group(p->req->generation, p->pass)->host_header,
                                 &p->x->secure))
    {
        return weir_exchange_error(p->x, WEIR_CAUSE_UPSTREAM_TLS_HANDSHAKE, "no certificate of our own");
    }
    if (p->pass->is_tls) {
        p->x->secure.protocols = p->x->codec->protocols;
    }
    return p->conf->bind != NULL ? engine_bind(p) : WEIR_OK;
}

weir_io_t
weir_proxy_secure(weir_proxy_t *p)
{
    weir_io_t io = engine_secure(p);

    return weir_request_is_split(p->req) ? weir_exchange_error(p->x, WEIR_CAUSE_CLIENT_TARGET, "encoded_slash") : io;
}

/* -- the client's side -- */

static weir_proxy_t *engine_of_hold(weir_holder_t *hold) { return weir_container_of(hold, weir_proxy_t, hold); }

static void
engine_on_cancel(weir_holder_t *hold)
{
    weir_proxy_t *p = engine_of_hold(hold);

    weir_proxy_end_attempt(p, false);
    weir_proxy_release(p);
}

void
weir_proxy_lost(weir_proxy_t *p)
{
    weir_proxy_end_attempt(p, false);
    weir_proxy_release(p);
    weir_response_lost(p->req);
}

static void
engine_release_at_cleanup(void *data)
{
    weir_proxy_release(data);
}

/* -- begin -- */

static void engine_go_on(weir_proxy_t *p);
static weir_io_t engine_peek_more(weir_proxy_t *p);

void
weir_proxy_body_ready(weir_proxy_t *p)
{
    weir_assert(!p->released);
    if (p->state == WEIR_PROXY_COLLECT) {
        if (weir_proxy_collect_body(p)) {
            engine_go_on(p);
        }
    } else if (p->state == WEIR_PROXY_TUNNEL) {
        weir_proxy_tunnel_pump(p);
    } else if (p->x->state >= WEIR_EXCHANGE_HEAD) {
        weir_exchange_send(p->x);
    } else if (p->state == WEIR_PROXY_ASK && engine_peek_more(p) == WEIR_ERROR) {
        weir_proxy_body_failed(p, p->req->cause);
    }
}

static void
engine_on_body(weir_holder_t *hold)
{
    weir_proxy_body_ready(engine_of_hold(hold));
}

static void
engine_on_writable(weir_holder_t *hold)
{
    weir_proxy_t *p = engine_of_hold(hold);

    weir_assert(!p->released);
    p->client_paused = false;
    if (p->state == WEIR_PROXY_TUNNEL) {
        weir_proxy_tunnel_go_on(p);
    } else if (p->state == WEIR_PROXY_STREAM) {
        weir_proxy_pump(p);
    }
}

static const weir_holder_ops_t engine_hold = { .on_body = engine_on_body,
                                               .on_writable = engine_on_writable,
                                               .on_cancel = engine_on_cancel };

/* The client's own limit, or the place's, is over; it holds for all tries together. */
static void
engine_on_deadline(weir_timer_t *timer)
{
    weir_proxy_t *p = weir_container_of(timer, weir_proxy_t, deadline);

    weir_assert(!p->released);                         /* which drops it */
    weir_proxy_fail(p, p->plan != NULL && p->plan->is_timeout ? WEIR_CAUSE_UPSTREAM_TIMEOUT
                                                              : WEIR_CAUSE_UPSTREAM_DEADLINE, NULL, 0);
}

static void
engine_close_body(void *store)
{
    weir_store_fini(store);
}

/* proxy_set_body: a text of ours, in which the client's body may be. */
static bool
engine_make_body(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    weir_str_t text = weir_request_eval(req, p->conf->set_body);

    weir_assert(p->body_is_ours);
    p->body = weir_new(&req->arena, weir_store_t);
    weir_store_init(p->body, text.len, UINT64_MAX / 2, weir_request_core(req)->client_body_temp_path.text.at);
    weir_arena_on_cleanup(&req->arena, engine_close_body, p->body);
    return text.len == 0 || weir_store_append(p->body, text) == WEIR_OK;
}

/* What the peer is sent for a body: none, a text of ours, or the client's, which is read ahead now, was read ahead for
 * a peer before, or comes as the client sends.  The client's is read ahead, too, where the peer gets none of it: logs
 * may want it, and the text of ours.  false: it was taken and has gone, so that no peer can be sent it any more. */
static bool
engine_find_body(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    const weir_proxy_conf_t *conf = p->conf;
    bool wants = conf->set_body == NULL && conf->pass_request_body.on;

    p->body_is_ours = p->x->has_body = conf->set_body != NULL;
    if (req->body_dropped || req->cause == WEIR_CAUSE_CLIENT_BODY_TOO_LARGE) {
        return true;
    }
    if (req->body != NULL) {
        p->body = req->body;
        p->x->has_body = p->body_is_ours || wants;
        return true;
    }
    if (req->body_received != 0) {
        return !wants;
    }
    p->x->has_body = p->body_is_ours || (wants && !req->body_complete);
    p->streaming = wants && p->x->has_body && !conf->request_buffering.on
                   && (conf->peer.http_version != 10 || req->head.content_length != WEIR_LENGTH_NONE);
    if (!p->streaming && !req->body_complete && (wants || (conf->request_buffering.on && !req->is_sub))) {
        p->body = weir_read_ahead_store(req);
    } else if (!p->streaming && weir_read_ahead_needs_file(req)) {
        p->body = weir_read_ahead_store(req);
    }
    return true;
}

/* Is all of the streamed body so small that it may be read before a peer takes it? */
static bool
engine_may_peek(const weir_proxy_t *p)
{
    return p->streaming && !p->body_taken && p->req->head.content_length <= p->taken.mem_max
        && !p->req->head.expect_continue && !weir_read_ahead_needs_file(p->req);
}

/* What came while the way to the peer is being made, so that the client is not waited for (client_body_timeout) when it
 * has done its part. */
static weir_io_t
engine_peek_more(weir_proxy_t *p)
{
    weir_io_t io = WEIR_OK;
    weir_str_t bytes;

    while (engine_may_peek(p) && io == WEIR_OK) {
        io = weir_request_read(p->req, &bytes);
        if (io == WEIR_OK && weir_store_append(&p->taken, bytes) != WEIR_OK) {
            p->req->cause = WEIR_CAUSE_INTERNAL_MEMORY;
            return WEIR_ERROR;
        }
    }
    return io;
}

/* A streamed body that is small and is here already is as good as one that was read ahead ($request_body).  What is
 * here of another goes first. */
static weir_io_t
engine_peek_body(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    weir_store_t *store;
    weir_str_t bytes;
    weir_io_t io;

    if (!engine_may_peek(p)) {
        return WEIR_OK;
    }
    store = weir_read_ahead_store(req);
    io = weir_read_ahead_some(req, store);
    if (io == WEIR_OK) {
        p->body = store;
        p->streaming = false;
        return io;
    }
    while (io != WEIR_ERROR && weir_store_left(store) != 0) {
        if (weir_store_read(store, p->x->http->rx, WEIR_RX_BYTES, &bytes) != WEIR_OK
            || weir_store_append(&p->taken, bytes) != WEIR_OK)
        {
            req->cause = WEIR_CAUSE_INTERNAL_IO;
            io = WEIR_ERROR;
        }
    }
    return io == WEIR_ERROR ? io : WEIR_OK;
}

/* The client's body is there as far as it is to be: which peer is asked? */
static void
engine_go_on(weir_proxy_t *p)
{
    if (p->body_is_ours && !engine_make_body(p)) {
        weir_proxy_release(p);
        (void) weir_request_fail(p->req, WEIR_CAUSE_INTERNAL_IO, NULL);
        return;
    }
    weir_proxy_next_peer(p);
}

/* One of several targets: by turn, or by key.  false: it is a status, and was answered. */
static bool
engine_choose(weir_proxy_t *p, const weir_forward_conf_t *forward)
{
    weir_request_t *req = p->req;
    const weir_proxy_target_t *target = weir_split_choose(req, p->conf->pass.targets, forward->split_key);
    weir_http_return_t answer = { .status = target->status };

    req->target = target;
    if (target->status != 0) {
        (void) weir_http_return(req, &answer);
        return false;
    }
    p->plan->target = target;
    p->pass = req->proxied_to = &target->pass;
    p->plan->edits = p->conf->edits;
    p->plan->edits.url = target->edit_url;
    p->plan->edits.place = target->edit_place;
    p->edits = &p->plan->edits;
    weir_header_edit_request(req, &target->request);
    return true;
}

/* A copy: to another group, as the request is passed on; by the path that variables of proxy_pass make of it, too.
 * false: they make none, so that the request itself is not passed on either. */
static bool
engine_pass_to(weir_proxy_t *p, weir_group_id_t group)
{
    weir_proxy_pass_t *pass = weir_new(&p->req->arena, weir_proxy_pass_t);
    weir_str_t         url;

    *pass = p->conf->pass;
    if (pass->text != NULL
        && weir_proxy_read_target(p->req, &p->conf->pass, pass, &url) != WEIR_PROXY_READ_GOOD)
    {
        (void) weir_request_fail(p->req, WEIR_CAUSE_UPSTREAM_RESOLVE, "a copy of what is not passed on");
        return false;
    }
    pass->group = group;
    pass->authority = weir_upstream_by_id(p->req->generation, group)->name;
    p->pass = p->req->proxied_to = pass;
    return true;
}

static bool
engine_make_plan(weir_proxy_t *p, const weir_forward_conf_t *forward)
{
    p->plan = weir_new(&p->req->arena, weir_proxy_plan_t);
    p->plan->proxy = p;
    p->plan->conf = forward;
    if (weir_group_id_is(p->req->pass_to)) {
        return engine_pass_to(p, p->req->pass_to);
    }
    return p->conf->pass.targets == NULL || engine_choose(p, forward);
}

/* The client's own limit, or `timeout`, whichever is shorter. */
static weir_msec_t
engine_limit(weir_proxy_t *p, weir_msec_t limit)
{
    weir_msec_t timeout = p->plan->conf->timeout;

    p->plan->is_timeout = timeout.ms != 0 && (limit.ms == 0 || timeout.ms < limit.ms);
    return p->plan->is_timeout ? timeout : limit;
}

weir_step_t
weir_proxy_start(weir_request_t *req, const weir_proxy_conf_t *conf, const weir_peer_codec_t *codec)
{
    return weir_proxy_start_within(req, conf, codec, (weir_msec_t) { 0 });
}

weir_step_t
weir_proxy_start_within(weir_request_t *req, const weir_proxy_conf_t *conf, const weir_peer_codec_t *codec,
                        weir_msec_t limit)
{
    const weir_forward_conf_t *forward = weir_request_conf(req, http_forward, weir_forward_conf_t);
    weir_proxy_t *p = weir_alloc_zero(&req->arena, sizeof(*p) + codec->state_size);

    p->req = req;
    p->conf = conf;
    p->x = &p->first;
    p->x->asker = &weir_proxy_asker;
    p->x->of = p;
    p->x->codec = codec;
    p->x->conf = &conf->peer;
    p->x->http = req->http;
    p->x->arena = &req->arena;
    p->x->trailers = &req->upstream_trailers;
    p->pass = &conf->pass;
    p->began = weir_clock_now();
    p->has_client_limit = limit.ms != 0;
    p->buffering = conf->buffering.on;
    p->edits = &conf->edits;
    if (weir_unlikely(!forward->is_plain || conf->pass.targets != NULL) && !engine_make_plan(p, forward)) {
        return WEIR_DONE;
    }
    weir_store_init(&p->store, (size_t) (conf->buffers.n * conf->buffers.size.n), conf->max_temp_file_size.n,
                    conf->temp_path.text.at);
    weir_store_init(&p->taken, (size_t) weir_request_core(req)->client_body_buffer_size.n, 0, NULL);
    weir_arena_on_cleanup(&req->arena, engine_release_at_cleanup, p);
    if (!engine_find_body(p)) {
        /* (X-Accel-Redirect: @name) */
        weir_cause_t cause = req->cause != WEIR_CAUSE_NONE ? req->cause : WEIR_CAUSE_UPSTREAM_REDIRECT;
        uint16_t status = weir_cause_row(cause)->status;
        return weir_request_fail_status(req, cause, status ? status : 502, "the body has gone to another peer");
    }
    if (!weir_proxy_upgrade_begin(p)) {
        return WEIR_DONE;
    }
    if (weir_request_is_split(req)) {
        return weir_request_fail(req, WEIR_CAUSE_CLIENT_TARGET, "encoded_slash");
    }
    if (weir_unlikely(p->plan != NULL)) {
        limit = engine_limit(p, limit);
    }
    if (limit.ms != 0) {
        weir_timer_set(p->x->http->loop, &p->deadline, limit, engine_on_deadline);
    }
    weir_request_hold(req, &p->hold, &engine_hold);
    req->ignore_client_close = conf->ignore_client_abort.on;
    if (p->body != NULL && req->body == NULL && !weir_proxy_collect_body(p)) {
        return WEIR_DONE;
    }
    if (engine_peek_body(p) == WEIR_ERROR) {
        weir_proxy_body_failed(p, req->cause);
        return WEIR_DONE;
    }
    engine_go_on(p);
    return WEIR_DONE;
}
