/*
 * accept.h - a client's connection from accept to the moment its protocol is known.
 *
 * The protocols are a table (accept.c): ALPN chooses among them, or the first bytes do.
 */
#ifndef WEIR_HTTP_ACCEPT_H
#define WEIR_HTTP_ACCEPT_H

#include "http/serve/conn.h"

/* fd is taken over.  false: there is no connection. */
bool weir_http_accept(weir_http_t *http, weir_serve_socket_t *socket, int fd, const weir_addr_t *peer);

#endif
