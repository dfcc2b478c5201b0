/*
 * share.h - exact shares of a place's requests, over all workers, without chance.
 *
 * A place has one counter in shared memory.  Each request draws the next number of it, and numbers are laid out over
 * the parts of the whole by a stride that has no divisor in common with it: of any `sum` requests that come one after
 * the other, whichever workers serve them, each position is met once; and requests of one part lie far from one
 * another.  The counter is found by the place's name, so that it outlives a reload, and an upgrade.
 *
 * Where there is no room for one more counter (65,536 cells; those that no request drew from for an hour make room) a
 * worker counts for itself: shares are exact in each worker then.
 */
#ifndef WEIR_HTTP_PROXY_SHARE_H
#define WEIR_HTTP_PROXY_SHARE_H

#include "conf/module.h"
#include "shm/keyed.h"
#include "shm/zone.h"

typedef struct {
    weir_keyed_t    *table;
    weir_keyed_key_t key;
    uint64_t         sum, stride;        /* positions; below 2^31 */
    uint64_t        *own;                /* this worker's own count, where there is no room for a shared one */
} weir_share_t;

extern const weir_zone_kind_t weir_share_kind;

/* name: the place's, the same in every process and after a reload (weir_share_name).  false: recorded. */
bool       weir_share_build(weir_conf_t *cf, weir_generation_t *generation, weir_share_t *share, weir_str_t name,
                            uint64_t sum) WEIR_MUST_USE;
/* The greatest number that divides both; of 0 and another the other. */
uint32_t   weir_share_divisor(uint32_t a, uint32_t b);
/* Of a block: its server, its location, and what stands in it. */
weir_str_t weir_share_name(weir_arena_t *arena, const weir_conf_block_t *block, const char *what, size_t number);
/* The next request's position, below sum. */
uint64_t   weir_share_next(const weir_share_t *share);

#endif
