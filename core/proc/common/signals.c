/*
 * signals.c - see signals.h.
 *
 * Runs in the master and in workers; the handler is async-signal-safe: it stores and writes to an eventfd.  Allocates
 * nothing but that descriptor.
 */
#include "proc/common/signals.h"

#include "os/process.h"

#include <signal.h>
#include <unistd.h>

static const struct { int number; weir_signal_t as; } signals_rows[] = {
    { SIGTERM, WEIR_SIGNAL_TERM }, { SIGINT, WEIR_SIGNAL_TERM },   { SIGQUIT, WEIR_SIGNAL_QUIT },
    { SIGHUP, WEIR_SIGNAL_HUP },   { SIGUSR1, WEIR_SIGNAL_USR1 },  { SIGUSR2, WEIR_SIGNAL_USR2 },
    { SIGCHLD, WEIR_SIGNAL_CHLD }, { SIGWINCH, WEIR_SIGNAL_WINCH },
};

static volatile sig_atomic_t signals_came[WEIR_SIGNAL_MAX];
static volatile sig_atomic_t signals_sender[WEIR_SIGNAL_MAX];
static weir_wakeup_t         signals_wakeup;

static void
signals_handle(int signal, siginfo_t *info, void *context)
{
    (void) context;
    for (size_t i = 0; i < weir_countof(signals_rows); i++) {
        if (signals_rows[i].number == signal) {
            signals_sender[signals_rows[i].as] = info != NULL && info->si_code <= 0 ? (sig_atomic_t) info->si_pid : 0;
            signals_came[signals_rows[i].as] = signal;
        }
    }
    weir_wakeup_send(&signals_wakeup);
}

static void
signals_mask(int how)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < weir_countof(signals_rows); i++) {
        sigaddset(&set, signals_rows[i].number);
    }
    weir_assert(sigprocmask(how, &set, NULL) == 0);
}

void
weir_signals_block(void)
{
    signals_mask(SIG_BLOCK);
}

void
weir_signals_unblock(void)
{
    signals_mask(SIG_UNBLOCK);
}

bool
weir_signals_open(weir_loop_t *loop, void (*on_signal)(void *data), void *data)
{
    if (!weir_wakeup_init(&signals_wakeup, loop, on_signal, data)) {
        return false;
    }
    for (size_t i = 0; i < WEIR_SIGNAL_MAX; i++) {
        signals_came[i] = 0;
    }
    for (size_t i = 0; i < weir_countof(signals_rows); i++) {
        weir_process_on_signal(signals_rows[i].number, signals_handle);
    }
    weir_process_on_signal(SIGPIPE, NULL);
    weir_process_on_signal(SIGSYS, NULL);
    weir_signals_unblock();
    return true;
}

void
weir_signals_close(void)
{
    weir_signals_block();
    weir_wakeup_fini(&signals_wakeup);
}

void
weir_signals_forget(void)
{
    weir_signals_block();
    if (signals_wakeup.loop != NULL && signals_wakeup.watch.fd >= 0) {
        (void) weir_sys_close(signals_wakeup.watch.fd);
    }
    signals_wakeup.loop = NULL;
}

int
weir_signals_take(weir_signal_t signal, pid_t *sender)
{
    int number = signals_came[signal];

    weir_assert((unsigned) signal < WEIR_SIGNAL_MAX);
    if (number == 0) {
        return 0;
    }
    signals_came[signal] = 0;
    if (sender != NULL) {
        *sender = (pid_t) signals_sender[signal];
    }
    return number;
}
