/*
 * attach.h - the shared memory of another process, to look at: its zones through /proc, mapped read-only.
 */
#ifndef WEIR_TOOL_ATTACH_H
#define WEIR_TOOL_ATTACH_H

#include "base/error.h"
#include "shm/zone.h"

#include <sys/types.h>

/* Each zone of pid, mapped for the time of the call.  kind: NULL when this program knows none such, or of another
 * layout.  false with *error: it cannot be looked into. */
bool weir_attach_zones(pid_t pid, void (*each)(void *data, const weir_zone_head_t *head, const weir_zone_kind_t *kind,
                                               const void *memory),
                       void *data, weir_error_t *error) WEIR_MUST_USE;

/* Each configuration that pid keeps in memory (conf/bundle.h), as a descriptor for the time of the call.  false with
 * *error: as above. */
bool weir_attach_bundles(pid_t pid, void (*each)(void *data, int fd), void *data, weir_error_t *error) WEIR_MUST_USE;

/* false with *error: there is such a process, it can be looked into, and it is no Weir.  One that has gone, or that
 * hides itself, passes. */
bool weir_attach_check(pid_t pid, weir_error_t *error) WEIR_MUST_USE;

#endif
