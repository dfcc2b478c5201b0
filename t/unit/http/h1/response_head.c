/*
 * response_head.c - an upstream's head is read as strictly as a client's ; trailers.
 */
#include "http/h1/parse.h"
#include "http/message/field_rules.h"
#include "tap.h"

static weir_arena_t arena;
static char        *memory;

static weir_h1_reason_t
parse(weir_response_head_t *res, const char *data, size_t len)
{
    free(memory);
    memory = malloc(len + 1);
    memcpy(memory, data, len);
    weir_arena_reset(&arena);
    return weir_h1_parse_response(res, weir_str(memory, len), 100, &arena);
}

static weir_h1_reason_t
parse_z(weir_response_head_t *res, const char *head)
{
    return parse(res, head, strlen(head));
}

typedef struct { const char *name, *bytes; size_t len; weir_h1_reason_t want; } row_t;

#define HEAD(name, text, want)   { name, text "\r\n\r\n", sizeof(text "\r\n\r\n") - 1, want }
#define FIELDS(name, text, want) HEAD(name, "HTTP/1.1 200 OK\r\n" text, want)

static const row_t rows[] = {
    /* status line */
    HEAD("a plain one", "HTTP/1.1 200 OK", WEIR_H1_OK),
    HEAD("no reason", "HTTP/1.1 200 ", WEIR_H1_OK),
    HEAD("no reason and no SP", "HTTP/1.1 200", WEIR_H1_OK),
    HEAD("bytes above 0x7f in the reason", "HTTP/1.1 200 \xc3\xa9\tx", WEIR_H1_OK),
    HEAD("status 100", "HTTP/1.1 100 Continue", WEIR_H1_OK),
    HEAD("status 199", "HTTP/1.1 199 x", WEIR_H1_OK),
    HEAD("status 599", "HTTP/1.1 599 x", WEIR_H1_OK),
    HEAD("status 99", "HTTP/1.1 99 OK", WEIR_H1_BAD_STATUS),
    HEAD("status 099", "HTTP/1.1 099 OK", WEIR_H1_BAD_STATUS),
    HEAD("status 000", "HTTP/1.1 000 OK", WEIR_H1_BAD_STATUS),
    HEAD("status 600", "HTTP/1.1 600 OK", WEIR_H1_BAD_STATUS),
    HEAD("status 1000", "HTTP/1.1 1000 OK", WEIR_H1_BAD_STATUS),
    HEAD("status 2000", "HTTP/1.1 2000", WEIR_H1_BAD_STATUS),
    HEAD("status 0xx", "HTTP/1.1 0xx OK", WEIR_H1_BAD_STATUS),
    HEAD("status 2 0", "HTTP/1.1 2 0 OK", WEIR_H1_BAD_STATUS),
    HEAD("status -20", "HTTP/1.1 -20 OK", WEIR_H1_BAD_STATUS),
    HEAD("a tab behind the status", "HTTP/1.1 200\tOK", WEIR_H1_BAD_STATUS),
    HEAD("no status", "HTTP/1.1 ", WEIR_H1_BAD_STATUS_LINE),
    HEAD("no status and no SP", "HTTP/1.1", WEIR_H1_BAD_STATUS_LINE),
    HEAD("two SP", "HTTP/1.1  200 OK", WEIR_H1_BAD_STATUS),
    HEAD("a tab before the status", "HTTP/1.1\t200 OK", WEIR_H1_BAD_STATUS_LINE),
    HEAD("HTTP/2", "HTTP/2 200 OK", WEIR_H1_BAD_STATUS_LINE),
    HEAD("HTTP/2.0", "HTTP/2.0 200 OK", WEIR_H1_BAD_STATUS_LINE),
    HEAD("HTTP/0.9", "HTTP/0.9 200 OK", WEIR_H1_BAD_STATUS_LINE),
    HEAD("HTTP/1.10", "HTTP/1.10 200 OK", WEIR_H1_BAD_STATUS_LINE),
    HEAD("lower case", "http/1.1 200 OK", WEIR_H1_BAD_STATUS_LINE),
    HEAD("ICY", "ICY 200 OK, really", WEIR_H1_BAD_STATUS_LINE),
    HEAD("an HTTP/0.9 body", "<html>Hello, world</html>", WEIR_H1_BAD_STATUS_LINE),
    HEAD("empty first line", "\r\nHTTP/1.1 200 OK", WEIR_H1_BAD_STATUS_LINE),
    HEAD("NUL in the reason", "HTTP/1.1 200 O\0K", WEIR_H1_BAD_STATUS_LINE),
    HEAD("CR in the reason", "HTTP/1.1 200 O\rK", WEIR_H1_BAD_STATUS_LINE),
    HEAD("CRCRLF", "HTTP/1.1 200 OK\r", WEIR_H1_BAD_STATUS_LINE),
    HEAD("bare LF", "HTTP/1.1 200 OK\nX: y", WEIR_H1_BAD_STATUS_LINE),
    /* fields */
    FIELDS("a field", "X: y", WEIR_H1_OK),
    FIELDS("odd names are kept", "x.y_z!: 1", WEIR_H1_OK),
    FIELDS("bare LF in a field", "X: y\nZ: 1", WEIR_H1_BAD_FIELD_VALUE),
    FIELDS("NUL in a value", "X: \0", WEIR_H1_BAD_FIELD_VALUE),
    FIELDS("ESC in a value", "X: \x1b", WEIR_H1_BAD_FIELD_VALUE),
    FIELDS("a name that is no token", "X@: y", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("an empty name", ": y", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("no colon", "X y", WEIR_H1_NO_COLON),
    FIELDS("SP before the colon", "X : y", WEIR_H1_SPACE_BEFORE_COLON),
    FIELDS("obs-fold", "X: y\r\n z", WEIR_H1_OBS_FOLD),
    FIELDS("obs-fold first", " X: y", WEIR_H1_OBS_FOLD),
    /* framing */
    FIELDS("CL", "Content-Length: 5", WEIR_H1_OK),
    FIELDS("CL twice", "Content-Length: 5\r\nContent-Length: 5", WEIR_H1_TWO_CONTENT_LENGTHS),
    FIELDS("CL list", "Content-Length: 5, 5", WEIR_H1_BAD_CONTENT_LENGTH),
    FIELDS("CL negative", "Content-Length: -1", WEIR_H1_BAD_CONTENT_LENGTH),
    FIELDS("CL empty", "Content-Length:", WEIR_H1_BAD_CONTENT_LENGTH),
    FIELDS("CL 2^64", "Content-Length: 18446744073709551616", WEIR_H1_BAD_CONTENT_LENGTH),
    FIELDS("CL and TE", "Content-Length: 5\r\nTransfer-Encoding: chunked", WEIR_H1_LENGTH_AND_CODING),
    FIELDS("TE", "Transfer-Encoding: chunked", WEIR_H1_OK),
    FIELDS("TE twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", WEIR_H1_BAD_TRANSFER_CODING),
    FIELDS("TE unknown", "Transfer-Encoding: gzip", WEIR_H1_BAD_TRANSFER_CODING),
    FIELDS("TE identity", "Transfer-Encoding: identity", WEIR_H1_BAD_TRANSFER_CODING),
    FIELDS("TE gzip, chunked", "Transfer-Encoding: gzip, chunked", WEIR_H1_BAD_TRANSFER_CODING),
    HEAD("TE in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked", WEIR_H1_CODING_IN_1_0),
};

static void
test_rows(void)
{
    weir_response_head_t res;
    size_t             i;

    for (i = 0; i < weir_countof(rows); i++) {
        is_int(parse(&res, rows[i].bytes, rows[i].len), rows[i].want, rows[i].name);
    }
}

static void
test_values(void)
{
    weir_response_head_t res;
    char               head[2048];
    size_t             i, n;

    is_int(parse_z(&res,
                   "HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\nSet-Cookie: a\r\nX_y: 1\r\nSet-Cookie: b\r\n\r\n"),
           WEIR_H1_OK, "a plain head");
    is_int(res.status, 404, "its status");
    is_str(res.reason, "Not Found", "its reason");
    ok(res.content_length == 7 && !res.chunked && res.keep_alive && res.minor == 1, "its framing");
    is_int(res.fields.n, 4, "its fields");
    is_str(weir_fields_next(&res.fields, weir_fields_first(&res.fields, WEIR_HEADER_SET_COOKIE))->value, "b",
           "the second cookie");
    (void) parse_z(&res, "HTTP/1.1 204\r\n\r\n");
    ok(res.reason.len == 0 && res.content_length == WEIR_LENGTH_NONE, "no reason, no length");
    (void) parse_z(&res, "HTTP/1.0 200 OK\r\n\r\n");
    ok(!res.keep_alive && res.minor == 0, "1.0");
    (void) parse_z(&res, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n");
    ok(res.keep_alive, "1.0 keep-alive");
    (void) parse_z(&res, "HTTP/1.1 200 OK\r\nConnection: x, close\r\nx: 1\r\nContent-Length: 1\r\n\r\n");
    ok(!res.keep_alive, "1.1 close");
    ok((weir_fields_find(&res.fields, WEIR_STR("x"))->flags & WEIR_FIELD_HOP) != 0, "a field named by Connection");
    (void) parse_z(&res, "HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    ok(res.upgrade, "101");
    (void) parse_z(&res, "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n");
    ok(!res.upgrade, "101 without Connection");
    (void) parse_z(&res, "HTTP/1.1 200 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    ok(!res.upgrade, "200 is no upgrade");

    n = (size_t) snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n");
    for (i = 0; i < 101; i++) {
        n += (size_t) snprintf(head + n, sizeof(head) - n, "Set-Cookie: %zu\r\n", i);
    }
    n += (size_t) snprintf(head + n, sizeof(head) - n, "\r\n");
    is_int(parse(&res, head, n), WEIR_H1_TOO_MANY_FIELDS, "too many fields");
}

static weir_h1_reason_t
parse_trailers(weir_fields_t *fields, const char *lines)
{
    size_t len = strlen(lines);

    free(memory);
    memory = malloc(len + 1);
    memcpy(memory, lines, len);
    weir_arena_reset(&arena);
    *fields = (weir_fields_t) { .n = 0 };
    return weir_h1_parse_trailers(fields, weir_str(memory, len), 10, &arena);
}

static bool
allowed(const char *name)
{
    weir_field_t field = { .name = weir_str_from_z(name) };

    field.id = (uint16_t) weir_header_id(field.name);
    return weir_field_rules_may_trail(&field);
}

/* trailers */
static void
test_trailers(void)
{
    static const char *const refused[] = {
        "Content-Length", "Transfer-Encoding", "Host", "Authorization", "X-Forwarded-For", "x-forwarded-port",
        "Content-Type", "content-security-policy", "Set-Cookie", "Connection", "TE", "Trailer", "Cookie",
        "Cache-Control", "Location", "Expect", "If-Whatever", "Proxy-X", "X-Accel-Thing", "X-HTTP-Method-Override",
        "X-Original-URL", "X-Rewrite-URL", "Content_Length", "x.y", "X-Real-IP", "Access-Control-Allow-Methods",
        "Sec-Fetch-Site", "",
    };
    weir_fields_t fields;
    size_t        i;

    is_int(parse_trailers(&fields, ""), WEIR_H1_OK, "no trailers");
    is_int(parse_trailers(&fields, "\r\n"), WEIR_H1_OK, "an empty line");
    is_int(parse_trailers(&fields, "grpc-status: 0\r\nETag: \"x\"\r\nContent_Length: 5\r\n\r\n"), WEIR_H1_OK,
           "trailers");
    is_int(fields.n, 2, "without the alias");
    is_str(fields.at[0].value, "0", "the first one's value");
    is_int(parse_trailers(&fields, "a: b\r\n"), WEIR_H1_BAD_FIELD_VALUE, "no empty line");
    is_int(parse_trailers(&fields, "a b\r\n\r\n"), WEIR_H1_NO_COLON, "no colon");
    is_int(parse_trailers(&fields, "a: b\r\n c\r\n\r\n"), WEIR_H1_OBS_FOLD, "obs-fold");
    is_int(parse_trailers(&fields, "a: b\nc: d\r\n\r\n"), WEIR_H1_BAD_FIELD_VALUE, "bare LF");
    is_int(parse_trailers(&fields, "a:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\n\r\n"),
           WEIR_H1_TOO_MANY_FIELDS,
           "too many");

    ok(allowed("grpc-status") && allowed("Server-Timing") && allowed("etag") && allowed("X-Checksum"),
       "may be trailers");
    for (i = 0; i < weir_countof(refused); i++) {
        ok(!allowed(refused[i]), refused[i]);
    }
}

int
main(void)
{
    weir_arena_init(&arena, 4096);
    test_rows();
    test_values();
    test_trailers();
    weir_arena_fini(&arena);
    free(memory);
    return done();
}
