/*
 * pace.c - see pace.h.  Runs in workers; what waits lies in pooled blocks, no more of it than a producer gives at once.
 *
 * The first second's bytes (and limit_rate_after) may go at once, as in nginx.
 */
#include "http/filter/pace.h"

#include "base/chain.h"
#include "http/filter.h"
#include "http/filter/response.h"
#include "http/serve/runtime.h"

typedef struct weir_pace {
    weir_filter_t       filter;
    uint64_t            rate;          /* bytes a second */
    uint64_t            after, sent;
    weir_instant_t      began;
    weir_chain_t        held;
    weir_timer_t        timer;
    bool                is_parked;     /* on_writable is due when more may go */
    bool                ends;          /* send_end, when all that is held has gone */
} weir_pace_t;

static void pace_on_timer(weir_timer_t *timer);

static weir_pace_t *pace_of(weir_filter_t *self) { return weir_container_of(self, weir_pace_t, filter); }

/* How many may have gone until now. */
static uint64_t
pace_budget(const weir_pace_t *pace)
{
    return pace->after + weir_rate_budget(pace->rate, pace->began);
}

static uint64_t
pace_allowed(const weir_pace_t *pace)
{
    uint64_t budget = pace_budget(pace);

    return budget > pace->sent ? budget - pace->sent : 0;
}

/* Until a good piece of it may go: a quarter of a second's. */
static void
pace_wait(weir_pace_t *pace)
{
    uint64_t piece = weir_max(weir_min(pace->rate / 4, (uint64_t) WEIR_TX_BYTES), 1);
    uint64_t budget = pace_budget(pace);
    uint64_t lacking = pace->sent + piece > budget ? pace->sent + piece - budget : 0;

    pace->is_parked = true;
    weir_timer_set(pace->filter.req->http->loop, &pace->timer,
                   (weir_msec_t) { weir_max(weir_min(lacking * 1000 / pace->rate + 1, UINT64_C(60000)), 1) },
                   pace_on_timer);
}

/* OK: nothing is held any more · AGAIN: the wire or the clock · ERROR. */
static weir_io_t
pace_send_held(weir_pace_t *pace)
{
    struct iovec iov = { NULL, 0 };

    while (pace->held.size != 0) {
        uint64_t allowed = pace_allowed(pace);
        if (allowed == 0) {
            pace_wait(pace);
            return WEIR_AGAIN;
        }
        (void) weir_chain_peek(&pace->held, &iov, 1);
        size_t n = weir_min(iov.iov_len, allowed);
        weir_io_t io = weir_filter_pass_body(&pace->filter, weir_str(iov.iov_base, n));
        pace->sent += n;
        weir_chain_consume(&pace->held, &pace->filter.req->http->blocks, n);
        if (io != WEIR_OK) {
            return io;
        }
    }
    if (pace->ends) {
        pace->ends = false;
        return weir_filter_pass_end(&pace->filter);
    }
    return WEIR_OK;
}

static bool
pace_is_holding(const weir_pace_t *pace)
{
    return pace->held.size != 0 || pace->ends;
}

/* What is held goes on its way; when that was all, the producer does. */
static void
pace_go_on(weir_pace_t *pace)
{
    weir_filter_t *self = &pace->filter;
    weir_io_t io;

    do {
        io = pace_send_held(pace);
        if (io != WEIR_ERROR && weir_filter_pass_flush(self) == WEIR_ERROR) {
            io = WEIR_ERROR;
        }
    /* it all went: no edge will tell */
    } while (io == WEIR_AGAIN && pace_is_holding(pace) && !pace->is_parked && !weir_filter_is_pending(self));
    if (io == WEIR_ERROR) {
        weir_filter_fell(self);
        return;
    }
    if (!pace_is_holding(pace) && !weir_filter_is_pending(self)) {
        weir_timer_clear(&pace->timer);
        pace->is_parked = false;
        weir_filter_writable(self);
    }
}

static void
pace_on_timer(weir_timer_t *timer)
{
    weir_pace_t *pace = weir_container_of(timer, weir_pace_t, timer);

    pace->is_parked = false;
    if (!weir_filter_is_pending(&pace->filter)) {      /* else the wire tells when it is free */
        pace_go_on(pace);
    }
}

static bool
pace_on_writable(weir_filter_t *self)
{
    weir_pace_t *pace = pace_of(self);

    if (pace->is_parked) {
        return true;                                   /* the timer's turn */
    }
    if (!pace_is_holding(pace)) {
        return false;
    }
    pace_go_on(pace);
    return true;
}

/* -- the filter -- */

static weir_io_t
pace_body(weir_filter_t *self, weir_str_t bytes)
{
    weir_pace_t *pace = pace_of(self);
    uint64_t allowed = pace->held.size != 0 ? 0 : pace_allowed(pace);
    size_t n = weir_min(bytes.len, allowed);
    weir_io_t io = WEIR_OK;

    if (n != 0) {
        pace->sent += n;
        io = weir_filter_pass_body(self, weir_str(bytes.at, n));
        bytes = weir_str_skip(bytes, n);
    }
    if (bytes.len == 0 || io == WEIR_ERROR) {
        return io;
    }
    if (!weir_chain_append(&pace->held, &self->req->http->blocks, bytes)) {
        return weir_filter_error(self->req, WEIR_CAUSE_INTERNAL_MEMORY, "limit_rate");
    }
    if (io == WEIR_OK && !pace->is_parked) {
        pace_wait(pace);
    }
    return WEIR_AGAIN;
}

static weir_io_t
pace_file(weir_filter_t *self, int fd, uint64_t *offset, uint64_t end)
{
    weir_pace_t *pace = pace_of(self);
    uint64_t allowed = pace_allowed(pace), from = *offset;
    weir_io_t io;

    if (pace->held.size != 0 || allowed == 0) {
        if (!pace->is_parked) {
            pace_wait(pace);
        }
        return WEIR_AGAIN;
    }
    io = weir_filter_pass_file(self, fd, offset, weir_min(end, from + allowed));
    pace->sent += *offset - from;
    if (io == WEIR_OK && *offset < end) {
        pace_wait(pace);
        return WEIR_AGAIN;
    }
    return io;
}

static weir_io_t
pace_end(weir_filter_t *self)
{
    weir_pace_t *pace = pace_of(self);

    if (pace->held.size != 0) {
        pace->ends = true;
        return WEIR_AGAIN;
    }
    return weir_filter_pass_end(self);
}

static bool
pace_pending(const weir_filter_t *self)
{
    return pace_is_holding(weir_container_of(self, weir_pace_t, filter));
}

static weir_io_t
pace_flush(weir_filter_t *self)
{
    const weir_pace_t *pace = pace_of(self);
    weir_io_t io = weir_filter_pass_flush(self);

    return io == WEIR_OK && (pace_is_holding(pace) || pace->is_parked) ? WEIR_AGAIN : io;
}

static void
pace_fini(weir_filter_t *self)
{
    weir_pace_t *pace = pace_of(self);

    weir_timer_drop(&pace->timer);
    weir_chain_clear(&pace->held, &self->req->http->blocks);
}

/* (The bytes of a pipe have to be counted out: there is no .pipe.) */
static const weir_filter_ops_t pace_filter = {
    .place = WEIR_FILTER_PACE,
    .body = pace_body,
    .file = pace_file,
    .end = pace_end,
    .pending = pace_pending,
    .flush = pace_flush,
    .on_writable = pace_on_writable,
    .fini = pace_fini,
};

/* What is no number of bytes, or empty, is none. */
static uint64_t
pace_bytes(weir_request_t *req, const weir_template_t *template)
{
    weir_str_t text = template != NULL ? weir_request_eval(req, template) : WEIR_STR_NONE;
    weir_bytes_t read;

    return text.len != 0 && weir_conf_read_bytes(text, &read) ? read.n : 0;
}

weir_step_t
weir_pace_head(weir_request_t *req, const void *conf)
{
    const weir_http_core_conf_t *core = weir_request_core(req);
    uint64_t rate = req->has_limit_rate ? req->limit_rate : pace_bytes(req, core->limit_rate);
    weir_pace_t *pace;

    (void) conf;
    if (rate == 0 || req->res.status == 101 || weir_response_is_bodiless(req)) {
        return WEIR_NEXT;
    }
    pace = weir_new(&req->arena, weir_pace_t);
    pace->rate = weir_min(rate, WEIR_RATE_MAX);
    pace->after = pace_bytes(req, core->limit_rate_after);
    pace->began = weir_clock_now();
    weir_filter_add(req, &pace->filter, &pace_filter);
    return WEIR_NEXT;
}
