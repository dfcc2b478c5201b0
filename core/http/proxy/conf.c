/*
 * conf.c - settings that every proxying module has, and what follows from them: which of the client's fields are
 * replaced, which of the peer's are hidden, the templates of those set, the group behind a URL.
 *
 * Load time only.
 */
#include "http/proxy/conf.h"

#include "conf/core.h"

#include <string.h>

/* -- scheme://authority[uri] -- */

static const weir_proxy_scheme_t *
conf_find_scheme(const weir_proxy_scheme_t *schemes, weir_str_t url, weir_str_t *rest)
{
    for (; schemes->prefix != NULL; schemes++) {
        weir_str_t prefix = weir_str_from_z(schemes->prefix);

        if (weir_str_starts_fold(url, prefix)) {
            *rest = weir_str_skip(url, prefix.len);
            return schemes;
        }
    }
    return NULL;
}

/* The authority, and the path behind it when there is one. */
static void
conf_split(weir_str_t rest, weir_proxy_pass_t *pass)
{
    const char *end = rest.at + rest.len, *stop, *uri;

    if (weir_str_starts_fold(rest, WEIR_STR("unix:"))) {
        stop = weir_str_find(weir_str_skip(rest, 5), ':');
        uri = stop != NULL ? stop + 1 : end;
        pass->has_uri = stop != NULL && uri < end;
    } else {
        for (stop = rest.at; stop < end && *stop != '/' && *stop != '?'; stop++) {
        }
        pass->has_uri = stop < end;
        stop = uri = pass->has_uri ? stop : NULL;
    }
    if (pass->has_uri) {
        pass->uri = weir_str(uri, (size_t) (end - uri));
    }
    pass->authority = stop != NULL ? weir_str(rest.at, (size_t) (stop - rest.at)) : rest;
}

bool
weir_proxy_split_pass(const weir_proxy_scheme_t *schemes, weir_str_t url, weir_proxy_pass_t *pass)
{
    weir_str_t rest;
    const weir_proxy_scheme_t *scheme = conf_find_scheme(schemes, url, &rest);

    if (scheme == NULL) {
        return false;
    }
    pass->is_tls = scheme->is_tls;
    pass->default_port = scheme->port;
    conf_split(rest, pass);
    return true;
}

bool
weir_proxy_read_pass(weir_conf_t *cf, const char *directive, const weir_proxy_scheme_t *schemes, weir_str_t url,
                     weir_proxy_pass_t *pass)
{
    weir_str_t rest;

    (void) directive;
    url = weir_str_dup(cf->arena, url);
    pass->url = url;
    pass->schemes = schemes;
    if (weir_conf_has_variables(cf, 1, url)) {
        pass->text = weir_conf_template(cf, 1, url);
        if (url.at[0] == '$') {
            pass->is_tls = true;                        /* it may be */
        } else if (conf_find_scheme(schemes, url, &rest) == NULL) {
            return weir_conf_error(cf, 1, "invalid URL prefix in \"%.*s\": expected %s", WEIR_STR_ARG(url),
                                   schemes->prefix);
        } else {
            pass->is_tls = conf_find_scheme(schemes, url, &rest)->is_tls;
        }
        return pass->text != NULL;
    }
    if (!weir_proxy_split_pass(schemes, url, pass)) {
        return weir_conf_error(cf, 1, "invalid URL prefix in \"%.*s\": expected %s", WEIR_STR_ARG(url),
                               schemes->prefix);
    }
    if (pass->authority.len == 0) {
        return weir_conf_error(cf, 1, "no host in \"%.*s\"", WEIR_STR_ARG(url));
    }
    if (pass->has_uri && pass->uri.at[0] == '?') {
        pass->uri = weir_str_concat(cf->arena, WEIR_STR("/"), pass->uri);
    }
    if (pass->has_uri && (pass->uri.len == 0 || pass->uri.at[0] != '/' || weir_str_find(pass->uri, '#') != NULL)) {
        return weir_conf_error(cf, 1, "invalid URI part in \"%.*s\"", WEIR_STR_ARG(url));
    }
    return true;
}

/* -- types of the directives' own -- */

/* An empty value asks for nothing that would break a message. */
static bool
conf_is_framing(weir_header_id_t id, weir_str_t value)
{
    return (id == WEIR_HEADER_CONTENT_LENGTH || id == WEIR_HEADER_TRANSFER_ENCODING) && value.len != 0;
}

static bool
conf_parse_set_header(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_proxy_headers_t *list = field;
    weir_proxy_header_t header = { .name = weir_str_dup(cf->arena, words->at[1].text) };

    if (!weir_syntax_is_token(header.name)) {
        return weir_conf_error(cf, 1, "\"%.*s\" is not a header name", WEIR_STR_ARG(header.name));
    }
    header.id = weir_header_id(header.name);
    if (conf_is_framing(header.id, words->at[2].text)) {
        weir_conf_warn(cf, 1, "weir computes the framing of every message itself: \"%s\" leaves \"%.*s\" as it is",
                       row->name, WEIR_STR_ARG(header.name));
        return true;
    }
    header.value = weir_conf_template(cf, 2, words->at[2].text);
    if (header.value == NULL) {
        return false;
    }
    if (!weir_syntax_is_field_value(words->at[2].text)) {
        return weir_conf_error(cf, 2, "the value of \"%.*s\" has control characters", WEIR_STR_ARG(header.name));
    }
    weir_proxy_header_t *grown = weir_new_n(cf->arena, weir_proxy_header_t, list->n + 1);
    if (list->n != 0) {
        memcpy(grown, list->at, sizeof(*grown) * list->n);
    }
    grown[list->n++] = header;
    list->at = grown;
    return true;
}

static bool
conf_parse_name(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_strs_t *list = field;
    weir_str_t *grown = weir_new_n(cf->arena, weir_str_t, list->n + 1);

    (void) row;
    if (!weir_syntax_is_token(words->at[1].text)) {
        return weir_conf_error(cf, 1, "\"%.*s\" is not a header name", WEIR_STR_ARG(words->at[1].text));
    }
    if (list->n != 0) {
        memcpy(grown, list->at, sizeof(*grown) * list->n);
    }
    grown[list->n++] = weir_str_dup(cf->arena, words->at[1].text);
    list->at = grown;
    return true;
}

const weir_conf_type_t weir_proxy_type_set_header = {
    .name = "name value", .size = sizeof(weir_proxy_headers_t), .min_args = 2, .max_args = 2, .repeats = true,
    .parse = conf_parse_set_header,
};
const weir_conf_type_t weir_proxy_type_name = {
    .name = "name",
    .size = sizeof(weir_strs_t),
    .min_args = 1,
    .max_args = 1,
    .repeats = true,
    .parse = conf_parse_name,
};

static bool
conf_parse_bind(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    const weir_template_t **bind = field;
    weir_hostport_t hp;
    weir_addr_t addr;
    const char *hint;

    if (words->n == 3) {
        return weir_conf_error(
            cf, 2,
            weir_str_eq(words->at[2].text, WEIR_STR("transparent"))
                ? "\"transparent\" of \"%s\" is not supported by weir: its workers have no privilege for it"
                : "invalid parameter of \"%s\"",
            row->name);
    }
    *bind = weir_conf_template(cf, 1, words->at[1].text);
    if (*bind == NULL || !(*bind)->is_constant || weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return *bind != NULL;
    }
    return (weir_addr_parse_hostport(&hp, words->at[1].text, &hint) && !hp.is_unix
                 && weir_addr_from_ip(&addr, hp.host, hp.port))
        || weir_conf_invalid(cf, 1, "an address of this machine, or \"off\"");
}

const weir_conf_type_t weir_proxy_type_bind = {
    .name = "address | off",
    .size = sizeof(const weir_template_t *),
    .min_args = 1,
    .max_args = 2,
    .parse = conf_parse_bind,
};

const weir_conf_enum_t weir_proxy_next[] = {
    { "error", WEIR_NEXT_ERROR },
    { "timeout", WEIR_NEXT_TIMEOUT },
    { "invalid_header", WEIR_NEXT_INVALID_HEADER },
    { "http_500", WEIR_NEXT_HTTP_500 },
    { "http_502", WEIR_NEXT_HTTP_502 },
    { "http_503", WEIR_NEXT_HTTP_503 },
    { "http_504", WEIR_NEXT_HTTP_504 },
    { "http_403", WEIR_NEXT_HTTP_403 },
    { "http_404", WEIR_NEXT_HTTP_404 },
    { "http_429", WEIR_NEXT_HTTP_429 },
    { "non_idempotent", WEIR_NEXT_NON_IDEMPOTENT },
    { "off", WEIR_NEXT_OFF },
    { NULL, 0 },
};

const weir_conf_enum_t weir_proxy_ignored[] = {
    { "X-Accel-Redirect", WEIR_IGNORE_REDIRECT },
    { "X-Accel-Limit-Rate", WEIR_IGNORE_LIMIT_RATE },
    { "X-Accel-Buffering", WEIR_IGNORE_BUFFERING },
    { "X-Accel-Charset", WEIR_IGNORE_CHARSET },
    { "X-Accel-Expires", WEIR_IGNORE_EXPIRES_AT },
    { "Expires", WEIR_IGNORE_EXPIRES },
    { "Cache-Control", WEIR_IGNORE_CACHE_CONTROL },
    { "Set-Cookie", WEIR_IGNORE_SET_COOKIE },
    { "Vary", WEIR_IGNORE_VARY },
    { NULL, 0 },
};

/* -- what follows from them -- */

static void
conf_bit(uint8_t *bits, weir_header_id_t id)
{
    bits[id / 8] |= (uint8_t) (1u << (id % 8));
}

static void
conf_add_name(weir_arena_t *arena, weir_str_t name, uint8_t *bits, weir_str_t **other, size_t *n)
{
    weir_header_id_t id = weir_header_id(name);

    if (id != WEIR_HEADER_OTHER) {
        conf_bit(bits, id);
        return;
    }
    weir_str_t *grown = weir_new_n(arena, weir_str_t, *n + 1);
    if (*n != 0) {
        memcpy(grown, *other, sizeof(*grown) * *n);
    }
    grown[(*n)++] = name;
    *other = grown;
}

/* Fields of the request that are Weir's to write: framing, and what holds for one connection only (RFC 9110 §7.6.1). */
static const weir_header_id_t conf_never_passed[] = {
    WEIR_HEADER_HOST, WEIR_HEADER_CONNECTION, WEIR_HEADER_KEEP_ALIVE, WEIR_HEADER_CONTENT_LENGTH,
    WEIR_HEADER_TRANSFER_ENCODING,
    WEIR_HEADER_TE, WEIR_HEADER_TRAILER, WEIR_HEADER_EXPECT, WEIR_HEADER_UPGRADE, WEIR_HEADER_PROXY_CONNECTION,
    WEIR_HEADER_HTTP2_SETTINGS,
};

static const weir_header_id_t conf_hidden[] = {
    WEIR_HEADER_DATE, WEIR_HEADER_SERVER, WEIR_HEADER_X_PAD, WEIR_HEADER_X_ACCEL_EXPIRES, WEIR_HEADER_X_ACCEL_REDIRECT,
    WEIR_HEADER_X_ACCEL_LIMIT_RATE, WEIR_HEADER_X_ACCEL_BUFFERING, WEIR_HEADER_X_ACCEL_CHARSET,
};

/* Can a Connection of the user's ask for the end of the connection to the peer? */
static bool
conf_may_close(const weir_template_t *value)
{
    return !value->is_constant || (value->n != 0 && weir_syntax_list_has(value->parts[0].literal, WEIR_STR("close")));
}

static void
conf_derive_request(weir_conf_t *cf, weir_proxy_conf_t *conf)
{
    conf->emit = (weir_proxy_headers_t) { weir_new_n(cf->arena, weir_proxy_header_t, conf->set_headers.n + 1), 0 };
    conf->connection = conf->te = NULL;
    memset(conf->set_known, 0, sizeof(conf->set_known));
    conf->n_set_other = 0;
    for (size_t i = 0; i < weir_countof(conf_never_passed); i++) {
        conf_bit(conf->set_known, conf_never_passed[i]);
    }
    for (size_t i = 0; i < conf->set_headers.n; i++) {
        const weir_proxy_header_t *h = &conf->set_headers.at[i];
        conf_add_name(cf->arena, h->name, conf->set_known, &conf->set_other, &conf->n_set_other);
        if (h->id == WEIR_HEADER_CONNECTION) {
            conf->connection = conf_may_close(h->value) ? h->value : NULL;
        } else if (h->id == WEIR_HEADER_TE) {
            conf->te = h->value;
        } else if (h->id != WEIR_HEADER_CONTENT_LENGTH && h->id != WEIR_HEADER_TRANSFER_ENCODING) {
            conf->emit.at[conf->emit.n++] = *h;
        }
    }
}

static void
conf_derive_answer(weir_conf_t *cf, weir_proxy_conf_t *conf)
{
    memset(conf->hide_known, 0, sizeof(conf->hide_known));
    conf->n_hide_other = 0;
    for (size_t i = 0; i < weir_countof(conf_hidden); i++) {
        conf_bit(conf->hide_known, conf_hidden[i]);
    }
    for (size_t i = 0; i < conf->pass_headers.n; i++) {
        weir_header_id_t id = weir_header_id(conf->pass_headers.at[i]);
        conf->hide_known[id / 8] &= (uint8_t) ~(1u << (id % 8));
    }
    for (size_t i = 0; i < conf->hide_headers.n; i++) {
        conf_add_name(cf->arena, conf->hide_headers.at[i], conf->hide_known, &conf->hide_other, &conf->n_hide_other);
    }
}

void
weir_proxy_derive(weir_conf_t *cf, weir_proxy_conf_t *conf)
{
    conf_derive_request(cf, conf);
    conf_derive_answer(cf, conf);
}

/* Of a route each match line has a text of its own, without a slash at the end of a prefix. */
static void
conf_derive_route_edits(weir_conf_t *cf, const weir_http_route_t *route, const weir_proxy_pass_t *pass,
                        weir_edits_conf_t *edits)
{
    const weir_rule_t *line = route->n_lines != 0 ? route->lines[0] : NULL;
    weir_str_t         place = line != NULL ? line->text : WEIR_STR("");

    weir_edits_derive(cf->arena, edits, pass->url, pass->has_uri, place);
    if (!pass->has_uri) {
        return;
    }
    if ((line == NULL || line->kind == WEIR_PATH_PREFIX_SEGMENT) && weir_str_ends(pass->url, WEIR_STR("/"))) {
        edits->place = weir_str_concat(cf->arena, place, WEIR_STR("/"));
    }
    for (size_t i = 1; i < route->n_lines; i++) {
        if (!weir_str_eq(route->lines[i]->text, place) || route->lines[i]->kind != line->kind) {
            edits->url = WEIR_STR("\1");                /* nothing begins like that: default does nothing */
        }
    }
}

void
weir_proxy_derive_edits(weir_conf_t *cf, const weir_http_location_t *location, const weir_proxy_pass_t *pass,
                        weir_edits_conf_t *edits)
{
    if (pass->text != NULL) {
        weir_edits_derive(cf->arena, edits, WEIR_STR("\1"), false, WEIR_STR(""));
    } else if (location->route != NULL) {
        conf_derive_route_edits(cf, location->route, pass, edits);
    } else {
        weir_edits_derive(cf->arena, edits, pass->url, pass->has_uri, location->rule.text);
    }
}

bool
weir_proxy_take_route(weir_conf_t *cf, const weir_http_route_t *route, const weir_proxy_pass_t *pass,
                      weir_proxy_conf_t *conf)
{
    const weir_rule_t *wrong = weir_rules_not_literal(route->lines, route->n_lines);

    conf->is_of_route = true;
    return wrong == NULL
        || weir_conf_error_at(cf, wrong->words,
                              "\"proxy_pass\" cannot have a URI part in route \"%.*s\", which this line matches by "
                              "a template or a regular expression: \"%.*s\"", WEIR_STR_ARG(route->name),
                              WEIR_STR_ARG(pass->url));
}

void
weir_proxy_take_location(weir_conf_block_t *block)
{
    ((weir_http_location_t *) block->owner)->is_proxied = true;
    if (block->context == WEIR_IN_LOCATION) {
        ((weir_http_location_t *) block->owner)->rule.to_slash = true;
    }
}

/* The default Host comes last, when nothing set one: an empty text, for which that of the moment stands in. */
static void
conf_default_host(weir_conf_t *cf, weir_proxy_conf_t *conf)
{
    weir_template_t *value;
    weir_template_part_t *part;

    for (size_t i = 0; i < conf->emit.n; i++) {
        if (conf->emit.at[i].id == WEIR_HEADER_HOST) {
            return;
        }
    }
    part = weir_new(cf->arena, weir_template_part_t);
    part->literal = WEIR_STR("");
    value = weir_new(cf->arena, weir_template_t);
    *value = (weir_template_t) { .source = part->literal, .parts = part, .n = 1, .is_constant = true };
    memmove(conf->emit.at + 1, conf->emit.at, sizeof(*conf->emit.at) * conf->emit.n);
    conf->emit.at[0] = (weir_proxy_header_t) { WEIR_STR("Host"), WEIR_HEADER_HOST, value };
    conf->emit.n++;
}

/* -- groups -- */

/* Its group, if it has one already. */
static bool
conf_find_group(weir_conf_t *cf, weir_generation_t *generation, weir_proxy_pass_t *pass)
{
    const weir_group_conf_t *group;

    if (pass->text != NULL) {
        return true;
    }
    group = weir_upstream_for(cf, generation, pass->authority, pass->default_port);
    if (group != NULL) {
        pass->group = group->id;
    }
    return group != NULL;
}

/* A request that the group does not take may end up in a location: there is to be one of that name in this server. */
static bool
conf_check_fallback(weir_conf_t *cf, const weir_generation_t *generation, const weir_conf_block_t *block,
                    const weir_proxy_pass_t *pass)
{
    const weir_http_server_t *server = ((const weir_http_location_t *) block->owner)->server;
    const weir_group_conf_t  *last = weir_proxy_pass_group(generation, pass);

    while (last != NULL && weir_group_id_is(last->fallback)) {     /* it is no circle: modules/upstream/fallback.c */
        last = weir_upstream_by_id(generation, last->fallback);
    }
    if (last == NULL || last->fallback_location.len == 0) {
        return true;
    }
    for (size_t i = 0; i < server->n_named; i++) {
        if (weir_str_eq(server->named[i]->name, last->fallback_location)) {
            return true;
        }
    }
    return weir_conf_error_at(cf, &block->words, "requests of \"%.*s\" may go to \"%.*s\", the fallback of upstream "
                              "\"%.*s\": expected a location of that name in this server", WEIR_STR_ARG(pass->url),
                              WEIR_STR_ARG(last->fallback_location), WEIR_STR_ARG(last->name));
}

/* What proxy_pass says, and each of its targets. */
static bool
conf_find_groups(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_block_t *block,
                 weir_proxy_conf_t *conf, bool *is_tls)
{
    weir_proxy_targets_t *targets = conf->pass.targets;
    const weir_http_location_t *location = block->owner;
    weir_edits_conf_t edits;

    *is_tls = conf->pass.is_tls;
    if (!conf_find_group(cf, generation, &conf->pass) || !conf_check_fallback(cf, generation, block, &conf->pass)) {
        return false;
    }
    for (size_t i = 0; targets != NULL && i < targets->n; i++) {
        weir_proxy_target_t *target = &targets->at[i];

        if (target->status != 0) {
            continue;
        }
        if (!conf_find_group(cf, generation, &target->pass)
            || !conf_check_fallback(cf, generation, block, &target->pass))
        {
            return false;
        }
        *is_tls = *is_tls || target->pass.is_tls;
        weir_proxy_derive_edits(cf, location, &target->pass, &edits);
        target->edit_url = edits.url;
        target->edit_place = edits.place;
    }
    return targets == NULL || weir_split_build(cf, generation, block, targets);
}

bool
weir_proxy_bind(weir_conf_t *cf, weir_generation_t *generation, weir_conf_block_t *block, size_t module,
                const char *prefix)
{
    weir_proxy_conf_t *conf = block->confs != NULL ? block->confs[module] : NULL;
    bool               is_tls;

    if ((block->context & (WEIR_IN_LOCATION | WEIR_IN_ROUTE | WEIR_IN_PART)) == 0 || conf == NULL
        || conf->pass.url.len == 0 || conf->is_built)
    {
        return true;
    }
    conf->is_built = true;
    if (!conf_find_groups(cf, generation, block, conf, &is_tls)
        || !weir_forward_build(cf, generation, block, conf->pass.default_port)
        || (is_tls && !weir_http_tls_build_upstream(cf, &block->words, prefix, &conf->tls)))
    {
        return false;
    }
    conf_default_host(cf, conf);
    return true;
}
