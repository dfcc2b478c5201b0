/*
 * rate.c - see rate.h.  Runs in workers; allocates nothing.
 */
#include "shm/rate.h"

#include "os/clock.h"

#define RATE_NS_A_S  UINT64_C(1000000000)
#define RATE_NS_A_MS UINT64_C(1000000)

typedef struct {
    uint64_t                now_ns;          /* first: what weir_rate_worth looks at */
    const weir_rate_t      *rate;
    weir_rate_verdict_t    *verdict;
    const weir_keyed_key_t *key;
} rate_step_t;

/* -- what is kept in the store, in ns of Unix time -- */

static uint64_t
rate_wall_ns(void)
{
    return weir_clock_wall_ms() * RATE_NS_A_MS;
}

/* When the bucket of a key that is not in the table would be empty. */
static uint64_t
rate_load(const weir_rate_t *rate, const weir_keyed_key_t *key, uint64_t now_ns)
{
    uint64_t empty_ns, wall_ns;

    if (rate->zone.len == 0 || weir_saved_load(WEIR_STR(WEIR_RATE_KIND), rate->zone, key->name,
                                               &empty_ns) != WEIR_SAVED_FOUND)
    {
        return 0;
    }
    wall_ns = rate_wall_ns();
    /* Not further ahead than a full bucket: the wall clock may have been set back. */
    return empty_ns <= wall_ns ? 0 : now_ns + weir_min(empty_ns - wall_ns, (rate->burst + 1) * rate->period_ns);
}

static size_t
rate_lacks(const void *memory, uint64_t size, uint32_t *at, weir_saved_cell_t *cells, size_t n)
{
    uint64_t now_ns = weir_clock_now().ms * RATE_NS_A_MS, wall_ns = rate_wall_ns();
    uint32_t all = weir_keyed_cells((size_t) size);
    size_t   found = 0;

    while (*at < all && found < n) {
        weir_cell_t cell = weir_keyed_at(memory, *at);

        if (cell.name != 0 && cell.value > now_ns + WEIR_RATE_SAVED_S * RATE_NS_A_S) {
            /* Whole seconds, so that the two clocks' jitter does not make a change of it. */
            uint64_t empty_s = (wall_ns + (cell.value - now_ns)) / RATE_NS_A_S + 1;
            cells[found++] = (weir_saved_cell_t) { .name = cell.name, .value = empty_s * RATE_NS_A_S,
                                                   .expires_s = empty_s, .cell = *at };
        }
        (*at)++;
    }
    *at = *at < all ? *at : 0;
    return found;
}

const weir_saved_kind_t weir_rate_saved = { rate_lacks, NULL };

/* -- decisions -- */

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
    weir_assert(rate->period_ns != 0);
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

    value = value != 0 ? value : rate_load(step->rate, step->key, step->now_ns);
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

static const weir_keyed_op_t rate_op = { weir_rate_worth, rate_change, NULL },
    rate_op_back = { weir_rate_worth, rate_change_back, NULL };

void
weir_rate_peek(const weir_keyed_t *table, const weir_keyed_key_t *key, const weir_rate_t *rate, uint64_t now_ns,
               weir_rate_verdict_t *verdict)
{
    uint64_t empty = weir_keyed_peek(table, key);

    rate_judge(rate, now_ns, empty != 0 ? empty : rate_load(rate, key, now_ns), verdict);
}

void
weir_rate_take(weir_keyed_t *table, const weir_keyed_key_t *key, const weir_rate_t *rate, uint64_t now_ns,
               weir_rate_verdict_t *verdict)
{
    rate_step_t step = { now_ns, rate, verdict, key };

    if (weir_keyed_update(table, key, &rate_op, &step) == WEIR_KEYED_FULL) {
        verdict->admitted = false;           /* so many at it at once that ours never had its turn */
        verdict->wait_ns = rate->period_ns;
    }
}

void
weir_rate_give_back(weir_keyed_t *table, const weir_keyed_key_t *key, const weir_rate_t *rate, uint64_t now_ns)
{
    rate_step_t step = { now_ns, rate, NULL, key };

    (void) weir_keyed_update(table, key, &rate_op_back, &step);
}
