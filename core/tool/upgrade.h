/*
 * upgrade.h - `weir -s upgrade`: the program that runs is replaced by this one.
 */
#ifndef WEIR_TOOL_UPGRADE_H
#define WEIR_TOOL_UPGRADE_H

#include "proc/common/settings.h"

/* Tells the master to start the new program, waits for that, and lets the old one go.  Exit code; all is said. */
int weir_tool_upgrade(const weir_settings_t *settings);

#endif
