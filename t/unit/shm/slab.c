/*
 * slab.c - blocks of any size: all of the memory may be had and comes back, a kill before any store leaves a block with
 * its owner or with the slab, and damaged memory is told of.
 */
#define _GNU_SOURCE 1

#include "kill.h"

#include "shm/guard.c"
#include "shm/slab.c"

#define SIZE   (3 * 1024 * 1024 + 5 * 4096)
#define OWNERS 512

static char       *memory;
static uint64_t   *owners;                   /* the zone's first bytes */
static weir_slab_t slab;

static uint64_t
blocks(void)
{
    weir_slab_count_t count;

    weir_slab_count(&slab, &count);
    return count.blocks;
}

static uint64_t
pages_free(void)
{
    weir_slab_count_t count;

    weir_slab_count(&slab, &count);
    return count.pages_free;
}

static void
format(void)
{
    memset(owners, 0, OWNERS * sizeof(*owners));
    pair_need(weir_slab_view(&slab, (weir_region_t) { memory, SIZE }, OWNERS * sizeof(*owners), SIZE), "a slab");
    weir_slab_format(&slab);
}

static void
test_sizes(void)
{
    bool good = true;

    for (uint64_t size = 1; size <= WEIR_SLAB_MAX && good; size += size < 5000 ? 1 : 997) {
        uint64_t fit = weir_slab_fit(size);

        good = fit >= size && (fit < size * 3 / 2 + 64 || size > 2048) && fit % WEIR_SLAB_ALIGN == 0;
        good = good && weir_slab_alloc(&slab, size, &owners[0]) == WEIR_SLAB_DONE
            && weir_slab_size(&slab, owners[0]) == fit
               && owners[0] % WEIR_SLAB_ALIGN == 0 && (fit < WEIR_SLAB_PAGE || owners[0] % WEIR_SLAB_PAGE == 0)
               && *(uint64_t *) weir_slab_block(&slab, owners[0]) == 0;
        memset(weir_slab_block(&slab, owners[0]), 0xff, fit);
        good = good && weir_slab_free(&slab, &owners[0]) == WEIR_SLAB_DONE && owners[0] == 0;
    }
    ok(good, "a block of every size is as large as it was said, aligned, and begins with 0");
    ok(blocks() == 0 && weir_slab_check(&slab), "and all came back");
    is_int(weir_slab_alloc(&slab, WEIR_SLAB_MAX + 1, &owners[0]), WEIR_SLAB_FULL, "none is larger than 256 pages");
}

static void
test_all_of_it(void)
{
    uint64_t free_at_first = pages_free(), n = 0, chain = 0;

    for (uint64_t size = 64; size <= WEIR_SLAB_MAX; size *= 4) {
        uint64_t *at = &owners[0];

        for (n = 0; weir_slab_alloc(&slab, size, at) == WEIR_SLAB_DONE; n++) {
            at = weir_slab_block(&slab, *at);
        }
        chain += n * weir_slab_fit(size) > free_at_first * WEIR_SLAB_PAGE * 9 / 10 || size == WEIR_SLAB_MAX;
        pair_need(weir_slab_check(&slab), "a whole slab");
        pair_need(weir_slab_free_chain(&slab, &owners[0]) == WEIR_SLAB_DONE, "to free it");
    }
    is_int(chain, 8, "of each size nearly all of the memory may be had");
    ok(n >= 2, "of the largest, too");
    ok(pages_free() == free_at_first && owners[0] == 0 && weir_slab_check(&slab),
       "a chain is freed from its owner on, and buddies are joined again");
    ok(weir_slab_free(&slab, &owners[0]) == WEIR_SLAB_DONE, "an owner of nothing frees nothing");
}

static void
test_at_random(void)
{
    uint64_t seed = 4711;
    bool     good = true;

    for (unsigned i = 0; i < 200000 && good; i++) {
        uint64_t *at = &owners[kill_random(&seed) % OWNERS];
        uint64_t  size = kill_random(&seed) % (1u << (6 + kill_random(&seed) % 13)) + 1;

        if (*at != 0) {
            good = *(uint64_t **) weir_slab_block(&slab, *at) == at && weir_slab_free(&slab, at) == WEIR_SLAB_DONE;
        } else if (weir_slab_alloc(&slab, size, at) == WEIR_SLAB_DONE) {
            memset(weir_slab_block(&slab, *at), (int) i, size);      /* over others' owners, if there are any */
            *(uint64_t **) weir_slab_block(&slab, *at) = at;
        }
        good = good && (i % 5000 != 0 || weir_slab_check(&slab));
    }
    ok(good, "whatever is taken and given back, no block is another's");
    for (unsigned i = 0; i < OWNERS; i++) {
        pair_need(weir_slab_free(&slab, &owners[i]) == WEIR_SLAB_DONE, "to free it");
    }
    ok(blocks() == 0 && weir_slab_check(&slab), "and all comes back");
}

/* -- killed before any store -- */

typedef struct { const char *what; uint64_t before, size; bool frees, chain; } step_t;

static void
take_step(void *data)
{
    const step_t      *step = data;
    weir_slab_result_t result;

    if (step->chain) {
        result = weir_slab_free_chain(&slab, &owners[0]);
    } else {
        result = step->frees ? weir_slab_free(&slab, &owners[0]) : weir_slab_alloc(&slab, step->size, &owners[0]);
    }
    if (result != WEIR_SLAB_DONE) {
        _exit(1);
    }
}

/* The world before the step: so many blocks of its size beside. */
static void
prepare(const step_t *step)
{
    uint64_t *at = &owners[0];

    format();
    for (uint64_t i = 1; i <= step->before; i++) {
        pair_need(weir_slab_alloc(&slab, step->size, &owners[i]) == WEIR_SLAB_DONE, "a block");
    }
    for (unsigned i = 0; i < (step->chain ? 5 : step->frees); i++) {
        pair_need(weir_slab_alloc(&slab, step->size << i, at) == WEIR_SLAB_DONE, "a block");
        at = weir_slab_block(&slab, *at);
    }
}

/* How many blocks hang on the owner; UINT64_MAX: something that is no block. */
static uint64_t
count_chain(void)
{
    uint64_t n = 0;

    for (uint64_t at = owners[0]; at != 0; at = *(uint64_t *) weir_slab_block(&slab, at), n++) {
        if (weir_slab_size(&slab, at) == 0) {
            return UINT64_MAX;
        }
    }
    return n;
}

static bool
is_whole(const step_t *step)
{
    /* whoever comes next finds it in order */
    return weir_slab_alloc(&slab, 100, &owners[300]) == WEIR_SLAB_DONE && weir_slab_check(&slab)
           && blocks() == step->before + 1 + count_chain();
}

static void
test_kills(void)
{
    static const step_t steps[] = {
        { "a small block of a new page", 0, 64, false, false },
        { "a small block of a page that has some", 5, 80, false, false },
        { "the last small block of a page", 31, 128, false, false },
        { "a page", 3, 4096, false, false },
        { "a run of pages, from a larger one", 0, 3 * 4096, false, false },
        { "the only small block of a page, given back", 0, 200, true, false },
        { "one of a full page, given back", 63, 64, true, false },
        { "one of several, given back", 6, 1024, true, false },
        { "a page, given back to its buddies", 0, 4096, true, false },
        { "a run, given back", 2, 16 * 4096, true, false },
        { "a chain, given back", 2, 3000, true, true },
    };
    char     what[100];
    unsigned kills = 0;

    for (size_t i = 0; i < weir_countof(steps); i++) {
        bool     good = true, done = false;
        uint64_t n = 0;

        while (good && !done) {
            prepare(&steps[i]);
            done = kill_run(++n, take_step, (void *) (uintptr_t) &steps[i]);
            good = is_whole(&steps[i]) && (!done || (owners[0] == 0) == steps[i].frees);
        }
        kills += (unsigned) n - 1;
        (void) snprintf(what, sizeof(what), "%s: killed before each of %u stores", steps[i].what, (unsigned) n - 1);
        ok(good && n > 5, what);
    }
    ok(kills > 200, "these were many");
}

/* The owner may be seen empty although its block comes back: who allocates for it then must not take its place. */
static void
test_killed_while_freeing(void)
{
    static const step_t step = { "", 2, 3000, true, false };
    bool                good = true, done = false;
    uint64_t            n = 0, seen_empty = 0;

    while (good && !done) {
        weir_slab_result_t result;

        prepare(&step);
        done = kill_run(++n, take_step, (void *) (uintptr_t) &step);
        if (owners[0] == 0) {
            result = weir_slab_alloc(&slab, 64, &owners[0]);
            seen_empty += result == WEIR_SLAB_BUSY;
            good = result == WEIR_SLAB_DONE || (result == WEIR_SLAB_BUSY && owners[0] != 0);
        }
        good = good && is_whole(&step);
    }
    ok(good && n > 5 && seen_empty != 0, "an owner whose block is not yet given back gets no other one");
}

/* The one who repairs is killed, too. */
static void
repair(void *data WEIR_UNUSED)
{
    if (weir_slab_alloc(&slab, 100, &owners[300]) != WEIR_SLAB_DONE) {
        _exit(1);
    }
}

static void
test_killed_while_repairing(void)
{
    static const step_t step = { "", 2, 16 * 4096, true, false };
    bool                good = true, done = false;
    uint64_t            n = 0;

    while (good && !done) {
        prepare(&step);
        pair_need(!kill_run(30, take_step, (void *) (uintptr_t) &step), "a kill");
        done = kill_run(++n, repair, NULL);
        if (owners[300] != 0) {
            pair_need(weir_slab_free(&slab, &owners[300]) == WEIR_SLAB_DONE, "to free it");
        }
        good = is_whole(&step);
    }
    ok(good && n > 20, "who is killed while repairing leaves it to the next one");
}

/* -- many at once, killed anywhere -- */

#define CHILDREN 4

static _Noreturn void
take_and_give(unsigned self)
{
    uint64_t seed = (uint64_t) getpid() * 977 + self;

    for (;;) {
        uint64_t *at = &owners[self * 100 + kill_random(&seed) % 100];

        if (*at != 0) {
            (void) !weir_slab_free(&slab, at);
        } else {
            (void) !weir_slab_alloc(&slab, kill_random(&seed) % (1u << (6 + kill_random(&seed) % 13)) + 1, at);
        }
    }
}

static pid_t
start(unsigned self)
{
    pid_t pid = fork();

    pair_need(pid >= 0, "fork");
    if (pid == 0) {
        take_and_give(self);
    }
    return pid;
}

static void
stop(pid_t pid)
{
    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);
}

static void
test_many(void)
{
    pid_t    pids[CHILDREN];
    uint64_t held = 0;

    format();
    for (unsigned i = 0; i < CHILDREN; i++) {
        pids[i] = start(i);
    }
    for (unsigned kills = 0; kills < 500; kills++) {
        struct timespec nap = { 0, (kills * 7919 % 1000) * 2000 };

        (void) nanosleep(&nap, NULL);
        stop(pids[kills % CHILDREN]);
        pids[kills % CHILDREN] = start(kills % CHILDREN);
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        stop(pids[i]);
    }
    ok(weir_slab_alloc(&slab, 100, &owners[500]) == WEIR_SLAB_DONE && weir_slab_check(&slab),
       "504 kills at any instruction leave it whole");
    for (unsigned i = 0; i < OWNERS; i++) {
        held += owners[i] != 0;
    }
    is_int(blocks(), held, "and every block has an owner");
    for (unsigned i = 0; i < OWNERS; i++) {
        pair_need(weir_slab_free(&slab, &owners[i]) == WEIR_SLAB_DONE, "to free it");
    }
    ok(blocks() == 0 && weir_slab_check(&slab), "all comes back");
}

/* -- damage -- */

static bool
may(void *data)
{
    return *(bool *) data;
}

static void
test_damage(void)
{
    uint64_t seed = 99, told = 0;
    bool     yes = true, no = false;

    for (unsigned round = 0; round < 3000; round++) {
        format();
        for (unsigned i = 0; i < 40; i++) {
            (void) !weir_slab_alloc(&slab, 64u << kill_random(&seed) % 14, &owners[i]);
        }
        for (unsigned i = 0; i < 1 + round % 40; i++) {
            uint64_t words = (slab.first - OWNERS * 8) / 8;
            uint64_t *at = (uint64_t *) (void *) (memory + OWNERS * 8) + kill_random(&seed) % words;

            *at = i % 2 == 0 ? kill_random(&seed) : *at ^ (uint64_t) 1 << kill_random(&seed) % 64;
        }
        for (unsigned i = 0; i < 60; i++) {
            uint64_t *at = &owners[kill_random(&seed) % 60];

            weir_slab_result_t result = *at != 0 ? weir_slab_free_chain(&slab, at)
                                                 : weir_slab_alloc(&slab, 64u << kill_random(&seed) % 14, at);

            told += result == WEIR_SLAB_BROKEN;
            (void) weir_slab_size(&slab, kill_random(&seed) % SIZE);
        }
        (void) !weir_slab_check(&slab);
    }
    ok(told > 1000, "damaged memory is told of, and nothing outside of it is touched");
    is_int(weir_slab_reset(&slab, may, &no), WEIR_SLAB_BUSY, "it begins anew only when it may");
    memset(owners, 0, OWNERS * 8);
    ok(weir_slab_reset(&slab, may, &yes) == WEIR_SLAB_DONE && weir_slab_check(&slab) && blocks() == 0,
       "and is as good as new then");
    test_sizes();
}

int
main(void)
{
    memory = kill_shared(SIZE);
    owners = (uint64_t *) (void *) memory;
    format();
    ok(weir_slab_check(&slab), "a new slab is whole");
    ok(guard_owner_lives(&slab.head->guard),
       "a lock that is free, when it was waited for in vain just before, is not damaged");
    test_sizes();
    test_all_of_it();
    test_at_random();
    test_kills();
    test_killed_while_freeing();
    test_killed_while_repairing();
    test_many();
    test_damage();
    return done();
}
