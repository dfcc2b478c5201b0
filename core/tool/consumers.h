/*
 * consumers.h - `weir consumer`, `weir plan`, `weir key`, `weir identity`: which consumers may come, how much they may
 * use, and by what they are known.
 *
 * Changes are asked of the running instance's store process, and done to the file when none runs; lists are read from
 * the file.
 */
#ifndef WEIR_TOOL_CONSUMERS_H
#define WEIR_TOOL_CONSUMERS_H

#include "proc/common/settings.h"

int weir_tool_consumer(const weir_settings_t *settings, char *const *argv);
int weir_tool_plan(const weir_settings_t *settings, char *const *argv);
int weir_tool_identity(const weir_settings_t *settings, char *const *argv);
int weir_tool_key(const weir_settings_t *settings, char *const *argv);

#endif
