/*
 * fragments.h - `weir fragments`: the fragments of the running instance's configuration, to look at and to change.
 */
#ifndef WEIR_TOOL_FRAGMENTS_H
#define WEIR_TOOL_FRAGMENTS_H

#include "proc/common/settings.h"

int weir_tool_fragments(const weir_settings_t *settings, char *const *argv);

#endif
