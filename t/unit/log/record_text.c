/* record_text.c - an error log line has nginx's form, is one line, and is never too long. */
#define _GNU_SOURCE 1

#include "log/log.h"

#include <errno.h>

#include "capture.h"

/* The line's fixed beginning, checked and skipped. */
static const char *
after_head(const char *line, const char *level)
{
    char want[64];
    int  skipped = 0, a[6];

    if (sscanf(line, "%4d/%2d/%2d %2d:%2d:%2d %n", &a[0], &a[1], &a[2], &a[3], &a[4], &a[5], &skipped) != 6) {
        return "";
    }
    snprintf(want, sizeof(want), "[%s] %d#%d: ", level, (int) getpid(), (int) gettid());
    line += skipped;
    return strncmp(line, want, strlen(want)) == 0 ? line + strlen(want) : "";
}

static void
test_form(void)
{
    weir_log(WEIR_LOG_ERROR, &capture_req, ENOENT, "open() \"%s\" failed", "/x");
    is_str(weir_str_from_z(after_head(capture_take(), "error")),
           "*5 open() \"/x\" failed (2: No such file or directory), client: 192.0.2.7, server: example.com, "
           "request: \"GET / HTTP/1.1\", tries: 3\n", "everything, the connection before the request");
    weir_log(WEIR_LOG_WARN, NULL, 0, "low on %d things", 7);
    is_str(weir_str_from_z(after_head(capture_take(), "warn")), "low on 7 things\n", "a message alone");
    weir_log(WEIR_LOG_INFO, &capture_conn, 0, "closed");
    is_str(weir_str_from_z(after_head(capture_take(), "info")), "*5 closed, client: 192.0.2.7, server: example.com\n",
           "a connection without a request");
    weir_log(WEIR_LOG_DEBUG, NULL, 0, "unseen");
    is_str(weir_str_from_z(capture_take()), "", "what is more verbose than the log is not written");
    errno = EBUSY;
    weir_log(WEIR_LOG_INFO, NULL, ENOENT, "x");
    is_int(errno, EBUSY, "errno is left alone");
    capture_take();
}

static void
test_hostile(void)
{
    const char *text;

    capture_request = WEIR_STR("GET /\", server: evil\r\n2026/01/01 00:00:00 [emerg] 1#1: fake \x1b[2J\\ HTTP/1.1");
    weir_log(WEIR_LOG_ERROR, &capture_req, 0, "bad %s", "name\n\x1b[0m\\");
    text = after_head(capture_take(), "error");
    is_str(weir_str_from_z(text), "*5 bad name\\x0A\\x1B[0m\\x5C, client: 192.0.2.7, server: example.com, "
           "request: \"GET /\\x22, server: evil\\x0D\\x0A"
           "2026/01/01 00:00:00 [emerg] 1#1: fake \\x1B[2J\\x5C HTTP/1.1\", "
           "tries: 3\n", "strangers' bytes make no line and end no quotes");
}

static void
test_length(void)
{
    static char large[70000];
    const char *text;

    memset(large, 'a', sizeof(large));
    capture_request = weir_str(large, sizeof(large));
    weir_log(WEIR_LOG_ERROR, &capture_req, 0, "short");
    text = capture_take();
    ok(strstr(text, "aaa...\", tries: 3\n") != NULL, "a long value is cut and closed, and hides none behind it");
    ok(strlen(text) < 1400, "far below a record's length");

    memset(large, '\x01', sizeof(large));
    weir_log(WEIR_LOG_ERROR, &capture_req, ENOENT, "%.*s", 60000, large);
    text = capture_take();
    ok(strlen(text) <= WEIR_LOG_RECORD && text[strlen(text) - 1] == '\n', "a record is never longer than it may be");
    ok(strstr(text, "\\x01...") != NULL && strstr(text, "client: 192.0.2.7") != NULL, "and still says who it was");
}

static size_t
greedy_fields(const weir_log_context_t *context, weir_log_field_t *out, size_t max)
{
    size_t i;

    (void) context;
    for (i = 0; i < max; i++) {
        out[i] = (weir_log_field_t) { .name = "request", .value = capture_request, .quoted = true };
    }
    return max;
}

static void
test_many(void)
{
    weir_log_context_t contexts[20] = { { .fields = greedy_fields } };
    const char        *text, *at;
    size_t             quotes = 0, i;

    for (i = 1; i < 20; i++) {
        contexts[i] = (weir_log_context_t) { .parent = &contexts[i - 1], .fields = greedy_fields };
    }
    weir_log(WEIR_LOG_ERROR, &contexts[19], 0, "deep");
    text = capture_take();
    for (at = text; *at != '\0'; at++) {
        quotes += *at == '"';
    }
    ok(strlen(text) <= WEIR_LOG_RECORD && quotes % 2 == 0 && text[strlen(text) - 1] == '\n', "too many fields are cut");
}

int
main(void)
{
    capture_open(false, WEIR_LOG_INFO);
    test_form();
    test_hostile();
    test_length();
    test_many();
    weir_log_use(NULL);
    weir_log_close(&capture_sink);
    is_int(capture_sink.fd, -1, "closed");
    is_int(weir_log_dropped, 0, "nothing was dropped");
    return done();
}
