/*
 * sock.h - what Weir does with sockets beyond the bare calls.  Every function: -1 or false with errno on failure,
 * nothing left open.
 */
#ifndef WEIR_OS_SOCK_H
#define WEIR_OS_SOCK_H

#include "os/addr.h"

typedef struct {
    int  backlog;              /* 0: 511 */
    int  rcvbuf, sndbuf;       /* bytes; 0: the kernel's */
    bool reuse_port;           /* one socket a worker; never for unix */
    bool ipv6_only;
    bool free_bind;            /* IP_FREEBIND: the address need not be this machine's now */
    int  defer_accept_s;       /* TCP_DEFER_ACCEPT seconds; 0: off */
    int  fastopen;             /* queue length; 0: off */
    bool keepalive;            /* SO_KEEPALIVE */
    int  keep_idle, keep_interval, keep_count; /* 0: the kernel's */
} weir_listen_options_t;

/* Whether the socket, before it is bound, may be bound to an address that is not this machine's.  false: errno. */
bool weir_sock_set_freebind(int fd, const weir_addr_t *addr) WEIR_MUST_USE;
/* Bound, listening, non-blocking, close-on-exec.  A stale unix socket file without a listener is replaced. */
int  weir_sock_listen(const weir_addr_t *addr, const weir_listen_options_t *options) WEIR_MUST_USE;
/* A listening socket of TCP drops clients that begin to connect, and says nothing; those that have begun may end and be
 * accepted. So that its queue can be emptied for good before it is closed.  false: errno, all is as it was. */
bool weir_sock_refuse_new(int fd) WEIR_MUST_USE;
/* And takes them again, as at first. */
bool weir_sock_take_new(int fd) WEIR_MUST_USE;
/* The same from an address of this machine; port 0: any. */
int  weir_sock_connect_from(const weir_addr_t *addr, const weir_addr_t *from, bool *done) WEIR_MUST_USE;
/* Starts connecting, non-blocking. *done tells whether it is connected already. TCP_NODELAY is set on TCP. */
int  weir_sock_connect(const weir_addr_t *addr, bool *done) WEIR_MUST_USE;
int  weir_sock_error(int fd);                         /* SO_ERROR, taken */
void weir_sock_set_nodelay(int fd, bool on);         /* of a listener: connections accepted there have it */
void weir_sock_set_keepalive(int fd);
void weir_sock_reset_on_close(int fd);                /* SO_LINGER 0: close sends RST */
bool weir_sock_local(int fd, weir_addr_t *addr) WEIR_MUST_USE;

/* One message with descriptors over a unix SEQPACKET socket.  send takes no ownership, len > 0; recv's fds become the
 * caller's.  A message that does not fit is lost whole: EMSGSIZE. */
#define WEIR_SOCK_MAX_FDS 64
bool weir_sock_send_fds(int fd, const void *data, size_t len, const int *fds, size_t n) WEIR_MUST_USE;
/* Bytes received; 0 at the end; -1 with errno (EAGAIN: nothing now).
 * *n is the room of fds on entry, how many came on return. */
ssize_t weir_sock_recv_fds(int fd, void *data, size_t cap, int *fds, size_t *n) WEIR_MUST_USE;

#endif
