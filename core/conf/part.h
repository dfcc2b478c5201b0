/*
 * part.h - a server or an upstream with all that is in it: what a generation shares with the one before, where nothing
 * of it has changed.
 *
 * What a part is made of lies in its own arena, and points at nothing of another part: at most at what is of the
 * environment (what stands in main and http outside of parts), which is the generation's arena.  Parts find one another
 * by names and numbers, when they are asked for.
 *
 * Load time only; references are taken and given back by any thread.
 */
#ifndef WEIR_CONF_PART_H
#define WEIR_CONF_PART_H

#include "base/arena.h"
#include "expr/vars.h"

typedef struct weir_part {
    weir_arena_t      arena;
    uint32_t          refs;
    weir_vars_notes_t variables;         /* what it says and asks of them; in its memory */
} weir_part_t;

/* One reference, which is the caller's. */
weir_part_t *weir_part_create(void) __attribute__((returns_nonnull));
weir_part_t *weir_part_ref(weir_part_t *part);
void         weir_part_unref(weir_part_t *part);         /* the last one frees it */

/* For tests: the words of a part's memory that look like a pointer into another one's, or into that above them all, the
 * generation's.  The first of the parts is the environment, at which the others may point.  Returns how many there are,
 * and tells of the first `max` of them; into NULL: above. */
typedef struct { const void *at, *to; const weir_part_t *from, *into; } weir_part_leak_t;
size_t weir_part_leaks(weir_part_t *const *parts, size_t n, const weir_arena_t *above, weir_part_leak_t *leaks,
                       size_t max);

#endif
