/*
 * link.c - the master's end of the channel to one worker: what it is told, and what it may answer.
 *
 * Runs in the master.  Messages that find no room wait in a queue (heap) until there is some.  Descriptors of a reload
 * are borrowed and live as long as that; those of sockets that are lent are copies, the message's own.  Whatever a
 * worker says out of turn costs it its life, nothing more.
 */
#include "proc/master/master.h"

#include "base/mem.h"
#include "conf/core.h"
#include "log/files.h"
#include "log/log.h"
#include "os/process.h"
#include "os/sys.h"
#include "shm/zone.h"
#include "upstream/changes.h"

#include <errno.h>

#define LINK_MESSAGES_A_TURN 16

typedef struct {
    weir_list_t            link;
    weir_channel_message_t message;
} link_queued_t;

/* -- what it says -- */

static void
link_on_ready(weir_child_t *child, uint64_t serial)
{
    child->serial = serial;
    child->has_served = true;
    weir_log(WEIR_LOG_INFO, NULL, 0, "worker process %d serves configuration %llu", (int) child->pid,
             (unsigned long long) serial);
    weir_master_settle(child->master);
}

static void
link_on_failed(weir_child_t *child, const char *text)
{
    weir_log(WEIR_LOG_ERROR, NULL, 0, "worker process %d could not take configuration %llu over, it is replaced: %s",
             (int) child->pid, (unsigned long long) child->asked, text);
    weir_spawn_replace(child);
    weir_master_settle(child->master);
}

/* It owes one answer for each generation that it was given, and may fail at all but the one it began with. */
static void
link_on_message(weir_child_t *child, const weir_channel_message_t *message)
{
    uint64_t owed = child->serial == 0 ? child->began : child->asked;

    if (message->kind == WEIR_CHANNEL_CHANGED && message->serial == child->changes_sent
        && child->changes_done != child->changes_sent)
    {
        child->changes_done = child->changes_sent;
        weir_link_send_changes(child);
        weir_publish_settle(child->master);
        return;
    }
    if (message->serial == owed && child->serial != owed) {
        if (message->kind == WEIR_CHANNEL_READY) {
            link_on_ready(child, message->serial);
            return;
        }
        if (child->serial != 0) {
            link_on_failed(child, message->text);
            return;
        }
    }
    weir_log(WEIR_LOG_ALERT, NULL, 0, "worker process %d sent a message that was not due: it is killed",
             (int) child->pid);
    weir_link_close(child);
    weir_spawn_leave(child, SIGKILL);
}

static bool link_flush(weir_child_t *child);

static void
link_free(link_queued_t *queued)
{
    if (queued->message.kind == WEIR_CHANNEL_LEND) {
        weir_channel_close_fds(&queued->message);
    }
    weir_list_remove(&queued->link);
    weir_mem_free(queued);
}

static void
link_on_channel(weir_watch_t *watch)
{
    weir_child_t          *child = weir_container_of(watch, weir_child_t, channel);
    weir_channel_message_t message;

    if (watch->writable && !link_flush(child)) {
        return;
    }
    for (int i = 0; i < LINK_MESSAGES_A_TURN && child->channel.fd >= 0; i++) {
        switch (weir_channel_recv(watch->fd, WEIR_CHANNEL_OF_MASTER, &message)) {
        case WEIR_OK:
            link_on_message(child, &message);
            continue;
        case WEIR_AGAIN:
            return;
        case WEIR_EOF:
            weir_link_close(child);
            return;
        case WEIR_ERROR:
            weir_log(WEIR_LOG_ALERT, NULL, errno, "worker process %d sent bytes that are no message: it is killed",
                     (int) child->pid);
            weir_link_close(child);
            weir_spawn_leave(child, SIGKILL);
            return;
        }
    }
    if (child->channel.fd >= 0) {       /* no honest worker has that much to say */
        weir_log(WEIR_LOG_ALERT, NULL, 0, "worker process %d sent too many messages at once: it is killed",
                 (int) child->pid);
        weir_link_close(child);
        weir_spawn_leave(child, SIGKILL);
    }
}

/* -- what it is told -- */

/* false: the channel is closed now. */
static bool
link_flush(weir_child_t *child)
{
    weir_assert(child->channel.fd >= 0);
    while (!weir_list_empty(&child->queue)) {
        link_queued_t *queued = weir_list_entry(child->queue.next, link_queued_t, link);

        switch (weir_channel_send(child->channel.fd, &queued->message)) {
        case WEIR_OK:
            link_free(queued);
            continue;
        case WEIR_AGAIN:
            child->channel.writable = false;
            return true;
        default:
            /* those say that it has died: its end is on its way to us */
            if (errno != EPIPE && errno != ECONNRESET) {
                weir_log(WEIR_LOG_ALERT, NULL, errno, "sending to worker process %d failed", (int) child->pid);
            }
            weir_link_close(child);
            return false;
        }
    }
    return true;
}

static weir_channel_message_t *
link_push(weir_child_t *child, weir_channel_kind_t kind)
{
    link_queued_t *queued = weir_mem_need(sizeof(*queued));

    queued->message.kind = kind;
    queued->message.serial = child->asked;
    weir_list_append(&child->queue, &queued->link);
    return &queued->message;
}

/* The message that the next descriptor of this kind goes into: the last of the queue while it has room. */
static weir_channel_message_t *
link_with_room(weir_child_t *child, weir_channel_kind_t kind)
{
    weir_channel_message_t *last = &weir_list_entry(child->queue.prev, link_queued_t, link)->message;

    weir_assert(!weir_list_empty(&child->queue));     /* the head of the reload is there */
    return last->kind == kind && last->n_fds < WEIR_SOCK_MAX_FDS ? last : link_push(child, kind);
}

typedef struct {
    weir_child_t           *child;
    weir_channel_message_t *head, *last;
} link_files_t;

static void
link_push_file(void *data, weir_str_t path, int fd)
{
    link_files_t *files = data;

    if (files->last == NULL || !weir_channel_add_file(files->last, path, fd)) {
        files->last = link_push(files->child, WEIR_CHANNEL_FILES);
        if (!weir_channel_add_file(files->last, path, fd)) {
            return;     /* no path is that long: open() would have refused it */
        }
    }
    files->head->n_files++;
}

static void
link_push_logs(weir_child_t *child, weir_channel_message_t *head)
{
    const weir_log_sink_t *sink = weir_core_sinks(child->master->generation);

    for (; sink != NULL; sink = sink->next) {
        if (sink->kind == WEIR_LOG_TO_FILE) {
            weir_channel_message_t *message = link_with_room(child, WEIR_CHANNEL_LOGS);

            message->fds[message->n_fds++] = sink->fd;
            head->n_logs++;
        }
    }
}

/* Those of addresses that came with this generation; it has the others. */
static void
link_push_sockets(weir_child_t *child, weir_channel_message_t *head)
{
    const weir_master_t *master = child->master;

    for (size_t i = 0; i < master->sockets.n; i++) {
        const weir_listener_t *listener = master->sockets.at[i];

        if (listener->since != child->asked) {
            continue;
        }
        for (size_t k = 0; k < listener->n_fds; k++) {
            if (weir_sockets_serves(listener, k, child->index, master->settings.workers)) {
                weir_channel_message_t *message = link_with_room(child, WEIR_CHANNEL_SOCKETS);

                message->sockets[message->n_fds] = (weir_channel_socket_t) {
                    .addr = listener->addr, .shared = weir_sockets_are_shared(listener),
                };
                message->fds[message->n_fds++] = listener->fds[k];
                head->n_sockets++;
            }
        }
    }
}

bool
weir_link_send_generation(weir_child_t *child)
{
    link_files_t files;
    weir_channel_message_t *head;

    if (child->channel.fd < 0) {
        return false;
    }
    child->asked = child->master->generation->serial;
    head = link_push(child, WEIR_CHANNEL_RELOAD);
    head->fds[head->n_fds++] = child->master->bundle_fd;
    files = (link_files_t) { .child = child, .head = head };
    weir_log_files_each(link_push_file, &files);
    weir_zones_each(link_push_file, &files);
    link_push_logs(child, head);
    link_push_sockets(child, head);
    return link_flush(child);
}

void
weir_link_clear_queue(weir_child_t *child)
{
    while (!weir_list_empty(&child->queue)) {
        link_free(weir_list_entry(child->queue.next, link_queued_t, link));
    }
}

void
weir_link_drop_reload(weir_child_t *child)
{
    for (weir_list_t *at = child->queue.next, *next; at != &child->queue; at = next) {
        link_queued_t *queued = weir_list_entry(at, link_queued_t, link);

        next = at->next;
        if (queued->message.kind != WEIR_CHANNEL_LEND && queued->message.kind != WEIR_CHANNEL_RETURN
            && queued->message.kind != WEIR_CHANNEL_CHANGES)
        {
            link_free(queued);
        }
    }
}

/* -- sockets of a worker that is down -- */

static void
link_push_lent(weir_child_t *child, uint32_t index, const weir_listener_t *listener, size_t k)
{
    weir_channel_message_t *message;
    int                     fd = weir_sys_dup(listener->fds[k]);

    weir_assert(listener->fds[k] >= 0);
    if (fd < 0) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "dup() of a socket of %s failed", listener->text);
        return;
    }
    message = weir_list_empty(&child->queue) ? NULL : &weir_list_entry(child->queue.prev, link_queued_t, link)->message;
    if (message == NULL || message->kind != WEIR_CHANNEL_LEND || message->index != index
        || message->n_fds == WEIR_SOCK_MAX_FDS)
    {
        message = link_push(child, WEIR_CHANNEL_LEND);
        message->index = index;
    }
    message->sockets[message->n_fds] = (weir_channel_socket_t) { .addr = listener->addr, .shared = true };
    message->fds[message->n_fds++] = fd;
}

bool
weir_link_lend(weir_child_t *child, uint32_t index)
{
    const weir_master_t *master = child->master;

    weir_assert(child->serial != 0);
    for (size_t i = 0; i < master->sockets.n; i++) {
        const weir_listener_t *listener = master->sockets.at[i];

        if (weir_sockets_are_shared(listener) || listener->since > child->serial || listener->last < child->serial) {
            continue;                       /* it accepts there anyhow, or has no such address */
        }
        for (size_t k = 0; k < listener->n_fds; k++) {
            if (weir_sockets_serves(listener, k, index, master->settings.workers)) {
                link_push_lent(child, index, listener, k);
            }
        }
    }
    return link_flush(child);
}

void
weir_link_return(weir_child_t *child, uint32_t index)
{
    weir_assert(child->serial != 0);
    link_push(child, WEIR_CHANNEL_RETURN)->index = index;
    (void) link_flush(child);
}

/* -- changes of groups' peers -- */

void
weir_link_send_changes(weir_child_t *child)
{
    const uint64_t          last = weir_changes_number();
    weir_channel_message_t *message;

    if (child->channel.fd < 0 || child->changes_sent != child->changes_done || child->changes_sent == last) {
        return;
    }
    message = link_push(child, WEIR_CHANNEL_CHANGES);
    while (child->changes_sent < last && weir_channel_add_line(message, weir_publish_line(child->changes_sent + 1))) {
        child->changes_sent++;
    }
    weir_assert(child->changes_sent != child->changes_done);     /* one finds room in any case */
    message->serial = child->changes_sent;
    (void) link_flush(child);
}

/* -- open and close -- */

bool
weir_link_open(weir_child_t *child, int fd)
{
    weir_assert(child->channel.fd < 0);
    if (!weir_loop_watch(child->master->loop, &child->channel, fd, link_on_channel)) {
        int error = errno;

        (void) weir_sys_close(fd);
        errno = error;
        return false;
    }
    return true;
}

void
weir_link_close(weir_child_t *child)
{
    int fd = child->channel.fd;

    if (fd >= 0) {
        weir_loop_unwatch(child->master->loop, &child->channel);
        (void) weir_sys_close(fd);
    }
    weir_link_clear_queue(child);
}
