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
    return rate != NULL && (!rate->is_constant || weir_conf_read_bytes(words->at[1].text, &bytes) || weir_conf_invalid(cf, 1, "a size such as 50k"));
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

static const weir_conf_enum_t core_satisfy_values[] = { { "all", WEIR_SATISFY_ALL }, { "any", WEIR_SATISFY_ANY }, { NULL, 0 } };

static const weir_conf_enum_t core_phrase_values[] = { { "standard", WEIR_PHRASES_STANDARD }, { "nginx", WEIR_PHRASES_NGINX }, { NULL, 0 } };

static const weir_conf_enum_t core_slash_values[] = {
    { "refuse", WEIR_SLASH_REFUSE }, { "keep", WEIR_SLASH_KEEP }, { "decode", WEIR_SLASH_DECODE }, { NULL, 0 },
};

const weir_conf_enum_t weir_line_ends_values[] = { { "crlf", WEIR_LINE_ENDS_CRLF }, { "lf", WEIR_LINE_ENDS_LF }, { NULL, 0 } };

static const weir_conf_enum_t core_modified_values[] = {
    { "off", WEIR_MODIFIED_OFF }, { "exact", WEIR_MODIFIED_EXACT }, { "before", WEIR_MODIFIED_BEFORE }, { NULL, 0 },
};

static const weir_conf_enum_t core_token_values[] = {
    { "off", WEIR_TOKENS_OFF }, { "on", WEIR_TOKENS_ON }, { "build", WEIR_TOKENS_ON }, { NULL, 0 },      /* (a build has no name of its own) */
};

/* -- the rows -- */

#define CORE(field, ...) WEIR_DIRECTIVE(weir_http_core_conf_t, field, #field, __VA_ARGS__)
#define CORE_OF(field, name, conf_type, ...) \
    WEIR_DIRECTIVE_OF(weir_http_core_conf_t, field, name, conf_type, __VA_ARGS__)
#define CORE_HEADS (WEIR_IN_HTTP | WEIR_IN_SERVER)     /* before a location is known */

static const weir_directive_t core_directives[] = {
    /* heads of requests */
    CORE(client_header_buffer_size, .where = CORE_HEADS, .dflt = "1k", .max = "16m",
         .help = "A line of a request's head may be as long as this or as one of large_client_header_buffers, "
                 "whichever is more."),
    CORE(large_client_header_buffers, .where = CORE_HEADS, .dflt = "4 8k",
         .help = "How long a line of a request's head may be (414, 431), and how many times that all of it."),
    CORE(client_header_timeout, .where = CORE_HEADS, .dflt = "60s", .min = "1ms",
         .help = "Time in which the whole head of a request must arrive."),
    CORE(max_headers, .where = CORE_HEADS, .dflt = "1000", .min = "1", .max = "100000",
         .help = "Number of header lines a request may have (431)."),
    CORE(ignore_invalid_headers, .where = CORE_HEADS, .dflt = "on",
         .help = "Drop header fields whose names have characters other than letters, digits, - and perhaps _; off: "
                 "refuse such a request."),
    CORE(underscores_in_headers, .where = CORE_HEADS, .dflt = "off",
         .help = "Whether names of header fields may have underscores."),
    CORE_OF(client_line_ends, "client_line_ends", &weir_type_enum, .where = CORE_HEADS, .dflt = "crlf", .values = weir_line_ends_values,
            .args = "crlf | lf",
            .help = "How lines of a request's head end. lf: a head all of whose lines end in a bare LF is taken, too; one that mixes both, and "
                    "chunks, never. What goes to peers has CRLF."),
    CORE(merge_slashes, .where = CORE_HEADS, .dflt = "on", .help = "Take several slashes in a row in a path as one."),

    CORE_OF(encoded_slash, "encoded_slash", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "keep", .values = core_slash_values,
            .args = "refuse | keep | decode",
            .help = "What %2F and %5C in a path are. keep: a part of a name: they stay encoded in $uri, for locations, patterns and rewrite, in names "
                    "of files and toward peers; so that no guard is passed by, the path is refused (400) when it would be another location's if "
                    "they were slashes, and when an if, a rewrite, or a map or geo whose value is asked for before the answer begins would say something "
                    "else then; a value that only the access log asks for refuses nothing. Keys of limits and split_clients take them for slashes, so "
                    "that all spellings of a path count as one. $request_uri is what was sent: none of this holds for it. decode: %2F is a slash before a location is looked for, and toward peers (%5C stays as it is). refuse: 400. "
                    "Dot segments beside them are always refused. What counts for rewrite directives of the server is what the server says."),

    /* bodies of requests */
    CORE(client_max_body_size, .where = WEIR_IN_ANY, .dflt = "1m",
         .help = "Size a request's body may have (413); 0: any."),
    CORE(client_body_buffer_size, .where = WEIR_IN_ANY, .dflt = "16k",
         .help = "What is kept of a buffered request body in memory; the rest goes to a temporary file."),
    CORE(client_body_timeout, .where = WEIR_IN_ANY, .dflt = "60s", .min = "1ms",
         .help = "How long a client may pause while it sends a body (408)."),
    CORE(client_body_temp_path, .where = WEIR_IN_ANY, .dflt = WEIR_HTTP_CLIENT_BODY_TEMP_PATH,
         .help = "Directory of temporary files for request bodies. Files that client_body_in_file_only gives a name lie in folders below it "
                 "that are named for its last digits, so many each; other files have no name and need none."),
    CORE_OF(client_body_in_file_only, "client_body_in_file_only", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "off",
            .values = core_body_file_values, .args = "on | clean | off",
            .help = "A buffered request body goes, all of it, to a file whose name $request_body_file is, in client_body_temp_path; clean: it "
                    "is removed when the request has ended. A file of a body that broke off is always removed. A body that is streamed "
                    "(proxy_request_buffering off) gets no file."),

    /* connections */
    CORE(send_timeout, .where = WEIR_IN_ANY, .dflt = "60s", .min = "1ms",
         .help = "How long a client may take no byte of its answer."),
    CORE_OF(keepalive_timeout, "keepalive_timeout", &core_type_keepalive_timeout, .where = WEIR_IN_ANY, .dflt = "75s",
            .help = "How long an idle connection is kept, and what the Keep-Alive field says of it; 0: not kept."),
    CORE(keepalive_time, .where = WEIR_IN_ANY, .dflt = "1h",
         .help = "How long a connection may be used for further requests."),
    CORE(keepalive_requests, .where = WEIR_IN_ANY, .dflt = "1000",
         .help = "How many requests one connection may carry."),
    CORE_OF(lingering_close, "lingering_close", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "on",
            .values = core_linger_values, .args = "off | on | always",
            .help = "Read away what a client still sends before its connection is closed, so that it gets its answer."),
    CORE(lingering_time, .where = WEIR_IN_ANY, .dflt = "30s", .help = "For how long to read away in all."),
    CORE(lingering_timeout, .where = WEIR_IN_ANY, .dflt = "5s", .help = "For how long to wait for more to read away."),
    CORE(reset_timedout_connection, .where = WEIR_IN_ANY, .dflt = "off",
         .help = "Close connections that ran into a time limit with a reset."),
    CORE(tcp_nodelay, .where = WEIR_IN_ANY, .dflt = "on", .help = "Set TCP_NODELAY on clients' connections."),

    CORE(http2, .where = CORE_HEADS, .dflt = "off",
         .help = "Speak HTTP/2: where TLS's ALPN agrees on it, and on plain ports with clients that begin with its preface."),

    /* answers */
    CORE(chunked_transfer_encoding, .where = WEIR_IN_ANY, .dflt = "on",
         .help = "Send answers of unknown length in chunks; off: end them by closing."),
    CORE(absolute_redirect, .where = WEIR_IN_ANY, .dflt = "on",
         .help = "Make the Location of Weir's own redirects absolute."),
    CORE(server_name_in_redirect, .where = WEIR_IN_ANY, .dflt = "off",
         .help = "Use the first server_name in absolute redirects instead of the request's host."),
    CORE(port_in_redirect, .where = WEIR_IN_ANY, .dflt = "on",
         .help = "Name the port in absolute redirects when it is not the scheme's own."),
    CORE_OF(satisfy, "satisfy", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "all", .values = core_satisfy_values, .args = "all | any",
            .help = "Whether all that guards a place (allow and deny, api_key) must let a request in, or any of it is enough."),
    CORE_OF(server_tokens, "server_tokens", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "on",
            .values = core_token_values, .args = "on | off",
            .help = "Say the version in Server and in error pages."),
    CORE_OF(reason_phrases, "reason_phrases", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "standard", .values = core_phrase_values,
            .args = "standard | nginx", .help = "What statuses are called: as in RFC 9110, or as nginx calls them (405 Not Allowed, 503 Service "
                                                "Temporarily Unavailable), for those who look for that text."),
    CORE_OF(error_format, "error_format", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "html", .values = core_format_values, .args = "html | json | problem",
            .help = "What the errors that Weir answers itself look like. json: an object with status, error, cause and request_id; problem: "
                    "problem details (RFC 9457: type, title, status) with cause and request_id. A client whose Accept wants text/html more, as "
                    "browsers do, gets the HTML page all the same."),
    CORE(default_type, .where = WEIR_IN_ANY, .dflt = "text/plain",
         .help = "Content-Type of answers that have no other."),
    CORE(sendfile, .where = WEIR_IN_ANY, .dflt = "off", .help = "Files go to plain connections by way of the kernel alone."),
    CORE(sendfile_max_chunk, .where = WEIR_IN_ANY, .dflt = "2m", .help = "How much of a file goes at once before others get their turn; 0: any."),
    CORE(tcp_nopush, .where = WEIR_IN_ANY, .dflt = "off", .help = "With sendfile: the head and the file's beginning in as few packets as possible."),
    CORE(max_ranges, .where = WEIR_IN_ANY, .dflt = "2147483647", .help = "How many parts a Range may ask for; more, or any if 0: all is sent."),
    CORE_OF(limit_rate, "limit_rate", &weir_http_type_rate, .where = WEIR_IN_ANY, .help = "Bytes of an answer's body a second, after the first second; 0: no limit."),
    CORE_OF(limit_rate_after, "limit_rate_after", &weir_http_type_rate, .where = WEIR_IN_ANY, .args = "size", .help = "So much of an answer's body is sent before limit_rate holds."),
    CORE_OF(if_modified_since, "if_modified_since", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "exact", .values = core_modified_values,
            .args = "off | exact | before", .help = "When If-Modified-Since is answered with 304: at the very time, or also at a later one."),
    CORE(log_not_found, .where = WEIR_IN_ANY, .dflt = "on", .help = "Whether the error log tells of files that are not there."),
    CORE(log_subrequest, .where = WEIR_IN_ANY, .dflt = "off", .help = "Whether access logs tell of subrequests too."),
    CORE(recursive_error_pages, .where = WEIR_IN_ANY, .dflt = "off", .help = "Whether a page for an error may have an error_page itself."),
    CORE_OF(error_log, "error_log", &weir_core_type_log, .where = WEIR_IN_ANY,
            .help = "Where records about requests go, in place of main's error_log: a file, stderr or syslog; from which level on; json."),
    CORE_OF(error_pages, "error_page", &weir_type_error_pages, .where = WEIR_IN_ANY,
            .help = "What answers for these statuses: a URI, a @location or an address elsewhere; with another status, "
                    "if told."),
    CORE(status_zone, .where = WEIR_IN_SERVER | WEIR_IN_LOCATION, .inherit = WEIR_LOCAL, .args = "name",
         .help = "What happens here is counted under this name, for status and prometheus."),
    CORE_OF(internal, "internal", &weir_type_said, .where = WEIR_IN_LOCATION, .inherit = WEIR_OWN, .whole = true,
            .help = "The location is for internal redirects only; others get 404."),
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
    if (!weir_bundle_is_replay(cf->bundle) && !weir_log_file_open(sink->file)) {
        return weir_conf_error_at(cf, words, "open() \"%.*s\" failed (%d: %s)", WEIR_STR_ARG(sink->path), errno, strerror(errno));
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
