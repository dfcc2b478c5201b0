/*
 * issuer.c - see issuer.h.  Runs in workers; memory: a row for each URL, its set, and one fetch at a time.
 */
#include "issuer.h"

#include "base/mem.h"
#include "event/wake.h"
#include "http/http.h"
#include "os/clock.h"
#include "shm/entries.h"
#include "shm/slots.h"
#include "shm/zone.h"

#define ISSUER_ROOM        ((uint64_t) 8 << 20)      /* of the shared table */
#define ISSUER_TEXT_MAX    ((size_t) 512 << 10)
#define ISSUER_KEY_MAX     2100                      /* of an entry: a letter and the URL */
#define ISSUER_LIMIT_MS    10000                     /* of a fetch */
#define ISSUER_LEASE_MS    15000
#define ISSUER_LOOK_MS     500                       /* who waits for another's fetch looks so often */
#define ISSUER_RENEW_MIN_S 60
#define ISSUER_RENEW_S     600                       /* where the issuer does not say */
#define ISSUER_RENEW_MAX_S 86400
#define ISSUER_BACKOFF_MS  1000                      /* after a failure, doubled up to: */
#define ISSUER_BACKOFF_MAX 30000
#define ISSUER_WAITERS     1024                      /* of one process */
#define ISSUER_RINGS       ((uint64_t) 1 << 41)      /* a bit of the topic of entries that is seldom another's */

struct jwt_issuer {
    weir_list_t          link;
    jwt_url_t           *via;                        /* of the newest generation that names it; NULL: none does */
    weir_generation_t   *generation;                 /* via's; borrowed */
    weir_str_t           url;                        /* its own copy */
    const weir_entries_t *shared;
    jwt_set_t           *set;
    uint64_t             serial;                     /* of the entry that it is of */
    weir_instant_t       renew, expires;
    weir_timer_t         timer;
    weir_list_t          waiters;
    weir_fetch_t        *fetch;
    weir_generation_t   *held;                       /* while fetching */
    uint64_t             lease;                      /* serial of ours */
    struct issuers      *all;
};

/* Of a process. */
typedef struct issuers {
    weir_list_t          list;
    weir_life_t         *life;
    weir_http_t         *http;                       /* NULL until it is known */
    size_t               n_waiters;
    weir_wake_listener_t listener;
} issuers_t;

/* What stands before the set's text. */
typedef struct { uint64_t renew_ms; } issuer_head_t;
typedef struct { uint32_t slot; int32_t pid; } issuer_lease_t;
typedef struct { uint32_t failures; } issuer_mark_t;

/* -- what is shared -- */

const weir_zone_kind_t jwt_issuer_kind = {
    .name = "jwt-keys", .layout = 1, .fold = weir_entries_fold, .describe = weir_entries_describe,
};

static void
issuer_give_back(void *zone)
{
    weir_zone_give_back(zone);
}

bool
jwt_issuer_bind(weir_conf_t *cf, jwt_url_t *urls)
{
    weir_zone_id_t  id = { .kind = &jwt_issuer_kind, .name = WEIR_STR("issuers"),
                           .size = weir_entries_bytes(ISSUER_ROOM) };
    weir_error_t    error = { .text = "" };
    weir_entries_t *entries;
    weir_zone_t    *zone;

    if (urls == NULL) {
        return true;
    }
    zone = weir_zone_take(&id, &error);
    if (zone == NULL) {
        return weir_error_set(cf->error, "%s", error.text);
    }
    weir_arena_on_cleanup(cf->arena, issuer_give_back, zone);
    entries = weir_new(cf->arena, weir_entries_t);
    if (!weir_entries_open(entries, WEIR_STR("jwt-keys"), weir_zone_memory(zone), weir_zone_size(zone))) {
        return weir_error_set(cf->error, "the shared memory for keys of issuers holds something else");
    }
    for (jwt_url_t *url = urls; url != NULL; url = url->next) {
        url->shared = entries;
    }
    return true;
}

/* "k" the set, "l" the lease, "f" a fetch that was forced, "b" failures; in the room given. */
static weir_str_t
issuer_key(const jwt_issuer_t *issuer, char what, char room[ISSUER_KEY_MAX])
{
    room[0] = what;
    memcpy(room + 1, issuer->url.at, issuer->url.len);
    return weir_str(room, issuer->url.len + 1);
}

static bool
issuer_has(const jwt_issuer_t *issuer, char what, weir_instant_t *expires)
{
    char         room[ISSUER_KEY_MAX];
    weir_entry_t entry;

    if (weir_entries_get(issuer->shared, issuer_key(issuer, what, room), weir_clock_now(), &entry)
        != WEIR_ENTRIES_DONE)
    {
        return false;
    }
    *expires = entry.expires;
    weir_entry_release(&entry);
    return true;
}

/* Does somebody fetch now?  A lease whose worker has died is none, and neither is the fetch that was forced then. */
static bool
issuer_is_leased(const jwt_issuer_t *issuer, weir_instant_t *expires)
{
    char           room[ISSUER_KEY_MAX], other[ISSUER_KEY_MAX];
    weir_str_t     key = issuer_key(issuer, 'l', room);
    issuer_lease_t lease = { .slot = WEIR_SLOT_NONE };
    weir_entry_t   entry;
    bool           stands;

    if (weir_entries_get(issuer->shared, key, weir_clock_now(), &entry) != WEIR_ENTRIES_DONE) {
        return false;
    }
    stands = entry.size != sizeof(lease) || !weir_entry_copy(&entry, (char *) &lease) || lease.slot >= WEIR_SLOTS
             || weir_slots_owner(lease.slot) == lease.pid;
    if (!stands && weir_entries_drop(issuer->shared, key, entry.serial) == WEIR_ENTRIES_DONE) {
        (void) !weir_entries_drop(issuer->shared, issuer_key(issuer, 'f', other), WEIR_ENTRIES_ANY);
    }
    *expires = entry.expires;
    weir_entry_release(&entry);
    return stands;
}

/* -- the set of this process -- */

static void
issuer_take_set(jwt_issuer_t *issuer, weir_jwks_t *keys)
{
    jwt_set_unref(issuer->set);
    issuer->set = keys != NULL ? jwt_set_make(keys) : NULL;
}

/* The entry's text becomes the set.  One that was put there can be read: who fetched it has tried. */
static void
issuer_read(jwt_issuer_t *issuer, const weir_entry_t *entry)
{
    weir_error_t  error = { .text = "" };
    issuer_head_t head;
    weir_jwks_t  *keys;
    char         *text;

    if (entry->size < sizeof(head) || entry->size > sizeof(head) + ISSUER_TEXT_MAX) {
        return;
    }
    text = weir_mem_try((size_t) entry->size);
    if (text == NULL) {
        return;
    }
    if (weir_entry_copy(entry, text)) {
        memcpy(&head, text, sizeof(head));
        keys = weir_jwks_parse(weir_str(text + sizeof(head), (size_t) entry->size - sizeof(head)), &error);
        if (keys != NULL) {
            issuer_take_set(issuer, keys);
            issuer->serial = entry->serial;
            issuer->renew.ms = head.renew_ms;
            issuer->expires = entry->expires;
        }
    }
    weir_mem_wipe(text, (size_t) entry->size);
    weir_mem_free(text);
}

/* Is there another set now? */
static void
issuer_look(jwt_issuer_t *issuer)
{
    char         room[ISSUER_KEY_MAX];
    weir_entry_t entry;

    switch (weir_entries_get(issuer->shared, issuer_key(issuer, 'k', room), weir_clock_now(), &entry)) {
    case WEIR_ENTRIES_DONE:
        if (entry.serial != issuer->serial || issuer->set == NULL) {
            issuer_read(issuer, &entry);
        }
        weir_entry_release(&entry);
        break;
    case WEIR_ENTRIES_NONE:                          /* its time is over, or it gave way: the one in hand has a time */
        break;
    default:
        break;
    }
    if (issuer->set != NULL && weir_clock_now().ms >= issuer->expires.ms) {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "the keys of %.*s are too old: they are not used any more",
                 WEIR_STR_ARG(issuer->url));
        issuer_take_set(issuer, NULL);
        issuer->serial = 0;
    }
}

weir_jwks_t *
jwt_issuer_set(const jwt_url_t *url)
{
    const jwt_issuer_t *issuer = url->issuer;

    return issuer != NULL && issuer->set != NULL && weir_clock_now().ms < issuer->expires.ms ? issuer->set->keys : NULL;
}

/* -- who waits -- */

void
jwt_issuer_forget(jwt_waiter_t *waiter)
{
    if (waiter->issuer != NULL) {
        weir_list_remove(&waiter->link);
        weir_timer_drop(&waiter->timer);
        waiter->issuer->all->n_waiters--;
        waiter->issuer = NULL;
    }
}

/* All that wait now, once: one that begins again is behind them. */
static void
issuer_wake(jwt_issuer_t *issuer)
{
    weir_list_t woken;

    weir_list_init(&woken);
    while (!weir_list_empty(&issuer->waiters)) {
        weir_list_t *link = issuer->waiters.next;

        weir_list_remove(link);
        weir_list_append(&woken, link);
    }
    while (!weir_list_empty(&woken)) {
        jwt_waiter_t *waiter = weir_list_entry(woken.next, jwt_waiter_t, link);

        jwt_issuer_forget(waiter);
        waiter->on_wake(waiter);
    }
}

/* -- fetching -- */

static void issuer_on_timer(weir_timer_t *timer);

/* When there is something to do next: at the time of renewal, a little later in each process but the first. */
static void
issuer_plan(jwt_issuer_t *issuer)
{
    uint64_t       now = weir_clock_now().ms, at;
    weir_instant_t until;

    if (issuer->via == NULL) {
        weir_timer_clear(&issuer->timer);
        return;
    }
    at = issuer->set != NULL ? issuer->renew.ms : now;
    if (issuer_has(issuer, 'b', &until) || issuer_is_leased(issuer, &until)) {
        at = weir_max(at, weir_min(until.ms, now + ISSUER_LEASE_MS));
    }
    if (issuer->set != NULL) {
        at = weir_min(at, issuer->expires.ms);
    }
    weir_timer_set(issuer->all->life->loop, &issuer->timer, (weir_msec_t) { at > now ? at - now + 5 : 5 },
                   issuer_on_timer);
}

static void
issuer_give_up_lease(jwt_issuer_t *issuer)
{
    char room[ISSUER_KEY_MAX];

    if (issuer->lease != 0) {
        (void) !weir_entries_drop(issuer->shared, issuer_key(issuer, 'l', room), issuer->lease);
        issuer->lease = 0;
    }
}

/* Nobody asks for a while: longer from failure to failure, whose count outlives the pause by far. */
static void
issuer_failed(jwt_issuer_t *issuer, const char *why)
{
    char           room[ISSUER_KEY_MAX];
    weir_str_t     key = issuer_key(issuer, 'n', room);
    weir_instant_t now = weir_clock_now();
    issuer_mark_t  mark = { 0 };
    weir_entry_t   entry;
    uint64_t       wait = ISSUER_BACKOFF_MS;

    if (weir_entries_get(issuer->shared, key, now, &entry) == WEIR_ENTRIES_DONE) {
        if (entry.size != sizeof(mark) || !weir_entry_copy(&entry, (char *) &mark)) {
            mark.failures = 0;
        }
        weir_entry_release(&entry);
    }
    for (uint32_t i = 0; i < mark.failures && wait < ISSUER_BACKOFF_MAX; i++) {
        wait *= 2;
    }
    wait = weir_min(wait, ISSUER_BACKOFF_MAX);
    mark.failures++;
    (void) !weir_entries_put(issuer->shared, key, weir_str((char *) &mark, sizeof(mark)), now,
                             (weir_instant_t) { now.ms + 10 * ISSUER_BACKOFF_MAX }, WEIR_ENTRIES_ANY, NULL);
    (void) !weir_entries_put(issuer->shared, issuer_key(issuer, 'b', room), WEIR_STR_NONE, now,
                             (weir_instant_t) { now.ms + wait }, WEIR_ENTRIES_ANY, NULL);
    weir_log(issuer->set != NULL ? WEIR_LOG_WARN : WEIR_LOG_ERROR, NULL, 0, "the keys of %.*s could not be fetched: %s",
             WEIR_STR_ARG(issuer->url), why);
}

static uint64_t
issuer_renew_ms(const jwt_url_t *via, uint64_t max_age_s)
{
    if (via->cache.ms != 0) {
        return via->cache.ms;
    }
    max_age_s = max_age_s == UINT64_MAX ? ISSUER_RENEW_S : weir_max(max_age_s, ISSUER_RENEW_MIN_S);
    return weir_min(max_age_s, ISSUER_RENEW_MAX_S) * 1000;
}

static void
issuer_put(jwt_issuer_t *issuer, const weir_fetched_t *fetched)
{
    char                  room[ISSUER_KEY_MAX];
    weir_instant_t        now = weir_clock_now();
    const jwt_url_t      *via = issuer->via;
    uint64_t              renew = now.ms + issuer_renew_ms(via, fetched->max_age_s);
    issuer_head_t         head = { renew };
    weir_entry_writer_t   writer;
    weir_entries_result_t result;

    result = weir_entries_begin(issuer->shared, issuer_key(issuer, 'k', room), sizeof(head) + fetched->body.len, now,
                                &writer);
    if (result == WEIR_ENTRIES_DONE) {
        result = weir_entry_append(&writer, weir_str((char *) &head, sizeof(head)), now);
        if (result == WEIR_ENTRIES_DONE) {
            result = weir_entry_append(&writer, fetched->body, now);
        }
        if (result == WEIR_ENTRIES_DONE) {
            result = weir_entry_commit(&writer, now, (weir_instant_t) { renew + via->stale.ms }, WEIR_ENTRIES_ANY,
                                       NULL);
        }
        if (result != WEIR_ENTRIES_DONE) {
            weir_entry_abandon(&writer);
        }
    }
    if (result != WEIR_ENTRIES_DONE) {
        issuer_failed(issuer, "there is no room for them in shared memory");
        return;
    }
    (void) !weir_entries_drop(issuer->shared, issuer_key(issuer, 'b', room), WEIR_ENTRIES_ANY);
    (void) !weir_entries_drop(issuer->shared, issuer_key(issuer, 'n', room), WEIR_ENTRIES_ANY);
}

static void
issuer_fetched(void *data, const weir_fetched_t *fetched)
{
    jwt_issuer_t *issuer = data;
    weir_error_t  error = { .text = "" };
    weir_jwks_t  *keys;

    issuer->fetch = NULL;
    weir_assert(issuer->via != NULL);
    if (fetched->body.at == NULL) {
        issuer_failed(issuer, fetched->why);
    } else {
        keys = weir_jwks_parse(fetched->body, &error);
        if (keys == NULL) {
            issuer_failed(issuer, error.text);
        } else {
            weir_jwks_destroy(keys);
            issuer_put(issuer, fetched);
        }
    }
    issuer_give_up_lease(issuer);
    weir_generation_unref(issuer->held);
    issuer->held = NULL;
    weir_wake_post_all(WEIR_WAKE_ENTRY, ISSUER_RINGS);
    issuer_look(issuer);
    issuer_plan(issuer);
    issuer_wake(issuer);
}

/* Is somebody at it now: we, from here on, or another?  false: it cannot be. */
static bool
issuer_fetch(jwt_issuer_t *issuer)
{
    char           room[ISSUER_KEY_MAX];
    weir_instant_t now = weir_clock_now();
    issuer_lease_t lease = { weir_slot_mine.number, weir_slot_mine.pid };
    weir_fetch_spec_t spec = { .accept = WEIR_STR("application/jwk-set+json, application/json"),
                               .max_body = ISSUER_TEXT_MAX, .limit = { ISSUER_LIMIT_MS } };

    if (issuer->fetch != NULL) {
        return true;
    }
    if (issuer->via == NULL || issuer->all->http == NULL) {
        return false;
    }
    switch (weir_entries_put(issuer->shared, issuer_key(issuer, 'l', room), weir_str((char *) &lease, sizeof(lease)),
                             now, (weir_instant_t) { now.ms + ISSUER_LEASE_MS }, WEIR_ENTRIES_ABSENT, &issuer->lease))
    {
    case WEIR_ENTRIES_DONE:
        break;
    case WEIR_ENTRIES_OTHER:
        return true;
    default:
        return false;
    }
    issuer->held = weir_generation_ref(issuer->generation);
    issuer->fetch = weir_fetch(issuer->all->http, &issuer->via->at, &spec, issuer_fetched, issuer);
    if (issuer->fetch == NULL) {
        issuer_give_up_lease(issuer);
        weir_generation_unref(issuer->held);
        issuer->held = NULL;
        return false;
    }
    return true;
}

static void
issuer_on_timer(weir_timer_t *timer)
{
    jwt_issuer_t  *issuer = weir_container_of(timer, jwt_issuer_t, timer);
    weir_instant_t until;

    issuer->all->http = issuer->all->http != NULL ? issuer->all->http : weir_http_in(issuer->all->life);
    issuer_look(issuer);
    if ((issuer->set == NULL || weir_clock_now().ms >= issuer->renew.ms) && !issuer_has(issuer, 'b', &until)) {
        (void) !issuer_fetch(issuer);
    }
    issuer_plan(issuer);
}

/* -- waiting -- */

/* Until then nothing can come: the time, and false when it is of no use. */
static bool
issuer_wait_for(jwt_issuer_t *issuer, jwt_waiter_t *waiter, uint64_t *at)
{
    char           room[ISSUER_KEY_MAX];
    weir_instant_t now = weir_clock_now(), until;

    *at = now.ms + ISSUER_LOOK_MS;
    if (issuer_is_leased(issuer, &until)) {
        return true;                                 /* somebody is at it */
    }
    if (issuer_has(issuer, 'b', &until)) {
        return false;                                /* the issuer has just failed */
    }
    if (waiter->wants_other) {
        if (issuer_has(issuer, 'f', &until)) {
            *at = weir_max(until.ms, now.ms + 1);
            return true;
        }
        if (weir_entries_put(issuer->shared, issuer_key(issuer, 'f', room), WEIR_STR_NONE, now,
                             (weir_instant_t) { now.ms + issuer->via->refresh.ms }, WEIR_ENTRIES_ABSENT, NULL)
            != WEIR_ENTRIES_DONE)
        {
            return true;                             /* somebody has just begun */
        }
    }
    return issuer_fetch(issuer);
}

/* Looks again: another process's fetch may have ended with its worker. */
static void
issuer_on_waited(weir_timer_t *timer)
{
    jwt_waiter_t  *waiter = weir_container_of(timer, jwt_waiter_t, timer);
    jwt_issuer_t  *issuer = waiter->issuer;
    uint64_t       now = weir_clock_now().ms, at;

    issuer_look(issuer);
    if (issuer->serial == waiter->serial && now < waiter->last.ms && issuer->via != NULL
        && issuer_wait_for(issuer, waiter, &at))
    {
        weir_timer_set(issuer->all->life->loop, timer, (weir_msec_t) { weir_min(at, waiter->last.ms) - now + 1 },
                       issuer_on_waited);
        return;
    }
    jwt_issuer_forget(waiter);
    waiter->on_wake(waiter);
}

bool
jwt_issuer_wait(const jwt_url_t *url, weir_http_t *http, jwt_waiter_t *waiter,
                void (*on_wake)(jwt_waiter_t *waiter))
{
    jwt_issuer_t *issuer = url->issuer;
    uint64_t      now = weir_clock_now().ms, at;

    weir_assert(waiter->issuer == NULL);
    if (issuer == NULL || issuer->via == NULL || issuer->all->n_waiters == ISSUER_WAITERS) {
        return false;
    }
    issuer->all->http = http;
    waiter->wants_other = issuer->set != NULL;
    waiter->serial = issuer->serial;
    if (!issuer_wait_for(issuer, waiter, &at)) {
        return false;
    }
    waiter->issuer = issuer;
    waiter->on_wake = on_wake;
    waiter->last.ms = now + ISSUER_LEASE_MS + (waiter->wants_other ? url->refresh.ms : 0);
    weir_list_append(&issuer->waiters, &waiter->link);
    issuer->all->n_waiters++;
    weir_timer_set(issuer->all->life->loop, &waiter->timer, (weir_msec_t) { weir_min(at, waiter->last.ms) - now + 1 },
                   issuer_on_waited);
    return true;
}

/* -- the process -- */

/* Rung: a fetch of another process has ended, of this issuer or of another.  A wait for what is still on its way goes
 * on. */
static void
issuer_rung(jwt_issuer_t *issuer)
{
    uint64_t       serial = issuer->serial;
    weir_instant_t until;

    issuer_look(issuer);
    issuer_plan(issuer);
    if (issuer->serial != serial || (!issuer_is_leased(issuer, &until) && issuer_has(issuer, 'b', &until))) {
        issuer_wake(issuer);
    }
}

static void
issuers_on_wake(weir_wake_listener_t *listener, uint64_t which)
{
    issuers_t *issuers = weir_container_of(listener, issuers_t, listener);

    if ((which & ISSUER_RINGS) == 0) {
        return;
    }
    for (weir_list_t *l = issuers->list.next; l != &issuers->list; l = l->next) {
        jwt_issuer_t *issuer = weir_list_entry(l, jwt_issuer_t, link);

        if (issuer->via != NULL) {
            issuer_rung(issuer);
        }
    }
}

bool
jwt_issuers_begin(weir_life_t *life)
{
    issuers_t *issuers = weir_mem_need(sizeof(*issuers));

    weir_list_init(&issuers->list);
    issuers->life = life;
    life->kept[weir_http_auth_jwt_index] = issuers;
    weir_wake_listen(&issuers->listener, WEIR_WAKE_ENTRY, issuers_on_wake);
    return true;
}

static jwt_issuer_t *
issuers_find(issuers_t *issuers, weir_str_t url)
{
    jwt_issuer_t *issuer;
    char         *text;

    for (weir_list_t *l = issuers->list.next; l != &issuers->list; l = l->next) {
        issuer = weir_list_entry(l, jwt_issuer_t, link);
        if (weir_str_eq(issuer->url, url)) {
            return issuer;
        }
    }
    issuer = weir_mem_need(sizeof(*issuer) + url.len);
    text = (char *) (issuer + 1);
    memcpy(text, url.at, url.len);
    issuer->url = weir_str(text, url.len);
    issuer->all = issuers;
    weir_list_init(&issuer->waiters);
    weir_list_append(&issuers->list, &issuer->link);
    return issuer;
}

void
jwt_issuers_adopt(weir_life_t *life, weir_generation_t *generation, jwt_url_t *urls)
{
    issuers_t *issuers = life->kept[weir_http_auth_jwt_index];

    for (jwt_url_t *url = urls; url != NULL; url = url->next) {
        jwt_issuer_t *issuer = issuers_find(issuers, url->at.text);

        url->issuer = issuer;
        issuer->via = url;
        issuer->generation = generation;
        issuer->shared = url->shared;
        issuer_look(issuer);
        issuer_plan(issuer);
    }
}

static void
issuer_stop(jwt_issuer_t *issuer)
{
    if (issuer->fetch != NULL) {
        weir_fetch_cancel(issuer->fetch);
        issuer->fetch = NULL;
        issuer_give_up_lease(issuer);
        weir_generation_unref(issuer->held);
        issuer->held = NULL;
    }
}

/* The newer one has been adopted before: what it does not name is asked no more. */
void
jwt_issuers_retire(jwt_url_t *urls)
{
    for (jwt_url_t *url = urls; url != NULL; url = url->next) {
        jwt_issuer_t *issuer = url->issuer;

        if (issuer != NULL && issuer->via == url) {
            issuer_stop(issuer);
            issuer->via = NULL;
            weir_timer_clear(&issuer->timer);
            issuer_wake(issuer);
        }
    }
}

void
jwt_issuers_end(weir_life_t *life)
{
    issuers_t *issuers = life->kept[weir_http_auth_jwt_index];

    weir_wake_forget(&issuers->listener);
    for (weir_list_t *l = issuers->list.next, *next; l != &issuers->list; l = next) {
        jwt_issuer_t *issuer = weir_list_entry(l, jwt_issuer_t, link);

        next = l->next;
        weir_timer_drop(&issuer->timer);
        issuer_stop(issuer);
        issuer_take_set(issuer, NULL);
        weir_list_remove(&issuer->link);
        weir_mem_free(issuer);
    }
    life->kept[weir_http_auth_jwt_index] = NULL;
    weir_mem_free(issuers);
}
