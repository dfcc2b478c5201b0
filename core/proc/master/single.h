/*
 * single.h - `master_process off`: one process that reads files and serves.
 */
#ifndef WEIR_PROC_MASTER_SINGLE_H
#define WEIR_PROC_MASTER_SINGLE_H

#include "serve/sockets.h"

/* Takes generation over (its logs are in use, its sockets open); serves until it is told to stop.  Exit code. */
int weir_single_run(const weir_conf_source_t *source, weir_generation_t *generation, weir_sockets_t *sockets);

#endif
