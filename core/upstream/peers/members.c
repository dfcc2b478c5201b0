/*
 * members.c - the peers of a running group, which come and go while it runs.
 *
 * A member is an address of the group, as its sources say it (the configuration and what follows it) or as it was added
 * at run time (changes.h), behind the others.  It has a peer, unless that was removed at run time.
 * When the sources say something else, members whose address stays keep their peer, with its connections, its failures
 * and its balancer's state.  A new one gets a peer at once; a peer that has to go is not picked from then on, and is
 * freed when the last request and the last connection that use it have gone.
 *
 * What balancers have is by place in a host set, so that the sets are made anew when anything has changed: settle.c.
 *
 * Runs in workers, on the loop's thread.
 */
#include "base/mem.h"
#include "shm/stats.h"
#include "upstream/changes.h"
#include "upstream/running.h"

#include <string.h>

#define MEMBERS_REST     1024            /* numbers that wait until they are used again: see weir_peer_number */
#define MEMBERS_CHUNK    512
#define MEMBERS_TWINS    32              /* times that an address may stand in a group; looking for one walks them */

struct weir_member {
    weir_list_t      link;               /* group->members, in the order of the sources */
    weir_member_t   *next;               /* of its bucket */
    uint64_t         hash;
    weir_peer_conf_t said;               /* its texts lie behind the member */
    weir_peer_t     *peer;               /* NULL: it was removed at run time */
    uint32_t         twin;               /* among members of the same address */
    bool             is_listed;          /* in the list that is being taken up */
    bool             is_added;           /* at run time; no source says it */
};

/* -- texts that go with what they are of -- */

static size_t
members_texts(const weir_peer_conf_t *conf)
{
    return conf->text.len + conf->server.len + conf->locality.len + conf->route.len;
}

static void
members_copy(weir_peer_conf_t *to, char *texts, const weir_peer_conf_t *conf)
{
    *to = *conf;
    to->text = weir_str_put(&texts, conf->text);
    to->server = weir_str_put(&texts, conf->server);
    to->locality = weir_str_put(&texts, conf->locality);
    to->route = weir_str_put(&texts, conf->route);
}

/* One block of the heap. */
static weir_peer_conf_t *
members_copy_conf(const weir_peer_conf_t *conf)
{
    weir_peer_conf_t *copy = weir_mem_need(sizeof(*copy) + members_texts(conf));

    members_copy(copy, (char *) (copy + 1), conf);
    return copy;
}

/* Of the same address: would a peer of the one be as one of the other? */
static bool
members_conf_eq(const weir_peer_conf_t *a, const weir_peer_conf_t *b)
{
    return weir_str_eq(a->text, b->text) && weir_str_eq(a->server, b->server) && weir_str_eq(a->locality, b->locality)
           && weir_str_eq(a->route, b->route) && a->drain == b->drain
           && a->weight == b->weight && a->max_fails == b->max_fails && a->max_conns == b->max_conns
           && a->fail_timeout.ms == b->fail_timeout.ms && a->slow_start.ms == b->slow_start.ms
           && weir_peer_rank(a) == weir_peer_rank(b) && a->down == b->down;
}

/* -- numbers -- */

/* A request remembers by their numbers which peers it has tried.  So one that was given back rests until many others
 * were. */
static uint32_t
members_take_number(weir_group_t *group)
{
    weir_numbers_t *numbers = &group->numbers;
    uint32_t        number;

    if (numbers->n <= MEMBERS_REST) {
        return group->n_numbers++;
    }
    number = numbers->resting[numbers->first];
    numbers->first = (numbers->first + 1) % numbers->cap;
    numbers->n--;
    return number;
}

static void
members_give_number_back(weir_group_t *group, uint32_t number)
{
    weir_numbers_t *numbers = &group->numbers;

    if (numbers->n == numbers->cap) {
        size_t    cap = numbers->cap * 2 + 64;
        uint32_t *grown = weir_mem_need(cap * sizeof(*grown));

        for (size_t i = 0; i < numbers->n; i++) {
            grown[i] = numbers->resting[(numbers->first + i) % numbers->cap];
        }
        weir_mem_free(numbers->resting);
        *numbers = (weir_numbers_t) { .resting = grown, .n = numbers->n, .cap = cap };
    }
    numbers->resting[(numbers->first + numbers->n++) % numbers->cap] = number;
    weir_assert(number < group->n_numbers && numbers->n <= group->n_numbers);
}

/* -- peers -- */

/* Which row it is counted in, and whether it is one that the configuration has down. */
void
weir_members_hold_row(const weir_peer_conf_t *conf)
{
    weir_stats_hold(conf->stats);
    if (conf->down && conf->stats >= WEIR_STATS_KINDS) {
        weir_stats_mine(conf->stats)->WEIR_GAUGE_DOWN++;
    }
}

void
weir_members_let_row_go(const weir_peer_conf_t *conf)
{
    if (conf->down && conf->stats >= WEIR_STATS_KINDS) {
        weir_stats_mine(conf->stats)->WEIR_GAUGE_DOWN--;
    }
    weir_stats_let_go(conf->stats);
}

static weir_peer_t *
members_create_peer(weir_group_t *group, const weir_peer_conf_t *conf, uint32_t twin)
{
    weir_peer_t *peer = weir_mem_need(sizeof(*peer));

    peer->conf = members_copy_conf(conf);
    peer->group = group;
    peer->number = members_take_number(group);
    peer->zone = weir_group_zone(group, conf->locality);
    peer->refs = 1;                      /* the group's own */
    peer->is_fresh = true;
    weir_list_init(&peer->idle);
    weir_list_init(&peer->shared);
    weir_list_init(&peer->slots);
    weir_list_init(&peer->parts);
    weir_arena_init(&peer->arena, MEMBERS_CHUNK);
    weir_state_begin_peer(peer, twin);
    weir_members_hold_row(peer->conf);
    weir_policies_peer_begin(peer);
    return peer;
}

static void
members_free_conf(const weir_peer_conf_t *conf)
{
    weir_mem_free((void *) (uintptr_t) conf);
}

void
weir_members_end_peer(weir_peer_t *peer)
{
    weir_assert(peer->refs == 0 && peer->is_gone && !peer->is_marked && peer->planned == 0
                && weir_list_empty(&peer->idle) && weir_list_empty(&peer->shared));
    weir_upconn_slots_free(peer);
    weir_policies_peer_end(peer);
    weir_state_end_peer(peer);
    weir_members_let_row_go(peer->conf);
    members_give_number_back(peer->group, peer->number);
    members_free_conf(peer->conf);
    members_free_conf(peer->next_conf);
    members_free_conf(peer->plan_conf);
    members_free_conf(peer->before);
    weir_arena_fini(&peer->arena);
    weir_mem_free(peer);
}

/* It is not picked any more; the sets have it until they are made anew. */
static void
members_dismiss(weir_peer_t *peer)
{
    weir_assert(!peer->is_gone);
    peer->is_gone = true;
    weir_peer_forget(peer);
    weir_upconn_close_idle_of(peer);
}

/* As it is, or will be with the next sets, or those after them. */
static const weir_peer_conf_t *
members_conf(const weir_peer_t *peer)
{
    return peer->next_conf != NULL ? peer->next_conf : weir_peer_planned_conf(peer);
}

/* What balancers go by changes with the sets. */
static void
members_change_peer(weir_peer_t *peer, const weir_peer_conf_t *conf)
{
    members_free_conf(peer->next_conf);
    peer->next_conf = members_conf_eq(weir_peer_planned_conf(peer), conf) ? NULL : members_copy_conf(conf);
    peer->group->has_changed = true;
}

/* At once, if no set has to be made anew for it. */
static void
members_adjust_peer(weir_peer_t *peer, const weir_peer_conf_t *conf)
{
    const weir_peer_conf_t *copy = members_copy_conf(conf);

    if (!weir_adjust_peer(peer, copy)) {
        members_free_conf(copy);
        members_change_peer(peer, conf);
    }
}

/* -- members -- */

static weir_member_t **
members_bucket(const weir_group_t *group, uint64_t hash)
{
    return &group->buckets[hash & (group->n_buckets - 1)];
}

static uint64_t
members_hash(weir_str_t text)
{
    return weir_str_hash(text, 0);       /* of addresses that the operator names */
}

static void
members_grow_buckets(weir_group_t *group)
{
    size_t          n = group->n_buckets != 0 ? group->n_buckets * 4 : 8;
    weir_member_t **before = group->buckets;

    group->buckets = weir_mem_need(n * sizeof(*group->buckets));
    group->n_buckets = n;
    weir_mem_free(before);
    for (weir_list_t *at = group->members.next; at != &group->members; at = at->next) {
        weir_member_t  *member = weir_list_entry(at, weir_member_t, link);
        weir_member_t **bucket = members_bucket(group, member->hash);

        member->next = *bucket;
        *bucket = member;
    }
}

/* The one of that address and twin's number. */
static weir_member_t *
members_find(const weir_group_t *group, weir_str_t text, uint32_t twin)
{
    uint64_t       hash = members_hash(text);
    weir_member_t *member = group->n_buckets != 0 ? *members_bucket(group, hash) : NULL;

    while (member != NULL
           && (member->hash != hash || member->twin != twin || !weir_str_eq(member->said.text, text)))
    {
        member = member->next;
    }
    return member;
}

static void
members_unlink(weir_group_t *group, weir_member_t *member)
{
    weir_member_t **at = members_bucket(group, member->hash);

    while (*at != member) {
        at = &(*at)->next;
    }
    *at = member->next;
    weir_list_remove(&member->link);
    weir_assert(group->n_members > 0);
    group->n_members--;
}

static weir_member_t *
members_link(weir_group_t *group, const weir_peer_conf_t *conf, uint32_t twin)
{
    weir_member_t *member = weir_mem_need(sizeof(*member) + members_texts(conf));
    weir_member_t **bucket;

    if (group->n_members >= group->n_buckets) {
        members_grow_buckets(group);
    }
    members_copy(&member->said, (char *) (member + 1), conf);
    member->hash = members_hash(conf->text);
    member->twin = twin;
    bucket = members_bucket(group, member->hash);
    member->next = *bucket;
    *bucket = member;
    weir_list_append(&group->members, &member->link);
    group->n_members++;
    return member;
}

weir_peer_t *
weir_members_find(const weir_group_t *group, weir_str_t text)
{
    weir_member_t *member = members_find(group, text, 0);

    return member != NULL ? member->peer : NULL;
}

/* -- what is said of it, and what was changed -- */

static void
members_lose_peer(weir_group_t *group, weir_member_t *member)
{
    weir_peer_t *peer = member->peer;

    if (peer == NULL) {
        return;
    }
    group->has_lost = true;
    members_dismiss(peer);
    member->peer = NULL;
    if (peer->set == NULL && peer->planned == 0) {           /* no set has had it, nor will */
        weir_peer_unref(peer);
    }
}

/* In shared memory, at once: every worker is told the same. */
static void
members_bar(weir_peer_t *peer, const weir_change_t *change)
{
    uint32_t given = change != NULL ? change->given : 0;
    bool     is_down = (given & WEIR_CHANGE_DOWN) != 0 && change->peer.down;
    bool     is_drained = (given & WEIR_CHANGE_DRAIN) != 0 && change->is_drained;
    uint64_t barred = weir_peer_barred(peer);

    if (((barred & WEIR_BARRED_DOWN) != 0) != is_down) {
        (void) weir_peer_bar(peer, WEIR_BARRED_DOWN, is_down);
    }
    if (((barred & WEIR_BARRED_DRAINED) != 0) != is_drained) {
        (void) weir_peer_bar(peer, WEIR_BARRED_DRAINED, is_drained);
    }
}

/* -- another list -- */

static const weir_change_t *
members_change(const weir_group_t *group, weir_str_t text)
{
    return group->conf.may_change ? weir_changes_find(group->conf.name, text) : NULL;
}

/* Its peer is as it is said, and on top of that as it was changed. */
static void
members_update(weir_group_t *group, weir_member_t *member)
{
    const weir_change_t *change = members_change(group, member->said.text);
    weir_peer_conf_t     conf = member->said;

    if (change != NULL && change->kind == WEIR_CHANGE_REMOVE) {
        members_lose_peer(group, member);
        return;
    }
    if (change != NULL) {
        weir_change_apply(change, &conf);
        conf.distance = (change->given & WEIR_CHANGE_LOCALITY) != 0 ? weir_group_distance(group, conf.locality)
                        : conf.distance;
    }
    if (group->conf.balancer->is_steady) {
        conf.slow_start.ms = 0;              /* said by a list, or when the group had another balancer */
    }
    if (member->peer == NULL) {
        member->peer = members_create_peer(group, &conf, member->twin);
        group->has_changed = true;
    } else if (!members_conf_eq(members_conf(member->peer), &conf)) {
        members_adjust_peer(member->peer, &conf);
    }
    members_bar(member->peer, change);
}

/* Every member goes to the end of the order as it is met, so that in the end the order is that of the list.  What names
 * one address ever so often would cost more each time: what is too much of it is passed over. */
static void
members_list(weir_group_t *group, const weir_peer_conf_t *conf)
{
    weir_member_t *member = members_find(group, conf->text, 0), *fresh;
    weir_peer_t   *peer = NULL;
    uint32_t       twin = 0;

    while (member != NULL && member->is_listed) {
        if (++twin == MEMBERS_TWINS) {
            return;
        }
        member = members_find(group, conf->text, twin);
    }
    if (member != NULL && !member->is_added && members_conf_eq(&member->said, conf)) {
        weir_list_remove(&member->link);
        weir_list_append(&group->members, &member->link);
        member->is_listed = true;
        return;
    }
    if (member != NULL) {                /* what it says lies behind it */
        peer = member->peer;
        members_unlink(group, member);
        weir_mem_free(member);
    }
    fresh = members_link(group, conf, twin);
    fresh->is_listed = true;
    fresh->peer = peer;
    members_update(group, fresh);
}

static bool
members_was_added(const weir_group_t *group, weir_str_t text)
{
    const weir_change_t *change = members_change(group, text);

    return change != NULL && change->kind == WEIR_CHANGE_ADD;
}

/* Those that were added stay, behind the others, also one that a source has said, too, until now. */
static void
members_drop_unlisted(weir_group_t *group)
{
    for (weir_list_t *at = group->members.next, *next; at != &group->members; at = next) {
        weir_member_t *member = weir_list_entry(at, weir_member_t, link);

        next = at->next;
        if (member->is_listed) {
            continue;
        }
        if (member->twin == 0 && members_was_added(group, member->said.text)) {
            weir_list_remove(&member->link);
            weir_list_append(&group->members, &member->link);
            member->is_listed = member->is_added = true;
            continue;
        }
        members_lose_peer(group, member);
        members_unlink(group, member);
        weir_mem_free(member);
    }
}

static void
members_add(void *data, const weir_change_t *change)
{
    weir_group_t  *group = data;
    weir_member_t *member;

    if (change->kind == WEIR_CHANGE_ADD && members_find(group, change->peer.text, 0) == NULL) {
        member = members_link(group, &change->peer, 0);
        member->is_added = member->is_listed = true;
        member->said.down = false;           /* it is barred */
        members_update(group, member);
    }
}

void
weir_members_renew(weir_group_t *group, const weir_peer_conf_t *peers, size_t n)
{
    group->has_changed = group->has_lost = false;
    for (weir_list_t *at = group->members.next; at != &group->members; at = at->next) {
        weir_list_entry(at, weir_member_t, link)->is_listed = false;
    }
    for (size_t i = 0; i < n; i++) {
        members_list(group, &peers[i]);
    }
    members_drop_unlisted(group);
    if (group->has_changed || group->has_lost || group->plan != NULL) {      /* the plan may have another order */
        weir_settle_soon(group);
    }
}

void
weir_members_changed(weir_group_t *group, weir_str_t text)
{
    weir_member_t       *member = members_find(group, text, 0);
    const weir_change_t *change = weir_changes_find(group->conf.name, text);

    group->has_changed = group->has_lost = false;
    if (member == NULL && change != NULL) {
        members_add(group, change);
    } else if (member != NULL && member->is_added && (change == NULL || change->kind == WEIR_CHANGE_REMOVE)) {
        members_lose_peer(group, member);
        members_unlink(group, member);
        weir_mem_free(member);
    } else {
        for (uint32_t twin = 0; member != NULL; member = members_find(group, text, ++twin)) {
            members_update(group, member);
        }
    }
    if (group->has_changed) {
        weir_settle_soon(group);
    } else if (group->has_lost) {
        weir_settle_without(group);
    }
}

size_t
weir_members_peers(const weir_group_t *group, weir_peer_t **peers)
{
    size_t n = 0;

    for (weir_list_t *at = group->members.next; at != &group->members; at = at->next) {
        weir_peer_t *peer = weir_list_entry(at, weir_member_t, link)->peer;

        if (peer != NULL) {
            peers[n++] = peer;
        }
    }
    weir_assert(n <= group->n_members);
    return n;
}

/* -- a group comes and goes -- */

void
weir_members_begin(weir_group_t *group, const weir_peer_conf_t *peers, size_t n)
{
    weir_list_init(&group->members);
    for (size_t i = 0; i < n; i++) {
        members_list(group, &peers[i]);
    }
    if (group->conf.may_change) {
        weir_changes_each(group->conf.name, members_add, group);
    }
    weir_settle_all(group);
}

/* No request and no connection is left, so that each peer ends here. */
void
weir_members_end(weir_group_t *group)
{
    weir_settle_end(group);
    while (!weir_list_empty(&group->members)) {
        weir_member_t *member = weir_list_entry(group->members.next, weir_member_t, link);

        weir_assert(member->peer == NULL || member->peer->refs == 1);
        if (member->peer != NULL) {
            members_dismiss(member->peer);
            weir_peer_unref(member->peer);
        }
        weir_list_remove(&member->link);
        weir_mem_free(member);
    }
    weir_assert(group->n_marked == 0);
    weir_settle_free_sets(group->sets_arena);
    weir_mem_free(group->buckets);
    weir_mem_free(group->numbers.resting);
}
