/*
 * calls.h - `weir consumer calls [PLACE] [--json]`: which consumers still call what is deprecated, as the running
 * instance has counted (http/record/calls.h).
 */
#ifndef WEIR_TOOL_CALLS_H
#define WEIR_TOOL_CALLS_H

#include "proc/common/settings.h"

/* argv: behind "calls", ended by NULL.  The exit code; what went wrong was said on standard error. */
int weir_tool_calls(const weir_settings_t *settings, char *const *argv);

#endif
