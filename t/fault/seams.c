/*
 * seams.c - makes any allocation or system call of one Weir process fail, once or from then on.
 *
 * Linked into weir-fault only, where --wrap puts these functions before the seams of base/heap.h and os/sys.h.  A new
 * seam needs a row here, else weir-fault does not link.
 *
 * A test says what should fail through a file named by WEIR_FAULT_FILE, which the first process maps and all others
 * inherit: seams_control_t, which t/lib/Weir/Fault.pm reads and writes while Weir runs.  Without it nothing fails.
 *
 * Each row has the errors that the kernel may really give there.  What a caller could see of the cause is made true: a
 * connection that is reset or a broken pipe is shut down, a descriptor whose close fails is closed, a connect that was
 * interrupted goes on.  Not there, because the kernel does not do it: EAGAIN and short transfers on a socket that has
 * data or room (edge-triggered epoll would never tell when to go on), removals from an epoll set that fail, an eventfd
 * that cannot be written.
 */
#define _GNU_SOURCE 1

#include "base/heap.h"
#include "os/sys.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEAMS_MAGIC  0x746c6657u    /* "Wflt" */
#define SEAMS_ERRORS 8
#define SEAMS_FRAMES 16
#define SEAMS_SHORT  (-1)           /* instead of an errno: one byte is transferred; for regular files */

enum { SEAMS_OFF, SEAMS_COUNT, SEAMS_ONCE, SEAMS_FROM };
enum { SEAMS_ALLOC = 1, SEAMS_CALL = 2 };

/* Little-endian and without gaps, as Weir::Fault packs it. */
typedef struct {
    uint32_t magic;
    uint32_t mode;
    int32_t  target;                /* the process; 0: none */
    uint32_t kinds;                 /* which rows take part */
    uint32_t which;                 /* index of the error in the row */
    uint32_t n_errors;              /* out: errors in the row of the last hit */
    uint64_t at;                    /* the call that fails; 1 is the first */
    uint64_t calls;                 /* out: calls seen */
    uint64_t hits;                  /* out: calls reached that should fail */
    char     only[32];              /* a seam's name: only it takes part; "": all */
    char     name[32];              /* out: of the last hit */
    int32_t  error;                 /* out */
    uint32_t n_frames;              /* out */
    uint64_t frames[SEAMS_FRAMES];  /* out: the calls that led there, as addresses in the program's file */
} seams_control_t;

typedef struct {
    const char *name;
    uint32_t    kind;
    int         errors[SEAMS_ERRORS];
} seams_row_t;

static seams_control_t *seams;
extern const char       __executable_start[];

__attribute__((constructor)) static void
seams_open(void)
{
    const char *path = getenv("WEIR_FAULT_FILE");
    int         fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void       *frames[1];
    void       *map;

    if (fd < 0) {
        return;
    }
    map = mmap(NULL, sizeof(*seams), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void) close(fd);
    if (map == MAP_FAILED || ((seams_control_t *) map)->magic != SEAMS_MAGIC) {
        (void) fprintf(stderr, "weir-fault: \"%s\" is no control file\n", path);
        exit(2);
    }
    seams = map;
    (void) backtrace(frames, 1);    /* loads what it needs now */
}

static void
seams_note_hit(const seams_row_t *row, int error)
{
    void *frames[SEAMS_FRAMES];
    int   n = backtrace(frames, SEAMS_FRAMES);

    for (int i = 0; i < n; i++) {
        seams->frames[i] = (uintptr_t) frames[i] - (uintptr_t) __executable_start;
    }
    seams->n_frames = (uint32_t) n;
    (void) strncpy(seams->name, row->name, sizeof(seams->name) - 1);
    seams->error = error;
    (void) __atomic_add_fetch(&seams->hits, 1, __ATOMIC_RELEASE);
}

/* The error that this call ends with; 0: none, it goes through. */
static int
seams_error(const seams_row_t *row)
{
    uint32_t mode, n_errors = 0;
    uint64_t call;
    int      error;

    if (seams == NULL || (mode = __atomic_load_n(&seams->mode, __ATOMIC_ACQUIRE)) == SEAMS_OFF
        || (seams->kinds & row->kind) == 0 || seams->target != (int32_t) getpid()
        || (seams->only[0] != '\0' && strcmp(seams->only, row->name) != 0)) {
        return 0;
    }
    call = __atomic_add_fetch(&seams->calls, 1, __ATOMIC_RELAXED);
    if (mode == SEAMS_COUNT || (mode == SEAMS_ONCE ? call != seams->at : call < seams->at)) {
        return 0;
    }
    while (n_errors < SEAMS_ERRORS && row->errors[n_errors] != 0) {
        n_errors++;
    }
    seams->n_errors = n_errors;
    error = seams->which < n_errors ? row->errors[seams->which] : 0;
    seams_note_hit(row, error);
    return error;
}

/* -1 with errno, for rows where an error is all there is to it. */
static bool
seams_fails(const seams_row_t *row)
{
    int error = seams_error(row);

    if (error != 0) {
        errno = error;
    }
    return error != 0;
}

#define SEAMS_REAL(type, name, params)  \
    type __real_weir_##name params;     \
    type __wrap_weir_##name params;

#define SEAMS_ROW(name, kind, ...) \
    static const seams_row_t seams_##name = { "weir_" #name, kind, { __VA_ARGS__ } };

/* A seam that fails with `bad` and an errno and does nothing then. */
#define SEAM(type, name, kind, bad, params, args, ...)                              \
    SEAMS_REAL(type, name, params)                                                  \
    SEAMS_ROW(name, kind, __VA_ARGS__)                                              \
    type __wrap_weir_##name params                                                  \
    {                                                                               \
        return seams_fails(&seams_##name) ? (bad) : __real_weir_##name args;        \
    }

#define CALL(name, params, args, ...) SEAM(int, sys_##name, SEAMS_CALL, -1, params, args, __VA_ARGS__)

/* --- memory --- */

SEAM(void *, heap_alloc, SEAMS_ALLOC, NULL, (size_t size), (size), ENOMEM)
SEAM(void *, heap_resize, SEAMS_ALLOC, NULL, (void *p, size_t size), (p, size), ENOMEM)
SEAM(void *, heap_map, SEAMS_ALLOC, NULL, (size_t size, bool at_once), (size, at_once), ENOMEM)

/* --- making sockets --- */

CALL(socket, (int family, int type, int protocol), (family, type, protocol), EMFILE, ENFILE, ENOBUFS, ENOMEM)
CALL(bind, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len), EADDRINUSE, EADDRNOTAVAIL, ENOMEM)
CALL(listen, (int fd, int backlog), (fd, backlog), EADDRINUSE)
CALL(accept, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len),
     ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EPROTO)
CALL(getsockopt, (int fd, int level, int name, void *value, socklen_t *len), (fd, level, name, value, len), ENOBUFS)
CALL(setsockopt, (int fd, int level, int name, const void *value, socklen_t len), (fd, level, name, value, len),
     ENOBUFS, EINVAL)
CALL(getsockname, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len), ENOBUFS)
CALL(socketpair, (int type, int fds[2]), (type, fds), EMFILE, ENFILE, ENOMEM)

SEAMS_REAL(int, sys_connect, (int fd, const struct sockaddr *addr, socklen_t len))
SEAMS_ROW(sys_connect, SEAMS_CALL, ECONNREFUSED, EHOSTUNREACH, EADDRNOTAVAIL, ETIMEDOUT, ENOBUFS, EINTR)

int
__wrap_weir_sys_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    int error = seams_error(&seams_sys_connect);

    if (error == 0) {
        return __real_weir_sys_connect(fd, addr, len);
    }
    if (error == EINTR) {
        (void) __real_weir_sys_connect(fd, addr, len);
    }
    errno = error;
    return -1;
}

/* --- connections: one that fails has failed for both sides --- */

static bool
seams_breaks(const seams_row_t *row, int fd)
{
    int error = seams_error(row);

    if (error == ECONNRESET || error == EPIPE || error == ETIMEDOUT || error == ENOTCONN) {
        (void) shutdown(fd, SHUT_RDWR);
    }
    if (error != 0) {
        errno = error;
    }
    return error != 0;
}

#define TRANSFER(name, params, args, ...)                                            \
    SEAMS_REAL(ssize_t, sys_##name, params)                                          \
    SEAMS_ROW(sys_##name, SEAMS_CALL, __VA_ARGS__)                                   \
    ssize_t __wrap_weir_sys_##name params                                            \
    {                                                                                \
        return seams_breaks(&seams_sys_##name, fd) ? -1 : __real_weir_sys_##name args; \
    }

TRANSFER(recv, (int fd, void *buf, size_t len, int flags), (fd, buf, len, flags), ECONNRESET, ETIMEDOUT, ENOMEM)
TRANSFER(send, (int fd, const void *buf, size_t len, int flags), (fd, buf, len, flags), EPIPE, ECONNRESET, ENOMEM)
TRANSFER(recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags), ECONNRESET)
TRANSFER(sendmsg, (int fd, const struct msghdr *msg, int flags), (fd, msg, flags), EPIPE, ECONNRESET, ENOMEM)

SEAMS_REAL(int, sys_shutdown, (int fd, int how))
SEAMS_ROW(sys_shutdown, SEAMS_CALL, ENOTCONN)

int
__wrap_weir_sys_shutdown(int fd, int how)
{
    return seams_breaks(&seams_sys_shutdown, fd) ? -1 : __real_weir_sys_shutdown(fd, how);
}

SEAMS_REAL(int, sys_close, (int fd))
SEAMS_ROW(sys_close, SEAMS_CALL, EIO, EINTR)

int
__wrap_weir_sys_close(int fd)
{
    int error = seams_error(&seams_sys_close);
    int rc = __real_weir_sys_close(fd);

    if (error != 0) {
        errno = error;
    }
    return error != 0 ? -1 : rc;
}

/* --- events --- */

CALL(epoll_create, (void), (), EMFILE, ENFILE, ENOMEM)
CALL(epoll_wait, (int epfd, struct epoll_event *events, int max, int timeout_ms), (epfd, events, max, timeout_ms),
     EINTR)
CALL(eventfd, (void), (), EMFILE, ENFILE, ENOMEM)
CALL(inotify, (void), (), EMFILE, ENFILE, ENOMEM)
CALL(inotify_add, (int fd, const char *path, uint32_t mask), (fd, path, mask), ENOSPC, ENOMEM, EACCES)

SEAMS_REAL(int, sys_epoll_ctl, (int epfd, int op, int fd, struct epoll_event *event))
SEAMS_ROW(sys_epoll_ctl, SEAMS_CALL, ENOMEM, ENOSPC)

int
__wrap_weir_sys_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    return op == EPOLL_CTL_ADD && seams_fails(&seams_sys_epoll_ctl) ? -1
           : __real_weir_sys_epoll_ctl(epfd, op, fd, event);
}

/* --- files --- */

CALL(open, (const char *path, int flags, mode_t mode), (path, flags, mode), EMFILE, ENFILE, EACCES, ENOSPC, EIO)
CALL(ftruncate, (int fd, off_t size), (fd, size), ENOSPC, EIO)
CALL(fstat, (int fd, struct stat *st), (fd, st), EIO)
CALL(lstat, (const char *path, struct stat *st), (path, st), EACCES, EIO)
CALL(stat, (const char *path, struct stat *st), (path, st), EACCES, EIO)
CALL(chmod, (const char *path, mode_t mode), (path, mode), EPERM, EIO)
CALL(mkdir, (const char *path, mode_t mode), (path, mode), EACCES, ENOSPC)
CALL(rename, (const char *from, const char *to), (from, to), EACCES, ENOSPC)
CALL(fsync, (int fd), (fd), EIO, ENOSPC)
CALL(unlink, (const char *path), (path), EACCES, EIO)
CALL(dup, (int fd), (fd), EMFILE)
CALL(dup_over, (int from, int to), (from, to), EMFILE)
CALL(memfd, (const char *name), (name), EMFILE, ENFILE, ENOMEM)
SEAM(void *, sys_map_shared, SEAMS_CALL, NULL, (int fd, size_t len), (fd, len), ENOMEM, ENFILE)
SEAM(void *, sys_map_family, SEAMS_CALL, NULL, (size_t len), (len), ENOMEM)
SEAM(void *, sys_map_read, SEAMS_CALL, NULL, (int fd, size_t len), (fd, len), ENOMEM, ENFILE)
CALL(unmap, (void *memory, size_t len), (memory, len), ENOMEM)

SEAM(ssize_t, sys_readlink, SEAMS_CALL, -1, (const char *path, char *out, size_t len), (path, out, len), EACCES, EIO)

/* The error, but for an eventfd: its reads and writes cannot fail. */
static int
seams_file_error(const seams_row_t *row, int fd)
{
    struct stat st;

    if (seams == NULL || seams->mode == SEAMS_OFF || (fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == 0)) {
        return 0;
    }
    return seams_error(row);
}

/* A regular file may transfer less than was asked: one byte, say. */
static size_t
seams_length(int error, int fd, size_t len)
{
    struct stat st;

    return error == SEAMS_SHORT && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? weir_min(len, 1) : len;
}

#define FILE_TRANSFER(name, params, args, ...)                                       \
    SEAMS_REAL(ssize_t, sys_##name, params)                                          \
    SEAMS_ROW(sys_##name, SEAMS_CALL, __VA_ARGS__)                                   \
    ssize_t __wrap_weir_sys_##name params                                            \
    {                                                                                \
        int error = seams_file_error(&seams_sys_##name, fd);                         \
                                                                                     \
        if (error > 0) {                                                             \
            errno = error;                                                           \
            return -1;                                                               \
        }                                                                            \
        len = seams_length(error, fd, len);                                          \
        return __real_weir_sys_##name args;                                          \
    }

FILE_TRANSFER(read, (int fd, void *buf, size_t len), (fd, buf, len), EIO, SEAMS_SHORT)
FILE_TRANSFER(write, (int fd, const void *buf, size_t len), (fd, buf, len), ENOSPC, EIO, SEAMS_SHORT)
FILE_TRANSFER(pread, (int fd, void *buf, size_t len, off_t offset), (fd, buf, len, offset), EIO, SEAMS_SHORT)
FILE_TRANSFER(pwrite, (int fd, const void *buf, size_t len, off_t offset), (fd, buf, len, offset),
              ENOSPC, EIO, SEAMS_SHORT)

SEAM(int, sys_pipe, SEAMS_CALL, -1, (int fds[2], int size), (fds, size), EMFILE, ENFILE)
SEAM(ssize_t, sys_splice, SEAMS_CALL, -1, (int from, int to, size_t n), (from, to, n), ECONNRESET, EPIPE)

SEAMS_REAL(ssize_t, sys_sendfile, (int to, int from, off_t *offset, size_t n))
SEAMS_ROW(sys_sendfile, SEAMS_CALL, EIO, ECONNRESET, EPIPE, SEAMS_SHORT)

ssize_t
__wrap_weir_sys_sendfile(int to, int from, off_t *offset, size_t n)
{
    int error = seams_error(&seams_sys_sendfile);

    if (error > 0) {
        errno = error;
        return -1;
    }
    return __real_weir_sys_sendfile(to, from, offset, error == SEAMS_SHORT ? weir_min(n, 1) : n);
}

SEAMS_REAL(ssize_t, sys_writev, (int fd, const struct iovec *iov, int n))
SEAMS_ROW(sys_writev, SEAMS_CALL, ENOSPC, EIO, SEAMS_SHORT)

ssize_t
__wrap_weir_sys_writev(int fd, const struct iovec *iov, int n)
{
    int error = seams_file_error(&seams_sys_writev, fd);

    if (error > 0) {
        errno = error;
        return -1;
    }
    if (n > 0 && seams_length(error, fd, iov->iov_len) < iov->iov_len) {
        return write(fd, iov->iov_base, 1);
    }
    return __real_weir_sys_writev(fd, iov, n);
}

/* --- the rest --- */

SEAM(pid_t, sys_fork, SEAMS_CALL, -1, (void), (), EAGAIN, ENOMEM)
CALL(random, (void *buf, size_t len), (buf, len), ENOSYS)

SEAMS_REAL(uint64_t, sys_clock_us, (void))
SEAMS_REAL(uint64_t, sys_cpu_us, (void))
SEAMS_REAL(void, sys_clock, (uint64_t *monotonic_ms, uint64_t *realtime_ms))

uint64_t
__wrap_weir_sys_clock_us(void)    /* never fails */
{
    return __real_weir_sys_clock_us();
}

uint64_t
__wrap_weir_sys_cpu_us(void)    /* never fails */
{
    return __real_weir_sys_cpu_us();
}

void
__wrap_weir_sys_clock(uint64_t *monotonic_ms, uint64_t *realtime_ms)    /* never fails */
{
    __real_weir_sys_clock(monotonic_ms, realtime_ms);
}
