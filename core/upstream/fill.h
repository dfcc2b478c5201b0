/*
 * fill.h - the peers of a group's configuration: from lines of a block and what is known of them, with the digest by
 * which the running group is found, and the rows of statistics.  Inside core/upstream only.
 */
#ifndef WEIR_UPSTREAM_FILL_H
#define WEIR_UPSTREAM_FILL_H

#include "upstream/follow.h"

/* A peer for each address, behind those that there are: group->peers has room for them. */
void     weir_fill_addrs(weir_arena_t *arena, weir_group_conf_t *group, const weir_peer_conf_t *model,
                         weir_str_t server, weir_addrs_t addrs);
/* What happens to the group and to each of its peers is counted under their names. */
void     weir_fill_rows(weir_arena_t *arena, weir_group_conf_t *group);
/* Of everything that a running group is made from; never 0.  Sets group->settings: the same without its peers. */
uint64_t weir_fill_digest(weir_group_conf_t *group);

#endif
