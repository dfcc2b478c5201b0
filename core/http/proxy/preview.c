/*
 * preview.c - see preview.h.  Runs in tools: nothing is picked, connected or counted.
 */
#include "http/proxy/preview.h"

#include "http/module.h"
#include "http/proxy/emit.h"
#include "http/proxy/split.h"

static const char *
preview_problem(weir_proxy_read_t read)
{
    switch (read) {
    case WEIR_PROXY_READ_SPLIT:  return "encoded slashes of the path may be read in two ways";
    case WEIR_PROXY_READ_NO_URL: return "its variables make no URL";
    case WEIR_PROXY_READ_DOTS:   return "the path toward the peer would have dot segments";
    case WEIR_PROXY_READ_GOOD:   break;
    }
    return NULL;
}

static weir_str_t
preview_host(weir_proxy_t *p)
{
    for (size_t i = 0; i < p->conf->emit.n; i++) {
        const weir_proxy_header_t *h = &p->conf->emit.at[i];

        if (h->id == WEIR_HEADER_HOST && weir_proxy_pass_group(p->req->generation, p->pass) != NULL) {
            return weir_proxy_field_value(p, h);
        }
    }
    return WEIR_STR_NONE;
}

void
weir_proxy_preview(weir_request_t *req, const weir_proxy_conf_t *conf, const weir_proxy_target_t *target,
                   weir_proxy_preview_t *preview)
{
    const weir_forward_conf_t *forward = weir_request_conf(req, http_forward, weir_forward_conf_t);
    weir_proxy_t              *p = weir_new(&req->arena, weir_proxy_t);
    weir_proxy_pass_t         *pass = weir_new(&req->arena, weir_proxy_pass_t);
    weir_str_t                 url;

    *preview = (weir_proxy_preview_t) { .pass = target != NULL ? &target->pass : &conf->pass };
    p->req = req;
    p->conf = conf;
    p->pass = preview->pass;
    p->x = &p->first;
    p->x->arena = &req->arena;
    if (!forward->is_plain) {
        p->plan = weir_new(&req->arena, weir_proxy_plan_t);
        p->plan->conf = forward;
    }
    if (p->pass->text != NULL) {
        preview->problem = preview_problem(weir_proxy_read_target(req, preview->pass, pass, &url));
        p->pass = preview->pass = pass;
        req->proxied_to = pass;
        if (preview->problem != NULL) {
            return;
        }
    }
    if (p->plan != NULL && !weir_proxy_make_host(p)) {
        preview->problem = "rewrite_host makes no host";
    } else if (!weir_proxy_make_target(p)) {
        preview->problem = "no peer is to see such a path";
    } else if (!weir_proxy_make_question(p)) {
        preview->problem = "proxy_method makes no method";
    } else {
        preview->method = p->x->method_name;
        preview->target = p->x->target;
        preview->host = preview_host(p);
    }
}
