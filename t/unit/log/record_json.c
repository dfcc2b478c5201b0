/* record_json.c - JSON lines: every one is valid, whatever strangers sent and however much. */
#define _GNU_SOURCE 1

#include "log/log.h"

#include <errno.h>

#include "capture.h"

/* --- a strict little reader: one object of strings and numbers, then a newline; NULL when it is not --- */

static const char *
read_string(const char *at)
{
    if (*at++ != '"') {
        return NULL;
    }
    for (; *at != '"'; at++) {
        if ((unsigned char) *at < 0x20) {
            return NULL;
        }
        if (*at == '\\') {
            at++;
            if (*at == 'u' ? strspn(at + 1, "0123456789ABCDEFabcdef") < 4 : strchr("\"\\/bfnrt", *at) == NULL) {
                return NULL;
            }
        }
    }
    return at + 1;
}

static const char *
read_object(const char *at)
{
    size_t digits;

    if (*at++ != '{') {
        return NULL;
    }
    do {
        at = read_string(at);
        if (at == NULL || *at++ != ':') {
            return NULL;
        }
        digits = strspn(at, "0123456789");
        at = digits != 0 ? at + digits : read_string(at);
        if (at == NULL) {
            return NULL;
        }
    } while (*at++ == ',');
    return at[-1] == '}' && *at == '\n' ? at + 1 : NULL;
}

static bool
is_one_object(const char *text)
{
    const char *end = read_object(text);

    return end != NULL && *end == '\0' && strlen(text) <= WEIR_LOG_RECORD;
}

static void
test_form(void)
{
    const char *text, *rest;
    char        want[64];
    int         a[9];

    weir_log(WEIR_LOG_ERROR, &capture_req, ENOENT, "open() \"%s\" failed", "/x");
    text = capture_take();
    ok(is_one_object(text), "one object a line");
    is_int(sscanf(text, "{\"time\":\"%4d-%2d-%2dT%2d:%2d:%2d.%3d%3d:%2d\"", &a[0], &a[1], &a[2], &a[3], &a[4], &a[5],
                  &a[6], &a[7], &a[8]), 9, "time with milliseconds and zone");
    rest = strstr(text, "\",\"level\"");
    snprintf(want, sizeof(want), "\",\"level\":\"error\",\"pid\":%d,", (int) getpid());
    ok(rest != NULL && strncmp(rest, want, strlen(want)) == 0, "level and pid");
    is_str(weir_str_from_z(rest + strlen(want)),
           "\"connection\":5,\"message\":\"open() \\\"/x\\\" failed\",\"errno\":2,"
           "\"error\":\"No such file or directory\","
           "\"client\":\"192.0.2.7\",\"server\":\"example.com\",\"request\":\"GET / HTTP/1.1\",\"tries\":3}\n",
           "the rest in order");
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "started");
    text = capture_take();
    ok(is_one_object(text) && strstr(text, "connection") == NULL && strstr(text, "errno") == NULL,
       "none of what is not");
}

static void
test_hostile(void)
{
    char        all[256];
    const char *text;
    int         i;

    for (i = 0; i < 256; i++) {
        all[i] = (char) i;
    }
    capture_request = weir_str(all, 256);
    weir_log(WEIR_LOG_ERROR, &capture_req, 0, "a \"b\" \\ %s", "\r\n\x1b\xff");
    text = capture_take();
    ok(is_one_object(text), "every byte there is");
    ok(strstr(text, "a \\\"b\\\" \\\\ \\r\\n\\u001B\\uEFFF") != NULL, "escaped in the message too");
    ok(strstr(text, "\"tries\":3}") != NULL, "all fields are there");
}

/* Whatever the length of each part, what is left is an object. */
static void
test_lengths(void)
{
    static char large[70000];
    const char *text;
    bool        valid = true;
    size_t      i, j;

    for (i = 0; i < sizeof(large); i++) {
        large[i] = (char) (i % 3 == 0 ? '"' : i % 3 == 1 ? '\xff' : '\xc3');
    }
    for (i = 0; i < 2100; i += 13) {
        for (j = 0; j < 3000; j += 271) {
            capture_request = weir_str(large, j);
            weir_log(WEIR_LOG_ERROR, &capture_req, ENOENT, "%.*s", (int) i, large);
            valid = valid && is_one_object(capture_take());
        }
    }
    ok(valid, "objects of many lengths are valid");
    capture_request = weir_str(large, sizeof(large));
    weir_log(WEIR_LOG_ERROR, &capture_req, ENOENT, "%.*s", 65000, large);
    text = capture_take();
    ok(is_one_object(text) && strstr(text, "...\"") != NULL, "64 KiB of it");
    ok(strstr(text, "192.0.2.7") != NULL && strstr(text, "\"tries\":3") != NULL, "hide nothing else");
}

static size_t
many_fields(const weir_log_context_t *context, weir_log_field_t *out, size_t max)
{
    size_t i;

    (void) context;
    for (i = 0; i < max; i++) {
        out[i] = i % 4 == 0 ? (weir_log_field_t) { .name = "number", .number = UINT64_MAX, .is_number = true }
                            : (weir_log_field_t) { .name = "text", .value = weir_str(capture_request.at, i * 40) };
    }
    return max;
}

int
main(void)
{
    weir_log_context_t many = { .fields = many_fields };

    capture_open(true, WEIR_LOG_INFO);
    test_form();
    test_hostile();
    test_lengths();
    weir_log(WEIR_LOG_ERROR, &many, 0, "many");
    ok(is_one_object(capture_take()), "so many fields that some are left out");
    is_int(weir_log_dropped, 0, "nothing was dropped");
    weir_log_use(NULL);
    weir_log_close(&capture_sink);
    return done();
}
