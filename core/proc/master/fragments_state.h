/*
 * fragments_state.h - fragments as a text, for the file of `fragments_state` and for a program that takes over:
 *
 *     { "fragments": [ { "name": NAME, "from": "socket", "tree": JSON notation }, … ] }
 *
 * Runs in the master, in the single process, and in a child that writes the file.  Threat: the file is root's; it is
 * bounded by its length and by what conf/tree_json.h says.
 */
#ifndef WEIR_PROC_MASTER_FRAGMENTS_STATE_H
#define WEIR_PROC_MASTER_FRAGMENTS_STATE_H

#include "proc/master/fragments.h"

/* Those of the socket, or all of them; one that has no live version with the one that was refused.  NULL with *error:
 * no memory.  Of malloc. */
char *weir_fragments_state_text(const weir_fragment_table_t *table, bool all, weir_error_t *error) WEIR_MUST_USE;
/* Calls each with those of the text.  false with *error: it is none. */
bool  weir_fragments_state_read(weir_str_t text, const char *path,
                                bool (*each)(void *data, weir_fragment_from_t from, const weir_fragment_t *fragment,
                                             weir_error_t *error),
                                void *data, weir_error_t *error) WEIR_MUST_USE;
/* The file's fragments are put into the bundle; none where there is no file. */
bool  weir_fragments_state_put(weir_bundle_t *bundle, weir_str_t path, weir_error_t *error) WEIR_MUST_USE;
/* The bytes of the file: in the arena; empty where there is none. */
bool  weir_fragments_state_load(weir_arena_t *arena, weir_str_t path, weir_str_t *text,
                                weir_error_t *error) WEIR_MUST_USE;

#endif
