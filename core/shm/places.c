/*
 * places.c - see places.h.  Runs in workers, and in the master when one died; allocates nothing.
 *
 * Layout: the holds' memory, a head, a record for each cell of the holds' table, a row of gauges for each slot.
 */
#include "shm/places.h"

#include <string.h>

#define PLACES_WORDS  (WEIR_PLACES_RECORD / sizeof(uint64_t))
#define PLACES_STEP   16                     /* names by which memory grows */
#define PLACES_ROUNDS 8                      /* of meeting others at the last one that is free */

typedef struct places_head {
    uint32_t top;                            /* slots from here on have never held a name */
    uint32_t unused[15];
} places_head_t;

_Static_assert(sizeof(places_head_t) == 64, "records begin at a cache line");

static uint64_t
places_bytes(uint64_t holds, uint32_t cells)
{
    return holds + sizeof(places_head_t) + (uint64_t) cells * WEIR_PLACES_RECORD
           + (uint64_t) WEIR_SLOTS * cells * sizeof(uint32_t);
}

uint64_t
weir_places_bytes(uint64_t names)
{
    uint64_t holds = weir_holds_bytes(names);

    weir_assert(holds % 64 == 0);            /* what follows is aligned, too */
    return holds != 0 ? places_bytes(holds, weir_holds_cells(holds)) : 0;
}

/* The part of `size` bytes that is the holds'; 0: that is no size of places. */
static uint64_t
places_holds_part(uint64_t size)
{
    uint64_t least = weir_places_bytes(PLACES_STEP), step = weir_places_bytes(2 * PLACES_STEP) - least;
    uint64_t names = size < least ? PLACES_STEP : PLACES_STEP + (size - least) / step * PLACES_STEP;

    return weir_places_bytes(names) == size ? weir_holds_bytes(names) : 0;
}

bool
weir_places_open(void *memory, uint64_t size, weir_places_t *places)
{
    uint64_t holds = places_holds_part(size);
    char    *at = memory;

    if (holds == 0 || !weir_holds_open(memory, holds, &places->holds)) {
        return false;
    }
    at += holds;
    places->head = (places_head_t *) (void *) at;
    places->records = at + sizeof(places_head_t);
    places->gauges = (uint32_t *) (void *) (places->records + (size_t) places->holds.n_cells * WEIR_PLACES_RECORD);
    weir_assert((char *) (places->gauges + (size_t) WEIR_SLOTS * places->holds.n_cells) == (char *) memory + size);
    return true;
}

static inline uint32_t *
places_gauge(const weir_places_t *places, uint32_t slot, uint32_t cell)
{
    weir_assert(slot < WEIR_SLOTS && cell < places->holds.n_cells);
    return &places->gauges[(size_t) slot * places->holds.n_cells + cell];
}

/* -- holding a name -- */

/* Readers that add up look at this slot from now on. */
static void
places_raise_top(const weir_places_t *places, uint32_t slot)
{
    uint32_t top = __atomic_load_n(&places->head->top, __ATOMIC_RELAXED);

    while (top <= slot && !__atomic_compare_exchange_n(&places->head->top, &top, slot + 1, false, __ATOMIC_SEQ_CST,
                                                       __ATOMIC_RELAXED)) {}
}

/* A record that was another name's is as at first. */
static void
places_name(uint64_t *record, uint64_t name)
{
    if (__atomic_load_n(&record[0], __ATOMIC_ACQUIRE) == name) {
        return;
    }
    for (size_t i = 1; i < PLACES_WORDS; i++) {
        __atomic_store_n(&record[i], 0, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&record[0], name, __ATOMIC_RELEASE);
}

bool
weir_places_take(const weir_places_t *places, weir_str_t name, weir_place_t *place)
{
    const uint32_t slot = weir_slot();

    places_raise_top(places, slot);
    if (weir_holds_take(&places->holds, name, WEIR_HOLDS_MAX, &place->hold) != WEIR_HOLDS_TAKEN) {
        return false;
    }
    weir_assert(place->hold.cell < places->holds.n_cells);
    place->record = places->records + (size_t) place->hold.cell * WEIR_PLACES_RECORD;
    place->gauge = places_gauge(places, slot, place->hold.cell);
    places_name(place->record, place->hold.name);
    return true;
}

void
weir_places_drop(const weir_places_t *places, const weir_place_t *place)
{
    weir_assert(place->gauge == places_gauge(places, weir_slot(), place->hold.cell));
    weir_holds_drop(&places->holds, &place->hold);
    weir_assert(*place->gauge == 0 || weir_holds_has(&places->holds, weir_slot(), place->hold.cell));
}

/* -- gauges -- */

static inline uint32_t
places_sum(const weir_places_t *places, uint32_t cell)
{
    const size_t    step = places->holds.n_cells;
    const uint32_t  top = __atomic_load_n(&places->head->top, __ATOMIC_SEQ_CST);
    const uint32_t *gauge = places->gauges + cell;
    uint32_t        sum = __atomic_load_n(gauge, __ATOMIC_SEQ_CST);

    weir_assert(top <= WEIR_SLOTS && cell < step);
    for (uint32_t slot = 1; slot < top; slot++) {
        gauge += step;
        sum += __atomic_load_n(gauge, __ATOMIC_SEQ_CST);
    }
    return sum;
}

uint32_t
weir_places_sum(const weir_places_t *places, const weir_place_t *place)
{
    return places_sum(places, place->hold.cell);
}

const void *
weir_places_look(const weir_places_t *places, weir_str_t name, uint32_t *sum)
{
    uint32_t cell;

    if (!weir_holds_where(&places->holds, name, &cell)) {
        return NULL;
    }
    *sum = places_sum(places, cell);
    return places->records + (size_t) cell * WEIR_PLACES_RECORD;
}

/* Each one says first that it is there and looks at the others then: of those that are admitted the last one to say so
 * has seen all the others.  Two that meet at the last free one both step back, and try again.  One that
 * holds its first name raises `top` before it admits a request: either it is looked at here, or it sees this gauge. */
bool
weir_places_admit(const weir_places_t *places, const weir_place_t *place, uint32_t max)
{
    const uint32_t cell = place->hold.cell, own = *place->gauge;

    for (unsigned round = 0; round < PLACES_ROUNDS && places_sum(places, cell) < max; round++) {
        __atomic_store_n(place->gauge, own + 1, __ATOMIC_SEQ_CST);
        if (places_sum(places, cell) <= max) {
            return true;
        }
        __atomic_store_n(place->gauge, own, __ATOMIC_SEQ_CST);
    }
    return false;
}

/* -- the dead -- */

void
weir_places_fold(void *memory, uint64_t size, uint32_t slot)
{
    weir_places_t places;

    if (slot >= WEIR_SLOTS || !weir_places_open(memory, size, &places)
        || slot >= __atomic_load_n(&places.head->top, __ATOMIC_ACQUIRE))
    {
        return;
    }
    for (uint32_t cell = 0; cell < places.holds.n_cells; cell++) {
        if (weir_holds_has(&places.holds, slot, cell)) {
            __atomic_store_n(places_gauge(&places, slot, cell), 0, __ATOMIC_RELEASE);
        }
    }
    weir_holds_fold(memory, places_holds_part(size), slot);
}

void
weir_places_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    uint64_t holds = places_holds_part(size);

    if (holds != 0) {
        weir_holds_describe(memory, holds, out);
    }
}

void
weir_places_each(const void *memory, uint64_t size, void (*each)(void *data, const void *record), void *data)
{
    uint64_t    holds = places_holds_part(size);
    uint32_t    cells = holds != 0 ? weir_holds_cells(holds) : 0;
    const char *records = (const char *) memory + holds + sizeof(places_head_t);

    for (uint32_t cell = 0; cell < cells; cell++) {
        const void *record = records + (size_t) cell * WEIR_PLACES_RECORD;
        uint64_t    name = __atomic_load_n((const uint64_t *) record, __ATOMIC_ACQUIRE);

        if (name != 0 && weir_holds_is_held(memory, holds, cell, name)) {
            each(data, record);
        }
    }
}
