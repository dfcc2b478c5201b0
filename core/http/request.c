/*
 * request.c - the way of a request: server, location, phases, the end.
 *
 * Runs in workers.  A handler that says DONE may have finished the request: nothing here touches it afterwards.
 */
#include "base/mem.h"
#include "http/filter.h"
#include "http/guard/dry_run.h"
#include "http/module.h"
#include "http/route/routes.h"
#include "http/serve/runtime.h"
#include "http/record/stats.h"
#include "http/record/story.h"
#include "http/sub.h"
#include "http/tls/tls.h"
#include "os/clock.h"
#include "os/sys.h"

#include <string.h>

/* Kept with the request for reuse; idle connections have none.  What must not fail, an error's answer among it, finds
 * its memory there. */
#define REQUEST_ARENA_BYTES   16384
#define REQUEST_MAX_REDIRECTS 10
#define REQUEST_FREE_MAX      256

typedef struct { weir_request_t req; weir_list_t link; } request_box_t;

/* -- memory -- */

static size_t
request_log_fields(const weir_log_context_t *context, weir_log_field_t *out, size_t max)
{
    const weir_request_t *req = weir_container_of(context, weir_request_t, log);
    const weir_field_t *host = weir_fields_first(&req->head.fields, WEIR_HEADER_HOST);
    size_t n = 0;

    if (max < 7) {
        return 0;
    }
    out[n++] = (weir_log_field_t) { .name = "client", .value = req->client->text };
    if (req->server != NULL) {
        out[n++] = (weir_log_field_t) { .name = "server", .value = req->server->primary_name };
    }
    if (req->head.line.len != 0) {
        out[n++] = (weir_log_field_t) { .name = "request",
                                       .value = req->shown_line.len != 0 ? req->shown_line : req->head.line,
                                       .quoted = true };
    }
    if (req->n_attempts != 0) {
        out[n++] = (weir_log_field_t) { .name = "upstream",
                                       .value = req->attempts[req->n_attempts - 1].peer,
                                       .quoted = true };
    }
    if (host != NULL) {
        out[n++] = (weir_log_field_t) { .name = "host", .value = host->value, .quoted = true };
    }
    if (req->cause != WEIR_CAUSE_NONE) {
        out[n++] = (weir_log_field_t) { .name = "cause", .value = weir_cause_row(req->cause)->word };
    }
    if (req->main->id_text != NULL) {
        out[n++] = (weir_log_field_t) { .name = "request_id",
                                       .value = weir_str(req->main->id_text, WEIR_REQUEST_ID_DIGITS) };
    }
    return n;
}

weir_request_t *
weir_request_take(weir_http_t *http)
{
    request_box_t *box;

    if (!weir_list_empty(&http->free_requests)) {
        box = weir_list_entry(http->free_requests.next, request_box_t, link);
        weir_list_remove(&box->link);
        weir_spare_take(&http->spare_requests);
    } else {
        box = weir_mem_try(sizeof(*box));
        if (box == NULL) {
            return NULL;
        }
        memset(box, 0, sizeof(*box));
        weir_arena_init(&box->req.arena, REQUEST_ARENA_BYTES);
        /* its memory is there before what must not fail needs it */
        if (weir_try_alloc(&box->req.arena, 1) == NULL) {
            weir_mem_free(box);
            return NULL;
        }
    }
    weir_request_t *req = &box->req;
    req->http = http;
    req->main = req;
    req->res.length = WEIR_LENGTH_NONE;
    req->head.content_length = WEIR_LENGTH_NONE;
    req->log.fields = request_log_fields;
    req->started = weir_clock_now();
    req->started_wall_ms = weir_clock_wall_ms();
    req->started_us = weir_sys_clock_us();
    return req;
}

static void
request_free(request_box_t *box)
{
    weir_arena_fini(&box->req.arena);
    weir_mem_free(box);
}

void
weir_request_give_back(weir_request_t *req)
{
    request_box_t *box = weir_container_of(req, request_box_t, req);
    weir_http_t *http = req->http;

    /* there would be no client for the answer */
    weir_assert(req->subs == NULL && req->holder == NULL && req->rest.req == NULL);
    /* its cleanups may look at the configuration: that goes after them */
    weir_arena_reset(&req->arena);
    if (req->generation != NULL) {
        weir_generation_unref(req->generation);
        req->generation = NULL;
    }
    if (weir_unlikely(http->trim_timer.deadline.ms == 0)) {
        weir_http_trim_later(http);
    }
    if (http->spare_requests.n >= REQUEST_FREE_MAX) {
        http->trimmed += REQUEST_ARENA_BYTES;
        request_free(box);
        return;
    }
    weir_arena_t arena = req->arena;
    memset(req, 0, sizeof(*req));
    req->arena = arena;
    weir_list_push(&http->free_requests, &box->link);
    weir_spare_keep(&http->spare_requests);
}

void
weir_requests_free(weir_http_t *http)
{
    while (!weir_list_empty(&http->free_requests)) {
        request_box_t *box = weir_list_entry(http->free_requests.next, request_box_t, link);
        weir_list_remove(&box->link);
        request_free(box);
    }
    http->spare_requests = (weir_spare_t) { 0 };
}

/* Those that were used longest ago. */
size_t
weir_requests_trim(weir_http_t *http, size_t floor)
{
    size_t n = weir_spare_tick(&http->spare_requests, floor), freed = 0;

    for (size_t i = 0; i < n; i++) {
        request_box_t *box = weir_list_entry(http->free_requests.prev, request_box_t, link);

        weir_list_remove(&box->link);
        weir_spare_take(&http->spare_requests);
        freed += sizeof(*box) + box->req.arena.total;
        request_free(box);
    }
    return freed;
}

/* -- phases -- */

static void request_run_location(weir_request_t *req);

/* Is the request in the state that a handler's answer says? */
static inline bool
request_step_is_true(const weir_request_t *req, weir_step_t step)
{
    weir_request_state_t state = weir_request_state(req);

    switch (step) {
    case WEIR_PARK: return state == WEIR_REQUEST_HELD;
    case WEIR_DONE: return state != WEIR_REQUEST_RUNS;
    default:        return state == WEIR_REQUEST_RUNS;
    }
}

static weir_step_t
request_run_phase(weir_request_t *req, weir_phase_t phase)
{
    const weir_http_pipeline_t *pipeline = req->pipeline;

    if (req->phase != phase) {
        req->phase = (uint16_t) phase;
        req->handler = 0;
    }
    weir_dry_run_leave(req);                  /* of one that was parked */
    while (req->handler < pipeline->n[phase]) {
        const weir_http_handler_t *h = &pipeline->phase[phase][req->handler++];
        weir_step_t step = h->run(req, h->conf);

        weir_assert(request_step_is_true(req, step));
        if (step != WEIR_NEXT) {
            return step;
        }
        weir_dry_run_leave(req);
    }
    if (weir_unlikely(req->failed_value != WEIR_CAUSE_NONE)
        && (phase <= WEIR_PHASE_ACCESS || weir_request_is_split(req)))
    {
        return weir_request_fail(req, req->failed_value, "a value that decides about the request cannot be computed");
    }
    return WEIR_NEXT;
}

void
weir_request_value_failed(weir_request_t *req, weir_cause_t cause)
{
    req->failed_value = cause;
}

/* Guards: each may end it, or with `satisfy any` all of them together. */
weir_step_t
weir_request_deny_status(weir_request_t *req, weir_cause_t cause, uint16_t status, const char *detail)
{
    if (weir_request_core(req)->satisfy == WEIR_SATISFY_ALL) {
        return weir_request_fail_status(req, cause, status, detail);
    }
    if (req->guard.status != 401) {              /* what asks for a name says more than what forbids */
        req->guard.cause = cause;
        req->guard.status = status;
        req->guard.detail = detail;
    }
    return WEIR_NEXT;
}

weir_step_t
weir_request_deny(weir_request_t *req, weir_cause_t cause, const char *detail)
{
    return weir_request_deny_status(req, cause, weir_cause_row(cause)->status, detail);
}

weir_step_t
weir_request_grant(weir_request_t *req)
{
    req->guard.is_granted = true;
    return WEIR_NEXT;
}

/* default_deny: no guard has let it in.  To a place that is internal the configuration sends requests itself. */
static bool
request_is_denied(const weir_request_t *req)
{
    const weir_http_core_conf_t *core = weir_request_core(req);

    return weir_unlikely(core->default_deny.on) && !req->is_exempt && !core->internal.on;
}

bool
weir_request_is_let_in(const weir_request_t *req, bool is_rehearsal)
{
    bool is_granted = req->guard.is_granted, is_denied = req->guard.cause != WEIR_CAUSE_NONE || request_is_denied(req);

    if (weir_unlikely(weir_request_core(req)->dry_run.on)) {
        is_granted = is_granted || (is_rehearsal && req->rehearsal.is_granted);
        is_denied = is_rehearsal ? is_denied || req->rehearsal.is_denied : req->guard.cause != WEIR_CAUSE_NONE;
    }
    return is_granted || !is_denied;
}

static weir_step_t
request_run_access(weir_request_t *req)
{
    weir_step_t step = req->is_exempt ? WEIR_NEXT : request_run_phase(req, WEIR_PHASE_ACCESS);
    bool        is_denied;

    if (step != WEIR_NEXT) {
        return step;
    }
    is_denied = !req->guard.is_granted && req->guard.cause == WEIR_CAUSE_NONE && request_is_denied(req);
    if (weir_unlikely(req->rehearsal.is_denied || is_denied)
        && weir_dry_run_end_access(req, req->guard.is_granted, is_denied))
    {
        return WEIR_NEXT;
    }
    if (req->guard.is_granted || (req->guard.cause == WEIR_CAUSE_NONE && !is_denied)) {
        return WEIR_NEXT;
    }
    if (is_denied) {
        return weir_request_fail(req, WEIR_CAUSE_ACCESS_DEFAULT, NULL);
    }
    return weir_request_fail_status(req, req->guard.cause, req->guard.status, req->guard.detail);
}

/* The path is another one: from its location on; with internal redirects not more often than 10 times. */
static void
request_run_rewritten(weir_request_t *req)
{
    if (++req->redirects > REQUEST_MAX_REDIRECTS) {
        (void) weir_request_fail(req, WEIR_CAUSE_ROUTE_LOOP, "rewrite");
        return;
    }
    request_run_location(req);
}

/* From the phase under way to the last. */
static void
request_run_phases(weir_request_t *req)
{
    for (weir_phase_t phase = req->phase; phase <= WEIR_PHASE_CONTENT; phase++) {
        weir_step_t step = phase == WEIR_PHASE_ACCESS ? request_run_access(req) : request_run_phase(req, phase);

        if (step == WEIR_FAIL) {
            (void) weir_request_fail(req, WEIR_CAUSE_INTERNAL_MEMORY, "a handler failed");
            return;
        }
        if (step != WEIR_NEXT) {
            return;
        }
        if (req->is_rewritten) {
            request_run_rewritten(req);
            return;
        }
    }
    (void) weir_request_fail(req, WEIR_CAUSE_ROUTE_NONE, NULL);
}

void
weir_request_resume(weir_request_t *req)
{
    weir_assert(weir_request_state(req) == WEIR_REQUEST_RUNS);
    if (req->pipeline == req->server->pipeline && req->pipeline != req->location->pipeline) {
        request_run_location(req);
        return;
    }
    request_run_phases(req);
}

void
weir_request_use_location(weir_request_t *req, weir_http_location_t *location)
{
    weir_request_use_part(req, location);
    req->phase = WEIR_PHASE_REWRITE;
    req->handler = 0;
    req->is_rewritten = req->is_elsewhere = false;
    req->failed_value = WEIR_CAUSE_NONE;
    req->guard.cause = WEIR_CAUSE_NONE;
    req->guard.status = 0;
    req->guard.is_granted = false;
    req->rehearsal.is_denied = req->rehearsal.is_granted = false;
}

/* nginx checks the announced length here, once the location is known; a chunked body is counted as it comes. */
static bool
request_is_too_large(const weir_request_t *req)
{
    uint64_t max = weir_request_core(req)->client_max_body_size.n;

    return max != 0 && req->head.content_length != WEIR_LENGTH_NONE && req->head.content_length > max
           && req->body_received == 0;
}

/* By that method.  NULL: a pattern ran into its limit. */
static weir_http_location_t *
request_find_by_method(const weir_request_t *req, weir_str_t path, weir_str_t method, weir_match_t *match)
{
    weir_match_input_t input;

    input.path = path;
    input.method = method;
    input.query = req->query;
    input.fields = &req->head.fields;
    if (weir_unlikely(!req->server->has_paths_only)) {
        input.host = req->host;
    }
    return weir_http_place_find(req->server, &input, req->is_internal, match);
}

/* A preflight (Fetch, CORS) belongs to the place that takes the request which it announces, if that place answers
 * preflights.  NULL: a pattern ran into its limit. */
static __attribute__((noinline)) weir_http_location_t *
request_find_preflight(const weir_request_t *req, weir_str_t path, weir_match_t *match)
{
    const weir_field_t   *asked = req->is_internal ? NULL : weir_request_preflight(req);
    weir_http_location_t *location;

    if (asked != NULL) {
        location = request_find_by_method(req, path, asked->value, match);
        if (location == NULL || location->answers_preflight) {
            return location;
        }
    }
    return request_find_by_method(req, path, req->head.method_name, match);
}

/* NULL: a pattern ran into its limit. */
static weir_http_location_t *
request_find_location(const weir_request_t *req, weir_str_t path, weir_match_t *match)
{
    if (weir_unlikely(req->head.method == WEIR_METHOD_OPTIONS)) {
        return request_find_preflight(req, path, match);
    }
    return request_find_by_method(req, path, req->head.method_name, match);
}

/* Is that the same place for both readings of its path?  Of a route it is the same match line. */
static bool
request_is_same_place(const weir_http_location_t *location, const weir_match_t *match,
                      const weir_http_location_t *other, const weir_match_t *other_match)
{
    return location == other && (location->route == NULL || match->rule == other_match->rule);
}

/* The path has encoded slashes.  May it be this location's in both readings?  With `decode` the path may become
 * another, and its location with it.  NULL: no. */
static weir_http_location_t *
request_judge_slashes(weir_request_t *req, weir_http_location_t *location, weir_match_t *match)
{
    weir_str_t   plain = weir_uri_plain_slashes(req->uri.path, &req->arena);
    weir_match_t other;
    weir_uri_t   uri;

    if (location->core->encoded_slash == WEIR_SLASH_REFUSE) {
        return NULL;
    }
    if (location->core->encoded_slash == WEIR_SLASH_DECODE) {
        uri.path = weir_uri_decode_slashes(req->uri.path, &req->arena);
        if (!weir_request_set_path(req, uri.path, req->query)) {
            return NULL;
        }
        location = request_find_location(req, req->uri.path, match);
        if (location == NULL || !req->uri.has_slash) {
            return location != NULL && location->core->encoded_slash == WEIR_SLASH_DECODE ? location : NULL;
        }
    }
    if (weir_uri_normalise(&uri, weir_uri_encode(plain, &req->arena), req->server->core->merge_slashes.on, &req->arena)
        != WEIR_URI_OK)
    {
        return NULL;
    }
    return request_is_same_place(location, match, request_find_location(req, uri.path, &other), &other) ? location
                                                                                                       : NULL;
}

/* As nginx does for a location that passes requests on: a client that asks for "/x" of `location /x/` is sent there. */
static void
request_to_slash(weir_request_t *req, const weir_http_location_t *location)
{
    weir_str_t path = weir_uri_encode(location->rule.text, &req->arena);

    (void) weir_request_redirect_client(req, 301,
                                        weir_str_printf(&req->arena, "%.*s%s%.*s", WEIR_STR_ARG(path),
                                                        req->query.len != 0 ? "?" : "", WEIR_STR_ARG(req->query)));
}

/* The path is known: find its location and go through its phases. */
static void
request_run_location(weir_request_t *req)
{
    weir_match_t match;
    weir_http_location_t *location = request_find_location(req, req->uri.path, &match), *limited = NULL;

    if (location == NULL) {
        (void) weir_request_fail(req, WEIR_CAUSE_ROUTE_PATTERN_LIMIT, NULL);
        return;
    }
    if (req->uri.has_slash && (location = request_judge_slashes(req, location, &match)) == NULL) {
        (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_TARGET, "encoded_slash");
        return;
    }
    if (match.captures.n != 0) {
        if (location->route != NULL) {
            weir_http_captures_set_route(req, &match);
        } else {
            weir_http_captures_set(req, &match.captures, match.rule->regex, true);
        }
    }
    if (location->limited != NULL && !(location->methods >> req->head.method & 1)) {
        limited = location->limited;
    }
    weir_request_use_location(req, limited != NULL ? limited : location);
    if (location->core->internal.on && !req->is_internal) {
        (void) weir_request_fail(req, WEIR_CAUSE_ROUTE_INTERNAL, NULL);
        return;
    }
    if (request_is_too_large(req)) {
        (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_BODY_TOO_LARGE, NULL);
        return;
    }
    if (match.rule != NULL && match.rule->kind == WEIR_PATH_TO_SLASH) {
        request_to_slash(req, location);
        return;
    }
    if (location == req->server->fallback) {
        req->phase = WEIR_PHASE_PREACCESS;      /* the server's rewrite phase was this one */
    }
    request_run_phases(req);
}

/* The server's own rewrite phase, then its locations. */
static void
request_run_server(weir_request_t *req)
{
    weir_request_use_location(req, req->server->fallback);
    weir_step_t step = request_run_phase(req, WEIR_PHASE_REWRITE);

    if (step == WEIR_FAIL) {
        (void) weir_request_fail(req, WEIR_CAUSE_INTERNAL_MEMORY, "a handler failed");
    } else if (step == WEIR_NEXT) {
        request_run_location(req);
    }
}

/* Inside the connection's listener: name, else the default. false: a pattern ran into its limit. */
bool
weir_request_find_server(weir_request_t *req)
{
    const weir_http_listen_t *listen = req->listen;
    const weir_regex_t *regex = NULL;
    weir_captures_t captures = { .n = 0 };
    bool limit = false;

    req->server = weir_hosts_find(listen->hosts, req->host, &captures, &regex, &limit);
    if (req->server == NULL) {
        req->server = listen->default_server;
    }
    weir_request_use_location(req, req->server->fallback);
    if (regex != NULL) {
        weir_http_captures_set(req, &captures, regex, false);
    }
    return !limit;
}

void
weir_request_begin(weir_request_t *req, weir_client_t *client, const weir_http_listen_t *listen,
                   weir_generation_t *generation)
{
    uint32_t n = weir_vars_slots(generation->vars);

    req->client = client;
    req->log.connection = client->number;
    req->generation = weir_generation_ref(generation);
    req->listen = listen;
    req->ctx = weir_new_n(&req->arena, void *, weir_modules_count);
    if (n != 0) {
        req->slots = weir_new_n(&req->arena, const weir_str_t *, n);
    }
    req->server = listen->default_server;
    weir_request_use_location(req, req->server->fallback);
}

weir_uri_result_t
weir_request_read_path(weir_request_t *req, weir_uri_t *uri)
{
    const weir_http_core_conf_t *core = req->server->core;
    weir_uri_result_t result = weir_uri_normalise(uri, req->head.path, core->merge_slashes.on, &req->arena);

    if (result == WEIR_URI_OK && uri->has_slash && core->encoded_slash == WEIR_SLASH_DECODE) {
        result = weir_uri_normalise(uri, weir_uri_decode_slashes(req->head.path, &req->arena), core->merge_slashes.on,
                                    &req->arena);
        uri->is_reshaped = true;
    }
    return result;
}

/* false: the connection's TLS or protocol is not what the server asks for; it was answered. */
static bool
request_may_use_connection(weir_request_t *req)
{
    const char *detail;
    uint16_t status;
    weir_cause_t cause = weir_http_tls_check(req, &detail, &status);

    if (cause == WEIR_CAUSE_NONE && req->version == 20 && !req->listen->is_http2 && !req->server->core->http2.on) {
        (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_MISDIRECTED, "http2 is off");
        return false;
    }
    if (cause == WEIR_CAUSE_NONE) {
        return true;
    }
    (void) weir_request_fail_status(req, cause, status != 0 ? status : weir_cause_row(cause)->status, detail);
    return false;
}

void
weir_request_refuse(weir_request_t *req, weir_cause_t cause, const char *detail)
{
    if (req->head.host.len != 0) {
        req->host = weir_str_lower(&req->arena, req->head.host);
        (void) weir_request_find_server(req);
    } else {
        req->host = req->server->primary_name;
    }
    (void) weir_request_fail(req, cause, detail);
}

void
weir_request_run(weir_request_t *req)
{
    weir_uri_result_t uri;

    weir_assert(weir_request_state(req) == WEIR_REQUEST_RUNS && !req->res.head_sent && req->generation != NULL);
    req->host = weir_str_lower(&req->arena, req->head.host);
    if (!weir_request_find_server(req)) {
        (void) weir_request_fail(req, WEIR_CAUSE_ROUTE_PATTERN_LIMIT, NULL);
        return;
    }
    if (req->host.len == 0) {
        req->host = req->server->primary_name;
    }
    weir_http_stats_begin(req);
    if (!request_may_use_connection(req)) {
        return;
    }
    if (req->head.method == WEIR_METHOD_CONNECT || req->head.method == WEIR_METHOD_TRACE) {
        (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_METHOD, NULL);
        return;
    }
    if (req->head.expect_unknown) {
        (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_EXPECTATION, NULL);
        return;
    }
    req->query = req->head.query;
    if (!weir_uri_query_ok(req->query)) {
        req->query = weir_uri_encode_query(req->query, &req->arena);
    }
    if (req->head.form == WEIR_TARGET_ASTERISK) {
        /* of the whole server (RFC 9110 §9.3.7) */
        req->uri = (weir_uri_t) { .path = WEIR_STR("/"), .wire = WEIR_STR("*") };
    } else {
        uri = weir_request_read_path(req, &req->uri);
        if (uri != WEIR_URI_OK) {
            req->uri = (weir_uri_t) { .path = WEIR_STR("/"), .wire = WEIR_STR("/") };
            (void) weir_request_fail(
                req, uri == WEIR_URI_NO_MEMORY ? WEIR_CAUSE_INTERNAL_MEMORY : WEIR_CAUSE_CLIENT_TARGET, NULL);
            return;
        }
    }
    request_run_server(req);
}

/* -- internal redirects -- */

void
weir_request_run_inside(weir_request_t *req, weir_str_t path, weir_str_t query)
{
    if (!weir_request_set_path(req, path, query)) {
        (void) weir_request_fail(req, WEIR_CAUSE_ROUTE_REWRITE, "a subrequest");
        return;
    }
    request_run_server(req);
}

void
weir_request_run_beside(weir_request_t *req, const weir_request_t *other)
{
    req->uri = other->uri;
    req->uri.path = weir_str_dup(&req->arena, other->uri.path);
    req->uri.wire = weir_str_dup(&req->arena, other->uri.wire);
    req->query = weir_str_dup(&req->arena, other->query);
    req->uri_changed = true;                    /* (its wire form is all there is of it) */
    weir_request_use_location(req, other->location);
    req->is_elsewhere = other->is_elsewhere;
    req->phase = WEIR_PHASE_CONTENT;
    request_run_phases(req);
}

bool
weir_request_set_path(weir_request_t *req, weir_str_t path, weir_str_t query)
{
    weir_str_t wire = weir_uri_encode(path, &req->arena);

    if (weir_uri_normalise(&req->uri, wire, req->server->core->merge_slashes.on, &req->arena) != WEIR_URI_OK) {
        return false;
    }
    req->uri_changed = true;
    req->query = query;
    return true;
}

void
weir_request_use_part(weir_request_t *req, weir_http_location_t *part)
{
    req->location = part;
    req->log.sinks = part->core->error_log.n != 0 ? part->core->error_log.at : NULL;
    req->conf = part->conf;
    req->pipeline = part->pipeline;
}

void
weir_request_be_get(weir_request_t *req)
{
    if (req->head.method != WEIR_METHOD_HEAD) {
        req->head.method = WEIR_METHOD_GET;
        req->head.method_name = WEIR_STR("GET");
    }
    req->body_dropped = true;
}

static bool
request_may_redirect(weir_request_t *req)
{
    weir_assert(weir_request_state(req) == WEIR_REQUEST_RUNS);
    if (weir_request_is_split(req)) {
        (void) weir_request_fail(req, WEIR_CAUSE_CLIENT_TARGET, "encoded_slash");
        return false;
    }
    /* a copy goes to its group and nowhere else */
    if (++req->redirects > REQUEST_MAX_REDIRECTS || weir_group_id_is(req->pass_to)) {
        req->in_error_page = req->is_looping = true;
        (void) weir_request_fail(req, WEIR_CAUSE_ROUTE_LOOP, NULL);
        return false;
    }
    req->is_internal = true;
    weir_filters_leave(req);
    memset(req->ctx, 0, sizeof(void *) * weir_modules_count);
    return true;
}

weir_step_t
weir_request_redirect(weir_request_t *req, weir_str_t path, weir_str_t query)
{
    if (!request_may_redirect(req)) {
        return WEIR_DONE;
    }
    if (!weir_request_set_path(req, path, query)) {
        return weir_request_fail(req, WEIR_CAUSE_ROUTE_REWRITE, "an internal redirect");
    }
    request_run_server(req);
    return WEIR_DONE;
}

weir_step_t
weir_request_redirect_named(weir_request_t *req, weir_str_t name)
{
    for (size_t i = 0; i < req->server->n_named; i++) {
        if (weir_str_eq(req->server->named[i]->name, name)) {
            if (request_may_redirect(req)) {
                weir_request_use_location(req, req->server->named[i]);
                request_run_phases(req);
            }
            return WEIR_DONE;
        }
    }
    req->in_error_page = req->is_looping = true;
    return weir_request_fail_status(req, WEIR_CAUSE_ROUTE_NONE, 500, "could not find the named location");
}

/* -- for handlers -- */

struct weir_kept { struct weir_kept *next; size_t index; void *data; };

void
weir_request_keep(weir_request_t *req, size_t module_index, void *data)
{
    struct weir_kept *kept = weir_new(&req->arena, struct weir_kept);

    *kept = (struct weir_kept) { req->kept, module_index, data };
    req->kept = kept;
}

void *
weir_request_kept(const weir_request_t *req, size_t module_index)
{
    for (const struct weir_kept *kept = req->kept; kept != NULL; kept = kept->next) {
        if (kept->index == module_index) {
            return kept->data;
        }
    }
    return NULL;
}

weir_loop_t *
weir_request_loop(const weir_request_t *req)
{
    return req->http->loop;
}

/* -- the end -- */

static void
request_log_phase(weir_request_t *req)
{
    const weir_http_pipeline_t *pipeline = req->location ? req->location->pipeline : NULL;

    req->total_us = weir_sys_clock_us() - req->started_us;
    weir_request_show_hidden(req);
    weir_http_stats_end(req);
    if (!req->is_sub) {
        weir_http_story_tell(req);
    }
    if (pipeline == NULL || (req->is_sub && !weir_request_core(req)->log_subrequest.on)) {
        return;
    }
    for (uint16_t i = 0; i < pipeline->n[WEIR_PHASE_LOG]; i++) {
        const weir_http_handler_t *h = &pipeline->phase[WEIR_PHASE_LOG][i];
        (void) h->run(req, h->conf);
    }
}

static void
request_end(weir_request_t *req)
{
    weir_assert(weir_request_state(req) == WEIR_REQUEST_SENDS && req->holder == NULL);
    weir_subs_end(req);
    request_log_phase(req);
    weir_filters_fini(req);
    req->codec->finish(req);
}

static void
request_rest_sent(weir_holder_t *rest)
{
    weir_request_t *req = rest->req;

    weir_request_let_go(rest);
    request_end(req);
}

/* The client goes before it has it all: weir_request_client_gone ends the request. */
static void
request_rest_cancelled(weir_holder_t *rest)
{
    (void) rest;
}

static const weir_holder_ops_t request_rest = { .on_writable = request_rest_sent, .on_cancel = request_rest_cancelled };

void
weir_request_finish(weir_request_t *req)
{
    weir_io_t io;

    weir_assert(weir_request_state(req) == WEIR_REQUEST_RUNS);
    req->finalised = true;
    io = weir_filters_fell(req) ? WEIR_ERROR : weir_filters_give_flush(req, req->filters);
    if (io != WEIR_ERROR && weir_response_pending(req)) {
        weir_request_hold(req, &req->rest, &request_rest);
    } else if (weir_filters_fell(req)) {
        weir_filters_answer_instead(req);
    } else {
        request_end(req);
    }
}

void
weir_request_abort(weir_request_t *req, weir_cause_t cause, const char *detail)
{
    if (req->cause == WEIR_CAUSE_NONE) {
        req->cause = cause;
        req->detail = detail;
    }
    weir_assert(!req->is_ended && req->cause != WEIR_CAUSE_NONE);
    weir_cause_log(cause, &req->log, detail);
    weir_request_cancel(req);
    req->finalised = true;
    weir_subs_end(req);
    request_log_phase(req);
    weir_filters_fini(req);
    req->codec->abort(req);
}

void
weir_request_client_gone(weir_request_t *req, weir_cause_t cause)
{
    weir_assert(!req->is_ended);
    if (req->cause == WEIR_CAUSE_NONE) {
        req->cause = cause;
    }
    if (req->res.status == 0) {
        req->res.status = weir_cause_row(cause)->status;
    }
    weir_cause_log(cause, &req->log, NULL);
    req->keep_alive = false;
    weir_request_cancel(req);
    req->finalised = true;
    request_end(req);
}

/* -- its filters (filter.h) -- */

weir_io_t
weir_request_read(weir_request_t *req, weir_str_t *bytes)
{
    return weir_filters_read(req, req->filters, bytes);
}

void
weir_request_writable(weir_request_t *req)
{
    weir_filters_writable(req);
}
