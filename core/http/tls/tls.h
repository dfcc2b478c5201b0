/*
 * tls.h - TLS as the http core sees it: which context a server has, the handshake of a client's connection, what a
 * request on it may reach.
 *
 * Runs in workers (the build: at load).
 */
#ifndef WEIR_HTTP_TLS_TLS_H
#define WEIR_HTTP_TLS_TLS_H

#include "http/serve/conn.h"

/* A server's: made by the build of the http_ssl module when one of its listeners says ssl; server->tls. */
typedef struct weir_http_tls weir_http_tls_t;

/* A handshake begins on an accepted connection of an ssl listener: with this context.  NULL: it cannot (logged). */
weir_tls_context_t *weir_http_tls_begin(weir_http_conn_t *c) WEIR_MUST_USE;
/* Chooses the server by the name in the handshake; its owner is the connection. */
extern const weir_tls_acceptor_t weir_http_tls_acceptor;
/* The handshake is done.  NEXT: go on · PARK: go_on is called later, unless the connection ends · FAIL: close. */
weir_step_t weir_http_tls_done(weir_http_conn_t *c, void (*go_on)(weir_http_conn_t *c));
/* A request's server is known: may it be served on this connection?  NONE, or the cause to refuse it with: 421 (another
 * policy for client certificates than the one of the handshake), 400 (no certificate, or a bad one), 425 (early data).
 * *detail for the log, *status when it is another than the cause's own (nginx's 495, 496 for error_page), else 0. */
weir_cause_t weir_http_tls_check(weir_request_t *req, const char **detail, uint16_t *status);
/* The process ends: nothing of TLS is under way on the loop any more. */
void weir_http_tls_stop(void);

#endif
