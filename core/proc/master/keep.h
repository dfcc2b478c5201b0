/*
 * keep.h - the files of `state`: what was changed is on the disk before it is answered.
 *
 * A write has to wait for the disk, and the master may not: it has signals and workers to look after.  So a child that
 * is forked for it writes the files, one child at a time; it has the changes as they were when it began.  What is
 * changed meanwhile waits for the next, so that any number of changes is one write.  A child rests as long as the one
 * before it took: half of a processor at most is spent on it.  It dies with its master, and never replaces a file that
 * another master has written.
 *
 * A file is written beside the old one, synced, and renamed over it; then its folder is synced (os/file.h).
 */
#ifndef WEIR_PROC_MASTER_KEEP_H
#define WEIR_PROC_MASTER_KEEP_H

#include "proc/master/master.h"
#include "upstream/changes.h"

/* That change of the group is to be in its file; nothing for a group without one. */
void        weir_keep_change(weir_master_t *master, const weir_group_conf_t *group, uint64_t number);
/* Changes up to this are in their files, or could not be written. */
uint64_t    weir_keep_done(void);
/* Changes up to this are in their files. */
uint64_t    weir_keep_safe(void);
/* Why a change of that number may not be in its file although it is done; NULL: it is. */
const char *weir_keep_fault(uint64_t number);
pid_t       weir_keep_pid(void);             /* of the child that writes; 0: none */
/* Another generation is in use: files that it does not name are not written any more. */
void        weir_keep_use(weir_master_t *master);
/* All that was changed is written, or cannot be, when this returns. */
void        weir_keep_wait(weir_master_t *master);
/* In a forked child, whose loop is not ours. */
void        weir_keep_forget(void);

#endif
