/*
 * id.h - a group by its number: in a process, and in those that read its bundles, a name has the same number in each
 * generation that has a group of that name (numbers.h).
 *
 * What a place of the configuration keeps of a group is this and no pointer, so that it may be of several generations
 * while the group changes between them.
 */
#ifndef WEIR_UPSTREAM_ID_H
#define WEIR_UPSTREAM_ID_H

#include "base/base.h"

typedef struct { uint32_t number; } weir_group_id_t;     /* 0: no group */

static inline bool weir_group_id_is(weir_group_id_t id) { return id.number != 0; }
static inline bool weir_group_id_eq(weir_group_id_t a, weir_group_id_t b) { return a.number == b.number; }

#endif
