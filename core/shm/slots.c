/*
 * slots.c - see slots.h.  Runs in every process; allocates nothing.
 */
#include "shm/slots.h"

static uint64_t *slots;                      /* in shared memory: pid in the upper half, incarnation in the lower */

weir_slot_t weir_slot_mine = { .number = WEIR_SLOT_NONE };

static inline pid_t slots_pid(uint64_t word) { return (pid_t) (word >> 32); }

void
weir_slots_use(void *memory)
{
    slots = memory;
    weir_slot_mine.number = WEIR_SLOT_NONE;
}

bool
weir_slots_take(pid_t pid)
{
    for (uint32_t i = 0; slots != NULL && i < WEIR_SLOTS; i++) {
        uint64_t word = __atomic_load_n(&slots[i], __ATOMIC_RELAXED);

        if (slots_pid(word) == 0
            && __atomic_compare_exchange_n(&slots[i], &word, word | (uint64_t) (uint32_t) pid << 32, false,
                                           __ATOMIC_ACQ_REL,
                                           __ATOMIC_RELAXED))
        {
            weir_slot_mine = (weir_slot_t) { i, pid };
            return true;
        }
    }
    return false;
}

void
weir_slots_reap(pid_t pid, void (*fold)(uint32_t slot))
{
    for (uint32_t i = 0; slots != NULL && i < WEIR_SLOTS; i++) {
        uint64_t word = __atomic_load_n(&slots[i], __ATOMIC_ACQUIRE);

        if (slots_pid(word) == pid) {
            fold(i);
            (void) __atomic_compare_exchange_n(&slots[i], &word, (uint32_t) (word + 1), false, __ATOMIC_ACQ_REL,
                                               __ATOMIC_RELAXED);
        }
    }
}

pid_t
weir_slots_owner(uint32_t slot)
{
    return slots != NULL && slot < WEIR_SLOTS ? slots_pid(__atomic_load_n(&slots[slot], __ATOMIC_ACQUIRE)) : 0;
}

void
weir_slots_each(void (*each)(void *data, uint32_t slot, pid_t pid), void *data)
{
    for (uint32_t i = 0; slots != NULL && i < WEIR_SLOTS; i++) {
        pid_t pid = slots_pid(__atomic_load_n(&slots[i], __ATOMIC_RELAXED));

        if (pid != 0) {
            each(data, i, pid);
        }
    }
}

void
weir_slots_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    const uint64_t *words = memory;
    uint32_t held = 0;

    for (uint64_t i = 0; i < size / sizeof(*words); i++) {
        held += slots_pid(words[i]) != 0;
    }
    weir_buf_printf(out, "held=%u room=%u", held, WEIR_SLOTS);
}
