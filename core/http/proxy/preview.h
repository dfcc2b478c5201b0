/*
 * preview.h - what the engine would ask a peer, without a peer: for tools.
 */
#ifndef WEIR_HTTP_PROXY_PREVIEW_H
#define WEIR_HTTP_PROXY_PREVIEW_H

#include "http/proxy/proxy.h"

typedef struct {
    const weir_proxy_pass_t *pass;       /* with the group, as far as it is known */
    const char              *problem;    /* why no peer would be asked; NULL: one would */
    weir_str_t               method, target, host;      /* host empty: not known */
} weir_proxy_preview_t;

/* target: of several, the one that is looked at; NULL: there is one.  All of it in the request's arena. */
void weir_proxy_preview(weir_request_t *req, const weir_proxy_conf_t *conf, const weir_proxy_target_t *target,
                        weir_proxy_preview_t *preview);

#endif
