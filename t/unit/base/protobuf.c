/*
 * protobuf.c - the wire format of Protocol Buffers: what is written is read again, and what is none is refused.
 */
#include "base/protobuf.h"
#include "base/utf8.h"

#include "tap.h"

#include <string.h>

/* How many fields the bytes have; -1: they are no message. */
static int
fields(const char *bytes, size_t len, uint32_t budget)
{
    weir_protobuf_reader_t in = weir_protobuf_reader(weir_str(bytes, len), &budget);
    weir_protobuf_field_t  field;
    weir_io_t              io;
    int                    n = 0;

    while ((io = weir_protobuf_next(&in, &field)) == WEIR_OK) {
        n++;
    }
    return io == WEIR_EOF ? n : -1;
}

#define FIELDS(literal) fields((literal), sizeof(literal) - 1, 1000)

static bool
reads_varint(const char *bytes, size_t len, uint64_t want)
{
    uint32_t               budget = 10;
    weir_protobuf_reader_t in = weir_protobuf_reader(weir_str(bytes, len), &budget);
    weir_protobuf_field_t  field;

    return weir_protobuf_next(&in, &field) == WEIR_OK && field.type == WEIR_PROTOBUF_VARINT && field.value == want
        && weir_protobuf_next(&in, &field) == WEIR_EOF;
}

static bool
writes_varint(uint64_t value)
{
    char                   room[16];
    weir_protobuf_writer_t out;

    weir_protobuf_write_to(&out, room, sizeof(room));
    weir_protobuf_put_varint(&out, 1, value);
    return !out.full && reads_varint(out.pos, weir_protobuf_written(&out), value);
}

static bool
cut_is_refused(const char *bytes, size_t len, size_t first)
{
    for (size_t n = first; n < len; n++) {
        if (fields(bytes, n, 100) >= 0) {
            return false;
        }
    }
    return fields(bytes, len, 100) >= 0;
}

static void
reads(void)
{
    is_int(FIELDS(""), 0, "nothing is a message");
    is_int(FIELDS("\x08\x01\x12\x02hi\x1d\x01\x02\x03\x04\x21\x01\x02\x03\x04\x05\x06\x07\x08"), 4, "the four types");
    is_int(FIELDS("\x0b\x0c"), -1, "a group");
    is_int(FIELDS("\x0c"), -1, "the end of one");
    is_int(FIELDS("\x0e\x01"), -1, "type 6");
    is_int(FIELDS("\x0f\x01"), -1, "type 7");
    is_int(FIELDS("\x00\x01"), -1, "number 0");
    is_int(FIELDS("\xf8\xff\xff\xff\x0f\x01"), 1, "the largest number of a field");
    is_int(FIELDS("\x80\x80\x80\x80\x10\x01"), -1, "a larger one");
    is_int(FIELDS("\x12\x03hi"), -1, "bytes that are not there");
    is_int(FIELDS("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), -1, "2^64 - 1 of them");
    is_int(fields("\x08\x01\x08\x01", 4, 1), -1, "more fields than may be");
    ok(reads_varint("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, UINT64_MAX), "64 bits");
    ok(reads_varint("\x08\x80\x00", 3, 0), "a longer form of a number");
    is_int(FIELDS("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), -1, "65 bits");
    is_int(FIELDS("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), -1, "eleven bytes");
    ok(cut_is_refused("\x08\xff\xff\x7f", 4, 1), "a number cut anywhere");
    ok(cut_is_refused("\x12\x05hello", 7, 1), "bytes cut anywhere");
    ok(cut_is_refused("\x21\x01\x02\x03\x04\x05\x06\x07\x08", 9, 1), "eight bytes cut anywhere");
}

static void
writes(void)
{
    char                   room[64];
    weir_protobuf_writer_t out;
    size_t                 since;

    ok(writes_varint(0) && writes_varint(127) && writes_varint(128) && writes_varint(UINT64_MAX), "numbers");
    weir_protobuf_write_to(&out, room, sizeof(room));
    since = weir_protobuf_written(&out);
    weir_protobuf_put_varint(&out, 2, 300);
    weir_protobuf_put_text(&out, 1, WEIR_STR("hi"));
    weir_protobuf_put_message(&out, 3, since);
    ok(weir_str_eq(weir_protobuf_text(&out), WEIR_STR("\x1a\x07\x0a\x02hi\x10\xac\x02")), "a message in a message");
    weir_protobuf_write_to(&out, room, sizeof(room));
    weir_protobuf_put_text(&out, 1, WEIR_STR("a\xc3\xa4\xff\xe2\x82z\xc0\x80"));
    ok(weir_str_eq(weir_protobuf_text(&out), WEIR_STR("\x0a\x09" "a\xc3\xa4!!!z!!")), "each byte that is no UTF-8 is one mark");
    weir_protobuf_write_to(&out, room, sizeof(room));
    weir_protobuf_put_text(&out, 1, WEIR_STR_NONE);
    ok(weir_str_eq(weir_protobuf_text(&out), WEIR_STR("\x0a\x00")), "an empty text");
    weir_protobuf_write_to(&out, room, 3);
    weir_protobuf_put_bytes(&out, 1, WEIR_STR("hi"));
    ok(out.full, "what has no room");
}

static void
utf8(void)
{
    ok(weir_utf8_is_text(WEIR_STR_NONE) && weir_utf8_is_text(WEIR_STR("a\xf4\x8f\xbf\xbf")), "UTF-8");
    ok(!weir_utf8_is_text(WEIR_STR("\xed\xa0\x80")), "no surrogates");
    ok(!weir_utf8_is_text(WEIR_STR("\xc0\xaf")) && !weir_utf8_is_text(WEIR_STR("\xe0\x80\xaf")), "no overlong forms");
    ok(!weir_utf8_is_text(WEIR_STR("\xf4\x90\x80\x80")) && !weir_utf8_is_text(WEIR_STR("\x80")), "nothing beyond");
    ok(!weir_utf8_is_text(WEIR_STR("a\xc3")), "nothing cut");
}

int
main(void)
{
    reads();
    writes();
    utf8();
    return done();
}
