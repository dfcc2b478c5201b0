/*
 * order.h - the peers of a large host set in the order in which they are due, so that picking one of 10,000 costs
 * little more than picking one of ten.  Inside core/upstream; balancers get to it through balancer.h.
 *
 * A small set is looked at peer by peer, and has nginx's order (round_robin.c).  In an order, a peer is due each time
 * that its part of a round has passed: in a round of as many picks as the sum of the weights, each peer is picked as
 * often as its weight says, and its turns are spread evenly.  Peers of equal weight have turns one after another, as in
 * a small set.
 *
 * Peers that may not be picked are out of the order, so that a pick does not meet them: those that rest after failures
 * or are barred, until their time comes or weir_order_told says so, and those at max_conns.
 *
 * With a load (the requests on the peer, for its weight) those of the least load come first.  Other workers change
 * loads without a word: a key is read again when the peer is about to be picked and when a request of this worker
 * leaves it, and a few more at each pick.  So the peer that is picked has no more load than it was thought to have, and
 * than any other was thought to have; what is out of date is that another may have less by now.
 *
 * Runs in workers; memory: the group's arena.
 */
#ifndef WEIR_UPSTREAM_ORDER_H
#define WEIR_UPSTREAM_ORDER_H

#include "upstream/balancer.h"

#define WEIR_ORDER_FROM 33           /* peers of a set, from which on it has an order */

typedef struct weir_order weir_order_t;

/* For set->order, when the set has its peers. */
weir_order_t *weir_order_create(const weir_host_set_t *set, weir_arena_t *arena);
/* The first that `may` lets, of those of the least load (NULL: all have the same); it is behind its next round then.
 * NULL: none. */
weir_peer_t  *weir_order_take(const weir_host_set_t *set, weir_load_t load,
                              bool (*may)(const weir_peer_t *peer, const void *data), const void *data,
                              weir_instant_t now);
/* This worker knows something new about the peer: that it is marked or barred, or is so no longer. */
void          weir_order_told(weir_peer_t *peer);
/* A request of this worker has left the peer. */
void          weir_order_left(weir_peer_t *peer);
/* What is said of the peer is another: `was`, until now. */
void          weir_order_adjusted(weir_peer_t *peer, const weir_peer_conf_t *was);
/* The peer's weight or its part of it has changed: what is left of its wait changes with it. */
void          weir_order_reweigh(weir_peer_t *peer);
/* Where `from` stood in the order of the set that it was in is where `to` stands: to's set has not been asked yet.
 * What from's weight has regained is seen to. */
void          weir_order_carry(weir_peer_t *to, const weir_peer_t *from);
/* The weight in use, less what failures have taken; that comes back with the picks. */
void          weir_order_report_failure(weir_peer_t *peer);
/* Peers of the set that are marked down, and those that are neither that nor rest now. */
size_t        weir_order_down(const weir_host_set_t *set);
size_t        weir_order_awake(const weir_host_set_t *set, weir_instant_t now);
/* Those that rest may be picked all the same, or not any more (set->is_panic). */
void          weir_order_panic(const weir_host_set_t *set);

#endif
