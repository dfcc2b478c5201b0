/*
 * log_line.h - a line of an access log, read back: what was asked, as far as the format tells.
 *
 * A format is the text of log_format with its variables.  The escaping of the log is undone; what a client wrote is
 * still a client's: a caller that shows it escapes it again.  Pure; fuzzed by t/fuzz/log_line.c.
 */
#ifndef WEIR_TOOL_LOG_LINE_H
#define WEIR_TOOL_LOG_LINE_H

#include "base/str.h"

#define WEIR_LOG_PARTS_MAX  128
#define WEIR_LOG_FIELDS_MAX 32

typedef enum { WEIR_LOG_LINE_DEFAULT, WEIR_LOG_LINE_JSON, WEIR_LOG_LINE_PLAIN } weir_log_line_escape_t;

typedef struct { bool is_variable; weir_str_t text; } weir_log_part_t;      /* text: literal, or a name in lower case */

typedef struct {
    weir_str_t             name;
    weir_log_line_escape_t escape;
    weir_log_part_t        parts[WEIR_LOG_PARTS_MAX];
    size_t                 n_parts, n_variables;
    weir_strs_t            given;        /* variables of fields that it tells: "http_x_kind", "cookie_a" */
    bool                   has_client;
} weir_log_format_t;

typedef struct {
    weir_str_t method, target;           /* a token; without spaces and controls */
    bool       is_http2;
    weir_str_t host, scheme, port, client;           /* empty: not told */
    weir_str_t fields[WEIR_LOG_FIELDS_MAX];          /* "name: value", without controls; Host is none of them */
    size_t     n_fields;
} weir_log_line_t;

/* In the arena, from which it borrows text as well.  false: *why it cannot be read back. */
bool weir_log_format_make(weir_arena_t *arena, weir_str_t name, weir_str_t text, weir_log_line_escape_t escape,
                          weir_log_format_t *format, const char **why) WEIR_MUST_USE;
/* false: the line has another form, or tells of no request.  What it tells lies in the arena or in the line. */
bool weir_log_format_read(const weir_log_format_t *format, weir_arena_t *arena, weir_str_t line, weir_log_line_t *told)
    WEIR_MUST_USE;
/* METHOD SP target SP HTTP/version, as $request is. */
bool weir_log_line_request(weir_str_t text, weir_log_line_t *told) WEIR_MUST_USE;

#endif
