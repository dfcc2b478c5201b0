/*
 * runtime.c - a worker's http: its listening sockets, accepting, the swap of generations, leaving politely.
 *
 * Runs in workers, on the loop.
 */
#include "http/serve/conn.h"
#include "http/sub.h"
#include "http/h2/session.h"

#include "base/mem.h"
#include "conf/core.h"
#include "log/files.h"
#include "log/named.h"
#include "os/clock.h"
#include "tls/conn.h"

#include <errno.h>
#include <string.h>

#define RUNTIME_PIPES_IDLE ((weir_msec_t) { 500 })
#define RUNTIME_ACCEPT_PAUSE ((weir_msec_t) { 500 })
#define RUNTIME_POLITE_DELAY ((weir_msec_t) { 1000 })   /* an idle connection is not closed sooner after we begin to leave */
#define RUNTIME_ACCEPTS      64                         /* a turn, with multi_accept */
#define RUNTIME_QUEUED       4096                       /* connections taken from a socket that goes */
#define RUNTIME_FREE_BLOCKS  64
#define RUNTIME_RESERVE      (256 * 1024)               /* memory for what must not fail when it runs out */

size_t
weir_http_addresses(const weir_generation_t *generation, weir_arena_t *arena, weir_http_address_t **list)
{
    const weir_http_conf_t *conf = weir_http_conf_of(generation);

    *list = NULL;
    if (conf == NULL || conf->n_listens == 0) {
        return 0;
    }
    *list = weir_new_n(arena, weir_http_address_t, conf->n_listens);
    for (size_t i = 0; i < conf->n_listens; i++) {
        const weir_http_listen_t *l = conf->listens[i];
        (*list)[i] = (weir_http_address_t) { &l->addr, l->text, &l->options };
    }
    return conf->n_listens;
}

/* -- sockets -- */

static weir_http_listen_t *
runtime_find_listen(const weir_generation_t *generation, const weir_addr_t *addr)
{
    const weir_http_conf_t *conf = weir_http_conf_of(generation);

    for (size_t i = 0; conf != NULL && i < conf->n_listens; i++) {
        if (weir_addr_eq(&conf->listens[i]->addr, addr)) {
            return conf->listens[i];
        }
    }
    return NULL;
}

void
weir_http_socket_unref(weir_http_socket_t *socket)
{
    if (--socket->refs != 0) {
        return;
    }
    if (socket->owner != NULL) {
        weir_http_socket_unref(socket->owner);
    }
    weir_generation_unref(socket->generation);
    weir_mem_free(socket);
}

static void
runtime_close_socket(weir_http_socket_t *socket)
{
    int fd = socket->paused_fd >= 0 ? socket->paused_fd : socket->watch.fd;

    weir_loop_unwatch(socket->http->loop, &socket->watch);
    if (fd >= 0) {
        weir_sys_close(fd);
    }
    socket->paused_fd = -1;
    socket->is_removed = true;
    weir_list_remove(&socket->link);
    weir_http_socket_unref(socket);
}

/* -- accepting -- */

static void runtime_on_accept(weir_watch_t *watch);

static bool
runtime_watch_socket(weir_http_socket_t *socket, int fd)
{
    return weir_loop_watch_level(socket->http->loop, &socket->watch, fd, runtime_on_accept, socket->is_shared);
}

static void
runtime_resume_accept(weir_timer_t *timer)
{
    weir_http_t *http = weir_container_of(timer, weir_http_t, accept_timer);

    if (!http->accept_paused || http->quitting) {
        return;
    }
    http->accept_paused = false;
    for (weir_list_t *l = http->sockets.next; l != &http->sockets; l = l->next) {
        weir_http_socket_t *socket = weir_list_entry(l, weir_http_socket_t, link);
        if (socket->paused_fd >= 0) {
            int fd = socket->paused_fd;
            if (!runtime_watch_socket(socket, fd)) {
                http->accept_paused = true;
                weir_timer_set(http->loop, &http->accept_timer, RUNTIME_ACCEPT_PAUSE, runtime_resume_accept);
                return;
            }
            socket->paused_fd = -1;
        }
    }
}

/* Out of descriptors, memory or connections: look away for a moment; what waits in the kernel's queue is not lost. */
static void
runtime_pause_accept(weir_http_t *http)
{
    if (http->accept_paused) {
        return;
    }
    http->accept_paused = true;
    for (weir_list_t *l = http->sockets.next; l != &http->sockets; l = l->next) {
        weir_http_socket_t *socket = weir_list_entry(l, weir_http_socket_t, link);
        if (socket->watch.fd >= 0) {
            socket->paused_fd = socket->watch.fd;
            weir_loop_unwatch(http->loop, &socket->watch);
        }
    }
    weir_timer_set(http->loop, &http->accept_timer, RUNTIME_ACCEPT_PAUSE, runtime_resume_accept);
}

void
weir_http_connection_closed(weir_http_t *http)
{
    if (http->accept_paused && !http->quitting && http->n_conns < http->max_conns) {
        runtime_resume_accept(&http->accept_timer);
    }
}

/* Makes room when all connections are in use: the idle one that waited longest goes (DO-02). */
static bool
runtime_has_room(weir_http_t *http)
{
    if (http->n_conns < http->max_conns) {
        return true;
    }
    if (!weir_list_empty(&http->idle)) {
        weir_http_conn_t *oldest = weir_list_entry(http->idle.next, weir_http_conn_t, idle_link);
        oldest->protocol->quit(oldest, true);
        return true;
    }
    weir_log(WEIR_LOG_ALERT, NULL, 0, "%u worker_connections are not enough", http->max_conns);
    return false;
}

/* A kept socket goes back to the successor; the connections that came of it stay, as those of our own. */
static void
runtime_begin(weir_http_socket_t *socket, int fd, const weir_addr_t *peer)
{
    weir_http_accept(socket->http, socket->owner != NULL ? socket->owner : socket, fd, peer);
}

static void
runtime_on_accept(weir_watch_t *watch)
{
    weir_http_socket_t *socket = weir_container_of(watch, weir_http_socket_t, watch);
    weir_http_t *http = socket->http;
    int tries = http->multi_accept ? RUNTIME_ACCEPTS : 1;

    while (tries-- > 0 && socket->watch.fd >= 0) {
        weir_addr_t peer = { .len = sizeof(peer) - offsetof(weir_addr_t, any) };
        if (!runtime_has_room(http)) {
            runtime_pause_accept(http);
            return;
        }
        peer.len = sizeof(struct sockaddr_un);
        int fd = weir_sys_accept(socket->watch.fd, &peer.any, &peer.len);
        if (fd >= 0) {
            __atomic_store_n(http->taken, *http->taken + 1, __ATOMIC_RELAXED);
            runtime_begin(socket, fd, &peer);
            continue;
        }
        if (errno != EAGAIN && errno != ECONNABORTED && errno != EPROTO) {      /* those are gone already */
            weir_log(WEIR_LOG_CRIT, NULL, errno, "accept() failed");
            runtime_pause_accept(http);
        }
        return;
    }
}

/* NULL: errno, and fd is closed. */
static weir_http_socket_t *
runtime_add_socket(weir_http_t *http, const weir_addr_t *addr, int fd, bool shared)
{
    weir_http_listen_t *listen = runtime_find_listen(http->generation, addr);
    weir_http_socket_t *socket = listen != NULL ? weir_mem_try(sizeof(*socket)) : NULL;

    if (socket == NULL) {
        weir_sys_close(fd);
        errno = listen == NULL ? EADDRNOTAVAIL : ENOMEM;
        return NULL;
    }
    memset(socket, 0, sizeof(*socket));
    socket->http = http;
    socket->addr = *addr;
    socket->listen = listen;
    socket->generation = weir_generation_ref(http->generation);
    socket->is_shared = shared;
    socket->refs = 1;
    socket->watch.fd = -1;
    socket->paused_fd = -1;
    weir_list_append(&http->sockets, &socket->link);
    if (http->accept_paused) {              /* one that came now is looked at with the others */
        socket->paused_fd = fd;
        return socket;
    }
    if (!runtime_watch_socket(socket, fd)) {
        int error = errno;
        weir_sys_close(fd);
        runtime_close_socket(socket);
        errno = error;
        return NULL;
    }
    return socket;
}

bool
weir_http_listen_on(weir_http_t *http, const weir_addr_t *addr, int fd, bool shared)
{
    return runtime_add_socket(http, addr, fd, shared) != NULL;
}

/* -- for a worker that is down -- */

void
weir_http_count_taken(weir_http_t *http, uint64_t *taken)
{
    http->taken = taken;
}

/* Counted. */
static weir_http_socket_t *
runtime_own_socket(weir_http_t *http, const weir_addr_t *addr)
{
    for (weir_list_t *l = http->sockets.next; l != &http->sockets; l = l->next) {
        weir_http_socket_t *socket = weir_list_entry(l, weir_http_socket_t, link);

        if (!socket->is_kept && weir_addr_eq(&socket->addr, addr)) {
            socket->refs++;
            return socket;
        }
    }
    return NULL;
}

void
weir_http_keep(weir_http_t *http, const weir_addr_t *addr, int fd, uint32_t of)
{
    weir_http_socket_t *owner = runtime_own_socket(http, addr);
    weir_http_socket_t *socket = runtime_add_socket(http, addr, fd, true);

    if (socket != NULL) {
        socket->is_kept = true;
        socket->kept_for = of;
        socket->owner = owner;
        return;
    }
    if (owner != NULL) {
        weir_http_socket_unref(owner);
    }
    if (errno != EADDRNOTAVAIL) {           /* that one is of a generation that came or went meanwhile */
        weir_log(WEIR_LOG_ALERT, NULL, errno, "accepting for a worker that is down failed");
    }
}

/* What waits is the successor's. */
void
weir_http_keep_end(weir_http_t *http, uint32_t of)
{
    for (weir_list_t *l = http->sockets.next, *next; l != &http->sockets; l = next) {
        weir_http_socket_t *socket = weir_list_entry(l, weir_http_socket_t, link);

        next = l->next;
        if (socket->is_kept && socket->kept_for == of) {
            runtime_close_socket(socket);
        }
    }
}

/* -- generations -- */

/* We stop listening here: what is queued is accepted on the generation that was, then the socket goes. */
static void
runtime_retire_socket(weir_http_socket_t *socket)
{
    int listener = socket->paused_fd >= 0 ? socket->paused_fd : socket->watch.fd;

    for (int i = 0; i < RUNTIME_QUEUED; i++) {
        weir_addr_t peer = { .len = sizeof(struct sockaddr_un) };
        int fd = weir_sys_accept(listener, &peer.any, &peer.len);
        if (fd < 0) {
            break;
        }
        runtime_begin(socket, fd, &peer);
    }
    runtime_close_socket(socket);
}

static void
runtime_take_settings(weir_http_t *http)
{
    const weir_http_conf_t *conf = weir_http_conf_of(http->generation);

    http->multi_accept = weir_core_multi_accept(http->generation);
    weir_log_raise(conf != NULL ? conf->log_level : WEIR_LOG_EMERG);
}

void
weir_http_use(weir_http_t *http, weir_generation_t *generation)
{
    weir_generation_t *old = http->generation;
    weir_list_t *next;

    weir_life_adopt(http->life, generation);
    http->generation = weir_generation_ref(generation);
    runtime_take_settings(http);
    for (weir_list_t *l = http->sockets.next; l != &http->sockets; l = next) {
        weir_http_socket_t *socket = weir_list_entry(l, weir_http_socket_t, link);
        weir_http_listen_t *listen = runtime_find_listen(generation, &socket->addr);

        next = l->next;
        if (listen == NULL) {
            runtime_retire_socket(socket);
            continue;
        }
        weir_generation_unref(socket->generation);
        socket->generation = weir_generation_ref(generation);
        socket->listen = listen;
    }
    weir_life_retire(http->life, old);
    weir_generation_unref(old);
}

/* -- begin and end -- */

static void
runtime_on_turn(void *data)
{
    weir_http_t *http = data;

    if (weir_unlikely(!weir_mem_keep_reserve(RUNTIME_RESERVE))) {
        runtime_pause_accept(http);
    }
}

weir_http_t *
weir_http_create(weir_life_t *life, weir_generation_t *generation, uint32_t max_connections)
{
    weir_http_t *http = weir_mem_need(sizeof(*http));

    http->loop = life->loop;
    http->life = life;
    http->generation = weir_generation_ref(generation);
    http->max_conns = max_connections;
    http->taken = &http->untold;
    http->rx = weir_mem_need(WEIR_RX_BYTES);
    http->h2_rx = weir_mem_need(WEIR_RX_BYTES);
    weir_send_queue_init(http);
    weir_list_init(&http->sockets);
    weir_list_init(&http->conns);
    weir_list_init(&http->idle);
    weir_list_init(&http->free_requests);
    weir_block_pool_init(&http->blocks, RUNTIME_FREE_BLOCKS);
    http->groups = weir_upstream_groups(life);
    weir_life_adopt(life, generation);
    runtime_take_settings(http);
    (void) weir_mem_keep_reserve(RUNTIME_RESERVE);
    weir_loop_on_turn(http->loop, &http->turn, runtime_on_turn, http);
    return http;
}

bool
weir_http_take_pipe(weir_http_t *http, weir_pipe_t *pipe)
{
    int fds[2];

    if (http->n_pipes != 0) {
        *pipe = http->pipes[--http->n_pipes];
        return true;
    }
    if (weir_sys_pipe(fds, WEIR_PIPE_BYTES) != 0) {
        return false;
    }
    *pipe = (weir_pipe_t) { .in = fds[1], .out = fds[0] };
    return true;
}

static void
runtime_close_pipe(weir_pipe_t pipe)
{
    weir_sys_close(pipe.in);
    weir_sys_close(pipe.out);
}

static void
runtime_close_pipes(weir_http_t *http)
{
    while (http->n_pipes != 0) {
        runtime_close_pipe(http->pipes[--http->n_pipes]);
    }
}

/* Nobody has given one back for a while: the kernel's memory for them is better used elsewhere. */
static void
runtime_on_pipes(weir_timer_t *timer)
{
    runtime_close_pipes(weir_container_of(timer, weir_http_t, pipe_timer));
}

void
weir_http_give_pipe(weir_http_t *http, weir_pipe_t pipe, bool is_empty)
{
    if (is_empty && http->n_pipes < WEIR_PIPES_MAX && !http->quitting) {
        http->pipes[http->n_pipes++] = pipe;
        weir_timer_set(http->loop, &http->pipe_timer, RUNTIME_PIPES_IDLE, runtime_on_pipes);
    } else {
        runtime_close_pipe(pipe);
    }
}

size_t
weir_http_connections(const weir_http_t *http)
{
    return http->n_conns + http->n_detached;
}

static void
runtime_quit_all(weir_http_t *http, bool now)
{
    weir_list_t *next;

    if (now) {
        weir_send_queue_drain(http);
    }
    for (weir_list_t *l = http->conns.next; l != &http->conns; l = next) {
        weir_http_conn_t *c = weir_list_entry(l, weir_http_conn_t, link);
        next = l->next;
        c->protocol->quit(c, now);
    }
    if (now) {
        weir_subs_end_detached(http);
    }
}

static void
runtime_on_polite(weir_timer_t *timer)
{
    runtime_quit_all(weir_container_of(timer, weir_http_t, polite_timer), false);
}

static void
runtime_on_limit(weir_timer_t *timer)
{
    weir_http_t *http = weir_container_of(timer, weir_http_t, quit_timer);

    weir_log(WEIR_LOG_NOTICE, NULL, 0, "worker_shutdown_timeout: %zu connections are cut", http->n_conns);
    runtime_quit_all(http, true);
}

static void
runtime_stop_accepting(weir_http_t *http)
{
    while (!weir_list_empty(&http->sockets)) {
        weir_http_socket_t *socket = weir_list_entry(http->sockets.next, weir_http_socket_t, link);
        runtime_retire_socket(socket);
    }
}

void
weir_http_quit(weir_http_t *http, weir_msec_t limit)
{
    if (http->quitting) {
        return;
    }
    http->quitting = true;
    runtime_stop_accepting(http);
    weir_timer_set(http->loop, &http->polite_timer, RUNTIME_POLITE_DELAY, runtime_on_polite);
    if (limit.ms != 0) {
        weir_timer_set(http->loop, &http->quit_timer, limit, runtime_on_limit);
    }
}

void
weir_http_stop(weir_http_t *http)
{
    http->quitting = true;
    runtime_stop_accepting(http);
    runtime_quit_all(http, true);
    weir_timer_drop(&http->polite_timer);
    weir_timer_drop(&http->quit_timer);
    weir_timer_drop(&http->accept_timer);
    weir_loop_turn(http->loop, (weir_msec_t) { 0 });     /* closed connections are freed at the end of a turn */
    weir_life_retire(http->life, http->generation);
}

void
weir_http_destroy(weir_http_t *http)
{
    weir_loop_turn(http->loop, (weir_msec_t) { 0 });     /* what modules closed */
    weir_timer_drop(&http->pipe_timer);
    runtime_close_pipes(http);
    weir_timer_drop(&http->trim_timer);
    weir_requests_free(http);
    weir_h2_streams_fini();
    weir_h2_heads_fini();
    weir_tls_conn_fini();
    weir_block_pool_fini(&http->blocks);
    weir_generation_unref(http->generation);
    weir_list_remove(&http->turn.link);
    (void) weir_mem_use_reserve();
    weir_mem_free(http->rx);
    weir_mem_free(http->h2_rx);
    weir_mem_free(http->file);
    weir_send_queue_fini(http);
    weir_mem_free(http);
}

void
weir_http_reopen_logs(weir_http_t *http)
{
    (void) http;
    weir_log_named_forget();
    weir_log_files_reopen();
}
