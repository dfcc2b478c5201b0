/*
 * stats.c - see stats.h.  Runs in every process; allocates nothing but the zone.
 *
 *     head · names (an entry a row) · index of names by hash · touched (a bit a row, by slot) · rows of the base · rows of each slot
 *
 * Pages that nobody counts in are never touched, by readers neither.
 */
#include "shm/stats.h"

#include "shm/slots.h"

#include <string.h>

#define STATS_MAGIC 0x7374617473723032u
#define STATS_BASE  WEIR_SLOTS                /* the copy of those that are gone */
#define STATS_MAX   65536
#define STATS_TRIES 1000

_Static_assert(sizeof(weir_stats_row_t) == 8192, "a row is two pages");

typedef struct {
    uint64_t magic;
    uint32_t rows, n;                         /* room; named */
    uint64_t folding;                         /* odd while a copy is added to the base */
    uint64_t unused[5];
} stats_head_t;

typedef struct { uint32_t kind, len; uint64_t hash; char name[WEIR_STATS_NAME]; } stats_name_t;

static struct {
    stats_head_t     *head;
    stats_name_t     *names;
    uint32_t         *index;
    uint64_t         *touched;
    weir_stats_row_t *at;
    weir_zone_t      *zone;
} stats;

#define STATS_OWN_NONE (WEIR_SLOT_NONE - 1)          /* not a slot, nor none */

weir_stats_own_t weir_stats_own = { .slot = STATS_OWN_NONE };

/* -- layout -- */

static uint64_t stats_round(uint64_t n) { return (n + 8191) & ~(uint64_t) 8191; }
static uint64_t stats_words(uint32_t rows) { return (rows + 63) / 64; }

static uint64_t
stats_front(uint32_t rows)
{
    return stats_round(sizeof(stats_head_t) + rows * sizeof(stats_name_t) + 2 * rows * sizeof(uint32_t)
                       + (WEIR_SLOTS + 1) * stats_words(rows) * sizeof(uint64_t));
}

static uint64_t
stats_bytes(uint32_t rows)
{
    return stats_front(rows) + (uint64_t) (WEIR_SLOTS + 1) * rows * sizeof(weir_stats_row_t);
}

static void
stats_place(void *memory, uint32_t rows)
{
    char *at = memory;

    stats.head = memory;
    stats.touched = (uint64_t *) (void *) (at + sizeof(stats_head_t));
    stats.names = (stats_name_t *) (void *) ((char *) stats.touched + (WEIR_SLOTS + 1) * stats_words(rows) * sizeof(uint64_t));
    stats.index = (uint32_t *) (void *) ((char *) stats.names + rows * sizeof(stats_name_t));
    stats.at = (weir_stats_row_t *) (void *) (at + stats_front(rows));
}

static inline weir_stats_row_t *
stats_copy(uint32_t slot, uint32_t row)
{
    return &stats.at[(uint64_t) slot * stats.head->rows + row];
}

static inline bool
stats_is_touched(uint32_t slot, uint32_t row)
{
    return (__atomic_load_n(&stats.touched[slot * stats_words(stats.head->rows) + row / 64], __ATOMIC_ACQUIRE) >> row % 64 & 1) != 0;
}

static inline void
stats_touch(uint32_t slot, uint32_t row)
{
    uint64_t *word = &stats.touched[slot * stats_words(stats.head->rows) + row / 64];

    __atomic_store_n(word, *word | (uint64_t) 1 << row % 64, __ATOMIC_RELEASE);
}

/* -- names -- */

static uint64_t
stats_hash(weir_stats_kind_t kind, weir_str_t name)
{
    return weir_str_hash(name, STATS_MAGIC + kind);
}

static uint32_t *
stats_place_of(weir_stats_kind_t kind, weir_str_t name, uint64_t hash)
{
    uint32_t size = 2 * stats.head->rows;

    for (uint32_t i = (uint32_t) (hash % size), n = 0; n < size; i = (i + 1) % size, n++) {
        uint32_t row = __atomic_load_n(&stats.index[i], __ATOMIC_ACQUIRE);
        const stats_name_t *its;

        if (row == 0) {
            return &stats.index[i];
        }
        its = &stats.names[row - 1];
        if (its->hash == hash && its->kind == (uint32_t) kind && weir_str_eq(weir_str(its->name, its->len), name)) {
            return &stats.index[i];
        }
    }
    return NULL;
}

static uint32_t
stats_add(weir_stats_kind_t kind, weir_str_t name, uint64_t hash, uint32_t *place)
{
    uint32_t      row = stats.head->n;
    stats_name_t *its = &stats.names[row];

    its->kind = (uint32_t) kind;
    its->len = (uint32_t) name.len;
    its->hash = hash;
    if (name.len != 0) {
        memcpy(its->name, name.at, name.len);
    }
    __atomic_store_n(&stats.head->n, row + 1, __ATOMIC_RELEASE);
    __atomic_store_n(place, row + 1, __ATOMIC_RELEASE);
    return row;
}

uint32_t
weir_stats_row(weir_stats_kind_t kind, weir_str_t name)
{
    uint64_t  hash;
    uint32_t *place, found;

    if (stats.head == NULL) {
        return 0;
    }
    name.len = weir_min(name.len, WEIR_STATS_NAME);
    hash = stats_hash(kind, name);
    place = stats_place_of(kind, name, hash);
    found = place != NULL ? __atomic_load_n(place, __ATOMIC_ACQUIRE) : 0;
    if (found != 0) {
        return found - 1;
    }
    if (place == NULL || !weir_zones_are_made_here() || stats.head->n == stats.head->rows) {
        return (uint32_t) kind;               /* its "_other" */
    }
    return stats_add(kind, name, hash, place);
}

static void
stats_name_others(void)
{
    for (uint32_t kind = 0; kind < WEIR_STATS_KINDS; kind++) {
        weir_str_t name = kind == WEIR_STATS_PROCESS ? WEIR_STR("") : WEIR_STR("_other");
        uint64_t   hash = stats_hash((weir_stats_kind_t) kind, name);

        (void) stats_add((weir_stats_kind_t) kind, name, hash, stats_place_of((weir_stats_kind_t) kind, name, hash));
    }
}

/* -- begin and end -- */

bool
weir_stats_start(uint32_t rows, weir_error_t *error)
{
    weir_zone_id_t id = { .kind = &weir_stats_zone };

    if (stats.head != NULL) {
        return true;
    }
    rows = (uint32_t) weir_min(weir_max(rows, 64), STATS_MAX);
    id.size = stats_bytes(rows);
    stats.zone = weir_zone_take(&id, error);
    if (stats.zone == NULL) {
        return false;
    }
    stats_place(weir_zone_memory(stats.zone), rows);
    if (stats.head->magic != STATS_MAGIC) {
        stats.head->rows = rows;
        stats_name_others();
        stats.head->magic = STATS_MAGIC;
    }
    return true;
}

void
weir_stats_end(void)
{
    if (stats.zone != NULL) {
        weir_zone_give_back(stats.zone);
        stats.zone = NULL;
        stats.head = NULL;
        weir_stats_own.slot = STATS_OWN_NONE;
    }
}

bool
weir_stats_is_on(void)
{
    return stats.head != NULL;
}

uint32_t
weir_stats_room(void)
{
    return stats.head != NULL ? stats.head->rows : 0;
}

/* -- counting -- */

weir_stats_row_t *
weir_stats_first(uint32_t row)
{
    static weir_stats_row_t nowhere;
    uint32_t                slot;

    if (stats.head == NULL) {
        return &nowhere;
    }
    slot = weir_slot();
    stats_touch(slot, row);
    weir_stats_own = (weir_stats_own_t) { slot, &stats.touched[slot * stats_words(stats.head->rows)], stats_copy(slot, 0) };
    return stats_copy(slot, row);
}

/* -- reading -- */

uint32_t
weir_stats_rows(void)
{
    return stats.head != NULL ? __atomic_load_n(&stats.head->n, __ATOMIC_ACQUIRE) : 0;
}

weir_str_t
weir_stats_name(uint32_t row, weir_stats_kind_t *kind)
{
    const stats_name_t *its = &stats.names[row];

    *kind = (weir_stats_kind_t) its->kind;
    return weir_str(its->name, its->len);
}

static void
stats_add_copy(weir_stats_row_t *sum, const weir_stats_row_t *copy, bool with_gauges)
{
    uint64_t       *to = (uint64_t *) (void *) sum;
    const uint64_t *from = (const uint64_t *) (const void *) copy;
    int64_t         active = sum->active, idle = sum->idle, busy = sum->busy;

    for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++) {
        to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
    }
    if (!with_gauges) {
        sum->active = active;
        sum->idle = idle;
        sum->busy = busy;
    }
}

void
weir_stats_sum(uint32_t row, weir_stats_row_t *sum)
{
    uint64_t before = 0;

    for (unsigned tries = 0; tries < STATS_TRIES; tries++) {
        before = __atomic_load_n(&stats.head->folding, __ATOMIC_ACQUIRE);
        memset(sum, 0, sizeof(*sum));
        for (uint32_t slot = 0; slot <= STATS_BASE; slot++) {
            if (stats_is_touched(slot, row)) {
                stats_add_copy(sum, stats_copy(slot, row), slot != STATS_BASE);
            }
        }
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (before % 2 == 0 && __atomic_load_n(&stats.head->folding, __ATOMIC_RELAXED) == before) {
            return;
        }
    }
}

uint64_t
weir_stats_bucket_end(uint32_t bucket)
{
    uint32_t octave = bucket / 8 + 2;

    return bucket < 8 ? bucket + 1 : (uint64_t) (8 + bucket % 8 + 1) << (octave - 3);
}

uint64_t
weir_stats_quantile(const weir_stats_row_t *sum, double q)
{
    uint64_t total = 0, wanted, seen = 0;

    for (uint32_t i = 0; i < WEIR_STATS_BUCKETS; i++) {
        total += sum->latency[i];
    }
    wanted = (uint64_t) (q * (double) total);
    for (uint32_t i = 0; i < WEIR_STATS_BUCKETS && total != 0; i++) {
        seen += sum->latency[i];
        if (seen > wanted || seen == total) {
            uint64_t first = i == 0 ? 0 : weir_stats_bucket_end(i - 1);
            return (first + weir_stats_bucket_end(i) - 1) / 2;
        }
    }
    return 0;
}

/* -- the dead -- */

static void
stats_fold(void *memory, uint64_t size, uint32_t slot)
{
    if (stats.zone == NULL || memory != (void *) stats.head || size != stats_bytes(stats.head->rows) || slot >= WEIR_SLOTS) {
        return;
    }
    (void) __atomic_fetch_add(&stats.head->folding, 1, __ATOMIC_ACQ_REL);
    for (uint32_t row = 0; row < stats.head->n; row++) {
        if (stats_is_touched(slot, row)) {
            stats_touch(STATS_BASE, row);
            stats_add_copy(stats_copy(STATS_BASE, row), stats_copy(slot, row), false);
            memset(stats_copy(slot, row), 0, sizeof(weir_stats_row_t));
        }
    }
    memset(&stats.touched[slot * stats_words(stats.head->rows)], 0, stats_words(stats.head->rows) * sizeof(uint64_t));
    (void) __atomic_fetch_add(&stats.head->folding, 1, __ATOMIC_ACQ_REL);
}

static void
stats_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    const stats_head_t *head = memory;

    if (head->magic == STATS_MAGIC && head->rows <= STATS_MAX && size == stats_bytes(head->rows)) {
        weir_buf_printf(out, "rows=%u room=%u", head->n, head->rows);
    }
}

const weir_zone_kind_t weir_stats_zone = { .name = "statistics", .layout = 1, .fold = stats_fold, .describe = stats_describe };
