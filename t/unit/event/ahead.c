/*
 * ahead.c - what is expected is received before the first handler of a turn runs, and no byte is lost, doubled or out
 * of order, whatever the handlers do.
 */
#include "pair.h"

#include "event/ahead.h"

#include <stdlib.h>
#include <sys/ioctl.h>

#define MANY 600

static weir_loop_t *loop;
static weir_conn_t  conns[MANY];
static int          peers[MANY];
static char         room[65536], sent[65536];
static size_t       n;

/* What a handler found: how many bytes were left in the other sockets. */
static int  left_in_sockets, n_calls;
static bool takes, closes_next;

static void
on_ready(weir_watch_t *watch)
{
    weir_conn_t *conn = weir_container_of(watch, weir_conn_t, watch);

    if (!watch->readable) {
        return;
    }
    n_calls++;
    for (int i = 0; i < 2; i++) {
        int left = 0;

        if (weir_conn_is_open(&conns[i]) && &conns[i] != conn) {
            pair_need(ioctl(conns[i].watch.fd, FIONREAD, &left) == 0, "FIONREAD");
            left_in_sockets += left;
        }
    }
    if (takes) {
        (void) !weir_conn_recv(conn, room, sizeof(room), &n);
    }
    if (closes_next) {
        for (int i = 0; i < 2; i++) {
            if (&conns[i] != conn) {
                weir_conn_close(&conns[i]);
            }
        }
    }
}

static void
open_pairs(int count)
{
    for (int i = 0; i < count; i++) {
        int fds[2];

        pair_unix(fds);
        peers[i] = fds[1];
        pair_need(weir_conn_open(&conns[i], loop, fds[0], on_ready), "weir_conn_open");
    }
    for (int i = 0; i < count; i += 16) {
        weir_loop_turn(loop, MS(100));
    }
    left_in_sockets = n_calls = 0;
    takes = closes_next = false;
}

static void
close_pairs(int count)
{
    for (int i = 0; i < count; i++) {
        weir_conn_close(&conns[i]);
        if (peers[i] >= 0) {
            close(peers[i]);
        }
    }
}

static bool
got(weir_conn_t *conn, size_t cap, const char *text)
{
    weir_io_t io = weir_conn_recv(conn, room, cap, &n);

    return io == WEIR_OK && n == strlen(text) && memcmp(room, text, n) == 0;
}

static void
expect_and_put(const char *first, const char *second)
{
    weir_conn_expect(&conns[0]);
    weir_conn_expect(&conns[1]);
    pair_put(peers[0], first);
    pair_put(peers[1], second);
    weir_loop_turn(loop, MS(100));
}

static void
test_both(void)
{
    open_pairs(2);
    takes = true;
    expect_and_put("one", "second");
    is_int(n_calls, 2, "both are told");
    is_int(left_in_sockets, 0, "when the first handler runs both sockets are empty");
    ok(!conns[0].watch.readable && !conns[1].watch.readable, "and after it a short one is not asked again");
    is_int(conns[0].received + conns[1].received, 9, "all of it is counted once");

    pair_put(peers[0], "one");
    pair_put(peers[1], "second");
    left_in_sockets = 0;
    weir_loop_turn(loop, MS(100));
    ok(left_in_sockets > 0, "who expects nothing more reads for himself");
    close_pairs(2);
}

static void
test_in_pieces(void)
{
    open_pairs(2);
    expect_and_put("abcdef", "ghi");
    ok(weir_loop_holds(loop, &conns[0].watch) && conns[0].watch.readable, "what the handler left is kept");
    pair_put(peers[0], "jkl");
    weir_loop_turn(loop, MS(100));
    ok(got(&conns[0], 2, "ab") && conns[0].watch.readable, "it is taken in pieces");
    ok(!weir_conn_is_quiet(&conns[0]), "with a piece left nothing is quiet");
    ok(got(&conns[0], 4, "cdef"), "to its end");
    ok(!weir_loop_holds(loop, &conns[0].watch), "then the socket is all there is");
    ok(conns[0].watch.readable && got(&conns[0], 8, "jkl"), "and what came behind comes behind");
    ok(got(&conns[1], 8, "ghi") && !conns[1].watch.readable, "the other is its own");
    ok(weir_conn_is_quiet(&conns[1]), "and quiet");
    close_pairs(2);
}

static void
test_ends(void)
{
    struct linger abort = { .l_onoff = 1, .l_linger = 0 };
    int fds[2];

    open_pairs(2);
    weir_conn_expect(&conns[0]);
    weir_conn_expect(&conns[1]);
    close(peers[0]);
    peers[0] = -1;
    pair_put(peers[1], "x");
    weir_loop_turn(loop, MS(100));
    ok(weir_conn_recv(&conns[0], room, 9, &n) == WEIR_EOF && weir_conn_recv(&conns[0], room, 9, &n) == WEIR_EOF,
       "an end is one again and again");
    close_pairs(2);

    open_pairs(2);
    weir_conn_close(&conns[0]);
    close(peers[0]);
    pair_tcp(fds);
    peers[0] = fds[1];
    pair_need(weir_conn_open(&conns[0], loop, fds[0], on_ready), "weir_conn_open");
    weir_loop_turn(loop, MS(100));
    weir_conn_expect(&conns[0]);
    weir_conn_expect(&conns[1]);
    pair_put(peers[1], "x");
    setsockopt(peers[0], SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
    close(peers[0]);
    peers[0] = -1;
    weir_loop_turn(loop, MS(100));
    ok(weir_conn_recv(&conns[0], room, 9, &n) == WEIR_ERROR && conns[0].error == ECONNRESET, "a reset is told as one");
    close_pairs(2);
}

static void
test_long(void)
{
    static const size_t lengths[] = { WEIR_AHEAD_BYTES - 1, WEIR_AHEAD_BYTES, WEIR_AHEAD_BYTES + 1,
                                      3 * WEIR_AHEAD_BYTES };

    for (size_t i = 0; i < weir_countof(lengths); i++) {
        size_t all = 0;
        char  *back = malloc(lengths[i] + 1);

        open_pairs(2);
        weir_conn_expect(&conns[0]);
        pair_need(write(peers[0], sent, lengths[i]) == (ssize_t) lengths[i], "write");
        pair_put(peers[1], "x");
        weir_loop_turn(loop, MS(100));
        while (all <= lengths[i] && weir_conn_recv(&conns[0], back + all, lengths[i] + 1 - all, &n) == WEIR_OK) {
            all += n;
        }
        is_int(all, lengths[i], "all of a long one is there");
        ok(memcmp(back, sent, all) == 0 && !conns[0].watch.readable, "as they were sent, until nothing more is there");
        free(back);
        close_pairs(2);
    }
}

static void
test_closed_by_another(void)
{
    int fds[2], closed;

    open_pairs(2);
    closes_next = true;
    expect_and_put("one", "two");
    is_int(n_calls, 1, "who is closed by the first is not told");
    closes_next = false;
    closed = weir_conn_is_open(&conns[0]) ? 1 : 0;
    close(peers[closed]);
    pair_unix(fds);
    peers[closed] = fds[1];
    pair_need(weir_conn_open(&conns[closed], loop, fds[0], on_ready), "weir_conn_open");
    pair_put(peers[closed], "new");
    weir_loop_turn(loop, MS(100));
    ok(got(&conns[closed], 9, "new"), "the next with its number has none of its bytes");
    close_pairs(2);
}

/* Reads all of what came in so many rounds; false: it is not what was sent. */
static bool
reads(int i, size_t length, size_t rounds)
{
    size_t all = 0;

    while (all < rounds * length && weir_conn_recv(&conns[i], room, 4096, &n) == WEIR_OK) {
        for (size_t at = 0; at < n; at++) {
            if (room[at] != sent[(size_t) i + (all + at) % length]) {
                return false;
            }
        }
        all += n;
    }
    return all == rounds * length;
}

/* More than there is place for, and a fifth of them is not taken before the third turn. */
static void
test_many(void)
{
    static const size_t lengths[] = { 1, 300, 5000 };

    for (size_t l = 0; l < weir_countof(lengths); l++) {
        int bad = 0;

        open_pairs(MANY);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < MANY; i++) {
                weir_conn_expect(&conns[i]);
                pair_need(write(peers[i], sent + i, lengths[l]) == (ssize_t) lengths[l], "write");
            }
            weir_loop_turn(loop, MS(100));
            for (int i = 0; i < MANY; i++) {
                if (i % 5 != 0) {
                    bad += !reads(i, lengths[l], 1);
                } else if (round == 2) {
                    bad += !reads(i, lengths[l], 3);
                }
            }
        }
        is_int(bad, 0, "of many at once everyone has his own bytes, in order, three times");
        close_pairs(MANY);
    }
}

int
main(void)
{
    for (size_t i = 0; i < sizeof(sent); i++) {
        sent[i] = (char) (i * 31 + (i >> 8));
    }
    loop = weir_loop_create(1024);
    pair_need(loop != NULL, "weir_loop_create");
    test_both();
    test_in_pieces();
    test_ends();
    test_long();
    test_closed_by_another();
    test_many();
    is_int(weir_loop_watches(loop), 0, "nothing is left");
    weir_loop_destroy(loop);
    return done();
}
