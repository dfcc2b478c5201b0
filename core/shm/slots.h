/*
 * slots.h - which of this instance's processes owns what in shared memory.
 *
 * Every process that serves holds one of WEIR_SLOTS slots; what a zone keeps for a process (counters of its own,
 * holdings) is found by the slot's number.  A slot is a single word, so that a process killed at any instruction either
 * holds it or does not.  When its owner is dead the master settles what it left in every zone and frees the slot: the
 * next owner has another incarnation.
 *
 *     free {0, n} --take--> {pid, n} --dies, master reaps: folded--> free {0, n + 1}
 */
#ifndef WEIR_SHM_SLOTS_H
#define WEIR_SHM_SLOTS_H

#include "base/buf.h"

#include <sys/types.h>

#define WEIR_SLOTS       256                 /* workers at one time, those that leave included */
#define WEIR_SLOTS_BYTES (WEIR_SLOTS * 8)

/* Where the slots are; zeroed at first; NULL: nowhere, this process has none. */
void weir_slots_use(void *memory);
/* One for this process, which is pid; in a child it is not its parent's.  false: all are taken. */
bool weir_slots_take(pid_t pid) WEIR_MUST_USE;
/* Of this process. */
#define WEIR_SLOT_NONE UINT32_MAX
typedef struct { uint32_t number; pid_t pid; } weir_slot_t;
extern weir_slot_t weir_slot_mine;

/* The number of this process's slot.  Not before one was taken. */
static inline uint32_t
weir_slot(void)
{
    weir_assert(weir_slot_mine.number != WEIR_SLOT_NONE);
    return weir_slot_mine.number;
}
/* Master: the slot of a process that is dead, if it had one: fold is called with its number, then it is free.  May be
 * called again when the master itself died between. */
void weir_slots_reap(pid_t pid, void (*fold)(uint32_t slot));
/* The process that holds it; 0: none. */
pid_t weir_slots_owner(uint32_t slot);
/* Every slot that is held. */
void weir_slots_each(void (*each)(void *data, uint32_t slot, pid_t pid), void *data);
/* For weir_zone_kind_t. */
void weir_slots_describe(const void *memory, uint64_t size, weir_buf_t *out);

#endif
