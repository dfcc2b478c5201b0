/*
 * log.h - the error log: a constant message with typed fields, and what the record is about inherited from its context.
 *
 * Each process writes by itself with one write() a record.  Levels and sinks are of the generation and swapped with it;
 * USR1 reopens files.  Bytes from clients and peers are escaped so that one record is one line.
 */
#ifndef WEIR_LOG_LOG_H
#define WEIR_LOG_LOG_H

#include "base/str.h"
#include "os/addr.h"

typedef enum {
    WEIR_LOG_EMERG, WEIR_LOG_ALERT, WEIR_LOG_CRIT, WEIR_LOG_ERROR,
    WEIR_LOG_WARN, WEIR_LOG_NOTICE, WEIR_LOG_INFO, WEIR_LOG_DEBUG
} weir_log_level_t;

/* One place records go to. */
typedef struct weir_log_sink {
    struct weir_log_sink *next;
    enum { WEIR_LOG_TO_FILE, WEIR_LOG_TO_STDERR, WEIR_LOG_TO_SYSLOG } kind;
    weir_str_t       path;          /* file path; or the syslog server: "unix:/dev/log", "host:port" */
    weir_log_level_t level;
    bool             json;          /* JSON lines instead of nginx's text */
    int              fd;            /* -1: not open */
    int              facility;      /* syslog; WEIR_LOG_LOCAL7 unless told otherwise */
    weir_str_t       tag;           /* syslog; "weir" when empty */
    bool             no_hostname;   /* syslog: records do not name this machine */
    weir_addr_t      peer;          /* syslog: where to, set by weir_log_open */
    struct weir_log_file *file;     /* a file that files.h holds; NULL: fd is its own */
    bool             torn;          /* the last record was written in part only: the next one starts a new line */
} weir_log_sink_t;

#define WEIR_LOG_LOCAL7 23          /* RFC 3164 §4.1.1 */
#define WEIR_LOG_RECORD 4096        /* bytes of a record at most; longer ones are cut */

typedef struct weir_log_field {
    const char *name;
    weir_str_t  value;
    uint64_t    number;
    bool        is_number, quoted;  /* text form writes quoted values between "" */
} weir_log_field_t;

/* What a record is about: a connection, a request.  `fields` appends its own and returns how many it wrote (<= max). */
typedef struct weir_log_context {
    const struct weir_log_context *parent;
    size_t (*fields)(const struct weir_log_context *context, weir_log_field_t *out, size_t max);
    uint64_t connection;             /* printed "*N"; 0: none */
    weir_log_sink_t *sinks;          /* in place of the process's; NULL: those of the parent, or the process's */
} weir_log_context_t;

typedef struct { weir_log_sink_t *sinks; weir_log_level_t level; /* the most verbose of the sinks */ } weir_log_t;

/* The process's log; never NULL; before configuration it is stderr at notice. */
extern weir_log_t weir_log_main;

void weir_log_use(weir_log_sink_t *sinks);          /* borrowed until the next call; opens nothing */
/* There are sinks of contexts, the most verbose of this level. */
void weir_log_raise(weir_log_level_t level);
bool weir_log_open(weir_log_sink_t *sink, const char **why) WEIR_MUST_USE;   /* errno too */
void weir_log_reopen(weir_log_sink_t *sinks);       /* files only; keeps the old descriptor when the new one fails */
void weir_log_close(weir_log_sink_t *sinks);

static inline bool weir_log_on(weir_log_level_t level) { return level <= weir_log_main.level; }

/* errnum != 0 appends "(2: No such file or directory)".  context may be NULL. */
void weir_log_write(weir_log_level_t level, const weir_log_context_t *context, int errnum, const char *fmt, ...)
    WEIR_PRINTF(4, 5);

/* What this process said last at that level, for the process that started it; "": nothing. */
const char *weir_log_last_emerg(void);

#define weir_log(level, context, errnum, ...)                                        \
    do {                                                                             \
        if (weir_log_on(level)) {                                                    \
            weir_log_write((level), (context), (errnum), __VA_ARGS__);               \
        }                                                                            \
    } while (0)

#ifdef WEIR_DEBUG
#define weir_debug(context, ...) weir_log(WEIR_LOG_DEBUG, context, 0, __VA_ARGS__)
#else
#define weir_debug(context, ...) ((void) 0)
#endif

/* Names as in error_log's level argument. */
const char *weir_log_level_name(weir_log_level_t level);
bool weir_log_level_parse(weir_str_t name, weir_log_level_t *level) WEIR_MUST_USE;
bool weir_log_facility_parse(weir_str_t name, int *facility) WEIR_MUST_USE;   /* "kern" … "local7" */

/* One record that is ready, without its newline, to one open sink: also for access logs.  Cut at WEIR_LOG_RECORD.  What
 * cannot be written at once (full disk, sleeping reader, no syslog) is dropped and counted. */
void weir_log_send(weir_log_sink_t *sink, weir_log_level_t level, weir_str_t record);
extern uint64_t weir_log_dropped;

/* Escapes into out: printable ASCII stays; '"', '\\' and the rest become \xHH (text) or JSON escapes; valid UTF-8
 * stays in JSON, and a byte 0xHH that is none becomes \uEFHH (private use), so that it can be told and undone.
 * Returns bytes written, at most cap (whole escapes only). */
size_t weir_log_escape_text(char *out, size_t cap, weir_str_t s);
size_t weir_log_escape_json(char *out, size_t cap, weir_str_t s);

#endif
