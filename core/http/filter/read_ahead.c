/*
 * read_ahead.c - see read_ahead.h.  Runs in workers.
 */
#include "http/filter/read_ahead.h"

#include "event/slice.h"
#include "http/filter/store.h"
#include "http/serve/runtime.h"
#include "os/sys.h"

#include <errno.h>

#define AHEAD_PIECE  8192
#define AHEAD_ROUNDS 16         /* pieces per turn, then others get theirs */

typedef struct {
    weir_holder_t     hold;
    weir_request_t *req;
    weir_store_t   *store;
    weir_task_t     task;
    void          (*done)(weir_request_t *req);
} ahead_t;

/* The file of client_body_in_file_only. */
typedef struct {
    weir_store_file_t file;
    bool              keep;               /* its body is complete, and its name is for others to use */
} ahead_file_t;

static ahead_file_t *
ahead_file(const weir_store_t *store)
{
    return weir_container_of(store->file, ahead_file_t, file);
}

static void
ahead_close(void *data)
{
    weir_store_t *store = data;

    if (store->file != NULL && store->fd >= 0 && !ahead_file(store)->keep && weir_sys_unlink(store->file->name) != 0
        && errno != ENOENT)
    {
        weir_log(WEIR_LOG_CRIT, NULL, errno, "the body's file \"%s\" could not be removed", store->file->name);
    }
    weir_store_fini(store);
}

weir_store_t *
weir_read_ahead_store(weir_request_t *req)
{
    const weir_http_core_conf_t *core = weir_request_core(req);
    const weir_temp_path_t *path = &core->client_body_temp_path;
    weir_store_t *store = weir_new(&req->arena, weir_store_t);

    weir_store_init(store, core->client_body_buffer_size.n, UINT64_MAX / 2, path->text.at);
    if (core->client_body_in_file_only != WEIR_BODY_FILE_OFF) {
        ahead_file_t *named = weir_new(&req->arena, ahead_file_t);

        *named = (ahead_file_t) { .file = { path->levels,
                                           weir_alloc_bytes(&req->arena, WEIR_FILE_NAME(path->text.len)) } };
        weir_store_use_file(store, &named->file);
    }
    weir_arena_on_cleanup(&req->arena, ahead_close, store);
    return store;
}

bool
weir_read_ahead_needs_file(const weir_request_t *req)
{
    return weir_request_core(req)->client_body_in_file_only != WEIR_BODY_FILE_OFF
           && (!req->body_complete || req->head.content_length != WEIR_LENGTH_NONE);
}

weir_str_t
weir_read_ahead_file(const weir_request_t *req)
{
    return req->body != NULL && req->body->file != NULL ? weir_str_from_z(req->body->file->name) : WEIR_STR_NONE;
}

/* The first n bytes of what a store has in its file. */
static weir_io_t
ahead_copy(weir_store_t *store, size_t n, weir_arena_t *arena, weir_str_t *text)
{
    char      *room = weir_try_alloc(arena, n);
    weir_str_t bytes;
    size_t     got = 0;
    weir_io_t  io = WEIR_OK;

    weir_store_rewind(store);
    while (room != NULL && got < n && io == WEIR_OK) {
        io = weir_store_read(store, room + got, n - got, &bytes);
        if (io == WEIR_OK && bytes.len > n - got) {
            bytes.len = n - got;
        }
        if (io == WEIR_OK && bytes.at != room + got) {
            memcpy(room + got, bytes.at, bytes.len);
        }
        got += io == WEIR_OK ? bytes.len : 0;
    }
    weir_store_rewind(store);
    if (room == NULL || got < n) {
        return WEIR_ERROR;
    }
    *text = weir_str(room, got);
    return WEIR_OK;
}

weir_io_t
weir_read_ahead_begin(weir_request_t *req, size_t n, weir_arena_t *arena, weir_str_t *text)
{
    weir_store_t *store = req->body;

    weir_assert(store != NULL && n <= weir_store_size(store));
    if (store->file_len == 0) {
        *text = weir_str(store->mem, n);
        return WEIR_OK;
    }
    return ahead_copy(store, n, arena, text);
}

weir_io_t
weir_read_ahead_text(weir_request_t *req, uint64_t max, weir_arena_t *arena, weir_str_t *text)
{
    uint64_t size = req->body != NULL ? weir_store_size(req->body) : 0;

    *text = WEIR_STR_NONE;
    if (size == 0 || size > max) {
        return size == 0 ? WEIR_OK : WEIR_EOF;
    }
    return weir_read_ahead_begin(req, (size_t) size, arena, text);
}

uint64_t
weir_read_ahead_size(const weir_request_t *req)
{
    return req->body != NULL ? weir_store_size(req->body) : 0;
}

weir_io_t
weir_read_ahead_each(weir_request_t *req, void (*each)(void *data, weir_str_t bytes), void *data)
{
    weir_store_t *store = req->body;
    char          room[AHEAD_PIECE];
    weir_str_t    bytes;
    weir_io_t     io = WEIR_OK;

    if (store == NULL) {
        return WEIR_OK;
    }
    weir_store_rewind(store);
    for (;;) {
        io = weir_store_read(store, room, sizeof(room), &bytes);
        if (io != WEIR_OK) {
            break;
        }
        each(data, bytes);
    }
    weir_store_rewind(store);
    return io == WEIR_EOF ? WEIR_OK : WEIR_ERROR;
}

/* All of it was read. */
static weir_io_t
ahead_complete(weir_request_t *req, weir_store_t *store)
{
    if (store->file != NULL) {
        if (!weir_store_make_file(store)) {
            req->cause = WEIR_CAUSE_INTERNAL_IO;
            return WEIR_ERROR;
        }
        ahead_file(store)->keep = weir_request_core(req)->client_body_in_file_only == WEIR_BODY_FILE_ON;
    }
    req->body = store;
    return WEIR_OK;
}

weir_io_t
weir_read_ahead_some(weir_request_t *req, weir_store_t *store)
{
    weir_str_t bytes;

    weir_slice_t slice = { 0 };

    for (int round = 0; round < AHEAD_ROUNDS && (round < 2 || !weir_slice_is_over(&slice)); round++) {
        weir_io_t io = weir_request_read(req, &bytes);

        if (io == WEIR_EOF) {
            return ahead_complete(req, store);
        }
        if (io != WEIR_OK) {
            return io;
        }
        if (weir_store_append(store, bytes) != WEIR_OK) {
            req->cause = WEIR_CAUSE_INTERNAL_IO;
            return WEIR_ERROR;
        }
    }
    return WEIR_EOF;
}

static void ahead_on_task(weir_task_t *task);

/* NEXT: complete · PARK: wait · DONE: answered; only with PARK it is still held. */
static weir_step_t
ahead_read(ahead_t *ahead)
{
    weir_request_t *req = ahead->req;

    switch (weir_read_ahead_some(req, ahead->store)) {
    case WEIR_OK:
        weir_request_let_go(&ahead->hold);
        return WEIR_NEXT;
    case WEIR_AGAIN:
        return WEIR_PARK;
    case WEIR_EOF:
        weir_task_post_later(req->http->loop, &ahead->task, ahead_on_task);
        return WEIR_PARK;
    case WEIR_ERROR:
        break;
    }
    weir_request_let_go(&ahead->hold);
    if (req->cause == WEIR_CAUSE_CLIENT_CLOSED) {
        weir_request_client_gone(req, req->cause);
        return WEIR_DONE;
    }
    return weir_request_fail(req, req->cause, NULL);
}

static void
ahead_go_on(ahead_t *ahead)
{
    weir_request_t *req = ahead->req;

    weir_task_cancel(&ahead->task);                /* bytes that came were faster than the turn it was put off to */
    if (ahead_read(ahead) == WEIR_NEXT) {
        ahead->done(req);
    }
}

static void
ahead_on_task(weir_task_t *task)
{
    ahead_go_on(weir_container_of(task, ahead_t, task));
}

static void
ahead_on_body(weir_holder_t *hold)
{
    ahead_go_on(weir_container_of(hold, ahead_t, hold));
}

static void
ahead_on_cancel(weir_holder_t *hold)
{
    weir_task_cancel(&weir_container_of(hold, ahead_t, hold)->task);
}

static const weir_holder_ops_t ahead_hold = { .on_body = ahead_on_body, .on_cancel = ahead_on_cancel };

weir_step_t
weir_read_ahead(weir_request_t *req, void (*done)(weir_request_t *req))
{
    ahead_t *ahead;

    if (req->body_complete || req->body != NULL || req->body_dropped || req->body_received != 0) {
        return WEIR_NEXT;
    }
    ahead = weir_new(&req->arena, ahead_t);
    *ahead = (ahead_t) { .req = req, .store = weir_read_ahead_store(req), .done = done };
    weir_request_hold(req, &ahead->hold, &ahead_hold);
    return ahead_read(ahead);
}
