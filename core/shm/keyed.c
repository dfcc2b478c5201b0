/*
 * keyed.c - see keyed.h.  Runs in workers; allocates nothing.
 *
 * Why a key is in the table once: let two cells of one key both have become confirmed.  Each claim looked at the
 * other's cell after it had been made, and before it was confirmed; a process that sees another's claim gives way when
 * it is confirmed or comes first, and kills it otherwise.  So neither saw the other, and each was made after the other
 * had looked: a circle.
 */
#include "shm/keyed.h"

#include "os/sys.h"
#include "shm/slots.h"

#define KEYED_MAGIC     0x6b65796564206331u
#define KEYED_BUCKET    4                    /* cells: one cache line */
#define KEYED_TENTATIVE ((uint64_t) 1 << 63)
#define KEYED_TRIES     100                  /* others came between so often: that key is busy beyond reason */
#define KEYED_PAUSE     16                   /* pauses of the CPU, and so many more for each try that failed */
#define KEYED_PAUSE_MAX 128                  /* some microseconds */

struct weir_keyed {
    uint64_t magic, n_buckets;
    uint64_t seeds[2];
    uint64_t evicted;
    uint64_t unused[3];
    weir_cell_t cells[];
};

_Static_assert(sizeof(weir_keyed_t) == 64, "cells begin at a cache line");

typedef struct { weir_cell_t *at[WEIR_KEYED_WAYS]; } keyed_ways_t;         /* in the table's order, the same for all */

static uint64_t keyed_claims;                /* of this process */
static uint64_t keyed_seeds[2];              /* both 0: random ones */

void
weir_keyed_use_seeds(const uint64_t seeds[2])
{
    memcpy(keyed_seeds, seeds, sizeof(keyed_seeds));
}

static bool
keyed_seed(uint64_t *seeds)
{
    memcpy(seeds, keyed_seeds, sizeof(keyed_seeds));
    return (seeds[0] | seeds[1]) != 0 || weir_sys_random(seeds, sizeof(keyed_seeds)) == 0;
}

uint32_t
weir_keyed_cells(size_t size)
{
    size_t n = size < sizeof(weir_keyed_t) ? 0 : (size - sizeof(weir_keyed_t)) / sizeof(weir_cell_t) / KEYED_BUCKET;

    return n < 2 ? 0 : (uint32_t) weir_min(n, UINT32_MAX / KEYED_BUCKET) * KEYED_BUCKET;
}

weir_keyed_t *
weir_keyed_open(void *memory, size_t size)
{
    weir_keyed_t *table = memory;
    uint64_t      n = weir_keyed_cells(size) / KEYED_BUCKET;

    if (n == 0) {
        return NULL;
    }
    if (__atomic_load_n(&table->magic, __ATOMIC_ACQUIRE) == KEYED_MAGIC) {
        return table->n_buckets == n ? table : NULL;
    }
    if (table->magic != 0 || !keyed_seed(table->seeds)) {
        return NULL;
    }
    table->n_buckets = n;
    __atomic_store_n(&table->magic, KEYED_MAGIC, __ATOMIC_RELEASE);
    return table;
}

void
weir_keyed_hash(const weir_keyed_t *table, weir_str_t key, weir_keyed_key_t *hashed)
{
    uint64_t name = weir_str_hash(key, table->seeds[0]);

    hashed->name = name != 0 ? name : 1;
    hashed->place = weir_str_hash(key, table->seeds[1]);
}

bool
weir_keyed_is_like(const weir_keyed_t *a, const weir_keyed_t *b)
{
    return a->seeds[0] == b->seeds[0] && a->seeds[1] == b->seeds[1];
}

/* -- the cells of a key -- */

static inline uint64_t
keyed_scale(uint64_t half, uint64_t n)
{
    return (half & UINT32_MAX) * n >> 32;
}

static void
keyed_ways(const weir_keyed_t *table, const weir_keyed_key_t *key, keyed_ways_t *ways)
{
    uint64_t a = keyed_scale(key->place, table->n_buckets), b = keyed_scale(key->place >> 32, table->n_buckets - 1);
    weir_cell_t *cells = ((weir_keyed_t *) (uintptr_t) table)->cells;

    b += b >= a;                             /* another one */
    weir_assert(a != b && a < table->n_buckets && b < table->n_buckets);
    for (unsigned i = 0; i < KEYED_BUCKET; i++) {
        ways->at[i] = &cells[weir_min(a, b) * KEYED_BUCKET + i];
        ways->at[KEYED_BUCKET + i] = &cells[weir_max(a, b) * KEYED_BUCKET + i];
    }
}

/* The confirmed one, else one that is tentative, else NULL. */
static weir_cell_t *
keyed_find(const keyed_ways_t *ways, uint64_t name, weir_cell_t *seen)
{
    weir_cell_t *tentative = NULL, now;

    for (unsigned i = 0; i < WEIR_KEYED_WAYS; i++) {
        if (__atomic_load_n(&ways->at[i]->name, __ATOMIC_ACQUIRE) != name) {
            continue;
        }
        now = weir_cell_load(ways->at[i]);
        if (now.name != name) {
            continue;
        }
        if (!(now.value & KEYED_TENTATIVE)) {
            *seen = now;
            return ways->at[i];
        }
        if (tentative == NULL) {
            tentative = ways->at[i];
            *seen = now;
        }
    }
    return tentative;
}

uint64_t
weir_keyed_peek(const weir_keyed_t *table, const weir_keyed_key_t *key)
{
    keyed_ways_t ways;
    weir_cell_t  seen;

    keyed_ways(table, key, &ways);
    return keyed_find(&ways, key->name, &seen) == NULL || (seen.value & KEYED_TENTATIVE) ? 0 : seen.value;
}

/* -- adding one -- */

static inline uint32_t
keyed_number(const weir_keyed_t *table, const weir_cell_t *cell)
{
    return (uint32_t) (cell - table->cells);
}

bool
weir_keyed_where(const weir_keyed_t *table, const weir_keyed_key_t *key, uint32_t *cell)
{
    keyed_ways_t       ways;
    weir_cell_t        seen;
    const weir_cell_t *found;

    keyed_ways(table, key, &ways);
    found = keyed_find(&ways, key->name, &seen);
    if (found == NULL || (seen.value & KEYED_TENTATIVE)) {
        return false;
    }
    *cell = keyed_number(table, found);
    return true;
}

/* Makes a claim count, unless another one comes before. */
static bool
keyed_settle(const keyed_ways_t *ways, weir_cell_t *mine, weir_cell_t claim, uint64_t value)
{
    weir_assert(claim.name != 0 && (claim.value & KEYED_TENTATIVE) != 0 && (value & KEYED_TENTATIVE) == 0);
    const weir_cell_t none = { 0, 0 };

    for (unsigned i = 0; i < WEIR_KEYED_WAYS; i++) {
        weir_cell_t *other = ways->at[i], seen;

        while (other != mine && (seen = weir_cell_load(other)).name == claim.name) {
            if (!(seen.value & KEYED_TENTATIVE) || other < mine) {
                (void) weir_cell_swap(mine, claim, none);
                return false;
            }
            if (weir_cell_swap(other, seen, none)) {
                break;
            }
        }
    }
    return weir_cell_swap(mine, claim, (weir_cell_t) { claim.name, value });
}

/* Of a key's cells one that may be taken, in the bucket that has more of them, so that buckets fill alike with what
 * must stay; of two alike in the one that has more which are worth nothing, and there the one of least worth. */
static weir_cell_t *
keyed_choose(const keyed_ways_t *ways, const weir_keyed_op_t *op, const void *data, weir_cell_t *seen, uint64_t *worth)
{
    weir_cell_t *best[2] = { NULL, NULL }, first[2];
    uint64_t     least[2] = { UINT64_MAX, UINT64_MAX };
    unsigned     n_open[2] = { 0, 0 }, n_free[2] = { 0, 0 }, bucket;

    for (unsigned i = 0; i < WEIR_KEYED_WAYS; i++) {
        weir_cell_t now = weir_cell_load(ways->at[i]);
        uint64_t    its = now.name == 0 ? 0 : now.value & KEYED_TENTATIVE ? UINT64_MAX - 1 : op->worth(data, now.value);

        bucket = i / KEYED_BUCKET;
        n_open[bucket] += its != UINT64_MAX;
        n_free[bucket] += its == 0;
        if (its < least[bucket]) {
            best[bucket] = ways->at[i];
            first[bucket] = now;
            least[bucket] = its;
        }
    }
    bucket = n_open[0] != n_open[1] ? n_open[1] > n_open[0] : n_free[0] != n_free[1] ? n_free[1] > n_free[0]
             : least[1] < least[0];
    if (best[bucket] != NULL) {
        *seen = first[bucket];
    }
    *worth = least[bucket];
    return best[bucket];
}

typedef enum { KEYED_DONE, KEYED_AGAIN, KEYED_LEFT, KEYED_FULL } keyed_step_t;

/* A claim of this key's, ours or one that was met. */
static keyed_step_t
keyed_confirm(weir_keyed_t *table, const keyed_ways_t *ways, weir_cell_t *cell, weir_cell_t claim,
              const weir_keyed_op_t *op, void *data)
{
    uint64_t next;

    if (!op->change(data, keyed_number(table, cell), 0, &next)) {
        (void) weir_cell_swap(cell, claim, (weir_cell_t) { 0, 0 });
        return KEYED_LEFT;
    }
    return keyed_settle(ways, cell, claim, next) ? KEYED_DONE : KEYED_AGAIN;
}

static keyed_step_t
keyed_add(weir_keyed_t *table, const keyed_ways_t *ways, uint64_t name, const weir_keyed_op_t *op, void *data)
{
    weir_cell_t  claim = { name, KEYED_TENTATIVE | (uint64_t) weir_slot() << 48 | (++keyed_claims & 0xffffffffffff) },
        seen;
    uint64_t     worth;
    weir_cell_t *cell = keyed_choose(ways, op, data, &seen, &worth);

    if (cell == NULL) {
        return KEYED_FULL;
    }
    if (op->before != NULL && seen.name != 0 && !(seen.value & KEYED_TENTATIVE)) {
        op->before(data, seen.value);
    }
    if (!weir_cell_swap(cell, seen, claim)) {
        return KEYED_AGAIN;
    }
    if (worth != 0) {
        (void) __atomic_fetch_add(&table->evicted, 1, __ATOMIC_RELAXED);
    }
    return keyed_confirm(table, ways, cell, claim, op, data);
}

static keyed_step_t
keyed_change(weir_keyed_t *table, weir_cell_t *cell, weir_cell_t seen, const weir_keyed_op_t *op, void *data)
{
    uint64_t next;

    if (!op->change(data, keyed_number(table, cell), seen.value, &next)) {
        return KEYED_LEFT;
    }
    weir_assert((next & KEYED_TENTATIVE) == 0);     /* that bit is the table's */
    if (op->before != NULL) {
        op->before(data, seen.value);
    }
    return weir_cell_swap(cell, seen, (weir_cell_t) { seen.name, next }) ? KEYED_DONE : KEYED_AGAIN;
}

/* Another process has changed the cell between our look and our change.  A process that tries again at once may lose
 * every time to one whose CPU has the line already; after a pause it does not. */
__attribute__((noinline, cold)) static void
keyed_pause(unsigned tries)
{
    for (uint64_t n = weir_min(tries * KEYED_PAUSE, KEYED_PAUSE_MAX); n != 0; n--) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#else
        __asm__ volatile("yield");
#endif
    }
}

weir_keyed_result_t
weir_keyed_update(weir_keyed_t *table, const weir_keyed_key_t *key, const weir_keyed_op_t *op, void *data)
{
    keyed_ways_t ways;
    keyed_step_t step = KEYED_AGAIN;

    weir_assert(key->name != 0);
    keyed_ways(table, key, &ways);
    for (unsigned tries = 0; step == KEYED_AGAIN && tries < KEYED_TRIES; tries++) {
        weir_cell_t seen = { 0, 0 }, *cell = keyed_find(&ways, key->name, &seen);

        if (cell == NULL) {
            step = keyed_add(table, &ways, key->name, op, data);
        } else if (seen.value & KEYED_TENTATIVE) {
            step = keyed_confirm(table, &ways, cell, seen, op, data);
        } else {
            step = keyed_change(table, cell, seen, op, data);
        }
        if (weir_unlikely(step == KEYED_AGAIN)) {
            keyed_pause(tries + 1);
        }
    }
    return step == KEYED_DONE ? WEIR_KEYED_CHANGED : step == KEYED_LEFT ? WEIR_KEYED_LEFT : WEIR_KEYED_FULL;
}

bool
weir_keyed_update_at(weir_keyed_t *table, uint32_t cell, uint64_t name, const weir_keyed_op_t *op, void *data)
{
    keyed_step_t step = KEYED_AGAIN;

    if (cell >= table->n_buckets * KEYED_BUCKET) {
        return false;
    }
    while (step == KEYED_AGAIN) {
        weir_cell_t seen = weir_cell_load(&table->cells[cell]);

        if (seen.name != name || (seen.value & KEYED_TENTATIVE)) {
            return false;
        }
        step = keyed_change(table, &table->cells[cell], seen, op, data);
    }
    return step == KEYED_DONE;
}

weir_cell_t
weir_keyed_at(const weir_keyed_t *table, uint32_t cell)
{
    weir_assert(cell < table->n_buckets * KEYED_BUCKET);
    weir_cell_t seen = weir_cell_load(&table->cells[cell]);

    return seen.value & KEYED_TENTATIVE ? (weir_cell_t) { 0, 0 } : seen;
}

bool
weir_keyed_count(const void *memory, size_t size, weir_keyed_worth_t worth, const void *data, uint32_t *used,
                 uint32_t *cells,
                 uint64_t *evicted)
{
    const weir_keyed_t *table = memory;

    *used = 0;
    *cells = weir_keyed_cells(size);
    if (*cells == 0 || table->magic != KEYED_MAGIC) {
        return false;
    }
    *evicted = table->evicted;
    for (uint32_t i = 0; i < *cells; i++) {
        weir_cell_t cell = weir_cell_load(&table->cells[i]);
        *used += cell.name != 0 && !(cell.value & KEYED_TENTATIVE) && worth(data, cell.value) != 0;
    }
    return true;
}
