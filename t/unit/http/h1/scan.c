/*
 * scan.c - the end of a head is found, and a bad one refused, at the same byte however it arrives.
 */
#include "http/h1/parse.h"
#include "tap.h"

static const weir_h1_limits_t roomy = { .max_line = 8192, .max_field = 8192, .max_head = 32768, .max_fields = 100 };

/* Feeds len bytes in pieces of `step`, each time from a copy of exactly what is there so far; *used: when the
 * verdict fell. */
static weir_h1_scan_result_t
scan_in_steps(const weir_h1_limits_t *limits, const char *data, size_t len, size_t step, size_t *head, size_t *used)
{
    weir_h1_scan_t        scan = { .at = 0 };
    weir_h1_scan_result_t result = WEIR_H1_MORE;
    char                 *copy;

    for (*used = 0; *used < len && result == WEIR_H1_MORE;) {
        *used = *used + step < len ? *used + step : len;
        copy = malloc(*used);
        memcpy(copy, data, *used);
        result = weir_h1_scan(&scan, limits, copy, *used, head);
        free(copy);
    }
    return result;
}

/* Whole, byte by byte, and cut once at every place: one verdict, one length. */
static void
check_everywhere(const weir_h1_limits_t *limits, const char *data, size_t len, weir_h1_scan_result_t want,
                 size_t want_head,
                 const char *name)
{
    weir_h1_scan_result_t result;
    size_t                head, used, step, differ = 0;

    for (step = 1; step <= len; step++) {
        head = 0;
        result = scan_in_steps(limits, data, len, step, &head, &used);
        if (result != want || head != want_head) {
            differ++;
            printf("# %s: in steps of %zu: result %d, head %zu\n", name, step, (int) result, head);
        }
    }
    is_int(differ, 0, name);
}

#define CHECK(limits, data, want, head) check_everywhere(limits, data, sizeof(data) - 1, want, head, data)

static void
test_ends(void)
{
    CHECK(&roomy, "GET / HTTP/1.1\r\n\r\n", WEIR_H1_DONE, 18);
    CHECK(&roomy, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", WEIR_H1_DONE, 27);
    CHECK(&roomy, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next", WEIR_H1_DONE, 27);
    CHECK(&roomy, "HTTP/1.1 200 OK\r\n\r\nbody\n", WEIR_H1_DONE, 19);
    CHECK(&roomy, "GET / HTTP/1.1\r\nHost: a\r\n", WEIR_H1_MORE, 0);
    CHECK(&roomy, "GET / HTTP/1.1\r\nHost: a\r\n\r", WEIR_H1_MORE, 0);
    CHECK(&roomy, "G", WEIR_H1_MORE, 0);
}

static void
test_line_ends(void)
{
    CHECK(&roomy, "GET / HTTP/1.1\n", WEIR_H1_BAD, 0);
    CHECK(&roomy, "GET / HTTP/1.1\n\r\n", WEIR_H1_BAD, 0);
    CHECK(&roomy, "GET / HTTP/1.1\r\nHost: a\n\r\n", WEIR_H1_BAD, 0);
    CHECK(&roomy, "GET / HTTP/1.1\r\nHost: a\r\n\n", WEIR_H1_BAD, 0);
    CHECK(&roomy, "GET / HTTP/1.1\r\nHost: a\r \n", WEIR_H1_BAD, 0);
    CHECK(&roomy, "HTTP/1.1 200 OK\n\n", WEIR_H1_BAD, 0);
}

static void
test_first_byte(void)
{
    CHECK(&roomy, "\r\nGET / HTTP/1.1\r\n\r\n", WEIR_H1_BAD, 0);
    CHECK(&roomy, "\nGET / HTTP/1.1\r\n\r\n", WEIR_H1_BAD, 0);
    CHECK(&roomy, " GET / HTTP/1.1\r\n\r\n", WEIR_H1_BAD, 0);
    CHECK(&roomy, "\x16\x03\x01\x02", WEIR_H1_BAD, 0);      /* a TLS handshake */
    CHECK(&roomy, "\x80\x2e", WEIR_H1_BAD, 0);
    check_everywhere(&roomy, "\0GET", 4, WEIR_H1_BAD, 0, "NUL");
}

static void
test_limits(void)
{
    weir_h1_limits_t limits = { .max_line = 10, .max_field = 6, .max_head = 100, .max_fields = 3 };

    CHECK(&limits, "12345678\r\n\r\n", WEIR_H1_DONE, 12);
    CHECK(&limits, "123456789\r\n\r\n", WEIR_H1_LINE_TOO_LONG, 0);
    CHECK(&limits, "1234567890123", WEIR_H1_LINE_TOO_LONG, 0);
    CHECK(&limits, "1234567890\n", WEIR_H1_LINE_TOO_LONG, 0);       /* the limit is passed before the LF is seen */
    CHECK(&limits, "123456789\n", WEIR_H1_BAD, 0);
    CHECK(&limits, "G\r\nab:c\r\n\r\n", WEIR_H1_DONE, 11);
    CHECK(&limits, "G\r\nab:cd\r\n\r\n", WEIR_H1_FIELD_TOO_LONG, 0);
    CHECK(&limits, "G\r\na:\r\nb:\r\nc:\r\n\r\n", WEIR_H1_DONE, 17);
    CHECK(&limits, "G\r\na:\r\nb:\r\nc:\r\nd:\r\n\r\n", WEIR_H1_FIELD_TOO_LONG, 0);
    limits.max_head = 12;
    CHECK(&limits, "G\r\nab:c\r\n\r\n", WEIR_H1_DONE, 11);
    CHECK(&limits, "GE\r\nab:c\r\n\r\n", WEIR_H1_DONE, 12);
    CHECK(&limits, "GET\r\nab:c\r\n\r\n", WEIR_H1_FIELD_TOO_LONG, 0);
    limits.max_head = 5;
    CHECK(&limits, "GET / HT", WEIR_H1_LINE_TOO_LONG, 0);
    limits = (weir_h1_limits_t) { .max_line = 10, .max_field = 6, .max_head = 100, .max_fields = 0 };
    CHECK(&limits, "G\r\na:\r\nb:\r\nc:\r\nd:\r\n\r\n", WEIR_H1_DONE, 21);
}

int
main(void)
{
    test_ends();
    test_line_ends();
    test_first_byte();
    test_limits();
    return done();
}
