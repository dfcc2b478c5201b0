/*
 * bounded.c - see bounded.h.
 */
#include "upstream/bounded.h"

#include "upstream/running.h"

#define BOUNDED_MAX_PERCENT 10000

uint64_t
weir_bounded_weight(const weir_host_set_t *set)
{
    uint64_t weight = 0;

    for (size_t i = 0; i < set->n; i++) {
        weight += set->peers[i]->conf->down ? 0 : set->peers[i]->conf->weight;
    }
    return weight;
}

/* Of those that may be asked, as far as that is not a matter of the request. */
static uint64_t
bounded_weight_now(const weir_host_set_t *set, weir_instant_t now)
{
    uint64_t weight = 0;

    for (size_t i = 0; i < set->n; i++) {
        const weir_peer_t *peer = set->peers[i];

        weight += peer->conf->down || weir_peer_rests(peer, now) ? 0 : peer->conf->weight;
    }
    return weight;
}

weir_bounded_t
weir_bounded_begin(const weir_host_set_t *set, uint32_t percent, uint64_t weight, weir_instant_t now)
{
    weir_bounded_t bounded = { .percent = percent, .weight = weight };

    if (percent != 0) {
        bounded.requests = (uint64_t) weir_state_group_in_use(set->group) + 1;
        bounded.weight = set->group->n_marked != 0 ? bounded_weight_now(set, now) : weight;
    }
    return bounded;
}

bool
weir_bounded_has_room(const weir_bounded_t *bounded, const weir_peer_t *peer)
{
    unsigned __int128 share, whole = (unsigned __int128) bounded->weight * 100;
    uint32_t          in_use;

    if (bounded->percent == 0 || bounded->weight == 0) {
        return true;
    }
    in_use = weir_state_in_use(peer);
    if (in_use == 0) {
        return true;                     /* a share is never less than one */
    }
    share = (unsigned __int128) bounded->requests * bounded->percent * peer->conf->weight;
    return in_use < (share + whole - 1) / whole;
}

weir_peer_t *
weir_bounded_least(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now)
{
    weir_peer_t *least = NULL;
    uint64_t     fewest = 0;

    for (size_t i = 0; i < set->n; i++) {
        weir_peer_t *peer = set->peers[i];
        uint64_t     in_use;

        if (!weir_peer_allowed(peer, pick, now)) {
            continue;
        }
        in_use = weir_state_in_use(peer);
        if (least == NULL || in_use * least->conf->weight < fewest * peer->conf->weight) {
            least = peer;
            fewest = in_use;
        }
    }
    return least;
}

bool
weir_bounded_read(weir_conf_t *cf, size_t word, weir_str_t value, void *percent)
{
    weir_str_t whole, part = WEIR_STR_NONE;
    uint64_t   number = 0, hundredths = 0;
    bool       has_point = weir_str_cut(value, '.', &whole, &part);

    if (!weir_str_to_u64(whole, &number)
        || (has_point && (part.len == 0 || part.len > 2 || !weir_str_to_u64(part, &hundredths))))
    {
        return weir_conf_invalid(cf, word, "bounded= and a factor such as 1.25, with at most two decimals");
    }
    hundredths = weir_min(number, BOUNDED_MAX_PERCENT) * 100 + (part.len == 1 ? hundredths * 10 : hundredths);
    *(uint32_t *) percent = (uint32_t) weir_min(hundredths, BOUNDED_MAX_PERCENT + 1);
    return (hundredths >= 100 && hundredths <= BOUNDED_MAX_PERCENT)
           || weir_conf_invalid(cf, word, "bounded= and a factor from 1 to 100");
}
