/*
 * routes.c - `route NAME { match …; }`: blocks that are found by host, path, method, fields, cookies and arguments.
 *
 * Built at load, in the generation's arena; asked by workers.
 */
#include "http/route/routes.h"

#include "base/table.h"
#include "http/match/line.h"
#include "http/route/captures.h"
#include "http/vars/vars.h"

typedef struct { weir_flag_t host_fallthrough; } routes_conf_t;

extern const size_t weir_http_routes_index;

/* -- reading -- */

static bool
routes_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    weir_http_location_t *location = weir_new(cf->arena, weir_http_location_t);
    weir_http_route_t    *route = weir_new(cf->arena, weir_http_route_t);

    route->name = words->at[1].text;
    route->location = location;
    if (route->name.len == 0) {
        return weir_conf_error(cf, 1, "a route has a name that is not empty");
    }
    location->name = weir_str_printf(cf->arena, "route %.*s", WEIR_STR_ARG(route->name));
    location->route = route;
    location->block = block;
    block->owner = location;
    return true;
}

static weir_rule_t **
routes_push_line(weir_conf_t *cf, weir_http_route_t *route)
{
    weir_conf_list_t list = { .at = route->lines, .n = route->n_lines };
    weir_rule_t    **place = weir_conf_list_push(cf, &list, sizeof(*place));

    route->lines = list.at;
    route->n_lines = list.n;
    return place;
}

/* $route_NAME for each capture with a name. */
static bool
routes_define_names(weir_conf_t *cf, size_t word, const weir_rule_t *rule)
{
    for (size_t i = 0; i < rule->n_names; i++) {
        weir_str_t name = weir_str_concat(cf->arena, WEIR_STR("route_"), rule->names[i].name);

        if (!weir_vars_define(cf->vars, name, &rule->names[i].slot)) {
            return weir_conf_error(cf, word, "\"%.*s\" is the name of a built-in variable", WEIR_STR_ARG(name));
        }
        weir_vars_add_maker(cf->vars, rule->names[i].slot, WEIR_OF_REQUEST);
    }
    return true;
}

static bool
routes_parse_match(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_http_location_t *location = cf->block->owner;
    weir_rule_t          *rule = weir_new(cf->arena, weir_rule_t);
    weir_error_t          why = { .text = "" };
    size_t                word;

    (void) row;
    (void) field;
    if (!weir_match_line_read(cf->arena, words, rule, &word, &why)) {
        return weir_conf_error(cf, word, "invalid condition \"%.*s\": %s",
                               (int) weir_min(words->at[word].text.len, 100), words->at[word].text.at, why.text);
    }
    rule->value = location;
    *routes_push_line(cf, (weir_http_route_t *) location->route) = rule;
    return routes_define_names(cf, 1, rule);
}

/* -- building -- */

static bool
routes_refuse_same(weir_conf_t *cf, const weir_http_route_t *route, const weir_rule_t *rule, const weir_rule_t *same)
{
    const weir_http_route_t *other = weir_http_route_of(same);

    if (other == route) {
        return weir_conf_error_at(cf, rule->words, "route \"%.*s\" asks for the same in %s already",
                                  WEIR_STR_ARG(route->name), weir_conf_place(cf->arena, same->words));
    }
    return weir_conf_error_at(cf, rule->words, "route \"%.*s\" asks for the same as route \"%.*s\" in %s",
                              WEIR_STR_ARG(route->name), WEIR_STR_ARG(other->name),
                              weir_conf_place(cf->arena, same->words));
}

static bool
routes_add_rule(weir_conf_t *cf, weir_routes_t *routes, const weir_http_route_t *route, weir_rule_t *rule)
{
    const weir_rule_t *same;
    weir_error_t       why = { .text = "" };

    if (weir_routes_add(routes, rule, &same, &why)) {
        return true;
    }
    return same != NULL ? routes_refuse_same(cf, route, rule, same)
                        : weir_conf_error_at(cf, rule->words, "%s", why.text);
}

/* ".x" is "x" and "*.x". */
static bool
routes_add_line(weir_conf_t *cf, weir_routes_t *routes, const weir_http_route_t *route, weir_rule_t *rule)
{
    weir_rule_t *below;

    if (weir_str_starts(rule->host, WEIR_STR("."))) {
        below = weir_new(cf->arena, weir_rule_t);
        *below = *rule;
        below->host = weir_str_concat(cf->arena, WEIR_STR("*"), rule->host);
        rule->host = weir_str_skip(rule->host, 1);
        if (!routes_add_rule(cf, routes, route, below)) {
            return false;
        }
    }
    return routes_add_rule(cf, routes, route, rule);
}

static bool
routes_add_route(weir_conf_t *cf, weir_routes_t *routes, weir_table_t *names, weir_conf_block_t *block)
{
    weir_http_location_t    *location = block->owner;
    weir_http_route_t       *route = (weir_http_route_t *) location->route;
    const weir_conf_block_t *other = weir_table_add(names, route->name, block);

    if (other != block) {
        return weir_conf_error_at(cf, &block->words, "duplicate route \"%.*s\": the first is in %s",
                                  WEIR_STR_ARG(route->name), weir_conf_place(cf->arena, &other->words));
    }
    if (route->n_lines == 0) {
        weir_rule_t *all = weir_new(cf->arena, weir_rule_t);

        *all = (weir_rule_t) { .kind = WEIR_PATH_PREFIX_SEGMENT, .text = WEIR_STR(""), .value = location,
                               .words = &block->words };
        *routes_push_line(cf, route) = all;
    }
    for (size_t i = 0; i < route->n_lines; i++) {
        if (!routes_add_line(cf, routes, route, route->lines[i])) {
            return false;
        }
    }
    return true;
}

bool
weir_http_routes_build(weir_conf_t *cf, weir_http_server_t *server)
{
    const routes_conf_t *conf = weir_conf_of(server->block, weir_http_routes_index);
    weir_table_t         names;

    weir_table_init(&names, cf->arena);
    for (weir_conf_block_t *block = server->block->first; block != NULL; block = block->next) {
        if (block->context != WEIR_IN_ROUTE) {
            continue;
        }
        if (server->routes == NULL) {
            server->routes = weir_routes_create(cf->arena, conf->host_fallthrough.on);
        }
        if (!routes_add_route(cf, server->routes, &names, block)) {
            return false;
        }
    }
    if (server->routes != NULL) {
        weir_routes_seal(server->routes);
    }
    server->has_paths_only = server->paths != NULL && server->routes == NULL;
    return true;
}

/* -- finding -- */

/* Is the path that of a location which is there for it alone or for no client: `location = /50x.html`, `internal`? */
static bool
routes_is_for_inside(const weir_match_t *match)
{
    const weir_rule_t          *rule = match->rule;
    const weir_http_location_t *location = rule != NULL ? rule->value : NULL;

    return rule != NULL && (rule->kind == WEIR_PATH_EXACT || location->core->internal.on);
}

/* Routes first, then locations; but where Weir itself goes to the path (an internal redirect, a subrequest), first the
 * locations that are for such. */
weir_http_location_t *
weir_http_routes_find(const weir_http_server_t *server, const weir_match_input_t *input, bool is_internal,
                      weir_match_t *match)
{
    if (server->routes == NULL) {
        match->captures.n = 0;
        match->rule = NULL;
        return server->fallback;
    }
    if (is_internal && server->paths != NULL) {
        weir_paths_find(server->paths, input, match);
        if (match->limit || routes_is_for_inside(match)) {
            return weir_http_place_of(server, match);
        }
    }
    weir_routes_find(server->routes, input, match);
    if (match->rule == NULL && !match->limit && server->paths != NULL) {
        weir_paths_find(server->paths, input, match);
    }
    return weir_http_place_of(server, match);
}

/* -- the rows -- */

WEIR_GETTER(routes_get_name)
{
    const weir_request_t *req = subject;

    if (req->route == NULL) {
        return false;
    }
    *value = weir_http_route_of(req->route)->name;
    return true;
}

static const weir_variable_t routes_variables[] = {
    { "route", .subject = WEIR_OF_REQUEST, .get = routes_get_name,
      .help = "The name of the route that took the request." },
    WEIR_VARIABLES_END
};

static const weir_conf_type_t routes_type_match = {
    .name = "condition…", .min_args = 1, .max_args = 255, .repeats = true, .parse = routes_parse_match,
};

static const weir_directive_t routes_directives[] = {
    WEIR_BLOCK("route", WEIR_IN_ROUTE, .where = WEIR_IN_SERVER, .block_min_args = 1, .block_max_args = 1,
               .opened = routes_opened, .args = "name",
               .help = "Says what happens to requests that one of its match lines takes; tried before locations."),
    { .name = "match", .type = &routes_type_match, .where = WEIR_IN_ROUTE,
      .args = "[path=…] [host=…] [method=…] [header:name=…] [query:name=…] [cookie:name=…]…",
      .help = "Takes requests of which all these conditions hold; of several lines one is enough." },
    WEIR_DIRECTIVE(routes_conf_t, host_fallthrough, "host_fallthrough", .where = WEIR_IN_HTTP | WEIR_IN_SERVER,
                   .dflt = "off",
                   .help = "Lets match lines of a less specific host take what none of the request's own host does."),
    WEIR_DIRECTIVES_END
};

const weir_module_t weir_http_routes = {
    .name = "http_routes",
    .area = "Routes",
    .conf_size = sizeof(routes_conf_t),
    .directives = routes_directives,
    .variables = routes_variables,
};
