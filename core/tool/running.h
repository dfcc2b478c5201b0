/*
 * running.h - which process is the master that runs with this configuration, by its pid file.
 */
#ifndef WEIR_TOOL_RUNNING_H
#define WEIR_TOOL_RUNNING_H

#include "base/str.h"

#include <sys/types.h>

/* The master that serves; while another one starts, that is the one before.  false: said on standard error. */
bool weir_running_serving(weir_str_t pid_file, pid_t *pid) WEIR_MUST_USE;
/* That of the pid file alone.  false: said on standard error, as when the process is another program's. */
bool weir_running_named(weir_str_t pid_file, pid_t *pid) WEIR_MUST_USE;
bool weir_running_has_file(const char *path);

#endif
