/*
 * What a pick costs among few peers and among many: CPU time of a whole attempt (begin, next, report, end), the least of
 * several rounds.  Printed for each; a pick among 10,000 may cost 1 us more than one among ten.  With an argument,
 * PEERS KIND, only that one runs, for a profiler.
 */
#include "many.h"

#include <time.h>

#define COST_ROUNDS 7
#define COST_PICKS  20000
#define COST_MORE   1000             /* ns */

#if defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
#define COST_IS_MEASURED false       /* what those add is not the program's */
#else
#define COST_IS_MEASURED true
#endif

typedef struct { const char *name, *module; bool weights, failed, busy; } cost_kind_t;

static const cost_kind_t cost_kinds[] = {
    { "round robin", NULL, false, false, false },
    { "round robin, weights", NULL, true, false, false },
    { "round robin, a third failed", NULL, false, true, false },
    { "least_conn", "upstream_least_conn", false, false, false },
    { "least_conn, weights, 64 under way", "upstream_least_conn", true, false, true },
    { "least_conn, a third failed, 64 under way", "upstream_least_conn", false, true, true },
};

static weir_arena_t cost_arena, cost_scratch;

static weir_group_t *
cost_group(const cost_kind_t *kind, size_t n)
{
    const weir_balancer_t *balancer = kind->module != NULL ? many_balancer(kind->module) : &weir_balancer_round_robin;
    weir_group_conf_t     *conf = many_conf(&cost_arena, n, balancer);
    weir_group_t          *group;

    for (size_t i = 0; i < n; i++) {
        conf->peers[i].weight = kind->weights ? 1 + (uint32_t) i % 5 : 1;
    }
    conf->name = weir_str_printf(&cost_arena, "%s of %zu", kind->name, n);
    group = weir_group_attach(groups_all, conf);
    for (size_t i = 0; i < n / 3 && kind->failed; i++) {
        (void) many_request(group, &cost_scratch, true, 1);
    }
    return group;
}

static uint64_t
cost_clock_ns(void)
{
    struct timespec t;

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

/* ns a pick */
static uint64_t
cost_of(const cost_kind_t *kind, size_t n)
{
    static weir_pick_t busy[64];
    weir_group_t      *group = cost_group(kind, n);
    uint64_t           least = UINT64_MAX, got = 0;

    for (size_t i = 0; i < weir_countof(busy) && kind->busy; i++) {
        weir_pick_begin(&busy[i], group, &cost_arena);
        (void) !weir_pick_next(&busy[i], (weir_instant_t) { 2 });
    }
    for (unsigned round = 0; round < COST_ROUNDS; round++) {
        uint64_t before = cost_clock_ns();

        for (unsigned i = 0; i < COST_PICKS; i++) {
            weir_pick_t *pick = &busy[i % weir_countof(busy)];

            if (!kind->busy) {
                got += many_request(group, &cost_scratch, false, 2) < n;
                continue;
            }
            weir_pick_end(pick);
            weir_arena_reset(&cost_scratch);
            weir_pick_begin(pick, group, &cost_scratch);
            got += weir_pick_next(pick, (weir_instant_t) { 2 });
        }
        least = weir_min(least, (cost_clock_ns() - before) / COST_PICKS);
    }
    for (size_t i = 0; i < weir_countof(busy) && kind->busy; i++) {
        weir_pick_end(&busy[i]);
    }
    ok(got == COST_ROUNDS * COST_PICKS, "each pick had a peer");
    weir_group_unref(group);
    return least;
}

int
main(int argc, char **argv)
{
    static const size_t sizes[] = { 10, 32, 100, 1000, 10000 };
    const size_t        last = weir_countof(sizes) - 1;

    groups_init();
    weir_arena_init(&cost_arena, 1 << 16);
    weir_arena_init(&cost_scratch, 8192);
    for (size_t k = 0; k < weir_countof(cost_kinds); k++) {
        uint64_t ns[weir_countof(sizes)];

        if (argc == 3 && (size_t) atoi(argv[2]) != k) {
            continue;
        }
        for (size_t i = 0; i <= last; i++) {
            if (argc == 3 && (size_t) atoi(argv[1]) != sizes[i]) {
                continue;
            }
            ns[i] = cost_of(&cost_kinds[k], sizes[i]);
            printf("# %5zu peers, %s: %llu ns\n", sizes[i], cost_kinds[k].name, (unsigned long long) ns[i]);
        }
        ok(argc == 3 || !COST_IS_MEASURED || ns[last] <= ns[0] + COST_MORE, cost_kinds[k].name);
    }
    weir_arena_fini(&cost_scratch);
    weir_arena_fini(&cost_arena);
    groups_fini();
    return done();
}
