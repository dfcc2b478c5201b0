/*
 * quota.c - what a key has used in a period: counted exactly by processes, looked for in a store, kept there before it
 * may be forgotten, and given nothing by a clock that steps.
 */
#define _GNU_SOURCE 1

#include "shm/quota.h"

#include "shm/slots.h"

#include "../event/pair.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define SIZE (WEIR_QUOTA_HEAD + 64 + 64 * 64)
#define NAME WEIR_STR("zone")

static weir_quota_zone_t *zone;
static char               memory_of[SIZE] __attribute__((aligned(64)));

/* -- a store of a few cells -- */

static struct { uint64_t name, value; } kept[4096];
static size_t n_kept;
static bool   is_stuck;

static weir_saved_result_t
load(weir_str_t kind, weir_str_t name_of_zone, uint64_t name, uint64_t *value)
{
    if (is_stuck) {
        return WEIR_SAVED_UNKNOWN;
    }
    for (size_t i = 0; i < n_kept && weir_str_eq(kind, WEIR_STR("quota")) && weir_str_eq(name_of_zone, NAME); i++) {
        if (kept[i].name == name) {
            *value = kept[i].value;
            return WEIR_SAVED_FOUND;
        }
    }
    return WEIR_SAVED_NONE;
}

static void
keep(const weir_saved_cell_t *cell)
{
    size_t i = 0;

    while (i < n_kept && kept[i].name != cell->name) {
        i++;
    }
    n_kept += i == n_kept;
    kept[i].name = cell->name;
    kept[i].value = cell->value;
}

/* As the store's process does it; how many were written. */
static size_t
flush(void)
{
    weir_saved_cell_t cells[7];
    uint32_t          at = 0;
    size_t            all = 0;

    do {
        size_t n = weir_quota_kind.saved->lacks(zone, SIZE, &at, cells, weir_countof(cells));

        for (size_t i = 0; i < n; i++) {
            keep(&cells[i]);
            weir_quota_kind.saved->has(zone, SIZE, &cells[i]);
        }
        all += n;
    } while (at != 0);
    return all;
}

static void
begin(void *memory)
{
    memset(memory, 0, SIZE);
    zone = weir_quota_open(memory, SIZE);
    weir_quota_set_period(zone, &(weir_quota_period_t) { 100, 1000 });
}

static weir_quota_result_t
take(const char *key, uint32_t period, uint64_t limit, uint64_t *used)
{
    weir_keyed_key_t    hashed;
    weir_quota_count_t  count;
    weir_quota_result_t result;

    weir_quota_hash(zone, weir_str_from_z(key), &hashed);
    result = weir_quota_take(zone, NAME, &hashed, &(weir_quota_period_t) { period, 1000 }, limit, &count);
    *used = count.used;
    return result;
}

static void
give_back(const char *key, uint32_t period)
{
    weir_keyed_key_t hashed;

    weir_quota_hash(zone, weir_str_from_z(key), &hashed);
    weir_quota_give_back(zone, NAME, &hashed, &(weir_quota_count_t) { .period = period });
}

static void
test_counting(void)
{
    uint64_t used = 0;

    begin(memory_of);
    ok(take("a", 100, 2, &used) == WEIR_QUOTA_ADMITTED && used == 1, "the first");
    ok(take("a", 100, 2, &used) == WEIR_QUOTA_ADMITTED && used == 2, "the second");
    ok(take("a", 100, 2, &used) == WEIR_QUOTA_REFUSED && used == 2, "no more");
    ok(take("a", 100, 3, &used) == WEIR_QUOTA_ADMITTED && used == 3, "a larger limit goes on");
    ok(take("a", 100, 1, &used) == WEIR_QUOTA_REFUSED && used == 3, "a smaller one refuses");
    give_back("a", 100);
    ok(take("a", 100, 3, &used) == WEIR_QUOTA_ADMITTED && used == 3, "what is given back is there again");
    ok(take("b", 100, 0, &used) == WEIR_QUOTA_REFUSED && used == 0, "nothing of nothing");
    ok(take("a", 101, 3, &used) == WEIR_QUOTA_ADMITTED && used == 1, "the next period begins anew");
    give_back("a", 100);
    ok(take("a", 101, 3, &used) == WEIR_QUOTA_ADMITTED && used == 2,
       "what was taken in a period that has ended is not given back in the next");
    ok(take("c", 100, WEIR_QUOTA_MAX, &used) == WEIR_QUOTA_ADMITTED, "the largest limit");
}

static void
test_clock(void)
{
    uint64_t used = 0;

    begin(memory_of);
    ok(take("a", 101, 2, &used) == WEIR_QUOTA_ADMITTED && used == 1, "counted in one period");
    ok(take("a", 100, 2, &used) == WEIR_QUOTA_ADMITTED && used == 2, "a clock that steps back over its begin");
    ok(take("a", 100, 2, &used) == WEIR_QUOTA_REFUSED, "gives nothing");
    ok(take("a", 101, 2, &used) == WEIR_QUOTA_REFUSED && used == 2, "nor when it comes over it again");
    ok(take("b", 5000, 2, &used) == WEIR_QUOTA_ADMITTED && take("b", 5000, 2, &used) == WEIR_QUOTA_ADMITTED,
       "counted far ahead");
    ok(take("b", 101, 3, &used) == WEIR_QUOTA_ADMITTED && used == 3, "counts now");
    ok(take("b", 102, 3, &used) == WEIR_QUOTA_ADMITTED && used == 1, "and not for ever");
}

static void
test_store(void)
{
    uint64_t used = 0;
    char     name[16];
    int      refused = 0, full = 0, wrong = 0;

    n_kept = 0;
    begin(memory_of);
    weir_saved_use(load);
    for (int i = 0; i < 30; i++) {
        (void) snprintf(name, sizeof(name), "%d", i);
        wrong += take(name, 100, 5, &used) != WEIR_QUOTA_ADMITTED;
    }
    is_int(wrong, 0, "thirty keys");
    is_int((long long) flush(), 30, "are written once");
    is_int((long long) flush(), 0, "and not again");
    (void) take("3", 100, 5, &used);
    is_int((long long) flush(), 1, "but what changed");
    for (int i = 0; i < 2000; i++) {             /* a small table: most are moved to the store */
        (void) snprintf(name, sizeof(name), "%d", i);
        refused += take(name, 100, 5, &used) != WEIR_QUOTA_ADMITTED;
        (void) flush();
    }
    is_int(refused, 0, "two thousand keys go through a table of 512");
    (void) take("3", 100, 5, &used);
    is_int((long long) used, 4, "one that had left is found in the store");
    n_kept = 0;
    begin(memory_of);
    for (int i = 0; i < 2000; i++) {
        (void) snprintf(name, sizeof(name), "%d", i);
        full += take(name, 100, 5, &used) == WEIR_QUOTA_FULL;
    }
    ok(full > 1400, "what is not written yet is not pushed out");
    is_stuck = true;
    ok(take("another", 101, 5, &used) == WEIR_QUOTA_UNKNOWN, "a key that is not here, and a store that cannot be read");
    ok(take("1", 100, 5, &used) == WEIR_QUOTA_ADMITTED && used == 2, "one that is here goes on");
    is_stuck = false;
    weir_saved_use(NULL);
}

/* What changes while it is written is not taken for written. */
static void
test_race(void)
{
    weir_saved_cell_t cell;
    uint32_t          at = 0;
    uint64_t          used = 0;

    begin(memory_of);
    (void) take("a", 100, 9, &used);
    is_int((long long) weir_quota_kind.saved->lacks(zone, SIZE, &at, &cell, 1), 1, "one is to be written");
    (void) take("a", 100, 9, &used);
    weir_quota_kind.saved->has(zone, SIZE, &cell);
    is_int((long long) flush(), 1, "it changed meanwhile: it is to be written again");
    is_int((long long) flush(), 0, "once");
}

static void
test_processes(void)
{
    void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int   admitted = 0;

    begin(memory);
    for (int i = 0; i < 4; i++) {
        if (fork() == 0) {
            int      n = 0;
            uint64_t used;

            pair_need(weir_slots_take(getpid()), "a slot");
            for (int t = 0; t < 20000; t++) {
                n += take("shared", 100, 30000, &used) == WEIR_QUOTA_ADMITTED;
            }
            _exit(n * 200 / 30000);         /* in 200ths of the limit: of the four together exactly 200, when rounded */
        }
    }
    for (int i = 0; i < 4; i++) {
        int status = 0;

        (void) wait(&status);
        admitted += WEXITSTATUS(status);
    }
    ok(admitted >= 196 && admitted <= 200, "four processes are admitted what one would be");
    {
        uint64_t used = 0;

        ok(take("shared", 100, 30000, &used) == WEIR_QUOTA_REFUSED && used == 30000, "exactly");
    }
    (void) munmap(memory, SIZE);
}

int
main(void)
{
    weir_slots_use(mmap(NULL, WEIR_SLOTS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    pair_need(weir_slots_take(getpid()), "a slot");
    test_counting();
    test_clock();
    test_store();
    test_race();
    test_processes();
    return done();
}
