/*
 * charset.c - says in Content-Type what texts are written in.
 *
 * What says so itself keeps it, unless it is a peer's and override_charset is on; X-Accel-Charset of a peer stands
 * above both.  Nothing is recoded: source_charset and charset_map are not there.  Runs in workers.
 */
#include "http/module.h"

#include "http/filter/mime.h"

typedef struct {
    const weir_template_t *name;         /* NULL: not set; "off" or nothing: none */
    weir_mime_types_t      types;
    weir_flag_t            override;
    bool                   is_off;       /* from .check on */
} charset_conf_t;

/* The parameter of a type; at == NULL: there is none.  *before: what stands before it. */
static weir_str_t
charset_of(weir_str_t type, weir_str_t *before)
{
    weir_str_t rest = type, parameter;

    (void) weir_str_cut(rest, ';', before, &rest);
    while (rest.len != 0) {
        (void) weir_str_cut(rest, ';', &parameter, &rest);
        parameter = weir_str_trim(parameter);
        if (weir_str_starts_fold(parameter, WEIR_STR("charset="))) {
            *before = weir_str(type.at, (size_t) (parameter.at - type.at));
            return weir_str_skip(parameter, sizeof("charset=") - 1);
        }
    }
    *before = type;
    return WEIR_STR_NONE;
}

static void
charset_say(weir_request_t *req, weir_field_t *type, weir_str_t before, weir_str_t name)
{
    size_t len = before.len;

    weir_assert(name.len != 0);
    while (len != 0 && (before.at[len - 1] == ' ' || before.at[len - 1] == ';')) {
        len--;
    }
    type->value = weir_str_printf(&req->arena, "%.*s; charset=%.*s", (int) len, before.at, WEIR_STR_ARG(name));
}

static weir_step_t
charset_head(weir_request_t *req, const void *conf_)
{
    const charset_conf_t *conf = conf_;
    weir_field_t *type;
    weir_str_t name, own, before;

    if (conf->is_off && req->charset.len == 0) {
        return WEIR_NEXT;
    }
    type = weir_fields_first(&req->res.fields, WEIR_HEADER_CONTENT_TYPE);
    if (type == NULL || (type->flags & WEIR_FIELD_DROP)) {
        return WEIR_NEXT;
    }
    own = charset_of(type->value, &before);
    if (req->charset.len != 0) {
        if (!weir_str_eq_fold(req->charset, WEIR_STR("off")) && weir_syntax_is_token(req->charset)) {
            charset_say(req, type, before, req->charset);
        }
        return WEIR_NEXT;
    }
    if (own.at != NULL && !(conf->override.on && req->upstream_head != NULL)) {
        return WEIR_NEXT;
    }
    name = weir_request_eval(req, conf->name);
    if (name.len == 0 || weir_str_eq(name, WEIR_STR("off")) || !weir_syntax_is_token(name)
               || !weir_mime_is_listed(&conf->types, type->value))
    {
        return WEIR_NEXT;
    }
    charset_say(req, type, before, name);
    return WEIR_NEXT;
}

/* (The filter is there all the same: a peer may say X-Accel-Charset anywhere.) */
static bool
charset_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    charset_conf_t *conf = conf_;

    weir_assert(conf->name != NULL);
    (void) cf;
    (void) block;
    conf->is_off = weir_str_eq(conf->name->source, WEIR_STR("off"));
    return true;
}

static const weir_directive_t charset_directives[] = {
    WEIR_DIRECTIVE(charset_conf_t, name, "charset", .where = WEIR_IN_ANY, .dflt = "off", .args = "charset | off",
                   .help = "Adds a charset to the Content-Type of texts that name none."),
    WEIR_DIRECTIVE_OF(charset_conf_t, types, "charset_types", &weir_type_mime_types, .where = WEIR_IN_ANY,
                      .dflt = "text/xml text/plain text/vnd.wap.wml application/javascript application/rss+xml",
                      .help = "Lists the types that are texts, beside text/html; * stands for all."),
    WEIR_DIRECTIVE(charset_conf_t, override, "override_charset", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Sets the charset also where an upstream has named one."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_charset = {
    .name = "http_charset",
    .area = "Responses",
    .conf_size = sizeof(charset_conf_t),
    .directives = charset_directives,
    .check = charset_check,
    .filter_head = charset_head,
    .filter_place = WEIR_FILTER_TRANSFORM,
};
