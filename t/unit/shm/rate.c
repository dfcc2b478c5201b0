/*
 * rate.c - a leaky bucket for each key: held against one that is written down plainly, and shared by processes.
 */
#define _GNU_SOURCE 1

#include "shm/rate.h"

#include "shm/slots.h"

#include "../event/pair.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define SIZE (64 + 64 * 64)
#define S    UINT64_C(1000000000)

static weir_keyed_t    *table;
static weir_keyed_key_t key;

static void
begin(const char *name)
{
    weir_keyed_hash(table, weir_str_from_z(name), &key);
}

static weir_rate_verdict_t
take(const weir_rate_t *rate, uint64_t now_ns)
{
    weir_rate_verdict_t verdict;

    weir_rate_take(table, &key, rate, now_ns, &verdict);
    return verdict;
}

static void
test_one_a_second(void)
{
    const weir_rate_t rate = { .period_ns = S, .burst = 0 };
    weir_rate_verdict_t v;

    begin("one a second");
    v = take(&rate, 100 * S);
    ok(v.admitted && v.left == 0 && v.reset_ns == S && v.ahead_ns == 0, "the first comes in");
    v = take(&rate, 100 * S + S / 4);
    ok(!v.admitted && v.wait_ns == S - S / 4 && v.left == 0, "the next one too early, and for how long");
    v = take(&rate, 101 * S - 1);
    ok(!v.admitted && v.wait_ns == 1, "a nanosecond too early");
    v = take(&rate, 101 * S);
    ok(v.admitted, "in time, though others were refused between");
    v = take(&rate, 200 * S);
    ok(v.admitted && v.ahead_ns == 0, "time that passed unused is not saved");
    v = take(&rate, 200 * S);
    ok(!v.admitted, "beyond the burst");
}

static void
test_burst(void)
{
    const weir_rate_t rate = { .period_ns = S / 10, .burst = 3 };
    weir_rate_verdict_t v;

    begin("burst");
    for (unsigned i = 0; i <= 3; i++) {
        v = take(&rate, 50 * S);
        ok(v.admitted && v.left == 3 - i && v.ahead_ns == i * S / 10 && v.reset_ns == (i + 1) * S / 10,
           "within the burst");
    }
    v = take(&rate, 50 * S);
    ok(!v.admitted && v.wait_ns == S / 10 && v.reset_ns == 4 * S / 10, "beyond it");
    weir_rate_peek(table, &key, &rate, 50 * S + S / 10, &v);
    ok(v.admitted && v.left == 0, "a look tells the same");
    weir_rate_peek(table, &key, &rate, 50 * S + S / 10, &v);
    ok(v.admitted, "and counts nothing");
    weir_rate_give_back(table, &key, &rate, 50 * S);
    v = take(&rate, 50 * S);
    ok(v.admitted && v.left == 0, "what was given back may be taken again");
    weir_rate_give_back(table, &key, &rate, 90 * S);
    weir_rate_peek(table, &key, &rate, 90 * S, &v);
    ok(v.left == 3 && v.ahead_ns == 0, "what has leaked away cannot be given back");
}

/* A bucket as one would write it down: its level leaks with time and takes one a request. */
static void
test_against_a_bucket(void)
{
    const weir_rate_t rate = { .period_ns = S / 7, .burst = 5 };
    double level = 0, wrong = 0;
    uint64_t now = 1000 * S, last = now, seed = 88172645463325252u;
    unsigned admitted = 0;

    begin("bucket");
    for (unsigned i = 0; i < 100000; i++) {
        bool want;

        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        now += seed % (S / 5);
        level -= (double) (now - last) / (double) rate.period_ns;
        level = level < 0 ? 0 : level;
        last = now;
        want = level <= (double) rate.burst + 1e-9;
        level += want;
        if (take(&rate, now).admitted != want) {
            wrong++;
        }
        admitted += want;
    }
    is_int(wrong, 0, "a hundred thousand requests are decided as by a bucket");
    ok(admitted > 50000 && admitted < 90000, "some of them refused");
}

/* Four processes at one key, all within an instant: what comes in is what one alone would have let in. */
static void
test_exact(void)
{
    const weir_rate_t rate = { .period_ns = S, .burst = 999 };
    unsigned *admitted = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    begin("exact");
    for (unsigned child = 0; child < 4; child++) {
        if (fork() == 0) {
            pair_need(weir_slots_take(getpid()), "a slot");
            for (unsigned i = 0; i < 5000; i++) {
                if (take(&rate, 10 * S).admitted) {
                    (void) __atomic_add_fetch(admitted, 1, __ATOMIC_RELAXED);
                }
            }
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {}
    is_int(*admitted, 1000, "of 20,000 requests of four processes exactly the burst and one");
}

static unsigned
count(const weir_rate_t *rate, uint64_t now_ns)
{
    unsigned n = 0;

    while (take(rate, now_ns).admitted) {
        n++;
    }
    return n;
}

static void
test_rates_that_change(void)
{
    static const struct { uint64_t period_ns; } rates[] = {
        { S }, { 60 * S }, { S / 100 }, { S / 3 }, { 7 * S / 10 }, { 2 * S }, { S / 1000 },
    };

    for (size_t from = 0; from < weir_countof(rates); from++) {
        for (size_t to = 0; to < weir_countof(rates); to++) {
            const weir_rate_t a = { .period_ns = weir_rate_adapting_period(rates[from].period_ns), .burst = 4, .adapts = true };
            const weir_rate_t b = { .period_ns = weir_rate_adapting_period(rates[to].period_ns), .burst = 9, .adapts = true };
            weir_rate_verdict_t v;
            uint64_t            now_ns = (1000 + from * 7 + to) * 1000 * S;

            begin("changing");
            is_int(count(&a, now_ns), 5, "five at one rate");
            weir_rate_peek(table, &key, &b, now_ns, &v);
            ok(v.admitted && v.left == 4, "what is left at another is seen");
            is_int(count(&b, now_ns), 5, "and five more at another, which allows ten");
            ok(!take(&a, now_ns).admitted, "the first one allows none again");
            ok(take(&a, now_ns + 6 * a.period_ns).admitted, "but goes on at its own pace");
            weir_rate_give_back(table, &key, &a, now_ns + 6 * a.period_ns);
            ok(take(&a, now_ns + 6 * a.period_ns).admitted, "what was given back is there again");
        }
    }
    ok(true, "refused at once, a key does not wait as long as its former rate says");
    {
        const weir_rate_t slow = { .period_ns = 60 * S, .adapts = true }, fast = { .period_ns = S / 100, .adapts = true };

        begin("faster");
        is_int(count(&slow, 5000000 * S), 1, "one a minute");
        ok(!take(&fast, 5000000 * S).admitted, "it is the last one's turn yet");
        ok(take(&fast, 5000000 * S + S / 100).admitted, "and a hundredth of a second later the next one's");
    }
}

int
main(void)
{
    weir_slots_use(mmap(NULL, WEIR_SLOTS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    pair_need(weir_slots_take(getpid()), "a slot");
    table = weir_keyed_open(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), SIZE);
    pair_need(table != NULL, "a table");
    test_one_a_second();
    test_burst();
    test_against_a_bucket();
    test_exact();
    table = weir_keyed_open(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), SIZE);
    pair_need(table != NULL, "a table of keys whose rates change");
    test_rates_that_change();
    return done();
}
