/*
 * resolver.c - see resolver.h: what is known of names, and the requests that wait for them.  How they are asked for is
 * resolver_ask.c.
 *
 * Names live in a table of fixed size; when it is full the one that has not been asked for longest goes.
 */
#include "event/resolver_name.h"

#include "base/mem.h"
#include "os/clock.h"
#include "os/sys.h"

#include <string.h>

#define RESOLVE_NAMES     4096            /* remembered */
#define RESOLVE_NEGATIVE  1000            /* ms that "no such name" holds where the answer does not say, or a failure */
#define RESOLVE_NEGATIVE_MAX 60           /* s; a zone may say hours, and the name come in a minute */
#define RESOLVE_STALE     5000            /* ms that an old answer holds anew when there is no other */
#define RESOLVE_PATIENCE  ((weir_msec_t) { 1800 })    /* of a waiter that could have an old one (RFC 8767 §5) */

/* -- answered -- */

static bool
half_has_said(const half_t *half)
{
    return half->state == HALF_DONE && half->result != WEIR_DNS_FAILED;
}

/* What is known while there is no newer answer. */
static bool
name_may_be_old(const name_t *name)
{
    return name->n != 0 && name->last.ms > weir_clock_now().ms;
}

/* Addresses of a half, or the old ones of its kind where no server has said anything new.  They are written to `to`, or
 * counted only (NULL).  Returns how many there are. */
static size_t
name_gather(const name_t *name, size_t i, weir_addr_t *to, bool *is_old)
{
    const half_t *half = &name->half[i];
    sa_family_t family = i == 0 ? AF_INET : AF_INET6;
    size_t n = 0;

    if (half->state == HALF_NONE || half_has_said(half) || !name_may_be_old(name)) {
        if (to != NULL && half->n != 0) {
            memcpy(to, half->found, half->n * sizeof(*to));
        }
        return half->n;
    }
    for (size_t k = 0; k < name->n; k++) {
        if (name->addrs[k].any.sa_family == family) {
            if (to != NULL) {
                to[n] = name->addrs[k];
            }
            n++;
            *is_old = true;
        }
    }
    return n;
}

/* What was found takes the place of what was known, unless that is all there is. */
static void
name_take_found(name_t *name)
{
    bool is_old = false;
    size_t n;
    weir_addr_t *addrs;

    if (name->is_service) {
        if (half_has_said(&name->half[0]) || !name_may_be_old(name)) {
            weir_mem_free(name->services);
            name->services = name->half[0].found;
            name->n = name->half[0].n;
            name->half[0].found = NULL;
            name->half[0].n = 0;
        } else {
            is_old = true;
        }
        name->is_stale = is_old;
        return;
    }
    n = name_gather(name, 0, NULL, &is_old) + name_gather(name, 1, NULL, &is_old);
    addrs = n != 0 ? weir_mem_try(n * sizeof(*addrs)) : NULL;
    if (addrs != NULL) {
        (void) name_gather(name, 1, addrs + name_gather(name, 0, addrs, &is_old), &is_old);
    }
    weir_mem_free(name->addrs);
    name->addrs = addrs;
    name->n = addrs != NULL ? n : 0;
    name->is_stale = is_old;
}

static weir_lookup_result_t
name_result(const name_t *name)
{
    bool failed = false, has_said = false;

    if (name->n != 0) {
        return WEIR_LOOKUP_OK;
    }
    for (size_t i = 0; i < 2; i++) {
        has_said = has_said || name->half[i].state == HALF_DONE;
        failed = failed || (name->half[i].state == HALF_DONE && name->half[i].result == WEIR_DNS_FAILED);
    }
    return failed ? WEIR_LOOKUP_FAILED : has_said ? WEIR_LOOKUP_NO_NAME : WEIR_LOOKUP_TIMEOUT;
}

/* ms that it holds: what was said, or that nothing was. */
static uint64_t
name_holds(const name_t *name)
{
    const weir_resolver_conf_t *conf = &name->resolver->conf;
    uint64_t ttl = UINT64_MAX, negative = RESOLVE_NEGATIVE_MAX;

    for (size_t i = 0; i < 2; i++) {
        const half_t *half = &name->half[i];

        if (half_has_said(half)) {
            negative = weir_min(negative, (uint64_t) half->negative_ttl);
        }
        if (half_has_said(half) && (half->n != 0 || name->is_service)) {
            ttl = weir_min(ttl, (uint64_t) half->ttl);
        }
    }
    switch (name->result) {
    case WEIR_LOOKUP_OK:
        return name->is_stale ? RESOLVE_STALE
               : conf->valid.ms != 0 ? conf->valid.ms : weir_max(ttl, UINT64_C(1)) * 1000;
    case WEIR_LOOKUP_NO_NAME:
        return weir_max(negative * 1000, (uint64_t) RESOLVE_NEGATIVE);
    default:
        return RESOLVE_NEGATIVE;
    }
}

/* A waiter that is told may look up other names, for which room is made: this one stays meanwhile. */
static void
name_tell_one(name_t *name, weir_lookup_t *lookup)
{
    weir_assert((name->result == WEIR_LOOKUP_OK) == (name->n != 0));
    name->pins++;
    lookup->until = name->until;
    lookup->is_stale = name->is_stale;
    if (name->is_service) {
        lookup->served(lookup, name->result, name->services, name->n);
    } else {
        lookup->done(lookup, name->result, name->addrs, name->n);
    }
    weir_assert(name->pins > 0);
    name->pins--;
}

static void
name_tell(name_t *name)
{
    while (!weir_list_empty(&name->waiting)) {
        weir_lookup_t *lookup = weir_list_entry(name->waiting.next, weir_lookup_t, link);

        weir_list_remove(&lookup->link);
        weir_timer_drop(&lookup->timer);
        lookup->name = NULL;
        name_tell_one(name, lookup);
    }
}

static void
name_on_told(weir_task_t *task)
{
    name_tell(weir_container_of(task, name_t, told));
}

void
weir_resolver_over(name_t *name)
{
    uint64_t now = weir_clock_now().ms;

    weir_assert(name->is_asked && name->pins == 0);     /* no user reads the addresses that go now */
    weir_resolver_hang_up(name);
    weir_timer_clear(&name->again);
    name->is_asked = false;
    name_take_found(name);
    name->result = name_result(name);
    name->until.ms = now + name_holds(name);
    if (name->result == WEIR_LOOKUP_OK && !name->is_stale) {
        name->last.ms = name->until.ms + name->resolver->conf.stale.ms;
    }
    weir_resolver_forget_found(name);
    weir_task_post(name->resolver->loop, &name->told, name_on_told);      /* a waiter that is told may ask again */
}

/* -- names -- */

static weir_list_t *
resolver_bucket(weir_resolver_t *resolver, weir_str_t text)
{
    return &resolver->buckets[weir_str_hash(text, resolver->seed) & (RESOLVE_BUCKETS - 1)];
}

static void
name_free(name_t *name)
{
    weir_assert(name->pins == 0 && weir_list_empty(&name->waiting) && name->resolver->n_names > 0);
    weir_resolver_hang_up(name);
    weir_timer_drop(&name->again);
    weir_task_cancel(&name->told);
    weir_list_remove(&name->bucket);
    weir_list_remove(&name->recent);
    name->resolver->n_names--;
    weir_resolver_forget_found(name);
    weir_mem_free(name->addrs);
    weir_mem_free(name->services);
    weir_mem_free(name);
}

/* Room for one more: the one asked for longest ago that has no waiter. */
static bool
resolver_make_room(weir_resolver_t *resolver)
{
    weir_assert(resolver->n_names <= RESOLVE_NAMES);
    if (resolver->n_names < RESOLVE_NAMES) {
        return true;
    }
    for (weir_list_t *l = resolver->recent.prev; l != &resolver->recent; l = l->prev) {
        name_t *name = weir_list_entry(l, name_t, recent);
        if (weir_list_empty(&name->waiting) && name->pins == 0) {
            name_free(name);
            return true;
        }
    }
    return false;
}

static name_t *
resolver_find(weir_resolver_t *resolver, weir_str_t text, bool is_service)
{
    weir_list_t *bucket = resolver_bucket(resolver, text);

    for (weir_list_t *l = bucket->next; l != bucket; l = l->next) {
        name_t *name = weir_list_entry(l, name_t, bucket);
        if (name->is_service == is_service && weir_str_eq(name_text(name), text)) {
            return name;
        }
    }
    return NULL;
}

static name_t *
resolver_get(weir_resolver_t *resolver, weir_str_t text, bool is_service)
{
    name_t *name = resolver_find(resolver, text, is_service);

    if (name == NULL) {
        name = resolver_make_room(resolver) ? weir_mem_try(sizeof(*name) + text.len) : NULL;
        if (name == NULL) {
            return NULL;
        }
        memset(name, 0, sizeof(*name));
        name->resolver = resolver;
        name->is_service = is_service;
        name->text_len = text.len;
        memcpy(name->text, text.at, text.len);
        weir_list_init(&name->waiting);
        weir_list_push(resolver_bucket(resolver, text), &name->bucket);
        resolver->n_names++;
    } else {
        weir_list_remove(&name->recent);
    }
    weir_list_push(&resolver->recent, &name->recent);
    return name;
}

static size_t
resolver_lower(weir_str_t text, char *out)
{
    if (text.len != 0 && text.at[text.len - 1] == '.') {
        text.len--;
    }
    for (size_t i = 0; i < text.len; i++) {
        out[i] = weir_char_lower(text.at[i]);
    }
    return text.len;
}

/* No waiter is left: the name is not asked for any longer, unless old addresses serve meanwhile. */
static void
name_maybe_stop(name_t *name)
{
    if (name->is_asked && weir_list_empty(&name->waiting) && !name_may_be_old(name)) {
        weir_resolver_hang_up(name);
        weir_timer_clear(&name->again);
        name->is_asked = false;
    }
}

/* -- from outside -- */

static void
lookup_tell(weir_lookup_t *lookup, bool is_service, weir_lookup_result_t result)
{
    if (is_service) {
        lookup->served(lookup, result, NULL, 0);
    } else {
        lookup->done(lookup, result, NULL, 0);
    }
}

static void
lookup_on_timeout(weir_timer_t *timer)
{
    weir_lookup_t *lookup = weir_container_of(timer, weir_lookup_t, timer);
    name_t *name = lookup->name;

    weir_assert(name != NULL && weir_list_linked(&lookup->link));
    weir_list_remove(&lookup->link);
    lookup->name = NULL;
    if (name_may_be_old(name)) {           /* it serves, and is still asked for */
        name->is_stale = true;
        name->until.ms = weir_max(name->until.ms, weir_clock_now().ms + RESOLVE_STALE);
        name_tell_one(name, lookup);
        return;
    }
    name_maybe_stop(name);
    lookup_tell(lookup, name->is_service, WEIR_LOOKUP_TIMEOUT);
}

static void
resolver_look_up(weir_resolver_t *resolver, weir_lookup_t *lookup, weir_str_t text, weir_msec_t timeout,
                 bool is_service)
{
    char lower[256];
    name_t *name;

    weir_assert(!weir_list_linked(&lookup->link));       /* a lookup asks for one name at a time */
    if (!weir_dns_is_name(text)) {
        lookup_tell(lookup, is_service, WEIR_LOOKUP_NO_NAME);
        return;
    }
    name = resolver_get(resolver, weir_str(lower, resolver_lower(text, lower)), is_service);
    if (name == NULL) {
        lookup_tell(lookup, is_service, WEIR_LOOKUP_FAILED);
        return;
    }
    if (name->until.ms > weir_clock_now().ms && (!name->is_asked || name->is_stale)) {
        name_tell_one(name, lookup);
        return;
    }
    lookup->name = name;
    weir_list_append(&name->waiting, &lookup->link);
    if (name_may_be_old(name) && timeout.ms > RESOLVE_PATIENCE.ms) {
        timeout = RESOLVE_PATIENCE;
    }
    weir_timer_set(resolver->loop, &lookup->timer, timeout, lookup_on_timeout);
    if (!name->is_asked) {
        weir_resolver_ask(name);
    }
}

void
weir_resolver_lookup(weir_resolver_t *resolver, weir_lookup_t *lookup, weir_str_t text, weir_msec_t timeout,
                     void (*done)(weir_lookup_t *lookup, weir_lookup_result_t result, const weir_addr_t *addrs,
                                  size_t n))
{
    weir_assert(done != NULL);
    lookup->done = done;
    resolver_look_up(resolver, lookup, text, timeout, false);
}

void
weir_resolver_services(weir_resolver_t *resolver, weir_lookup_t *lookup, weir_str_t text, weir_msec_t timeout,
                       void (*served)(weir_lookup_t *lookup, weir_lookup_result_t result,
                                      const weir_service_t *services, size_t n))
{
    weir_assert(served != NULL);
    lookup->served = served;
    resolver_look_up(resolver, lookup, text, timeout, true);
}

void
weir_resolver_cancel(weir_lookup_t *lookup)
{
    name_t *name = lookup->name;

    if (name != NULL) {
        weir_assert(weir_list_linked(&lookup->link));
        weir_list_remove(&lookup->link);
        lookup->name = NULL;
        name_maybe_stop(name);
    }
    weir_timer_drop(&lookup->timer);
}

bool
weir_resolver_is(const weir_resolver_t *resolver, const weir_resolver_conf_t *conf)
{
    const weir_resolver_conf_t *its = &resolver->conf;

    if (its->n != conf->n || its->valid.ms != conf->valid.ms || its->ipv4 != conf->ipv4 || its->ipv6 != conf->ipv6
        || its->keeps_case != conf->keeps_case || its->stale.ms != conf->stale.ms)
    {
        return false;
    }
    for (size_t i = 0; i < conf->n; i++) {
        if (!weir_addr_eq(&its->servers[i], &conf->servers[i])) {
            return false;
        }
    }
    return true;
}

weir_resolver_t *
weir_resolver_create(weir_loop_t *loop, const weir_resolver_conf_t *conf)
{
    weir_resolver_t *resolver = weir_mem_need(sizeof(*resolver));

    weir_assert(conf->n != 0 && (conf->ipv4 || conf->ipv6));
    resolver->loop = loop;
    resolver->conf = *conf;
    resolver->seed = weir_random_seed(resolver);
    resolver->conf.servers = weir_mem_need(conf->n * sizeof(*conf->servers));
    memcpy(resolver->conf.servers, conf->servers, conf->n * sizeof(*conf->servers));
    resolver->habits = weir_mem_need(conf->n * sizeof(*resolver->habits));
    for (size_t i = 0; i < RESOLVE_BUCKETS; i++) {
        weir_list_init(&resolver->buckets[i]);
    }
    weir_list_init(&resolver->recent);
    return resolver;
}

/* Names that upstream blocks follow are asked about until their generation ends, which may be after this. */
static void
name_forget_waiting(name_t *name)
{
    while (!weir_list_empty(&name->waiting)) {
        weir_lookup_t *lookup = weir_list_entry(name->waiting.next, weir_lookup_t, link);

        weir_list_remove(&lookup->link);
        weir_timer_drop(&lookup->timer);
        lookup->name = NULL;
    }
}

void
weir_resolver_destroy(weir_resolver_t *resolver)
{
    while (!weir_list_empty(&resolver->recent)) {
        name_t *name = weir_list_entry(resolver->recent.next, name_t, recent);

        name_forget_waiting(name);
        name_free(name);
    }
    weir_mem_free(resolver->conf.servers);
    weir_mem_free(resolver->habits);
    weir_assert(resolver->n_names == 0);
    weir_mem_free(resolver);
}
