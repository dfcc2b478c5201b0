/*
 * request_reply.c - answers Weir makes itself: a cause and its status, error_page, redirects, short bodies.
 */
#include "http/answer/docroot.h"
#include "http/answer/error_format.h"
#include "http/filter.h"
#include "http/filter/response.h"
#include "http/module.h"
#include "http/filter/precondition.h"
#include "http/serve/runtime.h"
#include "http/message/status.h"
#include "http/record/story.h"
#include "http/vars/uri_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

weir_str_t
weir_request_server_token(const weir_request_t *req)
{
    switch (weir_request_core(req)->server_tokens) {
    case WEIR_TOKENS_OFF: return WEIR_STR("weir");
    default: return WEIR_STR("weir/" WEIR_VERSION);
    }
}

/* -- whole answers -- */

void
weir_request_discard_answer(weir_request_t *req)
{
    weir_assert(!req->res.head_sent);     /* it cannot be taken back */
    weir_filters_reset(req);
    weir_fields_reset(&req->res.fields);
    weir_fields_reset(&req->res.trailers);
    req->res.length = WEIR_LENGTH_NONE;
    req->res.reason = WEIR_STR_NONE;
    req->res.upgraded = req->res.has_ranges = req->res.may_go_back = req->res.is_live = req->res.has_trailers = false;
}

static weir_step_t
reply_send(weir_request_t *req, uint16_t status, weir_str_t content_type, weir_str_t body)
{
    uint16_t shown = req->error_status != 0 ? req->error_status : status;

    weir_assert(status != 0 && !req->res.head_given);
    req->res.status = status;
    if (shown != 204 && shown != 304) {
        /* (or X-Accel-Redirect's stays) */
        if (content_type.len != 0 && weir_response_value(req, WEIR_HEADER_CONTENT_TYPE).at == NULL) {
            weir_response_add(req, WEIR_HEADER_CONTENT_TYPE, content_type);
        }
        req->res.length = body.len;
    }
    if (weir_response_head(req) != WEIR_ERROR && weir_response_body(req, body) != WEIR_ERROR) {
        (void) weir_response_end(req);
    }
    weir_request_finish(req);
    return WEIR_DONE;
}

weir_step_t
weir_request_reply(weir_request_t *req, uint16_t status, weir_str_t content_type, weir_str_t body)
{
    if (status == 200 && weir_precondition_check(req, weir_request_core(req)->if_modified_since) != WEIR_NEXT)
    {
        return WEIR_DONE;
    }
    return reply_send(req, status, content_type.len ? content_type : weir_docroot_type(req, req->uri.path), body);
}

/* -- redirects to the client -- */

weir_str_t
weir_request_absolute(weir_request_t *req, weir_str_t location)
{
    const weir_http_core_conf_t *core = weir_request_core(req);
    weir_str_t scheme = req->client->is_tls ? WEIR_STR("https") : WEIR_STR("http");
    weir_str_t host = core->server_name_in_redirect.on && req->server->primary_name.len ? req->server->primary_name
                                                                                        : req->host;
    weir_addr_t local = weir_request_local(req);
    uint16_t port = weir_addr_port(&local);
    char text[8] = "";

    if (location.len == 0 || location.at[0] != '/' || !core->absolute_redirect.on) {
        return location;
    }
    if (core->port_in_redirect.on && port != 0 && port != (req->client->is_tls ? 443 : 80)) {
        text[0] = ':';
        *weir_str_from_u64(text + 1, port) = '\0';
    }
    if (host.len == 0) {
        return location;
    }
    return weir_str_printf(&req->arena, "%.*s://%.*s%s%.*s", WEIR_STR_ARG(scheme), WEIR_STR_ARG(host), text,
                           WEIR_STR_ARG(location));
}

/* It has its own status, also where it is a page that an error was sent to. */
static weir_step_t
reply_redirect(weir_request_t *req, uint16_t status, weir_str_t location)
{
    weir_str_t safe = weir_uri_encode_reference(location, &req->arena);

    weir_assert(status >= 301 && status <= 308);
    weir_request_discard_answer(req);
    req->error_status = 0;
    weir_response_add(req, WEIR_HEADER_LOCATION, weir_request_absolute(req, safe));
    return reply_send(req, status, WEIR_STR("text/html"), weir_error_page(req, status, WEIR_STR_NONE));
}

/* -- failures -- */

static weir_step_t
reply_built_in_page(weir_request_t *req, uint16_t status)
{
    weir_str_t type, page = weir_error_body(req, status, &type);

    status = weir_status_shown(status);
    if (status == 426) {
        weir_response_add(req, WEIR_HEADER_UPGRADE, WEIR_STR("websocket"));
        weir_fields_add(&req->res.fields, &req->arena, WEIR_HEADER_OTHER, WEIR_STR("Sec-WebSocket-Version"),
                        WEIR_STR("13"), 0);
    }
    return reply_send(req, status, type, page);
}

#define REPLY_NGINX_TOO_LARGE 494        /* in error_page: what nginx calls a head that is too large */

/* The page for this status, else for what nginx calls it. */
static const weir_error_page_t *
reply_find_page(const weir_request_t *req, uint16_t status)
{
    const weir_error_pages_t *pages = &weir_request_core(req)->error_pages;

    for (size_t i = 0; i < pages->n; i++) {
        if (pages->at[i].code == status) {
            return &pages->at[i];
        }
    }
    return status == 431 ? reply_find_page(req, REPLY_NGINX_TOO_LARGE) : NULL;
}

static bool
reply_may_have_page(const weir_request_t *req)
{
    return !req->is_last_page && !req->is_looping;
}

bool
weir_request_has_error_page(const weir_request_t *req, uint16_t status)
{
    return reply_may_have_page(req) && reply_find_page(req, status) != NULL;
}

/* error_page: to a URI or a named location inside, or a redirect outside. */
static weir_step_t
reply_error_page(weir_request_t *req, const weir_error_page_t *page, uint16_t status)
{
    weir_str_t path, query;

    weir_assert(page->target != NULL);
    (void) weir_uri_text_split(req, page->target, &path, &query);
    req->in_error_page = true;
    req->is_last_page = !weir_request_core(req)->recursive_error_pages.on;
    req->error_status = page->overwrite < 0 ? status : (uint16_t) page->overwrite;
    if (weir_str_starts(path, WEIR_STR("@"))) {
        return weir_request_redirect_named(req, path);
    }
    if (weir_str_starts(path, WEIR_STR("/"))) {
        weir_request_be_get(req);
        return weir_request_redirect(req, path, query);
    }
    uint16_t code = page->overwrite > 0 ? (uint16_t) page->overwrite : 302;
    bool is_redirect = code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
    return reply_redirect(req, is_redirect ? code : 302, weir_uri_text(req, page->target, WEIR_URI_REFERENCE));
}

/* `error_page 302 …` answers without a Location. */
weir_step_t
weir_request_redirect_client(weir_request_t *req, uint16_t status, weir_str_t location)
{
    const weir_error_page_t *page = reply_may_have_page(req) ? reply_find_page(req, status) : NULL;

    return page != NULL ? reply_error_page(req, page, status) : reply_redirect(req, status, location);
}

/* Errors after which the rest of what the client sends cannot be trusted to be a next request. */
static bool
reply_must_close(uint16_t status, weir_cause_t cause)
{
    switch (cause) {
    case WEIR_CAUSE_CLIENT_MALFORMED: case WEIR_CAUSE_CLIENT_TARGET: case WEIR_CAUSE_CLIENT_HOST:
    case WEIR_CAUSE_CLIENT_FRAMING:
    case WEIR_CAUSE_CLIENT_BODY_MALFORMED: case WEIR_CAUSE_CLIENT_PLAIN_TO_TLS: case WEIR_CAUSE_CLIENT_HEADER_TIMEOUT:
    case WEIR_CAUSE_CLIENT_BODY_TIMEOUT: case WEIR_CAUSE_CLIENT_CODING: case WEIR_CAUSE_CLIENT_VERSION:
    case WEIR_CAUSE_CLIENT_METHOD: case WEIR_CAUSE_CLIENT_UPGRADE_REFUSED: case WEIR_CAUSE_CLIENT_BODY_INCOMPLETE:
    case WEIR_CAUSE_INTERNAL_MEMORY: case WEIR_CAUSE_INTERNAL_IO:
        return true;
    default:
        return status == 400 || status == 413 || status == 414 || status == 431 || status == 417
            || weir_status_shown(status) != status;
    }
}

void
weir_request_log(weir_request_t *req, uint32_t level, weir_cause_t cause, const char *format, ...)
{
    weir_cause_t before = req->cause;
    char         text[512];
    va_list      arguments;

    va_start(arguments, format);
    (void) vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void) weir_request_id(req);
    req->cause = cause;
    weir_log((weir_log_level_t) level, &req->log, 0, "%s", text);
    req->cause = before;
}

/* Does the page that an error was sent to fail in the same way?  Then the first cause stands.  Every other failure is
 * an answer of its own, with its own status, as in nginx; so is what a limit or a guard on the way says: they judge a
 * request wherever it is now. */
static bool
reply_is_the_same(const weir_request_t *req, uint16_t status)
{
    return req->in_error_page && req->error_status == status && req->phase != WEIR_PHASE_PREACCESS
        && req->phase != WEIR_PHASE_ACCESS;
}

/* The error_page for it; NULL: there is none.  Not when a head was sent. */
static const weir_error_page_t *
reply_begin_failure(weir_request_t *req, weir_cause_t cause, uint16_t status, const char *detail)
{
    weir_assert(!req->res.head_sent);
    if (!reply_is_the_same(req, status)) {
        req->cause = cause;
        req->detail = detail;
        weir_http_story_name(req);
        if (cause != WEIR_CAUSE_FILE_NONE || weir_request_core(req)->log_not_found.on) {
            weir_cause_log(cause, &req->log, detail);
        }
    }
    if (reply_must_close(status, cause)) {
        req->keep_alive = false;
    }
    weir_request_discard_answer(req);
    req->error_status = 0;
    return reply_may_have_page(req) ? reply_find_page(req, status) : NULL;
}

weir_step_t
weir_request_fail_status(weir_request_t *req, weir_cause_t cause, uint16_t status, const char *detail)
{
    const weir_error_page_t *page;

    weir_assert(!req->is_ended && cause < WEIR_CAUSE_MAX);
    weir_request_cancel(req);                  /* what it waits for is given up */
    if (req->res.head_sent) {
        weir_request_abort(req, cause, detail);
        return WEIR_DONE;
    }
    page = reply_begin_failure(req, cause, status, detail);
    return page != NULL ? reply_error_page(req, page, status) : reply_built_in_page(req, status);
}

weir_step_t
weir_request_fail_page(weir_request_t *req, weir_cause_t cause, uint16_t status, const char *detail,
                       weir_str_t content_type, weir_str_t text)
{
    const weir_error_page_t *page;

    weir_assert(!req->is_ended && cause < WEIR_CAUSE_MAX && status >= 200 && status <= 599);
    weir_request_cancel(req);
    page = reply_begin_failure(req, cause, status, detail);
    return page != NULL ? reply_error_page(req, page, status) : reply_send(req, status, content_type, text);
}

weir_step_t
weir_request_fail(weir_request_t *req, weir_cause_t cause, const char *detail)
{
    uint16_t status = weir_cause_row(cause)->status;

    return weir_request_fail_status(req, cause, status ? status : 500, detail);
}
