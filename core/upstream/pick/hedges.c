/*
 * hedges.c - see hedges.h.
 */
#include "upstream/hedges.h"

#include "shm/budget.h"
#include "shm/recent.h"
#include "upstream/running.h"

/* The parts; budgets are aligned to 16. */
typedef struct { uint64_t name, unused; weir_budget_t budget; } hedges_budget_t;
typedef struct { uint64_t name; weir_recent_t recent; } hedges_times_t;

_Static_assert(sizeof(hedges_budget_t) <= WEIR_PLACES_RECORD && sizeof(hedges_times_t) <= WEIR_PLACES_RECORD,
               "a record each");

struct weir_hedges { hedges_budget_t *budget; hedges_times_t *times; };

static struct weir_hedges *
hedges_of(weir_group_t *group)
{
    if (group->hedges == NULL) {
        group->hedges = weir_new(&group->arena, struct weir_hedges);
        group->hedges->budget = weir_state_part(group, NULL, "hedge")->place.record;
        group->hedges->times = weir_state_part(group, NULL, "times")->place.record;
    }
    return group->hedges;
}

void
weir_hedges_earn(weir_group_t *group, uint32_t hundredths, weir_instant_t now)
{
    weir_budget_earn(&hedges_of(group)->budget->budget, hundredths, now);
}

bool
weir_hedges_spend(weir_group_t *group, weir_instant_t now)
{
    return weir_budget_spend(&hedges_of(group)->budget->budget, 0, now);
}

void
weir_hedges_took(weir_group_t *group, weir_msec_t time, weir_instant_t now)
{
    weir_recent_add(&hedges_of(group)->times->recent, time, now);
}

weir_msec_t
weir_hedges_quantile(weir_group_t *group, uint32_t percent)
{
    return weir_recent_quantile(&hedges_of(group)->times->recent, percent);
}
