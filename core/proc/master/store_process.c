/*
 * store_process.c - see store_process.h.  Runs in the master.
 */
#include "proc/master/store_process.h"

#include "log/log.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/rights.h"
#include "os/sys.h"
#include "proc/common/signals.h"
#include "proc/store/writer.h"
#include "store/conf.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STORE_PATIENCE_MS 10000              /* to open at the start; to write what is left at the end */
#define STORE_LATE_MS     1000               /* of one that was told to leave before that */
#define STORE_DELAY_MIN   10
#define STORE_DELAY_MAX   10000
#define STORE_LIVED       10000

#define STORE_LEAVING     8

static struct {
    pid_t          pid;                      /* the one that writes; 0: none */
    /* of before, told to leave; 0: none.  More than these at once are killed */
    pid_t          leaving[STORE_LEAVING];
    uint32_t       deaths, still;            /* still: looks at it, one after the other, at which it was stopped */
    weir_instant_t started;
    weir_timer_t   timer, late_timer;
} store;

static bool
store_is_wanted(const weir_master_t *master)
{
    return weir_store_conf(master->generation)->path.text.len != 0;
}

/* -1: errno. */
static pid_t
store_fork(weir_master_t *master, int ready_fds[2])
{
    pid_t pid;

    weir_assert(store.pid == 0);
    weir_signals_block();
    pid = weir_sys_fork();
    if (pid == 0) {
        weir_writer_start_t start = { .generation = master->generation,
                                      .master = master->pid,
                                      .ready_fd = ready_fds[1] };

        if (ready_fds[0] >= 0) {
            (void) weir_sys_close(ready_fds[0]);
        }
        weir_sockets_fini(&master->sockets, false);
        weir_spawn_forget_master(master);
        weir_writer_run(&start);
    }
    weir_signals_unblock();
    if (pid > 0) {
        store.pid = pid;
        store.started = weir_clock_now();
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "start store process %d", (int) pid);
    } else {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "fork() failed while starting the store process");
    }
    return pid;
}

static void
store_wait(pid_t pid, unsigned patience_ms)
{
    const struct timespec pause = { .tv_nsec = 2 * 1000 * 1000 };
    int                   status;

    weir_assert(pid > 0);
    for (unsigned i = 0; i < patience_ms / 2; i++) {
        if (waitpid(pid, &status, WNOHANG) != 0) {
            return;
        }
        (void) nanosleep(&pause, NULL);
    }
    weir_log(WEIR_LOG_ALERT, NULL, 0, "store process %d does not end, it is killed", (int) pid);
    (void) weir_process_kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);
}

/* -- the first one -- */

/* false, and *patience_ms tells how long its end may take: it has said nothing, or is ending. */
static bool
store_wait_ready(int fd, unsigned *patience_ms)
{
    struct pollfd at = { .fd = fd, .events = POLLIN };
    char          byte;
    int           n;

    do {
        n = poll(&at, 1, STORE_PATIENCE_MS);
    } while (n < 0 && errno == EINTR);
    *patience_ms = n == 1 ? STORE_PATIENCE_MS : 0;
    return n == 1 && weir_sys_read(fd, &byte, 1) == 1;
}

bool
weir_store_process_start(weir_master_t *master)
{
    unsigned patience_ms;
    int      fds[2];
    bool     ready;

    if (!store_is_wanted(master)) {
        return true;
    }
    if (weir_sys_socketpair(SOCK_STREAM, fds) != 0) {
        weir_log(WEIR_LOG_EMERG, NULL, errno, "socketpair() failed while starting the store process");
        return false;
    }
    ready = store_fork(master, fds) > 0;
    (void) weir_sys_close(fds[1]);
    if (ready && !(ready = store_wait_ready(fds[0], &patience_ms))) {
        weir_log(WEIR_LOG_EMERG, NULL, 0, "the store process could not open the store");
        store_wait(store.pid, patience_ms);
        store.pid = 0;
    }
    (void) weir_sys_close(fds[0]);
    return ready;
}

/* -- later ones -- */

static void store_again(weir_master_t *master);

static weir_master_t *store_master;          /* of the timer */

static void
store_on_timer(weir_timer_t *timer)
{
    weir_assert(store_master != NULL);
    (void) timer;
    store_again(store_master);
}

static void
store_later(weir_master_t *master)
{
    uint64_t delay = weir_min((uint64_t) STORE_DELAY_MIN << weir_min(store.deaths, 16), STORE_DELAY_MAX);

    store.deaths++;
    store_master = master;
    weir_timer_set(master->loop, &store.timer, (weir_msec_t) { delay }, store_on_timer);
}

static void
store_again(weir_master_t *master)
{
    int none[2] = { -1, -1 };

    weir_timer_drop(&store.timer);
    if (store_is_wanted(master) && store_fork(master, none) < 0) {
        store_later(master);
    }
}

static pid_t *
store_find_leaving(pid_t pid)
{
    for (size_t i = 0; i < STORE_LEAVING; i++) {
        if (store.leaving[i] == pid) {
            return &store.leaving[i];
        }
    }
    return NULL;
}

/* One that hangs may hold LMDB's lock, for which the next one waits. */
static void
store_on_late(weir_timer_t *timer)
{
    (void) timer;
    for (size_t i = 0; i < STORE_LEAVING; i++) {
        if (store.leaving[i] > 0) {
            weir_log(WEIR_LOG_ALERT, NULL, 0, "store process %d does not end, it is killed", (int) store.leaving[i]);
            (void) weir_process_kill(store.leaving[i], SIGKILL);
        }
    }
}

void
weir_store_process_change(weir_master_t *master)
{
    pid_t *room = store_find_leaving(0);

    if (store.pid > 0) {
        (void) weir_process_kill(store.pid, room != NULL ? SIGQUIT : SIGKILL);
        if (room != NULL) {
            *room = store.pid;
        }
        weir_timer_set(master->loop, &store.late_timer, (weir_msec_t) { STORE_PATIENCE_MS }, store_on_late);
        store.pid = 0;
    }
    store_again(master);
}

bool
weir_store_process_ended(weir_master_t *master, pid_t pid, int status)
{
    pid_t *leaving = store_find_leaving(pid);

    if (leaving != NULL) {
        *leaving = 0;
        return true;
    }
    if (pid != store.pid) {
        return false;
    }
    store.pid = 0;
    weir_log(WEIR_LOG_ALERT, NULL, 0,
             WIFSIGNALED(status) ? "store process %d exited on signal %d" : "store process %d exited with code %d",
             (int) pid, WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (master->state != WEIR_MASTER_STOPPING) {
        store.deaths = weir_clock_now().ms - store.started.ms >= STORE_LIVED ? 0 : store.deaths;
        store_later(master);
    }
    return true;
}

void
weir_store_process_look(uint32_t looks, weir_msec_t limit)
{
    store.still = store.pid > 0 && weir_process_is_stopped(store.pid) ? store.still + 1 : 0;
    if (store.still >= looks) {
        weir_log(WEIR_LOG_ALERT, NULL, 0,
                 "store process %d is stopped for more than %llu ms (worker_watchdog): it is killed", (int) store.pid,
                 (unsigned long long) limit.ms);
        store.still = 0;
        (void) weir_process_kill(store.pid, SIGKILL);
    }
}

/* What has given root up may not open them by their names: another process begins with the master's. */
void
weir_store_process_reopen_logs(weir_master_t *master)
{
    if (store.pid > 0 && weir_rights_are_root()) {
        weir_store_process_change(master);
    } else if (store.pid > 0) {
        (void) weir_process_kill(store.pid, SIGUSR1);
    }
}

/* -- the end -- */

void
weir_store_process_stop(weir_master_t *master)
{
    weir_timer_drop(&store.timer);
    weir_timer_drop(&store.late_timer);
    if (store.pid == 0 && store.deaths > 0 && store_is_wanted(master)) {
        store_again(master);                 /* it died just now: what was counted since is written all the same */
    }
    if (store.pid > 0) {
        (void) weir_process_kill(store.pid, SIGQUIT);
        store_wait(store.pid, STORE_PATIENCE_MS);
        store.pid = 0;
    }
    for (size_t i = 0; i < STORE_LEAVING; i++) {
        if (store.leaving[i] > 0) {
            store_wait(store.leaving[i], STORE_LATE_MS);
        }
    }
}

void
weir_store_process_forget(void)
{
    weir_timer_drop(&store.timer);
    weir_timer_drop(&store.late_timer);
    store.pid = 0;
    memset(store.leaving, 0, sizeof(store.leaving));
}
