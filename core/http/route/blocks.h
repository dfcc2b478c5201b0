/*
 * blocks.h - what the http, server and location blocks say, between reading (blocks.c) and building (build.c).
 */
#ifndef WEIR_HTTP_BLOCKS_H
#define WEIR_HTTP_BLOCKS_H

#include "http/route/captures.h"

/* The flags of a weir_listen_entry_t. */
enum { WEIR_HTTP_LISTEN_DEFAULT = 1 << 0, WEIR_HTTP_LISTEN_HTTP2 = 1 << 1 };

typedef struct {
    weir_listen_entries_t listens;
    weir_strs_t           names;
    weir_http_names_t     variables;     /* of http, or of a server, where something is said of it: else it is http's */
} weir_http_blocks_conf_t;

extern const weir_module_t weir_http_blocks;

/* The module's build: makes the weir_http_conf_t of the sealed blocks. */
bool weir_http_build(weir_conf_t *cf, weir_generation_t *generation);

#endif
