/*
 * adaptive.c - the arithmetic of adaptive_concurrency against a reference that is written down plainly: limits in
 * floating point by the formula of the manual, samples and windows as structs with a field for each number.
 */
#include "../../../modules/upstream/adaptive_concurrency.c"

#include "tap.h"

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

static const adapt_settings_t plain = {
    .interval = { 60000 }, .jitter = 15, .buffer = 25, .min = 3, .max = 1000, .samples = 50,
};

/* -- the limit -- */

static double
reference_root(double n)
{
    double low = 0, high = n + 1;

    for (unsigned i = 0; i < 100; i++) {
        double middle = (low + high) / 2;

        *(middle * middle <= n ? &low : &high) = middle;
    }
    return low;
}

static double
reference_next(const adapt_settings_t *settings, double limit, double least, double now)
{
    double gradient = least * (1 + settings->buffer / 100.0) / now;

    gradient = gradient < 0.5 ? 0.5 : gradient > 2 ? 2 : gradient;
    limit = gradient * limit + reference_root(gradient * limit);
    return limit < settings->min ? settings->min : limit > settings->max ? settings->max : limit;
}

static void
test_limit(void)
{
    unsigned wrong = 0, outside = 0;

    for (uint64_t n = 0; n < 200000; n++) {
        uint64_t root = adapt_root(n);

        wrong += root * root > n || (root + 1) * (root + 1) <= n;
    }
    is_int(wrong, 0, "roots of two hundred thousand numbers");

    wrong = 0;
    for (unsigned i = 0; i < 200000; i++) {
        adapt_settings_t settings = plain;
        uint64_t         limit, least = 1 + draw(draw(2) ? 20 : 60000), now = 1 + draw(draw(2) ? 20 : 60000), next;
        double           reference, apart;

        settings.min = 1 + draw(100);
        settings.max = settings.min + draw(100000);
        settings.buffer = draw(1001);
        limit = settings.min + draw(settings.max - settings.min + 1);
        next = adapt_next(&settings, limit, least, now);
        reference = reference_next(&settings, (double) limit, (double) least, (double) now);
        apart = reference - (double) next;
        /* A gradient in thousandths, a product and a root are each rounded down: the limit is never the greater one. */
        wrong += apart < -1e-6 * reference || apart > 3 + (double) limit / 1000 * 1.5;
        outside += next < settings.min || next > settings.max;
    }
    is_int(wrong, 0, "limits are those of the formula but for what is rounded down");
    is_int(outside, 0, "and between min and max");

    is_int(adapt_next(&plain, 100, 10, 10), 125 + 11, "as fast as ever: the buffer and a root more");
    is_int(adapt_next(&plain, 100, 10, 1), 200 + 14, "faster than ever: twice at most");
    is_int(adapt_next(&plain, 100, 10, 1000), 50 + 7, "far slower: half at least");
    is_int(adapt_next(&plain, 1000, 10, 10), 1000, "max");
    is_int(adapt_next(&plain, 3, 10, 1000), 3, "min");
}

/* -- samples -- */

typedef struct { uint64_t of, count, sum; } reference_t;

static bool
is_same(uint64_t samples, const reference_t *reference)
{
    return adapt_of(samples) == reference->of && adapt_count(samples) == reference->count
           && (samples & ADAPT_SUMS) == reference->sum;
}

/* A sample of which there is no room for the number or the time is left out. */
static void
reference_add(reference_t *reference, uint64_t ms)
{
    ms = ms > 60000 ? 60000 : ms;
    if (reference->count < 4095 && reference->sum + ms < 16777216) {
        reference->count++;
        reference->sum += ms;
    }
}

static uint64_t
reference_mean(const reference_t *reference)
{
    uint64_t mean = reference->count != 0 ? reference->sum / reference->count : 1;

    return mean != 0 ? mean : 1;
}

static void
test_samples(void)
{
    unsigned wrong = 0;

    for (unsigned round = 0; round < 200; round++) {
        reference_t reference = { .of = draw(1u << 28) };
        uint64_t    samples = reference.of << ADAPT_AT, most = (uint64_t[]) { 1, 10, 4000, 70000 }[draw(4)];

        for (unsigned i = draw(6000); i > 0; i--) {
            uint64_t ms = draw((uint32_t) most + 1);

            samples = adapt_add(samples, ms);
            reference_add(&reference, ms);
            wrong += !is_same(samples, &reference) || adapt_mean(samples) != reference_mean(&reference);
        }
    }
    is_int(wrong, 0, "samples and their mean, also when there is no room for more");
    is_int(adapt_count(adapt_add(0, UINT64_MAX)), 1, "the longest time there is");
    is_int(adapt_mean(adapt_add(0, UINT64_MAX)), 60000, "is a minute");
}

/* -- windows -- */

static void
test_windows(void)
{
    adapt_record_t record = { .limit = 100, .least = 20 };
    reference_t    window = { 0 };
    uint64_t       limit = 100;
    weir_instant_t now = { 1000000 };
    unsigned       wrong = 0, limits = 0;

    for (unsigned i = 0; i < 200000; i++) {
        uint64_t ms = draw(60), of;

        now.ms += draw(8) == 0 ? draw(300) : draw(3);
        of = now.ms / 100;
        if (of != window.of) {
            if (window.count != 0) {
                limit = adapt_next(&plain, limit, 20, reference_mean(&window));
                limits++;
            }
            window = (reference_t) { .of = of };
        }
        reference_add(&window, ms);
        adapt_sample(&plain, &record, ms, now);
        wrong += !is_same(record.window, &window) || record.limit != limit;
    }
    ok(wrong == 0 && limits > 1000, "each window that had samples makes one limit, by its mean");

    record = (adapt_record_t) { .limit = 100 };
    adapt_sample(&plain, &record, 5, (weir_instant_t) { 1000 });
    adapt_sample(&plain, &record, 5, (weir_instant_t) { 2000 });
    is_int(record.limit, 100, "none while the least time is not known");
}

/* -- measuring -- */

static void
test_measuring(void)
{
    adapt_record_t record = { .limit = 100, .due = 5000 };
    uint64_t       sum = 0;
    unsigned       wrong = 0;

    adapt_begin_measuring(&plain, &record, (weir_instant_t) { 4999 });
    is_int(record.measurements, 0, "before its time it does not begin");
    is_int(adapt_limit(&plain, &record), 100, "the limit is that of the windows");
    adapt_begin_measuring(&plain, &record, (weir_instant_t) { 5000 });
    is_int(record.measurements, 1, "at its time it begins");
    is_int(adapt_limit(&plain, &record), 3, "with few requests at a time");
    ok(record.due >= 65000 && record.due <= 74000, "the next one is due after the interval and some of the jitter");
    record.due = 0;
    adapt_begin_measuring(&plain, &record, (weir_instant_t) { 100000 });
    is_int(record.measurements, 1, "one at a time");

    for (unsigned i = 1; i <= plain.samples; i++) {
        uint64_t ms = draw(100);

        wrong += record.least != 0 || record.measurements != 1;
        sum += ms;
        adapt_measure(&plain, &record, 1, ms);
    }
    is_int(wrong, 0, "it lasts for as many samples as are said");
    ok(record.least == sum / plain.samples && record.measurements == 2, "the least time is their mean");
    adapt_measure(&plain, &record, 1, 60000);
    ok(record.least == sum / plain.samples && record.measurements == 2, "one that comes late changes nothing");

    for (unsigned i = 0; i < 1000; i++) {
        uint64_t due = adapt_due(&plain, (weir_instant_t) { 1000 });

        wrong += due < 61000 || due > 70000;
    }
    is_int(wrong, 0, "whatever is drawn");
}

int
main(void)
{
    test_limit();
    test_samples();
    test_windows();
    test_measuring();
    return done();
}
