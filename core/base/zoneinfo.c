/*
 * zoneinfo.c - see zoneinfo.h.
 */
#include "base/zoneinfo.h"

#include "base/arena.h"

#define ZONE_HEAD     44                     /* RFC 9636 §3.1 */
#define ZONE_DAY      INT64_C(86400)
#define ZONE_NEVER    (-(INT64_C(1) << 59))  /* no file holds a time before, RFC 9636 §3.2 */
#define ZONE_LATEST   (INT64_C(1) << 55)
#define ZONE_LAST     (INT64_C(1) << 43)     /* its hours have a number of 32 bits */
#define ZONE_EAST     93599                  /* greatest offset, RFC 9636 §3.2 */
#define ZONE_WEST     (-89999)
#define ZONE_JUMP     (ZONE_EAST - ZONE_WEST)        /* clocks are not set back further than this */
#define ZONE_FIRST    (2 * ZONE_DAY)         /* everywhere it is 1970 */
#define ZONE_HOURS    167                    /* of a rule's time, either way */

/* When a rule begins in each year. */
typedef struct {
    enum { DAY_JULIAN, DAY_ZERO, DAY_WEEK } form;    /* Jn: without 29 February; n: from 0; Mm.w.d */
    int     day, month, week;
    int32_t time;                            /* seconds after midnight by the clock of before */
} zone_day_t;

typedef struct {
    int32_t    standard, summer;             /* seconds east */
    bool       has_summer;
    zone_day_t begin, end;                   /* of summer time */
} zone_rule_t;

struct weir_zoneinfo {
    const int64_t *times;                    /* ascending: from then on … */
    const uint8_t *kinds;                    /* … this one of the offsets */
    const int32_t *offsets;
    uint32_t       n_times, n_offsets;
    bool           has_rule;                 /* after the last time */
    zone_rule_t    rule;
};

/* From `since` on clocks show UTC and `offset`. */
typedef struct { int64_t since; int32_t offset; } zone_span_t;

/* -- the calendar (proleptic Gregorian) -- */

static int64_t
zone_floor(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t
zone_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool
zone_is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to the year's first. */
static int64_t
zone_year_begin(int64_t year)
{
    int64_t past = year - 1;

    return 365 * (year - 1970) + zone_floor(past, 4) - zone_floor(past, 100) + zone_floor(past, 400) - 477;
}

static int64_t
zone_year_of(int64_t day)
{
    int64_t year = 1970 + zone_floor(day * 400, 146097);

    while (zone_year_begin(year) > day) {
        year--;
    }
    while (zone_year_begin(year + 1) <= day) {
        year++;
    }
    return year;
}

static int
zone_month_days(int64_t year, int month)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return days[month - 1] + (month == 2 && zone_is_leap(year));
}

/* Months from January 1970. */
static int64_t
zone_month_of(int64_t day)
{
    int64_t year = zone_year_of(day);
    int     left = (int) (day - zone_year_begin(year)), month = 1;

    while (left >= zone_month_days(year, month)) {
        left -= zone_month_days(year, month++);
    }
    return (year - 1970) * 12 + month - 1;
}

/* -- the footer: a rule as POSIX writes it in TZ -- */

/* Digits; false: none, or more than `max`. */
static bool
zone_read_number(weir_str_t *text, int max, int *number)
{
    size_t n = 0;

    for (*number = 0; n < text->len && text->at[n] >= '0' && text->at[n] <= '9'; n++) {
        *number = *number * 10 + text->at[n] - '0';
        if (*number > max) {
            return false;
        }
    }
    *text = weir_str_skip(*text, n);
    return n > 0;
}

static bool
zone_take(weir_str_t *text, char c)
{
    if (text->len == 0 || text->at[0] != c) {
        return false;
    }
    *text = weir_str_skip(*text, 1);
    return true;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool
zone_read_time(weir_str_t *text, int max_hours, int32_t *seconds)
{
    bool is_minus = zone_take(text, '-');
    int  hours, minutes = 0, rest = 0;

    if (!is_minus) {
        (void) zone_take(text, '+');
    }
    if (!zone_read_number(text, max_hours, &hours)
        || (zone_take(text, ':') && (!zone_read_number(text, 59, &minutes)
                                     || (zone_take(text, ':') && !zone_read_number(text, 59, &rest)))))
    {
        return false;
    }
    *seconds = (hours * 3600 + minutes * 60 + rest) * (is_minus ? -1 : 1);
    return true;
}

static bool
zone_read_name(weir_str_t *text)
{
    bool   is_quoted = zone_take(text, '<');
    size_t n = 0;

    while (n < text->len && (is_quoted ? text->at[n] != '>' : (text->at[n] | 32) >= 'a' && (text->at[n] | 32) <= 'z')) {
        n++;
    }
    *text = weir_str_skip(*text, n);
    return n >= 3 && (!is_quoted || zone_take(text, '>'));
}

static bool
zone_read_day(weir_str_t *text, zone_day_t *day)
{
    bool good;

    day->time = 2 * 3600;
    if (!zone_take(text, ',')) {
        return false;
    }
    if (zone_take(text, 'M')) {
        day->form = DAY_WEEK;
        good = zone_read_number(text, 12, &day->month) && zone_take(text, '.') && zone_read_number(text, 5, &day->week)
               && zone_take(text, '.')
               && zone_read_number(text, 6, &day->day) && day->month > 0 && day->week > 0;
    } else {
        day->form = zone_take(text, 'J') ? DAY_JULIAN : DAY_ZERO;
        good = zone_read_number(text, 365, &day->day) && (day->form == DAY_ZERO || day->day > 0);
    }
    return good && (!zone_take(text, '/') || zone_read_time(text, ZONE_HOURS, &day->time));
}

static bool
zone_read_rule(weir_str_t text, zone_rule_t *rule)
{
    if (!zone_read_name(&text) || !zone_read_time(&text, 24, &rule->standard)) {
        return false;
    }
    rule->standard = -rule->standard;        /* POSIX counts to the west */
    rule->has_summer = text.len != 0;
    if (!rule->has_summer) {
        return true;
    }
    rule->summer = rule->standard + 3600;
    if (!zone_read_name(&text)) {
        return false;
    }
    if (text.len != 0 && text.at[0] != ',') {
        if (!zone_read_time(&text, 24, &rule->summer)) {
            return false;
        }
        rule->summer = -rule->summer;
    }
    return zone_read_day(&text, &rule->begin) && zone_read_day(&text, &rule->end) && text.len == 0;
}

/* In UTC, when the clock showed `offset` until then. */
static int64_t
zone_rule_at(const zone_day_t *rule, int64_t year, int32_t offset)
{
    int64_t day = zone_year_begin(year);
    int     week_day;

    switch (rule->form) {
    case DAY_JULIAN:
        day += rule->day - 1 + (zone_is_leap(year) && rule->day >= 60);
        break;
    case DAY_ZERO:
        day += rule->day;
        break;
    default:
        for (int month = 1; month < rule->month; month++) {
            day += zone_month_days(year, month);
        }
        week_day = (int) ((day + 4) % 7 + 7) % 7;    /* 1970-01-01 was a Thursday */
        week_day = (rule->day - week_day + 7) % 7 + 7 * (rule->week - 1);
        day += week_day < zone_month_days(year, rule->month) ? week_day : week_day - 7;
    }
    return day * ZONE_DAY + rule->time - offset;
}

static zone_span_t
zone_rule_span(const zone_rule_t *rule, int64_t utc_s)
{
    zone_span_t span = { ZONE_NEVER, rule->standard };
    int64_t     year = zone_year_of(zone_floor(utc_s + rule->standard, ZONE_DAY));

    /* Either of a year's days may lie in the next year, and be still to come. */
    for (int64_t y = year - 2; rule->has_summer && y <= year + 1; y++) {
        int64_t begin = zone_rule_at(&rule->begin, y, rule->standard), end = zone_rule_at(&rule->end, y, rule->summer);

        if (end <= utc_s && end > span.since) {
            span = (zone_span_t) { end, rule->standard };
        }
        if (begin <= utc_s && begin >= span.since) {     /* both at once: summer time goes on */
            span = (zone_span_t) { begin, rule->summer };
        }
    }
    return span;
}

/* -- looking -- */

static zone_span_t
zone_span(const weir_zoneinfo_t *zone, int64_t utc_s)
{
    uint32_t    low = 0, high = zone->n_times;       /* the first time after utc_s is in [low, high] */
    zone_span_t span = { ZONE_NEVER, zone->offsets[0] };

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (zone->times[middle] <= utc_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low > 0) {
        span = (zone_span_t) { zone->times[low - 1], zone->offsets[zone->kinds[low - 1]] };
    }
    if (low == zone->n_times && zone->has_rule) {
        zone_span_t ruled = zone_rule_span(&zone->rule, utc_s);

        return ruled.since > span.since ? ruled : (zone_span_t) { span.since, ruled.offset };
    }
    return span;
}

int32_t
weir_zoneinfo_offset(const weir_zoneinfo_t *zone, int64_t utc_s)
{
    return zone_span(zone, zone_max(utc_s < ZONE_LATEST ? utc_s : ZONE_LATEST, ZONE_NEVER)).offset;
}

const weir_zoneinfo_t *
weir_zoneinfo_utc(void)
{
    static const int32_t         offset = 0;
    static const weir_zoneinfo_t utc = { .offsets = &offset, .n_offsets = 1 };

    return &utc;
}

/* -- periods -- */

static int64_t
zone_index(weir_period_unit_t unit, int64_t local_s)
{
    int64_t day = zone_floor(local_s, ZONE_DAY);

    return unit == WEIR_PERIOD_HOUR ? zone_floor(local_s, 3600) : unit == WEIR_PERIOD_DAY ? day : zone_month_of(day);
}

/* The furthest that clocks had shown by then: when they are set back, that period goes on. */
static int64_t
zone_furthest(const weir_zoneinfo_t *zone, weir_period_unit_t unit, int64_t utc_s)
{
    zone_span_t span = zone_span(zone, utc_s);
    int64_t     furthest = zone_index(unit, utc_s + span.offset), oldest = utc_s - ZONE_JUMP;

    while (span.since > oldest) {
        int64_t last_s = span.since - 1, index;

        span = zone_span(zone, last_s);
        index = zone_index(unit, last_s + span.offset);
        furthest = zone_max(furthest, index);
    }
    return furthest;
}

/* The first instant in (low, high] that is in a later period than `index`; low is not. */
static int64_t
zone_after(const weir_zoneinfo_t *zone, weir_period_unit_t unit, int64_t index, int64_t low, int64_t high)
{
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;

        if (zone_furthest(zone, unit, middle) > index) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return high;
}

void
weir_zoneinfo_period(const weir_zoneinfo_t *zone, weir_period_unit_t unit, int64_t utc_s, weir_period_t *period)
{
    int64_t at = zone_max(utc_s < ZONE_LAST ? utc_s : ZONE_LAST, ZONE_FIRST), index = zone_furthest(zone, unit, at);
    /* None is longer: it is shown for so long, and then clocks are set back. */
    int64_t reach = (unit == WEIR_PERIOD_MONTH ? 31 : 1) * ZONE_DAY + ZONE_JUMP;

    period->number = (uint32_t) index + 1;
    period->begin_s = zone_after(zone, unit, index - 1, at - reach, at);
    period->end_s = zone_after(zone, unit, index, at, at + reach);
}

/* -- reading -- */

typedef struct {
    weir_str_t rest;
    uint32_t   n_utc, n_standard, n_leaps, n_times, n_offsets, n_chars;
    char       version;
} zone_file_t;

static uint64_t
zone_big_endian(const char *at, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++) {
        value = value << 8 | (unsigned char) at[i];
    }
    return value;
}

static bool
zone_read_head(zone_file_t *file)
{
    const char *at = file->rest.at;

    if (file->rest.len < ZONE_HEAD || memcmp(at, "TZif", 4) != 0) {
        return false;
    }
    file->version = at[4];
    file->n_utc = (uint32_t) zone_big_endian(at + 20, 4);
    file->n_standard = (uint32_t) zone_big_endian(at + 24, 4);
    file->n_leaps = (uint32_t) zone_big_endian(at + 28, 4);
    file->n_times = (uint32_t) zone_big_endian(at + 32, 4);
    file->n_offsets = (uint32_t) zone_big_endian(at + 36, 4);
    file->n_chars = (uint32_t) zone_big_endian(at + 40, 4);
    file->rest = weir_str_skip(file->rest, ZONE_HEAD);
    return true;
}

static uint64_t
zone_block_size(const zone_file_t *file, uint64_t time_size)
{
    return file->n_times * (time_size + 1) + file->n_offsets * UINT64_C(6) + file->n_chars
           + file->n_leaps * (time_size + 4) + file->n_standard
           + file->n_utc;
}

static bool
zone_read_block(weir_arena_t *arena, zone_file_t *file, size_t time_size, weir_zoneinfo_t *zone)
{
    const char *at = file->rest.at;
    int64_t    *times = weir_alloc(arena, (file->n_times + 1) * sizeof(*times));
    uint8_t    *kinds = weir_alloc(arena, file->n_times + 1);
    int32_t    *offsets = weir_alloc(arena, file->n_offsets * sizeof(*offsets));

    for (uint32_t i = 0; i < file->n_times; i++, at += time_size) {
        times[i] = time_size == 4 ? (int32_t) zone_big_endian(at, 4) : (int64_t) zone_big_endian(at, 8);
        if (times[i] < ZONE_NEVER || times[i] > ZONE_LATEST || (i > 0 && times[i] <= times[i - 1])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < file->n_times; i++, at++) {
        kinds[i] = (uint8_t) *at;
        if (kinds[i] >= file->n_offsets) {
            return false;
        }
    }
    for (uint32_t i = 0; i < file->n_offsets; i++, at += 6) {
        offsets[i] = (int32_t) zone_big_endian(at, 4);
        if (offsets[i] < ZONE_WEST || offsets[i] > ZONE_EAST) {
            return false;
        }
    }
    *zone = (weir_zoneinfo_t) { .times = times, .kinds = kinds, .offsets = offsets, .n_times = file->n_times,
                                .n_offsets = file->n_offsets };
    file->rest = weir_str_skip(file->rest, zone_block_size(file, time_size));
    return true;
}

/* A line of its own behind the second block. */
static bool
zone_read_footer(weir_str_t rest, weir_zoneinfo_t *zone)
{
    weir_str_t text, behind;

    if (!zone_take(&rest, '\n') || !weir_str_cut(rest, '\n', &text, &behind)) {
        return false;
    }
    zone->has_rule = text.len != 0;
    return text.len == 0 || zone_read_rule(text, &zone->rule);
}

const weir_zoneinfo_t *
weir_zoneinfo_parse(weir_arena_t *arena, weir_str_t bytes, weir_error_t *error)
{
    zone_file_t      file = { .rest = bytes };
    weir_zoneinfo_t *zone = weir_new(arena, weir_zoneinfo_t);
    size_t           time_size = 4;

    if (!zone_read_head(&file)) {
        (void) weir_error_set(error, "it is not a file of the tz database");
        return NULL;
    }
    if (file.version >= '2' && file.rest.len >= zone_block_size(&file, 4)) {
        file.rest = weir_str_skip(file.rest, zone_block_size(&file, 4));
        time_size = zone_read_head(&file) ? 8 : 0;
    }
    if (time_size == 0 || bytes.len > WEIR_ZONEINFO_MAX || file.rest.len < zone_block_size(&file, time_size)
        || file.n_offsets == 0)
    {
        (void) weir_error_set(error, "the file is cut short or damaged");
        return NULL;
    }
    if (file.n_leaps != 0) {
        (void) weir_error_set(error,
                              "the file counts leap seconds, which Unix time does not: take the zone that is not below "
                              "\"right\"");
        return NULL;
    }
    if (!zone_read_block(arena, &file, time_size, zone) || (time_size == 8 && !zone_read_footer(file.rest, zone))) {
        (void) weir_error_set(error, "the file is damaged");
        return NULL;
    }
    return zone;
}
