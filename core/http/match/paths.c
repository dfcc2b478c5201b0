/*
 * paths.c - which rule does a path mean?
 *
 * Exact paths are in a hash table, prefixes in a radix tree, patterns in a list.  Rules of the same path hang together,
 * best first.  Built with a generation and in its arena; asked by workers.  Visits as many nodes as the path has forks
 * among the prefixes, however many rules there are.
 */
#include "base/array.h"
#include "base/mem.h"
#include "base/radix.h"
#include "base/table.h"
#include "http/match/match.h"

#include <stdlib.h>

/* The rules of one path. */
typedef struct {
    weir_rule_t *first, *last;
    size_t       n;
    unsigned     plain;           /* bits of kinds that have a rule without predicates */
} paths_bucket_t;

struct weir_paths {
    weir_arena_t *arena;
    weir_table_t  exact;          /* paths_bucket_t */
    weir_radix_t  prefixes;       /* paths_bucket_t */
    weir_array_t  patterns;       /* weir_rule_t *, in the order of addition */
    weir_array_t  buckets;        /* paths_bucket_t * */
    uint32_t      n;
    bool          sealed;
};

weir_paths_t *
weir_paths_create(weir_arena_t *arena)
{
    weir_paths_t *paths = weir_new(arena, weir_paths_t);

    paths->arena = arena;
    weir_table_init(&paths->exact, arena);
    weir_radix_init(&paths->prefixes, arena);
    weir_array_init(&paths->patterns, arena, sizeof(weir_rule_t *), 0);
    weir_array_init(&paths->buckets, arena, sizeof(paths_bucket_t *), 0);
    return paths;
}

/* -- adding -- */

static paths_bucket_t *
paths_new_bucket(weir_paths_t *paths)
{
    paths_bucket_t *bucket = weir_new(paths->arena, paths_bucket_t);

    *(paths_bucket_t **) weir_array_push(&paths->buckets) = bucket;
    return bucket;
}

static paths_bucket_t *
paths_bucket_of(weir_paths_t *paths, const weir_rule_t *rule)
{
    weir_str_t         key = rule->text;
    weir_radix_node_t *node;
    paths_bucket_t    *bucket;

    if (rule->kind == WEIR_PATH_EXACT) {
        bucket = weir_table_find(&paths->exact, key);
        return bucket != NULL ? bucket : weir_table_add(&paths->exact, key, paths_new_bucket(paths));
    }
    if (rule->kind == WEIR_PATH_PREFIX_SEGMENT && weir_str_ends(key, WEIR_STR("/"))) {
        key.len--;                /* "/a/" means the segment "a" and all below, as "/a" does */
    }
    node = weir_radix_add(&paths->prefixes, key);
    if (node->value == NULL) {
        node->value = paths_new_bucket(paths);
    }
    return node->value;
}

static bool
paths_add_text(weir_paths_t *paths, weir_rule_t *rule, bool *duplicate)
{
    paths_bucket_t  *bucket = paths_bucket_of(paths, rule);
    weir_path_kind_t kind = rule->kind == WEIR_PATH_PREFIX_FINAL ? WEIR_PATH_PREFIX : rule->kind;
    unsigned         bit = 1u << kind;

    if (rule->n_preds == 0) {
        if (bucket->plain & bit) {
            *duplicate = true;
            return false;
        }
        bucket->plain |= bit;
    }
    weir_assert((bucket->first == NULL) == (bucket->n == 0) && (bucket->last == NULL) == (bucket->n == 0));
    if (bucket->last != NULL) {
        bucket->last->next = rule;
    } else {
        bucket->first = rule;
    }
    bucket->last = rule;
    bucket->n++;
    return true;
}

bool
weir_paths_add(weir_paths_t *paths, weir_rule_t *rule, bool *duplicate, weir_error_t *error)
{
    weir_assert(!paths->sealed);
    *duplicate = false;
    rule->order = paths->n++;
    rule->next = NULL;
    if (rule->kind != WEIR_PATH_REGEX) {
        return paths_add_text(paths, rule, duplicate);
    }
    rule->regex = weir_regex_compile_in(paths->arena, rule->text, rule->fold_case, error);
    if (rule->regex == NULL) {
        return false;
    }
    *(weir_rule_t **) weir_array_push(&paths->patterns) = rule;
    return true;
}

static int
paths_compare(const void *a, const void *b)
{
    return weir_predicates_compare(*(weir_rule_t *const *) a, *(weir_rule_t *const *) b);
}

static void
paths_sort(paths_bucket_t *bucket)
{
    weir_rule_t **rules = weir_mem_need(bucket->n * sizeof(*rules));
    size_t        n = 0;

    for (weir_rule_t *rule = bucket->first; rule != NULL; rule = rule->next) {
        weir_assert(n < bucket->n);
        rules[n++] = rule;
    }
    weir_assert(n == bucket->n);
    qsort(rules, n, sizeof(*rules), paths_compare);
    for (size_t i = 0; i < n; i++) {
        rules[i]->next = i + 1 < n ? rules[i + 1] : NULL;
    }
    bucket->first = rules[0];
    bucket->last = rules[n - 1];
    weir_mem_free(rules);
}

/* "/x" of a prefix "/x/" that is to be redirected to: unless there is a rule for it. */
static void
paths_add_to_slash(weir_paths_t *paths, const weir_rule_t *rule)
{
    weir_str_t               key = weir_str(rule->text.at, rule->text.len - 1);
    const weir_radix_node_t *node = weir_radix_longest(&paths->prefixes, key);
    weir_rule_t             *made;
    paths_bucket_t          *bucket;

    if (weir_table_find(&paths->exact, key) != NULL || (node != NULL && node->depth == key.len && node->value != NULL))
    {
        return;
    }
    made = weir_new(paths->arena, weir_rule_t);
    *made = (weir_rule_t) { .kind = WEIR_PATH_TO_SLASH, .text = key, .value = rule->value, .order = rule->order };
    bucket = paths_new_bucket(paths);
    bucket->first = bucket->last = made;
    bucket->n = 1;
    (void) weir_table_add(&paths->exact, key, bucket);
}

static void
paths_add_all_to_slash(weir_paths_t *paths)
{
    size_t n = paths->buckets.n;          /* without those that are added here */

    for (size_t i = 0; i < n; i++) {
        const paths_bucket_t *bucket = *weir_array_at(&paths->buckets, paths_bucket_t *, i);

        for (const weir_rule_t *rule = bucket->first; rule != NULL; rule = rule->next) {
            bool is_prefix = rule->kind == WEIR_PATH_PREFIX || rule->kind == WEIR_PATH_PREFIX_FINAL;

            if (rule->to_slash && is_prefix && rule->text.len > 1 && rule->text.at[rule->text.len - 1] == '/') {
                paths_add_to_slash(paths, rule);
            }
        }
    }
}

void
weir_paths_seal(weir_paths_t *paths)
{
    weir_assert(!paths->sealed);
    paths_add_all_to_slash(paths);
    for (size_t i = 0; i < paths->buckets.n; i++) {
        paths_bucket_t *bucket = *weir_array_at(&paths->buckets, paths_bucket_t *, i);

        if (bucket->n > 1) {
            paths_sort(bucket);
        }
    }
    paths->sealed = true;
}

/* -- finding -- */

/* Does the rule take the path, of which it is known that it begins with the `depth` bytes of the rule's key? */
static bool
paths_rule_holds(const weir_rule_t *rule, size_t depth, const weir_match_input_t *input, weir_match_t *match)
{
    weir_str_t path = input->path;

    weir_assert(depth <= path.len);
    if (rule->kind == WEIR_PATH_PREFIX_SEGMENT && path.len > depth && path.at[depth] != '/') {
        return false;
    }
    return rule->n_preds == 0 || weir_predicates_hold(rule->preds, rule->n_preds, input, &match->limit);
}

static const weir_rule_t *
paths_best_of(const paths_bucket_t *bucket, size_t depth, const weir_match_input_t *input, weir_match_t *match)
{
    weir_assert(bucket->first != NULL);
    for (const weir_rule_t *rule = bucket->first; rule != NULL && !match->limit; rule = rule->next) {
        if (paths_rule_holds(rule, depth, input, match)) {
            return rule;
        }
    }
    return NULL;
}

static const weir_rule_t *
paths_find_exact(const weir_paths_t *paths, const weir_match_input_t *input, weir_match_t *match)
{
    const paths_bucket_t *bucket = weir_table_find(&paths->exact, input->path);

    return bucket != NULL ? paths_best_of(bucket, input->path.len, input, match) : NULL;
}

static const weir_rule_t *
paths_find_prefix(const weir_paths_t *paths, const weir_match_input_t *input, weir_match_t *match)
{
    const weir_radix_node_t *node = weir_radix_longest(&paths->prefixes, input->path);
    const weir_rule_t       *rule = NULL;

    while (node != NULL && rule == NULL && !match->limit) {
        rule = paths_best_of(node->value, node->depth, input, match);
        node = weir_radix_shorter(node);
    }
    return rule;
}

static const weir_rule_t *
paths_find_pattern(const weir_paths_t *paths, const weir_match_input_t *input, weir_match_t *match)
{
    for (size_t i = 0; i < paths->patterns.n; i++) {
        const weir_rule_t  *rule = *weir_array_at(&paths->patterns, weir_rule_t *, i);
        weir_regex_result_t result;

        if (rule->n_preds != 0 && !weir_predicates_hold(rule->preds, rule->n_preds, input, &match->limit)) {
            if (match->limit) {
                return NULL;
            }
            continue;
        }
        result = weir_regex_exec(rule->regex, input->path, &match->captures);
        if (result == WEIR_REGEX_MATCH) {
            return rule;
        }
        if (result == WEIR_REGEX_LIMIT) {
            match->limit = true;
            return NULL;
        }
    }
    return NULL;
}

/* One level of nesting.  True: what match->rule says is settled; false: it is a prefix (or nothing), and a pattern of
 * an outer level may still take the path. */
static bool
paths_search(const weir_paths_t *paths, const weir_match_input_t *input, weir_match_t *match)
{
    weir_assert(paths->sealed);

    const weir_rule_t *rule = paths_find_exact(paths, input, match);

    if (rule != NULL || match->limit) {
        match->rule = rule;
        return true;
    }
    rule = paths_find_prefix(paths, input, match);
    if (rule != NULL) {
        match->rule = rule;
        if (rule->inner != NULL && paths_search(rule->inner, input, match)) {
            return true;
        }
        if (rule->kind == WEIR_PATH_PREFIX_FINAL) {
            return false;
        }
    }
    rule = match->limit ? NULL : paths_find_pattern(paths, input, match);
    if (rule == NULL) {
        return match->limit;
    }
    match->rule = rule;
    if (rule->inner != NULL) {
        (void) paths_search(rule->inner, input, match);
    }
    return true;
}

void
weir_paths_find(const weir_paths_t *paths, const weir_match_input_t *input, weir_match_t *match)
{
    match->rule = NULL;
    match->captures.n = 0;
    match->limit = false;
    (void) paths_search(paths, input, match);
    if (match->limit) {
        match->rule = NULL;
        match->captures.n = 0;
    }
}
