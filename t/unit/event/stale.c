/*
 * stale.c - an event never reaches a watch that went in the same turn, nor whoever got its descriptor's number or its
 * memory.
 */
#include "pair.h"

typedef struct stale stale_t;
struct stale {
    weir_watch_t watch;
    int          peer;          /* the other end */
    int          calls;
    void       (*act)(stale_t *self);
};

static weir_loop_t *loop;
static stale_t     *one, *two;  /* each acts on the other when it is called first */
static int          turn_calls;

static void
on_ready(weir_watch_t *watch)
{
    stale_t *self = weir_container_of(watch, stale_t, watch);

    self->calls++;
    turn_calls++;
    if (self->act != NULL) {
        self->act(self);
    }
}

static void
watch_pair(stale_t *s, int fds[2], void (*act)(stale_t *self))
{
    s->peer = fds[1];
    s->calls = 0;
    s->act = act;
    pair_need(weir_loop_watch(loop, &s->watch, fds[0], on_ready), "watch");
}

static stale_t *
stale_new(void (*act)(stale_t *self))
{
    stale_t *s = calloc(1, sizeof(*s));
    int      fds[2];

    pair_unix(fds);
    watch_pair(s, fds, act);
    return s;
}

static void
stale_close(stale_t *s)
{
    int fd = s->watch.fd;

    weir_loop_unwatch(loop, &s->watch);
    if (fd >= 0) {
        close(fd);
        close(s->peer);
    }
}

static stale_t *
other(stale_t *s)
{
    return s == one ? two : one;
}

/* Both become ready at once; whichever is called first acts. */
static void
both_ready(void (*act)(stale_t *self))
{
    one = stale_new(NULL);
    two = stale_new(NULL);
    weir_loop_turn(loop, MS(0));        /* "writable" */
    one->act = two->act = act;
    one->calls = two->calls = turn_calls = 0;
    pair_put(one->peer, "x");
    pair_put(two->peer, "x");
    weir_loop_turn(loop, MS(1000));
}

static void
act_close_other(stale_t *self)
{
    stale_close(other(self));
}

static void
test_closed_by_another(void)
{
    both_ready(act_close_other);
    is_int(turn_calls, 1, "a watch closed earlier in the turn is not called");
    is_int(weir_loop_watches(loop), 1, "one is left");
    stale_close(one);
    stale_close(two);
    free(one);
    free(two);
}

static void
act_free_other(stale_t *self)
{
    stale_t **gone = self == one ? &two : &one;

    stale_close(*gone);
    free(*gone);
    *gone = NULL;
}

static void
test_freed_by_another(void)
{
    stale_t *left;

    both_ready(act_free_other);
    is_int(turn_calls, 1, "nor touched when its memory has gone");
    left = one != NULL ? one : two;
    stale_close(left);
    free(left);
}

static stale_t newcomer;

/* The other's number goes to a new pair, with a watch of its own. */
static void
act_reuse_number(stale_t *self)
{
    int number = other(self)->watch.fd, fds[2];

    stale_close(other(self));
    pair_unix(fds);
    if (fds[0] != number) {
        pair_need(fds[1] != number && dup2(fds[0], number) == number, "dup2");
        close(fds[0]);
        fds[0] = number;
    }
    watch_pair(&newcomer, fds, NULL);
}

static void
test_number_reused(void)
{
    both_ready(act_reuse_number);
    is_int(turn_calls, 1, "the next user of the number does not get the event");
    ok(newcomer.calls == 0 && !newcomer.watch.readable, "its flags are untouched");
    weir_loop_turn(loop, MS(0));
    ok(newcomer.calls == 1 && newcomer.watch.writable && !newcomer.watch.readable, "its own comes in the next turn");
    stale_close(&newcomer);
    stale_close(one);
    stale_close(two);
    free(one);
    free(two);
}

/* The other's watch itself serves a new pair (and most likely the same number). */
static void
act_reuse_memory(stale_t *self)
{
    int fds[2];

    stale_close(other(self));
    pair_unix(fds);
    watch_pair(other(self), fds, NULL);
}

static void
test_memory_reused(void)
{
    stale_t *renewed;

    both_ready(act_reuse_memory);
    is_int(turn_calls, 1, "a watch used again for another descriptor does not get the old event");
    renewed = one->act == NULL ? one : two;
    ok(renewed->calls == 0 && !renewed->watch.readable, "its flags are untouched");
    weir_loop_turn(loop, MS(0));
    ok(renewed->calls == 1 && !renewed->watch.readable, "its own comes in the next turn");
    stale_close(one);
    stale_close(two);
    free(one);
    free(two);
}

static void
act_again_same(stale_t *self)
{
    stale_t *s = other(self);
    int      fd = s->watch.fd;

    s->act = NULL;
    weir_loop_unwatch(loop, &s->watch);
    pair_need(weir_loop_watch(loop, &s->watch, fd, on_ready), "watch again");
}

static void
test_same_watched_again(void)
{
    stale_t *again;

    both_ready(act_again_same);
    is_int(turn_calls, 1, "unwatched and watched again: the old event is dropped");
    weir_loop_turn(loop, MS(0));
    again = one->act == NULL ? one : two;
    ok(again->calls == 1 && again->watch.readable, "and what is there is told anew");
    stale_close(one);
    stale_close(two);
    free(one);
    free(two);
}

static void
act_free_self(stale_t *self)
{
    stale_close(self);
    if (self == one) {
        one = NULL;
    } else {
        two = NULL;
    }
    free(self);
}

static void
test_frees_itself(void)
{
    both_ready(act_free_self);
    ok(turn_calls == 2 && one == NULL && two == NULL, "a watch may free itself");
    is_int(weir_loop_watches(loop), 0, "none is left");
}

/* The descriptor lives on elsewhere, so the kernel goes on telling of it after forget and close. */
static void
test_forgotten_but_shared(void)
{
    stale_t *s = stale_new(NULL);
    int      fd = s->watch.fd, copy = dup(fd), peer = s->peer;

    weir_loop_turn(loop, MS(0));
    turn_calls = 0;
    weir_loop_forget(loop, &s->watch);
    close(fd);
    free(s);
    pair_put(peer, "x");
    weir_loop_turn(loop, MS(0));
    is_int(turn_calls, 0, "events of a forgotten descriptor that lives on find nobody");
    close(copy);
    close(peer);
}

int
main(void)
{
    weir_watch_t zeroed;
    int          before = pair_open_fds();

    loop = weir_loop_create(64);
    pair_need(loop != NULL, "weir_loop_create");
    test_closed_by_another();
    test_freed_by_another();
    test_number_reused();
    test_memory_reused();
    test_same_watched_again();
    test_frees_itself();
    test_forgotten_but_shared();

    memset(&zeroed, 0, sizeof(zeroed));
    weir_loop_unwatch(loop, &zeroed);
    weir_loop_unwatch(loop, &zeroed);
    is_int(weir_loop_watches(loop), 0, "unwatching what was never watched is harmless");
    weir_loop_destroy(loop);
    is_int(pair_open_fds(), before, "no descriptor is left open");
    return done();
}
