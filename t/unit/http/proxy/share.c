/*
 * share.c - exact shares: of any run of draws as long as the whole each position comes once, also over processes; parts
 * are spread out; a name finds its count again; where there is no room a process counts for itself.
 */
#include "http/proxy/share.h"

#include "base/arena.h"
#include "http/proxy/forward.h"
#include "shm/slots.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES (1 << 16)

static weir_conf_t       cf;
static weir_generation_t generation;
static weir_arena_t      arena;

static weir_share_t
share_of(const char *name, uint64_t sum)
{
    weir_share_t share;

    if (!weir_share_build(&cf, &generation, &share, weir_str_from_z(name), sum)) {
        abort();
    }
    return share;
}

/* Draws often, and looks at every run of `sum` draws. */
static bool
every_run_is_whole(const weir_share_t *share)
{
    uint64_t n = 3 * share->sum, repeats = 0;
    uint64_t *drawn = malloc(n * sizeof(*drawn));
    uint32_t *in_run = calloc(share->sum, sizeof(*in_run));
    bool is_whole = true;

    for (uint64_t i = 0; i < n; i++) {
        drawn[i] = weir_share_next(share);
        repeats += in_run[drawn[i]]++ != 0;
        if (i >= share->sum) {
            repeats -= --in_run[drawn[i - share->sum]] != 0;
        }
        is_whole = is_whole && (i < share->sum - 1 || repeats == 0);
    }
    free(drawn);
    free(in_run);
    return is_whole;
}

/* How far from its share a part below `below` ever is, in requests. */
static double
worst_drift(const weir_share_t *share, uint64_t below)
{
    double worst = 0, hits = 0;

    for (uint64_t i = 1; i <= 5000; i++) {
        double drift;

        hits += weir_share_next(share) < below;
        drift = hits - (double) i * (double) below / (double) share->sum;
        drift = drift < 0 ? -drift : drift;
        worst = drift > worst ? drift : worst;
    }
    return worst;
}

static void
check_processes(void)
{
    weir_share_t share = share_of("processes", 10);
    uint64_t *counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool is_exact = true;

    for (int i = 0; i < 4; i++) {
        if (fork() == 0) {
            if (!weir_slots_take(getpid())) {
                _exit(1);
            }
            for (int k = 0; k < 5000; k++) {
                __atomic_fetch_add(&counts[weir_share_next(&share)], 1, __ATOMIC_RELAXED);
            }
            _exit(0);
        }
    }
    for (int i = 0; i < 4; i++) {
        (void) wait(NULL);
    }
    for (int i = 0; i < 10; i++) {
        is_exact = is_exact && counts[i] == 2000;
    }
    ok(is_exact, "four processes together have each position equally often");
}

static void
check_full(void)
{
    weir_share_t again = share_of("again", 7), first = again, extra;
    char name[32];

    for (int i = 0; i < 3; i++) {
        (void) weir_share_next(&first);
    }
    again = share_of("again", 7);
    is_int(weir_share_next(&again), 3 * first.stride % 7, "a name finds its count again");
    for (int i = 0; i < BYTES / 16; i++) {
        (void) snprintf(name, sizeof(name), "place %d", i);
        extra = share_of(name, 5);
        (void) weir_share_next(&extra);
    }
    is_int(weir_share_next(&again), 4 * first.stride % 7, "whatever others come, who was asked lately keeps its count");
    ok(*extra.own != 0 || every_run_is_whole(&extra), "where there is no room it counts on its own");
    ok(every_run_is_whole(&extra), "just as exactly");
}

int
main(void)
{
    static const uint64_t sums[] = { 1, 2, 3, 4, 5, 7, 10, 12, 100, 101, 1000, 4096, 99999, 1000000 };
    void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool is_whole = true;
    double worst = 0;

    weir_slots_use(mmap(NULL, WEIR_SLOTS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (!weir_slots_take(getpid())) {
        abort();
    }
    weir_arena_init(&arena, 4096);
    cf.arena = cf.live = &arena;
    generation.built = calloc(weir_modules_count, sizeof(void *));
    generation.built[weir_http_forward_index] = weir_keyed_open(memory, BYTES);
    for (size_t i = 0; i < weir_countof(sums); i++) {
        weir_share_t share = share_of("sums", sums[i]);
        is_whole = is_whole && every_run_is_whole(&share);
    }
    ok(is_whole, "of any run as long as the whole each position comes once");
    for (size_t i = 0; i < weir_countof(sums); i++) {
        weir_share_t share = share_of("drift", sums[i]);

        for (uint64_t tenths = 1; tenths < 10; tenths++) {
            double drift = worst_drift(&share, sums[i] * tenths / 10);
            is_whole = is_whole && drift < 4;
            worst = drift > worst ? drift : worst;
        }
    }
    ok(is_whole, "a part is never four requests from its share, at any moment");
    printf("# at most %.2f\n", worst);
    check_processes();
    check_full();
    weir_arena_fini(&arena);
    free(generation.built);
    return done();
}
