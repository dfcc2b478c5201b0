/*
 * sock.c - listening, connecting, options, and passing descriptors between processes (SCM_RIGHTS).
 *
 * Runs in every process: the master listens and sends descriptors, workers connect.  Allocates nothing.
 */
#define _GNU_SOURCE 1

#include "os/sock.h"

#include "os/sys.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCK_BACKLOG 511

static bool
sock_set(int fd, int level, int name, int value)
{
    return weir_sys_setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

static void
sock_close_keeping_errno(int fd)
{
    int saved = errno;

    (void) weir_sys_close(fd);
    errno = saved;
}

static int
sock_open_stream(const weir_addr_t *addr)
{
    weir_assert(addr->len != 0);
    return weir_sys_socket(addr->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* --- listening --- */

bool
weir_sock_set_freebind(int fd, const weir_addr_t *addr)
{
    return addr->any.sa_family == AF_INET6 ? sock_set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1)
                                           : sock_set(fd, IPPROTO_IP, IP_FREEBIND, 1);
}

static bool
sock_set_tcp_options(int fd, const weir_addr_t *addr, const weir_listen_options_t *o)
{
    return sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1)
        && sock_set(fd, IPPROTO_TCP, TCP_NODELAY, 1)                 /* for all that are accepted */
        && (!o->reuse_port || sock_set(fd, SOL_SOCKET, SO_REUSEPORT, 1))
        && (addr->any.sa_family != AF_INET6 || sock_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, o->ipv6_only))
        && (!o->free_bind || weir_sock_set_freebind(fd, addr))
        && (!o->keepalive || sock_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1))
        && (o->keep_idle == 0 || sock_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, o->keep_idle))
        && (o->keep_interval == 0 || sock_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, o->keep_interval))
        && (o->keep_count == 0 || sock_set(fd, IPPROTO_TCP, TCP_KEEPCNT, o->keep_count))
        && (o->defer_accept_s == 0 || sock_set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, o->defer_accept_s))
        && (o->fastopen == 0 || sock_set(fd, IPPROTO_TCP, TCP_FASTOPEN, o->fastopen));
}

static bool
sock_set_listen_options(int fd, const weir_addr_t *addr, const weir_listen_options_t *o)
{
    return (o->rcvbuf == 0 || sock_set(fd, SOL_SOCKET, SO_RCVBUF, o->rcvbuf))
        && (o->sndbuf == 0 || sock_set(fd, SOL_SOCKET, SO_SNDBUF, o->sndbuf))
        && (weir_addr_is_unix(addr) || sock_set_tcp_options(fd, addr, o));
}

/* Whether the file is a socket that refuses: what a process leaves behind that was killed. */
static bool
sock_is_stale(const weir_addr_t *addr)
{
    struct stat st;
    bool        refused;
    int         fd;

    weir_assert(weir_addr_is_unix(addr));
    if (weir_sys_lstat(addr->un.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) {
        return false;
    }
    fd = sock_open_stream(addr);
    if (fd < 0) {
        return false;
    }
    refused = weir_sys_connect(fd, &addr->any, addr->len) != 0 && errno == ECONNREFUSED;
    (void) weir_sys_close(fd);
    return refused;
}

static bool
sock_bind(int fd, const weir_addr_t *addr)
{
    weir_assert(fd >= 0 && addr->len != 0 && addr->len <= sizeof(*addr));
    if (weir_sys_bind(fd, &addr->any, addr->len) == 0) {
        return true;
    }
    if (errno != EADDRINUSE || !weir_addr_is_unix(addr)) {
        return false;
    }
    if (!sock_is_stale(addr)) {
        errno = EADDRINUSE;
        return false;
    }
    return weir_sys_unlink(addr->un.sun_path) == 0 && weir_sys_bind(fd, &addr->any, addr->len) == 0;
}

int
weir_sock_listen(const weir_addr_t *addr, const weir_listen_options_t *options)
{
    bool bound = false;
    int  fd = sock_open_stream(addr);
    int  saved;

    if (fd < 0) {
        return -1;
    }
    if (!sock_set_listen_options(fd, addr, options)) {
        goto fail;
    }
    bound = sock_bind(fd, addr);
    if (!bound) {
        goto fail;
    }
    if (weir_addr_is_unix(addr) && weir_sys_chmod(addr->un.sun_path, 0666) != 0) {
        goto fail;      /* a process that may reach the folder may connect, as with nginx */
    }
    if (weir_sys_listen(fd, options->backlog > 0 ? options->backlog : SOCK_BACKLOG) == 0) {
        return fd;
    }

fail:
    saved = errno;
    (void) weir_sys_close(fd);
    if (bound && weir_addr_is_unix(addr)) {
        (void) weir_sys_unlink(addr->un.sun_path);
    }
    errno = saved;
    return -1;
}

/* The flags of a segment are byte 13 of its head, which is where a filter of a TCP socket begins to read. */
bool
weir_sock_refuse_new(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),              /* SYN and ACK */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),        /* SYN alone: */
        BPF_STMT(BPF_RET | BPF_K, 0),                           /* dropped */
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog program = { .len = (unsigned short) weir_countof(code), .filter = code };

    return weir_sys_setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

bool
weir_sock_take_new(int fd)
{
    return sock_set(fd, SOL_SOCKET, SO_DETACH_FILTER, 0) || errno == ENOENT;
}

/* --- connecting and options --- */

int
weir_sock_connect(const weir_addr_t *addr, bool *done)
{
    return weir_sock_connect_from(addr, NULL, done);
}

int
weir_sock_connect_from(const weir_addr_t *addr, const weir_addr_t *from, bool *done)
{
    int fd = sock_open_stream(addr);

    if (fd < 0) {
        return -1;
    }
    weir_assert(from == NULL || from->len != 0);
    if (from != NULL && !weir_addr_is_unix(addr)) {
        if (weir_addr_port(from) == 0) {
            /* the port is chosen at connect: more of them */
            (void) sock_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        }
        if (weir_sys_bind(fd, &from->any, from->len) != 0) {
            sock_close_keeping_errno(fd);
            return -1;
        }
    }
    if (!weir_addr_is_unix(addr)) {
        weir_sock_set_nodelay(fd, true);
    }
    *done = weir_sys_connect(fd, &addr->any, addr->len) == 0;
    if (*done || errno == EINPROGRESS || errno == EINTR) {      /* interrupted, it goes on by itself */
        return fd;
    }
    sock_close_keeping_errno(fd);
    return -1;
}

int
weir_sock_error(int fd)
{
    int       error = 0;
    socklen_t len = sizeof(error);

    return weir_sys_getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

/* The three below tune; where the kernel refuses (the peer may be gone already) the connection works without. */

void
weir_sock_set_nodelay(int fd, bool on)
{
    (void) sock_set(fd, IPPROTO_TCP, TCP_NODELAY, on);
}

void
weir_sock_set_keepalive(int fd)
{
    (void) sock_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

void
weir_sock_reset_on_close(int fd)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    (void) weir_sys_setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

bool
weir_sock_local(int fd, weir_addr_t *addr)
{
    memset(addr, 0, sizeof(*addr));
    addr->len = sizeof(addr->un);
    if (weir_sys_getsockname(fd, &addr->any, &addr->len) != 0) {
        return false;
    }
    addr->len = (socklen_t) weir_min(addr->len, sizeof(addr->un));
    return true;
}

/* --- descriptors over a socket --- */

typedef union {
    struct cmsghdr head;    /* for its alignment */
    char           room[CMSG_SPACE(WEIR_SOCK_MAX_FDS * sizeof(int))];
} sock_control_t;

bool
weir_sock_send_fds(int fd, const void *data, size_t len, const int *fds, size_t n)
{
    sock_control_t  control = { 0 };
    struct iovec    iov = { .iov_base = (void *) (uintptr_t) data, .iov_len = len };
    struct msghdr   msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct cmsghdr *cmsg;
    ssize_t         sent;

    if (len == 0 || n > WEIR_SOCK_MAX_FDS) {
        errno = EINVAL;     /* no bytes would read as the end */
        return false;
    }
    if (n != 0) {
        msg.msg_control = control.room;
        msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
    }
    sent = weir_sys_sendmsg(fd, &msg, 0);
    if (sent >= 0 && (size_t) sent != len) {
        errno = EMSGSIZE;
    }
    return sent >= 0 && (size_t) sent == len;
}

/* Takes every descriptor of the message into fds; those above the room are closed.  Returns how many there were. */
static size_t
sock_take_fds(struct msghdr *msg, int *fds, size_t room)
{
    struct cmsghdr *cmsg;
    size_t          n = 0, i, count;
    int             fd;

    for (cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL; cmsg = CMSG_NXTHDR(msg, cmsg)) {
        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS || cmsg->cmsg_len < CMSG_LEN(0)) {
            continue;
        }
        count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (i = 0; i < count; i++) {
            memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
            if (n < room) {
                fds[n] = fd;
            } else {
                (void) weir_sys_close(fd);
            }
            n++;
        }
    }
    return n;
}

ssize_t
weir_sock_recv_fds(int fd, void *data, size_t cap, int *fds, size_t *n)
{
    sock_control_t control;
    struct iovec   iov = { .iov_base = data, .iov_len = cap };
    struct msghdr  msg = { .msg_iov = &iov, .msg_iovlen = 1,
                           .msg_control = control.room, .msg_controllen = sizeof(control.room) };
    size_t         room = *n, count;
    ssize_t        got;

    *n = 0;
    got = weir_sys_recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    if (got < 0) {
        return -1;
    }
    count = sock_take_fds(&msg, fds, room);
    if (count > room || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        for (count = (size_t) weir_min(count, room); count != 0; count--) {
            (void) weir_sys_close(fds[count - 1]);
        }
        errno = EMSGSIZE;   /* half a message is worse than none */
        return -1;
    }
    *n = count;
    return got;
}
