/*
 * health_check.c - what peers answer to health checks: a message of gRPC's health protocol, and bytes that `expect` is
 * looked for in, which come in any pieces.
 */
#include "../../modules/http/health_check/health.h"
#include "base/protobuf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
health_must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* A message that can be read says what one of our own with its status does. */
static void
health_serving(weir_str_t all)
{
    uint64_t               serving, again;
    char                   room[32];
    weir_protobuf_writer_t out;
    weir_str_t             text;

    if (!health_probe_serving(all, &serving)) {
        return;
    }
    health_must(all.len >= 5 && all.at[0] == 0);
    weir_protobuf_write_to(&out, room + 5, sizeof(room) - 5);
    weir_protobuf_put_varint(&out, 1, serving);
    text = weir_protobuf_text(&out);
    health_must(!out.full && text.len < 20);
    memmove(room + 5, text.at, text.len);
    memcpy(room, (char[5]) { 0, 0, 0, 0, (char) text.len }, 5);
    health_must(health_probe_serving(weir_str(room, 5 + text.len), &again) && again == serving);
}

/* The first byte says how long the text is that is looked for, which begins the rest. */
static void
health_expect(weir_str_t all)
{
    health_match_t match = { .name = WEIR_STR("m") };
    char           text[256];
    size_t         len = all.len != 0 ? (unsigned char) all.at[0] % 8 : 0;
    weir_str_t     bytes;
    bool           is_there = len == 0;

    if (all.len < 1 + len) {
        return;
    }
    match.expect = weir_str(all.at + 1, len);
    bytes = weir_str_skip(all, 1 + len);
    for (size_t i = 0; i + len <= bytes.len && !is_there; i++) {
        is_there = memcmp(bytes.at + i, match.expect.at, len) == 0;
    }
    for (size_t n = 0; n <= bytes.len; n++) {
        weir_buf_t why;
        weir_io_t  io;

        weir_buf_init(&why, text, sizeof(text));
        io = health_match_bytes(&match, weir_str(bytes.at, n), n == bytes.len, &why);
        health_must(io != WEIR_OK || is_there);
        health_must(n != bytes.len || io == (is_there ? WEIR_OK : WEIR_ERROR));
        health_must((io == WEIR_ERROR) == (weir_buf_str(&why).len != 0));
        if (io != WEIR_AGAIN || n > 200) {
            break;
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_str_t all = weir_str(size != 0 ? (const char *) data : "", size);

    if (size <= 4096) {
        health_serving(all);
        health_expect(all);
    }
    return 0;
}
