/*
 * signals.h - signals as flags that the loop looks at: handlers set one and wake the loop, nothing else.
 */
#ifndef WEIR_PROC_COMMON_SIGNALS_H
#define WEIR_PROC_COMMON_SIGNALS_H

#include "event/loop.h"

#include <sys/types.h>

typedef enum {
    WEIR_SIGNAL_TERM,       /* TERM and INT: leave at once */
    WEIR_SIGNAL_QUIT,       /* leave politely */
    WEIR_SIGNAL_HUP,        /* reload */
    WEIR_SIGNAL_USR1,       /* reopen logs */
    WEIR_SIGNAL_USR2,       /* upgrade */
    WEIR_SIGNAL_WINCH,      /* workers leave */
    WEIR_SIGNAL_CHLD,
    WEIR_SIGNAL_MAX
} weir_signal_t;

/* From here on they wait.  A child inherits that, so that none is lost between fork and its own weir_signals_open. */
void weir_signals_block(void);
void weir_signals_unblock(void);
/* Installs the handlers, forgets what came to the parent, and lets through what waits.  on_signal(data) is called in a
 * turn of the loop.  One a process.  false: errno. */
bool weir_signals_open(weir_loop_t *loop, void (*on_signal)(void *data), void *data) WEIR_MUST_USE;
/* Blocks them again. */
void weir_signals_close(void);
/* For a forked child: drops what it has of its parent's.  They stay blocked. */
void weir_signals_forget(void);

/* The number of the signal that came since the last take; 0: none.  *sender (may be NULL): a process id, 0 for the
 * kernel's. */
int weir_signals_take(weir_signal_t signal, pid_t *sender) WEIR_MUST_USE;

#endif
