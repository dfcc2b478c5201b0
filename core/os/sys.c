/*
 * sys.c - the system-call seam.  One thin function a call; see sys.h for what they promise.
 *
 * Runs in every process; allocates nothing.
 */
#define _GNU_SOURCE 1

#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- sockets --- */

int
weir_sys_socket(int family, int type, int protocol)
{
    return socket(family, type, protocol);
}

int
weir_sys_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    return bind(fd, addr, len);
}

int
weir_sys_listen(int fd, int backlog)
{
    return listen(fd, backlog);
}

int
weir_sys_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    int peer;

    do {
        peer = accept4(fd, addr, len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (peer < 0 && errno == EINTR);
    return peer;
}

int
weir_sys_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    return connect(fd, addr, len);   /* not retried: an interrupted connect goes on by itself */
}

int
weir_sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    return getsockopt(fd, level, name, value, len);
}

int
weir_sys_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    return setsockopt(fd, level, name, value, len);
}

int
weir_sys_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    return getsockname(fd, addr, len);
}

int
weir_sys_shutdown(int fd, int how)
{
    return shutdown(fd, how);
}

ssize_t
weir_sys_recv(int fd, void *buf, size_t len, int flags)
{
    ssize_t n;

    do {
        n = recv(fd, buf, len, flags);
    } while (n < 0 && errno == EINTR);
    return n;
}

ssize_t
weir_sys_send(int fd, const void *buf, size_t len, int flags)
{
    ssize_t n;

    do {
        n = send(fd, buf, len, flags | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n;
}

ssize_t
weir_sys_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    ssize_t n;

    do {
        n = sendmsg(fd, msg, flags | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n;
}

ssize_t
weir_sys_recvmsg(int fd, struct msghdr *msg, int flags)
{
    ssize_t n;

    do {
        n = recvmsg(fd, msg, flags);
    } while (n < 0 && errno == EINTR);
    return n;
}

int
weir_sys_socketpair(int type, int fds[2])
{
    return socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
}

/* --- events --- */

int
weir_sys_epoll_create(void)
{
    return epoll_create1(EPOLL_CLOEXEC);
}

int
weir_sys_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    return epoll_ctl(epfd, op, fd, event);
}

int
weir_sys_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms)
{
    return epoll_wait(epfd, events, max, timeout_ms);
}

int
weir_sys_eventfd(void)
{
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

int
weir_sys_inotify(void)
{
    return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

int
weir_sys_inotify_add(int fd, const char *path, uint32_t mask)
{
    return inotify_add_watch(fd, path, mask);
}

/* --- descriptors and files --- */

int
weir_sys_close(int fd)
{
    return close(fd);   /* on Linux the descriptor is gone even after EINTR */
}

int
weir_sys_dup(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

int
weir_sys_dup_over(int from, int to)
{
    int fd;

    do {
        fd = dup3(from, to, O_CLOEXEC);
    } while (fd < 0 && (errno == EINTR || errno == EBUSY));
    return fd;
}

int
weir_sys_open(const char *path, int flags, mode_t mode)
{
    int fd;

    do {
        fd = open(path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

ssize_t
weir_sys_read(int fd, void *buf, size_t len)
{
    ssize_t n;

    do {
        n = read(fd, buf, len);
    } while (n < 0 && errno == EINTR);
    return n;
}

ssize_t
weir_sys_write(int fd, const void *buf, size_t len)
{
    ssize_t n;

    do {
        n = write(fd, buf, len);
    } while (n < 0 && errno == EINTR);
    return n;
}

ssize_t
weir_sys_writev(int fd, const struct iovec *iov, int count)
{
    ssize_t n;

    do {
        n = writev(fd, iov, count);
    } while (n < 0 && errno == EINTR);
    return n;
}

ssize_t
weir_sys_pread(int fd, void *buf, size_t len, off_t offset)
{
    ssize_t n;

    do {
        n = pread(fd, buf, len, offset);
    } while (n < 0 && errno == EINTR);
    return n;
}

int
weir_sys_pipe(int fds[2], int size)
{
    if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) {
        return -1;
    }
    (void) fcntl(fds[0], F_SETPIPE_SZ, size);
    return 0;
}

ssize_t
weir_sys_splice(int from, int to, size_t n)
{
    ssize_t rc;

    do {
        rc = splice(from, NULL, to, NULL, n, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    } while (rc < 0 && errno == EINTR);
    return rc;
}

ssize_t
weir_sys_sendfile(int to, int from, off_t *offset, size_t n)
{
    ssize_t rc;

    do {
        rc = sendfile(to, from, offset, n);
    } while (rc < 0 && errno == EINTR);
    return rc;
}

ssize_t
weir_sys_pwrite(int fd, const void *buf, size_t len, off_t offset)
{
    ssize_t n;

    do {
        n = pwrite(fd, buf, len, offset);
    } while (n < 0 && errno == EINTR);
    return n;
}

int
weir_sys_ftruncate(int fd, off_t size)
{
    int rc;

    do {
        rc = ftruncate(fd, size);
    } while (rc < 0 && errno == EINTR);
    return rc;
}

int
weir_sys_fstat(int fd, struct stat *st)
{
    return fstat(fd, st);
}

int
weir_sys_lstat(const char *path, struct stat *st)
{
    return lstat(path, st);
}

int
weir_sys_stat(const char *path, struct stat *st)
{
    return stat(path, st);
}

ssize_t
weir_sys_readlink(const char *path, char *out, size_t len)
{
    return readlink(path, out, len);
}

int
weir_sys_chmod(const char *path, mode_t mode)
{
    return chmod(path, mode);
}

int
weir_sys_mkdir(const char *path, mode_t mode)
{
    return mkdir(path, mode);
}

int
weir_sys_fsync(int fd)
{
    int rc;

    do {
        rc = fsync(fd);
    } while (rc != 0 && errno == EINTR);
    return rc;
}

int
weir_sys_rename(const char *from, const char *to)
{
    return rename(from, to);
}

int
weir_sys_unlink(const char *path)
{
    return unlink(path);
}

int
weir_sys_memfd(const char *name)
{
    return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

void *
weir_sys_map_shared(int fd, size_t len)
{
    void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    return memory != MAP_FAILED ? memory : NULL;
}

void *
weir_sys_map_read(int fd, size_t len)
{
    void *memory = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

void *
weir_sys_map_family(size_t len)
{
    void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

int
weir_sys_unmap(void *memory, size_t len)
{
    return munmap(memory, len);
}

/* --- the rest --- */

pid_t
weir_sys_fork(void)
{
    return fork();
}

int
weir_sys_random(void *buf, size_t len)
{
    char   *at = buf;
    ssize_t n;

    while (len != 0) {
        n = getrandom(at, len, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return -1;
        }
        at += n;
        len -= (size_t) n;
    }
    return 0;
}

static uint64_t
sys_clock_ms(clockid_t which)
{
    struct timespec t = { 0 };

    (void) clock_gettime(which, &t);
    return t.tv_sec < 0 ? 0 : (uint64_t) t.tv_sec * 1000 + (uint64_t) t.tv_nsec / 1000000;
}

void
weir_sys_clock(uint64_t *monotonic_ms, uint64_t *realtime_ms)
{
    *monotonic_ms = sys_clock_ms(CLOCK_MONOTONIC);
    *realtime_ms = sys_clock_ms(CLOCK_REALTIME);
}

uint64_t
weir_sys_clock_us(void)
{
    struct timespec t = { 0, 0 };

    (void) clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

uint64_t
weir_sys_cpu_us(void)
{
    struct timespec t = { 0, 0 };

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}
