/*
 * hedges.h - what all workers know of second requests to a group (`hedge`): how many more may be sent, and how long its
 * peers took of late to begin their answers.
 *
 * In two parts of the group's state, taken by a worker when it first needs them.  Runs in workers.
 */
#ifndef WEIR_UPSTREAM_HEDGES_H
#define WEIR_UPSTREAM_HEDGES_H

#include "upstream/group.h"

/* A request of a place with `hedge` comes to the group. */
void        weir_hedges_earn(weir_group_t *group, uint32_t hundredths, weir_instant_t now);
/* One is to be sent.  false: there have been too many. */
bool        weir_hedges_spend(weir_group_t *group, weir_instant_t now) WEIR_MUST_USE;
/* An answer began after so long, or was not waited for any longer. */
void        weir_hedges_took(weir_group_t *group, weir_msec_t time, weir_instant_t now);
/* So many percent took no longer; 0: too little is known. */
weir_msec_t weir_hedges_quantile(weir_group_t *group, uint32_t percent);

#endif
