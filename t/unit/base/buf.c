/* buf.c - a bounded buffer: appends fit whole or not at all. */
#include "base/buf.h"

#include "tap.h"

static void
test_appends(void)
{
    char       room[64];
    weir_buf_t b;

    weir_buf_init(&b, room, sizeof(room));
    weir_buf_add_lit(&b, "n=");
    weir_buf_add_u64(&b, UINT64_MAX);
    weir_buf_add_char(&b, ' ');
    weir_buf_add_hex(&b, 0xdeadbeef);
    weir_buf_add_char(&b, ' ');
    weir_buf_add_hex(&b, 0);
    weir_buf_printf(&b, " %s:%d", "x", 5);
    is_str(weir_buf_str(&b), "n=18446744073709551615 deadbeef 0 x:5", "numbers and text");
    ok(!b.full, "nothing was cut");
}

static void
test_bounds(void)
{
    char       room[8], large[400];
    weir_buf_t b;

    memset(room, '#', sizeof(room));
    weir_buf_init(&b, room, 6);
    weir_buf_add_lit(&b, "123456");
    ok(!b.full && weir_buf_len(&b) == 6, "the last byte may be used");
    weir_buf_add_char(&b, '7');
    ok(b.full && room[6] == '#', "not the one behind it");

    weir_buf_init(&b, large, sizeof(large));
    weir_buf_add_percent(&b, weir_str("aZ09-._~ /%\0\xff", 13));
    is_str(weir_buf_str(&b), "aZ09-._~%20%2F%25%00%FF", "unreserved bytes stay, every other is percent-encoded");
    memset(room, '#', sizeof(room));
    weir_buf_init(&b, room, 6);
    weir_buf_add_percent(&b, weir_str_from_z("a//"));
    ok(b.full && weir_buf_len(&b) == 4 && room[4] == '#', "a cut never splits an escape");

    weir_buf_init(&b, room, 6);
    weir_buf_add_lit(&b, "1234567");
    weir_buf_add_lit(&b, "1");
    ok(b.full && weir_buf_len(&b) == 0, "what follows a cut is dropped");

    weir_buf_init(&b, room, 6);
    weir_buf_printf(&b, "%d", 123456);
    is_str(weir_buf_str(&b), "123456", "a print may fill the room");
    ok(!b.full && room[6] == '#', "and needs none for a NUL");
    weir_buf_init(&b, room, 6);
    weir_buf_printf(&b, "%d", 1234567);
    ok(b.full && weir_buf_len(&b) == 0 && room[6] == '#', "a print that does not fit is dropped");

    weir_buf_init(&b, large, sizeof(large));
    weir_buf_printf(&b, "%0300d", 1);
    ok(!b.full && weir_buf_len(&b) == 300 && large[299] == '1', "a long print");
    weir_buf_printf(&b, "%0300d", 1);
    ok(b.full && weir_buf_len(&b) == 300, "and one that is too long");
    weir_buf_add(&b, NULL, 0);
    is_int(weir_buf_len(&b), 300, "nothing may be appended");
}

int
main(void)
{
    test_appends();
    test_bounds();
    return done();
}
