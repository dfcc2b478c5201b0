/*
 * upconn.c - connections to peers: opened, kept idle for the next request, dropped when the peer speaks in between.
 *
 * Runs in workers.  One heap object per connection.  The newest idle one is used first, so that what is not needed
 * grows old and is closed.  A connection in use counts its group; an idle one does not: it goes with the group.
 */
#include "base/mem.h"
#include "os/clock.h"
#include "os/sock.h"
#include "upstream/running.h"

#include <errno.h>
#include <string.h>

/* -- how many there may be -- */

void
weir_upconn_cap(weir_group_t *group, weir_state_part_t *part, uint32_t max)
{
    weir_assert(group->cap == NULL && (part == NULL || max != 0));
    group->cap = part;
    group->max_connections = max;
}

/* One more of its group's. */
static bool
upconn_count(weir_upconn_t *up, weir_group_t *group)
{
    weir_assert(up->cap == NULL);
    if (group->cap != NULL && !weir_state_part_admit(group->cap, group->max_connections)) {
        return false;
    }
    up->cap = group->cap;
    return true;
}

static void
upconn_uncount(weir_upconn_t *up)
{
    if (up->cap != NULL) {
        weir_state_part_leave(up->cap);
        up->cap = NULL;
    }
}

/* -- idle connections -- */

static void
upconn_unlink(weir_upconn_t *up)
{
    weir_assert(up->peer->group->n_idle > 0);
    weir_list_remove(&up->idle_link);
    weir_list_remove(&up->group_link);
    up->peer->group->n_idle--;
}

static void
upconn_free(weir_upconn_t *up)
{
    weir_assert(!weir_list_linked(&up->idle_link));
    weir_timer_drop(&up->timer);
    weir_list_remove(&up->shared_link);
    weir_conn_close(&up->conn);
    upconn_uncount(up);
    weir_upconn_slot_give_back(up);
    weir_tls_context_unref(up->secure.context);
    weir_peer_unref(up->peer);
    weir_mem_free(up);
}

static void
upconn_close_one(weir_upconn_t *up)
{
    weir_assert(up->reused && (up->share != NULL || up->owner == NULL));     /* it has no user */
    upconn_unlink(up);
    if (up->share != NULL) {
        up->share->closing(up);
    }
    upconn_free(up);
}

void
weir_upconn_drop(weir_upconn_t *up)
{
    upconn_close_one(up);
}

void
weir_upconn_close_idle(weir_group_t *group)
{
    while (!weir_list_empty(&group->idle)) {
        upconn_close_one(weir_list_entry(group->idle.next, weir_upconn_t, group_link));
    }
}

void
weir_upconn_close_idle_of(weir_peer_t *peer)
{
    while (!weir_list_empty(&peer->idle)) {
        upconn_close_one(weir_list_entry(peer->idle.next, weir_upconn_t, idle_link));
    }
}

void
weir_upconn_adopt(weir_upconn_t *up, weir_peer_t *peer)
{
    weir_assert(peer->group != up->peer->group);
    upconn_unlink(up);
    weir_peer_unref(up->peer);
    up->peer = weir_peer_ref(peer);
    weir_list_append(&peer->idle, &up->idle_link);
    weir_list_append(&peer->group->idle, &up->group_link);
    peer->group->n_idle++;
    weir_assert(peer->group->n_idle <= peer->group->conf.keepalive);
    weir_upconn_slot_move(up);
    upconn_uncount(up);
    if (!upconn_count(up, peer->group)) {
        upconn_close_one(up);
    }
}

/* Room to send is no news; a byte or the end is: no request asked for it. */
static void
upconn_idle_ready(weir_watch_t *watch)
{
    weir_upconn_t *up = weir_container_of(watch, weir_upconn_t, conn.watch);

    weir_assert(weir_list_linked(&up->idle_link));
    if (up->share != NULL) {
        up->share->idle_ready(up);
    } else if (watch->readable && !weir_upconn_is_fresh(up)) {
        upconn_close_one(up);
    }
}

static void
upconn_idle_expired(weir_timer_t *timer)
{
    upconn_close_one(weir_container_of(timer, weir_upconn_t, timer));
}

bool
weir_upconn_is_fresh(weir_upconn_t *up)
{
    return weir_conn_is_quiet(&up->conn);
}

static bool
upconn_is_usable(weir_upconn_t *up)
{
    const weir_watch_t *watch = &up->conn.watch;

    if (watch->peer_closed || watch->failed) {
        return false;
    }
    return up->share != NULL ? up->share->is_usable(up) : !watch->readable || weir_upconn_is_fresh(up);
}

weir_upconn_t *
weir_upconn_take_idle(weir_peer_t *peer, const weir_upsecure_t *secure, const weir_upshare_t *share)
{
    weir_list_t *next;

    for (weir_list_t *at = peer->idle.next; at != &peer->idle; at = next) {
        weir_upconn_t *up = weir_list_entry(at, weir_upconn_t, idle_link);

        next = at->next;
        if (up->share != share || !weir_upconn_secure_eq(&up->secure, secure)) {
            continue;
        }
        if (!upconn_is_usable(up)) {
            upconn_close_one(up);
            continue;
        }
        weir_assert(up->peer == peer && up->reused && (share != NULL || up->owner == NULL));
        upconn_unlink(up);
        weir_timer_clear(&up->timer);
        weir_group_ref(peer->group);
        return up;
    }
    return NULL;
}

/* -- connections in use -- */

static void
upconn_set_secure(weir_upconn_t *up, const weir_upsecure_t *secure)
{
    /* plain: there is nothing to say */
    weir_assert(secure->context != NULL || (secure->name.len == 0 && secure->protocols.len == 0));
    if (secure->from != NULL) {
        up->from = *secure->from;
        up->secure.from = &up->from;
    }
    if (secure->context == NULL) {
        return;
    }
    up->secure = *secure;
    up->secure.from = secure->from != NULL ? &up->from : NULL;
    up->secure.context = weir_tls_context_ref(secure->context);
    up->secure.name.at = (const char *) (up + 1);
    if (secure->name.len != 0) {
        memcpy(up + 1, secure->name.at, secure->name.len);
    }
}

/* For a new one the oldest that is kept makes room. */
static bool
upconn_make_room(weir_upconn_t *up, weir_group_t *group)
{
    if (upconn_count(up, group)) {
        return true;
    }
    if (!weir_list_empty(&group->idle)) {
        upconn_close_one(weir_list_entry(group->idle.prev, weir_upconn_t, group_link));
        if (upconn_count(up, group)) {
            return true;
        }
    }
    weir_state_part_count(group->cap);
    return false;
}

weir_upconn_t *
weir_upconn_open(weir_peer_t *peer, const weir_upsecure_t *secure, void (*on_ready)(weir_watch_t *), bool *done)
{
    weir_upconn_t *up = weir_mem_try(sizeof(*up) + secure->name.len);
    int            fd, error;

    weir_assert(peer->group->refs > 0);     /* by the pick of the peer */
    if (up == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *up = (weir_upconn_t) { .peer = peer, .created = weir_clock_now() };
    if (!upconn_make_room(up, peer->group)) {
        weir_mem_free(up);
        errno = EUSERS;
        return NULL;
    }
    fd = weir_sock_connect_from(&peer->conf->addr, secure->from, done);
    if (fd == -1 || !weir_conn_open(&up->conn, peer->group->loop, fd, on_ready)) {
        error = errno;
        upconn_uncount(up);
        weir_mem_free(up);
        errno = error;
        return NULL;
    }
    weir_group_ref(peer->group);
    (void) weir_peer_ref(peer);
    upconn_set_secure(up, secure);
    return up;
}

void
weir_upconn_close(weir_upconn_t *up)
{
    weir_group_t *group = up->peer->group;

    weir_assert(!weir_list_linked(&up->idle_link) && group->refs > 0);
    upconn_free(up);
    weir_group_unref(group);
}

static bool
upconn_may_keep(weir_upconn_t *up)
{
    const weir_group_conf_t *conf = &up->peer->group->conf;
    const weir_watch_t      *watch = &up->conn.watch;

    if (up->peer->group->groups == NULL || up->peer->is_gone || conf->keepalive == 0
        || conf->keepalive_timeout.ms == 0)
    {
        return false;
    }
    if (up->requests >= conf->keepalive_requests
        || weir_clock_now().ms - up->created.ms > conf->keepalive_time.ms) {
        return false;
    }
    if (!weir_conn_is_open(&up->conn) || watch->peer_closed || watch->failed) {
        return false;
    }
    return up->share != NULL || !watch->readable || weir_upconn_is_fresh(up);
}

void
weir_upconn_keep(weir_upconn_t *up)
{
    weir_peer_t  *peer = up->peer;
    weir_group_t *group = peer->group;

    if (!upconn_may_keep(up)) {
        if (up->share != NULL) {
            up->share->closing(up);
        }
        weir_upconn_close(up);
        return;
    }
    if (group->n_idle >= group->conf.keepalive) {
        upconn_close_one(weir_list_entry(group->idle.prev, weir_upconn_t, group_link));
    }
    weir_assert(group->n_idle < group->conf.keepalive && !weir_list_linked(&up->idle_link));
    weir_assert(up->share == NULL || up->owner != NULL);
    if (up->share == NULL) {
        up->owner = NULL;
    }
    up->reused = true;
    up->conn.watch.on_ready = upconn_idle_ready;
    weir_list_push(&peer->idle, &up->idle_link);
    weir_list_push(&group->idle, &up->group_link);
    group->n_idle++;
    weir_timer_set(group->loop, &up->timer, group->conf.keepalive_timeout, upconn_idle_expired);
    weir_group_unref(group);
}
