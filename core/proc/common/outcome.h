/*
 * outcome.h - how the last reload and the last upgrade ended, in shared memory, for who asked for it: `weir -s reload
 * --wait`.
 *
 * Written by the master alone.  `begun` counts attempts, `ended` is the number of the last one that ended: who saw
 * `begun` before he asked knows that every later number read the files as they are now.
 */
#ifndef WEIR_PROC_COMMON_OUTCOME_H
#define WEIR_PROC_COMMON_OUTCOME_H

#include "base/error.h"
#include "shm/zone.h"

#include <sys/types.h>

typedef enum { WEIR_OUTCOME_RELOAD, WEIR_OUTCOME_UPGRADE, WEIR_OUTCOMES } weir_outcome_kind_t;

typedef struct {
    uint64_t begun, ended;
    bool     good;              /* of `ended`; so the text */
    char     text[1000];        /* NUL-terminated */
} weir_outcome_t;

extern const weir_zone_kind_t weir_outcomes_zone;
#define WEIR_OUTCOMES_BYTES (WEIR_OUTCOMES * sizeof(weir_outcome_t))

/* -- the master -- */
void weir_outcome_use(void *memory);                                 /* where they are; NULL: nowhere, nothing is told */
void weir_outcome_begin(weir_outcome_kind_t kind);
void weir_outcome_end(weir_outcome_kind_t kind, bool good, const char *text);    /* of what has ended already: nothing */

/* -- tools: that of the master `pid`.  false with *error: it cannot be looked into -- */
bool weir_outcome_look(pid_t pid, weir_outcome_kind_t kind, weir_outcome_t *seen, weir_error_t *error) WEIR_MUST_USE;
/* Until an attempt later than `before` has ended.  false with *error: it went, or that took too long. */
bool weir_outcome_wait(pid_t pid, weir_outcome_kind_t kind, const weir_outcome_t *before, weir_outcome_t *seen, weir_error_t *error)
    WEIR_MUST_USE;
/* To standard output or, a bad one, to standard error, without controls; "weir: " before it.  Exit code. */
int weir_outcome_print(const weir_outcome_t *seen);

#endif
