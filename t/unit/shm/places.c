/*
 * places.c - named records and gauges in shared memory: the same for all processes, and right however processes die.
 */
#define _GNU_SOURCE 1

#include "shm/places.h"

#include "../event/pair.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define NAMES    5
#define MAX      3
#define CHILDREN 4

static void         *memory;
static uint64_t      size;
static weir_places_t places;

static void *
shared(size_t n)
{
    void *at = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    pair_need(at != MAP_FAILED, "mmap");
    return at;
}

static uint64_t *
words(const weir_place_t *place)
{
    return place->record;
}

static void
test_layout(void)
{
    weir_places_t other;
    bool          found = true;

    size = weir_places_bytes(64);
    memory = shared(size);
    ok(weir_places_open(memory, size, &places), "formatted");
    ok(weir_places_open(memory, size, &other) && other.records == places.records && other.gauges == places.gauges,
       "and found so");
    ok(!weir_places_open(memory, size - 64, &other) && !weir_places_open(memory, 100, &other),
       "of another size it is something else");
    is_int(weir_places_bytes(UINT64_MAX / 4), 0, "there is a limit");
    for (uint64_t names = 1; names < 20000 && found; names = names * 2 + 1) {
        uint64_t bytes = weir_places_bytes(names);
        void    *room = shared(bytes);

        found = weir_places_open(room, bytes, &other) && other.holds.n_cells >= 2 * names;
        (void) munmap(room, bytes);
    }
    ok(found, "any number of names has its size");
}

static void
test_names(void)
{
    weir_place_t a, b, again;
    char         text[100];
    weir_buf_t   buf;

    ok(weir_places_take(&places, WEIR_STR("a"), &a) && weir_places_take(&places, WEIR_STR("b"), &b), "two names");
    ok(a.record != b.record && a.gauge != b.gauge, "have two places");
    words(&a)[1] = 7;
    ok(weir_places_take(&places, WEIR_STR("a"), &again) && again.record == a.record && words(&again)[1] == 7,
       "a name that is taken twice has one place");
    weir_places_drop(&places, &again);
    is_int(words(&a)[1], 7, "which stays while it is held");
    weir_buf_init(&buf, text, sizeof(text));
    weir_places_describe(memory, size, &buf);
    *buf.pos = '\0';
    is_str(weir_buf_str(&buf), "keys=2 room=64", "said in words");
    weir_places_drop(&places, &a);
    weir_places_drop(&places, &b);
    ok(weir_places_take(&places, WEIR_STR("a"), &again) && words(&again)[1] == 7, "a name that comes back finds it");
    weir_places_drop(&places, &again);
}

/* As many other names as it takes until one has the place that a name had. */
static void
test_another_name_begins_with_zeros(void)
{
    weir_place_t first, other;
    char         name[20];
    bool         met = false;

    pair_need(weir_places_take(&places, WEIR_STR("first"), &first), "a place");
    memset((char *) first.record + 8, 0xff, WEIR_PLACES_RECORD - 8);
    weir_places_drop(&places, &first);
    for (unsigned i = 0; i < 100000 && !met; i++) {
        (void) snprintf(name, sizeof(name), "other %u", i);
        pair_need(weir_places_take(&places, weir_str_from_z(name), &other), "a place");
        met = other.record == first.record;
        for (size_t k = 1; met && k < WEIR_PLACES_RECORD / 8; k++) {
            met = words(&other)[k] == 0;
        }
        weir_places_drop(&places, &other);
    }
    ok(met, "a place that becomes another name's is zeroed");
}

static void
test_gauges(void)
{
    weir_place_t a;
    int          status = -1;
    uint32_t     sum = 99;
    pid_t        pid;

    pair_need(weir_places_take(&places, WEIR_STR("gauge"), &a), "a place");
    ok(weir_places_admit(&places, &a, 2) && weir_places_admit(&places, &a, 2), "two are admitted");
    ok(!weir_places_admit(&places, &a, 2), "a third is not");
    is_int(weir_places_sum(&places, &a), 2, "and is not counted");
    pid = fork();
    if (pid == 0) {
        weir_place_t its;
        bool         good = weir_slots_take(getpid()) && weir_slot() == 1
                            && weir_places_take(&places, WEIR_STR("gauge"), &its);

        good = good && !weir_places_admit(&places, &its, 2) && weir_places_admit(&places, &its, 3);
        _exit(!(good && weir_places_sum(&places, &its) == 3 && *its.gauge == 1));
    }
    (void) waitpid(pid, &status, 0);
    is_int(status, 0, "another process counts beside, and is bound by the sum");
    is_int(weir_places_sum(&places, &a), 3, "its one is there when it is dead");
    weir_places_fold(memory, size, 1);
    is_int(weir_places_sum(&places, &a), 2, "until it is settled");
    weir_places_fold(memory, size, 1);
    ok(weir_places_look(&places, WEIR_STR("gauge"), &sum) == a.record && sum == 2, "once; who holds nothing may look");
    *a.gauge = 0;
    weir_places_drop(&places, &a);
    ok(weir_places_look(&places, WEIR_STR("gauge"), &sum) == NULL, "there is nothing to see where no process holds it");
}

static void
test_full(void)
{
    static weir_place_t held[400];
    weir_place_t        one;
    unsigned            n = 0;
    char                name[20];

    for (; n < weir_countof(held); n++) {
        (void) snprintf(name, sizeof(name), "k%u", n);
        if (!weir_places_take(&places, weir_str_from_z(name), &held[n])) {
            break;
        }
    }
    ok(n >= 64 && n < weir_countof(held), "as many names as asked for find room, though not any number");
    while (n-- > 0) {
        weir_places_drop(&places, &held[n]);
    }
    ok(weir_places_take(&places, weir_str_from_z(name), &one), "when others have gone there is room again");
    weir_places_drop(&places, &one);
}

/* -- killed at any instruction -- */

static uint64_t *over, *reached;

static _Noreturn void
child_comes_and_goes(unsigned self)
{
    weir_place_t at[NAMES];
    uint64_t     seed = 88172645463325252u + (uint64_t) getpid() * 977 + self;

    pair_need(weir_slots_take(getpid()), "a slot");
    for (unsigned i = 0; i < NAMES; i++) {
        char name[] = { (char) ('A' + i), '\0' };

        pair_need(weir_places_take(&places, weir_str_from_z(name), &at[i]), "a place");
    }
    for (;;) {
        const weir_place_t *place = &at[(seed >> 30) % NAMES];

        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        if (*place->gauge != 0 && (seed >> 20) % 2 == 0) {
            __atomic_store_n(place->gauge, *place->gauge - 1, __ATOMIC_RELEASE);
        } else if (weir_places_admit(&places, place, MAX)) {
            /* (that others step back at this moment may only add to what is seen) */
            (void) __atomic_add_fetch(*place->gauge > MAX ? over : reached, 1, __ATOMIC_RELAXED);
        }
    }
}

static void
fold(uint32_t slot)
{
    weir_places_fold(memory, size, slot);
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
    uint32_t sum = 0;

    over = shared(4096);
    reached = over + 1;
    for (unsigned i = 0; i < CHILDREN; i++) {
        if ((pids[i] = fork()) == 0) {
            child_comes_and_goes(i);
        }
    }
    for (unsigned kills = 0; kills < 400; kills++) {
        unsigned        i = kills % CHILDREN;
        struct timespec nap = { 0, (kills * 7919 % 1000) * 1000 };

        (void) nanosleep(&nap, NULL);
        bury(pids[i]);
        if ((pids[i] = fork()) == 0) {
            child_comes_and_goes(i);
        }
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        bury(pids[i]);
    }
    for (char name[2] = "A"; name[0] < 'A' + NAMES; name[0]++) {
        weir_place_t place;

        pair_need(weir_places_take(&places, weir_str_from_z(name), &place), "a place");
        sum += weir_places_sum(&places, &place);
        weir_places_drop(&places, &place);
    }
    is_int(sum, 0, "when all were killed and settled, 404 of them, every gauge is 0");
    is_int(*over, 0, "no process was admitted more often than allowed");
    ok(*reached > 0, "and some were admitted");
}

/* Two processes that hold a lock each while they are admitted find no more locks held than places. */
static void
test_never_more(void)
{
    uint32_t *inside = shared(4096), *most = inside + 1, *rounds = inside + 2;
    pid_t     pids[CHILDREN];

    for (unsigned i = 0; i < CHILDREN; i++) {
        if ((pids[i] = fork()) == 0) {
            weir_place_t at;

            pair_need(weir_slots_take(getpid()) && weir_places_take(&places, WEIR_STR("few"), &at), "a place");
            while (__atomic_load_n(rounds, __ATOMIC_RELAXED) < 200000) {
                if (weir_places_admit(&places, &at, MAX)) {
                    uint32_t now = __atomic_add_fetch(inside, 1, __ATOMIC_SEQ_CST);
                    uint32_t seen = __atomic_load_n(most, __ATOMIC_RELAXED);

                    while (seen < now && !__atomic_compare_exchange_n(most, &seen, now, false, __ATOMIC_RELAXED,
                                                                      __ATOMIC_RELAXED)) {}
                    (void) __atomic_sub_fetch(inside, 1, __ATOMIC_SEQ_CST);
                    __atomic_store_n(at.gauge, *at.gauge - 1, __ATOMIC_SEQ_CST);
                }
                (void) __atomic_add_fetch(rounds, 1, __ATOMIC_RELAXED);
            }
            _exit(0);
        }
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        (void) waitpid(pids[i], NULL, 0);
        weir_slots_reap(pids[i], fold);
    }
    ok(*most >= 1 && *most <= MAX, "of four processes never more than three are inside at once");
}

int
main(void)
{
    weir_slots_use(shared(WEIR_SLOTS_BYTES));
    pair_need(weir_slots_take(getpid()), "a slot");
    test_layout();
    test_names();
    test_another_name_begins_with_zeros();
    test_gauges();
    test_full();
    test_killing();
    test_never_more();
    return done();
}
