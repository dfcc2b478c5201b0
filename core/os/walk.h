/*
 * walk.h - the files of a folder and of all folders below it, in an order that is always the same.
 *
 * Links are followed: a folder or a file is what its name leads to.  What begins with a dot is not there.  A walk is
 * bounded by the number of files and of folders, and by their depth, so that a circle of links ends it with an error.
 */
#ifndef WEIR_OS_WALK_H
#define WEIR_OS_WALK_H

#include "base/error.h"

#include <sys/stat.h>

#define WEIR_WALK_FILES   16384
#define WEIR_WALK_FOLDERS 4096
#define WEIR_WALK_DEPTH   16

typedef struct {
    void *data;
    /* A folder, before it is listed; the first is the one that was asked for.  NULL: nobody wants to know. */
    void (*on_folder)(void *data, const char *path);
    /* A link, before what it leads to; NULL: nobody wants to know. */
    void (*on_link)(void *data, const char *path);
    /* A regular file.  name: its path below the folder, without a '/' before it; gone behind the call.  false: the walk
     * ends, with the error that was set. */
    bool (*on_file)(void *data, weir_str_t name, const char *path, const struct stat *st, weir_error_t *error);
} weir_walk_ops_t;

/* folder: absolute.  What goes while it is walked is not there.  false with *error. */
bool weir_walk(weir_str_t folder, const weir_walk_ops_t *ops, weir_error_t *error) WEIR_MUST_USE;

#endif
