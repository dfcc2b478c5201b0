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
/* The same for modules, which know of the process their life: NULL until it is there, which is behind the first
 * adopt. */
weir_http_t *weir_http_in(const weir_life_t *life);
/* Does the worker leave?  It serves out what it has begun, with a configuration that may be an old one. */
bool         weir_http_is_leaving(const weir_life_t *life);

#endif
