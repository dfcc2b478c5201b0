/*
 * upgrade.c - see upgrade.h.  The pid file tells how far it has come: see proc/master/upgrade.h.
 */
#include "tool/upgrade.h"

#include "log/log.h"
#include "os/process.h"
#include "proc/master/pidfile.h"
#include "tool/outcome.h"
#include "tool/running.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

/* Without a word when there is none. */
static pid_t
upgrade_peek(weir_str_t pid_file, const char *path)
{
    pid_t pid = 0;

    return weir_running_has_file(path) && weir_pidfile_read(pid_file, &pid) ? pid : 0;
}

static int
upgrade_say(const char *what)
{
    fprintf(stderr, "weir: %s\n", what);
    return 1;
}

/* The old one serves on; why, its master knows better than we do. */
static int
upgrade_say_why(pid_t old, const weir_outcome_row_t *before, const char *otherwise)
{
    weir_outcome_row_t seen;
    weir_error_t   error = { .text = "" };

    if (!weir_outcome_look(old, WEIR_OUTCOME_UPGRADE, &seen, &error) || seen.ended <= before->begun || seen.good) {
        return upgrade_say(otherwise);
    }
    (void) upgrade_say("the new program did not come up, the old one serves on");
    return weir_outcome_print(&seen);
}

/* The new program serves: does it go on to?  The old one takes its pid file back when it does not. */
static bool
upgrade_holds(const weir_settings_t *settings, const weir_pidfile_names_t *names, pid_t old)
{
    const struct timespec pause = { .tv_nsec = 10 * 1000000L };

    weir_assert(old > 0);
    for (uint64_t waited_ms = 0; waited_ms < settings->upgrade_trial.ms; waited_ms += 10) {
        (void) nanosleep(&pause, NULL);
        if (upgrade_peek(settings->pid_file, names->name) == old) {
            return false;
        }
    }
    return true;
}

int
weir_tool_upgrade(const weir_settings_t *settings)
{
    const struct timespec pause = { .tv_nsec = 10 * 1000000L };
    weir_pidfile_names_t  names;
    weir_outcome_row_t        before = { .begun = UINT64_MAX };
    weir_error_t          error = { .text = "" };
    bool                  begun = false;
    pid_t                 old, now;

    if (!weir_running_named(settings->pid_file, &old)) {
        return 1;
    }
    if (!weir_pidfile_names(settings->pid_file, &names)) {
        return upgrade_say("the pid file's path is too long");
    }
    if (weir_running_has_file(names.old)) {
        return upgrade_say("another upgrade is under way, or was left undone: there is a pid file of the old program");
    }
    (void) !weir_outcome_look(old, WEIR_OUTCOME_UPGRADE, &before, &error);
    if (weir_process_kill(old, SIGUSR2) != 0) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "kill(%d, %d) failed", (int) old, SIGUSR2);
        return 1;
    }
    for (uint64_t waited_ms = 0; waited_ms < settings->upgrade_timeout.ms + 5000; waited_ms += 10) {
        (void) nanosleep(&pause, NULL);
        begun = begun || weir_running_has_file(names.old);
        now = upgrade_peek(settings->pid_file, names.name);
        if (begun && now != 0 && now != old) {
            if (!upgrade_holds(settings, &names, old)) {
                return upgrade_say("the new program came up and ended, the old one serves on: its error log says why");
            }
            return weir_process_kill(old, SIGQUIT) == 0 ? 0
                   : upgrade_say("the new program serves, but the old one could not be told to leave");
        }
        if ((begun && now == old) || (!begun && waited_ms > 5000)) {
            break;
        }
    }
    return upgrade_say_why(old, &before, begun
                           ? "the new program did not come up, the old one serves on: its error log says why"
                                               : "the master did not begin an upgrade within 5 s: it is stopped or "
                                                 "stuck, or its error log says why");
}
