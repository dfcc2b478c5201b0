/*
 * tool_stories.h - `weir why` and `weir tail`: what the recorder has kept.
 */
#ifndef WEIR_PROC_TOOL_STORIES_H
#define WEIR_PROC_TOOL_STORIES_H

#include "proc/settings.h"

int weir_tool_why(const weir_settings_t *settings, char *const *argv);
int weir_tool_tail(const weir_settings_t *settings, char *const *argv);

#endif
