/*
 * outcome.c - see outcome.h.  Runs in the master; allocates nothing.
 */
#include "proc/common/outcome.h"

#include <stdio.h>

static weir_outcome_row_t *outcomes;             /* one of each kind */

void
weir_outcome_use(void *memory)
{
    outcomes = memory;
}

void
weir_outcome_begin(weir_outcome_of_t kind)
{
    if (outcomes != NULL) {
        __atomic_store_n(&outcomes[kind].begun, outcomes[kind].begun + 1, __ATOMIC_RELEASE);
    }
}

void
weir_outcome_end(weir_outcome_of_t kind, bool good, const char *text)
{
    weir_outcome_row_t *its = outcomes != NULL ? &outcomes[kind] : NULL;

    if (its == NULL || its->ended == its->begun) {
        return;
    }
    its->good = good;
    (void) snprintf(its->text, sizeof(its->text), "%s", text);
    __atomic_store_n(&its->ended, its->begun, __ATOMIC_RELEASE);
}

const weir_zone_kind_t weir_outcomes_zone = { .name = "outcomes", .layout = 1 };
