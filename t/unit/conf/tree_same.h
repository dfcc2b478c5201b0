/*
 * tree_same.h - are two trees of configurations the same?
 */
#ifndef WEIR_T_TREE_SAME_H
#define WEIR_T_TREE_SAME_H

#include "conf/tree.h"

static inline weir_str_t
tree_same_trim(weir_str_t comment)
{
    while (comment.len != 0 && strchr(" \t\r", comment.at[comment.len - 1]) != NULL) {
        comment.len--;
    }
    return comment;
}

static inline bool
tree_same_words(const weir_conf_words_t *a, const weir_conf_words_t *b)
{
    bool same = a->n == b->n;

    for (size_t i = 0; i < a->n && same; i++) {
        same = weir_str_eq(a->at[i].text, b->at[i].text) && a->at[i].quoted == b->at[i].quoted
            && a->at[i].is_literal == b->at[i].is_literal;
    }
    return same;
}

/* Words, quotes, blocks and comments; lines need not be the same. */
static inline bool
tree_same(const weir_tree_node_t *a, const weir_tree_node_t *b)
{
    const weir_tree_node_t *x = a->first, *y = b->first;

    if (a->is_block != b->is_block || a->n_inner != b->n_inner || !tree_same_words(&a->words, &b->words)
        || !weir_str_eq(tree_same_trim(a->comment), tree_same_trim(b->comment)))
    {
        return false;
    }
    for (size_t i = 0; i < a->n_inner; i++) {
        if (a->inner[i].before != b->inner[i].before
            || !weir_str_eq(tree_same_trim(a->inner[i].text), tree_same_trim(b->inner[i].text)))
        {
            return false;
        }
    }
    for (; x != NULL && y != NULL; x = x->next, y = y->next) {
        if (!tree_same(x, y)) {
            return false;
        }
    }
    return x == y;
}

#endif
