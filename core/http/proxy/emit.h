/*
 * emit.h - what a request to a peer says, whatever the wire; for codecs toward peers.
 */
#ifndef WEIR_HTTP_PROXY_EMIT_H
#define WEIR_HTTP_PROXY_EMIT_H

#include "http/proxy/proxy.h"

/* false: proxy_method makes no token; the cause is set. */
bool       weir_proxy_method(weir_proxy_t *p, weir_str_t *method) WEIR_MUST_USE;
/* Makes p->target: path and query, or "*".  false: no peer is to see such a path. */
bool weir_proxy_make_target(weir_proxy_t *p) WEIR_MUST_USE;

/* Every field but those of framing: what the configuration sets (Host among it), then the client's that are passed on. */
typedef void weir_proxy_put_t(void *data, weir_header_id_t id, weir_str_t name, weir_str_t value);
void weir_proxy_each_field(weir_proxy_t *p, weir_proxy_put_t *put, void *data);

#endif
