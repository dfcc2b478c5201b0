#define _GNU_SOURCE 1

/*
 * sockets.c - the master opens a socket for each worker at each address, keeps those whose address stays, and closes
 * what it opened for a configuration that cannot be opened whole.
 */
#include "serve/sockets.h"

#include "os/clock.h"
#include "os/sys.h"
#include "says.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

static const weir_area_t area = { .name = "any" };
static weir_error_t      error;

/* An address of TCP that nobody listens on now. */
static weir_addr_t
free_port(void)
{
    int         fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    weir_addr_t addr;

    weir_assert(weir_addr_from_ip(&addr, WEIR_STR("127.0.0.1"), 0));
    weir_assert(fd >= 0 && bind(fd, &addr.any, addr.len) == 0 && weir_sock_local(fd, &addr));
    (void) close(fd);
    return addr;
}

static weir_addr_t
path(void)
{
    weir_addr_t addr;

    weir_assert(weir_addr_from_unix(&addr, weir_str_from_z(tmp_path("socket"))));
    return addr;
}

static bool
open_said(weir_sockets_t *sockets, uint32_t workers)
{
    weir_generation_t *generation = says_generation(&error);
    bool               opened;

    weir_assert(generation != NULL);
    error.text[0] = '\0';
    opened = weir_sockets_open(sockets, generation, workers, false, &error);
    if (opened) {
        weir_sockets_close_unused(sockets, generation->serial);
    }
    weir_generation_unref(generation);
    return opened;
}

static bool
is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void
test_open(void)
{
    weir_addr_t    tcp = free_port(), unix_path = path();
    weir_sockets_t sockets = { .n = 0 };
    int            kept, gone;

    says_listen(&tcp, &area);
    says_listen(&unix_path, &area);
    if (!ok(open_said(&sockets, 2) && sockets.n == 2, "all addresses are opened")) {
        printf("# %s\n", error.text);
        return;
    }
    ok(sockets.at[0]->n_fds == 2 && sockets.at[1]->n_fds == 1, "with a socket for each worker, and one for a path");
    ok(weir_sockets_serves(sockets.at[0], 0, 0, 2) && !weir_sockets_serves(sockets.at[0], 0, 1, 2)
       && weir_sockets_serves(sockets.at[1], 0, 1, 2), "each is one worker's, but that of a path is all's");
    kept = sockets.at[0]->fds[0];
    gone = sockets.at[1]->fds[0];
    says_listen(&tcp, &area);
    ok(open_said(&sockets, 3) && sockets.n == 1 && sockets.at[0]->fds[0] == kept && sockets.at[0]->n_fds == 3,
       "an address that stays keeps its sockets, and gets more for more workers");
    ok(!is_open(gone) && access(unix_path.un.sun_path, F_OK) != 0, "one that goes is closed, its file removed");
    says_listen(&tcp, &area);
    ok(open_said(&sockets, 1) && sockets.at[0]->n_fds == 3, "fewer workers close none: something may wait there");
    weir_sockets_fini(&sockets, true);
    ok(!is_open(kept), "in the end all are closed");
}

static void
test_in_use(void)
{
    weir_addr_t    tcp = free_port(), other = free_port();
    int            on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    weir_sockets_t sockets = { .n = 0 };

    weir_assert(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 && bind(fd, &other.any, other.len) == 0
                && listen(fd, 1) == 0);
    says_listen(&tcp, &area);
    says_listen(&other, &area);
    ok(!open_said(&sockets, 2) && strstr(error.text, "bind() to 127.0.0.1:") == error.text,
       "an address where somebody else listens is an error, even where the kernel would share it");
    is_int(sockets.n, 0, "and nothing of that configuration stays open");
    (void) close(fd);
    weir_sockets_fini(&sockets, true);
}

static void
test_adopted(void)
{
    weir_addr_t           tcp = free_port();
    weir_listen_options_t options = { .reuse_port = true };
    weir_sockets_t        sockets = { .n = 0 };
    int                   fds[] = { weir_sock_listen(&tcp, &options), weir_sock_listen(&tcp, &options) };

    ok(weir_sockets_adopt(&sockets, fds[0]) && weir_sockets_adopt(&sockets, fds[1]) && sockets.n == 1,
       "sockets that were inherited belong to their address");
    says_listen(&tcp, &area);
    ok(open_said(&sockets, 2) && sockets.at[0]->n_fds == 2 && sockets.at[0]->fds[1] == fds[1], "and are used");
    weir_sockets_fini(&sockets, true);
}

/* The kernel has a connection there, or will have: how long that takes is what a SYN waits for. */
static int
client_of(const weir_addr_t *addr, int *result)
{
    int            fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = { .tv_usec = 200000 };

    weir_assert(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0);
    *result = connect(fd, &addr->any, addr->len) == 0 ? 0 : errno;
    return fd;
}

static void
wait_ms(unsigned ms)
{
    (void) usleep(ms * 1000);
    weir_clock_update();
}

static void
test_left(void)
{
    weir_addr_t        tcp = free_port(), other = free_port();
    weir_sockets_t     sockets = { .n = 0 };
    weir_generation_t *generation;
    int                kept, result, fds[3];

    says_listen(&tcp, &area);
    weir_assert(open_said(&sockets, 1));
    kept = sockets.at[0]->fds[0];
    fds[0] = client_of(&tcp, &result);
    is_int(result, 0, "who comes in time is connected");

    says_listen(&other, &area);
    generation = says_generation(&error);
    weir_assert(generation != NULL && weir_sockets_open(&sockets, generation, 1, false, &error));
    weir_sockets_refuse_unused(&sockets, generation->serial);
    weir_sockets_leave_unused(&sockets, generation->serial);
    weir_generation_unref(generation);
    ok(weir_sockets_has_left(sockets.at[0]) && is_open(kept), "an address that goes is not closed at once");
    fds[1] = client_of(&tcp, &result);
    is_int(result, EINPROGRESS, "but connects nobody any more");
    ok(weir_sockets_close_left(&sockets).ms != 0 && is_open(kept), "for a moment");

    says_listen(&tcp, &area);
    generation = says_generation(&error);
    weir_assert(generation != NULL && weir_sockets_open(&sockets, generation, 1, false, &error));
    ok(!weir_sockets_has_left(sockets.at[0]) && sockets.at[0]->fds[0] == kept
       && sockets.at[0]->since == generation->serial, "one that comes back meanwhile is the same, for workers anew");
    fds[2] = client_of(&tcp, &result);
    is_int(result, 0, "and connects again");
    weir_sockets_refuse_unused(&sockets, generation->serial);
    weir_sockets_leave_unused(&sockets, generation->serial);
    weir_generation_unref(generation);
    ok(weir_sockets_has_left(sockets.at[1]), "now the other one goes");
    wait_ms(650);
    ok(weir_sockets_close_left(&sockets).ms != 0 && sockets.n == 2 && sockets.at[1]->n_fds == 0,
       "it is closed, and known still");
    for (size_t i = 0; i < 3; i++) {
        (void) close(fds[i]);
    }
    weir_sockets_fini(&sockets, true);
}

/* A worker that is late has its socket still: it is no stranger. */
static void
test_left_late(void)
{
    weir_addr_t        tcp = free_port(), other = free_port();
    weir_sockets_t     sockets = { .n = 0 };
    weir_generation_t *generation;
    int                late;

    says_listen(&tcp, &area);
    weir_assert(open_said(&sockets, 1));
    late = dup(sockets.at[0]->fds[0]);
    says_listen(&other, &area);
    generation = says_generation(&error);
    weir_assert(generation != NULL && weir_sockets_open(&sockets, generation, 1, false, &error));
    weir_sockets_refuse_unused(&sockets, generation->serial);
    weir_sockets_leave_unused(&sockets, generation->serial);
    weir_generation_unref(generation);
    wait_ms(650);
    (void) !weir_sockets_close_left(&sockets).ms;
    says_listen(&tcp, &area);
    ok(open_said(&sockets, 1), "an address that a worker has not closed yet can be listened on again");
    (void) close(late);
    weir_sockets_fini(&sockets, true);
}

int
main(void)
{
    static weir_log_sink_t quiet = { .kind = WEIR_LOG_TO_FILE, .level = WEIR_LOG_EMERG, .fd = 2 };

    weir_log_use(&quiet);
    test_open();
    test_in_use();
    test_adopted();
    test_left();
    test_left_late();
    return done();
}
