/*
 * conn.h - a client's connection, whatever is spoken on it; inside core/http only.
 *
 *   accepted ──> HELLO (TLS handshake; plain: HTTP/2's preface or not) ──> h1 or h2, for good
 *
 * One block of memory from accept to the end: the protocol's own struct begins with this one, and client.text is behind
 * it.  Freed at the end of the turn it was closed in.  Thousands lie idle: a byte here is paid for by each of them.
 */
#ifndef WEIR_HTTP_CONN_H
#define WEIR_HTTP_CONN_H

#include "http/serve/runtime.h"

/* What is spoken.  One row per protocol. */
typedef struct {
    const char *name;
    size_t      size;                                        /* of its struct */
    weir_str_t  alpn;                                        /* its name in a handshake */
    weir_str_t  preface;                                     /* how a plain connection begins on which it is spoken */
    bool (*is_on)(const weir_http_conn_t *c);                /* … where its preface counts; NULL: it has none */
    /* It takes over, as c->protocol; its part of the struct is zeroed.  `before` was received already and lies in
     * http->rx or elsewhere for the time of the call. */
    void (*start)(weir_http_conn_t *c, weir_str_t before);
    void (*on_ready)(weir_http_conn_t *c);                   /* an edge came */
    void (*on_timeout)(weir_http_conn_t *c);                 /* c->timer */
    /* Politely: an idle one is closed, one at work is left to say so with its answer.  now: cut, requests are told. */
    void (*quit)(weir_http_conn_t *c, bool now);
    void (*fini)(weir_http_conn_t *c);                       /* what its struct holds; no request is left then */
    /* Sends what it holds in http->tx; NULL: it never holds anything there. */
    void (*let_go)(weir_http_conn_t *c);
} weir_http_protocol_t;

#define WEIR_HTTP_PREFACE_MAX 24

/* Something that lives as long as a connection at most, and is told when that one ends. */
typedef struct weir_http_beside weir_http_beside_t;
struct weir_http_beside { void (*gone)(weir_http_beside_t *beside); };

struct weir_http_conn {
    weir_conn_t                 conn;
    weir_http_t                *http;
    weir_serve_socket_t        *socket;
    const weir_http_protocol_t *protocol;
    weir_http_server_t         *server;       /* the one chosen by SNI, valid with `generation`; NULL while plain */
    weir_generation_t          *generation;   /* a reference, of the time of the handshake; NULL while plain */
    const weir_http_listen_t   *listen;       /* the socket's entry in `generation`; NULL while plain */
    weir_list_t                 link;         /* http->conns */
    weir_list_t                 idle_link;    /* http->idle, oldest first */
    weir_timer_t                timer;
    weir_task_t                 task;
    weir_client_t               client;       /* its `proxied` is ours to free */
    weir_http_beside_t         *beside;       /* what OCSP says of its certificate; NULL: nothing was asked */
    bool                        closed;
};

/* c is zeroed but for its protocol; text, the client's address, lives as long.  fd is taken over.  false: it could not
 * be (logged). */
bool weir_http_conn_open(weir_http_conn_t *c, weir_http_t *http, weir_serve_socket_t *socket, int fd,
                         const weir_addr_t *peer, weir_str_t text) WEIR_MUST_USE;
void weir_http_conn_timer(weir_http_conn_t *c, weir_msec_t delay);
/* Idle: may be closed to make room.  Busy: taken off that list. */
void weir_http_conn_idle(weir_http_conn_t *c);
void weir_http_conn_busy(weir_http_conn_t *c);
/* Ends it now: descriptor, protocol, lists; the memory goes at the end of the turn.  Requests were ended before. */
void weir_http_conn_close(weir_http_conn_t *c);
/* What ended, or befell, the connection itself; its cause is a field of the record. */
void weir_http_conn_tell(weir_http_conn_t *c, weir_cause_t cause, const char *detail);
/* A request of this connection is to begin: the counters, and the generation it belongs to. */
void weir_http_conn_count(weir_http_conn_t *c);

/* The default server's settings: what holds before a request is known; of the server SNI chose, when one did. */
static inline const weir_http_core_conf_t *
weir_http_conn_core(const weir_http_conn_t *c)
{
    return (c->server ? c->server : weir_http_listen_of(c->socket)->default_server)->core;
}

#endif
