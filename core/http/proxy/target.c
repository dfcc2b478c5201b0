/*
 * target.c - where a request is passed to when proxy_pass has variables: an upstream block of that name, an address, or
 * a name that `resolver`'s servers are asked for.
 *
 * Runs in workers; all of it in the request's arena.  Threat: what the variables hold may be the client's (its Host,
 * its path): a group that is made for one request is forgotten with it, and counted under no name of its own.
 */
#include "http/proxy/proxy.h"

#include "http/proxy/conf.h"
#include "http/serve/runtime.h"
#include "http/vars/uri_text.h"
#include "upstream/resolver.h"

static bool
target_refuse(weir_proxy_t *p, weir_cause_t cause, uint16_t status, const char *detail)
{
    weir_request_t *req = p->req;

    weir_proxy_release(p);
    (void) weir_request_fail_status(req, cause, status, detail);
    return false;
}

static bool
target_fail(weir_proxy_t *p, const char *detail)
{
    return target_refuse(p, WEIR_CAUSE_UPSTREAM_RESOLVE, 502, detail);
}

static const char *
target_text(weir_proxy_t *p, const char *what, weir_str_t text)
{
    return weir_str_to_z(&p->req->arena, weir_str_printf(&p->req->arena, "%s \"%.*s\"", what, WEIR_STR_ARG(text)));
}

/* One of the addresses for each: with the port. */
static void
target_use_addrs(weir_proxy_t *p, weir_proxy_pass_t *pass, const weir_addr_t *addrs, size_t n)
{
    weir_arena_t *arena = &p->req->arena;
    weir_addr_t *with_port = weir_new_n(arena, weir_addr_t, n);
    weir_group_conf_t *own;

    for (size_t i = 0; i < n; i++) {
        with_port[i] = addrs[i];
        if (!weir_addr_is_unix(&addrs[i])) {
            weir_addr_set_port(&with_port[i], pass->port);
        }
    }
    own = weir_new(arena, weir_group_conf_t);
    p->own_group = weir_upstream_attach_addrs(p->x->http->groups, arena, own, pass->authority, pass->host_header,
                                              with_port, n);
    pass->own = own;
}

static void
target_resolved(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_addr_t *addrs, size_t n)
{
    static const char *const why[] = {
        [WEIR_LOOKUP_OK] = "",
        [WEIR_LOOKUP_NO_NAME] = "there is no address of",
        [WEIR_LOOKUP_FAILED] = "the name servers could not say about",
        [WEIR_LOOKUP_TIMEOUT] = "no name server answered about",
    };
    weir_proxy_t *p = weir_container_of(lookup, weir_proxy_t, lookup);
    weir_proxy_pass_t *pass = p->own_pass;

    if (result != WEIR_LOOKUP_OK) {
        (void) target_fail(p, target_text(p, why[result], pass->authority));
        return;
    }
    target_use_addrs(p, pass, addrs, n);
    if (p->is_resolving) {
        p->is_resolving = false;
        weir_proxy_next_peer(p);
    }
}

/* The path, and the query behind it, that the variables made: what may not stand there is encoded, and what comes out
 * is in its normal form.  false: with dot segments it would be another path than the one that the text shows. */
static bool
target_make_uri(weir_arena_t *arena, weir_proxy_pass_t *pass)
{
    weir_str_t all = weir_uri_encode_rest(pass->uri, arena), path, query;
    bool has_query;
    weir_uri_t uri;

    if (all.at[0] != '/') {
        all = weir_str_concat(arena, WEIR_STR("/"), all);
    }
    has_query = weir_str_cut(all, '?', &path, &query);
    if (weir_uri_normalise(&uri, path, false, arena) != WEIR_URI_OK || uri.is_reshaped) {
        return false;
    }
    pass->uri = has_query ? weir_str_printf(arena, "%.*s?%.*s", WEIR_STR_ARG(uri.wire), WEIR_STR_ARG(query)) : uri.wire;
    return true;
}

/* Only where the operator wrote it: never out of what a request brings. */
static bool
target_may_be_unix(const weir_template_t *text)
{
    for (size_t i = 0; i < text->n; i++) {
        const weir_template_part_t *part = &text->parts[i];
        for (weir_str_t rest = part->literal; part->ref.row == NULL && rest.len >= 5; rest = weir_str_skip(rest, 1)) {
            if (weir_str_starts(rest, WEIR_STR("unix:"))) {
                return true;
            }
        }
    }
    return false;
}

static bool
target_of_host(weir_proxy_t *p, weir_proxy_pass_t *pass, const weir_hostport_t *hp)
{
    const weir_resolver_settings_t *settings = weir_resolver_settings(p->req->location->block);
    weir_addr_t addr;

    if (hp->is_unix && !target_may_be_unix(p->pass->text)) {
        return target_fail(p, "a socket of this machine, named by variables");
    }
    pass->port = hp->has_port ? hp->port : pass->default_port;
    pass->host_header = hp->is_unix ? WEIR_STR("localhost") : pass->authority;
    if (hp->is_unix ? weir_addr_from_unix(&addr, hp->host) : weir_addr_from_ip(&addr, hp->host, pass->port)) {
        target_use_addrs(p, pass, &addr, 1);
        return true;
    }
    if (hp->is_unix || hp->is_wildcard || hp->host.len == 0) {
        return target_fail(p, target_text(p, "no host in", pass->authority));
    }
    if (settings->said.servers.n == 0) {
        return target_fail(p, target_text(p, "no resolver defined to resolve", hp->host));
    }
    weir_resolver_lookup(weir_resolver_of(p->x->http->groups, &settings->said.servers), &p->lookup, hp->host,
                         settings->timeout, target_resolved);
    if (pass->own != NULL) {
        return true;                               /* it was known */
    }
    p->is_resolving = !p->released;
    return false;
}

weir_proxy_read_t
weir_proxy_read_target(weir_request_t *req, const weir_proxy_pass_t *from, weir_proxy_pass_t *pass, weir_str_t *url)
{
    const weir_group_conf_t *known;

    *pass = *from;
    *url = weir_uri_text(req, from->text, WEIR_URI_TARGET);
    if (weir_request_is_split(req)) {
        return WEIR_PROXY_READ_SPLIT;
    }
    if (!weir_proxy_split_pass(from->schemes, *url, pass) || pass->authority.len == 0) {
        return WEIR_PROXY_READ_NO_URL;
    }
    if (pass->has_uri && !target_make_uri(&req->arena, pass)) {
        return WEIR_PROXY_READ_DOTS;
    }
    known = weir_upstream_known(req->generation, pass->authority, pass->default_port);
    pass->group = known != NULL ? known->id : (weir_group_id_t) { 0 };
    return WEIR_PROXY_READ_GOOD;
}

bool
weir_proxy_find_target(weir_proxy_t *p)
{
    weir_request_t *req = p->req;
    weir_proxy_pass_t *pass = weir_new(&req->arena, weir_proxy_pass_t);
    weir_proxy_read_t read;
    weir_hostport_t hp;
    weir_str_t url;
    const char *why;

    read = weir_proxy_read_target(req, p->pass, pass, &url);
    p->pass = p->own_pass = pass;
    req->proxied_to = pass;
    switch (read) {
    case WEIR_PROXY_READ_SPLIT:
        return target_refuse(p, WEIR_CAUSE_CLIENT_TARGET, 400, "encoded_slash");
    case WEIR_PROXY_READ_NO_URL:
        return target_refuse(p, WEIR_CAUSE_UPSTREAM_RESOLVE, 500, target_text(p, "invalid URL", url));
    case WEIR_PROXY_READ_DOTS:
        return target_refuse(p, WEIR_CAUSE_CLIENT_TARGET, 400, "the path toward the peer would have dot segments");
    case WEIR_PROXY_READ_GOOD:
        break;
    }
    if (weir_group_id_is(pass->group)) {
        return true;
    }
    if (!weir_addr_parse_hostport(&hp, pass->authority, &why)) {
        return target_fail(p, target_text(p, why, pass->authority));
    }
    return target_of_host(p, pass, &hp);
}
