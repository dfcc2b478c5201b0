/*
 * simulate.h - what a group would do if some of its peers failed: the group itself, made and asked as in a worker, by
 * itself and in this process's memory.  For tools.
 */
#ifndef WEIR_UPSTREAM_SIMULATE_H
#define WEIR_UPSTREAM_SIMULATE_H

#include "upstream/group.h"

#define WEIR_SIMULATE_PICKS 100000           /* requests that are asked for */

typedef struct {
    uint32_t priority, distance;             /* distance: see weir_peer_conf_t */
    bool     is_backup, is_panic;
    size_t   first, n;                       /* its peers */
    size_t   standing, healthy;              /* of them: those not down, and those that may be asked */
} weir_simulated_set_t;

typedef struct {
    const weir_peer_conf_t *conf;
    bool                    is_failed;
    uint32_t                picks;           /* of WEIR_SIMULATE_PICKS */
} weir_simulated_peer_t;

typedef struct {
    weir_simulated_set_t  *sets;
    size_t                 n_sets;
    weir_simulated_peer_t *peers;            /* in the order of their sets */
    size_t                 n_peers;
    uint32_t               none;             /* requests that got no peer */
} weir_simulated_t;

/* The peers that `failed` says something for have failed: a locality (REGION/ZONE: all that is in it), an address, or a
 * server as written; conf is the generation's, all else
 * the arena's.  Logs nothing. */
weir_simulated_t weir_simulate(const weir_group_conf_t *conf, const weir_str_t *failed, size_t n_failed,
                               weir_arena_t *arena);
/* Does it say something for a peer? */
bool             weir_simulate_names(weir_str_t failed, const weir_peer_conf_t *peer);
/* What chooses among its peers. */
const char      *weir_simulate_balancer(const weir_group_conf_t *conf);

#endif
