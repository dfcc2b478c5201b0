/*
 * shared.h - what all processes of the instance share beside what a configuration names: the slots of processes
 * (shm/slots.h), the wake-up of workers (event/wake.h), the keys of TLS session tickets, and the register that lets
 * 0-RTT data in once.
 *
 * Made by the master (or the single process) before it forks; workers find it as it was.  The master rotates the keys
 * and keeps them under state_path, mode 0600, so that a restart resumes the sessions of before.
 */
#ifndef WEIR_PROC_COMMON_SHARED_H
#define WEIR_PROC_COMMON_SHARED_H

#include "event/loop.h"
#include "proc/common/settings.h"

/* The kinds of these zones, ended by NULL. */
extern const struct weir_zone_kind *const weir_shared_kinds[];

/* false: logged. */
bool weir_shared_open(weir_loop_t *loop, const weir_settings_t *settings) WEIR_MUST_USE;
/* Another generation is in use: keys are saved where it says, when it needs any. */
void weir_shared_use(const weir_settings_t *settings);
/* In a worker after the fork: what belongs to the master is not touched, and a slot is taken.  false: none is free. */
bool weir_shared_in_worker(void) WEIR_MUST_USE;
/* The same in the store's process, which needs no slot. */
void weir_shared_in_store(void);
/* In the master: that worker is dead; what it owned in any zone is settled and its slot is free again. */
void weir_shared_reap(pid_t pid);
void weir_shared_close(void);

#endif
