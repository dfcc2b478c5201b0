/*
 * quota.c - see quota.h.  Runs in workers; allocates nothing.
 */
#include "shm/quota.h"

#define QUOTA_CLEAN        ((uint64_t) 1)
#define QUOTA_PERIOD_SHIFT 41
#define QUOTA_PERIOD_MAX   (((uint64_t) 1 << 22) - 1)

struct weir_quota_zone {
    uint64_t period;             /* as workers said last */
    int64_t  end_s;
    uint64_t unused[6];
    char     table[];
};

_Static_assert(sizeof(weir_quota_zone_t) == WEIR_QUOTA_HEAD, "the table begins at a cache line");

typedef struct {
    uint64_t                period;          /* first: what quota_worth looks at */
    uint64_t                limit;
    const weir_keyed_key_t *key;
    weir_str_t              name;
    weir_quota_count_t      count;
    weir_quota_result_t     result;
} quota_step_t;

static inline uint64_t
quota_value(uint64_t period, uint64_t used, uint64_t clean)
{
    weir_assert(period <= QUOTA_PERIOD_MAX && used <= WEIR_QUOTA_MAX);
    return period << QUOTA_PERIOD_SHIFT | used << 1 | clean;
}

static inline uint64_t quota_period(uint64_t value) { return value >> QUOTA_PERIOD_SHIFT; }
static inline uint64_t quota_used(uint64_t value) { return value >> 1 & WEIR_QUOTA_MAX; }

static weir_keyed_t *
quota_table(weir_quota_zone_t *zone)
{
    return (weir_keyed_t *) (void *) zone->table;
}

weir_quota_zone_t *
weir_quota_open(void *memory, uint64_t size)
{
    return size > WEIR_QUOTA_HEAD && weir_keyed_open((char *) memory + WEIR_QUOTA_HEAD,
                                                     (size_t) size - WEIR_QUOTA_HEAD) != NULL ? memory : NULL;
}

void
weir_quota_hash(const weir_quota_zone_t *zone, weir_str_t key, weir_keyed_key_t *hashed)
{
    weir_keyed_hash((const weir_keyed_t *) (const void *) zone->table, key, hashed);
}

bool
weir_quota_is_like(const weir_quota_zone_t *zone, const weir_keyed_t *table)
{
    return weir_keyed_is_like((const weir_keyed_t *) (const void *) zone->table, table);
}

void
weir_quota_set_period(weir_quota_zone_t *zone, const weir_quota_period_t *period)
{
    __atomic_store_n(&zone->end_s, period->end_s, __ATOMIC_RELAXED);
    __atomic_store_n(&zone->period, period->number, __ATOMIC_RELEASE);
}

/* -- one key -- */

static uint64_t
quota_worth(const void *data, uint64_t value)
{
    if (quota_period(value) < *(const uint64_t *) data) {
        return 0;
    }
    return value & QUOTA_CLEAN ? 1 + quota_used(value) : UINT64_MAX;
}

/* In which period a key that has `value` is counted now, and what it has used in it. */
static uint64_t
quota_now(uint64_t value, uint64_t period, uint64_t *used)
{
    *used = quota_period(value) < period ? 0 : quota_used(value);
    return quota_period(value) == period + 1 ? period + 1 : period;
}

static bool
quota_load(quota_step_t *step, uint64_t *value)
{
    weir_saved_result_t found = weir_saved_load(WEIR_STR(WEIR_QUOTA_KIND), step->name, step->key->name, value);

    if (found == WEIR_SAVED_UNKNOWN) {
        step->result = WEIR_QUOTA_UNKNOWN;
        return false;
    }
    *value = found == WEIR_SAVED_FOUND ? (*value & WEIR_KEYED_VALUE_MAX) | QUOTA_CLEAN : 0;
    return true;
}

static bool
quota_change(void *data, uint32_t cell WEIR_UNUSED, uint64_t value, uint64_t *next)
{
    quota_step_t *step = data;
    bool          is_new = value == 0;

    if (is_new && !quota_load(step, &value)) {
        return false;
    }
    step->count.period = quota_now(value, step->period, &step->count.used);
    if (step->count.used >= step->limit || step->count.used == WEIR_QUOTA_MAX) {
        step->result = WEIR_QUOTA_REFUSED;
        *next = value;
        return is_new && value != 0;         /* so that the next one does not ask the store again */
    }
    step->result = WEIR_QUOTA_ADMITTED;
    *next = quota_value(step->count.period, ++step->count.used, 0);
    return true;
}

static bool
quota_change_back(void *data, uint32_t cell WEIR_UNUSED, uint64_t value, uint64_t *next)
{
    quota_step_t *step = data;

    if (value == 0 && !quota_load(step, &value)) {
        return false;
    }
    if (quota_period(value) != step->period || quota_used(value) == 0) {
        return false;                        /* another period has begun meanwhile */
    }
    *next = quota_value(quota_period(value), quota_used(value) - 1, 0);
    return true;
}

static const weir_keyed_op_t quota_op = { quota_worth, quota_change, NULL },
    quota_op_back = { quota_worth, quota_change_back, NULL };

weir_quota_result_t
weir_quota_take(weir_quota_zone_t *zone, weir_str_t name, const weir_keyed_key_t *key,
                const weir_quota_period_t *period, uint64_t limit,
                weir_quota_count_t *count)
{
    quota_step_t step = { .period = weir_min(period->number, QUOTA_PERIOD_MAX - 1), .limit = limit, .key = key,
                          .name = name };

    step.result = WEIR_QUOTA_FULL;
    if (weir_keyed_update(quota_table(zone), key, &quota_op, &step) == WEIR_KEYED_FULL) {
        step.result = WEIR_QUOTA_FULL;
    }
    *count = step.count;
    return step.result;
}

void
weir_quota_give_back(weir_quota_zone_t *zone, weir_str_t name, const weir_keyed_key_t *key,
                     const weir_quota_count_t *count)
{
    quota_step_t step = { .period = count->period, .key = key, .name = name };

    (void) weir_keyed_update(quota_table(zone), key, &quota_op_back, &step);
}

/* -- the store's side -- */

static size_t
quota_lacks(const void *memory, uint64_t size, uint32_t *at, weir_saved_cell_t *cells, size_t n)
{
    const weir_quota_zone_t *zone = memory;
    const weir_keyed_t      *table = (const weir_keyed_t *) (const void *) zone->table;
    uint32_t                 all = weir_keyed_cells((size_t) size - WEIR_QUOTA_HEAD);
    uint64_t                 period = __atomic_load_n(&zone->period, __ATOMIC_ACQUIRE);
    int64_t                  end_s = __atomic_load_n(&zone->end_s, __ATOMIC_RELAXED);
    size_t                   found = 0;

    while (*at < all && found < n) {
        weir_cell_t cell = weir_keyed_at(table, *at);

        if (cell.name != 0 && !(cell.value & QUOTA_CLEAN) && quota_period(cell.value) >= period) {
            cells[found++] = (weir_saved_cell_t) {
                .name = cell.name, .value = cell.value, .expires_s = (uint64_t) end_s, .seen = cell.value, .cell = *at,
            };
        }
        (*at)++;
    }
    *at = *at < all ? *at : 0;
    return found;
}

static bool
quota_mark(void *data, uint32_t cell WEIR_UNUSED, uint64_t value, uint64_t *next)
{
    *next = value | QUOTA_CLEAN;
    return value == *(const uint64_t *) data;
}

static void
quota_has(void *memory, uint64_t size WEIR_UNUSED, const weir_saved_cell_t *cell)
{
    static const weir_keyed_op_t op = { NULL, quota_mark, NULL };
    uint64_t                     seen = cell->seen;

    (void) weir_keyed_update_at(quota_table(memory), cell->cell, cell->name, &op, &seen);
}

static void
quota_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    const weir_quota_zone_t *zone = memory;
    uint64_t                 period = zone->period, evicted;
    uint32_t                 used, cells;

    if (size > WEIR_QUOTA_HEAD
        && weir_keyed_count(zone->table, (size_t) size - WEIR_QUOTA_HEAD, quota_worth, &period, &used, &cells,
                            &evicted)) {
        weir_buf_printf(out, "keys=%u room=%u moved_to_store=%llu", used, cells / 2, (unsigned long long) evicted);
    }
}

static const weir_saved_kind_t quota_saved = { quota_lacks, quota_has };

const weir_zone_kind_t weir_quota_kind = {
    .name = WEIR_QUOTA_KIND, .layout = 1, .describe = quota_describe, .saved = &quota_saved,
};
