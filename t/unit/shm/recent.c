/*
 * recent.c - quantiles of what was measured of late: held against sorted lists.
 */
#define _GNU_SOURCE 1

#include "shm/recent.h"

#include "../event/pair.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define AT(n) ((weir_instant_t) { (n) })

static void
test_buckets(void)
{
    unsigned wrong = 0, wide = 0;

    for (uint64_t ms = 0; ms < 16384; ms++) {
        uint32_t bucket = weir_recent_bucket(MS(ms));
        uint64_t end = weir_recent_bucket_end(bucket).ms;
        uint64_t begin = bucket == 0 ? 0 : weir_recent_bucket_end(bucket - 1).ms;

        wrong += !(begin <= ms && ms < end);
        wide += ms >= 4 && (end - begin) * 4 > begin;
    }
    is_int(wrong, 0, "each time is in its bucket");
    is_int(wide, 0, "which is no wider than a quarter of where it begins");
    is_int(weir_recent_bucket(MS(16384)), WEIR_RECENT_BUCKETS - 1, "longer ones are in the last");
    is_int(weir_recent_bucket(MS(UINT64_MAX)), WEIR_RECENT_BUCKETS - 1, "however long");
}

static void
test_quantile(void)
{
    weir_recent_t recent = { 0 };

    is_int(weir_recent_quantile(&recent, 95).ms, 0, "nothing is known yet");
    for (unsigned i = 0; i < 19; i++) {
        weir_recent_add(&recent, MS(10), AT(1000));
    }
    is_int(weir_recent_quantile(&recent, 95).ms, 0, "too little");
    weir_recent_add(&recent, MS(10), AT(1000));
    is_int(weir_recent_quantile(&recent, 95).ms, 12, "twenty of 10 ms");
    for (unsigned i = 0; i < 80; i++) {
        weir_recent_add(&recent, MS(10), AT(1000));
    }
    for (unsigned i = 0; i < 5; i++) {
        weir_recent_add(&recent, MS(1000), AT(1000));
    }
    is_int(weir_recent_quantile(&recent, 95).ms, 12, "5 of 105 are slow: the 95th percent is not");
    weir_recent_add(&recent, MS(1000), AT(1000));
    is_int(weir_recent_quantile(&recent, 95).ms, 1024, "6 of 106: it is");
    is_int(weir_recent_quantile(&recent, 50).ms, 12, "half of them are not");
}

static void
test_forgets(void)
{
    weir_recent_t recent = { 0 };

    for (unsigned i = 0; i < 100000; i++) {
        weir_recent_add(&recent, MS(5000), AT(5000));
    }
    is_int(weir_recent_quantile(&recent, 95).ms, 5120, "a hundred thousand slow ones, more than a count holds");
    weir_recent_add(&recent, MS(1), AT(400000));
    is_int(weir_recent_quantile(&recent, 1).ms, 0, "are forgotten after a while");
    for (unsigned i = 0; i < 1000; i++) {
        weir_recent_add(&recent, MS(100), AT(500000));
    }
    for (unsigned i = 0; i < 10; i++) {
        weir_recent_add(&recent, MS(1), AT(500000 + i * 10000));
    }
    for (unsigned i = 0; i < 100; i++) {
        weir_recent_add(&recent, MS(1), AT(600000));
    }
    is_int(weir_recent_quantile(&recent, 95).ms, 2, "a service that became quick is known as that in some minutes");
    weir_recent_add(&recent, MS(1), AT(1));
    is_int(recent.slot, 60, "a clock that is behind forgets nothing");
}

static void
test_shared(void)
{
    weir_recent_t *recent = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t       sum = 0;

    for (unsigned i = 0; i < 4; i++) {
        if (fork() == 0) {
            for (unsigned k = 0; k < 10000; k++) {
                weir_recent_add(recent, MS(k % 8), AT(100));
            }
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {}
    for (unsigned i = 0; i < 8; i++) {
        sum += recent->words[i / 4] >> i % 4 * 16 & 0xffff;
    }
    is_int(sum, 40000, "none of four processes' is lost");
}

int
main(void)
{
    test_buckets();
    test_quantile();
    test_forgets();
    test_shared();
    return done();
}
