/*
 * tree.h - a configuration as a tree of directives with words: nginx's grammar, whatever the directives mean.
 *
 * Text is one notation of it and JSON the other (tree_json.h).  A tree keeps what a person put into a text beside the
 * words: comments, blank lines, and where a directive goes on in a new line.
 *
 * Pure: everything is of one arena, but what is written.  Runs in tools.
 */
#ifndef WEIR_CONF_TREE_H
#define WEIR_CONF_TREE_H

#include "conf/lex.h"

#include <stdio.h>

#define WEIR_TREE_DEPTH 64                 /* blocks inside one another */

/* Between the words of a directive. */
typedef struct { weir_str_t text; size_t before; } weir_tree_comment_t;      /* before: the number of the word behind */

typedef struct weir_tree_node weir_tree_node_t;
struct weir_tree_node {
    weir_tree_node_t          *next, *parent;
    weir_tree_node_t          *first, *last;    /* of a block: what is in it */
    weir_conf_words_t          words;           /* n 0: it is a comment */
    weir_str_t                 comment;         /* what stands behind '#' */
    const weir_tree_comment_t *inner;           /* n_inner of them, in their order */
    size_t                     n_inner;
    bool                       is_block;
    bool                       is_trailing;     /* a comment behind the directive or the '{' before it, in its line */
    bool                       has_gap;         /* blank lines stand before it */
};

/* A whole text: a node without words, whose children are what stands in it.  NULL with *error: file, line, column. */
weir_tree_node_t *weir_tree_read(weir_arena_t *arena, weir_str_t text, const char *file,
                                 weir_error_t *error) WEIR_MUST_USE;

/* Can the word be written without quotes? */
bool weir_tree_is_bare(weir_str_t word);
/* The tree as text that reads as this tree: an indent of four spaces a block, a blank line at most between two
 * directives. */
void weir_tree_write(const weir_tree_node_t *root, FILE *out);

/* A child of the parent behind those that it has; the caller fills it in. */
weir_tree_node_t *weir_tree_add(weir_arena_t *arena, weir_tree_node_t *parent);

#endif
