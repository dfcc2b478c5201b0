/*
 * hedge.h - `hedge`: a second try of a request beside the first one; the first good head of the two is the answer.
 *
 * The engine knows one try: an exchange, the peer it is with, its attempt, how far of the body was read for it.  While
 * there are two, the other one lies here, and whatever its exchange or its timer tells makes it the one at hand first
 * (weir_hedge_swap).  So all the rest of the engine is about the try at hand:
 *
 *     its head is good      the other one is cancelled                                    (weir_hedge_win)
 *     it fails              it is let go, and the other one is the only one               (weir_hedge_leave)
 *     the request is over   both are let go                                               (weir_hedge_drop)
 *
 * There is one for a request, and none where the body streams: what is sent twice lies in the store.
 */
#ifndef WEIR_HTTP_PROXY_HEDGE_H
#define WEIR_HTTP_PROXY_HEDGE_H

#include "http/exchange/exchange.h"
#include "http/request.h"
#include "upstream/group.h"

struct weir_proxy;

/* A try that is not at hand. */
typedef struct {
    weir_exchange_t *x;
    weir_picked_t    picked;
    weir_attempt_t  *attempt;
    weir_instant_t   began;
    uint64_t         body_at;            /* where the body's store is read on */
    uint8_t          interims;
} weir_proxy_try_t;

typedef struct {
    weir_timer_t     timer;              /* to the second try, while there is one */
    weir_proxy_try_t other;
    bool             has_other;
    bool             is_second;          /* the exchange at hand is the second one */
    bool             is_over;            /* there was a second try, or there may be none */
    weir_fields_t    trailers;           /* of the second exchange, while there are two */
} weir_hedge_t;

/* The request has come to its group. */
void weir_hedge_earn(struct weir_proxy *p);
/* A try begins: when there is to be another beside it. */
void weir_hedge_watch(struct weir_proxy *p);
/* The head of an answer came on the try at hand, good or not. */
void weir_hedge_took(struct weir_proxy *p);
/* The other try is the one at hand from now on. */
void weir_hedge_swap(struct weir_proxy *p);
/* The try at hand has the answer: the other one is cancelled, and its peer not blamed. */
void weir_hedge_win(struct weir_proxy *p);
/* The try at hand has ended without an answer: the other one is at hand, and alone. */
void weir_hedge_leave(struct weir_proxy *p);
/* The other try, if there is one, is let go.  cause: its peer is to blame, for that; NONE: it is not. */
void weir_hedge_drop(struct weir_proxy *p, weir_cause_t cause);

#endif
