/*
 * accept.c - see accept.h.  Runs in workers, on the loop; allocates a socket's struct.
 */
#include "serve/serve.h"

#include "base/mem.h"
#include "log/log.h"
#include "os/sys.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define ACCEPT_PAUSE  ((weir_msec_t) { 500 })
#define ACCEPT_BATCH  64                         /* a turn, with multi_accept */
#define ACCEPT_QUEUED 4096                       /* connections taken from a socket that goes */
#define ACCEPT_LEAVES ((weir_msec_t) { 300 })    /* a round trip of those who have begun to connect */

/* -- sockets -- */

void
weir_accept_unref(weir_serve_socket_t *socket)
{
    weir_assert(socket->refs != 0);
    if (--socket->refs != 0) {
        return;
    }
    if (socket->owner != NULL) {
        weir_accept_unref(socket->owner);
    }
    weir_generation_unref(socket->generation);
    weir_mem_free(socket);
}

/* Its descriptor, which has no owner then. */
static int
accept_take_fd(weir_serve_socket_t *socket)
{
    int fd = socket->paused_fd >= 0 ? socket->paused_fd : socket->watch.fd;

    weir_loop_unwatch(socket->serve->loop, &socket->watch);
    weir_timer_drop(&socket->leave_timer);
    socket->paused_fd = -1;
    return fd;
}

static void
accept_remove(weir_serve_socket_t *socket)
{
    weir_assert(socket->is_removed == socket->is_leaving);
    socket->is_removed = true;
    weir_list_remove(&socket->link);
    weir_accept_unref(socket);
}

static void
accept_close(weir_serve_socket_t *socket)
{
    int fd = accept_take_fd(socket);

    if (fd >= 0) {
        (void) weir_sys_close(fd);
    }
    accept_remove(socket);
}

/* -- accepting -- */

static void accept_on_ready(weir_watch_t *watch);

static bool
accept_watch(weir_serve_socket_t *socket, int fd)
{
    weir_assert(fd >= 0);
    return weir_loop_watch_level(socket->serve->loop, &socket->watch, fd, accept_on_ready, socket->is_shared);
}

static void
accept_resume(weir_timer_t *timer)
{
    weir_serve_t *serve = weir_container_of(timer, weir_serve_t, accept_timer);

    if (!serve->is_paused || serve->is_quitting) {
        return;
    }
    serve->is_paused = false;
    for (weir_list_t *l = serve->sockets.next; l != &serve->sockets; l = l->next) {
        weir_serve_socket_t *socket = weir_list_entry(l, weir_serve_socket_t, link);

        if (socket->paused_fd < 0) {
            continue;
        }
        if (!accept_watch(socket, socket->paused_fd)) {
            serve->is_paused = true;
            weir_timer_set(serve->loop, &serve->accept_timer, ACCEPT_PAUSE, accept_resume);
            return;
        }
        socket->paused_fd = -1;
    }
}

/* Some may be watched while it is paused: those that could be, when it went on. */
void
weir_accept_pause(weir_serve_t *serve)
{
    bool is_new = !serve->is_paused;

    for (weir_list_t *l = serve->sockets.next; l != &serve->sockets; l = l->next) {
        weir_serve_socket_t *socket = weir_list_entry(l, weir_serve_socket_t, link);

        if (socket->watch.fd >= 0) {
            socket->paused_fd = socket->watch.fd;
            weir_loop_unwatch(serve->loop, &socket->watch);
            is_new = true;
        }
    }
    serve->is_paused = true;
    if (is_new) {
        weir_timer_set(serve->loop, &serve->accept_timer, ACCEPT_PAUSE, accept_resume);
    }
}

void
weir_accept_closed(weir_serve_t *serve)
{
    weir_assert(serve->n_conns != 0);
    serve->n_conns--;
    if (serve->is_paused && !serve->is_quitting && serve->n_conns < serve->max_conns) {
        accept_resume(&serve->accept_timer);
    }
}

/* Makes room when all connections are in use: an idle one goes. */
static bool
accept_has_room(weir_serve_t *serve)
{
    if (serve->n_conns < serve->max_conns) {
        return true;
    }
    for (size_t i = 0; i < serve->n_parts; i++) {
        if (serve->parts[i].area->make_room(serve->parts[i].part)) {
            return true;
        }
    }
    weir_log(WEIR_LOG_ALERT, NULL, 0, "%u worker_connections are not enough", serve->max_conns);
    return false;
}

/* A kept socket goes back to the successor; the connections that came of it stay, as those of our own. */
static void
accept_begin(weir_serve_socket_t *socket, int fd, const weir_addr_t *peer)
{
    weir_serve_socket_t *owner = socket->owner != NULL ? socket->owner : socket;

    weir_assert(!owner->is_kept || owner == socket);
    if (owner->listen->area->accept(owner->part, owner, fd, peer)) {
        socket->serve->n_conns++;
    }
}

static void
accept_on_ready(weir_watch_t *watch)
{
    weir_serve_socket_t *socket = weir_container_of(watch, weir_serve_socket_t, watch);
    weir_serve_t        *serve = socket->serve;
    int                  tries = serve->multi_accept ? ACCEPT_BATCH : 1;

    while (tries-- > 0 && socket->watch.fd >= 0) {
        weir_addr_t peer = { .len = sizeof(struct sockaddr_un) };
        int         fd;

        if (!accept_has_room(serve)) {
            weir_accept_pause(serve);
            return;
        }
        fd = weir_sys_accept(socket->watch.fd, &peer.any, &peer.len);
        if (fd >= 0) {
            __atomic_store_n(serve->taken, *serve->taken + 1, __ATOMIC_RELAXED);
            accept_begin(socket, fd, &peer);
            continue;
        }
        if (errno != EAGAIN && errno != ECONNABORTED && errno != EPROTO) {      /* those are gone already */
            weir_log(WEIR_LOG_CRIT, NULL, errno, "accept() failed");
            weir_accept_pause(serve);
        }
        return;
    }
}

/* -- sockets come -- */

static weir_serve_socket_t *
accept_make(weir_serve_t *serve, const weir_addr_t *addr, bool shared)
{
    weir_listen_t       *listen = weir_listens_find(serve->generation, addr);
    weir_serve_socket_t *socket = listen != NULL ? weir_mem_try(sizeof(*socket)) : NULL;

    if (socket == NULL) {
        errno = listen == NULL ? EADDRNOTAVAIL : ENOMEM;
        return NULL;
    }
    *socket = (weir_serve_socket_t) {
        .serve = serve, .addr = *addr, .listen = listen, .part = weir_serve_part(serve, listen->area),
        .generation = weir_generation_ref(serve->generation), .is_shared = shared, .refs = 1,
        .watch.fd = -1, .paused_fd = -1,
    };
    weir_assert(socket->part != NULL);      /* a process has all areas */
    weir_list_append(&serve->sockets, &socket->link);
    return socket;
}

/* false: errno, and both are gone. */
static bool
accept_open(weir_serve_socket_t *socket, int fd)
{
    int error;

    weir_assert(fd >= 0 && socket->paused_fd < 0 && socket->watch.fd < 0);
    if (socket->serve->is_paused) {         /* one that comes now is looked at with the others */
        socket->paused_fd = fd;
        return true;
    }
    if (accept_watch(socket, fd)) {
        return true;
    }
    error = errno;
    (void) weir_sys_close(fd);
    accept_remove(socket);
    errno = error;
    return false;
}

/* NULL: errno, and fd is closed. */
static weir_serve_socket_t *
accept_add(weir_serve_t *serve, const weir_addr_t *addr, int fd, bool shared)
{
    weir_serve_socket_t *socket = accept_make(serve, addr, shared);

    if (socket == NULL) {
        int error = errno;

        (void) weir_sys_close(fd);
        errno = error;
        return NULL;
    }
    return accept_open(socket, fd) ? socket : NULL;
}

/* -- for a worker that is down -- */

/* Counted. */
static weir_serve_socket_t *
accept_own_socket(weir_serve_t *serve, const weir_addr_t *addr)
{
    for (weir_list_t *l = serve->sockets.next; l != &serve->sockets; l = l->next) {
        weir_serve_socket_t *socket = weir_list_entry(l, weir_serve_socket_t, link);

        if (!socket->is_kept && !socket->is_leaving && weir_addr_eq(&socket->addr, addr)) {
            return weir_accept_ref(socket);
        }
    }
    return NULL;
}

void
weir_accept_keep(weir_serve_t *serve, const weir_addr_t *addr, int fd, uint32_t of)
{
    weir_serve_socket_t *owner = accept_own_socket(serve, addr);
    weir_serve_socket_t *socket = accept_add(serve, addr, fd, true);

    weir_assert(owner == NULL || !owner->is_kept);
    if (socket != NULL) {
        socket->is_kept = true;
        socket->kept_for = of;
        socket->owner = owner;
        return;
    }
    if (errno != EADDRNOTAVAIL) {           /* that one is of a generation that came or went meanwhile */
        weir_log(WEIR_LOG_ALERT, NULL, errno, "accepting for a worker that is down failed");
    }
    if (owner != NULL) {
        weir_accept_unref(owner);
    }
}

/* What waits is the successor's. */
void
weir_accept_keep_end(weir_serve_t *serve, uint32_t of)
{
    for (weir_list_t *l = serve->sockets.next, *next; l != &serve->sockets; l = next) {
        weir_serve_socket_t *socket = weir_list_entry(l, weir_serve_socket_t, link);

        next = l->next;
        if (socket->is_kept && socket->kept_for == of && !socket->is_leaving) {
            accept_close(socket);
        }
    }
}

/* -- sockets go -- */

static int
accept_fd(const weir_serve_socket_t *socket)
{
    return socket->paused_fd >= 0 ? socket->paused_fd : socket->watch.fd;
}

/* What is queued is accepted, on the newest generation that listens here. */
static void
accept_drain(weir_serve_socket_t *socket)
{
    int listener = accept_fd(socket);

    weir_assert(listener >= 0);
    for (int i = 0; i < ACCEPT_QUEUED; i++) {
        weir_addr_t peer = { .len = sizeof(struct sockaddr_un) };
        int         fd = weir_sys_accept(listener, &peer.any, &peer.len);

        if (fd < 0) {
            break;
        }
        accept_begin(socket, fd, &peer);
    }
}

static void
accept_on_leave(weir_timer_t *timer)
{
    weir_serve_socket_t *socket = weir_container_of(timer, weir_serve_socket_t, leave_timer);

    weir_assert(socket->is_leaving);
    accept_drain(socket);
    accept_close(socket);
}

/* We stop listening here.  The master has the socket, too, and lets no client begin to connect any more
 * (serve/sockets.h). */
static void
accept_leave(weir_serve_socket_t *socket)
{
    weir_assert(!socket->is_leaving);
    socket->is_leaving = socket->is_removed = true;
    accept_drain(socket);
    weir_timer_set(socket->serve->loop, &socket->leave_timer, ACCEPT_LEAVES, accept_on_leave);
}

/* An address that had gone is listened on again: what waits in a socket that leaves is the same one's that comes. */
static void
accept_leave_to(weir_serve_t *serve, const weir_addr_t *addr, int fd)
{
    struct stat comes, leaves;

    for (weir_list_t *l = serve->sockets.next, *next; l != &serve->sockets; l = next) {
        weir_serve_socket_t *socket = weir_list_entry(l, weir_serve_socket_t, link);

        next = l->next;
        if (socket->is_leaving && weir_addr_eq(&socket->addr, addr) && weir_sys_fstat(fd, &comes) == 0
            && weir_sys_fstat(accept_fd(socket), &leaves) == 0 && comes.st_ino == leaves.st_ino
            && comes.st_dev == leaves.st_dev)
        {
            accept_close(socket);
        }
    }
}

bool
weir_accept_listen(weir_serve_t *serve, const weir_addr_t *addr, int fd, bool shared)
{
    accept_leave_to(serve, addr, fd);
    return accept_add(serve, addr, fd, shared) != NULL;
}

void
weir_accept_end(weir_serve_t *serve)
{
    while (!weir_list_empty(&serve->sockets)) {
        weir_serve_socket_t *socket = weir_list_entry(serve->sockets.next, weir_serve_socket_t, link);

        accept_drain(socket);
        accept_close(socket);
    }
}

/* The address is another area's now.  Its connections know the socket as it was, so that the descriptor goes to a new
 * one; the master lends again what was lent. */
static void
accept_hand_over(weir_serve_socket_t *socket)
{
    weir_serve_t        *serve = socket->serve;
    weir_serve_socket_t *next;

    if (socket->is_kept) {
        accept_close(socket);
        return;
    }
    next = accept_make(serve, &socket->addr, socket->is_shared);
    if (next == NULL || !accept_open(next, accept_take_fd(socket))) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "accepting on %.*s failed", WEIR_STR_ARG(socket->listen->text));
    }
    accept_close(socket);
}

/* serve->generation is the new one. */
void
weir_accept_use(weir_serve_t *serve)
{
    weir_list_t *last = serve->sockets.prev, *next;
    bool         more = !weir_list_empty(&serve->sockets);

    for (weir_list_t *l = serve->sockets.next; more; l = next) {
        weir_serve_socket_t *socket = weir_list_entry(l, weir_serve_socket_t, link);
        weir_listen_t       *listen = weir_listens_find(serve->generation, &socket->addr);

        next = l->next;
        more = l != last;                   /* behind it are those that were handed over */
        if (socket->is_leaving) {
            continue;
        }
        if (listen == NULL) {
            accept_leave(socket);
        } else if (listen->area != socket->listen->area) {
            accept_hand_over(socket);
        } else {
            weir_generation_unref(socket->generation);
            socket->generation = weir_generation_ref(serve->generation);
            socket->listen = listen;
        }
    }
}
