/*
 * resolver.h - `resolver` and `resolver_timeout`: which name servers a place asks, and the stubs that a worker asks
 * them with.
 */
#ifndef WEIR_UPSTREAM_RESOLVER_H
#define WEIR_UPSTREAM_RESOLVER_H

#include "event/resolver.h"
#include "upstream/group.h"

typedef struct {
    weir_resolver_conf_t servers;
    /* Names of the configuration with fewer dots than ndots are asked for with these behind them, one after another,
     * and then alone. */
    weir_strs_t          search;
    uint32_t             ndots;
    bool                 searches_system;        /* no list was said: that of the system, for names without a dot */
    bool                 uses_system_ndots;
} weir_resolver_said_t;

typedef struct {
    weir_resolver_said_t said;          /* .servers.n 0: none were said */
    weir_msec_t          timeout;
} weir_resolver_settings_t;

extern const weir_module_t weir_resolver_module;

/* Of a block: http and what is in it, or an upstream block (which has what its http block says, where it says
 * nothing). */
const weir_resolver_settings_t *weir_resolver_settings(const weir_conf_block_t *block);
/* The worker's stub for these servers; made when there is none yet. */
weir_resolver_t *weir_resolver_of(weir_groups_t *groups, const weir_resolver_conf_t *servers);

#endif
