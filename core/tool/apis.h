/*
 * apis.h - `weir apis [--live] [--json] [NAME]`: the APIs of a configuration, their versions, and what belongs to each.
 */
#ifndef WEIR_TOOL_APIS_H
#define WEIR_TOOL_APIS_H

#include "conf/generation.h"

/* source: of the options before the tool's name.  Exit code: 0 · 1 the configuration is bad, no instance can be asked,
 * or there is no API of that name · 64 misuse. */
int weir_tool_apis(const weir_conf_source_t *source, char *const *argv);

#endif
