/*
 * module.c - plan_limit and its zone: what the directives say, and the module.
 *
 * Load time.
 */
#include "plan_limit.h"

#include "store/conf.h"

#define PLAN_KEY_BYTES 192                   /* of a zone's size for one client */
#define PLAN_CELLS     2                     /* of each table for one client: so that all of them find room */
#define PLAN_TABLE     64                    /* bytes before a table's cells */

const plan_period_t plan_periods[PLAN_PERIODS] = {
    [PLAN_HOUR]  = { "hour", WEIR_PERIOD_HOUR, offsetof(weir_store_plan_t, hour) },
    [PLAN_DAY]   = { "day", WEIR_PERIOD_DAY, offsetof(weir_store_plan_t, day) },
    [PLAN_MONTH] = { "month", WEIR_PERIOD_MONTH, offsetof(weir_store_plan_t, month) },
};

static const weir_zone_kind_t plan_conn_kind = {
    .name = "plan-conn", .layout = 1, .fold = weir_holds_fold, .describe = weir_holds_describe,
};

static const weir_zone_kind_t *const plan_kinds[] = {
    &weir_rate_adapting_kind, &plan_conn_kind, &weir_quota_kind, NULL,
};

/* -- directives -- */

static bool
plan_parse_zone(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    plan_zone_t  zone = { .zone = { .words = *words } };
    weir_bytes_t size;
    weir_str_t   text;

    if (!weir_str_cut(words->at[1].text, ':', &zone.zone.name, &text) || zone.zone.name.len == 0
        || zone.zone.name.len > 100 || !weir_conf_read_bytes(text, &size))
    {
        return weir_conf_invalid(cf, 1, "name:size, the size such as 10m");
    }
    if (size.n < WEIR_LIMIT_ZONE_MIN) {
        return weir_conf_error(cf, 1, "zone \"%.*s\" is too small: %d bytes at least", WEIR_STR_ARG(zone.zone.name),
                               WEIR_LIMIT_ZONE_MIN);
    }
    if (weir_limit_find_zone(field, sizeof(zone), zone.zone.name) != NULL) {
        return weir_conf_error(cf, 1, "duplicate zone \"%.*s\"", WEIR_STR_ARG(zone.zone.name));
    }
    zone.zone.size = size.n;
    for (size_t i = 0; i < PLAN_PERIODS; i++) {
        zone.calendar[i] = weir_calendar_utc(cf);
        zone.calendar[i].unit = plan_periods[i].unit;
        if (words->n == 3 && !weir_str_starts(words->at[2].text, WEIR_STR("timezone="))) {
            return weir_conf_invalid(cf, 2, "timezone=name");
        }
        if (words->n == 3 && !weir_calendar_read(cf, 2, weir_str_skip(words->at[2].text, 9), &zone.calendar[i])) {
            return false;
        }
    }
    *(plan_zone_t *) weir_conf_list_push(cf, field, sizeof(zone)) = zone;
    return true;
}

static bool
plan_parse_limit(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    plan_limit_t *limit = field;
    weir_str_t    name, value;

    *limit = (plan_limit_t) { .is_on = true, .words = *words };
    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        limit->is_on = false;
        return true;
    }
    for (size_t i = 1; i < words->n; i++) {
        (void) weir_str_cut(words->at[i].text, '=', &name, &value);
        if (weir_str_eq(name, WEIR_STR("zone")) && value.len != 0) {
            limit->name = value;
        } else if (weir_str_eq(name, WEIR_STR("scope")) && value.len != 0) {
            limit->scope = weir_conf_template(cf, i, value);
            if (limit->scope == NULL) {
                return false;
            }
        } else {
            return weir_conf_invalid(cf, i, "zone=name, scope=text or off");
        }
    }
    return true;
}

/* A piece of the zone's memory; NULL: recorded. */
static void *
plan_take_memory(weir_conf_t *cf, const plan_zone_t *zone, const weir_zone_kind_t *kind, weir_str_t name,
                 uint64_t bytes)
{
    weir_limit_zone_t piece = zone->zone;

    piece.name = name;
    return weir_limit_take_zone(cf, &piece, kind, bytes);
}

static bool
plan_open(weir_conf_t *cf, plan_zone_t *zone)
{
    uint64_t n = zone->zone.size / PLAN_KEY_BYTES, table = PLAN_TABLE + n * PLAN_CELLS * sizeof(weir_cell_t);
    uint64_t holds = weir_holds_bytes(n);
    void    *memory;

    if (!weir_store_is_set(cf)) {
        return weir_conf_error_at(cf, &zone->zone.words, "plans are in the store: \"plan_limit_zone\" needs "
                                  "\"store_path\"");
    }
    if (holds == 0) {
        return weir_conf_error_at(cf, &zone->zone.words, "zone \"%.*s\" is too large", WEIR_STR_ARG(zone->zone.name));
    }
    zone->refused = weir_new_n(cf->live, uint64_t, PLAN_REFUSED);
    zone->stats = weir_limit_stats_row(cf, "plan", zone->zone.name);
    memory = plan_take_memory(cf, zone, &weir_rate_adapting_kind, zone->zone.name, table);
    zone->rates = memory != NULL ? weir_keyed_open(memory, (size_t) table) : NULL;
    if (memory == NULL) {
        return false;
    }
    memory = plan_take_memory(cf, zone, &plan_conn_kind, zone->zone.name, holds);
    if (memory == NULL) {
        return false;
    }
    if (zone->rates == NULL || !weir_holds_open(memory, holds, &zone->holds)
        || !weir_keyed_is_like(zone->rates, zone->holds.table))
    {
        return weir_conf_error_at(cf, &zone->zone.words, "the zone \"%.*s\" holds something else",
                                  WEIR_STR_ARG(zone->zone.name));
    }
    for (size_t i = 0; i < PLAN_PERIODS; i++) {
        zone->names[i] = weir_str_printf(cf->arena, "%.*s:%s", WEIR_STR_ARG(zone->zone.name), plan_periods[i].name);
        memory = plan_take_memory(cf, zone, &weir_quota_kind, zone->names[i], WEIR_QUOTA_HEAD + table);
        if (memory == NULL) {
            return false;
        }
        zone->calendar[i].table = weir_quota_open(memory, WEIR_QUOTA_HEAD + table);
        if (zone->calendar[i].table == NULL || !weir_quota_is_like(zone->calendar[i].table, zone->rates)) {
            return weir_conf_error_at(cf, &zone->zone.words, "the zone \"%.*s\" holds something else",
                                      WEIR_STR_ARG(zone->zone.name));
        }
    }
    return true;
}

static const void *
plan_scope(weir_conf_t *cf, plan_zone_t *zone, weir_str_t text)
{
    plan_scope_t *scope = zone->scopes;

    while (scope != NULL && !weir_str_eq(scope->text, text)) {
        scope = scope->next;
    }
    if (scope == NULL) {
        scope = weir_new(cf->arena, plan_scope_t);
        *scope = (plan_scope_t) { zone->scopes, text };
        zone->scopes = scope;
    }
    return scope;
}

static bool
plan_find_zone(weir_conf_t *cf, const plan_zones_t *zones, plan_limit_t *limit)
{
    if (zones->n == 0) {
        return weir_conf_error_at(cf, &limit->words, "\"plan_limit\" needs a \"plan_limit_zone\" in http, such as "
                                  "\"plan_limit_zone plans:10m;\"");
    }
    if (limit->name.len == 0 && zones->n > 1) {
        return weir_conf_error_at(cf, &limit->words, "\"plan_limit\" must have \"zone=name\": there are several");
    }
    limit->zone = limit->name.len == 0 ? zones->at
                  : weir_limit_find_zone((const weir_conf_list_t *) (const void *) zones, sizeof(plan_zone_t),
                                         limit->name);
    if (limit->zone == NULL) {
        return weir_limit_no_zone(cf, &limit->words, "plan_limit_zone", limit->name);
    }
    limit->what = plan_scope(cf, limit->zone, limit->scope != NULL ? limit->scope->source : WEIR_STR_NONE);
    return true;
}

static bool
plan_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    plan_conf_t *conf = conf_;

    for (size_t i = 0; block->context == WEIR_IN_HTTP && i < conf->zones.n; i++) {
        if (!plan_open(cf, &conf->zones.at[i])) {
            return false;
        }
    }
    return !conf->limit.is_on || plan_find_zone(cf, &conf->zones, &conf->limit);
}

/* -- the module -- */

static bool
plan_enabled(const void *conf_, weir_phase_t phase)
{
    const plan_conf_t *conf = conf_;

    return conf->limit.is_on && (phase != WEIR_PHASE_MAX || conf->headers.on);
}

static bool
plan_get_status(void *subject, weir_arena_t *arena WEIR_UNUSED, const weir_var_ref_t *ref WEIR_UNUSED,
                weir_str_t *value)
{
    const plan_state_t *state = weir_request_kept(subject, weir_http_plan_limit_index);

    return state != NULL && weir_limit_status_text(state->status, value);
}

static const weir_variable_t plan_variables[] = {
    { "plan_limit_status", .subject = WEIR_OF_REQUEST, .get = plan_get_status,
      .help = "What plan_limit did: PASSED, REJECTED or REJECTED_DRY_RUN; empty: it counted nothing." },
    WEIR_VARIABLES_END
};

static const weir_conf_type_t plan_type_zones = {
    .name = "name:size [timezone=name]", .size = sizeof(plan_zones_t), .min_args = 1, .max_args = 2, .repeats = true,
    .parse = plan_parse_zone, .item = sizeof(plan_zone_t),
};

static const weir_conf_type_t plan_type_limit = {
    .name = "[zone=name] [scope=text] | off", .size = sizeof(plan_limit_t), .min_args = 0, .max_args = 2,
    .parse = plan_parse_limit,
};

static const weir_directive_t plan_directives[] = {
    WEIR_DIRECTIVE_OF(plan_conf_t, zones, "plan_limit_zone", &plan_type_zones, .where = WEIR_IN_HTTP,
                      .help = "Defines a zone in which the limits of plans are counted, for all workers and all "
                              "plans."),
    WEIR_DIRECTIVE_OF(plan_conf_t, limit, "plan_limit", &plan_type_limit, .where = WEIR_IN_ANY,
                      .help = "Applies the client's plan: its rate, burst, concurrency and quotas."),
    WEIR_DIRECTIVE(plan_conf_t, require, "plan_limit_require", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Refuses clients that have no plan; otherwise nothing limits them."),
    WEIR_DIRECTIVE_OF(plan_conf_t, log_level, "plan_limit_log_level", &weir_type_enum, .values = weir_limit_levels,
                      .where = WEIR_IN_ANY, .dflt = "error", .args = "info | notice | warn | error",
                      .help = "Sets the level of the record about a request that is refused."),
    WEIR_DIRECTIVE(plan_conf_t, status, "plan_limit_status", .where = WEIR_IN_ANY, .dflt = "429", .min = "400",
                   .max = "599", .help = "Sets the status of the answer to a request that is refused."),
    WEIR_DIRECTIVE_OF(plan_conf_t, dry_run, "plan_limit_dry_run", &weir_type_enum, .values = weir_dry_run_values,
                      .where = WEIR_IN_ANY, .args = "on | off", .help = "Counts and logs, but refuses nothing."),
    WEIR_DIRECTIVE(plan_conf_t, headers, "plan_limit_headers", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Tells clients what is left to them: RateLimit-Policy, RateLimit, and Retry-After when a "
                           "request is refused."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_plan_limit = {
    .name = "http_plan_limit",
    .area = "Consumers",
    /* the last of all guards: it does not count what one of them refuses */
    .after = "http_access http_auth_basic http_api_key http_auth_jwt http_auth_oauth2 http_auth_request http_ext_authz "
             "http_api http_consumer http_maintenance http_quota http_require",
    .conf_size = sizeof(plan_conf_t),
    .directives = plan_directives,
    .variables = plan_variables,
    .check = plan_check,
    .zone_kinds = plan_kinds,
    .on = { [WEIR_PHASE_ACCESS] = plan_access },
    .enabled = plan_enabled,
    .filter_head = plan_head,
};
