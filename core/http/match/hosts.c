/*
 * hosts.c - which server does a host name mean?
 *
 * Exact names are in a hash table, "*.x" in a radix tree of names read from their end, "x.*" in one read from their
 * beginning, patterns in a list.  Built with a generation and in its arena; asked by workers, allocating nothing.
 */
#include "base/array.h"
#include "base/radix.h"
#include "base/table.h"
#include "http/match/match.h"

/* No host of a request is longer (RFC 1035 §2.3.4; weir_uri_authority sees to it). */
#define HOSTS_MAX_NAME 255

typedef struct {
    weir_regex_t *regex;
    void         *value;
} hosts_pattern_t;

struct weir_hosts {
    weir_arena_t *arena;
    weir_table_t  exact;
    weir_radix_t  heads;          /* "*.x": ".x" reversed */
    weir_radix_t  tails;          /* "x.*": "x." */
    weir_array_t  patterns;       /* hosts_pattern_t */
    weir_table_t  pattern_texts;
};

weir_hosts_t *
weir_hosts_create(weir_arena_t *arena)
{
    weir_hosts_t *hosts = weir_new(arena, weir_hosts_t);

    hosts->arena = arena;
    weir_table_init(&hosts->exact, arena);
    weir_radix_init(&hosts->heads, arena);
    weir_radix_init(&hosts->tails, arena);
    weir_array_init(&hosts->patterns, arena, sizeof(hosts_pattern_t), 0);
    weir_table_init(&hosts->pattern_texts, arena);
    return hosts;
}

static void
hosts_reverse(char *out, weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        out[i] = text.at[text.len - 1 - i];
    }
}

/* -- adding -- */

/* A host is lower case: only a pattern that asks for upper case has to fold. */
bool
weir_hosts_folds(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] >= 'A' && text.at[i] <= 'Z') {
            return true;
        }
    }
    return false;
}

static bool
hosts_add_pattern(weir_hosts_t *hosts, weir_str_t text, void *value, bool *conflict, weir_error_t *error)
{
    hosts_pattern_t *pattern;
    weir_regex_t    *regex;

    if (text.len == 0) {
        return weir_error_set(error, "empty regex in server name \"~\"");
    }
    if (weir_table_find(&hosts->pattern_texts, text) != NULL) {
        *conflict = true;
        return true;
    }
    regex = weir_regex_compile_in(hosts->arena, text, weir_hosts_folds(text), error);
    if (regex == NULL) {
        return false;
    }
    pattern = weir_array_push(&hosts->patterns);
    *pattern = (hosts_pattern_t) { .regex = regex, .value = value };
    weir_table_add(&hosts->pattern_texts, weir_str_dup(hosts->arena, text), value);
    return true;
}

/* key: what follows (".x") or comes before ("x.") the asterisk. */
static bool
hosts_add_wildcard(weir_hosts_t *hosts, weir_radix_t *tree, weir_str_t key, void *value)
{
    weir_radix_node_t *node;

    weir_assert(key.len != 0 && (tree == &hosts->heads || tree == &hosts->tails));
    if (tree == &hosts->heads) {
        char *turned = weir_alloc_bytes(hosts->arena, key.len);

        hosts_reverse(turned, key);
        key.at = turned;
    }
    node = weir_radix_add(tree, key);
    if (node->value != NULL) {
        return false;
    }
    node->value = value;
    return true;
}

/* ".x" stands for two names: when either is taken, neither is added. */
static bool
hosts_add_both(weir_hosts_t *hosts, weir_str_t name, void *value)
{
    weir_str_t exact = weir_str_skip(name, 1);

    if (weir_table_find(&hosts->exact, exact) != NULL || !hosts_add_wildcard(hosts, &hosts->heads, name, value)) {
        return false;
    }
    weir_table_add(&hosts->exact, exact, value);
    return true;
}

/* An asterisk may only be the whole first or the whole last label, and no label may be empty. */
static bool
hosts_is_name(weir_str_t name)
{
    size_t stars = 0;

    for (size_t i = 0; i < name.len; i++) {
        bool twice = name.at[i] == '.' && i + 1 < name.len && name.at[i + 1] == '.';

        if (name.at[i] == '\0' || twice) {
            return false;
        }
        stars += name.at[i] == '*';
    }
    if (stars == 0) {
        return !weir_str_eq(name, WEIR_STR("."));
    }
    return stars == 1 && name.len > 2
           && (weir_str_starts(name, WEIR_STR("*.")) || weir_str_ends(name, WEIR_STR(".*")));
}

bool
weir_hosts_add(weir_hosts_t *hosts, weir_str_t name, void *value, bool *conflict, weir_error_t *error)
{
    bool added;

    weir_assert(value != NULL);
    *conflict = false;
    if (weir_str_starts(name, WEIR_STR("~"))) {
        return hosts_add_pattern(hosts, weir_str_skip(name, 1), value, conflict, error);
    }
    if (!hosts_is_name(name)) {
        return weir_error_set(error, "invalid server name or wildcard \"%.*s\"", WEIR_STR_ARG(name));
    }

    name = weir_str_lower(hosts->arena, name);
    if (weir_str_starts(name, WEIR_STR("."))) {
        added = hosts_add_both(hosts, name, value);
    } else if (weir_str_starts(name, WEIR_STR("*"))) {
        added = hosts_add_wildcard(hosts, &hosts->heads, weir_str_skip(name, 1), value);
    } else if (weir_str_ends(name, WEIR_STR("*"))) {
        added = hosts_add_wildcard(hosts, &hosts->tails, weir_str(name.at, name.len - 1), value);
    } else {
        size_t before = hosts->exact.n;

        weir_table_add(&hosts->exact, name, value);
        added = hosts->exact.n != before;
    }
    *conflict = !added;
    return true;
}

/* -- finding -- */

/* The asterisk stands for at least one byte. */
static void *
hosts_find_wildcard(const weir_radix_t *tree, weir_str_t key)
{
    const weir_radix_node_t *node = weir_radix_longest(tree, key);

    if (node != NULL && node->depth == key.len) {
        node = weir_radix_shorter(node);
    }
    weir_assert(node == NULL || (node->value != NULL && node->depth < key.len));
    return node != NULL ? node->value : NULL;
}

static void *
hosts_find_name(const weir_hosts_t *hosts, weir_str_t host)
{
    char  turned[HOSTS_MAX_NAME];
    void *value = weir_table_find(&hosts->exact, host);

    if (value == NULL && hosts->heads.root.n != 0 && host.len <= sizeof(turned)) {
        hosts_reverse(turned, host);
        value = hosts_find_wildcard(&hosts->heads, weir_str(turned, host.len));
    }
    return value != NULL ? value : hosts_find_wildcard(&hosts->tails, host);
}

enum { HOSTS_WALK_EXACT, HOSTS_WALK_LONGEST, HOSTS_WALK_SHORTER };

void *
weir_hosts_next(const weir_hosts_t *hosts, weir_str_t host, weir_hosts_walk_t *walk)
{
    char       turned[HOSTS_MAX_NAME];
    weir_str_t key = weir_str(turned, host.len);
    void      *value;

    if (walk->stage == HOSTS_WALK_EXACT) {
        walk->stage = HOSTS_WALK_LONGEST;
        value = weir_table_find(&hosts->exact, host);
        if (value != NULL) {
            return value;
        }
    }
    if (walk->stage == HOSTS_WALK_LONGEST) {
        walk->stage = HOSTS_WALK_SHORTER;
        if (hosts->heads.root.n == 0 || host.len > sizeof(turned)) {
            return NULL;
        }
        weir_assert(walk->node == NULL);
        hosts_reverse(turned, host);
        walk->node = weir_radix_longest(&hosts->heads, key);
        if (walk->node != NULL && walk->node->depth == key.len) {
            walk->node = weir_radix_shorter(walk->node);
        }
    } else if (walk->node != NULL) {
        walk->node = weir_radix_shorter(walk->node);
    }
    return walk->node != NULL ? walk->node->value : NULL;
}

void *
weir_hosts_find(const weir_hosts_t *hosts, weir_str_t host, weir_captures_t *captures, const weir_regex_t **regex,
                bool *limit)
{
    void *value = hosts_find_name(hosts, host);

    *regex = NULL;
    *limit = false;
    for (size_t i = 0; value == NULL && i < hosts->patterns.n; i++) {
        const hosts_pattern_t *pattern = weir_array_at(&hosts->patterns, hosts_pattern_t, i);
        weir_regex_result_t    result = weir_regex_exec(pattern->regex, host, captures);

        if (result == WEIR_REGEX_LIMIT) {
            *limit = true;
            return NULL;
        }
        if (result == WEIR_REGEX_MATCH) {
            *regex = pattern->regex;
            value = pattern->value;
        }
    }
    return value;
}
