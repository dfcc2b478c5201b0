/*
 * radix.c - chains without forks are one node; a child is found by memchr over the first bytes of all (at most 256).
 *
 * Runs wherever a configuration is built or asked; memory is the arena's.
 */
#include "base/radix.h"

#define RADIX_FIRST_CAP 2

void
weir_radix_init(weir_radix_t *tree, weir_arena_t *arena)
{
    *tree = (weir_radix_t) { .arena = arena };
}

/* Where the child is whose label begins with c; NULL: there is none. */
static weir_radix_node_t **
radix_child(const weir_radix_node_t *node, char c)
{
    const char *at = node->n != 0 ? memchr(node->firsts, c, node->n) : NULL;

    return at != NULL ? &node->children[at - node->firsts] : NULL;
}

/* Of a child whose label begins with the text's first byte: does the text begin with all of it? */
static inline bool
radix_goes_on(const weir_radix_node_t *child, weir_str_t text)
{
    size_t n = child->label.len;

    return n == 1 || (n <= text.len && memcmp(child->label.at + 1, text.at + 1, n - 1) == 0);
}

static void
radix_adopt(weir_arena_t *arena, weir_radix_node_t *node, weir_radix_node_t *child)
{
    /* siblings differ in their first byte */
    weir_assert(child->label.len != 0 && node->n <= node->cap && node->n < 256);
    if (node->n == node->cap) {
        uint16_t            cap = (uint16_t) (node->cap != 0 ? node->cap * 2 : RADIX_FIRST_CAP);
        char               *firsts = weir_alloc_bytes(arena, cap);
        weir_radix_node_t **children = weir_new_n(arena, weir_radix_node_t *, cap);

        if (node->n != 0) {
            memcpy(firsts, node->firsts, node->n);
            memcpy(children, node->children, node->n * sizeof(*children));
        }
        node->firsts = firsts;
        node->children = children;
        node->cap = cap;
    }
    node->firsts[node->n] = child->label.at[0];
    node->children[node->n++] = child;
    child->parent = node;
}

static size_t
radix_common(weir_str_t a, weir_str_t b)
{
    size_t n = (size_t) weir_min(a.len, b.len), i = 0;

    while (i < n && a.at[i] == b.at[i]) {
        i++;
    }
    return i;
}

/* Puts a node after the first n bytes of the label of the child at `place`. */
static weir_radix_node_t *
radix_split(weir_arena_t *arena, weir_radix_node_t **place, size_t n)
{
    weir_radix_node_t *lower = *place, *upper = weir_new(arena, weir_radix_node_t);

    weir_assert(n != 0 && n < lower->label.len);
    upper->parent = lower->parent;
    upper->label = weir_str(lower->label.at, n);
    upper->depth = lower->depth - lower->label.len + n;
    lower->label = weir_str_skip(lower->label, n);
    radix_adopt(arena, upper, lower);
    *place = upper;
    return upper;
}

weir_radix_node_t *
weir_radix_add(weir_radix_t *tree, weir_str_t key)
{
    weir_radix_node_t *node = &tree->root, **place, *leaf;
    weir_str_t         rest = key;

    while (rest.len != 0 && (place = radix_child(node, rest.at[0])) != NULL) {
        size_t common = radix_common((*place)->label, rest);

        node = common == (*place)->label.len ? *place : radix_split(tree->arena, place, common);
        rest = weir_str_skip(rest, common);
    }
    if (rest.len == 0) {
        return node;
    }
    leaf = weir_new(tree->arena, weir_radix_node_t);
    weir_assert(node->depth + rest.len == key.len);
    leaf->label = rest;
    leaf->depth = key.len;
    radix_adopt(tree->arena, node, leaf);
    return leaf;
}

const weir_radix_node_t *
weir_radix_longest(const weir_radix_t *tree, weir_str_t text)
{
    const weir_radix_node_t *node = &tree->root, *best = node->value != NULL ? node : NULL;
    weir_radix_node_t      **place;

    while (text.len != 0 && (place = radix_child(node, text.at[0])) != NULL && radix_goes_on(*place, text)) {
        node = *place;
        text.at += node->label.len;
        text.len -= node->label.len;
        if (node->value != NULL) {
            best = node;
        }
    }
    return best;
}

const weir_radix_node_t *
weir_radix_shorter(const weir_radix_node_t *node)
{
    weir_assert(node != NULL);
    do {
        node = node->parent;
    } while (node != NULL && node->value == NULL);
    return node;
}
