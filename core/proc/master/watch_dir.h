/*
 * watch_dir.h - tells that something below a folder may have changed, when it has been quiet there for a moment.
 *
 *     quiet --something changes--> stirred --100 ms without a change, or 1 s after the first--> on_change, quiet
 *
 * The folder, every folder below it, what its links lead to, and each folder on the way to it are watched (inotify).
 * So files that are written or renamed, links that are swapped (a ..data of Kubernetes), and a whole folder or a link
 * to one that takes its place are seen.  Where the kernel gives no watch, it is looked once a second whether names,
 * sizes and times are the same.
 *
 * Who reads the folder calls weir_watch_dir_renew before: what changes from then on is told.
 *
 * Runs in the master, or in the single process; memory of the heap.
 */
#ifndef WEIR_PROC_MASTER_WATCH_DIR_H
#define WEIR_PROC_MASTER_WATCH_DIR_H

#include "base/str.h"
#include "event/loop.h"

typedef struct weir_watch_dir weir_watch_dir_t;

/* path: absolute.  Nothing is watched before the first renewal. */
weir_watch_dir_t *weir_watch_dir_create(weir_loop_t *loop, weir_str_t path, void (*on_change)(void *data), void *data);
void              weir_watch_dir_destroy(weir_watch_dir_t *dir);
/* Watches what is there now. */
void              weir_watch_dir_renew(weir_watch_dir_t *dir);
/* In a forked child, whose loop is not ours: its descriptor is closed, its timers are no more. */
void              weir_watch_dir_forget(weir_watch_dir_t *dir);
/* Whether it is looked once a second: there is no watch. */
bool              weir_watch_dir_is_looking(const weir_watch_dir_t *dir);

#endif
