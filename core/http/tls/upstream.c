/*
 * upstream.c - how a request's connection to its peer is secured.  Runs in workers; texts in the request's arena.
 */
#include "http/tls/upstream.h"

/* "name:443", "[::1]:443" → the name alone. */
static weir_str_t
upstream_without_port(weir_str_t name)
{
    const char *colon = weir_str_find(name, ':');
    const char *close;

    if (name.len != 0 && name.at[0] == '[') {
        close = weir_str_find(name, ']');
        return close != NULL ? weir_str(name.at + 1, (size_t) (close - name.at) - 1) : name;
    }
    if (colon == NULL || weir_str_find(weir_str_skip(name, (size_t) (colon - name.at) + 1), ':') != NULL) {
        return name;                             /* none, or an IPv6 address without brackets */
    }
    return weir_str(name.at, (size_t) (colon - name.at));
}

bool
weir_http_tls_toward(const weir_http_tls_upstream_conf_t *conf, weir_request_t *req, weir_str_t default_name,
                     weir_upsecure_t *secure)
{
    weir_http_tls_t *tls = conf->built;
    weir_str_t name = default_name;

    *secure = (weir_upsecure_t) { .context = NULL };
    if (tls == NULL) {
        return true;
    }
    secure->context = tls->is_dynamic ? weir_http_tls_load(tls, req) : tls->context;
    if (secure->context == NULL) {
        return false;
    }
    if (conf->name != NULL && !weir_template_is_empty(conf->name)) {
        name = weir_request_eval(req, conf->name);
    }
    weir_assert(!tls->is_dynamic || tls->may_have_none);
    secure->name = upstream_without_port(name);
    secure->sends_name = conf->server_name.on;
    secure->verifies = conf->verify.on;
    secure->resumes = conf->session_reuse.on;
    return true;
}
