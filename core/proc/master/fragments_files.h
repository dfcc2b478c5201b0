/*
 * fragments_files.h - the files below the folder of `fragments`: what each says, read again when it has changed, and
 * what of it the table of fragments is to be asked for.
 *
 * Runs in the master, or in the single process; memory of the heap.
 */
#ifndef WEIR_PROC_MASTER_FRAGMENTS_FILES_H
#define WEIR_PROC_MASTER_FRAGMENTS_FILES_H

#include "proc/master/fragments.h"

#include <sys/stat.h>

typedef struct {
    char                    *name;           /* heap */
    struct stat              seen;
    bool                     is_settled;     /* it was not written just before: the same times, the same file */
    bool                     is_new;         /* read by the last scan */
    weir_fragment_version_t *version;        /* NULL: it cannot be read */
    weir_error_t            *why;            /* heap; NULL: it can */
} weir_fragments_file_t;

typedef struct { weir_fragments_file_t *at; size_t n, cap; } weir_fragments_files_t;      /* by name */

/* What is there now.  false with *error: all is as it was. */
bool weir_fragments_files_scan(weir_fragments_files_t *files, weir_str_t folder, weir_error_t *error) WEIR_MUST_USE;
/* The table is asked for what differs from what is live, a change for each file, in the place of what waited; on_end is
 * each one's.  again: also for what was refused before. */
void weir_fragments_files_ask(const weir_fragments_files_t *files, weir_fragment_table_t *table, bool again,
                              void (*on_end)(weir_fragments_change_t *change));
void weir_fragments_files_forget(weir_fragments_files_t *files);

#endif
