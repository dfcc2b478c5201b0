/*
 * prometheus.c - `prometheus;`: all that is counted, in Prometheus' text format 0.0.4.
 *
 * A metric's samples stand together: for each metric every row is gone through, a few of them a turn of the loop.
 */
#include "http/answer/report.h"
#include "http/module.h"
#include "http/proxy/canary.h"

#include "shm/stats.h"
#include "upstream/state.h"
#include "upstream/told.h"

#include <stdio.h>

#define PROM_ROWS      4                     /* looked at a step: some tens of microseconds with histograms */
#define PROM_ROW_BYTES 40000                 /* room for one metric of a row: with less the next step goes on */
#define PROM_OCTAVE    8                     /* buckets told: 2^8 µs … */
#define PROM_OCTAVES   19                    /* … 2^26, by twos */

typedef struct { weir_flag_t on; } prom_conf_t;

typedef struct prom_metric prom_metric_t;

typedef struct {
    weir_buf_t             *out;
    const prom_metric_t    *metric;
    weir_stats_kind_t       kind;
    weir_str_t              name;            /* of the row */
    const weir_stats_row_t *sum;
    const uint64_t         *told;            /* numbers of metric->told */
} prom_row_t;

struct prom_metric {
    const char *name, *type, *help;
    unsigned    kinds;                       /* 1 << kind */
    void      (*put)(const prom_row_t *row);
    size_t      offset;                      /* for those that put one number */
    const weir_told_name_t *told;            /* of policies; NULL: of what statistics count themselves */
};

typedef struct {
    weir_report_t report;
    const prom_metric_t *metrics;            /* those of all configurations, then those of its policies */
    size_t        n_metrics, metric;
    unsigned      kind;
    uint32_t     *rows, n_rows;              /* those that are held, by kind */
    uint32_t      at;                        /* place in rows */
    bool          told;                      /* the metric's head */
    size_t        hint;                      /* for weir_told_peer */
    size_t        canary;                    /* of prom_canaries: what is told next, behind all others */
} prom_t;

/* -- samples -- */

static const char *const prom_kinds[] = {
    [WEIR_STATS_PROCESS] = "", [WEIR_STATS_SERVER] = "server_", [WEIR_STATS_LOCATION] = "location_",
    [WEIR_STATS_UPSTREAM] = "upstream_",
    [WEIR_STATS_PEER] = "peer_", [WEIR_STATS_LIMIT] = "limit_", [WEIR_STATS_API] = "api_",
};

/* name{labels, with `more` behind them, ended by a quote that is open or by nothing. */
static void
prom_begin(const prom_row_t *row, const char *suffix, const char *more)
{
    weir_buf_t *out = row->out;
    weir_str_t  first = row->name, second = WEIR_STR_NONE;
    bool        some = row->kind != WEIR_STATS_PROCESS;

    (void) weir_str_cut(row->name, WEIR_STATS_SEPARATOR, &first, &second);
    weir_buf_printf(out, "weir_%s%s%s", prom_kinds[row->kind], row->metric->name, suffix);
    if (!some && more == NULL) {
        return;
    }
    weir_buf_add_char(out, '{');
    switch (row->kind) {
    case WEIR_STATS_SERVER: case WEIR_STATS_LOCATION:
        weir_buf_add_lit(out, "zone=");
        weir_report_add_quoted(out, first);
        break;
    case WEIR_STATS_UPSTREAM: case WEIR_STATS_PEER:
        weir_buf_add_lit(out, "upstream=");
        weir_report_add_quoted(out, first);
        if (row->kind == WEIR_STATS_PEER) {
            weir_buf_add_lit(out, ",peer=");
            weir_report_add_quoted(out, second);
        }
        break;
    case WEIR_STATS_API:
        (void) weir_str_cut(row->name, '/', &first, &second);
        weir_buf_add_lit(out, "api=");
        weir_report_add_quoted(out, first);
        weir_buf_add_lit(out, ",version=");
        weir_report_add_quoted(out, second);
        break;
    case WEIR_STATS_LIMIT:
        weir_buf_add_lit(out, "limit=");
        weir_report_add_quoted(out, first);
        weir_buf_add_lit(out, ",zone=");
        weir_report_add_quoted(out, second);
        break;
    default:
        break;
    }
    if (more != NULL) {
        weir_buf_printf(out, "%s%s", some ? "," : "", more);
    }
    weir_buf_add_char(out, '}');
}

static void
prom_end(const prom_row_t *row, uint64_t value)
{
    weir_buf_add_char(row->out, ' ');
    weir_buf_add_u64(row->out, value);
    weir_buf_add_char(row->out, '\n');
}

static void
prom_one(const prom_row_t *row, const char *suffix, const char *more, uint64_t value)
{
    prom_begin(row, suffix, more);
    prom_end(row, value);
}

static void
prom_put_number(const prom_row_t *row)
{
    uint64_t value;

    memcpy(&value, (const char *) row->sum + row->metric->offset, sizeof(value));
    prom_one(row, "", NULL, value);
}

static void
prom_put_gauge(const prom_row_t *row)
{
    int64_t value;

    memcpy(&value, (const char *) row->sum + row->metric->offset, sizeof(value));
    prom_one(row, "", NULL, value > 0 ? (uint64_t) value : 0);
}

static void
prom_put_responses(const prom_row_t *row)
{
    char more[32];

    for (unsigned i = 0; i < WEIR_STATS_STATUSES; i++) {
        uint64_t n = row->sum->statuses[weir_stats_status(i + 100)];

        if (n != 0) {
            (void) snprintf(more, sizeof(more), "code=\"%u\"", i + 100);
            prom_one(row, "", more, n);
        }
    }
}

static void
prom_put_causes(const prom_row_t *row)
{
    char more[80];

    for (unsigned i = WEIR_CAUSE_NONE + 1; i < WEIR_CAUSE_MAX; i++) {
        if (weir_stats_of_cause(row->sum, i) != 0) {
            (void) snprintf(more, sizeof(more), "cause=\"%.*s\"", WEIR_STR_ARG(weir_cause_row((weir_cause_t) i)->word));
            prom_one(row, "", more, weir_stats_of_cause(row->sum, i));
        }
    }
}

/* Octaves are whole buckets, so that these bounds are exact. */
static void
prom_put_latency(const prom_row_t *row)
{
    uint64_t below = 0;
    uint32_t bucket = 0;
    char     more[48];

    for (unsigned octave = PROM_OCTAVE; octave < PROM_OCTAVE + PROM_OCTAVES; octave++) {
        for (; weir_stats_bucket_end(bucket) <= (uint64_t) 1 << octave; bucket++) {
            below += row->sum->latency[bucket];
        }
        (void) snprintf(more, sizeof(more), "le=\"%.9g\"", (double) ((uint64_t) 1 << octave) / 1e6);
        prom_one(row, "_bucket", more, below);
    }
    for (; bucket < WEIR_STATS_BUCKETS; bucket++) {
        below += row->sum->latency[bucket];
    }
    prom_one(row, "_bucket", "le=\"+Inf\"", below);
    prom_begin(row, "_sum", NULL);
    weir_buf_printf(row->out, " %llu.%06llu\n", (unsigned long long) (row->sum->latency_us / 1000000),
                    (unsigned long long) (row->sum->latency_us % 1000000));
    prom_one(row, "_count", NULL, below);
}

static void
prom_put_limit(const prom_row_t *row)
{
    static const char *const verdicts[] = { "passed", "delayed", "rejected", "delayed_dry_run", "rejected_dry_run" };
    char more[40];

    for (size_t i = 0; i < weir_countof(verdicts); i++) {
        (void) snprintf(more, sizeof(more), "verdict=\"%s\"", verdicts[i]);
        prom_one(row, "", more, row->sum->count[i]);
    }
}

static void
prom_put_up(const prom_row_t *row)
{
    weir_peer_look_t seen;
    bool             is_marked = weir_state_look(row->name, &seen) ? seen.is_marked
                                 : row->sum->WEIR_GAUGE_UNAVAILABLE > 0;

    prom_one(row, "", NULL, row->sum->WEIR_GAUGE_DOWN <= 0 && !is_marked);
}

static void
prom_put_in_use(const prom_row_t *row)
{
    weir_peer_look_t seen;

    (void) weir_state_look(row->name, &seen);         /* 0 where no worker has the peer */
    prom_one(row, "", NULL, seen.in_use);
}

static void
prom_put_barred(const prom_row_t *row)
{
    weir_peer_look_t seen;
    char             more[32];

    (void) weir_state_look(row->name, &seen);
    for (unsigned i = 0; i < WEIR_BARRED_REASONS; i++) {
        (void) snprintf(more, sizeof(more), "reason=\"%s\"", weir_barred_words[i]);
        prom_one(row, "", more, seen.barred >> i & 1);
    }
}

/* -- what policies tell -- */

static void
prom_put_state(const prom_row_t *row, const weir_told_t *told, uint64_t number)
{
    char more[96];

    for (size_t i = 0; told->states[i] != NULL; i++) {
        (void) snprintf(more, sizeof(more), "%s=\"%s\"", told->label != NULL ? told->label : "state", told->states[i]);
        prom_one(row, "", more, i == number);
    }
}

static void
prom_put_told(const prom_row_t *row)
{
    char more[96];

    for (size_t i = 0; i < row->metric->told->n; i++) {
        const weir_told_t *told = &row->metric->told->rows[i];

        if (told->kind == WEIR_TOLD_STATE) {
            prom_put_state(row, told, row->told[i]);
            continue;
        }
        (void) snprintf(more, sizeof(more), "%s=\"%s\"", told->label != NULL ? told->label : "", told->value);
        prom_begin(row, "", told->label != NULL ? more : NULL);
        if (told->kind == WEIR_TOLD_SECONDS) {
            weir_buf_printf(row->out, " %llu.%03llu\n", (unsigned long long) (row->told[i] / 1000),
                            (unsigned long long) (row->told[i] % 1000));
        } else {
            prom_end(row, row->told[i]);
        }
    }
}

static void
prom_put_handshakes(const prom_row_t *row)
{
    prom_one(row, "", "result=\"ok\"", row->sum->count[WEIR_COUNT_HANDSHAKES]);
    prom_one(row, "", "result=\"failed\"", row->sum->count[WEIR_COUNT_HANDSHAKES_FAILED]);
}

/* Of each worker, at the metric's offset in what it says of itself. */
static void
prom_put_workers(const prom_row_t *row)
{
    char more[32];

    for (uint32_t slot = 0; slot < WEIR_SLOTS; slot++) {
        weir_stats_worker_t worker;
        uint64_t            value;

        if (weir_stats_worker(slot, &worker)) {
            memcpy(&value, (const char *) &worker + row->metric->offset, sizeof(value));
            (void) snprintf(more, sizeof(more), "pid=\"%d\"", (int) worker.pid);
            prom_one(row, "", more, value);
        }
    }
}

/* -- metrics -- */

#define PROM_HTTP \
    (1u << WEIR_STATS_PROCESS | 1u << WEIR_STATS_SERVER | 1u << WEIR_STATS_LOCATION | 1u << WEIR_STATS_API)
#define PROM_UP   (1u << WEIR_STATS_UPSTREAM | 1u << WEIR_STATS_PEER)
#define PROM_PEER (1u << WEIR_STATS_PEER)
#define PROM_PROC (1u << WEIR_STATS_PROCESS)
#define PROM_AT(field) offsetof(weir_stats_row_t, field)

static const prom_metric_t prom_metrics[] = {
    { "worker_generation", "gauge", "The configuration that serves in a worker, counted since the start.", PROM_PROC,
      prom_put_workers, offsetof(weir_stats_worker_t, generation), NULL },
    { "worker_generations", "gauge", "Configurations that a worker has in memory.", PROM_PROC, prom_put_workers,
      offsetof(weir_stats_worker_t, generations), NULL },
    { "connections_accepted_total", "counter", "Connections of clients that were accepted.", PROM_PROC, prom_put_number,
      PROM_AT(count[WEIR_COUNT_ACCEPTED]), NULL },
    { "connections_active", "gauge", "Connections of clients.", PROM_PROC, prom_put_gauge, PROM_AT(active), NULL },
    { "connections_idle", "gauge", "Those that wait for a request.", PROM_PROC, prom_put_gauge, PROM_AT(idle), NULL },
    { "tls_handshakes_total", "counter", "TLS handshakes with clients.", PROM_PROC, prom_put_handshakes, 0, NULL },
    { "tls_resumed_total", "counter", "Those that resumed a session.", PROM_PROC, prom_put_number,
      PROM_AT(count[WEIR_COUNT_RESUMED]), NULL },
    { "requests_in_flight", "gauge", "Requests under way.", PROM_PROC | 1u << WEIR_STATS_SERVER, prom_put_gauge,
      PROM_AT(busy), NULL },
    { "requests_total", "counter", "Requests that have ended.", PROM_HTTP | PROM_UP, prom_put_number,
      PROM_AT(requests), NULL },
    { "responses_total", "counter", "Answers by status.", PROM_HTTP | PROM_UP, prom_put_responses, 0, NULL },
    { "causes_total", "counter", "Why Weir itself answered, by cause.", PROM_HTTP | PROM_UP, prom_put_causes, 0, NULL },
    { "received_bytes_total", "counter", "Bytes received.", PROM_HTTP | PROM_UP, prom_put_number, PROM_AT(received),
      NULL },
    { "sent_bytes_total", "counter", "Bytes sent.", PROM_HTTP | PROM_UP, prom_put_number, PROM_AT(sent), NULL },
    { "request_duration_seconds", "histogram", "Time from a request's first byte to its end.", PROM_HTTP | PROM_UP,
      prom_put_latency, 0, NULL },
    { "failures_total", "counter", "Attempts that failed.", PROM_UP, prom_put_number,
      PROM_AT(count[WEIR_COUNT_FAILS]), NULL },
    { "retries_total", "counter", "Attempts beside a request's first one.", 1u << WEIR_STATS_UPSTREAM, prom_put_number,
      PROM_AT(count[WEIR_COUNT_RETRIES]), NULL },
    { "retries_refused_total", "counter", "Requests that were not sent again although they might have been.",
      1u << WEIR_STATS_UPSTREAM, prom_put_number, PROM_AT(count[WEIR_COUNT_RETRIES_REFUSED]), NULL },
    { "hedges_total", "counter", "Second requests beside one that was not answered yet.", 1u << WEIR_STATS_UPSTREAM,
      prom_put_number, PROM_AT(count[WEIR_COUNT_HEDGES]), NULL },
    { "hedges_won_total", "counter", "Those whose answer was the client's.", 1u << WEIR_STATS_UPSTREAM,
      prom_put_number, PROM_AT(count[WEIR_COUNT_HEDGES_WON]), NULL },
    { "hedges_refused_total", "counter", "Those that a budget did not let.", 1u << WEIR_STATS_UPSTREAM,
      prom_put_number, PROM_AT(count[WEIR_COUNT_HEDGES_REFUSED]), NULL },
    { "up", "gauge", "1: it is asked; 0: it is marked as failed, or down.", PROM_PEER, prom_put_up, 0, NULL },
    { "barred", "gauge", "1: it is not asked, for that reason.", PROM_PEER, prom_put_barred, 0, NULL },
    { "active", "gauge", "Requests that it is asked for now.", PROM_PEER, prom_put_in_use, 0, NULL },
    { "requests_verdict_total", "counter", "What a limit did.", 1u << WEIR_STATS_LIMIT, prom_put_limit, 0, NULL },
};

/* Of what a policy tells: the numbers of the row's group or peer.  false: that has none. */
static bool
prom_look(prom_t *prom, const prom_metric_t *metric, uint32_t number, weir_str_t name, uint64_t *numbers)
{
    weir_str_t          first = name, second;
    const weir_group_t *group;
    const weir_peer_t  *peer = NULL;

    (void) weir_str_cut(name, WEIR_STATS_SEPARATOR, &first, &second);
    group = weir_told_group(prom->report.req->generation, first);
    if (group != NULL && prom->kind == WEIR_STATS_PEER) {
        peer = weir_told_peer(group, number, &prom->hint);
    }
    return group != NULL && (prom->kind == WEIR_STATS_PEER) == (peer != NULL)
           && weir_told_numbers(metric->told, group, peer, numbers);
}

static void
prom_put_row(prom_t *prom, const prom_metric_t *metric, uint32_t number, weir_str_t name, weir_buf_t *out)
{
    weir_stats_row_t  sum;
    uint64_t          told[WEIR_TOLD_MAX];
    weir_stats_kind_t kind = (weir_stats_kind_t) prom->kind;
    prom_row_t        row = { .out = out, .metric = metric, .kind = kind, .name = name, .sum = &sum, .told = told };

    if (metric->told != NULL && !prom_look(prom, metric, number, name, told)) {
        return;
    }

    weir_assert((unsigned) kind < weir_countof(prom_kinds) && metric->put != NULL);
    weir_stats_sum(number, &sum);
    if (number < WEIR_STATS_KINDS && number != WEIR_STATS_PROCESS && sum.requests == 0 && kind != WEIR_STATS_LIMIT) {
        return;                              /* an "_other" of nothing */
    }
    if (!prom->told) {
        prom->told = true;
        weir_buf_printf(out, "# HELP weir_%s%s %s\n# TYPE weir_%s%s %s\n", prom_kinds[kind], metric->name, metric->help,
                        prom_kinds[kind],
                        metric->name, metric->type);
    }
    metric->put(&row);
    while (out->full && out->pos != out->at && out->pos[-1] != '\n') {
        out->pos--;              /* hundreds of statuses under a long name: what has no room is left out, by the line */
    }
    out->full = false;
}

/* To the next metric of the next kind. */
static void
prom_next(prom_t *prom)
{
    weir_assert(prom->metric < prom->n_metrics && prom->kind < WEIR_STATS_KINDS);
    prom->at = 0;
    prom->told = false;
    if (++prom->kind == WEIR_STATS_KINDS) {
        prom->kind = 0;
        prom->metric++;
    }
}

/* The next row of the kind; false: there is none. */
static bool
prom_find(prom_t *prom, weir_str_t *name)
{
    weir_stats_kind_t kind;

    weir_assert(prom->at <= prom->n_rows);
    for (; prom->at < prom->n_rows; prom->at++) {
        *name = weir_stats_name(prom->rows[prom->at], &kind);
        if ((unsigned) kind >= prom->kind) {
            return (unsigned) kind == prom->kind;
        }
    }
    return false;
}

/* -- canaries: each metric of all of them -- */

static void
prom_canary_number(weir_buf_t *out, const char *name, const weir_canary_t *canary, const char *more, uint64_t value)
{
    weir_buf_printf(out, "weir_canary_%s{canary=\"%.*s\"%s} %llu\n", name, WEIR_STR_ARG(canary->name), more,
                    (unsigned long long) value);
}

static void
prom_canary_share(weir_buf_t *out, const char *name, const weir_canary_t *canary, const weir_rollout_look_t *look)
{
    weir_buf_printf(out, "weir_canary_%s{canary=\"%.*s\"} %u.%04u\n", name, WEIR_STR_ARG(canary->name),
                    look->share / WEIR_ROLLOUT_WHOLE, look->share % WEIR_ROLLOUT_WHOLE);
}

static void
prom_canary_step(weir_buf_t *out, const char *name, const weir_canary_t *canary, const weir_rollout_look_t *look)
{
    prom_canary_number(out, name, canary, "", look->step + 1);
}

static void
prom_canary_state(weir_buf_t *out, const char *name, const weir_canary_t *canary, const weir_rollout_look_t *look)
{
    char more[40];

    for (unsigned i = WEIR_ROLLOUT_RISING; i < WEIR_ROLLOUT_STATES; i++) {
        (void) snprintf(more, sizeof(more), ",state=\"%s\"", weir_rollout_states[i]);
        prom_canary_number(out, name, canary, more, look->state == i);
    }
}

static void
prom_canary_sides(weir_buf_t *out, const char *name, const weir_canary_t *canary, const weir_rollout_look_t *look)
{
    weir_rollout_side_t release, others;

    (void) look;
    weir_rollout_sides(canary->rollout, &release, &others);
    prom_canary_number(out, name, canary, ",side=\"release\",result=\"ok\"", release.requests - release.errors);
    prom_canary_number(out, name, canary, ",side=\"release\",result=\"failed\"", release.errors);
    prom_canary_number(out, name, canary, ",side=\"others\",result=\"ok\"", others.requests - others.errors);
    prom_canary_number(out, name, canary, ",side=\"others\",result=\"failed\"", others.errors);
}

static void
prom_canary_rises(weir_buf_t *out, const char *name, const weir_canary_t *canary, const weir_rollout_look_t *look)
{
    prom_canary_number(out, name, canary, "", look->rises);
}

static void
prom_canary_holds(weir_buf_t *out, const char *name, const weir_canary_t *canary, const weir_rollout_look_t *look)
{
    prom_canary_number(out, name, canary, "", look->holds);
}

static void
prom_canary_rollbacks(weir_buf_t *out, const char *name, const weir_canary_t *canary, const weir_rollout_look_t *look)
{
    prom_canary_number(out, name, canary, "", look->rollbacks);
}

static const struct {
    const char *name, *type, *help;
    void      (*put)(weir_buf_t *out, const char *name, const weir_canary_t *canary, const weir_rollout_look_t *look);
} prom_canaries[] = {
    { "share_ratio", "gauge", "The part of the requests that the release has.", prom_canary_share },
    { "step", "gauge", "The step at which it is.", prom_canary_step },
    { "state", "gauge", "1: that is its state.", prom_canary_state },
    { "requests", "gauge", "Requests since its last change.", prom_canary_sides },
    { "rises_total", "counter", "Steps that it has gone up.", prom_canary_rises },
    { "holds_total", "counter", "Times that there was too little to judge it by.", prom_canary_holds },
    { "rollbacks_total", "counter", "Times that it was rolled back.", prom_canary_rollbacks },
};

/* One metric a step.  false: there is none left. */
static bool
prom_put_canaries(prom_t *prom, weir_buf_t *out)
{
    weir_canary_t *const *canaries;
    size_t                n = weir_canary_list(prom->report.req->generation, &canaries), i = prom->canary++;

    if (n == 0 || i == weir_countof(prom_canaries)) {
        return false;
    }
    weir_buf_printf(out, "# HELP weir_canary_%s %s\n# TYPE weir_canary_%s %s\n", prom_canaries[i].name,
                    prom_canaries[i].help, prom_canaries[i].name, prom_canaries[i].type);
    for (size_t k = 0; k < n; k++) {
        weir_rollout_look_t look;

        weir_rollout_look(canaries[k]->rollout, &look);
        prom_canaries[i].put(out, prom_canaries[i].name, canaries[k], &look);
    }
    return true;
}

static bool
prom_step(weir_report_t *report, weir_buf_t *out)
{
    prom_t    *prom = weir_container_of(report, prom_t, report);
    weir_str_t name;

    if (prom->metric == prom->n_metrics) {
        return prom_put_canaries(prom, out);
    }
    for (unsigned n = 0; prom->metric < prom->n_metrics && (size_t) (out->end - out->pos) >= PROM_ROW_BYTES;
         )
    {
        const prom_metric_t *metric = &prom->metrics[prom->metric];

        if (!(metric->kinds >> prom->kind & 1) || !prom_find(prom, &name)) {
            prom_next(prom);
            continue;
        }
        prom_put_row(prom, metric, prom->rows[prom->at++], name, out);
        if (++n == PROM_ROWS) {
            return true;
        }
    }
    return true;
}

/* Those of all configurations, and a metric for each name that the policies of this one tell. */
static void
prom_list(prom_t *prom, weir_request_t *req)
{
    weir_told_name_t *names;
    size_t            n = weir_told_names(req->generation, &req->arena, &names);
    prom_metric_t    *metrics = weir_new_n(&req->arena, prom_metric_t, weir_countof(prom_metrics) + n);

    memcpy(metrics, prom_metrics, sizeof(prom_metrics));
    for (size_t i = 0; i < n; i++) {
        const weir_told_t *row = names[i].rows;
        bool               is_count = row->kind == WEIR_TOLD_COUNT;

        metrics[weir_countof(prom_metrics) + i] = (prom_metric_t) {
            .name = weir_str_printf(&req->arena, "%s_%s%s%c", names[i].policy->name, row->name,
                                    is_count ? "_total" : "", '\0').at,
            .type = is_count ? "counter" : "gauge", .help = row->help, .put = prom_put_told, .told = &names[i],
            .kinds = 1u << (row->of_peer ? WEIR_STATS_PEER : WEIR_STATS_UPSTREAM),
        };
    }
    prom->metrics = metrics;
    prom->n_metrics = weir_countof(prom_metrics) + n;
}

static weir_step_t
prom_content(weir_request_t *req, const void *conf)
{
    prom_t  *prom = weir_new(&req->arena, prom_t);
    uint32_t room = weir_stats_rows();

    (void) conf;
    prom->rows = weir_try_alloc(&req->arena, room * sizeof(*prom->rows));
    if (prom->rows == NULL && room != 0) {
        return weir_request_fail(req, WEIR_CAUSE_INTERNAL_MEMORY, "a list of statistics");
    }
    prom->n_rows = weir_stats_list(prom->rows, room);
    weir_assert(prom->n_rows <= room);
    prom_list(prom, req);
    weir_response_add(req, WEIR_HEADER_CACHE_CONTROL, WEIR_STR("no-store"));
    return weir_report_start(req, &prom->report, WEIR_STR("text/plain; version=0.0.4; charset=utf-8"), prom_step);
}

/* -- the module -- */

static bool
prom_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const prom_conf_t *) conf)->on.on;
}

static const weir_directive_t prom_directives[] = {
    WEIR_DIRECTIVE_OF(prom_conf_t, on, "prometheus", &weir_type_said, .where = WEIR_IN_LOCATION, .inherit = WEIR_LOCAL,
                      .help = "Answers with all statistics in Prometheus' text format."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_prometheus = {
    .name = "http_prometheus",
    .area = "Statistics",
    .conf_size = sizeof(prom_conf_t),
    .directives = prom_directives,
    .on = { [WEIR_PHASE_CONTENT] = prom_content },
    .enabled = prom_enabled,
};
