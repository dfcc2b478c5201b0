/*
 * lists.h - what all workers share of sources (source.h): each one's list, and which worker asks for it.  Inside
 * core/upstream only.
 */
#ifndef WEIR_UPSTREAM_LISTS_H
#define WEIR_UPSTREAM_LISTS_H

#include "conf/module.h"
#include "shm/entries.h"
#include "shm/zone.h"
#include "upstream/source.h"

#define WEIR_LISTS_RING ((uint64_t) 1 << 43)         /* a bit of the topic of entries that is seldom another's */
#define WEIR_LISTS_NAME 1100                         /* bytes of a group's name, a source's, and a letter */

/* One source's place in it.  Zeroed at first, but for entries (NULL: nothing is shared) and name. */
typedef struct {
    const weir_entries_t *entries;
    weir_str_t            name;                      /* of group and source: weir_source_t.key */
    uint64_t              serial;                    /* of the list that was read or put last */
    uint64_t              lease;                     /* serial of ours; 0: it is not ours */
} weir_lists_place_t;

/* At build: the generation's view of the zone.  NULL: cf->error. */
const weir_entries_t *weir_lists_take(weir_conf_t *cf);
extern const weir_zone_kind_t weir_lists_kind;

/* Is there a list that was not read yet?  Then it is *list, the caller's. */
bool weir_lists_read(weir_lists_place_t *place, weir_source_list_t *list) WEIR_MUST_USE;
/* The list is this from now on.  Others are told. */
void weir_lists_put(weir_lists_place_t *place, const weir_source_peer_t *peers, size_t n);

/* This worker asks, from now on or as before; is to be said again every WEIR_LISTS_TICK.  false: another one does. */
#define WEIR_LISTS_TICK 3000                         /* ms */
bool weir_lists_lease(weir_lists_place_t *place) WEIR_MUST_USE;
void weir_lists_let_go(weir_lists_place_t *place);

#endif
