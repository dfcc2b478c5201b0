/*
 * h2_driver.h - a whole HTTP/2 connection driven by a fuzzer's bytes: they are a program of frames to send and of what
 * the role does.
 *
 * Frames are well-formed by default, so that inputs reach behind the frame heads and HPACK; single operations send
 * anything.  What Weir writes is read by its own rules: frames whole and within their size, blocks that decode, DATA
 * within the connection's window. Every stream that was begun is told to be over, once.
 */
#ifndef WEIR_T_FUZZ_H2_DRIVER_H
#define WEIR_T_FUZZ_H2_DRIVER_H

#include "base/mem.h"
#include "event/conn.h"
#include "http/h2/session.h"
#include "os/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DRIVER_STREAMS 64
#define DRIVER_OUT     (256 * 1024)

typedef struct { weir_h2_stream_t *stream; bool head_done, over, released; } driver_stream_t;

typedef struct {
    const uint8_t     *at, *end;
    bool               is_server, dead, ends;
    weir_loop_t       *loop;
    weir_conn_t        conn;
    int                far;
    weir_h2_session_t *session;
    driver_stream_t    streams[DRIVER_STREAMS];
    uint32_t           n_streams, next_id;
    /* what comes back */
    char               back[DRIVER_OUT];
    size_t             back_len;
    bool               preface_seen;
    weir_hpack_decoder_t decoder;
    char               block[DRIVER_OUT];
    size_t             block_len;
    uint64_t           data_seen, window_given;
    uint32_t           frame_max;
} driver_t;

static driver_t driver;

/* -- the input -- */

static inline uint32_t
driver_take(unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | (driver.at < driver.end ? *driver.at++ : 0);
    }
    return value;
}

static inline weir_str_t
driver_take_bytes(size_t max)
{
    size_t wanted = driver_take(1) % (max + 1), n = weir_min(wanted, (size_t) (driver.end - driver.at));
    weir_str_t bytes = weir_str((const char *) driver.at, n);

    driver.at += n;
    return bytes;
}

/* -- the role -- */

static driver_stream_t *
driver_of(weir_h2_stream_t *stream)
{
    return stream->owner;
}

static bool
driver_on_head_begin(weir_h2_stream_t *stream)
{
    driver_stream_t *its = driver_of(stream);

    if (driver.is_server && its == NULL) {
        if (driver.n_streams == DRIVER_STREAMS) {
            return false;
        }
        its = &driver.streams[driver.n_streams++];
        *its = (driver_stream_t) { .stream = stream };
        stream->owner = its;
    }
    return true;
}

static bool
driver_on_field(weir_h2_stream_t *stream, const weir_hpack_field_t *field)
{
    size_t sum = 0;

    weir_assert(stream->owner != NULL && field->name.at != NULL);
    for (size_t i = 0; i < field->name.len; i++) {
        sum += (uint8_t) field->name.at[i];
    }
    for (size_t i = 0; i < field->value.len; i++) {
        sum += (uint8_t) field->value.at[i];
    }
    return sum % 97 != 13;
}

static void
driver_release(driver_stream_t *its)
{
    if (!its->released) {
        its->released = true;
        weir_h2_stream_release(its->stream);
        its->stream = NULL;
    }
}

static void
driver_on_head(weir_h2_stream_t *stream, bool too_large WEIR_UNUSED, bool end)
{
    driver_stream_t *its = driver_of(stream);

    weir_assert(its != NULL && !its->over && !its->released && (!end || stream->peer_ended));
    its->head_done = true;
}

static void
driver_read(driver_stream_t *its, size_t cap)
{
    weir_str_t bytes;
    size_t sum = 0;

    while (weir_h2_stream_read(its->stream, cap, &bytes) == WEIR_OK) {
        weir_assert(bytes.len != 0 && bytes.len <= cap);
        for (size_t i = 0; i < bytes.len; i++) {
            sum += (uint8_t) bytes.at[i];
        }
        if (sum % 5 == 1) {
            return;
        }
    }
}

static void
driver_on_data(weir_h2_stream_t *stream)
{
    driver_stream_t *its = driver_of(stream);

    weir_assert(its != NULL && !its->released);
    if (stream->id % 4 == 1) {
        driver_read(its, 1000);
    }
}

static void
driver_on_writable(weir_h2_stream_t *stream)
{
    weir_assert(driver_of(stream) != NULL && !driver_of(stream)->released);
}

static void
driver_on_closed(weir_h2_stream_t *stream, uint32_t code WEIR_UNUSED, bool by_peer WEIR_UNUSED,
                 bool retryable WEIR_UNUSED)
{
    driver_stream_t *its = driver_of(stream);

    if (its == NULL) {
        return;
    }
    weir_assert(!its->over && !its->released && stream->closed);
    its->over = true;
    if (driver.ends || stream->id % 8 < 4) {
        driver_release(its);
    }
}

static void driver_on_change(weir_h2_session_t *session WEIR_UNUSED) {}
static void driver_on_idle(weir_h2_session_t *session WEIR_UNUSED, bool idle WEIR_UNUSED) {}

static void
driver_on_dead(weir_h2_session_t *session WEIR_UNUSED)
{
    weir_assert(!driver.dead);
    driver.dead = true;
}

static const weir_h2_role_t driver_role = {
    .on_head_begin = driver_on_head_begin,
    .on_field = driver_on_field,
    .on_head = driver_on_head,
    .on_data = driver_on_data,
    .on_writable = driver_on_writable,
    .on_closed = driver_on_closed,
    .on_change = driver_on_change,
    .on_idle = driver_on_idle,
    .on_dead = driver_on_dead,
};

/* -- what Weir says -- */

static void
driver_check_block(void)
{
    weir_hpack_field_t field;
    weir_hpack_result_t result;
    size_t at = 0;

    weir_hpack_block_begin(&driver.decoder);
    while ((result = weir_hpack_next(&driver.decoder, weir_str(driver.block, driver.block_len), &at,
                                     &field)) == WEIR_HPACK_FIELD)
    {
        weir_assert(field.name.len != 0);
    }
    weir_assert(result == WEIR_HPACK_END);
    driver.block_len = 0;
}

static void
driver_check_frame(const weir_h2_frame_t *f, const char *payload)
{
    bool on_stream;

    weir_assert(f->length <= driver.frame_max
                && weir_h2_frame_check(f, driver.frame_max, &on_stream) == WEIR_H2_NO_ERROR);
    weir_assert(driver.block_len == 0 || f->type == WEIR_H2_CONTINUATION);
    if (f->type == WEIR_H2_DATA) {
        driver.data_seen += f->length;
        weir_assert(driver.data_seen <= driver.window_given);
    }
    if (f->type == WEIR_H2_HEADERS || f->type == WEIR_H2_CONTINUATION) {
        weir_assert(driver.block_len + f->length <= sizeof(driver.block));
        memcpy(driver.block + driver.block_len, payload, f->length);
        driver.block_len += f->length;
        if (f->flags & WEIR_H2_END_HEADERS) {
            driver_check_block();
        }
    }
}

static void
driver_hear(void)
{
    size_t at = 0;
    ssize_t got;

    while (driver.back_len < sizeof(driver.back)
           && (got = read(driver.far, driver.back + driver.back_len, sizeof(driver.back) - driver.back_len)) > 0)
    {
        driver.back_len += (size_t) got;
    }
    if (!driver.preface_seen && !driver.is_server) {
        if (driver.back_len < WEIR_H2_PREFACE_LEN) {
            return;
        }
        weir_assert(memcmp(driver.back, WEIR_H2_PREFACE, WEIR_H2_PREFACE_LEN) == 0);
        at = WEIR_H2_PREFACE_LEN;
    }
    driver.preface_seen = true;
    while (driver.back_len - at >= WEIR_H2_FRAME_HEAD) {
        weir_h2_frame_t f = weir_h2_frame_read(driver.back + at);
        if (driver.back_len - at - WEIR_H2_FRAME_HEAD < f.length) {
            break;
        }
        driver_check_frame(&f, driver.back + at + WEIR_H2_FRAME_HEAD);
        at += WEIR_H2_FRAME_HEAD + f.length;
    }
    memmove(driver.back, driver.back + at, driver.back_len - at);
    driver.back_len -= at;
}

/* -- sending -- */

static void
driver_turn(void)
{
    weir_loop_turn(driver.loop, (weir_msec_t) { 0 });
    if (driver.far >= 0) {
        driver_hear();
    }
}

static void
driver_write(const char *bytes, size_t len)
{
    while (len != 0 && driver.far >= 0) {
        ssize_t n = send(driver.far, bytes, len, MSG_NOSIGNAL);
        if (n <= 0) {
            driver_turn();
            n = send(driver.far, bytes, len, MSG_NOSIGNAL);
            if (n <= 0) {
                return;
            }
        }
        bytes += n;
        len -= (size_t) n;
    }
}

static void
driver_frame(uint8_t type, uint8_t flags, uint32_t stream, const char *payload, size_t len)
{
    char head[WEIR_H2_FRAME_HEAD];

    weir_h2_frame_write(head, (uint32_t) len, (weir_h2_type_t) type, flags, stream);
    driver_write(head, sizeof(head));
    driver_write(payload, len);
}

static uint32_t
driver_pick_id(void)
{
    uint32_t k = driver_take(1);

    return k >= 0xf0 ? driver_take(2) : (k % 32) * 2 + 1;
}

static size_t
driver_put_field(char *out, const char *name, weir_str_t value)
{
    size_t n = strlen(name), at = 0;

    out[at++] = 0x10;
    out[at++] = (char) n;
    memcpy(out + at, name, n);
    at += n;
    out[at++] = (char) (value.len & 0x7f);
    memcpy(out + at, value.at, value.len & 0x7f);
    return at + (value.len & 0x7f);
}

static void
driver_send_head(void)
{
    static const char *const names[] = { "x-a", "cookie", "content-length", "te", "connection", "priority", "host",
                                         "X-Upper" };
    char block[4096];
    size_t len = 0;
    uint32_t what = driver_take(1), id = what & 1 || driver.next_id > 200 ? driver_pick_id() : driver.next_id;
    uint8_t flags = (what & 2 ? WEIR_H2_END_STREAM : 0) | (what & 4 ? 0 : WEIR_H2_END_HEADERS);

    if (id == driver.next_id) {
        driver.next_id += 2;
    }
    if (driver.is_server && !(what & 8)) {
        memcpy(block, "\x82\x84\x86", 3);         /* GET / http */
        len = 3 + driver_put_field(block + 3, ":authority", WEIR_STR("a"));
    } else if (!(what & 8)) {
        block[len++] = (char) (0x88 + what / 64);  /* 200, 204, 206, 304 */
    }
    for (uint32_t n = driver_take(1) % 6; n != 0; n--) {
        const char *name = names[driver_take(1) % weir_countof(names)];
        len += driver_put_field(block + len, name, driver_take_bytes(100));
    }
    if (what & 16) {
        weir_str_t raw = driver_take_bytes(200);
        memcpy(block + len, raw.at, raw.len);
        len += raw.len;
    }
    driver_frame(WEIR_H2_HEADERS, flags, id, block, len);
}

static void
driver_send_data(void)
{
    static const char zeros[20000];
    uint32_t id = driver_pick_id(), what = driver_take(1);
    size_t len = what & 4 ? driver_take(2) % 17000 : what >> 3;

    driver_frame(WEIR_H2_DATA, (uint8_t) (what & 1 ? WEIR_H2_END_STREAM : 0) | (what & 2 ? WEIR_H2_PADDED : 0), id,
                 zeros, len);
}

static void
driver_send_setting(void)
{
    char payload[6];
    uint32_t id = driver_take(1) % 10, value = driver_take(4);

    if (id == WEIR_H2_SET_HEADER_TABLE_SIZE) {
        value %= 4097;                           /* our decoder stays at that */
    }
    if (id == WEIR_H2_SET_MAX_FRAME_SIZE && value >= 16384 && value <= 0xffffff) {
        driver.frame_max = (uint32_t) weir_max(driver.frame_max, value);
    }
    weir_h2_put_u16(payload, (uint16_t) id);
    weir_h2_put_u32(payload + 2, value);
    driver_frame(WEIR_H2_SETTINGS, 0, 0, payload, sizeof(payload));
}

static void
driver_send_window(void)
{
    uint32_t id = driver_take(1) & 1 ? 0 : driver_pick_id();
    uint32_t by = driver_take(1) & 1 ? driver_take(4) : driver_take(1) * 100;
    char payload[4];

    weir_h2_put_u32(payload, by);
    driver.window_given += id == 0 ? by & WEIR_H2_WINDOW_MAX : 0;
    driver_frame(WEIR_H2_WINDOW_UPDATE, 0, id, payload, 4);
}

static void
driver_send_anything(void)
{
    uint32_t type = driver_take(1), flags = driver_take(1), id = driver_pick_id();
    weir_str_t payload = driver_take_bytes(255);

    if (type == WEIR_H2_WINDOW_UPDATE && id == 0 && payload.len == 4) {
        driver.window_given += weir_h2_u32(payload.at) & WEIR_H2_WINDOW_MAX;
    }
    if (type == WEIR_H2_SETTINGS && payload.len != 0) {
        return;                                  /* driver_send_setting does that */
    }
    driver_frame((uint8_t) type, (uint8_t) flags, type == WEIR_H2_WINDOW_UPDATE
                 && payload.len == 4 ? id : id & ~(flags >> 7), payload.at,
                 payload.len);
}

/* -- what the role does by itself -- */

static void
driver_end_head(driver_stream_t *its, bool end)
{
    weir_io_t io = weir_h2_head_end(its->stream, end);

    weir_assert(io != WEIR_EOF && (io == WEIR_ERROR || !end || its->stream->we_ended));
    if (io == WEIR_ERROR && its->stream->closed && !driver.dead) {
        driver_release(its);                     /* reset by that very call: nobody tells it again */
    }
}

static void
driver_role_acts(void)
{
    static const char text[30000];
    uint32_t k = driver_take(1), what = driver_take(1);
    driver_stream_t *its = driver.n_streams != 0 ? &driver.streams[k % driver.n_streams] : NULL;

    if (its == NULL || its->released || driver.dead) {
        return;
    }
    switch (what % 8) {
    case 0:
        if (weir_h2_head_begin(its->stream, 1000)) {
            weir_h2_head_pseudo(its->stream, driver.is_server ? WEIR_H2_STATUS : WEIR_H2_METHOD,
                                driver.is_server ? WEIR_STR("200") : WEIR_STR("GET"));
            weir_h2_head_field(its->stream, WEIR_HEADER_OTHER, WEIR_STR("x-field"), weir_str(text, what >> 3));
            weir_h2_head_field(its->stream, WEIR_HEADER_OTHER, WEIR_STR("x-again"), WEIR_STR("the same"));
            driver_end_head(its, what & 0x80);
        }
        break;
    case 1: case 2:
        (void) weir_h2_stream_send(its->stream, weir_str(text, what & 8 ? (size_t) what * 100 : what), what & 16);
        break;
    case 3:
        weir_h2_stream_reset(its->stream, WEIR_H2_INTERNAL_ERROR);
        driver_release(its);
        break;
    case 4:
        driver_release(its);
        break;
    case 5:
        weir_h2_stream_priority(its->stream, (uint8_t) (what >> 3) & 7, what & 0x40);
        break;
    case 6:
        driver_read(its, 1 + what * 10);
        break;
    default:
        if (what == 7) {
            weir_h2_session_goaway(driver.session, k & 1);
        } else if (what == 15) {
            weir_h2_session_ping(driver.session);
        } else if (what == 23) {
            weir_h2_session_flush(driver.session);
        }
    }
}

static void
driver_open_stream(void)
{
    driver_stream_t *its = &driver.streams[driver.n_streams];

    if (driver.n_streams == DRIVER_STREAMS || driver.dead || weir_h2_session_room(driver.session) == 0) {
        return;
    }
    its->stream = weir_h2_stream_open(driver.session, its);
    if (its->stream == NULL) {
        return;
    }
    its->over = its->released = its->head_done = false;
    driver.n_streams++;
    if (weir_h2_head_begin(its->stream, 300)) {
        weir_h2_head_pseudo(its->stream, WEIR_H2_METHOD, WEIR_STR("POST"));
        weir_h2_head_pseudo(its->stream, WEIR_H2_PATH, WEIR_STR("/"));
        driver_end_head(its, driver_take(1) & 1);
    }
}

static void
driver_step(void)
{
    char payload[8] = "12345678";

    switch (driver_take(1) % 20) {
    case 0: case 1: driver_send_head(); break;
    case 2: case 3: driver_send_data(); break;
    case 4: weir_h2_put_u32(payload, driver_take(1)); driver_frame(WEIR_H2_RST_STREAM, 0, driver_pick_id(), payload, 4);
        break;
    case 5: driver_send_setting(); break;
    case 6: driver_frame(WEIR_H2_SETTINGS, WEIR_H2_ACK, 0, NULL, 0); break;
    case 7: driver_frame(WEIR_H2_PING, (uint8_t) (driver_take(1) & 1), 0, payload, 8); break;
    case 8: weir_h2_put_u32(payload, driver_take(1)); weir_h2_put_u32(payload + 4, driver_take(1) & 1);
            driver_frame(WEIR_H2_GOAWAY, 0, 0, payload, 8); break;
    case 9: driver_send_window(); break;
    case 10: { weir_str_t raw = driver_take_bytes(100); uint8_t flags = (uint8_t) driver_take(1);
               driver_frame(WEIR_H2_CONTINUATION, flags, driver_pick_id(), raw.at, raw.len); break; }
    case 11: weir_h2_put_u32(payload, driver_take(1)); driver_frame(WEIR_H2_PRIORITY, 0, driver_pick_id(), payload, 5);
        break;
    case 12: driver_send_anything(); break;
    case 13: { weir_str_t raw = driver_take_bytes(60); char text[64]; weir_h2_put_u32(text, driver_pick_id());
               memcpy(text + 4, raw.at, raw.len);
               driver_frame(WEIR_H2_PRIORITY_UPDATE, 0, 0, text, 4 + raw.len); break; }
    case 14: case 15: case 16: driver_role_acts(); break;
    case 17: if (!driver.is_server) { driver_open_stream(); } break;
    case 18: { weir_str_t raw = driver_take_bytes(30); driver_write(raw.at, raw.len); break; }
    default: driver_turn();
    }
}

static void
driver_on_ready(weir_watch_t *watch)
{
    (void) watch;
    if (driver.session != NULL && !driver.dead) {
        weir_h2_session_ready(driver.session);
    }
}

static void
driver_end(void)
{
    bool was_open[DRIVER_STREAMS];

    driver_turn();
    for (uint32_t i = 0; i < driver.n_streams; i++) {
        was_open[i] = !driver.streams[i].released && !driver.streams[i].stream->closed;
    }
    if (driver.n_streams % 2 == 0) {   /* by fault, and streams are let go afterwards; or by destroy, and all at once */
        weir_h2_session_fail(driver.session, WEIR_H2_NO_ERROR, WEIR_CAUSE_NONE, NULL);
        weir_h2_session_cut(driver.session);
        weir_assert(driver.dead);
    }
    driver.ends = true;
    for (uint32_t i = 0; i < driver.n_streams; i++) {
        if (driver.dead || driver.streams[i].over) {      /* (who was told is not told again) */
            driver_release(&driver.streams[i]);
        }
    }
    weir_h2_session_destroy(driver.session);
    driver.session = NULL;
    for (uint32_t i = 0; i < driver.n_streams; i++) {
        weir_assert(driver.streams[i].released && (!was_open[i] || driver.streams[i].over));    /* told */
    }
    weir_conn_close(&driver.conn);
    close(driver.far);
    weir_loop_turn(driver.loop, (weir_msec_t) { 0 });
}

static int
driver_run(const uint8_t *data, size_t size, bool is_server)
{
    static weir_chain_pool_t blocks;
    static weir_loop_t      *loop;
    static char              rx[65536], scratch[65536];
    weir_h2_settings_t settings = {
        .is_server = is_server, .max_streams = is_server ? 16 : 0, .stream_window = 20000, .connection_window = 100000,
        .max_frame = 16384, .header_table = 4096, .max_header_list = 4000, .max_fields = 40, .max_field = 3000,
        .max_block = 8000,
        .header_budget = 20000,
        .connect_protocol = true, .chunk = 8192, .head_timeout = { 60000 }, .stall_timeout = { 60000 },
    };
    int fds[2];

    if (loop == NULL) {
        loop = weir_loop_create(16);
        weir_assert(loop != NULL);
        weir_chain_pool_init(&blocks, 16);
    }
    memset(&driver, 0, offsetof(driver_t, back));
    driver.back_len = driver.block_len = 0;
    driver.preface_seen = false;
    driver.data_seen = 0;
    driver.window_given = WEIR_H2_WINDOW_DEFAULT;
    driver.frame_max = 16384;
    driver.at = data;
    driver.end = data + size;
    driver.is_server = is_server;
    driver.loop = loop;
    driver.next_id = 1;
    weir_hpack_decoder_init(&driver.decoder, 4096, scratch, sizeof(scratch));
    weir_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    driver.far = fds[1];
    weir_assert(weir_conn_open(&driver.conn, loop, fds[0], driver_on_ready));
    driver.session = weir_h2_session_create(&driver.conn, &settings, &driver_role, NULL, &blocks, rx, sizeof(rx));
    weir_assert(driver.session != NULL);
    driver_turn();
    if (driver.at < driver.end && *driver.at != 0xff) {
        if (is_server) {
            driver_write(WEIR_H2_PREFACE, WEIR_H2_PREFACE_LEN);
        }
        driver_frame(WEIR_H2_SETTINGS, 0, 0, NULL, 0);
    }
    while (driver.at < driver.end) {
        driver_step();
    }
    driver_end();
    weir_hpack_decoder_fini(&driver.decoder);
    weir_assert(blocks.n_used == 0);
    return 0;
}

#endif
