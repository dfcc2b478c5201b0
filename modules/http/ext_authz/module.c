/*
 * module.c - ext_authz: a service outside says who may come in, in the words of Envoy's external authorization: what
 * the directives say, and the module.
 *
 * Load time.
 */
#include "ext_authz.h"

#include "http/guard/dry_run.h"

#define MODULE_BODY_MAX ((uint64_t) 16 << 20)

bool
ext_names_has(const ext_names_t *names, weir_str_t name)
{
    for (size_t i = 0; i < names->names.n; i++) {
        weir_str_t text = names->names.at[i];

        if (text.at[text.len - 1] == '*' ? weir_str_starts_fold(name, weir_str(text.at, text.len - 1))
                                         : weir_str_eq_fold(name, text))
        {
            return true;
        }
    }
    return false;
}

/* -- ext_authz -- */

static const weir_str_t module_grpc = WEIR_STR_INIT("grpc://"), module_grpcs = WEIR_STR_INIT("grpcs://");

static bool
module_parse_service(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                     void *field)
{
    ext_service_t    **place = field, *service;
    weir_str_t         text = words->at[1].text, authority;
    weir_conf_words_t *kept;
    weir_hostport_t    hp;
    const char        *why;
    bool               is_tls = weir_str_starts_fold(text, module_grpcs);

    *place = NULL;
    if (weir_str_eq(text, WEIR_STR("off"))) {
        return true;
    }
    authority = weir_str_skip(text, weir_min(text.len, is_tls ? module_grpcs.len : module_grpc.len));
    if ((!is_tls && !weir_str_starts_fold(text, module_grpc)) || weir_str_find(authority, '/') != NULL
        || weir_conf_has_variables(cf, 1, authority) || weir_str_find(authority, '@') != NULL
        || !weir_addr_parse_hostport(&hp, authority, &why) || hp.is_unix || hp.is_wildcard || hp.host.len == 0)
    {
        return weir_conf_invalid(cf, 1, "grpc:// or grpcs:// and the name of an upstream block or a host, without "
                                 "variables and a path; or \"off\"");
    }
    *place = service = weir_new(cf->arena, ext_service_t);
    service->words = kept = weir_new(cf->arena, weir_conf_words_t);
    *kept = *words;
    service->to = (weir_fetch_url_t) { .text = weir_str_dup(cf->arena, text), .is_tls = is_tls,
                                       .authority = weir_str_dup(cf->arena, authority),
                                       .host = weir_str_dup(cf->arena, hp.host) };
    return true;
}

static const weir_conf_type_t module_type_service = {
    .name = "grpc[s]://authority | off", .size = sizeof(ext_service_t *), .min_args = 1, .max_args = 1,
    .parse = module_parse_service,
};

/* -- what is sent, and what is taken -- */

static bool
module_parse_body(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    ext_body_t  *body = field;
    weir_bytes_t size;

    *body = (ext_body_t) { 0 };
    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return true;
    }
    if (!weir_conf_read_bytes(words->at[1].text, &size) || size.n == 0 || size.n > MODULE_BODY_MAX) {
        return weir_conf_invalid(cf, 1, "a size from 1 to 16m, or \"off\"");
    }
    body->size = size.n;
    body->is_partial = words->n == 3;
    return words->n == 2 || weir_str_eq(words->at[2].text, WEIR_STR("partial"))
        || weir_conf_invalid(cf, 2, "\"partial\" or nothing");
}

static const weir_conf_type_t module_type_body = {
    .name = "size [partial] | off", .size = sizeof(ext_body_t), .min_args = 1, .max_args = 2,
    .parse = module_parse_body,
};

static bool
module_parse_context(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                     void *list)
{
    ext_contexts_t *contexts = list;
    ext_context_t   context = { .name = weir_str_dup(cf->arena, words->at[1].text) };

    if (context.name.len == 0) {
        return weir_conf_invalid(cf, 1, "a name");
    }
    for (size_t i = 0; i < contexts->n; i++) {
        if (weir_str_eq(contexts->at[i].name, context.name)) {
            return weir_conf_error(cf, 1, "\"%.*s\" is told already", WEIR_STR_ARG(context.name));
        }
    }
    context.value = weir_conf_template(cf, 2, words->at[2].text);
    if (context.value == NULL) {
        return false;
    }
    *(ext_context_t *) weir_conf_list_push(cf, list, sizeof(context)) = context;
    return true;
}

static const weir_conf_type_t module_type_context = {
    .name = "name text", .size = sizeof(ext_contexts_t), .min_args = 2, .max_args = 2, .repeats = true,
    .parse = module_parse_context, .item = sizeof(ext_context_t),
};

/* Names of fields, or one word. */
static bool
module_parse_names(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                   void *field)
{
    ext_names_t *names = field;
    bool         is_all = words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("all"));
    bool         is_none = words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("none"));

    *names = (ext_names_t) { .is_set = !is_all };
    if (is_all || is_none) {
        return true;
    }
    names->names.n = words->n - 1;
    names->names.at = weir_new_n(cf->arena, weir_str_t, names->names.n);
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t text = words->at[i].text;

        if (!weir_syntax_is_token(text) || memchr(text.at, '*', text.len - 1) != NULL) {
            return weir_conf_invalid(cf, i, "the name of a header field, or the beginning of names and \"*\"");
        }
        names->names.at[i - 1] = weir_str_dup(cf->arena, text);
    }
    return true;
}

static const weir_conf_type_t module_type_names = {
    .name = "name ... | all | none", .size = sizeof(ext_names_t), .min_args = 1, .max_args = 64,
    .parse = module_parse_names,
};

/* -- build -- */

/* A service is bound once, for all places that inherit the line: they must agree on the authorities that it is trusted
 * by. */
static bool
module_bind(weir_conf_t *cf, weir_generation_t *generation, const ext_conf_t *conf)
{
    ext_service_t *service = conf->service;

    if (!weir_group_id_is(service->to.group)) {
        service->trusted = conf->trusted_certificate;
        return weir_fetch_bind(cf, generation, service->words, conf->trusted_certificate, &service->to);
    }
    return weir_str_eq(service->trusted, conf->trusted_certificate)
        || weir_conf_error_at(cf, service->words, "\"%.*s\" has another \"ext_authz_trusted_certificate\" in another "
                              "place that inherits it", WEIR_STR_ARG(service->to.text));
}

static bool
module_build_block(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_block_t *block)
{
    const ext_conf_t *conf = block->confs != NULL ? block->confs[weir_http_ext_authz_index] : NULL;

    if (conf != NULL && (block->context & (WEIR_IN_ANY | WEIR_IN_ROUTE | WEIR_IN_PART)) != 0 && conf->service != NULL) {
        const weir_http_core_conf_t *core = block->confs[weir_http_core_index];

        if (conf->body.size != 0 && core != NULL && core->satisfy != WEIR_SATISFY_ALL) {
            return weir_conf_error_at(cf, &block->words, "\"ext_authz_body\" and \"satisfy any\" do not go together: "
                                      "a body is there only when all other guards have spoken");
        }
        if (!module_bind(cf, generation, conf)) {
            return false;
        }
    }
    for (const weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        if (!module_build_block(cf, generation, inner)) {
            return false;
        }
    }
    return true;
}

static bool
module_build(weir_conf_t *cf, weir_generation_t *generation)
{
    return module_build_block(cf, generation, generation->root);
}

/* -- the module -- */

static const weir_directive_t module_directives[] = {
    WEIR_DIRECTIVE_OF(ext_conf_t, service, "ext_authz", &module_type_service, .where = WEIR_IN_ANY,
                      .help = "Asks a service whether a request may come in, by Envoy's external authorization over "
                              "gRPC."),
    WEIR_DIRECTIVE(ext_conf_t, timeout, "ext_authz_timeout", .where = WEIR_IN_ANY, .dflt = "1s", .min = "1ms",
                   .max = "1m", .help = "Limits the time in which the service must answer, with all tries."),
    WEIR_DIRECTIVE_OF(ext_conf_t, body, "ext_authz_body", &module_type_body, .where = WEIR_IN_ANY, .dflt = "off",
                      .help = "Sends the request's body along, up to this size; \"partial\": the beginning of a larger "
                              "one."),
    WEIR_DIRECTIVE_OF(ext_conf_t, contexts, "ext_authz_context", &module_type_context, .where = WEIR_IN_ANY,
                      .help = "Tells the service a text of this name (context_extensions)."),
    WEIR_DIRECTIVE_OF(ext_conf_t, told, "ext_authz_allowed_headers", &module_type_names, .where = WEIR_IN_ANY,
                      .dflt = "all", .help = "Lists the request's fields that the service is told."),
    WEIR_DIRECTIVE_OF(ext_conf_t, taken, "ext_authz_allowed_upstream_headers", &module_type_names, .where = WEIR_IN_ANY,
                      .dflt = "all",
                      .help = "Lists the fields that the service may set or add in a request that it lets in."),
    WEIR_DIRECTIVE_OF(ext_conf_t, shown, "ext_authz_allowed_client_headers", &module_type_names, .where = WEIR_IN_ANY,
                      .dflt = "all", .help = "Lists the fields that the service may set or add in answers."),
    WEIR_DIRECTIVE(ext_conf_t, fail_open, "ext_authz_fail_open", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Lets requests in while the service does not answer."),
    WEIR_DIRECTIVE(ext_conf_t, error_status, "ext_authz_error_status", .where = WEIR_IN_ANY, .dflt = "503",
                   .min = "400", .max = "599",
                   .help = "Sets the status of requests that are refused because the service gave no answer of use."),
    WEIR_DIRECTIVE(ext_conf_t, certificate, "ext_authz_certificate", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Sends the client's certificate along, if it was verified."),
    WEIR_DIRECTIVE(ext_conf_t, trusted_certificate, "ext_authz_trusted_certificate", .where = WEIR_IN_ANY,
                   .help = "Names the PEM file of authorities for the certificate of a grpcs:// service; without it "
                           "those of the system are trusted."),
    WEIR_DIRECTIVE_OF(ext_conf_t, dry_run, "ext_authz_dry_run", &weir_type_enum, .where = WEIR_IN_ANY,
                      .values = weir_dry_run_values, .args = "on | off",
                      .help = "Asks the service and logs, but refuses and changes nothing."),
    WEIR_DIRECTIVES_END
};

static bool
module_enabled(const void *conf_, weir_phase_t phase)
{
    const ext_conf_t *conf = conf_;

    return conf->service != NULL && (phase != WEIR_PHASE_PRECONTENT || conf->body.size != 0);
}

const weir_http_module_t weir_http_ext_authz = {
    .name = "http_ext_authz",
    .area = "Access",
    .conf_size = sizeof(ext_conf_t),
    .directives = module_directives,
    .build = module_build,
    .on = { [WEIR_PHASE_ACCESS] = ext_access, [WEIR_PHASE_PRECONTENT] = ext_precontent },
    .enabled = module_enabled,
    .filter_head = ext_head,
    .filter_after = "http_headers http_grpc http_maintenance http_limit_req http_quota http_cors",
    .after = "http_access http_auth_basic http_api_key http_auth_jwt http_auth_request http_consumer",
};
