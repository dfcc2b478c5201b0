/*
 * explain.h - `weir explain`: what a configuration would do with a request, and where it says so.
 *
 * Reads the configuration as the user who typed it; opens no socket and changes nothing.  What a directive has of
 * secrets is not shown.
 */
#ifndef WEIR_TOOL_EXPLAIN_H
#define WEIR_TOOL_EXPLAIN_H

#include "conf/generation.h"

/* source: of the options before the tool's name.  Exit code: 0 or one of these; of several requests the highest. */
enum {
    WEIR_EXPLAIN_FAILED = 1,       /* the configuration is bad, or no instance can be asked */
    WEIR_EXPLAIN_UNROUTED = 2,     /* no listener, no route or no location takes it */
    WEIR_EXPLAIN_REFUSED = 3,      /* it is refused before the policies of a place are asked */
    WEIR_EXPLAIN_MISUSE = 64,
};
int weir_tool_explain(const weir_conf_source_t *source, char *const *argv);

#endif
