/*
 * follow.h - servers of an upstream block that are marked `resolve`: their names are asked for again as long as a
 * worker runs, and the group is made of what they are at the moment.  Inside core/upstream only.
 */
#ifndef WEIR_UPSTREAM_FOLLOW_H
#define WEIR_UPSTREAM_FOLLOW_H

#include "upstream/resolver.h"

/* One `server` of a block, of the generation. */
typedef struct {
    weir_peer_conf_t model;              /* what its parameters say */
    weir_str_t       server;             /* as written */
    weir_addrs_t     addrs;              /* at load; n 0 with is_followed: not known yet */
    weir_str_t       host;               /* that is asked for, and the port of what comes */
    uint16_t         port;
    bool             is_followed;
} weir_follow_server_t;

typedef struct weir_follow_conf {
    weir_follow_server_t           *servers;
    size_t                          n;
    const weir_resolver_settings_t *settings;
} weir_follow_conf_t;

typedef struct weir_follow weir_follow_t;

/* Begins to follow for a running group: conf->running changes with the names.  One a group and worker. */
weir_follow_t *weir_follow_start(weir_groups_t *groups, weir_group_conf_t *conf, const weir_follow_conf_t *follow);
void           weir_follow_stop(weir_follow_t *follow);

/* conf.c: the peers of conf anew from these servers' addresses; in the arena, with digest and rows. */
void weir_upstream_fill(weir_arena_t *arena, weir_group_conf_t *conf, const weir_follow_server_t *servers, size_t n);

#endif
