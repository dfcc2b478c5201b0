/*
 * accept_only.c - accept_methods, accept_content_types: which requests a place takes at all, by what their head says.
 *
 * A GET that is taken takes HEAD along, as limit_except has it.  A type is looked at where there is a body, or where
 * the request says a type without one.  Both come before the guards of the access phase, and hold for subrequests and
 * for internal redirects as well; but a page that an error was sent to is asked with the method GET, whatever the
 * client's was, which is not the client's fault.
 *
 * Runs in workers.
 */
#include "http/module.h"

#include "http/guard/dry_run.h"
#include "http/message/media_type.h"
#include "http/record/story.h"

typedef struct { weir_strs_t names; weir_str_t allow; } only_methods_t;       /* n 0: all */

typedef struct { only_methods_t methods; weir_media_ranges_t types; } only_conf_t;

extern const size_t weir_http_accept_only_index;

/* -- a request -- */

static bool
only_has_method(const only_methods_t *methods, weir_str_t method)
{
    for (size_t i = 0; i < methods->names.n; i++) {
        if (weir_str_eq(methods->names.at[i], method)) {
            return true;
        }
    }
    return false;
}

/* One type with parameters, each of them once (RFC 9110 §8.3.1). */
static bool
only_has_type(const weir_media_ranges_t *types, weir_str_t value)
{
    weir_media_type_t media;

    return weir_media_type_read(value, &media) && weir_media_ranges_have(types, media.type);
}

/* WEIR_CAUSE_NONE: it is taken. */
static weir_cause_t
only_judge(weir_request_t *req, const only_conf_t *conf)
{
    weir_str_t type;

    if (conf->methods.names.n != 0 && !only_has_method(&conf->methods, req->head.method_name)
        && !(req->in_error_page && req->body_dropped))
    {
        return WEIR_CAUSE_ACCESS_METHOD;
    }
    if (conf->types.n == 0 || req->body_dropped || req->is_sub) {
        return WEIR_CAUSE_NONE;                      /* no body goes on from here */
    }
    if (!weir_media_type_field(&req->head.fields, &type)) {
        return WEIR_CAUSE_ACCESS_CONTENT_TYPE;
    }
    return (type.at == NULL && !weir_request_has_body(req)) || only_has_type(&conf->types, type) ? WEIR_CAUSE_NONE
                                                                               : WEIR_CAUSE_ACCESS_CONTENT_TYPE;
}

static weir_step_t
only_preaccess(weir_request_t *req, const void *conf_)
{
    const only_conf_t *conf = conf_;
    weir_policy_t      policy = weir_dry_run_begin(req, WEIR_DRY_RUN_AS_PLACE);
    weir_cause_t       cause;

    if (req->is_exempt || policy == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    cause = only_judge(req, conf);
    weir_http_story_judged(req, "accept", WEIR_STR_NONE,
                           weir_dry_run_verdict(cause != WEIR_CAUSE_NONE, policy == WEIR_POLICY_REHEARSED));
    if (cause == WEIR_CAUSE_NONE) {
        return WEIR_NEXT;
    }
    if (policy == WEIR_POLICY_REHEARSED) {
        weir_dry_run_log(req, cause);
        return weir_dry_run_ends(req);
    }
    weir_request_keep(req, weir_http_accept_only_index, (void *) (uintptr_t) conf);
    return weir_request_fail(req, cause, NULL);
}

/* What is taken, of the place that refused it (RFC 9110 §10.2.1, §15.5.16). */
static weir_step_t
only_head(weir_request_t *req, const void *conf)
{
    const only_conf_t *refused = weir_request_kept(req, weir_http_accept_only_index);

    (void) conf;
    if (refused != NULL && req->cause == WEIR_CAUSE_ACCESS_METHOD) {
        weir_response_set(req, WEIR_HEADER_ALLOW, refused->methods.allow);
    }
    return WEIR_NEXT;
}

static bool
only_enabled(const void *conf_, weir_phase_t phase)
{
    const only_conf_t *conf = conf_;

    return conf->methods.names.n != 0 || (conf->types.n != 0 && phase != WEIR_PHASE_MAX);
}

/* -- directives -- */

static bool
only_is_all(const weir_conf_words_t *words)
{
    return words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("all"));
}

static void
only_add_method(weir_conf_t *cf, only_methods_t *methods, weir_str_t name)
{
    methods->names.at[methods->names.n++] = weir_str_dup(cf->arena, name);
    methods->allow = weir_str_printf(cf->arena, "%.*s%s%.*s", WEIR_STR_ARG(methods->allow),
                                     methods->allow.len != 0 ? ", " : "", WEIR_STR_ARG(name));
}

static bool
only_parse_methods(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                   void *field)
{
    only_methods_t *methods = field;

    *methods = (only_methods_t) { .allow = WEIR_STR_NONE };
    if (only_is_all(words)) {
        return true;
    }
    methods->names.at = weir_new_n(cf->arena, weir_str_t, words->n);
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t name = words->at[i].text;

        if (!weir_syntax_is_token(name)) {
            return weir_conf_invalid(cf, i, "the name of a method, or \"all\"");
        }
        if (only_has_method(methods, name)) {
            return weir_conf_error(cf, i, "\"%.*s\" is named twice", WEIR_STR_ARG(name));
        }
        only_add_method(cf, methods, name);
    }
    if (only_has_method(methods, WEIR_STR("GET")) && !only_has_method(methods, WEIR_STR("HEAD"))) {
        only_add_method(cf, methods, WEIR_STR("HEAD"));
    }
    return true;
}

static bool
only_parse_types(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    weir_media_ranges_t *types = field;

    *types = (weir_media_ranges_t) { .n = 0 };
    if (only_is_all(words)) {
        return true;
    }
    types->at = weir_new_n(cf->arena, weir_media_range_t, words->n - 1);
    for (size_t i = 1; i < words->n; i++) {
        if (!weir_media_range_read(weir_str_dup(cf->arena, words->at[i].text), &types->at[types->n++])) {
            return weir_conf_invalid(cf, i, "a type such as application/json, image/* or +json, without parameters; or "
                                     "\"all\"");
        }
    }
    return true;
}

static const weir_conf_type_t only_type_methods = {
    .name = "method ... | all", .size = sizeof(only_methods_t), .min_args = 1, .max_args = 32,
    .parse = only_parse_methods,
};
static const weir_conf_type_t only_type_types = {
    .name = "type ... | all", .size = sizeof(weir_media_ranges_t), .min_args = 1, .max_args = 64,
    .parse = only_parse_types,
};

static const weir_directive_t only_directives[] = {
    WEIR_DIRECTIVE_OF(only_conf_t, methods, "accept_methods", &only_type_methods, .where = WEIR_IN_ANY,
                      .help = "Lists the methods of requests that are taken; GET takes HEAD along."),
    WEIR_DIRECTIVE_OF(only_conf_t, types, "accept_content_types", &only_type_types, .where = WEIR_IN_ANY,
                      .help = "Lists the types of bodies that are taken."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_accept_only = {
    .name = "http_accept_only",
    .area = "Guards",
    .conf_size = sizeof(only_conf_t),
    .directives = only_directives,
    .on = { [WEIR_PHASE_PREACCESS] = only_preaccess },
    .pure = 1u << WEIR_PHASE_PREACCESS,
    .enabled = only_enabled,
    .filter_head = only_head,
    .filter_after = "http_headers http_grpc http_maintenance",
    .after = "http_limit_req http_limit_conn http_cors",
};
