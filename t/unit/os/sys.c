/* sys.c - what the seam adds to the calls it names. */
#define _GNU_SOURCE 1

#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static void
on_alarm(int signal)
{
    (void) signal;
}

static bool
is_cloexec(int fd)
{
    return fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static void
test_flags(void)
{
    int  fd, over, pair[2];
    char a[16], b[16];

    fd = weir_sys_open("/dev/null", O_RDWR, 0);
    ok(is_cloexec(fd), "open adds close-on-exec");
    over = weir_sys_dup(fd);
    ok(is_cloexec(over) && over != fd, "dup has it");
    ok(weir_sys_dup_over(fd, over) == over && is_cloexec(over), "so has dup_over");
    weir_sys_close(fd);
    weir_sys_close(over);
    fd = weir_sys_epoll_create();
    ok(is_cloexec(fd), "so has epoll");
    weir_sys_close(fd);
    fd = weir_sys_eventfd();
    ok(is_cloexec(fd) && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, "eventfd is non-blocking too");
    weir_sys_close(fd);
    fd = weir_sys_memfd("x");
    ok(is_cloexec(fd) && weir_sys_ftruncate(fd, 100) == 0 && weir_sys_pwrite(fd, "abc", 3, 50) == 3, "memfd");
    weir_sys_close(fd);

    ok(weir_sys_socketpair(SOCK_STREAM, pair) == 0 && is_cloexec(pair[0]), "socketpair");
    ok(weir_sys_recv(pair[0], a, 1, 0) == -1 && errno == EAGAIN, "which is non-blocking");
    weir_sys_close(pair[1]);
    ok(weir_sys_send(pair[0], "x", 1, 0) == -1 && errno == EPIPE, "send raises no signal");
    weir_sys_close(pair[0]);

    ok(weir_sys_random(a, sizeof(a)) == 0 && weir_sys_random(b, sizeof(b)) == 0 && memcmp(a, b, sizeof(a)) != 0,
       "random");
}

static void
test_interrupted(void)
{
    struct sigaction action = { .sa_handler = on_alarm };     /* without SA_RESTART */
    struct itimerval often = { .it_interval = { 0, 2000 }, .it_value = { 0, 2000 } }, never = { 0 };
    struct epoll_event event;
    char   byte;
    int    fds[2], epfd = weir_sys_epoll_create();
    pid_t  pid;

    if (pipe(fds) != 0) {
        return;
    }
    pid = weir_sys_fork();
    if (pid == 0) {
        usleep(30000);
        _exit(write(fds[1], "x", 1) == 1 ? 0 : 1);
    }
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    ok(weir_sys_read(fds[0], &byte, 1) == 1 && byte == 'x', "an interrupted read goes on");
    ok(weir_sys_epoll_wait(epfd, &event, 1, 5000) == -1 && errno == EINTR, "an interrupted wait returns");
    setitimer(ITIMER_REAL, &never, NULL);
    waitpid(pid, NULL, 0);
    weir_sys_close(fds[0]);
    weir_sys_close(fds[1]);
    weir_sys_close(epfd);
}

static void
test_clock(void)
{
    uint64_t mono = 0, real = 0, mono2 = 0, real2 = 0;

    weir_sys_clock(&mono, &real);
    usleep(3000);
    weir_sys_clock(&mono2, &real2);
    ok(mono2 >= mono + 3 && mono2 < mono + 10000, "the monotonic clock goes");
    ok(real > UINT64_C(1600000000000) && real2 >= real, "the wall clock is of this age");
}

int
main(void)
{
    test_flags();
    test_interrupted();
    test_clock();
    return done();
}
