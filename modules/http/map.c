/*
 * map.c - `map STRING $variable { … }`: a variable made from another text by a table, names of hosts with wildcards, or
 * patterns.
 *
 * Evaluated when its value is needed, once per request: one look into a hash table, or two into a tree of names, and
 * then patterns in order.  Strings are compared without case, patterns with it (`~`) or without (`~*`).  A pattern that
 * runs into its match limit ends the search: the variable has no value then, neither the default nor the empty one, and
 * what it was to decide is decided against the request.  Runs in workers; what it needs is of the request's arena.
 */
#include "http/module.h"

#include "base/table.h"
#include "http/route/captures.h"
#include "http/vars/uri_text.h"

typedef struct { const weir_template_t *text; } map_value_t;

typedef struct map_pattern {
    struct map_pattern *next;
    weir_str_t          text;
    bool                folds_case;
    weir_regex_t       *regex;               /* from .check on */
    map_value_t         value;
} map_pattern_t;

typedef struct map {
    struct map            *next;
    weir_http_definition_t definition;
    const weir_template_t *source;
    weir_table_t           exact;            /* map_value_t, by lower case */
    weir_hosts_t          *hosts;            /* map_value_t; NULL: no `hostnames` */
    map_pattern_t         *patterns, **patterns_end;
    map_value_t            otherwise;        /* text NULL: empty */
} map_t;

typedef struct {
    map_t   *maps;
} map_conf_t;

extern const size_t weir_http_map_index;

/* -- a request -- */

static const map_value_t *
map_find_pattern(const map_t *map, weir_request_t *req, weir_str_t source, bool *limit)
{
    bool is_decoded = map->patterns != NULL && weir_uri_text_is_decoded(req, map->source);

    for (const map_pattern_t *pattern = map->patterns; pattern != NULL; pattern = pattern->next) {
        weir_assert(pattern->regex != NULL);     /* map_check has compiled it */
        switch (weir_http_captures_match(req, pattern->regex, source, is_decoded)) {
        case WEIR_REGEX_MATCH:
            return &pattern->value;
        case WEIR_REGEX_LIMIT:
            weir_log(WEIR_LOG_ERROR, &req->log, 0, "a pattern of a map ran into its match limit: \"%.*s\"",
                     WEIR_STR_ARG(pattern->text));
            *limit = true;
            return NULL;
        case WEIR_REGEX_NO_MATCH:
            break;
        }
    }
    return NULL;
}

static const map_value_t *
map_find(const map_t *map, weir_request_t *req, weir_str_t source, bool *limit)
{
    const weir_regex_t *regex;
    const map_value_t  *value = NULL;
    weir_str_t          name;

    if (map->hosts != NULL && source.len != 0 && source.at[source.len - 1] == '.') {
        source.len--;
    }
    if (map->exact.n != 0 || map->hosts != NULL) {
        name = weir_str_lower(&req->arena, source);
        value = map->exact.n != 0 ? weir_table_find(&map->exact, name) : NULL;
        if (value == NULL && map->hosts != NULL) {
            value = weir_hosts_find(map->hosts, name, NULL, &regex, limit);
        }
    }
    return value != NULL ? value : map_find_pattern(map, req, source, limit);
}

/* What is found for a path whose encoded slashes are kept must be found, too, where they are taken for slashes: else it
 * decides about nothing. */
static const map_value_t *
map_find_for_all(const map_t *map, weir_request_t *req, bool *limit)
{
    weir_str_t         source = weir_request_eval(req, map->source), other = weir_uri_text_plain(req, map->source);
    const map_value_t *found, *found_other;

    weir_assert(map->source != NULL);
    if (weir_likely(weir_str_eq(source, other))) {
        return map_find(map, req, source, limit);
    }
    found_other = map_find(map, req, other, limit);
    found = map_find(map, req, source, limit);
    if (found != found_other) {
        weir_request_value_failed(req, WEIR_CAUSE_CLIENT_TARGET);
    }
    return found;
}

static bool
map_get(const void *data, weir_request_t *req, weir_str_t *value)
{
    const map_t       *map = data;
    bool               limit = false;
    const map_value_t *found = map_find_for_all(map, req, &limit);

    if (found == NULL && !limit) {
        found = &map->otherwise;
    }
    if (limit) {
        weir_request_value_failed(req, WEIR_CAUSE_ROUTE_PATTERN_LIMIT);
    }
    *value = found != NULL && found->text != NULL ? weir_request_eval(req, found->text) : WEIR_STR("");
    if (value->at == NULL) {
        *value = WEIR_STR("");               /* empty, and yet a value */
    }
    if (found != NULL && found->text != NULL) {
        weir_uri_text_keep(req, map->definition.slot, found->text, *value);
    }
    return true;
}

/* -- reading -- */

static bool
map_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    map_conf_t *conf = weir_conf_own(cf, cf->block, weir_http_map_index);
    map_t      *map = weir_new(cf->arena, map_t);

    map->source = weir_conf_template(cf, 1, words->at[1].text);
    if (map->source == NULL) {
        return false;
    }
    weir_table_init(&map->exact, cf->arena);
    map->patterns_end = &map->patterns;
    map->definition = (weir_http_definition_t) { .get = map_get, .data = map, .subject = WEIR_OF_NONE };
    if (!weir_http_define(cf, 2, words->at[2].text, &map->definition)) {
        return false;
    }
    weir_template_makes(map->source, cf->vars, map->definition.slot);
    map->next = conf->maps;
    conf->maps = map;
    block->owner = map;
    return true;
}

static bool
map_conflict(weir_conf_t *cf, weir_str_t name)
{
    return weir_conf_error(cf, 0, "conflicting parameter \"%.*s\"", WEIR_STR_ARG(name));
}

static bool
map_add_pattern(weir_conf_t *cf, map_t *map, weir_str_t text, const map_value_t *value)
{
    map_pattern_t *pattern = weir_new(cf->arena, map_pattern_t);

    pattern->folds_case = weir_str_starts(text, WEIR_STR("*"));
    pattern->text = weir_str_skip(text, pattern->folds_case ? 1 : 0);
    pattern->value = *value;
    if (pattern->text.len == 0) {
        return weir_conf_error(cf, 0, "empty regex in \"map\"");
    }
    if (weir_http_captures_announce(cf, 0, pattern->text, pattern->folds_case, WEIR_OF_NONE) == NULL) {
        return false;
    }
    *map->patterns_end = pattern;
    map->patterns_end = &pattern->next;
    return true;
}

static bool
map_add(weir_conf_t *cf, map_t *map, weir_str_t name, map_value_t *value)
{
    weir_error_t error = { .text = "" };
    bool         conflict = false;

    if (map->hosts != NULL && name.len != 0 && memchr(name.at, '*', name.len) != NULL) {
        if (!weir_hosts_add(map->hosts, name, value, &conflict, &error)) {
            return weir_conf_error(cf, 0, "invalid hostname or wildcard \"%.*s\"", WEIR_STR_ARG(name));
        }
        return !conflict || map_conflict(cf, name);
    }
    if (map->hosts != NULL && name.len > 1 && name.at[0] == '.') {       /* ".x": "x" and "*.x" */
        weir_str_t wildcard = weir_str_printf(cf->arena, "*%.*s", WEIR_STR_ARG(name));

        if (!weir_hosts_add(map->hosts, wildcard, value, &conflict, &error)) {
            return weir_conf_error(cf, 0, "invalid hostname or wildcard \"%.*s\"", WEIR_STR_ARG(name));
        }
        if (conflict) {
            return map_conflict(cf, name);
        }
        name = weir_str_skip(name, 1);
    }
    return weir_table_add(&map->exact, weir_str_lower(cf->arena, name), value) == (void *) value
           || map_conflict(cf, name);
}

static bool
map_flag(weir_conf_t *cf, map_t *map, weir_str_t name)
{
    if (weir_str_eq(name, WEIR_STR("hostnames"))) {
        map->hosts = map->hosts != NULL ? map->hosts : weir_hosts_create(cf->arena);
        return true;
    }
    if (weir_str_eq(name, WEIR_STR("volatile"))) {
        map->definition.is_volatile = true;
        return true;
    }
    return weir_conf_error(cf, 0, "invalid number of the map parameters");
}

static bool
map_line(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    map_t       *map = block->owner;
    weir_str_t   name = words->at[0].text;
    map_value_t *value;

    if (words->n == 1) {
        return map_flag(cf, map, name);
    }
    if (words->n != 2) {
        return weir_conf_error(cf, 0, "invalid number of the map parameters");
    }
    value = weir_new(cf->arena, map_value_t);
    value->text = weir_conf_template(cf, 1, words->at[1].text);
    if (value->text == NULL) {
        return false;
    }
    weir_template_makes(value->text, cf->vars, map->definition.slot);
    if (weir_str_eq(name, WEIR_STR("default"))) {
        if (map->otherwise.text != NULL) {
            return weir_conf_error(cf, 0, "duplicate default map parameter");
        }
        map->otherwise = *value;
        return true;
    }
    if (weir_str_starts(name, WEIR_STR("~"))) {
        return map_add_pattern(cf, map, weir_str_skip(name, 1), value);
    }
    return map_add(cf, map, weir_str_starts(name, WEIR_STR("\\")) ? weir_str_skip(name, 1) : name, value);
}

/* Now that pcre_jit is known: the very patterns whose groups captures.h knows. */
static bool
map_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    const map_conf_t *conf = conf_;

    for (map_t *map = block->context == WEIR_IN_HTTP ? conf->maps : NULL; map != NULL; map = map->next) {
        for (map_pattern_t *pattern = map->patterns; pattern != NULL; pattern = pattern->next) {
            pattern->regex = weir_regex_compile_in(cf->arena, pattern->text, pattern->folds_case, cf->error);
            if (pattern->regex == NULL) {
                return false;
            }
        }
    }
    return true;
}

static const weir_directive_t map_directives[] = {
    WEIR_BLOCK("map", WEIR_IN_DATA, .where = WEIR_IN_HTTP, .args = "string $variable", .block_min_args = 2,
               .block_max_args = 2,
               .opened = map_opened, .line = map_line,
               .help = "Makes a variable from another text: each line is a source text or a ~regex and what it "
                       "becomes."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_map = {
    .name = "http_map",
    .area = "Variables",
    .conf_size = sizeof(map_conf_t),
    .directives = map_directives,
    .check = map_check,
};
