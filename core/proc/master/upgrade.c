/*
 * upgrade.c - see upgrade.h.  Runs in the master, and what is below in `weir -s upgrade`.
 */
#include "proc/master/upgrade.h"

#include "base/mem.h"
#include "log/log.h"
#include "os/process.h"
#include "os/sys.h"
#include "proc/common/attach.h"
#include "proc/common/outcome.h"
#include "proc/common/signals.h"
#include "proc/master/inherit.h"
#include "proc/master/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UPGRADE_REGRET   ((weir_msec_t) { 300 })      /* so that who waits for it sees that it was tried */
#define UPGRADE_SUFFIX   ".oldbin"

/* -- the pid file -- */

typedef struct { char name[PATH_MAX], old[PATH_MAX]; } upgrade_paths_t;

/* The pid file's name, and the one it has while two programs serve.  false: errno, too long. */
static bool
upgrade_name(weir_str_t pid_file, upgrade_paths_t *paths)
{
    if (pid_file.len + sizeof(UPGRADE_SUFFIX) > PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    (void) snprintf(paths->name, PATH_MAX, "%.*s", WEIR_STR_ARG(pid_file));
    (void) snprintf(paths->old, PATH_MAX, "%.*s" UPGRADE_SUFFIX, WEIR_STR_ARG(pid_file));
    return true;
}

static bool
upgrade_move_pid(weir_master_t *master, bool away)
{
    upgrade_paths_t paths;

    return upgrade_name(master->pid_file, &paths)
           && weir_sys_rename(away ? paths.name : paths.old, away ? paths.old : paths.name) == 0;
}

void
weir_upgrade_remove_pid(weir_master_t *master)
{
    upgrade_paths_t paths;

    weir_pidfile_remove(master->pid_moved && upgrade_name(master->pid_file, &paths) ? weir_str_from_z(paths.old) : master->pid_file);
}

/* -- the new one -- */

static void
upgrade_close_pipe(weir_master_t *master)
{
    if (master->successor_pipe.fd >= 0) {
        int fd = master->successor_pipe.fd;

        weir_loop_unwatch(master->loop, &master->successor_pipe);
        (void) weir_sys_close(fd);
    }
}

static void
upgrade_on_regret(weir_timer_t *timer)
{
    weir_master_t *master = weir_container_of(timer, weir_master_t, successor_timer);

    if (master->pid_moved && !upgrade_move_pid(master, false)) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "rename() of the pid file back failed");
    }
    master->pid_moved = false;
}

static void
upgrade_failed(weir_master_t *master)
{
    upgrade_close_pipe(master);
    master->successor = 0;
    master->successor_is_ready = false;
    master->successor_owes.reload = master->successor_owes.reopen = false;
    weir_timer_set(master->loop, &master->successor_timer, UPGRADE_REGRET, upgrade_on_regret);
    if (master->is_quiet && master->state == WEIR_MASTER_SERVING) {
        master->is_quiet = false;
        weir_spawn_cohort(master);
    }
}

/* How it failed, printf's.  The first word holds. */
WEIR_PRINTF(1, 2)
static void
upgrade_tell_outcome(const char *text, ...)
{
    char    room[sizeof(((weir_outcome_t *) 0)->text)];
    va_list args;

    va_start(args, text);
    (void) vsnprintf(room, sizeof(room), text, args);
    va_end(args);
    weir_outcome_end(WEIR_OUTCOME_UPGRADE, false, room);
}

static void
upgrade_on_timeout(weir_timer_t *timer)
{
    weir_master_t *master = weir_container_of(timer, weir_master_t, successor_timer);

    upgrade_tell_outcome("the new program was not ready within %u s: the error log may say why", (unsigned) (master->settings.upgrade_timeout.ms / 1000));
    weir_log(WEIR_LOG_ALERT, NULL, 0, "the new program (process %d) was not ready within %u s, it is killed", (int) master->successor,
             (unsigned) (master->settings.upgrade_timeout.ms / 1000));
    (void) weir_sys_kill(master->successor, SIGKILL);    /* its workers go with it; its end is seen like any other */
}

/* What came while it was starting: it may have read the configuration, or opened the logs, of before. */
static void
upgrade_pass_on(weir_master_t *master)
{
    if (master->successor_owes.reload) {
        (void) weir_sys_kill(master->successor, SIGHUP);
    }
    if (master->successor_owes.reopen) {
        (void) weir_sys_kill(master->successor, SIGUSR1);
    }
    master->successor_owes.reload = master->successor_owes.reopen = false;
}

void
weir_upgrade_note(weir_master_t *master, int signal)
{
    if (master->successor == 0 || master->successor_is_ready) {
        return;
    }
    if (signal == SIGHUP) {
        master->successor_owes.reload = true;
    } else {
        master->successor_owes.reopen = true;
    }
}

static void
upgrade_on_pipe(weir_watch_t *watch)
{
    weir_master_t *master = weir_container_of(watch, weir_master_t, successor_pipe);
    char           said[sizeof(((weir_outcome_t *) 0)->text)];
    ssize_t        n = weir_sys_recv(watch->fd, said, sizeof(said) - 1, 0);

    if (n < 0 && errno == EAGAIN) {
        return;
    }
    if (n > 1 && said[0] == 'F') {
        said[n] = '\0';
        upgrade_tell_outcome("%s", said + 1);
    }
    if (n == 1 && said[0] == 'R') {
        weir_outcome_end(WEIR_OUTCOME_UPGRADE, true, "the new program serves");
        master->successor_is_ready = true;
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "the new program (process %d) is ready", (int) master->successor);
        weir_timer_clear(&master->successor_timer);
        upgrade_pass_on(master);
    }
    upgrade_close_pipe(master);              /* when it has closed it without a word its end comes by SIGCHLD, or in time */
}

static _Noreturn void
upgrade_exec(int table, int ready_fd, const int *fds, size_t n)
{
    char number[16], why[200];
    int  len;

    for (size_t i = 0; i < n; i++) {
        (void) fcntl(fds[i], F_SETFD, 0);
    }
    (void) snprintf(number, sizeof(number), "%d", table);
    (void) setenv(WEIR_INHERITED, number, 1);
    weir_process_reset_signals();
    weir_process_exec_again();
    weir_log(WEIR_LOG_ALERT, NULL, errno, "execve() of the new program failed");
    len = snprintf(why, sizeof(why), "Fexecve() of the new program failed (%d: %s)", errno, strerror(errno));
    (void) weir_sys_send(ready_fd, why, weir_min((size_t) len, sizeof(why) - 1), 0);
    _exit(2);
}

static bool
upgrade_start(weir_master_t *master, int pipe[2])
{
    size_t n;
    int   *fds, table = weir_inherit_write(&master->sockets, pipe[1], &fds, &n);

    if (table < 0) {
        upgrade_tell_outcome("writing down what the new program inherits failed (%d: %s)", errno, strerror(errno));
        weir_log(WEIR_LOG_ALERT, NULL, errno, "writing down what the new program inherits failed");
        return false;
    }
    weir_signals_block();
    master->successor = weir_sys_fork();
    if (master->successor == 0) {
        upgrade_exec(table, pipe[1], fds, n);
    }
    weir_signals_unblock();
    (void) weir_sys_close(table);
    weir_mem_free(fds);
    if (master->successor < 0) {
        upgrade_tell_outcome("fork() of the new program failed (%d: %s)", errno, strerror(errno));
        weir_log(WEIR_LOG_ALERT, NULL, errno, "fork() of the new program failed");
        master->successor = 0;
        return false;
    }
    return true;
}

void
weir_upgrade_begin(weir_master_t *master)
{
    int pipe[2];

    if (master->successor != 0 || master->state != WEIR_MASTER_SERVING || weir_is_inheriting()) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "changing the program is ignored: %s",
                 master->successor != 0 ? "another one was started before" : "this one is coming or going");
        return;
    }
    if (master->pid_moved) {                             /* one that failed just now */
        weir_timer_clear(&master->successor_timer);
        upgrade_on_regret(&master->successor_timer);
    }
    weir_outcome_begin(WEIR_OUTCOME_UPGRADE);
    if (weir_sys_socketpair(SOCK_STREAM, pipe) != 0) {
        upgrade_tell_outcome("socketpair() for the new program failed (%d: %s)", errno, strerror(errno));
        weir_log(WEIR_LOG_ALERT, NULL, errno, "socketpair() for the new program failed");
        return;
    }
    if (!upgrade_move_pid(master, true)) {
        upgrade_tell_outcome("rename() of the pid file failed (%d: %s)", errno, strerror(errno));
        weir_log(WEIR_LOG_ALERT, NULL, errno, "rename() of the pid file \"%.*s\" failed", WEIR_STR_ARG(master->pid_file));
        (void) weir_sys_close(pipe[0]);
        (void) weir_sys_close(pipe[1]);
        return;
    }
    master->pid_moved = true;
    if (!upgrade_start(master, pipe) || !weir_loop_watch_level(master->loop, &master->successor_pipe, pipe[0], upgrade_on_pipe, false)) {
        (void) weir_sys_close(pipe[0]);
        (void) weir_sys_close(pipe[1]);
        master->successor_pipe.fd = -1;
        if (master->successor != 0) {
            (void) weir_sys_kill(master->successor, SIGKILL);
        } else {
            upgrade_failed(master);
        }
        return;
    }
    (void) weir_sys_close(pipe[1]);
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "the new program was started as process %d", (int) master->successor);
    weir_timer_set(master->loop, &master->successor_timer, master->settings.upgrade_timeout, upgrade_on_timeout);
}

bool
weir_upgrade_ended(weir_master_t *master, pid_t pid, int status)
{
    if (master->successor == 0 || pid != master->successor) {
        return false;
    }
    if (master->successor_pipe.fd >= 0) {    /* what it said is looked at first */
        upgrade_on_pipe(&master->successor_pipe);
    }
    if (WIFSIGNALED(status)) {
        upgrade_tell_outcome("the new program ended on signal %d before it was ready", WTERMSIG(status));
        weir_log(WEIR_LOG_ALERT, NULL, 0, "the new program (process %d) ended on signal %d", (int) pid, WTERMSIG(status));
    } else {
        upgrade_tell_outcome("the new program ended with code %d before it was ready: the error log may say why", WEXITSTATUS(status));
        weir_log(master->successor_is_ready ? WEIR_LOG_NOTICE : WEIR_LOG_ALERT, NULL, 0, "the new program (process %d) ended with code %d%s",
                 (int) pid, WEXITSTATUS(status), master->successor_is_ready ? "" : " before it was ready");
    }
    upgrade_failed(master);
    return true;
}

void
weir_upgrade_fini(weir_master_t *master)
{
    weir_timer_drop(&master->successor_timer);
    if (master->successor_pipe.fd >= 0) {
        (void) weir_sys_close(master->successor_pipe.fd);
        master->successor_pipe.fd = -1;
    }
}

/* -- weir -s upgrade -- */

static bool
upgrade_exists(const char *path)
{
    struct stat st;

    return weir_sys_stat(path, &st) == 0;
}

/* Without a word when there is none. */
static pid_t
upgrade_peek(weir_str_t pid_file, const char *path)
{
    pid_t pid = 0;

    return upgrade_exists(path) && weir_pidfile_read(pid_file, &pid) ? pid : 0;
}

static int
upgrade_say(const char *what)
{
    fprintf(stderr, "weir: %s\n", what);
    return 1;
}

bool
weir_upgrade_named(weir_str_t pid_file, pid_t *pid)
{
    weir_error_t    error = { .text = "" };
    upgrade_paths_t paths;

    if (!weir_pidfile_read(pid_file, pid)) {
        if (upgrade_name(pid_file, &paths) && !upgrade_exists(paths.name)) {
            (void) upgrade_say("nothing runs with this configuration, or its pid file is elsewhere (-p, -c, pid)");
        }
        return false;
    }
    if (!weir_attach_check(*pid, &error)) {
        (void) upgrade_say(error.text);
        return false;
    }
    return true;
}

bool
weir_upgrade_serving(weir_str_t pid_file, pid_t *pid)
{
    upgrade_paths_t paths;

    if (upgrade_name(pid_file, &paths) && !upgrade_exists(paths.name) && upgrade_exists(paths.old)) {
        pid_file = weir_str_from_z(paths.old);
    }
    return weir_upgrade_named(pid_file, pid);
}

/* The old one serves on; why, its master knows better than we do. */
static int
upgrade_say_why(pid_t old, const weir_outcome_t *before, const char *otherwise)
{
    weir_outcome_t seen;
    weir_error_t   error = { .text = "" };

    if (!weir_outcome_look(old, WEIR_OUTCOME_UPGRADE, &seen, &error) || seen.ended <= before->begun || seen.good) {
        return upgrade_say(otherwise);
    }
    (void) upgrade_say("the new program did not come up, the old one serves on");
    return weir_outcome_print(&seen);
}

/* The new program serves: does it go on to?  The old one takes its pid file back when it does not. */
static bool
upgrade_holds(const weir_settings_t *settings, const upgrade_paths_t *paths, pid_t old)
{
    const struct timespec pause = { .tv_nsec = 10 * 1000000L };

    for (uint64_t waited_ms = 0; waited_ms < settings->upgrade_trial.ms; waited_ms += 10) {
        (void) nanosleep(&pause, NULL);
        if (upgrade_peek(settings->pid_file, paths->name) == old) {
            return false;
        }
    }
    return true;
}

int
weir_upgrade_run(const weir_settings_t *settings)
{
    const struct timespec pause = { .tv_nsec = 10 * 1000000L };
    upgrade_paths_t       paths;
    weir_outcome_t        before = { .begun = UINT64_MAX };
    weir_error_t          error = { .text = "" };
    bool                  begun = false;
    pid_t                 old, now;

    if (!weir_upgrade_named(settings->pid_file, &old)) {
        return 1;
    }
    if (!upgrade_name(settings->pid_file, &paths)) {
        return upgrade_say("the pid file's path is too long");
    }
    if (upgrade_exists(paths.old)) {
        return upgrade_say("another upgrade is under way, or was left undone: there is a pid file of the old program");
    }
    (void) !weir_outcome_look(old, WEIR_OUTCOME_UPGRADE, &before, &error);
    if (weir_sys_kill(old, SIGUSR2) != 0) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "kill(%d, %d) failed", (int) old, SIGUSR2);
        return 1;
    }
    for (uint64_t waited_ms = 0; waited_ms < settings->upgrade_timeout.ms + 5000; waited_ms += 10) {
        (void) nanosleep(&pause, NULL);
        begun = begun || upgrade_exists(paths.old);
        now = upgrade_peek(settings->pid_file, paths.name);
        if (begun && now != 0 && now != old) {
            if (!upgrade_holds(settings, &paths, old)) {
                return upgrade_say("the new program came up and ended, the old one serves on: its error log says why");
            }
            return weir_sys_kill(old, SIGQUIT) == 0 ? 0 : upgrade_say("the new program serves, but the old one could not be told to leave");
        }
        if ((begun && now == old) || (!begun && waited_ms > 5000)) {
            break;
        }
    }
    return upgrade_say_why(old, &before, begun ? "the new program did not come up, the old one serves on: its error log says why"
                                               : "the master did not begin an upgrade within 5 s: it is stopped or stuck, or its error log says why");
}
