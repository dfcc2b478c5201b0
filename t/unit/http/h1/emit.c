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
    test_status();
    return done();
}
