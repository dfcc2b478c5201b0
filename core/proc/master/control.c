/*
 * control.c - see control.h.  Commands are taken one turn at a time: what came together is one write to each file of
 * `state` and one message to each worker.  A client has a buffer of a line, and answers that it does not read hold its
 * next commands back.
 */
#define _GNU_SOURCE 1

#include "proc/master/control.h"

#include "base/mem.h"
#include "log/log.h"
#include "os/addr.h"
#include "os/sys.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONTROL_CLIENTS  64
#define CONTROL_PENDING  1024                /* commands of a client that are not answered */
#define CONTROL_UNREAD   (256 * 1024)        /* bytes of answers, beyond which no command is taken */
#define CONTROL_LOOK     ((weir_msec_t) { 1000 })

/* A command whose answer has not left: answers leave in order. */
typedef struct {
    weir_list_t  link;
    weir_call_t *call;
} control_pending_t;

typedef struct {
    weir_list_t  link;
    weir_watch_t watch;
    weir_list_t  pending;
    size_t       n_pending;
    bool         is_listing;                 /* one of them is a list, which may be long: no other one is begun */
    char        *out;                        /* heap; what has not been sent */
    size_t       out_len, out_sent, out_cap;
    bool         ended;                      /* it says no more */
    size_t       len;
    char         line[WEIR_CONTROL_LINE];
} control_client_t;

static struct {
    weir_command_ops_t ops;
    weir_watch_t       listener;             /* fd 0: never opened */
    weir_list_t        clients;
    size_t             n_clients;
    weir_task_t        task;
    weir_timer_t       timer;
    ino_t              inode;
    char               path[PATH_MAX];
    bool               is_open;
} control;

/* -- answers -- */

static void
control_free(control_client_t *client)
{
    int fd = client->watch.fd;

    while (!weir_list_empty(&client->pending)) {
        control_pending_t *pending = weir_list_entry(client->pending.next, control_pending_t, link);

        weir_list_remove(&pending->link);
        weir_call_drop(pending->call);
        weir_mem_free(pending);
    }
    weir_loop_unwatch(control.ops.loop, &client->watch);
    (void) weir_sys_close(fd);
    weir_list_remove(&client->link);
    weir_mem_free(client->out);
    weir_mem_free(client);
    weir_assert(control.n_clients > 0);
    control.n_clients--;
}

static void
control_put(control_client_t *client, const json_t *answer)
{
    char  *text = json_dumps(answer, JSON_COMPACT);
    size_t len = text != NULL ? strlen(text) : 0;

    if (text == NULL) {
        client->ended = true;                /* it would wait for this one */
        return;
    }
    text[len++] = '\n';                      /* in the place of the NUL */
    if (client->out_len + len > client->out_cap) {
        char *grown = weir_mem_try_resize(client->out, (client->out_len + len) * 2);

        if (grown == NULL) {
            client->ended = true;
            free(text);
            return;
        }
        client->out = grown;
        client->out_cap = (client->out_len + len) * 2;
    }
    memcpy(client->out + client->out_len, text, len);
    client->out_len += len;
    free(text);
}

/* One that waits until some of those before it are answered. */
static bool
control_has_line(const control_client_t *client)
{
    return memchr(client->line, '\n', client->len) != NULL;
}

/* false: it is gone. */
static bool
control_send(control_client_t *client)
{
    while (client->out_sent < client->out_len && client->watch.writable) {
        size_t  left = client->out_len - client->out_sent;
        ssize_t n = weir_sys_send(client->watch.fd, client->out + client->out_sent, left, 0);

        if (n < 0 && errno == EAGAIN) {
            client->watch.writable = false;
        } else if (n <= 0) {
            control_free(client);
            return false;
        } else {
            client->out_sent += (size_t) n;
        }
    }
    if (client->out_sent == client->out_len) {
        client->out_sent = client->out_len = 0;
    }
    if (client->ended && client->out_len == 0 && weir_list_empty(&client->pending) && !control_has_line(client)) {
        control_free(client);
        return false;
    }
    return true;
}

static bool
control_is_long(const control_pending_t *pending)
{
    return pending->call->row != NULL && pending->call->row->is_long;
}

static void control_cut(control_client_t *client);
static void control_read(control_client_t *client);

/* false: it is gone. */
static bool
control_flush(control_client_t *client, uint64_t settled)
{
    while (!weir_list_empty(&client->pending)) {
        control_pending_t *pending = weir_list_entry(client->pending.next, control_pending_t, link);

        if (!weir_call_is_answered(pending->call, settled)) {
            break;
        }
        control_put(client, pending->call->answer);
        client->is_listing = client->is_listing && !control_is_long(pending);
        weir_call_drop(pending->call);
        weir_list_remove(&pending->link);
        weir_mem_free(pending);
        client->n_pending--;
    }
    return control_send(client);
}

void
weir_control_settle(void)
{
    uint64_t settled;

    if (!control.is_open || weir_list_empty(&control.clients)) {
        return;
    }
    settled = control.ops.settled(control.ops.data, 0, NULL);
    for (weir_list_t *at = control.clients.next, *next; at != &control.clients; at = next) {
        control_client_t *client = weir_list_entry(at, control_client_t, link);

        next = at->next;
        if (control_flush(client, settled)) {
            control_cut(client);             /* there may be room for more */
            control_read(client);
        }
    }
}

static void
control_on_timer(weir_timer_t *timer)
{
    weir_control_settle();
    if (control.n_clients != 0) {
        weir_timer_set(control.ops.loop, timer, CONTROL_LOOK, control_on_timer);
    }
}

static void
control_on_task(weir_task_t *task WEIR_UNUSED)
{
    weir_control_settle();
}

/* -- commands -- */

static void
control_on_answer(weir_call_t *call WEIR_UNUSED)
{
    weir_task_post(control.ops.loop, &control.task, control_on_task);
}

static void
control_take(control_client_t *client, weir_str_t line)
{
    control_pending_t *pending = weir_mem_need(sizeof(*pending));
    json_error_t       why;
    json_t            *words = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, &why);

    pending->call = weir_commands_call(&control.ops, words, control_on_answer, NULL);
    json_decref(words);
    client->is_listing = client->is_listing || control_is_long(pending);
    weir_list_append(&client->pending, &pending->link);
    client->n_pending++;
    weir_task_post(control.ops.loop, &control.task, control_on_task);
}

/* Whole lines, as many as it may have under way. */
static void
control_cut(control_client_t *client)
{
    char  *from = client->line, *end = client->line + client->len, *newline;
    size_t left;

    while (client->n_pending < CONTROL_PENDING && !client->is_listing && client->out_len < CONTROL_UNREAD
           && (newline = memchr(from, '\n', (size_t) (end - from))) != NULL)
    {
        weir_str_t line = weir_str(from, (size_t) (newline - from));

        from = newline + 1;
        control_take(client, line);
    }
    left = (size_t) (end - from);
    memmove(client->line, from, left);
    client->len = left;
}

/* What is there and finds room.  A line without end is the last thing that is heard of it. */
static void
control_read(control_client_t *client)
{
    while (!client->ended && client->watch.readable && client->len < sizeof(client->line)) {
        ssize_t n = weir_sys_recv(client->watch.fd, client->line + client->len, sizeof(client->line) - client->len, 0);

        if (n < 0 && errno == EAGAIN) {
            client->watch.readable = false;
        } else if (n <= 0) {
            client->ended = true;
            client->watch.readable = false;
        } else {
            client->len += (size_t) n;
            control_cut(client);
        }
    }
    if (client->len == sizeof(client->line) && !control_has_line(client)) {
        client->ended = true;
        client->len = 0;
    }
    if (client->ended) {
        weir_task_post(control.ops.loop, &control.task, control_on_task);
    }
}

static void
control_on_client(weir_watch_t *watch)
{
    control_client_t *client = weir_container_of(watch, control_client_t, watch);

    if (control_send(client)) {
        control_cut(client);
        control_read(client);
    }
}

/* -- which users may ask -- */

static bool
control_may_ask(int fd)
{
    struct ucred peer;
    socklen_t    len = sizeof(peer);

    if (weir_sys_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return false;
    }
    if (peer.uid == 0 || peer.uid == geteuid()) {
        return true;
    }
    weir_log(WEIR_LOG_ALERT, NULL, 0,
             "process %d of user %u asked the control socket and was refused: it has no right to", (int) peer.pid,
             (unsigned) peer.uid);
    return false;
}

/* The one that has been there longest of those that wait for nothing gives its place to one that comes. */
static bool
control_make_room(void)
{
    for (weir_list_t *at = control.clients.next; at != &control.clients && control.n_clients >= CONTROL_CLIENTS;
         at = at->next)
    {
        control_client_t *client = weir_list_entry(at, control_client_t, link);

        if (weir_list_empty(&client->pending) && client->out_len == 0) {
            control_free(client);
            break;
        }
    }
    return control.n_clients < CONTROL_CLIENTS;
}

static void
control_on_accept(weir_watch_t *watch)
{
    control_client_t *client;
    int               fd = weir_sys_accept(watch->fd, NULL, NULL);

    if (fd < 0) {
        return;
    }
    client = control_may_ask(fd) && control_make_room() ? weir_mem_try(sizeof(*client)) : NULL;
    if (client != NULL) {
        memset(client, 0, offsetof(control_client_t, line));
    }
    if (client == NULL || !weir_loop_watch(control.ops.loop, &client->watch, fd, control_on_client)) {
        weir_mem_free(client);
        (void) weir_sys_close(fd);
        return;
    }
    weir_list_init(&client->pending);
    weir_list_append(&control.clients, &client->link);
    control.n_clients++;
    weir_timer_set(control.ops.loop, &control.timer, CONTROL_LOOK, control_on_timer);
}

/* -- the socket -- */

static void
control_close_listener(void)
{
    int         fd = control.listener.fd;
    struct stat st;

    if (fd <= 0) {
        return;
    }
    weir_loop_unwatch(control.ops.loop, &control.listener);
    (void) weir_sys_close(fd);
    control.listener.fd = -1;
    if (weir_sys_stat(control.path, &st) == 0 && st.st_ino == control.inode) {
        (void) weir_sys_unlink(control.path);
    }
}

static bool
control_listen(void)
{
    weir_addr_t addr;
    struct stat st;
    mode_t      before = umask(0177);
    int         fd = -1;
    bool        good;

    (void) weir_sys_unlink(control.path);
    good = weir_addr_from_unix(&addr, weir_str_from_z(control.path))
           && (fd = weir_sys_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) >= 0
           && weir_sys_bind(fd, &addr.any, addr.len) == 0 && weir_sys_listen(fd, CONTROL_CLIENTS) == 0
           && weir_sys_stat(control.path, &st) == 0
           && weir_loop_watch_level(control.ops.loop, &control.listener, fd, control_on_accept, false);
    (void) umask(before);
    if (good) {
        control.inode = st.st_ino;
        return true;
    }
    if (fd >= 0) {
        (void) weir_sys_close(fd);
    }
    control.listener.fd = -1;
    return false;
}

void
weir_control_open(const weir_command_ops_t *ops, weir_str_t pid_file)
{
    if (!control.is_open) {
        weir_list_init(&control.clients);
    }
    control_close_listener();
    control.ops = *ops;
    control.is_open = true;
    if ((size_t) snprintf(control.path, sizeof(control.path), "%.*s" WEIR_CONTROL_SUFFIX, WEIR_STR_ARG(pid_file))
        >= sizeof(control.path) || !control_listen())
    {
        weir_log(WEIR_LOG_WARN, NULL, errno, "the control socket \"%s\" cannot be made: groups of servers cannot be "
                 "changed while this runs", control.path);
    }
}

void
weir_control_close(void)
{
    if (!control.is_open) {
        return;
    }
    control_close_listener();
    while (!weir_list_empty(&control.clients)) {
        control_free(weir_list_entry(control.clients.next, control_client_t, link));
    }
    weir_task_cancel(&control.task);
    weir_timer_drop(&control.timer);
    control.is_open = false;
}

void
weir_control_forget(void)
{
    if (!control.is_open) {
        return;
    }
    if (control.listener.fd > 0) {
        (void) weir_sys_close(control.listener.fd);
        control.listener.fd = -1;
    }
    for (weir_list_t *at = control.clients.next; at != &control.clients; at = at->next) {
        (void) weir_sys_close(weir_list_entry(at, control_client_t, link)->watch.fd);
    }
    weir_list_init(&control.clients);        /* their memory is the child's for good */
    control.n_clients = 0;
    weir_task_cancel(&control.task);
    weir_timer_drop(&control.timer);
    control.is_open = false;
}
