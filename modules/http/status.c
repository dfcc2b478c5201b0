/*
 * status.c - `status;`: all that is counted, as one JSON object of the shape nginx's users know: connections, requests,
 * server_zones, location_zones, api_versions, upstreams with their peers, limit_reqs, limit_conns, quotas, plan_limits,
 * canaries.
 *
 * Made a few rows per turn of the loop.
 */
#include "http/answer/report.h"
#include "http/module.h"
#include "http/proxy/canary.h"

#include "os/clock.h"
#include "shm/stats.h"
#include "upstream/state.h"
#include "upstream/told.h"

#include <unistd.h>

#define STATUS_ROWS      4                   /* looked at a step: a turn of the loop has several */
#define STATUS_ROW_BYTES 30000               /* room for a row: with less the next step goes on */

typedef struct { weir_flag_t on; } status_conf_t;

typedef enum { STATUS_HEAD, STATUS_SERVERS, STATUS_LOCATIONS, STATUS_APIS, STATUS_UPSTREAMS, STATUS_REQS, STATUS_CONNS,
               STATUS_QUOTAS, STATUS_PLANS, STATUS_CANARIES, STATUS_END } status_part_t;

typedef struct {
    weir_report_t report;
    status_part_t part;
    uint32_t     *rows, n_rows;              /* those that are held, by kind */
    uint32_t      at, peer;      /* places in rows: of what is told next, and of the next peer; 0: not looked for yet */
    bool          some, some_peer;           /* a comma is due */
    bool          in_upstream;               /* at its peers */
    size_t        told;                      /* which peer of the group was told last; told.h */
} status_t;

/* -- pieces of JSON -- */

static void
status_number(weir_buf_t *out, const char *name, uint64_t value, bool last)
{
    weir_buf_printf(out, "\"%s\":%llu%s", name, (unsigned long long) value, last ? "" : ",");
}

static uint64_t
status_gauge(int64_t value)
{
    return value > 0 ? (uint64_t) value : 0;
}

static void
status_responses(weir_buf_t *out, const weir_stats_row_t *sum)
{
    uint64_t classes[5] = { 0 }, total = 0;
    bool     some = false;

    for (unsigned i = 0; i < WEIR_STATS_STATUSES; i++) {
        uint64_t n = sum->statuses[weir_stats_status(i + 100)];

        classes[i / 100] += n;
        total += n;
    }
    weir_buf_add_lit(out, "\"responses\":{");
    for (unsigned i = 0; i < 5; i++) {
        weir_buf_printf(out, "\"%uxx\":%llu,", i + 1, (unsigned long long) classes[i]);
    }
    weir_buf_add_lit(out, "\"codes\":{");
    for (unsigned i = 0; i < WEIR_STATS_STATUSES; i++) {
        uint64_t n = sum->statuses[weir_stats_status(i + 100)];

        if (n != 0) {
            weir_buf_printf(out, "%s\"%u\":%llu", some ? "," : "", i + 100, (unsigned long long) n);
            some = true;
        }
    }
    weir_buf_add_lit(out, "},");
    status_number(out, "total", total, true);
    weir_buf_add_lit(out, "},");
}

static void
status_causes(weir_buf_t *out, const weir_stats_row_t *sum)
{
    bool some = false;

    weir_buf_add_lit(out, "\"causes\":{");
    for (unsigned i = WEIR_CAUSE_NONE + 1; i < WEIR_CAUSE_MAX; i++) {
        if (weir_stats_of_cause(sum, i) != 0) {
            weir_buf_printf(out, "%s\"%.*s\":%llu", some ? "," : "",
                            WEIR_STR_ARG(weir_cause_row((weir_cause_t) i)->word),
                            (unsigned long long) weir_stats_of_cause(sum, i));
            some = true;
        }
    }
    weir_buf_add_lit(out, "},");
}

static void
status_latency(weir_buf_t *out, const weir_stats_row_t *sum)
{
    static const struct { const char *name; double q; } rows[] = {
        { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 }, { "p9999", 0.9999 },
    };

    weir_buf_add_lit(out, "\"latency_us\":{");
    for (size_t i = 0; i < weir_countof(rows); i++) {
        status_number(out, rows[i].name, weir_stats_quantile(sum, rows[i].q), false);
    }
    status_number(out, "mean", sum->requests != 0 ? sum->latency_us / sum->requests : 0, true);
    weir_buf_add_char(out, '}');
}

/* What every row has, without the braces. */
static void
status_common(weir_buf_t *out, const weir_stats_row_t *sum)
{
    status_number(out, "requests", sum->requests, false);
    status_responses(out, sum);
    status_causes(out, sum);
    status_number(out, "received", sum->received, false);
    status_number(out, "sent", sum->sent, false);
    status_latency(out, sum);
}

static void
status_workers(weir_buf_t *out)
{
    bool some = false;

    weir_buf_add_lit(out, "\"workers\":[");
    for (uint32_t slot = 0; slot < WEIR_SLOTS; slot++) {
        weir_stats_worker_t worker;

        if (weir_stats_worker(slot, &worker)) {
            weir_buf_printf(out, "%s{\"pid\":%d,", some ? "," : "", (int) worker.pid);
            status_number(out, "generation", worker.generation, false);
            status_number(out, "generations", worker.generations, true);
            weir_buf_add_char(out, '}');
            some = true;
        }
    }
    weir_buf_add_lit(out, "],");
}

static void
status_head(const status_t *status, weir_buf_t *out, const weir_request_t *req)
{
    weir_stats_row_t sum;

    weir_stats_sum(WEIR_STATS_PROCESS, &sum);
    weir_buf_printf(out, "{\"version\":\"" WEIR_VERSION "\",\"time\":\"%.*s\",\"generation\":%llu,\"pid\":%d,",
                    WEIR_STR_ARG(weir_clock_iso_date()),
                    (unsigned long long) req->generation->serial, (int) getpid());
    status_workers(out);
    weir_buf_add_lit(out, "\"connections\":{");
    status_number(out, "accepted", sum.count[WEIR_COUNT_ACCEPTED], false);
    status_number(out, "active", status_gauge(sum.active), false);
    status_number(out, "idle", status_gauge(sum.idle), true);
    weir_buf_add_lit(out, "},\"ssl\":{");
    status_number(out, "handshakes", sum.count[WEIR_COUNT_HANDSHAKES], false);
    status_number(out, "handshakes_failed", sum.count[WEIR_COUNT_HANDSHAKES_FAILED], false);
    status_number(out, "session_reuses", sum.count[WEIR_COUNT_RESUMED], true);
    weir_buf_add_lit(out, "},\"requests\":{");
    status_number(out, "total", sum.requests, false);
    status_number(out, "current", status_gauge(sum.busy), false);
    status_common(out, &sum);
    weir_buf_add_lit(out, "},\"statistics\":{");
    status_number(out, "rows", status->n_rows, false);
    status_number(out, "room", weir_stats_room(), true);
    weir_buf_add_lit(out, "},\"server_zones\":{");
}

/* -- rows -- */

static void
status_name(status_t *status, weir_buf_t *out, weir_str_t name)
{
    if (status->some) {
        weir_buf_add_char(out, ',');
    }
    status->some = true;
    weir_report_add_quoted(out, name);
    weir_buf_add_lit(out, ":{");
}

static void
status_zone(status_t *status, weir_buf_t *out, weir_str_t name, const weir_stats_row_t *sum)
{
    status_name(status, out, name);
    if (status->part == STATUS_SERVERS) {
        status_number(out, "processing", status_gauge(sum->busy), false);
    }
    status_common(out, sum);
    weir_buf_add_char(out, '}');
}

static void
status_limit(status_t *status, weir_buf_t *out, weir_str_t name, const weir_stats_row_t *sum)
{
    status_name(status, out, name);
    status_number(out, "passed", sum->count[WEIR_COUNT_PASSED], false);
    if (status->part == STATUS_REQS) {
        status_number(out, "delayed", sum->count[WEIR_COUNT_DELAYED], false);
        status_number(out, "delayed_dry_run", sum->count[WEIR_COUNT_DELAYED_DRY_RUN], false);
    }
    status_number(out, "rejected", sum->count[WEIR_COUNT_REJECTED], false);
    status_number(out, "rejected_dry_run", sum->count[WEIR_COUNT_REJECTED_DRY_RUN], true);
    weir_buf_add_char(out, '}');
}

/* In the order of what matters most; as nginx Plus calls it. */
static const char *
status_state(bool is_down, bool is_marked, uint64_t barred)
{
    return is_down || (barred & WEIR_BARRED_DOWN) != 0 ? "down" : (barred & WEIR_BARRED_BUT_BOUND) != 0 ? "draining"
           : (barred & WEIR_BARRED_CHECK) != 0 ? "unhealthy" : (barred & WEIR_BARRED_UNPROVEN) != 0 ? "checking"
           : is_marked || barred != 0 ? "unavail" : "up";
}

static void
status_barred(weir_buf_t *out, uint64_t barred)
{
    bool some = false;

    weir_buf_add_lit(out, "\"barred\":[");
    for (unsigned i = 0; i < WEIR_BARRED_REASONS; i++) {
        if ((barred >> i & 1) != 0) {
            weir_buf_printf(out, "%s\"%s\"", some ? "," : "", weir_barred_words[i]);
            some = true;
        }
    }
    weir_buf_add_lit(out, "],");
}

/* What the policies of its group say of it. */
static void
status_told(status_t *status, weir_buf_t *out, weir_str_t name, uint32_t peer_row)
{
    const weir_group_t *group = weir_told_group(status->report.req->generation, name);
    const weir_peer_t  *peer = group != NULL && peer_row != 0 ? weir_told_peer(group, peer_row, &status->told) : NULL;

    if (group != NULL && (peer_row == 0 || peer != NULL)) {
        weir_told_json(group, peer, out);
    }
}

static void
status_peer(status_t *status, weir_buf_t *out, uint32_t row)
{
    weir_stats_kind_t kind;
    weir_stats_row_t  sum;
    weir_str_t        group, peer = WEIR_STR_NONE, name = weir_stats_name(row, &kind);
    weir_peer_look_t  seen;
    bool              is_marked;

    (void) weir_str_cut(name, WEIR_STATS_SEPARATOR, &group, &peer);
    weir_stats_sum(row, &sum);
    is_marked = weir_state_look(name, &seen) ? seen.is_marked : sum.WEIR_GAUGE_UNAVAILABLE > 0;
    if (status->some_peer) {
        weir_buf_add_char(out, ',');
    }
    status->some_peer = true;
    weir_report_add_quoted(out, peer);
    weir_buf_printf(out, ":{\"state\":\"%s\",", status_state(sum.WEIR_GAUGE_DOWN > 0, is_marked, seen.barred));
    status_barred(out, seen.barred);
    status_number(out, "active", seen.in_use, false);
    status_number(out, "fails", sum.count[WEIR_COUNT_FAILS], false);
    status_number(out, "connected", sum.count[WEIR_COUNT_CONNECTED], false);
    status_common(out, &sum);
    status_told(status, out, group, row);
    weir_buf_add_char(out, '}');
}

/* The place of the first peer; of none that of the end. */
static uint32_t
status_first_peer(const status_t *status)
{
    uint32_t          at = status->at;
    weir_stats_kind_t kind;

    for (; at < status->n_rows; at++) {
        (void) weir_stats_name(status->rows[at], &kind);
        if (kind >= WEIR_STATS_PEER) {
            break;
        }
    }
    return at;
}

/* Peers stand in the order of their groups: what is behind the last group's peers is the next one's, or the row of a
 * group that has gone. */
static bool
status_next_peer(status_t *status, weir_buf_t *out, uint32_t upstream)
{
    weir_stats_kind_t kind = WEIR_STATS_PEER;

    weir_assert(status->in_upstream);
    for (; status->peer < status->n_rows; status->peer++) {
        uint32_t row = status->rows[status->peer];

        (void) weir_stats_name(row, &kind);
        if (kind != WEIR_STATS_PEER || (row >= WEIR_STATS_KINDS && weir_stats_owner(row) > upstream)) {
            return false;
        }
        if (row >= WEIR_STATS_KINDS && weir_stats_owner(row) == upstream) {
            status_peer(status, out, row);
            status->peer++;
            return true;
        }
    }
    return false;
}

/* false: not done with it. */
static bool
status_upstream(status_t *status, weir_buf_t *out, weir_str_t name, const weir_stats_row_t *sum)
{
    if (!status->in_upstream) {
        status_name(status, out, name);
        status_number(out, "fails", sum->count[WEIR_COUNT_FAILS], false);
        status_number(out, "retries", sum->count[WEIR_COUNT_RETRIES], false);
        status_number(out, "retries_refused", sum->count[WEIR_COUNT_RETRIES_REFUSED], false);
        status_number(out, "hedges", sum->count[WEIR_COUNT_HEDGES], false);
        status_number(out, "hedges_won", sum->count[WEIR_COUNT_HEDGES_WON], false);
        status_number(out, "hedges_refused", sum->count[WEIR_COUNT_HEDGES_REFUSED], false);
        status_common(out, sum);
        status_told(status, out, name, 0);
        weir_buf_add_lit(out, ",\"peers\":{");
        status->in_upstream = true;
        status->told = 0;
        status->some_peer = false;
        if (status->peer == 0) {
            status->peer = status_first_peer(status);
        }
    }
    while ((size_t) (out->end - out->pos) >= STATUS_ROW_BYTES) {
        if (!status_next_peer(status, out, status->rows[status->at])) {
            weir_buf_add_lit(out, "}}");
            status->in_upstream = false;
            return true;
        }
    }
    return false;
}

/* What is told in which part: the kind of its rows, and of limits which. */
static const struct { weir_stats_kind_t kind; const char *limit, *head; } status_parts[] = {
    [STATUS_SERVERS]   = { WEIR_STATS_SERVER, NULL, NULL },
    [STATUS_LOCATIONS] = { WEIR_STATS_LOCATION, NULL, "},\"location_zones\":{" },
    [STATUS_APIS]      = { WEIR_STATS_API, NULL, "},\"api_versions\":{" },
    [STATUS_UPSTREAMS] = { WEIR_STATS_UPSTREAM, NULL, "},\"upstreams\":{" },
    [STATUS_REQS]      = { WEIR_STATS_LIMIT, "req", "},\"limit_reqs\":{" },
    [STATUS_CONNS]     = { WEIR_STATS_LIMIT, "conn", "},\"limit_conns\":{" },
    [STATUS_QUOTAS]    = { WEIR_STATS_LIMIT, "quota", "},\"quotas\":{" },
    [STATUS_PLANS]     = { WEIR_STATS_LIMIT, "plan", "},\"plan_limits\":{" },
    [STATUS_CANARIES]  = { WEIR_STATS_KINDS, NULL, "},\"canaries\":{" },
    [STATUS_END]       = { WEIR_STATS_PROCESS, NULL, "}}\n" },
};

static bool
status_row(status_t *status, weir_buf_t *out, uint32_t row, weir_str_t name)
{
    weir_stats_row_t sum;
    weir_str_t       what, zone;
    const char      *limit = status_parts[status->part].limit;

    weir_assert(status->at < status->n_rows);
    if (limit != NULL) {
        if (weir_str_cut(name, WEIR_STATS_SEPARATOR, &what, &zone) && weir_str_eq(what, weir_str_from_z(limit))) {
            weir_stats_sum(row, &sum);
            status_limit(status, out, zone, &sum);
        }
        return true;
    }
    weir_stats_sum(row, &sum);
    if (row < WEIR_STATS_KINDS && sum.requests == 0) {
        return true;                         /* an "_other" of nothing */
    }
    if (status->part == STATUS_UPSTREAMS) {
        return status_upstream(status, out, name, &sum);
    }
    status_zone(status, out, name, &sum);
    return true;
}

static void
status_side(weir_buf_t *out, const char *name, const weir_rollout_side_t *side)
{
    weir_buf_printf(out, "\"%s\":{", name);
    status_number(out, "requests", side->requests, false);
    status_number(out, "errors", side->errors, false);
    status_number(out, "latency_ms", side->time, true);
    weir_buf_add_lit(out, "},");
}

/* The one at status->at; false: there is none. */
static bool
status_canary(status_t *status, weir_buf_t *out)
{
    weir_canary_t *const *canaries;
    size_t                n = weir_canary_list(status->report.req->generation, &canaries);
    const weir_canary_t  *canary;
    weir_rollout_look_t   look;

    if (status->at >= n) {
        return false;
    }
    canary = canaries[status->at++];
    weir_rollout_look(canary->rollout, &look);
    status_name(status, out, canary->name);
    weir_buf_add_lit(out, "\"target\":");
    weir_report_add_quoted(out, canary->target);
    weir_buf_add_lit(out, ",\"release_name\":");
    weir_report_add_quoted(out, canary->release);
    weir_buf_printf(out, ",\"state\":\"%s\",", weir_rollout_states[look.state]);
    status_number(out, "step", look.step + 1, false);
    status_number(out, "steps", canary->conf.n_steps, false);
    weir_buf_printf(out, "\"share_percent\":%u.%02u,\"last\":\"%s\",", look.share / 100, look.share % 100,
                    weir_rollout_findings[look.finding]);
    status_number(out, "last_time", look.found_s, false);
    status_side(out, "release", &look.release);
    status_side(out, "others", &look.others);
    status_number(out, "rises", look.rises, false);
    status_number(out, "holds", look.holds, false);
    status_number(out, "rollbacks", look.rollbacks, true);
    weir_buf_add_char(out, '}');
    return true;
}

static void
status_next_part(status_t *status, weir_buf_t *out)
{
    weir_assert(status->part > STATUS_HEAD && status->part < STATUS_END);
    status->part++;
    status->at = 0;
    status->some = false;
    weir_buf_add_str(out, weir_str_from_z(status_parts[status->part].head));
}

/* The next row of the part's kind; false: there is none. */
static bool
status_find(status_t *status, weir_str_t *name)
{
    weir_stats_kind_t kind;

    for (; status->at < status->n_rows; status->at++) {
        *name = weir_stats_name(status->rows[status->at], &kind);
        if (kind == status_parts[status->part].kind) {
            return true;
        }
    }
    return false;
}

static bool
status_step(weir_report_t *report, weir_buf_t *out)
{
    status_t  *status = weir_container_of(report, status_t, report);
    weir_str_t name;

    if (status->part == STATUS_HEAD) {
        status_head(status, out, report->req);
        status->part = STATUS_SERVERS;
    }
    for (unsigned n = 0; n < STATUS_ROWS && status->part != STATUS_END
         && (size_t) (out->end - out->pos) >= STATUS_ROW_BYTES; n++)
    {
        if (status->part == STATUS_CANARIES) {
            if (!status_canary(status, out)) {
                status_next_part(status, out);
            }
        } else if (!status_find(status, &name)) {
            status_next_part(status, out);
        } else if (status_row(status, out, status->rows[status->at], name)) {
            status->at++;
        }
    }
    return status->part != STATUS_END;
}

static weir_step_t
status_content(weir_request_t *req, const void *conf)
{
    status_t *status = weir_new(&req->arena, status_t);
    uint32_t  room = weir_stats_rows();

    (void) conf;
    status->rows = weir_try_alloc(&req->arena, room * sizeof(*status->rows));
    if (status->rows == NULL && room != 0) {
        return weir_request_fail(req, WEIR_CAUSE_INTERNAL_MEMORY, "a list of statistics");
    }
    status->n_rows = weir_stats_list(status->rows, room);
    weir_assert(status->n_rows <= room);
    weir_response_add(req, WEIR_HEADER_CACHE_CONTROL, WEIR_STR("no-store"));
    return weir_report_start(req, &status->report, WEIR_STR("application/json"), status_step);
}

/* -- the module -- */

static bool
status_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const status_conf_t *) conf)->on.on;
}

static const weir_directive_t status_directives[] = {
    WEIR_DIRECTIVE_OF(status_conf_t, on, "status", &weir_type_said, .where = WEIR_IN_LOCATION, .inherit = WEIR_LOCAL,
                      .help = "Answers with all statistics as JSON."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_status = {
    .name = "http_status",
    .area = "Statistics",
    .conf_size = sizeof(status_conf_t),
    .directives = status_directives,
    .on = { [WEIR_PHASE_CONTENT] = status_content },
    .enabled = status_enabled,
};
