/*
 * rights.h - what a worker gives up before it serves clients: root, groups, capabilities, new privileges, core dumps.
 */
#ifndef WEIR_OS_RIGHTS_H
#define WEIR_OS_RIGHTS_H

#include "base/str.h"

#include <sys/types.h>

bool weir_rights_are_root(void);                          /* the effective user is 0 */

typedef struct {
    uid_t        uid;
    gid_t        gid;
    const gid_t *groups;        /* supplementary */
    size_t       n_groups;
} weir_rights_user_t;

/* Groups, group, user, capabilities: given up in this order and verified to be gone.  `to` NULL: capabilities only.
 * false: errno and *why (constant text); the process must not go on. */
bool weir_rights_drop(const weir_rights_user_t *to, const char **why) WEIR_MUST_USE;
/* No exec gains anything any more; no debugger and no core file sees the memory unless dumpable.  From Linux 6.12 on it
 * signals no process but itself and what it starts, whichever user they run as. */
bool weir_rights_lock(bool dumpable, const char **why) WEIR_MUST_USE;

/* Soft and hard limit.  false: errno. */
bool weir_rights_limit_files(uint64_t n) WEIR_MUST_USE;
bool weir_rights_limit_core(uint64_t bytes) WEIR_MUST_USE;
uint64_t weir_rights_files(void);                         /* how many may be open now */
void weir_rights_raise_files(void);                       /* to as many as this process may allow itself */
bool weir_rights_set_priority(int priority) WEIR_MUST_USE;
/* Bits of CPUs: bit i of word i / 64. */
bool weir_rights_set_cpus(const uint64_t *words, size_t n) WEIR_MUST_USE;

#endif
