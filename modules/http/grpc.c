/*
 * http_grpc: pass requests to gRPC servers.  The directives, the client's deadline, and failures in gRPC's own words;
 * the work is the engine's (core/http/proxy), the wire HTTP/2.
 *
 * A gRPC client reads a status from trailers, not from the answer's number: what Weir itself has to say becomes an
 * answer of trailers only, and a stream that is cut ends with trailers as well (gRPC over HTTP/2, HTTP to gRPC status
 * code mapping).
 */
#include "http/module.h"
#include "http/proxy/conf.h"

extern const size_t weir_http_grpc_index;

enum {
    GRPC_UNKNOWN = 2, GRPC_DEADLINE_EXCEEDED = 4, GRPC_PERMISSION_DENIED = 7, GRPC_RESOURCE_EXHAUSTED = 8,
        GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13, GRPC_UNAVAILABLE = 14, GRPC_UNAUTHENTICATED = 16
};

/* -- grpc_pass grpc://address -- */

static const weir_proxy_scheme_t grpc_schemes[] = { { "grpc://", false, 80 }, { "grpcs://", true, 443 },
                                                    { "", false, 80 }, { NULL, false, 0 } };

static bool
grpc_check_url(weir_conf_t *cf, weir_str_t url)
{
    weir_proxy_pass_t pass;

    if (weir_str_starts_fold(url, WEIR_STR("http://")) || weir_str_starts_fold(url, WEIR_STR("https://"))) {
        return weir_conf_error(cf, 1, "invalid URL prefix in \"%.*s\": expected grpc:// or grpcs://",
                               WEIR_STR_ARG(url));
    }
    memset(&pass, 0, sizeof(pass));
    return weir_conf_has_variables(cf, 1, url) || !weir_proxy_split_pass(grpc_schemes, url, &pass) || !pass.has_uri
        || weir_conf_error(cf, 1, "\"grpc_pass\" cannot have a URI part: \"%.*s\"", WEIR_STR_ARG(url));
}

static bool
grpc_parse_pass(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_proxy_target_t *target;

    return grpc_check_url(cf, words->at[1].text) && weir_split_parse(cf, row, words, grpc_schemes, field, &target);
}

static bool
grpc_opened_pass(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    weir_proxy_conf_t *conf = weir_conf_own(cf, block->parent, weir_http_grpc_index);

    return grpc_check_url(cf, words->at[1].text) && weir_split_opened(cf, block, words, grpc_schemes, &conf->pass);
}

static const weir_conf_type_t grpc_type_pass = {
    .name = "address", .size = sizeof(weir_proxy_pass_t), .min_args = 1, .max_args = 2, .repeats = true,
    .parse = grpc_parse_pass,
};

static const weir_directive_t grpc_directives[] = {
    WEIR_DIRECTIVE_OF(weir_proxy_conf_t, pass, "grpc_pass", &grpc_type_pass, .where = WEIR_IN_LOCATION,
                      .inherit = WEIR_LOCAL,
                      .args = "[grpc[s]://]authority [weight=number]",
                      .help = "Names the gRPC group or server that requests are passed to; of several, each has its "
                              "share by weight."),
    WEIR_PROXY_TARGET_ROW("grpc_pass", &grpc_type_pass, grpc_opened_pass, "[grpc[s]://]authority"),
    WEIR_PROXY_ROWS("grpc"),
    WEIR_DIRECTIVES_END
};

/* -- the client's deadline -- */

/* grpc-timeout: one to eight digits and a unit.  0: none, or not one. */
static weir_msec_t
grpc_deadline(const weir_request_t *req)
{
    static const struct { char unit; uint64_t micros; } units[] = {
        { 'H', 3600000000 }, { 'M', 60000000 }, { 'S', 1000000 }, { 'm', 1000 }, { 'u', 1 },
    };
    const weir_field_t *field = weir_fields_find(&req->head.fields, WEIR_STR("grpc-timeout"));
    uint64_t number;
    weir_str_t text;

    if (field == NULL || field->value.len < 2 || field->value.len > 9) {
        return (weir_msec_t) { 0 };
    }
    text = weir_str(field->value.at, field->value.len - 1);
    if (!weir_str_to_u64(text, &number)) {
        return (weir_msec_t) { 0 };
    }
    for (size_t i = 0; i < weir_countof(units); i++) {
        if (field->value.at[text.len] == units[i].unit) {
            return (weir_msec_t) { weir_max((number * units[i].micros + 999) / 1000, 1) };
        }
    }
    return (weir_msec_t) { field->value.at[text.len] == 'n' ? weir_max((number + 999999) / 1000000, 1) : 0 };
}

/* -- failures -- */

static bool
grpc_is_call(const weir_request_t *req)
{
    const weir_field_t *type = weir_fields_first(&req->head.fields, WEIR_HEADER_CONTENT_TYPE);

    return type != NULL && weir_str_starts_fold(type->value, WEIR_STR("application/grpc"));
}

static unsigned
grpc_status_of(weir_cause_t cause, uint16_t status)
{
    if (cause == WEIR_CAUSE_UPSTREAM_DEADLINE || cause == WEIR_CAUSE_UPSTREAM_TIMEOUT) {
        return GRPC_DEADLINE_EXCEEDED;
    }
    switch (status) {
    case 400: return GRPC_INTERNAL;
    case 401: return GRPC_UNAUTHENTICATED;
    case 403: return GRPC_PERMISSION_DENIED;
    case 404: return GRPC_UNIMPLEMENTED;
    case 413: case 431: return GRPC_RESOURCE_EXHAUSTED;
    case 429: case 502: case 503: case 504: return GRPC_UNAVAILABLE;
    default: return GRPC_UNKNOWN;
    }
}

/* grpc-message is percent-encoded: causes are words of ASCII letters, dots and lines below. */
static bool
grpc_put_status(weir_request_t *req, weir_fields_t *fields, weir_cause_t cause, uint16_t status)
{
    weir_str_t number = weir_str_printf(&req->arena, "%u", grpc_status_of(cause, status));

    return weir_fields_add(fields, &req->arena, WEIR_HEADER_OTHER, WEIR_STR("grpc-status"), number, 0) != NULL
           && weir_fields_add(fields, &req->arena, WEIR_HEADER_OTHER, WEIR_STR("grpc-message"),
                              weir_cause_row(cause)->word, 0) != NULL;
}

/* An answer of Weir's own: trailers only. */
static weir_step_t
grpc_filter(weir_request_t *req, const void *conf)
{
    weir_response_t *res = &req->res;
    uint16_t status = res->status;

    weir_assert(!res->head_sent);
    (void) conf;
    if (req->cause == WEIR_CAUSE_NONE || !grpc_is_call(req) || status < 400) {
        return WEIR_NEXT;
    }
    weir_fields_reset(&res->fields);
    res->status = 200;
    res->reason = WEIR_STR_NONE;
    res->length = 0;
    res->no_body = true;
    weir_response_add(req, WEIR_HEADER_CONTENT_TYPE, WEIR_STR("application/grpc"));
    return grpc_put_status(req, &res->fields, req->cause, status) ? WEIR_NEXT : WEIR_FAIL;
}

static bool
grpc_end_cut(weir_request_t *req, weir_cause_t cause)
{
    uint16_t status = weir_cause_row(cause)->status;

    if (!grpc_is_call(req) || req->res.no_body || req->res.length != WEIR_LENGTH_NONE) {
        return false;
    }
    weir_fields_reset(&req->res.trailers);
    return grpc_put_status(req, &req->res.trailers, cause, status ? status : 502);
}

/* -- what follows from the directives -- */

static bool
grpc_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    weir_proxy_conf_t *conf = conf_;

    if (conf->pass.url.len != 0) {
        weir_proxy_take_location(block);
    }
    conf->peer.http_version = 20;
    conf->buffering.on = conf->request_buffering.on = conf->ignore_client_abort.on = false;
    conf->pass_request_headers.on = conf->pass_request_body.on = conf->pass_trailers.on = true;
    conf->end_cut = grpc_end_cut;
    weir_proxy_derive(cf, conf);
    return true;
}

static bool
grpc_bind(weir_conf_t *cf, weir_generation_t *generation, weir_conf_block_t *block)
{
    return weir_proxy_bind(cf, generation, block, weir_http_grpc_index, "grpc_");
}

/* -- running -- */

static bool
grpc_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const weir_proxy_conf_t *) conf)->pass.url.len != 0;
}

static weir_step_t
grpc_content(weir_request_t *req, const void *conf)
{
    weir_assert(((const weir_proxy_conf_t *) conf)->peer.http_version == 20);
    return weir_proxy_start_within(req, conf, &weir_peer_h2, grpc_deadline(req));
}

const weir_http_module_t weir_http_grpc = {
    .name = "http_grpc",
    .area = "gRPC",
    .conf_size = sizeof(weir_proxy_conf_t),
    .directives = grpc_directives,
    .check = grpc_check,
    .bind = grpc_bind,
    .on = { [WEIR_PHASE_CONTENT] = grpc_content },
    .is_proxy = true,
    .enabled = grpc_enabled,
    .filter_head = grpc_filter,
};
