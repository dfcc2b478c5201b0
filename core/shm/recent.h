/*
 * recent.h - how long something took of late: a histogram in 112 bytes of shared memory that begin as zero, which all
 * workers add to and which forgets.
 *
 * Times are in milliseconds, in four buckets an octave, up to 16 seconds: a quantile is right within 25 %.  Each ten
 * seconds what was counted before counts half.  Words change by themselves; a worker that is killed while it halves
 * them leaves some that are whole, which the next time makes less of.  Allocates nothing.
 */
#ifndef WEIR_SHM_RECENT_H
#define WEIR_SHM_RECENT_H

#include "base/base.h"

#define WEIR_RECENT_WORDS   13
#define WEIR_RECENT_BUCKETS (4 * WEIR_RECENT_WORDS)      /* of 16 bits */
#define WEIR_RECENT_SLOT_MS 10000
#define WEIR_RECENT_FEWEST  20               /* of fewer there is no quantile */

typedef struct {
    uint64_t slot;                           /* in which the last was added */
    uint64_t words[WEIR_RECENT_WORDS];
} weir_recent_t;

void        weir_recent_add(weir_recent_t *recent, weir_msec_t took, weir_instant_t now);
/* So many percent took no longer than that; at least 1 ms.  0: too little is known. */
weir_msec_t weir_recent_quantile(const weir_recent_t *recent, uint32_t percent);

/* The bucket of a time, and the first time above those of a bucket. */
uint32_t    weir_recent_bucket(weir_msec_t took);
weir_msec_t weir_recent_bucket_end(uint32_t bucket);

#endif
