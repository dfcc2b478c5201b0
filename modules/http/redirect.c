/*
 * redirect.c - `redirect [scheme=] [host=] [port=] [path= | prefix=] [status=]`: the client is sent to another address,
 * of which the configuration says what differs from the one it asked for (the Gateway API's RequestRedirect).
 *
 * It comes behind the guards and before whatever else would answer.  Runs in workers; the address is made in the
 * request's arena.
 */
#include "http/module.h"

#include "http/vars/path_edit.h"

typedef struct {
    weir_str_t             scheme;       /* empty: the request's */
    const weir_template_t *host;         /* NULL: the request's */
    uint32_t               port;         /* 0: the scheme's, or that of the address where the request came */
    weir_path_edit_t       path;
    uint16_t               status;       /* 0: there is no such directive */
} redirect_t;

typedef struct { redirect_t redirect; } redirect_conf_t;

/* -- a request -- */

/* false: what a variable made is none. */
static bool
redirect_find_host(weir_request_t *req, const redirect_t *redirect, weir_str_t *host)
{
    weir_str_t name;
    uint16_t   port;

    *host = redirect->host != NULL ? weir_request_eval(req, redirect->host) : WEIR_STR_NONE;
    if (host->len == 0) {
        *host = req->host;
        return host->len != 0;
    }
    return weir_uri_authority(*host, &name, &port) && port == 0;
}

/* A scheme that is said stands on its own port; where none is, it is that of the address where the request came.  0: it
 * need not be said. */
static uint32_t
redirect_port(weir_request_t *req, const redirect_t *redirect, weir_str_t scheme)
{
    weir_addr_t local = weir_request_local(req);
    uint32_t    standard = weir_str_eq(scheme, WEIR_STR("https")) ? 443 : 80, port = redirect->port;

    if (port == 0) {
        port = redirect->scheme.len != 0 ? standard : weir_addr_port(&local);
    }
    return port == standard ? 0 : port;
}

static weir_step_t
redirect_precontent(weir_request_t *req, const void *conf)
{
    const redirect_t *redirect = &((const redirect_conf_t *) conf)->redirect;
    weir_str_t        scheme = redirect->scheme, path = req->uri.wire, host;
    bool              has_query = req->query.len != 0 || (req->head.has_query && !req->uri_changed);
    weir_str_t        authority;
    uint32_t          port;

    if (weir_path_edit_is_set(&redirect->path) && !weir_path_edit_make(req, &redirect->path, &path)) {
        return weir_request_fail(req, WEIR_CAUSE_CLIENT_TARGET, "the path of the redirect would have dot segments");
    }
    if (!redirect_find_host(req, redirect, &host)) {
        return weir_request_fail(req, WEIR_CAUSE_CLIENT_HOST, "there is no host to redirect to");
    }
    if (scheme.len == 0) {
        scheme = req->client->is_tls ? WEIR_STR("https") : WEIR_STR("http");
    }
    if (path.len == 0 || path.at[0] != '/') {
        path = WEIR_STR("/");                            /* OPTIONS * */
    }
    port = redirect_port(req, redirect, scheme);
    authority = port == 0 ? host : weir_str_printf(&req->arena, "%.*s:%u", WEIR_STR_ARG(host), port);
    return weir_request_redirect_client(
        req, redirect->status,
        weir_str_printf(&req->arena, "%.*s://%.*s%.*s%s%.*s", WEIR_STR_ARG(scheme), WEIR_STR_ARG(authority),
                        WEIR_STR_ARG(path), has_query ? "?" : "", WEIR_STR_ARG(req->query)));
}

static bool
redirect_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const redirect_conf_t *) conf)->redirect.status != 0;
}

/* -- directives -- */

static bool
redirect_read_scheme(weir_conf_t *cf, size_t i, weir_str_t text, void *redirect)
{
    ((redirect_t *) redirect)->scheme = text;
    return weir_str_eq(text, WEIR_STR("http")) || weir_str_eq(text, WEIR_STR("https"))
        || weir_conf_invalid(cf, i, "scheme=http or scheme=https");
}

static bool
redirect_read_host(weir_conf_t *cf, size_t i, weir_str_t text, void *redirect_)
{
    redirect_t *redirect = redirect_;
    weir_str_t  name;
    uint16_t    port;

    redirect->host = weir_conf_template(cf, i, text);
    if (redirect->host == NULL) {
        return false;
    }
    return !redirect->host->is_constant || (weir_uri_authority(text, &name, &port) && port == 0)
        || weir_conf_invalid(cf, i, "host=, a name or an address without a port");
}

static bool
redirect_read_port(weir_conf_t *cf, size_t i, weir_str_t text, void *redirect_)
{
    redirect_t *redirect = redirect_;

    return (weir_conf_read_u32(text, &redirect->port) && redirect->port >= 1 && redirect->port <= 65535)
        || weir_conf_invalid(cf, i, "port= with a number from 1 to 65535");
}

static bool
redirect_read_status(weir_conf_t *cf, size_t i, weir_str_t text, void *redirect)
{
    uint32_t status;

    if (!weir_conf_read_u32(text, &status)
        || (status != 301 && status != 302 && status != 303 && status != 307 && status != 308))
    {
        return weir_conf_invalid(cf, i, "status= with 301, 302, 303, 307 or 308");
    }
    ((redirect_t *) redirect)->status = (uint16_t) status;
    return true;
}

/* One of path= and prefix=. */
static bool
redirect_is_first(weir_conf_t *cf, size_t i, const redirect_t *redirect)
{
    return !weir_path_edit_is_set(&redirect->path)
        || weir_conf_error(cf, i, "\"path=\" and \"prefix=\" cannot stand beside one another");
}

static bool
redirect_read_path(weir_conf_t *cf, size_t i, weir_str_t text, void *redirect)
{
    return redirect_is_first(cf, i, redirect)
        && weir_path_edit_read_path(cf, i, text, &((redirect_t *) redirect)->path);
}

static bool
redirect_read_prefix(weir_conf_t *cf, size_t i, weir_str_t text, void *redirect)
{
    return redirect_is_first(cf, i, redirect) && weir_path_edit_read_to(cf, i, text, &((redirect_t *) redirect)->path);
}

static bool
redirect_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    static const weir_conf_option_t options[] = {
        { .name = "scheme", .read = redirect_read_scheme }, { .name = "host", .read = redirect_read_host },
        { .name = "port", .read = redirect_read_port },     { .name = "path", .read = redirect_read_path },
        { .name = "prefix", .read = redirect_read_prefix }, { .name = "status", .read = redirect_read_status },
    };
    redirect_t *redirect = field;

    redirect->status = 302;
    if (!weir_conf_read_options(cf, words, 1, options, weir_countof(options),
                                "scheme=, host=, port=, path=, prefix= or status=", redirect))
    {
        return false;
    }
    return redirect->scheme.len != 0 || redirect->host != NULL || redirect->port != 0
        || weir_path_edit_is_set(&redirect->path)
        || weir_conf_error(cf, 1, "\"%s\" changes nothing: the client would come back for ever", row->name);
}

static const weir_conf_type_t redirect_type = {
    .name = "parameter...", .size = sizeof(redirect_t), .min_args = 1, .max_args = 6, .parse = redirect_parse,
};

static bool
redirect_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf)
{
    return weir_path_edit_check(cf, block, "redirect", &((redirect_conf_t *) conf)->redirect.path);
}

static const weir_directive_t redirect_directives[] = {
    WEIR_DIRECTIVE_OF(redirect_conf_t, redirect, "redirect", &redirect_type, .where = WEIR_IN_LOCATION,
                      .inherit = WEIR_LOCAL,
                      .args = "[scheme=http|https] [host=text] [port=number] [path=text | prefix=text] [status=number]",
                      .help = "Sends clients to another address, of which it says what differs from the one that they "
                              "asked for."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_redirect = {
    .name = "http_redirect",
    .area = "Traffic",
    .conf_size = sizeof(redirect_conf_t),
    .directives = redirect_directives,
    .check = redirect_check,
    .on = { [WEIR_PHASE_PRECONTENT] = redirect_precontent },
    .pure = 1u << WEIR_PHASE_PRECONTENT,
    .enabled = redirect_enabled,
};
