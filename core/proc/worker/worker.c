/*
 * worker.c - a worker process: gives up its rights, serves, takes new generations over, leaves.
 *
 * Runs in a process of its own, one loop, one thread (and one more while a generation is built).
 */
#include "proc/worker/worker.h"

#include "conf/core.h"
#include "event/wake.h"
#include "log/files.h"
#include "log/log.h"
#include "log/named.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/rights.h"
#include "proc/common/areas.h"
#include "proc/common/backtrace.h"
#include "proc/common/settings.h"
#include "proc/common/shared.h"
#include "proc/common/signals.h"
#include "proc/worker/takeover.h"
#include "shm/slots.h"
#include "store/read.h"
#include "upstream/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORKER_EVENTS   512
#define WORKER_IDLE     ((weir_msec_t) { 3600 * 1000 })
#define WORKER_ORPHANED ((weir_msec_t) { 1000 })

typedef struct {
    weir_worker_start_t *start;
    weir_settings_t      settings;
    weir_generation_t   *generation;    /* whose logs are in use; serve holds its own reference */
    weir_loop_t         *loop;
    weir_life_t         *life;
    weir_serve_t        *serve;
    weir_watch_t         channel;
    weir_takeover_t      takeover;
    weir_timer_t         orphan_timer;
    uint64_t             changes_owed;  /* the last change that came and was not answered; 0: none */
    bool                 leaving;       /* when the last connection has gone */
    bool                 done;
} worker_t;

/* -- leaving -- */

static void
worker_quit(worker_t *worker, weir_msec_t limit)
{
    weir_assert(worker->serve != NULL);
    if (!worker->leaving) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "gracefully shutting down");
        weir_process_set_title("weir: worker process is shutting down");
        worker->leaving = true;
        weir_serve_quit(worker->serve, limit);
    }
}

static void
worker_on_orphan_timer(weir_timer_t *timer)
{
    weir_container_of(timer, worker_t, orphan_timer)->done = true;
}

/* No process would replace us, reload us, or tell us to leave. */
static void
worker_lost_master(worker_t *worker)
{
    weir_loop_unwatch(worker->loop, &worker->channel);
    if (worker->orphan_timer.deadline.ms == 0) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "the master process has gone");
        worker_quit(worker, WORKER_ORPHANED);
        weir_timer_set(worker->loop, &worker->orphan_timer, WORKER_ORPHANED, worker_on_orphan_timer);
    }
}

static bool
worker_is_orphan(const worker_t *worker)
{
    return getppid() != worker->start->master;
}

static void
worker_on_signal(void *data)
{
    worker_t *worker = data;

    if (weir_signals_take(WEIR_SIGNAL_TERM, NULL)) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "exiting");
        worker->done = true;
    }
    if (weir_signals_take(WEIR_SIGNAL_QUIT, NULL)) {
        if (worker_is_orphan(worker)) {
            worker_lost_master(worker);
        }
        worker_quit(worker, worker->settings.shutdown_timeout);
    }
    if (weir_signals_take(WEIR_SIGNAL_USR1, NULL)) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "reopening logs");
        weir_log_reopen(weir_core_sinks(worker->generation));
        weir_log_named_forget();
        weir_log_files_reopen();
    }
}

/* -- the channel -- */

/* The loop watches for reading only: these few bytes always have room, or the master is past our help. */
static void
worker_tell(worker_t *worker, weir_channel_kind_t kind, uint64_t serial, const char *text)
{
    weir_channel_message_t message = { .kind = kind, .serial = serial };

    (void) strncpy(message.text, text, sizeof(message.text) - 1);
    if (worker->channel.fd >= 0 && weir_channel_send(worker->channel.fd, &message) != WEIR_OK) {
        if (errno != EPIPE && errno != ECONNRESET) {        /* those say that it has gone: no fault of either */
            weir_log(WEIR_LOG_ALERT, NULL, errno, "the master process cannot be notified");
        }
        worker_lost_master(worker);     /* it would wait for our word */
    }
}

/* -- changes of groups' peers -- */

/* All that came is what requests go by: the master is told once. */
static void
worker_on_settled(void *data)
{
    worker_t *worker = data;

    if (worker->changes_owed != 0
        && weir_groups_settled(weir_upstream_groups(worker->life)) >= worker->changes_owed)
    {
        worker_tell(worker, WEIR_CHANNEL_CHANGED, worker->changes_owed, "");
        worker->changes_owed = 0;
    }
}

static void
worker_change(worker_t *worker, const weir_channel_message_t *message)
{
    weir_error_t error = { .text = "" };
    uint64_t     number = message->serial + 1;
    size_t       at;

    for (at = 0; at < message->paths_len; at++) {
        number -= message->paths[at] == '\0';
    }
    for (at = 0; at < message->paths_len; number++) {
        weir_str_t line = weir_str_from_z(message->paths + at);

        at += line.len + 1;
        if (!weir_groups_change(weir_upstream_groups(worker->life), number, line, &error)) {
            weir_log(WEIR_LOG_ALERT, NULL, 0, "a change of an upstream cannot be taken up: %s", error.text);
        }
    }
    weir_assert(number == message->serial + 1);
    worker->changes_owed = message->serial;
    worker_on_settled(worker);
}

static void
worker_keep(worker_t *worker, weir_channel_message_t *message)
{
    for (size_t i = 0; i < message->n_fds; i++) {
        if (worker->leaving) {
            (void) weir_sys_close(message->fds[i]);
        } else {
            weir_accept_keep(worker->serve, &message->sockets[i].addr, message->fds[i], message->index);
        }
    }
    message->n_fds = 0;
}

static void
worker_on_message(worker_t *worker, weir_channel_message_t *message)
{
    if (message->kind == WEIR_CHANNEL_LEND) {
        worker_keep(worker, message);
    } else if (message->kind == WEIR_CHANNEL_RETURN) {
        weir_accept_keep_end(worker->serve, message->index);
    } else if (message->kind == WEIR_CHANNEL_CHANGES) {
        worker_change(worker, message);
    } else if (!weir_takeover_message(&worker->takeover, message) && message->kind == WEIR_CHANNEL_RELOAD) {
        weir_log(WEIR_LOG_ALERT, NULL, 0, "a reload that came during another one is ignored");
    }                                       /* others: the rest of a reload that failed here */
}

static void
worker_on_channel(weir_watch_t *watch)
{
    worker_t              *worker = weir_container_of(watch, worker_t, channel);
    weir_channel_message_t message;

    switch (weir_channel_recv(watch->fd, WEIR_CHANNEL_OF_WORKER, &message)) {
    case WEIR_OK:
        worker_on_message(worker, &message);
        break;
    case WEIR_AGAIN:
        break;
    case WEIR_ERROR:
        weir_log(WEIR_LOG_ALERT, NULL, errno, "receiving from the master process failed");
        /* fall through */
    case WEIR_EOF:
        worker_lost_master(worker);
        break;
    }
}

/* -- a new generation -- */

static bool
worker_fits(const weir_takeover_t *takeover, weir_error_t *error)
{
    size_t files = 0;

    for (const weir_log_sink_t *sink = weir_core_sinks(takeover->generation); sink != NULL; sink = sink->next) {
        files += sink->kind == WEIR_LOG_TO_FILE;
    }
    return files == takeover->n_logs || weir_error_set(error, "%zu log files for %zu", takeover->n_logs, files);
}

/* The generation becomes the worker's; files' descriptors, in order, become its sinks'. */
static void
worker_use_logs(worker_t *worker, weir_generation_t *generation, int *logs)
{
    weir_generation_t *old = worker->generation;

    weir_assert(generation != NULL && generation != old);
    for (weir_log_sink_t *sink = weir_core_sinks(generation); sink != NULL; sink = sink->next) {
        if (sink->kind == WEIR_LOG_TO_FILE) {
            sink->fd = *logs;
            *logs++ = -1;
        }
    }
    worker->generation = generation;
    weir_settings_read(&worker->settings, generation);
    weir_store_read_from(worker->settings.store_path);
    weir_log_use(weir_core_sinks(generation));
    weir_log_close(weir_core_sinks(old));
    weir_generation_unref(old);
}

static void
worker_listen(worker_t *worker, const weir_channel_socket_t *sockets, int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int fd = fds[i];

        fds[i] = -1;
        if (!weir_accept_listen(worker->serve, &sockets[i].addr, fd, sockets[i].shared)) {
            weir_log(WEIR_LOG_ALERT, NULL, errno, "accepting on a listening socket failed");
        }
    }
}

static void
worker_on_takeover(void *data)
{
    worker_t        *worker = data;
    weir_takeover_t *takeover = &worker->takeover;
    uint64_t         serial = takeover->serial;

    weir_assert(takeover->active && takeover->built);
    if (takeover->generation == NULL || !worker_fits(takeover, &takeover->error)) {
        worker_tell(worker, WEIR_CHANNEL_FAILED, serial, takeover->error.text);
        weir_takeover_end(takeover);
        return;
    }
    weir_serve_use(worker->serve, takeover->generation);
    worker_use_logs(worker, takeover->generation, takeover->logs);
    takeover->generation = NULL;
    if (!worker->leaving) {
        worker_listen(worker, takeover->sockets, takeover->fds, takeover->n_sockets);
    }
    weir_takeover_end(takeover);
    worker_tell(worker, WEIR_CHANNEL_READY, serial, "");
}

/* -- start and end -- */

static bool
worker_failed(const char *what)
{
    weir_log(WEIR_LOG_EMERG, NULL, errno, "%s", what);
    return false;
}

/* As root still: what only root may do. */
static void
worker_set_limits(const weir_settings_t *settings, uint32_t index)
{
    weir_assert(index < settings->workers);
    if (settings->priority != 0 && !weir_rights_set_priority(settings->priority)) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "setpriority(%d) failed", settings->priority);
    }
    if (settings->limits_files && !weir_rights_limit_files(settings->files)) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "setrlimit(RLIMIT_NOFILE, %llu) failed",
                 (unsigned long long) settings->files);
    }
    if (settings->limits_core && !weir_rights_limit_core(settings->core)) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "setrlimit(RLIMIT_CORE, %llu) failed",
                 (unsigned long long) settings->core);
    }
    if (settings->cpus != NULL) {
        const uint64_t *row = settings->cpus + index * settings->cpu_words;

        if (!weir_rights_set_cpus(row, settings->cpu_words)) {
            weir_log(WEIR_LOG_ALERT, NULL, errno, "sched_setaffinity() failed");
        }
    }
}

static bool
worker_drop_rights(const worker_t *worker)
{
    const weir_settings_t *settings = &worker->settings;
    const char            *why = "";

    if (!weir_rights_drop(settings->changes_user ? &settings->user : NULL, &why)
        || !weir_rights_lock(settings->may_dump, &why)) {
        return worker_failed(why);
    }
    /* The kernel forgot it with the change of user; and the master may have died before. */
    if (!weir_process_die_with_parent(SIGQUIT)) {
        return worker_failed("prctl(PR_SET_PDEATHSIG) failed");
    }
    if (settings->working_directory != NULL && chdir(settings->working_directory) != 0) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "chdir(\"%s\") failed", settings->working_directory);
    }
    return true;
}

static bool
worker_set_up(worker_t *worker, weir_worker_start_t *start)
{
    weir_assert(worker->loop == NULL && start->pulse != NULL);
    worker->start = start;
    worker->generation = start->generation;
    worker->channel.fd = -1;
    worker->takeover.wakeup.watch.fd = -1;
    weir_settings_read(&worker->settings, start->generation);
    weir_process_set_title("weir: worker process");
    weir_process_set_environment(worker->settings.environment);

    if (!weir_shared_in_worker()) {
        errno = EAGAIN;
        return worker_failed("taking a slot in shared memory failed");
    }
    worker_set_limits(&worker->settings, start->index);
    if (!worker_drop_rights(worker)) {
        return false;
    }
    worker->loop = weir_loop_create(WORKER_EVENTS);
    if (worker->loop == NULL) {
        return worker_failed("making the event loop failed");
    }
    weir_generation_free_on(worker->loop);
    weir_loop_beat_in(worker->loop, &start->pulse->beat);
    weir_backtrace_on_abort();
    if (!weir_wake_begin(worker->loop, weir_slot())) {
        return worker_failed("watching for the wake-up by other workers failed");
    }
    if (!weir_takeover_init(&worker->takeover, worker->loop, &start->source, worker_on_takeover, worker)
        || !weir_loop_watch_level(worker->loop, &worker->channel, start->channel, worker_on_channel, false)
        || !weir_signals_open(worker->loop, worker_on_signal, worker)) {
        return worker_failed("watching the master process failed");
    }
    worker->life = weir_life_create(worker->loop);
    if (worker->life == NULL) {
        return worker_failed("starting the modules failed");
    }
    weir_store_read_from(worker->settings.store_path);       /* modules may ask it as they adopt the generation */
    weir_groups_on_settled(weir_upstream_groups(worker->life), worker_on_settled, worker);
    worker->serve = weir_serve_create(worker->life, weir_areas, start->generation, worker->settings.connections);
    weir_serve_count_taken(worker->serve, &start->pulse->taken);
    worker_listen(worker, start->sockets, start->fds, start->n_sockets);
    return true;
}

static void
worker_tear_down(worker_t *worker)
{
    weir_signals_close();
    weir_takeover_fini(&worker->takeover);
    if (worker->loop != NULL) {
        weir_loop_unwatch(worker->loop, &worker->channel);
        weir_timer_drop(&worker->orphan_timer);
    }
    if (worker->serve != NULL) {
        weir_serve_stop(worker->serve);
        weir_life_end(worker->life);
        weir_serve_destroy(worker->serve);
        weir_life_destroy(worker->life);
    }
    weir_generation_free_on(NULL);
    weir_wake_end();
    weir_loop_destroy(worker->loop);
    weir_store_read_end();
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "exit");
    weir_log_use(NULL);
    weir_log_close(weir_core_sinks(worker->generation));
    weir_generation_unref(worker->generation);
    weir_shared_close();
    for (size_t i = 0; i < worker->start->n_sockets; i++) {
        if (worker->start->fds[i] >= 0) {
            (void) weir_sys_close(worker->start->fds[i]);
        }
    }
    (void) weir_sys_close(worker->start->channel);
    weir_arena_fini(&worker->start->arena);
    weir_process_fini();
}

_Noreturn void
weir_worker_run(weir_worker_start_t *start)
{
    static worker_t worker;
    bool            started = worker_set_up(&worker, start);

    if (started) {
        worker_tell(&worker, WEIR_CHANNEL_READY, start->generation->serial, "");
        if (worker_is_orphan(&worker)) {
            worker_lost_master(&worker);
        }
    }
    while (started && !worker.done && !(worker.leaving && weir_serve_busy(worker.serve) == 0)) {
        weir_loop_turn(worker.loop, WORKER_IDLE);
    }
    worker_tear_down(&worker);
    exit(started ? 0 : WEIR_WORKER_COULD_NOT_START);
}
