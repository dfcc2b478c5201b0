/*
 * adjust.c - what is said of a peer changes in the sets that there are: no set is made anew for it, whatever its size.
 *
 * That is so for what no balancer goes by (max_fails, max_conns, times, a route, a drain), and for a peer's weight and
 * whether it is down where the balancer says how (weir_balancer_t.adjust).  Its set's weight and sums, its place in the
 * order of a large set, statistics and policies change with it, and the next request goes by all of them.
 *
 * Runs in workers, on the loop's thread.
 */
#include "base/mem.h"
#include "upstream/order.h"
#include "upstream/running.h"

static bool
adjust_may(const weir_peer_t *peer, const weir_peer_conf_t *to)
{
    const weir_peer_conf_t *is = peer->conf;

    return peer->set != NULL && !peer->is_gone && peer->group->plan == NULL && peer->next_conf == NULL
           && weir_peer_rank(is) == weir_peer_rank(to) && weir_str_eq(is->server, to->server)
           && weir_str_eq(is->locality, to->locality) && is->stats == to->stats
           && (peer->group->conf.balancer->adjust != NULL || (is->weight == to->weight && is->down == to->down));
}

bool
weir_adjust_peer(weir_peer_t *peer, const weir_peer_conf_t *to)
{
    const weir_peer_conf_t *was = peer->conf;
    weir_group_t           *group = peer->group;

    if (!adjust_may(peer, to)) {
        return false;
    }
    if (was->weight != to->weight) {
        group->conf.balancer->adjust(peer, to);
        weir_sets_reweigh(peer, to->weight);
    }
    weir_members_hold_row(to);
    weir_members_let_row_go(was);
    peer->conf = to;
    weir_policies_peer_told(peer);
    weir_peer_tell(peer);                    /* it may be marked by another max_fails, or not any more */
    weir_order_adjusted(peer, was);
    group->changed++;
    weir_mem_free((void *) (uintptr_t) was);
    if (group->queue != NULL) {
        weir_queue_place_is_free(group);
    }
    return true;
}
