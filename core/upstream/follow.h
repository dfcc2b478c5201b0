/*
 * follow.h - upstream blocks with sources (source.h): the group is made of what their lists are at the moment, beside
 * the servers that are written.  Inside core/upstream only.
 */
#ifndef WEIR_UPSTREAM_FOLLOW_H
#define WEIR_UPSTREAM_FOLLOW_H

#include "shm/entries.h"
#include "upstream/locality.h"
#include "upstream/resolver.h"
#include "upstream/source.h"

/* One line of a block, of the generation. */
typedef struct {
    weir_peer_conf_t model;              /* what its parameters say */
    weir_str_t       server;             /* as written */
    weir_addrs_t     addrs;              /* at load; of a source: until its list is known */
    weir_source_t   *source;             /* NULL: these addresses are all */
} weir_follow_server_t;

typedef struct weir_follow_conf {
    weir_follow_server_t        *servers;
    size_t                       n;
    weir_locality_settings_t     locality;       /* where this gateway is */
    uint64_t                     sources;        /* the bits of its sources */
    const weir_entries_t        *entries;        /* shared memory of lists.h */
} weir_follow_conf_t;

typedef struct weir_follow weir_follow_t;

/* source_stats.c, at load: statistics of the group tell of its sources, whose bits these are. */
void weir_source_count(weir_group_conf_t *group, const uint64_t *sources);

/* Begins to follow for a group of the generation, which does not run yet.  One a group and worker; the one of the
 * generation before gives its lists and leases to it. */
weir_follow_t *weir_follow_start(weir_groups_t *groups, weir_generation_t *generation, const weir_group_conf_t *conf);
/* The group that runs, which changes with the lists; a reference, the caller's. */
weir_group_t  *weir_follow_group(const weir_follow_t *follow);
/* Nothing is asked any more; the group stays as it is. */
void           weir_follow_retire(weir_follow_t *follow);
void           weir_follow_stop(weir_follow_t *follow);
/* All that have not retired: before the groups of the process go. */
void           weir_follow_retire_all(weir_groups_t *groups);
/* The list that the source, which asks, has found. */
void           weir_follow_give(weir_source_run_t *run, const weir_source_peer_t *peers, size_t n);
/* Of a source that is followed. */
weir_loop_t       *weir_follow_loop(const weir_source_run_t *run);
weir_source_list_t weir_follow_list(const weir_source_run_t *run);
weir_groups_t     *weir_follow_groups(const weir_source_run_t *run);
weir_group_t      *weir_follow_running(const weir_source_run_t *run);

/* What is known of a line: at NULL with is_known false is what the load has found. */
typedef struct {
    const weir_source_peer_t *at;
    size_t                    n;
    bool                      is_known;
} weir_follow_known_t;

/* conf.c: the peers of conf anew, with digest and rows, in the arena.  known: a word for each server; NULL: as
 * loaded. */
void weir_upstream_fill(weir_arena_t *arena, weir_group_conf_t *conf, const weir_follow_conf_t *follow,
                        const weir_follow_known_t *known);

#endif
