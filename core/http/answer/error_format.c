/*
 * error_format.c - see error_format.h.  Runs in workers; memory is the request's arena.
 */
#include "http/answer/error_format.h"

#include "http/answer/accept.h"
#include "http/conf.h"
#include "http/serve/runtime.h"
#include "http/message/status.h"

static const weir_str_t format_types[] = {
    [WEIR_ERRORS_HTML] = WEIR_STR_INIT("text/html"),
    [WEIR_ERRORS_JSON] = WEIR_STR_INIT("application/json"),
    [WEIR_ERRORS_PROBLEM] = WEIR_STR_INIT("application/problem+json"),
};

/* HTML for clients that prefer it, as browsers do; what the configuration says for all others. */
static uint32_t
format_choose(weir_request_t *req)
{
    uint32_t   format = weir_request_core(req)->error_format;
    weir_str_t accept;

    if (format == WEIR_ERRORS_HTML) {
        return format;
    }
    accept = weir_fields_join(&req->head.fields, WEIR_STR("accept"), &req->arena);
    weir_response_add(req, WEIR_HEADER_VARY, WEIR_STR("Accept"));
    return weir_accept_quality(accept, format_types[WEIR_ERRORS_HTML])
                 > weir_accept_quality(accept, format_types[format])
             ? WEIR_ERRORS_HTML
             : format;
}

/* Reason phrases, causes and ids have nothing in them that JSON would want escaped. */
static weir_str_t
format_json(weir_request_t *req, uint16_t status, weir_str_t title, bool is_problem)
{
    weir_str_t cause = req->cause != WEIR_CAUSE_NONE ? weir_cause_row(req->cause)->word : WEIR_STR_NONE;
    weir_str_t id = weir_request_id(req);

    return weir_str_printf(&req->arena, "{%s\"status\":%u,\"%s\":\"%.*s\"%s%.*s%s,\"request_id\":\"%.*s\"}\n",
                           is_problem ? "\"type\":\"about:blank\"," : "", (unsigned) status,
                           is_problem ? "title" : "error", WEIR_STR_ARG(title), cause.len != 0 ? ",\"cause\":\"" : "",
                           WEIR_STR_ARG(cause), cause.len != 0 ? "\"" : "", WEIR_STR_ARG(id));
}

weir_str_t
weir_error_page(weir_request_t *req, uint16_t status, weir_str_t id)
{
    return weir_status_page(status, weir_request_core(req)->reason_phrases == WEIR_PHRASES_NGINX,
                            weir_request_server_token(req), id, &req->arena);
}

weir_str_t
weir_error_body(weir_request_t *req, uint16_t status, weir_str_t *type)
{
    bool       as_nginx = weir_request_core(req)->reason_phrases == WEIR_PHRASES_NGINX;
    uint32_t   format = format_choose(req);
    uint16_t   shown = weir_status_shown(status);

    weir_assert(format < weir_countof(format_types));
    *type = format_types[format];
    if (format == WEIR_ERRORS_HTML) {
        return weir_error_page(req, status, req->main->id_text != NULL ? weir_request_id(req) : WEIR_STR_NONE);
    }
    return format_json(req, shown, as_nginx ? weir_status_reason_nginx(shown, true) : weir_status_reason(shown),
                       format == WEIR_ERRORS_PROBLEM);
}
