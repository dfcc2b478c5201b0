/* clock.c - the cached time and its texts, against the C library's own. */
#define _GNU_SOURCE 1

#include "os/clock.h"

#include <time.h>

#include "tap.h"

static const char *const zones[] = { "UTC", "EST5", "<+0530>-5:30", "<-0330>3:30", "<+14>-14",
                                     "CET-1CEST,M3.5.0,M10.5.0/3" };

static void
is_time(weir_str_t got, const char *fmt, const struct tm *t)
{
    char want[80];

    strftime(want, sizeof(want), fmt, t);
    is_str(got, want, want);
}

static void
wait_a_second(void)
{
    uint64_t second = weir_clock_wall_ms() / 1000;

    while (weir_clock_wall_ms() / 1000 == second) {
        nanosleep(&(struct timespec) { .tv_nsec = 1000000 }, NULL);
        weir_clock_update();
    }
}

int
main(void)
{
    weir_instant_t then;
    uint64_t       wall;
    time_t         now;
    struct tm      t;
    char           iso[80];
    weir_str_t     got;
    size_t         i;

    setenv("TZ", zones[0], 1);
    tzset();
    ok(weir_clock_now().ms != 0, "there is a time before the first update");
    is_int(weir_clock_http_date().len, 29, "and a Date");

    for (i = 0; i < weir_countof(zones); i++) {
        setenv("TZ", zones[i], 1);
        tzset();
        wait_a_second();
        now = (time_t) (weir_clock_wall_ms() / 1000);
        gmtime_r(&now, &t);
        is_time(weir_clock_http_date(), "%a, %d %b %Y %H:%M:%S GMT", &t);
        localtime_r(&now, &t);
        is_time(weir_clock_log_date(), "%Y/%m/%d %H:%M:%S", &t);
        is_time(weir_clock_access_date(), "%d/%b/%Y:%H:%M:%S %z", &t);
        strftime(iso, sizeof(iso), "%Y-%m-%dT%H:%M:%S%z", &t);
        got = weir_clock_iso_date();
        ok(got.len == 25 && memcmp(got.at, iso, 22) == 0 && got.at[22] == ':' && memcmp(got.at + 23, iso + 22, 2) == 0,
           "ISO 8601 has a colon in its zone");
    }

    then = weir_clock_now();
    wall = weir_clock_wall_ms();
    nanosleep(&(struct timespec) { .tv_nsec = 5000000 }, NULL);
    ok(weir_clock_now().ms == then.ms && weir_clock_wall_ms() == wall, "time stands between updates");
    weir_clock_update();
    ok(weir_clock_now().ms >= then.ms + 4, "and goes on with one");
    is_int(weir_instant_after(then, (weir_msec_t) { 30 }).ms, then.ms + 30, "a point after it");
    return done();
}
