/*
 * store_process.h - the store's process as the master sees it: one that writes, started before the workers, the last
 * to leave.
 *
 *     (none) --start--> opening --ready--> writing --reload--> told to leave, another one writes
 *                          |                  +---- dies ----> started again with growing patience; meanwhile
 *                          |                                  workers read on
 *                          +-- fails: at the start of the instance nothing else starts
 */
#ifndef WEIR_PROC_MASTER_STORE_PROCESS_H
#define WEIR_PROC_MASTER_STORE_PROCESS_H

#include "proc/master/master.h"

/* With the master's configuration; returns when the store is open.  true when there is none; false: logged. */
bool weir_store_process_start(weir_master_t *master) WEIR_MUST_USE;
/* The master has another configuration, and perhaps other zones. */
void weir_store_process_change(weir_master_t *master);
/* A child of the master's has ended; true: it was one of these. */
bool weir_store_process_ended(weir_master_t *master, pid_t pid, int status);
/* Logs were moved. */
void weir_store_process_reopen_logs(weir_master_t *master);
/* Comes again and again; stopped at so many looks, one after the other, it is killed, and another one begins. */
void weir_store_process_look(uint32_t looks, weir_msec_t limit);
/* The workers have gone: the last counts are written.  Waits. */
void weir_store_process_stop(weir_master_t *master);
/* In a forked child. */
void weir_store_process_forget(void);

#endif
