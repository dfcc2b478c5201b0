/*
 * fragments_keep.h - the file of `fragments_state`: what was changed is on the disk before it is answered.
 *
 * As with the files of `state` (keep.h), a child that is forked for it writes the file beside the old one, syncs it and
 * renames it over that; one child at a time, and what is changed meanwhile waits for the next.  Where there can be no
 * child it is written here and now.
 *
 * Runs in the master, or in the single process.
 */
#ifndef WEIR_PROC_MASTER_FRAGMENTS_KEEP_H
#define WEIR_PROC_MASTER_FRAGMENTS_KEEP_H

#include "base/error.h"
#include "event/loop.h"

/* text: of malloc, taken over.  loop: NULL: here and now.  on_end: when all that was asked for is on the disk, or could
 * not be written. */
void        weir_fragments_keep_write(weir_loop_t *loop, const char *path, char *text, void (*on_end)(void));
bool        weir_fragments_keep_is_busy(void);
/* Why the file does not have what it was last asked to; NULL: it has. */
const char *weir_fragments_keep_fault(void);
/* All is written, or cannot be, when this returns. */
void        weir_fragments_keep_wait(void);
/* In a forked child, whose loop is not ours. */
void        weir_fragments_keep_forget(void);

#endif
