/*
 * wheel.c - the timers' wheel: where a deadline is linked, which slot comes next, what happens when it does.
 *
 * Runs in every process that has a loop; allocates nothing.
 */
#include "event/wheel.h"

#include <string.h>

/* The farthest place: one slot of the last level short of its own again. */
#define WHEEL_SPAN ((uint64_t) (WEIR_WHEEL_SLOTS - 1) << (WEIR_WHEEL_BITS * (WEIR_WHEEL_LEVELS - 1)))

void
weir_wheel_init(weir_wheel_t *wheel, weir_instant_t now)
{
    wheel->now = now.ms;
    wheel->soonest = WEIR_WHEEL_NEVER;
    weir_list_init(&wheel->due);
    for (unsigned i = 0; i < WEIR_WHEEL_LEVELS; i++) {
        weir_wheel_level_t *level = &wheel->levels[i];

        memset(level->used, 0, sizeof(level->used));
        for (unsigned slot = 0; slot < WEIR_WHEEL_SLOTS; slot++) {
            weir_list_init(&level->slots[slot]);
        }
    }
}

static void
wheel_clear(weir_list_t *list)
{
    while (!weir_list_empty(list)) {
        weir_list_remove(list->next);
    }
}

void
weir_wheel_fini(weir_wheel_t *wheel)
{
    wheel_clear(&wheel->due);
    for (unsigned i = 0; i < WEIR_WHEEL_LEVELS; i++) {
        for (unsigned slot = 0; slot < WEIR_WHEEL_SLOTS; slot++) {
            wheel_clear(&wheel->levels[i].slots[slot]);
        }
    }
    wheel->soonest = WEIR_WHEEL_NEVER;
}

void
weir_wheel_link(weir_wheel_t *wheel, weir_timer_t *timer)
{
    uint64_t            at = weir_min(weir_max(timer->deadline.ms, wheel->now + 1), wheel->now + WHEEL_SPAN);
    uint64_t            apart = at ^ wheel->now;
    unsigned            n = 0, shift, slot;
    weir_wheel_level_t *level;

    weir_assert(timer->deadline.ms != 0);
    while (n < WEIR_WHEEL_LEVELS - 1 && apart >= (uint64_t) WEIR_WHEEL_SLOTS << (WEIR_WHEEL_BITS * n)) {
        n++;
    }
    shift = WEIR_WHEEL_BITS * n;
    slot = (unsigned) (at >> shift) % WEIR_WHEEL_SLOTS;
    level = &wheel->levels[n];

    weir_list_remove(&timer->link);
    weir_list_append(&level->slots[slot], &timer->link);
    level->used[slot / 64] |= UINT64_C(1) << (slot % 64);
    timer->place = at >> shift << shift;
    wheel->soonest = weir_min(wheel->soonest, timer->place);
    weir_assert(timer->place > wheel->now);     /* it will come up */
}

/* The first slot in [from, to) that holds something, or WEIR_WHEEL_SLOTS.  Bits of slots found empty are put out. */
static unsigned
wheel_seek(weir_wheel_level_t *level, unsigned from, unsigned to)
{
    while (from < to) {
        uint64_t bits = level->used[from / 64] >> (from % 64);

        if (bits == 0) {
            from = (from / 64 + 1) * 64;
            continue;
        }
        from += (unsigned) __builtin_ctzll(bits);
        if (from >= to) {
            break;
        }
        if (!weir_list_empty(&level->slots[from])) {
            weir_assert(from < WEIR_WHEEL_SLOTS);
            return from;
        }
        level->used[from / 64] &= ~(UINT64_C(1) << (from % 64));
    }
    return WEIR_WHEEL_SLOTS;
}

/* The tick of the next place that holds something, and its slot; WEIR_WHEEL_NEVER when there is none. */
static uint64_t
wheel_next(weir_wheel_t *wheel, weir_list_t **slot)
{
    for (unsigned n = 0; n < WEIR_WHEEL_LEVELS; n++) {
        weir_wheel_level_t *level = &wheel->levels[n];
        unsigned            shift = WEIR_WHEEL_BITS * n;
        unsigned            here = (unsigned) (wheel->now >> shift) % WEIR_WHEEL_SLOTS;
        uint64_t            lap = (wheel->now >> shift) - here;
        unsigned            i = wheel_seek(level, here + 1, WEIR_WHEEL_SLOTS);

        if (i == WEIR_WHEEL_SLOTS && n == WEIR_WHEEL_LEVELS - 1) {
            i = wheel_seek(level, 0, here);
            lap += WEIR_WHEEL_SLOTS;
        }
        if (i != WEIR_WHEEL_SLOTS) {
            *slot = &level->slots[i];
            return (lap + i) << shift;
        }
    }
    return WEIR_WHEEL_NEVER;
}

/* Moves all of `from` to the end of `to`. */
static void
wheel_splice(weir_list_t *to, weir_list_t *from)
{
    weir_assert(!weir_list_empty(from));
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    weir_list_init(from);
}

/* Every slot whose time has come goes to `due`; the wheel is then at `now`. */
static void
wheel_advance(weir_wheel_t *wheel, uint64_t now)
{
    weir_list_t *slot = NULL;
    uint64_t     tick;

    while ((tick = wheel_next(wheel, &slot)) <= now) {
        weir_assert(tick > wheel->now);     /* places come up in their order */
        wheel->now = tick;
        wheel_splice(&wheel->due, slot);
    }
    wheel->soonest = tick;
    wheel->now = now;
    weir_assert(wheel->soonest > now);
}

void
weir_wheel_run(weir_wheel_t *wheel, weir_instant_t now)
{
    if (weir_unlikely(now.ms <= wheel->now)) {
        return;
    }
    if (now.ms < wheel->soonest) {
        wheel->now = now.ms;
        return;
    }
    wheel_advance(wheel, now.ms);

    while (!weir_list_empty(&wheel->due)) {
        weir_timer_t *timer = weir_list_entry(wheel->due.next, weir_timer_t, link);

        weir_list_remove(&timer->link);
        if (timer->deadline.ms > now.ms) {
            weir_wheel_link(wheel, timer);
        } else if (timer->deadline.ms != 0) {
            timer->deadline.ms = 0;
            timer->on_fire(timer);
        }
    }
}
