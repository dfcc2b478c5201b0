/*
 * zoneinfo.h - time zones from the files of the tz database (TZif, RFC 9636), and the hours, days and months of their
 * calendars.
 *
 * Pure.  What a zone knows lies in the caller's arena.
 */
#ifndef WEIR_BASE_ZONEINFO_H
#define WEIR_BASE_ZONEINFO_H

#include "base/error.h"

#define WEIR_ZONEINFO_MAX 65536              /* bytes of a file; the tz database's largest have 4,000 */

typedef struct weir_zoneinfo weir_zoneinfo_t;

/* Versions 1 to 4 with the footer's rule.  NULL with *error: it is no such file, is damaged, or counts leap seconds. */
const weir_zoneinfo_t *weir_zoneinfo_parse(weir_arena_t *arena, weir_str_t bytes, weir_error_t *error);
const weir_zoneinfo_t *weir_zoneinfo_utc(void);
/* Seconds east of UTC at that instant of Unix time. */
int32_t                weir_zoneinfo_offset(const weir_zoneinfo_t *zone, int64_t utc_s);

typedef enum { WEIR_PERIOD_HOUR, WEIR_PERIOD_DAY, WEIR_PERIOD_MONTH } weir_period_unit_t;

typedef struct {
    uint32_t number;                         /* 1: the first of 1970; grows with time, never falls */
    int64_t  begin_s, end_s;                 /* Unix time: begin_s <= t < end_s */
} weir_period_t;

/* The period of that instant (before 3 January 1970: of that day).  A period is what the zone's clocks call one hour,
 * day or month: it begins at the first instant at which they show it, and an hour that they show twice is one of 120
 * minutes. */
void weir_zoneinfo_period(const weir_zoneinfo_t *zone, weir_period_unit_t unit, int64_t utc_s, weir_period_t *period);

#endif
