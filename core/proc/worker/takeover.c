/*
 * takeover.c - see takeover.h.
 *
 * Runs in a worker.  The thread reads the bundle's memory file and allocates the generation; everything else, and every
 * reference, is the loop's.  pthread_create and pthread_join are the only fences that are needed.
 */
#include "proc/worker/takeover.h"

#include "conf/core.h"
#include "log/files.h"
#include "log/log.h"
#include "os/sys.h"
#include "shm/zone.h"

#include <string.h>

static void
takeover_close(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fds[i] >= 0) {
            (void) weir_sys_close(fds[i]);
            fds[i] = -1;
        }
    }
}

/* -- the thread -- */

/* Files come from the master as descriptors: a worker may not be able to open them. */
static bool
takeover_open_others(weir_generation_t *generation, weir_error_t *error)
{
    const char *why = "";

    for (weir_log_sink_t *sink = weir_core_sinks(generation); sink != NULL; sink = sink->next) {
        if (sink->kind != WEIR_LOG_TO_FILE && !weir_log_open(sink, &why)) {
            return weir_error_set(error, "error log \"%.*s\": %s", WEIR_STR_ARG(sink->path), why);
        }
    }
    return true;
}

static void *
takeover_build(void *data)
{
    weir_takeover_t *takeover = data;
    weir_bundle_t   *bundle = weir_wire_bundle_from_fd(takeover->bundle_fd, &takeover->error);

    if (bundle != NULL) {
        takeover->generation = weir_generation_build(bundle, takeover->source, takeover->serial, &takeover->error);
        weir_bundle_destroy(bundle);
    }
    if (takeover->generation != NULL && !takeover_open_others(takeover->generation, &takeover->error)) {
        weir_log_close(weir_core_sinks(takeover->generation));
        weir_generation_unref(takeover->generation);    /* nothing else knows of it yet */
        takeover->generation = NULL;
    }
    weir_wakeup_send(&takeover->wakeup);
    return NULL;
}

/* -- the loop -- */

static void
takeover_check(weir_takeover_t *takeover)
{
    weir_assert(takeover->n_logs <= takeover->want_logs && takeover->n_sockets <= takeover->want_sockets);
    if (!takeover->active || !takeover->built) {
        return;
    }
    if (takeover->generation == NULL
        || (takeover->n_logs == takeover->want_logs && takeover->n_sockets == takeover->want_sockets)) {
        takeover->on_done(takeover->data);
    }
}

static void
takeover_join(weir_takeover_t *takeover)
{
    if (takeover->building) {
        weir_assert(pthread_join(takeover->thread, NULL) == 0);
        takeover->building = false;
        takeover->built = true;
    }
}

static void
takeover_on_wake(void *data)
{
    takeover_join(data);
    takeover_check(data);
}

bool
weir_takeover_init(weir_takeover_t *takeover, weir_loop_t *loop, const weir_conf_source_t *source,
                   void (*on_done)(void *data), void *data)
{
    *takeover = (weir_takeover_t) { .source = source, .on_done = on_done, .data = data };
    return weir_wakeup_init(&takeover->wakeup, loop, takeover_on_wake, takeover);
}

/* When every file is adopted: the generation finds them open. */
static void
takeover_build_when_ready(weir_takeover_t *takeover)
{
    int error;

    weir_assert(takeover->n_files <= takeover->want_files);
    if (takeover->building || takeover->built || takeover->n_files != takeover->want_files) {
        return;
    }
    error = pthread_create(&takeover->thread, NULL, takeover_build, takeover);
    takeover->building = error == 0;
    takeover->built = error != 0;
    if (error != 0) {
        (void) weir_error_set(&takeover->error, "pthread_create() failed (%d: %s)", error, strerror(error));
    }
}

static void
takeover_begin(weir_takeover_t *takeover, const weir_channel_message_t *message)
{
    weir_assert(!takeover->building && takeover->generation == NULL && message->n_fds == 1);
    takeover->active = true;
    takeover->built = false;
    takeover->serial = message->serial;
    takeover->bundle_fd = message->fds[0];
    takeover->error = (weir_error_t) { 0 };
    weir_arena_init(&takeover->arena, 4096);
    takeover->want_files = message->n_files;
    takeover->want_logs = message->n_logs;
    takeover->want_sockets = message->n_sockets;
    takeover->logs = weir_new_n(&takeover->arena, int, takeover->want_logs);
    takeover->fds = weir_new_n(&takeover->arena, int, takeover->want_sockets);
    takeover->sockets = weir_new_n(&takeover->arena, weir_channel_socket_t, takeover->want_sockets);
}

static void
takeover_adopt(weir_takeover_t *takeover, const weir_channel_message_t *message)
{
    const char *path = message->paths;

    for (size_t i = 0; i < message->n_fds; i++) {
        if (path[0] == '/') {
            weir_log_files_adopt(weir_str_from_z(path), message->fds[i]);
        } else {
            weir_zones_adopt(weir_str_from_z(path), message->fds[i]);
        }
        weir_assert(path < message->paths + message->paths_len);
        path += strlen(path) + 1;
    }
    takeover->n_files += message->n_fds;
}

static bool
takeover_add(weir_takeover_t *takeover, const weir_channel_message_t *message)
{
    size_t n = message->n_fds;

    if (!takeover->active || message->serial != takeover->serial) {
        return false;
    }
    if (message->kind == WEIR_CHANNEL_FILES && n <= takeover->want_files - takeover->n_files) {
        takeover_adopt(takeover, message);
        return true;
    }
    if (message->kind == WEIR_CHANNEL_LOGS && n <= takeover->want_logs - takeover->n_logs) {
        memcpy(takeover->logs + takeover->n_logs, message->fds, n * sizeof(int));
        takeover->n_logs += n;
        return true;
    }
    if (message->kind == WEIR_CHANNEL_SOCKETS && n <= takeover->want_sockets - takeover->n_sockets) {
        memcpy(takeover->fds + takeover->n_sockets, message->fds, n * sizeof(int));
        memcpy(takeover->sockets + takeover->n_sockets, message->sockets, n * sizeof(*message->sockets));
        takeover->n_sockets += n;
        return true;
    }
    return false;
}

bool
weir_takeover_message(weir_takeover_t *takeover, weir_channel_message_t *message)
{
    if (message->kind == WEIR_CHANNEL_RELOAD && !takeover->active) {
        takeover_begin(takeover, message);
    } else if (message->kind == WEIR_CHANNEL_RELOAD || !takeover_add(takeover, message)) {
        weir_channel_close_fds(message);
        return false;
    }
    message->n_fds = 0;
    takeover_build_when_ready(takeover);
    takeover_check(takeover);
    return true;
}

void
weir_takeover_end(weir_takeover_t *takeover)
{
    if (!takeover->active) {
        return;
    }
    weir_assert(!takeover->building);     /* its thread writes to it until it is joined */
    takeover_close(takeover->logs, takeover->n_logs);
    takeover_close(takeover->fds, takeover->n_sockets);
    if (takeover->generation != NULL) {
        weir_log_close(weir_core_sinks(takeover->generation));
        weir_generation_unref(takeover->generation);
        takeover->generation = NULL;
    }
    (void) weir_sys_close(takeover->bundle_fd);
    weir_arena_fini(&takeover->arena);
    weir_log_files_drop_unused();
    weir_zones_drop_unused();
    takeover->n_files = takeover->n_logs = takeover->n_sockets = 0;
    takeover->active = takeover->built = false;
}

void
weir_takeover_fini(weir_takeover_t *takeover)
{
    takeover_join(takeover);
    weir_takeover_end(takeover);
    weir_wakeup_fini(&takeover->wakeup);
}
