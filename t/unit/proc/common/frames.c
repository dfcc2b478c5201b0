/*
 * frames.c - frames travel whole, however they are split; one that is too long, or of a kind that is not for this end,
 * ends the link; what is held waits; an owner may close the link while it is called.
 */
#include "proc/common/frames.h"

#include "base/mem.h"
#include "os/clock.h"
#include "tap.h"

static weir_loop_t *loop;

static const uint32_t max[WEIR_FRAME_KINDS] = { [WEIR_FRAME_REQUEST] = 8 * 1024 * 1024, [WEIR_FRAME_SAID] = 16 };

typedef struct {
    weir_frames_t frames;
    unsigned      n, ended;
    uint64_t      last;
    size_t        bytes;
    bool          closes;
    char          text[32];
} end_t;

static void
on_frame(weir_frames_t *frames, const weir_frame_t *frame, weir_str_t payload)
{
    end_t *end = weir_container_of(frames, end_t, frames);

    end->n++;
    end->last = frame->id;
    end->bytes += payload.len;
    memcpy(end->text, payload.at, weir_min(payload.len, sizeof(end->text)));
    if (end->closes) {
        weir_frames_close(frames);
    }
}

static void
on_end(weir_frames_t *frames)
{
    weir_container_of(frames, end_t, frames)->ended++;
}

static void
begin(end_t *end, int fd)
{
    *end = (end_t) { .frames = { .max = max, .on_frame = on_frame, .on_end = on_end } };
    weir_assert(weir_frames_open(&end->frames, loop, fd));
}

static void
turn(unsigned n)
{
    while (n-- != 0) {
        weir_loop_turn(loop, (weir_msec_t) { 0 });
    }
}

static void
test_cut(void)
{
    char         bytes[WEIR_FRAME_HEAD + 3] = { 3, 0, 0, 0, WEIR_FRAME_SAID, 0, 7, 0, 9, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 'c' };
    weir_frame_t frame;
    bool         more = true;

    for (size_t i = 0; i < sizeof(bytes); i++) {
        more = more && weir_frames_cut(weir_str(bytes, i), max, &frame) == WEIR_FRAMES_MORE;
    }
    ok(more, "a frame that is cut anywhere is not whole");
    is_int(weir_frames_cut(weir_str(bytes, sizeof(bytes)), max, &frame), WEIR_FRAMES_DONE, "a whole one is");
    ok(frame.len == 3 && frame.kind == WEIR_FRAME_SAID && frame.status == 7 && frame.id == 9, "with what its head says");
    bytes[0] = 17;
    is_int(weir_frames_cut(weir_str(bytes, WEIR_FRAME_HEAD), max, &frame), WEIR_FRAMES_BAD,
           "one that is too long is known by its head");
    for (int kind = 0; kind < 256; kind++) {
        bytes[0] = 0;
        bytes[4] = (char) kind;
        more = more && (weir_frames_cut(weir_str(bytes, WEIR_FRAME_HEAD), max, &frame) == WEIR_FRAMES_DONE)
                       == (kind == WEIR_FRAME_REQUEST || kind == WEIR_FRAME_SAID);
    }
    ok(more, "kinds that are not for this end are refused");
}

static void
test_travel(void)
{
    const size_t large = 5 * 1024 * 1024;
    char        *text = weir_mem_need(large);
    end_t        a, b;
    int          fds[2];

    weir_assert(weir_sys_socketpair(SOCK_STREAM, fds) == 0);
    begin(&a, fds[0]);
    begin(&b, fds[1]);
    for (uint64_t i = 1; i <= 300; i++) {
        weir_assert(weir_frames_put(&a.frames, WEIR_FRAME_REQUEST, 0, i, WEIR_STR("hello")));
    }
    weir_assert(weir_frames_put(&a.frames, WEIR_FRAME_REQUEST, 0, 301, weir_str(text, large)));
    weir_assert(weir_frames_put(&a.frames, WEIR_FRAME_REQUEST, 0, 302, WEIR_STR("")));
    ok(weir_frames_unsent(&a.frames) > large, "what was put waits for the end of the turn");
    turn(1);
    ok(b.n < 302, "one turn does not take all");
    turn(400);
    is_int(b.n, 302, "all come");
    is_int(b.last, 302, "in order");
    is_int(b.bytes, 300 * 5 + large, "whole");
    is_int(weir_frames_unsent(&a.frames), 0, "and nothing is left");
    weir_frames_hold(&b.frames, true);
    weir_assert(weir_frames_put(&a.frames, WEIR_FRAME_SAID, 0, 303, WEIR_STR("later")));
    turn(3);
    is_int(b.n, 302, "what is held waits");
    weir_frames_hold(&b.frames, false);
    turn(2);
    is_int(b.n, 303, "and comes when it is let go");
    b.closes = true;
    weir_assert(weir_frames_put(&a.frames, WEIR_FRAME_SAID, 0, 304, WEIR_STR("1")));
    weir_assert(weir_frames_put(&a.frames, WEIR_FRAME_SAID, 0, 305, WEIR_STR("2")));
    turn(3);
    is_int(b.last, 304, "an owner that closes the link is not called again");
    is_int(b.ended, 0, "nor told of an end that it made");
    is_int(a.ended, 1, "the other one is");
    ok(!weir_frames_put(&a.frames, WEIR_FRAME_SAID, 0, 306, WEIR_STR("3")), "and can put nothing more");
    weir_frames_close(&a.frames);
    weir_mem_free(text);
    is_int(weir_loop_watches(loop), 0, "nothing is left");
}

static void
test_bytes(void)
{
    static const char bytes[] = { 2, 0, 0, 0, WEIR_FRAME_SAID, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 'o', 'k' };
    static const char bad[] = { 17, 0, 0, 0, WEIR_FRAME_SAID, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 };
    end_t             b;
    int               fds[2];

    weir_assert(weir_sys_socketpair(SOCK_STREAM, fds) == 0);
    begin(&b, fds[1]);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        weir_assert(weir_sys_send(fds[0], &bytes[i], 1, 0) == 1);
        turn(1);
    }
    ok(b.n == 1 && memcmp(b.text, "ok", 2) == 0, "a frame that comes byte by byte is one");
    weir_assert(weir_sys_send(fds[0], bytes, sizeof(bytes), 0) == sizeof(bytes));
    weir_assert(weir_sys_send(fds[0], bad, sizeof(bad), 0) == sizeof(bad));
    turn(2);
    is_int(b.n, 2, "what came before one that is bad is taken");
    is_int(b.ended, 1, "and the link ends");
    is_int(b.frames.watch.fd, -1, "for good");
    (void) weir_sys_close(fds[0]);
}

int
main(void)
{
    weir_clock_update();
    loop = weir_loop_create(16);
    test_cut();
    test_travel();
    test_bytes();
    weir_loop_destroy(loop);
    return done();
}
