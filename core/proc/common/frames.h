/*
 * frames.h - messages between the master and the control process: a head that says how long it is, and bytes.
 *
 *     0        4      6        8              16
 *     | length | kind | status | id           | length bytes ...
 *
 * Both ends trust nothing: a frame of more bytes than there may be, or of a kind that there is not, ends the link.  A
 * head is looked at before there is memory for what follows it.  What is put is sent at the end of the turn, as far as
 * the other end takes it; a caller that puts much looks at weir_frames_unsent first.
 *
 *     control --> master   REQUEST  id, a command in JSON          SAID  status: a level of the log, a line for it
 *     master --> control   ANSWER   id, status of HTTP, JSON       LEAVE take no more, end when all is answered
 *
 * Fuzzed by t/fuzz/control_link.c.  Runs in the master and in the control process; memory: the heap.
 */
#ifndef WEIR_PROC_COMMON_FRAMES_H
#define WEIR_PROC_COMMON_FRAMES_H

#include "event/loop.h"
#include "base/str.h"

#define WEIR_FRAME_HEAD        16
#define WEIR_FRAME_MAX_REQUEST (4 * 1024 * 1024 + 65536)     /* a body and what the path says */
#define WEIR_FRAME_MAX_ANSWER  (64 * 1024 * 1024)
#define WEIR_FRAME_MAX_SAID    1024

typedef enum {
    WEIR_FRAME_NONE, WEIR_FRAME_REQUEST, WEIR_FRAME_ANSWER, WEIR_FRAME_SAID, WEIR_FRAME_LEAVE, WEIR_FRAME_KINDS
} weir_frame_kind_t;

typedef struct {
    uint32_t len;
    uint16_t kind, status;
    uint64_t id;
} weir_frame_t;

typedef enum { WEIR_FRAMES_MORE, WEIR_FRAMES_DONE, WEIR_FRAMES_BAD } weir_frames_result_t;

/* The frame that bytes begin with; its payload lies behind the head.  max: bytes that one of each kind may have; 0: the
 * kind is not for this end. */
weir_frames_result_t weir_frames_cut(weir_str_t bytes, const uint32_t max[WEIR_FRAME_KINDS], weir_frame_t *frame);

typedef struct weir_frames weir_frames_t;
struct weir_frames {
    weir_watch_t    watch;                   /* fd -1: closed */
    weir_loop_t    *loop;
    const uint32_t *max;
    void          (*on_frame)(weir_frames_t *frames, const weir_frame_t *frame, weir_str_t payload);
    void          (*on_end)(weir_frames_t *frames);     /* last; never from within a call of the owner's */
    weir_task_t     task;
    char           *in, *out;                /* heap */
    size_t          in_at, in_len, in_cap, out_at, out_len, out_cap;
    bool            is_held, has_failed;
};

/* fd becomes its own.  Fields max, on_frame and on_end are set.  false: errno, and fd is closed. */
bool   weir_frames_open(weir_frames_t *frames, weir_loop_t *loop, int fd) WEIR_MUST_USE;
/* false: there is no memory, and the link is dead: on_end follows. */
bool   weir_frames_put(weir_frames_t *frames, weir_frame_kind_t kind, unsigned status, uint64_t id,
                       weir_str_t payload);
/* What comes waits in the other end. */
void   weir_frames_hold(weir_frames_t *frames, bool is_held);
size_t weir_frames_unsent(const weir_frames_t *frames);
/* Safe when closed.  Nothing is called any more. */
void   weir_frames_close(weir_frames_t *frames);
/* In a forked child: the descriptor is closed, the loop is not touched. */
void   weir_frames_forget(weir_frames_t *frames);

#endif
