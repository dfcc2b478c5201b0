/*
 * signal.c - see signal.h.
 */
#include "tool/signal.h"

#include "log/log.h"
#include "os/process.h"
#include "tool/command.h"
#include "tool/outcome.h"
#include "tool/running.h"
#include "tool/upgrade.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define SIGNAL_FAILED 1

/* While another program starts, the serving one is told these, and tells the other. */
static bool
signal_is_passed_on(const char *name)
{
    return strcmp(name, "reload") == 0 || strcmp(name, "reopen") == 0;
}

/* false: said. */
static bool
signal_send(pid_t pid, int number)
{
    weir_assert(pid > 0 && number != 0);
    if (weir_process_kill(pid, number) != 0) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "kill(%d, %d) failed", (int) pid, number);
        return false;
    }
    return true;
}

static int
signal_reload_and_wait(pid_t pid)
{
    weir_outcome_row_t before, seen;
    weir_error_t   error = { 0 };

    if (!weir_outcome_look(pid, WEIR_OUTCOME_RELOAD, &before, &error)) {
        fprintf(stderr, "weir: %s\n", error.text);
        return SIGNAL_FAILED;
    }
    if (!signal_send(pid, SIGHUP)) {
        return SIGNAL_FAILED;
    }
    if (!weir_outcome_wait(pid, WEIR_OUTCOME_RELOAD, &before, &seen, &error)) {
        fprintf(stderr, "weir: %s\n", error.text);
        return SIGNAL_FAILED;
    }
    return weir_outcome_print(&seen);
}

int
weir_tool_signal(const weir_settings_t *settings, const char *name, bool wait)
{
    pid_t pid = 0;

    if (strcmp(name, "upgrade") == 0) {
        return weir_tool_upgrade(settings);
    }
    if (!(signal_is_passed_on(name) ? weir_running_serving(settings->pid_file, &pid)
                                    : weir_running_named(settings->pid_file, &pid))) {
        return SIGNAL_FAILED;
    }
    if (wait) {
        return signal_reload_and_wait(pid);
    }
    return signal_send(pid, weir_command_signal(name)) ? 0 : SIGNAL_FAILED;
}
