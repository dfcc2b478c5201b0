/*
 * sticky.h - requests that are bound to peers (upstream/sticky.h), as the proxy sees them: what a request says of its
 * peer, and what the client of an answer is told.
 *
 * Runs in workers; memory: the request's arena.
 */
#ifndef WEIR_HTTP_PROXY_STICKY_H
#define WEIR_HTTP_PROXY_STICKY_H

#include "http/proxy/proxy.h"

/* Before the first peer is picked. */
void weir_proxy_sticky_ask(weir_proxy_t *p);
/* The head of the peer's answer is in req->res and goes to the client. */
void weir_proxy_sticky_answer(weir_proxy_t *p);

#endif
