/*
 * tool.h - `weir zones` and its like: small programs beside the running instance, found by its pid file.
 *
 *     weir [options] TOOL [arguments]
 *
 * Runs as the user who typed it; that user must be allowed to look into the master (root, or its user).
 */
#ifndef WEIR_TOOL_TOOL_H
#define WEIR_TOOL_TOOL_H

#include "proc/common/settings.h"

typedef struct {
    const char *name;
    const char *args;           /* for the usage; "" */
    const char *help;           /* one line */
    /* argv: behind the name, ended by NULL.  Exit code; what went wrong was said on standard error. */
    int       (*run)(const weir_settings_t *settings, char *const *argv);
    /* in its place: of a tool that reads the configuration itself; source: what the options before its name say */
    int       (*run_source)(const weir_conf_source_t *source, char *const *argv);
} weir_tool_t;

/* NULL: there is none of that name. */
const weir_tool_t *weir_tool_find(const char *name);
/* The name that was probably meant; NULL: none is near. */
const char *weir_tool_nearest(const char *word);
/* In order, for the usage; NULL behind the last. */
const weir_tool_t *weir_tool_at(size_t i);

#endif
