/*
 * runtime.h - what a worker's http holds while it runs; inside core/http only (outside: http.h).
 */
#ifndef WEIR_HTTP_RUNTIME_H
#define WEIR_HTTP_RUNTIME_H

#include "base/chain.h"
#include "http/http.h"
#include "http/request.h"
#include "http/serve/send_queue.h"
#include "upstream/group.h"

#define WEIR_RX_BYTES 65536      /* one receive buffer per worker, borrowed for the time of a read */
#define WEIR_FILE_BYTES 65536
#define WEIR_TX_BYTES 65536      /* one for heads and small bodies, borrowed until flush */

#define WEIR_PIPES_MAX 32        /* kept for reuse */
#define WEIR_PIPE_BYTES 1048576

/* A pooled pipe, empty. */
typedef struct { int in, out; } weir_pipe_t;

typedef struct weir_http_conn weir_http_conn_t;

struct weir_http {
    weir_serve_t      *serve;
    weir_loop_t       *loop;             /* serve's; so the next one */
    weir_life_t       *life;
    weir_generation_t *generation;       /* borrowed: serve has a reference */
    weir_groups_t     *groups;
    weir_list_t        conns;            /* clients' connections */
    weir_list_t        idle;             /* kept and quiet, oldest first */
    weir_chain_pool_t  blocks;
    weir_list_t        free_requests;    /* weir_request_box_t */
    weir_spare_t       spare_requests;   /* of them */
    size_t             trimmed;          /* bytes that went back to the heap since it was trimmed */
    weir_timer_t       trim_timer;
    struct weir_sub   *detached;         /* subrequests that no request waits for */
    size_t             n_detached;
    bool               quitting;         /* no connection begins another request */
    weir_http_conn_t  *tx_owner;         /* the one that holds something in tx that was not sent yet */
    weir_pipe_t        pipes[WEIR_PIPES_MAX];
    size_t             n_pipes;
    weir_timer_t       pipe_timer;
    char              *rx, *tx;
    weir_send_queue_t  sends;            /* tx lies in its room */
    /* WEIR_FILE_BYTES of one on their way, for the time of a call; made when the first is read */
    char              *file;
    char              *h2_rx;            /* HTTP/2's own: its frames lie here while requests that they began use rx */
};

/* The entry of a socket of ours. */
static inline const weir_http_listen_t *
weir_http_listen_of(const weir_serve_socket_t *socket)
{
    return weir_container_of(socket->listen, weir_http_listen_t, base);
}

/* Requests are recycled with their arenas: nothing is allocated for one after warm-up. */
weir_request_t *weir_request_take(weir_http_t *http);           /* NULL when there is no memory */
void            weir_request_give_back(weir_request_t *req);    /* resets it */
void            weir_requests_free(weir_http_t *http);          /* those kept for reuse */
size_t          weir_requests_trim(weir_http_t *http, size_t floor);     /* a tick (spare.h): bytes that went back */
void            weir_http_trim_later(weir_http_t *http);        /* something is kept for reuse; once is enough */

/* The send buffer, free for the time of a call: what another connection holds in it is sent first. */
char *weir_http_scratch(weir_http_t *http);

/* For bytes that go from one socket to another: false: errno. */
bool weir_http_take_pipe(weir_http_t *http, weir_pipe_t *pipe) WEIR_MUST_USE;
void weir_http_give_pipe(weir_http_t *http, weir_pipe_t pipe, bool is_empty);
void weir_http_close_pipes(weir_http_t *http);      /* those kept for reuse */

#endif
