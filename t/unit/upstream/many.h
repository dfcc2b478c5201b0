/*
 * many.h - groups of any number of peers, for the tests of this folder.
 */
#ifndef WEIR_T_MANY_H
#define WEIR_T_MANY_H

#include "groups.h"

#include "base/mem.h"
#include "upstream/module.h"
#include "upstream/running.h"

/* Peers of weight 1, to be changed before many_attach; in the arena. */
static inline weir_group_conf_t *
many_conf(weir_arena_t *arena, size_t n, const weir_balancer_t *balancer)
{
    weir_group_conf_t *conf = weir_new(arena, weir_group_conf_t);
    char               text[WEIR_ADDR_TEXT];

    *conf = (weir_group_conf_t) { .name = WEIR_STR("many"), .host_header = WEIR_STR("many"), .n_peers = n, .digest = 1,
                                  .overprovisioning = 140, .balancer = balancer };
    conf->peers = weir_new_n(arena, weir_peer_conf_t, n);
    for (size_t i = 0; i < n; i++) {
        weir_peer_conf_t *peer = &conf->peers[i];

        *peer = (weir_peer_conf_t) { .weight = 1, .max_fails = 1, .fail_timeout = { 10000 } };
        if (!weir_addr_from_ip(&peer->addr, weir_str_printf(arena, "10.%u.%u.%u", (unsigned) (i >> 16),
                                                            (unsigned) (i >> 8 & 255), (unsigned) (i & 255)), 80))
        {
            abort();
        }
        peer->text = peer->server = weir_str_dup(arena, weir_str(text, weir_addr_text(&peer->addr, text)));
    }
    return conf;
}

/* NULL: no module has it. */
static inline const weir_balancer_t *
many_balancer(const char *module)
{
    for (size_t m = 0; m < weir_modules_count; m++) {
        if (weir_upstream_modules[m] != NULL && strcmp(weir_upstream_modules[m]->name, module) == 0) {
            const weir_flag_t      on = { true };
            const weir_template_t *key = NULL;

            return weir_upstream_modules[m]->choose(&on, &key);
        }
    }
    return NULL;
}

static inline size_t
many_number(const weir_peer_t *peer)
{
    return weir_peer_index(peer);
}

/* One request that goes well or not: the number of its peer; SIZE_MAX: none. */
static inline size_t
many_request(weir_group_t *group, weir_arena_t *arena, bool fails, uint64_t now)
{
    weir_pick_t pick;
    size_t      number = SIZE_MAX;

    weir_pick_begin(&pick, group, arena);
    if (weir_pick_next(&pick, (weir_instant_t) { now })) {
        number = many_number(pick.peer);
        groups_report(&pick, fails, (weir_instant_t) { now });
    }
    weir_pick_end(&pick);
    weir_arena_reset(arena);
    return number;
}

#endif
