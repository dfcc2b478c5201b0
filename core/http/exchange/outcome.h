/*
 * outcome.h - from causes to what upstream knows of attempts, and back: how an attempt ended, for those that judge the
 * peer (upstream/policy.h), and why a request got no peer, for the client and the logs.
 */
#ifndef WEIR_HTTP_OUTCOME_H
#define WEIR_HTTP_OUTCOME_H

#include "http/request.h"
#include "upstream/group.h"

/* Of an attempt that is over, with all its times set.  failed: its peer is to blame, if the failure is one of peers. */
weir_outcome_t weir_outcome_of(const weir_attempt_t *attempt, bool failed);
/* What a grpc-status is in HTTP: of a call that ended with UNAVAILABLE 503, of one with NOT_FOUND 404, …  fields: where
 * it may stand; 0: it does not. */
uint16_t weir_outcome_grpc(const weir_fields_t *fields);
/* Of a pick that found no peer; never NONE. */
weir_cause_t   weir_outcome_refused(const weir_pick_t *pick);
/* … and the seconds for Retry-After; 0: nothing is known. */
uint32_t       weir_outcome_retry_after(const weir_pick_t *pick);

#endif
