/*
 * responder.c - OCSP over plain HTTP (RFC 6960 appendix A): where a responder is, and one question asked of it.
 *
 * A fetch is one allocation with room for the largest answer; it runs on the loop, bounded in bytes and time.
 */
#include "http/tls/conf.h"

#include "base/buf.h"
#include "base/mem.h"
#include "event/conn.h"
#include "http/h1/parse.h"
#include "os/sock.h"
#include "tls/ocsp.h"

#include <errno.h>

#define FETCH_HEAD_MAX   4096
#define FETCH_FIELDS_MAX 50
#define FETCH_TIMEOUT    ((weir_msec_t) { 10000 })      /* for one address */
#define FETCH_TRIES      4

/* -- where -- */

static bool
responder_split(weir_arena_t *arena, weir_str_t url, weir_http_tls_responder_t *responder, weir_hostport_t *hp, const char **why)
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
    if (!weir_hostport_parse(hp, authority, why)) {
        return false;
    }
    *why = "no host in the address of an OCSP responder";
    if (hp->is_unix || hp->is_wildcard || hp->host.len == 0) {
        return false;
    }
    hp->port = hp->has_port ? hp->port : 80;
    responder->url = weir_str_dup(arena, url);
    responder->host = weir_str_dup(arena, authority);
    responder->path = slash != NULL ? weir_str_dup(arena, weir_str_skip(rest, authority.len)) : WEIR_STR("/");
    responder->addrs = (weir_addrs_t) { .at = weir_new(arena, weir_addr_t), .n = 1 };
    return true;
}

bool
weir_http_tls_read_numeric_responder(weir_arena_t *arena, weir_str_t url, weir_http_tls_responder_t *responder, const char **why)
{
    weir_hostport_t hp;

    if (!responder_split(arena, url, responder, &hp, why)) {
        return false;
    }
    *why = "the OCSP responder in the certificate has a name, which is not looked up: say ssl_ocsp_responder";
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

/* -- asking -- */

struct weir_http_tls_fetch {
    weir_loop_t                     *loop;
    const weir_http_tls_responder_t *responder;
    weir_http_tls_fetched_t         *done;
    void                            *data;
    weir_str_t                       request;
    weir_conn_t                      conn;
    weir_timer_t                     timer;
    weir_task_t                      task;
    size_t                           next, sent, head_len, n;
    const char                      *why;
    bool                             is_connected;
    char                             head[2048];
    char                             answer[FETCH_HEAD_MAX + WEIR_TLS_OCSP_ANSWER_MAX + 1];
};

static void fetch_try(weir_http_tls_fetch_t *f);

static void
fetch_free(weir_http_tls_fetch_t *f)
{
    weir_conn_close(&f->conn);
    weir_timer_drop(&f->timer);
    weir_task_cancel(&f->task);
    weir_mem_free(f);
}

void
weir_http_tls_fetch_cancel(weir_http_tls_fetch_t *f)
{
    if (f != NULL) {
        fetch_free(f);
    }
}

static void
fetch_end(weir_http_tls_fetch_t *f, weir_str_t answer, const char *why)
{
    weir_conn_close(&f->conn);
    f->done(f->data, answer, why);
    fetch_free(f);
}

static void
fetch_task(weir_task_t *task)
{
    fetch_try(weir_container_of(task, weir_http_tls_fetch_t, task));
}

/* This address will not do: the next, later. */
static void
fetch_failed(weir_http_tls_fetch_t *f, const char *why)
{
    f->why = why;
    weir_conn_close(&f->conn);
    weir_timer_clear(&f->timer);
    weir_task_post(f->loop, &f->task, fetch_task);
}

/* The whole head is here: its body's place, and whether that is all of it. */
static bool
fetch_parse(weir_http_tls_fetch_t *f, bool ended, weir_str_t *body, const char **why)
{
    weir_h1_limits_t limits = { FETCH_HEAD_MAX, FETCH_HEAD_MAX, FETCH_HEAD_MAX, FETCH_FIELDS_MAX, false };
    weir_h1_scan_t scan = { .at = 0 };
    weir_h1_response_t res = { .status = 0 };
    weir_arena_t arena;
    size_t head = 0;
    weir_h1_scan_result_t found = weir_h1_scan(&scan, &limits, f->answer, f->n, &head);
    bool whole = false;

    *why = NULL;
    if (found == WEIR_H1_MORE && !ended) {
        return false;
    }
    *why = "the OCSP responder sent no proper answer";
    if (found != WEIR_H1_DONE) {
        return true;
    }
    weir_arena_init(&arena, 4096);
    if (weir_h1_parse_response(&res, weir_str(f->answer, head), FETCH_FIELDS_MAX, &arena) == WEIR_H1_OK && !res.chunked) {
        *why = res.status == 200 ? NULL : "the OCSP responder answered with another status than 200";
        *body = weir_str(f->answer + head, f->n - head);
        if (res.content_length != WEIR_LENGTH_NONE) {
            whole = body->len >= res.content_length;
            body->len = weir_min(body->len, res.content_length);
        }
    }
    weir_arena_fini(&arena);
    if (*why != NULL) {
        return true;
    }
    if (ended && !whole && res.content_length != WEIR_LENGTH_NONE) {
        *why = "the OCSP responder's answer was cut short";
    } else if (whole ? body->len > WEIR_TLS_OCSP_ANSWER_MAX : f->n == sizeof(f->answer)) {
        *why = "the OCSP responder's answer is too long";
    }
    return ended || whole || *why != NULL;
}

static void
fetch_receive(weir_http_tls_fetch_t *f)
{
    weir_str_t body = WEIR_STR_NONE;
    const char *why;
    size_t got;

    for (;;) {
        weir_io_t io = weir_conn_recv(&f->conn, f->answer + f->n, sizeof(f->answer) - f->n, &got);
        if (io == WEIR_AGAIN) {
            return;
        }
        if (io == WEIR_ERROR) {
            fetch_failed(f, "the connection to the OCSP responder broke");
            return;
        }
        f->n += io == WEIR_OK ? got : 0;
        if (!fetch_parse(f, io == WEIR_EOF, &body, &why)) {
            continue;
        }
        if (why != NULL) {
            fetch_failed(f, why);
        } else {
            fetch_end(f, body, NULL);
        }
        return;
    }
}

/* false: not all yet, or failed. */
static bool
fetch_send(weir_http_tls_fetch_t *f)
{
    size_t total = f->head_len + f->request.len, sent = 0;

    while (f->sent < total) {
        bool in_head = f->sent < f->head_len;
        const char *from = in_head ? f->head + f->sent : f->request.at + (f->sent - f->head_len);
        struct iovec iov = { (void *) (uintptr_t) from, (in_head ? f->head_len : total) - f->sent };
        weir_io_t io = weir_conn_send(&f->conn, &iov, 1, &sent);
        if (io == WEIR_ERROR) {
            fetch_failed(f, "the connection to the OCSP responder broke");
            return false;
        }
        f->sent += io == WEIR_OK ? iov.iov_len : sent;
        if (io == WEIR_AGAIN) {
            return false;
        }
    }
    return true;
}

static void
fetch_on_ready(weir_watch_t *watch)
{
    weir_http_tls_fetch_t *f = weir_container_of(watch, weir_http_tls_fetch_t, conn.watch);

    if (!f->is_connected) {
        if (!watch->writable && !watch->failed && !watch->peer_closed) {
            return;
        }
        if (weir_sock_error(watch->fd) != 0) {
            fetch_failed(f, "the OCSP responder cannot be reached");
            return;
        }
        f->is_connected = true;
    }
    if (fetch_send(f)) {
        fetch_receive(f);
    }
}

static void
fetch_on_timeout(weir_timer_t *timer)
{
    fetch_failed(weir_container_of(timer, weir_http_tls_fetch_t, timer), "the OCSP responder did not answer in time");
}

static void
fetch_try(weir_http_tls_fetch_t *f)
{
    const weir_addrs_t *addrs = &f->responder->addrs;
    int fd;

    while (f->next < addrs->n && f->next < FETCH_TRIES) {
        f->sent = f->n = 0;
        f->is_connected = false;
        fd = weir_sock_connect(&addrs->at[f->next++], &f->is_connected);
        if (fd < 0 || !weir_conn_open(&f->conn, f->loop, fd, fetch_on_ready)) {
            f->why = "the OCSP responder cannot be reached";
            continue;
        }
        weir_timer_set(f->loop, &f->timer, FETCH_TIMEOUT, fetch_on_timeout);
        return;
    }
    fetch_end(f, WEIR_STR_NONE, f->why);
}

weir_http_tls_fetch_t *
weir_http_tls_fetch(weir_loop_t *loop, const weir_http_tls_responder_t *responder, weir_str_t request, weir_http_tls_fetched_t *done,
                    void *data)
{
    weir_http_tls_fetch_t *f = weir_mem_try(sizeof(*f));
    weir_buf_t head;

    if (f == NULL) {
        return NULL;
    }
    memset(f, 0, offsetof(weir_http_tls_fetch_t, head));
    f->loop = loop;
    f->responder = responder;
    f->request = request;
    f->done = done;
    f->data = data;
    f->why = "the OCSP responder cannot be reached";
    weir_buf_init(&head, f->head, sizeof(f->head));
    weir_buf_add_lit(&head, "POST ");
    weir_buf_add_str(&head, responder->path);
    weir_buf_add_lit(&head, " HTTP/1.0\r\nHost: ");
    weir_buf_add_str(&head, responder->host);
    weir_buf_add_lit(&head, "\r\nContent-Type: application/ocsp-request\r\nContent-Length: ");
    weir_buf_add_u64(&head, request.len);
    weir_buf_add_lit(&head, "\r\n\r\n");
    weir_assert(!head.full);
    f->head_len = weir_buf_len(&head);
    weir_task_post(loop, &f->task, fetch_task);
    return f;
}
