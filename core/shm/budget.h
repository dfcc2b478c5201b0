/*
 * budget.h - how many more of something may be done beside requests, as a part of them: retries, second tries.  Counted
 * over all workers, in 32 bytes of shared memory that begin as zero.
 *
 * Each request earns a part of a token; one more try costs a whole one.  What was earned is good for 5 to 10 seconds,
 * so that a quiet hour does not pay for a storm.  Beside that, so many a second may be made whatever was earned; those
 * are taken first, for they cannot be saved.  So of any requests that came in a row, no more than their part is tried
 * again, and what the number a second allows.
 *
 * Tokens change by one compare-and-swap (shm/cell.h), and so does the instant of the number a second: it is exact over
 * workers, and one that is killed at any instruction leaves what was or what is.  Allocates nothing.
 */
#ifndef WEIR_SHM_BUDGET_H
#define WEIR_SHM_BUDGET_H

#include "base/base.h"
#include "shm/cell.h"

#define WEIR_BUDGET_SLOT_MS   5000           /* tokens live to the end of the slot after the one they were earned in */
#define WEIR_BUDGET_WHOLE     10000          /* hundredths of a percent, and the parts of a token */
#define WEIR_BUDGET_MIN_MAX   1000000        /* a second */

typedef struct {
    weir_cell_t tokens;                      /* budget.c */
    uint64_t    free_ns;                     /* when all that a second allows may be done again; 0: now */
    uint64_t    unused;
} weir_budget_t;

/* A request came: it earns so many hundredths of a percent of a token. */
void     weir_budget_earn(weir_budget_t *budget, uint32_t hundredths, weir_instant_t now);
/* One more try.  a_second: what may be done whatever was earned.  false: it is not to be made, and costs nothing. */
bool     weir_budget_spend(weir_budget_t *budget, uint32_t a_second, weir_instant_t now) WEIR_MUST_USE;
/* Whole tokens that are there now, beside what a second allows. */
uint64_t weir_budget_left(const weir_budget_t *budget, weir_instant_t now);

#endif
