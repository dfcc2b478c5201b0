/*
 * forward.h - how a request is passed on beyond what proxy_pass and grpc_pass say: directives that hold for whichever
 * of them stands in a place.
 */
#ifndef WEIR_HTTP_PROXY_FORWARD_H
#define WEIR_HTTP_PROXY_FORWARD_H

#include "http/vars/path_edit.h"

struct weir_proxy_pass;

typedef struct {
    weir_path_edit_t       path;         /* rewrite_path, rewrite_prefix */
    const weir_template_t *host;         /* rewrite_host; NULL: proxy_set_header's, or the group's */
    const weir_template_t *split_key;    /* NULL: targets are asked by turns */
    bool                   is_plain;     /* derived: none of these is said */
} weir_forward_conf_t;

extern const size_t weir_http_forward_index;

/* A module's check of a block that passes requests on, there or wherever its variables say. */
bool weir_forward_check_pass(weir_conf_t *cf, const weir_conf_block_t *block, const struct weir_proxy_pass *pass)
    WEIR_MUST_USE;

#endif
