/*
 * calls.c - see calls.h.  Runs in a tool.  The memory is another process's, which is not believed; names came from
 * clients, so their controls and high bytes are shown escaped.
 */
#include "tool/calls.h"

#include "base/mem.h"
#include "http/record/calls.h"
#include "tool/attach.h"
#include "tool/running.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALLS_PARTS 4

enum { CALLS_SERVER, CALLS_PLACE, CALLS_API, CALLS_CONSUMER };

typedef struct {
    char     room[WEIR_TALLY_TEXT];          /* the parts, one character between two */
    size_t   len[CALLS_PARTS];
    uint64_t count;
    uint32_t day;
} calls_row_t;

typedef struct {
    weir_str_t   wanted;                     /* a place, an API, or NAME/VERSION of one; empty: all */
    calls_row_t *rows;
    size_t       n, room;
    bool         json;
} calls_t;

/* -- rows -- */

static weir_str_t
calls_part(const calls_row_t *row, size_t which)
{
    size_t at = 0;

    for (size_t i = 0; i < which; i++) {
        at += row->len[i] + 1;
    }
    return weir_str(row->room + at, row->len[which]);
}

static bool
calls_is_wanted(const calls_t *calls, const calls_row_t *row)
{
    weir_str_t api, version;

    (void) weir_str_cut(calls_part(row, CALLS_API), '/', &api, &version);
    return calls->wanted.len == 0 || weir_str_eq(calls->wanted, calls_part(row, CALLS_PLACE))
        || weir_str_eq(calls->wanted, calls_part(row, CALLS_API)) || weir_str_eq(calls->wanted, api);
}

static calls_row_t *
calls_push(calls_t *calls)
{
    if (calls->n == calls->room) {
        size_t       room = calls->room != 0 ? 2 * calls->room : 64;
        calls_row_t *grown = weir_mem_need(room * sizeof(*grown));

        if (calls->n != 0) {
            memcpy(grown, calls->rows, calls->n * sizeof(*grown));
        }
        weir_mem_free(calls->rows);
        calls->rows = grown;
        calls->room = room;
    }
    return &calls->rows[calls->n++];
}

/* A text with fewer parts is no row of ours. */
static bool
calls_split(calls_row_t *row, weir_str_t text)
{
    weir_str_t part, rest = text;

    memcpy(row->room, text.at, text.len);
    for (size_t i = 0; i < CALLS_PARTS - 1; i++) {
        if (!weir_str_cut(rest, WEIR_CALLS_SEPARATOR, &part, &rest)) {
            return false;
        }
        row->len[i] = part.len;
    }
    row->len[CALLS_PARTS - 1] = rest.len;
    return true;
}

static void
calls_on_row(void *data, weir_str_t text, uint64_t count, uint32_t day)
{
    calls_t     *calls = data;
    calls_row_t *row = calls_push(calls);

    row->count = count;
    row->day = day;
    if (count == 0 || !calls_split(row, text) || !calls_is_wanted(calls, row)) {
        calls->n--;
    }
}

static void
calls_on_zone(void *data, const weir_zone_head_t *head, const weir_zone_kind_t *kind, const void *memory)
{
    if (kind == &weir_calls_zone) {
        (void) !weir_tally_read(memory, head->size, calls_on_row, data);
    }
}

static int
calls_compare_text(weir_str_t a, weir_str_t b)
{
    int order = memcmp(a.at, b.at, weir_min(a.len, b.len));

    return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

/* By place; the consumer that calls most comes first. */
static int
calls_compare(const void *a_, const void *b_)
{
    const calls_row_t *a = a_, *b = b_;

    for (size_t i = 0; i < CALLS_CONSUMER; i++) {
        int order = calls_compare_text(calls_part(a, i), calls_part(b, i));

        if (order != 0) {
            return order;
        }
    }
    if (a->count != b->count) {
        return a->count > b->count ? -1 : 1;
    }
    return calls_compare_text(calls_part(a, CALLS_CONSUMER), calls_part(b, CALLS_CONSUMER));
}

/* -- showing -- */

static const char *
calls_day(const calls_row_t *row, char room[16])
{
    time_t    at = (time_t) row->day * 86400;
    struct tm t;

    if (gmtime_r(&at, &t) == NULL || strftime(room, 16, "%Y-%m-%d", &t) == 0) {
        return "-";
    }
    return room;
}

static bool
calls_is_others(const calls_row_t *row)
{
    return weir_str_eq(calls_part(row, CALLS_CONSUMER), WEIR_STR(WEIR_CALLS_OTHERS));
}

/* Escaped, and blanks up to that width. */
static void
calls_show_text(weir_str_t text, int width)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t) text.at[i];

        width -= c < 0x20 || c >= 0x7f || c == '\\' ? printf("\\x%02x", c) : printf("%c", c);
    }
    printf("%*s ", width > 0 ? width : 0, "");
}

static weir_str_t
calls_or(weir_str_t text, weir_str_t instead)
{
    return text.len != 0 ? text : instead;
}

static void
calls_show(const calls_t *calls)
{
    char day[16];

    printf("%-20s %-20s %-20s %-24s %12s %s\n", "SERVER", "PLACE", "API", "CONSUMER", "CALLS", "LAST");
    for (size_t i = 0; i < calls->n; i++) {
        const calls_row_t *row = &calls->rows[i];
        weir_str_t         consumer = calls_or(calls_part(row, CALLS_CONSUMER), WEIR_STR("anonymous"));

        calls_show_text(calls_or(calls_part(row, CALLS_SERVER), WEIR_STR("-")), 20);
        calls_show_text(calls_or(calls_part(row, CALLS_PLACE), WEIR_STR("-")), 20);
        calls_show_text(calls_or(calls_part(row, CALLS_API), WEIR_STR("-")), 20);
        calls_show_text(calls_is_others(row) ? WEIR_STR("(others)") : consumer, 24);
        printf("%12llu %s\n", (unsigned long long) row->count, calls_day(row, day));
    }
}

/* What is not UTF-8 is shown as '?'. */
static json_t *
calls_text(weir_str_t text)
{
    json_t *value = json_stringn(text.at, text.len);
    char    plain[WEIR_TALLY_TEXT];

    if (value != NULL) {
        return value;
    }
    for (size_t i = 0; i < text.len; i++) {
        plain[i] = (uint8_t) text.at[i] < 0x80 ? text.at[i] : '?';
    }
    return json_stringn(plain, text.len);
}

static json_t *
calls_json_row(const calls_row_t *row)
{
    weir_str_t consumer = calls_part(row, CALLS_CONSUMER), api, version;
    json_t    *told = json_object();
    char       day[16];

    (void) weir_str_cut(calls_part(row, CALLS_API), '/', &api, &version);
    (void) json_object_set_new(told, "server", calls_text(calls_part(row, CALLS_SERVER)));
    (void) json_object_set_new(told, "place", calls_text(calls_part(row, CALLS_PLACE)));
    if (api.len != 0) {
        (void) json_object_set_new(told, "api", calls_text(api));
        (void) json_object_set_new(told, "version", calls_text(version));
    }
    (void) json_object_set_new(told, "consumer",
                               consumer.len == 0 || calls_is_others(row) ? json_null() : calls_text(consumer));
    (void) json_object_set_new(told, "others", json_boolean(calls_is_others(row)));
    (void) json_object_set_new(told, "calls", json_integer((json_int_t) weir_min(row->count, (uint64_t) INT64_MAX)));
    (void) json_object_set_new(told, "last", json_string(calls_day(row, day)));
    return told;
}

static void
calls_show_json(const calls_t *calls)
{
    json_t *list = json_array(), *all = json_pack("{s:o}", "calls", list);

    for (size_t i = 0; i < calls->n; i++) {
        (void) json_array_append_new(list, calls_json_row(&calls->rows[i]));
    }
    (void) json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

/* -- the tool -- */

static bool
calls_read_args(calls_t *calls, char *const *argv)
{
    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, "--json") == 0) {
            calls->json = true;
        } else if (calls->wanted.len != 0 || **argv == '\0' || strncmp(*argv, "--", 2) == 0) {
            fprintf(stderr, "weir: \"consumer calls\" does not take \"%s\": expected a place, or an API's name or "
                            "NAME/VERSION, and --json\n", *argv);
            return false;
        } else {
            calls->wanted = weir_str_from_z(*argv);
        }
    }
    return true;
}

int
weir_tool_calls(const weir_settings_t *settings, char *const *argv)
{
    weir_error_t error = { .text = "" };
    calls_t      calls = { .n = 0 };
    pid_t        pid;

    if (!calls_read_args(&calls, argv) || !weir_running_serving(settings->pid_file, &pid)) {
        return 1;
    }
    if (!weir_attach_zones(pid, calls_on_zone, &calls, &error)) {
        fprintf(stderr, "weir: %s\n", error.text);
        weir_mem_free(calls.rows);
        return 1;
    }
    if (calls.n != 0) {
        qsort(calls.rows, calls.n, sizeof(*calls.rows), calls_compare);
    }
    if (calls.json) {
        calls_show_json(&calls);
    } else {
        calls_show(&calls);
    }
    weir_mem_free(calls.rows);
    return 0;
}
