/*
 * wake.c - one process wakes another: posts become one, whoever is killed while it posts loses nobody's wake-up, and a
 * new owner of a  box begins with an empty one.
 */
#define _GNU_SOURCE 1

#include <signal.h>
#include <stdint.h>
#include <unistd.h>

static unsigned kill_before;                 /* the n-th step; 0: none */

#define WEIR_WAKE_BEFORE_STEP() ((kill_before != 0 && --kill_before == 0) ? (void) kill(getpid(), SIGKILL) : (void) 0)

#include "event/wake.c"

#include "pair.h"

#include <sys/mman.h>
#include <sys/wait.h>

#define MINE  3
#define OTHER 4

static char        *memory;
static weir_loop_t *loop;

typedef struct { weir_wake_listener_t listener; unsigned calls; uint64_t which; bool forgets; } ear_t;

static void
heard(weir_wake_listener_t *listener, uint64_t which)
{
    ear_t *ear = weir_container_of(listener, ear_t, listener);

    ear->calls++;
    ear->which |= which;
    if (ear->forgets) {
        weir_wake_forget(listener);
    }
}

/* In a process of its own, which has all that we have. */
static void
in_child(void (*run)(void), bool is_killed)
{
    int   status = -1;
    pid_t pid = fork();

    pair_need(pid >= 0, "fork");
    if (pid == 0) {
        wake.mine = WAKE_NOBODY;
        run();
        _exit(0);
    }
    pair_need(waitpid(pid, &status, 0) == pid, "waitpid");
    pair_need(is_killed ? WIFSIGNALED(status) : status == 0, "a child that ends as it should");
}

static void
turn(void)
{
    weir_loop_turn(loop, MS(0));
}

static void
post_one(void)
{
    weir_wake_post(MINE, WEIR_WAKE_ENTRY, 1);
}

static void
post_many(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        weir_wake_post(MINE, WEIR_WAKE_ENTRY, weir_wake_of(i * 7));
    }
}

static void
post_all(void)
{
    weir_wake_post_all(WEIR_WAKE_ENTRY, 8);
}

static void
test_waking(void)
{
    ear_t ear = { .calls = 0 }, other = { .calls = 0 }, deaf = { .calls = 0 };

    turn();
    weir_wake_listen(&ear.listener, WEIR_WAKE_ENTRY, heard);
    weir_wake_listen(&other.listener, WEIR_WAKE_ENTRY, heard);
    weir_wake_listen(&deaf.listener, (weir_wake_topic_t) 5, heard);
    in_child(post_one, false);
    turn();
    ok(ear.calls == 1 && ear.which == 1 && other.calls == 1 && deaf.calls == 0,
       "who listens to the topic is told, once, and nobody else");
    turn();
    is_int(ear.calls, 1, "and not in the next turn");
    in_child(post_many, false);
    turn();
    ok(ear.calls == 2 && ear.which == UINT64_MAX, "a thousand posts are one, of all that they said");
    in_child(post_all, false);
    turn();
    is_int(ear.calls, 3, "what goes to all comes to this one, too");
    ear.forgets = true;
    in_child(post_one, false);
    turn();
    in_child(post_one, false);
    turn();
    ok(ear.calls == 4 && other.calls == 5, "who forgets its listener hears no more");
    weir_wake_post_all(WEIR_WAKE_ENTRY, 1);
    turn();
    is_int(other.calls, 5, "what we post to all does not come back");
    weir_wake_post(MINE, WEIR_WAKE_ENTRY, 1);
    turn();
    is_int(other.calls, 6, "though one may wake oneself");
    weir_wake_post(OTHER, WEIR_WAKE_ENTRY, 1);
    ok(wake_is_empty(&wake.boxes[OTHER]), "nothing is posted to a box that nobody has");
    weir_wake_forget(&other.listener);
    weir_wake_forget(&deaf.listener);
}

static void
killed_first(void)
{
    kill_before = 1;
    post_one();
}

static void
killed_between(void)
{
    kill_before = 2;
    post_one();
}

static void
test_killed(void)
{
    ear_t ear = { .calls = 0 };

    weir_wake_listen(&ear.listener, WEIR_WAKE_ENTRY, heard);
    in_child(killed_first, true);
    weir_wake_fold(memory, WEIR_WAKE_BYTES, OTHER);
    turn();
    is_int(ear.calls, 0, "who is killed before it posts has not posted");
    in_child(killed_between, true);
    turn();
    is_int(ear.calls, 0, "who is killed before it rings wakes nobody");
    in_child(post_one, false);
    turn();
    is_int(ear.calls, 0, "nor do others, who find that there is something already");
    weir_wake_fold(memory, WEIR_WAKE_BYTES, OTHER);
    turn();
    ok(ear.calls == 1 && ear.which == 1, "but when the master settles that death, it rings");
    in_child(post_one, false);
    turn();
    is_int(ear.calls, 2, "and all is as it was");
    weir_wake_forget(&ear.listener);
}

static void
test_a_new_owner(void)
{
    ear_t ear = { .calls = 0 };

    weir_wake_post(MINE, WEIR_WAKE_ENTRY, 2);
    weir_wake_end();
    weir_wake_end();
    in_child(post_one, false);
    pair_need(weir_wake_begin(loop, MINE), "begin");
    weir_wake_listen(&ear.listener, WEIR_WAKE_ENTRY, heard);
    turn();
    is_int(ear.calls, 0, "what was posted to an owner before is not ours");
    in_child(post_one, false);
    turn();
    is_int(ear.calls, 1, "what is posted to us is");
    weir_wake_fold(memory, WEIR_WAKE_BYTES, MINE);
    in_child(post_one, false);
    turn();
    is_int(ear.calls, 1, "a box whose owner is said to be dead gets nothing");
    weir_wake_fold(memory, 17, MINE);
    weir_wake_fold(memory, WEIR_WAKE_BYTES, 1000);
    weir_wake_forget(&ear.listener);
    weir_wake_end();
}

/* -- two that wake each other for a while, others post and are killed -- */

#define ROUNDS 20000

static uint64_t *counter;                    /* whose turn it is: even ours, odd the other's */

static void
play(weir_wake_listener_t *listener WEIR_UNUSED, uint64_t which WEIR_UNUSED)
{
    uint64_t mine = wake.mine == OTHER, at = __atomic_load_n(counter, __ATOMIC_ACQUIRE);

    if (at % 2 == mine && at < ROUNDS) {
        __atomic_store_n(counter, at + 1, __ATOMIC_RELEASE);
        weir_wake_post(mine ? MINE : OTHER, WEIR_WAKE_ENTRY, 1);
    }
}

static void
play_here(uint32_t box)
{
    weir_wake_listener_t listener = { .which = 0 };
    time_t               end = time(NULL) + 30;

    pair_need(weir_wake_begin(loop, box), "begin");
    weir_wake_listen(&listener, WEIR_WAKE_ENTRY, play);
    if (box == MINE) {
        while (!wake_is_there(&wake.boxes[OTHER]) && time(NULL) < end) {
            (void) usleep(1000);
        }
        play(&listener, 1);
    }
    while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) < ROUNDS && time(NULL) < end) {
        weir_loop_turn(loop, MS(1000));
    }
    weir_wake_end();
}

static void
test_to_and_fro(void)
{
    int   status = -1;
    pid_t pid = fork();

    pair_need(pid >= 0, "fork");
    if (pid == 0) {
        weir_loop_destroy(loop);
        loop = weir_loop_create(16);
        play_here(OTHER);
        _exit(0);
    }
    play_here(MINE);
    (void) waitpid(pid, &status, 0);
    ok(*counter == ROUNDS && status == 0, "of twenty thousand wake-ups none is lost");
}

/* Bells are shared when there are more workers than bells: who shares ours is not told of what is ours. */
static void
test_a_shared_bell(void)
{
    ear_t ear = { .calls = 0 };

    pair_need(weir_wake_begin(loop, MINE), "begin");
    weir_wake_listen(&ear.listener, WEIR_WAKE_ENTRY, heard);
    __atomic_store_n(&wake.boxes[MINE + WEIR_WAKE_BELLS].is_there, 1, __ATOMIC_RELEASE);
    weir_wake_post(MINE + WEIR_WAKE_BELLS, WEIR_WAKE_ENTRY, 1);
    turn();
    is_int(ear.calls, 0, "who shares a bell looks in vain");
    weir_wake_end();
}

static void
keep_bell(void *data, int fd)
{
    int **next = data;

    *(*next)++ = dup(fd);
}

static void
test_handing_on(void)
{
    int   bells[WEIR_WAKE_BELLS + 1], *next = bells, fds = pair_open_fds();
    ear_t ear = { .calls = 0 };

    weir_wake_each_bell(keep_bell, &next);
    is_int(next - bells, WEIR_WAKE_BELLS, "all bells are handed on");
    pair_need(weir_wake_begin(loop, MINE), "begin");
    weir_wake_listen(&ear.listener, WEIR_WAKE_ENTRY, heard);
    turn();
    wake_empty(&wake.boxes[MINE]);
    {
        const uint64_t one = 1;

        (void) __atomic_fetch_or(&wake.boxes[MINE].topics[0], 4, __ATOMIC_ACQ_REL);
        pair_need(write(bells[MINE], &one, sizeof(one)) == sizeof(one), "write");
    }
    turn();
    ok(ear.calls == 1 && ear.which == 4, "and are the same in the program that takes over");
    weir_wake_close();
    is_int(pair_open_fds(), fds, "closed are only one's own");
    for (unsigned i = 0; i < WEIR_WAKE_BELLS; i++) {
        weir_wake_adopt_bell(bells[i]);
    }
    weir_wake_adopt_bell(dup(0));
    ok(weir_wake_open(memory) && wake.bells[MINE] == bells[MINE] && pair_open_fds() == fds,
       "who takes over makes no new ones");
    weir_wake_close();
    weir_wake_post(MINE, WEIR_WAKE_ENTRY, 1);
    ok(wake.boxes == NULL, "without memory a post is nothing");
}

int
main(void)
{
    memory = mmap(NULL, WEIR_WAKE_BYTES + 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pair_need(memory != MAP_FAILED, "mmap");
    counter = (uint64_t *) (void *) (memory + WEIR_WAKE_BYTES);
    loop = weir_loop_create(16);
    pair_need(loop != NULL && weir_wake_open(memory) && weir_wake_begin(loop, MINE), "a box");
    test_waking();
    test_killed();
    test_a_new_owner();
    test_to_and_fro();
    test_a_shared_bell();
    test_handing_on();
    weir_loop_destroy(loop);
    return done();
}
