/*
 * filter.c - see filter.h.  What is kept lies in the worker's pooled blocks.
 *
 * Invariants: a filter that is waiting is given nothing before what is kept in front of it; the end comes once, after
 * all of it; `holds` and what is kept are ended only by weir_filter_go_on, weir_filters_reset and weir_filters_fini.
 */
#include "http/filter.h"

#include "http/filter/response.h"
#include "http/module.h"
#include "http/serve/runtime.h"

#define FILTER_REPLACE_MAX 4             /* answers that filters put in the place of others, for one request */

/* -- the list -- */

void
weir_filter_add(weir_request_t *req, weir_filter_t *filter, const weir_filter_ops_t *ops)
{
    weir_filter_t *outer = req->last_filter, *inner = NULL;

    weir_assert(!req->res.head_sent && ops->place < WEIR_FILTER_PLACES && filter->ops == NULL);
    while (outer != NULL && outer->ops->place > ops->place) {
        inner = outer;
        outer = outer->outer;
    }
    filter->req = req;
    filter->ops = ops;
    filter->outer = outer;
    filter->inner = inner;
    filter->is_of_answer = req->res.head_given;
    filter->is_of_request = !req->res.head_given && req->phase == WEIR_PHASE_FILTER;
    filter->has_head = ops->head != NULL;
    *(outer != NULL ? &outer->inner : &req->filters) = filter;
    *(inner != NULL ? &inner->outer : &req->last_filter) = filter;
}

static void
filter_remove(weir_filter_t *filter)
{
    weir_request_t *req = filter->req;

    *(filter->outer != NULL ? &filter->outer->inner : &req->filters) = filter->inner;
    *(filter->inner != NULL ? &filter->inner->outer : &req->last_filter) = filter->outer;
    weir_chain_clear(&filter->kept, &req->http->blocks);
    filter->holds = filter->is_waiting = filter->has_end = false;
    if (filter->ops->fini != NULL) {
        filter->ops->fini(filter);
    }
    filter->ops = NULL;
    filter->outer = filter->inner = NULL;
}

void
weir_filters_fini(weir_request_t *req)
{
    while (req->filters != NULL) {
        filter_remove(req->filters);
    }
    req->res.head_holder = NULL;
}

void
weir_filters_reset(weir_request_t *req)
{
    weir_response_t *res = &req->res;
    weir_filter_t *inner;

    weir_assert(!res->head_sent);
    for (weir_filter_t *f = req->filters; f != NULL; f = inner) {
        inner = f->inner;
        if (f->is_of_answer) {
            filter_remove(f);
            continue;
        }
        weir_chain_clear(&f->kept, &req->http->blocks);
        f->holds = f->is_waiting = f->has_end = false;
        f->has_head = f->ops->head != NULL;
    }
    res->head_holder = NULL;
    res->head_given = res->end_given = false;
    res->head_row = 0;
    res->verdict = NULL;
}

void
weir_filters_leave(weir_request_t *req)
{
    weir_filter_t *inner;

    if (weir_unlikely(req->sent_fields != NULL)) {
        req->head.fields = *req->sent_fields;
        req->sent_fields = NULL;
    }
    for (weir_filter_t *f = req->body_received == 0 ? req->filters : NULL; f != NULL; f = inner) {
        inner = f->inner;
        if (f->is_of_request) {
            filter_remove(f);
        }
    }
}

/* -- what is said of an answer in place of it -- */

struct weir_filter_verdict {
    uint16_t     status;                 /* 0: the cause's */
    weir_cause_t cause;
    const char  *detail;
    weir_str_t   path, query;            /* path.at == NULL: no redirect */
};

static struct weir_filter_verdict *
filter_say(weir_request_t *req, uint16_t status, weir_cause_t cause, const char *detail)
{
    if (req->res.verdict == NULL) {                            /* the first one stands */
        req->res.verdict = weir_new(&req->arena, struct weir_filter_verdict);
        *req->res.verdict = (struct weir_filter_verdict) { .status = status, .cause = cause, .detail = detail };
    }
    return req->res.verdict;
}

weir_step_t
weir_filter_answer(weir_request_t *req, uint16_t status, weir_cause_t cause, const char *detail)
{
    (void) filter_say(req, status, cause, detail);
    return WEIR_DONE;
}

weir_step_t
weir_filter_redirect(weir_request_t *req, weir_str_t path, weir_str_t query)
{
    struct weir_filter_verdict *verdict = filter_say(req, 0, WEIR_CAUSE_NONE, NULL);

    verdict->path = path;
    verdict->query = query;
    return WEIR_DONE;
}

weir_step_t
weir_filter_fail(weir_request_t *req, weir_cause_t cause, const char *detail)
{
    (void) filter_say(req, 0, cause, detail);
    return WEIR_FAIL;
}

weir_io_t
weir_filter_error(weir_request_t *req, weir_cause_t cause, const char *detail)
{
    (void) filter_say(req, 0, cause, detail);
    return WEIR_ERROR;
}

void
weir_filters_answer_instead(weir_request_t *req)
{
    struct weir_filter_verdict *verdict = req->res.verdict;
    weir_cause_t cause = verdict->cause != WEIR_CAUSE_NONE ? verdict->cause : WEIR_CAUSE_INTERNAL_MEMORY;

    weir_assert(req->holder == NULL && !req->is_ended);
    req->res.verdict = NULL;
    req->finalised = false;                                    /* what was finalised does not come */
    if (req->res.head_sent) {
        weir_request_abort(req, cause, verdict->detail);
    } else if (verdict->path.at != NULL) {
        weir_request_discard_answer(req);
        (void) weir_request_redirect(req, verdict->path, verdict->query);
    } else if (verdict->status != 0) {
        (void) weir_request_fail_status(req, cause, verdict->status, verdict->detail);
    } else {
        (void) weir_request_fail(req, cause, verdict->detail);
    }
}

/* -- heads -- */

/* The next filter that looks at the head. */
static weir_filter_t *
filters_next_head(const weir_request_t *req)
{
    weir_filter_t *f = req->filters;

    while (f != NULL && !f->has_head) {
        f = f->inner;
    }
    return f;
}

/* Slices of a producer's buffer: until the head goes on they may be overwritten. */
static void
filters_keep_fields(weir_request_t *req, weir_fields_t *fields)
{
    for (uint32_t i = 0; i < fields->n; i++) {
        fields->at[i].name = weir_str_dup(&req->arena, fields->at[i].name);
        fields->at[i].value = weir_str_dup(&req->arena, fields->at[i].value);
    }
}

/* OK: the step is as good as NEXT. */
static weir_io_t
filters_take_step(weir_request_t *req, weir_step_t step)
{
    if (step == WEIR_PARK) {
        weir_assert(req->res.head_holder != NULL && req->res.head_holder->holds);
        filters_keep_fields(req, &req->res.fields);
        req->res.reason = weir_str_dup(&req->arena, req->res.reason);
        return WEIR_AGAIN;
    }
    if (req->n_replaced == FILTER_REPLACE_MAX) {
        weir_log(WEIR_LOG_ERROR, &req->log, 0,
                 "filters replaced one another's answers too often: the last one is sent");
        req->res.verdict = NULL;
        return WEIR_OK;
    }
    weir_assert(step == WEIR_FAIL || req->res.verdict != NULL);
    req->n_replaced++;
    (void) filter_say(req, 0, WEIR_CAUSE_INTERNAL_MEMORY, "a filter failed");
    return WEIR_ERROR;
}

weir_io_t
weir_filters_head(weir_request_t *req)
{
    const weir_http_pipeline_t *pipeline = req->location->pipeline;
    const weir_http_filter_row_t *row = pipeline->filters + req->res.head_row;
    const weir_http_filter_row_t *end = req->is_sub ? row : pipeline->filters + pipeline->n_filters;

    weir_assert(req->res.head_given && !req->res.head_sent && req->res.head_holder == NULL);
    for (;;) {
        weir_filter_t *f = filters_next_head(req);
        weir_step_t step;

        if (weir_unlikely(f != NULL) && (row == end || f->ops->place <= row->place)) {
            f->has_head = false;
            step = f->ops->head(f);
        } else if (row != end) {
            step = row->run(req, row->conf);
            row++;
        } else {
            return WEIR_OK;
        }
        if (weir_unlikely(step != WEIR_NEXT)) {
            weir_io_t io = filters_take_step(req, step);

            req->res.head_row = (uint16_t) (row - pipeline->filters);
            if (io != WEIR_OK) {
                return io;
            }
        }
    }
}

bool
weir_filters_change_body(const weir_request_t *req, weir_filter_place_t place)
{
    for (const weir_filter_t *f = req->filters; f != NULL && f->ops->place < place; f = f->inner) {
        if (f->ops->body != NULL || f->ops->end != NULL) {
            return true;
        }
    }
    return false;
}

/* -- keeping -- */

weir_step_t
weir_filter_hold(weir_filter_t *self)
{
    weir_response_t *res = &self->req->res;

    weir_assert(self->ops != NULL && !self->holds && res->head_given && !res->head_sent && res->head_holder == NULL);
    self->holds = self->is_waiting = true;
    res->head_holder = self;
    return WEIR_PARK;
}

/* In front of a filter that waits. */
static weir_io_t
filter_put_aside(weir_filter_t *f, weir_str_t bytes)
{
    weir_assert(f->is_waiting && !f->has_end);
    if (f->kept.size >= WEIR_FILTER_KEEP) {
        return weir_filter_error(f->req, WEIR_CAUSE_INTERNAL_MEMORY,
                                 "a filter waits, and more was made than is kept for it");
    }
    if (!weir_chain_append(&f->kept, &f->req->http->blocks, bytes)) {
        return weir_filter_error(f->req, WEIR_CAUSE_INTERNAL_MEMORY, "bytes that a filter keeps");
    }
    return WEIR_AGAIN;
}

weir_io_t
weir_filter_keep(weir_filter_t *self, weir_str_t rest)
{
    weir_assert(self->req->res.head_given && !self->holds);
    self->holds = self->is_waiting = true;
    if (self->is_draining) {
        self->rest = rest.len;                                 /* it lies in `kept` */
        return WEIR_AGAIN;
    }
    return rest.len != 0 ? filter_put_aside(self, rest) : WEIR_AGAIN;
}

/* The next piece of what is kept.  OK · AGAIN: the filter holds again, or the wire has enough · ERROR. */
static weir_io_t
filter_give_again(weir_filter_t *f)
{
    weir_request_t *req = f->req;
    struct iovec iov = { NULL, 0 };
    weir_io_t io;

    (void) weir_chain_peek(&f->kept, &iov, 1);
    f->rest = 0;
    f->is_draining = true;
    io = f->ops->body != NULL && !req->res.no_body
           ? f->ops->body(f, weir_str(iov.iov_base, iov.iov_len))
           : weir_filters_give_body(req, f->inner, weir_str(iov.iov_base, iov.iov_len));
    f->is_draining = false;
    weir_assert(f->rest <= iov.iov_len);
    weir_chain_consume(&f->kept, &req->http->blocks, iov.iov_len - f->rest);
    if (io != WEIR_AGAIN || f->holds) {
        return io;
    }
    if (weir_filters_give_flush(req, f->inner) == WEIR_ERROR) {
        return WEIR_ERROR;
    }
    return weir_filters_are_pending(req, f->inner) ? WEIR_AGAIN : WEIR_OK;        /* it all went: no edge will tell */
}

/* All that is kept in front of a filter that does not hold any more. */
static weir_io_t
filter_drain(weir_filter_t *f)
{
    weir_request_t *req = f->req;

    weir_assert(f->is_waiting && !f->holds);
    if (req->res.no_body) {                                    /* the head became one of no body after it was given */
        weir_chain_clear(&f->kept, &req->http->blocks);
    }
    while (f->kept.size != 0) {
        weir_io_t io = filter_give_again(f);

        if (io != WEIR_OK) {
            return io;
        }
    }
    f->is_waiting = false;
    if (f->has_end) {
        f->has_end = false;
        return weir_filters_give_end(req, f);
    }
    return WEIR_OK;
}

/* What waits in front of it goes on; when that was all, those outside of it do. */
static void
filter_go_on(weir_filter_t *f)
{
    weir_request_t *req = f->req;
    weir_io_t io = filter_drain(f);

    if (io != WEIR_ERROR && !f->is_waiting) {
        io = weir_filters_give_flush(req, f->inner);
    }
    if (io == WEIR_ERROR) {
        weir_filter_fell(f);
    } else if (!f->is_waiting && !weir_filters_are_pending(req, f->inner)) {
        weir_filter_writable(f);
    }
}

void
weir_filter_go_on(weir_filter_t *self)
{
    weir_request_t *req = self->req;
    weir_io_t io;

    weir_assert(self->ops != NULL && self->holds && !self->is_draining && !req->is_ended);
    self->holds = false;
    if (req->res.head_holder == self) {
        req->res.head_holder = NULL;
        io = weir_response_head_rest(req);
        if (io == WEIR_ERROR) {
            weir_filter_fell(self);
            return;
        }
        if (!req->res.head_sent) {
            /* another holds it; when that goes on, this one is asked */
            return;
        }
    }
    filter_go_on(self);
}

void
weir_filter_fell(weir_filter_t *self)
{
    weir_request_t *req = self->req;

    weir_request_cancel(req);
    weir_response_lost(req);
}

/* -- from the codec's side -- */

/* true: it has more, or waits; the request may have ended. */
static bool
filter_has_more(weir_filter_t *f)
{
    if (f->holds) {
        return true;
    }
    if (f->is_waiting) {
        filter_go_on(f);
        return true;
    }
    return f->ops->on_writable != NULL && f->ops->on_writable(f);
}

static void
filters_writable(weir_request_t *req, weir_filter_t *from)
{
    for (weir_filter_t *f = from; f != NULL; f = f->outer) {
        if (filter_has_more(f)) {
            return;
        }
    }
    weir_request_tell_writable(req);
}

void
weir_filter_writable(weir_filter_t *self)
{
    filters_writable(self->req, self->outer);
}

void
weir_filters_writable(weir_request_t *req)
{
    filters_writable(req, req->last_filter);
}

/* -- the ways through -- */

weir_io_t
weir_filters_give_body(weir_request_t *req, weir_filter_t *to, weir_str_t bytes)
{
    for (; to != NULL; to = to->inner) {
        if (to->is_waiting) {
            return filter_put_aside(to, bytes);
        }
        if (to->ops->body != NULL) {
            return to->ops->body(to, bytes);
        }
    }
    req->res.body_sent += bytes.len;
    return req->codec->send_body(req, bytes);
}

weir_io_t
weir_filters_give_file(weir_request_t *req, weir_filter_t *to, int fd, uint64_t *offset, uint64_t end)
{
    uint64_t from = *offset;
    weir_io_t io;

    for (; to != NULL; to = to->inner) {
        if (to->is_waiting) {
            return WEIR_AGAIN;
        }
        if (to->ops->file != NULL) {
            return to->ops->file(to, fd, offset, end);
        }
        if (to->ops->body != NULL) {
            return WEIR_EOF;
        }
    }
    io = req->codec->send_file != NULL ? req->codec->send_file(req, fd, offset, end) : WEIR_EOF;
    req->res.body_sent += *offset - from;
    return io;
}

weir_io_t
weir_filters_give_pipe(weir_request_t *req, weir_filter_t *to, int pipe, size_t n, size_t *moved)
{
    weir_io_t io;

    *moved = 0;
    for (; to != NULL; to = to->inner) {
        if (to->ops->pipe != NULL && !to->is_waiting) {
            return to->ops->pipe(to, pipe, n, moved);
        }
        if (to->ops->body != NULL || (to->is_waiting && n == 0)) {
            return WEIR_EOF;
        }
        if (to->is_waiting) {
            return WEIR_AGAIN;
        }
    }
    io = req->codec->send_pipe != NULL ? req->codec->send_pipe(req, pipe, n, moved) : WEIR_EOF;
    req->res.body_sent += *moved;
    return io;
}

/* To a filter that was given the rest: itself, else the next inside. */
weir_io_t
weir_filters_give_end(weir_request_t *req, weir_filter_t *to)
{
    weir_io_t io;

    for (; to != NULL; to = to->inner) {
        if (to->is_waiting) {
            weir_assert(!to->has_end);
            to->has_end = true;
            filters_keep_fields(req, &req->res.trailers);
            return WEIR_AGAIN;
        }
        if (to->ops->end != NULL && !req->res.no_body) {
            io = to->ops->end(to);
            to->has_end = to->holds;                           /* it waits before its end: it is asked once more */
            return io;
        }
    }
    io = req->codec->send_end(req);
    req->res.complete = io != WEIR_ERROR;
    return io;
}

weir_io_t
weir_filters_give_flush(weir_request_t *req, weir_filter_t *to)
{
    bool waits = false;
    weir_io_t io;

    if (weir_unlikely(req->res.head_holder != NULL)) {
        return WEIR_AGAIN;
    }
    for (; to != NULL; to = to->inner) {
        if (to->is_waiting) {
            waits = true;
        } else if (to->ops->flush != NULL && !req->res.no_body) {
            io = to->ops->flush(to);
            return io == WEIR_OK && waits ? WEIR_AGAIN : io;
        }
    }
    io = req->codec->flush(req);
    return io == WEIR_OK && waits ? WEIR_AGAIN : io;
}

bool
weir_filters_are_pending(const weir_request_t *req, const weir_filter_t *from)
{
    for (const weir_filter_t *f = from; f != NULL; f = f->inner) {
        if (f->is_waiting || (f->ops->pending != NULL && f->ops->pending(f))) {
            return true;
        }
    }
    return req->codec->send_pending(req);
}

weir_io_t
weir_filters_read(weir_request_t *req, weir_filter_t *from, weir_str_t *bytes)
{
    for (; from != NULL; from = from->inner) {
        if (from->ops->read != NULL) {
            return from->ops->read(from, bytes);
        }
    }
    return req->codec->read_body(req, bytes);
}

/* -- from a filter inward -- */

weir_io_t
weir_filter_pass_body(weir_filter_t *self, weir_str_t bytes)
{
    if (bytes.len == 0) {
        return weir_filter_is_pending(self) ? WEIR_AGAIN : WEIR_OK;
    }
    return weir_filters_give_body(self->req, self->inner, bytes);
}

weir_io_t
weir_filter_pass_file(weir_filter_t *self, int fd, uint64_t *offset, uint64_t end)
{
    return weir_filters_give_file(self->req, self->inner, fd, offset, end);
}

weir_io_t
weir_filter_pass_pipe(weir_filter_t *self, int pipe, size_t n, size_t *moved)
{
    return weir_filters_give_pipe(self->req, self->inner, pipe, n, moved);
}

weir_io_t
weir_filter_pass_end(weir_filter_t *self)
{
    return weir_filters_give_end(self->req, self->inner);
}

weir_io_t
weir_filter_pass_flush(weir_filter_t *self)
{
    return weir_filters_give_flush(self->req, self->inner);
}

weir_io_t
weir_filter_pull(weir_filter_t *self, weir_str_t *bytes)
{
    return weir_filters_read(self->req, self->inner, bytes);
}

bool
weir_filter_is_pending(const weir_filter_t *self)
{
    return weir_filters_are_pending(self->req, self->inner);
}
