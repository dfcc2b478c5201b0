/*
 * inherit.h - what a new program gets from the running one that starts it: listening sockets, zones, the bells of
 * workers (event/wake.h), and where to say that it is ready.
 *
 * The running master writes a table into a memfd, whose number is in the environment (WEIR_INHERITED):
 *
 *     listen FD FD …        the sockets of one address
 *     zone FD LABEL         see weir_zones_adopt
 *     bell FD               see weir_wake_adopt_bell
 *     changes FD            lines of commands: what was changed of groups' peers (upstream/changes.h), where it was
 *     fragments FD          the fragments of the configuration (fragments_state.h), where there are any
 *     ready FD              "R" when the new program's workers accept, or "F" and why they never will
 *
 * All of it is read once, before anything else is opened, and taken out of the environment.
 */
#ifndef WEIR_PROC_MASTER_INHERIT_H
#define WEIR_PROC_MASTER_INHERIT_H

#include "serve/sockets.h"

#define WEIR_INHERITED "WEIR_INHERITED"

/* At the start of main.  false with *error: there is a table, and it is broken. */
bool weir_inherit_read(weir_error_t *error) WEIR_MUST_USE;
bool weir_inherit_is_under_way(void);
/* The program that this one was started by, to take its place, runs still: it has the same sockets. */
bool weir_inherit_has_predecessor(void);
/* The descriptors of it, ascending: what must stay open. */
const int *weir_inherit_fds(size_t *n);
/* Before the configuration is read: the zones and the bells. */
void weir_inherit_zones(void);
/* Before its sockets are opened: those that are there.  false: errno. */
bool weir_inherit_sockets(weir_sockets_t *sockets) WEIR_MUST_USE;
/* Workers accept: the one before may go.  Again is nothing. */
void weir_inherit_ready(void);
/* Why there will be none, for the master that waits: last of all, since from then on nothing is inherited. */
void weir_inherit_failed(const char *why);
/* After the fork, in a worker. */
void weir_inherit_forget(void);

/* -- the running one: the table in a memfd; fds: all that it names and itself, for exec; heap, the caller's. -1:
 * errno */
int weir_inherit_write(const weir_sockets_t *sockets, int ready_fd, int **fds, size_t *n);

#endif
