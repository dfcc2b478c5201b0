/*
 * keep.c - see keep.h.  Runs in the master; the heap has a record for each group that was changed.
 */
#define _GNU_SOURCE 1

#include "proc/master/keep.h"

#include "base/mem.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/sys.h"
#include "proc/common/signals.h"
#include "upstream/state_file.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define KEEP_PATIENCE_MS 10000               /* for a child that writes, at the end */
#define KEEP_REST_MAX    1000

/* Changes from … to; 0 … 0: none. */
typedef struct { uint64_t from, to; } keep_range_t;

typedef struct {
    weir_list_t  link;
    keep_range_t waiting, writing, lost;     /* lost: could not be written, nor anything since */
    weir_error_t fault;                      /* why */
    size_t       name_len;
    char         name[WEIR_CHANGES_GROUP];
} keep_group_t;

static struct {
    weir_list_t    groups;
    weir_master_t *master;
    pid_t          pid;                      /* of the child; 0: none */
    weir_watch_t   pipe;                     /* its results: a byte for each group that it writes, 0 or errno */
    weir_instant_t began, rests_until;
    weir_timer_t   timer;
} keep;

static keep_group_t *
keep_at(const weir_list_t *at)
{
    return weir_list_entry(at, keep_group_t, link);
}

#define KEEP_EACH(at) for (weir_list_t *at = keep.groups.next; at != NULL && at != &keep.groups; at = at->next)

static void
keep_extend(keep_range_t *range, keep_range_t by)
{
    range->from = range->from == 0 ? by.from : range->from;
    range->to = by.to;
}

/* -- what is written -- */

static const weir_group_conf_t *
keep_conf(const weir_master_t *master, const keep_group_t *group)
{
    const weir_group_conf_t *conf = weir_upstream_find(master->generation, weir_str(group->name, group->name_len));

    return conf != NULL && conf->state.len != 0 ? conf : NULL;
}

/* How the write of a group ended. */
static void
keep_settle(const weir_master_t *master, keep_group_t *group, int error)
{
    const weir_group_conf_t *conf = keep_conf(master, group);

    if (error == 0 || conf == NULL) {
        group->lost = (keep_range_t) { 0, 0 };
    } else {
        keep_extend(&group->lost, group->writing);
        weir_state_file_fault(conf, error, &group->fault);
        weir_log(WEIR_LOG_ALERT, NULL, 0, "a change of upstream \"%.*s\": %s", WEIR_STR_ARG(conf->name),
                 group->fault.text);
    }
    group->writing = (keep_range_t) { 0, 0 };
}

static bool
keep_take_waiting(void)
{
    bool any = false;

    KEEP_EACH(at) {
        keep_group_t *group = keep_at(at);

        weir_assert(group->writing.from == 0);
        group->writing = group->waiting;
        group->waiting = (keep_range_t) { 0, 0 };
        any = any || group->writing.from != 0;
    }
    return any;
}

/* Here and now: at the end, and where there can be no child. */
static void
keep_write_here(const weir_master_t *master)
{
    KEEP_EACH(at) {
        keep_group_t            *group = keep_at(at);
        const weir_group_conf_t *conf = keep_conf(master, group);

        if (group->writing.from != 0) {
            keep_settle(master, group, conf != NULL ? weir_state_file_write(conf) : 0);
        }
    }
}

/* -- the child -- */

static _Noreturn void
keep_run(const weir_master_t *master, int fd)
{
    if (!weir_process_die_with_parent(SIGKILL) || getppid() != master->pid) {
        _exit(1);
    }
    /* ports are free when the master is gone, whatever the disk does */
    if (!weir_process_clean_descriptors(&fd, 1)) {
        _exit(1);
    }
    KEEP_EACH(at) {
        const keep_group_t      *group = keep_at(at);
        const weir_group_conf_t *conf = keep_conf(master, group);

        if (group->writing.from != 0) {
            uint8_t result = conf != NULL ? (uint8_t) weir_state_file_write(conf) : 0;

            if (weir_sys_write(fd, &result, 1) != 1) {
                _exit(1);
            }
        }
    }
    _exit(0);
}

static void keep_begin(weir_master_t *master);
static void keep_on_pipe(weir_watch_t *watch);

/* false: there can be none now. */
static bool
keep_fork(weir_master_t *master)
{
    int   fds[2];
    pid_t pid;

    if (weir_sys_pipe(fds, 4096) != 0) {
        return false;
    }
    weir_signals_block();
    pid = weir_sys_fork();
    if (pid == 0) {
        keep_run(master, fds[1]);
    }
    weir_signals_unblock();
    (void) weir_sys_close(fds[1]);
    if (pid < 0) {
        (void) weir_sys_close(fds[0]);
        return false;
    }
    keep.pid = pid;
    keep.pipe.fd = fds[0];
    if (!weir_loop_watch_level(master->loop, &keep.pipe, fds[0], keep_on_pipe, false)) {
        (void) weir_process_kill(pid, SIGKILL);
        (void) weir_sys_close(fds[0]);
        keep.pid = 0;
        return false;
    }
    return true;
}

/* It has ended, or is not waited for any more: what it has not said it has not done. */
static void
keep_child_ends(void)
{
    uint64_t took = weir_clock_now().ms - keep.began.ms;
    int      fd = keep.pipe.fd;

    KEEP_EACH(at) {
        if (keep_at(at)->writing.from != 0) {
            keep_settle(keep.master, keep_at(at), ECHILD);
        }
    }
    weir_loop_unwatch(keep.master->loop, &keep.pipe);
    (void) weir_sys_close(fd);
    keep.pid = 0;                            /* the code that reaps all children has it, or will */
    keep.rests_until.ms = weir_clock_now().ms + weir_min(took, (uint64_t) KEEP_REST_MAX);
}

/* false: it says no more. */
static bool
keep_read(void)
{
    ssize_t n = 1;
    uint8_t result;

    KEEP_EACH(at) {
        if (keep_at(at)->writing.from == 0) {
            continue;
        }
        n = weir_sys_read(keep.pipe.fd, &result, 1);
        if (n != 1) {
            return n < 0 && errno == EAGAIN;
        }
        keep_settle(keep.master, keep_at(at), result);
    }
    return false;                            /* all is said */
}

static void
keep_on_pipe(weir_watch_t *watch WEIR_UNUSED)
{
    weir_master_t *master = keep.master;

    if (keep_read()) {
        return;
    }
    keep_child_ends();
    keep_begin(master);
    weir_publish_settle(master);
}

static void
keep_on_timer(weir_timer_t *timer WEIR_UNUSED)
{
    keep_begin(keep.master);
}

/* The next write, unless one is under way or the last is to be rested from. */
static void
keep_begin(weir_master_t *master)
{
    uint64_t now = weir_clock_now().ms;
    bool     any = false;

    KEEP_EACH(at) {
        any = any || keep_at(at)->waiting.from != 0;
    }
    if (!any || keep.pid != 0) {
        return;
    }
    if (now < keep.rests_until.ms) {
        weir_timer_set(master->loop, &keep.timer, (weir_msec_t) { keep.rests_until.ms - now }, keep_on_timer);
        return;
    }
    keep.began.ms = now;
    if (keep_take_waiting() && !keep_fork(master)) {
        keep_write_here(master);
        weir_publish_settle(master);
    }
}

static void
keep_on_task(weir_task_t *task WEIR_UNUSED)
{
    keep_begin(keep.master);
}

static weir_task_t keep_task;                /* at the turn's end: what came together is one write */

/* -- for publish.c -- */

static keep_group_t *
keep_find(weir_str_t name)
{
    keep_group_t *group;

    if (keep.groups.next == NULL) {
        weir_list_init(&keep.groups);
    }
    KEEP_EACH(at) {
        if (weir_str_eq(weir_str(keep_at(at)->name, keep_at(at)->name_len), name)) {
            return keep_at(at);
        }
    }
    weir_assert(name.len <= WEIR_CHANGES_GROUP);
    group = weir_mem_need(sizeof(*group));
    memset(group, 0, sizeof(*group));
    group->name_len = name.len;
    memcpy(group->name, name.at, name.len);
    weir_list_append(&keep.groups, &group->link);
    return group;
}

void
weir_keep_change(weir_master_t *master, const weir_group_conf_t *group, uint64_t number)
{
    weir_assert(number != 0);
    if (group->state.len != 0) {
        keep.master = master;
        keep_extend(&keep_find(group->name)->waiting, (keep_range_t) { number, number });
        weir_task_post(master->loop, &keep_task, keep_on_task);
    }
}

uint64_t
weir_keep_done(void)
{
    uint64_t done = weir_changes_number();

    KEEP_EACH(at) {
        const keep_group_t *group = keep_at(at);

        done = group->waiting.from != 0 ? weir_min(done, group->waiting.from - 1) : done;
        done = group->writing.from != 0 ? weir_min(done, group->writing.from - 1) : done;
    }
    return done;
}

uint64_t
weir_keep_safe(void)
{
    uint64_t safe = weir_keep_done();

    KEEP_EACH(at) {
        safe = keep_at(at)->lost.from != 0 ? weir_min(safe, keep_at(at)->lost.from - 1) : safe;
    }
    return safe;
}

const char *
weir_keep_fault(uint64_t number)
{
    KEEP_EACH(at) {
        if (number >= keep_at(at)->lost.from && number <= keep_at(at)->lost.to) {
            return keep_at(at)->fault.text;
        }
    }
    return NULL;
}

pid_t
weir_keep_pid(void)
{
    return keep.pid;
}

void
weir_keep_use(weir_master_t *master)
{
    for (weir_list_t *at = keep.groups.next, *next; at != NULL && at != &keep.groups; at = next) {
        keep_group_t *group = keep_at(at);

        next = at->next;
        if (keep_conf(master, group) == NULL && group->writing.from == 0) {
            weir_list_remove(&group->link);
            weir_mem_free(group);
        }
    }
    if (keep.master != NULL) {
        weir_publish_settle(master);
    }
}

void
weir_keep_wait(weir_master_t *master)
{
    struct pollfd at = { .fd = keep.pipe.fd, .events = POLLIN };

    weir_task_cancel(&keep_task);
    weir_timer_drop(&keep.timer);
    while (keep.pid != 0) {
        if (poll(&at, 1, KEEP_PATIENCE_MS) == 0) {
            weir_log(WEIR_LOG_ALERT, NULL, 0, "process %d, which writes files of servers, does not end: it is killed",
                     (int) keep.pid);
            (void) weir_process_kill(keep.pid, SIGKILL);
            keep_child_ends();
        } else if (!keep_read()) {
            keep_child_ends();
        }
    }
    if (keep_take_waiting()) {
        keep_write_here(master);
    }
}

void
weir_keep_forget(void)
{
    weir_task_cancel(&keep_task);
    weir_timer_drop(&keep.timer);
    if (keep.pid != 0) {
        (void) weir_sys_close(keep.pipe.fd);
        keep.pid = 0;
    }
}
