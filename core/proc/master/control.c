/*
 * control.c - see control.h.
 */
#define _GNU_SOURCE 1

#include "proc/master/control.h"

#include "base/mem.h"
#include "conf/core.h"
#include "log/log.h"
#include "os/addr.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/sys.h"
#include "proc/common/signals.h"
#include "proc/control/control.h"
#include "proc/control/server.h"
#include "proc/master/control_link.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_BACKLOG   511
#define CONTROL_DELAY_MIN 10                 /* ms; doubled with each death */
#define CONTROL_DELAY_MAX 1000
#define CONTROL_LIVED     10000
#define CONTROL_PATIENCE  1500               /* ms that the process has to leave at the end */
#define CONTROL_LOOK      ((weir_msec_t) { 1000 })

/* A process, or in the single process what stands for it. */
typedef struct {
    weir_list_t         link;
    pid_t               pid;                 /* 0: none, it has ended */
    weir_control_link_t to;
    weir_instant_t      started;
} control_process_t;

static struct {
    weir_command_ops_t   ops;
    weir_list_t          processes;
    control_process_t   *serves;             /* of them: the one with the socket; NULL: none */
    int                  fd;                 /* of the socket; -1 */
    ino_t                inode;
    char                 path[PATH_MAX];
    weir_control_start_t start;              /* of the next process */
    uint32_t             deaths, still;
    weir_timer_t         timer, look_timer;
    bool                 is_open;
} control = { .fd = -1 };

/* -- the socket -- */

/* Nothing that is no socket is put aside. */
static bool
control_may_replace(const char *path)
{
    struct stat st;

    if (weir_sys_lstat(path, &st) != 0 || S_ISSOCK(st.st_mode)) {
        return true;
    }
    errno = EEXIST;
    return false;
}

/* Made under another name and moved: there is a socket of the name at every moment. */
static int
control_bind(const char *path, const weir_control_start_t *start, ino_t *inode)
{
    char        name[PATH_MAX + sizeof(WEIR_CORE_CONTROL_NEW)];
    weir_addr_t addr;
    struct stat st;
    mode_t      before = umask(0777 & ~start->mode);
    int         fd = -1;
    bool        good;

    (void) snprintf(name, sizeof(name), "%s" WEIR_CORE_CONTROL_NEW, path);
    good = control_may_replace(path) && weir_addr_from_unix(&addr, weir_str_from_z(name))
           && (weir_sys_unlink(name) == 0 || errno == ENOENT)
           && (fd = weir_sys_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) >= 0
           && weir_sys_bind(fd, &addr.any, addr.len) == 0
           && (start->group == (gid_t) -1 || lchown(name, (uid_t) -1, start->group) == 0)
           && weir_sys_listen(fd, CONTROL_BACKLOG) == 0
           && weir_sys_lstat(name, &st) == 0 && weir_sys_rename(name, path) == 0;
    (void) umask(before);
    if (good) {
        *inode = st.st_ino;
        return fd;
    }
    if (fd >= 0) {
        int failed = errno;

        (void) weir_sys_close(fd);
        (void) weir_sys_unlink(name);
        errno = failed;
    }
    return -1;
}

static void
control_unbind(void)
{
    struct stat st;

    if (control.fd < 0) {
        return;
    }
    (void) weir_sys_close(control.fd);
    control.fd = -1;
    if (weir_sys_lstat(control.path, &st) == 0 && st.st_ino == control.inode) {
        (void) weir_sys_unlink(control.path);
    }
}

/* -- processes -- */

static void control_start(void);

static void
control_free(control_process_t *process)
{
    weir_assert(process->pid == 0);
    weir_control_link_close(&process->to);
    weir_list_remove(&process->link);
    if (control.serves == process) {
        control.serves = NULL;
    }
    weir_mem_free(process);
}

/* What does not keep to the protocol, or has closed its end, is of no use. */
static void
control_on_link_end(weir_control_link_t *to)
{
    control_process_t *process = weir_container_of(to, control_process_t, to);

    if (process->pid > 0 && process == control.serves) {
        (void) weir_process_kill(process->pid, SIGKILL);
    }
}

static void
control_on_look(weir_timer_t *timer)
{
    weir_control_settle();
    weir_timer_set(control.ops.loop, timer, CONTROL_LOOK, control_on_look);
}

static void
control_on_timer(weir_timer_t *timer WEIR_UNUSED)
{
    control_start();
}

static void
control_later(void)
{
    uint64_t delay = weir_min((uint64_t) CONTROL_DELAY_MIN << weir_min(control.deaths, 16), CONTROL_DELAY_MAX);

    control.deaths++;
    weir_timer_set(control.ops.loop, &control.timer, (weir_msec_t) { delay }, control_on_timer);
}

static _Noreturn void
control_exec(weir_control_start_t *start)
{
    char        word[WEIR_CONTROL_WORD];
    char        title[] = WEIR_CONTROL_TITLE "                                        ", option[] = WEIR_CONTROL_OPTION;
    char *const argv[] = { title, option, word, NULL };

    (void) fcntl(start->listener, F_SETFD, 0);
    (void) fcntl(start->link, F_SETFD, 0);
    weir_control_start_write(start, word);
    weir_process_set_title(WEIR_CONTROL_TITLE);
    weir_process_reset_signals();
    weir_process_exec_self(argv);
    weir_log(WEIR_LOG_ALERT, NULL, errno, "execve() of the control process failed");
    _exit(2);
}

/* -1: errno. */
static pid_t
control_fork(int link)
{
    weir_control_start_t start = control.start;
    pid_t                pid;

    start.listener = control.fd;
    start.link = link;
    weir_signals_block();
    pid = weir_sys_fork();
    if (pid == 0) {
        control_exec(&start);
    }
    weir_signals_unblock();
    return pid;
}

/* In the single process: the server in the same loop. */
static pid_t
control_begin_here(int link)
{
    weir_control_setup_t setup = { .loop = control.ops.loop, .link = link, .owner = control.start.owner,
                                   .group = control.start.group, .mode = control.start.mode };

    weir_control_server_end();
    setup.listener = weir_sys_dup(control.fd);
    return setup.listener >= 0 && weir_control_server_begin(&setup) ? 0 : -1;
}

static void
control_start(void)
{
    control_process_t *process;
    pid_t              pid;
    int                fds[2];
    bool               is_single = control.ops.master == NULL;

    weir_assert(control.serves == NULL && control.fd >= 0);
    if (weir_sys_socketpair(SOCK_STREAM, fds) != 0) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "socketpair() failed while starting the control process");
        control_later();
        return;
    }
    pid = is_single ? control_begin_here(fds[1]) : control_fork(fds[1]);
    if (!is_single) {
        (void) weir_sys_close(fds[1]);
    }
    if (pid < 0) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "fork() failed while starting the control process");
        (void) weir_sys_close(fds[0]);
        control_later();
        return;
    }
    process = weir_mem_need(sizeof(*process));
    process->pid = process->to.pid = pid;
    process->started = weir_clock_now();
    process->to.on_end = control_on_link_end;
    weir_list_append(&control.processes, &process->link);
    control.serves = process;
    if (!is_single) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "start control process %d", (int) pid);
    }
    if (!weir_control_link_open(&process->to, &control.ops, fds[0])) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "watching the control process failed");
        control_on_link_end(&process->to);
    }
}

/* Another one takes its place: it answers what it has. */
static void
control_replace(void)
{
    control_process_t *process = control.serves;

    weir_timer_clear(&control.timer);
    control.serves = NULL;
    if (process != NULL && control.ops.master == NULL) {
        control_free(process);
    } else if (process != NULL) {
        weir_control_link_leave(&process->to);
    }
    control.deaths = control.still = 0;
    if (control.fd >= 0) {
        control_start();
    }
}

bool
weir_control_ended(pid_t pid, int status)
{
    for (weir_list_t *at = control.is_open ? control.processes.next : &control.processes; at != &control.processes;
         at = at->next)
    {
        control_process_t *process = weir_list_entry(at, control_process_t, link);
        bool               served = process == control.serves;

        if (process->pid != pid) {
            continue;
        }
        if (served || status != 0) {
            weir_log(WEIR_LOG_ALERT, NULL, 0,
                     WIFSIGNALED(status) ? "control process %d exited on signal %d"
                                         : "control process %d exited with code %d",
                     (int) pid, WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        }
        control.deaths = weir_clock_now().ms - process->started.ms >= CONTROL_LIVED ? 0 : control.deaths;
        process->pid = 0;
        control_free(process);
        if (served) {
            control_later();
        }
        return true;
    }
    return false;
}

void
weir_control_look(uint32_t looks, weir_msec_t limit)
{
    pid_t pid = control.serves != NULL ? control.serves->pid : 0;

    control.still = pid > 0 && weir_process_is_stopped(pid) ? control.still + 1 : 0;
    if (control.still >= looks) {
        weir_log(WEIR_LOG_ALERT, NULL, 0,
                 "control process %d is stopped for more than %llu ms (worker_watchdog): it is killed", (int) pid,
                 (unsigned long long) limit.ms);
        control.still = 0;
        (void) weir_process_kill(pid, SIGKILL);
    }
}

/* -- opening and closing -- */

static bool
control_read_settings(weir_str_t pid_file, const weir_settings_t *settings, char path[PATH_MAX],
                      weir_control_start_t *start)
{
    const struct group *group;
    int                 n;

    *start = (weir_control_start_t) { .owner = geteuid(), .group = (gid_t) -1, .mode = settings->control.mode,
                                      .changes_user = settings->control_changes_user,
                                      .uid = settings->control_uid, .gid = settings->control_gid };
    if (settings->control.group.len != 0) {
        group = getgrnam(settings->control.group.at);
        if (group == NULL) {
            errno = ENOENT;
            return false;
        }
        start->group = group->gr_gid;
    }
    n = settings->control.path.len != 0
        ? snprintf(path, PATH_MAX, "%.*s", WEIR_STR_ARG(settings->control.path))
        : snprintf(path, PATH_MAX, "%.*s" WEIR_CONTROL_SUFFIX, WEIR_STR_ARG(pid_file));
    errno = ENAMETOOLONG;
    return n < PATH_MAX;
}

/* Is the socket as it should be, and still where it was made? */
static bool
control_is_there(weir_str_t pid_file, const weir_settings_t *settings)
{
    char                 path[PATH_MAX];
    weir_control_start_t start;
    struct stat          st;

    return control.fd >= 0 && control_read_settings(pid_file, settings, path, &start)
           && strcmp(path, control.path) == 0 && start.mode == control.start.mode
           && start.group == control.start.group && start.changes_user == control.start.changes_user
           && start.uid == control.start.uid && start.gid == control.start.gid
           && weir_sys_lstat(path, &st) == 0 && st.st_ino == control.inode;
}

static void
control_bind_anew(weir_str_t pid_file, const weir_settings_t *settings)
{
    char                 path[PATH_MAX];
    weir_control_start_t start;
    ino_t                inode = 0;
    int                  fd = control_read_settings(pid_file, settings, path, &start)
                              ? control_bind(path, &start, &inode) : -1;

    if (fd < 0) {
        weir_log(WEIR_LOG_WARN, NULL, errno, "the control socket \"%s\" cannot be made: nothing can be asked or "
                 "changed while this runs", path);
    }
    control_unbind();
    memcpy(control.path, path, sizeof(path));
    control.start = start;
    control.fd = fd;
    control.inode = inode;
    control_replace();
}

void
weir_control_open(const weir_command_ops_t *ops, weir_str_t pid_file, const weir_settings_t *settings)
{
    if (!control.is_open) {
        weir_list_init(&control.processes);
    }
    control.ops = *ops;
    control.is_open = true;
    if (!control_is_there(pid_file, settings)) {
        control_bind_anew(pid_file, settings);
    }
    weir_timer_set(control.ops.loop, &control.look_timer, CONTROL_LOOK, control_on_look);
}

void
weir_control_use(weir_str_t pid_file, const weir_settings_t *settings)
{
    if (control.is_open && pid_file.len != 0 && !control_is_there(pid_file, settings)) {
        control_bind_anew(pid_file, settings);
    }
}

void
weir_control_settle(void)
{
    for (weir_list_t *at = control.is_open ? control.processes.next : &control.processes; at != &control.processes;
         at = at->next)
    {
        weir_control_link_settle(&weir_list_entry(at, control_process_t, link)->to);
    }
}

static void
control_wait(pid_t pid)
{
    const struct timespec pause = { .tv_nsec = 2 * 1000 * 1000 };
    int                   status;

    for (unsigned i = 0; i < CONTROL_PATIENCE / 2; i++) {
        if (waitpid(pid, &status, WNOHANG) != 0) {
            return;
        }
        (void) nanosleep(&pause, NULL);
    }
    (void) weir_process_kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);
}

void
weir_control_close(void)
{
    if (!control.is_open) {
        return;
    }
    weir_commands_zones_close();
    control_unbind();
    if (control.ops.master == NULL) {
        weir_control_server_end();
    }
    while (!weir_list_empty(&control.processes)) {
        control_process_t *process = weir_list_entry(control.processes.next, control_process_t, link);
        pid_t              pid = process->pid;

        weir_control_link_close(&process->to);
        process->pid = 0;
        control_free(process);
        if (pid > 0) {
            control_wait(pid);
        }
    }
    weir_timer_drop(&control.timer);
    weir_timer_drop(&control.look_timer);
    control.is_open = false;
}

void
weir_control_forget(void)
{
    if (!control.is_open) {
        return;
    }
    weir_commands_zones_forget();
    if (control.fd >= 0) {
        (void) weir_sys_close(control.fd);
        control.fd = -1;
    }
    while (!weir_list_empty(&control.processes)) {
        control_process_t *process = weir_list_entry(control.processes.next, control_process_t, link);

        weir_control_link_forget(&process->to);
        process->pid = 0;
        control_free(process);
    }
    weir_timer_drop(&control.timer);
    weir_timer_drop(&control.look_timer);
    control.is_open = false;
}
