/*
 * slice.h - how long one connection may work in a turn of the loop before the others have theirs.
 *
 * A turn is as long as all that is done in it, and a client that is not served yet waits for its end.  So what may have
 * much to do at once (frames that were received together, a body that comes as fast as it goes) looks at its slice
 * between two steps, and goes on in the next turn when it is over.  Begins zeroed, with the first look: work of one
 * step never looks, and asks no clock.
 *
 * What one connection's step happens to set off for all connections (the sends of a whole turn, when their queue is
 * full) is not counted as its own: weir_slice_for_all.
 */
#ifndef WEIR_EVENT_SLICE_H
#define WEIR_EVENT_SLICE_H

#include "os/sys.h"

#define WEIR_SLICE_US 25

typedef struct { uint64_t end_us; } weir_slice_t;

extern uint64_t weir_slice_all_us;               /* spent for all, since the process began */

static inline uint64_t
weir_slice_now(void)
{
    return weir_sys_clock_us() - weir_slice_all_us;
}

static inline bool
weir_slice_is_over(weir_slice_t *slice)
{
    uint64_t now = weir_slice_now();

    if (slice->end_us == 0) {
        slice->end_us = now + WEIR_SLICE_US;
        return false;
    }
    return now >= slice->end_us;
}

/* Work since `began` (weir_slice_now) was done for all connections. */
static inline void
weir_slice_for_all(uint64_t began)
{
    weir_slice_all_us += weir_slice_now() - began;
}

#endif
