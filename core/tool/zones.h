/*
 * zones.h - `weir zones`.
 */
#ifndef WEIR_TOOL_ZONES_H
#define WEIR_TOOL_ZONES_H

#include "proc/common/settings.h"

int weir_tool_zones(const weir_settings_t *settings, char *const *argv);

#endif
