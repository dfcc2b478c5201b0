/*
 * core_log.c - error_log: file | stderr | syslog:…  [level] [json], and the list of sinks that comes out of it.
 *
 * Opens nothing: the processes that use a generation open its sinks.  Names of syslog servers are looked up through the
 * bundle.
 */
#include "conf/core.h"

#include "base/array.h"
#include "config.h"

#define LOG_SYSLOG_PORT    514
#define LOG_FACILITY_NAME  "local7"
#define LOG_MAX_TAG        32

/* --- syslog:server=…,facility=…,tag=…,severity=…,nohostname --- */

static bool
log_read_server(weir_conf_t *cf, weir_log_sink_t *sink, weir_str_t server)
{
    weir_hostport_t hp;
    weir_addrs_t    addrs;
    weir_addr_t     addr;
    weir_error_t    why = { .text = "" };
    const char     *hint = "no address";
    char            text[WEIR_ADDR_TEXT];

    if (!weir_addr_parse_hostport(&hp, server, &hint) || hp.is_wildcard || hp.host.len == 0) {
        return weir_conf_error(cf, 1, "invalid syslog server \"%.*s\": %s", WEIR_STR_ARG(server), hint);
    }
    if (hp.is_unix) {
        sink->path = weir_str_dup(cf->arena, server);
        return weir_addr_from_unix(&addr, hp.host)
               || weir_conf_error(cf, 1, "invalid syslog server \"%.*s\": no path of a socket", WEIR_STR_ARG(server));
    }
    if (!weir_bundle_resolve(cf->bundle, hp.host, &addrs, &why)) {
        return weir_conf_error(cf, 1, "%s", why.text);
    }
    weir_assert(addrs.n != 0);
    addr = addrs.at[0];
    weir_addr_set_port(&addr, hp.has_port ? hp.port : LOG_SYSLOG_PORT);
    sink->path = weir_str_dup(cf->arena, weir_str(text, weir_addr_text(&addr, text)));
    return true;
}

static bool
log_is_tag(weir_str_t tag)
{
    size_t i;

    for (i = 0; i < tag.len; i++) {
        char c = tag.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) {
            return false;
        }
    }
    return tag.len != 0 && tag.len <= LOG_MAX_TAG;
}

static bool
log_read_option(weir_conf_t *cf, weir_log_sink_t *sink, weir_str_t option, weir_log_level_t *severity)
{
    weir_log_level_t level;
    weir_str_t       name, value;

    (void) weir_str_cut(option, '=', &name, &value);
    if (weir_str_eq(option, WEIR_STR("nohostname"))) {
        sink->no_hostname = true;
        return true;
    }
    if (weir_str_eq(name, WEIR_STR("server"))) {
        return sink->path.len == 0 ? log_read_server(cf, sink, value)
                                   : weir_conf_error(cf, 1, "duplicate syslog \"server\"");
    }
    if (weir_str_eq(name, WEIR_STR("facility"))) {
        return weir_log_facility_parse(value, &sink->facility)
               || weir_conf_error(cf, 1,
                                  "unknown syslog facility \"%.*s\": expected kern, user, daemon, local0 … local7 or "
                                         "the like", WEIR_STR_ARG(value));
    }
    if (weir_str_eq(name, WEIR_STR("tag"))) {
        sink->tag = weir_str_dup(cf->arena, value);
        return log_is_tag(value) || weir_conf_error(cf, 1,
                                                    "invalid syslog tag \"%.*s\": expected up to %d letters, digits "
                                                           "and underscores", WEIR_STR_ARG(value), LOG_MAX_TAG);
    }
    if (weir_str_eq(name, WEIR_STR("severity"))) {
        if (!weir_log_level_parse(value, &level)) {
            return weir_conf_error(cf, 1, "unknown syslog severity \"%.*s\"", WEIR_STR_ARG(value));
        }
        if (severity != NULL) {
            *severity = level;
            return true;
        }
        weir_conf_warn(cf, 1, "the \"severity\" of syslog has no effect in error_log: each record has its own level");
        return true;
    }
    return weir_conf_error(cf, 1,
                           "unknown syslog parameter \"%.*s\": expected server, facility, tag, severity or nohostname",
                           WEIR_STR_ARG(name));
}

bool
weir_core_read_syslog(weir_conf_t *cf, weir_log_sink_t *sink, weir_str_t options, weir_log_level_t *severity)
{
    weir_str_t option;

    sink->kind = WEIR_LOG_TO_SYSLOG;
    sink->tag = WEIR_STR("weir");
    if (!weir_log_facility_parse(WEIR_STR(LOG_FACILITY_NAME), &sink->facility)) {
        return false;
    }
    do {
        (void) weir_str_cut(options, ',', &option, &options);
        if (!log_read_option(cf, sink, option, severity)) {
            return false;
        }
    } while (options.len != 0);
    return sink->path.len != 0 || weir_conf_error(cf, 1, "no syslog server given: expected syslog:server=address");
}

/* --- the directive --- */

static bool
log_read_target(weir_conf_t *cf, weir_log_sink_t *sink, weir_str_t target)
{
    if (target.len == 0) {
        return weir_conf_invalid(cf, 1, "a file, stderr or syslog:server=address");
    }
    if (weir_str_starts(target, WEIR_STR("syslog:"))) {
        return weir_core_read_syslog(cf, sink, weir_str_skip(target, 7), NULL);
    }
    if (weir_str_eq(target, WEIR_STR("stderr"))) {
        sink->kind = WEIR_LOG_TO_STDERR;
        return true;
    }
    sink->kind = WEIR_LOG_TO_FILE;
    sink->path = weir_conf_full_path(cf, target);
    return true;
}

static bool
log_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_log_sink_t sink = { .level = WEIR_LOG_ERROR, .fd = -1 };
    bool            has_level = false;
    size_t          i;

    (void) row;
    if (!log_read_target(cf, &sink, words->at[1].text)) {
        return false;
    }
    for (i = 2; i < words->n; i++) {
        if (!sink.json && weir_str_eq(words->at[i].text, WEIR_STR("json"))) {
            sink.json = true;
        } else if (!has_level && weir_log_level_parse(words->at[i].text, &sink.level)) {
            has_level = true;
        } else {
            return weir_conf_invalid(cf, i,
                                     "one level (debug, info, notice, warn, error, crit, alert, emerg) and json");
        }
    }
    *(weir_log_sink_t *) weir_conf_list_push(cf, field, sizeof(sink)) = sink;
    return true;
}

const weir_conf_type_t weir_core_type_log = { .name = "file [level] [json]", .size = sizeof(weir_core_logs_t),
                                              .min_args = 1,
                                              .max_args = 3, .repeats = true, .parse = log_parse,
                                              .item = sizeof(weir_log_sink_t) };

/* --- after reading --- */

static bool
log_use_default(weir_conf_t *cf, weir_core_logs_t *logs)
{
    weir_log_sink_t sink = { .level = WEIR_LOG_ERROR, .fd = -1 };
    weir_str_t      target;

    if (!weir_bundle_get(cf->bundle, WEIR_STR("error_log"), &target)) {
        target = WEIR_STR(WEIR_ERROR_LOG_PATH);
    }
    if (target.len == 0 || !log_read_target(cf, &sink, target)) {
        return false;
    }
    *(weir_log_sink_t *) weir_conf_list_push(cf, logs, sizeof(sink)) = sink;
    return true;
}

/* A generation's sinks are its own: it opens and closes them. */
bool
weir_core_build_logs(weir_conf_t *cf, weir_generation_t *generation)
{
    const weir_core_conf_t *core = weir_conf_of(cf->root, weir_core_index);
    weir_core_logs_t        said = core->error_log;
    weir_log_sink_t        *sinks;

    if (said.n == 0 && !log_use_default(cf, &said)) {
        return false;
    }
    weir_assert(said.n != 0);
    sinks = weir_new_n(&generation->live, weir_log_sink_t, said.n);
    for (size_t i = 0; i < said.n; i++) {
        sinks[i] = said.at[i];
        sinks[i].next = i + 1 < said.n ? &sinks[i + 1] : NULL;
    }
    generation->kept[weir_core_index] = sinks;
    return true;
}
