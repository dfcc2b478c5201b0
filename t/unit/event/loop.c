/*
 * loop.c - turns: flags of every kind of edge, timers in real time, tasks, hooks, wake-ups, level-triggered watches.
 */
#include "pair.h"

#include "os/clock.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

static weir_loop_t *loop;
static int          calls;

static uint64_t
real_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000 + (uint64_t) t.tv_nsec / 1000000;
}

static void
count_ready(weir_watch_t *watch WEIR_UNUSED)
{
    calls++;
}

/* -- edges -- */

static void
test_edges(void)
{
    weir_watch_t watch;
    int          fds[2];
    char         room[16];

    pair_tcp(fds);
    ok(weir_loop_watch(loop, &watch, fds[1], count_ready), "a socket is watched");
    ok(!watch.readable && !watch.writable && watch.fd == fds[1], "with nothing known of it");
    calls = 0;
    weir_loop_turn(loop, MS(100));
    ok(calls == 1 && watch.writable && !watch.readable && !watch.peer_closed, "the first edge: writable");
    weir_loop_turn(loop, MS(0));
    is_int(calls, 1, "an edge comes once");
    pair_put(fds[0], "hello");
    weir_loop_turn(loop, MS(100));
    ok(calls == 2 && watch.readable && !watch.peer_closed, "data: readable");
    ok(read(fds[1], room, sizeof(room)) == 5, "five bytes");
    watch.readable = false;
    shutdown(fds[0], SHUT_WR);
    weir_loop_turn(loop, MS(100));
    ok(watch.readable && watch.peer_closed && !watch.failed, "the peer's end: readable and peer_closed");
    weir_loop_unwatch(loop, &watch);
    ok(watch.fd == -1 && !watch.readable && !watch.writable, "unwatched: nothing is ready any more");
    close(fds[0]);
    close(fds[1]);

    pair_unix(fds);
    pair_need(weir_loop_watch(loop, &watch, fds[0], count_ready), "watch");
    close(fds[1]);
    weir_loop_turn(loop, MS(100));
    ok(watch.readable && watch.peer_closed, "hang-up: readable and peer_closed");
    weir_loop_unwatch(loop, &watch);
    close(fds[0]);
}

static void
test_refused(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          len = sizeof(addr);
    int                closed = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    weir_watch_t       watch;

    pair_need(bind(closed, (struct sockaddr *) &addr, len) == 0
              && getsockname(closed, (struct sockaddr *) &addr, &len) == 0, "bind");
    (void) !connect(fd, (struct sockaddr *) &addr, len);    /* bound, not listening: refused */
    pair_need(weir_loop_watch(loop, &watch, fd, count_ready), "watch");
    weir_loop_turn(loop, MS(100));
    ok(watch.failed && watch.readable && watch.writable, "a refused connect: failed, readable and writable");
    weir_loop_unwatch(loop, &watch);
    close(fd);
    close(closed);
}

static void
test_refused_watches(void)
{
    weir_watch_t watch;
    int          file = open("/proc/self/exe", O_RDONLY);

    errno = 0;
    ok(!weir_loop_watch(loop, &watch, file, count_ready) && errno == EPERM, "a plain file cannot be watched");
    ok(watch.fd == -1, "and is not");
    ok(!weir_loop_watch(loop, &watch, -1, count_ready) && errno == EBADF, "nor can -1");
    ok(!weir_loop_watch(loop, &watch, 900, count_ready) && errno == EBADF, "nor what is not open");
    is_int(weir_loop_watches(loop), 0, "none of these counts");
    close(file);
}

static void
test_level(void)
{
    weir_watch_t watch;
    int          fds[2];

    for (int exclusive = 0; exclusive < 2; exclusive++) {
        pair_unix(fds);
        ok(weir_loop_watch_level(loop, &watch, fds[0], count_ready, exclusive), "watched by level");
        calls = 0;
        weir_loop_turn(loop, MS(0));
        is_int(calls, 0, "being writable is no matter");
        pair_put(fds[1], "x");
        weir_loop_turn(loop, MS(100));
        weir_loop_turn(loop, MS(100));
        ok(calls == 2 && watch.readable, "told at each turn while it lasts");
        weir_loop_unwatch(loop, &watch);
        weir_loop_turn(loop, MS(0));
        is_int(calls, 2, "until unwatched");
        close(fds[0]);
        close(fds[1]);
    }
}

static void
test_high_numbers(void)
{
    weir_watch_t low, high;
    int          a[2], b[2], number;

    pair_unix(a);
    pair_unix(b);
    pair_need(weir_loop_watch(loop, &low, a[0], count_ready), "watch");
    number = fcntl(b[0], F_DUPFD, 700);
    close(b[0]);
    ok(weir_loop_watch(loop, &high, number, count_ready), "a number far above all before");
    weir_loop_turn(loop, MS(0));
    pair_put(a[1], "x");
    pair_put(b[1], "x");
    weir_loop_turn(loop, MS(100));
    ok(low.readable && high.readable, "both are told of");
    weir_loop_unwatch(loop, &low);
    weir_loop_unwatch(loop, &high);
    close(a[0]);
    close(a[1]);
    close(number);
    close(b[1]);
}

/* -- timers -- */

typedef struct {
    weir_timer_t timer;
    uint64_t     set_at, delay, fired_at;
} alarm_t;

static void
alarm_fired(weir_timer_t *timer)
{
    weir_container_of(timer, alarm_t, timer)->fired_at = real_ms();
    calls++;
}

static void
test_real_timers(void)
{
    static const uint64_t delays[] = { 0, 1, 2, 7, 30, 31, 100, 250, 400, 513, 700 };
    alarm_t               alarms[weir_countof(delays)] = { 0 };
    uint64_t              early = 0, late = 0;
    int                   turns = 0;

    calls = 0;
    weir_clock_update();
    for (size_t i = 0; i < weir_countof(delays); i++) {
        alarms[i].delay = delays[i];
        alarms[i].set_at = weir_clock_now().ms;
        weir_timer_set(loop, &alarms[i].timer, MS(delays[i]), alarm_fired);
    }
    while (calls < (int) weir_countof(delays) && turns < 1000) {
        weir_loop_turn(loop, MS(5000));
        turns++;
    }
    for (size_t i = 0; i < weir_countof(delays); i++) {
        uint64_t took = alarms[i].fired_at - alarms[i].set_at;

        early += took < delays[i];
        late = weir_max(late, took - delays[i]);
    }
    is_int(calls, weir_countof(delays), "each timer fired");
    is_int(early, 0, "none early");
    ok(late < 200, "none late beyond what a busy machine explains");
    printf("# the latest by %llu ms, in %d turns\n", (unsigned long long) late, turns);
    ok(turns < 40, "and the loop slept in between");
}

static void
test_max_wait(void)
{
    alarm_t  alarm = { .delay = 0 };
    uint64_t start = real_ms();

    weir_timer_set(loop, &alarm.timer, MS(3600000), alarm_fired);
    weir_loop_turn(loop, MS(20));
    ok(real_ms() - start >= 19 && real_ms() - start < 2000, "a turn waits no longer than it may");
    weir_timer_set(loop, &alarm.timer, MS(UINT64_MAX), alarm_fired);
    weir_loop_turn(loop, MS(0));
    ok(alarm.timer.deadline.ms == UINT64_MAX && alarm.fired_at == 0, "an endless delay does not wrap");
    weir_timer_drop(&alarm.timer);
}

/* -- tasks and hooks -- */

typedef struct { weir_task_t task; char name; int again; bool is_patient; } job_t;

static char   trail[64];
static size_t trail_len;
static job_t *cancel_me;

static void
job_run(weir_task_t *task)
{
    job_t *job = weir_container_of(task, job_t, task);

    if (trail_len < sizeof(trail)) {
        trail[trail_len++] = job->name;
    }
    calls++;
    if (job->again > 0) {
        job->again--;
        (job->is_patient ? weir_task_post_later : weir_task_post)(loop, task, job_run);
    }
    if (cancel_me != NULL) {
        weir_task_cancel(&cancel_me->task);
        cancel_me = NULL;
    }
}

static void
test_tasks(void)
{
    job_t    a = { .name = 'a', .again = 1 }, b = { .name = 'b' }, c = { .name = 'c' };
    job_t    endless = { .name = 'e', .again = 1000 };
    uint64_t start = real_ms();

    weir_task_post(loop, &a.task, job_run);
    weir_task_post(loop, &b.task, job_run);
    weir_task_post(loop, &a.task, job_run);
    weir_loop_turn(loop, MS(5000));
    is_str(weir_str(trail, trail_len), "aba", "in order, once each; one that posts itself comes after the others");
    ok(real_ms() - start < 2000, "with tasks waiting the turn does not");

    trail_len = 0;
    cancel_me = &b;
    weir_task_post(loop, &a.task, job_run);
    weir_task_post(loop, &b.task, job_run);
    weir_task_post(loop, &c.task, job_run);
    weir_loop_turn(loop, MS(0));
    is_str(weir_str(trail, trail_len), "ac", "a task cancelled by an earlier one does not run");
    weir_task_cancel(&c.task);

    calls = 0;
    start = real_ms();
    weir_task_post(loop, &endless.task, job_run);
    weir_loop_turn(loop, MS(0));
    ok(calls > 1 && calls < 100, "a task that always posts itself does not hold the turn");
    while (endless.again > 0) {
        weir_loop_turn(loop, MS(5000));
    }
    weir_loop_turn(loop, MS(0));
    ok(calls == 1001 && real_ms() - start < 3000, "and goes on in the next turns, which do not wait");
}

static void
test_later(void)
{
    job_t    a = { .name = 'a', .again = 1, .is_patient = true }, b = { .name = 'b' };
    uint64_t start = real_ms();

    trail_len = 0;
    weir_task_post_later(loop, &a.task, job_run);
    weir_task_post(loop, &a.task, job_run);
    weir_loop_turn(loop, MS(5000));
    is_str(weir_str(trail, trail_len), "a", "a task that posts itself for later runs once a turn");
    weir_task_post(loop, &b.task, job_run);
    weir_loop_turn(loop, MS(5000));
    is_str(weir_str(trail, trail_len), "aba", "and in the next behind what is there");
    ok(real_ms() - start < 2000, "which does not wait");
    weir_task_post_later(loop, &b.task, job_run);
    weir_task_cancel(&b.task);
    weir_loop_turn(loop, MS(0));
    ok(trail_len == 3, "one that is cancelled does not run");
}

typedef struct { weir_turn_hook_t hook; int runs; bool once; } turn_t;

static void
turn_run(void *data)
{
    turn_t *turn = data;

    turn->runs++;
    if (turn->once) {
        weir_list_remove(&turn->hook.link);
    }
}

static void
test_hooks(void)
{
    turn_t once = { .once = true }, each = { .once = false };

    weir_loop_on_turn(loop, &once.hook, turn_run, &once);
    weir_loop_on_turn(loop, &each.hook, turn_run, &each);
    weir_loop_turn(loop, MS(0));
    weir_loop_turn(loop, MS(0));
    ok(once.runs == 1 && each.runs == 2, "hooks run at each turn's end until removed");
    weir_list_remove(&each.hook.link);
}

/* -- wake-ups -- */

static weir_wakeup_t wakeup;

static void
woken(void *data)
{
    ++*(int *) data;
}

static void
woken_fini(void *data)
{
    ++*(int *) data;
    weir_wakeup_fini(&wakeup);
}

static void *
send_from_thread(void *data)
{
    usleep(20000);
    weir_wakeup_send(data);
    return NULL;
}

static void
send_from_signal(int signo WEIR_UNUSED)
{
    weir_wakeup_send(&wakeup);
}

static void
test_wakeup(void)
{
    pthread_t        thread;
    int              wakes = 0;
    uint64_t         start = real_ms();
    struct itimerval soon = { .it_value.tv_usec = 20000 };

    ok(weir_wakeup_init(&wakeup, loop, woken, &wakes), "a wake-up is made");
    weir_loop_turn(loop, MS(0));
    is_int(wakes, 0, "and is quiet");
    pair_need(pthread_create(&thread, NULL, send_from_thread, &wakeup) == 0, "pthread_create");
    weir_loop_turn(loop, MS(5000));
    pthread_join(thread, NULL);
    ok(wakes == 1 && real_ms() - start < 3000, "a thread wakes the loop");

    weir_wakeup_send(&wakeup);
    weir_wakeup_send(&wakeup);
    weir_loop_turn(loop, MS(100));
    weir_loop_turn(loop, MS(0));
    is_int(wakes, 2, "two sends before the turn are one wake");

    signal(SIGALRM, send_from_signal);
    setitimer(ITIMER_REAL, &soon, NULL);
    weir_loop_turn(loop, MS(5000));     /* interrupted */
    weir_loop_turn(loop, MS(100));
    ok(wakes == 3 && real_ms() - start < 4000, "a signal handler wakes the loop");

    weir_wakeup_fini(&wakeup);
    weir_wakeup_fini(&wakeup);
    weir_wakeup_send(&wakeup);
    pair_need(weir_wakeup_init(&wakeup, loop, woken_fini, &wakes), "wakeup");
    weir_wakeup_send(&wakeup);
    weir_loop_turn(loop, MS(100));
    ok(wakes == 4 && weir_loop_watches(loop) == 0, "a wake-up may end itself");
}

static void
test_no_descriptors(void)
{
    struct rlimit was, none;
    int           wakes = 0, next = dup(0), before;

    close(next);
    before = pair_open_fds();
    getrlimit(RLIMIT_NOFILE, &was);
    none = was;
    none.rlim_cur = (rlim_t) next;
    setrlimit(RLIMIT_NOFILE, &none);
    errno = 0;
    ok(weir_loop_create(16) == NULL && errno == EMFILE, "out of descriptors no loop is made");
    errno = 0;
    ok(!weir_wakeup_init(&wakeup, loop, woken, &wakes) && errno == EMFILE, "nor a wake-up");
    weir_wakeup_fini(&wakeup);
    setrlimit(RLIMIT_NOFILE, &was);
    is_int(pair_open_fds(), before, "and nothing is left of them");
}

static void
test_what_is_left(void)
{
    alarm_t alarm = { .delay = 0 };
    job_t   job = { .name = 'j' };
    turn_t  turn = { .runs = 0 };

    weir_timer_set(loop, &alarm.timer, MS(10), alarm_fired);
    weir_task_post(loop, &job.task, job_run);
    weir_loop_on_turn(loop, &turn.hook, turn_run, &turn);
    calls = 0;
    weir_loop_destroy(loop);
    weir_timer_drop(&alarm.timer);
    weir_task_cancel(&job.task);
    weir_list_remove(&turn.hook.link);
    ok(calls == 0 && turn.runs == 0, "the loop's end runs nothing and leaves no link into its memory");
    weir_loop_destroy(NULL);
}

int
main(void)
{
    int before = pair_open_fds();

    weir_loop_destroy(weir_loop_create(0));
    loop = weir_loop_create(16);
    ok(loop != NULL && weir_clock_now().ms != 0, "a loop is made and knows the time");
    test_edges();
    test_refused();
    test_refused_watches();
    test_level();
    test_high_numbers();
    test_real_timers();
    test_max_wait();
    test_tasks();
    test_later();
    test_hooks();
    test_wakeup();
    test_no_descriptors();
    test_what_is_left();
    is_int(pair_open_fds(), before, "no descriptor is left open");
    return done();
}
