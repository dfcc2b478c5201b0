/*
 * watch.c - which worker probes which peer when, and what becomes of it: the policy of groups that have health checks.
 *
 * All workers know each peer's record (a part of its shared state), and each has a timer for each check of it.  The
 * worker that claims a check that is due probes; results go into the record, and bar the peer in all workers at once.
 *
 *     claim:   {a probe is under way, due at, whose}
 *
 *     due ── compare-and-swap ──> under way, lent until the probe must be over ──> due again an interval later
 *
 * The worker that had a claim last is the first to look when it is due again, so that one worker goes on with a peer;
 * the others look a little later, and find that it was claimed.  When they find that it was not, its worker is stalled,
 * or dead, and one of them claims it: no interval passes without a probe.  A probe whose worker has died is over at
 * once.
 *
 * Of two groups of one name (a reload, a list of peers that has changed) only the one that the newest configuration
 * runs is probed for.  Runs in workers.  Memory: the group's, and a probe at a time for each check of each peer.
 */
#include "record.h"

#include "http/http.h"
#include "os/clock.h"
#include "os/sys.h"

#include <stdio.h>

#define WATCH_GRACE_MIN  10                  /* ms by which others look later than the claim's last owner */
#define WATCH_GRACE_MAX  1000
#define WATCH_LEASE_MORE 1000                /* ms that a claim lasts behind its probe's limit */
#define WATCH_SPREAD     2                   /* ms between the first probes of two peers of a group */
#define WATCH_SYNCS      8                   /* rounds of following what other workers find at the same time */
#define WATCH_SWEEP_MS   5000                /* see watch_on_sweep */
#define WATCH_SWEEPS     6
#define WATCH_PART       "health_check"

/* -- in this worker -- */

typedef struct watch watch_t;

/* One check of one peer. */
typedef struct {
    watch_t        *watch;
    uint32_t        index;
    weir_timer_t    timer;
    health_probe_t *probe;                   /* under way; NULL */
    health_tcp_t   *tcp;                     /* or this; NULL */
    uint64_t        claimed;                 /* the word of our claim, while it is */
    weir_instant_t  began;
    weir_group_t   *alone;                   /* whose connections are kept for the next one; NULL */
} watch_slot_t;

/* A peer: the policy's memory of it. */
struct watch {
    weir_list_t         link;                /* of all of the process */
    weir_uppolicy_of_t *of;
    weir_peer_t        *peer;
    weir_state_part_t  *part;
    watch_slot_t        slots[HEALTH_CHECKS];
};

/* A group. */
typedef struct {
    uint64_t             seen;               /* watch_process.epoch, when it was looked for */
    const health_list_t *list;               /* that the newest configuration has for its name; NULL: none */
} watch_group_t;

static struct {
    weir_list_t        watches;
    bool               has_begun;
    weir_life_t       *life;
    weir_generation_t *newest;               /* borrowed, until it retires; NULL: nothing is probed */
    uint64_t           epoch;
    uint64_t           random;
    weir_timer_t       sweep;
    unsigned           sweeps;               /* so many are left */
} watch_process;

static record_t *
watch_record(const watch_t *watch)
{
    return watch->part->place.record;
}

static const health_settings_t *
watch_settings(const watch_t *watch)
{
    return watch->of->settings;
}

const weir_generation_t *
health_watch_used(void)
{
    return watch_process.newest;
}

static uint64_t
watch_random(void)
{
    uint64_t x = watch_process.random != 0 ? watch_process.random : weir_random_seed(&watch_process) | 1;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return watch_process.random = x;
}

/* Of the newest generation. */
static bool
watch_runs(const health_list_t *list, const weir_group_t *group)
{
    return weir_upstream_running(watch_process.newest, list->group) == group;
}

/* Those of the group's name; of two groups of one name (addresses in URLs of http and https) those of the one that
 * runs. */
static const health_list_t *
watch_find(const health_built_t *built, const weir_group_t *group)
{
    const health_list_t *found = NULL;

    for (const health_list_t *list = built->lists; list != NULL; list = list->next) {
        if (weir_str_eq(list->name, weir_group_conf(group)->name) && (found == NULL || watch_runs(list, group)))
        {
            found = list;
        }
    }
    return found;
}

/* The check that the slot is for, as the newest configuration has it; NULL: this group is not probed (any more). */
static const health_check_t *
watch_check(const watch_slot_t *slot)
{
    const watch_t        *watch = slot->watch;
    watch_group_t        *group = watch->of->state;
    const health_built_t *built = watch_process.newest != NULL
                                  ? watch_process.newest->built[weir_http_health_check_index] : NULL;

    if (built == NULL || watch->peer->is_gone) {
        return NULL;
    }
    if (group->seen != watch_process.epoch) {
        group->seen = watch_process.epoch;
        group->list = watch_find(built, watch->peer->group);
    }
    if (group->list == NULL || !watch_runs(group->list, watch->peer->group) || slot->index >= group->list->n
        || group->list->checks[slot->index]->id != watch_settings(watch)->checks[slot->index].id)
    {
        return NULL;
    }
    return group->list->checks[slot->index];
}

/* -- what a peer is barred for -- */

static uint64_t
watch_wanted(const watch_t *watch)
{
    const health_settings_t *settings = watch_settings(watch);
    uint64_t                 wanted = 0;

    for (uint32_t i = 0; i < settings->n; i++) {
        record_state_t state = record_unpack_state(record_load(&watch_record(watch)->of[i].state));

        wanted |= state.has_failed ? WEIR_BARRED_CHECK : 0;
        wanted |= settings->checks[i].is_mandatory && !state.is_proven ? WEIR_BARRED_UNPROVEN : 0;
    }
    return wanted;
}

static void
watch_bar_check(const watch_t *watch, bool is_barred)
{
    record_t *record = watch_record(watch);
    uint64_t        wall = weir_clock_wall_ms(), since;

    if (!weir_peer_bar(watch->peer, WEIR_BARRED_CHECK, is_barred)) {
        return;
    }
    if (is_barred) {
        record_add(&record->unhealthy, 1);
        __atomic_store_n(&record->down_since, wall, __ATOMIC_RELAXED);
    } else {
        since = __atomic_exchange_n(&record->down_since, 0, __ATOMIC_RELAXED);
        record_add(&record->downtime, since != 0 && wall > since ? wall - since : 0);
    }
}

/* Another worker may find out something of another check at this very moment: the last one sees both. */
static void
watch_sync(const watch_t *watch)
{
    uint64_t wanted;

    for (unsigned round = 0; round < WATCH_SYNCS; round++) {
        wanted = watch_wanted(watch);
        watch_bar_check(watch, (wanted & WEIR_BARRED_CHECK) != 0);
        (void) weir_peer_bar(watch->peer, WEIR_BARRED_UNPROVEN, (wanted & WEIR_BARRED_UNPROVEN) != 0);
        if (watch_wanted(watch) == wanted) {
            return;
        }
    }
}

/* -- results -- */

static record_state_t
watch_after(record_state_t state, const health_check_t *check, bool passed, weir_instant_t now)
{
    state.run = state.last != 0 && state.passes == passed ? (uint32_t) weir_min(state.run + 1, HEALTH_RUN_MAX)
                                                                    : 1;
    state.passes = passed;
    state.is_proven |= passed;
    state.last = record_seconds(now);
    if (passed && state.run >= check->passes) {
        state.has_failed = false;
    } else if (!passed && state.run >= check->fails) {
        state.has_failed = true;
    }
    return state;
}

/* Which of several. */
static const char *
watch_which(const watch_slot_t *slot, char room[40])
{
    uint32_t n = watch_settings(slot->watch)->n;

    room[0] = '\0';
    if (n > 1) {
        (void) snprintf(room, 40, " (check %u of %u)", slot->index + 1, n);
    }
    return room;
}

static void
watch_tell(const watch_slot_t *slot, const health_check_t *check, record_state_t was, record_state_t is,
           const char *why)
{
    const weir_peer_t *peer = slot->watch->peer;
    weir_str_t         group = weir_group_conf(peer->group)->name;
    char               which[40];

    if (is.has_failed && !was.has_failed) {
        weir_log(WEIR_LOG_WARN, NULL, 0, "health check: peer %.*s of upstream \"%.*s\" is unhealthy: %s%s",
                 WEIR_STR_ARG(peer->conf->text), WEIR_STR_ARG(group), why, watch_which(slot, which));
    } else if (!is.has_failed && (was.has_failed || (check->is_mandatory && is.is_proven && !was.is_proven))) {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "health check: peer %.*s of upstream \"%.*s\" is healthy%s",
                 WEIR_STR_ARG(peer->conf->text), WEIR_STR_ARG(group), watch_which(slot, which));
    }
}

/* why NULL: it passed. */
static void
watch_result(watch_slot_t *slot, const health_check_t *check, const char *why, weir_instant_t now)
{
    watch_t        *watch = slot->watch;
    record_t *record = watch_record(watch);
    uint64_t       *word = &record->of[slot->index].state, is;
    record_state_t   was, next;

    do {
        is = record_load(word);
        was = record_unpack_state(is);
        if (was.id != (check->id & RECORD_ID)) {
            return;                          /* another configuration has begun with another check there */
        }
        next = watch_after(was, check, why == NULL, now);
    } while (!record_swap(word, is, record_pack_state(next)));
    record_add(&record->checks, 1);
    record_add(&record->fails, why != NULL);
    __atomic_store_n(&record->last_passed, why == NULL, __ATOMIC_RELAXED);
    watch_tell(slot, check, was, next, why);
    watch_sync(watch);
}

/* -- claims and probes -- */

static void watch_on_timer(weir_timer_t *timer);

static uint64_t
watch_grace(const health_check_t *check)
{
    return weir_max(weir_min(check->interval.ms / 4, WATCH_GRACE_MAX), WATCH_GRACE_MIN);
}

/* When this worker may claim it, as it looks now. */
static uint64_t
watch_next(record_claim_t claim, const health_check_t *check, weir_instant_t now)
{
    if (record_is_mine(claim)) {
        return claim.is_under_way ? now.ms : claim.due;      /* its probe was given up */
    }
    if (!record_is_alive(claim)) {
        return claim.is_under_way ? now.ms : claim.due;
    }
    return claim.due + (claim.is_under_way ? 0 : watch_grace(check));
}

static void
watch_plan(watch_slot_t *slot)
{
    const health_check_t *check = watch_check(slot);
    weir_instant_t        now = weir_clock_now();
    record_claim_t         claim;
    uint64_t              at;

    if (check == NULL) {
        weir_timer_clear(&slot->timer);
        return;
    }
    claim = record_unpack_claim(record_load(&watch_record(slot->watch)->of[slot->index].claim));
    at = watch_next(claim, check, now);
    if (claim.is_under_way) {
        at = weir_min(at, now.ms + watch_grace(check));      /* its worker may die meanwhile */
    }
    if (claim.due == 0) {
        at = now.ms + weir_min(weir_peer_number(slot->watch->peer) * WATCH_SPREAD, check->interval.ms);
    }
    weir_timer_set(watch_process.life->loop, &slot->timer, (weir_msec_t) { at > now.ms ? at - now.ms : 1 },
                   watch_on_timer);
}

/* The claim is over, and the next one is due then.  false: another has it, for this probe took longer than it could. */
static bool
watch_release(watch_slot_t *slot, uint64_t due)
{
    uint64_t was = slot->claimed;

    slot->claimed = 0;
    return record_swap(&watch_record(slot->watch)->of[slot->index].claim, was,
                      record_pack_claim(record_claim_mine(due, false)));
}

static uint64_t
watch_due(const watch_slot_t *slot, const health_check_t *check, weir_instant_t now)
{
    uint64_t delay = check->jitter.ms != 0 ? watch_random() % (check->jitter.ms + 1) : 0;

    return weir_max(slot->began.ms + check->interval.ms + delay, now.ms + 1);
}

static void
watch_keep(watch_slot_t *slot, weir_group_t *alone)
{
    if (slot->alone != NULL) {
        weir_group_unref(slot->alone);
    }
    slot->alone = alone;
}

/* A worker that leaves does not know the newest configuration (any more): its checks are others' affair. */
static bool
watch_is_leaving(void)
{
    return weir_http_is_leaving(watch_process.life);
}

static void
watch_done(void *data, const char *why)
{
    watch_slot_t         *slot = data;
    const health_check_t *check = watch_check(slot);
    weir_instant_t        now = weir_clock_now();

    slot->probe = NULL;
    slot->tcp = NULL;
    if (check == NULL || watch_is_leaving()) {           /* (the list of peers has changed: this one has gone) */
        (void) watch_release(slot, now.ms);
        return;
    }
    if (watch_release(slot, watch_due(slot, check, now))) {
        watch_result(slot, check, why, now);
    }
    watch_plan(slot);
}

/* Another probe of it is not to be had now: without memory, or without http yet. */
static void
watch_put_off(watch_slot_t *slot, const health_check_t *check, weir_instant_t now)
{
    (void) watch_release(slot, now.ms + check->interval.ms);
}

static void
watch_probe(watch_slot_t *slot, const health_check_t *check, weir_instant_t now)
{
    weir_http_t  *http = weir_http_in(watch_process.life);
    bool          keeps = check->keepalive_time.ms != 0;
    health_spec_t spec = { .http = http, .generation = watch_process.newest, .check = check, .done = watch_done,
                           .data = slot };

    slot->began = now;
    if (http == NULL) {
        watch_put_off(slot, check, now);
        return;
    }
    spec.alone = weir_upstream_attach_alone(http->groups, slot->watch->peer, (uint16_t) check->port,
                                            check->keepalive_time);
    if (check->kind == HEALTH_TCP) {
        slot->tcp = health_tcp_begin(&spec);
    } else {
        slot->probe = health_probe_begin(&spec);
    }
    watch_keep(slot, keeps ? spec.alone : NULL);
    if (!keeps) {
        weir_group_unref(spec.alone);
    }
    if (slot->probe == NULL && slot->tcp == NULL) {
        watch_put_off(slot, check, now);
    }
}

static bool
watch_is_down(const weir_peer_t *peer)
{
    return peer->conf->down || (weir_peer_barred(peer) & WEIR_BARRED_DOWN) != 0;
}

static void
watch_on_timer(weir_timer_t *timer)
{
    watch_slot_t         *slot = weir_container_of(timer, watch_slot_t, timer);
    const health_check_t *check = watch_check(slot);
    weir_instant_t        now = weir_clock_now();
    uint64_t             *word, was, next;

    if (check == NULL || slot->probe != NULL || slot->tcp != NULL || watch_is_leaving()) {
        return;
    }
    word = &watch_record(slot->watch)->of[slot->index].claim;
    was = record_load(word);
    if (now.ms >= watch_next(record_unpack_claim(was), check, now)) {
        next = record_pack_claim(record_claim_mine(now.ms + check->limit.ms + WATCH_LEASE_MORE, true));
        if (record_swap(word, was, next)) {
            slot->claimed = next;
            if (!watch_is_down(slot->watch->peer)) {
                watch_probe(slot, check, now);
            } else {
                watch_put_off(slot, check, now);
            }
        }
    }
    if (slot->probe == NULL && slot->tcp == NULL) {
        watch_plan(slot);
    }
}

/* What is under way is given up, for another worker or group to do. */
static void
watch_stop(watch_slot_t *slot)
{
    weir_timer_drop(&slot->timer);
    if (slot->probe != NULL || slot->tcp != NULL) {
        health_probe_cancel(slot->probe);
        health_tcp_cancel(slot->tcp);
        slot->probe = NULL;
        slot->tcp = NULL;
        (void) watch_release(slot, weir_clock_now().ms);
    }
    watch_keep(slot, NULL);
}

/* -- the policy -- */

/* What is known of the check in this place of the record, if it is of this check, and not of long ago. */
static void
watch_begin_state(watch_t *watch, uint32_t i)
{
    const health_settings_t *settings = watch_settings(watch);
    uint64_t                *word = &watch_record(watch)->of[i].state, is = record_load(word);
    record_state_t            state = record_unpack_state(is), fresh = { .id = settings->checks[i].id & RECORD_ID };
    uint32_t                 age = (record_seconds(weir_clock_now()) - state.last) & RECORD_LAST;
    bool                     is_old = state.last != 0 && age > settings->checks[i].fresh_s && age < RECORD_LAST / 2;

    if (state.id != fresh.id || is_old) {    /* (another worker's clock may be ahead of what is now here) */
        (void) record_swap(word, is, record_pack_state(fresh));        /* else another worker has just begun with it */
        __atomic_store_n(&watch_record(watch)->of[i].claim, 0, __ATOMIC_SEQ_CST);
    }
}

static void
watch_peer_begin(weir_uppolicy_of_t *of, weir_peer_t *peer)
{
    watch_t *watch = weir_policy_peer(of, peer);

    if (!watch_process.has_begun) {
        weir_list_init(&watch_process.watches);
        watch_process.has_begun = true;
    }
    watch->of = of;
    watch->peer = peer;
    watch->part = weir_state_part(peer->group, peer, WATCH_PART);
    weir_list_append(&watch_process.watches, &watch->link);
    for (uint32_t i = 0; i < watch_settings(watch)->n; i++) {
        watch->slots[i].watch = watch;
        watch->slots[i].index = i;
        watch_begin_state(watch, i);
        if (watch_process.life != NULL) {    /* it is not known yet which group runs */
            weir_timer_set(watch_process.life->loop, &watch->slots[i].timer, (weir_msec_t) { 1 }, watch_on_timer);
        }
    }
    watch_sync(watch);
}

static void
watch_peer_end(weir_uppolicy_of_t *of, weir_peer_t *peer)
{
    watch_t *watch = weir_policy_peer(of, peer);

    for (uint32_t i = 0; i < watch_settings(watch)->n; i++) {
        watch_stop(&watch->slots[i]);
    }
    weir_list_remove(&watch->link);
}

/* Those that are mandatory have to prove themselves for each configuration, unless they are persistent. */
static void
watch_adopt(watch_t *watch)
{
    const health_settings_t *settings = watch_settings(watch);
    record_t          *record = watch_record(watch);
    uint64_t                 serial = watch_process.newest->serial, was = record_load(&record->serial);

    if (was == serial || !record_swap(&record->serial, was, serial) || was == 0) {
        return;
    }
    for (uint32_t i = 0; i < settings->n; i++) {
        uint64_t *word = &record->of[i].state, is = record_load(word);
        record_state_t state = record_unpack_state(is);

        if (settings->checks[i].is_mandatory && !settings->checks[i].is_persistent) {
            state.is_proven = false;
            (void) record_swap(word, is, record_pack_state(state));
            __atomic_store_n(&record->of[i].claim, 0, __ATOMIC_SEQ_CST);     /* now */
        }
    }
    watch_sync(watch);
}

/* A worker of the configuration before may find something of a peer when this one has taken its bars away already,
 * and ends then: so they are looked for once more, a few times. */
static void
watch_on_sweep(weir_timer_t *timer)
{
    weir_group_conf_t *const *groups;
    size_t                    n = watch_is_leaving() ? 0 : weir_upstream_list(watch_process.newest, &groups);

    for (size_t i = 0; i < n; i++) {
        weir_peer_t *const *peers;
        const weir_group_t *running = weir_upstream_running(watch_process.newest, groups[i]->id);
        size_t              n_peers = running != NULL ? weir_group_peers(running, &peers) : 0;

        if (n_peers == 0 || weir_policy_find(running, &health_policy) != NULL) {
            continue;
        }
        for (size_t k = 0; k < n_peers; k++) {
            if ((weir_peer_barred(peers[k]) & health_policy.bars) != 0) {
                (void) weir_peer_bar(peers[k], WEIR_BARRED_CHECK, false);
                (void) weir_peer_bar(peers[k], WEIR_BARRED_UNPROVEN, false);
            }
        }
    }
    if (n != 0 && --watch_process.sweeps != 0) {
        weir_timer_set(watch_process.life->loop, timer, (weir_msec_t) { WATCH_SWEEP_MS }, watch_on_sweep);
    }
}

void
health_watch_use(weir_life_t *life, weir_generation_t *generation)
{
    watch_process.life = life;
    watch_process.newest = generation;
    watch_process.epoch++;
    watch_process.sweeps = WATCH_SWEEPS;
    if (generation != NULL) {
        weir_timer_set(life->loop, &watch_process.sweep, (weir_msec_t) { WATCH_SWEEP_MS }, watch_on_sweep);
    } else {
        weir_timer_drop(&watch_process.sweep);
    }
    for (weir_list_t *l = watch_process.watches.next; watch_process.has_begun && l != &watch_process.watches;
         l = l->next)
    {
        watch_t *watch = weir_list_entry(l, watch_t, link);

        if (watch_check(&watch->slots[0]) != NULL) {
            watch_adopt(watch);
        }
        for (uint32_t i = 0; i < watch_settings(watch)->n; i++) {
            watch_slot_t *slot = &watch->slots[i];

            if (watch_check(slot) == NULL) {
                watch_stop(slot);
            } else if (slot->probe == NULL && slot->tcp == NULL) {
                watch_plan(slot);
            }
        }
    }
}

/* -- statistics -- */

enum { WATCH_TELLS_CHECKS, WATCH_TELLS_FAILS, WATCH_TELLS_UNHEALTHY, WATCH_TELLS_LAST, WATCH_TELLS_SINCE,
       WATCH_TELLS_DOWNTIME, WATCH_TELLS };

static const weir_told_t watch_tells[WATCH_TELLS] = {
    [WATCH_TELLS_CHECKS] = { .name = "checks", .kind = WEIR_TOLD_COUNT, .of_peer = true,
                             .help = "Health checks of the peer that have ended." },
    [WATCH_TELLS_FAILS] = { .name = "fails", .kind = WEIR_TOLD_COUNT, .of_peer = true,
                            .help = "Health checks that the peer has failed." },
    [WATCH_TELLS_UNHEALTHY] = { .name = "unhealthy", .kind = WEIR_TOLD_COUNT, .of_peer = true,
                                .help = "How often the peer became unhealthy." },
    [WATCH_TELLS_LAST] = { .name = "last_passed", .kind = WEIR_TOLD_GAUGE, .of_peer = true,
                           .help = "1: it has passed its last health check." },
    [WATCH_TELLS_SINCE] = { .name = "downstart_seconds", .kind = WEIR_TOLD_SECONDS, .of_peer = true,
                            .help = "Since when it is unhealthy, in Unix time; 0: it is not." },
    [WATCH_TELLS_DOWNTIME] = { .name = "downtime_seconds", .kind = WEIR_TOLD_SECONDS, .of_peer = true,
                               .help = "How long it was unhealthy, all in all." },
};

static void
watch_tell_numbers(const weir_uppolicy_of_t *of, const weir_peer_t *peer, uint64_t *numbers)
{
    const record_t *record;
    uint64_t              since, wall = weir_clock_wall_ms();

    if (peer == NULL) {
        return;
    }
    record = watch_record(weir_policy_peer(of, peer));
    since = record_load(&record->down_since);
    numbers[WATCH_TELLS_CHECKS] = record_load(&record->checks);
    numbers[WATCH_TELLS_FAILS] = record_load(&record->fails);
    numbers[WATCH_TELLS_UNHEALTHY] = record_load(&record->unhealthy);
    numbers[WATCH_TELLS_LAST] = record_load(&record->last_passed);
    numbers[WATCH_TELLS_SINCE] = since;
    numbers[WATCH_TELLS_DOWNTIME] = record_load(&record->downtime) + (since != 0 && wall > since ? wall - since : 0);
}

const weir_uppolicy_t health_policy = {
    .name = "health_checks",
    .group_size = sizeof(watch_group_t),
    .peer_size = sizeof(watch_t),
    .bars = WEIR_BARRED_CHECK | WEIR_BARRED_UNPROVEN,
    .peer_begin = watch_peer_begin,
    .peer_end = watch_peer_end,
    .tells = watch_tells,
    .n_tells = WATCH_TELLS,
    .tell = watch_tell_numbers,
};
