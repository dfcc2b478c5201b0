/*
 * breaker.c - see breaker.h.
 */
#include "shm/breaker.h"

/* A test may let another process go on here, before that cell is looked at or changed. */
#ifndef WEIR_BREAKER_BEFORE_STEP
#define WEIR_BREAKER_BEFORE_STEP(at) ((void) (at))
#endif

/* The state's name: state (2 bits), turn (1), passed (16, from 16 on), moves (32). */
#define BREAKER_TURN    4u
#define BREAKER_PASSED  16
#define BREAKER_MOVES   32
#define BREAKER_COUNT   21                   /* bits of each count of a slot */
#define BREAKER_MOST    ((UINT64_C(1) << BREAKER_COUNT) - 1)
#define BREAKER_ROUNDS  64                   /* of meeting others */

/* A ticket: the moves when it was given, by their last bits. */
#define BREAKER_VALID   0x80000000u
#define BREAKER_PROBE   WEIR_BREAKER_PROBE
#define BREAKER_SECOND  0x20000000u          /* its gauge */
#define BREAKER_EPOCH   0x1fffffffu

/* What is not for each request while it is closed: kept out of the functions that are. */
#define BREAKER_RARE    __attribute__((noinline, cold))

/* -- the state -- */

static weir_breaker_look_t
breaker_unpack(weir_cell_t cell)
{
    return (weir_breaker_look_t) {
        .state = (weir_breaker_state_t) (cell.name & 3), .turn = (cell.name & BREAKER_TURN) != 0,
        .passed = (uint16_t) (cell.name >> BREAKER_PASSED), .moves = (uint32_t) (cell.name >> BREAKER_MOVES),
        .since = { cell.value },
    };
}

static weir_cell_t
breaker_pack(weir_breaker_look_t look)
{
    weir_assert(look.passed <= WEIR_BREAKER_PROBES_MAX && look.state <= WEIR_BREAKER_HALF_OPEN);
    return (weir_cell_t) { .name = (uint64_t) look.moves << BREAKER_MOVES | (uint64_t) look.passed << BREAKER_PASSED
                                   | (look.turn ? BREAKER_TURN : 0) | (uint64_t) look.state,
                           .value = look.since.ms };
}

static inline weir_cell_t
breaker_state(const weir_breaker_t *breaker)
{
    WEIR_BREAKER_BEFORE_STEP(&breaker->state);
    return weir_cell_load(&breaker->state);
}

static inline bool
breaker_is_closed(weir_cell_t state)
{
    return (state.name & 3) == WEIR_BREAKER_CLOSED;
}

/* since may be that of another move: only a swap tells. */
weir_breaker_look_t
weir_breaker_look(const weir_breaker_t *breaker)
{
    return breaker_unpack(breaker_state(breaker));
}

static bool
breaker_swap(weir_breaker_t *breaker, weir_breaker_look_t was, weir_breaker_look_t next)
{
    WEIR_BREAKER_BEFORE_STEP(&breaker->state);
    return weir_cell_swap(&breaker->state, breaker_pack(was), breaker_pack(next));
}

/* One process makes each move. */
static bool
breaker_move(const weir_breaker_use_t *use, weir_breaker_look_t was, weir_breaker_state_t to,
             const weir_breaker_counts_t *counts, weir_instant_t now)
{
    bool is_half_open = to == WEIR_BREAKER_HALF_OPEN;
    weir_breaker_look_t next = { .state = to, .moves = was.moves + 1, .turn = is_half_open ? !was.turn : was.turn,
                                 .since = now };

    weir_assert(was.state != to || is_half_open);
    if (!breaker_swap(use->breaker, was, next)) {
        return false;
    }
    use->moved(use->data, to, counts);
    return true;
}

/* Another process's clock may be a little ahead. */
static uint64_t
breaker_age(weir_breaker_look_t look, weir_instant_t now)
{
    return now.ms > look.since.ms ? now.ms - look.since.ms : 0;
}

/* -- counts of a phase in which it is closed -- */

static uint32_t
breaker_slot(weir_msec_t window, weir_instant_t now)
{
    weir_assert(window.ms >= WEIR_BREAKER_WINDOW_MIN);
    return (uint32_t) (now.ms / (window.ms / WEIR_BREAKER_SLOTS));
}

/* Which of two slots of time is the later one: by the moves before, then by time. */
static bool
breaker_is_later(uint64_t a, uint64_t b)
{
    int32_t moves = (int32_t) ((uint32_t) (a >> 32) - (uint32_t) (b >> 32));

    return moves != 0 ? moves > 0 : (int32_t) ((uint32_t) a - (uint32_t) b) > 0;
}

static uint64_t
breaker_add(uint64_t value, bool failed, bool was_slow)
{
    uint64_t total = value & BREAKER_MOST, errors = value >> BREAKER_COUNT & BREAKER_MOST,
             slow = value >> 2 * BREAKER_COUNT & BREAKER_MOST;

    if (total == BREAKER_MOST) {             /* the parts stay what they are */
        total /= 2;
        errors /= 2;
        slow /= 2;
    }
    return (total + 1) | (errors + failed) << BREAKER_COUNT | (slow + was_slow) << 2 * BREAKER_COUNT;
}

/* One that was neither.  false: it is not counted; the slot is not of that time, or is full, or others count in it. */
static inline bool
breaker_count_good(const weir_breaker_use_t *use, uint64_t phase, weir_instant_t now)
{
    uint32_t     at = breaker_slot(use->settings->window, now);
    weir_cell_t *slot = &use->breaker->slots[at % WEIR_BREAKER_SLOTS], was;

    WEIR_BREAKER_BEFORE_STEP(slot);
    was = weir_cell_load(slot);
    if (was.name != (phase | at) || (was.value & BREAKER_MOST) == BREAKER_MOST) {
        return false;
    }
    WEIR_BREAKER_BEFORE_STEP(slot);
    return weir_cell_swap(slot, was, (weir_cell_t) { .name = was.name, .value = was.value + 1 });
}

/* A slot that a later time or phase has taken is left to it. */
BREAKER_RARE static void
breaker_count(const weir_breaker_use_t *use, uint32_t moves, bool failed, bool was_slow, weir_instant_t now)
{
    uint32_t     at = breaker_slot(use->settings->window, now);
    uint64_t     name = (uint64_t) moves << 32 | at;
    weir_cell_t *slot = &use->breaker->slots[at % WEIR_BREAKER_SLOTS], was, next;

    do {
        WEIR_BREAKER_BEFORE_STEP(slot);
        was = weir_cell_load(slot);
        if (breaker_is_later(was.name, name)) {
            return;
        }
        next = (weir_cell_t) { .name = name,
                               .value = breaker_add(was.name == name ? was.value : 0, failed, was_slow) };
        WEIR_BREAKER_BEFORE_STEP(slot);
    } while (!weir_cell_swap(slot, was, next));
}

/* Has any slot a failure or something slow, of whatever time?  Most often none has, and there is nothing to add up. */
static bool
breaker_has_bad(const weir_breaker_t *breaker)
{
    uint64_t all = 0;

#pragma GCC unroll 6
    for (uint32_t i = 0; i < WEIR_BREAKER_SLOTS; i++) {
        WEIR_BREAKER_BEFORE_STEP(&breaker->slots[i]);
        all |= __atomic_load_n(&breaker->slots[i].value, __ATOMIC_ACQUIRE);
    }
    return all >> BREAKER_COUNT != 0;
}

/* One slot as of one moment: its name only grows, so that one which is the same before and after was so between. */
static weir_cell_t
breaker_read(const weir_cell_t *slot)
{
    weir_cell_t seen, again;

    do {
        WEIR_BREAKER_BEFORE_STEP(slot);
        seen = weir_cell_load(slot);
        again = weir_cell_load(slot);
    } while (again.name != seen.name);
    return seen;
}

static weir_breaker_counts_t
breaker_sum(const weir_breaker_t *breaker, uint32_t moves, weir_msec_t window, weir_instant_t now)
{
    weir_breaker_counts_t sum = { 0 };
    uint32_t              last = breaker_slot(window, now);

    for (uint32_t i = 0; i < WEIR_BREAKER_SLOTS; i++) {
        weir_cell_t slot = breaker_read(&breaker->slots[i]);
        int32_t     age = (int32_t) (last - (uint32_t) slot.name);

        if ((uint32_t) (slot.name >> 32) == moves && age < WEIR_BREAKER_SLOTS && age > -WEIR_BREAKER_SLOTS) {
            sum.total += (uint32_t) (slot.value & BREAKER_MOST);
            sum.errors += (uint32_t) (slot.value >> BREAKER_COUNT & BREAKER_MOST);
            sum.slow += (uint32_t) (slot.value >> 2 * BREAKER_COUNT & BREAKER_MOST);
        }
    }
    return sum;
}

weir_breaker_counts_t
weir_breaker_counts(const weir_breaker_t *breaker, weir_msec_t window, weir_instant_t now)
{
    return breaker_sum(breaker, weir_breaker_look(breaker).moves, window, now);
}

static bool
breaker_is_reached(uint32_t percent, uint32_t part, uint32_t total)
{
    return percent != 0 && (uint64_t) part * 100 >= (uint64_t) total * percent;
}

/* Of two that count the last ones together at least one sees both.  Without anything bad no part of it is reached. */
BREAKER_RARE static void
breaker_judge(const weir_breaker_use_t *use, weir_breaker_look_t look, weir_instant_t now)
{
    const weir_breaker_settings_t *settings = use->settings;
    weir_breaker_counts_t          sum = breaker_sum(use->breaker, look.moves, settings->window, now);

    if (sum.total >= weir_max(settings->minimum, 1u)
        && (breaker_is_reached(settings->errors, sum.errors, sum.total)
            || breaker_is_reached(settings->slow, sum.slow, sum.total)))
    {
        (void) breaker_move(use, look, WEIR_BREAKER_OPEN, &sum, now);
    }
}

/* -- requests -- */

static weir_breaker_ticket_t
breaker_probe(weir_breaker_look_t look)
{
    return BREAKER_VALID | BREAKER_PROBE | (look.moves & BREAKER_EPOCH) | (look.turn ? BREAKER_SECOND : 0);
}

/* Of one that passes while it is closed. */
static inline weir_breaker_ticket_t
breaker_pass(weir_cell_t state)
{
    return BREAKER_VALID | ((uint32_t) (state.name >> BREAKER_MOVES) & BREAKER_EPOCH);
}

/* The breaker is as it was when the ticket was given. */
static bool
breaker_is_of(weir_breaker_look_t look, weir_breaker_ticket_t ticket)
{
    weir_breaker_state_t state = (ticket & BREAKER_PROBE) != 0 ? WEIR_BREAKER_HALF_OPEN : WEIR_BREAKER_CLOSED;

    return (ticket & BREAKER_VALID) != 0 && look.state == state
           && (look.moves & BREAKER_EPOCH) == (ticket & BREAKER_EPOCH);
}

/* A probe says first that it is under way, and looks then whether what it went by still holds: a good one is counted as
 * passed before it is under way no longer, so that this one has seen each of the others as one or the other. */
static bool
breaker_enter(const weir_breaker_use_t *use, weir_breaker_look_t look, bool *again)
{
    uint32_t free = use->settings->probes > look.passed ? use->settings->probes - look.passed : 1;

    *again = false;
    if (!use->enter(use->data, look.turn, free)) {
        return false;
    }
    if (breaker_pack(weir_breaker_look(use->breaker)).name == breaker_pack(look).name) {
        return true;
    }
    use->leave(use->data, look.turn);
    *again = true;
    return false;
}

/* true: it is as it should be now.  It begins to be half-open, or begins that anew, when its time is over. */
static bool
breaker_is_current(const weir_breaker_use_t *use, weir_breaker_look_t look, weir_msec_t *wait, weir_instant_t now)
{
    uint64_t limit = look.state == WEIR_BREAKER_OPEN ? use->settings->open.ms : use->settings->lease.ms;
    uint64_t age = breaker_age(look, now);

    if (age >= limit) {
        (void) breaker_move(use, look, WEIR_BREAKER_HALF_OPEN, NULL, now);
        return false;
    }
    wait->ms = look.state == WEIR_BREAKER_OPEN ? limit - age : 0;
    return true;
}

/* By what it was when it was looked at, and by what it is then. */
BREAKER_RARE static bool
breaker_admit(const weir_breaker_use_t *use, weir_cell_t state, weir_breaker_ticket_t *ticket, weir_msec_t *wait,
              weir_instant_t now)
{
    for (unsigned round = 0; round < BREAKER_ROUNDS; round++, state = breaker_state(use->breaker)) {
        weir_breaker_look_t look = breaker_unpack(state);
        bool                again;

        if (breaker_is_closed(state)) {
            *ticket = breaker_pass(state);
            return true;
        }
        if (!breaker_is_current(use, look, wait, now)) {
            continue;
        }
        if (look.state == WEIR_BREAKER_OPEN) {
            return false;
        }
        if (breaker_enter(use, look, &again)) {
            *ticket = breaker_probe(look);
            return true;
        }
        if (!again) {
            return false;
        }
    }
    return false;
}

bool
weir_breaker_admit(const weir_breaker_use_t *use, weir_breaker_ticket_t *ticket, weir_msec_t *wait, weir_instant_t now)
{
    weir_cell_t state = breaker_state(use->breaker);

    *wait = (weir_msec_t) { 0 };
    if (weir_likely(breaker_is_closed(state))) {
        *ticket = breaker_pass(state);
        return true;
    }
    *ticket = 0;
    return breaker_admit(use, state, ticket, wait, now);
}

/* The verdict of a probe, as long as its phase lasts. */
BREAKER_RARE static void
breaker_report_probe(const weir_breaker_use_t *use, weir_breaker_ticket_t ticket, bool failed, weir_instant_t now)
{
    for (;;) {
        weir_breaker_look_t look = weir_breaker_look(use->breaker), next = look;
        bool                done;

        if (!breaker_is_of(look, ticket)) {
            return;
        }
        next.passed++;
        if (failed) {
            done = breaker_move(use, look, WEIR_BREAKER_OPEN, NULL, now);
        } else if (next.passed >= use->settings->probes) {
            done = breaker_move(use, look, WEIR_BREAKER_CLOSED, NULL, now);
        } else {
            done = breaker_swap(use->breaker, look, next);
        }
        if (done) {
            return;
        }
    }
}

void
weir_breaker_report(const weir_breaker_use_t *use, weir_breaker_ticket_t *ticket, bool failed, bool was_slow,
                    weir_instant_t now)
{
    weir_cell_t state;

    if (weir_unlikely((*ticket & BREAKER_PROBE) != 0)) {
        breaker_report_probe(use, *ticket, failed || (was_slow && use->settings->slow != 0), now);
        weir_breaker_leave(use, ticket);
        return;
    }
    state = breaker_state(use->breaker);
    if (breaker_is_closed(state) && *ticket == breaker_pass(state)) {
        if (failed || was_slow || !breaker_count_good(use, state.name >> BREAKER_MOVES << BREAKER_MOVES, now)) {
            breaker_count(use, (uint32_t) (state.name >> BREAKER_MOVES), failed, was_slow, now);
        }
        if (failed || was_slow || weir_unlikely(breaker_has_bad(use->breaker))) {
            breaker_judge(use, breaker_unpack(state), now);
        }
    }
}

void
weir_breaker_leave(const weir_breaker_use_t *use, weir_breaker_ticket_t *ticket)
{
    if ((*ticket & BREAKER_PROBE) != 0) {
        use->leave(use->data, (*ticket & BREAKER_SECOND) != 0);
    }
    *ticket = 0;
}

bool
weir_breaker_is_probe(weir_breaker_ticket_t ticket)
{
    return (ticket & BREAKER_PROBE) != 0;
}

bool
weir_breaker_may_repeat(const weir_breaker_use_t *use, weir_breaker_ticket_t ticket)
{
    return (ticket & BREAKER_PROBE) == 0 && breaker_is_of(weir_breaker_look(use->breaker), ticket);
}
