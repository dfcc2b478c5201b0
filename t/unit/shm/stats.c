/*
 * stats.c - rows by name, each slot's own copy, what is added up, the dead, and latencies in buckets.
 */
#define _GNU_SOURCE 1

#include "shm/stats.h"

#include "shm/slots.h"

#include "../event/pair.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

static weir_stats_row_t sum;

static const weir_stats_row_t *
sum_of(uint32_t row)
{
    weir_stats_sum(row, &sum);
    return &sum;
}

static void
test_buckets(void)
{
    uint64_t wrong = 0, last = 0;
    double   worst = 0;

    for (uint64_t us = 0; us < 2000000; us += us < 5000 ? 1 : us / 1000) {
        uint32_t bucket = weir_stats_bucket(us);
        uint64_t first = bucket == 0 ? 0 : weir_stats_bucket_end(bucket - 1), end = weir_stats_bucket_end(bucket);
        double   middle = (double) (first + end - 1) / 2, off = us == 0 ? 0 : (middle - (double) us) / (double) us;

        wrong += us < first || us >= end || bucket < last;
        last = bucket;
        worst = off < 0 ? (-off > worst ? -off : worst) : (off > worst ? off : worst);
    }
    is_int(wrong, 0, "each latency lies in its bucket, and they rise");
    ok(worst < 0.063, "whose middle is within 6.3 % of it");
    is_int(weir_stats_bucket(UINT64_MAX), WEIR_STATS_BUCKETS - 1, "beyond all measure is the last");
}

static void
test_names(void)
{
    weir_stats_kind_t kind;
    uint32_t          a, b;
    char              name[300];

    is_int(weir_stats_rows(), WEIR_STATS_KINDS, "at first there is one row a kind");
    a = weir_stats_row(WEIR_STATS_SERVER, WEIR_STR("a"));
    b = weir_stats_row(WEIR_STATS_LOCATION, WEIR_STR("a"));
    ok(a >= WEIR_STATS_KINDS && b > a, "a name is one of its kind");
    ok(weir_stats_row(WEIR_STATS_SERVER, WEIR_STR("a")) == a, "and found again");
    is_str(weir_stats_name(b, &kind), "a", "by its number too");
    is_int(kind, WEIR_STATS_LOCATION, "with its kind");
    is_str(weir_stats_name(WEIR_STATS_PEER, &kind), "_other", "what has no row of its own has this");
    memset(name, 'n', sizeof(name));
    a = weir_stats_row(WEIR_STATS_PEER, weir_str(name, sizeof(name)));
    is_int(weir_stats_name(a, &kind).len, WEIR_STATS_NAME, "a long name is cut");
    weir_zones_may_make(false);
    is_int(weir_stats_row(WEIR_STATS_SERVER, WEIR_STR("new")), WEIR_STATS_SERVER, "who may make none gets _other");
    ok(weir_stats_row(WEIR_STATS_SERVER, WEIR_STR("a")) >= WEIR_STATS_KINDS, "but finds what is there");
    weir_zones_may_make(true);
}

static _Noreturn void
child(uint32_t row, unsigned n)
{
    pair_need(weir_slots_take(getpid()), "a slot");
    for (unsigned i = 0; i < n; i++) {
        weir_stats_row_t *mine = weir_stats_mine(row);
        mine->requests++;
        mine->busy = 3;
        weir_stats_latency(mine, 100);
    }
    _exit(0);
}

static void
test_counting(void)
{
    uint32_t row = weir_stats_row(WEIR_STATS_UPSTREAM, WEIR_STR("up"));
    pid_t    pids[4];

    weir_stats_mine(row)->requests += 5;
    weir_stats_mine(row)->busy = 1;
    for (unsigned i = 0; i < 4; i++) {
        if ((pids[i] = fork()) == 0) {
            child(row, 10000);
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        (void) waitpid(pids[i], NULL, 0);
    }
    ok(sum_of(row)->requests == 40005 && sum.busy == 13, "four processes and we: all of it is there");
    is_int(sum.latency[weir_stats_bucket(100)], 40000, "latencies too");
    for (unsigned i = 0; i < 4; i++) {
        weir_slots_reap(pids[i], weir_zones_fold);
    }
    ok(sum_of(row)->requests == 40005 && sum.busy == 1, "when they are dead what they counted stays, what was under way does not");
    weir_zones_fold(1);
    is_int(sum_of(row)->requests, 40005, "once");
    if ((pids[0] = fork()) == 0) {
        child(row, 7);
    }
    (void) waitpid(pids[0], NULL, 0);
    is_int(sum_of(row)->requests, 40012, "the slot's next owner counts on");
}

static void
test_quantiles(void)
{
    uint32_t row = weir_stats_row(WEIR_STATS_SERVER, WEIR_STR("q"));
    uint64_t p50, p99, p9999;

    is_int(weir_stats_quantile(sum_of(row), 0.5), 0, "of nothing it is 0");
    for (unsigned us = 1; us <= 100000; us++) {
        weir_stats_latency(weir_stats_mine(row), us);
    }
    (void) sum_of(row);
    p50 = weir_stats_quantile(&sum, 0.5);
    p99 = weir_stats_quantile(&sum, 0.99);
    p9999 = weir_stats_quantile(&sum, 0.9999);
    ok(p50 > 46800 && p50 < 53200, "the median within its bounds");
    ok(p99 > 92700 && p99 < 105300, "p99 too");
    ok(p9999 > 93600 && p9999 < 106400, "and p99.99");
    is_int(sum.latency_us, 5000050000, "the sum is exact");
}

static void
test_full(void)
{
    char     name[20];
    uint32_t row = 0;

    for (unsigned i = 0; i < 100; i++) {
        row = weir_stats_row(WEIR_STATS_PEER, weir_str(name, (size_t) snprintf(name, sizeof(name), "peer %u", i)));
    }
    is_int(weir_stats_rows(), 64, "there is so much room");
    is_int(row, WEIR_STATS_PEER, "what comes then is _other of its kind");
    ok(weir_stats_row(WEIR_STATS_PEER, WEIR_STR("peer 3")) != WEIR_STATS_PEER, "what was there keeps its row");
}

int
main(void)
{
    weir_error_t error = { .text = "" };

    ok(!weir_stats_is_on() && weir_stats_row(WEIR_STATS_SERVER, WEIR_STR("a")) == 0, "before it begins nothing is counted");
    weir_stats_mine(7)->requests++;
    weir_slots_use(mmap(NULL, WEIR_SLOTS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    pair_need(weir_slots_take(getpid()), "a slot");
    ok(weir_stats_start(64, &error) && weir_stats_start(99, &error), "it begins, and again is nothing");
    is_int(weir_stats_room(), 64, "with the room it was begun with");
    test_buckets();
    test_names();
    test_counting();
    test_quantiles();
    test_full();
    weir_stats_end();
    return done();
}
