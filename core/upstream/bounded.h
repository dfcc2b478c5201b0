/*
 * bounded.h - bounded loads, for balancers that go by a key: a peer that has more requests under way than its share
 * times a factor gets no more for the moment, and the key goes on to the next peer in its own order.
 *
 * The bound is that of Mirrokni, Thorup and Zadimoghaddam ("Consistent Hashing with Bounded Loads") and of Envoy's
 * hash_balance_factor: of m requests of the group, the one at hand included, a peer of weight w has at most
 * ceil(factor * m * w / W), where W is the weight of all peers of its host set that may be asked.  Requests of all
 * workers count.  So there is always a peer with room.
 *
 * Runs in workers.
 */
#ifndef WEIR_UPSTREAM_BOUNDED_H
#define WEIR_UPSTREAM_BOUNDED_H

#include "upstream/balancer.h"

/* The bound for one pick. */
typedef struct {
    uint32_t percent;                    /* the factor; 0: there is no bound */
    uint64_t requests;                   /* m */
    uint64_t weight;                     /* W */
} weir_bounded_t;

/* Of the peers of a set that are not down: what a balancer keeps of it for `begin`. */
uint64_t       weir_bounded_weight(const weir_host_set_t *set);
weir_bounded_t weir_bounded_begin(const weir_host_set_t *set, uint32_t percent, uint64_t weight, weir_instant_t now);
/* The peer may have one more. */
bool           weir_bounded_has_room(const weir_bounded_t *bounded, const weir_peer_t *peer);
/* The peer that may be picked with the least under way for its weight, for a balancer that has looked for room long
 * enough. NULL: none may be picked. */
weir_peer_t   *weir_bounded_least(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now);

/* bounded=FACTOR: a row for weir_conf_read_options whose data begins with it. */
bool weir_bounded_read(weir_conf_t *cf, size_t word, weir_str_t value, void *percent);

#endif
