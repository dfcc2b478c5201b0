/*
 * conn.c - the plain transport: what each outcome of recv and send leaves in the flags, and which calls are saved.
 */
#include "pair.h"

#include <linux/tcp.h>
#include <poll.h>

static weir_loop_t *loop;
static bool       (*opener)(weir_conn_t *, weir_loop_t *, int, void (*)(weir_watch_t *)) = weir_conn_open;
static int          n_ready;
static weir_conn_t  conn;
static int          peer;
static char         room[65536];
static size_t       n;

static void
on_ready(weir_watch_t *watch WEIR_UNUSED)
{
    n_ready++;
}

static void
open_pair(void (*make)(int fds[2]))
{
    int fds[2];

    make(fds);
    peer = fds[1];
    pair_need(opener(&conn, loop, fds[0], on_ready), "opening");
    weir_loop_turn(loop, MS(opener == weir_conn_open ? 100 : 0));
}

static void
close_pair(void)
{
    weir_conn_close(&conn);
    if (peer >= 0) {
        close(peer);
    }
}

static weir_io_t
send_text(const char *text)
{
    struct iovec iov = { .iov_base = (void *) (uintptr_t) text, .iov_len = strlen(text) };

    return weir_conn_send(&conn, &iov, 1, &n);
}

static void
test_recv(void (*make)(int fds[2]))
{
    open_pair(make);
    ok(weir_conn_is_open(&conn) && conn.watch.writable && !conn.watch.readable, "open and writable");
    pair_put(peer, "abcdef");
    ok(weir_conn_recv(&conn, room, sizeof(room), &n) == WEIR_AGAIN && n == 0, "not readable yet: AGAIN, unasked");
    weir_loop_turn(loop, MS(100));
    ok(weir_conn_recv(&conn, room, 4, &n) == WEIR_OK && n == 4 && conn.watch.readable, "a full recv: still readable");
    ok(weir_conn_recv(&conn, room, 4, &n) == WEIR_OK && n == 2 && !conn.watch.readable, "a short one does not");
    pair_put(peer, "g");
    ok(weir_conn_recv(&conn, room, 4, &n) == WEIR_AGAIN && n == 0, "nor is it asked again");
    weir_loop_turn(loop, MS(100));
    ok(weir_conn_recv(&conn, room, 1, &n) == WEIR_OK && conn.watch.readable, "exactly all: readable still");
    ok(weir_conn_recv(&conn, room, 1, &n) == WEIR_AGAIN && !conn.watch.readable, "until EAGAIN");
    is_int(conn.received, 7, "bytes received are counted");

    pair_put(peer, "last");
    close(peer);
    peer = -1;
    PAIR_TURN_UNTIL(loop, conn.watch.peer_closed);
    ok(conn.watch.peer_closed, "the peer has closed");
    ok(weir_conn_recv(&conn, room, sizeof(room), &n) == WEIR_OK && n == 4 && conn.watch.readable,
       "after a close a short recv is followed by another");
    ok(weir_conn_recv(&conn, room, sizeof(room), &n) == WEIR_EOF && n == 0, "which finds the end");
    ok(weir_conn_recv(&conn, room, sizeof(room), &n) == WEIR_EOF, "again and again");
    close_pair();
    ok(!weir_conn_is_open(&conn) && conn.watch.fd == -1, "closed");
    weir_conn_close(&conn);
    is_int(weir_loop_watches(loop), 0, "closing twice is harmless");
}

static void
test_send(void (*make)(int fds[2]))
{
    struct iovec  three[] = { { .iov_base = (void *) (uintptr_t) "one", .iov_len = 3 },
                              { .iov_base = NULL, .iov_len = 0 },
                              { .iov_base = (void *) (uintptr_t) "two", .iov_len = 3 } };
    struct iovec  big = { .iov_base = room, .iov_len = sizeof(room) };
    uint64_t      queued = 6, read_back = 0;
    ssize_t       rc = -1;
    struct pollfd readable;

    open_pair(make);
    readable = (struct pollfd) { .fd = peer, .events = POLLIN };
    ok(weir_conn_send(&conn, three, 3, &n) == WEIR_OK && n == 6, "several slices go together");
    ok(weir_conn_send(&conn, three, 0, &n) == WEIR_OK && weir_conn_send(&conn, &three[1], 1, &n) == WEIR_OK && n == 0,
       "nothing is sent at once");
    while (weir_conn_send(&conn, &big, 1, &n) == WEIR_OK) {
        queued += n;
    }
    queued += n;
    ok(!conn.watch.writable && n < sizeof(room), "a send that does not fit says how much did and is not writable");
    ok(conn.sent == queued, "bytes sent are counted");
    ok(send_text("x") == WEIR_AGAIN && n == 0, "then AGAIN");
    while (read_back < queued && poll(&readable, 1, 5000) == 1 && (rc = read(peer, room, sizeof(room))) > 0) {
        read_back += (uint64_t) rc;
    }
    is_int(read_back, queued, "the peer reads all of it");
    ok(send_text("x") == WEIR_AGAIN && n == 0, "AGAIN still, without asking");
    PAIR_TURN_UNTIL(loop, conn.watch.writable);
    ok(conn.watch.writable && send_text("x") == WEIR_OK && n == 1, "until the edge that the reading made");
    weir_conn_shutdown(&conn);
    while (poll(&readable, 1, 5000) == 1 && (rc = read(peer, room, sizeof(room))) > 0) {
    }
    ok(rc == 0, "shutdown ends our direction");
    pair_put(peer, "yes");
    PAIR_TURN_UNTIL(loop, conn.watch.readable);
    ok(weir_conn_recv(&conn, room, sizeof(room), &n) == WEIR_OK && n == 3, "and only ours");
    ok(send_text("x") == WEIR_ERROR && conn.error == EPIPE && n == 0, "a send after it is EPIPE, not a signal");
    close_pair();
}

static void
test_reset(void)
{
    struct linger abort = { .l_onoff = 1, .l_linger = 0 };

    open_pair(pair_tcp);
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
    close(peer);
    peer = -1;
    PAIR_TURN_UNTIL(loop, conn.watch.failed);
    ok(conn.watch.failed && conn.watch.readable && conn.watch.writable, "a reset: failed, readable, writable");
    ok(weir_conn_recv(&conn, room, sizeof(room), &n) == WEIR_ERROR && conn.error == ECONNRESET, "recv: ECONNRESET");
    ok(send_text("x") == WEIR_ERROR && conn.error == EPIPE, "send: EPIPE");
    close_pair();
}

/* That an accepted one can be written to is no event of its own, before a send has found no room. */
static void
test_accepted(void)
{
    opener = weir_conn_accept;
    n_ready = 0;
    open_pair(pair_tcp);
    ok(n_ready == 0 && conn.watch.writable && send_text("x") == WEIR_OK,
       "an accepted one is writable at once, without an event");
    close_pair();
    test_recv(pair_tcp);
    test_send(pair_tcp);
    test_reset();
    opener = weir_conn_open;
}

static unsigned
segments_sent(void)
{
    struct tcp_info info = { 0 };
    socklen_t       len = sizeof(info);

    pair_need(getsockopt(conn.watch.fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0, "TCP_INFO");
    return info.tcpi_segs_out;
}

/* The kernel holds back for 200 ms at most: who is stopped for so long between the two calls sees two segments, so
 * several try. */
static void
test_ends(void)
{
    bool together = false;

    for (int i = 0; i < 5 && !together; i++) {
        unsigned before;

        open_pair(pair_tcp);
        conn.ends = true;
        before = segments_sent();
        pair_need(send_text("last") == WEIR_OK, "send");
        weir_conn_shutdown(&conn);
        together = segments_sent() == before + 1;
        if (i == 0) {
            ok(read(peer, room, sizeof(room)) == 4 && memcmp(room, "last", 4) == 0
               && read(peer, room, sizeof(room)) == 0,
               "the last bytes, and the end behind them");
        }
        close_pair();
    }
    ok(together, "leave in one segment");
}

static void
test_end_unannounced(void)
{
    open_pair(pair_unix);
    close(peer);
    peer = -1;
    conn.watch.readable = true;         /* not by an event: somebody knew better */
    ok(weir_conn_recv(&conn, room, sizeof(room), &n) == WEIR_EOF && conn.watch.peer_closed, "an end found is noted");
    close_pair();
}

static void
test_not_opened(void)
{
    weir_conn_t never;
    int         file = open("/proc/self/exe", O_RDONLY), before = pair_open_fds();

    errno = 0;
    ok(!weir_conn_open(&conn, loop, file, on_ready) && errno == EPERM, "what cannot be watched is refused");
    is_int(pair_open_fds(), before - 1, "and closed");
    ok(!weir_conn_is_open(&conn), "and not open");
    ok(!weir_conn_open(&conn, loop, -1, on_ready) && errno == EBADF, "-1 is refused");
    weir_conn_close(&conn);
    memset(&never, 0, sizeof(never));
    weir_conn_close(&never);
    is_int(pair_open_fds(), before - 1, "closing one never opened closes nothing");
}

int
main(void)
{
    loop = weir_loop_create(16);
    pair_need(loop != NULL, "weir_loop_create");
    test_recv(pair_unix);
    test_recv(pair_tcp);
    test_send(pair_unix);
    test_send(pair_tcp);
    test_reset();
    test_accepted();
    test_ends();
    test_end_unannounced();
    test_not_opened();
    weir_loop_destroy(loop);
    return done();
}
