/*
 * group.c - the running groups of a worker: one for each configuration of a name, found again by its digest.
 *
 * Runs in workers, on the loop's thread.  A group is one heap object and an arena with a copy of its configuration, so
 * that it does not hold on to the generation that it came from.
 */
#include "base/mem.h"
#include "os/clock.h"
#include "os/sys.h"
#include "shm/stats.h"
#include "upstream/changes.h"
#include "upstream/locality.h"
#include "upstream/running.h"

#define GROUPS_BUCKETS    1024       /* a power of two */
#define GROUP_FEW         32         /* peers that are looked at all together */
#define GROUP_ARENA_CHUNK 512
#define GROUP_ZONES       63         /* bits of weir_pick_t.failed_zones, but for 0 */

struct weir_groups {
    weir_loop_t *loop;
    weir_list_t  buckets[GROUPS_BUCKETS];     /* by name; newest first */
    struct weir_resolver_link *resolvers;
    weir_list_t  unsettled;                   /* groups whose sets lack a change */
    uint64_t     change;                      /* the last one that was taken up */
    void       (*on_settled)(void *data);
    void        *data;
    weir_list_t  follows;                     /* weir_follow_t, newest first */
    uint64_t     seed;                        /* a resolver's names may come from clients */
};

weir_groups_t *
weir_groups_create(weir_loop_t *loop)
{
    weir_groups_t *groups = weir_mem_need(sizeof(*groups));

    groups->loop = loop;
    weir_list_init(&groups->unsettled);
    groups->change = weir_changes_number();
    groups->seed = weir_random_seed(groups);
    weir_list_init(&groups->follows);
    for (size_t i = 0; i < GROUPS_BUCKETS; i++) {
        weir_list_init(&groups->buckets[i]);
    }
    return groups;
}

void
weir_groups_destroy(weir_groups_t *groups)
{
    if (groups == NULL) {
        return;
    }
    for (size_t i = 0; i < GROUPS_BUCKETS; i++) {
        while (!weir_list_empty(&groups->buckets[i])) {
            weir_group_t *group = weir_list_entry(groups->buckets[i].next, weir_group_t, link);

            weir_list_remove(&group->link);
            weir_list_remove(&group->unsettled);     /* its sets are not needed any more */
            group->groups = NULL;
            weir_upconn_close_idle(group);
        }
    }
    weir_resolvers_free(groups->resolvers);
    weir_mem_free(groups);
}

struct weir_resolver_link **
weir_groups_resolvers(weir_groups_t *groups)
{
    return &groups->resolvers;
}

weir_list_t *
weir_groups_follows(weir_groups_t *groups)
{
    return &groups->follows;
}

weir_loop_t *
weir_groups_loop(weir_groups_t *groups)
{
    return groups->loop;
}

static weir_list_t *
groups_bucket(weir_groups_t *groups, weir_str_t name)
{
    return &groups->buckets[weir_str_hash(name, groups->seed) & (GROUPS_BUCKETS - 1)];
}

/* The newest group of a name; with a digest other than 0, of that digest. */
static weir_group_t *
groups_find(weir_groups_t *groups, weir_str_t name, uint64_t digest)
{
    weir_list_t *bucket = groups_bucket(groups, name);

    for (weir_list_t *at = bucket->next; at != bucket; at = at->next) {
        weir_group_t *group = weir_list_entry(at, weir_group_t, link);

        if (weir_str_eq(group->conf.name, name) && (digest == 0 || group->conf.digest == digest)) {
            return group;
        }
    }
    return NULL;
}

bool
weir_group_is_replaced(const weir_group_t *group)
{
    return group->groups != NULL && weir_list_linked(&group->link)
           && groups_find(group->groups, group->conf.name, 0) != group;
}

/* -- changes at run time -- */

void
weir_groups_on_settled(weir_groups_t *groups, void (*on_settled)(void *data), void *data)
{
    groups->on_settled = on_settled;
    groups->data = data;
}

uint64_t
weir_groups_settled(const weir_groups_t *groups)
{
    uint64_t settled = groups->change;

    for (const weir_list_t *at = groups->unsettled.next; at != &groups->unsettled; at = at->next) {
        settled = weir_min(settled, weir_list_entry(at, const weir_group_t, unsettled)->unsettled_from - 1);
    }
    return settled;
}

void
weir_group_unsettled(weir_group_t *group)
{
    if (group->groups != NULL && !weir_list_linked(&group->unsettled)) {
        group->unsettled_from = group->groups->change + 1;
        weir_list_append(&group->groups->unsettled, &group->unsettled);
    } else if (group->groups != NULL && group->plan != NULL && group->lacks_from == 0) {
        group->lacks_from = group->groups->change + 1;
    }
}

void
weir_group_settled(weir_group_t *group)
{
    if (!weir_list_linked(&group->unsettled)) {
        return;
    }
    if (group->lacks_from != 0) {
        group->unsettled_from = group->lacks_from;
        group->lacks_from = 0;
    } else {
        weir_list_remove(&group->unsettled);
    }
    if (group->groups != NULL && group->groups->on_settled != NULL) {
        group->groups->on_settled(group->groups->data);
    }
}

static void
groups_change(weir_groups_t *groups, const weir_change_t *change)
{
    weir_list_t *bucket = groups_bucket(groups, change->group);

    for (weir_list_t *at = bucket->next; at != bucket; at = at->next) {
        weir_group_t *group = weir_list_entry(at, weir_group_t, link);

        if (group->conf.may_change && weir_str_eq(group->conf.name, change->group)) {
            weir_members_changed(group, change->peer.text);
        }
    }
}

bool
weir_groups_change(weir_groups_t *groups, uint64_t number, weir_str_t line, weir_error_t *error)
{
    json_t       *command = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, NULL);
    weir_change_t change;
    bool          good = command != NULL || weir_error_set(error, "a change is no JSON");

    good = good && weir_change_read(&change, command, error)
           && (weir_changes_put(number, &change) || weir_error_set(error, "there are too many changes"));
    if (good) {
        groups_change(groups, &change);
    }
    groups->change = number;
    json_decref(command);
    return good;
}

/* -- localities -- */

uint8_t
weir_group_distance(const weir_group_t *group, weir_str_t locality)
{
    weir_locality_settings_t settings = { .own = group->conf.own };

    settings.zones.at = (weir_caller_zone_t *) (uintptr_t) group->conf.zones;
    settings.zones.n = group->conf.n_zones;
    return weir_locality_place(&settings, locality);
}

/* -- one group -- */

static void
group_copy_zones(weir_group_t *group, const weir_group_conf_t *conf)
{
    weir_caller_zone_t *zones = weir_new_n(&group->arena, weir_caller_zone_t, conf->n_zones);

    for (size_t i = 0; i < conf->n_zones; i++) {
        zones[i] = conf->zones[i];
        zones[i].locality = weir_str_dup(&group->arena, zones[i].locality);
    }
    group->conf.zones = zones;
}

static void
group_copy_conf(weir_group_t *group, const weir_group_conf_t *conf)
{
    weir_arena_t *arena = &group->arena;

    group->conf = *conf;
    group->conf.id.number = 0;                         /* another generation may give it another one */
    group->conf.key = NULL;
    group->conf.sticky = NULL;
    group->conf.fallback.number = 0;
    group->conf.fallback_location = WEIR_STR_NONE;
    group->conf.name = weir_str_dup(arena, conf->name);
    group->conf.host_header = weir_str_dup(arena, conf->host_header);
    group->conf.own = weir_str_dup(arena, conf->own);
    group->conf.state = WEIR_STR_NONE;
    group_copy_zones(group, conf);
    group->conf.peers = NULL;
    group->conf.n_peers = 0;
    for (size_t i = 0; i < conf->n_policies; i++) {
        group->conf.policies[i].settings = weir_str_dup(arena, conf->policies[i].settings);
    }
}

/* The number of a locality, for pick.c: those that come when there are no more numbers share them. */
uint8_t
weir_group_zone(weir_group_t *group, weir_str_t locality)
{
    size_t i = 0;

    if (locality.len == 0) {
        return 0;
    }
    if (group->zones == NULL) {
        group->zones = weir_new_n(&group->arena, weir_str_t, GROUP_ZONES);
    }
    while (i < group->n_zones && !weir_str_eq(group->zones[i], locality)) {
        i++;
    }
    if (i == GROUP_ZONES) {
        return (uint8_t) (1 + weir_str_hash(locality, 0) % GROUP_ZONES);
    }
    if (i == group->n_zones) {
        group->zones[group->n_zones++] = weir_str_dup(&group->arena, locality);
    }
    return (uint8_t) (i + 1);
}

static weir_group_t *
group_create(weir_groups_t *groups, const weir_group_conf_t *conf)
{
    weir_group_t *group = weir_mem_need(sizeof(*group));

    weir_assert(conf->balancer != NULL);
    group->groups = groups;
    group->loop = groups->loop;
    weir_list_init(&group->idle);
    weir_list_init(&group->parts);
    weir_list_init(&group->rising);
    weir_arena_init(&group->arena, GROUP_ARENA_CHUNK);
    group_copy_conf(group, conf);
    weir_stats_hold(group->conf.stats);      /* it may outlive the configuration that named its row */
    weir_states_begin(group);
    weir_policies_begin(group);
    weir_members_begin(group, conf->peers, conf->n_peers);
    return group;
}

static void
group_destroy(weir_group_t *group)
{
    weir_assert(group->refs == 0);
    weir_upconn_close_idle(group);
    weir_assert(group->n_idle == 0);
    weir_list_remove(&group->link);
    weir_members_end(group);
    weir_policies_end(group);
    weir_stats_let_go(group->conf.stats);
    weir_states_end(group);
    weir_arena_fini(&group->arena);
    weir_mem_free(group);
}

/* Peers by the cells of their places: an open table of indexes of group->peers, and 1; 0 is free. */
static void
group_find_cells(weir_group_t *group)
{
    group->n_cells = 1;
    while (group->n_cells < 2 * group->conf.n_peers) {
        group->n_cells *= 2;
    }
    group->cells = weir_new_n(group->sets_arena, uint32_t, group->n_cells);
    for (size_t i = 0; i < group->conf.n_peers; i++) {
        size_t at = group->peers[i]->place.hold.cell;

        if (!group->peers[i]->is_shared) {
            continue;
        }
        while (group->cells[at & (group->n_cells - 1)] != 0) {
            at++;
        }
        group->cells[at & (group->n_cells - 1)] = (uint32_t) i + 1;
    }
}

/* NULL: there is none in this worker. */
static weir_peer_t *
group_peer_at(weir_group_t *group, uint32_t cell)
{
    if (group->cells == NULL) {
        group_find_cells(group);
    }
    for (size_t at = cell;; at++) {
        uint32_t i = group->cells[at & (group->n_cells - 1)];

        if (i == 0 || group->peers[i - 1]->place.hold.cell == cell) {
            return i != 0 ? group->peers[i - 1] : NULL;
        }
    }
}

void
weir_group_look(weir_group_t *group)
{
    uint64_t changes = __atomic_load_n(&group->state->changes, __ATOMIC_ACQUIRE);
    uint32_t cell;

    if (weir_likely(changes == group->seen)) {
        return;
    }
    while (group->conf.n_peers > GROUP_FEW && changes - group->seen - 1 < WEIR_CHANGES_KEPT
           && weir_state_change(group->state, group->seen, &cell))
    {
        weir_peer_t *peer = group_peer_at(group, cell);

        if (peer != NULL) {
            weir_peer_tell(peer);
        }
        group->seen++;
    }
    for (size_t i = 0; i < group->conf.n_peers && group->seen != changes; i++) {
        weir_peer_tell(group->peers[i]);
    }
    group->seen = changes;
}

/* -- carrying over from the group that had the name before -- */

/* In one shared memory it is all there already; what another peer of that address has there is not `to`'s. */
static bool
group_must_carry_failures(const weir_peer_t *to, const weir_peer_t *from)
{
    return to->state != from->state
        && !(to->is_shared && from->is_shared && to->group->zone == from->group->zone);
}

static void
group_carry_peer(weir_peer_t *to, const weir_peer_t *from)
{
    const weir_balancer_t *balancer = to->group->conf.balancer;

    weir_assert(from->group != to->group);
    if (group_must_carry_failures(to, from)) {
        (void) weir_state_swap_failures(to, weir_state_failures(to), weir_state_failures(from));
        to->state->risen = from->state->risen;
    }
    if (balancer == from->group->conf.balancer && balancer->carry_over != NULL) {
        balancer->carry_over(to, from);
    }
    weir_policies_carry_over(to, from);
    to->is_carried = true;
    weir_peer_tell(to);
}

static void
group_carry_idle(weir_group_t *to, weir_group_t *from)
{
    weir_list_t *at = from->idle.next, *next;

    for (; at != &from->idle && to->n_idle < to->conf.keepalive; at = next) {
        weir_upconn_t *up = weir_list_entry(at, weir_upconn_t, group_link);
        weir_peer_t   *peer = weir_group_find_peer(to, up->peer->conf->text);

        next = at->next;
        if (peer != NULL) {
            weir_upconn_adopt(up, peer);
            weir_assert(to->n_idle <= to->conf.keepalive);
        }
    }
}

static void
group_carry_over(weir_group_t *to, weir_group_t *from)
{
    for (size_t i = 0; i < from->conf.n_peers; i++) {
        weir_peer_t *peer = weir_group_find_peer(to, from->peers[i]->conf->text);

        if (peer != NULL) {
            group_carry_peer(peer, from->peers[i]);
        }
    }
    for (size_t i = 0; i < to->conf.n_peers; i++) {
        if (to->peers[i]->conf->slow_start.ms != 0 && !to->peers[i]->is_carried) {
            weir_slow_start_added(to->peers[i], weir_clock_now());
        }
    }
    group_carry_idle(to, from);
}

/* -- references -- */

/* Nothing but the peers is another. */
static bool
group_may_become(const weir_group_t *group, const weir_group_conf_t *conf)
{
    return conf->settings != 0 && group->conf.settings == conf->settings && group->conf.balancer == conf->balancer;
}

weir_group_t *
weir_group_attach(weir_groups_t *groups, const weir_group_conf_t *conf)
{
    weir_group_t *group = groups_find(groups, conf->name, conf->digest), *before;

    if (group == NULL) {
        before = groups_find(groups, conf->name, 0);
        if (before != NULL && group_may_become(before, conf)) {
            weir_members_renew(before, conf->peers, conf->n_peers);
            weir_settle_most(before);
            before->conf.digest = conf->digest;
            group = before;
        }
    }
    if (group == NULL) {
        group = group_create(groups, conf);
        if (before != NULL) {
            group_carry_over(group, before);
        }
        weir_list_push(groups_bucket(groups, conf->name), &group->link);
    }
    return weir_group_ref(group);
}

weir_peer_t *
weir_group_find_peer(const weir_group_t *group, weir_str_t text)
{
    return weir_members_find(group, text);
}

void
weir_group_renew(weir_group_t *group, const weir_peer_conf_t *peers, size_t n)
{
    weir_members_renew(group, peers, n);
}

weir_group_t *
weir_group_ref(weir_group_t *group)
{
    weir_assert(group->refs < UINT32_MAX);
    group->refs++;
    return group;
}

void
weir_group_unref(weir_group_t *group)
{
    weir_assert(group->refs > 0);
    if (--group->refs == 0) {
        group_destroy(group);
    }
}

const weir_group_conf_t *
weir_group_conf(const weir_group_t *group)
{
    return &group->conf;
}

size_t
weir_group_peers(const weir_group_t *group, weir_peer_t *const **first)
{
    *first = group->peers;
    return group->conf.n_peers;
}

weir_loop_t *
weir_group_loop(const weir_group_t *group)
{
    return group->loop;
}
