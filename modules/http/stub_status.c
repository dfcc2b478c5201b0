/*
 * stub_status.c - `stub_status;`: nginx's short page of connections, summed over all workers.
 */
#include "http/module.h"

#include "shm/stats.h"

typedef struct { weir_flag_t on; } stub_conf_t;

typedef struct { uint64_t active, accepted, requests, reading, writing, waiting; } stub_t;

static stub_t
stub_look(void)
{
    weir_stats_row_t sum;
    stub_t           stub = { .active = 0 };

    weir_stats_sum(WEIR_STATS_PROCESS, &sum);
    stub.active = sum.active > 0 ? (uint64_t) sum.active : 0;
    stub.waiting = weir_min(sum.idle > 0 ? (uint64_t) sum.idle : 0, stub.active);
    stub.writing = sum.busy > 0 ? (uint64_t) sum.busy : 0;
    stub.reading = stub.active - stub.waiting > stub.writing ? stub.active - stub.waiting - stub.writing : 0;
    stub.accepted = sum.count[WEIR_COUNT_ACCEPTED];
    stub.requests = sum.requests + stub.writing;
    return stub;
}

static weir_step_t
stub_content(weir_request_t *req, const void *conf)
{
    stub_t     stub = stub_look();
    weir_str_t text;

    (void) conf;
    if (req->head.method != WEIR_METHOD_GET && req->head.method != WEIR_METHOD_HEAD) {
        return weir_request_fail(req, WEIR_CAUSE_CLIENT_METHOD, NULL);
    }
    text = weir_str_printf(&req->arena, "Active connections: %llu \nserver accepts handled requests\n %llu %llu %llu \n"
                           "Reading: %llu Writing: %llu Waiting: %llu \n", (unsigned long long) stub.active,
                           (unsigned long long) stub.accepted,
                           (unsigned long long) stub.accepted, (unsigned long long) stub.requests,
                           (unsigned long long) stub.reading,
                           (unsigned long long) stub.writing, (unsigned long long) stub.waiting);
    return weir_request_reply(req, 200, WEIR_STR("text/plain"), text);
}

static bool
stub_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const stub_conf_t *) conf)->on.on;
}

/* `stub_status;` or, as nginx once asked for, with a word that says nothing. */
static bool
stub_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    (void) cf;
    (void) row;
    (void) words;
    ((weir_flag_t *) field)->on = true;
    return true;
}

static const weir_conf_type_t stub_type = { .name = "", .size = sizeof(weir_flag_t), .min_args = 0, .max_args = 1,
                                            .parse = stub_parse };

/* -- $connections_active and the like -- */

typedef enum { STUB_ACTIVE, STUB_READING, STUB_WRITING, STUB_WAITING } stub_which_t;

static bool
stub_get(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    stub_t   stub = stub_look();
    uint64_t numbers[] = { [STUB_ACTIVE] = stub.active, [STUB_READING] = stub.reading, [STUB_WRITING] = stub.writing,
                           [STUB_WAITING] = stub.waiting };

    (void) subject;
    *value = weir_str_printf(arena, "%llu", (unsigned long long) numbers[ref->row->data]);
    return true;
}

static const weir_variable_t stub_variables[] = {
    { "connections_active", .subject = WEIR_OF_REQUEST, .get = stub_get, .data = STUB_ACTIVE,
      .help = "Connections of clients, over all workers." },
    { "connections_reading", .subject = WEIR_OF_REQUEST, .get = stub_get, .data = STUB_READING,
      .help = "Those whose request is being read." },
    { "connections_writing", .subject = WEIR_OF_REQUEST, .get = stub_get, .data = STUB_WRITING,
      .help = "Requests under way." },
    { "connections_waiting", .subject = WEIR_OF_REQUEST, .get = stub_get, .data = STUB_WAITING,
      .help = "Those that are idle." },
    WEIR_VARIABLES_END
};

static const weir_directive_t stub_directives[] = {
    WEIR_DIRECTIVE_OF(stub_conf_t, on, "stub_status", &stub_type, .where = WEIR_IN_SERVER | WEIR_IN_LOCATION,
                      .inherit = WEIR_LOCAL,
                      .help = "Answers with a short page of connections and requests."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_stub_status = {
    .name = "http_stub_status",
    .area = "Statistics",
    .conf_size = sizeof(stub_conf_t),
    .directives = stub_directives,
    .variables = stub_variables,
    .on = { [WEIR_PHASE_CONTENT] = stub_content },
    .enabled = stub_enabled,
};
