/*
 * control.h - the control socket: who may, changes groups' peers while the instance runs, or looks at them.
 *
 * A unix socket beside the pid file (its name and ".control"), for root and the user who started the instance.  A
 * command is a line of JSON (upstream/command.h), and so is its answer, in the order of the commands.  A change is
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

#include "event/loop.h"
#include "upstream/changes.h"

#define WEIR_CONTROL_SUFFIX ".control"       /* behind the pid file's name */
#define WEIR_CONTROL_LINE   16384            /* bytes of a command, at most */

/* Whose groups they are. */
typedef struct {
    void        *data;
    weir_loop_t *loop;
    weir_generation_t *(*generation)(void *data);
    /* Why nothing may be changed now; NULL: it may. */
    const char  *(*is_closed)(void *data);
    /* From now on the change of that number holds, here and soon everywhere.  line: the command.  false with *error. */
    bool         (*publish)(void *data, uint64_t number, const weir_change_t *change, weir_str_t line,
                            weir_error_t *error);
    /* What went wrong with the change of that number although it holds; NULL: nothing. */
    const char  *(*fault)(void *data, uint64_t number);
    /* The last change that all go by.  late, unless NULL: gets the processes that do not go by `number` yet. */
    uint64_t     (*settled)(void *data, uint64_t number, json_t *late);
} weir_control_ops_t;

/* Again is a new socket of that name.  What cannot be made is logged: the instance runs all the same. */
void weir_control_open(const weir_control_ops_t *ops, weir_str_t pid_file);
/* Some process goes by more than before. */
void weir_control_settle(void);
/* The socket is removed, unless it is another process's by now. */
void weir_control_close(void);
/* In a forked child, whose loop is not ours. */
void weir_control_forget(void);

#endif
