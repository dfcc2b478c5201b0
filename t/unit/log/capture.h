/*
 * capture.h - a sink into a file of the test's own, and two contexts as a connection and its request have them.
 */
#ifndef WEIR_T_LOG_CAPTURE_H
#define WEIR_T_LOG_CAPTURE_H

#include "log/log.h"

#include "tap.h"
#include "tmp.h"

static weir_log_sink_t capture_sink;

static inline void
capture_open(bool json, weir_log_level_t level)
{
    const char *why = NULL;

    capture_sink = (weir_log_sink_t) { .kind = WEIR_LOG_TO_FILE, .json = json, .level = level,
                                       .path = weir_str_from_z(tmp_path("error.log")) };
    if (!weir_log_open(&capture_sink, &why)) {
        printf("# %s\n", why);
    }
    weir_log_use(&capture_sink);
}

static inline const char *
capture_text(void)
{
    return tmp_text(tmp_path("error.log"));
}

/* What was logged since the last time. */
static inline const char *
capture_take(void)
{
    const char *text = capture_text();

    if (truncate(tmp_path("error.log"), 0) != 0) {
        perror("truncate");
    }
    return text;
}

static weir_str_t capture_request = WEIR_STR_INIT("GET / HTTP/1.1");

static inline size_t
capture_conn_fields(const weir_log_context_t *context, weir_log_field_t *out, size_t max)
{
    (void) context;
    if (max < 2) {
        return 0;
    }
    out[0] = (weir_log_field_t) { .name = "client", .value = WEIR_STR("192.0.2.7") };
    out[1] = (weir_log_field_t) { .name = "server", .value = WEIR_STR("example.com") };
    return 2;
}

static inline size_t
capture_request_fields(const weir_log_context_t *context, weir_log_field_t *out, size_t max)
{
    (void) context;
    if (max < 2) {
        return 0;
    }
    out[0] = (weir_log_field_t) { .name = "request", .value = capture_request, .quoted = true };
    out[1] = (weir_log_field_t) { .name = "tries", .number = 3, .is_number = true };
    return 2;
}

static const weir_log_context_t capture_conn = { .fields = capture_conn_fields, .connection = 5 };
static const weir_log_context_t capture_req = { .parent = &capture_conn, .fields = capture_request_fields };

#endif
