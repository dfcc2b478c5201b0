/*
 * circuit_breaker.c - `circuit_breaker` in an upstream block: a group of which too large a part of the attempts fails,
 * or is slow, is asked nothing for a while; then a few requests try it.
 *
 * The breaker (shm/breaker.h) is one for all workers, in two parts of the group's state, of which the gauges are the
 * probes under way.  Transitions are made, counted and logged by one worker each.
 *
 * Runs in workers.
 */
#include "upstream/breakers.h"
#include "upstream/module.h"

#include "log/log.h"

#define BREAKER_STATUS     100               /* the first that an answer may have */
#define BREAKER_STATUSES   500

typedef struct {
    weir_breaker_settings_t breaker;
    weir_msec_t             slow;            /* 0: nothing is */
    uint8_t                 statuses[(BREAKER_STATUSES + 7) / 8];    /* a bit for each that is a failure */
} breaker_settings_t;

typedef struct {
    bool               is_on, has_statuses, has_rate;
    breaker_settings_t settings;
} breaker_said_t;

typedef struct { breaker_said_t said; } breaker_conf_t;

typedef struct {
    weir_uppolicy_of_t *of;
    weir_breakers_t     parts;
    weir_breaker_use_t  use;
} breaker_state_t;

/* -- what shm/breaker.h asks and tells -- */

static bool
breaker_enter(void *data, bool turn, uint32_t max)
{
    return weir_state_part_admit(((breaker_state_t *) data)->parts.parts[turn], max);
}

static void
breaker_leave(void *data, bool turn)
{
    weir_state_part_leave(((breaker_state_t *) data)->parts.parts[turn]);
}

static void
breaker_moved(void *data, weir_breaker_state_t to, const weir_breaker_counts_t *counts)
{
    const breaker_state_t    *state = data;
    const breaker_settings_t *settings = state->of->settings;
    weir_str_t                name = weir_group_conf(state->of->group)->name;

    (void) __atomic_fetch_add(&state->parts.told->moves[to], 1, __ATOMIC_RELAXED);
    if (counts != NULL) {
        weir_log(WEIR_LOG_WARN, NULL, 0, "the circuit breaker of upstream \"%.*s\" is open: of %u attempts in %llu ms "
                 "%u failed, %u were slow", WEIR_STR_ARG(name), counts->total,
                 (unsigned long long) settings->breaker.window.ms, counts->errors, counts->slow);
    } else if (to == WEIR_BREAKER_OPEN) {
        weir_log(WEIR_LOG_WARN, NULL, 0, "the circuit breaker of upstream \"%.*s\" is open again: a probe failed",
                 WEIR_STR_ARG(name));
    } else {
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "the circuit breaker of upstream \"%.*s\" is %s", WEIR_STR_ARG(name),
                 weir_breakers_states[to]);
    }
}

/* -- the policy -- */

static void
breaker_begin(weir_uppolicy_of_t *of)
{
    breaker_state_t *state = of->state;

    state->of = of;
    weir_breakers_begin(&state->parts, of->group);
    state->use = (weir_breaker_use_t) {
        .breaker = state->parts.breaker, .settings = &((const breaker_settings_t *) of->settings)->breaker,
        .data = state, .enter = breaker_enter, .leave = breaker_leave, .moved = breaker_moved,
    };
}

static weir_refusal_t
breaker_admit(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now)
{
    breaker_state_t *state = of->state;

    if (weir_likely(weir_breaker_admit(&state->use, weir_policy_word(of, pick), &pick->refused_for, now))) {
        return WEIR_REFUSED_NOT;
    }
    (void) __atomic_fetch_add(&state->parts.told->refused, 1, __ATOMIC_RELAXED);
    return WEIR_REFUSED_BREAKER;
}

static void
breaker_end_request(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now WEIR_UNUSED)
{
    if (weir_unlikely((*weir_policy_word(of, pick) & WEIR_BREAKER_PROBE) != 0)) {
        weir_breaker_leave(&((breaker_state_t *) of->state)->use, weir_policy_word(of, pick));
    }
}

static bool
breaker_may_retry(weir_uppolicy_of_t *of, weir_pick_t *pick, weir_instant_t now WEIR_UNUSED)
{
    return weir_breaker_may_repeat(&((breaker_state_t *) of->state)->use, *weir_policy_word(of, pick));
}

static bool
breaker_is_failure(const breaker_settings_t *settings, const weir_outcome_t *outcome)
{
    unsigned at = (unsigned) outcome->status - BREAKER_STATUS;

    if (outcome->kind != WEIR_OUTCOME_ANSWER) {
        return true;
    }
    return at < BREAKER_STATUSES && (settings->statuses[at / 8] >> at % 8 & 1) != 0;
}

/* An answer is slow by when its head came, whatever its length; else the whole attempt counts. */
static bool
breaker_is_slow(const breaker_settings_t *settings, const weir_outcome_t *outcome)
{
    uint64_t took = outcome->status != 0 ? outcome->header_time.ms : outcome->total_time.ms;

    return settings->slow.ms != 0 && took >= settings->slow.ms;
}

static void
breaker_report(weir_uppolicy_of_t *of, weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now)
{
    const breaker_settings_t *settings = of->settings;

    if (outcome->kind != WEIR_OUTCOME_ABANDONED) {
        weir_breaker_report(&((breaker_state_t *) of->state)->use, weir_policy_word(of, pick),
                            breaker_is_failure(settings, outcome), breaker_is_slow(settings, outcome), now);
    }
}

/* A client that keeps a tunnel, or reads slowly, does not keep the breaker half-open. */
static void
breaker_gave(weir_uppolicy_of_t *of, weir_pick_t *pick, const weir_outcome_t *outcome, weir_instant_t now)
{
    if (weir_breaker_is_probe(*weir_policy_word(of, pick))) {
        breaker_report(of, pick, outcome, now);
    }
}

static const weir_told_t breaker_tells[] = {
    { .name = "state", .help = "What the circuit breaker is.", .kind = WEIR_TOLD_STATE, .label = "state",
      .states = weir_breakers_states },
    { .name = "moves", .help = "How often the circuit breaker became that.", .kind = WEIR_TOLD_COUNT,
      .label = "to", .value = "closed" },
    { .name = "moves", .help = "How often the circuit breaker became that.", .kind = WEIR_TOLD_COUNT,
      .label = "to", .value = "open" },
    { .name = "moves", .help = "How often the circuit breaker became that.", .kind = WEIR_TOLD_COUNT,
      .label = "to", .value = "half_open" },
    { .name = "refused", .help = "Requests that the circuit breaker let pass not.", .kind = WEIR_TOLD_COUNT },
    { .name = "probes", .help = "Probes under way.", .kind = WEIR_TOLD_GAUGE },
};

static void
breaker_tell(const weir_uppolicy_of_t *of, const weir_peer_t *peer, uint64_t *numbers)
{
    const breaker_state_t *state = of->state;

    if (peer != NULL) {
        return;
    }
    numbers[0] = weir_breaker_look(state->parts.breaker).state;
    for (size_t i = 0; i < weir_countof(state->parts.told->moves); i++) {
        numbers[1 + i] = __atomic_load_n(&state->parts.told->moves[i], __ATOMIC_RELAXED);
    }
    numbers[4] = __atomic_load_n(&state->parts.told->refused, __ATOMIC_RELAXED);
    numbers[5] = weir_state_part_sum(state->parts.parts[0]) + weir_state_part_sum(state->parts.parts[1]);
}

static const weir_uppolicy_t breaker_policy = {
    .name = "circuit_breaker",
    .group_size = sizeof(breaker_state_t),
    .begin = breaker_begin,
    .admit = breaker_admit,
    .leave = breaker_end_request,
    .retry = breaker_may_retry,
    .gave = breaker_gave,
    .report = breaker_report,
    .tells = breaker_tells,
    .n_tells = weir_countof(breaker_tells),
    .tell = breaker_tell,
};

static const weir_uppolicy_t *
breaker_judge(const void *conf, weir_str_t *settings)
{
    const breaker_said_t *said = &((const breaker_conf_t *) conf)->said;

    *settings = weir_str((const char *) &said->settings, sizeof(said->settings));
    return said->is_on ? &breaker_policy : NULL;
}

/* -- the directive -- */

static bool
breaker_read_percent(weir_conf_t *cf, size_t word, weir_str_t value, uint32_t *percent)
{
    if (value.len < 2 || value.at[value.len - 1] != '%'
        || !weir_conf_read_u32(weir_str(value.at, value.len - 1), percent) || *percent == 0 || *percent > 100)
    {
        return weir_conf_invalid(cf, word, "a percentage from 1% to 100%");
    }
    return true;
}

static bool
breaker_read_time(weir_conf_t *cf, size_t word, weir_str_t value, uint64_t least, weir_msec_t *time)
{
    if (!weir_conf_read_msec(value, time) || time->ms < least || time->ms > 86400000) {
        return weir_conf_invalid(cf, word, least == 1 ? "a time from 1ms to 1d" : "a time from 60ms to 1d");
    }
    return true;
}

static bool
breaker_read_number(weir_conf_t *cf, size_t word, weir_str_t value, uint32_t most, uint32_t *number)
{
    if (!weir_conf_read_u32(value, number) || *number == 0 || *number > most) {
        return weir_conf_error(cf, word, "invalid value \"%.*s\": expected a number from 1 to %u", WEIR_STR_ARG(value),
                               most);
    }
    return true;
}

#define BREAKER_OPTION(field, call)                                                           \
    static bool                                                                               \
    breaker_read_##field(weir_conf_t *cf, size_t word, weir_str_t value, void *data)          \
    {                                                                                         \
        breaker_said_t *said = data;                                                          \
                                                                                              \
        return call;                                                                          \
    }

BREAKER_OPTION(errors, breaker_read_percent(cf, word, value, &said->settings.breaker.errors))
BREAKER_OPTION(slow, breaker_read_time(cf, word, value, 1, &said->settings.slow))
BREAKER_OPTION(slow_rate, (said->has_rate = breaker_read_percent(cf, word, value, &said->settings.breaker.slow)))
BREAKER_OPTION(minimum, breaker_read_number(cf, word, value, 1000000, &said->settings.breaker.minimum))
BREAKER_OPTION(window, breaker_read_time(cf, word, value, WEIR_BREAKER_WINDOW_MIN, &said->settings.breaker.window))
BREAKER_OPTION(open, breaker_read_time(cf, word, value, 1, &said->settings.breaker.open))
BREAKER_OPTION(half_open, breaker_read_number(cf, word, value, WEIR_BREAKER_PROBES_MAX, &said->settings.breaker.probes))
BREAKER_OPTION(probe_timeout, breaker_read_time(cf, word, value, 1, &said->settings.breaker.lease))

/* "500" or "502-504"; false: it is neither. */
static bool
breaker_add_statuses(breaker_settings_t *settings, weir_str_t text)
{
    weir_str_t first = text, last = text;
    uint32_t   from, to;

    if (weir_str_cut(text, '-', &first, &last) && first.len == 0) {
        return false;
    }
    if (!weir_conf_read_u32(first, &from) || !weir_conf_read_u32(last, &to) || from < BREAKER_STATUS || to < from
        || to >= BREAKER_STATUS + BREAKER_STATUSES)
    {
        return false;
    }
    for (uint32_t at = from - BREAKER_STATUS; at <= to - BREAKER_STATUS; at++) {
        settings->statuses[at / 8] |= (uint8_t) (1u << at % 8);
    }
    return true;
}

static bool
breaker_read_statuses(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    breaker_said_t *said = data;
    weir_str_t      one, rest = value;
    bool            more = true;

    said->has_statuses = true;
    while (more) {
        more = weir_str_cut(rest, ',', &one, &rest);
        if (!breaker_add_statuses(&said->settings, more ? one : rest)) {
            return weir_conf_invalid(cf, word, "statuses from 100 to 599, as in 500,502-504");
        }
    }
    return true;
}

static bool
breaker_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    static const weir_conf_option_t options[] = {
        { .name = "errors", .read = breaker_read_errors }, { .name = "slow", .read = breaker_read_slow },
        { .name = "slow_rate", .read = breaker_read_slow_rate }, { .name = "minimum", .read = breaker_read_minimum },
        { .name = "window", .read = breaker_read_window }, { .name = "open", .read = breaker_read_open },
        { .name = "half_open", .read = breaker_read_half_open },
        { .name = "probe_timeout", .read = breaker_read_probe_timeout },
        { .name = "statuses", .read = breaker_read_statuses },
    };
    breaker_said_t *said = field;

    said->is_on = true;
    said->settings.breaker = (weir_breaker_settings_t) {
        .errors = 50, .slow = 50, .minimum = 20, .probes = 3, .window = { 10000 }, .open = { 5000 },
        .lease = { 60000 },
    };
    if (!weir_conf_read_options(cf, words, 1, options, weir_countof(options), "errors=, slow=, slow_rate=, minimum=, "
                                "window=, open=, half_open=, probe_timeout= or statuses=", said))
    {
        return false;
    }
    if (said->has_rate && said->settings.slow.ms == 0) {
        return weir_conf_error(cf, 0, "slow_rate= says nothing without slow=");
    }
    if (said->settings.slow.ms == 0) {
        said->settings.breaker.slow = 0;
    }
    return said->has_statuses || breaker_add_statuses(&said->settings, WEIR_STR("500-599"));
}

static const weir_conf_type_t breaker_type = {
    .name = "options", .size = sizeof(breaker_said_t), .min_args = 0, .max_args = 9, .parse = breaker_parse,
};

static const weir_directive_t breaker_directives[] = {
    WEIR_DIRECTIVE_OF(breaker_conf_t, said, "circuit_breaker", &breaker_type, .where = WEIR_IN_UPSTREAM,
                      .args = "[errors=percent] [slow=time [slow_rate=percent]] [minimum=number] [window=time] "
                              "[open=time] [half_open=number] [probe_timeout=time] [statuses=list]",
                      .help = "Asks the group nothing for a while when too many attempts failed, then tries it with a "
                              "few requests."),
    WEIR_DIRECTIVES_END
};

const weir_upstream_module_t weir_upstream_circuit_breaker = {
    .name = "upstream_circuit_breaker",
    .area = "Upstreams",
    .conf_size = sizeof(breaker_conf_t),
    .directives = breaker_directives,
    .judge = breaker_judge,
};
