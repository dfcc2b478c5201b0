/*
 * live.h - the configuration that a running instance serves, as its master keeps it: for tools.
 */
#ifndef WEIR_TOOL_LIVE_H
#define WEIR_TOOL_LIVE_H

#include "conf/generation.h"

/* A generation of what the instance of this configuration's pid file serves; *bundle (NULL: not wanted) gets what it
 * was made of, the caller's.  NULL: said on standard error. */
weir_generation_t *weir_live_load(const weir_conf_source_t *source, weir_bundle_t **bundle) WEIR_MUST_USE;

#endif
