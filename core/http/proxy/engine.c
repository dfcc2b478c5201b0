/*
 * engine.c - the proxy engine's states and what moves between them.
 *
 *   BODY ──> CONNECT ──> HEAD ──> STREAM ──> DONE
 *              ^           │  └──> TUNNEL ──> DONE
 *              └── next ───┘
 *
 * Runs in workers.  A proxied request's state lies in the request's arena; descriptors and heap are let go by
 * weir_proxy_release, which every way out passes.
 */
#include "http/proxy/emit.h"

#include "http/read_ahead.h"
#include "http/runtime.h"
#include "os/clock.h"

#include <string.h>

static void engine_exchange_ready(weir_proxy_t *p);
static void engine_tunnel_ready(weir_proxy_t *p);
static void engine_connect_timeout(weir_proxy_t *p);
static void engine_head_timeout(weir_proxy_t *p);
static void engine_stream_timeout(weir_proxy_t *p);
static void engine_tunnel_timeout(weir_proxy_t *p);
static void engine_sent(weir_proxy_t *p, weir_io_t io);

typedef struct {
    const char *name;
    void (*on_ready)(weir_proxy_t *p);        /* the codec may read or write */
    void (*on_timeout)(weir_proxy_t *p);
} engine_state_row_t;

static const engine_state_row_t engine_states[] = {
    [WEIR_PROXY_BODY]    = { "body", NULL, NULL },
    [WEIR_PROXY_CONNECT] = { "connect", NULL, engine_connect_timeout },
    [WEIR_PROXY_HEAD]    = { "head", engine_exchange_ready, engine_head_timeout },
    [WEIR_PROXY_STREAM]  = { "stream", engine_exchange_ready, engine_stream_timeout },
    [WEIR_PROXY_TUNNEL]  = { "tunnel", engine_tunnel_ready, engine_tunnel_timeout },
    [WEIR_PROXY_DONE]    = { "done", NULL, NULL },
};

static void
engine_go(weir_proxy_t *p, weir_proxy_state_t state)
{
    weir_debug(&p->req->log, "proxy %s -> %s", engine_states[p->state].name, engine_states[state].name);
    p->state = state;
}

void
weir_proxy_ready(weir_proxy_t *p)
{
    if (engine_states[p->state].on_ready != NULL) {
        engine_states[p->state].on_ready(p);
    }
}

void
weir_proxy_on_timer(weir_timer_t *timer)
{
    weir_proxy_t *p = weir_container_of(timer, weir_proxy_t, timer);

    if (engine_states[p->state].on_timeout != NULL) {
        engine_states[p->state].on_timeout(p);
    }
}

void
weir_proxy_wait(weir_proxy_t *p, weir_msec_t limit)
{
    weir_timer_set(p->x.http->loop, &p->timer, limit, weir_proxy_on_timer);
}

/* -- connecting -- */

static void
engine_connect_timeout(weir_proxy_t *p)
{
    weir_proxy_fail(p, WEIR_CAUSE_UPSTREAM_CONNECT_TIMEOUT, NULL, WEIR_NEXT_TIMEOUT);
}

/* The way to the peer stands: the request goes out. */
void
weir_proxy_connected(weir_proxy_t *p)
{
    p->attempt->connected = true;
    p->attempt->connect_time.ms = weir_clock_now().ms - p->attempt_began.ms;
    engine_go(p, WEIR_PROXY_HEAD);
    engine_sent(p, p->x.codec->send_head(&p->x));
}

void
weir_proxy_fail_emit(weir_proxy_t *p)
{
    weir_request_t *req = p->req;

    weir_proxy_release(p, false);
    (void) weir_request_fail(req, WEIR_CAUSE_INTERNAL_EMIT, "the request for the peer");
}

/* How it went with the head. */
static void
engine_sent(weir_proxy_t *p, weir_io_t io)
{
    if (p->state == WEIR_PROXY_TUNNEL) {               /* the answer was faster than the telling */
        p->request_sent = true;
        return;
    }
    if (io != WEIR_ERROR) {
        weir_proxy_send_more(p);
        return;
    }
    if (p->x.cause == WEIR_CAUSE_INTERNAL_EMIT) {
        weir_proxy_fail_emit(p);
        return;
    }
    weir_proxy_fail(p, p->x.cause, p->x.detail, WEIR_NEXT_ERROR);
}

/* -- what the exchange tells -- */

static inline weir_proxy_t *
engine_of(weir_exchange_t *x)
{
    return weir_container_of(x, weir_proxy_t, x);
}

static void
engine_on_connected(weir_exchange_t *x)
{
    weir_proxy_connected(engine_of(x));
}

static void
engine_on_failed(weir_exchange_t *x)
{
    weir_proxy_fail(engine_of(x), x->cause, x->detail, WEIR_NEXT_ERROR);
}

static void
engine_on_ready(weir_exchange_t *x)
{
    weir_proxy_ready(engine_of(x));
}

static void
engine_on_sent(weir_exchange_t *x, weir_io_t io)
{
    engine_sent(engine_of(x), io);
}

static void
engine_each_field(weir_exchange_t *x, weir_exchange_put_t *put, void *data)
{
    weir_proxy_each_field(engine_of(x), put, data);
}

const weir_asker_t weir_proxy_asker = {
    .on_connected = engine_on_connected,
    .on_failed = engine_on_failed,
    .on_ready = engine_on_ready,
    .on_sent = engine_on_sent,
    .each_field = engine_each_field,
};

/* -- how the way is secured -- */

/* How it is secured goes with the request: its name and certificate may be told by variables. */
static weir_io_t
engine_bind(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    weir_str_t text = weir_template_eval(p->conf->bind, req, &req->arena);
    weir_addr_t *from;
    weir_hostport_t hp;
    const char *hint;

    if (text.len == 0 || weir_str_eq(text, WEIR_STR("off"))) {
        return WEIR_OK;
    }
    from = weir_new(&req->arena, weir_addr_t);
    if (!weir_hostport_parse(&hp, text, &hint) || hp.is_unix || !weir_addr_from_ip(from, hp.host, hp.port)) {
        return weir_exchange_error(&p->x, WEIR_CAUSE_UPSTREAM_CONNECT_FAILED, "the address to come from is none");
    }
    if (from->any.sa_family == p->pick.peer->conf->addr.any.sa_family) {
        p->x.secure.from = from;
    }
    return WEIR_OK;
}

weir_io_t
weir_proxy_secure(weir_proxy_t *p)
{
    p->x.secure.from = NULL;
    if (!p->pass->is_tls) {
        return p->conf->bind != NULL ? engine_bind(p) : WEIR_OK;
    }
    if (!weir_http_tls_toward(&p->conf->tls, p->req, p->pass->group->host_header, &p->x.secure)) {
        return weir_exchange_error(&p->x, WEIR_CAUSE_UPSTREAM_TLS_HANDSHAKE, "no certificate of our own");
    }
    p->x.secure.protocols = p->x.codec->protocols;
    return p->conf->bind != NULL ? engine_bind(p) : WEIR_OK;
}

/* -- exchanging -- */

static void
engine_head_timeout(weir_proxy_t *p)
{
    if (!p->request_sent && p->x.codec->pending(&p->x)) {
        weir_proxy_fail(p, WEIR_CAUSE_UPSTREAM_SEND_TIMEOUT, NULL, WEIR_NEXT_TIMEOUT);
        return;
    }
    weir_proxy_fail(p, WEIR_CAUSE_UPSTREAM_READ_TIMEOUT, NULL, WEIR_NEXT_TIMEOUT);
}

static void
engine_stream_timeout(weir_proxy_t *p)
{
    weir_proxy_fail(p, WEIR_CAUSE_UPSTREAM_READ_TIMEOUT, NULL, WEIR_NEXT_TIMEOUT);
}

/* An interim answer: 101 only when it was asked for, 100 is ours to give, the rest goes on; not more than 8 (US-04). */
static bool
engine_interim(weir_proxy_t *p)
{
    weir_str_t to;

    if (p->x.head.status == 101) {
        if (weir_proxy_upgrade_switches(p, &to)) {
            engine_go(p, WEIR_PROXY_TUNNEL);
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
    if (p->x.head.status != 100 && p->req->codec->send_interim(p->req, p->x.head.status, &p->x.head.fields) == WEIR_ERROR) {
        weir_request_client_gone(p->req, WEIR_CAUSE_CLIENT_CLOSED);
        return false;
    }
    return true;
}

/* No head came: was it the way there, or what came? */
static unsigned
engine_head_kind(weir_cause_t cause)
{
    switch (cause) {
    case WEIR_CAUSE_UPSTREAM_RESET: case WEIR_CAUSE_UPSTREAM_CLOSED: case WEIR_CAUSE_UPSTREAM_H2_RESET:
    case WEIR_CAUSE_UPSTREAM_H2_REFUSED: return WEIR_NEXT_ERROR;
    case WEIR_CAUSE_UPSTREAM_SEND_TIMEOUT: return WEIR_NEXT_TIMEOUT;
    default: return WEIR_NEXT_INVALID_HEADER;
    }
}

static void
engine_read_head(weir_proxy_t *p)
{
    for ( ;; ) {
        switch (p->x.codec->read_head(&p->x)) {
        case WEIR_AGAIN:
            if (p->request_sent) {
                weir_proxy_wait(p, p->conf->peer.read_timeout);
            }
            return;
        case WEIR_EOF:
            weir_proxy_fail(p, WEIR_CAUSE_UPSTREAM_CLOSED, p->x.got_bytes ? "inside the head" : NULL, WEIR_NEXT_ERROR);
            return;
        case WEIR_ERROR:
            weir_proxy_fail(p, p->x.cause, p->x.detail, engine_head_kind(p->x.cause));
            return;
        case WEIR_OK:
            if (p->x.head.status >= 200) {
                engine_go(p, WEIR_PROXY_STREAM);
                weir_proxy_answer(p);
                return;
            }
            if (!engine_interim(p)) {
                return;
            }
        }
    }
}

static void
engine_exchange_ready(weir_proxy_t *p)
{
    weir_request_t *req = p->req;

    if (!p->request_sent && p->x.codec->writable(&p->x)) {
        weir_proxy_send_more(p);
        if (req->is_ended || p->released || !p->held) {
            return;
        }
    }
    if (!p->x.codec->readable(&p->x)) {
        return;
    }
    if (p->state == WEIR_PROXY_HEAD) {
        engine_read_head(p);
    } else if (p->state == WEIR_PROXY_STREAM) {
        weir_proxy_pump(p);
    }
}

/* -- tunnels -- */

static void
engine_tunnel_ready(weir_proxy_t *p)
{
    weir_proxy_tunnel_pump(p);
}

static void
engine_tunnel_timeout(weir_proxy_t *p)
{
    weir_request_t *req = p->req;

    req->keep_alive = false;
    weir_proxy_end_attempt(p, false);
    weir_proxy_release(p, false);
    weir_request_abort(req, WEIR_CAUSE_UPSTREAM_READ_TIMEOUT, "tunnel");
}

/* -- the client's side -- */

static void
engine_client_gone(weir_request_t *req)
{
    weir_proxy_t *p = req->producer;

    weir_proxy_end_attempt(p, false);
    weir_proxy_release(p, false);
}

static void
engine_release_at_cleanup(void *data)
{
    weir_proxy_release(data, false);
}

/* -- begin -- */

void
weir_proxy_on_body(weir_request_t *req)
{
    weir_proxy_t *p = req->producer;

    if (p->state == WEIR_PROXY_BODY) {
        if (weir_proxy_collect_body(p)) {
            weir_proxy_next_peer(p);
        }
    } else if (p->state == WEIR_PROXY_TUNNEL) {
        weir_proxy_tunnel_pump(p);
    } else if (p->held && p->state != WEIR_PROXY_CONNECT) {
        weir_proxy_send_more(p);
    }
}

static void
engine_on_writable(weir_request_t *req)
{
    weir_proxy_t *p = req->producer;

    p->client_paused = false;
    if (p->state == WEIR_PROXY_TUNNEL) {
        weir_proxy_tunnel_pump(p);
    } else if (p->state == WEIR_PROXY_STREAM) {
        weir_proxy_pump(p);
    }
}

/* The client's own limit: whoever is asked, whatever was answered. */
static void
engine_on_deadline(weir_timer_t *timer)
{
    weir_proxy_t *p = weir_container_of(timer, weir_proxy_t, deadline);

    weir_proxy_fail(p, WEIR_CAUSE_UPSTREAM_DEADLINE, NULL, 0);
}

static void
engine_close_body(void *store)
{
    weir_store_fini(store);
}

/* proxy_set_body: a text of ours. */
static bool
engine_make_body(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    weir_str_t text = weir_template_eval(p->conf->set_body, req, &req->arena);

    p->body = weir_new(&req->arena, weir_store_t);
    weir_store_init(p->body, text.len, UINT64_MAX / 2, weir_request_core(req)->client_body_temp_path.text.at);
    weir_arena_on_cleanup(&req->arena, engine_close_body, p->body);
    p->x.has_body = p->body_is_ours = true;
    return text.len == 0 || weir_store_append(p->body, text) == WEIR_OK;
}

/* Where the request's body comes from: none, read ahead now or by who was asked before, or the client as it sends. false: it was
 * taken and has gone, so that nobody can answer for the first any more. */
static bool
engine_find_body(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    const weir_proxy_conf_t *conf = p->conf;

    if (conf->set_body != NULL) {
        return engine_make_body(p);
    }
    if (req->body_dropped || req->cause == WEIR_CAUSE_CLIENT_BODY_TOO_LARGE) {
        return true;
    }
    if (req->body != NULL) {
        p->body = req->body;
        p->x.has_body = conf->pass_request_body.on;
        return true;
    }
    if (req->body_received != 0) {
        return !conf->pass_request_body.on;
    }
    p->x.has_body = conf->pass_request_body.on && !req->body_complete;
    p->streaming = p->x.has_body && !conf->request_buffering.on
                   && (conf->peer.http_version != 10 || req->head.content_length != WEIR_LENGTH_NONE);
    if (!p->streaming && (p->x.has_body || weir_read_ahead_needs_file(req))) {
        p->body = weir_read_ahead_store(req);
    }
    return true;
}

weir_step_t
weir_proxy_start(weir_request_t *req, const weir_proxy_conf_t *conf, const weir_peer_codec_t *codec)
{
    return weir_proxy_start_within(req, conf, codec, (weir_msec_t) { 0 });
}

weir_step_t
weir_proxy_start_within(weir_request_t *req, const weir_proxy_conf_t *conf, const weir_peer_codec_t *codec, weir_msec_t limit)
{
    weir_proxy_t *p = weir_alloc_zero(&req->arena, sizeof(*p) + codec->state_size);

    p->req = req;
    p->conf = conf;
    p->x.asker = &weir_proxy_asker;
    p->x.codec = codec;
    p->x.conf = &conf->peer;
    p->x.http = req->http;
    p->x.arena = &req->arena;
    p->x.trailers = &req->res.trailers;
    p->pass = &conf->pass;
    p->began = weir_clock_now();
    p->buffering = conf->buffering.on;
    weir_store_init(&p->store, (size_t) (conf->buffers.n * conf->buffers.size.n), conf->max_temp_file_size.n,
                    conf->temp_path.text.at);
    weir_store_init(&p->taken, (size_t) weir_request_core(req)->client_body_buffer_size.n, 0, NULL);
    weir_arena_on_cleanup(&req->arena, engine_release_at_cleanup, p);
    if (!engine_find_body(p)) {
        uint16_t status = weir_cause_row(req->cause)->status;
        return weir_request_fail_status(req, req->cause, status ? status : 502, "the body has gone to another peer");
    }
    if (!weir_proxy_upgrade_begin(p)) {
        return WEIR_DONE;
    }
    if (limit.ms != 0) {
        weir_timer_set(p->x.http->loop, &p->deadline, limit, engine_on_deadline);
    }
    req->producer = p;
    req->on_body = weir_proxy_on_body;
    req->on_writable = engine_on_writable;
    req->on_abort = engine_client_gone;
    req->ignore_client_close = conf->ignore_client_abort.on;
    if (p->body != NULL && req->body == NULL && !p->body_is_ours && !weir_proxy_collect_body(p)) {
        return WEIR_DONE;
    }
    weir_proxy_next_peer(p);
    return WEIR_DONE;
}
