/*
 * tree_json.h - the JSON notation of a configuration (tree.h):
 *
 *     [ { "directive": "server", "args": [], "line": 3, "block": [
 *           { "directive": "return", "args": ["200", { "expression": "hello $remote_addr" }] } ] },
 *       { "directive": "#", "comment": " a comment" } ]
 *
 * An element of args is a text, which is the word byte for byte: a ';', a brace, a quote or a '$' in it means nothing.
 * Or it is an object with one of these:
 *     expression   the word as the text notation has it: '$' begins a variable, where the directive has variables
 *     quoted       a text that stands in quotes in the text notation though it need not; expression goes along with it
 *                  as "quoted": true; in conditions it is a text then, and no operator (and, "(", …)
 * Beside directive and args: block (an array; what has none is no block), line and file (told, and not read), comments
 * between words ({"before": N, "comment": TEXT}), gap (true: a blank line stands before it), breaks (the numbers of
 * words that begin a line), trailing (of a comment: it stands in the line before).
 *
 * Pure.  Threat: what is read comes from machines over a socket: it is bounded by its length, by 64 levels and by the
 * number of values; every member is checked, and one that is not known is an error.
 */
#ifndef WEIR_CONF_TREE_JSON_H
#define WEIR_CONF_TREE_JSON_H

#include "base/json.h"
#include "conf/tree.h"

#define WEIR_TREE_JSON_MAX (64u << 20)     /* bytes */

/* true, or false with *error: a text is not UTF-8, which JSON must be. */
bool weir_tree_json_write_text(weir_str_t text, FILE *out, weir_error_t *error) WEIR_MUST_USE;
bool weir_tree_json_write(const weir_tree_node_t *root, FILE *out, weir_error_t *error) WEIR_MUST_USE;

/* What a text without "expression" may have in it. */
typedef enum {
    WEIR_TREE_JSON_LITERAL,                /* its '$' is a '$', as of "…"$ in the text notation */
    WEIR_TREE_JSON_VARIABLES,              /* its '$' may begin a variable, as in the JSON of crossplane */
} weir_tree_json_dollar_t;

/* NULL with *error, which says where by a JSON Pointer (RFC 6901).  So does what is said of the tree later. */
weir_tree_node_t *weir_tree_json_read(weir_arena_t *arena, weir_str_t json, const char *file,
                                      weir_tree_json_dollar_t dollar, weir_error_t *error) WEIR_MUST_USE;
/* Of an array that is a part of a larger value: `where` points to it. */
weir_tree_node_t *weir_tree_json_read_value(weir_arena_t *arena, const weir_json_t *array, weir_str_t where,
                                            const char *file, weir_tree_json_dollar_t dollar,
                                            weir_error_t *error) WEIR_MUST_USE;

#endif
