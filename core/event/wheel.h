/*
 * wheel.h - the hashed wheel that holds the loop's timers: three levels of 512 slots of 1 ms, 512 ms and 262 s.
 *
 * A timer sits in the slot that its deadline had when it was linked and is looked at when the slot's first millisecond
 * comes: then it fires, moves on to where its deadline is by now, or is dropped if cleared.  So an idle wheel wakes at
 * most twice for a timer before its time, and a deadline put off a thousand times costs one move.  What a level holds
 * shares its higher bits with `now`: its slots all come before those of the next level, and only the last level wraps.
 *
 * Private to core/event.  Allocates nothing.
 */
#ifndef WEIR_EVENT_WHEEL_H
#define WEIR_EVENT_WHEEL_H

#include "event/loop.h"

#define WEIR_WHEEL_LEVELS 3
#define WEIR_WHEEL_BITS   9
#define WEIR_WHEEL_SLOTS  (1u << WEIR_WHEEL_BITS)
#define WEIR_WHEEL_NEVER  UINT64_MAX

typedef struct {
    uint64_t    used[WEIR_WHEEL_SLOTS / 64];   /* a bit may outlive its slot's last timer, never the other way */
    weir_list_t slots[WEIR_WHEEL_SLOTS];
} weir_wheel_level_t;

typedef struct {
    uint64_t           now;                    /* ms: places up to this one have been looked at */
    uint64_t           soonest;                /* ms: no place comes before it; WEIR_WHEEL_NEVER when there is none */
    weir_list_t        due;                    /* being looked at now */
    weir_wheel_level_t levels[WEIR_WHEEL_LEVELS];
} weir_wheel_t;

void weir_wheel_init(weir_wheel_t *wheel, weir_instant_t now);
/* Unlinks every timer, firing none. */
void weir_wheel_fini(weir_wheel_t *wheel);
/* Links by the deadline; a timer that is linked already moves.  A deadline that has passed comes up at the next ms. */
void weir_wheel_link(weir_wheel_t *wheel, weir_timer_t *timer);
/* Fires what is due, in no particular order.  Bounded by slots and timers, however far the clock went. */
void weir_wheel_run(weir_wheel_t *wheel, weir_instant_t now);

/* A timer that is linked at or before its new deadline stays where it is. */
static inline void
weir_wheel_set(weir_wheel_t *wheel, weir_timer_t *timer, weir_instant_t deadline)
{
    timer->deadline = deadline;
    if (!weir_list_linked(&timer->link) || deadline.ms < timer->place) {
        weir_wheel_link(wheel, timer);
    }
}

#endif
