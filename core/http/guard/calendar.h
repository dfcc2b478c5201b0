/*
 * calendar.h - which hour, day or month of the calendar a quota counts in, as the zone of memory is told of it.
 *
 * Load time, and workers; the period of now is worked out when another has begun.
 */
#ifndef WEIR_HTTP_CALENDAR_H
#define WEIR_HTTP_CALENDAR_H

#include "base/zoneinfo.h"
#include "conf/module.h"
#include "shm/quota.h"

typedef struct {
    weir_period_unit_t     unit;
    const weir_zoneinfo_t *timezone;
    weir_quota_zone_t     *table;            /* its user sets it when it is open */
    weir_period_t         *period;           /* the one of now, as this process saw it last */
} weir_calendar_t;

weir_calendar_t     weir_calendar_utc(weir_conf_t *cf);
/* Of a time zone of the tz database, such as Europe/Berlin; false: recorded for that word. */
bool                weir_calendar_read(weir_conf_t *cf, size_t word, weir_str_t name, weir_calendar_t *calendar);
weir_quota_period_t weir_calendar_now(const weir_calendar_t *calendar);

#endif
