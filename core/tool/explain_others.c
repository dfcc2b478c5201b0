/*
 * explain_others.c - places that the path of a request fits, too, and why another one has it.
 *
 * Asks the matcher (http/match) about one rule at a time, so that nothing is decided here.
 */
#include "tool/explain_facts.h"

#include "http/route/routes.h"

#define OTHERS_MAX   3           /* told of a request */
#define OTHERS_TRIED 2000        /* rules that are asked about */

typedef struct {
    const weir_explain_case_t *c;
    const weir_http_location_t *won;
    json_t                    *others;
    weir_match_input_t         input;
    weir_arena_t               arena;        /* of one question */
    size_t                     tried;
} others_t;

static void
others_add(others_t *o, const char *kind, weir_str_t name, const weir_conf_words_t *words, weir_str_t why)
{
    json_t *other = json_object();

    (void) json_object_set_new(other, "kind", json_string(kind));
    (void) json_object_set_new(other, "name", weir_explain_text(name));
    (void) json_object_set_new(other, "at", weir_explain_at(words));
    (void) json_object_set_new(other, "line", weir_explain_words(words));
    (void) json_object_set_new(other, "why", weir_explain_text(why));
    (void) json_array_append_new(o->others, other);
}

static bool
others_are_enough(others_t *o)
{
    return json_array_size(o->others) == OTHERS_MAX || o->tried++ == OTHERS_TRIED;
}

/* -- routes -- */

/* A copy of the rule alone, without all that it asks beside the path. */
static bool
others_path_fits(others_t *o, const weir_rule_t *rule)
{
    weir_routes_t     *alone = weir_routes_create(&o->arena, false);
    weir_rule_t        copy = *rule;
    const weir_rule_t *same;
    weir_error_t       error;
    weir_match_t       match = { .rule = NULL };

    copy.host = WEIR_STR_NONE;
    copy.preds = NULL;
    copy.n_preds = 0;
    copy.next = NULL;
    if (!weir_routes_add(alone, &copy, &same, &error)) {
        return false;
    }
    weir_routes_seal(alone);
    weir_routes_find(alone, &o->input, &match);
    return match.rule != NULL;
}

static bool
others_host_fits(const others_t *o, const weir_rule_t *rule)
{
    return rule->host.len == 0 || weir_str_eq(rule->host, o->input.host)
        || (weir_str_starts(rule->host, WEIR_STR("*")) && o->input.host.len > rule->host.len - 1
            && weir_str_ends(o->input.host, weir_str_skip(rule->host, 1)));
}

static const char *
others_what(const weir_predicate_t *pred)
{
    switch (pred->kind) {
    case WEIR_PRED_METHOD: return "method";
    case WEIR_PRED_HEADER: return "header";
    case WEIR_PRED_QUERY:  return "argument";
    case WEIR_PRED_COOKIE: return "cookie";
    }
    return "";
}

static weir_str_t
others_why_route(others_t *o, const weir_rule_t *rule)
{
    const weir_rule_t *won = o->c->answer->line;
    bool               limit = false;

    if (!others_host_fits(o, rule)) {
        return weir_str_printf(&o->arena, "the host is not %.*s", WEIR_STR_ARG(rule->host));
    }
    for (size_t i = 0; i < rule->n_preds; i++) {
        const weir_predicate_t *pred = &rule->preds[i];

        if (!weir_predicates_hold(pred, 1, &o->input, &limit)) {
            return weir_str_printf(&o->arena, "its condition of the %s%s%.*s does not hold", others_what(pred),
                                   pred->kind == WEIR_PRED_METHOD ? "" : " ",
                                   pred->kind == WEIR_PRED_METHOD ? 0 : (int) weir_min(pred->name.len, 100),
                                   pred->name.at);
        }
    }
    if (won == NULL) {
        return WEIR_STR("lines of a more specific host are asked alone (host_fallthrough)");
    }
    return rule->host.len < won->host.len ? WEIR_STR("it holds, but its host is less specific")
         : rule->kind != won->kind || rule->text.len != won->text.len
             ? WEIR_STR("it holds, but its path is less specific")
             : WEIR_STR("it holds, but it asks for less, or stands behind");
}

static void
others_of_route(others_t *o, const weir_http_route_t *route)
{
    for (size_t i = 0; i < route->n_lines && !others_are_enough(o); i++) {
        const weir_rule_t *rule = route->lines[i];

        if (rule == o->c->answer->line || (o->c->answer->line != NULL && rule->words == o->c->answer->line->words)) {
            continue;
        }
        weir_arena_init(&o->arena, 1024);
        if (others_path_fits(o, rule)) {
            others_add(o, "route", route->name, rule->words, others_why_route(o, rule));
        }
        weir_arena_fini(&o->arena);
    }
}

/* -- locations -- */

static bool
others_is_prefix(const weir_rule_t *rule)
{
    return rule->kind == WEIR_PATH_PREFIX || rule->kind == WEIR_PATH_PREFIX_FINAL;
}

static bool
others_location_fits(const others_t *o, const weir_rule_t *rule)
{
    weir_captures_t captures;

    switch (rule->kind) {
    case WEIR_PATH_EXACT:
        return weir_str_eq(rule->text, o->input.path);
    case WEIR_PATH_PREFIX: case WEIR_PATH_PREFIX_FINAL:
        return weir_str_starts(o->input.path, rule->text);
    case WEIR_PATH_REGEX:
        return rule->regex != NULL && weir_regex_exec(rule->regex, o->input.path, &captures) == WEIR_REGEX_MATCH;
    case WEIR_PATH_PREFIX_SEGMENT: case WEIR_PATH_TEMPLATE: case WEIR_PATH_TO_SLASH:
        break;
    }
    return false;
}

static weir_str_t
others_why_location(const others_t *o, const weir_rule_t *rule)
{
    const weir_rule_t *won = &o->won->rule;

    if (o->c->answer->line != NULL) {
        return WEIR_STR("a route took it: routes are tried before locations");
    }
    if (won->kind == WEIR_PATH_EXACT) {
        return WEIR_STR("an exact location comes first");
    }
    if (others_is_prefix(won)) {
        return others_is_prefix(rule) ? WEIR_STR("its prefix is shorter") : WEIR_STR("^~ keeps patterns away");
    }
    return others_is_prefix(rule) ? WEIR_STR("a pattern comes before a prefix") : WEIR_STR("an earlier pattern has it");
}

static void
others_of_location(others_t *o, const weir_http_location_t *location)
{
    const weir_http_location_t *won = o->won;

    if (location == won || location->is_named || location->block == won->block->parent
        || !others_location_fits(o, &location->rule))
    {
        return;
    }
    others_add(o, "location", location->name, &location->block->words, others_why_location(o, &location->rule));
}

json_t *
weir_explain_others(const weir_explain_case_t *c)
{
    const weir_probe_answer_t *answer = c->answer;
    const weir_probe_visit_t  *at = answer->visits;
    others_t                   o = { .c = c, .won = answer->place };

    if (answer->server == NULL || answer->place == NULL) {
        return NULL;
    }
    if (o.won->block->context & WEIR_IN_PART) {
        o.won = o.won->block->parent->owner;
    }
    if (o.won->is_named || o.won == answer->server->fallback) {
        return NULL;
    }
    for (const weir_probe_visit_t *visit = at; visit != NULL; visit = visit->next) {
        at = visit->is_page ? at : visit;              /* the path by which the place was found */
    }
    o.others = json_array();
    o.input = weir_probe_input(c->probe, at->path, at->query);
    for (const weir_conf_block_t *block = answer->server->block->first; block != NULL; block = block->next) {
        if (block->context == WEIR_IN_ROUTE) {
            others_of_route(&o, ((const weir_http_location_t *) block->owner)->route);
        }
    }
    for (const weir_conf_block_t *block = answer->server->block->first; block != NULL && !others_are_enough(&o);
         block = block->next)
    {
        if (block->context == WEIR_IN_LOCATION) {
            others_of_location(&o, block->owner);
        }
    }
    return o.others;
}
