/*
 * state.c - see state.h.  Each running group holds the zone, so that it may outlive the configurations that named it.
 */
#include "upstream/state.h"

#include "base/buf.h"
#include "log/log.h"
#include "shm/stats.h"
#include "upstream/lists.h"
#include "upstream/breakers.h"
#include "upstream/running.h"

#define STATES_CHUNK   512
#define STATES_PART_NAME 40                  /* bytes of the name of a part, at most … */
#define STATES_PART    64                    /* … and of what its place is called */
#define STATES_FAILS   44                    /* from this bit on; below, milliseconds of the monotonic clock */
#define STATES_CHECKED (((uint64_t) 1 << STATES_FAILS) - 1)

_Static_assert(WEIR_FAILURES_MAX == (UINT64_C(1) << (64 - STATES_FAILS)) - 1, "they fill the rest of the word");

/* -- failures -- */

static inline uint64_t
states_pack(weir_failures_t failures)
{
    weir_assert(failures.fails <= WEIR_FAILURES_MAX && failures.checked.ms <= STATES_CHECKED);
    return (uint64_t) failures.fails << STATES_FAILS | failures.checked.ms;
}

weir_failures_t
weir_state_failures(const weir_peer_t *peer)
{
    uint64_t word = __atomic_load_n(&peer->state->failures, __ATOMIC_ACQUIRE);

    return (weir_failures_t) { (uint32_t) (word >> STATES_FAILS), { word & STATES_CHECKED } };
}

bool
weir_state_swap_failures(const weir_peer_t *peer, weir_failures_t was, weir_failures_t next)
{
    uint64_t word = states_pack(was);

    return __atomic_compare_exchange_n(&peer->state->failures, &word, states_pack(next), false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

/* -- changes -- */

/* The number, less what does not fit, stands above the cell: an entry of another change is found out. */
static inline uint64_t
states_pack_change(uint64_t number, uint32_t cell)
{
    return (number + 1) << 32 | cell;
}

void
weir_state_changed(const weir_peer_t *peer)
{
    weir_group_state_t *state = peer->group->state;
    uint64_t            number = __atomic_fetch_add(&state->changes, 1, __ATOMIC_ACQ_REL);

    __atomic_store_n(&state->changed[number % WEIR_CHANGES_KEPT],
                     states_pack_change(number, peer->is_shared ? peer->place.hold.cell : UINT32_MAX),
                     __ATOMIC_RELEASE);
}

bool
weir_state_change(const weir_group_state_t *state, uint64_t number, uint32_t *cell)
{
    uint64_t word = __atomic_load_n(&state->changed[number % WEIR_CHANGES_KEPT], __ATOMIC_ACQUIRE);

    *cell = (uint32_t) word;
    return word == states_pack_change(number, *cell);
}

/* -- requests under way -- */

uint32_t
weir_state_in_use(const weir_peer_t *peer)
{
    return peer->is_shared ? weir_places_sum(&peer->group->places, &peer->place) : *peer->place.gauge;
}

uint32_t
weir_state_group_in_use(const weir_group_t *group)
{
    return group->is_shared ? weir_places_sum(&group->places, &group->place) : *group->place.gauge;
}

static bool
states_enter_peer(weir_peer_t *peer)
{
    uint32_t *own = peer->place.gauge;

    if (peer->is_shared && peer->conf->max_conns != 0) {
        return weir_places_admit(&peer->group->places, &peer->place, peer->conf->max_conns);
    }
    if (peer->conf->max_conns != 0 && *own >= peer->conf->max_conns) {
        return false;
    }
    __atomic_store_n(own, *own + 1, __ATOMIC_RELAXED);
    return true;
}

bool
weir_state_enter(weir_peer_t *peer)
{
    uint32_t *all = peer->group->place.gauge;

    if (!states_enter_peer(peer)) {
        return false;
    }
    __atomic_store_n(all, *all + 1, __ATOMIC_RELAXED);
    return true;
}

void
weir_state_leave(weir_peer_t *peer)
{
    uint32_t *own = peer->place.gauge, *all = peer->group->place.gauge;

    weir_assert(*own > 0 && *all > 0);
    __atomic_store_n(own, *own - 1, __ATOMIC_RELEASE);
    __atomic_store_n(all, *all - 1, __ATOMIC_RELEASE);
}

/* -- the zone -- */

static void
states_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    weir_places_describe(memory, size, out);
    weir_breakers_describe(memory, size, out);
}

static const weir_zone_kind_t states_kind = { .name = "upstreams", .layout = 1, .fold = weir_places_fold,
                                              .describe = states_describe };

const weir_zone_kind_t *const weir_states_kinds[] = { &states_kind, &weir_lists_kind, NULL };

/* A reference to the zone for so many names, and the view of it.  NULL with *error. */
static weir_zone_t *
states_open(uint64_t names, weir_places_t *places, weir_error_t *error)
{
    weir_zone_id_t id = { .kind = &states_kind, .name = WEIR_STR(""), .size = weir_places_bytes(names) };
    weir_zone_t   *zone = weir_zone_take(&id, error);

    if (zone != NULL && !weir_places_open(weir_zone_memory(zone), weir_zone_size(zone), places)) {
        weir_zone_give_back(zone);
        zone = NULL;
        (void) weir_error_set(error, "the shared memory of upstreams holds something else");
    }
    return zone;
}

static void
states_give_back(void *zone)
{
    weir_zone_give_back(zone);
}

bool
weir_states_take(weir_conf_t *cf, uint64_t names)
{
    weir_error_t  error = { .text = "" };
    weir_places_t places;
    weir_zone_t  *zone = states_open(names, &places, &error);

    if (zone == NULL) {
        return weir_conf_error(cf, 0, "%s", error.text);
    }
    weir_arena_on_cleanup(cf->arena, states_give_back, zone);
    return true;
}

/* -- for statistics -- */

static struct {
    weir_zone_t  *zone;                      /* NULL: there is none */
    weir_places_t places;
} states_used;

void
weir_states_use(uint64_t names)
{
    weir_error_t error = { .text = "" };
    weir_zone_t *before = states_used.zone;

    states_used.zone = names != 0 ? states_open(names, &states_used.places, &error) : NULL;
    if (before != NULL) {
        weir_zone_give_back(before);
    }
}

bool
weir_state_look(weir_str_t name, weir_peer_look_t *seen)
{
    const weir_peer_state_t *state = NULL;

    *seen = (weir_peer_look_t) { .is_marked = false };
    if (states_used.zone != NULL) {
        state = weir_places_look(&states_used.places, name, &seen->in_use);
    }
    if (state == NULL) {
        return false;
    }
    seen->barred = __atomic_load_n(&state->barred, __ATOMIC_RELAXED);
    seen->fails = (uint32_t) (__atomic_load_n(&state->failures, __ATOMIC_RELAXED) >> STATES_FAILS);
    seen->is_marked = seen->barred != 0 || __atomic_load_n(&state->is_marked, __ATOMIC_RELAXED) != 0;
    return true;
}

const char *const weir_barred_words[WEIR_BARRED_REASONS] = {
    "check", "unproven", "ejected", "drained", "down", "drain",
};

/* -- a group -- */

/* GROUP, or GROUP and its peer's address as statistics name it; two peers of one address are told apart by `twin`. */
static bool
states_take_peer(weir_peer_t *peer, uint32_t twin)
{
    const weir_str_t group = peer->group->conf.name, text = peer->conf->text;
    weir_arena_t     scratch;
    weir_str_t       name;
    bool             taken;

    weir_arena_init(&scratch, STATES_CHUNK);
    if (twin != 0) {
        name = weir_str_printf(&scratch, "%.*s%c%.*s%c%u", WEIR_STR_ARG(group), WEIR_STATS_SEPARATOR,
                               WEIR_STR_ARG(text), WEIR_STATS_SEPARATOR, (unsigned) twin);
    } else {
        name = weir_str_printf(&scratch, "%.*s%c%.*s", WEIR_STR_ARG(group), WEIR_STATS_SEPARATOR, WEIR_STR_ARG(text));
    }
    taken = weir_places_take(&peer->group->places, name, &peer->place);
    weir_arena_fini(&scratch);
    return taken;
}

/* Once a group. */
static void
states_tell_too_small(weir_group_t *group)
{
    if (group->zone != NULL && !group->has_told_too_small) {
        group->has_told_too_small = true;
        weir_log(WEIR_LOG_WARN, NULL, 0, "upstream_states is too small: each worker judges peers of upstream \"%.*s\" "
                 "for itself", WEIR_STR_ARG(group->conf.name));
    }
}

void
weir_state_begin_peer(weir_peer_t *peer, uint32_t twin)
{
    weir_assert(peer->state == NULL && peer->group->state != NULL);
    peer->is_shared = peer->group->is_shared && states_take_peer(peer, twin);
    if (peer->is_shared) {
        peer->state = peer->place.record;
        return;
    }
    peer->state = weir_new(&peer->arena, weir_peer_state_t);
    peer->place.gauge = weir_new(&peer->arena, uint32_t);
    states_tell_too_small(peer->group);
}

void
weir_states_begin(weir_group_t *group)
{
    weir_error_t error = { .text = "" };

    weir_assert(group->state == NULL);
    if (group->conf.states != 0 && weir_slot_mine.number != WEIR_SLOT_NONE) {
        group->zone = states_open(group->conf.states, &group->places, &error);
    }
    group->is_shared = group->zone != NULL
                       && weir_places_take(&group->places, group->conf.name, &group->place);
    if (!group->is_shared) {
        group->place.gauge = weir_new(&group->arena, uint32_t);
    }
    group->state = group->is_shared ? group->place.record : weir_new(&group->arena, weir_group_state_t);
    if (!group->is_shared) {
        states_tell_too_small(group);
    }
}

/* -- parts -- */

/* By the name of what it is a part of, and its own. */
static bool
states_take_part(weir_group_t *group, const weir_peer_t *peer, const char *name, weir_place_t *place)
{
    const weir_place_t *whole = peer != NULL ? &peer->place : &group->place;
    char                text[STATES_PART];
    weir_buf_t          b;

    weir_buf_init(&b, text, sizeof(text));
    weir_buf_printf(&b, "%c%s%c%016llx", WEIR_STATS_SEPARATOR, name, WEIR_STATS_SEPARATOR,
                    (unsigned long long) whole->hold.name);
    return weir_places_take(&group->places, weir_buf_str(&b), place);
}

weir_state_part_t *
weir_state_part(weir_group_t *group, weir_peer_t *peer, const char *name)
{
    weir_arena_t      *arena = peer != NULL ? &peer->arena : &group->arena;
    weir_state_part_t *part = weir_new(arena, weir_state_part_t);

    weir_assert(peer == NULL || peer->group == group);
    weir_assert(strlen(name) <= STATES_PART_NAME);
    part->group = group;
    part->is_shared = (peer != NULL ? peer->is_shared : group->is_shared)
                      && states_take_part(group, peer, name, &part->place);
    if (!part->is_shared) {
        part->place.record = weir_new_n(arena, uint64_t, WEIR_PLACES_RECORD / 8);
        part->place.gauge = weir_new(arena, uint32_t);
    }
    weir_list_push(peer != NULL ? &peer->parts : &group->parts, &part->link);
    return part;
}

void
weir_state_part_drop(weir_state_part_t *part)
{
    weir_list_remove(&part->link);
    if (part->is_shared && weir_slot_mine.number != WEIR_SLOT_NONE) {
        weir_places_drop(&part->group->places, &part->place);
    }
}

uint32_t
weir_state_part_sum(const weir_state_part_t *part)
{
    return part->is_shared ? weir_places_sum(&part->group->places, &part->place) : *part->place.gauge;
}

bool
weir_state_part_admit(weir_state_part_t *part, uint32_t max)
{
    uint32_t *own = part->place.gauge;

    if (part->is_shared) {
        return weir_places_admit(&part->group->places, &part->place, max);
    }
    if (*own >= max) {
        return false;
    }
    ++*own;
    return true;
}

void
weir_state_part_count(weir_state_part_t *part)
{
    (void) __atomic_fetch_add((uint64_t *) part->place.record + 1, 1, __ATOMIC_RELAXED);
}

uint64_t
weir_state_part_counted(const weir_state_part_t *part)
{
    return __atomic_load_n((const uint64_t *) part->place.record + 1, __ATOMIC_RELAXED);
}

void
weir_state_part_leave(weir_state_part_t *part)
{
    uint32_t *own = part->place.gauge;

    weir_assert(*own > 0);
    __atomic_store_n(own, *own - 1, __ATOMIC_RELEASE);
}

static void
states_drop_parts(weir_list_t *parts)
{
    while (!weir_list_empty(parts)) {
        weir_state_part_drop(weir_list_entry(parts->next, weir_state_part_t, link));
    }
}

/* A process that has no slot any more ends: what it held has gone with the slot. */
void
weir_state_end_peer(weir_peer_t *peer)
{
    states_drop_parts(&peer->parts);
    if (peer->is_shared && weir_slot_mine.number != WEIR_SLOT_NONE) {
        weir_places_drop(&peer->group->places, &peer->place);
    }
    weir_assert(peer->is_shared || *peer->place.gauge == 0);     /* a request on it would hold it */
}

void
weir_states_end(weir_group_t *group)
{
    states_drop_parts(&group->parts);
    if (group->is_shared && weir_slot_mine.number != WEIR_SLOT_NONE) {
        weir_places_drop(&group->places, &group->place);
    }
    if (group->zone != NULL) {
        weir_zone_give_back(group->zone);
        group->zone = NULL;
    }
}
