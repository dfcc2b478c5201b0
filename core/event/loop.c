/*
 * loop.c - one turn after another: wait, dispatch what is ready, fire timers, run tasks, run hooks.
 *
 * Runs in every process that waits for something.  An event carries the descriptor's number and the serial number of
 * its registration, never a pointer: the table below turns them into a watch, or into nothing when it has gone.
 * Allocates the loop and that table; a turn makes no system call but epoll_wait and a recv for what is expected, and
 * allocates only what ahead.h says.
 */
#include "event/loop.h"

#include "base/mem.h"
#include "event/ahead.h"
#include "event/wheel.h"
#include "log/log.h"
#include "os/clock.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define LOOP_FIRST_SLOTS 64
#define LOOP_TASK_ROUNDS 8
#define LOOP_EDGES       ((uint32_t) EPOLLIN | (uint32_t) EPOLLRDHUP | (uint32_t) EPOLLET)

typedef struct {
    weir_watch_t *watch;            /* NULL: the descriptor is not watched */
    uint32_t      serial;           /* of its last registration */
    uint16_t      ahead;            /* the entry of what was received ahead; 0: nothing */
    bool          is_expected;
    bool          tells_room;       /* EPOLLOUT is asked for */
} loop_slot_t;

struct weir_loop {
    int                 epoll;
    int                 max_events;
    struct epoll_event *events;
    loop_slot_t        *slots;      /* by descriptor */
    size_t              n_slots, n_watches;
    weir_list_t         tasks, later, hooks;
    uint64_t           *beat;       /* &own_beat, or memory that a watchdog looks at */
    uint64_t            own_beat;
    weir_ahead_t        ahead;
    weir_wheel_t        wheel;
};

weir_loop_t *
weir_loop_create(size_t events_a_turn)
{
    weir_loop_t *loop = weir_mem_try(sizeof(*loop));
    size_t       n = weir_min(weir_max(events_a_turn, 1), 65536);

    if (loop == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memset(loop, 0, offsetof(weir_loop_t, wheel));
    loop->events = weir_mem_try(n * sizeof(*loop->events));
    if (loop->events == NULL) {
        weir_mem_free(loop);
        errno = ENOMEM;
        return NULL;
    }
    loop->epoll = weir_sys_epoll_create();
    if (loop->epoll == -1) {
        int error = errno;

        weir_mem_free(loop->events);
        weir_mem_free(loop);
        errno = error;
        return NULL;
    }

    loop->max_events = (int) n;
    loop->beat = &loop->own_beat;
    loop->own_beat = 1;
    weir_list_init(&loop->tasks);
    weir_list_init(&loop->later);
    weir_list_init(&loop->hooks);
    weir_clock_update();
    weir_wheel_init(&loop->wheel, weir_clock_now());
    return loop;
}

static void
loop_unlink_all(weir_list_t *list)
{
    while (!weir_list_empty(list)) {
        weir_list_remove(list->next);
    }
}

void
weir_loop_destroy(weir_loop_t *loop)
{
    if (loop == NULL) {
        return;
    }
    weir_wheel_fini(&loop->wheel);
    loop_unlink_all(&loop->tasks);
    loop_unlink_all(&loop->later);
    loop_unlink_all(&loop->hooks);
    weir_sys_close(loop->epoll);
    weir_ahead_fini(&loop->ahead);
    weir_mem_free(loop->slots);
    weir_mem_free(loop->events);
    weir_mem_free(loop);
}

/* -- descriptors -- */

static bool
loop_make_room(weir_loop_t *loop, size_t fd)
{
    size_t       n = weir_max(loop->n_slots, LOOP_FIRST_SLOTS);
    loop_slot_t *slots;

    if (weir_likely(fd < loop->n_slots)) {
        return true;
    }
    while (n <= fd) {
        n *= 2;
    }
    slots = weir_mem_try_resize(loop->slots, n * sizeof(*slots));
    if (slots == NULL) {
        errno = ENOMEM;
        return false;
    }
    memset(slots + loop->n_slots, 0, (n - loop->n_slots) * sizeof(*slots));
    loop->slots = slots;
    loop->n_slots = n;
    return true;
}

static uint64_t
loop_event_data(const loop_slot_t *slot, int fd)
{
    return (uint64_t) slot->serial << 32 | (uint32_t) fd;
}

static bool
loop_add(weir_loop_t *loop, weir_watch_t *watch, int fd, void (*on_ready)(weir_watch_t *), uint32_t interest)
{
    loop_slot_t       *slot;
    struct epoll_event event = { .events = interest };

    weir_assert(on_ready != NULL && watch != NULL);
    *watch = (weir_watch_t) { .on_ready = on_ready, .fd = -1 };
    if (fd < 0) {
        errno = EBADF;
        return false;
    }
    if (!loop_make_room(loop, (size_t) fd)) {
        return false;
    }
    slot = &loop->slots[fd];
    weir_assert(slot->watch == NULL);       /* else it was closed behind the loop's back */

    slot->serial++;
    event.data.u64 = loop_event_data(slot, fd);
    if (weir_sys_epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == -1) {
        return false;
    }
    slot->watch = watch;
    slot->is_expected = false;
    slot->tells_room = (interest & (uint32_t) EPOLLOUT) != 0;
    watch->fd = fd;
    loop->n_watches++;
    return true;
}

bool
weir_loop_watch(weir_loop_t *loop, weir_watch_t *watch, int fd, void (*on_ready)(weir_watch_t *))
{
    return loop_add(loop, watch, fd, on_ready, LOOP_EDGES | (uint32_t) EPOLLOUT);
}

bool
weir_loop_watch_open(weir_loop_t *loop, weir_watch_t *watch, int fd, void (*on_ready)(weir_watch_t *))
{
    if (!loop_add(loop, watch, fd, on_ready, LOOP_EDGES)) {
        return false;
    }
    watch->writable = true;
    return true;
}

/* The kernel looks anew when the interest changes: room that came in between is not missed. */
void
weir_loop_no_room(weir_loop_t *loop, weir_watch_t *watch)
{
    loop_slot_t       *slot = &loop->slots[watch->fd];
    struct epoll_event event = { .events = LOOP_EDGES | (uint32_t) EPOLLOUT };

    weir_assert(slot->watch == watch);
    watch->writable = false;
    if (weir_likely(slot->tells_room)) {
        return;
    }
    event.data.u64 = loop_event_data(slot, watch->fd);
    if (weir_sys_epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event) == -1) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "epoll_ctl(MOD, %d) failed", watch->fd);
        return;                              /* the owner's timeout ends it */
    }
    slot->tells_room = true;
}

bool
weir_loop_watch_level(weir_loop_t *loop, weir_watch_t *watch, int fd, void (*on_ready)(weir_watch_t *), bool exclusive)
{
    return loop_add(loop, watch, fd, on_ready, (uint32_t) EPOLLIN | (exclusive ? (uint32_t) EPOLLEXCLUSIVE : 0));
}

/* The descriptor it had, or -1 when it was not watched (a zeroed watch says 0, the table knows better). */
static int
loop_detach(weir_loop_t *loop, weir_watch_t *watch)
{
    int fd = watch->fd;

    watch->fd = -1;
    watch->readable = watch->writable = false;
    if (fd < 0 || (size_t) fd >= loop->n_slots || loop->slots[fd].watch != watch) {
        return -1;
    }
    if (loop->slots[fd].ahead != 0) {
        weir_ahead_drop(&loop->ahead, loop->slots[fd].ahead);
        loop->slots[fd].ahead = 0;
    }
    loop->slots[fd].watch = NULL;
    weir_assert(loop->n_watches > 0);
    loop->n_watches--;
    return fd;
}

void
weir_loop_forget(weir_loop_t *loop, weir_watch_t *watch)
{
    (void) loop_detach(loop, watch);
}

void
weir_loop_unwatch(weir_loop_t *loop, weir_watch_t *watch)
{
    struct epoll_event unused = { .events = 0 };
    int                fd = loop_detach(loop, watch);

    /* If this fails, events may still come: they find no watch. */
    if (fd != -1 && weir_sys_epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, &unused) == -1) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "epoll_ctl(DEL, %d) failed", fd);
    }
}

size_t
weir_loop_watches(const weir_loop_t *loop)
{
    return loop->n_watches;
}

/* The slot of an event that is not stale; else NULL. */
static inline loop_slot_t *
loop_slot_of(weir_loop_t *loop, const struct epoll_event *event)
{
    loop_slot_t *slot = &loop->slots[(uint32_t) event->data.u64];

    return slot->watch != NULL && slot->serial == (uint32_t) (event->data.u64 >> 32) ? slot : NULL;
}

static void
loop_dispatch(weir_loop_t *loop, const struct epoll_event *event)
{
    const loop_slot_t *slot = loop_slot_of(loop, event);
    uint32_t           what = event->events;
    weir_watch_t      *watch;

    if (slot == NULL) {
        return;
    }
    watch = slot->watch;
    watch->failed |= (what & EPOLLERR) != 0;
    watch->peer_closed |= (what & (EPOLLRDHUP | EPOLLHUP)) != 0;
    watch->readable |= (what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    watch->writable |= (what & (EPOLLOUT | EPOLLERR)) != 0;
    watch->on_ready(watch);
}

/* -- receiving -- */

void
weir_loop_expect(weir_loop_t *loop, const weir_watch_t *watch)
{
    if (watch->fd >= 0) {
        loop->slots[watch->fd].is_expected = true;
    }
}

ssize_t
weir_loop_recv(weir_loop_t *loop, const weir_watch_t *watch, char *room, size_t cap, size_t *asked)
{
    loop_slot_t *slot = &loop->slots[watch->fd];

    weir_assert(slot->watch == watch);
    if (slot->ahead != 0) {
        return weir_ahead_take(&loop->ahead, &slot->ahead, room, cap, asked);
    }
    *asked = cap;
    return weir_sys_recv(watch->fd, room, cap, 0);
}

bool
weir_loop_holds(const weir_loop_t *loop, const weir_watch_t *watch)
{
    return watch->fd >= 0 && loop->slots[watch->fd].ahead != 0;
}

/* One event alone gains nothing.  Where something of an earlier turn is left, the event says that more has come behind
 * it. */
static void
loop_receive_ahead(weir_loop_t *loop, int n)
{
    for (int i = 0; i < n; i++) {
        loop_slot_t *slot = loop_slot_of(loop, &loop->events[i]);

        if (slot == NULL) {
            continue;
        }
        __builtin_prefetch(slot->watch);
        if (weir_unlikely(slot->ahead != 0)) {
            weir_assert(slot->ahead <= WEIR_AHEAD_ENTRIES);
            weir_ahead_continues(&loop->ahead, slot->ahead);
        } else if (slot->is_expected && (loop->events[i].events & EPOLLIN) != 0) {
            slot->is_expected = false;
            slot->ahead = n > 1 ? weir_ahead_receive(&loop->ahead, (int) (uint32_t) loop->events[i].data.u64) : 0;
        }
    }
}

/* -- timers -- */

void
weir_timer_set(weir_loop_t *loop, weir_timer_t *timer, weir_msec_t delay, void (*on_fire)(weir_timer_t *))
{
    weir_instant_t deadline = weir_instant_after(weir_clock_now(), delay);

    if (weir_unlikely(deadline.ms < delay.ms)) {
        deadline.ms = UINT64_MAX;
    }
    timer->on_fire = on_fire;
    weir_wheel_set(&loop->wheel, timer, deadline);
}

void
weir_timer_clear(weir_timer_t *timer)
{
    timer->deadline.ms = 0;
}

void
weir_timer_drop(weir_timer_t *timer)
{
    timer->deadline.ms = 0;
    weir_list_remove(&timer->link);
}

/* -- tasks -- */

void
weir_task_post(weir_loop_t *loop, weir_task_t *task, void (*run)(weir_task_t *))
{
    task->run = run;
    if (!weir_list_linked(&task->link)) {
        weir_list_append(&loop->tasks, &task->link);
    }
}

void
weir_task_post_later(weir_loop_t *loop, weir_task_t *task, void (*run)(weir_task_t *))
{
    task->run = run;
    if (!weir_list_linked(&task->link)) {
        weir_list_append(&loop->later, &task->link);
    }
}

/* What was put off in the turn before is for this one's tasks, behind those that are there. */
static void
loop_take_later(weir_loop_t *loop)
{
    while (!weir_list_empty(&loop->later)) {
        weir_list_t *link = loop->later.next;
        weir_assert(link->prev == &loop->later);

        weir_list_remove(link);
        weir_list_append(&loop->tasks, link);
    }
}

void
weir_task_cancel(weir_task_t *task)
{
    weir_list_remove(&task->link);
}

/* A round ends where the list ended when it began: `mark` stands there, so that what tasks post comes after it. */
static void
loop_run_tasks(weir_loop_t *loop)
{
    weir_list_t mark = { NULL, NULL };

    for (int round = 0; round < LOOP_TASK_ROUNDS && !weir_list_empty(&loop->tasks); round++) {
        weir_list_append(&loop->tasks, &mark);
        while (loop->tasks.next != &mark) {
            weir_task_t *task = weir_list_entry(loop->tasks.next, weir_task_t, link);

            weir_list_remove(&task->link);
            task->run(task);
        }
        weir_list_remove(&mark);
    }
}

/* -- the turn -- */

void
weir_loop_on_turn(weir_loop_t *loop, weir_turn_hook_t *hook, void (*run)(void *data), void *data)
{
    weir_assert(run != NULL);
    hook->run = run;
    hook->data = data;
    if (!weir_list_linked(&hook->link)) {
        weir_list_append(&loop->hooks, &hook->link);
    }
}

/*
 * The kernel may be late by a part of a long wait (1/1000, 1/200 for a niced process, at most 100 ms): wait a little
 * less and then once more, so that the timer is exact.
 */
static int
loop_wait_ms(const weir_loop_t *loop, weir_msec_t max_wait)
{
    uint64_t now = weir_clock_now().ms, soonest = loop->wheel.soonest, wait;

    if (!weir_list_empty(&loop->tasks) || !weir_list_empty(&loop->later)) {
        return 0;
    }
    wait = soonest > now ? soonest - now : 0;
    if (wait > 256) {
        wait -= wait >> 7;
    }
    return (int) weir_min(weir_min(wait, max_wait.ms), INT_MAX);
}

void
weir_loop_beat_in(weir_loop_t *loop, uint64_t *beat)
{
    weir_assert(*beat % 2 != 0);     /* odd: it is in a turn until it waits */
    loop->beat = beat;
}

static inline void
loop_beat(weir_loop_t *loop)
{
    __atomic_store_n(loop->beat, *loop->beat + 1, __ATOMIC_RELAXED);
}

void
weir_loop_turn(weir_loop_t *loop, weir_msec_t max_wait)
{
    int n;

    weir_assert(*loop->beat % 2 != 0);     /* no turn begins within a turn */
    loop_beat(loop);
    n = weir_sys_epoll_wait(loop->epoll, loop->events, loop->max_events, loop_wait_ms(loop, max_wait));
    loop_beat(loop);
    if (weir_unlikely(n == -1 && errno != EINTR)) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "epoll_wait() failed");
    }
    weir_clock_update();

    loop_receive_ahead(loop, n);
    for (int i = 0; i < n; i++) {
        loop_dispatch(loop, &loop->events[i]);
    }
    weir_ahead_settle(&loop->ahead);
    weir_wheel_run(&loop->wheel, weir_clock_now());
    loop_take_later(loop);
    loop_run_tasks(loop);

    for (weir_list_t *at = loop->hooks.next, *next; at != &loop->hooks; at = next) {
        weir_turn_hook_t *hook = weir_list_entry(at, weir_turn_hook_t, link);

        next = at->next;
        hook->run(hook->data);
    }
}
