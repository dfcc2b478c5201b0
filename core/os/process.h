/*
 * process.h - children, signals and what a process looks like from outside: the rest of the system-call seam, for the
 * master and for the start of a worker.
 */
#ifndef WEIR_OS_PROCESS_H
#define WEIR_OS_PROCESS_H

#include "base/str.h"

#include <signal.h>
#include <sys/types.h>

/* Same arguments, results and errno as the call named. */
int   weir_process_kill(pid_t pid, int signal);
int   weir_process_kill_main(pid_t pid, int signal);   /* kill, but its first thread and no other gets the signal */
pid_t weir_process_wait_any(int *status);              /* waitpid(-1, WNOHANG); EINTR is retried */

/* Is this child stopped (SIGSTOP, SIGTSTP …)?  One that a debugger holds is not. */
bool  weir_process_is_stopped(pid_t pid);

/* Runs `handler` on the signal, with every other one blocked; NULL: ignored.  For signals that can be caught. */
void weir_process_on_signal(int signal, void (*handler)(int signal, siginfo_t *info, void *context));
void weir_process_default_signal(int signal);
/* "SIGTERM"; "signal" for a number without a name. */
const char *weir_process_signal_name(int signal);

/* The parent's death sends `signal` to this process.  The kernel forgets it with a change of user: call it after. */
bool weir_process_die_with_parent(int signal);

/* Descriptors 0, 1 and 2 are open afterwards (on /dev/null where they were not), all above are closed. */
/* keep: ascending; these stay open too */
bool weir_process_clean_descriptors(const int *keep, size_t n) WEIR_MUST_USE;

/* What ps shows.  start is called once with main's argv, before any code keeps a piece of it; memory of argv and
 * environ is reused for titles, so the environment moves to the heap, and so does the command line: the result is it,
 * as it was typed but for the path of the program, and lives until weir_process_fini.  Titles that do not fit are
 * cut. */
char *const *weir_process_title_start(char **argv);
/* The command line that title_start was given, executed again: the program as it lies at its path now.  Returns when
 * that fails: errno. */
void weir_process_exec_again(void);
/* This very program, whatever lies at its path now, executed with these arguments; of the environment only what the
 * loader, the clock and sanitizers look at.  Returns when that fails: errno. */
void weir_process_exec_self(char *const *argv);
/* Every signal as a fresh process has it, none blocked: before exec. */
void weir_process_reset_signals(void);
void weir_process_set_title(const char *title);
void weir_process_set_name(const char *name);        /* the short one; of 15 bytes at most */

/* The environment becomes TZ and the names of `keep` ("NAME": as inherited; "NAME=value": so).  Copies. */
void weir_process_set_environment(weir_strs_t keep);
/* Gives back the memory of title and environment: at the end of a process. */
void weir_process_fini(void);

/* CPUs this process may use; at least 1. */
uint32_t weir_process_cpus(void);

#endif
