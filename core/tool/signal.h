/*
 * signal.h - `weir -s`: the running master is told to stop, quit, reopen, reload or upgrade.
 */
#ifndef WEIR_TOOL_SIGNAL_H
#define WEIR_TOOL_SIGNAL_H

#include "proc/common/settings.h"

/* name: one that weir_command_signal knows.  wait: until the reload has ended.  Exit code; what went wrong was said on
 * standard error. */
int weir_tool_signal(const weir_settings_t *settings, const char *name, bool wait);

#endif
