/*
 * Modules begin and adopt in their order, retire and end in the reverse of it; a tick follows work, and an idle process
 * is not woken.
 *
 * Time is the test's own: the monotonic clock is moved by hand.
 */
#define _GNU_SOURCE 1

#include "conf/life.h"

#include "tap.h"

#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t skew_ms;

int
clock_gettime(clockid_t id, struct timespec *t)
{
    long rc = syscall(SYS_clock_gettime, id, t);

    if (rc == 0 && id == CLOCK_MONOTONIC) {
        t->tv_sec += (time_t) (skew_ms / 1000);
    }
    return (int) rc;
}

static char calls[512];
static bool fails, again;
static unsigned ticks;

static void
say(const char *what)
{
    (void) strcat(strcat(calls, calls[0] ? " " : ""), what);
}

static bool first_begin(weir_life_t *life) { life->kept[0] = calls; say("+1"); return true; }
static void first_adopt(weir_life_t *life, weir_generation_t *g) { (void) life; (void) g; say("a1"); }
static void first_retire(weir_life_t *life, weir_generation_t *g) { (void) life; (void) g; say("r1"); }
static void first_end(weir_life_t *life) { say(life->kept[0] == calls ? "-1" : "lost"); }
static bool second_begin(weir_life_t *life) { (void) life; say("+2"); return !fails; }
static void second_adopt(weir_life_t *life, weir_generation_t *g) { (void) life; (void) g; say("a2"); }
static void second_retire(weir_life_t *life, weir_generation_t *g) { (void) life; (void) g; say("r2"); }
static void second_end(weir_life_t *life) { (void) life; say("-2"); }
static bool second_tick(weir_life_t *life) { (void) life; ticks++; return again; }

static const struct weir_module_life first_life = { .begin = first_begin, .adopt = first_adopt, .retire = first_retire,
                                                    .end = first_end };
static const struct weir_module_life second_life = { .begin = second_begin, .adopt = second_adopt,
                                                     .retire = second_retire, .tick = second_tick, .end = second_end };
static const weir_module_t first = { .name = "first", .life = &first_life }, none = { .name = "none" },
    second = { .name = "second", .life = &second_life };
static const weir_module_t *const modules[] = { &first, &none, &second, NULL };

static weir_loop_t *loop;

/* A turn that nothing waits for, a second and more later. */
static void
turn(void)
{
    skew_ms += 2000;
    weir_loop_turn(loop, (weir_msec_t) { 0 });
}

static bool
is_called(const char *want)
{
    bool same = strcmp(calls, want) == 0;

    if (!same) {
        printf("# calls: %s\n", calls);
    }
    calls[0] = '\0';
    return same;
}

static void
test_ticks(void)
{
    turn();
    is_int(ticks, 0, "no tick before there was a turn");
    turn();
    is_int(ticks, 1, "one behind it");
    is_int(weir_loop_watches(loop), 0, "the process is idle");
    turn();                                     /* of something else: the next tick is due a second after it */
    turn();
    is_int(ticks, 2, "one more behind the next turn");
    again = true;
    turn();
    turn();
    is_int(ticks, 3, "a module that wants another");
    turn();
    is_int(ticks, 4, "… gets it without a turn between");
    again = false;
    turn();
    is_int(ticks, 5, "… until it wants no more");
}

int
main(void)
{
    weir_life_t *life;

    weir_modules_in_use = modules;
    loop = weir_loop_create(16);
    life = weir_life_create(loop);
    ok(life != NULL && is_called("+1 +2"), "modules begin in their order");
    weir_life_adopt(life, NULL);
    ok(is_called("a1 a2"), "they adopt in it");
    test_ticks();
    weir_life_retire(life, NULL);
    ok(is_called("r2 r1"), "they retire in the reverse");
    weir_life_end(life);
    ok(is_called("-2 -1"), "and end so");
    weir_life_destroy(life);
    fails = true;
    ok(weir_life_create(loop) == NULL && is_called("+1 +2 -1"), "one that cannot begin: those before it end");
    weir_life_destroy(NULL);
    weir_loop_destroy(loop);
    return done();
}
