/*
 * lists.c - see lists.h.  Runs in workers; allocates a packed list for the time of a call.
 *
 * A list stays for a while after the last word of the worker that asks, so that one that no configuration names any
 * more goes.
 */
#include "upstream/lists.h"

#include "base/mem.h"
#include "event/wake.h"
#include "log/log.h"
#include "os/clock.h"
#include "shm/slots.h"

#include <string.h>

#define LISTS_ROOM     ((uint64_t) 32 << 20)     /* of which only what is used is touched */
#define LISTS_LEASE_MS 30000
#define LISTS_KEPT_MS  600000

typedef struct { uint32_t slot; int32_t pid; } lists_lease_t;

const weir_zone_kind_t weir_lists_kind = { .name = "upstream-lists", .layout = 1, .fold = weir_entries_fold,
                                           .describe = weir_entries_describe };

static void
lists_give_back(void *zone)
{
    weir_zone_give_back(zone);
}

const weir_entries_t *
weir_lists_take(weir_conf_t *cf)
{
    weir_zone_id_t  id = { .kind = &weir_lists_kind, .name = WEIR_STR(""), .size = weir_entries_bytes(LISTS_ROOM) };
    weir_error_t    error = { .text = "" };
    weir_entries_t *entries = weir_new(cf->arena, weir_entries_t);
    weir_zone_t    *zone = weir_zone_take(&id, &error);

    if (zone == NULL) {
        (void) weir_error_set(cf->error, "%s", error.text);
        return NULL;
    }
    weir_arena_on_cleanup(cf->arena, lists_give_back, zone);
    if (!weir_entries_open(entries, WEIR_STR("upstream-lists"), weir_zone_memory(zone), weir_zone_size(zone))) {
        (void) weir_error_set(cf->error, "the shared memory of lists of servers holds something else");
        return NULL;
    }
    return entries;
}

/* "k": the list, "l": the lease; in the room given. */
static weir_str_t
lists_key(const weir_lists_place_t *place, char what, char room[WEIR_LISTS_NAME])
{
    weir_assert(place->name.len < WEIR_LISTS_NAME);
    room[0] = what;
    memcpy(room + 1, place->name.at, place->name.len);
    return weir_str(room, place->name.len + 1);
}

/* -- the list -- */

static bool
lists_take(const weir_entry_t *entry, weir_source_list_t *list)
{
    char *bytes = weir_mem_try((size_t) entry->size + 1);
    bool taken = bytes != NULL && weir_entry_copy(entry, bytes)
                 && weir_source_unpack(weir_str(bytes, (size_t) entry->size), list);

    weir_mem_free(bytes);
    return taken;
}

typedef struct { weir_source_list_t *list; bool is_taken; } lists_look_t;

static void
lists_look(void *data, const weir_entry_t *entry)
{
    lists_look_t *look = data;

    look->is_taken = lists_take(entry, look->list);
}

/* The master has no slot. */
static bool
lists_read_without_slot(const weir_lists_place_t *place, weir_str_t key, weir_source_list_t *list)
{
    lists_look_t look = { .list = list };

    return weir_entries_look(place->entries, key, weir_clock_now(), lists_look, &look) == WEIR_ENTRIES_DONE
           && look.is_taken;
}

bool
weir_lists_read(weir_lists_place_t *place, weir_source_list_t *list)
{
    char         room[WEIR_LISTS_NAME];
    weir_entry_t entry;
    bool         is_new = false;

    *list = (weir_source_list_t) { NULL, 0 };
    if (place->entries != NULL && weir_slot_mine.number == WEIR_SLOT_NONE) {
        return lists_read_without_slot(place, lists_key(place, 'k', room), list);
    }
    if (place->entries == NULL
        || weir_entries_get(place->entries, lists_key(place, 'k', room), weir_clock_now(), &entry) != WEIR_ENTRIES_DONE)
    {
        return false;
    }
    if (entry.serial != place->serial) {
        is_new = lists_take(&entry, list);
        place->serial = entry.serial;
    }
    weir_entry_release(&entry);
    return is_new;
}

void
weir_lists_put(weir_lists_place_t *place, const weir_source_peer_t *peers, size_t n)
{
    char           room[WEIR_LISTS_NAME], *bytes;
    weir_instant_t now = weir_clock_now();
    size_t         size = weir_source_pack(peers, n, NULL);

    if (place->entries == NULL) {
        return;
    }
    bytes = weir_mem_try(size + 1);
    if (bytes == NULL) {
        return;                              /* the others learn of it with the next change */
    }
    (void) weir_source_pack(peers, n, bytes);
    if (weir_entries_put(place->entries, lists_key(place, 'k', room), weir_str(bytes, size), now,
                         (weir_instant_t) { now.ms + LISTS_KEPT_MS }, WEIR_ENTRIES_ANY, &place->serial)
        == WEIR_ENTRIES_DONE)
    {
        weir_wake_post_all(WEIR_WAKE_ENTRY, WEIR_LISTS_RING);
    } else {
        weir_log(WEIR_LOG_WARN, NULL, 0, "a list of %zu servers of upstream %.*s finds no room in shared memory: other "
                 "workers do not learn of it now", n, WEIR_STR_ARG(place->name));
    }
    weir_mem_free(bytes);
}

/* -- which worker asks -- */

/* The lease of a dead worker is none: it is dropped. */
static void
lists_drop_dead(weir_lists_place_t *place, weir_str_t key)
{
    lists_lease_t lease = { .slot = WEIR_SLOT_NONE };
    weir_entry_t  entry;

    if (weir_entries_get(place->entries, key, weir_clock_now(), &entry) != WEIR_ENTRIES_DONE) {
        return;
    }
    if (entry.size == sizeof(lease) && weir_entry_copy(&entry, (char *) &lease) && lease.slot < WEIR_SLOTS
        && weir_slots_owner(lease.slot) != lease.pid)
    {
        (void) !weir_entries_drop(place->entries, key, entry.serial);
    } else if (lease.slot == weir_slot_mine.number && lease.pid == weir_slot_mine.pid) {
        place->lease = entry.serial;         /* of the generation before */
    }
    weir_entry_release(&entry);
}

bool
weir_lists_lease(weir_lists_place_t *place)
{
    char           room[WEIR_LISTS_NAME];
    weir_instant_t now = weir_clock_now(), until = { now.ms + LISTS_LEASE_MS };
    lists_lease_t  lease = { weir_slot_mine.number, weir_slot_mine.pid };
    weir_str_t     key;

    if (place->entries == NULL || lease.slot == WEIR_SLOT_NONE) {
        return true;
    }
    key = lists_key(place, 'l', room);
    if (place->lease == 0) {
        lists_drop_dead(place, key);
    }
    if (place->lease != 0
        && weir_entries_extend(place->entries, key, now, until, place->lease) != WEIR_ENTRIES_DONE)
    {
        place->lease = 0;
    }
    if (place->lease == 0) {
        weir_entries_result_t result = weir_entries_put(place->entries, key, weir_str((char *) &lease, sizeof(lease)),
                                                        now, until, WEIR_ENTRIES_ABSENT, &place->lease);

        if (result != WEIR_ENTRIES_DONE) {
            place->lease = 0;
            return result != WEIR_ENTRIES_OTHER;     /* no room: each asks for itself */
        }
    }
    if (place->serial != 0) {
        (void) !weir_entries_extend(place->entries, lists_key(place, 'k', room), now,
                                    (weir_instant_t) { now.ms + LISTS_KEPT_MS }, place->serial);
    }
    return true;
}

void
weir_lists_let_go(weir_lists_place_t *place)
{
    char room[WEIR_LISTS_NAME];

    if (place->lease != 0) {
        (void) !weir_entries_drop(place->entries, lists_key(place, 'l', room), place->lease);
        place->lease = 0;
        weir_wake_post_all(WEIR_WAKE_ENTRY, WEIR_LISTS_RING);
    }
}
