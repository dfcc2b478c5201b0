/*
 * fill.c - see fill.h.  Runs at load time and, for groups with sources, in workers; all of it in the caller's arena.
 */
#include "upstream/fill.h"

#include "shm/stats.h"
#include "upstream/balancer.h"
#include "upstream/locality.h"
#include "upstream/policy.h"

#include <stdlib.h>

static uint64_t
fill_digest_number(uint64_t digest, uint64_t number)
{
    return weir_str_hash(weir_str((const char *) &number, sizeof(number)), digest);
}

static uint64_t
fill_digest_peer(uint64_t digest, const weir_peer_conf_t *peer)
{
    const uint64_t numbers[] = {
        (uint64_t) peer->weight << 32 | peer->max_fails, peer->max_conns, (uint64_t) peer->slow_start.ms,
        (uint64_t) weir_peer_rank(peer) << 2 | (uint64_t) peer->down << 1 | peer->drain,
        (uint64_t) peer->fail_timeout.ms, peer->locality.len, peer->route.len,
    };

    digest = weir_str_hash(peer->text, digest);
    digest = weir_str_hash(peer->server, digest);
    digest = peer->locality.len != 0 ? weir_str_hash(peer->locality, digest) : digest;
    digest = peer->route.len != 0 ? weir_str_hash(peer->route, digest) : digest;
    return weir_str_hash(weir_str((const char *) numbers, sizeof(numbers)), digest);
}

void
weir_fill_rows(weir_arena_t *arena, weir_group_conf_t *group)
{
    group->stats = weir_stats_row(arena, WEIR_STATS_UPSTREAM, group->name, 0);
    for (size_t i = 0; i < group->n_peers; i++) {
        weir_str_t text = group->peers[i].text;
        char      *name = weir_alloc_bytes(arena, group->name.len + 1 + text.len);

        memcpy(name, group->name.at, group->name.len);
        name[group->name.len] = WEIR_STATS_SEPARATOR;
        memcpy(name + group->name.len + 1, text.at, text.len);
        group->peers[i].stats = weir_stats_row(arena, WEIR_STATS_PEER, weir_str(name, group->name.len + 1 + text.len),
                                               group->stats);
    }
}

uint64_t
weir_fill_digest(weir_group_conf_t *group)
{
    uint64_t digest = weir_str_hash(group->name, 1);

    digest = weir_str_hash(group->host_header, digest);
    digest = weir_str_hash(group->own, digest);
    digest = weir_str_hash(weir_str_from_z(group->balancer->name), digest);
    for (size_t i = 0; i < WEIR_BALANCING; i++) {
        digest = fill_digest_number(digest, group->balancing[i]);
    }
    digest = fill_digest_number(digest, (uint64_t) group->keepalive << 32 | group->keepalive_requests);
    digest = fill_digest_number(digest, group->keepalive_time.ms);
    digest = fill_digest_number(digest, group->keepalive_timeout.ms);
    digest = fill_digest_number(digest, (uint64_t) group->overprovisioning << 32 | group->panic);
    for (size_t i = 0; i < group->n_zones; i++) {
        digest = fill_digest_number(weir_str_hash(group->zones[i].locality, digest), group->zones[i].callers);
    }
    digest = fill_digest_number(digest, group->states);
    for (size_t i = 0; i < group->n_policies; i++) {
        digest = weir_str_hash(weir_str_from_z(group->policies[i].policy->name), digest);
        digest = weir_str_hash(group->policies[i].settings, digest);
    }
    group->settings = digest != 0 ? digest : 1;
    for (size_t i = 0; i < group->n_peers; i++) {
        digest = fill_digest_peer(digest, &group->peers[i]);
    }
    return digest != 0 ? digest : 1;
}

/* The peer that is next: text and address. */
static weir_peer_conf_t *
fill_add(weir_arena_t *arena, weir_group_conf_t *group, const weir_peer_conf_t *model, weir_str_t server,
                  const weir_addr_t *addr)
{
    weir_peer_conf_t *peer = &group->peers[group->n_peers++];
    char              text[WEIR_ADDR_TEXT];

    *peer = *model;
    peer->addr = *addr;
    peer->text = weir_str_dup(arena, weir_str(text, weir_addr_text(&peer->addr, text)));
    peer->server = server;
    return peer;
}

void
weir_fill_addrs(weir_arena_t *arena, weir_group_conf_t *group, const weir_peer_conf_t *model, weir_str_t server,
                   weir_addrs_t addrs)
{
    for (size_t i = 0; i < addrs.n; i++) {
        (void) fill_add(arena, group, model, server, &addrs.at[i]);
    }
}

/* Those of a source's list: what they do not say of themselves is the line's. */
static void
fill_add_known(weir_arena_t *arena, weir_group_conf_t *group, const weir_follow_conf_t *follow,
                   const weir_follow_server_t *server, const weir_follow_known_t *known)
{
    for (size_t i = 0; i < known->n; i++) {
        const weir_source_peer_t *from = &known->at[i];
        weir_peer_conf_t         *peer = fill_add(arena, group, &server->model,
                                                           from->server.len != 0 ? from->server : server->server,
                                                           &from->addr);

        peer->weight = from->weight != 0 ? from->weight : peer->weight;
        peer->max_conns = from->max_conns != 0 ? from->max_conns : peer->max_conns;
        peer->priority = (uint16_t) weir_min((uint32_t) peer->priority + from->priority, UINT32_C(65535));
        peer->backup = peer->backup || from->backup;
        peer->down = peer->down || from->down;
        if (from->locality.len != 0) {
            peer->locality = from->locality;
            peer->distance = weir_locality_place(&follow->locality, from->locality);
        }
    }
}

typedef struct { uint64_t key; weir_peer_conf_t peer; } fill_ranked_t;

static int
fill_compare_ranked(const void *a_, const void *b_)
{
    const fill_ranked_t *a = a_, *b = b_;

    return a->key < b->key ? -1 : a->key > b->key;
}

/* By rank, and otherwise as they are. */
static void
fill_order(weir_arena_t *arena, weir_group_conf_t *group)
{
    fill_ranked_t *ranked;
    bool               in_order = true;

    for (size_t i = 1; i < group->n_peers; i++) {
        in_order = in_order && weir_peer_rank(&group->peers[i - 1]) <= weir_peer_rank(&group->peers[i]);
    }
    if (in_order) {
        return;
    }
    ranked = weir_new_n(arena, fill_ranked_t, group->n_peers);
    for (size_t i = 0; i < group->n_peers; i++) {
        ranked[i] = (fill_ranked_t) { (uint64_t) weir_peer_rank(&group->peers[i]) << 32 | i, group->peers[i] };
    }
    qsort(ranked, group->n_peers, sizeof(*ranked), fill_compare_ranked);
    for (size_t i = 0; i < group->n_peers; i++) {
        group->peers[i] = ranked[i].peer;
    }
}

void
weir_upstream_fill(weir_arena_t *arena, weir_group_conf_t *group, const weir_follow_conf_t *follow,
                   const weir_follow_known_t *known)
{
    size_t peers = 0;

    for (size_t i = 0; i < follow->n; i++) {
        peers += known != NULL && known[i].is_known ? known[i].n : follow->servers[i].addrs.n;
    }
    group->peers = weir_new_n(arena, weir_peer_conf_t, peers + 1);
    group->n_peers = 0;
    for (size_t i = 0; i < follow->n; i++) {
        const weir_follow_server_t *server = &follow->servers[i];

        if (known != NULL && known[i].is_known) {
            fill_add_known(arena, group, follow, server, &known[i]);
        } else {
            weir_fill_addrs(arena, group, &server->model, server->server, server->addrs);
        }
    }
    weir_assert(group->n_peers == peers);
    fill_order(arena, group);
    group->digest = weir_fill_digest(group);
    weir_fill_rows(arena, group);
}
