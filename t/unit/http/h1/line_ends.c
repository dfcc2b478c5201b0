/*
 * line_ends.c - a head whose lines end in LF becomes one whose lines end in CRLF; a mix is refused; it ends at the same
 * byte however it arrives.
 */
#include "http/h1/parse.h"
#include "tap.h"

static const weir_h1_limits_t limits = { .max_line = 64, .max_field = 64, .max_head = 256, .max_fields = 5,
                                         .takes_lf = true };

static weir_arena_t arena;

/* Where the head ends, byte by byte and whole. */
static weir_h1_scan_result_t
scan(const char *text, size_t *head)
{
    weir_h1_scan_t        bytes = { .at = 0 }, whole = { .at = 0 };
    weir_h1_scan_result_t result = WEIR_H1_MORE, other;
    size_t                len = strlen(text), at, other_head = 0;

    *head = 0;
    for (at = 1; at <= len && result == WEIR_H1_MORE; at++) {
        char *copy = malloc(at);

        memcpy(copy, text, at);
        result = weir_h1_scan(&bytes, &limits, copy, at, head);
        free(copy);
    }
    other = weir_h1_scan(&whole, &limits, text, len, &other_head);
    ok(other == result && other_head == *head, "the same however it arrives");
    return result;
}

static void
check(const char *name, const char *text, weir_h1_scan_result_t want, size_t length, weir_h1_reason_t reason,
      const char *becomes)
{
    size_t     head;
    weir_str_t out;

    is_int(scan(text, &head), want, name);
    is_int(head, length, "its length");
    if (want != WEIR_H1_DONE) {
        return;
    }
    out = weir_str(text, head);
    is_int(weir_h1_line_ends(&out, &arena), reason, "its ends");
    if (becomes != NULL) {
        is_str(out, becomes, "what is parsed");
    }
}

int
main(void)
{
    weir_str_t none = WEIR_STR_NONE;

    weir_arena_init(&arena, 4096);
    check("CRLF stays", "GET / HTTP/1.1\r\nHost: a\r\n\r\nmore", WEIR_H1_DONE, 27, WEIR_H1_OK,
          "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    check("LF becomes CRLF", "GET / HTTP/1.1\nHost: a\n\nmore", WEIR_H1_DONE, 24, WEIR_H1_OK,
          "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    check("no fields", "HTTP/1.1 200 OK\n\n", WEIR_H1_DONE, 17, WEIR_H1_OK, "HTTP/1.1 200 OK\r\n\r\n");
    check("LF first, then CRLF", "GET / HTTP/1.1\nHost: a\r\n\r\n", WEIR_H1_DONE, 26, WEIR_H1_MIXED_LINE_ENDS, NULL);
    check("a last line of CRLF", "GET / HTTP/1.1\nHost: a\n\r\n", WEIR_H1_DONE, 25, WEIR_H1_MIXED_LINE_ENDS, NULL);
    check("a CR in a value", "GET / HTTP/1.1\nX: a\rb\n\n", WEIR_H1_DONE, 23, WEIR_H1_MIXED_LINE_ENDS, NULL);
    check("CRLF first, then LF: as it is, for the parser to refuse", "GET / HTTP/1.1\r\nHost: a\n\nGET /b",
          WEIR_H1_DONE, 25, WEIR_H1_OK,
          "GET / HTTP/1.1\r\nHost: a\n\n");
    check("not yet", "GET / HTTP/1.1\nHost: a\n", WEIR_H1_MORE, 0, WEIR_H1_OK, NULL);
    check("an LF first", "\nGET / HTTP/1.1\n\n", WEIR_H1_BAD, 0, WEIR_H1_OK, NULL);
    check("too many", "G\na:\nb:\nc:\nd:\ne:\nf:\n\n", WEIR_H1_FIELD_TOO_LONG, 0, WEIR_H1_OK, NULL);
    is_int(weir_h1_line_ends(&none, &arena), WEIR_H1_OK, "nothing");
    weir_arena_fini(&arena);
    return done();
}
