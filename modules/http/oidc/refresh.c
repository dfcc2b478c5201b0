/*
 * refresh.c - a session whose access token is about to end gets new tokens: once, however many requests of a browser
 * come with it at one time, to whichever workers.  A refresh token that rotates must not be used twice: providers take
 * that for a theft and end the session (RFC 9700 §4.14).
 *
 *     shared, by a digest of the refresh token:   L  its worker (slot, pid)   ·   S  the sealed session that came out
 *                                                 R  the provider has refused   ·   F  it could not be asked just now
 *
 * A worker that finds nothing takes the lease; the question then belongs to the process, not to the request: a client
 * that leaves does not lose what the provider has given.  What came out stays for a while, for requests that were sent
 * with the session before.  A lease ends by its time, and when its worker dies.  Runs in workers.
 */
#include "oidc.h"

#include "base/mem.h"
#include "event/wake.h"
#include "os/clock.h"
#include "os/sys.h"
#include "shm/slots.h"

#include <openssl/evp.h>

#define REFRESH_RINGS     ((uint64_t) 1 << 43)   /* a bit of the topic of entries that is seldom another's */
#define REFRESH_LEASE_MS  15000
#define REFRESH_LOOK_MS   500                    /* a request that waits for another process looks so often */
#define REFRESH_KEPT_MS   120000                 /* what came out */
#define REFRESH_FAILED_MS 3000
#define REFRESH_WAITS     1024                   /* of one process */
#define REFRESH_VALUE_MAX (WEIR_COOKIES_PIECE * WEIR_COOKIES_PIECES + 1)

/* One under way in this process. */
typedef struct {
    weir_list_t      link;
    oidc_process_t  *process;
    oidc_provider_t *provider;                   /* its grant holds the generation */
    oidc_grant_t    *grant;
    uint64_t         lease;
    uint8_t          key[OIDC_DIGEST + 1];
    oidc_session_t   session;                    /* texts in: */
    weir_arena_t     arena;
} refresh_t;

typedef struct { char what; uint32_t slot; int32_t pid; } refresh_lease_t;

static weir_str_t
refresh_key(const uint8_t key[OIDC_DIGEST + 1])
{
    return weir_str((const char *) key, OIDC_DIGEST + 1);
}

static bool
refresh_make_key(const oidc_provider_t *provider, const oidc_session_t *session, uint8_t key[OIDC_DIGEST + 1])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool        is_good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1
                          && EVP_DigestUpdate(ctx, provider->bound, sizeof(provider->bound)) == 1
                          && EVP_DigestUpdate(ctx, session->id, sizeof(session->id)) == 1
                          && EVP_DigestUpdate(ctx, session->refresh_token.at, session->refresh_token.len) == 1
                          && EVP_DigestFinal_ex(ctx, key + 1, NULL) == 1;

    key[0] = 'r';
    EVP_MD_CTX_free(ctx);
    return is_good;
}

/* -- what is shared -- */

/* What the value says; NONE: it is a lease of a process that is dead. */
static oidc_refreshed_t
refresh_read(const oidc_provider_t *provider, weir_entry_t *entry, weir_arena_t *arena, weir_str_t *sealed)
{
    refresh_lease_t lease;
    char           *text;

    if (entry->size == 0 || entry->size > REFRESH_VALUE_MAX) {
        return OIDC_REFRESH_FAILED;
    }
    text = weir_try_alloc(arena, (size_t) entry->size);
    if (text == NULL || !weir_entry_copy(entry, text)) {
        return OIDC_REFRESH_FAILED;
    }
    switch (text[0]) {
    case 'S':
        *sealed = weir_str(text + 1, (size_t) entry->size - 1);
        return OIDC_REFRESH_DONE;
    case 'R':
        return OIDC_REFRESH_REFUSED;
    case 'L':
        if (entry->size != sizeof(lease)) {
            return OIDC_REFRESH_FAILED;
        }
        memcpy(&lease, text, sizeof(lease));
        if (lease.slot >= WEIR_SLOTS || weir_slots_owner(lease.slot) == lease.pid) {
            return OIDC_REFRESH_WAITS;
        }
        (void) !weir_entries_drop(&provider->tables->refreshes, entry->key, entry->serial);
        return OIDC_REFRESH_NONE;
    default:
        return OIDC_REFRESH_FAILED;
    }
}

static oidc_refreshed_t
refresh_look(const oidc_provider_t *provider, const uint8_t key[OIDC_DIGEST + 1], weir_arena_t *arena,
             weir_str_t *sealed)
{
    weir_entry_t     entry;
    oidc_refreshed_t result;

    switch (weir_entries_get(&provider->tables->refreshes, refresh_key(key), weir_clock_now(), &entry)) {
    case WEIR_ENTRIES_DONE:
        result = refresh_read(provider, &entry, arena, sealed);
        weir_entry_release(&entry);
        return result;
    case WEIR_ENTRIES_NONE:
        return OIDC_REFRESH_NONE;
    default:
        return OIDC_REFRESH_FAILED;
    }
}

static void
refresh_put(const refresh_t *refresh, weir_str_t value, uint64_t kept_ms)
{
    weir_instant_t now = weir_clock_now();

    (void) !weir_entries_put(&refresh->provider->tables->refreshes, refresh_key(refresh->key), value, now,
                             (weir_instant_t) { now.ms + kept_ms }, WEIR_ENTRIES_ANY, NULL);
}

/* -- requests that wait -- */

void
oidc_refresh_forget(oidc_refresh_wait_t *wait)
{
    if (wait->process != NULL) {
        weir_list_remove(&wait->link);
        weir_timer_drop(&wait->timer);
        wait->process->n_waits--;
        wait->process = NULL;
    }
}

static void
refresh_tell(oidc_refresh_wait_t *wait, oidc_refreshed_t result, weir_str_t sealed)
{
    oidc_refresh_forget(wait);
    wait->on_end(wait, result, sealed);
}

/* All that wait for this one in this process. */
static void
refresh_tell_all(refresh_t *refresh, oidc_refreshed_t result, weir_str_t sealed)
{
    oidc_process_t *process = refresh->process;
    weir_list_t     told;

    weir_list_init(&told);
    for (weir_list_t *l = process->waits.next, *next; l != &process->waits; l = next) {
        oidc_refresh_wait_t *wait = weir_list_entry(l, oidc_refresh_wait_t, link);

        next = l->next;
        if (memcmp(wait->key, refresh->key, sizeof(wait->key)) == 0) {
            weir_list_remove(l);
            weir_list_append(&told, l);
        }
    }
    while (!weir_list_empty(&told)) {
        oidc_refresh_wait_t *wait = weir_list_entry(told.next, oidc_refresh_wait_t, link);

        refresh_tell(wait, result, sealed.at != NULL ? weir_str_dup(wait->arena, sealed) : sealed);
    }
}

/* Another process was at it: is it through?  true: the wait is over. */
static bool
refresh_is_over(oidc_refresh_wait_t *wait)
{
    weir_str_t       sealed = WEIR_STR_NONE;
    oidc_refreshed_t result = refresh_look(wait->provider, wait->key, wait->arena, &sealed);

    if (result == OIDC_REFRESH_WAITS && weir_clock_now().ms < wait->last.ms) {
        return false;
    }
    /* NONE: its worker died, and it is not known whether the provider has answered. */
    refresh_tell(wait, result == OIDC_REFRESH_WAITS || result == OIDC_REFRESH_NONE ? OIDC_REFRESH_FAILED : result,
                 sealed);
    return true;
}

static void
refresh_on_timer(weir_timer_t *timer)
{
    oidc_refresh_wait_t *wait = weir_container_of(timer, oidc_refresh_wait_t, timer);
    weir_loop_t         *loop = wait->process->loop;

    if (!refresh_is_over(wait)) {
        weir_timer_set(loop, timer, (weir_msec_t) { REFRESH_LOOK_MS }, refresh_on_timer);
    }
}

static void
refresh_wait(oidc_process_t *process, oidc_refresh_wait_t *wait)
{
    wait->process = process;
    wait->last.ms = weir_clock_now().ms + REFRESH_LEASE_MS + REFRESH_LOOK_MS;
    weir_list_append(&process->waits, &wait->link);
    process->n_waits++;
    weir_timer_set(process->loop, &wait->timer, (weir_msec_t) { REFRESH_LOOK_MS }, refresh_on_timer);
}

/* -- one refresh -- */

static void
refresh_free(refresh_t *refresh)
{
    weir_list_remove(&refresh->link);
    weir_arena_wipe(&refresh->arena);
    weir_arena_fini(&refresh->arena);
    weir_mem_free(refresh);
}

static void
refresh_on_granted(void *data, const oidc_granted_t *granted)
{
    refresh_t       *refresh = data;
    oidc_session_t   session;
    oidc_refreshed_t result = OIDC_REFRESH_FAILED;
    weir_str_t       sealed = WEIR_STR_NONE;

    refresh->grant = NULL;
    if (granted->cause == WEIR_CAUSE_NONE) {
        sealed = oidc_session_seal(refresh->provider, &refresh->session, granted, &refresh->arena, &session);
        result = sealed.at != NULL ? OIDC_REFRESH_DONE : OIDC_REFRESH_REFUSED;
    } else if (granted->cause == WEIR_CAUSE_AUTH_OIDC_CODE || granted->cause == WEIR_CAUSE_AUTH_OIDC_ID_TOKEN
               || granted->cause == WEIR_CAUSE_AUTH_OIDC_CLAIMS)
    {
        result = OIDC_REFRESH_REFUSED;           /* for good: its refresh token is used up */
    }
    switch (result) {
    case OIDC_REFRESH_DONE:
        refresh_put(refresh, weir_str_printf(&refresh->arena, "S%.*s", WEIR_STR_ARG(sealed)), REFRESH_KEPT_MS);
        break;
    case OIDC_REFRESH_REFUSED:
        refresh_put(refresh, WEIR_STR("R"), REFRESH_KEPT_MS);
        break;
    default:
        refresh_put(refresh, WEIR_STR("F"), REFRESH_FAILED_MS);
        break;
    }
    weir_wake_post_all(WEIR_WAKE_ENTRY, REFRESH_RINGS);
    refresh_tell_all(refresh, result, sealed);
    refresh_free(refresh);
}

/* The lease is ours: off it goes. */
static bool
refresh_begin(oidc_state_t *state, weir_http_t *http, const uint8_t key[OIDC_DIGEST + 1], uint64_t lease)
{
    oidc_provider_t   *provider = state->provider;
    refresh_t         *refresh = weir_mem_try(sizeof(*refresh));
    oidc_grant_spec_t  spec = { .refresh_token = state->session.refresh_token };
    const weir_json_t *claims;

    if (refresh == NULL) {
        return false;
    }
    *refresh = (refresh_t) { .process = provider->process, .provider = provider, .lease = lease,
                             .session = state->session };
    memcpy(refresh->key, key, sizeof(refresh->key));
    weir_arena_init(&refresh->arena, 4096);
    refresh->session.id_token = weir_str_dup(&refresh->arena, state->session.id_token);
    refresh->session.access_token = weir_str_dup(&refresh->arena, state->session.access_token);
    refresh->session.refresh_token = weir_str_dup(&refresh->arena, state->session.refresh_token);
    weir_list_append(&provider->process->refreshes, &refresh->link);
    claims = oidc_id_token_claims(&refresh->arena, refresh->session.id_token);
    if (weir_json_get_string(claims, WEIR_STR("sub"), &spec.subject)) {
        refresh->grant = oidc_grant(http, provider, &spec, refresh_on_granted, refresh);
    }
    if (refresh->grant == NULL) {
        refresh_free(refresh);
        return false;
    }
    return true;
}

oidc_refreshed_t
oidc_refresh(oidc_state_t *state, weir_http_t *http, oidc_refresh_wait_t *wait,
             void (*on_end)(oidc_refresh_wait_t *wait, oidc_refreshed_t result, weir_str_t sealed), weir_str_t *sealed)
{
    const oidc_provider_t *provider = state->provider;
    weir_instant_t         now = weir_clock_now();
    refresh_lease_t        lease = { 'L', weir_slot_mine.number, weir_slot_mine.pid };
    oidc_refreshed_t       result;
    uint64_t               serial;

    weir_assert(wait->process == NULL);
    wait->provider = provider;
    wait->arena = &state->secrets;
    wait->on_end = on_end;
    if (provider->process->n_waits >= REFRESH_WAITS || !refresh_make_key(provider, &state->session, wait->key)) {
        return OIDC_REFRESH_FAILED;
    }
    result = refresh_look(provider, wait->key, wait->arena, sealed);
    if (result == OIDC_REFRESH_NONE) {
        switch (weir_entries_put(&provider->tables->refreshes, refresh_key(wait->key),
                                 weir_str((const char *) &lease, sizeof(lease)), now,
                                 (weir_instant_t) { now.ms + REFRESH_LEASE_MS }, WEIR_ENTRIES_ABSENT, &serial))
        {
        case WEIR_ENTRIES_DONE:
            if (!refresh_begin(state, http, wait->key, serial)) {
                (void) !weir_entries_drop(&provider->tables->refreshes, refresh_key(wait->key), serial);
                return OIDC_REFRESH_FAILED;
            }
            break;
        case WEIR_ENTRIES_OTHER:                 /* another worker was faster */
            break;
        default:
            return OIDC_REFRESH_FAILED;
        }
        result = OIDC_REFRESH_WAITS;
    }
    if (result == OIDC_REFRESH_WAITS) {
        refresh_wait(provider->process, wait);
    }
    return result;
}

/* -- the process -- */

typedef struct { weir_wake_listener_t listener; oidc_process_t *process; } refresh_listener_t;

static void
refresh_on_wake(weir_wake_listener_t *listener, uint64_t which)
{
    oidc_process_t *process = weir_container_of(listener, refresh_listener_t, listener)->process;
    weir_list_t     looked;

    if ((which & REFRESH_RINGS) == 0) {
        return;
    }
    weir_list_init(&looked);                     /* once each: the told may begin to wait, or take others along */
    while (!weir_list_empty(&process->waits)) {
        oidc_refresh_wait_t *wait = weir_list_entry(process->waits.next, oidc_refresh_wait_t, link);

        weir_list_remove(&wait->link);
        weir_list_append(&looked, &wait->link);
        (void) refresh_is_over(wait);
    }
    while (!weir_list_empty(&looked)) {
        weir_list_t *link = looked.next;

        weir_list_remove(link);
        weir_list_append(&process->waits, link);
    }
}

void
oidc_refreshes_begin(oidc_process_t *process)
{
    refresh_listener_t *listener = weir_mem_need(sizeof(*listener));

    weir_list_init(&process->refreshes);
    weir_list_init(&process->waits);
    *listener = (refresh_listener_t) { .process = process };
    process->listener = &listener->listener;
    weir_wake_listen(process->listener, WEIR_WAKE_ENTRY, refresh_on_wake);
}

void
oidc_refreshes_end(oidc_process_t *process)
{
    weir_wake_forget(process->listener);
    weir_mem_free(weir_container_of(process->listener, refresh_listener_t, listener));
    while (!weir_list_empty(&process->refreshes)) {
        refresh_t *refresh = weir_list_entry(process->refreshes.next, refresh_t, link);

        (void) !weir_entries_drop(&refresh->provider->tables->refreshes, refresh_key(refresh->key), refresh->lease);
        oidc_grant_cancel(refresh->grant);
        refresh_free(refresh);
    }
}
