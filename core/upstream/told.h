/*
 * told.h - the numbers that policies tell statistics (policy.h, weir_told_t), for code that prints them.
 *
 * Runs in workers, and looks at the running groups of a generation: what they know lies in shared memory, so that each
 * worker tells the same.
 */
#ifndef WEIR_UPSTREAM_TOLD_H
#define WEIR_UPSTREAM_TOLD_H

#include "base/buf.h"
#include "upstream/policy.h"

#define WEIR_TOLD_POLICIES 32                /* kinds of policies that a configuration may have */

/* Rows of one policy that have one name. */
typedef struct {
    const weir_uppolicy_t *policy;
    const weir_told_t     *rows;
    size_t                 first, n;         /* rows: of the policy's, from `first` on */
} weir_told_name_t;

/* The names that the policies of a generation's groups tell, each once: in the arena.  Returns how many. */
size_t weir_told_names(const weir_generation_t *generation, weir_arena_t *arena, weir_told_name_t **names);

/* The running group of that name; NULL: there is none that has a policy. */
weir_group_t *weir_told_group(weir_generation_t *generation, weir_str_t name);
/* Its peer that is counted in that row of statistics; NULL: none.  *hint, 0 at first: where the last one was found. */
weir_peer_t  *weir_told_peer(const weir_group_t *group, uint32_t stats, size_t *hint);

/* The numbers of the name's rows, as of now.  false: the group has not that policy. */
bool weir_told_numbers(const weir_told_name_t *name, const weir_group_t *group, const weir_peer_t *peer,
                       uint64_t *numbers);

/* `,"POLICY":{…}` for each policy that tells something of the group, or of the peer if that is not NULL. */
void weir_told_json(const weir_group_t *group, const weir_peer_t *peer, weir_buf_t *out);

#endif
