/*
 * control.h - the control socket as the master sees it: the file, the process that owns it (proc/control), the link.
 *
 *     listening (here, kept) --> control process --> clients
 *                                   |  ^
 *                          REQUEST  |  |  ANSWER          (proc/common/frames.h)
 *                                   v  |
 *     words of JSON --> commands.h: checked anew, made or refused --> answered when all go by it (call.h)
 *
 * The process is started again when it dies, at once, then with growing patience; a client that connects meanwhile
 * waits in the socket's queue.  What the link says is bounded and checked, whatever the process has become: JSON of so
 * many values and so deep, so many calls under way, so many lines for the log.  A process that another socket replaces
 * answers what it has and leaves.  In the single process the server runs in the same loop behind a link to itself.
 *
 * Runs in the master, or in the single process.
 */
#ifndef WEIR_PROC_MASTER_CONTROL_H
#define WEIR_PROC_MASTER_CONTROL_H

#include "proc/common/settings.h"
#include "proc/master/commands.h"

#define WEIR_CONTROL_SUFFIX ".control"       /* behind the pid file's name, where no path is configured */

/* Again is a new socket of that name, where it is not there any more.  What cannot be made is logged: the instance runs
 * all the same. */
void weir_control_open(const weir_command_ops_t *ops, weir_str_t pid_file, const weir_settings_t *settings);
/* Other settings are in use: another socket where they say so, or where it was removed. */
void weir_control_use(weir_str_t pid_file, const weir_settings_t *settings);
/* Some process goes by more than before. */
void weir_control_settle(void);
/* A child of the master's has ended; true: it was one of these. */
bool weir_control_ended(pid_t pid, int status);
/* Comes again and again; stopped at so many looks, one after the other, it is killed. */
void weir_control_look(uint32_t looks, weir_msec_t limit);
/* The socket is removed, unless it is another process's by now.  Waits for the process for a moment. */
void weir_control_close(void);
/* In a forked child, whose loop is not ours. */
void weir_control_forget(void);

#endif
