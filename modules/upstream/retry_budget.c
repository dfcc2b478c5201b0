/*
 * retry_budget.c - `retry_budget PERCENT [min=N/s]` in an upstream block: of the requests to the group no more than
 * that part is sent again, in all workers together.
 *
 * Runs in workers.  The budget lies in shared memory, in a part of the group's state (shm/budget.h).
 */
#include "shm/budget.h"
#include "upstream/module.h"

typedef struct {
    uint32_t hundredths;                     /* of a percent */
    uint32_t a_second;                       /* min= */
    uint32_t is_set;
} budget_conf_t;

/* The part. */
typedef struct {
    uint64_t      name, unused;              /* the place's own; budgets are aligned to 16 */
    weir_budget_t budget;
} budget_record_t;

_Static_assert(sizeof(budget_record_t) <= WEIR_PLACES_RECORD, "it fits");

typedef struct { budget_record_t *record; } budget_group_t;

static void
budget_begin(weir_uppolicy_of_t *of)
{
    ((budget_group_t *) of->state)->record = weir_state_part(of->group, NULL, "retry")->place.record;
}

static weir_budget_t *
budget_of(const weir_uppolicy_of_t *of)
{
    return &((budget_group_t *) of->state)->record->budget;
}

static weir_refusal_t
budget_admit(weir_uppolicy_of_t *of, weir_pick_t *pick WEIR_UNUSED, weir_instant_t now)
{
    weir_budget_earn(budget_of(of), ((const budget_conf_t *) of->settings)->hundredths, now);
    return WEIR_REFUSED_NOT;
}

static bool
budget_retry(weir_uppolicy_of_t *of, weir_pick_t *pick WEIR_UNUSED, weir_instant_t now)
{
    return weir_budget_spend(budget_of(of), ((const budget_conf_t *) of->settings)->a_second, now);
}

static const weir_uppolicy_t budget_policy = {
    .name = "retry_budget",
    .group_size = sizeof(budget_group_t),
    .begin = budget_begin,
    .admit = budget_admit,
    .retry = budget_retry,
};

static const weir_uppolicy_t *
budget_judge(const void *conf, weir_str_t *settings)
{
    const budget_conf_t *budget = conf;

    *settings = weir_str(conf, sizeof(*budget));
    return budget->is_set != 0 ? &budget_policy : NULL;
}

/* -- the directive -- */

static bool
budget_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    budget_conf_t *conf = field;
    weir_str_t     part = words->at[1].text, min = words->n == 3 ? words->at[2].text : WEIR_STR_NONE;

    conf->is_set = 1;
    if (!weir_str_ends(part, WEIR_STR("%"))
        || !weir_conf_read_percent(weir_str(part.at, part.len - 1), &conf->hundredths))
    {
        return weir_conf_invalid(cf, 1, "a part of the requests from 0% to 100%, with at most two decimals");
    }
    if (words->n == 2) {
        return true;
    }
    if (!weir_str_starts(min, WEIR_STR("min=")) || !weir_str_ends(min, WEIR_STR("/s")) || min.len < 7
        || !weir_conf_read_u32(weir_str(min.at + 4, min.len - 6), &conf->a_second)
        || conf->a_second > WEIR_BUDGET_MIN_MAX)
    {
        return weir_conf_invalid(cf, 2, "min= with a number a second up to 1000000, such as min=10/s");
    }
    return true;
}

static const weir_conf_type_t budget_type = {
    .name = "percent [min=number/s]", .size = sizeof(budget_conf_t), .min_args = 1, .max_args = 2,
    .parse = budget_parse,
};

typedef struct { budget_conf_t budget; } budget_module_conf_t;

static const weir_directive_t budget_directives[] = {
    WEIR_DIRECTIVE_OF(budget_module_conf_t, budget, "retry_budget", &budget_type, .where = WEIR_IN_UPSTREAM,
                      .help = "Limits how many requests are sent again to a part of all that come to the group, in "
                              "all workers together."),
    WEIR_DIRECTIVES_END
};

const weir_upstream_module_t weir_upstream_retry_budget = {
    .name = "upstream_retry_budget",
    .area = "Upstreams",
    .conf_size = sizeof(budget_module_conf_t),
    .directives = budget_directives,
    .judge = budget_judge,
};
