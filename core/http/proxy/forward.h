/*
 * forward.h - how a request is passed on beyond what proxy_pass and grpc_pass say: directives that hold for whichever
 * of them stands in a place.
 */
#ifndef WEIR_HTTP_PROXY_FORWARD_H
#define WEIR_HTTP_PROXY_FORWARD_H

#include "http/proxy/mirror.h"
#include "http/vars/path_edit.h"

struct weir_proxy_pass;

typedef struct {
    weir_path_edit_t       path;         /* rewrite_path, rewrite_prefix */
    const weir_template_t *host;         /* rewrite_host; NULL: proxy_set_header's, or the group's */
    const weir_template_t *split_key;    /* NULL: targets are asked by turns */
    weir_mirrors_t         mirrors;      /* mirror_to */
    bool                   is_plain;     /* derived: none of these is said */
} weir_forward_conf_t;

extern const size_t weir_http_forward_index;

/* When a module's build finds a block that passes requests on: what else goes from there. */
bool weir_forward_build(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_block_t *block,
                        uint16_t port) WEIR_MUST_USE;
/* A module's check of a block that passes requests on, there or wherever its variables say. */
bool weir_forward_check_pass(weir_conf_t *cf, const weir_conf_block_t *block, const struct weir_proxy_pass *pass)
    WEIR_MUST_USE;

#endif
