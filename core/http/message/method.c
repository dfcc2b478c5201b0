/*
 * method.c - see method.h.
 *
 * Pure; runs in workers and the master; allocates nothing.
 */
#include "http/message/method.h"

static const weir_str_t method_names[] = {
    [WEIR_METHOD_OTHER] = WEIR_STR_INIT(""),
    [WEIR_METHOD_GET] = WEIR_STR_INIT("GET"),
    [WEIR_METHOD_HEAD] = WEIR_STR_INIT("HEAD"),
    [WEIR_METHOD_POST] = WEIR_STR_INIT("POST"),
    [WEIR_METHOD_PUT] = WEIR_STR_INIT("PUT"),
    [WEIR_METHOD_DELETE] = WEIR_STR_INIT("DELETE"),
    [WEIR_METHOD_OPTIONS] = WEIR_STR_INIT("OPTIONS"),
    [WEIR_METHOD_PATCH] = WEIR_STR_INIT("PATCH"),
    [WEIR_METHOD_TRACE] = WEIR_STR_INIT("TRACE"),
    [WEIR_METHOD_CONNECT] = WEIR_STR_INIT("CONNECT"),
    [WEIR_METHOD_PROPFIND] = WEIR_STR_INIT("PROPFIND"),
    [WEIR_METHOD_PROPPATCH] = WEIR_STR_INIT("PROPPATCH"),
    [WEIR_METHOD_MKCOL] = WEIR_STR_INIT("MKCOL"),
    [WEIR_METHOD_COPY] = WEIR_STR_INIT("COPY"),
    [WEIR_METHOD_MOVE] = WEIR_STR_INIT("MOVE"),
    [WEIR_METHOD_LOCK] = WEIR_STR_INIT("LOCK"),
    [WEIR_METHOD_UNLOCK] = WEIR_STR_INIT("UNLOCK"),
};

/* In the order of their numbers, so the usual ones are met first. */
weir_method_t
weir_method_parse(weir_str_t name)
{
    unsigned i;

    for (i = WEIR_METHOD_GET; i < weir_countof(method_names); i++) {
        if (weir_str_eq(name, method_names[i])) {
            return (weir_method_t) i;
        }
    }
    return WEIR_METHOD_OTHER;
}
