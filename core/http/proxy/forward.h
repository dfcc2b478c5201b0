/*
 * forward.h - how a request is passed on beyond what proxy_pass and grpc_pass say: directives that hold for whichever
 * of them stands in a place.
 */
#ifndef WEIR_HTTP_PROXY_FORWARD_H
#define WEIR_HTTP_PROXY_FORWARD_H

#include "http/proxy/mirror.h"
#include "http/vars/path_edit.h"

struct weir_proxy_pass;

/* `retry`: after which failures a request is sent once more. */
enum { WEIR_RETRY_CONNECT = 1 << 0, WEIR_RETRY_RESET = 1 << 1, WEIR_RETRY_TIMEOUT = 1 << 2, WEIR_RETRY_INVALID = 1 << 3,
       WEIR_RETRY_NON_IDEMPOTENT = 1 << 4 };

#define WEIR_RETRY_MAX       10
#define WEIR_RETRY_PAUSE_MAX 30000       /* milliseconds: a pause grows no longer */

typedef struct {
    uint32_t    n;                       /* tries beside the first; 0: there is no `retry` */
    uint32_t    on;                      /* WEIR_RETRY_… */
    uint8_t     statuses[25];            /* bits from 400 to 599: answers that are failures */
    uint32_t    grpc;                    /* bits by grpc-status: calls that ended so before any message */
    weir_msec_t backoff;                 /* before the second try; twice as long before each further one */
    bool        jitter;
} weir_forward_retry_t;

typedef struct {
    bool        is_on;
    weir_msec_t after;                   /* of a try, without an answer; 0: */
    uint32_t    percent;                 /* … as long as so many percent of the group's answers took to begin */
    uint32_t    hundredths;              /* of a percent: so many of the requests */
} weir_forward_hedge_t;

typedef struct {
    weir_path_edit_t       path;         /* rewrite_path, rewrite_prefix */
    const weir_template_t *host;         /* rewrite_host; NULL: proxy_set_header's, or the group's */
    const weir_template_t *split_key;    /* NULL: targets are asked by turns */
    weir_mirrors_t         mirrors;      /* mirror_to */
    weir_msec_t            timeout, try_timeout;     /* 0: none */
    weir_forward_retry_t   retry;
    weir_forward_hedge_t   hedge;
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
