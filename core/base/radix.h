/*
 * radix.h - a radix tree over bytes in an arena: which keys is this text's beginning made of?
 *
 * Filled at load time, read for as long as the arena lives.  A look-up visits at most one node a byte of the text,
 * and as few as there are forks on its way, however many keys there are.
 */
#ifndef WEIR_BASE_RADIX_H
#define WEIR_BASE_RADIX_H

#include "base/arena.h"
#include "base/str.h"

typedef struct weir_radix_node weir_radix_node_t;
struct weir_radix_node {
    weir_radix_node_t  *parent;
    weir_str_t          label;       /* the bytes between the parent's key and this one's; empty in the root only */
    size_t              depth;       /* bytes of this node's key */
    void               *value;       /* NULL: a fork, no key ends here */
    char               *firsts;      /* first bytes of the children's labels, no two the same */
    weir_radix_node_t **children;    /* in the order of firsts */
    uint16_t            n, cap;
};

typedef struct {
    weir_arena_t     *arena;
    weir_radix_node_t root;          /* the children point here: a tree is never moved */
} weir_radix_t;

void weir_radix_init(weir_radix_t *tree, weir_arena_t *arena);
/* The node of a key, made when it is not there; the caller sets its value.  The key is borrowed. */
weir_radix_node_t *weir_radix_add(weir_radix_t *tree, weir_str_t key) __attribute__((returns_nonnull));
/* The longest key with a value that the text begins with, and then the next shorter one; NULL: none. */
const weir_radix_node_t *weir_radix_longest(const weir_radix_t *tree, weir_str_t text);
const weir_radix_node_t *weir_radix_shorter(const weir_radix_node_t *node);

#endif
