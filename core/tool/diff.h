/*
 * diff.h - `weir diff OLD NEW`: what another configuration would change, by places, and by requests.
 */
#ifndef WEIR_TOOL_DIFF_H
#define WEIR_TOOL_DIFF_H

#include "conf/generation.h"

/* Exit code: 0 nothing changes · 1 one of them is bad · 2 something changes · 64 misuse. */
int weir_tool_diff(const weir_conf_source_t *source, char *const *argv);

#endif
