/*
 * probe.c - see probe.h.
 *
 * Each place gets a pipeline of the probe's: one handler that notes the visit, the pure ones, one in the place of each
 * policy, which runs it or notes it, and handlers that note how far the request came and end it.  The one it had stays
 * behind it, to be told of.
 */
#include "http/probe.h"

#include "base/mem.h"
#include "http/answer/docroot.h"
#include "http/guard/dry_run.h"
#include "http/h1/parse.h"
#include "http/proxy/split.h"
#include "http/serve/runtime.h"
#include "os/clock.h"

#include <string.h>

typedef struct {
    weir_http_pipeline_t        own;     /* first, so that one is the other */
    const weir_http_pipeline_t *real;
} probe_pipeline_t;

struct weir_probe {
    weir_witness_t       witness;        /* first, so that one is the other */
    weir_generation_t   *generation;
    weir_http_t          http;
    weir_client_t        client;
    weir_request_t      *req;            /* the last one: its memory is the answer's */
    const weir_probe_request_t *asked;
    weir_probe_answer_t *answer;
    weir_probe_visit_t **last_visit;
    weir_probe_step_t  **last_step;
    weir_probe_judgement_t **last_judgement, *judging;     /* NULL: no policy is being run */
};

/* In the place of a policy's handler: it and its module. */
typedef struct { const weir_http_handler_t *real; size_t module; weir_phase_t phase; } probe_policy_t;

static weir_probe_t *
probe_of(const weir_request_t *req)
{
    return (weir_probe_t *) req->witness;
}

/* -- what is noted -- */

static void
probe_met(weir_witness_t *witness, weir_request_t *req, const weir_conf_words_t *words, bool held)
{
    weir_probe_t      *probe = (weir_probe_t *) witness;
    weir_probe_step_t *step = weir_new(&req->arena, weir_probe_step_t);

    *step = (weir_probe_step_t) { .words = words, .held = held, .path = req->uri.path, .query = req->query };
    *probe->last_step = step;
    probe->last_step = &step->next;
}

static void
probe_judged(weir_witness_t *witness, const char *policy, weir_str_t name, weir_str_t verdict)
{
    weir_probe_judgement_t *judging = ((weir_probe_t *) witness)->judging;

    if (judging != NULL) {
        judging->policy = policy;
        judging->name = name;
        judging->verdict = weir_str_eq(verdict, WEIR_STR("REJECTED"))           ? WEIR_PROBE_REFUSED
                         : weir_str_eq(verdict, WEIR_STR("REJECTED_DRY_RUN")) ? WEIR_PROBE_REHEARSED
                                                                                : WEIR_PROBE_PASSED;
    }
}

static weir_step_t
probe_visit(weir_request_t *req, const void *conf)
{
    weir_probe_t       *probe = probe_of(req);
    weir_probe_visit_t *visit = weir_new(&req->arena, weir_probe_visit_t);

    (void) conf;
    *visit = (weir_probe_visit_t) { .location = req->location, .path = req->uri.path, .query = req->query,
                                    .line = req->location->route != NULL ? req->route : NULL,
                                    .is_page = req->in_error_page };
    *probe->last_visit = visit;
    probe->last_visit = &visit->next;
    if (!req->in_error_page) {
        probe->answer->place = req->location;
        probe->answer->line = visit->line;
    }
    return WEIR_NEXT;
}

/* The rewrite phase is over. */
static weir_step_t
probe_arrive(weir_request_t *req, const void *conf)
{
    weir_probe_answer_t *answer = probe_of(req)->answer;

    (void) conf;
    if (!req->in_error_page) {
        answer->arrived = true;
        answer->place = req->location;
        answer->is_unrouted = req->location == req->server->fallback;
    }
    return WEIR_NEXT;
}

/* -- policies -- */

static weir_probe_judgement_t *
probe_note(weir_probe_t *probe, weir_request_t *req, const probe_policy_t *policy)
{
    weir_probe_judgement_t *judgement = weir_new(&req->arena, weir_probe_judgement_t);

    *judgement = (weir_probe_judgement_t) { .module = policy->module, .phase = policy->phase, .place = req->location };
    *probe->last_judgement = judgement;
    probe->last_judgement = &judgement->next;
    return judgement;
}

bool
weir_probe_is_rehearsed(const weir_http_location_t *place, size_t module, const void *conf)
{
    for (const weir_directive_t *row = weir_modules[module]->directives; row != NULL && row->name != NULL; row++) {
        const void *field = (const char *) conf + row->offset;

        if (weir_str_ends(weir_str_from_z(row->name), WEIR_STR("_dry_run")) && row->values == weir_dry_run_values
            && *(const uint32_t *) field != WEIR_DRY_RUN_AS_PLACE)
        {
            return *(const uint32_t *) field == WEIR_DRY_RUN_ON;
        }
    }
    return place->core->dry_run.on;
}

/* By its head, and by what is known beside that. */
static bool
probe_can_judge(weir_probe_t *probe, weir_request_t *req, const probe_policy_t *policy)
{
    const weir_http_module_t *m = weir_http_modules[policy->module];

    return probe->asked->decides != NULL
        && ((m->pure >> policy->phase & 1) != 0 || (m->judges_head != NULL && policy->phase == WEIR_PHASE_ACCESS))
        && probe->asked->decides(probe->asked->data, probe->answer, req->location, policy->module)
        && ((m->pure >> policy->phase & 1) != 0 || m->judges_head(req, policy->real->conf));
}

/* What is not known is taken for the best, so that what stands behind it is told of. */
static weir_step_t
probe_policy(weir_request_t *req, const void *conf)
{
    const probe_policy_t   *policy = conf;
    weir_probe_t           *probe = probe_of(req);
    weir_probe_judgement_t *judgement, ignored;
    weir_step_t             step;

    if (req->in_error_page && !probe_can_judge(probe, req, policy)) {
        return WEIR_NEXT;
    }
    judgement = req->in_error_page ? &ignored : probe_note(probe, req, policy);
    if (!req->in_error_page && !probe_can_judge(probe, req, policy)) {
        return policy->phase == WEIR_PHASE_ACCESS
               && !weir_probe_is_rehearsed(req->location, policy->module, policy->real->conf) ? weir_request_grant(req)
                                                                                              : WEIR_NEXT;
    }
    judgement->verdict = WEIR_PROBE_PASSED;
    probe->judging = judgement;
    step = policy->real->run(req, policy->real->conf);
    probe->judging = NULL;
    weir_assert(step == WEIR_NEXT || step == WEIR_DONE);         /* what waits does not say that it judges heads */
    if (step == WEIR_DONE && judgement->verdict == WEIR_PROBE_PASSED) {
        judgement->verdict = req->cause != WEIR_CAUSE_NONE ? WEIR_PROBE_REFUSED : WEIR_PROBE_ANSWERED;
    }
    return step;
}

/* -- what answers -- */

/* The first of several targets that is one, not a status. */
static const weir_proxy_target_t *
probe_first_target(const weir_proxy_targets_t *targets)
{
    size_t i = 0;

    while (targets != NULL && i < targets->n && targets->at[i].status != 0) {
        i++;
    }
    return targets != NULL && i < targets->n ? &targets->at[i] : NULL;
}

static void
probe_look_at_proxy(weir_request_t *req, weir_probe_answer_t *answer)
{
    const weir_http_pipeline_t *real = weir_probe_pipeline(req->location);

    for (size_t i = 0; i < weir_modules_count && real->n[WEIR_PHASE_CONTENT] != 0; i++) {
        const weir_http_module_t *m = weir_http_modules[i];

        if (m != NULL && m->is_proxy && m->on[WEIR_PHASE_CONTENT] == real->phase[WEIR_PHASE_CONTENT][0].run) {
            answer->proxy = real->phase[WEIR_PHASE_CONTENT][0].conf;
            weir_proxy_preview(req, answer->proxy, probe_first_target(answer->proxy->pass.targets), &answer->preview);
        }
    }
}

static bool
probe_serves_files(const weir_http_pipeline_t *real)
{
    for (size_t i = 0; i < weir_modules_count; i++) {
        const weir_http_module_t *m = weir_http_modules[i];

        if (m != NULL && m->is_fallback && real->n[WEIR_PHASE_CONTENT] != 0
            && m->on[WEIR_PHASE_CONTENT] == real->phase[WEIR_PHASE_CONTENT][0].run)
        {
            return true;
        }
    }
    return false;
}

/* Nothing pure is left to be run. */
static weir_step_t
probe_stop(weir_request_t *req, const void *conf)
{
    weir_probe_answer_t *answer = probe_of(req)->answer;

    (void) conf;
    if (req->in_error_page) {
        answer->status = req->error_status;
    } else {
        probe_look_at_proxy(req, answer);
        if (probe_serves_files(weir_probe_pipeline(req->location))
            && !weir_docroot_file(req, req->uri.path, &answer->file))
        {
            answer->file = WEIR_STR_NONE;
        }
    }
    weir_request_finish(req);
    return WEIR_DONE;
}

/* -- pipelines -- */

static bool
probe_is_pure(weir_phase_t phase, const weir_http_handler_t *handler)
{
    for (size_t i = 0; i < weir_modules_count; i++) {
        const weir_http_module_t *m = weir_http_modules[i];

        if (m != NULL && m->on[phase] == handler->run && (m->pure >> phase & 1) != 0) {
            return true;
        }
    }
    return false;
}

/* false: it is no module's. */
static bool
probe_module_of(const weir_http_handler_t *handler, weir_phase_t phase, size_t *module)
{
    for (size_t i = 0; i < weir_modules_count; i++) {
        if (weir_http_modules[i] != NULL && weir_http_modules[i]->on[phase] == handler->run) {
            *module = i;
            return true;
        }
    }
    return false;
}

/* Where keys and the like are fetched for a verdict that is another phase's. */
static bool
probe_only_prepares(size_t module, weir_phase_t phase)
{
    const weir_http_module_t *m = weir_http_modules[module];

    return phase == WEIR_PHASE_PREACCESS && m->on[WEIR_PHASE_ACCESS] != NULL && (m->pure >> phase & 1) == 0;
}

static uint16_t
probe_fill_policies(weir_arena_t *arena, const probe_pipeline_t *pipeline, weir_phase_t phase, weir_http_handler_t *row)
{
    probe_policy_t *policies = weir_new_n(arena, probe_policy_t, (size_t) pipeline->real->n[phase] + 1);
    uint16_t        n = 0;

    for (uint16_t i = 0; i < pipeline->real->n[phase]; i++) {
        policies[n] = (probe_policy_t) { .real = &pipeline->real->phase[phase][i], .phase = phase };
        if (probe_module_of(policies[n].real, phase, &policies[n].module)
            && !probe_only_prepares(policies[n].module, phase))
        {
            row[n] = (weir_http_handler_t) { .run = probe_policy, .conf = &policies[n] };
            n++;
        }
    }
    return n;
}

static void
probe_fill_phase(weir_arena_t *arena, probe_pipeline_t *pipeline, weir_phase_t phase)
{
    uint16_t             n_real = pipeline->real->n[phase], n = 0;
    weir_http_handler_t *row = weir_new_n(arena, weir_http_handler_t, (size_t) n_real + 1);

    if (phase == WEIR_PHASE_REWRITE || phase == WEIR_PHASE_PREACCESS) {
        row[n++].run = phase == WEIR_PHASE_REWRITE ? probe_visit : probe_arrive;
    } else if (phase == WEIR_PHASE_CONTENT) {
        row[n++].run = probe_stop;
    }
    if (phase == WEIR_PHASE_PREACCESS || phase == WEIR_PHASE_ACCESS) {
        n = (uint16_t) (n + probe_fill_policies(arena, pipeline, phase, row + n));
    }
    for (uint16_t i = 0; i < n_real && (phase == WEIR_PHASE_REWRITE || phase == WEIR_PHASE_PRECONTENT); i++) {
        if (probe_is_pure(phase, &pipeline->real->phase[phase][i])) {
            row[n++] = pipeline->real->phase[phase][i];
        }
    }
    pipeline->own.phase[phase] = row;
    pipeline->own.n[phase] = n;
}

static void
probe_take_pipeline(weir_arena_t *arena, weir_http_pipeline_t **at)
{
    probe_pipeline_t *pipeline = weir_new(arena, probe_pipeline_t);

    pipeline->real = *at;
    for (weir_phase_t phase = 0; phase < WEIR_PHASE_MAX; phase++) {
        probe_fill_phase(arena, pipeline, phase);
    }
    *at = &pipeline->own;
}

const weir_http_pipeline_t *
weir_probe_pipeline(const weir_http_location_t *place)
{
    return ((const probe_pipeline_t *) place->pipeline)->real;
}

/* (Blocks within blocks are bounded where they are read.) */
static void
probe_take_places(weir_arena_t *arena, weir_conf_block_t *parent)
{
    for (weir_conf_block_t *block = parent->first; block != NULL; block = block->next) {
        if (block->context & (WEIR_IN_LOCATION | WEIR_IN_ROUTE | WEIR_IN_PART)) {
            probe_take_pipeline(arena, &((weir_http_location_t *) block->owner)->pipeline);
            probe_take_places(arena, block);
        }
    }
}

/* -- the wire, which leads nowhere -- */

static weir_io_t
probe_interim(weir_request_t *req, uint16_t status, const void *fields)
{
    (void) req;
    (void) status;
    (void) fields;
    return WEIR_OK;
}

static weir_io_t
probe_head(weir_request_t *req)
{
    weir_probe_answer_t *answer = probe_of(req)->answer;

    answer->status = req->res.status;
    answer->redirect = weir_response_value(req, WEIR_HEADER_LOCATION);
    return WEIR_OK;
}

static weir_io_t
probe_body(weir_request_t *req, weir_str_t bytes)
{
    (void) req;
    (void) bytes;
    return WEIR_OK;
}

static weir_io_t
probe_flush(weir_request_t *req)
{
    (void) req;
    return WEIR_OK;
}

static bool
probe_pending(const weir_request_t *req)
{
    (void) req;
    return false;
}

static weir_io_t
probe_read(weir_request_t *req, weir_str_t *bytes)
{
    (void) req;
    *bytes = WEIR_STR_NONE;
    return WEIR_EOF;
}

static void
probe_tunnel(weir_request_t *req)
{
    (void) req;
}

static void
probe_finish(weir_request_t *req)
{
    weir_probe_answer_t *answer = probe_of(req)->answer;

    answer->status = answer->status != 0 ? answer->status : req->res.status;
    answer->cause = req->cause;
    answer->detail = req->detail;
    answer->server = req->server;
    answer->host = req->host;
    answer->path = req->uri.path;
    answer->query = req->query;
    req->is_ended = true;
}

#define PROBE_WIRE \
    .send_interim = probe_interim, .send_head = probe_head, .send_body = probe_body, .send_end = probe_flush, \
    .flush = probe_flush, .send_pending = probe_pending, .read_body = probe_read, .tunnel = probe_tunnel, \
    .finish = probe_finish, .abort = probe_finish

static const weir_codec_t probe_codec = { .protocol = "HTTP/1.1", PROBE_WIRE };
static const weir_codec_t probe_codec_http2 = { .protocol = "HTTP/2.0", PROBE_WIRE };

/* -- a request -- */

/* As h1/conn.c does with what clients send. */
static const char *
probe_parse(weir_request_t *req, const weir_probe_request_t *request)
{
    const weir_http_core_conf_t *core = request->listen->default_server->core;
    size_t line = weir_max(core->large_client_header_buffers.size.n, core->client_header_buffer_size.n), head;
    weir_h1_limits_t limits = {
        .max_line = line, .max_field = line,
        .max_head = weir_max(line, core->large_client_header_buffers.n * core->large_client_header_buffers.size.n),
        .max_fields = core->max_headers,
    };
    weir_h1_options_t options = {
        .ignore_invalid = core->ignore_invalid_headers.on, .underscores = core->underscores_in_headers.on,
        .max_fields = core->max_headers,
    };
    weir_h1_scan_t scan = { .at = 0 };
    weir_h1_reason_t reason;

    switch (weir_h1_scan(&scan, &limits, request->text.at, request->text.len, &head)) {
    case WEIR_H1_DONE:
        break;
    case WEIR_H1_LINE_TOO_LONG:
        return "the request line is longer than large_client_header_buffers allows";
    case WEIR_H1_FIELD_TOO_LONG:
        return "a field or the head is longer than large_client_header_buffers allows";
    case WEIR_H1_MORE:
    case WEIR_H1_BAD:
        return "this is no head of a request";
    }
    if (head != request->text.len) {
        return "the head ends before its last field";
    }
    reason = weir_h1_parse_request(&req->head, &options, weir_str_dup(&req->arena, request->text), &req->arena);
    return reason != WEIR_H1_OK ? weir_h1_reason_text(reason) : NULL;
}

static void
probe_forget(weir_probe_t *probe)
{
    if (probe->req != NULL) {
        weir_request_give_back(probe->req);
        probe->req = NULL;
    }
}

void
weir_probe_ask(weir_probe_t *probe, const weir_probe_request_t *request, weir_probe_answer_t *answer,
               const char **problem)
{
    char            text[WEIR_ADDR_TEXT];
    weir_request_t *req;

    probe_forget(probe);
    req = probe->req = weir_request_take(&probe->http);
    weir_assert(req != NULL);
    *answer = (weir_probe_answer_t) { .arena = &req->arena, .listen = request->listen };
    probe->answer = answer;
    probe->last_visit = &answer->visits;
    probe->last_step = &answer->steps;
    probe->last_judgement = &answer->judgements;
    probe->judging = NULL;
    probe->asked = request;
    req->codec = request->is_http2 ? &probe_codec_http2 : &probe_codec;
    req->witness = &probe->witness;
    req->body_complete = true;
    req->is_exempt = request->decides == NULL;   /* guards are not asked, nor is default_deny */
    req->version = request->is_http2 ? 20 : 11;
    probe->client = (weir_client_t) { .fd = -1, .number = 1, .requests = 1, .is_tls = request->is_tls,
                                      .addr = weir_addr_to_endpoint(&request->client), .opened = weir_clock_now() };
    probe->client.text = weir_str_dup(&req->arena, weir_str(text, weir_addr_text_ip(&request->client, text)));
    weir_request_begin(req, &probe->client, request->listen, probe->generation);
    *problem = probe_parse(req, request);
    if (*problem == NULL) {
        weir_request_run(req);
        weir_assert(req->is_ended);
    }
}

weir_match_input_t
weir_probe_input(const weir_probe_t *probe, weir_str_t path, weir_str_t query)
{
    const weir_request_t *req = probe->req;

    weir_assert(req != NULL);
    return (weir_match_input_t) { .path = path, .method = req->head.method_name, .query = query,
                                  .fields = &req->head.fields, .host = req->host };
}

/* -- a generation -- */

weir_probe_t *
weir_probe_create(weir_generation_t *generation)
{
    weir_probe_t           *probe = weir_mem_need(sizeof(*probe));
    const weir_http_conf_t *http = weir_http_conf_of(generation);

    memset(probe, 0, sizeof(*probe));
    probe->http.loop = weir_loop_create(16);
    if (probe->http.loop == NULL) {
        weir_mem_free(probe);
        return NULL;
    }
    weir_list_init(&probe->http.conns);
    weir_list_init(&probe->http.idle);
    weir_list_init(&probe->http.free_requests);
    probe->witness.met = probe_met;
    probe->witness.judged = probe_judged;
    probe->generation = probe->http.generation = generation;
    for (size_t i = 0; http != NULL && i < http->n_servers; i++) {
        weir_http_server_t *server = http->servers[i];

        probe_take_pipeline(&generation->arena, &server->pipeline);
        probe_take_pipeline(&generation->arena, &server->fallback->pipeline);
        probe_take_places(&generation->arena, server->block);
    }
    return probe;
}

void
weir_probe_destroy(weir_probe_t *probe)
{
    probe_forget(probe);
    weir_timer_drop(&probe->http.trim_timer);
    weir_requests_free(&probe->http);
    weir_loop_destroy(probe->http.loop);
    weir_mem_free(probe);
}
