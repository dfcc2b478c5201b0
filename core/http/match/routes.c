/*
 * routes.c - which rule takes a request: host, then path, then what else is asked; in the Gateway API's order.
 *
 * Built with a generation and in its arena; asked by workers.  Each host that a rule names has paths of its own.
 */
#include "base/array.h"
#include "base/table.h"
#include "http/match/path_templates.h"
#include "http/match/patterns.h"

#include <stdlib.h>

/* The rules of one host; what there is none of is NULL. */
typedef struct {
    weir_table_t          *exact;         /* weir_rules_t, by path */
    weir_path_templates_t *templates;
    weir_patterns_t       *patterns;
    weir_radix_t          *prefixes;      /* weir_rules_t, without the slash at the end */
} routes_host_t;

struct weir_routes {
    weir_arena_t  *arena;
    bool           host_fallthrough;
    weir_hosts_t  *hosts;                 /* NULL: no rule names one */
    weir_table_t   by_host;               /* routes_host_t */
    routes_host_t *any;                   /* of rules that name no host; NULL: there is none */
    weir_array_t   all;                   /* weir_rules_t * */
    weir_table_t   said;                  /* weir_rule_t, by all that it asks for */
    uint32_t       n;
    bool           sealed;
};

weir_routes_t *
weir_routes_create(weir_arena_t *arena, bool host_fallthrough)
{
    weir_routes_t *routes = weir_new(arena, weir_routes_t);

    routes->arena = arena;
    routes->host_fallthrough = host_fallthrough;
    weir_table_init(&routes->by_host, arena);
    weir_table_init(&routes->said, arena);
    weir_array_init(&routes->all, arena, sizeof(weir_rules_t *), 0);
    return routes;
}

/* -- what a rule asks for, as one text -- */

static int
routes_compare_texts(const void *a, const void *b)
{
    return weir_str_cmp(*(const weir_str_t *) a, *(const weir_str_t *) b);
}

/* Texts in their order, each with its length before it, so that no two lists are one text. */
static weir_str_t
routes_join(weir_arena_t *arena, weir_str_t *texts, size_t n)
{
    weir_str_t all = WEIR_STR("");

    if (n > 1) {
        qsort(texts, n, sizeof(*texts), routes_compare_texts);
    }
    for (size_t i = 0; i < n; i++) {
        all = weir_str_printf(arena, "%.*s%zu:%.*s", WEIR_STR_ARG(all), texts[i].len, WEIR_STR_ARG(texts[i]));
    }
    return all;
}

static weir_str_t
routes_predicate_text(weir_arena_t *arena, const weir_predicate_t *pred)
{
    weir_str_t name = pred->name, value = pred->value, *names;
    char       how = pred->regex != NULL ? '~' : value.at != NULL ? '=' : '?';

    if (pred->kind == WEIR_PRED_METHOD && pred->names.n != 0) {
        names = weir_new_n(arena, weir_str_t, pred->names.n);
        memcpy(names, pred->names.at, pred->names.n * sizeof(*names));
        name = WEIR_STR("");
        value = routes_join(arena, names, pred->names.n);
    } else if (pred->regex != NULL) {
        /* one of that text and those flags is there once */
        value = weir_str_printf(arena, "%p", (const void *) pred->regex);
    }
    if (pred->kind == WEIR_PRED_HEADER) {
        name = weir_str_lower(arena, name);
    }
    return weir_str_printf(arena, "%d%c%c%zu:%.*s%.*s", (int) pred->kind, pred->negate ? '!' : ' ', how, name.len,
                           WEIR_STR_ARG(name), WEIR_STR_ARG(value));
}

static weir_str_t
routes_rule_text(weir_arena_t *arena, const weir_rule_t *rule)
{
    weir_str_t *preds = weir_new_n(arena, weir_str_t, rule->n_preds + 1), path = rule->text;

    for (size_t i = 0; i < rule->n_preds; i++) {
        preds[i] = routes_predicate_text(arena, &rule->preds[i]);
    }
    if (rule->kind == WEIR_PATH_TEMPLATE) {
        path = weir_path_template_shape(arena, path);
    }
    preds[0] = routes_join(arena, preds, rule->n_preds);
    return weir_str_printf(arena, "%d%zu:%.*s%zu:%.*s%.*s", (int) rule->kind, rule->host.len, WEIR_STR_ARG(rule->host),
                           path.len, WEIR_STR_ARG(path), WEIR_STR_ARG(preds[0]));
}

/* -- adding -- */

/* NULL with *error: no name of a host. */
static routes_host_t *
routes_host_of(weir_routes_t *routes, weir_str_t name, weir_error_t *error)
{
    routes_host_t *host = name.len == 0 ? routes->any : weir_table_find(&routes->by_host, name);
    bool           conflict;

    if (host != NULL) {
        return host;
    }
    host = weir_new(routes->arena, routes_host_t);
    if (name.len == 0) {
        return routes->any = host;
    }
    if (routes->hosts == NULL) {
        routes->hosts = weir_hosts_create(routes->arena);
    }
    if (!weir_hosts_add(routes->hosts, name, host, &conflict, error)) {
        return NULL;
    }
    weir_assert(!conflict);
    (void) weir_table_add(&routes->by_host, name, host);
    return host;
}

static weir_rules_t *
routes_new_rules(weir_routes_t *routes, bool *is_new)
{
    *is_new = true;
    return weir_rules_create(routes->arena);
}

static weir_rules_t *
routes_exact(weir_routes_t *routes, routes_host_t *host, weir_str_t path, bool *is_new)
{
    weir_rules_t *rules;

    if (host->exact == NULL) {
        host->exact = weir_new(routes->arena, weir_table_t);
        weir_table_init(host->exact, routes->arena);
    }
    rules = weir_table_find(host->exact, path);
    return rules != NULL ? rules : weir_table_add(host->exact, path, routes_new_rules(routes, is_new));
}

static weir_rules_t *
routes_prefix(weir_routes_t *routes, routes_host_t *host, weir_str_t path, bool *is_new)
{
    weir_radix_node_t *node;

    weir_assert(!weir_str_ends(path, WEIR_STR("/")));
    if (host->prefixes == NULL) {
        host->prefixes = weir_new(routes->arena, weir_radix_t);
        weir_radix_init(host->prefixes, routes->arena);
    }
    node = weir_radix_add(host->prefixes, path);
    if (node->value == NULL) {
        node->value = routes_new_rules(routes, is_new);
    }
    return node->value;
}

/* The rules of the same host and path.  NULL with *error. */
static weir_rules_t *
routes_rules_of(weir_routes_t *routes, const weir_rule_t *rule, bool *is_new, weir_error_t *error)
{
    routes_host_t *host = routes_host_of(routes, rule->host, error);

    *is_new = false;
    if (host == NULL) {
        return NULL;
    }
    switch (rule->kind) {
    case WEIR_PATH_EXACT:
        return routes_exact(routes, host, rule->text, is_new);
    case WEIR_PATH_TEMPLATE:
        if (host->templates == NULL) {
            host->templates = weir_path_templates_create(routes->arena);
        }
        return weir_path_templates_add(host->templates, rule->text, is_new);
    case WEIR_PATH_REGEX:
        if (host->patterns == NULL) {
            host->patterns = weir_patterns_create(routes->arena);
        }
        return weir_patterns_add(host->patterns, rule->text, is_new, error);
    default:
        weir_assert(rule->kind == WEIR_PATH_PREFIX_SEGMENT);
        return routes_prefix(routes, host, rule->text, is_new);
    }
}

bool
weir_routes_add(weir_routes_t *routes, weir_rule_t *rule, const weir_rule_t **same, weir_error_t *error)
{
    weir_rules_t *rules;
    bool          is_new;

    weir_assert(!routes->sealed);
    rule->order = routes->n++;
    *same = weir_table_add(&routes->said, routes_rule_text(routes->arena, rule), rule);
    if (*same != rule) {
        return false;
    }
    *same = NULL;
    rules = routes_rules_of(routes, rule, &is_new, error);
    if (rules == NULL) {
        return false;
    }
    if (is_new) {
        *(weir_rules_t **) weir_array_push(&routes->all) = rules;
    }
    weir_rules_add(rules, rule);
    return true;
}

void
weir_routes_seal(weir_routes_t *routes)
{
    for (size_t i = 0; i < routes->all.n; i++) {
        weir_rules_seal(*weir_array_at(&routes->all, weir_rules_t *, i));
    }
    routes->sealed = true;
}

/* -- finding -- */

/* A rule without groups of its own is found with the whole path as what was matched. */
static void
routes_keep_whole(weir_match_t *match, weir_str_t path)
{
    match->captures.subject = path;
    match->captures.n = 1;
    match->captures.from[0] = 0;
    match->captures.to[0] = (uint32_t) path.len;
}

static const weir_rule_t *
routes_find_exact(const routes_host_t *host, const weir_match_input_t *input, weir_match_t *match)
{
    const weir_rules_t *rules = weir_table_find(host->exact, input->path);
    const weir_rule_t  *rule = rules != NULL ? weir_rules_find(rules, input, match) : NULL;

    if (rule != NULL) {
        routes_keep_whole(match, input->path);
    }
    return rule;
}

static const weir_rule_t *
routes_find_prefix(const routes_host_t *host, const weir_match_input_t *input, weir_match_t *match)
{
    const weir_radix_node_t *node = weir_radix_longest(host->prefixes, input->path);
    const weir_rule_t       *rule = NULL;

    for (; node != NULL && rule == NULL && !match->limit; node = weir_radix_shorter(node)) {
        match->steps++;
        if (node->depth == input->path.len || input->path.at[node->depth] == '/') {
            rule = weir_rules_find(node->value, input, match);
        }
    }
    if (rule != NULL) {
        routes_keep_whole(match, input->path);
    }
    return rule;
}

static const weir_rule_t *
routes_find_in(const routes_host_t *host, const weir_match_input_t *input, weir_match_t *match)
{
    const weir_rule_t *rule = NULL;

    if (host->exact != NULL) {
        rule = routes_find_exact(host, input, match);
    }
    if (rule == NULL && host->templates != NULL && !match->limit) {
        rule = weir_path_templates_find(host->templates, input, match);
    }
    if (rule == NULL && host->patterns != NULL && !match->limit) {
        rule = weir_patterns_find(host->patterns, input, match);
    }
    if (rule == NULL && host->prefixes != NULL && !match->limit) {
        rule = routes_find_prefix(host, input, match);
    }
    return rule;
}

static const weir_rule_t *
routes_find(const weir_routes_t *routes, const weir_match_input_t *input, weir_match_t *match)
{
    weir_hosts_walk_t    walk = { .node = NULL };
    const routes_host_t *host;
    const weir_rule_t   *rule = NULL;

    while (routes->hosts != NULL && (host = weir_hosts_next(routes->hosts, input->host, &walk)) != NULL) {
        match->steps++;
        rule = routes_find_in(host, input, match);
        if (rule != NULL || match->limit || !routes->host_fallthrough) {
            return rule;
        }
    }
    return routes->any != NULL ? routes_find_in(routes->any, input, match) : NULL;
}

void
weir_routes_find(const weir_routes_t *routes, const weir_match_input_t *input, weir_match_t *match)
{
    weir_assert(routes->sealed);
    match->captures.n = 0;
    match->limit = false;
    match->steps = 0;
    match->rule = routes_find(routes, input, match);
    if (match->rule == NULL || match->limit) {
        match->rule = NULL;
        match->captures.n = 0;
    }
}
