/*
 * send_queue.h - what a turn has to send, sent together at its end.
 *
 * Why: the half of a request that is the kernel's send and the half that is Weir's own are each larger than the
 * processor's first cache.  Requests that are read, run and sent one after another fetch both anew each time; those of
 * a turn that are first all run and then all sent fetch either once.  docs/performance.md has the figures.
 *
 * Bytes that are composed in the worker's send buffer stay where they are, and the buffer goes on behind them.  The
 * connection is told at the end of the turn how it went, as a send of its own would have told; until then they count as
 * not sent.
 *
 * Runs in workers, one queue each; allocates nothing after its start.
 */
#ifndef WEIR_HTTP_SEND_QUEUE_H
#define WEIR_HTTP_SEND_QUEUE_H

#include "base/chain.h"
#include "event/conn.h"

typedef struct weir_http weir_http_t;

/* io as of weir_conn_send; after AGAIN the rest lies in the chain.  conn may be closed from within. */
typedef void (*weir_on_sent_t)(weir_conn_t *conn, weir_io_t io);

typedef struct {
    weir_conn_t   *conn;         /* NULL: cancelled */
    weir_chain_t  *out;
    weir_on_sent_t on_sent;
    const char    *at;
    size_t         len;
    weir_io_t      io;           /* once it was sent */
} weir_queued_t;

#define WEIR_SENDS_MAX   256     /* queued at once */
#define WEIR_SENDS_BURST 64      /* so many are sent before more requests run: none waits for a whole turn of many */

typedef struct {
    weir_task_t   task;
    size_t        n, n_sent;     /* queued; of them sent, but their owners were not told yet */
    char         *room;          /* http->tx lies in it: WEIR_TX_BYTES of it are always left */
    weir_queued_t at[WEIR_SENDS_MAX];
} weir_send_queue_t;

/* Makes http->tx; ends without memory. */
void weir_send_queue_init(weir_http_t *http);
void weir_send_queue_fini(weir_http_t *http);

/*
 * The first len bytes of http->tx, which no connection holds any more, are conn's to send.  One piece a connection at a
 * time, and nothing else may be sent on it before on_sent; `out` is empty.  Both live until then, or until the cancel.
 * false: there is no place; the caller sends them himself.
 */
bool weir_send_later(weir_http_t *http, weir_conn_t *conn, weir_chain_t *out, size_t len,
                     weir_on_sent_t on_sent) WEIR_MUST_USE;
/* Sends and tells at once: before what is open is cut. */
void weir_send_queue_drain(weir_http_t *http);
/* For a caller that closes a connection with a piece queued: it is not told. */
void weir_send_cancel(weir_http_t *http, const weir_conn_t *conn);

#endif
