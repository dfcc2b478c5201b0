/*
 * shares.c - what part of the requests each host set of a group is due: Envoy's priority levels, panic threshold and
 * zone aware routing.
 *
 * Runs in workers, on the loop's thread, and in `weir simulate`.
 *
 * A level is a host set; with zone_aware, all sets of one priority.  A level's health is the part of its peers that may
 * be asked, times the factor of overprovisioning, and 100 at most; from the first level on, each takes what its health
 * is worth of what those before it have left.  When all of them together are worth less than 100, each takes its part
 * of that sum, and a level is in panic when a smaller part of its peers than the threshold may be asked: all of its
 * peers are used then.  When all levels are in panic, each takes its part by the number of its peers.
 *
 * The sets of a level with zone_aware share what it is due so that each peer has as much to do as any other, though
 * each gateway gives what it can to its own zone.
 *
 * Backups have no part in all this: they are asked when no other peer may be, as in nginx.
 */
#include "log/log.h"
#include "os/clock.h"
#include "upstream/locality.h"
#include "upstream/order.h"
#include "upstream/running.h"

#define SHARES_ZONE 10000            /* callers and peers of a zone are in parts of it */

static void
shares_count(weir_host_set_t *set, weir_instant_t now)
{
    set->standing = set->healthy = 0;
    if (set->order != NULL) {
        set->standing = set->n - weir_order_down(set);
        set->healthy = weir_order_awake(set, now);
        return;
    }
    for (size_t i = 0; i < set->n; i++) {
        set->standing += !set->peers[i]->conf->down;
        set->healthy += !set->peers[i]->conf->down && !weir_peer_rests(set->peers[i], now);
    }
}

static bool
shares_is_same_level(const weir_group_t *group, const weir_host_set_t *a, const weir_host_set_t *b)
{
    return group->conf.n_zones != 0 && a->peers[0]->conf->priority == b->peers[0]->conf->priority;
}

/* The level that begins with that set. */
static weir_level_t
shares_level(const weir_group_t *group, size_t first)
{
    weir_level_t level = { .sets = &group->sets[first] };

    do {
        level.peers += level.sets[level.n].standing;
        level.healthy += level.sets[level.n].healthy;
        level.n++;
    } while (first + level.n < group->n_sharing && shares_is_same_level(group, level.sets, &level.sets[level.n]));
    level.health = level.peers == 0 ? 0
                   : (uint32_t) weir_min(level.healthy * group->conf.overprovisioning / level.peers, UINT64_C(100));
    return level;
}

/* -- within a level -- */

/* Each set of the level is due its part of `all`, by what it counts for; what rounding leaves over is the first one's
 * that has some. */
static void
shares_split(const weir_level_t *level, uint32_t all)
{
    weir_host_set_t *first = NULL;
    uint64_t         sum = 0;
    uint32_t         left = all;

    for (size_t i = 0; i < level->n; i++) {
        sum += level->sets[i].counts;
    }
    for (size_t i = 0; i < level->n; i++) {
        uint32_t part = sum != 0 ? (uint32_t) (all * level->sets[i].counts / sum) : 0;

        level->sets[i].share += part;
        left -= part;
        first = first == NULL && level->sets[i].counts != 0 ? &level->sets[i] : first;
    }
    if (first != NULL) {
        first->share += left;
    }
}

/* A set's zone is said by the distance of its peers: 0 is this gateway's own. */
static uint64_t
shares_callers(const weir_group_conf_t *conf, const weir_host_set_t *set, uint64_t all)
{
    size_t zone = set->peers[0]->conf->distance;

    return zone < conf->n_zones ? (uint64_t) conf->zones[zone].callers * SHARES_ZONE / all : 0;
}

/* In parts of SHARES_ZONE: what part of its own requests this gateway's zone can take, without more to do for its peers
 * than for others; the rest goes to the zones that have more of the peers than of the callers, each by how much. */
static void
shares_split_zones(const weir_group_conf_t *conf, const weir_level_t *level, uint32_t all)
{
    const bool has_own = level->sets[0].peers[0]->conf->distance == 0;
    uint64_t   callers = 0, own, direct = 0, residual = 0;

    for (size_t i = 0; i < conf->n_zones; i++) {
        callers += conf->zones[i].callers;
    }
    weir_assert(callers != 0 && conf->zones[0].callers != 0 && level->healthy != 0);
    own = (uint64_t) conf->zones[0].callers * SHARES_ZONE / callers;
    for (size_t i = 0; i < level->n; i++) {
        uint64_t peers = level->sets[i].healthy * SHARES_ZONE / level->healthy;
        uint64_t calls = shares_callers(conf, &level->sets[i], callers);

        if (i == 0 && has_own) {
            direct = peers >= own ? SHARES_ZONE : peers * SHARES_ZONE / weir_max(own, UINT64_C(1));
            level->sets[i].counts = 0;
        } else {
            level->sets[i].counts = peers > calls ? peers - calls : 0;
            residual += level->sets[i].counts;
        }
    }
    for (size_t i = has_own ? 1 : 0; i < level->n && residual == 0; i++) {
        level->sets[i].counts = level->sets[i].healthy != 0;     /* none has any room: each zone takes the same */
    }
    level->sets[0].share += (uint32_t) ((uint64_t) all * direct / SHARES_ZONE);
    shares_split(level, all - (uint32_t) ((uint64_t) all * direct / SHARES_ZONE));
}

/* What the level is due goes to its sets. */
static void
shares_give(const weir_group_t *group, const weir_level_t *level, uint32_t all)
{
    if (level->n == 1) {
        level->sets[0].share = all;
        return;
    }
    if (!level->is_panic && level->healthy != 0) {
        shares_split_zones(&group->conf, level, all);
        return;
    }
    for (size_t i = 0; i < level->n; i++) {
        level->sets[i].counts = level->sets[i].standing;
    }
    shares_split(level, all);
}

/* -- among levels -- */

/* Each has its part of all by `of`; what rounding has left over is the first one's that has some. */
static void
shares_load(weir_level_t *levels, size_t n, uint64_t (*of)(const weir_level_t *level), uint64_t sum)
{
    uint64_t      left = WEIR_SHARE_WHOLE;
    weir_level_t *first = NULL;

    for (size_t i = 0; i < n; i++) {
        levels[i].load = sum != 0 ? (uint32_t) weir_min(of(&levels[i]) * WEIR_SHARE_WHOLE / sum, left) : 0;
        left -= levels[i].load;
        first = first == NULL && levels[i].load != 0 ? &levels[i] : first;
    }
    weir_assert((first != NULL) == (sum != 0));     /* what is worth something gets something */
    if (first != NULL) {
        first->load += (uint32_t) left;
    }
}

static uint64_t
shares_number(const weir_level_t *level)
{
    return level->peers;
}

static uint64_t
shares_health(const weir_level_t *level)
{
    return level->health;
}

/* All of them are. */
static bool
shares_panic(const weir_group_t *group, weir_level_t *levels, size_t n, uint32_t health)
{
    bool total = group->conf.panic != 0;

    for (size_t i = 0; i < n; i++) {
        levels[i].is_panic = health < 100 && levels[i].peers != 0
                             && levels[i].healthy * 100 < (uint64_t) group->conf.panic * levels[i].peers;
        total = total && (levels[i].is_panic || levels[i].peers == 0);
    }
    return total;
}

/* The level's sets know whether it is in panic; what changes is logged. */
static void
shares_tell_panic(weir_group_t *group, const weir_level_t *level)
{
    for (size_t i = 0; i < level->n; i++) {
        weir_host_set_t *set = &level->sets[i];

        if (set->is_panic == level->is_panic) {
            continue;
        }
        set->is_panic = level->is_panic;
        group->n_panic += set->is_panic ? 1 : (size_t) -1;
        weir_order_panic(set);
        weir_log(WEIR_LOG_WARN, NULL, 0, "%zu of %zu servers of upstream \"%.*s\", priority %u, are healthy: %s",
                 (size_t) level->healthy, (size_t) level->peers, WEIR_STR_ARG(group->conf.name),
                 (unsigned) set->peers[0]->conf->priority,
                 set->is_panic ? "all of them are used (panic)" : "those only are used again");
    }
}

void
weir_shares_update(weir_group_t *group, weir_instant_t now)
{
    weir_level_t *levels = group->levels;
    uint64_t      peers = 0;
    uint32_t      health = 0;
    size_t        n = 0;

    for (size_t i = 0; i < group->n_sharing; i++) {
        shares_count(&group->sets[i], now);
        group->sets[i].share = 0;
    }
    for (size_t i = 0; i < group->n_sharing; i += levels[n++].n) {
        levels[n] = shares_level(group, i);
        health += levels[n].health;
        peers += levels[n].peers;
    }
    health = health < 100 ? health : 100;
    if (shares_panic(group, levels, n, health)) {
        shares_load(levels, n, shares_number, peers);
    } else {
        shares_load(levels, n, shares_health, health);
    }
    for (size_t i = 0; i < n; i++) {
        shares_tell_panic(group, &levels[i]);
        shares_give(group, &levels[i], levels[i].load);
    }
    group->n_levels = n;
    group->shared_at = now;
    group->shared_as = group->changed;
}

/* -- for statistics -- */

static const weir_told_t shares_tells[] = {
    { .name = "sets", .help = "Sets of servers that are in panic: all of them are used.", .kind = WEIR_TOLD_GAUGE },
};

static void
shares_tell(const weir_uppolicy_of_t *of, const weir_peer_t *peer, uint64_t *numbers)
{
    if (peer == NULL) {
        weir_group_look(of->group);          /* no request may have come since */
        weir_shares_update(of->group, weir_clock_now());
        numbers[0] = of->group->n_panic;
    }
}

const weir_uppolicy_t weir_shares_policy = {
    .name = "panic",
    .tells = shares_tells,
    .n_tells = weir_countof(shares_tells),
    .tell = shares_tell,
};
