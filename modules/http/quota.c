/*
 * quota.c - how much a key may use in an hour, a day or a month of the calendar: exact over all workers, and kept in
 * the store, so that neither a restart nor a kill gives anything back (shm/quota.h).
 *
 * All quotas of a place are taken, and given back when one refuses, so that a request that is refused costs nothing.
 * Runs in workers; a known key costs a look and one compare-and-swap, one that the zone does not hold a look into the
 * store's map.
 */
#include "http/guard/calendar.h"
#include "http/guard/dry_run.h"
#include "http/guard/limit.h"

#include "os/clock.h"
#include "store/conf.h"

#define QUOTA_MAX 16                      /* in one place */

typedef struct {
    weir_limit_zone_t zone;                  /* first */
    weir_calendar_t   calendar;
    uint32_t          stats;                 /* row */
} quota_zone_t;

typedef struct { quota_zone_t *at; size_t n; } quota_zones_t;

typedef struct {
    weir_str_t             name;
    const weir_template_t *limit;
    weir_conf_words_t      words;
    const quota_zone_t    *zone;             /* from .check */
} quota_limit_t;

typedef struct { quota_limit_t *at; size_t n; } quota_limits_t;

typedef struct {
    quota_zones_t  zones;
    quota_limits_t limits;
    uint32_t       log_level, status, dry_run;
    weir_flag_t    headers;
} quota_conf_t;

/* One that counts a request. */
typedef struct {
    const quota_limit_t *limit;
    weir_keyed_key_t     key;
    weir_quota_period_t  period;
    uint64_t             allowed;
    weir_quota_count_t   count;
} quota_counted_t;

/* Of one request in one place. */
typedef struct quota_state {
    struct quota_state    *before;           /* in the place that it was redirected from */
    weir_limit_status_t    status;
    bool                   is_rehearsal;
    const quota_counted_t *refused;          /* the one that did; NULL: none */
    size_t                 n;
    quota_counted_t        counted[];
} quota_state_t;

extern const size_t weir_http_quota_index;

static const weir_zone_kind_t *const quota_kinds[] = { &weir_quota_kind, NULL };

/* -- directives -- */

static const struct { const char *word; weir_period_unit_t unit; char letter; } quota_units[] = {
    { "per=hour", WEIR_PERIOD_HOUR, 'h' }, { "per=day", WEIR_PERIOD_DAY, 'd' }, { "per=month", WEIR_PERIOD_MONTH, 'm' },
};

static bool
quota_parse_zone(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    quota_zone_t zone = { .calendar = weir_calendar_utc(cf) };
    size_t       at;
    bool         has_unit = false;

    (void) row;
    if (!weir_limit_read_zone(cf, words, &zone.zone, &at)) {
        return false;
    }
    for (size_t i = 2; i < words->n; i++) {
        weir_str_t word = words->at[i].text;
        bool       is_unit = false;

        for (size_t u = 0; u < weir_countof(quota_units); u++) {
            if (weir_str_eq(word, weir_str_from_z(quota_units[u].word))) {
                zone.calendar.unit = quota_units[u].unit;
                is_unit = has_unit = true;
            }
        }
        if (weir_str_starts(word, WEIR_STR("timezone="))) {
            if (!weir_calendar_read(cf, i, weir_str_skip(word, sizeof("timezone=") - 1), &zone.calendar)) {
                return false;
            }
        } else if (!is_unit && i != at) {
            return weir_conf_invalid(cf, i, "zone=name:size, per=hour, per=day or per=month, timezone=name");
        }
    }
    if (!has_unit) {
        return weir_conf_error(cf, 0, "\"quota_zone\" must have per=hour, per=day or per=month");
    }
    if (weir_limit_find_zone(field, sizeof(zone), zone.zone.name) != NULL) {
        return weir_conf_error(cf, at, "duplicate zone \"%.*s\"", WEIR_STR_ARG(zone.zone.name));
    }
    *(quota_zone_t *) weir_conf_list_push(cf, field, sizeof(zone)) = zone;
    return true;
}

static bool
quota_parse_limit(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    const quota_limits_t *before = field;
    quota_limit_t         limit = { .words = *words };
    uint64_t              number;

    (void) row;
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t word = words->at[i].text;

        if (weir_str_starts(word, WEIR_STR("zone="))) {
            limit.name = weir_str_skip(word, 5);
        } else if (weir_str_starts(word, WEIR_STR("limit="))) {
            weir_str_t text = weir_str_skip(word, 6);

            limit.limit = weir_conf_template(cf, i, text);
            if (limit.limit == NULL) {
                return false;
            }
            if (!weir_conf_has_variables(cf, i, text)
                && (!weir_str_to_u64(text, &number) || number > WEIR_QUOTA_MAX))
            {
                return weir_conf_invalid(cf, i, "limit=, a number of requests or a text with variables that is one");
            }
        } else {
            return weir_conf_invalid(cf, i, "zone=name limit=number");
        }
    }
    if (limit.name.len == 0 || limit.limit == NULL) {
        return weir_conf_error(cf, 0, "\"quota\" must have \"zone=name\" and \"limit=number\"");
    }
    for (size_t i = 0; i < before->n; i++) {
        if (weir_str_eq(before->at[i].name, limit.name)) {
            return weir_conf_error(cf, 0, "duplicate \"quota\" of zone \"%.*s\"", WEIR_STR_ARG(limit.name));
        }
    }
    if (before->n == QUOTA_MAX) {
        return weir_conf_error(cf, 0, "more than %d \"quota\" in one place", QUOTA_MAX);
    }
    *(quota_limit_t *) weir_conf_list_push(cf, field, sizeof(limit)) = limit;
    return true;
}

static bool
quota_open(weir_conf_t *cf, quota_zone_t *zone)
{
    void *memory;

    if (!weir_store_is_set(cf)) {
        return weir_conf_error_at(cf, &zone->zone.words,
                                  "quotas are kept in the store: \"quota_zone\" needs \"store_path\"");
    }
    memory = weir_limit_take_zone(cf, &zone->zone, &weir_quota_kind, zone->zone.size);
    if (memory == NULL) {
        return false;
    }
    zone->stats = weir_limit_stats_row(cf, "quota", zone->zone.name);
    zone->calendar.table = weir_quota_open(memory, zone->zone.size);
    return zone->calendar.table != NULL
           || weir_conf_error_at(cf, &zone->zone.words, "the zone \"%.*s\" holds something else",
                                 WEIR_STR_ARG(zone->zone.name));
}

static bool
quota_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    quota_conf_t *conf = conf_;

    for (size_t i = 0; block->context == WEIR_IN_HTTP && i < conf->zones.n; i++) {
        if (!quota_open(cf, &conf->zones.at[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < conf->limits.n; i++) {
        quota_limit_t *limit = &conf->limits.at[i];

        limit->zone = weir_limit_find_zone((const weir_conf_list_t *) (const void *) &conf->zones, sizeof(quota_zone_t),
                                           limit->name);
        if (limit->zone == NULL) {
            return weir_limit_no_zone(cf, &limit->words, "quota_zone", limit->name);
        }
    }
    return true;
}

/* -- a request -- */

/* What is allowed; false: the quota does not count this request. */
static bool
quota_allowed(const quota_limit_t *limit, weir_request_t *req, uint64_t *allowed)
{
    weir_str_t text = weir_request_eval(req, limit->limit);

    if (text.len == 0) {
        return false;
    }
    if (!weir_str_to_u64(text, allowed)) {
        weir_log(WEIR_LOG_ERROR, &req->log, 0,
                 "the limit \"%.*s\" of quota zone \"%.*s\" is no number: nothing is allowed", WEIR_STR_ARG(text),
                 WEIR_STR_ARG(limit->name));
        *allowed = 0;
    }
    *allowed = weir_min(*allowed, WEIR_QUOTA_MAX);
    return true;
}

/* The place's quotas that count it; how many. */
static size_t
quota_keys(const quota_conf_t *conf, weir_request_t *req, bool is_rehearsal, quota_counted_t *counted)
{
    const quota_conf_t *outside = req->server->fallback->conf[weir_http_quota_index];
    size_t              n = 0;

    for (size_t i = 0; i < conf->limits.n; i++) {
        const quota_limit_t *limit = &conf->limits.at[i];
        weir_str_t           key = weir_limit_key(req, &limit->zone->zone);

        if (key.len != 0 && weir_limit_counts(req, limit->zone->zone.key, conf->limits.at == outside->limits.at,
                                              is_rehearsal)
            && quota_allowed(limit, req, &counted[n].allowed))
        {
            weir_limit_counted(req, limit->zone->zone.key, is_rehearsal);
            weir_assert(n < QUOTA_MAX);
            counted[n].limit = limit;
            counted[n].period = weir_calendar_now(&limit->zone->calendar);
            /* Of its unit: what a zone counted by the day says nothing when it counts by the month. */
            key = weir_str_printf(&req->arena, "%c%.*s", quota_units[limit->zone->calendar.unit].letter,
                                  WEIR_STR_ARG(key));
            weir_quota_hash(limit->zone->calendar.table, key, &counted[n++].key);
        }
    }
    return n;
}

static uint64_t
quota_left(const quota_counted_t *counted)
{
    return counted->allowed > counted->count.used ? counted->allowed - counted->count.used : 0;
}

static weir_quota_result_t
quota_take_one(quota_counted_t *at, uint64_t allowed)
{
    return weir_quota_take(at->limit->zone->calendar.table, at->limit->name, &at->key, &at->period, allowed,
                           &at->count);
}

/* Takes one of each, or none when one refuses; what each has is known then all the same, for the client. */
static weir_quota_result_t
quota_take(quota_state_t *state)
{
    weir_quota_result_t result = WEIR_QUOTA_ADMITTED;
    size_t              taken = 0;

    weir_assert(state->n != 0 && state->refused == NULL);
    while (taken < state->n && (result = quota_take_one(&state->counted[taken],
                                                        state->counted[taken].allowed)) == WEIR_QUOTA_ADMITTED)
    {
        taken++;
    }
    if (taken == state->n) {
        return WEIR_QUOTA_ADMITTED;
    }
    state->refused = &state->counted[taken];
    for (size_t i = taken + 1; i < state->n; i++) {
        (void) !quota_take_one(&state->counted[i], 0);      /* a look */
    }
    while (taken-- > 0) {
        quota_counted_t *at = &state->counted[taken];

        weir_quota_give_back(at->limit->zone->calendar.table, at->limit->name, &at->key, &at->count);
        at->count.used--;
    }
    return result;
}

static weir_step_t
quota_reject(const quota_conf_t *conf, weir_request_t *req, quota_state_t *state, weir_quota_result_t result)
{
    const quota_limit_t *limit = state->refused->limit;
    bool                 is_used = result == WEIR_QUOTA_REFUSED;

    weir_assert(state->refused >= state->counted && state->refused < state->counted + state->n);
    state->status = state->is_rehearsal ? WEIR_LIMIT_REJECTED_DRY_RUN : WEIR_LIMIT_REJECTED;
    weir_limit_judged(req, "quota", limit->zone->zone.name, limit->zone->stats, state->status);
    if (is_used) {
        weir_request_log(req, conf->log_level, WEIR_CAUSE_LIMIT_QUOTA,
                         "quota is used up%s: %llu of %llu by zone \"%.*s\"",
                       state->is_rehearsal ? ", dry run" : "", (unsigned long long) state->refused->count.used,
                       (unsigned long long) state->refused->allowed, WEIR_STR_ARG(limit->name));
    }
    if (state->is_rehearsal) {
        return weir_dry_run_ends(req);
    }
    return is_used ? weir_request_fail_status(req, WEIR_CAUSE_LIMIT_QUOTA, (uint16_t) conf->status, NULL)
                   : weir_request_fail(req, WEIR_CAUSE_STORE_UNAVAILABLE,
                                       result == WEIR_QUOTA_FULL ? "the quota's zone is full" : NULL);
}

static weir_step_t
quota_access(weir_request_t *req, const void *conf_)
{
    const quota_conf_t *conf = conf_;
    quota_counted_t     counted[QUOTA_MAX];
    quota_state_t      *state;
    weir_quota_result_t result;
    weir_policy_t       policy = weir_dry_run_begin(req, conf->dry_run);
    size_t              n = policy == WEIR_POLICY_NOT_ASKED ? 0
                            : quota_keys(conf, req, policy == WEIR_POLICY_REHEARSED, counted);

    if (n == 0 || req->failed_value != WEIR_CAUSE_NONE) {
        return WEIR_NEXT;
    }
    weir_assert(n <= QUOTA_MAX);
    state = weir_alloc(&req->arena, sizeof(*state) + n * sizeof(state->counted[0]));
    *state = (quota_state_t) { .before = weir_request_kept(req, weir_http_quota_index), .n = n,
                               .is_rehearsal = policy == WEIR_POLICY_REHEARSED };
    memcpy(state->counted, counted, n * sizeof(*counted));
    weir_request_keep(req, weir_http_quota_index, state);
    result = quota_take(state);
    if (result != WEIR_QUOTA_ADMITTED) {
        return quota_reject(conf, req, state, result);
    }
    state->status = WEIR_LIMIT_PASSED;
    for (size_t i = 0; i < n; i++) {
        if (state->is_rehearsal) {
            weir_limit_counted(req, counted[i].limit->zone->zone.key, false);
        }
        weir_limit_judged(req, "quota", counted[i].limit->zone->zone.name, counted[i].limit->zone->stats,
                          WEIR_LIMIT_PASSED);
    }
    return WEIR_NEXT;
}

static void
quota_tell(weir_request_t *req, const quota_counted_t *counted, bool refused)
{
    const weir_period_t *period = counted->limit->zone->calendar.period;
    int64_t              now_s = (int64_t) (weir_clock_wall_ms() / 1000);
    uint64_t             rest_s = counted->period.end_s > now_s ? (uint64_t) (counted->period.end_s - now_s) : 0,
        left = quota_left(counted);

    weir_limit_tell(req, counted->limit->name, &(weir_limit_told_t) {
        .quota = counted->allowed,
        .window_s = (uint64_t) (period->end_s - period->begin_s),
        .left = left,
        .reset_s = rest_s,
        .retry_s = rest_s,
        .refused = refused && left == 0,
    });
}

static weir_step_t
quota_head(weir_request_t *req, const void *conf)
{
    const quota_state_t *state = weir_request_kept(req, weir_http_quota_index);

    (void) conf;
    for (; state != NULL; state = state->before) {
        for (size_t i = 0; i < state->n && !state->is_rehearsal; i++) {
            quota_tell(req, &state->counted[i], state->status == WEIR_LIMIT_REJECTED
                       && req->cause == WEIR_CAUSE_LIMIT_QUOTA);
        }
    }
    return WEIR_NEXT;
}

static bool
quota_enabled(const void *conf_, weir_phase_t phase)
{
    const quota_conf_t *conf = conf_;

    return conf->limits.n != 0 && (phase != WEIR_PHASE_MAX || conf->headers.on);
}

/* -- the module -- */

static bool
quota_get_status(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    const quota_state_t *state = weir_request_kept(subject, weir_http_quota_index);

    (void) arena;
    (void) ref;
    return state != NULL && weir_limit_status_text(state->status, value);
}

static const weir_variable_t quota_variables[] = {
    { "quota_status", .subject = WEIR_OF_REQUEST, .get = quota_get_status,
      .help = "What quota did: PASSED, REJECTED or REJECTED_DRY_RUN." },
    WEIR_VARIABLES_END
};

static const weir_conf_type_t quota_type_zones = {
    .name = "key zone=name:size per=hour|day|month [timezone=name]", .size = sizeof(quota_zones_t), .min_args = 3,
    .max_args = 4,
    .repeats = true, .parse = quota_parse_zone, .item = sizeof(quota_zone_t),
};

static const weir_conf_type_t quota_type_limits = {
    .name = "zone=name limit=number", .size = sizeof(quota_limits_t), .min_args = 2, .max_args = 2, .repeats = true,
    .parse = quota_parse_limit, .item = sizeof(quota_limit_t),
};

static const weir_directive_t quota_directives[] = {
    WEIR_DIRECTIVE_OF(quota_conf_t, zones, "quota_zone", &quota_type_zones, .where = WEIR_IN_HTTP,
                      .help = "Defines a zone of keys that all workers share and the store keeps, and the period of "
                              "the calendar that it counts by."),
    WEIR_DIRECTIVE_OF(quota_conf_t, limits, "quota", &quota_type_limits, .where = WEIR_IN_ANY,
                      .help = "Limits how many requests a key of the zone may make in a period; an empty limit "
                              "counts nothing."),
    WEIR_DIRECTIVE_OF(quota_conf_t, log_level, "quota_log_level", &weir_type_enum, .values = weir_limit_levels,
                      .where = WEIR_IN_ANY,
                      .dflt = "error", .args = "info | notice | warn | error",
                      .help = "Sets the level of the record about a request that is refused."),
    WEIR_DIRECTIVE(quota_conf_t, status, "quota_status", .where = WEIR_IN_ANY, .dflt = "429", .min = "400",
                   .max = "599",
                   .help = "Sets the status of the answer to a request that is refused."),
    WEIR_DIRECTIVE_OF(quota_conf_t, dry_run, "quota_dry_run", &weir_type_enum, .values = weir_dry_run_values,
                      .where = WEIR_IN_ANY, .args = "on | off",
                   .help = "Counts and logs, but refuses nothing."),
    WEIR_DIRECTIVE(quota_conf_t, headers, "quota_headers", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Tells clients what is left to them: RateLimit-Policy, RateLimit, and Retry-After when a "
                           "request is refused."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_quota = {
    .name = "http_quota",
    .area = "Limits",
    /* which says whose quota it is, behind the guards that refuse unknown clients */
    .after = "http_consumer http_api",
    .conf_size = sizeof(quota_conf_t),
    .directives = quota_directives,
    .variables = quota_variables,
    .check = quota_check,
    .zone_kinds = quota_kinds,
    .on = { [WEIR_PHASE_ACCESS] = quota_access },
    .admits_anybody = true,
    .enabled = quota_enabled,
    .filter_head = quota_head,
};
