/*
 * server.c - see server.h: which users may ask, how many, and the link to the master.
 */
#define _GNU_SOURCE 1

#include "proc/control/server.h"

#include "log/log.h"
#include "os/clock.h"
#include "proc/control/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#define SERVER_CLIENTS  128
#define SERVER_ASKED    1024                 /* requests under way of all clients */
#define SERVER_BODIES   (32 * 1024 * 1024)   /* bytes of bodies of all clients */
#define SERVER_PATIENCE 60000                /* ms that an answer of the master's may take */
#define SERVER_LOOK     ((weir_msec_t) { 1000 })
#define SERVER_LEAVES   10000                /* ms that clients have when it is told to leave */
#define SERVER_ORPHANED 1000                 /* ms that they have when the master has gone */
#define SERVER_QUEUED   512
#define SERVER_GROUPS   256
#define SERVER_SO_PEERGROUPS 59

static struct {
    weir_control_setup_t setup;
    weir_watch_t         listener;
    weir_frames_t        link;
    weir_list_t          clients, asked;
    size_t               n_clients, n_asked, bodies;
    uint64_t             last_id;
    weir_task_t          task;
    weir_timer_t         timer, end_timer;
    bool                 is_leaving, has_ended;
} server;

/* What the link brings, at most. */
static const uint32_t server_max[WEIR_FRAME_KINDS] = {
    [WEIR_FRAME_ANSWER] = WEIR_FRAME_MAX_ANSWER, [WEIR_FRAME_LEAVE] = 1,
};

weir_loop_t *
weir_server_loop(void)
{
    return server.setup.loop;
}

bool
weir_server_is_leaving(void)
{
    return server.is_leaving;
}

/* A line for the master's log. */
WEIR_PRINTF(2, 3)
static void
server_say(weir_log_level_t level, const char *format, ...)
{
    char    text[WEIR_FRAME_MAX_SAID];
    va_list args;

    va_start(args, format);
    (void) vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void) weir_frames_put(&server.link, WEIR_FRAME_SAID, level, 0, weir_str_from_z(text));
}

/* -- bounds -- */

bool
weir_server_may_ask(void)
{
    return server.n_asked < SERVER_ASKED && weir_frames_unsent(&server.link) < WEIR_FRAME_MAX_REQUEST;
}

bool
weir_server_take_body(size_t bytes)
{
    if (bytes > SERVER_BODIES - server.bodies) {
        return false;
    }
    server.bodies += bytes;
    return true;
}

void
weir_server_give_body(size_t bytes)
{
    weir_assert(bytes <= server.bodies);
    server.bodies -= bytes;
}

/* -- what is asked -- */

bool
weir_server_ask(weir_control_exchange_t *exchange, weir_str_t words)
{
    weir_assert(exchange->id == 0);
    if (!weir_frames_put(&server.link, WEIR_FRAME_REQUEST, 0, server.last_id + 1, words)) {
        return false;
    }
    exchange->id = ++server.last_id;
    exchange->since = weir_clock_now();
    weir_list_append(&server.asked, &exchange->asked);
    server.n_asked++;
    return true;
}

void
weir_server_forget(weir_control_exchange_t *exchange)
{
    if (exchange->id != 0) {
        weir_assert(server.n_asked > 0);
        weir_list_remove(&exchange->asked);
        exchange->id = 0;
        server.n_asked--;
    }
}

static weir_control_exchange_t *
server_find(uint64_t id)
{
    for (weir_list_t *at = server.asked.next; at != &server.asked; at = at->next) {
        weir_control_exchange_t *exchange = weir_list_entry(at, weir_control_exchange_t, asked);

        if (exchange->id == id) {
            return exchange;
        }
    }
    return NULL;
}

static void server_leave(uint64_t patience);
static void server_on_timer(weir_timer_t *timer);

static void
server_on_frame(weir_frames_t *link WEIR_UNUSED, const weir_frame_t *frame, weir_str_t payload)
{
    weir_control_exchange_t *exchange;

    if (frame->kind == WEIR_FRAME_LEAVE) {
        server_leave(SERVER_LEAVES);
        return;
    }
    exchange = server_find(frame->id);       /* NULL: its client has gone */
    if (exchange != NULL) {
        weir_server_forget(exchange);
        weir_control_exchange_answer(exchange, frame->status, payload);
    }
}

static void
server_refuse_all(unsigned status, uint64_t since, const char *why)
{
    while (!weir_list_empty(&server.asked)) {
        weir_control_exchange_t *exchange = weir_list_entry(server.asked.next, weir_control_exchange_t, asked);

        if (exchange->since.ms > since) {
            break;
        }
        weir_server_forget(exchange);
        weir_control_exchange_refuse(exchange, status, why);
    }
}

static void
server_on_link_end(weir_frames_t *link WEIR_UNUSED)
{
    server_refuse_all(503, UINT64_MAX, "the master process has gone: whether anything was changed is not known");
    server_leave(SERVER_ORPHANED);
}

/* -- clients -- */

static bool
server_has_group(int fd, const struct ucred *peer)
{
    gid_t     groups[SERVER_GROUPS];
    socklen_t len = sizeof(groups);

    if (peer->gid == server.setup.group) {
        return true;
    }
    if (weir_sys_getsockopt(fd, SOL_SOCKET, SERVER_SO_PEERGROUPS, groups, &len) != 0) {
        return false;
    }
    for (size_t i = 0; i < len / sizeof(gid_t); i++) {
        if (groups[i] == server.setup.group) {
            return true;
        }
    }
    return false;
}

/* The kernel has looked at the mode when it connected; a client that held a socket open from before is looked at
 * here. */
static bool
server_may_ask(int fd)
{
    struct ucred peer;
    socklen_t    len = sizeof(peer);

    if (weir_sys_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return false;
    }
    if (peer.uid == 0 || peer.uid == server.setup.owner || (server.setup.mode & S_IWOTH) != 0
        || ((server.setup.mode & S_IWGRP) != 0 && server_has_group(fd, &peer)))
    {
        return true;
    }
    server_say(WEIR_LOG_ALERT, "process %d of user %u asked the control socket and was refused: it has no right to",
               (int) peer.pid, (unsigned) peer.uid);
    return false;
}

/* The one that came first of those that wait for nothing, or let others wait, gives its place to one that comes. */
static bool
server_make_room(void)
{
    for (weir_list_t *at = server.clients.next, *next; at != &server.clients && server.n_clients >= SERVER_CLIENTS;
         at = next)
    {
        weir_client_t *client = weir_list_entry(at, weir_client_t, link);

        next = at->next;
        if (weir_client_is_spare(client)) {
            weir_client_free(client);
        }
    }
    return server.n_clients < SERVER_CLIENTS;
}

/* Of more than there may be. */
static void
server_refuse(int fd)
{
    static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
                               "Content-Length: 83\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
                               "{\"title\":\"Service Unavailable\",\"status\":503,"
                               "\"detail\":\"there are too many clients\"}\n";

    (void) !weir_sys_send(fd, text, sizeof(text) - 1, 0);
}

void
weir_server_left(void)
{
    weir_assert(server.n_clients > 0);
    server.n_clients--;
    weir_server_look_again();
}

static void
server_take(int fd)
{
    weir_client_t *client = server_make_room() ? weir_client_new(fd) : NULL;

    if (client == NULL) {
        server_refuse(fd);
        (void) weir_sys_close(fd);
        return;
    }
    if (!server_may_ask(fd)) {
        weir_client_turn_away(client, 403, "this user may not ask the control socket");
    }
    weir_list_append(&server.clients, &client->link);
    server.n_clients++;
    weir_timer_set(server.setup.loop, &server.timer, SERVER_LOOK, server_on_timer);
}

static void
server_on_accept(weir_watch_t *watch)
{
    int fd = weir_sys_accept(watch->fd, NULL, NULL);

    if (fd >= 0) {
        server_take(fd);
    }
}

/* -- life -- */

static void
server_close_listener(void)
{
    int fd = server.listener.fd;

    if (fd >= 0) {
        weir_loop_unwatch(server.setup.loop, &server.listener);
        (void) weir_sys_close(fd);
        server.listener.fd = -1;
    }
}

static void
server_on_task(weir_task_t *task WEIR_UNUSED)
{
    for (weir_list_t *at = server.clients.next, *next; at != &server.clients; at = next) {
        next = at->next;
        weir_client_go_on(weir_list_entry(at, weir_client_t, link));
    }
    if (server.is_leaving && server.n_clients == 0 && !server.has_ended) {
        server.has_ended = true;
        weir_timer_clear(&server.end_timer);
        server.setup.on_end(server.setup.data);
    }
}

void
weir_server_look_again(void)
{
    weir_task_post(server.setup.loop, &server.task, server_on_task);
}

static void
server_on_timer(weir_timer_t *timer)
{
    uint64_t now = weir_clock_now().ms;

    server_refuse_all(504, now - weir_min(now, (uint64_t) SERVER_PATIENCE),
                      "the master did not answer in time: whether anything was changed is not known");
    if (server.n_clients != 0) {
        weir_timer_set(server.setup.loop, timer, SERVER_LOOK, server_on_timer);
    }
}

static void
server_on_end_timer(weir_timer_t *timer WEIR_UNUSED)
{
    while (!weir_list_empty(&server.clients)) {
        weir_client_free(weir_list_entry(server.clients.next, weir_client_t, link));
    }
    weir_server_look_again();
}

/* What is under way is answered; a client that says nothing is sent away. */
static void
server_leave(uint64_t patience)
{
    server.is_leaving = true;
    for (unsigned i = 0; server.listener.fd >= 0 && i < SERVER_QUEUED; i++) {        /* what has connected is heard */
        int fd = weir_sys_accept(server.listener.fd, NULL, NULL);

        if (fd < 0) {
            break;
        }
        server_take(fd);
    }
    server_close_listener();
    weir_timer_set(server.setup.loop, &server.end_timer, (weir_msec_t) { patience }, server_on_end_timer);
    weir_server_look_again();
}

bool
weir_control_server_begin(const weir_control_setup_t *setup)
{
    weir_assert(server.setup.loop == NULL);
    server.setup = *setup;
    server.is_leaving = server.has_ended = false;
    weir_list_init(&server.clients);
    weir_list_init(&server.asked);
    server.link = (weir_frames_t) { .watch = { .fd = -1 }, .max = server_max, .on_frame = server_on_frame,
                                    .on_end = server_on_link_end };
    server.listener.fd = -1;
    if (!weir_frames_open(&server.link, setup->loop, setup->link)) {
        (void) weir_sys_close(setup->listener);
    } else if (weir_loop_watch_level(setup->loop, &server.listener, setup->listener, server_on_accept, false)) {
        return true;
    } else {
        (void) weir_sys_close(setup->listener);
        server.listener.fd = -1;
        weir_frames_close(&server.link);
    }
    server.setup.loop = NULL;
    return false;
}

void
weir_control_server_end(void)
{
    if (server.setup.loop == NULL) {
        return;
    }
    server.has_ended = true;
    server_close_listener();
    while (!weir_list_empty(&server.clients)) {
        weir_client_free(weir_list_entry(server.clients.next, weir_client_t, link));
    }
    weir_frames_close(&server.link);
    weir_task_cancel(&server.task);
    weir_timer_drop(&server.timer);
    weir_timer_drop(&server.end_timer);
    server.setup.loop = NULL;
}
