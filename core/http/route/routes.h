/*
 * routes.h - a route: a location that is found by rules of its own, its match lines, before the server's locations are
 * asked.
 */
#ifndef WEIR_HTTP_ROUTES_H
#define WEIR_HTTP_ROUTES_H

#include "http/conf.h"

/* Every route of the server, whose blocks are built, into server->routes. */
bool weir_http_routes_build(weir_conf_t *cf, weir_http_server_t *server) WEIR_MUST_USE;

/* The route whose match line a rule is. */
static inline const weir_http_route_t *
weir_http_route_of(const weir_rule_t *rule)
{
    return ((const weir_http_location_t *) rule->value)->route;
}

#endif
