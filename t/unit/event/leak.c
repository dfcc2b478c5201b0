/*
 * leak.c - thousands of connections that come, talk and go in every manner leave no watch and no descriptor behind.
 */
#include "pair.h"

#define CONNS  64
#define ROUNDS 4000

typedef struct {
    weir_conn_t  conn;
    weir_timer_t timer;
    weir_task_t  task;
    int          peer;      /* -1: closed */
} guest_t;

static weir_loop_t *loop;
static guest_t     *guests[CONNS];
static uint64_t     rng = 2463534242u, model, opened, ended_by_timer, ended_by_task, ended_by_event;
static bool         wrong;

static uint64_t
pick(uint64_t n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng % n;
}

static void
guest_end(guest_t *guest)
{
    for (size_t i = 0; i < CONNS; i++) {
        if (guests[i] == guest) {
            guests[i] = NULL;
        }
    }
    weir_timer_drop(&guest->timer);
    weir_task_cancel(&guest->task);
    weir_conn_close(&guest->conn);
    if (guest->peer >= 0) {
        close(guest->peer);
    }
    free(guest);
    model--;
    wrong |= weir_loop_watches(loop) != model;
}

static void
guest_timeout(weir_timer_t *timer)
{
    ended_by_timer++;
    guest_end(weir_container_of(timer, guest_t, timer));
}

static void
guest_task(weir_task_t *task)
{
    ended_by_task++;
    guest_end(weir_container_of(task, guest_t, task));
}

static void guest_open(size_t i);

/* Reads; at the end goes.  Now and then takes others with it, and lets new ones in under their numbers. */
static void
guest_ready(weir_watch_t *watch)
{
    guest_t  *guest = weir_container_of(weir_container_of(watch, weir_conn_t, watch), guest_t, conn);
    char      room[64];
    size_t    got, i = pick(CONNS);
    weir_io_t io;

    while ((io = weir_conn_recv(&guest->conn, room, sizeof(room), &got)) == WEIR_OK) {
        weir_timer_set(loop, &guest->timer, MS(pick(30)), guest_timeout);
    }
    if (pick(6) == 0 && guests[i] != NULL && guests[i] != guest) {
        guest_end(guests[i]);
        guest_open(i);
    }
    if (io == WEIR_EOF || io == WEIR_ERROR) {
        if (pick(2) == 0) {
            weir_task_post(loop, &guest->task, guest_task);
        } else {
            ended_by_event++;
            guest_end(guest);
        }
    }
}

static void
guest_open(size_t i)
{
    guest_t *guest = calloc(1, sizeof(*guest));
    int      fds[2];

    if (pick(10) == 0) {
        pair_tcp(fds);
    } else {
        pair_unix(fds);
    }
    guest->peer = fds[1];
    pair_need(weir_conn_open(&guest->conn, loop, fds[0], guest_ready), "weir_conn_open");
    guests[i] = guest;
    model++;
    opened++;
    wrong |= weir_loop_watches(loop) != model;
}

static void
play(void)
{
    size_t   i = pick(CONNS);
    guest_t *guest = guests[i];

    if (guest == NULL) {
        guest_open(i);
        return;
    }
    switch (guest->peer < 0 ? 9 : pick(6)) {
    case 0:
        close(guest->peer);
        guest->peer = -1;
        break;
    case 1:
        shutdown(guest->peer, SHUT_WR);
        break;
    case 2:
        guest_end(guest);
        break;
    case 3:
    case 4:
        (void) !send(guest->peer, "some bytes", 10, MSG_NOSIGNAL);
        break;
    default:
        break;
    }
}

static void
test_refused_ones(void)
{
    weir_conn_t conn;
    int         refused = 0;

    for (int i = 0; i < 100; i++) {
        refused += !weir_conn_open(&conn, loop, open("/proc/self/exe", O_RDONLY), guest_ready);
        weir_conn_close(&conn);
    }
    is_int(refused, 100, "what cannot be watched is refused each time");
}

int
main(void)
{
    int before = pair_open_fds(), with_loop;

    loop = weir_loop_create(32);
    pair_need(loop != NULL, "weir_loop_create");
    with_loop = pair_open_fds();
    test_refused_ones();
    is_int(pair_open_fds(), with_loop, "and leaves nothing open");

    for (int i = 0; i < ROUNDS; i++) {
        for (uint64_t n = pick(20); n > 0; n--) {
            play();
        }
        weir_loop_turn(loop, MS(pick(50) == 0 ? 1 : 0));
    }
    ok(!wrong, "at each opening and closing the loop counted right");
    ok(opened > 1000 && ended_by_event > 100 && ended_by_task > 100 && ended_by_timer > 10,
       "all manners of going were seen");
    printf("# %llu opened; ended by event %llu, by task %llu, by timer %llu\n", (unsigned long long) opened,
           (unsigned long long) ended_by_event, (unsigned long long) ended_by_task,
           (unsigned long long) ended_by_timer);

    for (size_t i = 0; i < CONNS; i++) {
        if (guests[i] != NULL) {
            guest_end(guests[i]);
        }
    }
    is_int(weir_loop_watches(loop), 0, "when all have gone no watch is left");
    is_int(pair_open_fds(), with_loop, "nor a descriptor");
    weir_loop_destroy(loop);
    is_int(pair_open_fds(), before, "nor one of the loop's");
    return done();
}
