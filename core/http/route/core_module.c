/*
 * core_module.c - the directives of the http core: limits and time limits of clients, what answers look like, defaults.
 *
 * Load time only.  The blocks and what names a server are in blocks.c.
 */
#include "http/conf.h"
#include "http/filter/precondition.h"

#include "conf/core.h"
#include "config.h"
#include "log/files.h"

#include <errno.h>
#include <string.h>

#define CORE_HEAD_MAX ((uint64_t) 16 * 1024 * 1024)    /* a request's head: its place is counted in 32 bits */
#define CORE_LINE_MIN 256

/* -- types of its own -- */

static bool
core_parse_keepalive_timeout(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_keepalive_times_t *times = field;

    (void) row;
    times->header.ms = 0;
    if (!weir_conf_read_msec(words->at[1].text, &times->timeout)) {
        return weir_conf_invalid(cf, 1, "a time such as 75s");
    }
    if (words->n == 3 && !weir_conf_read_msec(words->at[2].text, &times->header)) {
        return weir_conf_invalid(cf, 2, "a time such as 75s");
    }
    return true;
}

static const weir_conf_type_t core_type_keepalive_timeout = {
    .name = "timeout [header_timeout]", .size = sizeof(weir_keepalive_times_t), .min_args = 1, .max_args = 2,
    .parse = core_parse_keepalive_timeout,
};

static bool
core_parse_rate(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    const weir_template_t *rate = weir_conf_template(cf, 1, words->at[1].text);
    weir_bytes_t bytes;

    (void) row;
    *(const weir_template_t **) field = rate;
    return rate != NULL
        && (!rate->is_constant || weir_conf_read_bytes(words->at[1].text, &bytes)
            || weir_conf_invalid(cf, 1, "a size such as 50k"));
}

const weir_conf_type_t weir_http_type_rate = {
    .name = "rate", .size = sizeof(const weir_template_t *), .min_args = 1, .max_args = 1, .parse = core_parse_rate,
};

static const weir_conf_enum_t core_linger_values[] = {
    { "off", WEIR_LINGER_OFF }, { "on", WEIR_LINGER_ON }, { "always", WEIR_LINGER_ALWAYS }, { NULL, 0 },
};

static const weir_conf_enum_t core_body_file_values[] = {
    { "off", WEIR_BODY_FILE_OFF }, { "clean", WEIR_BODY_FILE_CLEAN }, { "on", WEIR_BODY_FILE_ON }, { NULL, 0 },
};

static const weir_conf_enum_t core_format_values[] = {
    { "html", WEIR_ERRORS_HTML }, { "json", WEIR_ERRORS_JSON }, { "problem", WEIR_ERRORS_PROBLEM }, { NULL, 0 },
};

static const weir_conf_enum_t core_satisfy_values[] = { { "all", WEIR_SATISFY_ALL },
                                                        { "any", WEIR_SATISFY_ANY },
                                                        { NULL, 0 } };

static const weir_conf_enum_t core_phrase_values[] = { { "standard", WEIR_PHRASES_STANDARD },
                                                       { "nginx", WEIR_PHRASES_NGINX },
                                                       { NULL, 0 } };

static const weir_conf_enum_t core_slash_values[] = {
    { "refuse", WEIR_SLASH_REFUSE }, { "keep", WEIR_SLASH_KEEP }, { "decode", WEIR_SLASH_DECODE }, { NULL, 0 },
};

const weir_conf_enum_t weir_line_ends_values[] = { { "crlf", WEIR_LINE_ENDS_CRLF },
                                                   { "lf", WEIR_LINE_ENDS_LF },
                                                   { NULL, 0 } };

static const weir_conf_enum_t core_modified_values[] = {
    { "off", WEIR_MODIFIED_OFF }, { "exact", WEIR_MODIFIED_EXACT }, { "before", WEIR_MODIFIED_BEFORE }, { NULL, 0 },
};

static const weir_conf_enum_t core_token_values[] = {
    /* (a build has no name of its own) */
    { "off", WEIR_TOKENS_OFF }, { "on", WEIR_TOKENS_ON }, { "build", WEIR_TOKENS_ON }, { NULL, 0 },
};

/* -- the rows -- */

#define CORE(field, ...) WEIR_DIRECTIVE(weir_http_core_conf_t, field, #field, __VA_ARGS__)
#define CORE_OF(field, name, conf_type, ...) \
    WEIR_DIRECTIVE_OF(weir_http_core_conf_t, field, name, conf_type, __VA_ARGS__)
#define CORE_HEADS (WEIR_IN_HTTP | WEIR_IN_SERVER)     /* before a location is known */

static const weir_directive_t core_directives[] = {
    /* heads of requests */
    CORE(client_header_buffer_size, .where = CORE_HEADS, .dflt = "1k", .max = "16m",
         .help = "Allows a line of a request's head to be as long as this, where it is more than "
                 "large_client_header_buffers allows."),
    CORE(large_client_header_buffers, .where = CORE_HEADS, .dflt = "4 8k",
         .help = "Limits how long a line of a request's head may be (414, 431), and how many times that the whole "
                 "head may be."),
    CORE(client_header_timeout, .where = CORE_HEADS, .dflt = "60s", .min = "1ms",
         .help = "Limits the time in which the whole head of a request must arrive."),
    CORE(max_headers, .where = CORE_HEADS, .dflt = "1000", .min = "1", .max = "100000",
         .help = "Limits how many header lines a request may have (431)."),
    CORE(ignore_invalid_headers, .where = CORE_HEADS, .dflt = "on",
         .help = "Drops header fields whose names have characters other than letters, digits, - and perhaps _; off "
                 "refuses such a request."),
    CORE(underscores_in_headers, .where = CORE_HEADS, .dflt = "off",
         .help = "Allows underscores in the names of header fields."),
    CORE_OF(client_line_ends, "client_line_ends", &weir_type_enum, .where = CORE_HEADS, .dflt = "crlf",
            .values = weir_line_ends_values, .args = "crlf | lf",
            .help = "Says how the lines of a request's head may end: with CRLF only, or all of them with a bare LF."),
    CORE(merge_slashes, .where = CORE_HEADS, .dflt = "on", .help = "Reads several slashes in a row in a path as one."),

    CORE_OF(encoded_slash, "encoded_slash", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "keep",
            .values = core_slash_values, .args = "refuse | keep | decode",
            .help = "Says what %2F and %5C in a path are: a part of a name that stays encoded (keep), a slash "
                    "(decode), or an error (refuse)."),

    /* bodies of requests */
    CORE(client_max_body_size, .where = WEIR_IN_ANY, .dflt = "1m",
         .help = "Limits the size of a request's body (413); 0 sets no limit."),
    CORE(client_body_buffer_size, .where = WEIR_IN_ANY, .dflt = "16k",
         .help = "Sets how much of a buffered request body is kept in memory; the rest goes to a temporary file."),
    CORE(client_body_timeout, .where = WEIR_IN_ANY, .dflt = "60s", .min = "1ms",
         .help = "Limits how long a client may pause while it sends a body (408)."),
    CORE(client_body_temp_path, .where = WEIR_IN_ANY, .dflt = WEIR_HTTP_CLIENT_BODY_TEMP_PATH,
         .help = "Sets the folder of temporary files for request bodies, and its levels of folders for files that "
                 "have names."),
    CORE_OF(client_body_in_file_only, "client_body_in_file_only", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "off",
            .values = core_body_file_values, .args = "on | clean | off",
            .help = "Writes each buffered request body to a file whose name is in $request_body_file; clean removes "
                    "it when the request has ended."),

    /* connections */
    CORE(send_timeout, .where = WEIR_IN_ANY, .dflt = "60s", .min = "1ms",
         .help = "Limits how long a client may take no byte of its answer."),
    CORE_OF(keepalive_timeout, "keepalive_timeout", &core_type_keepalive_timeout, .where = WEIR_IN_ANY, .dflt = "75s",
            .help = "Sets how long an idle connection is kept, and what the Keep-Alive field says about it; 0 keeps "
                    "none."),
    CORE(keepalive_time, .where = WEIR_IN_ANY, .dflt = "1h",
         .help = "Limits how long a connection may be used for further requests."),
    CORE(keepalive_requests, .where = WEIR_IN_ANY, .dflt = "1000",
         .help = "Limits how many requests one connection may carry."),
    CORE_OF(lingering_close, "lingering_close", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "on",
            .values = core_linger_values, .args = "off | on | always",
            .help = "Reads and drops what a client still sends before its connection is closed, so that it gets its "
                    "answer."),
    CORE(lingering_time, .where = WEIR_IN_ANY, .dflt = "30s",
         .help = "Limits for how long in all bytes are read and dropped."),
    CORE(lingering_timeout, .where = WEIR_IN_ANY, .dflt = "5s",
         .help = "Limits how long Weir waits for more bytes to drop."),
    CORE(reset_timedout_connection, .where = WEIR_IN_ANY, .dflt = "off",
         .help = "Closes connections that ran into a time limit with a reset."),
    CORE(tcp_nodelay, .where = WEIR_IN_ANY, .dflt = "on", .help = "Sets TCP_NODELAY on clients' connections."),

    CORE(http2, .where = CORE_HEADS, .dflt = "off",
         .help = "Speaks HTTP/2 where ALPN agrees on it, and on plain ports with clients that begin with its "
                 "preface."),

    /* answers */
    CORE(chunked_transfer_encoding, .where = WEIR_IN_ANY, .dflt = "on",
         .help = "Sends answers of unknown length in chunks; off ends them by closing."),
    CORE(absolute_redirect, .where = WEIR_IN_ANY, .dflt = "on",
         .help = "Makes the Location of Weir's own redirects absolute."),
    CORE(server_name_in_redirect, .where = WEIR_IN_ANY, .dflt = "off",
         .help = "Uses the first server_name in absolute redirects instead of the request's host."),
    CORE(port_in_redirect, .where = WEIR_IN_ANY, .dflt = "on",
         .help = "Names the port in absolute redirects when it is not the default of the scheme."),
    CORE(default_deny, .where = WEIR_IN_ANY, .dflt = "off",
         .help = "Refuses requests that no guard of the place has let in: neither an address nor an identity nor a "
                 "condition."),
    CORE(dry_run, .where = WEIR_IN_ANY, .dflt = "off",
         .help = "Makes rehearsals of the policies of a place: they judge, count and log, but refuse, delay and "
                 "change nothing."),
    CORE_OF(satisfy, "satisfy", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "all", .values = core_satisfy_values,
            .args = "all | any",
            .help = "Says whether all guards of a location (allow and deny, passwords, keys) must let a request in, "
                    "or one of them is enough."),
    CORE_OF(server_tokens, "server_tokens", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "on",
            .values = core_token_values, .args = "on | off",
            .help = "Shows the version in the Server field and on error pages."),
    CORE_OF(reason_phrases, "reason_phrases", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "standard",
            .values = core_phrase_values, .args = "standard | nginx",
            .help = "Names statuses as RFC 9110 does, or as nginx does (\"Not Allowed\", \"Moved Temporarily\")."),
    CORE_OF(error_format, "error_format", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "html",
            .values = core_format_values, .args = "html | json | problem",
            .help = "Sets the form of errors that Weir answers itself: HTML, JSON or problem details (RFC 9457); "
                    "browsers get HTML in any case."),
    CORE(default_type, .where = WEIR_IN_ANY, .dflt = "text/plain",
         .help = "Sets the Content-Type of answers that have no other."),
    CORE(sendfile, .where = WEIR_IN_ANY, .dflt = "off",
         .help = "Sends files to plain connections from within the kernel."),
    CORE(sendfile_max_chunk, .where = WEIR_IN_ANY, .dflt = "2m",
         .help = "Limits how much of a file is sent at once before others have their turn; 0 sets no limit."),
    CORE(tcp_nopush, .where = WEIR_IN_ANY, .dflt = "off",
         .help = "Sends the head and the beginning of a file in as few packets as possible, with sendfile."),
    CORE(max_ranges, .where = WEIR_IN_ANY, .dflt = "2147483647",
         .help = "Limits how many parts a Range may ask for; beyond that, or with 0, the whole is sent."),
    CORE_OF(limit_rate, "limit_rate", &weir_http_type_rate, .where = WEIR_IN_ANY,
            .help = "Limits the bytes per second of an answer's body; 0 sets no limit."),
    CORE_OF(limit_rate_after, "limit_rate_after", &weir_http_type_rate, .where = WEIR_IN_ANY, .args = "size",
            .help = "Sets how much of an answer's body is sent before limit_rate applies."),
    CORE_OF(if_modified_since, "if_modified_since", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "exact",
            .values = core_modified_values, .args = "off | exact | before",
            .help = "Says when If-Modified-Since is answered with 304: for exactly the same time, also for a "
                    "later one, or never."),
    CORE(log_not_found, .where = WEIR_IN_ANY, .dflt = "on",
         .help = "Writes a record to the error log when a file does not exist."),
    CORE(log_subrequest, .where = WEIR_IN_ANY, .dflt = "off",
         .help = "Writes a line to access logs for subrequests, too."),
    CORE(recursive_error_pages, .where = WEIR_IN_ANY, .dflt = "off",
         .help = "Lets a page for an error have an error_page itself."),
    CORE_OF(error_log, "error_log", &weir_core_type_log, .where = WEIR_IN_ANY,
            .help = "Names a log for records about requests, in place of main's error_log: a file, stderr or "
                    "syslog, with a level and json."),
    CORE_OF(error_pages, "error_page", &weir_type_error_pages, .where = WEIR_IN_ANY,
            .help = "Says what answers for these statuses: a URI, a @location or an address elsewhere, with another "
                    "status if one is given."),
    CORE(status_zone, .where = WEIR_IN_SERVER | WEIR_IN_LOCATION, .inherit = WEIR_LOCAL, .args = "name",
         .help = "Counts what happens here under this name, for status and prometheus."),
    CORE_OF(internal, "internal", &weir_type_said, .where = WEIR_IN_LOCATION, .inherit = WEIR_OWN, .whole = true,
            .help = "Allows internal redirects only; a client's own request gets 404."),
    WEIR_DIRECTIVES_END
};

static void
core_close_log(void *sink)
{
    weir_log_close(sink);
}

static void
core_give_back_log(void *file)
{
    weir_log_file_give_back(file);
}

/* As with access logs: the master opens files while it may, a worker is given them. */
static bool
core_open_log(weir_conf_t *cf, const weir_conf_words_t *words, weir_log_sink_t *sink)
{
    const char *why = "";

    if (sink->kind != WEIR_LOG_TO_FILE) {
        if (!weir_log_open(sink, &why)) {
            return weir_conf_error_at(cf, words, "error_log \"%.*s\": %s", WEIR_STR_ARG(sink->path), why);
        }
        weir_arena_on_cleanup(cf->arena, core_close_log, sink);
        return true;
    }
    sink->file = weir_log_file_take(sink->path);
    weir_arena_on_cleanup(cf->arena, core_give_back_log, sink->file);
    if (weir_bundle_makes(cf->bundle) && !weir_log_file_open(sink->file)) {
        return weir_conf_error_at(cf, words, "open() \"%.*s\" failed (%d: %s)", WEIR_STR_ARG(sink->path), errno,
                                  strerror(errno));
    }
    return true;
}

static bool
core_open_logs(weir_conf_t *cf, const weir_conf_words_t *words, weir_core_logs_t *logs)
{
    for (size_t i = 0; i < logs->n; i++) {
        weir_log_sink_t *sink = &logs->at[i];

        if (sink->file != NULL || sink->fd >= 0) {
            continue;                                /* the same list was seen in an outer block */
        }
        sink->next = i + 1 < logs->n ? sink + 1 : NULL;
        if (!core_open_log(cf, words, sink)) {
            return false;
        }
    }
    return true;
}

static bool
core_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf)
{
    const weir_http_core_conf_t *core = conf;
    const weir_bufs_t *bufs = &core->large_client_header_buffers;

    if (bufs->size.n < CORE_LINE_MIN) {
        return weir_conf_error_at(cf, &block->words, "\"large_client_header_buffers\" must be at least %d bytes each",
                                  CORE_LINE_MIN);
    }
    if (bufs->size.n > CORE_HEAD_MAX || bufs->n > CORE_HEAD_MAX / bufs->size.n) {
        return weir_conf_error_at(cf, &block->words,
                                  "\"large_client_header_buffers\" must not be more than %llum in all",
                                  (unsigned long long) CORE_HEAD_MAX >> 20);
    }
    return core_open_logs(cf, &block->words, &((weir_http_core_conf_t *) conf)->error_log)
           && weir_conf_make_folder(cf, &block->words, core->client_body_temp_path.text);
}

const weir_module_t weir_http_core = {
    .name = "http_core",
    .area = "HTTP",
    .conf_size = sizeof(weir_http_core_conf_t),
    .directives = core_directives,
    .check = core_check,
};
