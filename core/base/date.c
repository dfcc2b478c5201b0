/*
 * date.c - see date.h.  Any process, any thread.
 */
#include "base/date.h"

#include <string.h>

#define DATE_DAY   86400
#define DATE_FIRST (-62167219200)                  /* 0000-01-01 00:00:00 */
#define DATE_LAST  253402300799                    /* 9999-12-31 23:59:59 */

const char weir_date_days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
const char weir_date_months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
                                       "Dec" };

/* The year is thought to begin in March: the leap day is its last. */
int64_t
weir_date_to_days(int64_t year, unsigned month, unsigned day)
{
    int64_t  y = month <= 2 ? year - 1 : year;
    int64_t  era = (y >= 0 ? y : y - 399) / 400;
    unsigned of_era = (unsigned) (y - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    weir_assert(month >= 1 && month <= 12 && day >= 1 && day <= 31);
    return era * 146097 + (int64_t) (of_era * 365 + of_era / 4 - of_era / 100 + of_year) - 719468;
}

static void
date_from_days(int64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    int64_t  shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned of_era = (unsigned) (shifted - era * 146097);
    unsigned y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * y + y / 4 - y / 100);
    unsigned m = (5 * of_year + 2) / 153;

    *day = of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    weir_assert(*month >= 1 && *month <= 12 && *day >= 1 && *day <= 31);
    *year = (unsigned) ((int64_t) y + era * 400 + (*month <= 2));
}

static char *
date_digits(char *out, unsigned number, int width)
{
    for (int i = width; i-- > 0; number /= 10) {
        out[i] = (char) ('0' + number % 10);
    }
    weir_assert(number == 0);     /* the number has no more digits than there is room */
    return out + width;
}

void
weir_date_http(char *out, int64_t seconds)
{
    unsigned year, month, day;

    seconds = seconds < DATE_FIRST ? DATE_FIRST : seconds > DATE_LAST ? DATE_LAST : seconds;
    int64_t  days = (seconds >= 0 ? seconds : seconds - (DATE_DAY - 1)) / DATE_DAY;
    unsigned time = (unsigned) (seconds - days * DATE_DAY);
    date_from_days(days, &year, &month, &day);
    memcpy(out, weir_date_days[((days + 4) % 7 + 7) % 7], 3);
    memcpy(out + 3, ", ", 2);
    date_digits(out + 5, day, 2);
    out[7] = ' ';
    memcpy(out + 8, weir_date_months[month - 1], 3);
    out[11] = ' ';
    date_digits(out + 12, year, 4);
    out[16] = ' ';
    date_digits(out + 17, time / 3600, 2);
    out[19] = ':';
    date_digits(out + 20, time / 60 % 60, 2);
    out[22] = ':';
    date_digits(out + 23, time % 60, 2);
    memcpy(out + 25, " GMT", 4);
}

/* -- reading: by a shape of one character a byte: a literal, or
 *      w a letter of the day's name · M of the month's · D Y h m s a digit · p a digit or a space -- */

typedef struct { const char *shape; bool is_short_year; } date_form_t;

static const date_form_t date_forms[] = {
    { "www, DD MMM YYYY hh:mm:ss GMT", false },
    { "www MMM pD hh:mm:ss YYYY", false },
    { ", DD-MMM-YY hh:mm:ss GMT", true },              /* behind the whole name of a day */
};

typedef struct { unsigned day, year, hour, minute, second, month; char name[3]; unsigned n_name; } date_parts_t;

static bool
date_digit(unsigned *number, char c)
{
    if (c < '0' || c > '9') {
        return false;
    }
    *number = *number * 10 + (unsigned) (c - '0');
    return true;
}

static bool
date_step(date_parts_t *parts, char shape, char c)
{
    switch (shape) {
    case 'w': return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    case 'M': parts->name[parts->n_name++] = c; return true;
    case 'p': return c == ' ' || date_digit(&parts->day, c);
    case 'D': return date_digit(&parts->day, c);
    case 'Y': return date_digit(&parts->year, c);
    case 'h': return date_digit(&parts->hour, c);
    case 'm': return date_digit(&parts->minute, c);
    case 's': return date_digit(&parts->second, c);
    default:  return c == shape;
    }
}

static bool
date_match(weir_str_t text, const date_form_t *form, date_parts_t *parts)
{
    *parts = (date_parts_t) { .day = 0 };
    if (text.len != strlen(form->shape)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        /* "GMT" of the shape is itself: its M stands behind the time */
        if (form->shape[i] == 'M' && i > 0 && form->shape[i - 1] == 'G' ? text.at[i] != 'M'
            : !date_step(parts, form->shape[i], text.at[i]))
        {
            return false;
        }
    }
    if (form->is_short_year) {
        parts->year += parts->year < 70 ? 2000 : 1900;
    }
    for (parts->month = 1; parts->month <= 12; parts->month++) {
        if (memcmp(parts->name, weir_date_months[parts->month - 1], 3) == 0) {
            return true;
        }
    }
    return false;
}

static unsigned
date_days_of(unsigned year, unsigned month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    weir_assert(month >= 1 && month <= 12);
    return days[month - 1] + (month == 2 && is_leap ? 1u : 0u);
}

bool
weir_date_http_read(weir_str_t text, int64_t *seconds)
{
    date_parts_t parts;
    bool is_read = false;
    size_t name = 0;

    while (name < text.len && date_step(&parts, 'w', text.at[name])) {
        name++;
    }
    for (size_t i = 0; i < weir_countof(date_forms) && !is_read; i++) {
        weir_str_t rest = text;
        if (date_forms[i].is_short_year) {
            if (name < 6 || name > 9) {
                continue;
            }
            rest = weir_str_skip(text, name);
        }
        is_read = date_match(rest, &date_forms[i], &parts);
    }
    if (!is_read || parts.day < 1 || parts.day > date_days_of(parts.year, parts.month) || parts.hour > 23
        || parts.minute > 59 || parts.second > 60)
    {
        return false;
    }
    *seconds = weir_date_to_days(parts.year, parts.month, parts.day) * DATE_DAY + parts.hour * 3600 + parts.minute * 60
               + parts.second;
    return true;
}

/* -- RFC 3339 -- */

/* n digits, from low to high, which are cut off. */
static bool
date_cut_number(weir_str_t *text, size_t n, unsigned low, unsigned high, unsigned *value)
{
    *value = 0;
    if (text->len < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!date_digit(value, text->at[i])) {
            return false;
        }
    }
    *text = weir_str_skip(*text, n);
    return *value >= low && *value <= high;
}

/* A letter in any case. */
static bool
date_cut_char(weir_str_t *text, char c)
{
    bool is_there = text->len != 0 && (text->at[0] == c || (c >= 'a' && c <= 'z' && weir_char_lower(text->at[0]) == c));

    *text = is_there ? weir_str_skip(*text, 1) : *text;
    return is_there;
}

bool
weir_date_cut_day(weir_str_t *text, weir_date_day_t *day)
{
    return date_cut_number(text, 4, 0, 9999, &day->year) && date_cut_char(text, '-')
        && date_cut_number(text, 2, 1, 12, &day->month) && date_cut_char(text, '-')
        && date_cut_number(text, 2, 1, 31, &day->day) && day->day <= date_days_of(day->year, day->month);
}

/* A fraction of a second has as many digits as it likes. */
static bool
date_cut_fraction(weir_str_t *text)
{
    size_t   n = 0;
    unsigned ignored = 0;

    if (!date_cut_char(text, '.')) {
        return true;
    }
    while (n < text->len && date_digit(&ignored, text->at[n])) {
        n++;
    }
    *text = weir_str_skip(*text, n);
    return n != 0;
}

/* "Z", or hours and minutes ahead of UTC or behind it. */
static bool
date_cut_zone(weir_str_t *text, int *minutes)
{
    bool     is_ahead, is_behind;
    unsigned hour, minute;

    *minutes = 0;
    if (date_cut_char(text, 'z')) {
        return true;
    }
    is_ahead = date_cut_char(text, '+');
    is_behind = !is_ahead && date_cut_char(text, '-');
    if ((!is_ahead && !is_behind) || !date_cut_number(text, 2, 0, 23, &hour) || !date_cut_char(text, ':')
        || !date_cut_number(text, 2, 0, 59, &minute))
    {
        return false;
    }
    *minutes = (int) (hour * 60 + minute) * (is_behind ? -1 : 1);
    return true;
}

/* A leap second is one at the end of a day of UTC only. */
bool
weir_date_cut_time(weir_str_t *text, weir_date_time_t *time)
{
    if (!date_cut_number(text, 2, 0, 23, &time->hour) || !date_cut_char(text, ':')
        || !date_cut_number(text, 2, 0, 59, &time->minute) || !date_cut_char(text, ':')
        || !date_cut_number(text, 2, 0, 60, &time->second) || !date_cut_fraction(text)
        || !date_cut_zone(text, &time->zone))
    {
        return false;
    }
    return time->second < 60
        || ((int) (time->hour * 60 + time->minute) - time->zone + 2 * 24 * 60) % (24 * 60) == 23 * 60 + 59;
}

bool
weir_date_iso_read(weir_str_t text, int64_t *seconds)
{
    weir_date_day_t  day;
    weir_date_time_t time = { .hour = 0 };

    if (!weir_date_cut_day(&text, &day) || day.year < 1970) {
        return false;
    }
    if (text.len != 0 && (!date_cut_char(&text, 't') || !weir_date_cut_time(&text, &time) || text.len != 0)) {
        return false;
    }
    *seconds = weir_date_to_days(day.year, day.month, day.day) * DATE_DAY + time.hour * 3600 + time.minute * 60
             + time.second - time.zone * 60;
    return true;
}
