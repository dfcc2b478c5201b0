/*
 * log.c - levels, the process's log, and a record's way from the message and its context to every sink.
 *
 * Runs in every process, allocates nothing: it must work when there is no memory.
 */
#include "log/log.h"

#include "log/record.h"
#include "os/sys.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LOG_MAX_CONTEXTS 8

/* Until there is a configuration people stand before the terminal: they get the short form. */
static weir_log_sink_t log_boot_sink = { .kind = WEIR_LOG_TO_STDERR, .level = WEIR_LOG_NOTICE, .fd = STDERR_FILENO };

static weir_log_level_t log_raised = WEIR_LOG_EMERG;

weir_log_t weir_log_main = { .sinks = &log_boot_sink, .level = WEIR_LOG_NOTICE };

static const char *const log_levels[] = { "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug" };

static const char *const log_facilities[] = {
    "kern", "user", "mail", "daemon", "auth", "intern", "lpr", "news", "uucp", "clock", "authpriv", "ftp",
    "ntp", "audit", "alert", "cron", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
};

const char *
weir_log_level_name(weir_log_level_t level)
{
    weir_assert((unsigned) level < weir_countof(log_levels));
    return log_levels[level];
}

static bool
log_find_name(const char *const *names, size_t n, weir_str_t name, size_t *found)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (weir_str_eq(name, weir_str_from_z(names[i]))) {
            *found = i;
            return true;
        }
    }
    return false;
}

bool
weir_log_level_parse(weir_str_t name, weir_log_level_t *level)
{
    size_t i;

    if (!log_find_name(log_levels, weir_countof(log_levels), name, &i)) {
        return false;
    }
    *level = (weir_log_level_t) i;
    return true;
}

bool
weir_log_facility_parse(weir_str_t name, int *facility)
{
    size_t i;

    if (!log_find_name(log_facilities, weir_countof(log_facilities), name, &i)) {
        return false;
    }
    *facility = (int) i;
    return true;
}

static void
log_panic(const char *text)
{
    weir_log_write(WEIR_LOG_ALERT, NULL, 0, "%s", text);
}

void
weir_log_use(weir_log_sink_t *sinks)
{
    weir_log_sink_t *sink;
    weir_log_level_t level = WEIR_LOG_EMERG;

    weir_panic_hook = sinks != NULL ? log_panic : NULL;     /* the boot sink would say it twice */
    if (sinks == NULL) {
        sinks = &log_boot_sink;
    }
    for (sink = sinks; sink != NULL; sink = sink->next) {
        if (sink->level > level) {
            level = sink->level;
        }
    }
    weir_log_main = (weir_log_t) { .sinks = sinks, .level = level > log_raised ? level : log_raised };
}

void
weir_log_raise(weir_log_level_t level)
{
    log_raised = level;
    weir_log_use(weir_log_main.sinks == &log_boot_sink ? NULL : weir_log_main.sinks);
}

/* Those of the nearest context that has some. */
static weir_log_sink_t *
log_sinks(const weir_log_context_t *context)
{
    for (; context != NULL; context = context->parent) {
        if (context->sinks != NULL) {
            return context->sinks;
        }
    }
    return weir_log_main.sinks;
}

/* Outermost first, as nginx has it: client and server before request and upstream. */
static void
log_gather(weir_log_record_t *record, const weir_log_context_t *context)
{
    const weir_log_context_t *stack[LOG_MAX_CONTEXTS];
    size_t                    n = 0, room;

    for (; context != NULL && n < LOG_MAX_CONTEXTS; context = context->parent) {
        stack[n++] = context;
        if (record->connection == 0) {
            record->connection = context->connection;
        }
    }
    while (n-- != 0) {
        room = WEIR_LOG_MAX_FIELDS - record->n_fields;
        if (stack[n]->fields != NULL && room != 0) {
            record->n_fields += stack[n]->fields(stack[n], record->fields + record->n_fields, room);
            weir_assert(record->n_fields <= WEIR_LOG_MAX_FIELDS);
        }
    }
}

static void
log_send_record(weir_log_sink_t *sink, const weir_log_record_t *record)
{
    char       room[WEIR_LOG_RECORD - 1];   /* the newline is weir_log_send's */
    weir_buf_t buf;

    weir_buf_init(&buf, room, sizeof(room));
    if (sink->json) {
        weir_log_record_json(&buf, record);
    } else if (sink == &log_boot_sink) {
        weir_log_record_boot(&buf, record);
    } else {
        weir_log_record_text(&buf, record);
    }
    weir_log_send(sink, record->level, weir_buf_str(&buf));
}

static char log_last_emerg[1000];

/* Kept without its time and fields. */
static void
log_keep(const weir_log_record_t *record)
{
    int len = snprintf(log_last_emerg, sizeof(log_last_emerg), "%.*s", WEIR_STR_ARG(record->message));

    if (record->errnum != 0 && len > 0 && (size_t) len < sizeof(log_last_emerg)) {
        (void) snprintf(log_last_emerg + len, sizeof(log_last_emerg) - (size_t) len, " (%d: %s)", record->errnum,
                        strerror(record->errnum));
    }
}

const char *
weir_log_last_emerg(void)
{
    return log_last_emerg;
}

void
weir_log_write(weir_log_level_t level, const weir_log_context_t *context, int errnum, const char *fmt, ...)
{
    weir_log_record_t record;
    weir_log_sink_t  *sink;
    char              message[2048];
    va_list           args;
    int               n, saved = errno;

    record.level = level;
    record.errnum = errnum;
    record.connection = 0;
    record.n_fields = 0;
    va_start(args, fmt);
    n = vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    record.cut = n >= (int) sizeof(message);
    record.message = weir_str(message, n < 0 ? 0 : record.cut ? sizeof(message) - 1 : (size_t) n);
    weir_assert(record.message.len < sizeof(message));
    log_gather(&record, context);
    if (weir_unlikely(level == WEIR_LOG_EMERG)) {
        log_keep(&record);
    }

    for (sink = log_sinks(context); sink != NULL; sink = sink->next) {
        if (level <= sink->level) {
            log_send_record(sink, &record);
        }
    }
    errno = saved;
}
