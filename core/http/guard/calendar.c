/*
 * calendar.c - see calendar.h.
 */
#include "http/guard/calendar.h"

#include "os/clock.h"

#include <string.h>

#define CALENDAR_FOLDER "/usr/share/zoneinfo/"       /* of the tz database */

weir_calendar_t
weir_calendar_utc(weir_conf_t *cf)
{
    return (weir_calendar_t) { .timezone = weir_zoneinfo_utc(), .period = weir_new(cf->live, weir_period_t) };
}

/* "Europe/Berlin": a path in the database, and nowhere else. */
static bool
calendar_is_name(weir_str_t name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
              || (c != '\0' && strchr("_+-/", c) != NULL)))
        {
            return false;
        }
    }
    return name.len != 0 && name.len < 100 && name.at[0] != '/';
}

bool
weir_calendar_read(weir_conf_t *cf, size_t word, weir_str_t name, weir_calendar_t *calendar)
{
    weir_error_t error = { .text = "" };
    weir_str_t   bytes;

    if (!calendar_is_name(name)) {
        return weir_conf_invalid(cf, word, "timezone=, a name of the tz database such as Europe/Berlin");
    }
    if (!weir_bundle_file(cf->bundle, weir_str_printf(cf->arena, CALENDAR_FOLDER "%.*s", WEIR_STR_ARG(name)), &bytes,
                          &error))
    {
        return weir_conf_error(cf, word, "the time zone \"%.*s\" is not there (package tzdata): %s", WEIR_STR_ARG(name),
                               error.text);
    }
    calendar->timezone = weir_zoneinfo_parse(cf->arena, bytes, &error);
    return calendar->timezone != NULL || weir_conf_error(cf, word, "the time zone \"%.*s\" cannot be read: %s",
                                                         WEIR_STR_ARG(name), error.text);
}

weir_quota_period_t
weir_calendar_now(const weir_calendar_t *calendar)
{
    weir_period_t *period = calendar->period;
    int64_t        now_s = (int64_t) (weir_clock_wall_ms() / 1000);

    weir_assert(calendar->table != NULL && period != NULL);
    if (now_s < period->begin_s || now_s >= period->end_s) {
        weir_zoneinfo_period(calendar->timezone, calendar->unit, now_s, period);
        weir_quota_set_period(calendar->table, &(weir_quota_period_t) { period->number, period->end_s });
    }
    return (weir_quota_period_t) { period->number, period->end_s };
}
