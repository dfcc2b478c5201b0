/*
 * responder.c - OCSP over plain HTTP (RFC 6960 appendix A): where a responder is, and one question asked of it.
 *
 * A responder is asked as any service is (http/exchange/ask.h).  A fetch is one allocation with room for the largest
 * answer.
 */
#include "http/tls/conf.h"

#include "base/mem.h"
#include "http/exchange/ask.h"
#include "tls/ocsp.h"

#include <string.h>

#define RESPONDER_PORT 80
#define FETCH_TRIES    4             /* addresses of a responder */
#define FETCH_CONNECT  ((weir_msec_t) { 3000 })
/* for all of them, however steadily one of them says nothing much */
#define FETCH_LIMIT    ((weir_msec_t) { 10000 })

/* -- where -- */

static bool
responder_split(weir_arena_t *arena, weir_str_t url, weir_http_tls_responder_t *responder, weir_hostport_t *hp,
                const char **why)
{
    weir_str_t rest = weir_str_skip(url, sizeof("http://") - 1), authority = rest;
    const char *slash = weir_str_find(rest, '/');

    *why = "an OCSP responder must be an http:// address";
    if (!weir_str_starts_fold(url, WEIR_STR("http://")) || url.len > 1024) {
        return false;
    }
    for (size_t i = 0; i < url.len; i++) {
        if ((unsigned char) url.at[i] <= ' ' || (unsigned char) url.at[i] >= 0x7f) {
            return false;
        }
    }
    if (slash != NULL) {
        authority.len = (size_t) (slash - rest.at);
    }
    if (!weir_addr_parse_hostport(hp, authority, why)) {
        return false;
    }
    *why = "no host in the address of an OCSP responder";
    if (hp->is_unix || hp->is_wildcard || hp->host.len == 0) {
        return false;
    }
    hp->port = hp->has_port ? hp->port : RESPONDER_PORT;
    responder->url = weir_str_dup(arena, url);
    responder->host = weir_str_dup(arena, authority);
    responder->path = slash != NULL ? weir_str_dup(arena, weir_str_skip(rest, authority.len)) : WEIR_STR("/");
    responder->addrs = (weir_addrs_t) { .at = weir_new(arena, weir_addr_t), .n = 1 };
    return true;
}

bool
weir_http_tls_split_responder(weir_arena_t *arena, weir_str_t url, weir_http_tls_responder_t *responder,
                              const char **why)
{
    weir_hostport_t hp;

    return responder_split(arena, url, responder, &hp, why);
}

bool
weir_http_tls_read_numeric_responder(weir_arena_t *arena, weir_str_t url, weir_http_tls_responder_t *responder,
                                     const char **why)
{
    weir_hostport_t hp;

    if (!responder_split(arena, url, responder, &hp, why)) {
        return false;
    }
    *why = "the OCSP responder in the certificate has a name, which is not looked up: set ssl_ocsp_responder";
    return weir_addr_from_ip(responder->addrs.at, hp.host, hp.port);
}

bool
weir_http_tls_read_responder(weir_conf_t *cf, weir_str_t url, weir_http_tls_responder_t *responder, const char **why)
{
    weir_error_t error = { .text = "" };
    weir_addrs_t found = { .n = 0 };
    weir_hostport_t hp;

    if (!responder_split(cf->arena, url, responder, &hp, why)) {
        return false;
    }
    if (weir_addr_from_ip(responder->addrs.at, hp.host, hp.port)) {
        return true;
    }
    *why = "host not found in the address of an OCSP responder";
    if (!weir_bundle_resolve(cf->bundle, hp.host, &found, &error) || found.n == 0) {
        return false;
    }
    responder->addrs = (weir_addrs_t) { .at = weir_new_n(cf->arena, weir_addr_t, found.n), .n = found.n };
    for (size_t i = 0; i < found.n; i++) {
        responder->addrs.at[i] = found.at[i];
        weir_addr_set_port(&responder->addrs.at[i], hp.port);
    }
    return true;
}

bool
weir_http_tls_bind_responder(weir_conf_t *cf, weir_generation_t *generation, weir_http_tls_responder_t *responder)
{
    const weir_group_conf_t *group;

    if (responder->host.len == 0) {
        return true;
    }
    group = weir_upstream_for(cf, generation, responder->host, RESPONDER_PORT);
    if (group != NULL) {
        responder->group = group->id;
    }
    return group != NULL;
}

/* -- asking -- */

struct weir_http_tls_fetch {
    weir_ask_t              *ask;
    weir_arena_t             arena;          /* of the group of a responder that has none */
    weir_http_tls_fetched_t *done;
    void                    *data;
    size_t                   n;
    char                     answer[WEIR_TLS_OCSP_ANSWER_MAX];
};

static void
fetch_free(weir_http_tls_fetch_t *f)
{
    weir_arena_fini(&f->arena);
    weir_mem_free(f);
}

void
weir_http_tls_fetch_cancel(weir_http_tls_fetch_t *f)
{
    if (f != NULL) {
        weir_assert(f->ask != NULL);
        weir_ask_cancel(f->ask);
        fetch_free(f);
    }
}

static void
fetch_on_head(weir_ask_t *ask, const weir_response_head_t *head)
{
    weir_http_tls_fetch_t *f = weir_ask_data(ask);

    weir_assert(ask == f->ask);
    f->n = 0;
    if (head->status != 200) {
        weir_ask_refuse(ask, "the OCSP responder answered with another status than 200");
    }
}

static void
fetch_on_body(weir_ask_t *ask, weir_str_t bytes)
{
    weir_http_tls_fetch_t *f = weir_ask_data(ask);

    weir_assert(bytes.len <= sizeof(f->answer) - f->n);
    memcpy(f->answer + f->n, bytes.at, bytes.len);
    f->n += bytes.len;
}

static const char *
fetch_why(weir_cause_t cause, const char *detail)
{
    switch (cause) {
    case WEIR_CAUSE_NONE: return NULL;
    case WEIR_CAUSE_UPSTREAM_ANSWER: return detail;
    case WEIR_CAUSE_UPSTREAM_BODY_TOO_LARGE: return "the OCSP responder's answer is too long";
    case WEIR_CAUSE_UPSTREAM_BODY_INCOMPLETE: return "the OCSP responder's answer was cut short";
    case WEIR_CAUSE_UPSTREAM_MALFORMED: case WEIR_CAUSE_UPSTREAM_BODY_MALFORMED:
    case WEIR_CAUSE_UPSTREAM_HEADER_TOO_LARGE:
    case WEIR_CAUSE_UPSTREAM_INTERIM: return "the OCSP responder sent no proper answer";
    case WEIR_CAUSE_UPSTREAM_SEND_TIMEOUT: case WEIR_CAUSE_UPSTREAM_READ_TIMEOUT: case WEIR_CAUSE_UPSTREAM_DEADLINE:
        return "the OCSP responder did not answer in time";
    case WEIR_CAUSE_UPSTREAM_CLOSED: case WEIR_CAUSE_UPSTREAM_RESET: case WEIR_CAUSE_UPSTREAM_SEND_FAILED:
        return "the connection to the OCSP responder broke";
    default: return "the OCSP responder cannot be reached";
    }
}

static void
fetch_on_end(weir_ask_t *ask, weir_cause_t cause, const char *detail)
{
    weir_http_tls_fetch_t *f = weir_ask_data(ask);

    weir_assert(ask == f->ask && f->n <= sizeof(f->answer));
    f->ask = NULL;
    f->done(f->data, cause == WEIR_CAUSE_NONE ? weir_str(f->answer, f->n) : WEIR_STR_NONE, fetch_why(cause, detail));
    fetch_free(f);
}

static const weir_ask_handler_t fetch_handler = { .on_head = fetch_on_head,
                                                  .on_body = fetch_on_body,
                                                  .on_end = fetch_on_end };

/* The group that is asked: a reference. */
static weir_group_t *
fetch_group(weir_http_tls_fetch_t *f, weir_http_t *http, const weir_generation_t *generation,
            const weir_http_tls_responder_t *responder)
{
    if (weir_group_id_is(responder->group)) {
        return weir_group_ref(weir_upstream_running(generation, responder->group));
    }
    return weir_upstream_attach_addrs(http->groups, &f->arena, weir_new(&f->arena, weir_group_conf_t), responder->host,
                                      responder->host, responder->addrs.at, responder->addrs.n);
}

weir_http_tls_fetch_t *
weir_http_tls_fetch(weir_http_t *http, const weir_generation_t *generation,
                    const weir_http_tls_responder_t *responder, weir_str_t request,
                    weir_http_tls_fetched_t *done, void *data)
{
    static const weir_ask_field_t fields[] = { { WEIR_STR("Content-Type"), WEIR_STR("application/ocsp-request") } };
    weir_http_tls_fetch_t *f = weir_mem_try(sizeof(*f));
    weir_question_t q = {
        .http = http,
        .codec = &weir_peer_h1,
        .conf = weir_ask_conf(),
        .method = WEIR_STR("POST"),
        .target = responder->path,
        .host = responder->host,
        .fields = fields,
        .n_fields = weir_countof(fields),
        .body = request,
        .may_repeat = true,
        .tries = FETCH_TRIES,
        .limit = FETCH_LIMIT,
        .max_body = WEIR_TLS_OCSP_ANSWER_MAX,
        .handler = &fetch_handler,
        .data = f,
    };

    if (f == NULL) {
        return NULL;
    }
    q.conf.connect_timeout = FETCH_CONNECT;
    memset(f, 0, offsetof(weir_http_tls_fetch_t, answer));
    weir_arena_init(&f->arena, 1024);
    f->done = done;
    f->data = data;
    q.to = fetch_group(f, http, generation, responder);
    f->ask = weir_ask(&q);
    weir_group_unref(q.to);
    if (f->ask == NULL) {
        fetch_free(f);
        return NULL;
    }
    return f;
}
