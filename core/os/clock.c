/*
 * clock.c - the process's cached time and the texts made of it.
 *
 * Runs in every process, on its main thread; allocates nothing.
 */
#define _GNU_SOURCE 1

#include "os/clock.h"

#include "base/date.h"
#include "os/sys.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

typedef struct { char at[80]; size_t len; } clock_text_t;

static struct {
    uint64_t     mono_ms, wall_ms, turns;
    uint64_t     texts_of;            /* the second of the texts; 0: none yet */
    clock_text_t http, log, access, iso;
} clock_cache;

static void WEIR_PRINTF(2, 3)
clock_print(clock_text_t *text, const char *fmt, ...)
{
    va_list args;
    int     n;

    va_start(args, fmt);
    n = vsnprintf(text->at, sizeof(text->at), fmt, args);
    va_end(args);
    text->len = n < 0 ? 0 : (size_t) weir_min((uint64_t) n, sizeof(text->at) - 1);
}

static void
clock_print_local(const struct tm *t)
{
    long minutes = t->tm_gmtoff / 60;
    char sign = minutes < 0 ? '-' : '+';
    int  year = t->tm_year + 1900, hours;

    weir_assert(t->tm_mon >= 0 && t->tm_mon < 12);
    minutes = minutes < 0 ? -minutes : minutes;
    hours = (int) (minutes / 60);
    minutes %= 60;

    clock_print(&clock_cache.log, "%04d/%02d/%02d %02d:%02d:%02d", year, t->tm_mon + 1, t->tm_mday, t->tm_hour,
                t->tm_min, t->tm_sec);
    clock_print(&clock_cache.access, "%02d/%s/%04d:%02d:%02d:%02d %c%02d%02d", t->tm_mday, weir_date_months[t->tm_mon],
                year, t->tm_hour, t->tm_min, t->tm_sec, sign, hours, (int) minutes);
    clock_print(&clock_cache.iso, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", year, t->tm_mon + 1, t->tm_mday,
                t->tm_hour, t->tm_min, t->tm_sec, sign, hours, (int) minutes);
}

static void
clock_print_texts(time_t seconds)
{
    struct tm t;

    weir_date_http(clock_cache.http.at, seconds);
    clock_cache.http.len = WEIR_DATE_HTTP_BYTES;
    if (localtime_r(&seconds, &t) != NULL) {
        clock_print_local(&t);
    }
}

void
weir_clock_update(void)
{
    uint64_t second;

    clock_cache.turns++;
    weir_sys_clock(&clock_cache.mono_ms, &clock_cache.wall_ms);
    second = clock_cache.wall_ms / 1000;
    if (second != clock_cache.texts_of || clock_cache.http.len == 0) {
        clock_cache.texts_of = second;
        clock_print_texts((time_t) second);
    }
}

/* What is asked for before the first turn of a loop is read now. */
static inline void
clock_need(void)
{
    if (weir_unlikely(clock_cache.http.len == 0)) {
        weir_clock_update();
    }
}

weir_instant_t
weir_clock_now(void)
{
    clock_need();
    return (weir_instant_t) { weir_max(clock_cache.mono_ms, 1) };   /* 0 is "never" */
}

uint64_t
weir_clock_wall_ms(void)
{
    clock_need();
    return clock_cache.wall_ms;
}

static weir_str_t
clock_text(const clock_text_t *text)
{
    clock_need();
    return weir_str(text->at, text->len);
}

weir_str_t
weir_clock_http_date(void)
{
    return clock_text(&clock_cache.http);
}

weir_str_t
weir_clock_log_date(void)
{
    return clock_text(&clock_cache.log);
}

weir_str_t
weir_clock_access_date(void)
{
    return clock_text(&clock_cache.access);
}

weir_str_t
weir_clock_iso_date(void)
{
    return clock_text(&clock_cache.iso);
}

uint64_t
weir_clock_turns(void)
{
    return clock_cache.turns;
}
