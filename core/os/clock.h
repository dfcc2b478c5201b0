/*
 * clock.h - cached time of this process: read once a turn of the loop, before that when asked.  Timers use the
 * monotonic clock; the wall clock is for Date, logs and names of things people read.
 */
#ifndef WEIR_OS_CLOCK_H
#define WEIR_OS_CLOCK_H

#include "base/str.h"

void           weir_clock_update(void);           /* reads both clocks */
uint64_t       weir_clock_turns(void);            /* how often they were read: another one is another turn */
weir_instant_t weir_clock_now(void);              /* monotonic, as of the last update */
uint64_t       weir_clock_wall_ms(void);          /* Unix time in ms, as of the last update */

/* Texts are rebuilt when the second changes; valid until the next update. */
weir_str_t weir_clock_http_date(void);            /* "Sun, 06 Nov 1994 08:49:37 GMT" RFC 9110 §5.6.7 */
weir_str_t weir_clock_log_date(void);             /* "2026/11/22 22:41:03" local, error log */
weir_str_t weir_clock_access_date(void);          /* "22/Nov/2026:22:41:03 +0000" $time_local */
weir_str_t weir_clock_iso_date(void);             /* "2026-11-22T22:41:03+00:00" $time_iso8601 */

#endif
