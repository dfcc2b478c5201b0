/*
 * respond.c - the way of every answer, whoever makes it: head through the filters, body through those of this answer,
 * parts of it where a Range asks for them, then the codec.
 *
 *   producer ──> body filters (gzip, …) ──> ranges ──> layers (limit_rate, gRPC-Web) ──> codec
 *
 * Runs in workers; memory is the request's arena.
 */
#include "http/filter/respond.h"

#include "http/filter/layer.h"
#include "http/module.h"
#include "http/filter/pace.h"
#include "http/filter/ranges.h"
#include "http/message/status.h"

#define RESPOND_PIECE 4096      /* of a body: made before the client can take it */

weir_field_t *
weir_response_add(weir_request_t *req, weir_header_id_t id, weir_str_t value)
{
    weir_field_t *field = weir_fields_add(&req->res.fields, &req->arena, id, weir_header_canonical(id), value, 0);

    weir_assert(field != NULL);
    return field;
}

void
weir_response_drop(weir_request_t *req, weir_header_id_t id)
{
    for (weir_field_t *field = weir_fields_first(&req->res.fields, id); field != NULL; field = weir_fields_next(&req->res.fields, field)) {
        field->flags |= WEIR_FIELD_DROP;
    }
}

void
weir_response_set(weir_request_t *req, weir_header_id_t id, weir_str_t value)
{
    weir_field_t *field = weir_fields_first(&req->res.fields, id);

    if (field == NULL) {
        weir_response_add(req, id, value);
        return;
    }
    weir_response_drop(req, id);
    field->value = value;
    field->flags &= (uint16_t) ~WEIR_FIELD_DROP;
}

weir_str_t
weir_response_value(const weir_request_t *req, weir_header_id_t id)
{
    const weir_field_t *field = weir_fields_first(&req->res.fields, id);

    while (field != NULL && (field->flags & WEIR_FIELD_DROP)) {
        field = weir_fields_next(&req->res.fields, field);
    }
    return field != NULL ? field->value : WEIR_STR_NONE;
}

/* What is not refused: files have two methods; where the configuration or the method itself says no, it is all
 * others. */
static weir_str_t
respond_allowed(weir_request_t *req)
{
    static const weir_str_t methods[] = {
        WEIR_STR_INIT("GET"), WEIR_STR_INIT("HEAD"), WEIR_STR_INIT("POST"), WEIR_STR_INIT("PUT"), WEIR_STR_INIT("DELETE"),
        WEIR_STR_INIT("OPTIONS"), WEIR_STR_INIT("PATCH"),
    };
    weir_str_t refused, rest, all = WEIR_STR("");

    (void) weir_str_cut(req->head.line, ' ', &refused, &rest);         /* (a page for the error is asked with GET) */
    if (req->cause == WEIR_CAUSE_CLIENT_METHOD && !weir_str_eq(refused, WEIR_STR("CONNECT")) && !weir_str_eq(refused, WEIR_STR("TRACE"))) {
        return WEIR_STR("GET, HEAD");
    }
    for (size_t i = 0; i < weir_countof(methods); i++) {
        if (!weir_str_eq(methods[i], refused) && !(weir_str_eq(refused, WEIR_STR("GET")) && i == 1)) {
            all = weir_str_printf(&req->arena, "%.*s%s%.*s", WEIR_STR_ARG(all), all.len != 0 ? ", " : "", WEIR_STR_ARG(methods[i]));
        }
    }
    return all;
}

/* A page in the place of a peer's 401 or 407 asks for what the peer asked for. */
static void
respond_challenges(weir_request_t *req)
{
    static const weir_header_id_t ids[] = { WEIR_HEADER_WWW_AUTHENTICATE, WEIR_HEADER_PROXY_AUTHENTICATE };

    for (size_t i = 0; i < weir_countof(ids); i++) {
        const weir_field_t *field = weir_fields_first(req->challenges, ids[i]);

        if (weir_response_value(req, ids[i]).at != NULL) {
            continue;                                          /* whoever made the page has its own */
        }
        for (; field != NULL; field = weir_fields_next(req->challenges, field)) {
            weir_response_add(req, ids[i], field->value);
        }
    }
}

/* What answers of our own must say.  RFC 9110 §15.5.6: a 405 what is allowed; §11.6.1: a 401 how to come in (one of the
 * upstream's has its own); §15.5.17: a 416 how long it is. */
static void
respond_own_fields(weir_request_t *req)
{
    if (req->challenges != NULL) {
        respond_challenges(req);
    }
    if (req->challenge.len != 0 && req->res.status == 401 && weir_cause_row(req->cause)->status == 401) {
        weir_response_add(req, WEIR_HEADER_WWW_AUTHENTICATE, req->challenge);
    }
    if (req->res.status == 405 && (req->cause == WEIR_CAUSE_CLIENT_METHOD || req->cause == WEIR_CAUSE_ROUTE_RETURN)
        && weir_response_value(req, WEIR_HEADER_ALLOW).at == NULL)
    {
        weir_response_add(req, WEIR_HEADER_ALLOW, respond_allowed(req));
    }
    if (req->res.status == 416 && req->cause == WEIR_CAUSE_CLIENT_RANGE) {
        weir_response_add(req, WEIR_HEADER_CONTENT_RANGE,
                          weir_str_printf(&req->arena, "bytes */%llu", (unsigned long long) req->whole_length));
    }
}

/* Who made the head asked for a value that says one thing where encoded slashes are kept and another where they are
 * slashes: nobody gets the answer that was made, nor its fields. */
static void
respond_withhold(weir_request_t *req)
{
    weir_response_t *res = &req->res;

    req->cause = WEIR_CAUSE_CLIENT_TARGET;
    req->detail = "encoded_slash";
    weir_cause_log(req->cause, &req->log, req->detail);
    for (uint32_t i = 0; i < res->fields.n; i++) {
        res->fields.at[i].flags |= WEIR_FIELD_DROP;
    }
    res->status = 400;
    res->reason = WEIR_STR_NONE;
    res->length = 0;
    res->no_body = true;
    res->has_trailers = false;
    res->filters = NULL;
    res->ranges = NULL;
}

weir_io_t
weir_response_head(weir_request_t *req)
{
    const weir_http_pipeline_t *pipeline = req->location->pipeline;
    weir_response_t *res = &req->res;

    weir_assert(!res->head_sent && res->status >= 100);
    if (req->error_status != 0 && res->status != 101) {
        res->status = req->error_status;
        res->reason = WEIR_STR_NONE;
    }
    if (weir_request_core(req)->reason_phrases == WEIR_PHRASES_NGINX && res->reason.len == 0) {
        res->reason = weir_status_reason_nginx(res->status, false);
    }
    respond_own_fields(req);
    for (uint16_t i = 0; i < (req->is_sub ? 0 : pipeline->n_head_filters); i++) {
        const weir_http_handler_t *h = &pipeline->head_filters[i];
        (void) h->run(req, h->conf);
    }
    if (res->has_ranges && !req->is_sub) {
        weir_ranges_choose(req);
    }
    res->no_body = req->head.method == WEIR_METHOD_HEAD || res->status < 200 || res->status == 204 || res->status == 304;
    if (!res->no_body && !req->is_sub) {
        weir_pace_begin(req);
    }
    if (weir_request_is_split(req) && !res->upgraded) {
        respond_withhold(req);
    }
    weir_io_t io = weir_layer_send_head(req, req->layers);
    res->head_sent = true;
    return io;
}

/* -- the body -- */

weir_io_t
weir_wire_body(weir_request_t *req, weir_str_t bytes)
{
    req->res.body_sent += bytes.len;
    return weir_layer_send_body(req, req->layers, bytes);
}

void
weir_response_filter(weir_request_t *req, weir_body_filter_t *filter)
{
    weir_body_filter_t **at = &req->res.filters;

    weir_assert(!req->res.head_sent);                          /* what has left does not come back to be filtered */
    while (*at != NULL) {
        at = &(*at)->next;
    }
    filter->next = NULL;
    *at = filter;
}

static weir_io_t
respond_from(weir_request_t *req, weir_body_filter_t *filter, weir_str_t bytes)
{
    if (bytes.len == 0) {
        return weir_layer_send_pending(req, req->layers) ? WEIR_AGAIN : WEIR_OK;
    }
    if (filter != NULL) {
        return filter->body(req, filter, bytes);
    }
    return req->res.ranges != NULL ? weir_ranges_body(req, bytes) : weir_wire_body(req, bytes);
}

weir_io_t
weir_filter_pass(weir_request_t *req, const weir_body_filter_t *self, weir_str_t bytes)
{
    return respond_from(req, self->next, bytes);
}

weir_io_t
weir_response_body(weir_request_t *req, weir_str_t bytes)
{
    weir_assert(req->res.head_sent && !req->res.complete);
    return respond_from(req, req->res.filters, req->res.no_body ? WEIR_STR_NONE : bytes);
}

weir_io_t
weir_response_file(weir_request_t *req, int fd, uint64_t *offset, uint64_t end)
{
    uint64_t from = *offset;
    weir_io_t io;

    weir_assert(req->res.head_sent && !req->res.complete && from <= end);
    if (req->res.filters != NULL) {
        return WEIR_EOF;
    }
    io = weir_layer_send_file(req, req->layers, fd, offset, end);
    req->res.body_sent += *offset - from;
    if (req->res.ranges != NULL && *offset != from) {
        weir_ranges_took(req, *offset - from);
    }
    return io;
}

weir_io_t
weir_response_pipe(weir_request_t *req, int pipe, size_t n, size_t *moved)
{
    weir_io_t io;

    *moved = 0;
    weir_assert(req->res.head_sent && !req->res.complete);
    if (req->res.filters != NULL || req->res.ranges != NULL || req->res.no_body) {
        return WEIR_EOF;
    }
    io = weir_layer_send_pipe(req, req->layers, pipe, n, moved);
    req->res.body_sent += *moved;
    return io;
}

weir_io_t
weir_response_end(weir_request_t *req)
{
    weir_io_t io = WEIR_OK;

    weir_assert(req->res.head_sent && !req->res.complete);
    for (weir_body_filter_t *f = req->res.no_body ? NULL : req->res.filters; f != NULL && io != WEIR_ERROR; f = f->next) {
        if (f->end != NULL) {
            io = f->end(req, f);
        }
    }
    if (io != WEIR_ERROR && req->res.ranges != NULL && !req->res.no_body) {
        io = weir_ranges_end(req);
    }
    if (io != WEIR_ERROR) {
        io = weir_layer_send_end(req, req->layers);
    }
    req->res.complete = io != WEIR_ERROR;
    return io;
}

weir_io_t
weir_response_flush(weir_request_t *req)
{
    for (weir_body_filter_t *f = req->res.is_live && !req->res.no_body ? req->res.filters : NULL; f != NULL; f = f->next) {
        if (f->flush != NULL && f->flush(req, f) == WEIR_ERROR) {
            return WEIR_ERROR;
        }
    }
    return weir_layer_flush(req, req->layers);
}

size_t
weir_response_piece(const weir_request_t *req, size_t most)
{
    uint64_t room = req->codec->room != NULL ? req->codec->room(req) : most;

    return weir_min(most, weir_max(room, (uint64_t) RESPOND_PIECE));
}

bool
weir_response_pending(const weir_request_t *req)
{
    return weir_layer_send_pending(req, req->layers);
}

/* -- for codecs -- */

void
weir_request_writable(weir_request_t *req)
{
    weir_layer_writable(req, NULL);
}
