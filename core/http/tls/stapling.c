/*
 * stapling.c - the OCSP answer that goes with handshakes (ssl_stapling): asked for at a server's first handshake, and
 * again before it is void.
 *
 * Runs in workers, each by itself.  One allocation for each server that staples.  The context may be shared with the
 * generation before: whichever generation is the newest keeps it fresh.
 */
#include "http/tls/conf.h"

#include "base/list.h"
#include "base/mem.h"
#include "http/serve/runtime.h"
#include "os/clock.h"
#include "tls/ocsp.h"

#define STAPLING_SOON_S    300        /* after a failure; and no more often than this otherwise */
#define STAPLING_LATEST_S  3600       /* answers are renewed at least this often */

struct weir_http_tls_stapler {
    weir_list_t            link;
    weir_http_tls_t       *tls;
    weir_http_t           *http;
    weir_generation_t     *generation;    /* borrowed: the server's own */
    weir_http_tls_fetch_t *fetch;
    weir_timer_t           timer;
    uint64_t               until_s;       /* the staple is void after this; 0: there is none, or it does not say */
};

static weir_list_t stapling_all = { &stapling_all, &stapling_all };

static void stapling_ask(weir_http_tls_stapler_t *s);

static void
stapling_on_timer(weir_timer_t *timer)
{
    stapling_ask(weir_container_of(timer, weir_http_tls_stapler_t, timer));
}

static void
stapling_again(weir_http_tls_stapler_t *s, uint64_t seconds)
{
    weir_timer_set(s->http->loop, &s->timer, (weir_msec_t) { seconds * 1000 }, stapling_on_timer);
}

static void
stapling_failed(weir_http_tls_stapler_t *s, const char *why)
{
    uint64_t now = weir_clock_wall_ms() / 1000;

    weir_log(WEIR_LOG_ERROR, NULL, 0, "ssl_stapling: %s (%.*s)", why, WEIR_STR_ARG(s->tls->staple_from.url));
    if (now >= s->until_s) {
        s->until_s = 0;
        weir_tls_context_unstaple(s->tls->context);       /* a void one is worse than none */
    }
    stapling_again(s, STAPLING_SOON_S);
}

/* Five minutes before it is void, or half way when it is short-lived; within the hour. */
static uint64_t
stapling_delay(uint64_t now, uint64_t until)
{
    uint64_t left = until > now ? until - now : 0;

    if (until == 0) {
        return STAPLING_LATEST_S;
    }
    left = left > 2 * STAPLING_SOON_S ? left - STAPLING_SOON_S : left / 2;
    return weir_max(1, weir_min(left, STAPLING_LATEST_S));
}

static void
stapling_fetched(void *data, weir_str_t answer, const char *why)
{
    weir_http_tls_stapler_t *s = data;
    uint64_t now = weir_clock_wall_ms() / 1000, until = 0;
    weir_tls_ocsp_status_t status;

    weir_assert(s->fetch != NULL && s->tls->runs->stapler == s);
    s->fetch = NULL;
    if (answer.len == 0) {
        stapling_failed(s, why != NULL ? why : "the OCSP responder's answer is empty");
        return;
    }
    status = weir_tls_ocsp_read(s->tls->staple, answer, s->tls->conf->stapling_verify.on, now, &until, &why);
    if (status != WEIR_TLS_OCSP_GOOD) {
        stapling_failed(s, why);
        return;
    }
    if (!weir_tls_context_staple(s->tls->context, answer)) {
        stapling_failed(s, "no memory for the OCSP answer");
        return;
    }
    s->until_s = until;
    stapling_again(s, stapling_delay(now, until));
}

static void
stapling_ask(weir_http_tls_stapler_t *s)
{
    weir_assert(s->tls->staple != NULL && weir_list_linked(&s->link));
    if (s->fetch != NULL || s->http->generation != s->generation) {
        return;                               /* the newer generation does it */
    }
    s->fetch = weir_http_tls_fetch(s->http, s->generation, &s->tls->staple_from, weir_tls_ocsp_request(s->tls->staple),
                                   stapling_fetched, s);
    if (s->fetch == NULL) {
        stapling_failed(s, "no memory to ask the OCSP responder");
    }
}

void
weir_http_tls_staple(weir_http_tls_t *tls, weir_http_t *http)
{
    weir_http_tls_stapler_t *s;

    if (tls->runs->has_begun || http->quitting) {
        return;
    }
    tls->runs->has_begun = true;
    if (tls->staple == NULL) {
        return;
    }
    weir_assert(tls->runs->stapler == NULL);
    s = weir_mem_try(sizeof(*s));
    if (s == NULL) {
        return;
    }
    *s = (weir_http_tls_stapler_t) { .tls = tls, .http = http, .generation = http->generation };
    tls->runs->stapler = s;
    weir_list_append(&stapling_all, &s->link);
    stapling_ask(s);
}

static void
stapling_stop(weir_http_tls_stapler_t *s)
{
    weir_http_tls_fetch_cancel(s->fetch);
    s->fetch = NULL;
    weir_timer_drop(&s->timer);
}

void
weir_http_tls_unstaple(weir_http_tls_t *tls)
{
    if (tls->runs->stapler != NULL) {
        weir_assert(tls->runs->stapler->tls == tls);
        stapling_stop(tls->runs->stapler);
        weir_list_remove(&tls->runs->stapler->link);
        weir_mem_free(tls->runs->stapler);
        tls->runs->stapler = NULL;
    }
}

void
weir_http_tls_stop(void)
{
    for (weir_list_t *l = stapling_all.next; l != &stapling_all; l = l->next) {
        stapling_stop(weir_list_entry(l, weir_http_tls_stapler_t, link));
    }
}
