/*
 * holds.c - how much each key holds, over processes: never more than allowed, and exact however processes die.
 */
#define _GNU_SOURCE 1

#include "shm/holds.h"

#include "shm/slots.h"

#include "../event/pair.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define KEYS     6
#define MAX      5
#define CHILDREN 4

static void        *memory;
static uint64_t     size;
static weir_holds_t holds;

static void *
shared(size_t n)
{
    void *at = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    pair_need(at != MAP_FAILED, "mmap");
    return at;
}

static void
test_layout(void)
{
    weir_holds_t other;

    size = weir_holds_bytes(100);
    memory = shared(size);
    ok(weir_holds_open(memory, size, &holds), "formatted");
    ok(weir_holds_open(memory, size, &other) && other.rows == holds.rows && other.slots == holds.slots, "and found so");
    ok(!weir_holds_open(memory, size - 1, &other) && !weir_holds_open(memory, 100, &other),
       "of another size it is something else");
    is_int(weir_holds_bytes(UINT64_MAX / 4), 0, "there is a limit");
}

static void
test_counting(void)
{
    weir_hold_t a, b, c;
    char        text[100];
    weir_buf_t  buf;

    ok(weir_holds_take(&holds, WEIR_STR("x"), 2, &a) == WEIR_HOLDS_TAKEN, "one");
    ok(weir_holds_take(&holds, WEIR_STR("x"), 2, &b) == WEIR_HOLDS_TAKEN, "two");
    ok(weir_holds_take(&holds, WEIR_STR("x"), 2, &c) == WEIR_HOLDS_REFUSED, "a third is one too many");
    ok(weir_holds_take(&holds, WEIR_STR("y"), 2, &c) == WEIR_HOLDS_TAKEN, "of another key it is the first");
    is_int(weir_holds_total(&holds, WEIR_STR("x")), 2, "two are held");
    weir_buf_init(&buf, text, sizeof(text));
    weir_holds_describe(memory, size, &buf);
    *buf.pos = '\0';
    is_str(weir_buf_str(&buf), "keys=2 room=112", "said in words");
    weir_holds_drop(&holds, &a);
    is_int(weir_holds_total(&holds, WEIR_STR("x")), 1, "one is given back");
    ok(weir_holds_take(&holds, WEIR_STR("x"), 2, &a) == WEIR_HOLDS_TAKEN, "and may be taken again");
    weir_holds_drop(&holds, &a);
    weir_holds_drop(&holds, &b);
    weir_holds_drop(&holds, &c);
    ok(weir_holds_total(&holds, WEIR_STR("x")) == 0 && weir_holds_total(&holds, WEIR_STR("y")) == 0, "nothing is held");
    ok(weir_holds_take(&holds, WEIR_STR("z"), 0, &a) == WEIR_HOLDS_REFUSED,
       "of a key that may hold nothing nothing is held");
    is_int(weir_holds_total(&holds, WEIR_STR("z")), 0, "and it takes no place");
}

static void
test_full(void)
{
    weir_hold_t held[400];
    unsigned    n = 0;
    char        key[20];

    for (; n < 400; n++) {
        (void) snprintf(key, sizeof(key), "k%u", n);
        if (weir_holds_take(&holds, weir_str_from_z(key), 1, &held[n]) != WEIR_HOLDS_TAKEN) {
            break;
        }
    }
    ok(n >= 100 && n < 400, "as many keys as asked for find room, though not any number");
    ok(weir_holds_take(&holds, weir_str_from_z(key), 1, &held[n]) == WEIR_HOLDS_FULL,
       "one more is told that it is full");
    while (n-- > 0) {
        weir_holds_drop(&holds, &held[n]);
    }
    ok(weir_holds_take(&holds, weir_str_from_z(key), 1, &held[0]) == WEIR_HOLDS_TAKEN,
       "when others have gone there is room again");
    weir_holds_drop(&holds, &held[0]);
}

static void
test_a_death(void)
{
    weir_hold_t a;
    int         status = -1;
    pid_t       pid = fork();

    if (pid == 0) {
        bool taken = weir_slots_take(getpid()) && weir_slot() == 1;
        for (unsigned i = 0; i < 3; i++) {
            taken = weir_holds_take(&holds, WEIR_STR("x"), 9, &a) == WEIR_HOLDS_TAKEN && taken;
        }
        _exit(!taken);
    }
    (void) waitpid(pid, &status, 0);
    ok(status == 0 && weir_holds_take(&holds, WEIR_STR("x"), 9, &a) == WEIR_HOLDS_TAKEN,
       "a process holds three, we one");
    is_int(weir_holds_total(&holds, WEIR_STR("x")), 4, "four in all");
    weir_holds_fold(memory, size, 1);
    is_int(weir_holds_total(&holds, WEIR_STR("x")), 1, "when it is dead its three are given back");
    weir_holds_fold(memory, size, 1);
    is_int(weir_holds_total(&holds, WEIR_STR("x")), 1, "once");
    weir_holds_drop(&holds, &a);
}

/* -- killed at any instruction -- */

static uint64_t *over;

static _Noreturn void
child_takes_and_drops(unsigned self)
{
    weir_hold_t held[16];
    unsigned    n = 0;
    uint64_t    seed = 88172645463325252u + (uint64_t) getpid() * 977 + self;

    pair_need(weir_slots_take(getpid()), "a slot");
    for (;;) {
        char key[4] = "";

        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        key[0] = (char) ('a' + seed % KEYS);
        if (n == weir_countof(held) || (n != 0 && (seed >> 20) % 2 == 0)) {
            weir_holds_drop(&holds, &held[--n]);
        } else if (weir_holds_take(&holds, weir_str_from_z(key), MAX, &held[n]) == WEIR_HOLDS_TAKEN) {
            n++;
        }
        if (weir_holds_total(&holds, weir_str_from_z(key)) > MAX) {
            (void) __atomic_add_fetch(over, 1, __ATOMIC_RELAXED);
        }
    }
}

static void
fold(uint32_t slot)
{
    weir_holds_fold(memory, size, slot);
}

static void
bury(pid_t pid)
{
    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);
    weir_slots_reap(pid, fold);
}

static void
test_killing(void)
{
    pid_t    pids[CHILDREN];
    unsigned left = 0;

    over = shared(4096);
    for (unsigned i = 0; i < CHILDREN; i++) {
        if ((pids[i] = fork()) == 0) {
            child_takes_and_drops(i);
        }
    }
    for (unsigned kills = 0; kills < 600; kills++) {
        unsigned        i = kills % CHILDREN;
        struct timespec nap = { 0, (kills * 7919 % 1000) * 1000 };

        (void) nanosleep(&nap, NULL);
        bury(pids[i]);
        if ((pids[i] = fork()) == 0) {
            child_takes_and_drops(i);
        }
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        bury(pids[i]);
    }
    for (char key[2] = "a"; key[0] < 'a' + KEYS; key[0]++) {
        left += weir_holds_total(&holds, weir_str_from_z(key));
    }
    is_int(left, 0, "when all were killed and settled, 604 of them, nothing is held");
    is_int(*over, 0, "and never was more held than allowed");
}

int
main(void)
{
    weir_slots_use(shared(WEIR_SLOTS_BYTES));
    pair_need(weir_slots_take(getpid()), "a slot");
    test_layout();
    test_counting();
    test_full();
    test_a_death();
    test_killing();
    return done();
}
