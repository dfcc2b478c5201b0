/*
 * http_proxy: pass requests to other HTTP servers.  The directives; the work is the engine's (core/http/proxy).
 */
#include "config.h"

#include "conf/core.h"

#include "http/module.h"
#include "http/proxy/conf.h"

extern const size_t weir_http_proxy_index;

static const weir_proxy_scheme_t proxy_schemes[] = { { "http://", false, 80 }, { "https://", true, 443 },
                                                     { NULL, false, 0 } };

static bool
proxy_parse_pass(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_proxy_target_t *target;

    return weir_split_parse(cf, row, words, proxy_schemes, field, &target);
}

static bool
proxy_opened_pass(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    weir_proxy_conf_t *conf = weir_conf_own(cf, block->parent, weir_http_proxy_index);

    return weir_split_opened(cf, block, words, proxy_schemes, &conf->pass);
}

static const weir_conf_type_t proxy_type_pass = {
    .name = "URL", .size = sizeof(weir_proxy_pass_t), .min_args = 1, .max_args = 2, .repeats = true,
    .parse = proxy_parse_pass,
};

static const weir_conf_enum_t proxy_versions[] = { { "1.0", 10 }, { "1.1", 11 }, { "2", 20 }, { NULL, 0 } };

static const weir_conf_enum_t proxy_paths[] = { { "normal", WEIR_PROXY_PATH_NORMAL },
                                                { "as_sent", WEIR_PROXY_PATH_AS_SENT }, { NULL, 0 } };

static const weir_directive_t proxy_directives[] = {
    WEIR_DIRECTIVE_OF(weir_proxy_conf_t, pass, "proxy_pass", &proxy_type_pass, .where = WEIR_IN_LOCATION,
                      .inherit = WEIR_LOCAL,
                      .args = "http[s]://authority[uri] [weight=number]",
                      .help = "Names the group or server that requests are passed to, and the path that replaces "
                              "the location's; of several, each has its share by weight."),
    WEIR_PROXY_TARGET_ROW("proxy_pass", &proxy_type_pass, proxy_opened_pass, "http[s]://authority[uri]"),
    WEIR_PROXY_ROWS("proxy"),
    WEIR_PROXY_ROW(buffering, "proxy_buffering", .dflt = "on",
                   .help = "Reads the answer ahead of a slow client, into proxy_buffers and a temporary file."),
    WEIR_PROXY_ROW(request_buffering, "proxy_request_buffering", .dflt = "on",
                   .help = "Reads the whole request body before a peer is asked."),
    WEIR_PROXY_ROW(ignore_client_abort, "proxy_ignore_client_abort", .dflt = "off",
                   .help = "Goes on with the peer when the client has closed."),
    WEIR_PROXY_ROW(pass_request_headers, "proxy_pass_request_headers", .dflt = "on",
                   .help = "Passes the client's fields to the peer."),
    WEIR_PROXY_ROW(pass_request_body, "proxy_pass_request_body", .dflt = "on",
                   .help = "Passes the client's body to the peer."),
    WEIR_PROXY_ROW(pass_trailers, "proxy_pass_trailers", .dflt = "off",
                   .help = "Passes the trailers of a peer's answer to the client, and tells the peer that they are "
                           "wanted (TE: trailers)."),
    WEIR_PROXY_ROW_OF(peer.http_version, "proxy_http_version", &weir_type_enum, .dflt = "1.1", .values = proxy_versions,
                      .help = "Sets the HTTP version that is spoken to peers; 2 is agreed on by ALPN at https://, "
                              "and used by prior knowledge else."),
    WEIR_PROXY_ROW_OF(path, "proxy_path", &weir_type_enum, .dflt = "normal", .values = proxy_paths,
                      .args = "normal | as_sent",
                      .help = "Says how a path that proxy_pass does not replace is spelled toward peers: in its "
                              "normal form, or as the client sent it."),
    WEIR_PROXY_ROW_OF(peer.line_ends, "proxy_line_ends", &weir_type_enum, .dflt = "crlf",
                      .values = weir_line_ends_values, .args = "crlf | lf",
                      .help = "Says how the lines of an answer's head may end: with CRLF only, or all of them with "
                              "a bare LF."),
    WEIR_PROXY_ROW(buffers, "proxy_buffers", .dflt = "8 8k",
                   .help = "Sets the memory for an answer that a slow client has not taken yet."),
    WEIR_PROXY_ROW(max_temp_file_size, "proxy_max_temp_file_size", .dflt = "1g",
                   .help = "Limits the temporary file behind proxy_buffers; 0 uses none."),
    WEIR_PROXY_ROW(temp_path, "proxy_temp_path", .dflt = WEIR_HTTP_PROXY_TEMP_PATH,
                   .help = "Sets the folder of the temporary files; they have no names, so that levels have no "
                           "effect."),
    WEIR_PROXY_ROW(force_ranges, "proxy_force_ranges", .dflt = "off",
                   .help = "Lets a Range ask for parts of an answer whose length the peer states."),
    WEIR_PROXY_ROW_OF(limit_rate, "proxy_limit_rate", &weir_http_type_rate,
                   .help = "Limits the bytes per second that are read of an answer, with proxy_buffering; 0 sets no "
                           "limit."),
    WEIR_PROXY_ROW(set_body, "proxy_set_body", .help = "Replaces the body of the request to the peer."),
    WEIR_PROXY_ROW(method, "proxy_method", .help = "Replaces the method of the request to the peer."),
    WEIR_PROXY_ROW_OF(edits.redirects, "proxy_redirect", &weir_type_redirect, .dflt = "default",
                      .help = "Replaces the beginning, or what ~ or ~* matches, of the peer's Location and Refresh; "
                              "default puts the location in place of proxy_pass's address."),
    WEIR_PROXY_ROW_OF(edits.domains, "proxy_cookie_domain", &weir_type_cookie_domain,
                      .help = "Replaces the domain in the peer's Set-Cookie."),
    WEIR_PROXY_ROW_OF(edits.paths, "proxy_cookie_path", &weir_type_cookie_path,
                      .help = "Replaces the beginning of the path, or what ~ or ~* matches, in the peer's "
                              "Set-Cookie."),
    WEIR_PROXY_ROW_OF(edits.flags, "proxy_cookie_flags", &weir_type_cookie_flags,
                      .help = "Adds flags to or removes them from a cookie of the peer: secure, httponly, "
                              "samesite=strict|lax|none, no..."),
    WEIR_DIRECTIVES_END
};

/* The first URL with a path, of one or of several; NULL: none has one. */
static const weir_proxy_pass_t *
proxy_find_uri(const weir_proxy_conf_t *conf)
{
    const weir_proxy_targets_t *targets = conf->pass.targets;

    for (size_t i = 0; targets != NULL && i < targets->n; i++) {
        if (targets->at[i].pass.has_uri && targets->at[i].pass.text == NULL) {
            return &targets->at[i].pass;
        }
    }
    return targets == NULL && conf->pass.has_uri ? &conf->pass : NULL;
}

static bool
proxy_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    weir_proxy_conf_t *conf = conf_;
    const weir_http_location_t *location = block->owner;
    const weir_proxy_pass_t *with_uri;
    bool is_of_part;

    weir_proxy_derive(cf, conf);
    if (conf->pass.url.len != 0 && !weir_conf_make_folder(cf, &block->words, conf->temp_path.text)) {
        return false;
    }
    if (conf->pass.url.len == 0) {
        return true;
    }
    weir_proxy_take_location(block);
    with_uri = proxy_find_uri(conf);
    if (with_uri != NULL && !weir_forward_check_pass(cf, block, with_uri)) {
        return false;
    }
    weir_proxy_derive_edits(cf, location, &conf->pass, &conf->edits);
    if (with_uri == NULL) {
        return true;
    }
    is_of_part = (block->context & WEIR_IN_PART) && weir_conf_is_set(block, weir_http_proxy_index, "proxy_pass");
    if (location->route != NULL && !is_of_part) {
        return weir_proxy_take_route(cf, location->route, with_uri, conf);
    }
    if (location->is_named || location->rule.kind == WEIR_PATH_REGEX || is_of_part) {
        return weir_conf_error_at(cf, &block->words,
                                  "\"proxy_pass\" cannot have a URI part in a location given by a regular expression "
                                  "or a name, "
                                  "in \"if\" or in \"limit_except\": \"%.*s\"", WEIR_STR_ARG(with_uri->url));
    }
    conf->prefix_len = location->rule.text.len;
    return true;
}

static bool
proxy_bind(weir_conf_t *cf, weir_generation_t *generation, weir_conf_block_t *block)
{
    return weir_proxy_bind(cf, generation, block, weir_http_proxy_index, "proxy_");
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
    const weir_proxy_conf_t *proxy = conf;

    weir_assert(proxy->pass.url.len != 0);
    return weir_proxy_start(req, proxy, proxy->peer.http_version == 20 ? &weir_peer_h2 : &weir_peer_h1);
}

static bool
proxy_var_host(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    const weir_proxy_conf_t *conf = weir_request_conf((weir_request_t *) subject, http_proxy, weir_proxy_conf_t);

    (void) arena;
    (void) ref;
    const weir_proxy_pass_t *pass = ((weir_request_t *) subject)->proxied_to != NULL
                                    ? ((weir_request_t *) subject)->proxied_to : &conf->pass;

    const weir_group_conf_t *group = weir_proxy_pass_group(((weir_request_t *) subject)->generation, pass);

    if (group == NULL) {
        return false;
    }
    *value = group->host_header;
    return true;
}

static bool
proxy_var_port(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    const weir_proxy_conf_t *conf = weir_request_conf((weir_request_t *) subject, http_proxy, weir_proxy_conf_t);

    (void) ref;
    const weir_proxy_pass_t *pass = ((weir_request_t *) subject)->proxied_to != NULL
                                    ? ((weir_request_t *) subject)->proxied_to : &conf->pass;

    const weir_group_conf_t *group = weir_proxy_pass_group(((weir_request_t *) subject)->generation, pass);

    if (group == NULL) {
        return false;
    }
    uint16_t port = group->n_peers != 0 ? weir_addr_port(&group->peers[0].addr) : 0;
    *value = weir_str_printf(arena, "%u", port ? port : pass->default_port);
    return true;
}

static const weir_variable_t proxy_variables[] = {
    { "proxy_host", .subject = WEIR_OF_REQUEST, .get = proxy_var_host,
      .help = "Name and port of the proxied server as proxy_pass has them." },
    { "proxy_port", .subject = WEIR_OF_REQUEST, .get = proxy_var_port, .help = "Port of the proxied server." },
    WEIR_VARIABLES_END
};

const weir_http_module_t weir_http_proxy = {
    .name = "http_proxy",
    .area = "Proxying",
    .conf_size = sizeof(weir_proxy_conf_t),
    .directives = proxy_directives,
    .variables = proxy_variables,
    .check = proxy_check,
    .bind = proxy_bind,
    .on = { [WEIR_PHASE_CONTENT] = proxy_content },
    .is_proxy = true,
    .enabled = proxy_enabled,
};
