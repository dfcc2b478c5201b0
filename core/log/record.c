/*
 * record.c - the forms of an error log record: nginx's text, and JSON lines.
 *
 * Runs in every process; writes into the caller's buffer, allocates nothing.  Everything but names and levels is
 * escaped, and no value may take all the room: what a client made long must not hide its address.
 */
#define _GNU_SOURCE 1

#include "log/record.h"

#include "os/clock.h"

#include <unistd.h>

#define RECORD_MESSAGE_MAX 2048    /* bytes, escaped */
#define RECORD_VALUE_MAX   1024    /* of one field, escaped */

static size_t
record_room(const weir_buf_t *buf)
{
    return (size_t) (buf->end - buf->pos);
}

/* Appends at most `max` bytes; nothing where there is no room for a few. */
static void
record_add_escaped(weir_buf_t *buf, weir_log_escape_t form, weir_str_t s, bool cut, size_t max)
{
    weir_assert(buf->pos <= buf->end);
    max = (size_t) weir_min(max, record_room(buf));
    if (max < 3) {
        return;
    }
    buf->pos += weir_log_escape(form, buf->pos, max - 3, &s);
    if (cut || s.len != 0) {
        weir_buf_add_lit(buf, "...");
    }
}

/* --- text --- */

static void
record_add_text_field(weir_buf_t *buf, const weir_log_field_t *field)
{
    size_t name = strlen(field->name);

    if (record_room(buf) < name + 32) {
        return;
    }
    weir_buf_add_lit(buf, ", ");
    weir_buf_add(buf, field->name, name);
    weir_buf_add_lit(buf, ": ");
    if (field->is_number) {
        weir_buf_add_u64(buf, field->number);
        return;
    }
    if (!field->quoted) {
        record_add_escaped(buf, WEIR_LOG_ESCAPE_TEXT, field->value, false, RECORD_VALUE_MAX);
        return;
    }
    weir_buf_add_char(buf, '"');
    buf->end--;     /* for the quote that closes */
    record_add_escaped(buf, WEIR_LOG_ESCAPE_TEXT, field->value, false, RECORD_VALUE_MAX);
    buf->end++;
    weir_buf_add_char(buf, '"');
}

static void
record_add_level(weir_buf_t *buf, weir_log_level_t level)
{
    weir_buf_add_char(buf, '[');
    weir_buf_add_str(buf, weir_str_from_z(weir_log_level_name(level)));
    weir_buf_add_lit(buf, "] ");
}

static void
record_add_body(weir_buf_t *buf, const weir_log_record_t *record)
{
    size_t i;

    weir_assert(record->n_fields <= WEIR_LOG_MAX_FIELDS);
    record_add_escaped(buf, WEIR_LOG_ESCAPE_MESSAGE, record->message, record->cut, RECORD_MESSAGE_MAX);
    if (record->errnum != 0) {
        weir_buf_printf(buf, " (%d: %s)", record->errnum, strerror(record->errnum));
    }
    for (i = 0; i < record->n_fields; i++) {
        record_add_text_field(buf, &record->fields[i]);
    }
}

void
weir_log_record_text(weir_buf_t *buf, const weir_log_record_t *record)
{
    weir_buf_add_str(buf, weir_clock_log_date());
    weir_buf_add_char(buf, ' ');
    record_add_level(buf, record->level);
    weir_buf_add_u64(buf, (uint64_t) getpid());
    weir_buf_add_char(buf, '#');
    weir_buf_add_u64(buf, (uint64_t) gettid());
    weir_buf_add_lit(buf, ": ");
    if (record->connection != 0) {
        weir_buf_add_char(buf, '*');
        weir_buf_add_u64(buf, record->connection);
        weir_buf_add_char(buf, ' ');
    }
    record_add_body(buf, record);
}

void
weir_log_record_boot(weir_buf_t *buf, const weir_log_record_t *record)
{
    weir_buf_add_lit(buf, "weir: ");
    record_add_level(buf, record->level);
    record_add_body(buf, record);
}

/* --- JSON --- */

static void
record_add_json_name(weir_buf_t *buf, const char *name)
{
    weir_buf_add_lit(buf, ",\"");
    weir_buf_add(buf, name, strlen(name));
    weir_buf_add_lit(buf, "\":");
}

/* Whole or not at all. */
static void
record_add_json_number(weir_buf_t *buf, const char *name, uint64_t number)
{
    if (record_room(buf) >= strlen(name) + 32) {
        record_add_json_name(buf, name);
        weir_buf_add_u64(buf, number);
    }
}

static void
record_add_json_text(weir_buf_t *buf, const char *name, weir_str_t value, bool cut, size_t max)
{
    if (record_room(buf) < strlen(name) + 32) {
        return;
    }
    record_add_json_name(buf, name);
    weir_buf_add_char(buf, '"');
    buf->end--;
    record_add_escaped(buf, WEIR_LOG_ESCAPE_JSON, value, cut, max);
    buf->end++;
    weir_buf_add_char(buf, '"');
}

static void
record_add_json_time(weir_buf_t *buf)
{
    weir_str_t date = weir_clock_iso_date();
    size_t     zone = date.len - weir_min(date.len, sizeof("+00:00") - 1);
    unsigned   ms = (unsigned) (weir_clock_wall_ms() % 1000);

    weir_buf_printf(buf, "{\"time\":\"%.*s.%03u%.*s\"", (int) zone, date.at, ms,
                    WEIR_STR_ARG(weir_str_skip(date, zone)));
}

void
weir_log_record_json(weir_buf_t *buf, const weir_log_record_t *record)
{
    weir_str_t              level = weir_str_from_z(weir_log_level_name(record->level));
    const weir_log_field_t *field;
    size_t                  i;

    weir_assert(buf->pos < buf->end);
    buf->end--;     /* for the brace that closes */
    record_add_json_time(buf);
    record_add_json_text(buf, "level", level, false, RECORD_VALUE_MAX);
    record_add_json_number(buf, "pid", (uint64_t) getpid());
    if (record->connection != 0) {
        record_add_json_number(buf, "connection", record->connection);
    }
    record_add_json_text(buf, "message", record->message, record->cut, RECORD_MESSAGE_MAX);
    if (record->errnum != 0) {
        record_add_json_number(buf, "errno", (uint64_t) record->errnum);
        record_add_json_text(buf, "error", weir_str_from_z(strerror(record->errnum)), false, RECORD_VALUE_MAX);
    }
    for (i = 0; i < record->n_fields; i++) {
        field = &record->fields[i];
        if (field->is_number) {
            record_add_json_number(buf, field->name, field->number);
        } else {
            record_add_json_text(buf, field->name, field->value, false, RECORD_VALUE_MAX);
        }
    }
    buf->end++;
    weir_buf_add_char(buf, '}');
}
