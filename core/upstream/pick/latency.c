/*
 * latency.c - see latency.h.
 *
 * A word is an average in microseconds and, above it, when it was last added to, in quarters of a second of the
 * monotonic clock, which come again after 48 days.  Another worker may be first: then the word is read again.
 */
#include "upstream/latency.h"

#include "upstream/running.h"

#define LATENCY_BITS   40
#define LATENCY_MAX    ((UINT64_C(1) << LATENCY_BITS) - 1)
#define LATENCY_TICK   250               /* ms */
#define LATENCY_TICKS  (UINT64_C(1) << (64 - LATENCY_BITS))
#define LATENCY_PART   8                 /* of the average that the last answer is */
#define LATENCY_HALVED 40                /* ticks without an answer: half as far from the group's average */

/* Of each peer, in this worker: what is under way, and the sum of when it began. */
typedef struct { uint64_t n, began; } latency_peer_t;

static uint64_t
latency_ticks(weir_instant_t now)
{
    return now.ms / LATENCY_TICK % LATENCY_TICKS;
}

/* 0 us means that nothing is known. */
static void
latency_add(uint64_t *word, uint64_t us, weir_instant_t now)
{
    uint64_t was = __atomic_load_n(word, __ATOMIC_RELAXED), average, next;

    us = weir_min(weir_max(us, UINT64_C(1)), LATENCY_MAX);
    do {
        average = was & LATENCY_MAX;
        average = average == 0 ? us : (average * (LATENCY_PART - 1) + us) / LATENCY_PART;
        next = latency_ticks(now) << LATENCY_BITS | weir_max(average, UINT64_C(1));
    } while (!__atomic_compare_exchange_n(word, &was, next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

static uint64_t
latency_of_peer(const weir_peer_t *peer, uint32_t kind, weir_instant_t now)
{
    uint64_t word = __atomic_load_n(&peer->state->latency[kind], __ATOMIC_RELAXED);
    uint64_t whole = __atomic_load_n(&peer->group->state->latency[kind], __ATOMIC_RELAXED) & LATENCY_MAX;
    uint64_t own = word & LATENCY_MAX, age, halved;

    whole = weir_max(whole, UINT64_C(1));
    if (own == 0) {
        return whole;
    }
    age = (latency_ticks(now) - (word >> LATENCY_BITS)) % LATENCY_TICKS;
    age = age > LATENCY_TICKS / 2 ? 0 : age;             /* another worker's clock may be a little ahead */
    halved = weir_min(age / LATENCY_HALVED, UINT64_C(40));
    return own > whole ? whole + ((own - whole) >> halved) : whole - ((whole - own) >> halved);
}

/* -- the policy -- */

static void
latency_picked(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now)
{
    latency_peer_t *mine = weir_policy_peer(of, pick->peer);

    pick->picked = now;
    mine->n++;
    mine->began += now.ms;
}

static void
latency_report(weir_uppolicy_of_t *of, weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now)
{
    const weir_latency_settings_t *settings = of->settings;
    latency_peer_t                *mine = weir_policy_peer(of, pick->peer);
    weir_msec_t                    time = outcome->total_time;

    weir_assert(mine->n != 0 && mine->began >= pick->picked.ms);
    mine->n--;
    mine->began -= pick->picked.ms;
    if (outcome->kind == WEIR_OUTCOME_ANSWER && !outcome->failed) {
        time = settings->kind == WEIR_LATENCY_HEADER ? outcome->header_time : outcome->total_time;
    } else if (outcome->kind != WEIR_OUTCOME_TIMEOUT) {
        return;
    }
    latency_add(&pick->peer->state->latency[settings->kind], time.ms * 1000, now);
    latency_add(&pick->group->state->latency[settings->kind], time.ms * 1000, now);
}

static const weir_told_t latency_tells[] = {
    { .name = "average_seconds", .help = "The average time that the peer takes to answer.", .kind = WEIR_TOLD_SECONDS,
      .of_peer = true },
};

static void
latency_tell(const weir_uppolicy_of_t *of, const weir_peer_t *peer, uint64_t *numbers)
{
    const weir_latency_settings_t *settings = of->settings;

    if (peer != NULL) {
        numbers[0] = (__atomic_load_n(&peer->state->latency[settings->kind], __ATOMIC_RELAXED) & LATENCY_MAX) / 1000;
    }
}

const weir_uppolicy_t weir_latency_policy = {
    .name = "least_time",
    .peer_size = sizeof(latency_peer_t),
    .picked = latency_picked,
    .report = latency_report,
    .tells = latency_tells,
    .n_tells = weir_countof(latency_tells),
    .tell = latency_tell,
};

/* -- loads -- */

/* With what is under way in this worker, as if it ended now: where that is worse than what is known. */
static uint64_t
latency_with_pending(const latency_peer_t *mine, uint64_t average, weir_instant_t now)
{
    uint64_t age;

    if (mine->n == 0 || now.ms * mine->n <= mine->began) {
        return average;
    }
    age = (now.ms - mine->began / mine->n) * 1000;
    return age > average ? average + (age - average) * weir_min(mine->n, (uint64_t) LATENCY_PART) / LATENCY_PART
                         : average;
}

uint64_t
weir_latency_load(const weir_peer_t *peer)
{
    const weir_uppolicy_of_t      *of = weir_policy_find(peer->group, &weir_latency_policy);
    const weir_latency_settings_t *settings = of->settings;
    uint64_t                       average = latency_of_peer(peer, settings->kind, peer->group->now);

    if (settings->inflight != 0) {
        average = latency_with_pending(weir_policy_peer(of, peer), average, peer->group->now);
    }
    average = weir_min(average, LATENCY_MAX >> 8);
    return average * ((uint64_t) weir_state_in_use(peer) + 1) * WEIR_TURNS_WHOLE / weir_peer_part(peer)
           / peer->conf->weight;
}

bool
weir_latency_read(weir_str_t text, uint32_t *kind)
{
    *kind = weir_str_eq(text, WEIR_STR("header")) ? WEIR_LATENCY_HEADER : WEIR_LATENCY_LAST_BYTE;
    return *kind == WEIR_LATENCY_HEADER || weir_str_eq(text, WEIR_STR("last_byte"));
}
