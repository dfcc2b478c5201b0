/* sock_fds.c - descriptors travel with a message, all or none. */
#include "os/sock.h"

#include "os/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tap.h"

static size_t
open_fds(void)
{
    DIR   *dir = opendir("/proc/self/fd");
    size_t n = 0;

    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    closedir(dir);
    return n;
}

static bool
same_file(int a, int b)
{
    struct stat sa, sb;

    return weir_sys_fstat(a, &sa) == 0 && weir_sys_fstat(b, &sb) == 0
        && sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

static void
close_all(const int *fds, size_t n)
{
    while (n-- != 0) {
        weir_sys_close(fds[n]);
    }
}

int
main(void)
{
    int     pair[2], fds[WEIR_SOCK_MAX_FDS + 1], got[WEIR_SOCK_MAX_FDS];
    char    data[64];
    size_t  n, before, i;
    ssize_t len;

    weir_sys_socketpair(SOCK_SEQPACKET, pair);
    for (i = 0; i < weir_countof(fds); i++) {
        fds[i] = weir_sys_memfd("test");
    }
    before = open_fds();

    n = 4;
    len = weir_sock_recv_fds(pair[1], data, sizeof(data), got, &n);
    ok(len == -1 && errno == EAGAIN && n == 0, "nothing there is EAGAIN");

    ok(weir_sock_send_fds(pair[0], "hello", 5, fds, 2), "two are sent");
    n = 4;
    len = weir_sock_recv_fds(pair[1], data, sizeof(data), got, &n);
    ok(len == 5 && memcmp(data, "hello", 5) == 0 && n == 2, "and come with their bytes");
    ok(same_file(fds[0], got[0]) && same_file(fds[1], got[1]) && !same_file(fds[0], got[1]), "in order");
    ok((fcntl(got[0], F_GETFD) & FD_CLOEXEC) != 0, "close-on-exec");
    close_all(got, n);

    ok(weir_sock_send_fds(pair[0], "x", 1, fds, WEIR_SOCK_MAX_FDS), "as many as may be");
    n = WEIR_SOCK_MAX_FDS;
    is_int(weir_sock_recv_fds(pair[1], data, sizeof(data), got, &n), 1, "come");
    is_int(n, WEIR_SOCK_MAX_FDS, "all");
    close_all(got, n);

    ok(!weir_sock_send_fds(pair[0], "x", 1, fds, WEIR_SOCK_MAX_FDS + 1) && errno == EINVAL, "one more is refused");
    ok(!weir_sock_send_fds(pair[0], "", 0, fds, 1) && errno == EINVAL, "and so is a message of no bytes");

    ok(weir_sock_send_fds(pair[0], "plain", 5, NULL, 0), "none may be sent");
    n = 4;
    ok(weir_sock_recv_fds(pair[1], data, sizeof(data), got, &n) == 5 && n == 0, "and come");

    ok(weir_sock_send_fds(pair[0], "x", 1, fds, 3), "three");
    n = 2;
    ok(weir_sock_recv_fds(pair[1], data, sizeof(data), got, &n) == -1 && errno == EMSGSIZE && n == 0,
       "for which there is no room are none");
    ok(weir_sock_send_fds(pair[0], "too long", 8, fds, 3), "a message");
    n = 4;
    ok(weir_sock_recv_fds(pair[1], data, 4, got, &n) == -1 && errno == EMSGSIZE && n == 0, "that is cut is none");
    is_int(open_fds(), before, "no descriptor is left over");

    weir_sys_close(pair[0]);
    n = 4;
    is_int(weir_sock_recv_fds(pair[1], data, sizeof(data), got, &n), 0, "the end is 0");
    ok(!weir_sock_send_fds(pair[1], "x", 1, fds, 1) && errno == EPIPE, "sending to nobody fails without a signal");
    weir_sys_close(pair[1]);
    close_all(fds, weir_countof(fds));
    return done();
}
