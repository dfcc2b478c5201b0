/*
 * fragment.h - a piece of a configuration that comes, changes and goes by itself: some servers, upstreams, locations of
 * a server.
 *
 * What stands in a fragment is what may stand in http, and `extend server NAME { … }`.  The master puts all of them
 * into the bundle (bundle.h) before it builds a generation; a replay finds them again.  The reading takes them up in
 * the order of their names, at the end of the http block (a configuration without one gets an empty one for them).
 */
#ifndef WEIR_CONF_FRAGMENT_H
#define WEIR_CONF_FRAGMENT_H

#include "base/str.h"

#define WEIR_FRAGMENT_NAME_MAX 255

typedef struct {
    weir_str_t name;              /* 1 to 255 bytes of [A-Za-z0-9._/-] */
    weir_str_t tree;              /* packed (tree_pack.h) */
    uint64_t   digest;            /* of the tree: the same tree with the same places has the same one, in any process */
} weir_fragment_t;

typedef struct { weir_fragment_t *at; size_t n; } weir_fragments_t;

bool     weir_fragment_name_is_good(weir_str_t name);
uint64_t weir_fragment_digest(weir_str_t tree);

#endif
