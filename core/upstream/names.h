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
    weir_str_t                      host;        /* as written */
    weir_str_t                      service;     /* as written: "http", "_http._tcp"; empty: addresses are asked for */
    uint16_t                        port;        /* of addresses that come without one */
    const weir_resolver_settings_t *settings;
    weir_strs_t                     asked;       /* names that are asked for, until one exists */
} weir_name_conf_t;

/* Of a source whose owner is a weir_name_conf_t. */
extern const weir_source_ops_t weir_names_ops;

/* names_conf.c, at build.  name->asked from the rest.  false: cf->error. */
bool weir_names_bind(weir_conf_t *cf, const weir_conf_words_t *words, weir_name_conf_t *name) WEIR_MUST_USE;
/* Addresses that the hosts file of this machine has for the name, of the kinds that are asked for; their port is set.
 * n 0: it does not stand there. */
weir_addrs_t weir_names_in_hosts(weir_conf_t *cf, const weir_name_conf_t *name);

#endif
