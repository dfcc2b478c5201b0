/*
 * stats.c - see stats.h.  Runs in every process; allocates nothing but the zones.
 *
 * Pages that have no counter in use are never touched, by readers neither.
 */
#include "shm/stats_internal.h"

#include "shm/slots.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define STATS_MAGIC 0x7374617473723034u
#define STATS_TRIES 1000
#define STATS_PATIENCE 2                     /* s, with another master that has the lock */
#define STATS_FRONT ((sizeof(stats_head_t) + 8191) & ~(size_t) 8191)
#define STATS_BYTES (STATS_FRONT + (size_t) (WEIR_SLOTS + 1) * WEIR_STATS_SEGMENT * sizeof(weir_stats_row_t))

_Static_assert(sizeof(weir_stats_row_t) == 8192, "a row is two pages");
_Static_assert(offsetof(weir_stats_row_t, statuses) + 111 * sizeof(uint64_t) == 4096,
               "the first of which has what most rows need");

stats_segment_t stats_segments[WEIR_STATS_SEGMENTS];
uint32_t        stats_n_segments;

static uint32_t stats_room;

#define STATS_OWN_NONE (WEIR_SLOT_NONE - 1)          /* not a slot, nor none */

weir_stats_own_t weir_stats_own = { .slot = STATS_OWN_NONE };

/* -- begin and end -- */

/* Of processes; one that died with it leaves it to the next. */
static void
stats_make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t how;

    weir_assert(pthread_mutexattr_init(&how) == 0 && pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED) == 0
                && pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST) == 0 && pthread_mutex_init(lock, &how) == 0);
    (void) pthread_mutexattr_destroy(&how);
}

bool
stats_add_segment(weir_error_t *error)
{
    stats_segment_t *segment = &stats_segments[stats_n_segments];
    char             name[16];
    weir_zone_id_t   id = { .kind = &weir_stats_zone, .size = STATS_BYTES };

    weir_assert(stats_n_segments <= WEIR_STATS_SEGMENTS);
    if (stats_n_segments == WEIR_STATS_SEGMENTS) {
        return weir_error_set(error, "the number of rows of statistics is at its limit");
    }
    if (stats_n_segments != 0) {
        id.name = weir_str(name, (size_t) snprintf(name, sizeof(name), "%u", stats_n_segments));
    }
    segment->zone = weir_zone_take(&id, error);
    if (segment->zone == NULL) {
        return false;
    }
    segment->head = weir_zone_memory(segment->zone);
    segment->rows = (weir_stats_row_t *) (void *) ((char *) segment->head + STATS_FRONT);
    if (stats_n_segments == 0 && segment->head->magic != STATS_MAGIC) {
        stats_make_lock(&segment->head->lock);
    }
    segment->head->magic = STATS_MAGIC;
    __atomic_store_n(&stats_n_segments, stats_n_segments + 1, __ATOMIC_RELEASE);
    if (stats_segments[0].head->segments < stats_n_segments) {
        __atomic_store_n(&stats_segments[0].head->segments, stats_n_segments, __ATOMIC_RELEASE);
    }
    return true;
}

bool
weir_stats_start(uint32_t rows, weir_error_t *error)
{
    weir_error_t ignored = { .text = "" };

    if (stats_n_segments == 0 && !stats_add_segment(error)) {
        return false;
    }
    /* Those that another process has made; one that it has made but not handed over yet comes with the next
     * configuration. */
    while (stats_n_segments < __atomic_load_n(&stats_segments[0].head->segments, __ATOMIC_ACQUIRE)
           && stats_add_segment(&ignored))
    {
    }
    stats_room = (uint32_t) weir_min(weir_max(rows, 64), WEIR_STATS_SEGMENT * WEIR_STATS_SEGMENTS);
    stats_names_start(stats_room);
    return true;
}

void
weir_stats_end(void)
{
    if (stats_n_segments == 0) {
        return;
    }
    stats_names_end();
    while (stats_n_segments > 0) {
        weir_zone_give_back(stats_segments[--stats_n_segments].zone);
        stats_segments[stats_n_segments] = (stats_segment_t) { 0 };
    }
    weir_stats_own.slot = STATS_OWN_NONE;
}

bool
weir_stats_is_on(void)
{
    return stats_n_segments != 0;
}

uint32_t
weir_stats_room(void)
{
    return stats_n_segments != 0 ? stats_room : 0;
}

/* -- counting -- */

/* The first 111 places are in the row's first page: 100-103, 200-229, 300-309, 400-453, 500-511 and 499. */
const uint16_t weir_stats_places[WEIR_STATS_STATUSES] = {
    0, 1, 2, 3, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130,
    131, 132, 133, 134, 135, 136, 137, 138, 139, 140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151, 152, 153,
    154, 155, 156, 157, 158, 159, 160, 161, 162, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175, 176,
    177, 178, 179, 180, 181, 182, 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196, 197, 198, 199,
    200, 201, 202, 203, 204, 205, 206, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
    25, 26, 27, 28, 29, 30, 31, 32, 33, 207, 208, 209, 210, 211, 212, 213, 214, 215, 216, 217, 218, 219, 220, 221,
    222, 223, 224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237, 238, 239, 240, 241, 242, 243, 244,
    245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 258, 259, 260, 261, 262, 263, 264, 265, 266, 267,
    268, 269, 270, 271, 272, 273, 274, 275, 276, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 277, 278, 279, 280, 281, 282,
    283, 284, 285, 286, 287, 288, 289, 290, 291, 292, 293, 294, 295, 296, 297, 298, 299, 300, 301, 302, 303, 304, 305,
    306, 307, 308, 309, 310, 311, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 322, 323, 324, 325, 326, 327, 328,
    329, 330, 331, 332, 333, 334, 335, 336, 337, 338, 339, 340, 341, 342, 343, 344, 345, 346, 347, 348, 349, 350, 351,
    352, 353, 354, 355, 356, 357, 358, 359, 360, 361, 362, 363, 364, 365, 366, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53,
    54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81,
    82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 367, 368, 369, 370, 371, 372, 373, 374, 375, 376,
    377, 378, 379, 380, 381, 382, 383, 384, 385, 386, 387, 388, 389, 390, 391, 392, 393, 394, 395, 396, 397, 398, 399,
    400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 110, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107,
    108, 109, 412, 413, 414, 415, 416, 417, 418, 419, 420, 421, 422, 423, 424, 425, 426, 427, 428, 429, 430, 431, 432,
    433, 434, 435, 436, 437, 438, 439, 440, 441, 442, 443, 444, 445, 446, 447, 448, 449, 450, 451, 452, 453, 454, 455,
    456, 457, 458, 459, 460, 461, 462, 463, 464, 465, 466, 467, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477, 478,
    479, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489, 490, 491, 492, 493, 494, 495, 496, 497, 498, 499,
};

weir_stats_row_t *
weir_stats_first(uint32_t row)
{
    static weir_stats_row_t nowhere;
    static uint64_t         nothing[STATS_WORDS];
    stats_segment_t        *segment = &stats_segments[row / WEIR_STATS_SEGMENT];
    weir_stats_part_t      *part = &weir_stats_own.part[row / WEIR_STATS_SEGMENT];
    uint32_t                slot;

    weir_assert(row < WEIR_STATS_SEGMENT * WEIR_STATS_SEGMENTS);
    if (segment->head == NULL) {
        return &nowhere;
    }
    slot = weir_slot();
    weir_assert(slot < WEIR_SLOTS);
    if (weir_stats_own.slot != slot) {
        for (uint32_t i = 0; i < WEIR_STATS_SEGMENTS; i++) {
            weir_stats_own.part[i].touched = nothing;
        }
        weir_stats_own.slot = slot;
    }
    stats_use_slot(segment->head, slot);
    stats_set_bit(segment->head->touched[slot], row % WEIR_STATS_SEGMENT, true);
    *part = (weir_stats_part_t) { segment->head->touched[slot], stats_copy(segment, slot, 0) };
    return stats_copy(segment, slot, row % WEIR_STATS_SEGMENT);
}

void
stats_clear_row(uint32_t row)
{
    const stats_segment_t *segment = &stats_segments[row / WEIR_STATS_SEGMENT];
    uint32_t               at = row % WEIR_STATS_SEGMENT;

    weir_assert(row >= WEIR_STATS_KINDS && segment->head != NULL);     /* those of a kind are there for ever */
    for (uint32_t slot = 0; slot <= STATS_BASE; slot++) {
        if (stats_bit(segment->head->touched[slot], at)) {
            memset(stats_copy(segment, slot, at), 0, sizeof(weir_stats_row_t));
        }
    }
}

/* -- reading -- */

static void
stats_add_copy(weir_stats_row_t *sum, const weir_stats_row_t *copy, bool with_gauges)
{
    uint64_t       *to = (uint64_t *) (void *) sum;
    const uint64_t *from = (const uint64_t *) (const void *) copy;
    int64_t         active = sum->active, idle = sum->idle, busy = sum->busy;

    for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++) {
        uint64_t more = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
        if (more != 0) {                      /* a page that has none is not written to */
            to[i] += more;
        }
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
    const stats_segment_t *segment = &stats_segments[row / WEIR_STATS_SEGMENT];
    stats_head_t          *head = segment->head;
    uint32_t               at = row % WEIR_STATS_SEGMENT, slots;
    uint64_t               before = 0;

    weir_assert(row < WEIR_STATS_SEGMENT * WEIR_STATS_SEGMENTS);
    memset(sum, 0, sizeof(*sum));
    if (head == NULL) {
        return;
    }
    slots = (uint32_t) weir_min(__atomic_load_n(&head->slots, __ATOMIC_ACQUIRE), WEIR_SLOTS);
    for (unsigned tries = 0; tries < STATS_TRIES; tries++) {
        before = __atomic_load_n(&head->folding, __ATOMIC_ACQUIRE);
        if (stats_bit(head->touched[STATS_BASE], at)) {
            stats_add_copy(sum, stats_copy(segment, STATS_BASE, at), false);
        }
        for (uint32_t slot = 0; slot < slots; slot++) {
            if (stats_bit(head->touched[slot], at)) {
                stats_add_copy(sum, stats_copy(segment, slot, at), true);
            }
        }
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (before % 2 == 0 && __atomic_load_n(&head->folding, __ATOMIC_RELAXED) == before) {
            return;
        }
        memset(sum, 0, sizeof(*sum));
    }
}

bool
weir_stats_worker(uint32_t slot, weir_stats_worker_t *worker)
{
    const stats_segment_t  *segment = &stats_segments[WEIR_STATS_PROCESS / WEIR_STATS_SEGMENT];
    const weir_stats_row_t *copy;

    weir_assert(slot < WEIR_SLOTS);
    *worker = (weir_stats_worker_t) { .pid = weir_slots_owner(slot) };
    if (worker->pid == 0 || segment->head == NULL || !stats_bit(segment->head->touched[slot], WEIR_STATS_PROCESS)) {
        return false;
    }
    copy = stats_copy(segment, slot, WEIR_STATS_PROCESS);
    worker->generation = __atomic_load_n(&copy->count[WEIR_COUNT_GENERATION], __ATOMIC_RELAXED);
    worker->generations = __atomic_load_n(&copy->count[WEIR_COUNT_GENERATIONS], __ATOMIC_RELAXED);
    return worker->generation != 0;
}

uint64_t
weir_stats_bucket_end(uint32_t bucket)
{
    weir_assert(bucket < WEIR_STATS_BUCKETS);
    uint32_t octave = bucket / 8 + 2;

    return bucket < 8 ? bucket + 1 : (uint64_t) (8 + bucket % 8 + 1) << (octave - 3);
}

uint64_t
weir_stats_quantile(const weir_stats_row_t *sum, double q)
{
    uint64_t total = 0, wanted, seen = 0;

    weir_assert(q >= 0 && q <= 1);
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

enum { STATS_FOLD_NONE, STATS_FOLD_ADD, STATS_FOLD_CLEAR };

/* From the step under way on.  Each may be done again from its beginning: what is added to is the base as it was
 * before. */
static void
stats_fold_row(stats_segment_t *segment)
{
    stats_head_t     *head = segment->head;
    uint32_t          slot = head->fold.slot, at = head->fold.at;
    weir_stats_row_t *base = stats_copy(segment, STATS_BASE, at);

    weir_assert(head->fold.step != STATS_FOLD_NONE && slot < WEIR_SLOTS && at < WEIR_STATS_SEGMENT);
    if (head->fold.step == STATS_FOLD_ADD) {
        memcpy(base, &head->fold.before, sizeof(*base));
        stats_add_copy(base, stats_copy(segment, slot, at), false);
        __atomic_store_n(&head->fold.step, STATS_FOLD_CLEAR, __ATOMIC_RELEASE);
    }
    memset(stats_copy(segment, slot, at), 0, sizeof(weir_stats_row_t));
    stats_set_bit(head->touched[slot], at, false);
    __atomic_store_n(&head->fold.step, STATS_FOLD_NONE, __ATOMIC_RELEASE);
}

static void
stats_add_row(stats_segment_t *segment, uint32_t slot, uint32_t at)
{
    stats_head_t *head = segment->head;

    stats_set_bit(head->touched[STATS_BASE], at, true);
    memcpy(&head->fold.before, stats_copy(segment, STATS_BASE, at), sizeof(head->fold.before));
    head->fold.slot = slot;
    head->fold.at = at;
    __atomic_store_n(&head->fold.step, STATS_FOLD_ADD, __ATOMIC_RELEASE);
    stats_fold_row(segment);
}

/* Of a master that was killed. */
static void
stats_repair(void)
{
    for (uint32_t i = 0; i < stats_n_segments; i++) {
        stats_head_t *head = stats_segments[i].head;

        if (head->fold.step != STATS_FOLD_NONE && head->fold.slot < WEIR_SLOTS && head->fold.at < WEIR_STATS_SEGMENT) {
            stats_fold_row(&stats_segments[i]);
        }
        if (head->folding % 2 != 0) {
            __atomic_store_n(&head->folding, head->folding + 1, __ATOMIC_RELEASE);
        }
    }
    stats_names_repair();
}

bool
stats_lock(void)
{
    pthread_mutex_t *lock = &stats_segments[0].head->lock;
    struct timespec  until;
    int              result;

    (void) clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STATS_PATIENCE;
    result = pthread_mutex_timedlock(lock, &until);
    if (result == EOWNERDEAD) {
        stats_repair();
        (void) pthread_mutex_consistent(lock);
        result = 0;
    }
    return result == 0;
}

void
stats_unlock(void)
{
    weir_assert(stats_n_segments != 0);
    (void) pthread_mutex_unlock(&stats_segments[0].head->lock);
}

/* Nothing of it is under way any more; what it counted stays where it is, and its next owner counts on. */
static void
stats_leave_copies(stats_segment_t *segment, uint32_t slot)
{
    for (uint32_t at = 0; at < segment->head->n; at++) {
        if (stats_bit(segment->head->touched[slot], at)) {
            weir_stats_row_t *copy = stats_copy(segment, slot, at);

            copy->active = copy->idle = copy->busy = 0;
        }
    }
}

/* What a slot counted is added to the base, what it held is held no more. */
static void
stats_fold_segment(stats_segment_t *segment, uint32_t slot)
{
    stats_head_t *head = segment->head;

    if (stats_lock()) {
        (void) __atomic_fetch_add(&head->folding, 1, __ATOMIC_ACQ_REL);
        for (uint32_t at = 0; at < head->n; at++) {
            if (stats_bit(head->touched[slot], at)) {
                stats_add_row(segment, slot, at);
            }
        }
        (void) __atomic_fetch_add(&head->folding, 1, __ATOMIC_ACQ_REL);
        stats_unlock();
    } else {
        stats_leave_copies(segment, slot);
    }
    memset(head->held[slot], 0, sizeof(head->held[slot]));
}

static void
stats_fold(void *memory, uint64_t size, uint32_t slot)
{
    (void) size;
    for (uint32_t i = 0; i < stats_n_segments && slot < WEIR_SLOTS; i++) {
        if (memory == (void *) stats_segments[i].head) {
            stats_fold_segment(&stats_segments[i], slot);
        }
    }
}

static void
stats_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    const stats_head_t *head = memory;

    if (size == STATS_BYTES && head->magic == STATS_MAGIC) {
        weir_buf_printf(out, "rows=%u room=%u", head->n, WEIR_STATS_SEGMENT);
    }
}

const weir_zone_kind_t weir_stats_zone = { .name = "statistics", .layout = 4, .fold = stats_fold,
                                           .describe = stats_describe };
