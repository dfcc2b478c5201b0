/*
 * shared_link.c - see shared_link.h.
 *
 *   made ──> CONNECTING ──> OPEN ──> idle, in the pool ──> OPEN …
 *                │            │            │
 *                └────────────┴────────────┴──> ended (settle, from a task: never under a session's callback)
 */
#include "http/exchange/shared_link.h"

#include "base/mem.h"
#include "http/serve/runtime.h"
#include "os/clock.h"
#include "os/sock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* exchanges that wait for one connection; as many streams every peer should take */
#define SHARED_WAITING_MAX 100
/* of a stream at first: what the answer for a client that reads nothing may hold here */
#define SHARED_WINDOW      (64 * 1024)
#define SHARED_HEADS       (64 * 1024)

struct weir_shared_link {
    weir_upconn_t        *up;
    weir_h2_session_t    *session;           /* NULL: connecting */
    const weir_h2_role_t *role;
    weir_http_t          *http;
    weir_list_t           waiting;           /* joints */
    uint32_t              n_waiting, n_joined;
    weir_task_t           task;
    bool                  is_idle, failed;   /* idle: the pool has it */
};

static void shared_ready(weir_watch_t *watch);

static weir_shared_link_t *
shared_of(const weir_upconn_t *up)
{
    return up->owner;
}

/* -- its end, and its leisure -- */

static void
shared_free(weir_shared_link_t *link)
{
    weir_assert(link->n_joined == 0 && link->n_waiting == 0);
    weir_task_cancel(&link->task);
    if (link->session != NULL) {
        weir_h2_session_destroy(link->session);
    }
    weir_mem_free(link);
}

static bool
shared_is_over(const weir_shared_link_t *link)
{
    return link->failed || link->session == NULL || weir_h2_session_is_leaving(link->session);
}

/* No exchange uses it: the pool may have it, or it ends. */
static void
shared_settle(weir_task_t *task)
{
    weir_shared_link_t *link = weir_container_of(task, weir_shared_link_t, task);
    weir_upconn_t *up = link->up;

    if (link->n_joined != 0) {
        return;
    }
    if (link->is_idle) {
        if (shared_is_over(link)) {
            weir_upconn_drop(up);
        }
        return;
    }
    weir_list_remove(&up->shared_link);
    if (shared_is_over(link)) {
        shared_free(link);
        weir_upconn_close(up);
        return;
    }
    weir_assert(link->n_waiting == 0 && !weir_list_linked(&up->shared_link));
    weir_h2_session_flush(link->session);
    link->is_idle = true;
    weir_upconn_keep(up);                    /* may call shared_closing */
}

static void
shared_settle_soon(weir_shared_link_t *link)
{
    weir_task_post(link->http->loop, &link->task, shared_settle);
}

/* -- while the pool has it -- */

static void
shared_idle_ready(weir_upconn_t *up)
{
    weir_assert(shared_of(up)->is_idle && shared_of(up)->session != NULL);
    weir_h2_session_ready(shared_of(up)->session);
}

static bool
shared_is_usable(weir_upconn_t *up)
{
    const weir_shared_link_t *link = shared_of(up);

    return !shared_is_over(link) && weir_h2_session_room(link->session) != 0;
}

static void
shared_closing(weir_upconn_t *up)
{
    shared_free(shared_of(up));
}

static const weir_upshare_t shared_share = { .idle_ready = shared_idle_ready, .is_usable = shared_is_usable,
                                             .closing = shared_closing };

/* -- what the session says -- */

void
weir_shared_link_on_change(weir_h2_session_t *session)
{
    weir_shared_link_t *link = weir_h2_session_owner(session);

    if (weir_h2_session_is_leaving(session)) {
        weir_list_remove(&link->up->shared_link);      /* no new exchange joins */
        shared_settle_soon(link);
    }
}

void
weir_shared_link_on_dead(weir_h2_session_t *session)
{
    weir_shared_link_t *link = weir_h2_session_owner(session);

    link->failed = true;
    weir_list_remove(&link->up->shared_link);
    shared_settle_soon(link);
}

void
weir_shared_link_on_idle(weir_h2_session_t *session, bool idle)
{
    (void) session;
    (void) idle;                         /* joints are counted, not streams: what was received may not have been read */
}

/* -- joining -- */

static bool
shared_open_stream(weir_shared_link_t *link, weir_joint_t *joint)
{
    weir_assert(link->session != NULL && joint->stream == NULL);
    joint->stream = weir_h2_stream_open(link->session, joint);
    joint->reused = link->up->requests != 0;
    if (joint->stream == NULL) {
        return false;
    }
    link->up->requests++;
    return true;
}

static void
shared_join(weir_shared_link_t *link, weir_joint_t *joint)
{
    weir_assert(joint->link == NULL && !link->is_idle);
    joint->link = link;
    link->n_joined++;
}

static void
shared_leave(weir_joint_t *joint)
{
    weir_shared_link_t *link = joint->link;

    joint->link = NULL;
    if (weir_list_linked(&joint->waiting)) {
        weir_assert(link->n_waiting > 0);
        weir_list_remove(&joint->waiting);
        link->n_waiting--;
    }
    weir_assert(link->n_joined > 0);
    if (--link->n_joined == 0) {
        shared_settle_soon(link);
    }
}

void
weir_shared_link_leave(weir_joint_t *joint)
{
    if (joint->stream != NULL) {
        weir_h2_stream_release(joint->stream);
        joint->stream = NULL;
    }
    if (joint->link != NULL) {
        shared_leave(joint);
    }
}

/* -- connecting -- */

static bool
shared_start_session(weir_shared_link_t *link, const weir_exchange_conf_t *conf)
{
    weir_h2_settings_t settings = {
        .stream_window = SHARED_WINDOW,
        .connection_window = WEIR_H2_WINDOW_MAX / 2,
        .max_frame = WEIR_H2_FRAME_DEFAULT,
        .header_table = WEIR_HPACK_DEFAULT_TABLE,
        .max_header_list = SHARED_HEADS,
        .max_fields = 1000,
        .max_field = SHARED_HEADS,
        .max_block = SHARED_HEADS,
        .chunk = WEIR_H2_FRAME_DEFAULT,
        .head_timeout = conf->read_timeout,
        .stall_timeout = conf->send_timeout,
    };

    weir_assert(link->session == NULL);
    link->session = weir_h2_session_create(&link->up->conn, &settings, link->role, link, &link->http->blocks,
                                           link->http->h2_rx,
                                           WEIR_RX_BYTES);
    return link->session != NULL;
}

/* OK: streams may be opened · AGAIN · ERROR: x's cause and detail say why. */
static weir_io_t
shared_advance(weir_shared_link_t *link, weir_exchange_t *x)
{
    weir_conn_t *conn = &link->up->conn;
    const char *why;
    weir_io_t io = weir_upconn_secure(link->up, &why);

    if (io == WEIR_ERROR) {
        return weir_exchange_secure_failed(x, conn, why);
    }
    if (io != WEIR_OK) {
        return io;
    }
    if (weir_tls_is_on(conn) && !weir_str_eq(weir_tls_protocol(conn), WEIR_STR("h2"))) {
        return weir_exchange_error(x, WEIR_CAUSE_UPSTREAM_TLS_PROTOCOL, "HTTP/2 by ALPN");
    }
    if (x->conf->socket_keepalive.on) {
        weir_sock_set_keepalive(conn->watch.fd);
    }
    if (!shared_start_session(link, x->conf)) {
        return weir_exchange_error(x, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
    }
    return WEIR_OK;
}

static weir_joint_t *
shared_next_waiting(weir_shared_link_t *link)
{
    weir_joint_t *joint;

    if (weir_list_empty(&link->waiting)) {
        return NULL;
    }
    weir_assert(link->n_waiting > 0);
    joint = weir_list_entry(link->waiting.next, weir_joint_t, waiting);
    weir_list_remove(&joint->waiting);
    link->n_waiting--;
    return joint;
}

static void
shared_fail_all(weir_shared_link_t *link, weir_cause_t cause, const char *detail)
{
    weir_joint_t *joint;

    link->failed = true;
    weir_list_remove(&link->up->shared_link);
    shared_settle_soon(link);
    while ((joint = shared_next_waiting(link)) != NULL) {
        weir_exchange_t *x = joint->exchange;
        const char *copy = detail != NULL ? weir_str_to_z(x->arena, weir_str_from_z(detail)) : NULL;

        weir_exchange_fail(x, cause, copy);
    }
}

static void
shared_let_in(weir_shared_link_t *link)
{
    weir_joint_t *joint;

    weir_assert(link->session != NULL);
    while (!link->failed && (joint = shared_next_waiting(link)) != NULL) {
        if (shared_open_stream(link, joint)) {
            weir_exchange_connected(joint->exchange);
        } else {
            weir_exchange_fail(joint->exchange, WEIR_CAUSE_UPSTREAM_H2_REFUSED, "no room for a stream");
        }
    }
}

static void
shared_connect_ready(weir_shared_link_t *link)
{
    weir_watch_t *watch = &link->up->conn.watch;
    weir_joint_t *first;
    char detail[256];
    int error;

    if (link->failed || weir_list_empty(&link->waiting)
        || (!watch->writable && !watch->failed && !watch->peer_closed))
    {
        return;
    }
    error = weir_tls_is_on(&link->up->conn) ? 0 : weir_sock_error(watch->fd);
    if (error != 0) {
        shared_fail_all(link, weir_exchange_connect_cause(error), strerror(error));
        return;
    }
    first = weir_list_entry(link->waiting.next, weir_joint_t, waiting);
    switch (shared_advance(link, first->exchange)) {
    case WEIR_AGAIN:
        return;
    case WEIR_OK:
        shared_let_in(link);
        return;
    default:
        (void) snprintf(detail, sizeof(detail), "%s", first->exchange->detail != NULL ? first->exchange->detail : "");
        shared_fail_all(link, first->exchange->cause, detail[0] != '\0' ? detail : NULL);
    }
}

static void
shared_ready(weir_watch_t *watch)
{
    weir_shared_link_t *link = shared_of(weir_container_of(watch, weir_upconn_t, conn.watch));

    if (link->session != NULL) {
        weir_h2_session_ready(link->session);
    } else {
        shared_connect_ready(link);
    }
}

/* -- finding, making -- */

static bool
shared_has_room(const weir_shared_link_t *link)
{
    const weir_group_conf_t *conf = weir_group_conf(link->up->peer->group);

    if (link->failed || link->up->requests + link->n_waiting >= conf->keepalive_requests) {
        return false;
    }
    if (link->session == NULL) {
        return link->n_waiting < SHARED_WAITING_MAX;
    }
    return !shared_is_over(link) && weir_h2_session_room(link->session) != 0;
}

static weir_shared_link_t *
shared_find(weir_peer_t *peer, const weir_upsecure_t *secure)
{
    weir_upconn_t *up;

    for (weir_list_t *at = peer->shared.next; at != &peer->shared; at = at->next) {
        up = weir_list_entry(at, weir_upconn_t, shared_link);
        if (up->share == &shared_share && weir_upconn_secure_eq(&up->secure, secure)
            && shared_has_room(shared_of(up)))
        {
            return shared_of(up);
        }
    }
    up = weir_upconn_take_idle(peer, secure, &shared_share);
    if (up == NULL) {
        return NULL;
    }
    weir_assert(shared_of(up)->is_idle && shared_of(up)->n_joined == 0);
    shared_of(up)->is_idle = false;
    up->conn.watch.on_ready = shared_ready;
    weir_list_push(&peer->shared, &up->shared_link);
    return shared_of(up);
}

/* NULL: errno. */
static weir_shared_link_t *
shared_make(weir_exchange_t *x, const weir_h2_role_t *role, bool *done)
{
    weir_shared_link_t *link = weir_mem_try(sizeof(*link));

    if (link == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *link = (weir_shared_link_t) { .role = role, .http = x->http };
    weir_list_init(&link->waiting);
    link->up = weir_upconn_open(x->peer, &x->secure, shared_ready, done);
    if (link->up == NULL) {
        int error = errno;
        weir_mem_free(link);
        errno = error;
        return NULL;
    }
    link->up->owner = link;
    link->up->share = &shared_share;
    weir_list_push(&x->peer->shared, &link->up->shared_link);
    return link;
}

static weir_io_t
shared_use(weir_shared_link_t *link, weir_joint_t *joint)
{
    weir_assert(!link->failed);
    shared_join(link, joint);
    if (link->session == NULL) {
        weir_list_append(&link->waiting, &joint->waiting);
        link->n_waiting++;
        return WEIR_AGAIN;
    }
    if (!shared_open_stream(link, joint)) {
        shared_leave(joint);
        return weir_exchange_error(joint->exchange, WEIR_CAUSE_UPSTREAM_H2_REFUSED, "no room for a stream");
    }
    return WEIR_OK;
}

weir_io_t
weir_shared_link_join(weir_joint_t *joint, weir_exchange_t *x, const weir_h2_role_t *role)
{
    weir_shared_link_t *link;
    bool done = false;

    *joint = (weir_joint_t) { .exchange = x };
    link = x->needs_fresh ? NULL : shared_find(x->peer, &x->secure);
    if (link != NULL) {
        return shared_use(link, joint);
    }
    link = shared_make(x, role, &done);
    if (link == NULL && errno == EUSERS) {
        return weir_exchange_error(x, WEIR_CAUSE_UPSTREAM_FULL_CONNECTIONS, NULL);
    }
    if (link == NULL) {
        return weir_exchange_error(x, WEIR_CAUSE_UPSTREAM_CONNECT_FAILED, strerror(errno));
    }
    if (done && shared_advance(link, x) == WEIR_ERROR) {
        link->failed = true;
        weir_list_remove(&link->up->shared_link);
        shared_settle_soon(link);
        return WEIR_ERROR;
    }
    return shared_use(link, joint);
}
