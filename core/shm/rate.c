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

/* -- what a key's number says -- */

#define RATE_UNIT     6                      /* log2 of the ns in which an instant is counted, where rates change */
#define RATE_CODE     9                      /* bits of a period: 5 of the exponent, 4 behind its first one */
#define RATE_CODES    ((UINT64_C(1) << RATE_CODE) - 1)
#define RATE_EXPONENT 10                     /* the least: periods are 2^10 ns or more */

static uint64_t
rate_code(uint64_t period_ns)
{
    uint64_t exponent;

    period_ns = weir_max(period_ns, UINT64_C(1) << RATE_EXPONENT);
    exponent = weir_min(63 - (unsigned) __builtin_clzll(period_ns), RATE_EXPONENT + 31);
    return (exponent - RATE_EXPONENT) << 4 | (period_ns >> (exponent - 4) & 15);
}

/* The first period above those of a code: the fewest requests that a time may have been. */
static uint64_t
rate_code_end(uint64_t code)
{
    return ((code & 15) + 17) << ((code >> 4) + RATE_EXPONENT - 4);
}

static inline uint64_t rate_instant(uint64_t value) { return value >> RATE_CODE << RATE_UNIT; }

static uint64_t
rate_value(const weir_rate_t *rate, uint64_t empty_ns)
{
    if (!rate->adapts) {
        return empty_ns;
    }
    weir_assert(rate->period_ns % (1u << RATE_UNIT) == 0);
    return empty_ns >> RATE_UNIT << RATE_CODE | rate_code(rate->period_ns);
}

/* When the bucket of a key with that number, which is not 0, is empty.  *is_other: by another rate. */
static uint64_t
rate_empty(const weir_rate_t *rate, uint64_t value, uint64_t now_ns, bool *is_other)
{
    uint64_t empty_ns;

    *is_other = false;
    if (!rate->adapts) {
        return value;
    }
    empty_ns = rate_instant(value);
    if ((value & RATE_CODES) == rate_code(rate->period_ns) || empty_ns <= now_ns) {
        return empty_ns;
    }
    *is_other = true;
    return now_ns + (uint64_t) ((unsigned __int128) (empty_ns - now_ns) * rate->period_ns
                                / rate_code_end(value & RATE_CODES));
}

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
    weir_str_t kind = rate->adapts ? WEIR_STR(WEIR_RATE_ADAPTING_KIND) : WEIR_STR(WEIR_RATE_KIND);
    uint64_t   empty_ns, wall_ns;

    if (rate->zone.len == 0 || weir_saved_load(kind, rate->zone, key->name, &empty_ns) != WEIR_SAVED_FOUND) {
        return 0;
    }
    wall_ns = rate_wall_ns();
    /* Not further ahead than a full bucket: the wall clock may have been set back. */
    return empty_ns <= wall_ns ? 0 : now_ns + weir_min(empty_ns - wall_ns, (rate->burst + 1) * rate->period_ns);
}

static size_t
rate_list(const void *memory, uint64_t size, bool adapts, uint32_t *at, weir_saved_cell_t *cells, size_t n)
{
    uint64_t now_ns = weir_clock_now().ms * RATE_NS_A_MS, wall_ns = rate_wall_ns();
    uint32_t all = weir_keyed_cells((size_t) size);
    size_t   found = 0;

    while (*at < all && found < n) {
        weir_cell_t cell = weir_keyed_at(memory, *at);
        uint64_t    empty_ns = adapts ? rate_instant(cell.value) : cell.value;

        if (cell.name != 0 && empty_ns > now_ns + WEIR_RATE_SAVED_S * RATE_NS_A_S) {
            /* Whole seconds, so that the two clocks' jitter does not make a change of it. */
            uint64_t empty_s = (wall_ns + (empty_ns - now_ns)) / RATE_NS_A_S + 1;
            cells[found++] = (weir_saved_cell_t) { .name = cell.name, .value = empty_s * RATE_NS_A_S,
                                                   .expires_s = empty_s, .cell = *at };
        }
        (*at)++;
    }
    *at = *at < all ? *at : 0;
    return found;
}

static size_t
rate_lacks(const void *memory, uint64_t size, uint32_t *at, weir_saved_cell_t *cells, size_t n)
{
    return rate_list(memory, size, false, at, cells, n);
}

static size_t
rate_lacks_adapting(const void *memory, uint64_t size, uint32_t *at, weir_saved_cell_t *cells, size_t n)
{
    return rate_list(memory, size, true, at, cells, n);
}

const weir_saved_kind_t weir_rate_saved = { rate_lacks, NULL };

/* -- decisions -- */

uint64_t
weir_rate_worth(const void *data, uint64_t value)
{
    uint64_t now_ns = *(const uint64_t *) data;

    return value > now_ns ? value - now_ns : 0;
}

static uint64_t
rate_worth_adapting(const void *data, uint64_t value)
{
    return weir_rate_worth(data, rate_instant(value));
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
    bool         is_other = false;
    uint64_t     empty_ns = value != 0 ? rate_empty(step->rate, value, step->now_ns, &is_other)
                            : rate_load(step->rate, step->key, step->now_ns);

    rate_judge(step->rate, step->now_ns, empty_ns, step->verdict);
    if (!step->verdict->admitted) {
        *next = rate_value(step->rate, empty_ns);        /* by this rate from now on */
        return is_other && *next <= WEIR_KEYED_VALUE_MAX;
    }
    *next = rate_value(step->rate, weir_max(empty_ns, step->now_ns) + step->rate->period_ns);
    return *next <= WEIR_KEYED_VALUE_MAX;
}

static bool
rate_change_back(void *data, uint32_t cell WEIR_UNUSED, uint64_t value, uint64_t *next)
{
    const rate_step_t *step = data;
    bool               is_other = false;
    uint64_t           empty_ns = value != 0 ? rate_empty(step->rate, value, step->now_ns, &is_other) : 0;

    *next = empty_ns > step->rate->period_ns ? rate_value(step->rate, empty_ns - step->rate->period_ns) : 0;
    return empty_ns > step->now_ns;          /* otherwise it has leaked away meanwhile */
}

static const weir_keyed_op_t rate_ops[] = {
    { weir_rate_worth, rate_change, NULL }, { rate_worth_adapting, rate_change, NULL },
}, rate_ops_back[] = {
    { weir_rate_worth, rate_change_back, NULL }, { rate_worth_adapting, rate_change_back, NULL },
};

void
weir_rate_peek(const weir_keyed_t *table, const weir_keyed_key_t *key, const weir_rate_t *rate, uint64_t now_ns,
               weir_rate_verdict_t *verdict)
{
    uint64_t value = weir_keyed_peek(table, key);
    bool     is_other;

    rate_judge(rate, now_ns, value != 0 ? rate_empty(rate, value, now_ns, &is_other) : rate_load(rate, key, now_ns),
               verdict);
}

void
weir_rate_take(weir_keyed_t *table, const weir_keyed_key_t *key, const weir_rate_t *rate, uint64_t now_ns,
               weir_rate_verdict_t *verdict)
{
    rate_step_t step = { now_ns, rate, verdict, key };

    if (weir_keyed_update(table, key, &rate_ops[rate->adapts], &step) == WEIR_KEYED_FULL) {
        verdict->admitted = false;           /* so many at it at once that ours never had its turn */
        verdict->wait_ns = rate->period_ns;
    }
}

void
weir_rate_give_back(weir_keyed_t *table, const weir_keyed_key_t *key, const weir_rate_t *rate, uint64_t now_ns)
{
    rate_step_t step = { now_ns, rate, NULL, key };

    (void) weir_keyed_update(table, key, &rate_ops_back[rate->adapts], &step);
}

/* -- zones whose keys' rates change -- */

static void
rate_describe_adapting(const void *memory, uint64_t size, weir_buf_t *out)
{
    uint64_t now_ns = weir_clock_now().ms * RATE_NS_A_MS, evicted;
    uint32_t used, cells;

    if (weir_keyed_count(memory, (size_t) size, rate_worth_adapting, &now_ns, &used, &cells, &evicted)) {
        weir_buf_printf(out, "keys=%u room=%u evicted=%llu", used, cells / 2, (unsigned long long) evicted);
    }
}

static const weir_saved_kind_t rate_saved_adapting = { rate_lacks_adapting, NULL };

const weir_zone_kind_t weir_rate_adapting_kind = {
    .name = WEIR_RATE_ADAPTING_KIND, .layout = 1, .describe = rate_describe_adapting, .saved = &rate_saved_adapting,
};
