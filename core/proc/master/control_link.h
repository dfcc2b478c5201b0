/*
 * control_link.h - the master's end of the link to a control process: requests become calls of commands, and their
 * answers frames.
 *
 * Runs in the master, or in the single process; memory: the heap.
 */
#ifndef WEIR_PROC_MASTER_CONTROL_LINK_H
#define WEIR_PROC_MASTER_CONTROL_LINK_H

#include "proc/common/frames.h"
#include "proc/master/call.h"

typedef struct weir_control_link weir_control_link_t;
struct weir_control_link {
    weir_frames_t             frames;
    const weir_command_ops_t *ops;
    pid_t                     pid;           /* for the log */
    weir_list_t               calls;
    size_t                    n_calls;
    uint64_t                  said_second;   /* of the log's lines: which second it is, and how many in it */
    unsigned                  n_said;
    weir_task_t               task;
    void                    (*on_end)(weir_control_link_t *link);
};

/* Zeroed before, on_end set; fd becomes the link's.  false: errno, and it is closed. */
bool weir_control_link_open(weir_control_link_t *link, const weir_command_ops_t *ops, int fd) WEIR_MUST_USE;
/* What can be answered is. */
void weir_control_link_settle(weir_control_link_t *link);
void weir_control_link_leave(weir_control_link_t *link);         /* the process is told to */
/* What was asked holds, but no caller waits for it.  Safe when closed. */
void weir_control_link_close(weir_control_link_t *link);
void weir_control_link_forget(weir_control_link_t *link);        /* in a forked child */

#endif
