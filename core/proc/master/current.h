/*
 * current.h - the configuration that this process serves, as bytes: a sealed memory file, which tools find among its
 * descriptors (tool/live.h) and replay.  A user who may look into the process may read it, and no other.
 */
#ifndef WEIR_PROC_MASTER_CURRENT_H
#define WEIR_PROC_MASTER_CURRENT_H

#include "conf/generation.h"

/* What weir_load put into the bundle beside what the files say, for the process that replays it. */
#define WEIR_CURRENT_PREFIX     "source prefix"
#define WEIR_CURRENT_FILE       "source file"
#define WEIR_CURRENT_DIRECTIVES "source directives"
#define WEIR_CURRENT_SERIAL     "source serial"

void weir_current_describe(weir_bundle_t *bundle, const weir_conf_source_t *source, uint64_t serial);
/* From now on this one is served; of weir_wire_bundle_to_fd, kept as a copy of the descriptor.  What cannot be kept is
 * logged: it is served all the same. */
void weir_current_keep(int fd);
void weir_current_keep_bundle(const weir_bundle_t *bundle);
/* A replay of it; NULL: there is none. */
weir_bundle_t *weir_current_bundle(void);
/* In a child, and at the end. */
void weir_current_forget(void);

#endif
