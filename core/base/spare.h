/*
 * spare.h - how many of a kind of thing are kept for reuse, and how many of those have not been needed lately.
 *
 * The owner of the list counts with take and keep; now and then (a tick) half of those that were never wanted since the
 * last tick go back, so that what a burst needed does not stay, and what a steady load needs does.
 */
#ifndef WEIR_BASE_SPARE_H
#define WEIR_BASE_SPARE_H

#include "base/base.h"

typedef struct {
    size_t n;          /* kept now */
    size_t least;      /* … and the fewest since the last tick */
} weir_spare_t;

static inline void
weir_spare_take(weir_spare_t *spare)
{
    weir_assert(spare->n > 0);
    spare->n--;
    spare->least = weir_min(spare->least, spare->n);
}

static inline void weir_spare_keep(weir_spare_t *spare) { spare->n++; }

/* How many are to go now, so that `floor` stay at least; the caller takes them. */
static inline size_t
weir_spare_tick(weir_spare_t *spare, size_t floor)
{
    size_t unused = spare->least, most = spare->n > floor ? spare->n - floor : 0;

    weir_assert(unused <= spare->n);
    spare->least = spare->n;
    return weir_min((unused + 1) / 2, most);
}

#endif
