/*
 * sys.h - the system-call seam: every call Weir makes after start goes through here, so that a test can make each one
 * fail at link time (--wrap=weir_sys_NAME).  Same arguments, results and errno as the call named; EINTR is retried
 * inside where the call has no time limit.
 */
#ifndef WEIR_OS_SYS_H
#define WEIR_OS_SYS_H

#include "base/base.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

int     weir_sys_socket(int family, int type, int protocol);
int     weir_sys_bind(int fd, const struct sockaddr *addr, socklen_t len);
int     weir_sys_listen(int fd, int backlog);
int     weir_sys_accept(int fd, struct sockaddr *addr, socklen_t *len);   /* accept4 with NONBLOCK and CLOEXEC */
int     weir_sys_connect(int fd, const struct sockaddr *addr, socklen_t len);
int     weir_sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int     weir_sys_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int     weir_sys_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int     weir_sys_shutdown(int fd, int how);
int     weir_sys_close(int fd);                                           /* never retried */
ssize_t weir_sys_recv(int fd, void *buf, size_t len, int flags);
ssize_t weir_sys_send(int fd, const void *buf, size_t len, int flags);    /* MSG_NOSIGNAL is added */
ssize_t weir_sys_sendmsg(int fd, const struct msghdr *msg, int flags);    /* MSG_NOSIGNAL is added */
ssize_t weir_sys_recvmsg(int fd, struct msghdr *msg, int flags);
int     weir_sys_epoll_create(void);
int     weir_sys_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int     weir_sys_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms); /* EINTR is returned */
int     weir_sys_eventfd(void);                                           /* NONBLOCK, CLOEXEC */
int     weir_sys_inotify(void);                                           /* NONBLOCK, CLOEXEC */
int     weir_sys_inotify_add(int fd, const char *path, uint32_t mask);
int     weir_sys_open(const char *path, int flags, mode_t mode);          /* CLOEXEC is added */
ssize_t weir_sys_read(int fd, void *buf, size_t len);
ssize_t weir_sys_write(int fd, const void *buf, size_t len);
ssize_t weir_sys_writev(int fd, const struct iovec *iov, int n);
ssize_t weir_sys_pread(int fd, void *buf, size_t len, off_t offset);
ssize_t weir_sys_pwrite(int fd, const void *buf, size_t len, off_t offset);
int     weir_sys_pipe(int fds[2], int size);            /* NONBLOCK, CLOEXEC; of so many bytes, if the kernel lets it */
ssize_t weir_sys_splice(int from, int to, size_t n);                /* one of them a pipe; NONBLOCK, MOVE, MORE never */
ssize_t weir_sys_sendfile(int to, int from, off_t *offset, size_t n);
int     weir_sys_ftruncate(int fd, off_t size);
int     weir_sys_fstat(int fd, struct stat *st);
int     weir_sys_lstat(const char *path, struct stat *st);
int     weir_sys_stat(const char *path, struct stat *st);
ssize_t weir_sys_readlink(const char *path, char *out, size_t len);
int     weir_sys_chmod(const char *path, mode_t mode);
int     weir_sys_mkdir(const char *path, mode_t mode);
int     weir_sys_rename(const char *from, const char *to);
int     weir_sys_fsync(int fd);
int     weir_sys_unlink(const char *path);
int     weir_sys_dup(int fd);                                             /* CLOEXEC */
int     weir_sys_dup_over(int from, int to);                              /* dup3 with CLOEXEC */
int     weir_sys_memfd(const char *name);
void   *weir_sys_map_shared(int fd, size_t len);                          /* readable, writable; NULL: errno */
void   *weir_sys_map_read(int fd, size_t len);                            /* shared, readable only; NULL: errno */
void   *weir_sys_map_family(size_t len);                   /* no file; shared with children forked later; NULL: errno */
int     weir_sys_unmap(void *memory, size_t len);
int     weir_sys_socketpair(int type, int fds[2]);                        /* AF_UNIX, NONBLOCK, CLOEXEC */
pid_t   weir_sys_fork(void);
int     weir_sys_random(void *buf, size_t len);                           /* 0 or -1 */
uint64_t weir_sys_clock_us(void);                                         /* monotonic, now; never fails */
uint64_t weir_sys_cpu_us(void);           /* of a processor's time that this thread has used; never fails */
void    weir_sys_clock(uint64_t *monotonic_ms, uint64_t *realtime_ms);    /* never fails */

/* What a hash table of clients' names is keyed with.  Where the kernel has no random bytes to give,
 * the table's address, which they do not know either. */
static inline uint64_t
weir_random_seed(const void *table)
{
    uint64_t seed;

    return weir_sys_random(&seed, sizeof(seed)) == 0 ? seed : (uintptr_t) table;
}

#endif
