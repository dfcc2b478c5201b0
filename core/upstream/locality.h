/*
 * locality.h - where this gateway and its peers are: `locality`, `overprovisioning`, `panic` and `zone_aware`.  Inside
 * core/upstream only.
 *
 * A locality is REGION, REGION/ZONE or REGION/ZONE/SUBZONE.  Load time only: what a group needs of it while it runs is
 * a number for each peer, its distance.
 */
#ifndef WEIR_UPSTREAM_LOCALITY_H
#define WEIR_UPSTREAM_LOCALITY_H

#include "upstream/group.h"

typedef struct { weir_caller_zone_t *at; size_t n; } weir_caller_zones_t;

typedef struct {
    weir_str_t          own;             /* of this gateway; empty: none was said, and every peer is near */
    uint32_t            overprovisioning, panic;         /* percent: see weir_group_conf_t */
    weir_caller_zones_t zones;           /* zone_aware; our own is the first */
} weir_locality_settings_t;

extern const weir_module_t weir_locality_module;
/* shares.c: tells statistics of panics. */
extern const weir_uppolicy_t weir_shares_policy;

/* Of an upstream block, or of the http block that it is in. */
weir_locality_settings_t weir_locality_settings(const weir_conf_block_t *block);
/* One to three names with slashes between them, none of them empty. */
bool    weir_locality_is_valid(weir_str_t locality);
/* How many of the gateway's names, counted from the last one, the peer does not share: 0 is the same place, 3 another
 * region.  A peer that says nothing is as far away as one that shares none. */
uint8_t weir_locality_distance(weir_str_t own, weir_str_t peer);
/* What a peer's distance is with these settings: with zone_aware the number of its zone, see weir_group_conf_t. */
uint8_t weir_locality_place(const weir_locality_settings_t *settings, weir_str_t peer);

#endif
