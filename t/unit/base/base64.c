/*
 * base64.c - base64 with padding, one text for each sequence of bytes.
 */
#include "base/base64.h"

#include "../tap.h"

static void
is_pair(const char *plain, const char *coded)
{
    char       room[64];
    size_t     len = 99;
    weir_buf_t out;

    weir_buf_init(&out, room, sizeof(room));
    weir_base64_add(&out, weir_str_from_z(plain));
    ok(weir_str_eq(weir_buf_str(&out), weir_str_from_z(coded)), coded);
    ok(weir_buf_len(&out) == weir_base64_encoded(strlen(plain)), "as long as it says");
    ok(weir_base64_decode(weir_str_from_z(coded), room, &len) && weir_str_eq(weir_str(room, len), weir_str_from_z(plain)),
       "and back");
}

static void
is_none(const char *text)
{
    char   room[64];
    size_t len;

    ok(!weir_base64_decode(weir_str_from_z(text), room, &len), text);
}

int
main(void)
{
    /* RFC 4648 §10 */
    is_pair("", "");
    is_pair("f", "Zg==");
    is_pair("fo", "Zm8=");
    is_pair("foo", "Zm9v");
    is_pair("foob", "Zm9vYg==");
    is_pair("fooba", "Zm9vYmE=");
    is_pair("foobar", "Zm9vYmFy");
    is_pair("\xfb\xff\xbf", "+/+/");
    is_none("Zg");
    is_none("Zg=");
    is_none("Zg===");
    is_none("Zh==");
    is_none("Zm9=");
    is_none("====");
    is_none("=");
    is_none("Z===");
    is_none("Zg==Zg==");
    is_none("Zm 9");
    is_none("Zm9v\n");
    is_none("-_-_");
    return done();
}
