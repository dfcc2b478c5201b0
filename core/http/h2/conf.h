/*
 * conf.h - the directives of HTTP/2 beside `http2` itself, which is the core's.
 */
#ifndef WEIR_HTTP_H2_CONF_H
#define WEIR_HTTP_H2_CONF_H

#include "http/conf.h"

typedef struct {
    uint32_t     max_concurrent_streams;
    weir_bytes_t chunk_size, body_preread_size, header_budget;
} weir_http_v2_conf_t;

extern const weir_module_t weir_http_v2;
extern const size_t        weir_http_v2_index;

#endif
