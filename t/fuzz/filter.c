/*
 * filter.c - fuzz target: a chain of filters between a scripted producer and a scripted wire.  The input says which
 * filters there are, what each does at each call (passes, in pieces; holds; keeps; fails; answers instead), and what
 * happens between: a filter goes on, the client takes bytes or leaves, a timer of somebody's fails the request.
 *
 * With a body of the request, somebody reads it through the filters meanwhile: each passes it on as it changes it, or
 * waits.
 *
 * Oracles: the body that arrives is the producer's as the filters change it, in order, nothing lost or doubled; the end
 * comes once and behind it; no more is kept than the bound and a piece; nobody is called after its end; the producer is
 * woken; when everybody has gone on, the request has ended.
 */
#include "../unit/http/filter_driver.h"

#include "log/log.h"

#include <fcntl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ACTORS_MAX 6
#define ROWS_MAX   6
#define BODY_MAX   2000

/* What a filter makes of a body, whatever the pieces are. */
typedef enum { MAKES_SAME, MAKES_LESS, MAKES_MORE, MAKES_TAIL, MAKES } makes_t;

typedef struct {
    weir_filter_t filter;
    makes_t       makes;
    size_t        at;                    /* in the body, as it comes to it */
    size_t        read_at;               /* in the request's body, as it comes to it */
    bool          is_gone, has_end, has_read_end;
    char          own[64];               /* bytes that it has for itself */
    size_t        n_own;
} actor_t;

/* records are made, and thrown away */
static weir_log_sink_t log_sink = { .kind = WEIR_LOG_TO_FILE, .level = WEIR_LOG_INFO };

static const uint8_t *input;
static size_t         input_left;
static bool           is_quiet;          /* from here on nobody holds, fails or leaves */

static uint8_t
next(void)
{
    if (input_left == 0) {
        return 0;
    }
    input_left--;
    return *input++;
}

static actor_t *actors[64];              /* all that there ever were for this request */
static size_t   n_actors;

static actor_t *actor_of(const weir_filter_t *self) { return weir_container_of(self, actor_t, filter); }

/* -- what it does -- */

static weir_step_t
actor_step(actor_t *actor)
{
    weir_request_t *req = actor->filter.req;

    weir_assert(!actor->is_gone && !req->res.head_sent && !req->is_ended);
    if (is_quiet) {
        return WEIR_NEXT;
    }
    switch (next() % 16) {
    case 1: case 2: case 3: return weir_filter_hold(&actor->filter);
    case 4: return weir_filter_fail(req, WEIR_CAUSE_INTERNAL_IO, NULL);
    case 5: return weir_filter_answer(req, 403, WEIR_CAUSE_ACCESS_DENIED, NULL);
    case 6: return WEIR_FAIL;
    default: return WEIR_NEXT;
    }
}

static weir_step_t
actor_head(weir_filter_t *self)
{
    actor_t *actor = actor_of(self);

    actor->at = actor->n_own = 0;                              /* of an answer in whose place this one comes */
    actor->has_end = false;
    return actor_step(actor);
}

static weir_io_t
actor_make(actor_t *actor, const char *byte)
{
    size_t      at = actor->at++;
    weir_io_t   io = WEIR_OK;

    if (actor->makes == MAKES_LESS && at % 7 == 3) {
        return weir_filter_is_pending(&actor->filter) ? WEIR_AGAIN : WEIR_OK;
    }
    if (actor->makes == MAKES_MORE && at % 5 == 2) {
        io = weir_filter_pass_body(&actor->filter, weir_str(byte, 1));
    }
    return io == WEIR_ERROR ? io : weir_filter_pass_body(&actor->filter, weir_str(byte, 1));
}

/* As it is to be. */
static weir_io_t
actor_pass(actor_t *actor, weir_str_t bytes)
{
    weir_io_t io = WEIR_OK;

    if (actor->makes == MAKES_SAME || actor->makes == MAKES_TAIL) {
        actor->at += bytes.len;
        return weir_filter_pass_body(&actor->filter, bytes);
    }
    for (size_t i = 0; i < bytes.len && io != WEIR_ERROR; i++) {
        io = actor_make(actor, bytes.at + i);
    }
    return io;
}

static weir_io_t
actor_pass_own(actor_t *actor)
{
    size_t n = actor->n_own;

    actor->n_own = 0;
    return n != 0 ? actor_pass(actor, weir_str(actor->own, n)) : WEIR_OK;
}

static weir_io_t
actor_body(weir_filter_t *self, weir_str_t bytes)
{
    actor_t *actor = actor_of(self);
    uint8_t  what = is_quiet ? 0 : next() % 16;
    size_t   n = bytes.len;

    weir_assert(!actor->is_gone && !actor->has_end);
    weir_assert(bytes.len != 0 && self->req->res.head_given && !self->holds);
    weir_assert(self->kept.size <= WEIR_FILTER_KEEP + BODY_MAX * 4);
    if (actor_pass_own(actor) == WEIR_ERROR) {
        return WEIR_ERROR;
    }
    switch (what) {
    case 1:                                                    /* in two pieces */
        n = next() % (bytes.len + 1);
        if (n != 0 && actor_pass(actor, weir_str(bytes.at, n)) == WEIR_ERROR) {
            return WEIR_ERROR;
        }
        bytes = weir_str_skip(bytes, n);
        return bytes.len != 0 ? actor_pass(actor, bytes) : weir_filter_is_pending(self) ? WEIR_AGAIN : WEIR_OK;
    case 2: case 3:                                            /* keeps the rest of it */
        n = next() % (bytes.len + 1);
        if (n != 0 && actor_pass(actor, weir_str(bytes.at, n)) == WEIR_ERROR) {
            return WEIR_ERROR;
        }
        return weir_filter_keep(self, weir_str_skip(bytes, n));
    case 4:                                                    /* has it for itself: until more comes, or the end */
        if (bytes.len > sizeof(actor->own)) {
            return actor_pass(actor, bytes);
        }
        memcpy(actor->own, bytes.at, bytes.len);
        actor->n_own = bytes.len;
        return weir_filter_is_pending(self) ? WEIR_AGAIN : WEIR_OK;
    case 5:
        return next() % 4 == 0 ? weir_filter_error(self->req, WEIR_CAUSE_INTERNAL_IO, NULL) : actor_pass(actor, bytes);
    default:
        return actor_pass(actor, bytes);
    }
}

static weir_io_t
actor_end(weir_filter_t *self)
{
    actor_t *actor = actor_of(self);

    weir_assert(!actor->is_gone && !actor->has_end && self->req->res.end_given && self->kept.size == 0);
    if (!is_quiet && next() % 8 == 1) {
        return weir_filter_keep(self, WEIR_STR(""));
    }
    actor->has_end = true;
    if (actor_pass_own(actor) == WEIR_ERROR) {
        return WEIR_ERROR;
    }
    if (actor->makes == MAKES_TAIL && weir_filter_pass_body(self, WEIR_STR("tail")) == WEIR_ERROR) {
        return WEIR_ERROR;
    }
    return weir_filter_pass_end(self);
}

static weir_io_t
actor_flush(weir_filter_t *self)
{
    actor_t *actor = actor_of(self);

    weir_assert(!actor->is_gone);
    if (!is_quiet && next() % 2 == 1 && !self->is_draining && actor_pass_own(actor) == WEIR_ERROR) {
        return WEIR_ERROR;
    }
    return weir_filter_pass_flush(self);
}

/* What it makes of so many bytes, of which the first is at `at`. */
static size_t
make(makes_t makes, size_t at, const char *from, size_t n, char *out)
{
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        if (makes == MAKES_LESS && (at + i) % 7 == 3) {
            continue;
        }
        out[k++] = from[i];
        if (makes == MAKES_MORE && (at + i) % 5 == 2) {
            out[k++] = from[i];
        }
    }
    return k;
}

static weir_io_t
actor_read(weir_filter_t *self, weir_str_t *bytes)
{
    actor_t  *actor = actor_of(self);
    char     *out;
    size_t    n;
    weir_io_t io;

    weir_assert(!actor->is_gone && !self->req->is_ended);
    do {
        if (!is_quiet && next() % 8 == 1) {
            return WEIR_AGAIN;
        }
        io = weir_filter_pull(self, bytes);
        if (io == WEIR_EOF && actor->makes == MAKES_TAIL && !actor->has_read_end) {
            actor->has_read_end = true;
            *bytes = WEIR_STR("tail");
            return WEIR_OK;
        }
        if (io != WEIR_OK) {
            return io;
        }
        weir_assert(bytes->len != 0 && !actor->has_read_end);
        out = weir_alloc_bytes(&self->req->arena, 2 * bytes->len);
        n = make(actor->makes, actor->read_at, bytes->at, bytes->len, out);
        actor->read_at += bytes->len;
        *bytes = weir_str(out, n);
    } while (n == 0);
    return WEIR_OK;
}

static void
actor_fini(weir_filter_t *self)
{
    weir_assert(!actor_of(self)->is_gone);
    actor_of(self)->is_gone = true;
}

#define ACTOR(at) \
    { .place = at, .head = actor_head, .body = actor_body, .end = actor_end, .flush = actor_flush, .read = actor_read, \
      .fini = actor_fini }
#define OF_ROW(at) { .place = at, .body = actor_body, .end = actor_end, .flush = actor_flush, .fini = actor_fini }
static const weir_filter_ops_t actor_ops[WEIR_FILTER_PLACES] = { ACTOR(0), ACTOR(1), ACTOR(2), ACTOR(3), ACTOR(4),
                                                                 ACTOR(5) };
static const weir_filter_ops_t row_ops[WEIR_FILTER_PLACES] = { OF_ROW(0), OF_ROW(1), OF_ROW(2), OF_ROW(3), OF_ROW(4),
                                                               OF_ROW(5) };

static actor_t *
actor_add(weir_request_t *req, const weir_filter_ops_t *ops, makes_t makes)
{
    actor_t *actor = weir_new(&req->arena, actor_t);

    weir_assert(n_actors < weir_countof(actors));
    actor->makes = makes;
    actors[n_actors++] = actor;
    weir_filter_add(req, &actor->filter, ops);
    return actor;
}

/* A module's: adds a filter to each answer. */
static const makes_t row_makes[ROWS_MAX] = { MAKES_SAME, MAKES_LESS, MAKES_MORE, MAKES_TAIL, MAKES_SAME, MAKES_LESS };

static weir_step_t
row_head(weir_request_t *req, const void *conf)
{
    size_t place = (size_t) ((const makes_t *) conf - row_makes);

    return actor_step(actor_add(req, &row_ops[place], row_makes[place]));
}

/* -- what is to arrive -- */

static size_t
expect(const weir_request_t *req, const char *body, size_t len, char *out)
{
    static char from[8 * BODY_MAX];
    size_t n = len;

    memcpy(out, body, len);
    for (const weir_filter_t *f = req->filters; f != NULL; f = f->inner) {
        makes_t makes = actor_of(f)->makes;
        size_t  k;

        memcpy(from, out, n);
        k = make(makes, 0, from, n, out);
        if (makes == MAKES_TAIL) {
            memcpy(out + k, "tail", 4);
            k += 4;
        }
        n = k;
    }
    return n;
}

/* -- the request's body -- */

static char   read_want[8 * BODY_MAX], read_got[8 * BODY_MAX];
static size_t read_want_len, read_got_len;
static bool   is_read;                   /* to its end, or there is nobody to read it */

/* Through the filters that there are, the client's side first. */
static void
reader_begin(const weir_request_t *req, size_t len)
{
    static char from[8 * BODY_MAX];

    for (size_t i = 0; i < len; i++) {
        wire_in[i] = (char) ('A' + i % 26);
    }
    wire_in_len = len;
    memcpy(read_want, wire_in, len);
    read_want_len = len;
    read_got_len = 0;
    is_read = len == 0;
    for (const weir_filter_t *f = req->last_filter; f != NULL; f = f->outer) {
        makes_t makes = weir_container_of(f, actor_t, filter)->makes;

        memcpy(from, read_want, read_want_len);
        read_want_len = make(makes, 0, from, read_want_len, read_want);
        if (makes == MAKES_TAIL) {
            memcpy(read_want + read_want_len, "tail", 4);
            read_want_len += 4;
        }
    }
}

static void
reader_turn(weir_request_t *req)
{
    weir_str_t bytes;

    if (is_read) {
        return;
    }
    switch (weir_request_read(req, &bytes)) {
    case WEIR_OK:
        weir_assert(bytes.len != 0 && read_got_len + bytes.len <= read_want_len);
        memcpy(read_got + read_got_len, bytes.at, bytes.len);
        read_got_len += bytes.len;
        weir_assert(memcmp(read_got, read_want, read_got_len) == 0);
        break;
    case WEIR_EOF:
        weir_assert(read_got_len == read_want_len && req->body_complete);
        is_read = true;
        break;
    case WEIR_AGAIN:
        weir_assert(!is_quiet);
        break;
    case WEIR_ERROR:
        weir_assert(false);
    }
}

/* -- what happens -- */

static bool
go_on(uint8_t which)
{
    actor_t *held[64];
    size_t   n = 0;

    for (size_t i = 0; i < n_actors; i++) {
        if (!actors[i]->is_gone && actors[i]->filter.holds) {
            held[n++] = actors[i];
        }
    }
    if (n != 0) {
        weir_filter_go_on(&held[which % n]->filter);
    }
    return n != 0;
}

static void
turn(weir_request_t *req, producer_t *p, uint8_t what)
{
    switch (what % 8) {
    case 0: case 1: case 2:
        if (!p->is_over && (!p->is_paused || (!is_quiet && next() % 16 == 1))) {
            p->is_paused = false;
            producer_turn(p);
        }
        break;
    case 3: case 4:
        (void) go_on(what / 8);
        break;
    case 5: case 6:
        wire_takes(req);
        break;
    case 7:
        if (is_quiet) {
            break;
        }
        switch (what / 8 % 16) {
        case 0: weir_request_client_gone(req, WEIR_CAUSE_CLIENT_CLOSED); break;
        case 1: wire.is_lost = true; break;
        case 2:
            if (!p->is_over) {                                 /* somebody's timer */
                (void) weir_request_fail(req, WEIR_CAUSE_INTERNAL_IO, NULL);
            }
            break;
        case 3: case 4: case 5: case 6: reader_turn(req); break;
        default: wire.room = next() * 8u; break;
        }
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char     body[BODY_MAX], expected[8 * BODY_MAX];
    weir_request_t *req = driver_begin();
    uint8_t         n, rows;
    size_t          want = 0, len;
    bool            was_produced;
    producer_t      p;

    if (log_sink.fd <= 0) {
        log_sink.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        weir_log_use(&log_sink);
    }
    input = data;
    input_left = size;
    is_quiet = false;
    n_actors = 0;
    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = (char) ('a' + i % 26);
    }
    n = next() % (ACTORS_MAX + 1);
    rows = next();
    for (size_t i = 0; i < ROWS_MAX; i++) {
        if (rows >> i & 1) {
            driver_add_row(row_head, &row_makes[i], (weir_filter_place_t) i);
        }
    }
    while (n-- != 0) {
        uint8_t what = next();
        (void) actor_add(req, &actor_ops[what % WEIR_FILTER_PLACES], (makes_t) (what / 8 % MAKES));
    }
    wire.room = next();
    if (rows & 0x80) {
        req->head.method = WEIR_METHOD_HEAD;
    }
    wire_in_piece = rows & 0x40 ? 1u + next() : sizeof(wire_in);
    reader_begin(req, rows & 0x40 ? next() * 8u % (BODY_MAX + 1) : 0);
    len = next() * 8u % (BODY_MAX + 1);
    producer_begin(&p, req, weir_str(body, len), 1u + next());
    for (int turns = 0; !req->is_ended && input_left != 0 && turns < 10000; turns++) {
        turn(req, &p, next());
    }
    is_quiet = true;
    for (int turns = 0; !req->is_ended; turns++) {
        weir_assert(turns < 20000);          /* everybody has gone on, and it has not ended: nobody woke the producer */
        if (req->res.head_sent && p.cancels == 0 && req->cause == WEIR_CAUSE_NONE) {
            want = expect(req, body, len, expected);           /* (before the filters go) */
        }
        reader_turn(req);
        if (!go_on(0)) {
            wire_takes(req);
        }
        if (!req->is_ended && !p.is_over && !p.is_paused) {
            producer_turn(&p);
        }
    }
    was_produced = req->cause == WEIR_CAUSE_NONE && wire.ends == 1 && wire.finishes == 1;
    if (was_produced && want != 0) {
        size_t all = req->res.no_body ? 0 : want;
        weir_assert(wire.n == all && memcmp(wire.out, expected, all) == 0);
        weir_assert(wire.status == 200);
    }
    for (size_t i = 0; i < n_actors; i++) {
        weir_assert(actors[i]->is_gone);
    }
    driver_end(req);
    return 0;
}
