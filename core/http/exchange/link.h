/*
 * link.h - a connection to a peer that one exchange has for itself: taken from the kept ones or opened, watched,
 * written to.
 *
 * For codecs of that kind (HTTP/1).  Runs in workers; a part of the codec's state, so nothing is allocated beside the
 * connection.
 */
#ifndef WEIR_HTTP_EXCHANGE_LINK_H
#define WEIR_HTTP_EXCHANGE_LINK_H

#include "http/exchange/exchange.h"

typedef struct weir_link {
    weir_exchange_t *exchange;
    weir_upconn_t   *up;
    weir_chain_t     out;              /* bytes the connection has not taken yet */
    uint64_t         sent_before, received_before;      /* by the connection, for others */
    bool             connected;        /* and secured */
    bool             is_queued;        /* what was composed leaves at the end of the turn */
} weir_link_t;

/* As a codec's begin.  The link is zeroed. */
weir_io_t weir_link_begin(weir_link_t *link, weir_exchange_t *x) WEIR_MUST_USE;
/* Back to the pool, or closed.  The link is as zeroed. */
void weir_link_end(weir_link_t *link, bool keep);

/* All of it is taken: sent, or (AGAIN) kept until weir_link_push.  ERROR: the exchange's cause and detail are set. */
weir_io_t weir_link_send(weir_link_t *link, const struct iovec *iov, size_t n) WEIR_MUST_USE;
weir_io_t weir_link_push(weir_link_t *link) WEIR_MUST_USE;
/* The first len bytes of the worker's send buffer, with the turn's others: AGAIN, and weir_exchange_sent when that was
 * done. */
weir_io_t weir_link_send_later(weir_link_t *link, size_t len) WEIR_MUST_USE;
static inline bool weir_link_pending(const weir_link_t *link) { return link->out.size != 0 || link->is_queued; }
void weir_link_shutdown(weir_link_t *link);
/* After an ERROR of the two: gives up what waits.  true: it was the peer that stopped taking, and it may have said
 * why. */
bool weir_link_stop_sending(weir_link_t *link);

/* At most cap bytes into the worker's receive buffer. */
weir_io_t weir_link_recv(weir_link_t *link, size_t cap, size_t *len) WEIR_MUST_USE;

static inline uint64_t weir_link_sent(const weir_link_t *link) { return link->up->conn.sent - link->sent_before; }

#endif
