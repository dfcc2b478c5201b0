/*
 * spawn.c - workers come and go: forked, told to leave, reaped, started again with growing patience.
 *
 * Runs in the master; the child's half of fork gives up what is the master's and becomes a worker.
 */
#include "proc/master/current.h"
#include "proc/master/master.h"

#include "base/mem.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/sys.h"
#include "proc/common/shared.h"
#include "proc/common/signals.h"
#include "proc/master/control.h"
#include "proc/master/daemon.h"
#include "proc/master/fragments_live.h"
#include "proc/master/inherit.h"
#include "proc/master/keep.h"
#include "proc/master/store_process.h"
#include "proc/master/upgrade.h"
#include "proc/worker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#define SPAWN_DELAY_MIN 10          /* ms; doubled with each death */
#define SPAWN_DELAY_MAX 10000
#define SPAWN_DELAY_ONE 1000        /* the longest while no other worker serves */
#define SPAWN_LIVED     10000       /* a worker that lived so long has served, too */

/* Of one that has served: twenty starts at once, then as many per second; the longest pause while no other worker
 * serves. */
#define SPAWN_PERIOD    50
#define SPAWN_BURST     20
#define SPAWN_PAUSE_ONE 10

/* -- the child's half -- */

/* This worker's sockets; the others are closed. */
static void
spawn_take_sockets(weir_worker_start_t *start, weir_sockets_t *sockets, uint32_t workers)
{
    size_t n = 0;

    for (size_t i = 0; i < sockets->n; i++) {
        n += sockets->at[i]->n_fds;
    }
    start->sockets = weir_new_n(&start->arena, weir_channel_socket_t, n);
    start->fds = weir_new_n(&start->arena, int, n);

    for (size_t i = 0; i < sockets->n; i++) {
        weir_listener_t *listener = sockets->at[i];

        for (size_t k = 0; k < listener->n_fds; k++) {
            if (listener->last != start->generation->serial
                || !weir_sockets_serves(listener, k, start->index, workers))
            {
                (void) weir_sys_close(listener->fds[k]);
                continue;
            }
            start->fds[start->n_sockets] = listener->fds[k];
            start->sockets[start->n_sockets++] = (weir_channel_socket_t) {
                .addr = listener->addr, .shared = weir_sockets_are_shared(listener),
            };
        }
        listener->n_fds = 0;        /* closed, or the worker's */
    }
    weir_assert(start->n_sockets <= n);
    weir_sockets_fini(sockets, false);
}

/* Unwatching would reach into the master's epoll set: the loop goes first. */
void
weir_spawn_forget_master(weir_master_t *master)
{
    weir_signals_forget();
    weir_daemon_forget();
    weir_inherit_forget();
    weir_current_forget();
    weir_store_process_forget();
    weir_upgrade_fini(master);
    weir_task_cancel(&master->publish_task);
    weir_keep_forget();
    weir_control_forget();
    weir_fragments_live_forget();
    weir_reload_forget(master);
    weir_loop_destroy(master->loop);
    while (!weir_list_empty(&master->children)) {
        weir_child_t *child = weir_list_entry(master->children.next, weir_child_t, link);

        weir_list_remove(&child->link);
        weir_link_clear_queue(child);
        if (child->channel.fd >= 0) {
            (void) weir_sys_close(child->channel.fd);
        }
        weir_pulse_close(child->pulse);
        weir_mem_free(child);
    }
    weir_mem_free((void *) (uintptr_t) master->pid_file.at);
}

static _Noreturn void
spawn_become_worker(weir_child_t *child, int channel)
{
    static weir_worker_start_t start;
    weir_master_t             *master = child->master;

    weir_assert(child->pulse != NULL && channel >= 0);
    start = (weir_worker_start_t) {
        .index = child->index, .channel = channel, .master = master->pid, .generation = master->generation,
        .pulse = child->pulse,
    };
    child->pulse = NULL;
    weir_arena_init(&start.arena, 4096);
    start.source = (weir_conf_source_t) {
        .prefix = weir_str_dup(&start.arena, master->source->prefix),
        .file = weir_str_dup(&start.arena, master->source->file),
        .directives = weir_str_dup(&start.arena, master->source->directives),
    };
    spawn_take_sockets(&start, &master->sockets, master->settings.workers);
    weir_spawn_forget_master(master);
    weir_worker_run(&start);
}

/* -- starting -- */

static void spawn_start(weir_child_t *child);

static void
spawn_on_timer(weir_timer_t *timer)
{
    weir_child_t *child = weir_container_of(timer, weir_child_t, timer);

    weir_assert(child->pid < 0);
    if (child->master->state == WEIR_MASTER_SERVING) {
        spawn_start(child);
    }
}

static bool
spawn_somebody_serves(const weir_master_t *master)
{
    for (const weir_list_t *at = master->children.next; at != &master->children; at = at->next) {
        const weir_child_t *child = weir_list_entry(at, weir_child_t, link);

        if (child->pid > 0 && child->serial != 0) {
            return true;
        }
    }
    return false;
}

/* Returns after how many milliseconds. */
static uint64_t
spawn_later(weir_child_t *child)
{
    uint64_t most = spawn_somebody_serves(child->master) ? SPAWN_DELAY_MAX : SPAWN_DELAY_ONE;
    uint64_t delay = weir_min((uint64_t) SPAWN_DELAY_MIN << weir_min(child->deaths, 16), most);

    child->deaths++;
    weir_timer_set(child->master->loop, &child->timer, (weir_msec_t) { delay }, spawn_on_timer);
    return delay;
}

/*
 * After the death of one that has served.  At once, but not without end: a client that can make workers die by a
 * request would have us do nothing else than fork.  What is due counts up by a period with each start and down with
 * time; it never runs further ahead than a burst and one period, whatever was started while no worker served.
 */
static void
spawn_again(weir_child_t *child)
{
    uint64_t now = weir_clock_now().ms, free_until = now + (uint64_t) SPAWN_PERIOD * SPAWN_BURST, pause;

    child->deaths = 0;
    child->due = weir_min(weir_max(child->due, now), free_until) + SPAWN_PERIOD;
    pause = child->due - weir_min(child->due, free_until);
    if (!spawn_somebody_serves(child->master)) {
        pause = weir_min(pause, SPAWN_PAUSE_ONE);
    }
    if (pause == 0) {
        spawn_start(child);
    } else {
        weir_timer_set(child->master->loop, &child->timer, (weir_msec_t) { pause }, spawn_on_timer);
    }
}

/* A new one: nothing of the process before is left in it. */
static bool
spawn_give_pulse(weir_child_t *child)
{
    weir_pulse_close(child->pulse);
    child->beat = 0;
    child->looks = 0;
    child->pulse = weir_pulse_open();
    return child->pulse != NULL;
}

static void
spawn_start(weir_child_t *child)
{
    weir_master_t *master = child->master;
    int            fds[2];
    pid_t          pid;

    weir_assert(child->pid < 0);
    if (!spawn_give_pulse(child)) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "mmap() failed while starting a worker process");
        (void) spawn_later(child);
        return;
    }
    if (!weir_channel_open(fds)) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "socketpair() failed while starting a worker process");
        (void) spawn_later(child);
        return;
    }
    weir_signals_block();
    pid = weir_sys_fork();
    if (pid == 0) {
        (void) weir_sys_close(fds[0]);
        spawn_become_worker(child, fds[1]);
    }
    weir_signals_unblock();
    (void) weir_sys_close(fds[1]);
    if (pid < 0) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "fork() failed while starting a worker process");
        (void) weir_sys_close(fds[0]);
        (void) spawn_later(child);
        return;
    }
    child->pid = pid;
    child->started = weir_clock_now();
    child->serial = 0;
    child->began = child->asked = master->generation->serial;
    child->changes_sent = child->changes_done = weir_changes_number();
    weir_log(WEIR_LOG_NOTICE, NULL, 0, "start worker process %d", (int) pid);
    if (!weir_link_open(child, fds[0])) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "watching worker process %d failed, it is killed", (int) pid);
        (void) weir_process_kill(pid, SIGKILL);
    }
}

static weir_child_t *
spawn_add(weir_master_t *master, uint32_t index)
{
    weir_child_t *child = weir_mem_need(sizeof(*child));

    child->master = master;
    child->index = index;
    child->cohort = master->cohort;
    child->pid = -1;
    child->channel.fd = -1;
    weir_list_init(&child->queue);
    weir_list_append(&master->children, &child->link);
    return child;
}

void
weir_spawn_cohort(weir_master_t *master)
{
    master->cohort++;
    for (uint32_t i = 0; i < master->settings.workers; i++) {
        spawn_start(spawn_add(master, i));
    }
}

void
weir_spawn_replace(weir_child_t *child)
{
    weir_child_t *next = spawn_add(child->master, child->index);

    weir_spawn_leave(child, SIGQUIT);
    spawn_start(next);
}

/* -- ending -- */

static void
spawn_free(weir_child_t *child)
{
    weir_assert(child->pid < 0);
    weir_lend_forget(child);
    weir_link_close(child);
    weir_timer_drop(&child->timer);
    weir_pulse_close(child->pulse);
    weir_list_remove(&child->link);
    weir_mem_free(child);
}

void
weir_spawn_leave(weir_child_t *child, int signal)
{
    if (signal != SIGKILL) {
        child->leaving = true;      /* one that is killed for what it did is started again */
    }
    if (child->pid > 0 && weir_process_kill(child->pid, signal) != 0 && errno != ESRCH) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "kill(%d, %d) failed", (int) child->pid, signal);
    }
}

void
weir_spawn_let_go(weir_child_t *child, int signal)
{
    if (child->pid > 0) {
        weir_spawn_leave(child, signal);
    } else {
        spawn_free(child);                   /* it waited to be started again */
    }
}

void
weir_spawn_leave_all(weir_master_t *master, int signal)
{
    for (weir_list_t *at = master->children.next, *next; at != &master->children; at = next) {
        next = at->next;
        weir_spawn_let_go(weir_list_entry(at, weir_child_t, link), signal);
    }
}

void
weir_spawn_tell(weir_master_t *master, int signal)
{
    for (weir_list_t *at = master->children.next; at != &master->children; at = at->next) {
        weir_child_t *child = weir_list_entry(at, weir_child_t, link);

        if (child->pid > 0 && weir_process_kill(child->pid, signal) != 0 && errno != ESRCH) {
            weir_log(WEIR_LOG_ALERT, NULL, errno, "kill(%d, %d) failed", (int) child->pid, signal);
        }
    }
}

static void
spawn_log_death(const weir_child_t *child, int status)
{
    if (WIFSIGNALED(status)) {
        weir_log(WEIR_LOG_ALERT, NULL, 0, "worker process %d exited on signal %d%s", (int) child->pid, WTERMSIG(status),
                 WCOREDUMP(status) ? " (core dumped)" : "");
    } else {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "worker process %d exited with code %d", (int) child->pid,
                 WEXITSTATUS(status));
    }
}

/* The client that made it die sent it a connection first: that must not keep the others out. */
static bool
spawn_has_served(const weir_child_t *child)
{
    weir_assert(child->pulse != NULL);
    return __atomic_load_n(&child->pulse->taken, __ATOMIC_RELAXED) != 0
        || weir_clock_now().ms - child->started.ms >= SPAWN_LIVED;
}

static void
spawn_on_death(weir_child_t *child, int status)
{
    weir_master_t *master = child->master;
    uint64_t       delay;
    pid_t          pid = child->pid;

    spawn_log_death(child, status);
    weir_link_close(child);
    child->pid = -1;
    child->serial = 0;
    child->has_died = true;
    if (child->leaving || child->cohort != master->cohort || master->state != WEIR_MASTER_SERVING) {
        spawn_free(child);
        return;
    }
    if (spawn_has_served(child)) {
        spawn_again(child);
        return;
    }
    delay = spawn_later(child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == WEIR_WORKER_COULD_NOT_START) {
        weir_log(WEIR_LOG_ALERT, NULL, 0, "worker process %d could not start, the next try is in %u ms", (int) pid,
                 (unsigned) delay);
    }
}

static weir_child_t *
spawn_find(const weir_master_t *master, pid_t pid)
{
    for (weir_list_t *at = master->children.next; at != &master->children; at = at->next) {
        weir_child_t *child = weir_list_entry(at, weir_child_t, link);

        if (child->pid == pid) {
            return child;
        }
    }
    return NULL;
}

void
weir_spawn_reap(weir_master_t *master)
{
    int   status;
    pid_t pid;

    while ((pid = weir_process_wait_any(&status)) > 0) {
        weir_child_t *child = spawn_find(master, pid);

        if (weir_upgrade_ended(master, pid, status) || weir_store_process_ended(master, pid, status)
            || weir_control_ended(pid, status))
        {
            continue;
        }
        weir_shared_reap(pid);
        if (child != NULL) {
            spawn_on_death(child, status);
        }
    }
}

bool
weir_spawn_anybody(const weir_master_t *master)
{
    for (weir_list_t *at = master->children.next; at != &master->children; at = at->next) {
        if (weir_list_entry(at, weir_child_t, link)->pid > 0) {
            return true;
        }
    }
    return false;
}

void
weir_spawn_free_all(weir_master_t *master)
{
    while (!weir_list_empty(&master->children)) {
        spawn_free(weir_list_entry(master->children.next, weir_child_t, link));
    }
}
