/*
 * match_line.c - fuzz target: match lines of routes, the words in them (path templates, patterns, values), and paths
 * that are looked for among what could be read.
 *
 * An input is lines: "> PATH?QUERY" is a request for that, with the fields and the method of the lines "NAME: VALUE"
 * and "METHOD" that may follow it up to the next one; each other line is what stands behind `match`.  Oracles: what is
 * found holds when it is asked for itself; when nothing is found nothing holds; nothing of a better class of paths
 * does; a pattern's beginning is one.
 */
#include "http/match/line.h"
#include "http/match/path_templates.h"
#include "http/match/patterns.h"

#include "base/array.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_RULES 64

typedef struct {
    weir_arena_t   arena;
    weir_routes_t *routes;
    weir_rule_t   *rules[MAX_RULES];
    size_t         n;
} table_t;

static void
check_rule(const weir_rule_t *rule)
{
    weir_str_t   names[WEIR_PATH_TEMPLATE_MAX_CAPTURES];
    weir_error_t error;
    size_t       n = 0;

    weir_assert(rule->kind == WEIR_PATH_REGEX || rule->text.len == 0 || rule->text.at[0] == '/');
    weir_assert(rule->kind != WEIR_PATH_PREFIX_SEGMENT || !weir_str_ends(rule->text, WEIR_STR("/")));
    if (rule->kind == WEIR_PATH_TEMPLATE) {
        weir_assert(weir_path_template_read(rule->text, names, &n, &error));
        weir_assert(n == rule->n_names || (rule->n_names == 0 && weir_str_starts(rule->text, WEIR_STR("/{}/"))));
    }
}

static void
read_line(table_t *t, weir_str_t line)
{
    weir_conf_words_t *words = weir_new(&t->arena, weir_conf_words_t);
    weir_rule_t       *rule = weir_new(&t->arena, weir_rule_t);
    const weir_rule_t *same;
    weir_error_t       error = { .text = "" };
    weir_lex_t         lex;
    size_t             word = 0;

    weir_lex_init(&lex, &t->arena, weir_str_printf(&t->arena, "match %.*s;", WEIR_STR_ARG(line)), "fuzz");
    if (weir_lex_next(&lex, words, &error) != WEIR_LEX_SIMPLE || t->n == MAX_RULES) {
        return;
    }
    if (!weir_match_line_read(&t->arena, words, rule, &word, &error)) {
        weir_assert(weir_error_is_set(&error) && word >= 1 && word < words->n);
        return;
    }
    check_rule(rule);
    if (weir_str_starts(rule->host, WEIR_STR("."))) {
        rule->host = weir_str_skip(rule->host, 1);
    }
    if (weir_routes_add(t->routes, rule, &same, &error)) {
        t->rules[t->n++] = rule;
    } else {
        weir_assert((same != NULL) != weir_error_is_set(&error));
    }
}

/* -- a request -- */

static bool
template_takes(weir_str_t template, weir_str_t path)
{
    weir_str_t left, right;
    bool       more = true, more_of_path = true;

    while (more && more_of_path) {
        more = weir_str_cut(template, '/', &left, &template);
        more_of_path = weir_str_cut(path, '/', &right, &path);
        if (left.len != 0 && left.at[0] == '{' ? right.len == 0 : !weir_str_eq(left, right)) {
            return false;
        }
    }
    return more == more_of_path;
}

/* What it asks of the path. */
static bool
takes_path(table_t *t, const weir_rule_t *rule, weir_str_t path, bool *limit)
{
    weir_regex_result_t result;

    switch (rule->kind) {
    case WEIR_PATH_EXACT:
        return weir_str_eq(rule->text, path);
    case WEIR_PATH_TEMPLATE:
        return template_takes(rule->text, path);
    case WEIR_PATH_REGEX:
        result = weir_regex_exec(rule->regex, path, NULL);
        *limit = *limit || result == WEIR_REGEX_LIMIT;
        if (result != WEIR_REGEX_MATCH) {
            return false;
        }
        weir_assert(weir_str_starts(path, weir_pattern_beginning(&t->arena, rule->text)));
        return true;
    default:
        return weir_str_starts(path, rule->text)
               && (path.len == rule->text.len || path.at[rule->text.len] == '/');
    }
}

static int
class_of(const weir_rule_t *rule)
{
    static const int classes[] = { [WEIR_PATH_EXACT] = 1, [WEIR_PATH_TEMPLATE] = 2, [WEIR_PATH_REGEX] = 3,
                                   [WEIR_PATH_PREFIX_SEGMENT] = 4 };

    return classes[rule->kind];
}

static void
ask(table_t *t, const weir_match_input_t *input)
{
    const weir_rule_t *any = NULL;
    weir_match_t       match;
    bool               limit = false;

    weir_routes_find(t->routes, input, &match);
    for (size_t i = 0; i < t->n; i++) {
        const weir_rule_t *rule = t->rules[i];
        bool holds = rule->host.len == 0 && takes_path(t, rule, input->path, &limit)
                     && weir_predicates_hold(rule->preds, rule->n_preds, input, &limit);

        if (holds && (any == NULL || class_of(rule) < class_of(any))) {
            any = rule;
        }
        weir_assert(match.rule != rule || holds);
    }
    if (!limit && !match.limit) {
        weir_assert((match.rule != NULL) == (any != NULL));
        weir_assert(any == NULL || class_of(match.rule) == class_of(any));
    }
    weir_assert(match.rule == NULL || (match.captures.n != 0 && match.captures.subject.at == input->path.at));
    for (size_t i = 0; i < match.captures.n; i++) {
        weir_str_t capture = weir_captures_get(&match.captures, i);

        weir_assert(capture.at == NULL || capture.at + capture.len <= input->path.at + input->path.len);
    }
}

static void
read_request(table_t *t, weir_str_t target, weir_str_t *rest)
{
    weir_fields_t     *fields = weir_new(&t->arena, weir_fields_t);
    weir_match_input_t input = { .method = WEIR_STR("GET"), .host = WEIR_STR("no.host.at.all"), .fields = fields };
    weir_str_t         line, name, value;

    (void) weir_str_cut(target, '?', &input.path, &input.query);
    if (!weir_str_starts(input.path, WEIR_STR("/"))) {
        return;
    }
    while (rest->len != 0 && rest->at[0] != '>') {
        (void) weir_str_cut(*rest, '\n', &line, rest);
        if (weir_str_cut(line, ':', &name, &value)) {
            (void) weir_fields_add(fields, &t->arena, weir_header_id(name), name, weir_str_trim(value), 0);
        } else {
            input.method = line;
        }
    }
    ask(t, &input);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    table_t    t = { .n = 0 };
    weir_str_t rest = weir_str((const char *) data, size), line;

    weir_arena_init(&t.arena, 65536);
    t.routes = weir_routes_create(&t.arena, true);
    while (rest.len != 0 && rest.at[0] != '>') {
        (void) weir_str_cut(rest, '\n', &line, &rest);
        read_line(&t, line);
    }
    weir_routes_seal(t.routes);
    while (rest.len != 0) {
        (void) weir_str_cut(rest, '\n', &line, &rest);
        read_request(&t, weir_str_trim(weir_str_skip(line, 1)), &rest);
    }
    weir_arena_fini(&t.arena);
    return 0;
}
