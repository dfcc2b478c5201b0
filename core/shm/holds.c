/*
 * holds.c - see holds.h.  Runs in workers, and in the master when one died; allocates nothing.
 */
#include "shm/holds.h"

#include "shm/slots.h"

#include <string.h>

#define HOLDS_SPARE     2                    /* cells a key: so that all of them find room */
/* bits of a value: the total, then the number of the last step, then its slot */
#define HOLDS_TOTAL     18
#define HOLDS_NUMBER    37
#define HOLDS_NUMBERS   (((uint64_t) 1 << HOLDS_NUMBER) - 1)

typedef struct holds_slot {
    uint64_t step;                           /* announced; 0: none */
    uint64_t seen;                           /* the last one that others have overwritten the mark of */
    uint64_t number;                         /* of the last step */
    uint32_t cell;                           /* the step's */
    uint16_t after;                          /* what the entry is then */
    uint16_t used;                           /* the row is not empty, or never was */
    uint64_t unused[12];
} holds_slot_t;

_Static_assert(sizeof(holds_slot_t) == 128, "slots share no cache line, nor a pair of them");

/* -- layout: table, slots, rows -- */

static uint64_t
holds_table_bytes(uint32_t cells)
{
    return 64 + (uint64_t) cells * sizeof(weir_cell_t);
}

static uint64_t
holds_bytes(uint32_t cells)
{
    return holds_table_bytes(cells) + WEIR_SLOTS * (sizeof(holds_slot_t) + (uint64_t) cells * sizeof(uint16_t));
}

uint64_t
weir_holds_bytes(uint64_t keys)
{
    uint64_t cells = (weir_max(keys, 16) * HOLDS_SPARE + 31) & ~(uint64_t) 31;

    return cells <= UINT32_MAX / 2 ? holds_bytes((uint32_t) cells) : 0;
}

uint32_t
weir_holds_cells(uint64_t size)
{
    uint64_t fixed = holds_bytes(0), each = sizeof(weir_cell_t) + WEIR_SLOTS * sizeof(uint16_t);
    uint64_t cells = size < fixed ? 0 : (size - fixed) / each;

    return cells < 32 || cells > UINT32_MAX / 2 || holds_bytes((uint32_t) cells) != size ? 0 : (uint32_t) cells;
}

static void
holds_place(void *memory, uint32_t cells, weir_holds_t *holds)
{
    char *slots = (char *) memory + holds_table_bytes(cells);

    weir_assert(cells != 0);
    holds->n_cells = cells;
    holds->slots = (holds_slot_t *) (void *) slots;
    holds->rows = (uint16_t *) (void *) (slots + WEIR_SLOTS * sizeof(holds_slot_t));
}

bool
weir_holds_open(void *memory, uint64_t size, weir_holds_t *holds)
{
    uint32_t cells = weir_holds_cells(size);

    if (cells == 0) {
        return false;
    }
    holds_place(memory, cells, holds);
    holds->table = weir_keyed_open(memory, holds_table_bytes(cells));
    return holds->table != NULL;
}

static inline uint16_t *
holds_row(const weir_holds_t *holds, uint32_t slot)
{
    weir_assert(slot < WEIR_SLOTS);
    return holds->rows + (size_t) slot * holds->n_cells;
}

/* -- values -- */

static inline uint32_t holds_total(uint64_t value) { return (uint32_t) (value & ((1u << HOLDS_TOTAL) - 1)); }
static inline uint64_t holds_number(uint64_t value) { return value >> HOLDS_TOTAL & HOLDS_NUMBERS; }
static inline uint32_t holds_slot(uint64_t value) { return (uint32_t) (value >> (HOLDS_TOTAL + HOLDS_NUMBER)); }

static inline uint64_t
holds_value(uint32_t slot, uint64_t number, uint32_t total)
{
    weir_assert(slot < WEIR_SLOTS && number != 0);
    return (uint64_t) slot << (HOLDS_TOTAL + HOLDS_NUMBER) | number << HOLDS_TOTAL | total;
}

_Static_assert(WEIR_SLOTS <= 1 << (63 - HOLDS_TOTAL - HOLDS_NUMBER), "a slot's number fits");

/* Is `number` at or behind `seen`, on their circle? */
static inline bool
holds_is_seen(uint64_t seen, uint64_t number)
{
    return ((seen - number) & HOLDS_NUMBERS) <= HOLDS_NUMBERS / 2;
}

static uint64_t
holds_worth(const void *data WEIR_UNUSED, uint64_t value)
{
    return holds_total(value) != 0 ? UINT64_MAX : 0;
}

/* -- one step -- */

typedef struct {
    const weir_holds_t *holds;
    uint32_t            slot, max, cell;
    int32_t             by;                  /* 1: one more; negative: so many less */
} holds_step_t;

static void
holds_announce(holds_step_t *step, uint32_t cell, uint64_t *number)
{
    holds_slot_t *slot = &step->holds->slots[step->slot];
    uint16_t      entry = holds_row(step->holds, step->slot)[cell];

    /* no process gives back what it does not hold */
    weir_assert(cell < step->holds->n_cells && (int32_t) entry + step->by >= 0);
    *number = (slot->number + 1) & HOLDS_NUMBERS;
    *number += *number == 0;                 /* 0 says: none */
    __atomic_store_n(&slot->step, 0, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    slot->used = 1;
    slot->number = *number;
    slot->cell = step->cell = cell;
    slot->after = (uint16_t) (entry + step->by);
    __atomic_store_n(&slot->step, *number, __ATOMIC_RELEASE);
}

static bool
holds_change(void *data, uint32_t cell, uint64_t value, uint64_t *next)
{
    holds_step_t *step = data;
    uint32_t      total = holds_total(value);
    uint64_t      number;

    if (step->by > 0 && total >= step->max) {
        return false;
    }
    holds_announce(step, cell, &number);
    *next = holds_value(step->slot, number, total + (uint32_t) step->by);
    return true;
}

static void
holds_before(void *data, uint64_t value)
{
    const holds_step_t *step = data;
    uint64_t            number = holds_number(value), seen, *at = &step->holds->slots[holds_slot(value)].seen;

    if (number == 0 || holds_slot(value) == step->slot) {
        return;                              /* our own last step is done */
    }
    seen = __atomic_load_n(at, __ATOMIC_ACQUIRE);
    while (!holds_is_seen(seen, number)
           && !__atomic_compare_exchange_n(at, &seen, number, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {}
}

static const weir_keyed_op_t holds_op = { holds_worth, holds_change, holds_before };

/* The step has happened: its entry, and it is over. */
static void
holds_finish(const weir_holds_t *holds, uint32_t slot)
{
    holds_slot_t *its = &holds->slots[slot];

    __atomic_store_n(&holds_row(holds, slot)[its->cell], its->after, __ATOMIC_RELEASE);
    __atomic_store_n(&its->step, 0, __ATOMIC_RELEASE);
}

static void
holds_forget(const weir_holds_t *holds, uint32_t slot)
{
    __atomic_store_n(&holds->slots[slot].step, 0, __ATOMIC_RELEASE);
}

weir_holds_result_t
weir_holds_take(const weir_holds_t *holds, weir_str_t key, uint32_t max, weir_hold_t *hold)
{
    weir_keyed_key_t hashed;

    weir_keyed_hash(holds->table, key, &hashed);
    return weir_holds_take_hashed(holds, &hashed, max, hold);
}

weir_holds_result_t
weir_holds_take_hashed(const weir_holds_t *holds, const weir_keyed_key_t *key, uint32_t max, weir_hold_t *hold)
{
    holds_step_t        step = { .holds = holds, .slot = weir_slot(), .max = (uint32_t) weir_min(max, WEIR_HOLDS_MAX),
                                 .by = 1 };
    weir_keyed_result_t result;

    result = weir_keyed_update(holds->table, key, &holds_op, &step);
    if (result != WEIR_KEYED_CHANGED) {
        holds_forget(holds, step.slot);
        return result == WEIR_KEYED_LEFT ? WEIR_HOLDS_REFUSED : WEIR_HOLDS_FULL;
    }
    holds_finish(holds, step.slot);
    *hold = (weir_hold_t) { key->name, step.cell };
    return WEIR_HOLDS_TAKEN;
}

void
weir_holds_drop(const weir_holds_t *holds, const weir_hold_t *hold)
{
    holds_step_t step = { .holds = holds, .slot = weir_slot(), .by = -1 };

    weir_assert(weir_keyed_update_at(holds->table, hold->cell, hold->name, &holds_op, &step));
    holds_finish(holds, step.slot);
}

uint32_t
weir_holds_total_hashed(const weir_holds_t *holds, const weir_keyed_key_t *key)
{
    return holds_total(weir_keyed_peek(holds->table, key));
}

uint32_t
weir_holds_total(const weir_holds_t *holds, weir_str_t key)
{
    weir_keyed_key_t hashed;

    weir_keyed_hash(holds->table, key, &hashed);
    return weir_holds_total_hashed(holds, &hashed);
}

bool
weir_holds_where(const weir_holds_t *holds, weir_str_t key, uint32_t *cell)
{
    weir_keyed_key_t hashed;

    weir_keyed_hash(holds->table, key, &hashed);
    return holds_total(weir_keyed_peek(holds->table, &hashed)) != 0 && weir_keyed_where(holds->table, &hashed, cell);
}

bool
weir_holds_has(const weir_holds_t *holds, uint32_t slot, uint32_t cell)
{
    weir_assert(cell < holds->n_cells);
    return holds_row(holds, slot)[cell] != 0;
}

/* -- the dead -- */

/* Whether the step that was announced has happened is told by its mark, or by the process that overwrote it. */
static void
holds_settle(const weir_holds_t *holds, uint32_t slot)
{
    holds_slot_t *its = &holds->slots[slot];
    weir_cell_t   cell;

    if (its->step == 0 || its->cell >= holds->n_cells) {
        return;
    }
    cell = weir_keyed_at(holds->table, its->cell);
    if ((cell.name != 0 && holds_slot(cell.value) == slot && holds_number(cell.value) == its->step)
        || holds_is_seen(__atomic_load_n(&its->seen, __ATOMIC_ACQUIRE), its->step))
    {
        holds_finish(holds, slot);
    } else {
        holds_forget(holds, slot);
    }
}

void
weir_holds_fold(void *memory, uint64_t size, uint32_t slot)
{
    weir_holds_t holds;
    uint16_t    *row;

    if (slot >= WEIR_SLOTS || !weir_holds_open(memory, size, &holds) || holds.slots[slot].used == 0) {
        return;
    }
    holds_settle(&holds, slot);
    row = holds_row(&holds, slot);
    for (uint32_t i = 0; i < holds.n_cells; i++) {
        if (row[i] != 0) {
            holds_step_t step = { .holds = &holds, .slot = slot, .by = -(int32_t) row[i] };

            if (weir_keyed_update_at(holds.table, i, weir_keyed_at(holds.table, i).name, &holds_op, &step)) {
                holds_finish(&holds, slot);
            }
        }
    }
    holds.slots[slot].used = 0;
}

bool
weir_holds_is_held(const void *memory, uint64_t size, uint32_t cell, uint64_t name)
{
    weir_cell_t seen;

    if (cell >= weir_holds_cells(size)) {
        return false;
    }
    seen = weir_keyed_at(memory, cell);
    return seen.name == name && holds_total(seen.value) != 0;
}

void
weir_holds_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    uint32_t cells = weir_holds_cells(size), used;
    uint64_t evicted;

    if (cells != 0 && weir_keyed_count(memory, holds_table_bytes(cells), holds_worth, NULL, &used, &cells, &evicted)) {
        weir_buf_printf(out, "keys=%u room=%u", used, cells / HOLDS_SPARE);
    }
}
