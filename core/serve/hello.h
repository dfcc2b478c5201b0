/*
 * hello.h - what stands before a connection's own protocol, where its listener says so: a PROXY header, then a TLS
 * handshake, in which the client names the server that it wants.
 *
 *     begin ──> PROXIED ──> TLS ──> OVER
 *
 * Runs in workers.  The area's connection holds the state; the area's driver calls begin once and step at each edge,
 * and goes on by itself when the result is DONE: the bytes that follow have not been received.  Nothing is allocated
 * but by TLS.
 */
#ifndef WEIR_SERVE_HELLO_H
#define WEIR_SERVE_HELLO_H

#include "serve/listen.h"
#include "serve/proxy_protocol.h"
#include "tls/conn.h"

typedef enum { WEIR_HELLO_OVER, WEIR_HELLO_PROXIED, WEIR_HELLO_TLS } weir_hello_stage_t;

typedef enum {
    WEIR_HELLO_DONE,         /* what comes now is the area's; weir_tls_is_on tells whether it is secured */
    WEIR_HELLO_WAIT,         /* call step when an edge came */
    WEIR_HELLO_GONE,         /* the client has gone, or there is no memory: nothing to say */
    WEIR_HELLO_NO_PROXY,     /* what came is no PROXY header */
    WEIR_HELLO_NO_TLS        /* the handshake failed: weir_tls_why, weir_tls_was_plain */
} weir_hello_result_t;

/* An area's side of it; `owner` is its connection. */
typedef struct {
    /* What the header said, borrowed for the call.  false: no memory. */
    bool                       (*proxied)(void *owner, const weir_proxied_t *proxied);
    /* A handshake begins: with this context (borrowed for the call) until the client has named a server.  NULL: it
     * cannot; the area has said why. */
    weir_tls_context_t        *(*secure)(void *owner);
    const weir_tls_acceptor_t   *acceptor;               /* the server by its name, and what is spoken (ALPN) */
} weir_hello_area_t;

/* Zeroed: over. */
typedef struct {
    const weir_hello_area_t *area;
    void                    *owner;
    weir_conn_t             *conn;
    weir_hello_stage_t       stage;
} weir_hello_t;

/* listen: the entry of the connection's socket, which a new configuration may have replaced since the call before.
 * begin receives nothing: DONE, WAIT or GONE. */
weir_hello_result_t weir_hello_begin(weir_hello_t *hello, const weir_hello_area_t *area, void *owner, weir_conn_t *conn,
                                     const weir_listen_t *listen) WEIR_MUST_USE;
/* While a stage is under way.  room: WEIR_PROXY_PROTOCOL_MAX bytes for the time of the call. */
weir_hello_result_t weir_hello_step(weir_hello_t *hello, const weir_listen_t *listen, char *room) WEIR_MUST_USE;

#endif
