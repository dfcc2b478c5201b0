/*
 * file.c - see file.h.  Runs in workers.  Reading may wait for the disk, as in nginx without aio.
 *
 * A file goes to the wire by sendfile where the wire can (plain HTTP/1), else through a buffer of the worker's; a small
 * one always, so that it leaves with its head in one packet.
 */
#include "http/answer/file.h"

#include "base/mem.h"
#include "event/slice.h"
#include "http/filter/precondition.h"
#include "http/filter/ranges.h"
#include "http/serve/runtime.h"
#include "os/sys.h"

#include <errno.h>

#define FILE_SMALL  16384
#define FILE_ROUNDS 16          /* pieces per turn, however quick they are */

typedef struct {
    weir_holder_t     hold;
    weir_request_t *req;
    weir_task_t     task;
    int             fd;
    bool            is_small;
    uint64_t        offset, end;     /* of the whole */
} file_t;

weir_cause_t
weir_file_cause(int error)
{
    switch (error) {
    case ENOENT: case ENOTDIR: case ENAMETOOLONG: case ENXIO:
        return WEIR_CAUSE_FILE_NONE;
    case EACCES: case EPERM: case ELOOP: case EMLINK:
        return WEIR_CAUSE_FILE_FORBIDDEN;
    default:
        return WEIR_CAUSE_FILE_ERROR;
    }
}

static void
file_close(void *data)
{
    file_t *file = data;

    if (file->fd >= 0) {
        weir_sys_close(file->fd);
        file->fd = -1;
    }
    weir_task_cancel(&file->task);
}

static file_t *file_of(weir_holder_t *hold) { return weir_container_of(hold, file_t, hold); }

static void
file_on_cancel(weir_holder_t *hold)
{
    file_close(file_of(hold));
}

static void
file_let_go(file_t *file)
{
    weir_assert(file->hold.req == file->req);
    file_close(file);
    weir_request_let_go(&file->hold);
}

static void
file_lost(file_t *file)
{
    file_let_go(file);
    weir_response_lost(file->req);
}

static void
file_finish(file_t *file)
{
    file_let_go(file);
    (void) weir_response_end(file->req);
    weir_request_finish(file->req);
}

/* It cannot be read any more, or it has become shorter: the client gets no less than it was promised but knows. */
static void
file_broken(file_t *file)
{
    file_let_go(file);
    weir_request_abort(file->req, WEIR_CAUSE_FILE_ERROR, "it ended before its time");
}

/* Through the buffer.  EOF: the file's fault. */
static weir_io_t
file_copy(file_t *file, uint64_t *from, uint64_t to)
{
    weir_http_t *http = file->req->http;
    ssize_t n;

    weir_assert(file->fd >= 0 && *from <= to);
    if (http->file == NULL) {
        http->file = weir_mem_need(WEIR_FILE_BYTES);
    }
    n = weir_sys_pread(file->fd, http->file, weir_min(to - *from, weir_response_piece(file->req, WEIR_FILE_BYTES)),
                       (off_t) *from);
    if (n <= 0) {
        return WEIR_EOF;
    }
    *from += (uint64_t) n;
    return weir_response_body(file->req, weir_str(http->file, (size_t) n));
}

static void file_go_on(weir_task_t *task);

/* OK: a turn's worth went · AGAIN: wait · EOF: done with it, or broken (said by *done) · ERROR */
static weir_io_t
file_send(file_t *file, bool *done)
{
    weir_slice_t slice = { 0 };
    uint64_t from, to;
    weir_io_t io = WEIR_OK;

    for (int round = 0; io == WEIR_OK && round < FILE_ROUNDS && (round < 2 || !weir_slice_is_over(&slice)); round++) {
        from = file->offset;
        to = file->end;
        io = weir_response_wants(file->req, &from, &to);
        if (io != WEIR_OK) {
            *done = io == WEIR_EOF;
            return io;
        }
        io = file->is_small ? WEIR_EOF : weir_response_file(file->req, file->fd, &from, to);
        if (io == WEIR_EOF) {
            io = file_copy(file, &from, to);
        }
        file->offset = from;
    }
    return io;
}

static void
file_pump(file_t *file)
{
    weir_request_t *req = file->req;
    bool done = false;
    weir_io_t io = file_send(file, &done), flushed;

    weir_assert(file->hold.req == req);     /* nothing else has ended the wait */
    if (done) {
        file_finish(file);
        return;
    }
    if (io == WEIR_EOF) {
        file_broken(file);
        return;
    }
    flushed = io == WEIR_ERROR ? io : weir_response_flush(req);
    if (flushed == WEIR_ERROR) {
        file_lost(file);
    } else if (flushed == WEIR_OK) {               /* it all went: no edge will tell */
        weir_task_post_later(req->http->loop, &file->task, file_go_on);
    }
}

static void
file_go_on(weir_task_t *task)
{
    file_pump(weir_container_of(task, file_t, task));
}

static void
file_on_writable(weir_holder_t *hold)
{
    file_pump(file_of(hold));
}

static const weir_holder_ops_t file_hold = { .on_writable = file_on_writable, .on_cancel = file_on_cancel };

weir_step_t
weir_file_send(weir_request_t *req, int fd, uint64_t length)
{
    file_t *file = weir_new(&req->arena, file_t);

    weir_assert(fd >= 0 && !req->res.head_given);
    *file = (file_t) { .req = req, .fd = fd, .end = length, .is_small = length <= FILE_SMALL };
    weir_arena_on_cleanup(&req->arena, file_close, file);
    if (weir_precondition_check(req, weir_request_core(req)->if_modified_since) != WEIR_NEXT
        || weir_ranges_check(req, length) != WEIR_NEXT)
    {
        return WEIR_DONE;
    }
    req->res.length = length;
    req->res.has_ranges = req->res.may_go_back = true;
    weir_request_hold(req, &file->hold, &file_hold);
    if (weir_response_head(req) == WEIR_ERROR) {
        file_lost(file);
        return WEIR_DONE;
    }
    if (req->res.no_body) {
        file_finish(file);
    } else {
        file_pump(file);
    }
    return WEIR_DONE;
}
