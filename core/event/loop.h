/*
 * loop.h - the event loop of a worker: edge-triggered epoll, lazy timers, deferred tasks.
 *
 * A descriptor is registered once for its life (EPOLLIN|EPOLLOUT|EPOLLRDHUP|EPOLLET); its watch remembers what is
 * ready, and a caller that gets EAGAIN (or a short transfer) clears it.  One that was accepted can be written to from
 * the start: it is registered without EPOLLOUT, which would be an event of no news, until a send finds no room.  One
 * loop a process; nothing here is thread-safe except weir_wakeup_send.  Memory is taken when the loop is made, when a
 * descriptor has a higher number than any before, and for what is received ahead (ahead.h).
 *
 * What may surprise:
 * - After weir_loop_watch both flags are false; the next turn reports what is ready, "writable" for a fresh
 *   connection. A caller that knows better sets a flag by hand: a transfer that finds nothing clears it again.
 * - on_ready may find nothing new (the bytes were read while the event was on its way): look at the flags, not the
 *   call.
 * - on_ready may unwatch, close and free anything, its own watch included, and reuse the descriptor's number or the
 *   memory: an event belongs to one registration and is dropped when that has gone.  So is one of a descriptor that
 *   was duplicated into another process and lives on there.
 * - Time stands still within a turn (weir_clock_now): a delay counts from the turn's start.  A timer with no delay
 *   fires in the next millisecond, not in this turn; what should happen in this turn is a task.
 * - Timers that are due in one turn fire in no particular order.  A timer, task or hook must be zeroed before its
 *   first use, and dropped, cancelled or removed before its memory goes.
 * - Tasks posted by tasks run in the same turn for a few rounds; what is posted after those runs in the next turn,
 *   which does not wait then.
 * - A forked child may only destroy the loop it inherited: unwatching would reach into its parent's.
 */
#ifndef WEIR_EVENT_LOOP_H
#define WEIR_EVENT_LOOP_H

#include "base/list.h"
#include "os/sys.h"

typedef struct weir_loop weir_loop_t;

/* -- descriptors -- */
typedef struct weir_watch weir_watch_t;
struct weir_watch {
    void (*on_ready)(weir_watch_t *watch);  /* called when an edge came; look at the flags */
    int  fd;                                /* -1: not watched */
    bool readable;                          /* recv may find something */
    bool writable;                          /* send may take something */
    bool peer_closed;                       /* EPOLLRDHUP/HUP was seen: after the data comes the end; recv until EOF */
    bool failed;                            /* EPOLLERR was seen */
};

/* fd becomes the watch's in the loop's eyes only: the owner still closes it, after unwatch.  false: errno. */
bool weir_loop_watch(weir_loop_t *loop, weir_watch_t *watch, int fd, void (*on_ready)(weir_watch_t *)) WEIR_MUST_USE;
/* The same for a connection that stands: writable is true at once, and weir_loop_no_room says when it is not. */
bool weir_loop_watch_open(weir_loop_t *loop, weir_watch_t *watch, int fd,
                          void (*on_ready)(weir_watch_t *)) WEIR_MUST_USE;
/* A send on the watch found no room (EAGAIN, or a short one): writable is false until an edge says otherwise. */
void weir_loop_no_room(weir_loop_t *loop, weir_watch_t *watch);
/* Level-triggered, reading only; exclusive wakes one of several processes (EPOLLEXCLUSIVE): for listeners and
 * channels. */
bool weir_loop_watch_level(weir_loop_t *loop, weir_watch_t *watch, int fd, void (*on_ready)(weir_watch_t *),
                           bool exclusive) WEIR_MUST_USE;
/* Forgets it, with events already fetched for it in this turn.  Must come before close().  Safe when not watched. */
void weir_loop_unwatch(weir_loop_t *loop, weir_watch_t *watch);
/* The same without a system call: for a descriptor that is closed right after and that no other process shares. */
void weir_loop_forget(weir_loop_t *loop, weir_watch_t *watch);

/* -- receiving: bytes of what is ready together may be received before the first handler runs -- */
/* The owner waits for a message of some hundred bytes and will take it as soon as it is there.  Good for one edge. */
void weir_loop_expect(weir_loop_t *loop, const weir_watch_t *watch);
/*
 * recv on a watched descriptor that may have been expected: every such recv must be this one.  *asked: how many would
 * have come if there had been so many; fewer: the socket had no more.
 */
ssize_t weir_loop_recv(weir_loop_t *loop, const weir_watch_t *watch, char *room, size_t cap,
                       size_t *asked) WEIR_MUST_USE;
/* Received bytes wait here that were not taken yet: the socket is not all there is. */
bool weir_loop_holds(const weir_loop_t *loop, const weir_watch_t *watch);

/* -- timers: a deadline in the owner, looked at when its place in the wheel comes up; moving one later is a store -- */
typedef struct weir_timer weir_timer_t;
struct weir_timer {
    weir_list_t    link;
    weir_instant_t deadline;                /* 0: not set */
    uint64_t       place;                   /* ms at which it is looked at, while linked */
    void         (*on_fire)(weir_timer_t *timer);
};

void weir_timer_set(weir_loop_t *loop, weir_timer_t *timer, weir_msec_t delay, void (*on_fire)(weir_timer_t *));
void weir_timer_clear(weir_timer_t *timer);  /* lazy: a store; the link is dropped when its place comes up */
void weir_timer_drop(weir_timer_t *timer);   /* at once: before the owner's memory goes */

/* -- tasks: run once at the end of this turn, in order -- */
typedef struct weir_task weir_task_t;
struct weir_task {
    weir_list_t link;
    void      (*run)(weir_task_t *task);
};
/* Posted already (later, too): no second time. */
void weir_task_post(weir_loop_t *loop, weir_task_t *task, void (*run)(weir_task_t *));
/* In the next turn, after what is ready then: for tasks that have had their part of this one.  That turn does not
 * wait. */
void weir_task_post_later(weir_loop_t *loop, weir_task_t *task, void (*run)(weir_task_t *));
void weir_task_cancel(weir_task_t *task);

/* -- wake-up from another thread of this process; several sends before the turn may be one wake -- */
typedef struct { weir_watch_t watch; weir_loop_t *loop; void (*on_wake)(void *data); void *data; } weir_wakeup_t;
bool weir_wakeup_init(weir_wakeup_t *w, weir_loop_t *loop, void (*on_wake)(void *data), void *data) WEIR_MUST_USE;
void weir_wakeup_send(weir_wakeup_t *w);     /* any thread, any signal handler */
void weir_wakeup_fini(weir_wakeup_t *w);

/* -- the loop -- */
weir_loop_t *weir_loop_create(size_t events_a_turn);   /* NULL: errno */
/* Closes no watched descriptor; timers, tasks and hooks that are left are unlinked, none is run.  NULL is fine. */
void weir_loop_destroy(weir_loop_t *loop);
/* One turn: wait at most until the next timer (or max_wait), dispatch, timers, tasks; then every on_turn hook. */
void weir_loop_turn(weir_loop_t *loop, weir_msec_t max_wait);
typedef struct { weir_list_t link; void (*run)(void *data); void *data; } weir_turn_hook_t;
/* At the end of each turn, in order of adding.  Removed by weir_list_remove(&hook->link), from within itself too. */
void weir_loop_on_turn(weir_loop_t *loop, weir_turn_hook_t *hook, void (*run)(void *data), void *data);
/* Where the loop counts: one more when it begins to wait, one more when it stops waiting, from an odd number on: odd is
 * in a turn. */
void weir_loop_beat_in(weir_loop_t *loop, uint64_t *beat);
size_t weir_loop_watches(const weir_loop_t *loop);     /* descriptors watched now */

#endif
