/*
 * simulate.h - `weir simulate [-c FILE] [--group NAME] [--down WHAT]... [--rps N] [--json]`: what each priority,
 * locality and server of the upstream blocks would get if these had failed.
 */
#ifndef WEIR_TOOL_SIMULATE_H
#define WEIR_TOOL_SIMULATE_H

#include "conf/generation.h"

/* source: of the options before the tool's name.  Exit code: 0 · 1 the configuration is bad, or there is no group or
 * server of that name · 2 some requests would get no server · 64 misuse. */
int weir_tool_simulate(const weir_conf_source_t *source, char *const *argv);

#endif
