/*
 * frames.c - see frames.h.
 */
#include "proc/common/frames.h"

#include "base/mem.h"

#include <errno.h>

#define FRAMES_ROOM 16384
#define FRAMES_TURN 64                       /* frames of a turn; the rest waits for the next one */
#define FRAMES_KEPT (1024 * 1024)            /* bytes of room that is kept while nothing is in it */

weir_frames_result_t
weir_frames_cut(weir_str_t bytes, const uint32_t max[WEIR_FRAME_KINDS], weir_frame_t *frame)
{
    if (bytes.len < WEIR_FRAME_HEAD) {
        return WEIR_FRAMES_MORE;
    }
    memcpy(&frame->len, bytes.at, 4);
    memcpy(&frame->kind, bytes.at + 4, 2);
    memcpy(&frame->status, bytes.at + 6, 2);
    memcpy(&frame->id, bytes.at + 8, 8);
    if (frame->kind == WEIR_FRAME_NONE || frame->kind >= WEIR_FRAME_KINDS || max[frame->kind] == 0
        || frame->len > max[frame->kind])
    {
        return WEIR_FRAMES_BAD;
    }
    return bytes.len - WEIR_FRAME_HEAD < frame->len ? WEIR_FRAMES_MORE : WEIR_FRAMES_DONE;
}

static void frames_on_task(weir_task_t *task);

static void
frames_look_again(weir_frames_t *frames)
{
    weir_task_post(frames->loop, &frames->task, frames_on_task);
}

/* -- sending -- */

static bool
frames_make_room(char **at, size_t used, size_t *cap, size_t more)
{
    size_t size = *cap;
    char  *grown;

    if (used + more <= size) {
        return true;
    }
    size = weir_max(weir_max(used + more, size * 2), (size_t) FRAMES_ROOM);
    grown = weir_mem_try_resize(*at, size);
    if (grown == NULL) {
        return false;
    }
    *at = grown;
    *cap = size;
    return true;
}

bool
weir_frames_put(weir_frames_t *frames, weir_frame_kind_t kind, unsigned status, uint64_t id, weir_str_t payload)
{
    weir_frame_t frame = { .len = (uint32_t) payload.len, .kind = (uint16_t) kind, .status = (uint16_t) status,
                           .id = id };
    char        *at;

    weir_assert(payload.len <= WEIR_FRAME_MAX_ANSWER);
    if (frames->watch.fd < 0 || frames->has_failed) {
        return false;
    }
    frames_look_again(frames);
    if (!frames_make_room(&frames->out, frames->out_len, &frames->out_cap, WEIR_FRAME_HEAD + payload.len)) {
        frames->has_failed = true;
        return false;
    }
    at = frames->out + frames->out_len;
    memcpy(at, &frame.len, 4);
    memcpy(at + 4, &frame.kind, 2);
    memcpy(at + 6, &frame.status, 2);
    memcpy(at + 8, &frame.id, 8);
    if (payload.len != 0) {
        memcpy(at + WEIR_FRAME_HEAD, payload.at, payload.len);
    }
    frames->out_len += WEIR_FRAME_HEAD + payload.len;
    return true;
}

size_t
weir_frames_unsent(const weir_frames_t *frames)
{
    return frames->out_len - frames->out_at;
}

static void
frames_send(weir_frames_t *frames)
{
    while (!frames->has_failed && frames->watch.writable && frames->out_at < frames->out_len) {
        ssize_t n = weir_sys_send(frames->watch.fd, frames->out + frames->out_at, frames->out_len - frames->out_at, 0);

        if (n < 0 && errno == EAGAIN) {
            frames->watch.writable = false;
        } else if (n <= 0) {
            frames->has_failed = true;
        } else {
            frames->out_at += (size_t) n;
        }
    }
    if (frames->out_at == frames->out_len) {
        frames->out_at = frames->out_len = 0;
        if (frames->out_cap > FRAMES_KEPT) {
            weir_mem_free(frames->out);
            frames->out = NULL;
            frames->out_cap = 0;
        }
    }
}

/* -- receiving -- */

/* false: the next frame is not whole. */
static bool
frames_take(weir_frames_t *frames)
{
    weir_str_t   left = weir_str(frames->in + frames->in_at, frames->in_len - frames->in_at);
    weir_frame_t frame;

    switch (frames->in_len == 0 ? WEIR_FRAMES_MORE : weir_frames_cut(left, frames->max, &frame)) {
    case WEIR_FRAMES_DONE:
        frames->in_at += WEIR_FRAME_HEAD + frame.len;
        frames->on_frame(frames, &frame, weir_str(left.at + WEIR_FRAME_HEAD, frame.len));
        return true;
    case WEIR_FRAMES_BAD:
        frames->has_failed = true;
        return false;
    default:
        return false;
    }
}

static void
frames_compact(weir_frames_t *frames)
{
    frames->in_len -= frames->in_at;
    if (frames->in_len != 0 && frames->in_at != 0) {
        memmove(frames->in, frames->in + frames->in_at, frames->in_len);
    }
    frames->in_at = 0;
    if (frames->in_len == 0 && frames->in_cap > FRAMES_KEPT) {
        weir_mem_free(frames->in);
        frames->in = NULL;
        frames->in_cap = 0;
    }
}

/* As much room as the frame that has begun needs, and no less than a piece. */
static bool
frames_find_room(weir_frames_t *frames)
{
    weir_frame_t frame;
    size_t       more = FRAMES_ROOM;

    if (frames->in_len >= WEIR_FRAME_HEAD
        && weir_frames_cut(weir_str(frames->in, frames->in_len), frames->max, &frame) == WEIR_FRAMES_MORE)
    {
        more = weir_max(more, WEIR_FRAME_HEAD + frame.len - frames->in_len);
    }
    return frames_make_room(&frames->in, frames->in_len, &frames->in_cap, more);
}

static void
frames_receive(weir_frames_t *frames)
{
    unsigned taken = 0;

    while (!frames->has_failed && !frames->is_held && frames->watch.fd >= 0) {
        ssize_t n;

        if (taken == FRAMES_TURN) {
            weir_task_post_later(frames->loop, &frames->task, frames_on_task);
            break;
        }
        if (frames_take(frames)) {
            taken++;
            continue;
        }
        frames_compact(frames);
        if (frames->has_failed || !frames->watch.readable) {
            break;
        }
        if (!frames_find_room(frames)) {
            frames->has_failed = true;
            break;
        }
        n = weir_sys_recv(frames->watch.fd, frames->in + frames->in_len, frames->in_cap - frames->in_len, 0);
        if (n < 0 && errno == EAGAIN) {
            frames->watch.readable = false;
        } else if (n <= 0) {
            frames->has_failed = true;
        } else {
            frames->in_len += (size_t) n;
        }
    }
}

/* -- the link -- */

static void
frames_go_on(weir_frames_t *frames)
{
    frames_receive(frames);
    if (frames->watch.fd < 0) {
        return;                              /* the owner closed it */
    }
    frames_send(frames);
    if (frames->has_failed) {
        weir_frames_close(frames);
        frames->on_end(frames);
    }
}

static void
frames_on_task(weir_task_t *task)
{
    frames_go_on(weir_container_of(task, weir_frames_t, task));
}

static void
frames_on_ready(weir_watch_t *watch)
{
    frames_go_on(weir_container_of(watch, weir_frames_t, watch));
}

bool
weir_frames_open(weir_frames_t *frames, weir_loop_t *loop, int fd)
{
    int failed;

    frames->loop = loop;
    if (weir_loop_watch(loop, &frames->watch, fd, frames_on_ready)) {
        return true;
    }
    failed = errno;
    (void) weir_sys_close(fd);
    frames->watch.fd = -1;
    errno = failed;
    return false;
}

void
weir_frames_hold(weir_frames_t *frames, bool is_held)
{
    if (frames->is_held && !is_held && frames->watch.fd >= 0) {
        frames_look_again(frames);
    }
    frames->is_held = is_held;
}

static void
frames_free(weir_frames_t *frames, int fd)
{
    (void) weir_sys_close(fd);
    frames->watch.fd = -1;
    weir_task_cancel(&frames->task);
    weir_mem_free(frames->in);
    weir_mem_free(frames->out);
    frames->in = frames->out = NULL;
    frames->in_at = frames->in_len = frames->in_cap = frames->out_at = frames->out_len = frames->out_cap = 0;
}

void
weir_frames_close(weir_frames_t *frames)
{
    int fd = frames->watch.fd;

    if (fd >= 0) {
        weir_loop_unwatch(frames->loop, &frames->watch);
        frames_free(frames, fd);
    }
}

void
weir_frames_forget(weir_frames_t *frames)
{
    if (frames->watch.fd >= 0) {
        frames_free(frames, frames->watch.fd);
    }
}
