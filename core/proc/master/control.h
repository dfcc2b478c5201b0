/*
 * control.h - the control socket: users who may change groups' peers while the instance runs, or look at them, do so
 * here.
 *
 * A unix socket beside the pid file (its name and ".control"), for root and the user who started the instance.  A
 * command is a line of JSON (commands.h), and so is its answer, in the order of the commands.  A change is
 * answered when all workers go by it; {"ok":true,"late":[PID…]} names those that do not within ten seconds: what was
 * changed holds all the same, and they go by it as soon as they can.  {"error":"…"}: nothing is changed.
 *
 *     client: line -> checked -> this process's own, a number -> told to workers -> all go by it -> answered
 *                        |
 *                        +-- error
 *
 * Runs in the master, or in the single process.
 */
#ifndef WEIR_PROC_MASTER_CONTROL_H
#define WEIR_PROC_MASTER_CONTROL_H

#include "proc/master/commands.h"

#define WEIR_CONTROL_SUFFIX ".control"       /* behind the pid file's name */
#define WEIR_CONTROL_LINE   16384            /* bytes of a command, at most */

/* Again is a new socket of that name.  What cannot be made is logged: the instance runs all the same. */
void weir_control_open(const weir_command_ops_t *ops, weir_str_t pid_file);
/* Some process goes by more than before. */
void weir_control_settle(void);
/* The socket is removed, unless it is another process's by now. */
void weir_control_close(void);
/* In a forked child, whose loop is not ours. */
void weir_control_forget(void);

#endif
