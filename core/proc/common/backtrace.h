/*
 * backtrace.h - where a process stands when it is aborted (by the watchdog, or by itself), written to its error logs.
 */
#ifndef WEIR_PROC_COMMON_BACKTRACE_H
#define WEIR_PROC_COMMON_BACKTRACE_H

/* Once, in the master: what the first backtrace loads is loaded before anything is wrong. */
void weir_backtrace_prepare(void);
/* In a worker: SIGABRT writes the backtrace, and then ends the process as it does without. */
void weir_backtrace_on_abort(void);

#endif
