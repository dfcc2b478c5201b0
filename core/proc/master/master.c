/*
 * master.c - the master's life: it starts workers, listens to signals, and goes when the last worker has.
 *
 * Runs in the master; reads no byte from the network.
 */
#include "proc/master/master.h"

#include "base/mem.h"
#include "conf/core.h"
#include "log/files.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/sys.h"
#include "proc/common/backtrace.h"
#include "proc/common/outcome.h"
#include "proc/common/shared.h"
#include "proc/common/signals.h"
#include "proc/master/daemon.h"
#include "proc/master/fragments_live.h"
#include "proc/master/inherit.h"
#include "proc/master/load.h"
#include "proc/master/pidfile.h"
#include "proc/master/store_process.h"
#include "proc/master/upgrade.h"
#include "shm/zone.h"

#include <errno.h>
#include <unistd.h>

#define MASTER_EVENTS   64
#define MASTER_IDLE     ((weir_msec_t) { 3600 * 1000 })
#define MASTER_RESERVE  (256 * 1024)                 /* memory for what must not fail when it runs out */
#define MASTER_PATIENCE ((weir_msec_t) { 5000 })     /* with workers that were told to leave at once */

/* -- the pid file -- */

static void
master_forget_pid(weir_master_t *master)
{
    weir_mem_free((void *) (uintptr_t) master->pid_file.at);
    master->pid_file = WEIR_STR_NONE;
}

/* The first time, and when its path has changed; the control socket is beside it. */
void
weir_master_write_pid(weir_master_t *master)
{
    weir_str_t path = master->settings.pid_file;
    char      *copy;

    if (weir_str_eq(path, master->pid_file) || !weir_pidfile_write(path, master->pid)) {
        return;
    }
    if (master->pid_file.at != NULL) {
        weir_pidfile_remove(master->pid_file);
        master_forget_pid(master);
    }
    weir_assert(master->pid_file.at == NULL);
    copy = weir_mem_need(path.len + 1);
    memcpy(copy, path.at, path.len);
    master->pid_file = weir_str(copy, path.len);
    weir_publish_open(master);
}

/* -- stopping -- */

static void
master_on_stop_timer(weir_timer_t *timer)
{
    weir_master_t *master = weir_container_of(timer, weir_master_t, stop_timer);

    weir_log(WEIR_LOG_ALERT, NULL, 0, "workers did not leave within %u ms, they are killed",
             (unsigned) MASTER_PATIENCE.ms);
    weir_spawn_tell(master, SIGKILL);
}

static void
master_stop(weir_master_t *master)
{
    if (master->state != WEIR_MASTER_STOPPING) {
        master->state = WEIR_MASTER_STOPPING;
        weir_reload_abort(master);
        weir_spawn_tell(master, SIGTERM);
        weir_timer_set(master->loop, &master->stop_timer, MASTER_PATIENCE, master_on_stop_timer);
    }
}

/* Files of unix sockets go with the last process that has them. */
static bool
master_owns_paths(const weir_master_t *master)
{
    return master->successor == 0 && !weir_inherit_is_under_way();
}

/* New connections are refused at once, so that the next program can bind. */
static void
master_quit(weir_master_t *master)
{
    if (master->state == WEIR_MASTER_SERVING) {
        master->state = WEIR_MASTER_QUITTING;
        weir_reload_abort(master);
        weir_spawn_tell(master, SIGQUIT);
        weir_sockets_fini(&master->sockets, master_owns_paths(master));
    }
}

/* -- signals -- */

/* Workers open the new files by their names: as nginx does, they become the worker user's. */
static void
master_reopen_logs(weir_master_t *master)
{
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "reopening logs");
    weir_log_reopen(weir_core_sinks(master->generation));
    weir_log_files_reopen();
    if (master->settings.changes_user) {
        weir_log_files_own(master->settings.user.uid);
    }
    for (weir_log_sink_t *sink = weir_core_sinks(master->generation); sink != NULL; sink = sink->next) {
        if (sink->kind == WEIR_LOG_TO_FILE && master->settings.changes_user
            && fchown(sink->fd, master->settings.user.uid, (gid_t) -1) != 0)
        {
            weir_log(WEIR_LOG_ERROR, NULL, errno, "fchown() of \"%.*s\" failed", WEIR_STR_ARG(sink->path));
        }
    }
    weir_spawn_tell(master, SIGUSR1);
    weir_store_process_reopen_logs(master);
}

static void
master_log_signal(int signal, pid_t sender, const char *what)
{
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "signal %d (%s) received from %d%s", signal, weir_process_signal_name(signal),
             (int) sender, what);
}

/* Workers leave, the master stays with its sockets.  A terminal that changes size sends it too: so not to one that
 * stands in one. */
static void
master_winch(weir_master_t *master, pid_t sender)
{
    if (master->state != WEIR_MASTER_SERVING || master->is_quiet
        || (!master->settings.daemon && master->successor == 0))
    {
        weir_log(WEIR_LOG_INFO, NULL, 0, "signal SIGWINCH received, ignored");
        return;
    }
    master_log_signal(SIGWINCH, sender, ", workers leave");
    master->is_quiet = true;
    weir_reload_abort(master);
    weir_spawn_leave_all(master, SIGQUIT);
}

static void
master_on_signal(void *data)
{
    weir_master_t *master = data;
    pid_t          sender;
    int            number;

    if (weir_signals_take(WEIR_SIGNAL_CHLD, NULL)) {
        weir_spawn_reap(master);
        weir_master_settle(master);
    }
    if ((number = weir_signals_take(WEIR_SIGNAL_TERM, &sender)) != 0) {
        master_log_signal(number, sender, ", exiting");
        master_stop(master);
    }
    if (weir_signals_take(WEIR_SIGNAL_QUIT, &sender)) {
        master_log_signal(SIGQUIT, sender, ", shutting down");
        master_quit(master);
    }
    if (weir_signals_take(WEIR_SIGNAL_USR1, &sender)) {
        master_log_signal(SIGUSR1, sender, "");
        master_reopen_logs(master);
        weir_upgrade_note(master, SIGUSR1);
    }
    if (weir_signals_take(WEIR_SIGNAL_HUP, &sender)) {
        master_log_signal(SIGHUP, sender, "");
        if (master->state == WEIR_MASTER_SERVING && master->is_quiet) {
            master->is_quiet = false;        /* as nginx: workers come again, on the configuration of before */
            weir_outcome_begin(WEIR_OUTCOME_RELOAD);
            weir_spawn_cohort(master);
            weir_outcome_end(WEIR_OUTCOME_RELOAD, true,
                             "workers are started again with the configuration that was in use");
            weir_reload_fragments(master);
        } else if (master->state == WEIR_MASTER_SERVING) {
            weir_reload_request(master);
            weir_upgrade_note(master, SIGHUP);
        }
    }
    if (weir_signals_take(WEIR_SIGNAL_USR2, &sender)) {
        master_log_signal(SIGUSR2, sender, ", changing the program");
        weir_upgrade_begin(master);
    }
    if (weir_signals_take(WEIR_SIGNAL_WINCH, &sender)) {
        master_winch(master, sender);
    }
}

/* -- life -- */

/* All of the first workers accept: the program before this one may go. */
static void
master_check_ready(weir_master_t *master)
{
    if (!weir_inherit_is_under_way()) {
        return;
    }
    for (weir_list_t *at = master->children.next; at != &master->children; at = at->next) {
        if (weir_list_entry(at, weir_child_t, link)->serial != master->generation->serial) {
            return;
        }
    }
    weir_master_write_pid(master);
    weir_inherit_ready();
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "this program has taken over");
}

void
weir_master_settle(weir_master_t *master)
{
    if (master->state == WEIR_MASTER_SERVING) {
        weir_reload_check_done(master);
        master_check_ready(master);
        weir_lend_settle(master);
        weir_publish_settle(master);
    }
}

static bool
master_set_up(weir_master_t *master)
{
    weir_assert(master->loop == NULL && master->generation != NULL);
    master->pid = getpid();
    master->bundle_fd = -1;
    master->successor_pipe.fd = -1;
    weir_list_init(&master->children);
    weir_settings_read(&master->settings, master->generation);
    master->loop = weir_loop_create(MASTER_EVENTS);
    if (master->loop == NULL) {
        weir_log(WEIR_LOG_EMERG, NULL, errno, "making the event loop failed");
        return false;
    }
    weir_signals_block();
    if (!weir_inherit_is_under_way()) {      /* else when it is ready: until then the file is of the one before */
        weir_master_write_pid(master);
        if (master->pid_file.at == NULL) {
            return false;
        }
    }
    if (!weir_signals_open(master->loop, master_on_signal, master)) {
        weir_log(WEIR_LOG_EMERG, NULL, errno, "watching signals failed");
        return false;
    }
    if (!weir_shared_open(master->loop, &master->settings)) {
        return false;
    }
    weir_process_set_title("weir: master process");
    weir_backtrace_prepare();
    weir_watchdog_set(master);
    return true;
}

static void
master_tear_down(weir_master_t *master)
{
    weir_store_process_stop(master);
    weir_fragments_live_end();
    weir_publish_close(master);
    weir_signals_close();
    weir_reload_abort(master);
    weir_timer_drop(&master->stop_timer);
    weir_timer_drop(&master->watchdog_timer);
    weir_upgrade_fini(master);
    weir_spawn_free_all(master);
    weir_shared_close();
    weir_loop_destroy(master->loop);
    weir_sockets_fini(&master->sockets, master_owns_paths(master));
    weir_inherit_failed(weir_log_last_emerg());
    weir_inherit_forget();
    if (master->pid_file.at != NULL) {
        weir_upgrade_remove_pid(master);
        master_forget_pid(master);
    }
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "exit");
    weir_load_boot_end();
    weir_log_use(NULL);
    weir_log_close(weir_core_sinks(master->generation));
    weir_generation_unref(master->generation);
}

static void
master_want_fragments(void *data)
{
    weir_reload_fragments(data);
}

int
weir_master_run(const weir_conf_source_t *source, weir_generation_t *generation, weir_sockets_t *sockets)
{
    static weir_master_t master;
    bool                 started;

    master.source = source;
    master.generation = generation;
    master.sockets = *sockets;
    *sockets = (weir_sockets_t) { 0 };
    started = master_set_up(&master) && weir_store_process_start(&master);
    weir_publish_use(&master);
    weir_fragments_live_use(generation->serial);
    weir_fragments_live_done(generation->serial);
    if (started) {
        weir_fragments_live_begin(master.loop, true, master_want_fragments, &master);
        weir_load_boot_end();
        if (weir_inherit_is_under_way()) {
            weir_sockets_close_unused(&master.sockets, generation->serial);
            weir_zones_drop_unused();
        }
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "weir/" WEIR_VERSION ", %u worker processes", master.settings.workers);
        weir_daemon_turn_stderr(weir_load_stderr(generation));
        weir_spawn_cohort(&master);
        weir_daemon_ready();
    }
    while (started && (master.state == WEIR_MASTER_SERVING || weir_spawn_anybody(&master))) {
        (void) weir_mem_keep_reserve(MASTER_RESERVE);
        weir_loop_turn(master.loop, MASTER_IDLE);
    }
    master_tear_down(&master);
    return started ? 0 : 1;
}
