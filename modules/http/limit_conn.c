/*
 * limit_conn.c - how many requests of a key may be under way at once: nginx's limit_conn, exact over all workers and
 * whatever becomes of them (shm/holds.h).
 *
 * A request counts from here until its end, over HTTP/2 each stream by itself.  One that a limit refuses holds nothing
 * of the others.  Runs in workers; the master gives back what a dead one held.
 */
#include "http/guard/dry_run.h"
#include "http/guard/limit.h"

#include "shm/holds.h"

#define CONN_KEYS_A_BYTE 64                  /* so many bytes of a zone's size make room for one key, as with nginx */
#define CONN_LIMITS_MAX  32

typedef struct {
    weir_limit_zone_t zone;                  /* first */
    weir_holds_t      holds;                 /* from .check */
    uint32_t          stats;                 /* row */
} conn_zone_t;

typedef struct { conn_zone_t *at; size_t n; } conn_zones_t;

typedef struct {
    weir_str_t         name;
    weir_conf_words_t  words;
    uint32_t           max;
    const conn_zone_t *zone;                 /* from .check */
} conn_limit_t;

typedef struct { conn_limit_t *at; size_t n; } conn_limits_t;

typedef struct {
    conn_zones_t  zones;
    conn_limits_t limits;
    uint32_t      log_level, status, dry_run;
} conn_conf_t;

/* Of one request: what it holds. */
typedef struct {
    weir_limit_status_t status;
    bool                is_rehearsal;
    uint32_t            n;
    struct { const weir_holds_t *holds; weir_hold_t hold; } held[];
} conn_state_t;

extern const size_t weir_http_limit_conn_index;

static const weir_zone_kind_t conn_kind = { .name = "limit-conn", .layout = 1, .fold = weir_holds_fold,
                                            .describe = weir_holds_describe };

static const weir_zone_kind_t *const conn_kinds[] = { &conn_kind, NULL };

/* -- directives -- */

static bool
conn_parse_zone(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    conn_zone_t zone = { .holds = { .table = NULL } };
    size_t      at;

    (void) row;
    if (!weir_limit_read_zone(cf, words, &zone.zone, &at)) {
        return false;
    }
    if (weir_limit_find_zone(field, sizeof(zone), zone.zone.name) != NULL) {
        return weir_conf_error(cf, at, "duplicate zone \"%.*s\"", WEIR_STR_ARG(zone.zone.name));
    }
    *(conn_zone_t *) weir_conf_list_push(cf, field, sizeof(zone)) = zone;
    return true;
}

static bool
conn_parse_limit(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    const conn_limits_t *before = field;
    conn_limit_t         limit = { .name = words->at[1].text, .words = *words };

    (void) row;
    if (!weir_conf_read_u32(words->at[2].text, &limit.max) || limit.max == 0 || limit.max > WEIR_HOLDS_MAX) {
        return weir_conf_invalid(cf, 2, "a number from 1 to 65535");
    }
    for (size_t i = 0; i < before->n; i++) {
        if (weir_str_eq(before->at[i].name, limit.name)) {
            return weir_conf_error(cf, 1, "duplicate \"limit_conn\" of zone \"%.*s\"", WEIR_STR_ARG(limit.name));
        }
    }
    if (before->n == CONN_LIMITS_MAX) {
        return weir_conf_error(cf, 0, "more than %d \"limit_conn\" in one place", CONN_LIMITS_MAX);
    }
    *(conn_limit_t *) weir_conf_list_push(cf, field, sizeof(limit)) = limit;
    return true;
}

static bool
conn_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    conn_conf_t *conf = conf_;

    for (size_t i = 0; block->context == WEIR_IN_HTTP && i < conf->zones.n; i++) {
        conn_zone_t *zone = &conf->zones.at[i];
        uint64_t     bytes = weir_holds_bytes(zone->zone.size / CONN_KEYS_A_BYTE);
        void        *memory = bytes != 0 ? weir_limit_take_zone(cf, &zone->zone, &conn_kind, bytes) : NULL;

        if (memory == NULL) {
            return bytes != 0 ? false : weir_conf_error_at(cf, &zone->zone.words, "zone \"%.*s\" is too large",
                                                           WEIR_STR_ARG(zone->zone.name));
        }
        zone->stats = weir_limit_stats_row(cf, "conn", zone->zone.name);
        if (!weir_holds_open(memory, bytes, &zone->holds)) {
            return weir_conf_error_at(cf, &zone->zone.words, "the zone \"%.*s\" holds something else",
                                      WEIR_STR_ARG(zone->zone.name));
        }
    }
    for (size_t i = 0; i < conf->limits.n; i++) {
        conn_limit_t *limit = &conf->limits.at[i];

        limit->zone = weir_limit_find_zone((const weir_conf_list_t *) (const void *) &conf->zones, sizeof(conn_zone_t),
                                           limit->name);
        if (limit->zone == NULL) {
            return weir_limit_no_zone(cf, &limit->words, "limit_conn_zone", limit->name);
        }
    }
    return true;
}

/* -- a request -- */

static void
conn_let_go(void *data)
{
    conn_state_t *state = data;

    while (state->n != 0) {
        state->n--;
        weir_holds_drop(state->held[state->n].holds, &state->held[state->n].hold);
    }
}

static weir_step_t
conn_reject(const conn_conf_t *conf, weir_request_t *req, conn_state_t *state, const conn_limit_t *limit, bool is_full)
{
    weir_assert(limit->zone != NULL && state->n <= conf->limits.n);
    conn_let_go(state);
    for (size_t i = 0; i < conf->limits.n; i++) {
        /* those that were not asked have nothing to say to its error_page either */
        weir_limit_counted(req, conf->limits.at[i].zone->zone.key, state->is_rehearsal);
    }
    state->status = state->is_rehearsal ? WEIR_LIMIT_REJECTED_DRY_RUN : WEIR_LIMIT_REJECTED;
    weir_limit_judged(req, "limit_conn", limit->zone->zone.name, limit->zone->stats, state->status);
    weir_request_log(req, conf->log_level, WEIR_CAUSE_LIMIT_CONNECTIONS, "limiting connections%s by zone \"%.*s\"%s",
                     state->is_rehearsal ? ", dry run," : "",
             WEIR_STR_ARG(limit->name), is_full ? ", which has no room for another key" : "");
    return state->is_rehearsal ? weir_dry_run_ends(req)
           : weir_request_fail_status(req, WEIR_CAUSE_LIMIT_CONNECTIONS, (uint16_t) conf->status, NULL);
}

static conn_state_t *
conn_state(const conn_conf_t *conf, weir_request_t *req)
{
    conn_state_t *state = weir_alloc(&req->arena, sizeof(*state) + conf->limits.n * sizeof(state->held[0]));

    weir_assert(conf->limits.n != 0 && conf->limits.n <= CONN_LIMITS_MAX);
    state->status = WEIR_LIMIT_NONE;
    state->n = 0;
    weir_request_keep(req, weir_http_limit_conn_index, state);
    weir_arena_on_cleanup(&req->arena, conn_let_go, state);
    return state;
}

static weir_step_t
conn_preaccess(weir_request_t *req, const void *conf_)
{
    const conn_conf_t *conf = conf_, *outside = req->server->fallback->conf[weir_http_limit_conn_index];
    conn_state_t      *state = NULL;
    weir_policy_t      policy = weir_dry_run_begin(req, conf->dry_run);
    bool               is_rehearsal = policy == WEIR_POLICY_REHEARSED;

    for (size_t i = 0; policy != WEIR_POLICY_NOT_ASKED && i < conf->limits.n; i++) {
        const conn_limit_t *limit = &conf->limits.at[i];
        weir_str_t          key = weir_limit_key(req, &limit->zone->zone);
        weir_holds_result_t result;

        if (key.len == 0 || !weir_limit_counts(req, limit->zone->zone.key, conf->limits.at == outside->limits.at,
                                               is_rehearsal)) {
            continue;
        }
        if (state == NULL) {
            state = conn_state(conf, req);
            state->is_rehearsal = is_rehearsal;
        }
        weir_limit_counted(req, limit->zone->zone.key, is_rehearsal);
        result = weir_holds_take(&limit->zone->holds, key, limit->max, &state->held[state->n].hold);
        if (result != WEIR_HOLDS_TAKEN) {
            return conn_reject(conf, req, state, limit, result == WEIR_HOLDS_FULL);
        }
        weir_assert(state->n < conf->limits.n);
        state->held[state->n++].holds = &limit->zone->holds;
        if (is_rehearsal) {
            weir_limit_counted(req, limit->zone->zone.key, false);
        }
        state->status = WEIR_LIMIT_PASSED;
        weir_limit_judged(req, "limit_conn", limit->zone->zone.name, limit->zone->stats, WEIR_LIMIT_PASSED);
    }
    return WEIR_NEXT;
}

static bool
conn_enabled(const void *conf, weir_phase_t phase)
{
    return phase != WEIR_PHASE_MAX && ((const conn_conf_t *) conf)->limits.n != 0;
}

/* -- the module -- */

static bool
conn_get_status(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    const conn_state_t *state = weir_request_kept(subject, weir_http_limit_conn_index);

    (void) arena;
    (void) ref;
    return state != NULL && weir_limit_status_text(state->status, value);
}

static const weir_variable_t conn_variables[] = {
    { "limit_conn_status", .subject = WEIR_OF_REQUEST, .get = conn_get_status,
      .help = "What limit_conn did: PASSED, REJECTED or REJECTED_DRY_RUN." },
    WEIR_VARIABLES_END
};

static const weir_conf_type_t conn_type_zones = {
    .name = "key zone=name:size", .size = sizeof(conn_zones_t), .min_args = 2, .max_args = 2, .repeats = true,
    .parse = conn_parse_zone, .item = sizeof(conn_zone_t),
};

static const weir_conf_type_t conn_type_limits = {
    .name = "zone number", .size = sizeof(conn_limits_t), .min_args = 2, .max_args = 2, .repeats = true,
    .parse = conn_parse_limit, .item = sizeof(conn_limit_t),
};

static const weir_directive_t conn_directives[] = {
    WEIR_DIRECTIVE_OF(conn_conf_t, zones, "limit_conn_zone", &conn_type_zones, .where = WEIR_IN_HTTP,
                      .help = "Defines a zone of keys that all workers share; 1m has room for 16,384 keys at a "
                              "time."),
    WEIR_DIRECTIVE_OF(conn_conf_t, limits, "limit_conn", &conn_type_limits, .where = WEIR_IN_ANY,
                      .help = "Limits how many requests of a key are under way at once; further ones are refused."),
    WEIR_DIRECTIVE_OF(conn_conf_t, log_level, "limit_conn_log_level", &weir_type_enum, .values = weir_limit_levels,
                      .where = WEIR_IN_ANY,
                      .dflt = "error", .args = "info | notice | warn | error",
                      .help = "Sets the level of the record about a request that is refused."),
    WEIR_DIRECTIVE(conn_conf_t, status, "limit_conn_status", .where = WEIR_IN_ANY, .dflt = "503", .min = "400",
                   .max = "599",
                   .help = "Sets the status of the answer to a request that is refused."),
    WEIR_DIRECTIVE_OF(conn_conf_t, dry_run, "limit_conn_dry_run", &weir_type_enum, .values = weir_dry_run_values,
                      .where = WEIR_IN_ANY, .args = "on | off",
                   .help = "Counts and logs, but refuses nothing."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_limit_conn = {
    .name = "http_limit_conn",
    .area = "Limits",
    .after = "http_limit_req",               /* as with nginx: what is held back for its rate holds nothing meanwhile */
    .conf_size = sizeof(conn_conf_t),
    .directives = conn_directives,
    .variables = conn_variables,
    .check = conn_check,
    .zone_kinds = conn_kinds,
    .on = { [WEIR_PHASE_PREACCESS] = conn_preaccess },
    .enabled = conn_enabled,
};
