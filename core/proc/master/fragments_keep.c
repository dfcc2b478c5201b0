/*
 * fragments_keep.c - see fragments_keep.h.
 */
#include "proc/master/fragments_keep.h"

#include "base/mem.h"
#include "log/log.h"
#include "os/file.h"
#include "os/process.h"
#include "os/sys.h"
#include "proc/common/signals.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEP_PATIENCE_MS 10000               /* for a child that writes, at the end */

static struct {
    char         path[PATH_MAX];             /* of what waits */
    char        *waiting;                    /* of malloc; NULL: nothing */
    pid_t        pid;                        /* of the child; 0: none */
    weir_watch_t pipe;                       /* its result: a byte, 0 or errno */
    weir_loop_t *loop;
    void       (*on_end)(void);
    weir_error_t fault;
} keep;

static void
keep_settle(int error)
{
    keep.fault = (weir_error_t) { .text = "" };
    if (error != 0) {
        (void) weir_error_set(&keep.fault, "the change holds, but the file \"%.300s\" cannot be written (%d: %s)",
                              keep.path, error, strerror(error));
        weir_log(WEIR_LOG_ALERT, NULL, 0, "fragments: %s", keep.fault.text);
    }
}

static int
keep_put(const char *text)
{
    return weir_file_write_durable(keep.path, weir_str_from_z(text)) ? 0 : errno;
}

static _Noreturn void
keep_run(const char *text, pid_t master, int fd)
{
    uint8_t result;

    if (!weir_process_die_with_parent(SIGKILL) || getppid() != master || !weir_process_clean_descriptors(&fd, 1)) {
        _exit(1);
    }
    result = (uint8_t) keep_put(text);
    _exit(weir_sys_write(fd, &result, 1) == 1 ? 0 : 1);
}

static void keep_begin(void);

/* Its end, or that it is not waited for any more. */
static void
keep_child_ends(void)
{
    uint8_t result;
    ssize_t n = weir_sys_read(keep.pipe.fd, &result, 1);
    int     fd = keep.pipe.fd;

    weir_loop_unwatch(keep.loop, &keep.pipe);
    (void) weir_sys_close(fd);
    keep.pid = 0;                            /* whoever reaps all children has it, or will */
    keep_settle(n == 1 ? result : ECHILD);
}

static void
keep_on_pipe(weir_watch_t *watch WEIR_UNUSED)
{
    keep_child_ends();
    keep_begin();
    if (keep.pid == 0 && keep.on_end != NULL) {
        keep.on_end();
    }
}

/* false: there can be no child now. */
static bool
keep_fork(const char *text)
{
    pid_t master = getpid(), pid;
    int   fds[2];

    if (keep.loop == NULL || weir_sys_pipe(fds, 4096) != 0) {
        return false;
    }
    weir_signals_block();
    pid = weir_sys_fork();
    if (pid == 0) {
        keep_run(text, master, fds[1]);
    }
    weir_signals_unblock();
    (void) weir_sys_close(fds[1]);
    if (pid > 0 && weir_loop_watch_level(keep.loop, &keep.pipe, fds[0], keep_on_pipe, false)) {
        keep.pid = pid;
        return true;
    }
    if (pid > 0) {
        (void) weir_process_kill(pid, SIGKILL);
    }
    (void) weir_sys_close(fds[0]);
    return false;
}

static void
keep_begin(void)
{
    char *text = keep.waiting;

    if (text == NULL || keep.pid != 0) {
        return;
    }
    keep.waiting = NULL;
    if (!keep_fork(text)) {
        keep_settle(keep_put(text));
    }
    free(text);
}

void
weir_fragments_keep_write(weir_loop_t *loop, const char *path, char *text, void (*on_end)(void))
{
    free(keep.waiting);
    keep.waiting = text;
    keep.loop = loop;
    keep.on_end = on_end;
    (void) snprintf(keep.path, sizeof(keep.path), "%s", path);
    keep_begin();
}

bool
weir_fragments_keep_is_busy(void)
{
    return keep.pid != 0;
}

const char *
weir_fragments_keep_fault(void)
{
    return weir_error_is_set(&keep.fault) ? keep.fault.text : NULL;
}

void
weir_fragments_keep_wait(void)
{
    while (keep.pid != 0) {
        struct pollfd at = { .fd = keep.pipe.fd, .events = POLLIN };

        if (poll(&at, 1, KEEP_PATIENCE_MS) == 0) {
            weir_log(WEIR_LOG_ALERT, NULL, 0, "process %d, which writes the file of fragments, does not end: it is "
                     "killed", (int) keep.pid);
            (void) weir_process_kill(keep.pid, SIGKILL);
        }
        keep_child_ends();
        keep_begin();
    }
}

void
weir_fragments_keep_forget(void)
{
    if (keep.pid != 0) {
        (void) weir_sys_close(keep.pipe.fd);
        keep.pid = 0;
    }
    free(keep.waiting);
    keep.waiting = NULL;
}
