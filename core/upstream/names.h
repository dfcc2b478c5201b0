/*
 * names.h - `server NAME resolve [service=NAME]`: a source whose list is what the name servers say.  Inside
 * core/upstream only.
 */
#ifndef WEIR_UPSTREAM_NAMES_H
#define WEIR_UPSTREAM_NAMES_H

#include "upstream/resolver.h"
#include "upstream/source.h"

/* One such line, of the generation. */
typedef struct weir_name_conf {
    weir_str_t                      host;        /* that is asked for */
    weir_str_t                      service;     /* "_http._tcp", before the host; empty: addresses are asked for */
    uint16_t                        port;        /* of addresses that come without one */
    const weir_resolver_settings_t *settings;
    struct weir_names              *running;     /* in the worker that asks */
} weir_name_conf_t;

/* Of a source whose owner is a weir_name_conf_t. */
extern const weir_source_ops_t weir_names_ops;

#endif
