/*
 * mime.h - lists of content types, for what is done to answers of some types only (gzip_types, charset_types).
 */
#ifndef WEIR_HTTP_MIME_H
#define WEIR_HTTP_MIME_H

#include "conf/module.h"

typedef struct { weir_str_t *at; size_t n; } weir_mime_types_t;

extern const weir_conf_type_t weir_type_mime_types;        /* one or more types, or "*" */

/* Is the type (a Content-Type's value; what follows ';' does not matter) text/html or in the list?  "*" has all; an
 * empty one is in none. */
bool weir_mime_is_listed(const weir_mime_types_t *types, weir_str_t value);

#endif
