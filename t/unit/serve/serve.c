#define _GNU_SOURCE 1

/*
 * serve.c - two areas that only write down what they are told get what comes on listening sockets: as many as may be,
 * on the generation that is in use, for a worker that is down, and to the end.
 */
#include "serve/serve.h"

#include "os/clock.h"
#include "os/sys.h"
#include "says.h"
#include "tap.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FAKE_CONNS 16

/* An area's part: what it was told. */
typedef struct {
    weir_serve_t        *serve;
    weir_generation_t   *generation;
    weir_serve_socket_t *sockets[FAKE_CONNS];    /* counted; of the connection at that place */
    int                  fds[FAKE_CONNS];
    size_t               n, n_rooms, busy;
    bool                 has_idle;
    char                 quits[8];               /* a letter each: Last, Idle, Now */
} fake_t;

static fake_t fakes[2];

/* -- two areas -- */

static weir_log_level_t
fake_log_level(const weir_generation_t *generation WEIR_UNUSED)
{
    return WEIR_LOG_EMERG;
}

static void *
fake_begin(fake_t *fake, weir_serve_t *serve)
{
    *fake = (fake_t) { .serve = serve };
    return fake;
}

static void *
fake_create_a(weir_serve_t *serve)
{
    return fake_begin(&fakes[0], serve);
}

static void *
fake_create_b(weir_serve_t *serve)
{
    return fake_begin(&fakes[1], serve);
}

static void
fake_destroy(void *part)
{
    ((fake_t *) part)->serve = NULL;
}

static void
fake_use(void *part, weir_generation_t *generation)
{
    ((fake_t *) part)->generation = generation;
}

static bool
fake_accept(void *part, weir_serve_socket_t *socket, int fd, const weir_addr_t *peer WEIR_UNUSED)
{
    fake_t *fake = part;

    weir_assert(fake->n < FAKE_CONNS);
    fake->sockets[fake->n] = weir_accept_ref(socket);
    fake->fds[fake->n++] = fd;
    return true;
}

/* The first one ends. */
static void
fake_close_first(fake_t *fake)
{
    (void) weir_sys_close(fake->fds[0]);
    weir_accept_unref(fake->sockets[0]);
    fake->n--;
    memmove(fake->fds, fake->fds + 1, fake->n * sizeof(fake->fds[0]));
    memmove(fake->sockets, fake->sockets + 1, fake->n * sizeof(fake->sockets[0]));
    weir_accept_closed(fake->serve);
}

static bool
fake_make_room(void *part)
{
    fake_t *fake = part;

    fake->n_rooms++;
    if (!fake->has_idle) {
        return false;
    }
    fake_close_first(fake);
    return true;
}

static void
fake_quit(void *part, weir_quit_t how)
{
    fake_t *fake = part;
    size_t  n = strlen(fake->quits);

    if (n + 1 < sizeof(fake->quits)) {
        fake->quits[n] = "LIN"[how];
    }
    while (how == WEIR_QUIT_NOW && fake->n != 0) {
        fake_close_first(fake);
    }
}

static size_t
fake_busy(const void *part)
{
    return ((const fake_t *) part)->busy;
}

#define FAKE_AREA(create_it, its_name)                                                                              \
    { .name = its_name, .log_level = fake_log_level, .create = create_it, .destroy = fake_destroy, .use = fake_use, \
      .accept = fake_accept, .make_room = fake_make_room, .quit = fake_quit, .busy = fake_busy }

static const weir_area_t area_a = FAKE_AREA(fake_create_a, "a"), area_b = FAKE_AREA(fake_create_b, "b");
static const weir_area_t *const areas[] = { &area_a, &area_b, NULL };

/* -- generations: each says which area listens on "one" and on "two" -- */

static weir_addr_t
address(size_t i)
{
    weir_addr_t addr;

    weir_assert(weir_addr_from_unix(&addr, weir_str_from_z(tmp_path(i == 0 ? "one" : "two"))));
    return addr;
}

static weir_generation_t *
generation_that_says(const weir_area_t *one, const weir_area_t *two, weir_error_t *error)
{
    weir_addr_t first = address(0), second = address(1);

    if (one != NULL) {
        says_listen(&first, one);
    }
    if (two != NULL) {
        says_listen(&second, two);
    }
    return says_generation(error);
}

/* -- the world -- */

static weir_loop_t  *loop;
static weir_life_t  *life;
static weir_serve_t *serve;

static void
turn(void)
{
    weir_loop_turn(loop, (weir_msec_t) { 0 });
}

/* As long as an address that goes takes who has begun to connect. */
static void
turn_until_left(void)
{
    weir_instant_t since = weir_clock_now();

    while (weir_clock_now().ms - since.ms < 350) {
        weir_loop_turn(loop, (weir_msec_t) { 10 });
    }
}

/* A listening socket on that address: as the master has it. */
static int
listening(size_t i)
{
    weir_addr_t           addr = address(i);
    weir_listen_options_t options = { .backlog = 8 };
    int                   fd;

    (void) unlink(addr.un.sun_path);
    fd = weir_sock_listen(&addr, &options);
    weir_assert(fd >= 0);
    return fd;
}

/* A client that has connected there. */
static int
client(size_t i)
{
    weir_addr_t addr = address(i);
    int         fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    weir_assert(fd >= 0);
    if (connect(fd, &addr.any, addr.len) != 0) {
        (void) close(fd);
        return -1;
    }
    return fd;
}

static void
begin(const weir_area_t *one, const weir_area_t *two, uint32_t max)
{
    weir_error_t       error = { .text = "" };
    weir_generation_t *generation = generation_that_says(one, two, &error);

    weir_assert(generation != NULL);
    life = weir_life_create(loop);
    serve = weir_serve_create(life, areas, generation, max);
    weir_generation_unref(generation);
}

static void
use(const weir_area_t *one, const weir_area_t *two)
{
    weir_error_t       error = { .text = "" };
    weir_generation_t *generation = generation_that_says(one, two, &error);

    weir_assert(generation != NULL);
    weir_serve_use(serve, generation);
    weir_generation_unref(generation);
}

static void
end(void)
{
    weir_serve_stop(serve);
    weir_life_end(life);
    is_int(serve->n_conns, 0, "in the end no connection is left");
    weir_serve_destroy(serve);
    weir_life_destroy(life);
}

static void
listen_on(size_t i)
{
    weir_addr_t addr = address(i);

    weir_assert(weir_accept_listen(serve, &addr, listening(i), true));
}

/* -- tests -- */

static void
test_each_area(void)
{
    weir_addr_t two = address(1);
    int         first, second;

    begin(&area_a, &area_b, 8);
    listen_on(0);
    listen_on(1);
    first = client(0);
    second = client(1);
    turn();
    ok(fakes[0].n == 1 && fakes[1].n == 1, "a connection goes to the area whose address it is");
    ok(fakes[1].sockets[0]->listen->area == &area_b && weir_addr_eq(&fakes[1].sockets[0]->listen->addr, &two),
       "which knows the listener");
    ok(fakes[0].sockets[0]->part == &fakes[0] && weir_serve_part(serve, &area_b) == &fakes[1],
       "and has a part of its own");
    fakes[1].busy = 2;
    is_int(weir_serve_busy(serve), 4, "what an area has under way beside connections counts, too");
    close(first);
    close(second);
    end();
    is_str(weir_str_from_z(fakes[0].quits), "LN", "a process that stops takes the last ones and cuts all");
    ok(fakes[0].serve == NULL && fakes[1].serve == NULL, "parts end with it");
}

static void
test_limit(void)
{
    int fds[4];

    begin(&area_a, &area_b, 2);
    listen_on(0);
    listen_on(1);
    for (size_t i = 0; i < 4; i++) {
        fds[i] = client(i % 2);
    }
    turn();
    turn();
    ok(fakes[0].n + fakes[1].n == 2 && serve->is_paused, "no more are accepted than may be, of all areas together");
    ok(fakes[0].n_rooms == 1 && fakes[1].n_rooms == 1, "each area was asked for an idle one");
    fake_close_first(&fakes[0]);
    ok(!serve->is_paused, "when one ends, accepting goes on");
    turn();
    is_int(fakes[0].n + fakes[1].n, 2, "with one");
    fakes[0].has_idle = fakes[1].has_idle = true;
    fake_close_first(&fakes[1]);
    turn();
    turn();
    ok(fakes[0].n + fakes[1].n == 2 && !serve->is_paused, "an idle connection makes room");
    for (size_t i = 0; i < 4; i++) {
        close(fds[i]);
    }
    end();
}

static void
test_paused_socket(void)
{
    int fd;

    begin(&area_a, &area_b, 8);
    weir_accept_pause(serve);
    listen_on(0);
    fd = client(0);
    turn();
    is_int(fakes[0].n, 0, "a socket that comes while accepting is paused waits with the others");
    serve->n_conns++;
    weir_accept_closed(serve);
    turn();
    is_int(fakes[0].n, 1, "and is accepted on with them");
    close(fd);
    end();
}

/* One socket cannot be watched again, for a while. */
static void
test_paused_by_half(void)
{
    weir_serve_socket_t *first, *last;
    int                  fds[3], lost;

    begin(&area_a, &area_b, 2);
    listen_on(0);
    listen_on(1);
    first = weir_list_entry(serve->sockets.next, weir_serve_socket_t, link);
    last = weir_list_entry(serve->sockets.prev, weir_serve_socket_t, link);
    weir_accept_pause(serve);
    lost = last->paused_fd;
    (void) close(lost);
    serve->n_conns++;
    weir_accept_closed(serve);
    ok(first->watch.fd >= 0 && last->watch.fd < 0 && last->paused_fd == lost && serve->is_paused,
       "accepting goes on where it can, and another look follows");
    for (size_t i = 0; i < 3; i++) {
        fds[i] = client(0);
        turn();
    }
    turn();
    is_int(fakes[0].n, 2, "as many as may be are accepted");
    ok(first->watch.fd < 0 && first->paused_fd >= 0, "then it looks away there, too");
    weir_assert(dup2(listening(1), lost) == lost);
    fake_close_first(&fakes[0]);
    ok(first->watch.fd >= 0 && last->watch.fd == lost && !serve->is_paused, "all are looked at when that is possible");
    turn();
    is_int(fakes[0].n, 2, "who waited is accepted");
    for (size_t i = 0; i < 3; i++) {
        close(fds[i]);
    }
    end();
}

/* What becomes of a socket does not wait for accepting to go on. */
static void
test_paused_changes(void)
{
    weir_addr_t second = address(1);
    int         fds[3];

    begin(&area_a, &area_b, 8);
    listen_on(0);
    listen_on(1);
    fds[0] = client(0);
    fds[1] = client(1);
    weir_accept_pause(serve);
    use(NULL, &area_b);
    turn();
    ok(fakes[0].n == 1 && fakes[0].sockets[0]->is_removed, "what waits on an address that goes is accepted");
    turn_until_left();
    ok(client(0) < 0 && errno == ECONNREFUSED, "and nobody listens there");
    is_int(fakes[1].n, 0, "what stays waits");
    weir_accept_keep(serve, &second, listening(1), 7);
    fds[2] = client(1);
    turn();
    is_int(fakes[1].n, 0, "so does what is taken for a worker that is down");
    weir_accept_keep_end(serve, 7);
    use(NULL, &area_a);
    serve->n_conns++;
    weir_accept_closed(serve);
    turn();
    turn();
    ok(fakes[0].n == 2 && fakes[0].sockets[1]->listen->area == &area_a, "an address that changed its area is that one's");
    serve->is_quitting = true;
    weir_accept_pause(serve);
    serve->n_conns++;
    weir_accept_closed(serve);
    ok(serve->is_paused, "who leaves does not begin again");
    serve->is_quitting = false;
    for (size_t i = 0; i < 3; i++) {
        close(fds[i]);
    }
    end();
}

static void
test_address_goes(void)
{
    weir_addr_t addr = address(0);
    int         fd, late;

    begin(&area_a, &area_b, 8);
    listen_on(0);
    fd = client(0);
    use(NULL, &area_b);
    is_int(fakes[0].n, 1, "what waits on an address that goes is accepted");
    ok(fakes[0].sockets[0]->is_removed && fakes[0].sockets[0]->listen->area == &area_a,
       "on the configuration of before");
    late = client(0);
    turn();
    is_int(fakes[0].n, 2, "so is who comes a moment later");
    turn_until_left();
    ok(client(0) < 0 && errno == ECONNREFUSED, "then nobody listens there");
    ok(!weir_accept_listen(serve, &addr, listening(0), true) && errno == EADDRNOTAVAIL, "nor may");
    ok(fakes[0].generation == serve->generation && fakes[1].generation == serve->generation,
       "areas are given the new configuration");
    close(fd);
    close(late);
    end();
}

/* The master hands the same socket out again when its address is configured again in that moment. */
static void
test_address_comes_back(void)
{
    weir_addr_t addr = address(0);
    int         listener = listening(0), again = dup(listener), other, fd;

    begin(&area_a, &area_b, 8);
    weir_assert(weir_accept_listen(serve, &addr, listener, true));
    use(NULL, &area_b);
    use(&area_a, &area_b);
    weir_assert(weir_accept_listen(serve, &addr, again, true));
    fd = client(0);
    turn();
    ok(fakes[0].n == 1 && !fakes[0].sockets[0]->is_removed && fakes[0].sockets[0]->generation == serve->generation,
       "an address that comes back at once goes on with the same socket");
    use(NULL, &area_b);
    other = client(0);
    use(&area_a, &area_b);
    weir_assert(weir_accept_listen(serve, &addr, listening(0), true));
    turn();
    ok(fakes[0].n == 2 && fakes[0].sockets[1]->is_removed, "one with another socket takes nothing from those of before");
    close(fd);
    close(other);
    end();
}

static void
test_address_stays(void)
{
    weir_serve_socket_t *socket;
    int                  first, second;

    begin(&area_a, &area_b, 8);
    listen_on(0);
    first = client(0);
    turn();
    socket = fakes[0].sockets[0];
    use(&area_a, NULL);
    ok(!socket->is_removed && socket->generation == serve->generation,
       "a socket whose address stays has the new configuration");
    second = client(0);
    turn();
    ok(fakes[0].n == 2 && fakes[0].sockets[1] == socket, "and goes on");
    close(first);
    close(second);
    end();
}

static void
test_address_changes_area(void)
{
    int first, second;

    begin(&area_a, NULL, 8);
    listen_on(0);
    first = client(0);
    turn();
    second = client(0);
    use(&area_b, NULL);
    ok(fakes[0].sockets[0]->is_removed && fakes[0].sockets[0]->listen->area == &area_a,
       "when an address becomes another area's, connections keep the listener that they came by");
    turn();
    ok(fakes[0].n == 1 && fakes[1].n == 1, "what waits there is the other area's, and none is lost");
    close(first);
    close(second);
    end();
}

static void
test_kept(void)
{
    weir_addr_t addr = address(0);
    int         own = listening(0), copy = dup(own), lent, first, second;

    begin(&area_a, &area_b, 8);
    weir_assert(weir_accept_listen(serve, &addr, own, true));
    (void) unlink(addr.un.sun_path);
    lent = listening(0);                         /* of the worker that is down: the same address */
    weir_accept_keep(serve, &addr, dup(lent), 3);
    first = client(0);
    turn();
    ok(fakes[0].n == 1 && !fakes[0].sockets[0]->is_kept, "a connection of a lent socket comes as one of our own");
    weir_accept_keep_end(serve, 2);
    second = client(0);
    turn();
    is_int(fakes[0].n, 2, "a socket is lent for one worker");
    weir_accept_keep_end(serve, 3);
    close(second);
    second = client(0);
    turn();
    ok(fakes[0].n == 2 && second >= 0, "when that one is back, what waits is its own");
    ok(!fakes[0].sockets[0]->is_removed, "and what was accepted meanwhile stays");
    close(first);
    close(second);
    close(lent);
    close(copy);
    end();
}

static void
test_quit(void)
{
    uint64_t taken = 0;
    int      fd, late;

    begin(&area_a, NULL, 8);
    weir_serve_count_taken(serve, &taken);
    listen_on(0);
    fd = client(0);
    turn();
    is_int(taken, 1, "accepted connections are counted where the master looks");
    late = client(0);
    weir_serve_quit(serve, (weir_msec_t) { 1100 });
    ok(fakes[0].n == 2 && strcmp(fakes[0].quits, "L") == 0,
       "a process that leaves takes what waits, and tells areas before");
    weir_serve_quit(serve, (weir_msec_t) { 1 });
    is_str(weir_str_from_z(fakes[0].quits), "L", "once");
    while (strcmp(fakes[0].quits, "LI") != 0) {
        weir_loop_turn(loop, (weir_msec_t) { 5000 });
    }
    is_int(weir_serve_busy(serve), 2, "idle connections go after a while, others stay");
    while (weir_serve_busy(serve) != 0) {
        weir_loop_turn(loop, (weir_msec_t) { 5000 });
    }
    is_str(weir_str_from_z(fakes[0].quits), "LIN", "until they are cut");
    close(fd);
    close(late);
    end();
}

static void
test_said_twice(void)
{
    weir_error_t error = { .text = "" };
    weir_addr_t  addr = address(0);

    says_listen(&addr, &area_b);
    ok(generation_that_says(&area_a, NULL, &error) == NULL && strstr(error.text, "b listens on unix:") == error.text,
       "two areas on one address are an error");
    says_listen(&addr, &area_a);
    begin(&area_a, NULL, 8);
    is_int(weir_listens_of(serve->generation).n, 1, "an address that is said twice is one listener");
    end();
}

int
main(void)
{
    static weir_log_sink_t quiet = { .kind = WEIR_LOG_TO_FILE, .level = WEIR_LOG_EMERG, .fd = 2 };

    weir_log_use(&quiet);
    loop = weir_loop_create(64);
    weir_assert(loop != NULL);
    test_each_area();
    test_limit();
    test_paused_socket();
    test_paused_by_half();
    test_paused_changes();
    test_address_goes();
    test_address_comes_back();
    test_address_stays();
    test_address_changes_area();
    test_kept();
    test_quit();
    test_said_twice();
    turn();
    weir_loop_destroy(loop);
    return done();
}
