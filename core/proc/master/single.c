/*
 * single.c - see single.h.  For development.
 *
 * It keeps the user it was started as, so that it can read its files again; a reload builds in the loop and requests
 * wait for it.
 */
#include "proc/master/single.h"

#include "conf/core.h"
#include "event/wake.h"
#include "log/files.h"
#include "log/log.h"
#include "log/named.h"
#include "os/process.h"
#include "os/sys.h"
#include "proc/common/areas.h"
#include "proc/common/outcome.h"
#include "proc/common/shared.h"
#include "proc/common/signals.h"
#include "proc/master/control.h"
#include "proc/master/current.h"
#include "proc/master/daemon.h"
#include "proc/master/fragments_live.h"
#include "proc/master/load.h"
#include "proc/master/pidfile.h"
#include "shm/slots.h"
#include "shm/stats.h"
#include "upstream/state_file.h"

#include <errno.h>
#include <unistd.h>

#define SINGLE_EVENTS 512
#define SINGLE_IDLE   ((weir_msec_t) { 3600 * 1000 })

typedef struct {
    const weir_conf_source_t *source;
    weir_loop_t              *loop;
    weir_generation_t        *generation;
    weir_settings_t           settings;
    weir_sockets_t            sockets;
    weir_life_t              *life;
    weir_serve_t             *serve;
    weir_timer_t              left_timer;       /* sockets of addresses that are gone */
    weir_task_t               fragments_task;
    bool                      leaving, done;
} single_t;

/* serve owns what it accepts on; the table keeps its own, as the master's would. */
static void
single_listen(single_t *single)
{
    for (size_t i = 0; i < single->sockets.n; i++) {
        const weir_listener_t *listener = single->sockets.at[i];

        for (size_t k = 0; listener->since == single->generation->serial && k < listener->n_fds; k++) {
            int fd = weir_sys_dup(listener->fds[k]);

            if (fd < 0 || !weir_accept_listen(single->serve, &listener->addr, fd, false)) {
                weir_log(WEIR_LOG_ALERT, NULL, errno, "accepting on %s failed", listener->text);
            }
        }
    }
}

static void
single_on_left(weir_timer_t *timer)
{
    single_t   *single = weir_container_of(timer, single_t, left_timer);
    weir_msec_t again = weir_sockets_close_left(&single->sockets);

    if (again.ms != 0) {
        weir_timer_set(single->loop, timer, again, single_on_left);
    }
}

static bool
single_judge(void *data, const weir_generation_t *generation, weir_error_t *error)
{
    return weir_sockets_check(&((single_t *) data)->sockets, generation, 1, false, false, error);
}

/* What was loaded is served; if it cannot be, all is as it was. */
static void
single_take(single_t *single, weir_generation_t *generation, weir_bundle_t *bundle)
{
    weir_error_t       error = { .text = "" };
    weir_generation_t *old = single->generation;

    if (!weir_load_open_logs(generation, &error)
        || !weir_sockets_open(&single->sockets, generation, 1, false, &error))
    {
        weir_log(WEIR_LOG_EMERG, NULL, 0, "%s", error.text);
        weir_outcome_end(WEIR_OUTCOME_RELOAD, false, error.text);
        weir_log_close(weir_core_sinks(generation));
        weir_generation_unref(generation);
        weir_bundle_destroy(bundle);
        weir_fragments_live_give_up(&error);
        return;
    }
    weir_assert(generation->serial > old->serial);
    weir_current_keep_bundle(bundle);
    weir_bundle_destroy(bundle);
    single->generation = generation;
    weir_sockets_refuse_unused(&single->sockets, generation->serial);
    weir_serve_use(single->serve, generation);
    weir_load_use_logs(generation, old);
    weir_settings_read(&single->settings, generation);
    weir_shared_use(&single->settings);
    single_listen(single);
    weir_sockets_leave_unused(&single->sockets, generation->serial);
    single_on_left(&single->left_timer);
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "configuration %llu is in use", (unsigned long long) generation->serial);
    weir_outcome_end(WEIR_OUTCOME_RELOAD, true, "the configuration is in use");
    weir_fragments_live_use(generation->serial);
    weir_fragments_live_done(generation->serial);
}

static void
single_on_fragments(weir_task_t *task)
{
    single_t                    *single = weir_container_of(task, single_t, fragments_task);
    const weir_fragments_judge_t judge = { .data = single, .check = single_judge };
    weir_error_t                 error = { .text = "" };
    weir_bundle_t               *bundle = NULL;
    weir_generation_t           *generation;

    if (single->leaving || !weir_fragments_are_asked(weir_fragments_live_table())) {
        return;
    }
    generation = weir_fragments_live_load(single->source, single->generation->serial + 1, false, &judge, &bundle,
                                          &error);
    if (generation != NULL) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "fragments have changed: configuration %llu",
                 (unsigned long long) generation->serial);
        single_take(single, generation, bundle);
    }
}

static void
single_want_fragments(void *data)
{
    single_t *single = data;

    weir_task_post(single->loop, &single->fragments_task, single_on_fragments);
}

static void
single_reload(single_t *single)
{
    const weir_fragments_judge_t judge = { .data = single, .check = single_judge };
    weir_error_t                 error = { .text = "" };
    weir_bundle_t               *bundle = NULL;
    weir_generation_t           *generation;

    weir_outcome_begin(WEIR_OUTCOME_RELOAD);
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "reconfiguring");
    generation = weir_fragments_live_load(single->source, single->generation->serial + 1, true, &judge, &bundle,
                                          &error);
    if (generation == NULL) {
        weir_outcome_end(WEIR_OUTCOME_RELOAD, false, error.text);
        single_want_fragments(single);       /* those that waited go on with the files of before */
        return;
    }
    single_take(single, generation, bundle);
}

static void
single_quit(single_t *single)
{
    weir_assert(single->serve != NULL);
    if (!single->leaving) {
        single->leaving = true;
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "gracefully shutting down");
        weir_sockets_fini(&single->sockets, true);
        weir_serve_quit(single->serve, single->settings.shutdown_timeout);
    }
}

static void
single_on_signal(void *data)
{
    single_t *single = data;

    if (weir_signals_take(WEIR_SIGNAL_TERM, NULL)) {
        single->done = true;
    }
    if (weir_signals_take(WEIR_SIGNAL_QUIT, NULL)) {
        single_quit(single);
    }
    if (weir_signals_take(WEIR_SIGNAL_USR1, NULL)) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "reopening logs");
        weir_log_reopen(weir_core_sinks(single->generation));
        weir_log_named_forget();
        weir_log_files_reopen();
    }
    if (weir_signals_take(WEIR_SIGNAL_HUP, NULL) && !single->leaving) {
        single_reload(single);
    }
}

/* -- changes of groups' peers -- */

static weir_generation_t *
single_generation(void *data)
{
    return ((single_t *) data)->generation;
}

static const char *
single_is_closed(void *data)
{
    return ((single_t *) data)->leaving ? "the instance is shutting down" : NULL;
}

static bool
single_change(void *data, uint64_t number, const weir_change_t *change, weir_str_t line, weir_error_t *error)
{
    single_t                *single = data;
    const weir_group_conf_t *group = weir_upstream_find(single->generation, change->group);
    int                      failed;

    weir_assert(group != NULL);              /* it was checked */
    if (!weir_groups_change(weir_upstream_groups(single->life), number, line, error)) {
        return false;
    }
    failed = group->state.len != 0 ? weir_state_file_write(group) : 0;      /* it waits for the disk */
    if (failed != 0) {
        weir_state_file_fault(group, failed, error);
    }
    return failed == 0;
}

static const char *
single_fault(void *data WEIR_UNUSED, uint64_t number WEIR_UNUSED)
{
    return NULL;
}

static uint64_t
single_settled(void *data, uint64_t number WEIR_UNUSED, json_t *late WEIR_UNUSED)
{
    return weir_groups_settled(weir_upstream_groups(((single_t *) data)->life));
}

static void
single_on_settled(void *data WEIR_UNUSED)
{
    weir_control_settle();
}

static void
single_open_control(single_t *single, weir_str_t pid_file)
{
    const weir_command_ops_t ops = {
        .data = single, .loop = single->loop, .generation = single_generation, .is_closed = single_is_closed,
        .publish = single_change, .settled = single_settled,
        .fault = single_fault,
    };

    weir_groups_on_settled(weir_upstream_groups(single->life), single_on_settled, single);
    weir_control_open(&ops, pid_file, &single->settings);
}

static bool
single_set_up(single_t *single)
{
    weir_settings_read(&single->settings, single->generation);
    weir_process_set_environment(single->settings.environment);
    if (single->settings.store_path.len != 0) {
        weir_log(WEIR_LOG_EMERG, NULL, 0,
                 "\"store_path\" needs \"master_process on\": a process of its own writes to the store");
        return false;
    }
    single->loop = weir_loop_create(SINGLE_EVENTS);
    if (single->loop == NULL || !weir_signals_open(single->loop, single_on_signal, single)) {
        weir_log(WEIR_LOG_EMERG, NULL, errno, "making the event loop failed");
        return false;
    }
    if (!weir_shared_open(single->loop, &single->settings) || !weir_slots_take(getpid())) {
        return false;
    }
    weir_stats_hold_all();
    if (!weir_wake_begin(single->loop, weir_slot())) {
        weir_log(WEIR_LOG_EMERG, NULL, errno, "watching for wake-ups failed");
        return false;
    }
    single->life = weir_life_create(single->loop);
    if (single->life == NULL) {
        return false;
    }
    single->serve = weir_serve_create(single->life, weir_areas, single->generation, single->settings.connections);
    single_listen(single);
    return true;
}

static void
single_tear_down(single_t *single)
{
    weir_fragments_live_end();
    weir_control_close();
    weir_signals_close();
    weir_task_cancel(&single->fragments_task);
    if (single->serve != NULL) {
        weir_serve_stop(single->serve);
        weir_life_end(single->life);
        weir_serve_destroy(single->serve);
        weir_life_destroy(single->life);
    }
    weir_shared_close();
    weir_timer_drop(&single->left_timer);
    weir_loop_destroy(single->loop);
    weir_sockets_fini(&single->sockets, true);
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "exit");
    weir_load_boot_end();
    weir_log_use(NULL);
    weir_log_close(weir_core_sinks(single->generation));
    weir_generation_unref(single->generation);
}

int
weir_single_run(const weir_conf_source_t *source, weir_generation_t *generation, weir_sockets_t *sockets)
{
    static single_t single;
    char            pid_file[4096];
    weir_str_t      pid_path = WEIR_STR_NONE;
    bool            started;

    single.source = source;
    single.generation = generation;
    single.sockets = *sockets;
    *sockets = (weir_sockets_t) { 0 };
    started = single_set_up(&single);
    if (started && single.settings.pid_file.len < sizeof(pid_file)) {
        memcpy(pid_file, single.settings.pid_file.at, single.settings.pid_file.len);
        pid_path = weir_str(pid_file, single.settings.pid_file.len);
        started = weir_pidfile_write(pid_path, getpid());
    }
    if (started) {
        single_open_control(&single, pid_path);
        weir_fragments_live_use(generation->serial);
        weir_fragments_live_done(generation->serial);
        weir_fragments_live_begin(single.loop, false, single_want_fragments, &single);
    }
    if (started) {
        weir_load_boot_end();
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "weir/" WEIR_VERSION ", one process");
        weir_daemon_turn_stderr(weir_load_stderr(generation));
        weir_daemon_ready();
    }
    while (started && !single.done && !(single.leaving && weir_serve_busy(single.serve) == 0)) {
        weir_loop_turn(single.loop, SINGLE_IDLE);
    }
    if (started) {
        weir_pidfile_remove(pid_path);
    }
    single_tear_down(&single);
    return started ? 0 : 1;
}
