/*
 * document.c - see document.h.  Runs in workers; memory: a row for each document, its value, and one fetch at a time.
 */
#include "http/fetch/document.h"

#include "base/mem.h"
#include "event/wake.h"
#include "http/http.h"
#include "os/clock.h"
#include "shm/entries.h"
#include "shm/slots.h"
#include "shm/zone.h"

#define DOCUMENT_ROOM        ((uint64_t) 8 << 20) /* of the shared table */
#define DOCUMENT_TEXT_MAX    ((size_t) 512 << 10)
#define DOCUMENT_KEY_MAX     2100                 /* of an entry: a letter and the URL */
#define DOCUMENT_LIMIT_MS    10000                /* of a fetch */
#define DOCUMENT_LEASE_MS    15000
#define DOCUMENT_LOOK_MS     500                  /* a process that waits for another's fetch looks so often */
#define DOCUMENT_RENEW_MIN_S 60
#define DOCUMENT_RENEW_S     600                  /* where the server does not say */
#define DOCUMENT_RENEW_MAX_S 86400
#define DOCUMENT_BACKOFF_MS  1000                 /* after a failure, doubled up to: */
#define DOCUMENT_BACKOFF_MAX 30000
#define DOCUMENT_WAITERS     1024                 /* of one process */
#define DOCUMENT_RINGS       ((uint64_t) 1 << 41) /* a bit of the topic of entries that is seldom another's */

struct weir_document_copy {
    weir_list_t                 link;
    const weir_document_kind_t *kind;
    weir_document_t            *via;                 /* of the newest generation that names it; NULL: none does */
    weir_generation_t          *generation;          /* via's; borrowed */
    weir_str_t                  url;                 /* its name; its own copy */
    const weir_entries_t       *shared;
    void                       *value;               /* NULL: none */
    uint64_t                    serial;              /* of the entry that it is of */
    weir_instant_t              renew, expires;
    weir_timer_t                timer;
    weir_list_t                 waiters;
    weir_fetch_t               *fetch;
    weir_generation_t          *held;                /* while fetching */
    uint64_t                    lease;               /* serial of ours */
    weir_documents_t           *all;
};

/* Of a process. */
struct weir_documents {
    weir_list_t          list;
    weir_life_t         *life;
    weir_http_t         *http;                       /* NULL until it is known */
    size_t               n_waiters;
    weir_wake_listener_t listener;
};

/* What stands before the text. */
typedef struct { uint64_t renew_ms; } document_head_t;
typedef struct { uint32_t slot; int32_t pid; } document_lease_t;
typedef struct { uint32_t failures; } document_mark_t;

/* -- what is shared -- */

static void
document_give_back(void *zone)
{
    weir_zone_give_back(zone);
}

bool
weir_documents_bind(weir_conf_t *cf, const weir_zone_kind_t *kind, weir_str_t name, weir_document_t *list)
{
    weir_zone_id_t  id = { .kind = kind, .name = name, .size = weir_entries_bytes(DOCUMENT_ROOM) };
    weir_error_t    error = { .text = "" };
    weir_entries_t *entries;
    weir_zone_t    *zone;

    if (list == NULL) {
        return true;
    }
    zone = weir_zone_take(&id, &error);
    if (zone == NULL) {
        return weir_error_set(cf->error, "%s", error.text);
    }
    weir_arena_on_cleanup(cf->arena, document_give_back, zone);
    entries = weir_new(cf->arena, weir_entries_t);
    if (!weir_entries_open(entries, weir_str_from_z(kind->name), weir_zone_memory(zone), weir_zone_size(zone))) {
        return weir_error_set(cf->error, "the shared memory of \"%s\" holds something else", kind->name);
    }
    for (weir_document_t *document = list; document != NULL; document = document->next) {
        document->shared = entries;
    }
    return true;
}

/* "k" the text, "l" the lease, "f" a fetch that was forced, "b" failures; in the room given. */
static weir_str_t
document_key(const weir_document_copy_t *copy, char what, char room[DOCUMENT_KEY_MAX])
{
    room[0] = what;
    memcpy(room + 1, copy->url.at, copy->url.len);
    return weir_str(room, copy->url.len + 1);
}

static bool
document_has(const weir_document_copy_t *copy, char what, weir_instant_t *expires)
{
    char         room[DOCUMENT_KEY_MAX];
    weir_entry_t entry;

    if (weir_entries_get(copy->shared, document_key(copy, what, room), weir_clock_now(), &entry)
        != WEIR_ENTRIES_DONE)
    {
        return false;
    }
    *expires = entry.expires;
    weir_entry_release(&entry);
    return true;
}

/* Does a worker fetch now?  A lease whose worker has died is none, and neither is the fetch that was forced then. */
static bool
document_is_leased(const weir_document_copy_t *copy, weir_instant_t *expires)
{
    char           room[DOCUMENT_KEY_MAX], other[DOCUMENT_KEY_MAX];
    weir_str_t     key = document_key(copy, 'l', room);
    document_lease_t lease = { .slot = WEIR_SLOT_NONE };
    weir_entry_t   entry;
    bool           stands;

    if (weir_entries_get(copy->shared, key, weir_clock_now(), &entry) != WEIR_ENTRIES_DONE) {
        return false;
    }
    stands = entry.size != sizeof(lease) || !weir_entry_copy(&entry, (char *) &lease) || lease.slot >= WEIR_SLOTS
             || weir_slots_owner(lease.slot) == lease.pid;
    if (!stands && weir_entries_drop(copy->shared, key, entry.serial) == WEIR_ENTRIES_DONE) {
        (void) !weir_entries_drop(copy->shared, document_key(copy, 'f', other), WEIR_ENTRIES_ANY);
    }
    *expires = entry.expires;
    weir_entry_release(&entry);
    return stands;
}

/* -- the value of this process -- */

static void
document_take(weir_document_copy_t *copy, void *value)
{
    if (copy->value != NULL) {
        copy->kind->destroy(copy->value);
    }
    copy->value = value;
}

/* The entry's text becomes the value.  One that was put there can be read: the worker that fetched it has tried.
 * false: it could not be read now. */
static bool
document_read(weir_document_copy_t *copy, const weir_entry_t *entry)
{
    weir_error_t    error = { .text = "" };
    document_head_t head;
    void           *value = NULL;
    char           *text;

    if (entry->size < sizeof(head) || entry->size > sizeof(head) + DOCUMENT_TEXT_MAX) {
        return false;
    }
    text = weir_mem_try((size_t) entry->size);
    if (text == NULL) {
        return false;
    }
    if (weir_entry_copy(entry, text)) {
        memcpy(&head, text, sizeof(head));
        value = copy->kind->parse(weir_str(text + sizeof(head), (size_t) entry->size - sizeof(head)), &error);
        if (value != NULL) {
            document_take(copy, value);
            copy->serial = entry->serial;
            copy->renew.ms = head.renew_ms;
            copy->expires = entry->expires;
        }
    }
    weir_mem_wipe(text, (size_t) entry->size);
    weir_mem_free(text);
    return value != NULL;
}

/* Is there another value now? */
static void
document_look(weir_document_copy_t *copy)
{
    char         room[DOCUMENT_KEY_MAX];
    weir_entry_t entry;
    bool         is_new = false;

    if (weir_entries_get(copy->shared, document_key(copy, 'k', room), weir_clock_now(), &entry) == WEIR_ENTRIES_DONE) {
        if (entry.serial != copy->serial || copy->value == NULL) {
            is_new = document_read(copy, &entry);
        }
        weir_entry_release(&entry);
    }                                            /* else its time is over, or it gave way: the one in hand has a time */
    if (copy->value != NULL && weir_clock_now().ms >= copy->expires.ms) {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "the %s of %.*s are too old: they are not used any more", copy->kind->what,
                 WEIR_STR_ARG(copy->url));
        document_take(copy, NULL);
        copy->serial = 0;
    } else if (is_new && copy->via != NULL && copy->via->on_value != NULL) {
        copy->via->on_value(copy->via, copy->value);
    }
}

void *
weir_document_value(const weir_document_t *document)
{
    const weir_document_copy_t *copy = document->copy;

    return copy != NULL && copy->value != NULL && weir_clock_now().ms < copy->expires.ms ? copy->value : NULL;
}

bool
weir_document_is_busy(const weir_document_t *document)
{
    return document->copy != NULL && document->copy->fetch != NULL;
}

/* -- requests that wait -- */

void
weir_document_forget(weir_document_waiter_t *waiter)
{
    if (waiter->copy != NULL) {
        weir_list_remove(&waiter->link);
        weir_timer_drop(&waiter->timer);
        waiter->copy->all->n_waiters--;
        waiter->copy = NULL;
    }
}

/* All that wait now, once: one that begins again is behind them. */
static void
document_wake(weir_document_copy_t *copy)
{
    weir_list_t woken;

    weir_list_init(&woken);
    while (!weir_list_empty(&copy->waiters)) {
        weir_list_t *link = copy->waiters.next;

        weir_list_remove(link);
        weir_list_append(&woken, link);
    }
    while (!weir_list_empty(&woken)) {
        weir_document_waiter_t *waiter = weir_list_entry(woken.next, weir_document_waiter_t, link);

        weir_document_forget(waiter);
        waiter->on_wake(waiter);
    }
}

/* -- fetching -- */

static void document_on_timer(weir_timer_t *timer);

/* When there is something to do next: at the time of renewal, a little later in each process but the first. */
static void
document_plan(weir_document_copy_t *copy)
{
    uint64_t       now = weir_clock_now().ms, at;
    weir_instant_t until;

    if (copy->via == NULL) {
        weir_timer_clear(&copy->timer);
        return;
    }
    at = copy->value != NULL ? copy->renew.ms : now;
    if (document_has(copy, 'b', &until) || document_is_leased(copy, &until)) {
        at = weir_max(at, weir_min(until.ms, now + DOCUMENT_LEASE_MS));
    }
    if (copy->value != NULL) {
        at = weir_min(at, copy->expires.ms);
    }
    weir_timer_set(copy->all->life->loop, &copy->timer, (weir_msec_t) { at > now ? at - now + 5 : 5 },
                   document_on_timer);
}

static void
document_give_up_lease(weir_document_copy_t *copy)
{
    char room[DOCUMENT_KEY_MAX];

    if (copy->lease != 0) {
        (void) !weir_entries_drop(copy->shared, document_key(copy, 'l', room), copy->lease);
        copy->lease = 0;
    }
}

/* No worker asks for a while: longer from failure to failure, whose count outlives the pause by far. */
static void
document_failed(weir_document_copy_t *copy, const char *why)
{
    char           room[DOCUMENT_KEY_MAX];
    weir_str_t     key = document_key(copy, 'n', room);
    weir_instant_t now = weir_clock_now();
    document_mark_t  mark = { 0 };
    weir_entry_t   entry;
    uint64_t       wait = DOCUMENT_BACKOFF_MS;

    if (weir_entries_get(copy->shared, key, now, &entry) == WEIR_ENTRIES_DONE) {
        if (entry.size != sizeof(mark) || !weir_entry_copy(&entry, (char *) &mark)) {
            mark.failures = 0;
        }
        weir_entry_release(&entry);
    }
    for (uint32_t i = 0; i < mark.failures && wait < DOCUMENT_BACKOFF_MAX; i++) {
        wait *= 2;
    }
    wait = weir_min(wait, DOCUMENT_BACKOFF_MAX);
    mark.failures++;
    (void) !weir_entries_put(copy->shared, key, weir_str((char *) &mark, sizeof(mark)), now,
                             (weir_instant_t) { now.ms + 10 * DOCUMENT_BACKOFF_MAX }, WEIR_ENTRIES_ANY, NULL);
    (void) !weir_entries_put(copy->shared, document_key(copy, 'b', room), WEIR_STR_NONE, now,
                             (weir_instant_t) { now.ms + wait }, WEIR_ENTRIES_ANY, NULL);
    weir_log(copy->value != NULL ? WEIR_LOG_WARN : WEIR_LOG_ERROR, NULL, 0, "the %s of %.*s could not be fetched: %s",
             copy->kind->what, WEIR_STR_ARG(copy->url), why);
}

static uint64_t
document_renew_ms(const weir_document_t *via, uint64_t max_age_s)
{
    if (via->cache.ms != 0) {
        return via->cache.ms;
    }
    max_age_s = max_age_s == UINT64_MAX ? DOCUMENT_RENEW_S : weir_max(max_age_s, DOCUMENT_RENEW_MIN_S);
    return weir_min(max_age_s, DOCUMENT_RENEW_MAX_S) * 1000;
}

static void
document_put(weir_document_copy_t *copy, const weir_fetched_t *fetched)
{
    char                  room[DOCUMENT_KEY_MAX];
    weir_instant_t        now = weir_clock_now();
    const weir_document_t      *via = copy->via;
    uint64_t              renew = now.ms + document_renew_ms(via, fetched->max_age_s);
    document_head_t         head = { renew };
    weir_entry_writer_t   writer;
    weir_entries_result_t result;

    result = weir_entries_begin(copy->shared, document_key(copy, 'k', room), sizeof(head) + fetched->body.len, now,
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
        document_failed(copy, "there is no room for them in shared memory");
        return;
    }
    (void) !weir_entries_drop(copy->shared, document_key(copy, 'b', room), WEIR_ENTRIES_ANY);
    (void) !weir_entries_drop(copy->shared, document_key(copy, 'n', room), WEIR_ENTRIES_ANY);
}

static void
document_fetched(void *data, const weir_fetched_t *fetched)
{
    weir_document_copy_t *copy = data;
    weir_error_t  error = { .text = "" };
    void         *value;

    copy->fetch = NULL;
    weir_assert(copy->via != NULL);
    if (fetched->body.at == NULL) {
        document_failed(copy, fetched->why);
    } else {
        value = copy->kind->parse(fetched->body, &error);
        if (value == NULL) {
            document_failed(copy, error.text);
        } else {
            copy->kind->destroy(value);
            document_put(copy, fetched);
        }
    }
    document_give_up_lease(copy);
    weir_generation_unref(copy->held);
    copy->held = NULL;
    weir_wake_post_all(WEIR_WAKE_ENTRY, DOCUMENT_RINGS);
    document_look(copy);
    document_plan(copy);
    document_wake(copy);
}

/* Does a worker fetch it now: we, from here on, or another?  false: none can. */
static bool
document_fetch(weir_document_copy_t *copy)
{
    char           room[DOCUMENT_KEY_MAX];
    weir_instant_t now = weir_clock_now();
    document_lease_t lease = { weir_slot_mine.number, weir_slot_mine.pid };
    weir_fetch_spec_t spec = { .accept = copy->kind->accept,
                               .max_body = DOCUMENT_TEXT_MAX, .limit = { DOCUMENT_LIMIT_MS } };

    if (copy->fetch != NULL) {
        return true;
    }
    if (copy->via == NULL || copy->all->http == NULL) {
        return false;
    }
    switch (weir_entries_put(copy->shared, document_key(copy, 'l', room), weir_str((char *) &lease, sizeof(lease)),
                             now, (weir_instant_t) { now.ms + DOCUMENT_LEASE_MS }, WEIR_ENTRIES_ABSENT, &copy->lease))
    {
    case WEIR_ENTRIES_DONE:
        break;
    case WEIR_ENTRIES_OTHER:
        return true;
    default:
        return false;
    }
    copy->held = weir_generation_ref(copy->generation);
    copy->fetch = weir_fetch(copy->all->http, copy->held, &copy->via->at, &spec, document_fetched, copy);
    if (copy->fetch == NULL) {
        document_give_up_lease(copy);
        weir_generation_unref(copy->held);
        copy->held = NULL;
        return false;
    }
    return true;
}

static void
document_on_timer(weir_timer_t *timer)
{
    weir_document_copy_t  *copy = weir_container_of(timer, weir_document_copy_t, timer);
    weir_instant_t until;

    copy->all->http = copy->all->http != NULL ? copy->all->http : weir_http_in(copy->all->life);
    document_look(copy);
    if ((copy->value == NULL || weir_clock_now().ms >= copy->renew.ms) && !document_has(copy, 'b', &until)) {
        (void) !document_fetch(copy);
    }
    document_plan(copy);
}

/* -- waiting -- */

/* Until then nothing can come: the time, and false when it is of no use. */
static bool
document_wait_for(weir_document_copy_t *copy, weir_document_waiter_t *waiter, uint64_t *at)
{
    char           room[DOCUMENT_KEY_MAX];
    weir_instant_t now = weir_clock_now(), until;

    *at = now.ms + DOCUMENT_LOOK_MS;
    if (document_is_leased(copy, &until)) {
        return true;                                 /* another worker is at it */
    }
    if (document_has(copy, 'b', &until)) {
        return false;                                /* the server has just failed */
    }
    if (waiter->wants_other) {
        if (document_has(copy, 'f', &until)) {
            *at = weir_max(until.ms, now.ms + 1);
            return true;
        }
        if (weir_entries_put(copy->shared, document_key(copy, 'f', room), WEIR_STR_NONE, now,
                             (weir_instant_t) { now.ms + copy->via->refresh.ms }, WEIR_ENTRIES_ABSENT, NULL)
            != WEIR_ENTRIES_DONE)
        {
            return true;                             /* another worker has just begun */
        }
    }
    return document_fetch(copy);
}

/* Looks again: another process's fetch may have ended with its worker. */
static void
document_on_waited(weir_timer_t *timer)
{
    weir_document_waiter_t  *waiter = weir_container_of(timer, weir_document_waiter_t, timer);
    weir_document_copy_t  *copy = waiter->copy;
    uint64_t       now = weir_clock_now().ms, at;

    document_look(copy);
    if (copy->serial == waiter->serial && now < waiter->last.ms && copy->via != NULL
        && document_wait_for(copy, waiter, &at))
    {
        weir_timer_set(copy->all->life->loop, timer, (weir_msec_t) { weir_min(at, waiter->last.ms) - now + 1 },
                       document_on_waited);
        return;
    }
    weir_document_forget(waiter);
    waiter->on_wake(waiter);
}

bool
weir_document_wait(const weir_document_t *document, weir_http_t *http, weir_document_waiter_t *waiter,
                void (*on_wake)(weir_document_waiter_t *waiter))
{
    weir_document_copy_t *copy = document->copy;
    uint64_t      now = weir_clock_now().ms, at;

    weir_assert(waiter->copy == NULL);
    if (copy == NULL || copy->via == NULL || copy->all->n_waiters == DOCUMENT_WAITERS) {
        return false;
    }
    copy->all->http = http;
    waiter->wants_other = copy->value != NULL;
    waiter->serial = copy->serial;
    if (!document_wait_for(copy, waiter, &at)) {
        return false;
    }
    waiter->copy = copy;
    waiter->on_wake = on_wake;
    waiter->last.ms = now + DOCUMENT_LEASE_MS + (waiter->wants_other ? document->refresh.ms : 0);
    weir_list_append(&copy->waiters, &waiter->link);
    copy->all->n_waiters++;
    weir_timer_set(copy->all->life->loop, &waiter->timer, (weir_msec_t) { weir_min(at, waiter->last.ms) - now + 1 },
                   document_on_waited);
    return true;
}

/* -- the process -- */

/* Rung: a fetch of another process has ended, of this copy or of another.  A wait for what is still on its way goes
 * on. */
static void
document_rung(weir_document_copy_t *copy)
{
    uint64_t       serial = copy->serial;
    weir_instant_t until;

    document_look(copy);
    document_plan(copy);
    if (copy->serial != serial || (!document_is_leased(copy, &until) && document_has(copy, 'b', &until))) {
        document_wake(copy);
    }
}

static void
documents_on_wake(weir_wake_listener_t *listener, uint64_t which)
{
    weir_documents_t *documents = weir_container_of(listener, weir_documents_t, listener);

    if ((which & DOCUMENT_RINGS) == 0) {
        return;
    }
    for (weir_list_t *l = documents->list.next; l != &documents->list; l = l->next) {
        weir_document_copy_t *copy = weir_list_entry(l, weir_document_copy_t, link);

        if (copy->via != NULL) {
            document_rung(copy);
        }
    }
}

weir_documents_t *
weir_documents_create(weir_life_t *life)
{
    weir_documents_t *documents = weir_mem_need(sizeof(*documents));

    weir_list_init(&documents->list);
    documents->life = life;
    weir_wake_listen(&documents->listener, WEIR_WAKE_ENTRY, documents_on_wake);
    return documents;
}

static weir_document_copy_t *
documents_find(weir_documents_t *documents, const weir_document_t *document)
{
    weir_str_t       url = document->name;
    weir_document_copy_t *copy;
    char            *text;

    for (weir_list_t *l = documents->list.next; l != &documents->list; l = l->next) {
        copy = weir_list_entry(l, weir_document_copy_t, link);
        if (weir_str_eq(copy->url, url)) {
            weir_assert(copy->kind == document->kind);
            return copy;
        }
    }
    copy = weir_mem_need(sizeof(*copy) + url.len);
    text = (char *) (copy + 1);
    memcpy(text, url.at, url.len);
    copy->url = weir_str(text, url.len);
    copy->kind = document->kind;
    copy->all = documents;
    weir_list_init(&copy->waiters);
    weir_list_append(&documents->list, &copy->link);
    return copy;
}

void
weir_document_adopt(weir_documents_t *documents, weir_generation_t *generation, weir_document_t *document)
{
    weir_document_copy_t *copy = documents_find(documents, document);

    weir_assert(document->name.len < DOCUMENT_KEY_MAX && document->shared != NULL);
    document->copy = copy;
    copy->via = document;
    copy->generation = generation;
    copy->shared = document->shared;
    if (copy->value != NULL && document->on_value != NULL) {
        document->on_value(document, copy->value);
    }
    document_look(copy);
    document_plan(copy);
}

static void
document_stop(weir_document_copy_t *copy)
{
    if (copy->fetch != NULL) {
        weir_fetch_cancel(copy->fetch);
        copy->fetch = NULL;
        document_give_up_lease(copy);
        weir_generation_unref(copy->held);
        copy->held = NULL;
    }
}

void
weir_document_retire(weir_document_t *document)
{
    weir_document_copy_t *copy = document->copy;

    if (copy != NULL && copy->via == document) {
        document_stop(copy);
        copy->via = NULL;
        weir_timer_clear(&copy->timer);
        document_wake(copy);
    }
}

void
weir_documents_destroy(weir_documents_t *documents)
{
    weir_wake_forget(&documents->listener);
    for (weir_list_t *l = documents->list.next, *next; l != &documents->list; l = next) {
        weir_document_copy_t *copy = weir_list_entry(l, weir_document_copy_t, link);

        next = l->next;
        weir_timer_drop(&copy->timer);
        document_stop(copy);
        document_take(copy, NULL);
        weir_list_remove(&copy->link);
        weir_mem_free(copy);
    }
    weir_mem_free(documents);
}
