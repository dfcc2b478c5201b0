/*
 * daemon.c - see daemon.h.  Runs between reading the configuration and the master's loop; allocates a pipe.
 */
#include "proc/master/daemon.h"

#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int daemon_parent = -1;      /* the pipe to the process that waits for us */

/* The one that a person started. */
static _Noreturn void
daemon_wait_for_child(int fd)
{
    char    ready = 0;
    ssize_t n = weir_sys_read(fd, &ready, 1);

    _exit(n == 1 ? 0 : 1);          /* nothing of what was built here is ours to undo */
}

static bool
daemon_drop_terminal(void)
{
    int  fd = weir_sys_open("/dev/null", O_RDWR, 0);
    bool done;

    if (fd < 0) {
        return false;
    }
    done = dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0;
    (void) weir_sys_close(fd);
    return done;
}

bool
weir_daemon_start(void)
{
    int   fds[2], flags;
    pid_t pid;

    weir_assert(daemon_parent < 0);
    if (weir_sys_socketpair(SOCK_STREAM, fds) != 0) {
        return false;
    }
    flags = fcntl(fds[0], F_GETFL);
    pid = fcntl(fds[0], F_SETFL, flags & ~O_NONBLOCK) == 0 ? weir_sys_fork() : -1;
    if (pid < 0) {
        int error = errno;

        (void) weir_sys_close(fds[0]);
        (void) weir_sys_close(fds[1]);
        errno = error;
        return false;
    }
    if (pid != 0) {
        (void) weir_sys_close(fds[1]);
        daemon_wait_for_child(fds[0]);
    }
    (void) weir_sys_close(fds[0]);
    daemon_parent = fds[1];
    return setsid() >= 0 && daemon_drop_terminal();
}

void
weir_daemon_turn_stderr(int log_fd)
{
    int fd = log_fd;

    if (daemon_parent < 0) {
        return;
    }
    if (fd < 0) {
        fd = weir_sys_open("/dev/null", O_RDWR, 0);
    }
    if (fd >= 0) {
        (void) dup2(fd, STDERR_FILENO);
    }
    if (fd != log_fd) {
        (void) weir_sys_close(fd);
    }
}

void
weir_daemon_ready(void)
{
    const char ready = 1;

    if (daemon_parent >= 0) {
        (void) weir_sys_send(daemon_parent, &ready, 1, 0);
        weir_daemon_forget();
    }
}

void
weir_daemon_forget(void)
{
    if (daemon_parent >= 0) {
        (void) weir_sys_close(daemon_parent);
        daemon_parent = -1;
    }
}
