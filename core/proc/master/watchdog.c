/*
 * watchdog.c - a worker whose loop does not come to the end of a turn is killed, with a backtrace of where it hangs in
 * the log; so is one that is stopped, which has connections of clients and gets more.  A store process that is stopped
 * is killed, too: an operator who wants to withdraw a key would wait for it.
 *
 *     looks every WATCHDOG_LOOKS-th of worker_watchdog:  the same turn again and again -> SIGABRT (it writes the
 *     backtrace)
 *                                                        -> still there at the next look -> SIGKILL
 *                                   stopped (SIGSTOP), in a turn or between two      -> SIGKILL: it would write nothing
 *
 * Runs in the master.  What counts is how often the master looked, not the clock: a machine that stood still as a whole
 * (a snapshot, a laptop's lid) kills no worker.
 */
#include "proc/master/master.h"

#include "log/log.h"
#include "os/process.h"
#include "proc/master/control.h"
#include "proc/master/store_process.h"

#include <errno.h>

#define WATCHDOG_LOOKS 8

static void
watchdog_kill(const weir_child_t *child)
{
    (void) weir_process_kill(child->pid, SIGKILL);
}

static void
watchdog_abort(const weir_child_t *child)
{
    if (weir_process_kill_main(child->pid, SIGABRT) != 0 && errno != ESRCH) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "kill(%d, %d) failed", (int) child->pid, SIGABRT);
    }
}

static void
watchdog_end(const weir_child_t *child, bool is_stopped, weir_msec_t limit)
{
    if (is_stopped) {
        weir_log(WEIR_LOG_ALERT, NULL, 0,
                 "worker process %d is stopped for more than %llu ms (worker_watchdog): it is killed", (int) child->pid,
                 (unsigned long long) limit.ms);
        watchdog_kill(child);
    } else if (child->looks == WATCHDOG_LOOKS) {
        weir_log(WEIR_LOG_ALERT, NULL, 0,
                 "worker process %d is in one turn of its loop for more than %llu ms (worker_watchdog): "
                 "it is killed, its backtrace follows",
                 (int) child->pid, (unsigned long long) limit.ms);
        watchdog_abort(child);
    } else {
        weir_log(WEIR_LOG_ALERT, NULL, 0, "worker process %d did not end, it is killed without a backtrace",
                 (int) child->pid);
        watchdog_kill(child);
    }
}

static void
watchdog_look(weir_child_t *child, weir_msec_t limit)
{
    uint64_t beat = __atomic_load_n(&child->pulse->beat, __ATOMIC_RELAXED);
    bool     is_stopped = beat == child->beat && weir_process_is_stopped(child->pid);

    if (beat != child->beat || (beat % 2 == 0 && !is_stopped)) {
        child->beat = beat;
        child->looks = 0;
        return;
    }
    child->looks++;
    if (child->looks >= WATCHDOG_LOOKS) {
        watchdog_end(child, is_stopped, limit);
    }
}

static void
watchdog_on_timer(weir_timer_t *timer)
{
    weir_master_t *master = weir_container_of(timer, weir_master_t, watchdog_timer);

    for (weir_list_t *at = master->children.next; at != &master->children; at = at->next) {
        weir_child_t *child = weir_list_entry(at, weir_child_t, link);

        if (child->pid > 0 && child->pulse != NULL) {
            watchdog_look(child, master->settings.watchdog);
        }
    }
    weir_store_process_look(WATCHDOG_LOOKS, master->settings.watchdog);
    weir_control_look(WATCHDOG_LOOKS, master->settings.watchdog);
    weir_watchdog_set(master);
}

void
weir_watchdog_set(weir_master_t *master)
{
    uint64_t limit_ms = master->settings.watchdog.ms;

    if (limit_ms == 0) {
        weir_timer_clear(&master->watchdog_timer);
        return;
    }
    weir_timer_set(master->loop, &master->watchdog_timer, (weir_msec_t) { weir_max(limit_ms / WATCHDOG_LOOKS, 1) },
                   watchdog_on_timer);
}
