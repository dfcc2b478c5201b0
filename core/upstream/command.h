/*
 * command.h - commands about groups' peers (changes.h) against the configuration: what may be changed, what there is.
 *
 *     {"do":"upstream.list"}                 all:  {"ok":true,"groups":[{"group":"api","servers":3,"changed":1}]}
 *     {"do":"upstream.list","group":"api"}   its servers:  {"ok":true,"group":"api","servers":[{"server":"10.0.0.1:80",
 *         "from":"configuration"|"run time"|"name"|"list","name":"api.example","state":"up"|"down"|"drained"|"failed"|
 *         "unhealthy"|"unproven"|"ejected"|"removed","weight":1,…,"fails":0,"active":2}]}
 *
 * What is known of a server is what all workers know.  Runs in the master; nothing here waits.
 */
#ifndef WEIR_UPSTREAM_COMMAND_H
#define WEIR_UPSTREAM_COMMAND_H

#include "upstream/changes.h"

/* May it be done?  Fills in what the configuration says to it: the group's name, forgets.  false with *error. */
bool    weir_upstream_check(weir_generation_t *generation, weir_change_t *change, weir_error_t *error) WEIR_MUST_USE;
/* The answer, new. */
json_t *weir_upstream_tell(weir_generation_t *generation, const json_t *command);

#endif
