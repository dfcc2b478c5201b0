/* emit.c - heads are written whole or not at all: controls other than tabs are refused wherever they stand. */
#include "http/h1/emit.h"

#include "tap.h"

#define LONGEST 40

static void
test_unsafe(void)
{
    static const char unsafe[] = { '\r', '\n', '\0' };
    unsigned          wrong = 0;

    for (size_t len = 0; len <= LONGEST; len++) {
        char       name[LONGEST], value[LONGEST], room[2 * LONGEST + 4 + 8];
        weir_buf_t b;

        memset(name, 'n', sizeof(name));
        memset(value, 'v', sizeof(value));
        memset(room, '#', sizeof(room));
        weir_buf_init(&b, room, 2 * len + 4);
        weir_emit_field(&b, weir_str(name, len), weir_str(value, len));
        wrong += b.full || weir_buf_len(&b) != 2 * len + 4 || memcmp(room, name, len) != 0
            || memcmp(room + len, ": ", 2) != 0
                 || memcmp(room + len + 2, value, len) != 0 || memcmp(room + 2 * len + 2, "\r\n########", 10) != 0;

        for (size_t at = 0; at < len; at++) {
            for (size_t i = 0; i < sizeof(unsafe); i++) {
                value[at] = unsafe[i];
                weir_buf_init(&b, room, sizeof(room));
                weir_emit_field(&b, weir_str(name, len), weir_str(value, len));
                wrong += !b.full;
                weir_buf_init(&b, room, sizeof(room));
                weir_emit_field(&b, weir_str(value, len), weir_str(name, len));
                wrong += !b.full;
                weir_buf_init(&b, room, sizeof(room));
                weir_emit_status(&b, 200, weir_str(value, len));
                wrong += !b.full;
                value[at] = 'v';
            }
        }
        weir_buf_init(&b, room, 2 * len + 3);
        weir_emit_field(&b, weir_str(name, len), weir_str(value, len));
        wrong += !b.full || weir_buf_len(&b) != 0;
    }
    is_int(wrong, 0, "texts of each length, with each unsafe byte at each place, and without room");
}

/* What was looked at before: the same bytes, each length, and nothing behind them. */
static void
test_clean(void)
{
    unsigned wrong = 0;

    for (size_t len = 1; len <= LONGEST; len++) {
        char       name[LONGEST], value[LONGEST], room[2 * LONGEST + 4 + 8];
        weir_buf_t b;

        for (size_t i = 0; i < LONGEST; i++) {
            name[i] = (char) ('A' + i % 26);
            value[i] = (char) ('0' + i % 10);
        }
        memset(room, '#', sizeof(room));
        weir_buf_init(&b, room, 2 * len + 4);
        weir_emit_clean_field(&b, weir_str(name, len), weir_str(value, len));
        wrong += b.full || weir_buf_len(&b) != 2 * len + 4 || memcmp(room, name, len) != 0
            || memcmp(room + len, ": ", 2) != 0
                 || memcmp(room + len + 2, value, len) != 0 || memcmp(room + 2 * len + 2, "\r\n########", 10) != 0;
        weir_buf_init(&b, room, 2 * len + 3);
        weir_emit_clean_field(&b, weir_str(name, len), weir_str(value, len));
        wrong += !b.full || weir_buf_len(&b) != 0;
    }
    is_int(wrong, 0, "clean texts of each length, with room and without");
}

static void
test_request_line(void)
{
    static const char unsafe[] = { '\r', '\n', '\0', '\1', '\x7f' };
    char              room[64], text[] = "/a/long/enough/target";
    weir_buf_t        b;
    unsigned          wrong = 0;

    weir_buf_init(&b, room, sizeof(room));
    weir_emit_request_line(&b, WEIR_STR("GET"), WEIR_STR("/x?y"), false);
    is_str(weir_buf_str(&b), "GET /x?y HTTP/1.1\r\n", "a request line");
    weir_buf_init(&b, room, sizeof(room));
    weir_emit_request_line(&b, WEIR_STR("PROPFIND"), WEIR_STR("*"), true);
    is_str(weir_buf_str(&b), "PROPFIND * HTTP/1.0\r\n", "one of 1.0");
    for (size_t at = 0; at < sizeof(text) - 1; at++) {
        for (size_t i = 0; i < sizeof(unsafe); i++) {
            char was = text[at];

            text[at] = unsafe[i];
            weir_buf_init(&b, room, sizeof(room));
            weir_emit_request_line(&b, WEIR_STR("GET"), weir_str(text, sizeof(text) - 1), false);
            wrong += !b.full || weir_buf_len(&b) != 0;
            weir_buf_init(&b, room, sizeof(room));
            weir_emit_request_line(&b, weir_str(text, at + 1), WEIR_STR("/"), false);
            wrong += !b.full || weir_buf_len(&b) != 0;
            text[at] = was;
        }
    }
    for (size_t size = 0; size < 18; size++) {
        weir_buf_init(&b, room, size);
        weir_emit_request_line(&b, WEIR_STR("GET"), WEIR_STR("/x?y"), false);
        wrong += !b.full || weir_buf_len(&b) != 0;
    }
    is_int(wrong, 0, "a control in method or target, or too little room: nothing");
}

static void
test_status(void)
{
    char       room[64];
    weir_buf_t b;

    weir_buf_init(&b, room, sizeof(room));
    weir_emit_status(&b, 200, WEIR_STR_NONE);
    is_str(weir_buf_str(&b), "HTTP/1.1 200 OK\r\n", "the standard reason");
    weir_buf_init(&b, room, sizeof(room));
    weir_emit_status(&b, 404, WEIR_STR("Gone fishing"));
    is_str(weir_buf_str(&b), "HTTP/1.1 404 Gone fishing\r\n", "one of its own");
    weir_buf_init(&b, room, sizeof(room));
    weir_emit_status(&b, 599, WEIR_STR_NONE);
    is_str(weir_buf_str(&b), "HTTP/1.1 599 \r\n", "none");
}

int
main(void)
{
    test_unsafe();
    test_clean();
    test_request_line();
    test_status();
    return done();
}
