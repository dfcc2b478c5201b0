/*
 * outliers.c - the arithmetic of outlier detection against the formulas of Envoy's manual, worked out in another way;
 * and the words that workers share.
 */
#include "upstream/outliers.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

static uint64_t seed = 88172645463325252;

static uint32_t
draw(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t) (seed >> 20) % below;
}

static bool
near(double a, double b)
{
    double d = a - b;

    return d < 1e-9 * 100 && d > -1e-9 * 100;
}

/* A rate r is below mean - factor × stdev if and only if n·r is below the sum, and (sum - n·r)² is more than
 * factor² × (n·Σx² - sum²): no root, and whole numbers. */
static bool
reference_is_outlier(const uint32_t *rates, size_t n, size_t which, uint32_t thousandths)
{
    int64_t  sum = 0, squares = 0, below;

    for (size_t i = 0; i < n; i++) {
        sum += rates[i];
        squares += (int64_t) rates[i] * rates[i];
    }
    below = sum - (int64_t) n * rates[which];
    return below > 0 && (__int128) below * below * 1000000
                        > (__int128) thousandths * thousandths * ((int64_t) n * squares - sum * sum);
}

static void
test_rates(void)
{
    unsigned differ = 0, outliers = 0;

    for (unsigned round = 0; round < 20000; round++) {
        uint32_t rates[12], factor = 500 + draw(2500);
        double   values[12];
        size_t   n = 2 + draw(11);
        double   least;

        for (size_t i = 0; i < n; i++) {
            rates[i] = draw(4) == 0 ? draw(101) : 90 + draw(11);
            values[i] = rates[i];
        }
        least = weir_outlier_least_rate(values, n, factor);
        for (size_t i = 0; i < n; i++) {
            bool is_outlier = values[i] < least;

            outliers += is_outlier;
            differ += is_outlier != reference_is_outlier(rates, n, i, factor) && !near(values[i], least);
        }
    }
    ok(differ == 0 && outliers > 1000, "below the mean less the factor times the deviation, 20,000 groups");
    ok(near(weir_outlier_least_rate((double[]) { 100, 100, 100, 100, 50 }, 5, 1900), 90 - 1.9 * 20), "by hand: 52");
    ok(near(weir_outlier_least_rate((double[]) { 70, 70, 70 }, 3, 1900), 70), "no deviation: nobody is below");
    ok(near(weir_outlier_median((double[]) { 9, 1, 5 }, 3), 5)
       && near(weir_outlier_median((double[]) { 4, 1, 9, 5 }, 4), 4.5), "the middle");
}

/* Envoy: min(base × times, max(base, max)); times grows while base × times < max + base. */
static void
test_times(void)
{
    static const struct { uint64_t base, max; uint64_t lasts[6]; } rows[] = {
        { 30000, 300000, { 30000, 60000, 90000, 120000, 150000, 180000 } },
        { 30000, 100000, { 30000, 60000, 90000, 100000, 100000, 100000 } },
        { 30000, 10000, { 30000, 30000, 30000, 30000, 30000, 30000 } },
        { 1, 3, { 1, 2, 3, 3, 3, 3 } },
    };
    bool good = true, bounded = true;

    for (size_t r = 0; r < weir_countof(rows); r++) {
        weir_msec_t base = { rows[r].base }, max = { rows[r].max };
        uint32_t    times = 0;

        for (size_t i = 0; i < 6; i++) {
            times = weir_outlier_more_times(base, max, times);
            good = good && weir_outlier_time(base, max, times).ms == rows[r].lasts[i];
        }
        for (size_t i = 0; i < 1000; i++) {
            uint32_t next = weir_outlier_more_times(base, max, times);

            bounded = bounded && (next == times + (rows[r].base * times < rows[r].max + rows[r].base));
            times = next;
        }
    }
    ok(good, "each ejection lasts longer by the base, up to the most");
    ok(bounded, "and the number of times is bounded as Envoy bounds it");
}

static void
test_most(void)
{
    bool good = true;

    for (uint32_t n = 2; n < 60; n++) {
        for (uint32_t percent = 0; percent <= 100; percent++) {
            uint32_t ejected = 0, always = 0;

            while (ejected < n && weir_outlier_may_eject(ejected, n, percent * 100, false)) {
                ejected++;
            }
            while (always < n && weir_outlier_may_eject(always, n, percent * 100, true)) {
                always++;
            }
            good = good && ejected == n * percent / 100 && always == weir_max(ejected, 1);
        }
    }
    ok(good, "no more than the percentage are ejected, and one at least if it is said so");
}

static void
test_rows(void)
{
    static const uint32_t limits[WEIR_OUTLIER_ROWS] = { 3, 2, 0 };
    weir_outlier_peer_t   peer = { .name = 0 };
    unsigned              both = 1u << WEIR_OUTLIER_5XX | 1u << WEIR_OUTLIER_GATEWAY;

    is_int(weir_outlier_count_rows(&peer, both, 0, limits), 0, "one failure");
    is_int(weir_outlier_count_rows(&peer, both, 0, limits), 1u << WEIR_OUTLIER_GATEWAY, "two: the limit of one kind");
    is_int(weir_outlier_count_rows(&peer, 1u << WEIR_OUTLIER_5XX, 1u << WEIR_OUTLIER_GATEWAY, limits),
           1u << WEIR_OUTLIER_5XX, "three: of the other");
    is_int(weir_outlier_count_rows(&peer, both, 0, limits), 0, "each row begins anew then");
    is_int(weir_outlier_count_rows(&peer, 0, ~0u, limits), 0, "a success");
    ok(peer.rows == 0, "ends all rows");
    is_int(weir_outlier_count_rows(&peer, 1u << WEIR_OUTLIER_LOCAL, 0, limits), 0, "what has no limit");
    ok(peer.rows == 0, "is not counted");
}

static void
test_ejection(void)
{
    const weir_msec_t   base = { 1000 }, max = { 2500 }, none = { 0 }, interval = { 100 };
    weir_outlier_peer_t peer = { .name = 0 };

    is_int(weir_outlier_begin(&peer, base, max, none, (weir_instant_t) { 5000 }).ms, 1000, "the first time");
    is_int(weir_outlier_until(&peer).ms, 6000, "until then");
    is_int(weir_outlier_begin(&peer, base, max, none, (weir_instant_t) { 5001 }).ms, 1000,
           "who takes over from one that was killed at it does not count it twice");
    is_int(weir_outlier_begin(&peer, base, max, (weir_msec_t) { 7 }, (weir_instant_t) { 7000 }).ms, 2007,
           "the second time, and jitter");
    is_int(weir_outlier_times(&peer), 2, "two");
    weir_outlier_forgive(&peer, interval, (weir_instant_t) { 9000 }, (weir_instant_t) { 9050 });
    is_int(weir_outlier_times(&peer), 2, "less than an interval forgives nothing");
    weir_outlier_forgive(&peer, interval, (weir_instant_t) { 8950 }, (weir_instant_t) { 9056 });
    is_int(weir_outlier_times(&peer), 2, "of which it was ejected for a part");
    weir_outlier_forgive(&peer, interval, (weir_instant_t) { 9056 }, (weir_instant_t) { 9156 });
    is_int(weir_outlier_times(&peer), 1, "an interval forgives one time");
    weir_outlier_forgive(&peer, interval, (weir_instant_t) { 9156 }, (weir_instant_t) { 99156 });
    is_int(weir_outlier_times(&peer), 0, "many without requests forgive all");
    is_int(weir_outlier_until(&peer).ms, 9007, "and change nothing else");
}

static void
test_group(void)
{
    weir_outlier_group_t group = { .name = 0 };
    weir_instant_t       since;

    ok(weir_outlier_judge(&group, (weir_msec_t) { 10 }, (weir_instant_t) { 100 }, &since) && since.ms == 0,
       "the first interval begins");
    ok(!weir_outlier_judge(&group, (weir_msec_t) { 10 }, (weir_instant_t) { 109 }, &since), "and is not over yet");
    ok(weir_outlier_judge(&group, (weir_msec_t) { 10 }, (weir_instant_t) { 110 }, &since) && since.ms == 100, "it is");
    ok(!weir_outlier_judge(&group, (weir_msec_t) { 10 }, (weir_instant_t) { 110 }, &since), "once");

    ok(weir_outlier_reserve(&group, 4, 5000, false) && weir_outlier_reserve(&group, 4, 5000, false)
       && !weir_outlier_reserve(&group, 4, 5000, false), "half of four");
    weir_outlier_settle(&group, 1);
    ok(!weir_outlier_reserve(&group, 4, 5000, false), "a number that has just changed is not doubted");
    weir_outlier_settle(&group, 1);
    ok(weir_outlier_reserve(&group, 4, 5000, false), "one that stood for an interval is put right");
    weir_outlier_release(&group);
    weir_outlier_release(&group);
    weir_outlier_release(&group);
    ok((uint32_t) group.ejected == 0, "there are never less than none");

    weir_outlier_due(&group, (weir_instant_t) { 70 });
    weir_outlier_due(&group, (weir_instant_t) { 90 });
    weir_outlier_due(&group, (weir_instant_t) { 60 });
    is_int(group.due, 60, "the first to come back");
}

int
main(void)
{
    weir_outlier_tally_t tally;
    uint64_t             word = 0;

    test_rates();
    test_times();
    test_most();
    test_rows();
    test_ejection();
    test_group();
    weir_outlier_count(&word, true);
    weir_outlier_count(&word, false);
    tally = weir_outlier_take(&word);
    ok(tally.requests == 2 && tally.failures == 1 && word == 0, "what is taken is counted no more");
    return done();
}
