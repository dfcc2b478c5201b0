/*
 * recent.c - see recent.h.
 */
#include "store/recent.h"

#include "store/record.h"

#define RECENT_PLACES 512                    /* a power of two */

typedef struct {
    size_t             transaction;          /* 0: empty */
    size_t             size;                 /* of the record; what is kept of it is less or the same */
    weir_store_found_t found;
    uint8_t            table, name_len;
    uint8_t            room;
    char               name[WEIR_STORE_NAME];
    char               record[WEIR_STORE_RECENT_RECORD];
} recent_t;

static recent_t recent_places[RECENT_PLACES];

/* The ends of a name tell most names apart, and those of a digest are as good as any. */
static recent_t *
recent_place(const weir_store_recent_t *which)
{
    size_t   n = weir_min(which->name.len, 8);
    uint64_t first = 0, last = 0, mixed;

    memcpy(&first, which->name.at, n);
    memcpy(&last, which->name.at + which->name.len - n, n);
    mixed = (first ^ (last << 23 | last >> 41) ^ which->name.len) * UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= mixed >> 32;
    return &recent_places[(mixed + which->table * UINT64_C(0x61)) & (RECENT_PLACES - 1)];
}

static bool
recent_is(const recent_t *at, const weir_store_recent_t *which)
{
    return at->transaction == which->transaction && at->table == (uint8_t) which->table
           && at->name_len == which->name.len && memcmp(at->name, which->name.at, which->name.len) == 0;
}

bool
weir_store_recent_find(const weir_store_recent_t *which, void *record, size_t room, size_t *size,
                       weir_store_found_t *found)
{
    const recent_t *at;

    if (which->name.len == 0 || which->name.len > WEIR_STORE_NAME || which->transaction == 0) {
        return false;
    }
    at = recent_place(which);
    if (!recent_is(at, which) || at->room != room) {
        return false;
    }
    *found = at->found;
    *size = at->size;
    memcpy(record, at->record, weir_min(at->size, room));
    return true;
}

/* What is asked for by names that the store itself has; by what clients send only what is there. */
static bool
recent_is_kept(weir_store_table_t table, weir_store_found_t found)
{
    switch (table) {
    case WEIR_STORE_CONSUMERS:
    case WEIR_STORE_KEYS:
    case WEIR_STORE_IDENTITIES:
    case WEIR_STORE_PLANS:
        return found == WEIR_STORE_FOUND;
    case WEIR_STORE_RATES:
        return found != WEIR_STORE_BROKEN;
    default:
        return false;
    }
}

void
weir_store_recent_keep(const weir_store_recent_t *which, const void *record, size_t room, size_t size,
                       weir_store_found_t found)
{
    recent_t *at;

    if (!recent_is_kept(which->table, found) || which->name.len == 0 || which->name.len > WEIR_STORE_NAME
        || room > WEIR_STORE_RECENT_RECORD || which->transaction == 0)
    {
        return;
    }
    at = recent_place(which);
    at->transaction = which->transaction;
    at->table = (uint8_t) which->table;
    at->name_len = (uint8_t) which->name.len;
    at->room = (uint8_t) room;
    at->found = found;
    at->size = found == WEIR_STORE_FOUND ? size : 0;
    memcpy(at->name, which->name.at, which->name.len);
    memcpy(at->record, record, weir_min(at->size, room));
}

void
weir_store_recent_forget(void)
{
    for (size_t i = 0; i < RECENT_PLACES; i++) {
        recent_places[i].transaction = 0;
    }
}
