/*
 * channel.c - messages to bytes and back.  See channel.h.
 *
 * Runs in the master and in workers; allocates nothing.
 */
#include "proc/common/channel.h"

#include "os/sys.h"

#include <errno.h>

/* Both ends are the same program, so that structs travel as they are. */
typedef struct {
    uint32_t magic, kind;
    uint64_t serial;
    uint32_t counts[4];         /* RELOAD: files, logs, sockets; LEND, RETURN: index */
} channel_head_t;

typedef struct {
    struct sockaddr_storage addr;
    uint32_t                len;
    uint32_t                shared;
} channel_socket_t;

#define CHANNEL_MAGIC 0x77656972u       /* "weir" */
#define CHANNEL_MAX   (sizeof(channel_head_t) + WEIR_SOCK_MAX_FDS * sizeof(channel_socket_t))

_Static_assert(WEIR_SOCK_MAX_FDS * sizeof(channel_socket_t) >= WEIR_CHANNEL_PATHS, "paths fit where sockets do");
_Static_assert(WEIR_CHANNEL_PATHS >= WEIR_CHANNEL_TEXT, "and so does a text");

typedef union {
    channel_head_t head;
    char           bytes[CHANNEL_MAX + 1];  /* one more than any message has */
} channel_room_t;

bool
weir_channel_open(int fds[2])
{
    return weir_sys_socketpair(SOCK_SEQPACKET, fds) == 0;
}

/* -- sending -- */

static size_t
channel_write_sockets(char *out, const weir_channel_message_t *message)
{
    weir_assert(message->n_fds <= WEIR_SOCK_MAX_FDS);
    for (size_t i = 0; i < message->n_fds; i++) {
        const weir_addr_t *addr = &message->sockets[i].addr;
        channel_socket_t   row = { .len = addr->len, .shared = message->sockets[i].shared };

        memcpy(&row.addr, &addr->any, weir_min(addr->len, sizeof(addr->un)));
        memcpy(out + i * sizeof(row), &row, sizeof(row));
    }
    return message->n_fds * sizeof(channel_socket_t);
}

weir_io_t
weir_channel_send(int fd, const weir_channel_message_t *message)
{
    channel_room_t room;
    size_t         len = sizeof(room.head);

    weir_assert(message->n_fds <= WEIR_SOCK_MAX_FDS);
    memset(&room.head, 0, sizeof(room.head));
    room.head = (channel_head_t) { .magic = CHANNEL_MAGIC, .kind = message->kind, .serial = message->serial };
    if (message->kind == WEIR_CHANNEL_RELOAD) {
        room.head.counts[0] = message->n_files;
        room.head.counts[1] = message->n_logs;
        room.head.counts[2] = message->n_sockets;
    } else if (message->kind == WEIR_CHANNEL_FILES || message->kind == WEIR_CHANNEL_CHANGES) {
        memcpy(room.bytes + len, message->paths, message->paths_len);
        len += message->paths_len;
    } else if (message->kind == WEIR_CHANNEL_SOCKETS || message->kind == WEIR_CHANNEL_LEND) {
        room.head.counts[0] = message->index;
        len += channel_write_sockets(room.bytes + len, message);
    } else if (message->kind == WEIR_CHANNEL_RETURN) {
        room.head.counts[0] = message->index;
    } else if (message->kind == WEIR_CHANNEL_FAILED) {
        size_t text = strnlen(message->text, WEIR_CHANNEL_TEXT - 1);

        memcpy(room.bytes + len, message->text, text);
        len += text;
    }
    weir_assert(len <= CHANNEL_MAX);
    if (weir_sock_send_fds(fd, room.bytes, len, message->fds, message->n_fds)) {
        return WEIR_OK;
    }
    return errno == EAGAIN ? WEIR_AGAIN : WEIR_ERROR;
}

/* -- receiving -- */

static bool
channel_read_sockets(weir_channel_message_t *message, const char *bytes, size_t len)
{
    channel_socket_t row;

    weir_assert(message->n_fds <= WEIR_SOCK_MAX_FDS);
    if (message->n_fds == 0 || len != message->n_fds * sizeof(row)) {
        return false;
    }
    for (size_t i = 0; i < message->n_fds; i++) {
        weir_channel_socket_t *to = &message->sockets[i];

        memcpy(&row, bytes + i * sizeof(row), sizeof(row));
        if (row.len < sizeof(sa_family_t) || row.len > sizeof(to->addr.un)) {
            return false;
        }
        memset(to, 0, sizeof(*to));
        memcpy(&to->addr.any, &row.addr, row.len);
        to->addr.len = (socklen_t) row.len;
        to->shared = row.shared != 0;
    }
    return true;
}

/* Texts with a NUL behind each; *ends: how many. */
static bool
channel_read_texts(weir_channel_message_t *message, const char *bytes, size_t len, size_t *ends)
{
    *ends = 0;
    if (len > sizeof(message->paths) || len == 0 || bytes[len - 1] != '\0') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        *ends += bytes[i] == '\0';
    }
    memcpy(message->paths, bytes, len);
    message->paths_len = len;
    return true;
}

static bool
channel_read_paths(weir_channel_message_t *message, const char *bytes, size_t len)
{
    size_t ends;

    return channel_read_texts(message, bytes, len, &ends) && ends == message->n_fds;
}

/* Their numbers end with the message's. */
static bool
channel_read_lines(weir_channel_message_t *message, const char *bytes, size_t len)
{
    size_t ends;

    return message->n_fds == 0 && channel_read_texts(message, bytes, len, &ends) && ends <= message->serial;
}

static bool
channel_read_text(weir_channel_message_t *message, const char *bytes, size_t len)
{
    if (len >= WEIR_CHANNEL_TEXT) {
        return false;
    }
    memcpy(message->text, bytes, len);
    message->text[len] = '\0';
    return true;
}

/* Whether it is what one end may say to the other, whole. */
static bool
channel_read(weir_channel_message_t *message, weir_channel_end_t end, const channel_room_t *room, size_t len)
{
    const char *rest = room->bytes + sizeof(room->head);

    if (len < sizeof(room->head) || len > CHANNEL_MAX || room->head.magic != CHANNEL_MAGIC) {
        return false;
    }
    len -= sizeof(room->head);
    message->kind = (weir_channel_kind_t) room->head.kind;
    message->serial = room->head.serial;
    message->n_files = message->n_logs = message->n_sockets = 0;
    message->text[0] = '\0';

    if (end == WEIR_CHANNEL_OF_MASTER) {
        return message->n_fds == 0
            && (((room->head.kind == WEIR_CHANNEL_READY || room->head.kind == WEIR_CHANNEL_CHANGED) && len == 0)
                || (room->head.kind == WEIR_CHANNEL_FAILED && channel_read_text(message, rest, len)));
    }
    switch (room->head.kind) {
    case WEIR_CHANNEL_RELOAD:
        message->n_files = room->head.counts[0];
        message->n_logs = room->head.counts[1];
        message->n_sockets = room->head.counts[2];
        return len == 0 && message->n_fds == 1;
    case WEIR_CHANNEL_FILES:
        return channel_read_paths(message, rest, len);
    case WEIR_CHANNEL_CHANGES:
        return channel_read_lines(message, rest, len);
    case WEIR_CHANNEL_LOGS:
        return len == 0 && message->n_fds != 0;
    case WEIR_CHANNEL_RETURN:
        message->index = room->head.counts[0];
        return len == 0 && message->n_fds == 0;
    case WEIR_CHANNEL_LEND:
        message->index = room->head.counts[0];
        return channel_read_sockets(message, rest, len);
    case WEIR_CHANNEL_SOCKETS:
        return channel_read_sockets(message, rest, len);
    default:
        return false;
    }
}

weir_io_t
weir_channel_recv(int fd, weir_channel_end_t end, weir_channel_message_t *message)
{
    channel_room_t room;
    ssize_t        n;

    message->n_fds = end == WEIR_CHANNEL_OF_WORKER ? WEIR_SOCK_MAX_FDS : 0;
    n = weir_sock_recv_fds(fd, room.bytes, sizeof(room.bytes), message->fds, &message->n_fds);
    if (n < 0) {
        message->n_fds = 0;
        if (errno == EAGAIN) {
            return WEIR_AGAIN;
        }
        if (errno == EMSGSIZE) {
            errno = EPROTO;
        }
        return errno == ECONNRESET ? WEIR_EOF : WEIR_ERROR;     /* it died with messages of ours unread */
    }
    if (n == 0 && message->n_fds == 0) {
        return WEIR_EOF;
    }
    if (!channel_read(message, end, &room, (size_t) n)) {
        weir_channel_close_fds(message);
        errno = EPROTO;
        return WEIR_ERROR;
    }
    return WEIR_OK;
}

bool
weir_channel_add_file(weir_channel_message_t *message, weir_str_t path, int fd)
{
    weir_assert(message->kind == WEIR_CHANNEL_FILES && fd >= 0);
    if (message->n_fds == WEIR_SOCK_MAX_FDS || path.len >= sizeof(message->paths) - message->paths_len) {
        return false;
    }
    memcpy(message->paths + message->paths_len, path.at, path.len);
    message->paths_len += path.len;
    message->paths[message->paths_len++] = '\0';
    message->fds[message->n_fds++] = fd;
    return true;
}

bool
weir_channel_add_line(weir_channel_message_t *message, weir_str_t line)
{
    weir_assert(message->kind == WEIR_CHANNEL_CHANGES);
    if (line.len >= sizeof(message->paths) - message->paths_len) {
        return false;
    }
    memcpy(message->paths + message->paths_len, line.at, line.len);
    message->paths_len += line.len;
    message->paths[message->paths_len++] = '\0';
    return true;
}

void
weir_channel_close_fds(weir_channel_message_t *message)
{
    while (message->n_fds != 0) {
        (void) weir_sys_close(message->fds[--message->n_fds]);
    }
}
