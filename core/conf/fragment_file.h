/*
 * fragment_file.h - files of fragments: each *.conf and *.json below a folder, named by its path below it.
 *
 * Runs in the master, and in tools that read a configuration.
 */
#ifndef WEIR_CONF_FRAGMENT_FILE_H
#define WEIR_CONF_FRAGMENT_FILE_H

#include "conf/bundle.h"
#include "conf/fragment.h"

#define WEIR_FRAGMENT_FILE_MAX   ((size_t) 16 << 20)      /* bytes of one */
#define WEIR_FRAGMENT_FILES_MAX  ((uint64_t) 64 << 20)    /* of all below a folder */

/* Is a file of that name one? */
bool weir_fragment_file_is_one(weir_str_t name);
/* What the file says as a packed tree in the arena.  false with *error, which names the fragment. */
bool weir_fragment_file_read(weir_arena_t *arena, weir_str_t name, const char *path, weir_str_t *tree,
                             weir_error_t *error) WEIR_MUST_USE;
/* All below the folder are put into the bundle, those that can be read.  false with *error: one or more cannot, and
 * tell has been called for each of them. */
bool weir_fragment_files_put(weir_bundle_t *bundle, weir_str_t folder, void (*tell)(const weir_error_t *error),
                             weir_error_t *error) WEIR_MUST_USE;

#endif
