/*
 * sub.c - see sub.h.  Runs in workers; a subrequest's state lies in its own request's arena.
 *
 * Threat: requests that make requests.  A subrequest may make others, so deep and no deeper; those that no request
 * waits for are bounded for each worker, and further ones are not made.
 */
#include "http/sub.h"

#include "http/guard/consumer.h"
#include "http/guard/limit.h"

#include "http/module.h"
#include "http/filter/store.h"
#include "http/serve/runtime.h"
#include "http/vars/uri_text.h"

#include <string.h>

#define SUB_DEPTH_MAX    8
#define SUB_DETACHED_MAX 1024          /* a worker */

struct weir_sub {
    weir_request_t        *req;
    weir_request_t        *parent;     /* NULL: detached, or let go of */
    weir_sub_t            *next, **at; /* in the parent's, or the worker's list of detached ones */
    const weir_sub_sink_t *sink;       /* NULL: its answer is dropped */
    void                  *owner;
    weir_http_t           *http;
    weir_client_t          client;     /* a copy: whose connection may go before */
    weir_task_t            task;
    weir_store_t           body;
    bool                   has_body, is_detached, is_whole, is_paused;
};

void *
weir_sub_owner(const weir_sub_t *sub)
{
    return sub->owner;
}

weir_request_t *
weir_sub_request(const weir_sub_t *sub)
{
    return sub->req;
}

/* -- the codec -- */

static weir_io_t
sub_send_interim(weir_request_t *req, uint16_t status, const void *fields)
{
    (void) req;
    (void) status;
    (void) fields;
    return WEIR_OK;
}

static weir_io_t
sub_send_head(weir_request_t *req)
{
    weir_sub_t *sub = req->wire;

    if (sub->sink != NULL && sub->sink->on_head != NULL) {
        sub->sink->on_head(sub);
    }
    return WEIR_OK;
}

static weir_io_t
sub_send_body(weir_request_t *req, weir_str_t bytes)
{
    weir_sub_t *sub = req->wire;
    weir_io_t io;

    weir_assert(!sub->is_whole);
    req->res.bytes_sent += bytes.len;
    if (sub->sink == NULL || sub->sink->on_body == NULL) {
        return WEIR_OK;
    }
    io = sub->sink->on_body(sub, bytes);
    sub->is_paused = io == WEIR_AGAIN;
    return io;
}

static weir_io_t
sub_send_end(weir_request_t *req)
{
    ((weir_sub_t *) req->wire)->is_whole = true;
    return WEIR_OK;
}

static weir_io_t
sub_flush(weir_request_t *req)
{
    return ((weir_sub_t *) req->wire)->is_paused ? WEIR_AGAIN : WEIR_OK;
}

static bool
sub_send_pending(const weir_request_t *req)
{
    return ((const weir_sub_t *) req->wire)->is_paused;
}

/* Its body, if it has one, was read ahead: a user of it takes req->body. */
static weir_io_t
sub_read_body(weir_request_t *req, weir_str_t *bytes)
{
    (void) req;
    *bytes = WEIR_STR_NONE;
    return WEIR_EOF;
}

static void
sub_tunnel(weir_request_t *req)
{
    (void) req;                                    /* it asks for no upgrade */
}

static void
sub_unlink(weir_sub_t *sub)
{
    if (sub->at != NULL) {
        weir_assert(*sub->at == sub && (!sub->is_detached || sub->http->n_detached > 0));
        *sub->at = sub->next;
        if (sub->next != NULL) {
            sub->next->at = sub->at;
        }
        sub->at = NULL;
        sub->http->n_detached -= sub->is_detached;
    }
}

static void
sub_link(weir_sub_t *sub, weir_sub_t **list)
{
    weir_assert(sub->at == NULL);
    sub->next = *list;
    sub->at = list;
    if (sub->next != NULL) {
        sub->next->at = &sub->next;
    }
    *list = sub;
}

static void
sub_forget(weir_sub_t *sub)
{
    sub_unlink(sub);
    weir_task_cancel(&sub->task);
    if (sub->has_body) {
        weir_store_fini(&sub->body);
    }
    weir_request_give_back(sub->req);
}

static void
sub_on_task(weir_task_t *task)
{
    weir_sub_t *sub = weir_container_of(task, weir_sub_t, task);
    const weir_sub_sink_t *sink = sub->sink;

    weir_assert(sub->req->is_ended);
    sub_unlink(sub);
    sub->parent = NULL;
    if (sink != NULL && sink->on_end != NULL) {
        sink->on_end(sub, sub->is_whole);
    }
    sub_forget(sub);
}

static void
sub_finish(weir_request_t *req)
{
    weir_sub_t *sub = req->wire;

    weir_assert(!req->is_ended);
    req->is_ended = true;
    weir_task_post(sub->http->loop, &sub->task, sub_on_task);
}

static void
sub_abort(weir_request_t *req)
{
    ((weir_sub_t *) req->wire)->is_whole = false;
    sub_finish(req);
}

static const weir_codec_t sub_codec = {
    .protocol = "sub",
    .send_interim = sub_send_interim,
    .send_head = sub_send_head,
    .send_body = sub_send_body,
    .send_end = sub_send_end,
    .flush = sub_flush,
    .send_pending = sub_send_pending,
    .read_body = sub_read_body,
    .tunnel = sub_tunnel,
    .finish = sub_finish,
    .abort = sub_abort,
};

/* -- ending -- */

void
weir_sub_cancel(weir_sub_t *sub)
{
    sub->sink = NULL;
    if (!sub->req->is_ended) {
        sub->is_paused = false;
        weir_request_client_gone(sub->req, WEIR_CAUSE_CLIENT_CLOSED);
    }
    sub_forget(sub);                               /* it may borrow from its parent: now */
}

void
weir_subs_end(weir_request_t *parent)
{
    while (parent->subs != NULL) {
        weir_sub_cancel(parent->subs);
    }
}

void
weir_subs_end_detached(weir_http_t *http)
{
    while (http->detached != NULL) {
        weir_sub_cancel(http->detached);
    }
}

void
weir_sub_go_on(weir_sub_t *sub)
{
    sub->is_paused = false;
    weir_request_writable(sub->req);
}

/* -- starting -- */

static weir_str_t
sub_keep(weir_sub_t *sub, weir_str_t text)
{
    return sub->is_detached && text.len != 0 ? weir_str_dup(&sub->req->arena, text) : text;
}

/* What is of the connection it came over has no say here: no upgrade, no expectation, no length but its own. */
static bool
sub_copy_head(weir_sub_t *sub, const weir_request_t *parent, const weir_sub_spec_t *spec)
{
    weir_request_t *req = sub->req;
    const weir_request_head_t *from = &parent->head;
    bool is_as_sent = parent->sent_fields != NULL && !weir_group_id_is(spec->pass_to);
    const weir_fields_t *fields = is_as_sent ? parent->sent_fields : &from->fields;
    weir_request_head_t *head = &req->head;

    head->method_name = spec->method.len != 0 ? sub_keep(sub, spec->method) : WEIR_STR("GET");
    head->method = weir_method_parse(head->method_name);
    head->line = sub_keep(sub, from->line);
    head->target = sub_keep(sub, from->target);
    head->form = WEIR_TARGET_ORIGIN;
    head->has_query = spec->query.len != 0;
    head->host = sub_keep(sub, from->host);
    head->port = from->port;
    head->minor = from->minor;
    head->content_length = WEIR_LENGTH_NONE;
    for (uint32_t i = 0; i < fields->n; i++) {
        const weir_field_t *f = &fields->at[i];
        weir_field_t *mine;

        if (f->id == WEIR_HEADER_CONTENT_LENGTH || f->id == WEIR_HEADER_TRANSFER_ENCODING || f->id == WEIR_HEADER_EXPECT
            || f->id == WEIR_HEADER_UPGRADE)
        {
            continue;
        }
        mine = weir_fields_add(&head->fields, &req->arena, (weir_header_id_t) f->id, sub_keep(sub, f->name),
                               sub_keep(sub, f->value), 0);
        if (mine == NULL) {
            return false;
        }
        mine->flags |= f->flags & (WEIR_FIELD_HOP | WEIR_FIELD_DROP | WEIR_FIELD_CLEAN);
    }
    return true;
}

static const weir_captures_t *
sub_keep_captures(weir_sub_t *sub, const weir_captures_t *captures)
{
    weir_captures_t *kept;

    if (captures == NULL || !sub->is_detached) {
        return captures;
    }
    kept = weir_alloc(&sub->req->arena, sizeof(*kept));
    *kept = *captures;
    kept->subject = sub_keep(sub, captures->subject);
    return kept;
}

static void
sub_copy_variables(weir_sub_t *sub, const weir_request_t *parent)
{
    weir_request_t *req = sub->req;
    uint32_t n = weir_vars_slots(req->generation->vars);

    for (uint32_t i = 0; i < n; i++) {
        if (parent->slots[i] != NULL && sub->is_detached) {
            weir_str_t *copy = weir_alloc(&req->arena, sizeof(*copy));
            *copy = weir_str_dup(&req->arena, *parent->slots[i]);
            req->slots[i] = copy;
        } else {
            req->slots[i] = parent->slots[i];
        }
    }
    req->route = parent->route;
    weir_uri_text_copy(req, parent);
    if (!sub->is_detached || weir_group_id_is(sub->req->pass_to)) {
        req->captures = parent->captures;
        req->captures.subject = sub_keep(sub, parent->captures.subject);
        req->captures_decoded = parent->captures_decoded;
        req->captures_plain = sub_keep_captures(sub, parent->captures_plain);
        req->has_plain_forms = req->has_plain_forms || parent->captures_plain != NULL;
    }
}

static bool
sub_copy_body(weir_sub_t *sub, const weir_sub_spec_t *spec)
{
    weir_assert(!sub->has_body);
    if (spec->body == NULL) {
        return true;
    }
    if (!weir_store_share(&sub->body, spec->body)) {
        return false;
    }
    sub->has_body = true;
    sub->req->body = &sub->body;
    sub->req->head.content_length = weir_store_size(&sub->body);
    return true;
}

static weir_sub_t *
sub_create(weir_request_t *parent, const weir_sub_spec_t *spec)
{
    weir_request_t *req = weir_request_take(parent->http);
    weir_sub_t *sub;

    if (req == NULL) {
        return NULL;
    }
    sub = weir_new(&req->arena, weir_sub_t);
    *sub = (weir_sub_t) { .req = req,
                         .parent = parent,
                         .sink = spec->sink,
                         .owner = spec->owner,
                         .http = parent->http,
                         .client = *parent->client,
                         .is_detached = spec->is_detached };
    sub->client.text = sub_keep(sub, parent->client->text);
    if (spec->is_detached) {
        (void) weir_request_local(parent);
        sub->client.local = parent->client->local;
        sub->client.conn = NULL;
        sub->client.proxied = NULL;
        sub->client.fd = -1;
        sub->parent = NULL;
    }
    req->codec = &sub_codec;
    req->wire = sub;
    req->main = spec->is_detached ? req : parent->main;
    req->is_sub = req->is_internal = true;
    req->is_exempt = spec->is_exempt;
    req->pass_to = spec->pass_to;
    req->is_last_page = weir_group_id_is(req->pass_to);   /* where an error leads, a peer may do the work once more */
    req->depth = (uint8_t) (parent->depth + 1);
    req->version = parent->version;
    req->body_complete = true;
    req->started = parent->started;
    weir_request_begin(req, &sub->client, parent->listen, parent->generation);
    req->server = parent->server;
    req->host = sub_keep(sub, parent->host);
    req->asked_method = sub_keep(sub, parent->asked_method.len != 0 ? parent->asked_method : parent->head.method_name);
    req->shown_line = sub_keep(sub, parent->shown_line);
    if (spec->is_detached) {
        memcpy(req->id, parent->main->id, sizeof(req->id));
        req->id_text = sub_keep(sub, weir_request_id(parent)).at;
    }
    if (!sub_copy_head(sub, parent, spec) || !sub_copy_body(sub, spec)) {
        sub_forget(sub);
        return NULL;
    }
    sub_copy_variables(sub, parent);
    weir_limit_copy(req, parent);
    weir_consumer_copy(req, parent);
    return sub;
}

weir_sub_t *
weir_sub_start(weir_request_t *parent, const weir_sub_spec_t *spec)
{
    weir_http_t *http = parent->http;
    weir_sub_t *sub;

    if (parent->depth >= SUB_DEPTH_MAX || (spec->is_detached && http->n_detached >= SUB_DETACHED_MAX)) {
        return NULL;
    }
    (void) weir_request_id(parent);                /* one name for all that is done for it */
    sub = sub_create(parent, spec);
    if (sub == NULL) {
        return NULL;
    }
    sub_link(sub, spec->is_detached ? &http->detached : &parent->subs);
    http->n_detached += spec->is_detached;
    if (weir_group_id_is(spec->pass_to)) {
        weir_request_run_beside(sub->req, parent);
        return sub;
    }
    weir_request_run_inside(sub->req, sub_keep(sub, spec->path), sub_keep(sub, spec->query));
    return sub;
}
