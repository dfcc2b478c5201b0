/*
 * calls.h - which consumers still call what is deprecated: a count for each consumer and place, and the day of the last
 * call, in shared memory (shm/tally.h).  `weir consumer calls` shows them.
 *
 * A call is a client's request that the guards of a deprecated place let in; it is counted once, wherever it is
 * redirected.  A consumer is the one of $consumer; requests without one are counted as anonymous.  All places of all
 * configurations share one table, which a reload keeps: WEIR_CALLS_ROWS consumers and places.  What comes when it is
 * full is counted for the place alone, as that of other consumers.
 */
#ifndef WEIR_HTTP_CALLS_H
#define WEIR_HTTP_CALLS_H

#include "conf/module.h"
#include "http/request.h"
#include "shm/tally.h"
#include "shm/zone.h"

#define WEIR_CALLS_ROWS      8192
#define WEIR_CALLS_SEPARATOR '\x1f'          /* between server, place, API and consumer */
#define WEIR_CALLS_OTHERS    "\x1e"          /* the consumer of what found no row of its own */

/* What a module keeps that has deprecated places. */
typedef struct {
    weir_tally_t  *tally;
    weir_var_ref_t consumer;
    bool           has_consumer;             /* $consumer is there: a module that knows consumers is built in */
} weir_calls_t;

extern const weir_zone_kind_t weir_calls_zone;

/* At load time, once names are settled; the zone is given back with the configuration.  NULL: recorded. */
weir_calls_t *weir_calls_open(weir_conf_t *cf) WEIR_MUST_USE;
/* The guards have let it in.  api: "NAME/VERSION", or empty. */
void weir_calls_count(const weir_calls_t *calls, weir_request_t *req, weir_str_t api);

#endif
