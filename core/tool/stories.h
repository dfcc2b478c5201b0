/*
 * stories.h - `weir why` and `weir tail`: what the recorder has kept.
 */
#ifndef WEIR_TOOL_STORIES_H
#define WEIR_TOOL_STORIES_H

#include "proc/common/settings.h"

int weir_tool_why(const weir_settings_t *settings, char *const *argv);
int weir_tool_tail(const weir_settings_t *settings, char *const *argv);

#endif
