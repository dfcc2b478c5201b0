/*
 * filter.c - the chain of filters: its order, heads that wait, fail or give way, bodies that are kept, and the ends.
 */
#include "filter_driver.h"

#include "../tap.h"

/* -- a filter that does what a test says -- */

typedef struct {
    weir_filter_t filter;
    const char   *name;
    weir_step_t   head_says;             /* PARK holds */
    bool          keeps, fails, is_gone;
    int           bodies, ends, finis;
} toy_t;

static char  trace[256];                 /* letters of who was asked, in their order */

static toy_t *toy_of(weir_filter_t *self) { return weir_container_of(self, toy_t, filter); }

static void
toy_trace(const char *name)
{
    (void) strncat(trace, name, sizeof(trace) - strlen(trace) - 1);
}

static weir_step_t
toy_step(toy_t *toy)
{
    weir_request_t *req = toy->filter.req;

    toy_trace(toy->name);
    switch (toy->head_says) {
    case WEIR_PARK: return weir_filter_hold(&toy->filter);
    case WEIR_DONE: toy->head_says = WEIR_NEXT; return weir_filter_answer(req, 403, WEIR_CAUSE_ACCESS_DENIED, "a toy");
    case WEIR_FAIL: toy->head_says = WEIR_NEXT; return weir_filter_fail(req, WEIR_CAUSE_INTERNAL_IO, "a toy");
    default: return WEIR_NEXT;
    }
}

static weir_step_t
toy_head(weir_filter_t *self)
{
    return toy_step(toy_of(self));
}

static weir_io_t
toy_body(weir_filter_t *self, weir_str_t bytes)
{
    toy_t *toy = toy_of(self);

    toy->bodies++;
    if (toy->fails) {
        return weir_filter_error(self->req, WEIR_CAUSE_INTERNAL_IO, "a toy");
    }
    if (toy->keeps) {
        toy->keeps = false;
        if (weir_filter_pass_body(self, weir_str(bytes.at, 1)) == WEIR_ERROR) {
            return WEIR_ERROR;
        }
        return weir_filter_keep(self, weir_str_skip(bytes, 1));
    }
    return weir_filter_pass_body(self, bytes);
}

static weir_io_t
toy_end(weir_filter_t *self)
{
    toy_of(self)->ends++;
    return weir_filter_pass_end(self);
}

static void
toy_fini(weir_filter_t *self)
{
    toy_of(self)->finis++;
}

#define TOY(at) { .place = at, .head = toy_head, .body = toy_body, .end = toy_end, .fini = toy_fini }
static const weir_filter_ops_t toy_fields = TOY(WEIR_FILTER_FIELDS), toy_transform = TOY(WEIR_FILTER_TRANSFORM),
    toy_encode = TOY(WEIR_FILTER_ENCODE),
                               toy_pace = TOY(WEIR_FILTER_PACE);
static const weir_filter_ops_t toy_of_row = { .place = WEIR_FILTER_TRANSFORM, .body = toy_body, .end = toy_end,
                                              .fini = toy_fini };

/* A module's head filter, which adds a filter of this answer. */
static toy_t row_toy;

static weir_step_t
row_head(weir_request_t *req, const void *conf)
{
    (void) conf;
    toy_trace("r");
    if (row_toy.filter.ops == NULL) {
        weir_filter_add(req, &row_toy.filter, &toy_of_row);
    }
    return row_toy.head_says == WEIR_PARK ? weir_filter_hold(&row_toy.filter) : WEIR_NEXT;
}

static weir_step_t
row_fails(weir_request_t *req, const void *conf)
{
    (void) req;
    (void) conf;
    return WEIR_FAIL;
}

static const weir_str_t text = WEIR_STR_INIT("0123456789");

static weir_request_t *
begin(void)
{
    memset(&row_toy, 0, sizeof(row_toy));
    row_toy.name = "R";
    trace[0] = '\0';
    return driver_begin();
}

static void
run(producer_t *p)
{
    while (!p->is_over && !p->is_paused) {
        producer_turn(p);
    }
}

static void
test_order(void)
{
    weir_request_t *req = begin();
    toy_t pace = { .name = "p" }, encode = { .name = "e" }, fields = { .name = "f" }, second = { .name = "s" };
    producer_t p;

    weir_filter_add(req, &pace.filter, &toy_pace);
    weir_filter_add(req, &fields.filter, &toy_fields);
    weir_filter_add(req, &encode.filter, &toy_encode);
    weir_filter_add(req, &second.filter, &toy_fields);
    ok(req->filters == &fields.filter && fields.filter.inner == &second.filter && second.filter.inner == &encode.filter
       && req->last_filter == &pace.filter, "filters lie in the order of their places, then as they were added");
    driver_add_row(row_head, NULL, WEIR_FILTER_TRANSFORM);
    producer_begin(&p, req, text, 4);
    is_str(weir_str_from_z(trace), "fsrep", "heads are asked in that order, modules' among them");
    ok(second.filter.inner == &row_toy.filter && row_toy.filter.inner == &encode.filter,
       "a filter that a module's head adds lies in its place");
    wire.room = 100;
    while (!p.is_over) {
        run(&p);
        wire_takes(req);
    }
    is_str(weir_str(wire.out, wire.n), "0123456789", "the body arrives");
    ok(row_toy.bodies == 3 && pace.bodies == 3 && pace.ends == 1, "each is given every piece, and the end");
    ok(wire.ends == 1 && req->res.complete && wire.finishes == 1, "the answer ends once");
    ok(pace.finis == 1 && row_toy.finis == 1 && encode.finis == 1, "each filter is ended once");
    driver_end(req);
}

static void
test_held_head(void)
{
    weir_request_t *req = begin();
    toy_t outer = { .name = "f" }, inner = { .name = "e" };
    producer_t p;

    weir_filter_add(req, &outer.filter, &toy_fields);
    weir_filter_add(req, &inner.filter, &toy_encode);
    row_toy.head_says = WEIR_PARK;
    driver_add_row(row_head, NULL, WEIR_FILTER_TRANSFORM);
    producer_begin(&p, req, text, 10);
    ok(wire.heads == 0 && p.is_paused && weir_response_pending(req),
       "a head that is held has not left, and the producer pauses");
    is_str(weir_str_from_z(trace), "fr", "those behind are not asked yet");
    p.is_paused = false;                                       /* (one that does not heed it) */
    producer_turn(&p);
    ok(p.is_paused && wire.n == 0 && outer.bodies == 1 && row_toy.bodies == 0,
       "what it gives is kept in front of the filter that holds");
    p.is_paused = false;
    producer_turn(&p);
    ok(p.is_over && req->holder == &req->rest && wire.ends == 0, "so is the end: the request waits for it");
    weir_request_writable(req);
    ok(wire.heads == 0, "the wire's readiness changes nothing");
    weir_filter_go_on(&row_toy.filter);
    is_str(weir_str_from_z(trace), "fre", "then the head goes on to the others");
    ok(wire.heads == 1 && wire.ends == 1 && row_toy.bodies == 1 && inner.bodies == 1,
       "and what was kept behind it, with the end");
    is_str(weir_str(wire.out, wire.n), "0123456789", "in order");
    ok(!req->is_ended, "the request waits for the client");
    wire_takes(req);
    ok(req->is_ended && wire.finishes == 1, "and ends when that has it all");
    driver_end(req);
}

static void
test_held_by_two(void)
{
    weir_request_t *req = begin();
    toy_t first = { .name = "1", .head_says = WEIR_PARK }, second = { .name = "2", .head_says = WEIR_PARK };
    producer_t p;

    weir_filter_add(req, &first.filter, &toy_fields);
    weir_filter_add(req, &second.filter, &toy_encode);
    producer_begin(&p, req, text, 10);
    p.is_paused = false;
    producer_turn(&p);
    weir_filter_go_on(&first.filter);
    ok(wire.heads == 0 && req->res.head_holder == &second.filter && first.bodies == 0,
       "a second filter holds the head where the first lets it go");
    weir_filter_go_on(&second.filter);
    ok(wire.heads == 1 && first.bodies == 1 && second.bodies == 1, "what waits in front of the first follows the head");
    ok(p.is_paused, "the producer waits for the client");
    wire_takes(req);
    ok(!p.is_paused, "which tells it");
    run(&p);
    is_str(weir_str(wire.out, wire.n), "0123456789", "in order");
    driver_end(req);
}

static void
test_kept_body(void)
{
    weir_request_t *req = begin();
    toy_t toy = { .name = "t", .keeps = true };
    producer_t p;

    weir_filter_add(req, &toy.filter, &toy_transform);
    producer_begin(&p, req, text, 4);
    run(&p);
    is_str(weir_str(wire.out, wire.n), "0", "a filter keeps the rest of a piece");
    ok(p.is_paused && p.at == 4, "and the producer pauses");
    wire_takes(req);
    ok(p.is_paused && wire.n == 1, "whatever the wire has room for");
    toy.keeps = true;
    weir_filter_go_on(&toy.filter);
    is_str(weir_str(wire.out, wire.n), "01", "it may keep it once more");
    weir_filter_go_on(&toy.filter);
    is_str(weir_str(wire.out, wire.n), "0123", "it is given the rest again");
    wire_takes(req);
    ok(!p.is_paused, "then the producer goes on");
    while (!p.is_over) {
        run(&p);
        wire_takes(req);
    }
    is_str(weir_str(wire.out, wire.n), "0123456789", "and all arrives, in order");
    driver_end(req);
}

static void
test_bound(void)
{
    static char large[WEIR_FILTER_KEEP];
    weir_request_t *req = begin();
    toy_t toy = { .name = "t", .head_says = WEIR_PARK };
    producer_t p;

    weir_filter_add(req, &toy.filter, &toy_fields);
    producer_begin(&p, req, weir_str(large, sizeof(large)), sizeof(large));
    p.is_paused = false;
    producer_turn(&p);
    ok(toy.filter.kept.size == sizeof(large), "as much as the bound is kept, of one piece");
    p.at = 0;
    p.is_paused = false;
    producer_turn(&p);
    ok(p.is_over && toy.filter.holds, "a producer that gives more fails: the error has a head, too, which waits");
    weir_filter_go_on(&toy.filter);
    is_int(wire.status, 503, "and is answered with 503");
    is_int(req->cause, WEIR_CAUSE_INTERNAL_MEMORY, "for its cause");
    wire_takes(req);
    driver_end(req);
}

static void
test_verdicts(void)
{
    static const struct { weir_step_t says; int status; weir_cause_t cause; const char *what; } cases[] = {
        { WEIR_DONE, 403, WEIR_CAUSE_ACCESS_DENIED, "answers instead" },
        { WEIR_FAIL, 500, WEIR_CAUSE_INTERNAL_IO, "fails" },
    };

    for (size_t i = 0; i < weir_countof(cases); i++) {
        for (int late = 0; late < 2; late++) {
            weir_request_t *req = begin();
            toy_t holder = { .name = "h", .head_says = late ? WEIR_PARK : WEIR_NEXT },
                judge = { .name = "j", .head_says = cases[i].says };
            producer_t p;

            weir_filter_add(req, &holder.filter, &toy_fields);
            weir_filter_add(req, &judge.filter, &toy_encode);
            producer_begin(&p, req, text, 10);
            if (late) {
                ok(wire.heads == 0 && !p.is_over, "a head is held");
                holder.head_says = WEIR_NEXT;
                weir_filter_go_on(&holder.filter);
                is_int(p.cancels, 1, "the producer is cancelled");
            }
            ok(p.is_over, cases[i].what);
            ok(wire.status == cases[i].status && req->cause == cases[i].cause && wire.ends == 1,
               late ? "later" : "at once");
            wire_takes(req);
            driver_end(req);
        }
    }

    weir_request_t *req = begin();
    producer_t p;
    driver_add_row(row_fails, NULL, WEIR_FILTER_FIELDS);
    producer_begin(&p, req, text, 10);
    ok(wire.status == 503 && wire.heads == 1,
       "a filter that fails again and again does not keep the last answer from the client");
    wire_takes(req);
    driver_end(req);
}

/* Whoever made an answer has ended it, its rest waits: a filter may still answer instead. */
static void
test_verdict_after_the_end(void)
{
    weir_request_t *req = begin();
    toy_t holder = { .name = "h", .head_says = WEIR_PARK }, judge = { .name = "j", .head_says = WEIR_DONE };
    producer_t p;

    weir_filter_add(req, &holder.filter, &toy_fields);
    weir_filter_add(req, &judge.filter, &toy_encode);
    producer_begin(&p, req, text, 10);
    p.is_paused = false;
    producer_turn(&p);
    p.is_paused = false;
    producer_turn(&p);
    ok(p.is_over && req->finalised && !req->is_ended, "an answer was made, its head is held");
    holder.head_says = WEIR_NEXT;
    weir_filter_go_on(&holder.filter);
    ok(wire.status == 403 && wire.heads == 1 && wire.ends == 1, "another comes in its place");
    ok(weir_str_find(weir_str(wire.out, wire.n), '<') == wire.out, "nothing of what was kept stands before it");
    wire_takes(req);
    driver_end(req);
}

static void
test_error_in_body(void)
{
    weir_request_t *req = begin();
    toy_t toy = { .name = "t", .fails = true };
    producer_t p;

    weir_filter_add(req, &toy.filter, &toy_transform);
    producer_begin(&p, req, text, 10);
    run(&p);
    ok(p.is_over && wire.aborts == 1 && req->cause == WEIR_CAUSE_INTERNAL_IO,
       "a filter that fails after the head breaks the answer off, with its cause");
    driver_end(req);
}

static void
test_client_leaves(void)
{
    weir_request_t *req = begin();
    toy_t toy = { .name = "t", .head_says = WEIR_PARK };
    producer_t p;

    weir_filter_add(req, &toy.filter, &toy_fields);
    producer_begin(&p, req, text, 10);
    p.is_paused = false;
    producer_turn(&p);
    weir_request_client_gone(req, WEIR_CAUSE_CLIENT_CLOSED);
    ok(req->is_ended && p.cancels == 1 && toy.finis == 1 && wire.heads == 0,
       "a client that leaves ends the producer and the filters, once");
    driver_end(req);

    req = begin();
    toy = (toy_t) { .name = "t" };
    weir_filter_add(req, &toy.filter, &toy_fields);
    producer_begin(&p, req, text, 10);
    wire.is_lost = true;
    run(&p);
    ok(req->is_ended && req->cause == WEIR_CAUSE_CLIENT_CLOSED && toy.finis == 1, "so does a wire that is lost");
    driver_end(req);
}

static void
test_bodiless(void)
{
    weir_request_t *req = begin();
    toy_t toy = { .name = "t", .head_says = WEIR_PARK };
    producer_t p;

    req->head.method = WEIR_METHOD_HEAD;
    weir_filter_add(req, &toy.filter, &toy_fields);
    producer_begin(&p, req, text, 10);
    p.is_paused = false;
    producer_turn(&p);
    p.is_paused = false;
    producer_turn(&p);
    weir_filter_go_on(&toy.filter);
    ok(wire.heads == 1 && wire.ends == 1 && wire.n == 0 && toy.bodies == 0 && toy.ends == 0,
       "a filter sees no body of an answer to HEAD, nor its end");
    driver_end(req);
}

static weir_step_t
row_empties(weir_request_t *req, const void *conf)
{
    (void) conf;
    req->res.status = 204;
    return WEIR_NEXT;
}

static void
test_bodiless_at_last(void)
{
    weir_request_t *req = begin();
    toy_t toy = { .name = "t", .head_says = WEIR_PARK };
    uint64_t from = 0, to = 10;
    producer_t p;

    weir_filter_add(req, &toy.filter, &toy_fields);
    driver_add_row(row_empties, NULL, WEIR_FILTER_TRANSFORM);
    producer_begin(&p, req, text, 5);
    p.is_paused = false;
    producer_turn(&p);
    ok(toy.filter.kept.size == 5, "a body is kept in front of a filter that holds the head");
    weir_filter_go_on(&toy.filter);
    ok(wire.heads == 1 && wire.status == 204 && wire.n == 0 && toy.bodies == 0,
       "one behind it says that there is none: what was kept is not sent");
    ok(weir_response_wants(req, &from, &to) == WEIR_EOF, "and who can begin anywhere is asked for nothing");
    ok(!p.is_paused, "the producer goes on");
    run(&p);
    ok(wire.ends == 1 && wire.n == 0, "to the end");
    driver_end(req);
}

/* -- the other way -- */

static weir_io_t
upper_read(weir_filter_t *self, weir_str_t *bytes)
{
    weir_io_t io = weir_filter_pull(self, bytes);

    toy_trace(toy_of(self)->name);
    for (size_t i = 0; io == WEIR_OK && i < bytes->len; i++) {
        ((char *) (uintptr_t) bytes->at)[i] ^= 0x20;
    }
    return io;
}

static void
test_read(void)
{
    static const weir_filter_ops_t fields = { .place = WEIR_FILTER_FIELDS, .read = upper_read },
        pace = { .place = WEIR_FILTER_PACE, .read = upper_read };
    weir_request_t *req = begin();
    toy_t outer = { .name = "o" }, inner = { .name = "i" };
    weir_str_t bytes;

    memcpy(wire_in, "abcd", 4);
    wire_in_len = 4;
    weir_filter_add(req, &outer.filter, &fields);
    ok(weir_request_read(req, &bytes) == WEIR_OK, "a body is read through the filters");
    is_str(bytes, "ABCD", "as they change it");
    memcpy(wire_in, "abcd", 4);
    wire_in_at = 0;
    trace[0] = '\0';
    weir_filter_add(req, &inner.filter, &pace);
    (void) weir_request_read(req, &bytes);
    is_str(weir_str_from_z(trace), "io", "from the client's side to the reader's");
    is_str(bytes, "abcd", "each in its turn");
    ok(weir_request_read(req, &bytes) == WEIR_EOF, "to the end");
    weir_request_client_gone(req, WEIR_CAUSE_CLIENT_CLOSED);
    driver_end(req);
}

/* -- the heads of requests -- */

static toy_t         asker;
static weir_holder_t asker_hold;

static const weir_filter_ops_t asker_ops = { .place = WEIR_FILTER_TRANSFORM, .read = upper_read, .fini = toy_fini };

static void
asker_on_cancel(weir_holder_t *holder)
{
    (void) holder;
}

static const weir_holder_ops_t asker_waits = { .on_cancel = asker_on_cancel };

/* Adds a filter for the body, and waits. */
static weir_step_t
asker_request(weir_request_t *req, const void *conf)
{
    (void) conf;
    toy_trace("w");
    weir_filter_add(req, &asker.filter, &asker_ops);
    weir_request_hold(req, &asker_hold, &asker_waits);
    return WEIR_PARK;
}

static weir_step_t
reader_content(weir_request_t *req, const void *conf)
{
    weir_str_t bytes;

    (void) conf;
    toy_trace("c");
    return weir_request_read(req, &bytes) == WEIR_OK ? weir_request_reply(req, 201, WEIR_STR("text/plain"), bytes) : WEIR_FAIL;
}

static void
test_request(void)
{
    static const weir_http_handler_t filters[] = { { asker_request, NULL } }, content[] = { { reader_content, NULL } };
    weir_request_t *req = begin();

    memset(&asker, 0, sizeof(asker));
    asker.name = "f";
    memcpy(wire_in, "abcd", 4);
    wire_in_len = 4;
    driver_pipeline.phase[WEIR_PHASE_FILTER] = filters;
    driver_pipeline.n[WEIR_PHASE_FILTER] = 1;
    driver_pipeline.phase[WEIR_PHASE_CONTENT] = content;
    driver_pipeline.n[WEIR_PHASE_CONTENT] = 1;
    req->phase = WEIR_PHASE_REWRITE;
    weir_request_resume(req);
    is_str(weir_str_from_z(trace), "w", "a filter of requests is asked before the content, and may wait");
    weir_request_let_go(&asker_hold);
    weir_request_resume(req);
    is_str(weir_str_from_z(trace), "wcf", "then the content, which reads the body through the filter that was added");
    is_str(weir_str(wire.out, wire.n), "ABCD", "as that changes it");
    wire_takes(req);
    is_int(asker.finis, 1, "the filter ends with the request");
    driver_end(req);

    req = begin();
    memset(&asker, 0, sizeof(asker));
    asker.name = "f";
    req->phase = WEIR_PHASE_FILTER;
    weir_filter_add(req, &asker.filter, &asker_ops);
    weir_filters_leave(req);
    ok(req->filters == NULL && asker.finis == 1, "a request that goes to another place leaves the filter behind");
    memset(&asker, 0, sizeof(asker));
    weir_filter_add(req, &asker.filter, &asker_ops);
    req->body_received = 1;
    weir_filters_leave(req);
    ok(req->filters == &asker.filter, "unless its body has been begun");
    weir_request_client_gone(req, WEIR_CAUSE_CLIENT_CLOSED);
    driver_end(req);
}

int
main(void)
{
    test_request();
    test_order();
    test_held_head();
    test_held_by_two();
    test_kept_body();
    test_bound();
    test_verdicts();
    test_verdict_after_the_end();
    test_error_in_body();
    test_client_leaves();
    test_bodiless();
    test_bodiless_at_last();
    test_read();
    return done();
}
