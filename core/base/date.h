/*
 * date.h - dates as HTTP writes and reads them (RFC 9110 §5.6.7): IMF-fixdate out; that, RFC 850's and asctime's in.
 *
 * Pure: no clock, no zone, nothing allocated.
 */
#ifndef WEIR_BASE_DATE_H
#define WEIR_BASE_DATE_H

#include "base/str.h"

#define WEIR_DATE_HTTP_BYTES 29                    /* "Sun, 06 Nov 1994 08:49:37 GMT" */

extern const char weir_date_days[7][4], weir_date_months[12][4];        /* "Sun" …, "Jan" … */

/* Seconds since 1970; a time outside the years 0 to 9999 becomes the nearest inside.  Writes WEIR_DATE_HTTP_BYTES, no
 * NUL. */
void weir_date_http(char *out, int64_t seconds);
/* false: none of the three forms, or no such day or time.  Of a year of two digits 70 to 99 are of the century
 * before. */
bool weir_date_http_read(weir_str_t text, int64_t *seconds) WEIR_MUST_USE;
/* The parts of RFC 3339, each cut off from the text; T and Z in any case.  false: it does not begin with one, or there
 * is no such day or time.  A fraction of a second is dropped; second may be 60 at the end of a day of UTC. */
typedef struct { unsigned year, month, day; } weir_date_day_t;
typedef struct { unsigned hour, minute, second; int zone; } weir_date_time_t;      /* zone: minutes ahead of UTC */
bool weir_date_cut_day(weir_str_t *text, weir_date_day_t *day) WEIR_MUST_USE;
bool weir_date_cut_time(weir_str_t *text, weir_date_time_t *time) WEIR_MUST_USE;
/* "2026-12-31" (its first second) or "2026-12-31T09:30:00Z" or with "+02:00", from 1970 on.  false: neither. */
bool weir_date_iso_read(weir_str_t text, int64_t *seconds) WEIR_MUST_USE;
/* Days since 1970-01-01 of a date of the Gregorian calendar; month 1 to 12. */
int64_t weir_date_to_days(int64_t year, unsigned month, unsigned day);

#endif
