/*
 * method.h - request methods: the ones with an index, and what RFC 9110 §9.2 says of them.
 */
#ifndef WEIR_HTTP_METHOD_H
#define WEIR_HTTP_METHOD_H

#include "base/str.h"

typedef enum {
    WEIR_METHOD_OTHER, WEIR_METHOD_GET, WEIR_METHOD_HEAD, WEIR_METHOD_POST, WEIR_METHOD_PUT, WEIR_METHOD_DELETE,
    WEIR_METHOD_OPTIONS, WEIR_METHOD_PATCH, WEIR_METHOD_TRACE, WEIR_METHOD_CONNECT, WEIR_METHOD_PROPFIND,
    WEIR_METHOD_PROPPATCH, WEIR_METHOD_MKCOL,
    WEIR_METHOD_COPY, WEIR_METHOD_MOVE, WEIR_METHOD_LOCK, WEIR_METHOD_UNLOCK,
} weir_method_t;

weir_method_t weir_method_parse(weir_str_t name);        /* case-sensitive (RFC 9110 §9.1) */

/* RFC 9110 §9.2.1 */
static inline bool
weir_method_is_safe(weir_method_t method)
{
    return (1u << method & (1u << WEIR_METHOD_GET | 1u << WEIR_METHOD_HEAD | 1u << WEIR_METHOD_OPTIONS
                            | 1u << WEIR_METHOD_TRACE | 1u << WEIR_METHOD_PROPFIND)) != 0;
}

/* RFC 9110 §9.2.2, and RFC 4918 for WebDAV's: LOCK is not. */
static inline bool
weir_method_is_idempotent(weir_method_t method)
{
    return weir_method_is_safe(method)
        || (1u << method & (1u << WEIR_METHOD_PUT | 1u << WEIR_METHOD_DELETE | 1u << WEIR_METHOD_PROPPATCH
                            | 1u << WEIR_METHOD_MKCOL | 1u << WEIR_METHOD_COPY | 1u << WEIR_METHOD_MOVE
                            | 1u << WEIR_METHOD_UNLOCK)) != 0;
}

#endif
