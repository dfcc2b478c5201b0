/*
 * response.c - the way of every answer, Weir's own or a peer's: what Weir's own answers must say, then the filters
 * (filter.h), then the codec.
 *
 * Runs in workers; memory is the request's arena.
 */
#include "http/filter/response.h"

#include "http/filter.h"
#include "http/module.h"
#include "http/message/status.h"

#define RESPONSE_PIECE 4096      /* of a body: made before the client can take it */

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
    for (weir_field_t *field = weir_fields_first(&req->res.fields, id); field != NULL;
         field = weir_fields_next(&req->res.fields, field))
    {
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
    weir_field_set_value(field, value);
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
response_allowed(weir_request_t *req)
{
    static const weir_str_t methods[] = {
        WEIR_STR_INIT("GET"),    WEIR_STR_INIT("HEAD"),    WEIR_STR_INIT("POST"),  WEIR_STR_INIT("PUT"),
        WEIR_STR_INIT("DELETE"), WEIR_STR_INIT("OPTIONS"), WEIR_STR_INIT("PATCH"),
    };
    weir_str_t refused, rest, all = WEIR_STR("");

    (void) weir_str_cut(req->head.line, ' ', &refused, &rest);         /* (a page for the error is asked with GET) */
    if (req->cause == WEIR_CAUSE_CLIENT_METHOD && !weir_str_eq(refused, WEIR_STR("CONNECT"))
        && !weir_str_eq(refused, WEIR_STR("TRACE")))
    {
        return WEIR_STR("GET, HEAD");
    }
    for (size_t i = 0; i < weir_countof(methods); i++) {
        if (!weir_str_eq(methods[i], refused) && !(weir_str_eq(refused, WEIR_STR("GET")) && i == 1)) {
            all = weir_str_printf(&req->arena, "%.*s%s%.*s", WEIR_STR_ARG(all), all.len != 0 ? ", " : "",
                                  WEIR_STR_ARG(methods[i]));
        }
    }
    return all;
}

/* A page in the place of a peer's 401 or 407 asks for what the peer asked for. */
static void
response_challenges(weir_request_t *req)
{
    static const weir_header_id_t ids[] = { WEIR_HEADER_WWW_AUTHENTICATE, WEIR_HEADER_PROXY_AUTHENTICATE };

    for (size_t i = 0; i < weir_countof(ids); i++) {
        const weir_field_t *field = weir_fields_first(req->challenges, ids[i]);

        if (weir_response_value(req, ids[i]).at != NULL) {
            continue;                                          /* the producer of the page gave its own */
        }
        for (; field != NULL; field = weir_fields_next(req->challenges, field)) {
            weir_response_add(req, ids[i], field->value);
        }
    }
}

/* What answers of our own must say.  RFC 9110 §15.5.6: a 405 what is allowed; §11.6.1: a 401 how to come in (one of the
 * upstream's has its own); §15.5.17: a 416 how long it is.  §10.2.3: when to come again,
 * where that is known. */
static void
response_own_fields(weir_request_t *req)
{
    if (req->challenges != NULL) {
        response_challenges(req);
    }
    if (req->challenge.len != 0 && req->res.status == weir_cause_row(req->cause)->status
        && (req->res.status == 401 || req->cause == WEIR_CAUSE_AUTH_OAUTH2_SCOPE))   /* RFC 6750 §3.1 */
    {
        weir_response_add(req, WEIR_HEADER_WWW_AUTHENTICATE, req->challenge);
    }
    if (req->res.status == 405 && (req->cause == WEIR_CAUSE_CLIENT_METHOD || req->cause == WEIR_CAUSE_ROUTE_RETURN)
        && weir_response_value(req, WEIR_HEADER_ALLOW).at == NULL)
    {
        weir_response_add(req, WEIR_HEADER_ALLOW, response_allowed(req));
    }
    if (req->res.status == 416 && req->cause == WEIR_CAUSE_CLIENT_RANGE) {
        weir_response_add(req, WEIR_HEADER_CONTENT_RANGE,
                          weir_str_printf(&req->arena, "bytes */%llu", (unsigned long long) req->whole_length));
    }
    if (req->retry_after != 0 && req->res.status == weir_cause_row(req->cause)->status
        && weir_response_value(req, WEIR_HEADER_RETRY_AFTER).at == NULL)
    {
        weir_response_add(req, WEIR_HEADER_RETRY_AFTER, weir_str_printf(&req->arena, "%u", req->retry_after));
    }
}

/* The producer of the head asked for a value that says one thing where encoded slashes are kept and another where they
 * are slashes: the client gets neither the answer that was made nor its fields. */
static void
response_withhold(weir_request_t *req)
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
}

weir_io_t
weir_response_head_rest(weir_request_t *req)
{
    weir_response_t *res = &req->res;
    weir_io_t io = weir_filters_head(req);

    if (io != WEIR_OK) {
        return io;
    }
    res->no_body = weir_response_is_bodiless(req);
    if (weir_request_is_split(req) && !res->upgraded) {
        response_withhold(req);
    }
    io = req->codec->send_head(req);
    res->head_sent = true;
    return io;
}

weir_io_t
weir_response_head(weir_request_t *req)
{
    weir_response_t *res = &req->res;

    weir_assert(!res->head_given && !res->head_sent && res->status >= 100);
    weir_assert(res->head_row == 0 && res->verdict == NULL);
    res->head_given = true;
    if (req->error_status != 0 && res->status != 101) {
        res->status = req->error_status;
        res->reason = WEIR_STR_NONE;
    }
    if (weir_request_core(req)->reason_phrases == WEIR_PHRASES_NGINX && res->reason.len == 0) {
        res->reason = weir_status_reason_nginx(res->status, false);
    }
    response_own_fields(req);
    res->no_body = weir_response_is_bodiless(req);
    return weir_response_head_rest(req);
}

/* -- the body -- */

weir_io_t
weir_response_body(weir_request_t *req, weir_str_t bytes)
{
    weir_assert(req->res.head_given && !req->res.end_given);
    if (req->res.no_body || bytes.len == 0) {
        return weir_response_pending(req) ? WEIR_AGAIN : WEIR_OK;
    }
    return weir_filters_give_body(req, req->filters, bytes);
}

weir_io_t
weir_response_wants(weir_request_t *req, uint64_t *from, uint64_t *to)
{
    if (!req->res.head_sent) {
        return WEIR_AGAIN;
    }
    if (req->res.no_body) {
        return WEIR_EOF;
    }
    for (weir_filter_t *f = req->filters; f != NULL; f = f->inner) {
        if (f->ops->wants != NULL) {
            return f->ops->wants(f, from, to);
        }
    }
    return *from < *to ? WEIR_OK : WEIR_EOF;
}

weir_io_t
weir_response_file(weir_request_t *req, int fd, uint64_t *offset, uint64_t end)
{
    weir_assert(req->res.head_given && !req->res.end_given && *offset <= end);
    return weir_filters_give_file(req, req->filters, fd, offset, end);
}

weir_io_t
weir_response_pipe(weir_request_t *req, int pipe, size_t n, size_t *moved)
{
    weir_assert(req->res.head_given && !req->res.end_given);
    *moved = 0;
    return req->res.no_body ? WEIR_EOF : weir_filters_give_pipe(req, req->filters, pipe, n, moved);
}

weir_io_t
weir_response_end(weir_request_t *req)
{
    weir_assert(req->res.head_given && !req->res.end_given);
    req->res.end_given = true;
    return weir_filters_give_end(req, req->filters);
}

weir_io_t
weir_response_flush(weir_request_t *req)
{
    return weir_filters_give_flush(req, req->filters);
}

size_t
weir_response_piece(const weir_request_t *req, size_t most)
{
    uint64_t room = req->codec->room != NULL ? req->codec->room(req) : most;

    return weir_min(most, weir_max(room, (uint64_t) RESPONSE_PIECE));
}

bool
weir_response_pending(const weir_request_t *req)
{
    return weir_filters_are_pending(req, req->filters);
}

void
weir_response_lost(weir_request_t *req)
{
    weir_assert(req->holder == NULL);
    if (weir_filters_fell(req)) {
        weir_filters_answer_instead(req);
    } else {
        weir_request_client_gone(req, req->codec->lost_cause != NULL ? req->codec->lost_cause(req)
                                      : WEIR_CAUSE_CLIENT_CLOSED);
    }
}
