/*
 * keyed.c - a table of keys in shared memory: what one process sees of it, and that several at once lose nothing and
 * never have a key twice, killed or not.
 */
#define _GNU_SOURCE 1

#include "shm/keyed.h"

#include "shm/slots.h"

#include "../event/pair.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define SIZE (64 + 64 * 64)                  /* 256 cells */

static void *
shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    pair_need(memory != MAP_FAILED, "mmap");
    return memory;
}

/* Values are what they are worth; 7 must stay. */
static uint64_t
worth(const void *data WEIR_UNUSED, uint64_t value)
{
    return value == 7 ? UINT64_MAX : value;
}

static bool
set(void *data, uint32_t cell WEIR_UNUSED, uint64_t value WEIR_UNUSED, uint64_t *next)
{
    *next = *(uint64_t *) data;
    return *next != 99;
}

static bool
increment(void *data WEIR_UNUSED, uint32_t cell WEIR_UNUSED, uint64_t value, uint64_t *next)
{
    *next = value + 1;
    return true;
}

static uint64_t overwritten[100];
static unsigned n_overwritten;

static void
before(void *data WEIR_UNUSED, uint64_t value)
{
    overwritten[n_overwritten++ % 100] = value;
}

static const weir_keyed_op_t op_set = { worth, set, before }, op_increment = { worth, increment, NULL };

static weir_keyed_result_t
put(weir_keyed_t *table, const char *key, uint64_t value)
{
    weir_keyed_key_t hashed;

    weir_keyed_hash(table, weir_str_from_z(key), &hashed);
    return weir_keyed_update(table, &hashed, &op_set, &value);
}

static uint64_t
get(const weir_keyed_t *table, const char *key)
{
    weir_keyed_key_t hashed;

    weir_keyed_hash(table, weir_str_from_z(key), &hashed);
    return weir_keyed_peek(table, &hashed);
}

/* -- one process -- */

static void
test_opening(void)
{
    char *memory = shared(SIZE);
    weir_keyed_t *table = weir_keyed_open(memory, SIZE);

    is_int(weir_keyed_cells(SIZE), 256, "cells of 16 bytes behind a head");
    ok(weir_keyed_cells(64 + 127) == 0 && weir_keyed_cells(10) == 0 && weir_keyed_cells(64 + 128) == 8,
       "two buckets at least");
    ok(table != NULL && weir_keyed_open(memory, SIZE) == table, "what is formatted is found so");
    ok(weir_keyed_open(memory, SIZE / 2) == NULL, "of another size it is something else");
    memset(memory, 'x', 64);
    ok(weir_keyed_open(memory, SIZE) == NULL, "and so is what has another head");
    ok(weir_keyed_open(shared(64), 64) == NULL, "nothing fits into nothing");
}

static void
test_values(void)
{
    weir_keyed_t *table = weir_keyed_open(shared(SIZE), SIZE);
    weir_keyed_key_t hashed;
    uint32_t used, cells;
    uint64_t evicted;

    is_int(get(table, "a"), 0, "a key that is not there has 0");
    ok(put(table, "a", 5) == WEIR_KEYED_CHANGED && get(table, "a") == 5, "it is put");
    ok(put(table, "b", 6) == WEIR_KEYED_CHANGED && get(table, "b") == 6 && get(table, "a") == 5, "beside another");
    ok(put(table, "a", 99) == WEIR_KEYED_LEFT && get(table, "a") == 5, "it may be left as it is");
    ok(put(table, "c", 99) == WEIR_KEYED_LEFT && get(table, "c") == 0, "one that is not there too");
    is_int(n_overwritten, 0, "so far nothing was overwritten");
    ok(put(table, "a", 8) == WEIR_KEYED_CHANGED && n_overwritten == 1 && overwritten[0] == 5,
       "before a value goes it is shown");
    ok(weir_keyed_count(table, SIZE, worth, NULL, &used, &cells, &evicted) && used == 2 && cells == 256 && evicted == 0,
       "two are used");
    ok(put(table, "", 3) == WEIR_KEYED_CHANGED && get(table, "") == 3, "an empty key is one");
    weir_keyed_hash(table, WEIR_STR("a"), &hashed);
    for (uint32_t i = 0; i < 256; i++) {
        weir_cell_t cell = weir_keyed_at(table, i);
        uint64_t value = 11;
        if (cell.name == hashed.name) {
            ok(weir_keyed_update_at(table, i, hashed.name, &op_set, &value) && get(table, "a") == 11,
               "a cell is reached by its number");
            ok(!weir_keyed_update_at(table, i, hashed.name ^ 1, &op_set, &value), "not under another name");
        }
    }
    ok(!weir_keyed_update_at(table, 256, hashed.name, &op_set, &(uint64_t) { 1 }), "not beyond the table");
}

static void
test_full(void)
{
    size_t size = 64 + 2 * 64;               /* eight cells: each key may be in any */
    weir_keyed_t *table = weir_keyed_open(shared(size), size);
    char key[20];
    uint32_t used, cells;
    uint64_t evicted;

    for (unsigned i = 0; i < 8; i++) {
        (void) snprintf(key, sizeof(key), "k%u", i);
        ok(put(table, key, i == 2 ? 50 : 100 + i) == WEIR_KEYED_CHANGED, key);
    }
    ok(put(table, "new", 300) == WEIR_KEYED_CHANGED && get(table, "new") == 300, "a full table takes another");
    is_int(get(table, "k2"), 0, "in place of the one of least worth");
    (void) weir_keyed_count(table, size, worth, NULL, &used, &cells, &evicted);
    ok(used == 8 && evicted == 1, "which is counted");
    (void) put(table, "new", 0);
    ok(put(table, "free", 1) == WEIR_KEYED_CHANGED, "what is worth nothing is taken first");
    (void) weir_keyed_count(table, size, worth, NULL, &used, &cells, &evicted);
    is_int(evicted, 1, "and that is no loss");
    for (const char *const *k = (const char *const[]) { "k0", "k1", "k3", "k4", "k5", "k6", "k7", "free", NULL };
         *k != NULL; k++)
    {
        (void) put(table, *k, 7);
    }
    ok(put(table, "one more", 1) == WEIR_KEYED_FULL, "when all must stay there is no room");
    is_int(get(table, "k3"), 7, "and nothing is lost");
}

static const uint64_t same_each_time[2] = { 1, 2 }, random_again[2] = { 0, 0 };

static void
test_filling(void)
{
    size_t size = 64 + 1024 * 64;
    weir_keyed_t *table = weir_keyed_open(shared(size), size);
    unsigned n = 0;
    char key[20];

    do {
        (void) snprintf(key, sizeof(key), "%u", n++);
    } while (put(table, key, 7) == WEIR_KEYED_CHANGED);
    ok(n > 4096 / 2, "more than half of the cells are taken before a key has no room");
    printf("# %u keys in 4096 cells\n", n - 1);
}

static void
test_filling_again(void)
{
    size_t size = 64 + 1024 * 64;
    weir_keyed_t *table = weir_keyed_open(shared(size), size);
    unsigned n = 0;
    char key[20];

    for (unsigned i = 0; i < 16384; i++) {
        (void) snprintf(key, sizeof(key), "old %u", i);
        (void) put(table, key, 1 + i % 3);
    }
    do {
        (void) snprintf(key, sizeof(key), "%u", n++);
    } while (put(table, key, 7) == WEIR_KEYED_CHANGED);
    ok(n > 4096 / 2, "so too when they are full of what may be pushed out");
    printf("# %u keys in 4096 cells\n", n - 1);
}

/* -- several -- */

#define CHILDREN 4
#define ROUNDS   3000

typedef struct { uint32_t arrived, pad[15]; uint64_t done[CHILDREN]; } meet_t;

static void
meet(meet_t *at, uint32_t round)
{
    (void) __atomic_add_fetch(&at->arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&at->arrived, __ATOMIC_SEQ_CST) < round * CHILDREN) {
        sched_yield();
    }
}

static _Noreturn void
child_adds_new_keys(weir_keyed_t *table, meet_t *at)
{
    pair_need(weir_slots_take(getpid()), "a slot");
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        weir_keyed_key_t hashed;
        char key[20];

        (void) snprintf(key, sizeof(key), "%u", round % 100 == 0 ? 7 : round);
        weir_keyed_hash(table, weir_str_from_z(key), &hashed);
        meet(at, round);
        if (weir_keyed_update(table, &hashed, &op_increment, NULL) != WEIR_KEYED_CHANGED) {
            _exit(1);
        }
    }
    _exit(0);
}

/* All add the same new key at the same time, time and again. */
static void
test_adding_at_once(void)
{
    size_t size = 64 + 8192 * 64;
    weir_keyed_t *table = weir_keyed_open(shared(size), size);
    meet_t *at = shared(sizeof(*at));
    unsigned wrong = 0, failed = 0;
    int status;
    char key[20];

    for (unsigned i = 0; i < CHILDREN; i++) {
        if (fork() == 0) {
            child_adds_new_keys(table, at);
        }
    }
    while (wait(&status) > 0) {
        failed += status != 0;
    }
    is_int(failed, 0, "each of four processes counted in every round");
    for (unsigned i = 1; i <= ROUNDS; i++) {
        (void) snprintf(key, sizeof(key), "%u", i);
        wrong += i % 100 != 0 && get(table, key) != (i == 7 ? CHILDREN * (1 + ROUNDS / 100) : CHILDREN);
    }
    is_int(wrong, 0, "and each key has four, whoever was first");
}

static _Noreturn void
child_counts(weir_keyed_t *table, meet_t *at, unsigned self, unsigned n)
{
    pair_need(weir_slots_take(getpid()), "a slot");
    for (unsigned i = 0; n == 0 || i < n; i++) {
        weir_keyed_key_t hashed;
        char key[20];

        (void) snprintf(key, sizeof(key), "%u", i % 12);
        weir_keyed_hash(table, weir_str_from_z(key), &hashed);
        if (weir_keyed_update(table, &hashed, &op_increment, NULL) != WEIR_KEYED_CHANGED) {
            _exit(1);
        }
        __atomic_store_n(&at->done[self], at->done[self] + 1, __ATOMIC_SEQ_CST);
    }
    _exit(0);
}

static void
nothing_to_fold(uint32_t slot WEIR_UNUSED)
{
}

static uint64_t
sum_of(const weir_keyed_t *table, unsigned keys)
{
    uint64_t sum = 0;
    char key[20];

    for (unsigned i = 0; i < keys; i++) {
        (void) snprintf(key, sizeof(key), "%u", i);
        sum += get(table, key);
    }
    return sum;
}

/* Killed at any instruction, time and again: a killed one leaves at most the one step it was at. */
static void
test_killing(void)
{
    size_t size = 64 + 64 * 64;
    weir_keyed_t *table = weir_keyed_open(shared(size), size);
    meet_t *at = shared(sizeof(*at));
    uint64_t told = 0, sum;
    unsigned kills = 0;
    pid_t pids[CHILDREN];

    for (unsigned i = 0; i < CHILDREN; i++) {
        if ((pids[i] = fork()) == 0) {
            child_counts(table, at, i, 0);
        }
    }
    for (; kills < 300; kills++) {
        unsigned i = kills % CHILDREN;
        struct timespec nap = { 0, (kills * 7919 % 1000) * 1000 };

        (void) nanosleep(&nap, NULL);
        (void) kill(pids[i], SIGKILL);
        (void) waitpid(pids[i], NULL, 0);
        weir_slots_reap(pids[i], nothing_to_fold);
        if ((pids[i] = fork()) == 0) {
            child_counts(table, at, i, 0);
        }
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        (void) kill(pids[i], SIGKILL);
        (void) waitpid(pids[i], NULL, 0);
        told += at->done[i];
    }
    sum = sum_of(table, 12);
    ok(told > 1000 && sum >= told && sum <= told + kills + CHILDREN, "what was counted is there");
    if (fork() == 0) {
        child_counts(table, at, 0, 12);
    }
    (void) wait(NULL);
    is_int(sum_of(table, 12), (long long) sum + 12, "and counting goes on");
}

int
main(void)
{
    weir_slots_use(shared(WEIR_SLOTS_BYTES));
    pair_need(weir_slots_take(getpid()), "a slot");
    test_opening();
    test_values();
    test_full();
    weir_keyed_use_seeds(same_each_time);
    test_filling();
    test_filling_again();
    weir_keyed_use_seeds(random_again);
    test_adding_at_once();
    test_killing();
    return done();
}
