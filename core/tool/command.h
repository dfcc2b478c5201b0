/*
 * command.h - the command line.
 */
#ifndef WEIR_TOOL_COMMAND_H
#define WEIR_TOOL_COMMAND_H

#include "base/error.h"

typedef struct {
    const char *prefix;         /* -p; NULL: not given */
    const char *file;           /* -c */
    const char *error_log;      /* -e */
    const char *directives;     /* -g */
    const char *signal;         /* -s: "stop", "quit", "reopen", "reload" or "upgrade" */
    const char *topic;          /* -h DIRECTIVE */
    char *const *tool;          /* a tool's name and its arguments, ended by NULL; NULL: none */
    bool        help, version, build, test, dump, json, quiet, manual, wait;
} weir_command_t;

/* Borrows from argv.  false with *error: what nginx says of it. */
bool weir_command_parse(weir_command_t *command, char *const *argv, weir_error_t *error) WEIR_MUST_USE;
/* The number of a -s signal; 0 for what is none. */
int weir_command_signal(const char *name);

#endif
