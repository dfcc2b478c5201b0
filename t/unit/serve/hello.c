/*
 * hello.c - a PROXY header is taken from a connection, and nothing behind it, however it comes; what follows is the
 * area's.  (TLS: t/tls.)
 */
#include "serve/hello.h"

#include "os/sys.h"
#include "tap.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER "PROXY TCP4 192.0.2.1 198.51.100.2 1111 2222\r\n"

static weir_loop_t   *loop;
static weir_conn_t    conn;
static int            client;
static weir_proxied_t told;
static unsigned       n_told, n_secured;
static bool           has_memory = true;
static char           room[WEIR_PROXY_PROTOCOL_MAX];

static bool
area_proxied(void *owner WEIR_UNUSED, const weir_proxied_t *proxied)
{
    n_told++;
    told = *proxied;
    return has_memory;
}

static weir_tls_context_t *
area_secure(void *owner WEIR_UNUSED)
{
    n_secured++;
    return NULL;
}

static const weir_hello_area_t area = { .proxied = area_proxied, .secure = area_secure };

static void
on_ready(weir_watch_t *watch WEIR_UNUSED)
{
}

static void
start(void)
{
    int fds[2];

    weir_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    client = fds[0];
    conn = (weir_conn_t) { .loop = NULL };
    weir_assert(weir_conn_accept(&conn, loop, fds[1], on_ready));
    n_told = n_secured = 0;
}

static void
finish(void)
{
    weir_conn_close(&conn);
    if (client >= 0) {
        (void) close(client);
    }
}

static void
say(const char *bytes, size_t n)
{
    weir_assert(write(client, bytes, n) == (ssize_t) n);
    weir_loop_turn(loop, (weir_msec_t) { 0 });
}

static void
test_nothing(void)
{
    const weir_listen_t listen = { .is_ssl = false };
    weir_hello_t        hello;

    start();
    ok(weir_hello_begin(&hello, &area, NULL, &conn, &listen) == WEIR_HELLO_DONE && hello.stage == WEIR_HELLO_OVER,
       "where a listener asks for nothing, nothing stands before the protocol");
    finish();
}

static void
test_split(void)
{
    static const char   all[] = HEADER "GET";
    const weir_listen_t listen = { .is_proxied = true };
    bool                waits = true, is_done = true, is_left = true;

    for (size_t at = 1; at < sizeof(HEADER) - 1; at++) {
        weir_hello_t hello;
        char         rest[8];
        size_t       got;

        start();
        waits = weir_hello_begin(&hello, &area, NULL, &conn, &listen) == WEIR_HELLO_WAIT && waits;
        say(all, at);
        waits = weir_hello_step(&hello, &listen, room) == WEIR_HELLO_WAIT && n_told == 0 && waits;
        say(&all[at], sizeof(all) - 1 - at);
        is_done = weir_hello_step(&hello, &listen, room) == WEIR_HELLO_DONE && hello.stage == WEIR_HELLO_OVER
                  && n_told == 1 && weir_addr_port(&told.source) == 1111 && is_done;
        is_left = weir_conn_recv(&conn, rest, sizeof(rest), &got) == WEIR_OK && got == 3
                  && memcmp(rest, "GET", 3) == 0 && is_left;
        finish();
    }
    ok(waits, "a header that came in part is waited for");
    ok(is_done, "with its rest it is told, once");
    ok(is_left, "what follows it was not received");
}

static void
test_no_header(void)
{
    const weir_listen_t listen = { .is_proxied = true };
    weir_hello_t        hello;

    start();
    weir_assert(weir_hello_begin(&hello, &area, NULL, &conn, &listen) == WEIR_HELLO_WAIT);
    ok(weir_hello_step(&hello, &listen, room) == WEIR_HELLO_WAIT, "before anything came it waits");
    say("GET / HTTP/1.1\r\n", 16);
    ok(weir_hello_step(&hello, &listen, room) == WEIR_HELLO_NO_PROXY && n_told == 0, "what is no header is refused");
    finish();

    start();
    weir_assert(weir_hello_begin(&hello, &area, NULL, &conn, &listen) == WEIR_HELLO_WAIT);
    say(HEADER, 9);
    weir_assert(weir_hello_step(&hello, &listen, room) == WEIR_HELLO_WAIT);
    (void) close(client);
    client = -1;
    weir_loop_turn(loop, (weir_msec_t) { 0 });
    ok(weir_hello_step(&hello, &listen, room) == WEIR_HELLO_NO_PROXY, "so is one that ends in the middle");
    finish();

    start();
    weir_assert(weir_hello_begin(&hello, &area, NULL, &conn, &listen) == WEIR_HELLO_WAIT);
    (void) close(client);
    client = -1;
    weir_loop_turn(loop, (weir_msec_t) { 0 });
    ok(weir_hello_step(&hello, &listen, room) == WEIR_HELLO_GONE, "a client that says nothing and goes is gone");
    finish();
}

static void
test_no_memory(void)
{
    const weir_listen_t listen = { .is_proxied = true };
    weir_hello_t        hello;

    start();
    weir_assert(weir_hello_begin(&hello, &area, NULL, &conn, &listen) == WEIR_HELLO_WAIT);
    say(HEADER, sizeof(HEADER) - 1);
    has_memory = false;
    ok(weir_hello_step(&hello, &listen, room) == WEIR_HELLO_GONE, "without memory for the header the connection ends");
    has_memory = true;
    finish();
}

static void
test_then_tls(void)
{
    const weir_listen_t both = { .is_proxied = true, .is_ssl = true }, plain = { .is_proxied = true };
    weir_hello_t        hello;

    start();
    weir_assert(weir_hello_begin(&hello, &area, NULL, &conn, &both) == WEIR_HELLO_WAIT && n_secured == 0);
    say(HEADER, sizeof(HEADER) - 1);
    ok(weir_hello_step(&hello, &both, room) == WEIR_HELLO_GONE && n_told == 1 && n_secured == 1,
       "behind the header the area is asked for TLS, and may refuse it");
    finish();

    start();
    weir_assert(weir_hello_begin(&hello, &area, NULL, &conn, &both) == WEIR_HELLO_WAIT);
    say(HEADER, sizeof(HEADER) - 1);
    ok(weir_hello_step(&hello, &plain, room) == WEIR_HELLO_DONE && n_secured == 0,
       "a configuration that came meanwhile says what follows");
    finish();
}

int
main(void)
{
    loop = weir_loop_create(8);
    weir_assert(loop != NULL);
    test_nothing();
    test_split();
    test_no_header();
    test_no_memory();
    test_then_tls();
    weir_loop_destroy(loop);
    return done();
}
