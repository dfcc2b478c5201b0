/*
 * worker.h - a worker process, from fork to exit.
 */
#ifndef WEIR_PROC_WORKER_WORKER_H
#define WEIR_PROC_WORKER_WORKER_H

#include "conf/generation.h"
#include "proc/common/channel.h"
#include "proc/common/pulse.h"

/* What a worker begins with; all of it becomes the worker's. */
typedef struct {
    uint32_t               index;       /* of workers */
    int                    channel;
    pid_t                  master;
    weir_pulse_t          *pulse;       /* what the master looks at */
    weir_generation_t     *generation;
    weir_conf_source_t     source;
    weir_arena_t           arena;       /* of source's texts and of sockets */
    weir_channel_socket_t *sockets;     /* fds[i] listens on sockets[i] */
    int                   *fds;
    size_t                 n_sockets;
} weir_worker_start_t;

/* Never returns.  Exit codes: 0 asked to leave · 2 could not start. */
_Noreturn void weir_worker_run(weir_worker_start_t *start);

#define WEIR_WORKER_COULD_NOT_START 2

#endif
