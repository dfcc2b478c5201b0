/*
 * outcome.h - how the last reload and the last upgrade ended, in shared memory, for the command that asked for it:
 * `weir -s reload --wait`.
 *
 * Written by the master alone; tool/outcome.h reads it.  `begun` counts attempts, `ended` is the number of the last one
 * that ended: a command that saw `begun` before it asked knows that every later number read the files as they are now.
 */
#ifndef WEIR_PROC_COMMON_OUTCOME_H
#define WEIR_PROC_COMMON_OUTCOME_H

#include "shm/zone.h"

typedef enum { WEIR_OUTCOME_RELOAD, WEIR_OUTCOME_UPGRADE, WEIR_OUTCOMES } weir_outcome_of_t;

typedef struct {
    uint64_t begun, ended;
    bool     good;              /* of `ended`; so the text */
    char     text[1000];        /* NUL-terminated */
} weir_outcome_row_t;

extern const weir_zone_kind_t weir_outcomes_zone;
#define WEIR_OUTCOMES_BYTES (WEIR_OUTCOMES * sizeof(weir_outcome_row_t))

/* In the master. */
/* where they are; NULL: nowhere, nothing is told */
void weir_outcome_use(void *memory);
void weir_outcome_begin(weir_outcome_of_t kind);
/* of what has ended already: nothing */
void weir_outcome_end(weir_outcome_of_t kind, bool good, const char *text);

#endif
