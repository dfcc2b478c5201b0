/*
 * answer.c - the peer's answer toward the client: its head, re-emitted; its body, pulled by the client's window, with a
 * store behind a slow client when proxy_buffering is on.
 */
#include "http/proxy/split.h"
#include "http/proxy/sticky.h"

#include "event/slice.h"
#include "http/filter/pace.h"
#include "http/filter/ranges.h"
#include "http/serve/runtime.h"
#include "os/clock.h"

#include <string.h>

#define ANSWER_ROUNDS 16       /* reads a turn, however quick they are */

/* Fields of the peer that are Weir's own to write, or meant for Weir. */
static bool
answer_is_hidden(const weir_proxy_conf_t *conf, const weir_field_t *f)
{
    if ((f->flags & (WEIR_FIELD_HOP | WEIR_FIELD_DROP))
        && (f->id != WEIR_HEADER_UPGRADE || !weir_proxy_upgrade_may_pass(f->value)))
    {
        return true;
    }
    if (f->id != WEIR_HEADER_OTHER) {
        return (conf->hide_known[f->id / 8] >> (f->id % 8)) & 1;
    }
    for (size_t i = 0; i < conf->n_hide_other; i++) {
        if (weir_str_eq_fold(conf->hide_other[i], f->name)) {
            return true;
        }
    }
    return false;
}

static weir_str_t
answer_value(weir_proxy_t *p, const weir_field_t *f)
{
    switch (f->id) {
    case WEIR_HEADER_LOCATION:   return weir_edit_location(p->edits, p->req, f->value);
    case WEIR_HEADER_REFRESH:    return weir_edit_refresh(p->edits, p->req, f->value);
    case WEIR_HEADER_SET_COOKIE: return weir_edit_cookie(p->edits, p->req, f->value);
    default: return f->value;
    }
}

static bool
answer_heeds(const weir_proxy_t *p, unsigned field)
{
    return (p->conf->ignore_headers & field) == 0;
}

static void
answer_set_rate(weir_proxy_t *p, weir_str_t text)
{
    uint64_t rate;

    if (answer_heeds(p, WEIR_IGNORE_LIMIT_RATE) && weir_str_to_u64(text, &rate)) {
        p->req->has_limit_rate = true;
        p->req->limit_rate = rate;
    }
}

/* Fields of which an answer has one: the first stands, the others are not for the client. */
static bool
answer_has_one(unsigned id)
{
    switch (id) {
    case WEIR_HEADER_ACCEPT_RANGES: case WEIR_HEADER_CONTENT_DISPOSITION: case WEIR_HEADER_CONTENT_TYPE:
    case WEIR_HEADER_DATE:
    case WEIR_HEADER_ETAG: case WEIR_HEADER_EXPIRES: case WEIR_HEADER_LAST_MODIFIED: case WEIR_HEADER_LOCATION:
    case WEIR_HEADER_REFRESH:
    case WEIR_HEADER_SERVER: case WEIR_HEADER_X_ACCEL_BUFFERING: case WEIR_HEADER_X_ACCEL_CHARSET:
    case WEIR_HEADER_X_ACCEL_LIMIT_RATE:
    case WEIR_HEADER_X_ACCEL_REDIRECT: return true;
    default: return false;
    }
}

/* f: the first of several of its name. */
static void
answer_drop_others(weir_proxy_t *p, const weir_field_t *f)
{
    if (!answer_has_one(f->id)) {
        return;
    }
    weir_log(WEIR_LOG_WARN, &p->req->log, 0, "upstream sent duplicate header line: \"%.*s\", the first stands",
             WEIR_STR_ARG(f->name));
    for (weir_field_t *other = weir_fields_next(&p->x->head.fields, f); other != NULL;
         other = weir_fields_next(&p->x->head.fields, other))
    {
        other->flags |= WEIR_FIELD_DROP;
    }
}

void
weir_proxy_hide_fields(weir_proxy_t *p)
{
    for (uint32_t i = 0; i < p->x->head.fields.n; i++) {
        weir_field_t *f = &p->x->head.fields.at[i];

        if (f->id == WEIR_HEADER_CONTENT_LENGTH || f->id == WEIR_HEADER_UPGRADE || answer_is_hidden(p->conf, f)) {
            f->flags |= WEIR_FIELD_DROP;
        }
    }
}

/* The peer's wishes for how its answer is passed on. */
static void
answer_heed(weir_proxy_t *p, const weir_field_t *f)
{
    switch (f->id) {
    case WEIR_HEADER_X_ACCEL_BUFFERING:
        if (answer_heeds(p, WEIR_IGNORE_BUFFERING)) {
            p->buffering = weir_str_eq_fold(f->value, WEIR_STR("no"))  ? false
                         : weir_str_eq_fold(f->value, WEIR_STR("yes")) ? true
                                                                       : p->buffering;
        }
        return;
    case WEIR_HEADER_X_ACCEL_LIMIT_RATE:
        answer_set_rate(p, f->value);
        return;
    case WEIR_HEADER_X_ACCEL_CHARSET:
        if (answer_heeds(p, WEIR_IGNORE_CHARSET)) {
            p->req->charset = f->value;
        }
        return;
    default:
        return;
    }
}

/* What the client may see of the peer's fields. false: no memory. */
bool
weir_proxy_copy_fields(weir_proxy_t *p)
{
    weir_response_t *res = &p->req->res;
    /* of the answer that asked for this one (X-Accel-Redirect) */
    bool has_kept = res->fields.n != 0 && res->status != 101;

    for (uint32_t i = 0; i < p->x->head.fields.n; i++) {
        const weir_field_t *f = &p->x->head.fields.at[i];
        weir_field_t *copy;

        if (f->flags & WEIR_FIELD_MANY) {
            answer_drop_others(p, f);
        }
        if (f->flags & WEIR_FIELD_DROP) {
            continue;
        }
        answer_heed(p, f);
        if (f->id == WEIR_HEADER_CONTENT_LENGTH || f->id == WEIR_HEADER_TRANSFER_ENCODING
            || answer_is_hidden(p->conf, f) || (f->id == WEIR_HEADER_UPGRADE && res->status == 101))
        {
            continue;
        }
        if (has_kept && answer_has_one(f->id)) {
            weir_response_set(p->req, (weir_header_id_t) f->id, answer_value(p, f));
            continue;
        }
        copy = weir_fields_add(&res->fields, &p->req->arena, f->id, f->name, answer_value(p, f), 0);
        if (copy == NULL) {
            return false;
        }
        copy->flags |= copy->value.at == f->value.at ? f->flags & WEIR_FIELD_CLEAN : 0;
    }
    if (weir_proxy_group(p)->sticky != NULL) {
        weir_proxy_sticky_answer(p);
    }
    if (weir_unlikely(p->plan != NULL) && p->plan->target != NULL) {
        weir_header_edit_response(p->req, &p->plan->target->response);
        p->req->target_took.ms = 1 + weir_clock_now().ms - p->plan->asked.ms - p->attempt->client_time.ms;
    }
    return true;
}

/* The head of 200 and up (and of a 101 that was asked for): to the client's codec. false: the request is over. */
static bool
answer_send_head(weir_proxy_t *p)
{
    weir_request_t *req = p->req;

    req->res.status = p->x->head.status;
    req->res.reason = p->x->head.reason;
    req->res.length = p->x->head.chunked ? WEIR_LENGTH_NONE : p->x->head.content_length;
    if (p->x->method == WEIR_METHOD_HEAD && req->head.method != WEIR_METHOD_HEAD) {
        req->res.length = 0;                    /* proxy_method: the length told is of a body that does not come */
    }
    if (!req->body_complete && !p->x->codec->save(p->x)) {
        weir_proxy_fail(p, WEIR_CAUSE_INTERNAL_MEMORY, NULL, 0);
        return false;
    }
    if (!weir_proxy_copy_fields(p)) {
        weir_proxy_fail(p, WEIR_CAUSE_INTERNAL_MEMORY, NULL, 0);
        return false;
    }
    req->res.is_live = !p->buffering;
    req->res.has_trailers = p->conf->pass_trailers.on && p->x->may_have_trailers && req->version >= 11;
    if (p->conf->force_ranges.on && req->res.status == 200 && req->res.length != WEIR_LENGTH_NONE) {
        req->res.has_ranges = true;
        if (weir_ranges_refuse(req, req->res.length)) {
            weir_proxy_end_attempt(p, false);
            weir_proxy_release(p);
            (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_RANGE, NULL);
            return false;
        }
    }
    if (weir_response_head(req) == WEIR_ERROR) {
        weir_proxy_lost(p);
        return false;
    }
    if (!req->res.head_sent && !p->x->codec->save(p->x)) {     /* a filter holds it */
        weir_proxy_fail(p, WEIR_CAUSE_INTERNAL_MEMORY, NULL, 0);
        return false;
    }
    return true;
}

/* -- X-Accel-Redirect: another place here makes the answer; these fields of the peer's stay -- */

static bool
answer_stays_with_redirect(const weir_field_t *f)
{
    switch (f->id) {
    case WEIR_HEADER_CONTENT_TYPE: case WEIR_HEADER_CONTENT_DISPOSITION: case WEIR_HEADER_SET_COOKIE:
    case WEIR_HEADER_CACHE_CONTROL:
    case WEIR_HEADER_EXPIRES: case WEIR_HEADER_ACCEPT_RANGES: return true;
    default: return false;
    }
}

/* For the answer that comes in place of this one.  Where another asked for this one before, its fields give way. */
static void
answer_keep(weir_proxy_t *p, const weir_field_t *f)
{
    weir_str_t value = weir_str_dup(&p->req->arena, answer_value(p, f));

    if (answer_has_one(f->id)) {
        weir_response_set(p->req, (weir_header_id_t) f->id, value);
    } else {
        weir_response_add(p->req, (weir_header_id_t) f->id, value);
    }
}

/* true: it was asked for, and the request is in other hands. */
static bool
answer_redirect(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    const weir_field_t *to = weir_fields_first(&p->x->head.fields, WEIR_HEADER_X_ACCEL_REDIRECT);
    weir_str_t target, path, query;
    weir_uri_t uri;

    if (to == NULL || to->value.len == 0 || !answer_heeds(p, WEIR_IGNORE_REDIRECT) || weir_group_id_is(req->pass_to)) {
        return false;                           /* (the answer to a copy leads nowhere) */
    }
    target = weir_str_dup(&req->arena, to->value);
    for (uint32_t i = 0; i < p->x->head.fields.n; i++) {
        const weir_field_t *f = &p->x->head.fields.at[i];
        if (f->flags & WEIR_FIELD_MANY) {
            answer_drop_others(p, f);
        }
        if (f->id == WEIR_HEADER_X_ACCEL_LIMIT_RATE && (f->flags & WEIR_FIELD_DROP) == 0) {
            answer_set_rate(p, f->value);
        }
        if (answer_stays_with_redirect(f) && (f->flags & (WEIR_FIELD_HOP | WEIR_FIELD_DROP)) == 0) {
            answer_keep(p, f);
        }
    }
    req->upstream_head = NULL;                  /* what borrows from the peer's bytes goes with them */
    weir_proxy_end_attempt(p, false);
    weir_proxy_release(p);
    if (target.at[0] == '@') {
        (void) weir_request_redirect_named(req, target);
        return true;
    }
    weir_str_cut(target, '?', &path, &query);
    path = weir_uri_encode_rest(path, &req->arena);            /* spaces, '#' and UTF-8 may stand as they are */
    query = weir_uri_encode_query(query, &req->arena);
    if (path.len == 0 || path.at[0] != '/' || weir_uri_normalise(&uri, path, true, &req->arena) != WEIR_URI_OK
        || !weir_uri_query_ok(query))
    {
        (void) weir_request_fail(req, WEIR_CAUSE_UPSTREAM_REDIRECT, NULL);
        return true;
    }
    weir_request_be_get(req);
    (void) weir_request_redirect(req, uri.path, query);
    return true;
}

static void answer_set_limit(weir_proxy_t *p);

void
weir_proxy_answer(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    uint16_t status = p->x->head.status;

    weir_proxy_client_came(p);
    p->attempt->status = status;
    p->attempt->has_header = true;
    p->attempt->bytes_received = p->x->received;
    p->attempt->header_time.ms = weir_clock_now().ms - p->attempt_began.ms;
    req->upstream_head = &p->x->head;
    if (weir_proxy_retry_status(p)) {
        return;
    }
    if (answer_redirect(p)) {
        return;
    }
    if (status >= 300 && p->conf->intercept_errors.on && weir_request_has_error_page(req, status)) {
        req->challenges = status == 401 || status == 407 ? &p->x->head.fields : NULL;
        weir_proxy_end_attempt(p, false);
        weir_proxy_release(p);
        (void) weir_request_fail_status(req, WEIR_CAUSE_UPSTREAM_STATUS, status, NULL);
        return;
    }
    if (answer_send_head(p)) {
        answer_set_limit(p);
        weir_proxy_pump(p);
    }
}

/* -- the body -- */

/* Those of the peer go before any of our own.  false: no memory. */
static bool
answer_pass_trailers(weir_proxy_t *p)
{
    weir_request_t *req = p->req;

    for (uint32_t i = 0; req->res.has_trailers && p->conf->pass_trailers.on && i < req->upstream_trailers.n; i++) {
        const weir_field_t *f = &req->upstream_trailers.at[i];
        if (!answer_is_hidden(p->conf, f)
            && weir_fields_add(&req->res.trailers, &req->arena, f->id, f->name, f->value, 0) == NULL)
        {
            return false;
        }
    }
    return true;
}

/* All of the peer's answer is here: the way to it goes back before the slow client has taken everything.  EOF · ERROR:
 * the request is over. */
static weir_io_t
answer_peer_done(weir_proxy_t *p)
{
    if (!answer_pass_trailers(p)) {
        weir_proxy_fail(p, WEIR_CAUSE_INTERNAL_MEMORY, NULL, 0);
        return WEIR_ERROR;
    }
    p->peer_done = true;
    if (weir_unlikely(p->plan != NULL) && p->plan->is_timeout) {
        weir_timer_drop(&p->deadline);                  /* the client may take its time */
    }
    weir_proxy_end_attempt(p, false);
    weir_exchange_end(p->x, true);
    return WEIR_EOF;
}

static void
answer_finish(weir_proxy_t *p)
{
    weir_request_t *req = p->req;

    (void) weir_response_end(req);
    weir_proxy_release(p);
    weir_request_finish(req);
}

/* It does not take what the peer sends. */
static void
answer_client_pauses(weir_proxy_t *p)
{
    p->client_paused = true;
    weir_proxy_gave(p);
}

static weir_io_t
answer_to_client(weir_proxy_t *p, weir_str_t bytes)
{
    weir_io_t io = weir_response_body(p->req, bytes);

    if (io == WEIR_AGAIN) {
        answer_client_pauses(p);
    }
    return io;
}

/* -- large plain bodies: by way of a pipe, without a copy -- */

#define ANSWER_PIECE      16384
/* answers for one client that may lie in memory whole: what others keep lies in files */
#define ANSWER_MEM_SHARE  2
#define ANSWER_SPLICE_MIN 131072        /* of less the calls cost more than the copy */

/* What the pipe holds, as far as it goes. */
static weir_io_t
answer_from_pipe(weir_proxy_t *p)
{
    size_t moved;
    weir_io_t io;

    if (p->pipe_held == 0 || p->client_paused) {
        return WEIR_OK;
    }
    io = weir_response_pipe(p->req, p->pipe.out, p->pipe_held, &moved);
    p->pipe_held -= moved;
    if (io == WEIR_AGAIN) {
        answer_client_pauses(p);
    }
    return io == WEIR_ERROR ? io : WEIR_OK;
}

static bool
answer_may_splice(weir_proxy_t *p)
{
    size_t none;

    if (p->no_pipe || p->x->codec->spliceable == NULL || p->rate != 0
        || p->x->codec->spliceable(p->x) < ANSWER_SPLICE_MIN)
    {
        return false;
    }
    if (!p->has_pipe) {
        p->no_pipe = weir_response_pipe(p->req, -1, 0, &none) == WEIR_EOF || !weir_http_take_pipe(p->x->http, &p->pipe);
        p->has_pipe = !p->no_pipe;
    }
    return p->has_pipe;
}

/* One pipe full, from the peer and on to the client. */
static weir_io_t
answer_splice(weir_proxy_t *p)
{
    size_t moved = 0;
    weir_io_t io = p->x->codec->splice(p->x, p->pipe.in, WEIR_PIPE_BYTES, &moved);

    if (io == WEIR_ERROR) {
        weir_proxy_fail(p, p->x->cause, p->x->detail, WEIR_NEXT_ERROR);
        return io;
    }
    weir_exchange_wait(p->x, p->conf->peer.read_timeout);
    if (io == WEIR_AGAIN) {
        return io;
    }
    p->attempt->response_length += moved;
    p->pipe_held = moved;
    if (answer_from_pipe(p) == WEIR_ERROR) {
        weir_proxy_lost(p);
        return WEIR_ERROR;
    }
    return WEIR_OK;
}

static uint64_t
answer_mem(const weir_proxy_t *p)
{
    return p->conf->buffers.n * p->conf->buffers.size.n;
}

/* What was stored for a slow client, as far as it goes. */
static weir_io_t
answer_from_store(weir_proxy_t *p)
{
    weir_str_t bytes;

    if (answer_from_pipe(p) == WEIR_ERROR) {
        return WEIR_ERROR;
    }
    while (!p->client_paused && weir_store_left(&p->store) != 0) {
        size_t piece = weir_response_piece(p->req, WEIR_RX_BYTES);

        if ((p->x->is_held && !p->x->codec->save(p->x))
            || weir_store_read(&p->store, p->x->http->rx, piece, &bytes) != WEIR_OK)
        {
            return WEIR_EOF;                                   /* the store's fault, not the client's */
        }
        if (answer_to_client(p, bytes) == WEIR_ERROR) {
            return WEIR_ERROR;
        }
    }
    if (weir_store_size(&p->store) != 0 && weir_store_left(&p->store) == 0) {
        weir_proxy_unstore(p);
        weir_store_clear(&p->store);
        p->store.mem_max = answer_mem(p);
    }
    return WEIR_OK;
}

/* -- proxy_limit_rate: so many bytes a second are read, the first second's at once -- */

static void
answer_on_rate(weir_timer_t *timer)
{
    weir_proxy_pump(weir_container_of(timer, weir_proxy_t, rate_timer));
}

static uint64_t
answer_rate_room(weir_proxy_t *p)
{
    uint64_t budget = weir_rate_budget(p->rate, p->answer_began), taken = p->attempt->response_length;

    if (budget > taken) {
        return budget - taken;
    }
    weir_exchange_wait_not(p->x);                             /* the peer is not to blame */
    weir_timer_set(p->x->http->loop, &p->rate_timer,
                   (weir_msec_t) { weir_min((taken - budget + p->rate / 8 + 1) * 1000 / p->rate + 1, UINT64_C(60000)) },
                   answer_on_rate);
    return 0;
}

static void
answer_set_limit(weir_proxy_t *p)
{
    weir_bytes_t rate;

    if (p->conf->limit_rate != NULL && p->buffering
        && weir_conf_read_bytes(weir_request_eval(p->req, p->conf->limit_rate), &rate))
    {
        p->rate = weir_min(rate.n, WEIR_RATE_MAX);
        p->answer_began = weir_clock_now();
    }
}

/*
 * All the answers that wait for one connection may store what one may; over HTTP/2 there may be many, none of which is
 * read.  So there they may store no more than proxy_buffers before the client has taken some, and beyond that by what
 * it took; and of one that does not read what it has, a new answer begins with a small piece.
 */
static uint64_t
answer_room(const weir_proxy_t *p, bool stored)
{
    const weir_codec_t *codec = p->req->codec;
    uint64_t others = p->req->client->stored, mem = answer_mem(p), all = mem + p->store.file_max;

    if (!stored) {
        return weir_response_piece(p->req, others != 0 ? ANSWER_PIECE : WEIR_RX_BYTES);
    }
    if (codec->credit != NULL) {
        all = weir_min(all, mem + codec->credit(p->req));
    }
    return p->buffering && others < all ? weir_min(weir_store_room(&p->store), all - others) : 0;
}

/* What is stored is no longer kept for the client. */
void
weir_proxy_unstore(weir_proxy_t *p)
{
    if (p->stored_for != NULL) {
        p->stored_for->stored -= p->stored;
        p->stored_for->stored_mem -= p->stored_mem;
    }
    p->stored_for = NULL;
    p->stored = p->stored_mem = 0;
}

static bool
answer_store(weir_proxy_t *p, weir_str_t bytes)
{
    weir_client_t *client = p->req->client;
    size_t before = p->store.mem_len;

    if (client->stored_mem >= ANSWER_MEM_SHARE * answer_mem(p) && p->store.file_max != 0) {
        p->store.mem_max = p->store.mem_len;
    }
    if (weir_store_append(&p->store, bytes) != WEIR_OK) {
        return false;
    }
    p->stored_for = client;
    client->stored += bytes.len;
    client->stored_mem += p->store.mem_len - before;
    p->stored += bytes.len;
    p->stored_mem += p->store.mem_len - before;
    return true;
}

/* One read from the peer, passed on or stored.  OK: more may follow · AGAIN: wait · EOF: done · ERROR: the request is
 * over. */
static weir_io_t
answer_from_peer(weir_proxy_t *p)
{
    bool stored = p->client_paused || p->pipe_held != 0 || weir_store_left(&p->store) != 0;
    uint64_t room = answer_room(p, stored);
    weir_str_t bytes;
    weir_io_t io;

    if (p->rate != 0) {
        room = weir_min(room, answer_rate_room(p));
        if (room == 0) {
            return WEIR_AGAIN;                                 /* the clock's turn */
        }
    }
    if (room == 0) {
        weir_exchange_wait_not(p->x);                         /* the client's turn; send_timeout watches it */
        return WEIR_AGAIN;
    }
    if (!stored && answer_may_splice(p)) {
        return answer_splice(p);
    }
    io = weir_exchange_read(p->x, weir_min(room, WEIR_RX_BYTES), &bytes);
    if (io == WEIR_AGAIN) {
        return io;
    }
    if (io == WEIR_EOF) {
        return answer_peer_done(p);
    }
    if (io == WEIR_ERROR) {
        weir_proxy_fail(p, p->x->cause, p->x->detail, WEIR_NEXT_ERROR);
        return io;
    }
    p->attempt->response_length += bytes.len;
    if (stored) {
        if (!answer_store(p, bytes)) {
            weir_proxy_fail(p, WEIR_CAUSE_INTERNAL_IO, NULL, 0);
            return WEIR_ERROR;
        }
        return WEIR_OK;
    }
    if (answer_to_client(p, bytes) == WEIR_ERROR) {
        weir_proxy_lost(p);
        return WEIR_ERROR;
    }
    return WEIR_OK;
}

static void
answer_go_on(weir_task_t *task)
{
    weir_proxy_pump(weir_container_of(task, weir_proxy_t, task));
}

void
weir_proxy_pump(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    weir_slice_t slice = { 0 };

    for (int round = 0; ; round++) {
        weir_io_t io = answer_from_store(p);
        if (io == WEIR_EOF) {
            weir_proxy_fail(p, WEIR_CAUSE_INTERNAL_IO, NULL, 0);
            return;
        }
        if (io == WEIR_ERROR) {
            weir_proxy_lost(p);
            return;
        }
        if (p->peer_done) {
            if (weir_store_left(&p->store) == 0 && p->pipe_held == 0) {
                answer_finish(p);
                return;
            }
            break;
        }
        if (round == ANSWER_ROUNDS || (round > 1 && weir_slice_is_over(&slice))) {
            weir_task_post_later(p->x->http->loop, &p->task, answer_go_on);
            break;
        }
        io = answer_from_peer(p);
        if (io == WEIR_ERROR) {
            return;
        }
        if (io == WEIR_AGAIN) {
            break;
        }
    }
    if (!p->peer_done && !p->x->codec->save(p->x)) {
        weir_proxy_fail(p, WEIR_CAUSE_INTERNAL_MEMORY, NULL, 0);
        return;
    }
    switch (weir_response_flush(req)) {
    case WEIR_ERROR: weir_proxy_lost(p); return;
    case WEIR_AGAIN: answer_client_pauses(p); return;
    default: break;
    }
    if (p->client_paused) {                     /* it all went after all: no edge will tell */
        p->client_paused = false;
        weir_task_post_later(p->x->http->loop, &p->task, answer_go_on);
    }
}
