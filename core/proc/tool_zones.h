/*
 * tool_zones.h - `weir zones`.
 */
#ifndef WEIR_PROC_TOOL_ZONES_H
#define WEIR_PROC_TOOL_ZONES_H

#include "proc/settings.h"

int weir_tool_zones(const weir_settings_t *settings, char *const *argv);

#endif
