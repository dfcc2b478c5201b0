/*
 * json_body.c - json_body, json_schema: what a request's body must be before any peer gets it.
 *
 * The body is read ahead, when the request was let in and before mirrors and the peer see it.  It must say that it is
 * JSON, be JSON (RFC 8259, each member once) within limits, and be what the schema says.  A body in gzip or deflate is
 * judged as it is when it is decoded, to a size that is a limit, too; it goes on as it came.
 *
 * Runs in workers; memory: the text of a body that lies in a file or is encoded, and its values, for the time of
 * judging.
 */
#include "http/module.h"

#include "http/filter/body_decode.h"
#include "http/filter/read_ahead.h"
#include "http/guard/dry_run.h"
#include "http/message/media_type.h"
#include "http/record/story.h"
#include "schema/schema.h"

#define JSON_CHUNK  16384               /* bytes of the arena of a body's values */

typedef struct {
    const weir_schema_t *schema;
    weir_str_t           file;           /* as written, for the story */
    uint16_t             status;         /* 0: the cause's */
    bool                 is_dry_run, is_off;
} json_schema_t;

typedef struct {
    json_schema_t schema;
    weir_flag_t   is_on;
    weir_bytes_t  max_size;
    uint32_t      max_depth, max_values;
} json_conf_t;

/* What is wrong with a body. */
typedef struct { weir_cause_t cause; weir_str_t detail; } json_verdict_t;

extern const size_t weir_http_json_body_index;

/* -- judging -- */

static json_verdict_t
json_wrong(weir_cause_t cause, const char *detail)
{
    return (json_verdict_t) { cause, weir_str_from_z(detail) };
}

/* application/json, or one type that ends in +json (RFC 6839 §3.1); of parameters only a charset of UTF-8 is good. */
static bool
json_is_type(weir_str_t value)
{
    weir_str_t type, rest, parameter, name, text;

    (void) weir_str_cut(value, ';', &type, &rest);
    type = weir_str_trim(type);
    while (rest.len != 0) {
        (void) weir_str_cut(rest, ';', &parameter, &rest);
        (void) weir_str_cut(weir_str_trim(parameter), '=', &name, &text);
        if (weir_str_eq_fold(weir_str_trim(name), WEIR_STR("charset"))
            && !weir_str_eq_fold(text, WEIR_STR("utf-8")) && !weir_str_eq_fold(text, WEIR_STR("\"utf-8\"")))
        {
            return false;
        }
    }
    return weir_str_eq_fold(type, WEIR_STR("application/json"))
        || (weir_str_cut(type, '/', &name, &text) && weir_syntax_is_token(name) && weir_syntax_is_token(text)
            && text.len > 5 && weir_str_eq_fold(weir_str_skip(text, text.len - 5), WEIR_STR("+json")));
}

static json_verdict_t
json_lost(weir_body_fault_t fault)
{
    switch (fault) {
    case WEIR_BODY_CODING: return json_wrong(WEIR_CAUSE_BODY_ENCODING, "");
    case WEIR_BODY_BROKEN: return json_wrong(WEIR_CAUSE_BODY_JSON, "its Content-Encoding is broken");
    case WEIR_BODY_TOO_LARGE: return json_wrong(WEIR_CAUSE_BODY_LIMIT, "json_max_size, decoded");
    default: return json_wrong(WEIR_CAUSE_INTERNAL_IO, "");
    }
}

/* All of what is encoded, in one text that grows. */
static json_verdict_t
json_decode(weir_body_decoder_t *decoder, weir_arena_t *arena, weir_str_t *text)
{
    size_t     cap = JSON_CHUNK, n = 0;
    char      *room = weir_try_alloc(arena, cap), *more;
    weir_str_t bytes;
    weir_io_t  io = WEIR_OK;

    while (room != NULL && (io = weir_body_decode_next(decoder, room + n, cap - n, &bytes)) == WEIR_OK) {
        weir_assert(bytes.at == room + n);           /* what is decoded lies nowhere else */
        n += bytes.len;
        if (n == cap) {
            more = weir_try_alloc(arena, 2 * cap);
            if (more != NULL) {
                memcpy(more, room, n);
            }
            room = more;
            cap *= 2;
        }
    }
    if (room == NULL || io == WEIR_ERROR) {
        return json_lost(room == NULL ? WEIR_BODY_LOST : decoder->fault);
    }
    *text = weir_str(room, n);
    return json_wrong(WEIR_CAUSE_NONE, "");
}

/* The body's text, decoded. */
static json_verdict_t
json_text(weir_request_t *req, const json_conf_t *conf, weir_arena_t *arena, weir_str_t *text)
{
    weir_body_decoder_t decoder;
    json_verdict_t      verdict = json_wrong(WEIR_CAUSE_NONE, "");

    if (!weir_body_decode_begin(&decoder, req, conf->max_size.n)) {
        verdict = json_lost(decoder.fault);
    } else if (decoder.coded != NULL) {
        verdict = json_decode(&decoder, arena, text);
    } else {
        switch (weir_read_ahead_text(req, conf->max_size.n, arena, text)) {
        case WEIR_OK: break;
        case WEIR_EOF: verdict = json_wrong(WEIR_CAUSE_BODY_LIMIT, "json_max_size"); break;
        default: verdict = json_wrong(WEIR_CAUSE_INTERNAL_IO, ""); break;
        }
    }
    weir_body_decode_end(&decoder);
    return verdict;
}

static json_verdict_t
json_judge_value(weir_request_t *req, const json_conf_t *conf, const weir_json_t *value, weir_arena_t *arena)
{
    weir_schema_fault_t fault;

    if (conf->schema.schema == NULL || weir_schema_accepts(conf->schema.schema, value, arena, &fault)) {
        return json_wrong(WEIR_CAUSE_NONE, "");
    }
    return (json_verdict_t) { WEIR_CAUSE_BODY_SCHEMA,
                              weir_str_printf(&req->arena, "\"%.*s\" is not as %.*s says%s", WEIR_STR_ARG(fault.at),
                                              WEIR_STR_ARG(fault.rule),
                                              fault.is_limit ? " (too costly to tell)" : "") };
}

static json_verdict_t
json_judge_text(weir_request_t *req, const json_conf_t *conf, weir_str_t text, weir_arena_t *arena)
{
    const weir_json_limits_t limits = { .depth = conf->max_depth, .values = conf->max_values };
    const weir_json_t       *value;

    switch (weir_json_parse(arena, text, limits, &value)) {
    case WEIR_JSON_GOOD:
        return json_judge_value(req, conf, value, arena);
    case WEIR_JSON_DUPLICATE:
        return json_wrong(WEIR_CAUSE_BODY_JSON, "an object has a member twice");
    case WEIR_JSON_TOO_LARGE:
        return json_wrong(WEIR_CAUSE_BODY_LIMIT, "json_max_depth or json_max_values");
    case WEIR_JSON_MALFORMED:
        break;
    }
    return json_wrong(WEIR_CAUSE_BODY_JSON, "");
}

/* A method whose request means nothing without a body. */
static bool
json_needs_body(weir_method_t method)
{
    return method == WEIR_METHOD_POST || method == WEIR_METHOD_PUT || method == WEIR_METHOD_PATCH;
}

static json_verdict_t
json_judge(weir_request_t *req, const json_conf_t *conf)
{
    weir_arena_t   arena;
    weir_str_t     text, type;
    json_verdict_t verdict;

    if (req->body == NULL) {
        return json_needs_body(req->head.method) ? json_wrong(WEIR_CAUSE_BODY_JSON, "there is none")
                                                 : json_wrong(WEIR_CAUSE_NONE, "");
    }
    if (!weir_media_type_field(&req->head.fields, &type) || !json_is_type(type)) {
        return json_wrong(WEIR_CAUSE_BODY_TYPE, "");
    }
    weir_arena_init(&arena, JSON_CHUNK);
    verdict = json_text(req, conf, &arena, &text);
    if (verdict.cause == WEIR_CAUSE_NONE) {
        verdict = json_judge_text(req, conf, text, &arena);
    }
    weir_arena_fini(&arena);
    return verdict;
}

/* -- a request -- */

static weir_step_t
json_decide(weir_request_t *req, const json_conf_t *conf)
{
    json_verdict_t verdict = json_judge(req, conf);
    bool           is_good = verdict.cause == WEIR_CAUSE_NONE;
    bool           is_rehearsal = weir_dry_run_is_on(req, weir_dry_run_of(conf->schema.is_dry_run));
    uint16_t       status = verdict.cause == WEIR_CAUSE_BODY_SCHEMA ? conf->schema.status : 0;
    weir_str_t    *kept;

    weir_http_story_judged(req, "json_body", conf->schema.file,
                           weir_dry_run_verdict(!is_good, is_rehearsal));
    if (is_good) {
        return WEIR_NEXT;
    }
    kept = weir_new(&req->arena, weir_str_t);
    *kept = verdict.detail.len != 0 ? verdict.detail : weir_str_from_z(weir_cause_row(verdict.cause)->help);
    weir_request_keep(req, weir_http_json_body_index, kept);
    if (is_rehearsal) {
        weir_request_log(req, WEIR_LOG_INFO, verdict.cause, "the body would be refused (dry run): %.*s",
                         WEIR_STR_ARG(*kept));
        return weir_dry_run_ends(req);
    }
    if (status != 0) {
        return weir_request_fail_status(req, verdict.cause, status, weir_str_to_z(&req->arena, *kept));
    }
    return weir_request_fail(req, verdict.cause,
                             verdict.detail.len != 0 ? weir_str_to_z(&req->arena, *kept) : NULL);
}

static void
json_on_body(weir_request_t *req)
{
    if (json_decide(req, weir_request_conf(req, http_json_body, json_conf_t)) == WEIR_NEXT) {
        weir_request_resume(req);
    }
}

static weir_step_t
json_precontent(weir_request_t *req, const void *conf_)
{
    const json_conf_t *conf = conf_;
    weir_policy_t      policy;
    weir_step_t        step;

    if (req->is_sub || req->body_dropped) {
        return WEIR_NEXT;                          /* no body of the client's goes on from here */
    }
    policy = weir_dry_run_begin(req, weir_dry_run_of(conf->schema.is_dry_run));
    if (policy == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    if (req->head.content_length != WEIR_LENGTH_NONE && req->head.content_length > conf->max_size.n
        && policy == WEIR_POLICY_HOLDS && req->body == NULL)
    {
        return weir_request_fail(req, WEIR_CAUSE_BODY_LIMIT, "json_max_size");
    }
    step = weir_read_ahead(req, json_on_body);
    return step == WEIR_NEXT ? json_decide(req, conf) : step;
}

static bool
json_enabled(const void *conf_, weir_phase_t phase)
{
    const json_conf_t *conf = conf_;

    (void) phase;
    return conf->is_on.on || conf->schema.schema != NULL;
}

/* -- directives -- */

/* The first type of JSON in a requestBody that has a schema; NULL: there is none. */
static const weir_json_t *
json_find_type(const weir_json_t *operation)
{
    const weir_json_t *body = weir_json_get(operation, WEIR_STR("requestBody"));
    const weir_json_t *content = weir_json_get(body, WEIR_STR("content"));

    for (const weir_json_t *type = content != NULL ? content->first : NULL; type != NULL; type = type->next) {
        if (json_is_type(type->name) && weir_json_get(type, WEIR_STR("schema")) != NULL) {
            return type;
        }
    }
    return NULL;
}

/* The method of a path with that operationId; NULL: it has none. */
static const weir_json_t *
json_find_method(const weir_json_t *path, weir_str_t wanted)
{
    weir_str_t id;

    for (const weir_json_t *method = path->first; method != NULL; method = method->next) {
        if (weir_json_get_string(method, WEIR_STR("operationId"), &id) && weir_str_eq(id, wanted)) {
            return method;
        }
    }
    return NULL;
}

/* The JSON Pointer to the schema of an operation's body; false: recorded. */
static bool
json_find_operation(weir_conf_t *cf, const weir_json_t *document, weir_str_t wanted, weir_str_t *pointer)
{
    const weir_json_t *paths = weir_json_get(document, WEIR_STR("paths")), *path = paths != NULL ? paths->first : NULL;
    const weir_json_t *method = NULL, *type;

    while (path != NULL && (method = json_find_method(path, wanted)) == NULL) {
        path = path->next;
    }
    if (method == NULL) {
        return weir_conf_error(cf, 1, "no operation of the file has the operationId \"%.*s\"", WEIR_STR_ARG(wanted));
    }
    type = json_find_type(method);
    if (type == NULL) {
        return weir_conf_error(cf, 1, "the operation \"%.*s\" has no requestBody with a schema of JSON",
                               WEIR_STR_ARG(wanted));
    }
    *pointer = weir_json_pointer(cf->arena, WEIR_STR("/paths"), path->name);
    *pointer = weir_json_pointer(cf->arena, *pointer, method->name);
    *pointer = weir_str_concat(cf->arena, *pointer, WEIR_STR("/requestBody/content"));
    *pointer = weir_json_pointer(cf->arena, *pointer, type->name);
    *pointer = weir_json_pointer(cf->arena, *pointer, WEIR_STR("schema"));
    return true;
}

/* What stands behind the file. */
typedef struct {
    weir_str_t operation;
    bool       checks_format, is_dry_run;
    uint16_t   status;
} json_options_t;

static bool
json_compile(weir_conf_t *cf, const json_options_t *said, json_schema_t *schema)
{
    const weir_json_limits_t limits = { .depth = WEIR_JSON_DEPTH_MAX, .values = UINT32_MAX };
    weir_schema_options_t    options = { .checks_format = said->checks_format };
    const weir_json_t       *document;
    weir_error_t             why = { .text = "" };
    weir_str_t               bytes, version;

    if (!weir_conf_file(cf, 1, weir_conf_near_path(cf, schema->file), &bytes)) {
        return false;
    }
    if (weir_json_parse(cf->arena, weir_str_dup(cf->arena, bytes), limits, &document) != WEIR_JSON_GOOD) {
        return weir_conf_error(cf, 1, "\"%.*s\" is not JSON, has a member twice in one object, or is deeper than %d",
                               WEIR_STR_ARG(schema->file), WEIR_JSON_DEPTH_MAX);
    }
    if (said->operation.len != 0) {
        if (!weir_json_get_string(document, WEIR_STR("openapi"), &version)
            || !weir_str_starts(version, WEIR_STR("3.")))
        {
            return weir_conf_error(cf, 1, "\"%.*s\" is not an OpenAPI 3 document", WEIR_STR_ARG(schema->file));
        }
        options.draft = weir_str_starts(version, WEIR_STR("3.0")) ? WEIR_SCHEMA_OPENAPI_30 : WEIR_SCHEMA_2020_12;
        if (!json_find_operation(cf, document, said->operation, &options.entry)) {
            return false;
        }
    }
    schema->schema = weir_schema_compile(cf->arena, document, schema->file, &options, &why);
    return schema->schema != NULL || weir_conf_error(cf, 1, "%s", why.text);
}

static bool
json_read_operation(weir_conf_t *cf, size_t i, weir_str_t value, void *said)
{
    ((json_options_t *) said)->operation = value;
    return value.len != 0 || weir_conf_invalid(cf, i, "operation= with an operationId");
}

static bool
json_read_error(weir_conf_t *cf, size_t i, weir_str_t value, void *said)
{
    uint32_t status;

    if (!weir_conf_read_u32(value, &status) || status < 400 || status > 599) {
        return weir_conf_invalid(cf, i, "error=STATUS (400 to 599)");
    }
    ((json_options_t *) said)->status = (uint16_t) status;
    return true;
}

static bool
json_read_format(weir_conf_t *cf WEIR_UNUSED, size_t i WEIR_UNUSED, weir_str_t value WEIR_UNUSED, void *said)
{
    return ((json_options_t *) said)->checks_format = true;
}

static bool
json_read_dry_run(weir_conf_t *cf WEIR_UNUSED, size_t i WEIR_UNUSED, weir_str_t value WEIR_UNUSED, void *said)
{
    return ((json_options_t *) said)->is_dry_run = true;
}

static bool
json_parse_schema(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    static const weir_conf_option_t options[] = {
        { .name = "operation", .read = json_read_operation },
        { .name = "error", .read = json_read_error },
        { .name = "format", .read = json_read_format, .is_bare = true },
        { .name = "dry_run", .read = json_read_dry_run, .is_bare = true },
    };
    json_schema_t *schema = field;
    json_options_t said = { .status = 0 };

    schema->file = words->at[1].text;
    if (weir_str_eq(schema->file, WEIR_STR("off"))) {
        schema->is_off = true;
        return words->n == 2 || weir_conf_error(cf, 2, "\"json_schema off\" takes nothing more");
    }
    if (!weir_conf_read_options(cf, words, 2, options, weir_countof(options),
                                "operation=ID, format, error=STATUS (400 to 599) or dry_run", &said))
    {
        return false;
    }
    schema->is_dry_run = said.is_dry_run;
    schema->status = said.status;
    return json_compile(cf, &said, schema);
}

static const weir_conf_type_t json_type_schema = {
    .name = "file [operation=id] [format] [error=status] [dry_run] | off", .size = sizeof(json_schema_t), .min_args = 1,
    .max_args = 5, .parse = json_parse_schema,
};

static bool
json_get_error(void *subject, weir_arena_t *arena WEIR_UNUSED, const weir_var_ref_t *ref WEIR_UNUSED, weir_str_t *value)
{
    const weir_str_t *kept = weir_request_kept(subject, weir_http_json_body_index);

    *value = kept != NULL ? *kept : WEIR_STR_NONE;
    return kept != NULL;
}

static const weir_variable_t json_variables[] = {
    { "json_error", .subject = WEIR_OF_REQUEST, .get = json_get_error,
      .help = "What is wrong with the body, where json_body or json_schema refuses it." },
    WEIR_VARIABLES_END
};

static const weir_directive_t json_directives[] = {
    WEIR_DIRECTIVE(json_conf_t, is_on, "json_body", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Refuses a request whose body is not JSON, before any peer gets it."),
    WEIR_DIRECTIVE_OF(json_conf_t, schema, "json_schema", &json_type_schema, .where = WEIR_IN_ANY,
                      .help = "Refuses a request whose body is not what a JSON Schema, or an operation of OpenAPI, "
                              "says."),
    WEIR_DIRECTIVE(json_conf_t, max_size, "json_max_size", .where = WEIR_IN_ANY, .dflt = "1m", .min = "1", .max = "1g",
                   .help = "Limits the size of a body that must be JSON, as it is when it is decoded."),
    WEIR_DIRECTIVE(json_conf_t, max_depth, "json_max_depth", .where = WEIR_IN_ANY, .dflt = "32", .min = "1",
                   .max = "64",
                   .help = "Limits how deep arrays and objects of such a body lie inside one another."),
    WEIR_DIRECTIVE(json_conf_t, max_values, "json_max_values", .where = WEIR_IN_ANY, .dflt = "100000", .min = "1",
                   .max = "10000000",
                   .help = "Limits how many values of any kind such a body has."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_json_body = {
    .name = "http_json_body",
    .area = "Guards",
    .conf_size = sizeof(json_conf_t),
    .directives = json_directives,
    .variables = json_variables,
    .on = { [WEIR_PHASE_PRECONTENT] = json_precontent },
    .enabled = json_enabled,
};
