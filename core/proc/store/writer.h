/*
 * writer.h - the store's process, from fork to exit: the only one that writes to the store.
 */
#ifndef WEIR_PROC_STORE_WRITER_H
#define WEIR_PROC_STORE_WRITER_H

#include "conf/generation.h"

#include <sys/types.h>

typedef struct {
    const weir_generation_t *generation;     /* becomes the process's */
    pid_t                    master;
    int                      ready_fd;       /* gets a byte when the store is open; -1: no process waits for that */
} weir_writer_start_t;

/* Never returns.  Exit codes: 0 asked to leave · 1 could not start. */
_Noreturn void weir_writer_run(const weir_writer_start_t *start);

#endif
