/*
 * pace.h - limit_rate: an answer's body no faster than so many bytes a second; inside core/http only.
 *
 * A codec put around the request's own: what may not go yet waits here, and its producer waits as for a slow client.
 */
#ifndef WEIR_HTTP_PACE_H
#define WEIR_HTTP_PACE_H

#include "http/request.h"

/* Before the head of an answer that has a body; does nothing where there is no limit. */
void weir_pace_begin(weir_request_t *req);
/* The wire has taken all it had.  true: there is more here, the producer is not to be called (and the request may have ended). */
bool weir_pace_holds(weir_request_t *req);

#endif
