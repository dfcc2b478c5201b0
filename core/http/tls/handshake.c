/*
 * handshake.c - a client's TLS handshake: which server its name leads to, what is offered to be spoken, and what a
 * request on the connection may reach afterwards.
 *
 * Runs in workers.  Nothing is allocated unless the name of a certificate has variables.
 */
#include "http/tls/conf.h"

#include "http/serve/runtime.h"
#include "tls/conn.h"
#include "tls/verify.h"

/* What a name found. */
typedef struct {
    weir_http_server_t *server;
    weir_captures_t     captures;
    const weir_regex_t *regex;
    bool                limit;
} handshake_found_t;

/* A request that is none: for the variables in a certificate's name. */
static weir_request_t *
handshake_request(weir_http_conn_t *c, weir_str_t name, const handshake_found_t *found)
{
    weir_request_t *req = weir_request_take(c->http);

    if (req == NULL) {
        return NULL;
    }
    weir_request_begin(req, &c->client, c->listen, c->generation);
    req->server = found->server;
    weir_request_use_location(req, found->server->fallback);
    req->host = name.len != 0 ? name : found->server->primary_name;
    if (found->regex != NULL) {
        weir_http_captures_set(req, &found->captures, found->regex, false);
    }
    return req;
}

static weir_tls_context_t *
handshake_load(weir_http_conn_t *c, weir_http_tls_t *tls, weir_str_t name, const handshake_found_t *found)
{
    weir_request_t *req = handshake_request(c, name, found);
    weir_tls_context_t *context = NULL;

    if (req != NULL) {
        context = weir_http_tls_load(tls, req);
        weir_request_give_back(req);
    }
    return context;
}

/* A server without a certificate of its own answers with that of its listener's default. */
static weir_http_tls_t *
handshake_tls_of(const weir_http_listen_t *listen, const weir_http_server_t *server)
{
    return server->tls != NULL ? server->tls : listen->default_server->tls;
}

static weir_tls_context_t *
handshake_choose(void *owner, weir_str_t name)
{
    weir_http_conn_t *c = owner;
    const weir_http_listen_t *listen = c->listen;
    handshake_found_t found = { .server = NULL };
    weir_http_tls_t *tls;

    weir_assert(listen != NULL && c->generation != NULL);     /* weir_http_tls_begin came before */
    if (name.len != 0) {
        found.server = weir_hosts_find(listen->hosts, name, &found.captures, &found.regex, &found.limit);
    }
    if (found.limit) {
        weir_cause_log(WEIR_CAUSE_ROUTE_PATTERN_LIMIT, NULL, "for the name in a TLS handshake");
        return NULL;
    }
    if (found.server == NULL) {
        found.server = listen->default_server;
    }
    c->server = found.server;
    tls = handshake_tls_of(listen, found.server);
    if (tls == NULL || tls->rejects) {
        return NULL;
    }
    if (tls->is_dynamic) {
        return handshake_load(c, tls, name, &found);
    }
    weir_http_tls_staple(tls, c->http);
    return tls->context;
}

static weir_str_t
handshake_protocols(void *owner)
{
    const weir_http_conn_t *c = owner;

    return c->listen->is_http2 || c->server->core->http2.on ? WEIR_STR("\x02h2\x08http/1.1\x08http/1.0")
                                                                   : WEIR_STR("\x08http/1.1\x08http/1.0");
}

const weir_tls_acceptor_t weir_http_tls_acceptor = { .choose = handshake_choose, .protocols = handshake_protocols };

weir_tls_context_t *
weir_http_tls_begin(weir_http_conn_t *c)
{
    const weir_http_listen_t *listen = weir_http_listen_of(c->socket);
    weir_http_server_t *server = listen->default_server;

    weir_assert(c->generation == NULL && c->listen == NULL);
    if (server->tls == NULL) {
        weir_log(WEIR_LOG_ALERT, NULL, 0, "the default server of %.*s has no TLS", WEIR_STR_ARG(listen->base.text));
        return NULL;
    }
    c->server = server;
    c->generation = weir_generation_ref(c->socket->generation);
    c->listen = listen;
    return server->tls->context;
}

weir_step_t
weir_http_tls_done(weir_http_conn_t *c, void (*go_on)(weir_http_conn_t *c))
{
    return weir_http_tls_ask_about_client(c, go_on);
}

/* -- requests -- */

/* nginx answers these with 400, and with 495 and 496 for error_page. */
static weir_cause_t
handshake_check_certificate(const weir_request_t *req, uint32_t verify, const char **detail, uint16_t *status)
{
    const weir_conn_t *conn = req->client->conn;
    long result = weir_tls_verify_result(conn);

    if (!weir_tls_has_peer_certificate(conn)) {
        *status = 496;
        return verify == WEIR_TLS_VERIFY_ON ? WEIR_CAUSE_CLIENT_CERT_REQUIRED : WEIR_CAUSE_NONE;
    }
    *status = 495;
    if (result != WEIR_TLS_VERIFIED
        && (verify != WEIR_TLS_VERIFY_OPTIONAL_NO_CA || !weir_tls_verify_is_untrusted(result)))
    {
        *detail = weir_tls_verify_text(result);
        return WEIR_CAUSE_CLIENT_CERT_INVALID;
    }
    *detail = weir_http_tls_objection(req->client);
    return *detail != NULL ? WEIR_CAUSE_CLIENT_CERT_INVALID : WEIR_CAUSE_NONE;
}

weir_cause_t
weir_http_tls_check(weir_request_t *req, const char **detail, uint16_t *status)
{
    const weir_conn_t *conn = req->client->conn;
    const weir_http_listen_t *listen = req->listen;
    const weir_http_tls_conf_t *conf = req->server->conf[weir_http_ssl_index];
    const weir_http_tls_t *tls;
    weir_cause_t cause;

    *status = 0;
    *detail = NULL;
    if (conn == NULL || !weir_tls_is_on(conn)) {
        *status = 497;
        /* (of a request that no client sent it is known that it would come over TLS, and no more) */
        return listen->base.is_ssl && !(req->witness != NULL && req->client->is_tls) ? WEIR_CAUSE_CLIENT_PLAIN_ON_TLS
                                                                                 : WEIR_CAUSE_NONE;
    }
    tls = handshake_tls_of(listen, req->server);
    if (tls != NULL && !weir_tls_context_same_policy(weir_tls_context_of(conn), tls->context)) {
        return WEIR_CAUSE_CLIENT_MISDIRECTED;
    }
    if (conf->verify != WEIR_TLS_VERIFY_OFF && tls != NULL) {
        cause = handshake_check_certificate(req, conf->verify, detail, status);
        if (cause != WEIR_CAUSE_NONE) {
            return cause;
        }
    }
    *status = 0;
    return weir_tls_is_early(conn) && !weir_method_is_safe(req->head.method) ? WEIR_CAUSE_CLIENT_EARLY_DATA
                                                                             : WEIR_CAUSE_NONE;
}
