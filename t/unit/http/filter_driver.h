/*
 * filter_driver.h - a request between a scripted producer and a scripted wire, with nothing else of a worker: for tests
 * of the chain of filters.
 */
#ifndef WEIR_T_FILTER_DRIVER_H
#define WEIR_T_FILTER_DRIVER_H

#include "http/filter.h"
#include "http/module.h"
#include "http/serve/runtime.h"

#include <string.h>

#define DRIVER_OUT_MAX (4u << 20)

/* -- the wire -- */

static struct {
    char    *out;                        /* the body as it left */
    size_t   n, queued, room;            /* queued: the client has not taken it; more than room of it is AGAIN */
    int      heads, ends, finishes, aborts, pages;
    uint16_t status;
    bool     is_lost;                    /* every call says ERROR */
    bool     goes_at_flush;              /* what was queued goes at the next flush, of which no edge tells */
} wire;

static weir_io_t
wire_answer(void)
{
    return wire.is_lost ? WEIR_ERROR : wire.queued > wire.room ? WEIR_AGAIN : WEIR_OK;
}

static weir_io_t
wire_head(weir_request_t *req)
{
    weir_assert(wire.ends == 0 && wire.n == 0);
    wire.heads++;
    wire.status = req->res.status;
    return wire_answer();
}

static weir_io_t
wire_body(weir_request_t *req, weir_str_t bytes)
{
    (void) req;
    weir_assert(wire.heads == 1 && wire.ends == 0 && bytes.len != 0 && wire.n + bytes.len <= DRIVER_OUT_MAX);
    memcpy(wire.out + wire.n, bytes.at, bytes.len);
    wire.n += bytes.len;
    wire.queued += bytes.len;
    return wire_answer();
}

static weir_io_t
wire_end(weir_request_t *req)
{
    (void) req;
    weir_assert(wire.heads == 1 && wire.ends == 0);
    wire.ends++;
    return wire_answer();
}

static weir_io_t
wire_flush(weir_request_t *req)
{
    (void) req;
    wire.queued = wire.goes_at_flush ? 0 : wire.queued;
    return wire.is_lost ? WEIR_ERROR : wire.queued != 0 ? WEIR_AGAIN : WEIR_OK;
}

static bool
wire_pending(const weir_request_t *req)
{
    (void) req;
    return wire.queued != 0;
}

static char   wire_in[4096];             /* the request's body, and how much of it was read */
static size_t wire_in_len, wire_in_at, wire_in_piece = 4096;

static weir_io_t
wire_read(weir_request_t *req, weir_str_t *bytes)
{
    size_t n = weir_min(wire_in_len - wire_in_at, wire_in_piece);

    req->body_complete = n == 0;
    *bytes = weir_str(wire_in + wire_in_at, n);
    wire_in_at += n;
    return n != 0 ? WEIR_OK : WEIR_EOF;
}

static void
wire_finish(weir_request_t *req)
{
    weir_assert(!req->is_ended);
    req->is_ended = true;
    wire.finishes++;
}

static void
wire_abort(weir_request_t *req)
{
    weir_assert(!req->is_ended);
    req->is_ended = true;
    wire.aborts++;
}

static const weir_codec_t wire_codec = {
    .protocol = "test", .send_head = wire_head, .send_body = wire_body, .send_end = wire_end, .flush = wire_flush,
    .send_pending = wire_pending,
    .read_body = wire_read, .finish = wire_finish, .abort = wire_abort,
};

/* The client takes all that is queued. */
static inline void
wire_takes(weir_request_t *req)
{
    wire.queued = 0;
    weir_request_writable(req);
}

/* -- the world -- */

static weir_http_t            driver_http;
static weir_http_core_conf_t  driver_core;
static weir_http_pipeline_t   driver_pipeline;
static weir_http_location_t   driver_location;
static weir_http_server_t     driver_server;
static weir_client_t          driver_client;
static weir_http_filter_row_t driver_rows[16];

static inline void
driver_add_row(weir_step_t (*run)(weir_request_t *req, const void *conf), const void *conf, weir_filter_place_t place)
{
    weir_assert(driver_pipeline.n_filters < weir_countof(driver_rows));
    weir_assert(driver_pipeline.n_filters == 0 || driver_rows[driver_pipeline.n_filters - 1].place <= place);
    driver_rows[driver_pipeline.n_filters++] = (weir_http_filter_row_t) { run, conf, place };
}

static inline weir_request_t *
driver_begin(void)
{
    weir_request_t *req;

    if (wire.out == NULL) {
        memset(&wire, 0, sizeof(wire));
        wire.out = malloc(DRIVER_OUT_MAX);
        weir_assert(wire.out != NULL);
        weir_chain_pool_init(&driver_http.blocks, 64);
        weir_list_init(&driver_http.free_requests);
        driver_http.trim_timer.deadline.ms = 1;          /* it is on already */
        driver_core.log_not_found.on = true;
        driver_location.core = &driver_core;
        driver_location.pipeline = &driver_pipeline;
        driver_server.fallback = &driver_location;
        driver_server.core = &driver_core;
        driver_client.text = WEIR_STR("192.0.2.1");
    }
    char *out = wire.out;
    memset(&wire, 0, sizeof(wire));
    wire.out = out;
    wire.room = 1000;
    wire_in_at = 0;
    memset(&driver_pipeline, 0, sizeof(driver_pipeline));
    driver_pipeline.filters = driver_rows;
    req = weir_request_take(&driver_http);
    weir_assert(req != NULL);
    req->codec = &wire_codec;
    req->client = &driver_client;
    req->server = &driver_server;
    req->location = &driver_location;
    req->pipeline = &driver_pipeline;
    req->version = 11;
    req->head.method = WEIR_METHOD_GET;
    req->head.method_name = WEIR_STR("GET");
    req->phase = WEIR_PHASE_CONTENT;
    return req;
}

/* Nothing of it is left. */
static inline void
driver_end(weir_request_t *req)
{
    weir_assert(req->is_ended && req->filters == NULL && req->last_filter == NULL && req->holder == NULL);
    weir_assert(wire.finishes + wire.aborts == 1 && wire.heads <= 1 && wire.ends <= 1);
    weir_request_give_back(req);
    weir_assert(driver_http.blocks.n_used == 0);
}

/* -- a producer: gives `body` in pieces, pauses when it is told to -- */

typedef struct {
    weir_holder_t   hold;
    weir_request_t *req;
    weir_str_t      body;
    size_t          at, piece;
    bool            is_paused, is_over;  /* over: it has let go, or was cancelled */
    int             cancels;
} producer_t;

static void
producer_let_go(producer_t *p)
{
    weir_request_let_go(&p->hold);
    p->is_over = true;
}

static void
producer_lost(producer_t *p)
{
    producer_let_go(p);
    weir_response_lost(p->req);
}

/* One piece, or the end. */
static inline void
producer_turn(producer_t *p)
{
    size_t n = weir_min(p->piece, p->body.len - p->at);
    weir_io_t io;

    weir_assert(!p->is_over && !p->is_paused);
    if (n == 0) {
        producer_let_go(p);
        (void) weir_response_end(p->req);
        weir_request_finish(p->req);
        return;
    }
    io = weir_response_body(p->req, weir_str(p->body.at + p->at, n));
    p->at += n;
    if (io != WEIR_ERROR) {
        weir_io_t flushed = weir_response_flush(p->req);
        p->is_paused = flushed == WEIR_AGAIN;
        io = flushed == WEIR_ERROR ? flushed : io;
    }
    if (io == WEIR_ERROR) {
        producer_lost(p);
    }
}

static void
producer_on_writable(weir_holder_t *hold)
{
    producer_t *p = weir_container_of(hold, producer_t, hold);

    weir_assert(!p->is_over);
    p->is_paused = false;
}

static void
producer_on_cancel(weir_holder_t *hold)
{
    producer_t *p = weir_container_of(hold, producer_t, hold);

    weir_assert(!p->is_over);
    p->is_over = true;
    p->cancels++;
}

static const weir_holder_ops_t producer_ops = { .on_writable = producer_on_writable, .on_cancel = producer_on_cancel };

static inline void
producer_begin(producer_t *p, weir_request_t *req, weir_str_t body, size_t piece)
{
    weir_io_t io;

    *p = (producer_t) { .req = req, .body = body, .piece = piece };
    weir_request_hold(req, &p->hold, &producer_ops);
    req->res.status = 200;
    req->res.length = WEIR_LENGTH_NONE;
    io = weir_response_head(req);
    if (io == WEIR_ERROR) {
        producer_lost(p);
    } else {
        p->is_paused = weir_response_flush(req) == WEIR_AGAIN;
    }
}

#endif
