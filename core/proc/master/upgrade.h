/*
 * upgrade.h - another program takes over while this one serves: USR2, WINCH and QUIT by hand as with nginx, or `weir -s
 * upgrade`.
 *
 *     USR2: the pid file becomes PID.oldbin, the new program is started with our sockets and zones (inherit.h)
 *       |           ready in time: it has written the pid file; both serve
 *       |                QUIT to us: we leave · WINCH: our workers leave · HUP: they come again
 *       +---------- not ready in time, or it ends: it is killed, the pid file is ours again, all is as if nothing had
 *       been
 */
#ifndef WEIR_PROC_MASTER_UPGRADE_H
#define WEIR_PROC_MASTER_UPGRADE_H

#include "proc/master/master.h"

void weir_upgrade_begin(weir_master_t *master);                      /* USR2 */
/* at the end: the pid file, under the name it has now */
void weir_upgrade_remove_pid(weir_master_t *master);
/* A child of the master's has ended: true: it was the new program. */
bool weir_upgrade_ended(weir_master_t *master, pid_t pid, int status);
/* HUP or USR1 came: a program that is just starting gets it as soon as it is ready, so that no reload is lost between
 * the two. */
void weir_upgrade_note(weir_master_t *master, int signal);
/* at the end of the process, or in a forked child */
void weir_upgrade_fini(weir_master_t *master);

#endif
