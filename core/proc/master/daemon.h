/*
 * daemon.h - leaving the terminal: the process that a person started ends when the one that stays says it is ready.
 */
#ifndef WEIR_PROC_MASTER_DAEMON_H
#define WEIR_PROC_MASTER_DAEMON_H

#include "base/base.h"

/* Returns in a child that leads a session of its own, with standard streams on /dev/null but for errors, which a start
 * that fails still shows.  The parent waits for weir_daemon_ready and exits 0, or 1 when the child ends before.
 * false: errno, still in the one that was started. */
bool weir_daemon_start(void) WEIR_MUST_USE;
/* Errors from here on go to `log_fd` (-1: /dev/null).  Without weir_daemon_start: nothing; so the others. */
void weir_daemon_turn_stderr(int log_fd);
/* Lets the parent go. */
void weir_daemon_ready(void);
/* For forked children: drops what would keep the parent waiting. */
void weir_daemon_forget(void);

#endif
