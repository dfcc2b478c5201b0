/*
 * headers.c - add_header: fields of the configuration's own in answers, whoever made them.
 *
 * Fields are those of the innermost block that has any.  Without `always` they are for 200, 201, 204, 206, 301, 302, 303, 304, 307 and 308.  ETag and
 * Last-Modified take the place of the answer's own; others are added to what is there.  Framing is Weir's alone: its fields cannot be added.
 * Runs in workers; values are of the request's arena.
 */
#include "http/module.h"

typedef struct {
    weir_str_t             name;
    weir_header_id_t       id;
    const weir_template_t *value;
    bool                   always;
} headers_field_t;

typedef struct { headers_field_t *at; size_t n; } headers_fields_t;

typedef struct { headers_fields_t fields; } headers_conf_t;

/* -- an answer -- */

static bool
headers_is_plain(uint16_t status)
{
    switch (status) {
    case 200: case 201: case 204: case 206: case 301: case 302: case 303: case 304: case 307: case 308:
        return true;
    default:
        return false;
    }
}

static bool
headers_replaces(weir_header_id_t id)
{
    return id == WEIR_HEADER_ETAG || id == WEIR_HEADER_LAST_MODIFIED;
}

static void
headers_drop(weir_fields_t *fields, weir_header_id_t id)
{
    for (weir_field_t *field = weir_fields_first(fields, id); field != NULL; field = weir_fields_next(fields, field)) {
        field->flags |= WEIR_FIELD_DROP;
    }
}

static weir_step_t
headers_head(weir_request_t *req, const void *conf_)
{
    const headers_conf_t *conf = conf_;
    bool                  is_plain = headers_is_plain(req->res.status);

    for (size_t i = 0; i < conf->fields.n; i++) {
        const headers_field_t *field = &conf->fields.at[i];
        weir_str_t             value;

        if (!is_plain && !field->always) {
            continue;
        }
        value = weir_template_eval(field->value, req, &req->arena);
        if (headers_replaces(field->id)) {
            headers_drop(&req->res.fields, field->id);
        }
        if (value.len != 0) {
            weir_assert(weir_fields_add(&req->res.fields, &req->arena, field->id, field->name, value, 0) != NULL);
        }
    }
    return WEIR_NEXT;
}

static bool
headers_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const headers_conf_t *) conf)->fields.n != 0;
}

/* -- directives -- */

static bool
headers_is_framing(weir_header_id_t id)
{
    switch (id) {
    case WEIR_HEADER_CONTENT_LENGTH: case WEIR_HEADER_TRANSFER_ENCODING: case WEIR_HEADER_CONNECTION: case WEIR_HEADER_KEEP_ALIVE:
    case WEIR_HEADER_PROXY_CONNECTION: case WEIR_HEADER_TE: case WEIR_HEADER_TRAILER: case WEIR_HEADER_UPGRADE:
        return true;
    default:
        return false;
    }
}

static bool
headers_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *list)
{
    headers_field_t field = { .name = words->at[1].text, .always = words->n == 4 };

    (void) row;
    if (!weir_is_token(field.name)) {
        return weir_conf_invalid(cf, 1, "the name of a header field");
    }
    field.id = weir_header_id(field.name);
    if (headers_is_framing(field.id)) {
        return weir_conf_error(cf, 1, "\"%.*s\" is of the connection, not of the answer: it cannot be added", WEIR_STR_ARG(field.name));
    }
    if (field.always && !weir_str_eq(words->at[3].text, WEIR_STR("always"))) {
        return weir_conf_invalid(cf, 3, "\"always\" or nothing");
    }
    field.value = weir_conf_template(cf, 2, words->at[2].text);
    if (field.value == NULL) {
        return false;
    }
    if (field.value->is_constant && field.value->n != 0 && !weir_is_field_value(field.value->parts[0].literal)) {
        return weir_conf_invalid(cf, 2, "a text without line ends and other controls");
    }
    *(headers_field_t *) weir_conf_list_push(cf, list, sizeof(field)) = field;
    return true;
}

static const weir_conf_type_t headers_type = {
    .name = "name value [always]", .size = sizeof(headers_fields_t), .min_args = 2, .max_args = 3, .repeats = true, .parse = headers_parse,
    .item = sizeof(headers_field_t),
};

static const weir_directive_t headers_directives[] = {
    WEIR_DIRECTIVE_OF(headers_conf_t, fields, "add_header", &headers_type, .where = WEIR_IN_ANY,
                      .help = "Adds a field to answers of 200, 201, 204, 206, 301-304, 307 and 308, or to all; an empty value adds nothing."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_headers = {
    .name = "http_headers",
    .conf_size = sizeof(headers_conf_t),
    .directives = headers_directives,
    .enabled = headers_enabled,
    .filter_head = headers_head,
};
