/*
 * reload.h - `weir reload`: the running instance takes up the configuration of its files; with --guard only when that
 * keeps what recorded requests had.
 */
#ifndef WEIR_TOOL_RELOAD_H
#define WEIR_TOOL_RELOAD_H

#include "conf/generation.h"

/* Exit code: 0 reloaded · 1 it cannot be, or nothing can be asked · 2 the guard refuses · 64 misuse. */
int weir_tool_reload(const weir_conf_source_t *source, char *const *argv);

#endif
