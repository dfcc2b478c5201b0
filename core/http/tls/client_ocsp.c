/*
 * client_ocsp.c - asking an OCSP responder about a client's certificate, and those above it, before the connection's
 * first request (ssl_ocsp).
 *
 * Runs in workers.  Whatever goes wrong - no responder, no answer, no memory - the certificate does not pass: requests
 * are answered with 400.  One allocation per connection that has to ask, given back with it.
 */
#include "http/serve/conn.h"
#include "http/tls/conf.h"

#include "base/mem.h"
#include "os/clock.h"
#include "tls/ocsp.h"
#include "tls/verify.h"

#define CLIENT_KEEP_S     3600            /* an answer that does not say how long it holds */
#define CLIENT_KEEP_MAX_S (366 * 86400)

typedef struct {
    weir_http_beside_t        beside;
    weir_http_conn_t         *c;
    void                    (*go_on)(weir_http_conn_t *c);
    weir_http_tls_t          *tls;
    weir_tls_ocsp_t          *question;
    weir_http_tls_fetch_t    *fetch;
    weir_http_tls_responder_t from;
    weir_arena_t              arena;  /* of `from`, when the certificate named it */
    size_t                    depth;
    const char               *objection;
} client_t;

static void client_fetched(void *data, weir_str_t answer, const char *why);

/* -- what is known already -- */

static bool
client_is_known(client_t *k)
{
    const weir_entries_t *cache = k->tls->ocsp_cache;
    weir_entry_t entry;

    if (cache == NULL
        || weir_entries_get(cache, weir_tls_ocsp_id(k->question), weir_clock_now(), &entry) != WEIR_ENTRIES_DONE)
    {
        return false;
    }
    weir_entry_release(&entry);
    return true;
}

/* Good answers only: a certificate that was revoked is asked about again, and may hold again.  So an entry needs no
 * value. */
static void
client_remember(client_t *k, uint64_t until_s)
{
    uint64_t now_s = weir_clock_wall_ms() / 1000, keep_s = until_s > now_s ? until_s - now_s : 0;
    weir_instant_t now = weir_clock_now();

    keep_s = until_s == 0 ? CLIENT_KEEP_S : weir_min(keep_s, CLIENT_KEEP_MAX_S);
    if (k->tls->ocsp_cache != NULL && keep_s != 0) {     /* one that cannot be kept is asked for again */
        (void) !weir_entries_put(k->tls->ocsp_cache, weir_tls_ocsp_id(k->question), WEIR_STR_NONE, now,
                                 (weir_instant_t) { now.ms + keep_s * 1000 }, WEIR_ENTRIES_ANY, NULL);
    }
}

/* -- asking -- */

static const weir_http_tls_responder_t *
client_responder(client_t *k)
{
    const weir_http_tls_responder_t *said = &k->tls->ocsp_from;
    weir_str_t url = weir_tls_ocsp_url(k->question);
    const char *why;

    if (said->host.len != 0) {
        return said;
    }
    if (url.len == 0) {
        k->objection = "the certificate names no OCSP responder";
        return NULL;
    }
    weir_arena_reset(&k->arena);
    if (!weir_http_tls_read_numeric_responder(&k->arena, url, &k->from, &why)) {
        k->objection = why;
        return NULL;
    }
    return &k->from;
}

/* The next certificate that is to be asked about.  NEXT: no more, or an objection was found. */
static weir_step_t
client_step(client_t *k)
{
    const weir_http_tls_responder_t *from;

    for (;; k->depth++) {
        weir_tls_ocsp_destroy(k->question);
        k->question = NULL;
        if (k->depth > 0 && k->tls->conf->ocsp == WEIR_HTTP_TLS_OCSP_LEAF) {
            return WEIR_NEXT;
        }
        k->question = weir_tls_ocsp_of_peer(&k->c->conn, k->depth, &k->objection);
        if (k->question == NULL) {
            return WEIR_NEXT;
        }
        if (!client_is_known(k)) {
            break;
        }
    }
    from = client_responder(k);
    if (from == NULL) {
        return WEIR_NEXT;
    }
    weir_assert(k->fetch == NULL && k->question != NULL);
    k->fetch = weir_http_tls_fetch(k->c->http, k->c->generation, from,
                                   weir_tls_ocsp_request(k->question), client_fetched, k);
    if (k->fetch == NULL) {
        k->objection = "no memory to ask the OCSP responder";
        return WEIR_NEXT;
    }
    return WEIR_PARK;
}

static void
client_fetched(void *data, weir_str_t answer, const char *why)
{
    client_t *k = data;
    uint64_t until = 0;

    weir_assert(k->fetch != NULL && k->question != NULL);
    k->fetch = NULL;
    if (answer.len == 0) {
        k->objection = why != NULL ? why : "the OCSP responder's answer is empty";
    } else if (weir_tls_ocsp_read(k->question, answer, true, weir_clock_wall_ms() / 1000, &until, &why)
               == WEIR_TLS_OCSP_GOOD)
    {
        client_remember(k, until);
        k->depth++;
        if (client_step(k) == WEIR_PARK) {
            return;
        }
    } else {
        k->objection = why;
    }
    k->go_on(k->c);
}

static void
client_gone(weir_http_beside_t *beside)
{
    client_t *k = weir_container_of(beside, client_t, beside);

    weir_assert(k->c->beside == beside);
    k->c->beside = NULL;
    weir_http_tls_fetch_cancel(k->fetch);
    weir_tls_ocsp_destroy(k->question);
    weir_arena_fini(&k->arena);
    weir_mem_free(k);
}

weir_step_t
weir_http_tls_ask_about_client(weir_http_conn_t *c, void (*go_on)(weir_http_conn_t *c))
{
    weir_http_tls_t *tls = c->server->tls != NULL ? c->server->tls : c->listen->default_server->tls;
    client_t *k;

    if (tls == NULL || tls->conf->ocsp == WEIR_HTTP_TLS_OCSP_OFF || !weir_tls_has_peer_certificate(&c->conn)
        || weir_tls_verify_result(&c->conn) != WEIR_TLS_VERIFIED)
    {
        return WEIR_NEXT;
    }
    weir_assert(c->beside == NULL);     /* the handshake is done once */
    k = weir_mem_try(sizeof(*k));
    if (k == NULL) {
        return WEIR_FAIL;
    }
    *k = (client_t) { .beside = { .gone = client_gone }, .c = c, .go_on = go_on, .tls = tls };
    weir_arena_init(&k->arena, 1024);
    c->beside = &k->beside;
    return client_step(k);
}

const char *
weir_http_tls_objection(const weir_client_t *client)
{
    const weir_http_conn_t *c = weir_container_of(client, weir_http_conn_t, client);

    return c->beside != NULL ? weir_container_of(c->beside, client_t, beside)->objection : NULL;
}
