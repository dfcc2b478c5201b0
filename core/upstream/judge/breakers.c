/*
 * breakers.c - see breakers.h.
 */
#include "upstream/breakers.h"

#include "upstream/running.h"

#include <string.h>

#define BREAKERS_TAG UINT64_C(0x72656b6165726277)

_Static_assert(sizeof(weir_breakers_told_t) == WEIR_PLACES_RECORD, "it is a record");
_Static_assert(sizeof(weir_breaker_t) + 2 * sizeof(uint64_t) <= WEIR_PLACES_RECORD, "it fits behind the name");

const char *const weir_breakers_states[] = { "closed", "open", "half_open", NULL };

/* Behind the name of the place, at the next address that a cell may have. */
static weir_breaker_t *
breakers_in(void *record)
{
    return (weir_breaker_t *) (void *) ((uint64_t *) record + 2);
}

void
weir_breakers_begin(weir_breakers_t *breakers, weir_group_t *group)
{
    weir_str_t            name = weir_group_conf(group)->name;
    weir_breakers_told_t *told;

    breakers->parts[0] = weir_state_part(group, NULL, "circuit_breaker");
    breakers->parts[1] = weir_state_part(group, NULL, "circuit_breaker.told");
    breakers->breaker = breakers_in(breakers->parts[0]->place.record);
    breakers->told = told = breakers->parts[1]->place.record;
    weir_assert((uintptr_t) breakers->breaker % _Alignof(weir_breaker_t) == 0);

    /* Each worker writes the same. */
    memcpy(told->text, name.at, weir_min(name.len, (size_t) WEIR_BREAKERS_TEXT));
    told->breaker = breakers->parts[0]->place.hold.name;
    __atomic_store_n(&told->tag, BREAKERS_TAG, __ATOMIC_RELEASE);
}

/* -- looking -- */

typedef struct {
    const void *memory;
    uint64_t    size;
    uint64_t    name;                        /* the record that is looked for, and where it is; NULL: nowhere */
    const void *record;
    weir_buf_t *out;
} breakers_look_t;

static void
breakers_find(void *data, const void *record)
{
    breakers_look_t *look = data;

    if (*(const uint64_t *) record == look->name) {
        look->record = record;
    }
}

static void
breakers_describe_one(void *data, const void *record)
{
    breakers_look_t            *look = data;
    const weir_breakers_told_t *told = record;
    weir_buf_t                 *out = look->out;
    char                       *before = out->pos;
    weir_breaker_look_t         seen;

    if (__atomic_load_n(&told->tag, __ATOMIC_ACQUIRE) != BREAKERS_TAG) {
        return;
    }
    look->name = told->breaker;
    look->record = NULL;
    weir_places_each(look->memory, look->size, breakers_find, look);
    if (look->record == NULL) {
        return;
    }
    seen = weir_breaker_look((const weir_breaker_t *) (const void *) ((const uint64_t *) look->record + 2));
    if (seen.state > WEIR_BREAKER_HALF_OPEN) {
        return;
    }
    weir_buf_printf(out, " breaker:%.*s=%s", (int) strnlen(told->text, WEIR_BREAKERS_TEXT), told->text,
                    weir_breakers_states[seen.state]);
    if (out->full) {
        out->pos = before;
        out->full = false;
    }
}

void
weir_breakers_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    breakers_look_t look = { .memory = memory, .size = size, .out = out };

    weir_places_each(memory, size, breakers_describe_one, &look);
}
