/*
 * upgrade.c - see upgrade.h.  Runs in the master.
 */
#include "proc/master/upgrade.h"

#include "base/mem.h"
#include "log/log.h"
#include "os/process.h"
#include "os/sys.h"
#include "proc/common/outcome.h"
#include "proc/common/signals.h"
#include "proc/master/inherit.h"
#include "proc/master/keep.h"
#include "proc/master/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define UPGRADE_REGRET   ((weir_msec_t) { 300 })      /* so that the command that waits for it sees that it was tried */

/* -- the pid file -- */

static bool
upgrade_move_pid(weir_master_t *master, bool away)
{
    weir_pidfile_names_t names;

    return weir_pidfile_names(master->pid_file, &names)
           && weir_sys_rename(away ? names.name : names.old, away ? names.old : names.name) == 0;
}

void
weir_upgrade_remove_pid(weir_master_t *master)
{
    weir_pidfile_names_t names;

    weir_pidfile_remove(master->pid_moved && weir_pidfile_names(master->pid_file, &names) ? weir_str_from_z(names.old)
                                                                                          : master->pid_file);
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
    weir_publish_open(master);               /* the new program may have had one there */
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
    weir_reload_fragments(master);           /* what came meanwhile */
}

/* How it failed, printf's.  The first word holds. */
WEIR_PRINTF(1, 2)
static void
upgrade_tell_outcome(const char *text, ...)
{
    char    room[sizeof(((weir_outcome_row_t *) 0)->text)];
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

    weir_assert(master->successor > 0 && !master->successor_is_ready);
    upgrade_tell_outcome("the new program was not ready within %u s: the error log may say why",
                         (unsigned) (master->settings.upgrade_timeout.ms / 1000));
    weir_log(WEIR_LOG_ALERT, NULL, 0, "the new program (process %d) was not ready within %u s, it is killed",
             (int) master->successor, (unsigned) (master->settings.upgrade_timeout.ms / 1000));
    (void) weir_process_kill(master->successor, SIGKILL);  /* its workers go with it; its end is seen like any other */
}

/* What came while it was starting: it may have read the configuration, or opened the logs, of before. */
static void
upgrade_pass_on(weir_master_t *master)
{
    weir_assert(master->successor > 0 && master->successor_is_ready);
    if (master->successor_owes.reload) {
        (void) weir_process_kill(master->successor, SIGHUP);
    }
    if (master->successor_owes.reopen) {
        (void) weir_process_kill(master->successor, SIGUSR1);
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
    char           said[sizeof(((weir_outcome_row_t *) 0)->text)];
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
    /* when it has closed it without a word its end comes by SIGCHLD, or in time */
    upgrade_close_pipe(master);
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

    weir_assert(master->successor == 0);
    if (table < 0) {
        upgrade_tell_outcome("the list of what the new program inherits could not be written (%d: %s)", errno,
                             strerror(errno));
        weir_log(WEIR_LOG_ALERT, NULL, errno, "the list of what the new program inherits could not be written");
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

    if (master->successor != 0 || master->state != WEIR_MASTER_SERVING || weir_inherit_is_under_way()) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "the upgrade is ignored: %s",
                 master->successor != 0 ? "another upgrade is under way" : "this program is starting or stopping");
        return;
    }
    if (master->pid_moved) {                             /* one that failed just now */
        weir_timer_clear(&master->successor_timer);
        upgrade_on_regret(&master->successor_timer);
    }
    weir_assert(!master->pid_moved && master->successor_pipe.fd < 0);
    weir_outcome_begin(WEIR_OUTCOME_UPGRADE);
    weir_keep_wait(master);                              /* the new program reads what files have */
    weir_publish_settle(master);
    if (weir_sys_socketpair(SOCK_STREAM, pipe) != 0) {
        upgrade_tell_outcome("socketpair() for the new program failed (%d: %s)", errno, strerror(errno));
        weir_log(WEIR_LOG_ALERT, NULL, errno, "socketpair() for the new program failed");
        return;
    }
    if (!upgrade_move_pid(master, true)) {
        upgrade_tell_outcome("rename() of the pid file failed (%d: %s)", errno, strerror(errno));
        weir_log(WEIR_LOG_ALERT, NULL, errno, "rename() of the pid file \"%.*s\" failed",
                 WEIR_STR_ARG(master->pid_file));
        (void) weir_sys_close(pipe[0]);
        (void) weir_sys_close(pipe[1]);
        return;
    }
    master->pid_moved = true;
    if (!upgrade_start(master, pipe)
        || !weir_loop_watch_level(master->loop, &master->successor_pipe, pipe[0], upgrade_on_pipe, false))
    {
        (void) weir_sys_close(pipe[0]);
        (void) weir_sys_close(pipe[1]);
        master->successor_pipe.fd = -1;
        if (master->successor != 0) {
            (void) weir_process_kill(master->successor, SIGKILL);
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
        weir_log(WEIR_LOG_ALERT, NULL, 0, "the new program (process %d) ended on signal %d", (int) pid,
                 WTERMSIG(status));
    } else {
        upgrade_tell_outcome("the new program ended with code %d before it was ready: the error log may say why",
                             WEXITSTATUS(status));
        weir_log(master->successor_is_ready ? WEIR_LOG_NOTICE : WEIR_LOG_ALERT, NULL, 0,
                 "the new program (process %d) ended with code %d%s", (int) pid, WEXITSTATUS(status),
                 master->successor_is_ready ? "" : " before it was ready");
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
