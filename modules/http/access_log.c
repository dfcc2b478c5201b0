/*
 * access_log.c - one line per request: log_format, and access_log to files (by way of core/log/files) or syslog.
 *
 * Formats are templates, compiled at load.  A worker composes a record in the request's arena and hands it to the
 * file's buffer: no system call.  Bytes from clients and peers are escaped as the format says, so that one record is
 * one line.
 */
#include "http/module.h"

#include "base/buf.h"
#include "conf/core.h"
#include "config.h"
#include "log/files.h"
#include "log/named.h"
#include "os/clock.h"

#include <errno.h>
#include <string.h>

#define ACCESS_OPTIONS  "buffer=, gzip, flush= or if="
#define ACCESS_PATH_MAX 4096
#define ACCESS_COMBINED "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent " \
                        "\"$http_referer\" \"$http_user_agent\""

typedef enum { ACCESS_ESCAPE_DEFAULT, ACCESS_ESCAPE_JSON, ACCESS_ESCAPE_NONE } access_escape_t;

typedef struct {
    weir_str_t             name;
    const weir_template_t *text;
    access_escape_t        escape;
} access_format_t;

typedef struct { access_format_t *at; size_t n; } access_formats_t;

/* One access_log. */
typedef struct {
    weir_conf_words_t      words;
    weir_str_t             format_name, path;
    weir_log_file_pace_t   pace;
    bool                   is_plain;       /* no buffer: access_log_flush says how long a line may wait */
    const weir_template_t *condition;      /* NULL: always */
    const weir_template_t *name;           /* a path with variables; NULL: it has none */
    weir_log_sink_t       *sink;           /* syslog; NULL: a file */
    weir_log_level_t       severity;
    /* from .check */
    const access_format_t *format;
    weir_log_file_t       *file;
} access_log_t;

typedef struct { access_log_t *at; size_t n; bool off; } access_logs_t;

typedef struct {
    access_formats_t formats;
    access_logs_t    logs;
    weir_log_names_conf_t kept;            /* open_log_file_cache */
    weir_msec_t      flush;
} access_conf_t;

/* -- log_format -- */

static const access_format_t *
access_find_format(const access_formats_t *formats, weir_str_t name)
{
    for (size_t i = 0; i < formats->n; i++) {
        if (weir_str_eq(formats->at[i].name, name)) {
            return &formats->at[i];
        }
    }
    return NULL;
}

static bool
access_read_escape(weir_conf_t *cf, weir_str_t name, access_escape_t *escape)
{
    if (weir_str_eq(name, WEIR_STR("default"))) {
        *escape = ACCESS_ESCAPE_DEFAULT;
    } else if (weir_str_eq(name, WEIR_STR("json"))) {
        *escape = ACCESS_ESCAPE_JSON;
    } else if (weir_str_eq(name, WEIR_STR("none"))) {
        *escape = ACCESS_ESCAPE_NONE;
    } else {
        return weir_conf_invalid(cf, 2, "escape=default, escape=json or escape=none");
    }
    return true;
}

static bool
access_parse_format(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    access_format_t format = { .name = words->at[1].text };
    size_t first = 2;

    (void) row;
    if (weir_str_eq(format.name, WEIR_STR("combined")) || access_find_format(field, format.name) != NULL) {
        return weir_conf_error(cf, 1, "duplicate \"log_format\" name \"%.*s\"", WEIR_STR_ARG(format.name));
    }
    if (weir_str_starts(words->at[2].text, WEIR_STR("escape="))) {
        if (!access_read_escape(cf, weir_str_skip(words->at[2].text, 7), &format.escape)) {
            return false;
        }
        first = 3;
    }
    format.text = weir_conf_template_of_words(cf, words, first);
    if (format.text == NULL) {
        return false;
    }
    *(access_format_t *) weir_conf_list_push(cf, field, sizeof(format)) = format;
    return true;
}

static const weir_conf_type_t access_type_formats = {
    .name = "name [escape=default | json | none] string ...", .size = sizeof(access_formats_t), .min_args = 2,
    .max_args = 255, .repeats = true, .parse = access_parse_format, .item = sizeof(access_format_t),
};

/* -- access_log -- */

static bool
access_read_option(weir_conf_t *cf, access_log_t *log, size_t i, bool *has_buffer)
{
    weir_str_t word = log->words.at[i].text, name, value;
    weir_bytes_t size;

    bool has_value = weir_str_cut(word, '=', &name, &value);
    if (log->sink == NULL && log->name == NULL && weir_str_eq(name, WEIR_STR("gzip"))) {
        uint32_t level = 1;

        log->pace.gzip = has_value && (!weir_conf_read_u32(value, &level) || level == 0 || level > 9) ? 0 : (int) level;
        return log->pace.gzip != 0 || weir_conf_invalid(cf, i, "gzip or gzip=1 to gzip=9");
    }
    if (!has_value) {
        return weir_conf_invalid(cf, i, ACCESS_OPTIONS);
    }
    if (weir_str_eq(name, WEIR_STR("if"))) {
        log->condition = weir_conf_template(cf, i, value);
        return log->condition != NULL;
    }
    if (log->sink == NULL && log->name == NULL && weir_str_eq(name, WEIR_STR("buffer"))) {
        if (!weir_conf_read_bytes(value, &size) || size.n == 0 || size.n > (1u << 30)) {
            return weir_conf_invalid(cf, i, "a size such as buffer=32k");
        }
        *has_buffer = true;
        log->pace.size = (size_t) size.n;
        return true;
    }
    if (log->sink == NULL && log->name == NULL && weir_str_eq(name, WEIR_STR("flush"))) {
        return (weir_conf_read_msec(value, &log->pace.interval) && log->pace.interval.ms != 0)
               || weir_conf_invalid(cf, i, "a time such as flush=5s");
    }
    return weir_conf_invalid(cf, i, log->sink == NULL && log->name == NULL ? ACCESS_OPTIONS : "if=");
}

static bool
access_read_options(weir_conf_t *cf, access_log_t *log)
{
    bool has_buffer = false, has_flush;
    int gzip;

    log->pace.interval.ms = 0;
    for (size_t i = 3; i < log->words.n; i++) {
        if (!access_read_option(cf, log, i, &has_buffer)) {
            return false;
        }
    }
    has_flush = log->pace.interval.ms != 0;
    gzip = log->pace.gzip;
    if (gzip != 0 && !has_buffer) {
        has_buffer = true;                       /* nothing is compressed a line at a time */
        log->pace.size = WEIR_LOG_FILE_BUFFER;
    }
    if (has_flush && !has_buffer) {
        return weir_conf_error(cf, 1, "no \"buffer\" is given for the access_log \"%.*s\" that has a \"flush\"",
                               WEIR_STR_ARG(log->words.at[1].text));
    }
    if (!has_buffer) {
        log->pace = (weir_log_file_pace_t) { .size = WEIR_LOG_FILE_BUFFER };
        log->is_plain = true;
    } else if (!has_flush) {
        log->pace.interval.ms = WEIR_LOG_FILE_NEVER;
    }
    return true;
}

static bool
access_parse_log(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    access_logs_t *logs = field;
    access_log_t log = { .words = *words, .severity = WEIR_LOG_INFO };
    weir_str_t target = words->at[1].text;

    (void) row;
    if (weir_str_eq(target, WEIR_STR("off"))) {
        logs->off = true;
        return words->n == 2 || weir_conf_invalid(cf, 2, "nothing after off");
    }
    if (weir_str_starts(target, WEIR_STR("syslog:"))) {
        log.sink = weir_new(cf->arena, weir_log_sink_t);
        log.sink->fd = -1;
        if (!weir_core_read_syslog(cf, log.sink, weir_str_skip(target, 7), &log.severity)) {
            return false;
        }
    } else if (target.len == 0) {
        return weir_conf_invalid(cf, 1, "a path, syslog:server=address or off");
    } else if (weir_conf_has_variables(cf, 1, target)) {
        log.name = weir_conf_template(cf, 1, weir_conf_full_path(cf, target));
        if (log.name == NULL) {
            return false;
        }
    } else {
        log.path = weir_conf_full_path(cf, target);
    }
    log.format_name = words->n > 2 ? words->at[2].text : WEIR_STR("combined");
    if (!access_read_options(cf, &log)) {
        return false;
    }
    *(access_log_t *) weir_conf_list_push(cf, field, sizeof(log)) = log;
    return true;
}

static const weir_conf_type_t access_type_logs = {
    .name = "path [format [buffer=size] [gzip[=level]] [flush=time] [if=condition]] | "
            "syslog:server=address[,parameter=value] "
            "[format [if=condition]] | off",
    .size = sizeof(access_logs_t), .min_args = 1, .max_args = 6, .repeats = true, .parse = access_parse_log,
    .item = sizeof(access_log_t),
};

/* -- after reading -- */

static void
access_give_back(void *data)
{
    weir_log_file_give_back(data);
}

static void
access_close(void *data)
{
    weir_log_close(data);
}

/* The master opens files while it may; a worker is given them, and opens by itself what it was not. */
static bool
access_open(weir_conf_t *cf, access_log_t *log)
{
    const char *why = "";

    weir_assert(log->file == NULL);
    if (log->sink != NULL) {
        if (!weir_log_open(log->sink, &why)) {
            return weir_conf_error_at(cf, &log->words, "syslog \"%.*s\": %s", WEIR_STR_ARG(log->sink->path), why);
        }
        weir_arena_on_cleanup(cf->arena, access_close, log->sink);
        return true;
    }
    if (log->name != NULL) {
        return true;
    }
    log->file = weir_log_file_take(log->path);
    weir_arena_on_cleanup(cf->arena, access_give_back, log->file);
    if (weir_bundle_makes(cf->bundle) && !weir_log_file_open(log->file)) {
        return weir_conf_error_at(cf, &log->words, "open() \"%.*s\" failed (%d: %s)", WEIR_STR_ARG(log->path), errno,
                                  strerror(errno));
    }
    return true;
}

static const access_format_t *
access_combined(weir_conf_t *cf)
{
    access_format_t *format = weir_new(cf->arena, access_format_t);

    format->name = WEIR_STR("combined");
    format->text = weir_conf_template(cf, 0, WEIR_STR(ACCESS_COMBINED));
    return format->text == NULL ? NULL : format;
}

static bool
access_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf)
{
    access_conf_t *access = conf;

    (void) block;
    for (size_t i = 0; i < access->logs.n && !access->logs.off; i++) {
        access_log_t *log = &access->logs.at[i];
        bool is_combined = weir_str_eq(log->format_name, WEIR_STR("combined"));

        if (log->format != NULL) {
            continue;                                /* the same list was seen in an outer block */
        }
        log->format = is_combined ? access_combined(cf) : access_find_format(&access->formats, log->format_name);
        if (log->format == NULL) {
            return weir_conf_error_at(cf, &log->words, "unknown log format \"%.*s\"", WEIR_STR_ARG(log->format_name));
        }
        if (log->is_plain) {
            log->pace.interval = access->flush;
        }
        if (!access_open(cf, log)) {
            return false;
        }
    }
    return true;
}

static bool
access_enabled(const void *conf, weir_phase_t phase)
{
    const access_logs_t *logs = &((const access_conf_t *) conf)->logs;

    (void) phase;
    return !logs->off && logs->n != 0;
}

/* -- requests -- */

/* What a byte becomes at most. */
static const uint8_t access_growth[] = {
    [ACCESS_ESCAPE_DEFAULT] = 4, [ACCESS_ESCAPE_JSON] = 6, [ACCESS_ESCAPE_NONE] = 1,
};

static size_t
access_add(char *out, size_t room, weir_str_t value, access_escape_t escape)
{
    switch (escape) {
    case ACCESS_ESCAPE_DEFAULT:
        return weir_log_escape_text(out, room, value);
    case ACCESS_ESCAPE_JSON:
        return weir_log_escape_json(out, room, value);
    case ACCESS_ESCAPE_NONE:
        break;
    }
    if (value.len != 0) {
        memcpy(out, value.at, value.len);
    }
    return value.len;
}

/* The record with its newline; WEIR_STR_NONE when there is no memory for it. */
static weir_str_t
access_compose(const access_format_t *format, weir_request_t *req)
{
    const weir_template_t *text = format->text;
    weir_str_t *values = weir_alloc(&req->arena, sizeof(*values) * (text->n + 1));
    size_t room = 1;
    char *out, *at;

    weir_assert(format->text != NULL && format->escape < weir_countof(access_growth));
    for (size_t i = 0; i < text->n; i++) {
        const weir_template_part_t *part = &text->parts[i];

        values[i] = part->literal;
        if (part->ref.row == NULL) {
            room += values[i].len;
        } else if (weir_request_get(req, &part->ref, &values[i])) {
            room += values[i].len * access_growth[format->escape];
        } else {
            values[i] = format->escape == ACCESS_ESCAPE_DEFAULT ? WEIR_STR("-") : WEIR_STR("");
            room += 1;
        }
    }
    out = at = weir_try_alloc(&req->arena, room);
    if (out == NULL) {
        return WEIR_STR_NONE;
    }
    for (size_t i = 0; i < text->n; i++) {
        bool is_literal = text->parts[i].ref.row == NULL;
        at += access_add(at, room - (size_t) (at - out), values[i], is_literal ? ACCESS_ESCAPE_NONE : format->escape);
    }
    weir_assert((size_t) (at - out) < room);
    *at++ = '\n';
    return weir_str(out, (size_t) (at - out));
}

/* A condition that cannot be worked out hides nothing. */
static bool
access_is_wanted(const access_log_t *log, weir_request_t *req)
{
    weir_str_t value;

    if (log->condition == NULL) {
        return true;
    }
    req->failed_value = WEIR_CAUSE_NONE;
    value = weir_request_eval(req, log->condition);
    return req->failed_value != WEIR_CAUSE_NONE || (value.len != 0 && !weir_str_eq(value, WEIR_STR("0")));
}

/* What variables brought leads nowhere else: no NUL, and of ".." only what the operator wrote. */
static bool
access_name_is_good(const access_log_t *log, weir_str_t path)
{
    weir_str_t rest = path, segment;
    size_t dots = 0, own = 0;

    for (bool more = true; more; ) {
        more = weir_str_cut(rest, '/', &segment, &rest);
        dots += weir_str_eq(segment, WEIR_STR(".."));
    }
    rest = log->name->source;
    for (bool more = true; more; ) {
        more = weir_str_cut(rest, '/', &segment, &rest);
        own += weir_str_eq(segment, WEIR_STR(".."));
    }
    return path.len != 0 && path.len < ACCESS_PATH_MAX && memchr(path.at, '\0', path.len) == NULL && dots <= own;
}

static void
access_write_named(const access_conf_t *conf, const access_log_t *log, weir_request_t *req, weir_str_t record)
{
    weir_str_t path = weir_request_eval(req, log->name);

    weir_assert(log->name != NULL && record.len != 0);
    if (!access_name_is_good(log, path)) {
        __atomic_fetch_add(&weir_log_dropped, 1, __ATOMIC_RELAXED);
        return;
    }
    weir_log_named_write(&conf->kept, weir_str(weir_str_to_z(&req->arena, path), path.len), record);
}

static weir_step_t
access_log_request(weir_request_t *req, const void *conf)
{
    const access_logs_t *logs = &((const access_conf_t *) conf)->logs;

    for (size_t i = 0; i < logs->n; i++) {
        const access_log_t *log = &logs->at[i];
        weir_str_t record;

        if (!access_is_wanted(log, req)) {
            continue;
        }
        record = access_compose(log->format, req);
        if (record.at == NULL) {
            __atomic_fetch_add(&weir_log_dropped, 1, __ATOMIC_RELAXED);
        } else if (log->sink != NULL) {
            weir_log_send(log->sink, log->severity, weir_str(record.at, record.len - 1));
        } else if (log->name != NULL) {
            access_write_named(conf, log, req, record);
        } else {
            weir_log_file_write(log->file, record, &log->pace);
        }
    }
    return WEIR_NEXT;
}

/* -- open_log_file_cache -- */

static bool
access_parse_kept(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_log_names_conf_t *kept = field;

    (void) row;
    *kept = (weir_log_names_conf_t) { .min_uses = 1, .inactive = { 10000 }, .valid = { 60000 } };
    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return true;
    }
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t name, value;
        bool is_good = weir_str_cut(words->at[i].text, '=', &name, &value);

        if (weir_str_eq(name, WEIR_STR("max"))) {
            is_good = is_good && weir_conf_read_u32(value, &kept->max) && kept->max != 0;
        } else if (weir_str_eq(name, WEIR_STR("inactive"))) {
            is_good = is_good && weir_conf_read_msec(value, &kept->inactive) && kept->inactive.ms != 0;
        } else if (weir_str_eq(name, WEIR_STR("valid"))) {
            is_good = is_good && weir_conf_read_msec(value, &kept->valid);
        } else if (weir_str_eq(name, WEIR_STR("min_uses"))) {
            is_good = is_good && weir_conf_read_u32(value, &kept->min_uses) && kept->min_uses != 0;
        } else {
            is_good = false;
        }
        if (!is_good) {
            return weir_conf_invalid(cf, i, "max=N, inactive=TIME, min_uses=N, valid=TIME, or off alone");
        }
    }
    return kept->max != 0 || weir_conf_error(cf, 0, "\"open_log_file_cache\" must have \"max\"");
}

static const weir_conf_type_t access_type_kept = {
    .name = "max=N [inactive=time] [min_uses=N] [valid=time] | off", .size = sizeof(weir_log_names_conf_t),
    .min_args = 1, .max_args = 4,
    .parse = access_parse_kept,
};

static const weir_directive_t access_directives[] = {
    WEIR_DIRECTIVE_OF(access_conf_t, kept, "open_log_file_cache", &access_type_kept, .where = WEIR_IN_ANY,
                      .dflt = "off",
                      .help = "Keeps files of access_log whose paths have variables open: how many, and how long."),
    WEIR_DIRECTIVE_OF(access_conf_t, formats, "log_format", &access_type_formats, .where = WEIR_IN_HTTP,
                      .help = "Names a format of access logs; \"combined\" is predefined."),
    WEIR_DIRECTIVE_OF(access_conf_t, logs, "access_log", &access_type_logs, .where = WEIR_IN_ANY,
                      .dflt = WEIR_HTTP_LOG_PATH " combined",
                      .help = "Writes a line about each request to a file or to syslog; it may stand several times; "
                              "off writes none."),
    WEIR_DIRECTIVE(access_conf_t, flush, "access_log_flush", .where = WEIR_IN_HTTP, .dflt = "50ms", .max = "1m",
                   .help = "Limits how long a line of an access_log without buffer= may wait in a worker, so that "
                           "several are written at once."),
    WEIR_DIRECTIVES_END
};

/* -- lines that wait leave at the end of a turn, or when their time has come -- */

static weir_timer_t access_timer;
static weir_turn_hook_t access_hook;

static void
access_on_timer(weir_timer_t *timer)
{
    (void) timer;                                    /* the end of this turn writes */
}

static void
access_on_turn(void *data)
{
    weir_life_t *life = data;
    weir_instant_t now = weir_clock_now(), due = weir_log_files_flush_due(now);

    if (due.ms > now.ms && (access_timer.deadline.ms <= now.ms || access_timer.deadline.ms > due.ms)) {
        weir_timer_set(life->loop, &access_timer, (weir_msec_t) { due.ms - now.ms }, access_on_timer);
    }
}

static bool
access_begin(weir_life_t *life)
{
    weir_loop_on_turn(life->loop, &access_hook, access_on_turn, life);
    return true;
}

static void
access_end(weir_life_t *life)
{
    (void) life;
    weir_list_remove(&access_hook.link);
    weir_timer_drop(&access_timer);
    weir_log_files_flush();
    weir_log_named_forget();
}

static const struct weir_module_life access_life = { .begin = access_begin, .end = access_end };

const weir_http_module_t weir_http_access_log = {
    .name = "http_access_log",
    .life = &access_life,
    .area = "Logs",
    .conf_size = sizeof(access_conf_t),
    .directives = access_directives,
    .check = access_check,
    .on = { [WEIR_PHASE_LOG] = access_log_request },
    .enabled = access_enabled,
};
