/*
 * outcome.h - how a reload or an upgrade ended (proc/common/outcome.h), as a tool sees it: it looks into the shared
 * memory of the master.
 */
#ifndef WEIR_TOOL_OUTCOME_H
#define WEIR_TOOL_OUTCOME_H

#include "base/error.h"
#include "proc/common/outcome.h"

#include <sys/types.h>

/* That of the master `pid`.  false with *error: it cannot be looked into. */
bool weir_outcome_look(pid_t pid, weir_outcome_of_t kind, weir_outcome_row_t *seen, weir_error_t *error) WEIR_MUST_USE;
/* Until an attempt later than `before` has ended.  false with *error: it went, or that took too long. */
bool weir_outcome_wait(pid_t pid, weir_outcome_of_t kind, const weir_outcome_row_t *before, weir_outcome_row_t *seen,
                       weir_error_t *error)
    WEIR_MUST_USE;
/* To standard output or, a bad one, to standard error, without controls; "weir: " before it.  Exit code. */
int weir_outcome_print(const weir_outcome_row_t *seen);

#endif
