/*
 * names.c - see names.h.  Runs in the worker that asks for all; one object a name while it does.
 *
 * An answer is asked for again when it ends to hold.  What fails keeps the list that is there: a name server that is
 * down empties no group.  Only when servers say for a while that there is no such name, or that it has no address, is
 * the list empty.
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

typedef struct weir_names {
    weir_source_t    *source;
    weir_name_conf_t *conf;
    weir_loop_t      *loop;
    weir_resolver_t  *resolver;
    weir_lookup_t     lookup;
    weir_timer_t      timer;
    uint64_t          gone_since;        /* ms; 0: it is there */
    bool              has_failed;        /* and said so */
} names_t;

static void names_ask(names_t *names);

static void
names_on_timer(weir_timer_t *timer)
{
    names_ask(weir_container_of(timer, names_t, timer));
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

    return weir_addr_compare_ip(&a->addr, &b->addr);
}

static void
names_give_addrs(names_t *names, const weir_addr_t *addrs, size_t n)
{
    weir_source_peer_t *peers;

    n = weir_min(n, (size_t) WEIR_SOURCE_PEERS);
    peers = weir_mem_need(n * sizeof(*peers));
    for (size_t i = 0; i < n; i++) {
        peers[i].addr = addrs[i];
        weir_addr_set_port(&peers[i].addr, names->conf->port);
    }
    qsort(peers, n, sizeof(*peers), names_compare);    /* `hash` goes by their order: it is not to turn */
    weir_source_give(names->source, peers, n);
    weir_mem_free(peers);
}

/* -- what did not -- */

static void
names_failed(names_t *names, weir_lookup_result_t result)
{
    uint64_t now = weir_clock_now().ms;

    if (!names->has_failed) {
        weir_log(WEIR_LOG_ERROR, NULL, 0,
                 "%.*s of upstream \"%.*s\" could not be resolved: %s; its last known addresses stay in use",
                 WEIR_STR_ARG(names->conf->host), WEIR_STR_ARG(names->source->group->name),
                 result == WEIR_LOOKUP_TIMEOUT ? "no name server answered"
                 : result == WEIR_LOOKUP_FAILED ? "the name servers say that they cannot" : "there is no such name");
    }
    names->has_failed = true;
    if (result != WEIR_LOOKUP_NO_NAME) {
        names->gone_since = 0;
    } else if (names->gone_since == 0) {
        names->gone_since = now;
    } else if (now - names->gone_since >= NAMES_GONE) {
        weir_source_give(names->source, NULL, 0);
    }
    names_later(names, NAMES_AGAIN);
}

static void
names_on_addrs(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_addr_t *addrs, size_t n)
{
    names_t *names = weir_container_of(lookup, names_t, lookup);
    uint64_t now = weir_clock_now().ms, until;

    if (result != WEIR_LOOKUP_OK) {
        names_failed(names, result);
        return;
    }
    names->has_failed = false;
    names->gone_since = 0;
    names_give_addrs(names, addrs, n);
    until = weir_resolver_expires(names->resolver, names->conf->host).ms;
    names_later(names, weir_max(until > now ? until - now : 0, NAMES_SOONEST));
}

static void
names_ask(names_t *names)
{
    memset(&names->lookup, 0, sizeof(names->lookup));
    weir_resolver_lookup(names->resolver, &names->lookup, names->conf->host, names->conf->settings->timeout,
                         names_on_addrs);
}

/* -- the source -- */

static void
names_begin(weir_source_t *source)
{
    weir_name_conf_t *conf = source->owner;
    weir_groups_t    *groups = weir_follow_groups(source->line);
    names_t          *names = weir_mem_need(sizeof(*names));

    weir_assert(conf->running == NULL);
    *names = (names_t) { .source = source, .conf = conf, .loop = weir_groups_loop(groups),
                         .resolver = weir_resolver_of(groups, &conf->settings->servers) };
    conf->running = names;
    names_ask(names);
}

static void
names_end(weir_source_t *source)
{
    weir_name_conf_t *conf = source->owner;
    names_t          *names = conf->running;

    weir_assert(names != NULL);
    weir_resolver_cancel(&names->lookup);
    weir_timer_drop(&names->timer);
    weir_mem_free(names);
    conf->running = NULL;
}

const weir_source_ops_t weir_names_ops = { .begin = names_begin, .end = names_end };
