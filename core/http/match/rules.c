/*
 * rules.c - see rules.h.  Built with a generation and in its arena; asked by workers.
 *
 * A node has those rules that ask for no exact value (a list), and for each name of which others want one a table of
 * nodes.  A rule with several exact conditions hangs at the name that tells most rules apart; the node there tells the
 * others apart by the rest.  So each rule is at one place (one with several methods at one for each), and a look-up
 * goes to the places whose values the request has, and only where something better than the best so far may be.
 */
#include "http/match/rules.h"

#include "base/array.h"
#include "base/mem.h"
#include "base/table.h"

#include <stdlib.h>

#define RULES_LIST_MAX 8           /* so many are not worth a table */
#define RULES_CHUNK    2048

typedef struct rules_node rules_node_t;

/* A name of which values are wanted. */
typedef struct {
    const weir_predicate_t *like;      /* any predicate of it */
    uint32_t                best;      /* rank of the best rule in the table */
    weir_table_t            by_value;  /* rules_node_t */
} rules_key_t;

struct rules_node {
    uint32_t      best;
    weir_rule_t **list;                /* best first */
    size_t        n;
    rules_key_t  *keys;                /* those with the best rules first */
    size_t        n_keys;
};

struct weir_rules {
    weir_arena_t *arena;
    weir_array_t  all;                 /* weir_rule_t *; best first once sealed */
    rules_node_t *root;
};

weir_rules_t *
weir_rules_create(weir_arena_t *arena)
{
    weir_rules_t *rules = weir_new(arena, weir_rules_t);

    rules->arena = arena;
    weir_array_init(&rules->all, arena, sizeof(weir_rule_t *), 0);
    return rules;
}

void
weir_rules_add(weir_rules_t *rules, weir_rule_t *rule)
{
    weir_assert(rules->root == NULL);
    *(weir_rule_t **) weir_array_push(&rules->all) = rule;
}

/* -- building -- */

/* Names that were used on the way to a node. */
typedef struct rules_used {
    const struct rules_used *above;
    const weir_predicate_t  *like;
} rules_used_t;

/* A name, while it is weighed which one tells rules apart best. */
typedef struct {
    const weir_predicate_t *like;
    size_t                  n_values, n_rules, order;
    weir_array_t            groups;    /* rules_group_t *: of each value that is wanted */
    weir_table_t            by_value;  /* rules_group_t */
} rules_name_t;

typedef struct { weir_str_t value; weir_array_t rules; } rules_group_t;

/* One building of a node: memory that is not needed afterwards. */
typedef struct {
    weir_arena_t       *arena, scratch;
    const rules_used_t *used;
    weir_table_t        names;         /* rules_name_t, by kind and name */
    weir_table_t        values;        /* what was counted: kind, name and value */
    weir_array_t        in_order;      /* rules_name_t * */
    rules_node_t       *node;
} rules_build_t;

static rules_node_t *rules_make(weir_arena_t *arena, weir_rule_t **rules, size_t n, const rules_used_t *used);

static bool
rules_same_name(const weir_predicate_t *a, const weir_predicate_t *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    return a->kind == WEIR_PRED_METHOD
           || (a->kind == WEIR_PRED_HEADER ? weir_str_eq_fold(a->name, b->name) : weir_str_eq(a->name, b->name));
}

static bool
rules_is_used(const rules_used_t *used, const weir_predicate_t *pred)
{
    for (; used != NULL; used = used->above) {
        if (rules_same_name(used->like, pred)) {
            return true;
        }
    }
    return false;
}

/* The values that it wants: one, but of methods. */
static size_t
rules_n_values(const weir_predicate_t *pred)
{
    return pred->kind == WEIR_PRED_METHOD && pred->names.n != 0 ? pred->names.n : 1;
}

static weir_str_t
rules_value(const weir_predicate_t *pred, size_t i)
{
    if (pred->kind != WEIR_PRED_METHOD) {
        return pred->value;
    }
    return pred->names.n != 0 ? pred->names.at[i] : pred->name;
}

static rules_name_t *
rules_name_of(rules_build_t *b, const weir_predicate_t *pred)
{
    weir_str_t    name = pred->kind == WEIR_PRED_METHOD ? WEIR_STR("") : pred->name;
    weir_str_t    key = weir_str_printf(&b->scratch, "%d%.*s", (int) pred->kind, WEIR_STR_ARG(name));
    rules_name_t *found;

    if (pred->kind == WEIR_PRED_HEADER) {
        key = weir_str_lower(&b->scratch, key);
    }
    found = weir_table_find(&b->names, key);
    if (found == NULL) {
        found = weir_new(&b->scratch, rules_name_t);
        found->like = pred;
        found->order = b->in_order.n;
        weir_array_init(&found->groups, &b->scratch, sizeof(rules_group_t *), 0);
        weir_table_init(&found->by_value, &b->scratch);
        *(rules_name_t **) weir_array_push(&b->in_order) = found;
        (void) weir_table_add(&b->names, key, found);
    }
    return found;
}

/* May rules be found by it here? */
static bool
rules_is_key(const rules_build_t *b, const weir_predicate_t *pred)
{
    return weir_predicates_is_exact(pred) && !rules_is_used(b->used, pred);
}

static void
rules_count(rules_build_t *b, const weir_rule_t *rule)
{
    for (size_t i = 0; i < rule->n_preds; i++) {
        const weir_predicate_t *pred = &rule->preds[i];
        rules_name_t           *name = rules_is_key(b, pred) ? rules_name_of(b, pred) : NULL;

        for (size_t v = 0; name != NULL && v < rules_n_values(pred); v++) {
            weir_str_t value = rules_value(pred, v);

            value = weir_str_printf(&b->scratch, "%zu %.*s", name->order, WEIR_STR_ARG(value));
            name->n_values += weir_table_find(&b->values, value) == NULL;
            (void) weir_table_add(&b->values, value, name);
        }
        if (name != NULL) {
            name->n_rules++;
        }
    }
}

/* The one of which more values are wanted tells rules apart better. */
static bool
rules_is_better(const rules_name_t *a, const rules_name_t *b)
{
    if (a->n_values != b->n_values) {
        return a->n_values > b->n_values;
    }
    return a->n_rules != b->n_rules ? a->n_rules > b->n_rules : a->order < b->order;
}

/* NULL: the rule asks for no exact value. */
static const weir_predicate_t *
rules_best_key(rules_build_t *b, const weir_rule_t *rule, rules_name_t **best)
{
    const weir_predicate_t *key = NULL;

    for (size_t i = 0; i < rule->n_preds; i++) {
        if (rules_is_key(b, &rule->preds[i])) {
            rules_name_t *name = rules_name_of(b, &rule->preds[i]);

            if (key == NULL || rules_is_better(name, *best)) {
                key = &rule->preds[i];
                *best = name;
            }
        }
    }
    return key;
}

static void
rules_put(rules_build_t *b, rules_name_t *name, weir_str_t value, weir_rule_t *rule)
{
    rules_group_t *group = weir_table_find(&name->by_value, value);

    if (group == NULL) {
        group = weir_new(&b->scratch, rules_group_t);
        group->value = value;
        weir_array_init(&group->rules, &b->scratch, sizeof(weir_rule_t *), 0);
        *(rules_group_t **) weir_array_push(&name->groups) = group;
        (void) weir_table_add(&name->by_value, value, group);
    }
    *(weir_rule_t **) weir_array_push(&group->rules) = rule;
}

static void
rules_make_key(rules_build_t *b, rules_key_t *key, rules_name_t *name)
{
    const rules_used_t used = { .above = b->used, .like = name->like };

    weir_assert(name->groups.n != 0 && !rules_is_used(b->used, name->like));
    key->like = name->like;
    key->best = UINT32_MAX;
    weir_table_init(&key->by_value, b->arena);
    for (size_t i = 0; i < name->groups.n; i++) {
        rules_group_t *group = *weir_array_at(&name->groups, rules_group_t *, i);
        rules_node_t  *node = rules_make(b->arena, group->rules.at, group->rules.n, &used);

        key->best = node->best < key->best ? node->best : key->best;
        (void) weir_table_add(&key->by_value, group->value, node);
    }
}

static int
rules_compare_keys(const void *a, const void *b)
{
    const rules_key_t *left = a, *right = b;

    return left->best < right->best ? -1 : left->best > right->best;
}

static void
rules_make_keys(rules_build_t *b)
{
    rules_node_t *node = b->node;

    node->keys = weir_new_n(b->arena, rules_key_t, b->in_order.n);
    for (size_t i = 0; i < b->in_order.n; i++) {
        rules_name_t *name = *weir_array_at(&b->in_order, rules_name_t *, i);

        if (name->groups.n != 0) {
            rules_make_key(b, &node->keys[node->n_keys++], name);
        }
    }
    weir_assert(node->n_keys <= b->in_order.n && (node->n_keys != 0 || node->n != 0));
    qsort(node->keys, node->n_keys, sizeof(*node->keys), rules_compare_keys);
}

static void
rules_part(rules_build_t *b, weir_rule_t **rules, size_t n)
{
    rules_name_t *name = NULL;

    for (size_t i = 0; i < n; i++) {
        rules_count(b, rules[i]);
    }
    for (size_t i = 0; i < n; i++) {
        const weir_predicate_t *key = rules_best_key(b, rules[i], &name);

        if (key == NULL) {
            b->node->list[b->node->n++] = rules[i];
        }
        for (size_t v = 0; key != NULL && v < rules_n_values(key); v++) {
            rules_put(b, name, rules_value(key, v), rules[i]);
        }
    }
    rules_make_keys(b);
}

/* rules: best first.  As deep as a rule has predicates. */
static rules_node_t *
rules_make(weir_arena_t *arena, weir_rule_t **rules, size_t n, const rules_used_t *used)
{
    rules_build_t b = { .arena = arena, .used = used, .node = weir_new(arena, rules_node_t) };

    weir_assert(n != 0 && rules[0]->rank <= rules[n - 1]->rank);
    b.node->best = rules[0]->rank;
    b.node->list = weir_new_n(arena, weir_rule_t *, n);
    if (n <= RULES_LIST_MAX) {
        memcpy(b.node->list, rules, n * sizeof(*rules));
        b.node->n = n;
        return b.node;
    }
    weir_arena_init(&b.scratch, 65536);
    weir_table_init(&b.names, &b.scratch);
    weir_table_init(&b.values, &b.scratch);
    weir_array_init(&b.in_order, &b.scratch, sizeof(rules_name_t *), 0);
    rules_part(&b, rules, n);
    weir_arena_fini(&b.scratch);
    return b.node;
}

static int
rules_compare(const void *a, const void *b)
{
    return weir_predicates_compare(*(weir_rule_t *const *) a, *(weir_rule_t *const *) b);
}

void
weir_rules_seal(weir_rules_t *rules)
{
    weir_rule_t **all = rules->all.at;

    weir_assert(rules->root == NULL && rules->all.n != 0);
    qsort(all, rules->all.n, sizeof(*all), rules_compare);
    for (size_t i = 0; i < rules->all.n; i++) {
        all[i]->rank = (uint32_t) i;
    }
    rules->root = rules_make(rules->arena, all, rules->all.n, NULL);
}

/* -- finding -- */

typedef struct {
    const weir_match_input_t *input;
    weir_match_t             *match;
    weir_arena_t              scratch;
    const weir_rule_t        *best;        /* NULL: none so far */
} rules_search_t;

static inline bool
rules_may_be_better(const rules_search_t *s, uint32_t rank)
{
    return !s->match->limit && (s->best == NULL || rank < s->best->rank);
}

static void
rules_search_list(rules_search_t *s, const rules_node_t *node)
{
    for (size_t i = 0; i < node->n && rules_may_be_better(s, node->list[i]->rank); i++) {
        const weir_rule_t *rule = node->list[i];

        weir_assert(rule->rank >= node->best);
        s->match->steps++;
        if (rule->n_preds == 0 || weir_predicates_hold(rule->preds, rule->n_preds, s->input, &s->match->limit)) {
            s->best = rule;
            return;
        }
    }
}

static void
rules_search(rules_search_t *s, const rules_node_t *node)
{
    for (size_t i = 0; i < node->n_keys && rules_may_be_better(s, node->keys[i].best); i++) {
        const rules_key_t  *key = &node->keys[i];
        const rules_node_t *inner = NULL;
        weir_str_t          value;

        s->match->steps++;
        if (weir_predicates_value(key->like, s->input, &s->scratch, &value)) {
            inner = weir_table_find(&key->by_value, value);
        }
        if (inner != NULL && rules_may_be_better(s, inner->best)) {
            rules_search(s, inner);
        }
    }
    rules_search_list(s, node);
}

const weir_rule_t *
weir_rules_find(const weir_rules_t *rules, const weir_match_input_t *input, weir_match_t *match)
{
    rules_search_t s = { .input = input, .match = match };

    weir_assert(rules->root != NULL);
    if (rules->root->n_keys == 0) {
        rules_search_list(&s, rules->root);
        return match->limit ? NULL : s.best;
    }
    weir_arena_init(&s.scratch, RULES_CHUNK);
    rules_search(&s, rules->root);
    weir_arena_fini(&s.scratch);
    return match->limit ? NULL : s.best;
}

const weir_rule_t *
weir_rules_not_literal(weir_rule_t *const *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (rules[i]->kind == WEIR_PATH_REGEX || rules[i]->kind == WEIR_PATH_TEMPLATE) {
            return rules[i];
        }
    }
    return NULL;
}
