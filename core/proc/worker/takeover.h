/*
 * takeover.h - a worker's way to a new generation: a thread builds it from the bundle while the loop goes on serving
 * and collects the descriptors that belong to it.
 */
#ifndef WEIR_PROC_WORKER_TAKEOVER_H
#define WEIR_PROC_WORKER_TAKEOVER_H

#include "conf/generation.h"
#include "event/loop.h"
#include "proc/common/channel.h"

#include <pthread.h>

typedef struct {
    weir_wakeup_t             wakeup;
    const weir_conf_source_t *source;
    void                    (*on_done)(void *data);
    void                     *data;

    bool                      active;       /* between RELOAD and weir_takeover_end */
    bool                      building;     /* the thread runs */
    bool                      built;        /* it has ended, or could not begin */
    pthread_t                 thread;
    int                       bundle_fd;
    uint64_t                  serial;
    weir_generation_t        *generation;   /* NULL after on_done's call: error */
    weir_error_t              error;
    weir_arena_t              arena;
    int                      *logs, *fds;
    weir_channel_socket_t    *sockets;
    size_t                    n_files, n_logs, n_sockets, want_files, want_logs, want_sockets;
} weir_takeover_t;

/* on_done(data) is called in a turn of the loop, when everything is there or nothing will be: it takes the generation
 * and descriptors it can use, sets what it took to NULL and -1, and weir_takeover_end gives back the rest. */
bool weir_takeover_init(weir_takeover_t *takeover, weir_loop_t *loop, const weir_conf_source_t *source,
                        void (*on_done)(void *data), void *data) WEIR_MUST_USE;
/* RELOAD, FILES, LOGS or SOCKETS: its descriptors are taken over.  false: it comes at the wrong time or is not what was
 * announced (its descriptors are closed). */
bool weir_takeover_message(weir_takeover_t *takeover, weir_channel_message_t *message) WEIR_MUST_USE;
void weir_takeover_end(weir_takeover_t *takeover);
/* Waits for the thread. */
void weir_takeover_fini(weir_takeover_t *takeover);

#endif
