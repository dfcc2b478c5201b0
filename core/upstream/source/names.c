/*
 * names.c - see names.h.  Runs in the worker that asks for all; one object a name while it does, and one for each
 * target of a service.
 *
 * An answer is asked for again when it ends to hold.  What fails keeps the list that is there: a name server that is
 * down empties no group.  Only when servers say for a while that there is no such name, or that it has no address, is
 * the list empty.  Of a service whose targets are not all found those that were known keep their addresses.
 *
 * Threat: a server of names makes long lists.  So many targets are taken, a few of them asked for at one time; what an
 * answer says beside its records is not believed: each target is asked for by itself.
 */
#include "upstream/names.h"

#include "base/mem.h"
#include "log/log.h"
#include "os/clock.h"
#include "upstream/follow.h"
#include "upstream/running.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_SOONEST 1000               /* ms; names whose answers hold for no time are not asked for all the time */
#define NAMES_AGAIN   5000               /* ms, after one that led to nothing */
#define NAMES_GONE    30000              /* ms that a name must not exist until its addresses are given up */

#define NAMES_AT_ONCE 16                 /* targets that are asked for at one time */

typedef struct weir_names names_t;

/* One record of a service. */
typedef struct {
    names_t             *names;
    weir_lookup_t        lookup;
    weir_service_t       service;
    uint16_t             level;          /* 0: the lowest priority; 1, 2 …: those behind it */
    weir_lookup_result_t result;
    weir_addr_t         *addrs;          /* heap */
    size_t               n;
} names_target_t;

struct weir_names {
    weir_source_run_t      *run;
    const weir_name_conf_t *conf;
    weir_loop_t      *loop;
    weir_resolver_t  *resolver;
    weir_lookup_t     lookup;
    weir_timer_t      timer;
    size_t            asked;             /* which of the conf's names */
    uint64_t          until;             /* ms: what came holds */
    uint64_t          gone_since;        /* ms; 0: it is there */
    bool              has_failed;        /* and said so */
    bool              is_starting;       /* targets are being asked for: answers from inside only count */
    names_target_t   *targets;           /* of a service; heap, with texts behind them */
    size_t            n_targets, n_begun, n_ended;
};

static void names_ask(names_t *names, size_t asked);

static void
names_on_timer(weir_timer_t *timer)
{
    names_ask(weir_container_of(timer, names_t, timer), 0);
}

static void
names_later(names_t *names, uint64_t ms)
{
    weir_assert(!weir_list_linked(&names->lookup.link));     /* it asks now or later, not both */
    weir_timer_set(names->loop, &names->timer, (weir_msec_t) { ms }, names_on_timer);
}

/* -- what came -- */

static int
names_compare(const void *a_, const void *b_)
{
    const weir_source_peer_t *a = a_, *b = b_;
    int order;

    if (a->backup != b->backup || a->priority != b->priority) {
        return (a->backup != b->backup ? a->backup : a->priority > b->priority) ? 1 : -1;
    }
    order = weir_addr_compare_ip(&a->addr, &b->addr);
    return order != 0 ? order : (int) weir_addr_port(&a->addr) - (int) weir_addr_port(&b->addr);
}

/* By rank, address and port: `hash` goes by their order, which is not to turn. */
static void
names_give(names_t *names, weir_source_peer_t *peers, size_t n)
{
    qsort(peers, n, sizeof(*peers), names_compare);
    names->gone_since = 0;
    weir_source_give(names->run, peers, n);
}

static void
names_give_addrs(names_t *names, const weir_addr_t *addrs, size_t n)
{
    weir_source_peer_t *peers;

    n = weir_min(n, (size_t) WEIR_SOURCE_PEERS);
    peers = weir_mem_try(n * sizeof(*peers));
    if (peers == NULL) {
        return;                              /* the list stays as it was */
    }
    memset(peers, 0, n * sizeof(*peers));
    for (size_t i = 0; i < n; i++) {
        peers[i].addr = addrs[i];
        weir_addr_set_port(&peers[i].addr, names->conf->port);
    }
    names_give(names, peers, n);
    weir_mem_free(peers);
}

/* -- what did not -- */

/* Once, until it succeeds. */
static void
names_tell_failure(names_t *names, const char *why)
{
    if (!names->has_failed) {
        weir_log(WEIR_LOG_ERROR, NULL, 0,
                 "%.*s of upstream \"%.*s\" could not be resolved: %s; its last known addresses stay in use",
                 WEIR_STR_ARG(names->conf->host), WEIR_STR_ARG(names->run->source->group->name), why);
    }
    names->has_failed = true;
}

/* There is a list; is_stale: an old one, because no server has another. */
static void
names_answered(names_t *names, bool is_stale)
{
    if (is_stale) {
        weir_source_failed(names->run, WEIR_SOURCE_SILENT);
        names_tell_failure(names, "no name server has a newer answer");
        return;
    }
    names->has_failed = false;
    weir_source_confirm(names->run);
}

static void
names_failed(names_t *names, weir_lookup_result_t result)
{
    uint64_t now = weir_clock_now().ms;

    weir_source_failed(names->run, result == WEIR_LOOKUP_TIMEOUT ? WEIR_SOURCE_SILENT
                       : result == WEIR_LOOKUP_FAILED ? WEIR_SOURCE_REFUSED : WEIR_SOURCE_ABSENT);
    names_tell_failure(names, result == WEIR_LOOKUP_TIMEOUT ? "no name server answered"
                       : result == WEIR_LOOKUP_FAILED ? "the name servers say that they cannot"
                       : "there is no such name");
    if (result != WEIR_LOOKUP_NO_NAME) {
        names->gone_since = 0;
    } else if (names->gone_since == 0) {
        names->gone_since = now;
    } else if (now - names->gone_since >= NAMES_GONE) {
        weir_source_give(names->run, NULL, 0);
    }
    names_later(names, weir_max(names->until > now ? names->until - now : 0, NAMES_AGAIN));
}

static void
names_done(names_t *names)
{
    uint64_t now = weir_clock_now().ms;

    names_later(names, weir_max(names->until > now ? names->until - now : 0, NAMES_SOONEST));
}

/* No answer for this name: is there another to be asked for? */
static bool
names_go_on(names_t *names, weir_lookup_result_t result)
{
    names->until = names->lookup.until.ms;
    if (result == WEIR_LOOKUP_OK) {
        return false;
    }
    if (result == WEIR_LOOKUP_NO_NAME && names->asked + 1 < names->conf->asked.n) {
        names_ask(names, names->asked + 1);
    } else {
        names_failed(names, result);
    }
    return true;
}

static void
names_on_addrs(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_addr_t *addrs, size_t n)
{
    names_t *names = weir_container_of(lookup, names_t, lookup);

    if (names_go_on(names, result)) {
        return;
    }
    names_answered(names, lookup->is_stale);
    names_give_addrs(names, addrs, n);
    names_done(names);
}

/* -- services -- */

static void
names_drop_targets(names_t *names)
{
    for (size_t i = 0; i < names->n_targets; i++) {
        weir_resolver_cancel(&names->targets[i].lookup);
        weir_mem_free(names->targets[i].addrs);
    }
    weir_mem_free(names->targets);
    names->targets = NULL;
    names->n_targets = names->n_begun = names->n_ended = 0;
}

static weir_source_peer_t
names_peer(const names_t *names, const names_target_t *target, const weir_addr_t *addr)
{
    weir_source_peer_t peer = { .addr = *addr, .server = target->service.target, .backup = target->level != 0 };

    weir_addr_set_port(&peer.addr, target->service.port);
    peer.priority = target->level != 0 ? (uint16_t) (target->level - 1) : 0;
    if (names->run->source->model.weight == 1) {            /* else that is said for all */
        peer.weight = target->service.weight != 0 ? target->service.weight : 1;
    }
    return peer;
}

/* The target's peers behind those that there are, from `room` places.  What could not be asked for is as it was. */
static size_t
names_add_target(const names_t *names, const names_target_t *target, weir_source_peer_t *peers, size_t room)
{
    size_t n = 0, n_before;
    const weir_source_peer_t *before = weir_source_list(names->run, &n_before);

    for (size_t i = 0; i < target->n && n < room; i++) {
        peers[n++] = names_peer(names, target, &target->addrs[i]);
    }
    for (size_t i = 0; target->result != WEIR_LOOKUP_OK && target->result != WEIR_LOOKUP_NO_NAME && i < n_before
         && n < room; i++)
    {
        if (weir_str_eq(before[i].server, target->service.target)
            && weir_addr_port(&before[i].addr) == target->service.port)
        {
            peers[n++] = names_peer(names, target, &before[i].addr);
        }
    }
    return n;
}

static void
names_over(names_t *names)
{
    weir_source_peer_t *peers = weir_mem_try(WEIR_SOURCE_PEERS * sizeof(*peers));
    weir_lookup_result_t result = WEIR_LOOKUP_NO_NAME;
    size_t n = 0;
    bool is_stale = names->lookup.is_stale;

    for (size_t i = 0; peers != NULL && i < names->n_targets; i++) {
        const names_target_t *target = &names->targets[i];

        n += names_add_target(names, target, peers + n, WEIR_SOURCE_PEERS - n);
        result = target->result != WEIR_LOOKUP_NO_NAME ? target->result : result;
        is_stale = is_stale || target->lookup.is_stale;
        names->until = weir_min(names->until, target->lookup.until.ms);
    }
    if (n != 0) {
        names_answered(names, is_stale);
        names_give(names, peers, n);
        names_done(names);
    } else {
        names_failed(names, result == WEIR_LOOKUP_OK ? WEIR_LOOKUP_FAILED : result);
    }
    weir_mem_free(peers);
}

static void names_go_on_targets(names_t *names);

static void
names_on_target(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_addr_t *addrs, size_t n)
{
    names_target_t *target = weir_container_of(lookup, names_target_t, lookup);

    target->result = result;
    target->addrs = result == WEIR_LOOKUP_OK ? weir_mem_try(n * sizeof(*addrs)) : NULL;
    if (target->addrs != NULL) {
        memcpy(target->addrs, addrs, n * sizeof(*addrs));
        target->n = n;
    }
    target->names->n_ended++;
    names_go_on_targets(target->names);
}

/* As many as may be asked for at one time; when all have been, the list. */
static void
names_go_on_targets(names_t *names)
{
    if (names->is_starting) {
        return;
    }
    names->is_starting = true;
    while (names->n_begun < names->n_targets && names->n_begun - names->n_ended < NAMES_AT_ONCE) {
        names_target_t *target = &names->targets[names->n_begun++];

        weir_resolver_lookup(names->resolver, &target->lookup, target->service.target, names->conf->settings->timeout,
                             names_on_target);
    }
    names->is_starting = false;
    if (names->n_ended == names->n_targets) {
        names_over(names);
    }
}

static int
names_compare_services(const void *a_, const void *b_)
{
    const weir_service_t *a = a_, *b = b_;

    return (int) a->priority - (int) b->priority;
}

/* Copies, in the order of their priorities.  false: no memory. */
static bool
names_take_services(names_t *names, const weir_service_t *services, size_t n)
{
    weir_service_t *sorted = weir_mem_try(n * sizeof(*sorted));
    size_t texts = 0;
    char *text;

    for (size_t i = 0; i < n; i++) {
        texts += services[i].target.len;
    }
    names->targets = weir_mem_try(n * sizeof(*names->targets) + texts);
    if (sorted != NULL && names->targets != NULL) {
        memcpy(sorted, services, n * sizeof(*sorted));
        qsort(sorted, n, sizeof(*sorted), names_compare_services);
        memset(names->targets, 0, n * sizeof(*names->targets));
        text = (char *) (names->targets + n);
        for (size_t i = 0; i < n; i++) {
            names_target_t *target = &names->targets[i];

            memcpy(text, sorted[i].target.at, sorted[i].target.len);
            target->names = names;
            target->service = sorted[i];
            target->service.target = weir_str(text, sorted[i].target.len);
            target->level = i == 0 ? 0 : (uint16_t) (names->targets[i - 1].level
                                                     + (sorted[i].priority != sorted[i - 1].priority));
            text += sorted[i].target.len;
        }
        names->n_targets = n;
    }
    weir_mem_free(sorted);
    return names->n_targets == n;
}

static void
names_on_services(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_service_t *services, size_t n)
{
    names_t *names = weir_container_of(lookup, names_t, lookup);

    if (names_go_on(names, result)) {
        return;
    }
    names_drop_targets(names);
    if (names_take_services(names, services, n)) {
        names_go_on_targets(names);
    } else {
        names_drop_targets(names);
        names_failed(names, WEIR_LOOKUP_FAILED);
    }
}

static void
names_ask(names_t *names, size_t asked)
{
    const weir_name_conf_t *conf = names->conf;

    weir_assert(asked < conf->asked.n);
    names->asked = asked;
    memset(&names->lookup, 0, sizeof(names->lookup));
    if (conf->service.len != 0) {
        weir_resolver_services(names->resolver, &names->lookup, conf->asked.at[asked], conf->settings->timeout,
                               names_on_services);
    } else {
        weir_resolver_lookup(names->resolver, &names->lookup, conf->asked.at[asked], conf->settings->timeout,
                             names_on_addrs);
    }
}

/* -- the source -- */

static void
names_begin(weir_source_run_t *run)
{
    const weir_name_conf_t *conf = run->source->owner;
    weir_groups_t          *groups = weir_follow_groups(run);
    names_t                *names = weir_mem_need(sizeof(*names));

    weir_assert(run->state == NULL);
    *names = (names_t) { .run = run, .conf = conf, .loop = weir_groups_loop(groups),
                         .resolver = weir_resolver_of(groups, &conf->settings->said.servers) };
    run->state = names;
    names_ask(names, 0);
}

static void
names_end(weir_source_run_t *run)
{
    names_t *names = run->state;

    weir_assert(names != NULL);
    names_drop_targets(names);
    weir_resolver_cancel(&names->lookup);
    weir_timer_drop(&names->timer);
    weir_mem_free(names);
    run->state = NULL;
}

const weir_source_ops_t weir_names_ops = { .begin = names_begin, .end = names_end };
