/* A path means the rule that nginx's location says, with predicates the next best; 10,000 rules cost what ten cost. */
#include "http/match/match.h"
#include "tap.h"

#include <time.h>

/* -- building rules from text: "= /x", "^~ /x", "~ x", "~* x", "/ /x" (by segment), "/x"; their value is the text -- */

static weir_rule_t *
paths_rule(weir_arena_t *arena, const char *text)
{
    weir_rule_t *rule = weir_new(arena, weir_rule_t);
    weir_str_t   mark, rest;

    rule->value = (void *) (uintptr_t) text;
    if (!weir_str_cut(weir_str_from_z(text), ' ', &mark, &rest)) {
        rule->kind = WEIR_PATH_PREFIX;
        rule->text = mark;
        return rule;
    }
    rule->text = rest;
    rule->fold_case = weir_str_eq(mark, WEIR_STR("~*"));
    rule->kind = mark.at[0] == '=' ? WEIR_PATH_EXACT : mark.at[0] == '^' ? WEIR_PATH_PREFIX_FINAL
                 : mark.at[0] == '/' ? WEIR_PATH_PREFIX_SEGMENT : WEIR_PATH_REGEX;
    return rule;
}

static weir_rule_t *
paths_put(weir_arena_t *arena, weir_paths_t *paths, const char *text)
{
    weir_rule_t *rule = paths_rule(arena, text);
    weir_error_t error = { .text = "" };
    bool         duplicate;

    if (!weir_paths_add(paths, rule, &duplicate, &error)) {
        printf("# '%s' was not added: %s\n", text, duplicate ? "duplicate" : error.text);
    }
    return rule;
}

static weir_paths_t *
paths_of(weir_arena_t *arena, const char *const *texts)
{
    weir_paths_t *paths = weir_paths_create(arena);

    for (; *texts != NULL; texts++) {
        paths_put(arena, paths, *texts);
    }
    weir_paths_seal(paths);
    return paths;
}

static const char *
paths_ask(const weir_paths_t *paths, const char *path)
{
    weir_match_input_t input = { .path = weir_str_from_z(path), .method = WEIR_STR("GET") };
    weir_match_t       match;

    weir_paths_find(paths, &input, &match);
    return match.limit ? "limit" : match.rule != NULL ? match.rule->value : "-";
}

typedef struct { const char *path, *rule; } paths_case_t;

static void
paths_check(const weir_paths_t *paths, const paths_case_t *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        is_str(weir_str_from_z(paths_ask(paths, cases[i].path)), cases[i].rule, cases[i].path);
    }
}

static void
test_documentation(weir_arena_t *arena)
{
    static const char *const texts[] = { "= /", "/", "/documents/", "^~ /images/", "~* \\.(gif|jpg|jpeg)$", NULL };
    static const paths_case_t cases[] = {
        { "/", "= /" }, { "/index.html", "/" }, { "/documents/document.html", "/documents/" },
        { "/images/1.gif", "^~ /images/" }, { "/documents/1.JPG", "~* \\.(gif|jpg|jpeg)$" },
    };

    paths_check(paths_of(arena, texts), cases, weir_countof(cases));
}

static void
test_order(weir_arena_t *arena)
{
    static const char *const texts[] = {
        "/a", "/a/b/", "= /a/b", "~ ^/a/b/c", "~ c$", "~* ^/A/Q", "~ ^/a/q", "^~ /f", "/f/g", "= /f/g.c",
        "/ /seg", "/ /deep/er/", NULL
    };
    static const paths_case_t cases[] = {
        { "/", "-" }, { "/a", "/a" }, { "/ab", "/a" }, { "/a/b", "= /a/b" }, { "/a/b/", "/a/b/" },
        { "/a/b/c", "~ ^/a/b/c" },
        { "/a/c", "~ c$" }, { "/A/q", "~* ^/A/Q" }, { "/a/q", "~* ^/A/Q" }, { "/x/c", "~ c$" }, { "/f/c", "^~ /f" },
        { "/f/gc", "~ c$" }, { "/f/g.c", "= /f/g.c" }, { "/seg", "/ /seg" }, { "/seg/x", "/ /seg" },
        { "/segment", "-" },
        { "/deep/er", "/ /deep/er/" }, { "/deep/er/x", "/ /deep/er/" }, { "/deep/err", "-" },
    };

    paths_check(paths_of(arena, texts), cases, weir_countof(cases));
}

/* Patterns of inner blocks come before outer ones; an outer ^~ keeps the outer ones out, an inner one does not. */
static void
test_nesting(weir_arena_t *arena)
{
    static const char *const inner_a[] = { "/a/x", "~ \\.in$", "= /a/exact", "^~ /a/final", NULL };
    static const char *const inner_f[] = { "/f/x", "~ \\.in$", NULL };
    static const char *const inner_r[] = { "~ ^/r/.*\\.two$", "/r", NULL };
    static const paths_case_t cases[] = {
        { "/a/q", "/a" }, { "/a/x/y", "/a/x" }, { "/a/q.in", "~ \\.in$" }, { "/a/exact", "= /a/exact" },
        { "/a/x.out", "~ \\.out$" }, { "/a/x.in.out", "~ \\.out$" }, { "/a/final.in", "^~ /a/final" },
        { "/a/final.out", "~ \\.out$" }, { "/f/x.out", "/f/x" }, { "/f/x.in", "~ \\.in$" }, { "/f.out", "^~ /f" },
        { "/r/one", "/r" }, { "/r/two.two", "~ ^/r/.*\\.two$" }, { "/q.in", "-" },
    };
    weir_paths_t *paths = weir_paths_create(arena);

    paths_put(arena, paths, "/a")->inner = paths_of(arena, inner_a);
    paths_put(arena, paths, "^~ /f")->inner = paths_of(arena, inner_f);
    paths_put(arena, paths, "~ \\.out$");
    paths_put(arena, paths, "~ ^/r/")->inner = paths_of(arena, inner_r);
    weir_paths_seal(paths);
    paths_check(paths, cases, weir_countof(cases));
}

static void
test_captures(weir_arena_t *arena)
{
    static const char *const texts[] = { "/", "~ ^/user/(\\w+)/(?<what>.*)$", "~ ^(a+)+$", NULL };
    weir_paths_t      *paths = paths_of(arena, texts);
    weir_match_input_t input = { .path = WEIR_STR("/user/joe/mail") };
    weir_match_t       match;

    weir_paths_find(paths, &input, &match);
    is_str(weir_captures_get(&match.captures, 1), "joe", "a pattern's captures are kept");
    is_str(weir_captures_get(&match.captures, 2), "mail", "all of them");
    input.path = WEIR_STR("/user");
    weir_paths_find(paths, &input, &match);
    ok(match.rule != NULL && match.captures.n == 0, "a prefix has none");
    input.path = WEIR_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
    weir_paths_find(paths, &input, &match);
    ok(match.limit && match.rule == NULL, "a pattern that runs into its limit denies the request");
}

static void
test_refused(weir_arena_t *arena)
{
    static const struct { const char *text; bool duplicate, fine; } cases[] = {
        { "/a", false, true }, { "/a", true, false }, { "^~ /a", true, false }, { "= /a", false, true },
        { "= /a", true, false },
        { "/A", false, true }, { "/ /a", false, true }, { "/ /a/", true, false }, { "~ x", false, true },
        { "~ x", false, true },
        { "~ (", false, false },
    };
    weir_paths_t *paths = weir_paths_create(arena);

    for (size_t i = 0; i < weir_countof(cases); i++) {
        weir_error_t error = { .text = "" };
        bool         duplicate, fine = weir_paths_add(paths, paths_rule(arena, cases[i].text), &duplicate, &error);

        ok(fine == cases[i].fine && duplicate == cases[i].duplicate
           && (fine || duplicate) == !weir_error_is_set(&error), cases[i].text);
    }
    weir_paths_seal(paths);
}

/* -- predicates -- */

static void
paths_put_with(weir_arena_t *arena, weir_paths_t *paths, const char *text, const char *name,
               const weir_predicate_t *preds, size_t n)
{
    weir_rule_t *rule = paths_rule(arena, text);
    weir_error_t error = { .text = "" };
    bool         duplicate;

    rule->value = (void *) (uintptr_t) name;
    rule->preds = preds;
    rule->n_preds = n;
    ok(weir_paths_add(paths, rule, &duplicate, &error) && !duplicate, name);
}

typedef struct { const char *path, *method, *query, *header, *again; const char *rule; } paths_input_t;

static void
paths_check_input(weir_arena_t *arena, const weir_paths_t *paths, const paths_input_t *in)
{
    weir_fields_t     *fields = weir_new(arena, weir_fields_t);
    weir_match_input_t input = {
        .path = weir_str_from_z(in->path), .method = weir_str_from_z(in->method), .query = weir_str_from_z(in->query),
        .fields = fields,
    };
    weir_match_t       match;

    if (in->header != NULL) {
        weir_fields_add(fields, arena, WEIR_HEADER_OTHER, WEIR_STR("X-Role"), weir_str_from_z(in->header), 0);
    }
    if (in->again != NULL) {
        weir_fields_add(fields, arena, WEIR_HEADER_OTHER, WEIR_STR("x-role"), weir_str_from_z(in->again), 0);
    }
    weir_paths_find(paths, &input, &match);
    is_str(weir_str_from_z(match.rule != NULL ? match.rule->value : "-"), in->rule,
           weir_str_printf(arena, "%s %s?%s %s", in->method, in->path, in->query, in->header ? in->header : "").at);
}

static void
test_predicates(weir_arena_t *arena)
{
    weir_error_t  error = { .text = "" };
    weir_regex_t *digits = weir_regex_compile(WEIR_STR("^[0-9]+$"), false, &error);
    const weir_predicate_t post = { .kind = WEIR_PRED_METHOD, .name = WEIR_STR("POST") };
    const weir_predicate_t admin = { .kind = WEIR_PRED_HEADER, .name = WEIR_STR("x-role"), .value = WEIR_STR("admin") };
    const weir_predicate_t role = { .kind = WEIR_PRED_HEADER, .name = WEIR_STR("x-role") };
    const weir_predicate_t number = { .kind = WEIR_PRED_QUERY, .name = WEIR_STR("n"), .regex = digits };
    const weir_predicate_t v2 = { .kind = WEIR_PRED_QUERY, .name = WEIR_STR("v"), .value = WEIR_STR("2") };
    const weir_predicate_t no_role = { .kind = WEIR_PRED_HEADER, .name = WEIR_STR("x-role"), .negate = true };
    const weir_predicate_t post_admin[] = { admin, post }, role_v2[] = { v2, role };
    static const paths_input_t cases[] = {
        { "/a", "GET", "", NULL, NULL, "plain" },
        { "/a", "POST", "", NULL, NULL, "post" },
        { "/a", "post", "", NULL, NULL, "plain" },
        { "/a", "GET", "", "admin", NULL, "admin" },
        { "/a", "POST", "v=2", "admin", NULL, "post+admin" },
        { "/a", "GET", "v=2", "user", NULL, "role+v2" },
        { "/a", "GET", "v=2", "admin", NULL, "role+v2" },
        { "/a", "GET", "v=2", NULL, NULL, "v2" },
        { "/a", "GET", "v=22", NULL, NULL, "plain" },
        { "/a", "GET", "", "admin", "user", "plain" },
        { "/a", "GET", "", "user", "admin", "plain" },
        { "/a/b", "GET", "n=17", NULL, NULL, "number" },
        { "/a/b", "GET", "n=x", NULL, NULL, "plain" },
        { "/a/b", "POST", "n=x", NULL, NULL, "post" },
        { "/a/b/c", "GET", "", NULL, NULL, "no role" },
        { "/a/b/c", "GET", "n=1", "x", NULL, "number" },
        { "/e", "POST", "", NULL, NULL, "exact post" },
        { "/e", "GET", "", NULL, NULL, "root" },
        { "/p.x", "POST", "", NULL, NULL, "pattern post" },
        { "/p.x", "GET", "", NULL, NULL, "root" },
    };
    weir_paths_t *paths = weir_paths_create(arena);

    paths_put_with(arena, paths, "/", "root", NULL, 0);
    paths_put_with(arena, paths, "/a", "plain", NULL, 0);
    paths_put_with(arena, paths, "/a", "v2", &v2, 1);
    paths_put_with(arena, paths, "/a", "admin", &admin, 1);
    paths_put_with(arena, paths, "/a", "role+v2", role_v2, 2);
    paths_put_with(arena, paths, "/a", "post", &post, 1);
    paths_put_with(arena, paths, "/a", "post+admin", post_admin, 2);
    paths_put_with(arena, paths, "/ /a/b", "number", &number, 1);
    paths_put_with(arena, paths, "/a/b/", "no role", &no_role, 1);
    paths_put_with(arena, paths, "= /e", "exact post", &post, 1);
    paths_put_with(arena, paths, "~ \\.x$", "pattern post", &post, 1);
    weir_paths_seal(paths);
    for (size_t i = 0; i < weir_countof(cases); i++) {
        paths_check_input(arena, paths, &cases[i]);
    }
    weir_regex_unref(digits);
}

/* -- against a list that is asked as the documentation says -- */

typedef struct paths_model {
    weir_rule_t         rules[24];
    struct paths_model *inner[24];
    size_t              n;
} paths_model_t;

static uint32_t paths_state = 99;

static uint32_t
paths_random(uint32_t below)
{
    paths_state = paths_state * 1664525 + 1013904223;
    return (paths_state >> 8) % below;
}

/* Letters '/', 'a', 'b' after what it begins with. */
static weir_str_t
paths_random_path(weir_arena_t *arena, weir_str_t start, uint32_t longest)
{
    weir_str_t path = start;

    for (uint32_t n = paths_random(longest + 1); n > 0; n--) {
        path = weir_str_printf(arena, "%.*s%c", WEIR_STR_ARG(path), "/ab"[paths_random(3)]);
    }
    return path;
}

/* The same rules as a matcher and as a model. */
static weir_paths_t *
paths_random_rules(weir_arena_t *arena, paths_model_t *model, weir_str_t start, int depth)
{
    static const char *const patterns[] = { "a$", "b/", "^/a", "ab", "//", "a.b" };
    weir_paths_t *paths = weir_paths_create(arena);

    for (size_t tries = 4 + paths_random(20); tries > 0; tries--) {
        weir_rule_t *rule = &model->rules[model->n];
        weir_error_t error = { .text = "" };
        bool         duplicate;

        *rule = (weir_rule_t) { .kind = (weir_path_kind_t) paths_random(5), .value = rule };
        rule->text = rule->kind == WEIR_PATH_REGEX ? weir_str_from_z(patterns[paths_random(weir_countof(patterns))])
                                                   : paths_random_path(arena, start, 4);
        if (rule->kind == WEIR_PATH_REGEX && paths_random(3) != 0) {
            continue;                 /* few, or they take everything */
        }
        if (!weir_paths_add(paths, rule, &duplicate, &error)) {
            continue;
        }
        if (depth > 0 && rule->kind != WEIR_PATH_EXACT && paths_random(3) == 0) {
            weir_str_t inside = rule->kind == WEIR_PATH_REGEX ? start : rule->text;

            model->inner[model->n] = weir_new(arena, paths_model_t);
            rule->inner = paths_random_rules(arena, model->inner[model->n], inside, depth - 1);
        }
        model->n++;
    }
    weir_paths_seal(paths);
    return paths;
}

static bool
model_prefix_holds(const weir_rule_t *rule, weir_str_t path, size_t *len)
{
    weir_str_t text = rule->text;

    if (rule->kind == WEIR_PATH_EXACT || rule->kind == WEIR_PATH_REGEX) {
        return false;
    }
    if (rule->kind == WEIR_PATH_PREFIX_SEGMENT && text.at[text.len - 1] == '/') {
        text.len--;
    }
    *len = text.len;
    return weir_str_starts(path, text)
           && (rule->kind != WEIR_PATH_PREFIX_SEGMENT || path.len == text.len || path.at[text.len] == '/');
}

/* The documentation's algorithm over a list; true: settled. */
static bool
model_search(const paths_model_t *model, weir_str_t path, const weir_rule_t **found)
{
    size_t best = model->n, longest = 0, len;

    for (size_t i = 0; i < model->n; i++) {
        if (model->rules[i].kind == WEIR_PATH_EXACT && weir_str_eq(model->rules[i].text, path)) {
            *found = &model->rules[i];
            return true;
        }
    }
    for (size_t i = 0; i < model->n; i++) {
        if (model_prefix_holds(&model->rules[i], path, &len) && (best == model->n || len > longest)) {
            best = i;
            longest = len;
        }
    }
    if (best != model->n) {
        *found = &model->rules[best];
        if (model->inner[best] != NULL && model_search(model->inner[best], path, found)) {
            return true;
        }
        if (model->rules[best].kind == WEIR_PATH_PREFIX_FINAL) {
            return false;
        }
    }
    for (size_t i = 0; i < model->n; i++) {
        if (model->rules[i].kind == WEIR_PATH_REGEX
            && weir_regex_exec(model->rules[i].regex, path, NULL) == WEIR_REGEX_MATCH)
        {
            *found = &model->rules[i];
            if (model->inner[i] != NULL) {
                (void) model_search(model->inner[i], path, found);
            }
            return true;
        }
    }
    return false;
}

static void
test_against_model(void)
{
    int wrong = 0, found = 0;

    for (int round = 0; round < 100; round++) {
        weir_arena_t   arena;
        paths_model_t  model = { .n = 0 };
        weir_paths_t  *paths;

        weir_arena_init(&arena, 65536);
        paths = paths_random_rules(&arena, &model, WEIR_STR("/"), 2);
        for (int i = 0; i < 200; i++) {
            weir_match_input_t input = { .path = paths_random_path(&arena, WEIR_STR("/"), 7) };
            const weir_rule_t *want = NULL;
            weir_match_t       match;

            (void) model_search(&model, input.path, &want);
            weir_paths_find(paths, &input, &match);
            wrong += match.rule != want;
            found += want != NULL;
        }
        weir_arena_fini(&arena);
    }
    is_int(wrong, 0, "20,000 random paths mean the same rule as in a list");
    ok(found > 2000, "many of which were found");
}

/* -- 10,000 rules cost what ten cost -- */

static double
paths_seconds(const weir_paths_t *paths, weir_str_t path)
{
    weir_match_input_t input = { .path = path };
    struct timespec    from, to;
    double             best = 1e9, took;
    weir_match_t       match;

    for (int round = 0; round < 20; round++) {
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < 1000; i++) {
            weir_paths_find(paths, &input, &match);
            if (match.rule == NULL) {
                abort();
            }
        }
        clock_gettime(CLOCK_MONOTONIC, &to);
        took = (double) (to.tv_sec - from.tv_sec) + (double) (to.tv_nsec - from.tv_nsec) / 1e9;
        best = took < best ? took : best;
    }
    return best;
}

static weir_paths_t *
paths_many(weir_arena_t *arena, int n)
{
    weir_paths_t *paths = weir_paths_create(arena);

    for (int i = 0; i < n; i++) {
        paths_put(arena, paths, weir_str_printf(arena, "/service/%04d/", i).at);
        paths_put(arena, paths, weir_str_printf(arena, "= /service/%04d/health", i).at);
    }
    weir_paths_seal(paths);
    return paths;
}

static void
test_cost(weir_arena_t *arena)
{
    weir_paths_t *few = paths_many(arena, 10), *many = paths_many(arena, 10000);
    weir_str_t    prefix = WEIR_STR("/service/0007/users/1"), exact = WEIR_STR("/service/0007/health");

    is_str(weir_str_from_z(paths_ask(many, "/service/7777/x")), "/service/7777/", "one of 10,000 prefixes");
    ok(paths_seconds(many, prefix) < 10 * paths_seconds(few, prefix),
       "a prefix among 10,000 costs about what it costs among ten");
    ok(paths_seconds(many, exact) < 10 * paths_seconds(few, exact),
       "and so does an exact path");
}

int
main(void)
{
    weir_arena_t arena;

    weir_arena_init(&arena, 65536);
    test_documentation(&arena);
    test_order(&arena);
    test_nesting(&arena);
    test_captures(&arena);
    test_refused(&arena);
    test_predicates(&arena);
    test_against_model();
    test_cost(&arena);
    weir_arena_fini(&arena);
    return done();
}
