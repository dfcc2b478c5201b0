/*
 * pace.h - limit_rate: an answer's body no faster than so many bytes a second; inside core/http only.
 *
 * A filter (filter.h), the last one before the codec: what may not go yet waits here, and its producer waits as for a
 * slow client.
 */
#ifndef WEIR_HTTP_PACE_H
#define WEIR_HTTP_PACE_H

#include "http/request.h"
#include "os/clock.h"

/* bytes a second; no client is sent as much: products stay in 64 bits for a century */
#define WEIR_RATE_MAX (UINT64_C(1) << 32)

/* How many bytes may have gone since began, at so many a second (rate <= WEIR_RATE_MAX): the first second's at once, as
 * in nginx. */
static inline uint64_t
weir_rate_budget(uint64_t rate, weir_instant_t began)
{
    uint64_t ms = weir_clock_now().ms - began.ms + 1000;

    return rate * (ms / 1000) + rate * (ms % 1000) / 1000;
}

/* The head filter, at WEIR_FILTER_PACE: puts a filter there, where there is a limit. */
weir_step_t weir_pace_head(weir_request_t *req, const void *conf);

#endif
