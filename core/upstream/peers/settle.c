/*
 * settle.c - the host sets of a running group are made anew when its peers have changed.
 *
 * That is put off to the end of the turn, so that many changes are one, and where a group is so large that it takes a
 * while it is done no more often than one tenth of the time is spent for it.
 *
 * A plan has the peers of the sets that come, and what is said of each as they shall have it.  Balancers whose state
 * takes long to make (`prepare`: a ring, a table) make most of it from the plan, a slice a turn, while requests go on
 * with the sets that there are.  When all of it is there the new sets take the place of the old ones in one step, and
 * what balancers have of each peer goes along.  What changes meanwhile is taken up by the next plan: conf is what the
 * sets have, plan_conf what those that are planned will have, next_conf what those after them will.
 *
 * A peer that goes while it is planned comes into the new sets all the same, where no request picks it
 * (weir_peer_allowed), as it has its place in the ring; the sets after those do not have it.  So a peer's own reference
 * lasts as long as a set or a plan has it.
 *
 * Runs in workers, on the loop's thread.
 */
#include "base/mem.h"
#include "os/clock.h"
#include "os/sys.h"
#include "upstream/order.h"
#include "upstream/running.h"

#include <stdlib.h>

#define SETTLE_PAUSE   9                 /* times what making the sets takes (processor), until it may be again */
#define SETTLE_AT_ONCE 100               /* µs: what takes less is not worth a pause */
#define SETTLE_SLICE   1000              /* µs that are spent for a plan in a turn */
#define SETTLE_ARENA   4096
#define SETTLE_FEW     8                 /* members: most groups have no more, and there may be ten thousand of them */
#define SETTLE_ARENA_FEW 768

struct weir_plan {
    weir_arena_t            *arena;      /* on the heap; the sets' when they are there */
    weir_peer_t            **peers;      /* by rank */
    size_t                   n;
    const weir_peer_conf_t **confs;      /* of each; NULL, as what follows: the balancer prepares nothing */
    weir_draft_t            *drafts;     /* of the sets */
    size_t                   n_drafts, n_ready;
    uint64_t                 took_us;
    bool                     is_behind;  /* something has changed since it began */
};

/* -- a plan -- */

static int
settle_compare(const void *a_, const void *b_)
{
    const weir_peer_t *a = *(weir_peer_t *const *) a_, *b = *(weir_peer_t *const *) b_;
    uint32_t           of_a = weir_peer_rank(weir_peer_planned_conf(a));
    uint32_t           of_b = weir_peer_rank(weir_peer_planned_conf(b));

    if (of_a != of_b) {
        return of_a < of_b ? -1 : 1;
    }
    return a->planned < b->planned ? -1 : a->planned > b->planned;
}

/* By rank, and those of one rank as their sources have them. */
static void
settle_collect(weir_group_t *group, weir_plan_t *plan)
{
    bool     is_sorted = true;
    uint32_t rank, last = 0;

    plan->peers = weir_new_n(plan->arena, weir_peer_t *, group->n_members);
    plan->n = weir_members_peers(group, plan->peers);
    for (size_t i = 0; i < plan->n; i++) {
        weir_peer_t *peer = plan->peers[i];

        weir_assert(peer->planned == 0 && peer->plan_conf == NULL && !peer->is_gone);
        peer->plan_conf = peer->next_conf;
        peer->next_conf = NULL;
        peer->planned = (uint32_t) i + 1;    /* for the order of those of one rank */
        rank = weir_peer_rank(weir_peer_planned_conf(peer));
        is_sorted = is_sorted && last <= rank;
        last = rank;
    }
    if (!is_sorted) {
        qsort(plan->peers, plan->n, sizeof(*plan->peers), settle_compare);
    }
}

static void
settle_draft(weir_group_t *group, weir_plan_t *plan)
{
    size_t n = 0;

    plan->confs = weir_new_n(plan->arena, const weir_peer_conf_t *, plan->n);
    for (size_t i = 0; i < plan->n; i++) {
        plan->confs[i] = weir_peer_planned_conf(plan->peers[i]);
        n += i == 0 || weir_peer_rank(plan->confs[i]) != weir_peer_rank(plan->confs[i - 1]);
    }
    plan->drafts = weir_new_n(plan->arena, weir_draft_t, n);
    for (size_t i = 0; i < plan->n; i++) {
        weir_draft_t *draft;

        if (i == 0 || weir_peer_rank(plan->confs[i]) != weir_peer_rank(plan->confs[i - 1])) {
            plan->drafts[plan->n_drafts++] = (weir_draft_t) {
                .group = &group->conf, .arena = plan->arena, .peers = &plan->confs[i],
            };
        }
        draft = &plan->drafts[plan->n_drafts - 1];
        draft->n++;
        draft->weight += plan->confs[i]->weight;
    }
    weir_assert(plan->n_drafts == n);
}

static void
settle_begin(weir_group_t *group)
{
    weir_plan_t *plan = weir_mem_need(sizeof(*plan));

    weir_assert(group->plan == NULL);
    weir_task_cancel(&group->settle_task);
    weir_timer_clear(&group->settle_timer);
    plan->arena = weir_mem_need(sizeof(*plan->arena));
    weir_arena_init(plan->arena, group->n_members <= SETTLE_FEW ? SETTLE_ARENA_FEW : SETTLE_ARENA);
    settle_collect(group, plan);
    if (group->conf.balancer->prepare != NULL) {
        settle_draft(group, plan);
    }
    group->plan = plan;
}

/* Some of it more.  true: all is ready. */
static bool
settle_prepare(weir_group_t *group, size_t steps)
{
    weir_plan_t *plan = group->plan;

    if (plan->n_ready < plan->n_drafts && group->conf.balancer->prepare(&plan->drafts[plan->n_ready], steps)) {
        plan->n_ready++;
    }
    return plan->n_ready == plan->n_drafts;
}

void
weir_settle_free_sets(weir_arena_t *arena)
{
    if (arena != NULL) {
        weir_arena_fini(arena);
        weir_mem_free(arena);
    }
}

/* What it would have done is left to the next one. */
static void
settle_drop(weir_group_t *group)
{
    weir_plan_t *plan = group->plan;

    if (plan == NULL) {
        return;
    }
    if (plan->n_ready < plan->n_drafts) {
        group->conf.balancer->abandon(&plan->drafts[plan->n_ready]);
    }
    for (size_t i = 0; i < plan->n; i++) {
        weir_peer_t *peer = plan->peers[i];

        if (peer->next_conf == NULL) {
            peer->next_conf = peer->plan_conf;
        } else {
            weir_mem_free((void *) (uintptr_t) peer->plan_conf);
        }
        peer->plan_conf = NULL;
        peer->planned = 0;
        if (peer->is_gone && peer->set == NULL) {
            weir_peer_unref(peer);           /* no other had it */
        }
    }
    weir_settle_free_sets(plan->arena);
    weir_mem_free(plan);
    group->plan = NULL;
    group->lacks_from = 0;
}

/* -- the sets take their place -- */

/* What is said of it now; what was said is there until it is carried over. */
static void
settle_use_plan(weir_peer_t *peer)
{
    weir_members_hold_row(peer->plan_conf);
    weir_members_let_row_go(peer->conf);
    weir_mem_free((void *) (uintptr_t) peer->before);
    peer->before = peer->conf;
    peer->conf = peer->plan_conf;
    peer->plan_conf = NULL;
    peer->zone = weir_group_zone(peer->group, peer->conf->locality);
    weir_policies_peer_told(peer);
    weir_peer_tell(peer);                    /* as in adjust.c */
}

/* What the peer has with its balancer in the sets of before. */
static void
settle_carry(weir_peer_t *peer, const weir_host_set_t *set, size_t index)
{
    const weir_balancer_t *balancer = peer->group->conf.balancer;
    weir_peer_t            was = *peer;

    if (balancer->carry_over != NULL) {
        was.conf = peer->before != NULL ? peer->before : peer->conf;
        was.set = set;
        was.index = (uint32_t) index;
        balancer->carry_over(peer, &was);
    }
    weir_mem_free((void *) (uintptr_t) peer->before);
    peer->before = NULL;
}

static void
settle_carry_set(weir_group_t *group, weir_host_set_t *from)
{
    for (size_t i = 0; i < group->n_sets; i++) {
        weir_host_set_t *to = &group->sets[i];

        if (weir_peer_rank(to->peers[0]->conf) == weir_peer_rank(from->peers[0]->conf)) {
            to->credit = from->credit;
            to->is_panic = from->is_panic;
        }
    }
    for (size_t i = 0; i < from->n; i++) {
        weir_peer_t *peer = from->peers[i];

        if (!peer->is_gone) {
            settle_carry(peer, from, i);
        }
    }
    if (group->conf.balancer->destroy != NULL) {
        group->conf.balancer->destroy(from);
    }
}

/* Those that the sets of before had, that have gone, and that those of now have not, either. */
static void
settle_bury(weir_peer_t *const *peers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (peers[i]->is_gone && peers[i]->planned == 0) {
            peers[i]->set = NULL;
            weir_peer_unref(peers[i]);
        }
    }
}

/* A set knows whether it is in panic by its own; the group how many are. */
static void
settle_count_panic(weir_group_t *group)
{
    group->n_panic = 0;
    for (size_t i = 0; i < group->n_sets; i++) {
        group->n_panic += group->sets[i].is_panic;
        if (group->sets[i].is_panic) {
            weir_order_panic(&group->sets[i]);
        }
    }
}

/* A group of one judges its peer as no larger group does, so that all are judged anew where it was or is one. */
static void
settle_tell(weir_group_t *group, size_t before, bool is_begun)
{
    bool is_another = before <= 1 || group->conf.n_peers <= 1;

    for (size_t i = 0; i < group->conf.n_peers; i++) {
        weir_peer_t *peer = group->peers[i];

        if (is_another || peer->is_fresh) {
            weir_peer_tell(peer);                    /* other workers may know it already */
        }
        if (peer->is_fresh && is_begun && peer->conf->slow_start.ms != 0 && !peer->is_gone) {
            weir_slow_start_added(peer, weir_clock_now());
        }
        peer->is_fresh = false;
        if (peer->is_marked) {
            weir_order_told(peer);                   /* the order is a new one */
        }
    }
}

static void
settle_use_peers(weir_group_t *group)
{
    weir_plan_t *plan = group->plan;

    group->sets_arena = plan->arena;
    group->peers = plan->peers;
    group->conf.n_peers = plan->n;
    for (size_t i = 0; i < plan->n; i++) {
        if (plan->peers[i]->plan_conf != NULL) {
            settle_use_plan(plan->peers[i]);
        }
    }
    weir_sets_create(group, plan->drafts);
    weir_assert(plan->drafts == NULL || group->n_sets == plan->n_drafts);
    group->hint = 0;
}

static void
settle_finish(weir_group_t *group)
{
    weir_arena_t       *arena = group->sets_arena;
    weir_host_set_t    *sets = group->sets;
    weir_peer_t *const *peers = group->peers;
    const size_t        n_sets = group->n_sets, n_peers = group->conf.n_peers;

    weir_assert(group->plan->n_ready == group->plan->n_drafts);
    settle_use_peers(group);
    for (size_t i = 0; i < n_sets; i++) {
        settle_carry_set(group, &sets[i]);
    }
    for (size_t i = 0; i < group->n_sets && n_sets != 0 && group->conf.balancer->settle != NULL; i++) {
        group->conf.balancer->settle(&group->sets[i]);
    }
    settle_count_panic(group);
    group->changed++;
    settle_tell(group, n_peers, arena != NULL);
    settle_bury(peers, n_peers);
    weir_settle_free_sets(arena);
    for (size_t i = 0; i < group->conf.n_peers; i++) {
        group->peers[i]->planned = 0;
    }
    weir_mem_free(group->plan);
    group->plan = NULL;
    weir_group_settled(group);
}

/* -- when -- */

void
weir_settle_all(weir_group_t *group)
{
    settle_drop(group);
    settle_begin(group);
    while (!settle_prepare(group, WEIR_DRAFT_STEPS)) { }
    settle_finish(group);
}

/* What comes after a plan waits so long that requests have most of the time. */
static void
settle_finish_plan(weir_group_t *group, uint64_t began)
{
    uint64_t took = group->plan->took_us;
    bool     is_behind = group->plan->is_behind;

    settle_finish(group);
    took += weir_sys_cpu_us() - began;
    group->settle_from.ms = weir_clock_now().ms + (took > SETTLE_AT_ONCE ? took * SETTLE_PAUSE / 1000 + 1 : 0);
    if (is_behind) {
        weir_settle_soon(group);
    }
}

/* A slice of it.  true: all is ready. */
static bool
settle_slice(weir_group_t *group, uint64_t began)
{
    bool is_ready;

    do {
        is_ready = settle_prepare(group, WEIR_DRAFT_STEPS);
    } while (!is_ready && weir_sys_cpu_us() - began < SETTLE_SLICE);
    return is_ready;
}

/* Sets that were ready in their last slice take their place in a turn of their own: that has its time, too. */
static void
settle_on_slice(weir_task_t *task)
{
    weir_group_t *group = weir_container_of(task, weir_group_t, settle_task);
    uint64_t      began = weir_sys_cpu_us();

    if (group->plan->n_ready == group->plan->n_drafts) {
        settle_finish_plan(group, began);
        return;
    }
    (void) settle_slice(group, began);
    group->plan->took_us += weir_sys_cpu_us() - began;
    weir_task_post_later(group->loop, task, settle_on_slice);
}

static void
settle_now(weir_group_t *group)
{
    uint64_t began = weir_sys_cpu_us();

    settle_begin(group);
    if (settle_slice(group, began)) {
        settle_finish_plan(group, began);
        return;
    }
    group->plan->took_us = weir_sys_cpu_us() - began;
    weir_task_post_later(group->loop, &group->settle_task, settle_on_slice);
}

static void
settle_on_task(weir_task_t *task)
{
    settle_now(weir_container_of(task, weir_group_t, settle_task));
}

static void
settle_on_timer(weir_timer_t *timer)
{
    settle_now(weir_container_of(timer, weir_group_t, settle_timer));
}

void
weir_settle_soon(weir_group_t *group)
{
    weir_group_unsettled(group);
    weir_settle_without(group);
}

bool
weir_settle_is_due(const weir_group_t *group)
{
    return weir_list_linked(&group->unsettled) || group->plan != NULL || weir_list_linked(&group->settle_task.link)
           || group->settle_timer.deadline.ms != 0;
}

void
weir_settle_without(weir_group_t *group)
{
    uint64_t now = weir_clock_now().ms;

    if (group->plan != NULL) {
        group->plan->is_behind = true;
        return;
    }
    if (weir_list_linked(&group->settle_task.link) || group->settle_timer.deadline.ms != 0) {
        return;
    }
    if (now >= group->settle_from.ms) {
        weir_task_post(group->loop, &group->settle_task, settle_on_task);
    } else {
        weir_timer_set(group->loop, &group->settle_timer, (weir_msec_t) { group->settle_from.ms - now },
                       settle_on_timer);
    }
}

void
weir_settle_most(weir_group_t *group)
{
    if (group->plan == NULL) {
        settle_now(group);
    }
}

/* -- meanwhile -- */

/* The sets that there are do not have it, or not as it will be. */
static bool
settle_may_pick(const weir_peer_t *peer, const weir_pick_t *pick, weir_instant_t now)
{
    const weir_peer_conf_t *conf = weir_peer_planned_conf(peer);

    return !conf->down && !peer->is_gone && (peer->set == NULL || peer->conf->down) && !weir_pick_has_tried(pick, peer)
           && !weir_peer_rests(peer, now) && (conf->max_conns == 0 || weir_state_in_use(peer) < conf->max_conns);
}

/* Of n peers, the first from the key's place on, or from that of the request before. */
static weir_peer_t *
settle_pick_of(weir_peer_t *const *peers, size_t n, const weir_pick_t *pick, weir_instant_t now)
{
    static size_t last;              /* of this process; an upstream without a key gets one after another */
    size_t        at = (pick->key.len != 0 ? (size_t) weir_str_hash(pick->key, 0) : ++last) % n;

    for (size_t i = 0; i < n; i++, at = at + 1 < n ? at + 1 : 0) {
        if (settle_may_pick(peers[at], pick, now)) {
            return peers[at];
        }
    }
    return NULL;
}

weir_peer_t *
weir_settle_pick(weir_group_t *group, const weir_pick_t *pick, weir_instant_t now)
{
    const weir_plan_t *plan = group->plan;
    weir_peer_t       *peer = NULL;
    size_t             first = 0, next;

    for (; plan != NULL && first < plan->n && peer == NULL; first = next) {
        uint32_t rank = weir_peer_rank(weir_peer_planned_conf(plan->peers[first]));

        for (next = first + 1; next < plan->n
                               && weir_peer_rank(weir_peer_planned_conf(plan->peers[next])) == rank; next++) { }
        peer = settle_pick_of(&plan->peers[first], next - first, pick, now);
    }
    return peer;
}

void
weir_settle_end(weir_group_t *group)
{
    settle_drop(group);
    weir_task_cancel(&group->settle_task);
    weir_timer_drop(&group->settle_timer);
    weir_list_remove(&group->unsettled);
    for (size_t i = 0; i < group->n_sets && group->conf.balancer->destroy != NULL; i++) {
        group->conf.balancer->destroy(&group->sets[i]);
    }
    settle_bury(group->peers, group->conf.n_peers);          /* that had gone, and were still in the sets */
}
