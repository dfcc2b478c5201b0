/*
 * ip_hash.c - `ip_hash` in an upstream block: requests of one client go to the same server.  Clients are told apart by
 * the first three bytes of an IPv4 address, or by a whole IPv6 address.
 *
 * Which address belongs to which server is what nginx makes of it.  A client without an address (a socket of this
 * machine) counts as one whose bytes are 0; a request whose servers have failed 20 times has turns like others.
 *
 * Runs in workers.
 */
#include "upstream/module.h"

#define IP_HASH_TRIES   20
#define IP_HASH_START   89
#define IP_HASH_FACTOR  113
#define IP_HASH_MODULUS 6271

typedef struct {
    weir_flag_t            on;
    const weir_template_t *key;          /* the client's address, in bytes */
} ip_hash_conf_t;

static weir_peer_t *
ip_hash_pick(const weir_host_set_t *set, const weir_pick_t *pick, weir_instant_t now)
{
    static const char nowhere[3];
    weir_str_t key = pick->key.len == 4 ? weir_str(pick->key.at, 3) : pick->key.len == 16 ? pick->key
                     : weir_str(nowhere, sizeof(nowhere));
    uint32_t   hash = IP_HASH_START;

    weir_assert(key.len != 0 && set->weight != 0);
    for (unsigned tries = 0; tries <= IP_HASH_TRIES && set->n > 1; tries++) {
        weir_peer_t *peer;

        for (size_t i = 0; i < key.len; i++) {
            hash = (hash * IP_HASH_FACTOR + (uint8_t) key.at[i]) % IP_HASH_MODULUS;
        }
        peer = weir_sets_at(set, hash % set->weight);
        if (weir_peer_allowed(peer, pick, now)) {
            return peer;
        }
    }
    return weir_balancer_round_robin.pick(set, pick, now);
}

static const weir_balancer_t ip_hash_balancer = {
    .name = "ip_hash",
    .is_steady = true,
    .create = weir_round_robin_create,
    .pick = ip_hash_pick,
    .report = weir_round_robin_report,
    .carry_over = weir_round_robin_carry_over,
    .settle = weir_round_robin_settle,
    .adjust = weir_round_robin_adjust,
};

static const weir_balancer_t *
ip_hash_choose(const void *conf_, const weir_template_t **key)
{
    const ip_hash_conf_t *conf = conf_;

    *key = conf->key;
    return conf->on.on ? &ip_hash_balancer : NULL;
}

static bool
ip_hash_check(weir_conf_t *cf, weir_conf_block_t *block WEIR_UNUSED, void *conf_)
{
    ip_hash_conf_t *conf = conf_;

    conf->key = conf->on.on ? weir_conf_template(cf, 0, WEIR_STR("$binary_remote_addr")) : NULL;
    return !conf->on.on || conf->key != NULL;
}

static const weir_directive_t ip_hash_directives[] = {
    WEIR_DIRECTIVE_OF(ip_hash_conf_t, on, "ip_hash", &weir_type_said, .where = WEIR_IN_UPSTREAM,
                      .help = "Sends requests of one client address (of IPv4: its first three bytes) to the same "
                              "server."),
    WEIR_DIRECTIVES_END
};

const weir_upstream_module_t weir_upstream_ip_hash = {
    .name = "upstream_ip_hash",
    .area = "Upstreams",
    .conf_size = sizeof(ip_hash_conf_t),
    .directives = ip_hash_directives,
    .check = ip_hash_check,
    .choose = ip_hash_choose,
};
