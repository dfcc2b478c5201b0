/*
 * rate.c - see rate.h.  Runs in workers; allocates nothing.
 */
#include "shm/rate.h"

typedef struct {
    uint64_t             now_ns;             /* first: what weir_rate_worth looks at */
    const weir_rate_t   *rate;
    weir_rate_verdict_t *verdict;
} rate_step_t;

uint64_t
weir_rate_worth(const void *data, uint64_t value)
{
    uint64_t now_ns = *(const uint64_t *) data;

    return value > now_ns ? value - now_ns : 0;
}

/* What a key whose bucket is empty at `empty` gets. */
static void
rate_judge(const weir_rate_t *rate, uint64_t now_ns, uint64_t empty, weir_rate_verdict_t *verdict)
{
    uint64_t ahead = empty > now_ns ? empty - now_ns : 0, most = rate->burst * rate->period_ns;

    *verdict = (weir_rate_verdict_t) { .admitted = ahead <= most, .ahead_ns = ahead };
    if (verdict->admitted) {
        verdict->left = (most - ahead) / rate->period_ns;
        verdict->reset_ns = ahead + rate->period_ns;
    } else {
        verdict->wait_ns = ahead - most;
        verdict->reset_ns = ahead;
    }
}

static bool
rate_change(void *data, uint32_t cell WEIR_UNUSED, uint64_t value, uint64_t *next)
{
    rate_step_t *step = data;

    rate_judge(step->rate, step->now_ns, value, step->verdict);
    *next = weir_max(value, step->now_ns) + step->rate->period_ns;
    return step->verdict->admitted && *next <= WEIR_KEYED_VALUE_MAX;
}

static bool
rate_change_back(void *data, uint32_t cell WEIR_UNUSED, uint64_t value, uint64_t *next)
{
    const rate_step_t *step = data;

    *next = value > step->rate->period_ns ? value - step->rate->period_ns : 0;
    return value > step->now_ns;             /* otherwise it has leaked away meanwhile */
}

static const weir_keyed_op_t rate_op = { weir_rate_worth, rate_change, NULL }, rate_op_back = { weir_rate_worth, rate_change_back, NULL };

void
weir_rate_peek(const weir_keyed_t *table, const weir_keyed_key_t *key, const weir_rate_t *rate, uint64_t now_ns,
               weir_rate_verdict_t *verdict)
{
    rate_judge(rate, now_ns, weir_keyed_peek(table, key), verdict);
}

void
weir_rate_take(weir_keyed_t *table, const weir_keyed_key_t *key, const weir_rate_t *rate, uint64_t now_ns, weir_rate_verdict_t *verdict)
{
    rate_step_t step = { now_ns, rate, verdict };

    if (weir_keyed_update(table, key, &rate_op, &step) == WEIR_KEYED_FULL) {
        verdict->admitted = false;           /* so many at it at once that ours never had its turn */
        verdict->wait_ns = rate->period_ns;
    }
}

void
weir_rate_give_back(weir_keyed_t *table, const weir_keyed_key_t *key, const weir_rate_t *rate, uint64_t now_ns)
{
    rate_step_t step = { now_ns, rate, NULL };

    (void) weir_keyed_update(table, key, &rate_op_back, &step);
}
