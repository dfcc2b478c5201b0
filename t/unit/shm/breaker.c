/*
 * breaker.c - a circuit breaker: step by step; random histories held against a model that is written down plainly; and
 * the ways in which two workers may come between one another, one of which may be killed before any of its steps.
 */
#define _GNU_SOURCE 1

static void step(void);
static void step_at(const void *at);
#define WEIR_BREAKER_BEFORE_STEP(at) step_at(at)
#include "../../../core/shm/breaker.c"

#include "tap.h"

#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#define AT(n)   ((weir_instant_t) { (n) })
#define WORKERS 2

static weir_breaker_t          breaker;
static weir_breaker_settings_t settings;
static unsigned                gauges[WORKERS][2], moved[3], running;

static void
fresh(uint32_t minimum, uint32_t probes)
{
    memset(&breaker, 0, sizeof(breaker));
    memset(gauges, 0, sizeof(gauges));
    memset(moved, 0, sizeof(moved));
    settings = (weir_breaker_settings_t) { .errors = 50, .slow = 50, .minimum = minimum, .probes = probes,
                                           .window = { 600 }, .open = { 1000 }, .lease = { 5000 } };
}

/* As shm/places.h does it: a worker says that it is there before it looks at the others. */
static unsigned
sum(bool turn)
{
    unsigned all = 0;

    for (unsigned i = 0; i < WORKERS; i++) {
        if (i != running) {                  /* nobody else writes its own */
            step();
        }
        all += gauges[i][turn];
    }
    return all;
}

static bool
enter(void *data, bool turn, uint32_t max)
{
    unsigned *own = &gauges[*(unsigned *) data][turn];

    for (unsigned round = 0; round < 2 && sum(turn) < max; round++) {
        step();
        ++*own;
        if (sum(turn) <= max) {
            return true;
        }
        step();
        --*own;
    }
    return false;
}

static void
leave(void *data, bool turn)
{
    step();
    gauges[*(unsigned *) data][turn]--;
}

static void
has_moved(void *data, weir_breaker_state_t to, const weir_breaker_counts_t *counts)
{
    (void) data;
    (void) counts;
    moved[to]++;
}

static unsigned                 numbers[WORKERS] = { 0, 1 };
static const weir_breaker_use_t uses[WORKERS] = {
    { &breaker, &settings, &numbers[0], enter, leave, has_moved },
    { &breaker, &settings, &numbers[1], enter, leave, has_moved },
};

/* A request that ends at once; -1: it was let pass not. */
static int
once(bool failed, uint64_t now)
{
    weir_breaker_ticket_t ticket;
    weir_msec_t           wait;

    if (!weir_breaker_admit(&uses[0], &ticket, &wait, AT(now))) {
        return -1;
    }
    weir_breaker_report(&uses[0], &ticket, failed, false, AT(now));
    weir_breaker_leave(&uses[0], &ticket);
    return 1;
}

static weir_breaker_state_t
state(void)
{
    return weir_breaker_look(&breaker).state;
}

static void
test_steps(void)
{
    weir_breaker_ticket_t old, ticket, probe[3];
    weir_msec_t           wait;

    fresh(4, 2);
    ok(weir_breaker_admit(&uses[0], &old, &wait, AT(10000)), "closed at first");
    once(true, 10000), once(true, 10000), once(false, 10100);
    ok(state() == WEIR_BREAKER_CLOSED, "three are too few to judge");
    once(false, 10200);
    ok(state() == WEIR_BREAKER_OPEN && moved[WEIR_BREAKER_OPEN] == 1, "half of four are enough");
    ok(!weir_breaker_may_repeat(&uses[0], old), "who came before is not to try again");
    weir_breaker_report(&uses[0], &old, true, false, AT(10300));
    weir_breaker_leave(&uses[0], &old);
    ok(!weir_breaker_admit(&uses[0], &ticket, &wait, AT(10300)) && wait.ms == 900 && ticket == 0,
       "open: nothing passes, and it is said for how long");
    ok(weir_breaker_admit(&uses[0], &probe[0], &wait, AT(11200)) && state() == WEIR_BREAKER_HALF_OPEN, "half-open");
    ok(weir_breaker_admit(&uses[1], &probe[1], &wait, AT(11200)), "two probes");
    ok(!weir_breaker_admit(&uses[0], &probe[2], &wait, AT(11200)), "and not a third");
    weir_breaker_leave(&uses[0], &probe[0]);
    ok(weir_breaker_admit(&uses[0], &probe[0], &wait, AT(11300)), "one that says nothing gives its place back");
    weir_breaker_report(&uses[0], &probe[0], false, false, AT(11400));
    ok(!weir_breaker_admit(&uses[0], &probe[2], &wait, AT(11400)), "one that was good does not");
    weir_breaker_report(&uses[1], &probe[1], false, false, AT(11400));
    weir_breaker_leave(&uses[0], &probe[0]);
    weir_breaker_leave(&uses[1], &probe[1]);
    ok(state() == WEIR_BREAKER_CLOSED && moved[WEIR_BREAKER_CLOSED] == 1, "all were good: closed");
    is_int(gauges[0][0] + gauges[0][1] + gauges[1][0] + gauges[1][1], 0, "no probe is under way");
    once(true, 11500), once(true, 11500), once(true, 11500);
    ok(state() == WEIR_BREAKER_CLOSED, "what was before counts no more");
    once(true, 11500);
    ok(state() == WEIR_BREAKER_OPEN, "it opens again");
    once(true, 12500);
    ok(state() == WEIR_BREAKER_OPEN && moved[WEIR_BREAKER_OPEN] == 3, "and again when a probe fails");
    is_int(weir_breaker_look(&breaker).moves, 6, "each move was told once");
}

static void
test_lease(void)
{
    weir_breaker_ticket_t lost, other, ticket;
    weir_msec_t           wait;

    fresh(1, 1);
    once(true, 10000);
    ok(weir_breaker_admit(&uses[0], &lost, &wait, AT(11000)), "a probe that does not end");
    ok(!weir_breaker_admit(&uses[1], &ticket, &wait, AT(15999)), "holds the only place");
    ok(weir_breaker_admit(&uses[1], &other, &wait, AT(16000)), "until its lease is over");
    ok(!weir_breaker_admit(&uses[1], &ticket, &wait, AT(16000)), "the next has the place then");
    weir_breaker_report(&uses[0], &lost, true, false, AT(16100));
    ok(state() == WEIR_BREAKER_HALF_OPEN, "what the old one says is nothing");
    weir_breaker_report(&uses[1], &other, false, false, AT(16100));
    ok(state() == WEIR_BREAKER_CLOSED, "what the new one says holds");
}

static void
test_window(void)
{
    fresh(4, 1);
    once(true, 10000), once(true, 10001), once(true, 10002);
    once(false, 10600), once(false, 10600), once(false, 10600);
    ok(state() == WEIR_BREAKER_CLOSED, "failures of before the window count no more");
    is_int(weir_breaker_counts(&breaker, settings.window, AT(10600)).total, 3, "only the three of now are counted");
    once(true, 10700), once(true, 10800);
    ok(state() == WEIR_BREAKER_CLOSED, "two of five");
    once(true, 10900);
    ok(state() == WEIR_BREAKER_OPEN, "three of six");

    fresh(1, 1);
    settings.errors = 0;
    for (unsigned i = 0; i < 3; i++) {
        once(true, 10000);
    }
    ok(state() == WEIR_BREAKER_CLOSED, "errors do not matter where only slow ones do");
    uint64_t value = 0;
    for (uint32_t i = 0; i < 3u << BREAKER_COUNT; i++) {
        value = breaker_add(value, i % 4 == 0, false);
    }
    uint64_t total = value & BREAKER_MOST, errors = value >> BREAKER_COUNT & BREAKER_MOST;
    ok(total > BREAKER_MOST / 2 && errors * 4 >= total - 8 && errors * 4 <= total + 8, "more than fit keep their parts");
}

/* -- random histories against a plain model -- */

typedef struct { uint64_t at; bool failed; } ended_t;

typedef struct {
    weir_breaker_state_t state;
    uint64_t             since;
    ended_t              ended[64];          /* the last ones while it is closed, in a ring */
    unsigned             n, under_way, passed;
} model_t;

/* Slots of a hundred: what ended in this one and the five before counts. */
static void
model_report(model_t *m, bool failed, uint64_t now)
{
    unsigned total = 0, errors = 0;

    m->ended[m->n++ % 64] = (ended_t) { now, failed };
    for (unsigned i = m->n > 64 ? m->n - 64 : 0; i < m->n; i++) {
        const ended_t *one = &m->ended[i % 64];

        if (now / 100 - one->at / 100 < 6) {
            total++;
            errors += one->failed;
        }
    }
    if (total >= 4 && errors * 2 >= total) {
        *m = (model_t) { .state = WEIR_BREAKER_OPEN, .since = now };
    }
}

#define HELD 8

static void
test_against_a_model(void)
{
    struct { weir_breaker_ticket_t ticket; unsigned phase; bool is_probe; } held[HELD] = { { 0 } };
    model_t  m = { .state = WEIR_BREAKER_CLOSED };
    uint64_t now = 100000, seed = 88172645463325252u;
    unsigned wrong = 0, phase = 1, refused = 0, moves[3] = { 0 };

    fresh(4, 2);
    for (unsigned i = 0; i < 300000; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        unsigned at = seed >> 8 & (HELD - 1);
        bool     failed = seed % 1000 < 300;
        unsigned worker = seed >> 20 & 1;

        now += seed >> 32 & 63;
        if (held[at].phase == 0) {
            weir_msec_t wait;
            bool        may = m.state == WEIR_BREAKER_CLOSED;

            if ((m.state == WEIR_BREAKER_OPEN && now - m.since >= 1000)
                || (m.state == WEIR_BREAKER_HALF_OPEN && now - m.since >= 5000))
            {
                m = (model_t) { .state = WEIR_BREAKER_HALF_OPEN, .since = now };
                phase++;
            }
            /* What earlier phases left under way may take places of this one's gauge: it is looked at, not modelled. */
            if (m.state == WEIR_BREAKER_HALF_OPEN && m.under_way + m.passed < 2) {
                may = true;
            }
            bool was = weir_breaker_admit(&uses[worker], &held[at].ticket, &wait, AT(now));
            unsigned stale = 0;
            for (unsigned j = 0; j < HELD; j++) {
                stale += held[j].is_probe && held[j].phase != 0 && held[j].phase != phase;
            }
            wrong += was && !may;
            wrong += may && !was && stale == 0;
            refused += !was;
            if (was) {
                held[at].phase = phase;
                held[at].is_probe = m.state == WEIR_BREAKER_HALF_OPEN;
                m.under_way += held[at].is_probe;
            }
        } else {
            bool says = (seed >> 24 & 7) != 0, counts = held[at].phase == phase;
            bool is_probe = held[at].is_probe;

            if (says) {
                weir_breaker_report(&uses[worker], &held[at].ticket, failed, false, AT(now));
            }
            weir_breaker_leave(&uses[worker], &held[at].ticket);
            held[at].phase = 0;
            held[at].is_probe = false;
            m.under_way -= counts && is_probe;
            if (says && counts && is_probe) {
                if (failed) {
                    m = (model_t) { .state = WEIR_BREAKER_OPEN, .since = now };
                    phase++;
                } else if (++m.passed == 2) {
                    m = (model_t) { .state = WEIR_BREAKER_CLOSED };
                    phase++;
                }
            } else if (says && counts) {
                model_report(&m, failed, now);
                phase += m.state == WEIR_BREAKER_OPEN;
            }
        }
        wrong += state() != m.state;
        moves[m.state]++;
    }
    is_int(wrong, 0, "three hundred thousand steps are decided as by a plain model");
    is_int(weir_breaker_look(&breaker).moves, phase - 1, "there were as many moves");
    is_int(moved[0] + moved[1] + moved[2], phase - 1, "each was told once");
    ok(moves[0] > 1000 && moves[1] > 1000 && moves[2] > 1000 && refused > 1000, "all states were met");
}

/* -- every interleaving -- */



static ucontext_t    scheduler, workers[WORKERS];
static char          stacks[WORKERS][64 << 10];
static const char   *scripts[WORKERS];
static bool          is_done[WORKERS], is_running, was_killed;
static uint64_t      clocks;
/* of the phase in which the breaker is half-open: */
static unsigned      under_way[WORKERS], passed, most, violations;
static weir_breaker_ticket_t tickets[WORKERS][4];

static void
step(void)
{
    if (is_running) {
        unsigned me = running;

        (void) swapcontext(&workers[me], &scheduler);
        running = me;
    }
}

/* Slots of other times are not written here: in which order they are read makes no difference. */
static void
step_at(const void *at)
{
    if (at == &breaker.state || at == &breaker.slots[breaker_slot(settings.window, AT(clocks)) % WEIR_BREAKER_SLOTS]) {
        step();
    }
}

/* A script: A admits, G reports that it was good, F that it failed, W waits, L leaves; each of the last one admitted. */
static void
work(void)
{
    unsigned                  me = running, n = 0;
    const weir_breaker_use_t *use = &uses[me];
    weir_msec_t               wait;

    for (const char *at = scripts[me]; *at != '\0'; at++) {
        if (*at == 'A') {
            if (!weir_breaker_admit(use, &tickets[me][n], &wait, AT(clocks))) {
                while (at[1] != '\0' && at[1] != 'A') {      /* what it would have done is not done */
                    at++;
                }
                continue;
            }
            if ((tickets[me][n] & BREAKER_PROBE) != 0
                && (tickets[me][n] & BREAKER_EPOCH) == (weir_breaker_look(&breaker).moves & BREAKER_EPOCH))
            {
                under_way[me]++;
            }
            n++;
        } else if (*at == 'W') {
            step();
        } else if (*at == 'L') {
            unsigned was = under_way[me];

            under_way[me] -= (tickets[me][n - 1] & BREAKER_PROBE) != 0 && was != 0;
            weir_breaker_leave(use, &tickets[me][n - 1]);
        } else {
            bool is_probe = (tickets[me][n - 1] & BREAKER_PROBE) != 0;

            weir_breaker_report(use, &tickets[me][n - 1], *at == 'F', false, AT(clocks));
            if (is_probe && under_way[me] != 0) {
                under_way[me]--;
                passed++;
            }
        }
    }
    is_done[me] = true;
    is_running = false;
    (void) swapcontext(&workers[me], &scheduler);
}

static void
go_on(unsigned worker)
{
    running = worker;
    is_running = true;
    (void) swapcontext(&scheduler, &workers[worker]);
    is_running = false;
}

#define DECISIONS 128
#define CHANGES   6                        /* from one that could have gone on to the other */

static unsigned last, changes;

/* One schedule: choices[i] is whom the i-th turn goes to; WORKERS: the first one is killed.  Beyond n: the first that
 * can.  Returns how many turns there were; options[i]: how many choices each had. */
static unsigned
run(const uint8_t *choices, unsigned n, uint8_t *options, uint8_t *chosen, bool may_kill)
{
    unsigned turns = 0;

    last = changes = 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        (void) getcontext(&workers[i]);
        workers[i].uc_stack.ss_sp = stacks[i];
        workers[i].uc_stack.ss_size = sizeof(stacks[i]);
        workers[i].uc_link = NULL;
        makecontext(&workers[i], work, 0);
        is_done[i] = false;
        under_way[i] = 0;
    }
    passed = 0;
    was_killed = false;
    while (!is_done[0] || !is_done[1]) {
        uint8_t can[3];
        uint8_t n_can = 0, which;
        bool    must_stay = turns != 0 && changes == CHANGES && !is_done[last];

        for (uint8_t i = 0; i < WORKERS; i++) {
            if (!is_done[i] && (!must_stay || i == last)) {
                can[n_can++] = i;
            }
        }
        if (may_kill && !was_killed && !is_done[0]) {
            can[n_can++] = WORKERS;
        }
        weir_assert(turns < DECISIONS);
        which = turns < n ? choices[turns] : 0;
        options[turns] = n_can;
        chosen[turns++] = which;
        if (can[which] == WORKERS) {
            was_killed = is_done[0] = true;         /* what it held is given back by the master */
            gauges[0][0] = gauges[0][1] = 0;
            under_way[0] = 0;
        } else {
            changes += turns > 1 && can[which] != last && !is_done[last];
            last = can[which];
            go_on(last);
        }
        most = under_way[0] + under_way[1] + passed > most ? under_way[0] + under_way[1] + passed : most;
    }
    return turns;
}

/* All schedules of two scripts with so many changes, from a state that `prepare` makes.  Returns how many there are. */
static unsigned
each_schedule(const char *a, const char *b, bool may_kill, void (*prepare)(void), void (*check)(void))
{
    uint8_t  choices[DECISIONS] = { 0 }, options[DECISIONS], chosen[DECISIONS];
    unsigned n = 0, schedules = 0;

    scripts[0] = a;
    scripts[1] = b;
    most = violations = 0;
    for (;;) {
        prepare();
        n = run(choices, n, options, chosen, may_kill);
        schedules++;
        check();
        while (n > 0 && chosen[n - 1] + 1 >= options[n - 1]) {
            n--;
        }
        if (n == 0) {
            return schedules;
        }
        memcpy(choices, chosen, n);
        choices[n - 1]++;
    }
}

static void
prepare_closed(void)
{
    fresh(2, 1);
    clocks = 10000;
}

static void
prepare_open(void)
{
    fresh(1, 1);
    once(true, 10000);
    clocks = 11000;
}

static void
prepare_two(void)
{
    fresh(1, 2);
    once(true, 10000);
    clocks = 11000;
}

static void
check_moves(void)
{
    weir_breaker_look_t look = weir_breaker_look(&breaker);

    violations += moved[0] + moved[1] + moved[2] != look.moves || moved[look.state] == 0;
    violations += gauges[0][0] + gauges[0][1] + gauges[1][0] + gauges[1][1] != 0;
}

/* The killed one may not have told of its move. */
static void
check_killed(void)
{
    weir_breaker_look_t look = weir_breaker_look(&breaker);

    violations += moved[0] + moved[1] + moved[2] > look.moves;
    violations += gauges[0][0] + gauges[0][1] + gauges[1][0] + gauges[1][1] != 0;
    /* Whatever state it is in, it closes when all is well. */
    for (unsigned i = 0; i < 4; i++) {
        once(false, 13000 + i);
    }
    violations += state() != WEIR_BREAKER_CLOSED;
}

static void
check_opened(void)
{
    check_moves();
    violations += state() != WEIR_BREAKER_OPEN || moved[WEIR_BREAKER_OPEN] != 1;
}

static void
test_interleavings(void)
{
    unsigned n;

    n = each_schedule("AFL", "AFL", false, prepare_closed, check_opened);
    printf("# %u schedules\n", n);
    ok(n > 1000 && violations == 0, "two failures in two workers open it once, however they meet");
    n = each_schedule("AFL", "AGL", false, prepare_closed, check_opened);
    printf("# %u schedules\n", n);
    ok(n > 1000 && violations == 0, "a failure and a good one that fills the minimum do, too");
    n = each_schedule("AGL", "AGL", false, prepare_open, check_moves);
    printf("# %u schedules\n", n);
    ok(n > 1000 && violations == 0 && most == 1, "never more than one probe of one");
    n = each_schedule("AFL", "AGL", false, prepare_open, check_moves);
    ok(n > 1000 && violations == 0, "one that fails and one that is good");
    n = each_schedule("AWL", "AFL", false, prepare_open, check_moves);
    ok(n > 1000 && violations == 0 && most <= 1, "one that says nothing");
    n = each_schedule("AGL", "AGL", false, prepare_two, check_moves);
    printf("# %u schedules\n", n);
    ok(n > 1000 && violations == 0 && most == 2, "never more than two probes of two");
    n = each_schedule("AGLAWL", "AWL", false, prepare_two, check_moves);
    printf("# %u schedules\n", n);
    ok(n > 1000 && violations == 0 && most == 2, "nor when one has passed meanwhile");
    n = each_schedule("AGL", "AGL", true, prepare_open, check_killed);
    printf("# %u schedules with a death\n", n);
    ok(n > 10000 && violations == 0 && most <= 1, "one that is killed before any of its steps leaves no place behind");
    n = each_schedule("AFL", "AFL", true, prepare_closed, check_killed);
    ok(n > 1000 && violations == 0, "nor a breaker that does not go on");
}

/* The sanitizer knows of one stack, and says so of a program that changes it. */
#ifdef __SANITIZE_ADDRESS__
#define MAY_CHANGE_STACKS false
#else
#define MAY_CHANGE_STACKS true
#endif

int
main(void)
{
    test_steps();
    test_lease();
    test_window();
    test_against_a_model();
    if (MAY_CHANGE_STACKS) {
        test_interleavings();
    }
    return done();
}
