/*
 * http.h - http as the processes see it: an area that takes connections.
 */
#ifndef WEIR_HTTP_HTTP_H
#define WEIR_HTTP_HTTP_H

#include "serve/serve.h"

typedef struct weir_http weir_http_t;

extern const weir_area_t weir_http_area;

/* Its part in a process that serves; NULL: it has none there. */
weir_http_t *weir_http_of(const weir_serve_t *serve);

#endif
