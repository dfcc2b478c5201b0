/* sock_listen.c - listening and connecting over TCP and unix sockets. */
#define _GNU_SOURCE 1

#include "os/sock.h"

#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"
#include "tmp.h"

static int
option(int fd, int level, int name)
{
    int       value = -1;
    socklen_t len = sizeof(value);

    (void) weir_sys_getsockopt(fd, level, name, &value, &len);
    return value;
}

static bool
connected(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };

    return poll(&p, 1, 5000) == 1 && weir_sock_error(fd) == 0;
}

static void
test_tcp(const char *ip)
{
    weir_listen_options_t options = { .reuse_port = true, .keepalive = true, .keep_idle = 77, .keep_interval = 7,
                                      .keep_count = 3, .defer_accept_s = 1, .fastopen = 5, .rcvbuf = 65536,
                                      .sndbuf = 65536, .ipv6_only = true };
    weir_addr_t addr, local;
    bool        done_now = false;
    int         a, b, client, peer;

    if (!weir_addr_from_ip(&addr, weir_str_from_z(ip), 0)) {
        return;
    }
    a = weir_sock_listen(&addr, &options);
    if (!ok(a >= 0, ip)) {
        return;
    }
    ok((fcntl(a, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(a, F_GETFD) & FD_CLOEXEC) != 0, "non-blocking, close-on-exec");
    ok(option(a, SOL_SOCKET, SO_KEEPALIVE) == 1 && option(a, IPPROTO_TCP, TCP_KEEPIDLE) == 77
       && option(a, IPPROTO_TCP, TCP_KEEPINTVL) == 7 && option(a, IPPROTO_TCP, TCP_KEEPCNT) == 3, "keepalive is set");
    ok(option(a, IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0 && option(a, SOL_SOCKET, SO_RCVBUF) == 2 * 65536, "the others too");
    ok(weir_sock_local(a, &local) && weir_addr_port(&local) != 0, "the kernel chose a port");
    b = weir_sock_listen(&local, &options);
    ok(b >= 0, "reuse_port: a second socket on the same port");
    weir_sys_close(b);
    weir_sys_close(a);

    options = (weir_listen_options_t) { 0 };
    a = weir_sock_listen(&local, &options);
    ok(a >= 0, "the port again, alone");
    b = weir_sock_listen(&local, &options);
    ok(b < 0 && errno == EADDRINUSE, "without reuse_port there is no second one");

    client = weir_sock_connect(&local, &done_now);
    ok(client >= 0 && connected(client), "a client connects");
    is_int(option(client, IPPROTO_TCP, TCP_NODELAY), 1, "with TCP_NODELAY");
    peer = weir_sys_accept(a, NULL, NULL);
    ok(peer >= 0 && (fcntl(peer, F_GETFL) & O_NONBLOCK) != 0, "and is accepted, non-blocking");
    is_int(option(peer, IPPROTO_TCP, TCP_NODELAY), 1, "and has the listener's TCP_NODELAY");
    weir_sock_set_nodelay(peer, false);
    is_int(option(peer, IPPROTO_TCP, TCP_NODELAY), 0, "which can be taken from it");
    weir_sock_set_keepalive(peer);
    is_int(option(peer, SOL_SOCKET, SO_KEEPALIVE), 1, "keepalive on one connection");
    weir_sock_reset_on_close(peer);
    weir_sys_close(peer);
    {
        struct pollfd p = { .fd = client, .events = POLLIN };
        char          byte;

        poll(&p, 1, 5000);
        ok(weir_sys_recv(client, &byte, 1, 0) < 0 && errno == ECONNRESET, "reset_on_close resets");
    }
    weir_sys_close(client);
    weir_sys_close(a);

    client = weir_sock_connect(&local, &done_now);
    ok(client < 0 || !connected(client), "nobody listens any more");
    if (client >= 0) {
        weir_sys_close(client);
    }
}

static void
test_unix(void)
{
    weir_listen_options_t options = { .reuse_port = true, .keepalive = true };
    weir_addr_t           addr, local;
    struct stat           st;
    const char           *path = tmp_path("sock");
    bool                  done_now = false;
    int                   a, b, client;
    FILE                 *file;

    ok(weir_addr_from_unix(&addr, weir_str_from_z(path)), "a unix address");
    a = weir_sock_listen(&addr, &options);
    ok(a >= 0, "listens");
    ok(stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0666, "everybody may connect");
    ok(weir_sock_local(a, &local) && weir_addr_eq(&addr, &local), "its own address");
    b = weir_sock_listen(&addr, &options);
    ok(b < 0 && errno == EADDRINUSE, "one that somebody listens on is not taken");
    client = weir_sock_connect(&addr, &done_now);
    ok(client >= 0 && done_now, "a connect is done at once");
    weir_sys_close(client);
    weir_sys_close(a);

    client = weir_sock_connect(&addr, &done_now);
    ok(client < 0 && errno == ECONNREFUSED, "nobody listens any more");
    a = weir_sock_listen(&addr, &options);
    ok(a >= 0, "a stale file is replaced");
    weir_sys_close(a);

    unlink(path);
    file = fopen(path, "w");
    fclose(file);
    a = weir_sock_listen(&addr, &options);
    ok(a < 0 && errno == EADDRINUSE && access(path, F_OK) == 0, "a file that is no socket is left alone");

    ok(weir_addr_from_unix(&addr, weir_str_from_z(tmp_path("none/sock"))), "in a folder that is none");
    a = weir_sock_listen(&addr, &options);
    ok(a < 0 && errno == ENOENT, "says so");
}

int
main(void)
{
    weir_addr_t addr;
    int         fd;

    test_tcp("127.0.0.1");
    fd = weir_addr_from_ip(&addr, WEIR_STR("::1"), 0) ? weir_sock_listen(&addr, &(weir_listen_options_t) { 0 }) : -1;
    if (fd >= 0) {      /* not every machine has IPv6 */
        weir_sys_close(fd);
        test_tcp("::1");
    }
    test_unix();
    return done();
}
