/* A request means the rule that the Gateway API's order says; 10,000 rules cost what ten cost, whatever they ask. */
#include "http/match/line.h"
#include "http/match/path_templates.h"
#include "http/match/patterns.h"
#include "tap.h"

#include <stdlib.h>

/* -- building -- */

/* Text as behind `match`. */
static weir_rule_t *
routes_rule(weir_arena_t *arena, const char *text)
{
    weir_rule_t       *rule = weir_new(arena, weir_rule_t);
    weir_conf_words_t *words = weir_new(arena, weir_conf_words_t);
    weir_error_t       error = { .text = "" };
    weir_lex_t         lex;
    size_t             word;

    weir_lex_init(&lex, arena, weir_str_printf(arena, "match %s;", text), "test");
    if (weir_lex_next(&lex, words, &error) != WEIR_LEX_SIMPLE
        || !weir_match_line_read(arena, words, rule, &word, &error))
    {
        printf("# '%s': %s\n", text, error.text);
        abort();
    }
    rule->value = (void *) (uintptr_t) text;
    return rule;
}

static weir_rule_t *
routes_put(weir_arena_t *arena, weir_routes_t *routes, const char *text)
{
    weir_rule_t       *rule = routes_rule(arena, text);
    const weir_rule_t *same;
    weir_error_t       error = { .text = "" };

    if (!weir_routes_add(routes, rule, &same, &error)) {
        printf("# '%s' was not added: %s\n", text, same != NULL ? "the same is there" : error.text);
        abort();
    }
    return rule;
}

typedef struct { const char *method, *host, *path, *query, *fields; } routes_ask_t;

/* fields: "name: value" with newlines between. */
static weir_match_input_t
routes_input(weir_arena_t *arena, const routes_ask_t *ask)
{
    weir_fields_t *fields = weir_new(arena, weir_fields_t);
    weir_str_t     rest = weir_str_from_z(ask->fields), line, name, value;

    while (rest.len != 0) {
        (void) weir_str_cut(rest, '\n', &line, &rest);
        (void) weir_str_cut(line, ':', &name, &value);
        (void) weir_fields_add(fields, arena, weir_header_id(name), name, weir_str_trim(value), 0);
    }
    return (weir_match_input_t) { .path = weir_str_from_z(ask->path),
                                  .method = weir_str_from_z(ask->method != NULL ? ask->method : "GET"),
                                  .host = weir_str_from_z(ask->host != NULL ? ask->host : "a"),
                                  .query = weir_str_from_z(ask->query),
                                  .fields = fields };
}

static const char *
routes_found(weir_arena_t *arena, const weir_routes_t *routes, const routes_ask_t *ask, uint32_t *steps)
{
    weir_match_input_t input = routes_input(arena, ask);
    weir_match_t       match;

    weir_routes_find(routes, &input, &match);
    *steps = match.steps;
    return match.limit ? "limit" : match.rule != NULL ? match.rule->value : "-";
}

/* -- ten against ten thousand -- */

/* How rule i of n is written, and how a request for it is asked. */
typedef struct {
    const char *name;
    const char *rule;                         /* with one %d for i */
    const char *path, *method, *host, *query, *fields;    /* of the request, the same; NULL: none */
} routes_shape_t;

static const routes_shape_t routes_shapes[] = {
    { "exact paths", "path=/a/r%d", "/a/r%d", NULL, NULL, NULL, NULL },
    { "prefixes", "path_prefix=/a/r%d", "/a/r%d/x/y", NULL, NULL, NULL, NULL },
    { "templates with their own end", "path_template=/a/{x}/r%d/{y}", "/a/b/r%d/c", NULL, NULL, NULL, NULL },
    { "templates with their own beginning", "path_template=/r%d/{x}", "/r%d/c", NULL, NULL, NULL, NULL },
    { "patterns with their own beginning", "\"path_regex=/a/r%d/[0-9]+\"", "/a/r%d/17", NULL, NULL, NULL, NULL },
    { "hosts", "host=h%d.example path_prefix=/", "/a", NULL, "h%d.example", NULL, NULL },
    { "hosts by wildcard", "host=*.h%d.example", "/a", NULL, "x.h%d.example", NULL, NULL },
    { "values of a field", "path_prefix=/a header:x-tenant=t%d", "/a", NULL, NULL, NULL, "X-Tenant: t%d" },
    { "values of a known field", "path=/a header:user-agent=t%d", "/a", NULL, NULL, NULL, "User-Agent: t%d" },
    { "values of an argument", "path_template=/a/{b} query:tenant=t%d", "/a/c", NULL, NULL, "q=1&tenant=t%d", NULL },
    { "values of a cookie", "path_regex=/a/.* cookie:tenant=t%d", "/a/c", NULL, NULL, NULL, "Cookie: a=b; tenant=t%d" },
    { "methods", "path_prefix=/a method=M%d", "/a", "M%d", NULL, NULL, NULL },
    { "values behind a method", "path=/a method=GET|PUT header:x-tenant=t%d query:v=%d", "/a", NULL, NULL, "v=%d",
      "X-Tenant: t%d" },
};

static const char *
routes_write(weir_arena_t *arena, const char *format, int i)
{
    char *out;
    size_t n = 0;

    if (format == NULL) {
        return NULL;
    }
    out = weir_alloc_bytes(arena, strlen(format) + 64);
    for (; *format != '\0'; format++) {
        if (format[0] == '%' && format[1] == 'd') {
            n += (size_t) sprintf(out + n, "%d", i);
            format++;
        } else {
            out[n++] = *format;
        }
    }
    out[n] = '\0';
    return out;
}

static routes_ask_t
routes_shape_ask(weir_arena_t *arena, const routes_shape_t *shape, int i)
{
    return (routes_ask_t) { .path = routes_write(arena, shape->path, i),
                            .method = routes_write(arena, shape->method, i),
                            .host = routes_write(arena, shape->host, i),
                            .query = routes_write(arena, shape->query, i),
                            .fields = routes_write(arena, shape->fields, i) };
}

/* n rules of that shape, and one behind them for whoever asks for nothing of the kind. */
static weir_routes_t *
routes_of_shape(weir_arena_t *arena, const routes_shape_t *shape, int n)
{
    weir_routes_t *routes = weir_routes_create(arena, true);

    for (int i = 0; i < n; i++) {
        (void) routes_put(arena, routes, routes_write(arena, shape->rule, i));
    }
    (void) routes_put(arena, routes, "path_prefix=/");
    weir_routes_seal(routes);
    return routes;
}

static void
test_cost(const routes_shape_t *shape)
{
    weir_arena_t arena;
    uint32_t     few_steps, many_steps, missed_few, missed_many, steps, most = 0;
    int          wrong = 0;

    weir_arena_init(&arena, 65536);
    weir_routes_t *few = routes_of_shape(&arena, shape, 10), *many = routes_of_shape(&arena, shape, 10000);
    routes_ask_t   ask = routes_shape_ask(&arena, shape, 7), other = routes_shape_ask(&arena, shape, 77777);

    (void) routes_found(&arena, few, &ask, &few_steps);
    (void) routes_found(&arena, many, &ask, &many_steps);
    is_str(weir_str_from_z(routes_found(&arena, few, &other, &missed_few)), "path_prefix=/", shape->name);
    is_str(weir_str_from_z(routes_found(&arena, many, &other, &missed_many)), "path_prefix=/", shape->name);
    for (int i = 0; i < 10000; i++) {
        routes_ask_t one = routes_shape_ask(&arena, shape, i);

        wrong += strcmp(routes_found(&arena, many, &one, &steps), routes_write(&arena, shape->rule, i)) != 0;
        most = steps > most ? steps : most;
    }
    is_int(wrong, 0, weir_str_printf(&arena, "%s: each of 10,000 rules takes its request", shape->name).at);
    /* of prefixes each one that is a beginning by bytes is a step: /r1, /r12, … of /r1234 */
    ok(many_steps <= few_steps && most <= few_steps + 4 && missed_many <= missed_few + 4,
       weir_str_printf(&arena, "%s: no more steps than among ten: %u and %u, most %u, none %u and %u", shape->name,
                       few_steps, many_steps, most, missed_few, missed_many).at);
    weir_arena_fini(&arena);
}

/* -- requests that are made to be dear -- */

/* All 2^13 templates of literals and captures: as many nodes are entered as there are, each once. */
static void
test_all_templates(weir_arena_t *arena)
{
    weir_routes_t *routes = weir_routes_create(arena, false);
    routes_ask_t   ask = { .path = "/a/a/a/a/a/a/a/a/a/a/a/a/a/b" };
    routes_ask_t   longer = { .path = "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a" };
    uint32_t       steps;

    for (int i = 0; i < 8192; i++) {
        weir_str_t text = WEIR_STR("");

        for (int k = 0; k < 13; k++) {
            text = weir_str_printf(arena, "%.*s/%s", WEIR_STR_ARG(text), i >> k & 1 ? "a" : "{}");
        }
        weir_rule_t *rule = weir_new(arena, weir_rule_t);
        *rule = (weir_rule_t) { .kind = WEIR_PATH_TEMPLATE, .value = (void *) (uintptr_t) text.at };
        rule->text = weir_str_concat(arena, text, WEIR_STR("/c"));
        const weir_rule_t *same;
        weir_error_t       error;
        if (!weir_routes_add(routes, rule, &same, &error)) {
            abort();
        }
    }
    weir_routes_seal(routes);
    is_str(weir_str_from_z(routes_found(arena, routes, &ask, &steps)), "-", "no template takes it");
    ok(steps <= 16384, "a path that fits all templates but for their end visits each node once at most");
    (void) routes_found(arena, routes, &longer, &steps);
    is_int(steps, 0, "a path that is longer than all of them visits none");
}

/* Rules with each subset of ten fields, which all hold: the best is found without looking at all. */
static void
test_all_subsets(weir_arena_t *arena)
{
    weir_routes_t *routes = weir_routes_create(arena, false);
    routes_ask_t   all = { .path = "/", .fields = "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\ni: 1\nj: 1" };
    routes_ask_t   none = { .path = "/", .fields = "a: 2\nb: 2\nc: 2\nd: 2\ne: 2\nf: 2\ng: 2\nh: 2\ni: 2\nj: 2" };
    uint32_t       steps;

    for (int i = 1; i < 1024; i++) {
        weir_str_t text = WEIR_STR("path=/");

        for (int k = 0; k < 10; k++) {
            if (i >> k & 1) {
                text = weir_str_printf(arena, "%.*s header:%c=1", WEIR_STR_ARG(text), 'a' + k);
            }
        }
        (void) routes_put(arena, routes, text.at);
    }
    weir_routes_seal(routes);
    ok(strlen(routes_found(arena, routes, &all, &steps)) > 100, "all ten hold");
    ok(steps < 100, "… which is seen at once");
    is_str(weir_str_from_z(routes_found(arena, routes, &none, &steps)), "-", "none holds");
    ok(steps <= 20, "… which is seen by the ten names");
}

/* -- single facts -- */

typedef struct { routes_ask_t ask; const char *rule; } routes_case_t;

static void
test_captures(weir_arena_t *arena)
{
    weir_routes_t     *routes = weir_routes_create(arena, false);
    routes_ask_t       ask = { .path = "/u/joe/o/12" };
    weir_match_input_t input;
    weir_match_t       match;

    (void) routes_put(arena, routes, "path_template=/u/{id}/o/{n}");
    (void) routes_put(arena, routes, "path_regex=/f/(?<what>[a-z]+)");
    (void) routes_put(arena, routes, "path=/e");
    (void) routes_put(arena, routes, "\"path_regex=/(a+)+\"");
    weir_routes_seal(routes);
    input = routes_input(arena, &ask);
    weir_routes_find(routes, &input, &match);
    ok(match.rule != NULL && match.rule->n_names == 2 && match.captures.n == 3, "a template's captures");
    is_str(weir_captures_get(&match.captures, 1), "joe", "the first");
    is_str(weir_captures_get(&match.captures, 2), "12", "the second");
    is_str(weir_captures_get(&match.captures, 0), "/u/joe/o/12", "all of it");
    input.path = WEIR_STR("/f/abc");
    weir_routes_find(routes, &input, &match);
    is_str(weir_captures_get(&match.captures, match.rule->names[0].group), "abc", "a pattern's group");
    is_str(match.rule->names[0].name, "what", "… and its name");
    input.path = WEIR_STR("/e");
    weir_routes_find(routes, &input, &match);
    ok(match.captures.n == 1 && match.rule->n_names == 0, "a path has none");
    input.path = WEIR_STR("/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
    weir_routes_find(routes, &input, &match);
    ok(match.limit && match.rule == NULL && match.captures.n == 0, "a pattern that runs wild is a denial");
}

/* What a pattern begins with, and nothing that it may not begin with. */
static void
test_beginnings(weir_arena_t *arena)
{
    static const char *const cases[][2] = {
        { "/a/b", "/a/b" }, { "^/a$", "/a" }, { "/a/\\d+", "/a/" }, { "/a\\.b", "/a.b" }, { "/ab?", "/a" },
        { "/ab*c", "/a" }, { "/ab{2}", "/a" }, { "/ab+", "/a" }, { "/a(b|c)", "/a" }, { "/a|/b", "" },
        { "/a(b|c)|/d", "" }, { "/a[|]b", "/a" }, { "/a[(]b|c", "" }, { "/a[]|(]b", "/a" }, { "/a[[:alpha:]]", "" },
        { "/a\\Qb|c\\E", "" }, { "(?i)/a", "" }, { "/a(?i)b", "" }, { "/a(?x) # (\n|b", "" }, { "(*UTF)/a", "" },
        { "/a(?#|)b", "" }, { "/a(?:b|c)", "/a" }, { "/a(?<n>b|c)d", "/a" }, { "\\/a", "/a" }, { "\\A/a", "" },
        { "/a\\", "/a" }, { "", "" }, { "/a(", "" }, { "/a)", "" }, { "/a[b", "" }, { "/a(?|(b)|(c))", "" },
        { "/a.b", "/a" }, { "/a(?=b|c)", "/a" },
    };

    for (size_t i = 0; i < weir_countof(cases); i++) {
        is_str(weir_pattern_beginning(arena, weir_str_from_z(cases[i][0])), cases[i][1], cases[i][0]);
    }
}

static void
test_templates(weir_arena_t *arena)
{
    static const struct { const char *text, *error; } cases[] = {
        { "/", NULL }, { "/a", NULL }, { "/{a}", NULL }, { "/{a}/", NULL }, { "/{a_1}/{B}", NULL }, { "/{}", NULL },
        { "", "begins with" }, { "a", "begins with" }, { "//", "empty" }, { "/{a}/{A}", "twice" },
        { "/{1}", "no capture" }, { "/{a-b}", "no capture" }, { "/a{b}", "whole" }, { "/{b}c", "whole" },
        { "/{a}{b}", "no capture" }, { "/}", "whole" }, { "/{", "whole" },
    };
    weir_str_t   names[WEIR_PATH_TEMPLATE_MAX_CAPTURES];
    weir_error_t error;
    size_t       n;

    is_str(weir_path_template_shape(arena, WEIR_STR("/{a}/{b}/c")), "/{}/{}/c", "the shape of a template");
    for (size_t i = 0; i < weir_countof(cases); i++) {
        bool good;

        error = (weir_error_t) { .text = "" };
        good = weir_path_template_read(weir_str_from_z(cases[i].text), names, &n, &error);
        ok(good == (cases[i].error == NULL) && (good || strstr(error.text, cases[i].error) != NULL), cases[i].text);
    }
}

static void
test_hosts(weir_arena_t *arena)
{
    static const char *const rules[] = { "host=a.b.c path=/1", "host=*.b.c path=/2", "host=*.c path=/3", "path=/4",
                                         "host=*.x path_prefix=/" };
    static const struct { const char *host, *path, *off, *on; } cases[] = {
        { "a.b.c", "/1", "host=a.b.c path=/1", "host=a.b.c path=/1" }, { "a.b.c", "/2", "-", "host=*.b.c path=/2" },
        { "a.b.c", "/3", "-", "host=*.c path=/3" }, { "a.b.c", "/4", "-", "path=/4" },
        { "x.b.c", "/2", "host=*.b.c path=/2", "host=*.b.c path=/2" }, { "x.b.c", "/3", "-", "host=*.c path=/3" },
        { "b.c", "/2", "-", "-" }, { "b.c", "/3", "host=*.c path=/3", "host=*.c path=/3" },
        { "c", "/4", "path=/4", "path=/4" }, { "", "/4", "path=/4", "path=/4" }, { "q", "/1", "-", "-" },
        { "y.x", "/4", "host=*.x path_prefix=/", "host=*.x path_prefix=/" },
    };
    weir_routes_t *off = weir_routes_create(arena, false), *on = weir_routes_create(arena, true);
    uint32_t       steps;

    for (size_t i = 0; i < weir_countof(rules); i++) {
        (void) routes_put(arena, off, rules[i]);
        (void) routes_put(arena, on, rules[i]);
    }
    weir_routes_seal(off);
    weir_routes_seal(on);
    for (size_t i = 0; i < weir_countof(cases); i++) {
        routes_ask_t ask = { .host = cases[i].host, .path = cases[i].path };

        is_str(weir_str_from_z(routes_found(arena, off, &ask, &steps)), cases[i].off, cases[i].host);
        is_str(weir_str_from_z(routes_found(arena, on, &ask, &steps)), cases[i].on, "… with fallthrough");
    }
}

/* -- against a list that is looked through from its beginning to its end -- */

static uint32_t routes_state = 4711;

static uint32_t
routes_random(uint32_t below)
{
    routes_state = routes_state * 1664525 + 1013904223;
    return (routes_state >> 8) % below;
}

static const char *
routes_pick(const char *const *texts, size_t n)
{
    return texts[routes_random((uint32_t) n)];
}
#define routes_one_of(...) \
    routes_pick((const char *const[]) { __VA_ARGS__ }, weir_countof(((const char *const[]) { __VA_ARGS__ })))

static const char *
routes_random_line(weir_arena_t *arena, bool few_paths)
{
    static const char *const all[] = {
        "", "path=/a", "path=/a/b", "path=/b/", "path_prefix=/a", "path_prefix=/a/b", "path_prefix=/", "path_prefix=/b",
        "path_template=/{x}/b", "path_template=/a/{x}", "path_template=/{x}/{y}", "path_template=/{x}/b/{y}",
        "path_template=/a/{x}/{y}", "path_regex=/a.*", "path_regex=/[ab]", "path_regex=/a/b|/b", "path_regex=.*b",
    };
    static const char *const few[] = { "path=/a", "path_prefix=/a", "path_template=/{z}", "" };
    weir_str_t line = weir_str_from_z(few_paths ? routes_pick(few, weir_countof(few))
                                                : routes_pick(all, weir_countof(all)));

    if (routes_random(3) == 0) {
        line = weir_str_printf(arena, "%.*s %s", WEIR_STR_ARG(line),
                               routes_one_of("host=a.b", "host=*.b", "host=*.c.b"));
    }
    if (routes_random(3) == 0) {
        line = weir_str_printf(arena, "%.*s %s", WEIR_STR_ARG(line),
                               routes_one_of("method=GET", "method=PUT", "method=GET|PUT", "!method=GET"));
    }
    for (int i = 0; i < 3; i++) {
        if (routes_random(2) == 0) {
            line = weir_str_printf(arena, "%.*s %s%s%s", WEIR_STR_ARG(line),
                                   routes_one_of("header:x", "header:y", "query:q", "query:r", "cookie:c", "!header:x",
                                                 "!query:q", "header:z"),
                                   routes_one_of("=", "=", "=", "~", ""), routes_one_of("1", "2", "3", "4"));
        }
    }
    return weir_str_to_z(arena, weir_str_trim(line));
}

/* A name that stands there twice, and "header:x1": no matter; what cannot be read is left out. */
static weir_rule_t *
routes_try_rule(weir_arena_t *arena, const char *text)
{
    weir_conf_words_t *words = weir_new(arena, weir_conf_words_t);
    weir_rule_t       *rule = weir_new(arena, weir_rule_t);
    weir_error_t       error = { .text = "" };
    weir_lex_t         lex;
    size_t             word;

    weir_lex_init(&lex, arena, weir_str_printf(arena, "match %s;", text), "test");
    if (text[0] == '\0' || weir_lex_next(&lex, words, &error) != WEIR_LEX_SIMPLE
        || !weir_match_line_read(arena, words, rule, &word, &error))
    {
        return NULL;
    }
    rule->value = (void *) (uintptr_t) text;
    return rule;
}

/* How well the rule's host fits: its length, an exact one before all; -1: not at all. */
static int
model_host(const weir_rule_t *rule, weir_str_t host)
{
    if (rule->host.len == 0) {
        return 0;
    }
    if (rule->host.at[0] != '*') {
        return weir_str_eq(rule->host, host) ? 1000 : -1;
    }
    return weir_str_ends(host, weir_str_skip(rule->host, 1)) && host.len >= rule->host.len ? (int) rule->host.len : -1;
}

/* Segment by segment: ranks of templates are texts, 'a' for a literal and 'b' for a capture. */
static bool
model_template(weir_str_t template, weir_str_t path, char *rank)
{
    weir_str_t left, right;
    bool       more = true, more_of_path = true;

    while (more && more_of_path) {
        more = weir_str_cut(template, '/', &left, &template);
        more_of_path = weir_str_cut(path, '/', &right, &path);
        if (left.len != 0 && left.at[0] == '{') {
            if (right.len == 0) {
                return false;
            }
            *rank++ = 'b';
        } else {
            if (!weir_str_eq(left, right)) {
                return false;
            }
            *rank++ = 'a';
        }
    }
    *rank = '\0';
    return more == more_of_path;
}

typedef struct { const weir_rule_t *rule; int host, class; char shape[80]; size_t length, first; } model_rank_t;

static bool
model_takes(const weir_rule_t *rule, const weir_match_input_t *input, weir_rule_t *const *rules, model_rank_t *rank)
{
    bool limit = false;

    *rank = (model_rank_t) { .rule = rule, .host = model_host(rule, input->host), .class = 3 };
    if (rank->host < 0 || !weir_predicates_hold(rule->preds, rule->n_preds, input, &limit)) {
        return false;
    }
    switch (rule->kind) {
    case WEIR_PATH_EXACT:
        rank->class = 0;
        return weir_str_eq(rule->text, input->path);
    case WEIR_PATH_TEMPLATE:
        rank->class = 1;
        return model_template(rule->text, input->path, rank->shape);
    case WEIR_PATH_REGEX:
        rank->class = 2;
        /* the place of the first rule of this host with that pattern */
        while (rules[rank->first]->kind != WEIR_PATH_REGEX || !weir_str_eq(rules[rank->first]->text, rule->text)
               || !weir_str_eq(rules[rank->first]->host, rule->host))
        {
            rank->first++;
        }
        return weir_regex_exec(rule->regex, input->path, NULL) == WEIR_REGEX_MATCH;
    default:
        rank->length = rule->text.len;
        return weir_str_starts(input->path, rule->text)
               && (input->path.len == rule->text.len || input->path.at[rule->text.len] == '/');
    }
}

static int
model_order(const model_rank_t *a, const model_rank_t *b)
{
    if (a->host != b->host) {
        return b->host - a->host;
    }
    if (a->class != b->class) {
        return a->class - b->class;
    }
    if (strcmp(a->shape, b->shape) != 0) {
        return strcmp(a->shape, b->shape);
    }
    if (a->first != b->first) {
        return a->first < b->first ? -1 : 1;
    }
    if (a->length != b->length) {
        return a->length > b->length ? -1 : 1;
    }
    return weir_predicates_compare(a->rule, b->rule);
}

static const weir_rule_t *
model_find(weir_rule_t *const *rules, size_t n, const weir_match_input_t *input, bool fallthrough)
{
    model_rank_t best = { .rule = NULL }, rank;
    int          host = -1;

    for (size_t i = 0; i < n; i++) {
        int fits = model_host(rules[i], input->host);
        host = fits > host ? fits : host;
    }
    for (size_t i = 0; i < n; i++) {
        if ((fallthrough || model_host(rules[i], input->host) == host) && model_takes(rules[i], input, rules, &rank)
            && (best.rule == NULL || model_order(&rank, &best) < 0))
        {
            best = rank;
        }
    }
    return best.rule;
}

static void
routes_random_ask(weir_arena_t *arena, routes_ask_t *ask)
{
    weir_str_t fields = WEIR_STR("");

    *ask = (routes_ask_t) {
        .path = routes_one_of("/", "/a", "/a/", "/a/b", "/b", "/b/", "/b/b", "/b/b/b", "/a/b/c", "/ab", "/c", "/c/b",
                              "/a/a/b"),
        .method = routes_one_of("GET", "PUT", "POST"), .host = routes_one_of("a.b", "b", "c.b", "d.c.b", "x"),
        .query = weir_str_to_z(arena, weir_str_printf(arena, "%s%s&%s%s", routes_one_of("q=", "r=", "s="),
                                                      routes_one_of("1", "2", "3", "4"), routes_one_of("q=", "r=", "s"),
                                                      routes_one_of("1", "2", "3", "4"))),
    };
    for (int i = 0; i < 3; i++) {
        fields = weir_str_printf(arena, "%.*s%s%s\n", WEIR_STR_ARG(fields),
                                 routes_one_of("x: ", "y: ", "z: ", "Cookie: c=", "w: "),
                                 routes_one_of("1", "2", "3", "4"));
    }
    ask->fields = weir_str_to_z(arena, fields);
}

static void
test_against_model(void)
{
    int wrong = 0, found = 0, indexed = 0;

    for (int round = 0; round < 300; round++) {
        weir_arena_t   arena;
        weir_routes_t *routes;
        weir_rule_t   *rules[400];
        size_t         n = 0, tries = 5 + routes_random(round % 3 == 0 ? 390 : 30);
        bool           fallthrough = routes_random(2) == 0;

        weir_arena_init(&arena, 65536);
        routes = weir_routes_create(&arena, fallthrough);
        for (size_t i = 0; i < tries; i++) {
            weir_rule_t       *rule = routes_try_rule(&arena, routes_random_line(&arena, round % 3 == 0));
            const weir_rule_t *same;
            weir_error_t       error = { .text = "" };

            if (rule != NULL && weir_routes_add(routes, rule, &same, &error)) {
                rules[n++] = rule;
            }
        }
        weir_routes_seal(routes);
        indexed += n > 100;
        for (int i = 0; i < 200; i++) {
            routes_ask_t       ask;
            weir_match_input_t input;
            weir_match_t       match;
            const weir_rule_t *want;

            routes_random_ask(&arena, &ask);
            input = routes_input(&arena, &ask);
            weir_routes_find(routes, &input, &match);
            want = model_find(rules, n, &input, fallthrough);
            if (match.rule != want && wrong++ < 5) {
                printf("# %s %s %s?%s %s: found '%s', wanted '%s'\n", ask.method, ask.host, ask.path, ask.query,
                       ask.fields, match.rule ? (const char *) match.rule->value : "-",
                       want ? (const char *) want->value : "-");
            }
            found += want != NULL;
        }
        weir_arena_fini(&arena);
    }
    is_int(wrong, 0, "60,000 random requests mean the same rule as in a list");
    ok(found > 20000 && found < 58000 && indexed > 40, "many of which were found, some not, in small and large tables");
}

int
main(void)
{
    weir_arena_t arena;

    weir_arena_init(&arena, 65536);
    test_captures(&arena);
    test_beginnings(&arena);
    test_templates(&arena);
    test_hosts(&arena);
    test_against_model();
    for (size_t i = 0; i < weir_countof(routes_shapes); i++) {
        test_cost(&routes_shapes[i]);
    }
    test_all_templates(&arena);
    test_all_subsets(&arena);
    weir_arena_fini(&arena);
    return done();
}
