/*
 * api.c - see api.h: what a request meets that comes to a place of an API, and the directives.
 *
 * Runs in workers.  The state is judged behind the limits and before the guards of access, so that a draft is hidden
 * from all clients alike; the plan behind all that find out which consumer it is.
 */
#include "http/route/api.h"

#include "http/guard/consumer.h"
#include "http/guard/dry_run.h"
#include "http/module.h"
#include "http/record/stats.h"
#include "http/record/story.h"
#include "shm/stats.h"

typedef struct {
    weir_api_t   *first;
    weir_calls_t *calls;                    /* NULL: no version is deprecated */
} api_built_t;

static const api_built_t *
api_built(const weir_request_t *req)
{
    return req->generation->built[weir_http_api_index];
}

const weir_api_t *
weir_api_first(const weir_generation_t *generation)
{
    const api_built_t *built = generation->built[weir_http_api_index];

    return built != NULL ? built->first : NULL;
}

/* -- the state -- */

static bool
api_may_preview(weir_request_t *req, const weir_api_t *api)
{
    const weir_scope_t scope = weir_request_scope(req);

    return api->preview != NULL && weir_expression_holds(api->preview, NULL, &scope, &req->arena);
}

static weir_step_t
api_preaccess(weir_request_t *req, const void *conf)
{
    const weir_api_version_t *version = ((const weir_api_conf_t *) conf)->use.at;
    weir_cause_t              cause = WEIR_CAUSE_NONE;
    weir_policy_t             policy = weir_dry_run_begin(req, WEIR_DRY_RUN_AS_PLACE);

    if (policy == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    weir_assert(version->api != NULL && version->state <= WEIR_API_RETIRED);
    if (version->state == WEIR_API_RETIRED) {
        cause = WEIR_CAUSE_API_RETIRED;
    } else if (version->state == WEIR_API_DRAFT && !api_may_preview(req, version->api)) {
        cause = WEIR_CAUSE_API_DRAFT;
    }
    weir_http_story_judged(req, "api", version->label,
                           weir_dry_run_verdict(cause != WEIR_CAUSE_NONE, policy == WEIR_POLICY_REHEARSED));
    weir_dry_run_leave(req);
    if (cause == WEIR_CAUSE_NONE) {
        return WEIR_NEXT;
    }
    if (policy == WEIR_POLICY_REHEARSED) {
        weir_dry_run_log(req, cause);
        return weir_dry_run_ends(req);
    }
    return weir_request_fail(req, cause, version->label.at);
}

/* -- plans -- */

static bool
api_has_plan(const weir_api_t *api, weir_str_t plan)
{
    for (size_t i = 0; i < api->plans.n; i++) {
        if (weir_str_eq(api->plans.at[i], plan)) {
            return true;
        }
    }
    return false;
}

/* A consumer with another plan is refused although another guard lets it in; one without a plan may be let in by
 * another guard with `satisfy any`. */
static weir_step_t
api_access(weir_request_t *req, const void *conf)
{
    const weir_api_t *api = ((const weir_api_conf_t *) conf)->use.at->api;
    weir_policy_t     policy = weir_dry_run_begin(req, weir_dry_run_of(api->is_plans_dry_run));
    weir_str_t        plan;
    bool              is_refused;

    if (policy == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    plan = weir_consumer_of(req)->plan;
    is_refused = !api_has_plan(api, plan);
    weir_http_story_judged(req, "api plans", plan, weir_dry_run_verdict(is_refused, policy == WEIR_POLICY_REHEARSED));
    weir_dry_run_leave(req);
    if (!is_refused) {
        return WEIR_NEXT;
    }
    if (policy == WEIR_POLICY_REHEARSED) {
        weir_dry_run_log(req, WEIR_CAUSE_API_PLAN);
        return plan.len != 0 ? weir_dry_run_ends(req) : weir_dry_run_deny(req);
    }
    return plan.len != 0 ? weir_request_fail(req, WEIR_CAUSE_API_PLAN, weir_str_to_z(&req->arena, plan))
                         : weir_request_deny(req, WEIR_CAUSE_API_PLAN, "no plan");
}

/* -- what is told and counted -- */

static weir_step_t
api_precontent(weir_request_t *req, const void *conf)
{
    if (weir_dry_run_begin(req, WEIR_DRY_RUN_AS_PLACE) != WEIR_POLICY_NOT_ASKED) {
        weir_calls_count(api_built(req)->calls, req, ((const weir_api_conf_t *) conf)->use.at->label);
        weir_dry_run_leave(req);
    }
    return WEIR_NEXT;
}

static weir_step_t
api_head(weir_request_t *req, const void *conf)
{
    const weir_api_version_t *version = ((const weir_api_conf_t *) conf)->use.at;

    weir_assert(version->state >= WEIR_API_DEPRECATED);
    weir_deprecation_tell(req, &version->deprecation);
    return WEIR_NEXT;
}

static weir_step_t
api_log(weir_request_t *req, const void *conf)
{
    if (!req->is_sub) {
        weir_http_stats_add(((const weir_api_conf_t *) conf)->use.at->stats, req);
    }
    return WEIR_NEXT;
}

/* -- api_document -- */

static weir_step_t
api_content(weir_request_t *req, const void *conf)
{
    const weir_api_version_t *version = ((const weir_api_conf_t *) conf)->document.at;

    if (req->head.method != WEIR_METHOD_GET && req->head.method != WEIR_METHOD_HEAD) {
        return weir_request_fail(req, WEIR_CAUSE_CLIENT_METHOD, NULL);
    }
    weir_response_add(req, WEIR_HEADER_ETAG, version->document.etag);
    return weir_request_reply(req, 200, WEIR_STR("application/openapi+json"), version->document.bytes);
}

static bool
api_enabled(const void *conf_, weir_phase_t phase)
{
    const weir_api_conf_t    *conf = conf_;
    const weir_api_version_t *version = conf->use.at;

    switch (phase) {
    case WEIR_PHASE_CONTENT:
        return conf->document.at != NULL;
    case WEIR_PHASE_PREACCESS:
        return version != NULL && (version->state == WEIR_API_DRAFT || version->state == WEIR_API_RETIRED);
    case WEIR_PHASE_ACCESS:
        return version != NULL && version->api->plans.n != 0;
    case WEIR_PHASE_PRECONTENT:
        return version != NULL && version->state == WEIR_API_DEPRECATED;
    case WEIR_PHASE_MAX:
        return version != NULL && version->state >= WEIR_API_DEPRECATED;
    default:
        return version != NULL;
    }
}

/* Does the access handler refuse any client? */
static bool
api_guards(const void *conf)
{
    return !((const weir_api_conf_t *) conf)->use.at->api->is_plans_dry_run;
}

/* -- variables -- */

static const weir_api_version_t *
api_version_of(const weir_request_t *req)
{
    return weir_request_conf(req, http_api, weir_api_conf_t)->use.at;
}

static bool
api_get_name(void *subject, weir_arena_t *arena WEIR_UNUSED, const weir_var_ref_t *ref WEIR_UNUSED, weir_str_t *value)
{
    const weir_api_version_t *version = api_version_of(subject);

    *value = version != NULL ? version->api->name : WEIR_STR_NONE;
    return version != NULL;
}

static bool
api_get_version(void *subject, weir_arena_t *arena WEIR_UNUSED, const weir_var_ref_t *ref WEIR_UNUSED,
                weir_str_t *value)
{
    const weir_api_version_t *version = api_version_of(subject);

    *value = version != NULL ? version->name : WEIR_STR_NONE;
    return version != NULL;
}

static const weir_variable_t api_variables[] = {
    { "api", .subject = WEIR_OF_REQUEST, .get = api_get_name,
      .help = "Name of the API that the place belongs to; empty: it belongs to none." },
    { "api_version", .subject = WEIR_OF_REQUEST, .get = api_get_version,
      .help = "Version of the API that the place belongs to." },
    WEIR_VARIABLES_END
};

/* -- directives -- */

static bool
api_parse_use(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_api_use_t *use = field;

    if (words->n == 2) {
        return weir_str_eq(words->at[1].text, WEIR_STR("off"))
            || weir_conf_error(cf, 0, "\"%s\" takes the name of an API and one of its versions", row->name);
    }
    use->api = words->at[1].text;
    use->version = words->at[2].text;
    use->words = *words;
    return true;
}

/* What there is: in the http block around it. */
static weir_api_t *
api_all(const weir_conf_block_t *block)
{
    while (block->context != WEIR_IN_HTTP) {
        block = block->parent;
        weir_assert(block != NULL);
    }
    return ((const weir_api_conf_t *) block->confs[weir_http_api_index])->first;
}

static bool
api_unknown(weir_conf_t *cf, const weir_api_use_t *use, const weir_api_t *api)
{
    if (api == NULL) {
        return weir_conf_error_at(cf, &use->words, "there is no api \"%.*s\": it needs an \"api %.*s { … }\" in http",
                                  WEIR_STR_ARG(use->api), WEIR_STR_ARG(use->api));
    }
    return weir_conf_error_at(cf, &use->words, "api \"%.*s\" has no version \"%.*s\"", WEIR_STR_ARG(use->api),
                              WEIR_STR_ARG(use->version));
}

static bool
api_resolve(weir_conf_t *cf, const weir_conf_block_t *block, weir_api_use_t *use)
{
    weir_api_t *api;

    if (use->api.len == 0 || use->at != NULL) {
        return true;
    }
    api = weir_api_find(api_all(block), use->api);
    use->at = api != NULL ? weir_api_find_version(api, use->version) : NULL;
    return use->at != NULL || api_unknown(cf, use, api);
}

static bool
api_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    weir_api_conf_t *conf = conf_;

    for (weir_api_t *api = block->context == WEIR_IN_HTTP ? conf->first : NULL; api != NULL; api = api->next) {
        if (!weir_api_settle(cf, api)) {
            return false;
        }
    }
    if (!api_resolve(cf, block, &conf->use) || !api_resolve(cf, block, &conf->document)) {
        return false;
    }
    return conf->document.at == NULL || conf->document.at->document.file.len != 0
        || weir_conf_error_at(cf, &conf->document.words, "api \"%.*s\" has no \"openapi\" for its version \"%.*s\"",
                              WEIR_STR_ARG(conf->document.api), WEIR_STR_ARG(conf->document.version));
}

static bool
api_build_versions(weir_conf_t *cf, api_built_t *built)
{
    bool needs_calls = false;

    for (weir_api_t *api = built->first; api != NULL; api = api->next) {
        for (size_t i = 0; i < api->versions.n; i++) {
            weir_api_version_t *version = &api->versions.at[i];

            version->stats = weir_stats_row(cf->arena, WEIR_STATS_API, version->label, 0);
            needs_calls = needs_calls || version->state == WEIR_API_DEPRECATED;
        }
    }
    built->calls = needs_calls ? weir_calls_open(cf) : NULL;
    return built->calls != NULL || !needs_calls;
}

static bool
api_build(weir_conf_t *cf, weir_generation_t *generation)
{
    const weir_conf_block_t *http = cf->root->first;
    const weir_api_conf_t   *conf;
    api_built_t             *built;

    while (http != NULL && http->context != WEIR_IN_HTTP) {
        http = http->next;
    }
    conf = http != NULL ? http->confs[weir_http_api_index] : NULL;
    if (conf == NULL || conf->first == NULL) {
        return true;
    }
    built = weir_new(cf->arena, api_built_t);
    built->first = conf->first;
    generation->built[weir_http_api_index] = built;
    return api_build_versions(cf, built);
}

static const weir_conf_type_t api_type_use = {
    .name = "name version | off", .size = sizeof(weir_api_use_t), .min_args = 1, .max_args = 2, .parse = api_parse_use,
};

static const weir_conf_type_t api_type_document = {
    .name = "name version", .size = sizeof(weir_api_use_t), .min_args = 2, .max_args = 2, .parse = api_parse_use,
};

static const weir_directive_t api_directives[] = {
    WEIR_BLOCK("api", WEIR_IN_DATA, .where = WEIR_IN_HTTP, .args = "name", .block_min_args = 1, .block_max_args = 1,
               .opened = weir_api_opened, .line = weir_api_line,
               .help = "Says which versions an API has, in which state each is, which plans may call it, and which "
                       "OpenAPI document describes it."),
    WEIR_DIRECTIVE_OF(weir_api_conf_t, use, "api", &api_type_use, .where = WEIR_IN_SERVER | WEIR_IN_LOCATION,
                      .help = "Says to which version of which API the place belongs."),
    WEIR_DIRECTIVE_OF(weir_api_conf_t, document, "api_document", &api_type_document, .where = WEIR_IN_LOCATION,
                      .inherit = WEIR_LOCAL, .help = "Answers with the OpenAPI document of a version of an API."),
    WEIR_DIRECTIVES_END
};

static const weir_zone_kind_t *const api_kinds[] = { &weir_calls_zone, NULL };

const weir_http_module_t weir_http_api = {
    .name = "http_api",
    .area = "Routes",
    .conf_size = sizeof(weir_api_conf_t),
    .directives = api_directives,
    .variables = api_variables,
    .zone_kinds = api_kinds,
    .check = api_check,
    .build = api_build,
    .on = { [WEIR_PHASE_PREACCESS] = api_preaccess, [WEIR_PHASE_ACCESS] = api_access,
            [WEIR_PHASE_PRECONTENT] = api_precontent, [WEIR_PHASE_CONTENT] = api_content, [WEIR_PHASE_LOG] = api_log },
    .pure = 1u << WEIR_PHASE_PREACCESS,
    .guards = api_guards,
    .enabled = api_enabled,
    .filter_head = api_head,
    .after = "http_limit_req http_limit_conn http_cors http_consumer",
};
