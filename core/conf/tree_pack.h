/*
 * tree_pack.h - a tree of directives (tree.h) as bytes and back: so a piece of a configuration goes from one process to
 * another and never passes through text.
 *
 *     tree      "weirtre1"  file:text  is_json:u8  pointer:text  node… end
 *     node      flags:u8  line:u32  directive: n:u32 word…  n:u32 (before:u32 text)…  [node… end]   comment: text
 *     word      flags:u8  line:u32  column:u32  lines:u32  text
 *     text      length:u32  bytes                                      all in the machine's own byte order
 *
 * All that the tree tells comes back: words, quotes, which '$' is a '$', comments, and where each stood: in which file
 * and line, or in JSON, whose pointers are made again from where a node stands in the tree.
 *
 * Pure.  Threat: the bytes come from another process; they are bounded by their length, by 64 levels, by the numbers of
 * nodes and words, and each length is compared with what is left before it is used.
 */
#ifndef WEIR_CONF_TREE_PACK_H
#define WEIR_CONF_TREE_PACK_H

#include "conf/tree.h"

#define WEIR_TREE_PACK_MAX   (64u << 20)   /* bytes */
#define WEIR_TREE_PACK_NODES 1000000       /* directives and comments */
#define WEIR_TREE_PACK_WORDS 4000000       /* of all directives */

/* *bytes is in the arena; false with *error: the tree is larger than it may be. */
bool weir_tree_pack(weir_arena_t *arena, const weir_tree_node_t *root, weir_str_t *bytes,
                    weir_error_t *error) WEIR_MUST_USE;
/* A tree of which nothing is the bytes'; NULL with *error: this is none. */
weir_tree_node_t *weir_tree_unpack(weir_arena_t *arena, weir_str_t bytes, weir_error_t *error) WEIR_MUST_USE;

#endif
