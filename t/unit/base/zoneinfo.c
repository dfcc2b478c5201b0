/* Zones of the tz database say what the C library says, their periods are those of the calendar, and a damaged file is
 * told. */
#include "base/arena.h"
#include "base/zoneinfo.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FOLDER "/usr/share/zoneinfo/"

static const char *const names[] = {
    "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Asia/Kathmandu",
    "Australia/Lord_Howe", "Pacific/Apia",
    "Pacific/Chatham", "Africa/Casablanca", "Asia/Beirut", "America/Nuuk", "Europe/Dublin", "America/Havana",
    "America/Toronto",
    "Antarctica/Troll", "Asia/Gaza",
};

static weir_str_t
slurp(weir_arena_t *arena, const char *name)
{
    char  path[256], *bytes = weir_alloc(arena, WEIR_ZONEINFO_MAX);
    FILE *file;
    size_t n;

    (void) snprintf(path, sizeof(path), FOLDER "%s", name);
    file = fopen(path, "rb");
    if (file == NULL) {
        return WEIR_STR_NONE;
    }
    n = fread(bytes, 1, WEIR_ZONEINFO_MAX, file);
    (void) fclose(file);
    return weir_str(bytes, n);
}

static int64_t
days_from(int year, int month, int day)
{
    struct tm t = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };

    return timegm(&t) / 86400;
}

/* By the C library: what clocks show in that unit. */
static int64_t
index_at(weir_period_unit_t unit, int64_t utc_s)
{
    time_t    at = (time_t) utc_s;
    struct tm t;

    (void) localtime_r(&at, &t);
    if (unit == WEIR_PERIOD_MONTH) {
        return (t.tm_year - 70) * 12 + t.tm_mon;
    }
    return days_from(t.tm_year + 1900, t.tm_mon + 1, t.tm_mday) * (unit == WEIR_PERIOD_DAY ? 1 : 24)
           + (unit == WEIR_PERIOD_DAY ? 0 : t.tm_hour);
}

/* The same as the C library at its begin, its end, and what is around; a counter of what differs. */
static int
compare_period(const weir_zoneinfo_t *zone, weir_period_unit_t unit, int64_t at, int64_t *begin, int64_t *end)
{
    weir_period_t p;
    int64_t       index, step = unit == WEIR_PERIOD_HOUR ? 299 : 3599;
    int           bad = 0;

    weir_zoneinfo_period(zone, unit, at, &p);
    *begin = p.begin_s;
    *end = p.end_s;
    index = (int64_t) p.number - 1;
    bad += !(p.begin_s <= at && at < p.end_s);
    bad += index_at(unit, p.begin_s) != index || index_at(unit, p.end_s) <= index;
    for (int64_t s = p.begin_s; s < p.end_s; s += step) {
        bad += index_at(unit, s) > index;
    }
    bad += index_at(unit, p.end_s - 1) > index;
    for (int64_t s = p.begin_s - 1; s > p.begin_s - 7200; s -= step) {
        bad += index_at(unit, s) >= index;
    }
    return bad;
}

static void
test_zone(weir_arena_t *arena, const char *name)
{
    weir_error_t           error = { .text = "" };
    weir_str_t             bytes = slurp(arena, name);
    const weir_zoneinfo_t *zone;
    char                   what[200];
    int                    wrong = 0, wrong_periods = 0;
    int32_t                before = 0;

    if (bytes.at == NULL) {
        (void) snprintf(what, sizeof(what), "%s # SKIP the tz database (package tzdata) does not have it", name);
        ok(true, what);
        return;
    }
    zone = weir_zoneinfo_parse(arena, bytes, &error);
    (void) snprintf(what, sizeof(what), "%s is read: %.80s", name, error.text);
    if (!ok(zone != NULL, what)) {
        return;
    }
    (void) setenv("TZ", name, 1);
    tzset();
    for (int64_t s = 36007 * 30; s < INT64_C(4200000000); s += 36007) {       /* to 2103 */
        time_t    at = (time_t) s;
        struct tm t;
        int64_t   begin, end;
        int32_t   offset = weir_zoneinfo_offset(zone, s);

        (void) localtime_r(&at, &t);
        wrong += t.tm_gmtoff != offset;
        if (offset != before || s % (36007 * 2000) == 0) {      /* around every change, and some others */
            for (int64_t around = s - 36007 - 7200; around < s + 36007; around += 5407) {
                wrong_periods += compare_period(zone, WEIR_PERIOD_HOUR, around, &begin, &end) != 0;
            }
            wrong_periods += compare_period(zone, WEIR_PERIOD_DAY, s, &begin, &end)
                + compare_period(zone, WEIR_PERIOD_DAY, end, &begin, &end);
            wrong_periods += compare_period(zone, WEIR_PERIOD_MONTH, s, &begin, &end);
        }
        before = offset;
    }
    (void) snprintf(what, sizeof(what), "%s has the C library's offsets", name);
    is_int(wrong, 0, what);
    (void) snprintf(what, sizeof(what), "%s has the calendar's periods", name);
    is_int(wrong_periods, 0, what);
}

static void
test_periods(weir_arena_t *arena)
{
    const weir_zoneinfo_t *utc = weir_zoneinfo_utc();
    weir_error_t           error = { .text = "" };
    const weir_zoneinfo_t *berlin;
    weir_str_t             bytes = slurp(arena, "Europe/Berlin");
    weir_period_t          p;

    weir_zoneinfo_period(utc, WEIR_PERIOD_HOUR, 720005, &p);
    ok(p.number == 201 && p.begin_s == 720000 && p.end_s == 723600, "hours of UTC");
    weir_zoneinfo_period(utc, WEIR_PERIOD_DAY, 863999, &p);
    ok(p.number == 10 && p.begin_s == 777600 && p.end_s == 864000, "days of UTC");
    weir_zoneinfo_period(utc, WEIR_PERIOD_MONTH, 1709210000, &p);
    ok(p.number == 54 * 12 + 2 && p.begin_s == 1706745600 && p.end_s == 1709251200,
       "February of a leap year has 29 days");
    weir_zoneinfo_period(utc, WEIR_PERIOD_DAY, INT64_MIN, &p);
    is_int(p.number, 3, "what is before 1970 is one of its first days");
    weir_zoneinfo_period(utc, WEIR_PERIOD_HOUR, INT64_MAX, &p);
    ok(p.begin_s <= p.end_s, "a clock at the end of time is survived");
    if (bytes.at != NULL) {
        berlin = weir_zoneinfo_parse(arena, bytes, &error);
        weir_zoneinfo_period(berlin, WEIR_PERIOD_DAY, 1774746000, &p);          /* 2026-03-29 */
        is_int(p.end_s - p.begin_s, 23 * 3600, "the day on which clocks go forward has 23 hours");
        weir_zoneinfo_period(berlin, WEIR_PERIOD_DAY, 1792890000, &p);          /* 2026-10-25 */
        is_int(p.end_s - p.begin_s, 25 * 3600, "the day on which they go back has 25");
        weir_zoneinfo_period(berlin, WEIR_PERIOD_HOUR, 1792890000, &p);
        is_int(p.end_s - p.begin_s, 2 * 3600, "an hour that is shown twice is one");
    }
}

/* A file of version 2 without any change, with this footer. */
static weir_str_t
with_footer(char room[256], const char *footer)
{
    static const char head[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\1" "\0\0\0\4";
    static const char block[] = "\0\0\0\0" "\0\0" "UTC\0";
    size_t            n = 0;

    for (int i = 0; i < 2; i++) {
        memcpy(room + n, head, 44);
        memcpy(room + n + 44, block, 10);
        n += 54;
    }
    n += (size_t) snprintf(room + n, 256 - n, "\n%s\n", footer);
    return weir_str(room, n);
}

/* One with a single change, at that time. */
static weir_str_t
with_change(char room[256], int64_t time)
{
    size_t n = with_footer(room, "UTC0").len, second = 54;

    memmove(room + second + 44 + 9, room + second + 44, n - second - 44);
    room[second + 35] = 1;
    for (int i = 0; i < 8; i++) {
        room[second + 44 + (size_t) i] = (char) ((uint64_t) time >> (56 - 8 * i));
    }
    room[second + 44 + 8] = 0;
    return weir_str(room, n + 9);
}

/* Periods from that instant on, one by one; how many are not as they should be. */
static int
walk(const weir_zoneinfo_t *zone, weir_period_unit_t unit, int64_t at, int n)
{
    weir_period_t p, next, within;
    int           bad = 0;

    weir_zoneinfo_period(zone, unit, at, &p);
    for (; n > 0; n--, p = next) {
        weir_zoneinfo_period(zone, unit, p.end_s, &next);
        weir_zoneinfo_period(zone, unit, p.begin_s + (p.end_s - p.begin_s) / 3, &within);
        bad += next.begin_s != p.end_s || next.end_s <= next.begin_s || next.number <= p.number
            || within.number != p.number
               || within.begin_s != p.begin_s || within.end_s != p.end_s;
    }
    return bad;
}

static void
test_edges(weir_arena_t *arena)
{
    char                   room[256];
    weir_error_t           error = { .text = "" };
    const weir_zoneinfo_t *zone = weir_zoneinfo_parse(arena, with_footer(room, "AAA24BBB-24,M3.5.0,M10.5.0"), &error);
    uint32_t               number = 0;
    bool                   grows = true;

    ok(weir_zoneinfo_offset(zone, INT64_MIN) != 0 && weir_zoneinfo_offset(zone, INT64_MAX) != 0,
       "a rule holds at the ends of time");
    for (int bit = 20; bit < 63; bit++) {
        weir_period_t p;

        weir_zoneinfo_period(zone, WEIR_PERIOD_HOUR, INT64_C(1) << bit, &p);
        grows = grows && p.number >= number && p.begin_s < p.end_s;
        number = p.number;
    }
    ok(grows, "numbers of periods do not wrap");
    zone = weir_zoneinfo_parse(arena, with_footer(room, "AAA0BBB-1,365/167,365/100"), &error);
    is_int(weir_zoneinfo_offset(zone, 1767441600), 3600,
           "both changes of the year before are still to come, on 3 January");
    ok(weir_zoneinfo_parse(arena, with_change(room, -(INT64_C(1) << 59)), &error) != NULL,
       "the first change may be at the begin of all, RFC 9636 §3.2");
    ok(weir_zoneinfo_parse(arena, with_change(room, -(INT64_C(1) << 59) - 1), &error) == NULL, "none before");
}

static void
test_footers(weir_arena_t *arena)
{
    static const char *const good[] = {
        "", "UTC0", "<+0330>-3:30", "EST5EDT,M3.2.0,M11.1.0", "IST-1GMT0,M10.5.0,M3.5.0/1", "XXX3EDT4,0/0,J365/23",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "EET-2EEST,M3.4.4/50,M10.4.4/50", "AAA24BBB-24:59:59,J60/-167,365/167:59:59",
    };
    static const char *const bad[] = {
        "U0", "UTC", "UTC25", "UTC0:60", "<UTC0", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0",
        "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,M0.2.0,M11.1.0", "EST5EDT,J0,J366", "EST5EDT,M3.2.0/168,M11.1.0",
        "EST5EDT,M3.2.0,M11.1.0x",
        "EST5EDT,M3.2.0,M11.1.0/99999999999999999999",
    };
    char room[256], what[200];

    for (size_t i = 0; i < weir_countof(good); i++) {
        weir_error_t           error = { .text = "" };
        const weir_zoneinfo_t *zone = weir_zoneinfo_parse(arena, with_footer(room, good[i]), &error);

        (void) snprintf(what, sizeof(what), "\"%s\" is a rule: %.80s", good[i], error.text);
        ok(zone != NULL, what);
        if (zone != NULL) {
            int wrong = walk(zone, WEIR_PERIOD_DAY, 31536000, 1200) + walk(zone, WEIR_PERIOD_MONTH, 31536000, 60);

            for (int64_t at = 365 * 86400; at < 1500 * 86400; at += 61 * 86400) {
                wrong += walk(zone, WEIR_PERIOD_HOUR, at, 24 * 10);
            }
            (void) snprintf(what, sizeof(what), "\"%s\": periods follow one another", good[i]);
            is_int(wrong, 0, what);
        }
    }
    for (size_t i = 0; i < weir_countof(bad); i++) {
        weir_error_t error = { .text = "" };

        (void) snprintf(what, sizeof(what), "\"%s\" is none", bad[i]);
        ok(weir_zoneinfo_parse(arena, with_footer(room, bad[i]), &error) == NULL && error.text[0] != '\0', what);
    }
    {
        weir_error_t           error = { .text = "" };
        const weir_zoneinfo_t *zone = weir_zoneinfo_parse(arena, with_footer(room, "XXX3EDT4,0/0,J365/23"), &error);

        ok(weir_zoneinfo_offset(zone, 0) == -14400 && weir_zoneinfo_offset(zone, 1767236400) == -14400,
           "summer time all the year, RFC 9636 §3.3.1");
    }
}

static void
test_damage(weir_arena_t *arena)
{
    weir_str_t whole = slurp(arena, "Europe/Berlin");
    char      *bytes = weir_alloc(arena, WEIR_ZONEINFO_MAX);
    size_t     taken = 0;

    if (whole.at == NULL) {
        ok(true, "a file cut short is told # SKIP the tz database (package tzdata) is not there");
        return;
    }
    for (size_t n = 0; n < whole.len; n++) {
        weir_arena_t scratch;
        weir_error_t error = { .text = "" };

        weir_arena_init(&scratch, 4096);
        memcpy(bytes, whole.at, n);
        taken += weir_zoneinfo_parse(&scratch, weir_str(bytes, n), &error) != NULL;
        weir_arena_fini(&scratch);
    }
    is_int(taken, 0, "a file cut short anywhere is told");
    for (size_t n = 0; n < whole.len; n++) {
        weir_arena_t           scratch;
        weir_error_t           error = { .text = "" };
        const weir_zoneinfo_t *zone;
        weir_period_t          p;

        weir_arena_init(&scratch, 4096);
        memcpy(bytes, whole.at, whole.len);
        bytes[n] = (char) (bytes[n] ^ (1 << n % 8));
        zone = weir_zoneinfo_parse(&scratch, weir_str(bytes, whole.len), &error);
        if (zone != NULL) {
            weir_zoneinfo_period(zone, WEIR_PERIOD_DAY, 1774746000, &p);
            if (!(p.begin_s <= 1774746000 && 1774746000 < p.end_s)) {
                ok(false, "a period holds its instant whatever the file says");
            }
        }
        weir_arena_fini(&scratch);
    }
    ok(true, "a file with any bit turned does no harm");
}

int
main(void)
{
    weir_arena_t arena;

    weir_arena_init(&arena, 65536);
    test_periods(&arena);
    test_footers(&arena);
    test_edges(&arena);
    test_damage(&arena);
    for (size_t i = 0; i < weir_countof(names); i++) {
        test_zone(&arena, names[i]);
    }
    weir_arena_fini(&arena);
    return done();
}
