/*
 * limit_req.c - how often a key may ask: nginx's limit_req, exact over all workers (shm/rate.h), and what is left told
 * to clients.
 *
 * All limits of a place are looked at first, and only when each would admit the request is it counted in all of them: a
 * request that one refuses costs nothing in another.  Runs in workers; a known key costs a look and one
 * compare-and-swap.
 */
#include "http/guard/dry_run.h"
#include "http/guard/limit.h"

#include "os/clock.h"
#include "shm/rate.h"

#define REQ_LIMITS_MAX 32
#define REQ_NS_A_MS    1000000

typedef struct {
    weir_limit_zone_t zone;                  /* first */
    uint64_t          period_ns;
    weir_keyed_t     *table;                 /* from .check */
    uint32_t          stats;                 /* row */
} req_zone_t;

typedef struct { req_zone_t *at; size_t n; } req_zones_t;

typedef struct {
    weir_str_t        name;
    weir_conf_words_t words;
    uint64_t          burst, delay;          /* requests; delay: how many of the burst are not held back */
    bool              nodelay;
    const req_zone_t *zone;                  /* from .check */
} req_limit_t;

typedef struct { req_limit_t *at; size_t n; } req_limits_t;

typedef struct {
    req_zones_t  zones;
    req_limits_t limits;
    uint32_t     log_level, status, dry_run;
    weir_flag_t  headers;
} req_conf_t;

typedef struct { const req_limit_t *limit; weir_keyed_key_t key; weir_rate_t rate; weir_rate_verdict_t verdict;
                 } req_counted_t;

/* Of one request in one place. */
typedef struct req_state {
    weir_wait_t         wait;                /* while it is delayed */
    struct req_state   *before;              /* in the place that it was redirected from */
    weir_limit_status_t status;
    bool                is_rehearsal;
    const req_limit_t  *limit;               /* the one that decided: the strictest, or the one that refused */
    weir_rate_verdict_t verdict;             /* of it */
    size_t              n;
    req_counted_t       counted[];           /* all that had a say; for the client */
} req_state_t;

extern const size_t weir_http_limit_req_index;

/* -- the zone's kind -- */

static void
req_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    uint64_t now_ns = weir_clock_now().ms * REQ_NS_A_MS, evicted;
    uint32_t used, cells;

    if (weir_keyed_count(memory, (size_t) size, weir_rate_worth, &now_ns, &used, &cells, &evicted)) {
        weir_buf_printf(out, "keys=%u room=%u evicted=%llu", used, cells / 2, (unsigned long long) evicted);
    }
}

static const weir_zone_kind_t req_kind = {
    .name = WEIR_RATE_KIND, .layout = 1, .describe = req_describe, .saved = &weir_rate_saved,
};

static const weir_zone_kind_t *const req_kinds[] = { &req_kind, NULL };

/* -- directives -- */

static bool
req_read_rate(weir_str_t text, uint64_t *period_ns)
{
    bool       by_minute = weir_str_ends(text, WEIR_STR("r/m"));
    weir_str_t number = weir_str(text.at, text.len < 3 ? 0 : text.len - 3);
    uint64_t   rate;

    if ((!by_minute && !weir_str_ends(text, WEIR_STR("r/s"))) || !weir_str_to_u64(number, &rate) || rate == 0
        || rate > 1000000)
    {
        return false;
    }
    *period_ns = (by_minute ? 60 : 1) * UINT64_C(1000000000) / rate;
    return true;
}

static bool
req_parse_zone(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    req_zone_t zone = { .period_ns = 0 };
    size_t     at;

    (void) row;
    if (!weir_limit_read_zone(cf, words, &zone.zone, &at)) {
        return false;
    }
    for (size_t i = 2; i < words->n; i++) {
        weir_str_t word = words->at[i].text;

        if (i == at) {
            continue;
        }
        if (weir_str_eq(word, WEIR_STR("sync"))) {
            return weir_conf_error(cf, i, "\"sync\" is not supported: a zone is shared by the workers of one machine");
        }
        if (!weir_str_starts(word, WEIR_STR("rate=")) || !req_read_rate(weir_str_skip(word, 5), &zone.period_ns)) {
            return weir_conf_invalid(cf, i, "rate=, a number from 1 to 1000000 and r/s or r/m: rate=10r/s");
        }
    }
    if (zone.period_ns == 0) {
        return weir_conf_error(cf, 0, "\"limit_req_zone\" must have \"rate=\", e.g. rate=10r/s");
    }
    if (weir_limit_find_zone(field, sizeof(zone), zone.zone.name) != NULL) {
        return weir_conf_error(cf, at, "duplicate zone \"%.*s\"", WEIR_STR_ARG(zone.zone.name));
    }
    *(req_zone_t *) weir_conf_list_push(cf, field, sizeof(zone)) = zone;
    return true;
}

static bool
req_read_number(weir_conf_t *cf, size_t word, weir_str_t text, uint64_t *number)
{
    return (weir_str_to_u64(text, number) && *number <= 1000000)
           || weir_conf_invalid(cf, word, "a number up to 1000000");
}

static bool
req_read_option(weir_conf_t *cf, size_t i, weir_str_t word, req_limit_t *limit)
{
    if (weir_str_starts(word, WEIR_STR("zone="))) {
        limit->name = weir_str_skip(word, 5);
        return true;
    }
    if (weir_str_starts(word, WEIR_STR("burst="))) {
        return req_read_number(cf, i, weir_str_skip(word, 6), &limit->burst);
    }
    if (weir_str_starts(word, WEIR_STR("delay="))) {
        return req_read_number(cf, i, weir_str_skip(word, 6), &limit->delay);
    }
    if (weir_str_eq(word, WEIR_STR("nodelay"))) {
        limit->nodelay = true;
        return true;
    }
    return weir_conf_invalid(cf, i, "zone=name, burst=number, nodelay or delay=number");
}

static bool
req_parse_limit(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    const req_limits_t *before = field;
    req_limit_t         limit = { .words = *words };

    (void) row;
    for (size_t i = 1; i < words->n; i++) {
        if (!req_read_option(cf, i, words->at[i].text, &limit)) {
            return false;
        }
    }
    if (limit.name.len == 0) {
        return weir_conf_error(cf, 0, "\"limit_req\" must have \"zone=name\"");
    }
    for (size_t i = 0; i < before->n; i++) {
        if (weir_str_eq(before->at[i].name, limit.name)) {
            return weir_conf_error(cf, 0, "duplicate \"limit_req\" of zone \"%.*s\"", WEIR_STR_ARG(limit.name));
        }
    }
    if (before->n == REQ_LIMITS_MAX) {
        return weir_conf_error(cf, 0, "more than %d \"limit_req\" in one place", REQ_LIMITS_MAX);
    }
    *(req_limit_t *) weir_conf_list_push(cf, field, sizeof(limit)) = limit;
    return true;
}

static bool
req_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    req_conf_t *conf = conf_;

    for (size_t i = 0; block->context == WEIR_IN_HTTP && i < conf->zones.n; i++) {
        req_zone_t *zone = &conf->zones.at[i];
        void       *memory = weir_limit_take_zone(cf, &zone->zone, &req_kind, zone->zone.size);

        if (memory == NULL) {
            return false;
        }
        zone->stats = weir_limit_stats_row(cf, "req", zone->zone.name);
        zone->table = weir_keyed_open(memory, (size_t) zone->zone.size);
        if (zone->table == NULL) {
            return weir_conf_error_at(cf, &zone->zone.words, "the zone \"%.*s\" holds something else",
                                      WEIR_STR_ARG(zone->zone.name));
        }
    }
    for (size_t i = 0; i < conf->limits.n; i++) {
        req_limit_t *limit = &conf->limits.at[i];

        limit->zone = weir_limit_find_zone((const weir_conf_list_t *) (const void *) &conf->zones, sizeof(req_zone_t),
                                           limit->name);
        if (limit->zone == NULL) {
            return weir_limit_no_zone(cf, &limit->words, "limit_req_zone", limit->name);
        }
    }
    return true;
}

/* -- a request -- */

static uint64_t
req_delay_ms(const req_limit_t *limit, const weir_rate_verdict_t *verdict)
{
    uint64_t free_ns = limit->delay * limit->zone->period_ns;

    weir_assert(limit->zone != NULL && limit->zone->period_ns != 0);
    if (limit->nodelay || verdict->ahead_ns <= free_ns) {
        return 0;
    }
    return (verdict->ahead_ns - free_ns + REQ_NS_A_MS - 1) / REQ_NS_A_MS;
}

/* nginx's words, which people's tools look for. */
static void
req_log(const req_conf_t *conf, weir_request_t *req, const req_state_t *state, bool is_delay)
{
    uint64_t excess = state->verdict.ahead_ns * 1000 / state->limit->zone->period_ns;

    weir_request_log(req, conf->log_level + is_delay, WEIR_CAUSE_LIMIT_RATE,
                     "%s%s, excess: %llu.%03llu%s by zone \"%.*s\"",
                   is_delay ? "delaying request" : "limiting requests", state->is_rehearsal ? ", dry run" : "",
                   (unsigned long long) (excess / 1000),
                   (unsigned long long) (excess % 1000), is_delay ? "," : "", WEIR_STR_ARG(state->limit->name));
}

/* Of what was not taken in the end: as if it had never been tried. */
static void
req_untell(req_counted_t *counted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        weir_rate_verdict_t *verdict = &counted[i].verdict;

        if (verdict->admitted) {
            verdict->left++;
            verdict->reset_ns -= weir_min(verdict->reset_ns, counted[i].rate.period_ns);
        }
    }
}

static weir_step_t
req_reject(const req_conf_t *conf, weir_request_t *req, req_state_t *state)
{
    weir_assert(state->limit != NULL);
    state->status = state->is_rehearsal ? WEIR_LIMIT_REJECTED_DRY_RUN : WEIR_LIMIT_REJECTED;
    weir_limit_judged(req, "limit_req", state->limit->zone->zone.name, state->limit->zone->stats, state->status);
    req_log(conf, req, state, false);
    return state->is_rehearsal ? weir_dry_run_ends(req)
           : weir_request_fail_status(req, WEIR_CAUSE_LIMIT_RATE, (uint16_t) conf->status, NULL);
}

static weir_step_t
req_delay(const req_conf_t *conf, weir_request_t *req, req_state_t *state, uint64_t delay_ms)
{
    weir_assert(delay_ms != 0);
    req_log(conf, req, state, true);
    if (state->is_rehearsal) {
        return WEIR_NEXT;
    }
    return weir_request_wait(req, &state->wait, (weir_msec_t) { delay_ms }, NULL);
}

/* The keys of the place's limits; how many. */
static size_t
req_keys(const req_conf_t *conf, weir_request_t *req, bool is_rehearsal, req_counted_t *counted)
{
    const req_conf_t *outside = req->server->fallback->conf[weir_http_limit_req_index];
    size_t            n = 0;

    for (size_t i = 0; i < conf->limits.n; i++) {
        const req_limit_t *limit = &conf->limits.at[i];
        weir_str_t         key = weir_limit_key(req, &limit->zone->zone);

        if (key.len != 0 && weir_limit_counts(req, limit->zone->zone.key, conf->limits.at == outside->limits.at,
                                              is_rehearsal)) {
            weir_limit_counted(req, limit->zone->zone.key, is_rehearsal);
            counted[n].limit = limit;
            counted[n].rate = (weir_rate_t) { .period_ns = limit->zone->period_ns, .burst = limit->burst,
                                               .zone = limit->name };
            weir_keyed_hash(limit->zone->table, key, &counted[n++].key);
        }
    }
    return n;
}

/* Would one refuse?  state tells of it. */
static bool
req_is_refused(req_counted_t *counted, size_t n, uint64_t now_ns, req_state_t *state)
{
    for (size_t i = 0; n > 1 && i < n; i++) {
        weir_rate_peek(counted[i].limit->zone->table, &counted[i].key, &counted[i].rate, now_ns, &counted[i].verdict);
        if (state->limit == NULL && !counted[i].verdict.admitted) {
            state->limit = counted[i].limit;
            state->verdict = counted[i].verdict;
        }
    }
    return state->limit != NULL;
}

/* Counts it in each; the longest delay.  false: another request was faster, nothing is counted. */
static bool
req_count(req_counted_t *counted, size_t n, uint64_t now_ns, req_state_t *state, uint64_t *delay_ms)
{
    uint64_t longest = 0;

    *delay_ms = 0;
    for (size_t i = 0; i < n; i++) {
        const weir_rate_verdict_t *verdict = &counted[i].verdict;

        weir_rate_take(counted[i].limit->zone->table, &counted[i].key, &counted[i].rate, now_ns, &counted[i].verdict);
        if (!verdict->admitted) {
            state->limit = counted[i].limit;
            state->verdict = *verdict;
            while (i-- > 0) {
                weir_rate_give_back(counted[i].limit->zone->table, &counted[i].key, &counted[i].rate, now_ns);
            }
            return false;
        }
        longest = req_delay_ms(counted[i].limit, verdict);
        if (state->limit == NULL || longest > *delay_ms || (*delay_ms == 0 && verdict->left < state->verdict.left)) {
            state->limit = counted[i].limit;
            state->verdict = *verdict;
        }
        *delay_ms = weir_max(*delay_ms, longest);
    }
    return true;
}

static req_state_t *
req_state(weir_request_t *req, size_t n)
{
    req_state_t *state = weir_alloc(&req->arena, sizeof(*state) + n * sizeof(state->counted[0]));

    weir_assert(n != 0 && n <= REQ_LIMITS_MAX);
    *state = (req_state_t) { .before = weir_request_kept(req, weir_http_limit_req_index), .n = n };
    weir_request_keep(req, weir_http_limit_req_index, state);
    return state;
}

static weir_step_t
req_preaccess(weir_request_t *req, const void *conf_)
{
    const req_conf_t *conf = conf_;
    req_counted_t     counted[REQ_LIMITS_MAX];
    uint64_t          now_ns = weir_clock_now().ms * REQ_NS_A_MS, delay_ms;
    weir_policy_t     policy = weir_dry_run_begin(req, conf->dry_run);
    req_state_t      *state;
    size_t            n = policy == WEIR_POLICY_NOT_ASKED ? 0
                          : req_keys(conf, req, policy == WEIR_POLICY_REHEARSED, counted);
    bool              is_refused;

    if (n == 0 || req->failed_value != WEIR_CAUSE_NONE) {
        return WEIR_NEXT;
    }
    state = req_state(req, n);
    state->is_rehearsal = policy == WEIR_POLICY_REHEARSED;
    is_refused = req_is_refused(counted, n, now_ns, state) || !req_count(counted, n, now_ns, state, &delay_ms);
    if (is_refused) {
        req_untell(counted, n);
    }
    memcpy(state->counted, counted, n * sizeof(*counted));
    if (is_refused) {
        return req_reject(conf, req, state);
    }
    state->status = delay_ms == 0 ? WEIR_LIMIT_PASSED : state->is_rehearsal ? WEIR_LIMIT_DELAYED_DRY_RUN
                    : WEIR_LIMIT_DELAYED;
    for (size_t i = 0; i < n; i++) {
        const req_zone_t *zone = counted[i].limit->zone;

        if (state->is_rehearsal) {
            weir_limit_counted(req, zone->zone.key, false);
        }
        weir_limit_judged(req, "limit_req", zone->zone.name, zone->stats,
                          counted[i].limit == state->limit ? state->status : WEIR_LIMIT_PASSED);
    }
    return delay_ms != 0 ? req_delay(conf, req, state, delay_ms) : WEIR_NEXT;
}

/* -- what is told to the client -- */

static uint64_t
req_seconds(uint64_t ns)
{
    return (ns + 999999999) / 1000000000;
}

/* The window is the whole seconds in which a burst is earned, and the quota what a client can use in it, again and
 * again. */
static void
req_tell(weir_request_t *req, const req_counted_t *counted, bool refused)
{
    uint64_t period_ns = counted->rate.period_ns, window_s = req_seconds((counted->rate.burst + 1) * period_ns);

    weir_assert(period_ns != 0);
    weir_limit_tell(req, counted->limit->name, &(weir_limit_told_t) {
        .quota = window_s * 1000000000 / period_ns,
        .window_s = window_s,
        .left = counted->verdict.left,
        .reset_s = req_seconds(counted->verdict.reset_ns),
        .retry_s = req_seconds(counted->verdict.wait_ns),
        .refused = refused && !counted->verdict.admitted,
    });
}

static weir_step_t
req_head(weir_request_t *req, const void *conf)
{
    const req_state_t *state = weir_request_kept(req, weir_http_limit_req_index);

    (void) conf;
    for (; state != NULL; state = state->before) {
        for (size_t i = 0; i < state->n && !state->is_rehearsal; i++) {
            req_tell(req, &state->counted[i], state->status == WEIR_LIMIT_REJECTED
                     && req->cause == WEIR_CAUSE_LIMIT_RATE);
        }
    }
    return WEIR_NEXT;
}

static bool
req_enabled(const void *conf_, weir_phase_t phase)
{
    const req_conf_t *conf = conf_;

    return conf->limits.n != 0 && (phase != WEIR_PHASE_MAX || conf->headers.on);
}

/* -- the module -- */

static bool
req_get_status(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    const req_state_t *state = weir_request_kept(subject, weir_http_limit_req_index);

    (void) arena;
    (void) ref;
    return state != NULL && weir_limit_status_text(state->status, value);
}

static const weir_variable_t req_variables[] = {
    { "limit_req_status", .subject = WEIR_OF_REQUEST, .get = req_get_status,
      .help = "What limit_req did: PASSED, DELAYED, REJECTED, DELAYED_DRY_RUN or REJECTED_DRY_RUN." },
    WEIR_VARIABLES_END
};

static const weir_conf_type_t req_type_zones = {
    .name = "key zone=name:size rate=rate", .size = sizeof(req_zones_t), .min_args = 3, .max_args = 4, .repeats = true,
    .parse = req_parse_zone, .item = sizeof(req_zone_t),
};

static const weir_conf_type_t req_type_limits = {
    .name = "zone=name [burst=number] [nodelay | delay=number]", .size = sizeof(req_limits_t), .min_args = 1,
    .max_args = 4,
    .repeats = true, .parse = req_parse_limit, .item = sizeof(req_limit_t),
};

static const weir_directive_t req_directives[] = {
    WEIR_DIRECTIVE_OF(req_conf_t, zones, "limit_req_zone", &req_type_zones, .where = WEIR_IN_HTTP,
                      .help = "Defines a zone of keys that all workers share, and the rate of requests that each "
                              "key may make."),
    WEIR_DIRECTIVE_OF(req_conf_t, limits, "limit_req", &req_type_limits, .where = WEIR_IN_ANY,
                      .help = "Limits the rate of requests by a zone; a burst is held back (unless nodelay or delay "
                              "say otherwise), further requests are refused."),
    WEIR_DIRECTIVE_OF(req_conf_t, log_level, "limit_req_log_level", &weir_type_enum, .values = weir_limit_levels,
                      .where = WEIR_IN_ANY,
                      .dflt = "error", .args = "info | notice | warn | error",
                      .help = "Sets the level of the record about a request that is refused; the record about a "
                              "delayed one has the next lower level."),
    WEIR_DIRECTIVE(req_conf_t, status, "limit_req_status", .where = WEIR_IN_ANY, .dflt = "503", .min = "400",
                   .max = "599",
                   .help = "Sets the status of the answer to a request that is refused."),
    WEIR_DIRECTIVE_OF(req_conf_t, dry_run, "limit_req_dry_run", &weir_type_enum, .values = weir_dry_run_values,
                      .where = WEIR_IN_ANY, .args = "on | off",
                   .help = "Counts and logs, but neither refuses nor delays."),
    WEIR_DIRECTIVE(req_conf_t, headers, "limit_req_headers", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Tells clients what is left to them: RateLimit-Policy, RateLimit, and Retry-After when a "
                           "request is refused."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_limit_req = {
    .name = "http_limit_req",
    .area = "Limits",
    .conf_size = sizeof(req_conf_t),
    .directives = req_directives,
    .variables = req_variables,
    .check = req_check,
    .zone_kinds = req_kinds,
    .on = { [WEIR_PHASE_PREACCESS] = req_preaccess },
    .enabled = req_enabled,
    .filter_head = req_head,
};
