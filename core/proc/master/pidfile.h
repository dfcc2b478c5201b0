/*
 * pidfile.h - the file in which the master's process id stands, for `weir -s` and for scripts.
 */
#ifndef WEIR_PROC_MASTER_PIDFILE_H
#define WEIR_PROC_MASTER_PIDFILE_H

#include "base/str.h"

#include <limits.h>
#include <sys/types.h>

/* All log what is wrong themselves. */
bool weir_pidfile_write(weir_str_t path, pid_t pid) WEIR_MUST_USE;
/* -s: the process id in the file.  false: no file, or no number in it. */
bool weir_pidfile_read(weir_str_t path, pid_t *pid) WEIR_MUST_USE;
/* -t: whether it could be written, without doing so. */
bool weir_pidfile_check(weir_str_t path) WEIR_MUST_USE;
void weir_pidfile_remove(weir_str_t path);

/* The pid file's name, and the one it has while two programs serve (upgrade.h). */
typedef struct { char name[PATH_MAX], old[PATH_MAX]; } weir_pidfile_names_t;
/* false: errno, too long. */
bool weir_pidfile_names(weir_str_t path, weir_pidfile_names_t *names) WEIR_MUST_USE;

#endif
