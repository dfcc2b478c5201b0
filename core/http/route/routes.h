/*
 * routes.h - a route: a location that is found by rules of its own, its match lines, before the server's locations are
 * asked; and which place of a server takes a request.
 */
#ifndef WEIR_HTTP_ROUTES_H
#define WEIR_HTTP_ROUTES_H

#include "http/conf.h"

/* Every route of the server, whose blocks are built, into server->routes. */
bool weir_http_routes_build(weir_conf_t *cf, weir_http_server_t *server) WEIR_MUST_USE;

/* What weir_http_place_find does where there are routes, or no locations. */
weir_http_location_t *weir_http_routes_find(const weir_http_server_t *server, const weir_match_input_t *input,
                                            bool is_internal, weir_match_t *match);

/* The place of what was found: a location, a route, or the server itself.  NULL: a pattern ran into its limit. */
static inline weir_http_location_t *
weir_http_place_of(const weir_http_server_t *server, const weir_match_t *match)
{
    if (match->limit) {
        return NULL;
    }
    return match->rule != NULL ? match->rule->value : server->fallback;
}

/* The place that takes a request: a function of the server and of the request's head, nothing else.  *match says by
 * which rule, and its captures; without a rule it is the server itself.  Of a route rule->words is the match line;
 * where the place stands its block->words say.  input->host need not be set where server->has_paths_only.  is_internal:
 * Weir itself goes to the path.  NULL: a pattern ran into its limit. */
static inline weir_http_location_t *
weir_http_place_find(const weir_http_server_t *server, const weir_match_input_t *input, bool is_internal,
                     weir_match_t *match)
{
    if (weir_likely(server->has_paths_only)) {
        weir_paths_find(server->paths, input, match);
        return weir_http_place_of(server, match);
    }
    return weir_http_routes_find(server, input, is_internal, match);
}

/* The route whose match line a rule is. */
static inline const weir_http_route_t *
weir_http_route_of(const weir_rule_t *rule)
{
    return ((const weir_http_location_t *) rule->value)->route;
}

#endif
