/*
 * header_rules.c - request_header, response_header: fields that are set, added or removed on the way to the peer and on
 * the way to the client.
 *
 * A request is changed when it was let in, before its answer is made: what comes then, variables, mirrors and
 * the log among them, sees it as the peer gets it.  An answer is changed last of all that is done with its fields,
 * whichever producer made it.  Runs in workers.
 */
#include "http/module.h"

#include "http/filter/header_edit.h"

typedef struct { weir_header_edits_t request, response; } rules_conf_t;

static weir_step_t
rules_request(weir_request_t *req, const void *conf)
{
    weir_header_edit_request(req, &((const rules_conf_t *) conf)->request);
    return WEIR_NEXT;
}

static weir_step_t
rules_head(weir_request_t *req, const void *conf)
{
    weir_header_edit_response(req, &((const rules_conf_t *) conf)->response);
    return WEIR_NEXT;
}

static bool
rules_enabled(const void *conf_, weir_phase_t phase)
{
    const rules_conf_t *conf = conf_;

    return phase == WEIR_PHASE_FILTER ? conf->request.n != 0 : conf->response.n != 0;
}

static const weir_directive_t rules_directives[] = {
    WEIR_DIRECTIVE_OF(rules_conf_t, request, "request_header", &weir_header_edit_type_request, .where = WEIR_IN_ANY,
                      .inherit = WEIR_APPEND,
                      .help = "Sets, adds or removes a field of the request before it is answered or passed on; lines "
                              "of enclosing blocks come first."),
    WEIR_DIRECTIVE_OF(rules_conf_t, response, "response_header", &weir_header_edit_type_response, .where = WEIR_IN_ANY,
                      .inherit = WEIR_APPEND,
                      .help = "Sets, adds or removes a field of every answer; lines of enclosing blocks come first."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_header_rules = {
    .name = "http_header_rules",
    .area = "Traffic",
    .conf_size = sizeof(rules_conf_t),
    .directives = rules_directives,
    .on = { [WEIR_PHASE_FILTER] = rules_request },
    .enabled = rules_enabled,
    .filter_head = rules_head,
    .filter_after = "http_headers http_grpc http_maintenance http_limit_req http_quota http_ext_authz",
};
