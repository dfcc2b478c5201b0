/*
 * probe.c - one question to one peer, and whether its answer is good: a GET over HTTP/1 or HTTP/2, or gRPC's own
 * question (grpc.health.v1.Health/Check).
 *
 * It is asked as the place that passes requests to the peer asks: over its scheme, its TLS, its version of HTTP, with
 * those of its fields that do not depend on a request.  A peer is a stranger: of its answer 256 KiB are read at most,
 * and only as long as the check's limit lasts.
 *
 * Runs in workers; an arena a probe, and the body's bytes where a condition is about them.
 */
#include "health.h"

#include "base/mem.h"
#include "base/protobuf.h"
#include "os/clock.h"

#include <stdio.h>

#define PROBE_CHUNK        1024
#define PROBE_GRPC_ANSWER  ((size_t) 4096)   /* bytes of a gRPC answer at most */
#define PROBE_GRPC_FIELDS  64
#define PROBE_GRPC_SERVING 1
#define PROBE_GRPC_HEAD    5                 /* before a message: compressed or not, its length */

struct health_probe {
    health_spec_t spec;
    weir_arena_t  arena;
    weir_ask_t   *ask;
    const weir_response_head_t *head;        /* lives as long as the ask */
    weir_str_t     peer;                     /* its address; of the group's */
    weir_instant_t began, headed;
    char         *body;                      /* heap; NULL: none came, or no check looks at it */
    size_t        len, cap, seen;            /* seen: bytes that came, kept or not */
};

static const weir_fields_t probe_no_fields = { .n = 0 };

static void
probe_end(health_probe_t *probe, const char *why)
{
    health_spec_t spec = probe->spec;

    weir_mem_free(probe->body);
    spec.done(spec.data, why);               /* may look at what is in the arena */
    weir_group_unref(spec.alone);
    weir_arena_fini(&probe->arena);
    weir_mem_free(probe);
    weir_generation_unref(spec.generation);
}

void
health_probe_cancel(health_probe_t *probe)
{
    if (probe != NULL) {
        weir_ask_cancel(probe->ask);
        weir_mem_free(probe->body);
        weir_group_unref(probe->spec.alone);
        weir_arena_fini(&probe->arena);
        weir_generation_unref(probe->spec.generation);
        weir_mem_free(probe);
    }
}

/* -- gRPC's answer -- */

bool
health_probe_serving(weir_str_t body, uint64_t *serving)
{
    const unsigned char   *at = (const unsigned char *) body.at;
    uint32_t               budget = PROBE_GRPC_FIELDS, length;
    weir_protobuf_reader_t reader;
    weir_protobuf_field_t  field;
    weir_io_t              io;

    *serving = 0;                            /* UNKNOWN is not sent */
    if (body.len < PROBE_GRPC_HEAD || at[0] != 0) {
        return false;
    }
    length = (uint32_t) at[1] << 24 | (uint32_t) at[2] << 16 | (uint32_t) at[3] << 8 | at[4];
    if (length != body.len - PROBE_GRPC_HEAD) {
        return false;
    }
    reader = weir_protobuf_reader(weir_str_skip(body, PROBE_GRPC_HEAD), &budget);
    while ((io = weir_protobuf_next(&reader, &field)) == WEIR_OK) {
        if (field.number == 1 && field.type == WEIR_PROTOBUF_VARINT) {
            *serving = field.value;
        }
    }
    return io == WEIR_EOF;
}

static const weir_field_t *
probe_grpc_status(const health_probe_t *probe, const weir_fields_t *trailers)
{
    const weir_field_t *field = weir_fields_find(trailers, WEIR_STR("grpc-status"));

    return field != NULL ? field : weir_fields_find(&probe->head->fields, WEIR_STR("grpc-status"));
}

static bool
probe_judge_grpc(health_probe_t *probe, const weir_fields_t *trailers, weir_buf_t *why)
{
    static const char *const names[] = { "UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN" };
    const health_check_t *check = probe->spec.check;
    const weir_field_t   *said = probe_grpc_status(probe, trailers);
    uint64_t              status, serving;

    if (probe->head->status != 200) {
        weir_buf_printf(why, "status %u", probe->head->status);
        return false;
    }
    if (said == NULL || !weir_str_to_u64(said->value, &status)) {
        weir_buf_add_lit(why, "no gRPC status");
        return false;
    }
    if (check->has_grpc_status && status == check->grpc_status) {
        return true;
    }
    if (status != 0) {
        weir_buf_printf(why, "gRPC status %llu", (unsigned long long) status);
        return false;
    }
    if (!health_probe_serving(weir_str(probe->body, probe->len), &serving)) {
        weir_buf_add_lit(why, "no message of grpc.health.v1.HealthCheckResponse");
        return false;
    }
    if (serving != PROBE_GRPC_SERVING) {
        weir_buf_printf(why, "it says %s", names[serving < weir_countof(names) ? serving : 0]);
    }
    return serving == PROBE_GRPC_SERVING;
}

/* -- the answer -- */

static void
probe_judge(health_probe_t *probe, const weir_fields_t *trailers)
{
    const health_check_t *check = probe->spec.check;
    weir_attempt_t        attempt = {
        .peer = probe->peer, .status = probe->head->status, .connected = true, .has_header = true,
        .header_time = { probe->headed.ms - probe->began.ms },
        .response_time = { weir_clock_now().ms - probe->began.ms }, .response_length = probe->seen,
    };
    health_answer_t       answer = { .http = probe->spec.http, .generation = probe->spec.generation,
                                     .answered = { &attempt, probe->head, trailers },
                                     .body = weir_str(probe->body != NULL ? probe->body : "", probe->len) };
    char                  text[HEALTH_WHY];
    weir_buf_t            why;
    bool                  passed;

    weir_buf_init(&why, text, sizeof(text) - 1);
    passed = check->kind == HEALTH_GRPC ? probe_judge_grpc(probe, trailers, &why)
                                        : health_match_judge(check->match, &answer, &why);
    *why.pos = '\0';
    probe->ask = NULL;
    probe_end(probe, passed ? NULL : text);
}

static void
probe_on_head(weir_ask_t *ask, const weir_response_head_t *head)
{
    health_probe_t *probe = weir_ask_data(ask);

    probe->head = head;
    probe->headed = weir_clock_now();
    probe->len = probe->seen = 0;
}

static size_t
probe_body_max(const health_check_t *check)
{
    return check->kind == HEALTH_GRPC ? PROBE_GRPC_ANSWER
           : check->match != NULL && check->match->sees_body ? HEALTH_BODY : 0;
}

/* false: no memory. */
static bool
probe_keep(health_probe_t *probe, weir_str_t bytes)
{
    size_t cap = weir_min(weir_max(probe->len + bytes.len, probe->cap * 2), HEALTH_BODY);

    if (bytes.len > probe->cap - probe->len) {
        char *more = weir_mem_try(cap);

        if (more == NULL) {
            return false;
        }
        if (probe->len != 0) {
            memcpy(more, probe->body, probe->len);
        }
        weir_mem_free(probe->body);
        probe->body = more;
        probe->cap = cap;
    }
    memcpy(probe->body + probe->len, bytes.at, bytes.len);
    probe->len += bytes.len;
    return true;
}

/* More than is looked at is not waited for: an answer without end is judged by its beginning. */
static void
probe_on_body(weir_ask_t *ask, weir_str_t bytes)
{
    health_probe_t *probe = weir_ask_data(ask);
    size_t          max = probe_body_max(probe->spec.check);

    probe->seen += bytes.len;
    bytes.len = weir_min(bytes.len, max - weir_min(max, probe->len));
    if (bytes.len != 0 && !probe_keep(probe, bytes)) {
        weir_ask_cancel(ask);
        probe_end(probe, "no memory");
    } else if (probe->seen >= HEALTH_BODY) {
        weir_ask_cancel(ask);                /* what it has told of stays until the next turn */
        probe_judge(probe, &probe_no_fields);
    }
}

static void
probe_on_end(weir_ask_t *ask, weir_cause_t cause, const char *detail)
{
    health_probe_t *probe = weir_ask_data(ask);
    char            text[HEALTH_WHY];

    if (cause == WEIR_CAUSE_NONE) {
        probe_judge(probe, weir_ask_trailers(ask));
        return;
    }
    (void) snprintf(text, sizeof(text), "%s%.*s%s%s%s", probe->head != NULL ? "behind its head " : "",
                    WEIR_STR_ARG(weir_cause_row(cause)->word), detail != NULL ? " (" : "",
                    detail != NULL ? detail : "", detail != NULL ? ")" : "");
    probe_end(probe, text);
}

static const weir_ask_handler_t probe_handler = { .on_head = probe_on_head, .on_body = probe_on_body,
                                                  .on_end = probe_on_end };

/* -- the question -- */

/* Of the check's group: what its requests have as their Host. */
static weir_str_t
probe_host(const health_spec_t *spec)
{
    return weir_upstream_by_id(spec->generation, spec->check->group)->host_header;
}

/* What a text is without a request.  false: it depends on one. */
static bool
probe_eval(health_probe_t *probe, const weir_template_t *template, weir_str_t *text)
{
    *text = WEIR_STR("");
    for (size_t i = 0; i < template->n; i++) {
        const weir_template_part_t *part = &template->parts[i];
        weir_str_t                  value = part->literal;

        if (part->ref.row != NULL && strcmp(part->ref.row->name, "proxy_host") == 0) {
            value = probe_host(&probe->spec);
        } else if (part->ref.row != NULL && part->ref.row->subject != WEIR_OF_NONE) {
            return false;
        } else if (part->ref.row != NULL && !part->ref.row->get(NULL, &probe->arena, &part->ref, &value)) {
            value = WEIR_STR("");
        }
        *text = i == 0 ? value : weir_str_concat(&probe->arena, *text, value);
    }
    return true;
}

static bool
probe_may_send(const weir_proxy_header_t *header)
{
    return header->id != WEIR_HEADER_UPGRADE && header->id != WEIR_HEADER_EXPECT
           && header->id != WEIR_HEADER_CONNECTION && header->id != WEIR_HEADER_TRANSFER_ENCODING
           && header->id != WEIR_HEADER_CONTENT_LENGTH && header->id != WEIR_HEADER_TE;
}

/* Those of proxy_set_header that are the same for all requests; the Host among them. */
static void
probe_add_fields(health_probe_t *probe, weir_question_t *q)
{
    const weir_proxy_headers_t *headers = &probe->spec.check->place->emit;
    weir_ask_field_t           *fields = weir_new_n(&probe->arena, weir_ask_field_t, headers->n);

    q->fields = fields;
    for (size_t i = 0; i < headers->n; i++) {
        const weir_proxy_header_t *header = &headers->at[i];
        weir_str_t                 value;

        if (!probe_may_send(header) || !probe_eval(probe, header->value, &value) || value.len == 0) {
            continue;
        }
        if (header->id == WEIR_HEADER_HOST) {
            q->host = value;
        } else {
            fields[q->n_fields++] = (weir_ask_field_t) { header->name, value };
        }
    }
}

static void
probe_ask_grpc(health_probe_t *probe, weir_question_t *q)
{
    static const weir_ask_field_t fields[] = {
        { WEIR_STR_INIT("Content-Type"), WEIR_STR_INIT("application/grpc") },
    };
    weir_str_t              service = probe->spec.check->grpc_service;
    size_t                  size = PROBE_GRPC_HEAD + WEIR_PROTOBUF_ROOM(service.len), length;
    char                   *room = weir_alloc(&probe->arena, size);
    weir_protobuf_writer_t  writer;
    char                   *head;

    weir_protobuf_write_to(&writer, room + PROBE_GRPC_HEAD, size - PROBE_GRPC_HEAD);
    if (service.len != 0) {
        weir_protobuf_put_text(&writer, 1, service);
    }
    length = weir_protobuf_written(&writer);
    head = writer.pos - PROBE_GRPC_HEAD;
    memcpy(head, (char[PROBE_GRPC_HEAD]) { 0, (char) (length >> 24), (char) (length >> 16), (char) (length >> 8),
                                           (char) length }, PROBE_GRPC_HEAD);
    q->codec = &weir_peer_h2;
    q->method = WEIR_STR("POST");
    q->target = WEIR_STR("/grpc.health.v1.Health/Check");
    q->fields = fields;
    q->n_fields = weir_countof(fields);
    q->body = weir_str(head, PROBE_GRPC_HEAD + length);
    q->may_repeat = true;
}

static weir_msec_t
probe_least(weir_msec_t a, weir_msec_t b)
{
    return a.ms < b.ms ? a : b;
}

static void
probe_ask_conf(const health_check_t *check, weir_question_t *q)
{
    q->conf = check->place != NULL ? check->place->peer : weir_ask_conf();
    q->conf.connect_timeout = probe_least(q->conf.connect_timeout, check->limit);
    q->conf.send_timeout = probe_least(q->conf.send_timeout, check->limit);
    q->conf.read_timeout = probe_least(q->conf.read_timeout, check->limit);
    q->codec = q->conf.http_version == 20 ? &weir_peer_h2 : &weir_peer_h1;
}

/* proxy_bind of the place, where it is the same for all requests; NULL: any address of ours. */
static const weir_addr_t *
probe_bind(const health_check_t *check, const weir_addr_t *to, weir_addr_t *room)
{
    const weir_template_t *bind = check->place != NULL ? check->place->bind : NULL;
    weir_hostport_t        hp;
    const char            *why;

    if (bind == NULL || !bind->is_constant || bind->n == 0
        || !weir_addr_parse_hostport(&hp, bind->parts[0].literal, &why) || hp.is_unix)
    {
        return NULL;                                 /* "off" is no address */
    }
    return weir_addr_from_ip(room, hp.host, hp.port) && room->any.sa_family == to->any.sa_family ? room : NULL;
}

weir_upsecure_t
health_probe_secure(const health_spec_t *spec, const weir_addr_t *to, weir_addr_t *from)
{
    const health_check_t *check = spec->check;
    const weir_http_tls_upstream_conf_t *tls = check->place != NULL ? &check->place->tls : NULL;
    weir_upsecure_t                      secure = { .from = probe_bind(check, to, from) };
    weir_hostport_t                      hp;
    const char                          *why;

    if (!check->is_tls) {
        return secure;
    }
    weir_assert(tls != NULL && tls->built != NULL);
    secure.context = tls->built->context;
    secure.name = probe_host(spec);
    if (tls->name != NULL && tls->name->n == 1 && tls->name->is_constant) {
        secure.name = tls->name->parts[0].literal;
    }
    if (weir_addr_parse_hostport(&hp, secure.name, &why) && !hp.is_unix) {
        secure.name = hp.host;
    }
    secure.sends_name = tls->server_name.on;
    secure.verifies = tls->verify.on;
    secure.resumes = tls->session_reuse.on;
    return secure;
}

health_probe_t *
health_probe_begin(const health_spec_t *spec)
{
    const health_check_t *check = spec->check;
    health_probe_t       *probe = weir_mem_try(sizeof(*probe));
    weir_peer_t *const   *peers;
    weir_question_t       q = {
        .http = spec->http,
        .to = spec->alone,
        .method = WEIR_STR("GET"),
        .target = check->uri,
        .host = probe_host(spec),
        .tries = 1,
        .limit = check->limit,
        .max_body = UINT64_MAX,
        .says_close = check->keepalive_time.ms == 0,
        .handler = &probe_handler,
        .data = probe,
    };

    if (probe == NULL) {
        return NULL;
    }
    (void) weir_group_peers(spec->alone, &peers);
    *probe = (health_probe_t) { .spec = *spec, .began = weir_clock_now(), .peer = peers[0]->conf->text };
    weir_arena_init(&probe->arena, PROBE_CHUNK);
    probe_ask_conf(check, &q);
    if (check->place != NULL) {
        probe_add_fields(probe, &q);
    }
    if (check->kind == HEALTH_GRPC) {
        probe_ask_grpc(probe, &q);
    }
    q.secure = health_probe_secure(spec, &peers[0]->conf->addr, weir_new(&probe->arena, weir_addr_t));
    weir_group_ref(spec->alone);
    weir_generation_ref(spec->generation);
    probe->ask = weir_ask(&q);
    if (probe->ask == NULL) {
        health_probe_cancel(probe);
        return NULL;
    }
    return probe;
}
