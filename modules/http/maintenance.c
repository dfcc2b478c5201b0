/*
 * maintenance.c - `maintenance on`: the place is closed for a while, and the answer says for how long (RFC 9110
 * §10.2.3).
 *
 * The module to read before writing one: a struct that holds what the directives say, a row for each directive, a
 * handler for the phase it takes part in, and the one symbol that configure finds.  Its test is
 * t/http/maintenance.t.  Runs in workers.
 */
#include "http/module.h"

#include "http/guard/dry_run.h"
#include "http/record/story.h"

typedef struct {
    weir_flag_t maintenance;
    weir_msec_t retry_after;
} maintenance_conf_t;

/* Of a request that was refused. */
/* where its error_page lies; NULL: none was asked for yet */
typedef struct { const weir_http_location_t *page; } maintenance_state_t;

extern const size_t weir_http_maintenance_index;

/* `dry_run on`: it would have been refused. */
static weir_step_t
maintenance_rehearse(weir_request_t *req)
{
    weir_http_story_judged(req, "maintenance", WEIR_STR_NONE, weir_dry_run_verdict(true, true));
    weir_request_log(req, WEIR_LOG_INFO, WEIR_CAUSE_ACCESS_MAINTENANCE, "the request would be refused (dry run)");
    return weir_dry_run_ends(req);
}

/* The error_page of a refusal may lie in the very place that is closed.  It opens that one location to this request and
 * no other. */
static weir_step_t
maintenance_access(weir_request_t *req, const void *conf)
{
    maintenance_state_t *state = weir_request_kept(req, weir_http_maintenance_index);
    weir_policy_t        policy = weir_dry_run_begin(req, WEIR_DRY_RUN_AS_PLACE);

    (void) conf;
    if (policy != WEIR_POLICY_HOLDS) {
        return policy == WEIR_POLICY_REHEARSED ? maintenance_rehearse(req) : WEIR_NEXT;
    }
    if (state == NULL) {
        weir_request_keep(req, weir_http_maintenance_index, weir_new(&req->arena, maintenance_state_t));
        return weir_request_fail(req, WEIR_CAUSE_ACCESS_MAINTENANCE, NULL);
    }
    if (state->page == NULL) {
        state->page = req->location;
    }
    return state->page == req->location ? WEIR_NEXT : weir_request_fail(req, WEIR_CAUSE_ACCESS_MAINTENANCE, NULL);
}

/* The head filter: the page may be the built-in one or error_page's. */
static weir_step_t
maintenance_head(weir_request_t *req, const void *conf)
{
    const maintenance_conf_t *maintenance = conf;

    weir_assert(maintenance->maintenance.on);
    if (req->cause == WEIR_CAUSE_ACCESS_MAINTENANCE) {
        unsigned long long seconds = maintenance->retry_after.ms / 1000;
        weir_response_add(req, WEIR_HEADER_RETRY_AFTER, weir_str_printf(&req->arena, "%llu", seconds));
    }
    return WEIR_NEXT;
}

static bool
maintenance_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const maintenance_conf_t *) conf)->maintenance.on;
}

static const weir_directive_t maintenance_directives[] = {
    WEIR_DIRECTIVE(maintenance_conf_t, maintenance, "maintenance", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Answers every request with 503 instead of what it asks for."),
    WEIR_DIRECTIVE(maintenance_conf_t, retry_after, "maintenance_retry_after", .where = WEIR_IN_ANY, .dflt = "60s",
                   .min = "1s", .max = "1d", .help = "Sets the delay that Retry-After announces."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_maintenance = {
    .name = "http_maintenance",
    .area = "Responses",
    .conf_size = sizeof(maintenance_conf_t),
    .directives = maintenance_directives,
    .on = { [WEIR_PHASE_ACCESS] = maintenance_access },
    .pure = 1u << WEIR_PHASE_ACCESS,
    .admits_anybody = true,
    .enabled = maintenance_enabled,
    .filter_head = maintenance_head,
};
