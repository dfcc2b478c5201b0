/*
 * adaptive_concurrency.c - `adaptive_concurrency` in an upstream block: how many requests a group has at one time
 * follows how fast it answers.
 *
 *     gradient = (least time × (1 + buffer)) / time now, between a half and two
 *     limit    = gradient × limit + √(gradient × limit)
 *
 * The least time is measured now and then with few requests at a time (min=), the time now is the mean of a window of a
 * tenth of a second.  All of it is in one part of the group's state, of which the gauge is the requests under way.
 * Words change by compare-and-swap: the worker that takes a window away makes a new limit of it, once for all workers.
 *
 * Runs in workers.
 */
#include "upstream/module.h"

#include "os/sys.h"

#define ADAPT_WINDOW 100                     /* ms */
#define ADAPT_SUM    24                      /* bits of a sum of ms; above it 12 of a count, then what it is of */
#define ADAPT_COUNT  12
#define ADAPT_SUMS   ((UINT64_C(1) << ADAPT_SUM) - 1)
#define ADAPT_COUNTS ((UINT64_C(1) << ADAPT_COUNT) - 1)
#define ADAPT_AT     (ADAPT_SUM + ADAPT_COUNT)

typedef struct {
    weir_msec_t interval;                    /* 0: the directive was not said */
    uint32_t    jitter, buffer;              /* percent */
    uint32_t    min, max, samples;
} adapt_settings_t;

typedef struct { adapt_settings_t said; } adapt_conf_t;

/* The record of the part. */
typedef struct {
    uint64_t name;                           /* of its place */
    uint64_t limit;                          /* 0: not made yet, min */
    uint64_t least;                          /* ms; 0: not measured yet */
    uint64_t due;                            /* when it is measured next */
    uint64_t measured;                       /* samples of the measurement that is under way, by its number */
    uint64_t measurements;                   /* twice the number of those that have ended; odd: one is under way */
    uint64_t window;                         /* samples, by the number of the window */
    uint64_t refused;
    uint64_t unused[8];
} adapt_record_t;

_Static_assert(sizeof(adapt_record_t) == WEIR_PLACES_RECORD, "it is a record");

typedef struct { weir_state_part_t *part; adapt_record_t *record; } adapt_state_t;

static inline uint64_t
adapt_load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline bool
adapt_swap(uint64_t *word, uint64_t was, uint64_t next)
{
    return __atomic_compare_exchange_n(word, &was, next, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* -- samples: a number of what they are of, how many, their sum -- */

static inline uint64_t
adapt_of(uint64_t samples)
{
    return samples >> ADAPT_AT;
}

static inline uint64_t
adapt_count(uint64_t samples)
{
    return samples >> ADAPT_SUM & ADAPT_COUNTS;
}

/* At least 1 ms: what is faster cannot be told apart. */
static inline uint64_t
adapt_mean(uint64_t samples)
{
    return adapt_count(samples) != 0 ? weir_max((samples & ADAPT_SUMS) / adapt_count(samples), UINT64_C(1)) : 1;
}

/* What has no room is left out. */
static uint64_t
adapt_add(uint64_t samples, uint64_t ms)
{
    ms = weir_min(ms, UINT64_C(60000));
    return adapt_count(samples) == ADAPT_COUNTS || (samples & ADAPT_SUMS) + ms > ADAPT_SUMS
             ? samples : samples + (UINT64_C(1) << ADAPT_SUM) + ms;
}

#define ADAPT_NUMBERS ((UINT64_C(1) << (64 - ADAPT_AT)) - 1)

/* -- the limit -- */

static uint64_t
adapt_root(uint64_t n)
{
    uint64_t root = 0;

    while ((root + 1) * (root + 1) <= n) {
        root++;
    }
    return root;
}

/* least and now: ms. */
static uint64_t
adapt_next(const adapt_settings_t *settings, uint64_t limit, uint64_t least, uint64_t now)
{
    uint64_t thousandths, next;

    weir_assert(now != 0 && settings->min != 0 && settings->min <= settings->max);
    thousandths = least * 10 * (100 + settings->buffer) / now;
    thousandths = weir_min(weir_max(thousandths, UINT64_C(500)), UINT64_C(2000));
    next = limit * thousandths / 1000;
    next += adapt_root(next);
    return weir_min(weir_max(next, (uint64_t) settings->min), (uint64_t) settings->max);
}

static uint64_t
adapt_limit(const adapt_settings_t *settings, const adapt_record_t *record)
{
    uint64_t limit = adapt_load(&record->limit);

    if ((adapt_load(&record->measurements) & 1) != 0) {
        return settings->min;
    }
    return weir_min(weir_max(limit, (uint64_t) settings->min), (uint64_t) settings->max);
}

/* -- measuring -- */

/* After the interval and a random part of the jitter, so that not all gateways slow down at once. */
static uint64_t
adapt_due(const adapt_settings_t *settings, weir_instant_t now)
{
    uint64_t most = settings->interval.ms * settings->jitter / 100, random = 0;

    if (most != 0 && weir_sys_random(&random, sizeof(random)) == 0) {
        random %= most + 1;
    }
    return now.ms + settings->interval.ms + random;
}

/* One worker begins it. */
static void
adapt_begin_measuring(const adapt_settings_t *settings, adapt_record_t *record, weir_instant_t now)
{
    uint64_t due = adapt_load(&record->due), measurements = adapt_load(&record->measurements);

    if (weir_likely(now.ms < due) || (measurements & 1) != 0
        || !adapt_swap(&record->due, due, adapt_due(settings, now)))
    {
        return;
    }
    (void) adapt_swap(&record->measurements, measurements, measurements + 1);
}

/* A request that was let in while this measurement was under way. */
static void
adapt_measure(const adapt_settings_t *settings, adapt_record_t *record, uint64_t number, uint64_t ms)
{
    uint64_t of = number & ADAPT_NUMBERS, was, next;

    do {
        was = adapt_load(&record->measured);
        next = adapt_add(adapt_of(was) == of ? was : of << ADAPT_AT, ms);
    } while (!adapt_swap(&record->measured, was, next));
    if (adapt_count(next) >= settings->samples && adapt_swap(&record->measurements, number, number + 1)) {
        __atomic_store_n(&record->least, adapt_mean(next), __ATOMIC_RELEASE);
    }
}

/* A new window takes the place of the old one, which is the taker's. */
static void
adapt_sample(const adapt_settings_t *settings, adapt_record_t *record, uint64_t ms, weir_instant_t now)
{
    uint64_t of = now.ms / ADAPT_WINDOW & ADAPT_NUMBERS, was, next, limit, least;

    do {
        was = adapt_load(&record->window);
        next = adapt_add(adapt_of(was) == of ? was : of << ADAPT_AT, ms);
    } while (!adapt_swap(&record->window, was, next));
    least = adapt_load(&record->least);
    if (adapt_of(was) != of && adapt_count(was) != 0 && least != 0) {
        limit = adapt_limit(settings, record);
        __atomic_store_n(&record->limit, adapt_next(settings, limit, least, adapt_mean(was)), __ATOMIC_RELEASE);
    }
}

/* -- the policy -- */

static void
adapt_begin(weir_uppolicy_of_t *of)
{
    adapt_state_t *state = of->state;

    state->part = weir_state_part(of->group, NULL, "adaptive_concurrency");
    state->record = state->part->place.record;
}

static weir_refusal_t
adapt_admit(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now)
{
    const adapt_settings_t *settings = of->settings;
    adapt_state_t          *state = of->state;
    uint64_t                limit;

    adapt_begin_measuring(settings, state->record, now);
    limit = adapt_limit(settings, state->record);
    if (!weir_state_part_admit(state->part, (uint32_t) limit)) {
        (void) __atomic_fetch_add(&state->record->refused, 1, __ATOMIC_RELAXED);
        return WEIR_REFUSED_CONCURRENCY;
    }
    *weir_policy_word(of, pick) = (uint32_t) adapt_load(&state->record->measurements);
    return WEIR_REFUSED_NOT;
}

static void
adapt_leave(weir_uppolicy_of_t *of, weir_pick_t *pick WEIR_UNUSED, weir_instant_t now WEIR_UNUSED)
{
    weir_state_part_leave(((adapt_state_t *) of->state)->part);
}

/* What says how busy the group is: answers, and those that came too late. */
static void
adapt_report(weir_uppolicy_of_t *of, weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now)
{
    adapt_record_t *record = ((adapt_state_t *) of->state)->record;
    uint64_t        number = adapt_load(&record->measurements), ms;

    if (outcome->kind != WEIR_OUTCOME_ANSWER && outcome->kind != WEIR_OUTCOME_TIMEOUT) {
        return;
    }
    ms = outcome->status != 0 ? outcome->header_time.ms : outcome->total_time.ms;
    if ((number & 1) == 0) {
        adapt_sample(of->settings, record, ms, now);
    } else if ((uint32_t) number == *weir_policy_word(of, pick)) {
        adapt_measure(of->settings, record, number, ms);
    }
}

static const weir_told_t adapt_tells[] = {
    { .name = "limit", .help = "Requests that the group may have at one time now.", .kind = WEIR_TOLD_GAUGE },
    { .name = "now", .help = "Requests that the group has.", .kind = WEIR_TOLD_GAUGE },
    { .name = "min_rtt_seconds", .help = "The least time, as measured last.", .kind = WEIR_TOLD_SECONDS },
    { .name = "measurements", .help = "Measurements of the least time.", .kind = WEIR_TOLD_COUNT },
    { .name = "refused", .help = "Requests beyond the limit.", .kind = WEIR_TOLD_COUNT },
};

static void
adapt_tell(const weir_uppolicy_of_t *of, const weir_peer_t *peer, uint64_t *numbers)
{
    const adapt_state_t *state = of->state;

    if (peer != NULL) {
        return;
    }
    numbers[0] = adapt_limit(of->settings, state->record);
    numbers[1] = weir_state_part_sum(state->part);
    numbers[2] = adapt_load(&state->record->least);
    numbers[3] = adapt_load(&state->record->measurements) / 2;
    numbers[4] = adapt_load(&state->record->refused);
}

static const weir_uppolicy_t adapt_policy = {
    .name = "adaptive_concurrency",
    .group_size = sizeof(adapt_state_t),
    .begin = adapt_begin,
    .admit = adapt_admit,
    .leave = adapt_leave,
    .report = adapt_report,
    .tells = adapt_tells,
    .n_tells = weir_countof(adapt_tells),
    .tell = adapt_tell,
};

static const weir_uppolicy_t *
adapt_judge(const void *conf, weir_str_t *settings)
{
    const adapt_settings_t *said = &((const adapt_conf_t *) conf)->said;

    *settings = weir_str((const char *) said, sizeof(*said));
    return said->interval.ms != 0 ? &adapt_policy : NULL;
}

/* -- the directive -- */

static bool
adapt_read_interval(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    weir_msec_t *interval = &((adapt_settings_t *) data)->interval;

    return (weir_conf_read_msec(value, interval) && interval->ms >= 100 && interval->ms <= 86400000)
           || weir_conf_invalid(cf, word, "a time from 100ms to 1d");
}

static bool
adapt_read_percent(weir_conf_t *cf, size_t word, weir_str_t value, uint32_t *percent)
{
    return (value.len >= 2 && value.at[value.len - 1] == '%'
            && weir_conf_read_u32(weir_str(value.at, value.len - 1), percent) && *percent <= 1000)
           || weir_conf_invalid(cf, word, "a percentage from 0% to 1000%");
}

static bool
adapt_read_jitter(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    return adapt_read_percent(cf, word, value, &((adapt_settings_t *) data)->jitter);
}

static bool
adapt_read_buffer(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    return adapt_read_percent(cf, word, value, &((adapt_settings_t *) data)->buffer);
}

static bool
adapt_read_number(weir_conf_t *cf, size_t word, weir_str_t value, uint32_t most, uint32_t *number)
{
    return (weir_conf_read_u32(value, number) && *number != 0 && *number <= most)
           || weir_conf_error(cf, word, "invalid value \"%.*s\": expected a number from 1 to %u", WEIR_STR_ARG(value),
                              most);
}

static bool
adapt_read_min(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    return adapt_read_number(cf, word, value, 100000, &((adapt_settings_t *) data)->min);
}

static bool
adapt_read_max(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    return adapt_read_number(cf, word, value, 100000, &((adapt_settings_t *) data)->max);
}

static bool
adapt_read_samples(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    return adapt_read_number(cf, word, value, 200, &((adapt_settings_t *) data)->samples);
}

static bool
adapt_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    static const weir_conf_option_t options[] = {
        { .name = "min_rtt_interval", .read = adapt_read_interval }, { .name = "jitter", .read = adapt_read_jitter },
        { .name = "buffer", .read = adapt_read_buffer }, { .name = "min", .read = adapt_read_min },
        { .name = "max", .read = adapt_read_max }, { .name = "samples", .read = adapt_read_samples },
    };
    adapt_settings_t *said = field;

    *said = (adapt_settings_t) { .interval = { 60000 }, .jitter = 15, .buffer = 25, .min = 3, .max = 1000,
                                 .samples = 50 };
    if (!weir_conf_read_options(cf, words, 1, options, weir_countof(options),
                                "min_rtt_interval=, jitter=, buffer=, min=, max= or samples=", said))
    {
        return false;
    }
    return said->min <= said->max || weir_conf_error(cf, 0, "min=%u is more than max=%u", said->min, said->max);
}

static const weir_conf_type_t adapt_type = {
    .name = "options", .size = sizeof(adapt_settings_t), .min_args = 0, .max_args = 6, .parse = adapt_parse,
};

static const weir_directive_t adapt_directives[] = {
    WEIR_DIRECTIVE_OF(adapt_conf_t, said, "adaptive_concurrency", &adapt_type, .where = WEIR_IN_UPSTREAM,
                      .args = "[min_rtt_interval=time] [jitter=percent] [buffer=percent] [min=number] [max=number] "
                              "[samples=number]",
                      .help = "Bounds the requests that the group has at one time by how fast it answers."),
    WEIR_DIRECTIVES_END
};

const weir_upstream_module_t weir_upstream_adaptive_concurrency = {
    .name = "upstream_adaptive_concurrency",
    .area = "Upstreams",
    .conf_size = sizeof(adapt_conf_t),
    .directives = adapt_directives,
    .judge = adapt_judge,
};
