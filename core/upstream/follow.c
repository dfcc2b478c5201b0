/*
 * follow.c - see follow.h.  Runs in workers, each for itself; requests under way keep the group they began with.
 */
#include "upstream/follow.h"

#include "base/mem.h"
#include "log/log.h"
#include "os/clock.h"
#include "upstream/running.h"

#include <stdlib.h>
#include <string.h>

#define FOLLOW_SOONEST 1000              /* ms; names whose answers hold for no time are not asked for all the time */
#define FOLLOW_AGAIN   5000              /* ms, after one that led to nothing */
#define FOLLOW_CHUNK   4096

typedef struct {
    weir_follow_t *follow;
    size_t         index;
    weir_lookup_t  lookup;
    weir_timer_t   timer;
    weir_addr_t   *addrs;                /* heap; NULL: those of the load still hold */
    size_t         n;
    bool           has_failed;           /* and said so */
} follow_name_t;

struct weir_follow {
    weir_groups_t            *groups;
    weir_group_conf_t        *conf;
    const weir_follow_conf_t *follow;
    weir_loop_t              *loop;
    weir_resolver_t          *resolver;
    follow_name_t             names[];   /* follow->n; of those that are not followed nothing is used */
};

static void follow_ask(follow_name_t *name);

/* The group of what is known now, in the place of the one before. */
static void
follow_rebuild(weir_follow_t *follow)
{
    weir_arena_t scratch;
    weir_group_conf_t conf = *follow->conf;
    weir_follow_server_t *servers;
    weir_group_t *before = follow->conf->running;

    weir_assert(before != NULL);     /* the group of the load, at first */
    weir_arena_init(&scratch, FOLLOW_CHUNK);
    servers = weir_new_n(&scratch, weir_follow_server_t, follow->follow->n);
    for (size_t i = 0; i < follow->follow->n; i++) {
        servers[i] = follow->follow->servers[i];
        if (follow->names[i].addrs != NULL) {
            servers[i].addrs = (weir_addrs_t) { follow->names[i].addrs, follow->names[i].n };
        }
    }
    weir_upstream_fill(&scratch, &conf, servers, follow->follow->n);
    follow->conf->running = weir_group_attach(follow->groups, &conf);
    weir_group_unref(before);
    weir_arena_fini(&scratch);
}

/* Both have their order. */
static bool
follow_same(const follow_name_t *name, const weir_addr_t *addrs, size_t n)
{
    for (size_t i = 0; i < n && n == name->n; i++) {
        if (!weir_addr_eq(&addrs[i], &name->addrs[i])) {
            return false;
        }
    }
    return n == name->n;
}

static void
follow_on_timer(weir_timer_t *timer)
{
    follow_ask(weir_container_of(timer, follow_name_t, timer));
}

static void
follow_later(follow_name_t *name, uint64_t ms)
{
    weir_assert(!weir_list_linked(&name->lookup.link));     /* it asks now or later, not both */
    weir_timer_set(name->follow->loop, &name->timer, (weir_msec_t) { ms }, follow_on_timer);
}

static void
follow_take(follow_name_t *name, const weir_addr_t *addrs, size_t n)
{
    const weir_follow_server_t *server = &name->follow->follow->servers[name->index];
    weir_addr_t *mine = weir_mem_need(n * sizeof(*mine));

    weir_assert(n != 0);
    for (size_t i = 0; i < n; i++) {
        mine[i] = addrs[i];
        weir_addr_set_port(&mine[i], server->port);
    }
    qsort(mine, n, sizeof(*mine), weir_addr_compare_ip);    /* `hash` goes by their order: it is not to turn */
    name->has_failed = false;
    if (name->addrs != NULL && follow_same(name, mine, n)) {
        weir_mem_free(mine);
        return;
    }
    weir_mem_free(name->addrs);
    name->addrs = mine;
    name->n = n;
    follow_rebuild(name->follow);
}

static void
follow_resolved(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_addr_t *addrs, size_t n)
{
    follow_name_t *name = weir_container_of(lookup, follow_name_t, lookup);
    const weir_follow_server_t *server = &name->follow->follow->servers[name->index];
    uint64_t now = weir_clock_now().ms, until;

    if (result != WEIR_LOOKUP_OK) {
        if (!name->has_failed) {
            weir_log(WEIR_LOG_ERROR, NULL, 0,
                     "%.*s of upstream \"%.*s\" could not be resolved: %s; its last known addresses stay in use",
                     WEIR_STR_ARG(server->host),
                     WEIR_STR_ARG(name->follow->conf->name),
                     result == WEIR_LOOKUP_TIMEOUT ? "no name server answered" : "there is no such name");
        }
        name->has_failed = true;
        follow_later(name, FOLLOW_AGAIN);
        return;
    }
    follow_take(name, addrs, n);
    until = weir_resolver_expires(name->follow->resolver, server->host).ms;
    follow_later(name, weir_max(until > now ? until - now : 0, FOLLOW_SOONEST));
}

static void
follow_ask(follow_name_t *name)
{
    weir_follow_t *follow = name->follow;

    weir_assert(name->index < follow->follow->n && follow->follow->servers[name->index].is_followed);
    memset(&name->lookup, 0, sizeof(name->lookup));
    weir_resolver_lookup(follow->resolver, &name->lookup, follow->follow->servers[name->index].host,
                         follow->follow->settings->timeout, follow_resolved);
}

weir_follow_t *
weir_follow_start(weir_groups_t *groups, weir_group_conf_t *conf, const weir_follow_conf_t *servers)
{
    weir_follow_t *follow = weir_mem_need(sizeof(*follow) + servers->n * sizeof(follow->names[0]));

    weir_assert(conf->running != NULL && conf->follow == servers);
    follow->groups = groups;
    follow->conf = conf;
    follow->follow = servers;
    follow->loop = weir_groups_loop(groups);
    follow->resolver = weir_resolver_of(groups, &servers->settings->servers);
    for (size_t i = 0; i < servers->n; i++) {
        follow->names[i].follow = follow;
        follow->names[i].index = i;
        if (servers->servers[i].is_followed) {
            follow_ask(&follow->names[i]);
        }
    }
    return follow;
}

void
weir_follow_stop(weir_follow_t *follow)
{
    for (size_t i = 0; i < follow->follow->n; i++) {
        weir_resolver_cancel(&follow->names[i].lookup);
        weir_timer_drop(&follow->names[i].timer);
        weir_mem_free(follow->names[i].addrs);
    }
    weir_mem_free(follow);
}
