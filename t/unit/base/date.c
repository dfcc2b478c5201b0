/*
 * date.c - dates as HTTP has them: three forms in, one out.
 */
#include "base/date.h"

#include "tap.h"

#include <string.h>
#include <time.h>

static bool
reads(const char *text, int64_t want)
{
    int64_t got = -1;

    return weir_date_http_read(weir_str_from_z(text), &got) && got == want;
}

static bool
refused(const char *text)
{
    int64_t got;

    return !weir_date_http_read(weir_str_from_z(text), &got);
}

static bool
writes(int64_t seconds, const char *want)
{
    char out[WEIR_DATE_HTTP_BYTES];

    weir_date_http(out, seconds);
    return weir_str_eq(weir_str(out, sizeof(out)), weir_str_from_z(want));
}

/* Each day of 800 years, as the C library has it. */
static bool
agrees_with_libc(void)
{
    for (int64_t day = -146097; day < 146097; day++) {
        char out[WEIR_DATE_HTTP_BYTES], want[64];
        time_t at = (time_t) (day * 86400 + (day & 0x7fff));
        struct tm t;
        int64_t back;

        gmtime_r(&at, &t);
        strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S GMT", &t);
        weir_date_http(out, at);
        if (memcmp(out, want, sizeof(out)) != 0 || !weir_date_http_read(weir_str(out, sizeof(out)), &back)
            || back != at)
        {
            return false;
        }
    }
    return true;
}

static void
iso(void)
{
    static const struct { const char *text; int64_t seconds; } good[] = {
        { "1970-01-01", 0 }, { "2024-02-29", 1709164800 }, { "2023-06-30T23:59:59Z", 1688169599 },
        { "2024-02-29T02:00:00+02:00", 1709164800 }, { "2024-02-28T23:30:00-00:30", 1709164800 },
        { "2024-02-29t00:00:00z", 1709164800 }, { "2024-02-29T00:00:00.75Z", 1709164800 },
        { "2024-02-29T00:59:60+01:00", 1709164800 },
    };
    static const char *const bad[] = {
        "", "2024", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "1969-12-31", "2024-1-01",
        "2024-01-01T", "2024-01-01 00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z",
        "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00+0100",
        "2024-01-01T00:00:00Zx", "2024-01-01x",
    };
    int64_t seconds;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ok(weir_date_iso_read(weir_str_from_z(good[i].text), &seconds), good[i].text);
        is_int(seconds, good[i].seconds, "… is that second");
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(!weir_date_iso_read(weir_str_from_z(bad[i]), &seconds), bad[i]);
    }
}

int
main(void)
{
    iso();
    ok(reads("Sun, 06 Nov 1994 08:49:37 GMT", 784111777), "IMF-fixdate");
    ok(reads("Sunday, 06-Nov-94 08:49:37 GMT", 784111777), "RFC 850's");
    ok(reads("Wednesday, 09-Nov-22 08:49:37 GMT", 1667983777), "with a year of this century");
    ok(reads("Sun Nov  6 08:49:37 1994", 784111777), "asctime's");
    ok(reads("Sun Nov 16 08:49:37 1994", 784975777), "with two digits");
    ok(reads("Thu, 29 Feb 2024 23:59:60 GMT", 1709251200), "a leap day, a leap second");
    ok(reads("Thu, 01 Jan 1970 00:00:00 GMT", 0), "the first second");
    const char *wrong[] = {
        "", ",", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Thu, 29 Feb 2023 00:00:00 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:00:61 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
        "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun", "784111777", "Sun, 06 Foo 1994 08:49:37 GMT",
    };
    for (size_t i = 0; i < weir_countof(wrong); i++) {
        ok(refused(wrong[i]), wrong[i]);
    }
    ok(writes(784111777, "Sun, 06 Nov 1994 08:49:37 GMT"), "one out");
    ok(writes(-1, "Wed, 31 Dec 1969 23:59:59 GMT"), "before 1970");
    ok(writes(INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"), "the last there is");
    ok(writes(INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT"), "the first there is");
    ok(agrees_with_libc(), "every day of eight centuries is the C library's");
    return done();
}
