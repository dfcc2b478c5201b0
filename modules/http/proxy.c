/*
 * http_proxy: pass requests to other HTTP servers.  The directives; the work is the engine's (core/http/proxy).
 *
 * What a location sends is worked out when the configuration is built: which of the client's fields are replaced, which of the
 * peer's are hidden, and the templates of those set.
 */
#include "config.h"

#include "conf/core.h"
#include "http/module.h"
#include "http/proxy/proxy.h"

#include <string.h>

extern const size_t weir_http_proxy_index;

/* -- types of the directives' own -- */

static bool
proxy_split_url(weir_conf_t *cf, weir_str_t url, weir_proxy_pass_t *pass)
{
    weir_str_t rest;
    const char *slash;

    if (weir_str_starts_fold(url, WEIR_STR("https://"))) {
        return weir_conf_error(cf, 1, "https:// in \"proxy_pass\" is not supported by this version of weir");
    }
    if (!weir_str_starts_fold(url, WEIR_STR("http://"))) {
        return weir_conf_error(cf, 1, "invalid URL prefix in \"%.*s\": expected http://", WEIR_STR_ARG(url));
    }
    if (weir_str_find(url, '$') != NULL) {
        return weir_conf_error(cf, 1, "variables in \"proxy_pass\" are not supported by this version of weir");
    }
    rest = weir_str_skip(url, 7);
    pass->url = url;
    if (weir_str_starts_fold(rest, WEIR_STR("unix:"))) {
        const char *colon = weir_str_find(weir_str_skip(rest, 5), ':');
        slash = colon;
        pass->has_uri = colon != NULL && colon + 1 < rest.at + rest.len;
        if (pass->has_uri) {
            pass->uri = weir_str(colon + 1, (size_t) (rest.at + rest.len - colon - 1));
        }
    } else {
        slash = weir_str_find(rest, '/');
        pass->has_uri = slash != NULL;
        if (slash != NULL) {
            pass->uri = weir_str(slash, (size_t) (rest.at + rest.len - slash));
        }
    }
    pass->authority = slash ? weir_str(rest.at, (size_t) (slash - rest.at)) : rest;
    if (pass->authority.len == 0) {
        return weir_conf_error(cf, 1, "no host in \"%.*s\"", WEIR_STR_ARG(url));
    }
    if (pass->has_uri && (pass->uri.len == 0 || pass->uri.at[0] != '/' || weir_str_find(pass->uri, '#') != NULL)) {
        return weir_conf_error(cf, 1, "invalid URI part in \"%.*s\"", WEIR_STR_ARG(url));
    }
    return true;
}

static bool
proxy_parse_pass(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    (void) row;
    return proxy_split_url(cf, weir_str_dup(cf->arena, words->at[1].text), field);
}

static bool
proxy_refuse_framing(weir_conf_t *cf, weir_header_id_t id, const weir_template_t *value)
{
    if ((id == WEIR_HEADER_CONTENT_LENGTH || id == WEIR_HEADER_TRANSFER_ENCODING) && value->source.len != 0) {
        return weir_conf_error(cf, 1, "\"%.*s\" cannot be set: weir computes the framing of every message itself",
                               WEIR_STR_ARG(weir_header_canonical(id)));
    }
    return true;
}

static bool
proxy_parse_set_header(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_proxy_headers_t *list = field;
    weir_error_t error = { .text = "" };
    weir_proxy_header_t header = { .name = weir_str_dup(cf->arena, words->at[1].text) };

    (void) row;
    if (!weir_is_token(header.name)) {
        return weir_conf_error(cf, 1, "\"%.*s\" is not a header name", WEIR_STR_ARG(header.name));
    }
    header.id = weir_header_id(header.name);
    header.value = weir_template_compile(cf->arena, cf->vars, words->at[2].text, &error);
    if (header.value == NULL) {
        return weir_conf_error(cf, 2, "%s", error.text);
    }
    if (!weir_is_field_value(words->at[2].text)) {
        return weir_conf_error(cf, 2, "the value of \"%.*s\" has control characters", WEIR_STR_ARG(header.name));
    }
    if (!proxy_refuse_framing(cf, header.id, header.value)) {
        return false;
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
proxy_parse_name(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_strs_t *list = field;
    weir_str_t *grown = weir_new_n(cf->arena, weir_str_t, list->n + 1);

    (void) row;
    if (!weir_is_token(words->at[1].text)) {
        return weir_conf_error(cf, 1, "\"%.*s\" is not a header name", WEIR_STR_ARG(words->at[1].text));
    }
    if (list->n != 0) {
        memcpy(grown, list->at, sizeof(*grown) * list->n);
    }
    grown[list->n++] = weir_str_dup(cf->arena, words->at[1].text);
    list->at = grown;
    return true;
}

static const weir_conf_type_t proxy_type_pass = {
    .name = "URL", .size = sizeof(weir_proxy_pass_t), .min_args = 1, .max_args = 1, .parse = proxy_parse_pass,
};
static const weir_conf_type_t proxy_type_set_header = {
    .name = "name value", .size = sizeof(weir_proxy_headers_t), .min_args = 2, .max_args = 2, .repeats = true,
    .parse = proxy_parse_set_header,
};
static const weir_conf_type_t proxy_type_name = {
    .name = "name", .size = sizeof(weir_strs_t), .min_args = 1, .max_args = 1, .repeats = true, .parse = proxy_parse_name,
};

static const weir_conf_enum_t proxy_versions[] = { { "1.0", 10 }, { "1.1", 11 }, { NULL, 0 } };
static const weir_conf_enum_t proxy_next[] = {
    { "error", WEIR_NEXT_ERROR }, { "timeout", WEIR_NEXT_TIMEOUT }, { "invalid_header", WEIR_NEXT_INVALID_HEADER },
    { "http_500", WEIR_NEXT_HTTP_500 }, { "http_502", WEIR_NEXT_HTTP_502 }, { "http_503", WEIR_NEXT_HTTP_503 },
    { "http_504", WEIR_NEXT_HTTP_504 }, { "http_403", WEIR_NEXT_HTTP_403 }, { "http_404", WEIR_NEXT_HTTP_404 },
    { "http_429", WEIR_NEXT_HTTP_429 }, { "non_idempotent", WEIR_NEXT_NON_IDEMPOTENT }, { "off", WEIR_NEXT_OFF }, { NULL, 0 },
};

#define PROXY(field, text, ...) WEIR_DIRECTIVE(weir_proxy_conf_t, field, text, __VA_ARGS__)
#define PROXY_OF(field, text, type, ...) WEIR_DIRECTIVE_OF(weir_proxy_conf_t, field, text, type, __VA_ARGS__)

static const weir_directive_t proxy_directives[] = {
    PROXY_OF(pass, "proxy_pass", &proxy_type_pass, .where = WEIR_IN_LOCATION, .inherit = WEIR_LOCAL, .args = "http://authority[uri]",
             .help = "The group or server that requests are passed to, and the path put in place of the location's."),
    PROXY_OF(set_headers, "proxy_set_header", &proxy_type_set_header, .where = WEIR_IN_ANY,
             .help = "A field of the request to the peer; an empty value leaves it out."),
    PROXY_OF(hide_headers, "proxy_hide_header", &proxy_type_name, .where = WEIR_IN_ANY,
             .help = "A field of the peer's answer that is not passed on."),
    PROXY_OF(pass_headers, "proxy_pass_header", &proxy_type_name, .where = WEIR_IN_ANY,
             .help = "A field of the peer's answer that is passed on although it is hidden by default."),
    PROXY(buffering, "proxy_buffering", .where = WEIR_IN_ANY, .dflt = "on",
          .help = "Read the answer ahead of a slow client, into proxy_buffers and a temporary file."),
    PROXY(request_buffering, "proxy_request_buffering", .where = WEIR_IN_ANY, .dflt = "on",
          .help = "Read the whole request body before a peer is asked."),
    PROXY(ignore_client_abort, "proxy_ignore_client_abort", .where = WEIR_IN_ANY, .dflt = "off",
          .help = "Go on with the peer when the client has closed."),
    PROXY(intercept_errors, "proxy_intercept_errors", .where = WEIR_IN_ANY, .dflt = "off",
          .help = "Let error_page replace the peer's answers of 300 and above."),
    PROXY(pass_request_headers, "proxy_pass_request_headers", .where = WEIR_IN_ANY, .dflt = "on",
          .help = "Pass the client's fields to the peer."),
    PROXY(pass_request_body, "proxy_pass_request_body", .where = WEIR_IN_ANY, .dflt = "on",
          .help = "Pass the client's body to the peer."),
    PROXY(socket_keepalive, "proxy_socket_keepalive", .where = WEIR_IN_ANY, .dflt = "off",
          .help = "TCP keep-alive on connections to peers."),
    PROXY_OF(http_version, "proxy_http_version", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "1.1", .values = proxy_versions,
             .help = "HTTP version spoken to peers."),
    PROXY_OF(next_upstream, "proxy_next_upstream", &weir_type_mask, .where = WEIR_IN_ANY, .dflt = "error timeout", .values = proxy_next,
             .help = "Failures after which another peer is asked."),
    PROXY(next_upstream_tries, "proxy_next_upstream_tries", .where = WEIR_IN_ANY, .dflt = "0",
          .help = "Most peers asked for one request; 0: all."),
    PROXY(next_upstream_timeout, "proxy_next_upstream_timeout", .where = WEIR_IN_ANY, .dflt = "0",
          .help = "Time after which no other peer is asked; 0: no limit."),
    PROXY(connect_timeout, "proxy_connect_timeout", .where = WEIR_IN_ANY, .dflt = "60s", .min = "1ms",
          .help = "Time to connect to a peer."),
    PROXY(send_timeout, "proxy_send_timeout", .where = WEIR_IN_ANY, .dflt = "60s", .min = "1ms",
          .help = "Longest pause between two writes to a peer."),
    PROXY(read_timeout, "proxy_read_timeout", .where = WEIR_IN_ANY, .dflt = "60s", .min = "1ms",
          .help = "Longest pause between two reads from a peer; also of a quiet tunnel."),
    PROXY(buffer_size, "proxy_buffer_size", .where = WEIR_IN_ANY, .dflt = "8k", .min = "256", .max = "60k",
          .help = "Largest head of an answer."),
    PROXY(buffers, "proxy_buffers", .where = WEIR_IN_ANY, .dflt = "8 8k",
          .help = "Memory for an answer that a slow client has not taken yet."),
    PROXY(max_temp_file_size, "proxy_max_temp_file_size", .where = WEIR_IN_ANY, .dflt = "1g",
          .help = "Size of the temporary file behind proxy_buffers; 0: none."),
    PROXY(temp_path, "proxy_temp_path", .where = WEIR_IN_ANY, .dflt = WEIR_HTTP_PROXY_TEMP_PATH,
          .help = "Folder of the temporary files."),
    PROXY(method, "proxy_method", .where = WEIR_IN_ANY, .help = "Method of the request to the peer instead of the client's."),
    WEIR_DIRECTIVES_END
};

/* -- what follows from them -- */

static void
proxy_bit(uint8_t *bits, weir_header_id_t id)
{
    bits[id / 8] |= (uint8_t) (1u << (id % 8));
}

static void
proxy_add_name(weir_arena_t *arena, weir_str_t name, uint8_t *bits, weir_str_t **other, size_t *n)
{
    weir_header_id_t id = weir_header_id(name);

    if (id != WEIR_HEADER_OTHER) {
        proxy_bit(bits, id);
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
static const weir_header_id_t proxy_never_passed[] = {
    WEIR_HEADER_HOST, WEIR_HEADER_CONNECTION, WEIR_HEADER_KEEP_ALIVE, WEIR_HEADER_CONTENT_LENGTH, WEIR_HEADER_TRANSFER_ENCODING,
    WEIR_HEADER_TE, WEIR_HEADER_TRAILER, WEIR_HEADER_EXPECT, WEIR_HEADER_UPGRADE, WEIR_HEADER_PROXY_CONNECTION, WEIR_HEADER_HTTP2_SETTINGS,
};

static const weir_header_id_t proxy_hidden[] = {
    WEIR_HEADER_DATE, WEIR_HEADER_SERVER, WEIR_HEADER_X_PAD, WEIR_HEADER_X_ACCEL_EXPIRES, WEIR_HEADER_X_ACCEL_REDIRECT,
    WEIR_HEADER_X_ACCEL_LIMIT_RATE, WEIR_HEADER_X_ACCEL_BUFFERING, WEIR_HEADER_X_ACCEL_CHARSET,
};

static void
proxy_derive_request(weir_conf_t *cf, weir_proxy_conf_t *conf)
{
    conf->emit = (weir_proxy_headers_t) { weir_new_n(cf->arena, weir_proxy_header_t, conf->set_headers.n + 1), 0 };
    conf->connection = NULL;
    memset(conf->set_known, 0, sizeof(conf->set_known));
    conf->n_set_other = 0;
    for (size_t i = 0; i < weir_countof(proxy_never_passed); i++) {
        proxy_bit(conf->set_known, proxy_never_passed[i]);
    }
    for (size_t i = 0; i < conf->set_headers.n; i++) {
        const weir_proxy_header_t *h = &conf->set_headers.at[i];
        proxy_add_name(cf->arena, h->name, conf->set_known, &conf->set_other, &conf->n_set_other);
        if (h->id == WEIR_HEADER_CONNECTION) {
            conf->connection = h->value;
        } else if (h->id != WEIR_HEADER_CONTENT_LENGTH && h->id != WEIR_HEADER_TRANSFER_ENCODING) {
            conf->emit.at[conf->emit.n++] = *h;
        }
    }
}

static void
proxy_derive_answer(weir_conf_t *cf, weir_proxy_conf_t *conf)
{
    memset(conf->hide_known, 0, sizeof(conf->hide_known));
    conf->n_hide_other = 0;
    for (size_t i = 0; i < weir_countof(proxy_hidden); i++) {
        proxy_bit(conf->hide_known, proxy_hidden[i]);
    }
    for (size_t i = 0; i < conf->pass_headers.n; i++) {
        weir_header_id_t id = weir_header_id(conf->pass_headers.at[i]);
        conf->hide_known[id / 8] &= (uint8_t) ~(1u << (id % 8));
    }
    for (size_t i = 0; i < conf->hide_headers.n; i++) {
        proxy_add_name(cf->arena, conf->hide_headers.at[i], conf->hide_known, &conf->hide_other, &conf->n_hide_other);
    }
}

static bool
proxy_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    weir_proxy_conf_t *conf = conf_;
    const weir_http_location_t *location = block->owner;

    proxy_derive_request(cf, conf);
    proxy_derive_answer(cf, conf);
    if (conf->pass.url.len != 0 && !weir_conf_make_folder(cf, &block->words, conf->temp_path)) {
        return false;
    }
    if (conf->pass.url.len == 0 || !conf->pass.has_uri) {
        return true;
    }
    if (location->is_named || location->rule.kind == WEIR_PATH_REGEX) {
        return weir_conf_error_at(cf, &block->words, "\"proxy_pass\" cannot have a URI part in a location given by a regular "
                                  "expression or a name: \"%.*s\"", WEIR_STR_ARG(conf->pass.url));
    }
    conf->prefix_len = location->rule.text.len;
    return true;
}

/* The default Host comes last, when nothing set one. */
static void
proxy_default_host(weir_conf_t *cf, weir_proxy_conf_t *conf)
{
    weir_template_t *value;
    weir_template_part_t *part;

    for (size_t i = 0; i < conf->emit.n; i++) {
        if (conf->emit.at[i].id == WEIR_HEADER_HOST) {
            return;
        }
    }
    part = weir_new(cf->arena, weir_template_part_t);
    part->literal = conf->pass.group->host_header;
    value = weir_new(cf->arena, weir_template_t);
    *value = (weir_template_t) { .source = part->literal, .parts = part, .n = 1, .is_constant = true };
    memmove(conf->emit.at + 1, conf->emit.at, sizeof(*conf->emit.at) * conf->emit.n);
    conf->emit.at[0] = (weir_proxy_header_t) { WEIR_STR("Host"), WEIR_HEADER_HOST, value };
    conf->emit.n++;
}

/* Every location with a proxy_pass of its own gets its group. */
static bool
proxy_build_blocks(weir_conf_t *cf, weir_generation_t *generation, weir_conf_block_t *parent)
{
    for (weir_conf_block_t *block = parent->first; block != NULL; block = block->next) {
        weir_proxy_conf_t *conf = block->confs ? block->confs[weir_http_proxy_index] : NULL;

        if (block->context == WEIR_IN_LOCATION && conf != NULL && conf->pass.url.len != 0 && conf->pass.group == NULL) {
            cf->words = &block->words;
            conf->pass.group = weir_upstream_for(cf, generation, conf->pass.authority, 80);
            if (conf->pass.group == NULL) {
                return false;
            }
            proxy_default_host(cf, conf);
        }
        if (!proxy_build_blocks(cf, generation, block)) {
            return false;
        }
    }
    return true;
}

static bool
proxy_build(weir_conf_t *cf, weir_generation_t *generation)
{
    return proxy_build_blocks(cf, generation, cf->root);
}

/* -- running -- */

static bool
proxy_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const weir_proxy_conf_t *) conf)->pass.url.len != 0;
}

static weir_step_t
proxy_content(weir_request_t *req, const void *conf)
{
    return weir_proxy_start(req, conf, &weir_peer_h1);
}

static bool
proxy_var_host(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    const weir_proxy_conf_t *conf = weir_request_conf((weir_request_t *) subject, http_proxy, weir_proxy_conf_t);

    (void) arena;
    (void) ref;
    if (conf->pass.group == NULL) {
        return false;
    }
    *value = conf->pass.group->host_header;
    return true;
}

static bool
proxy_var_port(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    const weir_proxy_conf_t *conf = weir_request_conf((weir_request_t *) subject, http_proxy, weir_proxy_conf_t);

    (void) ref;
    if (conf->pass.group == NULL) {
        return false;
    }
    uint16_t port = weir_addr_port(&conf->pass.group->peers[0].addr);
    *value = weir_str_printf(arena, "%u", port ? port : 80);
    return true;
}

static const weir_variable_t proxy_variables[] = {
    { .name = "proxy_host", .get = proxy_var_host, .help = "Name and port of the proxied server as proxy_pass has them." },
    { .name = "proxy_port", .get = proxy_var_port, .help = "Port of the proxied server." },
    WEIR_VARIABLES_END
};

const weir_http_module_t weir_http_proxy = {
    .name = "http_proxy",
    .conf_size = sizeof(weir_proxy_conf_t),
    .directives = proxy_directives,
    .variables = proxy_variables,
    .check = proxy_check,
    .build = proxy_build,
    .on = { [WEIR_PHASE_CONTENT] = proxy_content },
    .enabled = proxy_enabled,
};
