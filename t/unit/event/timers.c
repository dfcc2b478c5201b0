/*
 * timers.c - the wheel against a plain model: never early, never forgotten, lazy moves, far jumps; no real time passes.
 */
#include "event/wheel.h"

#include "tap.h"

#define TIMERS 300
#define STEPS  40000

typedef struct {
    weir_timer_t timer;
    uint64_t     want;      /* the model: its deadline, 0 when not set */
} item_t;

static weir_wheel_t wheel;
static item_t       items[TIMERS];
static uint64_t     now, fired, early, unexpected, looks;
static uint64_t     rng = 88172645463325252u;
static bool         busy;   /* on_fire plays with other timers */

static uint64_t
pick(uint64_t n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng % n;
}

static uint64_t
pick_delay(void)
{
    static const uint64_t ranges[] = { 1, 3, 600, 3000, 70000, 300000, 90000000, 400000000 };

    return pick(ranges[pick(weir_countof(ranges))]);
}

static void play(void);

static void
on_fire(weir_timer_t *timer)
{
    item_t *item = weir_container_of(timer, item_t, timer);

    fired++;
    early += item->want > now;
    unexpected += item->want == 0 || timer->deadline.ms != 0;
    item->want = 0;
    if (busy && pick(3) == 0) {
        play();
    }
}

static void
arm(item_t *item, uint64_t delay)
{
    item->want = now + delay;
    item->timer.on_fire = on_fire;
    weir_wheel_set(&wheel, &item->timer, (weir_instant_t) { item->want });
}

static void
play(void)
{
    item_t *item = &items[pick(TIMERS)];

    switch (pick(8)) {
    case 0:
        weir_timer_clear(&item->timer);
        item->want = 0;
        break;
    case 1:
        weir_timer_drop(&item->timer);
        item->want = 0;
        memset(&item->timer, 0, sizeof(item->timer));  /* its memory serves another */
        break;
    default:
        arm(item, pick_delay());
    }
}

static void
start_at(uint64_t ms)
{
    now = ms;
    memset(items, 0, sizeof(items));
    fired = early = unexpected = 0;
    weir_wheel_init(&wheel, (weir_instant_t) { now });
}

static void
run_at(uint64_t ms)
{
    now = ms;
    looks++;
    weir_wheel_run(&wheel, (weir_instant_t) { now });
}

/* What the model knows of that the wheel missed: overdue, or sooner than the wheel says that anything is. */
static uint64_t
missed(void)
{
    uint64_t n = 0;

    for (size_t i = 0; i < TIMERS; i++) {
        n += items[i].want != 0 && (items[i].want < now || weir_max(items[i].want, now + 1) < wheel.soonest);
    }
    return n;
}

static uint64_t
step_size(void)
{
    switch (pick(20)) {
    case 0:
        return pick(200000);
    case 1:
        return pick(200) == 0 ? pick(1000000000) : 512;
    case 2:
        return wheel.soonest == WEIR_WHEEL_NEVER ? 1 : wheel.soonest - now;
    default:
        return pick(40);
    }
}

static void
test_against_the_model(uint64_t start, bool with_busy)
{
    uint64_t wrong = 0, before;

    start_at(start);
    busy = with_busy;
    for (int i = 0; i < STEPS; i++) {
        for (uint64_t n = pick(6); n > 0; n--) {
            play();
        }
        run_at(now + step_size());
        wrong += missed();
    }
    busy = false;
    ok(fired > 1000, "timers fired");
    is_int(early, 0, "none fired before its time");
    is_int(unexpected, 0, "none fired that was not set");
    is_int(wrong, 0, "none was overlooked, and the wheel never sleeps through one");

    before = fired;
    for (size_t i = 0; i < TIMERS; i++) {
        before += items[i].want != 0;
    }
    run_at(now + UINT64_C(1000000000000));
    is_int(fired, before, "a jump of thirty years fires all that were set, once");
    ok(wheel.soonest == WEIR_WHEEL_NEVER, "and leaves the wheel empty");
}

static void
test_exact_on_an_idle_loop(void)
{
    uint64_t late = 0, worst = 0;

    for (int i = 0; i < 3000; i++) {
        uint64_t delay = 1 + pick_delay() % 100000000;

        start_at(1 + pick(UINT64_C(1) << 40));
        arm(&items[0], delay);
        looks = 0;
        while (fired == 0) {
            uint64_t due = items[0].want;

            run_at(wheel.soonest);
            late += fired ? now - due : 0;
        }
        worst = weir_max(worst, looks);
    }
    is_int(late, 0, "sleeping until `soonest` meets every deadline to the millisecond");
    ok(worst <= WEIR_WHEEL_LEVELS, "with at most one look a level");
}

static void
test_later_is_a_store(void)
{
    weir_list_t *slot;
    uint64_t     place;

    start_at(1000);
    arm(&items[0], 60000);
    slot = items[0].timer.link.next;
    place = items[0].timer.place;
    looks = 0;
    for (int i = 0; i < 50000; i++) {
        run_at(now + 1);
        arm(&items[0], 60000);
    }
    ok(items[0].timer.link.next == slot && items[0].timer.place == place,
       "a deadline put off stays where it was linked");
    run_at(now + 59999);
    is_int(fired, 0, "and does not fire at its first deadline");
    run_at(now + 1);
    is_int(fired, 1, "but at its last");

    arm(&items[0], 60000);
    arm(&items[0], 20);
    run_at(now + 19);
    is_int(fired, 1, "one brought forward is not early");
    run_at(now + 1);
    is_int(fired, 2, "nor late");
}

static void
test_clear_and_drop(void)
{
    start_at(5000);
    arm(&items[0], 100);
    arm(&items[1], 100);
    weir_timer_clear(&items[0].timer);
    weir_timer_drop(&items[1].timer);
    ok(weir_list_linked(&items[0].timer.link), "a cleared timer keeps its link");
    ok(!weir_list_linked(&items[1].timer.link), "a dropped one does not");
    run_at(now + 100);
    is_int(fired, 0, "neither fires");
    ok(!weir_list_linked(&items[0].timer.link), "the cleared one was let go when its place came");

    arm(&items[0], 100);
    weir_timer_clear(&items[0].timer);
    arm(&items[0], 50);
    run_at(now + 50);
    is_int(fired, 1, "cleared and set again fires by the new deadline");
    weir_timer_drop(&items[0].timer);
    weir_timer_drop(&items[0].timer);
    weir_timer_clear(&items[5].timer);
    ok(true, "dropping twice and clearing one that was never set are harmless");
}

static void
test_edges(void)
{
    start_at(511);
    arm(&items[0], 0);
    run_at(511);
    is_int(fired, 0, "no delay: not in the same millisecond");
    ok(wheel.soonest == 512, "but the wheel asks to be looked at in the next");
    run_at(512);
    is_int(fired, 1, "and fires then, over a level's border");

    start_at((UINT64_C(1) << 27) - 1);
    arm(&items[0], 1);
    arm(&items[1], 600);
    run_at(now + 1);
    is_int(fired, 1, "over the border of the last level");
    run_at(now + 598);
    is_int(fired, 1, "the second is not early");
    run_at(now + 1);
    is_int(fired, 2, "nor late");

    items[2].timer.on_fire = on_fire;
    weir_wheel_set(&wheel, &items[2].timer, (weir_instant_t) { UINT64_MAX });
    run_at(now + UINT64_C(100000000000));
    ok(fired == 2 && weir_list_linked(&items[2].timer.link), "a deadline beyond all levels waits on");
    run_at(now - 5000);
    is_int(fired, 2, "a clock that went back is ignored");
    weir_wheel_fini(&wheel);
    ok(!weir_list_linked(&items[2].timer.link), "the wheel's end unlinks what is left");
}

typedef struct {
    item_t   item;
    item_t  *victim;
    unsigned left;
} actor_t;

static void
actor_again(weir_timer_t *timer)
{
    actor_t *actor = weir_container_of(weir_container_of(timer, item_t, timer), actor_t, item);

    fired++;
    if (--actor->left > 0) {
        weir_wheel_set(&wheel, timer, (weir_instant_t) { now });
    }
}

static void
actor_free(weir_timer_t *timer)
{
    actor_t *actor = weir_container_of(weir_container_of(timer, item_t, timer), actor_t, item);

    fired++;
    weir_timer_drop(&actor->victim->timer);
    free(actor->victim);
    free(actor);
}

static void
test_on_fire_may_do_anything(void)
{
    static actor_t again;

    start_at(100);
    again = (actor_t) { .left = 10 };
    again.item.timer.on_fire = actor_again;
    weir_wheel_set(&wheel, &again.item.timer, (weir_instant_t) { 101 });
    run_at(1000000);
    is_int(fired, 1, "one that sets itself for now fires once a run");
    run_at(1000001);
    is_int(fired, 2, "and again in the next");
    weir_timer_drop(&again.item.timer);

    start_at(100);
    for (int i = 0; i < 50; i++) {
        actor_t *actor = calloc(1, sizeof(*actor));

        actor->victim = calloc(1, sizeof(*actor->victim));
        actor->item.timer.on_fire = actor_free;
        weir_wheel_set(&wheel, &actor->item.timer, (weir_instant_t) { 200 });
        actor->victim->timer.on_fire = on_fire;
        weir_wheel_set(&wheel, &actor->victim->timer, (weir_instant_t) { 200 });
    }
    run_at(200);
    is_int(fired, 50, "one may free itself and others that are due at the same time");
}

int
main(void)
{
    test_against_the_model(1, false);
    test_against_the_model(123456789, true);
    test_exact_on_an_idle_loop();
    test_later_is_a_store();
    test_clear_and_drop();
    test_edges();
    test_on_fire_may_do_anything();
    return done();
}
