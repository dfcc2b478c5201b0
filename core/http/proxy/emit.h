/*
 * emit.h - what a request to a peer says, whatever the wire: what the engine puts into its exchange.
 */
#ifndef WEIR_HTTP_PROXY_EMIT_H
#define WEIR_HTTP_PROXY_EMIT_H

#include "http/proxy/proxy.h"

/* Before each attempt: method, length, body.  false: proxy_method makes no token. */
bool weir_proxy_make_question(weir_proxy_t *p) WEIR_MUST_USE;
/* Makes rewrite_host's text, of a request with a plan.  false: it is no host. */
bool weir_proxy_make_host(weir_proxy_t *p) WEIR_MUST_USE;
/* Makes p->x->target: path and query, or "*".  false: no peer is to see such a path. */
bool weir_proxy_make_target(weir_proxy_t *p) WEIR_MUST_USE;

/* What such a line of the configuration makes of this request; empty: the field is not sent. */
weir_str_t weir_proxy_field_value(weir_proxy_t *p, const weir_proxy_header_t *h);
/* Every field but those of framing: what the configuration sets (Host among it), then the client's that are passed
 * on. */
void weir_proxy_each_field(weir_proxy_t *p, weir_exchange_put_t *put, void *data);

#endif
